#include "config_fixture.h"

#include "base/memory.h"
#include "data/metric.h"
#include "data/postprocess.h"

static void config_rejects_empty_text(void **state) {
  (void)state;
  assert_refused("", "conf.yaml:1:1|model.name: missing");
  assert_refused("# only a comment\n", "model.name: missing");
  assert_refused("- a\n", "expected a map");
  assert_refused("text", "expected a map");
}

static void config_rejects_text_truncated_anywhere(void **state) {
  (void)state;
  const char *text = MINIMAL "tuning:\n  exit_policy: {max_trials: 7}\n";
  for (size_t length = 0; length < strlen(text); length++) {
    lpot_yaml *yaml = NULL;
    lpot_config *config = NULL;
    lpot_error error = {0};
    lpot_status status = lpot_yaml_parse("conf.yaml", text, length, &yaml, &error);
    if (status == LPOT_OK) {
      status = lpot_config_new(&yaml, &config, NULL, &error);
    }
    /* A prefix that ends between two sections is a configuration of its own. */
    assert_true(status == LPOT_OK || (status == LPOT_CONFIG && error.message[0] != '\0'));
    lpot_config_free(config);
  }
}

static void config_names_what_is_missing(void **state) {
  (void)state;
  assert_refused("model: {framework: onnxrt_qdqops}\n" EVALUATION, "conf.yaml:1:1: model.name");
  assert_refused("model: {name: a}\n" EVALUATION, "model.framework: missing|onnxrt_qlinearops");
  assert_refused(MODEL, "evaluation.accuracy.metric: missing|topk: 1");
  assert_refused(MODEL "evaluation:\n  accuracy:\n    " LOADER "\n",
                 "conf.yaml:3:3: evaluation.accuracy.metric: missing");
  assert_refused(MODEL "evaluation: {accuracy: {metric: {topk: 1}}}\n",
                 "evaluation.accuracy.dataloader: missing");
  assert_refused(MODEL "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {batch_size: 2}}}\n",
                 "evaluation.accuracy.dataloader.dataset: missing");
  assert_refused("model: {name: , framework: onnxrt_qdqops}\n" EVALUATION, "model.name: missing");
}

static void errors_that_are_not_told_are_mentioned(void **state) {
  (void)state;
  lpot_buffer text;
  lpot_buffer_init(&text);
  for (int i = 0; i < 150; i++) {
    assert_int_equal(lpot_buffer_printf(&text, NULL, "key%d: 1\n", i), LPOT_OK);
  }
  assert_int_equal(lpot_buffer_terminate(&text, NULL), LPOT_OK);
  assert_refused((const char *)text.data,
                 "key98: unknown key|conf.yaml: more than 100 mistakes: the first 99 and the last "
                 "are told|key149: unknown key");
  lpot_buffer_done(&text);
}

/* Each of them, without a file being opened. */
static void all_errors_of_data_and_what_follows_are_found(void **state) {
  (void)state;
  assert_refused(MODEL "evaluation:\n"
                       "  accuracy:\n"
                       "    metric: {topk: 1}\n"
                       "    dataloader:\n"
                       "      dataset: {CIFAR10: {rot: /data, train: yes, chanel_order: bgr}}\n"
                       "      filter: {LabelBalance: {size: 0}}\n"
                       "      transform: {Resise: {}, Rescale: , Cast: {dtyp: int8}}\n"
                       "    postprocess: {transform: [{LabelShift: x}, {SquadV1: }, {Label: 1}]}\n"
                       "  performance: {dataloader: {dataset: {dumy: {shape: [1]}}}}\n",
                 "6:27: evaluation.accuracy.dataloader.dataset.CIFAR10.rot: unknown key|"
                 "6:51: evaluation.accuracy.dataloader.dataset.CIFAR10.chanel_order: unknown key|"
                 "7:37: evaluation.accuracy.dataloader.filter.LabelBalance.size|"
                 "8:27: evaluation.accuracy.dataloader.transform.Resise|"
                 "8:49: evaluation.accuracy.dataloader.transform.Cast.dtyp");
  assert_refused(MODEL "evaluation:\n"
                       "  accuracy:\n"
                       "    metric: {topk: 1}\n"
                       "    " LOADER "\n"
                       "    postprocess: {transform: [{LabelShift: x}, {SquadV1: }, {Label: 1}]}\n"
                       "  performance: {dataloader: {dataset: {dumy: {shape: [1]}}}}\n"
                       "quantization: {calibration: {dataloader: {dataset: {npy: [1]}}}}\n",
                 "6:44: evaluation.accuracy.postprocess.transform[0].LabelShift|"
                 "evaluation.accuracy.postprocess.transform[2].Label: unknown postprocess 'Label'|"
                 "unknown dataset 'dumy'; did you mean 'dummy'?|"
                 "quantization.calibration.dataloader.dataset.npy: expected a map of settings");
}

