/* Operators that only move elements: Transpose, Slice, Expand, Gather, Pad. All of them fill a
 * table of offsets per output axis and let one copy loop do the rest, so that the element type
 * does not matter, only its size. */
#include "engine/reference/kernel.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

lpot_status lpot_copy_map_init(const lpot_shape *shape, lpot_copy_map *ret_map, lpot_error *err) {
  int64_t count = 0;
  for (int i = 0; i < shape->rank; i++) {
    count += shape->dims[i];
  }
  lpot_copy_map map = {.shape = *shape};
  map.storage = lpot_calloc((size_t)count, sizeof *map.storage);
  if (map.storage == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int64_t *next = map.storage;
  for (int i = 0; i < shape->rank; i++) {
    map.offsets[i] = next;
    next += shape->dims[i];
  }
  *ret_map = map;
  return LPOT_OK;
}

void lpot_copy_map_done(lpot_copy_map *map) {
  lpot_free(map->storage);
  map->storage = NULL;
}

typedef struct copy_run {
  const lpot_copy_map *map;
  size_t size; /* bytes of an element */
  const uint8_t *in;
  const uint8_t *fill;              /* one element */
  bool contiguous;                  /* the last axis is a plain run of elements */
  int64_t block[LPOT_MAX_RANK + 1]; /* elements of the output under one step of axis - 1 */
} copy_run;

static uint8_t *fill_elements(const copy_run *run, int64_t count, uint8_t *out) {
  for (int64_t i = 0; i < count; i++) {
    memcpy(out, run->fill, run->size);
    out += run->size;
  }
  return out;
}

/* A constant size lets the compiler turn the copy into one move. */
#define COPY_ELEMENTS(bytes)                                                                       \
  for (int64_t i = 0; i < count; i++) {                                                            \
    int64_t offset = offsets[i];                                                                   \
    memcpy(out, offset < 0 ? run->fill : in + offset * (bytes), (bytes));                          \
    out += (bytes);                                                                                \
  }

static uint8_t *copy_last_axis(const copy_run *run, int axis, int64_t base, uint8_t *out) {
  int64_t count = run->map->shape.dims[axis];
  const int64_t *offsets = run->map->offsets[axis];
  const uint8_t *in = run->in + (size_t)base * run->size;
  if (run->contiguous) {
    memcpy(out, in + (size_t)offsets[0] * run->size, (size_t)count * run->size);
    return out + (size_t)count * run->size;
  }
  switch (run->size) {
  case 1:
    COPY_ELEMENTS(1)
    break;
  case 2:
    COPY_ELEMENTS(2)
    break;
  case 4:
    COPY_ELEMENTS(4)
    break;
  default:
    COPY_ELEMENTS(8)
    break;
  }
  return out;
}

static uint8_t *copy_axis(const copy_run *run, int axis, int64_t base, uint8_t *out) {
  if (axis == run->map->shape.rank - 1) {
    return copy_last_axis(run, axis, base, out);
  }
  for (int64_t i = 0; i < run->map->shape.dims[axis]; i++) {
    int64_t offset = run->map->offsets[axis][i];
    if (offset < 0) {
      out = fill_elements(run, run->block[axis + 1], out);
    } else {
      out = copy_axis(run, axis + 1, base + offset, out);
    }
  }
  return out;
}

void lpot_copy_map_run(const lpot_copy_map *map, const lpot_tensor *input, const void *fill,
                       lpot_tensor *output) {
  copy_run run = {
      .map = map, .size = lpot_dtype_size(output->dtype), .in = input->data, .fill = fill};
  int rank = map->shape.rank;
  if (lpot_shape_elements(&map->shape) == 0) {
    return;
  }
  if (rank == 0) {
    memcpy(output->data, input->data, run.size);
    return;
  }
  run.block[rank] = 1;
  for (int i = rank - 1; i >= 0; i--) {
    run.block[i] = run.block[i + 1] * map->shape.dims[i];
  }
  const int64_t *last = map->offsets[rank - 1];
  run.contiguous = last[0] >= 0;
  for (int64_t i = 1; run.contiguous && i < map->shape.dims[rank - 1]; i++) {
    run.contiguous = last[i] == last[0] + i;
  }
  copy_axis(&run, 0, 0, output->data);
}

static void fill_axis(int64_t *offsets, int64_t count, int64_t start, int64_t step) {
  for (int64_t i = 0; i < count; i++) {
    offsets[i] = start + i * step;
  }
}

static lpot_status check_output_dim(const lpot_shape *shape, int axis, int64_t expected,
                                    lpot_error *err) {
  if (shape->dims[axis] != expected) {
    return LPOT_FAIL(err, LPOT_INVALID, "output dimension %d is %lld, expected %lld", axis,
                     (long long)shape->dims[axis], (long long)expected);
  }
  return LPOT_OK;
}

static lpot_status check_rank(const lpot_shape *input, const lpot_shape *output, lpot_error *err) {
  if (input->rank != output->rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "output has rank %d, expected %d", output->rank,
                     input->rank);
  }
  return LPOT_OK;
}

