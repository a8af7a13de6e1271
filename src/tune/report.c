#include "tune/report.h"

#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "tune/latency_stats.h"
#include "tune/pareto.h"
#include "tune/run.h"

#define EXIT_NOT_MET 5
#define EXIT_INTERRUPTED 6

int lpot_report_exit_code(const lpot_ledger *ledger) {
  static const int codes[LPOT_NUM_VERDICTS] = {[LPOT_VERDICT_NONE] = EXIT_INTERRUPTED,
                                               [LPOT_VERDICT_MET] = 0,
                                               [LPOT_VERDICT_NOT_MET] = EXIT_NOT_MET};
  return codes[ledger->verdict];
}

int lpot_report_flush(int exit_code) {
  if (fflush(stdout) == 0 && ferror(stdout) == 0) {
    return exit_code;
  }
  lpot_log(LPOT_LOG_ERROR, "standard output could not be written");
  return exit_code != 0 ? exit_code : 1;
}

/* A metric's value: fractions with six digits behind the point, very small ones as they are. */
static const char *value_text(double value, char text[32]) {
  bool small = value != 0 && fabs(value) < 1e-3;
  snprintf(text, 32, small ? "%.3e" : "%.6f", value);
  return text;
}

/* A relative loss in percent; a dash with a baseline of 0. */
static const char *loss_text(double loss, char text[32]) {
  if (isnan(loss)) {
    return "-";
  }
  snprintf(text, 32, "%.3f%%", 100 * loss);
  return text;
}

static void print_trial(const lpot_ledger *ledger, const lpot_ledger_trial *trial, FILE *out) {
  const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
  const char *mark = trial->id == ledger->chosen ? "*" : " ";
  fprintf(out, "%s%5" PRIu64 "  %-10s  %016" PRIx64 "  ", mark, trial->id,
          lpot_stage_text(trial->stage), result->recipe_hash);
  char value[32];
  char loss[32];
  if (result->status == LPOT_TRIAL_PRUNED) {
    char low[32];
    char high[32];
    fprintf(out, "%4zu  about %s [%s, %s], no after %" PRIu64 " samples\n",
            lpot_recipe_num_quantized(result->recipe), value_text(result->accuracy, value),
            value_text(result->interval.low, low), value_text(result->interval.high, high),
            result->samples);
    return;
  }
  if (result->status != LPOT_TRIAL_DONE) {
    fprintf(out, "%s: %s\n", lpot_trial_status_text(result->status), result->cause);
    return;
  }
  fprintf(out, "%4zu  %9s  %9s  %-5s", lpot_recipe_num_quantized(result->recipe),
          value_text(result->accuracy, value), loss_text(trial->relative_loss, loss),
          trial->meets ? "yes" : "no");
  if (trial->measured) {
    const lpot_latency *latency = &trial->latency;
    fprintf(out, "  %.4g [%.4g, %.4g]%s", latency->recipe_ms, latency->recipe_low_ms,
            latency->recipe_high_ms, latency->trusted ? "" : " UNTRUSTED");
  }
  fputc('\n', out);
}

static void print_exported(const lpot_ledger *ledger, const lpot_ledger_trial *trial, FILE *out) {
  const lpot_ledger_result *exported = lpot_ledger_exported_of(ledger, trial);
  if (exported == NULL) {
    return;
  }
  if (exported->status != LPOT_TRIAL_DONE) {
    fprintf(out, "Exported: bf16 ops in f32; that model's evaluation is %s: %s.\n",
            lpot_trial_status_text(exported->status), exported->cause);
    return;
  }
  char value[32];
  char loss[32];
  double relative = lpot_relative_loss(ledger->header.higher_is_better, ledger->baseline.accuracy,
                                       exported->accuracy);
  fprintf(out,
          "Exported: bf16 ops in f32, since ONNX Runtime runs no bf16 Conv; that model has "
          "accuracy %s, loss %s.\n",
          value_text(exported->accuracy, value), loss_text(relative, loss));
}

