/* The effective configuration as YAML that reads back to the same configuration. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "data/transform.h"
#include "tune/config.h"

typedef const char *(*value_text)(int value);

static const char *dtype_of(int value) {
  static const struct {
    lpot_dtype dtype;
    const char *text;
  } names[] = {{LPOT_S8, "int8"}, {LPOT_U8, "uint8"}, {LPOT_F32, "fp32"}, {LPOT_BF16, "bf16"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((int)names[i].dtype == value) {
      return names[i].text;
    }
  }
  return "unknown";
}

static const char *scheme_of(int value) {
  return lpot_scheme_text((lpot_scheme)value);
}

static const char *granularity_of(int value) {
  return lpot_granularity_text((lpot_granularity)value);
}

static const char *algorithm_of(int value) {
  return lpot_algorithm_text((lpot_algorithm)value);
}

/* A key of a map in flow form. YAML wants a mark before keys of more than 1024 characters. */
static lpot_status put_key(lpot_buffer *out, const char *key, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "%s", strlen(key) > 128 ? "? " : ""));
  LPOT_TRY(lpot_yaml_write_quoted(key, out, err));
  LPOT_TRY(lpot_buffer_append(out, ": ", 2, err));
  return LPOT_OK;
}

/* A user's node in flow form. The depth of trees is limited by base/yaml_tree.h. */
static lpot_status put_node(lpot_buffer *out, const lpot_yaml_node *node, lpot_error *err) {
  if (node->kind == LPOT_YAML_NULL) {
    LPOT_TRY(lpot_buffer_printf(out, err, "null"));
    return LPOT_OK;
  }
  if (node->kind == LPOT_YAML_SCALAR) {
    LPOT_TRY(lpot_yaml_write_quoted(node->text, out, err));
    return LPOT_OK;
  }
  bool is_map = node->kind == LPOT_YAML_MAP;
  LPOT_TRY(lpot_buffer_append(out, is_map ? "{" : "[", 1, err));
  for (size_t i = 0; i < node->num_children; i++) {
    if (i > 0) {
      LPOT_TRY(lpot_buffer_append(out, ", ", 2, err));
    }
    if (is_map) {
      LPOT_TRY(put_key(out, node->children[i]->key, err));
    }
    LPOT_TRY(put_node(out, node->children[i], err));
  }
  LPOT_TRY(lpot_buffer_append(out, is_map ? "}" : "]", 1, err));
  return LPOT_OK;
}

static const char *bool_text(bool value) {
  return value ? "true" : "false";
}

static lpot_status put_choices(lpot_buffer *out, const char *key, const lpot_choices *choices,
                               value_text text_of, size_t *count, lpot_error *err) {
  if (choices->count == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "%s%s: [", *count == 0 ? "" : ", ", key));
  for (size_t i = 0; i < choices->count; i++) {
    LPOT_TRY(lpot_buffer_printf(out, err, "%s%s", i == 0 ? "" : ", ", text_of(choices->values[i])));
  }
  LPOT_TRY(lpot_buffer_append(out, "]", 1, err));
  (*count)++;
  return LPOT_OK;
}

static lpot_status put_tensor_choices(lpot_buffer *out, const lpot_tensor_choices *choices,
                                      lpot_error *err) {
  size_t count = 0;
  LPOT_TRY(lpot_buffer_append(out, "{", 1, err));
  LPOT_TRY(put_choices(out, "granularity", &choices->granularity, granularity_of, &count, err));
  LPOT_TRY(put_choices(out, "scheme", &choices->scheme, scheme_of, &count, err));
  LPOT_TRY(put_choices(out, "dtype", &choices->dtype, dtype_of, &count, err));
  LPOT_TRY(put_choices(out, "algorithm", &choices->algorithm, algorithm_of, &count, err));
  LPOT_TRY(lpot_buffer_append(out, "}", 1, err));
  return LPOT_OK;
}

static lpot_status put_op_choices(lpot_buffer *out, const lpot_op_choices *choices,
                                  lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "{weight: "));
  LPOT_TRY(put_tensor_choices(out, &choices->weight, err));
  LPOT_TRY(lpot_buffer_printf(out, err, ", activation: "));
  LPOT_TRY(put_tensor_choices(out, &choices->activation, err));
  LPOT_TRY(lpot_buffer_append(out, "}", 1, err));
  return LPOT_OK;
}

