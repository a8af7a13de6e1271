#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tune/latency_stats.h"

#define COUNT 40

/* Clean rounds of 3 ms in f32 and 2 ms in the recipe, with a little noise. */
static void make_rounds(lpot_latency_round rounds[COUNT], uint64_t seed) {
  lpot_rng rng;
  lpot_rng_init(&rng, seed);
  for (size_t i = 0; i < COUNT; i++) {
    rounds[i] = (lpot_latency_round){.number = (uint32_t)i,
                                     .f32_ms = 3 + 0.01 * lpot_rng_uniform(&rng),
                                     .recipe_ms = 2 + 0.01 * lpot_rng_uniform(&rng),
                                     .cpu_share = 1};
  }
}

static lpot_window_fault judge(const lpot_latency_round *rounds, double reference_ms,
                               double *ret_figure) {
  double scratch[COUNT];
  double median_ms = 0;
  return lpot_window_judge(rounds, COUNT, reference_ms, 0.1, scratch, &median_ms, ret_figure);
}

static void median_of_one_value_is_the_value(void **state) {
  (void)state;
  double value[1] = {3};
  double median = 0;
  double low = 0;
  double high = 0;
  lpot_median_interval(value, 1, &median, &low, &high);
  assert_true(median == 3 && low == 3 && high == 3);
}

static void interval_of_few_values_is_their_range(void **state) {
  (void)state;
  double values[4] = {4, 1, 3, 2};
  double median = 0;
  double low = 0;
  double high = 0;
  lpot_median_interval(values, 4, &median, &low, &high);
  assert_true(median == 2.5 && low == 1 && high == 4);
}

static void interval_covers_the_true_median_in_19_of_20_samples(void **state) {
  (void)state;
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  int covered = 0;
  for (int repeat = 0; repeat < 4000; repeat++) {
    double values[100];
    double median = 0;
    double low = 0;
    double high = 0;
    for (size_t i = 0; i < 100; i++) {
      values[i] = lpot_rng_uniform(&rng);
    }
    lpot_median_interval(values, 100, &median, &low, &high);
    assert_true(low <= median && median <= high);
    covered += low <= 0.5 && 0.5 <= high;
  }
  assert_in_range(covered, 3760, 3900);
}

static void round_is_disturbed_by_what_its_guards_see(void **state) {
  (void)state;
  const struct {
    lpot_latency_round round;
    unsigned flags;
  } cases[] = {
      {{.cpu_share = 1}, 0},
      {{.cpu_share = 1, .switches = 1}, 0}, /* It took no time. */
      {{.cpu_share = 0.985F, .switches = 1}, LPOT_ROUND_SWITCHED},
      {{.cpu_share = 0.985F}, 0},
      {{.cpu_share = 0.97F}, LPOT_ROUND_STOLEN},
      {{.cpu_share = 0.5F, .switches = 3}, LPOT_ROUND_SWITCHED | LPOT_ROUND_STOLEN},
      {{.cpu_share = 1, .steal = 0.03F}, LPOT_ROUND_STOLEN},
      {{.cpu_share = 1, .steal = 0.01F}, 0},
      {{.cpu_share = 1, .crowding = 1.01F}, 0},
      {{.cpu_share = 1, .crowding = 1.02F}, LPOT_ROUND_CROWDED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(lpot_round_judge(&cases[i].round, 1.004), cases[i].flags);
  }
}

static void steady_window_is_fine(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double figure = 0;
  make_rounds(rounds, 1);
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_FINE);
  assert_int_equal(judge(rounds, 3.05, &figure), LPOT_WINDOW_FINE);
}

static void drift_within_a_window_is_seen(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double figure = 0;
  make_rounds(rounds, 2);
  for (size_t i = COUNT / 2; i < COUNT; i++) {
    rounds[i].f32_ms *= 1.04;
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_DRIFT_INSIDE);
  assert_in_range((int)(1000 * figure), 36, 44);
  for (size_t i = COUNT / 2; i < COUNT; i++) {
    rounds[i].f32_ms /= 1.04 * 1.04; /* Faster is a drift as well. */
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_DRIFT_INSIDE);
}

