/* Sums and extremes along one block of dimensions. Many partial results at a time, so that the
 * compiler may use vectors although the order of additions matters to it. */
#include <math.h>

#include "engine/onednn/loops.h"
#include "engine/onednn/simd_clones.h"

#define LANES 32
/* Sums of floats this long lose little; longer ones are added up as doubles. */
#define BLOCK ((int64_t)4096)

/* NaN wins and stays, as in the reference kernel. */
#define LARGER(value, best) ((value) > (best) || (value) != (value) ? (value) : (best))
#define SMALLER(value, best) ((value) < (best) || (value) != (value) ? (value) : (best))

/* X(suffix, how old and value combine) */
#define COMBINER_LIST(X)                                                                           \
  X(sum, old + value)                                                                              \
  X(max, LARGER(value, old))                                                                       \
  X(min, SMALLER(value, old))

/* row_*: all `count` values (at least 1) into one; columns_*: each into its own target. */
#define X(suffix, expression)                                                                      \
  LPOT_SIMD_CLONES                                                                                 \
  static float row_##suffix(const float *in, int64_t count) {                                      \
    float lanes[LANES];                                                                            \
    int64_t i = 0;                                                                                 \
    int64_t used = count < LANES ? count : LANES;                                                  \
    for (; i < used; ++i) {                                                                        \
      lanes[i] = in[i];                                                                            \
    }                                                                                              \
    for (; i + LANES <= count; i += LANES) {                                                       \
      for (int k = 0; k < LANES; ++k) {                                                            \
        float old = lanes[k];                                                                      \
        float value = in[i + k];                                                                   \
        lanes[k] = expression;                                                                     \
      }                                                                                            \
    }                                                                                              \
    for (int64_t k = 0; i < count; ++i, ++k) {                                                     \
      float old = lanes[k];                                                                        \
      float value = in[i];                                                                         \
      lanes[k] = expression;                                                                       \
    }                                                                                              \
    for (int64_t k = 1; k < used; ++k) {                                                           \
      float old = lanes[0];                                                                        \
      float value = lanes[k];                                                                      \
      lanes[0] = expression;                                                                       \
    }                                                                                              \
    return lanes[0];                                                                               \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void columns_##suffix(const float *in, int64_t count, float *out) {                       \
    for (int64_t i = 0; i < count; ++i) {                                                          \
      float old = out[i];                                                                          \
      float value = in[i];                                                                         \
      out[i] = expression;                                                                         \
    }                                                                                              \
  }
COMBINER_LIST(X)
#undef X

static float row_long_sum(const float *in, int64_t count) {
  double sum = 0.0;
  for (int64_t start = 0; start < count; start += BLOCK) {
    sum += (double)row_sum(in + start, count - start < BLOCK ? count - start : BLOCK);
  }
  return (float)sum;
}

static const struct {
  float (*row)(const float *in, int64_t count);
  void (*columns)(const float *in, int64_t count, float *out);
} combiners[] = {
    [LPOT_LOOP_SUM] = {row_long_sum, columns_sum},
    [LPOT_LOOP_MAX] = {row_max, columns_max},
    [LPOT_LOOP_MIN] = {row_min, columns_min},
};

static void reduce_columns(const lpot_loop_reduction *reduction, const float *in, float *out) {
  int64_t inner = reduction->inner;
  for (int64_t i = 0; i < inner; ++i) {
    out[i] = in[i];
  }
  for (int64_t k = 1; k < reduction->length; ++k) {
    combiners[reduction->combiner].columns(in + k * inner, inner, out);
  }
}

void lpot_loop_reduce(const lpot_loop_reduction *reduction, const float *in, float *out) {
  int64_t size = reduction->length * reduction->inner;
  for (int64_t o = 0; o < reduction->outer; ++o) {
    float *result = out + o * reduction->inner;
    if (reduction->inner == 1) {
      *result = combiners[reduction->combiner].row(in + o * size, reduction->length);
    } else {
      reduce_columns(reduction, in + o * size, result);
    }
  }
  if (reduction->is_mean) {
    float divisor = (float)reduction->length;
    for (int64_t i = 0; i < reduction->outer * reduction->inner; ++i) {
      out[i] /= divisor;
    }
  }
}