static lpot_status put_wish_list(lpot_buffer *out, const char *key, const lpot_wish *wishes,
                                 size_t count, lpot_error *err) {
  if (count == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "  %s: {\n", key));
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(lpot_buffer_printf(out, err, "    "));
    LPOT_TRY(put_key(out, wishes[i].pattern, err));
    LPOT_TRY(put_op_choices(out, &wishes[i].choices, err));
    LPOT_TRY(lpot_buffer_append(out, ",\n", 2, err));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "    }\n"));
  return LPOT_OK;
}

/* A section as it was written, under its key; nothing for NULL. */
static lpot_status put_section(lpot_buffer *out, int indent, const char *key,
                               const lpot_yaml_node *node, lpot_error *err) {
  if (node == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "%*s%s: ", indent, "", key));
  LPOT_TRY(put_node(out, node, err));
  return lpot_buffer_append(out, "\n", 1, err);
}

/* A dataloader section whose key stands at indent blanks. */
static lpot_status put_loader(lpot_buffer *out, int indent, const lpot_dataloader_config *loader,
                              lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "%*sdataloader:\n", indent, ""));
  LPOT_TRY(lpot_buffer_printf(out, err, "%*sbatch_size: %" PRId64 "\n", indent + 2, "",
                              loader->batch_size));
  LPOT_TRY(lpot_buffer_printf(out, err, "%*slast_batch: %s\n", indent + 2, "",
                              loader->last_batch != NULL ? "discard" : "rollover"));
  if (loader->keeps_order) {
    LPOT_TRY(lpot_buffer_printf(out, err, "%*sshuffle: false\n", indent + 2, ""));
  }
  if (loader->dataset != NULL) {
    LPOT_TRY(lpot_buffer_printf(out, err, "%*sdataset: {", indent + 2, ""));
    LPOT_TRY(put_key(out, loader->dataset, err));
    LPOT_TRY(put_node(out, loader->dataset_settings, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "}\n"));
  }
  LPOT_TRY(put_section(out, indent + 2, "filter", loader->filter, err));
  return put_section(out, indent + 2, "transform", loader->transform, err);
}

static const char *bool_of(int value) {
  return bool_text(value != 0);
}

/* What is off everywhere is left out. */
static lpot_status put_corrections(lpot_buffer *out, const lpot_wishes *wishes, lpot_error *err) {
  for (int i = 0; i < LPOT_NUM_CORRECTIONS; i++) {
    const lpot_choices *choices = &wishes->corrections[i];
    size_t count = 0;
    LPOT_TRY(lpot_buffer_printf(out, err, "%s", choices->count == 0 ? "" : "    "));
    LPOT_TRY(
        put_choices(out, lpot_correction_text((lpot_correction)i), choices, bool_of, &count, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "%s", choices->count == 0 ? "" : "\n"));
  }
  return LPOT_OK;
}

/* Dynamic quantization has no calibration. */
static lpot_status put_approach(lpot_buffer *out, const lpot_config *config, lpot_error *err) {
  const lpot_wishes *wishes = &config->wishes;
  if (config->dynamic) {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "quantization:\n  approach: post_training_dynamic_quant\n"
                                "  recipes:\n    first_conv_or_matmul_quantization: %s\n",
                                bool_text(wishes->first_conv_or_matmul_quantization)));
    return LPOT_OK;
  }
  LPOT_TRY(
      lpot_buffer_printf(out, err,
                         "quantization:\n  approach: %s\n"
                         "  calibration:\n    sampling_size: [",
                         config->trains ? "quant_aware_training" : "post_training_static_quant"));
  for (size_t i = 0; i < wishes->num_sampling_sizes; i++) {
    LPOT_TRY(
        lpot_buffer_printf(out, err, "%s%" PRId64, i == 0 ? "" : ", ", wishes->sampling_sizes[i]));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "]\n"));
  if (config->q_func != NULL) {
    LPOT_TRY(lpot_buffer_printf(out, err, "    q_func: {plugin: "));
    LPOT_TRY(put_node(out, config->q_func, err));
    LPOT_TRY(lpot_buffer_append(out, "}\n", 2, err));
  } else {
    LPOT_TRY(put_loader(out, 4, &config->calibration, err));
  }
  if (config->trains) {
    LPOT_TRY(put_section(out, 2, "train", config->train, err));
  }
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "  recipes:\n    scale_propagation_concat: %s\n"
                              "    first_conv_or_matmul_quantization: %s\n",
                              bool_text(wishes->scale_propagation_concat),
                              bool_text(wishes->first_conv_or_matmul_quantization)));
  LPOT_TRY(put_corrections(out, wishes, err));
  return LPOT_OK;
}

