/* Rules of QuantizeLinear, DequantizeLinear and the operators of the QOperator form. Where those
 * hold a zero point for the output, it gives the output's type. */
#include <inttypes.h>

#include "graph/infer_rules.h"

static bool is_quantized(lpot_dtype dtype) {
  return dtype == LPOT_U8 || dtype == LPOT_S8 || dtype == LPOT_U16 || dtype == LPOT_S16;
}

static lpot_status check_quantized(const char *what, lpot_dtype dtype, lpot_error *err) {
  if (!is_quantized(dtype)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%s has the type %s, expected uint8 or int8", what,
                     lpot_dtype_text(dtype));
  }
  return LPOT_OK;
}

/* ---- QuantizeLinear, DequantizeLinear ---- */

/* A scale has one element, or one per index of the axis. */
static lpot_status check_scale(const lpot_infer *infer, lpot_error *err) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  const lpot_value *scale = lpot_infer_input(infer, 1);
  if (!lpot_dtype_is_float(scale->dtype)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the scale has the type %s, expected float32",
                     lpot_dtype_text(scale->dtype));
  }
  if (scale->shape.rank > 1 || lpot_node_int(infer->node, "block_size", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "scales per block are not supported");
  }
  bool per_axis = scale->shape.rank == 1 && scale->shape.dims[0] != 1;
  if (!per_axis || input->rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  int axis = 0;
  int64_t merged = 0;
  LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", 1), input->rank, &axis, err));
  if (lpot_dim_merge(scale->shape.dims[0], input->dims[axis], &merged, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the scale has %" PRId64 " elements, dimension %d has %" PRId64,
                     scale->shape.dims[0], axis, input->dims[axis]);
  }
  return LPOT_OK;
}

static lpot_status check_zero_point(const lpot_infer *infer, lpot_error *err) {
  const lpot_value *scale = lpot_infer_input(infer, 1);
  const lpot_value *zero = lpot_infer_input(infer, 2);
  if (zero != NULL && lpot_shape_is_known(&zero->shape) && lpot_shape_is_known(&scale->shape) &&
      lpot_shape_elements(&zero->shape) != lpot_shape_elements(&scale->shape)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the zero point and the scale differ in shape");
  }
  return LPOT_OK;
}

lpot_status lpot_infer_quantize_linear(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *zero = lpot_infer_input(infer, 2);
  lpot_dtype dtype = zero == NULL ? LPOT_U8 : zero->dtype;
  int64_t wanted = lpot_node_int(infer->node, "output_dtype", 0);
  if (zero == NULL && wanted != 0) {
    dtype = wanted < 0 || wanted > 1000 ? LPOT_DTYPE_UNKNOWN : lpot_dtype_from_onnx((int)wanted);
  }
  LPOT_TRY(check_quantized("the zero point", dtype, err));
  if (!lpot_dtype_is_float(input->dtype) && input->dtype != LPOT_S32) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has the type %s, expected float32",
                     lpot_dtype_text(input->dtype));
  }
  LPOT_TRY(check_scale(infer, err));
  LPOT_TRY(check_zero_point(infer, err));
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, &input->shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_dequantize_linear(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  if (input->dtype != LPOT_S32) {
    LPOT_TRY(check_quantized("the input", input->dtype, err));
  }
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 2, err));
  LPOT_TRY(check_scale(infer, err));
  LPOT_TRY(check_zero_point(infer, err));
  LPOT_TRY(lpot_infer_output(infer, 0, lpot_infer_input(infer, 1)->dtype, &input->shape, err));
  return LPOT_OK;
}

/* x becomes uint8 with the scale and the zero point that fit it. */
lpot_status lpot_infer_dynamic_quantize_linear(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape scalar = lpot_shape_scalar();
  if (input->dtype != LPOT_F32) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has the type %s, expected float32",
                     lpot_dtype_text(input->dtype));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_U8, &input->shape, err));
  LPOT_TRY(lpot_infer_output(infer, 1, LPOT_F32, &scalar, err));
  LPOT_TRY(lpot_infer_output(infer, 2, LPOT_U8, &scalar, err));
  return LPOT_OK;
}

/* ---- integer products: int8 in, int32 out ---- */

static lpot_status check_int8_input(const lpot_infer *infer, int index, lpot_error *err) {
  lpot_dtype dtype = lpot_infer_input(infer, index)->dtype;
  if (dtype != LPOT_U8 && dtype != LPOT_S8) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "input %d has the type %s, expected uint8 or int8",
                     index, lpot_dtype_text(dtype));
  }
  return LPOT_OK;
}

