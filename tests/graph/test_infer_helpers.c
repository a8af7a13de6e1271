#include "graph_fixture.h"

static void constant_integers_come_from_the_input_or_the_attribute(void **state) {
  (void)state;
  int64_t values[4] = {0};
  size_t count = 9;
  lpot_value_id x = input("x", DIMS(1, 1));
  lpot_node_id by_input = node_of(LPOT_OP_SQUEEZE, "a", VALUES(x, ints(INTS(1, -2))));
  require(lpot_node_constant_ints(graph, lpot_graph_node(graph, by_input), 1, "axes", 4, values,
                                  &count, &error));
  assert_int_equal(count, 2);
  assert_int_equal(values[1], -2);
  lpot_node_id by_attribute = node_of(LPOT_OP_SQUEEZE, "b", VALUES(x));
  const lpot_node *node = lpot_graph_node(graph, by_attribute);
  require(lpot_node_constant_ints(graph, node, 1, "axes", 4, values, &count, &error));
  assert_int_equal(count, 0);
  set_ints(by_attribute, "axes", INTS(5));
  require(lpot_node_constant_ints(graph, node, 1, "axes", 4, values, &count, &error));
  assert_int_equal(count, 1);
  assert_int_equal(values[0], 5);
  set_int(by_attribute, "axes", 6);
  require(lpot_node_constant_ints(graph, node, 1, "axes", 4, values, &count, &error));
  assert_int_equal(values[0], 6);
}

static lpot_status read_axes(lpot_value_id list, size_t capacity) {
  int64_t values[8] = {0};
  size_t count = 0;
  lpot_node_id node = node_of(LPOT_OP_SQUEEZE, "node", VALUES(input("x", DIMS(1)), list));
  return lpot_node_constant_ints(graph, lpot_graph_node(graph, node), 1, "axes", capacity, values,
                                 &count, &error);
}

static void integers_that_are_not_constant_are_unsupported(void **state) {
  (void)state;
  assert_int_equal(read_axes(typed_input("axes", LPOT_S64, DIMS(1)), 8), LPOT_UNSUPPORTED);
  assert_string_equal(error.message, "node 'node': input 'axes' is not constant");
}

static void integers_of_another_form_are_refused(void **state) {
  (void)state;
  assert_int_equal(read_axes(zeros("f", LPOT_F32, DIMS(2)), 8), LPOT_FORMAT);
  assert_message("has the type float32, expected int64");
  assert_int_equal(read_axes(zeros("m", LPOT_S64, DIMS(2, 2)), 8), LPOT_FORMAT);
  assert_message("has rank 2, expected 1");
  assert_int_equal(read_axes(ints(INTS(1, 2, 3)), 2), LPOT_FORMAT);
  assert_message("has 3 values, expected at most 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(constant_integers_come_from_the_input_or_the_attribute),
      GRAPH_TEST(integers_that_are_not_constant_are_unsupported),
      GRAPH_TEST(integers_of_another_form_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
