/* The quantized operators of ONNX and com.microsoft. Sums of integer products run in double, where
 * they are exact; scaling to the output is done in float, as ONNX Runtime does it. */
#include "engine/reference/kernel.h"

#include <string.h>

#include "tensor/quantize.h"

/* ---- reading scales and zero points ---- */

static bool is_int8(const lpot_tensor *tensor) {
  return tensor->dtype == LPOT_U8 || tensor->dtype == LPOT_S8;
}

static lpot_status check_int8(const lpot_tensor *tensor, lpot_error *err) {
  if (!is_int8(tensor)) {
    return lpot_kernel_unsupported_type(tensor, err);
  }
  return LPOT_OK;
}

static lpot_status check_scale(const lpot_tensor *scale, lpot_error *err) {
  if (!lpot_dtype_is_float(scale->dtype)) {
    return lpot_kernel_unsupported_type(scale, err);
  }
  if (lpot_shape_elements(&scale->shape) < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "scale is empty");
  }
  return LPOT_OK;
}

static float float_at(const lpot_tensor *tensor, int64_t index) {
  double value = 0.0;
  lpot_kernel_load_doubles(tensor, index, 1, 1, &value);
  return (float)value;
}

lpot_status lpot_kernel_quant_params(const lpot_tensor *tensor, const lpot_tensor *scale,
                                     const lpot_tensor *zero_point, lpot_quant_params *ret,
                                     lpot_error *err) {
  LPOT_TRY(check_int8(tensor, err));
  LPOT_TRY(check_scale(scale, err));
  LPOT_TRY(lpot_kernel_check_count("scale", scale, 1, err));
  ret->dtype = tensor->dtype;
  ret->scale = float_at(scale, 0);
  ret->zero_point = 0;
  if (zero_point != NULL) {
    int64_t value = 0;
    LPOT_TRY(lpot_kernel_check_same_type(zero_point, tensor, err));
    LPOT_TRY(lpot_kernel_check_count("zero point", zero_point, 1, err));
    lpot_kernel_load_ints(zero_point, 0, 1, 1, &value);
    ret->zero_point = (int32_t)value;
  }
  return LPOT_OK;
}

/* A scale for the whole tensor or one for each of count channels. */
static lpot_status check_channel_scale(const lpot_tensor *scale, int64_t count, lpot_error *err) {
  LPOT_TRY(check_scale(scale, err));
  if (lpot_shape_elements(&scale->shape) != 1) {
    LPOT_TRY(lpot_kernel_check_count("scale", scale, count, err));
  }
  return LPOT_OK;
}

/* ---- sinks of integer sums ---- */

/* out = round(sum * (a_scale * b_scale / out scale)) + zero point, or in float where out is. */
typedef struct integer_sink {
  lpot_tensor *out;
  lpot_quant_params params;   /* of a quantized out */
  float factor;               /* of a: a_scale, with alpha */
  const lpot_tensor *b_scale; /* one, or one per column (per_column) or channel */
  bool per_column;            /* scale and bias go by column, not by channel */
  const lpot_tensor *bias;    /* s32 sums, or float on a float out; NULL: none */
  int64_t bias_row;           /* elements of bias per output row; 0: the same for all rows */
  int64_t bias_column;        /* 0: the same for all columns */
} integer_sink;

static double bias_at(const integer_sink *sink, int64_t index) {
  double bias = 0.0;
  if (sink->bias != NULL) {
    lpot_kernel_load_doubles(sink->bias, index, 1, 1, &bias);
  }
  return bias;
}

static void store_integer_sums(const void *context, int64_t out_start, int64_t channel,
                               int64_t count, const double *sums) {
  const integer_sink *sink = context;
  bool one_scale = lpot_shape_elements(&sink->b_scale->shape) == 1;
  int64_t bias_start = sink->per_column ? out_start / count * sink->bias_row : channel;
  for (int64_t i = 0; i < count; i++) {
    int64_t scale_index = sink->per_column ? i : channel;
    float scale = sink->factor * float_at(sink->b_scale, one_scale ? 0 : scale_index);
    double bias = bias_at(sink, bias_start + (sink->per_column ? i * sink->bias_column : 0));
    double value = 0.0;
    if (sink->out->dtype == LPOT_F32 && sink->bias != NULL && sink->bias->dtype == LPOT_F32) {
      value = (double)((float)sums[i] * scale + (float)bias);
    } else if (sink->out->dtype == LPOT_F32) {
      value = (double)((float)(sums[i] + bias) * scale);
    } else {
      float scaled = (float)(sums[i] + bias) * (scale / sink->params.scale);
      value = (double)lpot_kernel_round_to(sink->params.dtype, scaled, sink->params.zero_point);
    }
    lpot_kernel_store_doubles(sink->out, out_start + i, 1, &value);
  }
}

