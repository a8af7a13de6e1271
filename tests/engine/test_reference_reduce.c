#include "support/tensor_check.h"

#define F LPOT_F32
#define X23 TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 9)

static void mean_reduces_given_axes(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_MEAN, ATTRIBUTES(INTS("axes", 1), INT("keepdims", 0)), TENSORS(X23),
             TENSOR(F, SHAPE(2), 2, 6), 0);
  check_node(LPOT_OP_REDUCE_MEAN, ATTRIBUTES(INTS("axes", -2)), TENSORS(X23),
             TENSOR(F, SHAPE(1, 3), 2.5, 3.5, 6), 0);
}

static void mean_reduces_everything_by_default(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_MEAN, NO_ATTRIBUTES, TENSORS(X23), TENSOR(F, SHAPE(1, 1), 4), 0);
}

static void mean_takes_axes_as_an_input(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_MEAN, NO_ATTRIBUTES, TENSORS(X23, TENSOR(LPOT_S64, SHAPE(1), 0)),
             TENSOR(F, SHAPE(1, 3), 2.5, 3.5, 6), 0);
  check_node(LPOT_OP_REDUCE_MEAN, ATTRIBUTES(INT("noop_with_empty_axes", 1)), TENSORS(X23),
             TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 9), 0);
}

static void mean_of_nothing_is_nan(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_MEAN, ATTRIBUTES(INTS("axes", 0)), TENSORS(EMPTY(F, SHAPE(0, 2))),
             TENSOR(F, SHAPE(1, 2), NOT_A_NUMBER, NOT_A_NUMBER), 0);
}

static void mean_refuses_an_axis_outside(void **state) {
  (void)state;
  check_fails(LPOT_OP_REDUCE_MEAN, ATTRIBUTES(INTS("axes", 2)), TENSORS(X23),
              TENSOR(F, SHAPE(1, 1), 0), LPOT_INVALID, "axis is 2, expected a value in [-2, 2)");
}

/* [2, 3]: rows 1 -2 3 and 4 5 -6. */
#define MIXED TENSOR(F, SHAPE(2, 3), 1, -2, 3, 4, 5, -6)

static void each_reduction_does_what_its_name_says(void **state) {
  (void)state;
  static const struct {
    lpot_op op;
    double expected[2];
  } table[] = {
      {LPOT_OP_REDUCE_L1, {6, 15}},
      {LPOT_OP_REDUCE_L2, {3.7416573867, 8.7749643874}},
      {LPOT_OP_REDUCE_MAX, {3, 5}},
      {LPOT_OP_REDUCE_MIN, {-2, -6}},
      {LPOT_OP_REDUCE_PROD, {-6, -120}},
      {LPOT_OP_REDUCE_SUM, {2, 3}},
      {LPOT_OP_REDUCE_SUM_SQUARE, {14, 77}},
      {LPOT_OP_REDUCE_LOG_SUM, {0.6931471806, 1.0986122887}},
      {LPOT_OP_REDUCE_LOG_SUM_EXP, {3.1328452337, 5.3132738974}},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    check_node(table[i].op, ATTRIBUTES(INTS("axes", 1)), TENSORS(MIXED),
               TENSOR(F, SHAPE(2, 1), table[i].expected[0], table[i].expected[1]), 1e-6);
  }
}

static void scattered_axes_are_reduced_together(void **state) {
  (void)state;
  check_node(
      LPOT_OP_REDUCE_SUM, ATTRIBUTES(INT("keepdims", 0)),
      TENSORS(TENSOR(F, SHAPE(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8), TENSOR(LPOT_S64, SHAPE(2), 0, -1)),
      TENSOR(F, SHAPE(2), 14, 22), 0);
}

static void integers_stay_exact_and_wrap(void **state) {
  (void)state;
  lpot_tensor *big = TENSOR(LPOT_S64, SHAPE(2), 0, 1);
  lpot_tensor *sum = TENSOR(LPOT_S64, SHAPE(1), 0);
  lpot_tensor_set_int(big, 0, (int64_t)1 << 60);
  lpot_tensor_set_int(sum, 0, ((int64_t)1 << 60) + 1);
  lpot_error err = {0};
  lpot_tensor *out = TENSOR(LPOT_S64, SHAPE(1), 0);
  assert_int_equal(check_run(LPOT_OP_REDUCE_SUM, NO_ATTRIBUTES, &big, 1, &out, 1, &err), LPOT_OK);
  assert_true(lpot_tensor_get_int(out, 0) == lpot_tensor_get_int(sum, 0));
  check_release((lpot_tensor *[]){big, sum, out}, 3);
  check_node(LPOT_OP_REDUCE_SUM, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U8, SHAPE(2), 200, 100)),
             TENSOR(LPOT_U8, SHAPE(1), 44), 0);
}

