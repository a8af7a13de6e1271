#include "support/tensor_check.h"

#define F LPOT_F32
#define B LPOT_BOOL

static void comparisons_broadcast(void **state) {
  (void)state;
  static const struct {
    lpot_op op;
    double expected[3];
  } cases[] = {
      {LPOT_OP_EQUAL, {0, 1, 0}},
      {LPOT_OP_GREATER, {0, 0, 1}},
      {LPOT_OP_GREATER_OR_EQUAL, {0, 1, 1}},
      {LPOT_OP_LESS, {1, 0, 0}},
      {LPOT_OP_LESS_OR_EQUAL, {1, 1, 0}},
  };
  const lpot_dtype types[] = {F, LPOT_F64, LPOT_F16, LPOT_S8, LPOT_S64, LPOT_U8, LPOT_U64};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
      check_node(cases[i].op, NO_ATTRIBUTES,
                 TENSORS(TENSOR(types[k], SHAPE(3), 1, 2, 3), TENSOR(types[k], SCALAR, 2)),
                 check_tensor(B, SHAPE(3), 3, cases[i].expected), 0);
    }
  }
}

static void comparisons_with_nan_are_false(void **state) {
  (void)state;
  const lpot_op ops[] = {LPOT_OP_EQUAL, LPOT_OP_LESS_OR_EQUAL, LPOT_OP_GREATER_OR_EQUAL};
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    check_node(ops[i], NO_ATTRIBUTES,
               TENSORS(TENSOR(F, SHAPE(2), NOT_A_NUMBER, 1), TENSOR(F, SCALAR, NOT_A_NUMBER)),
               TENSOR(B, SHAPE(2), 0, 0), 0);
  }
}

static void the_upper_half_of_uint64_is_large(void **state) {
  (void)state;
  check_node(LPOT_OP_LESS, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U64, SHAPE(2), 1, 0x1p63), TENSOR(LPOT_U64, SHAPE(2), 0x1p63, 1)),
             TENSOR(B, SHAPE(2), 1, 0), 0);
}

static void truth_values_are_equal_or_not(void **state) {
  (void)state;
  check_node(LPOT_OP_EQUAL, NO_ATTRIBUTES,
             TENSORS(TENSOR(B, SHAPE(2), 0, 1), TENSOR(B, SHAPE(2), 1, 1)),
             TENSOR(B, SHAPE(2), 0, 1), 0);
}

static void logic_has_its_truth_tables(void **state) {
  (void)state;
  static const struct {
    lpot_op op;
    double expected[4];
  } cases[] = {
      {LPOT_OP_AND, {0, 0, 0, 1}}, {LPOT_OP_OR, {0, 1, 1, 1}}, {LPOT_OP_XOR, {0, 1, 1, 0}}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    check_node(cases[i].op, NO_ATTRIBUTES,
               TENSORS(TENSOR(B, SHAPE(2, 1), 0, 1), TENSOR(B, SHAPE(2), 0, 1)),
               check_tensor(B, SHAPE(2, 2), 4, cases[i].expected), 0);
  }
  check_node(LPOT_OP_NOT, NO_ATTRIBUTES, TENSORS(TENSOR(B, SHAPE(2), 0, 1)),
             TENSOR(B, SHAPE(2), 1, 0), 0);
}

static void bits_are_combined_in_every_integer_type(void **state) {
  (void)state;
  check_node(LPOT_OP_BITWISE_AND, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U8, SHAPE(2), 12, 255), TENSOR(LPOT_U8, SCALAR, 10)),
             TENSOR(LPOT_U8, SHAPE(2), 8, 10), 0);
  check_node(LPOT_OP_BITWISE_OR, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S32, SHAPE(1), 12), TENSOR(LPOT_S32, SHAPE(1), -16)),
             TENSOR(LPOT_S32, SHAPE(1), -4), 0);
  check_node(LPOT_OP_BITWISE_XOR, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S64, SHAPE(1), 12), TENSOR(LPOT_S64, SHAPE(1), 10)),
             TENSOR(LPOT_S64, SHAPE(1), 6), 0);
  check_node(LPOT_OP_BITWISE_NOT, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U8, SHAPE(2), 0, 1)),
             TENSOR(LPOT_U8, SHAPE(2), 255, 254), 0);
  check_node(LPOT_OP_BITWISE_NOT, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S16, SHAPE(1), 5)),
             TENSOR(LPOT_S16, SHAPE(1), -6), 0);
}

static void logic_and_bits_do_not_mix(void **state) {
  (void)state;
  check_fails(LPOT_OP_AND, NO_ATTRIBUTES,
              TENSORS(TENSOR(LPOT_U8, SHAPE(1), 1), TENSOR(LPOT_U8, SHAPE(1), 1)),
              TENSOR(LPOT_U8, SHAPE(1), 0), LPOT_UNSUPPORTED, "uint8");
  check_fails(LPOT_OP_BITWISE_AND, NO_ATTRIBUTES,
              TENSORS(TENSOR(B, SHAPE(1), 1), TENSOR(B, SHAPE(1), 1)), TENSOR(B, SHAPE(1), 0),
              LPOT_UNSUPPORTED, "bool");
  check_fails(LPOT_OP_BITWISE_OR, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(1), 1)), TENSOR(F, SHAPE(1), 0),
              LPOT_UNSUPPORTED, "float32");
  check_fails(LPOT_OP_LESS, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(1), 1)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID,
              "the output has the type float32, expected bool");
}

