#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/default_signals.h"
#include "tune/spawner.h"

#define SECONDS 10.0

/* Does what the byte says that comes over its link; without one it waits. */
static int evaluator(int link, const void *context) {
  char order = '\0';
  restore_default_signals();
  if (read(link, &order, 1) != 1) {
    return 0;
  }
  switch (order) {
  case 's':
    raise(SIGSEGV);
    break;
  case 'a':
    abort();
  case 'k':
    raise(SIGKILL);
    break;
  case 'l':
    fputs("first line\nlast words\n", stderr);
    raise(SIGSEGV);
    break;
  case 'm': /* more than is kept */
    for (int i = 0; i < 1000; i++) {
      fprintf(stderr, "line %d of many\n", i);
    }
    return 4;
  case 'o': { /* tells what the system thinks of it where memory is short */
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    int score = 0;
    return file != NULL && fscanf(file, "%d", &score) == 1 ? score / 10 : 0;
  }
  case 'i': /* signals that launchers send to all */
    raise(SIGINT);
    raise(SIGTERM);
    raise(SIGUSR1);
    return 7;
  default:
    break;
  }
  return *(const int *)context;
}

static lpot_spawner *start(void) {
  static const int exit_code = 3;
  lpot_spawner *spawner = NULL;
  assert_int_equal(lpot_spawner_start(evaluator, &exit_code, &spawner, NULL), LPOT_OK);
  return spawner;
}

static pid_t spawn(lpot_spawner *spawner, int *ret_link) {
  pid_t pid = 0;
  assert_int_equal(lpot_spawner_spawn(spawner, SECONDS, ret_link, &pid, NULL), LPOT_OK);
  assert_true(pid > 0);
  return pid;
}

static lpot_death wait_for_death(lpot_spawner *spawner, pid_t pid) {
  lpot_death death;
  bool died = false;
  assert_int_equal(lpot_spawner_death(spawner, SECONDS, &died, &death, NULL), LPOT_OK);
  assert_true(died);
  assert_int_equal(death.pid, pid);
  return death;
}

/* Makes an evaluator, gives it its order and returns how it died. */
static lpot_death life(lpot_spawner *spawner, char order) {
  int link = -1;
  pid_t pid = spawn(spawner, &link);
  assert_int_equal(write(link, &order, 1), 1);
  lpot_death death = wait_for_death(spawner, pid);
  char byte;
  assert_int_equal(read(link, &byte, 1), 0);
  close(link);
  return death;
}

/* No child of ours is left, and the evaluator is nobody's. */
static void assert_gone(pid_t evaluator_pid) {
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
  bool alive = true;
  for (int i = 0; i < 1000 && alive; i++) {
    alive = kill(evaluator_pid, 0) == 0;
    if (alive) {
      lpot_clock_sleep(0.01);
    }
  }
  assert_false(alive);
}

static void each_way_to_die_is_reported(void **state) {
  (void)state;
  lpot_spawner *spawner = start();
  static const struct {
    char order;
    int signal, exit_code;
  } ways[] = {{'s', SIGSEGV, 0}, {'a', SIGABRT, 0}, {'k', SIGKILL, 0},
              {'x', 0, 3},       {'i', 0, 7},       {'o', 0, 50}};
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    lpot_death death = life(spawner, ways[i].order);
    if (ways[i].signal != 0) {
      assert_true(WIFSIGNALED(death.wait_status));
      assert_int_equal(WTERMSIG(death.wait_status), ways[i].signal);
    } else {
      assert_true(WIFEXITED(death.wait_status));
      assert_int_equal(WEXITSTATUS(death.wait_status), ways[i].exit_code);
    }
    assert_true(death.max_rss_kib > 0);
    assert_string_equal(death.last_lines, "");
  }
  lpot_spawner_stop(spawner);
}

static void last_lines_come_with_the_death(void **state) {
  (void)state;
  lpot_spawner *spawner = start();
  lpot_death death = life(spawner, 'l');
  char text[256];
  assert_string_equal(death.last_lines, "first line\nlast words\n");
  lpot_death_text(&death, text, sizeof text);
  assert_non_null(strstr(text, "ended by signal 11 (SIGSEGV)"));
  assert_non_null(strstr(text, "its last lines: first line|last words"));
  death = life(spawner, 'm');
  assert_int_equal(strlen(death.last_lines), LPOT_LAST_LINES);
  assert_non_null(strstr(death.last_lines, "line 999 of many\n"));
  lpot_death_text(&death, text, sizeof text);
  assert_non_null(strstr(text, "ended with exit code 4"));
  assert_non_null(strstr(text, "its last lines: line 9"));
  assert_non_null(strstr(text, "line 999 of many"));
  lpot_spawner_stop(spawner);
}

