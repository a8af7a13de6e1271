/* Evaluators that die or hang, and workers that are lost. A death is noticed by the worker itself,
 * which answers for its evaluator; a hang and a loss only by deadlines. */
#include <math.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/run.h"

#define LEASE_FACTOR 10.0
#define FIRST_LEASE_SECONDS 3600.0 /* while no block has ever been computed */
/* At least, for what the speed of evaluations says little about. */
#define OTHER_LEASE_SECONDS 600.0
/* One sample of a calibration takes as long as so many of an evaluation, at most: it runs by itself
 * and is observed. */
#define CALIBRATION_FACTOR 50.0
#define START_SECONDS 5.0
#define GRACE_SECONDS 10.0 /* for the answer that an evaluator was ended */
#define PING_SECONDS 30.0
#define MAX_CRASHES 2u /* of a calibration or latency measurement */

/* ---- deadlines ---- */

static double expected_seconds(const lpot_run *run, const lpot_task *task) {
  double block = run->block_speed.seconds;
  if (task->kind == LPOT_TASK_CALIBRATE) {
    double sample = block / (double)run->job->blocks.block_samples;
    return sample * (double)task->count * CALIBRATION_FACTOR;
  }
  return block * (double)task->count;
}

double lpot_run_lease(const lpot_run *run, const lpot_task *task, bool restarting) {
  double now = lpot_clock_now(&run->clock);
  double floor_seconds = (double)run->job->config->lease_seconds;
  if (restarting) { /* A new evaluator builds its job first. */
    now += START_SECONDS + LEASE_FACTOR * run->job_seconds;
  }
  if (task->kind != LPOT_TASK_EVALUATE) {
    floor_seconds = fmax(floor_seconds, OTHER_LEASE_SECONDS);
  }
  if (run->block_speed.seconds <= 0) {
    return now + fmax(floor_seconds, FIRST_LEASE_SECONDS);
  }
  return now + fmax(floor_seconds, LEASE_FACTOR * expected_seconds(run, task));
}

