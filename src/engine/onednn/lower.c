#include "engine/onednn/lower.h"

#include <math.h>

#include "base/memory.h"
#include "tensor/quantize.h"

/* ---- reading ---- */

static const lpot_tensor *constant_of(const lpot_graph *graph, lpot_value_id value) {
  return value == LPOT_NONE ? NULL : lpot_graph_value(graph, value)->constant;
}

static bool is_int8(lpot_dtype dtype) {
  return dtype == LPOT_U8 || dtype == LPOT_S8;
}

lpot_quantized_value lpot_lower_operand(const lpot_node *node, int value, int scale,
                                        int zero_point) {
  lpot_quantized_value operand = {lpot_node_input(node, value), lpot_node_input(node, scale),
                                  lpot_node_input(node, zero_point)};
  return operand;
}

/* Constant f32 scales > 0: one, or count of them. */
static bool has_scales(const lpot_graph *graph, lpot_value_id value, int64_t count) {
  const lpot_tensor *scale = constant_of(graph, value);
  if (scale == NULL || scale->dtype != LPOT_F32 ||
      (lpot_tensor_elements(scale) != 1 && lpot_tensor_elements(scale) != count)) {
    return false;
  }
  for (int64_t i = 0; i < lpot_tensor_elements(scale); i++) {
    double element = lpot_tensor_get_double(scale, i);
    if (!(element > 0.0) || !isfinite(element)) {
      return false;
    }
  }
  return true;
}

/* None, or constant ones of the type: one, or count of them. */
static bool has_zero_points(const lpot_graph *graph, lpot_value_id value, lpot_dtype dtype,
                            int64_t count) {
  const lpot_tensor *zero_point = constant_of(graph, value);
  if (value == LPOT_NONE) {
    return true;
  }
  return zero_point != NULL && zero_point->dtype == dtype &&
         (lpot_tensor_elements(zero_point) == 1 || lpot_tensor_elements(zero_point) == count);
}

bool lpot_lower_is_per_tensor(const lpot_graph *graph, const lpot_quantized_value *operand) {
  lpot_dtype dtype = lpot_graph_value(graph, operand->value)->dtype;
  return is_int8(dtype) && has_scales(graph, operand->scale, 1) &&
         has_zero_points(graph, operand->zero_point, dtype, 1);
}

static double element_of(const lpot_tensor *tensor, int64_t index, double fallback) {
  if (tensor == NULL) {
    return fallback;
  }
  return lpot_tensor_get_double(tensor, lpot_tensor_elements(tensor) == 1 ? 0 : index);
}

/* ---- building ---- */

lpot_status lpot_lower_new_value(lpot_graph *graph, lpot_dtype dtype, const lpot_shape *shape,
                                 lpot_value_id *ret_value, lpot_error *err) {
  LPOT_TRY(lpot_graph_add_value(graph, NULL, dtype, shape, ret_value, err));
  return LPOT_OK;
}

lpot_status lpot_lower_add(lpot_graph *graph, lpot_op op, const lpot_value_id *inputs,
                           size_t num_inputs, lpot_dtype dtype, const lpot_shape *shape,
                           lpot_value_id *ret_value, lpot_node_id *ret_node, lpot_error *err) {
  lpot_value_id value = LPOT_NONE;
  LPOT_TRY(lpot_lower_new_value(graph, dtype, shape, &value, err));
  LPOT_TRY(lpot_graph_add_node(graph, op, NULL, inputs, num_inputs, &value, 1, ret_node, err));
  *ret_value = value;
  return LPOT_OK;
}