static void all_errors_of_a_file_are_found(void **state) {
  (void)state;
  static const char text[] =
      "model: {name: net, framewrk: onnxrt_qdqops}\n"
      "evaluation:\n  accuracy:\n    metric: {topk: none}\n"
      "    dataloader:\n      batch_size: 0\n      dataset: {CIFAR10: {root: /data}}\n"
      "      transform: {Resise: {size: 3}}\n"
      "tuning:\n  strategy: {name: basik}\n  exit_policy: {timeout: -1, max_trials: many}\n";
  static const char *const parts[] = {"1:20: model.framewrk: unknown key (did you mean",
                                      "6:19: evaluation.accuracy.dataloader.batch_size",
                                      "10:20: tuning.strategy.name",
                                      "11:26: tuning.exit_policy.timeout",
                                      "11:42: tuning.exit_policy.max_trials",
                                      "8:27: evaluation.accuracy.dataloader.transform.Resise"};
  const size_t count = sizeof parts / sizeof parts[0];
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  lpot_error error = {0};
  lpot_buffer earlier;
  lpot_buffer_init(&earlier);
  assert_int_equal(lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, &error), LPOT_OK);
  assert_int_equal(lpot_config_new(&yaml, &config, &earlier, &error), LPOT_CONFIG);
  assert_int_equal(lpot_buffer_terminate(&earlier, NULL), LPOT_OK);
  const char *line = (const char *)earlier.data;
  for (size_t i = 0; i < count; i++) {
    const char *found = strstr(line, parts[i]);
    if (found == NULL) {
      fail_msg("'%s' does not come in '%s'", parts[i], line);
    }
    line = strchr(found, '\n') + 1;
  }
  assert_string_equal(line, ""); /* and the last one: */
  assert_non_null(strstr(error.message, "4:20: evaluation.accuracy.metric.topk"));
  assert_null(config);
  lpot_buffer_done(&earlier);
}

static void config_names_the_nearest_key(void **state) {
  (void)state;
  assert_refused("modle: {name: a}\n", "conf.yaml:1:1|modle: unknown key|'model'");
  assert_refused(MINIMAL "tuning:\n  exit_policy:\n    max_trial: 3\n",
                 "conf.yaml:8:5: tuning.exit_policy.max_trial: unknown key|'max_trials'");
  assert_refused(MINIMAL "quantization: {model_wise: {weights: {dtype: int8}}}\n",
                 "quantization.model_wise.weights: unknown key|'weight'");
  assert_refused(MINIMAL "quantization: {op_wise: {a: {activation: {bit: 7}}}}\n",
                 "quantization.op_wise.a.activation.bit: unknown key (known are granularity, "
                 "scheme, dtype, algorithm)");
}

static void config_names_the_nearest_word(void **state) {
  (void)state;
  assert_refused("model: {name: a, framework: onnxrt_qdqop}\n",
                 "conf.yaml:1:29: model.framework|'onnxrt_qdqop'|did you mean 'onnxrt_qdqops'");
  assert_refused(MINIMAL "tuning: {strategy: {name: basik}}\n", "did you mean 'basic'");
  assert_refused(MINIMAL "tuning: {objective: size}\n",
                 "one of performance, modelsize, footprint, accuracy, got 'size'");
  assert_refused(MINIMAL "quantization: {model_wise: {weight: {granularity: per_chanel}}}\n",
                 "did you mean 'per_channel'");
  assert_refused(MINIMAL "quantization: {model_wise: {activation: {algorithm: [minmax, ql]}}}\n",
                 "algorithm[1]|'ql'|did you mean 'kl'");
}

static void config_rejects_values_of_the_wrong_type(void **state) {
  (void)state;
  assert_refused("model: [1]\n", "model: expected a map");
  assert_refused("model: {name: [a]}\n", "model.name: expected a text, got a list");
  assert_refused(MINIMAL "tuning: {strategy: basic}\n", "tuning.strategy: expected a map");
  assert_refused(MINIMAL "tuning: {exit_policy: {max_trials: 0}}\n", "max_trials");
  assert_refused(MINIMAL "tuning: {exit_policy: {max_trials: ten}}\n", "expected an integer");
  assert_refused(MINIMAL "tuning: {exit_policy: {timeout: -1}}\n", "at least 0");
  assert_refused(MINIMAL "tuning: {random_seed: -1}\n", "tuning.random_seed");
  assert_refused(MINIMAL "quantization: {recipes: {scale_propagation_concat: maybe}}\n",
                 "expected true or false");
  assert_refused(MINIMAL "quantization: {model_wise: {weight: {dtype: {a: b}}}}\n",
                 "dtype: expected a text, got a map");
  assert_refused(MINIMAL "quantization: {model_wise: {weight: {dtype: []}}}\n",
                 "dtype: expected at least one word, got an empty list");
  assert_refused(MINIMAL "quantization: {op_wise: [a]}\n", "expected a map of names");
  assert_refused(MINIMAL "quantization: {optype_wise: {Conv: 3, Add: {wieght: {}}}}\n",
                 "optype_wise.Conv: expected a map|optype_wise.Add.wieght: unknown key");
  assert_warned(MINIMAL "quantization: {calibration: {q_func: {plugin: {library: a.so}}, "
                        "dataloader: {batch_size: 2}}}\n",
                "calibration.dataloader: ignored: q_func calibrates, on data of its own");
  assert_refused(MINIMAL "quantization: {calibration: {sampling_size: [10, 0]}}\n",
                 "at least 1, got 0");
  assert_refused(MINIMAL "quantization: {calibration: {sampling_size: []}}\n", "empty list");
  assert_refused(MINIMAL "quantization: {calibration: {sampling_size: many}}\n",
                 "list of integers");
  assert_refused(MINIMAL "evaluation2: {}\n", "did you mean 'evaluation'");
  assert_refused(MODEL "evaluation: {accuracy: {metric: topk, " LOADER "}}\n",
                 "expected a map with the name of a metric");
  assert_refused(MODEL "evaluation: {accuracy: {metric: {topk: 1, MSE: }, " LOADER "}}\n",
                 "exactly one metric, got 2");
  assert_refused(MODEL "evaluation: {accuracy: {dataloader: {dataset: {a: {}, b: {}}}}}\n",
                 "exactly one dataset, got 2");
  assert_refused(MODEL "evaluation: {accuracy: {dataloader: {batch_size: 0}}}\n", "batch_size");
  assert_refused(MODEL "evaluation: {accuracy: {dataloader: {transform: [{a: 1, b: 2}]}}}\n",
                 "transform[0]|exactly one transform");
  assert_refused(MODEL "evaluation: {performance: {iteration: 0}}\n", "got 0");
  assert_refused(MODEL "evaluation: {accuracy: {iteration: 0}}\n", "at least 1 batch, got 0");
}

