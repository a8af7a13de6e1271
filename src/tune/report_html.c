#include "tune/report_html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "formats/output_file.h"
#include "tune/chart.h"
#include "tune/report_part.h"

#define TEXT_SIZE 160
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
    "caption{text-align:left;color:var(--dim);font-size:.9rem}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.6rem 0}\n"
    "th,td{padding:.15rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
    "vertical-align:top}\n"
    "th{font-weight:600}tbody "
    "th{font-weight:400}td.text,th.text{text-align:left;overflow-wrap:anywhere}\n"
    "tr.chosen{font-weight:700}nav "
    "a{margin-right:1rem}a:focus,summary:focus,.wide:focus{outline:3px solid "
    "var(--front)}\n"
    "svg{width:100%;height:auto;font-size:12px;fill:var(--ink)}\n"
    "svg .grid{stroke:var(--line)}svg .whisker{stroke:var(--dim)}\n"
    "svg .ring{fill:none;stroke:var(--front);stroke-width:2}\n"
    "svg .baseline{stroke:var(--ink);stroke-dasharray:2 3}svg .target{stroke:var(--bad);"
    "stroke-dasharray:7 4}\n"
    "svg .meets{fill:var(--good)}svg .misses{fill:#fff;stroke:var(--bad);stroke-width:1.5}\n"
    "svg .pruned,svg .doubtful{fill:#fff;stroke:var(--dim);stroke-width:1.5}svg "
    ".chosen{fill:var(--front);"
    "stroke:var(--ink);stroke-width:2}\n"
    "svg .f32,svg .bar0{fill:var(--ink)}svg .bar1{fill:#3b82d0}svg .bar2{fill:#fff;"
    "stroke:var(--ink)}svg .value{font-size:9px}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}\n"
    ".wide{overflow-x:auto}.wide .text{overflow-wrap:break-word}.dim{color:var(--dim)}\n"
    "@media print{body{margin:0;max-width:none;font-size:11pt}nav{display:none}"
    "table{font-size:8pt}th,td{padding:.1rem .3rem}"
    "h2,summary{break-after:avoid}svg,tr{break-inside:avoid}.wide{overflow:visible}"
    ".wide tbody .text{overflow-wrap:anywhere;min-width:3.4em}"
    "details::details-content{content-visibility:visible;display:block;block-size:auto}}\n"
    "</style>\n";

/* ---- verdict ---- */

/* A row of a table of two columns. */
static lpot_status put_fact(lpot_buffer *out, const char *name, const char *text, lpot_error *err) {
  LPOT_TRY(lpot_report_row_begin(out, name, false, err));
  LPOT_TRY(lpot_report_text(out, text, err));
  LPOT_TRY(lpot_report_row_end(out, err));
  return LPOT_OK;
}

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

/* Whether the criterion holds on samples that did not choose. */
static lpot_status put_holdout(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  const lpot_ledger_holdout *f32 = lpot_ledger_find_holdout(ledger, 0);
  const lpot_ledger_holdout *chosen = lpot_ledger_chosen_holdout(ledger);
  if (f32 == NULL || chosen == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "<p class='verdict %s'>On %" PRIu64 " samples that the search has "
                              "not seen ",
                              chosen->meets ? "met" : "missed", chosen->samples));
  if (f32->status != LPOT_TRIAL_DONE || chosen->status != LPOT_TRIAL_DONE) {
    LPOT_TRY(lpot_buffer_printf(out, err, "f32 is %s, the trial is %s.</p>\n",
                                lpot_trial_status_text(f32->status),
                                lpot_trial_status_text(chosen->status)));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_printf(
      out, err, "the criterion %s: accuracy %.6g against %.6g of f32 (loss %.3f&nbsp;%%).",
      chosen->meets ? "holds" : "does <strong>not</strong> hold", chosen->accuracy, f32->accuracy,
      100 * chosen->relative_loss));
  lpot_paired_loss paired;
  if (lpot_ledger_holdout_loss(ledger, chosen, &paired)) {
    LPOT_TRY(lpot_buffer_printf(
        out, err,
        " %" PRIu64 " right answers are lost, %" PRIu64
        " gained: %.2f&nbsp;%% of the samples, 95&nbsp;%% interval [%.2f, %.2f].",
        paired.lost, paired.gained, 100 * paired.loss, 100 * paired.low, 100 * paired.high));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</p>\n"));
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
  LPOT_TRY(put_holdout(ledger, out, err));
  return LPOT_OK;
}

static lpot_status put_baseline(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                                lpot_error *err) {
  char text[TEXT_SIZE];
  double target = lpot_report_target(ledger, job);
  snprintf(text, sizeof text, "accuracy %.6g on %" PRIu64 " samples", ledger->baseline.accuracy,
           ledger->baseline.state.samples);
  LPOT_TRY(put_fact(out, "f32 baseline", text, err));
  if (!isnan(target)) {
    snprintf(text, sizeof text, "%s %.6g", ledger->header.higher_is_better ? "at least" : "at most",
             target);
    LPOT_TRY(put_fact(out, "Accuracy asked for", text, err));
  }
  return LPOT_OK;
}