/* ---- Transpose ---- */

static lpot_status read_permutation(const lpot_node *node, int rank, int perm[LPOT_MAX_RANK],
                                    lpot_error *err) {
  const int64_t *values = NULL;
  size_t count = lpot_node_ints(node, "perm", &values);
  bool seen[LPOT_MAX_RANK] = {false};
  if (count != 0 && count != (size_t)rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "perm has %zu values, expected %d", count, rank);
  }
  for (int i = 0; i < rank; i++) {
    int64_t axis = count == 0 ? rank - 1 - i : values[i];
    if (axis < 0 || axis >= rank || seen[axis]) {
      return LPOT_FAIL(err, LPOT_INVALID, "perm is not a permutation of 0 to %d", rank - 1);
    }
    seen[axis] = true;
    perm[i] = (int)axis;
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_transpose) {
  const lpot_tensor *input = inputs[0];
  const lpot_shape *shape = &outputs[0]->shape;
  int perm[LPOT_MAX_RANK];
  int64_t strides[LPOT_MAX_RANK];
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(check_rank(&input->shape, shape, err));
  LPOT_TRY(read_permutation(node, shape->rank, perm, err));
  lpot_shape_strides(&input->shape, strides);
  for (int i = 0; i < shape->rank; i++) {
    LPOT_TRY(check_output_dim(shape, i, input->shape.dims[perm[i]], err));
  }
  lpot_copy_map map;
  LPOT_TRY(lpot_copy_map_init(shape, &map, err));
  for (int i = 0; i < shape->rank; i++) {
    fill_axis(map.offsets[i], shape->dims[i], 0, strides[perm[i]]);
  }
  lpot_copy_map_run(&map, input, NULL, outputs[0]);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}

/* ---- Slice ---- */

typedef struct slice_axis {
  int64_t start, step, count;
} slice_axis;

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
  if (value < low) {
    return low;
  }
  return value > high ? high : value;
}

/* Start and end count from the back where negative and are then clamped; the largest and smallest
 * integers stand for "all the way". Unlike numpy, ONNX starts at element 0 when a start that steps
 * backwards lies before it. */
static lpot_status resolve_slice(int64_t start, int64_t end, int64_t step, int64_t dim,
                                 slice_axis *ret, lpot_error *err) {
  if (step == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "a step is 0");
  }
  /* Beyond the size every step selects one element; this one cannot overflow an offset. */
  step = clamp(step, -dim - 1, dim + 1);
  start += start < 0 ? dim : 0;
  end += end < 0 ? dim : 0;
  start = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
  end = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
  int64_t distance = step > 0 ? end - start : start - end;
  int64_t width = step > 0 ? step : -step;
  ret->start = start;
  ret->step = step;
  ret->count = distance <= 0 || dim == 0 ? 0 : (distance - 1) / width + 1;
  return LPOT_OK;
}

