#include "tune/tune_fixture.h"

#include <math.h>

#include "base/bits.h"
#include "base/memory.h"
#include "tune/judge.h"

#define SAMPLES 1000
#define BLOCK 100

/* A job as far as judging looks at it. */
typedef struct fixture {
  lpot_config config;
  lpot_job job;
  uint8_t baseline[SAMPLES / 8];
  uint8_t correct[SAMPLES / 8];
  lpot_ledger_baseline recorded;
} fixture;

/* f32 gets the first 900 samples right. */
static void set_up(fixture *self, const char *metric) {
  *self = (fixture){.config = {.racing = true, .tolerance = 0.01}};
  self->job.config = &self->config;
  self->job.metric = make_metric(metric);
  self->job.higher_is_better = true;
  self->job.blocks =
      (lpot_blocks){.num_samples = SAMPLES, .block_samples = BLOCK, .num_blocks = SAMPLES / BLOCK};
  for (size_t i = 0; i < SAMPLES; i++) {
    lpot_bit_set(self->baseline, i, i % 10 != 0);
    lpot_bit_set(self->correct, i, i % 10 != 0);
  }
  self->recorded = (lpot_ledger_baseline){.accuracy = 0.9,
                                          .state = {.samples = SAMPLES, .correct = 900},
                                          .num_bits = SAMPLES,
                                          .correct = self->baseline};
}

static void tear_down(fixture *self) {
  lpot_metric_free(self->job.metric);
}

static void terms_need_exactly_what_meets_the_criterion(void **state) {
  (void)state;
  static const struct {
    bool absolute;
    double tolerance;
    int64_t needed;
  } cases[] = {{false, 0.01, 891}, {true, 0.01, 890},  {true, 0.0995, 801},
               {false, 0, 900},    {false, -0.1, 990}, {false, -0.2, SAMPLES + 1}};
  fixture self;
  set_up(&self, "topk: 1");
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_race_terms terms;
    self.config.absolute = cases[i].absolute;
    self.config.tolerance = cases[i].tolerance;
    assert_true(lpot_judge_terms(&self.job, &self.recorded, &terms));
    assert_int_equal(terms.needed, cases[i].needed);
    assert_int_equal(terms.baseline_correct, 900);
    assert_int_equal(terms.samples, SAMPLES);
  }
  tear_down(&self);
}

static void nothing_races_where_that_means_nothing(void **state) {
  (void)state;
  fixture self;
  lpot_race_terms terms;
  set_up(&self, "MSE:");
  assert_false(lpot_judge_terms(&self.job, &self.recorded, &terms));
  assert_non_null(lpot_judge_no_race(&self.job));
  tear_down(&self);
  set_up(&self, "topk: 1");
  assert_null(lpot_judge_no_race(&self.job));
  self.config.racing = false;
  assert_false(lpot_judge_terms(&self.job, &self.recorded, &terms));
  assert_null(lpot_judge_no_race(&self.job)); /* as the user wished */
  self.config.racing = true;
  self.config.performance_only = true;
  assert_non_null(lpot_judge_no_race(&self.job));
  self.config.performance_only = false;
  self.config.evaluation.keeps_order = true;
  assert_false(lpot_judge_terms(&self.job, &self.recorded, &terms));
  assert_string_equal(lpot_judge_no_race(&self.job), "its data are not shuffled");
  self.config.evaluation.keeps_order = false;
  self.job.higher_is_better = false;
  assert_non_null(lpot_judge_no_race(&self.job));
  tear_down(&self);
}

static void broken_evaluations_say_how(void **state) {
  (void)state;
  static const lpot_trial_status expected[] = {[LPOT_BREAKAGE_CRASH] = LPOT_TRIAL_CRASHED,
                                               [LPOT_BREAKAGE_TIMEOUT] = LPOT_TRIAL_TIMEOUT,
                                               [LPOT_BREAKAGE_LOSS] = LPOT_TRIAL_LOST};
  fixture self;
  set_up(&self, "topk: 1");
  for (int i = 0; i < 3; i++) {
    lpot_evaluation *evaluation = NULL;
    lpot_recipe *recipe = make_recipe(2, 4);
    lpot_ledger_result result;
    assert_int_equal(lpot_evaluation_new(recipe, &self.job.blocks, &evaluation, NULL), LPOT_OK);
    int attempts = 0;
    while (evaluation->ending == LPOT_ENDING_OPEN) {
      lpot_evaluation_blame(evaluation, 0, (lpot_breakage)i, "signal 11");
      attempts++;
    }
    assert_int_equal(attempts, i == LPOT_BREAKAGE_LOSS ? 9 : 2);
    assert_int_equal(lpot_judge_evaluation(&self.job, evaluation, &result, NULL), LPOT_OK);
    assert_int_equal(result.status, expected[i]);
    assert_string_equal(result.cause, "signal 11");
    assert_true(isnan(result.accuracy) && result.num_bits == 0);
    lpot_evaluation_free(evaluation);
    lpot_recipe_free(recipe);
  }
  tear_down(&self);
}

