/* Bias correction. The oracle: an op is linear, so with every input replaced by its channel's mean
 * the op with the rounded weight and the op with the f32 weight differ by just the shift. */
#include "quant/quant_fixture.h"

typedef struct bias_case {
  lpot_op op;
  int64_t group;   /* of Conv */
  bool transposed; /* Gemm's B */
  bool has_bias;   /* MatMul: an Add */
  int input_rank;
  int64_t input[4];
  int weight_rank;
  int64_t weight[4];
  int64_t outputs;
  const char *corrected; /* the constant that holds the corrected bias */
} bias_case;

static const bias_case cases[] = {
    {LPOT_OP_CONV, 2, false, true, 4, {1, 4, 3, 3}, 4, {6, 2, 2, 2}, 6, "b"},
    {LPOT_OP_CONV, 4, false, true, 4, {1, 4, 3, 3}, 4, {4, 1, 2, 2}, 4, "b"},
    {LPOT_OP_CONV, 1, false, false, 4, {1, 2, 3, 3}, 4, {3, 2, 1, 1}, 3, "y_node_bias"},
    {LPOT_OP_GEMM, 1, false, true, 2, {1, 5}, 2, {5, 3}, 3, "b"},
    {LPOT_OP_GEMM, 1, true, true, 2, {1, 5}, 2, {3, 5}, 3, "b"},
    {LPOT_OP_MATMUL, 1, false, true, 3, {1, 3, 5}, 2, {5, 4}, 4, "b_corrected"},
};

static void set_attributes(lpot_graph *graph, lpot_value_id output, const bias_case *test) {
  lpot_error err = {0};
  lpot_node_id node = fixture_producer(graph, output);
  if (test->op == LPOT_OP_CONV) {
    CHECK(lpot_graph_set_int(graph, node, "group", test->group, &err));
  }
  if (test->op == LPOT_OP_GEMM) {
    CHECK(lpot_graph_set_int(graph, node, "transB", test->transposed, &err));
    CHECK(lpot_graph_set_float(graph, node, "alpha", 0.5F, &err));
    CHECK(lpot_graph_set_float(graph, node, "beta", 2, &err));
  }
}

static lpot_graph *graph_of(const bias_case *test) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", test->input_rank, test->input);
  lpot_value_id w = fixture_constant(graph, "w", test->weight_rank, test->weight, 3);
  lpot_value_id b = LPOT_NONE;
  if (test->has_bias) {
    b = fixture_constant(graph, "b", 1, &test->outputs, 4);
  }
  if (test->op == LPOT_OP_MATMUL) {
    lpot_value_id y = fixture_node(graph, test->op, IDS(x, w), "y");
    fixture_finish(graph, test->has_bias ? fixture_node(graph, LPOT_OP_ADD, IDS(y, b), "z") : y);
    return graph;
  }
  const lpot_value_id inputs[] = {x, w, b};
  lpot_value_id y = fixture_node(graph, test->op, inputs, test->has_bias ? 3 : 2, "y");
  set_attributes(graph, y, test);
  fixture_finish(graph, y);
  return graph;
}

/* The inputs of the calibration, each channel replaced by its mean. */
static void flatten_channels(lpot_tensor *x, int axis) {
  int64_t inner = 1;
  for (int i = axis + 1; i < x->shape.rank; i++) {
    inner *= x->shape.dims[i];
  }
  float *values = x->data;
  int64_t channels = x->shape.dims[axis];
  int64_t count = lpot_tensor_elements(x);
  for (int64_t c = 0; c < channels; c++) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
      sum += i / inner % channels == c ? (double)values[i] : 0;
    }
    for (int64_t i = 0; i < count; i++) {
      values[i] =
          i / inner % channels == c ? (float)(sum * (double)channels / (double)count) : values[i];
    }
  }
}

/* Runs the op again on the mean inputs with these weights, times alpha inside already where
 * rounded. Writes one output for each channel. */
