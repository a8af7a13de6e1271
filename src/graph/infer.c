#include "graph/infer.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "graph/infer_rules.h"

#define MAX_FOLDED_BYTES ((int64_t)64 << 20)

static const lpot_infer_rule rules[LPOT_NUM_OPS] = {
    [LPOT_OP_ABS] = lpot_infer_same,
    [LPOT_OP_ACOS] = lpot_infer_same,
    [LPOT_OP_ACOSH] = lpot_infer_same,
    [LPOT_OP_ADD] = lpot_infer_binary,
    [LPOT_OP_AND] = lpot_infer_logical,
    [LPOT_OP_ARG_MAX] = lpot_infer_arg_reduce,
    [LPOT_OP_ARG_MIN] = lpot_infer_arg_reduce,
    [LPOT_OP_ASIN] = lpot_infer_same,
    [LPOT_OP_ASINH] = lpot_infer_same,
    [LPOT_OP_ATAN] = lpot_infer_same,
    [LPOT_OP_ATANH] = lpot_infer_same,
    [LPOT_OP_AVERAGE_POOL] = lpot_infer_pool,
    [LPOT_OP_BATCH_NORMALIZATION] = lpot_infer_batch_normalization,
    [LPOT_OP_BIT_SHIFT] = lpot_infer_bit_shift,
    [LPOT_OP_BITWISE_AND] = lpot_infer_binary,
    [LPOT_OP_BITWISE_NOT] = lpot_infer_same,
    [LPOT_OP_BITWISE_OR] = lpot_infer_binary,
    [LPOT_OP_BITWISE_XOR] = lpot_infer_binary,
    [LPOT_OP_CAST] = lpot_infer_cast,
    [LPOT_OP_CAST_LIKE] = lpot_infer_cast_like,
    [LPOT_OP_CEIL] = lpot_infer_same,
    [LPOT_OP_CELU] = lpot_infer_same,
    [LPOT_OP_CLIP] = lpot_infer_clip,
    [LPOT_OP_COMPRESS] = lpot_infer_compress,
    [LPOT_OP_CONCAT] = lpot_infer_concat,
    [LPOT_OP_CONSTANT] = NULL, /* becomes a constant before rules are asked */
    [LPOT_OP_CONSTANT_OF_SHAPE] = lpot_infer_constant_of_shape,
    [LPOT_OP_CONV] = lpot_infer_conv,
    [LPOT_OP_CONV_INTEGER] = lpot_infer_conv_integer,
    [LPOT_OP_CONV_TRANSPOSE] = lpot_infer_conv,
    [LPOT_OP_COS] = lpot_infer_same,
    [LPOT_OP_COSH] = lpot_infer_same,
    [LPOT_OP_CUM_SUM] = lpot_infer_cum_sum,
    [LPOT_OP_DEPTH_TO_SPACE] = lpot_infer_depth_to_space,
    [LPOT_OP_DEQUANTIZE_LINEAR] = lpot_infer_dequantize_linear,
    [LPOT_OP_DIV] = lpot_infer_binary,
    [LPOT_OP_DROPOUT] = lpot_infer_dropout,
    [LPOT_OP_DYNAMIC_QUANTIZE_LINEAR] = lpot_infer_dynamic_quantize_linear,
    [LPOT_OP_EINSUM] = lpot_infer_einsum,
    [LPOT_OP_ELU] = lpot_infer_same,
    [LPOT_OP_EQUAL] = lpot_infer_compare,
    [LPOT_OP_ERF] = lpot_infer_same,
    [LPOT_OP_EXP] = lpot_infer_same,
    [LPOT_OP_EXPAND] = lpot_infer_expand,
    [LPOT_OP_EYE_LIKE] = lpot_infer_eye_like,
    [LPOT_OP_FLATTEN] = lpot_infer_flatten,
    [LPOT_OP_FLOOR] = lpot_infer_same,
    [LPOT_OP_GATHER] = lpot_infer_gather,
    [LPOT_OP_GATHER_ELEMENTS] = lpot_infer_gather_elements,
    [LPOT_OP_GATHER_ND] = lpot_infer_gather_nd,
    [LPOT_OP_GELU] = lpot_infer_gelu,
    [LPOT_OP_GEMM] = lpot_infer_gemm,
    [LPOT_OP_GLOBAL_AVERAGE_POOL] = lpot_infer_global_pool,
    [LPOT_OP_GLOBAL_LP_POOL] = lpot_infer_global_pool,
    [LPOT_OP_GLOBAL_MAX_POOL] = lpot_infer_global_pool,
    [LPOT_OP_GREATER] = lpot_infer_compare,
    [LPOT_OP_GREATER_OR_EQUAL] = lpot_infer_compare,
    [LPOT_OP_GROUP_NORMALIZATION] = lpot_infer_group_normalization,
    [LPOT_OP_HARDMAX] = lpot_infer_softmax,
    [LPOT_OP_HARD_SIGMOID] = lpot_infer_same,
    [LPOT_OP_HARD_SWISH] = lpot_infer_same,
    [LPOT_OP_IDENTITY] = lpot_infer_same,
    [LPOT_OP_INSTANCE_NORMALIZATION] = lpot_infer_instance_normalization,
    [LPOT_OP_IS_INF] = lpot_infer_test_number,
    [LPOT_OP_IS_NAN] = lpot_infer_test_number,
    [LPOT_OP_LAYER_NORMALIZATION] = lpot_infer_layer_normalization,
    [LPOT_OP_LEAKY_RELU] = lpot_infer_same,
    [LPOT_OP_LESS] = lpot_infer_compare,
    [LPOT_OP_LESS_OR_EQUAL] = lpot_infer_compare,
    [LPOT_OP_LOG] = lpot_infer_same,
    [LPOT_OP_LOG_SOFTMAX] = lpot_infer_softmax,
    [LPOT_OP_LP_NORMALIZATION] = lpot_infer_softmax,
    [LPOT_OP_LP_POOL] = lpot_infer_pool,
    [LPOT_OP_LRN] = lpot_infer_lrn,
    [LPOT_OP_LSTM] = lpot_infer_lstm,
    [LPOT_OP_MATMUL] = lpot_infer_matmul,
    [LPOT_OP_MATMUL_INTEGER] = lpot_infer_matmul_integer,
    [LPOT_OP_MAX] = lpot_infer_variadic,
    [LPOT_OP_MAX_POOL] = lpot_infer_pool,
    [LPOT_OP_MEAN] = lpot_infer_variadic,
    [LPOT_OP_MEAN_VARIANCE_NORMALIZATION] = lpot_infer_mean_variance,
    [LPOT_OP_MIN] = lpot_infer_variadic,
    [LPOT_OP_MISH] = lpot_infer_same,
    [LPOT_OP_MOD] = lpot_infer_mod,
    [LPOT_OP_MUL] = lpot_infer_binary,
    [LPOT_OP_NEG] = lpot_infer_same,
    [LPOT_OP_NON_MAX_SUPPRESSION] = lpot_infer_non_max_suppression,
    [LPOT_OP_NON_ZERO] = lpot_infer_non_zero,
    [LPOT_OP_NOT] = lpot_infer_logical_not,
    [LPOT_OP_ONE_HOT] = lpot_infer_one_hot,
    [LPOT_OP_OR] = lpot_infer_logical,
    [LPOT_OP_PAD] = lpot_infer_pad,
    [LPOT_OP_POW] = lpot_infer_binary,
    [LPOT_OP_PRELU] = lpot_infer_prelu,
    [LPOT_OP_QUANTIZE_LINEAR] = lpot_infer_quantize_linear,
    [LPOT_OP_RANGE] = lpot_infer_range,
    [LPOT_OP_RECIPROCAL] = lpot_infer_same,
    [LPOT_OP_REDUCE_L1] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_L2] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_LOG_SUM] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_LOG_SUM_EXP] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_MAX] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_MEAN] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_MIN] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_PROD] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_SUM] = lpot_infer_reduce,
    [LPOT_OP_REDUCE_SUM_SQUARE] = lpot_infer_reduce,
    [LPOT_OP_RELU] = lpot_infer_same,
    [LPOT_OP_RESHAPE] = lpot_infer_reshape,
    [LPOT_OP_RESIZE] = lpot_infer_resize,
    [LPOT_OP_REVERSE_SEQUENCE] = lpot_infer_reverse_sequence,
    [LPOT_OP_ROUND] = lpot_infer_same,
    [LPOT_OP_SCATTER_ELEMENTS] = lpot_infer_scatter_elements,
    [LPOT_OP_SCATTER_ND] = lpot_infer_scatter_nd,
    [LPOT_OP_SELU] = lpot_infer_same,
    [LPOT_OP_SHAPE] = lpot_infer_shape,
    [LPOT_OP_SHRINK] = lpot_infer_same,
    [LPOT_OP_SIGMOID] = lpot_infer_same,
    [LPOT_OP_SIGN] = lpot_infer_same,
    [LPOT_OP_SIMPLIFIED_LAYER_NORMALIZATION] = lpot_infer_simplified_layer_normalization,
    [LPOT_OP_SIN] = lpot_infer_same,
    [LPOT_OP_SINH] = lpot_infer_same,
    [LPOT_OP_SIZE] = lpot_infer_size,
    [LPOT_OP_SLICE] = lpot_infer_slice,
    [LPOT_OP_SOFTMAX] = lpot_infer_softmax,
    [LPOT_OP_SOFTPLUS] = lpot_infer_same,
    [LPOT_OP_SOFTSIGN] = lpot_infer_same,
    [LPOT_OP_SPACE_TO_DEPTH] = lpot_infer_space_to_depth,
    [LPOT_OP_SPLIT] = lpot_infer_split,
    [LPOT_OP_SQRT] = lpot_infer_same,
    [LPOT_OP_SQUEEZE] = lpot_infer_squeeze,
    [LPOT_OP_SUB] = lpot_infer_binary,
    [LPOT_OP_TAN] = lpot_infer_same,
    [LPOT_OP_TANH] = lpot_infer_same,
    [LPOT_OP_THRESHOLDED_RELU] = lpot_infer_same,
    [LPOT_OP_TILE] = lpot_infer_tile,
    [LPOT_OP_TOP_K] = lpot_infer_top_k,
    [LPOT_OP_TRANSPOSE] = lpot_infer_transpose,
    [LPOT_OP_TRILU] = lpot_infer_trilu,
    [LPOT_OP_UNIQUE] = lpot_infer_unique,
    [LPOT_OP_UNSQUEEZE] = lpot_infer_unsqueeze,
    [LPOT_OP_ATTENTION] = lpot_infer_attention,
    [LPOT_OP_BIAS_GELU] = lpot_infer_bias_gelu,
    [LPOT_OP_DYNAMIC_QUANTIZE_MATMUL] = lpot_infer_dynamic_quantize_matmul,
    [LPOT_OP_EMBED_LAYER_NORMALIZATION] = lpot_infer_embed_layer_normalization,
    [LPOT_OP_FAST_GELU] = lpot_infer_bias_gelu,
    [LPOT_OP_FUSED_CONV] = lpot_infer_fused_conv,
    [LPOT_OP_FUSED_GEMM] = lpot_infer_fused_gemm,
    [LPOT_OP_FUSED_MATMUL] = lpot_infer_fused_matmul,
    [LPOT_OP_MATMUL_INTEGER_TO_FLOAT] = lpot_infer_matmul_integer_to_float,
    [LPOT_OP_MICROSOFT_DEQUANTIZE_LINEAR] = lpot_infer_dequantize_linear,
    [LPOT_OP_MICROSOFT_GELU] = lpot_infer_same,
    [LPOT_OP_MICROSOFT_QUANTIZE_LINEAR] = lpot_infer_quantize_linear,
    [LPOT_OP_WHERE] = lpot_infer_where,
    [LPOT_OP_XOR] = lpot_infer_logical,
    [LPOT_OP_QLINEAR_ADD] = lpot_infer_qlinear_binary,
    [LPOT_OP_QLINEAR_AVERAGE_POOL] = lpot_infer_qlinear_average_pool,
    [LPOT_OP_QLINEAR_CONCAT] = lpot_infer_qlinear_concat,
    [LPOT_OP_QLINEAR_CONV] = lpot_infer_qlinear_conv,
    [LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL] = lpot_infer_qlinear_global_average_pool,
    [LPOT_OP_QLINEAR_LEAKY_RELU] = lpot_infer_qlinear_unary,
    [LPOT_OP_QLINEAR_MATMUL] = lpot_infer_qlinear_matmul,
    [LPOT_OP_QLINEAR_MUL] = lpot_infer_qlinear_binary,
    [LPOT_OP_QLINEAR_SIGMOID] = lpot_infer_qlinear_unary,
    [LPOT_OP_QLINEAR_SOFTMAX] = lpot_infer_qlinear_softmax,
    [LPOT_OP_QGEMM] = lpot_infer_qgemm,
    [LPOT_OP_QUICK_GELU] = lpot_infer_same,
    [LPOT_OP_SKIP_LAYER_NORMALIZATION] = lpot_infer_skip_layer_normalization,
    [LPOT_OP_SKIP_SIMPLIFIED_LAYER_NORMALIZATION] = lpot_infer_skip_layer_normalization,
};