/* axis is LPOT_NONE for one scale. */
static lpot_status add_dequantize(lpot_graph *graph, const lpot_quantized_value *operand, int axis,
                                  lpot_value_id *ret_value, lpot_error *err) {
  const lpot_value_id inputs[3] = {operand->value, operand->scale, operand->zero_point};
  const lpot_shape shape = lpot_graph_value(graph, operand->value)->shape;
  size_t count = operand->zero_point == LPOT_NONE ? 2 : 3;
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(lpot_lower_add(graph, LPOT_OP_DEQUANTIZE_LINEAR, inputs, count, LPOT_F32, &shape,
                          ret_value, &node, err));
  if (axis != LPOT_NONE) {
    LPOT_TRY(lpot_graph_set_int(graph, node, "axis", axis, err));
  }
  return LPOT_OK;
}

lpot_status lpot_lower_dequantize(lpot_graph *graph, const lpot_quantized_value *operand,
                                  lpot_value_id *ret_value, lpot_error *err) {
  LPOT_TRY(add_dequantize(graph, operand, LPOT_NONE, ret_value, err));
  return LPOT_OK;
}

/* Adds a constant; *tensor is given up in any case. */
static lpot_status add_constant(lpot_graph *graph, lpot_tensor *tensor, lpot_value_id *ret_value,
                                lpot_error *err) {
  lpot_tensor *moved = tensor;
  lpot_status status = lpot_graph_add_constant(graph, NULL, &moved, ret_value, err);
  lpot_tensor_unref(moved);
  return status;
}

/* A QuantizeLinear without a zero point would give u8. */
static lpot_status ensure_zero_point(lpot_graph *graph, lpot_dtype dtype, lpot_value_id *zero_point,
                                     lpot_error *err) {
  const lpot_shape scalar = lpot_shape_scalar();
  lpot_tensor *tensor = NULL;
  if (*zero_point != LPOT_NONE) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_tensor_new(dtype, &scalar, &tensor, err));
  LPOT_TRY(add_constant(graph, tensor, zero_point, err));
  return LPOT_OK;
}

lpot_status lpot_lower_to_quantized(lpot_graph *graph, const lpot_node *node, lpot_op op,
                                    const lpot_value_id *inputs, size_t num_inputs,
                                    lpot_value_id scale, lpot_value_id zero_point,
                                    lpot_error *err) {
  lpot_value_id result = node->outputs[0];
  const lpot_shape shape = lpot_graph_value(graph, result)->shape;
  lpot_value_id real = LPOT_NONE;
  lpot_node_id quantize = LPOT_NONE;
  LPOT_TRY(ensure_zero_point(graph, lpot_graph_value(graph, result)->dtype, &zero_point, err));
  LPOT_TRY(lpot_lower_new_value(graph, LPOT_F32, &shape, &real, err));
  LPOT_TRY(lpot_graph_set_output(graph, node->id, 0, real, err));
  lpot_graph_set_op(graph, node->id, op);
  LPOT_TRY(lpot_graph_set_inputs(graph, node->id, inputs, num_inputs, err));
  const lpot_value_id last[3] = {real, scale, zero_point};
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_QUANTIZE_LINEAR, NULL, last, 3, &result, 1, &quantize,
                               err));
  return LPOT_OK;
}

/* ---- weights and biases ---- */

static int64_t channels_of(const lpot_graph *graph, const lpot_lower_weights *weights) {
  return lpot_graph_value(graph, weights->operand.value)->shape.dims[weights->axis];
}

bool lpot_lower_has_weights(const lpot_graph *graph, const lpot_lower_weights *weights) {
  const lpot_tensor *tensor = constant_of(graph, weights->operand.value);
  if (tensor == NULL || !is_int8(tensor->dtype) || tensor->shape.rank <= weights->axis ||
      lpot_tensor_elements(tensor) == 0 || !(weights->factor > 0.0f)) {
    return false;
  }
  int64_t count = channels_of(graph, weights);
  return has_scales(graph, weights->operand.scale, count) &&
         has_zero_points(graph, weights->operand.zero_point, tensor->dtype, count);
}

/* Elements behind one index of the axis. */
static int64_t inner_size(const lpot_shape *shape, int axis) {
  int64_t size = 1;
  for (int i = axis + 1; i < shape->rank; i++) {
    size *= shape->dims[i];
  }
  return size;
}

