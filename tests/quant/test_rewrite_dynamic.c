#include "quant/quant_fixture.h"

/* Dynamic quantization against a plain computation. */

static const lpot_op_config per_tensor = {
    .activation = {LPOT_U8, LPOT_SCHEME_ASYM, LPOT_PER_TENSOR, LPOT_MINMAX},
    .weight = {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_TENSOR, LPOT_MINMAX}};

/* Of fixture_model only graph, bound, ops and recipe: there is no calibration. */
static fixture_model dynamic_model_of(lpot_graph *graph) {
  lpot_error err = {0};
  fixture_model model = {.graph = graph};
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &model.bound, &err));
  CHECK(lpot_quant_ops_new_dynamic(graph, model.bound, &model.ops, &err));
  CHECK(lpot_recipe_new(lpot_quant_ops_count(model.ops), &model.recipe, &err));
  model.recipe->dynamic = true;
  return model;
}

/* ---- the plain computation ---- */

typedef struct product {
  int64_t rows, depth, columns;
  const float *x;    /* [rows, depth] */
  const float *w;    /* [depth, columns], or [columns, depth] when transposed */
  const float *bias; /* [columns] or NULL */
  bool transposed, per_channel;
  float alpha, beta;
} product;

static double weight_at(const product *p, int64_t row, int64_t column) {
  float value = p->transposed ? p->w[column * p->depth + row] : p->w[row * p->columns + column];
  return (double)(value * p->alpha);
}

static double weight_scale(const product *p, int64_t column) {
  double largest = 0;
  for (int64_t c = 0; c < p->columns; c++) {
    for (int64_t r = 0; r < p->depth && (!p->per_channel || c == column); r++) {
      largest = fmax(largest, fabs(weight_at(p, r, c)));
    }
  }
  return largest == 0 ? 1 : (double)((float)largest / 127);
}

static void input_params(const product *p, double *ret_scale, double *ret_zero) {
  float low = 0;
  float high = 0;
  for (int64_t i = 0; i < p->rows * p->depth; i++) {
    low = fminf(low, p->x[i]);
    high = fmaxf(high, p->x[i]);
  }
  float scale = high > low ? (high - low) / 255 : 1;
  *ret_scale = (double)scale;
  *ret_zero = (double)nearbyintf(-low / scale);
}

static double plain_at(const product *p, int64_t row, int64_t column) {
  double scale = 0;
  double zero = 0;
  double sum = 0;
  double scale_w = weight_scale(p, column);
  input_params(p, &scale, &zero);
  for (int64_t i = 0; i < p->depth; i++) {
    double steps = (double)nearbyintf(p->x[row * p->depth + i] / (float)scale) + zero;
    double x = fmin(fmax(steps, 0), 255) - zero;
    double w = (double)nearbyintf((float)(weight_at(p, i, column)) / (float)scale_w);
    sum += x * fmin(fmax(w, -127), 127);
  }
  double bias = p->bias == NULL ? 0 : (double)(p->bias[column] * p->beta);
  return sum * scale * scale_w + bias;
}

/* Runs the rewritten graph and compares its output, [rows, columns]. */
static void check_against_plain(const fixture_model *model, product *p) {
  lpot_graph *rewritten = fixture_rewrite(model);
  lpot_error err = {0};
  lpot_graph *bound = NULL;
  CHECK(lpot_graph_infer(rewritten, lpot_reference_run, &err));
  CHECK(lpot_graph_bind(rewritten, 2, lpot_reference_run, &bound, &err));
  fixture_run run = fixture_execute(bound, 1);
  const lpot_tensor *x = run.tensors[lpot_graph_input(bound, 0)];
  const lpot_tensor *y = run.tensors[lpot_graph_output(bound, 0)];
  p->x = x->data;
  p->rows = lpot_tensor_elements(x) / p->depth;
  assert_int_equal(lpot_tensor_elements(y), p->rows * p->columns);
  for (int64_t i = 0; i < p->rows * p->columns; i++) {
    double wanted = plain_at(p, i / p->columns, i % p->columns);
    double got = lpot_tensor_get_double(y, i);
    if (fabs(got - wanted) > 1e-5 * (1 + fabs(wanted))) {
      fail_msg("element %lld is %g, expected %g", (long long)i, got, wanted);
    }
  }
  fixture_release(&run);
  lpot_graph_free(bound);
  lpot_graph_free(rewritten);
}

/* ---- tests ---- */

