#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tensor/tensor.h"

static bool is_nan16(uint32_t bits) {
  return (bits & 0x7C00U) == 0x7C00U && (bits & 0x3FFU) != 0;
}

static void every_f16_comes_back(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 65536; bits++) {
    float value = lpot_f16_to_f32((uint16_t)bits);
    uint16_t back = lpot_f32_to_f16(value);
    if (is_nan16(bits)) {
      assert_true(isnan(value) && is_nan16(back));
    } else {
      assert_int_equal(back, bits);
    }
  }
}

static void f16_values_are_right(void **state) {
  (void)state;
  assert_true(lpot_f16_to_f32(0x3C00) == 1.0F);
  assert_true(lpot_f16_to_f32(0xC000) == -2.0F);
  assert_true(lpot_f16_to_f32(0x7BFF) == 65504.0F);
  assert_true(lpot_f16_to_f32(0x0001) == 0x1p-24F);
  assert_true(lpot_f16_to_f32(0x0400) == 0x1p-14F);
  assert_true(isinf(lpot_f16_to_f32(0x7C00)));
  assert_true(signbit(lpot_f16_to_f32(0x8000)));
}

static void f32_to_f16_rounds_to_the_nearest_even(void **state) {
  (void)state;
  /* Every two neighbouring finite f16: their middle goes to the even one, what is a little off
   * the middle goes to the nearer one. */
  for (uint32_t bits = 0; bits < 0x7BFF; bits++) {
    float low = lpot_f16_to_f32((uint16_t)bits);
    float high = lpot_f16_to_f32((uint16_t)(bits + 1));
    float middle = low + (high - low) / 2;
    uint32_t even = (bits & 1U) == 0 ? bits : bits + 1;
    assert_int_equal(lpot_f32_to_f16(middle), even);
    assert_int_equal(lpot_f32_to_f16(-middle), even | 0x8000U);
    assert_int_equal(lpot_f32_to_f16(nextafterf(middle, 0.0F)), bits);
    assert_int_equal(lpot_f32_to_f16(nextafterf(middle, INFINITY)), bits + 1);
  }
}

static void f32_to_f16_overflows_to_infinity(void **state) {
  (void)state;
  assert_int_equal(lpot_f32_to_f16(65519.996F), 0x7BFF);
  assert_int_equal(lpot_f32_to_f16(65520.0F), 0x7C00);
  assert_int_equal(lpot_f32_to_f16(-1e30F), 0xFC00);
  assert_int_equal(lpot_f32_to_f16(1e-30F), 0);
  assert_int_equal(lpot_f32_to_f16(-1e-30F), 0x8000);
  assert_true(is_nan16(lpot_f32_to_f16(NAN)));
}

static void every_bf16_comes_back(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 65536; bits++) {
    float value = lpot_bf16_to_f32((uint16_t)bits);
    uint16_t back = lpot_f32_to_bf16(value);
    if (isnan(value)) {
      assert_true(isnan(lpot_bf16_to_f32(back)));
    } else {
      assert_int_equal(back, bits);
    }
  }
}

static void f32_to_bf16_rounds_to_the_nearest_even(void **state) {
  (void)state;
  assert_int_equal(lpot_f32_to_bf16(1.0F), 0x3F80);
  assert_int_equal(lpot_f32_to_bf16(1.0F + 0x1p-8F), 0x3F80);
  assert_int_equal(lpot_f32_to_bf16(1.0F + 0x3p-8F), 0x3F82);
  assert_int_equal(lpot_f32_to_bf16(1.0F + 0x1p-8F + 0x1p-20F), 0x3F81);
  assert_int_equal(lpot_f32_to_bf16(3.4e38F), 0x7F80);
}

static void a_nan_with_low_bits_only_stays_nan(void **state) {
  (void)state;
  const uint32_t bits = 0x7F800001;
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  assert_true(isnan(lpot_bf16_to_f32(lpot_f32_to_bf16(value))));
  assert_true(is_nan16(lpot_f32_to_f16(value)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_f16_comes_back),
      cmocka_unit_test(f16_values_are_right),
      cmocka_unit_test(f32_to_f16_rounds_to_the_nearest_even),
      cmocka_unit_test(f32_to_f16_overflows_to_infinity),
      cmocka_unit_test(every_bf16_comes_back),
      cmocka_unit_test(f32_to_bf16_rounds_to_the_nearest_even),
      cmocka_unit_test(a_nan_with_low_bits_only_stays_nan),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
