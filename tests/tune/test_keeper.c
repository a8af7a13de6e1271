#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/writer.h"
#include "support/default_signals.h"
#include "tune/keeper.h"
#include "tune/link.h"

#define SECONDS 20.0

/* ---- an evaluator without a job: a task's id says what happens ---- */

enum { TASK_DONE = 1, TASK_DIES = 2, TASK_HANGS = 3, TASK_LAST_WORD = 4, TASK_GARBAGE = 5 };

/* What all evaluators of a test know: how many there were is counted in a file. */
typedef struct plan {
  int counter;       /* fd of a file; each evaluator adds a byte */
  int dies_from;     /* evaluators from this number on die before HELLO; 0: none */
  int other_from;    /* from this number on they say another HELLO; 0: none */
  bool cannot_start; /* FAILED instead of HELLO */
} plan;

static void say(lpot_link *link, lpot_buffer *out) {
  if (lpot_message_finish(out, NULL) != LPOT_OK || lpot_link_post(link, out, NULL) != LPOT_OK ||
      lpot_link_flush(link, SECONDS, NULL) != LPOT_OK) {
    _exit(9);
  }
}

static void say_hello(lpot_link *link, lpot_buffer *out, const lpot_start_order *start,
                      bool other) {
  lpot_hello hello = {.rank = start->rank, .config_hash = other ? 2 : 1};
  (void)!lpot_message_begin(out, LPOT_MESSAGE_HELLO, 0, NULL);
  (void)!lpot_hello_write(&hello, out, NULL);
  say(link, out);
}

/* The id of a CALIBRATION message is the number of KiB that it brings: bytes that count up. */
static bool is_whole(const lpot_message *message) {
  bool whole = message->size == message->task_id * 1024;
  for (size_t i = 0; whole && i < message->size; i++) {
    whole = message->payload[i] == (uint8_t)(i + i / 256);
  }
  return whole;
}

static void fill(lpot_buffer *out, uint64_t kib) {
  for (size_t i = 0; i < kib * 1024; i++) {
    uint8_t byte = (uint8_t)(i + i / 256);
    assert_int_equal(lpot_buffer_append(out, &byte, 1, NULL), LPOT_OK);
  }
}

/* The outcome's seconds are the number of whole CALIBRATION messages so far. */
static void say_outcome(lpot_link *link, lpot_buffer *out, uint64_t id, int calibrations) {
  lpot_outcome outcome = {.kind = LPOT_TASK_LATENCY, .seconds = calibrations};
  (void)!lpot_message_begin(out, LPOT_MESSAGE_OUTCOME, id, NULL);
  (void)!lpot_outcome_write(&outcome, out, NULL);
  say(link, out);
}

static void on_task(lpot_link *link, lpot_buffer *out, uint64_t id, int calibrations) {
  static const char garbage[64] = "this is not a message at all";
  switch (id % 10) {
  case TASK_DIES:
    fputs("about to die\n", stderr);
    raise(SIGSEGV);
    break;
  case TASK_HANGS:
    pause();
    break;
  case TASK_LAST_WORD:
    say_outcome(link, out, id, calibrations);
    raise(SIGKILL);
    break;
  case TASK_GARBAGE:
    (void)!write(lpot_link_fd(link), garbage, sizeof garbage);
    pause();
    break;
  default:
    say_outcome(link, out, id, calibrations);
    break;
  }
}

static void on_start(lpot_link *link, lpot_buffer *out, const lpot_message *message,
                     const plan *plans) {
  lpot_reader reader;
  lpot_start_order start;
  lpot_reader_init(&reader, message->payload, message->size);
  (void)!write(plans->counter, "x", 1);
  int number = (int)lseek(plans->counter, 0, SEEK_END);
  if (lpot_start_read(&reader, &start, NULL) != LPOT_OK || start.rank != 5) {
    _exit(8);
  }
  if (plans->cannot_start) {
    (void)!lpot_message_begin(out, LPOT_MESSAGE_FAILED, 0, NULL);
    (void)!lpot_failure_write(LPOT_CONFIG, "c.yaml:3: bad", out, NULL);
    say(link, out);
    _exit(1);
  }
  if (plans->dies_from > 0 && number >= plans->dies_from) {
    raise(SIGSEGV);
  }
  say_hello(link, out, &start, plans->other_from > 0 && number >= plans->other_from);
}

