#include "formats/onnx/onnx.h"

#include "onnx_builder.h"

#include "base/memory.h"

/* x [N, 4] -> Mul w -> Relu -> y */
static void build_small(builder *b) {
  const float weights[4] = {1, 2, 3, 4};
  builder_init(b);
  builder_input(b, "x");
  builder_floats(b, "w", weights, 4);
  builder_node(b, "Mul", "scale", "x,w", "s", NULL);
  builder_node(b, "Relu", "act", "s", "y", NULL);
  builder_output(b, "y");
}

/* ---- what is refused ---- */

static void load_refuses_an_empty_file(void **state) {
  (void)state;
  lpot_graph *graph = NULL;
  lpot_error err = {0};
  const uint8_t byte = 0;
  assert_int_equal(lpot_onnx_parse(&byte, 0, NULL, NULL, &graph, NULL, &err), LPOT_FORMAT);
  assert_non_null(strstr(err.message, "empty"));
}

static void load_refuses_a_file_truncated_at_any_byte(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_finish(&b, 13);
  for (size_t size = 0; size < b.model.size; size++) {
    lpot_graph *graph = NULL;
    lpot_error err = {0};
    /* A copy of its own size, so that a sanitizer sees a read beyond it. */
    uint8_t *copy = lpot_calloc(size + 1, 1);
    uint8_t *tight = lpot_realloc(copy, size == 0 ? 1 : size, 1);
    for (size_t i = 0; i < size; i++) {
      tight[i] = b.model.data[i];
    }
    lpot_status status = lpot_onnx_parse(tight, size, NULL, NULL, &graph, NULL, &err);
    assert_true(status == LPOT_FORMAT || status == LPOT_UNSUPPORTED);
    assert_null(graph);
    assert_int_not_equal(err.message[0], 0);
    lpot_free(tight);
  }
  builder_done(&b);
}

static void load_survives_every_single_changed_byte(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_finish(&b, 13);
  for (size_t i = 0; i < b.model.size; i++) {
    uint8_t original = b.model.data[i];
    for (int change = 1; change < 256; change += 2) {
      lpot_graph *graph = NULL;
      b.model.data[i] = (uint8_t)(original ^ change);
      if (lpot_onnx_parse(b.model.data, b.model.size, NULL, NULL, &graph, NULL, NULL) == LPOT_OK) {
        lpot_graph_free(graph);
      }
    }
    b.model.data[i] = original;
  }
  builder_done(&b);
}

static void load_reports_memory_that_ends_at_any_allocation(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_finish(&b, 12);
  lpot_status status = LPOT_NO_MEMORY;
  uint64_t countdown = 1;
  for (; status == LPOT_NO_MEMORY && countdown < 10000; countdown++) {
    lpot_graph *graph = NULL;
    lpot_memory_fail_after(countdown);
    status = lpot_onnx_parse(b.model.data, b.model.size, NULL, NULL, &graph, NULL, NULL);
    lpot_memory_fail_after(0);
    lpot_graph_free(graph);
  }
  assert_int_equal(status, LPOT_OK);
  assert_true(countdown > 10);
  builder_done(&b);
}

static void load_refuses_opsets_that_it_does_not_know(void **state) {
  (void)state;
  const int opsets[4] = {-1, 23, 99, 1000000};
  for (int i = 0; i < 4; i++) {
    builder b;
    build_small(&b);
    builder_refused(&b, opsets[i], LPOT_UNSUPPORTED, "opset is", "1 to 22");
  }
}

static void load_refuses_a_model_without_opset_or_graph(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_finish(&b, 13);
  lpot_graph *graph = NULL;
  lpot_error err = {0};
  lpot_buffer head;
  lpot_buffer_init(&head);
  MUST(lpot_wire_put_int64(&head, LPOT_MODEL_IR_VERSION, 7, NULL));
  assert_int_equal(lpot_onnx_parse(head.data, head.size, NULL, NULL, &graph, NULL, &err),
                   LPOT_FORMAT);
  assert_non_null(strstr(err.message, "no graph"));
  MUST(lpot_wire_put_message(&head, LPOT_MODEL_GRAPH, &b.graph, NULL));
  assert_int_equal(lpot_onnx_parse(head.data, head.size, NULL, NULL, &graph, NULL, &err),
                   LPOT_FORMAT);
  assert_non_null(strstr(err.message, "opset"));
  lpot_buffer_done(&head);
  builder_done(&b);
}

static void load_names_a_node_on_a_cycle(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Add", "first", "x,b", "a", NULL);
  builder_node(&b, "Relu", "second", "a", "b", NULL);
  builder_output(&b, "b");
  builder_refused(&b, 13, LPOT_FORMAT, "graph 'g'", "cycle");
}

