/* Rules of the operators of com.microsoft that stand for several of ONNX's: what ONNX Runtime's
 * optimizer leaves in a model. */
#include <inttypes.h>

#include "graph/infer_rules.h"

/* ---- FusedConv, FusedGemm, FusedMatMul ---- */

/* X, W, B, and Z that is added before the activation. */
lpot_status lpot_infer_fused_conv(lpot_infer *infer, lpot_error *err) {
  LPOT_TRY(lpot_infer_conv(infer, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 3, err));
  const lpot_value *added = lpot_infer_input(infer, 3);
  if (added == NULL || infer->node->outputs[0] == LPOT_NONE) {
    return LPOT_OK;
  }
  const lpot_shape *output = &lpot_graph_value(infer->graph, infer->node->outputs[0])->shape;
  if (lpot_shape_is_known(output) && lpot_shape_is_known(&added->shape) &&
      !lpot_shape_equal(output, &added->shape)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input 3 has not the shape of the output");
  }
  return LPOT_OK;
}

lpot_status lpot_infer_fused_gemm(lpot_infer *infer, lpot_error *err) {
  LPOT_TRY(lpot_infer_gemm(infer, err));
  return LPOT_OK;
}

/* The shape as the product takes it: transBatch brings the first dimension behind those of the
 * stack, trans swaps the last two. */
static void transpose_factor(const lpot_shape *from, bool batch, bool last, lpot_shape *ret) {
  *ret = *from;
  int rank = from->rank;
  if (batch && rank > 2) {
    for (int i = 0; i < rank - 2; i++) {
      ret->dims[i] = from->dims[i + 1];
    }
    ret->dims[rank - 2] = from->dims[0];
  }
  if (last && rank > 1) {
    int64_t rows = ret->dims[rank - 2];
    ret->dims[rank - 2] = ret->dims[rank - 1];
    ret->dims[rank - 1] = rows;
  }
}

lpot_status lpot_infer_fused_matmul(lpot_infer *infer, lpot_error *err) {
  const lpot_node *node = infer->node;
  const lpot_value *a = lpot_infer_input(infer, 0);
  lpot_shape left;
  lpot_shape right;
  lpot_shape shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  transpose_factor(&a->shape, lpot_node_int(node, "transBatchA", 0) != 0,
                   lpot_node_int(node, "transA", 0) != 0, &left);
  transpose_factor(&lpot_infer_input(infer, 1)->shape, lpot_node_int(node, "transBatchB", 0) != 0,
                   lpot_node_int(node, "transB", 0) != 0, &right);
  LPOT_TRY(lpot_infer_matmul_shape(&left, &right, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, a->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- normalizations ---- */

/* A vector along the last dimension. */
static lpot_status check_vector(const lpot_infer *infer, int index, int64_t count,
                                lpot_error *err) {
  const lpot_value *vector = lpot_infer_input(infer, index);
  int64_t merged = 0;
  if (vector == NULL || vector->shape.rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_check_rank("a parameter", &vector->shape, 1, err));
  if (lpot_dim_merge(vector->shape.dims[0], count, &merged, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d has %" PRId64 " elements, expected %" PRId64,
                     index, vector->shape.dims[0], count);
  }
  return LPOT_OK;
}

/* Mean and reciprocal deviation of what is normalized from axis on. */
static lpot_status statistic_outputs(const lpot_infer *infer, int first, int last, int axis,
                                     const lpot_shape *input, lpot_error *err) {
  lpot_shape shape = *input;
  for (int i = axis < 0 ? 0 : axis; i < shape.rank; i++) {
    shape.dims[i] = 1;
  }
  for (int i = first; i <= last; i++) {
    LPOT_TRY(lpot_infer_output(infer, i, LPOT_F32, &shape, err));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_simplified_layer_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *scale = lpot_infer_input(infer, 1);
  int axis = 0;
  if (input->shape.rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(
        lpot_infer_axis(lpot_node_int(infer->node, "axis", -1), input->shape.rank, &axis, err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, scale->dtype, &input->shape, err));
  LPOT_TRY(statistic_outputs(infer, 1, 1, axis, &input->shape, err));
  return LPOT_OK;
}

/* SkipLayerNormalization (input, skip, gamma, beta, bias) and SkipSimplifiedLayerNormalization
 * (input, skip, gamma, bias). */
lpot_status lpot_infer_skip_layer_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape sum;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_broadcast(&input->shape, &lpot_infer_input(infer, 1)->shape, &sum, err));
  if (input->shape.rank != LPOT_RANK_UNKNOWN) {
    if (input->shape.rank < 2 || sum.rank > input->shape.rank) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the input has rank %d, expected 2 or more",
                       input->shape.rank);
    }
    for (int i = 2; i < infer->node->num_inputs; i++) {
      LPOT_TRY(check_vector(infer, i, input->shape.dims[input->shape.rank - 1], err));
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &input->shape, err));
  LPOT_TRY(statistic_outputs(infer, 1, 2, input->shape.rank - 1, &input->shape, err));
  LPOT_TRY(lpot_infer_output(infer, 3, input->dtype, &input->shape, err));
  return LPOT_OK;
}

/* Ids [batch, sequence], segment ids, word, position and segment embeddings [_, hidden], gamma,
 * beta, mask, position ids. */
lpot_status lpot_infer_embed_layer_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_value *ids = lpot_infer_input(infer, 0);
  const lpot_value *words = lpot_infer_input(infer, 2);
  lpot_shape shape;
  lpot_shape lengths;
  LPOT_TRY(lpot_infer_check_rank("the ids", &ids->shape, 2, err));
  LPOT_TRY(lpot_infer_check_rank("the word embedding", &words->shape, 2, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_shape_of_rank(3, &shape, err));
  LPOT_TRY(lpot_infer_shape_of_rank(1, &lengths, err));
  if (ids->shape.rank == 2) {
    shape.dims[0] = ids->shape.dims[0];
    shape.dims[1] = ids->shape.dims[1];
    lengths.dims[0] = ids->shape.dims[0];
  }
  if (words->shape.rank == 2) {
    shape.dims[2] = words->shape.dims[1];
  }
  LPOT_TRY(check_vector(infer, 5, shape.dims[2], err));
  LPOT_TRY(check_vector(infer, 6, shape.dims[2], err));
  LPOT_TRY(lpot_infer_output(infer, 0, words->dtype, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 1, LPOT_S32, &lengths, err));
  LPOT_TRY(lpot_infer_output(infer, 2, words->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Attention ---- */

static lpot_status check_attention(const lpot_infer *infer, lpot_error *err) {
  static const char *const refused[] = {"do_rotary", "past_present_share_buffer"};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    if (lpot_node_int(infer->node, refused[i], 0) != 0) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%s is 1, expected 0", refused[i]);
    }
  }
  if (lpot_infer_input(infer, 4) != NULL || lpot_infer_input(infer, 6) != NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "attention over a past is not supported");
  }
  if (infer->node->num_outputs > 1 && infer->node->outputs[1] != LPOT_NONE) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the output 'present' is not supported");
  }
  if (lpot_node_int(infer->node, "num_heads", 0) < 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "num_heads is %" PRId64 ", expected at least 1",
                     lpot_node_int(infer->node, "num_heads", 0));
  }
  return LPOT_OK;
}

