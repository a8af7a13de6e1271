#include "quant/equalize.h"

#include "quant/quant_fixture.h"

/* x [n, 2, 4, 4] -> Conv first -> `between` -> Conv second -> y; both are 1x1, of 2 channels each
 * and with a bias. */
static const float first_weight[] = {1, -0.5F, 8, 4}; /* ranges of outputs: 1, 8 */
static const float first_bias[] = {0.25F, -3};
static const float second_weight[] = {16, 0.5F, -4, 0.125F}; /* ranges of inputs: 16, 0.5 */

typedef lpot_value_id (*between_function)(lpot_graph *graph, lpot_value_id value);

static lpot_value_id conv(lpot_graph *graph, lpot_value_id x, lpot_value_id weight,
                          const float *bias, const char *output) {
  char name[32];
  snprintf(name, sizeof name, "%s_b", output);
  lpot_value_id b = fixture_values(graph, name, DIMS(2), bias);
  return fixture_node(graph, LPOT_OP_CONV, IDS(x, weight, b), output);
}

static lpot_graph *two_convs(between_function between) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_values(graph, "w1", DIMS(2, 2, 1, 1), first_weight);
  lpot_value_id w2 = fixture_values(graph, "w2", DIMS(2, 2, 1, 1), second_weight);
  lpot_value_id a = conv(graph, x, w1, first_bias, "a");
  lpot_value_id y = conv(graph, between(graph, a), w2, first_bias, "y");
  fixture_finish(graph, y);
  return graph;
}

static lpot_value_id nothing(lpot_graph *graph, lpot_value_id value) {
  (void)graph;
  return value;
}

static lpot_value_id relu(lpot_graph *graph, lpot_value_id value) {
  return fixture_node(graph, LPOT_OP_RELU, IDS(value), "r");
}

static lpot_value_id pooled(lpot_graph *graph, lpot_value_id value) {
  lpot_error err = {0};
  const int64_t kernel[] = {2, 2};
  lpot_value_id r = relu(graph, value);
  lpot_value_id m = fixture_node(graph, LPOT_OP_MAX_POOL, IDS(r), "m");
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, m), "kernel_shape", kernel, 2, &err));
  lpot_value_id p = fixture_node(graph, LPOT_OP_AVERAGE_POOL, IDS(m), "p");
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, p), "kernel_shape", kernel, 2, &err));
  return fixture_node(graph, LPOT_OP_GLOBAL_AVERAGE_POOL, IDS(p), "g");
}

static lpot_value_id clipped(lpot_graph *graph, lpot_value_id value) {
  const float zero = 0;
  const float six = 6;
  lpot_value_id low = fixture_values(graph, "low", 0, NULL, &zero);
  lpot_value_id high = fixture_values(graph, "high", 0, NULL, &six);
  return fixture_node(graph, LPOT_OP_CLIP, IDS(value, low, high), "c");
}

static lpot_value_id residual(lpot_graph *graph, lpot_value_id value) {
  return fixture_node(graph, LPOT_OP_ADD, IDS(value, lpot_graph_input(graph, 0)), "s");
}

static lpot_value_id joined(lpot_graph *graph, lpot_value_id value) {
  lpot_error err = {0};
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONCAT, IDS(value), "c");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, c), "axis", 1, &err));
  return c;
}

static lpot_value_id tanh_of(lpot_graph *graph, lpot_value_id value) {
  return fixture_node(graph, LPOT_OP_TANH, IDS(value), "t");
}

static lpot_value_id also_output(lpot_graph *graph, lpot_value_id value) {
  lpot_error err = {0};
  CHECK(lpot_graph_add_output(graph, value, &err));
  return relu(graph, value);
}

/* ---- what came of it ---- */

static lpot_graph *equalize(const fixture_model *model, size_t pairs) {
  lpot_error err = {0};
  lpot_graph *equalized = NULL;
  size_t count = 0;
  CHECK(lpot_quant_equalize(model->graph, model->ops, &equalized, &count, &err));
  assert_int_equal(count, pairs);
  return equalized;
}

static void assert_numbers(const lpot_graph *graph, const char *name, const float *expected,
                           int64_t count) {
  const lpot_tensor *tensor = fixture_find(graph, name)->constant;
  assert_int_equal(lpot_tensor_elements(tensor), count);
  for (int64_t i = 0; i < count; i++) {
    assert_float_equal(lpot_tensor_get_double(tensor, i), expected[i], 0);
  }
}

