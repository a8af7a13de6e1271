#include "quant/quant_fixture.h"

#include "engine/engine.h"

/* Each group of the QDQ graph as one operator: the right one, and the same values. */

typedef struct forms {
  fixture_model model;
  lpot_graph *qdq;
  lpot_graph *qoperator;
} forms;

static forms forms_of(lpot_graph *graph, const lpot_op_config *config) {
  lpot_error err = {0};
  forms result = {.model = fixture_model_of(graph)};
  fixture_set_all(&result.model, config);
  result.qdq = fixture_rewrite(&result.model);
  CHECK(lpot_quant_to_qoperator(result.qdq, &result.qoperator, &err));
  return result;
}

static lpot_plan *plan_of(lpot_engine *engine, const lpot_graph *graph) {
  lpot_error err = {0};
  lpot_graph *bound = NULL;
  lpot_plan *plan = NULL;
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, &err));
  CHECK(lpot_plan_compile(engine, bound, NULL, &plan, &err));
  lpot_graph_free(bound);
  return plan;
}

/* The engine runs both forms by the same steps. */
static void check_steps(const forms *both) {
  lpot_error err = {0};
  lpot_engine *engine = NULL;
  lpot_plan_stats stats[2];
  CHECK(lpot_engine_open("onednn", &engine, &err));
  lpot_plan *plans[2] = {plan_of(engine, both->qdq), plan_of(engine, both->qoperator)};
  lpot_plan_get_stats(plans[0], &stats[0]);
  lpot_plan_get_stats(plans[1], &stats[1]);
  assert_int_equal(stats[0].num_steps, stats[1].num_steps);
  assert_int_equal(stats[1].num_reference_steps, 0);
  for (size_t i = 0; i < stats[0].num_steps; i++) {
    lpot_plan_step qdq = lpot_plan_get_step(plans[0], i);
    lpot_plan_step qoperator = lpot_plan_get_step(plans[1], i);
    assert_string_equal(qdq.kind, qoperator.kind);
    assert_string_equal(qdq.implementation, qoperator.implementation);
    assert_int_equal(qdq.output_dtype, qoperator.output_dtype);
  }
  lpot_plan_free(plans[0]);
  lpot_plan_free(plans[1]);
  lpot_engine_close(engine);
}

/* The forms differ by one step of the output at most. Frees. */
static void check_forms(forms *both) {
  check_steps(both);
  double step = fixture_number(both->qdq, "y_scale");
  double error = fixture_difference(fixture_result(both->qdq), fixture_result(both->qoperator));
  if (error > 1.01 * step) {
    fail_msg("the forms differ by %g, a step is %g", error, step);
  }
  lpot_graph_free(both->qoperator);
  lpot_graph_free(both->qdq);
  fixture_free(&both->model);
}

/* Exactly `count` Q and DQ nodes are left. */
static void check_left(const forms *both, size_t quantize, size_t dequantize) {
  assert_int_equal(fixture_count(both->qoperator, LPOT_OP_QUANTIZE_LINEAR), quantize);
  assert_int_equal(fixture_count(both->qoperator, LPOT_OP_DEQUANTIZE_LINEAR), dequantize);
}

static void convolution_and_transparent_nodes_become_int8(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  const int64_t two[] = {2, 2};
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 2, 1, 1), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(2), 2);
  lpot_value_id a = fixture_node(graph, LPOT_OP_CONV, IDS(x, w, b), "a");
  lpot_value_id m = fixture_node(graph, LPOT_OP_MAX_POOL, IDS(a), "m");
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, m), "kernel_shape", two, 2, &err));
  fixture_finish(graph, fixture_node(graph, LPOT_OP_CONV, IDS(m, w), "y"));
  forms both = forms_of(graph, &fixture_u8);
  check_left(&both, 1, 1);
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_CONV), 2);
  const lpot_node *conv = fixture_reader(both.qoperator, "x_quantized", 0);
  assert_int_equal(conv->num_inputs, 9);
  assert_int_equal(conv->inputs[8], fixture_find(both.qoperator, "b_quantized")->id);
  assert_int_equal(fixture_reader(both.qoperator, "a_quantized", 0)->op, LPOT_OP_MAX_POOL);
  check_forms(&both);
}

static void matmul_of_activations_becomes_qlinear_matmul(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3, 4));
    lpot_value_id z = fixture_input(graph, "z", DIMS(1, 4, 2));
    fixture_finish(graph, fixture_node(graph, LPOT_OP_MATMUL, IDS(x, z), "y"));
    forms both = forms_of(graph, i == 0 ? &fixture_u8 : &fixture_s8);
    check_left(&both, 2, 1);
    assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_MATMUL), 1);
    check_forms(&both);
  }
}