/* What is read but not run yet: valid, and refused at its place when it is to be run. */
static void assert_not_run_yet(const char *text, const char *part) {
  lpot_config *config = good(text);
  lpot_error error = {0};
  assert_int_equal(lpot_config_check_supported(config, &error), LPOT_CONFIG);
  if (strstr(error.message, part) == NULL || strstr(error.message, "not supported yet") == NULL) {
    fail_msg("'%s' is not in '%s'", part, error.message);
  }
  lpot_config_free(config);
}

#define TRAIN                                                                                      \
  "train: {optimizer: {SGD: {learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: "    \
  "0.0001}}, criterion: {CrossEntropyLoss: {reduction: mean}}, end_epoch: 9, iteration: 10, "      \
  "frequency: 2, hostfile: a, " LOADER "}"
#define PRUNERS                                                                                    \
  "pruning:\n  " TRAIN "\n  approach:\n    weight_compression:\n      initial_sparsity: 0.0\n"     \
  "      target_sparsity: 0.97\n      pruners:\n      - !Pruner\n        start_epoch: 1\n"         \
  "        end_epoch: 3\n        names: [a.weight]\n        prune_type: basic_magnitude\n"

static void training_and_pruning_are_read_and_not_run_yet(void **state) {
  (void)state;
  assert_not_run_yet(MINIMAL "quantization:\n  approach: quant_aware_training\n  " TRAIN "\n",
                     "conf.yaml:7:3: quantization.approach");
  assert_not_run_yet(MODEL PRUNERS, "conf.yaml:2:1: pruning");
  assert_not_run_yet(MODEL "pruning:\n  magnitude: {all: {weights: [w], method: per_tensor, "
                           "init_sparsity: 0.1, target_sparsity: 0.5, start_epoch: 0, end_epoch: "
                           "4}}\n  frequency: 2\n",
                     "pruning");
  assert_not_run_yet(MODEL "model_conversion: {source: qat, destination: default}\n",
                     "model_conversion");
  lpot_config *config = good(MINIMAL "quantization: {}\n" PRUNERS);
  assert_int_equal(lpot_config_check_supported(config, NULL), LPOT_OK);
  assert_int_equal(config->num_warnings, 1);
  assert_non_null(strstr(config->warnings[0], "pruning: ignored: it is no part of quantization"));
  lpot_config_free(config);
  assert_warned(MINIMAL "quantization: {" TRAIN "}\n", "train: ignored: it goes with approach");
}

static void training_and_pruning_are_checked(void **state) {
  (void)state;
  assert_refused(MINIMAL "quantization:\n  train: {}\n",
                 "conf.yaml:7:3: quantization.train: missing: optimizer");
  assert_refused(MODEL "pruning:\n  train: {optimizer: {SGD: {momentum: 1}}, criterion: "
                       "{CrossEntropyLoss: {}}}\n",
                 "SGD: missing: learning_rate");
  assert_refused(MODEL "pruning: {train: {optimizer: {Adam: {}}}}\n", "unknown key|known are SGD");
  assert_refused(MODEL "pruning: {start_epoch: 3, end_epoch: 2}\n",
                 "start_epoch 3 is behind end_epoch 2");
  assert_refused(MODEL "pruning: {init_sparsity: 0.6, target_sparsity: 0.5}\n",
                 "first sparsity 0.6 is above target_sparsity 0.5");
  assert_refused(MODEL "pruning: {start_epoch: 2, end_epoch: 2, init_sparsity: 0.1, "
                       "target_sparsity: 0.5}\n",
                 "cannot grow from 0.1 to 0.5 within one epoch");
  assert_refused(MODEL "pruning: {target_sparsity: 1}\n", "below 1, got 1");
  assert_refused(MODEL "pruning: {magnitude: {a: {end_epoch: [1, 5, 2]}, b: {methd: x}}}\n",
                 "magnitude.a.end_epoch|did you mean 'method'?");
  assert_refused(MODEL "pruning: {approach: {weight_compression: {pruners: {}}}}\n",
                 "expected a list of pruners");
  assert_refused(MODEL "model_conversion: {source: qat}\n", "missing: destination");
  assert_refused(MODEL "model_conversion: {source: qad, destination: default}\n", "expected qat");
  assert_refused(MODEL "model_conversion: !Pruned {source: qat}\n", "tag '!Pruned'");
}