/* All bits of output 0, and the constants of the graph itself are what they were. */
static void assert_same_outputs(const fixture_model *model, const lpot_graph *equalized) {
  lpot_tensor *a = fixture_result(model->graph);
  lpot_tensor *b = fixture_result(equalized);
  assert_int_equal(a->size_bytes, b->size_bytes);
  assert_memory_equal(a->data, b->data, a->size_bytes);
  lpot_tensor_unref(a);
  lpot_tensor_unref(b);
}

static void assert_blocked(lpot_graph *graph) {
  fixture_model model = fixture_model_of(graph);
  lpot_graph *equalized = equalize(&model, 0);
  for (size_t i = 0; i < lpot_graph_num_values(graph); i++) {
    assert_ptr_equal(lpot_graph_value(equalized, (lpot_value_id)i)->constant,
                     lpot_graph_value(graph, (lpot_value_id)i)->constant);
  }
  lpot_graph_free(equalized);
  fixture_free(&model);
}

/* ---- tests ---- */

/* Channel 0: r1 = 1, r2 = 16, s = 4. Channel 1: r1 = 8, r2 = 0.5, s = 1/4. */
static void equalize_scales_channels_to_equal_ranges(void **state) {
  (void)state;
  const between_function functions[] = {nothing, relu, pooled};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    fixture_model model = fixture_model_of(two_convs(functions[i]));
    lpot_graph *equalized = equalize(&model, 1);
    assert_numbers(equalized, "w1", (const float[]){4, -2, 2, 1}, 4);
    assert_numbers(equalized, "a_b", (const float[]){1, -0.75F}, 2);
    assert_numbers(equalized, "w2", (const float[]){4, 2, -1, 0.5F}, 4);
    assert_numbers(equalized, "y_b", first_bias, 2);
    assert_numbers(model.graph, "w1", first_weight, 4);
    assert_numbers(model.graph, "w2", second_weight, 4);
    assert_same_outputs(&model, equalized);
    lpot_graph_free(equalized);
    fixture_free(&model);
  }
}

static void equalize_is_blocked_by_what_does_not_commute(void **state) {
  (void)state;
  const between_function functions[] = {clipped, residual, joined, tanh_of, also_output};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    assert_blocked(two_convs(functions[i]));
  }
}

static void equalize_leaves_weights_of_several_nodes(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w = fixture_values(graph, "w", DIMS(2, 2, 1, 1), first_weight);
  lpot_value_id a = conv(graph, x, w, first_bias, "a");
  fixture_finish(graph, conv(graph, relu(graph, a), w, first_bias, "y"));
  assert_blocked(graph);
}

static void equalize_leaves_constants_that_are_outputs(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = two_convs(relu);
  CHECK(lpot_graph_add_output(graph, lpot_graph_find_value(graph, "a_b"), &err));
  assert_blocked(graph);
}

/* s would be 32 and 1/64. */
static void equalize_limits_scales(void **state) {
  (void)state;
  const float narrow[] = {0.001F, 0.0005F, 64, 64};
  const float wide[] = {1, 0.015625F, 0.5F, 0.01F};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_values(graph, "w1", DIMS(2, 2, 1, 1), narrow);
  lpot_value_id w2 = fixture_values(graph, "w2", DIMS(2, 2, 1, 1), wide);
  lpot_value_id a = conv(graph, x, w1, first_bias, "a");
  fixture_finish(graph, conv(graph, a, w2, first_bias, "y"));
  fixture_model model = fixture_model_of(graph);
  lpot_graph *equalized = equalize(&model, 1);
  assert_numbers(equalized, "w1", (const float[]){0.004F, 0.002F, 16, 16}, 4);
  assert_numbers(equalized, "w2", (const float[]){0.25F, 0.0625F, 0.125F, 0.04F}, 4);
  assert_same_outputs(&model, equalized);
  lpot_graph_free(equalized);
  fixture_free(&model);
}