static void load_refuses_an_input_that_nothing_produces(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Add", "sum", "x,ghost", "y", NULL);
  builder_output(&b, "y");
  builder_refused(&b, 13, LPOT_FORMAT, "graph 'g'", "ghost");
}

static void load_refuses_an_output_that_nothing_produces(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_output(&b, "ghost");
  builder_refused(&b, 13, LPOT_FORMAT, "output 'ghost'", "no node produces it");
}

static void load_refuses_a_graph_without_outputs(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "act", "x", "y", NULL);
  builder_refused(&b, 13, LPOT_FORMAT, "graph 'g'", "no outputs");
}

static void load_refuses_names_given_twice(void **state) {
  (void)state;
  const float one = 1;
  builder b;
  build_small(&b);
  builder_floats(&b, "w", &one, 1);
  builder_refused(&b, 13, LPOT_FORMAT, "initializer 'w'", "taken");
  build_small(&b);
  builder_input(&b, "x");
  builder_refused(&b, 13, LPOT_FORMAT, "input 'x'", "taken");
  build_small(&b);
  builder_output(&b, "y");
  builder_refused(&b, 13, LPOT_FORMAT, "output 'y'", "twice");
  build_small(&b);
  builder_node(&b, "Relu", "again", "x", "y", NULL);
  builder_refused(&b, 13, LPOT_FORMAT, "node 2 'again' (Relu)", "'y'");
  build_small(&b);
  builder_node(&b, "Relu", "again", "x", "w", NULL);
  builder_refused(&b, 13, LPOT_FORMAT, "node 2 'again' (Relu)", "'w'");
  static const char *const taken[3] = {"x", "w", "c"};
  for (int i = 0; i < 3; i++) {
    lpot_buffer attributes;
    lpot_buffer_init(&attributes);
    build_small(&b);
    attribute_int(&attributes, "value_int", 1);
    builder_node(&b, "Constant", "first", NULL, "c", &attributes);
    attribute_int(&attributes, "value_int", 1);
    builder_node(&b, "Constant", "again", NULL, taken[i], &attributes);
    builder_refused(&b, 13, LPOT_FORMAT, "node 3 'again' (Constant)", "already");
  }
}

static void load_names_the_nearest_of_an_unknown_operator(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Rellu", "act", "x", "y", NULL);
  builder_output(&b, "y");
  builder_refused(&b, 13, LPOT_UNSUPPORTED, "graph 'g', node 0 'act' (Rellu)", "Relu");
}

static void load_refuses_operators_of_domains_that_are_not_imported(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  MUST(lpot_wire_put_string(&attributes, LPOT_NODE_DOMAIN, "com.microsoft", NULL));
  builder_node(&b, "QLinearAdd", "add", "x,x,x,x,x,x,x", "y", &attributes);
  builder_output(&b, "y");
  builder_refused(&b, 13, LPOT_UNSUPPORTED, "node 0 'add'", "com.microsoft");
}

static void load_refuses_subgraphs_naming_the_node(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_G, "", NULL));
  attribute_of(&attributes, "then_branch", LPOT_ONNX_GRAPH, &content);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "If", "choice", "x", "y", &attributes);
  builder_output(&b, "y");
  builder_refused(&b, 13, LPOT_UNSUPPORTED, "node 0 'choice' (If)", "subgraph");
  lpot_buffer_done(&content);
}

static void load_refuses_inputs_that_are_no_tensors(void **state) {
  (void)state;
  lpot_buffer type, info;
  lpot_buffer_init(&type);
  lpot_buffer_init(&info);
  MUST(lpot_wire_put_bytes(&type, 4, NULL, 0, NULL));
  MUST(lpot_wire_put_string(&info, LPOT_VALUE_INFO_NAME, "list", NULL));
  MUST(lpot_wire_put_message(&info, LPOT_VALUE_INFO_TYPE, &type, NULL));
  builder b;
  build_small(&b);
  MUST(lpot_wire_put_message(&b.graph, LPOT_GRAPH_INPUT, &info, NULL));
  builder_refused(&b, 13, LPOT_UNSUPPORTED, "input 'list'", "sequence");
  lpot_buffer_done(&type);
  lpot_buffer_done(&info);
}

static void load_refuses_functions_and_sparse_initializers(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  MUST(lpot_wire_put_bytes(&b.graph, LPOT_GRAPH_SPARSE_INITIALIZER, NULL, 0, NULL));
  builder_refused(&b, 13, LPOT_UNSUPPORTED, "sparse", "offset");
  build_small(&b);
  builder_finish(&b, 13);
  MUST(lpot_wire_put_bytes(&b.model, LPOT_MODEL_FUNCTIONS, NULL, 0, NULL));
  lpot_graph *graph = NULL;
  assert_int_equal(lpot_onnx_parse(b.model.data, b.model.size, NULL, NULL, &graph, NULL, NULL),
                   LPOT_UNSUPPORTED);
  builder_done(&b);
}

