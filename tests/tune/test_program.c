#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/program.h"

static lpot_program *start(const char *script, double timeout_seconds) {
  const char *const words[] = {"sh", "-c", script};
  lpot_program *program = NULL;
  lpot_error error = {0};
  if (lpot_program_start(words, 3, timeout_seconds, NULL, NULL, &program, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  return program;
}

static void assert_line(lpot_program *program, const char *expected) {
  char *line = NULL;
  assert_int_equal(lpot_program_receive(program, &line, NULL), LPOT_OK);
  if (expected == NULL) {
    assert_null(line);
    return;
  }
  assert_string_equal(line, expected);
  lpot_free(line);
}

static void assert_fails(lpot_program *program, const char *text) {
  char *line = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_program_receive(program, &line, &error), LPOT_IO);
  if (strstr(error.message, text) == NULL) {
    fail_msg("'%s' is not in '%s'", text, error.message);
  }
}

/* No zombie. */
static bool is_running(pid_t pid) {
  char path[64];
  char text[256] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    return false;
  }
  bool read = fgets(text, sizeof text, file) != NULL;
  fclose(file);
  const char *end = strrchr(text, ')');
  return read && end != NULL && end[2] != 'Z';
}

static void lines_go_to_and_fro(void **state) {
  (void)state;
  lpot_program *program = start("while read -r line; do echo \"<$line>\"; done", 20);
  assert_int_equal(lpot_program_send(program, "one", NULL), LPOT_OK);
  assert_line(program, "<one>");
  assert_int_equal(lpot_program_send(program, "", NULL), LPOT_OK);
  assert_line(program, "<>");
  lpot_program_stop(program);
}

/* Both directions are full before the other side reads. */
static void long_lines_do_not_block(void **state) {
  (void)state;
  const size_t size = 1u << 20;
  char *text = lpot_calloc(size + 1, 1);
  assert_non_null(text);
  memset(text, 'x', size);
  lpot_program *program = start("head -c 1000000 /dev/zero | tr '\\0' y; echo; cat; ", 60);
  assert_int_equal(lpot_program_send(program, text, NULL), LPOT_OK);
  char *line = NULL;
  assert_int_equal(lpot_program_receive(program, &line, NULL), LPOT_OK);
  assert_int_equal(strlen(line), 1000000);
  lpot_free(line);
  assert_line(program, text);
  lpot_free(text);
  lpot_program_stop(program);
}

static void waiting_lines_can_be_looked_at(void **state) {
  (void)state;
  lpot_program *program = start("echo a; echo bc; read -r x; echo d", 20);
  assert_line(program, "a");
  size_t size = 0;
  const char *text = NULL;
  for (int i = 0; i < 1000 && text == NULL; i++) {
    text = lpot_program_peek(program, 0, &size);
    lpot_clock_sleep(0.01);
  }
  assert_non_null(text);
  assert_int_equal(size, 2);
  assert_memory_equal(text, "bc", 2);
  assert_null(lpot_program_peek(program, 1, &size));
  assert_int_equal(lpot_program_send(program, "", NULL), LPOT_OK);
  assert_line(program, "bc");
  assert_line(program, "d");
  assert_line(program, NULL);
  assert_line(program, NULL);
  lpot_program_stop(program);
}

static void ends_are_told_apart(void **state) {
  (void)state;
  lpot_program *program = start("exit 0", 20);
  assert_line(program, NULL);
  lpot_program_stop(program);
  program = start("exit 3", 20);
  assert_fails(program, "ended with exit code 3");
  lpot_program_stop(program);
  program = start("kill -9 $$", 20);
  assert_fails(program, "ended by signal 9");
  lpot_program_stop(program);
  program = start("printf half", 20);
  assert_fails(program, "in the middle of a line");
  lpot_program_stop(program);
}

/* A text would end there, and what follows be lost without a word. */
static void zero_bytes_are_refused(void **state) {
  (void)state;
  lpot_program *program = start("printf '{\\000}\\n'", 20);
  assert_fails(program, "zero byte");
  lpot_program_stop(program);
}

static void programs_that_are_not_there_are_the_configurations_fault(void **state) {
  (void)state;
  const char *const words[] = {"/no/such/program"};
  lpot_program *program = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_program_start(words, 1, 1, NULL, NULL, &program, &error), LPOT_CONFIG);
  assert_non_null(strstr(error.message, "'/no/such/program' cannot be started"));
  assert_null(program);
}

