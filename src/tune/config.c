#include "tune/config.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/metric.h"
#include "data/postprocess.h"
#include "data/setting.h"
#include "data/transform.h"
#include "tune/config_schema.h"

static void set_defaults(lpot_config *config) {
  static const int64_t default_sampling_sizes[] = {100};
  config->export_format = LPOT_EXPORT_QDQ;
  config->calibration.batch_size = 0; /* 0 until given: then the evaluation's */
  config->evaluation.batch_size = 1;
  config->performance.batch_size = 0;
  config->wishes.num_sampling_sizes = 1;
  config->wishes.sampling_sizes = default_sampling_sizes;
  config->wishes.scale_propagation_concat = true;
  config->wishes.first_conv_or_matmul_quantization = true;
  config->strategy = "auto";
  config->accuracy_weight = 1;
  config->latency_weight = 1;
  config->proposal_seconds = 600;
  config->tolerance = 0.01;
  config->higher_is_better = true;
  config->objectives = lpot_objectives_of(LPOT_OBJECTIVE_PERFORMANCE);
  config->max_trials = 100;
  config->seed = 1978;
  config->racing = true;
  config->lease_seconds = 60;
  config->warmup = 5;
  config->iteration = -1;
  config->num_instances = 1;
  config->evaluation_batches = -1;
}

/* Fails at the deepest node on the way to path that the file has. */
static lpot_status fail_missing(const lpot_yaml *yaml, const char *const *path, const char *text,
                                const char *why, lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_root(yaml);
  for (size_t i = 0; path[i] != NULL; i++) {
    const lpot_yaml_node *child = lpot_yaml_get(node, path[i]);
    if (child == NULL) {
      break;
    }
    node = child;
  }
  int line = node->key == NULL ? node->line : node->key_line;
  int column = node->key == NULL ? node->column : node->key_column;
  const char *file = lpot_yaml_node_file(node);
  lpot_status status =
      LPOT_FAIL(err, LPOT_CONFIG, "%.160s:%d:%d: %s: missing: %s", file, line, column, text, why);
  return lpot_error_at(err, file, line, column, status);
}

typedef struct mandatory_key {
  const char *path[5]; /* ends with NULL */
  const char *text;
  const char *why;
  bool of_labels; /* not needed where the metric evaluates by itself */
} mandatory_key;

static const mandatory_key mandatory_keys[] = {
    {{"model", "name", NULL}, "model.name", "expected a name of your choice", false},
    {{"model", "framework", NULL},
     "model.framework",
     "expected onnxrt_qlinearops (QOperator form) or onnxrt_qdqops (QDQ form)",
     false},
    {{"evaluation", "accuracy", "metric", NULL},
     "evaluation.accuracy.metric",
     "tuning needs a metric, for example 'topk: 1'",
     false},
    {{"evaluation", "accuracy", "dataloader", NULL},
     "evaluation.accuracy.dataloader",
     "tuning needs labelled data to evaluate on",
     true},
    {{"evaluation", "accuracy", "dataloader", "dataset", NULL},
     "evaluation.accuracy.dataloader.dataset",
     "tuning needs labelled data to evaluate on",
     true},
};

/* A key without a value is as good as none. */
static const lpot_yaml_node *find_quantization(const lpot_yaml *yaml) {
  const lpot_yaml_node *node = lpot_yaml_get(lpot_yaml_root(yaml), "quantization");
  return node == NULL || node->kind == LPOT_YAML_NULL ? NULL : node;
}

lpot_status lpot_config_check_supported(const lpot_config *config, lpot_error *err) {
  const lpot_yaml_node *quantization = find_quantization(config->yaml);
  if (config->trains) {
    return lpot_config_fail_unsupported(err, lpot_yaml_get(quantization, "approach"),
                                        "training; post_training_static_quant needs none");
  }
  const lpot_yaml_node *other = config->pruning != NULL ? config->pruning : config->conversion;
  if (quantization == NULL && other != NULL) {
    return lpot_config_fail_unsupported(err, other, NULL);
  }
  return LPOT_OK;
}

lpot_status lpot_config_refuse_bf16(const lpot_config *config, const char *isa, lpot_error *err) {
  if (config->bf16 == NULL) {
    return LPOT_OK;
  }
  return lpot_config_fail_key(err, config->bf16,
                              "bf16 needs a processor with AVX512_BF16 or AMX, this one computes "
                              "as '%.120s'",
                              isa);
}