static void replay_prunes_what_the_race_would_have(void **state) {
  (void)state;
  fixture self;
  lpot_race_terms terms;
  lpot_ledger_result pruned;
  set_up(&self, "topk: 1");
  assert_true(lpot_judge_terms(&self.job, &self.recorded, &terms));
  lpot_ledger_result whole = {.status = LPOT_TRIAL_DONE,
                              .accuracy = 0.9,
                              .samples = SAMPLES,
                              .num_bits = SAMPLES,
                              .correct = self.correct};
  assert_false(lpot_judge_replay(&self.job, &terms, self.baseline, &whole, &pruned));
  for (size_t i = 0; i < SAMPLES; i += 3) {
    lpot_bit_set(self.correct, i, false);
  }
  assert_true(lpot_judge_replay(&self.job, &terms, self.baseline, &whole, &pruned));
  assert_int_equal(pruned.status, LPOT_TRIAL_PRUNED);
  assert_true(pruned.samples < SAMPLES && pruned.samples % BLOCK == 0);
  assert_int_equal(pruned.num_bits, pruned.samples);
  assert_true(pruned.interval.low <= 0.6 && pruned.interval.high >= 0.6);
  whole.num_bits = 0;
  assert_false(lpot_judge_replay(&self.job, &terms, self.baseline, &whole, &pruned));
  tear_down(&self);
}

#define BROKEN_BLOCK 7

/* Brings all blocks of the fixture's recipe, in a race or not; block BROKEN_BLOCK has NaN
 * predictions, or fails. */
static lpot_evaluation *evaluate(const fixture *self, const lpot_race_terms *terms, bool raced,
                                 bool fails) {
  lpot_evaluation *evaluation = NULL;
  lpot_recipe *recipe = make_recipe(2, 4);
  lpot_metric_state states[SAMPLES / BLOCK] = {{0}};
  uint8_t correct[SAMPLES / 8];
  size_t count = fails ? BROKEN_BLOCK : SAMPLES / BLOCK;
  for (size_t i = 0; i < count; i++) {
    states[i].samples = BLOCK;
  }
  states[BROKEN_BLOCK].bad = 3;
  memcpy(correct, self->correct, sizeof correct);
  lpot_outcome outcome = {.status = fails ? LPOT_ENGINE : LPOT_OK,
                          .cause = "no plan",
                          .num_states = count,
                          .states = states,
                          .num_bits = count * BLOCK,
                          .correct = correct};
  assert_int_equal(lpot_evaluation_new(recipe, &self->job.blocks, &evaluation, NULL), LPOT_OK);
  if (raced) {
    lpot_evaluation_race(evaluation, terms, self->baseline);
  }
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_OK);
  lpot_recipe_free(recipe);
  return evaluation;
}

static void assert_same_judgement(const lpot_ledger_result *a, const lpot_ledger_result *b) {
  assert_int_equal(a->status, b->status);
  assert_true(a->accuracy == b->accuracy || (isnan(a->accuracy) && isnan(b->accuracy)));
  assert_true(a->samples == b->samples && a->num_bits == b->num_bits);
  assert_string_equal(a->cause, b->cause);
}

/* Evaluates whole, as a ranking wants it, and then asks what a race makes of it: the same as when
 * the race came first. */
static void check_order_of_demands(fixture *self, bool fails, lpot_trial_status expected) {
  lpot_race_terms terms;
  lpot_ledger_result whole;
  lpot_ledger_result raced;
  lpot_ledger_result replayed;
  assert_true(lpot_judge_terms(&self->job, &self->recorded, &terms));
  lpot_evaluation *first = evaluate(self, &terms, false, fails);
  lpot_evaluation *second = evaluate(self, &terms, true, fails);
  assert_int_equal(lpot_judge_evaluation(&self->job, first, &whole, NULL), LPOT_OK);
  assert_int_equal(lpot_judge_evaluation(&self->job, second, &raced, NULL), LPOT_OK);
  assert_int_equal(whole.status, LPOT_TRIAL_INVALID);
  assert_int_equal(whole.num_bits, BROKEN_BLOCK * BLOCK);
  assert_int_equal(raced.status, expected);
  bool pruned = lpot_judge_replay(&self->job, &terms, self->baseline, &whole, &replayed);
  assert_int_equal(pruned, expected == LPOT_TRIAL_PRUNED);
  assert_same_judgement(pruned ? &replayed : &whole, &raced);
  lpot_evaluation_free(first);
  lpot_evaluation_free(second);
}

static void recipe_that_breaks_late_is_judged_the_same_whichever_demand_comes_first(void **state) {
  (void)state;
  fixture self;
  set_up(&self, "topk: 1");
  check_order_of_demands(&self, false, LPOT_TRIAL_INVALID);
  check_order_of_demands(&self, true, LPOT_TRIAL_INVALID);
  for (size_t i = 0; i < SAMPLES; i += 3) {
    lpot_bit_set(self.correct, i, false);
  }
  check_order_of_demands(&self, false, LPOT_TRIAL_PRUNED); /* lost before the block breaks */
  check_order_of_demands(&self, true, LPOT_TRIAL_PRUNED);
  for (size_t i = 0; i < BROKEN_BLOCK * BLOCK; i++) {
    lpot_bit_set(self.correct, i, i % 10 != 0);
  }
  for (size_t i = BROKEN_BLOCK * BLOCK; i < SAMPLES; i++) {
    lpot_bit_set(self.correct, i, false); /* Only what is broken would lose it. */
  }
  check_order_of_demands(&self, false, LPOT_TRIAL_INVALID);
  tear_down(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(terms_need_exactly_what_meets_the_criterion),
      cmocka_unit_test(nothing_races_where_that_means_nothing),
      cmocka_unit_test(broken_evaluations_say_how),
      cmocka_unit_test(replay_prunes_what_the_race_would_have),
      cmocka_unit_test(recipe_that_breaks_late_is_judged_the_same_whichever_demand_comes_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
