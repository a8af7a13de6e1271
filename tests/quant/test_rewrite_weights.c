#include "quant/quant_fixture.h"

/* Weights and biases. */

static lpot_graph *convolution(const float *weights, const float *biases) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id w = fixture_values(graph, "w", DIMS(2, 2, 1, 1), weights);
  lpot_value_id b = fixture_values(graph, "b", DIMS(2), biases);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_CONV, IDS(x, w, b), "y"));
  return graph;
}

static void check_ints(const lpot_graph *graph, const char *name, int64_t count,
                       const int64_t *wanted) {
  const lpot_tensor *tensor = fixture_find(graph, name)->constant;
  assert_int_equal(lpot_tensor_elements(tensor), count);
  for (int64_t i = 0; i < count; i++) {
    if (lpot_tensor_get_int(tensor, i) != wanted[i]) {
      fail_msg("element %lld of '%s' is %lld, expected %lld", (long long)i, name,
               (long long)lpot_tensor_get_int(tensor, i), (long long)wanted[i]);
    }
  }
}

static void weights_are_scaled_by_channel_or_as_a_whole(void **state) {
  (void)state;
  fixture_model model =
      fixture_model_of(convolution((const float[]){12.7F, -6.35F, 0, 0}, (const float[]){0, 0}));
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  const lpot_tensor *scale = fixture_find(qdq, "w_scale")->constant;
  assert_int_equal(scale->shape.rank, 1);
  assert_true(fabs(lpot_tensor_get_double(scale, 0) - 0.1) < 1e-7);
  assert_true(lpot_tensor_get_double(scale, 1) == 1); /* the channel is all zero */
  check_ints(qdq, "w_quantized", 4, (const int64_t[]){127, -64, 0, 0});
  check_ints(qdq, "w_zero_point", 2, (const int64_t[]){0, 0});
  const lpot_node *dequantize = lpot_graph_node(qdq, fixture_find(qdq, "w_dequantized")->producer);
  assert_int_equal(lpot_node_int(dequantize, "axis", 7), 0);
  lpot_graph_free(qdq);

  model.recipe->ops[0].weight.granularity = LPOT_PER_TENSOR;
  qdq = fixture_rewrite(&model);
  scale = fixture_find(qdq, "w_scale")->constant;
  assert_int_equal(scale->shape.rank, 0);
  assert_int_equal(fixture_find(qdq, "b_scale")->constant->shape.rank, 0);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void bias_is_s32_of_the_product_of_the_scales(void **state) {
  (void)state;
  const float biases[] = {0.5F, -3};
  fixture_model model =
      fixture_model_of(convolution((const float[]){12.7F, -6.35F, 1.27F, 0}, biases));
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  double input_scale = fixture_number(qdq, "x_scale");
  for (int i = 0; i < 2; i++) {
    double scale = lpot_tensor_get_double(fixture_find(qdq, "b_scale")->constant, i);
    double weight_scale = lpot_tensor_get_double(fixture_find(qdq, "w_scale")->constant, i);
    int64_t steps = lpot_tensor_get_int(fixture_find(qdq, "b_quantized")->constant, i);
    assert_true(fabs(scale / (input_scale * weight_scale) - 1) < 1e-6);
    assert_true(fabs((double)steps * scale - (double)biases[i]) <= scale / 2 * 1.0001);
  }
  assert_int_equal(fixture_find(qdq, "b_quantized")->dtype, LPOT_S32);
  assert_int_equal(fixture_find(qdq, "b_zero_point")->dtype, LPOT_S32);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void large_bias_widens_the_weight_scale_of_its_channel_only(void **state) {
  (void)state;
  fixture_model model =
      fixture_model_of(convolution((const float[]){1e-9F, 0, 12.7F, 0}, (const float[]){500, 1}));
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  const lpot_tensor *scales = fixture_find(qdq, "w_scale")->constant;
  const lpot_tensor *bias = fixture_find(qdq, "b_quantized")->constant;
  double bias_scale = lpot_tensor_get_double(fixture_find(qdq, "b_scale")->constant, 0);
  assert_true(lpot_tensor_get_double(scales, 0) > 1e-6);
  assert_true(fabs(lpot_tensor_get_double(scales, 1) - 0.1) < 1e-7);
  assert_true(llabs(lpot_tensor_get_int(bias, 0)) <= 1073741900);
  assert_true(fabs((double)lpot_tensor_get_int(bias, 0) * bias_scale - 500) < 1e-3);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 4);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void weights_and_biases_that_are_not_finite_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *qdq = NULL;
  const float good[] = {1, 2, 3, 4};
  fixture_model model = fixture_model_of(convolution(good, good));
  lpot_graph *graphs[2] = {convolution((const float[]){1, 2, NAN, 4}, good),
                           convolution(good, (const float[]){INFINITY, 0})};
  static const char *const messages[] = {"op 'y_node': its weight holds NaN",
                                         "op 'y_node': its bias holds NaN"};
  fixture_set_all(&model, &fixture_u8);
  for (int i = 0; i < 2; i++) {
    CHECK_FAILS(
        lpot_quant_rewrite(graphs[i], model.ops, model.recipe, model.calibration, NULL, &qdq, &err),
        LPOT_INVALID, messages[i]);
    lpot_graph_free(graphs[i]);
  }
  assert_null(qdq);
  fixture_free(&model);
}

static void weights_are_quantized_once_for_many_recipes(void **state) {
  (void)state;
  lpot_error err = {0};
  const float good[] = {1, -2, 3, 4};
  lpot_weight_cache *cache = NULL;
  CHECK(lpot_weight_cache_new(&cache, &err));
  fixture_model model = fixture_model_of(convolution(good, (const float[]){1, -1}));
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *plain = fixture_rewrite(&model);
  lpot_graph *cached[2] = {NULL, NULL};
  for (int i = 0; i < 2; i++) {
    CHECK(lpot_quant_rewrite(model.graph, model.ops, model.recipe, model.calibration, cache,
                             &cached[i], &err));
  }
  const lpot_tensor *tensors[3] = {fixture_find(plain, "w_quantized")->constant,
                                   fixture_find(cached[0], "w_quantized")->constant,
                                   fixture_find(cached[1], "w_quantized")->constant};
  assert_ptr_equal(tensors[1], tensors[2]);
  assert_memory_equal(tensors[0]->data, tensors[1]->data, tensors[0]->size_bytes);
  lpot_graph_free(plain);
  lpot_graph_free(cached[0]);
  lpot_graph_free(cached[1]);
  fixture_free(&model);
  lpot_weight_cache_free(cache);
}

static int largest_step(const lpot_graph *qdq) {
  const lpot_tensor *weight = fixture_find(qdq, "w_quantized")->constant;
  const int8_t *values = weight->data;
  int largest = 0;
  for (int64_t i = 0; i < lpot_tensor_elements(weight); i++) {
    largest = abs(values[i]) > largest ? abs(values[i]) : largest;
  }
  return largest;
}

/* All three of one cache, which tells the forms apart. */
static void reduced_range_is_for_weights_beside_u8(void **state) {
  (void)state;
  const struct {
    const lpot_op_config *config;
    bool reduce_range;
    int largest;
  } cases[] = {{&fixture_u8, false, 127}, {&fixture_u8, true, 63}, {&fixture_s8, true, 127}};
  lpot_error err = {0};
  lpot_weight_cache *cache = NULL;
  CHECK(lpot_weight_cache_new(&cache, &err));
  fixture_model model =
      fixture_model_of(convolution((const float[]){1, -2, 3, 4}, (const float[]){1, -1}));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_graph *qdq = NULL;
    fixture_set_all(&model, cases[i].config);
    model.recipe->reduce_range = cases[i].reduce_range;
    CHECK(lpot_quant_rewrite(model.graph, model.ops, model.recipe, model.calibration, cache, &qdq,
                             &err));
    assert_int_equal(largest_step(qdq), cases[i].largest);
    assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.2);
    lpot_graph_free(qdq);
  }
  fixture_free(&model);
  lpot_weight_cache_free(cache);
}

