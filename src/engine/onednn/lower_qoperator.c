/* The QOperator nodes, each as DequantizeLinear, float operator, QuantizeLinear. */
#include "base/memory.h"
#include "engine/onednn/lower.h"

static lpot_quantized_value output_of(const lpot_node *node, int scale, int zero_point) {
  lpot_quantized_value output = {node->outputs[0], lpot_node_input(node, scale),
                                 lpot_node_input(node, zero_point)};
  return output;
}

/* ---- QLinearConv: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias ---- */

lpot_status lpot_lower_qlinear_conv(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  const lpot_quantized_value x = lpot_lower_operand(node, 0, 1, 2);
  const lpot_lower_weights weights = {lpot_lower_operand(node, 3, 4, 5), 0, 1.0f};
  const lpot_quantized_value y = output_of(node, 6, 7);
  lpot_value_id bias = lpot_node_input(node, 8);
  lpot_value_id inputs[3] = {LPOT_NONE, LPOT_NONE, LPOT_NONE};
  if (!lpot_lower_is_per_tensor(graph, &x) || !lpot_lower_has_weights(graph, &weights) ||
      !lpot_lower_has_bias(graph, bias, &weights) || !lpot_lower_is_per_tensor(graph, &y)) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_lower_dequantize(graph, &x, &inputs[0], err));
  LPOT_TRY(lpot_lower_dequantize_weights(graph, &weights, &inputs[1], err));
  if (bias != LPOT_NONE) {
    LPOT_TRY(lpot_lower_dequantize_bias(graph, bias, x.scale, &weights, &inputs[2], err));
  }
  LPOT_TRY(lpot_lower_to_quantized(graph, node, LPOT_OP_CONV, inputs, bias == LPOT_NONE ? 2 : 3,
                                   y.scale, y.zero_point, err));
  return LPOT_OK;
}

/* ---- QLinearMatMul: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero ---- */

lpot_status lpot_lower_qlinear_matmul(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  const lpot_quantized_value a = lpot_lower_operand(node, 0, 1, 2);
  const lpot_quantized_value b = lpot_lower_operand(node, 3, 4, 5);
  const lpot_quantized_value y = output_of(node, 6, 7);
  int b_rank = lpot_graph_value(graph, b.value)->shape.rank;
  const lpot_lower_weights weights = {b, b_rank - 1, 1.0f};
  lpot_value_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  bool has_weights = b_rank >= 2 && lpot_lower_has_weights(graph, &weights);
  if (lpot_graph_value(graph, a.value)->shape.rank < 2 || b_rank < 2 ||
      !lpot_lower_is_per_tensor(graph, &a) || !lpot_lower_is_per_tensor(graph, &y) ||
      (!has_weights && !lpot_lower_is_per_tensor(graph, &b))) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_lower_dequantize(graph, &a, &inputs[0], err));
  if (has_weights) {
    LPOT_TRY(lpot_lower_dequantize_weights(graph, &weights, &inputs[1], err));
  } else {
    LPOT_TRY(lpot_lower_dequantize(graph, &b, &inputs[1], err));
  }
  LPOT_TRY(
      lpot_lower_to_quantized(graph, node, LPOT_OP_MATMUL, inputs, 2, y.scale, y.zero_point, err));
  return LPOT_OK;
}

/* ---- QGemm: a, a_scale, a_zero, b, b_scale, b_zero, c, y_scale, y_zero ---- */

/* alpha goes into the scale of the weights, and so into that of c. */
lpot_status lpot_lower_qgemm(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  const lpot_quantized_value a = lpot_lower_operand(node, 0, 1, 2);
  int axis = lpot_node_int(node, "transB", 0) != 0 ? 0 : 1;
  const lpot_lower_weights weights = {lpot_lower_operand(node, 3, 4, 5), axis,
                                      lpot_node_float(node, "alpha", 1.0f)};
  const lpot_quantized_value y = output_of(node, 7, 8);
  lpot_value_id bias = lpot_node_input(node, 6);
  lpot_value_id inputs[3] = {LPOT_NONE, LPOT_NONE, LPOT_NONE};
  size_t count = bias == LPOT_NONE ? 2 : 3;
  if (lpot_node_int(node, "transA", 0) != 0 || !lpot_lower_is_per_tensor(graph, &a) ||
      !lpot_lower_has_weights(graph, &weights) || !lpot_lower_has_bias(graph, bias, &weights) ||
      (y.scale != LPOT_NONE && !lpot_lower_is_per_tensor(graph, &y))) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_lower_dequantize(graph, &a, &inputs[0], err));
  LPOT_TRY(lpot_lower_dequantize_weights(graph, &weights, &inputs[1], err));
  if (bias != LPOT_NONE) {
    LPOT_TRY(lpot_lower_dequantize_bias(graph, bias, a.scale, &weights, &inputs[2], err));
  }
  lpot_graph_remove_attribute(graph, node->id, "alpha");
  if (y.scale != LPOT_NONE) {
    LPOT_TRY(lpot_lower_to_quantized(graph, node, LPOT_OP_GEMM, inputs, count, y.scale,
                                     y.zero_point, err));
    return LPOT_OK;
  }
  lpot_graph_set_op(graph, node->id, LPOT_OP_GEMM);
  LPOT_TRY(lpot_graph_set_inputs(graph, node->id, inputs, count, err));
  return LPOT_OK;
}

