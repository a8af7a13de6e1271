#include "tune/job.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"
#include "graph/passes/passes.h"
#include "quant/equalize.h"
#include "quant/rewrite.h"
#include "tune/holdout.h"

#define BLOCK_SAMPLES 256                   /* at least so many samples in a block */
#define LARGE_PLAN_BYTES ((size_t)16 << 20) /* a plan beyond this is not kept beside another */
#define CACHE_BYTES (UINT64_C(1) << 30)     /* transformed samples kept in memory, per host */

/* ---- configuration ---- */

static lpot_status apply_setting(lpot_yaml *yaml, const char *setting, lpot_error *err) {
  const char *equals = strchr(setting, '=');
  if (equals == NULL || equals == setting) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set '%s': expected KEY.PATH=VALUE", setting);
  }
  size_t length = (size_t)(equals - setting);
  char *path = lpot_calloc(length + 1, 1);
  if (path == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(path, setting, length);
  lpot_status status = lpot_yaml_set(yaml, path, equals + 1, err);
  lpot_free(path);
  return status;
}

/* What nobody reads is not opened either. */
static void tell_of_calibration(const lpot_config *config) {
  const lpot_yaml_node *quantization = lpot_yaml_get(lpot_yaml_root(config->yaml), "quantization");
  if (config->dynamic && lpot_yaml_get(quantization, "calibration") != NULL) {
    lpot_log(LPOT_LOG_INFO, "dynamic quantization needs no calibration: its section is ignored");
  }
}

/* All errors of the file are told; the caller tells the last one. */
static lpot_status make_config(const lpot_job_options *options, lpot_yaml **yaml,
                               lpot_config **ret_config, lpot_error *err) {
  lpot_buffer earlier;
  lpot_buffer_init(&earlier);
  lpot_status status = lpot_config_new_for(options->purpose, yaml, ret_config, &earlier, err);
  const char *line = (const char *)earlier.data;
  for (size_t left = earlier.size; left > 0 && options->warns;) {
    size_t length = (size_t)((const char *)memchr(line, '\n', left) - line);
    lpot_log(LPOT_LOG_ERROR, "%.*s", (int)length, line);
    line += length + 1;
    left -= length + 1;
  }
  lpot_buffer_done(&earlier);
  return status;
}

/* The text with all settings applied; nothing of it is looked at. */
static lpot_status read_yaml(const lpot_job_options *options, lpot_yaml **ret_yaml,
                             lpot_error *err) {
  lpot_yaml *yaml = NULL;
  if (options->config_text != NULL) {
    LPOT_TRY(lpot_yaml_parse(options->config_path, options->config_text,
                             strlen(options->config_text), &yaml, err));
  } else {
    LPOT_TRY(lpot_yaml_load(options->config_path, &yaml, err));
  }
  for (size_t i = 0; i < options->num_settings; i++) {
    lpot_status status = apply_setting(yaml, options->settings[i], err);
    if (status != LPOT_OK) {
      lpot_yaml_free(yaml);
      return status;
    }
  }
  *ret_yaml = yaml;
  return LPOT_OK;
}

lpot_status lpot_job_find_plugins(const lpot_job_options *options, bool *ret_used,
                                  lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(read_yaml(options, &yaml, err));
  *ret_used = lpot_plugin_is_used(lpot_yaml_root(yaml));
  lpot_yaml_free(yaml);
  return LPOT_OK;
}

lpot_status lpot_job_read_config(const lpot_job_options *options, lpot_config **ret_config,
                                 lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(read_yaml(options, &yaml, err));
  LPOT_TRY(make_config(options, &yaml, ret_config, err));
  for (size_t i = 0; i < (*ret_config)->num_warnings && options->warns; i++) {
    lpot_log(LPOT_LOG_WARNING, "%s", (*ret_config)->warnings[i]);
  }
  if (options->warns) {
    tell_of_calibration(*ret_config);
  }
  return LPOT_OK;
}

/* ---- model ---- */

/* The batch size that the model's inputs fix; 0 when it is free. */
static int64_t fixed_batch(const lpot_graph *graph) {
  for (size_t i = 0; i < lpot_graph_num_inputs(graph); i++) {
    const lpot_value *input = lpot_graph_value(graph, lpot_graph_input(graph, i));
    if (input->shape.rank >= 1 && input->shape.dims[0] != LPOT_DIM_UNKNOWN) {
      return input->shape.dims[0];
    }
  }
  return 0;
}

