#include "support/tensor_check.h"

#define F LPOT_F32

typedef struct known_value {
  lpot_op op;
  double x, y;
} known_value;

static void functions_have_known_values(void **state) {
  (void)state;
  static const known_value known[] = {
      {LPOT_OP_ABS, -1.5, 1.5},           {LPOT_OP_ACOS, 0.5, 1.0471975512},
      {LPOT_OP_ACOSH, 2.0, 1.3169578969}, {LPOT_OP_ASIN, 0.5, 0.5235987756},
      {LPOT_OP_ASINH, 2.0, 1.4436354752}, {LPOT_OP_ATAN, 2.0, 1.1071487178},
      {LPOT_OP_ATANH, 0.5, 0.5493061443}, {LPOT_OP_CEIL, -1.5, -1.0},
      {LPOT_OP_COS, 1.0, 0.5403023059},   {LPOT_OP_COSH, 1.0, 1.5430806348},
      {LPOT_OP_FLOOR, -1.5, -2.0},        {LPOT_OP_LOG, 10.0, 2.3025850930},
      {LPOT_OP_NEG, 1.5, -1.5},           {LPOT_OP_RECIPROCAL, -4.0, -0.25},
      {LPOT_OP_SIGN, -7.0, -1.0},         {LPOT_OP_SIN, 1.0, 0.8414709848},
      {LPOT_OP_SINH, 1.0, 1.1752011936},  {LPOT_OP_TAN, 1.0, 1.5574077247},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    check_node(known[i].op, NO_ATTRIBUTES,
               TENSORS(TENSOR(F, SHAPE(3), known[i].x, NOT_A_NUMBER, known[i].x)),
               TENSOR(F, SHAPE(3), known[i].y, NOT_A_NUMBER, known[i].y), 2e-7);
    check_node(known[i].op, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_F64, SHAPE(1), known[i].x)),
               TENSOR(LPOT_F64, SHAPE(1), known[i].y), 1e-9);
    check_node(known[i].op, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_F16, SHAPE(1), known[i].x)),
               TENSOR(LPOT_F16, SHAPE(1), known[i].y), 2e-3);
  }
}

static void round_takes_the_even_neighbour(void **state) {
  (void)state;
  check_node(LPOT_OP_ROUND, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(6), 0.5, 1.5, 2.5, -0.5, -1.5, 2.4)),
             TENSOR(F, SHAPE(6), 0, 2, 2, 0, -2, 2), 0);
}

static void arguments_out_of_range_give_nan_or_infinity(void **state) {
  (void)state;
  check_node(LPOT_OP_LOG, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 0, -1)),
             TENSOR(F, SHAPE(2), -INFINITE, NOT_A_NUMBER), 0);
  check_node(LPOT_OP_ACOS, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 2)),
             TENSOR(F, SHAPE(1), NOT_A_NUMBER), 0);
  check_node(LPOT_OP_RECIPROCAL, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 0)),
             TENSOR(F, SHAPE(1), INFINITE), 0);
}

static void abs_neg_and_sign_take_integers(void **state) {
  (void)state;
  check_node(LPOT_OP_ABS, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S8, SHAPE(3), -128, -3, 4)),
             TENSOR(LPOT_S8, SHAPE(3), -128, 3, 4), 0);
  check_node(LPOT_OP_ABS, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U64, SHAPE(1), 0x1p63)),
             TENSOR(LPOT_U64, SHAPE(1), 0x1p63), 0);
  check_node(LPOT_OP_NEG, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S32, SHAPE(2), -3, 4)),
             TENSOR(LPOT_S32, SHAPE(2), 3, -4), 0);
  check_node(LPOT_OP_SIGN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S64, SHAPE(3), -3, 0, 4)),
             TENSOR(LPOT_S64, SHAPE(3), -1, 0, 1), 0);
  check_node(LPOT_OP_SIGN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U64, SHAPE(2), 0x1p63, 0)),
             TENSOR(LPOT_U64, SHAPE(2), 1, 0), 0);
}

static void the_others_refuse_integers(void **state) {
  (void)state;
  const lpot_op ops[] = {LPOT_OP_SIN, LPOT_OP_FLOOR, LPOT_OP_ROUND, LPOT_OP_LOG, LPOT_OP_NOT};
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    check_fails(ops[i], NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S32, SHAPE(1), 1)),
                TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_UNSUPPORTED, "int32");
  }
  check_fails(LPOT_OP_ABS, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_BOOL, SHAPE(1), 1)),
              TENSOR(LPOT_BOOL, SHAPE(1), 0), LPOT_UNSUPPORTED, "bool");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions_have_known_values),
      cmocka_unit_test(round_takes_the_even_neighbour),
      cmocka_unit_test(arguments_out_of_range_give_nan_or_infinity),
      cmocka_unit_test(abs_neg_and_sign_take_integers),
      cmocka_unit_test(the_others_refuse_integers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
