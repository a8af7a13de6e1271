/* One instance of a benchmark: what its process does. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/benchmark.h"
#include "tune/calibrate.h"
#include "tune/core_probe.h"
#include "tune/evaluate.h"
#include "tune/export.h"
#include "tune/job.h"
#include "tune/protocol.h"

#define BUDGET_SECONDS 3.0 /* of measuring where iteration is -1 */
#define MIN_RUNS 100       /* then, if they take no longer than LONGEST_SECONDS */
#define LONGEST_SECONDS 30.0
#define GO_SECONDS 3600.0 /* other instances may have more to prepare */

/* One model, ready to run. */
typedef struct bench_model {
  lpot_job *job;       /* owned */
  lpot_recipe *recipe; /* owned; NULL: as the model is */
  lpot_loader *loader; /* owned; of the performance section */
  lpot_plan *plan;     /* owned */
  int64_t batch;
  size_t num_sets;
  lpot_tensor *sets[LPOT_LATENCY_BATCHES][LPOT_MAX_SAMPLE_INPUTS]; /* owned: inputs in turn */
} bench_model;

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static void model_done(bench_model *model) {
  for (size_t i = 0; i < model->num_sets; i++) {
    for (size_t k = 0; k < LPOT_MAX_SAMPLE_INPUTS; k++) {
      lpot_tensor_unref(model->sets[i][k]);
    }
  }
  lpot_plan_free(model->plan);
  lpot_loader_free(model->loader);
  lpot_recipe_free(model->recipe);
  lpot_job_free(model->job);
  *model = (bench_model){0};
}

/* ---- preparing ---- */

/* Every op in bf16 that can be, the others in f32. */
static lpot_status make_bf16_recipe(const lpot_job *job, lpot_recipe **ret_recipe,
                                    lpot_error *err) {
  static const int64_t no_samples[] = {0};
  const lpot_wishes wishes = {
      .model_wise.activation.dtype = {.count = 2, .values = {LPOT_BF16, LPOT_F32}},
      .num_sampling_sizes = 1,
      .sampling_sizes = no_samples,
      .first_conv_or_matmul_quantization = true};
  lpot_space *space = NULL;
  LPOT_TRY(lpot_space_new(job->ops, &wishes, &space, err));
  lpot_status status = lpot_recipe_new(lpot_space_num_ops(space), ret_recipe, err);
  for (size_t i = 0; status == LPOT_OK && i < lpot_space_num_ops(space); i++) {
    const lpot_space_op *op = lpot_space_get(space, i);
    (*ret_recipe)->ops[i] = op->bf16 != NULL ? *op->bf16 : op->fallback;
  }
  lpot_space_free(space);
  return status;
}

static lpot_status make_recipe(const lpot_benchmark_model *from, bench_model *model,
                               lpot_error *err) {
  lpot_job *job = model->job;
  if (from->bf16) {
    if (!lpot_engine_has_bf16(job->engine)) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                       "bf16 needs a processor with AVX512_BF16 or AMX, this one computes as '%s'",
                       lpot_engine_numeric_class(job->engine));
    }
    LPOT_TRY(make_bf16_recipe(job, &model->recipe, err));
  }
  if (from->recipe_path == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_import_recipe(job, from->recipe_path, &model->recipe, err));
  if (model->recipe->dynamic || lpot_recipe_num_quantized(model->recipe) == 0) {
    return LPOT_OK;
  }
  int64_t given = lpot_job_calibration_samples(job);
  lpot_calibration_key key = lpot_calibration_key_of(model->recipe);
  int64_t count = key.samples < given ? key.samples : given;
  lpot_calibration *calibration = NULL;
  LPOT_TRY(lpot_calibrate(job, key.equalized, 0, count, NULL, &calibration, err));
  LPOT_TRY(lpot_job_add_calibration(job, key, &calibration, err));
  return LPOT_OK;
}

static lpot_status copy_batches(bench_model *model, lpot_error *err) {
  LPOT_TRY(lpot_job_open_performance(model->job, &model->loader, err));
  int64_t count = lpot_loader_num_batches(model->loader);
  count = count < LPOT_LATENCY_BATCHES ? count : LPOT_LATENCY_BATCHES;
  for (int64_t i = 0; i < count; i++) {
    const lpot_batch *batch = NULL;
    LPOT_TRY(lpot_job_batch(model->loader, i, &batch, err));
    model->num_sets++;
    for (size_t k = 0; k < batch->num_inputs; k++) {
      const lpot_tensor *input = batch->inputs[k];
      LPOT_TRY(
          lpot_tensor_copy_of(input->dtype, &input->shape, input->data, &model->sets[i][k], err));
    }
  }
  return LPOT_OK;
}

