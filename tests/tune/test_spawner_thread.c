#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tune/spawner.h"

#define SECONDS 10.0

/* Does what the byte says that comes over its link; without one it waits for the end of it. */
static int evaluator(int link, const void *context) {
  const int *release = context; /* of a pipe: to be read from */
  char order = '\0';
  ssize_t count = read(link, &order, 1);
  int exit_code = 7;
  if (count == 1 && order == 'e') { /* echo */
    exit_code = write(link, "echo", 4) == 4 ? 3 : 4;
  } else if (count == 1 && order == 'h') { /* hang */
    exit_code = read(release[0], &order, 1) == 1 ? 5 : 6;
  }
  close(link);
  return exit_code;
}

static int pipe_of_hangs[2];

static int make_pipe(void **state) {
  (void)state;
  return pipe(pipe_of_hangs);
}

static lpot_spawner *start(void) {
  lpot_spawner *spawner = NULL;
  assert_int_equal(lpot_spawner_start_inside(evaluator, pipe_of_hangs, &spawner, NULL), LPOT_OK);
  return spawner;
}

static pid_t spawn(lpot_spawner *spawner, int *ret_link) {
  pid_t pid = 0;
  assert_int_equal(lpot_spawner_spawn(spawner, SECONDS, ret_link, &pid, NULL), LPOT_OK);
  return pid;
}

static void order(int link, char what) {
  assert_int_equal(write(link, &what, 1), 1);
}

static void expect_death(lpot_spawner *spawner, pid_t pid, int exit_code) {
  lpot_death death;
  bool died = false;
  struct pollfd slot = {.fd = lpot_spawner_fd(spawner), .events = POLLIN};
  assert_int_equal(poll(&slot, 1, 10000), 1);
  assert_int_equal(lpot_spawner_death(spawner, 0, &died, &death, NULL), LPOT_OK);
  assert_true(died);
  assert_int_equal(death.pid, pid);
  assert_true(WIFEXITED(death.wait_status));
  assert_int_equal(WEXITSTATUS(death.wait_status), exit_code);
}

static void threads_are_seen(void **state) {
  (void)state;
  int link = -1;
  assert_false(lpot_spawner_sees_threads());
  lpot_spawner *spawner = start();
  assert_false(lpot_spawner_sees_threads());
  (void)spawn(spawner, &link);
  assert_true(lpot_spawner_sees_threads());
  assert_true(lpot_spawner_stop(spawner));
  close(link);
}

static void what_it_says_comes_before_its_end(void **state) {
  (void)state;
  char text[8] = "";
  int link = -1;
  lpot_spawner *spawner = start();
  pid_t first = spawn(spawner, &link);
  order(link, 'e');
  expect_death(spawner, first, 3);
  assert_int_equal(read(link, text, sizeof text), 4);
  assert_memory_equal(text, "echo", 4);
  assert_int_equal(read(link, text, sizeof text), 0);
  close(link);
  pid_t second = spawn(spawner, &link);
  assert_int_not_equal(second, first);
  order(link, 'e');
  expect_death(spawner, second, 3);
  close(link);
  assert_true(lpot_spawner_stop(spawner));
}

static void one_that_is_not_wanted_sees_the_end_of_its_link(void **state) {
  (void)state;
  int link = -1;
  lpot_death death;
  bool died = true;
  lpot_spawner *spawner = start();
  pid_t pid = spawn(spawner, &link);
  assert_int_equal(lpot_spawner_death(spawner, 0.05, &died, &death, NULL), LPOT_OK);
  assert_false(died);
  assert_int_equal(lpot_spawner_kill(spawner, NULL), LPOT_OK);
  expect_death(spawner, pid, 7);
  close(link);
  (void)spawn(spawner, &link);
  int other = -1;
  (void)spawn(spawner, &other); /* in its place */
  close(link);
  assert_true(lpot_spawner_rest(spawner, SECONDS));
  assert_true(lpot_spawner_rest(spawner, SECONDS));
  close(other);
  assert_true(lpot_spawner_stop(spawner));
}

static void there_is_no_other_beside_one_that_hangs(void **state) {
  (void)state;
  int link = -1;
  int other = -1;
  pid_t pid = 0;
  lpot_error error = {0};
  lpot_spawner *spawner = start();
  (void)spawn(spawner, &link);
  order(link, 'h');
  assert_false(lpot_spawner_rest(spawner, 0.2));
  assert_int_equal(lpot_spawner_spawn(spawner, SECONDS, &other, &pid, &error), LPOT_IO);
  assert_non_null(strstr(error.message, "cannot be killed"));
  assert_int_equal(write(pipe_of_hangs[1], "x", 1), 1);
  struct pollfd slot = {.fd = lpot_spawner_fd(spawner), .events = POLLIN};
  assert_int_equal(poll(&slot, 1, 10000), 1);
  close(link);
  pid = spawn(spawner, &link);
  order(link, 'e');
  expect_death(spawner, pid, 3);
  close(link);
  (void)spawn(spawner, &link);
  order(link, 'h');
  assert_false(lpot_spawner_rest(spawner, 0.2));
  assert_false(lpot_spawner_stop(spawner)); /* What it has is left to it. */
  close(link);
  assert_int_equal(write(pipe_of_hangs[1], "x", 1), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_are_seen),
      cmocka_unit_test(what_it_says_comes_before_its_end),
      cmocka_unit_test(one_that_is_not_wanted_sees_the_end_of_its_link),
      cmocka_unit_test(there_is_no_other_beside_one_that_hangs),
  };
  return cmocka_run_group_tests(tests, make_pipe, NULL);
}
