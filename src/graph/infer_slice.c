/* Rules of the operators that take parts of tensors or put tensors together. */
#include <inttypes.h>
#include <string.h>

#include "graph/infer_rules.h"

/* ---- Concat ---- */

static lpot_status join_shape(const lpot_shape *next, int axis, lpot_shape *joined,
                              lpot_error *err) {
  for (int k = 0; k < joined->rank; k++) {
    if (k == axis) {
      LPOT_TRY(lpot_dim_add(joined->dims[k], next->dims[k], &joined->dims[k], err));
    } else {
      LPOT_TRY(lpot_dim_merge(joined->dims[k], next->dims[k], &joined->dims[k], err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_infer_concat_shape(const lpot_infer *infer, int first, int step, lpot_shape *ret,
                                    lpot_error *err) {
  const lpot_attribute *attribute = lpot_node_attribute(infer->node, "axis");
  if (attribute == NULL || attribute->kind != LPOT_ATTRIBUTE_INT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "axis is missing");
  }
  lpot_shape joined = lpot_infer_input(infer, first)->shape;
  int axis = 0;
  for (int i = first; i < infer->node->num_inputs; i += step) {
    const lpot_value *input = lpot_infer_input(infer, i);
    if (input == NULL) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %d is left out", i);
    }
    if (input->shape.rank == LPOT_RANK_UNKNOWN || joined.rank == LPOT_RANK_UNKNOWN) {
      *ret = lpot_shape_unknown();
      return LPOT_OK;
    }
    LPOT_TRY(lpot_infer_check_rank("an input", &input->shape, joined.rank, err));
    LPOT_TRY(lpot_infer_axis(attribute->integer, joined.rank, &axis, err));
    if (i > first) {
      lpot_status status = join_shape(&input->shape, axis, &joined, err);
      if (status != LPOT_OK) {
        lpot_error_prefix(err, "input %d", i);
        return status;
      }
    }
  }
  *ret = joined;
  return LPOT_OK;
}

lpot_status lpot_infer_concat(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(lpot_infer_concat_shape(infer, 0, 1, &shape, err));
  for (int i = 1; i < infer->node->num_inputs; i++) {
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, i, err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, lpot_infer_input(infer, 0)->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Gather ---- */

lpot_status lpot_infer_gather(lpot_infer *infer, lpot_error *err) {
  const lpot_value *data = lpot_infer_input(infer, 0);
  const lpot_value *indices = lpot_infer_input(infer, 1);
  if (indices->dtype != LPOT_S64 && indices->dtype != LPOT_S32) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the indices have the type %s, expected int64",
                     lpot_dtype_text(indices->dtype));
  }
  lpot_shape shape = lpot_shape_unknown();
  int rank = data->shape.rank;
  if (rank != LPOT_RANK_UNKNOWN && indices->shape.rank != LPOT_RANK_UNKNOWN) {
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", 0), rank, &axis, err));
    LPOT_TRY(lpot_infer_shape_of_rank((int64_t)rank - 1 + indices->shape.rank, &shape, err));
    int at = 0;
    for (int i = 0; i < axis; i++) {
      shape.dims[at++] = data->shape.dims[i];
    }
    for (int i = 0; i < indices->shape.rank; i++) {
      shape.dims[at++] = indices->shape.dims[i];
    }
    for (int i = axis + 1; i < rank; i++) {
      shape.dims[at++] = data->shape.dims[i];
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, data->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Pad ---- */

static lpot_status pad_dim(int64_t begin, int64_t end, bool reflect, int64_t *dim,
                           lpot_error *err) {
  if (begin < -LPOT_MAX_DIM || begin > LPOT_MAX_DIM || end < -LPOT_MAX_DIM || end > LPOT_MAX_DIM) {
    return LPOT_FAIL(err, LPOT_FORMAT, "pads has the values %" PRId64 " and %" PRId64, begin, end);
  }
  if (*dim == LPOT_DIM_UNKNOWN) {
    return LPOT_OK; /* Unknown dimensions stay unknown, padded or not. */
  }
  if (reflect && (begin >= *dim || end >= *dim) && (begin > 0 || end > 0)) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "pads of %" PRId64 " and %" PRId64 " cannot reflect a dimension of %" PRId64,
                     begin, end, *dim);
  }
  if (begin + *dim < 0 || end + *dim < 0 || begin + end + *dim < 0) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "pads of %" PRId64 " and %" PRId64 " cut more than the dimension of %" PRId64,
                     begin, end, *dim);
  }
  *dim += begin + end;
  return LPOT_OK;
}

static lpot_status check_pad_mode(const lpot_node *node, bool *ret_reflect, lpot_error *err) {
  const char *mode = lpot_node_string(node, "mode", "constant");
  *ret_reflect = strcmp(mode, "reflect") == 0;
  if (!*ret_reflect && strcmp(mode, "constant") != 0 && strcmp(mode, "edge") != 0 &&
      strcmp(mode, "wrap") != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "mode is '%s', expected constant, reflect, edge or wrap", mode);
  }
  return LPOT_OK;
}

/* The axis of each pair of pads. */
static lpot_status read_pad_axes(const lpot_infer *infer, int rank, int *axes, size_t *ret_count,
                                 bool *ret_known, lpot_error *err) {
  lpot_int_list list;
  bool is_axis[LPOT_MAX_RANK];
  LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, 3, NULL, &list, err));
  *ret_known = list.state != LPOT_INTS_COMPUTED;
  if (list.state != LPOT_INTS_CONSTANT) {
    for (int i = 0; i < rank; i++) {
      axes[i] = i;
    }
    *ret_count = (size_t)rank;
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_axes(&list, rank, is_axis, err));
  for (size_t i = 0; i < list.count; i++) {
    LPOT_TRY(lpot_infer_axis(lpot_int_list_at(&list, i), rank, &axes[i], err));
  }
  *ret_count = list.count;
  return LPOT_OK;
}