static void graph_optimization_is_a_space_of_bf16_and_fp32(void **state) {
  (void)state;
  lpot_config *config = good(
      MINIMAL "graph_optimization:\n  precisions: 'bf16, fp32'\n  op_wise: {conv1: {activation: "
              "{dtype: [fp32]}, weight: {dtype: [fp32]}}}\n");
  const lpot_choices *dtype = &config->wishes.model_wise.activation.dtype;
  assert_int_equal(dtype->count, 2);
  assert_int_equal(dtype->values[0], LPOT_BF16);
  assert_int_equal(dtype->values[1], LPOT_F32);
  assert_int_equal(config->wishes.num_op_wise, 1);
  assert_string_equal(config->wishes.op_wise[0].pattern, "conv1");
  assert_int_equal(lpot_config_refuse_bf16(config, "AVX2", NULL), LPOT_CONFIG);
  assert_int_equal(config->num_warnings, 0);
  lpot_config_free(config);
  config = good(MINIMAL "graph_optimization: {precisions: fp32}\n");
  assert_int_equal(config->wishes.model_wise.activation.dtype.count, 1);
  assert_null(config->bf16);
  lpot_config_free(config);
  assert_refused(MINIMAL "graph_optimization: {precisions: int8}\n", "expected one of fp32, bf16");
  assert_warned(MINIMAL "quantization: {}\ngraph_optimization: {precisions: bf16}\n",
                "conf.yaml:7:1: graph_optimization: ignored");
  /* A section without anything in it is as good as none, and it is told. */
  config = good(MINIMAL "quantization:\ngraph_optimization: {precisions: bf16}\n");
  assert_int_equal(config->wishes.model_wise.activation.dtype.count, 1);
  assert_int_equal(config->wishes.model_wise.activation.dtype.values[0], LPOT_BF16);
  assert_int_equal(config->num_warnings, 1);
  assert_string_equal(config->warnings[0],
                      "conf.yaml:6:1: quantization: ignored: it is empty, and graph_optimization "
                      "(in line 7) stands for itself");
  lpot_config_free(config);
  config = good(MINIMAL "quantization: {}\ngraph_optimization:\n");
  assert_int_equal(config->num_warnings, 1);
  assert_string_equal(config->warnings[0], "conf.yaml:7:1: graph_optimization: ignored: it is "
                                           "empty, expected precisions");
  lpot_config_free(config);
}

static void config_knows_what_is_not_supported_yet(void **state) {
  (void)state;
  assert_refused(MINIMAL "device: gpu\n", "conf.yaml:6:9: device: gpu is not supported yet");
  assert_refused(MINIMAL "quantization: {op_wise: {a: {weight: {scheme: [placeholder]}}}}\n",
                 "placeholder is not supported yet");
  /* Without a value nothing is asked for, as in LPOT's templates. */
  lpot_config *empty = good(MINIMAL "model_conversion:\nquantization:\n  advance:\n");
  assert_int_equal(empty->num_warnings, 0);
  lpot_config_free(empty);
  assert_refused(MINIMAL "quantization: {advance: {bias_correction: weight_trained}}\n",
                 "expected weight_empirical, got 'weight_trained'");
  assert_refused(MINIMAL "quantization: {recipes: {weight_correction: true}}\n",
                 "weight_correction: not supported: no gain measured");
  assert_refused(MINIMAL "tuning: {strategy: {name: sigopt}}\n",
                 "strategy sigopt is not supported yet");
  assert_refused(MINIMAL "tuning: {strategy: {name: external}}\n", "needs a 'command'");
  assert_refused(MINIMAL "tuning: {strategy: {name: external, command: []}}\n",
                 "tuning.strategy.command: expected a program and its arguments, got nothing");
  assert_refused(MINIMAL "tuning: {strategy: {name: external, command: [a, [b]]}}\n",
                 "tuning.strategy.command[1]: expected");
  assert_refused(MINIMAL "tuning: {strategy: {name: external, command: a, timeout: 0}}\n",
                 "tuning.strategy.timeout: expected a number of seconds above 0, got 0");
  assert_refused(MINIMAL "tuning: {strategy: {name: automixedprecision}}\n",
                 "not supported yet: basic does it");
  assert_refused(MINIMAL "tuning: {strategy: {name: tpe, latency_weight: -1}}\n",
                 "tuning.strategy.latency_weight: expected a weight from 0 to 1000000, got -1");
  assert_refused(MINIMAL "tuning: {strategy: {name: tpe, accuracy_weight: 1.1e6}}\n",
                 "tuning.strategy.accuracy_weight: expected a weight from 0 to 1000000, got "
                 "1.1e+06");
  assert_refused(MINIMAL
                 "tuning: {strategy: {name: tpe, accuracy_weight: 0, latency_weight: 0.0}}\n",
                 "conf.yaml:6:10: tuning.strategy: expected accuracy_weight or latency_weight "
                 "above 0, got 0 for both");
  lpot_config_free(good(MINIMAL "tuning: {strategy: {name: tpe, latency_weight: 0}}\n"));
  lpot_config_free(good(MINIMAL "tuning: {strategy: {name: tpe, accuracy_weight: 0, "
                                "latency_weight: 1000000}}\n"));
  assert_refused(MINIMAL "quantization: {model_wise: {weight: {bit: [6.5]}}}\n",
                 "6.5 bits are not supported yet");
}

