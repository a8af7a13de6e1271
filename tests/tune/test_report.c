/* What a run tells at its end, in all the states in which it can end. */
#include "tune/tune_fixture.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "tune/report.h"

#define REPORT_SIZE 8192

/* ---- a run ---- */

typedef struct run {
  temp_folder folder;
  lpot_ledger ledger;
  lpot_journal *journal;
} run;

static int setup(void **state) {
  static run self;
  temp_folder_make(&self.folder);
  open_run(&self.folder, "journal", &self.ledger, &self.journal);
  *state = &self;
  return 0;
}

static int teardown(void **state) {
  run *self = *state;
  lpot_journal_close(self->journal);
  lpot_ledger_done(&self->ledger);
  temp_folder_remove(&self->folder);
  return 0;
}

/* ---- its report ---- */

static void read_back(FILE *file, char out[REPORT_SIZE]) {
  rewind(file);
  size_t size = fread(out, 1, REPORT_SIZE - 1, file);
  out[size] = '\0';
  assert_int_equal(fclose(file), 0);
}

static void print_into(const lpot_ledger *ledger, char out[REPORT_SIZE]) {
  FILE *file = tmpfile();
  assert_non_null(file);
  lpot_report_print(ledger, "space", file);
  read_back(file, out);
}

static void assert_part(const char *text, const char *part) {
  if (strstr(text, part) == NULL) {
    fail_msg("'%s' is not in '%s'", part, text);
  }
}

static void assert_printed(const lpot_ledger *ledger, const char *part) {
  char text[REPORT_SIZE];
  print_into(ledger, text);
  assert_part(text, part);
}

/* ---- tests ---- */

static void what_is_known_is_printed(void **state) {
  run *self = *state;
  fill_run(&self->ledger, self->journal);
  static const char *const parts[] = {
      "f32 baseline: accuracy 0.875000 on 8 samples",
      "*    1  uniform",
      "0.5 [0, 0]",
      "INVALID: ",
      "Verdict: the criterion is met; trial 1 has accuracy 0.750000 (f32 0.875000), 2 of 2 ops",
      "Held out: 8 samples that the search has not seen; accuracy 0.250000 (f32 0.500000), loss "
      "50.000%: the criterion does NOT hold there.",
      "1 right answers lost, 1 gained",
      "Memory while it runs: 0.003906 MiB, f32 0.007812 MiB.",
      "Weights: 7 bits",
      "Model:   space/best_model.onnx"};
  char text[REPORT_SIZE];
  print_into(&self->ledger, text);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    assert_part(text, parts[i]);
  }
  assert_int_equal(lpot_report_exit_code(&self->ledger), 0);
}

static void runs_without_a_verdict_are_unfinished(void **state) {
  run *self = *state;
  lpot_ledger_header header = make_header();
  assert_int_equal(lpot_ledger_add_header(&self->ledger, self->journal, &header, NULL), LPOT_OK);
  assert_printed(&self->ledger, "f32 baseline: not finished\n");
  assert_printed(&self->ledger, "Unfinished: go on with --resume.\n");
  assert_int_equal(lpot_report_exit_code(&self->ledger), 6);
}

