#include "engine/onednn/loops.h"

/* Tables of 256 bytes in four registers: AVX-512 VBMI looks 64 bytes up at once. Each function
 * returns false, having done nothing, on a processor that lacks it. */

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <stdbool.h>

#define LPOT_VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi")))

static bool has_vbmi(void) {
  return __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

LPOT_VBMI
static inline __mmask64 first_bytes(int64_t count) {
  return count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1;
}

/* table[index] for 64 indices; the top bit chooses the half. */
LPOT_VBMI
static inline __m512i look_up(const __m512i table[4], __m512i index) {
  __m512i low = _mm512_permutex2var_epi8(table[0], index, table[1]);
  __m512i high = _mm512_permutex2var_epi8(table[2], index, table[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
}

LPOT_VBMI
static void lookup_vbmi(const uint8_t *in, int64_t count, const uint8_t *table, uint8_t *out) {
  __m512i parts[4];
  for (int i = 0; i < 4; ++i) {
    parts[i] = _mm512_loadu_si512(table + 64 * i);
  }
  for (int64_t i = 0; i < count; i += 64) {
    __mmask64 mask = first_bytes(count - i);
    __m512i index = _mm512_maskz_loadu_epi8(mask, in + i);
    _mm512_mask_storeu_epi8(out + i, mask, look_up(parts, index));
  }
}

LPOT_VBMI
static void shuffle_vbmi(const uint8_t *in, int64_t pixels, const uint8_t *order, int64_t channels,
                         uint8_t *out) {
  __m512i index[4];
  __mmask64 masks[4];
  int64_t parts = (channels + 63) / 64;
  for (int64_t k = 0; k < 4; ++k) {
    int64_t left = channels - 64 * k;
    masks[k] = left > 0 ? first_bytes(left) : 0;
    index[k] = _mm512_loadu_si512(order + 64 * k);
  }
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    __m512i values[4];
    for (int k = 0; k < 4; ++k) {
      values[k] = _mm512_maskz_loadu_epi8(masks[k], in + 64 * k);
    }
    for (int64_t k = 0; k < parts; ++k) {
      __m512i result = parts <= 2 ? _mm512_permutex2var_epi8(values[0], index[k], values[1])
                                  : look_up(values, index[k]);
      _mm512_mask_storeu_epi8(out + 64 * k, masks[k], result);
    }
    in += channels;
    out += channels;
  }
}

bool lpot_loop_lookup_bytes(const uint8_t *in, int64_t count, const uint8_t table[256],
                            uint8_t *out) {
  if (!has_vbmi()) {
    return false;
  }
  lookup_vbmi(in, count, table, out);
  return true;
}

bool lpot_loop_shuffle_bytes(const uint8_t *in, int64_t pixels, const int32_t *order,
                             int64_t channels, uint8_t *out) {
  uint8_t bytes[256] = {0};
  if (channels > 256 || !has_vbmi()) {
    return false;
  }
  for (int64_t c = 0; c < channels; ++c) {
    bytes[c] = (uint8_t)order[c];
  }
  shuffle_vbmi(in, pixels, bytes, channels, out);
  return true;
}

#else

bool lpot_loop_lookup_bytes(const uint8_t *in, int64_t count, const uint8_t table[256],
                            uint8_t *out) {
  (void)in;
  (void)count;
  (void)table;
  (void)out;
  return false;
}

bool lpot_loop_shuffle_bytes(const uint8_t *in, int64_t pixels, const int32_t *order,
                             int64_t channels, uint8_t *out) {
  (void)in;
  (void)pixels;
  (void)order;
  (void)channels;
  (void)out;
  return false;
}

#endif