/* ---- folding ---- */

/* Replaces a node of one output by its result; *tensor is moved. */
static lpot_status replace_by_constant(lpot_infer *infer, lpot_tensor **tensor, lpot_error *err) {
  lpot_value_id output = infer->node->outputs[0];
  lpot_graph_remove_node(infer->graph, infer->node->id);
  LPOT_TRY(lpot_graph_set_constant(infer->graph, output, tensor, err));
  return LPOT_OK;
}

static lpot_status fold_constant_node(lpot_infer *infer, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  lpot_status status = lpot_infer_constant_value(infer->node, &tensor, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", infer->node->name);
    return status;
  }
  LPOT_TRY(replace_by_constant(infer, &tensor, err));
  return LPOT_OK;
}

/* A Shape node is a constant as soon as the dimensions that it shows are known. */
static lpot_status fold_shape_node(lpot_infer *infer, bool *ret_folded, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  int64_t dims[LPOT_MAX_RANK] = {0};
  int start = 0;
  int end = 0;
  if (input->rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  lpot_infer_shape_window(infer->node, input->rank, &start, &end);
  int64_t count = 0;
  for (int i = start; i < end; i++) {
    if (input->dims[i] == LPOT_DIM_UNKNOWN) {
      return LPOT_OK;
    }
    dims[count++] = input->dims[i];
  }
  lpot_shape shape = lpot_shape_of(1, &count);
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_S64, &shape, dims, &tensor, err));
  LPOT_TRY(replace_by_constant(infer, &tensor, err));
  *ret_folded = true;
  return LPOT_OK;
}

