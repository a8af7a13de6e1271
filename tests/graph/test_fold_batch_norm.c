#include "graph_fixture.h"

#include "graph/passes/passes.h"

/* With variance 3 and epsilon 1 the divisor is 2: scale (2, 4) becomes (1, 2), and the shift is
 * bias (10, 20) - mean (1, 2) * (1, 2) = (9, 16). */
static lpot_node_id norm_after(lpot_value_id x) {
  lpot_value_id scale = reals("scale", DIMS(2), REALS(2, 4));
  lpot_value_id bias = reals("bias", DIMS(2), REALS(10, 20));
  lpot_value_id mean = reals("mean", DIMS(2), REALS(1, 2));
  lpot_value_id variance = reals("variance", DIMS(2), REALS(3, 3));
  lpot_node_id norm =
      node_of(LPOT_OP_BATCH_NORMALIZATION, "norm", VALUES(x, scale, bias, mean, variance));
  require(lpot_graph_set_float(graph, norm, "epsilon", 1.0F, &error));
  return norm;
}

static void assert_constant(lpot_node_id node, int index, size_t count, const float *expected) {
  const lpot_value *value =
      lpot_graph_value(graph, lpot_node_input(lpot_graph_node(graph, node), index));
  assert_non_null(value->constant);
  assert_int_equal(lpot_tensor_elements(value->constant), count);
  for (size_t i = 0; i < count; i++) {
    assert_float_equal(lpot_tensor_get_double(value->constant, (int64_t)i), expected[i], 1e-6);
  }
}

static void assert_folded(lpot_node_id node, lpot_node_id norm) {
  lpot_value_id output = output_of(norm);
  require(lpot_pass_fold_batch_norm(graph, &error));
  assert_true(lpot_graph_node(graph, norm)->removed);
  assert_int_equal(lpot_graph_value(graph, output)->producer, node);
  assert_int_equal(output_of(node), output);
  assert_string_equal(lpot_graph_value(graph, output)->name, "norm.out");
}

static void a_convolution_takes_scale_and_shift(void **state) {
  (void)state;
  lpot_value_id w = reals("w", DIMS(2, 2, 1, 1), REALS(1, 2, 3, 4));
  lpot_node_id conv = node_of(LPOT_OP_CONV, "conv", VALUES(input("x", DIMS(UNKNOWN, 2, 5, 5)), w));
  lpot_node_id norm = norm_after(output_of(conv));
  graph_output(output_of(norm));
  assert_folded(conv, norm);
  assert_constant(conv, 1, 4, REALS(1, 2, 6, 8));
  assert_constant(conv, 2, 2, REALS(9, 16));
  const lpot_tensor *old = lpot_graph_value(graph, w)->constant;
  assert_float_equal(lpot_tensor_get_double(old, 2), 3.0, 0.0); /* shared ones are not written */
}

static void a_bias_is_scaled_too(void **state) {
  (void)state;
  lpot_value_id w = reals("w", DIMS(2, 1, 1), REALS(1, 2));
  lpot_value_id b = reals("b", DIMS(2), REALS(1, 1));
  lpot_node_id conv = node_of(LPOT_OP_CONV, "conv", VALUES(input("x", DIMS(1, 1, 5)), w, b));
  lpot_node_id norm = norm_after(output_of(conv));
  assert_folded(conv, norm);
  assert_constant(conv, 2, 2, REALS(10, 18));
}

static void a_transposed_convolution_has_its_channels_second(void **state) {
  (void)state;
  lpot_value_id w = reals("w", DIMS(2, 2, 1), REALS(1, 2, 3, 4));
  lpot_node_id conv = node_of(LPOT_OP_CONV_TRANSPOSE, "conv", VALUES(input("x", DIMS(1, 2, 5)), w));
  lpot_node_id norm = norm_after(output_of(conv));
  assert_folded(conv, norm);
  assert_constant(conv, 1, 4, REALS(1, 4, 3, 8));
}

static void groups_of_a_transposed_convolution_follow_each_other(void **state) {
  (void)state;
  lpot_value_id w = reals("w", DIMS(4, 1, 1), REALS(1, 2, 3, 4));
  lpot_node_id conv = node_of(LPOT_OP_CONV_TRANSPOSE, "conv", VALUES(input("x", DIMS(1, 4, 5)), w));
  set_int(conv, "group", 2);
  lpot_node_id norm = norm_after(output_of(conv));
  assert_folded(conv, norm);
  assert_constant(conv, 1, 4, REALS(1, 2, 6, 8));
}

