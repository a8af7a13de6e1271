/* What is measured on a quiet host: latency and the times of single ops. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "tune/export.h"
#include "tune/op_times.h"
#include "tune/progress.h"
#include "tune/run.h"

static bool is_on(const lpot_run *run, size_t worker, const char *host) {
  return strcmp(lpot_crew_hello(run->crew, worker)->host, host) == 0;
}

/* The worker that measures: always the first, of a host that the coordinator is not on where there
 * is one, so that all measurements of a job are from one host. */
static size_t choose_measurer(const lpot_run *run) {
  size_t first = LPOT_NO_WORKER;
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (lpot_crew_is_lost(run->crew, i)) {
      continue;
    }
    if (!is_on(run, i, run->own_host)) {
      return i;
    }
    first = first == LPOT_NO_WORKER ? i : first;
  }
  return first;
}

static bool is_busy_on(const lpot_run *run, const char *host) {
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (lpot_crew_is_busy(run->crew, i) && is_on(run, i, host)) {
      return true;
    }
  }
  return false;
}

/* Makes the workers of a host idle; those of others go on. */
static lpot_status hush(lpot_run *run, const char *host, lpot_error *err) {
  run->quiet_host = host;
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (is_on(run, i, host)) {
      LPOT_TRY(lpot_run_cancel(run, i, err));
    }
  }
  while (is_busy_on(run, host)) {
    LPOT_TRY(lpot_run_deal(run, err));
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}

/* One attempt; run->measure_known tells whether it brought an answer. */
static lpot_status try_to_measure(lpot_run *run, lpot_task *task, lpot_error *err) {
  size_t worker = choose_measurer(run);
  const char *host = lpot_crew_hello(run->crew, worker)->host;
  LPOT_TRY(hush(run, host, err));
  if (!lpot_crew_is_idle(run->crew, worker)) {
    return LPOT_OK; /* Lost in the meantime. */
  }
  LPOT_TRY(lpot_run_assign(run, worker, task, err));
  run->measure_task = task->id;
  run->measurer = worker;
  while (!run->measure_known && is_busy_on(run, host)) {
    LPOT_TRY(lpot_run_deal(run, err));
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_measure(lpot_run *run, lpot_task *task, const char *what, lpot_error *err) {
  run->measure_known = false;
  run->crashes = 0;
  run->phase_task = run->last_task_id;
  lpot_status status = LPOT_OK;
  while (status == LPOT_OK && !run->measure_known && run->crashes <= 1) {
    status = try_to_measure(run, task, err);
  }
  run->quiet_host = NULL;
  LPOT_TRY(status);
  if (!run->measure_known) {
    run->measured.status = LPOT_CRASHED;
    lpot_text_copy(run->measured.cause, sizeof run->measured.cause, "its evaluators died");
  }
  if (run->measured.status != LPOT_OK) {
    lpot_log(LPOT_LOG_WARNING, "%s could not be measured: %s", what, run->measured.cause);
  }
  return LPOT_OK;
}

/* ---- op times ---- */

/* Whether two tables are the same, bit by bit. */
static lpot_status check_same(const lpot_op_times *old, const lpot_op_times *given,
                              lpot_error *err) {
  lpot_buffer a;
  lpot_buffer b;
  lpot_buffer_init(&a);
  lpot_buffer_init(&b);
  lpot_status status = lpot_op_times_write(old, &a, err);
  if (status == LPOT_OK) {
    status = lpot_op_times_write(given, &b, err);
  }
  if (status == LPOT_OK && (a.size != b.size || memcmp(a.data, b.data, a.size) != 0)) {
    status = LPOT_FAIL(err, LPOT_INVALID,
                       "the journal has another cost table than the one of --cost-table");
  }
  lpot_buffer_done(&a);
  lpot_buffer_done(&b);
  return status;
}

/* Nobody asked for a table that the strategy can do without. */
static lpot_log_level level_of_doubt(const lpot_run *run) {
  return run->job->config->op_times == LPOT_MEASURE_ALWAYS ? LPOT_LOG_WARNING : LPOT_LOG_INFO;
}

static lpot_status measure_op_times(lpot_run *run, lpot_error *err) {
  LPOT_TRY(lpot_run_calibrate(run, lpot_op_times_calibration(run->job), err));
  lpot_task task = {.kind = LPOT_TASK_OP_TIMES};
  lpot_progress_phase("op times", 1);
  lpot_status status = lpot_run_measure(run, &task, "the times of the ops", err);
  lpot_progress_end();
  LPOT_TRY(status);
  lpot_op_times *times = &run->measured.op_times;
  if (run->measured.status != LPOT_OK) {
    return LPOT_OK;
  }
  lpot_text_copy(times->host, sizeof times->host, lpot_crew_hello(run->crew, run->measurer)->host);
  LPOT_TRY(lpot_ledger_add_op_times(run->ledger, run->journal, times, err));
  if (!times->trusted) {
    lpot_log(level_of_doubt(run), "the times of the ops are not to be trusted: %s", times->reason);
  }
  return LPOT_OK;
}

static void warn_of_class(const lpot_run *run, const lpot_op_times *given) {
  const char *class = lpot_crew_hello(run->crew, 0)->numeric_class;
  if (strcmp(given->numeric_class, class) != 0) {
    lpot_log(LPOT_LOG_WARNING, "the cost table is of another machine: '%.120s', here '%.120s'",
             given->numeric_class, class);
  }
}

static lpot_status take_op_times(lpot_run *run, lpot_error *err) {
  const lpot_op_times *given = run->options->cost_table;
  if (given != NULL && run->ledger->has_op_times) {
    LPOT_TRY(check_same(&run->ledger->op_times, given, err));
  }
  if (run->ledger->has_op_times) {
    return LPOT_OK;
  }
  if (given != NULL) {
    warn_of_class(run, given);
    LPOT_TRY(lpot_ledger_add_op_times(run->ledger, run->journal, given, err));
    return LPOT_OK;
  }
  if (run->job->config->op_times == LPOT_MEASURE_ALWAYS) {
    LPOT_TRY(measure_op_times(run, err));
  }
  return LPOT_OK;
}

static lpot_status export_op_times(const lpot_run *run, lpot_error *err) {
  if (run->ledger->has_op_times) {
    LPOT_TRY(lpot_export_op_times(run->job, &run->ledger->op_times, run->options->workspace, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_op_times(lpot_run *run, lpot_error *err) {
  LPOT_TRY(take_op_times(run, err));
  return export_op_times(run, err);
}

lpot_status lpot_run_need_op_times(lpot_run *run, const lpot_op_cost **ret_costs, lpot_error *err) {
  *ret_costs = NULL;
  if (!run->ledger->has_op_times && run->job->config->op_times != LPOT_MEASURE_NEVER) {
    LPOT_TRY(measure_op_times(run, err));
    LPOT_TRY(export_op_times(run, err));
  }
  if (run->ledger->has_op_times && run->ledger->op_times.trusted) {
    *ret_costs = run->ledger->op_times.ops;
  } else if (run->job->config->op_times != LPOT_MEASURE_NEVER) {
    lpot_log(level_of_doubt(run),
             "what ops cost is not known: all are tried in int8, and fall back "
             "by damage alone");
  }
  return LPOT_OK;
}