static lpot_status put_quantization(lpot_buffer *out, const lpot_config *config, lpot_error *err) {
  const lpot_wishes *wishes = &config->wishes;
  LPOT_TRY(put_approach(out, config, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "  model_wise: "));
  LPOT_TRY(put_op_choices(out, &wishes->model_wise, err));
  LPOT_TRY(lpot_buffer_append(out, "\n", 1, err));
  LPOT_TRY(put_wish_list(out, "optype_wise", wishes->type_wise, wishes->num_type_wise, err));
  LPOT_TRY(put_wish_list(out, "op_wise", wishes->op_wise, wishes->num_op_wise, err));
  return LPOT_OK;
}

static lpot_status put_performance_configs(lpot_buffer *out, const lpot_config *config,
                                           lpot_error *err) {
  if (config->cores_per_instance == 0 && !config->cold_weights) {
    return LPOT_OK;
  }
  int64_t cores = config->cores_per_instance == 0 ? 1 : config->cores_per_instance;
  LPOT_TRY(lpot_buffer_printf(out, err, "    configs: {cores_per_instance: %" PRId64 "%s}\n", cores,
                              config->cold_weights ? ", cold_weights: true" : ""));
  return LPOT_OK;
}

static lpot_status put_evaluation(lpot_buffer *out, const lpot_config *config, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "evaluation:\n  accuracy:\n    iteration: %" PRId64 "\n",
                              config->evaluation_batches));
  LPOT_TRY(put_section(out, 4, "metric", config->metric, err));
  if (config->postprocess != NULL) {
    LPOT_TRY(lpot_buffer_printf(out, err, "    postprocess:\n"));
    LPOT_TRY(put_section(out, 6, "transform", config->postprocess, err));
  }
  LPOT_TRY(put_loader(out, 4, &config->evaluation, err));
  LPOT_TRY(lpot_buffer_printf(
      out, err, "  performance:\n    warmup: %" PRId64 "\n    iteration: %" PRId64 "\n",
      config->warmup, config->iteration));
  LPOT_TRY(put_performance_configs(out, config, err));
  LPOT_TRY(put_loader(out, 4, &config->performance, err));
  return LPOT_OK;
}

static lpot_status put_exit_policy(lpot_buffer *out, const lpot_config *config, bool identity,
                                   lpot_error *err) {
  static const char *const measure_when[] = {[LPOT_MEASURE_WHEN_NEEDED] = "auto",
                                             [LPOT_MEASURE_ALWAYS] = "true",
                                             [LPOT_MEASURE_NEVER] = "false"};
  LPOT_TRY(lpot_buffer_printf(out, err, "  exit_policy:\n    performance_only: %s\n",
                              bool_text(config->performance_only)));
  if (identity) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "    timeout: %.*g\n    max_trials: %" PRId64 "\n",
                              lpot_text_digits(config->timeout_seconds), config->timeout_seconds,
                              config->max_trials));
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "  lease_seconds: %" PRId64 "\n  op_times: %s\n  workspace:\n",
                              config->lease_seconds, measure_when[config->op_times]));
  if (config->workspace != NULL) {
    LPOT_TRY(lpot_yaml_write_text("    path", config->workspace, out, err));
  }
  return LPOT_OK;
}

static lpot_status put_strategy_settings(lpot_buffer *out, const lpot_config *config, bool identity,
                                         lpot_error *err) {
  if (lpot_text_equal(config->strategy, "tpe")) {
    LPOT_TRY(lpot_buffer_printf(out, err, ", accuracy_weight: %.*g, latency_weight: %.*g",
                                lpot_text_digits(config->accuracy_weight), config->accuracy_weight,
                                lpot_text_digits(config->latency_weight), config->latency_weight));
  }
  if (identity || config->num_command == 0) {
    return LPOT_OK; /* Another program may go on: it is told what was found. */
  }
  const char *separator = ", command: [";
  for (size_t i = 0; i < config->num_command; i++) {
    LPOT_TRY(lpot_buffer_printf(out, err, "%s", separator));
    LPOT_TRY(lpot_yaml_write_quoted(config->command[i], out, err));
    separator = ", ";
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "], timeout: %.*g",
                              lpot_text_digits(config->proposal_seconds),
                              config->proposal_seconds));
  return LPOT_OK;
}

