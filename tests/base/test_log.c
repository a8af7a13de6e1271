#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/capture.h"

static int before_calls;

static void count_before(void) {
  before_calls++;
}

static void level_names_are_known(void **state) {
  (void)state;
  lpot_log_level level = LPOT_LOG_ERROR;
  assert_false(lpot_log_level_from_text("loud", &level));
  assert_false(lpot_log_level_from_text("", &level));
  assert_int_equal(level, LPOT_LOG_ERROR);
  assert_true(lpot_log_level_from_text("debug", &level));
  assert_int_equal(level, LPOT_LOG_DEBUG);
  assert_true(lpot_log_level_from_text("silent", &level));
  assert_int_equal(level, LPOT_LOG_SILENT);
}

static void lines_below_the_level_are_not_shown(void **state) {
  (void)state;
  char out[256];
  lpot_log_set_level(LPOT_LOG_WARNING);
  capture captured = begin_capture();
  lpot_log(LPOT_LOG_DEBUG, "one");
  lpot_log(LPOT_LOG_INFO, "two");
  lpot_log(LPOT_LOG_WARNING, "three %d", 3);
  lpot_log(LPOT_LOG_ERROR, "four");
  lpot_log_set_level(LPOT_LOG_SILENT);
  lpot_log(LPOT_LOG_ERROR, "five");
  end_capture(captured, out, sizeof out);
  lpot_log_set_level(LPOT_LOG_INFO);
  assert_string_equal(out, "warning: three 3\nerror: four\n");
}

static void the_rank_is_shown_when_set(void **state) {
  (void)state;
  char out[256];
  capture captured = begin_capture();
  lpot_log_set_rank(3);
  lpot_log(LPOT_LOG_INFO, "a");
  lpot_log_set_rank(-1);
  lpot_log(LPOT_LOG_INFO, "b");
  end_capture(captured, out, sizeof out);
  assert_string_equal(out, "[rank 3] a\nb\n");
}

static void names_cannot_disturb_a_terminal(void **state) {
  (void)state;
  char out[256];
  capture captured = begin_capture();
  lpot_log(LPOT_LOG_ERROR, "'%s': no file", "\x1b[31ma\r\nb\t\xff");
  lpot_log(LPOT_LOG_INFO, "'%s'", "Z\u00fcrich \u65e5\u672c \U0001f600");
  end_capture(captured, out, sizeof out);
  assert_string_equal(out, "error: '?[31ma?"
                           "?b?"
                           "?': no file\n'Z\u00fcrich \u65e5\u672c \U0001f600'\n");
}

static void the_hook_runs_before_shown_lines_only(void **state) {
  (void)state;
  char out[256];
  before_calls = 0;
  capture captured = begin_capture();
  lpot_log_set_before_line(count_before);
  lpot_log(LPOT_LOG_DEBUG, "hidden");
  lpot_log(LPOT_LOG_INFO, "shown");
  lpot_log_set_before_line(NULL);
  lpot_log(LPOT_LOG_INFO, "shown");
  end_capture(captured, out, sizeof out);
  assert_int_equal(before_calls, 1);
}

static void a_long_line_is_cut_and_ends(void **state) {
  (void)state;
  char *out = calloc(1, 20000);
  capture captured = begin_capture();
  lpot_log(LPOT_LOG_INFO, "%010000d", 1);
  end_capture(captured, out, 20000);
  size_t length = strlen(out);
  assert_true(length > 1000 && length <= 4096);
  assert_string_equal(out + length - 4, "...\n");
  free(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(level_names_are_known),
      cmocka_unit_test(lines_below_the_level_are_not_shown),
      cmocka_unit_test(the_rank_is_shown_when_set),
      cmocka_unit_test(names_cannot_disturb_a_terminal),
      cmocka_unit_test(the_hook_runs_before_shown_lines_only),
      cmocka_unit_test(a_long_line_is_cut_and_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
