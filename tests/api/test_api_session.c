#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <lpot/lpot.h>

static lpot_session *session; /* of all tests: a program has one */

static void own_handler(int number) {
  (void)number;
}

static int begin(void **state) {
  (void)state;
  (void)signal(SIGUSR1, own_handler);
  return lpot_start(NULL, NULL, &session, NULL) == LPOT_OK ? 0 : 1;
}

/* Nothing of a session is left: no process, and the program has its own handler. Returns what is.
 */
static int end(void) {
  lpot_finish(session, 0);
  int alone = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
  int restored = signal(SIGUSR1, SIG_DFL) == own_handler;
  if (!alone || !restored) {
    (void)fprintf(stderr, "after lpot_finish there are %s\n", alone ? "handlers" : "processes");
  }
  return alone && restored ? 0 : 1;
}

static lpot_quantization *quantization_of(const char *text) {
  lpot_quantization *quantization = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_quantization_from_text(session, "built in", text, &quantization, &error),
                   LPOT_OK);
  return quantization;
}

static void what_is_missing_is_named(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_quantization *quantization = NULL;
  lpot_benchmark *benchmark = NULL;
  assert_int_equal(lpot_quantization_from_file(NULL, "a", &quantization, &error), LPOT_INVALID);
  assert_string_equal(error.message, "session is NULL");
  assert_int_equal(lpot_quantization_from_file(session, NULL, &quantization, &error), LPOT_INVALID);
  assert_int_equal(lpot_quantization_from_text(session, "a", NULL, &quantization, &error),
                   LPOT_INVALID);
  assert_string_equal(error.message, "text is NULL");
  assert_null(quantization);
  assert_int_equal(lpot_benchmark_from_file(session, NULL, &benchmark, &error), LPOT_INVALID);
  assert_null(benchmark);
  assert_int_equal(lpot_quantization_set(NULL, "a=b", &error), LPOT_INVALID);
  assert_string_equal(error.message, "quantization is NULL");
  assert_int_equal(lpot_benchmark_add_model(NULL, "a", NULL, 0, &error), LPOT_INVALID);
  assert_string_equal(error.message, "benchmark is NULL");
  lpot_quantization_free(NULL);
  lpot_benchmark_free(NULL);
  assert_null(lpot_quantization_get_result(NULL));
}

static void what_cannot_tell_an_error_does_no_harm(void **state) {
  (void)state;
  lpot_benchmark_result result;
  lpot_quantization_set_resume(NULL, 1);
  lpot_quantization_set_output(NULL, LPOT_OUTPUT_JSON);
  lpot_benchmark_set_output(NULL, LPOT_OUTPUT_JSON);
  lpot_session_use_components(NULL, NULL);
  lpot_finish(NULL, 0);
  assert_int_equal(lpot_quantization_exit_code(NULL), 2);
  assert_int_equal(lpot_quantization_dry_run(NULL), 2);
  assert_int_equal(lpot_benchmark_get_result(NULL, 0, &result), 0);
  assert_int_equal(lpot_benchmark_get_instance(NULL, 0, 0, &result), 0);
  assert_int_equal(lpot_workspace_export(NULL, 1, NULL, "onednn"), 2);
  assert_int_equal(lpot_workspace_export("none", 1, NULL, NULL), 2);
  assert_int_equal(lpot_workspace_status(NULL, 0), 2);
  assert_int_equal(lpot_workspace_rebuild(NULL), 2);
  assert_int_equal(lpot_workspace_report(NULL, "onednn"), 2);
  assert_int_equal(lpot_workspace_report("none", NULL), 2);
}

static void bad_settings_are_refused(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_quantization *quantization = quantization_of("model: {}");
  assert_int_equal(lpot_quantization_set(quantization, "tuning.random_seed", &error), LPOT_INVALID);
  assert_non_null(strstr(error.message, "KEY.PATH=VALUE"));
  assert_int_equal(lpot_quantization_set(quantization, "=1", &error), LPOT_INVALID);
  assert_int_equal(lpot_quantization_set(quantization, NULL, &error), LPOT_INVALID);
  assert_int_equal(lpot_quantization_set_progress(quantization, "pie", &error), LPOT_INVALID);
  assert_int_equal(lpot_quantization_set_workspace(quantization, "", &error), LPOT_INVALID);
  assert_int_equal(lpot_set_log_level("loud", &error), LPOT_INVALID);
  lpot_quantization_free(quantization);
}