/* What the chosen trial does on samples that did not choose it. */
static void print_holdout(const lpot_ledger *ledger, FILE *out) {
  const lpot_ledger_holdout *f32 = lpot_ledger_find_holdout(ledger, 0);
  const lpot_ledger_holdout *chosen = lpot_ledger_chosen_holdout(ledger);
  if (f32 == NULL || chosen == NULL) {
    return;
  }
  char value[32];
  char baseline[32];
  char loss[32];
  fprintf(out, "Held out: %" PRIu64 " samples that the search has not seen; ", chosen->samples);
  if (f32->status != LPOT_TRIAL_DONE || chosen->status != LPOT_TRIAL_DONE) {
    fprintf(out, "f32 is %s, the trial is %s: %s%s\n", lpot_trial_status_text(f32->status),
            lpot_trial_status_text(chosen->status), f32->cause, chosen->cause);
    return;
  }
  fprintf(out, "accuracy %s (f32 %s), loss %s: the criterion %s there.\n",
          value_text(chosen->accuracy, value), value_text(f32->accuracy, baseline),
          loss_text(chosen->relative_loss, loss), chosen->meets ? "holds" : "does NOT hold");
  lpot_paired_loss paired;
  if (lpot_ledger_holdout_loss(ledger, chosen, &paired)) {
    fprintf(out,
            "          %" PRIu64 " right answers lost, %" PRIu64
            " gained: %.2f %% [%.2f, %.2f] of the samples\n",
            paired.lost, paired.gained, 100 * paired.loss, 100 * paired.low, 100 * paired.high);
  }
}

static void print_latency(const lpot_latency *latency, FILE *out) {
  char text[LPOT_REASON_SIZE + 128];
  lpot_latency_text(latency, text, sizeof text);
  fprintf(out, "Latency per sample: %.4g ms [%.4g, %.4g], f32 %.4g ms [%.4g, %.4g]: %s.\n",
          latency->recipe_ms, latency->recipe_low_ms, latency->recipe_high_ms, latency->f32_ms,
          latency->f32_low_ms, latency->f32_high_ms, text);
  if (lpot_latency_speed(latency) == LPOT_SPEED_SLOWER) {
    fputs("Note: f32 is faster here; where speed decides, deploy the f32 model as it is.\n", out);
  }
}

static void print_verdict(const lpot_ledger *ledger, FILE *out) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  if (trial == NULL) {
    fprintf(out, "Verdict: the criterion is NOT met; %s, there is no model.\n",
            ledger->num_trials == 0 ? "no trial was finished" : "all trials failed");
    return;
  }
  const lpot_ledger_result *result = lpot_ledger_final_of(ledger, trial);
  char value[32];
  char baseline[32];
  const char *verdict = "the criterion is NOT met, the best trial is handed out";
  if (lpot_ledger_chosen_meets(ledger)) {
    verdict = "the criterion is met";
  } else if (ledger->verdict == LPOT_VERDICT_MET) {
    verdict = "the criterion is NOT met; the trial is taken as it is (performance_only)";
  }
  fprintf(out, "Verdict: %s; trial %" PRIu64 " has accuracy %s (f32 %s), %zu of %zu ops in int8",
          verdict, trial->id, value_text(result->accuracy, value),
          value_text(ledger->baseline.accuracy, baseline),
          lpot_recipe_num_quantized(result->recipe), result->recipe->num_ops);
  if (lpot_recipe_num_bf16(result->recipe) > 0) {
    fprintf(out, ", %zu in bf16", lpot_recipe_num_bf16(result->recipe));
  }
  fputs(".\n", out);
  print_holdout(ledger, out);
  if (trial->measured) {
    print_latency(&trial->latency, out);
  }
  if (trial->footprint.bytes > 0 && ledger->f32_footprint.bytes > 0) {
    fprintf(out, "Memory while it runs: %.4g MiB, f32 %.4g MiB.\n",
            (double)trial->footprint.bytes / 0x1p20, (double)ledger->f32_footprint.bytes / 0x1p20);
  }
  print_exported(ledger, trial, out);
}

/* What the figures are not: see tuning.mixed_isa. */
static void print_classes(const lpot_ledger *ledger, FILE *out) {
  if (ledger->reduce_range) {
    fputs("Weights: 7 bits, so that processors without VNNI do not saturate.\n", out);
  }
  if (!lpot_ledger_is_uniform(ledger)) {
    fputs("Workers: of different numeric classes, bit equality is off (/ranks in the history).\n",
          out);
  }
}

void lpot_report_print(const lpot_ledger *ledger, const char *workspace, FILE *out) {
  char baseline[32];
  if (ledger->has_baseline) {
    fprintf(out, "f32 baseline: accuracy %s on %" PRIu64 " samples\n",
            value_text(ledger->baseline.accuracy, baseline), ledger->baseline.state.samples);
  } else {
    fprintf(out, "f32 baseline: not finished\n");
  }
  fprintf(out, " trial  stage       recipe            int8   accuracy      loss  meets  latency "
               "ms/sample\n");
  for (size_t i = 0; i < ledger->num_trials; i++) {
    print_trial(ledger, &ledger->trials[i], out);
  }
  if (ledger->verdict == LPOT_VERDICT_NONE) {
    fprintf(out, "Unfinished: go on with --resume.\n");
  } else {
    print_verdict(ledger, out);
  }
  print_classes(ledger, out);
  if (ledger->chosen != LPOT_NO_TRIAL) {
    fprintf(out, "Model:   %s/best_model.onnx (recipe %s/best_recipe.yaml, %s/deploy.yaml)\n",
            workspace, workspace, workspace);
  }
  fprintf(out, "History: %s/history.h5\nReport:  %s/report.html\n", workspace, workspace);
}