static lpot_status read_slices(const lpot_node *node, const lpot_tensor *const *inputs,
                               slice_axis slices[LPOT_MAX_RANK], lpot_error *err) {
  const lpot_shape *shape = &inputs[0]->shape;
  lpot_kernel_ints starts;
  lpot_kernel_ints ends;
  lpot_kernel_ints axes;
  lpot_kernel_ints steps;
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, NULL, &starts, err));
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 2, NULL, &ends, err));
  LPOT_TRY(lpot_kernel_read_axes(node, inputs, 3, NULL, shape->rank, &axes, err));
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 4, NULL, &steps, err));
  bool has_axes = lpot_kernel_input(node, inputs, 3) != NULL;
  bool has_steps = lpot_kernel_input(node, inputs, 4) != NULL;
  if (ends.count != starts.count || axes.count < starts.count ||
      (has_axes && axes.count != starts.count) || (has_steps && steps.count != starts.count)) {
    return LPOT_FAIL(err, LPOT_INVALID, "starts, ends, axes and steps differ in length");
  }
  for (int i = 0; i < shape->rank; i++) {
    slices[i] = (slice_axis){0, 1, shape->dims[i]};
  }
  for (size_t i = 0; i < starts.count; i++) {
    int64_t axis = axes.values[i];
    LPOT_TRY(resolve_slice(starts.values[i], ends.values[i], has_steps ? steps.values[i] : 1,
                           shape->dims[axis], &slices[axis], err));
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_slice) {
  const lpot_tensor *input = inputs[0];
  const lpot_shape *shape = &outputs[0]->shape;
  slice_axis slices[LPOT_MAX_RANK];
  int64_t strides[LPOT_MAX_RANK];
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(check_rank(&input->shape, shape, err));
  LPOT_TRY(read_slices(node, inputs, slices, err));
  for (int i = 0; i < shape->rank; i++) {
    LPOT_TRY(check_output_dim(shape, i, slices[i].count, err));
  }
  lpot_shape_strides(&input->shape, strides);
  lpot_copy_map map;
  LPOT_TRY(lpot_copy_map_init(shape, &map, err));
  for (int i = 0; i < shape->rank; i++) {
    fill_axis(map.offsets[i], shape->dims[i], slices[i].start * strides[i],
              slices[i].step * strides[i]);
  }
  lpot_copy_map_run(&map, input, NULL, outputs[0]);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}

/* ---- Expand ---- */

LPOT_KERNEL(lpot_kernel_expand) {
  (void)node;
  const lpot_shape *shape = &outputs[0]->shape;
  int64_t strides[LPOT_MAX_RANK];
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  LPOT_TRY(lpot_kernel_broadcast_strides(&inputs[0]->shape, shape, strides, err));
  lpot_copy_map map;
  LPOT_TRY(lpot_copy_map_init(shape, &map, err));
  for (int i = 0; i < shape->rank; i++) {
    fill_axis(map.offsets[i], shape->dims[i], 0, strides[i]);
  }
  lpot_copy_map_run(&map, inputs[0], NULL, outputs[0]);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}

/* ---- Gather ---- */

static lpot_status fill_gather(const lpot_tensor *indices, int64_t dim, int64_t stride,
                               int64_t *offsets, lpot_error *err) {
  int64_t count = lpot_shape_elements(&indices->shape);
  lpot_kernel_load_ints(indices, 0, 1, count, offsets);
  for (int64_t i = 0; i < count; i++) {
    int64_t index = offsets[i] < 0 ? offsets[i] + dim : offsets[i];
    if (index < 0 || index >= dim) {
      return LPOT_FAIL(err, LPOT_INVALID, "index %lld is outside [-%lld, %lld)",
                       (long long)offsets[i], (long long)dim, (long long)dim);
    }
    offsets[i] = index * stride;
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_gather) {
  const lpot_tensor *input = inputs[0];
  const lpot_tensor *indices = inputs[1];
  int axis = 0;
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", 0), input->shape.rank, &axis, err));
  if (indices->dtype != LPOT_S64 && indices->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(indices, err);
  }
  int64_t outer = lpot_kernel_span(&input->shape, 0, axis);
  int64_t inner = lpot_kernel_span(&input->shape, axis + 1, input->shape.rank);
  int64_t count = lpot_shape_elements(&indices->shape);
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], outer * count * inner, err));
  const int64_t dims[3] = {outer, count, inner};
  lpot_shape flat = lpot_shape_of(3, dims);
  lpot_copy_map map;
  LPOT_TRY(lpot_copy_map_init(&flat, &map, err));
  fill_axis(map.offsets[0], outer, 0, input->shape.dims[axis] * inner);
  fill_axis(map.offsets[2], inner, 0, 1);
  lpot_status status = fill_gather(indices, input->shape.dims[axis], inner, map.offsets[1], err);
  if (status == LPOT_OK) {
    lpot_copy_map_run(&map, input, NULL, outputs[0]);
  }
  lpot_copy_map_done(&map);
  return status;
}

/* ---- Pad ---- */

/* Where a coordinate outside [0, dim) reads from; -1 for the constant. dim > 0 except for
 * pad_constant. */