/* ---- QLinearAdd, QLinearMul: a, a_scale, a_zero, b, b_scale, b_zero, c_scale, c_zero ---- */

lpot_status lpot_lower_qlinear_binary(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  const lpot_quantized_value a = lpot_lower_operand(node, 0, 1, 2);
  const lpot_quantized_value b = lpot_lower_operand(node, 3, 4, 5);
  const lpot_quantized_value c = output_of(node, 6, 7);
  lpot_op op = node->op == LPOT_OP_QLINEAR_ADD ? LPOT_OP_ADD : LPOT_OP_MUL;
  lpot_value_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  if (!lpot_lower_is_per_tensor(graph, &a) || !lpot_lower_is_per_tensor(graph, &b) ||
      !lpot_lower_is_per_tensor(graph, &c)) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_lower_dequantize(graph, &a, &inputs[0], err));
  LPOT_TRY(lpot_lower_dequantize(graph, &b, &inputs[1], err));
  LPOT_TRY(lpot_lower_to_quantized(graph, node, op, inputs, 2, c.scale, c.zero_point, err));
  return LPOT_OK;
}

/* ---- one tensor: x, x_scale, x_zero, y_scale, y_zero ---- */

static const struct {
  lpot_op from, to;
} unary_rows[] = {
    {LPOT_OP_QLINEAR_AVERAGE_POOL, LPOT_OP_AVERAGE_POOL},
    {LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL, LPOT_OP_GLOBAL_AVERAGE_POOL},
    {LPOT_OP_QLINEAR_LEAKY_RELU, LPOT_OP_LEAKY_RELU},
    {LPOT_OP_QLINEAR_SIGMOID, LPOT_OP_SIGMOID},
    {LPOT_OP_QLINEAR_SOFTMAX, LPOT_OP_SOFTMAX},
};

/* Softmax before opset 13 took all dimensions from axis on as one. */
static bool is_old_softmax(const lpot_graph *graph, const lpot_node *node) {
  int64_t axis = lpot_node_int(node, "axis", -1);
  int rank = lpot_graph_value(graph, node->inputs[0])->shape.rank;
  return node->op == LPOT_OP_QLINEAR_SOFTMAX && lpot_node_int(node, "opset", 13) < 13 &&
         axis != -1 && axis != rank - 1;
}

lpot_status lpot_lower_qlinear_unary(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  const lpot_quantized_value x = lpot_lower_operand(node, 0, 1, 2);
  const lpot_quantized_value y = output_of(node, 3, 4);
  lpot_op op = node->op;
  lpot_value_id real = LPOT_NONE;
  for (size_t i = 0; i < sizeof unary_rows / sizeof unary_rows[0]; i++) {
    op = unary_rows[i].from == node->op ? unary_rows[i].to : op;
  }
  if (!lpot_lower_is_per_tensor(graph, &x) || !lpot_lower_is_per_tensor(graph, &y) ||
      is_old_softmax(graph, node) || lpot_node_int(node, "channels_last", 0) != 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_lower_dequantize(graph, &x, &real, err));
  LPOT_TRY(lpot_lower_to_quantized(graph, node, op, &real, 1, y.scale, y.zero_point, err));
  return LPOT_OK;
}

/* ---- QLinearConcat: y_scale, y_zero, then x, x_scale, x_zero of each part ---- */

static bool is_concat(const lpot_graph *graph, const lpot_node *node) {
  const lpot_quantized_value y = output_of(node, 0, 1);
  bool fits = lpot_lower_is_per_tensor(graph, &y);
  for (int i = 2; i < node->num_inputs && fits; i += 3) {
    const lpot_quantized_value part = lpot_lower_operand(node, i, i + 1, i + 2);
    fits = lpot_lower_is_per_tensor(graph, &part);
  }
  return fits;
}

static lpot_status lower_parts(lpot_graph *graph, const lpot_node *node, lpot_value_id *parts,
                               size_t count, lpot_error *err) {
  const lpot_quantized_value y = output_of(node, 0, 1);
  for (size_t i = 0; i < count; i++) {
    int first = 2 + 3 * (int)i;
    const lpot_quantized_value part = lpot_lower_operand(node, first, first + 1, first + 2);
    LPOT_TRY(lpot_lower_dequantize(graph, &part, &parts[i], err));
  }
  LPOT_TRY(lpot_lower_to_quantized(graph, node, LPOT_OP_CONCAT, parts, count, y.scale, y.zero_point,
                                   err));
  return LPOT_OK;
}

lpot_status lpot_lower_qlinear_concat(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  if (!is_concat(graph, node)) {
    return LPOT_OK;
  }
  size_t count = ((size_t)node->num_inputs - 2) / 3;
  lpot_value_id *parts = lpot_calloc(count, sizeof *parts);
  if (parts == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = lower_parts(graph, node, parts, count, err);
  lpot_free(parts);
  return status;
}
