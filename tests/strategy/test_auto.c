#include "space_fixture.h"

/* *state is a strategy's; it is freed behind the test. */
static int make_four(void **state) {
  *state = quartet_new("auto", true);
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
  assert_answered(strategy, stage, LPOT_DECIDE, expected, accuracy, meets);
}

/* The damages of a, b, c, d are 0.2, 0, 0.5, 0.1. */
static void sense_four(lpot_strategy *strategy) {
  assert_sensed(strategy, "100: f32 f32 f32 q", 0.1);
  assert_sensed(strategy, "100: f32 f32 q f32", 0.5);
  assert_sensed(strategy, "100: f32 q f32 f32", 0);
  assert_sensed(strategy, "100: q f32 f32 f32", 0.2);
}

static void a_uniform_recipe_that_meets_is_the_end(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_hints(strategy, 9, "100: q q q q");
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.9, true);
  assert_hints(strategy, 9, "");
  assert_demand(strategy, 0, "", 0);
  assert_false(lpot_strategy_wants_costs(strategy));
}

/* Path c, a, d, b: 1 and 2 steps miss, 4 meet. */
static void miss_but_with_all_in_f32(lpot_strategy *strategy) {
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  sense_four(strategy);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q q f32 q", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 q", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32", 0.9, true);
}

/* 3 steps meet; then a and c are made int8 again. */
static void the_path_is_searched_and_then_reverted(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  miss_but_with_all_in_f32(strategy);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 f32", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: q q f32 f32", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 q q f32", 0.9, true);
  assert_demand(strategy, 0, "", 0);
}

/* All four are needed. d, then a, then c would be made int8 again. */
static void two_misses_in_a_row_end_the_reverts(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  miss_but_with_all_in_f32(strategy);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 f32", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 f32 f32 q", 0.2, false);
  assert_hints(strategy, 9, "100: q f32 f32 f32|100: q f32 q f32");
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: q f32 f32 f32", 0.2, false);
  assert_demand(strategy, 0, "", 0);
}

/* What is kept in between forgets the misses before it. Damages fall from a to e; all fall back. */
static void misses_apart_do_not_end_the_reverts(void **state) {
  (void)state;
  fixture ops = fixture_new();
  static const char *const names[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < 5; i++) {
    fixture_add(&ops, names[i], "Add", small_capability(false));
  }
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = fixture_start("auto", space, true);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q q", 0.1, false);
  assert_sensed(strategy, "100: f32 f32 f32 f32 q", 0.1);
  assert_sensed(strategy, "100: f32 f32 f32 q f32", 0.2);
  assert_sensed(strategy, "100: f32 f32 q f32 f32", 0.3);
  assert_sensed(strategy, "100: f32 q f32 f32 f32", 0.4);
  assert_sensed(strategy, "100: q f32 f32 f32 f32", 0.5);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q q q q", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 q q q", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32 q", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32 f32", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 f32 f32 q f32", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 f32 q f32 f32", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 q q f32 f32", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: q f32 q f32 f32", 0.9, true);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void a_path_that_never_meets_ends(void **state) {
  (void)state;
  quartet *four = quartet_new("auto", false);
  lpot_strategy *strategy = four->strategy;
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 9, false);
  sense_four(strategy);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q q f32 q", 8, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 q", 8, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32", 8, false);
  assert_demand(strategy, 0, "", 0);
  quartet_free(four);
}

/* Costs are asked for once, before the first demand. c costs 100 us in f32, all others 2. */
static void costs_change_the_path(void **state) {
  const lpot_op_cost cheap = {.f32_us = 2, .int8_us = 1};
  const lpot_op_cost costs[] = {cheap, cheap, {.f32_us = 100, .int8_us = 1}, cheap};
  lpot_strategy *strategy = strategy_of(state);
  assert_true(lpot_strategy_wants_costs(strategy));
  lpot_strategy_set_costs(strategy, costs);
  assert_false(lpot_strategy_wants_costs(strategy));
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  sense_four(strategy);
  assert_hints(strategy, 9, "");
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q q q", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q q f32", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 f32", 0.9, true);
  /* c was the last step; d saves as much time as a, and does less damage. */
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: f32 q f32 q", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: q q f32 q", 0.2, false);
  assert_demand(strategy, 0, "", 0);
}