static void silence_is_waited_for_so_long(void **state) {
  (void)state;
  lpot_clock clock = lpot_clock_monotonic();
  lpot_program *program = start("sleep 100", 0.5);
  double before = lpot_clock_now(&clock);
  assert_fails(program, "not answered within 0.5 seconds");
  assert_true(lpot_clock_now(&clock) - before >= 0.5);
  lpot_program_stop(program);
  assert_true(lpot_clock_now(&clock) - before < 30); /* and it was ended */
}

/* Whether the program ends by itself or not. */
static void nothing_that_it_started_is_left(void **state) {
  (void)state;
  static const char *const scripts[] = {"sleep 1000 </dev/null >/dev/null 2>&1 & echo $!",
                                        "sleep 1000 </dev/null & echo $!; exec sleep 1000"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    lpot_program *program = start(scripts[i], 20);
    char *line = NULL;
    int64_t left = 0;
    assert_int_equal(lpot_program_receive(program, &line, NULL), LPOT_OK);
    assert_true(lpot_text_to_int64(line, &left) && left > 1);
    lpot_free(line);
    if (i == 0) {
      assert_line(program, NULL);
    }
    lpot_program_stop(program);
    int tries = 0; /* It is init's to bury it. */
    while (is_running((pid_t)left) && tries < 100) {
      lpot_clock_sleep(0.05);
      tries++;
    }
    assert_true(tries < 100);
  }
}

static void floods_are_refused(void **state) {
  (void)state;
  lpot_program *program = start("yes | tr -d '\\n'", 60);
  assert_fails(program, "nobody asked for");
  lpot_program_stop(program);
}

/* One that has ended well reads no more; answers to it are dropped. */
static void answers_to_nobody_are_dropped(void **state) {
  (void)state;
  lpot_program *program = start("echo a", 20);
  assert_line(program, "a");
  assert_line(program, NULL);
  assert_int_equal(lpot_program_send(program, "b", NULL), LPOT_OK);
  lpot_program_stop(program);
  lpot_program_stop(NULL);
}

/* One that has written what nobody reads finds its input ended, not reset. */
static void the_input_ends_for_what_wrote_ahead(void **state) {
  (void)state;
  char path[] = "/tmp/lpot-program-XXXXXX";
  int file = mkstemp(path);
  assert_true(file >= 0);
  char script[128];
  char said[8] = "";
  snprintf(script, sizeof script, "echo a; echo ahead; cat && echo fine >%s", path);
  lpot_program *program = start(script, 20);
  assert_line(program, "a");
  lpot_program_stop(program);
  assert_int_equal(read(file, said, sizeof said - 1), 5);
  assert_string_equal(said, "fine\n");
  close(file);
  unlink(path);
}

typedef struct idle_state {
  int calls;
} idle_state;

static lpot_status count_calls(void *context, lpot_error *err) {
  idle_state *self = context;
  self->calls++;
  return self->calls == 3 ? LPOT_FAIL(err, LPOT_INTERRUPTED, "a signal") : LPOT_OK;
}

static void what_is_done_meanwhile_may_end_the_wait(void **state) {
  (void)state;
  const char *const words[] = {"sleep", "100"};
  idle_state self = {0};
  lpot_program *program = NULL;
  char *line = NULL;
  assert_int_equal(lpot_program_start(words, 2, 60, count_calls, &self, &program, NULL), LPOT_OK);
  assert_int_equal(lpot_program_receive(program, &line, NULL), LPOT_INTERRUPTED);
  assert_int_equal(self.calls, 3);
  lpot_program_stop(program);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_go_to_and_fro),
      cmocka_unit_test(long_lines_do_not_block),
      cmocka_unit_test(waiting_lines_can_be_looked_at),
      cmocka_unit_test(ends_are_told_apart),
      cmocka_unit_test(zero_bytes_are_refused),
      cmocka_unit_test(programs_that_are_not_there_are_the_configurations_fault),
      cmocka_unit_test(silence_is_waited_for_so_long),
      cmocka_unit_test(nothing_that_it_started_is_left),
      cmocka_unit_test(floods_are_refused),
      cmocka_unit_test(answers_to_nobody_are_dropped),
      cmocka_unit_test(the_input_ends_for_what_wrote_ahead),
      cmocka_unit_test(what_is_done_meanwhile_may_end_the_wait),
  };
  return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