/* The last one is what it fails by. */
static void there_may_be_many_settings(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_quantization *quantization = quantization_of("model: {name: a, framework: onnxrt_qdqops}\n");
  for (int i = 0; i < 40; i++) {
    char setting[64];
    (void)snprintf(setting, sizeof setting, "tuning.random_seed=%s%d", i == 39 ? "x" : "", i);
    assert_int_equal(lpot_quantization_set(quantization, setting, &error), LPOT_OK);
  }
  assert_int_equal(lpot_quantization_set_model(quantization, "none.onnx", &error), LPOT_OK);
  assert_int_equal(lpot_quantization_run(quantization, &error), LPOT_CONFIG);
  assert_non_null(strstr(error.message, "x39"));
  lpot_quantization_free(quantization);
}

static void errors_come_as_values_and_runs_can_be_repeated(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_quantization *quantization = quantization_of("model: {name: a, framwork: onnxrt_qdqops}\n");
  assert_int_equal(lpot_quantization_run(quantization, &error), LPOT_INVALID); /* no model */
  assert_int_equal(lpot_quantization_exit_code(quantization), 2);
  assert_int_equal(lpot_quantization_set_model(quantization, "none.onnx", &error), LPOT_OK);
  for (int i = 0; i < 2; i++) {
    error = (lpot_error){0};
    assert_int_equal(lpot_quantization_run(quantization, &error), LPOT_CONFIG);
    assert_int_equal(error.status, LPOT_CONFIG);
    assert_non_null(strstr(error.message, "built in:1:18: model"));
    assert_string_equal(error.place_file, "built in");
    assert_int_equal(error.place_line, 1);
    assert_int_equal(error.place_column, 18);
    assert_string_equal(error.node, "");
    assert_int_equal(lpot_quantization_exit_code(quantization), 3);
    assert_null(lpot_quantization_get_result(quantization));
  }
  lpot_quantization_free(quantization);
}

/* Each kind of mistake has its place: key, value, syntax, what is missing, data, file. */
static void errors_tell_their_place(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int line, column;
  } rows[] = {
      {"model: {name: a, framework: onnxrt_qdqops}\ntuning:\n  random_seed: x\n", 3, 16},
      {"model: {name: a, framework: onnxrt_qdqops}\ntuning:\n  randomseed: 1\n", 3, 3},
      {"model: {name: a\n  b: [\n", 2, 4},
      {"model: {name: a, framework: onnxrt_qdqops}\n\nevaluation: {accuracy: {}}\n", 3, 14},
      {"model: {name: a, framework: onnxrt_qdqops}\nevaluation:\n  accuracy:\n    metric: {topk: "
       "1}\n"
       "    dataloader: {dataset: {npy: {inputs: none.npy}}}\n",
       5, 33},
  };
  lpot_error error = {0};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    lpot_quantization *quantization = quantization_of(rows[i].text);
    assert_int_equal(lpot_quantization_set_model(
                         quantization, LPOT_SOURCE_DIR "/configs/example/shapes.onnx", &error),
                     LPOT_OK);
    assert_int_not_equal(lpot_quantization_run(quantization, &error), LPOT_OK);
    if (error.place_line != rows[i].line || error.place_column != rows[i].column ||
        strcmp(error.place_file, "built in") != 0) {
      fail_msg("%s:%d:%d, but %s", error.place_file, error.place_line, error.place_column,
               error.message);
    }
    lpot_quantization_free(quantization);
  }
  lpot_quantization *quantization = NULL;
  assert_int_equal(lpot_quantization_from_file(session, "none.yaml", &quantization, &error),
                   LPOT_OK);
  assert_int_equal(lpot_quantization_set_model(quantization, "none.onnx", &error), LPOT_OK);
  assert_int_equal(lpot_quantization_run(quantization, &error), LPOT_CONFIG);
  assert_string_equal(error.place_file, "none.yaml");
  assert_int_equal(error.place_line, 0);
  lpot_quantization_free(quantization);
}

static void components_that_nobody_brought_are_named(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_quantization *quantization = quantization_of(
      "model: {name: a, framework: onnxrt_qdqops}\n"
      "quantization: {calibration: {dataloader: {dataset: &data {plugin: {library: program}}}}}\n"
      "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {dataset: *data}}}\n");
  assert_int_equal(lpot_quantization_set_model(
                       quantization, LPOT_SOURCE_DIR "/configs/example/shapes.onnx", &error),
                   LPOT_OK);
  assert_int_equal(lpot_quantization_run(quantization, &error), LPOT_CONFIG);
  assert_non_null(strstr(error.message, "this program has no components of its own"));
  lpot_quantization_free(quantization);
}