static lpot_status put_facts(const lpot_ledger *ledger, const lpot_job *job, lpot_buffer *out,
                             lpot_error *err) {
  char text[TEXT_SIZE];
  char when[40];
  LPOT_TRY(lpot_buffer_printf(out, err, "<table>\n<caption>The run</caption>\n"));
  LPOT_TRY(put_fact(out, "Model", ledger->header.model_path, err));
  LPOT_TRY(put_fact(out, "Configuration", ledger->header.config_name, err));
  LPOT_TRY(put_fact(out, "Engine", ledger->header.engine, err));
  if (ledger->num_sessions > 0) {
    lpot_clock_text(ledger->sessions[0].start, when, sizeof when);
    LPOT_TRY(put_fact(out, "Started", when, err));
  }
  if (ledger->has_baseline) {
    LPOT_TRY(put_baseline(ledger, job, out, err));
  }
  double elapsed = ledger->num_trials > 0 ? ledger->trials[ledger->num_trials - 1].elapsed : 0;
  snprintf(text, sizeof text, "%zu in %.1f s of search; %zu results that no trial asked for",
           ledger->num_trials, elapsed, lpot_ledger_num_speculative(ledger));
  LPOT_TRY(put_fact(out, "Trials", text, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</table>\n"));
  return LPOT_OK;
}

/* ---- ranges and hosts ---- */

static lpot_status put_range_table(const lpot_ledger_calibration *calibration, lpot_buffer *out,
                                   lpot_error *err) {
  static const lpot_report_column columns[] = {{"value", true},
                                               {"minimum", false},
                                               {"maximum", false},
                                               {"numbers", false},
                                               {"NaN or infinite", false}};
  LPOT_TRY(lpot_report_table_begin(out, "What the activations were in calibration", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < calibration->num_ranges && i < MAX_RANGES; i++) {
    const lpot_ledger_range *range = &calibration->ranges[i];
    LPOT_TRY(lpot_report_row_begin(out, range->value, false, err));
    LPOT_TRY(lpot_report_accuracy(out, (double)range->minimum, err));
    LPOT_TRY(lpot_report_accuracy(out, (double)range->maximum, err));
    LPOT_TRY(lpot_report_count(out, range->total, err));
    LPOT_TRY(lpot_report_count(out, range->bad, err));
    LPOT_TRY(lpot_report_row_end(out, err));
  }
  LPOT_TRY(lpot_report_table_end(out, err));
  return LPOT_OK;
}

static lpot_status put_ranges(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_report_heading(out, "ranges", "Activation ranges", err));
  if (ledger->num_calibrations == 0) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<p>Nothing was calibrated.</p>\n"));
    return LPOT_OK;
  }
  const lpot_ledger_calibration *calibration = &ledger->calibrations[ledger->num_calibrations - 1];
  LPOT_TRY(lpot_buffer_printf(
      out, err, "<details><summary>%zu values seen in %" PRId64 " calibration samples</summary>\n",
      calibration->num_ranges, calibration->key.samples));
  LPOT_TRY(put_range_table(calibration, out, err));
  LPOT_TRY(lpot_buffer_printf(
      out, err, "%s</details>\n",
      calibration->num_ranges > MAX_RANGES ? "<p>The others are in history.h5.</p>" : ""));
  return LPOT_OK;
}

/* The rank behind those from first on that are alike. */
static size_t end_of_alike(const lpot_ledger_session *session, size_t first) {
  const lpot_ledger_rank *rank = &session->ranks[first];
  size_t end = first + 1;
  while (end < session->num_ranks && strcmp(session->ranks[end].host, rank->host) == 0 &&
         strcmp(session->ranks[end].numeric_class, rank->numeric_class) == 0) {
    end++;
  }
  return end;
}

static lpot_status put_session(const lpot_ledger_session *session, lpot_buffer *out,
                               lpot_error *err) {
  char when[40];
  lpot_clock_text(session->start, when, sizeof when);
  for (size_t first = 0; first < session->num_ranks;) {
    size_t end = end_of_alike(session, first);
    LPOT_TRY(lpot_report_row_begin(out, when, false, err));
    LPOT_TRY(lpot_report_text(out, session->ranks[first].host, err));
    LPOT_TRY(lpot_report_count(out, end - first, err));
    LPOT_TRY(lpot_report_text(out, session->ranks[first].numeric_class, err));
    LPOT_TRY(lpot_report_row_end(out, err));
    first = end;
  }
  return LPOT_OK;
}

static lpot_status put_hosts(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  static const lpot_report_column columns[] = {
      {"start", true}, {"host", true}, {"workers", false}, {"numeric class", true}};
  LPOT_TRY(lpot_report_heading(out, "hosts", "Hosts", err));
  LPOT_TRY(lpot_report_table_begin(out, "Workers of each start, and how they compute", columns,
                                   sizeof columns / sizeof columns[0], err));
  for (size_t i = 0; i < ledger->num_sessions; i++) {
    LPOT_TRY(put_session(&ledger->sessions[i], out, err));
  }
  LPOT_TRY(lpot_report_table_end(out, err));
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
  LPOT_TRY(lpot_report_heading(out, "configuration", "Effective configuration", err));
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
      "<nav aria-label='Contents'><a href='#front'>Front</a><a href='#trials'>Trials</a>"
      "<a href='#ops'>Ops</a><a href='#sensitivity'>Sensitivity</a><a href='#times'>Times</a>"
      "<a href='#ranges'>Ranges</a><a href='#hosts'>Hosts</a>"
      "<a href='#configuration'>Configuration</a></nav>\n"));
  LPOT_TRY(put_facts(ledger, job, out, err));
  LPOT_TRY(lpot_report_front(ledger, job, out, err));
  LPOT_TRY(lpot_report_trials(ledger, job, out, err));
  LPOT_TRY(lpot_report_ops(ledger, job, out, err));
  LPOT_TRY(lpot_report_sensitivity(ledger, out, err));
  LPOT_TRY(lpot_report_times(ledger, out, err));
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
