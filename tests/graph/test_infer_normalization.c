#include "graph_fixture.h"

static lpot_value_id vector(int64_t count) {
  return zeros("v", LPOT_F32, 1, &count);
}

static void the_output_has_the_shape_of_the_input(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 6, 4, 4));
  lpot_value_id lost = input_of_unknown_rank("u");
  lpot_value_id a = compute(LPOT_OP_INSTANCE_NORMALIZATION, "a", VALUES(x, vector(6), vector(6)));
  lpot_node_id b = node_of(LPOT_OP_GROUP_NORMALIZATION, "b", VALUES(x, vector(6), vector(6)));
  set_int(b, "num_groups", 3);
  lpot_node_id c = node_of(LPOT_OP_GROUP_NORMALIZATION, "c", VALUES(lost, vector(3), vector(3)));
  set_int(c, "num_groups", 3);
  lpot_node_id d = node_of(LPOT_OP_LRN, "d", VALUES(x));
  set_int(d, "size", 5);
  lpot_value_id e = compute(LPOT_OP_MEAN_VARIANCE_NORMALIZATION, "e", VALUES(x));
  infer();
  assert_shape(a, "[?, 6, 4, 4]");
  assert_shape(output_of(b), "[?, 6, 4, 4]");
  assert_shape(output_of(c), "?");
  assert_shape(output_of(d), "[?, 6, 4, 4]");
  assert_shape(e, "[?, 6, 4, 4]");
}

static void layer_normalization_shows_its_statistics(void **state) {
  (void)state;
  lpot_value_id inputs[2] = {input("x", DIMS(UNKNOWN, 5, 7)), vector(7)};
  lpot_value_id outputs[3] = {value_of("y"), value_of("mean"), value_of("deviation")};
  lpot_node_id node = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_LAYER_NORMALIZATION, "layer", inputs, 2, outputs, 3,
                              &node, &error));
  infer();
  assert_shape(outputs[0], "[?, 5, 7]");
  assert_shape(outputs[1], "[?, 5, 1]");
  assert_shape(outputs[2], "[?, 5, 1]");
  set_int(node, "axis", 1);
  infer();
  assert_shape(outputs[1], "[?, 1, 1]");
  set_int(node, "stash_type", 16);
  infer();
  assert_dtype(outputs[1], LPOT_BF16);
  set_int(node, "stash_type", 7);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'layer': stash_type is 7");
}

static void layer_parameters_broadcast_to_the_row(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 5, 7));
  lpot_value_id scale = zeros("s", LPOT_F32, DIMS(1, 5, 1));
  lpot_node_id node = node_of(LPOT_OP_LAYER_NORMALIZATION, "layer", VALUES(x, scale));
  set_int(node, "axis", -2);
  infer();
  set_int(node, "axis", 2);
  assert_infer_fails(LPOT_FORMAT, "node 'layer': input 1 has the dimension 5, expected 1");
  require(lpot_graph_set_input(graph, node, 1, vector(6), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'layer': input 1 has the dimension 6, expected 7");
  set_int(node, "axis", 3);
  assert_infer_fails(LPOT_FORMAT, "node 'layer': axis is 3, expected -3 to 2");
}

static void wrong_counts_are_refused(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1, 6, 4));
  lpot_node_id node = node_of(LPOT_OP_GROUP_NORMALIZATION, "n", VALUES(x, vector(6), vector(6)));
  assert_infer_fails(LPOT_FORMAT, "node 'n': num_groups is 0, expected a divisor of 6 channels");
  set_int(node, "num_groups", 4);
  assert_infer_fails(LPOT_FORMAT, "node 'n': num_groups is 4");
  set_int(node, "num_groups", 2);
  require(lpot_graph_set_input(graph, node, 2, vector(3), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'n': input 2 has 3 elements, expected 6");
  lpot_graph_set_op(graph, node, LPOT_OP_INSTANCE_NORMALIZATION);
  require(lpot_graph_set_input(graph, node, 1, vector(2), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'n': input 1 has 2 elements, expected 6");
}

static void channels_are_needed(void **state) {
  (void)state;
  lpot_node_id node = node_of(LPOT_OP_LRN, "n", VALUES(input("x", DIMS(6))));
  assert_infer_fails(LPOT_FORMAT, "node 'n': the input has rank 1, expected at least 2");
  require(lpot_graph_set_input(graph, node, 0, input("z", DIMS(1, 6)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'n': size is 0, expected at least 1");
}

static void mean_variance_checks_its_axes(void **state) {
  (void)state;
  lpot_node_id node =
      node_of(LPOT_OP_MEAN_VARIANCE_NORMALIZATION, "n", VALUES(input("x", DIMS(2, 3, 4))));
  assert_infer_fails(LPOT_FORMAT, "node 'n': axis is 3, expected -3 to 2");
  set_ints(node, "axes", INTS(0, -1));
  infer();
  set_ints(node, "axes", INTS(0, -3));
  assert_infer_fails(LPOT_FORMAT, "node 'n': axis 0 is listed twice");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(the_output_has_the_shape_of_the_input),
      GRAPH_TEST(layer_normalization_shows_its_statistics),
      GRAPH_TEST(layer_parameters_broadcast_to_the_row),
      GRAPH_TEST(wrong_counts_are_refused),
      GRAPH_TEST(channels_are_needed),
      GRAPH_TEST(mean_variance_checks_its_axes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
