#include "graph_fixture.h"

static lpot_value_id truths(const char *name, int rank, const int64_t *dims) {
  return typed_input(name, LPOT_BOOL, rank, dims);
}

static void comparisons_broadcast_to_truth_values(void **state) {
  (void)state;
  const lpot_op ops[] = {LPOT_OP_EQUAL, LPOT_OP_GREATER, LPOT_OP_GREATER_OR_EQUAL, LPOT_OP_LESS,
                         LPOT_OP_LESS_OR_EQUAL};
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 1));
  lpot_value_id y = input("y", DIMS(4));
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    lpot_value_id z = compute(ops[i], "compare", VALUES(x, y));
    infer();
    assert_shape(z, "[?, 3, 4]");
    assert_dtype(z, LPOT_BOOL);
  }
  (void)compute(LPOT_OP_LESS, "less", VALUES(x, typed_input("i", LPOT_S32, DIMS(4))));
  assert_infer_fails(LPOT_FORMAT, "node 'less': inputs 0 and 1 have the types float32 and int32");
}

static void logic_takes_truth_values_only(void **state) {
  (void)state;
  lpot_value_id x = truths("x", DIMS(UNKNOWN, 3));
  lpot_value_id y = truths("y", DIMS(3));
  lpot_value_id both = compute(LPOT_OP_AND, "and", VALUES(x, y));
  lpot_value_id neither =
      compute(LPOT_OP_NOT, "not", VALUES(compute(LPOT_OP_XOR, "xor", VALUES(both, y))));
  infer();
  assert_shape(neither, "[?, 3]");
  assert_dtype(neither, LPOT_BOOL);
  lpot_value_id number = input("number", DIMS(3));
  lpot_node_id either = node_of(LPOT_OP_OR, "or", VALUES(x, number));
  assert_infer_fails(LPOT_FORMAT, "node 'or': input 1 has the type float32, expected bool");
  lpot_graph_remove_node(graph, either);
  (void)compute(LPOT_OP_NOT, "number", VALUES(number));
  assert_infer_fails(LPOT_FORMAT, "node 'number': input 0 has the type float32, expected bool");
}

static void tests_of_numbers_give_truth_values(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id y = compute(LPOT_OP_IS_INF, "inf", VALUES(x));
  lpot_value_id z = compute(LPOT_OP_IS_NAN, "nan", VALUES(x));
  infer();
  assert_shape(y, "[?, 3]");
  assert_dtype(y, LPOT_BOOL);
  assert_dtype(z, LPOT_BOOL);
}

static void a_shift_has_a_direction(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_U8, DIMS(2, 1));
  lpot_value_id y = typed_input("y", LPOT_U8, DIMS(3));
  lpot_node_id shift = node_of(LPOT_OP_BIT_SHIFT, "shift", VALUES(x, y));
  assert_infer_fails(LPOT_FORMAT, "node 'shift': direction is '', expected LEFT or RIGHT");
  set_text(shift, "direction", "UP");
  assert_infer_fails(LPOT_FORMAT, "node 'shift': direction is 'UP', expected LEFT or RIGHT");
  set_text(shift, "direction", "LEFT");
  infer();
  assert_shape(output_of(shift), "[2, 3]");
  assert_dtype(output_of(shift), LPOT_U8);
}

static void where_broadcasts_three_operands(void **state) {
  (void)state;
  lpot_value_id condition = truths("condition", DIMS(UNKNOWN, 1, 1));
  lpot_value_id x = input("x", DIMS(3, 1));
  lpot_value_id y = input("y", DIMS(4));
  lpot_value_id z = compute(LPOT_OP_WHERE, "where", VALUES(condition, x, y));
  infer();
  assert_shape(z, "[?, 3, 4]");
  assert_dtype(z, LPOT_F32);
}

static void where_checks_its_operands(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3));
  lpot_node_id where = node_of(LPOT_OP_WHERE, "where", VALUES(x, x, x));
  assert_infer_fails(LPOT_FORMAT, "node 'where': input 0 has the type float32, expected bool");
  require(lpot_graph_set_input(graph, where, 0, truths("c", DIMS(2)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'where': shapes [2] and [3]");
  require(lpot_graph_set_input(graph, where, 2, typed_input("i", LPOT_S64, DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'where': inputs 1 and 2 have the types");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(comparisons_broadcast_to_truth_values), GRAPH_TEST(logic_takes_truth_values_only),
      GRAPH_TEST(tests_of_numbers_give_truth_values),    GRAPH_TEST(a_shift_has_a_direction),
      GRAPH_TEST(where_broadcasts_three_operands),       GRAPH_TEST(where_checks_its_operands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