static void runs_without_a_model_say_why(void **state) {
  run *self = *state;
  lpot_ledger_header header = make_header();
  lpot_error error = {0};
  assert_int_equal(lpot_ledger_add_header(&self->ledger, self->journal, &header, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_verdict(&self->ledger, self->journal, LPOT_VERDICT_NOT_MET,
                                           LPOT_NO_TRIAL, NULL),
                   LPOT_OK);
  assert_printed(&self->ledger, "NOT met; no trial was finished, there is no model.");
  assert_int_equal(lpot_report_exit_code(&self->ledger), 5);
  lpot_ledger_result result = {
      .recipe = make_recipe(2, 4), .status = LPOT_TRIAL_CRASHED, .host = "b", .cause = "it died"};
  assert_int_equal(lpot_ledger_add_result(&self->ledger, self->journal, &result, NULL), LPOT_OK);
  lpot_recipe_free(result.recipe);
  lpot_ledger_trial trial = {.id = 1};
  assert_int_equal(lpot_ledger_add_commit(&self->ledger, self->journal, &trial, NULL), LPOT_OK);
  assert_printed(&self->ledger, "NOT met; all trials failed, there is no model.");
  FILE *file = tmpfile();
  char text[REPORT_SIZE];
  assert_int_equal(lpot_report_json(&self->ledger, "space", 5, file, &error), LPOT_OK);
  read_back(file, text);
  assert_part(text, "\"model\": null");
  assert_part(text, "\"exit_code\": 5");
}

static void what_misses_the_criterion_is_told_as_such(void **state) {
  run *self = *state;
  fill_run(&self->ledger, self->journal);
  self->ledger.trials[0].meets = false;
  assert_printed(&self->ledger, "NOT met; the trial is taken as it is (performance_only); trial 1");
  self->ledger.verdict = LPOT_VERDICT_NOT_MET;
  assert_printed(&self->ledger, "NOT met, the best trial is handed out; trial 1");
}

/* Only what is trusted, with its whole interval, is called slower. */
static void f32_that_is_faster_is_named(void **state) {
  static const char note[] = "\nNote: f32 is faster here; ";
  run *self = *state;
  char text[REPORT_SIZE];
  fill_run(&self->ledger, self->journal);
  lpot_latency *latency = &self->ledger.trials[0].latency;
  latency->trusted = true;
  latency->speedup_low = 0.9;
  latency->speedup_high = 0.99;
  assert_printed(&self->ledger, note);
  latency->speedup_high = 1.01;
  print_into(&self->ledger, text);
  assert_null(strstr(text, note));
  latency->speedup_high = 0.99;
  latency->trusted = false;
  print_into(&self->ledger, text);
  assert_null(strstr(text, note));
}

static void parts_held_out_that_failed_say_how(void **state) {
  run *self = *state;
  fill_run(&self->ledger, self->journal);
  self->ledger.holdouts[1].status = LPOT_TRIAL_CRASHED;
  assert_printed(&self->ledger, "has not seen; f32 is DONE, the trial is CRASHED: ");
}

/* The first op in bf16, and what is exported of it. */
static void bf16_models_that_cannot_be_exported_say_why(void **state) {
  run *self = *state;
  lpot_ledger_header header = make_header();
  assert_int_equal(lpot_ledger_add_header(&self->ledger, self->journal, &header, NULL), LPOT_OK);
  lpot_ledger_result result = {.recipe = make_recipe(2, 4), .host = "b", .cause = ""};
  result.recipe->ops[0].activation = (lpot_tensor_config){.dtype = LPOT_BF16};
  result.recipe->ops[0].weight = (lpot_tensor_config){.dtype = LPOT_BF16};
  lpot_ledger_result exported = {.status = LPOT_TRIAL_INVALID, .host = "b", .cause = "too large"};
  assert_int_equal(lpot_recipe_exported(result.recipe, &exported.recipe, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_result(&self->ledger, self->journal, &result, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_result(&self->ledger, self->journal, &exported, NULL), LPOT_OK);
  lpot_recipe_free(result.recipe);
  lpot_recipe_free(exported.recipe);
  lpot_ledger_trial trial = {.id = 1, .meets = true};
  assert_int_equal(lpot_ledger_add_commit(&self->ledger, self->journal, &trial, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_verdict(&self->ledger, self->journal, LPOT_VERDICT_MET, 1, NULL),
                   LPOT_OK);
  assert_printed(&self->ledger, "1 of 2 ops in int8, 1 in bf16.");
  assert_printed(&self->ledger,
                 "Exported: bf16 ops in f32; that model's evaluation is INVALID: too large.");
}

/* On a disk that is full, as /dev/full is. */
static void output_that_does_not_arrive_is_an_error(void **state) {
  (void)state;
  int saved = dup(STDOUT_FILENO);
  int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  assert_true(saved >= 0 && full >= 0);
  (void)fflush(stdout);
  assert_true(dup2(full, STDOUT_FILENO) >= 0);
  printf("lost\n");
  int failed = lpot_report_flush(0);
  printf("lost\n");
  int kept = lpot_report_flush(5);
  assert_true(dup2(saved, STDOUT_FILENO) >= 0);
  clearerr(stdout);
  close(saved);
  close(full);
  assert_int_equal(failed, 1);
  assert_int_equal(kept, 5);
  assert_int_equal(lpot_report_flush(0), 0);
}

#define REPORT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      REPORT_TEST(what_is_known_is_printed),
      REPORT_TEST(runs_without_a_verdict_are_unfinished),
      REPORT_TEST(runs_without_a_model_say_why),
      REPORT_TEST(what_misses_the_criterion_is_told_as_such),
      REPORT_TEST(f32_that_is_faster_is_named),
      REPORT_TEST(parts_held_out_that_failed_say_how),
      REPORT_TEST(bf16_models_that_cannot_be_exported_say_why),
      cmocka_unit_test(output_that_does_not_arrive_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
