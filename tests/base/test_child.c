#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"

static pid_t child_that(void (*function)(void)) {
  pid_t child = fork();
  if (child == 0) {
    function();
    _exit(3);
  }
  assert_true(child > 0);
  return child;
}

static void end_at_once(void) {}

static void hang(void) {
  for (;;) {
    pause();
  }
}

static void waits_end_with_the_child_or_in_time(void **state) {
  int status = 0;
  lpot_clock clock = lpot_clock_monotonic();
  (void)state;
  assert_true(lpot_child_has_ended(child_that(end_at_once), 30, &status));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 3);
  pid_t hanging = child_that(hang);
  double start = lpot_clock_now(&clock);
  assert_false(lpot_child_has_ended(hanging, 0, NULL));
  assert_false(lpot_child_has_ended(hanging, 0.1, NULL));
  assert_true(lpot_clock_now(&clock) - start >= 0.1);
  kill(hanging, SIGTERM);
  assert_true(lpot_child_has_ended(hanging, 30, &status));
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void killed_ones_are_gone(void **state) {
  pid_t child = child_that(hang);
  (void)state;
  lpot_child_kill(child);
  assert_int_equal(waitpid(child, NULL, WNOHANG), -1); /* It was waited for. */
}

static void those_of_others_have_ended(void **state) {
  int status = 77;
  (void)state;
  assert_true(lpot_child_has_ended(getpid(), 30, &status));
  assert_int_equal(status, 77);
}

static void wrong_parents_end_it_at_once(void **state) {
  int status = 0;
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    lpot_child_end_with(getpid());
    hang();
  }
  assert_true(lpot_child_has_ended(child, 30, &status));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_end_with_the_child_or_in_time),
      cmocka_unit_test(killed_ones_are_gone),
      cmocka_unit_test(those_of_others_have_ended),
      cmocka_unit_test(wrong_parents_end_it_at_once),
  };
  return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