/* Binds and makes sure that the outputs have one row for each sample. */
static lpot_status bind_rows(const lpot_graph *graph, int64_t batch, lpot_graph **ret_bound,
                             lpot_error *err) {
  lpot_graph *bound = NULL;
  LPOT_TRY(lpot_graph_bind(graph, batch, lpot_reference_run, &bound, err));
  for (size_t i = 0; i < lpot_graph_num_outputs(bound); i++) {
    const lpot_value *output = lpot_graph_value(bound, lpot_graph_output(bound, i));
    if (batch > 1 && (output->shape.rank < 1 || output->shape.dims[0] != batch)) {
      char shape[128];
      lpot_shape_text(&output->shape, shape, sizeof shape);
      lpot_status status =
          LPOT_FAIL(err, LPOT_UNSUPPORTED, "output '%s' has shape %s, expected %lld rows",
                    output->name, shape, (long long)batch);
      lpot_graph_free(bound);
      return status;
    }
  }
  *ret_bound = bound;
  return LPOT_OK;
}

static lpot_status bind_model(lpot_job *job, bool warns, lpot_error *err) {
  int64_t wanted = job->config->evaluation.batch_size;
  int64_t fixed = fixed_batch(job->graph);
  job->batch_size = fixed > 0 ? fixed : wanted;
  job->calibration_batch = fixed > 0 ? fixed : 1;
  lpot_status status = bind_rows(job->graph, job->batch_size, &job->bound, err);
  job->fixed_batch = fixed;
  if (status == LPOT_OK) {
    if (job->batch_size != wanted && warns) {
      lpot_log(LPOT_LOG_INFO, "the model's batch size is fixed to %lld: it is used instead of %lld",
               (long long)job->batch_size, (long long)wanted);
    }
    return LPOT_OK;
  }
  if (job->batch_size == 1) {
    return status;
  }
  lpot_error ignored = {0};
  if (fixed > 0 || bind_rows(job->graph, 1, &job->bound, &ignored) != LPOT_OK) {
    return status;
  }
  if (warns) {
    lpot_log(LPOT_LOG_WARNING,
             "the model cannot run with batches of %lld, samples run one by one: %s",
             (long long)wanted, err == NULL ? "" : err->message);
  }
  if (err != NULL) {
    *err = (lpot_error){0};
  }
  job->batch_size = 1;
  job->fixed_batch = 1;
  return LPOT_OK;
}

int64_t lpot_job_allowed_batch(const lpot_job *job, int64_t wanted) {
  return job->fixed_batch > 0 ? job->fixed_batch : wanted;
}

/* Somebody may have named best_model.onnx in place of the original. */
static void warn_of_nothing_to_do(const lpot_graph *graph) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    if (!node->removed &&
        (node->op == LPOT_OP_DEQUANTIZE_LINEAR || node->op == LPOT_OP_DYNAMIC_QUANTIZE_LINEAR)) {
      lpot_log(LPOT_LOG_WARNING, "the model is quantized already: there is nothing to tune");
      return;
    }
  }
  lpot_log(LPOT_LOG_WARNING, "the model has no op that can be quantized: there is nothing to tune");
}

/* What normalising has made; the rest lies in the mapped model file. */
static void share_constants(const lpot_graph *graph) {
  for (size_t i = 0; i < lpot_graph_num_values(graph); i++) {
    lpot_tensor *constant = lpot_graph_value(graph, (lpot_value_id)i)->constant;
    if (constant != NULL) {
      lpot_tensor_share(constant);
    }
  }
  lpot_memory_trim();
}

static lpot_status shape_model(lpot_job *job, const lpot_job_options *options, lpot_error *err) {
  LPOT_TRY(lpot_graph_normalise(job->graph, lpot_reference_run, err));
  share_constants(job->graph);
  LPOT_TRY(bind_model(job, options->warns, err));
  if (job->config->dynamic) {
    LPOT_TRY(lpot_quant_ops_new_dynamic(job->graph, job->bound, &job->ops, err));
  } else {
    LPOT_TRY(lpot_quant_ops_new(job->graph, job->bound, &job->ops, err));
  }
  LPOT_TRY(lpot_weight_cache_new(&job->weights, err));
  if (lpot_quant_ops_count(job->ops) == 0 && options->warns) {
    warn_of_nothing_to_do(job->graph);
  }
  return LPOT_OK;
}

