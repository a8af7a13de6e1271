#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/ranking.h"

#define COUNT 4

/* What a test says of a trial; low 0: its latency was not measured. */
typedef struct trial_spec {
  bool accepted;
  double accuracy;
  double low, high; /* of the speed beside f32 */
  bool trusted;
  uint64_t size_bytes;
  uint64_t reorders;
} trial_spec;

typedef struct fixture {
  lpot_ledger_trial trials[COUNT];
  lpot_ledger_result results[COUNT];
  lpot_ledger ledger;
} fixture;

static void set_up(fixture *self, const trial_spec *specs) {
  *self = (fixture){0};
  for (size_t i = 0; i < COUNT; i++) {
    const trial_spec *spec = &specs[i];
    lpot_ledger_result *result = &self->results[i];
    *result = (lpot_ledger_result){
        .recipe_hash = i + 1, .status = LPOT_TRIAL_DONE, .accuracy = spec->accuracy};
    assert_int_equal(lpot_recipe_new(1, &result->recipe, NULL), LPOT_OK);
    self->trials[i] = (lpot_ledger_trial){.id = i + 1,
                                          .result = i,
                                          .meets = spec->accepted,
                                          .size_bytes = spec->size_bytes,
                                          .reorders = spec->reorders,
                                          .measured = spec->low > 0,
                                          .latency = {.speedup_low = spec->low,
                                                      .speedup_high = spec->high,
                                                      .trusted = spec->trusted}};
  }
  self->ledger = (lpot_ledger){.header = {.higher_is_better = true},
                               .baseline = {.accuracy = 0.5},
                               .f32_bytes = 1000,
                               .num_trials = COUNT,
                               .trials = self->trials,
                               .num_results = COUNT,
                               .results = self->results};
}

static void tear_down(fixture *self) {
  for (size_t i = 0; i < COUNT; i++) {
    lpot_recipe_free(self->results[i].recipe);
  }
}

static bool is_accepted(const void *context, const lpot_ledger_trial *trial) {
  (void)context;
  return trial->meets;
}

static uint64_t best_of(const trial_spec *specs, double performance, double modelsize,
                        double accuracy) {
  fixture self;
  set_up(&self, specs);
  lpot_objectives objectives = {{0}};
  objectives.weights[LPOT_OBJECTIVE_PERFORMANCE] = performance;
  objectives.weights[LPOT_OBJECTIVE_MODELSIZE] = modelsize;
  objectives.weights[LPOT_OBJECTIVE_ACCURACY] = accuracy;
  const lpot_ledger_trial *best = lpot_ranking_best(&self.ledger, &objectives, is_accepted, NULL);
  uint64_t id = best == NULL ? LPOT_NO_TRIAL : best->id;
  tear_down(&self);
  return id;
}

static void figures_are_1_for_f32(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.45, 2, 4, true, 250, 0},
                                   {true, 0.5, 2, 4, false, 0, 0}};
  fixture self;
  lpot_figure figures[LPOT_NUM_OBJECTIVES];
  set_up(&self, specs);
  lpot_ranking_figures(&self.ledger, &self.trials[0], figures);
  assert_true(figures[LPOT_OBJECTIVE_PERFORMANCE].low == 0.25);
  assert_true(figures[LPOT_OBJECTIVE_PERFORMANCE].high == 0.5);
  assert_true(figures[LPOT_OBJECTIVE_MODELSIZE].low == 0.25);
  assert_true(fabs(figures[LPOT_OBJECTIVE_ACCURACY].low - 1.1) < 1e-12);
  lpot_ranking_figures(&self.ledger, &self.trials[1], figures);
  assert_false(lpot_figure_is_known(&figures[LPOT_OBJECTIVE_PERFORMANCE]));
  assert_false(lpot_figure_is_known(&figures[LPOT_OBJECTIVE_MODELSIZE]));
  assert_true(figures[LPOT_OBJECTIVE_ACCURACY].high == 1);
  self.ledger.header.higher_is_better = false; /* 0.45 is then less than f32's loss */
  lpot_ranking_figures(&self.ledger, &self.trials[0], figures);
  assert_true(fabs(figures[LPOT_OBJECTIVE_ACCURACY].low - 0.9) < 1e-12);
  self.ledger.baseline.accuracy = 0; /* the loss is absolute */
  lpot_ranking_figures(&self.ledger, &self.trials[0], figures);
  assert_true(fabs(figures[LPOT_OBJECTIVE_ACCURACY].low - 1.45) < 1e-12);
  self.results[0].status = LPOT_TRIAL_PRUNED;
  lpot_ranking_figures(&self.ledger, &self.trials[0], figures);
  assert_false(lpot_figure_is_known(&figures[LPOT_OBJECTIVE_ACCURACY]));
  tear_down(&self);
}

