#include "engine/reference/kernel.h"

#include <string.h>

#include "base/memory.h"

lpot_status lpot_kernel_unsupported_type(const lpot_tensor *tensor, lpot_error *err) {
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "no kernel for element type %s",
                   lpot_dtype_text(tensor->dtype));
}

lpot_status lpot_kernel_check_same_type(const lpot_tensor *a, const lpot_tensor *b,
                                        lpot_error *err) {
  if (a->dtype != b->dtype) {
    return LPOT_FAIL(err, LPOT_INVALID, "element types differ: %s and %s",
                     lpot_dtype_text(a->dtype), lpot_dtype_text(b->dtype));
  }
  return LPOT_OK;
}

lpot_status lpot_kernel_check_same_shape(const char *what, const lpot_shape *a, const lpot_shape *b,
                                         lpot_error *err) {
  if (!lpot_shape_equal(a, b)) {
    char a_text[128];
    char b_text[128];
    lpot_shape_text(a, a_text, sizeof a_text);
    lpot_shape_text(b, b_text, sizeof b_text);
    return LPOT_FAIL(err, LPOT_INVALID, "%s have shapes %s and %s, expected equal ones", what,
                     a_text, b_text);
  }
  return LPOT_OK;
}

lpot_status lpot_kernel_check_count(const char *what, const lpot_tensor *tensor, int64_t count,
                                    lpot_error *err) {
  int64_t elements = lpot_shape_elements(&tensor->shape);
  if (elements != count) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s has %lld elements, expected %lld", what,
                     (long long)elements, (long long)count);
  }
  return LPOT_OK;
}

lpot_status lpot_kernel_axis(int64_t axis, int rank, int *ret_axis, lpot_error *err) {
  if (axis < -rank || axis >= rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "axis is %lld, expected a value in [%d, %d)",
                     (long long)axis, -rank, rank);
  }
  *ret_axis = (int)(axis < 0 ? axis + rank : axis);
  return LPOT_OK;
}

const lpot_tensor *lpot_kernel_input(const lpot_node *node, const lpot_tensor *const *inputs,
                                     int index) {
  return index < node->num_inputs ? inputs[index] : NULL;
}

static lpot_status ints_of_tensor(const lpot_tensor *tensor, lpot_kernel_ints *ret,
                                  lpot_error *err) {
  int64_t count = lpot_shape_elements(&tensor->shape);
  if (tensor->dtype != LPOT_S64 && tensor->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(tensor, err);
  }
  if (count > LPOT_MAX_RANK * 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "an input has %lld integers, expected at most %d",
                     (long long)count, LPOT_MAX_RANK * 2);
  }
  lpot_kernel_load_ints(tensor, 0, 1, count, ret->values);
  ret->count = (size_t)count;
  return LPOT_OK;
}

lpot_status lpot_kernel_read_ints(const lpot_node *node, const lpot_tensor *const *inputs,
                                  int index, const char *attribute, lpot_kernel_ints *ret,
                                  lpot_error *err) {
  memset(ret, 0, sizeof *ret);
  const lpot_tensor *tensor = lpot_kernel_input(node, inputs, index);
  if (tensor != NULL) {
    return ints_of_tensor(tensor, ret, err);
  }
  if (attribute == NULL) {
    return LPOT_OK;
  }
  const int64_t *values = NULL;
  size_t count = lpot_node_ints(node, attribute, &values);
  if (count > LPOT_MAX_RANK * 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s has %zu values, expected at most %d", attribute, count,
                     LPOT_MAX_RANK * 2);
  }
  for (size_t i = 0; i < count; i++) {
    ret->values[i] = values[i];
  }
  ret->count = count;
  return LPOT_OK;
}

lpot_status lpot_kernel_read_axes(const lpot_node *node, const lpot_tensor *const *inputs,
                                  int index, const char *attribute, int rank, lpot_kernel_ints *ret,
                                  lpot_error *err) {
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, index, attribute, ret, err));
  if (ret->count == 0) {
    for (int i = 0; i < rank; i++) {
      ret->values[i] = i;
    }
    ret->count = (size_t)rank;
    return LPOT_OK;
  }
  for (size_t i = 0; i < ret->count; i++) {
    int axis = 0;
    LPOT_TRY(lpot_kernel_axis(ret->values[i], rank, &axis, err));
    ret->values[i] = axis;
  }
  return LPOT_OK;
}

lpot_status lpot_kernel_scratch(int64_t count, double **ret_scratch, lpot_error *err) {
  double *scratch = lpot_calloc((size_t)count, sizeof *scratch);
  if (scratch == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_scratch = scratch;
  return LPOT_OK;
}

int64_t lpot_kernel_span(const lpot_shape *shape, int first, int last) {
  int64_t count = 1;
  for (int i = first; i < last; i++) {
    count *= shape->dims[i];
  }
  return count;
}

lpot_status lpot_kernel_check_type(const char *what, const lpot_tensor *tensor, lpot_dtype expected,
                                   lpot_error *err) {
  if (tensor->dtype != expected) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s has the element type %s, expected %s", what,
                     lpot_dtype_text(tensor->dtype), lpot_dtype_text(expected));
  }
  return LPOT_OK;
}

