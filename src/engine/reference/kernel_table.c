#include "engine/reference/reference.h"

#include "base/memory.h"
#include "base/text.h"
#include "engine/reference/kernel.h"

#define ALL_INPUTS UINT32_MAX

typedef struct kernel_row {
  lpot_node_evaluator run;
  uint32_t required; /* bit i: input i must be there; ALL_INPUTS: those that the node has */
} kernel_row;

static const kernel_row kernels[LPOT_NUM_OPS] = {
    [LPOT_OP_ABS] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ACOS] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ACOSH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ADD] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_AND] = {lpot_kernel_logic, 0x3},
    [LPOT_OP_ARG_MAX] = {lpot_kernel_arg_reduce, 0x1},
    [LPOT_OP_ARG_MIN] = {lpot_kernel_arg_reduce, 0x1},
    [LPOT_OP_ASIN] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ASINH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ATAN] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ATANH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_AVERAGE_POOL] = {lpot_kernel_average_pool, 0x1},
    [LPOT_OP_BATCH_NORMALIZATION] = {lpot_kernel_batch_normalization, 0x1f},
    [LPOT_OP_BIT_SHIFT] = {lpot_kernel_bit_shift, 0x3},
    [LPOT_OP_BITWISE_AND] = {lpot_kernel_logic, 0x3},
    [LPOT_OP_BITWISE_NOT] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_BITWISE_OR] = {lpot_kernel_logic, 0x3},
    [LPOT_OP_BITWISE_XOR] = {lpot_kernel_logic, 0x3},
    [LPOT_OP_CAST] = {lpot_kernel_cast, 0x1},
    [LPOT_OP_CAST_LIKE] = {lpot_kernel_cast, 0x3},
    [LPOT_OP_CEIL] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_CELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_CLIP] = {lpot_kernel_clip, 0x1},
    [LPOT_OP_COMPRESS] = {lpot_kernel_compress, 0x3},
    [LPOT_OP_CONCAT] = {lpot_kernel_concat, ALL_INPUTS},
    [LPOT_OP_CONSTANT] = {lpot_kernel_constant, 0x0},
    [LPOT_OP_CONSTANT_OF_SHAPE] = {lpot_kernel_constant_of_shape, 0x1},
    [LPOT_OP_CONV] = {lpot_kernel_convolution, 0x3},
    [LPOT_OP_CONV_INTEGER] = {lpot_kernel_conv_integer, 0x3},
    [LPOT_OP_CONV_TRANSPOSE] = {lpot_kernel_convolution, 0x3},
    [LPOT_OP_COS] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_COSH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_CUM_SUM] = {lpot_kernel_cum_sum, 0x3},
    [LPOT_OP_DEPTH_TO_SPACE] = {lpot_kernel_depth_to_space, 0x1},
    [LPOT_OP_DEQUANTIZE_LINEAR] = {lpot_kernel_dequantize_linear, 0x3},
    [LPOT_OP_DIV] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_DROPOUT] = {lpot_kernel_dropout, 0x1},
    [LPOT_OP_DYNAMIC_QUANTIZE_LINEAR] = {lpot_kernel_dynamic_quantize_linear, 0x1},
    [LPOT_OP_EINSUM] = {lpot_kernel_einsum, ALL_INPUTS},
    [LPOT_OP_ELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_EQUAL] = {lpot_kernel_compare, 0x3},
    [LPOT_OP_ERF] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_EXP] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_EXPAND] = {lpot_kernel_expand, 0x3},
    [LPOT_OP_EYE_LIKE] = {lpot_kernel_eye_like, 0x1},
    [LPOT_OP_FLATTEN] = {lpot_kernel_copy, 0x1},
    [LPOT_OP_FLOOR] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_GATHER] = {lpot_kernel_gather, 0x3},
    [LPOT_OP_GATHER_ELEMENTS] = {lpot_kernel_gather_elements, 0x3},
    [LPOT_OP_GATHER_ND] = {lpot_kernel_gather_nd, 0x3},
    [LPOT_OP_GELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_GEMM] = {lpot_kernel_gemm, 0x3},
    [LPOT_OP_GLOBAL_AVERAGE_POOL] = {lpot_kernel_global_average_pool, 0x1},
    [LPOT_OP_GLOBAL_LP_POOL] = {lpot_kernel_global_lp_pool, 0x1},
    [LPOT_OP_GLOBAL_MAX_POOL] = {lpot_kernel_global_max_pool, 0x1},
    [LPOT_OP_GREATER] = {lpot_kernel_compare, 0x3},
    [LPOT_OP_GREATER_OR_EQUAL] = {lpot_kernel_compare, 0x3},
    [LPOT_OP_GROUP_NORMALIZATION] = {lpot_kernel_group_normalization, 0x7},
    [LPOT_OP_HARDMAX] = {lpot_kernel_hardmax, 0x1},
    [LPOT_OP_HARD_SIGMOID] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_HARD_SWISH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_IDENTITY] = {lpot_kernel_copy, 0x1},
    [LPOT_OP_INSTANCE_NORMALIZATION] = {lpot_kernel_instance_normalization, 0x7},
    [LPOT_OP_IS_INF] = {lpot_kernel_test_number, 0x1},
    [LPOT_OP_IS_NAN] = {lpot_kernel_test_number, 0x1},
    [LPOT_OP_LAYER_NORMALIZATION] = {lpot_kernel_layer_normalization, 0x3},
    [LPOT_OP_LEAKY_RELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_LESS] = {lpot_kernel_compare, 0x3},
    [LPOT_OP_LESS_OR_EQUAL] = {lpot_kernel_compare, 0x3},
    [LPOT_OP_LOG] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_LOG_SOFTMAX] = {lpot_kernel_softmax, 0x1},
    [LPOT_OP_LP_NORMALIZATION] = {lpot_kernel_lp_normalization, 0x1},
    [LPOT_OP_LP_POOL] = {lpot_kernel_lp_pool, 0x1},
    [LPOT_OP_LRN] = {lpot_kernel_lrn, 0x1},
    [LPOT_OP_LSTM] = {lpot_kernel_lstm, 0x7},
    [LPOT_OP_MATMUL] = {lpot_kernel_matmul, 0x3},
    [LPOT_OP_MATMUL_INTEGER] = {lpot_kernel_matmul_integer, 0x3},
    [LPOT_OP_MAX] = {lpot_kernel_variadic, ALL_INPUTS},
    [LPOT_OP_MAX_POOL] = {lpot_kernel_max_pool, 0x1},
    [LPOT_OP_MEAN] = {lpot_kernel_mean, ALL_INPUTS},
    [LPOT_OP_MEAN_VARIANCE_NORMALIZATION] = {lpot_kernel_mean_variance, 0x1},
    [LPOT_OP_MIN] = {lpot_kernel_variadic, ALL_INPUTS},
    [LPOT_OP_MISH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_MOD] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_MUL] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_NEG] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_NON_MAX_SUPPRESSION] = {lpot_kernel_non_max_suppression, 0x3},
    [LPOT_OP_NON_ZERO] = {lpot_kernel_non_zero, 0x1},
    [LPOT_OP_NOT] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_ONE_HOT] = {lpot_kernel_one_hot, 0x7},
    [LPOT_OP_OR] = {lpot_kernel_logic, 0x3},
    [LPOT_OP_PAD] = {lpot_kernel_pad, 0x3},
    [LPOT_OP_POW] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_PRELU] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_QUANTIZE_LINEAR] = {lpot_kernel_quantize_linear, 0x3},
    [LPOT_OP_RANGE] = {lpot_kernel_range, 0x7},
    [LPOT_OP_RECIPROCAL] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_REDUCE_L1] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_L2] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_LOG_SUM] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_LOG_SUM_EXP] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_MAX] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_MEAN] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_MIN] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_PROD] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_SUM] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_REDUCE_SUM_SQUARE] = {lpot_kernel_reduce, 0x1},
    [LPOT_OP_RELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_RESHAPE] = {lpot_kernel_copy, 0x1},
    [LPOT_OP_RESIZE] = {lpot_kernel_resize, 0x1},
    [LPOT_OP_REVERSE_SEQUENCE] = {lpot_kernel_reverse_sequence, 0x3},
    [LPOT_OP_ROUND] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SCATTER_ELEMENTS] = {lpot_kernel_scatter_elements, 0x7},
    [LPOT_OP_SCATTER_ND] = {lpot_kernel_scatter_nd, 0x7},
    [LPOT_OP_SELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SHAPE] = {lpot_kernel_shape, 0x1},
    [LPOT_OP_SHRINK] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SIGMOID] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SIGN] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SIMPLIFIED_LAYER_NORMALIZATION] = {lpot_kernel_simplified_layer_normalization, 0x3},
    [LPOT_OP_SIN] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SINH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SIZE] = {lpot_kernel_size, 0x1},
    [LPOT_OP_SLICE] = {lpot_kernel_slice, 0x7},
    [LPOT_OP_SOFTMAX] = {lpot_kernel_softmax, 0x1},
    [LPOT_OP_SOFTPLUS] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SOFTSIGN] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SPACE_TO_DEPTH] = {lpot_kernel_space_to_depth, 0x1},
    [LPOT_OP_SPLIT] = {lpot_kernel_split, 0x1},
    [LPOT_OP_SQRT] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SQUEEZE] = {lpot_kernel_copy, 0x1},
    [LPOT_OP_SUB] = {lpot_kernel_binary, 0x3},
    [LPOT_OP_TAN] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_TANH] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_THRESHOLDED_RELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_TILE] = {lpot_kernel_tile, 0x3},
    [LPOT_OP_TOP_K] = {lpot_kernel_top_k, 0x3},
    [LPOT_OP_TRANSPOSE] = {lpot_kernel_transpose, 0x1},
    [LPOT_OP_TRILU] = {lpot_kernel_trilu, 0x1},
    [LPOT_OP_UNIQUE] = {lpot_kernel_unique, 0x1},
    [LPOT_OP_UNSQUEEZE] = {lpot_kernel_copy, 0x1},
    [LPOT_OP_ATTENTION] = {lpot_kernel_attention, 0x3},
    [LPOT_OP_BIAS_GELU] = {lpot_kernel_bias_gelu, 0x3},
    [LPOT_OP_DYNAMIC_QUANTIZE_MATMUL] = {lpot_kernel_dynamic_quantize_matmul, 0x7},
    [LPOT_OP_EMBED_LAYER_NORMALIZATION] = {lpot_kernel_embed_layer_normalization, 0x6d},
    [LPOT_OP_FAST_GELU] = {lpot_kernel_bias_gelu, 0x1},
    [LPOT_OP_FUSED_CONV] = {lpot_kernel_fused_conv, 0x3},
    [LPOT_OP_FUSED_GEMM] = {lpot_kernel_fused_gemm, 0x3},
    [LPOT_OP_FUSED_MATMUL] = {lpot_kernel_fused_matmul, 0x3},
    [LPOT_OP_MATMUL_INTEGER_TO_FLOAT] = {lpot_kernel_matmul_integer_to_float, 0xf},
    [LPOT_OP_MICROSOFT_DEQUANTIZE_LINEAR] = {lpot_kernel_dequantize_linear, 0x3},
    [LPOT_OP_MICROSOFT_GELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_MICROSOFT_QUANTIZE_LINEAR] = {lpot_kernel_quantize_linear, 0x3},
    [LPOT_OP_WHERE] = {lpot_kernel_where, 0x7},
    [LPOT_OP_XOR] = {lpot_kernel_logic, 0x3},
    [LPOT_OP_QLINEAR_ADD] = {lpot_kernel_qlinear_binary, 0x5b},
    [LPOT_OP_QLINEAR_AVERAGE_POOL] = {lpot_kernel_qlinear_average_pool, 0xb},
    [LPOT_OP_QLINEAR_CONCAT] = {lpot_kernel_qlinear_concat, ALL_INPUTS},
    [LPOT_OP_QLINEAR_CONV] = {lpot_kernel_qlinear_convolution, 0xff},
    [LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL] = {lpot_kernel_qlinear_global_average_pool, 0x1f},
    [LPOT_OP_QLINEAR_LEAKY_RELU] = {lpot_kernel_qlinear_unary, 0xb},
    [LPOT_OP_QLINEAR_MATMUL] = {lpot_kernel_qlinear_matmul, 0xff},
    [LPOT_OP_QLINEAR_MUL] = {lpot_kernel_qlinear_binary, 0x5b},
    [LPOT_OP_QLINEAR_SIGMOID] = {lpot_kernel_qlinear_unary, 0xb},
    [LPOT_OP_QLINEAR_SOFTMAX] = {lpot_kernel_qlinear_softmax, 0xb},
    [LPOT_OP_QGEMM] = {lpot_kernel_qgemm, 0x3f},
    [LPOT_OP_QUICK_GELU] = {lpot_kernel_unary, 0x1},
    [LPOT_OP_SKIP_LAYER_NORMALIZATION] = {lpot_kernel_skip_layer_normalization, 0x7},
    [LPOT_OP_SKIP_SIMPLIFIED_LAYER_NORMALIZATION] = {lpot_kernel_skip_layer_normalization, 0x7},
};