/* ---- QLinearConv: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias ---- */

LPOT_KERNEL(lpot_kernel_qlinear_convolution) {
  lpot_tensor *out = outputs[0];
  lpot_quant_params x_params;
  integer_sink sink = {.out = out, .b_scale = inputs[4]};
  sink.bias = lpot_kernel_input(node, inputs, 8);
  LPOT_TRY(lpot_kernel_quant_params(inputs[0], inputs[1], inputs[2], &x_params, err));
  LPOT_TRY(lpot_kernel_quant_params(out, inputs[6], inputs[7], &sink.params, err));
  LPOT_TRY(check_int8(inputs[3], err));
  if (out->shape.rank < 3) {
    return LPOT_FAIL(err, LPOT_INVALID, "output has rank %d, expected 3 to 5", out->shape.rank);
  }
  int64_t channels = out->shape.dims[1];
  LPOT_TRY(check_channel_scale(sink.b_scale, channels, err));
  if (sink.bias != NULL) {
    LPOT_TRY(lpot_kernel_check_count("bias", sink.bias, channels, err));
  }
  sink.factor = x_params.scale;
  const lpot_operand x = {inputs[0], inputs[2]};
  const lpot_operand w = {inputs[3], inputs[5]};
  LPOT_TRY(lpot_convolve(node, &x, &w, &out->shape, store_integer_sums, &sink, err));
  return LPOT_OK;
}

/* ---- QLinearMatMul: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero ---- */

LPOT_KERNEL(lpot_kernel_qlinear_matmul) {
  (void)node;
  lpot_tensor *out = outputs[0];
  lpot_quant_params a_params;
  lpot_product product;
  integer_sink sink = {.out = out, .b_scale = inputs[4], .per_column = true};
  LPOT_TRY(lpot_kernel_quant_params(inputs[0], inputs[1], inputs[2], &a_params, err));
  LPOT_TRY(lpot_kernel_quant_params(out, inputs[6], inputs[7], &sink.params, err));
  LPOT_TRY(check_int8(inputs[3], err));
  LPOT_TRY(
      lpot_product_of_stacks(&inputs[0]->shape, &inputs[3]->shape, &out->shape, &product, err));
  LPOT_TRY(check_channel_scale(sink.b_scale, product.n, err));
  sink.factor = a_params.scale;
  const lpot_operand a = {inputs[0], inputs[2]};
  const lpot_operand b = {inputs[3], inputs[5]};
  LPOT_TRY(lpot_product_run(&product, &a, &b, store_integer_sums, &sink, err));
  return LPOT_OK;
}

/* ---- QGemm: a, a_scale, a_zero, b, b_scale, b_zero, c, y_scale, y_zero ---- */

/* c is in units of alpha * a_scale * b_scale, so it joins the integer sums. */
LPOT_KERNEL(lpot_kernel_qgemm) {
  lpot_tensor *out = outputs[0];
  const lpot_tensor *y_scale = lpot_kernel_input(node, inputs, 7);
  lpot_quant_params a_params;
  lpot_product product;
  int64_t bias_strides[LPOT_MAX_RANK] = {0};
  integer_sink sink = {.out = out, .b_scale = inputs[4], .per_column = true};
  sink.bias = lpot_kernel_input(node, inputs, 6);
  LPOT_TRY(lpot_kernel_quant_params(inputs[0], inputs[1], inputs[2], &a_params, err));
  LPOT_TRY(check_int8(inputs[3], err));
  if (y_scale != NULL) {
    LPOT_TRY(lpot_kernel_quant_params(out, y_scale, lpot_kernel_input(node, inputs, 8),
                                      &sink.params, err));
  } else if (out->dtype != LPOT_F32) {
    return lpot_kernel_unsupported_type(out, err);
  }
  LPOT_TRY(lpot_product_of_matrices(node, &inputs[0]->shape, &inputs[3]->shape, &out->shape,
                                    &product, err));
  LPOT_TRY(check_channel_scale(sink.b_scale, product.n, err));
  if (sink.bias != NULL && sink.bias->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(sink.bias, err);
  }
  if (sink.bias != NULL) {
    const int64_t dims[2] = {product.m, product.n};
    lpot_shape shape = lpot_shape_of(2, dims);
    LPOT_TRY(lpot_kernel_broadcast_strides(&sink.bias->shape, &shape, bias_strides, err));
  }
  sink.bias_row = bias_strides[0];
  sink.bias_column = bias_strides[1];
  sink.factor = lpot_node_float(node, "alpha", 1.0f) * a_params.scale;
  const lpot_operand a = {inputs[0], inputs[2]};
  const lpot_operand b = {inputs[3], inputs[5]};
  LPOT_TRY(lpot_product_run(&product, &a, &b, store_integer_sums, &sink, err));
  return LPOT_OK;
}