static void drift_that_chance_explains_is_none(void **state) {
  (void)state;
  static const double few[6] = {3.0, 3.3, 3.1, 3.25, 3.05, 3.2};
  lpot_latency_round rounds[6];
  double scratch[6];
  double median_ms = 0;
  double figure = 0;
  for (size_t i = 0; i < 6; i++) {
    rounds[i] = (lpot_latency_round){.f32_ms = few[i], .recipe_ms = 2, .cpu_share = 1};
  }
  /* Medians of 3.1 and 3.2 ms, but of three rounds each. */
  assert_int_equal(lpot_window_judge(rounds, 6, 3.29, 0.1, scratch, &median_ms, &figure),
                   LPOT_WINDOW_FINE);
  assert_int_equal(lpot_window_judge(rounds, 6, 3.31, 0.1, scratch, &median_ms, &figure),
                   LPOT_WINDOW_DRIFT_BETWEEN);
}

static void drift_since_the_first_window_is_seen(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double figure = 0;
  make_rounds(rounds, 3);
  assert_int_equal(judge(rounds, 2.8, &figure), LPOT_WINDOW_DRIFT_BETWEEN);
  assert_int_equal(judge(rounds, 3.2, &figure), LPOT_WINDOW_DRIFT_BETWEEN);
}

static void disturbed_rounds_are_left_out_of_the_drift(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double figure = 0;
  make_rounds(rounds, 4);
  for (size_t i = COUNT - 10; i < COUNT; i++) {
    rounds[i].f32_ms *= 2;
    rounds[i].flags = LPOT_ROUND_SWITCHED;
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_FINE);
}

static void many_interrupted_or_slow_rounds_spoil_a_window(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double figure = 0;
  make_rounds(rounds, 8);
  for (size_t i = 0; i < 12; i++) {
    rounds[i].flags = LPOT_ROUND_STOLEN;
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_FINE);
  rounds[12].flags = LPOT_ROUND_SWITCHED;
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_INTERRUPTED);
  make_rounds(rounds, 8);
  for (size_t i = 0; i < 28; i++) {
    rounds[i].flags = LPOT_ROUND_SLOW;
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_FINE);
  rounds[28].flags = LPOT_ROUND_SLOW;
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_SLOW);
  rounds[28].flags = LPOT_ROUND_CROWDED; /* Either spoils it. */
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_SLOW);
}

static void crowded_core_spoils_a_window(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  char text[LPOT_REASON_SIZE];
  double figure = 0;
  make_rounds(rounds, 9);
  for (size_t i = 0; i < 28; i++) { /* They are not clean, so their time does not matter. */
    rounds[i].flags = LPOT_ROUND_CROWDED;
    rounds[i].f32_ms *= 1.5;
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_FINE);
  rounds[28].flags = LPOT_ROUND_CROWDED;
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_CROWDED);
  lpot_window_fault_text(LPOT_WINDOW_CROWDED, 0.725, 2, text, sizeof text);
  assert_string_equal(text,
                      "something else ran on the core's other hyper-thread in 72 % of the rounds");
}

static void slow_is_what_is_far_above_the_fastest_f32(void **state) {
  (void)state;
  double best_f32_ms = 0;
  lpot_latency_round rounds[4] = {{.f32_ms = 3, .recipe_ms = 2, .flags = LPOT_ROUND_SLOW},
                                  {.f32_ms = 3.2, .recipe_ms = 4},
                                  {.f32_ms = 3.4, .recipe_ms = 2},
                                  {.f32_ms = 3.4, .recipe_ms = 2, .flags = LPOT_ROUND_STOLEN}};
  static const unsigned expected[4] = {0, 0, LPOT_ROUND_SLOW, LPOT_ROUND_SLOW | LPOT_ROUND_STOLEN};
  lpot_rounds_update_best(rounds, 4, &best_f32_ms);
  assert_true(best_f32_ms == 3);
  lpot_rounds_mark_slow(rounds, 4, best_f32_ms);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(rounds[i].flags, expected[i]);
  }
  best_f32_ms = 1; /* A better one of an earlier measurement stays. */
  lpot_rounds_update_best(rounds, 4, &best_f32_ms);
  assert_true(best_f32_ms == 1);
}

static void busy_neighbours_spoil_a_window(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  char text[LPOT_REASON_SIZE];
  double figure = 0;
  make_rounds(rounds, 5);
  for (size_t i = 0; i < COUNT; i++) {
    rounds[i].neighbours = 0.95F;
  }
  assert_int_equal(judge(rounds, 0, &figure), LPOT_WINDOW_NEIGHBOURS);
  lpot_window_fault_text(LPOT_WINDOW_NEIGHBOURS, figure, 2, text, sizeof text);
  assert_string_equal(text, "other processes kept 0.95 of the package's 2 processors busy");
}