lpot_status lpot_job_load_model(const char *path, lpot_graph **ret_graph, lpot_model_info *ret_info,
                                lpot_error *err) {
  lpot_status status = lpot_model_load(path, ret_graph, ret_info, err);
  (void)lpot_error_at(err, path, 0, 0, status);
  if (status != LPOT_NOT_FOUND && status != LPOT_IO) {
    return status;
  }
  if (err != NULL) {
    err->status = LPOT_FORMAT;
  }
  return LPOT_FORMAT;
}

static lpot_status read_model(lpot_job *job, const lpot_job_options *options, lpot_error *err) {
  LPOT_TRY(lpot_job_load_model(options->model_path, &job->graph, &job->model, err));
  lpot_status status = shape_model(job, options, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "model '%s'", options->model_path);
    (void)lpot_error_at(err, options->model_path, 0, 0, status);
  }
  return status;
}

/* ---- data ---- */

lpot_status lpot_job_blame_data(lpot_status status, lpot_error *err) {
  if (status == LPOT_FORMAT || status == LPOT_UNSUPPORTED) {
    status = LPOT_DATA;
  } else if (status == LPOT_INVALID) {
    status = LPOT_CONFIG;
  }
  if (err != NULL && status != LPOT_OK) {
    err->status = status;
  }
  return status;
}

lpot_status lpot_job_batch(lpot_loader *loader, int64_t index, const lpot_batch **ret_batch,
                           lpot_error *err) {
  lpot_status status = lpot_loader_batch(loader, index, ret_batch, err);
  return lpot_job_blame_data(status, err);
}

const lpot_blocks *lpot_job_blocks(const lpot_job *job, bool held_out) {
  return held_out ? &job->held_out : &job->blocks;
}

/* Samples that last_batch leaves. */
static lpot_status whole_batches(const lpot_dataloader_config *section, const lpot_dataset *dataset,
                                 int64_t *ret, lpot_error *err) {
  int64_t size = lpot_dataset_size(dataset);
  int64_t whole = size / section->batch_size * section->batch_size;
  if (section->last_batch != NULL && whole == 0) {
    return lpot_yaml_fail(err, section->last_batch,
                          "discard leaves nothing of %lld samples, which are fewer than a batch of "
                          "%lld",
                          (long long)size, (long long)section->batch_size);
  }
  *ret = section->last_batch != NULL ? whole : size;
  return LPOT_OK;
}

/* Messages about the configuration have their place already. */
static lpot_status blame_section(const lpot_dataloader_config *section, lpot_status status,
                                 lpot_error *err) {
  const lpot_yaml_node *node = section->dataset_settings;
  if (status != LPOT_CONFIG && node != NULL) {
    const char *file = lpot_yaml_node_file(node);
    lpot_error_prefix(err, "%s:%d:%d", file, node->line, node->column);
    (void)lpot_error_at(err, file, node->line, node->column, status);
  }
  return lpot_job_blame_data(status, err);
}

lpot_status lpot_job_open_loader(const lpot_job *job, const lpot_dataloader_config *section,
                                 int64_t batch_size, int64_t max_samples, uint64_t cache_bytes,
                                 lpot_loader **ret_loader, lpot_error *err) {
  LPOT_ASSERT(section->dataset != NULL); /* config.c sees to it. */
  lpot_transforms *transforms = NULL;
  lpot_dataset *dataset = NULL;
  LPOT_TRY(lpot_transforms_new(section->transform, &transforms, err));
  lpot_status status =
      lpot_dataset_open(section->dataset, section->dataset_settings, job->folder, &dataset, err);
  if (status == LPOT_OK && section->filter != NULL) {
    status = lpot_dataset_filter(dataset, section->filter, err);
  }
  if (status == LPOT_OK && lpot_dataset_size(dataset) <= 0) {
    status = LPOT_FAIL(err, LPOT_CONFIG, "dataset '%s' is empty", section->dataset);
  }
  int64_t whole = 0;
  if (status == LPOT_OK) {
    status = whole_batches(section, dataset, &whole, err);
  }
  if (status != LPOT_OK) {
    lpot_dataset_close(dataset);
    lpot_transforms_free(transforms);
    return blame_section(section, status, err);
  }
  lpot_loader_options options = {.seed = job->config->seed,
                                 .keeps_order = section->keeps_order,
                                 .batch_size = batch_size,
                                 .max_samples = max_samples,
                                 .cache_bytes = cache_bytes};
  if (max_samples == 0 || (section == &job->config->evaluation && max_samples > whole)) {
    options.max_samples = whole; /* Also where samples run one by one. */
  }
  LPOT_TRY(lpot_loader_new(&dataset, &transforms, &options, ret_loader, err));
  return LPOT_OK;
}

