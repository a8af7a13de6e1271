#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "tensor/histogram.h"

enum { COUNT = 5000 };

/* Values of all kinds: many magnitudes, zeros of both signs, denormals, NaN and infinities. */
static void fill_values(float *values, uint64_t seed) {
  static const float special[] = {0.0F,    -0.0F,   NAN,     INFINITY, -INFINITY,
                                  FLT_MAX, FLT_MIN, -1e-45F, 1e-40F,   1.0F,
                                  -2.0F,   0.5F,    4096.0F, -FLT_MAX, 1.17e-38F};
  lpot_rng rng;
  lpot_rng_init(&rng, seed);
  for (int i = 0; i < COUNT; i++) {
    uint64_t kind = lpot_rng_below(&rng, 10);
    if (kind == 0) {
      values[i] = special[lpot_rng_below(&rng, sizeof special / sizeof special[0])];
    } else if (kind < 5) {
      values[i] = fmaxf((float)lpot_rng_normal(&rng), 0.0F);
    } else {
      values[i] = (float)ldexp(lpot_rng_normal(&rng), (int)lpot_rng_below(&rng, 60) - 40);
    }
  }
}

static void update(lpot_histogram *histogram, const float *values, int64_t count) {
  assert_int_equal(lpot_histogram_update(histogram, values, count, NULL), LPOT_OK);
}

static void check_same_bytes(const lpot_histogram *a, const lpot_histogram *b) {
  lpot_buffer a_bytes;
  lpot_buffer b_bytes;
  lpot_buffer_init(&a_bytes);
  lpot_buffer_init(&b_bytes);
  assert_int_equal(lpot_histogram_write(a, &a_bytes, NULL), LPOT_OK);
  assert_int_equal(lpot_histogram_write(b, &b_bytes, NULL), LPOT_OK);
  assert_int_equal(a_bytes.size, b_bytes.size);
  assert_memory_equal(a_bytes.data, b_bytes.data, a_bytes.size);
  assert_true(lpot_histogram_equal(a, b));
  lpot_buffer_done(&a_bytes);
  lpot_buffer_done(&b_bytes);
}

static void empty_histogram_owns_nothing(void **state) {
  (void)state;
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, NULL, 0);
  assert_null(histogram.positive);
  assert_null(histogram.negative);
  assert_true(histogram.total == 0 && histogram.minimum == 0 && histogram.maximum == 0);
  assert_int_equal(histogram.exponent, LPOT_HISTOGRAM_MIN_EXPONENT);
  lpot_histogram_done(&histogram);
  lpot_histogram_done(&histogram);
}

static void values_fall_into_their_bins(void **state) {
  (void)state;
  /* The range becomes [0, 4): one bin is 1/1024. */
  const float values[] = {3.0F, 1.0F, -1.0F, 0.0009765625F, 0.0009F, -3.9999F, 0.0F, -0.0F};
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, values, 8);
  assert_int_equal(histogram.exponent, 2);
  assert_true(lpot_histogram_bin_width(&histogram) == 0x1p-10);
  assert_true(histogram.positive[3072] == 1);
  assert_true(histogram.positive[1024] == 1);
  assert_true(histogram.positive[1] == 1);
  assert_true(histogram.positive[0] == 1);
  assert_true(histogram.negative[1024] == 1);
  assert_true(histogram.negative[4095] == 1);
  assert_true(histogram.zeros == 2);
  assert_true(histogram.total == 8);
  assert_true(lpot_histogram_num_finite(&histogram) == 8);
  assert_true(histogram.minimum == -3.9999F && histogram.maximum == 3.0F);
  lpot_histogram_done(&histogram);
}

static void a_power_of_two_opens_the_next_range(void **state) {
  (void)state;
  const float power = 4.0F;
  const float below = nextafterf(4.0F, 0.0F);
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, &below, 1);
  assert_int_equal(histogram.exponent, 2);
  assert_true(histogram.positive[4095] == 1);
  update(&histogram, &power, 1);
  assert_int_equal(histogram.exponent, 3);
  assert_true(histogram.positive[2047] == 1);
  assert_true(histogram.positive[2048] == 1);
  lpot_histogram_done(&histogram);
}

static void nan_and_infinities_are_counted_apart(void **state) {
  (void)state;
  const float values[] = {NAN, INFINITY, -INFINITY, -INFINITY, -NAN, NAN};
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, values, 6);
  assert_null(histogram.positive);
  assert_true(histogram.nans == 3);
  assert_true(histogram.positive_infinities == 1);
  assert_true(histogram.negative_infinities == 2);
  assert_true(histogram.total == 6);
  assert_true(lpot_histogram_num_finite(&histogram) == 0);
  assert_true(histogram.minimum == 0 && histogram.maximum == 0);
  const float negative = -5.0F;
  update(&histogram, &negative, 1);
  assert_true(histogram.minimum == -5 && histogram.maximum == -5);
  lpot_histogram_done(&histogram);
  const float positive = 5.0F;
  update(&histogram, &positive, 1);
  assert_true(histogram.minimum == 5 && histogram.maximum == 5);
  lpot_histogram_done(&histogram);
}

