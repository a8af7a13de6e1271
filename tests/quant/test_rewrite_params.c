#include "quant/quant_fixture.h"

/* Which tensors get pairs, and whose settings and ranges they take. */

static lpot_value_id conv(lpot_graph *graph, lpot_value_id x, const char *weight, uint32_t seed,
                          const char *output) {
  lpot_value_id w = fixture_constant(graph, weight, DIMS(2, 2, 1, 1), seed);
  return fixture_node(graph, LPOT_OP_CONV, IDS(x, w), output);
}

static void first_int8_reader_decides(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id b = conv(graph, a, "wb", 2, "b");
  CHECK(lpot_graph_add_output(graph, conv(graph, a, "wc", 3, "c"), &err));
  fixture_finish(graph, b);
  fixture_model model = fixture_model_of(graph);
  fixture_set(&model, 0, &fixture_s8);
  fixture_set(&model, 1, &fixture_u8);
  fixture_set(&model, 2, &fixture_s8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_find(qdq, "x_quantized")->dtype, LPOT_S8);
  assert_int_equal(fixture_find(qdq, "a_quantized")->dtype, LPOT_U8);
  assert_int_equal(fixture_find(qdq, "c_quantized")->dtype, LPOT_S8);
  assert_int_equal(fixture_count(qdq, LPOT_OP_QUANTIZE_LINEAR), 4);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void f32_reader_reads_the_original_only_if_the_producer_is_f32(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id b = fixture_node(graph, LPOT_OP_SIGMOID, IDS(x), "b");
  lpot_value_id c = fixture_node(graph, LPOT_OP_SIGMOID, IDS(a), "c");
  CHECK(lpot_graph_add_output(graph, b, &err));
  fixture_finish(graph, c);
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  const lpot_node *reads_input = lpot_graph_node(qdq, fixture_find(qdq, "b")->producer);
  const lpot_node *reads_int8 = lpot_graph_node(qdq, fixture_find(qdq, "c")->producer);
  assert_int_equal(reads_input->inputs[0], fixture_find(qdq, "x")->id);
  assert_int_equal(reads_int8->inputs[0], fixture_find(qdq, "a_dequantized")->id);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void int8_goes_through_transparent_nodes_with_one_scale(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id m = fixture_node(graph, LPOT_OP_MAX_POOL, IDS(a), "m");
  lpot_value_id t = fixture_node(graph, LPOT_OP_TRANSPOSE, IDS(m), "t");
  const int64_t two[] = {2, 2};
  const int64_t turned[] = {0, 1, 3, 2};
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, m), "kernel_shape", two, 2, &err));
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, t), "perm", turned, 4, &err));
  fixture_finish(graph, conv(graph, t, "wb", 2, "b"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_count(qdq, LPOT_OP_QUANTIZE_LINEAR), 5);
  assert_true(fixture_number(qdq, "a_scale") == fixture_number(qdq, "m_scale"));
  assert_true(fixture_number(qdq, "a_scale") == fixture_number(qdq, "t_scale"));
  assert_true(fixture_number(qdq, "a_zero_point") == fixture_number(qdq, "t_zero_point"));
  assert_int_equal(fixture_reader(qdq, "a_dequantized", 0)->op, LPOT_OP_MAX_POOL);
  assert_int_equal(fixture_reader(qdq, "m_dequantized", 0)->op, LPOT_OP_TRANSPOSE);
  /* The range is the union: that of the Conv's output, not the narrower one behind MaxPool. */
  const lpot_histogram *seen = lpot_calibration_histogram(model.calibration, a);
  double range = (double)seen->maximum - (double)seen->minimum;
  assert_true(fabs(fixture_number(qdq, "a_scale") / (range / 255) - 1) < 1e-6);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void f32_tensor_is_quantized_as_late_as_possible(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id s = fixture_node(graph, LPOT_OP_SIGMOID, IDS(x), "s");
  lpot_value_id t = fixture_node(graph, LPOT_OP_TRANSPOSE, IDS(s), "t");
  lpot_error err = {0};
  const int64_t turned[] = {0, 1, 3, 2};
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, t), "perm", turned, 4, &err));
  fixture_finish(graph, conv(graph, t, "wa", 2, "a"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_count(qdq, LPOT_OP_QUANTIZE_LINEAR), 2);
  assert_int_equal(lpot_graph_find_value(qdq, "s_quantized"), LPOT_NONE);
  fixture_find(qdq, "t_quantized");
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void transparent_node_that_no_int8_op_reads_stays_f32(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id f = fixture_node(graph, LPOT_OP_FLATTEN, IDS(a), "f");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_SOFTMAX, IDS(f), "p"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(lpot_graph_find_value(qdq, "f_quantized"), LPOT_NONE);
  assert_int_equal(fixture_reader(qdq, "a_dequantized", 0)->op, LPOT_OP_FLATTEN);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static lpot_graph *concat_network(void) {
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id wide = fixture_values(graph, "ww", DIMS(2, 2, 1, 1), (const float[]){9, 8, 7, 6});
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id b = fixture_node(graph, LPOT_OP_CONV, IDS(x, wide), "b");
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONCAT, IDS(a, b), "c");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, c), "axis", 1, &err));
  fixture_finish(graph, c);
  return graph;
}

