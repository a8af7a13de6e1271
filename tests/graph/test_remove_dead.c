#include "graph_fixture.h"

#include "graph/passes/passes.h"

static void dead_chains_go_and_what_is_read_stays(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2));
  lpot_node_id live = node_of(LPOT_OP_RELU, "live", VALUES(x));
  lpot_node_id dead = node_of(LPOT_OP_TANH, "dead", VALUES(output_of(live)));
  lpot_node_id deader = node_of(LPOT_OP_TANH, "deader", VALUES(output_of(dead)));
  graph_output(output_of(live));
  require(lpot_pass_remove_dead(graph, &error));
  assert_true(lpot_graph_node(graph, dead)->removed);
  assert_true(lpot_graph_node(graph, deader)->removed);
  check_order(graph, VALUES(live));
  assert_int_equal(lpot_graph_num_inputs(graph), 1);
}

static void one_used_output_keeps_a_node(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(4));
  lpot_value_id outputs[] = {value_of("a"), value_of("b")};
  lpot_node_id split = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_SPLIT, "split", &x, 1, outputs, 2, &split, &error));
  graph_output(outputs[1]);
  require(lpot_pass_remove_dead(graph, &error));
  assert_false(lpot_graph_node(graph, split)->removed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(dead_chains_go_and_what_is_read_stays),
      GRAPH_TEST(one_used_output_keeps_a_node),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
