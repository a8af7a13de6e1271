#include "tune/status.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/yaml_tree.h"
#include "tune/config.h"
#include "tune/ranking.h"
#include "tune/report.h"
#include "tune/run.h"
#include "tune/tune.h"

/* ---- reading ---- */

void lpot_job_view_init(lpot_job_view *view) {
  *view = (lpot_job_view){.max_trials = -1,
                          .objectives = lpot_objectives_of(LPOT_OBJECTIVE_PERFORMANCE)};
  lpot_ledger_init(&view->ledger);
}

void lpot_job_view_done(lpot_job_view *view) {
  lpot_ledger_done(&view->ledger);
}

static double elapsed(const lpot_ledger *ledger) {
  return ledger->num_trials == 0 ? 0 : ledger->trials[ledger->num_trials - 1].elapsed;
}

/* An lpot_journal_visitor that also notes where the last session begins. */
static lpot_status take_record(void *context, unsigned type, const uint8_t *payload, size_t size,
                               lpot_error *err) {
  lpot_job_view *view = context;
  LPOT_TRY(lpot_ledger_apply(&view->ledger, type, payload, size, err));
  if (type == LPOT_RECORD_SESSION) {
    view->trials_before = view->ledger.num_trials;
    view->elapsed_before = elapsed(&view->ledger);
  }
  return LPOT_OK;
}

/* A single objective that cannot be read stays the default. */
static void read_objective(lpot_job_view *view, const lpot_yaml_node *root) {
  bool is_map = root != NULL && root->kind == LPOT_YAML_MAP;
  const lpot_yaml_node *tuning = is_map ? lpot_yaml_get(root, "tuning") : NULL;
  is_map = tuning != NULL && tuning->kind == LPOT_YAML_MAP;
  const lpot_yaml_node *objective = is_map ? lpot_yaml_get(tuning, "objective") : NULL;
  if (objective != NULL) {
    (void)!lpot_config_objective(objective, &view->objectives, NULL);
  }
}

/* The limits in the effective configuration; what cannot be read stays unknown. */
static void read_limits(lpot_job_view *view) {
  const char *text = view->ledger.header.config_text;
  lpot_yaml *yaml = NULL;
  if (lpot_yaml_parse(LPOT_JOURNAL_NAME, text, strlen(text), &yaml, NULL) != LPOT_OK) {
    return;
  }
  static const char *const path[] = {"tuning", "exit_policy"};
  const lpot_yaml_node *policy = lpot_yaml_root(yaml);
  for (size_t i = 0; i < sizeof path / sizeof path[0] && policy != NULL; i++) {
    policy = policy->kind == LPOT_YAML_MAP ? lpot_yaml_get(policy, path[i]) : NULL;
  }
  if (policy != NULL && policy->kind == LPOT_YAML_MAP) {
    const lpot_yaml_node *trials = lpot_yaml_get(policy, "max_trials");
    const lpot_yaml_node *timeout = lpot_yaml_get(policy, "timeout");
    if (trials == NULL || lpot_yaml_int(trials, 0, INT64_MAX, &view->max_trials, NULL) != LPOT_OK) {
      view->max_trials = -1;
    }
    if (timeout == NULL || lpot_yaml_double(timeout, &view->timeout_seconds, NULL) != LPOT_OK) {
      view->timeout_seconds = 0;
    }
  }
  read_objective(view, lpot_yaml_root(yaml));
  lpot_yaml_free(yaml);
}

/* Limits may change from start to start: those of the last one hold. */
static void take_limits(lpot_job_view *view) {
  const lpot_ledger *ledger = &view->ledger;
  read_limits(view);
  if (ledger->num_sessions > 0 && ledger->sessions[ledger->num_sessions - 1].max_trials > 0) {
    view->max_trials = ledger->sessions[ledger->num_sessions - 1].max_trials;
    view->timeout_seconds = ledger->sessions[ledger->num_sessions - 1].timeout_seconds;
  }
  if (view->ledger.header.given_recipe != 0) {
    view->max_trials = 1; /* --recipe */
  }
}

