#include "graph_fixture.h"

static lpot_node_id some_node(void) {
  return node_of(LPOT_OP_RELU, "relu", VALUES(input("x", DIMS(1))));
}

static void attributes_are_read_back(void **state) {
  (void)state;
  lpot_node_id id = some_node();
  set_int(id, "alpha", 3);
  require(lpot_graph_set_float(graph, id, "beta", 0.25F, &error));
  set_text(id, "mode", "linear");
  set_ints(id, "pads", INTS(1, 2, 3));
  const char *const names[] = {"Tanh", "Relu"};
  require(lpot_graph_set_strings(graph, id, "activations", names, 2, &error));
  const lpot_node *node = lpot_graph_node(graph, id);
  const lpot_attribute *list = lpot_node_attribute(node, "activations");
  assert_int_equal(list->kind, LPOT_ATTRIBUTE_STRINGS);
  assert_int_equal(list->count, 2);
  assert_string_equal(list->strings[1], "Relu");
  const int64_t *pads = NULL;
  assert_int_equal(lpot_node_int(node, "alpha", 0), 3);
  assert_float_equal(lpot_node_float(node, "beta", 0.0F), 0.25F, 0.0F);
  assert_string_equal(lpot_node_string(node, "mode", ""), "linear");
  assert_int_equal(lpot_node_ints(node, "pads", &pads), 3);
  assert_int_equal(pads[2], 3);
  assert_int_equal(node->num_attributes, 5);
}

static void the_fallback_answers_for_what_is_absent_or_of_another_kind(void **state) {
  (void)state;
  lpot_node_id id = some_node();
  set_text(id, "mode", "linear");
  const lpot_node *node = lpot_graph_node(graph, id);
  const int64_t *values = NULL;
  assert_int_equal(lpot_node_int(node, "mode", 5), 5);
  assert_float_equal(lpot_node_float(node, "gone", 1.5F), 1.5F, 0.0F);
  assert_null(lpot_node_string(node, "gone", NULL));
  assert_int_equal(lpot_node_ints(node, "mode", &values), 0);
  assert_null(lpot_node_attribute(node, "gone"));
}

static void setting_again_replaces_also_by_another_kind(void **state) {
  (void)state;
  lpot_node_id id = some_node();
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_scalar();
  require(lpot_tensor_new(LPOT_F32, &shape, &tensor, &error));
  require(lpot_graph_set_tensor(graph, id, "value", &tensor, &error));
  assert_null(tensor);
  assert_int_equal(lpot_node_attribute(lpot_graph_node(graph, id), "value")->kind,
                   LPOT_ATTRIBUTE_TENSOR);
  set_int(id, "value", 9);
  const lpot_node *node = lpot_graph_node(graph, id);
  assert_int_equal(node->num_attributes, 1);
  assert_int_equal(lpot_node_int(node, "value", 0), 9);
  assert_null(node->attributes[0].tensor);
}

static void removing_keeps_the_others(void **state) {
  (void)state;
  lpot_node_id id = some_node();
  for (int i = 0; i < 10; i++) {
    char name[8];
    (void)snprintf(name, sizeof name, "a%d", i);
    set_int(id, name, i);
  }
  lpot_graph_remove_attribute(graph, id, "a3");
  lpot_graph_remove_attribute(graph, id, "gone");
  const lpot_node *node = lpot_graph_node(graph, id);
  assert_int_equal(node->num_attributes, 9);
  assert_null(lpot_node_attribute(node, "a3"));
  assert_int_equal(lpot_node_int(node, "a4", 0), 4);
  assert_int_equal(lpot_node_int(node, "a9", 0), 9);
}

static void the_number_of_attributes_is_bounded(void **state) {
  (void)state;
  lpot_node_id id = some_node();
  lpot_status status = LPOT_OK;
  int count = 0;
  while (status == LPOT_OK && count < 10000) {
    char name[16];
    (void)snprintf(name, sizeof name, "a%d", count++);
    status = lpot_graph_set_int(graph, id, name, 1, &error);
  }
  assert_int_equal(status, LPOT_FORMAT);
  assert_message("node 'relu' has more than");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(attributes_are_read_back),
      GRAPH_TEST(the_fallback_answers_for_what_is_absent_or_of_another_kind),
      GRAPH_TEST(setting_again_replaces_also_by_another_kind),
      GRAPH_TEST(removing_keeps_the_others),
      GRAPH_TEST(the_number_of_attributes_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
