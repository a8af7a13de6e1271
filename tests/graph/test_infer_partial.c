#include "graph_fixture.h"

/* Shape -> Gather -> Unsqueeze -> Concat -> Reshape, as exporters write a flattening. */
static void a_flattening_by_computed_shape_keeps_the_known_dimensions(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x));
  lpot_value_id batch = compute(LPOT_OP_GATHER, "gather", VALUES(shape, scalar_int(0)));
  lpot_value_id vector = compute(LPOT_OP_UNSQUEEZE, "unsqueeze", VALUES(batch, ints(INTS(0))));
  lpot_node_id concat = node_of(LPOT_OP_CONCAT, "concat", VALUES(vector, ints(INTS(6, 2))));
  set_int(concat, "axis", 0);
  lpot_value_id y = compute(LPOT_OP_RESHAPE, "reshape", VALUES(x, output_of(concat)));
  infer();
  assert_shape(y, "[?, 6, 2]");
}

static void slices_and_arithmetic_are_followed(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x));
  lpot_value_id tail = compute(
      LPOT_OP_SLICE, "slice",
      VALUES(shape, ints(INTS(-1)), ints(INTS(0)), ints(INTS(0)), ints(INTS(-1)))); /* [4, 3] */
  lpot_value_id doubled = compute(LPOT_OP_MUL, "mul", VALUES(tail, ints(INTS(2))));
  lpot_value_id more = compute(LPOT_OP_ADD, "add", VALUES(doubled, ints(INTS(1, 0))));
  lpot_value_id less = compute(LPOT_OP_SUB, "sub", VALUES(more, ints(INTS(1))));
  lpot_value_id half = compute(LPOT_OP_DIV, "div", VALUES(less, ints(INTS(2, 5))));
  lpot_value_id y = compute(LPOT_OP_CONSTANT_OF_SHAPE, "fill", VALUES(half));
  infer();
  assert_shape(y, "[4, 1]");
}

/* As PyTorch writes x.expand(4, -1, 5): the -1 are replaced by 1. */
static void an_expanded_shape_without_its_minus_ones_is_followed(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x)); /* [?, 3] */
  lpot_node_id concat = node_of(LPOT_OP_CONCAT, "concat", VALUES(shape, ints(INTS(-1, 5))));
  set_int(concat, "axis", 0);
  lpot_value_id wanted = output_of(concat);
  lpot_value_id is_free = compute(LPOT_OP_EQUAL, "equal", VALUES(wanted, ints(INTS(-1))));
  lpot_value_id chosen =
      compute(LPOT_OP_WHERE, "where", VALUES(is_free, ints(INTS(1, 1, 1, 1)), wanted));
  lpot_value_id y = compute(LPOT_OP_CONSTANT_OF_SHAPE, "fill", VALUES(chosen));
  infer();
  assert_shape(y, "[?, 3, 1, 5]");
}

static void extremes_and_truth_values_are_followed(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x));
  lpot_value_id tail =
      compute(LPOT_OP_SLICE, "slice",
              VALUES(shape, ints(INTS(1)), ints(INTS(3)), ints(INTS(0)))); /* [3, 4] */
  lpot_value_id raised = compute(LPOT_OP_MAX, "max", VALUES(tail, ints(INTS(2, 9))));
  lpot_value_id lowered = compute(LPOT_OP_MIN, "min", VALUES(raised, ints(INTS(5)))); /* [3, 5] */
  lpot_value_id is_more = compute(LPOT_OP_GREATER, "more", VALUES(lowered, ints(INTS(3))));
  lpot_value_id as_ints = compute(LPOT_OP_CAST_LIKE, "ints", VALUES(is_more, shape)); /* [0, 1] */
  lpot_value_id y = compute(LPOT_OP_CONSTANT_OF_SHAPE, "y",
                            VALUES(compute(LPOT_OP_ADD, "add", VALUES(lowered, as_ints))));
  lpot_node_id cast = node_of(LPOT_OP_CAST, "bool", VALUES(lowered));
  set_int(cast, "to", 9);
  lpot_node_id back = node_of(LPOT_OP_CAST, "back", VALUES(output_of(cast)));
  set_int(back, "to", 7);
  lpot_value_id z = compute(LPOT_OP_CONSTANT_OF_SHAPE, "z", VALUES(output_of(back)));
  infer();
  assert_shape(y, "[3, 6]");
  assert_shape(z, "[1, 1]");
}

static void sizes_and_products_are_followed(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x));
  lpot_value_id tail =
      compute(LPOT_OP_SLICE, "slice", VALUES(shape, ints(INTS(1)), ints(INTS(3)), ints(INTS(0))));
  lpot_value_id product = compute(LPOT_OP_REDUCE_PROD, "product", VALUES(tail));
  lpot_value_id a = compute(LPOT_OP_CONSTANT_OF_SHAPE, "a", VALUES(product));
  lpot_value_id whole = compute(LPOT_OP_REDUCE_PROD, "whole", VALUES(shape));
  lpot_value_id b = compute(LPOT_OP_CONSTANT_OF_SHAPE, "b", VALUES(whole));
  lpot_value_id size = compute(LPOT_OP_SIZE, "size", VALUES(x));
  lpot_value_id vector = compute(LPOT_OP_UNSQUEEZE, "vector", VALUES(size, ints(INTS(0))));
  lpot_value_id c = compute(LPOT_OP_CONSTANT_OF_SHAPE, "c", VALUES(vector));
  infer();
  assert_shape(a, "[12]");
  assert_shape(b, "[?]");
  assert_shape(c, "[?]");
}

static void what_is_not_known_or_overflows_stays_unknown(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x));
  lpot_value_id huge = compute(LPOT_OP_MUL, "mul", VALUES(shape, ints(INTS(INT64_MAX))));
  lpot_value_id zero = compute(LPOT_OP_DIV, "div", VALUES(shape, ints(INTS(0))));
  lpot_value_id a = compute(LPOT_OP_CONSTANT_OF_SHAPE, "a", VALUES(huge));
  lpot_value_id b = compute(LPOT_OP_CONSTANT_OF_SHAPE, "b", VALUES(zero));
  lpot_value_id gathered = compute(LPOT_OP_GATHER, "gather", VALUES(shape, ints(INTS(7))));
  lpot_value_id c = compute(LPOT_OP_CONSTANT_OF_SHAPE, "c", VALUES(gathered));
  infer();
  assert_shape(a, "[?, ?]");
  assert_shape(b, "[?, ?]");
  assert_shape(c, "[?]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(a_flattening_by_computed_shape_keeps_the_known_dimensions),
      GRAPH_TEST(slices_and_arithmetic_are_followed),
      GRAPH_TEST(an_expanded_shape_without_its_minus_ones_is_followed),
      GRAPH_TEST(extremes_and_truth_values_are_followed),
      GRAPH_TEST(sizes_and_products_are_followed),
      GRAPH_TEST(what_is_not_known_or_overflows_stays_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
