#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tune/core_probe.h"

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Crowding of a hundred probes, sorted. */
static void probe_hundred(double crowding[100], uint32_t *ret_frequency_khz) {
  for (size_t i = 0; i < 100; i++) {
    lpot_core_probe probe;
    lpot_core_probe_run(&probe);
    crowding[i] = probe.crowding;
    *ret_frequency_khz = probe.frequency_khz;
  }
  qsort(crowding, 100, sizeof crowding[0], compare_doubles);
}

/* Both loops take whole cycles, so what a core that is alone shows is a fact of the processor,
 * whatever its speed. Others may crowd this one for seconds, but not in each of the microseconds.
 */
static void core_is_alone_for_a_moment_at_least(void **state) {
  (void)state;
  uint32_t frequency_khz = 0;
  double crowding[100] = {0};
  if (!lpot_core_probe_is_known()) {
    print_message("SKIPPED core probe: its loops' cycles are not known for this processor\n");
    skip();
  }
  bool was_alone = false;
  for (int i = 0; i < 300 && !was_alone; i++) {
    probe_hundred(crowding, &frequency_khz);
    assert_true(crowding[50] > 0.95);
    assert_in_range(frequency_khz, 200000, 8000000);
    was_alone = crowding[5] < 1.05;
    lpot_clock_sleep(was_alone ? 0 : 0.02);
  }
  assert_true(was_alone);
}

static void crowded_is_what_is_above_the_least(void **state) {
  (void)state;
  static const struct {
    double crowding, least;
    bool crowded;
  } cases[] = {
      {0, 0, false},       {0, 1, false},      {1.01, 0, false},   {1.02, 0, true},
      {1.02, 0.9, true}, /* The least is not believed below 1: it was chance. */
      {1.03, 1.02, false}, {1.04, 1.02, true}, {1.06, 1.3, false}, {1.07, 1.3, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(lpot_is_crowded(cases[i].crowding, cases[i].least), cases[i].crowded);
  }
}

static void watch_keeps_the_worst_since_its_reset_and_the_least_of_all(void **state) {
  (void)state;
  lpot_core_watch watch;
  lpot_core_watch_begin(0.5, &watch);
  for (int i = 0; i < 20; i++) {
    lpot_core_watch_look(&watch);
  }
  assert_true(watch.least == 0.5); /* Nothing is as fast as that. */
  assert_true(watch.known == (watch.worst.crowding > 0.5));
  assert_true(watch.worst.crowding >= watch.second.crowding);
  lpot_core_watch_reset(&watch);
  assert_true(watch.worst.crowding == 0 && watch.least == 0.5);
  lpot_core_watch_begin(0, &watch);
  lpot_core_watch_look(&watch);
  double first = watch.least;
  assert_true(watch.worst.crowding == first && watch.second.crowding == first);
  lpot_core_watch_look(&watch); /* Of two one is the worst, and the other the second. */
  double other = watch.worst.crowding == first ? watch.second.crowding : watch.worst.crowding;
  assert_true(fmin(first, other) == watch.least && fmax(first, other) == watch.worst.crowding);
  assert_true(watch.second.crowding == watch.least);
}

static void watch_of_an_unknown_processor_sees_nothing(void **state) {
  (void)state;
  lpot_core_watch watch = {.known = false};
  lpot_core_watch_look(&watch);
  assert_true(watch.least == 0 && watch.worst.crowding == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(core_is_alone_for_a_moment_at_least),
      cmocka_unit_test(crowded_is_what_is_above_the_least),
      cmocka_unit_test(watch_keeps_the_worst_since_its_reset_and_the_least_of_all),
      cmocka_unit_test(watch_of_an_unknown_processor_sees_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