/* The weights minus their zero points, if all of them fit s8; else *ret_centered is NULL. */
static lpot_status center(const lpot_graph *graph, const lpot_lower_weights *weights,
                          lpot_tensor **ret_centered, lpot_error *err) {
  const lpot_tensor *tensor = constant_of(graph, weights->operand.value);
  const lpot_tensor *zero_points = constant_of(graph, weights->operand.zero_point);
  int64_t channels = channels_of(graph, weights);
  int64_t inner = inner_size(&tensor->shape, weights->axis);
  lpot_tensor *centered = NULL;
  *ret_centered = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_S8, &tensor->shape, &centered, err));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    int64_t zero_point = (int64_t)element_of(zero_points, i / inner % channels, 0.0);
    int64_t value = lpot_tensor_get_int(tensor, i) - zero_point;
    if (value < INT8_MIN || value > INT8_MAX) {
      lpot_tensor_unref(centered);
      return LPOT_OK;
    }
    lpot_tensor_set_int(centered, i, value);
  }
  *ret_centered = centered;
  return LPOT_OK;
}

/* A vector of count numbers, each factor times those of first and second (1 where NULL). */
static lpot_status add_products(lpot_graph *graph, lpot_dtype dtype, int64_t count, float factor,
                                const lpot_tensor *first, const lpot_tensor *second,
                                lpot_value_id *ret_value, lpot_error *err) {
  const lpot_shape shape = lpot_shape_of(1, &count);
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(dtype, &shape, &tensor, err));
  for (int64_t i = 0; i < count; i++) {
    float product = factor * (float)element_of(first, i, 1.0) * (float)element_of(second, i, 1.0);
    lpot_tensor_set_double(tensor, i, (double)product);
  }
  LPOT_TRY(add_constant(graph, tensor, ret_value, err));
  return LPOT_OK;
}

lpot_status lpot_lower_dequantize_weights(lpot_graph *graph, const lpot_lower_weights *weights,
                                          lpot_value_id *ret_value, lpot_error *err) {
  const lpot_tensor *scales = constant_of(graph, weights->operand.scale);
  lpot_quantized_value operand = weights->operand;
  int64_t count = lpot_tensor_elements(scales);
  lpot_tensor *centered = NULL;
  LPOT_TRY(center(graph, weights, &centered, err));
  if (centered != NULL) {
    operand.zero_point = LPOT_NONE;
    LPOT_TRY(add_constant(graph, centered, &operand.value, err));
  } else {
    /* Scale and zero point of a DequantizeLinear are alike. */
    count = channels_of(graph, weights);
    const lpot_tensor *zero_points = constant_of(graph, operand.zero_point);
    lpot_dtype dtype = lpot_graph_value(graph, operand.value)->dtype;
    LPOT_TRY(add_products(graph, dtype, count, 1.0f, zero_points, NULL, &operand.zero_point, err));
  }
  LPOT_TRY(
      add_products(graph, LPOT_F32, count, weights->factor, scales, NULL, &operand.scale, err));
  LPOT_TRY(add_dequantize(graph, &operand, count == 1 ? LPOT_NONE : weights->axis, ret_value, err));
  return LPOT_OK;
}

bool lpot_lower_has_bias(const lpot_graph *graph, lpot_value_id bias,
                         const lpot_lower_weights *weights) {
  const lpot_tensor *tensor = constant_of(graph, bias);
  if (bias == LPOT_NONE) {
    return true;
  }
  if (tensor == NULL || tensor->dtype != LPOT_S32) {
    return false;
  }
  if (tensor->shape.rank == 0) {
    return channels_of(graph, weights) == 1;
  }
  return lpot_tensor_elements(tensor) == channels_of(graph, weights) &&
         tensor->shape.dims[tensor->shape.rank - 1] == lpot_tensor_elements(tensor);
}