static lpot_status read_file(lpot_job_view *view, const char *path, lpot_error *err) {
  struct stat information;
  /* The lock first: a job that ends meanwhile is then shown as running with all its records. */
  LPOT_TRY(lpot_journal_in_use(path, &view->running, err));
  LPOT_TRY(lpot_journal_read(path, take_record, view, err));
  if (stat(path, &information) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "file '%s': %s", path, strerror(errno));
  }
  double written = (double)information.st_mtim.tv_sec + 1e-9 * (double)information.st_mtim.tv_nsec;
  double silent = lpot_clock_wall() - written;
  view->silent_seconds = silent > 0 ? silent : 0; /* Clocks of two machines may differ. */
  if (view->ledger.has_header) {
    take_limits(view);
    bool found = stat(view->ledger.header.model_path, &information) == 0;
    view->ledger.f32_bytes = found ? (uint64_t)information.st_size : 0;
  }
  return LPOT_OK;
}

lpot_status lpot_job_view_read(lpot_job_view *view, const char *workspace, lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(workspace, LPOT_JOURNAL_NAME, &path, err);
  if (status == LPOT_OK) {
    status = read_file(view, (const char *)path.data, err);
  }
  lpot_buffer_done(&path);
  return status;
}

/* ---- what follows from it ---- */

size_t lpot_job_view_count(const lpot_job_view *view, lpot_trial_status status) {
  size_t count = 0;
  for (size_t i = 0; i < view->ledger.num_trials; i++) {
    const lpot_ledger_trial *trial = &view->ledger.trials[i];
    count += lpot_ledger_result_of(&view->ledger, trial)->status == status ? 1 : 0;
  }
  return count;
}

const lpot_ledger_trial *lpot_job_view_best(const lpot_job_view *view) {
  const lpot_ledger *ledger = &view->ledger;
  const lpot_ledger_trial *best = NULL;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_result *result = lpot_ledger_final_of(ledger, &ledger->trials[i]);
    double best_accuracy =
        best == NULL ? (double)NAN : lpot_ledger_final_of(ledger, best)->accuracy;
    bool better = ledger->header.higher_is_better ? result->accuracy > best_accuracy
                                                  : result->accuracy < best_accuracy;
    if (result->status == LPOT_TRIAL_DONE && (best == NULL || better)) {
      best = &ledger->trials[i];
    }
  }
  return best;
}

/* An lpot_accept_function. */
static bool is_accepted(const void *context, const lpot_ledger_trial *trial) {
  (void)context;
  return trial->meets;
}

const lpot_ledger_trial *lpot_job_view_accepted(const lpot_job_view *view) {
  const lpot_ledger *ledger = &view->ledger;
  if (lpot_ledger_chosen_meets(ledger)) {
    return lpot_ledger_find_trial(ledger, ledger->chosen);
  }
  if (view->timeout_seconds > 0 ||
      lpot_objectives_are(&view->objectives, LPOT_OBJECTIVE_ACCURACY)) {
    return lpot_ranking_best(ledger, &view->objectives, is_accepted, NULL);
  }
  for (size_t i = 0; i < ledger->num_trials; i++) {
    if (ledger->trials[i].meets) {
      return &ledger->trials[i];
    }
  }
  return NULL;
}

static double rate_of(size_t trials, double seconds) {
  return trials > 0 && seconds > 0 ? 60.0 * (double)trials / seconds : (double)NAN;
}

double lpot_job_view_rate(const lpot_job_view *view) {
  return rate_of(view->ledger.num_trials, elapsed(&view->ledger));
}

double lpot_job_view_session_rate(const lpot_job_view *view) {
  return rate_of(view->ledger.num_trials - view->trials_before,
                 elapsed(&view->ledger) - view->elapsed_before);
}

double lpot_job_view_bound(const lpot_job_view *view) {
  const lpot_ledger *ledger = &view->ledger;
  if (!ledger->has_header || (ledger->verdict != LPOT_VERDICT_NONE && !view->running)) {
    return (double)NAN;
  }
  double rate = lpot_job_view_session_rate(view);
  rate = isnan(rate) ? lpot_job_view_rate(view) : rate;
  int64_t left = view->max_trials - (int64_t)ledger->num_trials;
  double bound = view->max_trials < 0 ? (double)NAN : 60.0 * (double)(left > 0 ? left : 0) / rate;
  if (view->timeout_seconds > 0) {
    double by_clock = view->timeout_seconds - elapsed(ledger);
    bound = fmin(bound, by_clock > 0 ? by_clock : 0); /* fmin passes over NaN. */
  }
  return bound;
}

/* Ranks of the session on host from rank index first on. */
static size_t ranks_on(const lpot_ledger_session *session, size_t first, const char *host) {
  size_t count = 0;
  for (size_t i = first; i < session->num_ranks; i++) {
    count += strcmp(session->ranks[i].host, host) == 0 ? 1 : 0;
  }
  return count;
}

