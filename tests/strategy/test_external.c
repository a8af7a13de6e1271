#include "space_fixture.h"

/* Proposes two recipes, and keeps what it is told. */
typedef struct script {
  const lpot_space *space;
  size_t proposed, answered, recalled;
  double last;
  bool fails;
} script;

static lpot_recipe *recipe_number(const lpot_space *space, size_t number) {
  lpot_recipe *recipe = NULL;
  assert_int_equal(lpot_recipe_new(lpot_space_num_ops(space), &recipe, NULL), LPOT_OK);
  recipe->calibration_samples = 100;
  if (number == 0) {
    recipe->ops[0] = lpot_space_get(space, 0)->configs[0];
  }
  return recipe;
}

static lpot_status propose(void *context, lpot_recipe **ret_recipe, lpot_error *err) {
  script *self = context;
  if (self->fails) {
    return LPOT_FAIL(err, LPOT_IO, "gone");
  }
  *ret_recipe = self->proposed == 2 ? NULL : recipe_number(self->space, self->proposed);
  self->proposed++;
  return LPOT_OK;
}

static lpot_status answer(void *context, const lpot_result *result, lpot_error *err) {
  (void)err;
  script *self = context;
  self->answered++;
  self->last = result->accuracy;
  return LPOT_OK;
}

static lpot_status recall(void *context, const lpot_recipe *recipe, const lpot_result *result,
                          lpot_error *err) {
  (void)err;
  script *self = context;
  assert_int_equal(recipe->num_ops, 1);
  self->recalled++;
  self->last = result->accuracy;
  return LPOT_OK;
}

static lpot_status peek(void *context, size_t capacity, lpot_recipe **out, size_t *ret_count,
                        lpot_error *err) {
  (void)err;
  const script *self = context;
  *ret_count = 0;
  for (size_t i = 0; i < 2 && i < capacity; i++) {
    out[(*ret_count)++] = recipe_number(self->space, i);
  }
  return LPOT_OK;
}

static lpot_space *one_op(fixture *ops) {
  *ops = fixture_new();
  fixture_add(ops, "a", "Add", small_capability(false));
  return fixture_space(ops);
}

static lpot_strategy *start(const lpot_space *space, const lpot_proposer *proposer) {
  const lpot_strategy_options options = {
      .higher_is_better = true, .samples = 1000, .proposer = proposer};
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new("external", space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

static void proposals_are_demanded_and_answered(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  script self = {.space = space};
  const lpot_proposer proposer = {&self, propose, answer, recall, peek};
  lpot_strategy *strategy = start(space, &proposer);
  assert_demand(strategy, LPOT_STAGE_PROPOSED, "100: q", 0.5);
  assert_true(self.answered == 1 && self.last == 0.5);
  assert_demand(strategy, LPOT_STAGE_PROPOSED, "100: f32", 0.25);
  assert_true(self.answered == 2 && self.last == 0.25);
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void earlier_trials_are_recalled(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  script self = {.space = space};
  const lpot_proposer proposer = {&self, propose, answer, recall, peek};
  lpot_strategy *strategy = start(space, &proposer);
  const lpot_result result = {.valid = true, .accuracy = 0.75};
  lpot_recipe *recipe = recipe_number(space, 0);
  assert_true(lpot_strategy_recalls("external"));
  assert_int_equal(lpot_strategy_recall(strategy, recipe, &result, NULL), LPOT_OK);
  assert_true(self.recalled == 1 && self.last == 0.75);
  lpot_strategy_free(strategy);
  assert_int_equal(lpot_strategy_new("random", space, &(lpot_strategy_options){0}, &strategy, NULL),
                   LPOT_OK);
  assert_false(lpot_strategy_recalls("random"));
  assert_int_equal(lpot_strategy_recall(strategy, recipe, &result, NULL), LPOT_INTERNAL);
  lpot_recipe_free(recipe);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void hints_are_what_is_proposed_ahead(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  script self = {.space = space};
  const lpot_proposer proposer = {&self, propose, answer, recall, peek};
  lpot_strategy *strategy = start(space, &proposer);
  assert_hints(strategy, 4, "100: q|100: f32");
  assert_hints(strategy, 1, "100: q");
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  lpot_recipe_free(demand.recipe);
  assert_hints(strategy, 4, "100: f32"); /* not what is demanded already */
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void failures_are_passed_on(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = one_op(&ops);
  script self = {.space = space, .fails = true};
  const lpot_proposer proposer = {&self, propose, answer, recall, peek};
  lpot_strategy *strategy = start(space, &proposer);
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_IO);
  assert_null(demand.recipe);
  lpot_strategy_free(strategy);
  strategy = NULL;
  assert_int_equal(
      lpot_strategy_new("external", space, &(lpot_strategy_options){0}, &strategy, NULL),
      LPOT_INVALID);
  assert_null(strategy);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(proposals_are_demanded_and_answered),
      cmocka_unit_test(earlier_trials_are_recalled),
      cmocka_unit_test(hints_are_what_is_proposed_ahead),
      cmocka_unit_test(failures_are_passed_on),
  };
  return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