static lpot_status check_inputs(const kernel_row *row, const lpot_node *node,
                                const lpot_tensor *const *inputs, lpot_error *err) {
  int last = row->required == ALL_INPUTS ? node->num_inputs : 32;
  for (int i = 0; i < last; i++) {
    bool required = row->required == ALL_INPUTS || (row->required >> i & 1u) != 0;
    if (required && lpot_kernel_input(node, inputs, i) == NULL) {
      return LPOT_FAIL(err, LPOT_INVALID, "input %d is missing", i);
    }
  }
  for (int i = 0; i < node->num_inputs; i++) {
    if (inputs[i] != NULL && inputs[i]->dtype >= LPOT_DTYPE_UNKNOWN) {
      return LPOT_FAIL(err, LPOT_INVALID, "input %d has no element type", i);
    }
  }
  return LPOT_OK;
}

/* *ret_empty: there is no element to compute. */
static lpot_status check_outputs(const lpot_node *node, lpot_tensor *const *outputs,
                                 bool *ret_empty, lpot_error *err) {
  bool empty = true;
  for (int i = 0; i < node->num_outputs; i++) {
    const lpot_tensor *output = outputs[i];
    if (output != NULL && output->dtype >= LPOT_DTYPE_UNKNOWN) {
      return LPOT_FAIL(err, LPOT_INVALID, "output %d has no element type", i);
    }
    empty = empty && (output == NULL || lpot_shape_elements(&output->shape) == 0);
  }
  if (!empty && outputs[0] == NULL && node->op != LPOT_OP_SPLIT && node->op != LPOT_OP_LSTM) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "output 0 is left out but a later one is not");
  }
  *ret_empty = empty;
  return LPOT_OK;
}