/* A Size node likewise. */
static lpot_status fold_size_node(lpot_infer *infer, bool *ret_folded, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  if (!lpot_shape_is_known(input)) {
    return LPOT_OK;
  }
  lpot_shape scalar = lpot_shape_scalar();
  int64_t count = lpot_shape_elements(input);
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_S64, &scalar, &count, &tensor, err));
  LPOT_TRY(replace_by_constant(infer, &tensor, err));
  *ret_folded = true;
  return LPOT_OK;
}

static bool is_foldable(const lpot_infer *infer) {
  const lpot_node *node = infer->node;
  int64_t total_bytes = 0;
  if (node->op == LPOT_OP_DEQUANTIZE_LINEAR || node->op == LPOT_OP_MICROSOFT_DEQUANTIZE_LINEAR) {
    return false;
  }
  for (int i = 0; i < node->num_inputs; i++) {
    if (node->inputs[i] != LPOT_NONE && lpot_infer_constant_input(infer, i) == NULL) {
      return false;
    }
  }
  for (int i = 0; i < node->num_outputs; i++) {
    if (node->outputs[i] == LPOT_NONE) {
      continue;
    }
    const lpot_value *output = lpot_graph_value(infer->graph, node->outputs[i]);
    if (output->dtype == LPOT_DTYPE_UNKNOWN || !lpot_shape_is_known(&output->shape)) {
      return false;
    }
    /* At most 2^48 elements of 8 bytes each: no overflow before the test. */
    total_bytes += lpot_shape_elements(&output->shape) * (int64_t)lpot_dtype_size(output->dtype);
    if (total_bytes > MAX_FOLDED_BYTES) {
      return false;
    }
  }
  return true;
}

