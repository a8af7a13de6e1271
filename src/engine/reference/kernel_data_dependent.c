/* Operators whose results have a shape that depends on the elements: Compress, NonMaxSuppression,
 * NonZero, Unique. Inference has counted what they find and given the outputs their shapes. */
#include "engine/reference/kernel.h"

#include <string.h>

#include "graph/non_max_suppression.h"
#include "graph/unique.h"

static void copy_run(const lpot_tensor *from, int64_t from_index, lpot_tensor *to, int64_t to_index,
                     int64_t count) {
  size_t size = lpot_dtype_size(to->dtype);
  memcpy((uint8_t *)to->data + (size_t)to_index * size,
         (const uint8_t *)from->data + (size_t)from_index * size, (size_t)count * size);
}

/* A tensor as rows along an axis: [outer, rows, inner]. Without axis: [1, elements, 1]. */
typedef struct row_view {
  int64_t outer, rows, inner;
} row_view;

static row_view rows_along(const lpot_shape *shape, int axis) {
  if (axis < 0) {
    return (row_view){1, lpot_shape_elements(shape), 1};
  }
  return (row_view){lpot_kernel_span(shape, 0, axis), shape->dims[axis],
                    lpot_kernel_span(shape, axis + 1, shape->rank)};
}

static lpot_status read_axis(const lpot_node *node, const lpot_shape *shape, int *ret_axis,
                             lpot_error *err) {
  *ret_axis = -1;
  if (lpot_node_attribute(node, "axis") != NULL) {
    LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", 0), shape->rank, ret_axis, err));
  }
  return LPOT_OK;
}

/* Copies row `from` of the input to row `to` of count rows. */
static void copy_row(const lpot_tensor *input, const row_view *view, int64_t from, int64_t to,
                     int64_t count, lpot_tensor *out) {
  for (int64_t o = 0; o < view->outer; o++) {
    copy_run(input, (o * view->rows + from) * view->inner, out, (o * count + to) * view->inner,
             view->inner);
  }
}

/* ---- Compress ---- */

LPOT_KERNEL(lpot_kernel_compress) {
  const lpot_tensor *condition = inputs[1];
  int axis = 0;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  LPOT_TRY(read_axis(node, &inputs[0]->shape, &axis, err));
  row_view view = rows_along(&inputs[0]->shape, axis);
  int64_t length = lpot_shape_elements(&condition->shape);
  int64_t count = 0;
  for (int64_t i = 0; i < length; i++) {
    count += lpot_tensor_get_double(condition, i) != 0.0;
  }
  if (length > view.rows) {
    return LPOT_FAIL(err, LPOT_INVALID, "the condition has %lld elements, expected at most %lld",
                     (long long)length, (long long)view.rows);
  }
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], view.outer * count * view.inner, err));
  int64_t next = 0;
  for (int64_t i = 0; i < length; i++) {
    if (lpot_tensor_get_double(condition, i) != 0.0) {
      copy_row(inputs[0], &view, i, next++, count, outputs[0]);
    }
  }
  return LPOT_OK;
}

/* ---- NonZero ---- */

LPOT_KERNEL(lpot_kernel_non_zero) {
  (void)node;
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  int rank = input->shape.rank == 0 ? 1 : input->shape.rank;
  int64_t total = lpot_shape_elements(&input->shape);
  int64_t count = lpot_shape_elements(&out->shape) / rank;
  int64_t found = 0;
  int64_t strides[LPOT_MAX_RANK] = {1};
  lpot_shape_strides(&input->shape, strides);
  LPOT_TRY(lpot_kernel_check_type("output", out, LPOT_S64, err));
  LPOT_TRY(lpot_kernel_check_count("output", out, count * rank, err));
  for (int64_t i = 0; i < total; i++) {
    if (lpot_tensor_get_double(input, i) == 0.0) {
      continue;
    }
    int64_t rest = i;
    for (int axis = 0; axis < rank && found < count; axis++) {
      int64_t at = rest / strides[axis];
      rest -= at * strides[axis];
      lpot_kernel_store_ints(out, axis * count + found, 1, &at);
    }
    found++;
  }
  if (found != count) {
    return LPOT_FAIL(err, LPOT_INVALID, "the output has room for %lld elements, expected %lld",
                     (long long)count, (long long)found);
  }
  return LPOT_OK;
}

/* ---- Unique ---- */

static lpot_status store_list(const lpot_node *node, lpot_tensor *const *outputs, int index,
                              const int64_t *values, int64_t count, lpot_error *err) {
  lpot_tensor *out = index < node->num_outputs ? outputs[index] : NULL;
  if (out == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_type("an output", out, LPOT_S64, err));
  LPOT_TRY(lpot_kernel_check_count("an output", out, count, err));
  lpot_kernel_store_ints(out, 0, count, values);
  return LPOT_OK;
}

static lpot_status store_unique(const lpot_node *node, const lpot_tensor *input,
                                const lpot_unique *unique, lpot_tensor *const *outputs,
                                lpot_error *err) {
  row_view view = rows_along(&input->shape, unique->axis);
  LPOT_TRY(
      lpot_kernel_check_count("output", outputs[0], view.outer * unique->count * view.inner, err));
  for (int64_t i = 0; i < unique->count; i++) {
    copy_row(input, &view, unique->first[i], i, unique->count, outputs[0]);
  }
  LPOT_TRY(store_list(node, outputs, 1, unique->first, unique->count, err));
  LPOT_TRY(store_list(node, outputs, 2, unique->inverse, unique->total, err));
  LPOT_TRY(store_list(node, outputs, 3, unique->occurrences, unique->count, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_unique) {
  lpot_unique unique;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  LPOT_TRY(lpot_unique_find(node, inputs[0], &unique, err));
  lpot_status status = store_unique(node, inputs[0], &unique, outputs, err);
  lpot_unique_done(&unique);
  return status;
}

/* ---- NonMaxSuppression ---- */

LPOT_KERNEL(lpot_kernel_non_max_suppression) {
  lpot_selection selection;
  LPOT_TRY(lpot_kernel_check_type("output", outputs[0], LPOT_S64, err));
  LPOT_TRY(lpot_non_max_suppression(node, inputs, &selection, err));
  int64_t count = selection.count * LPOT_SELECTION_WIDTH;
  lpot_status status = lpot_kernel_check_count("output", outputs[0], count, err);
  if (status == LPOT_OK) {
    lpot_kernel_store_ints(outputs[0], 0, count, selection.triples);
  }
  lpot_selection_done(&selection);
  return status;
}
