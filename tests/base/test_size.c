#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"

static void mul_refuses_what_does_not_fit(void **state) {
  (void)state;
  size_t result = 5;
  assert_int_equal(lpot_size_mul(SIZE_MAX, 2, &result, NULL), LPOT_INVALID);
  assert_int_equal(lpot_size_mul(SIZE_MAX / 2 + 1, 2, &result, NULL), LPOT_INVALID);
  assert_int_equal(result, 5);
  assert_int_equal(lpot_size_mul(SIZE_MAX, 1, &result, NULL), LPOT_OK);
  assert_true(result == SIZE_MAX);
  assert_int_equal(lpot_size_mul(SIZE_MAX, 0, &result, NULL), LPOT_OK);
  assert_int_equal(result, 0);
  assert_int_equal(lpot_size_mul(6, 7, &result, NULL), LPOT_OK);
  assert_int_equal(result, 42);
}

static void add_refuses_what_does_not_fit(void **state) {
  (void)state;
  size_t result = 5;
  lpot_error err = {0};
  assert_int_equal(lpot_size_add(SIZE_MAX, 1, &result, &err), LPOT_INVALID);
  assert_string_equal(err.message, "size 18446744073709551615 + 1 is too large");
  assert_int_equal(result, 5);
  assert_int_equal(lpot_size_add(SIZE_MAX - 1, 1, &result, NULL), LPOT_OK);
  assert_true(result == SIZE_MAX);
}

static void to_int_refuses_what_does_not_fit(void **state) {
  (void)state;
  int result = 5;
  assert_int_equal(lpot_to_int((int64_t)INT_MAX + 1, &result, NULL), LPOT_INVALID);
  assert_int_equal(lpot_to_int((int64_t)INT_MIN - 1, &result, NULL), LPOT_INVALID);
  assert_int_equal(result, 5);
  assert_int_equal(lpot_to_int(INT_MIN, &result, NULL), LPOT_OK);
  assert_int_equal(result, INT_MIN);
  assert_int_equal(lpot_to_int(INT_MAX, &result, NULL), LPOT_OK);
  assert_int_equal(result, INT_MAX);
}

static void to_size_refuses_negative_numbers(void **state) {
  (void)state;
  size_t result = 5;
  assert_int_equal(lpot_to_size(-1, &result, NULL), LPOT_INVALID);
  assert_int_equal(result, 5);
  assert_int_equal(lpot_to_size(INT64_MAX, &result, NULL), LPOT_OK);
  assert_true(result == (size_t)INT64_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mul_refuses_what_does_not_fit),
      cmocka_unit_test(add_refuses_what_does_not_fit),
      cmocka_unit_test(to_int_refuses_what_does_not_fit),
      cmocka_unit_test(to_size_refuses_negative_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
