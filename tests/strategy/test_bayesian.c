#include "space_fixture.h"

#include <math.h>

#include "strategy/gaussian_process.h"

#define NUM_OPS 5
#define NUM_POINTS 32 /* 2 options each */

static lpot_space *two_options_each(fixture *ops) {
  static const char *const names[NUM_OPS] = {"a", "b", "c", "d", "e"};
  *ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.dtype = (lpot_choices){3, {LPOT_U8, LPOT_F32, LPOT_S8}};
  for (size_t i = 0; i < NUM_OPS; i++) {
    fixture_add(ops, names[i], "Add", capability);
  }
  return fixture_space(ops);
}

static lpot_strategy *start(const lpot_space *space, uint64_t seed, bool higher_is_better) {
  const lpot_strategy_options options = {
      .seed = seed, .higher_is_better = higher_is_better, .baseline = 0.9, .samples = 1000};
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new("bayesian", space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

static void point_of(const lpot_recipe *recipe, uint16_t *point) {
  for (size_t i = 0; i < NUM_OPS; i++) {
    assert_true(lpot_op_config_is_quantized(&recipe->ops[i]));
    point[i] = recipe->ops[i].activation.dtype == LPOT_S8;
  }
  point[NUM_OPS] = 0;
}

/* s8 costs op i (i + 1) hundredths, and two neighbours in s8 one more. */
static double accuracy_of(const uint16_t *point) {
  double accuracy = 0.9;
  for (size_t i = 0; i < NUM_OPS; i++) {
    accuracy -= point[i] * 0.01 * (double)(i + 1);
    accuracy -= i > 0 && point[i] == 1 && point[i - 1] == 1 ? 0.01 : 0;
  }
  return accuracy;
}

/* The largest upper bound of all recipes that were not seen. */
static double best_bound(const lpot_observations *seen) {
  lpot_gaussian_process *process = NULL;
  double best = -(double)INFINITY;
  assert_int_equal(lpot_gaussian_process_new(seen, &process, NULL), LPOT_OK);
  for (unsigned bits = 0; bits < NUM_POINTS; bits++) {
    uint16_t point[NUM_OPS + 1] = {0};
    double mean = 0;
    double deviation = 0;
    for (unsigned i = 0; i < NUM_OPS; i++) {
      point[i] = (bits >> i) & 1;
    }
    lpot_gaussian_process_predict(process, point, &mean, &deviation);
    if (!lpot_observations_has(seen, point)) {
      best = fmax(best, mean + 2.576 * deviation);
    }
  }
  lpot_gaussian_process_free(process);
  return best;
}

static double bound_of(const lpot_observations *seen, const uint16_t *point) {
  lpot_gaussian_process *process = NULL;
  double mean = 0;
  double deviation = 0;
  assert_int_equal(lpot_gaussian_process_new(seen, &process, NULL), LPOT_OK);
  lpot_gaussian_process_predict(process, point, &mean, &deviation);
  lpot_gaussian_process_free(process);
  return mean + 2.576 * deviation;
}

static void every_demand_has_the_largest_upper_bound(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = two_options_each(&ops);
  lpot_strategy *strategy = start(space, 7, true);
  lpot_observations seen = {.num_dims = NUM_OPS + 1};
  size_t by_model = 0;
  for (;;) {
    lpot_demand demand = {0};
    uint16_t point[NUM_OPS + 1];
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    if (demand.recipe == NULL) {
      break;
    }
    point_of(demand.recipe, point);
    lpot_recipe_free(demand.recipe);
    assert_false(lpot_observations_has(&seen, point));
    if (demand.stage == LPOT_STAGE_MODEL) {
      by_model++;
      assert_true(bound_of(&seen, point) >= best_bound(&seen));
    }
    assert_int_equal(lpot_observations_reserve(&seen, 1, NULL), LPOT_OK);
    lpot_observations_add(&seen, point, accuracy_of(point), 0);
    const lpot_result result = {.valid = true, .accuracy = accuracy_of(point), .samples = 1000};
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  assert_int_equal(seen.count, NUM_POINTS);
  assert_int_equal(by_model, NUM_POINTS - 2);
  lpot_observations_done(&seen);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* Demands until the best recipe, all u8, is found. */
static size_t demands_to_best(const lpot_space *space, uint64_t seed, bool higher) {
  lpot_strategy *strategy = start(space, seed, higher);
  size_t count = 0;
  bool found = false;
  while (!found) {
    lpot_demand demand = {0};
    uint16_t point[NUM_OPS + 1];
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_non_null(demand.recipe);
    point_of(demand.recipe, point);
    lpot_recipe_free(demand.recipe);
    count++;
    found = accuracy_of(point) == 0.9;
    double accuracy = higher ? accuracy_of(point) : 1 - accuracy_of(point);
    const lpot_result result = {.valid = count != 2, .accuracy = accuracy, .samples = 1000};
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  lpot_strategy_free(strategy);
  return count;
}

/* Draws alone need 16.5 of the 32 recipes in the mean. */
static void the_best_is_found_early_in_both_senses(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = two_options_each(&ops);
  size_t higher = 0;
  size_t lower = 0;
  for (uint64_t seed = 0; seed < 20; seed++) {
    higher += demands_to_best(space, seed, true);
    lower += demands_to_best(space, seed, false);
  }
  assert_true(higher <= 20 * 8);
  assert_true(lower <= 20 * 8);
  lpot_space_free(space);
}

/* Hints change nothing, and the next demand is often among them. */
static void hints_are_good_guesses(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = two_options_each(&ops);
  lpot_strategy *plain = start(space, 3, true);
  lpot_strategy *hinted = start(space, 3, true);
  size_t hits = 0;
  uint64_t ahead[4] = {0};
  size_t num_ahead = 0;
  for (size_t trial = 0; trial < 20; trial++) {
    lpot_demand demand = {0};
    lpot_demand same = {0};
    uint16_t point[NUM_OPS + 1];
    lpot_recipe *hints[4] = {0};
    assert_int_equal(lpot_strategy_next(plain, &demand, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_next(hinted, &same, NULL), LPOT_OK);
    uint64_t hash = lpot_recipe_hash(demand.recipe);
    assert_true(hash == lpot_recipe_hash(same.recipe));
    for (size_t i = 0; i < num_ahead; i++) {
      hits += ahead[i] == hash;
    }
    assert_int_equal(lpot_strategy_hints(hinted, 4, hints, NULL, &num_ahead, NULL), LPOT_OK);
    for (size_t i = 0; i < num_ahead; i++) {
      ahead[i] = lpot_recipe_hash(hints[i]);
      assert_true(ahead[i] != hash);
      lpot_recipe_free(hints[i]);
    }
    point_of(demand.recipe, point);
    lpot_recipe_free(demand.recipe);
    lpot_recipe_free(same.recipe);
    const lpot_result result = {.valid = true, .accuracy = accuracy_of(point), .samples = 1000};
    assert_int_equal(lpot_strategy_tell(plain, &result, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_tell(hinted, &result, NULL), LPOT_OK);
  }
  assert_true(hits >= 8);
  lpot_strategy_free(plain);
  lpot_strategy_free(hinted);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_demand_has_the_largest_upper_bound),
      cmocka_unit_test(the_best_is_found_early_in_both_senses),
      cmocka_unit_test(hints_are_good_guesses),
  };
  return cmocka_run_group_tests_name("bayesian", tests, NULL, NULL);
}
