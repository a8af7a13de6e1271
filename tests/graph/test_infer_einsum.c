#include "graph_fixture.h"

static void einsum_has_the_shape_of_its_equation(void **state) {
  (void)state;
  lpot_value_id a = input("a", DIMS(UNKNOWN, 3, 4));
  lpot_node_id node = node_of(LPOT_OP_EINSUM, "e", VALUES(a, input("b", DIMS(4, 5))));
  set_text(node, "equation", "bij,jk->bik");
  lpot_node_id lost = node_of(LPOT_OP_EINSUM, "l", VALUES(input_of_unknown_rank("u")));
  set_text(lost, "equation", "ij->ji");
  infer();
  assert_shape(output_of(node), "[?, 3, 5]");
  assert_dtype(output_of(node), LPOT_F32);
  assert_shape(output_of(lost), "?");
}

static void einsum_refuses_what_does_not_fit(void **state) {
  (void)state;
  lpot_value_id a = input("a", DIMS(3, 4));
  lpot_node_id node = node_of(LPOT_OP_EINSUM, "e", VALUES(a, a));
  assert_infer_fails(LPOT_FORMAT, "node 'e': equation is missing");
  set_text(node, "equation", "ij,jk");
  assert_infer_fails(LPOT_FORMAT, "node 'e': dimension j has the sizes 4 and 3");
  require(lpot_graph_set_input(graph, node, 1, typed_input("i", LPOT_S32, DIMS(4, 3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'e': inputs 0 and 1 have the types float32 and int32");
}

static void einsum_takes_so_many_inputs(void **state) {
  (void)state;
  lpot_value_id a = input("a", DIMS(3));
  (void)compute(LPOT_OP_EINSUM, "e", VALUES(a, a, a, a, a, a, a, a, a));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'e': 9 inputs, expected at most 8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(einsum_has_the_shape_of_its_equation),
      GRAPH_TEST(einsum_refuses_what_does_not_fit),
      GRAPH_TEST(einsum_takes_so_many_inputs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
