#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

static void splitmix64_seeds_as_published(void **state) {
  (void)state;
  /* The first outputs of splitmix64 from seed 0. */
  lpot_rng rng;
  lpot_rng_init(&rng, 0);
  assert_true(rng.state[0] == UINT64_C(0xE220A8397B1DCDAF));
  assert_true(rng.state[1] == UINT64_C(0x6E789E6AA1B965F4));
  assert_true(rng.state[2] == UINT64_C(0x06C45D188009454F));
}

static void xoshiro_gives_the_published_numbers(void **state) {
  (void)state;
  /* From state {1, 2, 3, 4}, as the reference implementation prints them. */
  lpot_rng rng = {.state = {1, 2, 3, 4}};
  static const uint64_t expected[] = {UINT64_C(11520), UINT64_C(0), UINT64_C(1509978240),
                                      UINT64_C(1215971899390074240)};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_true(lpot_rng_next(&rng) == expected[i]);
  }
}

static void below_is_uniform_and_in_range(void **state) {
  (void)state;
  lpot_rng rng;
  lpot_rng_init(&rng, 42);
  int counts[7] = {0};
  for (int i = 0; i < 70000; i++) {
    uint64_t value = lpot_rng_below(&rng, 7);
    assert_true(value < 7);
    counts[value]++;
  }
  for (int i = 0; i < 7; i++) {
    assert_in_range(counts[i], 9600, 10400);
  }
  assert_true(lpot_rng_below(&rng, 1) == 0);
  /* Of a bound of 3/4 of the range, a plain remainder would make the first third twice as likely
   * as the others: a mean of 0.42. */
  const uint64_t bound = UINT64_C(3) << 62;
  double sum = 0;
  for (int i = 0; i < 10000; i++) {
    uint64_t value = lpot_rng_below(&rng, bound);
    assert_true(value < bound);
    sum += (double)value / (double)bound;
  }
  assert_true(fabs(sum / 10000 - 0.5) < 0.02);
}

static void uniform_stays_below_one(void **state) {
  (void)state;
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  double sum = 0;
  for (int i = 0; i < 100000; i++) {
    double value = lpot_rng_uniform(&rng);
    assert_true(value >= 0 && value < 1);
    sum += value;
  }
  assert_true(fabs(sum / 100000 - 0.5) < 0.005);
}

static void normal_has_mean_zero_variance_one_and_tails(void **state) {
  (void)state;
  enum { COUNT = 200000 };
  lpot_rng rng;
  lpot_rng_init(&rng, 3);
  double sum = 0;
  double squares = 0;
  int within_one = 0;
  int beyond_three = 0;
  for (int i = 0; i < COUNT; i++) {
    double value = lpot_rng_normal(&rng);
    sum += value;
    squares += value * value;
    within_one += fabs(value) < 1;
    beyond_three += fabs(value) > 3;
  }
  assert_true(fabs(sum / COUNT) < 0.01);
  assert_true(fabs(squares / COUNT - 1) < 0.01);
  assert_true(fabs((double)within_one / COUNT - 0.6827) < 0.005);
  assert_in_range(beyond_three, 400, 680);
}

static void permutation_holds_every_number_once(void **state) {
  (void)state;
  enum { COUNT = 1000 };
  lpot_rng rng;
  lpot_rng_init(&rng, 9);
  uint64_t order[COUNT];
  bool seen[COUNT] = {false};
  int fixed = 0;
  lpot_rng_permutation(&rng, COUNT, order);
  for (size_t i = 0; i < COUNT; i++) {
    assert_true(order[i] < COUNT);
    assert_false(seen[order[i]]);
    seen[order[i]] = true;
    fixed += order[i] == i;
  }
  assert_true(fixed < 10);
  lpot_rng_permutation(&rng, 0, NULL);
  lpot_rng_permutation(&rng, 1, order);
  assert_true(order[0] == 0);
}

static void every_permutation_of_three_is_equally_likely(void **state) {
  (void)state;
  lpot_rng rng;
  lpot_rng_init(&rng, 5);
  int counts[27] = {0};
  for (int i = 0; i < 60000; i++) {
    uint64_t order[3];
    lpot_rng_permutation(&rng, 3, order);
    counts[order[0] * 9 + order[1] * 3 + order[2]]++;
  }
  static const int codes[] = {5, 7, 11, 15, 19, 21};
  for (size_t i = 0; i < 6; i++) {
    assert_in_range(counts[codes[i]], 9600, 10400);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splitmix64_seeds_as_published),
      cmocka_unit_test(xoshiro_gives_the_published_numbers),
      cmocka_unit_test(below_is_uniform_and_in_range),
      cmocka_unit_test(uniform_stays_below_one),
      cmocka_unit_test(normal_has_mean_zero_variance_one_and_tails),
      cmocka_unit_test(permutation_holds_every_number_once),
      cmocka_unit_test(every_permutation_of_three_is_equally_likely),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
