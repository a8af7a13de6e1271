#include "graph_fixture.h"

static lpot_value_id reshaped(const char *name, lpot_value_id x, size_t count,
                              const int64_t *target) {
  return compute(LPOT_OP_RESHAPE, name, VALUES(x, ints(count, target)));
}

static void reshape_takes_zero_and_minus_one(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 3, 4));
  lpot_value_id a = reshaped("a", x, INTS(0, -1));
  lpot_value_id b = reshaped("b", x, INTS(-1));
  lpot_value_id c = reshaped("c", x, INTS(4, 0, 2));
  lpot_value_id d = reshaped("d", x, INTS(2, 1, 12));
  infer();
  assert_shape(a, "[2, 12]");
  assert_shape(b, "[24]");
  assert_shape(c, "[4, 3, 2]");
  assert_shape(d, "[2, 1, 12]");
}

static void reshape_keeps_an_unknown_batch(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id a = reshaped("a", x, INTS(0, -1));
  lpot_value_id b = reshaped("b", x, INTS(-1, 12));
  lpot_value_id c = reshaped("c", x, INTS(0, 2, -1, 2));
  lpot_value_id d = reshaped("d", x, INTS(1, 12));
  lpot_value_id e = reshaped("e", input_of_unknown_rank("u"), INTS(0, -1, 5));
  infer();
  assert_shape(a, "[?, 12]");
  assert_shape(b, "[?, 12]");
  assert_shape(c, "[?, 2, 3, 2]");
  assert_shape(d, "[1, 12]");
  assert_shape(e, "[?, ?, 5]");
}

static void reshape_refuses_what_does_not_fit(void **state) {
  (void)state;
  const struct {
    size_t count;
    int64_t target[9];
  } table[] = {{2, {5, 5}},        {2, {5, -1}},
               {2, {-1, -1}},      {2, {-2, 12}},
               {4, {2, 3, 4, 0}},  {1, {INT64_MAX}},
               {1, {25}},          {2, {0, INT64_MIN + 1}},
               {2, {1 << 30, -1}}, {3, {-1, 1 << 30, 1 << 30}}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    (void)reshaped("reshape", input("x", DIMS(2, 3, 4)), table[i].count, table[i].target);
    assert_infer_fails(LPOT_FORMAT, "node 'reshape': ");
    teardown_graph(NULL);
    (void)setup_graph(NULL);
  }
  (void)reshaped("reshape", input("x", DIMS(1)), INTS(1, 1, 1, 1, 1, 1, 1, 1, 1));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'reshape': ");
}

static void reshape_of_an_empty_tensor_has_no_minus_one(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(0, 3));
  lpot_node_id node = node_of(LPOT_OP_RESHAPE, "reshape", VALUES(x, ints(INTS(0, 3))));
  set_int(node, "allowzero", 1);
  infer();
  assert_shape(output_of(node), "[0, 3]");
  require(lpot_graph_set_input(graph, node, 1, ints(INTS(0, -1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'reshape': an input of shape [0, 3]");
}

static void a_computed_target_gives_the_rank_only(void **state) {
  (void)state;
  lpot_value_id target = typed_input("target", LPOT_S64, DIMS(3));
  lpot_value_id y = compute(LPOT_OP_RESHAPE, "r", VALUES(input("x", DIMS(2, 3)), target));
  lpot_value_id z = compute(LPOT_OP_EXPAND, "e", VALUES(input("w", DIMS(2, 3)), target));
  lpot_value_id f = compute(LPOT_OP_CONSTANT_OF_SHAPE, "c", VALUES(target));
  infer();
  assert_shape(y, "[?, ?, ?]");
  assert_shape(z, "[?, 2, 3]");
  assert_shape(f, "[?, ?, ?]");
}

static void a_target_that_is_no_vector_of_integers_is_refused(void **state) {
  (void)state;
  (void)compute(LPOT_OP_RESHAPE, "r",
                VALUES(input("x", DIMS(2, 3)), typed_input("t", LPOT_S64, DIMS(2, 1))));
  assert_infer_fails(LPOT_FORMAT, "node 'r': the target shape has rank 2");
}

static void flatten_splits_at_the_axis(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4, 5));
  lpot_node_id a = node_of(LPOT_OP_FLATTEN, "a", VALUES(x));
  lpot_node_id b = node_of(LPOT_OP_FLATTEN, "b", VALUES(x));
  lpot_node_id c = node_of(LPOT_OP_FLATTEN, "c", VALUES(input("y", DIMS(2, 3))));
  lpot_node_id d = node_of(LPOT_OP_FLATTEN, "d", VALUES(input("z", DIMS(2, 3))));
  set_int(b, "axis", -1);
  set_int(c, "axis", 0);
  set_int(d, "axis", 2);
  infer();
  assert_shape(output_of(a), "[?, 60]");
  assert_shape(output_of(b), "[?, 5]");
  assert_shape(output_of(c), "[1, 6]");
  assert_shape(output_of(d), "[6, 1]");
  set_int(d, "axis", 3);
  assert_infer_fails(LPOT_FORMAT, "node 'd': axis is 3, expected -2 to 2");
}

static void huge_products_are_refused(void **state) {
  (void)state;
  int64_t big = (int64_t)1 << 40;
  (void)compute(LPOT_OP_FLATTEN, "f", VALUES(input("x", DIMS(UNKNOWN, big, big))));
  assert_infer_fails(LPOT_FORMAT, "node 'f': a dimension of the result is out of range");
}

static void squeeze_takes_axes_from_input_attribute_or_everywhere(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 1, 3, 1));
  lpot_value_id a = compute(LPOT_OP_SQUEEZE, "a", VALUES(x, ints(INTS(1, -1))));
  lpot_node_id b = node_of(LPOT_OP_SQUEEZE, "b", VALUES(x));
  set_ints(b, "axes", INTS(3));
  lpot_value_id c = compute(LPOT_OP_SQUEEZE, "c", VALUES(input("y", DIMS(1, 3, 1))));
  lpot_value_id d = compute(LPOT_OP_SQUEEZE, "d", VALUES(compute(LPOT_OP_RELU, "r", VALUES(x))));
  infer();
  assert_shape(a, "[?, 3]");
  assert_shape(output_of(b), "[?, 1, 3]");
  assert_shape(c, "[3]");
  assert_shape(d, "?");
  set_ints(b, "axes", INTS(2));
  assert_infer_fails(LPOT_FORMAT, "node 'b': dimension 2 has the size 3, expected 1");
  set_ints(b, "axes", INTS(1, -3));
  assert_infer_fails(LPOT_FORMAT, "node 'b': axis 1 is listed twice");
}

