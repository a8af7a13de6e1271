#include "graph_fixture.h"

static void gelu_has_two_modes(void **state) {
  (void)state;
  lpot_node_id gelu = node_of(LPOT_OP_GELU, "gelu", VALUES(input("x", DIMS(UNKNOWN, 3))));
  infer();
  assert_shape(output_of(gelu), "[?, 3]");
  set_text(gelu, "approximate", "tanh");
  infer();
  set_text(gelu, "approximate", "sigmoid");
  assert_infer_fails(LPOT_FORMAT, "node 'gelu': approximate is 'sigmoid', expected none or tanh");
}

static void a_bias_runs_along_the_last_axis(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id open = input("open", DIMS(2, UNKNOWN));
  lpot_value_id bias = zeros("bias", LPOT_F32, DIMS(4));
  lpot_value_id y = compute(LPOT_OP_BIAS_GELU, "y", VALUES(x, bias));
  lpot_value_id z = compute(LPOT_OP_FAST_GELU, "z", VALUES(open, bias));
  lpot_value_id alone = compute(LPOT_OP_FAST_GELU, "alone", VALUES(x));
  infer();
  assert_shape(y, "[?, 3, 4]");
  assert_shape(z, "[2, 4]");
  assert_shape(alone, "[?, 3, 4]");
}

static void a_bias_that_does_not_fit_is_refused(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 3));
  lpot_node_id node = node_of(LPOT_OP_BIAS_GELU, "gelu", VALUES(x, zeros("b", LPOT_F32, DIMS(4))));
  assert_infer_fails(LPOT_FORMAT, "node 'gelu': the bias has 4 elements, expected 3");
  require(lpot_graph_set_input(graph, node, 1, zeros("m", LPOT_F32, DIMS(1, 3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'gelu': the bias has rank 2, expected 1");
  require(lpot_graph_set_input(graph, node, 1, zeros("h", LPOT_F16, DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'gelu': inputs 0 and 1 have the types");
}

static void the_slope_of_prelu_broadcasts_to_the_input(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id per_channel =
      compute(LPOT_OP_PRELU, "channels", VALUES(x, zeros("c", LPOT_F32, DIMS(3, 1))));
  lpot_value_id per_image =
      compute(LPOT_OP_PRELU, "images", VALUES(x, zeros("i", LPOT_F32, DIMS(5, 1, 1))));
  lpot_value_id single =
      compute(LPOT_OP_PRELU, "single", VALUES(input_of_unknown_rank("n"), scalar_of(LPOT_F32)));
  infer();
  assert_shape(per_channel, "[?, 3, 4]");
  assert_shape(per_image, "[5, 3, 4]");
  assert_shape(single, "?");
}

static void an_input_that_would_grow_to_the_slope_is_refused(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 1));
  lpot_node_id node = node_of(LPOT_OP_PRELU, "prelu", VALUES(x, zeros("s", LPOT_F32, DIMS(3))));
  assert_infer_fails(LPOT_FORMAT, "node 'prelu': the slope does not broadcast to the input");
  require(lpot_graph_set_input(graph, node, 1, zeros("r", LPOT_F32, DIMS(1, 2, 1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'prelu': the slope does not broadcast to the input");
  require(lpot_graph_set_input(graph, node, 1, zeros("u", LPOT_F32, DIMS(3, 1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'prelu': shapes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(gelu_has_two_modes),
      GRAPH_TEST(a_bias_runs_along_the_last_axis),
      GRAPH_TEST(a_bias_that_does_not_fit_is_refused),
      GRAPH_TEST(the_slope_of_prelu_broadcasts_to_the_input),
      GRAPH_TEST(an_input_that_would_grow_to_the_slope_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
