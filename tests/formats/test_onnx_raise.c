#include "onnx_builder.h"

/* x -> op -> y with attributes, of this opset; attributes is emptied. */
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

static void assert_ints(const lpot_graph *graph, int index, int64_t first, int64_t last) {
  const lpot_tensor *tensor = constant_of(graph, node_named(graph, "op"), index);
  assert_non_null(tensor);
  assert_int_equal(tensor->dtype, LPOT_S64);
  assert_int_equal(lpot_tensor_get_int(tensor, 0), first);
  assert_int_equal(lpot_tensor_get_int(tensor, lpot_tensor_elements(tensor) - 1), last);
}

/* ---- attributes that became inputs ---- */

static void raise_moves_axes_of_squeeze_and_unsqueeze(void **state) {
  (void)state;
  const char *const names[2] = {"Squeeze", "Unsqueeze"};
  const int64_t axes[2] = {0, 3};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  for (int i = 0; i < 2; i++) {
    attribute_ints(&attributes, "axes", axes, 2);
    lpot_graph *graph = raise_one(names[i], &attributes, 11);
    assert_ints(graph, 1, 0, 3);
    assert_null(lpot_node_attribute(node_named(graph, "op"), "axes"));
    lpot_graph_free(graph);
  }
}

static void raise_refuses_unsqueeze_without_axes(void **state) {
  (void)state;
  builder b;
  build_one(&b, "Unsqueeze", "x", NULL);
  builder_refused(&b, 11, LPOT_FORMAT, "node 0 'op' (Unsqueeze)", "'axes' is missing");
}

static void raise_moves_the_attributes_of_slice(void **state) {
  (void)state;
  const int64_t starts[2] = {1, 2};
  const int64_t ends[2] = {3, 4};
  const int64_t axes[2] = {0, 1};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "axes", axes, 2);
  attribute_ints(&attributes, "ends", ends, 2);
  attribute_ints(&attributes, "starts", starts, 2);
  lpot_graph *graph = raise_one("Slice", &attributes, 9);
  assert_ints(graph, 1, 1, 2);
  assert_ints(graph, 2, 3, 4);
  assert_ints(graph, 3, 0, 1);
  lpot_graph_free(graph);
}

static void raise_moves_pads_and_drops_a_zero_value(void **state) {
  (void)state;
  const int64_t pads[4] = {0, 1, 0, 2};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "pads", pads, 4);
  attribute_float(&attributes, "value", 0.0f);
  lpot_graph *graph = raise_one("Pad", &attributes, 10);
  assert_ints(graph, 1, 0, 2);
  assert_int_equal(node_named(graph, "op")->num_inputs, 2);
  lpot_graph_free(graph);
  attribute_ints(&attributes, "pads", pads, 4);
  attribute_float(&attributes, "value", 1.5f);
  graph = raise_one("Pad", &attributes, 7);
  assert_true(lpot_tensor_get_double(constant_of(graph, node_named(graph, "op"), 2), 0) == 1.5);
  lpot_graph_free(graph);
}

static void raise_moves_min_and_max_of_clip_alone_too(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_float(&attributes, "max", 6.0f);
  lpot_graph *graph = raise_one("Clip", &attributes, 6 + 1);
  const lpot_node *node = node_named(graph, "op");
  assert_int_equal(lpot_node_input(node, 1), LPOT_NONE);
  assert_true(lpot_tensor_get_double(constant_of(graph, node, 2), 0) == 6.0);
  lpot_graph_free(graph);
  attribute_float(&attributes, "min", 0.0f);
  graph = raise_one("Clip", &attributes, 9);
  node = node_named(graph, "op");
  assert_int_equal(node->num_inputs, 2);
  assert_true(lpot_tensor_get_double(constant_of(graph, node, 1), 0) == 0.0);
  lpot_graph_free(graph);
}