static void shifts_lose_the_bits_that_leave(void **state) {
  (void)state;
  const lpot_dtype types[] = {LPOT_U8, LPOT_U16, LPOT_U32, LPOT_U64};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    check_node(LPOT_OP_BIT_SHIFT, ATTRIBUTES(STRING("direction", "LEFT")),
               TENSORS(TENSOR(types[i], SHAPE(3), 16, 4, 1), TENSOR(types[i], SHAPE(3), 1, 2, 64)),
               TENSOR(types[i], SHAPE(3), 32, 16, 0), 0);
    check_node(LPOT_OP_BIT_SHIFT, ATTRIBUTES(STRING("direction", "RIGHT")),
               TENSORS(TENSOR(types[i], SHAPE(3), 16, 4, 1), TENSOR(types[i], SHAPE(3), 1, 2, 200)),
               TENSOR(types[i], SHAPE(3), 8, 1, 0), 0);
  }
  check_node(LPOT_OP_BIT_SHIFT, ATTRIBUTES(STRING("direction", "LEFT")),
             TENSORS(TENSOR(LPOT_U8, SHAPE(1), 255), TENSOR(LPOT_U8, SHAPE(1), 4)),
             TENSOR(LPOT_U8, SHAPE(1), 240), 0);
  check_fails(LPOT_OP_BIT_SHIFT, ATTRIBUTES(STRING("direction", "LEFT")),
              TENSORS(TENSOR(LPOT_S32, SHAPE(1), 1), TENSOR(LPOT_S32, SHAPE(1), 1)),
              TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_UNSUPPORTED, "int32");
}

static void infinities_and_nan_are_found(void **state) {
  (void)state;
  check_node(LPOT_OP_IS_INF, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(4), -INFINITE, INFINITE, 1, NOT_A_NUMBER)),
             TENSOR(B, SHAPE(4), 1, 1, 0, 0), 0);
  check_node(LPOT_OP_IS_INF, ATTRIBUTES(INT("detect_negative", 0)),
             TENSORS(TENSOR(F, SHAPE(2), -INFINITE, INFINITE)), TENSOR(B, SHAPE(2), 0, 1), 0);
  check_node(LPOT_OP_IS_INF, ATTRIBUTES(INT("detect_positive", 0)),
             TENSORS(TENSOR(LPOT_F64, SHAPE(2), -INFINITE, INFINITE)), TENSOR(B, SHAPE(2), 1, 0),
             0);
  check_node(LPOT_OP_IS_NAN, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_F16, SHAPE(3), NOT_A_NUMBER, INFINITE, 1)),
             TENSOR(B, SHAPE(3), 1, 0, 0), 0);
  check_fails(LPOT_OP_IS_NAN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S32, SHAPE(1), 1)),
              TENSOR(B, SHAPE(1), 0), LPOT_UNSUPPORTED, "int32");
}

static void where_broadcasts_its_three_operands(void **state) {
  (void)state;
  const lpot_dtype types[] = {F, LPOT_F64, LPOT_F16, LPOT_S64, LPOT_U8, LPOT_S32};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    check_node(LPOT_OP_WHERE, NO_ATTRIBUTES,
               TENSORS(TENSOR(B, SHAPE(2, 1, 1), 1, 0), TENSOR(types[i], SHAPE(2, 1), 1, 2),
                       TENSOR(types[i], SHAPE(3), 7, 8, 9)),
               TENSOR(types[i], SHAPE(2, 2, 3), 1, 1, 1, 2, 2, 2, 7, 8, 9, 7, 8, 9), 0);
  }
  check_node(LPOT_OP_WHERE, NO_ATTRIBUTES,
             TENSORS(TENSOR(B, SHAPE(4), 1, 0, 1, 0), TENSOR(B, SCALAR, 1),
                     TENSOR(B, SHAPE(4), 0, 0, 1, 1)),
             TENSOR(B, SHAPE(4), 1, 0, 1, 1), 0);
}

static void where_refuses_what_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_WHERE, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(1), 1)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "the condition has the type float32");
  check_fails(
      LPOT_OP_WHERE, NO_ATTRIBUTES,
      TENSORS(TENSOR(B, SHAPE(2), 1, 0), TENSOR(F, SHAPE(3), 1, 2, 3), TENSOR(F, SHAPE(1), 1)),
      TENSOR(F, SHAPE(3), 0, 0, 0), LPOT_INVALID, "does not broadcast");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comparisons_broadcast),
      cmocka_unit_test(comparisons_with_nan_are_false),
      cmocka_unit_test(the_upper_half_of_uint64_is_large),
      cmocka_unit_test(truth_values_are_equal_or_not),
      cmocka_unit_test(logic_has_its_truth_tables),
      cmocka_unit_test(bits_are_combined_in_every_integer_type),
      cmocka_unit_test(logic_and_bits_do_not_mix),
      cmocka_unit_test(shifts_lose_the_bits_that_leave),
      cmocka_unit_test(infinities_and_nan_are_found),
      cmocka_unit_test(where_broadcasts_its_three_operands),
      cmocka_unit_test(where_refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