static void matmul_gives_the_plain_result_on_many_shapes(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1}, {3, 5, 2}, {7, 16, 33}, {2, 64, 8}, {5, 3, 1}};
  for (size_t i = 0; i < 2 * sizeof shapes / sizeof shapes[0]; i++) {
    const int64_t *shape = shapes[i / 2];
    const bool per_channel = i % 2 == 0;
    float w[4096];
    product p = {.depth = shape[1], .columns = shape[2], .w = w, .alpha = 1};
    p.per_channel = per_channel;
    fixture_fill(w, p.depth * p.columns, (uint32_t)i);
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, shape[0], shape[1]));
    lpot_value_id weight = fixture_values(graph, "w", DIMS(shape[1], shape[2]), w);
    fixture_finish(graph, fixture_node(graph, LPOT_OP_MATMUL, IDS(x, weight), "y"));
    fixture_model model = dynamic_model_of(graph);
    fixture_set_all(&model, per_channel ? &fixture_u8 : &per_tensor);
    check_against_plain(&model, &p);
    fixture_free(&model);
  }
}

static void gemm_folds_transposition_alpha_and_beta(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    const bool transposed = i % 2 == 1;
    float w[6 * 5];
    float bias[5];
    product p = {.depth = 6, .columns = 5, .w = w, .bias = bias, .alpha = 0.5F, .beta = 3};
    lpot_error err = {0};
    p.transposed = transposed;
    p.per_channel = i < 2;
    fixture_fill(w, 30, 5);
    fixture_fill(bias, 5, 6);
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, 6));
    lpot_value_id weight = transposed ? fixture_values(graph, "w", DIMS(5, 6), w)
                                      : fixture_values(graph, "w", DIMS(6, 5), w);
    lpot_value_id c = fixture_values(graph, "c", DIMS(5), bias);
    lpot_value_id y = fixture_node(graph, LPOT_OP_GEMM, IDS(x, weight, c), "y");
    lpot_node_id gemm = fixture_producer(graph, y);
    CHECK(lpot_graph_set_int(graph, gemm, "transB", transposed ? 1 : 0, &err));
    CHECK(lpot_graph_set_float(graph, gemm, "alpha", p.alpha, &err));
    CHECK(lpot_graph_set_float(graph, gemm, "beta", p.beta, &err));
    fixture_finish(graph, y);
    fixture_model model = dynamic_model_of(graph);
    fixture_set_all(&model, p.per_channel ? &fixture_u8 : &per_tensor);
    check_against_plain(&model, &p);
    fixture_free(&model);
  }
}

/* Two MatMul that read x, the second behind its bias Add and Relu; a product of both results. */
static lpot_graph *branches(void) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(4, 4), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(4), 2);
  lpot_value_id left = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "left");
  lpot_value_id right = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "right");
  lpot_value_id biased = fixture_node(graph, LPOT_OP_ADD, IDS(right, b), "biased");
  lpot_value_id active = fixture_node(graph, LPOT_OP_RELU, IDS(biased), "active");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_MATMUL, IDS(left, active), "y"));
  return graph;
}

static void inputs_and_weights_are_quantized_once_for_all_readers(void **state) {
  (void)state;
  fixture_model model = dynamic_model_of(branches());
  assert_int_equal(lpot_quant_ops_count(model.ops), 2);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *rewritten = fixture_rewrite(&model);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR), 1);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_MATMUL_INTEGER), 2);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_MATMUL), 1);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_QUANTIZE_LINEAR), 0);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_RELU), 1);
  const lpot_node *left = fixture_reader(rewritten, "x_quantized", 0);
  const lpot_node *right = fixture_reader(rewritten, "x_quantized", 1);
  assert_int_equal(left->inputs[1], right->inputs[1]);
  assert_int_equal(left->num_inputs, 3); /* no zero points of the weights */
  lpot_graph_free(rewritten);

  model.recipe->ops[1] = (lpot_op_config){.activation.dtype = LPOT_F32, .weight.dtype = LPOT_F32};
  rewritten = fixture_rewrite(&model);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_MATMUL_INTEGER), 1);
  assert_int_equal(fixture_count(rewritten, LPOT_OP_MATMUL), 2);
  lpot_graph_free(rewritten);
  fixture_free(&model);
}