static void unsigned_integers_beyond_int64_compare_right(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_MAX, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U64, SHAPE(3), 1, 0x1p63, 5)),
             TENSOR(LPOT_U64, SHAPE(1), 0x1p63), 0);
  check_node(LPOT_OP_REDUCE_MIN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U64, SHAPE(2), 0x1p63, 5)),
             TENSOR(LPOT_U64, SHAPE(1), 5), 0);
}

static void maxima_of_truth_are_any_and_all(void **state) {
  (void)state;
  lpot_tensor *expected = TENSOR(LPOT_BOOL, SHAPE(1), 1);
  check_node(LPOT_OP_REDUCE_MAX, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_BOOL, SHAPE(2), 0, 1)),
             expected, 0);
  check_node(LPOT_OP_REDUCE_MIN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_BOOL, SHAPE(2), 0, 1)),
             TENSOR(LPOT_BOOL, SHAPE(1), 0), 0);
  check_fails(LPOT_OP_REDUCE_SUM, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_BOOL, SHAPE(1), 1)),
              TENSOR(LPOT_BOOL, SHAPE(1), 0), LPOT_UNSUPPORTED, "no kernel for element type bool");
}

static void empty_sets_have_neutral_results(void **state) {
  (void)state;
  static const struct {
    lpot_op op;
    double expected;
  } table[] = {
      {LPOT_OP_REDUCE_SUM, 0},
      {LPOT_OP_REDUCE_PROD, 1},
      {LPOT_OP_REDUCE_L2, 0},
      {LPOT_OP_REDUCE_MAX, -INFINITE},
      {LPOT_OP_REDUCE_MIN, INFINITE},
      {LPOT_OP_REDUCE_LOG_SUM, -INFINITE},
      {LPOT_OP_REDUCE_LOG_SUM_EXP, -INFINITE},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    check_node(table[i].op, ATTRIBUTES(INTS("axes", 0)), TENSORS(EMPTY(F, SHAPE(0, 1))),
               TENSOR(F, SHAPE(1, 1), table[i].expected), 0);
  }
  check_node(LPOT_OP_REDUCE_MAX, NO_ATTRIBUTES, TENSORS(EMPTY(LPOT_S8, SHAPE(0))),
             TENSOR(LPOT_S8, SHAPE(1), -128), 0);
  check_node(LPOT_OP_REDUCE_MAX, NO_ATTRIBUTES, TENSORS(EMPTY(LPOT_BOOL, SHAPE(0))),
             TENSOR(LPOT_BOOL, SHAPE(1), 0), 0);
}

static void log_sum_exp_does_not_overflow(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_LOG_SUM_EXP, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_F64, SHAPE(2), 1e4, 1e4)),
             TENSOR(LPOT_F64, SHAPE(1), 1e4 + 0.69314718056), 1e-9);
  check_node(LPOT_OP_REDUCE_LOG_SUM_EXP, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), -INFINITE, -INFINITE)), TENSOR(F, SHAPE(1), -INFINITE), 0);
}

static void nan_is_seen_behind_a_maximum(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_MAX, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(3), 1, NOT_A_NUMBER, 2)),
             TENSOR(F, SHAPE(1), NOT_A_NUMBER), 0);
}

static void empty_axes_may_mean_no_reduction(void **state) {
  (void)state;
  check_node(LPOT_OP_REDUCE_SUM_SQUARE, ATTRIBUTES(INT("noop_with_empty_axes", 1)),
             TENSORS(X23, EMPTY(LPOT_S64, SHAPE(0))), TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 9), 0);
}

static void a_reduction_refuses_a_wrong_output(void **state) {
  (void)state;
  check_fails(LPOT_OP_REDUCE_SUM, ATTRIBUTES(INTS("axes", 0)), TENSORS(X23),
              TENSOR(F, SHAPE(2), 0, 0), LPOT_INVALID, "output has 2 elements, expected 3");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mean_reduces_given_axes),
      cmocka_unit_test(mean_reduces_everything_by_default),
      cmocka_unit_test(mean_takes_axes_as_an_input),
      cmocka_unit_test(mean_of_nothing_is_nan),
      cmocka_unit_test(mean_refuses_an_axis_outside),
      cmocka_unit_test(each_reduction_does_what_its_name_says),
      cmocka_unit_test(scattered_axes_are_reduced_together),
      cmocka_unit_test(integers_stay_exact_and_wrap),
      cmocka_unit_test(unsigned_integers_beyond_int64_compare_right),
      cmocka_unit_test(maxima_of_truth_are_any_and_all),
      cmocka_unit_test(empty_sets_have_neutral_results),
      cmocka_unit_test(log_sum_exp_does_not_overflow),
      cmocka_unit_test(nan_is_seen_behind_a_maximum),
      cmocka_unit_test(empty_axes_may_mean_no_reduction),
      cmocka_unit_test(a_reduction_refuses_a_wrong_output),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
