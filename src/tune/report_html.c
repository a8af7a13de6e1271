#include "tune/report_html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "formats/output_file.h"
#include "tune/chart.h"

#define TITLE_SIZE 160
#define MAX_RANGES 2000 /* rows of the table of activation ranges */

static const char style[] =
    "<style>\n"
    ":root{--ink:#1a1a1a;--dim:#555;--line:#d5d5d5;--good:#00682c;--bad:#a4161a;--front:#0b4f9e}\n"
    "body{font:16px/1.45 system-ui,sans-serif;color:var(--ink);background:#fff;max-width:62rem;"
    "margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin-top:2.2rem;"
    "border-bottom:1px solid var(--line)}\n"
    ".verdict{font-size:1.15rem;border-left:.4rem solid var(--dim);padding:.3rem .8rem}\n"
    ".verdict.met{border-color:var(--good)}.verdict.missed{border-color:var(--bad)}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.6rem 0}\n"
    "th,td{padding:.15rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
    "vertical-align:top}\n"
    "th{font-weight:600}td.text,th.text{text-align:left;overflow-wrap:anywhere}\n"
    "tr.chosen{font-weight:700}nav a{margin-right:1rem}a:focus,summary:focus{outline:3px solid "
    "var(--front)}\n"
    "svg{width:100%;height:auto;font-size:12px;fill:var(--ink)}\n"
    "svg .grid{stroke:var(--line)}svg .whisker{stroke:var(--dim)}\n"
    "svg .front{fill:none;stroke:var(--front);stroke-width:2}\n"
    "svg .baseline{stroke:var(--ink);stroke-dasharray:2 3}svg .target{stroke:var(--bad);"
    "stroke-dasharray:7 4}\n"
    "svg .meets{fill:var(--good)}svg .misses{fill:#fff;stroke:var(--bad);stroke-width:1.5}\n"
    "svg .pruned,svg .doubtful{fill:#fff;stroke:var(--dim);stroke-width:1.5}svg "
    ".chosen{fill:var(--front);"
    "stroke:var(--ink);stroke-width:2}\n"
    "svg .f32{fill:var(--ink)}\n"
    ".wide{overflow-x:auto}.dim{color:var(--dim)}\n"
    "@media print{body{margin:0;max-width:none}nav{display:none}h2{break-after:avoid}"
    "svg,tr{break-inside:avoid}}\n"
    "</style>\n";

/* ---- small pieces ---- */

static lpot_status put_cell(lpot_buffer *out, const char *text, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<td class='text'>"));
  LPOT_TRY(lpot_html_text(out, text, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</td>"));
  return LPOT_OK;
}

/* A number by %.6g, or a dash. */
static lpot_status put_number(lpot_buffer *out, double value, lpot_error *err) {
  if (isnan(value)) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<td>&ndash;</td>"));
  } else {
    LPOT_TRY(lpot_buffer_printf(out, err, "<td>%.6g</td>", value));
  }
  return LPOT_OK;
}

/* A row of a table of two columns. */
static lpot_status put_fact(lpot_buffer *out, const char *name, const char *text, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<tr><th class='text' scope='row'>%s</th>", name));
  LPOT_TRY(put_cell(out, text, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</tr>\n"));
  return LPOT_OK;
}

static lpot_status put_heading(lpot_buffer *out, const char *anchor, const char *text,
                               lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<h2 id='%s'>%s</h2>\n", anchor, text));
  return LPOT_OK;
}

/* What the accuracy had to be; NaN when it is not known. */
static double target_of(const lpot_ledger *ledger, const lpot_job *job) {
  if (job == NULL || !ledger->has_baseline) {
    return (double)NAN;
  }
  return lpot_config_target(job->config, ledger->header.higher_is_better,
                            ledger->baseline.accuracy);
}

/* ---- verdict ---- */

static lpot_status put_speed(const lpot_ledger_trial *trial, lpot_buffer *out, lpot_error *err) {
  const lpot_latency *latency = &trial->latency;
  if (!trial->measured) {
    LPOT_TRY(lpot_buffer_printf(out, err, " Its latency was not measured."));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(out, err,
                              " It takes %.4g ms per sample, f32 %.4g ms: %.2f times as fast "
                              "[%.2f, %.2f].",
                              latency->recipe_ms, latency->f32_ms, latency->speedup,
                              latency->speedup_low, latency->speedup_high));
  if (!latency->trusted) {
    LPOT_TRY(lpot_buffer_printf(out, err, " This measurement is <strong>not trusted</strong>: "));
    LPOT_TRY(lpot_html_text(out, latency->reason, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "."));
  }
  return LPOT_OK;
}

static lpot_status put_chosen(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  if (trial == NULL) {
    return LPOT_OK;
  }
  const lpot_ledger_result *result = lpot_ledger_final_of(ledger, trial);
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      " Trial %" PRIu64 " is handed out: accuracy %.6g against %.6g of f32 (loss %.3f&nbsp;%%), "
      "%zu of %zu ops in int8",
      trial->id, result->accuracy, ledger->baseline.accuracy,
      100 * lpot_relative_loss(ledger->header.higher_is_better, ledger->baseline.accuracy,
                               result->accuracy),
      lpot_recipe_num_quantized(result->recipe), result->recipe->num_ops));
  if (lpot_recipe_num_bf16(result->recipe) > 0) {
    LPOT_TRY(lpot_buffer_printf(out, err, ", %zu in bf16", lpot_recipe_num_bf16(result->recipe)));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "."));
  LPOT_TRY(put_speed(trial, out, err));
  return LPOT_OK;
}

