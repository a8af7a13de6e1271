/* What the rules of inference share: reading inputs, arithmetic of dimensions, writing outputs. */
#include <inttypes.h>

#include "graph/infer.h"
#include "graph/infer_rules.h"

/* ---- reading inputs ---- */

const lpot_value *lpot_infer_input(const lpot_infer *infer, int index) {
  lpot_value_id value = lpot_node_input(infer->node, index);
  return value == LPOT_NONE ? NULL : lpot_graph_value(infer->graph, value);
}

const lpot_tensor *lpot_infer_constant_input(const lpot_infer *infer, int index) {
  const lpot_value *value = lpot_infer_input(infer, index);
  return value == NULL ? NULL : value->constant;
}

static bool is_integer(lpot_dtype dtype) {
  return dtype == LPOT_S64 || dtype == LPOT_S32;
}

static lpot_status read_int_attribute(const lpot_node *node, const char *name, lpot_int_list *list,
                                      lpot_error *err) {
  const lpot_attribute *attribute = name == NULL ? NULL : lpot_node_attribute(node, name);
  if (attribute == NULL) {
    return LPOT_OK;
  }
  if (attribute->kind != LPOT_ATTRIBUTE_INTS && attribute->kind != LPOT_ATTRIBUTE_INT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute %s is no list of integers", name);
  }
  bool single = attribute->kind == LPOT_ATTRIBUTE_INT;
  list->state = LPOT_INTS_CONSTANT;
  list->values = single ? &attribute->integer : attribute->integers;
  list->count = single ? 1 : attribute->count;
  return LPOT_OK;
}

lpot_status lpot_int_list_read(const lpot_graph *graph, const lpot_node *node, int input_index,
                               const char *attribute, lpot_int_list *ret_list, lpot_error *err) {
  lpot_int_list list = {.state = LPOT_INTS_ABSENT};
  lpot_value_id id = lpot_node_input(node, input_index);
  if (id == LPOT_NONE) {
    LPOT_TRY(read_int_attribute(node, attribute, &list, err));
    *ret_list = list;
    return LPOT_OK;
  }
  const lpot_value *value = lpot_graph_value(graph, id);
  if (value->dtype != LPOT_DTYPE_UNKNOWN && !is_integer(value->dtype)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d has the type %s, expected int64", input_index,
                     lpot_dtype_text(value->dtype));
  }
  if (value->shape.rank > 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d has rank %d, expected 1", input_index,
                     value->shape.rank);
  }
  list.state = LPOT_INTS_COMPUTED;
  if (value->constant != NULL) {
    list.state = LPOT_INTS_CONSTANT;
    list.tensor = value->constant;
    list.count = (size_t)lpot_tensor_elements(value->constant);
  }
  *ret_list = list;
  return LPOT_OK;
}

int64_t lpot_int_list_at(const lpot_int_list *list, size_t index) {
  LPOT_ASSERT(index < list->count);
  return list->tensor != NULL ? lpot_tensor_get_int(list->tensor, (int64_t)index)
                              : list->values[index];
}

static lpot_status read_constant_ints(const lpot_graph *graph, const lpot_node *node,
                                      int input_index, const char *attribute, size_t capacity,
                                      int64_t *out, size_t *ret_count, lpot_error *err) {
  lpot_int_list list;
  LPOT_TRY(lpot_int_list_read(graph, node, input_index, attribute, &list, err));
  if (list.state == LPOT_INTS_COMPUTED) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "input '%s' is not constant",
                     lpot_graph_value(graph, node->inputs[input_index])->name);
  }
  if (list.count > capacity) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s has %zu values, expected at most %zu",
                     attribute == NULL ? "an input" : attribute, list.count, capacity);
  }
  for (size_t i = 0; i < list.count; i++) {
    out[i] = lpot_int_list_at(&list, i);
  }
  *ret_count = list.count;
  return LPOT_OK;
}

lpot_status lpot_node_constant_ints(const lpot_graph *graph, const lpot_node *node, int input_index,
                                    const char *attribute, size_t capacity, int64_t *out,
                                    size_t *ret_count, lpot_error *err) {
  lpot_status status =
      read_constant_ints(graph, node, input_index, attribute, capacity, out, ret_count, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", node->name);
  }
  return status;
}

lpot_status lpot_infer_axis(int64_t axis, int rank, int *ret_axis, lpot_error *err) {
  if (axis < -rank || axis >= rank) {
    return LPOT_FAIL(err, LPOT_FORMAT, "axis is %" PRId64 ", expected %d to %d", axis, -rank,
                     rank - 1);
  }
  *ret_axis = (int)(axis < 0 ? axis + rank : axis);
  return LPOT_OK;
}

