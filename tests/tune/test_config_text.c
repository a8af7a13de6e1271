#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tune/config.h"

#define MINIMAL                                                                                    \
  "model: {name: net, framework: onnxrt_qlinearops}\n"                                             \
  "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {dataset: {CIFAR10: {root: /d}}}}}\n"

static lpot_config *good(const char *text) {
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  lpot_error error = {0};
  lpot_status status = lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, &error);
  if (status == LPOT_OK) {
    status = lpot_config_new(&yaml, &config, NULL, &error);
  }
  if (status != LPOT_OK) {
    fail_msg("%s in:\n%s", error.message, text);
  }
  return config;
}

/* The configuration text of text; the caller frees it. */
static char *text_of(const char *text, bool identity) {
  lpot_config *config = good(text);
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_config_text(config, identity, &out, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  lpot_config_free(config);
  return (char *)out.data;
}

static void assert_same_identity(bool same, const char *a, const char *b) {
  char *text_a = text_of(a, true);
  char *text_b = text_of(b, true);
  assert_int_equal(strcmp(text_a, text_b) == 0, same);
  lpot_free(text_a);
  lpot_free(text_b);
}

static void assert_reads_back(const char *text) {
  char *first = text_of(text, false);
  char *second = text_of(first, false);
  assert_string_equal(first, second);
  lpot_free(first);
  lpot_free(second);
}

static void framework_of_others_is_kept_for_the_transforms(void **state) {
  (void)state;
#define REST                                                                                       \
  "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {dataset: {CIFAR10: {root: /d}}}}}\n"
  assert_reads_back("model: {name: net, framework: tensorflow}\n" REST);
  assert_same_identity(false, "model: {name: net, framework: tensorflow}\n" REST,
                       "model: {name: net, framework: pytorch}\n" REST);
  assert_same_identity(true, "model: {name: net, framework: onnxrt_qdq}\n" REST,
                       "model: {name: net, framework: onnxrt_qdqops}\n" REST);
}

static void config_text_shows_the_defaults(void **state) {
  (void)state;
  char *text = text_of(MINIMAL, false);
  assert_string_equal(text, "model:\n"
                            "  name: \"net\"\n"
                            "  framework: onnxrt_qlinearops\n"
                            "device: cpu\n"
                            "quantization:\n"
                            "  approach: post_training_static_quant\n"
                            "  calibration:\n"
                            "    sampling_size: [100]\n"
                            "    dataloader:\n"
                            "      batch_size: 1\n"
                            "      last_batch: rollover\n"
                            "      dataset: {\"CIFAR10\": {\"root\": \"/d\"}}\n"
                            "  recipes:\n"
                            "    scale_propagation_concat: true\n"
                            "    first_conv_or_matmul_quantization: true\n"
                            "  model_wise: {weight: {}, activation: {}}\n"
                            "evaluation:\n"
                            "  accuracy:\n"
                            "    iteration: -1\n"
                            "    metric: {\"topk\": \"1\"}\n"
                            "    dataloader:\n"
                            "      batch_size: 1\n"
                            "      last_batch: rollover\n"
                            "      dataset: {\"CIFAR10\": {\"root\": \"/d\"}}\n"
                            "  performance:\n"
                            "    warmup: 5\n"
                            "    iteration: -1\n"
                            "    dataloader:\n"
                            "      batch_size: 1\n"
                            "      last_batch: rollover\n"
                            "      dataset: {\"CIFAR10\": {\"root\": \"/d\"}}\n"
                            "tuning:\n"
                            "  strategy: {name: auto}\n"
                            "  accuracy_criterion:\n"
                            "    relative: 0.01\n"
                            "  objective: performance\n"
                            "  random_seed: 1978\n"
                            "  racing: true\n"
                            "  exit_policy:\n"
                            "    performance_only: false\n"
                            "    timeout: 0\n"
                            "    max_trials: 100\n"
                            "  lease_seconds: 60\n"
                            "  op_times: auto\n"
                            "  workspace:\n"
                            "    path: \"./lpot_workspace/net\"\n");
  lpot_free(text);
}

static void config_text_shows_corrections(void **state) {
  (void)state;
  static const char given[] = MINIMAL
      "quantization: {recipes: {bias_correction: [false, true], cross_layer_equalization: false"
      "}}\n";
  char *text = text_of(given, false);
  assert_non_null(strstr(text, "    first_conv_or_matmul_quantization: true\n"
                               "    bias_correction: [false, true]\n"
                               "    cross_layer_equalization: [false]\n"));
  lpot_free(text);
  assert_reads_back(given);
  assert_same_identity(false, MINIMAL, given);
}

static void config_text_of_dynamic_quantization_has_no_calibration(void **state) {
  (void)state;
  char *text = text_of(MINIMAL "quantization: {approach: post_training_dynamic_quant, calibration: "
                               "{sampling_size: 7}}\n",
                       false);
  assert_non_null(strstr(text, "quantization:\n"
                               "  approach: post_training_dynamic_quant\n"
                               "  recipes:\n"
                               "    first_conv_or_matmul_quantization: true\n"
                               "  model_wise: {weight: {}, activation: {}}\n"));
  assert_null(strstr(text, "sampling_size"));
  lpot_free(text);
  assert_reads_back(MINIMAL "quantization: {approach: post_training_dynamic_quant}\n");
}

static void config_text_reads_back(void **state) {
  (void)state;
  assert_reads_back(MINIMAL);
  assert_reads_back(MINIMAL "tuning: {holdout: 0.3}\n");
  assert_reads_back(
      "model: {name: \"q\\\"b\\\\n\\nt\\x7F\\x85\\u2028\\uFEFF\\U0001F600 \xC3\xA9\", framework: "
      "mxnet}\n"
      "quantization:\n"
      "  calibration: {sampling_size: [3, 1], dataloader: {dataset: {plugin: [1, {a: ~}]}}}\n"
      "  model_wise: {activation: {dtype: [uint8, int8, fp32], scheme: asym}, weight: {algorithm: "
      "[minmax, kl]}}\n"
      "  optype_wise: {Conv: {activation: {algorithm: [kl, mse, percentile]}}}\n"
      "  op_wise: {\"a: b\": {weight: {granularity: per_tensor}}, \"{x}\": {}}\n"
      "evaluation:\n"
      "  accuracy:\n"
      "    iteration: 3\n    metric: {MSE: {compare_label: true}}\n"
      "    dataloader: {batch_size: 7, last_batch: discard, shuffle: false, dataset: {dummy: }, "
      "transform: [{Cast: }, "
      "{Resize: {size: [2, 3]}}]}\n"
      "  performance: {warmup: 1, iteration: 2, configs: {cores_per_instance: 2, cold_weights: "
      "true}}\n"
      "tuning:\n"
      "  strategy: {name: exhaustive}\n"
      "  accuracy_criterion: {absolute: 0.1, higher_is_better: false}\n"
      "  objective: modelsize\n"
      "  exit_policy: {timeout: 0.1, max_trials: 3, performance_only: true}\n"
      "  random_seed: 9223372036854775807\n"
      "  racing: false\n"
      "  mixed_isa: allow\n"
      "  lease_seconds: 7\n"
      "  op_times: true\n"
      "  workspace: {path: 'a b'}\n");
}

static void settings_of_strategies_read_back(void **state) {
  (void)state;
  assert_reads_back(MINIMAL "tuning: {strategy: {name: tpe, accuracy_weight: 0.1, latency_weight: "
                            "0}}\n");
  assert_reads_back(MINIMAL "tuning: {strategy: {name: tpe}}\n");
  assert_reads_back(MINIMAL "tuning: {strategy: {name: external, command: [python3, 'a \\\"b', c], "
                            "timeout: 2.5}}\n");
  assert_same_identity(true, MINIMAL "tuning: {strategy: {name: external, command: a}}\n",
                       MINIMAL "tuning: {strategy: {name: external, command: [b, c]}}\n");
}

static void objectives_read_back(void **state) {
  (void)state;
  assert_reads_back(MINIMAL "tuning: {objective: accuracy}\n");
  assert_reads_back(MINIMAL "tuning: {objective: {footprint: 3, modelsize: 2}}\n");
  assert_reads_back(MINIMAL "tuning: {objective: {accuracy: 0.1, performance: 0.7}}\n");
  char *text = text_of(MINIMAL "tuning: {multi_objectives: {objective: [accuracy, modelsize], "
                               "weight: [0.5, 2]}}\n",
                       true);
  assert_non_null(strstr(text, "\n  objective: {modelsize: 2, accuracy: 0.5}\n"));
  lpot_free(text);
  assert_same_identity(false, MINIMAL "tuning: {objective: accuracy}\n", MINIMAL);
}

static void sections_that_are_not_run_yet_read_back(void **state) {
  (void)state;
  assert_reads_back("pruning: {frequency: 3, approach: {weight_compression: {pruners: [!Pruner "
                    "{names: [a]}]}}}\nmodel_conversion: {source: qat, destination: default}\n");
  assert_reads_back("quantization: {approach: quant_aware_training, train: {optimizer: {SGD: "
                    "{learning_rate: 1}}, criterion: {CrossEntropyLoss: }}}\n");
  assert_reads_back(MINIMAL "graph_optimization: {precisions: bf16, op_wise: {a: {weight: {dtype: "
                            "fp32}}}}\n");
}

static void identity_leaves_out_limits_and_places(void **state) {
  (void)state;
  assert_same_identity(true, MINIMAL,
                       MINIMAL "tuning: {exit_policy: {timeout: 9, max_trials: 5}, lease_seconds: "
                               "9, op_times: true, workspace: "
                               "{path: /w}, tensorboard: true}\n");
}

static void identity_holds_what_decides(void **state) {
  (void)state;
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {random_seed: 1}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {strategy: {name: random}}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {racing: false}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {holdout: 0.2}\n");
  assert_same_identity(true, MINIMAL "tuning: {holdout: 20%}\n",
                       MINIMAL "tuning: {holdout: 0.2}\n");
  assert_same_identity(false, MINIMAL,
                       MINIMAL "quantization: {calibration: {dataloader: {shuffle: false}}}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "graph_optimization: {precisions: bf16}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {mixed_isa: allow}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {accuracy_criterion: {relative: 0.02}}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "tuning: {accuracy_criterion: {absolute: 0.01}}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "quantization: {op_wise: {a: {}}}\n");
  assert_same_identity(false, MINIMAL, MINIMAL "quantization: {calibration: {sampling_size: 5}}\n");
  assert_same_identity(false, MINIMAL,
                       MINIMAL "quantization: {model_wise: {activation: {scheme: sym}}}\n");
}

static void identity_does_not_depend_on_how_it_is_written(void **state) {
  (void)state;
  assert_same_identity(
      true, MINIMAL,
      "evaluation:\n  accuracy:\n    metric:\n      topk: 1\n    dataloader:\n      dataset:\n"
      "        CIFAR10:\n          root: '/d'\n      batch_size: 1\n"
      "tuning: {accuracy_criterion: {relative: 1%}}\n"
      "model:\n  framework: onnxrt_qlinearops\n  name: net\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(config_text_shows_corrections),
      cmocka_unit_test(framework_of_others_is_kept_for_the_transforms),
      cmocka_unit_test(config_text_shows_the_defaults),
      cmocka_unit_test(config_text_of_dynamic_quantization_has_no_calibration),
      cmocka_unit_test(config_text_reads_back),
      cmocka_unit_test(settings_of_strategies_read_back),
      cmocka_unit_test(objectives_read_back),
      cmocka_unit_test(sections_that_are_not_run_yet_read_back),
      cmocka_unit_test(identity_leaves_out_limits_and_places),
      cmocka_unit_test(identity_holds_what_decides),
      cmocka_unit_test(identity_does_not_depend_on_how_it_is_written),
  };
  return cmocka_run_group_tests_name("config_text", tests, NULL, NULL);
}