/* What a bias has widened is of one recipe and is not kept. */
static void widened_weights_are_not_kept(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_weight_cache *cache = NULL;
  lpot_graph *qdq = NULL;
  lpot_cached_weight form;
  CHECK(lpot_weight_cache_new(&cache, &err));
  fixture_model model =
      fixture_model_of(convolution((const float[]){1e-9F, 0, 12.7F, 0}, (const float[]){500, 1}));
  fixture_set_all(&model, &fixture_u8);
  CHECK(lpot_quant_rewrite(model.graph, model.ops, model.recipe, model.calibration, cache, &qdq,
                           &err));
  const lpot_quant_op *op = lpot_quant_ops_get(model.ops, 0);
  const lpot_weight_key key = {.weight = op->weight, .axis = op->weight_axis, .factor = 1};
  assert_false(lpot_weight_cache_get(cache, &key, &form));
  lpot_graph_free(qdq);
  fixture_free(&model);
  lpot_weight_cache_free(cache);
}

static lpot_graph *scaled_gemm(int transposed) {
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_value_id w = transposed ? fixture_constant(graph, "w", DIMS(4, 3), 1)
                               : fixture_constant(graph, "w", DIMS(3, 4), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(1, 4), 2);
  lpot_value_id y = fixture_node(graph, LPOT_OP_GEMM, IDS(x, w, b), "y");
  CHECK(lpot_graph_set_float(graph, fixture_producer(graph, y), "alpha", 0.5F, &err));
  CHECK(lpot_graph_set_float(graph, fixture_producer(graph, y), "beta", -2, &err));
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "transB", transposed, &err));
  fixture_finish(graph, y);
  return graph;
}

