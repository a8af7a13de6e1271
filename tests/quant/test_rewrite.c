#include "quant/quant_fixture.h"

/* Whole rewrites: what they refuse, what they keep, and that the result computes the same. */

/* conv+relu, conv, add+relu, pool, flatten, gemm: a residual network in small. */
static lpot_graph *residual_network(void) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_constant(graph, "w1", DIMS(3, 2, 1, 1), 1);
  lpot_value_id b1 = fixture_constant(graph, "b1", DIMS(3), 2);
  lpot_value_id c1 = fixture_node(graph, LPOT_OP_CONV, IDS(x, w1, b1), "c1");
  lpot_value_id r1 = fixture_node(graph, LPOT_OP_RELU, IDS(c1), "r1");
  lpot_value_id w2 = fixture_constant(graph, "w2", DIMS(3, 3, 1, 1), 3);
  lpot_value_id c2 = fixture_node(graph, LPOT_OP_CONV, IDS(r1, w2), "c2");
  lpot_value_id sum = fixture_node(graph, LPOT_OP_ADD, IDS(c2, r1), "sum");
  lpot_value_id r2 = fixture_node(graph, LPOT_OP_RELU, IDS(sum), "r2");
  lpot_value_id pool = fixture_node(graph, LPOT_OP_GLOBAL_AVERAGE_POOL, IDS(r2), "pool");
  lpot_value_id flat = fixture_node(graph, LPOT_OP_FLATTEN, IDS(pool), "flat");
  lpot_value_id w3 = fixture_constant(graph, "w3", DIMS(3, 5), 4);
  lpot_value_id b3 = fixture_constant(graph, "b3", DIMS(5), 5);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_GEMM, IDS(flat, w3, b3), "y"));
  return graph;
}

static lpot_status try_rewrite(const fixture_model *model, lpot_error *err) {
  lpot_graph *qdq = NULL;
  lpot_status status = lpot_quant_rewrite(model->graph, model->ops, model->recipe,
                                          model->calibration, NULL, &qdq, err);
  lpot_graph_free(qdq);
  return status;
}

static void recipe_that_does_not_fit_is_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = fixture_model_of(residual_network());
  model.recipe->num_ops--;
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "the model has 5");
  model.recipe->num_ops++;
  model.recipe->ops[2] = fixture_u8;
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "op 'sum_node' has no constant weight");
  fixture_set_all(&model, &fixture_u8);
  model.recipe->ops[0].weight.dtype = LPOT_F32;
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "op 'c1_node'");
  fixture_free(&model);
}

static void int8_needs_a_calibration_of_its_values(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = fixture_model_of(residual_network());
  lpot_calibration *whole = model.calibration;
  bool none[64] = {false};
  lpot_calibration *empty = NULL;
  CHECK(lpot_calibration_new(none, lpot_graph_num_values(model.graph), &empty, &err));
  model.calibration = NULL;
  CHECK(try_rewrite(&model, &err));
  fixture_set_all(&model, &fixture_u8);
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "need a calibration");
  model.calibration = empty;
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "calibration did not observe 'x'");
  lpot_calibration_free(empty);
  model.calibration = whole;
  fixture_free(&model);
}

static void nan_and_infinite_statistics_are_refused_by_name(void **state) {
  (void)state;
  lpot_error err = {0};
  float row[3 * 16] = {-INFINITY};
  fixture_model model = fixture_model_of(residual_network());
  lpot_value_id value = lpot_graph_find_value(model.graph, "r1");
  fixture_set_all(&model, &fixture_u8);
  CHECK(lpot_calibration_observe(model.calibration, value, row, 3 * 16, &err));
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "calibration of 'r1' saw infinite values");
  row[0] = NAN;
  CHECK(lpot_calibration_observe(model.calibration, value, row, 3 * 16, &err));
  CHECK_FAILS(try_rewrite(&model, &err), LPOT_INVALID, "calibration of 'r1' saw NaN");
  fixture_free(&model);
}

