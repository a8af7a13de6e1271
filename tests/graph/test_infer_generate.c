#include "graph_fixture.h"

static void eye_like_takes_its_type_from_the_attribute(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_S32, DIMS(UNKNOWN, 3));
  lpot_node_id a = node_of(LPOT_OP_EYE_LIKE, "a", VALUES(x));
  lpot_node_id b = node_of(LPOT_OP_EYE_LIKE, "b", VALUES(x));
  set_int(b, "dtype", 11);
  infer();
  assert_shape(output_of(a), "[?, 3]");
  assert_dtype(output_of(a), LPOT_S32);
  assert_dtype(output_of(b), LPOT_F64);
  set_int(b, "dtype", 99);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'b': the data type 99 is not supported");
  set_int(b, "dtype", 1);
  require(lpot_graph_set_input(graph, b, 0, input("v", DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'b': the input has rank 1, expected 2");
}

static void trilu_and_cum_sum_keep_the_shape(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id a = compute(LPOT_OP_TRILU, "a", VALUES(x, scalar_int(1)));
  lpot_node_id b = node_of(LPOT_OP_CUM_SUM, "b", VALUES(x, scalar_int(-1)));
  infer();
  assert_shape(a, "[?, 3]");
  assert_shape(output_of(b), "[?, 3]");
  require(lpot_graph_set_input(graph, b, 1, scalar_int(2), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'b': axis is 2, expected -2 to 1");
  require(lpot_graph_set_input(graph, b, 1, ints(INTS(0, 1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'b': input 1 has 2 elements, expected 1");
}

static void trilu_refuses_a_vector(void **state) {
  (void)state;
  (void)compute(LPOT_OP_TRILU, "t", VALUES(input("x", DIMS(3))));
  assert_infer_fails(LPOT_FORMAT, "node 't': the input has rank 1, expected at least 2");
}

static void one_hot_inserts_the_depth(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_S64, DIMS(UNKNOWN, 3));
  lpot_value_id values = zeros("v", LPOT_F64, DIMS(2));
  lpot_value_id last = compute(LPOT_OP_ONE_HOT, "last", VALUES(x, scalar_int(9), values));
  lpot_node_id inner = node_of(LPOT_OP_ONE_HOT, "inner", VALUES(x, scalar_int(9), values));
  set_int(inner, "axis", 1);
  lpot_value_id depth = typed_input("d", LPOT_S64, 0, NULL);
  lpot_value_id computed = compute(LPOT_OP_ONE_HOT, "computed", VALUES(x, depth, values));
  infer();
  assert_shape(last, "[?, 3, 9]");
  assert_dtype(last, LPOT_F64);
  assert_shape(output_of(inner), "[?, 9, 3]");
  assert_shape(computed, "[?, 3, ?]");
  require(lpot_graph_set_input(graph, inner, 1, scalar_int(-1), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'inner': the depth is -1, expected at least 1");
  require(lpot_graph_set_input(graph, inner, 2, zeros("w", LPOT_F32, DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'inner': input 2 has 3 values, expected 2: off and on");
}

static void assert_range(int64_t start, int64_t limit, int64_t delta, const char *expected) {
  lpot_value_id y =
      compute(LPOT_OP_RANGE, "r", VALUES(scalar_int(start), scalar_int(limit), scalar_int(delta)));
  infer();
  assert_shape(y, expected);
}

static void range_counts_its_steps(void **state) {
  (void)state;
  assert_range(0, 5, 1, "[5]");
  assert_range(0, 5, 2, "[3]");
  assert_range(0, 6, 2, "[3]");
  assert_range(5, 0, -2, "[3]");
  assert_range(5, 0, 1, "[0]");
  assert_range(3, 3, -1, "[0]");
  assert_range(0, 5, INT64_MAX, "[1]");
  assert_range(0, -5, INT64_MIN, "[1]");
}

static void range_of_reals_rounds_up(void **state) {
  (void)state;
  lpot_value_id y = compute(LPOT_OP_RANGE, "r",
                            VALUES(reals("a", 0, NULL, REALS(1)), reals("b", 0, NULL, REALS(2)),
                                   reals("c", 0, NULL, REALS(0.3F))));
  infer();
  assert_shape(y, "[4]");
  assert_dtype(y, LPOT_F32);
}

static void range_refuses_absurd_bounds(void **state) {
  (void)state;
  lpot_value_id limits[] = {scalar_int(INT64_MIN), scalar_int(INT64_MAX), scalar_int(1)};
  lpot_node_id node = node_of(LPOT_OP_RANGE, "r", 3, limits);
  assert_infer_fails(LPOT_FORMAT, "node 'r': a range from");
  require(lpot_graph_set_input(graph, node, 2, scalar_int(0), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'r': the step of a range is 0");
  require(lpot_graph_set_input(graph, node, 2, scalar_of(LPOT_F32), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'r': inputs 0 and 2 have the types int64 and float32");
}

static void range_waits_for_a_computed_bound(void **state) {
  (void)state;
  lpot_value_id limit = typed_input("n", LPOT_S64, 0, NULL);
  lpot_value_id y = compute(LPOT_OP_RANGE, "r", VALUES(scalar_int(0), limit, scalar_int(1)));
  infer();
  assert_shape(y, "[?]");
}

static void tile_multiplies_dimensions(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_node_id node = node_of(LPOT_OP_TILE, "t", VALUES(x, ints(INTS(1, 4))));
  infer();
  assert_shape(output_of(node), "[?, 12]");
  require(lpot_graph_set_input(graph, node, 1, ints(INTS(1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 't': repeats has 1 values, expected 2");
  require(lpot_graph_set_input(graph, node, 1, ints(INTS(1, -1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 't': repeats has the value -1");
  require(lpot_graph_set_input(graph, node, 1, ints(INTS(1, (int64_t)1 << 48)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 't': a dimension of the result is out of range");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(eye_like_takes_its_type_from_the_attribute),
      GRAPH_TEST(trilu_and_cum_sum_keep_the_shape),
      GRAPH_TEST(trilu_refuses_a_vector),
      GRAPH_TEST(one_hot_inserts_the_depth),
      GRAPH_TEST(range_counts_its_steps),
      GRAPH_TEST(range_of_reals_rounds_up),
      GRAPH_TEST(range_refuses_absurd_bounds),
      GRAPH_TEST(range_waits_for_a_computed_bound),
      GRAPH_TEST(tile_multiplies_dimensions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
