#include "graph_fixture.h"

static lpot_node_id constant_node(void) {
  return node_of(LPOT_OP_CONSTANT, "constant", 0, NULL);
}

static const lpot_value *folded(lpot_node_id node) {
  infer();
  assert_true(lpot_graph_node(graph, node)->removed);
  const lpot_value *value = lpot_graph_value(graph, output_of(node));
  assert_non_null(value->constant);
  assert_int_equal(value->producer, LPOT_NONE);
  return value;
}

static void a_tensor_is_shared(void **state) {
  (void)state;
  lpot_node_id node = constant_node();
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(DIMS(2, 3));
  require(lpot_tensor_new(LPOT_F32, &shape, &tensor, &error));
  const lpot_tensor *same = tensor;
  require(lpot_graph_set_tensor(graph, node, "value", &tensor, &error));
  assert_ptr_equal(folded(node)->constant, same);
  assert_shape(output_of(node), "[2, 3]");
}

static void numbers_and_lists_become_tensors(void **state) {
  (void)state;
  lpot_node_id one = constant_node();
  set_int(one, "value_int", -5);
  lpot_node_id many = constant_node();
  set_ints(many, "value_ints", INTS(1, 2, 3));
  lpot_node_id real = constant_node();
  require(lpot_graph_set_float(graph, real, "value_float", 0.5F, &error));
  lpot_node_id reals_node = constant_node();
  require(lpot_graph_set_floats(graph, reals_node, "value_floats", REALS(1.5F), 1, &error));
  assert_int_equal(lpot_tensor_get_int(folded(one)->constant, 0), -5);
  assert_shape(output_of(one), "[]");
  assert_shape(output_of(many), "[3]");
  assert_dtype(output_of(many), LPOT_S64);
  assert_dtype(output_of(real), LPOT_F32);
  assert_shape(output_of(reals_node), "[1]");
}

static void a_constant_without_a_value_is_unsupported(void **state) {
  (void)state;
  lpot_node_id node = constant_node();
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'constant': the constant has no value");
  set_text(node, "value_string", "text");
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'constant': a constant of text");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(a_tensor_is_shared),
      GRAPH_TEST(numbers_and_lists_become_tensors),
      GRAPH_TEST(a_constant_without_a_value_is_unsupported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