lpot_status lpot_kernel_lines_of(const lpot_shape *shape, int64_t axis, lpot_kernel_lines *ret,
                                 lpot_error *err) {
  int wrapped = 0;
  LPOT_TRY(lpot_kernel_axis(axis, shape->rank, &wrapped, err));
  ret->length = shape->dims[wrapped];
  ret->step = lpot_kernel_span(shape, wrapped + 1, shape->rank);
  ret->count = lpot_kernel_span(shape, 0, wrapped) * ret->step;
  return LPOT_OK;
}

int64_t lpot_kernel_line_start(const lpot_kernel_lines *lines, int64_t i) {
  return i / lines->step * lines->length * lines->step + i % lines->step;
}

lpot_status lpot_kernel_broadcast_strides(const lpot_shape *from, const lpot_shape *to,
                                          int64_t strides[LPOT_MAX_RANK], lpot_error *err) {
  int lead = to->rank - from->rank;
  bool fits = lead >= 0;
  int64_t stride = 1;
  for (int i = from->rank - 1; fits && i >= 0; i--) {
    int64_t dim = from->dims[i];
    fits = dim == 1 || dim == to->dims[i + lead];
    strides[i + lead] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
  if (!fits) {
    char from_text[128];
    char to_text[128];
    lpot_shape_text(from, from_text, sizeof from_text);
    lpot_shape_text(to, to_text, sizeof to_text);
    return LPOT_FAIL(err, LPOT_INVALID, "shape %s does not broadcast to %s", from_text, to_text);
  }
  for (int i = 0; i < lead; i++) {
    strides[i] = 0;
  }
  return LPOT_OK;
}

/* True when dimension `axis` and the one behind it can be walked as one by every operand. */
static bool mergeable(const lpot_kernel_rows *rows, int axis) {
  int64_t inner = rows->dims[axis + 1];
  bool merge = true;
  for (int operand = 0; operand < 2; operand++) {
    const int64_t *strides = rows->strides[operand];
    merge = merge && (inner == 1 || strides[axis] == strides[axis + 1] * inner);
  }
  return merge;
}

static void merge_dimensions(lpot_kernel_rows *rows) {
  for (int axis = rows->rank - 2; axis >= 0; axis--) {
    if (rows->dims[axis] != 1 && !mergeable(rows, axis)) {
      continue;
    }
    bool keep_inner = rows->dims[axis] == 1 || rows->dims[axis + 1] != 1;
    int64_t merged = rows->dims[axis] * rows->dims[axis + 1];
    for (int operand = 0; operand < 2; operand++) {
      int64_t *strides = rows->strides[operand];
      strides[axis] = keep_inner ? strides[axis + 1] : strides[axis];
      for (int i = axis + 1; i < rows->rank - 1; i++) {
        strides[i] = strides[i + 1];
      }
    }
    for (int i = axis + 1; i < rows->rank - 1; i++) {
      rows->dims[i] = rows->dims[i + 1];
    }
    rows->dims[axis] = merged;
    rows->rank--;
  }
}

lpot_status lpot_kernel_rows_begin(const lpot_shape *a, const lpot_shape *b, const lpot_shape *out,
                                   lpot_kernel_rows *ret, lpot_error *err) {
  memset(ret, 0, sizeof *ret);
  LPOT_TRY(lpot_kernel_broadcast_strides(a, out, ret->strides[0], err));
  LPOT_TRY(lpot_kernel_broadcast_strides(b, out, ret->strides[1], err));
  ret->rank = out->rank;
  for (int i = 0; i < out->rank; i++) {
    ret->dims[i] = out->dims[i];
  }
  if (ret->rank == 0) {
    ret->rank = 1;
    ret->dims[0] = 1;
  }
  merge_dimensions(ret);
  ret->total = lpot_shape_elements(out);
  ret->length = ret->dims[ret->rank - 1];
  ret->step[0] = ret->strides[0][ret->rank - 1];
  ret->step[1] = ret->strides[1][ret->rank - 1];
  return LPOT_OK;
}

bool lpot_kernel_rows_more(const lpot_kernel_rows *rows) {
  return rows->out_start < rows->total;
}

void lpot_kernel_rows_next(lpot_kernel_rows *rows) {
  rows->out_start += rows->length;
  for (int axis = rows->rank - 2; axis >= 0; axis--) {
    rows->index[axis]++;
    rows->start[0] += rows->strides[0][axis];
    rows->start[1] += rows->strides[1][axis];
    if (rows->index[axis] < rows->dims[axis]) {
      return;
    }
    rows->start[0] -= rows->strides[0][axis] * rows->dims[axis];
    rows->start[1] -= rows->strides[1][axis] * rows->dims[axis];
    rows->index[axis] = 0;
  }
}
