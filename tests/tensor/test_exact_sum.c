#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tensor/exact_sum.h"

static lpot_exact_sum sum_of(const float *values, size_t count) {
  lpot_exact_sum sum = {0};
  for (size_t i = 0; i < count; i++) {
    lpot_exact_sum_add(&sum, values[i]);
  }
  return sum;
}

static void single_values_are_kept(void **state) {
  (void)state;
  const float values[] = {0, -0.0F, 1, -1, 0.1F, 3e-45F, -FLT_MIN, FLT_MAX, -FLT_MAX, 1.0F / 3};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    lpot_exact_sum sum = sum_of(&values[i], 1);
    assert_true(lpot_exact_sum_value(&sum) == (double)values[i]);
  }
}

static void small_values_survive_large_ones(void **state) {
  (void)state;
  const float values[] = {1e30F, 1, 1e-30F, -1e30F, -1, 3e-45F};
  lpot_exact_sum sum = sum_of(values, 2);
  lpot_exact_sum_add(&sum, -1e30F);
  /* Each side is rounded to a double: 1e30 - 1e30 leaves nothing of 1. */
  assert_true(lpot_exact_sum_value(&sum) == 0);
  lpot_exact_sum low = sum_of(&values[2], 1);
  for (int i = 0; i < 1000; i++) {
    lpot_exact_sum_add(&low, 1e-30F);
  }
  assert_true(fabs(lpot_exact_sum_value(&low) / (1001 * (double)1e-30F) - 1) < 1e-15);
}

static void order_and_partition_do_not_matter(void **state) {
  (void)state;
  float values[3000];
  uint32_t random = 7;
  for (size_t i = 0; i < 3000; i++) {
    random = random * 1664525U + 1013904223U;
    values[i] = ldexpf((float)((int32_t)random >> 8), (int)(i % 250) - 150);
  }
  lpot_exact_sum forward = sum_of(values, 3000);
  lpot_exact_sum backward = {0};
  for (size_t i = 3000; i > 0; i--) {
    lpot_exact_sum_add(&backward, values[i - 1]);
  }
  assert_memory_equal(&forward, &backward, sizeof forward);
  lpot_exact_sum parts = sum_of(values + 1234, 3000 - 1234);
  lpot_exact_sum first = sum_of(values, 1234);
  lpot_exact_sum_merge(&parts, &first);
  assert_memory_equal(&forward, &parts, sizeof forward);
}

/* All bits of two words are set, then one more: the carry goes through. */
static void carries_go_through_words(void **state) {
  (void)state;
  lpot_exact_sum sum = {0};
  const float unit = 1.4e-45F;
  sum.words[0][0] = UINT64_MAX;
  sum.words[0][1] = UINT64_MAX;
  lpot_exact_sum_add(&sum, unit);
  const uint64_t expected[LPOT_EXACT_SUM_WORDS] = {0, 0, 1, 0, 0};
  assert_memory_equal(sum.words[0], expected, sizeof expected);
}

static void means_are_those_of_doubles(void **state) {
  (void)state;
  lpot_exact_sum sum = {0};
  double plain = 0;
  for (int i = 0; i < 10000; i++) {
    float value = sinf((float)i) * 3 + 1;
    lpot_exact_sum_add(&sum, value);
    plain += (double)value;
  }
  assert_true(fabs(lpot_exact_sum_value(&sum) - plain) < 1e-9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(single_values_are_kept),
      cmocka_unit_test(small_values_survive_large_ones),
      cmocka_unit_test(order_and_partition_do_not_matter),
      cmocka_unit_test(carries_go_through_words),
      cmocka_unit_test(means_are_those_of_doubles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
