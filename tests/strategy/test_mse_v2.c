#include "space_fixture.h"

/* *state is a strategy's; it is freed behind the test. */
static int make_four(void **state) {
  *state = quartet_new("mse_v2", true);
  return 0;
}

static int free_four(void **state) {
  quartet_free(*state);
  return 0;
}

static lpot_strategy *strategy_of(void **state) {
  const quartet *four = *state;
  return four->strategy;
}

static void assert_trial(lpot_strategy *strategy, lpot_stage stage, const char *expected,
                         double accuracy, bool meets) {
  assert_answered(strategy, stage, stage == LPOT_STAGE_UNIFORM ? LPOT_RANK : LPOT_DECIDE, expected,
                  accuracy, meets);
}

/* Down over d, b, a; back over b; then d again would be a recipe that failed on the way down. */
static void ops_fall_back_by_error_and_come_back(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  assert_sensed(strategy, "100: q q q f32", 0.10);
  assert_sensed(strategy, "100: q q f32 q", 0.30);
  assert_sensed(strategy, "100: q f32 q q", 0.20);
  assert_sensed(strategy, "100: f32 q q q", 0.10);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q q q f32", 0.2, false);
  assert_sensed(strategy, "100: q q f32 f32", 0.09);
  assert_sensed(strategy, "100: q f32 q f32", 0.05);
  assert_sensed(strategy, "100: f32 q q f32", -1);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q f32 q f32", 0.3, false);
  assert_sensed(strategy, "100: q f32 f32 f32", 0.04);
  assert_sensed(strategy, "100: f32 f32 q f32", 0.03);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 q f32", 0.9, true);
  assert_sensed(strategy, "100: f32 f32 q q", 0.5);
  assert_sensed(strategy, "100: f32 q q f32", 0.04);
  assert_sensed(strategy, "100: q f32 q f32", 0.05);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 q q f32", 0.9, true);
  assert_sensed(strategy, "100: f32 q q q", 0.09);
  assert_sensed(strategy, "100: q q q f32", 0.08);
  assert_demand(strategy, 0, "", 0);
}

static void the_first_success_of_the_uniform_ones_is_the_end(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.9, true);
  assert_demand(strategy, 0, "", 0);
}

static void a_failed_revert_is_the_end(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "Add", small_capability(false));
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = fixture_start("mse_v2", space, true);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q", 0.1, false);
  assert_sensed(strategy, "100: q f32", -1);
  assert_sensed(strategy, "100: f32 q", -1);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q f32", 0.1, false);
  assert_sensed(strategy, "100: f32 f32", 0);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32", 0.9, true);
  assert_sensed(strategy, "100: f32 q", 0.2);
  assert_sensed(strategy, "100: q f32", 0.3);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 q", 0.2, false);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* The second uniform recipe is the better one where lower is better. */
static void the_start_is_the_better_uniform_recipe(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.algorithm = (lpot_choices){2, {LPOT_MINMAX, LPOT_KL}};
  fixture_add(&ops, "a", "Add", capability);
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = fixture_start("mse_v2", space, false);
  for (int i = 0; i < 2; i++) {
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_int_equal(demand.recipe->ops[0].activation.algorithm, i == 0 ? LPOT_MINMAX : LPOT_KL);
    lpot_recipe_free(demand.recipe);
    const lpot_result result = {.valid = true, .accuracy = i == 0 ? 5 : 4, .samples = 1000};
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  assert_sensed(strategy, "100: f32", 0.1);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32", 3, true);
  assert_demand(strategy, 0, "", 0); /* The last op that fell back stays. */
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void hints_name_the_whole_round_and_the_next(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_hints(strategy, 9, "100: q q q q");
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  assert_hints(strategy, 9, "100: q q q f32|100: q q f32 q|100: q f32 q q|100: f32 q q q");
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  assert_hints(strategy, 2, "100: q q f32 q|100: q f32 q q");
  const lpot_result result = {.valid = true, .error = 0.1};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  assert_sensed(strategy, "100: q q f32 q", 0.2);
  assert_sensed(strategy, "100: q f32 q q", 0.2);
  assert_sensed(strategy, "100: f32 q q q", 0.2);
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  assert_hints(strategy, 9, "100: q q f32 f32|100: q f32 q f32|100: f32 q q f32");
}

static void all_variants_of_the_first_size_are_tried_first(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add_corrections(&ops);
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = fixture_start("mse_v2", space, true);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100 (cross_layer_equalization): q", 0.1, false);
  assert_hints(
      strategy, 16,
      "100: q|100 (bias_correction, cross_layer_equalization): q|100 (bias_correction): q");
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100 (bias_correction, cross_layer_equalization): q",
               0.4, false);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100 (bias_correction): q", 0.3, false);
  assert_sensed(strategy, "100 (bias_correction, cross_layer_equalization): f32", 0.1);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_variants_of_the_first_size_are_tried_first),
      cmocka_unit_test_setup_teardown(ops_fall_back_by_error_and_come_back, make_four, free_four),
      cmocka_unit_test_setup_teardown(the_first_success_of_the_uniform_ones_is_the_end, make_four,
                                      free_four),
      cmocka_unit_test(a_failed_revert_is_the_end),
      cmocka_unit_test(the_start_is_the_better_uniform_recipe),
      cmocka_unit_test_setup_teardown(hints_name_the_whole_round_and_the_next, make_four,
                                      free_four),
  };
  return cmocka_run_group_tests_name("mse_v2", tests, NULL, NULL);
}
