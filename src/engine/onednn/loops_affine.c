#include "engine/onednn/loops.h"
#include "engine/onednn/rounding.h"
#include "engine/onednn/simd_clones.h"

static inline float limit_number(float value, float low, float high) {
  float at_least = value > low ? value : low; /* NaN becomes low */
  return at_least < high ? at_least : high;
}

static inline float limit_real(float value, float low, float high) {
  float at_least = value < low ? low : value; /* NaN stays */
  return at_least > high ? high : at_least;
}

static inline uint8_t to_byte(float value, uint32_t zero_point) {
  return (uint8_t)(lpot_rounded_bits(value) + zero_point);
}

static inline float to_f32(float value, uint32_t zero_point) {
  (void)zero_point;
  return value;
}

/* Two loops for each pair of types: along channels, and along elements of one channel. Sizes are
 * copied first: bytes written might be theirs, for all that the compiler knows. */
#define AFFINE_LOOPS(name, in_type, out_type, limit, convert)                                      \
  LPOT_SIMD_CLONES                                                                                 \
  static void name##_channels(const lpot_loop_affine *affine, const void *in_bytes,                \
                              void *out_bytes) {                                                   \
    const in_type *in = in_bytes;                                                                  \
    out_type *restrict out = out_bytes;                                                            \
    const float *restrict scale = affine->scale, *restrict shift = affine->shift;                  \
    const float low = affine->low, high = affine->high;                                            \
    const uint32_t zero = (uint32_t)(int32_t)affine->zero_point;                                   \
    const int64_t outer = affine->outer, channels = affine->channels;                              \
    for (int64_t o = 0; o < outer; ++o) {                                                          \
      for (int64_t c = 0; c < channels; ++c) {                                                     \
        out[c] = convert(limit((float)in[c] * scale[c] + shift[c], low, high), zero);              \
      }                                                                                            \
      in += channels;                                                                              \
      out += channels;                                                                             \
    }                                                                                              \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void name##_rows(const lpot_loop_affine *affine, const void *in_bytes, void *out_bytes) { \
    const in_type *in = in_bytes;                                                                  \
    out_type *restrict out = out_bytes;                                                            \
    const float low = affine->low, high = affine->high;                                            \
    const uint32_t zero = (uint32_t)(int32_t)affine->zero_point;                                   \
    const int64_t rows = affine->outer * affine->channels, inner = affine->inner;                  \
    for (int64_t row = 0; row < rows; ++row) {                                                     \
      float scale = affine->scale[row % affine->channels];                                         \
      float shift = affine->shift[row % affine->channels];                                         \
      for (int64_t i = 0; i < inner; ++i) {                                                        \
        out[i] = convert(limit((float)in[i] * scale + shift, low, high), zero);                    \
      }                                                                                            \
      in += inner;                                                                                 \
      out += inner;                                                                                \
    }                                                                                              \
  }

AFFINE_LOOPS(f32_f32, float, float, limit_real, to_f32)
AFFINE_LOOPS(f32_byte, float, uint8_t, limit_number, to_byte)
AFFINE_LOOPS(u8_f32, uint8_t, float, limit_real, to_f32)
AFFINE_LOOPS(u8_byte, uint8_t, uint8_t, limit_number, to_byte)
AFFINE_LOOPS(s8_f32, int8_t, float, limit_real, to_f32)
AFFINE_LOOPS(s8_byte, int8_t, uint8_t, limit_number, to_byte)

typedef void (*affine_loop)(const lpot_loop_affine *affine, const void *in, void *out);

static int type_index(lpot_dtype dtype) {
  if (dtype == LPOT_F32) {
    return 0;
  }
  return dtype == LPOT_U8 ? 1 : 2;
}

void lpot_loop_affine_run(const lpot_loop_affine *affine, const void *in, void *out) {
  static const affine_loop along_channels[3][2] = {{f32_f32_channels, f32_byte_channels},
                                                   {u8_f32_channels, u8_byte_channels},
                                                   {s8_f32_channels, s8_byte_channels}};
  static const affine_loop along_rows[3][2] = {
      {f32_f32_rows, f32_byte_rows}, {u8_f32_rows, u8_byte_rows}, {s8_f32_rows, s8_byte_rows}};
  int from = type_index(affine->in);
  int to = affine->out == LPOT_F32 ? 0 : 1; /* s8 is a byte too, in two's complement */
  (affine->inner == 1 ? along_channels : along_rows)[from][to](affine, in, out);
}
