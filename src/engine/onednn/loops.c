#include "engine/onednn/loops.h"

#include <math.h>
#include <string.h>

#include "engine/onednn/rounding.h"
#include "engine/onednn/simd_clones.h"

static inline float clampf(float value, float low, float high) {
  float at_least = value > low ? value : low; /* NaN becomes low */
  return at_least < high ? at_least : high;
}

LPOT_SIMD_CLONES
static void quantize(const float *values, int64_t count, float scale, float low, float high,
                     uint8_t zero, uint8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    float x = values[i] / scale;
    x = clampf(x == x ? x : 0.0f, low, high);
    out[i] = (uint8_t)(lpot_rounded_bits(x) + zero);
  }
}

void lpot_loop_quantize(const float *values, int64_t count, const lpot_quant_params *params,
                        void *out) {
  float low = (float)(lpot_quant_min(params->dtype) - params->zero_point);
  float high = (float)(lpot_quant_max(params->dtype) - params->zero_point);
  quantize(values, count, params->scale, low, high, (uint8_t)params->zero_point, out);
}

LPOT_SIMD_CLONES
static void dequantize_u8(const uint8_t *values, int64_t count, float scale, int32_t zero,
                          float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (float)((int32_t)values[i] - zero) * scale;
  }
}

LPOT_SIMD_CLONES
static void dequantize_s8(const int8_t *values, int64_t count, float scale, int32_t zero,
                          float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (float)((int32_t)values[i] - zero) * scale;
  }
}

void lpot_loop_dequantize(const void *values, int64_t count, const lpot_quant_params *params,
                          float *out) {
  if (params->dtype == LPOT_U8) {
    dequantize_u8(values, count, params->scale, params->zero_point, out);
  } else {
    dequantize_s8(values, count, params->scale, params->zero_point, out);
  }
}

/* The four combinations of signs are four loops over one body. */
#define BINARY_LOOP(name, type_a, type_b)                                                          \
  LPOT_SIMD_CLONES                                                                                 \
  static void name(const lpot_loop_binary *binary, const type_a *a, const type_b *b,               \
                   int64_t count, float *out) {                                                    \
    float scale_a = binary->a.scale, scale_b = binary->b.scale;                                    \
    int32_t zero_a = binary->a.zero_point, zero_b = binary->b.zero_point;                          \
    float low = binary->low, high = binary->high;                                                  \
    if (binary->multiply) {                                                                        \
      for (int64_t i = 0; i < count; ++i) {                                                        \
        float x = (float)((int32_t)a[i] - zero_a) * scale_a;                                       \
        float y = (float)((int32_t)b[i] - zero_b) * scale_b;                                       \
        out[i] = clampf(x * y, low, high);                                                         \
      }                                                                                            \
      return;                                                                                      \
    }                                                                                              \
    for (int64_t i = 0; i < count; ++i) {                                                          \
      float x = (float)((int32_t)a[i] - zero_a) * scale_a;                                         \
      float y = (float)((int32_t)b[i] - zero_b) * scale_b;                                         \
      out[i] = clampf(x + y, low, high);                                                           \
    }                                                                                              \
  }

BINARY_LOOP(binary_u8_u8, uint8_t, uint8_t)
BINARY_LOOP(binary_u8_s8, uint8_t, int8_t)
BINARY_LOOP(binary_s8_u8, int8_t, uint8_t)
BINARY_LOOP(binary_s8_s8, int8_t, int8_t)

void lpot_loop_int8_binary_f32(const lpot_loop_binary *binary, const void *a, const void *b,
                               int64_t count, float *out) {
  if (binary->a.dtype == LPOT_U8 && binary->b.dtype == LPOT_U8) {
    binary_u8_u8(binary, a, b, count, out);
  } else if (binary->a.dtype == LPOT_U8) {
    binary_u8_s8(binary, a, b, count, out);
  } else if (binary->b.dtype == LPOT_U8) {
    binary_s8_u8(binary, a, b, count, out);
  } else {
    binary_s8_s8(binary, a, b, count, out);
  }
}