/* Appends "folder/name" to json, or null. */
static lpot_status set_path(lpot_json *json, const char *key, const char *folder, const char *name,
                            lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(folder, name, &path, err);
  if (status == LPOT_OK) {
    status = lpot_json_set_string(json, key, (const char *)path.data, err);
  }
  lpot_buffer_done(&path);
  return status;
}

/* latency: NULL when it was not measured. What is not trusted has figures, and a reason. */
static lpot_status set_speedup(lpot_json *json, const lpot_latency *latency, lpot_error *err) {
  const double unknown = (double)NAN;
  bool known = latency != NULL;
  LPOT_TRY(lpot_json_set_double(json, "speedup", known ? latency->speedup : unknown, err));
  LPOT_TRY(lpot_json_set_double(json, "speedup_low", known ? latency->speedup_low : unknown, err));
  LPOT_TRY(
      lpot_json_set_double(json, "speedup_high", known ? latency->speedup_high : unknown, err));
  LPOT_TRY(lpot_json_set_bool(json, "latency_trusted", known && latency->trusted, err));
  LPOT_TRY(lpot_json_set_string(json, "latency_reason",
                                known && !latency->trusted ? latency->reason : NULL, err));
  return LPOT_OK;
}

/* null where it is not known. */
static lpot_status set_bytes(lpot_json *json, const char *key, uint64_t bytes, lpot_error *err) {
  lpot_status status = bytes == 0 ? lpot_json_set_string(json, key, NULL, err)
                                  : lpot_json_set_int(json, key, (int64_t)bytes, err);
  return status;
}

/* One member of the front; a latency that is not trusted has a figure, and says so. */
static lpot_status append_member(lpot_json *json, const lpot_ledger *ledger,
                                 const lpot_ledger_trial *trial, lpot_error *err) {
  lpot_json *item = NULL;
  LPOT_TRY(lpot_json_new(&item, err));
  const lpot_latency *latency = trial->measured ? &trial->latency : NULL;
  lpot_status status = lpot_json_set_int(item, "trial", (int64_t)trial->id, err);
  if (status == LPOT_OK) {
    status =
        lpot_json_set_double(item, "accuracy", lpot_ledger_final_of(ledger, trial)->accuracy, err);
  }
  if (status == LPOT_OK) {
    status = lpot_json_set_double(item, "latency_ms",
                                  latency != NULL ? latency->recipe_ms : (double)NAN, err);
  }
  if (status == LPOT_OK) {
    status = set_speedup(item, latency, err);
  }
  if (status == LPOT_OK) {
    status = set_bytes(item, "size_bytes", trial->size_bytes, err);
  }
  if (status == LPOT_OK) {
    status = set_bytes(item, "footprint_bytes", trial->footprint.bytes, err);
  }
  if (status == LPOT_OK) {
    status = lpot_json_set_bool(item, "meets", trial->meets, err);
  }
  if (status != LPOT_OK) {
    lpot_json_free(item);
    return status;
  }
  LPOT_TRY(lpot_json_append(json, "pareto", &item, err));
  return LPOT_OK;
}

lpot_status lpot_report_pareto(lpot_json *json, const lpot_ledger *ledger, lpot_error *err) {
  lpot_pareto_row *front = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_pareto_of(ledger, &front, &count, err));
  lpot_status status = lpot_json_set_list(json, "pareto", err);
  for (size_t i = 0; i < count && status == LPOT_OK; i++) {
    status = append_member(json, ledger, lpot_ledger_find_trial(ledger, front[i].trial), err);
  }
  lpot_free(front);
  return status;
}