static lpot_status run_node(const lpot_node *node, const lpot_tensor *const *inputs,
                            lpot_tensor *const *outputs, lpot_error *err) {
  const kernel_row *row = &kernels[node->op];
  if (row->run == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the reference engine has no kernel");
  }
  LPOT_TRY(check_inputs(row, node, inputs, err));
  bool empty = false;
  LPOT_TRY(check_outputs(node, outputs, &empty, err));
  if (empty) {
    return LPOT_OK;
  }
  LPOT_TRY(row->run(node, inputs, outputs, err));
  return LPOT_OK;
}

static bool all_aligned(const lpot_node *node, const lpot_tensor *const *inputs) {
  for (int i = 0; i < node->num_inputs; i++) {
    if (inputs[i] != NULL && !lpot_tensor_is_aligned(inputs[i])) {
      return false;
    }
  }
  return true;
}

/* Kernels read numbers through pointers: large weights that a file has at an odd place are copied.
 */
static lpot_status run_aligned(const lpot_node *node, const lpot_tensor *const *inputs,
                               lpot_tensor *const *outputs, lpot_error *err) {
  size_t count = (size_t)node->num_inputs;
  lpot_tensor **copies = lpot_calloc(count, sizeof *copies);
  const lpot_tensor **aligned = lpot_calloc(count, sizeof *aligned);
  lpot_status status = copies == NULL || aligned == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  for (size_t i = 0; status == LPOT_OK && i < count; i++) {
    aligned[i] = inputs[i];
    if (inputs[i] != NULL && !lpot_tensor_is_aligned(inputs[i])) {
      status = lpot_tensor_copy_of(inputs[i]->dtype, &inputs[i]->shape, inputs[i]->data, &copies[i],
                                   err);
      aligned[i] = copies[i];
    }
  }
  if (status == LPOT_OK) {
    status = run_node(node, aligned, outputs, err);
  }
  for (size_t i = 0; copies != NULL && i < count; i++) {
    lpot_tensor_unref(copies[i]);
  }
  lpot_free(copies);
  lpot_free(aligned);
  return status;
}

lpot_status lpot_reference_run(const lpot_node *node, const lpot_tensor *const *inputs,
                               lpot_tensor *const *outputs, lpot_error *err) {
  LPOT_ASSERT((int)node->op >= 0 && node->op < LPOT_NUM_OPS);
  lpot_status status = all_aligned(node, inputs) ? run_node(node, inputs, outputs, err)
                                                 : run_aligned(node, inputs, outputs, err);
  if (status != LPOT_OK) {
    char name[128];
    lpot_text_printable(node->name, name, sizeof name);
    lpot_error_prefix(err, "node '%s' (%s)", name, lpot_op_get_info(node->op)->name);
  }
  return status;
}
