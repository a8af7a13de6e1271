/* DynamicQuantizeLinear, and products of bytes whose sums are int32: ConvInteger, MatMulInteger,
 * DynamicQuantizeMatMul. Sums run in double, where they are exact. */
#include "engine/reference/kernel.h"

#include <math.h>

static bool is_int8(const lpot_tensor *tensor) {
  return tensor->dtype == LPOT_U8 || tensor->dtype == LPOT_S8;
}

/* Two tensors of bytes and zero points (or NULL) of their types. */
static lpot_status check_operands(const lpot_operand *a, const lpot_operand *b, lpot_error *err) {
  const lpot_operand *operands[2] = {a, b};
  for (int i = 0; i < 2; i++) {
    if (!is_int8(operands[i]->tensor)) {
      return lpot_kernel_unsupported_type(operands[i]->tensor, err);
    }
    if (operands[i]->zero_points != NULL) {
      LPOT_TRY(lpot_kernel_check_same_type(operands[i]->tensor, operands[i]->zero_points, err));
    }
  }
  return LPOT_OK;
}

static void store_sums(const void *context, int64_t out_start, int64_t channel, int64_t count,
                       const double *sums) {
  lpot_tensor *const *out = context;
  (void)channel;
  lpot_kernel_store_doubles(*out, out_start, count, sums);
}

/* ---- DynamicQuantizeLinear ---- */

/* The range is widened to hold 0; an empty one has the scale 1. All steps are in float. */
static lpot_quant_params params_of(const lpot_tensor *input) {
  const float *values = input->data;
  float low = 0.0f;
  float high = 0.0f;
  for (int64_t i = 0; i < lpot_shape_elements(&input->shape); i++) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  lpot_quant_params params = {.dtype = LPOT_U8, .scale = 1.0f};
  if (high > low) {
    params.scale = (high - low) / 255.0f;
    params.zero_point = lpot_kernel_round_to(LPOT_U8, -low / params.scale, 0);
  }
  return params;
}

/* y, its scale and zero point; the last two may be NULL. */
LPOT_KERNEL(lpot_kernel_dynamic_quantize_linear) {
  const lpot_tensor *input = inputs[0];
  if (input->dtype != LPOT_F32) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(
      lpot_kernel_check_same_shape("input and output", &input->shape, &outputs[0]->shape, err));
  static const lpot_dtype types[3] = {LPOT_U8, LPOT_F32, LPOT_U8};
  lpot_quant_params params = params_of(input);
  const double results[3] = {0.0, (double)params.scale, (double)params.zero_point};
  for (int i = 0; i < node->num_outputs; i++) {
    if (outputs[i] == NULL) {
      continue;
    }
    if (outputs[i]->dtype != types[i]) {
      return lpot_kernel_unsupported_type(outputs[i], err);
    }
    if (i > 0) {
      LPOT_TRY(lpot_kernel_check_count("output", outputs[i], 1, err));
      lpot_kernel_store_doubles(outputs[i], 0, 1, &results[i]);
    }
  }
  lpot_quantize(input->data, lpot_shape_elements(&input->shape), &params, outputs[0]->data);
  return LPOT_OK;
}

/* ---- ConvInteger: x, w, x_zero, w_zero ---- */

LPOT_KERNEL(lpot_kernel_conv_integer) {
  const lpot_operand x = {inputs[0], lpot_kernel_input(node, inputs, 2)};
  const lpot_operand w = {inputs[1], lpot_kernel_input(node, inputs, 3)};
  LPOT_TRY(check_operands(&x, &w, err));
  if (outputs[0]->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(outputs[0], err);
  }
  LPOT_TRY(lpot_convolve(node, &x, &w, &outputs[0]->shape, store_sums, outputs, err));
  return LPOT_OK;
}

/* ---- MatMulInteger: a, b, a_zero, b_zero ---- */

/* A vector of zero points goes by rows of the left factor and by columns of the right one. */
static lpot_shape zero_point_shape(const lpot_tensor *zero_points, bool by_row) {
  lpot_shape shape = zero_points->shape;
  if (by_row && shape.rank == 1) {
    const int64_t dims[2] = {shape.dims[0], 1};
    shape = lpot_shape_of(2, dims);
  }
  if (lpot_shape_elements(&shape) == 1) {
    shape = lpot_shape_scalar();
  }
  return shape;
}

