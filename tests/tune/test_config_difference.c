#include "tune/config_fixture.h"

#include "base/memory.h"

static char *identity_of(const lpot_config *config) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_config_text(config, true, &out, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  return (char *)out.data;
}

/* A job of the text old is resumed with fresh and one setting more (NULL: none). */
static void assert_difference(const char *old, const char *fresh, const char *key,
                              const char *value, const char *message) {
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  lpot_error error = {0};
  lpot_config *old_config = good(old);
  char *old_identity = identity_of(old_config);
  assert_int_equal(lpot_yaml_parse("conf.yaml", fresh, strlen(fresh), &yaml, NULL), LPOT_OK);
  if (key != NULL) {
    assert_int_equal(lpot_yaml_set(yaml, key, value, NULL), LPOT_OK);
  }
  assert_int_equal(lpot_config_new(&yaml, &config, NULL, NULL), LPOT_OK);
  char *identity = identity_of(config);
  assert_int_equal(lpot_config_fail_difference(config, old_identity, identity, &error),
                   LPOT_INVALID);
  assert_string_equal(error.message, message);
  lpot_free(old_identity);
  lpot_free(identity);
  lpot_config_free(old_config);
  lpot_config_free(config);
}

#define OTHER "the journal is of another configuration: "

static void the_key_is_named_in_full_with_both_values_and_its_place(void **state) {
  (void)state;
  static const char performance[] = MINIMAL "  performance: {iteration: 10}\n";
  assert_difference(performance, MINIMAL "  performance: {iteration: 20}\n", NULL, NULL,
                    OTHER "evaluation.performance.iteration was '10', is now '20' "
                          "(conf.yaml:6:28)");
  assert_difference(performance, performance, "evaluation.accuracy.iteration", "20",
                    OTHER "evaluation.accuracy.iteration was '-1', is now '20' "
                          "(--set evaluation.accuracy.iteration)");
  assert_difference(performance, performance, "evaluation.performance.iteration", "7",
                    OTHER "evaluation.performance.iteration was '10', is now '7' "
                          "(--set evaluation.performance.iteration)");
}

static void what_only_one_of_them_has_is_not_given_in_the_other(void **state) {
  (void)state;
  static const char absolute[] = MINIMAL "tuning: {accuracy_criterion: {absolute: 0.5}}\n";
  static const char sizes[] = MINIMAL "quantization: {calibration: {sampling_size: [5, 6]}}\n";
  assert_difference(MINIMAL, absolute, NULL, NULL,
                    OTHER "tuning.accuracy_criterion.absolute was not given, is now '0.5' "
                          "(conf.yaml:6:41)");
  assert_difference(absolute, MINIMAL, NULL, NULL,
                    OTHER "tuning.accuracy_criterion.absolute was '0.5', is now not given");
  assert_difference(sizes, sizes, "quantization.calibration.sampling_size", "[5, 6, 7]",
                    OTHER "quantization.calibration.sampling_size[2] was not given, is now '7' "
                          "(--set quantization.calibration.sampling_size)");
  assert_difference(MINIMAL, MINIMAL "quantization: {op_wise: {a.b: {}}}\n", NULL, NULL,
                    OTHER "quantization.op_wise was not given, is now a map (conf.yaml:6:25)");
}

/* The calibration takes its batch size from the evaluation, and stands before it. */
static void what_the_user_wrote_is_named_before_what_follows_from_it(void **state) {
  (void)state;
  assert_difference(MINIMAL, MINIMAL, "evaluation.accuracy.dataloader.batch_size", "4",
                    OTHER "evaluation.accuracy.dataloader.batch_size was '1', is now '4' "
                          "(--set evaluation.accuracy.dataloader.batch_size)");
}

static void texts_that_are_no_trees_or_equal_ones_differ_all_the_same(void **state) {
  (void)state;
  static const char *const texts[] = {"", "[", "a: 1\na: 2", "\x1b"};
  lpot_config *config = good(MINIMAL);
  char *identity = identity_of(config);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    lpot_error error = {0};
    assert_int_equal(lpot_config_fail_difference(config, texts[i], identity, &error), LPOT_INVALID);
    assert_memory_equal(error.message, OTHER, sizeof OTHER - 3);
  }
  lpot_error error = {0};
  assert_int_equal(lpot_config_fail_difference(config, identity, identity, &error), LPOT_INVALID);
  for (uint64_t countdown = 1; countdown < 3; countdown++) {
    lpot_memory_fail_after(countdown);
    assert_int_equal(lpot_config_fail_difference(config, identity, identity, &error),
                     LPOT_NO_MEMORY);
    lpot_memory_fail_after(0);
  }
  lpot_free(identity);
  lpot_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_key_is_named_in_full_with_both_values_and_its_place),
      cmocka_unit_test(what_only_one_of_them_has_is_not_given_in_the_other),
      cmocka_unit_test(what_the_user_wrote_is_named_before_what_follows_from_it),
      cmocka_unit_test(texts_that_are_no_trees_or_equal_ones_differ_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