static void limits_never_are_minus_zero(void **state) {
  (void)state;
  const float values[] = {-0.0F, -0.0F};
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, values, 2);
  assert_true(histogram.zeros == 2);
  assert_false(signbit(histogram.minimum));
  assert_false(signbit(histogram.maximum));
  lpot_histogram_done(&histogram);
}

static void extreme_magnitudes_are_binned(void **state) {
  (void)state;
  const float smallest = 1e-45F;
  const float largest = FLT_MAX;
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, &smallest, 1);
  assert_int_equal(histogram.exponent, LPOT_HISTOGRAM_MIN_EXPONENT);
  assert_true(histogram.positive[0] == 1);
  const float normal = FLT_MIN;
  update(&histogram, &normal, 1);
  assert_int_equal(histogram.exponent, -125);
  assert_true(histogram.positive[2048] == 1);
  update(&histogram, &largest, 1);
  assert_int_equal(histogram.exponent, LPOT_HISTOGRAM_MAX_EXPONENT);
  assert_true(histogram.positive[4095] == 1);
  assert_true(histogram.positive[0] == 2);
  lpot_histogram_done(&histogram);
}

static void bins_agree_with_exact_arithmetic(void **state) {
  (void)state;
  static float values[COUNT];
  static uint64_t expected[2][LPOT_HISTOGRAM_BINS];
  fill_values(values, 77);
  for (int i = 0; i < COUNT; i++) {
    /* Leaves out the extremes, so that the bins are well filled. */
    values[i] = isfinite(values[i]) && fabsf(values[i]) < 100 ? values[i] : 1.0F;
  }
  values[17] = -99.0F;
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  update(&histogram, values, COUNT);
  assert_int_equal(histogram.exponent, 7);
  uint64_t zeros = 0;
  memset(expected, 0, sizeof expected);
  for (int i = 0; i < COUNT; i++) {
    double bin = floor(ldexp(fabs((double)values[i]), 12 - 7));
    if (values[i] == 0) {
      zeros++;
    } else {
      expected[values[i] < 0][(int)bin]++;
    }
  }
  assert_true(histogram.zeros == zeros);
  assert_memory_equal(histogram.positive, expected[0], sizeof expected[0]);
  assert_memory_equal(histogram.negative, expected[1], sizeof expected[1]);
  lpot_histogram_done(&histogram);
}

static void any_order_gives_the_same_bytes(void **state) {
  (void)state;
  static float values[COUNT];
  static float shuffled[COUNT];
  static uint64_t order[COUNT];
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  for (uint64_t seed = 0; seed < 20; seed++) {
    fill_values(values, seed);
    lpot_rng_permutation(&rng, COUNT, order);
    for (int i = 0; i < COUNT; i++) {
      shuffled[i] = values[order[i]];
    }
    lpot_histogram a;
    lpot_histogram b;
    lpot_histogram_init(&a);
    lpot_histogram_init(&b);
    update(&a, values, COUNT);
    update(&b, shuffled, COUNT);
    check_same_bytes(&a, &b);
    lpot_histogram_done(&a);
    lpot_histogram_done(&b);
  }
}

static void any_split_gives_the_same_bytes(void **state) {
  (void)state;
  static float values[COUNT];
  lpot_rng rng;
  lpot_rng_init(&rng, 2);
  for (uint64_t seed = 0; seed < 20; seed++) {
    fill_values(values, seed);
    lpot_histogram whole;
    lpot_histogram parts;
    lpot_histogram_init(&whole);
    lpot_histogram_init(&parts);
    update(&whole, values, COUNT);
    int64_t done = 0;
    while (done < COUNT) {
      int64_t part = (int64_t)lpot_rng_below(&rng, 700);
      part = part < COUNT - done ? part : COUNT - done;
      update(&parts, values + done, part);
      done += part;
    }
    check_same_bytes(&whole, &parts);
    lpot_histogram_done(&whole);
    lpot_histogram_done(&parts);
  }
}

