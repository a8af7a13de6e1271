/* QuantizeLinear and DequantizeLinear, per tensor and per axis. */
#include "engine/reference/kernel.h"

#include "tensor/quantize.h"

/* How scale and zero point spread over the tensor: `outer` times `channels` blocks of `inner`
 * elements, one scale per channel. */
typedef struct quantization {
  int64_t outer, channels, inner;
  const lpot_tensor *scale;
  const lpot_tensor *zero_point; /* NULL: 0 */
} quantization;

static lpot_status resolve(const lpot_node *node, const lpot_tensor *const *inputs,
                           quantization *ret, lpot_error *err) {
  const lpot_shape *shape = &inputs[0]->shape;
  quantization q = {.outer = 1, .channels = 1, .scale = inputs[1]};
  q.zero_point = lpot_kernel_input(node, inputs, 2);
  q.inner = lpot_shape_elements(shape);
  if (!lpot_dtype_is_float(q.scale->dtype)) {
    return lpot_kernel_unsupported_type(q.scale, err);
  }
  if (lpot_node_int(node, "block_size", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "block_size is not 0");
  }
  if (lpot_shape_elements(&q.scale->shape) != 1) {
    int axis = 0;
    LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", 1), shape->rank, &axis, err));
    q.outer = lpot_kernel_span(shape, 0, axis);
    q.channels = shape->dims[axis];
    q.inner = lpot_kernel_span(shape, axis + 1, shape->rank);
    LPOT_TRY(lpot_kernel_check_count("scale", q.scale, q.channels, err));
  }
  if (q.zero_point != NULL) {
    LPOT_TRY(lpot_kernel_check_count("zero point", q.zero_point, q.channels, err));
  }
  *ret = q;
  return LPOT_OK;
}

static lpot_quant_params params_of(const quantization *q, lpot_dtype dtype, int64_t channel) {
  double scale = 0.0;
  lpot_kernel_load_doubles(q->scale, channel, 1, 1, &scale);
  lpot_quant_params params = {.dtype = dtype, .scale = (float)scale, .zero_point = 0};
  if (q->zero_point != NULL) {
    int64_t zero_point = 0;
    lpot_kernel_load_ints(q->zero_point, channel, 1, 1, &zero_point);
    params.zero_point = (int32_t)zero_point;
  }
  return params;
}

static bool is_quantized(lpot_dtype dtype) {
  return dtype == LPOT_U8 || dtype == LPOT_S8 || dtype == LPOT_U16 || dtype == LPOT_S16;
}

/* Floats to bytes have a fast loop; what is rarer goes by single elements. */
static void quantize_block(const lpot_tensor *input, int64_t start, int64_t count,
                           const lpot_quant_params *params, lpot_tensor *out) {
  if (input->dtype == LPOT_F32 && lpot_dtype_size(out->dtype) == 1) {
    lpot_quantize((const float *)input->data + start, count, params, (uint8_t *)out->data + start);
    return;
  }
  for (int64_t i = start; i < start + count; i++) {
    double value = 0.0;
    lpot_kernel_load_doubles(input, i, 1, 1, &value);
    int64_t steps = lpot_quantize_one((float)value, params);
    lpot_kernel_store_ints(out, i, 1, &steps);
  }
}

static void dequantize_block(const lpot_tensor *input, int64_t start, int64_t count,
                             const lpot_quant_params *params, lpot_tensor *out) {
  size_t size = lpot_dtype_size(input->dtype);
  if (out->dtype == LPOT_F32 && size != 2) {
    lpot_dequantize((const uint8_t *)input->data + (size_t)start * size, count, params,
                    (float *)out->data + start);
    return;
  }
  for (int64_t i = start; i < start + count; i++) {
    int64_t steps = 0;
    lpot_kernel_load_ints(input, i, 1, 1, &steps);
    double value = (double)((float)(steps - params->zero_point) * params->scale);
    lpot_kernel_store_doubles(out, i, 1, &value);
  }
}

LPOT_KERNEL(lpot_kernel_quantize_linear) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  quantization q;
  if (!lpot_dtype_is_float(input->dtype) && input->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(input, err);
  }
  if (!is_quantized(out->dtype)) {
    return lpot_kernel_unsupported_type(out, err);
  }
  LPOT_TRY(resolve(node, inputs, &q, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  if (q.zero_point != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(q.zero_point, out, err));
  }
  for (int64_t i = 0; i < q.outer * q.channels; i++) {
    lpot_quant_params params = params_of(&q, out->dtype, i % q.channels);
    quantize_block(input, i * q.inner, q.inner, &params, out);
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_dequantize_linear) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  quantization q;
  if (!is_quantized(input->dtype) && input->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(input, err);
  }
  if (!lpot_dtype_is_float(out->dtype)) {
    return lpot_kernel_unsupported_type(out, err);
  }
  LPOT_TRY(resolve(node, inputs, &q, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  if (q.zero_point != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(q.zero_point, input, err));
  }
  for (int64_t i = 0; i < q.outer * q.channels; i++) {
    lpot_quant_params params = params_of(&q, input->dtype, i % q.channels);
    dequantize_block(input, i * q.inner, q.inner, &params, out);
  }
  return LPOT_OK;
}
