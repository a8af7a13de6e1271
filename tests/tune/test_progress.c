#include <stdlib.h>
#include <string.h>

#include "support/capture.h"

#include "base/log.h"
#include "tune/progress.h"

#define SHOWN_SIZE 1024

/* Minutes and seconds become zeros: they depend on how busy the machine is. */
static void forget_times(char *shown) {
  for (char *at = strstr(shown, "at most "); at != NULL; at = strstr(at, "at most ")) {
    for (at += strlen("at most "); *at != ' ' && *at != '\0'; at++) {
      *at = *at >= '0' && *at <= '9' ? '0' : *at;
    }
  }
}

/* What two steps of a phase of four show, with a line of the log between them. */
static void show(lpot_progress_style style, bool launched, char shown[SHOWN_SIZE]) {
  capture captured = begin_capture();
  lpot_progress_start(style, launched);
  lpot_progress_phase("trials", 4);
  lpot_progress_step(1, NULL);
  lpot_log(LPOT_LOG_INFO, "news");
  lpot_progress_step(4, "best 0.5");
  lpot_progress_end();
  end_capture(captured, shown, SHOWN_SIZE);
  lpot_progress_start(LPOT_PROGRESS_NONE, false);
  forget_times(shown);
}

static void bars_are_drawn_over_and_cleared_for_other_lines(void **state) {
  (void)state;
  char shown[SHOWN_SIZE];
  show(LPOT_PROGRESS_BAR, true, shown);
  assert_string_equal(
      shown, "\r\033[Ktrials [#######.......................] 1/4, at most 0m00s left"
             "\r\033[Knews\n"
             "\r\033[Ktrials [##############################] 4/4, best 0.5, at most 0m00s "
             "left\r\033[K");
}

static void lines_stay(void **state) {
  (void)state;
  char shown[SHOWN_SIZE];
  show(LPOT_PROGRESS_LINE, false, shown);
  assert_string_equal(shown, "trials 1/4, at most 0m00s left\nnews\n"
                             "trials 4/4, best 0.5, at most 0m00s left\n");
}

/* Standard error is a file here. */
static void auto_is_lines_where_there_is_no_terminal(void **state) {
  (void)state;
  char lines[SHOWN_SIZE];
  char shown[SHOWN_SIZE];
  show(LPOT_PROGRESS_LINE, false, lines);
  show(LPOT_PROGRESS_AUTO, false, shown);
  assert_string_equal(shown, lines);
}

static void none_is_silent(void **state) {
  (void)state;
  char shown[SHOWN_SIZE];
  show(LPOT_PROGRESS_NONE, false, shown);
  assert_string_equal(shown, "news\n");
}

/* A phase whose end nobody knows, and steps beyond it, have no time left to tell. */
static void time_left_is_told_where_it_is_known(void **state) {
  (void)state;
  char shown[SHOWN_SIZE];
  capture captured = begin_capture();
  lpot_progress_start(LPOT_PROGRESS_LINE, false);
  lpot_progress_phase("search", 0);
  lpot_progress_step(1, "one");
  lpot_progress_phase("search", 2);
  lpot_progress_step(3, "more");
  lpot_progress_step(0, "none");
  end_capture(captured, shown, SHOWN_SIZE);
  lpot_progress_start(LPOT_PROGRESS_NONE, false);
  assert_string_equal(shown, "search 1/0, one\nsearch 3/2, more\nsearch 0/2, none\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bars_are_drawn_over_and_cleared_for_other_lines),
      cmocka_unit_test(lines_stay),
      cmocka_unit_test(auto_is_lines_where_there_is_no_terminal),
      cmocka_unit_test(none_is_silent),
      cmocka_unit_test(time_left_is_told_where_it_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
