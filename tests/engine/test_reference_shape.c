#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define X23 TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 6)
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)

static void reshape_and_its_kin_keep_the_order(void **state) {
  (void)state;
  check_node(LPOT_OP_RESHAPE, NO_ATTRIBUTES, TENSORS(X23, LIST(3, 2)),
             TENSOR(F, SHAPE(3, 2), 1, 2, 3, 4, 5, 6), 0);
  check_node(LPOT_OP_FLATTEN, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 2, 2), 1, 2, 3, 4)),
             TENSOR(F, SHAPE(1, 4), 1, 2, 3, 4), 0);
  check_node(LPOT_OP_SQUEEZE, NO_ATTRIBUTES, TENSORS(TENSOR(I, SHAPE(1), 5)), TENSOR(I, SCALAR, 5),
             0);
  check_node(LPOT_OP_UNSQUEEZE, NO_ATTRIBUTES, TENSORS(TENSOR(I, SCALAR, 5), LIST(0)),
             TENSOR(I, SHAPE(1), 5), 0);
  check_node(LPOT_OP_IDENTITY, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U8, SHAPE(2), 5, 6)),
             TENSOR(LPOT_U8, SHAPE(2), 5, 6), 0);
}

static void reshape_refuses_another_number_of_elements(void **state) {
  (void)state;
  check_fails(LPOT_OP_RESHAPE, NO_ATTRIBUTES, TENSORS(X23, LIST(2, 2)),
              TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "has 6 elements, expected 4");
}

static void dropout_copies_and_its_mask_is_true(void **state) {
  (void)state;
  lpot_tensor *expected[] = {TENSOR(F, SHAPE(2), 1, 2), TENSOR(LPOT_BOOL, SHAPE(2), 1, 1)};
  check_nodes_outputs(LPOT_OP_DROPOUT, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1, 2)), expected,
                      2, 0);
}

static void dropout_refuses_training(void **state) {
  (void)state;
  check_fails(LPOT_OP_DROPOUT, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 1), NULL, TENSOR(LPOT_BOOL, SCALAR, 1)),
              TENSOR(F, SHAPE(1), 0), LPOT_UNSUPPORTED, "training_mode");
}

static void concat_joins_along_an_inner_axis(void **state) {
  (void)state;
  check_node(LPOT_OP_CONCAT, ATTRIBUTES(INT("axis", -1)),
             TENSORS(TENSOR(F, SHAPE(2, 1), 1, 2), TENSOR(F, SHAPE(2, 2), 3, 4, 5, 6),
                     EMPTY(F, SHAPE(2, 0))),
             TENSOR(F, SHAPE(2, 3), 1, 3, 4, 2, 5, 6), 0);
}

static void concat_refuses_parts_that_do_not_line_up(void **state) {
  (void)state;
  check_fails(LPOT_OP_CONCAT, ATTRIBUTES(INT("axis", 0)),
              TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(1, 1), 3)),
              TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "expected equal ones");
}

static void split_cuts_unequal_parts(void **state) {
  (void)state;
  lpot_tensor *expected[] = {TENSOR(F, SHAPE(2, 1), 1, 4), TENSOR(F, SHAPE(2, 2), 2, 3, 5, 6)};
  check_nodes_outputs(LPOT_OP_SPLIT, ATTRIBUTES(INT("axis", 1)), TENSORS(X23, LIST(1, 2)), expected,
                      2, 0);
}

static void split_cuts_an_outer_axis(void **state) {
  (void)state;
  lpot_tensor *expected[] = {TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(2, 2), 3, 4, 5, 6)};
  check_nodes_outputs(LPOT_OP_SPLIT, ATTRIBUTES(INTS("split", 1, 2)),
                      TENSORS(TENSOR(F, SHAPE(3, 2), 1, 2, 3, 4, 5, 6)), expected, 2, 0);
}

static void split_skips_an_output_left_out(void **state) {
  (void)state;
  lpot_tensor *expected[] = {NULL, TENSOR(F, SHAPE(2, 2), 2, 3, 5, 6)};
  check_nodes_outputs(LPOT_OP_SPLIT, ATTRIBUTES(INT("axis", 1)), TENSORS(X23, LIST(1, 2)), expected,
                      2, 0);
}

static void shape_gives_dimensions_of_a_range(void **state) {
  (void)state;
  check_node(LPOT_OP_SHAPE, NO_ATTRIBUTES, TENSORS(X23), LIST(2, 3), 0);
  check_node(LPOT_OP_SHAPE, ATTRIBUTES(INT("start", -1)), TENSORS(X23), LIST(3), 0);
  check_node(LPOT_OP_SHAPE, ATTRIBUTES(INT("end", 1)), TENSORS(X23), LIST(2), 0);
}

static void constant_takes_each_kind_of_attribute(void **state) {
  (void)state;
  lpot_tensor *value = TENSOR(F, SHAPE(2), 1, 2);
  const lpot_attribute tensor = {.name = "value", .kind = LPOT_ATTRIBUTE_TENSOR, .tensor = value};
  check_node(LPOT_OP_CONSTANT, &tensor, 1, NULL, 0, TENSOR(F, SHAPE(2), 1, 2), 0);
  lpot_tensor_unref(value);
  check_node(LPOT_OP_CONSTANT, ATTRIBUTES(INTS("value_ints", 3, 4)), NULL, 0, LIST(3, 4), 0);
  check_node(LPOT_OP_CONSTANT, ATTRIBUTES(FLOAT("value_float", 2.5f)), NULL, 0,
             TENSOR(F, SCALAR, 2.5), 0);
}

static void constant_of_shape_fills_with_its_value(void **state) {
  (void)state;
  lpot_tensor *value = TENSOR(I, SHAPE(1), 7);
  const lpot_attribute tensor = {.name = "value", .kind = LPOT_ATTRIBUTE_TENSOR, .tensor = value};
  check_node(LPOT_OP_CONSTANT_OF_SHAPE, &tensor, 1, TENSORS(LIST(2)), LIST(7, 7), 0);
  lpot_tensor_unref(value);
  check_node(LPOT_OP_CONSTANT_OF_SHAPE, NO_ATTRIBUTES, TENSORS(LIST(2)), TENSOR(F, SHAPE(2), 0, 0),
             0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reshape_and_its_kin_keep_the_order),
      cmocka_unit_test(reshape_refuses_another_number_of_elements),
      cmocka_unit_test(dropout_copies_and_its_mask_is_true),
      cmocka_unit_test(dropout_refuses_training),
      cmocka_unit_test(concat_joins_along_an_inner_axis),
      cmocka_unit_test(concat_refuses_parts_that_do_not_line_up),
      cmocka_unit_test(split_cuts_unequal_parts),
      cmocka_unit_test(split_cuts_an_outer_axis),
      cmocka_unit_test(split_skips_an_output_left_out),
      cmocka_unit_test(shape_gives_dimensions_of_a_range),
      cmocka_unit_test(constant_takes_each_kind_of_attribute),
      cmocka_unit_test(constant_of_shape_fills_with_its_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