static void load_refuses_a_required_input_left_out(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Add", "sum", ",x", "y", NULL);
  builder_output(&b, "y");
  builder_refused(&b, 13, LPOT_FORMAT, "node 0 'sum' (Add)", "input 0 is left out");
}

/* ---- what is read ---- */

static void load_reads_nodes_values_and_constants(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  lpot_graph *graph = builder_graph(&b, 13);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 2);
  assert_int_equal(lpot_graph_opset(graph), 13);
  assert_string_equal(lpot_graph_name(graph), "g");
  assert_int_equal(lpot_graph_num_inputs(graph), 1);
  const lpot_value *input = lpot_graph_value(graph, lpot_graph_input(graph, 0));
  assert_int_equal(input->dtype, LPOT_F32);
  assert_int_equal(input->shape.rank, 2);
  assert_true(input->shape.dims[0] == LPOT_DIM_UNKNOWN && input->shape.dims[1] == 4);
  const lpot_tensor *weights = constant_of(graph, node_named(graph, "scale"), 1);
  assert_non_null(weights);
  assert_true(((const float *)weights->data)[3] == 4.0f);
  lpot_graph_free(graph);
}

static void load_takes_nodes_in_any_order(void **state) {
  (void)state;
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "last", "s", "y", NULL);
  builder_node(&b, "Tanh", "first", "x", "s", NULL);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 13);
  const lpot_node_id *order = NULL;
  size_t count = 0;
  MUST(lpot_graph_order(graph, &order, &count, NULL));
  assert_int_equal(count, 2);
  assert_string_equal(lpot_graph_node(graph, order[0])->name, "first");
  lpot_graph_free(graph);
}

static void load_takes_an_initializer_listed_as_input_for_a_constant(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_input(&b, "w");
  lpot_graph *graph = builder_graph(&b, 13);
  assert_int_equal(lpot_graph_num_inputs(graph), 1);
  lpot_graph_free(graph);
}

static void load_turns_constant_nodes_into_constants(void **state) {
  (void)state;
  const int64_t axes[2] = {0, 2};
  const float reals[2] = {0.5f, 1.5f};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Mul", "scale", "x,f", "y", NULL);
  attribute_ints(&attributes, "value_ints", axes, 2);
  builder_node(&b, "Constant", "", "", "i", &attributes);
  attribute_floats(&attributes, "value_floats", reals, 2);
  builder_node(&b, "Constant", "", "", "f", &attributes);
  builder_output(&b, "y");
  builder_output(&b, "i");
  /* An empty name among the inputs is an input left out: a Constant has none at all. */
  builder_refused(&b, 13, LPOT_FORMAT, "(Constant)", "has 1 inputs");

  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Mul", "scale", "x,f", "y", NULL);
  attribute_ints(&attributes, "value_ints", axes, 2);
  builder_node(&b, "Constant", "", NULL, "i", &attributes);
  attribute_float(&attributes, "value_float", 2.5f);
  builder_node(&b, "Constant", "", NULL, "f", &attributes);
  builder_output(&b, "y");
  builder_output(&b, "i");
  lpot_graph *graph = builder_graph(&b, 13);
  assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), 1);
  const lpot_tensor *scale = constant_of(graph, node_named(graph, "scale"), 1);
  assert_int_equal(scale->shape.rank, 0);
  assert_true(*(const float *)scale->data == 2.5f);
  const lpot_tensor *ints = lpot_graph_value(graph, lpot_graph_find_value(graph, "i"))->constant;
  assert_int_equal(ints->dtype, LPOT_S64);
  assert_int_equal(lpot_tensor_get_int(ints, 1), 2);
  lpot_graph_free(graph);
}

static void load_keeps_attributes_it_does_not_know(void **state) {
  (void)state;
  const int64_t ints[3] = {1, -1, 7};
  const float reals[2] = {0.25f, -2.0f};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "i", -5);
  attribute_float(&attributes, "f", 0.5f);
  attribute_string(&attributes, "s", "text");
  attribute_ints(&attributes, "ints", ints, 3);
  attribute_floats(&attributes, "floats", reals, 2);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "act", "x", "y", &attributes);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 13);
  const lpot_node *node = node_named(graph, "act");
  const int64_t *values = NULL;
  assert_int_equal(lpot_node_int(node, "i", 0), -5);
  assert_true(lpot_node_float(node, "f", 0) == 0.5f);
  assert_string_equal(lpot_node_string(node, "s", ""), "text");
  assert_int_equal(lpot_node_ints(node, "ints", &values), 3);
  assert_int_equal(values[2], 7);
  assert_true(lpot_node_attribute(node, "floats")->reals[1] == -2.0f);
  lpot_graph_free(graph);
}

