#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tune/pareto.h"

#define MAX_ROWS 2000
#define UNKNOWN ((double)NAN)

/* A row of exact figures; other figures are not known. */
static lpot_pareto_row row_of(double accuracy_cost, double latency_low, double latency_high,
                              double size) {
  lpot_pareto_row row = {0};
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    row.figures[i] = lpot_figure_exact(UNKNOWN);
  }
  row.figures[LPOT_OBJECTIVE_ACCURACY] = lpot_figure_exact(accuracy_cost);
  row.figures[LPOT_OBJECTIVE_PERFORMANCE] = (lpot_figure){latency_low, latency_high};
  row.figures[LPOT_OBJECTIVE_MODELSIZE] = lpot_figure_exact(size);
  return row;
}

static lpot_pareto_row exact(double accuracy_cost, double latency, double size) {
  return row_of(accuracy_cost, latency, latency, size);
}

static void assert_members(lpot_pareto_row *rows, size_t count, const char *expected) {
  lpot_pareto_front(rows, count);
  for (size_t i = 0; i < count; i++) {
    if (rows[i].member != (expected[i] == 'y')) {
      fail_msg("row %zu is %sa member", i, rows[i].member ? "" : "not ");
    }
  }
}

static void no_rows_have_no_front(void **state) {
  (void)state;
  lpot_pareto_front(NULL, 0);
}

static void what_is_worse_in_one_and_better_in_none_is_no_member(void **state) {
  (void)state;
  lpot_pareto_row rows[] = {exact(1, 0.5, 0.3), exact(1, 0.6, 0.3),    exact(0.9, 0.9, 0.9),
                            exact(1.1, 0.4, 1), exact(1.1, 0.41, 1.2), exact(1.2, 0.5, 0.3)};
  assert_members(rows, 6, "ynyynn");
}

static void rows_with_the_same_figures_are_all_members(void **state) {
  (void)state;
  lpot_pareto_row rows[] = {exact(1, 0.5, 0.3), exact(2, 0.5, 0.3), exact(1, 0.5, 0.3)};
  assert_members(rows, 3, "yny");
}

static void latencies_whose_intervals_overlap_are_alike(void **state) {
  (void)state;
  lpot_pareto_row rows[] = {row_of(1, 0.50, 0.60, 0.3), row_of(1, 0.58, 0.70, 0.3),
                            row_of(1, 0.61, 0.75, 0.3)};
  assert_members(rows, 3, "yyn"); /* the last one overlaps the second, but not the first */
  lpot_pareto_row two[] = {row_of(1, 0.50, 0.60, 0.3), row_of(0.9, 0.59, 0.70, 0.3)};
  assert_members(two, 2, "ny"); /* alike in latency, so accuracy decides */
}

static void unknown_latency_is_worse_than_any_and_like_another(void **state) {
  (void)state;
  lpot_pareto_row rows[] = {exact(1, UNKNOWN, 0.3), exact(1, 99, 0.3)};
  assert_members(rows, 2, "ny");
  lpot_pareto_row better[] = {exact(0.9, UNKNOWN, 0.3), exact(1, 0.5, 0.3), exact(1, UNKNOWN, 0.3),
                              exact(1, UNKNOWN, 0.2)};
  assert_members(better, 4, "yyny");
  lpot_pareto_row none[] = {exact(1, UNKNOWN, UNKNOWN), exact(0.9, UNKNOWN, UNKNOWN),
                            exact(0.9, UNKNOWN, UNKNOWN)};
  assert_members(none, 3, "nyy");
}

