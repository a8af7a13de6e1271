/* Rules of the operators that read or write elements by lists of indices: GatherElements, GatherND,
 * ScatterElements, ScatterND, ReverseSequence. */
#include <inttypes.h>

#include "graph/infer_rules.h"

static lpot_status check_index_type(const lpot_value *indices, lpot_error *err) {
  if (indices->dtype != LPOT_S64 && indices->dtype != LPOT_S32) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the indices have the type %s, expected int64",
                     lpot_dtype_text(indices->dtype));
  }
  return LPOT_OK;
}

/* ---- GatherElements, ScatterElements ---- */

/* The indices have the rank of the data and, but along the axis, at most its dimensions. */
static lpot_status check_element_indices(const lpot_infer *infer, lpot_error *err) {
  const lpot_shape *data = &lpot_infer_input(infer, 0)->shape;
  const lpot_value *indices = lpot_infer_input(infer, 1);
  int axis = 0;
  LPOT_TRY(check_index_type(indices, err));
  if (data->rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", 0), data->rank, &axis, err));
  LPOT_TRY(lpot_infer_check_rank("input 1 (indices)", &indices->shape, data->rank, err));
  for (int i = 0; i < indices->shape.rank; i++) {
    if (i != axis && data->dims[i] != LPOT_DIM_UNKNOWN && indices->shape.dims[i] > data->dims[i]) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "dimension %d of the indices is %" PRId64 ", expected at most %" PRId64, i,
                       indices->shape.dims[i], data->dims[i]);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_infer_gather_elements(lpot_infer *infer, lpot_error *err) {
  const lpot_value *data = lpot_infer_input(infer, 0);
  LPOT_TRY(check_element_indices(infer, err));
  LPOT_TRY(lpot_infer_output(infer, 0, data->dtype, &lpot_infer_input(infer, 1)->shape, err));
  return LPOT_OK;
}

/* LPOT_FORMAT unless the updates may have that shape. */
static lpot_status check_updates(const lpot_shape *updates, const lpot_shape *expected,
                                 lpot_error *err) {
  if (updates->rank == LPOT_RANK_UNKNOWN || expected->rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_check_rank("input 2 (updates)", updates, expected->rank, err));
  for (int i = 0; i < updates->rank; i++) {
    int64_t merged = 0;
    if (lpot_dim_merge(updates->dims[i], expected->dims[i], &merged, NULL) != LPOT_OK) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "dimension %d of the updates is %" PRId64 ", expected %" PRId64, i,
                       updates->dims[i], expected->dims[i]);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_infer_scatter_elements(lpot_infer *infer, lpot_error *err) {
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 2, err));
  LPOT_TRY(check_element_indices(infer, err));
  LPOT_TRY(
      check_updates(&lpot_infer_input(infer, 2)->shape, &lpot_infer_input(infer, 1)->shape, err));
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* ---- GatherND, ScatterND ---- */

/* The shape of what the tuples of indices name: one slice of data for each tuple. Unknown while the
 * length of the tuples is. */
static lpot_status shape_of_slices(const lpot_shape *data, const lpot_shape *indices,
                                   int batch_dims, lpot_shape *ret, lpot_error *err) {
  *ret = lpot_shape_unknown();
  if (data->rank == LPOT_RANK_UNKNOWN || indices->rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  if (data->rank < 1 || indices->rank < 1 || batch_dims >= indices->rank ||
      batch_dims >= data->rank) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "data of rank %d and indices of rank %d, expected at least %d", data->rank,
                     indices->rank, batch_dims + 1);
  }
  int64_t length = indices->dims[indices->rank - 1];
  if (length == LPOT_DIM_UNKNOWN) {
    return LPOT_OK;
  }
  if (length < 1 || length > data->rank - batch_dims) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the last dimension of the indices is %" PRId64 ", expected 1 to %d", length,
                     data->rank - batch_dims);
  }
  int first = batch_dims + (int)length;
  LPOT_TRY(lpot_infer_shape_of_rank((int64_t)indices->rank - 1 + data->rank - first, ret, err));
  for (int i = 0; i < indices->rank - 1; i++) {
    ret->dims[i] = indices->dims[i];
    if (i < batch_dims) {
      LPOT_TRY(lpot_dim_merge(indices->dims[i], data->dims[i], &ret->dims[i], err));
    }
  }
  for (int i = first; i < data->rank; i++) {
    ret->dims[indices->rank - 1 + i - first] = data->dims[i];
  }
  return LPOT_OK;
}

lpot_status lpot_infer_gather_nd(lpot_infer *infer, lpot_error *err) {
  const lpot_value *data = lpot_infer_input(infer, 0);
  const lpot_value *indices = lpot_infer_input(infer, 1);
  int64_t batch_dims = lpot_node_int(infer->node, "batch_dims", 0);
  if (batch_dims < 0 || batch_dims >= LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "batch_dims is %" PRId64 ", expected 0 to %d", batch_dims,
                     LPOT_MAX_RANK - 1);
  }
  lpot_shape shape;
  LPOT_TRY(check_index_type(indices, err));
  LPOT_TRY(shape_of_slices(&data->shape, &indices->shape, (int)batch_dims, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, data->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_scatter_nd(lpot_infer *infer, lpot_error *err) {
  const lpot_value *indices = lpot_infer_input(infer, 1);
  lpot_shape slices;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 2, err));
  LPOT_TRY(check_index_type(indices, err));
  LPOT_TRY(shape_of_slices(&lpot_infer_input(infer, 0)->shape, &indices->shape, 0, &slices, err));
  LPOT_TRY(check_updates(&lpot_infer_input(infer, 2)->shape, &slices, err));
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* ---- ReverseSequence ---- */

lpot_status lpot_infer_reverse_sequence(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  const lpot_shape *lengths = &lpot_infer_input(infer, 1)->shape;
  int64_t time_axis = lpot_node_int(infer->node, "time_axis", 0);
  int64_t batch_axis = lpot_node_int(infer->node, "batch_axis", 1);
  if (time_axis < 0 || time_axis > 1 || batch_axis != 1 - time_axis) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "time_axis is %" PRId64 " and batch_axis %" PRId64
                     ", expected 0 and 1 or 1 and 0",
                     time_axis, batch_axis);
  }
  LPOT_TRY(lpot_infer_check_rank("input 1 (the lengths)", lengths, 1, err));
  if (input->rank != LPOT_RANK_UNKNOWN && input->rank < 2) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has rank %d, expected at least 2", input->rank);
  }
  if (input->rank != LPOT_RANK_UNKNOWN && lengths->rank == 1) {
    int64_t merged = 0;
    LPOT_TRY(lpot_dim_merge(input->dims[batch_axis], lengths->dims[0], &merged, err));
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}