/* Channel 0 has no weights, channel 1 none behind it. */
static void equalize_leaves_channels_without_a_range(void **state) {
  (void)state;
  const float before[] = {0, 0, 8, 4};
  const float behind[] = {16, 0, -4, 0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_values(graph, "w1", DIMS(2, 2, 1, 1), before);
  lpot_value_id w2 = fixture_values(graph, "w2", DIMS(2, 2, 1, 1), behind);
  lpot_value_id a = conv(graph, x, w1, first_bias, "a");
  fixture_finish(graph, conv(graph, a, w2, first_bias, "y"));
  fixture_model model = fixture_model_of(graph);
  lpot_graph *equalized = equalize(&model, 1);
  assert_numbers(equalized, "w1", before, 4);
  assert_numbers(equalized, "w2", behind, 4);
  lpot_graph_free(equalized);
  fixture_free(&model);
}

/* A separable block (pointwise, depthwise, grouped with two channels per group), and the Gemm's. */
static void equalize_knows_the_channels_of_groups(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 5, 5));
  float pointwise[] = {1, 0.5F, 8, 1, 1, 1, 0.25F, 1}; /* [4, 2]: ranges 1, 8, 1, 1 */
  float depthwise[4 * 4];
  float grouped[4 * 2];
  for (int i = 0; i < 16; i++) {
    depthwise[i] = i < 4 ? 16 : 0.5F; /* [4, 1, 2, 2]: ranges 16, 0.5, 0.5, 0.5 */
  }
  for (int i = 0; i < 8; i++) {
    grouped[i] = i % 2 == 0 ? 1 : 2; /* [4, 2]: channel 1 and 3 have 2 */
  }
  lpot_value_id w1 = fixture_values(graph, "w1", DIMS(4, 2, 1, 1), pointwise);
  lpot_value_id w2 = fixture_values(graph, "w2", DIMS(4, 1, 2, 2), depthwise);
  lpot_value_id w3 = fixture_values(graph, "w3", DIMS(4, 2, 1, 1), grouped);
  lpot_value_id a = fixture_node(graph, LPOT_OP_CONV, IDS(x, w1), "a");
  lpot_value_id b = fixture_node(graph, LPOT_OP_CONV, IDS(relu(graph, a), w2), "b");
  lpot_value_id y = fixture_node(graph, LPOT_OP_CONV, IDS(b, w3), "y");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, b), "group", 4, &err));
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "group", 2, &err));
  fixture_finish(graph, y);
  fixture_model model = fixture_model_of(graph);
  lpot_graph *equalized = equalize(&model, 2);
  /* Pointwise x 4, 1/4, 1, 1: the depthwise ranges are 4, 2, 0.5, 0.5, against 1, 2, 1, 2 behind
   * them: x 1/2, 1, 2, 2. Then all are within a factor of two. */
  assert_numbers(equalized, "w1", (const float[]){4, 2, 2, 0.25F, 1, 1, 0.25F, 1}, 8);
  assert_float_equal(lpot_tensor_get_double(fixture_find(equalized, "w2")->constant, 0), 2, 0);
  assert_float_equal(lpot_tensor_get_double(fixture_find(equalized, "w2")->constant, 4), 2, 0);
  assert_float_equal(lpot_tensor_get_double(fixture_find(equalized, "w2")->constant, 8), 1, 0);
  assert_float_equal(lpot_tensor_get_double(fixture_find(equalized, "w2")->constant, 12), 1, 0);
  assert_numbers(equalized, "w3", (const float[]){2, 2, 2, 2, 0.5F, 1, 0.5F, 1}, 8);
  assert_same_outputs(&model, equalized);
  lpot_graph_free(equalized);
  fixture_free(&model);
}

static void equalize_knows_both_forms_of_gemm(void **state) {
  (void)state;
  for (int transposed = 0; transposed < 2; transposed++) {
    lpot_error err = {0};
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2));
    const float before[] = {1, 8, -0.5F, 4};       /* [in, out]: ranges of outputs 1, 8 */
    const float turned[] = {1, -0.5F, 8, 4};       /* [out, in] */
    const float behind[] = {16, -4, 0.5F, 0.125F}; /* [in, out]: ranges of inputs 16, 0.5 */
    lpot_value_id w1 = fixture_values(graph, "w1", DIMS(2, 2), transposed == 1 ? turned : before);
    lpot_value_id b1 = fixture_values(graph, "b1", DIMS(2), first_bias);
    lpot_value_id w2 = fixture_values(graph, "w2", DIMS(2, 2), behind);
    lpot_value_id a = fixture_node(graph, LPOT_OP_GEMM, IDS(x, w1, b1), "a");
    CHECK(lpot_graph_set_int(graph, fixture_producer(graph, a), "transB", transposed, &err));
    CHECK(lpot_graph_set_float(graph, fixture_producer(graph, a), "beta", 2, &err));
    fixture_finish(graph, fixture_node(graph, LPOT_OP_GEMM, IDS(relu(graph, a), w2), "y"));
    fixture_model model = fixture_model_of(graph);
    lpot_graph *equalized = equalize(&model, 1);
    const float expected[] = {4, 2, -2, 1};
    const float expected_turned[] = {4, -2, 2, 1};
    assert_numbers(equalized, "w1", transposed == 1 ? expected_turned : expected, 4);
    assert_numbers(equalized, "b1", (const float[]){1, -0.75F}, 2);
    assert_numbers(equalized, "w2", (const float[]){4, -1, 2, 0.5F}, 4);
    assert_same_outputs(&model, equalized);
    lpot_graph_free(equalized);
    fixture_free(&model);
  }
}

