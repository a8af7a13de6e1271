#include "graph/unique.h"

#include "graph_fixture.h"

static void check_list(const int64_t *actual, size_t count, const int64_t *expected) {
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(actual[i], expected[i]);
  }
}

static const lpot_tensor *tensor_of(lpot_value_id value) {
  return lpot_graph_value(graph, value)->constant;
}

/* x [2, 3]: columns 2 1 2 over 4 5 4. */
static lpot_node_id unique_of_columns(lpot_value_id *ret_x) {
  *ret_x = reals("x", DIMS(2, 3), REALS(2, 1, 2, 4, 5, 4));
  return node_of(LPOT_OP_UNIQUE, "u", VALUES(*ret_x));
}

static void elements_are_sorted_unless_told_otherwise(void **state) {
  (void)state;
  lpot_value_id x = LPOT_NONE;
  lpot_unique unique;
  lpot_node_id id = unique_of_columns(&x);
  require(lpot_unique_find(lpot_graph_node(graph, id), tensor_of(x), &unique, &error));
  assert_int_equal(unique.axis, -1);
  assert_int_equal(unique.total, 6);
  assert_int_equal(unique.count, 4);
  check_list(unique.first, INTS(1, 0, 3, 4));
  check_list(unique.inverse, INTS(1, 0, 1, 2, 3, 2));
  check_list(unique.occurrences, INTS(1, 2, 2, 1));
  lpot_unique_done(&unique);
  set_int(id, "sorted", 0);
  require(lpot_unique_find(lpot_graph_node(graph, id), tensor_of(x), &unique, &error));
  check_list(unique.first, INTS(0, 1, 3, 4));
  check_list(unique.inverse, INTS(0, 1, 0, 2, 3, 2));
  check_list(unique.occurrences, INTS(2, 1, 2, 1));
  lpot_unique_done(&unique);
}

static void slices_are_compared_element_by_element(void **state) {
  (void)state;
  lpot_value_id x = LPOT_NONE;
  lpot_unique unique;
  lpot_node_id id = unique_of_columns(&x);
  set_int(id, "axis", -1);
  require(lpot_unique_find(lpot_graph_node(graph, id), tensor_of(x), &unique, &error));
  assert_int_equal(unique.axis, 1);
  assert_int_equal(unique.count, 2);
  check_list(unique.first, INTS(1, 0));
  check_list(unique.inverse, INTS(1, 0, 1));
  lpot_unique_done(&unique);
}

static void nothing_has_no_elements(void **state) {
  (void)state;
  lpot_unique unique;
  lpot_value_id x = zeros("x", LPOT_F32, DIMS(1000000, 0));
  lpot_node_id id = node_of(LPOT_OP_UNIQUE, "u", VALUES(x));
  set_int(id, "axis", 0);
  require(lpot_unique_find(lpot_graph_node(graph, id), tensor_of(x), &unique, &error));
  assert_int_equal(unique.total, 0);
  assert_int_equal(unique.count, 0);
  lpot_unique_done(&unique);
}

static void an_axis_outside_is_refused(void **state) {
  (void)state;
  lpot_value_id x = LPOT_NONE;
  lpot_unique unique;
  lpot_node_id id = unique_of_columns(&x);
  set_int(id, "axis", 2);
  assert_int_equal(lpot_unique_find(lpot_graph_node(graph, id), tensor_of(x), &unique, &error),
                   LPOT_FORMAT);
  assert_message("axis is 2, expected -2 to 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(elements_are_sorted_unless_told_otherwise),
      GRAPH_TEST(slices_are_compared_element_by_element),
      GRAPH_TEST(nothing_has_no_elements),
      GRAPH_TEST(an_axis_outside_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
