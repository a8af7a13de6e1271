/* The fused operators of com.microsoft as the several that they stand for. */
#include "base/memory.h"
#include "engine/fused_activation.h"
#include "engine/onednn/lower.h"
#include "engine/reference/reference.h"

static bool is_float(const lpot_graph *graph, lpot_value_id value) {
  return value != LPOT_NONE && lpot_graph_value(graph, value)->dtype == LPOT_F32;
}

static lpot_status add_number(lpot_graph *graph, float number, lpot_value_id *ret_value,
                              lpot_error *err) {
  const lpot_shape scalar = lpot_shape_scalar();
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_F32, &scalar, &number, &tensor, err));
  lpot_status status = lpot_graph_add_constant(graph, NULL, &tensor, ret_value, err);
  lpot_tensor_unref(tensor);
  return status;
}

/* Puts a node of op behind *value, which becomes what it writes. */
static lpot_status follow(lpot_graph *graph, lpot_op op, lpot_value_id *value,
                          const lpot_value_id *others, size_t num_others, lpot_node_id *ret_node,
                          lpot_error *err) {
  const lpot_shape shape = lpot_graph_value(graph, *value)->shape;
  lpot_value_id inputs[3] = {*value, LPOT_NONE, LPOT_NONE};
  for (size_t i = 0; i < num_others; i++) {
    inputs[i + 1] = others[i];
  }
  LPOT_TRY(
      lpot_lower_add(graph, op, inputs, num_others + 1, LPOT_F32, &shape, value, ret_node, err));
  return LPOT_OK;
}

/* What node wrote is written by whoever writes value, the node's own new output or one behind. */
static lpot_status hand_over(lpot_graph *graph, lpot_value_id value, lpot_value_id result,
                             lpot_error *err) {
  lpot_node_id producer = lpot_graph_value(graph, value)->producer;
  LPOT_TRY(lpot_graph_set_output(graph, producer, 0, result, err));
  return LPOT_OK;
}

/* node becomes op on inputs and writes a new f32 value of its output's shape. */
static lpot_status become(lpot_graph *graph, const lpot_node *node, lpot_op op,
                          const lpot_value_id *inputs, size_t num_inputs, lpot_value_id *ret_value,
                          lpot_error *err) {
  const lpot_shape shape = lpot_graph_value(graph, node->outputs[0])->shape;
  lpot_graph_set_op(graph, node->id, op);
  LPOT_TRY(lpot_graph_set_inputs(graph, node->id, inputs, num_inputs, err));
  LPOT_TRY(lpot_lower_new_value(graph, LPOT_F32, &shape, ret_value, err));
  LPOT_TRY(lpot_graph_set_output(graph, node->id, 0, *ret_value, err));
  return LPOT_OK;
}

/* ---- FusedConv, FusedGemm ---- */

static lpot_status activate(lpot_graph *graph, const lpot_fused_activation *fused,
                            lpot_value_id *value, lpot_error *err) {
  lpot_value_id bounds[2] = {LPOT_NONE, LPOT_NONE};
  lpot_node_id node = LPOT_NONE;
  if (fused->op == LPOT_OP_IDENTITY) {
    return LPOT_OK;
  }
  if (fused->op == LPOT_OP_CLIP) {
    LPOT_TRY(add_number(graph, fused->alpha, &bounds[0], err));
    LPOT_TRY(add_number(graph, fused->beta, &bounds[1], err));
    LPOT_TRY(follow(graph, fused->op, value, bounds, 2, &node, err));
    return LPOT_OK;
  }
  LPOT_TRY(follow(graph, fused->op, value, NULL, 0, &node, err));
  LPOT_TRY(lpot_graph_set_float(graph, node, "alpha", fused->alpha, err));
  LPOT_TRY(lpot_graph_set_float(graph, node, "beta", fused->beta, err));
  return LPOT_OK;
}

static lpot_status lower_activated(lpot_graph *graph, const lpot_node *node, lpot_op op,
                                   lpot_value_id added, lpot_error *err) {
  const lpot_value_id inputs[3] = {node->inputs[0], node->inputs[1], lpot_node_input(node, 2)};
  lpot_value_id result = node->outputs[0];
  lpot_value_id value = LPOT_NONE;
  lpot_node_id sum = LPOT_NONE;
  lpot_fused_activation fused;
  if (!is_float(graph, result) || lpot_fused_activation_read(node, &fused, NULL) != LPOT_OK) {
    return LPOT_OK;
  }
  LPOT_TRY(become(graph, node, op, inputs, inputs[2] == LPOT_NONE ? 2 : 3, &value, err));
  if (added != LPOT_NONE) {
    LPOT_TRY(follow(graph, LPOT_OP_ADD, &value, &added, 1, &sum, err));
  }
  LPOT_TRY(activate(graph, &fused, &value, err));
  LPOT_TRY(hand_over(graph, value, result, err));
  return LPOT_OK;
}

