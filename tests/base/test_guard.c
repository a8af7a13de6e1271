#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"

static int count = 0;

static void answer(void *context, void *result) {
  count++;
  memcpy(result, context, 4);
}

static void die(void *context, void *result) {
  (void)context;
  (void)result;
  abort();
}

static void leave(void *context, void *result) {
  (void)context;
  (void)result;
  _exit(3);
}

static void leave_well(void *context, void *result) {
  (void)context;
  (void)result;
  _exit(0);
}

static void hang(void *context, void *result) {
  (void)context;
  (void)result;
  for (;;) {
    pause();
  }
}

static void results_come_back_and_nothing_else(void **state) {
  (void)state;
  char result[4] = "";
  assert_int_equal(lpot_guard_run(answer, "abc", 10, result, sizeof result, NULL), LPOT_OK);
  assert_string_equal(result, "abc");
  assert_int_equal(count, 0);
}

static void assert_fails(void (*function)(void *context, void *result), double seconds,
                         const char *text) {
  lpot_error error = {0};
  char result[4] = "";
  assert_int_equal(lpot_guard_run(function, NULL, seconds, result, sizeof result, &error),
                   LPOT_CRASHED);
  if (strstr(error.message, text) == NULL) {
    fail_msg("'%s' does not hold '%s'", error.message, text);
  }
}

static void every_end_is_told(void **state) {
  (void)state;
  assert_fails(die, 10, "ended by signal 6");
  assert_fails(leave, 10, "exit code 3");
  assert_fails(leave_well, 10, "exit code 0"); /* without a result */
  assert_fails(hang, 0.2, "did not end within");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_come_back_and_nothing_else),
      cmocka_unit_test(every_end_is_told),
  };
  return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
