#include "support/tensor_check.h"

#define F LPOT_F32

static void softmax_works_along_the_last_axis_by_default(void **state) {
  (void)state;
  check_node(LPOT_OP_SOFTMAX, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 3), 0, 1, 2)),
             TENSOR(F, SHAPE(1, 3), 0.0900305732, 0.2447284711, 0.6652409558), 1e-7);
}

static void softmax_works_along_an_outer_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_SOFTMAX, ATTRIBUTES(INT("axis", 0)),
             TENSORS(TENSOR(F, SHAPE(2, 2), 5, 0, 5, 1)),
             TENSOR(F, SHAPE(2, 2), 0.5, 0.2689414214, 0.5, 0.7310585786), 1e-7);
}

static void softmax_of_large_numbers_does_not_overflow(void **state) {
  (void)state;
  check_node(LPOT_OP_SOFTMAX, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1e30, 1e30)),
             TENSOR(F, SHAPE(2), 0.5, 0.5), 0);
}

static void softmax_passes_nan_on(void **state) {
  (void)state;
  check_node(LPOT_OP_SOFTMAX, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1, NOT_A_NUMBER)),
             TENSOR(F, SHAPE(2), NOT_A_NUMBER, NOT_A_NUMBER), 0);
}

static void log_softmax_is_the_logarithm_of_softmax(void **state) {
  (void)state;
  check_node(LPOT_OP_LOG_SOFTMAX, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 3), 0, 1, 2)),
             TENSOR(F, SHAPE(1, 3), -2.4076059645, -1.4076059645, -0.4076059645), 1e-6);
  check_node(LPOT_OP_LOG_SOFTMAX, ATTRIBUTES(INT("axis", 0)),
             TENSORS(TENSOR(F, SHAPE(2, 1), 0, 1e30)), TENSOR(F, SHAPE(2, 1), -1e30, 0), 1e23);
}

static void batch_normalization_uses_each_channels_own_parameters(void **state) {
  (void)state;
  /* Channel 0: (x - 1) / 2 * 4 + 10; channel 1: (x - 0) / 1 * 1 - 1. */
  check_node(LPOT_OP_BATCH_NORMALIZATION, ATTRIBUTES(FLOAT("epsilon", 0.0f)),
             TENSORS(TENSOR(F, SHAPE(1, 2, 2), 1, 2, 3, 4), TENSOR(F, SHAPE(2), 4, 1),
                     TENSOR(F, SHAPE(2), 10, -1), TENSOR(F, SHAPE(2), 1, 0),
                     TENSOR(F, SHAPE(2), 4, 1)),
             TENSOR(F, SHAPE(1, 2, 2), 10, 12, 2, 3), 1e-6);
}

static void batch_normalization_refuses_short_parameters(void **state) {
  (void)state;
  check_fails(LPOT_OP_BATCH_NORMALIZATION, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(2), 4, 1),
                      TENSOR(F, SHAPE(1), 10), TENSOR(F, SHAPE(2), 1, 0),
                      TENSOR(F, SHAPE(2), 4, 1)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "bias has 1 elements, expected 2");
}

static void batch_normalization_refuses_training(void **state) {
  (void)state;
  check_fails(LPOT_OP_BATCH_NORMALIZATION, ATTRIBUTES(INT("training_mode", 1)),
              TENSORS(TENSOR(F, SHAPE(1, 1), 1), TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(1), 1),
                      TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(1), 1)),
              TENSOR(F, SHAPE(1, 1), 0), LPOT_UNSUPPORTED, "training_mode");
}

static void lp_normalization_divides_by_the_norm(void **state) {
  (void)state;
  check_node(LPOT_OP_LP_NORMALIZATION, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2, 2), 3, 4, 0, 0)),
             TENSOR(F, SHAPE(2, 2), 0.6, 0.8, 0, 0), 1e-7);
  check_node(LPOT_OP_LP_NORMALIZATION, ATTRIBUTES(INT("p", 1), INT("axis", 0)),
             TENSORS(TENSOR(F, SHAPE(2, 2), 1, -2, 3, 2)),
             TENSOR(F, SHAPE(2, 2), 0.25, -0.5, 0.75, 0.5), 0);
}

static void lp_normalization_refuses_other_orders(void **state) {
  (void)state;
  check_fails(LPOT_OP_LP_NORMALIZATION, ATTRIBUTES(INT("p", 3)), TENSORS(TENSOR(F, SHAPE(1), 1)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "p is 3, expected 1 or 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(softmax_works_along_the_last_axis_by_default),
      cmocka_unit_test(softmax_works_along_an_outer_axis),
      cmocka_unit_test(softmax_of_large_numbers_does_not_overflow),
      cmocka_unit_test(softmax_passes_nan_on),
      cmocka_unit_test(log_softmax_is_the_logarithm_of_softmax),
      cmocka_unit_test(batch_normalization_uses_each_channels_own_parameters),
      cmocka_unit_test(batch_normalization_refuses_short_parameters),
      cmocka_unit_test(batch_normalization_refuses_training),
      cmocka_unit_test(lp_normalization_divides_by_the_norm),
      cmocka_unit_test(lp_normalization_refuses_other_orders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
