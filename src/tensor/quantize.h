/* Affine quantization: real = (q - zero_point) * scale, as ONNX QuantizeLinear and
 * DequantizeLinear define it. Rounding is half to even, results saturate, NaN becomes the zero
 * point. */
#ifndef LPOT_TENSOR_QUANTIZE_H
#define LPOT_TENSOR_QUANTIZE_H

#include <stdint.h>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/tensor.h"

/* Parameters of one per-tensor quantized tensor. */
typedef struct lpot_quant_params {
  lpot_dtype dtype;   /* LPOT_U8, LPOT_S8 or LPOT_S32 */
  float scale;        /* real units per step, > 0, finite */
  int32_t zero_point; /* in the range of dtype */
} lpot_quant_params;

int32_t lpot_quant_min(lpot_dtype dtype); /* of U8, S8, U16, S16, S32: 0, -128 ... */
int32_t lpot_quant_max(lpot_dtype dtype); /* 255, 127 ... */

/* One value by x / scale, as QuantizeLinear; params->dtype may be U16 or S16 too. */
int32_t lpot_quantize_one(float value, const lpot_quant_params *params);

/* out has count elements of params->dtype (U8 or S8). */
void lpot_quantize(const float *values, int64_t count, const lpot_quant_params *params, void *out);
/* values has count elements of params->dtype (U8, S8 or S32). */
void lpot_dequantize(const void *values, int64_t count, const lpot_quant_params *params,
                     float *out);

/* The parameters whose range holds [low, high] widened to include 0.
 * Asymmetric: scale = (high - low) / (max - min), zero point rounded half to even.
 * Symmetric: m = max(|low|, |high|); S8: scale = m / 127, zero 0; U8: when low >= 0 scale =
 * high / 255, zero 0, else scale = m / 127, zero 128. An empty range gives scale 1. */
lpot_quant_params lpot_quant_params_from_range(lpot_dtype dtype, int symmetric, float low,
                                               float high);

#endif