static lpot_status prepare(const lpot_benchmark_instance *instance, size_t index,
                           bench_model *model, lpot_error *err) {
  const lpot_benchmark_options *options = instance->options;
  const lpot_benchmark_model *from = &options->models[index];
  const lpot_job_options wanted = {.config_path = options->config_path,
                                   .config_text = options->config_text,
                                   .num_settings = options->num_settings,
                                   .settings = options->settings,
                                   .model_path = from->path,
                                   .engine_name = options->engine_name,
                                   .local_ranks = 1,
                                   .warns = false, /* The parent has told. */
                                   .needs_data = options->accuracy || from->recipe_path != NULL,
                                   .purpose = LPOT_CONFIG_BENCHMARK};
  LPOT_TRY(lpot_job_new(&wanted, &model->job, err));
  LPOT_TRY(make_recipe(from, model, err));
  if (options->accuracy) {
    return LPOT_OK;
  }
  lpot_engine_use_threads(model->job->engine, (int)lpot_cpu_set_count(&instance->cpus));
  model->batch = lpot_job_allowed_batch(model->job, model->job->config->performance.batch_size);
  LPOT_TRY(copy_batches(model, err));
  LPOT_TRY(lpot_job_compile(model->job, model->recipe, model->batch, NULL, &model->plan, err));
  return LPOT_OK;
}

/* ---- measuring ---- */

static lpot_status run_once(bench_model *model, size_t number, double *ret_seconds,
                            lpot_error *err) {
  const lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS];
  for (size_t k = 0; k < LPOT_MAX_SAMPLE_INPUTS; k++) {
    inputs[k] = model->sets[number % model->num_sets][k];
  }
  double start = now();
  LPOT_TRY(lpot_plan_run(model->plan, inputs, err));
  *ret_seconds = now() - start;
  return LPOT_OK;
}

static lpot_status warm_up(bench_model *model, lpot_error *err) {
  int64_t runs = model->job->config->warmup;
  for (int64_t i = 0; i < (runs > 1 ? runs : 1); i++) {
    double seconds = 0;
    LPOT_TRY(run_once(model, (size_t)i, &seconds, err));
  }
  return LPOT_OK;
}

static bool is_enough(int64_t iterations, size_t runs, double seconds) {
  if (iterations > 0) {
    return (int64_t)runs >= iterations;
  }
  return runs >= LPOT_MAX_BENCHMARK_RUNS || seconds > LONGEST_SECONDS ||
         (seconds > BUDGET_SECONDS && runs >= MIN_RUNS);
}

static lpot_status measure_runs(bench_model *model, lpot_benchmark_measure *measure,
                                lpot_error *err) {
  int64_t iterations = model->job->config->iteration;
  size_t capacity = iterations > 0 ? (size_t)iterations : LPOT_MAX_BENCHMARK_RUNS;
  measure->run_ms = lpot_calloc(capacity, sizeof *measure->run_ms);
  if (measure->run_ms == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  measure->batch = model->batch;
  lpot_core_watch core;
  size_t crowded = 0;
  lpot_core_watch_begin(0, &core);
  double start = now();
  while (measure->num_runs < capacity && !is_enough(iterations, measure->num_runs, now() - start)) {
    double seconds = 0;
    lpot_core_watch_reset(&core);
    lpot_core_watch_look(&core);
    LPOT_TRY(run_once(model, measure->num_runs, &seconds, err));
    lpot_core_watch_look(&core);
    crowded += lpot_is_crowded(core.second.crowding, core.least) ? 1 : 0;
    measure->run_ms[measure->num_runs] = seconds * 1e3;
    measure->num_runs++;
  }
  measure->seconds = now() - start;
  measure->crowded = core.known ? (double)crowded / (double)measure->num_runs : (double)NAN;
  return LPOT_OK;
}

static lpot_status total_of(const lpot_job *job, const lpot_outcome *outcome, double *ret_accuracy,
                            uint64_t *ret_samples, lpot_error *err) {
  lpot_metric_state total;
  lpot_metric_state_init(&total);
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < outcome->num_states && status == LPOT_OK; i++) {
    status = lpot_metric_state_merge(job->metric, &total, &outcome->states[i], err);
  }
  if (status == LPOT_OK) {
    status = lpot_metric_value(job->metric, &total, ret_accuracy, err);
  }
  *ret_samples = total.samples;
  lpot_metric_state_done(&total);
  return status;
}

