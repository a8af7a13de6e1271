/* Operators that rank the elements of a line: ArgMax, ArgMin, TopK, Hardmax. NaN counts as larger
 * than everything. */
#include "engine/reference/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- ArgMax, ArgMin ---- */

/* Where the largest (or the smallest) of a line is: of equal ones the first or the last. */
static int64_t find_extreme(const lpot_tensor *input, const lpot_kernel_lines *lines, int64_t start,
                            bool smallest, bool last) {
  int64_t best = 0;
  int64_t best_order = 0;
  for (int64_t k = 0; k < lines->length; k++) {
    int64_t order = lpot_tensor_get_order(input, start + k * lines->step);
    order = smallest ? ~order : order; /* reverses the order, and cannot overflow */
    if (k == 0 || order > best_order || (last && order == best_order)) {
      best = k;
      best_order = order;
    }
  }
  return best;
}

LPOT_KERNEL(lpot_kernel_arg_reduce) {
  const lpot_tensor *input = inputs[0];
  lpot_kernel_lines lines;
  bool smallest = node->op == LPOT_OP_ARG_MIN;
  bool last = lpot_node_int(node, "select_last_index", 0) != 0;
  LPOT_TRY(lpot_kernel_lines_of(&input->shape, lpot_node_int(node, "axis", 0), &lines, err));
  LPOT_TRY(lpot_kernel_check_type("output", outputs[0], LPOT_S64, err));
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], lines.count, err));
  if (lines.length == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "the input is empty along the axis");
  }
  for (int64_t i = 0; i < lines.count; i++) {
    int64_t best = find_extreme(input, &lines, lpot_kernel_line_start(&lines, i), smallest, last);
    lpot_kernel_store_ints(outputs[0], i, 1, &best);
  }
  return LPOT_OK;
}

/* ---- TopK ---- */

typedef struct ranked {
  int64_t order; /* smaller comes first */
  int64_t index;
} ranked;

/* Of equal elements the one with the lower index comes first, as ONNX wants. */
static int compare_ranked(const void *left, const void *right) {
  const ranked *a = left;
  const ranked *b = right;
  if (a->order != b->order) {
    return a->order < b->order ? -1 : 1;
  }
  return (a->index > b->index) - (a->index < b->index);
}

static void copy_element(const lpot_tensor *from, int64_t from_index, lpot_tensor *to,
                         int64_t to_index) {
  size_t size = lpot_dtype_size(from->dtype);
  memcpy((uint8_t *)to->data + (size_t)to_index * size,
         (const uint8_t *)from->data + (size_t)from_index * size, size);
}

static void rank_line(const lpot_tensor *input, const lpot_kernel_lines *lines, int64_t start,
                      bool largest, ranked *line) {
  for (int64_t k = 0; k < lines->length; k++) {
    int64_t order = lpot_tensor_get_order(input, start + k * lines->step);
    line[k] = (ranked){largest ? ~order : order, k};
  }
  qsort(line, (size_t)lines->length, sizeof *line, compare_ranked);
}

/* indices may be NULL. */
static lpot_status check_top_k(const lpot_node *node, const lpot_tensor *const *inputs,
                               const lpot_tensor *values, const lpot_tensor *indices,
                               lpot_kernel_lines *ret_lines, lpot_error *err) {
  const lpot_tensor *input = inputs[0];
  int axis = 0;
  lpot_kernel_ints k;
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", -1), input->shape.rank, &axis, err));
  LPOT_TRY(lpot_kernel_lines_of(&input->shape, axis, ret_lines, err));
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, NULL, &k, err));
  if (k.count != 1 || k.values[0] < 0 || k.values[0] > ret_lines->length) {
    return LPOT_FAIL(err, LPOT_INVALID, "k is no number from 0 to %lld",
                     (long long)ret_lines->length);
  }
  lpot_shape expected = input->shape;
  expected.dims[axis] = k.values[0];
  LPOT_TRY(lpot_kernel_check_same_type(input, values, err));
  LPOT_TRY(lpot_kernel_check_same_shape("output and result", &values->shape, &expected, err));
  if (indices != NULL) {
    LPOT_TRY(lpot_kernel_check_type("the indices", indices, LPOT_S64, err));
    LPOT_TRY(lpot_kernel_check_same_shape("the outputs", &indices->shape, &expected, err));
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_top_k) {
  lpot_tensor *values = outputs[0];
  lpot_tensor *indices = node->num_outputs > 1 ? outputs[1] : NULL;
  lpot_kernel_lines lines;
  LPOT_TRY(check_top_k(node, inputs, values, indices, &lines, err));
  bool largest = lpot_node_int(node, "largest", 1) != 0;
  ranked *line = lpot_calloc((size_t)lines.length, sizeof *line);
  if (line == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_kernel_lines chosen = lines;
  chosen.length = lpot_shape_elements(&values->shape) / lines.count;
  for (int64_t i = 0; i < lines.count; i++) {
    int64_t from = lpot_kernel_line_start(&lines, i);
    int64_t to = lpot_kernel_line_start(&chosen, i);
    rank_line(inputs[0], &lines, from, largest, line);
    for (int64_t k = 0; k < chosen.length; k++) {
      int64_t at = to + k * chosen.step;
      copy_element(inputs[0], from + line[k].index * lines.step, values, at);
      if (indices != NULL) {
        lpot_kernel_store_ints(indices, at, 1, &line[k].index);
      }
    }
  }
  lpot_free(line);
  return LPOT_OK;
}

/* ---- Hardmax ---- */

LPOT_KERNEL(lpot_kernel_hardmax) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  lpot_kernel_lines lines;
  if (!lpot_dtype_is_float(input->dtype)) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  LPOT_TRY(lpot_kernel_lines_of(&input->shape, lpot_node_int(node, "axis", -1), &lines, err));
  for (int64_t i = 0; i < lines.count; i++) {
    int64_t start = lpot_kernel_line_start(&lines, i);
    int64_t best = find_extreme(input, &lines, start, false, false);
    for (int64_t k = 0; k < lines.length; k++) {
      double value = k == best ? 1.0 : 0.0;
      lpot_kernel_store_doubles(out, start + k * lines.step, 1, &value);
    }
  }
  return LPOT_OK;
}