static void unsqueeze_counts_axes_in_the_result(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id a = compute(LPOT_OP_UNSQUEEZE, "a", VALUES(x, ints(INTS(0, -1))));
  lpot_value_id s = compute(LPOT_OP_UNSQUEEZE, "s", VALUES(scalar_of(LPOT_F32), ints(INTS(0))));
  infer();
  assert_shape(a, "[1, ?, 3, 1]");
  assert_shape(s, "[1]");
  lpot_node_id many =
      node_of(LPOT_OP_UNSQUEEZE, "many", VALUES(x, ints(INTS(0, 1, 2, 3, 4, 5, 6))));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'many': the result has rank 9");
  require(lpot_graph_set_input(graph, many, 1, ints(INTS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'many': axis is 3, expected -3 to 2");
}

static void transpose_permutes(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 2, 3));
  lpot_node_id a = node_of(LPOT_OP_TRANSPOSE, "a", VALUES(x));
  lpot_node_id b = node_of(LPOT_OP_TRANSPOSE, "b", VALUES(x));
  lpot_node_id c = node_of(LPOT_OP_TRANSPOSE, "c", VALUES(input_of_unknown_rank("u")));
  set_ints(b, "perm", INTS(0, 2, 1));
  set_ints(c, "perm", INTS(1, 0));
  infer();
  assert_shape(output_of(a), "[3, 2, ?]");
  assert_shape(output_of(b), "[?, 3, 2]");
  assert_shape(output_of(c), "[?, ?]");
  set_ints(b, "perm", INTS(0, 1));
  assert_infer_fails(LPOT_FORMAT, "node 'b': perm has 2 values, expected 3");
  set_ints(b, "perm", INTS(0, 1, 1));
  assert_infer_fails(LPOT_FORMAT, "node 'b': axis 1 is listed twice");
  set_ints(b, "perm", INTS(0, 1, -1));
  assert_infer_fails(LPOT_FORMAT, "node 'b': perm has the value -1");
}

static void expand_broadcasts_and_constant_of_shape_fills(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 1, 3));
  lpot_value_id a = compute(LPOT_OP_EXPAND, "a", VALUES(x, ints(INTS(1, 5, 1))));
  lpot_node_id b = node_of(LPOT_OP_CONSTANT_OF_SHAPE, "b", VALUES(ints(INTS(2, 0, 4))));
  lpot_tensor *tensor = NULL;
  lpot_shape one = lpot_shape_of(DIMS(1));
  require(lpot_tensor_new(LPOT_S64, &one, &tensor, &error));
  require(lpot_graph_set_tensor(graph, b, "value", &tensor, &error));
  infer();
  assert_shape(a, "[?, 5, 3]");
  assert_shape(output_of(b), "[2, 0, 4]");
  assert_dtype(output_of(b), LPOT_S64);
  require(lpot_graph_set_input(graph, b, 0, ints(INTS(2, -1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'b': the wanted shape has the dimension -1");
  require(lpot_graph_set_input(graph, b, 0, ints(INTS(1 << 30, 1 << 30)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'b': ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(reshape_takes_zero_and_minus_one),
      GRAPH_TEST(reshape_keeps_an_unknown_batch),
      GRAPH_TEST(reshape_refuses_what_does_not_fit),
      GRAPH_TEST(reshape_of_an_empty_tensor_has_no_minus_one),
      GRAPH_TEST(a_computed_target_gives_the_rank_only),
      GRAPH_TEST(a_target_that_is_no_vector_of_integers_is_refused),
      GRAPH_TEST(flatten_splits_at_the_axis),
      GRAPH_TEST(huge_products_are_refused),
      GRAPH_TEST(squeeze_takes_axes_from_input_attribute_or_everywhere),
      GRAPH_TEST(unsqueeze_counts_axes_in_the_result),
      GRAPH_TEST(transpose_permutes),
      GRAPH_TEST(expand_broadcasts_and_constant_of_shape_fills),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
