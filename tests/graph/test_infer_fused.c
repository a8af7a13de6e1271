#include "graph_fixture.h"

static void fused_convolution_is_shaped_as_one(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 8, 8));
  lpot_value_id w = zeros("w", LPOT_F32, DIMS(4, 3, 3, 3));
  lpot_value_id added = input("z", DIMS(UNKNOWN, 4, 6, 6));
  lpot_node_id node = node_of(LPOT_OP_FUSED_CONV, "conv", VALUES(x, w, LPOT_NONE, added));
  infer();
  assert_shape(output_of(node), "[?, 4, 6, 6]");
  require(
      lpot_graph_set_inputs(graph, node,
                            (lpot_value_id[]){zeros("c", LPOT_F32, DIMS(1, 3, 8, 8)), w, LPOT_NONE,
                                              zeros("d", LPOT_F32, DIMS(1, 4, 5, 6))},
                            4, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'conv': input 3 has not the shape");
}

static void fused_products_are_shaped_by_their_factors(void **state) {
  (void)state;
  lpot_value_id a = input("a", DIMS(UNKNOWN, 7, 3));
  lpot_value_id b = zeros("b", LPOT_F32, DIMS(5, 7));
  lpot_node_id product = node_of(LPOT_OP_FUSED_MATMUL, "product", VALUES(a, b));
  set_int(product, "transA", 1);
  set_int(product, "transB", 1);
  lpot_value_id stack = input("stack", DIMS(3, UNKNOWN, 7));
  lpot_node_id batches =
      node_of(LPOT_OP_FUSED_MATMUL, "batches", VALUES(stack, zeros("c", LPOT_F32, DIMS(7, 5))));
  set_int(batches, "transBatchA", 1);
  lpot_node_id gemm = node_of(LPOT_OP_FUSED_GEMM, "gemm", VALUES(input("g", DIMS(UNKNOWN, 7)), b));
  set_int(gemm, "transB", 1);
  infer();
  assert_shape(output_of(product), "[?, 3, 5]");
  assert_shape(output_of(batches), "[?, 3, 5]");
  assert_shape(output_of(gemm), "[?, 5]");
  set_int(product, "transA", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'product': the factors do not fit: 3 columns times 7 rows");
}

static void normalizations_keep_the_shape(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 5, 8));
  lpot_value_id gamma = zeros("gamma", LPOT_F32, DIMS(8));
  lpot_value_id plain = compute(LPOT_OP_SIMPLIFIED_LAYER_NORMALIZATION, "plain", VALUES(x, gamma));
  lpot_value_id outputs[4] = {value_of("y"), LPOT_NONE, value_of("deviation"), value_of("sum")};
  lpot_value_id inputs[3] = {x, zeros("skip", LPOT_F32, DIMS(5, 8)), gamma};
  lpot_node_id node = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_SKIP_LAYER_NORMALIZATION, "skip", inputs, 3, outputs,
                              4, &node, &error));
  infer();
  assert_shape(plain, "[?, 5, 8]");
  assert_shape(outputs[0], "[?, 5, 8]");
  assert_shape(outputs[2], "[?, 5, 1]");
  assert_shape(outputs[3], "[?, 5, 8]");
  require(lpot_graph_set_input(graph, node, 2, zeros("short", LPOT_F32, DIMS(7)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'skip': input 2 has 7 elements, expected 8");
  require(lpot_graph_set_input(graph, node, 2, gamma, &error));
  require(lpot_graph_set_input(graph, node, 0, input("flat", DIMS(8)), &error));
  require(lpot_graph_set_input(graph, node, 1, gamma, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'skip': the input has rank 1");
}

static void normalization_of_unknown_rank_stays_unknown(void **state) {
  (void)state;
  lpot_value_id x = input_of_unknown_rank("x");
  lpot_value_id gamma = zeros("gamma", LPOT_F32, DIMS(8));
  lpot_value_id y = compute(LPOT_OP_SKIP_SIMPLIFIED_LAYER_NORMALIZATION, "s", VALUES(x, x, gamma));
  infer();
  assert_int_equal(lpot_graph_value(graph, y)->shape.rank, LPOT_RANK_UNKNOWN);
}

static void embeddings_add_the_hidden_dimension(void **state) {
  (void)state;
  lpot_value_id ids = typed_input("ids", LPOT_S32, DIMS(UNKNOWN, 5));
  lpot_value_id words = zeros("words", LPOT_F32, DIMS(9, 8));
  lpot_value_id vector = zeros("vector", LPOT_F32, DIMS(8));
  lpot_value_id outputs[2] = {value_of("y"), value_of("lengths")};
  lpot_value_id inputs[7] = {ids, LPOT_NONE, words, words, LPOT_NONE, vector, vector};
  lpot_node_id node = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_EMBED_LAYER_NORMALIZATION, "e", inputs, 7, outputs, 2,
                              &node, &error));
  infer();
  assert_shape(outputs[0], "[?, 5, 8]");
  assert_shape(outputs[1], "[?]");
  assert_dtype(outputs[1], LPOT_S32);
  require(lpot_graph_set_input(graph, node, 0, typed_input("flat", LPOT_S32, DIMS(5)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'e': the ids has rank 1");
}

static void attention_has_the_columns_of_the_values(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 5, 8));
  lpot_value_id w = zeros("w", LPOT_F32, DIMS(8, 20));
  lpot_node_id node = node_of(LPOT_OP_ATTENTION, "a", VALUES(x, w));
  set_int(node, "num_heads", 2);
  set_ints(node, "qkv_hidden_sizes", INTS(8, 8, 4));
  infer();
  assert_shape(output_of(node), "[?, 5, 4]");
  set_ints(node, "qkv_hidden_sizes", INTS(8, 8));
  assert_infer_fails(LPOT_FORMAT, "node 'a': qkv_hidden_sizes has 2 values");
  set_ints(node, "qkv_hidden_sizes", INTS(8, 8, 3));
  assert_infer_fails(LPOT_FORMAT, "node 'a': 2 heads cannot share");
  set_int(node, "num_heads", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'a': num_heads is 0");
  set_int(node, "num_heads", 2);
  set_int(node, "do_rotary", 1);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'a': do_rotary is 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(fused_convolution_is_shaped_as_one),
      GRAPH_TEST(fused_products_are_shaped_by_their_factors),
      GRAPH_TEST(normalizations_keep_the_shape),
      GRAPH_TEST(normalization_of_unknown_rank_stays_unknown),
      GRAPH_TEST(embeddings_add_the_hidden_dimension),
      GRAPH_TEST(attention_has_the_columns_of_the_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
