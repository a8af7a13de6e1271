#include "support/tensor_check.h"

#define F LPOT_F32

static void extremes_of_one_and_of_three_broadcast(void **state) {
  (void)state;
  check_node(
      LPOT_OP_MAX, NO_ATTRIBUTES,
      TENSORS(TENSOR(F, SHAPE(2, 1), 1, 5), TENSOR(F, SHAPE(3), 2, 3, 9), TENSOR(F, SCALAR, 2.5)),
      TENSOR(F, SHAPE(2, 3), 2.5, 3, 9, 5, 5, 9), 0);
  check_node(LPOT_OP_MIN, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3), 2, 3, 9), TENSOR(F, SHAPE(2, 1), 1, 5)),
             TENSOR(F, SHAPE(2, 3), 1, 1, 1, 2, 3, 5), 0);
  check_node(LPOT_OP_MAX, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1, -1)),
             TENSOR(F, SHAPE(2), 1, -1), 0);
}

static void nan_wins_on_either_side(void **state) {
  (void)state;
  const lpot_op ops[] = {LPOT_OP_MAX, LPOT_OP_MIN};
  for (int i = 0; i < 2; i++) {
    check_node(ops[i], NO_ATTRIBUTES,
               TENSORS(TENSOR(F, SHAPE(2), 1, NOT_A_NUMBER), TENSOR(F, SHAPE(2), NOT_A_NUMBER, 1)),
               TENSOR(F, SHAPE(2), NOT_A_NUMBER, NOT_A_NUMBER), 0);
  }
}

static void extremes_take_every_number_type(void **state) {
  (void)state;
  const lpot_dtype types[] = {LPOT_F64, LPOT_F16, LPOT_S8,  LPOT_S16, LPOT_S32,
                              LPOT_S64, LPOT_U8,  LPOT_U16, LPOT_U32, LPOT_U64};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    check_node(LPOT_OP_MAX, NO_ATTRIBUTES,
               TENSORS(TENSOR(types[i], SHAPE(2), 1, 4), TENSOR(types[i], SHAPE(2), 3, 2)),
               TENSOR(types[i], SHAPE(2), 3, 4), 0);
    check_node(LPOT_OP_MIN, NO_ATTRIBUTES,
               TENSORS(TENSOR(types[i], SHAPE(2), 1, 4), TENSOR(types[i], SHAPE(2), 3, 2)),
               TENSOR(types[i], SHAPE(2), 1, 2), 0);
  }
  check_node(LPOT_OP_MAX, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U64, SHAPE(1), 0x1p63), TENSOR(LPOT_U64, SHAPE(1), 1)),
             TENSOR(LPOT_U64, SHAPE(1), 0x1p63), 0);
  check_node(LPOT_OP_MIN, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S64, SHAPE(1), -1), TENSOR(LPOT_S64, SHAPE(1), 1)),
             TENSOR(LPOT_S64, SHAPE(1), -1), 0);
}

static void mean_adds_in_double(void **state) {
  (void)state;
  check_node(LPOT_OP_MEAN, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_F16, SHAPE(2), 60000, 1), TENSOR(LPOT_F16, SHAPE(2), 60000, 2),
                     TENSOR(LPOT_F16, SHAPE(1), 60000)),
             TENSOR(LPOT_F16, SHAPE(2), 60000, 20000), 16);
  check_node(LPOT_OP_MEAN, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 1), 1, 5), TENSOR(F, SHAPE(2), 2, 3)),
             TENSOR(F, SHAPE(2, 2), 1.5, 2, 3.5, 4), 0);
}

static void operands_that_do_not_fit_are_refused(void **state) {
  (void)state;
  check_fails(LPOT_OP_MAX, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(2), 1, 2), TENSOR(F, SHAPE(3), 1, 2, 3)),
              TENSOR(F, SHAPE(2), 0, 0), LPOT_INVALID, "does not broadcast");
  check_fails(LPOT_OP_MEAN, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 1), TENSOR(LPOT_S32, SHAPE(1), 1)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "int32 and float32");
  check_fails(LPOT_OP_MEAN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S32, SHAPE(1), 1)),
              TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_UNSUPPORTED, "int32");
  check_fails(LPOT_OP_MIN, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 1), NULL),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "input 1 is missing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(extremes_of_one_and_of_three_broadcast),
      cmocka_unit_test(nan_wins_on_either_side),
      cmocka_unit_test(extremes_take_every_number_type),
      cmocka_unit_test(mean_adds_in_double),
      cmocka_unit_test(operands_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
