#include "tune/evaluate.h"

#include "base/bits.h"
#include "base/memory.h"
#include "tune/user_model.h"

/* The plan that is evaluated, and f32 where the metric compares the two (else NULL). */
typedef struct plan_pair {
  lpot_plan *plan;
  lpot_plan *reference;
} plan_pair;

/* What plan says of a batch, as the postprocesses leave it. */
static lpot_status judge_batch(lpot_job *job, const plan_pair *plans, const lpot_batch *batch,
                               lpot_answer *answer, lpot_metric_state *state, lpot_error *err) {
  size_t num_outputs = lpot_plan_num_outputs(plans->plan);
  answer->batch = *batch;
  answer->num_outputs =
      num_outputs < LPOT_MAX_ANSWER_OUTPUTS ? num_outputs : LPOT_MAX_ANSWER_OUTPUTS;
  for (size_t i = 0; i < answer->num_outputs; i++) {
    answer->outputs[i] = lpot_plan_output(plans->plan, i);
  }
  if (plans->reference != NULL && num_outputs > 0) {
    LPOT_TRY(lpot_answer_set_labels(answer, lpot_plan_output(plans->reference, 0), err));
  }
  LPOT_TRY(lpot_postprocess_apply(job->postprocess, answer, err));
  return lpot_metric_update(job->metric, answer->outputs, answer->num_outputs, &answer->batch,
                            state, job->batch_correct, err);
}

/* end: the first batch behind those of the task. */
static lpot_status run_batch(lpot_job *job, const plan_pair *plans, int64_t index, int64_t end,
                             lpot_metric_state *state, lpot_outcome *outcome, lpot_error *err) {
  const lpot_batch *batch = NULL;
  LPOT_TRY(lpot_job_batch(job->evaluation, index, &batch, err));
  if (index + 1 < end) {
    lpot_loader_prefetch(job->evaluation, index + 1);
  }
  const lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS];
  for (size_t i = 0; i < batch->num_inputs; i++) {
    inputs[i] = batch->inputs[i];
  }
  LPOT_TRY(lpot_plan_run(plans->plan, inputs, err));
  if (plans->reference != NULL && plans->reference != plans->plan) {
    LPOT_TRY(lpot_plan_run(plans->reference, inputs, err));
  }
  lpot_answer answer = {0};
  lpot_status status = judge_batch(job, plans, batch, &answer, state, err);
  lpot_answer_done(&answer);
  if (status == LPOT_OK && job->batch_correct != NULL) {
    lpot_bits_copy(outcome->correct, outcome->num_bits, job->batch_correct, 0,
                   (size_t)batch->num_valid);
    outcome->num_bits += (size_t)batch->num_valid;
  }
  return lpot_job_blame_data(status, err);
}

/* The first batch of a block; of one behind the last: the first batch behind the part. */
static int64_t start_of_block(const lpot_job *job, const lpot_blocks *blocks, int64_t block) {
  int64_t num_batches = (blocks->num_samples + job->batch_size - 1) / job->batch_size;
  int64_t start = block * job->block_batches;
  return blocks->first_sample / job->batch_size + (start < num_batches ? start : num_batches);
}

static lpot_status run_block(lpot_job *job, const plan_pair *plans, const lpot_blocks *blocks,
                             int64_t block, int64_t task_end, const lpot_stop *stop,
                             lpot_outcome *outcome, lpot_error *err) {
  int64_t end = start_of_block(job, blocks, block + 1);
  lpot_metric_state *state = &outcome->states[outcome->num_states];
  lpot_metric_state_init(state);
  for (int64_t index = start_of_block(job, blocks, block); index < end; index++) {
    if (stop != NULL && stop->requested(stop->context)) {
      return LPOT_FAIL(err, LPOT_INTERRUPTED, "evaluation was stopped");
    }
    LPOT_TRY(run_batch(job, plans, index, task_end, state, outcome, err));
  }
  return LPOT_OK;
}

/* Takes the last finished block into the race; true when the rest is not worth running. */
static bool is_over(lpot_race *race, const lpot_task *task, const lpot_outcome *outcome,
                    size_t bits_before) {
  lpot_race_add(race, &task->terms, task->baseline, outcome->correct, (int64_t)bits_before,
                (int64_t)(outcome->num_bits - bits_before));
  return outcome->states[outcome->num_states - 1].bad > 0 || lpot_race_is_lost(race, &task->terms);
}

