#include "engine/onednn/exponential.h"
#include "engine/onednn/loops_normalization.h"
#include "engine/onednn/simd_clones.h"

/* Softmax of a long row, whose own elements fill the vectors. Products and sums may be fused in
 * this file (see CMakeLists.txt), which halves the time of the exponentials. */

#define LANES 16

LPOT_SIMD_CLONES
static float largest_of(const float *in, int64_t size) {
  float top[LANES];
  int64_t whole = size - size % LANES;
  for (int i = 0; i < LANES; ++i) {
    top[i] = in[i];
  }
  for (int64_t k = LANES; k < whole; k += LANES) {
    for (int i = 0; i < LANES; ++i) {
      top[i] = top[i] > in[k + i] ? top[i] : in[k + i];
    }
  }
  for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      top[i] = top[i] > top[i + half] ? top[i] : top[i + half];
    }
  }
  for (int64_t k = whole; k < size; ++k) {
    top[0] = top[0] > in[k] ? top[0] : in[k];
  }
  return top[0];
}

LPOT_SIMD_CLONES
static void powers_of(const float *in, int64_t size, float largest, float *out) {
  for (int64_t k = 0; k < size; ++k) {
    out[k] = lpot_exponential(in[k] - largest);
  }
}

LPOT_SIMD_CLONES
static float sum_of(const float *in, int64_t size) {
  float sums[LANES] = {0};
  int64_t whole = size - size % LANES;
  for (int64_t k = 0; k < whole; k += LANES) {
    for (int i = 0; i < LANES; ++i) {
      sums[i] += in[k + i];
    }
  }
  for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      sums[i] += sums[i + half];
    }
  }
  for (int64_t k = whole; k < size; ++k) {
    sums[0] += in[k];
  }
  return sums[0];
}

LPOT_SIMD_CLONES
static void multiply(float *values, int64_t size, float factor) {
  for (int64_t k = 0; k < size; ++k) {
    values[k] *= factor;
  }
}

void lpot_loop_softmax_row(const float *in, int64_t size, float *out) {
  powers_of(in, size, largest_of(in, size), out);
  multiply(out, size, 1.0f / sum_of(out, size));
}
