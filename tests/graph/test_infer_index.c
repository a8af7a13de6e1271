#include "graph_fixture.h"

static void gather_elements_has_the_shape_of_its_indices(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 5));
  lpot_value_id indices = typed_input("i", LPOT_S64, DIMS(UNKNOWN, 7));
  lpot_node_id node = node_of(LPOT_OP_GATHER_ELEMENTS, "g", VALUES(x, indices));
  set_int(node, "axis", 1);
  infer();
  assert_shape(output_of(node), "[?, 7]");
  assert_dtype(output_of(node), LPOT_F32);
  set_int(node, "axis", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'g': dimension 1 of the indices is 7, expected at most 5");
}

static void gather_elements_refuses_ranks_and_types_that_differ(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 5));
  lpot_node_id node = node_of(LPOT_OP_GATHER_ELEMENTS, "g", VALUES(x, ints(INTS(0))));
  assert_infer_fails(LPOT_FORMAT, "node 'g': input 1 (indices) has rank 1, expected 2");
  require(lpot_graph_set_input(graph, node, 1, x, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'g': the indices have the type float32, expected int64");
}

static void gather_nd_joins_tuples_and_slices(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 5, 6));
  lpot_value_id a =
      compute(LPOT_OP_GATHER_ND, "a", VALUES(x, typed_input("i", LPOT_S64, DIMS(4, 2))));
  lpot_node_id b =
      node_of(LPOT_OP_GATHER_ND, "b", VALUES(x, typed_input("j", LPOT_S64, DIMS(2, 4, 1))));
  set_int(b, "batch_dims", 1);
  infer();
  assert_shape(a, "[4, 6]");
  assert_shape(output_of(b), "[2, 4, 6]");
  set_int(b, "batch_dims", 3);
  assert_infer_fails(LPOT_FORMAT, "node 'b': data of rank 3 and indices of rank 3");
  set_int(b, "batch_dims", -1);
  assert_infer_fails(LPOT_FORMAT, "node 'b': batch_dims is -1, expected 0 to 7");
}

static void gather_nd_refuses_long_tuples(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3, 5));
  (void)compute(LPOT_OP_GATHER_ND, "g", VALUES(x, typed_input("i", LPOT_S64, DIMS(4, 3))));
  assert_infer_fails(LPOT_FORMAT,
                     "node 'g': the last dimension of the indices is 3, expected 1 to 2");
}

static void scatters_keep_the_shape_of_the_data(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 5));
  lpot_value_id indices = typed_input("i", LPOT_S64, DIMS(UNKNOWN, 2));
  lpot_value_id elements =
      compute(LPOT_OP_SCATTER_ELEMENTS, "e", VALUES(x, indices, input("u", DIMS(UNKNOWN, 2))));
  lpot_value_id nd =
      compute(LPOT_OP_SCATTER_ND, "n",
              VALUES(x, typed_input("j", LPOT_S64, DIMS(3, 1)), input("v", DIMS(3, 5))));
  infer();
  assert_shape(elements, "[?, 5]");
  assert_shape(nd, "[?, 5]");
}

static void scatters_refuse_updates_that_do_not_fit(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 5));
  lpot_value_id indices = typed_input("i", LPOT_S64, DIMS(2, 2));
  lpot_node_id node =
      node_of(LPOT_OP_SCATTER_ELEMENTS, "s", VALUES(x, indices, input("u", DIMS(2, 3))));
  assert_infer_fails(LPOT_FORMAT, "node 's': dimension 1 of the updates is 3, expected 2");
  require(lpot_graph_set_input(graph, node, 2, typed_input("v", LPOT_S32, DIMS(2, 2)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 's': inputs 0 and 2 have the types float32 and int32");
}

static void reverse_sequence_keeps_the_shape(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(4, UNKNOWN, 3));
  lpot_node_id node = node_of(LPOT_OP_REVERSE_SEQUENCE, "r", VALUES(x, ints(INTS(1, 2))));
  infer();
  assert_shape(output_of(node), "[4, ?, 3]");
  set_int(node, "time_axis", 1);
  assert_infer_fails(LPOT_FORMAT, "node 'r': time_axis is 1 and batch_axis 1");
  set_int(node, "batch_axis", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'r': dimensions 4 and 2 disagree");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(gather_elements_has_the_shape_of_its_indices),
      GRAPH_TEST(gather_elements_refuses_ranks_and_types_that_differ),
      GRAPH_TEST(gather_nd_joins_tuples_and_slices),
      GRAPH_TEST(gather_nd_refuses_long_tuples),
      GRAPH_TEST(scatters_keep_the_shape_of_the_data),
      GRAPH_TEST(scatters_refuse_updates_that_do_not_fit),
      GRAPH_TEST(reverse_sequence_keeps_the_shape),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