static lpot_status allocate_outputs(const lpot_infer *infer, lpot_tensor **outputs,
                                    lpot_error *err) {
  for (int i = 0; i < infer->node->num_outputs; i++) {
    if (infer->node->outputs[i] == LPOT_NONE) {
      continue;
    }
    const lpot_value *output = lpot_graph_value(infer->graph, infer->node->outputs[i]);
    LPOT_TRY(lpot_tensor_new(output->dtype, &output->shape, &outputs[i], err));
  }
  return LPOT_OK;
}

/* Evaluates into outputs. A node that has no kernel stays in the graph: perhaps the engine that
 * runs it has one, and if not it will say so. */
static lpot_status evaluate_node(lpot_infer *infer, lpot_node_evaluator evaluate,
                                 const lpot_tensor **inputs, lpot_tensor **outputs,
                                 bool *ret_folded, lpot_error *err) {
  const lpot_node *node = infer->node;
  for (int i = 0; i < node->num_inputs; i++) {
    inputs[i] = lpot_infer_constant_input(infer, i);
  }
  LPOT_TRY(allocate_outputs(infer, outputs, err));
  lpot_error local = {0};
  lpot_status status = evaluate(node, inputs, outputs, &local);
  if (status == LPOT_UNSUPPORTED) {
    return LPOT_OK;
  }
  if (status != LPOT_OK) {
    if (err != NULL) {
      *err = local;
    }
    return status;
  }
  lpot_graph_remove_node(infer->graph, node->id);
  for (int i = 0; i < node->num_outputs; i++) {
    if (outputs[i] != NULL) {
      LPOT_TRY(lpot_graph_set_constant(infer->graph, node->outputs[i], &outputs[i], err));
    }
  }
  *ret_folded = true;
  return LPOT_OK;
}