static void config_reads_the_postprocess(void **state) {
  (void)state;
  lpot_config *config = good(MINIMAL);
  assert_null(config->postprocess);
  lpot_config_free(config);
  config = good(MODEL "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {dataset: {dummy: "
                      "{shape: [2, 3]}}}, postprocess: {transform: {LabelShift: 1}}},\n"
                      "             performance: {postprocess: {transform: {LabelShift: 1}}}}\n");
  assert_non_null(config->postprocess);
  assert_string_equal(config->postprocess->children[0]->key, "LabelShift");
  assert_int_equal(config->num_warnings, 1);
  assert_non_null(strstr(config->warnings[0], "latency is that of the model alone"));
  lpot_buffer text;
  lpot_buffer_init(&text);
  assert_int_equal(lpot_config_text(config, false, &text, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&text, NULL), LPOT_OK);
  assert_non_null(
      strstr((const char *)text.data, "postprocess:\n      transform: {\"LabelShift\": \"1\"}"));
  lpot_buffer_done(&text);
  lpot_config_free(config);
  assert_refused(MODEL "evaluation: {accuracy: {postprocess: {LabelShift: 1}}}\n",
                 "LabelShift: unknown key (known are transform)");
  assert_refused(MODEL "evaluation: {accuracy: {postprocess: {transform: LabelShift}}}\n",
                 "expected a map or a list of transforms");
}

static void config_reads_the_approach(void **state) {
  (void)state;
  lpot_config *config = good(MINIMAL);
  assert_false(config->dynamic);
  lpot_config_free(config);
  config = good("model: {name: a, framework: onnxrt_integerops}\n" EVALUATION
                "quantization: {approach: post_training_dynamic_quant}\n");
  assert_true(config->dynamic);
  assert_int_equal(config->num_warnings, 0);
  assert_int_equal(config->export_format, LPOT_EXPORT_QDQ);
  lpot_config_free(config);
  assert_warned("model: {name: a, framework: onnxrt_integerops}\n" EVALUATION,
                "it goes with approach post_training_dynamic_quant");
  assert_warned(MINIMAL "quantization: {approach: post_training_dynamic_quant, recipes: "
                        "{scale_propagation_concat: true}}\n",
                "scale_propagation_concat: it has no effect");
  assert_warned(MINIMAL "quantization: {approach: post_training_dynamic_quant, advance: "
                        "{bias_correction: weight_empirical}}\n",
                "advance: ignored: approach post_training_dynamic_quant corrects nothing");
  assert_refused(MINIMAL "quantization: {approach: post_training_dynamic}\n",
                 "did you mean 'post_training_dynamic_quant'?");
  assert_refused(MINIMAL "quantization: {approach: [post_training_dynamic_quant]}\n",
                 "quantization.approach");
}

static void op_times_are_measured_when_wanted(void **state) {
  (void)state;
  static const struct {
    const char *text;
    lpot_measure_when when;
  } cases[] = {{MINIMAL "tuning: {op_times: auto}\n", LPOT_MEASURE_WHEN_NEEDED},
               {MINIMAL "tuning: {op_times: true}\n", LPOT_MEASURE_ALWAYS},
               {MINIMAL "tuning: {op_times: No}\n", LPOT_MEASURE_NEVER}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_config *config = good(cases[i].text);
    assert_int_equal(config->op_times, cases[i].when);
    lpot_config_free(config);
  }
  assert_refused(MINIMAL "tuning: {op_times: sometimes}\n",
                 "tuning.op_times: expected auto, true or false, found 'sometimes'");
  assert_refused(MINIMAL "tuning: {op_times: [true]}\n", "tuning.op_times: expected");
}

static void config_fills_in_the_defaults(void **state) {
  (void)state;
  lpot_config *config = good(MINIMAL);
  assert_string_equal(config->model_name, "net");
  assert_int_equal(config->export_format, LPOT_EXPORT_QDQ);
  assert_string_equal(config->strategy, "auto");
  assert_int_equal(config->op_times, LPOT_MEASURE_WHEN_NEEDED);
  assert_false(config->absolute);
  assert_true(config->tolerance == 0.01);
  assert_true(config->higher_is_better);
  assert_false(config->higher_is_better_given);
  assert_true(lpot_objectives_are(&config->objectives, LPOT_OBJECTIVE_PERFORMANCE));
  assert_true(config->timeout_seconds == 0);
  assert_int_equal(config->max_trials, 100);
  assert_false(config->performance_only);
  assert_int_equal(config->seed, 1978);
  assert_string_equal(config->workspace, "./lpot_workspace/net");
  assert_int_equal(config->warmup, 5);
  assert_int_equal(config->iteration, -1);
  assert_int_equal(config->wishes.num_sampling_sizes, 1);
  assert_int_equal(config->wishes.sampling_sizes[0], 100);
  assert_true(config->wishes.scale_propagation_concat);
  assert_true(config->wishes.first_conv_or_matmul_quantization);
  assert_int_equal(config->num_warnings, 0);
  assert_int_equal(config->evaluation.batch_size, 1);
  assert_string_equal(config->calibration.dataset, "CIFAR10");
  assert_string_equal(config->performance.dataset, "CIFAR10");
  assert_ptr_equal(config->calibration.dataset_settings, config->evaluation.dataset_settings);
  assert_int_equal(lpot_config_limit_sampling(config, 30, NULL), LPOT_OK);
  assert_int_equal(config->wishes.sampling_sizes[0], 30);
  lpot_config_free(config);
}