static void concat_shares_one_scale_if_the_recipe_says_so(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(concat_network());
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *apart = fixture_rewrite(&model);
  model.recipe->scale_propagation_concat = true;
  lpot_graph *shared = fixture_rewrite(&model);
  double wide = fixture_number(apart, "b_scale");
  assert_true(fixture_number(apart, "a_scale") < wide / 2);
  assert_true(fixture_number(shared, "a_scale") == wide);
  assert_true(fixture_number(shared, "b_scale") == wide);
  assert_true(fixture_number(shared, "c_scale") == wide);
  lpot_graph_free(shared);
  lpot_graph_free(apart);
  fixture_free(&model);
}

static void f32_concat_ties_nothing(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(concat_network());
  fixture_set(&model, 0, &fixture_u8);
  fixture_set(&model, 1, &fixture_u8);
  model.recipe->scale_propagation_concat = true;
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_true(fixture_number(qdq, "a_scale") != fixture_number(qdq, "b_scale"));
  assert_int_equal(lpot_graph_find_value(qdq, "c_quantized"), LPOT_NONE);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void all_outputs_of_a_split_get_pairs(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  const lpot_shape unknown = lpot_shape_unknown();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 4));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id halves[2];
  lpot_node_id split = LPOT_NONE;
  CHECK(lpot_graph_add_value(graph, "p", LPOT_DTYPE_UNKNOWN, &unknown, &halves[0], &err));
  CHECK(lpot_graph_add_value(graph, "q", LPOT_DTYPE_UNKNOWN, &unknown, &halves[1], &err));
  CHECK(lpot_graph_add_node(graph, LPOT_OP_SPLIT, "split", &a, 1, halves, 2, &split, &err));
  CHECK(lpot_graph_set_int(graph, split, "axis", 3, &err));
  CHECK(lpot_graph_add_output(graph, fixture_node(graph, LPOT_OP_SIGMOID, IDS(halves[1]), "s"),
                              &err));
  fixture_finish(graph, conv(graph, halves[0], "wb", 2, "b"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_true(fixture_number(qdq, "p_scale") == fixture_number(qdq, "a_scale"));
  assert_true(fixture_number(qdq, "q_scale") == fixture_number(qdq, "a_scale"));
  assert_int_equal(fixture_reader(qdq, "q_dequantized", 0)->op, LPOT_OP_SIGMOID);
  lpot_graph *qoperator = NULL;
  CHECK(lpot_quant_to_qoperator(qdq, &qoperator, &err));
  assert_int_equal(fixture_find(qoperator, "q_quantized")->producer, split);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(qoperator)) < 1e-6);
  lpot_graph_free(qoperator);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void gather_hands_int8_on(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 4));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id at = fixture_ints(graph, "at", 2, (const int64_t[]){2, 0});
  lpot_value_id part = fixture_node(graph, LPOT_OP_GATHER, IDS(a, at), "part");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, part), "axis", 2, &err));
  fixture_finish(graph, conv(graph, part, "wb", 2, "b"));
  fixture_model model = fixture_model_of(graph);
  bool observed[64];
  lpot_quant_ops_observed(model.ops, observed);
  assert_true(observed[part]);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_true(fixture_number(qdq, "part_scale") == fixture_number(qdq, "a_scale"));
  lpot_graph *qoperator = NULL;
  CHECK(lpot_quant_to_qoperator(qdq, &qoperator, &err));
  assert_int_equal(
      lpot_graph_node(qoperator, fixture_find(qoperator, "part_quantized")->producer)->op,
      LPOT_OP_GATHER);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(qoperator)) < 1e-6);
  lpot_graph_free(qoperator);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void indices_of_max_pool_stay_integers(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  const lpot_shape unknown = lpot_shape_unknown();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 4));
  lpot_value_id a = conv(graph, x, "wa", 1, "a");
  lpot_value_id outputs[2];
  lpot_node_id pool = LPOT_NONE;
  CHECK(lpot_graph_add_value(graph, "p", LPOT_DTYPE_UNKNOWN, &unknown, &outputs[0], &err));
  CHECK(lpot_graph_add_value(graph, "places", LPOT_DTYPE_UNKNOWN, &unknown, &outputs[1], &err));
  CHECK(lpot_graph_add_node(graph, LPOT_OP_MAX_POOL, "pool", &a, 1, outputs, 2, &pool, &err));
  CHECK(lpot_graph_set_ints(graph, pool, "kernel_shape", (const int64_t[]){1, 1}, 2, &err));
  CHECK(lpot_graph_add_output(graph, outputs[1], &err));
  fixture_finish(graph, conv(graph, outputs[0], "wb", 2, "b"));
  fixture_model model = fixture_model_of(graph);
  bool observed[64];
  lpot_quant_ops_observed(model.ops, observed);
  assert_true(observed[outputs[0]]);
  assert_false(observed[outputs[1]]);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_true(fixture_number(qdq, "p_scale") == fixture_number(qdq, "a_scale"));
  assert_int_equal(lpot_graph_find_value(qdq, "places_scale"), LPOT_NONE);
  lpot_graph *qoperator = NULL;
  CHECK(lpot_quant_to_qoperator(qdq, &qoperator, &err));
  lpot_graph_free(qoperator);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void range_of_zeros_or_denormals_gives_a_usable_scale(void **state) {
  (void)state;
  static const float sizes[] = {0, 1e-42F, 1e-38F, 3e37F};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
    float w = sizes[i];
    lpot_value_id weight = fixture_values(graph, "w", DIMS(2, 2, 1, 1), (float[]){w, w, w, -w});
    fixture_finish(graph, fixture_node(graph, LPOT_OP_CONV, IDS(x, weight), "y"));
    fixture_model model = fixture_model_of(graph);
    fixture_set_all(&model, &fixture_u8);
    lpot_graph *qdq = fixture_rewrite(&model);
    assert_true(isnormal((float)fixture_number(qdq, "y_scale")));
    assert_true(isnormal((float)fixture_number(qdq, "w_scale")));
    lpot_graph_free(qdq);
    fixture_free(&model);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_int8_reader_decides),
      cmocka_unit_test(f32_reader_reads_the_original_only_if_the_producer_is_f32),
      cmocka_unit_test(int8_goes_through_transparent_nodes_with_one_scale),
      cmocka_unit_test(f32_tensor_is_quantized_as_late_as_possible),
      cmocka_unit_test(transparent_node_that_no_int8_op_reads_stays_f32),
      cmocka_unit_test(concat_shares_one_scale_if_the_recipe_says_so),
      cmocka_unit_test(f32_concat_ties_nothing),
      cmocka_unit_test(all_outputs_of_a_split_get_pairs),
      cmocka_unit_test(gather_hands_int8_on),
      cmocka_unit_test(indices_of_max_pool_stay_integers),
      cmocka_unit_test(range_of_zeros_or_denormals_gives_a_usable_scale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
