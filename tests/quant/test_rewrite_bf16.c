#include "quant/quant_fixture.h"

/* Casts around bf16 ops. */

static const lpot_op_config bf16 = {.activation = {.dtype = LPOT_BF16},
                                    .weight = {.dtype = LPOT_BF16}};

/* x -> conv a -> relu -> conv b -> y, and an Add of a and b behind them. */
static lpot_graph *two_convolutions(void) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 3, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(4, 4, 1, 1), 1);
  lpot_value_id b = fixture_constant(graph, "bias", DIMS(4), 2);
  lpot_value_id a = fixture_node(graph, LPOT_OP_CONV, IDS(x, w, b), "a");
  lpot_value_id r = fixture_node(graph, LPOT_OP_RELU, IDS(a), "r");
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(r, w, b), "c");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(c, r), "y"));
  return graph;
}

static float round_to_bf16(float value) {
  return lpot_bf16_to_f32(lpot_f32_to_bf16(value));
}

static void one_pair_per_tensor_and_none_on_the_bias(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(two_convolutions());
  assert_int_equal(lpot_quant_ops_count(model.ops), 3);
  fixture_set(&model, 0, &bf16);
  fixture_set(&model, 1, &bf16);
  lpot_graph *qdq = fixture_rewrite(&model);
  /* x, r and c have a pair each; the shared weight has one Cast. */
  assert_int_equal(fixture_count(qdq, LPOT_OP_CAST), 7);
  assert_int_equal(fixture_find(qdq, "w_bf16")->constant->dtype, LPOT_BF16);
  assert_int_equal(fixture_reader(qdq, "bias", 0)->op, LPOT_OP_CONV);
  /* Conv b and the Add read the rounded r. */
  assert_int_equal(fixture_reader(qdq, "r", 0)->op, LPOT_OP_CAST);
  assert_int_equal(fixture_reader(qdq, "r_from_bf16", 0)->op, LPOT_OP_CONV);
  assert_int_equal(fixture_reader(qdq, "r_from_bf16", 1)->op, LPOT_OP_ADD);
  assert_int_equal(fixture_reader(qdq, "c_from_bf16", 0)->op, LPOT_OP_ADD);
  double difference = fixture_difference(fixture_result(qdq), fixture_result(model.graph));
  assert_true(difference > 0 && difference < 0.05);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void graph_outputs_keep_their_names_and_are_rounded(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 5), 1);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "y"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &bf16);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_string_equal(lpot_graph_value(qdq, lpot_graph_output(qdq, 0))->name, "y");
  assert_int_equal(fixture_count(qdq, LPOT_OP_CAST), 5);
  lpot_tensor *result = fixture_result(qdq);
  assert_int_equal(result->dtype, LPOT_F32);
  const float *values = result->data;
  for (int64_t i = 0; i < lpot_tensor_elements(result); i++) {
    float rounded = round_to_bf16(values[i]);
    assert_memory_equal(&rounded, &values[i], sizeof rounded);
  }
  lpot_tensor_unref(result);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void int8_neighbours_read_the_rounded_value(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(two_convolutions());
  fixture_set(&model, 0, &bf16);
  fixture_set(&model, 1, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_reader(qdq, "r_from_bf16", 1)->op, LPOT_OP_QUANTIZE_LINEAR);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.1);
  lpot_graph_free(qdq);
  fixture_set(&model, 0, &fixture_u8);
  fixture_set(&model, 1, &bf16);
  qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_reader(qdq, "r_dequantized", 0)->op, LPOT_OP_ADD);
  assert_int_equal(fixture_reader(qdq, "r_dequantized", 1)->op, LPOT_OP_CAST);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.1);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void bf16_alone_needs_no_calibration(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *qdq = NULL;
  fixture_model model = fixture_model_of(two_convolutions());
  fixture_set(&model, 0, &bf16);
  CHECK(lpot_quant_rewrite(model.graph, model.ops, model.recipe, NULL, NULL, &qdq, &err));
  assert_int_equal(fixture_count(qdq, LPOT_OP_CAST), 5);
  lpot_graph_free(qdq);
  model.recipe->ops[0].weight.dtype = LPOT_DTYPE_UNKNOWN;
  CHECK_FAILS(lpot_quant_rewrite(model.graph, model.ops, model.recipe, NULL, NULL, &qdq, &err),
              LPOT_INVALID, "has a constant weight, the recipe has none");
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_pair_per_tensor_and_none_on_the_bias),
      cmocka_unit_test(graph_outputs_keep_their_names_and_are_rounded),
      cmocka_unit_test(int8_neighbours_read_the_rounded_value),
      cmocka_unit_test(bf16_alone_needs_no_calibration),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
