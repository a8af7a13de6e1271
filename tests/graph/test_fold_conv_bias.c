#include "graph_fixture.h"

#include "graph/passes/passes.h"

static lpot_node_id conv_of(lpot_value_id bias) {
  lpot_value_id w = zeros("w", LPOT_F32, DIMS(2, 3, 1, 1));
  return node_of(LPOT_OP_CONV, "conv", VALUES(input("x", DIMS(UNKNOWN, 3, 4, 4)), w, bias));
}

static void assert_bias(lpot_node_id conv, float first, float second) {
  const lpot_value *value = lpot_graph_value(graph, lpot_graph_node(graph, conv)->inputs[2]);
  assert_int_equal(lpot_tensor_elements(value->constant), 2);
  assert_float_equal(lpot_tensor_get_double(value->constant, 0), first, 0.0);
  assert_float_equal(lpot_tensor_get_double(value->constant, 1), second, 0.0);
}

static void an_added_channel_constant_becomes_the_bias(void **state) {
  (void)state;
  lpot_node_id conv = conv_of(LPOT_NONE);
  lpot_value_id c = reals("c", DIMS(2, 1, 1), REALS(3, 4));
  lpot_node_id add = node_of(LPOT_OP_ADD, "add", VALUES(c, output_of(conv)));
  lpot_value_id sum = output_of(add);
  graph_output(sum);
  require(lpot_pass_fold_conv_bias(graph, &error));
  assert_true(lpot_graph_node(graph, add)->removed);
  assert_int_equal(output_of(conv), sum);
  assert_bias(conv, 3, 4);
  infer();
  assert_shape(sum, "[?, 2, 4, 4]");
}

static void a_second_constant_adds_to_the_bias(void **state) {
  (void)state;
  lpot_node_id conv = conv_of(reals("b", DIMS(2), REALS(1, 2)));
  lpot_value_id four = reals("c", DIMS(1, 2, 1, 1), REALS(3, 4));
  lpot_value_id first = compute(LPOT_OP_ADD, "add", VALUES(output_of(conv), four));
  lpot_value_id one = reals("s", 0, NULL, REALS(10));
  graph_output(compute(LPOT_OP_ADD, "add2", VALUES(first, one)));
  require(lpot_pass_fold_conv_bias(graph, &error));
  assert_bias(conv, 14, 16);
  check_order(graph, VALUES(conv));
}

static void assert_kept(lpot_value_id constant) {
  lpot_node_id conv = conv_of(LPOT_NONE);
  lpot_node_id add = node_of(LPOT_OP_ADD, "add", VALUES(output_of(conv), constant));
  require(lpot_pass_fold_conv_bias(graph, &error));
  assert_false(lpot_graph_node(graph, add)->removed);
  lpot_graph_remove_node(graph, add);
}

static void other_constants_stay_where_they_are(void **state) {
  (void)state;
  assert_kept(reals("c", DIMS(1, 2), REALS(1, 2)));       /* along the last dimension */
  assert_kept(reals("c", DIMS(2, 1, 1, 1), REALS(1, 2))); /* along the batch */
  assert_kept(reals("c", DIMS(1, 1, 1, 1, 1), REALS(1))); /* adds a dimension */
  assert_kept(reals("c", DIMS(3, 1, 1), REALS(1, 2, 3))); /* another number of channels */
  assert_kept(zeros("c", LPOT_F64, DIMS(2, 1, 1)));
  assert_kept(input("y", DIMS(2, 1, 1)));
}

static void a_convolution_that_others_read_keeps_its_bias(void **state) {
  (void)state;
  lpot_node_id conv = conv_of(LPOT_NONE);
  lpot_value_id c = reals("c", DIMS(2, 1, 1), REALS(3, 4));
  lpot_node_id add = node_of(LPOT_OP_ADD, "add", VALUES(output_of(conv), c));
  graph_output(output_of(conv));
  require(lpot_pass_fold_conv_bias(graph, &error));
  assert_false(lpot_graph_node(graph, add)->removed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(an_added_channel_constant_becomes_the_bias),
      GRAPH_TEST(a_second_constant_adds_to_the_bias),
      GRAPH_TEST(other_constants_stay_where_they_are),
      GRAPH_TEST(a_convolution_that_others_read_keeps_its_bias),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
