#include "quant/quant_fixture.h"

/* Relu and Clip behind int8 ops, and pairs at graph outputs. */

/* conv -> activation -> y, where the activation is Relu or Clip(0, bound). */
static lpot_graph *clipped(lpot_op op, float bound) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 2, 1, 1), 1);
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "c");
  if (op == LPOT_OP_RELU) {
    fixture_finish(graph, fixture_node(graph, op, IDS(c), "y"));
    return graph;
  }
  lpot_value_id low = fixture_values(graph, "low", 0, NULL, (const float[]){0});
  lpot_value_id high = fixture_values(graph, "high", 0, NULL, &bound);
  fixture_finish(graph, fixture_node(graph, op, IDS(c, low, high), "y"));
  return graph;
}

/* Rewrites and says how many nodes of op are left; checks that the QDQ values are those that the
 * single pair behind the activation would give. */
static size_t count_left(lpot_graph *graph, lpot_op op, const lpot_op_config *config,
                         size_t *ret_pairs) {
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, config);
  lpot_graph *qdq = fixture_rewrite(&model);
  size_t count = fixture_count(qdq, op);
  *ret_pairs = fixture_count(qdq, LPOT_OP_QUANTIZE_LINEAR);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.05);
  lpot_graph_free(qdq);
  fixture_free(&model);
  return count;
}

static void relu_goes_where_the_zero_point_is_at_the_lower_end(void **state) {
  (void)state;
  size_t pairs = 0;
  lpot_op_config config = fixture_u8;
  assert_int_equal(count_left(clipped(LPOT_OP_RELU, 0), LPOT_OP_RELU, &config, &pairs), 0);
  assert_int_equal(pairs, 2);
  config.activation.scheme = LPOT_SCHEME_SYM;
  assert_int_equal(count_left(clipped(LPOT_OP_RELU, 0), LPOT_OP_RELU, &config, &pairs), 0);
  config.activation.dtype = LPOT_S8;
  config.activation.scheme = LPOT_SCHEME_ASYM;
  assert_int_equal(count_left(clipped(LPOT_OP_RELU, 0), LPOT_OP_RELU, &config, &pairs), 0);
}

static void relu_stays_between_two_equal_pairs_for_symmetric_s8(void **state) {
  (void)state;
  size_t pairs = 0;
  assert_int_equal(count_left(clipped(LPOT_OP_RELU, 0), LPOT_OP_RELU, &fixture_s8, &pairs), 1);
  assert_int_equal(pairs, 3);
  fixture_model model = fixture_model_of(clipped(LPOT_OP_RELU, 0));
  fixture_set_all(&model, &fixture_s8);
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_true(fixture_number(qdq, "c_scale") == fixture_number(qdq, "y_scale"));
  assert_int_equal(fixture_reader(qdq, "c", 0)->op, LPOT_OP_QUANTIZE_LINEAR);
  assert_int_equal(fixture_reader(qdq, "c_dequantized", 0)->op, LPOT_OP_RELU);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

static void clip_goes_where_saturation_does_the_same(void **state) {
  (void)state;
  size_t pairs = 0;
  /* Clipped values reach the bound, so the chosen range ends there. */
  assert_int_equal(count_left(clipped(LPOT_OP_CLIP, 0.25F), LPOT_OP_CLIP, &fixture_u8, &pairs), 0);
  assert_int_equal(count_left(clipped(LPOT_OP_CLIP, 6), LPOT_OP_CLIP, &fixture_u8, &pairs), 0);
  assert_int_equal(count_left(clipped(LPOT_OP_CLIP, 6), LPOT_OP_CLIP, &fixture_s8, &pairs), 1);
  assert_int_equal(pairs, 3);
}

/* An Add behind the Clip widens the shared range through a Concat: the bound lies inside of it. */
static void clip_stays_where_the_range_is_wider_than_its_bound(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 2, 1, 1), 1);
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "c");
  lpot_value_id low = fixture_values(graph, "low", 0, NULL, (const float[]){0});
  lpot_value_id high = fixture_values(graph, "high", 0, NULL, (const float[]){0.1F});
  lpot_value_id k = fixture_node(graph, LPOT_OP_CLIP, IDS(c, low, high), "k");
  lpot_value_id m = fixture_node(graph, LPOT_OP_MUL, IDS(x, x), "m");
  lpot_value_id y = fixture_node(graph, LPOT_OP_CONCAT, IDS(k, m), "y");
  CHECK(lpot_graph_set_int(graph, fixture_producer(graph, y), "axis", 1, &err));
  fixture_finish(graph, y);
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  model.recipe->scale_propagation_concat = true;
  lpot_graph *qdq = fixture_rewrite(&model);
  assert_int_equal(fixture_count(qdq, LPOT_OP_CLIP), 1);
  assert_int_equal(fixture_count(qdq, LPOT_OP_QUANTIZE_LINEAR), 5);
  assert_true(fixture_difference(fixture_result(qdq), fixture_result(model.graph)) < 0.02);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

