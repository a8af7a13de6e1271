#include "graph_fixture.h"

/* ---- Conv, pools ---- */

static lpot_node_id conv_of(lpot_op op, lpot_shape x, lpot_shape w, int64_t group) {
  lpot_node_id node =
      node_of(op, "conv", VALUES(input("x", x.rank, x.dims), input("w", w.rank, w.dims)));
  set_int(node, "group", group);
  return node;
}

static void convolution_gives_batch_channels_and_sizes(void **state) {
  (void)state;
  lpot_node_id a = conv_of(LPOT_OP_CONV, lpot_shape_of(DIMS(UNKNOWN, 4, 8, 8)),
                           lpot_shape_of(DIMS(6, 2, 3, 3)), 2);
  lpot_node_id b = conv_of(LPOT_OP_CONV_TRANSPOSE, lpot_shape_of(DIMS(UNKNOWN, 4, 8)),
                           lpot_shape_of(DIMS(4, 3, 2)), 2);
  set_ints(b, "strides", INTS(2));
  infer();
  assert_shape(output_of(a), "[?, 6, 6, 6]");
  assert_shape(output_of(b), "[?, 6, 16]");
}

static void channels_that_do_not_fit_are_refused(void **state) {
  (void)state;
  (void)conv_of(LPOT_OP_CONV, lpot_shape_of(DIMS(1, 4, 8, 8)), lpot_shape_of(DIMS(6, 3, 3, 3)), 1);
  assert_infer_fails(LPOT_FORMAT, "node 'conv': the input has 4 channels, the weights expect 3");
}

static void groups_that_do_not_divide_are_refused(void **state) {
  (void)state;
  (void)conv_of(LPOT_OP_CONV, lpot_shape_of(DIMS(1, 4, 8, 8)), lpot_shape_of(DIMS(5, 2, 3, 3)), 2);
  assert_infer_fails(LPOT_FORMAT, "node 'conv': 5 channels cannot be divided into 2 groups");
}

static void the_bias_has_one_element_per_channel(void **state) {
  (void)state;
  lpot_node_id node = node_of(LPOT_OP_CONV, "conv",
                              VALUES(input("x", DIMS(1, 4, 8)), zeros("w", LPOT_F32, DIMS(6, 4, 1)),
                                     zeros("b", LPOT_F32, DIMS(5))));
  assert_infer_fails(LPOT_FORMAT, "node 'conv': the bias has 5 elements, expected 6");
  require(lpot_graph_set_input(graph, node, 2, zeros("b", LPOT_F32, DIMS(6)), &error));
  infer();
}

static void pools_keep_the_channels(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 4, 8, 8));
  lpot_node_id pool = node_of(LPOT_OP_MAX_POOL, "pool", VALUES(x));
  set_ints(pool, "kernel_shape", INTS(2, 2));
  set_ints(pool, "strides", INTS(2, 2));
  lpot_value_id mean = compute(LPOT_OP_GLOBAL_AVERAGE_POOL, "mean", VALUES(output_of(pool)));
  lpot_value_id lost = compute(LPOT_OP_GLOBAL_MAX_POOL, "max", VALUES(input_of_unknown_rank("u")));
  infer();
  assert_shape(output_of(pool), "[?, 4, 4, 4]");
  assert_shape(mean, "[?, 4, 1, 1]");
  assert_shape(lost, "?");
}

static void max_pool_also_tells_where_the_maxima_were(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 4, 8, 8));
  lpot_value_id outputs[2] = {value_of("y"), value_of("places")};
  lpot_node_id pool = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_MAX_POOL, "pool", &x, 1, outputs, 2, &pool, &error));
  set_ints(pool, "kernel_shape", INTS(2, 2));
  infer();
  assert_shape(outputs[0], "[?, 4, 7, 7]");
  assert_shape(outputs[1], "[?, 4, 7, 7]");
  assert_dtype(outputs[1], LPOT_S64);
}

