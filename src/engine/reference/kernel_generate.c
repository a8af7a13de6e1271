/* Operators that make patterns (EyeLike, OneHot, Range), repeat or mask them (Tile, Trilu), and
 * CumSum. */
#include "engine/reference/kernel.h"

#include <string.h>

#include "base/memory.h"

/* Far enough to say "all": the largest tensor is smaller, and adding to it cannot overflow. */
#define FAR ((int64_t)1 << 50)

static int64_t clamp_diagonal(int64_t k) {
  if (k < -FAR) {
    return -FAR;
  }
  return k > FAR ? FAR : k;
}

/* ---- EyeLike ---- */

LPOT_KERNEL(lpot_kernel_eye_like) {
  lpot_tensor *out = outputs[0];
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &inputs[0]->shape, &out->shape, err));
  if (out->shape.rank != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected 2", out->shape.rank);
  }
  int64_t k = clamp_diagonal(lpot_node_int(node, "k", 0));
  const int64_t one = 1;
  memset(out->data, 0, (size_t)lpot_shape_elements(&out->shape) * lpot_dtype_size(out->dtype));
  for (int64_t row = 0; row < out->shape.dims[0]; row++) {
    int64_t column = row + k;
    if (column >= 0 && column < out->shape.dims[1]) {
      lpot_kernel_store_ints(out, row * out->shape.dims[1] + column, 1, &one);
    }
  }
  return LPOT_OK;
}

/* ---- Trilu ---- */

/* Keeps the columns [first, last) of a row; the rest becomes zero bytes, which are 0 of any type.
 */
static void keep_columns(const lpot_tensor *input, lpot_tensor *out, int64_t start, int64_t columns,
                         int64_t first, int64_t last) {
  size_t size = lpot_dtype_size(out->dtype);
  uint8_t *to = (uint8_t *)out->data + (size_t)start * size;
  const uint8_t *from = (const uint8_t *)input->data + (size_t)start * size;
  first = first < 0 ? 0 : first;
  last = last > columns ? columns : last;
  memset(to, 0, (size_t)columns * size);
  if (first < last) {
    memcpy(to + (size_t)first * size, from + (size_t)first * size, (size_t)(last - first) * size);
  }
}

LPOT_KERNEL(lpot_kernel_trilu) {
  const lpot_tensor *input = inputs[0];
  const lpot_shape *shape = &input->shape;
  lpot_kernel_ints diagonal;
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", shape, &outputs[0]->shape, err));
  if (shape->rank < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 2", shape->rank);
  }
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, NULL, &diagonal, err));
  if (diagonal.count > 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "k has %zu values, expected 1", diagonal.count);
  }
  int64_t k = diagonal.count == 0 ? 0 : clamp_diagonal(diagonal.values[0]);
  bool upper = lpot_node_int(node, "upper", 1) != 0;
  int64_t rows = shape->dims[shape->rank - 2];
  int64_t columns = shape->dims[shape->rank - 1];
  int64_t total = lpot_kernel_span(shape, 0, shape->rank - 1);
  for (int64_t i = 0; i < total; i++) {
    int64_t row = i % rows;
    int64_t first = upper ? row + k : 0;
    int64_t last = upper ? columns : row + k + 1;
    keep_columns(input, outputs[0], i * columns, columns, first, last);
  }
  return LPOT_OK;
}

/* ---- OneHot ---- */

/* Indices of any type of number; those outside [-depth, depth) are nowhere hot. */
LPOT_KERNEL(lpot_kernel_one_hot) {
  const lpot_tensor *indices = inputs[0];
  const lpot_tensor *values = inputs[2];
  lpot_tensor *out = outputs[0];
  lpot_kernel_lines lines;
  LPOT_TRY(lpot_kernel_check_same_type(values, out, err));
  LPOT_TRY(lpot_kernel_check_count("values", values, 2, err));
  LPOT_TRY(lpot_kernel_check_count("depth", inputs[1], 1, err));
  LPOT_TRY(lpot_kernel_lines_of(&out->shape, lpot_node_int(node, "axis", -1), &lines, err));
  LPOT_TRY(lpot_kernel_check_count("indices", indices, lines.count, err));
  if (lines.length != lpot_tensor_get_int(inputs[1], 0)) {
    return LPOT_FAIL(err, LPOT_INVALID, "the output has %lld places, expected %lld",
                     (long long)lines.length, (long long)lpot_tensor_get_int(inputs[1], 0));
  }
  size_t size = lpot_dtype_size(out->dtype);
  const uint8_t *off = values->data;
  for (int64_t i = 0; i < lines.count; i++) {
    int64_t start = lpot_kernel_line_start(&lines, i);
    int64_t hot = lpot_tensor_get_int(indices, i);
    hot = hot < 0 ? hot + lines.length : hot;
    for (int64_t k = 0; k < lines.length; k++) {
      memcpy((uint8_t *)out->data + (size_t)(start + k * lines.step) * size,
             k == hot ? off + size : off, size);
    }
  }
  return LPOT_OK;
}