static void result_stays_near_f32_and_qoperator_form_is_the_same(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = dynamic_model_of(branches());
  lpot_graph *qoperator = NULL;
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *rewritten = fixture_rewrite(&model);
  CHECK(lpot_quant_to_qoperator(rewritten, &qoperator, &err));
  assert_int_equal(fixture_count(qoperator, LPOT_OP_MATMUL_INTEGER), 2);
  /* Shared tensors are the reference engine's: equal bits. */
  assert_true(fixture_difference(fixture_result(rewritten), fixture_result(qoperator)) == 0);
  assert_true(fixture_difference(fixture_result(rewritten), fixture_result(model.graph)) < 0.1);
  lpot_graph_free(qoperator);
  lpot_graph_free(rewritten);
  fixture_free(&model);
}

static void weights_are_cached_in_their_transposed_form(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_weight_cache *cache = NULL;
  lpot_graph *rewritten[2] = {NULL, NULL};
  CHECK(lpot_weight_cache_new(&cache, &err));
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 3), 1);
  lpot_value_id y = fixture_node(graph, LPOT_OP_GEMM, IDS(x, w), "y");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "transB", 1, &err));
  fixture_finish(graph, y);
  fixture_model model = dynamic_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  for (int i = 0; i < 2; i++) {
    CHECK(lpot_quant_rewrite(graph, model.ops, model.recipe, NULL, cache, &rewritten[i], &err));
  }
  const lpot_tensor *first = fixture_find(rewritten[0], "w_quantized")->constant;
  assert_ptr_equal(first, fixture_find(rewritten[1], "w_quantized")->constant);
  assert_int_equal(first->shape.dims[0], 3);
  lpot_graph_free(rewritten[0]);
  lpot_graph_free(rewritten[1]);
  lpot_weight_cache_free(cache);
  fixture_free(&model);
}

static void ops_that_stay_f32_say_why(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 3, 1, 1), 1);
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "c");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_MATMUL, IDS(c, x), "y"));
  fixture_model model = dynamic_model_of(graph);
  assert_int_equal(lpot_quant_ops_count(model.ops), 0);
  assert_int_equal(lpot_quant_ops_num_others(model.ops), 2);
  assert_string_equal(lpot_quant_ops_get_other(model.ops, 0)->reason,
                      "dynamic quantization is for MatMul and Gemm only");
  assert_string_equal(lpot_quant_ops_get_other(model.ops, 1)->reason,
                      "dynamic quantization needs a constant weight");
  fixture_free(&model);
}

static void recipes_of_the_other_approach_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *rewritten = NULL;
  fixture_model model = dynamic_model_of(branches());
  model.recipe->dynamic = false;
  CHECK_FAILS(
      lpot_quant_rewrite(model.graph, model.ops, model.recipe, NULL, NULL, &rewritten, &err),
      LPOT_INVALID, "is of static quantization, its ops are of dynamic");
  model.recipe->dynamic = true;
  fixture_set_all(&model, &fixture_s8);
  CHECK_FAILS(
      lpot_quant_rewrite(model.graph, model.ops, model.recipe, NULL, NULL, &rewritten, &err),
      LPOT_INVALID, "op 'left_node': dynamic quantization makes activations uint8");
  assert_null(rewritten);
  fixture_free(&model);
}

/* Every allocation fails once: an error, and nothing leaks. */
static void rewrite_survives_any_failed_allocation(void **state) {
  (void)state;
  fixture_model model = dynamic_model_of(branches());
  fixture_set_all(&model, &fixture_u8);
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t n = 1; status != LPOT_OK; n++) {
    lpot_error err = {0};
    lpot_graph *rewritten = NULL;
    lpot_memory_fail_after(n);
    status = lpot_quant_rewrite(model.graph, model.ops, model.recipe, NULL, NULL, &rewritten, &err);
    lpot_memory_fail_after(0);
    assert_true(status == LPOT_OK || status == LPOT_NO_MEMORY);
    lpot_graph_free(rewritten);
  }
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matmul_gives_the_plain_result_on_many_shapes),
      cmocka_unit_test(gemm_folds_transposition_alpha_and_beta),
      cmocka_unit_test(inputs_and_weights_are_quantized_once_for_all_readers),
      cmocka_unit_test(result_stays_near_f32_and_qoperator_form_is_the_same),
      cmocka_unit_test(weights_are_cached_in_their_transposed_form),
      cmocka_unit_test(ops_that_stay_f32_say_why),
      cmocka_unit_test(recipes_of_the_other_approach_are_refused),
      cmocka_unit_test(rewrite_survives_any_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
