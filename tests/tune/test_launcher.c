#include "tune/launcher.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/* Exit code of a launcher whose rank got "false". */
#define NOT_CONDEMNED 7

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* A process of this name with a rank that condemns it and ends; how that process ended, and when.
 */
static int end_of(const char *name, bool stubborn, double grace_seconds, double *ret_seconds) {
  double start = now();
  pid_t launcher = fork();
  if (launcher == 0) {
    prctl(PR_SET_NAME, name);
    signal(SIGTERM, stubborn ? SIG_IGN : SIG_DFL);
    pid_t rank = fork();
    if (rank == 0) {
      _exit(lpot_launcher_condemn(grace_seconds) ? 0 : 1);
    }
    int status = 0;
    waitpid(rank, &status, 0);
    if (WEXITSTATUS(status) != 0) {
      _exit(NOT_CONDEMNED);
    }
    alarm(30);
    while (true) {
      pause();
    }
  }
  int status = 0;
  assert_int_equal(waitpid(launcher, &status, 0), launcher);
  *ret_seconds = now() - start;
  return status;
}

static void launcher_is_ended_after_the_rank(void **state) {
  (void)state;
  double seconds = 0;
  int status = end_of("mpirun", false, 0.3, &seconds);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGTERM);
  assert_true(seconds >= 0.3 && seconds < 3);
}

static void launcher_that_does_not_listen_is_killed(void **state) {
  (void)state;
  double seconds = 0;
  int status = end_of("orted", true, 0, &seconds);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGKILL);
  assert_true(seconds >= 4 && seconds < 10);
}

static void other_parent_is_left_alone(void **state) {
  (void)state;
  double seconds = 0;
  int status = end_of("sh", false, 0, &seconds);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), NOT_CONDEMNED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(launcher_is_ended_after_the_rank),
      cmocka_unit_test(launcher_that_does_not_listen_is_killed),
      cmocka_unit_test(other_parent_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