/* operand minus its zero points, as int16; owned by the caller. */
static lpot_status center(const lpot_operand *operand, bool by_row, lpot_tensor **ret_centered,
                          lpot_error *err) {
  const lpot_shape *shape = &operand->tensor->shape;
  lpot_shape zero_shape = lpot_shape_scalar();
  lpot_kernel_rows rows;
  lpot_tensor *centered = NULL;
  if (operand->zero_points != NULL) {
    zero_shape = zero_point_shape(operand->zero_points, by_row);
  }
  LPOT_TRY(lpot_kernel_rows_begin(shape, &zero_shape, shape, &rows, err));
  LPOT_TRY(lpot_tensor_new(LPOT_S16, shape, &centered, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t i = 0; i < rows.length; i++) {
      int64_t value = 0;
      int64_t zero_point = 0;
      lpot_kernel_load_ints(operand->tensor, rows.out_start + i, 1, 1, &value);
      if (operand->zero_points != NULL) {
        lpot_kernel_load_ints(operand->zero_points, rows.start[1] + i * rows.step[1], 1, 1,
                              &zero_point);
      }
      value -= zero_point;
      lpot_kernel_store_ints(centered, rows.out_start + i, 1, &value);
    }
  }
  *ret_centered = centered;
  return LPOT_OK;
}

static lpot_status multiply_centered(const lpot_tensor *a, const lpot_tensor *b,
                                     lpot_tensor *const *outputs, lpot_error *err) {
  const lpot_operand left = {a, NULL};
  const lpot_operand right = {b, NULL};
  lpot_product product;
  LPOT_TRY(lpot_product_of_stacks(&a->shape, &b->shape, &outputs[0]->shape, &product, err));
  LPOT_TRY(lpot_product_run(&product, &left, &right, store_sums, outputs, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_matmul_integer) {
  const lpot_operand a = {inputs[0], lpot_kernel_input(node, inputs, 2)};
  const lpot_operand b = {inputs[1], lpot_kernel_input(node, inputs, 3)};
  lpot_tensor *left = NULL;
  lpot_tensor *right = NULL;
  LPOT_TRY(check_operands(&a, &b, err));
  if (outputs[0]->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(outputs[0], err);
  }
  lpot_status status = center(&a, true, &left, err);
  if (status == LPOT_OK) {
    status = center(&b, false, &right, err);
  }
  if (status == LPOT_OK) {
    status = multiply_centered(left, right, outputs, err);
  }
  lpot_tensor_unref(left);
  lpot_tensor_unref(right);
  return status;
}

/* ---- DynamicQuantizeMatMul: a, b, b_scale, b_zero, bias ---- */

/* Quantizes a and hands over to MatMulIntegerToFloat. */
static lpot_status multiply_quantized(const lpot_node *node, const lpot_tensor *const *inputs,
                                      lpot_tensor *const *outputs, lpot_tensor *const *a,
                                      lpot_error *err) {
  lpot_node inner = *node;
  const lpot_tensor *const operands[7] = {a[0],
                                          inputs[1],
                                          a[1],
                                          inputs[2],
                                          a[2],
                                          lpot_kernel_input(node, inputs, 3),
                                          lpot_kernel_input(node, inputs, 4)};
  inner.num_inputs = 7;
  lpot_node quantize = *node;
  quantize.num_outputs = 3;
  LPOT_TRY(lpot_kernel_dynamic_quantize_linear(&quantize, inputs, a, err));
  LPOT_TRY(lpot_kernel_matmul_integer_to_float(&inner, operands, outputs, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_dynamic_quantize_matmul) {
  lpot_shape scalar = lpot_shape_scalar();
  lpot_tensor *a[3] = {NULL}; /* bytes, scale, zero point */
  lpot_status status = lpot_tensor_new(LPOT_U8, &inputs[0]->shape, &a[0], err);
  if (status == LPOT_OK) {
    status = lpot_tensor_new(LPOT_F32, &scalar, &a[1], err);
  }
  if (status == LPOT_OK) {
    status = lpot_tensor_new(LPOT_U8, &scalar, &a[2], err);
  }
  if (status == LPOT_OK) {
    status = multiply_quantized(node, inputs, outputs, a, err);
  }
  for (int i = 0; i < 3; i++) {
    lpot_tensor_unref(a[i]);
  }
  return status;
}