static void run_on_means(const fixture_model *model, const bias_case *test,
                         const lpot_tensor *weight, float factor, double *outputs) {
  fixture_run run = fixture_execute(model->bound, 1);
  const lpot_value *y = fixture_find(model->bound, "y");
  lpot_tensor *x = run.tensors[fixture_find(model->bound, "x")->id];
  flatten_channels(x, test->op == LPOT_OP_CONV ? 1 : test->input_rank - 1);
  lpot_tensor **slot = &run.tensors[fixture_find(model->bound, "w")->id];
  lpot_tensor_unref(*slot);
  *slot = lpot_tensor_ref((lpot_tensor *)weight);
  lpot_tensor_unref(run.tensors[y->id]);
  run.tensors[y->id] = NULL;
  fixture_run_node(&run, model->bound, lpot_graph_node(model->bound, y->producer));
  const lpot_tensor *out = run.tensors[y->id];
  int64_t step = 1;
  for (int i = 2; i < out->shape.rank && test->op == LPOT_OP_CONV; i++) {
    step *= out->shape.dims[i];
  }
  for (int64_t i = 0; i < test->outputs; i++) {
    outputs[i] = lpot_tensor_get_double(out, i * step) * (double)factor;
  }
  fixture_release(&run);
}

/* The value that a DequantizeLinear makes of "<name>_quantized". */
static lpot_tensor *dequantized(const lpot_graph *qdq, const char *name, int64_t inner) {
  char full[64];
  lpot_error err = {0};
  snprintf(full, sizeof full, "%s_quantized", name);
  const lpot_tensor *quantized = fixture_find(qdq, full)->constant;
  snprintf(full, sizeof full, "%s_scale", name);
  const lpot_tensor *scale = fixture_find(qdq, full)->constant;
  lpot_tensor *tensor = NULL;
  CHECK(lpot_tensor_new(LPOT_F32, &quantized->shape, &tensor, &err));
  int64_t num_scales = lpot_tensor_elements(scale);
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    ((float *)tensor->data)[i] =
        (float)(lpot_tensor_get_double(quantized, i) *
                lpot_tensor_get_double(scale, num_scales == 1 ? 0 : i / inner % num_scales));
  }
  return tensor;
}

static void check_case(const bias_case *test, const lpot_op_config *config) {
  double rounded[8];
  double exact[8];
  fixture_model model = fixture_model_of(graph_of(test));
  fixture_set_all(&model, config);
  model.recipe->corrections.bias_correction = true;
  lpot_graph *qdq = fixture_rewrite(&model);
  int64_t inner = 1;
  bool by_rows = test->op == LPOT_OP_CONV || test->transposed;
  for (int i = 1; i < test->weight_rank && by_rows; i++) {
    inner *= test->weight[i];
  }
  lpot_tensor *weight = dequantized(qdq, "w", inner);
  float alpha = test->op == LPOT_OP_GEMM ? 0.5F : 1; /* the rounded weight holds it */
  float beta = test->op == LPOT_OP_GEMM ? 2 : 1;
  const lpot_tensor *plain = fixture_find(model.graph, "w")->constant;
  run_on_means(&model, test, weight, 1 / alpha, rounded);
  run_on_means(&model, test, plain, 1, exact);
  bool is_matmul = test->op == LPOT_OP_MATMUL;
  lpot_tensor *bias = is_matmul ? lpot_tensor_ref(fixture_find(qdq, test->corrected)->constant)
                                : dequantized(qdq, test->corrected, 1);
  double largest = 0;
  for (int64_t i = 0; i < test->outputs; i++) {
    double before =
        test->has_bias ? lpot_tensor_get_double(fixture_find(model.graph, "b")->constant, i) : 0;
    double moved = (double)beta * before - lpot_tensor_get_double(bias, i);
    double bias_part = test->has_bias && test->op == LPOT_OP_GEMM ? (double)beta * before : before;
    bias_part = is_matmul ? 0 : bias_part;
    /* Both runs have the f32 bias in them; the factor has been put on it too. */
    double shift = (rounded[i] - bias_part / (double)alpha) - (exact[i] - bias_part);
    assert_true(fabs(moved - shift) < 3e-5);
    largest = fmax(largest, fabs(shift));
  }
  assert_true(largest > 2e-4);
  lpot_tensor_unref(bias);
  lpot_tensor_unref(weight);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void the_mean_error_of_the_weight_is_taken_off(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    check_case(&cases[i], &fixture_u8);
    check_case(&cases[i], &fixture_s8);
  }
}