static void unknown_costs_are_asked_for_once(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_true(lpot_strategy_wants_costs(strategy));
  lpot_strategy_set_costs(strategy, NULL);
  assert_false(lpot_strategy_wants_costs(strategy));
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  sense_four(strategy);
  assert_false(lpot_strategy_wants_costs(strategy));
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q q f32 q", 0.9, true);
  assert_demand(strategy, 0, "", 0); /* The last op that fell back stays. */
}

/* b and c are faster in f32: they are not tried in int8, not sensed, and not reverted. */
static void what_is_faster_in_f32_is_not_tried(void **state) {
  const lpot_op_cost gains = {.f32_us = 2, .int8_us = 1};
  const lpot_op_cost loses = {.f32_us = 1, .int8_us = 2};
  const lpot_op_cost costs[] = {gains, loses, loses, gains};
  lpot_strategy *strategy = strategy_of(state);
  lpot_strategy_set_costs(strategy, costs);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q f32 f32 q", 0.1, false);
  assert_sensed(strategy, "100: f32 f32 f32 q", 0.1);
  assert_sensed(strategy, "100: q f32 f32 f32", 0.2);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 q", 0.2, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_REVERT, "100: q f32 f32 f32", 0.2, false);
  assert_demand(strategy, 0, "", 0);
}

/* Where memory is the objective. */
static void times_may_be_ignored(void **state) {
  (void)state;
  const lpot_op_cost costs[] = {{.f32_us = 9, .int8_us = 1}, {.f32_us = 1, .int8_us = 2}};
  fixture ops = fixture_new();
  lpot_strategy *strategy = NULL;
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "Add", small_capability(false));
  lpot_space *space = fixture_space(&ops);
  for (int ignores = 0; ignores <= 1; ignores++) {
    const lpot_strategy_options options = {
        .higher_is_better = true, .samples = 1000, .costs = costs, .ignores_latency = ignores == 1};
    assert_int_equal(lpot_strategy_new("auto", space, &options, &strategy, NULL), LPOT_OK);
    assert_false(lpot_strategy_wants_costs(strategy));
    assert_trial(strategy, LPOT_STAGE_UNIFORM, ignores == 1 ? "100: q q" : "100: q f32", 0.9, true);
    lpot_strategy_free(strategy);
  }
  const lpot_strategy_options untimed = {
      .higher_is_better = true, .samples = 1000, .ignores_latency = true};
  assert_int_equal(lpot_strategy_new("auto", space, &untimed, &strategy, NULL), LPOT_OK);
  assert_false(lpot_strategy_wants_costs(strategy));
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q", 0.1, false);
  assert_sensed(strategy, "100: f32 q", 0.1);
  assert_false(lpot_strategy_wants_costs(strategy));
  assert_sensed(strategy, "100: q f32", 0.2);
  assert_true(lpot_strategy_wants_costs(strategy)); /* The path still goes by damage for time. */
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static lpot_space *op_of_algorithms(fixture *ops, lpot_choices algorithms) {
  *ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.algorithm = algorithms;
  fixture_add(ops, "a", "Add", capability);
  return fixture_space(ops);
}

/* Four algorithms of one op: mse is tried, the others are sensed, the two best are tried. The best
 * of the three, by accuracy, is the base. */
