#include "space_fixture.h"

/* The last op may not fall back. */
static lpot_space *four_ops(fixture *ops, const lpot_wish *wish) {
  *ops = fixture_new();
  fixture_add(ops, "a", "Add", bf16_capability(false));
  fixture_add(ops, "b", "Add", small_capability(false));
  fixture_add(ops, "c", "Add", small_capability(false));
  fixture_add(ops, "d", "Add", small_capability(false));
  ops->wishes.num_op_wise = 1;
  ops->wishes.op_wise = wish;
  return fixture_space(ops);
}

static const lpot_wish stays_u8 = {.pattern = "d",
                                   .choices = {.activation = {.dtype = {1, {LPOT_U8}}}}};

static lpot_strategy *start(const lpot_space *space) {
  return fixture_start("mse", space, true);
}

/* Order of fallback: b (cannot be sensed), a (0.3), c (0.1). b helps, a does not, c does. */
static void ops_fall_back_in_the_order_of_their_errors(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = four_ops(&ops, &stays_u8);
  lpot_strategy *strategy = start(space);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.5);
  assert_sensed(strategy, "100: f32 f32 q q", 0.1);
  assert_sensed(strategy, "100: f32 q f32 q", -1);
  assert_sensed(strategy, "100: q f32 f32 q", 0.3);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: q f32 q q", 0.6);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 f32 q q", 0.6);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: q f32 f32 q", 0.7);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "100: f32 f32 f32 q", 0.8);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* Of one op the recipe with it alone is the start: its accuracy and its error are two things. */
static void accuracy_and_error_of_a_recipe_are_not_mixed_up(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q", 0.5);
  assert_sensed(strategy, "100: q", 0.25);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32", 0.6);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void hints_name_what_is_sensed(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = four_ops(&ops, &stays_u8);
  lpot_strategy *strategy = start(space);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q q", 0.5);
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  lpot_recipe *hints[4] = {0};
  lpot_purpose purposes[4] = {0};
  size_t count = 0;
  assert_int_equal(lpot_strategy_hints(strategy, 4, hints, purposes, &count, NULL), LPOT_OK);
  assert_int_equal(count, 2);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(purposes[i], LPOT_SENSE);
    lpot_recipe_free(hints[i]);
  }
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ops_fall_back_in_the_order_of_their_errors),
      cmocka_unit_test(accuracy_and_error_of_a_recipe_are_not_mixed_up),
      cmocka_unit_test(hints_name_what_is_sensed),
  };
  return cmocka_run_group_tests_name("mse", tests, NULL, NULL);
}
