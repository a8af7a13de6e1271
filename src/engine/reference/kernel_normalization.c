/* BatchNormalization (inference) and ReduceMean. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

/* ---- BatchNormalization ---- */

static lpot_status check_batch_normalization(const lpot_node *node,
                                             const lpot_tensor *const *inputs,
                                             lpot_tensor *const *outputs, lpot_error *err) {
  static const char *const names[] = {"input", "scale", "bias", "mean", "variance"};
  const lpot_tensor *x = inputs[0];
  if (!lpot_dtype_is_float(x->dtype)) {
    return lpot_kernel_unsupported_type(x, err);
  }
  if (x->shape.rank < 2) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "input has rank %d, expected at least 2",
                     x->shape.rank);
  }
  LPOT_TRY(lpot_kernel_check_same_type(x, outputs[0], err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &x->shape, &outputs[0]->shape, err));
  for (int i = 1; i < 5; i++) {
    LPOT_TRY(lpot_kernel_check_count(names[i], inputs[i], x->shape.dims[1], err));
  }
  for (int i = 1; i < node->num_outputs; i++) {
    if (outputs[i] != NULL) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "output %d is one of training", i);
    }
  }
  if (lpot_node_int(node, "training_mode", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "training_mode is 1");
  }
  return LPOT_OK;
}

/* y = x * factor + shift for one plane. */
static void scale_plane(const lpot_tensor *x, lpot_tensor *y, int64_t start, int64_t size,
                        double factor, double shift) {
  double values[LPOT_KERNEL_CHUNK];
  for (int64_t done = 0; done < size; done += LPOT_KERNEL_CHUNK) {
    int64_t count = size - done < LPOT_KERNEL_CHUNK ? size - done : LPOT_KERNEL_CHUNK;
    lpot_kernel_load_doubles(x, start + done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] = values[i] * factor + shift;
    }
    lpot_kernel_store_doubles(y, start + done, count, values);
  }
}

LPOT_KERNEL(lpot_kernel_batch_normalization) {
  LPOT_TRY(check_batch_normalization(node, inputs, outputs, err));
  const lpot_tensor *x = inputs[0];
  double epsilon = (double)lpot_node_float(node, "epsilon", 1e-5f);
  int64_t channels = x->shape.dims[1];
  int64_t size = lpot_kernel_span(&x->shape, 2, x->shape.rank);
  for (int64_t i = 0; i < x->shape.dims[0] * channels; i++) {
    double parameters[4]; /* scale, bias, mean, variance */
    for (int k = 0; k < 4; k++) {
      lpot_kernel_load_doubles(inputs[k + 1], i % channels, 1, 1, &parameters[k]);
    }
    double factor = parameters[0] / sqrt(parameters[3] + epsilon);
    scale_plane(x, outputs[0], i * size, size, factor, parameters[1] - parameters[2] * factor);
  }
  return LPOT_OK;
}

/* ---- ReduceMean ---- */

/* Marks the axes to reduce. Without axes: all of them, or none where the attribute says so. */
static lpot_status read_reduced(const lpot_node *node, const lpot_tensor *const *inputs,
                                bool reduced[LPOT_MAX_RANK], lpot_error *err) {
  int rank = inputs[0]->shape.rank;
  lpot_kernel_ints axes;
  for (int i = 0; i < rank; i++) {
    reduced[i] = false;
  }
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, "axes", &axes, err));
  if (axes.count == 0 && lpot_node_int(node, "noop_with_empty_axes", 0) != 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_read_axes(node, inputs, 1, "axes", rank, &axes, err));
  for (size_t i = 0; i < axes.count; i++) {
    reduced[axes.values[i]] = true;
  }
  return LPOT_OK;
}

/* Adds every element of the input to its sum. The rows pair the input with the sums, whose strides
 * are 0 along the reduced axes. */
static void add_to_sums(const lpot_tensor *input, lpot_kernel_rows *rows, double *sums) {
  double values[LPOT_KERNEL_CHUNK];
  for (; lpot_kernel_rows_more(rows); lpot_kernel_rows_next(rows)) {
    for (int64_t done = 0; done < rows->length; done += LPOT_KERNEL_CHUNK) {
      int64_t left = rows->length - done;
      int64_t count = left < LPOT_KERNEL_CHUNK ? left : LPOT_KERNEL_CHUNK;
      double *target = sums + rows->start[1] + done * rows->step[1];
      lpot_kernel_load_doubles(input, rows->out_start + done, 1, count, values);
      for (int64_t i = 0; i < count; i++) {
        target[i * rows->step[1]] += values[i];
      }
    }
  }
}

LPOT_KERNEL(lpot_kernel_reduce_mean) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  bool reduced[LPOT_MAX_RANK];
  lpot_shape kept = input->shape;
  int64_t divisor = 1;
  if (input->dtype == LPOT_BOOL) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  LPOT_TRY(read_reduced(node, inputs, reduced, err));
  for (int i = 0; i < kept.rank; i++) {
    if (reduced[i]) {
      divisor *= kept.dims[i];
      kept.dims[i] = 1;
    }
  }
  int64_t count = lpot_shape_elements(&kept);
  LPOT_TRY(lpot_kernel_check_count("output", out, count, err));
  lpot_kernel_rows rows;
  LPOT_TRY(lpot_kernel_rows_begin(&input->shape, &kept, &input->shape, &rows, err));
  double *sums = NULL;
  LPOT_TRY(lpot_kernel_scratch(count, &sums, err));
  add_to_sums(input, &rows, sums);
  for (int64_t i = 0; i < count; i++) {
    sums[i] /= (double)divisor;
  }
  lpot_kernel_store_doubles(out, 0, count, sums);
  lpot_free(sums);
  return LPOT_OK;
}
