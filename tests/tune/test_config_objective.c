#include "config_fixture.h"

static void config_reads_weighted_objectives(void **state) {
  (void)state;
  lpot_config *config = good(
      MINIMAL "tuning: {objective: {performance: 0.5, accuracy: 2}, exit_policy: {timeout: 9}}\n");
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_PERFORMANCE] == 0.5);
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_ACCURACY] == 2);
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_MODELSIZE] == 0);
  assert_int_equal(config->num_warnings, 0);
  lpot_config_free(config);
  config = good(MINIMAL "tuning: {objective: footprint, exit_policy: {timeout: 9}}\n");
  assert_true(lpot_objectives_are(&config->objectives, LPOT_OBJECTIVE_FOOTPRINT));
  lpot_config_free(config);
  config = good(MINIMAL "tuning: {objective: {accuracy: 3, modelsize: 0}}\n");
  assert_true(lpot_objectives_are(&config->objectives, LPOT_OBJECTIVE_ACCURACY));
  assert_true(lpot_config_compares(config)); /* also with timeout 0 */
  assert_int_equal(config->num_warnings, 0);
  lpot_config_free(config);
}

static void config_reads_the_multi_objectives_of_lpots_successor(void **state) {
  (void)state;
  lpot_config *config =
      good(MINIMAL "tuning:\n"
                   "  multi_objectives: {objective: [accuracy, performance], higher_is_better: "
                   "[True, False], weight: [0.8, 0.2]}\n"
                   "  exit_policy: {timeout: 9}\n");
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_ACCURACY] == 0.8);
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_PERFORMANCE] == 0.2);
  assert_int_equal(config->num_warnings, 0);
  assert_null(config->bf16);
  lpot_config_free(config);
  config =
      good(MINIMAL "tuning: {multi_objectives: {objective: 'modelsize accuracy', weight: }}\n");
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_MODELSIZE] == 1);
  assert_true(config->objectives.weights[LPOT_OBJECTIVE_ACCURACY] == 1);
  lpot_config_free(config);
}

static void objectives_are_refused_with_place_and_nearest_name(void **state) {
  (void)state;
  assert_refused(MINIMAL "tuning: {objective: modelsise}\n",
                 "conf.yaml:6:21: tuning.objective: expected one of performance|got 'modelsise' "
                 "(did you mean 'modelsize'?)");
  assert_refused(MINIMAL "tuning: {objective: {accurracy: 1}}\n",
                 "conf.yaml:6:22: tuning.objective.accurracy: unknown key|'accuracy'");
  assert_refused(MINIMAL "tuning: {objective: {accuracy: -1}}\n",
                 "tuning.objective.accuracy: expected a weight from 0 to 1000000, got -1");
  assert_refused(MINIMAL "tuning: {objective: {accuracy: 1e308, modelsize: 1e308}}\n",
                 "conf.yaml:6:32: tuning.objective.accuracy: expected a weight from 0 to 1000000, "
                 "got 1e+308");
  assert_refused(MINIMAL "tuning: {objective: {accuracy: 0}}\n",
                 "tuning.objective: expected a weight above 0, got none");
  assert_refused(MINIMAL "tuning: {objective: {}}\n",
                 "tuning.objective: expected a weight above 0, got none");
  assert_refused(MINIMAL "tuning: {objective: [accuracy]}\n", "tuning.objective: expected");
  assert_refused(MINIMAL
                 "tuning:\n  objective: accuracy\n  multi_objectives: {objective: accuracy}\n",
                 "conf.yaml:8:3: tuning.multi_objectives: expected objective or multi_objectives, "
                 "got both (objective in line 7)");
  assert_setting_refused(MINIMAL "tuning:\n  multi_objectives: {objective: accuracy}\n",
                         "tuning.objective", "accuracy",
                         "conf.yaml:7:3: tuning.multi_objectives: expected objective or "
                         "multi_objectives, got both (objective by --set tuning.objective)");
  assert_refused(MINIMAL "tuning: {multi_objectives: {weight: [1]}}\n",
                 "tuning.multi_objectives: missing: objective");
  assert_refused(MINIMAL
                 "tuning: {multi_objectives: {objective: [accuracy, modelsize], weight: 1}}\n",
                 "tuning.multi_objectives.weight: expected 2 weights, one for each objective (in "
                 "line 6), got 1");
  assert_refused(MINIMAL "tuning: {multi_objectives: {objective: accuracy, higher_is_better: [yes, "
                         "no]}}\n",
                 "higher_is_better: expected 1 booleans|got 2");
  assert_refused(MINIMAL "tuning: {multi_objectives: {objective: [accuracy, modelsize], "
                         "higher_is_better: [yes]}}\n",
                 "higher_is_better: expected 2 booleans|got 1");
  assert_refused(MINIMAL "tuning: {multi_objectives: {objective: acuracy, weigth: 1}}\n",
                 "did you mean 'accuracy'|tuning.multi_objectives.weigth: unknown key|'weight'");
  assert_refused(MINIMAL "tuning: {multi_objectives: {objective: accuracy, weight: -1}}\n",
                 "expected a weight from 0 to 1000000, got -1");
  assert_refused(MINIMAL "tuning: {multi_objectives: {objective: accuracy, weight: 1e7}}\n",
                 "expected a weight from 0 to 1000000, got 1e+07");
  assert_refused(MINIMAL "tuning: {multi_objectives: {objective: accuracy, weight: 0}}\n",
                 "weight: expected a weight above 0, got none");
}

static void objectives_that_decide_nothing_give_a_warning(void **state) {
  (void)state;
  assert_warned(MINIMAL "tuning: {objective: modelsize}\n",
                "conf.yaml:6:10: tuning.objective: it has no effect beside exit_policy.timeout 0");
  assert_warned(MINIMAL "tuning: {objective: {performance: 1, accuracy: 1}}\n", "timeout 0");
  assert_warned(MINIMAL "tuning: {objective: accuracy, exit_policy: {performance_only: yes}}\n",
                "it has no effect beside performance_only");
  assert_warned(MINIMAL "tuning: {multi_objectives: {objective: [performance, accuracy], "
                        "higher_is_better: [true, true]}, exit_policy: {timeout: 1}}\n",
                "higher_is_better[0]: true is ignored: less performance is better");
  assert_warned(MINIMAL
                "tuning: {multi_objectives: {objective: accuracy, higher_is_better: false}}\n",
                "false is ignored: tuning.accuracy_criterion.higher_is_better");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(config_reads_weighted_objectives),
      cmocka_unit_test(config_reads_the_multi_objectives_of_lpots_successor),
      cmocka_unit_test(objectives_are_refused_with_place_and_nearest_name),
      cmocka_unit_test(objectives_that_decide_nothing_give_a_warning),
  };
  return cmocka_run_group_tests_name("config_objective", tests, NULL, NULL);
}