/* A single one by its name, else all that have a weight. */
static lpot_status put_objectives(lpot_buffer *out, const lpot_objectives *objectives,
                                  lpot_error *err) {
  const char *separator = "  objective: {";
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    const char *name = lpot_objective_text((lpot_objective)i);
    if (lpot_objectives_are(objectives, (lpot_objective)i)) {
      LPOT_TRY(lpot_buffer_printf(out, err, "  objective: %s\n", name));
      return LPOT_OK;
    }
    if (objectives->weights[i] > 0) {
      LPOT_TRY(lpot_buffer_printf(out, err, "%s%s: %.*g", separator, name,
                                  lpot_text_digits(objectives->weights[i]),
                                  objectives->weights[i]));
      separator = ", ";
    }
  }
  LPOT_TRY(lpot_buffer_append(out, "}\n", 2, err));
  return LPOT_OK;
}

static lpot_status put_tuning(lpot_buffer *out, const lpot_config *config, bool identity,
                              lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "tuning:\n  strategy: {name: %s", config->strategy));
  LPOT_TRY(put_strategy_settings(out, config, identity, err));
  LPOT_TRY(lpot_buffer_append(out, "}\n", 2, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "  accuracy_criterion:\n    %s: %.*g\n",
                              config->absolute ? "absolute" : "relative",
                              lpot_text_digits(config->tolerance), config->tolerance));
  if (config->higher_is_better_given) {
    LPOT_TRY(lpot_buffer_printf(out, err, "    higher_is_better: %s\n",
                                bool_text(config->higher_is_better)));
  }
  LPOT_TRY(put_objectives(out, &config->objectives, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "  random_seed: %" PRIu64 "\n  racing: %s\n", config->seed,
                              bool_text(config->racing)));
  if (config->holdout > 0) {
    LPOT_TRY(lpot_buffer_printf(out, err, "  holdout: %.*g\n", lpot_text_digits(config->holdout),
                                config->holdout));
  }
  if (config->mixed_isa) {
    LPOT_TRY(lpot_buffer_printf(out, err, "  mixed_isa: allow\n"));
  }
  LPOT_TRY(put_exit_policy(out, config, identity, err));
  return LPOT_OK;
}

lpot_status lpot_config_text(const lpot_config *config, bool identity, lpot_buffer *out,
                             lpot_error *err) {
  static const char *const frameworks[] = {
      [LPOT_EXPORT_QDQ] = "onnxrt_qdqops", [LPOT_EXPORT_QOPERATOR] = "onnxrt_qlinearops"};
  LPOT_TRY(lpot_buffer_printf(out, err, "model:\n"));
  if (config->model_name != NULL) {
    LPOT_TRY(lpot_yaml_write_text("  name", config->model_name, out, err));
  }
  /* Transforms look at it, so another framework's name is kept. */
  const lpot_yaml_node *framework =
      lpot_yaml_get(lpot_yaml_get(lpot_yaml_root(config->yaml), "model"), "framework");
  bool is_foreign = lpot_transform_origin_of(framework) != LPOT_ORIGIN_OWN;
  LPOT_TRY(lpot_buffer_printf(out, err, "  framework: %s\ndevice: cpu\n",
                              is_foreign ? framework->text : frameworks[config->export_format]));
  if (lpot_config_check_supported(config, NULL) == LPOT_OK || config->trains) {
    LPOT_TRY(put_quantization(out, config, err));
    LPOT_TRY(put_evaluation(out, config, err));
  } else {
    LPOT_TRY(put_section(out, 0, "pruning", config->pruning, err));
    LPOT_TRY(put_section(out, 0, "model_conversion", config->conversion, err));
  }
  LPOT_TRY(put_tuning(out, config, identity, err));
  return LPOT_OK;
}
