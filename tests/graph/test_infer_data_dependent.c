#include "graph_fixture.h"

static lpot_status evaluate_nothing(const lpot_node *node, const lpot_tensor *const *inputs,
                                    lpot_tensor *const *outputs, lpot_error *err) {
  (void)inputs;
  (void)outputs;
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s' has no kernel", node->name);
}

static lpot_value_id mask(void) {
  return reals("mask", DIMS(3), REALS(1, 0, 2));
}

static void compress_needs_only_its_condition(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_node_id along = node_of(LPOT_OP_COMPRESS, "along", VALUES(x, mask()));
  set_int(along, "axis", -1);
  lpot_value_id flat = compute(LPOT_OP_COMPRESS, "flat", VALUES(x, mask()));
  lpot_value_id unknown = compute(LPOT_OP_COMPRESS, "u", VALUES(x, input("c", DIMS(3))));
  infer();
  assert_shape(output_of(along), "[?, 2]");
  assert_shape(flat, "[2]");
  assert_shape(unknown, "[?]");
  require(lpot_graph_set_input(graph, along, 1, zeros("z", LPOT_BOOL, DIMS(4)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'along': the condition has 4 elements, expected at most 3");
}

static void non_zero_counts_constants(void **state) {
  (void)state;
  lpot_value_id known = compute(LPOT_OP_NON_ZERO, "known", VALUES(mask()));
  lpot_value_id unknown = compute(LPOT_OP_NON_ZERO, "unknown", VALUES(input("x", DIMS(2, 3))));
  infer();
  assert_shape(known, "[1, 2]");
  assert_dtype(known, LPOT_S64);
  assert_shape(unknown, "[2, ?]");
}

static void unique_counts_constants(void **state) {
  (void)state;
  lpot_value_id outputs[4] = {value_of("y"), value_of("first"), value_of("inverse"),
                              value_of("counts")};
  lpot_value_id x = reals("x", DIMS(2, 2), REALS(1, 2, 1, 2));
  lpot_node_id node = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_UNIQUE, "u", &x, 1, outputs, 4, &node, &error));
  infer();
  assert_shape(outputs[0], "[2]");
  assert_shape(outputs[2], "[4]");
  set_int(node, "axis", 0);
  infer();
  assert_shape(outputs[0], "[1, 2]");
  assert_shape(outputs[1], "[1]");
  assert_shape(outputs[2], "[2]");
  assert_shape(outputs[3], "[1]");
  set_int(node, "axis", 2);
  assert_infer_fails(LPOT_FORMAT, "node 'u': axis is 2, expected -2 to 1");
}

static void non_max_suppression_counts_constants(void **state) {
  (void)state;
  lpot_value_id boxes = reals("boxes", DIMS(1, 2, 4), REALS(0, 0, 1, 1, 0, 0, 1, 1));
  lpot_value_id scores = reals("scores", DIMS(1, 1, 2), REALS(0.5F, 0.75F));
  lpot_node_id node =
      node_of(LPOT_OP_NON_MAX_SUPPRESSION, "n", VALUES(boxes, scores, scalar_int(2)));
  infer();
  assert_shape(output_of(node), "[1, 3]");
  assert_dtype(output_of(node), LPOT_S64);
  require(lpot_graph_set_input(graph, node, 0, input("x", DIMS(1, 2, 4)), &error));
  infer();
  assert_shape(output_of(node), "[?, 3]");
  require(lpot_graph_set_input(graph, node, 0, input("x", DIMS(1, 2)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'n': input 0 (boxes) has rank 2, expected 3");
}

static void binding_says_that_the_shape_depends_on_the_data(void **state) {
  (void)state;
  lpot_graph *bound = NULL;
  graph_output(compute(LPOT_OP_NON_ZERO, "n", VALUES(input("x", DIMS(UNKNOWN, 3)))));
  error = (lpot_error){0};
  assert_int_equal(lpot_graph_bind(graph, 1, evaluate_nothing, &bound, &error), LPOT_UNSUPPORTED);
  assert_message("node 'n' (NonZero): the shape of its result depends on the data");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(compress_needs_only_its_condition),
      GRAPH_TEST(non_zero_counts_constants),
      GRAPH_TEST(unique_counts_constants),
      GRAPH_TEST(non_max_suppression_counts_constants),
      GRAPH_TEST(binding_says_that_the_shape_depends_on_the_data),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
