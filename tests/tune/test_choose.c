#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tune/search.h"

#define COUNT 3

/* What a test says of a trial; each has `num_int8` of 3 ops in int8. */
typedef struct trial_spec {
  bool meets, measured, trusted;
  double low, high; /* of the speed beside f32 */
  double recipe_ms; /* of whatever node it was measured on */
  uint64_t reorders;
  size_t num_int8;
  uint64_t hash;
} trial_spec;

typedef struct fixture {
  lpot_ledger_trial trials[COUNT];
  lpot_ledger_result results[COUNT];
  lpot_ledger ledger;
  lpot_config config;
  lpot_job job;
  lpot_run run;
} fixture;

static void set_up(fixture *self, const trial_spec *specs) {
  *self = (fixture){.config = {.timeout_seconds = 60, .strategy = "basic"}};
  for (size_t i = 0; i < COUNT; i++) {
    lpot_ledger_result *result = &self->results[i];
    *result = (lpot_ledger_result){
        .recipe_hash = specs[i].hash, .status = LPOT_TRIAL_DONE, .accuracy = 0.5};
    assert_int_equal(lpot_recipe_new(3, &result->recipe, NULL), LPOT_OK);
    for (size_t op = 0; op < specs[i].num_int8; op++) {
      result->recipe->ops[op].activation.dtype = LPOT_U8;
    }
    self->trials[i] = (lpot_ledger_trial){
        .id = i + 1, .result = i, .meets = specs[i].meets, .reorders = specs[i].reorders};
    self->trials[i].size_bytes = 1000 + specs[i].reorders;
    self->trials[i].measured = specs[i].measured;
    self->trials[i].latency = (lpot_latency){.recipe_ms = specs[i].recipe_ms,
                                             .speedup = 0.5 * (specs[i].low + specs[i].high),
                                             .speedup_low = specs[i].low,
                                             .speedup_high = specs[i].high,
                                             .trusted = specs[i].trusted};
  }
  self->ledger = (lpot_ledger){.baseline = {.accuracy = 1},
                               .num_trials = COUNT,
                               .trials = self->trials,
                               .num_results = COUNT,
                               .results = self->results};
  self->config.tolerance = 0.01;
  self->job = (lpot_job){.config = &self->config, .higher_is_better = true};
  self->run = (lpot_run){.job = &self->job, .ledger = &self->ledger};
}

static void tear_down(fixture *self) {
  for (size_t i = 0; i < COUNT; i++) {
    lpot_recipe_free(self->results[i].recipe);
  }
}

static void assert_chosen(const trial_spec *specs, uint64_t expected) {
  fixture self;
  bool met = false;
  set_up(&self, specs);
  assert_int_equal(lpot_search_choose(&self.run, &met), expected);
  assert_true(met);
  tear_down(&self);
}

static void disjoint_intervals_decide(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 1.4, 1.5, 1, 2, 3, 1},
                                   {true, true, true, 1.6, 1.7, 1, 9, 3, 2},
                                   {true, true, true, 1.2, 1.3, 1, 0, 3, 3}};
  assert_chosen(specs, 2);
}

static void speeds_are_ratios_and_never_milliseconds(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 1.4, 1.5, 1, 2, 3, 1},
                                   {true, true, true, 1.6, 1.7, 50, 2, 3, 2}, /* a slow node */
                                   {false, true, true, 3, 4, 1, 2, 3, 3}};    /* misses */
  assert_chosen(specs, 2);
}

static void overlapping_intervals_leave_it_to_reorders(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 1.5, 1.62, 1, 4, 3, 1},
                                   {true, true, true, 1.6, 1.70, 1, 6, 3, 2},
                                   {true, true, true, 1.2, 1.3, 1, 0, 3, 3}};
  assert_chosen(specs, 1);
}

/* 1 overlaps 2 and 2 overlaps 3, but 3 beats 1: 1 is out although it has the fewest reorders. */
static void what_one_other_beats_is_out(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 1.0, 1.25, 1, 0, 3, 1},
                                   {true, true, true, 1.2, 1.45, 1, 4, 3, 2},
                                   {true, true, true, 1.4, 1.60, 1, 5, 3, 3}};
  assert_chosen(specs, 2);
}

