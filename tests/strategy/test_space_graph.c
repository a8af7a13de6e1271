/* The space of a real graph's ops. */
#include "quant/quant_fixture.h"
#include "strategy/space.h"

static void space_of_a_graph_lists_its_quantizable_ops(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 3, 4, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 3, 1, 1), 1);
  lpot_value_id c = fixture_node(graph, LPOT_OP_CONV, IDS(x, w), "c");
  lpot_value_id s = fixture_node(graph, LPOT_OP_ADD, IDS(c, x), "s");
  fixture_finish(graph, s);
  lpot_graph *bound = NULL;
  lpot_quant_ops *ops = NULL;
  lpot_space *space = NULL;
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, &err));
  CHECK(lpot_quant_ops_new(graph, bound, &ops, &err));
  const int64_t sampling_sizes[] = {100};
  const lpot_wishes wishes = {.num_sampling_sizes = 1,
                              .sampling_sizes = sampling_sizes,
                              .first_conv_or_matmul_quantization = true};
  CHECK(lpot_space_new(ops, &wishes, &space, &err));
  assert_int_equal(lpot_space_num_ops(space), 2);
  const lpot_space_op *conv = lpot_space_get(space, 0);
  assert_string_equal(conv->name, "c_node");
  assert_string_equal(conv->type, "Conv");
  /* 2 weight granularities x 2 dtypes x 2 schemes x 4 algorithms, and F32. */
  assert_int_equal(conv->num_quantized, 32);
  assert_int_equal(conv->num_configs, 33);
  assert_int_equal(conv->configs[0].activation.dtype, LPOT_U8);
  assert_int_equal(conv->configs[0].weight.granularity, LPOT_PER_CHANNEL);
  const lpot_space_op *add = lpot_space_get(space, 1);
  assert_string_equal(add->type, "Add");
  assert_int_equal(add->num_configs, 17);
  assert_int_equal(lpot_space_num_warnings(space), 0);
  lpot_space_free(space);
  lpot_quant_ops_free(ops);
  lpot_graph_free(bound);
  lpot_graph_free(graph);
}

static void space_of_dynamic_ops_has_no_calibration(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 4));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(4, 4), 1);
  lpot_value_id m = fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "m");
  fixture_finish(graph, fixture_node(graph, LPOT_OP_ADD, IDS(m, x), "s"));
  lpot_graph *bound = NULL;
  lpot_quant_ops *ops = NULL;
  lpot_space *space = NULL;
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, &err));
  CHECK(lpot_quant_ops_new_dynamic(graph, bound, &ops, &err));
  const int64_t sampling_sizes[] = {100, 200};
  const lpot_wishes wishes = {.num_sampling_sizes = 2,
                              .sampling_sizes = sampling_sizes,
                              .scale_propagation_concat = true,
                              .first_conv_or_matmul_quantization = true,
                              .model_wise.activation.algorithm = {.count = 1, .values = {LPOT_KL}}};
  CHECK(lpot_space_new(ops, &wishes, &space, &err));
  assert_true(lpot_space_is_dynamic(space));
  assert_int_equal(lpot_space_num_sampling_sizes(space), 1);
  assert_int_equal(lpot_space_sampling_size(space, 0), 0);
  assert_false(lpot_space_scale_propagation_concat(space));
  assert_int_equal(lpot_space_num_ops(space), 1);
  assert_int_equal(lpot_space_get(space, 0)->num_quantized, 2); /* weight granularities */
  assert_int_equal(lpot_space_num_warnings(space), 2);
  assert_non_null(strstr(lpot_space_warning(space, 0), "kl is not possible for MatMul, dropped"));
  lpot_space_free(space);
  lpot_quant_ops_free(ops);
  lpot_graph_free(bound);
  lpot_graph_free(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(space_of_dynamic_ops_has_no_calibration),
      cmocka_unit_test(space_of_a_graph_lists_its_quantizable_ops),
  };
  return cmocka_run_group_tests_name("space_graph", tests, NULL, NULL);
}
