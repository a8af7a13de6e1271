#include "quant/quant_fixture.h"

#include "quant/calibration.h"

#define MANY 100000

/* Sum of uniform patterns: near to normal with deviation 1, cut at about 3.5. */
static float bell(uint32_t *state) {
  double sum = 0;
  for (int i = 0; i < 12; i++) {
    *state = *state * 1664525U + 1013904223U;
    sum += (double)(*state >> 8) / 16777216.0;
  }
  return (float)(sum - 6);
}

static lpot_histogram histogram_of(const float *values, int64_t count) {
  lpot_error err = {0};
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  CHECK(lpot_histogram_update(&histogram, values, count, &err));
  return histogram;
}

static lpot_histogram bell_histogram(bool rectified) {
  lpot_error err = {0};
  lpot_histogram histogram;
  uint32_t state = 1;
  lpot_histogram_init(&histogram);
  for (int i = 0; i < MANY; i++) {
    float value = bell(&state);
    value = rectified ? fmaxf(value, 0) : value;
    CHECK(lpot_histogram_update(&histogram, &value, 1, &err));
  }
  return histogram;
}

static void add(lpot_histogram *histogram, float value) {
  lpot_error err = {0};
  CHECK(lpot_histogram_update(histogram, &value, 1, &err));
}

static void check_within_extremes(const lpot_histogram *histogram) {
  for (int algorithm = 0; algorithm < LPOT_NUM_ALGORITHMS; algorithm++) {
    for (int form = 0; form < 4; form++) {
      float low = 1;
      float high = -1;
      lpot_threshold(histogram, (lpot_algorithm)algorithm, form < 2 ? LPOT_U8 : LPOT_S8,
                     form % 2 == 0 ? LPOT_SCHEME_SYM : LPOT_SCHEME_ASYM, &low, &high);
      assert_true(low <= 0 && high >= 0);
      assert_true(low >= fminf(histogram->minimum, 0) && high <= fmaxf(histogram->maximum, 0));
      assert_false(signbit(high));
    }
  }
}

static void empty_histogram_gives_zero(void **state) {
  (void)state;
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  check_within_extremes(&histogram);
  float low = 1;
  float high = 1;
  lpot_threshold(&histogram, LPOT_KL, LPOT_U8, LPOT_SCHEME_ASYM, &low, &high);
  assert_true(low == 0 && high == 0);
}

static void no_threshold_leaves_what_was_seen(void **state) {
  (void)state;
  static const float lists[][4] = {{0, 0, 0, 0},          {1, 1, 1, 1},
                                   {-1, -2, -3, -4},      {1e-38F, -1e-40F, 0, 1e-44F},
                                   {3e38F, -3e38F, 1, 0}, {1, 2, 3, 1000}};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    lpot_histogram histogram = histogram_of(lists[i], 4);
    check_within_extremes(&histogram);
    lpot_histogram_done(&histogram);
  }
  for (int rectified = 0; rectified < 2; rectified++) {
    lpot_histogram histogram = bell_histogram(rectified != 0);
    check_within_extremes(&histogram);
    lpot_histogram_done(&histogram);
  }
}

static void minmax_is_exact_and_holds_zero(void **state) {
  (void)state;
  const float values[] = {2.7F, 3.3F};
  lpot_histogram histogram = histogram_of(values, 2);
  float low = 1;
  float high = 1;
  lpot_threshold(&histogram, LPOT_MINMAX, LPOT_S8, LPOT_SCHEME_SYM, &low, &high);
  assert_true(low == 0 && high == 3.3F);
  lpot_histogram_done(&histogram);
}