/* ---- Range ---- */

LPOT_KERNEL(lpot_kernel_range) {
  (void)node;
  lpot_tensor *out = outputs[0];
  int64_t total = lpot_shape_elements(&out->shape);
  for (int i = 0; i < 3; i++) {
    LPOT_TRY(lpot_kernel_check_count("a bound", inputs[i], 1, err));
    LPOT_TRY(lpot_kernel_check_same_type(inputs[i], out, err));
  }
  if (lpot_dtype_is_float(out->dtype)) {
    double start = lpot_tensor_get_double(inputs[0], 0);
    double delta = lpot_tensor_get_double(inputs[2], 0);
    for (int64_t i = 0; i < total; i++) {
      double value = start + (double)i * delta;
      lpot_kernel_store_doubles(out, i, 1, &value);
    }
    return LPOT_OK;
  }
  uint64_t value = (uint64_t)lpot_tensor_get_int(inputs[0], 0);
  uint64_t delta = (uint64_t)lpot_tensor_get_int(inputs[2], 0);
  for (int64_t i = 0; i < total; i++, value += delta) {
    int64_t element = (int64_t)value;
    lpot_kernel_store_ints(out, i, 1, &element);
  }
  return LPOT_OK;
}

/* ---- Tile ---- */

LPOT_KERNEL(lpot_kernel_tile) {
  const lpot_tensor *input = inputs[0];
  const lpot_shape *shape = &outputs[0]->shape;
  lpot_kernel_ints repeats;
  int64_t strides[LPOT_MAX_RANK];
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, NULL, &repeats, err));
  bool fits = input->shape.rank == shape->rank && repeats.count == (size_t)shape->rank;
  for (int i = 0; i < shape->rank && fits; i++) {
    int64_t expected = 0;
    fits = !__builtin_mul_overflow(input->shape.dims[i], repeats.values[i], &expected) &&
           expected == shape->dims[i];
  }
  if (!fits) {
    return LPOT_FAIL(err, LPOT_INVALID, "the output's shape is not the input's times repeats");
  }
  lpot_shape_strides(&input->shape, strides);
  lpot_copy_map map;
  LPOT_TRY(lpot_copy_map_init(shape, &map, err));
  for (int axis = 0; axis < shape->rank; axis++) {
    for (int64_t i = 0; i < shape->dims[axis]; i++) {
      map.offsets[axis][i] = i % input->shape.dims[axis] * strides[axis];
    }
  }
  lpot_copy_map_run(&map, input, NULL, outputs[0]);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}

/* ---- CumSum ---- */

typedef struct running_sum {
  const lpot_tensor *input;
  lpot_tensor *out;
  int64_t start, step, count; /* of the line, in the order of summation */
  bool exclusive;             /* without the element itself */
} running_sum;

static void sum_doubles(const running_sum *line) {
  double sum = 0.0;
  for (int64_t i = 0; i < line->count; i++) {
    int64_t at = line->start + i * line->step;
    double value = 0.0;
    lpot_kernel_load_doubles(line->input, at, 1, 1, &value);
    double before = sum;
    sum += value;
    lpot_kernel_store_doubles(line->out, at, 1, line->exclusive ? &before : &sum);
  }
}

static void sum_ints(const running_sum *line) {
  uint64_t sum = 0; /* wraps */
  for (int64_t i = 0; i < line->count; i++) {
    int64_t at = line->start + i * line->step;
    int64_t value = 0;
    lpot_kernel_load_ints(line->input, at, 1, 1, &value);
    int64_t before = (int64_t)sum;
    sum += (uint64_t)value;
    int64_t after = (int64_t)sum;
    lpot_kernel_store_ints(line->out, at, 1, line->exclusive ? &before : &after);
  }
}

LPOT_KERNEL(lpot_kernel_cum_sum) {
  const lpot_tensor *input = inputs[0];
  lpot_kernel_ints axis;
  lpot_kernel_lines lines;
  if (input->dtype == LPOT_BOOL) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(
      lpot_kernel_check_same_shape("input and output", &input->shape, &outputs[0]->shape, err));
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, NULL, &axis, err));
  if (axis.count != 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "axis has %zu values, expected 1", axis.count);
  }
  LPOT_TRY(lpot_kernel_lines_of(&input->shape, axis.values[0], &lines, err));
  bool reverse = lpot_node_int(node, "reverse", 0) != 0;
  running_sum line = {.input = input, .out = outputs[0], .count = lines.length};
  line.step = reverse ? -lines.step : lines.step;
  line.exclusive = lpot_node_int(node, "exclusive", 0) != 0;
  for (int64_t i = 0; i < lines.count; i++) {
    line.start = lpot_kernel_line_start(&lines, i);
    line.start += reverse ? (lines.length - 1) * lines.step : 0;
    if (lpot_dtype_is_float(input->dtype)) {
      sum_doubles(&line);
    } else {
      sum_ints(&line);
    }
  }
  return LPOT_OK;
}
