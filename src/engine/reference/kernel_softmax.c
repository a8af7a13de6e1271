/* Softmax and LogSoftmax along one axis. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

/* Subtracting the maximum keeps exp from overflowing and changes nothing else. */
static void normalise_line(int64_t count, bool logarithm, double *line) {
  double maximum = -(double)INFINITY;
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    maximum = line[i] > maximum ? line[i] : maximum;
  }
  for (int64_t i = 0; i < count; i++) {
    double power = exp(line[i] - maximum);
    line[i] = logarithm ? line[i] - maximum : power;
    sum += power;
  }
  double log_sum = log(sum);
  for (int64_t i = 0; i < count; i++) {
    line[i] = logarithm ? line[i] - log_sum : line[i] / sum;
  }
}

LPOT_KERNEL(lpot_kernel_softmax) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  int axis = 0;
  if (!lpot_dtype_is_float(input->dtype)) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", -1), out->shape.rank, &axis, err));
  int64_t outer = lpot_kernel_span(&out->shape, 0, axis);
  int64_t count = out->shape.dims[axis];
  int64_t inner = lpot_kernel_span(&out->shape, axis + 1, out->shape.rank);
  double *line = NULL;
  LPOT_TRY(lpot_kernel_scratch(count, &line, err));
  for (int64_t i = 0; i < outer * inner; i++) {
    int64_t start = i / inner * count * inner + i % inner;
    lpot_kernel_load_doubles(input, start, inner, count, line);
    normalise_line(count, node->op == LPOT_OP_LOG_SOFTMAX, line);
    for (int64_t k = 0; k < count; k++) {
      lpot_kernel_store_doubles(out, start + k * inner, 1, &line[k]);
    }
  }
  lpot_free(line);
  return LPOT_OK;
}
