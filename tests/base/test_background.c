#include "base/background.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"

static void add_slowly(void *context) {
  int *number = context;
  struct timespec pause = {.tv_nsec = 2000000};
  nanosleep(&pause, NULL);
  (*number)++;
}

static void works_are_done_one_after_another(void **state) {
  (void)state;
  lpot_background *background = NULL;
  int number = 0;
  assert_int_equal(lpot_background_new(&background, NULL), LPOT_OK);
  lpot_background_wait(background);
  for (int i = 0; i < 20; i++) {
    assert_int_equal(lpot_background_start(background, add_slowly, &number, NULL), LPOT_OK);
  }
  lpot_background_wait(background);
  assert_int_equal(number, 20);
  lpot_background_wait(background);
  lpot_background_free(background);
}

static void freeing_waits_for_the_work(void **state) {
  (void)state;
  lpot_background *background = NULL;
  int number = 0;
  assert_int_equal(lpot_background_new(&background, NULL), LPOT_OK);
  assert_int_equal(lpot_background_start(background, add_slowly, &number, NULL), LPOT_OK);
  lpot_background_free(background);
  assert_int_equal(number, 1);
}

static void idle_ones_are_freed(void **state) {
  (void)state;
  lpot_background *background = NULL;
  assert_int_equal(lpot_background_new(&background, NULL), LPOT_OK);
  lpot_background_free(background);
  lpot_background_free(NULL);
  lpot_background_wait(NULL);
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_background_new(&background, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
}

static void look_at_mask(void *context) {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  *(int *)context = sigismember(&mask, SIGUSR1) + sigismember(&mask, SIGTERM);
}

static void the_thread_takes_no_signals(void **state) {
  (void)state;
  lpot_background *background = NULL;
  int blocked = 0;
  int here = 0;
  assert_int_equal(lpot_background_new(&background, NULL), LPOT_OK);
  assert_int_equal(lpot_background_start(background, look_at_mask, &blocked, NULL), LPOT_OK);
  lpot_background_free(background);
  look_at_mask(&here);
  assert_int_equal(blocked, 2);
  assert_int_equal(here, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(works_are_done_one_after_another),
      cmocka_unit_test(freeing_waits_for_the_work),
      cmocka_unit_test(idle_ones_are_freed),
      cmocka_unit_test(the_thread_takes_no_signals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