static lpot_status find_plans(lpot_job *job, const lpot_recipe *recipe, plan_pair *plans,
                              lpot_error *err) {
  LPOT_TRY(lpot_job_plan(job, recipe, &plans->plan, err));
  if (!lpot_metric_compares_models(job->metric)) {
    return LPOT_OK;
  }
  if (recipe != NULL && job->reference == NULL) {
    const lpot_plan_options options = {.share_weights = true};
    LPOT_TRY(lpot_job_compile(job, NULL, job->batch_size, &options, &job->reference, err));
  }
  plans->reference = recipe == NULL ? plans->plan : job->reference;
  return LPOT_OK;
}

static lpot_status run_blocks(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                              lpot_outcome *outcome, lpot_error *err) {
  plan_pair plans = {0};
  lpot_race race = task->race;
  const lpot_blocks *blocks = lpot_job_blocks(job, task->held_out);
  int64_t task_end = start_of_block(job, blocks, task->first + task->count);
  LPOT_TRY(find_plans(job, task->recipe, &plans, err));
  for (int64_t i = 0; i < task->count; i++) {
    size_t bits_before = outcome->num_bits;
    lpot_status status =
        run_block(job, &plans, blocks, task->first + i, task_end, stop, outcome, err);
    if (status != LPOT_OK) {
      outcome->num_bits = bits_before;
      lpot_metric_state_done(&outcome->states[outcome->num_states]);
      return status;
    }
    outcome->num_states++;
    if (task->raced && is_over(&race, task, outcome, bits_before)) {
      return LPOT_OK;
    }
  }
  return LPOT_OK;
}

/* By the metric itself. What kept the model from running says more than what it made of that. */
static lpot_status run_metric(lpot_job *job, const lpot_graph *graph, const lpot_stop *stop,
                              lpot_metric_state *state, lpot_error *err) {
  const lpot_plan_options plans = {.share_weights = true};
  const lpot_user_model_source source = {
      .engine = job->engine, .graph = graph, .stop = stop, .plans = &plans};
  lpot_model *model = NULL;
  LPOT_TRY(lpot_user_model_new(&source, &model, err));
  lpot_metric_state_init(state);
  lpot_status status = lpot_metric_evaluate(job->metric, model, state, err);
  lpot_status run = lpot_user_model_check(model, err);
  lpot_model_free(model);
  return run != LPOT_OK ? run : status;
}

static lpot_status evaluate_by_metric(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                                      lpot_outcome *outcome, lpot_error *err) {
  lpot_graph *rewritten = NULL;
  lpot_job_drop_plans(job);
  if (task->recipe != NULL) {
    LPOT_TRY(lpot_job_rewrite(job, task->recipe, &rewritten, err));
  }
  lpot_status status = LPOT_OK;
  if (task->count > 0) {
    status =
        run_metric(job, rewritten != NULL ? rewritten : job->graph, stop, outcome->states, err);
    outcome->num_states = status == LPOT_OK ? 1 : 0;
  }
  lpot_graph_free(rewritten);
  lpot_memory_trim();
  return status;
}

lpot_status lpot_evaluate(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                          lpot_outcome *outcome, lpot_error *err) {
  const lpot_blocks *blocks = lpot_job_blocks(job, task->held_out);
  int64_t first = task->first;
  int64_t count = task->count;
  if (first < 0 || count < 0 || first > blocks->num_blocks || count > blocks->num_blocks - first) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "blocks %lld + %lld are outside of the %lld blocks",
                     (long long)first, (long long)count, (long long)blocks->num_blocks);
  }
  size_t max_bits = (size_t)(count * blocks->block_samples);
  int64_t end = (first + count) * blocks->block_samples;
  end = end < blocks->num_samples ? end : blocks->num_samples;
  int64_t samples = end - first * blocks->block_samples;
  if (task->raced && (job->batch_correct == NULL || (int64_t)task->num_bits != samples)) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "a race over %zu samples, the blocks have %lld",
                     task->num_bits, (long long)samples);
  }
  outcome->states = lpot_calloc((size_t)count + 1, sizeof *outcome->states);
  outcome->correct = lpot_calloc(lpot_bits_size(max_bits) + 1, 1);
  if (outcome->states == NULL || outcome->correct == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (lpot_metric_evaluates(job->metric)) {
    return evaluate_by_metric(job, task, stop, outcome, err);
  }
  lpot_status status = run_blocks(job, task, stop, outcome, err);
  /* What follows may be a measurement of latency. */
  lpot_loader_rest(job->evaluation);
  return status;
}