static void config_reads_every_value(void **state) {
  (void)state;
  lpot_config *config =
      good("model: {name: ../x y, framework: onnxrt_qlinear}\n"
           "quantization:\n"
           "  calibration:\n"
           "    sampling_size: 20, 10, 20\n"
           "    dataloader: {batch_size: 5, dataset: {dummy: {shape: [1]}}}\n"
           "  recipes: {scale_propagation_concat: False, first_conv_or_matmul_quantization: no}\n"
           "  model_wise: {activation: {algorithm: 'kl, minmax', dtype: int8 fp32}}\n"
           "  optype_wise: {Conv: {weight: {granularity: [per_tensor, per_channel]}}}\n"
           "  op_wise:\n"
           "    conv1: {activation: {dtype: [fp32]}}\n"
           "    conv.*: {weight: {scheme: asym}}\n"
           "evaluation:\n"
           "  accuracy:\n"
           "    metric: {MSE: }\n"
           "    dataloader: {batch_size: 8, last_batch: discard, shuffle: no, dataset: {dummy: }, "
           "transform: {Rescale: }}\n"
           "  performance:\n"
           "    warmup: 0\n"
           "    iteration: 12\n"
           "    configs: {cores_per_instance: 3, cold_weights: true}\n"
           "    dataloader: {batch_size: 2}\n"
           "tuning:\n"
           "  strategy: {name: random}\n"
           "  accuracy_criterion: {absolute: 2%, higher_is_better: false}\n"
           "  objective: modelsize\n"
           "  exit_policy: {timeout: 12.5, max_trials: 9, performance_only: false}\n"
           "  random_seed: 77\n");
  assert_int_equal(config->export_format, LPOT_EXPORT_QOPERATOR);
  assert_string_equal(config->workspace, "./lpot_workspace/_._x y");
  const lpot_wishes *wishes = &config->wishes;
  assert_int_equal(wishes->num_sampling_sizes, 2);
  assert_int_equal(wishes->sampling_sizes[0], 20);
  assert_int_equal(wishes->sampling_sizes[1], 10);
  assert_false(wishes->scale_propagation_concat);
  assert_false(wishes->first_conv_or_matmul_quantization);
  const lpot_tensor_choices *activation = &wishes->model_wise.activation;
  assert_int_equal(activation->algorithm.count, 2);
  assert_int_equal(activation->algorithm.values[0], LPOT_KL);
  assert_int_equal(activation->algorithm.values[1], LPOT_MINMAX);
  assert_int_equal(activation->dtype.values[0], LPOT_S8);
  assert_int_equal(activation->dtype.values[1], LPOT_F32);
  assert_int_equal(activation->scheme.count, 0);
  assert_int_equal(wishes->num_type_wise, 1);
  assert_string_equal(wishes->type_wise[0].pattern, "Conv");
  assert_int_equal(wishes->type_wise[0].choices.weight.granularity.values[0], LPOT_PER_TENSOR);
  assert_int_equal(wishes->num_op_wise, 2);
  assert_string_equal(wishes->op_wise[1].pattern, "conv.*");
  assert_int_equal(wishes->op_wise[1].line, 11);
  assert_string_equal(wishes->op_wise[1].file, "conf.yaml");
  assert_int_equal(config->calibration.batch_size, 5);
  assert_string_equal(config->calibration.dataset, "dummy");
  assert_null(config->calibration.transform);
  assert_non_null(config->evaluation.last_batch);
  assert_true(config->evaluation.keeps_order);
  assert_false(config->calibration.keeps_order);
  assert_non_null(config->evaluation.transform);
  assert_int_equal(config->performance.batch_size, 2);
  assert_string_equal(config->performance.dataset, "dummy");
  assert_ptr_equal(config->performance.transform, config->evaluation.transform);
  assert_int_equal(config->warmup, 0);
  assert_int_equal(config->iteration, 12);
  assert_int_equal(config->cores_per_instance, 3);
  assert_true(config->cold_weights);
  assert_string_equal(config->strategy, "random");
  assert_true(config->absolute);
  assert_true(config->tolerance == 0.02);
  assert_true(config->higher_is_better_given);
  assert_false(config->higher_is_better);
  assert_true(lpot_objectives_are(&config->objectives, LPOT_OBJECTIVE_MODELSIZE));
  assert_true(config->timeout_seconds == 12.5);
  assert_int_equal(config->max_trials, 9);
  assert_int_equal(config->seed, 77);
  assert_int_equal(config->num_warnings, 1);
  assert_non_null(
      strstr(config->warnings[0], "cores_per_instance: latency is measured with one thread"));
  assert_int_equal(lpot_config_limit_sampling(config, 1, NULL), LPOT_OK);
  assert_int_equal(config->wishes.num_sampling_sizes, 1);
  assert_int_equal(config->wishes.sampling_sizes[0], 1);
  lpot_config_free(config);
}

