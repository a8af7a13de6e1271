#include "support/tensor_check.h"

#define F LPOT_F32
#define U LPOT_U8
#define S LPOT_S8
#define ONE(dtype, value) TENSOR((dtype), SCALAR, (value))

static void quantize_rounds_half_to_even_and_saturates(void **state) {
  (void)state;
  check_node(LPOT_OP_QUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(5), 1, 3, -1, 1000, -1000), ONE(F, 2), ONE(U, 10)),
             TENSOR(U, SHAPE(5), 10, 12, 10, 255, 0), 0);
}

static void quantize_without_zero_point_uses_zero(void **state) {
  (void)state;
  check_node(LPOT_OP_QUANTIZE_LINEAR, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 5, -5), ONE(F, 1)),
             TENSOR(U, SHAPE(2), 5, 0), 0);
}

static void quantize_works_per_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_QUANTIZE_LINEAR, ATTRIBUTES(INT("axis", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 2, 2), 1, 2, 30, 40), TENSOR(F, SHAPE(2), 1, 10),
                     TENSOR(S, SHAPE(2), 0, -5)),
             TENSOR(S, SHAPE(1, 2, 2), 1, 2, -2, -1), 0);
}

static void quantize_refuses_other_numbers_of_scales(void **state) {
  (void)state;
  check_fails(LPOT_OP_QUANTIZE_LINEAR, ATTRIBUTES(INT("axis", 0)),
              TENSORS(TENSOR(F, SHAPE(3), 1, 2, 3), TENSOR(F, SHAPE(2), 1, 10)),
              TENSOR(U, SHAPE(3), 0, 0, 0), LPOT_INVALID, "scale has 2 elements, expected 3");
}

static void dequantize_works_per_tensor_and_per_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_DEQUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(2), 0, 255), ONE(F, 0.5), ONE(U, 128)),
             TENSOR(F, SHAPE(2), -64, 63.5), 0);
  check_node(LPOT_OP_DEQUANTIZE_LINEAR, ATTRIBUTES(INT("axis", 0)),
             TENSORS(TENSOR(S, SHAPE(2, 1), -128, 127), TENSOR(F, SHAPE(2), 1, 2),
                     TENSOR(S, SHAPE(2), 0, 7)),
             TENSOR(F, SHAPE(2, 1), -128, 240), 0);
  check_node(LPOT_OP_DEQUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S32, SHAPE(2), -70000, 3), ONE(F, 0.5)),
             TENSOR(F, SHAPE(2), -35000, 1.5), 0);
}

static void dequantize_refuses_floats(void **state) {
  (void)state;
  check_fails(LPOT_OP_DEQUANTIZE_LINEAR, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 0), ONE(F, 0.5)), TENSOR(F, SHAPE(1), 0),
              LPOT_UNSUPPORTED, "float32");
}

/* x is (q - 1) * 0.5, w is q * 2 for channel 0 and q * 4 for channel 1, y in steps of 2 about 3. */
static void qlinear_conv_scales_integer_sums_per_channel(void **state) {
  (void)state;
  /* Centered x: 1, 2. Sums: 1*3 + 2*-1 + 10 = 11 and 1*1 + 2*2 - 4 = 1; times 0.5 and 1: 5.5, 1;
   * rounded half to even: 6, 1; plus 3. */
  check_node(LPOT_OP_QLINEAR_CONV, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(1, 2, 1), 2, 3), ONE(F, 0.5), ONE(U, 1),
                     TENSOR(S, SHAPE(2, 2, 1), 3, -1, 1, 2), TENSOR(F, SHAPE(2), 2, 4),
                     TENSOR(S, SHAPE(2), 0, 0), ONE(F, 2), ONE(U, 3),
                     TENSOR(LPOT_S32, SHAPE(2), 10, -4)),
             TENSOR(U, SHAPE(1, 2, 1), 9, 4), 0);
}

static void qlinear_conv_pads_with_the_zero_point(void **state) {
  (void)state;
  check_node(LPOT_OP_QLINEAR_CONV, ATTRIBUTES(INTS("pads", 1, 1)),
             TENSORS(TENSOR(U, SHAPE(1, 1, 1), 12), ONE(F, 1), ONE(U, 10),
                     TENSOR(S, SHAPE(1, 1, 3), 1, 2, 3), ONE(F, 1), ONE(S, 0), ONE(F, 1),
                     ONE(U, 0)),
             TENSOR(U, SHAPE(1, 1, 1), 4), 0);
}

