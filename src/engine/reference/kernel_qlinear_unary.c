/* QLinearLeakyRelu, QLinearSigmoid and QLinearSoftmax: x, x_scale, x_zero, y_scale, y_zero. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

#define NUM_BYTES 256

/* Both parameters of the node. */
static lpot_status read_both(const lpot_node *node, const lpot_tensor *const *inputs,
                             const lpot_tensor *out, lpot_quant_params ret[2], lpot_error *err) {
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &inputs[0]->shape, &out->shape, err));
  LPOT_TRY(lpot_kernel_quant_params(inputs[0], inputs[1], inputs[2], &ret[0], err));
  LPOT_TRY(
      lpot_kernel_quant_params(out, inputs[3], lpot_kernel_input(node, inputs, 4), &ret[1], err));
  return LPOT_OK;
}

/* What each of the 256 bytes becomes. */
static void fill_table(const lpot_node *node, const lpot_quant_params params[2],
                       int64_t table[NUM_BYTES]) {
  bool leaky = node->op == LPOT_OP_QLINEAR_LEAKY_RELU;
  float alpha = lpot_node_float(node, "alpha", 0.01f);
  int32_t low = lpot_quant_min(params[0].dtype);
  for (int i = 0; i < NUM_BYTES; i++) {
    double value = (double)((float)(low + i - params[0].zero_point) * params[0].scale);
    lpot_kernel_activate(leaky ? LPOT_OP_LEAKY_RELU : LPOT_OP_SIGMOID, alpha, 0.0f, 1, &value);
    table[i] = lpot_quantize_one((float)value, &params[1]);
  }
}

LPOT_KERNEL(lpot_kernel_qlinear_unary) {
  lpot_quant_params params[2];
  int64_t table[NUM_BYTES];
  LPOT_TRY(read_both(node, inputs, outputs[0], params, err));
  fill_table(node, params, table);
  int32_t low = lpot_quant_min(params[0].dtype);
  for (int64_t i = 0; i < lpot_shape_elements(&outputs[0]->shape); i++) {
    int64_t value = 0;
    lpot_kernel_load_ints(inputs[0], i, 1, 1, &value);
    lpot_kernel_store_ints(outputs[0], i, 1, &table[value - low]);
  }
  return LPOT_OK;
}

/* ---- QLinearSoftmax ---- */

static void softmax_line(const lpot_tensor *input, int64_t start, int64_t step, int64_t count,
                         const lpot_quant_params params[2], double *line, lpot_tensor *out) {
  double maximum = -(double)INFINITY;
  double sum = 0.0;
  lpot_kernel_load_doubles(input, start, step, count, line);
  for (int64_t i = 0; i < count; i++) {
    maximum = line[i] > maximum ? line[i] : maximum;
  }
  for (int64_t i = 0; i < count; i++) { /* The zero point cancels out. */
    line[i] = exp((line[i] - maximum) * (double)params[0].scale);
    sum += line[i];
  }
  for (int64_t i = 0; i < count; i++) {
    int64_t value = lpot_quantize_one((float)(line[i] / sum), &params[1]);
    lpot_kernel_store_ints(out, start + i * step, 1, &value);
  }
}

/* Before opset 13, which the attribute opset tells, a line ran over all dimensions from axis on. */
LPOT_KERNEL(lpot_kernel_qlinear_softmax) {
  lpot_tensor *out = outputs[0];
  lpot_quant_params params[2];
  int axis = 0;
  double *line = NULL;
  LPOT_TRY(read_both(node, inputs, out, params, err));
  bool whole = lpot_node_int(node, "opset", 13) < 13;
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", -1), out->shape.rank, &axis, err));
  int64_t count = lpot_kernel_span(&out->shape, axis, whole ? out->shape.rank : axis + 1);
  int64_t inner = whole ? 1 : lpot_kernel_span(&out->shape, axis + 1, out->shape.rank);
  int64_t outer = lpot_kernel_span(&out->shape, 0, axis);
  LPOT_TRY(lpot_kernel_scratch(count, &line, err));
  for (int64_t i = 0; i < outer * inner; i++) {
    softmax_line(inputs[0], i / inner * count * inner + i % inner, inner, count, params, line, out);
  }
  lpot_free(line);
  return LPOT_OK;
}
