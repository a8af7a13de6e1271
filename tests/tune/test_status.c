#include "tune/tune_fixture.h"

#include <math.h>

#include "tune/report.h"
#include "tune/status.h"

/* A job in a workspace of its own, and what is seen of it. */
typedef struct job {
  char workspace[PATH_SIZE];
  char path[PATH_SIZE]; /* of the journal */
  lpot_ledger ledger;
  lpot_journal *journal; /* NULL: it does not run */
  lpot_job_view view;
} job;

static void make_workspace(const temp_folder *folder, const char *name, job *self) {
  *self = (job){.journal = NULL};
  lpot_ledger_init(&self->ledger);
  lpot_job_view_init(&self->view);
  temp_path(folder, name, self->workspace);
  assert_int_equal(mkdir(self->workspace, 0700), 0);
  assert_true(snprintf(self->path, PATH_SIZE, "%s/%s", self->workspace, LPOT_JOURNAL_NAME) <
              PATH_SIZE);
}

static void look(job *self) {
  lpot_job_view_done(&self->view);
  lpot_job_view_init(&self->view);
  assert_int_equal(lpot_job_view_read(&self->view, self->workspace, NULL), LPOT_OK);
}

static void stop(job *self) {
  lpot_journal_close(self->journal);
  self->journal = NULL;
}

static void remove_job(job *self) {
  lpot_job_view_done(&self->view);
  stop(self);
  lpot_ledger_done(&self->ledger);
  assert_int_equal(remove(self->path), 0);
  assert_int_equal(remove(self->workspace), 0);
}

/* What is printed of the view, as text and as JSON. */
static void print_view(const job *self, char text[4096], char json[4096]) {
  memset(text, 0, 4096);
  memset(json, 0, 4096);
  FILE *memory = fmemopen(text, 4095, "w");
  lpot_job_view_print(&self->view, memory);
  fclose(memory);
  memory = fmemopen(json, 4095, "w");
  assert_int_equal(lpot_job_view_json(&self->view, memory, NULL), LPOT_OK);
  fclose(memory);
}

static void add_session(lpot_ledger *ledger, lpot_journal *journal, double start) {
  lpot_ledger_rank ranks[3] = {
      {.rank = 1, .host = "a"}, {.rank = 2, .host = "b"}, {.rank = 3, .host = "a"}};
  lpot_ledger_session session = {.start = start, .num_ranks = 3, .ranks = ranks};
  assert_int_equal(lpot_ledger_add_session(ledger, journal, &session, NULL), LPOT_OK);
}

static void add_trial(lpot_ledger *ledger, lpot_journal *journal, double accuracy, double seconds,
                      bool meets) {
  uint64_t id = ledger->num_trials + 1;
  lpot_ledger_result result = {.recipe = make_recipe(2, 100 + (int64_t)id),
                               .status = LPOT_TRIAL_DONE,
                               .accuracy = accuracy,
                               .host = "a",
                               .cause = ""};
  assert_int_equal(lpot_ledger_add_result(ledger, journal, &result, NULL), LPOT_OK);
  lpot_recipe_free(result.recipe);
  lpot_ledger_trial trial = {.id = id,
                             .result = ledger->num_results - 1,
                             .meets = meets,
                             .elapsed = seconds,
                             .size_bytes = 1};
  assert_int_equal(lpot_ledger_add_commit(ledger, journal, &trial, NULL), LPOT_OK);
}

/* Header and baseline of a journal. */
static void begin(job *self, const lpot_ledger_header *header) {
  assert_int_equal(
      lpot_journal_open(self->path, true, lpot_ledger_apply, &self->ledger, &self->journal, NULL),
      LPOT_OK);
  assert_int_equal(lpot_ledger_add_header(&self->ledger, self->journal, header, NULL), LPOT_OK);
  lpot_ledger_baseline baseline = {.accuracy = 0.875, .state = {.samples = 8, .correct = 7}};
  assert_int_equal(lpot_ledger_add_baseline(&self->ledger, self->journal, &baseline, NULL),
                   LPOT_OK);
}

/* Two sessions: 2 trials in 120 s, then 3 in 60 s. */
static void write_job(job *self, const char *config_text) {
  lpot_ledger *ledger = &self->ledger;
  lpot_ledger_header header = make_header();
  header.config_text = (char *)config_text;
  begin(self, &header);
  lpot_journal *journal = self->journal;
  add_session(ledger, journal, 1e9);
  add_trial(ledger, journal, 0.5, 60, false);
  add_trial(ledger, journal, 0.75, 120, false);
  add_session(ledger, journal, 2e9);
  add_trial(ledger, journal, 0.8, 140, true);
  add_trial(ledger, journal, 0.85, 160, true);
  add_trial(ledger, journal, 0.7, 180, false);
}

