#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)

static void eye_like_sets_a_diagonal(void **state) {
  (void)state;
  check_node(LPOT_OP_EYE_LIKE, NO_ATTRIBUTES, TENSORS(TENSOR(I, SHAPE(2, 3), 7, 7, 7, 7, 7, 7)),
             TENSOR(F, SHAPE(2, 3), 1, 0, 0, 0, 1, 0), 0);
  check_node(LPOT_OP_EYE_LIKE, ATTRIBUTES(INT("k", -1)),
             TENSORS(TENSOR(F, SHAPE(2, 2), 7, 7, 7, 7)),
             TENSOR(LPOT_BOOL, SHAPE(2, 2), 0, 0, 1, 0), 0);
  check_node(LPOT_OP_EYE_LIKE, ATTRIBUTES(INT("k", INT64_MIN)), TENSORS(TENSOR(F, SHAPE(1, 1), 7)),
             TENSOR(F, SHAPE(1, 1), 0), 0);
}

static void trilu_keeps_one_side_of_each_matrix(void **state) {
  (void)state;
  check_node(LPOT_OP_TRILU, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8)),
             TENSOR(F, SHAPE(2, 2, 2), 1, 2, 0, 4, 5, 6, 0, 8), 0);
  check_node(LPOT_OP_TRILU, ATTRIBUTES(INT("upper", 0)),
             TENSORS(TENSOR(I, SHAPE(2, 3), 1, 2, 3, 4, 5, 6), LIST(1)),
             TENSOR(I, SHAPE(2, 3), 1, 2, 0, 4, 5, 6), 0);
  check_node(LPOT_OP_TRILU, NO_ATTRIBUTES, TENSORS(TENSOR(I, SHAPE(1, 2), 1, 2), LIST(9e18)),
             TENSOR(I, SHAPE(1, 2), 0, 0), 0);
}

static void trilu_refuses_a_vector(void **state) {
  (void)state;
  check_fails(LPOT_OP_TRILU, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 1)), TENSOR(F, SHAPE(1), 0),
              LPOT_INVALID, "input has rank 1, expected at least 2");
}

static void one_hot_places_on_among_off(void **state) {
  (void)state;
  check_node(LPOT_OP_ONE_HOT, NO_ATTRIBUTES,
             TENSORS(LIST(0, -1, 3), TENSOR(I, SCALAR, 3), TENSOR(F, SHAPE(2), -1, 5)),
             TENSOR(F, SHAPE(3, 3), 5, -1, -1, -1, -1, 5, -1, -1, -1), 0);
  check_node(LPOT_OP_ONE_HOT, ATTRIBUTES(INT("axis", 0)),
             TENSORS(TENSOR(F, SHAPE(2), 1, 0), LIST(2), TENSOR(LPOT_U8, SHAPE(2), 0, 1)),
             TENSOR(LPOT_U8, SHAPE(2, 2), 0, 1, 1, 0), 0);
}

static void one_hot_refuses_another_depth(void **state) {
  (void)state;
  check_fails(LPOT_OP_ONE_HOT, NO_ATTRIBUTES, TENSORS(LIST(0), LIST(3), TENSOR(F, SHAPE(2), 0, 1)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "2 places, expected 3");
}

static void range_counts_by_steps(void **state) {
  (void)state;
  check_node(LPOT_OP_RANGE, NO_ATTRIBUTES,
             TENSORS(TENSOR(I, SCALAR, 10), TENSOR(I, SCALAR, 4), TENSOR(I, SCALAR, -2)),
             TENSOR(I, SHAPE(3), 10, 8, 6), 0);
  check_node(LPOT_OP_RANGE, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SCALAR, 1), TENSOR(F, SCALAR, 2), TENSOR(F, SCALAR, 0.5)),
             TENSOR(F, SHAPE(2), 1, 1.5), 0);
}

static void tile_repeats_along_each_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_TILE, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), LIST(2, 2)),
             TENSOR(F, SHAPE(2, 4), 1, 2, 1, 2, 1, 2, 1, 2), 0);
  check_fails(LPOT_OP_TILE, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), LIST(2)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "times repeats");
  check_fails(LPOT_OP_TILE, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1, 2), LIST(9e18)),
              TENSOR(F, SHAPE(2), 0, 0), LPOT_INVALID, "times repeats");
}

static void cum_sum_adds_up_in_either_direction(void **state) {
  (void)state;
  check_node(LPOT_OP_CUM_SUM, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4), TENSOR(I, SCALAR, 0)),
             TENSOR(F, SHAPE(2, 2), 1, 2, 4, 6), 0);
  check_node(LPOT_OP_CUM_SUM, ATTRIBUTES(INT("reverse", 1), INT("exclusive", 1)),
             TENSORS(TENSOR(LPOT_S32, SHAPE(3), 1, 2, 3), LIST(-1)),
             TENSOR(LPOT_S32, SHAPE(3), 5, 3, 0), 0);
}

static void cum_sum_refuses_an_axis_outside(void **state) {
  (void)state;
  check_fails(LPOT_OP_CUM_SUM, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 1), LIST(1)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "axis is 1, expected a value in [-1, 1)");
}

static void size_counts_elements(void **state) {
  (void)state;
  check_node(LPOT_OP_SIZE, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4)),
             TENSOR(I, SCALAR, 4), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(eye_like_sets_a_diagonal),
      cmocka_unit_test(trilu_keeps_one_side_of_each_matrix),
      cmocka_unit_test(trilu_refuses_a_vector),
      cmocka_unit_test(one_hot_places_on_among_off),
      cmocka_unit_test(one_hot_refuses_another_depth),
      cmocka_unit_test(range_counts_by_steps),
      cmocka_unit_test(tile_repeats_along_each_axis),
      cmocka_unit_test(cum_sum_adds_up_in_either_direction),
      cmocka_unit_test(cum_sum_refuses_an_axis_outside),
      cmocka_unit_test(size_counts_elements),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
