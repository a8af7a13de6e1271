#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/core_probe.h"

/* One that is not shared for a moment: of ten thousand probes the least crowded. */
static void core_is_alone_for_a_moment_at_least(void **state) {
  (void)state;
  lpot_core_probe best = {0};
  if (!lpot_core_probe_is_known()) {
    print_message("SKIPPED: the cycles of the probe's loops are not known for this processor\n");
    skip();
  }
  for (int i = 0; i < 10000; i++) {
    lpot_core_probe probe;
    lpot_core_probe_run(&probe);
    assert_true(probe.crowding > 0);
    best = i == 0 || probe.crowding < best.crowding ? probe : best;
  }
  /* Both loops take whole cycles, so this is a fact of the processor, whatever its speed. */
  assert_in_range((uintmax_t)(1000 * best.crowding), 900, 1050);
  assert_in_range(best.frequency_khz, 400000, 8000000);
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
  lpot_core_watch_reset(&watch);
  assert_true(watch.worst.crowding == 0 && watch.least == 0.5);
  lpot_core_watch_begin(0, &watch);
  lpot_core_watch_look(&watch);
  double first = watch.least;
  lpot_core_watch_look(&watch);
  assert_true(watch.least <= first && watch.worst.crowding >= first);
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
