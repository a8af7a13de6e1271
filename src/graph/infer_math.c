/* Rules of convolutions, pools and products. */
#include <inttypes.h>

#include "graph/infer_rules.h"

/* ---- Conv, ConvTranspose, pools ---- */

/* For Conv weights [M, C / group, ...], for ConvTranspose [C, M / group, ...]. */
static lpot_status conv_channels(const lpot_node *node, const lpot_shape *input,
                                 const lpot_shape *weights, int64_t group, int64_t *ret_channels,
                                 lpot_error *err) {
  bool transposed = node->op == LPOT_OP_CONV_TRANSPOSE;
  int64_t per_group = LPOT_DIM_UNKNOWN;
  int64_t merged = LPOT_DIM_UNKNOWN;
  LPOT_TRY(lpot_dim_mul(weights->dims[1], group, &per_group, err));
  int64_t expected = transposed ? weights->dims[0] : per_group;
  if (lpot_dim_merge(input->dims[1], expected, &merged, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the input has %" PRId64 " channels, the weights expect %" PRId64,
                     input->dims[1], expected);
  }
  if (weights->dims[0] != LPOT_DIM_UNKNOWN && weights->dims[0] % group != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "%" PRId64 " channels cannot be divided into %" PRId64 " groups",
                     weights->dims[0], group);
  }
  *ret_channels = transposed ? per_group : weights->dims[0];
  return LPOT_OK;
}

static lpot_status window_shape(const lpot_shape *input, int64_t channels,
                                const lpot_window *window, lpot_shape *ret, lpot_error *err) {
  LPOT_TRY(lpot_infer_shape_of_rank(input->rank, ret, err));
  ret->dims[0] = input->dims[0];
  ret->dims[1] = channels;
  for (int i = 0; i < window->num_spatial; i++) {
    ret->dims[i + 2] = window->output[i];
  }
  return LPOT_OK;
}

lpot_status lpot_infer_conv_shape(const lpot_infer *infer, const lpot_shape *input,
                                  const lpot_shape *weights, lpot_shape *ret, lpot_error *err) {
  int rank = input->rank == LPOT_RANK_UNKNOWN ? weights->rank : input->rank;
  if (input->rank == LPOT_RANK_UNKNOWN || weights->rank == LPOT_RANK_UNKNOWN) {
    *ret = lpot_shape_unknown();
    if (rank != LPOT_RANK_UNKNOWN) {
      LPOT_TRY(lpot_infer_shape_of_rank(rank, ret, err));
    }
    return LPOT_OK;
  }
  lpot_window window;
  int64_t channels = 0;
  LPOT_TRY(lpot_infer_check_rank("the weights", weights, rank, err));
  LPOT_TRY(lpot_window_compute(infer->node, input, weights, &window, err));
  LPOT_TRY(conv_channels(infer->node, input, weights, window.group, &channels, err));
  LPOT_TRY(window_shape(input, channels, &window, ret, err));
  return LPOT_OK;
}

static lpot_status check_bias(const lpot_value *bias, const lpot_shape *output, lpot_error *err) {
  if (bias == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_check_rank("the bias", &bias->shape, 1, err));
  int64_t merged = 0;
  if (bias->shape.rank == 1 && output->rank > 1 &&
      lpot_dim_merge(bias->shape.dims[0], output->dims[1], &merged, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the bias has %" PRId64 " elements, expected %" PRId64,
                     bias->shape.dims[0], output->dims[1]);
  }
  return LPOT_OK;
}

lpot_status lpot_infer_conv(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *weights = lpot_infer_input(infer, 1);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 2, err));
  LPOT_TRY(lpot_infer_conv_shape(infer, &input->shape, &weights->shape, &shape, err));
  LPOT_TRY(check_bias(lpot_infer_input(infer, 2), &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_pool_shape(const lpot_infer *infer, const lpot_shape *input, lpot_shape *ret,
                                  lpot_error *err) {
  if (input->rank == LPOT_RANK_UNKNOWN) {
    *ret = lpot_shape_unknown();
    return LPOT_OK;
  }
  lpot_window window;
  LPOT_TRY(lpot_window_compute(infer->node, input, NULL, &window, err));
  LPOT_TRY(window_shape(input, input->dims[1], &window, ret, err));
  return LPOT_OK;
}

lpot_status lpot_infer_pool(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_pool_shape(infer, &input->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 1, LPOT_S64, &shape, err)); /* where the maxima were */
  return LPOT_OK;
}

lpot_status lpot_infer_global_pool_shape(const lpot_shape *input, lpot_shape *ret,
                                         lpot_error *err) {
  if (input->rank != LPOT_RANK_UNKNOWN && input->rank < 3) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has rank %d, expected at least 3", input->rank);
  }
  *ret = *input;
  for (int i = 2; i < ret->rank; i++) {
    if (ret->dims[i] == 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the input is empty in spatial dimension %d", i - 2);
    }
    ret->dims[i] = 1;
  }
  return LPOT_OK;
}

