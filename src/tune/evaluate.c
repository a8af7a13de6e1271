#include "tune/evaluate.h"

#define MAX_OUTPUTS 64

static lpot_status plan_for(lpot_job *job, const lpot_recipe *recipe, lpot_plan **ret_plan,
                            lpot_error *err) {
  uint64_t hash = recipe == NULL ? 0 : lpot_recipe_hash(recipe);
  if (job->plan == NULL || job->plan_hash != hash) {
    lpot_job_drop_plan(job);
    LPOT_TRY(lpot_job_compile(job, recipe, job->batch_size, &job->plan, err));
    job->plan_hash = hash;
  }
  *ret_plan = job->plan;
  return LPOT_OK;
}

static lpot_status run_batch(lpot_job *job, lpot_plan *plan, int64_t index,
                             lpot_metric_state *state, lpot_error *err) {
  const lpot_batch *batch = NULL;
  LPOT_TRY(lpot_job_batch(job->evaluation, index, &batch, err));
  const lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS];
  for (size_t i = 0; i < batch->num_inputs; i++) {
    inputs[i] = batch->inputs[i];
  }
  LPOT_TRY(lpot_plan_run(plan, inputs, err));
  const lpot_tensor *outputs[MAX_OUTPUTS];
  size_t num_outputs = lpot_plan_num_outputs(plan);
  num_outputs = num_outputs < MAX_OUTPUTS ? num_outputs : MAX_OUTPUTS;
  for (size_t i = 0; i < num_outputs; i++) {
    outputs[i] = lpot_plan_output(plan, i);
  }
  lpot_status status =
      lpot_metric_update(job->metric, outputs, num_outputs, batch, state, NULL, err);
  return lpot_job_blame_data(status, err);
}

static lpot_status run_block(lpot_job *job, lpot_plan *plan, int64_t block, const lpot_stop *stop,
                             lpot_metric_state *state, lpot_error *err) {
  int64_t num_batches = lpot_loader_num_batches(job->evaluation);
  int64_t end = (block + 1) * job->block_batches;
  end = end < num_batches ? end : num_batches;
  lpot_metric_state_init(state);
  for (int64_t index = block * job->block_batches; index < end; index++) {
    if (stop != NULL && stop->requested(stop->context)) {
      return LPOT_FAIL(err, LPOT_INTERRUPTED, "evaluation was stopped");
    }
    LPOT_TRY(run_batch(job, plan, index, state, err));
  }
  return LPOT_OK;
}

lpot_status lpot_evaluate(lpot_job *job, const lpot_recipe *recipe, int64_t first, int64_t count,
                          const lpot_stop *stop, lpot_metric_state *states, lpot_error *err) {
  if (first < 0 || count < 0 || first > job->num_blocks || count > job->num_blocks - first) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "blocks %lld + %lld are outside of the %lld blocks",
                     (long long)first, (long long)count, (long long)job->num_blocks);
  }
  lpot_plan *plan = NULL;
  LPOT_TRY(plan_for(job, recipe, &plan, err));
  for (int64_t i = 0; i < count; i++) {
    LPOT_TRY(run_block(job, plan, first + i, stop, &states[i], err));
  }
  return LPOT_OK;
}
