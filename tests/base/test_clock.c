#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void monotonic_clock_never_goes_back(void **state) {
  (void)state;
  const lpot_clock clock = lpot_clock_monotonic();
  double last = lpot_clock_now(&clock);
  for (int i = 0; i < 1000; i++) {
    double now = lpot_clock_now(&clock);
    assert_true(now >= last);
    last = now;
  }
}

static void sleep_lasts_and_uses_no_cpu(void **state) {
  (void)state;
  const lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  double cpu_start = lpot_clock_thread_cpu();
  lpot_clock_sleep(0.05);
  assert_true(lpot_clock_now(&clock) - start >= 0.05);
  assert_true(lpot_clock_thread_cpu() - cpu_start < 0.04);
}

static void sleep_of_nothing_returns(void **state) {
  (void)state;
  lpot_clock_sleep(0);
  lpot_clock_sleep(-5);
  lpot_clock_sleep(0.0 / 0.0);
}

static void wall_clock_is_after_2024(void **state) {
  (void)state;
  assert_true(lpot_clock_wall() > 1704067200.0);
}

static void time_is_written_as_date_and_time(void **state) {
  (void)state;
  char text[64];
  lpot_clock_text(1706745599.9, text, sizeof text);
  assert_string_equal(text, "2024-01-31 23:59:59 UTC");
  lpot_clock_text(0.0 / 0.0, text, sizeof text);
  assert_string_equal(text, "unknown");
  lpot_clock_text(-1, text, sizeof text);
  assert_string_equal(text, "unknown");
  lpot_clock_text(1e300, text, sizeof text);
  assert_string_equal(text, "unknown");
}

static double fake_now(void *context) {
  double *time = context;
  *time += 1;
  return *time;
}

static void a_test_brings_its_own_clock(void **state) {
  (void)state;
  double time = 10;
  const lpot_clock clock = {.now = fake_now, .context = &time};
  assert_true(lpot_clock_now(&clock) == 11);
  assert_true(lpot_clock_now(&clock) == 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(monotonic_clock_never_goes_back),
      cmocka_unit_test(sleep_lasts_and_uses_no_cpu),
      cmocka_unit_test(sleep_of_nothing_returns),
      cmocka_unit_test(wall_clock_is_after_2024),
      cmocka_unit_test(time_is_written_as_date_and_time),
      cmocka_unit_test(a_test_brings_its_own_clock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
