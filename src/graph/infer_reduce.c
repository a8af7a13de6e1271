/* Rules of the operators that make one element, or a few, of all those along axes: ReduceSum and
 * its kin, ArgMax, ArgMin, TopK. */
#include <inttypes.h>

#include "graph/infer_rules.h"

/* ---- ReduceSum and its kin ---- */

static void reduce_shape(const lpot_shape *input, const bool *is_axis, bool keep_dims,
                         lpot_shape *ret) {
  *ret = lpot_shape_scalar();
  for (int i = 0; i < input->rank; i++) {
    if (!is_axis[i]) {
      ret->dims[ret->rank++] = input->dims[i];
    } else if (keep_dims) {
      ret->dims[ret->rank++] = 1;
    }
  }
}

lpot_status lpot_infer_reduce(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_node *node = infer->node;
  bool keep_dims = lpot_node_int(node, "keepdims", 1) != 0;
  lpot_int_list axes;
  LPOT_TRY(lpot_int_list_read(infer->graph, node, 1, "axes", &axes, err));
  lpot_shape shape = lpot_shape_unknown();
  int rank = input->shape.rank;
  if (rank != LPOT_RANK_UNKNOWN && axes.state == LPOT_INTS_COMPUTED && keep_dims) {
    LPOT_TRY(lpot_infer_shape_of_rank(rank, &shape, err));
  }
  if (rank != LPOT_RANK_UNKNOWN && axes.state != LPOT_INTS_COMPUTED) {
    bool is_axis[LPOT_MAX_RANK];
    LPOT_TRY(lpot_infer_axes(&axes, rank, is_axis, err));
    bool reduce_all = axes.count == 0 && lpot_node_int(node, "noop_with_empty_axes", 0) == 0;
    for (int i = 0; i < rank && reduce_all; i++) {
      is_axis[i] = true;
    }
    reduce_shape(&input->shape, is_axis, keep_dims, &shape);
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- ArgMax, ArgMin ---- */

lpot_status lpot_infer_arg_reduce(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  lpot_shape shape = lpot_shape_unknown();
  if (input->rank != LPOT_RANK_UNKNOWN) {
    bool is_axis[LPOT_MAX_RANK] = {false};
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", 0), input->rank, &axis, err));
    if (input->dims[axis] == 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the input is empty along axis %d", axis);
    }
    is_axis[axis] = true;
    reduce_shape(input, is_axis, lpot_node_int(infer->node, "keepdims", 1) != 0, &shape);
  }
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S64, &shape, err));
  return LPOT_OK;
}

/* ---- TopK ---- */

lpot_status lpot_infer_top_k(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape = input->shape;
  lpot_partial_ints k;
  lpot_infer_get_ints(infer, 1, &k);
  if (k.count >= 0 && k.count != 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input 1 (k) has %d values, expected 1", k.count);
  }
  if (shape.rank != LPOT_RANK_UNKNOWN) {
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", -1), shape.rank, &axis, err));
    int64_t *dim = &shape.dims[axis];
    int64_t wanted = k.count == 1 ? k.elements[0] : LPOT_INT_UNKNOWN;
    int64_t most = *dim == LPOT_DIM_UNKNOWN ? LPOT_MAX_DIM : *dim;
    if (wanted != LPOT_INT_UNKNOWN && (wanted < 0 || wanted > most)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "k is %" PRId64 ", expected 0 to %" PRId64, wanted, most);
    }
    *dim = wanted == LPOT_INT_UNKNOWN ? LPOT_DIM_UNKNOWN : wanted;
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 1, LPOT_S64, &shape, err));
  return LPOT_OK;
}