static void uniform_recipes_are_tried_by_their_errors(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space =
      op_of_algorithms(&ops, (lpot_choices){4, {LPOT_MINMAX, LPOT_KL, LPOT_PERCENTILE, LPOT_MSE}});
  lpot_strategy *strategy = fixture_start("auto", space, true);
  assert_hints(strategy, 9, "100: u8/asym/percentile|100: u8/asym/kl|100: q");
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/mse", 0.3, false);
  assert_sensed(strategy, "100: u8/asym/percentile", 0.3);
  assert_sensed(strategy, "100: u8/asym/kl", 0.1);
  assert_sensed(strategy, "100: q", 0.2);
  assert_hints(strategy, 9, "100: u8/asym/kl|100: q");
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/kl", 0.5, false);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q", 0.5, false);
  assert_sensed(strategy, "100: u8/asym/kl", 0.1);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32", 0.9, true);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* Nothing by the least squared error is there to be tried first. */
static void without_mse_the_order_is_lpots(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = op_of_algorithms(&ops, (lpot_choices){2, {LPOT_PERCENTILE, LPOT_KL}});
  lpot_strategy *strategy = fixture_start("auto", space, true);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/percentile", 0.3, false);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/kl", 0.9, true);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* Two sampling sizes: the second one's recipe is better, and is what ops fall back from. */
static void all_variants_are_uniform_recipes(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = fixture_start("auto", space, true);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q", 0.3, false);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "20: q", 0.5, false);
  assert_sensed(strategy, "20: q", 0.1);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "20: f32", 0.9, true);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* While the first step is on trial: two steps if it misses, and four or three after those. */
static void hints_are_both_cases_of_each_probe(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  assert_hints(strategy, 3, "100: f32 f32 f32 q|100: f32 f32 q f32|100: f32 q f32 f32");
  sense_four(strategy);
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  assert_hints(strategy, 9, "100: f32 q f32 q|100: f32 f32 f32 f32|100: f32 q f32 f32");
  assert_hints(strategy, 1, "100: f32 q f32 q");
  const lpot_result missed = {.valid = true, .accuracy = 0.1, .samples = 1000};
  assert_int_equal(lpot_strategy_tell(strategy, &missed, NULL), LPOT_OK);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 q", 0.1, false);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 f32 f32 f32", 0.9, true);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: f32 q f32 f32", 0.9, true);
  assert_hints(strategy, 9, "100: q q f32 f32|100: q q q f32|100: f32 q q f32");
}

/* An op that cannot be sensed falls back first. */
static void errors_may_be_unknown(void **state) {
  lpot_strategy *strategy = strategy_of(state);
  assert_trial(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.1, false);
  assert_sensed(strategy, "100: f32 f32 f32 q", 0.5);
  assert_sensed(strategy, "100: f32 f32 q f32", 0.5);
  assert_sensed(strategy, "100: f32 q f32 f32", -1);
  assert_sensed(strategy, "100: q f32 f32 f32", 0.5);
  assert_trial(strategy, LPOT_STAGE_FALLBACK, "100: q f32 q q", 0.9, true);
  assert_demand(strategy, 0, "", 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_uniform_recipe_that_meets_is_the_end, make_four, free_four),
      cmocka_unit_test_setup_teardown(the_path_is_searched_and_then_reverted, make_four, free_four),
      cmocka_unit_test_setup_teardown(two_misses_in_a_row_end_the_reverts, make_four, free_four),
      cmocka_unit_test(misses_apart_do_not_end_the_reverts),
      cmocka_unit_test(a_path_that_never_meets_ends),
      cmocka_unit_test_setup_teardown(costs_change_the_path, make_four, free_four),
      cmocka_unit_test_setup_teardown(unknown_costs_are_asked_for_once, make_four, free_four),
      cmocka_unit_test_setup_teardown(what_is_faster_in_f32_is_not_tried, make_four, free_four),
      cmocka_unit_test(times_may_be_ignored),
      cmocka_unit_test(uniform_recipes_are_tried_by_their_errors),
      cmocka_unit_test(without_mse_the_order_is_lpots),
      cmocka_unit_test(all_variants_are_uniform_recipes),
      cmocka_unit_test_setup_teardown(hints_are_both_cases_of_each_probe, make_four, free_four),
      cmocka_unit_test_setup_teardown(errors_may_be_unknown, make_four, free_four),
  };
  return cmocka_run_group_tests_name("auto", tests, NULL, NULL);
}