/* Columns of the values, which are those of the output. */
static lpot_status value_columns(const lpot_infer *infer, const lpot_shape *weights,
                                 int64_t *ret_columns, lpot_error *err) {
  const int64_t *sizes = NULL;
  size_t count = lpot_node_ints(infer->node, "qkv_hidden_sizes", &sizes);
  int64_t heads = lpot_node_int(infer->node, "num_heads", 0);
  int64_t columns = LPOT_DIM_UNKNOWN;
  if (count != 0 && count != 3) {
    return LPOT_FAIL(err, LPOT_FORMAT, "qkv_hidden_sizes has %zu values, expected 3", count);
  }
  if (count == 3) {
    columns = sizes[2];
  } else if (weights->rank == 2 && weights->dims[1] != LPOT_DIM_UNKNOWN) {
    columns = weights->dims[1] % 3 == 0 ? weights->dims[1] / 3 : 0;
  }
  if (columns != LPOT_DIM_UNKNOWN && (columns < 1 || columns % heads != 0)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%" PRId64 " heads cannot share the columns of the weights",
                     heads);
  }
  *ret_columns = columns;
  return LPOT_OK;
}

/* Input [batch, sequence, hidden], weights [hidden, q + k + v], bias, mask, past, attention bias.
 */
lpot_status lpot_infer_attention(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *weights = lpot_infer_input(infer, 1);
  lpot_shape product;
  lpot_shape shape;
  LPOT_TRY(check_attention(infer, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 2, err));
  LPOT_TRY(lpot_infer_check_rank("the input", &input->shape, 3, err));
  LPOT_TRY(lpot_infer_check_rank("the weights", &weights->shape, 2, err));
  LPOT_TRY(lpot_infer_matmul_shape(&input->shape, &weights->shape, &product, err));
  LPOT_TRY(lpot_infer_shape_of_rank(3, &shape, err));
  if (input->shape.rank == 3) {
    shape.dims[0] = input->shape.dims[0];
    shape.dims[1] = input->shape.dims[1];
  }
  LPOT_TRY(value_columns(infer, &weights->shape, &shape.dims[2], err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}