static lpot_status measure_accuracy(bench_model *model, lpot_benchmark_measure *measure,
                                    lpot_error *err) {
  lpot_job *job = model->job;
  lpot_task task;
  lpot_outcome outcome;
  lpot_task_init(&task);
  lpot_outcome_init(&outcome);
  task.kind = LPOT_TASK_EVALUATE;
  task.count = job->blocks.num_blocks;
  task.recipe = model->recipe; /* borrowed */
  measure->batch = job->batch_size;
  double start = now();
  lpot_status status = lpot_evaluate(job, &task, NULL, &outcome, err);
  measure->seconds = now() - start;
  if (status == LPOT_OK) {
    status = total_of(job, &outcome, &measure->accuracy, &measure->samples, err);
  }
  lpot_outcome_done(&outcome);
  return status;
}

static lpot_status measure(const lpot_benchmark_instance *instance, size_t index,
                           bench_model *model, lpot_benchmark_measure *ret, lpot_error *err) {
  *ret = (lpot_benchmark_measure){.variant = (int)index,
                                  .instance = instance->number,
                                  .rank = instance->rank,
                                  .accuracy = (double)NAN,
                                  .crowded = (double)NAN};
  lpot_cpu_set_text(&instance->cpus, ret->cores, sizeof ret->cores);
  if (instance->options->accuracy) {
    LPOT_TRY(measure_accuracy(model, ret, err));
  } else {
    LPOT_TRY(measure_runs(model, ret, err));
  }
  ret->resident_bytes = lpot_machine_peak_resident_bytes();
  return LPOT_OK;
}

/* ---- talking ---- */

static lpot_status say(lpot_link *link, lpot_message_kind kind, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_message_begin(&message, kind, 0, err);
  if (status == LPOT_OK) {
    status = lpot_message_finish(&message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_link_post(link, &message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_link_flush(link, GO_SECONDS, err);
  }
  lpot_buffer_done(&message);
  return status;
}

static lpot_status wait_for_go(lpot_link *link, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_link_news news = LPOT_LINK_SILENT;
  lpot_status status = lpot_link_receive(link, GO_SECONDS, &news, &message, err);
  lpot_buffer_done(&message);
  LPOT_TRY(status);
  if (news != LPOT_LINK_MESSAGE) {
    return LPOT_FAIL(err, LPOT_IO, "the benchmark was not begun");
  }
  return LPOT_OK;
}

static lpot_status send_measure(lpot_link *link, const lpot_benchmark_measure *measure,
                                lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_message_begin(&message, LPOT_MESSAGE_OUTCOME, 0, err);
  if (status == LPOT_OK) {
    status = lpot_benchmark_measure_write(measure, &message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_message_finish(&message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_link_post(link, &message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_link_flush(link, GO_SECONDS, err);
  }
  lpot_buffer_done(&message);
  return status;
}

static lpot_status work_on(const lpot_benchmark_instance *instance, size_t index,
                           bench_model *model, lpot_link *link, lpot_error *err) {
  LPOT_TRY(prepare(instance, index, model, err));
  if (!instance->options->accuracy) {
    LPOT_TRY(warm_up(model, err));
  }
  LPOT_TRY(say(link, LPOT_MESSAGE_HELLO, err));
  LPOT_TRY(wait_for_go(link, err));
  lpot_benchmark_measure result = {0};
  lpot_status status = measure(instance, index, model, &result, err);
  if (status == LPOT_OK) {
    status = send_measure(link, &result, err);
  }
  lpot_benchmark_measure_done(&result);
  return status;
}

lpot_status lpot_benchmark_work(const lpot_benchmark_instance *instance, lpot_link *link,
                                lpot_error *err) {
  LPOT_TRY(lpot_machine_pin_to(&instance->cpus, err));
  for (size_t i = 0; i < instance->options->num_models; i++) {
    bench_model model = {0};
    lpot_status status = work_on(instance, i, &model, link, err);
    model_done(&model);
    LPOT_TRY(status);
  }
  return LPOT_OK;
}