/* The inner pair must not change a value: the rewrite without it is made by hand. */
static void inner_pair_changes_no_value(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = fixture_model_of(clipped(LPOT_OP_CLIP, 0.3F));
  fixture_set_all(&model, &fixture_s8);
  lpot_graph *with = fixture_rewrite(&model);
  lpot_graph *without = NULL;
  CHECK(lpot_graph_clone(with, &without, &err));
  lpot_node_id clip = fixture_reader(without, "c_dequantized", 0)->id;
  CHECK(lpot_graph_set_input(without, clip, 0, fixture_find(without, "c")->id, &err));
  assert_true(fixture_difference(fixture_result(with), fixture_result(without)) == 0);
  lpot_graph_free(without);
  lpot_graph_free(with);
  fixture_free(&model);
}

static void biased_matmul_gets_no_inner_pair(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 5), 1);
  lpot_value_id b = fixture_constant(graph, "b", DIMS(5), 2);
  lpot_value_id m = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "m");
  lpot_value_id s = fixture_node(graph, LPOT_OP_ADD, IDS(m, b), "s");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_RELU, IDS(s), "y"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_s8);
  lpot_graph *kept = fixture_rewrite(&model);
  assert_int_equal(fixture_count(kept, LPOT_OP_QUANTIZE_LINEAR), 2);
  assert_int_equal(fixture_count(kept, LPOT_OP_RELU), 1);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *dropped = fixture_rewrite(&model);
  assert_int_equal(fixture_count(dropped, LPOT_OP_RELU), 0);
  assert_int_equal(fixture_count(dropped, LPOT_OP_ADD), 1);
  assert_int_equal(lpot_graph_find_value(dropped, "b_quantized"), LPOT_NONE);
  assert_true(fixture_difference(fixture_result(kept), fixture_result(model.graph)) < 0.05);
  assert_true(fixture_difference(fixture_result(dropped), fixture_result(model.graph)) < 0.05);
  lpot_graph_free(dropped);
  lpot_graph_free(kept);
  fixture_free(&model);
}

static void output_that_int8_ops_read_too_gives_them_its_pair(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(2, 2, 1, 1), 1);
  lpot_value_id a = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "a");
  lpot_value_id s = fixture_node(graph, LPOT_OP_SIGMOID, IDS(a), "s");
  lpot_value_id b = fixture_node(graph, LPOT_OP_CONV, IDS(s, w), "b");
  lpot_value_id c = fixture_node(graph, LPOT_OP_ADD, IDS(a, b), "c");
  CHECK(lpot_graph_add_output(graph, a, &err));
  CHECK(lpot_graph_add_output(graph, s, &err));
  fixture_finish(graph, c);
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  lpot_graph *qdq = fixture_rewrite(&model);
  /* An int8 tensor: its name is on the rounded value, which everybody reads. */
  assert_int_equal(lpot_graph_node(qdq, fixture_find(qdq, "a")->producer)->op,
                   LPOT_OP_DEQUANTIZE_LINEAR);
  assert_int_equal(fixture_reader(qdq, "a", 0)->op, LPOT_OP_SIGMOID);
  assert_int_equal(fixture_reader(qdq, "a", 1)->op, LPOT_OP_ADD);
  /* An f32 tensor: the output stays as it is. */
  assert_int_equal(lpot_graph_node(qdq, fixture_find(qdq, "s")->producer)->op, LPOT_OP_SIGMOID);
  assert_int_equal(fixture_reader(qdq, "s_dequantized", 0)->op, LPOT_OP_CONV);
  lpot_graph_free(qdq);
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(relu_goes_where_the_zero_point_is_at_the_lower_end),
      cmocka_unit_test(relu_stays_between_two_equal_pairs_for_symmetric_s8),
      cmocka_unit_test(clip_goes_where_saturation_does_the_same),
      cmocka_unit_test(clip_stays_where_the_range_is_wider_than_its_bound),
      cmocka_unit_test(inner_pair_changes_no_value),
      cmocka_unit_test(biased_matmul_gets_no_inner_pair),
      cmocka_unit_test(output_that_int8_ops_read_too_gives_them_its_pair),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