static lpot_status put_verdict(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  static const struct {
    const char *style;
    const char *text;
  } verdicts[LPOT_NUM_VERDICTS] = {
      [LPOT_VERDICT_NONE] = {"open", "The run is not finished; --resume goes on with it."},
      [LPOT_VERDICT_MET] = {"met", "The accuracy criterion is met."},
      [LPOT_VERDICT_NOT_MET] = {"missed", "The accuracy criterion is <strong>not</strong> met."}};
  LPOT_TRY(lpot_buffer_printf(out, err, "<p class='verdict %s'>%s", verdicts[ledger->verdict].style,
                              verdicts[ledger->verdict].text));
  LPOT_TRY(put_chosen(ledger, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</p>\n"));
  return LPOT_OK;
}

static lpot_status put_facts(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                             lpot_error *err) {
  char text[TITLE_SIZE];
  char when[40];
  LPOT_TRY(lpot_buffer_printf(out, err, "<table>\n"));
  LPOT_TRY(put_fact(out, "Model", ledger->header.model_path, err));
  LPOT_TRY(put_fact(out, "Configuration", ledger->header.config_name, err));
  LPOT_TRY(put_fact(out, "Engine", ledger->header.engine, err));
  if (ledger->num_sessions > 0) {
    lpot_clock_text(ledger->sessions[0].start, when, sizeof when);
    LPOT_TRY(put_fact(out, "Started", when, err));
  }
  if (ledger->has_baseline) {
    double target = target_of(ledger, job);
    snprintf(text, sizeof text, "accuracy %.6g on %" PRIu64 " samples", ledger->baseline.accuracy,
             ledger->baseline.state.samples);
    LPOT_TRY(put_fact(out, "f32 baseline", text, err));
    if (!isnan(target)) {
      snprintf(text, sizeof text, "%s %.6g",
               ledger->header.higher_is_better ? "at least" : "at most", target);
      LPOT_TRY(put_fact(out, "Accuracy asked for", text, err));
    }
  }
  double elapsed = ledger->num_trials > 0 ? ledger->trials[ledger->num_trials - 1].elapsed : 0;
  snprintf(text, sizeof text, "%zu in %.1f s of search; %zu results that no trial asked for",
           ledger->num_trials, elapsed, lpot_ledger_num_speculative(ledger));
  LPOT_TRY(put_fact(out, "Trials", text, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</table>\n"));
  return LPOT_OK;
}

/* ---- charts of trials ---- */

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
                        lpot_chart *chart, lpot_buffer *out, lpot_error *err) {
  const lpot_chart_line lines[] = {{ledger->baseline.accuracy, "baseline", "f32"},
                                   {target_of(ledger, job), "target", "asked for"}};
  chart->num_points = list->count;
  chart->points = list->points;
  chart->num_front = list->num_front;
  chart->front = list->front;
  chart->num_lines = 2;
  chart->lines = lines;
  LPOT_TRY(lpot_chart_draw(chart, out, err));
  return LPOT_OK;
}

static const char speed_legend[] =
    "<p class='dim'>Black: f32. Blue: the trial that is handed out. Green: trials that meet the "
    "criterion. Hollow grey: measurements that are not trusted. The line joins what nothing else "
    "beats in both (the Pareto front).</p>\n";

static lpot_status put_charts(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                              lpot_error *err) {
  point_list speeds = {0};
  point_list trials = {0};
  lpot_chart by_speed = {.title = "Accuracy of measured trials against their speed beside f32",
                         .x_label = "times as fast as f32 (bar: 95 % interval)",
                         .y_label = "accuracy"};
  lpot_chart by_id = {.title = "Accuracy of trials in their order",
                      .x_label = "trial (bar: 95 % interval of rejected ones)",
                      .y_label = "accuracy",
                      .whole_x = true};
  lpot_status status = points_init(&speeds, ledger->num_trials + 1, err);
  if (status == LPOT_OK) {
    status = points_init(&trials, ledger->num_trials + 1, err);
  }
  if (status == LPOT_OK) {
    fill_speeds(ledger, &speeds);
    find_front(&speeds, ledger->header.higher_is_better);
    status = put_heading(out, "speed", "Accuracy against speed", err);
  }
  if (status == LPOT_OK && speeds.count > 1) {
    status = draw(ledger, job, &speeds, &by_speed, out, err);
    if (status == LPOT_OK) {
      status = lpot_buffer_printf(out, err, "%s", speed_legend);
    }
  } else if (status == LPOT_OK) {
    status = lpot_buffer_printf(out, err, "<p>No latency was measured.</p>\n");
  }
  if (status == LPOT_OK) {
    fill_trials(ledger, &trials);
    status = put_heading(out, "trials", "Trials in their order", err);
  }
  if (status == LPOT_OK && trials.count > 0) {
    status = draw(ledger, job, &trials, &by_id, out, err);
  }
  points_done(&speeds);
  points_done(&trials);
  return status;
}

static lpot_status put_trial(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                             lpot_buffer *out, lpot_error *err) {
  const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
  LPOT_TRY(lpot_buffer_printf(out, err, "<tr%s><td>%" PRIu64 "</td><td class='text'>%s</td>",
                              trial->id == ledger->chosen ? " class='chosen'" : "", trial->id,
                              lpot_stage_text(trial->stage)));
  LPOT_TRY(put_cell(out, lpot_trial_status_text(result->status), err));
  LPOT_TRY(put_number(out, result->accuracy, err));
  LPOT_TRY(put_number(out, 100 * trial->relative_loss, err));
  LPOT_TRY(put_cell(out, trial->meets ? "yes" : "no", err));
  LPOT_TRY(lpot_buffer_printf(out, err, "<td>%" PRIu64 "</td><td>%zu</td>", result->samples,
                              lpot_recipe_num_quantized(result->recipe)));
  LPOT_TRY(put_number(out, trial->measured ? trial->latency.recipe_ms : (double)NAN, err));
  LPOT_TRY(put_number(out, trial->measured ? trial->latency.speedup : (double)NAN, err));
  LPOT_TRY(put_number(out, trial->size_bytes > 0 ? (double)trial->size_bytes : (double)NAN, err));
  LPOT_TRY(put_cell(out, result->cause, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</tr>\n"));
  return LPOT_OK;
}

static lpot_status put_trials(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<details><summary>All %zu trials as a table</summary><div class='wide'><table>\n"
      "<tr><th scope='col'>trial</th><th class='text' scope='col'>stage</th>"
      "<th class='text' scope='col'>status</th><th scope='col'>accuracy</th>"
      "<th scope='col'>loss %%</th><th class='text' scope='col'>meets</th>"
      "<th scope='col'>samples</th><th scope='col'>int8 ops</th><th scope='col'>ms</th>"
      "<th scope='col'>speed-up</th><th scope='col'>bytes</th>"
      "<th class='text' scope='col'>cause</th></tr>\n",
      ledger->num_trials));
  for (size_t i = 0; i < ledger->num_trials; i++) {
    LPOT_TRY(put_trial(ledger, &ledger->trials[i], out, err));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</table></div></details>\n"));
  return LPOT_OK;
}

/* ---- ops ---- */

static const char *dtype_text(lpot_dtype dtype) {
  return dtype == LPOT_U8     ? "uint8"
         : dtype == LPOT_S8   ? "int8"
         : dtype == LPOT_BF16 ? "bf16"
                              : "fp32";
}

static void config_text(const lpot_op_config *config, char out[TITLE_SIZE]) {
  const lpot_tensor_config *activation = &config->activation;
  const lpot_tensor_config *weight = &config->weight;
  if (!lpot_op_config_is_quantized(config)) {
    snprintf(out, TITLE_SIZE, "%s", dtype_text(activation->dtype));
    return;
  }
  int used =
      snprintf(out, TITLE_SIZE, "%s %s %s", dtype_text(activation->dtype),
               lpot_scheme_text(activation->scheme), lpot_algorithm_text(activation->algorithm));
  if (weight->dtype != LPOT_DTYPE_UNKNOWN && used > 0 && used < TITLE_SIZE) {
    snprintf(out + used, (size_t)(TITLE_SIZE - used), "; weight %s",
             lpot_granularity_text(weight->granularity));
  }
}

/* What the accuracy gains when this op alone falls back, by the trials of that stage; NaN. */
static double gain_of(const lpot_ledger *ledger, size_t op) {
  const lpot_ledger_result *base = NULL;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, &ledger->trials[i]);
    if (result->status != LPOT_TRIAL_DONE) {
      continue;
    }
    bool better =
        base == NULL || (ledger->header.higher_is_better ? result->accuracy > base->accuracy
                                                         : result->accuracy < base->accuracy);
    if (ledger->trials[i].stage == LPOT_STAGE_UNIFORM && better) {
      base = result;
    }
    if (ledger->trials[i].stage != LPOT_STAGE_ONE_BY_ONE || base == NULL) {
      continue;
    }
    bool falls_back = lpot_op_config_is_quantized(&base->recipe->ops[op]) &&
                      !lpot_op_config_is_quantized(&result->recipe->ops[op]);
    if (falls_back) {
      return ledger->header.higher_is_better ? result->accuracy - base->accuracy
                                             : base->accuracy - result->accuracy;
    }
  }
  return (double)NAN;
}

static lpot_status put_ops(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  const lpot_recipe *recipe = trial == NULL ? NULL : lpot_ledger_result_of(ledger, trial)->recipe;
  LPOT_TRY(put_heading(out, "ops", "Ops of the chosen recipe", err));
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<p class='dim'>Gain: what the accuracy gains when this op alone falls back, where the "
      "strategy has tried it.</p>\n<div class='wide'><table>\n<tr><th class='text' "
      "scope='col'>op</th><th class='text' scope='col'>type</th><th class='text' "
      "scope='col'>computes as</th><th scope='col'>gain</th></tr>\n"));
  for (size_t i = 0; i < ledger->header.num_ops; i++) {
    char text[TITLE_SIZE] = "-";
    if (recipe != NULL) {
      config_text(&recipe->ops[i], text);
    }
    LPOT_TRY(lpot_buffer_printf(out, err, "<tr>"));
    LPOT_TRY(put_cell(out, ledger->header.op_names[i], err));
    LPOT_TRY(put_cell(out, ledger->header.op_types[i], err));
    LPOT_TRY(put_cell(out, text, err));
    LPOT_TRY(put_number(out, gain_of(ledger, i), err));
    LPOT_TRY(lpot_buffer_printf(out, err, "</tr>\n"));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</table></div>\n"));
  return LPOT_OK;
}

/* Ops that have no int8 form, and why. */
static lpot_status put_others(const lpot_job *job, lpot_buffer *out, lpot_error *err) {
  if (job == NULL) {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<p class='dim'>The model could not be read when this page was "
                                "made: ops without an int8 form are not listed.</p>\n"));
    return LPOT_OK;
  }
  size_t count = lpot_quant_ops_num_others(job->ops);
  if (count == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<details><summary>%zu ops that always stay fp32, and why</summary><table>\n"
      "<tr><th class='text' scope='col'>op</th><th class='text' scope='col'>type</th>"
      "<th class='text' scope='col'>why</th></tr>\n",
      count));
  for (size_t i = 0; i < count; i++) {
    const lpot_quant_op *op = lpot_quant_ops_get_other(job->ops, i);
    LPOT_TRY(lpot_buffer_printf(out, err, "<tr>"));
    LPOT_TRY(put_cell(out, op->name, err));
    LPOT_TRY(put_cell(out, op->type, err));
    LPOT_TRY(put_cell(out, op->reason == NULL ? "" : op->reason, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "</tr>\n"));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</table></details>\n"));
  return LPOT_OK;
}