lpot_status lpot_infer_pad(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape = input->shape;
  bool reflect = false;
  LPOT_TRY(check_pad_mode(infer->node, &reflect, err));
  lpot_int_list pads;
  LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, 1, NULL, &pads, err));
  if (shape.rank != LPOT_RANK_UNKNOWN) {
    int axes[LPOT_MAX_RANK] = {0};
    size_t count = 0;
    bool axes_known = false;
    LPOT_TRY(read_pad_axes(infer, shape.rank, axes, &count, &axes_known, err));
    if (pads.state != LPOT_INTS_CONSTANT || !axes_known) {
      LPOT_TRY(lpot_infer_shape_of_rank(shape.rank, &shape, err));
    } else if (pads.count != 2 * count) {
      return LPOT_FAIL(err, LPOT_FORMAT, "pads has %zu values, expected %zu", pads.count,
                       2 * count);
    }
    for (size_t i = 0; i < count && pads.state == LPOT_INTS_CONSTANT && axes_known; i++) {
      LPOT_TRY(pad_dim(lpot_int_list_at(&pads, i), lpot_int_list_at(&pads, count + i), reflect,
                       &shape.dims[axes[i]], err));
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Slice ---- */

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
  if (value < low) {
    return low;
  }
  return value > high ? high : value;
}

lpot_slice_range lpot_infer_slice_range(int64_t size, int64_t start, int64_t end, int64_t step) {
  /* The smallest integer has no opposite; beyond the size every step selects one element. */
  step = clamp(step, -LPOT_MAX_DIM - 1, LPOT_MAX_DIM + 1);
  start = start < 0 ? start + size : start;
  end = end < 0 ? end + size : end;
  lpot_slice_range range = {0, 0, step};
  if (size == 0) {
    return range;
  }
  if (step > 0) {
    range.first = clamp(start, 0, size);
    end = clamp(end, 0, size);
    range.count = end > range.first ? (end - range.first - 1) / step + 1 : 0;
    return range;
  }
  range.first = clamp(start, 0, size - 1);
  end = clamp(end, -1, size - 1);
  range.count = range.first > end ? (range.first - end - 1) / -step + 1 : 0;
  return range;
}

typedef struct slice_lists {
  lpot_int_list starts, ends, axes, steps;
} slice_lists;

/* *ret_count is the number of axes that the constant lists name, which must agree. */
static lpot_status read_slice_lists(const lpot_infer *infer, slice_lists *ret, size_t *ret_count,
                                    lpot_error *err) {
  lpot_int_list *lists[] = {&ret->starts, &ret->ends, &ret->axes, &ret->steps};
  const lpot_int_list *reference = NULL;
  for (int i = 0; i < 4; i++) {
    LPOT_TRY(lpot_int_list_read(infer->graph, infer->node, i + 1, NULL, lists[i], err));
    if (lists[i]->state != LPOT_INTS_CONSTANT) {
      continue;
    }
    reference = reference == NULL ? lists[i] : reference;
    if (lists[i]->count != reference->count) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %d has %zu values, expected %zu", i + 1,
                       lists[i]->count, reference->count);
    }
  }
  *ret_count = reference == NULL ? 0 : reference->count;
  return LPOT_OK;
}

/* How many elements the slice takes of each of the count axes that it names. */
static lpot_status slice_axes(const slice_lists *lists, size_t count, lpot_shape *shape,
                              lpot_error *err) {
  bool seen[LPOT_MAX_RANK] = {false};
  bool known = lists->starts.state == LPOT_INTS_CONSTANT &&
               lists->ends.state == LPOT_INTS_CONSTANT && lists->steps.state != LPOT_INTS_COMPUTED;
  for (size_t i = 0; i < count; i++) {
    int axis = 0;
    bool listed = lists->axes.state == LPOT_INTS_CONSTANT;
    LPOT_TRY(lpot_infer_axis(listed ? lpot_int_list_at(&lists->axes, i) : (int64_t)i, shape->rank,
                             &axis, err));
    if (seen[axis]) {
      return LPOT_FAIL(err, LPOT_FORMAT, "axis %d is listed twice", axis);
    }
    seen[axis] = true;
    bool stepped = lists->steps.state == LPOT_INTS_CONSTANT;
    int64_t step = stepped ? lpot_int_list_at(&lists->steps, i) : 1;
    if (step == 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "a step is 0");
    }
    if (!known || shape->dims[axis] == LPOT_DIM_UNKNOWN) {
      shape->dims[axis] = LPOT_DIM_UNKNOWN;
      continue;
    }
    int64_t start = lpot_int_list_at(&lists->starts, i);
    int64_t end = lpot_int_list_at(&lists->ends, i);
    shape->dims[axis] = lpot_infer_slice_range(shape->dims[axis], start, end, step).count;
  }
  return LPOT_OK;
}