static void evaluator_is_killed_on_request(void **state) {
  (void)state;
  lpot_spawner *spawner = start();
  int link = -1;
  pid_t pid = spawn(spawner, &link);
  lpot_death death;
  bool died = true;
  assert_int_equal(lpot_spawner_death(spawner, 0.05, &died, &death, NULL), LPOT_OK);
  assert_false(died);
  assert_int_equal(lpot_spawner_kill(spawner, NULL), LPOT_OK);
  death = wait_for_death(spawner, pid);
  assert_true(WIFSIGNALED(death.wait_status));
  assert_int_equal(WTERMSIG(death.wait_status), SIGKILL);
  assert_int_equal(lpot_spawner_kill(spawner, NULL),
                   LPOT_OK); /* Nobody is there: nothing happens. */
  close(link);
  assert_int_equal(WEXITSTATUS(life(spawner, 'x').wait_status), 3);
  lpot_spawner_stop(spawner);
}

static void twenty_deaths_in_a_row_leave_nothing_behind(void **state) {
  (void)state;
  lpot_spawner *spawner = start();
  pid_t last = 0;
  for (int i = 0; i < 20; i++) {
    lpot_death death = life(spawner, i % 2 == 0 ? 's' : 'k');
    assert_true(WIFSIGNALED(death.wait_status));
    assert_int_not_equal(death.pid, last);
    last = death.pid;
    assert_int_equal(kill(last, 0), -1); /* It was reaped: no zombie either. */
  }
  int link = -1;
  pid_t pid = spawn(spawner, &link);
  lpot_spawner_stop(spawner);
  assert_gone(pid);
  close(link);
}

static void deaths_are_told_where_children_are_ignored(void **state) {
  (void)state;
  signal(SIGCHLD, SIG_IGN);
  lpot_spawner *spawner = start();
  assert_int_equal(WEXITSTATUS(life(spawner, 'x').wait_status), 3);
  lpot_spawner_stop(spawner);
  signal(SIGCHLD, SIG_DFL);
}

static void death_of_the_rank_ends_both(void **state) {
  (void)state;
  int news[2];
  assert_int_equal(pipe(news), 0);
  pid_t rank = fork();
  if (rank == 0) {
    int link = -1;
    pid_t pid = spawn(start(), &link);
    if (write(news[1], &pid, sizeof pid) == (ssize_t)sizeof pid) {
      pause();
    }
    _exit(0);
  }
  pid_t pid = 0;
  close(news[1]);
  assert_int_equal(read(news[0], &pid, sizeof pid), sizeof pid);
  assert_int_equal(kill(pid, 0), 0);
  kill(rank, SIGKILL);
  assert_int_equal(waitpid(rank, NULL, 0), rank);
  char byte;
  assert_int_equal(read(news[0], &byte, 1), 0); /* Nobody holds the pipe any more. */
  close(news[0]);
  assert_gone(pid);
}

static void loss_of_the_spawner_is_told(void **state) {
  (void)state;
  lpot_spawner *spawner = start();
  int link = -1;
  pid_t pid = spawn(spawner, &link);
  char path[64];
  char stat[512] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_non_null(fgets(stat, sizeof stat, file));
  fclose(file);
  int parent = atoi(strrchr(stat, ')') + 4); /* ") S 123 ..." */
  assert_int_equal(kill(parent, SIGKILL), 0);
  lpot_death death;
  bool died = false;
  assert_int_equal(lpot_spawner_death(spawner, SECONDS, &died, &death, NULL), LPOT_IO);
  int other = -1;
  assert_int_equal(lpot_spawner_spawn(spawner, SECONDS, &other, &pid, NULL), LPOT_IO);
  lpot_spawner_stop(spawner);
  close(link);
}

int main(void) {
  alarm(120); /* Nothing here may hang. */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_way_to_die_is_reported),
      cmocka_unit_test(last_lines_come_with_the_death),
      cmocka_unit_test(evaluator_is_killed_on_request),
      cmocka_unit_test(twenty_deaths_in_a_row_leave_nothing_behind),
      cmocka_unit_test(deaths_are_told_where_children_are_ignored),
      cmocka_unit_test(death_of_the_rank_ends_both),
      cmocka_unit_test(loss_of_the_spawner_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
