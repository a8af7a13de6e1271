/* A section of report.html: the Pareto front, in a chart for each of what the objective names. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "tune/pareto.h"
#include "tune/report_part.h"

typedef struct front_axis {
  lpot_objective objective;
  const char *title, *x_label, *none;
} front_axis;

static const front_axis axes[] = {
    {LPOT_OBJECTIVE_PERFORMANCE, "Accuracy of measured trials against their speed beside f32",
     "times as fast as f32 (bar: 95 % interval)", "No latency was measured."},
    {LPOT_OBJECTIVE_MODELSIZE, "Accuracy of trials against the size of their models",
     "megabytes of the model", "No size is known."},
    {LPOT_OBJECTIVE_FOOTPRINT, "Accuracy of trials against the memory that they need",
     "megabytes of memory while it runs", "No memory was measured."},
};

#define NUM_AXES (sizeof axes / sizeof axes[0])
#define MEGABYTE 1e6

/* NaN where it is not known. */
static double value_of(const lpot_ledger_trial *trial, lpot_objective objective) {
  uint64_t bytes =
      objective == LPOT_OBJECTIVE_MODELSIZE ? trial->size_bytes : trial->footprint.bytes;
  if (objective == LPOT_OBJECTIVE_PERFORMANCE) {
    return trial->measured ? trial->latency.speedup : (double)NAN;
  }
  return bytes > 0 ? (double)bytes / MEGABYTE : (double)NAN;
}

static bool is_known(const lpot_ledger *ledger, lpot_objective objective) {
  for (size_t i = 0; i < ledger->num_trials; i++) {
    if (!isnan(value_of(&ledger->trials[i], objective))) {
      return true;
    }
  }
  return false;
}

/* Accuracy alone is drawn against speed. */
static bool is_wanted(const lpot_ledger *ledger, const lpot_job *job, lpot_objective objective) {
  const lpot_objectives *objectives = job == NULL ? NULL : &job->config->objectives;
  if (objective == LPOT_OBJECTIVE_PERFORMANCE &&
      (job == NULL || lpot_objectives_are(objectives, LPOT_OBJECTIVE_ACCURACY))) {
    return true;
  }
  return job == NULL ? is_known(ledger, objective) : objectives->weights[objective] > 0;
}

/* ---- charts ---- */

static void add_f32(const lpot_ledger *ledger, const lpot_job *job, lpot_objective objective,
                    lpot_report_points *list) {
  uint64_t model_bytes = job == NULL ? 0 : (uint64_t)job->model.size_bytes;
  uint64_t bytes = objective == LPOT_OBJECTIVE_MODELSIZE   ? model_bytes
                   : objective == LPOT_OBJECTIVE_FOOTPRINT ? ledger->f32_footprint.bytes
                                                           : 0;
  double x = objective == LPOT_OBJECTIVE_PERFORMANCE ? 1 : (double)bytes / MEGABYTE;
  if (x > 0) {
    (void)lpot_report_add_point(list, x, ledger->baseline.accuracy, "f32");
    lpot_report_point_title(list, "f32: accuracy %.6g", ledger->baseline.accuracy);
  }
}

static void add_trial(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                      lpot_objective objective, bool is_member, lpot_report_points *list) {
  const lpot_latency *latency = &trial->latency;
  bool is_speed = objective == LPOT_OBJECTIVE_PERFORMANCE;
  bool doubtful = is_speed && !latency->trusted && trial->id != ledger->chosen;
  double accuracy = lpot_ledger_final_of(ledger, trial)->accuracy;
  lpot_chart_point *point =
      lpot_report_add_point(list, value_of(trial, objective), accuracy,
                            doubtful ? "doubtful" : lpot_report_trial_style(ledger, trial));
  point->ringed = is_member;
  if (is_speed) {
    point->x_low = latency->speedup_low;
    point->x_high = latency->speedup_high;
  }
  lpot_report_point_title(list, "trial %" PRIu64 ": accuracy %.6g", trial->id, accuracy);
  if (trial->measured) {
    lpot_report_point_title(list, ", %.2f times as fast as f32%s", latency->speedup,
                            latency->trusted ? "" : " (not trusted)");
  }
  if (trial->size_bytes > 0) {
    lpot_report_point_title(list, ", %" PRIu64 " bytes", trial->size_bytes);
  }
  if (trial->footprint.bytes > 0) {
    lpot_report_point_title(list, ", %" PRIu64 " bytes of memory", trial->footprint.bytes);
  }
}

