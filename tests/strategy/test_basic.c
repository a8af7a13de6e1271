#include <math.h>

#include "base/memory.h"
#include "base/rng.h"
#include "space_fixture.h"

#define MAX_DEMANDS 256

static lpot_strategy *start(const lpot_space *space, bool higher_is_better) {
  const lpot_strategy_options options = {
      .seed = 1, .higher_is_better = higher_is_better, .baseline = 0.9, .samples = 1000};
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new("basic", space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

/* Three ops with one quantized configuration each. */
static lpot_space *three_ops(fixture *ops) {
  *ops = fixture_new();
  fixture_add(ops, "a", "Add", small_capability(false));
  fixture_add(ops, "b", "Add", small_capability(false));
  fixture_add(ops, "c", "Add", small_capability(false));
  return fixture_space(ops);
}

/* Leaves the demand unanswered. */
static void assert_pending(lpot_strategy *strategy, const char *expected) {
  lpot_demand demand = {0};
  char text[256];
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  assert_non_null(demand.recipe);
  recipe_text(demand.recipe, text, sizeof text);
  assert_string_equal(text, expected);
  lpot_recipe_free(demand.recipe);
}

static void answer(lpot_strategy *strategy, double accuracy) {
  const lpot_result result = {.valid = true, .accuracy = accuracy, .samples = 1000};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
}

static void basic_walks_from_uniform_to_fallbacks(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = three_ops(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q", 0.80);
  /* The last op first. */
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q q f32", 0.84);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 q", 0.82);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q q", 0.84);
  /* Order: c, a (equal, tried later), b. c alone is known and kept. */
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 q f32", 0.84);
  /* Not strictly better, so a was undone. */
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: q f32 f32", 0.86);
  /* c and then c + a are known. */
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "100: f32 f32 f32", 0.90);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void basic_falls_back_to_bf16_before_f32(void **state) {
  (void)state;
  fixture ops = fixture_new();
  const lpot_wish wish = {
      .pattern = "MatMul",
      .choices = {.activation = {.dtype = {3, {LPOT_U8, LPOT_BF16, LPOT_F32}}}}};
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "MatMul", bf16_capability(false));
  fixture_add(&ops, "c", "MatMul", bf16_capability(false));
  ops.wishes.num_type_wise = 1;
  ops.wishes.type_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q", 0.80);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q q bf16", 0.81);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q bf16 q", 0.82);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: q bf16 bf16", 0.81);
  /* CUMULATIVE is known. The same again with F32. */
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q q f32", 0.83);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 q", 0.79);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q q", 0.82);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 q f32", 0.84);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 f32 f32", 0.85);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* An op that the configuration keeps in bf16 starts there. */
static void basic_starts_from_bf16_where_int8_is_not_wanted(void **state) {
  (void)state;
  fixture ops = fixture_new();
  const lpot_wish wish = {.pattern = "MatMul",
                          .choices = {.activation = {.dtype = {2, {LPOT_BF16, LPOT_F32}}}}};
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "MatMul", bf16_capability(false));
  ops.wishes.num_type_wise = 1;
  ops.wishes.type_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q bf16", 0.80);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32", 0.81);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 bf16", 0.82);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 f32", 0.83);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void basic_keeps_a_strict_gain(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = three_ops(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q", 0.80);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q q f32", 0.79);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 q", 0.83);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q q", 0.82);
  /* Order: b, a, c. */
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 f32 q", 0.84);
  /* a was kept, and this is the last step of CUMULATIVE too. */
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 f32 f32", 0.9);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void basic_respects_lower_is_better(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = three_ops(&ops);
  lpot_strategy *strategy = start(space, false);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q", 0.30);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q q f32", 0.20);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 q", 0.10);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q q", 0.35);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: q f32 f32", 0.10);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: f32 f32 q", 0.05);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "100: f32 f32 f32", 0.0);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void basic_demands_say_what_they_are_for(void **state) {
  (void)state;
  static const lpot_purpose purposes[] = {
      [LPOT_STAGE_UNIFORM] = LPOT_RANK,
      [LPOT_STAGE_ONE_BY_ONE] = LPOT_RANK,
      [LPOT_STAGE_GREEDY] = LPOT_RANK,
      [LPOT_STAGE_CUMULATIVE] = LPOT_DECIDE,
  };
  static const double accuracies[] = {0.80, 0.84, 0.82, 0.84, 0.84, 0.86, 0.90};
  fixture ops;
  lpot_space *space = three_ops(&ops);
  lpot_strategy *strategy = start(space, true);
  size_t count = 0;
  for (;; count++) {
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    if (demand.recipe == NULL) {
      break;
    }
    assert_int_equal(demand.purpose, purposes[demand.stage]);
    lpot_recipe_free(demand.recipe);
    assert_true(count < sizeof accuracies / sizeof accuracies[0]);
    answer(strategy, accuracies[count]);
  }
  assert_int_equal(count, 7);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void uniform_recipes_come_in_the_ranked_order(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv", "Conv", full_capability(true));
  fixture_add(&ops, "add", "Add", full_capability(false));
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  static const char *const expected[] = {
      "u8/asym/minmax+channel",    "u8/asym/percentile+channel", "u8/asym/kl+channel",
      "u8/asym/mse+channel",       "s8/sym/minmax+channel",      "s8/sym/percentile+channel",
      "s8/sym/kl+channel",         "s8/sym/mse+channel",         "u8/asym/minmax+tensor",
      "u8/asym/percentile+tensor", "u8/asym/kl+tensor",          "u8/asym/mse+tensor",
  };
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    lpot_demand demand = {0};
    char conv[64];
    char add[64];
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    assert_int_equal(demand.stage, LPOT_STAGE_UNIFORM);
    config_text(&demand.recipe->ops[0], conv, sizeof conv);
    config_text(&demand.recipe->ops[1], add, sizeof add);
    assert_string_equal(conv, expected[i]);
    assert_memory_equal(add, expected[i], strlen(add));
    lpot_recipe_free(demand.recipe);
    answer(strategy, 0.5);
  }
  /* Twelve are enough: the fallbacks begin, from the first of equals. */
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32", 0.5);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void op_without_the_tuple_takes_its_first_quantized_configuration(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices other = full_capability(false);
  other.activation.dtype = (lpot_choices){2, {LPOT_F32, LPOT_S8}};
  other.activation.scheme = (lpot_choices){1, {LPOT_SCHEME_ASYM}};
  other.activation.algorithm = (lpot_choices){2, {LPOT_MSE, LPOT_KL}};
  fixture_add(&ops, "conv", "Conv", small_capability(true));
  fixture_add(&ops, "add", "Add", other);
  other.activation.dtype = (lpot_choices){1, {LPOT_F32}};
  fixture_add(&ops, "mul", "Mul", other);
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  /* Only ops with weights decide which tuples there are. */
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q s8/asym/mse f32", 0.5);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 f32", 0.5);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void best_of_uniform_is_the_most_accurate_and_the_first_of_equals(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.algorithm =
      (lpot_choices){4, {LPOT_MINMAX, LPOT_KL, LPOT_PERCENTILE, LPOT_MSE}};
  fixture_add(&ops, "add", "Add", capability);
  fixture_add(&ops, "mul", "Mul", capability);
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q", 0.5);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/percentile u8/asym/percentile", 0.7);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/kl u8/asym/kl", 0.7);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/mse u8/asym/mse", 0.6);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: u8/asym/percentile f32", 0.5);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void sampling_sizes_are_the_outermost_loop(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.algorithm = (lpot_choices){2, {LPOT_MINMAX, LPOT_KL}};
  fixture_add(&ops, "add", "Add", capability);
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q", 0.5);
  assert_hints(strategy, 16, "100: u8/asym/kl|20: q|20: u8/asym/kl");
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/kl", 0.5);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "20: q", 0.7);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "20: u8/asym/kl", 0.6);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "20: f32", 0.5);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void the_best_variant_is_the_start(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "add", "Add", small_capability(false));
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  ops.wishes.corrections[LPOT_BIAS_CORRECTION] = (lpot_choices){2, {0, 1}};
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q", 0.5);
  assert_hints(strategy, 16, "100 (bias_correction): q|20: q|20 (bias_correction): q");
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100 (bias_correction): q", 0.6);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "20: q", 0.7);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "20 (bias_correction): q", 0.8);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "20 (bias_correction): f32", 0.5);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void failed_trials_count_as_worst(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = small_capability(false);
  capability.activation.algorithm = (lpot_choices){3, {LPOT_MINMAX, LPOT_PERCENTILE, LPOT_KL}};
  fixture_add(&ops, "add", "Add", capability);
  fixture_add(&ops, "mul", "Mul", capability);
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, false);
  const lpot_result failed = {.valid = false, .accuracy = 0};
  assert_pending(strategy, "100: q q");
  assert_int_equal(lpot_strategy_tell(strategy, &failed, NULL), LPOT_OK);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/percentile u8/asym/percentile",
                (double)NAN);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: u8/asym/kl u8/asym/kl", 1e300);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: u8/asym/kl f32", 1);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void when_all_uniform_trials_fail_the_first_is_the_start(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = three_ops(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q q", (double)NAN);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q q f32", (double)NAN);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 q", 0.5);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q q", (double)NAN);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "100: q f32 f32", 0.6);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void op_that_must_be_int8_does_not_fall_back(void **state) {
  (void)state;
  fixture ops = fixture_new();
  const lpot_wish wish = {.pattern = "b", .choices = {.activation = {.dtype = {1, {LPOT_U8}}}}};
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add(&ops, "b", "Add", small_capability(false));
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: q q", 0.5);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q", 0.6);
  assert_demand(strategy, LPOT_STAGE_GREEDY, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void forced_int8_falls_back_all_the_same(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Conv", full_capability(true));
  ops.wishes.model_wise.activation = (lpot_tensor_choices){
      .dtype = {1, {LPOT_S8}}, .scheme = {1, {LPOT_SCHEME_SYM}}, .algorithm = {1, {LPOT_MINMAX}}};
  ops.wishes.model_wise.weight =
      (lpot_tensor_choices){.dtype = {1, {LPOT_S8}}, .granularity = {1, {LPOT_PER_TENSOR}}};
  lpot_space *space = fixture_space(&ops);
  assert_int_equal(lpot_space_get(space, 0)->num_configs, 1);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100: s8/sym/minmax+tensor", 0.5);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32", 0.6);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void space_without_quantizable_ops_gives_one_recipe(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_space *space = fixture_space(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "100:", 0.9);
  assert_demand(strategy, LPOT_STAGE_UNIFORM, "", 0);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

static void hints_name_the_likely_futures(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = three_ops(&ops);
  lpot_strategy *strategy = start(space, true);
  assert_hints(strategy, 16, "100: q q q");
  assert_pending(strategy, "100: q q q");
  assert_hints(strategy, 16, "");
  answer(strategy, 0.80);
  assert_pending(strategy, "100: q q f32");
  assert_hints(strategy, 16, "100: q f32 q|100: f32 q q");
  assert_hints(strategy, 1, "100: q f32 q");
  answer(strategy, 0.84);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: q f32 q", 0.82);
  assert_demand(strategy, LPOT_STAGE_ONE_BY_ONE, "100: f32 q q", 0.83);
  /* Order c, a, b; a is on trial. First if it is undone, then if it is kept. */
  assert_pending(strategy, "100: f32 q f32");
  assert_hints(strategy, 16, "100: q f32 f32|100: f32 f32 f32");
  answer(strategy, 0.84);
  /* Before the next demand the answer is known: a is undone. */
  assert_hints(strategy, 1, "100: q f32 f32");
  assert_pending(strategy, "100: q f32 f32");
  /* All that is left is CUMULATIVE's last step. */
  assert_hints(strategy, 16, "100: f32 f32 f32");
  answer(strategy, 0.8);
  assert_pending(strategy, "100: f32 f32 f32");
  assert_hints(strategy, 16, "");
  answer(strategy, 0.9);
  assert_demand(strategy, LPOT_STAGE_CUMULATIVE, "", 0);
  assert_hints(strategy, 16, "");
  lpot_strategy_free(strategy);
  lpot_space_free(space);
}

/* All demands for accuracies that follow from seed and recipe. */
static size_t run(const lpot_space *space, uint64_t seed, bool with_hints, uint64_t *hashes) {
  lpot_strategy *strategy = start(space, true);
  size_t count = 0;
  for (;;) {
    lpot_demand demand = {0};
    assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
    if (demand.recipe == NULL) {
      break;
    }
    assert_true(count < MAX_DEMANDS);
    hashes[count] = lpot_recipe_hash(demand.recipe);
    lpot_recipe_free(demand.recipe);
    lpot_recipe *hints[7] = {0};
    size_t num_hints = 0;
    if (with_hints) {
      assert_int_equal(lpot_strategy_hints(strategy, 7, hints, NULL, &num_hints, NULL), LPOT_OK);
    }
    for (size_t i = 0; i < num_hints; i++) {
      uint64_t hash = lpot_recipe_hash(hints[i]);
      for (size_t j = 0; j <= count; j++) {
        assert_true(hash != hashes[j]);
      }
      lpot_recipe_free(hints[i]);
    }
    lpot_rng rng;
    lpot_rng_init(&rng, seed ^ hashes[count]);
    answer(strategy, (double)lpot_rng_below(&rng, 20) / 20);
    count++;
  }
  lpot_strategy_free(strategy);
  return count;
}

static void basic_never_demands_twice_and_hints_change_nothing(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 50; seed++) {
    fixture ops = fixture_new();
    fixture_add(&ops, "a", "Conv", full_capability(true));
    fixture_add(&ops, "b", "Add", full_capability(false));
    fixture_add(&ops, "c", "Conv", small_capability(true));
    fixture_add(&ops, "d", "Mul", full_capability(false));
    fixture_add(&ops, "e", "Gemm", full_capability(true));
    ops.sampling_sizes[1] = 10;
    ops.wishes.num_sampling_sizes = 2;
    lpot_space *space = fixture_space(&ops);
    uint64_t plain[MAX_DEMANDS];
    uint64_t hinted[MAX_DEMANDS];
    size_t count = run(space, seed, false, plain);
    assert_int_equal(run(space, seed, true, hinted), count);
    assert_memory_equal(plain, hinted, count * sizeof *plain);
    /* 24 uniform, 5 one by one, at least the last of the cumulative ones. */
    assert_true(count >= 24 + 5 + 1);
    for (size_t i = 0; i < count; i++) {
      for (size_t j = 0; j < i; j++) {
        assert_true(plain[i] != plain[j]);
      }
    }
    lpot_space_free(space);
  }
}

/* Makes a strategy, answers three demands and asks for hints. */
static lpot_status short_run(const lpot_space *space, lpot_strategy **strategy) {
  const lpot_strategy_options options = {.higher_is_better = true};
  const lpot_result result = {.valid = true, .accuracy = 0.5};
  LPOT_TRY(lpot_strategy_new("basic", space, &options, strategy, NULL));
  for (int i = 0; i < 3; i++) {
    lpot_demand demand = {0};
    lpot_recipe *hints[4] = {0};
    size_t count = 0;
    LPOT_TRY(lpot_strategy_next(*strategy, &demand, NULL));
    lpot_recipe_free(demand.recipe);
    LPOT_TRY(lpot_strategy_hints(*strategy, 4, hints, NULL, &count, NULL));
    for (size_t j = 0; j < count; j++) {
      lpot_recipe_free(hints[j]);
    }
    LPOT_TRY(lpot_strategy_tell(*strategy, &result, NULL));
  }
  return LPOT_OK;
}

static void basic_survives_every_failed_allocation(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = three_ops(&ops);
  for (uint64_t n = 1;; n++) {
    lpot_strategy *strategy = NULL;
    lpot_memory_fail_after(n);
    lpot_status status = short_run(space, &strategy);
    lpot_memory_fail_after(0);
    lpot_strategy_free(strategy);
    if (status == LPOT_OK) {
      assert_true(n > 1);
      break;
    }
    assert_int_equal(status, LPOT_NO_MEMORY);
  }
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(basic_walks_from_uniform_to_fallbacks),
      cmocka_unit_test(basic_falls_back_to_bf16_before_f32),
      cmocka_unit_test(basic_starts_from_bf16_where_int8_is_not_wanted),
      cmocka_unit_test(basic_keeps_a_strict_gain),
      cmocka_unit_test(basic_respects_lower_is_better),
      cmocka_unit_test(basic_demands_say_what_they_are_for),
      cmocka_unit_test(uniform_recipes_come_in_the_ranked_order),
      cmocka_unit_test(op_without_the_tuple_takes_its_first_quantized_configuration),
      cmocka_unit_test(best_of_uniform_is_the_most_accurate_and_the_first_of_equals),
      cmocka_unit_test(sampling_sizes_are_the_outermost_loop),
      cmocka_unit_test(the_best_variant_is_the_start),
      cmocka_unit_test(failed_trials_count_as_worst),
      cmocka_unit_test(when_all_uniform_trials_fail_the_first_is_the_start),
      cmocka_unit_test(op_that_must_be_int8_does_not_fall_back),
      cmocka_unit_test(forced_int8_falls_back_all_the_same),
      cmocka_unit_test(space_without_quantizable_ops_gives_one_recipe),
      cmocka_unit_test(hints_name_the_likely_futures),
      cmocka_unit_test(basic_never_demands_twice_and_hints_change_nothing),
      cmocka_unit_test(basic_survives_every_failed_allocation),
  };
  return cmocka_run_group_tests_name("basic", tests, NULL, NULL);
}
