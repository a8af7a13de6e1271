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

/* ---- Resize ---- */

static void resize_goes_by_scales_or_sizes(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 5, 8));
  lpot_value_id scales = reals("s", DIMS(4), REALS(1, 1, 2.5F, 0.5F));
  lpot_value_id a = compute(LPOT_OP_RESIZE, "a", VALUES(x, LPOT_NONE, scales));
  lpot_value_id empty = zeros("e", LPOT_F32, DIMS(0));
  lpot_value_id b = compute(LPOT_OP_RESIZE, "b", VALUES(x, empty, empty, ints(INTS(2, 3, 10, 4))));
  lpot_node_id c =
      node_of(LPOT_OP_RESIZE, "c", VALUES(x, LPOT_NONE, LPOT_NONE, ints(INTS(10, 10))));
  set_ints(c, "axes", INTS(-2, -1));
  lpot_node_id d =
      node_of(LPOT_OP_RESIZE, "d", VALUES(x, LPOT_NONE, LPOT_NONE, ints(INTS(10, 10))));
  set_ints(d, "axes", INTS(2, 3));
  set_text(d, "keep_aspect_ratio_policy", "not_larger");
  infer();
  assert_shape(a, "[?, 3, 12, 4]");
  assert_shape(b, "[2, 3, 10, 4]");
  assert_shape(output_of(c), "[?, 3, 10, 10]");
  assert_shape(output_of(d), "[?, 3, 6, 10]");
}

static void resize_refuses_absurd_demands(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1, 3));
  lpot_node_id node = node_of(LPOT_OP_RESIZE, "r", VALUES(x));
  assert_infer_fails(LPOT_FORMAT, "node 'r': exactly one of scales and sizes");
  const struct {
    float scale;
    int count;
  } table[] = {{0.0F, 2}, {-1.0F, 2}, {1e30F, 2}, {2.0F, 1}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    int64_t dim = table[i].count;
    lpot_value_id scales = reals("s", 1, &dim, REALS(table[i].scale, table[i].scale));
    require(lpot_graph_set_inputs(graph, node, (lpot_value_id[]){x, LPOT_NONE, scales}, 3, &error));
    assert_infer_fails(LPOT_FORMAT, "node 'r': ");
  }
  lpot_value_id sizes = ints(INTS(0, 3));
  require(lpot_graph_set_inputs(graph, node, (lpot_value_id[]){x, LPOT_NONE, LPOT_NONE, sizes}, 4,
                                &error));
  assert_infer_fails(LPOT_FORMAT, "node 'r': sizes has the value 0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(convolution_gives_batch_channels_and_sizes),
      GRAPH_TEST(channels_that_do_not_fit_are_refused),
      GRAPH_TEST(groups_that_do_not_divide_are_refused),
      GRAPH_TEST(the_bias_has_one_element_per_channel),
      GRAPH_TEST(pools_keep_the_channels),
      GRAPH_TEST(gemm_transposes_and_checks_its_depth),
      GRAPH_TEST(matmul_takes_any_rank),
      GRAPH_TEST(matmul_refuses_factors_that_do_not_fit),
      GRAPH_TEST(matmul_refuses_scalars),
      GRAPH_TEST(resize_goes_by_scales_or_sizes),
      GRAPH_TEST(resize_refuses_absurd_demands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
