#include "support/tensor_check.h"

#define F LPOT_F32
#define U LPOT_U8
#define S LPOT_S8
#define I LPOT_S32
#define ONE(dtype, value) TENSOR((dtype), SCALAR, (value))

static void dynamic_quantization_fits_the_range(void **state) {
  (void)state;
  /* Range -1 to 1.55: scale 0.01, zero point 100. */
  check_nodes_outputs(LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NO_ATTRIBUTES,
                      TENSORS(TENSOR(F, SHAPE(3), -1, 0, 1.55)),
                      TENSORS(TENSOR(U, SHAPE(3), 0, 100, 255), ONE(F, 0.01), ONE(U, 100)), 1e-7);
  check_nodes_outputs(LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NO_ATTRIBUTES,
                      TENSORS(TENSOR(F, SHAPE(2), 0, 0)),
                      TENSORS(TENSOR(U, SHAPE(2), 0, 0), ONE(F, 1), ONE(U, 0)), 0);
  /* The range holds 0 whatever the values are. */
  check_nodes_outputs(LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NO_ATTRIBUTES,
                      TENSORS(TENSOR(F, SHAPE(2), 255, 1)),
                      TENSORS(TENSOR(U, SHAPE(2), 255, 1), ONE(F, 1), NULL), 0);
}

static void dynamic_quantization_survives_what_is_no_number(void **state) {
  (void)state;
  check_nodes_outputs(LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NO_ATTRIBUTES,
                      TENSORS(TENSOR(F, SHAPE(2), NOT_A_NUMBER, 255)),
                      TENSORS(TENSOR(U, SHAPE(2), 0, 255), ONE(F, 1), ONE(U, 0)), 0);
  check_nodes_outputs(LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NO_ATTRIBUTES,
                      TENSORS(TENSOR(F, SHAPE(2), -INFINITE, INFINITE)),
                      TENSORS(TENSOR(U, SHAPE(2), 0, 0), ONE(F, INFINITE), ONE(U, 0)), 0);
}

static void matmul_integer_subtracts_zero_points(void **state) {
  (void)state;
  /* [1 2; 3 4] times [1 0; 0 1] and its variants. */
  check_node(LPOT_OP_MATMUL_INTEGER, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(2, 2), 2, 3, 4, 5), TENSOR(S, SHAPE(2, 2), 3, 2, 2, 3),
                     ONE(U, 1), ONE(S, 2)),
             TENSOR(I, SHAPE(2, 2), 1, 2, 3, 4), 0);
  check_node(LPOT_OP_MATMUL_INTEGER, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(1, 2), 255, 255), TENSOR(S, SHAPE(2, 1), -128, -128)),
             TENSOR(I, SHAPE(1, 1), -65280), 0);
}

static void matmul_integer_takes_zero_points_by_row_and_column(void **state) {
  (void)state;
  check_node(LPOT_OP_MATMUL_INTEGER, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(2, 1), 5, 5), TENSOR(U, SHAPE(1, 2), 7, 7),
                     TENSOR(U, SHAPE(2), 1, 2), TENSOR(U, SHAPE(2), 5, 6)),
             TENSOR(I, SHAPE(2, 2), 8, 4, 6, 3), 0);
  check_node(LPOT_OP_MATMUL_INTEGER, NO_ATTRIBUTES,
             TENSORS(TENSOR(U, SHAPE(2, 1, 1), 5, 5), TENSOR(U, SHAPE(2, 1, 1), 7, 7), NULL,
                     TENSOR(U, SHAPE(2, 1, 1), 5, 6)),
             TENSOR(I, SHAPE(2, 1, 1), 10, 5), 0);
  check_fails(LPOT_OP_MATMUL_INTEGER, NO_ATTRIBUTES,
              TENSORS(TENSOR(U, SHAPE(2, 1), 5, 5), TENSOR(U, SHAPE(1, 2), 7, 7), NULL,
                      TENSOR(U, SHAPE(3), 1, 2, 3)),
              TENSOR(I, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "does not broadcast");
  check_fails(LPOT_OP_MATMUL_INTEGER, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 1), 5), TENSOR(U, SHAPE(1, 1), 7)),
              TENSOR(I, SHAPE(1, 1), 0), LPOT_UNSUPPORTED, "float32");
}

static void conv_integer_pads_with_the_zero_point(void **state) {
  (void)state;
  /* Centered x: 2, 4, 6; w: 1, 1, 1 and 0, 1, 2. */
  check_node(LPOT_OP_CONV_INTEGER, ATTRIBUTES(INTS("pads", 1, 1)),
             TENSORS(TENSOR(U, SHAPE(1, 1, 3), 12, 14, 16),
                     TENSOR(U, SHAPE(2, 1, 3), 2, 2, 2, 5, 6, 7), ONE(U, 10),
                     TENSOR(U, SHAPE(2), 1, 5)),
             TENSOR(I, SHAPE(1, 2, 3), 6, 12, 10, 10, 16, 6), 0);
  check_fails(
      LPOT_OP_CONV_INTEGER, NO_ATTRIBUTES,
      TENSORS(TENSOR(U, SHAPE(1, 1, 3), 1, 2, 3), TENSOR(U, SHAPE(1, 1, 3), 1, 2, 3), ONE(S, 1)),
      TENSOR(I, SHAPE(1, 1, 1), 0), LPOT_INVALID, "differ");
}

static void dynamic_matmul_quantizes_scales_and_adds(void **state) {
  (void)state;
  /* a is exact with a scale of 1: [255 1] times [1; 2] times 0.5 plus 10. */
  check_node(LPOT_OP_DYNAMIC_QUANTIZE_MATMUL, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 2), 255, 1), TENSOR(S, SHAPE(2, 1), 4, 5), ONE(F, 0.5),
                     ONE(S, 3), TENSOR(F, SHAPE(1), 10)),
             TENSOR(F, SHAPE(1, 1), 138.5), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dynamic_quantization_fits_the_range),
      cmocka_unit_test(dynamic_quantization_survives_what_is_no_number),
      cmocka_unit_test(matmul_integer_subtracts_zero_points),
      cmocka_unit_test(matmul_integer_takes_zero_points_by_row_and_column),
      cmocka_unit_test(conv_integer_pads_with_the_zero_point),
      cmocka_unit_test(dynamic_matmul_quantizes_scales_and_adds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
