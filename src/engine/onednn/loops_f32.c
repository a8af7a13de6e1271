#include "engine/onednn/loops.h"

#include <math.h>
#include <string.h>

#include "engine/onednn/simd_clones.h"

/* Elementwise loops on f32. NaN passes through all of them: comparisons with it are false. */

#define UNARY_LOOP(name, expression)                                                               \
  LPOT_SIMD_CLONES                                                                                 \
  static void name(const float *in, int64_t count, float first, float second, float *out) {        \
    (void)first;                                                                                   \
    (void)second;                                                                                  \
    for (int64_t i = 0; i < count; ++i) {                                                          \
      float x = in[i];                                                                             \
      out[i] = expression;                                                                         \
    }                                                                                              \
  }

/* x P(x^2) / Q(x^2) on [-3.92, 3.92], beyond which erf is 1 in single precision. P and Q were
 * fitted for the smallest relative error, 2e-8; their coefficients are all positive, so that
 * nothing cancels. */
static inline float error_function(float x) {
  float low = x < -3.92f ? -3.92f : x;
  float z = low > 3.92f ? 3.92f : low;
  float t = z * z;
  float p = 0.000284881771f + t * 2.05009278e-06f;
  float q = 0.00116252644f + t * 3.80917191e-05f;
  p = 0.00376558156f + t * p;
  q = 0.0149691491f + t * q;
  p = 0.0527486218f + t * p;
  q = 0.11410878f + t * q;
  p = 0.190405656f + t * p;
  q = 0.502075361f + t * q;
  p = 1.12837915f + t * p;
  q = 1.0f + t * q;
  float y = z * p / q;
  y = y < -1.0f ? -1.0f : y;
  return y > 1.0f ? 1.0f : y;
}

static inline float unit_clip(float x) {
  float low = x < 0.0f ? 0.0f : x;
  return low > 1.0f ? 1.0f : low;
}

UNARY_LOOP(round_up, ceilf(x))
UNARY_LOOP(erf_of, error_function(x))
UNARY_LOOP(round_down, floorf(x))
UNARY_LOOP(hard_sigmoid, unit_clip(first *x + second))
UNARY_LOOP(negative, -x)
UNARY_LOOP(reciprocal, 1.0f / x)
UNARY_LOOP(sign, x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : x))
UNARY_LOOP(softsign, x / (1.0f + fabsf(x)))
UNARY_LOOP(square, x *x)
UNARY_LOOP(cube, x *x *x)
UNARY_LOOP(thresholded_relu, x <= first ? 0.0f : x)
UNARY_LOOP(any_power, powf(x, first))

static void power(const float *in, int64_t count, float first, float second, float *out) {
  if (first >= 2.0f && first <= 2.0f) {
    square(in, count, first, second, out);
  } else if (first >= 3.0f && first <= 3.0f) {
    cube(in, count, first, second, out);
  } else {
    any_power(in, count, first, second, out);
  }
}

typedef void (*unary_function)(const float *in, int64_t count, float first, float second,
                               float *out);

static const unary_function unary_functions[] = {
    [LPOT_LOOP_CEIL] = round_up,         [LPOT_LOOP_ERF] = erf_of,
    [LPOT_LOOP_FLOOR] = round_down,      [LPOT_LOOP_HARD_SIGMOID] = hard_sigmoid,
    [LPOT_LOOP_NEGATIVE] = negative,     [LPOT_LOOP_POWER] = power,
    [LPOT_LOOP_RECIPROCAL] = reciprocal, [LPOT_LOOP_SIGN] = sign,
    [LPOT_LOOP_SOFTSIGN] = softsign,     [LPOT_LOOP_THRESHOLDED_RELU] = thresholded_relu,
};

void lpot_loop_unary(const lpot_loop_unary_params *params, const float *in, int64_t count,
                     float *out) {
  unary_functions[params->kind](in, count, params->first, params->second, out);
}

LPOT_SIMD_CLONES
void lpot_loop_scale(const float *in, int64_t count, float factor, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = in[i] * factor;
  }
}

LPOT_SIMD_CLONES
void lpot_loop_add(const float *in, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] += in[i];
  }
}

LPOT_SIMD_CLONES
void lpot_loop_is_nan(const float *in, int64_t count, uint8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (uint8_t)(isnan(in[i]) != 0);
  }
}

/* ---- PRelu ---- */

LPOT_SIMD_CLONES
static void prelu_row(const float *in, int64_t count, float slope, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = in[i] < 0.0f ? in[i] * slope : in[i];
  }
}

LPOT_SIMD_CLONES
static void prelu_channels(const float *in, int64_t outer, int64_t channels, const float *slopes,
                           float *out) {
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t c = 0; c < channels; ++c) {
      float x = in[o * channels + c];
      out[o * channels + c] = x < 0.0f ? x * slopes[c] : x;
    }
  }
}

void lpot_loop_prelu(const float *in, int64_t outer, int64_t channels, int64_t inner,
                     const float *slopes, float *out) {
  if (inner == 1) {
    prelu_channels(in, outer, channels, slopes, out);
    return;
  }
  for (int64_t row = 0; row < outer * channels; ++row) {
    prelu_row(in + row * inner, inner, slopes[row % channels], out + row * inner);
  }
}

/* ---- Where ---- */

/* The four combinations of steps are four loops over one body. */
#define WHERE_LOOP(name, at_a, at_b)                                                               \
  LPOT_SIMD_CLONES                                                                                 \
  static void name(const uint8_t *condition, const float *a, const float *b, int64_t count,        \
                   float *out) {                                                                   \
    for (int64_t i = 0; i < count; ++i) {                                                          \
      float x = a[at_a];                                                                           \
      float y = b[at_b];                                                                           \
      out[i] = condition[i] != 0 ? x : y;                                                          \
    }                                                                                              \
  }
WHERE_LOOP(where_rows, i, i)
WHERE_LOOP(where_row_number, i, 0)
WHERE_LOOP(where_number_row, 0, i)
WHERE_LOOP(where_numbers, 0, 0)

static void copy_or_fill(const float *in, int step, int64_t count, float *out) {
  if (step != 0) {
    memcpy(out, in, (size_t)count * sizeof *out);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    out[i] = in[0];
  }
}

void lpot_loop_where(const uint8_t *condition, const float *a, const float *b, const int step[3],
                     int64_t count, float *out) {
  if (step[0] == 0) {
    bool first = condition[0] != 0;
    copy_or_fill(first ? a : b, first ? step[1] : step[2], count, out);
  } else if (step[1] != 0 && step[2] != 0) {
    where_rows(condition, a, b, count, out);
  } else if (step[1] != 0) {
    where_row_number(condition, a, b, count, out);
  } else if (step[2] != 0) {
    where_number_row(condition, a, b, count, out);
  } else {
    where_numbers(condition, a, b, count, out);
  }
}
