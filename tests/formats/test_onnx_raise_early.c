#include "onnx_builder.h"

/* x [N, 4] -> op -> y with attributes, of this opset; attributes is emptied. */
static void build_one(builder *b, const char *op_type, const char *inputs,
                      lpot_buffer *attributes) {
  builder_init(b);
  builder_input(b, "x");
  builder_node(b, op_type, "op", inputs, "y", attributes);
  builder_output(b, "y");
}

static lpot_graph *raise_one(const char *op_type, lpot_buffer *attributes, int opset) {
  builder b;
  build_one(&b, op_type, "x", attributes);
  return builder_graph(&b, opset);
}

static void refuse_one(const char *op_type, lpot_buffer *attributes, int opset, lpot_status status,
                       const char *word) {
  builder b;
  build_one(&b, op_type, "x", attributes);
  builder_refused(&b, opset, status, op_type, word);
}

static void early_drops_consumed_inputs(void **state) {
  (void)state;
  const int64_t consumed[1] = {0};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "consumed_inputs", consumed, 1);
  lpot_graph *graph = raise_one("Relu", &attributes, 1);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  assert_int_equal(lpot_graph_opset(graph), 13);
  lpot_graph_free(graph);
}

static void early_refuses_training(void **state) {
  (void)state;
  const char *const names[] = {"Dropout", "BatchNormalization"};
  for (int i = 0; i < 2; i++) {
    lpot_buffer attributes;
    lpot_buffer_init(&attributes);
    refuse_one(names[i], &attributes, 6, LPOT_UNSUPPORTED, "is_test is 0");
  }
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "is_test", 1);
  attribute_float(&attributes, "ratio", 0.5f);
  lpot_graph *graph = raise_one("Dropout", &attributes, 6);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  lpot_graph_free(graph);
}

static void early_reads_the_shape_of_reshape_from_an_attribute(void **state) {
  (void)state;
  const int64_t shape[2] = {2, -1};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "shape", shape, 2);
  lpot_graph *graph = raise_one("Reshape", &attributes, 4);
  const lpot_tensor *target = constant_of(graph, node_named(graph, "op"), 1);
  assert_int_equal(lpot_tensor_get_int(target, 0), 2);
  assert_int_equal(lpot_tensor_get_int(target, 1), -1);
  lpot_graph_free(graph);
  refuse_one("Reshape", &attributes, 4, LPOT_FORMAT, "'shape' is missing");
}

static void early_reads_types_by_name(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_string(&attributes, "to", "INT64");
  lpot_graph *graph = raise_one("Cast", &attributes, 5);
  assert_int_equal(lpot_node_int(node_named(graph, "op"), "to", 0), 7);
  lpot_graph_free(graph);
  attribute_string(&attributes, "to", "INT65");
  refuse_one("Cast", &attributes, 5, LPOT_UNSUPPORTED, "'INT65'");
}

static void early_concats_along_the_channels(void **state) {
  (void)state;
  lpot_graph *graph = raise_one("Concat", NULL, 3);
  assert_int_equal(lpot_node_int(node_named(graph, "op"), "axis", 0), 1);
  lpot_graph_free(graph);
}

static void early_knows_pads_as_paddings(void **state) {
  (void)state;
  const int64_t pads[4] = {0, 1, 0, 2};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "paddings", pads, 4);
  lpot_graph *graph = raise_one("Pad", &attributes, 1);
  assert_int_equal(lpot_tensor_get_int(constant_of(graph, node_named(graph, "op"), 1), 3), 2);
  lpot_graph_free(graph);
  refuse_one("Pad", &attributes, 1, LPOT_FORMAT, "'paddings' is missing");
  attribute_int(&attributes, "paddings", 1);
  refuse_one("Pad", &attributes, 1, LPOT_FORMAT, "not a list of integers");
}

static void early_upsamples_images(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_float(&attributes, "height_scale", 2.0f);
  attribute_float(&attributes, "width_scale", 3.0f);
  lpot_graph *graph = raise_one("Upsample", &attributes, 1);
  const lpot_node *node = node_named(graph, "op");
  const lpot_tensor *scales = constant_of(graph, node, 2);
  assert_int_equal(node->op, LPOT_OP_RESIZE);
  assert_int_equal(lpot_tensor_elements(scales), 4);
  assert_true(lpot_tensor_get_double(scales, 1) == 1.0);
  assert_true(lpot_tensor_get_double(scales, 2) == 2.0);
  assert_true(lpot_tensor_get_double(scales, 3) == 3.0);
  lpot_graph_free(graph);
  attribute_float(&attributes, "height_scale", 2.0f);
  refuse_one("Upsample", &attributes, 1, LPOT_FORMAT, "'width_scale'");
}

static void early_splits_by_an_input(void **state) {
  (void)state;
  const float sizes[2] = {1, 3};
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_floats(&b, "sizes", sizes, 2);
  builder_node(&b, "Split", "op", "x,sizes", "y,z", NULL);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 1);
  const lpot_tensor *split = constant_of(graph, node_named(graph, "op"), 1);
  assert_int_equal(split->dtype, LPOT_S64);
  assert_int_equal(lpot_tensor_get_int(split, 1), 3);
  lpot_graph_free(graph);
  build_one(&b, "Split", "x,x", NULL);
  builder_refused(&b, 1, LPOT_UNSUPPORTED, "(Split)", "input 1 is not constant");
}

static void early_tiles_by_a_concat(void **state) {
  (void)state;
  const float tiles[1] = {3};
  const float axis[1] = {1};
  const float many[1] = {1e9f};
  for (int i = 0; i < 2; i++) {
    builder b;
    build_one(&b, "Tile", "x,tiles,axis", NULL);
    builder_floats(&b, "tiles", i == 0 ? tiles : many, 1);
    builder_floats(&b, "axis", axis, 1);
    if (i == 1) {
      builder_refused(&b, 5, LPOT_UNSUPPORTED, "(Tile)", "tiles along axis 1");
      continue;
    }
    lpot_graph *graph = builder_graph(&b, 5);
    const lpot_node *node = node_named(graph, "op");
    assert_int_equal(node->op, LPOT_OP_CONCAT);
    assert_int_equal(node->num_inputs, 3);
    assert_int_equal(lpot_node_int(node, "axis", 0), 1);
    lpot_graph_free(graph);
  }
}

static void early_lets_gemm_broadcast(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "broadcast", 1);
  builder b;
  build_one(&b, "Gemm", "x,x,x", &attributes);
  lpot_graph *graph = builder_graph(&b, 6);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  lpot_graph_free(graph);
}

static void early_leaves_opset_7_alone(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "is_test", 0);
  lpot_graph *graph = raise_one("Dropout", &attributes, 7);
  lpot_graph_free(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(early_drops_consumed_inputs),
      cmocka_unit_test(early_refuses_training),
      cmocka_unit_test(early_reads_the_shape_of_reshape_from_an_attribute),
      cmocka_unit_test(early_reads_types_by_name),
      cmocka_unit_test(early_concats_along_the_channels),
      cmocka_unit_test(early_knows_pads_as_paddings),
      cmocka_unit_test(early_upsamples_images),
      cmocka_unit_test(early_splits_by_an_input),
      cmocka_unit_test(early_tiles_by_a_concat),
      cmocka_unit_test(early_lets_gemm_broadcast),
      cmocka_unit_test(early_leaves_opset_7_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