static int evaluator(int fd, const void *context) {
  lpot_link *link = NULL;
  lpot_buffer in;
  lpot_buffer out;
  lpot_link_news news = LPOT_LINK_MESSAGE;
  int calibrations = 0;
  restore_default_signals();
  lpot_buffer_init(&in);
  lpot_buffer_init(&out);
  if (lpot_link_new(fd, &link, NULL) != LPOT_OK) {
    return 1;
  }
  lpot_message message = {0};
  while (news == LPOT_LINK_MESSAGE && message.kind != LPOT_MESSAGE_END) {
    if (lpot_link_receive(link, LPOT_FOREVER, &news, &in, NULL) != LPOT_OK) {
      return 1;
    }
    if (news != LPOT_LINK_MESSAGE ||
        lpot_message_parse(in.data, in.size, &message, NULL) != LPOT_OK) {
      return 1;
    }
    if (message.kind == LPOT_MESSAGE_START) {
      on_start(link, &out, &message, context);
    }
    calibrations += message.kind == LPOT_MESSAGE_CALIBRATION && is_whole(&message);
    if (message.kind == LPOT_MESSAGE_TASK) {
      on_task(link, &out, message.task_id, calibrations);
    }
  }
  return 0;
}

/* ---- the rank's side ---- */

typedef struct stage {
  plan plans;
  FILE *file;
  lpot_spawner *spawner;
  lpot_keeper *keeper;
} stage;

static void set_up(stage *self) {
  self->file = tmpfile();
  assert_non_null(self->file);
  self->plans.counter = fileno(self->file);
  assert_int_equal(lpot_spawner_start(evaluator, &self->plans, &self->spawner, NULL), LPOT_OK);
  lpot_start_order start = {.rank = 5, .local_ranks = 1, .host = "node7"};
  assert_int_equal(lpot_keeper_new(self->spawner, &start, &self->keeper, NULL), LPOT_OK);
}

static void tear_down(stage *self) {
  lpot_keeper_free(self->keeper);
  lpot_spawner_stop(self->spawner);
  fclose(self->file);
}

static int num_evaluators(const stage *self) {
  return (int)lseek(self->plans.counter, 0, SEEK_END);
}

static void give_task(stage *self, lpot_task_kind kind, uint64_t id) {
  lpot_buffer message;
  lpot_task task = {.kind = kind};
  lpot_buffer_init(&message);
  assert_int_equal(lpot_message_begin(&message, LPOT_MESSAGE_TASK, id, NULL), LPOT_OK);
  assert_int_equal(lpot_task_write(&task, &message, NULL), LPOT_OK);
  assert_int_equal(lpot_message_finish(&message, NULL), LPOT_OK);
  assert_int_equal(lpot_keeper_give(self->keeper, &message, NULL), LPOT_OK);
  lpot_buffer_done(&message);
}

static void give(stage *self, lpot_message_kind kind, uint64_t id) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  assert_int_equal(lpot_message_begin(&message, kind, id, NULL), LPOT_OK);
  if (kind == LPOT_MESSAGE_TASK) {
    lpot_task task = {.kind = LPOT_TASK_LATENCY};
    assert_int_equal(lpot_task_write(&task, &message, NULL), LPOT_OK);
  } else if (kind == LPOT_MESSAGE_CALIBRATION) {
    fill(&message, id);
  }
  assert_int_equal(lpot_message_finish(&message, NULL), LPOT_OK);
  assert_int_equal(lpot_keeper_give(self->keeper, &message, NULL), LPOT_OK);
  lpot_buffer_done(&message);
}

