#include "quant/quant_fixture.h"

#include "quant/qdq_nodes.h"

typedef struct bench {
  lpot_graph *graph;
  lpot_qdq_builder builder;
  lpot_value_id x;
} bench;

static bench new_bench(void) {
  lpot_error err = {0};
  bench made = {.graph = fixture_graph()};
  made.builder.graph = made.graph;
  CHECK(lpot_arena_new(&made.builder.arena, &err));
  made.x = fixture_input(made.graph, "x", DIMS(1, 4));
  return made;
}

static void free_bench(bench *made) {
  lpot_arena_free(made->builder.arena);
  lpot_graph_free(made->graph);
}

static void pair_is_read_back_as_it_was_made(void **state) {
  (void)state;
  lpot_error err = {0};
  bench made = new_bench();
  const lpot_quant_params numbers = {.dtype = LPOT_U8, .scale = 0.25F, .zero_point = 7};
  lpot_qdq_params params;
  lpot_qdq_params read;
  lpot_value_id quantized = LPOT_NONE;
  lpot_value_id rounded = LPOT_NONE;
  lpot_value_id source = LPOT_NONE;
  CHECK(lpot_qdq_add_params(&made.builder, "x", &numbers, &params, &err));
  CHECK(lpot_qdq_add_quantize(&made.builder, "x", made.x, &params, &quantized, &err));
  CHECK(lpot_qdq_add_dequantize(&made.builder, "x", quantized, &params, LPOT_NONE, &rounded, &err));
  assert_true(lpot_qdq_read_dequantize(made.graph, rounded, &source, &read));
  assert_int_equal(source, quantized);
  assert_int_equal(read.dtype, LPOT_U8);
  assert_int_equal(read.axis, LPOT_NONE);
  assert_true(lpot_qdq_params_equal(made.graph, &params, &read));
  const lpot_node *node = lpot_graph_node(made.graph, fixture_producer(made.graph, quantized));
  assert_true(lpot_qdq_read_quantize(made.graph, node, &read));
  assert_false(lpot_qdq_read_dequantize(made.graph, quantized, &source, &read));
  assert_false(lpot_qdq_read_dequantize(made.graph, made.x, &source, &read));
  assert_false(lpot_qdq_read_dequantize(made.graph, LPOT_NONE, &source, &read));
  free_bench(&made);
}

static void other_numbers_are_not_equal(void **state) {
  (void)state;
  lpot_error err = {0};
  bench made = new_bench();
  const lpot_quant_params numbers[] = {
      {LPOT_U8, 0.25F, 7}, {LPOT_U8, 0.5F, 7}, {LPOT_U8, 0.25F, 8}, {LPOT_S8, 0.25F, 7}};
  lpot_qdq_params params[4];
  for (int i = 0; i < 4; i++) {
    CHECK(lpot_qdq_add_params(&made.builder, "t", &numbers[i], &params[i], &err));
    assert_int_equal(lpot_qdq_params_equal(made.graph, &params[0], &params[i]), i == 0);
  }
  lpot_qdq_params per_axis;
  const float scales[] = {0.25F, 0.25F};
  CHECK(lpot_qdq_add_axis_params(&made.builder, "w", LPOT_S8, scales, 2, 1, &per_axis, &err));
  assert_false(lpot_qdq_params_equal(made.graph, &per_axis, &per_axis));
  free_bench(&made);
}

static void nodes_without_constant_parameters_are_not_read(void **state) {
  (void)state;
  lpot_error err = {0};
  bench made = new_bench();
  lpot_value_id scale = fixture_values(made.graph, "s", 0, NULL, (const float[]){1});
  lpot_value_id q = fixture_node(made.graph, LPOT_OP_QUANTIZE_LINEAR, IDS(made.x, scale), "q");
  lpot_value_id computed = fixture_node(made.graph, LPOT_OP_RELU, IDS(scale), "computed");
  lpot_qdq_params params;
  const lpot_quant_params numbers = {.dtype = LPOT_U8, .scale = 0.25F, .zero_point = 7};
  CHECK(lpot_qdq_add_params(&made.builder, "x", &numbers, &params, &err));
  lpot_value_id r = fixture_node(made.graph, LPOT_OP_QUANTIZE_LINEAR,
                                 IDS(made.x, computed, params.zero_point), "r");
  lpot_qdq_params read;
  assert_false(lpot_qdq_read_quantize(
      made.graph, lpot_graph_node(made.graph, fixture_producer(made.graph, q)), &read));
  assert_false(lpot_qdq_read_quantize(
      made.graph, lpot_graph_node(made.graph, fixture_producer(made.graph, r)), &read));
  free_bench(&made);
}

static void taken_names_are_replaced_by_fresh_ones(void **state) {
  (void)state;
  lpot_error err = {0};
  bench made = new_bench();
  const lpot_quant_params numbers = {.dtype = LPOT_U8, .scale = 0.25F, .zero_point = 7};
  lpot_qdq_params first;
  lpot_qdq_params second;
  CHECK(lpot_qdq_add_params(&made.builder, "x", &numbers, &first, &err));
  CHECK(lpot_qdq_add_params(&made.builder, "x", &numbers, &second, &err));
  assert_string_equal(lpot_graph_value(made.graph, first.scale)->name, "x_scale");
  assert_string_not_equal(lpot_graph_value(made.graph, second.scale)->name, "x_scale");
  free_bench(&made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pair_is_read_back_as_it_was_made),
      cmocka_unit_test(other_numbers_are_not_equal),
      cmocka_unit_test(nodes_without_constant_parameters_are_not_read),
      cmocka_unit_test(taken_names_are_replaced_by_fresh_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