lpot_status lpot_lower_fused_conv(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  LPOT_TRY(lower_activated(graph, node, LPOT_OP_CONV, lpot_node_input(node, 3), err));
  return LPOT_OK;
}

lpot_status lpot_lower_fused_gemm(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  LPOT_TRY(lower_activated(graph, node, LPOT_OP_GEMM, LPOT_NONE, err));
  return LPOT_OK;
}

/* ---- FusedMatMul ---- */

static const char *const trans_names[2] = {"transA", "transB"};
static const char *const batch_names[2] = {"transBatchA", "transBatchB"};

/* A constant with its last two axes swapped becomes another constant, what is computed a
 * Transpose. */
static lpot_status swap_last_axes(lpot_graph *graph, lpot_value_id *value, lpot_error *err) {
  lpot_tensor *constant = lpot_graph_value(graph, *value)->constant;
  lpot_shape shape = lpot_graph_value(graph, *value)->shape;
  int64_t perm[LPOT_MAX_RANK] = {0};
  lpot_node_id node = LPOT_NONE;
  lpot_value_id swapped = LPOT_NONE;
  lpot_tensor *result = NULL;
  int rank = shape.rank;
  for (int i = 0; i < rank; i++) {
    perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
  }
  int64_t rows = shape.dims[rank - 2];
  shape.dims[rank - 2] = shape.dims[rank - 1];
  shape.dims[rank - 1] = rows;
  LPOT_TRY(
      lpot_lower_add(graph, LPOT_OP_TRANSPOSE, value, 1, LPOT_F32, &shape, &swapped, &node, err));
  LPOT_TRY(lpot_graph_set_ints(graph, node, "perm", perm, (size_t)rank, err));
  *value = swapped;
  if (constant == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &shape, &result, err));
  lpot_status status = lpot_reference_run(lpot_graph_node(graph, node),
                                          (const lpot_tensor *const *)&constant, &result, err);
  if (status == LPOT_OK) {
    lpot_graph_remove_node(graph, node);
    status = lpot_graph_set_constant(graph, swapped, &result, err);
  }
  lpot_tensor_unref(result);
  return status;
}

static bool is_plain_product(const lpot_graph *graph, const lpot_node *node) {
  for (int i = 0; i < 2; i++) {
    if (!is_float(graph, node->inputs[i]) || lpot_node_int(node, batch_names[i], 0) != 0 ||
        lpot_graph_value(graph, node->inputs[i])->shape.rank < 2) {
      return false;
    }
  }
  return is_float(graph, node->outputs[0]);
}

lpot_status lpot_lower_fused_matmul(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  lpot_value_id result = node->outputs[0];
  float alpha = lpot_node_float(node, "alpha", 1.0f);
  lpot_value_id inputs[2] = {node->inputs[0], node->inputs[1]};
  lpot_value_id value = LPOT_NONE;
  lpot_value_id factor = LPOT_NONE;
  lpot_node_id scaled = LPOT_NONE;
  if (!is_plain_product(graph, node)) {
    return LPOT_OK;
  }
  for (int i = 0; i < 2; i++) {
    if (lpot_node_int(node, trans_names[i], 0) != 0) {
      LPOT_TRY(swap_last_axes(graph, &inputs[i], err));
    }
  }
  LPOT_TRY(become(graph, node, LPOT_OP_MATMUL, inputs, 2, &value, err));
  if (alpha < 1.0f || alpha > 1.0f) {
    LPOT_TRY(add_number(graph, alpha, &factor, err));
    LPOT_TRY(follow(graph, LPOT_OP_MUL, &value, &factor, 1, &scaled, err));
  }
  LPOT_TRY(hand_over(graph, value, result, err));
  return LPOT_OK;
}

/* ---- MatMulIntegerToFloat: a, b, a_scale, b_scale, a_zero, b_zero, bias ---- */

static lpot_status add_bias(lpot_graph *graph, lpot_value_id bias, lpot_value_id value,
                            lpot_value_id result, lpot_error *err) {
  lpot_node_id sum = LPOT_NONE;
  if (bias != LPOT_NONE) {
    LPOT_TRY(follow(graph, LPOT_OP_ADD, &value, &bias, 1, &sum, err));
  }
  LPOT_TRY(hand_over(graph, value, result, err));
  return LPOT_OK;
}

/* All parameters are constant: a float product that the fusions run on bytes. */
static lpot_status lower_static(lpot_graph *graph, const lpot_node *node,
                                const lpot_quantized_value *a, const lpot_lower_weights *weights,
                                lpot_error *err) {
  lpot_value_id result = node->outputs[0];
  lpot_value_id bias = lpot_node_input(node, 6);
  lpot_value_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_value_id value = LPOT_NONE;
  LPOT_TRY(lpot_lower_dequantize(graph, a, &inputs[0], err));
  LPOT_TRY(lpot_lower_dequantize_weights(graph, weights, &inputs[1], err));
  LPOT_TRY(become(graph, node, LPOT_OP_MATMUL, inputs, 2, &value, err));
  LPOT_TRY(add_bias(graph, bias, value, result, err));
  return LPOT_OK;
}

