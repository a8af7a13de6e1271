#include "space_fixture.h"

#define MAX_DEMANDS 64

static lpot_strategy *start(const lpot_space *space, uint64_t seed) {
  const lpot_strategy_options options = {.seed = seed, .higher_is_better = true};
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new("random", space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

/* 2 sampling sizes x 2 x 2 quantized configurations: 8 recipes. */
static lpot_space *small_space(fixture *ops) {
  *ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.dtype = (lpot_choices){3, {LPOT_U8, LPOT_F32, LPOT_S8}};
  fixture_add(ops, "a", "Add", capability);
  fixture_add(ops, "b", "Add", capability);
  ops->sampling_sizes[1] = 20;
  ops->wishes.num_sampling_sizes = 2;
  return fixture_space(ops);
}

/* Hashes of all demands; with hints asked for before and after each when wanted. */
static size_t run(const lpot_space *space, uint64_t seed, size_t hints, uint64_t *hashes) {
  lpot_strategy *strategy = start(space, seed);
  size_t count = 0;
  for (;;) {
    lpot_recipe *ahead[MAX_DEMANDS] = {0};
    size_t num_ahead = 0;
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_hints(strategy, hints, ahead, NULL, &num_ahead, NULL), LPOT_OK);
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    if (hints > 0 && demand.recipe != NULL) {
      assert_true(num_ahead > 0);
      assert_int_equal(lpot_recipe_hash(ahead[0]), lpot_recipe_hash(demand.recipe));
    }
    for (size_t i = 0; i < num_ahead; i++) {
      lpot_recipe_free(ahead[i]);
    }
    if (demand.recipe == NULL) {
      assert_int_equal(num_ahead, 0);
      break;
    }
    assert_true(count < MAX_DEMANDS);
    hashes[count] = lpot_recipe_hash(demand.recipe);
    count++;
    lpot_recipe_free(demand.recipe);
    const lpot_result result = {.valid = true, .accuracy = 0.5};
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  lpot_strategy_free(strategy);
  return count;
}

static void random_demands_every_recipe_once_and_stops(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = small_space(&ops);
  uint64_t hashes[MAX_DEMANDS];
  size_t count = run(space, 5, 0, hashes);
  assert_int_equal(count, 8);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < i; j++) {
      assert_true(hashes[i] != hashes[j]);
    }
  }
  lpot_space_free(space);
}

static void random_is_decided_by_the_seed(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = small_space(&ops);
  uint64_t first[MAX_DEMANDS];
  uint64_t second[MAX_DEMANDS];
  uint64_t other[MAX_DEMANDS];
  size_t count = run(space, 5, 0, first);
  assert_int_equal(run(space, 5, 0, second), count);
  assert_int_equal(run(space, 6, 0, other), count);
  assert_memory_equal(first, second, count * sizeof *first);
  assert_memory_not_equal(first, other, count * sizeof *first);
  lpot_space_free(space);
}

static void random_hints_are_exact_and_change_nothing(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = small_space(&ops);
  uint64_t plain[MAX_DEMANDS];
  uint64_t hinted[MAX_DEMANDS];
  size_t count = run(space, 9, 0, plain);
  assert_int_equal(run(space, 9, 3, hinted), count);
  assert_memory_equal(plain, hinted, count * sizeof *plain);
  lpot_strategy *strategy = start(space, 9);
  lpot_recipe *ahead[8] = {0};
  size_t num_ahead = 0;
  assert_int_equal(lpot_strategy_hints(strategy, 8, ahead, NULL, &num_ahead, NULL), LPOT_OK);
  assert_int_equal(num_ahead, 8);
  for (size_t i = 0; i < num_ahead; i++) {
    assert_int_equal(lpot_recipe_hash(ahead[i]), plain[i]);
    lpot_recipe_free(ahead[i]);
  }
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void random_draws_quantized_configurations_only(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = small_space(&ops);
  lpot_strategy *strategy = start(space, 3);
  for (int i = 0; i < 8; i++) {
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_int_equal(lpot_recipe_num_quantized(demand.recipe), 2);
    assert_int_equal(demand.stage, LPOT_STAGE_SAMPLE);
    lpot_recipe_free(demand.recipe);
    const lpot_result result = {.valid = false};
    assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
  }
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_demands_every_recipe_once_and_stops),
      cmocka_unit_test(random_is_decided_by_the_seed),
      cmocka_unit_test(random_hints_are_exact_and_change_nothing),
      cmocka_unit_test(random_draws_quantized_configurations_only),
  };
  return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
