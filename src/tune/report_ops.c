/* Sections of report.html about ops: what became of them, how sensitive they are, what they cost.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "tune/chart.h"
#include "tune/report_part.h"
#include "tune/sensitivity.h"

#define MAX_BARS 25

/* ---- what became of them ---- */

/* What the trials say of each op. */
typedef struct op_facts {
  bool tried;  /* a uniform trial has it in int8 or bf16 */
  double gain; /* what the accuracy gains when it alone falls back; NaN: not tried */
} op_facts;

/* The op that falls back alone, looked for downwards from the one below `above` on, and around: the
 * strategy takes the last op first, so that it is mostly the next one. */
static size_t find_fallen(const lpot_recipe *base, const lpot_recipe *recipe, size_t above) {
  for (size_t i = 1; i <= base->num_ops; i++) {
    size_t op = (above + base->num_ops - i) % base->num_ops;
    if (lpot_op_config_is_quantized(&base->ops[op]) &&
        !lpot_op_config_is_quantized(&recipe->ops[op])) {
      return op;
    }
  }
  return SIZE_MAX;
}

static void note_uniform(const lpot_recipe *recipe, op_facts *facts) {
  for (size_t i = 0; i < recipe->num_ops; i++) {
    facts[i].tried = facts[i].tried || lpot_op_config_is_quantized(&recipe->ops[i]) ||
                     lpot_op_config_is_bf16(&recipe->ops[i]);
  }
}

static bool is_better(const lpot_ledger *ledger, double a, double b) {
  return ledger->header.higher_is_better ? a > b : a < b;
}

static void fill_facts(const lpot_ledger *ledger, op_facts *facts) {
  const lpot_ledger_result *base = NULL;
  size_t above = 0; /* the first one to look at is the last op */
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
    if (trial->stage == LPOT_STAGE_UNIFORM) {
      note_uniform(result->recipe, facts);
    }
    if (result->status != LPOT_TRIAL_DONE) {
      continue;
    }
    if (trial->stage == LPOT_STAGE_UNIFORM &&
        (base == NULL || is_better(ledger, result->accuracy, base->accuracy))) {
      base = result;
    }
    if (trial->stage != LPOT_STAGE_ONE_BY_ONE || base == NULL) {
      continue;
    }
    size_t op = find_fallen(base->recipe, result->recipe, above);
    if (op != SIZE_MAX && isnan(facts[op].gain)) {
      double gain = result->accuracy - base->accuracy;
      facts[op].gain = ledger->header.higher_is_better ? gain : -gain;
    }
    above = op == SIZE_MAX ? above : op;
  }
}

/* Why a quantizable op is fp32 in the recipe. */
static const char *why_float(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                             const lpot_op_config *config, const op_facts *facts) {
  if (lpot_op_config_is_quantized(config) || lpot_op_config_is_bf16(config)) {
    return "";
  }
  if (trial->stage == LPOT_STAGE_GIVEN) {
    return "the given recipe has it so";
  }
  if (facts->tried) {
    return "fell back in the search";
  }
  return ledger->header.num_ops > 0 ? "in no uniform recipe: the configuration keeps it in fp32"
                                    : "";
}

static lpot_status put_op_rows(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                               const op_facts *facts, lpot_buffer *out, lpot_error *err) {
  const lpot_recipe *recipe = trial == NULL ? NULL : lpot_ledger_result_of(ledger, trial)->recipe;
  for (size_t i = 0; i < ledger->header.num_ops; i++) {
    char text[LPOT_REPORT_TEXT] = "";
    const char *why = "";
    if (recipe != NULL) {
      lpot_report_config(&recipe->ops[i], text);
      why = why_float(ledger, trial, &recipe->ops[i], &facts[i]);
    }
    LPOT_TRY(lpot_report_row_begin(out, ledger->header.op_names[i], false, err));
    LPOT_TRY(lpot_report_text(out, ledger->header.op_types[i], err));
    LPOT_TRY(lpot_report_text(out, text, err));
    LPOT_TRY(lpot_report_text(out, why, err));
    LPOT_TRY(lpot_report_number(out, facts[i].gain, err));
    LPOT_TRY(lpot_report_row_end(out, err));
  }
  return LPOT_OK;
}