typedef int64_t (*pad_rule)(int64_t at, int64_t dim);

static int64_t pad_constant(int64_t at, int64_t dim) {
  return at < 0 || at >= dim ? -1 : at;
}

static int64_t pad_edge(int64_t at, int64_t dim) {
  return clamp(at, 0, dim - 1);
}

static int64_t pad_wrap(int64_t at, int64_t dim) {
  int64_t rest = at % dim;
  return rest < 0 ? rest + dim : rest;
}

/* Mirrors without repeating the border element. */
static int64_t pad_reflect(int64_t at, int64_t dim) {
  if (dim == 1) {
    return 0;
  }
  int64_t rest = pad_wrap(at, 2 * (dim - 1));
  return rest < dim ? rest : 2 * (dim - 1) - rest;
}

typedef struct pad_row {
  const char *mode;
  pad_rule rule;
} pad_row;

static const pad_row pad_rows[] = {
    {"constant", pad_constant},
    {"reflect", pad_reflect},
    {"edge", pad_edge},
    {"wrap", pad_wrap},
};

static lpot_status find_pad_rule(const lpot_node *node, pad_rule *ret_rule, lpot_error *err) {
  const char *mode = lpot_node_string(node, "mode", "constant");
  for (size_t i = 0; i < sizeof pad_rows / sizeof *pad_rows; i++) {
    if (lpot_text_equal(mode, pad_rows[i].mode)) {
      *ret_rule = pad_rows[i].rule;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "mode '%s'", mode);
}

/* begins[axis] of every axis; the output shape tells the rest. */
static lpot_status read_pad_begins(const lpot_node *node, const lpot_tensor *const *inputs,
                                   int64_t begins[LPOT_MAX_RANK], lpot_error *err) {
  int rank = inputs[0]->shape.rank;
  lpot_kernel_ints pads;
  lpot_kernel_ints axes;
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, "pads", &pads, err));
  LPOT_TRY(lpot_kernel_read_axes(node, inputs, 3, NULL, rank, &axes, err));
  if (pads.count != 2 * axes.count) {
    return LPOT_FAIL(err, LPOT_INVALID, "pads has %zu values, expected %zu", pads.count,
                     2 * axes.count);
  }
  for (int i = 0; i < rank; i++) {
    begins[i] = 0;
  }
  for (size_t i = 0; i < axes.count; i++) {
    begins[axes.values[i]] = pads.values[i];
  }
  return LPOT_OK;
}

static lpot_status pad_fill(const lpot_node *node, const lpot_tensor *const *inputs,
                            const void **ret_fill, lpot_error *err) {
  static const uint8_t zero[8] = {0};
  const lpot_tensor *value = lpot_kernel_input(node, inputs, 2);
  *ret_fill = zero;
  if (value != NULL && lpot_shape_elements(&value->shape) != 0) {
    LPOT_TRY(lpot_kernel_check_same_type(inputs[0], value, err));
    *ret_fill = value->data;
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_pad) {
  const lpot_tensor *input = inputs[0];
  const lpot_shape *shape = &outputs[0]->shape;
  int64_t begins[LPOT_MAX_RANK];
  int64_t strides[LPOT_MAX_RANK];
  pad_rule rule = NULL;
  const void *fill = NULL;
  LPOT_TRY(lpot_kernel_check_same_type(input, outputs[0], err));
  LPOT_TRY(check_rank(&input->shape, shape, err));
  LPOT_TRY(find_pad_rule(node, &rule, err));
  LPOT_TRY(read_pad_begins(node, inputs, begins, err));
  LPOT_TRY(pad_fill(node, inputs, &fill, err));
  if (rule != pad_constant && lpot_shape_elements(&input->shape) == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "an empty input can only be padded with a constant");
  }
  lpot_shape_strides(&input->shape, strides);
  lpot_copy_map map;
  LPOT_TRY(lpot_copy_map_init(shape, &map, err));
  for (int axis = 0; axis < shape->rank; axis++) {
    for (int64_t i = 0; i < shape->dims[axis]; i++) {
      int64_t at = rule(i - begins[axis], input->shape.dims[axis]);
      map.offsets[axis][i] = at < 0 ? -1 : at * strides[axis];
    }
  }
  lpot_copy_map_run(&map, input, fill, outputs[0]);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}
