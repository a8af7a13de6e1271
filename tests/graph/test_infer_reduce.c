#include "graph_fixture.h"

/* ---- ReduceSum and its kin ---- */

static void reduce_takes_axes_from_input_or_attribute(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_node_id a = node_of(LPOT_OP_REDUCE_MEAN, "a", VALUES(x));
  set_ints(a, "axes", INTS(-1));
  lpot_node_id b = node_of(LPOT_OP_REDUCE_MEAN, "b", VALUES(x, ints(INTS(1, 2))));
  set_int(b, "keepdims", 0);
  lpot_node_id all = node_of(LPOT_OP_REDUCE_MEAN, "all", VALUES(x));
  lpot_node_id none = node_of(LPOT_OP_REDUCE_MEAN, "none", VALUES(x));
  set_int(none, "noop_with_empty_axes", 1);
  lpot_value_id axes = typed_input("axes", LPOT_S64, DIMS(1));
  lpot_node_id computed = node_of(LPOT_OP_REDUCE_MEAN, "computed", VALUES(x, axes));
  infer();
  assert_shape(output_of(a), "[?, 3, 1]");
  assert_shape(output_of(b), "[?]");
  assert_shape(output_of(all), "[1, 1, 1]");
  assert_shape(output_of(none), "[?, 3, 4]");
  assert_shape(output_of(computed), "[?, ?, ?]");
  set_ints(a, "axes", INTS(3));
  assert_infer_fails(LPOT_FORMAT, "node 'a': axis is 3, expected -3 to 2");
}

static void every_reduction_follows_one_rule(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_REDUCE_L1,      LPOT_OP_REDUCE_L2,
                                LPOT_OP_REDUCE_LOG_SUM, LPOT_OP_REDUCE_LOG_SUM_EXP,
                                LPOT_OP_REDUCE_MAX,     LPOT_OP_REDUCE_MIN,
                                LPOT_OP_REDUCE_PROD,    LPOT_OP_REDUCE_SUM,
                                LPOT_OP_REDUCE_MEAN,    LPOT_OP_REDUCE_SUM_SQUARE};
  lpot_value_id x = typed_input("x", LPOT_S32, DIMS(UNKNOWN, 3, 4));
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    lpot_value_id y = compute(ops[i], "r", VALUES(x, ints(INTS(-2))));
    infer();
    assert_shape(y, "[?, 1, 4]");
    assert_dtype(y, LPOT_S32);
  }
}

static void a_reduction_refuses_an_axis_twice(void **state) {
  (void)state;
  (void)compute(LPOT_OP_REDUCE_SUM, "r", VALUES(input("x", DIMS(2, 3)), ints(INTS(1, -1))));
  assert_infer_fails(LPOT_FORMAT, "node 'r': axis 1 is listed twice");
}

/* ---- ArgMax, ArgMin ---- */

static void arg_max_gives_indices(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_node_id first = node_of(LPOT_OP_ARG_MAX, "first", VALUES(x));
  lpot_node_id last = node_of(LPOT_OP_ARG_MIN, "last", VALUES(x));
  set_int(last, "axis", -1);
  set_int(last, "keepdims", 0);
  infer();
  assert_shape(output_of(first), "[1, 3, 4]");
  assert_shape(output_of(last), "[?, 3]");
  assert_dtype(output_of(last), LPOT_S64);
  set_int(last, "axis", 3);
  assert_infer_fails(LPOT_FORMAT, "node 'last': axis is 3, expected -3 to 2");
}

static void arg_max_of_nothing_is_refused(void **state) {
  (void)state;
  lpot_node_id node = node_of(LPOT_OP_ARG_MAX, "a", VALUES(input("x", DIMS(2, 0))));
  infer();
  set_int(node, "axis", 1);
  assert_infer_fails(LPOT_FORMAT, "node 'a': the input is empty along axis 1");
}

/* ---- TopK ---- */

static void top_k_gives_k_values_and_their_indices(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 10));
  lpot_value_id outputs[2] = {value_of("values"), value_of("indices")};
  lpot_value_id inputs[2] = {x, ints(INTS(3))};
  lpot_node_id node = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_TOP_K, "t", inputs, 2, outputs, 2, &node, &error));
  lpot_value_id computed = typed_input("k", LPOT_S64, DIMS(1));
  lpot_value_id unknown = compute(LPOT_OP_TOP_K, "u", VALUES(x, computed));
  infer();
  assert_shape(outputs[0], "[?, 3]");
  assert_dtype(outputs[0], LPOT_F32);
  assert_shape(outputs[1], "[?, 3]");
  assert_dtype(outputs[1], LPOT_S64);
  assert_shape(unknown, "[?, ?]");
}

static void top_k_refuses_more_than_there_are(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 3));
  lpot_node_id node = node_of(LPOT_OP_TOP_K, "t", VALUES(x, ints(INTS(4))));
  assert_infer_fails(LPOT_FORMAT, "node 't': k is 4, expected 0 to 3");
  require(lpot_graph_set_input(graph, node, 1, ints(INTS(-1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 't': k is -1, expected 0 to 3");
  require(lpot_graph_set_input(graph, node, 1, ints(INTS(1, 1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 't': input 1 (k) has 2 values, expected 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(reduce_takes_axes_from_input_or_attribute),
      GRAPH_TEST(every_reduction_follows_one_rule),
      GRAPH_TEST(a_reduction_refuses_an_axis_twice),
      GRAPH_TEST(arg_max_gives_indices),
      GRAPH_TEST(arg_max_of_nothing_is_refused),
      GRAPH_TEST(top_k_gives_k_values_and_their_indices),
      GRAPH_TEST(top_k_refuses_more_than_there_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