static const char limits[] = "tuning:\n  exit_policy:\n    timeout: 0\n    max_trials: 11\n";

/* That job, running and seen. */
static void make_job(const temp_folder *folder, const char *name, const char *config_text,
                     job *self) {
  make_workspace(folder, name, self);
  write_job(self, config_text);
  look(self);
}

static void running_job_is_seen_and_not_disturbed(void **state) {
  job self;
  make_job(*state, "running", limits, &self);
  assert_true(self.view.running);
  assert_true(self.view.silent_seconds < 60);
  assert_int_equal(self.view.ledger.num_trials, 5);
  assert_int_equal(self.view.trials_before, 2);
  assert_int_equal(self.view.max_trials, 11);
  /* It still writes, and still has its lock. */
  add_trial(&self.ledger, self.journal, 0.1, 181, false);
  bool in_use = false;
  assert_int_equal(lpot_journal_in_use(self.path, &in_use, NULL), LPOT_OK);
  assert_true(in_use);
  stop(&self);
  assert_int_equal(lpot_journal_in_use(self.path, &in_use, NULL), LPOT_OK);
  assert_false(in_use);
  remove_job(&self);
}

/* One trial that was cut short with a poor estimate, and chosen; then its recipe on the whole set.
 */
static void write_completed(job *self) {
  lpot_ledger *ledger = &self->ledger;
  const lpot_ledger_header header = make_header();
  begin(self, &header);
  lpot_ledger_result result = {.recipe = make_recipe(2, 5),
                               .status = LPOT_TRIAL_PRUNED,
                               .accuracy = 0.25,
                               .host = "a",
                               .cause = ""};
  assert_int_equal(lpot_ledger_add_result(ledger, self->journal, &result, NULL), LPOT_OK);
  lpot_ledger_trial trial = {.id = 1, .relative_loss = 0.625 / 0.875};
  assert_int_equal(lpot_ledger_add_commit(ledger, self->journal, &trial, NULL), LPOT_OK);
  result.status = LPOT_TRIAL_DONE;
  result.accuracy = 0.4375;
  assert_int_equal(lpot_ledger_add_result(ledger, self->journal, &result, NULL), LPOT_OK);
  lpot_recipe_free(result.recipe);
  assert_int_equal(lpot_ledger_add_verdict(ledger, self->journal, LPOT_VERDICT_MET, 1, NULL),
                   LPOT_OK);
}

static void assert_holds(const char *text, const char *part) {
  if (strstr(text, part) == NULL) {
    fail_msg("'%s' is not in\n%s", part, text);
  }
}

static void what_was_completed_later_counts(void **state) {
  char text[4096];
  char json[4096];
  job self;
  make_workspace(*state, "completed", &self);
  write_completed(&self);
  look(&self);
  print_view(&self, text, json);
  assert_holds(text, "Best:       trial 1, accuracy 0.4375, relative loss 50.000%");
  assert_holds(text, "Accepted:   trial 1, accuracy 0.4375, relative loss 50.000%");
  assert_holds(text, "Chosen:     trial 1, accuracy 0.4375, relative loss 50.000%");
  memset(text, 0, sizeof text);
  FILE *memory = fmemopen(text, sizeof text - 1, "w");
  assert_int_equal(lpot_report_json(&self.view.ledger, self.workspace, 0, memory, NULL), LPOT_OK);
  fclose(memory);
  assert_holds(text, "\"meets\": true, ");
  assert_holds(text, "\"accuracy\": 0.4375, ");
  assert_holds(text, "\"relative_loss\": 0.5, ");
  remove_job(&self);
}

static void limits_are_those_of_the_last_start(void **state) {
  job self;
  make_job(*state, "limits", limits, &self);
  lpot_ledger_session session = {.start = 3e9, .max_trials = 20, .timeout_seconds = 7.5};
  assert_int_equal(lpot_ledger_add_session(&self.ledger, self.journal, &session, NULL), LPOT_OK);
  look(&self);
  assert_int_equal(self.view.max_trials, 20);
  assert_true(self.view.timeout_seconds == 7.5);
  session.timeout_seconds = -1;
  assert_int_equal(lpot_ledger_add_session(&self.ledger, self.journal, &session, NULL),
                   LPOT_FORMAT);
  remove_job(&self);
}

