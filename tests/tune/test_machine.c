#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tune/machine.h"

static void set_of_processors_is_read_and_written(void **state) {
  (void)state;
  static const char *const texts[] = {"0", "0-3,8", "1,3,5-7", "63-65", "1023", ""};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    lpot_cpu_set set;
    char text[64];
    lpot_cpu_set_parse(texts[i], &set);
    lpot_cpu_set_text(&set, text, sizeof text);
    assert_string_equal(text, texts[i]);
  }
}

static void set_of_processors_survives_nonsense(void **state) {
  (void)state;
  static const char *const texts[] = {"x", "3-", "5-2", "99999999999999999999-3", "2000", "-1"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    lpot_cpu_set set;
    lpot_cpu_set_parse(texts[i], &set);
    assert_int_equal(lpot_cpu_set_count(&set), 0);
  }
  lpot_cpu_set set;
  char text[4];
  lpot_cpu_set_parse("0,2,4,6,8\n", &set);
  assert_int_equal(lpot_cpu_set_count(&set), 5);
  lpot_cpu_set_text(&set, text, sizeof text);
  assert_string_equal(text, "0,2");
}

/* Of cores with two hyper-threads one each is taken first, whichever way they are numbered. */
static void cores_come_before_their_other_threads(void **state) {
  (void)state;
  static const char *const rows[][6] = {
      /* allowed, siblings of cores, one of each; 3 from the first on, 2 behind 3, 3 behind 6 */
      {"0-7", "0,4 1,5 2,6 3,7", "0-3", "0-2", "3-4", "6-7"},
      {"0-7", "0-1 2-3 4-5 6-7", "0,2,4,6", "0,2,4", "1,6", "5,7"},
      {"2-5", "0,4 1,5 2,6 3,7", "2-5", "2-4", "5", ""}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    lpot_cpu_set allowed;
    lpot_cpu_set taken;
    char text[64];
    lpot_cpu_set_parse(rows[i][0], &allowed);
    lpot_cpu_set cores = allowed;
    for (const char *at = rows[i][1]; at != NULL; at = strchr(at + 1, ' ')) {
      lpot_cpu_set siblings;
      lpot_cpu_set_parse(at + (*at == ' '), &siblings);
      lpot_cpu_set_keep_first(&cores, &siblings);
    }
    lpot_cpu_set_text(&cores, text, sizeof text);
    assert_string_equal(text, rows[i][2]);
    static const size_t skipped[] = {0, 3, 6};
    static const size_t counts[] = {3, 2, 3};
    for (size_t k = 0; k < 3; k++) {
      lpot_cpu_set_take(&allowed, &cores, skipped[k], counts[k], &taken);
      lpot_cpu_set_text(&taken, text, sizeof text);
      assert_string_equal(text, rows[i][3 + k]);
    }
  }
}

/* What the kernel tells: every processor is one of a core that is left. */
static void every_core_keeps_a_processor(void **state) {
  (void)state;
  lpot_cpu_set allowed;
  assert_int_equal(lpot_machine_allowed(&allowed, NULL), LPOT_OK);
  lpot_cpu_set cores = allowed;
  lpot_machine_keep_cores(&cores);
  assert_in_range(lpot_cpu_set_count(&cores), 1, lpot_cpu_set_count(&allowed));
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
    assert_true(!lpot_cpu_set_has(&cores, cpu) || lpot_cpu_set_has(&allowed, cpu));
  }
}

static void times_of_processors_are_read(void **state) {
  (void)state;
  static lpot_cpu_times times;
  lpot_cpu_times_parse("cpu  9 9 9 9 9 9 9 9 9 9\n"
                       "cpu0 1 2 3 400 50 6 7 8 0 0\n"
                       "cpu17 10 0 0 0 0 0 0 0\n"
                       "cpu5000 1 1 1 1 1 1 1 1\n"
                       "intr 12345 1 2\n",
                       &times);
  assert_int_equal(times.busy[0], 1 + 2 + 3 + 6 + 7);
  assert_int_equal(times.steal[0], 8);
  assert_int_equal(times.busy[17], 10);
  assert_int_equal(times.busy[1], 0);
  lpot_cpu_times_parse("cpu3 5", &times);
  assert_int_equal(times.busy[3], 5);
  assert_int_equal(times.busy[0], 0);
}

static void thread_is_pinned_and_released(void **state) {
  (void)state;
  lpot_pinning pinning = {0};
  lpot_pinning inner = {0};
  assert_int_equal(lpot_machine_pin(1, &pinning, NULL), LPOT_OK);
  assert_int_equal(lpot_cpu_set_count(&pinning.pinned), 1);
  assert_int_equal(lpot_machine_pin(1, &inner, NULL), LPOT_OK); /* Sees what it is pinned to. */
  assert_memory_equal(&inner.before, &pinning.pinned, sizeof inner.before);
  lpot_machine_unpin(&inner);
  lpot_machine_unpin(&pinning);
  assert_int_equal(lpot_machine_pin(1, &inner, NULL), LPOT_OK);
  assert_memory_equal(&inner.before, &pinning.before, sizeof inner.before);
  lpot_machine_unpin(&inner);
  lpot_machine_unpin(&inner); /* Nothing happens. */
}

static void more_cores_than_allowed_are_refused(void **state) {
  (void)state;
  lpot_pinning pinning = {0};
  lpot_error error = {0};
  assert_int_equal(lpot_machine_pin(1, &pinning, NULL), LPOT_OK);
  lpot_pinning second = {0};
  assert_int_equal(lpot_machine_pin(2, &second, &error), LPOT_UNSUPPORTED);
  assert_non_null(strstr(error.message, "asks for 2 cores, this process may use 1"));
  assert_false(second.active);
  lpot_machine_unpin(&second);
  lpot_machine_unpin(&pinning);
}

/* Our own work is not a neighbour's. */
static void own_work_is_left_out_of_the_neighbours(void **state) {
  (void)state;
  static lpot_watch watch;
  lpot_watch_report report;
  lpot_pinning pinning = {0};
  assert_int_equal(lpot_machine_pin(1, &pinning, NULL), LPOT_OK);
  lpot_watch_begin(&watch, &pinning);
  assert_true(watch.num_package >= 1);
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  while (lpot_clock_now(&clock) - start < 0.2) {
  }
  lpot_watch_look(&watch, &report);
  lpot_machine_unpin(&pinning);
  assert_true(report.wall_seconds > 0.19);
  /* Whatever others do: we alone cannot have filled a processor more. */
  assert_true(report.neighbours >= 0 && report.neighbours <= (double)watch.num_package);
  assert_true(report.steal >= 0);
}

static void allowed_neighbours_grow_with_the_package(void **state) {
  (void)state;
  assert_true(lpot_watch_allowed(1) == 0.1);
  assert_true(lpot_watch_allowed(2) == 0.1);
  assert_true(lpot_watch_allowed(8) > 0.39 && lpot_watch_allowed(8) < 0.41);
  assert_true(lpot_watch_allowed(128) == 0.5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(set_of_processors_is_read_and_written),
      cmocka_unit_test(set_of_processors_survives_nonsense),
      cmocka_unit_test(cores_come_before_their_other_threads),
      cmocka_unit_test(every_core_keeps_a_processor),
      cmocka_unit_test(times_of_processors_are_read),
      cmocka_unit_test(thread_is_pinned_and_released),
      cmocka_unit_test(more_cores_than_allowed_are_refused),
      cmocka_unit_test(own_work_is_left_out_of_the_neighbours),
      cmocka_unit_test(allowed_neighbours_grow_with_the_package),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
