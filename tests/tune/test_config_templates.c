#include "config_fixture.h"

#include "base/memory.h"
#include "data/metric.h"
#include "data/postprocess.h"

/* A file of configs/. */
static lpot_config *load_template_for(lpot_config_purpose purpose, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s", __FILE__);
  char *slash = strrchr(path, '/');
  assert_non_null(slash);
  snprintf(slash, sizeof path - (size_t)(slash - path), "/../../configs/%s", name);
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_yaml_load(path, &yaml, &error), LPOT_OK);
  if (lpot_config_new_for(purpose, &yaml, &config, NULL, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  for (size_t i = 0; i < config->num_warnings; i++) {
    fail_msg("%s", config->warnings[i]);
  }
  assert_int_equal(lpot_config_check_supported(config, &error), LPOT_OK);
  return config;
}

static lpot_config *load_template(const char *name) {
  return load_template_for(LPOT_CONFIG_TUNE, name);
}

static void all_templates_are_valid(void **state) {
  (void)state;
  lpot_config *config = load_template("dynamic.yaml");
  assert_true(config->dynamic);
  lpot_config_free(config);
  config = load_template("bf16.yaml");
  assert_int_equal(config->wishes.model_wise.activation.dtype.values[0], LPOT_BF16);
  lpot_config_free(config);
}

static void benchmark_template_is_valid(void **state) {
  (void)state;
  lpot_config *config = load_template_for(LPOT_CONFIG_BENCHMARK, "benchmark.yaml");
  assert_string_equal(config->performance.dataset, "dummy");
  assert_int_equal(config->num_instances, 1);
  assert_int_equal(config->cores_per_instance, 1);
  lpot_config_free(config);
}

static void benchmark_needs_data_alone(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *part;
  } cases[] = {{"model: {name: a}\n", "evaluation.performance.dataloader.dataset: missing"},
               {"evaluation: {performance: {configs: {num_of_instance: 0}}}\n", "num_of_instance"},
               {"evaluation: {performance: {configs: {num_of_instance: 3}, " LOADER "}}\n", NULL},
               {"evaluation: {accuracy: {" LOADER "}}\n", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_yaml *yaml = NULL;
    lpot_config *config = NULL;
    lpot_error error = {0};
    const char *text = cases[i].text;
    assert_int_equal(lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, &error), LPOT_OK);
    lpot_status status = lpot_config_new_for(LPOT_CONFIG_BENCHMARK, &yaml, &config, NULL, &error);
    assert_int_equal(status, cases[i].part == NULL ? LPOT_OK : LPOT_CONFIG);
    assert_true(cases[i].part == NULL || strstr(error.message, cases[i].part) != NULL);
    assert_true(config == NULL || config->num_warnings == 0);
    assert_true(config == NULL || strcmp(config->performance.dataset, "CIFAR10") == 0);
    lpot_config_free(config);
  }
}

static void template_is_valid_and_holds_the_defaults(void **state) {
  (void)state;
  lpot_config *config = load_template("ptq.yaml");
  lpot_config *defaults = good(MINIMAL);
  assert_int_equal(config->max_trials, defaults->max_trials);
  assert_int_equal(config->seed, defaults->seed);
  assert_true(config->tolerance == defaults->tolerance);
  assert_int_equal(config->warmup, defaults->warmup);
  assert_false(config->cold_weights);
  assert_false(defaults->cold_weights);
  assert_int_equal(config->iteration, defaults->iteration);
  assert_string_equal(config->strategy, defaults->strategy);
  assert_int_equal(config->export_format, defaults->export_format);
  assert_int_equal(config->wishes.sampling_sizes[0], defaults->wishes.sampling_sizes[0]);
  lpot_config_free(defaults);
  lpot_config_free(config);
}

static void detection_template_is_valid(void **state) {
  (void)state;
  lpot_config *config = load_template("detection.yaml");
  lpot_metric *metric = NULL;
  lpot_postprocess *postprocess = NULL;
  lpot_error err = {0};
  assert_int_equal(config->num_warnings, 0);
  assert_int_equal(lpot_metric_new(config->metric, &metric, &err), LPOT_OK);
  assert_int_equal(lpot_postprocess_new(config->postprocess, &postprocess, &err), LPOT_OK);
  assert_string_equal(config->evaluation.dataset, "COCORaw");
  assert_string_equal(config->calibration.dataset, "ImageFolder");
  lpot_postprocess_free(postprocess);
  lpot_metric_free(metric);
  lpot_config_free(config);
}

static void bert_template_is_valid(void **state) {
  (void)state;
  lpot_config *config = load_template("bert.yaml");
  lpot_metric *metric = NULL;
  lpot_error err = {0};
  assert_int_equal(config->num_warnings, 0);
  assert_int_equal(lpot_metric_new(config->metric, &metric, &err), LPOT_OK);
  assert_string_equal(config->evaluation.dataset, "GLUE");
  assert_int_equal(config->evaluation.batch_size, 8);
  lpot_metric_free(metric);
  lpot_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_templates_are_valid),
      cmocka_unit_test(benchmark_template_is_valid),
      cmocka_unit_test(benchmark_needs_data_alone),
      cmocka_unit_test(template_is_valid_and_holds_the_defaults),
      cmocka_unit_test(detection_template_is_valid),
      cmocka_unit_test(bert_template_is_valid),
  };
  return cmocka_run_group_tests_name("config_templates", tests, NULL, NULL);
}
