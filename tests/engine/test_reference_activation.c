#include "support/tensor_check.h"

#define F LPOT_F32

/* One value of an activation without attributes. */
typedef struct known_value {
  lpot_op op;
  double x, y;
} known_value;

static void activations_have_known_values(void **state) {
  (void)state;
  static const known_value known[] = {
      {LPOT_OP_CELU, -1.0, -0.6321205588},    {LPOT_OP_CELU, 2.0, 2.0},
      {LPOT_OP_ELU, -1.0, -0.6321205588},     {LPOT_OP_ELU, 2.0, 2.0},
      {LPOT_OP_FAST_GELU, 1.0, 0.8411919906}, {LPOT_OP_GELU, 1.0, 0.8413447461},
      {LPOT_OP_GELU, -1.0, -0.1586552539},    {LPOT_OP_MICROSOFT_GELU, 1.0, 0.8413447461},
      {LPOT_OP_MISH, 1.0, 0.8650983883},      {LPOT_OP_QUICK_GELU, 1.0, 0.8457957659},
      {LPOT_OP_SELU, 2.0, 2.1014020443},      {LPOT_OP_SELU, -1.0, -1.1113307378},
      {LPOT_OP_SHRINK, 0.75, 0.75},           {LPOT_OP_SHRINK, -0.5, 0.0},
      {LPOT_OP_SOFTPLUS, 0.0, 0.6931471806},  {LPOT_OP_SOFTSIGN, -3.0, -0.75},
      {LPOT_OP_THRESHOLDED_RELU, 1.0, 0.0},   {LPOT_OP_THRESHOLDED_RELU, 1.5, 1.5},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    check_node(known[i].op, NO_ATTRIBUTES,
               TENSORS(TENSOR(F, SHAPE(3), known[i].x, NOT_A_NUMBER, known[i].x)),
               TENSOR(F, SHAPE(3), known[i].y, NOT_A_NUMBER, known[i].y), 2e-7);
  }
}

static void activations_heed_their_attributes(void **state) {
  (void)state;
  check_node(LPOT_OP_CELU, ATTRIBUTES(FLOAT("alpha", 2.0f)), TENSORS(TENSOR(F, SHAPE(1), -2)),
             TENSOR(F, SHAPE(1), -1.2642411177), 1e-6);
  check_node(LPOT_OP_ELU, ATTRIBUTES(FLOAT("alpha", 2.0f)), TENSORS(TENSOR(F, SHAPE(1), -1)),
             TENSOR(F, SHAPE(1), -1.2642411177), 1e-6);
  check_node(LPOT_OP_SELU, ATTRIBUTES(FLOAT("alpha", 2.0f), FLOAT("gamma", 3.0f)),
             TENSORS(TENSOR(F, SHAPE(2), -1, 2)), TENSOR(F, SHAPE(2), -3.7927233530, 6), 1e-6);
  check_node(LPOT_OP_SHRINK, ATTRIBUTES(FLOAT("lambd", 1.5f), FLOAT("bias", 1.5f)),
             TENSORS(TENSOR(F, SHAPE(5), -2, -1, 0, 1, 2)), TENSOR(F, SHAPE(5), -0.5, 0, 0, 0, 0.5),
             0);
  check_node(LPOT_OP_THRESHOLDED_RELU, ATTRIBUTES(FLOAT("alpha", 2.0f)),
             TENSORS(TENSOR(F, SHAPE(2), 2, 2.5)), TENSOR(F, SHAPE(2), 0, 2.5), 0);
  check_node(LPOT_OP_QUICK_GELU, ATTRIBUTES(FLOAT("alpha", 1.0f)), TENSORS(TENSOR(F, SHAPE(1), 1)),
             TENSOR(F, SHAPE(1), 0.7310585786), 1e-7);
  check_node(LPOT_OP_GELU, ATTRIBUTES(STRING("approximate", "tanh")),
             TENSORS(TENSOR(F, SHAPE(1), 1)), TENSOR(F, SHAPE(1), 0.8411919906), 1e-7);
}

static void activations_do_not_overflow(void **state) {
  (void)state;
  const lpot_op ops[] = {LPOT_OP_SOFTPLUS, LPOT_OP_MISH, LPOT_OP_GELU, LPOT_OP_QUICK_GELU,
                         LPOT_OP_FAST_GELU};
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    check_node(ops[i], NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), -1000, 1000)),
               TENSOR(F, SHAPE(2), 0, 1000), 0);
  }
}

static void gelu_takes_a_bias_along_the_last_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_BIAS_GELU, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 2), 0, 3, 1, 2), TENSOR(F, SHAPE(2), 1, -2)),
             TENSOR(F, SHAPE(2, 2), 0.8413447461, 0.8413447461, 1.9544997361, 0), 2e-7);
  check_node(LPOT_OP_FAST_GELU, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 1), 0, -1), TENSOR(F, SHAPE(1), 1)),
             TENSOR(F, SHAPE(2, 1), 0.8411919906, 0), 2e-7);
  check_node(LPOT_OP_FAST_GELU, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_F16, SHAPE(1), 1)),
             TENSOR(LPOT_F16, SHAPE(1), 0.8411919906), 1e-3);
}

static void gelu_refuses_a_bias_that_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_BIAS_GELU, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(2), 1, 2), TENSOR(F, SHAPE(1), 1)), TENSOR(F, SHAPE(2), 0, 0),
              LPOT_INVALID, "the bias has 1 elements, expected 2");
  check_fails(LPOT_OP_BIAS_GELU, NO_ATTRIBUTES,
              TENSORS(TENSOR(LPOT_S32, SHAPE(1), 1), TENSOR(LPOT_S32, SHAPE(1), 1)),
              TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_UNSUPPORTED, "int32");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(activations_have_known_values),
      cmocka_unit_test(activations_heed_their_attributes),
      cmocka_unit_test(activations_do_not_overflow),
      cmocka_unit_test(gelu_takes_a_bias_along_the_last_axis),
      cmocka_unit_test(gelu_refuses_a_bias_that_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