/* Nothing moves where the recipe does not ask for it, nor where there is no place for it. */
static void other_biases_stay(void **state) {
  (void)state;
  bias_case test = cases[0];
  fixture_model model = fixture_model_of(graph_of(&test));
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  lpot_tensor *bias = dequantized(qdq, "b", 1);
  for (int64_t i = 0; i < test.outputs; i++) {
    double before = lpot_tensor_get_double(fixture_find(model.graph, "b")->constant, i);
    assert_true(fabs(lpot_tensor_get_double(bias, i) - before) < 3e-5);
  }
  lpot_tensor_unref(bias);
  lpot_graph_free(qdq);
  fixture_free(&model);
  test = cases[5];
  test.has_bias = false;
  model = fixture_model_of(graph_of(&test));
  fixture_set_all(&model, &fixture_u8);
  qdq = fixture_rewrite(&model);
  size_t num_nodes = lpot_graph_num_nodes(qdq);
  lpot_graph_free(qdq);
  model.recipe->corrections.bias_correction = true;
  qdq = fixture_rewrite(&model);
  assert_int_equal(lpot_graph_num_nodes(qdq), num_nodes);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void cached_weights_give_the_same_bias(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_weight_cache *cache = NULL;
  lpot_tensor *biases[3] = {NULL};
  CHECK(lpot_weight_cache_new(&cache, &err));
  fixture_model model = fixture_model_of(graph_of(&cases[0]));
  fixture_set_all(&model, &fixture_u8);
  model.recipe->corrections.bias_correction = true;
  for (int i = 0; i < 3; i++) {
    lpot_graph *qdq = NULL;
    CHECK(lpot_quant_rewrite(model.graph, model.ops, model.recipe, model.calibration,
                             i == 0 ? NULL : cache, &qdq, &err));
    biases[i] = lpot_tensor_ref(fixture_find(qdq, "b_quantized")->constant);
    assert_memory_equal(biases[i]->data, biases[0]->data, biases[0]->size_bytes);
    lpot_graph_free(qdq);
  }
  for (int i = 0; i < 3; i++) {
    lpot_tensor_unref(biases[i]);
  }
  lpot_weight_cache_free(cache);
  fixture_free(&model);
}

static void channels_that_were_not_watched_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *qdq = NULL;
  fixture_model model = fixture_model_of(graph_of(&cases[0]));
  size_t count = lpot_graph_num_values(model.graph);
  bool *observed = lpot_calloc(count, sizeof *observed);
  lpot_quant_ops_observed(model.ops, observed);
  lpot_calibration *plain = NULL;
  CHECK(lpot_calibration_new(observed, count, &plain, &err));
  fixture_set_all(&model, &fixture_u8);
  model.recipe->corrections.bias_correction = true;
  CHECK_FAILS(lpot_quant_rewrite(model.graph, model.ops, model.recipe, plain, NULL, &qdq, &err),
              LPOT_INVALID, "calibration did not observe the channels of 'x'");
  assert_null(qdq);
  lpot_calibration_free(plain);
  lpot_free(observed);
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_mean_error_of_the_weight_is_taken_off),
      cmocka_unit_test(other_biases_stay),
      cmocka_unit_test(cached_weights_give_the_same_bias),
      cmocka_unit_test(channels_that_were_not_watched_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
