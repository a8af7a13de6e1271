#include "tune/work.h"

#include "base/clock.h"
#include "base/text.h"
#include "tune/calibrate.h"
#include "tune/evaluate.h"
#include "tune/footprint.h"
#include "tune/latency.h"
#include "tune/op_times.h"
#include "tune/sense.h"

typedef lpot_status (*work_function)(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                                     lpot_outcome *outcome, lpot_error *err);

static lpot_status do_evaluate(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                               lpot_outcome *outcome, lpot_error *err) {
  if (task->senses) {
    LPOT_TRY(lpot_sense(job, task, stop, outcome, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_evaluate(job, task, stop, outcome, err));
  return LPOT_OK;
}

static lpot_status do_calibrate(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                                lpot_outcome *outcome, lpot_error *err) {
  LPOT_TRY(lpot_calibrate(job, task->equalized, task->first, task->count, stop,
                          &outcome->calibration, err));
  return LPOT_OK;
}

static lpot_status do_latency(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                              lpot_outcome *outcome, lpot_error *err) {
  LPOT_TRY(lpot_measure_latency(job, task->recipe, stop, &outcome->latency, err));
  return LPOT_OK;
}

static lpot_status do_op_times(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                               lpot_outcome *outcome, lpot_error *err) {
  (void)task;
  LPOT_TRY(lpot_measure_op_times(job, stop, &outcome->op_times, err));
  return LPOT_OK;
}

static lpot_status do_footprint(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                                lpot_outcome *outcome, lpot_error *err) {
  LPOT_TRY(lpot_measure_footprint(job, task->recipe, stop, &outcome->footprint, err));
  return LPOT_OK;
}

void lpot_work(lpot_job *job, const lpot_task *task, const lpot_stop *stop, lpot_outcome *outcome) {
  static const work_function functions[LPOT_NUM_TASK_KINDS] = {
      [LPOT_TASK_EVALUATE] = do_evaluate,   [LPOT_TASK_CALIBRATE] = do_calibrate,
      [LPOT_TASK_LATENCY] = do_latency,     [LPOT_TASK_OP_TIMES] = do_op_times,
      [LPOT_TASK_FOOTPRINT] = do_footprint,
  };
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  lpot_error error = {0};
  lpot_outcome_done(outcome);
  outcome->task_id = task->id;
  outcome->kind = task->kind;
  outcome->first = task->first;
  outcome->recipe_hash = task->recipe == NULL ? 0 : lpot_recipe_hash(task->recipe);
  outcome->status = functions[task->kind](job, task, stop, outcome, &error);
  if (outcome->status != LPOT_OK) {
    lpot_text_copy(outcome->cause, sizeof outcome->cause, error.message);
  }
  outcome->seconds = lpot_clock_now(&clock) - start;
}
