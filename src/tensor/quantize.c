#include "tensor/quantize.h"

#include <float.h>
#include <math.h>

/* Adding and subtracting 1.5 * 2^23 rounds a float of magnitude below 2^22 half to even, in two
 * instructions that every vector unit has. */
#define ROUNDING_CONSTANT 12582912.0F

int32_t lpot_quant_min(lpot_dtype dtype) {
  switch (dtype) {
  case LPOT_U8:
    return 0;
  case LPOT_S8:
    return INT8_MIN;
  case LPOT_U16:
    return 0;
  case LPOT_S16:
    return INT16_MIN;
  default:
    return INT32_MIN;
  }
}

int32_t lpot_quant_max(lpot_dtype dtype) {
  switch (dtype) {
  case LPOT_U8:
    return UINT8_MAX;
  case LPOT_S8:
    return INT8_MAX;
  case LPOT_U16:
    return UINT16_MAX;
  case LPOT_S16:
    return INT16_MAX;
  default:
    return INT32_MAX;
  }
}

int32_t lpot_quantize_one(float value, const lpot_quant_params *params) {
  float quotient = value / params->scale;
  if (isnan(quotient)) {
    return params->zero_point;
  }
  double low = lpot_quant_min(params->dtype);
  double high = lpot_quant_max(params->dtype);
  double steps = nearbyint((double)quotient) + params->zero_point;
  return (int32_t)fmin(fmax(steps, low), high);
}

/* Steps from the zero point, rounded and within [low, high], which are integers: clamping first
 * gives what clamping after rounding gives. */
static inline int32_t quantize_steps(float value, float scale, float low, float high) {
  float steps = value / scale;
  steps = steps == steps ? steps : 0.0F;
  steps = steps < low ? low : steps;
  steps = steps > high ? high : steps;
  return (int32_t)((steps + ROUNDING_CONSTANT) - ROUNDING_CONSTANT);
}

static void quantize_u8(const float *restrict values, int64_t count, float scale,
                        int32_t zero_point, uint8_t *restrict out) {
  const float low = (float)(0 - zero_point);
  const float high = (float)(UINT8_MAX - zero_point);
  for (int64_t i = 0; i < count; i++) {
    out[i] = (uint8_t)(quantize_steps(values[i], scale, low, high) + zero_point);
  }
}

static void quantize_s8(const float *restrict values, int64_t count, float scale,
                        int32_t zero_point, int8_t *restrict out) {
  const float low = (float)(INT8_MIN - zero_point);
  const float high = (float)(INT8_MAX - zero_point);
  for (int64_t i = 0; i < count; i++) {
    out[i] = (int8_t)(quantize_steps(values[i], scale, low, high) + zero_point);
  }
}

void lpot_quantize(const float *values, int64_t count, const lpot_quant_params *params, void *out) {
  LPOT_ASSERT(params->dtype == LPOT_U8 || params->dtype == LPOT_S8);
  if (params->dtype == LPOT_U8) {
    quantize_u8(values, count, params->scale, params->zero_point, out);
  } else {
    quantize_s8(values, count, params->scale, params->zero_point, out);
  }
}

static void dequantize_u8(const uint8_t *restrict values, int64_t count, float scale,
                          int32_t zero_point, float *restrict out) {
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)(values[i] - zero_point) * scale;
  }
}

static void dequantize_s8(const int8_t *restrict values, int64_t count, float scale,
                          int32_t zero_point, float *restrict out) {
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)(values[i] - zero_point) * scale;
  }
}

static void dequantize_s32(const int32_t *restrict values, int64_t count, float scale,
                           int32_t zero_point, float *restrict out) {
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)((int64_t)values[i] - zero_point) * scale;
  }
}

void lpot_dequantize(const void *values, int64_t count, const lpot_quant_params *params,
                     float *out) {
  switch (params->dtype) {
  case LPOT_U8:
    dequantize_u8(values, count, params->scale, params->zero_point, out);
    return;
  case LPOT_S8:
    dequantize_s8(values, count, params->scale, params->zero_point, out);
    return;
  default:
    LPOT_ASSERT(params->dtype == LPOT_S32);
    dequantize_s32(values, count, params->scale, params->zero_point, out);
  }
}

/* A finite number in place of NaN (0) and infinities. */
static double finite_bound(float bound) {
  if (isnan(bound)) {
    return 0;
  }
  return fmax(fmin((double)bound, (double)FLT_MAX), (double)-FLT_MAX);
}

/* The scale that covers width in steps; never 0 nor denormal, which would divide badly. */
static float scale_of(double width, double steps) {
  if (width <= 0) {
    return 1;
  }
  return fmaxf((float)(width / steps), FLT_MIN);
}

lpot_quant_params lpot_quant_params_from_range(lpot_dtype dtype, int symmetric, float low,
                                               float high) {
  const double lowest = fmin(finite_bound(low), 0);
  const double highest = fmax(finite_bound(high), 0);
  const double minimum = lpot_quant_min(dtype);
  const double maximum = lpot_quant_max(dtype);
  lpot_quant_params params = {.dtype = dtype, .scale = 1, .zero_point = 0};
  if (!symmetric) {
    params.scale = scale_of(highest - lowest, maximum - minimum);
    double zero_point = nearbyint(minimum - lowest / (double)params.scale);
    params.zero_point = (int32_t)fmin(fmax(zero_point, minimum), maximum);
    return params;
  }
  const double magnitude = fmax(-lowest, highest);
  if (dtype == LPOT_U8 && lowest < 0) {
    params.scale = scale_of(magnitude, INT8_MAX);
    params.zero_point = 128;
    return params;
  }
  params.scale = scale_of(magnitude, maximum);
  return params;
}