static void equal_reorders_leave_it_to_the_hash(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 1.5, 1.6, 1, 4, 3, 9},
                                   {true, true, true, 1.5, 1.6, 1, 4, 3, 7},
                                   {true, true, true, 1.5, 1.6, 1, 4, 3, 8}};
  assert_chosen(specs, 2);
}

static void untrusted_is_never_called_faster(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, false, 5, 6, 0.1, 0, 3, 1},
                                   {true, true, true, 1.1, 1.2, 1, 8, 3, 2},
                                   {true, false, false, 0, 0, 0, 0, 3, 3}};
  assert_chosen(specs, 2);
}

static void without_trusted_speeds_more_int8_and_fewer_reorders_win(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, false, 5, 6, 0.1, 0, 1, 1},
                                   {true, true, false, 1, 2, 1, 8, 3, 2},
                                   {true, false, false, 0, 0, 0, 4, 3, 3}};
  assert_chosen(specs, 3);
}

static void timeout_of_0_takes_the_first_or_where_the_strategy_goes_on_the_last(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{false, false, false, 0, 0, 0, 0, 3, 1},
                                   {true, true, true, 1, 1.1, 1, 8, 3, 2},
                                   {true, true, true, 2, 2.1, 1, 4, 3, 3}};
  fixture self;
  bool met = false;
  set_up(&self, specs);
  self.config.timeout_seconds = 0;
  assert_int_equal(lpot_search_choose(&self.run, &met), 2);
  self.config.strategy = "conservative";
  assert_int_equal(lpot_search_choose(&self.run, &met), 3);
  self.config.timeout_seconds = 60; /* the faster one */
  assert_int_equal(lpot_search_choose(&self.run, &met), 3);
  tear_down(&self);
}

static void objective_modelsize_takes_the_smallest(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 3, 3.1, 1, 5, 3, 1},
                                   {true, true, true, 1, 1.1, 1, 2, 3, 2},
                                   {true, true, true, 2, 2.1, 1, 4, 3, 3}};
  fixture self;
  bool met = false;
  set_up(&self, specs);
  self.config.objectives = lpot_objectives_of(LPOT_OBJECTIVE_MODELSIZE);
  assert_int_equal(lpot_search_choose(&self.run, &met), 2);
  tear_down(&self);
}

/* Also with timeout 0, where other objectives take the first. */
static void objective_accuracy_takes_the_most_accurate(void **state) {
  (void)state;
  const trial_spec specs[COUNT] = {{true, true, true, 3, 3.1, 1, 5, 3, 1},
                                   {true, true, true, 1, 1.1, 1, 2, 3, 2},
                                   {false, true, true, 2, 2.1, 1, 4, 3, 3}};
  fixture self;
  bool met = false;
  set_up(&self, specs);
  self.ledger.header.higher_is_better = true;
  self.results[1].accuracy = 0.6;
  self.results[2].accuracy = 0.7; /* not accepted, as a test says */
  self.config.objectives = lpot_objectives_of(LPOT_OBJECTIVE_ACCURACY);
  self.config.timeout_seconds = 0;
  assert_int_equal(lpot_search_choose(&self.run, &met), 2);
  self.config.objectives = lpot_objectives_of(LPOT_OBJECTIVE_MODELSIZE);
  assert_int_equal(lpot_search_choose(&self.run, &met), 1);
  for (size_t i = 0; i < COUNT; i++) {
    self.trials[i].meets = false;
  }
  self.config.objectives = lpot_objectives_of(LPOT_OBJECTIVE_ACCURACY);
  assert_int_equal(lpot_search_choose(&self.run, &met), 3);
  assert_false(met);
  tear_down(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(disjoint_intervals_decide),
      cmocka_unit_test(speeds_are_ratios_and_never_milliseconds),
      cmocka_unit_test(overlapping_intervals_leave_it_to_reorders),
      cmocka_unit_test(what_one_other_beats_is_out),
      cmocka_unit_test(equal_reorders_leave_it_to_the_hash),
      cmocka_unit_test(untrusted_is_never_called_faster),
      cmocka_unit_test(without_trusted_speeds_more_int8_and_fewer_reorders_win),
      cmocka_unit_test(timeout_of_0_takes_the_first_or_where_the_strategy_goes_on_the_last),
      cmocka_unit_test(objective_modelsize_takes_the_smallest),
      cmocka_unit_test(objective_accuracy_takes_the_most_accurate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