static void an_average_pool_may_be_dilated(void **state) {
  (void)state;
  lpot_node_id pool = node_of(LPOT_OP_AVERAGE_POOL, "pool", VALUES(input("x", DIMS(1, 1, 7))));
  set_ints(pool, "kernel_shape", INTS(3));
  set_ints(pool, "dilations", INTS(2));
  infer();
  assert_shape(output_of(pool), "[1, 1, 3]");
}

/* ---- Gemm, MatMul ---- */

static void gemm_transposes_and_checks_its_depth(void **state) {
  (void)state;
  lpot_value_id a = input("a", DIMS(UNKNOWN, 4));
  lpot_node_id gemm = node_of(LPOT_OP_GEMM, "gemm",
                              VALUES(a, input("b", DIMS(3, 4)), zeros("c", LPOT_F32, DIMS(3))));
  set_int(gemm, "transB", 1);
  infer();
  assert_shape(output_of(gemm), "[?, 3]");
  set_int(gemm, "transB", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'gemm': the factors do not fit: 4 columns times 3 rows");
  set_int(gemm, "transB", 1);
  require(lpot_graph_set_input(graph, gemm, 2, zeros("c", LPOT_F32, DIMS(4)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'gemm': input 2 has the dimension 4");
}

static void assert_matmul(lpot_shape a, lpot_shape b, const char *expected) {
  lpot_value_id y =
      compute(LPOT_OP_MATMUL, "m", VALUES(input("a", a.rank, a.dims), input("b", b.rank, b.dims)));
  infer();
  assert_shape(y, expected);
}

static void matmul_takes_any_rank(void **state) {
  (void)state;
  assert_matmul(lpot_shape_of(DIMS(2, 3)), lpot_shape_of(DIMS(3, 4)), "[2, 4]");
  assert_matmul(lpot_shape_of(DIMS(3)), lpot_shape_of(DIMS(3)), "[]");
  assert_matmul(lpot_shape_of(DIMS(3)), lpot_shape_of(DIMS(5, 3, 4)), "[5, 4]");
  assert_matmul(lpot_shape_of(DIMS(5, 2, 3)), lpot_shape_of(DIMS(3)), "[5, 2]");
  assert_matmul(lpot_shape_of(DIMS(UNKNOWN, 1, 2, 3)), lpot_shape_of(DIMS(7, 3, 4)),
                "[?, 7, 2, 4]");
  assert_matmul(lpot_shape_of(DIMS(UNKNOWN, 2, 3)), lpot_shape_of(DIMS(3, 4)), "[?, 2, 4]");
}

static void matmul_refuses_factors_that_do_not_fit(void **state) {
  (void)state;
  (void)compute(LPOT_OP_MATMUL, "m", VALUES(input("a", DIMS(2, 3)), input("b", DIMS(4, 5))));
  assert_infer_fails(LPOT_FORMAT, "node 'm': the factors do not fit: 3 columns times 4 rows");
}

static void matmul_refuses_scalars(void **state) {
  (void)state;
  (void)compute(LPOT_OP_MATMUL, "m", VALUES(input("a", DIMS(2, 3)), scalar_of(LPOT_F32)));
  assert_infer_fails(LPOT_FORMAT, "node 'm': a factor is a scalar");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(convolution_gives_batch_channels_and_sizes),
      GRAPH_TEST(channels_that_do_not_fit_are_refused),
      GRAPH_TEST(groups_that_do_not_divide_are_refused),
      GRAPH_TEST(the_bias_has_one_element_per_channel),
      GRAPH_TEST(pools_keep_the_channels),
      GRAPH_TEST(max_pool_also_tells_where_the_maxima_were),
      GRAPH_TEST(an_average_pool_may_be_dilated),
      GRAPH_TEST(gemm_transposes_and_checks_its_depth),
      GRAPH_TEST(matmul_takes_any_rank),
      GRAPH_TEST(matmul_refuses_factors_that_do_not_fit),
      GRAPH_TEST(matmul_refuses_scalars),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