static void each_objective_takes_its_own(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.49, 1.0, 1.1, true, 300, 1},
                                   {true, 0.47, 1.5, 1.6, true, 260, 1},
                                   {true, 0.46, 1.2, 1.3, true, 250, 1},
                                   {false, 0.499, 3, 3.1, true, 100, 0}}; /* not accepted */
  assert_int_equal(best_of(specs, 1, 0, 0), 2);
  assert_int_equal(best_of(specs, 0, 1, 0), 3);
  assert_int_equal(best_of(specs, 0, 0, 1), 1);
}

static void ties_are_left_to_latency(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.48, 1.0, 1.1, true, 300, 0},
                                   {true, 0.49, 1.5, 1.6, true, 300, 5},
                                   {true, 0.49, 1.3, 1.4, true, 400, 0},
                                   {true, 0.49, 9.0, 9.9, false, 300, 0}};
  assert_int_equal(best_of(specs, 0, 0, 1), 2);
  assert_int_equal(best_of(specs, 0, 1, 0), 2);
}

/* Costs with weights 3 and 1 over 4: latency and size.
 * 1: [0.50, 0.55] and 0.9 -> [0.600, 0.638]; 2: [0.60, 0.62] and 0.3 -> [0.525, 0.540];
 * 3: [0.80, 0.90] and 0.1 -> [0.625, 0.700]. */
static void weights_trade_latency_for_size(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.5, 1 / 0.55, 1 / 0.50, true, 900, 0},
                                   {true, 0.5, 1 / 0.62, 1 / 0.60, true, 300, 0},
                                   {true, 0.5, 1 / 0.90, 1 / 0.80, true, 100, 0}};
  assert_int_equal(best_of(specs, 3, 1, 0), 2);
  assert_int_equal(best_of(specs, 300, 100, 0), 2); /* only ratios count */
  assert_int_equal(best_of(specs, 30, 1, 0), 1);
  assert_int_equal(best_of(specs, 1, 3, 0), 3);
}

/* [0.5, 0.6] beside size 0.3 and [0.55, 0.65] beside 0.28: neither is surely cheaper. */
static void costs_that_overlap_are_left_to_latency_and_borders(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.5, 1 / 0.60, 1 / 0.50, true, 300, 7},
                                   {true, 0.5, 1 / 0.65, 1 / 0.55, true, 280, 3}};
  assert_int_equal(best_of(specs, 1, 1, 0), 2);
}

static void untrusted_latency_is_out_of_the_running_where_one_is_trusted(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.5, 9, 9.9, false, 100, 0},
                                   {true, 0.4, 1.1, 1.2, true, 900, 9},
                                   {true, 0.5, 0, 0, false, 100, 0}};
  assert_int_equal(best_of(specs, 0.01, 1, 1), 2);
}

static void without_any_trusted_latency_the_other_figures_decide(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.40, 9, 9.9, false, 300, 0},
                                   {true, 0.49, 1, 1.2, false, 300, 9},
                                   {true, 0.48, 0, 0, false, 300, 0},
                                   {false, 0.1, 2, 2.1, true, 300, 0}}; /* not accepted */
  assert_int_equal(best_of(specs, 100, 0, 1), 2);
  fixture self;
  set_up(&self, specs);
  lpot_objectives objectives = {{1, 1, 1, 1}};
  lpot_ranking_drop_unknown(&self.ledger, &objectives, is_accepted, NULL);
  assert_true(objectives.weights[LPOT_OBJECTIVE_PERFORMANCE] == 0);
  assert_true(objectives.weights[LPOT_OBJECTIVE_MODELSIZE] == 1);
  assert_true(objectives.weights[LPOT_OBJECTIVE_ACCURACY] == 1);
  tear_down(&self);
}

