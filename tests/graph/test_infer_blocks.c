#include "graph_fixture.h"

static lpot_node_id blocks_of(lpot_op op, int64_t blocksize, int rank, const int64_t *dims) {
  lpot_node_id node = node_of(op, "node", VALUES(input("x", rank, dims)));
  set_int(node, "blocksize", blocksize);
  return node;
}

static void channels_become_pixels_and_back(void **state) {
  (void)state;
  lpot_node_id a = blocks_of(LPOT_OP_DEPTH_TO_SPACE, 2, DIMS(UNKNOWN, 8, 3, UNKNOWN));
  lpot_node_id b = blocks_of(LPOT_OP_SPACE_TO_DEPTH, 3, DIMS(UNKNOWN, 2, 6, 9));
  lpot_value_id lost = compute(LPOT_OP_SPACE_TO_DEPTH, "lost", VALUES(input_of_unknown_rank("u")));
  set_int(lpot_graph_value(graph, lost)->producer, "blocksize", 2);
  infer();
  assert_shape(output_of(a), "[?, 2, 6, ?]");
  assert_shape(output_of(b), "[?, 18, 2, 3]");
  assert_shape(lost, "[?, ?, ?, ?]");
}

static void what_does_not_divide_is_refused(void **state) {
  (void)state;
  lpot_node_id node = blocks_of(LPOT_OP_DEPTH_TO_SPACE, 3, DIMS(1, 8, 3, 3));
  assert_infer_fails(LPOT_FORMAT, "node 'node': 8 channels cannot be divided by 9");
  set_int(node, "blocksize", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'node': blocksize is 0, expected 1 to 65536");
  set_int(node, "blocksize", INT64_MAX);
  assert_infer_fails(LPOT_FORMAT, "node 'node': blocksize is ");
}

static void images_have_four_dimensions(void **state) {
  (void)state;
  (void)blocks_of(LPOT_OP_SPACE_TO_DEPTH, 2, DIMS(1, 8, 4));
  assert_infer_fails(LPOT_FORMAT, "node 'node': the input has rank 3, expected 4");
}

static void rows_must_divide_too(void **state) {
  (void)state;
  (void)blocks_of(LPOT_OP_SPACE_TO_DEPTH, 2, DIMS(1, 8, 5, 4));
  assert_infer_fails(LPOT_FORMAT, "node 'node': 5 rows cannot be divided by 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(channels_become_pixels_and_back),
      GRAPH_TEST(what_does_not_divide_is_refused),
      GRAPH_TEST(images_have_four_dimensions),
      GRAPH_TEST(rows_must_divide_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