static void rates_and_bound_follow_from_sessions(void **state) {
  job self;
  make_job(*state, "rates", limits, &self);
  stop(&self);
  look(&self);
  lpot_job_view *view = &self.view;
  assert_false(view->running);
  assert_true(fabs(lpot_job_view_rate(view) - 5.0 / 3) < 1e-9);
  assert_true(fabs(lpot_job_view_session_rate(view) - 3) < 1e-9);
  assert_true(fabs(lpot_job_view_bound(view) - 120) < 1e-9); /* 6 trials at 3 per minute */
  view->timeout_seconds = 200;
  assert_true(fabs(lpot_job_view_bound(view) - 20) < 1e-9);
  view->timeout_seconds = 0;
  assert_int_equal(lpot_job_view_best(view)->id, 4);
  assert_int_equal(lpot_job_view_accepted(view)->id, 3); /* the first without a timeout */
  view->ledger.trials[3].measured = true;
  view->ledger.trials[3].latency.trusted = true;
  view->ledger.trials[3].latency.speedup_low = 1.5;
  view->ledger.trials[3].latency.speedup_high = 1.75;
  view->timeout_seconds = 1000;
  assert_int_equal(lpot_job_view_accepted(view)->id, 4); /* the fastest with one */
  view->ledger.header.higher_is_better = false;
  assert_int_equal(lpot_job_view_best(view)->id, 1);
  remove_job(&self);
}

static void accepted_trial_is_the_best_by_the_objective(void **state) {
  static const char *const texts[] = {"tuning:\n  objective: accuracy\n",
                                      "tuning:\n  objective: {modelsize: 1, accuracy: 2}\n"};
  for (size_t i = 0; i < 2; i++) {
    job self;
    make_job(*state, "objective", texts[i], &self);
    lpot_job_view *view = &self.view;
    assert_true(view->objectives.weights[LPOT_OBJECTIVE_ACCURACY] == (i == 0 ? 1 : 2));
    view->ledger.trials[2].size_bytes = 1000; /* trial 3: 0.8, trial 4: 0.85 and 1 byte */
    view->timeout_seconds = i == 0 ? 0 : 9;
    assert_int_equal(lpot_job_view_accepted(view)->id, 4);
    remove_job(&self);
  }
}

static void text_and_json_say_the_same(void **state) {
  static const char *const lines[] = {
      "State:      running, ",
      "Model:      /m.onnx\n",
      "Configured: c.yaml\n",
      "Started:    2001-09-09 01:46:40 UTC; 2 sessions, the last 2033-05-18 03:33:20 UTC\n",
      "Workers:    3 (a: 2, b: 1)\n",
      "Baseline:   accuracy 0.875 on 8 samples\n",
      "Trials:     5 of at most 11: 5 DONE; 0 speculative results\n",
      "Best:       trial 4, accuracy 0.85",
      "Accepted:   trial 3, accuracy 0.8",
      "Rate:       1.67 trials per minute, 3 in the last session; at most 2 minutes of search "
      "left\n",
      "Verdict:    unfinished\n"};
  static const char *const members[] = {"{\"running\": true, ",      "\"sessions\": 2, ",
                                        "\"hosts\": \"a: 2, b: 1\"", "\"trials\": 5, ",
                                        "\"best_trial\": 4, ",       "\"accepted_trial\": 3, ",
                                        "\"invalid\": 0, ",          "\"chosen_trial\": 0}\n"};
  char text[4096];
  char json[4096];
  job self;
  make_job(*state, "text", limits, &self);
  print_view(&self, text, json);
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    assert_holds(text, lines[i]);
  }
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    assert_holds(json, members[i]);
  }
  remove_job(&self);
}

/* A journal without records, or with a configuration that says nothing, is no failure. */
static void job_that_has_only_begun_is_told_too(void **state) {
  char text[4096];
  char json[4096];
  job self;
  make_workspace(*state, "begun", &self);
  assert_int_equal(lpot_job_view_read(&self.view, self.workspace, NULL), LPOT_NOT_FOUND);
  fclose(fopen(self.path, "w"));
  look(&self);
  print_view(&self, text, json);
  assert_holds(text, "Nothing is recorded yet.");
  assert_holds(json, "\"model\": null");
  write_job(&self, "[not a map");
  look(&self);
  assert_int_equal(self.view.max_trials, -1);
  assert_true(isnan(lpot_job_view_bound(&self.view)));
  remove_job(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(running_job_is_seen_and_not_disturbed),
      cmocka_unit_test(what_was_completed_later_counts),
      cmocka_unit_test(limits_are_those_of_the_last_start),
      cmocka_unit_test(rates_and_bound_follow_from_sessions),
      cmocka_unit_test(accepted_trial_is_the_best_by_the_objective),
      cmocka_unit_test(text_and_json_say_the_same),
      cmocka_unit_test(job_that_has_only_begun_is_told_too),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