static void a_gemm_is_scaled_along_its_columns(void **state) {
  (void)state;
  for (int transposed = 0; transposed < 2; transposed++) {
    lpot_value_id w = transposed != 0 ? reals("w", DIMS(2, 3), REALS(1, 2, 3, 4, 5, 6))
                                      : reals("w", DIMS(3, 2), REALS(1, 4, 2, 5, 3, 6));
    lpot_value_id c = reals("c", DIMS(1, 2), REALS(1, 2));
    lpot_node_id gemm = node_of(LPOT_OP_GEMM, "gemm", VALUES(input("x", DIMS(UNKNOWN, 3)), w, c));
    set_int(gemm, "transB", transposed);
    require(lpot_graph_set_float(graph, gemm, "beta", 0.5F, &error));
    lpot_node_id norm = norm_after(output_of(gemm));
    assert_folded(gemm, norm);
    assert_constant(gemm, 1, 6,
                    transposed != 0 ? REALS(1, 2, 3, 8, 10, 12) : REALS(1, 8, 2, 10, 3, 12));
    assert_constant(gemm, 2, 2, REALS(9.5F, 18));
    assert_null(lpot_node_attribute(lpot_graph_node(graph, gemm), "beta"));
    teardown_graph(NULL);
    (void)setup_graph(NULL);
  }
}

static void assert_kept(lpot_node_id norm) {
  require(lpot_pass_fold_batch_norm(graph, &error));
  assert_false(lpot_graph_node(graph, norm)->removed);
}

static lpot_node_id plain_conv(void) {
  lpot_value_id w = reals("w", DIMS(2, 1, 1), REALS(1, 2));
  return node_of(LPOT_OP_CONV, "conv", VALUES(input("x", DIMS(1, 1, 5)), w));
}

static void another_reader_forbids_it(void **state) {
  (void)state;
  lpot_node_id conv = plain_conv();
  (void)compute(LPOT_OP_RELU, "relu", VALUES(output_of(conv)));
  assert_kept(norm_after(output_of(conv)));
}

static void a_graph_output_between_forbids_it(void **state) {
  (void)state;
  lpot_node_id conv = plain_conv();
  graph_output(output_of(conv));
  assert_kept(norm_after(output_of(conv)));
}

static void computed_weights_forbid_it(void **state) {
  (void)state;
  lpot_node_id conv = plain_conv();
  require(lpot_graph_set_input(graph, conv, 1, input("w2", DIMS(2, 1, 1)), &error));
  assert_kept(norm_after(output_of(conv)));
}

static void a_computed_bias_forbids_it(void **state) {
  (void)state;
  lpot_node_id conv = plain_conv();
  const lpot_value_id *own = lpot_graph_node(graph, conv)->inputs;
  require(lpot_graph_set_inputs(graph, conv, (lpot_value_id[]){own[0], own[1], input("b", DIMS(2))},
                                3, &error));
  assert_kept(norm_after(output_of(conv)));
}

static void a_variance_that_gives_no_number_forbids_it(void **state) {
  (void)state;
  lpot_node_id norm = norm_after(output_of(plain_conv()));
  require(lpot_graph_set_input(graph, norm, 4, reals("v", DIMS(2), REALS(-5, 1)), &error));
  assert_kept(norm);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(a_convolution_takes_scale_and_shift),
      GRAPH_TEST(a_bias_is_scaled_too),
      GRAPH_TEST(a_transposed_convolution_has_its_channels_second),
      GRAPH_TEST(groups_of_a_transposed_convolution_follow_each_other),
      GRAPH_TEST(a_gemm_is_scaled_along_its_columns),
      GRAPH_TEST(another_reader_forbids_it),
      GRAPH_TEST(a_graph_output_between_forbids_it),
      GRAPH_TEST(computed_weights_forbid_it),
      GRAPH_TEST(a_computed_bias_forbids_it),
      GRAPH_TEST(a_variance_that_gives_no_number_forbids_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
