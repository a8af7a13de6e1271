/* Rules of the normalizations that compute their statistics at run time. Their first output has the
 * shape of their input. */
#include <inttypes.h>

#include "graph/infer_rules.h"

/* LPOT_FORMAT unless the input has channels (dimension 1). */
static lpot_status check_channels(const lpot_shape *input, lpot_error *err) {
  if (input->rank != LPOT_RANK_UNKNOWN && input->rank < 2) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has rank %d, expected at least 2", input->rank);
  }
  return LPOT_OK;
}

static int64_t channels_of(const lpot_shape *input) {
  return input->rank == LPOT_RANK_UNKNOWN ? LPOT_DIM_UNKNOWN : input->dims[1];
}

/* Input index is a vector of count elements, or of other_count where that is not 0. */
static lpot_status check_vector(const lpot_infer *infer, int index, int64_t count,
                                int64_t other_count, lpot_error *err) {
  const lpot_shape *shape = &lpot_infer_input(infer, index)->shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, index, err));
  LPOT_TRY(lpot_infer_check_rank("a parameter", shape, 1, err));
  bool known = shape->rank == 1 && shape->dims[0] != LPOT_DIM_UNKNOWN && count != LPOT_DIM_UNKNOWN;
  if (known && shape->dims[0] != count && (other_count == 0 || shape->dims[0] != other_count)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d has %" PRId64 " elements, expected %" PRId64,
                     index, shape->dims[0], count);
  }
  return LPOT_OK;
}

lpot_status lpot_infer_instance_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  LPOT_TRY(check_channels(input, err));
  LPOT_TRY(check_vector(infer, 1, channels_of(input), 0, err));
  LPOT_TRY(check_vector(infer, 2, channels_of(input), 0, err));
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* Scale and bias are per group in opset 18 and per channel in 21: their length tells. */
lpot_status lpot_infer_group_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  int64_t groups = lpot_node_int(infer->node, "num_groups", 0);
  int64_t channels = channels_of(input);
  LPOT_TRY(check_channels(input, err));
  if (groups < 1 || (channels != LPOT_DIM_UNKNOWN && channels % groups != 0)) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "num_groups is %" PRId64 ", expected a divisor of %" PRId64 " channels",
                     groups, channels);
  }
  LPOT_TRY(check_vector(infer, 1, channels, groups, err));
  LPOT_TRY(check_vector(infer, 2, channels, groups, err));
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* A parameter must broadcast to the dimensions from axis on. */
static lpot_status check_layer_parameter(const lpot_infer *infer, int index, int axis,
                                         lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  const lpot_value *parameter = lpot_infer_input(infer, index);
  if (parameter == NULL || parameter->shape.rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  const lpot_shape *shape = &parameter->shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, index, err));
  for (int i = 1; i <= shape->rank; i++) {
    int64_t have = shape->dims[shape->rank - i];
    bool inside = i <= input->rank - axis;
    int64_t want = inside ? input->dims[input->rank - i] : 1;
    bool fits = have == 1 || have == LPOT_DIM_UNKNOWN || want == LPOT_DIM_UNKNOWN || have == want;
    if (!fits) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "input %d has the dimension %" PRId64 ", expected %" PRId64, index, have,
                       want);
    }
  }
  return LPOT_OK;
}

/* Mean and inverse deviation have one element for each normalized row, of the type in which they
 * are computed. */
lpot_status lpot_infer_layer_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  int64_t stash_type = lpot_node_int(infer->node, "stash_type", 1);
  lpot_shape rows = *input;
  lpot_dtype dtype = stash_type < 1 || stash_type > 1000 ? LPOT_DTYPE_UNKNOWN
                                                         : lpot_dtype_from_onnx((int)stash_type);
  if (dtype == LPOT_DTYPE_UNKNOWN || !lpot_dtype_is_float(dtype)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "stash_type is %" PRId64 ", which is no float type",
                     stash_type);
  }
  if (input->rank != LPOT_RANK_UNKNOWN) {
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", -1), input->rank, &axis, err));
    LPOT_TRY(check_layer_parameter(infer, 1, axis, err));
    LPOT_TRY(check_layer_parameter(infer, 2, axis, err));
    for (int i = axis; i < rows.rank; i++) {
      rows.dims[i] = 1;
    }
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  LPOT_TRY(lpot_infer_output(infer, 1, dtype, &rows, err));
  LPOT_TRY(lpot_infer_output(infer, 2, dtype, &rows, err));
  return LPOT_OK;
}

lpot_status lpot_infer_lrn(lpot_infer *infer, lpot_error *err) {
  int64_t size = lpot_node_int(infer->node, "size", 0);
  LPOT_TRY(check_channels(&lpot_infer_input(infer, 0)->shape, err));
  if (size < 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "size is %" PRId64 ", expected at least 1", size);
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

lpot_status lpot_infer_mean_variance(lpot_infer *infer, lpot_error *err) {
  static const int64_t usual_axes[] = {0, 2, 3};
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  lpot_int_list axes;
  bool is_axis[LPOT_MAX_RANK];
  LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, LPOT_NONE, "axes", &axes, err));
  if (axes.state == LPOT_INTS_ABSENT) {
    axes = (lpot_int_list){.state = LPOT_INTS_CONSTANT, .count = 3, .values = usual_axes};
  }
  if (input->rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(lpot_infer_axes(&axes, input->rank, is_axis, err));
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}