/* ---- ranges and hosts ---- */

static lpot_status put_ranges(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  if (ledger->num_calibrations == 0) {
    return LPOT_OK;
  }
  const lpot_ledger_calibration *calibration = &ledger->calibrations[ledger->num_calibrations - 1];
  LPOT_TRY(put_heading(out, "ranges", "Activation ranges", err));
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<details><summary>%zu values seen in %" PRId64 " calibration samples</summary>"
      "<div class='wide'><table>\n<tr><th class='text' scope='col'>value</th><th "
      "scope='col'>minimum</th><th scope='col'>maximum</th><th scope='col'>numbers</th>"
      "<th scope='col'>NaN or infinite</th></tr>\n",
      calibration->num_ranges, calibration->key.samples));
  for (size_t i = 0; i < calibration->num_ranges && i < MAX_RANGES; i++) {
    const lpot_ledger_range *range = &calibration->ranges[i];
    LPOT_TRY(lpot_buffer_printf(out, err, "<tr>"));
    LPOT_TRY(put_cell(out, range->value, err));
    LPOT_TRY(lpot_buffer_printf(
        out, err, "<td>%.6g</td><td>%.6g</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td></tr>\n",
        (double)range->minimum, (double)range->maximum, range->total, range->bad));
  }
  LPOT_TRY(lpot_buffer_printf(
      out, err, "</table></div>%s</details>\n",
      calibration->num_ranges > MAX_RANGES ? "<p>The others are in history.h5.</p>" : ""));
  return LPOT_OK;
}