/* Input, weights, and their zero points. */
static lpot_status check_integer_operands(const lpot_infer *infer, lpot_error *err) {
  for (int i = 0; i < 2; i++) {
    LPOT_TRY(check_int8_input(infer, i, err));
    LPOT_TRY(lpot_infer_same_dtype(infer, i, i + 2, err));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_conv_integer(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(check_integer_operands(infer, err));
  LPOT_TRY(lpot_infer_conv_shape(infer, &lpot_infer_input(infer, 0)->shape,
                                 &lpot_infer_input(infer, 1)->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S32, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_matmul_integer(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(check_integer_operands(infer, err));
  LPOT_TRY(lpot_infer_matmul_shape(&lpot_infer_input(infer, 0)->shape,
                                   &lpot_infer_input(infer, 1)->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S32, &shape, err));
  return LPOT_OK;
}

/* A in float32, B, its scale and zero point, bias. */
lpot_status lpot_infer_dynamic_quantize_matmul(lpot_infer *infer, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(check_int8_input(infer, 1, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 1, 3, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 4, err));
  LPOT_TRY(lpot_infer_matmul_shape(&a->shape, &lpot_infer_input(infer, 1)->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, a->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- QOperator ---- */

/* Sets output 0: the type of the zero point at zero_index, or fallback where that is left out. */
static lpot_status quantized_output(const lpot_infer *infer, int zero_index, lpot_dtype fallback,
                                    const lpot_shape *shape, lpot_error *err) {
  const lpot_value *zero = lpot_infer_input(infer, zero_index);
  lpot_dtype dtype = zero == NULL ? fallback : zero->dtype;
  if (zero != NULL) {
    LPOT_TRY(check_quantized("the output's zero point", dtype, err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, shape, err));
  return LPOT_OK;
}

static lpot_status check_channels_first(const lpot_node *node, lpot_error *err) {
  if (lpot_node_int(node, "channels_last", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "channels_last is not supported");
  }
  return LPOT_OK;
}

lpot_status lpot_infer_matmul_integer_to_float(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(lpot_infer_matmul_shape(&lpot_infer_input(infer, 0)->shape,
                                   &lpot_infer_input(infer, 1)->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, lpot_infer_input(infer, 2)->dtype, &shape, err));
  return LPOT_OK;
}

/* A, its scale and zero point, B, its scale and zero point, bias, output's scale and zero point. */
lpot_status lpot_infer_qgemm(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(lpot_infer_gemm_shape(infer, &lpot_infer_input(infer, 0)->shape,
                                 &lpot_infer_input(infer, 3)->shape, &shape, err));
  LPOT_TRY(quantized_output(infer, 8, LPOT_F32, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_qlinear_average_pool(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(check_channels_first(infer->node, err));
  LPOT_TRY(lpot_infer_pool_shape(infer, &input->shape, &shape, err));
  LPOT_TRY(quantized_output(infer, 4, input->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_qlinear_global_average_pool(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(check_channels_first(infer->node, err));
  LPOT_TRY(lpot_infer_global_pool_shape(&input->shape, &shape, err));
  LPOT_TRY(quantized_output(infer, 4, input->dtype, &shape, err));
  return LPOT_OK;
}

/* QLinearAdd and QLinearMul: A, scale, zero point, B, scale, zero point, output's. */
lpot_status lpot_infer_qlinear_binary(lpot_infer *infer, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 3, err));
  LPOT_TRY(lpot_infer_broadcast(&a->shape, &lpot_infer_input(infer, 3)->shape, &shape, err));
  LPOT_TRY(quantized_output(infer, 7, a->dtype, &shape, err));
  return LPOT_OK;
}

/* The output's scale and zero point, then tensor, scale and zero point of each part. */
lpot_status lpot_infer_qlinear_concat(lpot_infer *infer, lpot_error *err) {
  if ((infer->node->num_inputs - 2) % 3 != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%d inputs, expected 2 and three for each part",
                     infer->node->num_inputs);
  }
  lpot_shape shape;
  LPOT_TRY(lpot_infer_concat_shape(infer, 2, 3, &shape, err));
  LPOT_TRY(quantized_output(infer, 1, LPOT_U8, &shape, err));
  return LPOT_OK;
}

/* Input, scale, zero point, weights, scale, zero point, output's scale, zero point, bias. */
lpot_status lpot_infer_qlinear_conv(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(lpot_infer_conv_shape(infer, &lpot_infer_input(infer, 0)->shape,
                                 &lpot_infer_input(infer, 3)->shape, &shape, err));
  LPOT_TRY(quantized_output(infer, 7, LPOT_U8, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_qlinear_matmul(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(lpot_infer_matmul_shape(&lpot_infer_input(infer, 0)->shape,
                                   &lpot_infer_input(infer, 3)->shape, &shape, err));
  LPOT_TRY(quantized_output(infer, 7, LPOT_U8, &shape, err));
  return LPOT_OK;
}

/* QLinearLeakyRelu, QLinearSigmoid: input, scale, zero point, output's scale, zero point. */
lpot_status lpot_infer_qlinear_unary(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  LPOT_TRY(check_int8_input(infer, 0, err));
  LPOT_TRY(quantized_output(infer, 4, input->dtype, &input->shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_qlinear_softmax(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  int axis = 0;
  if (input->shape.rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(
        lpot_infer_axis(lpot_node_int(infer->node, "axis", -1), input->shape.rank, &axis, err));
  }
  LPOT_TRY(lpot_infer_qlinear_unary(infer, err));
  return LPOT_OK;
}