/* "node1: 16, node2: 16": workers of the last session by host, in the order of ranks. */
static lpot_status put_hosts(const lpot_ledger *ledger, lpot_buffer *out, lpot_error *err) {
  const lpot_ledger_session none = {0};
  const lpot_ledger_session *session =
      ledger->num_sessions > 0 ? &ledger->sessions[ledger->num_sessions - 1] : &none;
  for (size_t i = 0; i < session->num_ranks; i++) {
    const char *host = session->ranks[i].host;
    size_t count = ranks_on(session, i, host);
    if (count < ranks_on(session, 0, host)) {
      continue; /* It has come before. */
    }
    LPOT_TRY(lpot_buffer_printf(out, err, "%s%s: %zu", out->size > 0 ? ", " : "", host, count));
  }
  LPOT_TRY(lpot_buffer_terminate(out, err));
  return LPOT_OK;
}

/* ---- as text ---- */

static void print_sessions(const lpot_ledger *ledger, FILE *out) {
  if (ledger->num_sessions == 0) {
    return;
  }
  const lpot_ledger_session *last = &ledger->sessions[ledger->num_sessions - 1];
  char when[40];
  lpot_clock_text(ledger->sessions[0].start, when, sizeof when);
  fprintf(out, "Started:    %s", when);
  if (ledger->num_sessions > 1) {
    lpot_clock_text(last->start, when, sizeof when);
    fprintf(out, "; %zu sessions, the last %s", ledger->num_sessions, when);
  }
  fputc('\n', out);
  lpot_buffer hosts;
  lpot_buffer_init(&hosts);
  if (put_hosts(ledger, &hosts, NULL) == LPOT_OK) {
    fprintf(out, "Workers:    %zu (%s)\n", last->num_ranks, (const char *)hosts.data);
  }
  lpot_buffer_done(&hosts);
  if (lpot_ledger_num_lost(ledger) > 0) {
    fprintf(out, "Lost:       %zu of these workers\n", lpot_ledger_num_lost(ledger));
  }
  if (!lpot_ledger_is_uniform(ledger) || ledger->reduce_range) {
    fprintf(out, "Classes:    bit equality is %s%s\n",
            lpot_ledger_is_uniform(ledger) ? "on" : "off",
            ledger->reduce_range ? ", weights have 7 bits" : "");
  }
  if (ledger->num_mishaps > 0) {
    const lpot_ledger_mishap *mishap = &ledger->mishaps[ledger->num_mishaps - 1];
    fprintf(out, "Mishaps:    %zu, the last: %s of rank %d on %s: %s\n", ledger->num_mishaps,
            lpot_mishap_text(mishap->kind), mishap->rank, mishap->host, mishap->cause);
  }
}

static void print_counts(const lpot_job_view *view, FILE *out) {
  fprintf(out, "Trials:     %zu", view->ledger.num_trials);
  if (view->max_trials >= 0) {
    fprintf(out, " of at most %" PRId64, view->max_trials);
  }
  const char *separator = ": ";
  for (int i = 0; i < LPOT_NUM_TRIAL_STATUSES; i++) {
    lpot_trial_status status = (lpot_trial_status)i;
    size_t count = lpot_job_view_count(view, status);
    if (count > 0 || status == LPOT_TRIAL_DONE) {
      fprintf(out, "%s%zu %s", separator, count, lpot_trial_status_text(status));
      separator = ", ";
    }
  }
  fprintf(out, "; %zu speculative results\n", lpot_ledger_num_speculative(&view->ledger));
}

static void print_trial_line(const lpot_ledger *ledger, const char *title,
                             const lpot_ledger_trial *trial, FILE *out) {
  if (trial == NULL) {
    fprintf(out, "%-11s none yet\n", title);
    return;
  }
  fprintf(out, "%-11s trial %" PRIu64 ", accuracy %.6g, relative loss %.3f%%", title, trial->id,
          lpot_ledger_final_of(ledger, trial)->accuracy,
          100 * lpot_ledger_final_loss(ledger, trial));
  if (trial->measured) {
    fprintf(out, ", %.4g ms%s", trial->latency.recipe_ms,
            trial->latency.trusted ? "" : " (UNTRUSTED)");
  }
  fputc('\n', out);
}

