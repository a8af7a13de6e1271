#include "quant/quant_fixture.h"

#include "quant/quant_ops.h"

static const char *reason_of(const lpot_quant_ops *ops, const char *name) {
  for (size_t i = 0; i < lpot_quant_ops_num_others(ops); i++) {
    if (strcmp(lpot_quant_ops_get_other(ops, i)->name, name) == 0) {
      return lpot_quant_ops_get_other(ops, i)->reason;
    }
  }
  return "it is not listed";
}

/* conv -> Relu -> conv2 (read twice) -> Clip; conv2 + Clip; GlobalAveragePool; Flatten; Gemm. */
static lpot_graph *small_network(void) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_constant(graph, "w1", DIMS(3, 2, 1, 1), 1);
  lpot_value_id b1 = fixture_constant(graph, "b1", DIMS(3), 2);
  lpot_value_id c1 = fixture_node(graph, LPOT_OP_CONV, IDS(x, w1, b1), "c1");
  lpot_value_id r1 = fixture_node(graph, LPOT_OP_RELU, IDS(c1), "r1");
  lpot_value_id w2 = fixture_constant(graph, "w2", DIMS(3, 3, 1, 1), 3);
  lpot_value_id c2 = fixture_node(graph, LPOT_OP_CONV, IDS(r1, w2), "c2");
  lpot_value_id six = fixture_values(graph, "six", 0, NULL, (const float[]){6});
  lpot_value_id k2 = fixture_node(graph, LPOT_OP_CLIP, IDS(c2, LPOT_NONE, six), "k2");
  lpot_value_id sum = fixture_node(graph, LPOT_OP_ADD, IDS(c2, k2), "sum");
  lpot_value_id pool = fixture_node(graph, LPOT_OP_GLOBAL_AVERAGE_POOL, IDS(sum), "pool");
  lpot_value_id flat = fixture_node(graph, LPOT_OP_FLATTEN, IDS(pool), "flat");
  lpot_value_id w3 = fixture_constant(graph, "w3", DIMS(3, 5), 4);
  lpot_value_id y = fixture_node(graph, LPOT_OP_GEMM, IDS(flat, w3), "y");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_SOFTMAX, IDS(y), "probability"));
  return graph;
}

static void ops_are_found_in_order_with_their_activations(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(small_network());
  static const char *const types[] = {"Conv", "Conv", "Add", "GlobalAveragePool", "Gemm"};
  assert_int_equal(lpot_quant_ops_count(model.ops), 5);
  for (size_t i = 0; i < 5; i++) {
    assert_string_equal(lpot_quant_ops_types(model.ops)[i], types[i]);
    assert_string_equal(lpot_quant_ops_names(model.ops)[i], lpot_quant_ops_get(model.ops, i)->name);
  }
  const lpot_quant_op *conv = lpot_quant_ops_get(model.ops, 0);
  assert_string_equal(conv->name, "c1_node");
  assert_int_equal(conv->activation, lpot_graph_find_node(model.graph, "r1_node"));
  assert_int_equal(conv->output, lpot_graph_find_value(model.graph, "r1"));
  assert_int_equal(conv->bias, lpot_graph_find_value(model.graph, "b1"));
  assert_int_equal(conv->num_inputs, 1);
  const lpot_quant_op *gemm = lpot_quant_ops_get(model.ops, 4);
  assert_int_equal(gemm->weight_axis, 1);
  assert_int_equal(gemm->bias, LPOT_NONE);
  fixture_free(&model);
}

static void activation_behind_a_value_with_two_readers_is_not_taken(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(small_network());
  assert_int_equal(lpot_quant_ops_get(model.ops, 1)->activation, LPOT_NONE);
  assert_string_equal(reason_of(model.ops, "k2_node"), "no int8 form");
  assert_string_equal(reason_of(model.ops, "probability_node"), "no int8 form");
  assert_string_equal(reason_of(model.ops, "flat_node"), "it is not listed");
  assert_int_equal(lpot_quant_ops_num_others(model.ops), 2);
  fixture_free(&model);
}

static void activation_behind_a_graph_output_is_not_taken(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 2, 1, 1), 1);
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "c");
  lpot_value_id r = fixture_node(graph, LPOT_OP_RELU, IDS(c), "r");
  CHECK(lpot_graph_add_output(graph, c, &err));
  fixture_finish(graph, r);
  fixture_model model = fixture_model_of(graph);
  assert_int_equal(lpot_quant_ops_get(model.ops, 0)->activation, LPOT_NONE);
  assert_int_equal(lpot_quant_ops_get(model.ops, 0)->output, c);
  fixture_free(&model);
}

