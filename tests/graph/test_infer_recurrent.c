#include "graph_fixture.h"

static lpot_value_id outputs[3];

/* x [5, batch, 3] through an LSTM of 4 hidden units. */
static lpot_node_id lstm(int64_t batch, int64_t directions) {
  const int64_t x[3] = {5, batch, 3};
  const int64_t w[3] = {directions, 16, 3};
  const int64_t r[3] = {directions, 16, 4};
  lpot_value_id inputs[3] = {input("x", 3, x), zeros("w", LPOT_F32, 3, w),
                             zeros("r", LPOT_F32, 3, r)};
  lpot_node_id node = LPOT_NONE;
  for (int i = 0; i < 3; i++) {
    outputs[i] = value_of("y");
  }
  require(lpot_graph_add_node(graph, LPOT_OP_LSTM, "lstm", inputs, 3, outputs, 3, &node, &error));
  return node;
}

static void lstm_knows_its_hidden_size_from_the_weights(void **state) {
  (void)state;
  (void)lstm(UNKNOWN, 1);
  infer();
  assert_shape(outputs[0], "[5, 1, ?, 4]");
  assert_shape(outputs[1], "[1, ?, 4]");
  assert_shape(outputs[2], "[1, ?, 4]");
}

static void lstm_runs_both_ways_and_batch_first(void **state) {
  (void)state;
  lpot_node_id node = lstm(2, 2);
  set_text(node, "direction", "bidirectional");
  set_int(node, "hidden_size", 4);
  infer();
  assert_shape(outputs[0], "[5, 2, 2, 4]");
  set_int(node, "layout", 1); /* now 5 is the batch */
  infer();
  assert_shape(outputs[0], "[5, 2, 2, 4]");
  assert_shape(outputs[1], "[5, 2, 4]");
}

static void lstm_refuses_what_does_not_fit(void **state) {
  (void)state;
  lpot_node_id node = lstm(2, 1);
  set_int(node, "hidden_size", 5);
  assert_infer_fails(LPOT_FORMAT, "node 'lstm': the size of a state is 4, expected 5");
  set_int(node, "hidden_size", 4);
  set_text(node, "direction", "sideways");
  assert_infer_fails(LPOT_FORMAT, "node 'lstm': direction is 'sideways'");
  set_text(node, "direction", "bidirectional");
  assert_infer_fails(LPOT_FORMAT, "node 'lstm': the number of directions is 1, expected 2");
  set_text(node, "direction", "reverse");
  set_int(node, "layout", 2);
  assert_infer_fails(LPOT_FORMAT, "node 'lstm': layout is 2, expected 0 or 1");
  set_int(node, "layout", 0);
  require(lpot_graph_set_input(graph, node, 1, zeros("w", LPOT_F32, DIMS(1, 16)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'lstm': input 1 has rank 2, expected 3");
  require(lpot_graph_set_input(graph, node, 1, zeros("w", LPOT_F32, DIMS(1, 12, 3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'lstm': the number of rows of weights is 12, expected 16");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(lstm_knows_its_hidden_size_from_the_weights),
      GRAPH_TEST(lstm_runs_both_ways_and_batch_first),
      GRAPH_TEST(lstm_refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
