#include "config_fixture.h"

/* Of a share it is met whatever happens; nobody knows how large an error may be. */
static void criteria_that_are_always_met_are_warned_of(void **state) {
  (void)state;
  static const struct {
    const char *metric, *absolute;
    bool is_told;
  } cases[] = {{"topk: 1", "1", true},
               {"topk: 1", "100%", true},
               {"topk: 1", "0.99", false},
               {"topk: 1", "1%", false},
               {"Accuracy: ", "2", true},
               {"mAP: ", "1", true},
               {"GLUE: {task: mrpc}", "1", true},
               {"GLUE: {task: cola}", "1", false},
               {"GLUE: {task: cola}", "2", true},
               {"SquadF1: ", "1", false},
               {"SquadF1: ", "100", true},
               {"MSE: ", "1000", false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[512];
    bool is_told = false;
    snprintf(text, sizeof text,
             MODEL "evaluation: {accuracy: {metric: {%s}, " LOADER
                   "}}\ntuning: {accuracy_criterion: {absolute: %s}}\n",
             cases[i].metric, cases[i].absolute);
    lpot_config *config = good(text);
    for (size_t k = 0; k < config->num_warnings; k++) {
      is_told = is_told || strstr(config->warnings[k], "every recipe meets it") != NULL;
    }
    assert_int_equal(is_told, cases[i].is_told);
    lpot_config_free(config);
  }
  assert_warned(MINIMAL "tuning: {accuracy_criterion: {absolute: 1}}\n",
                "conf.yaml:6:31: tuning.accuracy_criterion.absolute: every recipe meets it: the "
                "metric's values are 1 apart at most (a hundredth of that is 0.01)");
}

static void config_rejects_two_criteria_and_a_whole_percent(void **state) {
  (void)state;
  assert_refused(MINIMAL "tuning:\n  accuracy_criterion:\n    relative: 0.01\n    absolute: 0.02\n",
                 "conf.yaml:9:5: tuning.accuracy_criterion.absolute|got both|line 8");
  assert_refused(MINIMAL "tuning: {accuracy_criterion: {relative: 1}}\n", "1%");
}

static void config_target_follows_criterion_and_sense(void **state) {
  (void)state;
  lpot_config *config = good(MINIMAL);
  assert_true(lpot_config_target(config, true, 0.8) == 0.8 - 0.8 * 0.01);
  assert_true(lpot_config_target(config, false, 0.8) == 0.8 + 0.8 * 0.01);
  assert_true(lpot_config_target(config, true, -2.0) == -2.0 - 0.02);
  assert_true(lpot_config_meets(config, true, 1.0, 0.99));
  assert_false(lpot_config_meets(config, true, 1.0, 0.9899));
  assert_true(lpot_config_meets(config, false, 1.0, 1.01));
  assert_false(lpot_config_meets(config, false, 1.0, 1.0101));
  assert_false(lpot_config_meets(config, true, 1.0, (double)NAN));
  assert_false(lpot_config_meets(config, false, 1.0, (double)NAN));
  config->absolute = true;
  config->tolerance = 0.25;
  assert_true(lpot_config_target(config, true, 4.0) == 3.75);
  assert_true(lpot_config_target(config, false, 4.0) == 4.25);
  lpot_config_free(config);
}

static void config_refuses_a_relative_criterion_with_a_baseline_of_0(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_config *config = good(MINIMAL);
  assert_int_equal(lpot_config_check_baseline(config, 0.5, &error), LPOT_OK);
  assert_int_equal(lpot_config_check_baseline(config, 0, &error), LPOT_CONFIG);
  assert_string_equal(error.message,
                      "conf.yaml: the f32 baseline is 0, and a relative criterion means nothing "
                      "with it: give tuning.accuracy_criterion.absolute");
  assert_false(lpot_config_meets(config, true, 0, 0.5));
  assert_false(lpot_config_meets(config, false, 0, 0));
  config->performance_only = true;
  assert_int_equal(lpot_config_check_baseline(config, 0, &error), LPOT_OK);
  lpot_config_free(config);
  config = good(MINIMAL "tuning: {accuracy_criterion: {relative: 0.02}}\n");
  assert_int_equal(lpot_config_check_baseline(config, 0, &error), LPOT_CONFIG);
  assert_non_null(strstr(error.message, "conf.yaml:6:41: tuning.accuracy_criterion.relative: "));
  lpot_config_free(config);
  config = good(MINIMAL "tuning: {accuracy_criterion: {absolute: 0.02}}\n");
  assert_int_equal(lpot_config_check_baseline(config, 0, &error), LPOT_OK);
  assert_true(lpot_config_meets(config, false, 0, 0.01));
  lpot_config_free(config);
}

static void relative_loss_is_positive_when_worse(void **state) {
  (void)state;
  assert_true(lpot_relative_loss(true, 2.0, 1.0) == 0.5);
  assert_true(lpot_relative_loss(false, 2.0, 3.0) == 0.5);
  assert_true(lpot_relative_loss(true, -2.0, -3.0) == 0.5);
  assert_true(isnan(lpot_relative_loss(true, 0.0, 1.0)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(criteria_that_are_always_met_are_warned_of),
      cmocka_unit_test(config_rejects_two_criteria_and_a_whole_percent),
      cmocka_unit_test(config_target_follows_criterion_and_sense),
      cmocka_unit_test(config_refuses_a_relative_criterion_with_a_baseline_of_0),
      cmocka_unit_test(relative_loss_is_positive_when_worse),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