lpot_status lpot_infer_axes(const lpot_int_list *list, int rank, bool is_axis[LPOT_MAX_RANK],
                            lpot_error *err) {
  for (int i = 0; i < LPOT_MAX_RANK; i++) {
    is_axis[i] = false;
  }
  for (size_t i = 0; i < list->count; i++) {
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_int_list_at(list, i), rank, &axis, err));
    if (is_axis[axis]) {
      return LPOT_FAIL(err, LPOT_FORMAT, "axis %d is listed twice", axis);
    }
    is_axis[axis] = true;
  }
  return LPOT_OK;
}

lpot_status lpot_infer_check_rank(const char *what, const lpot_shape *shape, int rank,
                                  lpot_error *err) {
  if (shape->rank != LPOT_RANK_UNKNOWN && shape->rank != rank) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s has rank %d, expected %d", what, shape->rank, rank);
  }
  return LPOT_OK;
}

lpot_status lpot_infer_same_dtype(const lpot_infer *infer, int first, int second, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, first);
  const lpot_value *b = lpot_infer_input(infer, second);
  if (a == NULL || b == NULL || a->dtype == LPOT_DTYPE_UNKNOWN || b->dtype == LPOT_DTYPE_UNKNOWN) {
    return LPOT_OK;
  }
  if (a->dtype != b->dtype) {
    return LPOT_FAIL(err, LPOT_FORMAT, "inputs %d and %d have the types %s and %s, expected one",
                     first, second, lpot_dtype_text(a->dtype), lpot_dtype_text(b->dtype));
  }
  return LPOT_OK;
}

/* ---- dimensions ---- */

static lpot_status check_dim(int64_t dim, lpot_error *err) {
  if (dim < 0 || dim > LPOT_MAX_DIM) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a dimension of the result is out of range");
  }
  return LPOT_OK;
}

lpot_status lpot_dim_add(int64_t a, int64_t b, int64_t *ret, lpot_error *err) {
  if (a == LPOT_DIM_UNKNOWN || b == LPOT_DIM_UNKNOWN) {
    *ret = LPOT_DIM_UNKNOWN;
    return LPOT_OK;
  }
  LPOT_TRY(check_dim(a + b, err)); /* Both are at most 2^48. */
  *ret = a + b;
  return LPOT_OK;
}

lpot_status lpot_dim_mul(int64_t a, int64_t b, int64_t *ret, lpot_error *err) {
  if (a == LPOT_DIM_UNKNOWN || b == LPOT_DIM_UNKNOWN) {
    *ret = LPOT_DIM_UNKNOWN;
    return LPOT_OK;
  }
  if (a != 0 && b > LPOT_MAX_DIM / a) {
    LPOT_TRY(check_dim(LPOT_MAX_DIM + 1, err));
  }
  *ret = a * b;
  return LPOT_OK;
}

lpot_status lpot_dim_merge(int64_t a, int64_t b, int64_t *ret, lpot_error *err) {
  if (a != LPOT_DIM_UNKNOWN && b != LPOT_DIM_UNKNOWN && a != b) {
    return LPOT_FAIL(err, LPOT_FORMAT, "dimensions %" PRId64 " and %" PRId64 " disagree", a, b);
  }
  *ret = a == LPOT_DIM_UNKNOWN ? b : a;
  return LPOT_OK;
}

lpot_status lpot_infer_shape_of_rank(int64_t rank, lpot_shape *ret, lpot_error *err) {
  if (rank < 0 || rank > LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the result has rank %" PRId64 ", expected at most %d",
                     rank, LPOT_MAX_RANK);
  }
  *ret = lpot_shape_scalar();
  ret->rank = (int)rank;
  for (int i = 0; i < ret->rank; i++) {
    ret->dims[i] = LPOT_DIM_UNKNOWN;
  }
  return LPOT_OK;
}

lpot_status lpot_infer_broadcast(const lpot_shape *a, const lpot_shape *b, lpot_shape *ret,
                                 lpot_error *err) {
  if (a->rank == LPOT_RANK_UNKNOWN || b->rank == LPOT_RANK_UNKNOWN) {
    *ret = lpot_shape_unknown();
    return LPOT_OK;
  }
  LPOT_TRY(lpot_shape_broadcast(a, b, ret, err));
  return LPOT_OK;
}

/* ---- writing outputs ---- */

lpot_status lpot_infer_output(const lpot_infer *infer, int index, lpot_dtype dtype,
                              const lpot_shape *shape, lpot_error *err) {
  if (index >= infer->node->num_outputs || infer->node->outputs[index] == LPOT_NONE) {
    return LPOT_OK;
  }
  for (int i = 0; i < shape->rank; i++) {
    if (shape->dims[i] != LPOT_DIM_UNKNOWN) {
      LPOT_TRY(check_dim(shape->dims[i], err));
    }
  }
  if (lpot_shape_is_known(shape)) {
    int64_t count = 0;
    LPOT_TRY(lpot_shape_count(shape, &count, err));
  }
  lpot_graph_set_value_type(infer->graph, infer->node->outputs[index], dtype, shape);
  return LPOT_OK;
}
