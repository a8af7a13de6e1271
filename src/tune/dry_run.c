#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tune/job.h"
#include "tune/report.h"
#include "tune/tune.h"

static void print_model(const lpot_job *job, const char *path) {
  printf("model: %s (%s, opset %d, IR %d, producer '%s', %llu bytes)\n", path, job->model.format,
         job->model.opset, job->model.ir_version, job->model.producer,
         (unsigned long long)job->model.size_bytes);
  for (size_t i = 0; i < lpot_graph_num_inputs(job->graph); i++) {
    const lpot_value *input = lpot_graph_value(job->graph, lpot_graph_input(job->graph, i));
    char shape[128];
    lpot_shape_text(&input->shape, shape, sizeof shape);
    printf("  input '%s' %s %s\n", input->name, lpot_dtype_text(input->dtype), shape);
  }
}

static void print_data(const lpot_job *job) {
  printf("data: %lld %s samples in batches of %lld (%lld blocks)",
         (long long)lpot_loader_num_samples(job->evaluation),
         lpot_metric_evaluates(job->metric) ? "sensing" : "evaluation", (long long)job->batch_size,
         (long long)(job->blocks.num_blocks + job->held_out.num_blocks));
  if (job->held_out.num_blocks > 0) {
    printf(", the first %lld to search with and the last %lld held out",
           (long long)job->blocks.num_samples, (long long)job->held_out.num_samples);
  }
  if (job->config->dynamic) {
    printf(", no calibration: quantization is dynamic\n");
  } else if (job->calibration == NULL) {
    printf(", %s calibrates, on data of its own\n", job->calibrator.component->name);
  } else {
    printf(", %lld calibration samples\n", (long long)lpot_loader_num_samples(job->calibration));
  }
  printf("metric: %s, %s is better%s\n", lpot_metric_name(job->metric),
         job->higher_is_better ? "higher" : "lower",
         lpot_metric_evaluates(job->metric) ? "; it evaluates by itself, on data of its own" : "");
}

static void print_ops(const lpot_job *job, const lpot_space *space) {
  size_t count = lpot_quant_ops_count(job->ops);
  printf("quantizable ops: %zu\n", count);
  for (size_t i = 0; i < count; i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(job->ops, i);
    const lpot_space_op *entry = lpot_space_get(space, i);
    const char *kept = entry->num_reduced == 0 ? " (the configuration keeps it in fp32)" : "";
    printf("  %-20s '%s': %zu configurations, %zu of them in int8%s%s\n", op->type, op->name,
           entry->num_configs, entry->num_quantized, entry->bf16 != NULL ? ", one in bf16" : "",
           kept);
  }
  size_t others = lpot_quant_ops_num_others(job->ops);
  printf("ops that stay fp32: %zu\n", others);
  for (size_t i = 0; i < others; i++) {
    const lpot_quant_op *op = lpot_quant_ops_get_other(job->ops, i);
    printf("  %-20s '%s': %s\n", op->type, op->name, op->reason == NULL ? "" : op->reason);
  }
}

/* Each set of corrections that strategies choose from, unless there are none. */
static void print_corrections(const lpot_space *space) {
  size_t count = lpot_space_num_corrections(space);
  bool any = count > 1 || lpot_corrections_any(lpot_space_corrections(space, 0));
  for (size_t i = 0; any && i < count; i++) {
    char text[LPOT_CORRECTIONS_TEXT];
    lpot_corrections_text(lpot_space_corrections(space, i), text);
    printf("corrections: %s\n", text);
  }
}

static void print_space(const lpot_job *job, const lpot_space *space) {
  printf("strategy: %s, at most %lld trials, seed %llu\n", job->config->strategy,
         (long long)job->config->max_trials, (unsigned long long)job->config->seed);
  if (!lpot_space_is_dynamic(space)) {
    printf("calibration sampling sizes:");
    for (size_t i = 0; i < lpot_space_num_sampling_sizes(space); i++) {
      printf(" %lld", (long long)lpot_space_sampling_size(space, i));
    }
    putchar('\n');
  }
  print_corrections(space);
  for (size_t i = 0; i < lpot_space_num_warnings(space); i++) {
    printf("note: %s\n", lpot_space_warning(space, i));
  }
}

/* What holds in the end, defaults filled in. */
static lpot_status print_config(const lpot_job *job, lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_config_text(job->config, false, &text, err);
  if (status == LPOT_OK) {
    printf("configuration:\n%.*s", (int)text.size, (const char *)text.data);
  }
  lpot_buffer_done(&text);
  return status;
}

static lpot_status print_plan(const lpot_job *job, lpot_error *err) {
  lpot_plan *plan = NULL;
  LPOT_TRY(lpot_job_compile(job, NULL, job->batch_size, NULL, &plan, err));
  lpot_plan_stats stats;
  lpot_plan_get_stats(plan, &stats);
  printf("f32 plan (%s, %s): %zu steps, %zu bytes of activations (%zu without reuse), %zu bytes of "
         "weights\n",
         lpot_engine_version(job->engine), lpot_engine_numeric_class(job->engine), stats.num_steps,
         stats.arena_bytes, stats.activation_bytes, stats.weight_bytes);
  for (size_t i = 0; i < stats.num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    printf("  %-24s %-16s '%s'\n", step.kind, step.implementation, step.name);
  }
  lpot_plan_free(plan);
  return LPOT_OK;
}

static lpot_status describe(const lpot_tune_options *options, const lpot_job *job,
                            lpot_error *err) {
  lpot_space *space = NULL;
  LPOT_TRY(lpot_space_new(job->ops, &job->config->wishes, &space, err));
  print_model(job, options->model_path);
  print_data(job);
  print_ops(job, space);
  print_space(job, space);
  lpot_space_free(space);
  LPOT_TRY(print_config(job, err));
  LPOT_TRY(print_plan(job, err));
  return LPOT_OK;
}

int lpot_tune_dry_run(const lpot_tune_options *options) {
  lpot_error error = {0};
  lpot_job *job = NULL;
  lpot_job_options wanted = lpot_tune_job_options(options, 1);
  wanted.warns = true;
  lpot_status status = lpot_job_new_guarded(&wanted, &job, &error);
  if (status == LPOT_OK) {
    status = describe(options, job, &error);
  }
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_job_free(job);
  return lpot_report_flush(lpot_status_exit_code(status));
}
