#include "support/tensor_check.h"

#define F LPOT_F32
#define U LPOT_U8
#define S LPOT_S8
#define ONE(dtype, value) TENSOR((dtype), SCALAR, (value))

static void leaky_relu_scales_what_is_negative(void **state) {
  (void)state;
  /* Real values -2, 0, 3 become -1, 0, 3. */
  check_node(
      LPOT_OP_QLINEAR_LEAKY_RELU, ATTRIBUTES(FLOAT("alpha", 0.5f)),
      TENSORS(TENSOR(U, SHAPE(3), 6, 10, 16), ONE(F, 0.5), ONE(U, 10), ONE(F, 0.25), ONE(U, 20)),
      TENSOR(U, SHAPE(3), 16, 20, 32), 0);
  check_node(LPOT_OP_QLINEAR_LEAKY_RELU, NO_ATTRIBUTES,
             TENSORS(TENSOR(S, SHAPE(2), -100, 5), ONE(F, 1), NULL, ONE(F, 1)),
             TENSOR(S, SHAPE(2), -1, 5), 0);
}

static void sigmoid_saturates(void **state) {
  (void)state;
  check_node(LPOT_OP_QLINEAR_SIGMOID, NO_ATTRIBUTES,
             TENSORS(TENSOR(S, SHAPE(3), -128, 0, 127), ONE(F, 1), ONE(S, 0), ONE(F, 0.00390625),
                     ONE(S, -128)),
             TENSOR(S, SHAPE(3), -128, 0, 127), 0);
}

static void softmax_knows_both_meanings_of_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_QLINEAR_SOFTMAX, ATTRIBUTES(INT("axis", 1), INT("opset", 13)),
             TENSORS(TENSOR(U, SHAPE(1, 2, 2), 9, 9, 9, 9), ONE(F, 0.1), ONE(U, 4), ONE(F, 0.01),
                     ONE(U, 0)),
             TENSOR(U, SHAPE(1, 2, 2), 50, 50, 50, 50), 0);
  check_node(LPOT_OP_QLINEAR_SOFTMAX, ATTRIBUTES(INT("axis", 1), INT("opset", 12)),
             TENSORS(TENSOR(U, SHAPE(1, 2, 2), 9, 9, 9, 9), ONE(F, 0.1), ONE(U, 4), ONE(F, 0.01),
                     ONE(U, 0)),
             TENSOR(U, SHAPE(1, 2, 2), 25, 25, 25, 25), 0);
}

static void wrong_parameters_are_refused(void **state) {
  (void)state;
  check_fails(LPOT_OP_QLINEAR_SIGMOID, NO_ATTRIBUTES,
              TENSORS(TENSOR(U, SHAPE(1), 1), TENSOR(F, SHAPE(2), 1, 1), NULL, ONE(F, 1)),
              TENSOR(U, SHAPE(1), 0), LPOT_INVALID, "scale has 2 elements");
  check_fails(LPOT_OP_QLINEAR_SOFTMAX, ATTRIBUTES(INT("axis", 1)),
              TENSORS(TENSOR(U, SHAPE(1), 1), ONE(F, 1), NULL, ONE(F, 1), ONE(U, 0)),
              TENSOR(U, SHAPE(1), 0), LPOT_INVALID, "axis is 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(leaky_relu_scales_what_is_negative),
      cmocka_unit_test(sigmoid_saturates),
      cmocka_unit_test(softmax_knows_both_meanings_of_axis),
      cmocka_unit_test(wrong_parameters_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