/* All of it is null where nothing is held out. */
static lpot_status set_holdout(lpot_json *json, const lpot_ledger *ledger, lpot_error *err) {
  const double unknown = (double)NAN;
  const lpot_ledger_holdout *f32 = lpot_ledger_find_holdout(ledger, 0);
  const lpot_ledger_holdout *chosen = lpot_ledger_chosen_holdout(ledger);
  lpot_ledger_holdout none = {.accuracy = unknown, .relative_loss = unknown};
  lpot_paired_loss paired = {.loss = unknown, .low = unknown, .high = unknown};
  bool known = f32 != NULL && chosen != NULL;
  const lpot_ledger_holdout *shown = known ? chosen : &none;
  (void)lpot_ledger_holdout_loss(ledger, shown, &paired); /* else it stays unknown */
  LPOT_TRY(lpot_json_set_string(json, "holdout",
                                known ? lpot_trial_status_text(chosen->status) : NULL, err));
  if (known) {
    LPOT_TRY(lpot_json_set_bool(json, "holdout_meets", chosen->meets, err));
  } else {
    LPOT_TRY(lpot_json_set_string(json, "holdout_meets", NULL, err));
  }
  LPOT_TRY(lpot_json_set_int(json, "holdout_samples", (int64_t)shown->samples, err));
  LPOT_TRY(lpot_json_set_double(json, "holdout_baseline_accuracy", known ? f32->accuracy : unknown,
                                err));
  LPOT_TRY(lpot_json_set_double(json, "holdout_accuracy", shown->accuracy, err));
  LPOT_TRY(lpot_json_set_double(json, "holdout_relative_loss", shown->relative_loss, err));
  LPOT_TRY(lpot_json_set_double(json, "holdout_right_loss", paired.loss, err));
  LPOT_TRY(lpot_json_set_double(json, "holdout_right_loss_low", paired.low, err));
  LPOT_TRY(lpot_json_set_double(json, "holdout_right_loss_high", paired.high, err));
  return LPOT_OK;
}

static lpot_status fill_json(lpot_json *json, const lpot_ledger *ledger, const char *workspace,
                             int exit_code, lpot_error *err) {
  const double unknown = (double)NAN;
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  const lpot_ledger_result *result = trial == NULL ? NULL : lpot_ledger_final_of(ledger, trial);
  const lpot_ledger_result *exported =
      trial == NULL ? NULL : lpot_ledger_exported_of(ledger, trial);
  bool measured = trial != NULL && trial->measured;
  char hash[17] = "";
  if (result != NULL) {
    snprintf(hash, sizeof hash, "%016" PRIx64, result->recipe_hash);
  }
  LPOT_TRY(lpot_json_set_string(json, "verdict", lpot_verdict_text(ledger->verdict), err));
  LPOT_TRY(lpot_json_set_int(json, "exit_code", exit_code, err));
  LPOT_TRY(lpot_json_set_bool(json, "meets", lpot_ledger_chosen_meets(ledger), err));
  LPOT_TRY(lpot_json_set_double(json, "baseline_accuracy",
                                ledger->has_baseline ? ledger->baseline.accuracy : unknown, err));
  LPOT_TRY(
      lpot_json_set_double(json, "accuracy", result == NULL ? unknown : result->accuracy, err));
  LPOT_TRY(lpot_json_set_double(json, "exported_accuracy",
                                exported == NULL ? unknown : exported->accuracy, err));
  LPOT_TRY(lpot_json_set_double(
      json, "relative_loss", trial == NULL ? unknown : lpot_ledger_final_loss(ledger, trial), err));
  LPOT_TRY(set_holdout(json, ledger, err));
  LPOT_TRY(lpot_json_set_int(json, "trials", (int64_t)ledger->num_trials, err));
  LPOT_TRY(
      lpot_json_set_double(json, "latency_ms", measured ? trial->latency.recipe_ms : unknown, err));
  LPOT_TRY(lpot_json_set_double(json, "baseline_latency_ms",
                                measured ? trial->latency.f32_ms : unknown, err));
  LPOT_TRY(set_speedup(json, measured ? &trial->latency : NULL, err));
  LPOT_TRY(set_bytes(json, "footprint_bytes", trial == NULL ? 0 : trial->footprint.bytes, err));
  LPOT_TRY(set_bytes(json, "baseline_footprint_bytes", ledger->f32_footprint.bytes, err));
  LPOT_TRY(lpot_report_pareto(json, ledger, err));
  LPOT_TRY(lpot_json_set_bool(json, "reduce_range", ledger->reduce_range, err));
  LPOT_TRY(lpot_json_set_bool(json, "bit_equality", lpot_ledger_is_uniform(ledger), err));
  LPOT_TRY(lpot_json_set_string(json, "recipe_hash", result == NULL ? NULL : hash, err));
  if (trial == NULL) {
    LPOT_TRY(lpot_json_set_string(json, "model", NULL, err));
  } else {
    LPOT_TRY(set_path(json, "model", workspace, "best_model.onnx", err));
  }
  LPOT_TRY(set_path(json, "history", workspace, "history.h5", err));
  return LPOT_OK;
}

lpot_status lpot_report_json(const lpot_ledger *ledger, const char *workspace, int exit_code,
                             FILE *out, lpot_error *err) {
  lpot_json *json = NULL;
  LPOT_TRY(lpot_json_new(&json, err));
  lpot_status status = fill_json(json, ledger, workspace, exit_code, err);
  if (status == LPOT_OK) {
    status = lpot_json_print(json, out, err);
  }
  lpot_json_free(json);
  return status;
}