static void any_merge_tree_gives_the_same_bytes(void **state) {
  (void)state;
  enum { RANKS = 13 };
  static float values[COUNT];
  lpot_rng rng;
  lpot_rng_init(&rng, 3);
  for (uint64_t seed = 0; seed < 20; seed++) {
    fill_values(values, seed);
    lpot_histogram whole;
    lpot_histogram parts[RANKS];
    lpot_histogram_init(&whole);
    update(&whole, values, COUNT);
    for (int i = 0; i < RANKS; i++) {
      lpot_histogram_init(&parts[i]);
    }
    /* Some ranks get much, some nothing. */
    for (int i = 0; i < COUNT; i++) {
      update(&parts[lpot_rng_below(&rng, lpot_rng_below(&rng, RANKS) + 1)], values + i, 1);
    }
    for (size_t left = RANKS; left > 1; left--) {
      size_t from = (size_t)lpot_rng_below(&rng, left);
      size_t into = (from + 1 + (size_t)lpot_rng_below(&rng, left - 1)) % left;
      assert_int_equal(lpot_histogram_merge(&parts[into], &parts[from], NULL), LPOT_OK);
      lpot_histogram_done(&parts[from]);
      parts[from] = parts[left - 1];
    }
    check_same_bytes(&whole, &parts[0]);
    lpot_histogram_done(&whole);
    lpot_histogram_done(&parts[0]);
  }
}

static void merging_an_empty_one_changes_nothing(void **state) {
  (void)state;
  const float values[] = {-3.0F, -2.0F};
  lpot_histogram histogram;
  lpot_histogram empty;
  lpot_histogram_init(&histogram);
  lpot_histogram_init(&empty);
  update(&histogram, values, 2);
  assert_int_equal(lpot_histogram_merge(&histogram, &empty, NULL), LPOT_OK);
  assert_true(histogram.maximum == -2 && histogram.minimum == -3);
  assert_int_equal(lpot_histogram_merge(&empty, &histogram, NULL), LPOT_OK);
  check_same_bytes(&histogram, &empty);
  lpot_histogram_done(&histogram);
  lpot_histogram_done(&empty);
}

static void totals_beyond_64_bits_are_refused(void **state) {
  (void)state;
  lpot_histogram a;
  lpot_histogram b;
  lpot_histogram_init(&a);
  lpot_histogram_init(&b);
  a.nans = a.total = UINT64_MAX;
  b.nans = b.total = 1;
  assert_int_equal(lpot_histogram_merge(&a, &b, NULL), LPOT_INVALID);
  assert_true(a.total == UINT64_MAX);
}

static void equality_sees_every_difference(void **state) {
  (void)state;
  static const float values[][2] = {{1.0F, 2.0F},   {1.0F, 2.0000002F}, {1.0F, -2.0F},
                                    {1.001F, 2.0F}, {1.0F, NAN},        {1.0F, 0.0F},
                                    {0.0F, 0.0F},   {NAN, NAN},         {INFINITY, NAN}};
  enum { SETS = sizeof values / sizeof values[0] };
  lpot_histogram histograms[SETS];
  for (size_t i = 0; i < SETS; i++) {
    lpot_histogram_init(&histograms[i]);
    update(&histograms[i], values[i], 2);
  }
  for (size_t i = 0; i < SETS; i++) {
    for (size_t j = 0; j < SETS; j++) {
      assert_int_equal(lpot_histogram_equal(&histograms[i], &histograms[j]), i == j);
    }
  }
  for (size_t i = 0; i < SETS; i++) {
    lpot_histogram_done(&histograms[i]);
  }
}

static void exhausted_memory_changes_nothing(void **state) {
  (void)state;
  const float values[] = {1.0F, NAN};
  lpot_histogram histogram;
  lpot_histogram full;
  lpot_histogram_init(&histogram);
  lpot_histogram_init(&full);
  update(&full, values, 2);
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_histogram_update(&histogram, values, 2, NULL), LPOT_NO_MEMORY);
  assert_int_equal(lpot_histogram_merge(&histogram, &full, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_true(histogram.total == 0 && histogram.nans == 0);
  assert_null(histogram.positive);
  lpot_histogram_done(&full);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_histogram_owns_nothing),
      cmocka_unit_test(values_fall_into_their_bins),
      cmocka_unit_test(a_power_of_two_opens_the_next_range),
      cmocka_unit_test(nan_and_infinities_are_counted_apart),
      cmocka_unit_test(limits_never_are_minus_zero),
      cmocka_unit_test(extreme_magnitudes_are_binned),
      cmocka_unit_test(bins_agree_with_exact_arithmetic),
      cmocka_unit_test(any_order_gives_the_same_bytes),
      cmocka_unit_test(any_split_gives_the_same_bytes),
      cmocka_unit_test(any_merge_tree_gives_the_same_bytes),
      cmocka_unit_test(merging_an_empty_one_changes_nothing),
      cmocka_unit_test(totals_beyond_64_bits_are_refused),
      cmocka_unit_test(equality_sees_every_difference),
      cmocka_unit_test(exhausted_memory_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