/* The shortcut must not change the answer. */
static void front_is_that_of_comparing_all_pairs(void **state) {
  (void)state;
  static lpot_pareto_row rows[MAX_ROWS];
  uint32_t random = 1978;
  for (size_t i = 0; i < MAX_ROWS; i++) {
    double numbers[3];
    for (size_t k = 0; k < 3; k++) {
      random = random * 1664525u + 1013904223u;
      numbers[k] = (double)(random >> 22) / 1024;
    }
    rows[i] = row_of(numbers[0], numbers[1], numbers[1] + 0.01, numbers[2]);
  }
  lpot_pareto_front(rows, MAX_ROWS);
  size_t members = 0;
  for (size_t i = 0; i < MAX_ROWS; i++) {
    bool dominated = false;
    for (size_t k = 0; k < MAX_ROWS; k++) {
      lpot_pareto_row pair[] = {rows[k], rows[i]};
      lpot_pareto_front(pair, 2);
      dominated = dominated || !pair[1].member;
    }
    assert_int_equal(rows[i].member, !dominated);
    members += rows[i].member ? 1 : 0;
  }
  assert_in_range(members, 5, 500);
}

/* ---- of a ledger ---- */

#define COUNT 4

static void ledger_gives_what_was_evaluated_whole_in_the_order_of_ids(void **state) {
  (void)state;
  lpot_ledger_result results[COUNT] = {0};
  lpot_ledger_trial trials[COUNT] = {0};
  static const double accuracies[COUNT] = {0.9, 0.95, 0.99, 0.8};
  for (size_t i = 0; i < COUNT; i++) {
    results[i] = (lpot_ledger_result){
        .recipe_hash = i + 1, .status = LPOT_TRIAL_DONE, .accuracy = accuracies[i]};
    trials[i] = (lpot_ledger_trial){.id = i + 1, .result = i, .size_bytes = 100 - i};
  }
  results[2].status = LPOT_TRIAL_PRUNED; /* 0.99 is an estimate */
  trials[0].measured = true;
  trials[0].latency =
      (lpot_latency){.speedup = 2, .speedup_low = 1.9, .speedup_high = 2.1, .trusted = true};
  trials[3].measured = true; /* untrusted: it counts for nothing */
  trials[3].latency = (lpot_latency){.speedup = 9, .speedup_low = 8, .speedup_high = 10};
  lpot_ledger ledger = {.baseline = {.accuracy = 1},
                        .header = {.higher_is_better = true},
                        .num_trials = COUNT,
                        .trials = trials,
                        .num_results = COUNT,
                        .results = results};
  lpot_pareto_row *rows = NULL;
  size_t count = 0;
  assert_int_equal(lpot_pareto_of(&ledger, &rows, &count, NULL), LPOT_OK);
  assert_int_equal(count, 3);
  for (size_t i = 0; i < count; i++) {
    static const uint64_t ids[] = {1, 2, 4}; /* the fastest, the most accurate, the smallest */
    assert_int_equal(rows[i].trial, ids[i]);
  }
  assert_true(rows[0].figures[LPOT_OBJECTIVE_PERFORMANCE].high == 1 / 1.9);
  assert_false(lpot_figure_is_known(&rows[2].figures[LPOT_OBJECTIVE_PERFORMANCE]));
  lpot_free(rows);
  ledger.header.higher_is_better = false; /* then trial 4 is the most accurate and smallest */
  assert_int_equal(lpot_pareto_of(&ledger, &rows, &count, NULL), LPOT_OK);
  assert_int_equal(count, 2);
  assert_int_equal(rows[0].trial, 1);
  assert_int_equal(rows[1].trial, 4);
  lpot_free(rows);
  for (lpot_trial_status status = LPOT_TRIAL_DONE; status < LPOT_NUM_TRIAL_STATUSES; status++) {
    ledger.num_trials = 1;
    results[0].status = status;
    assert_int_equal(lpot_pareto_of(&ledger, &rows, &count, NULL), LPOT_OK);
    assert_int_equal(count, status == LPOT_TRIAL_DONE ? 1 : 0);
    lpot_free(rows);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_rows_have_no_front),
      cmocka_unit_test(what_is_worse_in_one_and_better_in_none_is_no_member),
      cmocka_unit_test(rows_with_the_same_figures_are_all_members),
      cmocka_unit_test(latencies_whose_intervals_overlap_are_alike),
      cmocka_unit_test(unknown_latency_is_worse_than_any_and_like_another),
      cmocka_unit_test(front_is_that_of_comparing_all_pairs),
      cmocka_unit_test(ledger_gives_what_was_evaluated_whole_in_the_order_of_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
