#include "space_fixture.h"

static const lpot_strategy_options options = {.seed = 1, .higher_is_better = true};

static lpot_strategy *start(const lpot_space *space) {
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new("exhaustive", space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

/* Two ops with two quantized configurations, one that stays F32, two sampling sizes. */
static lpot_space *small_space(fixture *ops) {
  *ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.dtype = (lpot_choices){3, {LPOT_U8, LPOT_F32, LPOT_S8}};
  fixture_add(ops, "a", "Add", capability);
  fixture_add(ops, "b", "Add", capability);
  capability.activation.dtype = (lpot_choices){1, {LPOT_F32}};
  fixture_add(ops, "c", "Add", capability);
  ops->sampling_sizes[1] = 20;
  ops->wishes.num_sampling_sizes = 2;
  return fixture_space(ops);
}

static void exhaustive_walks_the_product_last_op_fastest(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = small_space(&ops);
  lpot_strategy *strategy = start(space);
  static const char *const expected[] = {
      "100: q q f32",
      "100: q s8/asym/minmax f32",
      "100: s8/asym/minmax q f32",
      "100: s8/asym/minmax s8/asym/minmax f32",
      "20: q q f32",
      "20: q s8/asym/minmax f32",
      "20: s8/asym/minmax q f32",
      "20: s8/asym/minmax s8/asym/minmax f32",
      "",
      "",
  };
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_demand(strategy, LPOT_STAGE_SAMPLE, expected[i], 0.5);
  }
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void exhaustive_takes_bf16_where_it_is_named(void **state) {
  (void)state;
  fixture ops = fixture_new();
  const lpot_wish wishes[] = {
      {.pattern = "b", .choices = {.activation = {.dtype = {3, {LPOT_U8, LPOT_BF16, LPOT_F32}}}}},
      {.pattern = "c", .choices = {.activation = {.dtype = {2, {LPOT_F32, LPOT_BF16}}}}}};
  fixture_add(&ops, "a", "MatMul", bf16_capability(false));
  fixture_add(&ops, "b", "MatMul", bf16_capability(false));
  fixture_add(&ops, "c", "MatMul", bf16_capability(false));
  ops.wishes.num_op_wise = 2;
  ops.wishes.op_wise = wishes;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space);
  assert_demand(strategy, LPOT_STAGE_SAMPLE, "100: q q bf16", 0.5);
  assert_demand(strategy, LPOT_STAGE_SAMPLE, "100: q bf16 bf16", 0.5);
  assert_demand(strategy, LPOT_STAGE_SAMPLE, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void exhaustive_hints_are_the_next_demands(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = small_space(&ops);
  lpot_strategy *strategy = start(space);
  assert_hints(strategy, 2, "100: q q f32|100: q s8/asym/minmax f32");
  assert_demand(strategy, LPOT_STAGE_SAMPLE, "100: q q f32", 0.5);
  assert_hints(strategy, 3,
               "100: q s8/asym/minmax f32|100: s8/asym/minmax q f32|"
               "100: s8/asym/minmax s8/asym/minmax f32");
  for (int i = 0; i < 6; i++) {
    lpot_demand demand = {0};
    const lpot_result result = {.valid = false};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_int_equal(demand.purpose, LPOT_DECIDE);
    lpot_recipe_free(demand.recipe);
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  assert_hints(strategy, 16, "20: s8/asym/minmax s8/asym/minmax f32");
  assert_hints(strategy, 0, "");
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void exhaustive_with_ops_that_cannot_be_quantized_tries_all_they_have(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.dtype = (lpot_choices){1, {LPOT_F32}};
  fixture_add(&ops, "a", "Add", capability);
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space);
  assert_demand(strategy, LPOT_STAGE_SAMPLE, "100: f32", 0.5);
  assert_demand(strategy, LPOT_STAGE_SAMPLE, "", 0.5);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void exhaustive_walks_all_variants(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add_corrections(&ops);
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space);
  static const char *const expected[] = {"100 (cross_layer_equalization): q",
                                         "100: q",
                                         "100 (bias_correction, cross_layer_equalization): q",
                                         "100 (bias_correction): q",
                                         "20 (cross_layer_equalization): q",
                                         "20: q",
                                         "20 (bias_correction, cross_layer_equalization): q",
                                         "20 (bias_correction): q",
                                         ""};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_demand(strategy, LPOT_STAGE_SAMPLE, expected[i], 0.5);
  }
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exhaustive_walks_the_product_last_op_fastest),
      cmocka_unit_test(exhaustive_walks_all_variants),
      cmocka_unit_test(exhaustive_takes_bf16_where_it_is_named),
      cmocka_unit_test(exhaustive_hints_are_the_next_demands),
      cmocka_unit_test(exhaustive_with_ops_that_cannot_be_quantized_tries_all_they_have),
  };
  return cmocka_run_group_tests_name("exhaustive", tests, NULL, NULL);
}