static bool has_value(const lpot_yaml *yaml, const char *const *path) {
  const lpot_yaml_node *node = lpot_yaml_root(yaml);
  for (size_t i = 0; node != NULL && path[i] != NULL; i++) {
    node = lpot_yaml_get(node, path[i]);
  }
  return node != NULL && node->kind != LPOT_YAML_NULL;
}

lpot_status lpot_config_need_metric(const lpot_config *config, lpot_error *err) {
  static const char *const path[] = {"evaluation", "accuracy", "metric", NULL};
  if (config->metric == NULL) {
    return fail_missing(config->yaml, path, "evaluation.accuracy.metric",
                        "lpot-bench needs it for --mode accuracy and for --recipe, for example "
                        "'topk: 1'",
                        err);
  }
  return LPOT_OK;
}

/* A benchmark only needs to know what to run, and on which data. */
static lpot_status check_benchmark(lpot_config_box *box, lpot_error *err) {
  static const char *const path[] = {"evaluation", "performance", "dataloader", "dataset", NULL};
  const lpot_config *config = &box->config;
  if (config->performance.dataset == NULL && config->evaluation.dataset == NULL &&
      !box->evaluates) {
    return fail_missing(box->yaml, path, "evaluation.performance.dataloader.dataset",
                        "a benchmark needs data, for example 'dummy'", err);
  }
  return LPOT_OK;
}

/* Recipes are compared and timed on some samples all the same. */
static lpot_status check_samples(lpot_config_box *box, lpot_error *err) {
  static const char *const path[] = {"quantization", "calibration", "dataloader", "dataset", NULL};
  const lpot_config *config = &box->config;
  if (box->evaluates && config->performance.dataset == NULL && config->evaluation.dataset == NULL &&
      config->calibration.dataset == NULL) {
    return fail_missing(box->yaml, path, "quantization.calibration.dataloader.dataset",
                        "recipes are compared and timed on samples, of evaluation.performance or "
                        "else of the calibration",
                        err);
  }
  return LPOT_OK;
}