static lpot_status fold_node(lpot_infer *infer, lpot_node_evaluator evaluate, bool *ret_folded,
                             lpot_error *err) {
  const lpot_node *node = infer->node;
  if (evaluate == NULL || !is_foldable(infer)) {
    return LPOT_OK;
  }
  const lpot_tensor **inputs = lpot_calloc((size_t)node->num_inputs, sizeof *inputs);
  lpot_tensor **outputs = lpot_calloc((size_t)node->num_outputs, sizeof *outputs);
  lpot_status status = LPOT_OK;
  if (inputs == NULL || outputs == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    status = evaluate_node(infer, evaluate, inputs, outputs, ret_folded, err);
  }
  for (int i = 0; i < node->num_outputs && outputs != NULL; i++) {
    lpot_tensor_unref(outputs[i]);
  }
  lpot_free(inputs);
  lpot_free(outputs);
  return status;
}

/* ---- one node, all nodes ---- */

/* The floors below call a shape that is too large, or does not broadcast, an invalid argument; here
 * it is what the model says. */
static lpot_status blame_model(lpot_status status, lpot_error *err) {
  if (status != LPOT_INVALID) {
    return status;
  }
  if (err != NULL) {
    err->status = LPOT_FORMAT;
  }
  return LPOT_FORMAT;
}

static lpot_status infer_node(lpot_infer *infer, lpot_node_evaluator evaluate, lpot_error *err) {
  const lpot_node *node = infer->node;
  if (node->op == LPOT_OP_CONSTANT) {
    LPOT_TRY(fold_constant_node(infer, err));
    return LPOT_OK;
  }
  lpot_status status = rules[node->op](infer, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", node->name);
    return blame_model(status, err);
  }
  bool folded = false;
  if (node->op == LPOT_OP_SHAPE) {
    LPOT_TRY(fold_shape_node(infer, &folded, err));
  } else if (node->op == LPOT_OP_SIZE) {
    LPOT_TRY(fold_size_node(infer, &folded, err));
  } else {
    LPOT_TRY(fold_node(infer, evaluate, &folded, err));
  }
  if (!folded) {
    LPOT_TRY(lpot_infer_partial(infer, err));
  }
  return LPOT_OK;
}

static lpot_status check_input_shape(const lpot_value *input, lpot_error *err) {
  for (int i = 0; i < input->shape.rank; i++) {
    if (input->shape.dims[i] < LPOT_DIM_UNKNOWN || input->shape.dims[i] > LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "graph input '%s': dimension %d is %" PRId64 ", out of range", input->name,
                       i, input->shape.dims[i]);
    }
  }
  if (lpot_shape_is_known(&input->shape)) {
    int64_t count = 0;
    lpot_status status = lpot_shape_count(&input->shape, &count, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "graph input '%s'", input->name);
      return blame_model(status, err);
    }
  }
  return LPOT_OK;
}

static lpot_status check_ends(const lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_inputs(graph); i++) {
    const lpot_value *input = lpot_graph_value(graph, lpot_graph_input(graph, i));
    if (input->dtype == LPOT_DTYPE_UNKNOWN) {
      return LPOT_FAIL(err, LPOT_FORMAT, "graph input '%s' has no element type", input->name);
    }
    LPOT_TRY(check_input_shape(input, err));
  }
  for (size_t i = 0; i < lpot_graph_num_outputs(graph); i++) {
    const lpot_value_slot *slot = lpot_graph_value_slot(graph, lpot_graph_output(graph, i));
    if (slot->value.producer == LPOT_NONE && slot->value.constant == NULL && !slot->is_input) {
      return LPOT_FAIL(err, LPOT_FORMAT, "graph output '%s' is produced by nothing",
                       slot->value.name);
    }
  }
  return LPOT_OK;
}