/* The first batch tells whether the data fit the model. */
static lpot_status check_inputs(const lpot_job *job, lpot_loader *loader, const char *section,
                                lpot_error *err) {
  const lpot_batch *batch = NULL;
  LPOT_TRY(lpot_job_batch(loader, 0, &batch, err));
  size_t num_inputs = lpot_graph_num_inputs(job->bound);
  if (batch->num_inputs != num_inputs) {
    return LPOT_FAIL(err, LPOT_CONFIG, "%s: samples have %zu inputs, the model expects %zu",
                     section, batch->num_inputs, num_inputs);
  }
  for (size_t i = 0; i < num_inputs; i++) {
    const lpot_value *input = lpot_graph_value(job->bound, lpot_graph_input(job->bound, i));
    const lpot_tensor *given = batch->inputs[i];
    lpot_shape expected = input->shape;
    if (expected.rank >= 1) {
      expected.dims[0] = given->shape.rank >= 1 ? given->shape.dims[0] : expected.dims[0];
    }
    if (given->dtype != input->dtype || !lpot_shape_equal(&given->shape, &expected)) {
      char given_text[128];
      char expected_text[128];
      lpot_shape_text(&given->shape, given_text, sizeof given_text);
      lpot_shape_text(&input->shape, expected_text, sizeof expected_text);
      return LPOT_FAIL(err, LPOT_CONFIG,
                       "%s: batches are %s %s, the model's input '%s' expects %s %s (transforms "
                       "Transpose, Cast and Resize change layout, type and size)",
                       section, lpot_dtype_text(given->dtype), given_text, input->name,
                       lpot_dtype_text(input->dtype), expected_text);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_job_open_performance(const lpot_job *job, lpot_loader **ret_loader,
                                      lpot_error *err) {
  const lpot_dataloader_config *section = &job->config->performance;
  int64_t batch = lpot_job_allowed_batch(job, section->batch_size);
  lpot_loader *loader = NULL;
  LPOT_TRY(
      lpot_job_open_loader(job, section, batch, LPOT_LATENCY_BATCHES * batch, 0, &loader, err));
  lpot_status status = check_inputs(job, loader, "performance data", err);
  if (status != LPOT_OK) {
    lpot_loader_free(loader);
    return status;
  }
  *ret_loader = loader;
  return LPOT_OK;
}

static int64_t largest_sampling_size(const lpot_config *config) {
  int64_t largest = 1;
  for (size_t i = 0; i < config->wishes.num_sampling_sizes; i++) {
    int64_t size = config->wishes.sampling_sizes[i];
    largest = size > largest ? size : largest;
  }
  return largest;
}

int64_t lpot_job_calibration_samples(const lpot_job *job) {
  return job->calibration == NULL ? INT64_MAX : lpot_loader_num_samples(job->calibration);
}

static lpot_status open_calibration(lpot_job *job, bool warns, lpot_error *err) {
  if (job->config->q_func != NULL) {
    LPOT_TRY(lpot_plugin_open(&job->calibrator, LPOT_PLUGIN_CALIBRATION, job->config->q_func, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_job_open_loader(job, &job->config->calibration, job->calibration_batch, INT64_MAX,
                                0, &job->calibration, err));
  LPOT_TRY(check_inputs(job, job->calibration, "calibration data", err));
  lpot_loader_release(job->calibration);
  int64_t asked = largest_sampling_size(job->config);
  int64_t given = lpot_loader_num_samples(job->calibration);
  if (asked > given && warns) {
    lpot_log(LPOT_LOG_WARNING,
             "the calibration set has %lld samples, %lld were asked for: all are taken",
             (long long)given, (long long)asked);
  }
  LPOT_TRY(lpot_config_limit_sampling(job->config, given, err));
  return LPOT_OK;
}

static void warn_of_missing_samples(const lpot_job *job) {
  const lpot_dataset *dataset = lpot_loader_dataset(job->evaluation);
  int64_t skipped = lpot_dataset_num_skipped(dataset);
  if (skipped > 0) {
    lpot_log(LPOT_LOG_WARNING,
             "evaluation data: %lld of %lld listed samples have no file, or too few columns: they "
             "are left out",
             (long long)skipped, (long long)(skipped + lpot_dataset_size(dataset)));
  }
}

/* evaluation.accuracy.iteration as a number of samples; 0: all. */
static int64_t evaluation_limit(const lpot_job *job) {
  const lpot_config *config = job->config;
  return config->evaluation_batches < 0 || lpot_metric_evaluates(job->metric)
             ? 0
             : config->evaluation_batches * config->evaluation.batch_size;
}

static lpot_status cut_evaluation(lpot_job *job, lpot_error *err) {
  const lpot_config *config = job->config;
  if (lpot_metric_evaluates(job->metric)) { /* one piece of work, of nobody's samples */
    job->blocks = (lpot_blocks){.num_samples = 1, .block_samples = 1, .num_blocks = 1};
    return LPOT_OK;
  }
  const lpot_holdout_cut cut = {.num_samples = lpot_loader_num_samples(job->evaluation),
                                .batch = job->batch_size,
                                .block_batches = job->block_batches,
                                .part = config->holdout};
  if (!lpot_holdout_divide(&cut, &job->blocks, &job->held_out)) {
    return lpot_yaml_fail(err, config->holdout_node,
                          "of %lld evaluation samples in batches of %lld, %lld would be left to "
                          "search with and %lld held out: expected a batch, and two samples, in "
                          "either part",
                          (long long)cut.num_samples, (long long)cut.batch,
                          (long long)job->blocks.num_samples, (long long)job->held_out.num_samples);
  }
  return LPOT_OK;
}

/* The first samples of the same order calibrate and search, the last are held out: with enough
 * calibration samples the two meet. */
static lpot_status warn_of_shared_samples(const lpot_job *job, lpot_error *err) {
  if (job->held_out.num_blocks == 0 || job->calibration == NULL) {
    return LPOT_OK;
  }
  lpot_digest evaluation, calibration;
  LPOT_TRY(lpot_dataset_manifest(lpot_loader_dataset(job->evaluation), &evaluation, err));
  LPOT_TRY(lpot_dataset_manifest(lpot_loader_dataset(job->calibration), &calibration, err));
  bool same = evaluation.low == calibration.low && evaluation.high == calibration.high;
  if (same && (job->config->calibration.keeps_order ||
               largest_sampling_size(job->config) > job->blocks.num_samples)) {
    lpot_log(LPOT_LOG_WARNING,
             "calibration takes samples of the evaluation set that are held out: give it data of "
             "its own, or fewer than %lld samples",
             (long long)job->blocks.num_samples);
  }
  return LPOT_OK;
}

static lpot_status open_data(lpot_job *job, const lpot_job_options *options, lpot_error *err) {
  uint64_t cache_bytes = CACHE_BYTES / (uint64_t)options->local_ranks;
  int64_t batch = job->batch_size;
  LPOT_TRY(lpot_job_open_loader(job, &job->config->evaluation, batch, evaluation_limit(job),
                                cache_bytes, &job->evaluation, err));
  LPOT_TRY(check_inputs(job, job->evaluation, "evaluation data", err));
  if (options->warns) {
    warn_of_missing_samples(job);
  }
  if (!job->config->dynamic) {
    LPOT_TRY(open_calibration(job, options->warns, err));
  }
  lpot_loader *performance = NULL;
  LPOT_TRY(lpot_job_open_performance(job, &performance, err));
  lpot_loader_free(performance);
  job->block_batches = (BLOCK_SAMPLES + batch - 1) / batch;
  LPOT_TRY(cut_evaluation(job, err));
  if (options->warns) {
    LPOT_TRY(warn_of_shared_samples(job, err));
  }
  if (lpot_metric_is_per_sample(job->metric)) {
    job->batch_correct = lpot_calloc(lpot_bits_size((size_t)batch), 1);
    if (job->batch_correct == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
  }
  return LPOT_OK;
}

/* As topk: 10 of 10 classes. */
static void warn_of_certain_answers(const lpot_job *job) {
  int64_t classes = 1;
  if (lpot_graph_num_outputs(job->bound) == 0 || !lpot_postprocess_is_empty(job->postprocess)) {
    return;
  }
  const lpot_shape *shape = &lpot_graph_value(job->bound, lpot_graph_output(job->bound, 0))->shape;
  for (int i = 1; i < shape->rank; i++) {
    bool counts = shape->dims[i] != 1;
    if (counts && classes != 1) {
      return; /* There are no classes: the metric says so. */
    }
    classes = counts ? shape->dims[i] : classes;
  }
  const lpot_yaml_node *node = job->config->metric;
  if (classes > 1 && lpot_metric_chance_level(job->metric, classes) >= 1) {
    lpot_log(LPOT_LOG_WARNING,
             "%s:%d:%d: metric %s: with %lld classes every answer is right, of every recipe",
             lpot_yaml_node_file(node), node->line, node->column, lpot_metric_name(job->metric),
             (long long)classes);
  }
}

static lpot_status open_metric(lpot_job *job, bool warns, lpot_error *err) {
  LPOT_TRY(lpot_config_need_metric(job->config, err));
  LPOT_TRY(lpot_metric_new(job->config->metric, &job->metric, err));
  LPOT_TRY(lpot_postprocess_new(job->config->postprocess, &job->postprocess, err));
  if (lpot_metric_compares_models(job->metric) && !lpot_postprocess_is_empty(job->postprocess)) {
    return lpot_yaml_fail(err, job->config->postprocess,
                          "a metric with compare_label: false compares the models' own outputs");
  }
  job->higher_is_better = job->config->higher_is_better_given
                              ? job->config->higher_is_better
                              : lpot_metric_higher_is_better(job->metric);
  if (warns) {
    warn_of_certain_answers(job);
  }
  return LPOT_OK;
}

static lpot_status fill(lpot_job *job, const lpot_job_options *options, lpot_error *err) {
  LPOT_TRY(lpot_job_read_config(options, &job->config, err));
  LPOT_TRY(lpot_config_check_supported(job->config, err));
  LPOT_TRY(lpot_engine_open(options->engine_name, &job->engine, err));
  if (!job->config->dynamic && !lpot_engine_has_bf16(job->engine)) {
    LPOT_TRY(lpot_config_refuse_bf16(job->config, lpot_engine_numeric_class(job->engine), err));
  }
  LPOT_TRY(read_model(job, options, err));
  if (options->needs_data) {
    LPOT_TRY(open_metric(job, options->warns, err));
    LPOT_TRY(open_data(job, options, err));
  }
  return LPOT_OK;
}

lpot_status lpot_job_new(const lpot_job_options *options, lpot_job **ret_job, lpot_error *err) {
  lpot_job *job = lpot_calloc(1, sizeof *job);
  if (job == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  job->folder = options->folder;
  lpot_status status = fill(job, options, err);
  if (status != LPOT_OK) {
    lpot_job_free(job);
    return status;
  }
  *ret_job = job;
  return LPOT_OK;
}

void lpot_job_free(lpot_job *job) {
  if (job == NULL) {
    return;
  }
  lpot_job_drop_plans(job);
  lpot_free(job->batch_correct);
  lpot_buffer_done(&job->f32_outputs);
  for (size_t i = 0; i < job->num_calibrations; i++) {
    lpot_calibration_free(job->calibrations[i].calibration);
  }
  lpot_free(job->calibrations);
  lpot_plan_free(job->reference);
  lpot_postprocess_free(job->postprocess);
  lpot_metric_free(job->metric);
  lpot_plugin_close(&job->calibrator);
  lpot_loader_free(job->calibration);
  lpot_loader_free(job->evaluation);
  lpot_weight_cache_free(job->equalized_weights);
  lpot_graph_free(job->equalized);
  lpot_weight_cache_free(job->weights);
  lpot_quant_ops_free(job->ops);
  lpot_graph_free(job->bound);
  lpot_graph_free(job->graph);
  if (job->engine != NULL) {
    lpot_engine_close(job->engine);
  }
  lpot_config_free(job->config);
  lpot_free(job);
}

/* ---- calibrations ---- */

static lpot_status equalize(lpot_job *job, lpot_error *err) {
  size_t num_pairs = 0;
  if (job->equalized_weights == NULL) {
    LPOT_TRY(lpot_weight_cache_new(&job->equalized_weights, err));
  }
  LPOT_TRY(lpot_quant_equalize(job->graph, job->ops, &job->equalized, &num_pairs, err));
  lpot_log(LPOT_LOG_INFO, "cross-layer equalization: %zu pairs of layers", num_pairs);
  share_constants(job->equalized);
  return LPOT_OK;
}

lpot_status lpot_job_variant(lpot_job *job, bool equalized, const lpot_graph **ret_graph,
                             lpot_error *err) {
  if (equalized && job->equalized == NULL) {
    LPOT_TRY(equalize(job, err));
  }
  *ret_graph = equalized ? job->equalized : job->graph;
  return LPOT_OK;
}

static lpot_job_calibration *find(const lpot_job *job, lpot_calibration_key key) {
  for (size_t i = 0; i < job->num_calibrations; i++) {
    if (lpot_calibration_key_equal(job->calibrations[i].key, key)) {
      return &job->calibrations[i];
    }
  }
  return NULL;
}

const lpot_calibration *lpot_job_find_calibration(const lpot_job *job, lpot_calibration_key key) {
  const lpot_job_calibration *entry = find(job, key);
  return entry == NULL ? NULL : entry->calibration;
}

static lpot_status find_or_add(lpot_job *job, lpot_calibration_key key,
                               lpot_job_calibration **ret_entry, lpot_error *err) {
  const lpot_graph *variant = NULL;
  LPOT_TRY(lpot_job_variant(job, key.equalized, &variant, err));
  lpot_job_calibration *entry = find(job, key);
  if (entry == NULL) {
    lpot_job_calibration *grown =
        lpot_realloc(job->calibrations, job->num_calibrations + 1, sizeof *grown);
    if (grown == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    job->calibrations = grown;
    entry = &grown[job->num_calibrations];
    *entry = (lpot_job_calibration){.key = key};
    job->num_calibrations++;
  }
  *ret_entry = entry;
  return LPOT_OK;
}

lpot_status lpot_job_add_calibration(lpot_job *job, lpot_calibration_key key,
                                     lpot_calibration **calibration, lpot_error *err) {
  lpot_job_calibration *entry = NULL;
  lpot_status status = lpot_calibration_share(*calibration, err);
  if (status == LPOT_OK) {
    status = find_or_add(job, key, &entry, err);
  }
  if (status == LPOT_OK) {
    lpot_calibration_free(entry->calibration);
    entry->calibration = *calibration;
  } else {
    lpot_calibration_free(*calibration);
  }
  *calibration = NULL;
  return status;
}

/* ---- plans ---- */

lpot_status lpot_job_rewrite(const lpot_job *job, const lpot_recipe *recipe, lpot_graph **ret_qdq,
                             lpot_error *err) {
  size_t num_ops = lpot_quant_ops_count(job->ops);
  if (recipe->num_ops != num_ops) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "recipe has %zu ops, the model has %zu", recipe->num_ops,
                     num_ops);
  }
  const lpot_calibration *calibration =
      lpot_job_find_calibration(job, lpot_calibration_key_of(recipe));
  if (!recipe->dynamic && calibration == NULL && lpot_recipe_num_quantized(recipe) > 0) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "there is no calibration for %lld samples",
                     (long long)recipe->calibration_samples);
  }
  /* A recipe without int8 ops needs no calibration, and none of the two graphs rather than the
   * other. */
  bool equalized = recipe->corrections.cross_layer_equalization && job->equalized != NULL;
  LPOT_TRY(lpot_quant_rewrite(equalized ? job->equalized : job->graph, job->ops, recipe,
                              calibration, equalized ? job->equalized_weights : job->weights,
                              ret_qdq, err));
  return LPOT_OK;
}

lpot_status lpot_job_compile(const lpot_job *job, const lpot_recipe *recipe, int64_t batch,
                             const lpot_plan_options *options, lpot_plan **ret_plan,
                             lpot_error *err) {
  lpot_graph *qdq = NULL;
  if (recipe != NULL) {
    LPOT_TRY(lpot_job_rewrite(job, recipe, &qdq, err));
  }
  lpot_graph *bound = NULL;
  const lpot_graph *source = recipe == NULL ? job->graph : qdq;
  lpot_status status = lpot_graph_bind(source, batch, lpot_reference_run, &bound, err);
  if (status == LPOT_OK) {
    status = lpot_plan_compile(job->engine, bound, options, ret_plan, err);
  }
  lpot_graph_free(bound);
  lpot_graph_free(qdq);
  return status;
}

/* Moves the kept plan at index to the front. */
static void make_first(lpot_job *job, size_t index) {
  lpot_kept_plan first = job->plans[index];
  for (size_t i = index; i > 0; i--) {
    job->plans[i] = job->plans[i - 1];
  }
  job->plans[0] = first;
}

static void drop_plan(lpot_kept_plan *kept) {
  lpot_plan_free(kept->plan);
  *kept = (lpot_kept_plan){0};
}

/* Makes room for one more plan. What f32 packs is four times as large and not needed again; what is
 * quickly compiled again is not worth much memory in every rank. */
static void drop_large_plans(lpot_job *job) {
  for (size_t i = 0; i < LPOT_KEPT_PLANS; i++) {
    lpot_kept_plan *kept = &job->plans[i];
    if (kept->plan == NULL) {
      continue;
    }
    lpot_plan_stats stats;
    lpot_plan_get_stats(kept->plan, &stats);
    if (kept->hash == 0 || stats.weight_bytes + stats.arena_bytes > LARGE_PLAN_BYTES) {
      drop_plan(kept);
    }
  }
}

lpot_status lpot_job_plan(lpot_job *job, const lpot_recipe *recipe, lpot_plan **ret_plan,
                          lpot_error *err) {
  uint64_t hash = recipe == NULL ? 0 : lpot_recipe_hash(recipe);
  size_t index = 0;
  while (index + 1 < LPOT_KEPT_PLANS &&
         (job->plans[index].plan == NULL || job->plans[index].hash != hash)) {
    index++;
  }
  lpot_kept_plan *slot = &job->plans[index];
  if (slot->plan == NULL || slot->hash != hash) {
    drop_large_plans(job);
    drop_plan(slot);
    slot->hash = hash;
    const lpot_plan_options options = {.share_weights = true};
    LPOT_TRY(lpot_job_compile(job, recipe, job->batch_size, &options, &slot->plan, err));
    lpot_memory_trim();
  }
  make_first(job, index);
  *ret_plan = job->plans[0].plan;
  return LPOT_OK;
}

/* ---- identity ---- */

void lpot_job_drop_plans(lpot_job *job) {
  for (size_t i = 0; i < LPOT_KEPT_PLANS; i++) {
    drop_plan(&job->plans[i]);
  }
  lpot_plan_free(job->reference);
  job->reference = NULL;
  lpot_memory_trim();
}

lpot_status lpot_job_config_hash(const lpot_job *job, uint64_t *ret_hash, lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_config_text(job->config, true, &text, err);
  if (status == LPOT_OK) {
    *ret_hash = lpot_hash64(text.data, text.size, 0);
  }
  lpot_buffer_done(&text);
  return status;
}

lpot_status lpot_job_manifest(const lpot_job *job, lpot_digest *ret, lpot_error *err) {
  lpot_digest parts[3];
  size_t count = 1;
  LPOT_TRY(lpot_dataset_manifest(lpot_loader_dataset(job->evaluation), &parts[0], err));
  if (job->calibration != NULL) {
    LPOT_TRY(lpot_dataset_manifest(lpot_loader_dataset(job->calibration), &parts[count++], err));
  }
  if (lpot_plugin_is_used(lpot_yaml_root(job->config->yaml))) {
    LPOT_TRY(lpot_plugin_digest(lpot_yaml_root(job->config->yaml), &parts[count++], err));
  }
  *ret = count == 1 ? parts[0] : lpot_digest_of(parts, count * sizeof *parts);
  return LPOT_OK;
}
