#include "onnx_builder.h"

#include "base/writer.h"

/* x -> Relu 'act' -> y with these attributes; refused with the two words. */
static void refused(lpot_buffer *attributes, lpot_status status, const char *word) {
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "act", "x", "y", attributes);
  builder_output(&b, "y");
  builder_refused(&b, 13, status, "node 0 'act' (Relu)", word);
}

static lpot_graph *accepted(lpot_buffer *attributes) {
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "act", "x", "y", attributes);
  builder_output(&b, "y");
  return builder_graph(&b, 13);
}

static void attribute_of_a_kind_that_the_graph_lacks_is_refused(void **state) {
  (void)state;
  const struct {
    int64_t type;
    uint32_t field;
    const char *word;
  } cases[] = {
      {LPOT_ONNX_GRAPH, LPOT_ATTRIBUTE_FIELD_G, "a subgraph"},
      {LPOT_ONNX_TENSORS, LPOT_ATTRIBUTE_FIELD_TENSORS, "a list of tensors"},
      {LPOT_ONNX_GRAPHS, LPOT_ATTRIBUTE_FIELD_GRAPHS, "a list of subgraphs"},
      {13, 14, "type 13"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_buffer attributes, content;
    lpot_buffer_init(&attributes);
    lpot_buffer_init(&content);
    MUST(lpot_wire_put_string(&content, cases[i].field, "", NULL));
    attribute_of(&attributes, "odd", cases[i].type, &content);
    refused(&attributes, LPOT_UNSUPPORTED, cases[i].word);
    lpot_buffer_done(&content);
  }
}

static void attribute_may_list_strings(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_STRINGS, "Tanh", NULL));
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_STRINGS, "", NULL));
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_STRINGS, "Relu", NULL));
  attribute_of(&attributes, "list", LPOT_ONNX_STRINGS, &content);
  lpot_buffer_clear(&content);
  attribute_of(&attributes, "none", LPOT_ONNX_STRINGS, &content);
  lpot_graph *graph = accepted(&attributes);
  const lpot_attribute *list = lpot_node_attribute(node_named(graph, "act"), "list");
  assert_int_equal(list->kind, LPOT_ATTRIBUTE_STRINGS);
  assert_int_equal(list->count, 3);
  assert_string_equal(list->strings[0], "Tanh");
  assert_string_equal(list->strings[1], "");
  assert_string_equal(list->strings[2], "Relu");
  assert_int_equal(lpot_node_attribute(node_named(graph, "act"), "none")->count, 0);
  lpot_graph_free(graph);
  lpot_buffer_done(&content);
}

static void attribute_without_name_or_value_is_refused(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  attribute_int(&attributes, "", 1);
  refused(&attributes, LPOT_FORMAT, "no name");
  attribute_of(&attributes, "t", LPOT_ONNX_TENSOR, &content);
  refused(&attributes, LPOT_FORMAT, "tensor is missing");
  lpot_buffer_done(&content);
}

static void attribute_given_twice_is_refused(void **state) {
  (void)state;
  lpot_buffer attributes;
  lpot_buffer_init(&attributes);
  attribute_int(&attributes, "i", 1);
  attribute_float(&attributes, "i", 1.0f);
  refused(&attributes, LPOT_FORMAT, "'i' is given twice");
}

static void attribute_that_refers_to_a_function_is_refused(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_REF_ATTR_NAME, "outer", NULL));
  attribute_of(&attributes, "i", LPOT_ONNX_INT, &content);
  refused(&attributes, LPOT_UNSUPPORTED, "references");
  lpot_buffer_done(&content);
}

static void attribute_whose_field_is_of_another_type_is_refused(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_I, "text", NULL));
  attribute_of(&attributes, "i", LPOT_ONNX_INT, &content);
  refused(&attributes, LPOT_FORMAT, "wire type");
  lpot_buffer_done(&content);
}

static void attribute_without_type_is_known_by_its_field(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_float(&content, LPOT_ATTRIBUTE_FIELD_F, 0.5f, NULL));
  attribute_of(&attributes, "f", 0, &content);
  lpot_graph *graph = accepted(&attributes);
  assert_true(lpot_node_float(node_named(graph, "act"), "f", 0) == 0.5f);
  lpot_graph_free(graph);
  lpot_buffer_done(&content);
}

static void attribute_left_at_its_default_is_read(void **state) {
  (void)state;
  lpot_buffer attributes, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&content);
  attribute_of(&attributes, "i", LPOT_ONNX_INT, &content);
  attribute_of(&attributes, "s", LPOT_ONNX_STRING, &content);
  attribute_of(&attributes, "ints", LPOT_ONNX_INTS, &content);
  lpot_graph *graph = accepted(&attributes);
  const lpot_node *node = node_named(graph, "act");
  const int64_t *values = NULL;
  assert_int_equal(lpot_node_int(node, "i", 7), 0);
  assert_string_equal(lpot_node_string(node, "s", "none"), "");
  assert_non_null(lpot_node_attribute(node, "ints"));
  assert_int_equal(lpot_node_ints(node, "ints", &values), 0);
  lpot_graph_free(graph);
  lpot_buffer_done(&content);
}

static void attribute_lists_may_be_packed(void **state) {
  (void)state;
  lpot_buffer attributes, packed, content;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&packed);
  lpot_buffer_init(&content);
  MUST(lpot_writer_varint(&packed, 5, NULL));
  MUST(lpot_writer_varint(&packed, (uint64_t)-6, NULL));
  MUST(lpot_wire_put_message(&content, LPOT_ATTRIBUTE_FIELD_INTS, &packed, NULL));
  attribute_of(&attributes, "ints", LPOT_ONNX_INTS, &content);
  lpot_graph *graph = accepted(&attributes);
  const int64_t *values = NULL;
  assert_int_equal(lpot_node_ints(node_named(graph, "act"), "ints", &values), 2);
  assert_true(values[0] == 5 && values[1] == -6);
  lpot_graph_free(graph);
  lpot_buffer_done(&content);
  lpot_buffer_done(&packed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attribute_of_a_kind_that_the_graph_lacks_is_refused),
      cmocka_unit_test(attribute_may_list_strings),
      cmocka_unit_test(attribute_without_name_or_value_is_refused),
      cmocka_unit_test(attribute_given_twice_is_refused),
      cmocka_unit_test(attribute_that_refers_to_a_function_is_refused),
      cmocka_unit_test(attribute_whose_field_is_of_another_type_is_refused),
      cmocka_unit_test(attribute_without_type_is_known_by_its_field),
      cmocka_unit_test(attribute_left_at_its_default_is_read),
      cmocka_unit_test(attribute_lists_may_be_packed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
