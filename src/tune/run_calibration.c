/* The statistics of activations: every worker observes a part, the parts are merged here. */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "tune/calibrate.h"
#include "tune/run.h"

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

static const lpot_ledger_calibration *recorded_calibration(const lpot_run *run,
                                                           lpot_calibration_key key) {
  for (size_t i = 0; i < run->ledger->num_calibrations; i++) {
    if (lpot_calibration_key_equal(run->ledger->calibrations[i].key, key)) {
      return &run->ledger->calibrations[i];
    }
  }
  return NULL;
}

/* Records what was seen; on resume the statistics must be the ones of the first run. */
static lpot_status record_calibration(lpot_run *run, lpot_calibration_key key, lpot_error *err) {
  lpot_ledger_calibration record = {.key = key};
  LPOT_TRY(lpot_calibrate_hash(run->merged, &record.hash, err));
  const lpot_ledger_calibration *old = recorded_calibration(run, key);
  if (old != NULL && old->hash != record.hash) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "calibration on %lld samples gives other statistics than the journal's: "
                     "engine or machine differ",
                     (long long)key.samples);
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

lpot_status lpot_run_add_calibration(lpot_run *run, lpot_outcome *outcome, lpot_error *err) {
  if (run->merged == NULL) {
    run->merged = outcome->calibration;
    outcome->calibration = NULL;
    return LPOT_OK;
  }
  LPOT_TRY(lpot_calibration_merge(run->merged, outcome->calibration, err));
  return LPOT_OK;
}

/* ---- who observes ---- */

/* The statistics must be the same again on resume and at an export: they are made by workers of the
 * job's numeric class only. */
static bool can_observe(const lpot_run *run, size_t worker) {
  return strcmp(lpot_crew_hello(run->crew, worker)->numeric_class,
                run->ledger->header.numeric_class) == 0;
}

static lpot_status count_observers(const lpot_run *run, size_t *ret_count, lpot_error *err) {
  size_t count = 0;
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    count += can_observe(run, i) && !lpot_crew_is_lost(run->crew, i) ? 1 : 0;
  }
  if (count == 0) {
    return LPOT_FAIL(err, LPOT_LOST, "calibration: no worker is left that computes as '%s'",
                     run->ledger->header.numeric_class);
  }
  *ret_count = count;
  return LPOT_OK;
}

/* ---- parts ---- */

/* How a calibration is cut. */
typedef struct calibration_parts {
  int64_t part, count;
  bool equalized;
  int64_t next;         /* first sample that nobody had yet */
  size_t num_observers; /* workers that are left and can observe */
} calibration_parts;

/* A part for this worker: one that failed on another, or the next; count 0: none. */
static lpot_sample_range take_part(lpot_run *run, calibration_parts *parts, size_t worker) {
  bool others = parts->num_observers > 1;
  for (size_t i = 0; i < run->num_lost_ranges; i++) {
    lpot_sample_range range = run->lost_ranges[i];
    if (range.avoid != worker || !others) {
      run->num_lost_ranges--;
      run->lost_ranges[i] = run->lost_ranges[run->num_lost_ranges];
      return range;
    }
  }
  int64_t left = parts->count - parts->next;
  lpot_sample_range range = {.first = parts->next,
                             .count = parts->part < left ? parts->part : left};
  parts->next += range.count;
  return range;
}

static lpot_status deal_parts(lpot_run *run, calibration_parts *parts, lpot_error *err) {
  for (size_t worker = 0; worker < lpot_crew_size(run->crew); worker++) {
    if (!lpot_crew_is_idle(run->crew, worker) || !can_observe(run, worker)) {
      continue;
    }
    lpot_sample_range range = take_part(run, parts, worker);
    lpot_task task = {.kind = LPOT_TASK_CALIBRATE,
                      .first = range.first,
                      .count = range.count,
                      .equalized = parts->equalized};
    if (range.count > 0) {
      LPOT_TRY(lpot_run_assign(run, worker, &task, err));
    }
  }
  return LPOT_OK;
}

static bool is_observing(const lpot_run *run) {
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (lpot_crew_is_busy(run->crew, i) && run->assignments[i].kind == LPOT_TASK_CALIBRATE &&
        !run->assignments[i].overdue) {
      return true;
    }
  }
  return false;
}

static lpot_status gather_parts(lpot_run *run, int64_t count, bool equalized, lpot_error *err) {
  calibration_parts parts = {.count = count, .equalized = equalized};
  LPOT_TRY(count_observers(run, &parts.num_observers, err));
  int64_t step = run->job->calibration_batch;
  int64_t workers = (int64_t)parts.num_observers;
  int64_t part = (count + workers - 1) / workers;
  /* A function brings its own data, which nobody can cut. */
  parts.part = run->job->calibration == NULL ? count : (part + step - 1) / step * step;
  run->crashes = 0;
  run->phase_task = run->last_task_id;
  run->num_lost_ranges = 0;
  while (parts.next < count || run->num_lost_ranges > 0 || is_observing(run)) {
    LPOT_TRY(deal_parts(run, &parts, err));
    LPOT_TRY(lpot_run_pump(run, err));
    LPOT_TRY(count_observers(run, &parts.num_observers, err));
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

lpot_status lpot_run_calibrate(lpot_run *run, lpot_calibration_key key, lpot_error *err) {
  if (run->job->config->dynamic || lpot_job_find_calibration(run->job, key) != NULL) {
    return LPOT_OK;
  }
  int64_t given = lpot_job_calibration_samples(run->job);
  int64_t count = key.samples < given ? key.samples : given;
  LPOT_TRY(gather_parts(run, count, key.equalized, err));
  warn_of_bad_values(run);
  LPOT_TRY(record_calibration(run, key, err));
  LPOT_TRY(lpot_crew_share(run->crew, key, run->merged, err));
  LPOT_TRY(lpot_job_add_calibration(run->job, key, &run->merged, err));
  return LPOT_OK;
}
