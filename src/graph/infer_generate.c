/* Rules of the operators that make patterns: EyeLike, OneHot, Range, Tile, Trilu; and CumSum. */
#include <inttypes.h>
#include <math.h>

#include "graph/infer_rules.h"

/* ---- EyeLike, Trilu, CumSum ---- */

lpot_status lpot_infer_eye_like(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_dtype dtype = input->dtype;
  if (lpot_node_attribute(infer->node, "dtype") != NULL) {
    int64_t wanted = lpot_node_int(infer->node, "dtype", 0);
    dtype = wanted < 1 || wanted > 1000 ? LPOT_DTYPE_UNKNOWN : lpot_dtype_from_onnx((int)wanted);
    if (dtype == LPOT_DTYPE_UNKNOWN) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the data type %" PRId64 " is not supported", wanted);
    }
  }
  LPOT_TRY(lpot_infer_check_rank("the input", &input->shape, 2, err));
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, &input->shape, err));
  return LPOT_OK;
}

/* LPOT_FORMAT unless the input, where it is there, may have one element. */
static lpot_status check_single(const lpot_infer *infer, int index, lpot_error *err) {
  const lpot_value *value = lpot_infer_input(infer, index);
  if (value != NULL && lpot_shape_is_known(&value->shape) &&
      lpot_shape_elements(&value->shape) != 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d has %" PRId64 " elements, expected 1", index,
                     lpot_shape_elements(&value->shape));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_trilu(lpot_infer *infer, lpot_error *err) {
  int rank = lpot_infer_input(infer, 0)->shape.rank;
  if (rank != LPOT_RANK_UNKNOWN && rank < 2) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has rank %d, expected at least 2", rank);
  }
  LPOT_TRY(check_single(infer, 1, err));
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

lpot_status lpot_infer_cum_sum(lpot_infer *infer, lpot_error *err) {
  int rank = lpot_infer_input(infer, 0)->shape.rank;
  lpot_partial_ints axis;
  lpot_infer_get_ints(infer, 1, &axis);
  LPOT_TRY(check_single(infer, 1, err));
  if (rank != LPOT_RANK_UNKNOWN && axis.count == 1 && axis.elements[0] != LPOT_INT_UNKNOWN) {
    int ignored = 0;
    LPOT_TRY(lpot_infer_axis(axis.elements[0], rank, &ignored, err));
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* ---- OneHot ---- */

lpot_status lpot_infer_one_hot(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *indices = &lpot_infer_input(infer, 0)->shape;
  const lpot_tensor *depth = lpot_infer_constant_input(infer, 1);
  const lpot_value *values = lpot_infer_input(infer, 2);
  lpot_shape shape = lpot_shape_unknown();
  LPOT_TRY(check_single(infer, 1, err));
  LPOT_TRY(lpot_infer_check_rank("input 2 (the values)", &values->shape, 1, err));
  if (values->shape.rank == 1 && values->shape.dims[0] != LPOT_DIM_UNKNOWN &&
      values->shape.dims[0] != 2) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input 2 has %" PRId64 " values, expected 2: off and on",
                     values->shape.dims[0]);
  }
  if (indices->rank != LPOT_RANK_UNKNOWN) {
    int axis = 0;
    LPOT_TRY(lpot_infer_shape_of_rank((int64_t)indices->rank + 1, &shape, err));
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", -1), shape.rank, &axis, err));
    for (int i = 0; i < indices->rank; i++) {
      shape.dims[i < axis ? i : i + 1] = indices->dims[i];
    }
    if (depth != NULL) {
      shape.dims[axis] = lpot_tensor_get_int(depth, 0);
      if (shape.dims[axis] < 1 || shape.dims[axis] > LPOT_MAX_DIM) {
        return LPOT_FAIL(err, LPOT_FORMAT, "the depth is %" PRId64 ", expected at least 1",
                         shape.dims[axis]);
      }
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, values->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Range ---- */

static lpot_status count_of_ints(int64_t start, int64_t limit, int64_t delta, int64_t *ret_count,
                                 lpot_error *err) {
  int64_t distance = 0;
  if (__builtin_sub_overflow(limit, start, &distance)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a range from %" PRId64 " to %" PRId64 " is too long", start,
                     limit);
  }
  if (distance == 0 || (distance > 0) != (delta > 0)) {
    *ret_count = 0;
    return LPOT_OK;
  }
  /* One step less than the distance, so that the last step may reach beyond the limit. */
  *ret_count = (distance > 0 ? distance - 1 : distance + 1) / delta + 1;
  return LPOT_OK;
}

static lpot_status count_of_reals(double start, double limit, double delta, int64_t *ret_count,
                                  lpot_error *err) {
  double count = ceil((limit - start) / delta);
  if (!(count <= (double)LPOT_MAX_DIM)) { /* NaN too */
    return LPOT_FAIL(err, LPOT_FORMAT, "a range from %g to %g by %g is too long", start, limit,
                     delta);
  }
  *ret_count = count < 0.0 ? 0 : (int64_t)count;
  return LPOT_OK;
}

/* LPOT_DIM_UNKNOWN while a bound is not known. */
static lpot_status count_of_range(const lpot_infer *infer, int64_t *ret_count, lpot_error *err) {
  int64_t ints[3] = {0};
  double reals[3] = {0};
  *ret_count = LPOT_DIM_UNKNOWN;
  bool is_float = lpot_dtype_is_float(lpot_infer_input(infer, 0)->dtype);
  for (int i = 0; i < 3; i++) {
    const lpot_tensor *constant = lpot_infer_constant_input(infer, i);
    lpot_partial_ints partial;
    lpot_infer_get_ints(infer, i, &partial);
    if (constant != NULL) {
      ints[i] = lpot_tensor_get_int(constant, 0);
      reals[i] = lpot_tensor_get_double(constant, 0);
    } else if (partial.count == 1 && partial.elements[0] != LPOT_INT_UNKNOWN) {
      ints[i] = partial.elements[0];
    } else {
      return LPOT_OK;
    }
  }
  if (is_float ? reals[2] == 0.0 : ints[2] == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the step of a range is 0");
  }
  if (is_float) {
    LPOT_TRY(count_of_reals(reals[0], reals[1], reals[2], ret_count, err));
  } else {
    LPOT_TRY(count_of_ints(ints[0], ints[1], ints[2], ret_count, err));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_range(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  for (int i = 0; i < 3; i++) {
    LPOT_TRY(check_single(infer, i, err));
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, i, err));
  }
  LPOT_TRY(lpot_infer_shape_of_rank(1, &shape, err));
  LPOT_TRY(count_of_range(infer, &shape.dims[0], err));
  LPOT_TRY(lpot_infer_output(infer, 0, lpot_infer_input(infer, 0)->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Tile ---- */

lpot_status lpot_infer_tile(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape = input->shape;
  lpot_partial_ints repeats;
  lpot_infer_get_ints(infer, 1, &repeats);
  LPOT_TRY(lpot_infer_check_rank("input 1 (repeats)", &lpot_infer_input(infer, 1)->shape, 1, err));
  if (shape.rank != LPOT_RANK_UNKNOWN && repeats.count >= 0 && repeats.count != shape.rank) {
    return LPOT_FAIL(err, LPOT_FORMAT, "repeats has %d values, expected %d", repeats.count,
                     shape.rank);
  }
  for (int i = 0; i < shape.rank; i++) {
    int64_t count = repeats.count < 0 ? LPOT_INT_UNKNOWN : repeats.elements[i];
    if (count == LPOT_INT_UNKNOWN) {
      shape.dims[i] = LPOT_DIM_UNKNOWN;
      continue;
    }
    if (count < 0 || count > LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "repeats has the value %" PRId64, count);
    }
    LPOT_TRY(lpot_dim_mul(shape.dims[i], count, &shape.dims[i], err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}
