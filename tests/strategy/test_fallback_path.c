#include "space_fixture.h"

#include <math.h>

#include "base/memory.h"
#include "strategy/fallback_path.h"

/* x - a - b - c - y, each 10 us in f32 and 4 in int8; 1 us into int8, 2 out of it. */
static const lpot_op_link chain[] = {{LPOT_NO_OP, 0}, {0, 1}, {1, 2}, {2, LPOT_NO_OP}};
static const lpot_op_cost equal_costs[] = {
    {.f32_us = 10, .int8_us = 4, .bf16_us = NAN, .quantize_us = 1, .dequantize_us = 2},
    {.f32_us = 10, .int8_us = 4, .bf16_us = NAN, .quantize_us = 1, .dequantize_us = 2},
    {.f32_us = 10, .int8_us = 4, .bf16_us = NAN, .quantize_us = 1, .dequantize_us = 2},
};

static lpot_space *three_ops(lpot_op_choices capability) {
  static fixture ops;
  ops = fixture_new();
  fixture_add(&ops, "a", "Conv", capability);
  fixture_add(&ops, "b", "Conv", capability);
  fixture_add(&ops, "c", "Conv", capability);
  return fixture_space(&ops);
}

/* All ops in int8. */
static lpot_recipe *base_of(const lpot_space *space) {
  lpot_recipe *recipe = NULL;
  assert_int_equal(lpot_recipe_new(lpot_space_num_ops(space), &recipe, NULL), LPOT_OK);
  for (size_t i = 0; i < recipe->num_ops; i++) {
    const lpot_space_op *op = lpot_space_get(space, i);
    recipe->ops[i] = op->configs[op->quantized[0]];
  }
  return recipe;
}

static lpot_time_model model_of(const lpot_op_cost *costs) {
  lpot_time_model model = {0};
  assert_int_equal(lpot_time_model_init(&model, 3, costs, chain, 4, NULL), LPOT_OK);
  return model;
}

/* Steps as "c b a", those to bf16 as "c'". */
static void assert_path(const lpot_space *space, const lpot_op_cost *costs, const double *damage,
                        const char *expected) {
  lpot_time_model model = model_of(costs);
  lpot_recipe *base = base_of(space);
  lpot_fallback_step *steps = NULL;
  size_t count = 0;
  char text[64] = "";
  assert_int_equal(lpot_fallback_path(space, &model, base, damage, &steps, &count, NULL), LPOT_OK);
  for (size_t i = 0; i < count; i++) {
    size_t used = strlen(text);
    (void)snprintf(text + used, sizeof text - used, "%s%s%s", i == 0 ? "" : " ",
                   lpot_space_get(space, steps[i].op)->name, steps[i].to_f32 ? "" : "'");
  }
  assert_string_equal(text, expected);
  lpot_free(steps);
  lpot_recipe_free(base);
  lpot_time_model_done(&model);
}

static void borders_are_paid_where_precisions_meet(void **state) {
  (void)state;
  lpot_space *space = three_ops(small_capability(true));
  lpot_recipe *recipe = base_of(space);
  lpot_time_model model = model_of(equal_costs);
  assert_true(lpot_time_model_estimate(&model, recipe) == 3 * 4 + 1 + 2);
  recipe->ops[1] = lpot_space_get(space, 1)->fallback;
  assert_true(lpot_time_model_estimate(&model, recipe) == 2 * 4 + 10 + 2 * (1 + 2));
  recipe->ops[0] = lpot_space_get(space, 0)->fallback;
  assert_true(lpot_time_model_estimate(&model, recipe) == 4 + 2 * 10 + 1 + 2);
  lpot_time_model_done(&model);
  model = model_of(NULL); /* Every op that is not int8 counts 1. */
  assert_true(lpot_time_model_estimate(&model, recipe) == 2);
  lpot_time_model_done(&model);
  lpot_recipe_free(recipe);
  lpot_space_free(space);
}

/* a and c cost 6 at first, b in the middle 9; beside c in f32 b costs 6 as a does. */
static void damage_counts_for_time(void **state) {
  (void)state;
  static const double damage[] = {6, 8, 6};
  lpot_space *space = three_ops(small_capability(true));
  assert_path(space, equal_costs, damage, "c b a");
  assert_path(space, NULL, damage, "b c a");
  lpot_space_free(space);
}

/* In f32 op a saves 1 us: it counts as if it cost 0.015, and comes before others that do more
 * damage but for one that does a thousand times as much. */
static void what_costs_nothing_comes_early(void **state) {
  (void)state;
  lpot_op_cost costs[3];
  memcpy(costs, equal_costs, sizeof costs);
  costs[0].f32_us = 3;
  lpot_space *space = three_ops(small_capability(true));
  assert_path(space, costs, (const double[]){1, 100, 2}, "a b c");
  assert_path(space, costs, (const double[]){1, 2, 10000}, "c a b");
  assert_path(space, costs, (const double[]){1, (double)INFINITY, 2}, "b a c");
  lpot_space_free(space);
}