static void config_warns_of_what_has_no_effect(void **state) {
  (void)state;
  assert_warned("model: {name: a, framework: tensorflow}\n" EVALUATION,
                "conf.yaml:1:18: model.framework: tensorflow: the model is read as ONNX");
  assert_warned("model: {name: a, framework: onnxrt_integer}\n" EVALUATION, "QDQ form");
  assert_warned(MINIMAL "tuning: {tensorboard: true}\n", "tuning.tensorboard: true is ignored");
  assert_warned(MINIMAL "tuning: {workspace: {resume: ./history.snapshot}}\n", "--resume");
  assert_warned(MINIMAL "quantization: {recipes: {scale_propagation_max_pooling: false}}\n",
                "false is ignored");
  assert_warned(MINIMAL "  performance: {configs: {num_of_instance: 7, kmp_blocktime: 1}}\n",
                "one instance");
  assert_warned(MINIMAL "tuning: {strategy: {name: basic, accuracy_weight: 1.0}}\n", "tpe");
  assert_warned(MINIMAL "tuning: {strategy: {command: [a, b]}}\n",
                "belongs to the strategy external");
  assert_warned(MINIMAL "tuning: {exit_policy: {timeout: 5, performance_only: true}}\n",
                "no effect");
}

static void config_reads_corrections(void **state) {
  (void)state;
  lpot_config *config = good(MINIMAL "quantization: {recipes: {bias_correction: [false, true], "
                                     "cross_layer_equalization: }}\n");
  const lpot_wishes *wishes = &config->wishes;
  const lpot_choices *bias = &wishes->corrections[LPOT_BIAS_CORRECTION];
  assert_int_equal(bias->count, 2);
  assert_int_equal(bias->values[0], 0);
  assert_int_equal(bias->values[1], 1);
  assert_int_equal(wishes->corrections[LPOT_CROSS_LAYER_EQUALIZATION].count, 0);
  lpot_config_free(config);
  /* Names of LPOT and of Neural Compressor for the same. */
  static const char *const same[] = {
      MINIMAL "quantization: {recipes: {fast_bias_correction: true}}\n",
      MINIMAL "quantization: {advance: {bias_correction: weight_empirical}}\n"};
  for (size_t i = 0; i < 2; i++) {
    config = good(same[i]);
    assert_int_equal(config->wishes.corrections[LPOT_BIAS_CORRECTION].count, 1);
    assert_int_equal(config->wishes.corrections[LPOT_BIAS_CORRECTION].values[0], 1);
    lpot_config_free(config);
  }
  assert_refused(MINIMAL "quantization: {recipes: {bias_correction: [true, 3]}}\n",
                 "bias_correction[1]: expected true or false");
  assert_refused(MINIMAL "quantization: {recipes: {bias_correction: []}}\n", "got an empty list");
  assert_refused(
      MINIMAL "quantization: {recipes: {bias_correction: true, "
              "fast_bias_correction: false}}\n",
      "fast_bias_correction: expected one key for the correction of biases, got another");
  assert_refused(MINIMAL "quantization:\n  recipes: {bias_correction: false}\n"
                         "  advance: {bias_correction: weight_empirical}\n",
                 "advance.bias_correction: expected one key for the correction of biases");
  assert_setting_refused(
      MINIMAL "quantization: {recipes: {fast_bias_correction: true}}\n",
      "quantization.recipes.bias_correction", "true",
      "conf.yaml:6:26: quantization.recipes.fast_bias_correction: expected one key for the "
      "correction of biases, got another by --set quantization.recipes.bias_correction");
  assert_refused(MINIMAL "quantization: {recipes: {smooth_quant: true}}\n",
                 "conf.yaml:6:26: quantization.recipes.smooth_quant: not supported: no gain");
  assert_refused(MINIMAL "quantization: {recipes: {smoth_quant: 1}}\n", "smooth_quant");
  assert_warned(MINIMAL "quantization: {approach: post_training_dynamic_quant, recipes: "
                        "{cross_layer_equalization: true}}\n",
                "cross_layer_equalization: it has no effect");
}

static void config_reads_what_is_held_out(void **state) {
  (void)state;
  static const char *const wrong[] = {"0", "1", "-0.1", "100%", "nan"};
  lpot_config *config = good(MINIMAL);
  assert_true(config->holdout == 0 && config->holdout_node == NULL);
  lpot_config_free(config);
  config = good(MINIMAL "tuning: {holdout: 20%}\n");
  assert_true(config->holdout == 0.2);
  lpot_config_free(config);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[512];
    snprintf(text, sizeof text, MINIMAL "tuning: {holdout: %s}\n", wrong[i]);
    assert_refused(text, "tuning.holdout: expected a");
  }
  assert_refused("model: {name: net, framework: onnxrt_qdqops}\n"
                 "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {shuffle: false, dataset: "
                 "{CIFAR10: {root: /d}}}}}\ntuning: {holdout: 0.2}\n",
                 "conf.yaml:3:|tuning.holdout|shuffle: false");
  config = good(MINIMAL "tuning: {holdout: 0.2, exit_policy: {performance_only: true}}\n");
  assert_true(config->holdout == 0 && config->num_warnings == 1);
  assert_non_null(strstr(config->warnings[0], "holdout: ignored"));
  lpot_config_free(config);
}

static void config_is_silent_about_values_that_hold_anyway(void **state) {
  (void)state;
  lpot_config *config =
      good(MINIMAL "version: 1.0\ndevice: cpu\ntuning: {tensorboard: no, "
                   "mixed_isa: refuse}\n"
                   "quantization: {approach: post_training_static_quant, recipes: "
                   "{weight_correction: false, scale_propagation_max_pooling: on},"
                   " model_wise: {weight: {bit: 7.0, granularity: }}, op_wise: }\n");
  assert_int_equal(config->num_warnings, 0);
  lpot_config_free(config);
}

