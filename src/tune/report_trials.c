/* A section of report.html: the trials in their order. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tune/report_part.h"

static void fill_trials(const lpot_ledger *ledger, lpot_report_points *list) {
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
    if (isnan(result->accuracy)) {
      continue;
    }
    lpot_chart_point *point = lpot_report_add_point(list, (double)trial->id, result->accuracy,
                                                    lpot_report_trial_style(ledger, trial));
    point->y_low = result->interval.low;
    point->y_high = result->interval.high;
    lpot_report_point_title(list, "trial %" PRIu64 " (%s): accuracy %.6g, %s", trial->id,
                            lpot_stage_text(trial->stage), result->accuracy,
                            lpot_trial_status_text(result->status));
  }
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

/* What tells the recipes of the trials from each other. */
static lpot_status put_recipes(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {{"trial", true},
                                               {"first op in int8", true},
                                               {"calibrated on", false},
                                               {"corrections", true},
                                               {"hash", true}};
  LPOT_TRY(lpot_report_table_begin(out, "Their recipes", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    const lpot_recipe *recipe = lpot_ledger_result_of(ledger, trial)->recipe;
    char text[LPOT_REPORT_TEXT];
    char corrections[LPOT_CORRECTIONS_TEXT];
    snprintf(text, sizeof text, "%" PRIu64, trial->id);
    LPOT_TRY(lpot_report_row_begin(out, text, trial->id == ledger->chosen, err));
    lpot_report_recipe(recipe, text);
    lpot_corrections_text(&recipe->corrections, corrections);
    LPOT_TRY(lpot_report_text(out, text, err));
    LPOT_TRY(lpot_report_count(out, (uint64_t)recipe->calibration_samples, err));
    LPOT_TRY(lpot_report_text(out, corrections, err));
    snprintf(text, sizeof text, "%016" PRIx64, lpot_recipe_hash(recipe));
    LPOT_TRY(lpot_report_text(out, text, err));
    LPOT_TRY(lpot_report_row_end(out, err));
  }
  return lpot_report_table_end(out, err);
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
  LPOT_TRY(put_recipes(ledger, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</details>\n"));
  return LPOT_OK;
}

static lpot_status put_chart(const lpot_ledger *ledger, const lpot_job *job,
                             const lpot_report_points *list, lpot_buffer *out, lpot_error *err) {
  const lpot_chart chart = {.title = "Accuracy of trials in their order",
                            .x_label = "trial (bar: 95 % interval of rejected ones)",
                            .y_label = "accuracy",
                            .whole_x = true};
  if (list->count == 0) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>No trial has an accuracy.</p>\n"));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_report_draw_points(ledger, job, list, &chart, out, err));
  return LPOT_OK;
}

lpot_status lpot_report_trials(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                               lpot_error *err) {
  lpot_report_points list;
  LPOT_TRY(lpot_report_heading(out, "trials", "Trials in their order", err));
  if (ledger->num_trials == 0) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>No trial was finished.</p>\n"));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_report_points_init(&list, ledger->num_trials, err));
  fill_trials(ledger, &list);
  lpot_status status = put_chart(ledger, job, &list, out, err);
  lpot_report_points_done(&list);
  LPOT_TRY(status);
  LPOT_TRY(put_table(ledger, out, err));
  return LPOT_OK;
}