lpot_status lpot_infer_global_pool(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_global_pool_shape(&input->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- products ---- */

static lpot_status merge_depth(int64_t a, int64_t b, lpot_error *err) {
  int64_t merged = 0;
  if (lpot_dim_merge(a, b, &merged, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the factors do not fit: %" PRId64 " columns times %" PRId64 " rows", a, b);
  }
  return LPOT_OK;
}

lpot_status lpot_infer_gemm_shape(const lpot_infer *infer, const lpot_shape *a, const lpot_shape *b,
                                  lpot_shape *ret, lpot_error *err) {
  LPOT_TRY(lpot_infer_check_rank("input 0", a, 2, err));
  LPOT_TRY(lpot_infer_check_rank("the weights", b, 2, err));
  LPOT_TRY(lpot_infer_shape_of_rank(2, ret, err));
  int a_row = lpot_node_int(infer->node, "transA", 0) != 0 ? 1 : 0;
  int b_row = lpot_node_int(infer->node, "transB", 0) != 0 ? 1 : 0;
  if (a->rank == 2) {
    ret->dims[0] = a->dims[a_row];
  }
  if (b->rank == 2) {
    ret->dims[1] = b->dims[1 - b_row];
  }
  if (a->rank == 2 && b->rank == 2) {
    LPOT_TRY(merge_depth(a->dims[1 - a_row], b->dims[b_row], err));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_gemm(lpot_infer *infer, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, 0);
  const lpot_value *bias = lpot_infer_input(infer, 2);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 2, err));
  LPOT_TRY(
      lpot_infer_gemm_shape(infer, &a->shape, &lpot_infer_input(infer, 1)->shape, &shape, err));
  if (bias != NULL && bias->shape.rank > 2) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input 2 has rank %d, expected at most 2", bias->shape.rank);
  }
  for (int i = 1; bias != NULL && i <= bias->shape.rank; i++) {
    int64_t have = bias->shape.dims[bias->shape.rank - i];
    int64_t want = shape.dims[2 - i];
    if (have > 1 && want != LPOT_DIM_UNKNOWN && have != want) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "input 2 has the dimension %" PRId64 ", expected 1 or %" PRId64, have, want);
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, a->dtype, &shape, err));
  return LPOT_OK;
}

/* A vector counts as a matrix of one row (left) or one column (right). */
lpot_status lpot_infer_matmul_shape(const lpot_shape *a, const lpot_shape *b, lpot_shape *ret,
                                    lpot_error *err) {
  if (a->rank == LPOT_RANK_UNKNOWN || b->rank == LPOT_RANK_UNKNOWN) {
    *ret = lpot_shape_unknown();
    return LPOT_OK;
  }
  if (a->rank == 0 || b->rank == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a factor is a scalar");
  }
  LPOT_TRY(merge_depth(a->dims[a->rank - 1], b->dims[b->rank == 1 ? 0 : b->rank - 2], err));
  lpot_shape a_batch = *a;
  lpot_shape b_batch = *b;
  a_batch.rank = a->rank > 2 ? a->rank - 2 : 0;
  b_batch.rank = b->rank > 2 ? b->rank - 2 : 0;
  lpot_shape shape;
  LPOT_TRY(lpot_shape_broadcast(&a_batch, &b_batch, &shape, err));
  if (a->rank > 1) {
    shape.dims[shape.rank++] = a->dims[a->rank - 2];
  }
  if (b->rank > 1) {
    shape.dims[shape.rank++] = b->dims[b->rank - 1];
  }
  *ret = shape;
  return LPOT_OK;
}

lpot_status lpot_infer_matmul(lpot_infer *infer, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, 0);
  const lpot_value *b = lpot_infer_input(infer, 1);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_matmul_shape(&a->shape, &b->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, a->dtype, &shape, err));
  return LPOT_OK;
}
