#include "support/tensor_check.h"

#define F LPOT_F32

static void a_window_of_three_sees_both_neighbours(void **state) {
  (void)state;
  /* alpha / size is 1, bias 0, beta 1: each element over the sum of squares around it. */
  check_node(
      LPOT_OP_LRN,
      ATTRIBUTES(INT("size", 3), FLOAT("alpha", 3.0f), FLOAT("bias", 0.0f), FLOAT("beta", 1.0f)),
      TENSORS(TENSOR(F, SHAPE(1, 3, 1), 1, 2, 3)),
      TENSOR(F, SHAPE(1, 3, 1), 1.0 / 5.0, 2.0 / 14.0, 3.0 / 13.0), 1e-6);
}

static void an_even_window_looks_ahead(void **state) {
  (void)state;
  check_node(
      LPOT_OP_LRN,
      ATTRIBUTES(INT("size", 2), FLOAT("alpha", 2.0f), FLOAT("bias", 0.0f), FLOAT("beta", 1.0f)),
      TENSORS(TENSOR(F, SHAPE(1, 3, 2), 1, 1, 2, 1, 3, 1)),
      TENSOR(F, SHAPE(1, 3, 2), 1.0 / 5.0, 0.5, 2.0 / 13.0, 0.5, 1.0 / 3.0, 1.0), 1e-6);
}

static void a_huge_window_sees_every_channel(void **state) {
  (void)state;
  check_node(LPOT_OP_LRN,
             ATTRIBUTES(INT("size", INT64_MAX), FLOAT("alpha", 1.0f), FLOAT("bias", 1.0f)),
             TENSORS(TENSOR(F, SHAPE(1, 2), 3, 4)), TENSOR(F, SHAPE(1, 2), 3, 4), 1e-6);
}

static void a_window_of_nothing_is_refused(void **state) {
  (void)state;
  check_fails(LPOT_OP_LRN, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 2), 3, 4)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "size is 0");
  check_fails(LPOT_OP_LRN, ATTRIBUTES(INT("size", 1)), TENSORS(TENSOR(LPOT_S32, SHAPE(1, 2), 3, 4)),
              TENSOR(LPOT_S32, SHAPE(1, 2), 0, 0), LPOT_UNSUPPORTED, "int32");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_window_of_three_sees_both_neighbours),
      cmocka_unit_test(an_even_window_looks_ahead),
      cmocka_unit_test(a_huge_window_sees_every_channel),
      cmocka_unit_test(a_window_of_nothing_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