static void print_speed(const lpot_job_view *view, FILE *out) {
  double session = lpot_job_view_session_rate(view);
  double overall = lpot_job_view_rate(view);
  double bound = lpot_job_view_bound(view);
  if (isnan(overall)) {
    return;
  }
  fprintf(out, "Rate:       %.3g trials per minute", overall);
  if (!isnan(session)) {
    fprintf(out, ", %.3g in the last session", session);
  }
  if (!isnan(bound)) {
    fprintf(out, "; at most %.3g minutes of search left", bound / 60.0);
  }
  fputc('\n', out);
}

void lpot_job_view_print(const lpot_job_view *view, FILE *out) {
  const lpot_ledger *ledger = &view->ledger;
  fprintf(out, "State:      %s, last record written %.0f s ago\n",
          view->running ? "running" : "not running", view->silent_seconds);
  if (!ledger->has_header) {
    fputs("Nothing is recorded yet.\n", out);
    return;
  }
  fprintf(out, "Model:      %s\nConfigured: %s\n", ledger->header.model_path,
          ledger->header.config_name);
  print_sessions(ledger, out);
  if (ledger->has_baseline) {
    fprintf(out, "Baseline:   accuracy %.6g on %" PRIu64 " samples\n", ledger->baseline.accuracy,
            ledger->baseline.state.samples);
  } else {
    fputs("Baseline:   not finished\n", out);
  }
  print_counts(view, out);
  print_trial_line(ledger, "Best:", lpot_job_view_best(view), out);
  print_trial_line(ledger, "Accepted:", lpot_job_view_accepted(view), out);
  if (ledger->chosen != LPOT_NO_TRIAL) {
    print_trial_line(ledger, "Chosen:", lpot_ledger_find_trial(ledger, ledger->chosen), out);
  }
  print_speed(view, out);
  fprintf(out, "Verdict:    %s\n", lpot_verdict_text(ledger->verdict));
}

/* ---- as JSON ---- */

static lpot_status set_job(lpot_json *json, const lpot_job_view *view, lpot_error *err) {
  const lpot_ledger *ledger = &view->ledger;
  const double unknown = (double)NAN;
  size_t count = ledger->num_sessions;
  const lpot_ledger_session *last = count == 0 ? NULL : &ledger->sessions[count - 1];
  LPOT_TRY(lpot_json_set_bool(json, "running", view->running, err));
  LPOT_TRY(lpot_json_set_double(json, "silent_seconds", view->silent_seconds, err));
  LPOT_TRY(lpot_json_set_string(json, "model", ledger->header.model_path, err));
  LPOT_TRY(lpot_json_set_string(json, "configuration", ledger->header.config_name, err));
  LPOT_TRY(
      lpot_json_set_double(json, "started", count == 0 ? unknown : ledger->sessions[0].start, err));
  LPOT_TRY(lpot_json_set_int(json, "sessions", (int64_t)count, err));
  LPOT_TRY(
      lpot_json_set_double(json, "session_started", last == NULL ? unknown : last->start, err));
  LPOT_TRY(lpot_json_set_int(json, "workers", last == NULL ? 0 : (int64_t)last->num_ranks, err));
  lpot_buffer hosts;
  lpot_buffer_init(&hosts);
  lpot_status status = put_hosts(ledger, &hosts, err);
  if (status == LPOT_OK) {
    status = lpot_json_set_string(json, "hosts", (const char *)hosts.data, err);
  }
  lpot_buffer_done(&hosts);
  LPOT_TRY(status);
  LPOT_TRY(lpot_json_set_double(json, "baseline_accuracy",
                                ledger->has_baseline ? ledger->baseline.accuracy : unknown, err));
  return LPOT_OK;
}