/* Two readers: their largest range counts. One of them not a layer: blocked. */
static void equalize_takes_several_readers_as_one_layer(void **state) {
  (void)state;
  const float other[] = {1, 2, 1, 2};
  for (int blocked = 0; blocked < 2; blocked++) {
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
    lpot_value_id w1 = fixture_values(graph, "w1", DIMS(2, 2, 1, 1), first_weight);
    lpot_value_id w2 = fixture_values(graph, "w2", DIMS(2, 2, 1, 1), second_weight);
    lpot_value_id w3 = fixture_values(graph, "w3", DIMS(2, 2, 1, 1), other);
    lpot_value_id r = relu(graph, conv(graph, x, w1, first_bias, "a"));
    lpot_value_id b = conv(graph, r, w2, first_bias, "b");
    lpot_value_id c = blocked == 1 ? tanh_of(graph, r) : conv(graph, r, w3, first_bias, "c");
    fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(b, c), "y"));
    if (blocked == 1) {
      assert_blocked(graph);
      continue;
    }
    fixture_model model = fixture_model_of(graph);
    lpot_graph *equalized = equalize(&model, 1); /* r2 = 16, 2: s = 4, 1/2 */
    assert_numbers(equalized, "w1", (const float[]){4, -2, 4, 2}, 4);
    assert_numbers(equalized, "w3", (const float[]){0.25F, 4, 0.25F, 4}, 4);
    assert_same_outputs(&model, equalized);
    lpot_graph_free(equalized);
    fixture_free(&model);
  }
}

/* What is compiled and exported of such a recipe: the rewritten clone, with the ops of the graph.
 */
static void equalize_rewrites_with_the_ops_of_the_graph(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = fixture_model_of(two_convs(relu));
  lpot_graph *equalized = equalize(&model, 1);
  lpot_graph *qdq = NULL;
  fixture_set_all(&model, &fixture_s8);
  model.recipe->corrections.cross_layer_equalization = true;
  CHECK(
      lpot_quant_rewrite(equalized, model.ops, model.recipe, model.calibration, NULL, &qdq, &err));
  assert_float_equal(fixture_number(qdq, "w1_scale"), 4.0 / 127, 1e-9);
  lpot_graph_free(qdq);
  lpot_graph_free(equalized);
  fixture_free(&model);
}

static void equalize_reports_missing_memory(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(two_convs(relu));
  for (uint64_t n = 1;; n++) {
    lpot_graph *equalized = NULL;
    size_t pairs = 0;
    lpot_memory_fail_after(n);
    lpot_status status = lpot_quant_equalize(model.graph, model.ops, &equalized, &pairs, NULL);
    lpot_memory_fail_after(0);
    if (status == LPOT_OK) {
      lpot_graph_free(equalized);
      break;
    }
    assert_int_equal(status, LPOT_NO_MEMORY);
    assert_null(equalized);
  }
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equalize_scales_channels_to_equal_ranges),
      cmocka_unit_test(equalize_is_blocked_by_what_does_not_commute),
      cmocka_unit_test(equalize_leaves_weights_of_several_nodes),
      cmocka_unit_test(equalize_leaves_constants_that_are_outputs),
      cmocka_unit_test(equalize_limits_scales),
      cmocka_unit_test(equalize_leaves_channels_without_a_range),
      cmocka_unit_test(equalize_knows_the_channels_of_groups),
      cmocka_unit_test(equalize_knows_both_forms_of_gemm),
      cmocka_unit_test(equalize_takes_several_readers_as_one_layer),
      cmocka_unit_test(equalize_rewrites_with_the_ops_of_the_graph),
      cmocka_unit_test(equalize_reports_missing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