static void qlinear_matmul_subtracts_both_zero_points(void **state) {
  (void)state;
  /* [1 2] x [3; 4] = 11, times 1 * 1 / 2 is 5.5, rounded to 6, plus 1. */
  check_node(LPOT_OP_QLINEAR_MATMUL, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(1, 2), 2, 3), ONE(F, 1), ONE(U, 1),
                     TENSOR(U, SHAPE(2, 1), 8, 9), ONE(F, 1), ONE(U, 5), ONE(F, 2), ONE(U, 1)),
             TENSOR(U, SHAPE(1, 1), 7), 0);
}

static void qgemm_gives_bytes_or_floats(void **state) {
  (void)state;
  /* [1 2] x transpose([3 4]) + 5 = 16 in units of 0.5 * 0.25. */
  check_node(LPOT_OP_QGEMM, ATTRIBUTES(INT("transB", 1)),
             TENSORS(TENSOR(U, SHAPE(1, 2), 2, 3), ONE(F, 0.5), ONE(U, 1),
                     TENSOR(S, SHAPE(1, 2), 3, 4), ONE(F, 0.25), ONE(S, 0),
                     TENSOR(LPOT_S32, SHAPE(1), 5)),
             TENSOR(F, SHAPE(1, 1), 2), 0);
  check_node(LPOT_OP_QGEMM, ATTRIBUTES(INT("transB", 1)),
             TENSORS(TENSOR(U, SHAPE(1, 2), 2, 3), ONE(F, 0.5), ONE(U, 1),
                     TENSOR(S, SHAPE(1, 2), 3, 4), ONE(F, 0.25), ONE(S, 0),
                     TENSOR(LPOT_S32, SHAPE(1), 5), ONE(F, 1), ONE(U, 100)),
             TENSOR(U, SHAPE(1, 1), 102), 0);
}

static void qgemm_broadcasts_its_bias_over_columns(void **state) {
  (void)state;
  /* [1 2; 3 4] x [1 0; 0 1] + [10; 20]. */
  check_node(LPOT_OP_QGEMM, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(2, 2), 1, 2, 3, 4), ONE(F, 1), ONE(U, 0),
                     TENSOR(U, SHAPE(2, 2), 1, 0, 0, 1), ONE(F, 1), ONE(U, 0),
                     TENSOR(LPOT_S32, SHAPE(2, 1), 10, 20)),
             TENSOR(F, SHAPE(2, 2), 11, 12, 23, 24), 0);
}

static void matmul_integer_to_float_adds_a_float_bias(void **state) {
  (void)state;
  /* [1 2] x [3 5; 4 6] = [11 17], times 0.5 and [1 2]. */
  check_node(LPOT_OP_MATMUL_INTEGER_TO_FLOAT, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(1, 2), 2, 3), TENSOR(S, SHAPE(2, 2), 3, 5, 4, 6), ONE(F, 0.5),
                     TENSOR(F, SHAPE(2), 1, 2), ONE(U, 1), NULL, TENSOR(F, SHAPE(2), 0.25, -1)),
             TENSOR(F, SHAPE(1, 2), 5.75, 16), 0);
}

static void qlinear_add_and_mul_compute_in_real_numbers(void **state) {
  (void)state;
  /* a: (4 - 2) * 0.5 = 1; b: 3 * 2 = 6. Sum 7 / 1 + 10; product 6 / 1 + 10. */
  check_node(LPOT_OP_QLINEAR_ADD, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(1), 4), ONE(F, 0.5), ONE(U, 2), TENSOR(U, SHAPE(1), 3),
                     ONE(F, 2), NULL, ONE(F, 1), ONE(U, 10)),
             TENSOR(U, SHAPE(1), 17), 0);
  check_node(LPOT_OP_QLINEAR_MUL, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(1), 4), ONE(F, 0.5), ONE(U, 2), TENSOR(U, SHAPE(1), 3),
                     ONE(F, 2), NULL, ONE(F, 1), ONE(U, 10)),
             TENSOR(U, SHAPE(1), 16), 0);
}