/* front [num_front] in the order of the trials. */
static void fill_points(const lpot_ledger *ledger, const lpot_job *job, lpot_objective objective,
                        const lpot_pareto_row *front, size_t num_front, lpot_report_points *list) {
  size_t next = 0;
  add_f32(ledger, job, objective, list);
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    bool is_member = next < num_front && front[next].trial == trial->id;
    next += is_member ? 1 : 0;
    if (!isnan(value_of(trial, objective))) {
      add_trial(ledger, trial, objective, is_member, list);
    }
  }
}

static lpot_status put_chart(const lpot_ledger *ledger, const lpot_job *job, const front_axis *axis,
                             const lpot_pareto_row *front, size_t num_front, lpot_buffer *out,
                             lpot_error *err) {
  const lpot_chart chart = {.title = axis->title, .x_label = axis->x_label, .y_label = "accuracy"};
  lpot_report_points list;
  if (!is_known(ledger, axis->objective)) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>%s</p>\n", axis->none));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_report_points_init(&list, ledger->num_trials + 1, err));
  fill_points(ledger, job, axis->objective, front, num_front, &list);
  lpot_status status = lpot_report_draw_points(ledger, job, &list, &chart, out, err);
  lpot_report_points_done(&list);
  return status;
}

static lpot_status put_charts(const lpot_ledger *ledger, const lpot_job *job,
                              const lpot_pareto_row *front, size_t num_front, lpot_buffer *out,
                              lpot_error *err) {
  static const char legend[] =
      "<p class='dim'>Black: f32. Blue: the trial that is handed out. Green: trials that meet the "
      "criterion. Hollow red: those that miss it. Hollow grey: measurements that are not trusted, "
      "and estimates of what was rejected early. Ringed: members of the Pareto front, which no "
      "other trial beats in accuracy, latency, size and, where it is known, memory at once.</p>\n";
  for (size_t i = 0; i < NUM_AXES; i++) {
    if (is_wanted(ledger, job, axes[i].objective)) {
      LPOT_TRY(put_chart(ledger, job, &axes[i], front, num_front, out, err));
    }
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "%s", legend));
  return LPOT_OK;
}

/* ---- table ---- */

static lpot_status put_bytes(uint64_t bytes, lpot_buffer *out, lpot_error *err) {
  if (bytes > 0) {
    return lpot_report_count(out, bytes, err);
  }
  return lpot_report_number(out, (double)NAN, err);
}

static lpot_status put_member(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                              lpot_buffer *out, lpot_error *err) {
  const double unknown = (double)NAN;
  const lpot_latency *latency = &trial->latency;
  char id[24];
  snprintf(id, sizeof id, "%" PRIu64, trial->id);
  LPOT_TRY(lpot_report_row_begin(out, id, trial->id == ledger->chosen, err));
  LPOT_TRY(lpot_report_accuracy(out, lpot_ledger_final_of(ledger, trial)->accuracy, err));
  LPOT_TRY(lpot_report_text(out, trial->meets ? "yes" : "no", err));
  LPOT_TRY(lpot_report_number(out, trial->measured ? latency->recipe_ms : unknown, err));
  LPOT_TRY(lpot_report_number(out, trial->measured ? latency->speedup : unknown, err));
  LPOT_TRY(lpot_report_text(out, !trial->measured ? "" : latency->trusted ? "yes" : "no", err));
  LPOT_TRY(put_bytes(trial->size_bytes, out, err));
  LPOT_TRY(put_bytes(trial->footprint.bytes, out, err));
  LPOT_TRY(lpot_report_row_end(out, err));
  return LPOT_OK;
}

static lpot_status put_members(const lpot_ledger *ledger, const lpot_pareto_row *front,
                               size_t num_front, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {
      {"trial", true},     {"accuracy", false}, {"meets", true},  {"ms", false},
      {"speed-up", false}, {"trusted", true},   {"bytes", false}, {"bytes of memory", false}};
  if (num_front == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_report_table_begin(out, "Members of the Pareto front", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < num_front; i++) {
    LPOT_TRY(put_member(ledger, lpot_ledger_find_trial(ledger, front[i].trial), out, err));
  }
  LPOT_TRY(lpot_report_table_end(out, err));
  return LPOT_OK;
}

lpot_status lpot_report_front(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                              lpot_error *err) {
  lpot_pareto_row *front = NULL;
  size_t num_front = 0;
  LPOT_TRY(lpot_report_heading(out, "front", "Accuracy, and what it costs", err));
  LPOT_TRY(lpot_pareto_of(ledger, &front, &num_front, err));
  lpot_status status = put_charts(ledger, job, front, num_front, out, err);
  if (status == LPOT_OK) {
    status = put_members(ledger, front, num_front, out, err);
  }
  lpot_free(front);
  return status;
}
