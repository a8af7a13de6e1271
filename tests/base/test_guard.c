#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
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

static void hide_and_hang(void *context, void *result) {
  (void)context;
  (void)result;
  for (int fd = STDERR_FILENO + 1; fd < 256; fd++) {
    close(fd);
  }
  for (;;) {
    pause();
  }
}

/* A process that outlives the function, and has all that it had open but what the test's own
 * caller waits for. */
static void leave_a_helper(void *context, void *result) {
  if (fork() == 0) {
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    sleep(60);
    _exit(0);
  }
  memcpy(result, context, 4);
}

#define LARGE ((size_t)1 << 20)

static void fill(void *context, void *result) {
  memset(result, *(const char *)context, LARGE);
}

static void hang(void *context, void *result) {
  (void)context;
  (void)result;
  for (;;) {
    pause();
  }
}

static void tell_and_hang(void *context, void *result) {
  const char byte = 1;
  (void)!write(*(const int *)context, &byte, 1);
  hang(NULL, result);
}

static void fall_asleep_shortly(void *context, void *result) {
  (void)context;
  (void)result;
  lpot_clock_sleep(0.01);
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
  assert_fails(hide_and_hang, 0.2, "did not end within");
}

static void functions_without_a_result_have_to_come_back_too(void **state) {
  lpot_error error = {0};
  (void)state;
  assert_int_equal(lpot_guard_run(leave_well, NULL, 10, NULL, 0, &error), LPOT_CRASHED);
  assert_non_null(strstr(error.message, "exit code 0"));
  assert_int_equal(lpot_guard_run(fall_asleep_shortly, NULL, 10, NULL, 0, &error), LPOT_OK);
}

static void what_the_function_leaves_behind_is_not_waited_for(void **state) {
  char result[4] = "";
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  (void)state;
  assert_int_equal(lpot_guard_run(leave_a_helper, "abc", 50, result, sizeof result, NULL), LPOT_OK);
  assert_string_equal(result, "abc");
  assert_true(lpot_clock_now(&clock) - start < 40); /* The helper's end is not waited for. */
}

static void large_results_come_back_whole(void **state) {
  char *result = calloc(LARGE, 1);
  (void)state;
  assert_non_null(result);
  assert_int_equal(lpot_guard_run(fill, "x", 50, result, LARGE, NULL), LPOT_OK);
  assert_int_equal(result[0], 'x');
  assert_memory_equal(result, result + 1, LARGE - 1);
  free(result);
}

/* Who starts a program may have had the ends of its children ignored. */
static void ends_that_nobody_tells_are_noticed(void **state) {
  lpot_error error = {0};
  char result[4] = "";
  (void)state;
  signal(SIGCHLD, SIG_IGN);
  assert_int_equal(lpot_guard_run(die, NULL, 10, NULL, 0, &error), LPOT_CRASHED);
  assert_int_equal(lpot_guard_run(answer, "abc", 10, result, sizeof result, &error), LPOT_OK);
  signal(SIGCHLD, SIG_DFL);
  assert_string_equal(result, "abc");
}

static void speak(void *context, void *result) {
  (void)context;
  (void)result;
  (void)!write(STDOUT_FILENO, "hello", 5);
}

static void standard_output_becomes_standard_error(void **state) {
  int ends[2];
  char heard[8] = "";
  (void)state;
  assert_int_equal(pipe(ends), 0);
  int before = dup(STDERR_FILENO);
  assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
  lpot_status status = lpot_guard_run(speak, NULL, 10, NULL, 0, NULL);
  assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
  close(before);
  close(ends[1]);
  assert_int_equal(status, LPOT_OK);
  assert_int_equal(read(ends[0], heard, sizeof heard), 5);
  assert_string_equal(heard, "hello");
  close(ends[0]);
}

static void nobody_is_left_behind_the_deadline(void **state) {
  (void)state;
  assert_int_equal(lpot_guard_run(hang, NULL, 0.1, NULL, 0, NULL), LPOT_CRASHED);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void it_ends_with_who_called_it(void **state) {
  int news[2];
  char byte = 0;
  (void)state;
  assert_int_equal(pipe(news), 0);
  pid_t caller = fork();
  if (caller == 0) {
    close(news[0]);
    (void)!lpot_guard_run(tell_and_hang, &news[1], 600, NULL, 0, NULL);
    _exit(0);
  }
  close(news[1]);
  assert_int_equal(read(news[0], &byte, 1), 1); /* It hangs now. */
  kill(caller, SIGKILL);
  assert_int_equal(waitpid(caller, NULL, 0), caller);
  struct pollfd end = {.fd = news[0], .events = POLLIN};
  assert_int_equal(poll(&end, 1, 10000), 1);
  assert_int_equal(read(news[0], &byte, 1), 0); /* Nobody holds the pipe any more. */
  close(news[0]);
}

static void without_it_functions_run_in_place(void **state) {
  (void)state;
  char text[] = "abc";
  char result[4] = "";
  assert_true(lpot_guard_protects());
  lpot_guard_set(false);
  assert_false(lpot_guard_protects());
  count = 0;
  assert_int_equal(lpot_guard_run(answer, text, 10, result, sizeof result, NULL), LPOT_OK);
  lpot_guard_set(true);
  assert_int_equal(count, 1);
  assert_string_equal(result, "abc");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_come_back_and_nothing_else),
      cmocka_unit_test(every_end_is_told),
      cmocka_unit_test(functions_without_a_result_have_to_come_back_too),
      cmocka_unit_test(what_the_function_leaves_behind_is_not_waited_for),
      cmocka_unit_test(large_results_come_back_whole),
      cmocka_unit_test(ends_that_nobody_tells_are_noticed),
      cmocka_unit_test(standard_output_becomes_standard_error),
      cmocka_unit_test(nobody_is_left_behind_the_deadline),
      cmocka_unit_test(it_ends_with_who_called_it),
      cmocka_unit_test(without_it_functions_run_in_place),
  };
  return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