static void qlinear_concat_brings_parts_to_one_scale(void **state) {
  (void)state;
  check_node(LPOT_OP_QLINEAR_CONCAT, ATTRIBUTES(INT("axis", 1)),
             TENSORS(ONE(F, 1), ONE(U, 1), TENSOR(U, SHAPE(1, 1), 10), ONE(F, 2), ONE(U, 0),
                     TENSOR(U, SHAPE(1, 2), 10, 12), ONE(F, 0.5), ONE(U, 2)),
             TENSOR(U, SHAPE(1, 3), 21, 5, 6), 0);
}

static void qlinear_pools_average_centered_values(void **state) {
  (void)state;
  /* Centered: 2, 4; the padded window counts a real zero. */
  check_node(
      LPOT_OP_QLINEAR_AVERAGE_POOL,
      ATTRIBUTES(INTS("kernel_shape", 2), INTS("pads", 1, 0), INT("count_include_pad", 1)),
      TENSORS(TENSOR(U, SHAPE(1, 1, 2), 12, 14), ONE(F, 1), ONE(U, 10), ONE(F, 1), ONE(U, 50)),
      TENSOR(U, SHAPE(1, 1, 2), 51, 53), 0);
  check_node(
      LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL, ATTRIBUTES(INT("channels_last", 0)),
      TENSORS(TENSOR(U, SHAPE(1, 1, 2), 12, 14), ONE(F, 2), ONE(U, 10), ONE(F, 1), ONE(U, 50)),
      TENSOR(U, SHAPE(1, 1, 1), 56), 0);
}

static void quantization_knows_16_bits_and_half_precision(void **state) {
  (void)state;
  check_node(LPOT_OP_QUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3), 1, 3, 1e9), ONE(F, 2), ONE(LPOT_U16, 60000)),
             TENSOR(LPOT_U16, SHAPE(3), 60000, 60002, 65535), 0);
  check_node(LPOT_OP_QUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_F16, SHAPE(2), 1.5, -2000), ONE(LPOT_F16, 0.5), ONE(S, 1)),
             TENSOR(S, SHAPE(2), 4, -128), 0);
  check_node(LPOT_OP_QUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S32, SHAPE(2), 7, -9), ONE(F, 2), ONE(S, 0)),
             TENSOR(S, SHAPE(2), 4, -4), 0);
  check_node(LPOT_OP_DEQUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S16, SHAPE(2), -32768, 5), ONE(F, 0.5), ONE(LPOT_S16, 1)),
             TENSOR(F, SHAPE(2), -16384.5, 2), 0);
  check_node(LPOT_OP_DEQUANTIZE_LINEAR, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(2), 3, 5), ONE(LPOT_F16, 0.5), ONE(U, 1)),
             TENSOR(LPOT_F16, SHAPE(2), 1, 2), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantize_rounds_half_to_even_and_saturates),
      cmocka_unit_test(quantize_without_zero_point_uses_zero),
      cmocka_unit_test(quantize_works_per_axis),
      cmocka_unit_test(quantize_refuses_other_numbers_of_scales),
      cmocka_unit_test(dequantize_works_per_tensor_and_per_axis),
      cmocka_unit_test(dequantize_refuses_floats),
      cmocka_unit_test(qlinear_conv_scales_integer_sums_per_channel),
      cmocka_unit_test(qlinear_conv_pads_with_the_zero_point),
      cmocka_unit_test(qlinear_matmul_subtracts_both_zero_points),
      cmocka_unit_test(qgemm_gives_bytes_or_floats),
      cmocka_unit_test(qgemm_broadcasts_its_bias_over_columns),
      cmocka_unit_test(matmul_integer_to_float_adds_a_float_bias),
      cmocka_unit_test(qlinear_add_and_mul_compute_in_real_numbers),
      cmocka_unit_test(qlinear_concat_brings_parts_to_one_scale),
      cmocka_unit_test(qlinear_pools_average_centered_values),
      cmocka_unit_test(quantization_knows_16_bits_and_half_precision),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