static lpot_status put_hosts(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(put_heading(out, "hosts", "Hosts", err));
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<div class='wide'><table>\n<tr><th scope='col'>start</th><th scope='col'>ranks</th>"
      "<th class='text' scope='col'>host</th><th class='text' scope='col'>numeric "
      "class</th></tr>\n"));
  for (size_t i = 0; i < ledger->num_sessions; i++) {
    const lpot_ledger_session *session = &ledger->sessions[i];
    for (size_t first = 0; first < session->num_ranks;) {
      const lpot_ledger_rank *rank = &session->ranks[first];
      size_t end = first + 1;
      while (end < session->num_ranks && strcmp(session->ranks[end].host, rank->host) == 0 &&
             strcmp(session->ranks[end].numeric_class, rank->numeric_class) == 0) {
        end++;
      }
      LPOT_TRY(lpot_buffer_printf(out, err, "<tr><td>%zu</td><td>%zu</td>", i + 1, end - first));
      LPOT_TRY(put_cell(out, rank->host, err));
      LPOT_TRY(put_cell(out, rank->numeric_class, err));
      LPOT_TRY(lpot_buffer_printf(out, err, "</tr>\n"));
      first = end;
    }
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</table></div>\n"));
  if (ledger->num_mishaps > 0) {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<p>%zu times an evaluator died or hung, or a worker was lost or "
                                "came back: /mishaps in history.h5 tells of each.</p>\n",
                                ledger->num_mishaps));
  }
  return LPOT_OK;
}

