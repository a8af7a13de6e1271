#include "quant/quant_fixture.h"

#include "quant/reorders.h"

static uint64_t count(const fixture_model *model) {
  lpot_error err = {0};
  uint64_t reorders = 99;
  CHECK(lpot_quant_count_reorders(model->graph, model->ops, model->recipe, &reorders, &err));
  return reorders;
}

static void f32_has_no_reorders(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(fixture_residual());
  assert_int_equal(count(&model), 0);
  fixture_free(&model);
}

static void whole_network_in_int8_has_one_at_each_end(void **state) {
  (void)state;
  fixture_model model = fixture_model_of(fixture_residual());
  fixture_set_all(&model, &fixture_u8);
  assert_int_equal(count(&model), 2);
  fixture_free(&model);
}

static void single_op_in_int8_pays_for_input_and_output(void **state) {
  (void)state;
  static const uint64_t expected[] = {2, 2, 3, 2}; /* The sum has two inputs. */
  for (size_t i = 0; i < 4; i++) {
    fixture_model model = fixture_model_of(fixture_residual());
    assert_int_equal(lpot_quant_ops_count(model.ops), 4);
    fixture_set(&model, i, &fixture_u8);
    assert_int_equal(count(&model), expected[i]);
    fixture_free(&model);
  }
}

static void op_left_in_f32_adds_its_borders(void **state) {
  (void)state;
  /* conv1: r1 is made in f32 and read by two int8 ops: one border, not two.
   * conv2: r1 leaves, c2 enters. sum: r1 and c2 leave, sum enters behind flatten.
   * gemm: the sum leaves; flatten, behind which nobody needs int8, is f32. */
  static const uint64_t expected[] = {1 + 1, 2 + 2, 2 + 3, 1 + 1};
  for (size_t i = 0; i < 4; i++) {
    fixture_model model = fixture_model_of(fixture_residual());
    lpot_op_config f32 = model.recipe->ops[i];
    fixture_set_all(&model, &fixture_u8);
    model.recipe->ops[i] = f32;
    assert_int_equal(count(&model), expected[i]);
    fixture_free(&model);
  }
}

static void activation_between_int8_ops_is_a_border_both_ways(void **state) {
  (void)state;
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_constant(graph, "w1", DIMS(3, 2, 1, 1), 1);
  lpot_value_id c1 = fixture_node(graph, LPOT_OP_CONV, IDS(x, w1), "c1");
  lpot_value_id s1 = fixture_node(graph, LPOT_OP_SIGMOID, IDS(c1), "s1");
  lpot_value_id w2 = fixture_constant(graph, "w2", DIMS(3, 3, 1, 1), 3);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_CONV, IDS(s1, w2), "c2"));
  fixture_model model = fixture_model_of(graph);
  fixture_set_all(&model, &fixture_u8);
  assert_int_equal(count(&model), 4);
  fixture_free(&model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(f32_has_no_reorders),
      cmocka_unit_test(whole_network_in_int8_has_one_at_each_end),
      cmocka_unit_test(single_op_in_int8_pays_for_input_and_output),
      cmocka_unit_test(op_left_in_f32_adds_its_borders),
      cmocka_unit_test(activation_between_int8_ops_is_a_border_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
