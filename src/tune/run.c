#include "tune/run.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/calibrate.h"
#include "tune/history.h"
#include "tune/interrupt.h"
#include "tune/progress.h"

#define PUMP_SECONDS 0.5
#define CHECKPOINT_SECONDS 30.0
#define TRIAL_RETRIES 1 /* of a recipe whose evaluator died */
#define OTHER_RETRIES 2 /* of anything else, which the run cannot do without */

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

lpot_status lpot_run_init(lpot_run *run, lpot_error *err) {
  run->assignments = lpot_calloc(lpot_crew_size(run->crew), sizeof *run->assignments);
  if (run->assignments == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  run->last_checkpoint = now();
  return LPOT_OK;
}

static void clear_assignment(lpot_assignment *assignment) {
  lpot_recipe_free(assignment->recipe);
  *assignment = (lpot_assignment){0};
}

static void drop_retries(lpot_run *run) {
  for (size_t i = 0; i < run->num_retries; i++) {
    clear_assignment(&run->retries[i].task);
  }
  run->num_retries = 0;
}

void lpot_run_done(lpot_run *run) {
  for (size_t i = 0; run->assignments != NULL && i < lpot_crew_size(run->crew); i++) {
    lpot_recipe_free(run->assignments[i].recipe);
  }
  lpot_free(run->assignments);
  drop_retries(run);
  lpot_free(run->retries);
  lpot_free(run->baseline_states);
  lpot_calibration_free(run->merged);
}

double lpot_run_elapsed(const lpot_run *run) {
  return now() - run->search_start;
}

lpot_status lpot_workspace_path(const char *workspace, const char *name, lpot_buffer *out,
                                lpot_error *err) {
  lpot_buffer_clear(out);
  LPOT_TRY(lpot_buffer_printf(out, err, "%s/%s", workspace, name));
  LPOT_TRY(lpot_buffer_terminate(out, err));
  return LPOT_OK;
}

lpot_status lpot_run_checkpoint(lpot_run *run, bool at_once, lpot_error *err) {
  if (!at_once && now() - run->last_checkpoint < CHECKPOINT_SECONDS) {
    return LPOT_OK;
  }
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(run->options->workspace, "history.h5", &path, err);
  if (status == LPOT_OK) {
    status = lpot_history_write(run->ledger, (const char *)path.data, err);
  }
  lpot_buffer_done(&path);
  run->last_checkpoint = now();
  return status;
}

/* ---- giving tasks ---- */

lpot_status lpot_run_assign(lpot_run *run, size_t worker, lpot_task_kind kind, int64_t first,
                            int64_t count, const lpot_recipe *recipe, lpot_error *err) {
  lpot_assignment *assignment = &run->assignments[worker];
  clear_assignment(assignment);
  run->last_task_id++;
  assignment->task_id = run->last_task_id;
  assignment->kind = kind;
  assignment->first = first;
  assignment->count = count;
  if (recipe != NULL) {
    LPOT_TRY(lpot_recipe_clone(recipe, &assignment->recipe, err));
    assignment->recipe_hash = lpot_recipe_hash(recipe);
  }
  lpot_task task = {.id = assignment->task_id,
                    .kind = kind,
                    .first = first,
                    .count = count,
                    .recipe = assignment->recipe};
  LPOT_TRY(lpot_crew_start(run->crew, worker, &task, err));
  return LPOT_OK;
}

bool lpot_run_in_flight(const lpot_run *run, uint64_t recipe_hash) {
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    const lpot_assignment *assignment = &run->assignments[i];
    if (!lpot_crew_is_idle(run->crew, i) && assignment->kind == LPOT_TASK_EVALUATE &&
        assignment->recipe != NULL && assignment->recipe_hash == recipe_hash &&
        !assignment->cancelled) {
      return true;
    }
  }
  for (size_t i = 0; i < run->num_retries; i++) {
    const lpot_assignment *task = &run->retries[i].task;
    if (task->recipe != NULL && task->recipe_hash == recipe_hash) {
      return true;
    }
  }
  return false;
}

