#include "tune/calibrate.h"

#include "base/memory.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"
#include "tune/user_model.h"

/* Takes the rows of a batch that count. */
typedef struct row_filter {
  lpot_calibration *calibration;
  const lpot_graph *bound;
  int64_t batch, valid; /* rows of a batch, and how many of them are samples */
} row_filter;

/* Where the first dimension is the batch, the first rows come first. */
static lpot_status observe(void *context, lpot_value_id value, const float *elements, int64_t count,
                           lpot_error *err) {
  const row_filter *filter = context;
  const lpot_shape *shape = &lpot_graph_value(filter->bound, value)->shape;
  if (filter->valid < filter->batch && shape->rank >= 1 && shape->dims[0] % filter->batch == 0) {
    count = count / filter->batch * filter->valid;
  }
  LPOT_TRY(lpot_calibration_observe(filter->calibration, value, elements, count, err));
  return LPOT_OK;
}

static lpot_status run_samples(lpot_job *job, lpot_plan *plan, int64_t first, int64_t count,
                               const lpot_stop *stop, row_filter *filter, lpot_error *err) {
  int64_t step = job->calibration_batch;
  for (int64_t sample = first; sample < first + count; sample += step) {
    if (stop != NULL && stop->requested(stop->context)) {
      return LPOT_FAIL(err, LPOT_INTERRUPTED, "calibration was stopped");
    }
    const lpot_batch *batch = NULL;
    LPOT_TRY(lpot_job_batch(job->calibration, sample / step, &batch, err));
    if (sample + step < first + count) {
      lpot_loader_prefetch(job->calibration, sample / step + 1);
    }
    const lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS];
    for (size_t i = 0; i < batch->num_inputs; i++) {
      inputs[i] = batch->inputs[i];
    }
    int64_t left = first + count - sample;
    filter->valid = batch->num_valid < left ? batch->num_valid : left;
    LPOT_TRY(lpot_plan_run(plan, inputs, err));
  }
  return LPOT_OK;
}

static lpot_status observe_samples(lpot_job *job, const lpot_graph *graph, const bool *observed,
                                   int64_t first, int64_t count, const lpot_stop *stop,
                                   lpot_calibration *calibration, lpot_error *err) {
  lpot_graph *bound = NULL;
  LPOT_TRY(lpot_graph_bind(graph, job->calibration_batch, lpot_reference_run, &bound, err));
  row_filter filter = {.calibration = calibration, .bound = bound, .batch = job->calibration_batch};
  lpot_plan_options options = {
      .observed = observed, .observe = observe, .observe_context = &filter, .share_weights = true};
  lpot_plan *plan = NULL;
  lpot_status status = lpot_plan_compile(job->engine, bound, &options, &plan, err);
  if (status == LPOT_OK) {
    status = run_samples(job, plan, first, count, stop, &filter, err);
    lpot_loader_release(job->calibration);
  }
  lpot_plan_free(plan);
  lpot_graph_free(bound);
  return status;
}

static lpot_status call_function(const lpot_plugin *calibrator, lpot_model *model, int64_t count,
                                 lpot_error *err) {
  lpot_plugin_call call;
  lpot_plugin_begin(&call, calibrator, 0, NULL, NULL);
  int returned =
      calibrator->copy.calibration.calibrate(calibrator->object, model, count, call.error);
  lpot_status status = lpot_plugin_end(&call, returned, err);
  LPOT_TRY(lpot_user_model_check(model, err)); /* It says more. */
  LPOT_TRY(status);
  if (lpot_user_model_num_runs(model) == 0) {
    return LPOT_FAIL(err, LPOT_DATA, "calibration %s has not run the model",
                     calibrator->component->name);
  }
  return LPOT_OK;
}

/* By a function of the user's: all that it runs counts. */
static lpot_status observe_function(lpot_job *job, const lpot_graph *graph, const bool *observed,
                                    int64_t count, const lpot_stop *stop,
                                    lpot_calibration *calibration, lpot_error *err) {
  const lpot_plan_options plans = {.observed = observed,
                                   .observe = lpot_calibration_observe,
                                   .observe_context = calibration,
                                   .share_weights = true};
  const lpot_user_model_source source = {
      .engine = job->engine, .graph = graph, .stop = stop, .plans = &plans};
  lpot_model *model = NULL;
  LPOT_TRY(lpot_user_model_new(&source, &model, err));
  lpot_status status = call_function(&job->calibrator, model, count, err);
  lpot_model_free(model);
  return status;
}

lpot_status lpot_calibrate_hash(const lpot_calibration *calibration, uint64_t *ret_hash,
                                lpot_error *err) {
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  lpot_status status = lpot_calibration_write(calibration, &bytes, err);
  if (status == LPOT_OK) {
    *ret_hash = lpot_hash64(bytes.data, bytes.size, 0);
  }
  lpot_buffer_done(&bytes);
  return status;
}

lpot_status lpot_calibrate(lpot_job *job, bool equalized, int64_t first, int64_t count,
                           const lpot_stop *stop, lpot_calibration **ret_calibration,
                           lpot_error *err) {
  int64_t num_samples = lpot_job_calibration_samples(job);
  if ((job->calibration == NULL && first != 0) || first < 0 || count < 0 || first > num_samples ||
      count > num_samples - first) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "samples %lld + %lld are outside of the %lld samples",
                     (long long)first, (long long)count, (long long)num_samples);
  }
  const lpot_graph *graph = NULL;
  LPOT_TRY(lpot_job_variant(job, equalized, &graph, err));
  size_t num_values = lpot_graph_num_values(graph);
  bool *observed = lpot_calloc(num_values, sizeof *observed);
  if (observed == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_job_drop_plans(job);
  lpot_quant_ops_observed(job->ops, observed);
  lpot_calibration *calibration = NULL;
  lpot_status status = lpot_calibration_new(observed, num_values, &calibration, err);
  if (status == LPOT_OK) {
    status = lpot_calibration_watch_channels(calibration, job->ops, err);
  }
  for (size_t i = 0; i < num_values && status == LPOT_OK; i++) {
    observed[i] = lpot_calibration_observes(calibration, (lpot_value_id)i);
  }
  if (status == LPOT_OK) {
    status = job->calibration == NULL
                 ? observe_function(job, graph, observed, count, stop, calibration, err)
                 : observe_samples(job, graph, observed, first, count, stop, calibration, err);
  }
  lpot_free(observed);
  if (status != LPOT_OK) {
    lpot_calibration_free(calibration);
    return status;
  }
  *ret_calibration = calibration;
  return LPOT_OK;
}
