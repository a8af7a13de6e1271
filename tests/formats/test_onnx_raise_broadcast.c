#include "onnx_builder.h"

#include "graph/infer.h"

/* An Add of x [N, 2, 3, 4] and b, along axis (-100: no attribute), behind another of the kind. */
static void build_add(builder *b, int rank, const int64_t *dims, int broadcast, int64_t axis,
                      int x_rank) {
  const int64_t x[4] = {-1, 2, 3, 4};
  builder_init(b);
  builder_value(b, LPOT_GRAPH_INPUT, "x", 1, x_rank, x);
  builder_value(b, LPOT_GRAPH_INPUT, "b", 1, rank, dims);
  for (int i = 0; i < 2; i++) {
    lpot_buffer attributes;
    lpot_buffer_init(&attributes);
    attribute_int(&attributes, "broadcast", broadcast);
    if (axis != -100) {
      attribute_int(&attributes, "axis", axis);
    }
    builder_node(b, "Add", i == 0 ? "first" : "op", i == 0 ? "x,b" : "m,b", i == 0 ? "m" : "y",
                 &attributes);
  }
  builder_output(b, "y");
}

static void assert_inferred(lpot_graph *graph, const char *expected) {
  char text[128];
  lpot_error err = {0};
  if (lpot_graph_infer(graph, NULL, &err) != LPOT_OK) {
    fail_msg("%s", err.message);
  }
  lpot_shape_text(&lpot_graph_value(graph, lpot_graph_output(graph, 0))->shape, text, sizeof text);
  assert_string_equal(text, expected);
}

static void broadcast_adds_dimensions_behind_an_axis(void **state) {
  (void)state;
  const int64_t dims[2] = {2, 3};
  for (int rank = 1; rank <= 2; rank++) {
    for (int negative = 0; negative < 2; negative++) {
      builder b;
      build_add(&b, rank, dims, 1, negative ? -3 : 1, 4);
      lpot_graph *graph = builder_graph(&b, 6);
      const lpot_node *node = node_named(graph, "op");
      assert_int_equal(node->num_attributes, 0);
      assert_int_equal(count_nodes(graph, LPOT_OP_UNSQUEEZE), 2);
      assert_inferred(graph, "[?, 2, 3, 4]");
      lpot_graph_free(graph);
    }
  }
}

static void broadcast_at_the_end_needs_no_help(void **state) {
  (void)state;
  const int64_t dims[1] = {4};
  const int64_t axes[] = {-100, 3, -1};
  for (int i = 0; i < 3; i++) {
    builder b;
    build_add(&b, 1, dims, 1, axes[i], 4);
    lpot_graph *graph = builder_graph(&b, 1);
    assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 2);
    assert_int_equal(node_named(graph, "op")->num_attributes, 0);
    assert_inferred(graph, "[?, 2, 3, 4]");
    lpot_graph_free(graph);
  }
}

static void axis_without_broadcast_means_nothing(void **state) {
  (void)state;
  const int64_t dims[4] = {-1, 2, 3, 4};
  builder b;
  build_add(&b, 4, dims, 0, 1, 4);
  lpot_graph *graph = builder_graph(&b, 6);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 2);
  lpot_graph_free(graph);
}

static void broadcast_refuses_axes_that_do_not_fit(void **state) {
  (void)state;
  const int64_t dims[2] = {3, 4};
  const int64_t axes[] = {3, 4, -5, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < sizeof axes / sizeof axes[0]; i++) {
    builder b;
    build_add(&b, 2, dims, 1, axes[i], 4);
    builder_refused(&b, 6, LPOT_FORMAT, "node 'first'", "axis is");
  }
}

static void broadcast_refuses_inputs_of_unknown_rank(void **state) {
  (void)state;
  const int64_t dims[1] = {2};
  builder b;
  build_add(&b, 1, dims, 1, 1, -1);
  builder_refused(&b, 6, LPOT_UNSUPPORTED, "node 'first'", "unknown rank");
}

static void later_opsets_ignore_the_attributes(void **state) {
  (void)state;
  const int64_t dims[1] = {4};
  builder b;
  build_add(&b, 1, dims, 1, 1, 4);
  lpot_graph *graph = builder_graph(&b, 7);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 2);
  lpot_graph_free(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(broadcast_adds_dimensions_behind_an_axis),
      cmocka_unit_test(broadcast_at_the_end_needs_no_help),
      cmocka_unit_test(axis_without_broadcast_means_nothing),
      cmocka_unit_test(broadcast_refuses_axes_that_do_not_fit),
      cmocka_unit_test(broadcast_refuses_inputs_of_unknown_rank),
      cmocka_unit_test(later_opsets_ignore_the_attributes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