static lpot_status put_chosen(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {
      {"op", true}, {"type", true}, {"computes as", true}, {"why fp32", true}, {"gain", false}};
  size_t num_ops = ledger->header.num_ops;
  op_facts *facts = lpot_calloc(num_ops, sizeof *facts);
  if (facts == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < num_ops; i++) {
    facts[i].gain = (double)NAN;
  }
  fill_facts(ledger, facts);
  lpot_status status = lpot_report_table_begin(out, "Quantizable ops in the order of the graph",
                                               columns, sizeof columns / sizeof columns[0], err);
  if (status == LPOT_OK) {
    status = put_op_rows(ledger, lpot_ledger_find_trial(ledger, ledger->chosen), facts, out, err);
  }
  lpot_free(facts);
  LPOT_TRY(status);
  LPOT_TRY(lpot_report_table_end(out, err));
  return LPOT_OK;
}

/* Ops that have no int8 form, and why. */
static lpot_status put_others(const lpot_job *job, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {{"op", true}, {"type", true}, {"why", true}};
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
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "<details><summary>%zu %s always stay%s fp32, and why</summary>\n",
                              count, count == 1 ? "op that" : "ops that", count == 1 ? "s" : ""));
  LPOT_TRY(lpot_report_table_begin(out, "Ops that are not quantized", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < count; i++) {
    const lpot_quant_op *op = lpot_quant_ops_get_other(job->ops, i);
    LPOT_TRY(lpot_report_row_begin(out, op->name, false, err));
    LPOT_TRY(lpot_report_text(out, op->type, err));
    LPOT_TRY(lpot_report_text(out, op->reason == NULL ? "" : op->reason, err));
    LPOT_TRY(lpot_report_row_end(out, err));
  }
  LPOT_TRY(lpot_report_table_end(out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</details>\n"));
  return LPOT_OK;
}

lpot_status lpot_report_ops(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                            lpot_error *err) {
  LPOT_TRY(lpot_report_heading(out, "ops", "Ops of the chosen recipe", err));
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "<p class='dim'>%sGain: what the accuracy gains when this op alone "
                              "falls back, where the strategy has tried it.</p>\n",
                              ledger->chosen == LPOT_NO_TRIAL ? "No recipe is chosen. " : ""));
  LPOT_TRY(put_chosen(ledger, out, err));
  LPOT_TRY(put_others(job, out, err));
  return LPOT_OK;
}

/* ---- ranked ops ---- */

/* The ops with the largest values as bars of all series of a chart that has no rows yet. values
 * [num_ops, num_series]. */
static lpot_status draw_largest(const lpot_ledger *ledger, const lpot_ranked_value *ranked,
                                const double *values, const lpot_bar_chart *plain, lpot_buffer *out,
                                lpot_error *err) {
  lpot_bar_chart chart = *plain;
  const char *labels[MAX_BARS];
  double shown[MAX_BARS * LPOT_MAX_BAR_SERIES];
  size_t num_ops = ledger->header.num_ops;
  for (; chart.num_rows < num_ops && chart.num_rows < MAX_BARS; chart.num_rows++) {
    size_t op = ranked[chart.num_rows].index;
    if (isnan(ranked[chart.num_rows].value)) {
      break;
    }
    labels[chart.num_rows] = ledger->header.op_names[op];
    for (size_t k = 0; k < chart.num_series; k++) {
      shown[chart.num_rows * chart.num_series + k] = values[op * chart.num_series + k];
    }
  }
  chart.labels = labels;
  chart.values = shown;
  LPOT_TRY(lpot_bars_draw(&chart, out, err));
  if (chart.num_rows < num_ops) {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<p class='dim'>The %zu largest of %zu ops; the table has all.</p>"
                                "\n",
                                chart.num_rows, num_ops));
  }
  return LPOT_OK;
}

/* An array of ranks by the first of num_series values of each op; owned by the caller; NULL. */
static lpot_ranked_value *rank_ops(size_t num_ops, size_t num_series, const double *values) {
  lpot_ranked_value *ranked = lpot_calloc(num_ops, sizeof *ranked);
  for (size_t i = 0; ranked != NULL && i < num_ops; i++) {
    ranked[i] = (lpot_ranked_value){.value = values[i * num_series], .index = i};
  }
  if (ranked != NULL) {
    lpot_report_rank(ranked, num_ops);
  }
  return ranked;
}

/* ---- sensitivity ---- */

/* The error that a fallback is compared with: of the base, or where that was not sensed the largest
 * one, since fallbacks mostly help. */
static double reference_error(const lpot_sensitivities *from) {
  double largest = (double)NAN;
  for (size_t i = 0; i < from->num_ops; i++) {
    largest = fmax(largest, from->ops[i].without);
  }
  return isnan(from->base_error) ? largest : from->base_error;
}