static void raise_moves_axes_of_reduce_sum_only(void **state) {
  (void)state;
  const int64_t axes[2] = {1, 2};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "axes", axes, 2);
  lpot_graph *graph = raise_one("ReduceSum", &attributes, 11);
  assert_ints(graph, 1, 1, 2);
  assert_null(lpot_node_attribute(node_named(graph, "op"), "axes"));
  lpot_graph_free(graph);
  attribute_ints(&attributes, "axes", axes, 2);
  graph = raise_one("ReduceMax", &attributes, 11);
  assert_int_equal(node_named(graph, "op")->num_inputs, 1);
  assert_non_null(lpot_node_attribute(node_named(graph, "op"), "axes"));
  lpot_graph_free(graph);
}

static void raise_moves_k_of_top_k(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "k", 5);
  lpot_graph *graph = raise_one("TopK", &attributes, 9);
  assert_ints(graph, 1, 5, 5);
  assert_null(lpot_node_attribute(node_named(graph, "op"), "k"));
  lpot_graph_free(graph);
  builder b;
  build_one(&b, "TopK", "x", NULL);
  builder_refused(&b, 9, LPOT_FORMAT, "(TopK)", "'k' is missing");
  attribute_float(&attributes, "k", 5.0f);
  build_one(&b, "TopK", "x", &attributes);
  builder_refused(&b, 9, LPOT_FORMAT, "(TopK)", "'k' is not an integer");
}

static void raise_leaves_the_new_forms_alone(void **state) {
  (void)state;
  const int64_t axes[1] = {0};
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_int64s(&b, "axes", axes, 1);
  builder_node(&b, "Unsqueeze", "op", "x,axes", "y", NULL);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 13);
  assert_int_equal(lpot_node_input(node_named(graph, "op"), 1),
                   lpot_graph_find_value(graph, "axes"));
  lpot_graph_free(graph);
}

static void raise_refuses_an_attribute_of_the_wrong_kind(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "axes", 1);
  builder b;
  build_one(&b, "Squeeze", "x", &attributes);
  builder_refused(&b, 11, LPOT_FORMAT, "(Squeeze)", "list of integers");
}

/* ---- operators that became others ---- */

static void raise_turns_scatter_into_scatter_elements(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_input(&b, "i");
  builder_input(&b, "u");
  builder_node(&b, "Scatter", "op", "x,i,u", "y", NULL);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 9);
  assert_int_equal(node_named(graph, "op")->op, LPOT_OP_SCATTER_ELEMENTS);
  lpot_graph_free(graph);
  build_one(&b, "Scatter", "x", NULL);
  builder_refused(&b, 9, LPOT_FORMAT, "(Scatter)", "has 1 inputs, expected 3");
}

static void raise_turns_upsample_into_resize(void **state) {
  (void)state;
  const float scales[2] = {1, 2};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_floats(&attributes, "scales", scales, 2);
  attribute_string(&attributes, "mode", "nearest");
  lpot_graph *graph = raise_one("Upsample", &attributes, 7);
  const lpot_node *node = node_named(graph, "op");
  assert_int_equal(node->op, LPOT_OP_RESIZE);
  assert_int_equal(lpot_node_input(node, 1), LPOT_NONE);
  assert_true(lpot_tensor_get_double(constant_of(graph, node, 2), 1) == 2.0);
  assert_string_equal(lpot_node_string(node, "coordinate_transformation_mode", ""), "asymmetric");
  assert_string_equal(lpot_node_string(node, "nearest_mode", ""), "floor");
  lpot_graph_free(graph);
}

static void raise_gives_resize_10_an_empty_roi(void **state) {
  (void)state;
  const float scales[2] = {1, 0.5f};
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_floats(&b, "s", scales, 2);
  builder_node(&b, "Resize", "op", "x,s", "y", NULL);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 10);
  const lpot_node *node = node_named(graph, "op");
  assert_int_equal(node->num_inputs, 3);
  assert_int_equal(lpot_node_input(node, 2), lpot_graph_find_value(graph, "s"));
  assert_string_equal(lpot_node_string(node, "nearest_mode", ""), "ceil");
  lpot_graph_free(graph);
}