static lpot_status set_trials(lpot_json *json, const lpot_job_view *view, lpot_error *err) {
  static const char *const keys[LPOT_NUM_TRIAL_STATUSES] = {
      [LPOT_TRIAL_DONE] = "done",       [LPOT_TRIAL_INVALID] = "invalid",
      [LPOT_TRIAL_CRASHED] = "crashed", [LPOT_TRIAL_PRUNED] = "pruned",
      [LPOT_TRIAL_TIMEOUT] = "timeout", [LPOT_TRIAL_LOST] = "lost"};
  const lpot_ledger *ledger = &view->ledger;
  LPOT_TRY(lpot_json_set_int(json, "trials", (int64_t)ledger->num_trials, err));
  for (int i = 0; i < LPOT_NUM_TRIAL_STATUSES; i++) {
    size_t count = lpot_job_view_count(view, (lpot_trial_status)i);
    LPOT_TRY(lpot_json_set_int(json, keys[i], (int64_t)count, err));
  }
  LPOT_TRY(lpot_json_set_bool(json, "reduce_range", ledger->reduce_range, err));
  LPOT_TRY(lpot_json_set_bool(json, "bit_equality", lpot_ledger_is_uniform(ledger), err));
  LPOT_TRY(lpot_json_set_int(json, "lost_workers", (int64_t)lpot_ledger_num_lost(ledger), err));
  LPOT_TRY(lpot_json_set_int(json, "mishaps", (int64_t)ledger->num_mishaps, err));
  LPOT_TRY(lpot_json_set_int(json, "speculative_results",
                             (int64_t)lpot_ledger_num_speculative(ledger), err));
  if (view->max_trials < 0) {
    LPOT_TRY(lpot_json_set_string(json, "max_trials", NULL, err));
  } else {
    LPOT_TRY(lpot_json_set_int(json, "max_trials", view->max_trials, err));
  }
  return LPOT_OK;
}

/* Sets NAME_trial (0: none), NAME_accuracy and NAME_latency_ms. */
static lpot_status set_trial(lpot_json *json, const lpot_ledger *ledger, const char *const keys[3],
                             const lpot_ledger_trial *trial, lpot_error *err) {
  const double unknown = (double)NAN;
  bool measured = trial != NULL && trial->measured;
  double accuracy = trial == NULL ? unknown : lpot_ledger_final_of(ledger, trial)->accuracy;
  LPOT_TRY(
      lpot_json_set_int(json, keys[0], trial == NULL ? LPOT_NO_TRIAL : (int64_t)trial->id, err));
  LPOT_TRY(lpot_json_set_double(json, keys[1], accuracy, err));
  LPOT_TRY(lpot_json_set_double(json, keys[2], measured ? trial->latency.recipe_ms : unknown, err));
  return LPOT_OK;
}

static lpot_status fill_json(lpot_json *json, const lpot_job_view *view, lpot_error *err) {
  static const char *const best[3] = {"best_trial", "best_accuracy", "best_latency_ms"};
  static const char *const accepted[3] = {"accepted_trial", "accepted_accuracy",
                                          "accepted_latency_ms"};
  const lpot_ledger *ledger = &view->ledger;
  LPOT_TRY(set_job(json, view, err));
  LPOT_TRY(set_trials(json, view, err));
  LPOT_TRY(set_trial(json, ledger, best, lpot_job_view_best(view), err));
  LPOT_TRY(set_trial(json, ledger, accepted, lpot_job_view_accepted(view), err));
  LPOT_TRY(lpot_report_pareto(json, ledger, err));
  LPOT_TRY(lpot_json_set_double(json, "trials_per_minute", lpot_job_view_rate(view), err));
  LPOT_TRY(lpot_json_set_double(json, "session_trials_per_minute", lpot_job_view_session_rate(view),
                                err));
  LPOT_TRY(lpot_json_set_double(json, "at_most_seconds_left", lpot_job_view_bound(view), err));
  LPOT_TRY(lpot_json_set_string(json, "verdict", lpot_verdict_text(ledger->verdict), err));
  LPOT_TRY(lpot_json_set_int(json, "chosen_trial", (int64_t)ledger->chosen, err));
  return LPOT_OK;
}

lpot_status lpot_job_view_json(const lpot_job_view *view, FILE *out, lpot_error *err) {
  lpot_json *json = NULL;
  LPOT_TRY(lpot_json_new(&json, err));
  lpot_status status = fill_json(json, view, err);
  if (status == LPOT_OK) {
    status = lpot_json_print(json, out, err);
  }
  lpot_json_free(json);
  return status;
}

/* ---- the command ---- */

int lpot_tune_status(const char *workspace, bool json) {
  lpot_error error = {0};
  lpot_job_view view;
  lpot_job_view_init(&view);
  lpot_status status = lpot_job_view_read(&view, workspace, &error);
  if (status == LPOT_OK && json) {
    status = lpot_job_view_json(&view, stdout, &error);
  } else if (status == LPOT_OK) {
    lpot_job_view_print(&view, stdout);
  }
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_job_view_done(&view);
  return lpot_report_flush(status == LPOT_OK ? 0 : 1);
}