/* ---- MatMulIntegerToFloat: a, b, a_scale, b_scale, a_zero, b_zero, bias ---- */

LPOT_KERNEL(lpot_kernel_matmul_integer_to_float) {
  lpot_tensor *out = outputs[0];
  lpot_product product;
  lpot_quant_params a_params;
  const lpot_operand a = {inputs[0], lpot_kernel_input(node, inputs, 4)};
  const lpot_operand b = {inputs[1], lpot_kernel_input(node, inputs, 5)};
  integer_sink sink = {.out = out, .b_scale = inputs[3], .per_column = true, .bias_column = 1};
  sink.bias = lpot_kernel_input(node, inputs, 6);
  LPOT_TRY(lpot_kernel_quant_params(a.tensor, inputs[2], a.zero_points, &a_params, err));
  LPOT_TRY(check_int8(b.tensor, err));
  if (out->dtype != LPOT_F32) {
    return lpot_kernel_unsupported_type(out, err);
  }
  LPOT_TRY(lpot_product_of_stacks(&a.tensor->shape, &b.tensor->shape, &out->shape, &product, err));
  LPOT_TRY(check_channel_scale(sink.b_scale, product.n, err));
  if (sink.bias != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(sink.bias, out, err));
    LPOT_TRY(lpot_kernel_check_count("bias", sink.bias, product.n, err));
  }
  sink.factor = a_params.scale;
  LPOT_TRY(lpot_product_run(&product, &a, &b, store_integer_sums, &sink, err));
  return LPOT_OK;
}

/* ---- QLinearAdd, QLinearMul: a, a_scale, a_zero, b, b_scale, b_zero, c_scale, c_zero ---- */

static float dequantized_at(const lpot_tensor *tensor, const lpot_quant_params *params,
                            int64_t index) {
  int64_t value = 0;
  lpot_kernel_load_ints(tensor, index, 1, 1, &value);
  return (float)(value - params->zero_point) * params->scale;
}

LPOT_KERNEL(lpot_kernel_qlinear_binary) {
  lpot_tensor *out = outputs[0];
  const lpot_tensor *a = inputs[0];
  const lpot_tensor *b = inputs[3];
  lpot_quant_params params[3];
  lpot_kernel_rows rows;
  bool add = node->op == LPOT_OP_QLINEAR_ADD;
  LPOT_TRY(lpot_kernel_quant_params(a, inputs[1], inputs[2], &params[0], err));
  LPOT_TRY(lpot_kernel_quant_params(b, inputs[4], inputs[5], &params[1], err));
  LPOT_TRY(lpot_kernel_quant_params(out, inputs[6], lpot_kernel_input(node, inputs, 7), &params[2],
                                    err));
  LPOT_TRY(lpot_kernel_rows_begin(&a->shape, &b->shape, &out->shape, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t i = 0; i < rows.length; i++) {
      float x = dequantized_at(a, &params[0], rows.start[0] + i * rows.step[0]);
      float y = dequantized_at(b, &params[1], rows.start[1] + i * rows.step[1]);
      int64_t value = lpot_quantize_one(add ? x + y : x * y, &params[2]);
      lpot_kernel_store_ints(out, rows.out_start + i, 1, &value);
    }
  }
  return LPOT_OK;
}

/* ---- QLinearConcat: y_scale, y_zero, then x, x_scale, x_zero of each part ---- */