static lpot_status check_mandatory(lpot_config_box *box, lpot_error *err) {
  lpot_status enough = check_samples(box, err);
  LPOT_TRY(lpot_config_collect(box, enough, err));
  if (box->purpose == LPOT_CONFIG_BENCHMARK) {
    lpot_status status = check_benchmark(box, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
    return LPOT_OK;
  }
  const mandatory_key *missing = NULL;
  for (size_t i = 0; i < sizeof mandatory_keys / sizeof mandatory_keys[0]; i++) {
    const mandatory_key *key = &mandatory_keys[i];
    bool told = missing != NULL && strncmp(key->text, missing->text, strlen(missing->text)) == 0;
    bool needed = !(key->of_labels && box->evaluates);
    if (needed && !told && !has_value(box->yaml, key->path)) {
      missing = key;
      lpot_status status = fail_missing(box->yaml, key->path, key->text, key->why, err);
      LPOT_TRY(lpot_config_collect(box, status, err));
    }
  }
  return LPOT_OK;
}

/* Each part of a chain by itself, so that all mistakes are told. */
static lpot_status check_chain(lpot_config_box *box, const lpot_yaml_node *chain,
                               lpot_status (*check)(const lpot_yaml_node *node, lpot_error *err),
                               lpot_error *err) {
  for (size_t i = 0; chain != NULL && i < chain->num_children; i++) {
    const lpot_yaml_node *node = NULL;
    lpot_status status = lpot_setting_item(chain, i, &node, err);
    if (status == LPOT_OK) {
      status = check(node, err);
    }
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  return LPOT_OK;
}

static lpot_status check_dataset(lpot_config_box *box, const lpot_dataloader_config *loader,
                                 lpot_error *err) {
  const lpot_yaml_node *settings = loader->dataset_settings;
  const char *const *keys = NULL;
  lpot_status status = lpot_dataset_settings(loader->dataset, settings, &keys, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  if (keys != NULL && settings->kind != LPOT_YAML_MAP) {
    status = lpot_setting_check(settings, keys, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
    return LPOT_OK;
  }
  for (size_t i = 0; keys != NULL && i < settings->num_children; i++) {
    status = lpot_yaml_check_key(settings->children[i], keys, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  return LPOT_OK;
}

static lpot_status check_loader(lpot_config_box *box, const lpot_dataloader_config *loader,
                                lpot_error *err) {
  if (loader->dataset != NULL) {
    LPOT_TRY(check_dataset(box, loader, err));
  }
  if (loader->filter != NULL) {
    lpot_status status = lpot_dataset_check_filter(loader->filter, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  LPOT_TRY(check_chain(box, loader->transform, lpot_transform_check, err));
  return LPOT_OK;
}

/* What data and metric are made of, for its messages only. What needs more than the text, such as
 * files, is told when it is made for use. */
static lpot_status check_parts(lpot_config_box *box, lpot_error *err) {
  const lpot_config *config = &box->config;
  const lpot_dataloader_config *loaders[] = {&config->calibration, &config->evaluation,
                                             &config->performance};
  for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++) {
    LPOT_TRY(check_loader(box, loaders[i], err));
  }
  LPOT_TRY(check_chain(box, config->postprocess, lpot_postprocess_check, err));
  if (config->metric == NULL) {
    return LPOT_OK;
  }
  lpot_metric *metric = NULL;
  lpot_status status = lpot_metric_new(config->metric, &metric, err);
  box->evaluates = status == LPOT_OK && lpot_metric_evaluates(metric);
  box->metric_range = status == LPOT_OK ? lpot_metric_range(metric) : 0;
  lpot_metric_free(metric);
  LPOT_TRY(lpot_config_collect(box, status, err));
  return LPOT_OK;
}

static lpot_status check_criterion(lpot_config_box *box, lpot_error *err) {
  if (box->relative != NULL && box->absolute_node != NULL) {
    return lpot_config_fail_key(err, box->absolute_node,
                                "expected relative or absolute, got both (relative %s)",
                                lpot_config_place_of(box->relative).text);
  }
  if (box->absolute_node != NULL && box->metric_range > 0 &&
      box->config.tolerance >= box->metric_range && box->purpose == LPOT_CONFIG_TUNE) {
    LPOT_TRY(lpot_config_warn(box, box->absolute_node, err,
                              "every recipe meets it: the metric's values are %g apart at most "
                              "(a hundredth of that is %g)",
                              box->metric_range, box->metric_range / 100));
  }
  if (box->config.performance_only && box->config.timeout_seconds > 0) {
    const lpot_yaml_node *tuning = lpot_yaml_get(lpot_yaml_root(box->yaml), "tuning");
    const lpot_yaml_node *exit_policy = lpot_yaml_get(tuning, "exit_policy");
    LPOT_TRY(lpot_config_warn(box, exit_policy, err,
                              "timeout has no effect beside performance_only: the first trial is "
                              "taken"));
  }
  return LPOT_OK;
}

/* Three names of one thing: LPOT's, its successor's, and ours. */
static lpot_status check_corrections(lpot_config_box *box, lpot_error *err) {
  const lpot_yaml_node *section = lpot_yaml_get(lpot_yaml_root(box->yaml), "quantization");
  const lpot_yaml_node *recipes = lpot_yaml_get(section, "recipes");
  const lpot_yaml_node *names[] = {
      lpot_yaml_get(recipes, "bias_correction"), lpot_yaml_get(recipes, "fast_bias_correction"),
      lpot_yaml_get(lpot_yaml_get(section, "advance"), "bias_correction")};
  const lpot_yaml_node *first = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i] == NULL || names[i]->kind == LPOT_YAML_NULL) {
      continue;
    }
    if (first != NULL) {
      return lpot_config_fail_key(err, names[i],
                                  "expected one key for the correction of biases, got another %s",
                                  lpot_config_place_of(first).text);
    }
    first = names[i];
  }
  return LPOT_OK;
}

/* What is held out is drawn by seed, and there for an accuracy that counts. */
static lpot_status check_holdout(lpot_config_box *box, lpot_error *err) {
  lpot_config *config = &box->config;
  if (config->holdout > 0 && box->evaluates) {
    return lpot_config_fail_key(err, config->holdout_node,
                                "the metric evaluates by itself, on data of its own: no part of "
                                "them can be held out");
  }
  if (config->holdout > 0 && config->evaluation.keeps_order) {
    return lpot_config_fail_key(err, config->holdout_node,
                                "samples are held out by chance, which evaluation.accuracy."
                                "dataloader.shuffle: false forbids: expected one of the two");
  }
  if (config->holdout > 0 && config->performance_only) {
    LPOT_TRY(lpot_config_warn(box, config->holdout_node, err,
                              "ignored: performance_only asks for no accuracy"));
    config->holdout = 0;
  }
  return LPOT_OK;
}

/* Sections that the quantization at hand leaves alone. */
static lpot_status check_sections(lpot_config_box *box, lpot_error *err) {
  const lpot_config *config = &box->config;
  const lpot_yaml_node *section = find_quantization(box->yaml);
  const lpot_yaml_node *calibration = lpot_yaml_get(section, "calibration");
  bool quantizes = section != NULL;
  const struct {
    const lpot_yaml_node *node;
    bool unused;
    const char *why;
  } rows[] = {{lpot_yaml_get(section, "advance"), config->dynamic,
               "approach post_training_dynamic_quant corrects nothing"},
              {lpot_yaml_get(calibration, "dataloader"), config->q_func != NULL && !box->evaluates,
               "q_func calibrates, on data of its own"},
              {config->train, !config->trains, "it goes with approach quant_aware_training"},
              {config->pruning, quantizes, "it is no part of quantization"},
              {config->conversion, quantizes, "it is no part of quantization"},
              {box->mixed.node, quantizes, "it stands for itself, without a section quantization"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const lpot_yaml_node *node = rows[i].node;
    if (node != NULL && node->kind != LPOT_YAML_NULL && rows[i].unused) {
      LPOT_TRY(lpot_config_warn(box, node, err, "ignored: %s", rows[i].why));
    }
  }
  return LPOT_OK;
}

/* Sections without anything in them, where it matters whether they are there. */
static lpot_status check_empty_sections(lpot_config_box *box, lpot_error *err) {
  const lpot_yaml_node *root = lpot_yaml_root(box->yaml);
  const lpot_yaml_node *quantization = lpot_yaml_get(root, "quantization");
  const lpot_yaml_node *mixed = lpot_yaml_get(root, "graph_optimization");
  if (mixed != NULL && mixed->kind == LPOT_YAML_NULL) {
    LPOT_TRY(lpot_config_warn(box, mixed, err, "ignored: it is empty, expected precisions"));
  } else if (mixed != NULL && quantization != NULL && quantization->kind == LPOT_YAML_NULL) {
    LPOT_TRY(lpot_config_warn(box, quantization, err,
                              "ignored: it is empty, and graph_optimization (%s) stands for itself",
                              lpot_config_place_of(mixed).text));
  }
  return LPOT_OK;
}

/* What stands between the model and a metric, which is not there. */
static lpot_status check_evaluation(lpot_config_box *box, lpot_error *err) {
  static const char *const keys[] = {"postprocess", "iteration"};
  const lpot_yaml_node *evaluation = lpot_yaml_get(lpot_yaml_root(box->yaml), "evaluation");
  for (size_t i = 0; box->evaluates && i < sizeof keys / sizeof keys[0]; i++) {
    const lpot_yaml_node *node = lpot_yaml_get(lpot_yaml_get(evaluation, "accuracy"), keys[i]);
    if (node != NULL) {
      LPOT_TRY(lpot_config_warn(box, node, err, "ignored: the metric evaluates by itself"));
    }
  }
  return LPOT_OK;
}

/* Mixed precision is a space of bf16 and fp32. */
static void apply_mixed(lpot_config_box *box) {
  const lpot_config_mixed *mixed = &box->mixed;
  static const lpot_choices both = {.count = 2, .values = {LPOT_BF16, LPOT_F32}};
  bool quantizes = find_quantization(box->yaml) != NULL;
  if (mixed->node == NULL || quantizes) {
    return;
  }
  lpot_wishes *wishes = &box->config.wishes;
  lpot_choices *dtype = &wishes->model_wise.activation.dtype;
  *dtype = mixed->precisions.count > 0 ? mixed->precisions : both;
  wishes->model_wise_file = lpot_yaml_node_file(mixed->node);
  wishes->model_wise_line = mixed->node->key_line;
  wishes->op_wise = mixed->op_wise;
  wishes->num_op_wise = mixed->num_op_wise;
  for (size_t i = 0; i < dtype->count && box->config.bf16 == NULL; i++) {
    box->config.bf16 = dtype->values[i] == LPOT_BF16 ? mixed->node : NULL;
  }
}

/* Keys whose meaning depends on the approach. */
static lpot_status check_approach(lpot_config_box *box, lpot_error *err) {
  const lpot_yaml_node *framework = box->integer_framework;
  if (!box->config.dynamic && framework != NULL) {
    LPOT_TRY(
        lpot_config_warn(box, framework, err,
                         "%s: it goes with approach post_training_dynamic_quant; the result is "
                         "an ONNX model in QDQ form",
                         framework->text));
  }
  const lpot_yaml_node *quantization = lpot_yaml_get(lpot_yaml_root(box->yaml), "quantization");
  const lpot_yaml_node *recipes =
      quantization == NULL ? NULL : lpot_yaml_get(quantization, "recipes");
  static const char *const static_keys[] = {"scale_propagation_concat", "fast_bias_correction",
                                            LPOT_CORRECTION_KEYS};
  for (size_t i = 0; i < sizeof static_keys / sizeof static_keys[0]; i++) {
    const lpot_yaml_node *node = recipes == NULL ? NULL : lpot_yaml_get(recipes, static_keys[i]);
    if (box->config.dynamic && node != NULL) {
      LPOT_TRY(lpot_config_warn(box, node, err,
                                "it has no effect beside approach post_training_dynamic_quant%s",
                                i == 0 ? ": a Concat stays fp32" : ""));
    }
  }
  return LPOT_OK;
}

/* What a dataloader section leaves out is taken from the evaluation's. */
static void complete_loader(lpot_dataloader_config *loader,
                            const lpot_dataloader_config *evaluation) {
  bool absent = loader->batch_size == 0 && loader->last_batch == NULL && !loader->keeps_order &&
                loader->dataset == NULL && loader->transform == NULL && loader->filter == NULL;
  if (absent) {
    *loader = *evaluation;
    return;
  }
  if (loader->batch_size == 0) {
    loader->batch_size = 1;
  }
  if (loader->dataset == NULL) {
    loader->dataset = evaluation->dataset;
    loader->dataset_settings = evaluation->dataset_settings;
    loader->filter = loader->filter == NULL ? evaluation->filter : loader->filter;
    loader->transform = loader->transform == NULL ? evaluation->transform : loader->transform;
  }
}

/* The model's name as one part of a path. */
static lpot_status default_workspace(lpot_config_box *box, lpot_error *err) {
  char *path = lpot_arena_printf(box->arena, "./lpot_workspace/%s", box->config.model_name);
  if (path == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  char *name = path + strlen("./lpot_workspace/");
  for (char *c = name; *c != '\0'; c++) {
    bool control = (unsigned char)*c < 0x20 || *c == 0x7F;
    if (*c == '/' || control || (c == name && *c == '.')) {
      *c = '_';
    }
  }
  box->config.workspace = path;
  return LPOT_OK;
}

static lpot_status fill(lpot_config_box *box, lpot_error *err) {
  lpot_config *config = &box->config;
  set_defaults(config);
  LPOT_TRY(lpot_arena_new(&box->arena, err));
  lpot_status status =
      lpot_config_walk(box, lpot_config_root_rows, lpot_yaml_root(box->yaml), config, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  LPOT_TRY(check_parts(box, err));
  bool tunes = lpot_config_check_supported(config, NULL) == LPOT_OK;
  if (box->num_errors == 0 && tunes) { /* else a misspelt section would be said to be missing */
    LPOT_TRY(check_mandatory(box, err));
  }
  status = check_criterion(box, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  status = check_corrections(box, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  status = lpot_config_check_objective(box, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  status = check_holdout(box, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  status = lpot_config_check_strategy(box, err);
  LPOT_TRY(lpot_config_collect(box, status, err));
  if (box->num_errors > 0) {
    *err = box->last_error;
    return LPOT_CONFIG;
  }
  LPOT_TRY(check_approach(box, err));
  LPOT_TRY(check_sections(box, err));
  LPOT_TRY(check_empty_sections(box, err));
  LPOT_TRY(check_evaluation(box, err));
  LPOT_TRY(lpot_config_warn_of_strategy(box, err));
  LPOT_TRY(lpot_config_warn_of_objective(box, err));
  apply_mixed(box);
  /* In benchmarks, and where the metric evaluates by itself. */
  if (config->evaluation.dataset == NULL) {
    bool calibrates = config->performance.dataset == NULL;
    config->evaluation = calibrates ? config->calibration : config->performance;
    config->evaluation.batch_size =
        config->evaluation.batch_size > 0 ? config->evaluation.batch_size : 1;
  }
  complete_loader(&config->calibration, &config->evaluation);
  complete_loader(&config->performance, &config->evaluation);
  if (config->workspace == NULL && config->model_name != NULL) {
    LPOT_TRY(default_workspace(box, err));
  }
  return LPOT_OK;
}

/* As fill, but always has an error to collect from. */
static lpot_status fill_and_tell(lpot_config_box *box, lpot_buffer *earlier, lpot_error *err) {
  lpot_error own = {0};
  lpot_status status = fill(box, err == NULL ? &own : err);
  if (status == LPOT_CONFIG && earlier != NULL && box->earlier_errors.size > 0) {
    LPOT_TRY(lpot_buffer_append(earlier, box->earlier_errors.data, box->earlier_errors.size, err));
  }
  return status;
}

lpot_status lpot_config_new(lpot_yaml **yaml, lpot_config **ret_config, lpot_buffer *earlier,
                            lpot_error *err) {
  LPOT_TRY(lpot_config_new_for(LPOT_CONFIG_TUNE, yaml, ret_config, earlier, err));
  return LPOT_OK;
}

lpot_status lpot_config_new_for(lpot_config_purpose purpose, lpot_yaml **yaml,
                                lpot_config **ret_config, lpot_buffer *earlier, lpot_error *err) {
  lpot_yaml *moved = *yaml;
  *yaml = NULL;
  lpot_config_box *box = lpot_calloc(1, sizeof *box);
  if (box == NULL) {
    lpot_yaml_free(moved);
    return LPOT_OUT_OF_MEMORY(err);
  }
  box->purpose = purpose;
  box->yaml = moved;
  box->config.yaml = moved;
  lpot_status status = fill_and_tell(box, earlier, err);
  if (status != LPOT_OK) {
    lpot_config_free(&box->config);
    return status;
  }
  *ret_config = &box->config;
  return LPOT_OK;
}

lpot_status lpot_config_limit_sampling(lpot_config *config, int64_t limit, lpot_error *err) {
  lpot_config_box *box = (lpot_config_box *)config;
  lpot_wishes *wishes = &config->wishes;
  int64_t *sizes = lpot_arena_alloc(box->arena, wishes->num_sampling_sizes, sizeof *sizes);
  if (sizes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t kept = 0;
  for (size_t i = 0; i < wishes->num_sampling_sizes; i++) {
    int64_t size = wishes->sampling_sizes[i] < limit ? wishes->sampling_sizes[i] : limit;
    bool is_new = true;
    for (size_t k = 0; k < kept; k++) {
      is_new = is_new && sizes[k] != size;
    }
    if (is_new) {
      sizes[kept++] = size;
    }
  }
  wishes->sampling_sizes = sizes;
  wishes->num_sampling_sizes = kept;
  return LPOT_OK;
}

void lpot_config_free(lpot_config *config) {
  if (config == NULL) {
    return;
  }
  lpot_config_box *box = (lpot_config_box *)config;
  lpot_buffer_done(&box->earlier_errors);
  lpot_arena_free(box->arena);
  lpot_yaml_free(box->yaml);
  lpot_free(box);
}

lpot_status lpot_config_check_baseline(const lpot_config *config, double baseline,
                                       lpot_error *err) {
  static const char text[] =
      "the f32 baseline is 0, and a relative criterion means nothing with it: give "
      "tuning.accuracy_criterion.absolute";
  if (baseline != 0 || config->absolute || config->performance_only) {
    return LPOT_OK;
  }
  const lpot_yaml_node *relative = ((const lpot_config_box *)config)->relative;
  if (relative != NULL) {
    return lpot_yaml_fail(err, relative, "%s", text);
  }
  return LPOT_FAIL(err, LPOT_CONFIG, "%s: %s", lpot_yaml_name(config->yaml), text);
}

bool lpot_config_compares(const lpot_config *config) {
  return config->timeout_seconds > 0 ||
         lpot_objectives_are(&config->objectives, LPOT_OBJECTIVE_ACCURACY);
}

double lpot_config_target(const lpot_config *config, bool higher_is_better, double baseline) {
  double allowed = config->absolute ? config->tolerance : fabs(baseline) * config->tolerance;
  return higher_is_better ? baseline - allowed : baseline + allowed;
}

bool lpot_config_meets(const lpot_config *config, bool higher_is_better, double baseline,
                       double accuracy) {
  if (!config->absolute && baseline == 0) {
    return false;
  }
  double target = lpot_config_target(config, higher_is_better, baseline);
  return higher_is_better ? accuracy >= target : accuracy <= target;
}

double lpot_relative_loss(bool higher_is_better, double baseline, double accuracy) {
  if (baseline == 0) {
    return (double)NAN;
  }
  double loss = (baseline - accuracy) / fabs(baseline);
  return higher_is_better ? loss : -loss;
}