static lpot_outcome expect_outcome(stage *self, uint64_t id, lpot_status status) {
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  bool came = false;
  for (int i = 0; i < 200 && !came; i++) {
    assert_int_equal(lpot_keeper_wait(self->keeper, 0.1, &came, &bytes, NULL), LPOT_OK);
  }
  assert_true(came);
  lpot_message message;
  lpot_reader reader;
  lpot_outcome outcome;
  lpot_outcome_init(&outcome);
  assert_int_equal(lpot_message_parse(bytes.data, bytes.size, &message, NULL), LPOT_OK);
  assert_int_equal(message.kind, LPOT_MESSAGE_OUTCOME);
  assert_int_equal(message.task_id, id);
  lpot_reader_init(&reader, message.payload, message.size);
  assert_int_equal(lpot_outcome_read(&reader, &outcome, NULL), LPOT_OK);
  assert_int_equal(outcome.kind, LPOT_TASK_LATENCY);
  assert_int_equal(outcome.status, status);
  lpot_outcome plain = {.kind = outcome.kind, .status = outcome.status, .seconds = outcome.seconds};
  memcpy(plain.cause, outcome.cause, sizeof plain.cause);
  lpot_outcome_done(&outcome);
  lpot_buffer_done(&bytes);
  return plain;
}

static void meet(stage *self) {
  assert_int_equal(lpot_keeper_meet(self->keeper, SECONDS, NULL), LPOT_OK);
}

static void death_is_the_outcome_and_the_next_evaluator_knows_as_much(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_CALIBRATION, 0);
  give(&self, LPOT_MESSAGE_TASK, 11);
  assert_true(expect_outcome(&self, 11, LPOT_OK).seconds == 1);
  give(&self, LPOT_MESSAGE_CALIBRATION, 300); /* large enough to be shared on the node */
  give(&self, LPOT_MESSAGE_TASK, 22);
  lpot_outcome outcome = expect_outcome(&self, 22, LPOT_CRASHED);
  assert_non_null(strstr(outcome.cause, "evaluator on node7 ended by signal 11 (SIGSEGV)"));
  assert_non_null(strstr(outcome.cause, "its last lines: about to die"));
  give(&self, LPOT_MESSAGE_TASK, 31);
  assert_true(expect_outcome(&self, 31, LPOT_OK).seconds == 2);
  assert_int_equal(num_evaluators(&self), 2);
  tear_down(&self);
}

/* What was done before would be found again in a process that is measured. */
static void footprint_is_the_first_task_of_its_evaluator(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give_task(&self, LPOT_TASK_FOOTPRINT, 11);
  (void)expect_outcome(&self, 11, LPOT_OK);
  assert_int_equal(num_evaluators(&self), 1); /* It was a new one. */
  give(&self, LPOT_MESSAGE_CALIBRATION, 0);
  give_task(&self, LPOT_TASK_FOOTPRINT, 21);
  assert_true(expect_outcome(&self, 21, LPOT_OK).seconds == 1); /* It knows the calibration. */
  assert_int_equal(num_evaluators(&self), 2);
  give(&self, LPOT_MESSAGE_TASK, 31);
  (void)expect_outcome(&self, 31, LPOT_OK);
  assert_int_equal(num_evaluators(&self), 2); /* Others go on with it. */
  for (uint64_t i = 4; i < 10; i++) {         /* More often than evaluators may die early. */
    give_task(&self, LPOT_TASK_FOOTPRINT, 10 * i + 1);
    (void)expect_outcome(&self, 10 * i + 1, LPOT_OK);
  }
  assert_int_equal(num_evaluators(&self), 8);
  tear_down(&self);
}

static void twenty_deaths_at_work_are_survived(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  for (uint64_t i = 0; i < 20; i++) {
    give(&self, LPOT_MESSAGE_TASK, i * 10 + TASK_DIES);
    lpot_outcome outcome = expect_outcome(&self, i * 10 + TASK_DIES, LPOT_CRASHED);
    assert_non_null(strstr(outcome.cause, "SIGSEGV"));
  }
  give(&self, LPOT_MESSAGE_TASK, 1001);
  (void)expect_outcome(&self, 1001, LPOT_OK);
  assert_int_equal(num_evaluators(&self), 21);
  tear_down(&self);
}