static lpot_status put_sensitivity_rows(const lpot_ledger *ledger, const lpot_sensitivities *from,
                                        const lpot_ranked_value *ranked, lpot_buffer *out,
                                        lpot_error *err) {
  static const lpot_report_column columns[] = {{"op", true},
                                               {"type", true},
                                               {"damage", false},
                                               {"error with it alone", false},
                                               {"error without it", false}};
  LPOT_TRY(lpot_report_table_begin(out, "Sensitivity of the ops, the largest damage first", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < from->num_ops; i++) {
    size_t op = ranked[i].index;
    LPOT_TRY(lpot_report_row_begin(out, ledger->header.op_names[op], false, err));
    LPOT_TRY(lpot_report_text(out, ledger->header.op_types[op], err));
    LPOT_TRY(lpot_report_number(out, ranked[i].value, err));
    LPOT_TRY(lpot_report_number(out, from->ops[op].alone, err));
    LPOT_TRY(lpot_report_number(out, from->ops[op].without, err));
    LPOT_TRY(lpot_report_row_end(out, err));
  }
  LPOT_TRY(lpot_report_table_end(out, err));
  return LPOT_OK;
}

static lpot_status put_sensitivities(const lpot_ledger *ledger, const lpot_sensitivities *from,
                                     const double *damage, lpot_buffer *out, lpot_error *err) {
  static const char *const series[] = {"damage"};
  bool alone = from->num_alone >= from->num_without;
  const lpot_bar_chart chart = {.title = "Damage that ops do to the outputs when they are in int8",
                                .x_label = alone ? "relative squared error of the outputs"
                                                 : "fall of the outputs' relative squared error",
                                .num_series = 1,
                                .series = series};
  lpot_ranked_value *ranked = rank_ops(from->num_ops, 1, damage);
  if (ranked == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const char *what =
      alone ? "the relative squared error of the outputs with this op alone in int8 or bf16"
      : isnan(from->base_error)
          ? "by how much the relative squared error of the outputs is below the largest when this "
            "op alone falls back"
          : "by how much the relative squared error of the outputs falls when this op alone falls "
            "back";
  lpot_status status = lpot_buffer_printf(out, err, "<p class='dim'>Damage: %s.</p>\n", what);
  if (status == LPOT_OK) {
    status = draw_largest(ledger, ranked, damage, &chart, out, err);
  }
  if (status == LPOT_OK) {
    status = put_sensitivity_rows(ledger, from, ranked, out, err);
  }
  lpot_free(ranked);
  return status;
}

/* damage [num_ops] is filled here. */
static void fill_damage(const lpot_sensitivities *from, double *damage) {
  double reference = reference_error(from);
  bool alone = from->num_alone >= from->num_without;
  for (size_t i = 0; i < from->num_ops; i++) {
    damage[i] = alone ? from->ops[i].alone : reference - from->ops[i].without;
  }
}

static lpot_status put_damage(const lpot_ledger *ledger, const lpot_sensitivities *from,
                              lpot_buffer *out, lpot_error *err) {
  double *damage = lpot_calloc(from->num_ops, sizeof *damage);
  if (damage == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fill_damage(from, damage);
  lpot_status status = put_sensitivities(ledger, from, damage, out, err);
  lpot_free(damage);
  return status;
}

lpot_status lpot_report_sensitivity(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  lpot_sensitivities from;
  LPOT_TRY(lpot_report_heading(out, "sensitivity", "Sensitivity of the ops", err));
  LPOT_TRY(lpot_sensitivities_of(ledger, &from, err));
  lpot_status status = LPOT_OK;
  if (from.num_alone + from.num_without > 0) {
    status = put_damage(ledger, &from, out, err);
  } else {
    status = lpot_buffer_printf(out, err,
                                "<p>Not sensed: the strategies auto, mse and mse_v2 do that, where "
                                "no uniform recipe meets the criterion.</p>\n");
  }
  lpot_sensitivities_done(&from);
  return status;
}

/* ---- times ---- */

static lpot_status put_times_intro(const lpot_op_times *times, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(
      lpot_buffer_printf(out, err,
                         "<p class='dim'>Microseconds for one sample in networks that are f32, "
                         "all int8 and all bf16"));
  if (times->host[0] != '\0') {
    LPOT_TRY(lpot_buffer_printf(out, err, ", on "));
    LPOT_TRY(lpot_html_text(out, times->host, err));
  }
  LPOT_TRY(lpot_buffer_printf(out, err,
                              ". 0: runs inside of another op. Share: of the f32 network.</p>\n"));
  if (!times->trusted) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>These times are <strong>not trusted</strong>: "));
    LPOT_TRY(lpot_html_text(out, times->reason, err));
    LPOT_TRY(lpot_buffer_printf(out, err, ".</p>\n"));
  }
  return LPOT_OK;
}

static lpot_status put_time_row(const char *head, const char *type, const double us[3],
                                double whole_us, double convert_us, bool marked, lpot_buffer *out,
                                lpot_error *err) {
  LPOT_TRY(lpot_report_row_begin(out, head, marked, err));
  LPOT_TRY(lpot_report_text(out, type, err));
  LPOT_TRY(lpot_report_number(out, us[LPOT_PRECISION_F32], err));
  LPOT_TRY(lpot_report_number(
      out, whole_us > 0 ? 100 * us[LPOT_PRECISION_F32] / whole_us : (double)NAN, err));
  LPOT_TRY(lpot_report_number(out, us[LPOT_PRECISION_INT8], err));
  LPOT_TRY(lpot_report_number(out, us[LPOT_PRECISION_BF16], err));
  LPOT_TRY(lpot_report_number(out, convert_us, err));
  LPOT_TRY(lpot_report_row_end(out, err));
  return LPOT_OK;
}

static lpot_status put_time_table(const lpot_ledger *ledger, const lpot_ranked_value *ranked,
                                  const double *values, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {{"op", true},
                                               {"type", true},
                                               {"f32 &micro;s", false},
                                               {"share %", false},
                                               {"int8 &micro;s", false},
                                               {"bf16 &micro;s", false},
                                               {"to and from int8 &micro;s", false}};
  const lpot_op_times *times = &ledger->op_times;
  double whole_us = times->whole_us[LPOT_PRECISION_F32];
  LPOT_TRY(lpot_report_table_begin(out, "Times of the ops, the slowest in f32 first", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < times->num_ops; i++) {
    size_t op = ranked[i].index;
    const lpot_op_cost *cost = &times->ops[op];
    LPOT_TRY(put_time_row(ledger->header.op_names[op], ledger->header.op_types[op],
                          &values[op * LPOT_NUM_PRECISIONS], whole_us,
                          cost->quantize_us + cost->dequantize_us, false, out, err));
  }
  LPOT_TRY(
      put_time_row("everything else", "", times->rest_us, whole_us, (double)NAN, false, out, err));
  LPOT_TRY(
      put_time_row("whole network", "", times->whole_us, whole_us, (double)NAN, true, out, err));
  LPOT_TRY(lpot_report_table_end(out, err));
  return LPOT_OK;
}

/* values [num_ops, LPOT_NUM_PRECISIONS]. */
static lpot_status put_times(const lpot_ledger *ledger, const double *values, lpot_buffer *out,
                             lpot_error *err) {
  static const char *const series[] = {"f32", "int8", "bf16"};
  const lpot_bar_chart chart = {.title = "Time of the slowest ops in f32, int8 and bf16",
                                .x_label = "microseconds for one sample",
                                .num_series = LPOT_NUM_PRECISIONS,
                                .series = series};
  lpot_ranked_value *ranked = rank_ops(ledger->op_times.num_ops, LPOT_NUM_PRECISIONS, values);
  if (ranked == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = put_times_intro(&ledger->op_times, out, err);
  if (status == LPOT_OK) {
    status = draw_largest(ledger, ranked, values, &chart, out, err);
  }
  if (status == LPOT_OK) {
    status = put_time_table(ledger, ranked, values, out, err);
  }
  lpot_free(ranked);
  return status;
}

lpot_status lpot_report_times(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_report_heading(out, "times", "Where the time goes", err));
  if (!ledger->has_op_times) {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<p>What each op costs was not measured (tuning.op_times).</p>\n"));
    return LPOT_OK;
  }
  const lpot_op_times *times = &ledger->op_times;
  double *values = lpot_calloc(times->num_ops, LPOT_NUM_PRECISIONS * sizeof *values);
  if (values == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < times->num_ops; i++) {
    values[LPOT_NUM_PRECISIONS * i + LPOT_PRECISION_F32] = times->ops[i].f32_us;
    values[LPOT_NUM_PRECISIONS * i + LPOT_PRECISION_INT8] = times->ops[i].int8_us;
    values[LPOT_NUM_PRECISIONS * i + LPOT_PRECISION_BF16] = times->ops[i].bf16_us;
  }
  lpot_status status = put_times(ledger, values, out, err);
  lpot_free(values);
  return status;
}
