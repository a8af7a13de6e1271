/* Rules of the operators that rearrange elements or make shapes. */
#include <inttypes.h>

#include "graph/infer_rules.h"

/* ---- shapes given as values ---- */

/* The shape that the integers of an input describe: [4, ?], or rank alone, or nothing. */
static lpot_status shape_from_input(const lpot_infer *infer, int index, lpot_shape *ret,
                                    lpot_error *err) {
  lpot_partial_ints ints;
  lpot_infer_get_ints(infer, index, &ints);
  *ret = lpot_shape_unknown();
  const lpot_shape *list_shape = &lpot_infer_input(infer, index)->shape;
  if (ints.count < 0) {
    if (list_shape->rank == 1 && list_shape->dims[0] != LPOT_DIM_UNKNOWN) {
      LPOT_TRY(lpot_infer_shape_of_rank(list_shape->dims[0], ret, err));
    }
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_shape_of_rank(ints.count, ret, err));
  for (int i = 0; i < ints.count; i++) {
    if (ints.elements[i] == LPOT_INT_UNKNOWN) {
      continue;
    }
    if (ints.elements[i] < 0 || ints.elements[i] > LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the wanted shape has the dimension %" PRId64,
                       ints.elements[i]);
    }
    ret->dims[i] = ints.elements[i];
  }
  return LPOT_OK;
}

lpot_status lpot_infer_constant_of_shape(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(shape_from_input(infer, 0, &shape, err));
  lpot_dtype dtype = LPOT_F32;
  const lpot_attribute *value = lpot_node_attribute(infer->node, "value");
  if (value != NULL) {
    if (value->kind != LPOT_ATTRIBUTE_TENSOR || lpot_tensor_elements(value->tensor) != 1) {
      return LPOT_FAIL(err, LPOT_FORMAT, "attribute value is no tensor of one element");
    }
    dtype = value->tensor->dtype;
  }
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_expand(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape wanted;
  lpot_shape shape;
  LPOT_TRY(shape_from_input(infer, 1, &wanted, err));
  LPOT_TRY(lpot_infer_broadcast(&input->shape, &wanted, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

static int clamp_axis(int64_t axis, int rank) {
  int64_t moved = axis < 0 ? axis + rank : axis;
  if (moved < 0) {
    return 0;
  }
  return moved > rank ? rank : (int)moved;
}

void lpot_infer_shape_window(const lpot_node *node, int rank, int *ret_start, int *ret_end) {
  *ret_start = clamp_axis(lpot_node_int(node, "start", 0), rank);
  *ret_end = clamp_axis(lpot_node_int(node, "end", rank), rank);
}

lpot_status lpot_infer_shape(lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  lpot_shape shape;
  LPOT_TRY(lpot_infer_shape_of_rank(1, &shape, err));
  if (input->rank != LPOT_RANK_UNKNOWN) {
    int start = 0;
    int end = 0;
    lpot_infer_shape_window(infer->node, input->rank, &start, &end);
    shape.dims[0] = end > start ? end - start : 0;
  }
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S64, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_size(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape = lpot_shape_scalar();
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S64, &shape, err));
  return LPOT_OK;
}

/* ---- Reshape ---- */

/* Where the target keeps an input dimension (by 0) that dimension takes no part in the products, so
 * that an unknown one does no harm. */
typedef struct reshape {
  const lpot_shape *input;
  lpot_shape output;
  bool kept[LPOT_MAX_RANK]; /* input dimensions that the target keeps */
  int64_t output_product;   /* of the other target dimensions; LPOT_DIM_UNKNOWN if one is */
  int inferred;             /* where the target says -1; -1 for nowhere */
} reshape;

static lpot_status read_target_dim(reshape *state, int i, int64_t target, bool allow_zero,
                                   lpot_error *err) {
  if (target == LPOT_INT_UNKNOWN) {
    state->output_product = LPOT_DIM_UNKNOWN;
    return LPOT_OK;
  }
  if (target == 0 && !allow_zero) {
    if (state->input->rank == LPOT_RANK_UNKNOWN) {
      return LPOT_OK;
    }
    if (i >= state->input->rank) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "the target shape keeps dimension %d of an input of rank %d", i,
                       state->input->rank);
    }
    state->kept[i] = true;
    state->output.dims[i] = state->input->dims[i];
    return LPOT_OK;
  }
  if (target == -1) {
    if (state->inferred >= 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the target shape has more than one -1");
    }
    state->inferred = i;
    return LPOT_OK;
  }
  if (target < 0 || target > LPOT_MAX_DIM) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the target shape has the dimension %" PRId64, target);
  }
  state->output.dims[i] = target;
  LPOT_TRY(lpot_dim_mul(state->output_product, target, &state->output_product, err));
  return LPOT_OK;
}

