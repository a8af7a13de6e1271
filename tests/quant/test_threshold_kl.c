#include "quant/quant_fixture.h"

#include "quant/threshold_kl.h"

#define MANY 100000

static lpot_histogram new_histogram(void) {
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  return histogram;
}

static void add(lpot_histogram *histogram, double value) {
  lpot_error err = {0};
  float narrowed = (float)value;
  CHECK(lpot_histogram_update(histogram, &narrowed, 1, &err));
}

/* Quantiles of the exponential distribution: dense near zero, a thin tail up to 11.5. */
static void add_exponential(lpot_histogram *histogram, double sign) {
  for (int i = 0; i < MANY; i++) {
    add(histogram, -sign * log((i + 0.5) / MANY));
  }
}

/* The divergence by its definition, with whole bins per level. */
static double slow_divergence(const lpot_histogram *histogram, int num_kept, int levels) {
  double clipped = 0;
  double kept = 0;
  double sum = 0;
  for (int i = 0; i < LPOT_HISTOGRAM_BINS; i++) {
    *(i < num_kept ? &kept : &clipped) += (double)histogram->positive[i];
  }
  for (int level = 0; level < levels; level++) {
    int begin = level * num_kept / levels;
    int end = (level + 1) * num_kept / levels;
    double group = 0;
    double filled = 0;
    for (int i = begin; i < end; i++) {
      group += (double)histogram->positive[i];
      filled += histogram->positive[i] > 0 ? 1 : 0;
    }
    for (int i = begin; i < end; i++) {
      double p = (double)histogram->positive[i] + (i == num_kept - 1 ? clipped : 0);
      if (p > 0) {
        sum += p / (kept + clipped) * log(p / (group / filled));
      }
    }
  }
  return sum;
}

static void threshold_is_one_of_least_divergence_by_definition(void **state) {
  (void)state;
  lpot_histogram histogram = new_histogram();
  add_exponential(&histogram, 1);
  add(&histogram, 100);
  double width = lpot_histogram_bin_width(&histogram);
  double found = lpot_threshold_kl(&histogram, 255, 100);
  double least = INFINITY;
  for (int num_kept = 255; num_kept * width < 100; num_kept++) {
    if (histogram.positive[num_kept - 1] > 0) {
      least = fmin(least, slow_divergence(&histogram, num_kept, 255));
    }
  }
  assert_true(slow_divergence(&histogram, (int)(found / width), 255) < least * 1.1 + 1e-5);
  lpot_histogram_done(&histogram);
}

static void outlier_is_cut_off(void **state) {
  (void)state;
  lpot_histogram histogram = new_histogram();
  add_exponential(&histogram, 1);
  assert_true(lpot_threshold_kl(&histogram, 255, (double)histogram.maximum) > 7);
  add(&histogram, 100);
  double with_outlier = lpot_threshold_kl(&histogram, 255, (double)histogram.maximum);
  assert_true(with_outlier > 6 && with_outlier < 13);
  lpot_histogram_done(&histogram);
}

static void uniform_values_keep_their_range(void **state) {
  (void)state;
  lpot_histogram histogram = new_histogram();
  for (int i = 0; i < MANY; i++) {
    add(&histogram, (i + 0.5) * 1.5 / MANY);
  }
  assert_true(lpot_threshold_kl(&histogram, 127, (double)histogram.maximum) > 1.48);
  assert_true(lpot_threshold_kl(&histogram, 127, (double)histogram.maximum) <=
              (double)histogram.maximum);
  lpot_histogram_done(&histogram);
}

/* A threshold at the first of these values would clip all others into its bin. */
static void values_far_from_zero_keep_their_range(void **state) {
  (void)state;
  lpot_histogram histogram = new_histogram();
  for (int i = 0; i < MANY; i++) {
    add(&histogram, 1 + pow((i + 0.5) / MANY, 3));
  }
  assert_true(lpot_threshold_kl(&histogram, 127, (double)histogram.maximum) > 1.9);
  lpot_histogram_done(&histogram);
}

static void both_signs_count_alike(void **state) {
  (void)state;
  lpot_histogram positive = new_histogram();
  lpot_histogram negative = new_histogram();
  add_exponential(&positive, 1);
  add_exponential(&negative, -1);
  double a = lpot_threshold_kl(&positive, 127, (double)positive.maximum);
  double b = lpot_threshold_kl(&negative, 127, -(double)negative.minimum);
  assert_true(a == b);
  lpot_histogram_done(&positive);
  lpot_histogram_done(&negative);
}

static void zeros_change_nothing(void **state) {
  (void)state;
  static const float zeros[MANY] = {0};
  lpot_error err = {0};
  lpot_histogram histogram = new_histogram();
  add_exponential(&histogram, 1);
  double before = lpot_threshold_kl(&histogram, 255, (double)histogram.maximum);
  CHECK(lpot_histogram_update(&histogram, zeros, MANY, &err));
  assert_true(lpot_threshold_kl(&histogram, 255, (double)histogram.maximum) == before);
  lpot_histogram_done(&histogram);
}

static void single_value_is_its_own_threshold(void **state) {
  (void)state;
  lpot_histogram histogram = new_histogram();
  add(&histogram, 3.25);
  assert_true(lpot_threshold_kl(&histogram, 127, 3.25) == 3.25);
  lpot_histogram_done(&histogram);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threshold_is_one_of_least_divergence_by_definition),
      cmocka_unit_test(outlier_is_cut_off),
      cmocka_unit_test(uniform_values_keep_their_range),
      cmocka_unit_test(values_far_from_zero_keep_their_range),
      cmocka_unit_test(both_signs_count_alike),
      cmocka_unit_test(zeros_change_nothing),
      cmocka_unit_test(single_value_is_its_own_threshold),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