static void bf16_comes_before_f32(void **state) {
  (void)state;
  static const double damage[] = {3, 1, 2};
  lpot_space *space = three_ops(bf16_capability(true));
  lpot_op_choices wish = bf16_capability(true); /* bf16 is a choice only where a wish names it. */
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Conv", bf16_capability(true));
  fixture_add(&ops, "b", "Conv", bf16_capability(true));
  fixture_add(&ops, "c", "Conv", bf16_capability(true));
  lpot_space_free(space);
  ops.wishes.model_wise = wish;
  space = fixture_space(&ops);
  assert_path(space, NULL, damage, "a' c' b' a c b");
  lpot_space_free(space);
}

static void ops_that_must_be_int8_stay(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Conv", small_capability(true));
  fixture_add(&ops, "b", "Conv", small_capability(true));
  fixture_add(&ops, "c", "Conv", small_capability(true));
  const lpot_wish wish = {.pattern = "b", .choices = {.activation = {.dtype = {1, {LPOT_U8}}}}};
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  assert_path(space, NULL, (const double[]){1, 9, 2}, "c a");
  lpot_space_free(space);
}

/* Which ops are left in int8 with these times in f32, and this spread of a: "x" where one is not.
 */
static void assert_fastest_within(const lpot_space *space, double a, double b, double c,
                                  double spread, const char *expected) {
  lpot_op_cost costs[3];
  memcpy(costs, equal_costs, sizeof costs);
  costs[0].f32_us = a;
  costs[1].f32_us = b;
  costs[2].f32_us = c;
  costs[0].spread = spread;
  lpot_time_model model = model_of(costs);
  lpot_recipe *recipe = base_of(space);
  char text[4] = "";
  assert_int_equal(lpot_fallback_fastest(space, &model, recipe, NULL), LPOT_OK);
  for (size_t i = 0; i < 3; i++) {
    text[i] = lpot_op_config_is_quantized(&recipe->ops[i]) ? *lpot_space_get(space, i)->name : 'x';
  }
  assert_string_equal(text, expected);
  lpot_recipe_free(recipe);
  lpot_time_model_done(&model);
}

static void assert_fastest(const lpot_space *space, double a, double b, double c,
                           const char *expected) {
  assert_fastest_within(space, a, b, c, 0, expected);
}

/* All in int8 takes 15. b in f32 saves 4 and costs a border of 3 more. */
static void what_is_faster_in_f32_leaves_int8(void **state) {
  (void)state;
  lpot_space *space = three_ops(small_capability(true));
  assert_fastest(space, 10, 10, 10, "abc");
  assert_fastest(space, 10, 0.5, 10, "axc"); /* 14.5 */
  assert_fastest(space, 10, 0.8, 10, "abc"); /* 14.8: less than 2 % are gained. */
  assert_fastest(space, 3, 10, 10, "xbc");   /* 14: its border goes with it. */
  assert_fastest(space, 4.2, 2, 10, "xxc");  /* 15.2, but then 13.2 */
  assert_fastest(space, 3, 10, 3.98, "xbc"); /* 13.98: for so little c stays. */
  assert_fastest(space, 3, 10, 3.75, "xbc"); /* 13.75: still within 2 % of 15 */
  assert_fastest(space, 3, 10, 3.6, "xbx");  /* 13.6 */
  assert_fastest(space, 3, 3, 3, "abc");     /* f32 takes 9: nothing is gained by int8. */
  assert_fastest(space, 3, 4, 7.1, "abc");   /* f32 takes 14.1, without a and b it is 14. */
  lpot_space_free(space);
}

/* a takes 3 in f32 and 4 in int8, its border 1: as long as 3 + 10 % and 4 - 10 % at 0.1. */
static void times_count_as_they_speak_for_int8(void **state) {
  (void)state;
  lpot_space *space = three_ops(small_capability(true));
  assert_fastest_within(space, 3, 10, 10, 0.1, "xbc");  /* 14.3 in place of 14.6: 2.05 % */
  assert_fastest_within(space, 3, 10, 10, 0.11, "abc"); /* 14.33, 14.56 */
  assert_fastest_within(space, 3, 10, 10, 100, "abc");
  assert_fastest_within(space, 3, 10, 10, (double)NAN, "xbc");
  lpot_space_free(space);
}

/* Without costs nothing is known to be faster. */
static void unknown_times_change_nothing(void **state) {
  (void)state;
  lpot_space *space = three_ops(small_capability(true));
  lpot_time_model model = model_of(NULL);
  lpot_recipe *recipe = base_of(space);
  assert_int_equal(lpot_fallback_fastest(space, &model, recipe, NULL), LPOT_OK);
  assert_int_equal(lpot_recipe_num_quantized(recipe), 3);
  lpot_recipe_free(recipe);
  lpot_time_model_done(&model);
  lpot_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(borders_are_paid_where_precisions_meet),
      cmocka_unit_test(damage_counts_for_time),
      cmocka_unit_test(what_costs_nothing_comes_early),
      cmocka_unit_test(bf16_comes_before_f32),
      cmocka_unit_test(ops_that_must_be_int8_stay),
      cmocka_unit_test(what_is_faster_in_f32_leaves_int8),
      cmocka_unit_test(times_count_as_they_speak_for_int8),
      cmocka_unit_test(unknown_times_change_nothing),
  };
  return cmocka_run_group_tests_name("fallback_path", tests, NULL, NULL);
}