static void kill_ends_what_hangs(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 13);
  lpot_buffer none;
  lpot_buffer_init(&none);
  bool came = true;
  assert_int_equal(lpot_keeper_wait(self.keeper, 0.1, &came, &none, NULL), LPOT_OK);
  assert_false(came);
  give(&self, LPOT_MESSAGE_KILL, 12); /* Another task: nothing happens. */
  give(&self, LPOT_MESSAGE_KILL, 13);
  lpot_outcome outcome = expect_outcome(&self, 13, LPOT_CRASHED);
  assert_non_null(strstr(outcome.cause, "killed: it did not answer in time"));
  give(&self, LPOT_MESSAGE_KILL, 13); /* It has its outcome: nothing happens. */
  give(&self, LPOT_MESSAGE_TASK, 21);
  (void)expect_outcome(&self, 21, LPOT_OK);
  assert_int_equal(num_evaluators(&self), 2);
  tear_down(&self);
}

static void kill_that_comes_behind_the_answer_spares_the_next_task(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  for (uint64_t i = 1; i <= 10; i++) {
    give(&self, LPOT_MESSAGE_TASK, i * 20 + TASK_DONE);
    lpot_clock_sleep(0.05); /* The answer is there, but the keeper has not looked. */
    give(&self, LPOT_MESSAGE_KILL, i * 20 + TASK_DONE);
    (void)expect_outcome(&self, i * 20 + TASK_DONE, LPOT_OK);
    give(&self, LPOT_MESSAGE_TASK, i * 20 + 10 + TASK_DONE);
    (void)expect_outcome(&self, i * 20 + 10 + TASK_DONE, LPOT_OK);
  }
  assert_int_equal(num_evaluators(&self), 11);
  tear_down(&self);
}

static void kill_reaches_a_task_that_waits_for_the_next_evaluator(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 11);
  lpot_clock_sleep(0.05);
  give(&self, LPOT_MESSAGE_KILL, 11);
  (void)expect_outcome(&self, 11, LPOT_OK);
  give(&self, LPOT_MESSAGE_TASK, 23);
  give(&self, LPOT_MESSAGE_KILL, 23);
  (void)expect_outcome(&self, 23, LPOT_CRASHED);
  give(&self, LPOT_MESSAGE_TASK, 31);
  (void)expect_outcome(&self, 31, LPOT_OK);
  tear_down(&self);
}

static void cancelled_task_that_is_killed_has_crashed(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 13);
  give(&self, LPOT_MESSAGE_CANCEL, 13);
  give(&self, LPOT_MESSAGE_KILL, 13);
  (void)expect_outcome(&self, 13, LPOT_CRASHED); /* It did not heed the cancel. */
  tear_down(&self);
}

static void cancelled_task_that_dies_has_crashed(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 12);
  give(&self, LPOT_MESSAGE_CANCEL, 12);
  /* The next task's lease has to be one for a new evaluator. */
  assert_non_null(strstr(expect_outcome(&self, 12, LPOT_CRASHED).cause, "SIGSEGV"));
  tear_down(&self);
}

static void outcome_that_came_before_the_death_stands(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  for (uint64_t i = 1; i <= 10; i++) {
    give(&self, LPOT_MESSAGE_TASK, i * 10 + TASK_LAST_WORD);
    (void)expect_outcome(&self, i * 10 + TASK_LAST_WORD, LPOT_OK);
    give(&self, LPOT_MESSAGE_TASK, i * 10 + TASK_DONE);
    lpot_buffer bytes;
    lpot_buffer_init(&bytes);
    bool came = false;
    while (!came) { /* Whether the death or the new task is noticed first is a matter of luck. */
      assert_int_equal(lpot_keeper_wait(self.keeper, SECONDS, &came, &bytes, NULL), LPOT_OK);
    }
    lpot_buffer_done(&bytes);
  }
  tear_down(&self);
}