lpot_status lpot_run_cancel(lpot_run *run, size_t worker, lpot_error *err) {
  if (!lpot_crew_is_idle(run->crew, worker) && !run->assignments[worker].cancelled) {
    run->assignments[worker].cancelled = true;
    LPOT_TRY(lpot_crew_cancel(run->crew, worker, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_quiesce(lpot_run *run, lpot_error *err) {
  drop_retries(run);
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    LPOT_TRY(lpot_run_cancel(run, i, err));
  }
  while (!lpot_crew_all_idle(run->crew)) {
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}

/* ---- crashes ---- */

/* A worker for a task that crashed on one: another, unless that is the only one left. */
static size_t worker_for_retry(const lpot_run *run, size_t crashed_on) {
  bool others = false;
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (i != crashed_on && !lpot_crew_is_lost(run->crew, i)) {
      others = true;
      if (lpot_crew_is_idle(run->crew, i)) {
        return i;
      }
    }
  }
  bool free = lpot_crew_is_idle(run->crew, crashed_on) && !lpot_crew_is_lost(run->crew, crashed_on);
  return !others && free ? crashed_on : LPOT_NO_WORKER;
}

static lpot_status give_retries(lpot_run *run, lpot_error *err) {
  size_t kept = 0;
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < run->num_retries; i++) {
    lpot_retry *retry = &run->retries[i];
    size_t worker = status == LPOT_OK ? worker_for_retry(run, retry->crashed_on) : LPOT_NO_WORKER;
    if (worker == LPOT_NO_WORKER) {
      run->retries[kept++] = *retry;
      continue;
    }
    lpot_assignment *task = &retry->task;
    status = lpot_run_assign(run, worker, task->kind, task->first, task->count, task->recipe, err);
    run->assignments[worker].crashes = task->crashes;
    clear_assignment(task);
  }
  run->num_retries = kept;
  return status;
}

static lpot_status add_retry(lpot_run *run, size_t worker, lpot_error *err) {
  lpot_retry *grown = lpot_realloc(run->retries, run->num_retries + 1, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  run->retries = grown;
  grown[run->num_retries] = (lpot_retry){.task = run->assignments[worker], .crashed_on = worker};
  run->num_retries++;
  run->assignments[worker] = (lpot_assignment){0};
  return LPOT_OK;
}

static bool all_lost(const lpot_run *run) {
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (!lpot_crew_is_lost(run->crew, i)) {
      return false;
    }
  }
  return true;
}

static lpot_status fail_crash(const lpot_run *run, size_t worker, const lpot_outcome *outcome,
                              lpot_error *err) {
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  const char *what = outcome->kind == LPOT_TASK_CALIBRATE ? "calibration" : "the f32 baseline";
  return LPOT_FAIL(err, LPOT_CRASHED, "%s crashed %d times, the last time on rank %d: %s", what,
                   run->assignments[worker].crashes, hello->rank, outcome->cause);
}

/* The worker's evaluator died, or it can make none any more. *ret_again: nothing is to be filed,
 * since the task waits for another worker or is not wanted. */
static lpot_status take_crash(lpot_run *run, size_t worker, const lpot_outcome *outcome,
                              bool *ret_again, lpot_error *err) {
  lpot_assignment *task = &run->assignments[worker];
  bool trial = task->kind == LPOT_TASK_EVALUATE && task->recipe != NULL;
  task->crashes += outcome->status == LPOT_CRASHED;
  *ret_again = task->cancelled || task->crashes <= (trial ? TRIAL_RETRIES : OTHER_RETRIES);
  if (all_lost(run)) {
    return LPOT_FAIL(err, LPOT_LOST, "no worker can work any more: %s", outcome->cause);
  }
  if (*ret_again && !task->cancelled) {
    LPOT_TRY(add_retry(run, worker, err));
  } else if (!*ret_again && !trial && task->kind != LPOT_TASK_LATENCY) {
    LPOT_TRY(fail_crash(run, worker, outcome, err));
  }
  return LPOT_OK;
}

/* ---- filing outcomes ---- */

static lpot_status file_baseline(lpot_run *run, const lpot_assignment *assignment,
                                 const lpot_outcome *outcome, lpot_error *err) {
  int64_t count = (int64_t)outcome->num_states;
  if (run->baseline_states == NULL || count > run->job->num_blocks - assignment->first) {
    return LPOT_FAIL(err, LPOT_FORMAT, "outcome has %lld blocks that nobody asked for",
                     (long long)count);
  }
  memcpy(run->baseline_states + assignment->first, outcome->states,
         outcome->num_states * sizeof *outcome->states);
  run->baseline_blocks += count;
  lpot_progress_step((long)run->baseline_blocks, NULL);
  return LPOT_OK;
}

/* A recipe fails by itself when its graph or plan cannot be made or run, or its evaluators die;
 * everything else that may go wrong (memory, files, our own bugs) is not the recipe's fault. */
static bool blames_recipe(lpot_status status) {
  return status == LPOT_ENGINE || status == LPOT_UNSUPPORTED || status == LPOT_FORMAT ||
         status == LPOT_INVALID || status == LPOT_CRASHED;
}

static void judge(const lpot_run *run, const lpot_outcome *outcome, lpot_ledger_result *result) {
  result->status = LPOT_TRIAL_INVALID;
  result->accuracy = (double)NAN;
  if (outcome->status != LPOT_OK) {
    result->status = outcome->status == LPOT_CRASHED ? LPOT_TRIAL_CRASHED : LPOT_TRIAL_INVALID;
    lpot_text_copy(result->cause, sizeof result->cause, outcome->cause);
    return;
  }
  lpot_metric_state total;
  lpot_metric_state_init(&total);
  for (size_t i = 0; i < outcome->num_states; i++) {
    lpot_metric_state_merge(&total, &outcome->states[i]);
  }
  result->samples = total.samples;
  double accuracy = lpot_metric_value(run->job->metric, &total);
  if (total.bad > 0 || isnan(accuracy)) {
    lpot_error text = {0};
    lpot_status ignored =
        LPOT_FAIL(&text, LPOT_ENGINE, "%llu of %llu predictions are NaN or infinite",
                  (unsigned long long)total.bad, (unsigned long long)total.samples);
    (void)ignored;
    lpot_text_copy(result->cause, sizeof result->cause, text.message);
    return;
  }
  result->status = LPOT_TRIAL_DONE;
  result->accuracy = accuracy;
}

static lpot_status file_trial(lpot_run *run, size_t worker, const lpot_assignment *assignment,
                              const lpot_outcome *outcome, lpot_error *err) {
  if (lpot_ledger_find_result(run->ledger, assignment->recipe_hash) != SIZE_MAX) {
    return LPOT_OK; /* The first answer for a recipe stands. */
  }
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  lpot_ledger_result result = {
      .recipe = assignment->recipe, .seconds = outcome->seconds, .rank = hello->rank};
  lpot_text_copy(result.host, sizeof result.host, hello->host);
  judge(run, outcome, &result);
  LPOT_TRY(lpot_ledger_add_result(run->ledger, run->journal, &result, err));
  return LPOT_OK;
}

static lpot_status file_calibration(lpot_run *run, lpot_outcome *outcome, lpot_error *err) {
  if (run->merged == NULL) {
    run->merged = outcome->calibration;
    outcome->calibration = NULL;
  } else {
    LPOT_TRY(lpot_calibration_merge(run->merged, outcome->calibration, err));
  }
  return LPOT_OK;
}

static lpot_status fail_task(const lpot_run *run, size_t worker, const lpot_outcome *outcome,
                             lpot_error *err) {
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  lpot_status status = LPOT_FAIL(err, outcome->status, "%s", outcome->cause);
  if (lpot_crew_size(run->crew) > 1) {
    lpot_error_prefix(err, "rank %d on %s", hello->rank, hello->host);
  }
  return status;
}

static lpot_status file_outcome(lpot_run *run, size_t worker, lpot_outcome *outcome,
                                lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  if (outcome->kind != assignment->kind) {
    return LPOT_FAIL(err, LPOT_FORMAT, "outcome is of kind %d, expected %d", (int)outcome->kind,
                     (int)assignment->kind);
  }
  if (outcome->status == LPOT_INTERRUPTED) {
    return LPOT_OK;
  }
  if (outcome->status == LPOT_CRASHED || outcome->status == LPOT_LOST) {
    bool again = false;
    LPOT_TRY(take_crash(run, worker, outcome, &again, err));
    if (again) {
      return LPOT_OK;
    }
  }
  bool trial = assignment->kind == LPOT_TASK_EVALUATE && assignment->recipe != NULL;
  if (assignment->kind == LPOT_TASK_LATENCY) {
    run->latency_known = true;
    run->latency_status = outcome->status;
    run->latency = outcome->latency;
    if (outcome->status != LPOT_OK) {
      lpot_log(LPOT_LOG_WARNING, "latency could not be measured: %s", outcome->cause);
    }
    return LPOT_OK;
  }
  if (outcome->status != LPOT_OK && !(trial && blames_recipe(outcome->status))) {
    LPOT_TRY(fail_task(run, worker, outcome, err));
  }
  if (trial) {
    LPOT_TRY(file_trial(run, worker, assignment, outcome, err));
  } else if (assignment->kind == LPOT_TASK_EVALUATE) {
    LPOT_TRY(file_baseline(run, assignment, outcome, err));
  } else {
    LPOT_TRY(file_calibration(run, outcome, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_pump(lpot_run *run, lpot_error *err) {
  if (lpot_interrupt_requested()) {
    return LPOT_FAIL(err, LPOT_INTERRUPTED, "interrupted by a signal");
  }
  LPOT_TRY(give_retries(run, err));
  size_t worker = LPOT_NO_WORKER;
  lpot_outcome outcome;
  lpot_outcome_init(&outcome);
  lpot_status status = lpot_crew_wait(run->crew, PUMP_SECONDS, &worker, &outcome, err);
  if (status == LPOT_OK && worker != LPOT_NO_WORKER) {
    status = file_outcome(run, worker, &outcome, err);
    clear_assignment(&run->assignments[worker]);
  }
  lpot_outcome_done(&outcome);
  LPOT_TRY(status);
  LPOT_TRY(give_retries(run, err)); /* Before the worker is given something else. */
  return LPOT_OK;
}

/* ---- calibration ---- */

static size_t list_ranges(const lpot_run *run, lpot_ledger_range *ranges) {
  size_t count = 0;
  for (size_t id = 0; id < lpot_graph_num_values(run->job->graph); id++) {
    const lpot_histogram *histogram = lpot_calibration_histogram(run->merged, (lpot_value_id)id);
    if (histogram == NULL) {
      continue;
    }
    const lpot_value *value = lpot_graph_value(run->job->graph, (lpot_value_id)id);
    ranges[count++] = (lpot_ledger_range){
        .value = (char *)value->name, /* Only read: the record keeps its own copy. */
        .minimum = histogram->minimum,
        .maximum = histogram->maximum,
        .total = histogram->total,
        .bad = histogram->total - lpot_histogram_num_finite(histogram)};
  }
  return count;
}

static const lpot_ledger_calibration *recorded_calibration(const lpot_run *run, int64_t samples) {
  for (size_t i = 0; i < run->ledger->num_calibrations; i++) {
    if (run->ledger->calibrations[i].samples == samples) {
      return &run->ledger->calibrations[i];
    }
  }
  return NULL;
}

/* Records what was seen; on resume the statistics must be the ones of the first run. */
static lpot_status record_calibration(lpot_run *run, int64_t samples, lpot_error *err) {
  lpot_ledger_calibration record = {.samples = samples};
  LPOT_TRY(lpot_calibrate_hash(run->merged, &record.hash, err));
  const lpot_ledger_calibration *old = recorded_calibration(run, samples);
  if (old != NULL && old->hash != record.hash) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "calibration on %lld samples gives other statistics than the journal's: "
                     "engine or machine differ",
                     (long long)samples);
  }
  if (old != NULL) {
    return LPOT_OK;
  }
  record.ranges = lpot_calloc(lpot_graph_num_values(run->job->graph), sizeof *record.ranges);
  if (record.ranges == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  record.num_ranges = list_ranges(run, record.ranges);
  lpot_status status = lpot_ledger_add_calibration(run->ledger, run->journal, &record, err);
  lpot_free(record.ranges);
  return status;
}

static lpot_status gather_parts(lpot_run *run, int64_t count, lpot_error *err) {
  int64_t step = run->job->calibration_batch;
  int64_t workers = (int64_t)lpot_crew_size(run->crew);
  int64_t part = (count + workers - 1) / workers;
  part = (part + step - 1) / step * step;
  int64_t next = 0;
  while (next < count) {
    size_t worker = lpot_crew_idle_worker(run->crew);
    if (worker == LPOT_NO_WORKER) {
      LPOT_TRY(lpot_run_pump(run, err));
      continue;
    }
    int64_t size = part < count - next ? part : count - next;
    LPOT_TRY(lpot_run_assign(run, worker, LPOT_TASK_CALIBRATE, next, size, NULL, err));
    next += size;
  }
  bool busy = true;
  while (busy) {
    busy = run->num_retries > 0;
    for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
      busy = busy ||
             (!lpot_crew_is_idle(run->crew, i) && run->assignments[i].kind == LPOT_TASK_CALIBRATE);
    }
    if (busy) {
      LPOT_TRY(lpot_run_pump(run, err));
    }
  }
  return LPOT_OK;
}

static void warn_of_bad_values(const lpot_run *run) {
  lpot_value_id bad = lpot_calibration_first_bad(run->merged);
  if (bad != LPOT_NONE) {
    lpot_log(LPOT_LOG_WARNING, "calibration: value '%s' is NaN or infinite in some samples",
             lpot_graph_value(run->job->graph, bad)->name);
  }
}

lpot_status lpot_run_calibrate(lpot_run *run, int64_t samples, lpot_error *err) {
  if (run->job->config->dynamic || lpot_job_find_calibration(run->job, samples) != NULL) {
    return LPOT_OK;
  }
  int64_t given = lpot_loader_num_samples(run->job->calibration);
  int64_t count = samples < given ? samples : given;
  LPOT_TRY(gather_parts(run, count, err));
  warn_of_bad_values(run);
  LPOT_TRY(record_calibration(run, samples, err));
  LPOT_TRY(lpot_crew_share(run->crew, samples, run->merged, err));
  LPOT_TRY(lpot_job_add_calibration(run->job, samples, &run->merged, err));
  return LPOT_OK;
}
