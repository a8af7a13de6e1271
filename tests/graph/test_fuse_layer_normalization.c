#include "graph_fixture.h"

#include "graph/passes/passes.h"

/* The parts of the pattern, which a test may spoil. */
static lpot_value_id x, mean, difference, square, variance, quotient;
static lpot_node_id variance_node;

static lpot_value_id number(const char *name, float value) {
  return reals(name, 0, NULL, REALS(value));
}

static lpot_node_id mean_node(const char *name, lpot_value_id of) {
  lpot_node_id node = node_of(LPOT_OP_REDUCE_MEAN, name, VALUES(of));
  set_ints(node, "axes", INTS(-1));
  return node;
}

/* Up to the division. */
static void build_quotient(float exponent) {
  x = input("x", DIMS(UNKNOWN, 2, 3));
  mean = output_of(mean_node("mean", x));
  difference = compute(LPOT_OP_SUB, "difference", VALUES(x, mean));
  square = compute(LPOT_OP_POW, "square", VALUES(difference, number("two", exponent)));
  variance_node = mean_node("variance", square);
  variance = output_of(variance_node);
  lpot_value_id sum = compute(LPOT_OP_ADD, "sum", VALUES(variance, number("e", 1e-12f)));
  lpot_value_id root = compute(LPOT_OP_SQRT, "root", VALUES(sum));
  quotient = compute(LPOT_OP_DIV, "quotient", VALUES(difference, root));
}

static lpot_value_id scaled_and_shifted(void) {
  lpot_value_id scale = reals("scale", DIMS(3), REALS(1.0f, 2.0f, 3.0f));
  lpot_value_id shift = reals("shift", DIMS(3), REALS(4.0f, 5.0f, 6.0f));
  lpot_value_id product = compute(LPOT_OP_MUL, "product", VALUES(quotient, scale));
  return compute(LPOT_OP_ADD, "last", VALUES(product, shift));
}

static void pass_over(lpot_value_id result) {
  graph_output(result);
  infer();
  require(lpot_pass_fuse_layer_normalization(graph, &error));
}

static const lpot_node *producer(lpot_value_id value) {
  return lpot_graph_node(graph, lpot_graph_value(graph, value)->producer);
}

static void assert_fused(lpot_value_id result) {
  lpot_graph_set_opset(graph, 13);
  pass_over(result);
  const lpot_node *node = producer(result);
  assert_int_equal(node->op, LPOT_OP_LAYER_NORMALIZATION);
  assert_string_equal(node->name, "quotient");
  assert_int_equal(node->inputs[0], x);
  assert_string_equal(lpot_graph_value(graph, node->inputs[1])->name, "scale");
  assert_string_equal(lpot_graph_value(graph, node->inputs[2])->name, "shift");
  assert_int_equal(lpot_node_int(node, "axis", 7), -1);
  assert_true(lpot_node_float(node, "epsilon", 7.0f) == 1e-12f);
  assert_int_equal(lpot_graph_opset(graph), 17);
  check_order(graph, VALUES(node->id));
  infer();
  assert_shape(result, "[?, 2, 3]");
}

static void assert_kept(lpot_value_id result) {
  lpot_graph_set_opset(graph, 13);
  pass_over(result);
  assert_int_equal(producer(result)->op, LPOT_OP_ADD);
  assert_int_equal(lpot_graph_opset(graph), 13);
}

static void becomes_one_node(void **state) {
  (void)state;
  build_quotient(2.0f);
  assert_fused(scaled_and_shifted());
}