static lpot_status resolve_products(reshape *state, lpot_error *err) {
  int64_t input_product = 1;
  for (int i = 0; i < state->input->rank; i++) {
    if (!state->kept[i]) {
      LPOT_TRY(lpot_dim_mul(input_product, state->input->dims[i], &input_product, err));
    }
  }
  int64_t output_product = state->output_product;
  if (state->input->rank == LPOT_RANK_UNKNOWN || input_product == LPOT_DIM_UNKNOWN ||
      output_product == LPOT_DIM_UNKNOWN) {
    return LPOT_OK;
  }
  bool fits = input_product == output_product;
  if (state->inferred >= 0) {
    fits = output_product != 0 && input_product % output_product == 0;
  }
  if (!fits) {
    char text[160];
    lpot_shape_text(state->input, text, sizeof text);
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "an input of shape %s cannot be reshaped: %" PRId64
                     " elements do not fit to %" PRId64,
                     text, input_product, output_product);
  }
  if (state->inferred >= 0) {
    state->output.dims[state->inferred] = input_product / output_product;
  }
  return LPOT_OK;
}

lpot_status lpot_infer_reshape(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_shape *list_shape = &lpot_infer_input(infer, 1)->shape;
  LPOT_TRY(lpot_infer_check_rank("the target shape", list_shape, 1, err));
  lpot_partial_ints target;
  lpot_infer_get_ints(infer, 1, &target);
  lpot_shape shape = lpot_shape_unknown();
  if (target.count < 0) {
    if (list_shape->rank == 1 && list_shape->dims[0] != LPOT_DIM_UNKNOWN) {
      LPOT_TRY(lpot_infer_shape_of_rank(list_shape->dims[0], &shape, err));
    }
    LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
    return LPOT_OK;
  }
  reshape state = {.input = &input->shape, .output_product = 1, .inferred = -1};
  LPOT_TRY(lpot_infer_shape_of_rank(target.count, &state.output, err));
  bool allow_zero = lpot_node_int(infer->node, "allowzero", 0) != 0;
  for (int i = 0; i < target.count; i++) {
    LPOT_TRY(read_target_dim(&state, i, target.elements[i], allow_zero, err));
  }
  LPOT_TRY(resolve_products(&state, err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &state.output, err));
  return LPOT_OK;
}

/* ---- Flatten, Squeeze, Unsqueeze, Transpose ---- */

