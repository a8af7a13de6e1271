#include "graph_fixture.h"

#include "graph/passes/passes.h"

static void run(void) {
  require(lpot_pass_drop_identities(graph, &error));
}

static void readers_of_an_identity_read_its_input(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2));
  lpot_value_id a = compute(LPOT_OP_IDENTITY, "a", VALUES(x));
  lpot_value_id b = compute(LPOT_OP_DROPOUT, "b", VALUES(a));
  lpot_node_id relu = node_of(LPOT_OP_RELU, "relu", VALUES(b));
  graph_output(output_of(relu));
  run();
  assert_int_equal(lpot_graph_node(graph, relu)->inputs[0], x);
  check_order(graph, VALUES(relu));
}

static void a_graph_output_keeps_its_name(void **state) {
  (void)state;
  lpot_node_id relu = node_of(LPOT_OP_RELU, "relu", VALUES(input("x", DIMS(2))));
  lpot_value_id inner = output_of(relu);
  lpot_node_id other = node_of(LPOT_OP_TANH, "tanh", VALUES(inner));
  lpot_value_id y = compute(LPOT_OP_IDENTITY, "identity", VALUES(inner));
  graph_output(y);
  graph_output(output_of(other));
  run();
  assert_int_equal(lpot_graph_value(graph, y)->producer, relu);
  assert_int_equal(lpot_graph_node(graph, other)->inputs[0], y);
  check_order(graph, VALUES(relu, other));
}

static void an_identity_between_two_ends_stays(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2));
  lpot_node_id kept = node_of(LPOT_OP_IDENTITY, "kept", VALUES(x));
  graph_output(output_of(kept));
  lpot_node_id relu = node_of(LPOT_OP_RELU, "relu", VALUES(x));
  graph_output(output_of(relu));
  lpot_node_id second = node_of(LPOT_OP_IDENTITY, "second", VALUES(output_of(relu)));
  graph_output(output_of(second));
  run();
  check_order(graph, VALUES(kept, relu, second));
}

static void a_dropout_that_trains_or_shows_its_mask_stays(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2));
  lpot_value_id outputs[] = {value_of("y"), value_of("mask")};
  lpot_node_id masked = LPOT_NONE;
  require(
      lpot_graph_add_node(graph, LPOT_OP_DROPOUT, "masked", &x, 1, outputs, 2, &masked, &error));
  graph_output(outputs[1]);
  lpot_node_id training = node_of(LPOT_OP_DROPOUT, "training",
                                  VALUES(x, LPOT_NONE, typed_input("t", LPOT_BOOL, 0, NULL)));
  graph_output(compute(LPOT_OP_RELU, "relu", VALUES(output_of(training))));
  lpot_node_id resting =
      node_of(LPOT_OP_DROPOUT, "resting", VALUES(x, LPOT_NONE, scalar_of(LPOT_BOOL)));
  graph_output(compute(LPOT_OP_RELU, "relu2", VALUES(output_of(resting))));
  run();
  assert_false(lpot_graph_node(graph, masked)->removed);
  assert_false(lpot_graph_node(graph, training)->removed);
  assert_true(lpot_graph_node(graph, resting)->removed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(readers_of_an_identity_read_its_input),
      GRAPH_TEST(a_graph_output_keeps_its_name),
      GRAPH_TEST(an_identity_between_two_ends_stays),
      GRAPH_TEST(a_dropout_that_trains_or_shows_its_mask_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