static lpot_status infer_in_order(lpot_infer *infer, const lpot_node_id *order, size_t count,
                                  lpot_node_evaluator evaluate, lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    infer->node = lpot_graph_node(infer->graph, order[i]);
    LPOT_TRY(infer_node(infer, evaluate, err));
  }
  return LPOT_OK;
}

/* Folding changes the graph, so that the order must be copied. */
static lpot_status copy_order(const lpot_graph *graph, lpot_node_id **ret_order, size_t *ret_count,
                              lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_order(graph, &order, &count, err));
  lpot_node_id *copy = lpot_calloc(count, sizeof *copy);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copy[i] = order[i];
  }
  *ret_order = copy;
  *ret_count = count;
  return LPOT_OK;
}

lpot_status lpot_graph_infer(lpot_graph *graph, lpot_node_evaluator evaluate, lpot_error *err) {
  lpot_infer infer = {.graph = graph};
  lpot_node_id *order = NULL;
  size_t count = 0;
  LPOT_TRY(check_ends(graph, err));
  LPOT_TRY(copy_order(graph, &order, &count, err));
  lpot_status status = lpot_arena_new(&infer.arena, err);
  if (status == LPOT_OK) {
    infer.partial = lpot_calloc(lpot_graph_num_values(graph), sizeof *infer.partial);
    status = infer.partial == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  }
  if (status == LPOT_OK) {
    status = infer_in_order(&infer, order, count, evaluate, err);
  }
  lpot_free(infer.partial);
  lpot_arena_free(infer.arena);
  lpot_free(order);
  return status;
}

/* ---- binding ---- */

static void bind_inputs(lpot_graph *graph, int64_t batch) {
  for (size_t i = 0; i < lpot_graph_num_inputs(graph); i++) {
    const lpot_value *input = lpot_graph_value(graph, lpot_graph_input(graph, i));
    lpot_shape shape = input->shape;
    if (shape.rank >= 1 && shape.dims[0] == LPOT_DIM_UNKNOWN) {
      shape.dims[0] = batch;
      lpot_graph_set_value_type(graph, input->id, input->dtype, &shape);
    }
  }
}

static lpot_status check_known(const lpot_graph *graph, const lpot_value *value, lpot_error *err) {
  if (lpot_shape_is_known(&value->shape) && value->dtype != LPOT_DTYPE_UNKNOWN) {
    return LPOT_OK;
  }
  const lpot_node *producer =
      value->producer == LPOT_NONE ? NULL : lpot_graph_node(graph, value->producer);
  if (producer != NULL && lpot_infer_depends_on_data(producer->op)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "node '%s' (%s): the shape of its result depends on the data; it is supported "
                     "only on constants",
                     producer->name, lpot_op_get_info(producer->op)->name);
  }
  char text[160] = "?";
  if (value->shape.rank != LPOT_RANK_UNKNOWN) {
    lpot_shape_text(&value->shape, text, sizeof text);
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                   "value '%s' has the shape %s: set its dimension in the model", value->name,
                   text);
}

static lpot_status check_all_known(const lpot_graph *graph, lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t count = 0;
  for (size_t i = 0; i < lpot_graph_num_inputs(graph); i++) {
    LPOT_TRY(check_known(graph, lpot_graph_value(graph, lpot_graph_input(graph, i)), err));
  }
  LPOT_TRY(lpot_graph_order(graph, &order, &count, err));
  for (size_t i = 0; i < count; i++) {
    const lpot_node *node = lpot_graph_node(graph, order[i]);
    for (int k = 0; k < node->num_outputs; k++) {
      if (node->outputs[k] != LPOT_NONE) {
        LPOT_TRY(check_known(graph, lpot_graph_value(graph, node->outputs[k]), err));
      }
    }
  }
  return LPOT_OK;
}

lpot_status lpot_graph_bind(const lpot_graph *graph, int64_t batch, lpot_node_evaluator evaluate,
                            lpot_graph **ret_graph, lpot_error *err) {
  if (batch < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "the batch size is %" PRId64 ", expected at least 1",
                     batch);
  }
  lpot_graph *bound = NULL;
  LPOT_TRY(lpot_graph_clone(graph, &bound, err));
  bind_inputs(bound, batch);
  lpot_status status = lpot_graph_infer(bound, evaluate, err);
  if (status == LPOT_OK) {
    status = check_all_known(bound, err);
  }
  if (status != LPOT_OK) {
    lpot_graph_free(bound);
    return status;
  }
  *ret_graph = bound;
  return LPOT_OK;
}
