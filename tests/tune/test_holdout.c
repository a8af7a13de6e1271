#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/holdout.h"

static void order_is_cut_at_the_border_of_batches_next_to_the_part(void **state) {
  (void)state;
  static const struct {
    int64_t samples, batch, block_batches;
    double part;
    int64_t search, blocks, held_out_blocks;
    bool fits;
  } cases[] = {
      {1000, 50, 6, 0.2, 800, 3, 1, true},     {1000, 50, 6, 0.23, 750, 3, 1, true},
      {1000, 50, 6, 0.99, 0, 0, 4, false},     {1000, 50, 6, 0.02, 1000, 4, 0, false},
      {1000, 1, 256, 0.001, 999, 4, 1, false}, {1000, 1, 256, 0.002, 998, 4, 1, true},
      {1010, 100, 3, 0.1, 1000, 4, 1, true},   {1001, 100, 3, 0.1, 1000, 4, 1, false},
      {1000, 50, 6, 0, 1000, 4, 0, true},      {30, 50, 6, 0.5, 30, 1, 0, false},
      {3, 1, 256, 0.5, 1, 1, 1, false},        {4, 1, 256, 0.5, 2, 1, 1, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const lpot_holdout_cut cut = {.num_samples = cases[i].samples,
                                  .batch = cases[i].batch,
                                  .block_batches = cases[i].block_batches,
                                  .part = cases[i].part};
    lpot_blocks search;
    lpot_blocks held_out;
    assert_int_equal(lpot_holdout_divide(&cut, &search, &held_out), cases[i].fits);
    assert_int_equal(search.first_sample, 0);
    assert_int_equal(search.num_samples, cases[i].search);
    assert_int_equal(search.num_blocks, cases[i].blocks);
    assert_int_equal(held_out.first_sample, cases[i].search);
    assert_int_equal(held_out.num_samples, cases[i].samples - cases[i].search);
    assert_int_equal(held_out.num_blocks, cases[i].held_out_blocks);
    assert_int_equal(held_out.block_samples, cases[i].batch * cases[i].block_batches);
  }
}

static void fill(uint8_t *bits, size_t count, size_t wrong_from, size_t num_wrong) {
  for (size_t i = 0; i < count; i++) {
    bool right = i < wrong_from || i >= wrong_from + num_wrong;
    bits[i / 8] = (uint8_t)(bits[i / 8] | (right ? 1u << (i % 8) : 0));
  }
}

/* By hand: 12 lost and 4 gained of 98. Adjusted: 8 of 100 net, 17 changed, deviation
 * sqrt(17 - 64 / 100) / 100 = 0.0404475, interval 0.08 -+ 1.959964 * 0.0404475. */
static void paired_loss_is_that_of_the_paper(void **state) {
  (void)state;
  uint8_t f32[13] = {0};
  uint8_t recipe[13] = {0};
  lpot_paired_loss loss;
  fill(f32, 98, 50, 4);
  fill(recipe, 98, 10, 12);
  assert_true(lpot_paired_compare(f32, recipe, 98, &loss));
  assert_true(loss.samples == 98 && loss.lost == 12 && loss.gained == 4);
  assert_true(fabs(loss.loss - 8.0 / 98) < 1e-12);
  assert_true(fabs(loss.low - 0.000724) < 1e-6);
  assert_true(fabs(loss.high - 0.159276) < 1e-6);
}

static void paired_loss_of_the_same_answers_is_not_certain(void **state) {
  (void)state;
  const uint8_t all = 0xFF;
  lpot_paired_loss loss;
  assert_true(lpot_paired_compare(&all, &all, 8, &loss));
  assert_true(loss.loss == 0 && loss.low < 0 && loss.high > 0);
  assert_false(lpot_paired_compare(NULL, NULL, 0, &loss));
}

static void intervals_of_few_samples_stay_possible(void **state) {
  (void)state;
  const uint8_t all = 3;
  const uint8_t none = 0;
  lpot_paired_loss loss;
  assert_true(lpot_paired_compare(&all, &none, 2, &loss));
  assert_true(loss.loss == 1 && loss.high == 1 && loss.low < 1);
  assert_true(lpot_paired_compare(&none, &all, 2, &loss));
  assert_true(loss.loss == -1 && loss.low == -1 && loss.high > -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_is_cut_at_the_border_of_batches_next_to_the_part),
      cmocka_unit_test(paired_loss_is_that_of_the_paper),
      cmocka_unit_test(intervals_of_few_samples_stay_possible),
      cmocka_unit_test(paired_loss_of_the_same_answers_is_not_certain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
