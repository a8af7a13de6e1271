#include "tune/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/history.h"
#include "tune/interrupt.h"

#define PUMP_SECONDS 0.5
#define CHECKPOINT_SECONDS 30.0

static double now(const lpot_run *run) {
  return lpot_clock_now(&run->clock);
}

lpot_status lpot_run_init(lpot_run *run, lpot_error *err) {
  run->assignments = lpot_calloc(lpot_crew_size(run->crew), sizeof *run->assignments);
  if (run->assignments == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  run->last_checkpoint = now(run);
  return LPOT_OK;
}

void lpot_run_done(lpot_run *run) {
  for (size_t i = 0; i < run->num_wanted; i++) {
    lpot_evaluation_free(run->wanted[i].evaluation);
  }
  lpot_free(run->wanted);
  lpot_free(run->lost_ranges);
  lpot_free(run->assignments);
  lpot_calibration_free(run->merged);
  lpot_outcome_done(&run->measured);
}

double lpot_run_elapsed(const lpot_run *run) {
  return now(run) - run->search_start;
}

lpot_status lpot_workspace_path(const char *workspace, const char *name, lpot_buffer *out,
                                lpot_error *err) {
  lpot_buffer_clear(out);
  LPOT_TRY(lpot_buffer_printf(out, err, "%s/%s", workspace, name));
  LPOT_TRY(lpot_buffer_terminate(out, err));
  return LPOT_OK;
}

static lpot_status write_history(const lpot_run *run, lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(run->options->workspace, "history.h5", &path, err);
  if (status == LPOT_OK) {
    status = lpot_history_write(run->ledger, (const char *)path.data, err);
  }
  lpot_buffer_done(&path);
  return status;
}

void lpot_run_checkpoint(lpot_run *run, bool at_once) {
  lpot_error why = {0};
  if (!at_once && now(run) - run->last_checkpoint < CHECKPOINT_SECONDS) {
    return;
  }
  if (write_history(run, &why) != LPOT_OK) {
    lpot_log(LPOT_LOG_WARNING,
             "history.h5 is not up to date: %s ('lpot-tune rebuild %s' makes it from the journal)",
             why.message, run->options->workspace);
  }
  run->last_checkpoint = now(run);
}

/* ---- giving tasks ---- */

lpot_status lpot_run_assign(lpot_run *run, size_t worker, lpot_task *task, lpot_error *err) {
  lpot_assignment *assignment = &run->assignments[worker];
  bool restarting = assignment->restarting || task->kind == LPOT_TASK_FOOTPRINT;
  run->last_task_id++;
  task->id = run->last_task_id;
  *assignment = (lpot_assignment){.task_id = task->id,
                                  .kind = task->kind,
                                  .first = task->first,
                                  .count = task->count,
                                  .senses = task->senses,
                                  .held_out = task->held_out};
  assignment->deadline = lpot_run_lease(run, task, restarting);
  LPOT_TRY(lpot_crew_start(run->crew, worker, task, err));
  return LPOT_OK;
}

lpot_status lpot_run_cancel(lpot_run *run, size_t worker, lpot_error *err) {
  if (lpot_crew_is_busy(run->crew, worker) && !run->assignments[worker].cancelled) {
    run->assignments[worker].cancelled = true;
    LPOT_TRY(lpot_crew_cancel(run->crew, worker, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_quiesce(lpot_run *run, lpot_error *err) {
  LPOT_TRY(lpot_run_want(run, NULL, 0, err));
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    LPOT_TRY(lpot_run_cancel(run, i, err));
  }
  while (lpot_crew_any_busy(run->crew)) {
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}

/* ---- filing outcomes ---- */

/* A recipe fails by itself when its graph or plan cannot be made or run; everything else that may
 * go wrong (memory, files, our own bugs) is not the recipe's fault. */
static bool blames_recipe(lpot_status status) {
  return status == LPOT_ENGINE || status == LPOT_UNSUPPORTED || status == LPOT_FORMAT ||
         status == LPOT_INVALID;
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

/* One that only looks at the machine: where it fails, its figures stay unknown. */
static bool is_measurement(lpot_task_kind kind) {
  return kind == LPOT_TASK_LATENCY || kind == LPOT_TASK_OP_TIMES || kind == LPOT_TASK_FOOTPRINT;
}

static void file_measurement(lpot_run *run, lpot_outcome *outcome) {
  run->measure_known = true;
  lpot_outcome_done(&run->measured);
  run->measured = *outcome; /* moved */
  lpot_outcome_init(outcome);
}

/* Its task was done, or why it cannot be. */
static lpot_status file_answer(lpot_run *run, size_t worker, lpot_outcome *outcome,
                               lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  bool stopped = outcome->status == LPOT_INTERRUPTED;
  bool trial = assignment->kind == LPOT_TASK_EVALUATE && assignment->recipe_hash != 0;
  if (is_measurement(assignment->kind)) {
    if (!stopped && assignment->task_id == run->measure_task) { /* not an earlier one */
      file_measurement(run, outcome);
    }
    return LPOT_OK;
  }
  if (outcome->status != LPOT_OK && !stopped && !(trial && blames_recipe(outcome->status))) {
    LPOT_TRY(fail_task(run, worker, outcome, err));
  }
  if (assignment->kind == LPOT_TASK_EVALUATE) {
    LPOT_TRY(lpot_run_add_blocks(run, worker, outcome, err));
  } else if (!stopped && !assignment->overdue) { /* A late part was observed again elsewhere. */
    LPOT_TRY(lpot_run_add_calibration(run, outcome, err));
  }
  return LPOT_OK;
}

/* An answer to something else is as good as none. */
static void refuse_strange_answer(const lpot_assignment *assignment, lpot_outcome *outcome) {
  bool about_recipe = assignment->kind == LPOT_TASK_EVALUATE && outcome->status == LPOT_OK;
  bool same = outcome->kind == assignment->kind && outcome->first == assignment->first &&
              (!about_recipe || outcome->recipe_hash == assignment->recipe_hash);
  if (outcome->status != LPOT_CRASHED && outcome->status != LPOT_LOST &&
      outcome->status != LPOT_INTERRUPTED && !same) {
    outcome->status = LPOT_CRASHED;
    lpot_text_copy(outcome->cause, sizeof outcome->cause, "it answered for another task");
  }
  /* A worker that was given up, perhaps since its file system hangs, ends nothing. */
  if (assignment->overdue && outcome->status != LPOT_OK && outcome->status != LPOT_LOST &&
      outcome->status != LPOT_INTERRUPTED) {
    outcome->status = LPOT_CRASHED;
  }
}

static lpot_status file_outcome(lpot_run *run, size_t worker, lpot_outcome *outcome,
                                lpot_error *err) {
  lpot_assignment *assignment = &run->assignments[worker];
  /* Its process is ended when a deadline was missed, even if the answer was faster. */
  assignment->restarting = outcome->status == LPOT_CRASHED || assignment->overdue;
  refuse_strange_answer(assignment, outcome);
  lpot_status status = outcome->status;
  if (status == LPOT_CRASHED || status == LPOT_LOST || status == LPOT_NO_MEMORY) {
    LPOT_TRY(lpot_run_take_crash(run, worker, outcome, err));
    return LPOT_OK;
  }
  LPOT_TRY(file_answer(run, worker, outcome, err));
  return LPOT_OK;
}

/* Waits for one outcome and files it. */
static lpot_status pump_one(lpot_run *run, double seconds, bool *ret_any, lpot_error *err) {
  size_t worker = LPOT_NO_WORKER;
  lpot_outcome outcome;
  lpot_outcome_init(&outcome);
  lpot_status status = lpot_crew_wait(run->crew, seconds, &worker, &outcome, err);
  *ret_any = worker != LPOT_NO_WORKER;
  if (status == LPOT_OK && *ret_any) {
    status = lpot_run_note_return(run, worker, err);
  }
  if (status == LPOT_OK && *ret_any) {
    status = file_outcome(run, worker, &outcome, err);
  }
  lpot_outcome_done(&outcome);
  return status;
}

lpot_status lpot_run_pump(lpot_run *run, lpot_error *err) {
  bool any = false;
  LPOT_TRY(lpot_journal_sync(run->journal, err)); /* Commits, before a long wait. */
  if (lpot_interrupt_requested()) {
    return LPOT_FAIL(err, LPOT_INTERRUPTED, "interrupted by a signal");
  }
  lpot_status status = pump_one(run, PUMP_SECONDS, &any, err);
  for (size_t i = 0; i < lpot_crew_size(run->crew) && any && status == LPOT_OK; i++) {
    status = pump_one(run, 0, &any, err);
  }
  LPOT_TRY(status);
  LPOT_TRY(lpot_run_check_leases(run, err));
  LPOT_TRY(lpot_journal_sync(run->journal, err));
  return LPOT_OK;
}