static void config_knows_where_bf16_is_named_first(void **state) {
  (void)state;
  static const char *const places[] = {"model_wise: {weight", "model_wise: {activation",
                                       "optype_wise: {Conv: {weight", "op_wise: {a: {activation"};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    char text[512];
    snprintf(text, sizeof text, MINIMAL "quantization: {%s: {dtype: bf16}}}%s\n", places[i],
             i < 2 ? "" : "}");
    lpot_config *named = good(text);
    assert_non_null(named->bf16);
    assert_string_equal(named->bf16->key, "dtype");
    lpot_config_free(named);
  }
  lpot_error err = {0};
  lpot_buffer text;
  lpot_config *config = good(MINIMAL);
  assert_null(config->bf16);
  assert_int_equal(lpot_config_refuse_bf16(config, "avx2", &err), LPOT_OK);
  lpot_config_free(config);
  config = good(MINIMAL "quantization:\n  op_wise:\n    a: {activation: {dtype: [uint8, bf16]}}\n"
                        "    b: {weight: {dtype: bf16}}\n");
  const lpot_choices *dtype = &config->wishes.op_wise[0].choices.activation.dtype;
  assert_int_equal(dtype->count, 2);
  assert_int_equal(dtype->values[1], LPOT_BF16);
  assert_int_equal(lpot_config_refuse_bf16(config, "avx2", &err), LPOT_CONFIG);
  assert_non_null(strstr(err.message, "a.activation.dtype: bf16 needs a processor with"));
  char place[64];
  snprintf(place, sizeof place, "conf.yaml:%d:22: ", config->bf16->key_line);
  assert_non_null(strstr(err.message, place));
  lpot_buffer_init(&text);
  assert_int_equal(lpot_config_text(config, true, &text, &err), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&text, &err), LPOT_OK);
  assert_non_null(strstr((const char *)text.data, "uint8, bf16"));
  lpot_buffer_done(&text);
  lpot_config_free(config);
}

static void set_from_the_command_line_is_read_and_named(void **state) {
  (void)state;
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_yaml_parse("conf.yaml", MINIMAL, strlen(MINIMAL), &yaml, &error), LPOT_OK);
  assert_int_equal(lpot_yaml_set(yaml, "tuning.exit_policy.max_trials", "x", &error), LPOT_OK);
  assert_int_equal(lpot_config_new(&yaml, &config, NULL, &error), LPOT_CONFIG);
  assert_non_null(strstr(error.message, "--set"));
  assert_non_null(strstr(error.message, "tuning.exit_policy.max_trials"));
}

static void config_survives_every_failed_allocation(void **state) {
  (void)state;
  static const char text[] =
      "model: {name: a, framework: mxnet}\n" EVALUATION
      "quantization: {calibration: {sampling_size: [1, 2]}, op_wise: {a: {weight: {}}}}\n";
  for (uint64_t n = 1;; n++) {
    lpot_yaml *yaml = NULL;
    lpot_config *config = NULL;
    lpot_error error = {0};
    assert_int_equal(lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, &error), LPOT_OK);
    lpot_memory_fail_after(n);
    lpot_status status = lpot_config_new(&yaml, &config, NULL, &error);
    lpot_memory_fail_after(0);
    lpot_config_free(config);
    if (status == LPOT_OK) {
      assert_true(n > 1);
      break;
    }
    assert_int_equal(status, LPOT_NO_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(config_rejects_empty_text),
      cmocka_unit_test(config_rejects_text_truncated_anywhere),
      cmocka_unit_test(config_names_what_is_missing),
      cmocka_unit_test(all_errors_of_data_and_what_follows_are_found),
      cmocka_unit_test(all_errors_of_a_file_are_found),
      cmocka_unit_test(errors_that_are_not_told_are_mentioned),
      cmocka_unit_test(config_names_the_nearest_key),
      cmocka_unit_test(config_names_the_nearest_word),
      cmocka_unit_test(config_rejects_values_of_the_wrong_type),
      cmocka_unit_test(config_knows_what_is_not_supported_yet),
      cmocka_unit_test(training_and_pruning_are_read_and_not_run_yet),
      cmocka_unit_test(training_and_pruning_are_checked),
      cmocka_unit_test(graph_optimization_is_a_space_of_bf16_and_fp32),
      cmocka_unit_test(config_reads_the_postprocess),
      cmocka_unit_test(config_reads_the_approach),
      cmocka_unit_test(config_fills_in_the_defaults),
      cmocka_unit_test(op_times_are_measured_when_wanted),
      cmocka_unit_test(config_reads_every_value),
      cmocka_unit_test(config_warns_of_what_has_no_effect),
      cmocka_unit_test(config_reads_corrections),
      cmocka_unit_test(config_reads_what_is_held_out),
      cmocka_unit_test(config_is_silent_about_values_that_hold_anyway),
      cmocka_unit_test(config_knows_where_bf16_is_named_first),
      cmocka_unit_test(set_from_the_command_line_is_read_and_named),
      cmocka_unit_test(config_survives_every_failed_allocation),
  };
  return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
