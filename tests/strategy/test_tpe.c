#include "space_fixture.h"

#include <math.h>

#include "strategy/tpe.h"

#define NUM_OPS 8

/* 2 options each: quantized or f32. */
static lpot_space *eight_ops(fixture *ops) {
  static const char *const names[NUM_OPS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  *ops = fixture_new();
  for (size_t i = 0; i < NUM_OPS; i++) {
    fixture_add(ops, names[i], "Add", small_capability(false));
  }
  return fixture_space(ops);
}

static const lpot_strategy_options plain = {.seed = 4,
                                            .higher_is_better = true,
                                            .baseline = 0.9,
                                            .samples = 1000,
                                            .accuracy_weight = 1,
                                            .latency_weight = 1};

static lpot_strategy *start(const lpot_space *space, uint64_t seed) {
  lpot_strategy_options options = plain;
  options.seed = seed;
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new("tpe", space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

static void assert_loss(const lpot_strategy_options *options, lpot_result result, double share,
                        double expected) {
  result.valid = true;
  assert_true(fabs(lpot_tpe_loss(options, &result, share) - expected) < 1e-9);
}

/* A relative loss of 0.01 counts 10, and so does a speedup of 1 beside one of 2. */
static void losses_are_those_of_lpot(void **state) {
  (void)state;
  const lpot_result misses = {.accuracy = 0.891, .speedup = 2};
  const lpot_result meets = {.accuracy = 0.891, .speedup = 1, .meets = true};
  const lpot_result untimed = {.accuracy = 0.891, .meets = true};
  assert_loss(&plain, misses, 0.5, 10 + 80);
  assert_loss(&plain, meets, 0.5, 10);
  assert_loss(&plain, untimed, 1, 0);
  assert_loss(&plain, untimed, 0, 10);
  lpot_strategy_options options = plain;
  options.latency_weight = 3;
  options.accuracy_weight = 2;
  assert_loss(&options, misses, 0, 20 + 80);
  assert_loss(&options, meets, 0, 30);
  options.latency_weight = 0;
  options.accuracy_weight = 0;
  assert_loss(&options, misses, 0, 10 + 80);
  assert_loss(&options, meets, 0, 0);
}

static void lower_is_better_and_failures_are_the_worst(void **state) {
  (void)state;
  lpot_strategy_options options = plain;
  options.higher_is_better = false;
  options.baseline = -2;
  const lpot_result worse = {.accuracy = -1.98, .speedup = 2};
  assert_loss(&options, worse, 0, 10 + 80);
  options.baseline = 0;
  const lpot_result absolute = {.accuracy = 0.01, .speedup = 2};
  assert_loss(&options, absolute, 0, 10 + 80);
  const lpot_result huge = {.valid = true, .accuracy = 1e300, .speedup = 2};
  assert_true(isfinite(lpot_tpe_loss(&options, &huge, 0)));
  const lpot_result failed = {.valid = false};
  assert_true(isinf(lpot_tpe_loss(&options, &failed, 0)));
}

/* Ops 0 and 5 must stay f32; every other op in f32 costs time only. */
static lpot_result answer(const lpot_recipe *recipe) {
  double accuracy = 0.9;
  accuracy -= lpot_op_config_is_quantized(&recipe->ops[0]) ? 0.2 : 0;
  accuracy -= recipe->num_ops > 5 && lpot_op_config_is_quantized(&recipe->ops[5]) ? 0.1 : 0;
  return (lpot_result){
      .valid = true, .accuracy = accuracy, .samples = 1000, .meets = accuracy > 0.89};
}

static void the_first_is_uniform_and_none_comes_twice(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "Add", small_capability(false));
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, 1);
  uint64_t hashes[4];
  for (size_t i = 0; i < 4; i++) {
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_non_null(demand.recipe);
    hashes[i] = lpot_recipe_hash(demand.recipe);
    assert_true(i > 0 || lpot_recipe_num_quantized(demand.recipe) == 2);
    for (size_t j = 0; j < i; j++) {
      assert_true(hashes[i] != hashes[j]);
    }
    lpot_result result = answer(demand.recipe);
    lpot_recipe_free(demand.recipe);
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  assert_demand(strategy, 0, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* After 10 drawn trials the best ops' settings are tried far more often than by chance, 1 in 4. */
static void the_model_prefers_what_was_good(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = eight_ops(&ops);
  size_t accepted = 0;
  for (uint64_t seed = 0; seed < 10; seed++) {
    lpot_strategy *strategy = start(space, seed);
    for (size_t trial = 0; trial < 50; trial++) {
      lpot_demand demand = {0};
      assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
      assert_int_equal(demand.stage, trial < 10 ? LPOT_STAGE_SAMPLE : LPOT_STAGE_MODEL);
      lpot_result result = answer(demand.recipe);
      accepted += trial >= 10 && result.meets;
      lpot_recipe_free(demand.recipe);
      assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
    }
    lpot_strategy_free(strategy);
  }
  assert_true(accepted > 200);
  lpot_space_free(space);
}

/* Demands a trial, answers whether it meets, and tells which ops are in f32. */
static void demand_bits(lpot_strategy *strategy, bool meets, bool *f32) {
  lpot_demand demand = {0};
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  assert_non_null(demand.recipe);
  for (size_t i = 0; i < NUM_OPS; i++) {
    f32[i] = !lpot_op_config_is_quantized(&demand.recipe->ops[i]);
  }
  lpot_recipe_free(demand.recipe);
  const lpot_result result = {
      .valid = true, .accuracy = meets ? 0.9 : 0, .samples = 1000, .meets = meets};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
}

/* How often an op of the eleventh trial has the option of the best of ten, which `others` of the
 * nine others have. Two options, so a prior of 1/2 and two draws: 1.5 against 0.5 among the best,
 * others + 0.5 against 9.5 - others elsewhere. The best one's ratio is the larger where others < 7,
 * and then only two draws of the other miss it: 1 - (1/4)^2. The smaller one needs both draws:
 * (3/4)^2. Of equal ratios the first draw stays: 3/4. */
static double chance_of(size_t others) {
  return others < 7 ? 15.0 / 16 : others > 7 ? 9.0 / 16 : 3.0 / 4;
}

/* What is drawn is the best one itself with the product of the chances, and is drawn again then. */
static void options_come_as_often_as_the_frequencies_say(void **state) {
  (void)state;
  const size_t runs = 2000;
  fixture ops;
  lpot_space *space = eight_ops(&ops);
  double expected = 0;
  double found = 0;
  for (uint64_t seed = 0; seed < runs; seed++) {
    lpot_strategy *strategy = start(space, seed);
    bool f32[11][NUM_OPS];
    const size_t best = 4;
    double chances[NUM_OPS];
    double all = 1;
    for (size_t trial = 0; trial < 11; trial++) {
      demand_bits(strategy, trial == best, f32[trial]);
    }
    for (size_t op = 0; op < NUM_OPS; op++) {
      size_t others = 0;
      for (size_t trial = 0; trial < 10; trial++) {
        others += trial != best && f32[trial][op] == f32[best][op];
      }
      chances[op] = chance_of(others);
      all *= chances[op];
      found += f32[10][op] == f32[best][op];
    }
    for (size_t op = 0; op < NUM_OPS; op++) {
      expected += (chances[op] - all) / (1 - all);
    }
    lpot_strategy_free(strategy);
  }
  /* Four standard deviations of as many fair coins. */
  assert_true(fabs(found - expected) < 4 * sqrt(0.25 * NUM_OPS * (double)runs));
  lpot_space_free(space);
}

/* Two hints are enough: the next demand is always one of them, and they change nothing. */
static void one_of_two_hints_is_demanded(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = eight_ops(&ops);
  lpot_strategy *strategy = start(space, 11);
  lpot_strategy *unhinted = start(space, 11);
  uint64_t ahead[2] = {0};
  size_t num_ahead = 0;
  for (size_t trial = 0; trial < 40; trial++) {
    lpot_demand demand = {0};
    lpot_demand same = {0};
    lpot_recipe *hints[2] = {0};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_next(unhinted, &same, NULL), LPOT_OK);
    uint64_t hash = lpot_recipe_hash(demand.recipe);
    assert_true(hash == lpot_recipe_hash(same.recipe));
    assert_true(trial == 0 || hash == ahead[0] || (num_ahead == 2 && hash == ahead[1]));
    assert_int_equal(lpot_strategy_hints(strategy, 2, hints, NULL, &num_ahead, NULL), LPOT_OK);
    for (size_t i = 0; i < num_ahead; i++) {
      ahead[i] = lpot_recipe_hash(hints[i]);
      lpot_recipe_free(hints[i]);
    }
    lpot_result result = answer(demand.recipe);
    lpot_recipe_free(demand.recipe);
    lpot_recipe_free(same.recipe);
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_tell(unhinted, &result, NULL), LPOT_OK);
  }
  lpot_strategy_free(strategy);
  lpot_strategy_free(unhinted);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(losses_are_those_of_lpot),
      cmocka_unit_test(lower_is_better_and_failures_are_the_worst),
      cmocka_unit_test(the_first_is_uniform_and_none_comes_twice),
      cmocka_unit_test(the_model_prefers_what_was_good),
      cmocka_unit_test(options_come_as_often_as_the_frequencies_say),
      cmocka_unit_test(one_of_two_hints_is_demanded),
  };
  return cmocka_run_group_tests_name("tpe", tests, NULL, NULL);
}