static void garbage_is_a_death(void **state) {
  (void)state;
  stage self = {0};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 15);
  lpot_outcome outcome = expect_outcome(&self, 15, LPOT_CRASHED);
  assert_non_null(strstr(outcome.cause, "message: magic"));
  give(&self, LPOT_MESSAGE_TASK, 21);
  (void)expect_outcome(&self, 21, LPOT_OK);
  tear_down(&self);
}

static void evaluators_that_cannot_start_again_lose_the_worker(void **state) {
  (void)state;
  stage self = {.plans = {.dies_from = 2}};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 12);
  (void)expect_outcome(&self, 12, LPOT_CRASHED);
  give(&self, LPOT_MESSAGE_TASK, 21);
  (void)expect_outcome(&self, 21, LPOT_LOST);
  give(&self, LPOT_MESSAGE_CALIBRATION, 0);
  give(&self, LPOT_MESSAGE_TASK, 31);
  lpot_outcome outcome = expect_outcome(&self, 31, LPOT_LOST);
  assert_non_null(strstr(outcome.cause, "evaluator on node7 ended by signal 11"));
  assert_int_equal(num_evaluators(&self), 4); /* One that worked, three that could not. */
  tear_down(&self);
}

static void evaluator_that_reads_other_files_is_not_taken(void **state) {
  (void)state;
  stage self = {.plans = {.other_from = 2}};
  set_up(&self);
  meet(&self);
  give(&self, LPOT_MESSAGE_TASK, 12);
  (void)expect_outcome(&self, 12, LPOT_CRASHED);
  give(&self, LPOT_MESSAGE_TASK, 21);
  lpot_outcome outcome = expect_outcome(&self, 21, LPOT_LOST);
  assert_non_null(strstr(outcome.cause, "reads other files"));
  tear_down(&self);
}

static void failure_at_the_start_is_told_with_its_status(void **state) {
  (void)state;
  stage self = {.plans = {.cannot_start = true}};
  lpot_error error = {0};
  set_up(&self);
  assert_int_equal(lpot_keeper_meet(self.keeper, SECONDS, &error), LPOT_CONFIG);
  assert_string_equal(error.message, "c.yaml:3: bad");
  assert_int_equal(num_evaluators(&self), 1); /* The next would say the same. */
  tear_down(&self);
}

static void deaths_at_the_start_are_told(void **state) {
  (void)state;
  stage self = {.plans = {.dies_from = 1}};
  lpot_error error = {0};
  set_up(&self);
  assert_int_equal(lpot_keeper_meet(self.keeper, SECONDS, &error), LPOT_CRASHED);
  assert_non_null(strstr(error.message, "ended by signal 11 (SIGSEGV)"));
  assert_int_equal(num_evaluators(&self), 3);
  tear_down(&self);
}

int main(void) {
  alarm(240); /* Nothing here may hang. */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(death_is_the_outcome_and_the_next_evaluator_knows_as_much),
      cmocka_unit_test(footprint_is_the_first_task_of_its_evaluator),
      cmocka_unit_test(twenty_deaths_at_work_are_survived),
      cmocka_unit_test(kill_ends_what_hangs),
      cmocka_unit_test(kill_that_comes_behind_the_answer_spares_the_next_task),
      cmocka_unit_test(kill_reaches_a_task_that_waits_for_the_next_evaluator),
      cmocka_unit_test(cancelled_task_that_is_killed_has_crashed),
      cmocka_unit_test(cancelled_task_that_dies_has_crashed),
      cmocka_unit_test(outcome_that_came_before_the_death_stands),
      cmocka_unit_test(garbage_is_a_death),
      cmocka_unit_test(evaluators_that_cannot_start_again_lose_the_worker),
      cmocka_unit_test(evaluator_that_reads_other_files_is_not_taken),
      cmocka_unit_test(failure_at_the_start_is_told_with_its_status),
      cmocka_unit_test(deaths_at_the_start_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