static void biased_matmul_becomes_matmul_integer_to_float(void **state) {
  (void)state;
  for (int rank = 1; rank <= 2; rank++) {
    const int64_t dims[] = {1, 5};
    lpot_graph *graph = fixture_graph();
    lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 3));
    lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 5), 1);
    lpot_value_id b = fixture_constant(graph, "b", rank, dims + 2 - rank, 2);
    lpot_value_id m = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "m");
    lpot_value_id s = fixture_node(graph, LPOT_OP_ADD, IDS(b, m), "s");
    fixture_finish(graph, fixture_node(graph, LPOT_OP_RELU, IDS(s), "y"));
    forms both = forms_of(graph, &fixture_s8);
    const lpot_node *node = fixture_reader(both.qoperator, "x_quantized", 0);
    check_left(&both, 2, 1);
    assert_int_equal(node->op, LPOT_OP_MATMUL_INTEGER_TO_FLOAT);
    assert_int_equal(lpot_graph_value(both.qoperator, node->inputs[6])->constant->shape.rank, 1);
    assert_int_equal(fixture_count(both.qoperator, LPOT_OP_ADD), 0);
    assert_int_equal(fixture_count(both.qoperator, LPOT_OP_RELU), 1);
    check_forms(&both);
  }
}

static void add_mul_and_concat_become_qlinear_forms(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3, 4));
  lpot_value_id z = fixture_input(graph, "z", DIMS(1, 3, 1));
  lpot_value_id a = fixture_node(graph, LPOT_OP_ADD, IDS(x, z), "a");
  lpot_value_id m = fixture_node(graph, LPOT_OP_MUL, IDS(a, x), "m");
  lpot_value_id y = fixture_node(graph, LPOT_OP_CONCAT, IDS(m, a, z), "y");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "axis", -1, &err));
  fixture_finish(graph, y);
  forms both = forms_of(graph, &fixture_u8);
  check_left(&both, 2, 1);
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_ADD), 1);
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_MUL), 1);
  const lpot_node *concat = fixture_reader(both.qoperator, "m_quantized", 0);
  assert_int_equal(concat->op, LPOT_OP_QLINEAR_CONCAT);
  assert_int_equal(concat->num_inputs, 11);
  check_forms(&both);
}

static void average_pools_become_qlinear_forms(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  const int64_t two[] = {2, 2};
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id a = fixture_node(graph, LPOT_OP_AVERAGE_POOL, IDS(x), "a");
  CHECK(lpot_graph_set_ints(graph, fixture_producer(graph, a), "kernel_shape", two, 2, &err));
  fixture_finish(graph, fixture_node(graph, LPOT_OP_GLOBAL_AVERAGE_POOL, IDS(a), "y"));
  forms both = forms_of(graph, &fixture_u8);
  check_left(&both, 1, 1);
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_AVERAGE_POOL), 1);
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL), 1);
  check_forms(&both);
}

/* ONNX Runtime has no kernel that reads one type and writes another: such groups stay. */
static void group_of_mixed_types_stays_as_it_is(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 2, 1, 1), 1);
  lpot_value_id a = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "a");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_CONV, IDS(a, w), "y"));
  forms both = forms_of(graph, &fixture_u8);
  fixture_set(&both.model, 0, &fixture_s8);
  lpot_graph_free(both.qdq);
  lpot_graph_free(both.qoperator);
  both.qdq = fixture_rewrite(&both.model);
  CHECK(lpot_quant_to_qoperator(both.qdq, &both.qoperator, &err));
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_CONV), 1);
  assert_int_equal(fixture_count(both.qoperator, LPOT_OP_QLINEAR_CONV), 1);
  check_forms(&both);
}

static void f32_graph_stays_as_it_is(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *copy = NULL;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3));
  lpot_value_id r = fixture_node(graph, LPOT_OP_RELU, IDS(x), "r");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(x, r), "y"));
  CHECK(lpot_quant_to_qoperator(graph, &copy, &err));
  assert_int_equal(fixture_count(copy, LPOT_OP_ADD), 1);
  assert_int_equal(fixture_count(copy, LPOT_OP_RELU), 1);
  lpot_graph_free(copy);
  lpot_graph_free(graph);
}

static void running_out_of_memory_leaks_nothing(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 5), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(1, 5), 2);
  lpot_value_id m = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "m");
  lpot_value_id s = fixture_node(graph, LPOT_OP_ADD, IDS(m, b), "s");
  lpot_value_id y = fixture_node(graph, LPOT_OP_CONCAT, IDS(s, s), "y");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "axis", 1, &err));
  fixture_finish(graph, y);
  forms both = forms_of(graph, &fixture_u8);
  lpot_status status = LPOT_NO_MEMORY;
  lpot_graph *copy = NULL;
  for (uint64_t i = 1; status == LPOT_NO_MEMORY; i++) {
    lpot_memory_fail_after(i);
    status = lpot_quant_to_qoperator(both.qdq, &copy, &err);
    lpot_memory_fail_after(0);
  }
  assert_int_equal(status, LPOT_OK);
  lpot_graph_free(copy);
  check_forms(&both);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolution_and_transparent_nodes_become_int8),
      cmocka_unit_test(matmul_of_activations_becomes_qlinear_matmul),
      cmocka_unit_test(biased_matmul_becomes_matmul_integer_to_float),
      cmocka_unit_test(add_mul_and_concat_become_qlinear_forms),
      cmocka_unit_test(average_pools_become_qlinear_forms),
      cmocka_unit_test(group_of_mixed_types_stays_as_it_is),
      cmocka_unit_test(f32_graph_stays_as_it_is),
      cmocka_unit_test(running_out_of_memory_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
