#include "quant/quant_fixture.h"

#include "quant/op_links.h"

static void check(lpot_graph *graph, const lpot_op_link *expected, size_t num_expected) {
  lpot_error err = {0};
  lpot_op_link *links = NULL;
  size_t count = 0;
  fixture_model model = fixture_model_of(graph);
  CHECK(lpot_quant_op_links(model.graph, model.ops, &links, &count, &err));
  assert_int_equal(count, num_expected);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(links[i].from, expected[i].from);
    assert_int_equal(links[i].to, expected[i].to);
  }
  lpot_free(links);
  fixture_free(&model);
}

static void links_go_through_transparent_nodes(void **state) {
  (void)state;
  const lpot_op_link expected[] = {{LPOT_NO_OP, 0}, {0, 1}, {0, 2},
                                   {1, 2},          {2, 3}, {3, LPOT_NO_OP}};
  check(fixture_residual(), expected, 6);
}

static void float_nodes_are_no_op(void **state) {
  (void)state;
  /* x - conv1 - tanh - add(tanh, conv1): conv1 is read by float and by int8, the sum reads both */
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_constant(graph, "w1", DIMS(2, 2, 1, 1), 1);
  lpot_value_id c1 = fixture_node(graph, LPOT_OP_CONV, IDS(x, w1), "c1");
  lpot_value_id t1 = fixture_node(graph, LPOT_OP_TANH, IDS(c1), "t1");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(t1, c1), "y"));
  const lpot_op_link expected[] = {
      {LPOT_NO_OP, 0}, {0, 1}, {LPOT_NO_OP, 1}, {0, LPOT_NO_OP}, {1, LPOT_NO_OP}};
  check(graph, expected, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(links_go_through_transparent_nodes),
      cmocka_unit_test(float_nodes_are_no_op),
  };
  return cmocka_run_group_tests_name("op_links", tests, NULL, NULL);
}
