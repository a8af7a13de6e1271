#include "support/tensor_check.h"

#define F LPOT_F32
#define FLOATS(text, ...)                                                                          \
  {                                                                                                \
    .name = (text), .kind = LPOT_ATTRIBUTE_FLOATS, .count = CHECK_ENDS(float, __VA_ARGS__),        \
    .reals = (const float[]) {                                                                     \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }

/* x = -2, 1 through a pointwise convolution by 2 with bias 1: -3, 3. */
#define CONV_INPUTS                                                                                \
  TENSOR(F, SHAPE(1, 1, 2), -2, 1), TENSOR(F, SHAPE(1, 1, 1), 2), TENSOR(F, SHAPE(1), 1)

static void convolution_applies_its_activation(void **state) {
  (void)state;
  check_node(LPOT_OP_FUSED_CONV, NO_ATTRIBUTES, TENSORS(CONV_INPUTS),
             TENSOR(F, SHAPE(1, 1, 2), -3, 3), 0);
  check_node(LPOT_OP_FUSED_CONV, ATTRIBUTES(STRING("activation", "Relu")), TENSORS(CONV_INPUTS),
             TENSOR(F, SHAPE(1, 1, 2), 0, 3), 0);
  check_node(LPOT_OP_FUSED_CONV,
             ATTRIBUTES(STRING("activation", "Clip"), FLOATS("activation_params", -1, 2)),
             TENSORS(CONV_INPUTS), TENSOR(F, SHAPE(1, 1, 2), -1, 2), 0);
  check_node(
      LPOT_OP_FUSED_CONV,
      ATTRIBUTES(STRING("activation", "HardSigmoid"), FLOATS("activation_params", 0.1f, 0.5f)),
      TENSORS(CONV_INPUTS), TENSOR(F, SHAPE(1, 1, 2), 0.2, 0.8), 1e-6);
}

static void convolution_adds_before_the_activation(void **state) {
  (void)state;
  check_node(LPOT_OP_FUSED_CONV, ATTRIBUTES(STRING("activation", "Relu")),
             TENSORS(CONV_INPUTS, TENSOR(F, SHAPE(1, 1, 2), 4, -4)),
             TENSOR(F, SHAPE(1, 1, 2), 1, 0), 0);
  check_fails(LPOT_OP_FUSED_CONV, NO_ATTRIBUTES, TENSORS(CONV_INPUTS, TENSOR(F, SHAPE(1, 1, 1), 4)),
              TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_INVALID, "input 3 and output");
}

static void unknown_activations_are_refused(void **state) {
  (void)state;
  check_fails(LPOT_OP_FUSED_CONV, ATTRIBUTES(STRING("activation", "Elu")), TENSORS(CONV_INPUTS),
              TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_UNSUPPORTED, "'Elu'");
}

static void gemm_applies_its_activation(void **state) {
  (void)state;
  check_node(LPOT_OP_FUSED_GEMM,
             ATTRIBUTES(STRING("activation", "LeakyRelu"), FLOAT("activation_alpha", 0.5f),
                        FLOAT("alpha", 2), INT("transB", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(2, 2), 1, 1, -1, -1)),
             TENSOR(F, SHAPE(1, 2), 6, -3), 0);
}

static void matmul_turns_its_factors(void **state) {
  (void)state;
  /* transpose([1; 2]) x transpose([3; 4]) is 1 x 3 + ... as stored the other way round. */
  check_node(LPOT_OP_FUSED_MATMUL,
             ATTRIBUTES(INT("transA", 1), INT("transB", 1), FLOAT("alpha", 2)),
             TENSORS(TENSOR(F, SHAPE(2, 1), 1, 2), TENSOR(F, SHAPE(1, 2), 3, 4)),
             TENSOR(F, SHAPE(1, 1), 22), 0);
  /* Stacks of two: rows come first, then the stack. */
  check_node(LPOT_OP_FUSED_MATMUL, ATTRIBUTES(INT("transBatchA", 1)),
             TENSORS(TENSOR(F, SHAPE(2, 2, 1), 1, 2, 3, 4), TENSOR(F, SHAPE(1, 1), 10)),
             TENSOR(F, SHAPE(2, 2, 1), 10, 30, 20, 40), 0);
  check_fails(LPOT_OP_FUSED_MATMUL, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(2, 1), 1, 2), TENSOR(F, SHAPE(2, 1), 3, 4)),
              TENSOR(F, SHAPE(2, 1), 0, 0), LPOT_INVALID, "inner dimensions");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolution_applies_its_activation),
      cmocka_unit_test(convolution_adds_before_the_activation),
      cmocka_unit_test(unknown_activations_are_refused),
      cmocka_unit_test(gemm_applies_its_activation),
      cmocka_unit_test(matmul_turns_its_factors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