/* ---- the page ---- */

static lpot_status put_configuration(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(put_heading(out, "configuration", "Effective configuration", err));
  LPOT_TRY(lpot_buffer_printf(out, err, "<details><summary>as YAML</summary><pre>"));
  LPOT_TRY(lpot_html_text(out, ledger->header.config_text, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</pre></details>\n"));
  return LPOT_OK;
}

static lpot_status put_body(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                            lpot_error *err) {
  LPOT_TRY(put_verdict(ledger, out, err));
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<nav aria-label='Contents'><a href='#speed'>Speed</a><a href='#trials'>Trials</a>"
      "<a href='#ops'>Ops</a><a href='#hosts'>Hosts</a>"
      "<a href='#configuration'>Configuration</a></nav>\n"));
  LPOT_TRY(put_facts(ledger, job, out, err));
  if (ledger->has_baseline) {
    LPOT_TRY(put_charts(ledger, job, out, err));
    LPOT_TRY(put_trials(ledger, out, err));
  }
  LPOT_TRY(put_ops(ledger, out, err));
  LPOT_TRY(put_others(job, out, err));
  LPOT_TRY(put_ranges(ledger, out, err));
  LPOT_TRY(put_hosts(ledger, out, err));
  LPOT_TRY(put_configuration(ledger, out, err));
  return LPOT_OK;
}

lpot_status lpot_report_html(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                             lpot_error *err) {
  const char *slash = strrchr(ledger->header.model_path, '/');
  const char *name = slash == NULL ? ledger->header.model_path : slash + 1;
  LPOT_TRY(lpot_buffer_printf(
      out, err,
      "<!DOCTYPE html>\n<html lang='en'>\n<head><meta charset='utf-8'>\n"
      "<meta name='viewport' content='width=device-width, initial-scale=1'>\n<title>lpot: "));
  LPOT_TRY(lpot_html_text(out, name, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</title>\n%s</head>\n<body>\n<main>\n<h1>", style));
  LPOT_TRY(lpot_html_text(out, name, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</h1>\n"));
  LPOT_TRY(put_body(ledger, job, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</main>\n</body>\n</html>\n"));
  return LPOT_OK;
}

lpot_status lpot_report_html_write(const lpot_ledger *ledger, const lpot_job *job, const char *path,
                                   lpot_error *err) {
  lpot_buffer page;
  lpot_buffer_init(&page);
  lpot_status status = lpot_report_html(ledger, job, &page, err);
  if (status == LPOT_OK) {
    status = lpot_output_file_replace(path, page.data, page.size, err);
  }
  lpot_buffer_done(&page);
  return status;
}
