#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/default_signals.h"
#include "tune/interrupt.h"

static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
#define NUM_NUMBERS (sizeof numbers / sizeof numbers[0])

static volatile sig_atomic_t seen; /* by the program's own handler */

static void see(int number) {
  seen = number;
}

static void (*handler_of(int number))(int) {
  struct sigaction action;
  assert_int_equal(sigaction(number, NULL, &action), 0);
  return action.sa_handler;
}

static void a_signal_is_a_request_until_it_is_cleared(void **state) {
  (void)state;
  for (size_t i = 0; i < NUM_NUMBERS; i++) {
    lpot_interrupt_install();
    assert_false(lpot_interrupt_requested());
    assert_int_equal(raise(numbers[i]), 0);
    assert_true(lpot_interrupt_requested());
    lpot_interrupt_clear();
    assert_false(lpot_interrupt_requested());
  }
  lpot_interrupt_remove();
}

static void a_program_gets_its_own_handlers_back(void **state) {
  (void)state;
  for (size_t i = 0; i < NUM_NUMBERS; i++) {
    struct sigaction own = {0};
    own.sa_handler = see;
    assert_int_equal(sigaction(numbers[i], &own, NULL), 0);
  }
  lpot_interrupt_install();
  lpot_interrupt_install(); /* What the first one replaced is what comes back. */
  assert_int_equal(raise(SIGINT), 0);
  assert_int_equal(seen, 0);
  lpot_interrupt_remove();
  assert_false(lpot_interrupt_requested());
  for (size_t i = 0; i < NUM_NUMBERS; i++) {
    assert_true(handler_of(numbers[i]) == see);
    assert_int_equal(raise(numbers[i]), 0);
    assert_int_equal(seen, numbers[i]);
  }
  lpot_interrupt_remove(); /* There is nothing to give back. */
  assert_true(handler_of(SIGINT) == see);
  for (size_t i = 0; i < NUM_NUMBERS; i++) {
    assert_true(signal(numbers[i], SIG_DFL) != SIG_ERR);
  }
}

/* Also where the first one was obeyed meanwhile, until the next run installs the handlers again. */
static void the_second_of_a_kind_ends_the_process(void **state) {
  (void)state;
  for (int again = 0; again < 2; again++) {
    pid_t child = fork();
    if (child == 0) {
      restore_default_signals();
      lpot_interrupt_install();
      (void)raise(SIGTERM);
      lpot_interrupt_clear();
      if (again != 0) {
        lpot_interrupt_install();
      }
      (void)raise(SIGTERM);
      _exit(lpot_interrupt_requested() ? 3 : 4);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (again != 0) {
      assert_true(WIFEXITED(status));
      assert_int_equal(WEXITSTATUS(status), 3);
    } else {
      assert_true(WIFSIGNALED(status));
      assert_int_equal(WTERMSIG(status), SIGTERM);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_signal_is_a_request_until_it_is_cleared),
      cmocka_unit_test(a_program_gets_its_own_handlers_back),
      cmocka_unit_test(the_second_of_a_kind_ends_the_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