lpot_status lpot_infer_slice(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape = input->shape;
  slice_lists lists;
  size_t count = 0;
  LPOT_TRY(read_slice_lists(infer, &lists, &count, err));
  if (shape.rank != LPOT_RANK_UNKNOWN) {
    bool axes_unknown = lists.axes.state == LPOT_INTS_COMPUTED ||
                        (count == 0 && lists.starts.state == LPOT_INTS_COMPUTED);
    if (axes_unknown) {
      LPOT_TRY(lpot_infer_shape_of_rank(shape.rank, &shape, err));
    } else {
      LPOT_TRY(slice_axes(&lists, count, &shape, err));
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- Split ---- */

static lpot_status check_split_sizes(const lpot_int_list *sizes, int num_outputs, int64_t whole,
                                     lpot_error *err) {
  if (sizes->count != (size_t)num_outputs) {
    return LPOT_FAIL(err, LPOT_FORMAT, "split has %zu values, expected %d", sizes->count,
                     num_outputs);
  }
  int64_t sum = 0;
  for (size_t i = 0; i < sizes->count; i++) {
    int64_t size = lpot_int_list_at(sizes, i);
    if (size < 0 || size > LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "split has the value %" PRId64, size);
    }
    LPOT_TRY(lpot_dim_add(sum, size, &sum, err));
  }
  if (whole != LPOT_DIM_UNKNOWN && whole != sum) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the values of split add up to %" PRId64 ", expected %" PRId64, sum, whole);
  }
  return LPOT_OK;
}

/* The size of all parts but perhaps the last, which opset 18 lets be smaller. */
static lpot_status equal_part(const lpot_node *node, int opset, int64_t whole, int64_t *ret_part,
                              lpot_error *err) {
  int64_t parts = lpot_node_int(node, "num_outputs", node->num_outputs);
  if (parts != node->num_outputs) {
    return LPOT_FAIL(err, LPOT_FORMAT, "num_outputs is %" PRId64 ", the node has %d outputs", parts,
                     node->num_outputs);
  }
  if (whole == LPOT_DIM_UNKNOWN) {
    *ret_part = LPOT_DIM_UNKNOWN;
    return LPOT_OK;
  }
  bool uneven_allowed = opset >= 18 || lpot_node_attribute(node, "num_outputs") != NULL;
  if (whole % parts != 0 && !uneven_allowed) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%" PRId64 " cannot be split into %" PRId64 " equal parts",
                     whole, parts);
  }
  *ret_part = (whole + parts - 1) / parts;
  if (*ret_part * (parts - 1) > whole) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%" PRId64 " cannot be split into %" PRId64 " parts", whole,
                     parts);
  }
  return LPOT_OK;
}

lpot_status lpot_infer_split(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_node *node = infer->node;
  lpot_shape shape = input->shape;
  lpot_int_list sizes;
  int axis = 0;
  int64_t whole = LPOT_DIM_UNKNOWN;
  LPOT_TRY(lpot_int_list_read(infer->graph, node, 1, "split", &sizes, err));
  if (shape.rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(lpot_infer_axis(lpot_node_int(node, "axis", 0), shape.rank, &axis, err));
    whole = shape.dims[axis];
  }
  int64_t part = LPOT_DIM_UNKNOWN;
  if (sizes.state == LPOT_INTS_CONSTANT) {
    LPOT_TRY(check_split_sizes(&sizes, node->num_outputs, whole, err));
  } else if (sizes.state == LPOT_INTS_ABSENT) {
    LPOT_TRY(equal_part(node, lpot_graph_opset(infer->graph), whole, &part, err));
  }
  for (int i = 0; i < node->num_outputs; i++) {
    bool is_last = i == node->num_outputs - 1;
    int64_t size = is_last && part != LPOT_DIM_UNKNOWN ? whole - part * i : part;
    if (sizes.state == LPOT_INTS_CONSTANT) {
      size = lpot_int_list_at(&sizes, (size_t)i);
    }
    if (shape.rank != LPOT_RANK_UNKNOWN) {
      shape.dims[axis] = size;
    }
    LPOT_TRY(lpot_infer_output(infer, i, input->dtype, &shape, err));
  }
  return LPOT_OK;
}
