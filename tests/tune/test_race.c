#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/memory.h"
#include "base/rng.h"
#include "tune/race.h"

#define MAX_SAMPLES 50000

/* A set in which f32 gets 80 % right, and the recipe loses and gains so many samples. */
typedef struct truth {
  int64_t samples, lost, gained;
} truth;

typedef struct scratch {
  uint64_t order[MAX_SAMPLES];
  uint8_t baseline[MAX_SAMPLES / 8 + 1];
  uint8_t correct[MAX_SAMPLES / 8 + 1];
} scratch;

static int64_t baseline_of(const truth *set) {
  return set->samples * 4 / 5;
}

/* Lays the samples out in random order. */
static void shuffle(const truth *set, lpot_rng *rng, scratch *space) {
  int64_t right = baseline_of(set);
  lpot_rng_permutation(rng, (size_t)set->samples, space->order);
  for (int64_t i = 0; i < set->samples; i++) {
    bool baseline = i < right;
    bool correct = baseline ? i >= set->lost : i < right + set->gained;
    lpot_bit_set(space->baseline, (size_t)space->order[i], baseline);
    lpot_bit_set(space->correct, (size_t)space->order[i], correct);
  }
}

/* Runs a race in blocks; returns the samples used. */
static int64_t run_race(const truth *set, int64_t needed, const scratch *space, bool *ret_lost) {
  const int64_t block = 50;
  lpot_race_terms terms = {
      .samples = set->samples, .baseline_correct = baseline_of(set), .needed = needed};
  lpot_race race;
  lpot_race_init(&race);
  for (int64_t first = 0; first < set->samples; first += block) {
    int64_t count = block < set->samples - first ? block : set->samples - first;
    lpot_race_add(&race, &terms, space->baseline, space->correct, first, count);
    if (lpot_race_is_lost(&race, &terms)) {
      break;
    }
  }
  *ret_lost = lpot_race_is_lost(&race, &terms);
  return race.samples;
}

/* Recipes that meet the criterion by not a single sample to spare: the hardest case. */
static void false_rejections_are_rarer_than_stated(void **state) {
  static const truth sets[] = {{1000, 10, 0}, {1000, 30, 20}, {1000, 110, 100},
                               {3000, 30, 0}, {3000, 90, 60}, {400, 4, 0}};
  const int repetitions = 10000;
  scratch *space = *state;
  lpot_rng rng;
  lpot_rng_init(&rng, 7);
  for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
    const truth *set = &sets[s];
    int64_t needed = baseline_of(set) - set->lost + set->gained;
    int rejected = 0;
    for (int i = 0; i < repetitions; i++) {
      bool lost = false;
      shuffle(set, &rng, space);
      run_race(set, needed, space, &lost);
      rejected += lost ? 1 : 0;
    }
    print_message("%lld samples, %lld lost, %lld gained: %d of %d rejected\n",
                  (long long)set->samples, (long long)set->lost, (long long)set->gained, rejected,
                  repetitions);
    assert_true(rejected <= LPOT_RACE_ERROR_RATE * repetitions);
  }
}

/* Accuracy falls by more than the allowed 1 %: all are rejected, the worse the earlier. */
static void bad_recipes_are_rejected_early(void **state) {
  static const struct {
    truth set;
    double share; /* of the set that is used at most, on average */
  } cases[] = {{{10000, 350, 150}, 0.75},
               {{10000, 600, 200}, 0.30},
               {{10000, 1500, 300}, 0.06},
               {{50000, 2500, 1000}, 0.15},
               {{50000, 1750, 750}, 0.30}};
  scratch *space = *state;
  lpot_rng rng;
  lpot_rng_init(&rng, 8);
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    const truth *set = &cases[c].set;
    int64_t used = 0;
    const int repetitions = 50;
    for (int i = 0; i < repetitions; i++) {
      bool lost = false;
      shuffle(set, &rng, space);
      used += run_race(set, baseline_of(set) - set->samples / 100, space, &lost);
      assert_true(lost);
    }
    double share = (double)used / (double)(repetitions * set->samples);
    print_message("%lld samples, accuracy falls by %.3f: %.1f %% used\n", (long long)set->samples,
                  (double)(set->lost - set->gained) / (double)set->samples, 100 * share);
    assert_true(share < cases[c].share);
  }
}

