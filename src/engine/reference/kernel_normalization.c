/* BatchNormalization (inference) and LpNormalization. */
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

/* ---- LpNormalization ---- */

/* Divides a line by its norm: the sum of magnitudes (p 1) or the root of the sum of squares. A line
 * of zeros stays as it is. */
static void divide_by_norm(double *line, int64_t count, int64_t p) {
  double norm = 0.0;
  for (int64_t i = 0; i < count; i++) {
    norm += p == 1 ? fabs(line[i]) : line[i] * line[i];
  }
  norm = p == 1 ? norm : sqrt(norm);
  for (int64_t i = 0; i < count && norm != 0.0; i++) {
    line[i] /= norm;
  }
}

LPOT_KERNEL(lpot_kernel_lp_normalization) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  int64_t p = lpot_node_int(node, "p", 2);
  if (!lpot_dtype_is_float(input->dtype)) {
    return lpot_kernel_unsupported_type(input, err);
  }
  if (p != 1 && p != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "p is %lld, expected 1 or 2", (long long)p);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  lpot_kernel_lines lines;
  LPOT_TRY(lpot_kernel_lines_of(&input->shape, lpot_node_int(node, "axis", -1), &lines, err));
  double *line = NULL;
  LPOT_TRY(lpot_kernel_scratch(lines.length, &line, err));
  for (int64_t i = 0; i < lines.count; i++) {
    int64_t start = lpot_kernel_line_start(&lines, i);
    lpot_kernel_load_doubles(input, start, lines.step, lines.length, line);
    divide_by_norm(line, lines.length, p);
    for (int64_t k = 0; k < lines.length; k++) {
      lpot_kernel_store_doubles(out, start + k * lines.step, 1, &line[k]);
    }
  }
  lpot_free(line);
  return LPOT_OK;
}