static void raise_turns_sum_into_a_chain_of_adds(void **state) {
  (void)state;
  for (int inputs = 1; inputs <= 4; inputs++) {
    static const char *const names[5] = {NULL, "x", "x,x", "x,x,x", "x,x,x,x"};
    builder b;
    build_one(&b, "Sum", names[inputs], NULL);
    lpot_graph *graph = builder_graph(&b, 8);
    assert_int_equal(count_nodes(graph, LPOT_OP_ADD), (size_t)(inputs - 1));
    assert_int_equal(count_nodes(graph, LPOT_OP_IDENTITY), inputs == 1 ? 1 : 0);
    assert_int_equal(lpot_graph_value(graph, lpot_graph_output(graph, 0))->producer,
                     node_named(graph, "op")->id);
    lpot_graph_free(graph);
  }
}

static void raise_refuses_a_sum_with_an_input_left_out(void **state) {
  (void)state;
  builder b;
  build_one(&b, "Sum", "x,,x", NULL);
  builder_refused(&b, 8, LPOT_FORMAT, "(Sum)", "input 1 is left out");
}

/* ---- what belongs to training ---- */

static void raise_drops_the_ratio_and_the_unread_mask_of_dropout(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_float(&attributes, "ratio", 0.5f);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Dropout", "op", "x", "y,mask", &attributes);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 10);
  assert_int_equal(node_named(graph, "op")->num_outputs, 1);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  lpot_graph_free(graph);
}

static void raise_keeps_a_mask_that_is_read(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Dropout", "op", "x", "y,mask", NULL);
  builder_output(&b, "y");
  builder_value(&b, LPOT_GRAPH_OUTPUT, "mask", 9, -1, NULL);
  lpot_graph *graph = builder_graph(&b, 10);
  assert_int_equal(node_named(graph, "op")->num_outputs, 2);
  lpot_graph_free(graph);
}

static void raise_refuses_dropout_in_training_mode(void **state) {
  (void)state;
  lpot_buffer flag;
  lpot_buffer_init(&flag);
  MUST(lpot_wire_put_int64(&flag, LPOT_TENSOR_DATA_TYPE, 9, NULL));
  MUST(lpot_wire_put_bytes(&flag, LPOT_TENSOR_RAW_DATA, "\1", 1, NULL));
  builder b;
  build_one(&b, "Dropout", "x,,t", NULL);
  builder_initializer(&b, "t", &flag);
  builder_refused(&b, 13, LPOT_UNSUPPORTED, "(Dropout)", "training_mode");
  lpot_buffer_done(&flag);
}

static void build_batch_norm(builder *b, const char *outputs, lpot_buffer *attributes) {
  const float ones[4] = {1, 1, 1, 1};
  builder_init(b);
  builder_input(b, "x");
  builder_floats(b, "w", ones, 4);
  builder_node(b, "BatchNormalization", "op", "x,w,w,w,w", outputs, attributes);
  builder_output(b, "y");
}

static void raise_drops_training_outputs_of_batch_norm_or_refuses_them(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "spatial", 1);
  attribute_float(&attributes, "momentum", 0.9f);
  builder b;
  build_batch_norm(&b, "y,mean,var,saved_mean,saved_var", &attributes);
  lpot_graph *graph = builder_graph(&b, 7);
  assert_int_equal(node_named(graph, "op")->num_outputs, 1);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  lpot_graph_free(graph);
  build_batch_norm(&b, "y,mean", NULL);
  builder_output(&b, "mean");
  builder_refused(&b, 7, LPOT_UNSUPPORTED, "(BatchNormalization)", "output 1");
  attribute_int(&attributes, "spatial", 0);
  build_batch_norm(&b, "y", &attributes);
  builder_refused(&b, 7, LPOT_UNSUPPORTED, "(BatchNormalization)", "spatial");
  attribute_int(&attributes, "training_mode", 1);
  build_batch_norm(&b, "y", &attributes);
  builder_refused(&b, 15, LPOT_UNSUPPORTED, "(BatchNormalization)", "training_mode");
}

/* ---- what later opsets brought ---- */

static void raise_refuses_what_the_models_opset_lacks(void **state) {
  (void)state;
  const int64_t dilations[2] = {1, 2};
  const int64_t target[2] = {0, -1};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  builder b;
  attribute_ints(&attributes, "dilations", dilations, 2);
  build_one(&b, "AveragePool", "x", &attributes);
  builder_refused(&b, 18, LPOT_FORMAT, "(AveragePool)", "dilations are of opset 19");
  attribute_int(&attributes, "block_size", 16);
  build_one(&b, "DequantizeLinear", "x,x", &attributes);
  builder_refused(&b, 21, LPOT_UNSUPPORTED, "(DequantizeLinear)", "block_size");
  attribute_int(&attributes, "allowzero", 1);
  build_one(&b, "Reshape", "x,shape", &attributes);
  builder_int64s(&b, "shape", target, 2);
  builder_refused(&b, 13, LPOT_FORMAT, "(Reshape)", "allowzero is of opset 14");
}

