#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define X23 TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 6)
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)

static void transpose_reverses_axes_by_default(void **state) {
  (void)state;
  check_node(LPOT_OP_TRANSPOSE, NO_ATTRIBUTES, TENSORS(X23),
             TENSOR(F, SHAPE(3, 2), 1, 4, 2, 5, 3, 6), 0);
}

static void transpose_permutes_any_element_size(void **state) {
  (void)state;
  check_node(LPOT_OP_TRANSPOSE, ATTRIBUTES(INTS("perm", 1, 0, 2)),
             TENSORS(TENSOR(LPOT_U8, SHAPE(2, 2, 1), 1, 2, 3, 4)),
             TENSOR(LPOT_U8, SHAPE(2, 2, 1), 1, 3, 2, 4), 0);
  check_node(LPOT_OP_TRANSPOSE, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_F16, SHAPE(2, 2), 1, 2, 3, 4)),
             TENSOR(LPOT_F16, SHAPE(2, 2), 1, 3, 2, 4), 0);
  check_node(LPOT_OP_TRANSPOSE, NO_ATTRIBUTES, TENSORS(TENSOR(I, SHAPE(2, 2), 1, 2, 3, 4)),
             TENSOR(I, SHAPE(2, 2), 1, 3, 2, 4), 0);
}

static void transpose_refuses_a_repeated_axis(void **state) {
  (void)state;
  check_fails(LPOT_OP_TRANSPOSE, ATTRIBUTES(INTS("perm", 0, 0)), TENSORS(X23),
              TENSOR(F, SHAPE(2, 3), 0, 0, 0, 0, 0, 0), LPOT_INVALID, "not a permutation");
}

static void slice_cuts_along_given_axes(void **state) {
  (void)state;
  check_node(LPOT_OP_SLICE, NO_ATTRIBUTES, TENSORS(X23, LIST(1), LIST(3), LIST(1)),
             TENSOR(F, SHAPE(2, 2), 2, 3, 5, 6), 0);
}

static void slice_steps_backwards_from_the_end(void **state) {
  (void)state;
  check_node(LPOT_OP_SLICE, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(5), 1, 2, 3, 4, 5), LIST(-1), LIST(-100), LIST(0), LIST(-2)),
             TENSOR(F, SHAPE(3), 5, 3, 1), 0);
}

static void slice_clamps_huge_ends_and_steps(void **state) {
  (void)state;
  check_node(LPOT_OP_SLICE, NO_ATTRIBUTES,
             TENSORS(X23, LIST(0, 1), LIST(9e18, 9e18), LIST(0, 1), LIST(9e18, 1)),
             TENSOR(F, SHAPE(1, 2), 2, 3), 0);
}

static void slice_refuses_a_step_of_zero(void **state) {
  (void)state;
  check_fails(LPOT_OP_SLICE, NO_ATTRIBUTES, TENSORS(X23, LIST(0), LIST(1), LIST(0), LIST(0)),
              TENSOR(F, SHAPE(1, 3), 0, 0, 0), LPOT_INVALID, "a step is 0");
}

static void expand_repeats_dimensions_of_one(void **state) {
  (void)state;
  check_node(LPOT_OP_EXPAND, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2, 1), 1, 2), LIST(2, 2, 2)),
             TENSOR(F, SHAPE(2, 2, 2), 1, 1, 2, 2, 1, 1, 2, 2), 0);
}

static void gather_picks_rows_columns_and_negative_indices(void **state) {
  (void)state;
  check_node(LPOT_OP_GATHER, ATTRIBUTES(INT("axis", 1)), TENSORS(X23, LIST(2, 0)),
             TENSOR(F, SHAPE(2, 2), 3, 1, 6, 4), 0);
  check_node(LPOT_OP_GATHER, NO_ATTRIBUTES, TENSORS(X23, TENSOR(LPOT_S32, SCALAR, -1)),
             TENSOR(F, SHAPE(3), 4, 5, 6), 0);
}

static void gather_refuses_an_index_outside(void **state) {
  (void)state;
  check_fails(LPOT_OP_GATHER, NO_ATTRIBUTES, TENSORS(X23, LIST(2)), TENSOR(F, SHAPE(1, 3), 0, 0, 0),
              LPOT_INVALID, "index 2 is outside [-2, 2)");
}

static void pad_surrounds_with_a_constant(void **state) {
  (void)state;
  check_node(LPOT_OP_PAD, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), LIST(1, 1, 0, 2), TENSOR(F, SCALAR, 9)),
             TENSOR(F, SHAPE(2, 5), 9, 9, 9, 9, 9, 9, 1, 2, 9, 9), 0);
}

static void pad_mirrors_and_repeats_the_edge(void **state) {
  (void)state;
  check_node(LPOT_OP_PAD, ATTRIBUTES(STRING("mode", "reflect")),
             TENSORS(TENSOR(F, SHAPE(3), 1, 2, 3), LIST(2, 1)),
             TENSOR(F, SHAPE(6), 3, 2, 1, 2, 3, 2), 0);
  check_node(LPOT_OP_PAD, ATTRIBUTES(STRING("mode", "edge")),
             TENSORS(TENSOR(F, SHAPE(3), 1, 2, 3), LIST(2, 1)),
             TENSOR(F, SHAPE(6), 1, 1, 1, 2, 3, 3), 0);
}

static void pad_of_a_negative_amount_crops(void **state) {
  (void)state;
  check_node(LPOT_OP_PAD, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(3), 1, 2, 3), LIST(-1, 1)),
             TENSOR(F, SHAPE(3), 2, 3, 0), 0);
}

static void pad_of_an_empty_tensor_is_all_constant(void **state) {
  (void)state;
  check_node(LPOT_OP_PAD, NO_ATTRIBUTES,
             TENSORS(EMPTY(F, SHAPE(0)), LIST(1, 1), TENSOR(F, SCALAR, 7)),
             TENSOR(F, SHAPE(2), 7, 7), 0);
}

static void pad_refuses_an_unknown_mode(void **state) {
  (void)state;
  check_fails(LPOT_OP_PAD, ATTRIBUTES(STRING("mode", "mirror")),
              TENSORS(TENSOR(F, SHAPE(1), 1), LIST(0, 0)), TENSOR(F, SHAPE(1), 0), LPOT_UNSUPPORTED,
              "mode 'mirror'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transpose_reverses_axes_by_default),
      cmocka_unit_test(transpose_permutes_any_element_size),
      cmocka_unit_test(transpose_refuses_a_repeated_axis),
      cmocka_unit_test(slice_cuts_along_given_axes),
      cmocka_unit_test(slice_steps_backwards_from_the_end),
      cmocka_unit_test(slice_clamps_huge_ends_and_steps),
      cmocka_unit_test(slice_refuses_a_step_of_zero),
      cmocka_unit_test(expand_repeats_dimensions_of_one),
      cmocka_unit_test(gather_picks_rows_columns_and_negative_indices),
      cmocka_unit_test(gather_refuses_an_index_outside),
      cmocka_unit_test(pad_surrounds_with_a_constant),
      cmocka_unit_test(pad_mirrors_and_repeats_the_edge),
      cmocka_unit_test(pad_of_a_negative_amount_crops),
      cmocka_unit_test(pad_of_an_empty_tensor_is_all_constant),
      cmocka_unit_test(pad_refuses_an_unknown_mode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
