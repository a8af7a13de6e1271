#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)
#define X23 TENSOR(F, SHAPE(2, 3), 2, 1, 2, 10, 30, 20)

static void arg_max_takes_the_first_or_the_last_of_equals(void **state) {
  (void)state;
  check_node(LPOT_OP_ARG_MAX, ATTRIBUTES(INT("axis", 1), INT("keepdims", 0)), TENSORS(X23),
             TENSOR(I, SHAPE(2), 0, 1), 0);
  check_node(LPOT_OP_ARG_MAX, ATTRIBUTES(INT("axis", -1), INT("select_last_index", 1)),
             TENSORS(X23), TENSOR(I, SHAPE(2, 1), 2, 1), 0);
}

static void arg_min_works_along_the_first_axis_by_default(void **state) {
  (void)state;
  check_node(LPOT_OP_ARG_MIN, NO_ATTRIBUTES, TENSORS(X23), TENSOR(I, SHAPE(1, 3), 0, 0, 0), 0);
}

static void arg_max_ranks_integers_beyond_doubles(void **state) {
  (void)state;
  check_node(LPOT_OP_ARG_MAX, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U64, SHAPE(3), 1, 0x1p63, 7)),
             TENSOR(I, SHAPE(1), 1), 0);
  check_node(LPOT_OP_ARG_MIN, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S8, SHAPE(3), 1, -128, 7)),
             TENSOR(I, SHAPE(1), 1), 0);
}

static void arg_max_finds_nan(void **state) {
  (void)state;
  check_node(LPOT_OP_ARG_MAX, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3), 1, NOT_A_NUMBER, INFINITE)), TENSOR(I, SHAPE(1), 1), 0);
}

static void arg_max_refuses_an_axis_outside(void **state) {
  (void)state;
  check_fails(LPOT_OP_ARG_MAX, ATTRIBUTES(INT("axis", 2)), TENSORS(X23), TENSOR(I, SHAPE(1), 0),
              LPOT_INVALID, "axis is 2, expected a value in [-2, 2)");
}

static void top_k_sorts_and_prefers_lower_indices(void **state) {
  (void)state;
  lpot_tensor *largest[2] = {TENSOR(F, SHAPE(2, 2), 2, 2, 30, 20),
                             TENSOR(I, SHAPE(2, 2), 0, 2, 1, 2)};
  check_nodes_outputs(LPOT_OP_TOP_K, NO_ATTRIBUTES, TENSORS(X23, LIST(2)), largest, 2, 0);
  lpot_tensor *smallest[2] = {TENSOR(F, SHAPE(2, 1), 1, 10), TENSOR(I, SHAPE(2, 1), 1, 0)};
  check_nodes_outputs(LPOT_OP_TOP_K, ATTRIBUTES(INT("largest", 0)), TENSORS(X23, LIST(1)), smallest,
                      2, 0);
}

static void top_k_works_along_an_outer_axis(void **state) {
  (void)state;
  lpot_tensor *expected[2] = {TENSOR(F, SHAPE(1, 3), 10, 30, 20), TENSOR(I, SHAPE(1, 3), 1, 1, 1)};
  check_nodes_outputs(LPOT_OP_TOP_K, ATTRIBUTES(INT("axis", 0)), TENSORS(X23, LIST(1)), expected, 2,
                      0);
}

static void top_k_refuses_more_than_there_are(void **state) {
  (void)state;
  check_fails(LPOT_OP_TOP_K, NO_ATTRIBUTES, TENSORS(X23, LIST(4)), TENSOR(F, SHAPE(1), 0),
              LPOT_INVALID, "k is no number from 0 to 3");
  check_fails(LPOT_OP_TOP_K, NO_ATTRIBUTES, TENSORS(X23, LIST(1)), TENSOR(F, SHAPE(1), 0),
              LPOT_INVALID, "expected equal ones");
}

static void hardmax_marks_the_first_maximum(void **state) {
  (void)state;
  check_node(LPOT_OP_HARDMAX, NO_ATTRIBUTES, TENSORS(X23), TENSOR(F, SHAPE(2, 3), 1, 0, 0, 0, 1, 0),
             0);
  check_node(LPOT_OP_HARDMAX, ATTRIBUTES(INT("axis", 0)), TENSORS(X23),
             TENSOR(F, SHAPE(2, 3), 0, 0, 0, 1, 1, 1), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arg_max_takes_the_first_or_the_last_of_equals),
      cmocka_unit_test(arg_min_works_along_the_first_axis_by_default),
      cmocka_unit_test(arg_max_ranks_integers_beyond_doubles),
      cmocka_unit_test(arg_max_finds_nan),
      cmocka_unit_test(arg_max_refuses_an_axis_outside),
      cmocka_unit_test(top_k_sorts_and_prefers_lower_indices),
      cmocka_unit_test(top_k_works_along_an_outer_axis),
      cmocka_unit_test(top_k_refuses_more_than_there_are),
      cmocka_unit_test(hardmax_marks_the_first_maximum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