/* The parameters of a are known at run time: int32 sums, then their scale. */
static lpot_status lower_dynamic(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  lpot_value_id result = node->outputs[0];
  lpot_value_id bias = lpot_node_input(node, 6);
  const lpot_value_id scales[2] = {node->inputs[2], node->inputs[3]};
  const lpot_value_id inputs[4] = {node->inputs[0], node->inputs[1], lpot_node_input(node, 4),
                                   lpot_node_input(node, 5)};
  const lpot_shape shape = lpot_graph_value(graph, result)->shape;
  lpot_shape scale_shape;
  lpot_value_id value = LPOT_NONE;
  lpot_value_id scale = LPOT_NONE;
  lpot_node_id added = LPOT_NONE;
  LPOT_TRY(lpot_shape_broadcast(&lpot_graph_value(graph, scales[0])->shape,
                                &lpot_graph_value(graph, scales[1])->shape, &scale_shape, err));
  LPOT_TRY(become(graph, node, LPOT_OP_MATMUL_INTEGER, inputs, 4, &value, err));
  lpot_graph_set_value_type(graph, value, LPOT_S32, &shape);
  LPOT_TRY(follow(graph, LPOT_OP_CAST, &value, NULL, 0, &added, err));
  LPOT_TRY(lpot_graph_set_int(graph, added, "to", lpot_dtype_to_onnx(LPOT_F32), err));
  LPOT_TRY(
      lpot_lower_add(graph, LPOT_OP_MUL, scales, 2, LPOT_F32, &scale_shape, &scale, &added, err));
  LPOT_TRY(follow(graph, LPOT_OP_MUL, &value, &scale, 1, &added, err));
  LPOT_TRY(add_bias(graph, bias, value, result, err));
  return LPOT_OK;
}

lpot_status lpot_lower_matmul_integer_to_float(lpot_graph *graph, const lpot_node *node,
                                               lpot_error *err) {
  const lpot_quantized_value a = lpot_lower_operand(node, 0, 2, 4);
  const lpot_lower_weights weights = {lpot_lower_operand(node, 1, 3, 5), 1, 1.0f};
  bool has_matrix = lpot_graph_value(graph, node->inputs[1])->shape.rank == 2 &&
                    lpot_lower_has_weights(graph, &weights);
  if (!has_matrix || !is_float(graph, node->outputs[0]) ||
      lpot_graph_value(graph, node->inputs[0])->shape.rank < 2 ||
      lpot_shape_elements(&lpot_graph_value(graph, a.scale)->shape) != 1 ||
      lpot_graph_value(graph, a.scale)->shape.rank > 1) {
    return LPOT_OK;
  }
  if (lpot_lower_is_per_tensor(graph, &a)) {
    LPOT_TRY(lower_static(graph, node, &a, &weights, err));
  } else {
    LPOT_TRY(lower_dynamic(graph, node, err));
  }
  return LPOT_OK;
}

/* DynamicQuantizeMatMul (a, b, b_scale, b_zero, bias): a is quantized, then the above, to which
 * lpot_lower_graph comes back: the node that does it is a new one. */
lpot_status lpot_lower_dynamic_quantize_matmul(lpot_graph *graph, const lpot_node *node,
                                               lpot_error *err) {
  const lpot_shape scalar = lpot_shape_scalar();
  lpot_value_id result = node->outputs[0];
  lpot_value_id a[3] = {LPOT_NONE, LPOT_NONE, LPOT_NONE}; /* bytes, scale, zero point */
  const lpot_value_id source = node->inputs[0];
  const lpot_shape shape = lpot_graph_value(graph, source)->shape;
  lpot_node_id added = LPOT_NONE;
  LPOT_TRY(lpot_lower_new_value(graph, LPOT_U8, &shape, &a[0], err));
  LPOT_TRY(lpot_lower_new_value(graph, LPOT_F32, &scalar, &a[1], err));
  LPOT_TRY(lpot_lower_new_value(graph, LPOT_U8, &scalar, &a[2], err));
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NULL, &source, 1, a, 3,
                               &added, err));
  const lpot_value_id inputs[7] = {a[0],
                                   node->inputs[1],
                                   a[1],
                                   node->inputs[2],
                                   a[2],
                                   lpot_node_input(node, 3),
                                   lpot_node_input(node, 4)};
  lpot_graph_remove_node(graph, node->id);
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_MATMUL_INTEGER_TO_FLOAT, NULL, inputs, 7, &result, 1,
                               &added, err));
  return LPOT_OK;
}