lpot_status lpot_infer_flatten(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_shape_of_rank(2, &shape, err));
  int rank = input->shape.rank;
  if (rank != LPOT_RANK_UNKNOWN) {
    int64_t axis = lpot_node_int(infer->node, "axis", 1);
    if (axis < -rank || axis > rank) {
      return LPOT_FAIL(err, LPOT_FORMAT, "axis is %" PRId64 ", expected %d to %d", axis, -rank,
                       rank);
    }
    axis = axis < 0 ? axis + rank : axis;
    shape.dims[0] = 1;
    shape.dims[1] = 1;
    for (int i = 0; i < rank; i++) {
      int64_t *product = &shape.dims[i < axis ? 0 : 1];
      LPOT_TRY(lpot_dim_mul(*product, input->shape.dims[i], product, err));
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

static lpot_status squeeze_all(const lpot_shape *input, lpot_shape *ret) {
  *ret = lpot_shape_scalar();
  for (int i = 0; i < input->rank; i++) {
    if (input->dims[i] == LPOT_DIM_UNKNOWN) {
      *ret = lpot_shape_unknown();
      return LPOT_OK;
    }
    if (input->dims[i] != 1) {
      ret->dims[ret->rank++] = input->dims[i];
    }
  }
  return LPOT_OK;
}

static lpot_status squeeze_axes(const lpot_shape *input, const lpot_int_list *axes, lpot_shape *ret,
                                lpot_error *err) {
  bool is_axis[LPOT_MAX_RANK];
  LPOT_TRY(lpot_infer_axes(axes, input->rank, is_axis, err));
  *ret = lpot_shape_scalar();
  for (int i = 0; i < input->rank; i++) {
    if (!is_axis[i]) {
      ret->dims[ret->rank++] = input->dims[i];
      continue;
    }
    if (input->dims[i] != 1 && input->dims[i] != LPOT_DIM_UNKNOWN) {
      return LPOT_FAIL(err, LPOT_FORMAT, "dimension %d has the size %" PRId64 ", expected 1", i,
                       input->dims[i]);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_infer_squeeze(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_int_list axes;
  LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, 1, "axes", &axes, err));
  lpot_shape shape = lpot_shape_unknown();
  if (input->shape.rank != LPOT_RANK_UNKNOWN && axes.state != LPOT_INTS_COMPUTED) {
    if (axes.state == LPOT_INTS_ABSENT) {
      LPOT_TRY(squeeze_all(&input->shape, &shape));
    } else {
      LPOT_TRY(squeeze_axes(&input->shape, &axes, &shape, err));
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_unsqueeze(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_int_list axes;
  LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, 1, "axes", &axes, err));
  lpot_shape shape = lpot_shape_unknown();
  if (input->shape.rank != LPOT_RANK_UNKNOWN && axes.state == LPOT_INTS_CONSTANT) {
    if (axes.count > LPOT_MAX_RANK) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "axes has %zu values, expected at most %d",
                       axes.count, LPOT_MAX_RANK);
    }
    bool is_axis[LPOT_MAX_RANK];
    LPOT_TRY(lpot_infer_shape_of_rank(input->shape.rank + (int64_t)axes.count, &shape, err));
    LPOT_TRY(lpot_infer_axes(&axes, shape.rank, is_axis, err));
    int from = 0;
    for (int i = 0; i < shape.rank; i++) {
      shape.dims[i] = is_axis[i] ? 1 : input->shape.dims[from++];
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

static lpot_status permute(const lpot_shape *input, const lpot_int_list *order, lpot_shape *ret,
                           lpot_error *err) {
  bool is_axis[LPOT_MAX_RANK];
  if (input->rank != LPOT_RANK_UNKNOWN && order->count != (size_t)input->rank) {
    return LPOT_FAIL(err, LPOT_FORMAT, "perm has %zu values, expected %d", order->count,
                     input->rank);
  }
  LPOT_TRY(lpot_infer_shape_of_rank((int64_t)order->count, ret, err));
  LPOT_TRY(lpot_infer_axes(order, ret->rank, is_axis, err));
  for (int i = 0; i < ret->rank; i++) {
    int64_t axis = lpot_int_list_at(order, (size_t)i);
    if (axis < 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "perm has the value %" PRId64, axis);
    }
    if (input->rank != LPOT_RANK_UNKNOWN) {
      ret->dims[i] = input->dims[axis];
    }
  }
  return LPOT_OK;
}

lpot_status lpot_infer_transpose(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_int_list order;
  LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, LPOT_NONE, "perm", &order, err));
  lpot_shape shape = input->shape;
  if (order.state == LPOT_INTS_CONSTANT) {
    LPOT_TRY(permute(&input->shape, &order, &shape, err));
  } else {
    for (int i = 0; i < shape.rank; i++) {
      shape.dims[i] = input->shape.dims[shape.rank - 1 - i];
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}