lpot_status lpot_lower_dequantize_bias(lpot_graph *graph, lpot_value_id bias,
                                       lpot_value_id input_scale, const lpot_lower_weights *weights,
                                       lpot_value_id *ret_value, lpot_error *err) {
  const lpot_tensor *tensor = constant_of(graph, bias);
  const lpot_tensor *scales = constant_of(graph, weights->operand.scale);
  int64_t count = lpot_tensor_elements(scales);
  int64_t columns = lpot_tensor_elements(tensor);
  const lpot_shape shape = lpot_shape_of(1, &columns);
  lpot_quantized_value operand = {LPOT_NONE, LPOT_NONE, LPOT_NONE};
  lpot_tensor *flat = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_S32, &shape, tensor->data, &flat, err));
  LPOT_TRY(add_constant(graph, flat, &operand.value, err));
  LPOT_TRY(add_products(graph, LPOT_F32, count, weights->factor, constant_of(graph, input_scale),
                        scales, &operand.scale, err));
  LPOT_TRY(add_dequantize(graph, &operand, count == 1 ? LPOT_NONE : 0, ret_value, err));
  return LPOT_OK;
}

/* ---- the table ---- */

/* The same operators as ONNX's own, which got the types of 16 bits later. */
static lpot_status lower_domain(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  bool quantize = node->op == LPOT_OP_MICROSOFT_QUANTIZE_LINEAR;
  (void)err;
  lpot_graph_set_op(graph, node->id,
                    quantize ? LPOT_OP_QUANTIZE_LINEAR : LPOT_OP_DEQUANTIZE_LINEAR);
  return LPOT_OK;
}

static const struct {
  lpot_op op;
  lpot_lower_function lower;
} rows[] = {
    {LPOT_OP_DYNAMIC_QUANTIZE_MATMUL, lpot_lower_dynamic_quantize_matmul},
    {LPOT_OP_FUSED_CONV, lpot_lower_fused_conv},
    {LPOT_OP_FUSED_GEMM, lpot_lower_fused_gemm},
    {LPOT_OP_FUSED_MATMUL, lpot_lower_fused_matmul},
    {LPOT_OP_MATMUL_INTEGER_TO_FLOAT, lpot_lower_matmul_integer_to_float},
    {LPOT_OP_MICROSOFT_DEQUANTIZE_LINEAR, lower_domain},
    {LPOT_OP_MICROSOFT_QUANTIZE_LINEAR, lower_domain},
    {LPOT_OP_QGEMM, lpot_lower_qgemm},
    {LPOT_OP_QLINEAR_ADD, lpot_lower_qlinear_binary},
    {LPOT_OP_QLINEAR_AVERAGE_POOL, lpot_lower_qlinear_unary},
    {LPOT_OP_QLINEAR_CONCAT, lpot_lower_qlinear_concat},
    {LPOT_OP_QLINEAR_CONV, lpot_lower_qlinear_conv},
    {LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL, lpot_lower_qlinear_unary},
    {LPOT_OP_QLINEAR_LEAKY_RELU, lpot_lower_qlinear_unary},
    {LPOT_OP_QLINEAR_MATMUL, lpot_lower_qlinear_matmul},
    {LPOT_OP_QLINEAR_MUL, lpot_lower_qlinear_binary},
    {LPOT_OP_QLINEAR_SIGMOID, lpot_lower_qlinear_unary},
    {LPOT_OP_QLINEAR_SOFTMAX, lpot_lower_qlinear_unary},
    {LPOT_OP_SPLIT, lpot_lower_split},
};

/* Nodes that a rewrite adds come behind those that are there, so they get their turn too. */
lpot_status lpot_lower_graph(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0] && !node->removed; k++) {
      if (rows[k].op == node->op) {
        LPOT_TRY(rows[k].lower(graph, node, err));
        break;
      }
    }
  }
  return LPOT_OK;
}