static void load_fills_the_model_info(void **state) {
  (void)state;
  builder b;
  build_small(&b);
  builder_finish(&b, 11);
  lpot_graph *graph = NULL;
  lpot_model_info info;
  MUST(lpot_onnx_parse(b.model.data, b.model.size, NULL, NULL, &graph, &info, NULL));
  assert_string_equal(info.format, "onnx");
  assert_string_equal(info.producer, "builder");
  assert_int_equal(info.opset, 11);
  assert_int_equal(info.ir_version, 7);
  assert_int_equal(info.size_bytes, b.model.size);
  lpot_digest digest = lpot_digest_of(b.model.data, b.model.size);
  assert_true(digest.low == info.digest.low && digest.high == info.digest.high);
  assert_int_equal(lpot_graph_opset(graph), 13);
  lpot_graph_free(graph);
  builder_done(&b);
}

static void load_never_gives_a_fresh_value_a_name_of_the_file(void **state) {
  (void)state;
  const int64_t axes[1] = {0};
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_ints(&attributes, "axes", axes, 1);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Unsqueeze", "u", "x", "z", &attributes);
  builder_node(&b, "Relu", "other", "x", "z_axes", NULL);
  builder_node(&b, "Add", "sum", "z,z_axes", "y", NULL);
  builder_output(&b, "y");
  lpot_graph *graph = builder_graph(&b, 11);
  lpot_value_id value = lpot_graph_find_value(graph, "z_axes");
  assert_int_equal(lpot_graph_value(graph, value)->producer, node_named(graph, "other")->id);
  assert_non_null(constant_of(graph, node_named(graph, "u"), 1));
  lpot_graph_free(graph);
}

/* ---- probe ---- */

static void probe_knows_models_and_refuses_other_files(void **state) {
  (void)state;
  static const char text[] = "version: 1.0\nmodel:\n  name: x\n";
  static const uint8_t zip[] = {'P', 'K', 3, 4, 20, 0, 0, 0};
  builder b;
  build_small(&b);
  builder_finish(&b, 13);
  assert_true(lpot_onnx_probe(b.model.data, b.model.size));
  assert_true(lpot_onnx_probe(b.model.data, b.model.size / 2));
  assert_false(lpot_onnx_probe(b.model.data, 0));
  assert_false(lpot_onnx_probe((const uint8_t *)text, sizeof text - 1));
  assert_false(lpot_onnx_probe(zip, sizeof zip));
  builder_done(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(load_refuses_an_empty_file),
      cmocka_unit_test(load_refuses_a_file_truncated_at_any_byte),
      cmocka_unit_test(load_survives_every_single_changed_byte),
      cmocka_unit_test(load_reports_memory_that_ends_at_any_allocation),
      cmocka_unit_test(load_refuses_opsets_that_it_does_not_know),
      cmocka_unit_test(load_refuses_a_model_without_opset_or_graph),
      cmocka_unit_test(load_names_a_node_on_a_cycle),
      cmocka_unit_test(load_refuses_an_input_that_nothing_produces),
      cmocka_unit_test(load_refuses_an_output_that_nothing_produces),
      cmocka_unit_test(load_refuses_a_graph_without_outputs),
      cmocka_unit_test(load_refuses_names_given_twice),
      cmocka_unit_test(load_names_the_nearest_of_an_unknown_operator),
      cmocka_unit_test(load_refuses_operators_of_domains_that_are_not_imported),
      cmocka_unit_test(load_refuses_subgraphs_naming_the_node),
      cmocka_unit_test(load_refuses_inputs_that_are_no_tensors),
      cmocka_unit_test(load_refuses_functions_and_sparse_initializers),
      cmocka_unit_test(load_refuses_a_required_input_left_out),
      cmocka_unit_test(load_reads_nodes_values_and_constants),
      cmocka_unit_test(load_takes_nodes_in_any_order),
      cmocka_unit_test(load_takes_an_initializer_listed_as_input_for_a_constant),
      cmocka_unit_test(load_turns_constant_nodes_into_constants),
      cmocka_unit_test(load_keeps_attributes_it_does_not_know),
      cmocka_unit_test(load_fills_the_model_info),
      cmocka_unit_test(load_never_gives_a_fresh_value_a_name_of_the_file),
      cmocka_unit_test(probe_knows_models_and_refuses_other_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
