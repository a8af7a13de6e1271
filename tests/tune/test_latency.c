#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tune/latency.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(median_of_one_value_is_the_value),
      cmocka_unit_test(interval_of_few_values_is_their_range),
      cmocka_unit_test(interval_covers_the_true_median_in_19_of_20_samples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