/* 100,000 uniform values in [-1, 1]: one in 10,000 of all values lies beyond 0.9998. */
static void percentile_cuts_each_side_by_one_in_ten_thousand(void **state) {
  (void)state;
  static float values[MANY];
  fixture_fill(values, MANY, 3);
  lpot_histogram histogram = histogram_of(values, MANY);
  float low = 0;
  float high = 0;
  lpot_threshold(&histogram, LPOT_PERCENTILE, LPOT_U8, LPOT_SCHEME_ASYM, &low, &high);
  assert_true(fabsf(high - 0.9998F) < 1e-4F);
  assert_true(fabsf(low + 0.9998F) < 1e-4F);
  for (int i = 0; i < 10; i++) {
    add(&histogram, 50);
  }
  lpot_threshold(&histogram, LPOT_PERCENTILE, LPOT_U8, LPOT_SCHEME_ASYM, &low, &high);
  assert_true(high < 1.02F);
  add(&histogram, 50);
  lpot_threshold(&histogram, LPOT_PERCENTILE, LPOT_U8, LPOT_SCHEME_ASYM, &low, &high);
  assert_true(high > 45);
  lpot_histogram_done(&histogram);
}

/* Zeros are values: nine positive ones among 100,000 zeros are all beyond the percentile. */
static void percentile_counts_zeros(void **state) {
  (void)state;
  static const float zeros[MANY] = {0};
  lpot_histogram histogram = histogram_of(zeros, MANY);
  float low = 1;
  float high = 1;
  for (int i = 0; i < 9; i++) {
    add(&histogram, 3);
  }
  lpot_threshold(&histogram, LPOT_PERCENTILE, LPOT_U8, LPOT_SCHEME_ASYM, &low, &high);
  assert_true(low == 0 && high == 0 && !signbit(low));
  lpot_histogram_done(&histogram);
}

/* The grid is walked by an exact computation on the values themselves. */
static void mse_finds_the_least_error_of_its_grid(void **state) {
  (void)state;
  static float values[20001];
  uint32_t random = 9;
  for (int i = 0; i < 20000; i++) {
    values[i] = bell(&random);
  }
  values[20000] = 12;
  lpot_histogram histogram = histogram_of(values, 20001);
  float low = 0;
  float high = 0;
  lpot_threshold(&histogram, LPOT_MSE, LPOT_S8, LPOT_SCHEME_SYM, &low, &high);
  double least = INFINITY;
  double best = 0;
  for (int i = 1; i <= 100; i++) {
    double threshold = 12.0 * i / 100;
    const lpot_quant_params params = lpot_quant_params_from_range(LPOT_S8, 1, 0, (float)threshold);
    double sum = 0;
    for (int k = 0; k < 20001; k++) {
      int32_t steps = lpot_quantize_one(values[k], &params);
      double rounded = (double)params.scale * (steps < -127 ? -127 : steps);
      sum += ((double)values[k] - rounded) * ((double)values[k] - rounded);
    }
    best = sum < least ? threshold : best;
    least = fmin(sum, least);
  }
  assert_true(best < 11);
  assert_true(fabs((double)high - best) <= 0.25);
  assert_true(low == fmaxf(histogram.minimum, -high));
  lpot_histogram_done(&histogram);
}

static void mse_keeps_the_whole_range_of_uniform_values(void **state) {
  (void)state;
  static float values[MANY];
  fixture_fill(values, MANY, 3);
  lpot_histogram histogram = histogram_of(values, MANY);
  float low = 0;
  float high = 0;
  lpot_threshold(&histogram, LPOT_MSE, LPOT_U8, LPOT_SCHEME_ASYM, &low, &high);
  assert_true(high > 0.98F && low < -0.98F);
  lpot_histogram_done(&histogram);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_histogram_gives_zero),
      cmocka_unit_test(no_threshold_leaves_what_was_seen),
      cmocka_unit_test(minmax_is_exact_and_holds_zero),
      cmocka_unit_test(percentile_cuts_each_side_by_one_in_ten_thousand),
      cmocka_unit_test(percentile_counts_zeros),
      cmocka_unit_test(mse_finds_the_least_error_of_its_grid),
      cmocka_unit_test(mse_keeps_the_whole_range_of_uniform_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