static void f32_recipe_changes_nothing(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(residual_network());
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_count(qdq, LPOT_OP_QUANTIZE_LINEAR), 0);
  assert_int_equal(fixture_count(qdq, LPOT_OP_RELU), 2);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) == 0);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void check_close(const fixture_model *model, const lpot_op_config *config, double limit) {
  lpot_error err = {0};
  lpot_graph *qoperator = NULL;
  lpot_graph *qdq = fixture_rewrite(model);
  double error = fixture_difference(fixture_result(qdq), fixture_result(model->graph));
  if (error > limit || error <= 0) {
    fail_msg("difference to f32 is %g (%s)", error, lpot_dtype_text(config->activation.dtype));
  }
  CHECK(lpot_quant_to_qoperator(qdq, &qoperator, &err));
  double step = fixture_number(qdq, "y_scale");
  error = fixture_difference(fixture_result(qdq), fixture_result(qoperator));
  if (error > 1.01 * step) {
    fail_msg("difference to the QOperator form is %g, a step is %g", error, step);
  }
  lpot_graph_free(qoperator);
  lpot_graph_free(qdq);
}

static void int8_network_computes_nearly_the_same_in_every_setting(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(residual_network());
  for (int algorithm = 0; algorithm < LPOT_NUM_ALGORITHMS; algorithm++) {
    for (int scheme = 0; scheme < LPOT_NUM_SCHEMES; scheme++) {
      lpot_op_config u8 = fixture_u8;
      lpot_op_config s8 = fixture_s8;
      u8.activation.algorithm = s8.activation.algorithm = (lpot_algorithm)algorithm;
      u8.activation.scheme = s8.activation.scheme = (lpot_scheme)scheme;
      fixture_set_all(&model, &u8);
      check_close(&model, &u8, 0.1);
      fixture_set_all(&model, &s8);
      check_close(&model, &s8, 0.1);
    }
  }
  fixture_free(&model);
}

static void mixed_types_compute_nearly_the_same(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(residual_network());
  for (size_t pattern = 0; pattern < 32; pattern++) {
    for (size_t i = 0; i < 5; i++) {
      fixture_set(&model, i, (pattern >> i & 1) != 0 ? &fixture_u8 : &fixture_s8);
    }
    check_close(&model, &fixture_u8, 0.1);
  }
  fixture_free(&model);
}

static void names_are_those_of_the_tensors(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(residual_network());
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  static const char *const values[] = {
      "x_quantized",   "x_scale",        "x_zero_point",   "x_dequantized", "w1_quantized",
      "w1_scale",      "w1_zero_point",  "w1_dequantized", "b1_quantized",  "b1_scale",
      "b1_zero_point", "b1_dequantized", "y_quantized",    "y_scale"};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    fixture_find(qdq, values[i]);
  }
  assert_true(lpot_graph_find_node(qdq, "x_QuantizeLinear") != LPOT_NONE);
  assert_true(lpot_graph_find_node(qdq, "w1_DequantizeLinear") != LPOT_NONE);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void graph_output_keeps_its_name_and_is_f32(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(residual_network());
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  const lpot_value *output = lpot_graph_value(qdq, lpot_graph_output(qdq, 0));
  assert_string_equal(output->name, "y");
  assert_int_equal(output->dtype, LPOT_F32);
  assert_int_equal(lpot_graph_node(qdq, output->producer)->op, LPOT_OP_DEQUANTIZE_LINEAR);
  assert_int_equal(lpot_graph_num_outputs(qdq), 1);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void running_out_of_memory_leaks_nothing(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = fixture_model_of(residual_network());
  fixture_set_all(&model, &fixture_s8);
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t i = 1; status == LPOT_NO_MEMORY; i++) {
    lpot_memory_fail_after(i);
    status = try_rewrite(&model, &err);
    lpot_memory_fail_after(0);
  }
  assert_int_equal(status, LPOT_OK);
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(recipe_that_does_not_fit_is_refused),
      cmocka_unit_test(int8_needs_a_calibration_of_its_values),
      cmocka_unit_test(nan_and_infinite_statistics_are_refused_by_name),
      cmocka_unit_test(f32_recipe_changes_nothing),
      cmocka_unit_test(int8_network_computes_nearly_the_same_in_every_setting),
      cmocka_unit_test(mixed_types_compute_nearly_the_same),
      cmocka_unit_test(names_are_those_of_the_tensors),
      cmocka_unit_test(graph_output_keeps_its_name_and_is_f32),
      cmocka_unit_test(running_out_of_memory_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
