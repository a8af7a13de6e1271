/* Sections of report.html: accuracy against speed, and the trials in their order. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tune/chart.h"
#include "tune/report_part.h"

#define TITLE_SIZE 160

/* ---- points ---- */

/* Points with their titles. */
typedef struct point_list {
  size_t count;
  lpot_chart_point *points;   /* [num_trials + 1] */
  char (*titles)[TITLE_SIZE]; /* the same */
  size_t *front;              /* the same */
  size_t num_front;
} point_list;

static lpot_status points_init(point_list *list, size_t capacity, lpot_error *err) {
  *list = (point_list){.points = lpot_calloc(capacity, sizeof *list->points),
                       .titles = lpot_calloc(capacity, sizeof *list->titles),
                       .front = lpot_calloc(capacity, sizeof *list->front)};
  if (list->points == NULL || list->titles == NULL || list->front == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static void points_done(point_list *list) {
  lpot_free(list->points);
  lpot_free(list->titles);
  lpot_free(list->front);
}

static void add_point(point_list *list, double x, double y, const char *style_class) {
  list->points[list->count] = (lpot_chart_point){.x = x,
                                                 .y = y,
                                                 .x_low = x,
                                                 .x_high = x,
                                                 .y_low = y,
                                                 .y_high = y,
                                                 .style = style_class,
                                                 .title = list->titles[list->count]};
  list->count++;
}

static const char *style_of(const lpot_ledger *ledger, const lpot_ledger_trial *trial) {
  if (trial->id == ledger->chosen) {
    return "chosen";
  }
  if (lpot_ledger_result_of(ledger, trial)->status == LPOT_TRIAL_PRUNED) {
    return "pruned";
  }
  return trial->meets ? "meets" : "misses";
}

static void fill_trials(const lpot_ledger *ledger, point_list *list) {
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
    if (isnan(result->accuracy)) {
      continue;
    }
    snprintf(list->titles[list->count], TITLE_SIZE, "trial %" PRIu64 " (%s): accuracy %.6g, %s",
             trial->id, lpot_stage_text(trial->stage), result->accuracy,
             lpot_trial_status_text(result->status));
    add_point(list, (double)trial->id, result->accuracy, style_of(ledger, trial));
    list->points[list->count - 1].y_low = result->interval.low;
    list->points[list->count - 1].y_high = result->interval.high;
  }
}

static void fill_speeds(const lpot_ledger *ledger, point_list *list) {
  snprintf(list->titles[0], TITLE_SIZE, "f32: accuracy %.6g", ledger->baseline.accuracy);
  add_point(list, 1, ledger->baseline.accuracy, "f32");
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    if (!trial->measured) {
      continue;
    }
    const lpot_ledger_result *result = lpot_ledger_final_of(ledger, trial);
    snprintf(list->titles[list->count], TITLE_SIZE,
             "trial %" PRIu64 ": accuracy %.6g, %.2f times as fast as f32%s, %" PRIu64 " bytes",
             trial->id, result->accuracy, trial->latency.speedup,
             trial->latency.trusted ? "" : " (not trusted)", trial->size_bytes);
    bool doubtful = !trial->latency.trusted && trial->id != ledger->chosen;
    add_point(list, trial->latency.speedup, result->accuracy,
              doubtful ? "doubtful" : style_of(ledger, trial));
    list->points[list->count - 1].x_low = trial->latency.speedup_low;
    list->points[list->count - 1].x_high = trial->latency.speedup_high;
  }
}

/* The points that no other one beats in both, from the slowest on; without measurements that are
 * not trusted. */
static void find_front(point_list *list, bool higher_is_better) {
  double sign = higher_is_better ? 1 : -1;
  for (size_t i = 0; i < list->count; i++) {
    const lpot_chart_point *one = &list->points[i];
    bool beaten = !isfinite(one->x) || !isfinite(one->y) || strcmp(one->style, "doubtful") == 0;
    for (size_t k = 0; k < list->count && !beaten; k++) {
      const lpot_chart_point *other = &list->points[k];
      if (strcmp(other->style, "doubtful") == 0) {
        continue;
      }
      bool as_good = other->x >= one->x && sign * other->y >= sign * one->y;
      bool better = other->x > one->x || sign * other->y > sign * one->y;
      beaten = as_good && (better || k < i);
    }
    if (beaten) {
      continue;
    }
    size_t at = list->num_front;
    for (; at > 0 && list->points[list->front[at - 1]].x > one->x; at--) {
      list->front[at] = list->front[at - 1];
    }
    list->front[at] = i;
    list->num_front++;
  }
}

static lpot_status draw(const lpot_ledger *ledger, const lpot_job *job, const point_list *list,
                        const lpot_chart *plain, lpot_buffer *out, lpot_error *err) {
  lpot_chart chart = *plain;
  const lpot_chart_line lines[] = {{ledger->baseline.accuracy, "baseline", "f32"},
                                   {lpot_report_target(ledger, job), "target", "asked for"}};
  chart.num_points = list->count;
  chart.points = list->points;
  chart.num_front = list->num_front;
  chart.front = list->front;
  chart.num_lines = 2;
  chart.lines = lines;
  LPOT_TRY(lpot_chart_draw(&chart, out, err));
  return LPOT_OK;
}