static void figures_that_no_trial_has_together_decide_nothing(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.5, 1.5, 1.6, true, 0, 0},
                                   {true, 0.5, 0, 0, false, 100, 0}};
  assert_int_equal(best_of(specs, 1, 1, 0), 1); /* as the fastest */
}

/* Differences within the noise decide nothing: then latency and borders do. */
static void objective_footprint_takes_the_least_memory(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.5, 1.1, 1.2, true, 100, 5},
                                   {true, 0.5, 1.1, 1.2, true, 100, 6},
                                   {true, 0.5, 1.1, 1.2, true, 100, 7},
                                   {true, 0.5, 9, 9.9, true, 1, 0}}; /* not measured */
  fixture self;
  set_up(&self, specs);
  lpot_objectives objectives = lpot_objectives_of(LPOT_OBJECTIVE_FOOTPRINT);
  self.trials[0].footprint.bytes = 2000000;
  self.trials[1].footprint.bytes = 1000000;
  self.trials[2].footprint.bytes = 1000000 + 2 * 65536 + 1;
  const lpot_ledger_trial *best = lpot_ranking_best(&self.ledger, &objectives, is_accepted, NULL);
  assert_int_equal(best->id, 4); /* f32 is not known, so no ratio is: the fastest */
  self.ledger.f32_footprint.bytes = 4000000;
  best = lpot_ranking_best(&self.ledger, &objectives, is_accepted, NULL);
  assert_int_equal(best->id, 2);
  self.trials[2].footprint.bytes = 1000000 - 2 * 65536;
  self.trials[2].reorders = 0;
  best = lpot_ranking_best(&self.ledger, &objectives, is_accepted, NULL);
  assert_int_equal(best->id, 3); /* alike, with fewer borders */
  lpot_figure figures[LPOT_NUM_OBJECTIVES];
  lpot_ranking_figures(&self.ledger, &self.trials[0], figures);
  assert_true(figures[LPOT_OBJECTIVE_FOOTPRINT].low == (2000000 - 65536) / 4e6);
  assert_true(figures[LPOT_OBJECTIVE_FOOTPRINT].high == (2000000 + 65536) / 4e6);
  tear_down(&self);
}

/* Costs: [0.40, 0.45], [0.40, 0.70] and [0.65, 0.70]: the first beats the last, whatever the second
 * may have. */
static void uncertain_costs_do_not_save_dear_ones(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, 0.5, 1 / 0.60, 1 / 0.50, true, 300, 5},
                                   {true, 0.5, 1 / 0.90, 1 / 0.30, true, 500, 6},
                                   {true, 0.5, 1 / 0.60, 1 / 0.50, true, 800, 0}};
  assert_int_equal(best_of(specs, 1, 1, 0), 1);
}

static void nothing_is_taken_of_what_is_not_accepted(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{false, 0.5, 1.5, 1.6, true, 10, 0}};
  assert_int_equal(best_of(specs, 1, 1, 1), LPOT_NO_TRIAL);
  assert_int_equal(best_of(specs, 0, 0, 1), LPOT_NO_TRIAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_are_1_for_f32),
      cmocka_unit_test(each_objective_takes_its_own),
      cmocka_unit_test(ties_are_left_to_latency),
      cmocka_unit_test(weights_trade_latency_for_size),
      cmocka_unit_test(costs_that_overlap_are_left_to_latency_and_borders),
      cmocka_unit_test(untrusted_latency_is_out_of_the_running_where_one_is_trusted),
      cmocka_unit_test(without_any_trusted_latency_the_other_figures_decide),
      cmocka_unit_test(figures_that_no_trial_has_together_decide_nothing),
      cmocka_unit_test(objective_footprint_takes_the_least_memory),
      cmocka_unit_test(uncertain_costs_do_not_save_dear_ones),
      cmocka_unit_test(nothing_is_taken_of_what_is_not_accepted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