static void matmul_takes_the_bias_from_either_side_and_the_relu(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 5), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(5), 2);
  lpot_value_id m = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "m");
  lpot_value_id s = fixture_node(graph, LPOT_OP_ADD, IDS(b, m), "s");
  lpot_value_id r = fixture_node(graph, LPOT_OP_RELU, IDS(s), "r");
  fixture_finish(graph, r);
  fixture_model model = fixture_model_of(graph);
  const lpot_quant_op *op = lpot_quant_ops_get(model.ops, 0);
  assert_int_equal(lpot_quant_ops_count(model.ops), 1);
  assert_int_equal(op->bias_add, fixture_producer(graph, s));
  assert_int_equal(op->activation, fixture_producer(graph, r));
  assert_int_equal(op->bias, b);
  assert_int_equal(op->output, r);
  fixture_free(&model);
}

static void add_of_a_constant_that_is_no_vector_is_no_bias(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 5), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(4, 5), 2);
  lpot_value_id m = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "m");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(m, b), "s"));
  fixture_model model = fixture_model_of(graph);
  assert_int_equal(lpot_quant_ops_count(model.ops), 1);
  assert_int_equal(lpot_quant_ops_get(model.ops, 0)->bias_add, LPOT_NONE);
  assert_string_equal(reason_of(model.ops, "s_node"), "one operand is constant");
  fixture_free(&model);
}

/* Only where nobody else reads the sum. */
static void sums_that_a_softmax_reads_stay(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id y = fixture_node(graph, LPOT_OP_RELU, IDS(x), "y");
  lpot_value_id masked = fixture_node(graph, LPOT_OP_ADD, IDS(x, y), "masked");
  lpot_value_id shared = fixture_node(graph, LPOT_OP_ADD, IDS(x, y), "shared");
  lpot_value_id product = fixture_node(graph, LPOT_OP_MUL, IDS(x, y), "product");
  lpot_value_id a = fixture_node(graph, LPOT_OP_SOFTMAX, IDS(masked), "a");
  lpot_value_id b = fixture_node(graph, LPOT_OP_SOFTMAX, IDS(shared), "b");
  lpot_value_id c = fixture_node(graph, LPOT_OP_SOFTMAX, IDS(product), "c");
  lpot_value_id d = fixture_node(graph, LPOT_OP_ADD, IDS(a, b), "d");
  lpot_value_id e = fixture_node(graph, LPOT_OP_ADD, IDS(c, shared), "e");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(d, e), "f"));
  fixture_model model = fixture_model_of(graph);
  assert_string_equal(reason_of(model.ops, "masked_node"), "a softmax reads the sum");
  assert_int_equal(lpot_quant_ops_count(model.ops), 5);
  assert_string_equal(lpot_quant_ops_names(model.ops)[0], "shared_node");
  assert_string_equal(lpot_quant_ops_names(model.ops)[1], "product_node");
  fixture_free(&model);
}

static void reasons_are_told(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_value_id square = fixture_constant(graph, "square", DIMS(3, 3), 1);
  lpot_value_id matrix = fixture_constant(graph, "matrix", DIMS(2, 3), 2);
  lpot_value_id a = fixture_node(graph, LPOT_OP_GEMM, IDS(x, square, matrix), "a");
  lpot_value_id b = fixture_node(graph, LPOT_OP_GEMM, IDS(x, a), "b");
  lpot_value_id turned = fixture_node(graph, LPOT_OP_TRANSPOSE, IDS(a), "turned");
  lpot_value_id c = fixture_node(graph, LPOT_OP_GEMM, IDS(turned, square), "c");
  lpot_value_id d = fixture_node(graph, LPOT_OP_MATMUL, IDS(square, turned), "d");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, b), "transB", 1, &err));
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, c), "transA", 1, &err));
  CHECK(lpot_graph_add_output(graph, b, &err));
  CHECK(lpot_graph_add_output(graph, c, &err));
  fixture_finish(graph, d);
  fixture_model model = fixture_model_of(graph);
  assert_string_equal(reason_of(model.ops, "a_node"), "C is not a constant vector");
  assert_string_equal(reason_of(model.ops, "b_node"), "B is not a constant");
  assert_string_equal(reason_of(model.ops, "c_node"), "transA is set");
  assert_string_equal(reason_of(model.ops, "d_node"), "the left operand is constant");
  assert_int_equal(lpot_quant_ops_count(model.ops), 0);
  fixture_free(&model);
}