void lpot_loop_int8_binary(const lpot_loop_binary *binary, const void *a, const void *b,
                           int64_t count, void *out) {
  enum { CHUNK = 1024 };
  float chunk[CHUNK]; /* stays in the first-level cache */
  for (int64_t start = 0; start < count; start += CHUNK) {
    int64_t length = count - start < CHUNK ? count - start : CHUNK;
    lpot_loop_int8_binary_f32(binary, (const uint8_t *)a + start, (const uint8_t *)b + start,
                              length, chunk);
    lpot_loop_quantize(chunk, length, &binary->out, (uint8_t *)out + start);
  }
}

/* ---- integer sums ---- */

LPOT_SIMD_CLONES
static void cast_sums(const int32_t *in, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (float)in[i];
  }
}

void lpot_loop_cast(const int32_t *in, int64_t count, float *out) {
  cast_sums(in, count, out);
}

#define RANGE_LANES 32

/* Each lane has a range of its own, so that the compiler may take many elements at a time. */
LPOT_SIMD_CLONES
static void find_range(const float *values, int64_t count, float *ret_low, float *ret_high) {
  float low[RANGE_LANES] = {0.0f};
  float high[RANGE_LANES] = {0.0f};
  int64_t whole = count / RANGE_LANES * RANGE_LANES;
  for (int64_t i = 0; i < whole; i += RANGE_LANES) {
    for (int lane = 0; lane < RANGE_LANES; ++lane) {
      float value = values[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
    }
  }
  for (int64_t i = whole; i < count; ++i) {
    low[0] = values[i] < low[0] ? values[i] : low[0];
    high[0] = values[i] > high[0] ? values[i] : high[0];
  }
  for (int lane = 1; lane < RANGE_LANES; ++lane) {
    low[0] = low[lane] < low[0] ? low[lane] : low[0];
    high[0] = high[lane] > high[0] ? high[lane] : high[0];
  }
  *ret_low = low[0];
  *ret_high = high[0];
}

lpot_quant_params lpot_loop_dynamic_params(const float *values, int64_t count) {
  lpot_quant_params params = {.dtype = LPOT_U8, .scale = 1.0f};
  float low = 0.0f;
  float high = 0.0f;
  find_range(values, count, &low, &high);
  if (high > low) {
    params.scale = (high - low) / 255.0f;
    float steps = -low / params.scale; /* NaN when the range is infinite */
    params.zero_point = (int32_t)lpot_round_half_even(clampf(steps, 0.0f, 255.0f));
  }
  return params;
}

LPOT_SIMD_CLONES
static void correct_sums(const int32_t *first, uint32_t zero_point, const int32_t *correction,
                         int64_t count, int32_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (int32_t)((uint32_t)first[i] - zero_point * (uint32_t)correction[i]);
  }
}

LPOT_SIMD_CLONES
static void join_sums(const int32_t *first, const int32_t *second, uint32_t zero_point,
                      const int32_t *correction, int64_t count, int32_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t sum = (uint32_t)first[i] + (uint32_t)second[i];
    out[i] = (int32_t)(sum - zero_point * (uint32_t)correction[i]);
  }
}

void lpot_loop_finish_sums(const int32_t *first, const int32_t *second, int32_t zero_point,
                           const int32_t *correction, int64_t count, int32_t *out) {
  if (second == NULL) {
    correct_sums(first, (uint32_t)zero_point, correction, count, out);
  } else {
    join_sums(first, second, (uint32_t)zero_point, correction, count, out);
  }
}

LPOT_SIMD_CLONES
static void scale_sums(const int32_t *sums, uint32_t zero_point, const int32_t *correction,
                       const float *factors, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] =
        (float)(int32_t)((uint32_t)sums[i] - zero_point * (uint32_t)correction[i]) * factors[i];
  }
}

LPOT_SIMD_CLONES
static void add_row(const float *bias, bool relu, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    float sum = out[i] + bias[i];
    out[i] = relu && sum < 0.0f ? 0.0f : sum;
  }
}

LPOT_SIMD_CLONES
static void clip_below(int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = out[i] < 0.0f ? 0.0f : out[i];
  }
}

void lpot_loop_scale_sums(const int32_t *sums, int32_t zero_point, const int32_t *correction,
                          const float *factors, const float *bias, bool relu, int64_t count,
                          float *out) {
  scale_sums(sums, (uint32_t)zero_point, correction, factors, count, out);
  if (bias != NULL) {
    add_row(bias, relu, count, out);
  } else if (relu) {
    clip_below(count, out);
  }
}