static void texts_beyond_the_shared_memory_are_refused(void **state) {
  (void)state;
  static char large[(17u << 20) + 1];
  lpot_error error = {0};
  memset(large, '#', sizeof large - 1);
  lpot_quantization *quantization = quantization_of(large);
  assert_int_equal(lpot_quantization_set_model(quantization, "none.onnx", &error), LPOT_OK);
  assert_int_equal(lpot_quantization_run(quantization, &error), LPOT_INVALID);
  assert_non_null(strstr(error.message, "bytes"));
  lpot_quantization_free(quantization);
}

static void a_benchmark_without_models_or_with_too_many_is_refused(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_benchmark *benchmark = NULL;
  lpot_benchmark_result result;
  assert_int_equal(lpot_benchmark_from_text(session, "built in", "model: {}", &benchmark, &error),
                   LPOT_OK);
  assert_int_equal(lpot_benchmark_run(benchmark, LPOT_BENCHMARK_PERFORMANCE, &error), LPOT_INVALID);
  assert_non_null(strstr(error.message, "lpot_benchmark_add_model"));
  assert_int_equal(lpot_benchmark_add_model(benchmark, "a", "b", 1, &error), LPOT_INVALID);
  for (int i = 0; i < 8; i++) {
    assert_int_equal(lpot_benchmark_add_model(benchmark, "none.onnx", NULL, 0, &error), LPOT_OK);
  }
  assert_int_equal(lpot_benchmark_run(benchmark, (lpot_benchmark_mode)7, &error), LPOT_INVALID);
  assert_non_null(strstr(error.message, "mode 7: expected 0"));
  assert_int_equal(lpot_benchmark_add_model(benchmark, "none.onnx", NULL, 0, &error), LPOT_INVALID);
  assert_int_equal(lpot_benchmark_get_result(benchmark, 0, &result), 0);
  lpot_benchmark_free(benchmark);
}

static void instances_of_a_benchmark_add_up(void **state) {
  (void)state;
  lpot_error error = {0};
  lpot_benchmark *benchmark = NULL;
  lpot_benchmark_result all;
  lpot_benchmark_result one[2];
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
    print_message("SKIPPED instances: two instances need two cores\n");
    skip();
  }
  const char *const settings[] = {"evaluation.performance.iteration=10",
                                  "evaluation.performance.configs.num_of_instance=2",
                                  "evaluation.performance.configs.cores_per_instance=1"};
  assert_int_equal(lpot_benchmark_from_file(session,
                                            LPOT_SOURCE_DIR "/configs/example/example.yaml",
                                            &benchmark, &error),
                   LPOT_OK);
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    assert_int_equal(lpot_benchmark_set(benchmark, settings[i], &error), LPOT_OK);
  }
  assert_int_equal(lpot_benchmark_add_model(
                       benchmark, LPOT_SOURCE_DIR "/configs/example/shapes.onnx", NULL, 0, &error),
                   LPOT_OK);
  lpot_benchmark_set_output(benchmark, LPOT_OUTPUT_NONE);
  assert_int_equal(lpot_benchmark_run(benchmark, LPOT_BENCHMARK_PERFORMANCE, &error), LPOT_OK);
  assert_int_equal(lpot_benchmark_get_result(benchmark, 0, &all), 1);
  assert_int_equal(all.num_instances, 2);
  assert_int_equal(all.num_runs, 20);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(lpot_benchmark_get_instance(benchmark, 0, i, &one[i]), 1);
    assert_int_equal(one[i].num_instances, 1);
    assert_int_equal(one[i].num_runs, 10);
    assert_true(one[i].minimum_ms >= all.minimum_ms && one[i].maximum_ms <= all.maximum_ms);
    assert_string_equal(one[i].label, "shapes.onnx");
  }
  double sum = one[0].throughput + one[1].throughput;
  assert_true(sum > 0.999 * all.throughput && sum < 1.001 * all.throughput);
  assert_int_equal(lpot_benchmark_get_instance(benchmark, 0, 2, &one[0]), 0);
  assert_int_equal(lpot_benchmark_get_instance(benchmark, 1, 0, &one[0]), 0);
  lpot_benchmark_free(benchmark);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(what_cannot_tell_an_error_does_no_harm),
      cmocka_unit_test(bad_settings_are_refused),
      cmocka_unit_test(there_may_be_many_settings),
      cmocka_unit_test(errors_come_as_values_and_runs_can_be_repeated),
      cmocka_unit_test(errors_tell_their_place),
      cmocka_unit_test(components_that_nobody_brought_are_named),
      cmocka_unit_test(texts_beyond_the_shared_memory_are_refused),
      cmocka_unit_test(a_benchmark_without_models_or_with_too_many_is_refused),
      cmocka_unit_test(instances_of_a_benchmark_add_up),
  };
  int failed = cmocka_run_group_tests(tests, begin, NULL);
  return failed + end(); /* cmocka does not count what its last function returns */
}