static void factors_of_gemm_go_into_the_constants(void **state) {
  (void)state;
  lpot_error err = {0};
  for (int transposed = 0; transposed < 2; transposed++) {
    fixture_model model = fixture_model_of(scaled_gemm(transposed));
    fixture_set_all(&model, &fixture_u8);
    lpot_graph *qdq = fixture_rewrite(&model);
    lpot_graph *qoperator = NULL;
    CHECK(lpot_quant_to_qoperator(qdq, &qoperator, &err));
    const lpot_node *gemm = lpot_graph_node(qdq, lpot_graph_find_node(qdq, "y_node"));
    assert_true(lpot_node_float(gemm, "alpha", 0) == 1 && lpot_node_float(gemm, "beta", 0) == 1);
    assert_int_equal(fixture_find(qdq, "w_scale")->constant->shape.dims[0], 4);
    assert_int_equal(fixture_find(qdq, "b_quantized")->constant->shape.rank, 1);
    assert_int_equal(fixture_count(qoperator, LPOT_OP_QGEMM), 1);
    assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.05);
    assert_true(fixture_difference(fixture_result(qdq), fixture_result(qoperator)) < 0.03);
    lpot_graph_free(qoperator);
    lpot_graph_free(qdq);
    fixture_free(&model);
  }
}

static void shared_weight_is_quantized_once_per_setting(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 2, 1, 1), 1);
  lpot_value_id a = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "a");
  lpot_value_id b = fixture_node(graph, LPOT_OP_CONV, IDS(a, w), "b");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_CONV, IDS(b, w), "c"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  /* Four activations and one weight. */
  assert_int_equal(fixture_count(qdq, LPOT_OP_DEQUANTIZE_LINEAR), 5);
  lpot_graph_free(qdq);
  model.recipe->ops[1].weight.granularity = LPOT_PER_TENSOR;
  qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_count(qdq, LPOT_OP_DEQUANTIZE_LINEAR), 6);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.05);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_scaled_by_channel_or_as_a_whole),
      cmocka_unit_test(bias_is_s32_of_the_product_of_the_scales),
      cmocka_unit_test(large_bias_widens_the_weight_scale_of_its_channel_only),
      cmocka_unit_test(weights_are_quantized_once_for_many_recipes),
      cmocka_unit_test(reduced_range_is_for_weights_beside_u8),
      cmocka_unit_test(widened_weights_are_not_kept),
      cmocka_unit_test(weights_and_biases_that_are_not_finite_are_refused),
      cmocka_unit_test(factors_of_gemm_go_into_the_constants),
      cmocka_unit_test(shared_weight_is_quantized_once_per_setting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
