#include "graph_fixture.h"

static void resize_goes_by_scales_or_sizes(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 5, 8));
  lpot_value_id scales = reals("s", DIMS(4), REALS(1, 1, 2.5F, 0.5F));
  lpot_value_id a = compute(LPOT_OP_RESIZE, "a", VALUES(x, LPOT_NONE, scales));
  lpot_value_id empty = zeros("e", LPOT_F32, DIMS(0));
  lpot_value_id b = compute(LPOT_OP_RESIZE, "b", VALUES(x, empty, empty, ints(INTS(2, 3, 10, 4))));
  lpot_node_id c =
      node_of(LPOT_OP_RESIZE, "c", VALUES(x, LPOT_NONE, LPOT_NONE, ints(INTS(10, 10))));
  set_ints(c, "axes", INTS(-2, -1));
  lpot_node_id d =
      node_of(LPOT_OP_RESIZE, "d", VALUES(x, LPOT_NONE, LPOT_NONE, ints(INTS(10, 10))));
  set_ints(d, "axes", INTS(2, 3));
  set_text(d, "keep_aspect_ratio_policy", "not_larger");
  infer();
  assert_shape(a, "[?, 3, 12, 4]");
  assert_shape(b, "[2, 3, 10, 4]");
  assert_shape(output_of(c), "[?, 3, 10, 10]");
  assert_shape(output_of(d), "[?, 3, 6, 10]");
}

static void resize_refuses_absurd_demands(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1, 3));
  lpot_node_id node = node_of(LPOT_OP_RESIZE, "r", VALUES(x));
  assert_infer_fails(LPOT_FORMAT, "node 'r': exactly one of scales and sizes");
  const struct {
    float scale;
    int count;
  } table[] = {{0.0F, 2}, {-1.0F, 2}, {1e30F, 2}, {2.0F, 1}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    int64_t dim = table[i].count;
    lpot_value_id scales = reals("s", 1, &dim, REALS(table[i].scale, table[i].scale));
    require(lpot_graph_set_inputs(graph, node, (lpot_value_id[]){x, LPOT_NONE, scales}, 3, &error));
    assert_infer_fails(LPOT_FORMAT, "node 'r': ");
  }
  lpot_value_id sizes = ints(INTS(0, 3));
  require(lpot_graph_set_inputs(graph, node, (lpot_value_id[]){x, LPOT_NONE, LPOT_NONE, sizes}, 4,
                                &error));
  assert_infer_fails(LPOT_FORMAT, "node 'r': sizes has the value 0");
}

static void resize_crops_by_a_constant_roi(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 10, 8));
  lpot_value_id roi = reals("roi", DIMS(4), REALS(0.25F, 0.0F, 0.75F, 0.5F));
  lpot_value_id scales = reals("s", DIMS(2), REALS(2, 1));
  lpot_node_id a = node_of(LPOT_OP_RESIZE, "a", VALUES(x, roi, scales));
  lpot_node_id b =
      node_of(LPOT_OP_RESIZE, "b", VALUES(x, typed_input("r", LPOT_F32, DIMS(4)), scales));
  const lpot_node_id nodes[] = {a, b};
  for (int i = 0; i < 2; i++) {
    set_ints(nodes[i], "axes", INTS(2, 3));
    set_text(nodes[i], "coordinate_transformation_mode", "tf_crop_and_resize");
  }
  infer();
  assert_shape(output_of(a), "[?, 3, 10, 4]");
  assert_shape(output_of(b), "[?, ?, ?, ?]");
  require(lpot_graph_set_inputs(graph, a, (lpot_value_id[]){x, LPOT_NONE, scales}, 3, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'a': roi is missing");
  lpot_value_id short_roi = reals("short", DIMS(2), REALS(0, 1));
  require(lpot_graph_set_inputs(graph, a, (lpot_value_id[]){x, short_roi, scales}, 3, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'a': roi has 2 values, expected 4");
  lpot_value_id backwards = reals("back", DIMS(4), REALS(1, 1, 0, 0));
  require(lpot_graph_set_inputs(graph, a, (lpot_value_id[]){x, backwards, scales}, 3, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'a': a dimension of the result is out of range");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(resize_goes_by_scales_or_sizes),
      GRAPH_TEST(resize_refuses_absurd_demands),
      GRAPH_TEST(resize_crops_by_a_constant_roi),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