static void raise_keeps_what_later_opsets_brought(void **state) {
  (void)state;
  const int64_t dilations[2] = {1, 2};
  const int64_t target[2] = {0, -1};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "dilations", dilations, 2);
  lpot_graph *graph = raise_one("AveragePool", &attributes, 19);
  assert_non_null(lpot_node_attribute(node_named(graph, "op"), "dilations"));
  lpot_graph_free(graph);
  builder b;
  attribute_int(&attributes, "allowzero", 1);
  build_one(&b, "Reshape", "x,shape", &attributes);
  builder_int64s(&b, "shape", target, 2);
  graph = builder_graph(&b, 14);
  assert_int_equal(lpot_node_int(node_named(graph, "op"), "allowzero", 0), 1);
  lpot_graph_free(graph);
  attribute_int(&attributes, "antialias", 1);
  build_one(&b, "Resize", "x,,,x", &attributes);
  graph = builder_graph(&b, 18);
  assert_int_equal(lpot_node_int(node_named(graph, "op"), "antialias", 0), 1);
  lpot_graph_free(graph);
}

static void raise_keeps_indices_of_max_pool_that_are_read(void **state) {
  (void)state;
  for (int is_read = 0; is_read < 2; is_read++) {
    lpot_buffer attributes;
    lpot_buffer_init(&attributes);
    attribute_int(&attributes, "storage_order", 1);
    builder b;
    builder_init(&b);
    builder_input(&b, "x");
    builder_node(&b, "MaxPool", "op", "x", "y,places", &attributes);
    builder_output(&b, "y");
    if (is_read) {
      builder_value(&b, LPOT_GRAPH_OUTPUT, "places", 7, -1, NULL);
    }
    lpot_graph *graph = builder_graph(&b, 12);
    assert_int_equal(node_named(graph, "op")->num_outputs, is_read ? 2 : 1);
    assert_int_equal(node_named(graph, "op")->num_attributes, is_read ? 1 : 0);
    lpot_graph_free(graph);
  }
}

static void raise_drops_allowzero_that_has_no_effect(void **state) {
  (void)state;
  const int64_t target[2] = {2, -1};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "allowzero", 1);
  builder b;
  build_one(&b, "Reshape", "x,shape", &attributes);
  builder_int64s(&b, "shape", target, 2);
  lpot_graph *graph = builder_graph(&b, 14);
  assert_int_equal(node_named(graph, "op")->num_attributes, 0);
  assert_int_equal(lpot_graph_opset(graph), 14);
  lpot_graph_free(graph);
}

/* ---- Softmax ---- */

static lpot_graph *raise_any_softmax(const char *op_type, int rank, int64_t axis, int opset) {
  const int64_t dims[4] = {-1, 2, 3, 4};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "axis", axis);
  builder b;
  builder_init(&b);
  builder_value(&b, LPOT_GRAPH_INPUT, "x", 1, rank, dims);
  builder_node(&b, op_type, "op", "x", "y", &attributes);
  builder_output(&b, "y");
  return builder_graph(&b, opset);
}

static lpot_graph *raise_softmax(int rank, int64_t axis, int opset) {
  return raise_any_softmax("Softmax", rank, axis, opset);
}

static void raise_keeps_a_softmax_over_the_last_axis(void **state) {
  (void)state;
  for (int rank = 2; rank <= 4; rank++) {
    lpot_graph *graph = raise_softmax(rank, rank - 1, 11);
    assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 1);
    assert_int_equal(lpot_node_int(node_named(graph, "op"), "axis", 0), -1);
    lpot_graph_free(graph);
  }
}

