#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/rng.h"

static void size_is_rounded_up_to_bytes(void **state) {
  (void)state;
  assert_int_equal(lpot_bits_size(0), 0);
  assert_int_equal(lpot_bits_size(1), 1);
  assert_int_equal(lpot_bits_size(8), 1);
  assert_int_equal(lpot_bits_size(9), 2);
}

static void set_changes_one_bit(void **state) {
  (void)state;
  uint8_t bits[2] = {0xff, 0x00};
  lpot_bit_set(bits, 3, false);
  lpot_bit_set(bits, 9, true);
  assert_int_equal(bits[0], 0xf7);
  assert_int_equal(bits[1], 0x02);
  assert_true(lpot_bit_get(bits, 9) && !lpot_bit_get(bits, 3));
}

static void copy_moves_any_range_and_nothing_else(void **state) {
  (void)state;
  uint8_t from[8];
  lpot_rng rng;
  lpot_rng_init(&rng, 3);
  for (int i = 0; i < 2000; i++) {
    uint8_t to[8];
    uint8_t before[8];
    for (size_t k = 0; k < 8; k++) {
      from[k] = (uint8_t)lpot_rng_next(&rng);
      to[k] = (uint8_t)lpot_rng_next(&rng);
      before[k] = to[k];
    }
    size_t count = (size_t)lpot_rng_below(&rng, 40);
    size_t source = (size_t)lpot_rng_below(&rng, 64 - count);
    size_t target = i % 2 == 0 ? source / 8 * 8 : (size_t)lpot_rng_below(&rng, 64 - count);
    source = i % 4 == 0 ? target : source;
    lpot_bits_copy(to, target, from, source, count);
    for (size_t k = 0; k < 64; k++) {
      bool copied = k >= target && k < target + count;
      bool expected = copied ? lpot_bit_get(from, source + k - target) : lpot_bit_get(before, k);
      assert_true(lpot_bit_get(to, k) == expected);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(size_is_rounded_up_to_bytes),
      cmocka_unit_test(set_changes_one_bit),
      cmocka_unit_test(copy_moves_any_range_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