static void interval_holds_the_truth_and_narrows(void **state) {
  const truth set = {5000, 250, 150};
  const int repetitions = 1000;
  double truth_value = (double)(baseline_of(&set) - 100) / 5000;
  lpot_race_terms terms = {.samples = 5000, .baseline_correct = baseline_of(&set)};
  scratch *space = *state;
  lpot_rng rng;
  lpot_rng_init(&rng, 9);
  int missed = 0;
  double width[2] = {0, 0};
  for (int i = 0; i < repetitions; i++) {
    shuffle(&set, &rng, space);
    lpot_interval early = lpot_race_interval(&terms, space->baseline, space->correct, 500);
    lpot_interval late = lpot_race_interval(&terms, space->baseline, space->correct, 2500);
    missed += truth_value < early.low || truth_value > early.high ? 1 : 0;
    width[0] += early.high - early.low;
    width[1] += late.high - late.low;
  }
  print_message("%d of %d intervals miss; widths %.4f and %.4f\n", missed, repetitions,
                width[0] / repetitions, width[1] / repetitions);
  assert_true(missed <= repetitions / 20);
  assert_true(width[1] < 0.6 * width[0]);
  lpot_interval whole = lpot_race_interval(&terms, space->baseline, space->correct, 5000);
  assert_true(whole.low == truth_value && whole.high == truth_value);
}

static void curtailment_is_exact(void **state) {
  (void)state;
  /* Ten samples, all right in f32; nine are needed. */
  const uint8_t baseline[2] = {0xff, 0x03};
  const uint8_t correct[2] = {0xfa, 0x03}; /* samples 0 and 2 are wrong */
  const lpot_race_terms terms = {.samples = 10, .baseline_correct = 10, .needed = 9};
  lpot_race race;
  lpot_race_init(&race);
  lpot_race_add(&race, &terms, baseline, correct, 0, 2);
  assert_false(lpot_race_is_lost(&race, &terms));
  lpot_race_add(&race, &terms, baseline, correct, 2, 1);
  assert_true(lpot_race_is_lost(&race, &terms));
  assert_true(race.samples == 3 && race.correct == 1 && race.lost == 2 && race.gained == 0);
}

static void what_meets_the_criterion_by_curtailment_is_never_lost(void **state) {
  (void)state;
  const uint8_t baseline[2] = {0xff, 0x03};
  const uint8_t correct[2] = {0xfe, 0x03};
  const lpot_race_terms terms = {.samples = 10, .baseline_correct = 10, .needed = 9};
  lpot_race race;
  lpot_race_init(&race);
  for (int64_t i = 0; i < 10; i++) {
    lpot_race_add(&race, &terms, baseline, correct, i, 1);
    assert_false(lpot_race_is_lost(&race, &terms));
  }
  assert_true(lpot_race_estimate(&race, &terms) == 0.9);
}

static void parts_give_the_same_as_the_whole(void **state) {
  const truth set = {3000, 100, 50};
  scratch *space = *state;
  lpot_rng rng;
  lpot_rng_init(&rng, 10);
  shuffle(&set, &rng, space);
  const lpot_race_terms terms = {
      .samples = 3000, .baseline_correct = baseline_of(&set), .needed = 2300};
  lpot_race whole;
  lpot_race parts;
  lpot_race_init(&whole);
  lpot_race_init(&parts);
  lpot_race_add(&whole, &terms, space->baseline, space->correct, 0, 3000);
  for (int64_t first = 0; first < 3000; first += 60) {
    lpot_race_add(&parts, &terms, space->baseline, space->correct, first, 60);
  }
  assert_memory_equal(whole.capital, parts.capital, sizeof whole.capital);
  assert_true(whole.lost == parts.lost && whole.rejected == parts.rejected);
}

static int set_up(void **state) {
  *state = lpot_calloc(1, sizeof(scratch));
  return *state == NULL;
}

static int tear_down(void **state) {
  lpot_free(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(false_rejections_are_rarer_than_stated),
      cmocka_unit_test(bad_recipes_are_rejected_early),
      cmocka_unit_test(interval_holds_the_truth_and_narrows),
      cmocka_unit_test(curtailment_is_exact),
      cmocka_unit_test(what_meets_the_criterion_by_curtailment_is_never_lost),
      cmocka_unit_test(parts_give_the_same_as_the_whole),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
