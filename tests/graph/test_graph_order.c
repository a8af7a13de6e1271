#include "graph_fixture.h"

#include "graph/passes/passes.h"

static void order_is_topological_and_takes_the_lower_id_first(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id late = value_of("late");
  lpot_value_id sum = value_of("sum");
  lpot_node_id nodes[4];
  require(lpot_graph_add_node(graph, LPOT_OP_ADD, "add", (lpot_value_id[]){x, late}, 2, &sum, 1,
                              &nodes[0], &error));
  nodes[1] = node_of(LPOT_OP_RELU, "b", VALUES(x));
  lpot_value_id b = output_of(nodes[1]);
  require(lpot_graph_add_node(graph, LPOT_OP_RELU, "late", &b, 1, &late, 1, &nodes[2], &error));
  nodes[3] = node_of(LPOT_OP_RELU, "d", VALUES(x));
  check_order(graph, VALUES(nodes[1], nodes[2], nodes[0], nodes[3]));
  lpot_graph_remove_node(graph, nodes[3]);
  check_order(graph, VALUES(nodes[1], nodes[2], nodes[0]));
}

static void many_nodes_that_become_ready_at_once_come_by_id(void **state) {
  (void)state;
  enum { COUNT = 50 };
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id late = value_of("late");
  lpot_node_id expected[COUNT + 1];
  for (int i = 0; i < COUNT; i++) {
    expected[i + 1] = node_of(LPOT_OP_RELU, "", VALUES(late));
  }
  require(lpot_graph_add_node(graph, LPOT_OP_RELU, "late", &x, 1, &late, 1, &expected[0], &error));
  check_order(graph, COUNT + 1, expected);
}

static void the_order_of_an_empty_graph_is_empty(void **state) {
  (void)state;
  check_order(graph, 0, NULL);
}

static void a_cycle_is_refused_with_a_node_that_is_on_it(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id back = value_of("back");
  lpot_value_id before = compute(LPOT_OP_RELU, "before", VALUES(x));
  lpot_value_id b = compute(LPOT_OP_ADD, "on-b", VALUES(before, back));
  require(lpot_graph_add_node(graph, LPOT_OP_RELU, "on-a", &b, 1, &back, 1, NULL, &error));
  /* Neither what leads to the cycle nor what follows it must be blamed. */
  lpot_value_id after = compute(LPOT_OP_RELU, "after", VALUES(back));
  (void)compute(LPOT_OP_RELU, "after2", VALUES(after));
  const lpot_node_id *order = NULL;
  size_t count = 0;
  assert_int_equal(lpot_graph_order(graph, &order, &count, &error), LPOT_FORMAT);
  assert_message("cycle");
  assert_message("'on-");
}

static void a_node_may_not_read_itself(void **state) {
  (void)state;
  lpot_value_id y = value_of("y");
  require(lpot_graph_add_node(graph, LPOT_OP_RELU, "self", &y, 1, &y, 1, NULL, &error));
  const lpot_node_id *order = NULL;
  size_t count = 0;
  assert_int_equal(lpot_graph_order(graph, &order, &count, &error), LPOT_FORMAT);
  assert_message("node 'self'");
}

static void an_input_that_nothing_produces_is_refused(void **state) {
  (void)state;
  (void)compute(LPOT_OP_RELU, "relu", VALUES(value_of("nowhere")));
  const lpot_node_id *order = NULL;
  size_t count = 0;
  assert_int_equal(lpot_graph_order(graph, &order, &count, &error), LPOT_FORMAT);
  assert_string_equal(error.message, "node 'relu': input 'nowhere' is produced by nothing");
}

static void assert_consumers(lpot_value_id value, size_t count, const lpot_node_id *expected) {
  const lpot_node_id *nodes = NULL;
  size_t found = 0;
  require(lpot_graph_consumers(graph, value, &nodes, &found, &error));
  assert_int_equal(found, count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(nodes[i], expected[i]);
  }
}

static void consumers_are_listed_once_by_id_and_follow_changes(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id y = input("y", DIMS(1));
  lpot_node_id twice = node_of(LPOT_OP_ADD, "twice", VALUES(x, x));
  lpot_node_id once = node_of(LPOT_OP_RELU, "once", VALUES(x));
  assert_consumers(x, VALUES(twice, once));
  require(lpot_graph_set_input(graph, twice, 0, y, &error));
  assert_consumers(x, VALUES(twice, once));
  require(lpot_graph_set_input(graph, twice, 1, y, &error));
  assert_consumers(x, VALUES(once));
  assert_consumers(y, VALUES(twice));
  for (int i = 0; i < 100; i++) {
    require(lpot_graph_set_input(graph, once, 0, i % 2 == 0 ? y : x, &error));
  }
  assert_consumers(x, VALUES(once));
  lpot_graph_remove_node(graph, once);
  assert_consumers(x, 0, NULL);
  assert_consumers(y, VALUES(twice));
}

/* 100,000 nodes: a quadratic or recursive algorithm would not come back, or overflow the stack. */
static void deep_graphs_are_handled(void **state) {
  (void)state;
  const int count = 100000;
  lpot_value_id first = input("x", DIMS(UNKNOWN, 4));
  lpot_value_id value = first;
  for (int i = 0; i < count; i++) {
    lpot_value_id inputs[] = {value, first};
    lpot_value_id output = value_of(NULL);
    bool identity = i % 2 == 0;
    require(lpot_graph_add_node(graph, identity ? LPOT_OP_IDENTITY : LPOT_OP_ADD, NULL, inputs,
                                identity ? 1 : 2, &output, 1, NULL, &error));
    value = output;
  }
  graph_output(value);
  require(lpot_graph_normalise(graph, NULL, &error));
  const lpot_node_id *order = NULL;
  size_t left = 0;
  require(lpot_graph_order(graph, &order, &left, &error));
  assert_int_equal(left, count / 2);
  assert_shape(value, "[?, 4]");
}

static void a_shared_value_with_many_readers_is_handled(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  for (int i = 0; i < 100000; i++) {
    lpot_value_id output = value_of(NULL);
    require(lpot_graph_add_node(graph, LPOT_OP_RELU, NULL, &x, 1, &output, 1, NULL, &error));
  }
  require(lpot_pass_remove_dead(graph, &error));
  assert_consumers(x, 0, NULL);
  check_order(graph, 0, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(order_is_topological_and_takes_the_lower_id_first),
      GRAPH_TEST(many_nodes_that_become_ready_at_once_come_by_id),
      GRAPH_TEST(the_order_of_an_empty_graph_is_empty),
      GRAPH_TEST(a_cycle_is_refused_with_a_node_that_is_on_it),
      GRAPH_TEST(a_node_may_not_read_itself),
      GRAPH_TEST(an_input_that_nothing_produces_is_refused),
      GRAPH_TEST(consumers_are_listed_once_by_id_and_follow_changes),
      GRAPH_TEST(deep_graphs_are_handled),
      GRAPH_TEST(a_shared_value_with_many_readers_is_handled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