static void requantize_part(const lpot_tensor *input, const lpot_quant_params *from, int64_t start,
                            int64_t count, lpot_tensor *out, int64_t out_start,
                            const lpot_quant_params *to) {
  for (int64_t i = 0; i < count; i++) {
    int64_t value = lpot_quantize_one(dequantized_at(input, from, start + i), to);
    lpot_kernel_store_ints(out, out_start + i, 1, &value);
  }
}

LPOT_KERNEL(lpot_kernel_qlinear_concat) {
  lpot_tensor *out = outputs[0];
  lpot_quant_params out_params;
  int axis = 0;
  if ((node->num_inputs - 2) % 3 != 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "has %d inputs, expected 2 and 3 for each part",
                     node->num_inputs);
  }
  LPOT_TRY(lpot_kernel_quant_params(out, inputs[0], inputs[1], &out_params, err));
  LPOT_TRY(lpot_concat_check(node, inputs, 2, 3, out, &axis, err));
  int64_t outer = lpot_kernel_span(&out->shape, 0, axis);
  int64_t inner = lpot_kernel_span(&out->shape, axis + 1, out->shape.rank);
  int64_t row = out->shape.dims[axis] * inner;
  int64_t start = 0;
  for (int i = 2; i < node->num_inputs; i += 3) {
    lpot_quant_params params;
    LPOT_TRY(lpot_kernel_quant_params(inputs[i], inputs[i + 1], inputs[i + 2], &params, err));
    int64_t part = inputs[i]->shape.dims[axis] * inner;
    for (int64_t block = 0; block < outer; block++) {
      requantize_part(inputs[i], &params, block * part, part, out, block * row + start,
                      &out_params);
    }
    start += part;
  }
  return LPOT_OK;
}

/* ---- QLinearAveragePool, QLinearGlobalAveragePool: x, x_scale, x_zero, y_scale, y_zero ---- */

typedef struct average_sink {
  lpot_tensor *out;
  lpot_quant_params in, to;
  bool shift; /* the averages are of raw integers, zero point included */
} average_sink;

static void store_averages(const void *context, int64_t out_start, int64_t channel, int64_t count,
                           const double *averages) {
  const average_sink *sink = context;
  (void)channel;
  for (int64_t i = 0; i < count; i++) {
    double centered = averages[i] - (sink->shift ? (double)sink->in.zero_point : 0.0);
    int64_t value = lpot_quantize_one((float)(centered * (double)sink->in.scale), &sink->to);
    lpot_kernel_store_ints(sink->out, out_start + i, 1, &value);
  }
}

static lpot_status begin_average(const lpot_node *node, const lpot_tensor *const *inputs,
                                 lpot_tensor *out, average_sink *ret, lpot_error *err) {
  if (lpot_node_int(node, "channels_last", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "channels_last is 1");
  }
  ret->out = out;
  ret->shift = true;
  LPOT_TRY(lpot_kernel_quant_params(inputs[0], inputs[1], inputs[2], &ret->in, err));
  LPOT_TRY(
      lpot_kernel_quant_params(out, inputs[3], lpot_kernel_input(node, inputs, 4), &ret->to, err));
  return LPOT_OK;
}

/* Padding is real zero, so it has to be averaged as the zero point: the elements are centered
 * into a float tensor first. */
LPOT_KERNEL(lpot_kernel_qlinear_average_pool) {
  const lpot_tensor *input = inputs[0];
  average_sink sink;
  lpot_tensor *centered = NULL;
  LPOT_TRY(begin_average(node, inputs, outputs[0], &sink, err));
  sink.shift = false;
  lpot_quant_params unit = {sink.in.dtype, 1.0f, sink.in.zero_point};
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &input->shape, &centered, err));
  lpot_dequantize(input->data, lpot_shape_elements(&input->shape), &unit, centered->data);
  lpot_status status =
      lpot_average_pool(node, centered, &outputs[0]->shape, store_averages, &sink, err);
  lpot_tensor_unref(centered);
  return status;
}

LPOT_KERNEL(lpot_kernel_qlinear_global_average_pool) {
  average_sink sink;
  LPOT_TRY(begin_average(node, inputs, outputs[0], &sink, err));
  LPOT_TRY(lpot_global_average(inputs[0], outputs[0], store_averages, &sink, err));
  return LPOT_OK;
}
