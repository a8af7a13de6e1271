#include "graph_fixture.h"

#include "graph/passes/passes.h"

static lpot_node_id conv_after(lpot_value_id x) {
  return node_of(LPOT_OP_CONV, "conv", VALUES(x, zeros("w", LPOT_F32, DIMS(2, 3, 3, 3))));
}

static lpot_node_id pad_of(size_t count, const int64_t *pads) {
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 8, 8));
  return node_of(LPOT_OP_PAD, "pad", VALUES(x, ints(count, pads)));
}

static void assert_pads(lpot_node_id conv, const int64_t *expected) {
  const int64_t *pads = NULL;
  assert_int_equal(lpot_node_ints(lpot_graph_node(graph, conv), "pads", &pads), 4);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(pads[i], expected[i]);
  }
}

static void spatial_zeros_become_pads(void **state) {
  (void)state;
  lpot_node_id pad = pad_of(INTS(0, 0, 1, 2, 0, 0, 3, 4));
  lpot_node_id conv = conv_after(output_of(pad));
  set_ints(conv, "pads", INTS(1, 1, 1, 1));
  lpot_node_id second = conv_after(output_of(pad));
  set_text(second, "auto_pad", "VALID");
  infer();
  lpot_shape before = lpot_graph_value(graph, output_of(conv))->shape;
  require(lpot_pass_fold_pad(graph, &error));
  assert_true(lpot_graph_node(graph, pad)->removed);
  assert_pads(conv, (int64_t[]){2, 3, 4, 5});
  assert_pads(second, (int64_t[]){1, 2, 3, 4});
  infer();
  assert_true(lpot_shape_equal(&before, &lpot_graph_value(graph, output_of(conv))->shape));
}

static void axes_of_a_pad_are_understood(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1, 3, 8, 8));
  lpot_value_id pads = ints(INTS(1, 2));
  lpot_node_id pad =
      node_of(LPOT_OP_PAD, "pad", VALUES(x, pads, scalar_of(LPOT_F32), ints(INTS(-1))));
  lpot_node_id conv = conv_after(output_of(pad));
  require(lpot_pass_fold_pad(graph, &error));
  assert_true(lpot_graph_node(graph, pad)->removed);
  assert_pads(conv, (int64_t[]){0, 1, 0, 2});
}

static void assert_kept(lpot_node_id pad) {
  require(lpot_pass_fold_pad(graph, &error));
  assert_false(lpot_graph_node(graph, pad)->removed);
  teardown_graph(NULL);
  (void)setup_graph(NULL);
}

static void other_pads_stay(void **state) {
  (void)state;
  lpot_node_id pad = pad_of(INTS(0, 1, 1, 2, 0, 0, 3, 4)); /* channels */
  (void)conv_after(output_of(pad));
  assert_kept(pad);
  pad = pad_of(INTS(0, 0, -1, 2, 0, 0, 3, 4)); /* cuts */
  (void)conv_after(output_of(pad));
  assert_kept(pad);
  pad = pad_of(INTS(0, 0, 1, 1, 0, 0, 1, 1));
  set_text(pad, "mode", "edge");
  (void)conv_after(output_of(pad));
  assert_kept(pad);
  pad = pad_of(INTS(0, 0, 1, 1, 0, 0, 1, 1)); /* another reader */
  (void)conv_after(output_of(pad));
  (void)compute(LPOT_OP_RELU, "relu", VALUES(output_of(pad)));
  assert_kept(pad);
  pad = pad_of(INTS(0, 0, 1, 1, 0, 0, 1, 1)); /* the Conv pads by its own rule */
  set_text(conv_after(output_of(pad)), "auto_pad", "SAME_UPPER");
  assert_kept(pad);
  pad = pad_of(INTS(0, 0, 1, 1, 0, 0, 1, 1));
  (void)conv_after(output_of(pad));
  graph_output(output_of(pad));
  assert_kept(pad);
  pad = pad_of(INTS(0, 0, 1, 1)); /* too few */
  (void)conv_after(output_of(pad));
  assert_kept(pad);
}

static void pads_of_another_value_stay(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1, 3, 8, 8));
  lpot_value_id one = reals("one", 0, NULL, REALS(1));
  lpot_node_id pad =
      node_of(LPOT_OP_PAD, "pad", VALUES(x, ints(INTS(0, 0, 1, 1, 0, 0, 1, 1)), one));
  (void)conv_after(output_of(pad));
  assert_kept(pad);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(spatial_zeros_become_pads),
      GRAPH_TEST(axes_of_a_pad_are_understood),
      GRAPH_TEST(other_pads_stay),
      GRAPH_TEST(pads_of_another_value_stay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
