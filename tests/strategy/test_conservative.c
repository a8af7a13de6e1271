#include "space_fixture.h"

/* b b a c: in the order of types Conv, Gemm, Add; the last may not fall back. */
static lpot_space *four_types(fixture *ops) {
  *ops = fixture_new();
  fixture_add(ops, "a", "Add", small_capability(false));
  fixture_add(ops, "b", "Conv", small_capability(true));
  fixture_add(ops, "c", "Gemm", small_capability(true));
  fixture_add(ops, "d", "Conv", small_capability(true));
  return fixture_space(ops);
}

static lpot_strategy *start(const lpot_space *space) {
  return fixture_start("conservative", space, true);
}

static void assert_trial(lpot_strategy *strategy, const char *expected, bool meets) {
  assert_answered(strategy, LPOT_STAGE_BY_TYPE, LPOT_DECIDE, expected, 0.5, meets);
}

static void types_that_meet_the_criterion_stay(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = four_types(&ops);
  lpot_strategy *strategy = start(space);
  assert_trial(strategy, "100: f32 q f32 q", true);
  assert_trial(strategy, "100: f32 q q q", false);
  assert_trial(strategy, "100: q q f32 q", true);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void failed_trials_go_back_to_f32(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = four_types(&ops);
  lpot_strategy *strategy = start(space);
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  const lpot_result result = {.valid = false, .meets = true};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  assert_trial(strategy, "100: f32 f32 q f32", true);
  assert_trial(strategy, "100: q f32 q f32", false);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void ops_that_may_not_fall_back_are_quantized_from_the_start(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "Conv", small_capability(true));
  const lpot_wish wish = {.pattern = "a", .choices = {.activation = {.dtype = {1, {LPOT_U8}}}}};
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space);
  assert_trial(strategy, "100: q q", false);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void hints_follow_both_answers(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = four_types(&ops);
  lpot_strategy *strategy = start(space);
  assert_hints(strategy, 1, "100: f32 q f32 q");
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  assert_hints(strategy, 8, "100: f32 q q q|100: q q q q|100: f32 f32 q f32|100: q f32 q f32");
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void the_search_goes_on_after_the_first_success(void **state) {
  (void)state;
  assert_true(lpot_strategy_goes_on("conservative"));
  assert_false(lpot_strategy_goes_on("basic"));
  assert_false(lpot_strategy_goes_on("no such name"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types_that_meet_the_criterion_stay),
      cmocka_unit_test(failed_trials_go_back_to_f32),
      cmocka_unit_test(ops_that_may_not_fall_back_are_quantized_from_the_start),
      cmocka_unit_test(hints_follow_both_answers),
      cmocka_unit_test(the_search_goes_on_after_the_first_success),
  };
  return cmocka_run_group_tests_name("conservative", tests, NULL, NULL);
}
