#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)
#define X32 TENSOR(F, SHAPE(3, 2), 1, 2, 3, 4, 5, 6)

static void compress_keeps_what_the_condition_names(void **state) {
  (void)state;
  check_node(LPOT_OP_COMPRESS, ATTRIBUTES(INT("axis", 0)),
             TENSORS(X32, TENSOR(LPOT_BOOL, SHAPE(3), 0, 1, 1)), TENSOR(F, SHAPE(2, 2), 3, 4, 5, 6),
             0);
  check_node(LPOT_OP_COMPRESS, ATTRIBUTES(INT("axis", -1)),
             TENSORS(X32, TENSOR(LPOT_BOOL, SHAPE(2), 0, 1)), TENSOR(F, SHAPE(3, 1), 2, 4, 6), 0);
  check_node(LPOT_OP_COMPRESS, NO_ATTRIBUTES, TENSORS(X32, TENSOR(LPOT_BOOL, SHAPE(4), 1, 0, 0, 1)),
             TENSOR(F, SHAPE(2), 1, 4), 0);
}

static void compress_refuses_a_long_condition(void **state) {
  (void)state;
  check_fails(LPOT_OP_COMPRESS, ATTRIBUTES(INT("axis", 1)),
              TENSORS(X32, TENSOR(LPOT_BOOL, SHAPE(3), 1, 1, 1)), TENSOR(F, SHAPE(3), 0, 0, 0),
              LPOT_INVALID, "the condition has 3 elements, expected at most 2");
  check_fails(LPOT_OP_COMPRESS, NO_ATTRIBUTES, TENSORS(X32, TENSOR(LPOT_BOOL, SHAPE(1), 1)),
              TENSOR(F, SHAPE(2), 0, 0), LPOT_INVALID, "output has 2 elements, expected 1");
}

static void non_zero_lists_coordinates(void **state) {
  (void)state;
  check_node(LPOT_OP_NON_ZERO, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2, 2), 1, 0, 0, -3)),
             TENSOR(I, SHAPE(2, 2), 0, 1, 0, 1), 0);
  check_node(LPOT_OP_NON_ZERO, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_BOOL, SCALAR, 1)),
             TENSOR(I, SHAPE(1, 1), 0), 0);
  check_fails(LPOT_OP_NON_ZERO, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1, 1)),
              TENSOR(I, SHAPE(1, 1), 0), LPOT_INVALID, "room for 1 elements, expected 2");
}

static void unique_gives_all_four_outputs(void **state) {
  (void)state;
  lpot_tensor *expected[4] = {TENSOR(F, SHAPE(3), 1, 2, 3), LIST(1, 0, 3), LIST(1, 0, 0, 2, 1),
                              LIST(2, 2, 1)};
  check_nodes_outputs(LPOT_OP_UNIQUE, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(5), 2, 1, 1, 3, 2)),
                      expected, 4, 0);
}

static void unique_finds_rows_along_an_axis(void **state) {
  (void)state;
  lpot_tensor *expected[2] = {TENSOR(F, SHAPE(2, 2), 3, 4, 1, 2), NULL};
  check_nodes_outputs(LPOT_OP_UNIQUE, ATTRIBUTES(INT("axis", 0), INT("sorted", 0)),
                      TENSORS(TENSOR(F, SHAPE(3, 2), 3, 4, 1, 2, 3, 4)), expected, 2, 0);
}

static void non_max_suppression_stores_its_selection(void **state) {
  (void)state;
  check_node(LPOT_OP_NON_MAX_SUPPRESSION, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 2, 4), 0, 0, 1, 1, 0, 2, 1, 3),
                     TENSOR(F, SHAPE(1, 1, 2), 0.5, 0.9), LIST(5)),
             TENSOR(I, SHAPE(2, 3), 0, 0, 1, 0, 0, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compress_keeps_what_the_condition_names),
      cmocka_unit_test(compress_refuses_a_long_condition),
      cmocka_unit_test(non_zero_lists_coordinates),
      cmocka_unit_test(unique_gives_all_four_outputs),
      cmocka_unit_test(unique_finds_rows_along_an_axis),
      cmocka_unit_test(non_max_suppression_stores_its_selection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
