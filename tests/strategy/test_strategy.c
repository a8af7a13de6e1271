#include "space_fixture.h"

/* For the strategy external: all ops F32, over and over. */
static lpot_status propose(void *context, lpot_recipe **ret_recipe, lpot_error *err) {
  (void)context;
  LPOT_TRY(lpot_recipe_new(1, ret_recipe, err));
  (*ret_recipe)->calibration_samples = 42;
  (*ret_recipe)->reduce_range = true;
  (*ret_recipe)->corrections =
      (lpot_corrections){.bias_correction = true, .cross_layer_equalization = true};
  return LPOT_OK;
}

static lpot_status answer(void *context, const lpot_result *result, lpot_error *err) {
  (void)context;
  (void)result;
  (void)err;
  return LPOT_OK;
}

static const lpot_proposer proposer = {.propose = propose, .answer = answer};
static const lpot_strategy_options options = {
    .seed = 1, .higher_is_better = true, .proposer = &proposer};

static lpot_space *one_op(fixture *ops) {
  *ops = fixture_new();
  fixture_add(ops, "a", "Add", small_capability(false));
  return fixture_space(ops);
}

static void unknown_strategy_is_refused_with_the_nearest_name(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  lpot_strategy *strategy = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_strategy_new("basik", space, &options, &strategy, &error), LPOT_NOT_FOUND);
  assert_non_null(strstr(error.message, "did you mean 'basic'"));
  assert_non_null(strstr(error.message, "expected one of auto, basic, bayesian"));
  assert_null(strategy);
  lpot_space_free(space);
}

static void every_name_makes_a_strategy(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  size_t count = 0;
  for (const char *const *name = lpot_strategy_names(); *name != NULL; name++) {
    lpot_strategy *strategy = NULL;
    assert_int_equal(lpot_strategy_new(*name, space, &options, &strategy, NULL), LPOT_OK);
    lpot_strategy_free(strategy);
    count++;
  }
  assert_int_equal(count, 10);
  lpot_strategy_free(NULL);
  lpot_space_free(space);
}

static void next_and_tell_alternate(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  for (const char *const *name = lpot_strategy_names(); *name != NULL; name++) {
    lpot_strategy *strategy = NULL;
    lpot_demand demand = {0};
    const lpot_result result = {.valid = true, .accuracy = 0.5};
    assert_int_equal(lpot_strategy_new(*name, space, &options, &strategy, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_INTERNAL);
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    lpot_recipe_free(demand.recipe);
    demand.recipe = NULL;
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_INTERNAL);
    assert_null(demand.recipe);
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
    lpot_strategy_free(strategy);
  }
  lpot_space_free(space);
}

static void recipes_carry_the_switches_of_the_space(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  ops.wishes.scale_propagation_concat = false;
  ops.wishes.reduce_range = true;
  ops.wishes.corrections[LPOT_CROSS_LAYER_EQUALIZATION] = (lpot_choices){1, {1}};
  ops.wishes.corrections[LPOT_BIAS_CORRECTION] = (lpot_choices){1, {1}};
  ops.sampling_sizes[0] = 42;
  lpot_space *space = fixture_space(&ops);
  for (const char *const *name = lpot_strategy_names(); *name != NULL; name++) {
    lpot_strategy *strategy = NULL;
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_new(*name, space, &options, &strategy, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_false(demand.recipe->scale_propagation_concat);
    assert_true(demand.recipe->reduce_range);
    assert_true(demand.recipe->corrections.cross_layer_equalization);
    assert_true(demand.recipe->corrections.bias_correction);
    assert_int_equal(demand.recipe->calibration_samples, 42);
    lpot_recipe_free(demand.recipe);
    lpot_strategy_free(strategy);
  }
  lpot_space_free(space);
}

static void stages_have_texts(void **state) {
  (void)state;
  assert_string_equal(lpot_stage_text(LPOT_STAGE_UNIFORM), "uniform");
  assert_string_equal(lpot_stage_text(LPOT_STAGE_GIVEN), "given");
  assert_string_equal(lpot_stage_text(LPOT_NUM_STAGES), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown_strategy_is_refused_with_the_nearest_name),
      cmocka_unit_test(every_name_makes_a_strategy),
      cmocka_unit_test(next_and_tell_alternate),
      cmocka_unit_test(recipes_carry_the_switches_of_the_space),
      cmocka_unit_test(stages_have_texts),
  };
  return cmocka_run_group_tests_name("strategy", tests, NULL, NULL);
}