static void conv_transpose_and_three_dimensions_have_reasons(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id v = fixture_input(graph, "v", DIMS(1, 2, 4, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 3, 2, 2), 1);
  lpot_value_id w3 = fixture_constant(graph, "w3", DIMS(3, 2, 1, 1, 1), 2);
  lpot_value_id t = fixture_node(graph, LPOT_OP_CONV_TRANSPOSE, IDS(x, w), "t");
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(v, w3), "c");
  lpot_value_id p = fixture_node(graph, LPOT_OP_GLOBAL_AVERAGE_POOL, IDS(c), "p");
  CHECK(lpot_graph_add_output(graph, t, &err));
  fixture_finish(graph, p);
  fixture_model model = fixture_model_of(graph);
  assert_string_equal(reason_of(model.ops, "t_node"), "ONNX Runtime has no int8 ConvTranspose");
  assert_string_equal(reason_of(model.ops, "c_node"), "3-D convolution");
  assert_string_equal(reason_of(model.ops, "p_node"), "pooling over other than one or two axes");
  fixture_free(&model);
}

/* Shape arithmetic stays out; an operand that the batch size alone decides counts as constant. */
static void values_known_with_the_batch_size_are_constants(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_value_id shape = fixture_node(graph, LPOT_OP_SHAPE, IDS(x), "shape");
  lpot_value_id twice = fixture_node(graph, LPOT_OP_ADD, IDS(shape, shape), "twice");
  lpot_value_id halves = fixture_ints(graph, "halves", 2, (const int64_t[]){2, 2});
  lpot_value_id back = fixture_node(graph, LPOT_OP_DIV, IDS(twice, halves), "back");
  lpot_value_id zeros = fixture_node(graph, LPOT_OP_CONSTANT_OF_SHAPE, IDS(back), "zeros");
  lpot_value_id y = fixture_node(graph, LPOT_OP_CONCAT, IDS(x, zeros), "y");
  lpot_error err = {0};
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "axis", 1, &err));
  fixture_finish(graph, y);
  fixture_model model = fixture_model_of(graph);
  assert_int_equal(lpot_quant_ops_count(model.ops), 0);
  assert_string_equal(reason_of(model.ops, "y_node"), "one operand is constant");
  assert_int_equal(lpot_quant_ops_num_others(model.ops), 1);
  fixture_free(&model);
}

static void integers_are_not_f32(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_graph_set_value_type(graph, x, LPOT_S64, &lpot_graph_value(graph, x)->shape);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(x, x), "y"));
  lpot_graph *bound = NULL;
  lpot_quant_ops *ops = NULL;
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, &err));
  CHECK(lpot_quant_ops_new(graph, bound, &ops, &err));
  assert_string_equal(reason_of(ops, "y_node"), "not f32");
  lpot_quant_ops_free(ops);
  lpot_graph_free(bound);
  lpot_graph_free(graph);
}

static void rearranged_values_are_observed_at_their_source(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(small_network());
  bool observed[64];
  assert_true(lpot_graph_num_values(model.graph) <= 64);
  lpot_quant_ops_observed(model.ops, observed);
  static const char *const wanted[] = {"x", "r1", "c2", "k2", "sum", "pool", "y"};
  size_t count = 0;
  for (size_t i = 0; i < lpot_graph_num_values(model.graph); i++) {
    count += observed[i] ? 1 : 0;
  }
  assert_int_equal(count, sizeof wanted / sizeof wanted[0]);
  for (size_t i = 0; i < count; i++) {
    assert_true(observed[lpot_graph_find_value(model.graph, wanted[i])]);
  }
  assert_int_equal(
      lpot_quant_statistics_source(model.graph, lpot_graph_find_value(model.graph, "flat")),
      lpot_graph_find_value(model.graph, "pool"));
  fixture_free(&model);
}

static void running_out_of_memory_leaks_nothing(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = small_network();
  lpot_graph *bound = NULL;
  lpot_quant_ops *ops = NULL;
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, &err));
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t i = 1; status == LPOT_NO_MEMORY; i++) {
    lpot_memory_fail_after(i);
    status = lpot_quant_ops_new(graph, bound, &ops, &err);
    lpot_memory_fail_after(0);
  }
  assert_int_equal(status, LPOT_OK);
  lpot_quant_ops_free(ops);
  lpot_graph_free(bound);
  lpot_graph_free(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ops_are_found_in_order_with_their_activations),
      cmocka_unit_test(activation_behind_a_value_with_two_readers_is_not_taken),
      cmocka_unit_test(activation_behind_a_graph_output_is_not_taken),
      cmocka_unit_test(matmul_takes_the_bias_from_either_side_and_the_relu),
      cmocka_unit_test(add_of_a_constant_that_is_no_vector_is_no_bias),
      cmocka_unit_test(sums_that_a_softmax_reads_stay),
      cmocka_unit_test(reasons_are_told),
      cmocka_unit_test(conv_transpose_and_three_dimensions_have_reasons),
      cmocka_unit_test(values_known_with_the_batch_size_are_constants),
      cmocka_unit_test(integers_are_not_f32),
      cmocka_unit_test(rearranged_values_are_observed_at_their_source),
      cmocka_unit_test(running_out_of_memory_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