static void raise_flattens_around_a_softmax_over_several_axes(void **state) {
  (void)state;
  lpot_graph *graph = raise_softmax(4, 2, 11);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 4);
  const lpot_node *softmax = node_named(graph, "op");
  assert_int_equal(lpot_node_int(softmax, "axis", 0), -1);
  lpot_node_id before = lpot_graph_value(graph, softmax->inputs[0])->producer;
  assert_int_equal(lpot_graph_node(graph, before)->op, LPOT_OP_FLATTEN);
  assert_int_equal(lpot_node_int(lpot_graph_node(graph, before), "axis", 0), 2);
  lpot_value_id output = lpot_graph_output(graph, 0);
  assert_string_equal(lpot_graph_value(graph, output)->name, "y");
  const lpot_node *last = lpot_graph_node(graph, lpot_graph_value(graph, output)->producer);
  assert_int_equal(last->op, LPOT_OP_RESHAPE);
  assert_int_equal(last->inputs[0], softmax->outputs[0]);
  lpot_graph_free(graph);
}

static void raise_flattens_around_a_softmax_of_unknown_rank(void **state) {
  (void)state;
  lpot_graph *graph = raise_softmax(-1, 1, 11);
  assert_int_equal(count_nodes(graph, LPOT_OP_FLATTEN), 1);
  lpot_graph_free(graph);
}

static void raise_treats_log_softmax_alike(void **state) {
  (void)state;
  lpot_graph *graph = raise_any_softmax("LogSoftmax", 4, 1, 7);
  assert_int_equal(count_nodes(graph, LPOT_OP_FLATTEN), 1);
  assert_int_equal(lpot_node_int(node_named(graph, "op"), "axis", 0), -1);
  lpot_graph_free(graph);
  graph = raise_any_softmax("LogSoftmax", 4, 1, 13);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 1);
  lpot_graph_free(graph);
}

static void raise_leaves_softmax_13_alone(void **state) {
  (void)state;
  lpot_graph *graph = raise_softmax(4, 1, 13);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 1);
  assert_int_equal(lpot_node_int(node_named(graph, "op"), "axis", 0), 1);
  lpot_graph_free(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(raise_moves_axes_of_squeeze_and_unsqueeze),
      cmocka_unit_test(raise_refuses_unsqueeze_without_axes),
      cmocka_unit_test(raise_moves_the_attributes_of_slice),
      cmocka_unit_test(raise_moves_pads_and_drops_a_zero_value),
      cmocka_unit_test(raise_moves_min_and_max_of_clip_alone_too),
      cmocka_unit_test(raise_moves_axes_of_reduce_sum_only),
      cmocka_unit_test(raise_moves_k_of_top_k),
      cmocka_unit_test(raise_leaves_the_new_forms_alone),
      cmocka_unit_test(raise_refuses_an_attribute_of_the_wrong_kind),
      cmocka_unit_test(raise_turns_scatter_into_scatter_elements),
      cmocka_unit_test(raise_turns_upsample_into_resize),
      cmocka_unit_test(raise_gives_resize_10_an_empty_roi),
      cmocka_unit_test(raise_turns_sum_into_a_chain_of_adds),
      cmocka_unit_test(raise_refuses_a_sum_with_an_input_left_out),
      cmocka_unit_test(raise_drops_the_ratio_and_the_unread_mask_of_dropout),
      cmocka_unit_test(raise_keeps_a_mask_that_is_read),
      cmocka_unit_test(raise_refuses_dropout_in_training_mode),
      cmocka_unit_test(raise_drops_training_outputs_of_batch_norm_or_refuses_them),
      cmocka_unit_test(raise_refuses_what_the_models_opset_lacks),
      cmocka_unit_test(raise_keeps_what_later_opsets_brought),
      cmocka_unit_test(raise_keeps_indices_of_max_pool_that_are_read),
      cmocka_unit_test(raise_drops_allowzero_that_has_no_effect),
      cmocka_unit_test(raise_keeps_a_softmax_over_the_last_axis),
      cmocka_unit_test(raise_flattens_around_a_softmax_over_several_axes),
      cmocka_unit_test(raise_flattens_around_a_softmax_of_unknown_rank),
      cmocka_unit_test(raise_treats_log_softmax_alike),
      cmocka_unit_test(raise_leaves_softmax_13_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