/* ---- sections ---- */

static const char speed_legend[] =
    "<p class='dim'>Black: f32. Blue: the trial that is handed out. Green: trials that meet the "
    "criterion. Hollow grey: measurements that are not trusted. The line joins what nothing else "
    "beats in both (the Pareto front).</p>\n";

static lpot_status put_speeds(const lpot_ledger *ledger, const lpot_job *job, point_list *list,
                              lpot_buffer *out, lpot_error *err) {
  const lpot_chart chart = {.title = "Accuracy of measured trials against their speed beside f32",
                            .x_label = "times as fast as f32 (bar: 95 % interval)",
                            .y_label = "accuracy"};
  LPOT_TRY(points_init(list, ledger->num_trials + 1, err));
  LPOT_TRY(lpot_report_heading(out, "speed", "Accuracy against speed", err));
  fill_speeds(ledger, list);
  if (list->count < 2) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>No latency was measured.</p>\n"));
    return LPOT_OK;
  }
  find_front(list, ledger->header.higher_is_better);
  LPOT_TRY(draw(ledger, job, list, &chart, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "%s", speed_legend));
  return LPOT_OK;
}

static lpot_status put_trial(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                             lpot_buffer *out, lpot_error *err) {
  const double unknown = (double)NAN;
  const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
  char id[24];
  snprintf(id, sizeof id, "%" PRIu64, trial->id);
  LPOT_TRY(lpot_report_row_begin(out, id, trial->id == ledger->chosen, err));
  LPOT_TRY(lpot_report_text(out, lpot_stage_text(trial->stage), err));
  LPOT_TRY(lpot_report_text(out, lpot_trial_status_text(result->status), err));
  LPOT_TRY(lpot_report_accuracy(out, result->accuracy, err));
  LPOT_TRY(lpot_report_number(out, 100 * trial->relative_loss, err));
  LPOT_TRY(lpot_report_text(out, trial->meets ? "yes" : "no", err));
  LPOT_TRY(lpot_report_count(out, result->samples, err));
  LPOT_TRY(lpot_report_count(out, lpot_recipe_num_quantized(result->recipe), err));
  LPOT_TRY(lpot_report_number(out, trial->measured ? trial->latency.recipe_ms : unknown, err));
  LPOT_TRY(lpot_report_number(out, trial->measured ? trial->latency.speedup : unknown, err));
  LPOT_TRY(lpot_report_text(out,
                            !trial->measured         ? ""
                            : trial->latency.trusted ? "yes"
                                                     : "no",
                            err));
  if (trial->size_bytes > 0) {
    LPOT_TRY(lpot_report_count(out, trial->size_bytes, err));
  } else {
    LPOT_TRY(lpot_report_number(out, unknown, err));
  }
  LPOT_TRY(lpot_report_text(out, result->cause, err));
  LPOT_TRY(lpot_report_row_end(out, err));
  return LPOT_OK;
}

static lpot_status put_table(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {
      {"trial", true},   {"stage", true},     {"status", true},   {"accuracy", false},
      {"loss %", false}, {"meets", true},     {"samples", false}, {"int8 ops", false},
      {"ms", false},     {"speed-up", false}, {"trusted", true},  {"bytes", false},
      {"cause", true}};
  LPOT_TRY(lpot_buffer_printf(out, err, "<details><summary>Trials as a table (%zu)</summary>\n",
                              ledger->num_trials));
  LPOT_TRY(lpot_report_table_begin(out, "Trials in the order in which the strategy asked", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < ledger->num_trials; i++) {
    LPOT_TRY(put_trial(ledger, &ledger->trials[i], out, err));
  }
  LPOT_TRY(lpot_report_table_end(out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</details>\n"));
  return LPOT_OK;
}

static lpot_status put_order(const lpot_ledger *ledger, const lpot_job *job, point_list *list,
                             lpot_buffer *out, lpot_error *err) {
  const lpot_chart chart = {.title = "Accuracy of trials in their order",
                            .x_label = "trial (bar: 95 % interval of rejected ones)",
                            .y_label = "accuracy",
                            .whole_x = true};
  LPOT_TRY(points_init(list, ledger->num_trials + 1, err));
  LPOT_TRY(lpot_report_heading(out, "trials", "Trials in their order", err));
  if (ledger->num_trials == 0) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>No trial was finished.</p>\n"));
    return LPOT_OK;
  }
  fill_trials(ledger, list);
  if (list->count > 0) {
    LPOT_TRY(draw(ledger, job, list, &chart, out, err));
  } else {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>No trial has an accuracy.</p>\n"));
  }
  LPOT_TRY(put_table(ledger, out, err));
  return LPOT_OK;
}

lpot_status lpot_report_trials(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                               lpot_error *err) {
  point_list speeds = {0};
  point_list trials = {0};
  lpot_status status = put_speeds(ledger, job, &speeds, out, err);
  if (status == LPOT_OK) {
    status = put_order(ledger, job, &trials, out, err);
  }
  points_done(&speeds);
  points_done(&trials);
  return status;
}