static void figures_are_those_of_the_kept_rounds(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double scratch[COUNT];
  lpot_latency latency = {0};
  make_rounds(rounds, 6);
  for (size_t i = 0; i < COUNT; i++) {
    rounds[i].flags = i < 30 ? LPOT_ROUND_KEPT : LPOT_ROUND_UNSTEADY;
    rounds[i].f32_ms *= i < 30 ? 1 : 5;
  }
  lpot_rounds_summarise(rounds, COUNT, scratch, &latency);
  assert_int_equal(latency.counted, 30);
  assert_int_equal(latency.dropped, 10);
  assert_true(latency.f32_ms > 3 && latency.f32_ms < 3.01);
  assert_true(latency.speedup_low <= latency.speedup && latency.speedup <= latency.speedup_high);
  assert_true(fabs(latency.speedup - 1.5) < 0.01);
  assert_true(lpot_rounds_half_width(rounds, COUNT, scratch) < 0.01);
  assert_true(isinf(lpot_rounds_half_width(rounds, 5, scratch)));
  lpot_rounds_summarise(rounds + 30, 10, scratch, &latency);
  assert_int_equal(latency.counted, 0);
  assert_true(isnan(latency.speedup) && isnan(latency.f32_ms));
}

/* A bias that hits both plans of a round alike leaves the ratio as it is. */
static void ratio_of_rounds_survives_a_change_of_clock_rate(void **state) {
  (void)state;
  lpot_latency_round rounds[COUNT];
  double scratch[COUNT];
  lpot_latency latency = {0};
  make_rounds(rounds, 7);
  for (size_t i = 0; i < COUNT; i++) {
    double slower = 1 + (double)i / COUNT;
    rounds[i].f32_ms *= slower;
    rounds[i].recipe_ms *= slower;
    rounds[i].flags = LPOT_ROUND_KEPT;
  }
  lpot_rounds_summarise(rounds, COUNT, scratch, &latency);
  assert_true(fabs(latency.speedup - 1.5) < 0.01);
  assert_true(latency.speedup_high - latency.speedup_low < 0.02);
}

static void verdict_needs_the_whole_interval(void **state) {
  (void)state;
  const struct {
    double low, high;
    bool trusted;
    lpot_speed speed;
    const char *text;
  } cases[] = {
      {1.25, 1.75, true, LPOT_SPEED_FASTER, "1.50 times as fast as f32 [1.25, 1.75]"},
      {0.75, 1.75, true, LPOT_SPEED_NOT_SHOWN,
       "not shown to be faster than f32: 1.50 times as fast [0.75, 1.75]"},
      {1.0, 1.75, true, LPOT_SPEED_NOT_SHOWN,
       "not shown to be faster than f32: 1.50 times as fast [1.00, 1.75]"},
      {0.25, 0.75, true, LPOT_SPEED_SLOWER, "SLOWER than f32: 1.50 times as fast [0.25, 0.75]"},
      {1.25, 1.75, false, LPOT_SPEED_UNTRUSTED,
       "UNTRUSTED (noise): 1.50 times as fast as f32 [1.25, 1.75]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_latency latency = {.speedup = 1.5,
                            .speedup_low = cases[i].low,
                            .speedup_high = cases[i].high,
                            .trusted = cases[i].trusted,
                            .reason = "noise"};
    char text[512];
    assert_int_equal(lpot_latency_speed(&latency), cases[i].speed);
    lpot_latency_text(&latency, text, sizeof text);
    assert_string_equal(text, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(median_of_one_value_is_the_value),
      cmocka_unit_test(interval_of_few_values_is_their_range),
      cmocka_unit_test(interval_covers_the_true_median_in_19_of_20_samples),
      cmocka_unit_test(round_is_disturbed_by_what_its_guards_see),
      cmocka_unit_test(steady_window_is_fine),
      cmocka_unit_test(drift_within_a_window_is_seen),
      cmocka_unit_test(drift_that_chance_explains_is_none),
      cmocka_unit_test(drift_since_the_first_window_is_seen),
      cmocka_unit_test(disturbed_rounds_are_left_out_of_the_drift),
      cmocka_unit_test(many_interrupted_or_slow_rounds_spoil_a_window),
      cmocka_unit_test(crowded_core_spoils_a_window),
      cmocka_unit_test(slow_is_what_is_far_above_the_fastest_f32),
      cmocka_unit_test(busy_neighbours_spoil_a_window),
      cmocka_unit_test(figures_are_those_of_the_kept_rounds),
      cmocka_unit_test(ratio_of_rounds_survives_a_change_of_clock_rate),
      cmocka_unit_test(verdict_needs_the_whole_interval),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