static void operands_may_be_swapped(void **state) {
  (void)state;
  x = input("x", DIMS(UNKNOWN, 2, 3));
  mean = output_of(mean_node("mean", x));
  difference = compute(LPOT_OP_SUB, "difference", VALUES(x, mean));
  square = compute(LPOT_OP_MUL, "square", VALUES(difference, difference));
  variance = output_of(mean_node("variance", square));
  lpot_value_id sum = compute(LPOT_OP_ADD, "sum", VALUES(number("e", 1e-12f), variance));
  lpot_value_id root = compute(LPOT_OP_SQRT, "root", VALUES(sum));
  quotient = compute(LPOT_OP_DIV, "quotient", VALUES(difference, root));
  lpot_value_id scale = reals("scale", DIMS(3), REALS(1.0f, 2.0f, 3.0f));
  lpot_value_id shift = reals("shift", DIMS(3), REALS(4.0f, 5.0f, 6.0f));
  lpot_value_id product = compute(LPOT_OP_MUL, "product", VALUES(scale, quotient));
  assert_fused(compute(LPOT_OP_ADD, "last", VALUES(shift, product)));
}

/* Exporters before 2020 subtract the mean twice. */
static void difference_may_be_there_twice(void **state) {
  (void)state;
  build_quotient(2.0f);
  lpot_value_id again = compute(LPOT_OP_SUB, "again", VALUES(x, mean));
  require(lpot_graph_set_input(graph, producer(quotient)->id, 0, again, &error));
  assert_fused(scaled_and_shifted());
}

static void another_power_is_something_else(void **state) {
  (void)state;
  build_quotient(3.0f);
  assert_kept(scaled_and_shifted());
}

static void another_axis_is_something_else(void **state) {
  (void)state;
  build_quotient(2.0f);
  set_ints(variance_node, "axes", INTS(1));
  assert_kept(scaled_and_shifted());
}

static void two_axes_are_something_else(void **state) {
  (void)state;
  build_quotient(2.0f);
  set_ints(variance_node, "axes", INTS(-2, -1));
  assert_kept(scaled_and_shifted());
}

static void another_mean_is_something_else(void **state) {
  (void)state;
  build_quotient(2.0f);
  lpot_value_id y = input("y", DIMS(UNKNOWN, 2, 3));
  lpot_value_id other = output_of(mean_node("other", y));
  require(lpot_graph_set_input(graph, producer(difference)->id, 1, other, &error));
  assert_kept(scaled_and_shifted());
}

static void parts_that_others_read_stay(void **state) {
  (void)state;
  build_quotient(2.0f);
  graph_output(compute(LPOT_OP_RELU, "reader", VALUES(variance)));
  assert_kept(scaled_and_shifted());
}

static void parts_that_are_outputs_stay(void **state) {
  (void)state;
  build_quotient(2.0f);
  graph_output(difference);
  assert_kept(scaled_and_shifted());
}

static void scale_for_each_position_stays(void **state) {
  (void)state;
  build_quotient(2.0f);
  lpot_value_id scale = zeros("scale", LPOT_F32, DIMS(2, 3));
  lpot_value_id product = compute(LPOT_OP_MUL, "product", VALUES(quotient, scale));
  lpot_value_id shift = zeros("shift", LPOT_F32, DIMS(3));
  assert_kept(compute(LPOT_OP_ADD, "last", VALUES(product, shift)));
}

static void higher_opset_stays(void **state) {
  (void)state;
  build_quotient(2.0f);
  lpot_graph_set_opset(graph, 20);
  lpot_value_id result = scaled_and_shifted();
  pass_over(result);
  assert_int_equal(producer(result)->op, LPOT_OP_LAYER_NORMALIZATION);
  assert_int_equal(lpot_graph_opset(graph), 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(becomes_one_node),
      GRAPH_TEST(operands_may_be_swapped),
      GRAPH_TEST(difference_may_be_there_twice),
      GRAPH_TEST(another_power_is_something_else),
      GRAPH_TEST(another_axis_is_something_else),
      GRAPH_TEST(two_axes_are_something_else),
      GRAPH_TEST(another_mean_is_something_else),
      GRAPH_TEST(parts_that_others_read_stay),
      GRAPH_TEST(parts_that_are_outputs_stay),
      GRAPH_TEST(scale_for_each_position_stays),
      GRAPH_TEST(higher_opset_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
