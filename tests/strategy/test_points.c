#include "space_fixture.h"

#include "strategy/points.h"

static lpot_space *two_ops(fixture *ops) {
  *ops = fixture_new();
  lpot_op_choices several = full_capability(true);
  fixture_add(ops, "a", "Conv", several);
  fixture_add(ops, "b", "Add", small_capability(false));
  ops->sampling_sizes[1] = 20;
  ops->wishes.num_sampling_sizes = 2;
  return fixture_space(ops);
}

static void dimensions_are_ops_and_the_variant(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = two_ops(&ops);
  lpot_point_space quantized = lpot_point_space_of(space, false);
  lpot_point_space all = lpot_point_space_of(space, true);
  assert_int_equal(quantized.num_dims, 3);
  assert_int_equal(lpot_point_num_options(&quantized, 0), 2 * 2 * 4 * 2);
  assert_int_equal(lpot_point_num_options(&quantized, 1), 1);
  assert_int_equal(lpot_point_num_options(&quantized, 2), 2);
  assert_int_equal(lpot_point_num_options(&all, 0), 2 * 2 * 4 * 2 + 1);
  assert_int_equal(lpot_point_num_options(&all, 1), 2);
  assert_int_equal(lpot_point_num_options(&all, 2), 1);
  lpot_space_free(space);
}

static void corrections_are_variants(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  fixture_add_corrections(&ops);
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  lpot_space *space = fixture_space(&ops);
  lpot_point_space quantized = lpot_point_space_of(space, false);
  lpot_point_space all = lpot_point_space_of(space, true);
  assert_int_equal(lpot_point_num_options(&quantized, 1), 8);
  assert_int_equal(lpot_point_num_options(&all, 1), 4);
  const uint16_t point[2] = {0, 6};
  lpot_recipe *recipe = NULL;
  char text[128];
  assert_int_equal(lpot_point_recipe(&quantized, point, &recipe, NULL), LPOT_OK);
  recipe_text(recipe, text, sizeof text);
  assert_string_equal(text, "20 (bias_correction, cross_layer_equalization): q");
  lpot_recipe_free(recipe);
  lpot_space_free(space);
}

/* What an op falls back to is an option also where the wishes leave it out; F32 is then the last.
 */
static void the_fallback_is_always_an_option(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "a", "Add", small_capability(false));
  ops.wishes.model_wise.activation.dtype = (lpot_choices){1, {LPOT_U8}};
  lpot_space *space = fixture_space(&ops);
  lpot_point_space points = lpot_point_space_of(space, true);
  assert_int_equal(lpot_space_get(space, 0)->num_configs, 1);
  assert_int_equal(lpot_point_num_options(&points, 0), 2);
  assert_true(lpot_op_config_is_quantized(lpot_point_option(&points, 0, 0)));
  assert_int_equal(lpot_point_option(&points, 0, 1)->activation.dtype, LPOT_F32);
  lpot_space_free(space);
}

static void points_become_recipes(void **state) {
  (void)state;
  fixture ops;
  lpot_space *space = two_ops(&ops);
  lpot_point_space points = lpot_point_space_of(space, true);
  uint16_t point[3] = {99, 99, 99};
  lpot_recipe *recipe = NULL;
  char text[128];
  assert_int_equal(lpot_point_first_uniform(&points, point, NULL), LPOT_OK);
  assert_int_equal(lpot_point_recipe(&points, point, &recipe, NULL), LPOT_OK);
  recipe_text(recipe, text, sizeof text);
  assert_string_equal(text, "100: q q");
  lpot_recipe_free(recipe);
  point[1] = (uint16_t)(1 - point[1]);
  assert_int_equal(lpot_point_recipe(&points, point, &recipe, NULL), LPOT_OK);
  recipe_text(recipe, text, sizeof text);
  assert_string_equal(text, "100: q f32");
  lpot_recipe_free(recipe);
  lpot_space_free(space);
}

static void observations_grow_and_are_found(void **state) {
  (void)state;
  lpot_observations seen = {.num_dims = 2};
  for (uint16_t i = 0; i < 100; i++) {
    const uint16_t point[2] = {i, (uint16_t)(i + 1)};
    assert_int_equal(lpot_observations_reserve(&seen, 1, NULL), LPOT_OK);
    assert_false(lpot_observations_has(&seen, point));
    lpot_observations_add(&seen, point, i, 2.0 * i);
  }
  lpot_observations copy = {0};
  assert_int_equal(lpot_observations_copy(&seen, 5, &copy, NULL), LPOT_OK);
  lpot_observations_done(&seen);
  const uint16_t point[2] = {40, 41};
  assert_true(lpot_observations_has(&copy, point));
  assert_int_equal(copy.count, 100);
  assert_true(copy.values[40] == 40 && copy.noise[40] == 80);
  lpot_observations_done(&copy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dimensions_are_ops_and_the_variant),
      cmocka_unit_test(corrections_are_variants),
      cmocka_unit_test(the_fallback_is_always_an_option),
      cmocka_unit_test(points_become_recipes),
      cmocka_unit_test(observations_grow_and_are_found),
  };
  return cmocka_run_group_tests_name("points", tests, NULL, NULL);
}