static lpot_status add_lost_range(lpot_run *run, size_t worker, lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  lpot_sample_range *grown =
      lpot_realloc(run->lost_ranges, run->num_lost_ranges + 1, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  run->lost_ranges = grown;
  grown[run->num_lost_ranges] =
      (lpot_sample_range){.first = assignment->first, .count = assignment->count, .avoid = worker};
  run->num_lost_ranges++;
  return LPOT_OK;
}

/* Makes a worker's work free for others. */
static lpot_status give_back(lpot_run *run, size_t worker, lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  if (assignment->kind == LPOT_TASK_CALIBRATE) {
    LPOT_TRY(add_lost_range(run, worker, err));
    return LPOT_OK;
  }
  lpot_evaluation *evaluation = lpot_run_find(run, assignment->evaluation);
  if (assignment->kind == LPOT_TASK_EVALUATE && evaluation != NULL) {
    lpot_evaluation_return(evaluation, assignment->first, assignment->count);
  }
  return LPOT_OK;
}

static lpot_status record(lpot_run *run, size_t worker, lpot_mishap kind, const char *cause,
                          lpot_error *err) {
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  const lpot_assignment *assignment = &run->assignments[worker];
  lpot_ledger_mishap mishap = {.time = lpot_clock_wall(), .kind = kind, .rank = hello->rank};
  mishap.recipe_hash = assignment->kind == LPOT_TASK_EVALUATE ? assignment->recipe_hash : 0;
  lpot_text_copy(mishap.host, sizeof mishap.host, hello->host);
  lpot_text_copy(mishap.cause, sizeof mishap.cause, cause);
  LPOT_TRY(lpot_ledger_add_mishap(run->ledger, run->journal, &mishap, err));
  return LPOT_OK;
}

lpot_status lpot_run_note_return(lpot_run *run, size_t worker, lpot_error *err) {
  if (!lpot_crew_take_return(run->crew, worker)) {
    return LPOT_OK;
  }
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  lpot_log(LPOT_LOG_INFO, "rank %d on %s is back", hello->rank, hello->host);
  LPOT_TRY(record(run, worker, LPOT_MISHAP_RETURN, "its late answer has come", err));
  return LPOT_OK;
}

/* Counts against the recipe, or the phase, that an attempt brought no answer. */
static lpot_status blame(lpot_run *run, size_t worker, lpot_breakage breakage, const char *cause,
                         lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  if (assignment->kind == LPOT_TASK_EVALUATE) {
    lpot_evaluation *evaluation = lpot_run_find(run, assignment->evaluation);
    if (evaluation == NULL || evaluation->ending != LPOT_ENDING_OPEN) {
      return LPOT_OK;
    }
    lpot_evaluation_blame(evaluation, worker, breakage, cause);
    if (evaluation->ending == LPOT_ENDING_BROKEN && evaluation->recipe == NULL) {
      return LPOT_FAIL(err, LPOT_CRASHED,
                       "the f32 baseline failed %u times, the last time on rank "
                       "%d: %s",
                       evaluation->attempts + evaluation->losses, hello->rank, cause);
    }
    if (evaluation->ending == LPOT_ENDING_BROKEN) {
      LPOT_TRY(lpot_run_settle(run, assignment->evaluation, err));
    }
    return LPOT_OK;
  }
  if (assignment->task_id <= run->phase_task) {
    return LPOT_OK; /* of a phase that is over */
  }
  run->crashes += breakage == LPOT_BREAKAGE_LOSS ? 0 : 1;
  if (assignment->kind == LPOT_TASK_CALIBRATE && run->crashes > MAX_CRASHES) {
    return LPOT_FAIL(err, LPOT_CRASHED, "calibration failed %u times, the last time on rank %d: %s",
                     run->crashes, hello->rank, cause);
  }
  return LPOT_OK;
}

static lpot_status miss_deadline(lpot_run *run, size_t worker, lpot_error *err) {
  lpot_assignment *assignment = &run->assignments[worker];
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  lpot_log(LPOT_LOG_WARNING, "rank %d on %s does not answer in time: its evaluator is ended",
           hello->rank, hello->host);
  assignment->overdue = true;
  assignment->deadline = lpot_clock_now(&run->clock) + GRACE_SECONDS;
  LPOT_TRY(lpot_crew_kill(run->crew, worker, err));
  LPOT_TRY(give_back(run, worker, err));
  return LPOT_OK;
}

static lpot_status lose(lpot_run *run, size_t worker, lpot_error *err) {
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  bool busy = lpot_crew_is_busy(run->crew, worker);
  lpot_crew_lose(run->crew, worker);
  lpot_log(LPOT_LOG_WARNING, "rank %d on %s is lost: %zu of %zu workers are left", hello->rank,
           hello->host, lpot_crew_num_left(run->crew), lpot_crew_size(run->crew));
  LPOT_TRY(record(run, worker, LPOT_MISHAP_LOSS, "it does not answer any more", err));
  if (busy) {
    if (!run->assignments[worker].overdue) {
      LPOT_TRY(give_back(run, worker, err));
      run->assignments[worker].overdue = true;
    }
    LPOT_TRY(blame(run, worker, LPOT_BREAKAGE_LOSS, "its worker was lost", err));
  }
  if (lpot_crew_num_left(run->crew) == 0) {
    return LPOT_FAIL(err, LPOT_LOST, "all workers are lost");
  }
  return LPOT_OK;
}

static lpot_status take_losses(lpot_run *run, lpot_error *err) {
  size_t worker = lpot_crew_next_loss(run->crew);
  for (; worker != LPOT_NO_WORKER; worker = lpot_crew_next_loss(run->crew)) {
    if (!lpot_crew_is_lost(run->crew, worker)) {
      LPOT_TRY(lose(run, worker, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_run_check_leases(lpot_run *run, lpot_error *err) {
  double now = lpot_clock_now(&run->clock);
  LPOT_TRY(take_losses(run, err));
  if (now - run->last_ping > PING_SECONDS) {
    run->last_ping = now;
    LPOT_TRY(lpot_crew_ping(run->crew, err));
  }
  for (size_t worker = 0; worker < lpot_crew_size(run->crew); worker++) {
    const lpot_assignment *assignment = &run->assignments[worker];
    if (!lpot_crew_is_busy(run->crew, worker) || now < assignment->deadline) {
      continue;
    }
    if (assignment->overdue) {
      LPOT_TRY(lose(run, worker, err));
    } else {
      LPOT_TRY(miss_deadline(run, worker, err));
    }
  }
  return LPOT_OK;
}

/* ---- crashes ---- */

lpot_status lpot_run_take_crash(lpot_run *run, size_t worker, const lpot_outcome *outcome,
                                lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  lpot_breakage breakage = assignment->overdue ? LPOT_BREAKAGE_TIMEOUT : LPOT_BREAKAGE_CRASH;
  lpot_mishap kind = assignment->overdue ? LPOT_MISHAP_TIMEOUT : LPOT_MISHAP_CRASH;
  if (outcome->status == LPOT_LOST) {
    const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
    breakage = LPOT_BREAKAGE_LOSS;
    kind = LPOT_MISHAP_LOSS;
    lpot_log(LPOT_LOG_WARNING, "rank %d on %s can work no more: %s", hello->rank, hello->host,
             outcome->cause);
  }
  LPOT_TRY(record(run, worker, kind, outcome->cause, err));
  if (!assignment->overdue) {
    LPOT_TRY(give_back(run, worker, err));
  }
  if (lpot_crew_num_left(run->crew) == 0) {
    return LPOT_FAIL(err, LPOT_LOST, "no worker can work any more: %s", outcome->cause);
  }
  LPOT_TRY(blame(run, worker, breakage, outcome->cause, err));
  return LPOT_OK;
}
