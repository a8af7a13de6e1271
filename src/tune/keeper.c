#define _GNU_SOURCE /* ppoll */
#include "tune/keeper.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mapping_shared.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/link.h"

#define SPAWN_SECONDS 20.0  /* bound for making an evaluator */
#define DEATH_SECONDS 10.0  /* bound for the death of a killed one */
#define START_SECONDS 840.0 /* bound for building its job */
#define FAREWELL_SECONDS 1.0
#define MAX_FAILURES 3 /* evaluators in a row that died before they were given work */

typedef enum evaluator_state {
  STARTING, /* HELLO has not come yet */
  READY,
  BROKEN /* there is none and no other will be made */
} evaluator_state;

/* A message that every rank gets: a large one lies in the node's memory once. */
typedef struct kept_message {
  lpot_mapping *shared; /* NULL where that cannot be had */
  lpot_buffer own;      /* empty where there is shared memory */
} kept_message;

struct lpot_keeper {
  lpot_spawner *spawner; /* borrowed */
  lpot_start_order start;
  evaluator_state state;
  lpot_link *link; /* NULL when BROKEN */
  pid_t pid;
  double started; /* when the evaluator was made */
  int failures;   /* in a row */
  bool met;       /* the first HELLO has come */
  lpot_buffer hello;
  size_t num_calibrations;
  kept_message *calibrations; /* [num_calibrations], for a new evaluator */
  bool has_task;              /* it has no outcome yet */
  bool posted;                /* the task was, to the evaluator that there is now */
  bool cancelled, killed;     /* the task was */
  bool doomed;                /* the evaluator was killed: it gets no more tasks */
  bool fresh;                 /* it was given no task yet */
  bool renewed;               /* it was killed for the sake of a fresh one */
  uint64_t task_id;
  lpot_task_kind task_kind;
  lpot_buffer task; /* the message, for a new evaluator */
  bool told;        /* cause says why the evaluator ends */
  lpot_status status;
  char cause[LPOT_CAUSE_SIZE]; /* of the last failure */
  bool has_answer;
  lpot_buffer answer, inbox, outbox;
};

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static lpot_status copy_message(lpot_buffer *out, const lpot_buffer *message, lpot_error *err) {
  lpot_buffer_clear(out);
  LPOT_TRY(lpot_buffer_append(out, message->data, message->size, err));
  return LPOT_OK;
}

static lpot_status explain(lpot_keeper *keeper, lpot_status status, const char *text) {
  keeper->told = true;
  keeper->status = status;
  lpot_text_copy(keeper->cause, sizeof keeper->cause, text);
  return status;
}

/* ---- answers in the evaluator's place ---- */

static lpot_status answer_for(lpot_keeper *keeper, lpot_status status, lpot_error *err) {
  lpot_outcome outcome = {.kind = keeper->task_kind, .status = status};
  lpot_text_copy(outcome.cause, sizeof outcome.cause, keeper->cause);
  LPOT_TRY(lpot_message_begin(&keeper->answer, LPOT_MESSAGE_OUTCOME, keeper->task_id, err));
  LPOT_TRY(lpot_outcome_write(&outcome, &keeper->answer, err));
  LPOT_TRY(lpot_message_finish(&keeper->answer, err));
  keeper->has_answer = true;
  keeper->has_task = false;
  return LPOT_OK;
}

/* ---- making evaluators ---- */

/* An evaluator that is gone does not take messages; its death is noticed elsewhere. */
static lpot_status post(lpot_keeper *keeper, const lpot_buffer *message, lpot_error *err) {
  lpot_status status = lpot_link_post(keeper->link, message, err);
  return status == LPOT_IO ? LPOT_OK : status;
}

static lpot_status post_simple(lpot_keeper *keeper, lpot_message_kind kind, uint64_t task_id,
                               lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&keeper->outbox, kind, task_id, err));
  LPOT_TRY(lpot_message_finish(&keeper->outbox, err));
  LPOT_TRY(post(keeper, &keeper->outbox, err));
  return LPOT_OK;
}

static lpot_status post_kept(lpot_keeper *keeper, const kept_message *message, lpot_error *err) {
  lpot_buffer bytes = message->own;
  if (message->shared != NULL) {
    bytes = (lpot_buffer){.data = (uint8_t *)(uintptr_t)lpot_mapping_data(message->shared),
                          .size = lpot_mapping_size(message->shared)};
  }
  return post(keeper, &bytes, err);
}

/* Tells a new evaluator what the old one knew. */
static lpot_status brief(lpot_keeper *keeper, lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&keeper->outbox, LPOT_MESSAGE_START, 0, err));
  LPOT_TRY(lpot_start_write(&keeper->start, &keeper->outbox, err));
  LPOT_TRY(lpot_message_finish(&keeper->outbox, err));
  LPOT_TRY(post(keeper, &keeper->outbox, err));
  for (size_t i = 0; i < keeper->num_calibrations; i++) {
    LPOT_TRY(post_kept(keeper, &keeper->calibrations[i], err));
  }
  if (keeper->has_task) {
    keeper->posted = true;
    LPOT_TRY(post(keeper, &keeper->task, err));
  }
  if (keeper->has_task && keeper->cancelled) {
    LPOT_TRY(post_simple(keeper, LPOT_MESSAGE_CANCEL, keeper->task_id, err));
  }
  return LPOT_OK;
}

static lpot_status launch(lpot_keeper *keeper, lpot_error *err) {
  int fd = -1;
  lpot_link_free(keeper->link);
  keeper->link = NULL;
  LPOT_TRY(lpot_spawner_spawn(keeper->spawner, SPAWN_SECONDS, &fd, &keeper->pid, err));
  LPOT_TRY(lpot_link_new(fd, &keeper->link, err));
  keeper->state = STARTING;
  keeper->started = now();
  keeper->told = false;
  keeper->doomed = false;
  keeper->renewed = false;
  keeper->fresh = !keeper->has_task;
  LPOT_TRY(brief(keeper, err));
  return LPOT_OK;
}

static lpot_status give_up(lpot_keeper *keeper, lpot_error *err) {
  lpot_link_free(keeper->link);
  keeper->link = NULL;
  keeper->state = BROKEN;
  if (keeper->has_task) {
    LPOT_TRY(answer_for(keeper, LPOT_LOST, err));
  }
  return LPOT_OK;
}

static lpot_status revive(lpot_keeper *keeper, lpot_error *err) {
  while (keeper->failures < MAX_FAILURES) {
    lpot_error error = {0};
    lpot_status status = launch(keeper, &error);
    if (status == LPOT_OK) {
      return LPOT_OK;
    }
    keeper->failures++;
    explain(keeper, status, error.message);
  }
  LPOT_TRY(give_up(keeper, err));
  return LPOT_OK;
}

/* ---- deaths ---- */

static void describe(lpot_keeper *keeper, const lpot_death *death) {
  char how[LPOT_CAUSE_SIZE];
  lpot_error text = {0};
  if (keeper->told) {
    lpot_text_copy(how, sizeof how, keeper->cause);
  } else {
    lpot_death_text(death, how, sizeof how);
    keeper->status = LPOT_CRASHED;
  }
  if (keeper->doomed) {
    lpot_text_copy(how, sizeof how, "killed: it did not answer in time");
  }
  if (keeper->met || !keeper->told) {
    const char *colon = keeper->told || keeper->doomed ? ":" : "";
    (void)LPOT_FAIL(&text, LPOT_CRASHED, "evaluator on %s%s %s", keeper->start.host, colon, how);
    lpot_text_copy(keeper->cause, sizeof keeper->cause, text.message);
  }
}

/* The evaluator is dead: answers for its task, if it has begun it, and makes another. */
static lpot_status succeed(lpot_keeper *keeper, const lpot_death *death, lpot_error *err) {
  bool early = keeper->state == STARTING;
  describe(keeper, death);
  bool hopeless = early && !keeper->met && keeper->told; /* It said why: so would the next. */
  bool at_work = keeper->has_task && keeper->posted && !early;
  bool expected = at_work || (keeper->doomed && !early);
  keeper->failures = hopeless ? MAX_FAILURES : expected ? 0 : keeper->failures + 1;
  if (keeper->has_task && (keeper->killed || at_work)) {
    LPOT_TRY(answer_for(keeper, LPOT_CRASHED, err));
  } else if (keeper->has_task && keeper->cancelled) {
    LPOT_TRY(answer_for(keeper, LPOT_INTERRUPTED, err));
  }
  if (!hopeless && !keeper->renewed) {
    lpot_log(LPOT_LOG_WARNING, "%s: %s", keeper->cause,
             keeper->failures < MAX_FAILURES ? "a new one is made" : "there will be no other");
  }
  LPOT_TRY(revive(keeper, err));
  return LPOT_OK;
}

/* The evaluator has left or talks nonsense: makes sure that it is dead. */
static lpot_status bury(lpot_keeper *keeper, lpot_error *err) {
  lpot_death death = {0};
  bool died = false;
  lpot_error error = {0};
  /* Death comes with the end of the link: only one that lives on is killed. */
  lpot_status status = lpot_spawner_death(keeper->spawner, FAREWELL_SECONDS, &died, &death, &error);
  if (status == LPOT_OK && !died) {
    status = lpot_spawner_kill(keeper->spawner, &error);
  }
  if (status == LPOT_OK && !died) {
    status = lpot_spawner_death(keeper->spawner, DEATH_SECONDS, &died, &death, &error);
  }
  if (status != LPOT_OK) {
    explain(keeper, status, error.message);
  } else if (!died) {
    explain(keeper, LPOT_CRASHED, "does not die");
  }
  LPOT_TRY(succeed(keeper, &death, err));
  return LPOT_OK;
}

/* ---- what the evaluator says ---- */

static bool same_bytes(const lpot_buffer *a, const lpot_buffer *b) {
  return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static lpot_status on_hello(lpot_keeper *keeper, lpot_error *err) {
  if (!keeper->met) {
    LPOT_TRY(copy_message(&keeper->hello, &keeper->inbox, err));
    keeper->met = true;
  } else if (!same_bytes(&keeper->hello, &keeper->inbox)) {
    explain(keeper, LPOT_INVALID, "reads other files than the one before it");
    return LPOT_FAIL(err, LPOT_FORMAT, "another hello");
  }
  keeper->state = READY;
  return LPOT_OK;
}

static lpot_status on_failed(lpot_keeper *keeper, const lpot_message *message, lpot_error *err) {
  lpot_reader reader;
  char cause[LPOT_CAUSE_SIZE];
  lpot_status status = LPOT_OK;
  lpot_reader_init(&reader, message->payload, message->size);
  LPOT_TRY(lpot_failure_read(&reader, &status, cause, err));
  explain(keeper, status, cause);
  return LPOT_OK;
}

static lpot_status on_message(lpot_keeper *keeper, lpot_error *err) {
  lpot_message message;
  LPOT_TRY(lpot_message_parse(keeper->inbox.data, keeper->inbox.size, &message, err));
  switch (message.kind) {
  case LPOT_MESSAGE_HELLO:
    LPOT_TRY(on_hello(keeper, err));
    return LPOT_OK;
  case LPOT_MESSAGE_FAILED:
    LPOT_TRY(on_failed(keeper, &message, err));
    return LPOT_OK;
  case LPOT_MESSAGE_OUTCOME:
    if (!keeper->has_task || message.task_id != keeper->task_id) {
      return LPOT_OK;
    }
    lpot_buffer_done(&keeper->answer);
    keeper->answer = keeper->inbox;
    lpot_buffer_init(&keeper->inbox);
    keeper->has_answer = true;
    keeper->has_task = false;
    keeper->failures = 0;
    return LPOT_OK;
  default:
    return LPOT_FAIL(err, LPOT_FORMAT, "evaluator sent a message of kind %d", (int)message.kind);
  }
}

/* Takes what has come over the link. *ret_gone: the evaluator has left, or talks nonsense. */
static lpot_status listen(lpot_keeper *keeper, bool *ret_gone, lpot_error *err) {
  lpot_link_news news = LPOT_LINK_MESSAGE;
  lpot_error error = {0};
  lpot_status status = LPOT_OK;
  while (status == LPOT_OK && news == LPOT_LINK_MESSAGE) {
    status = lpot_link_receive(keeper->link, 0, &news, &keeper->inbox, &error);
    if (status == LPOT_OK && news == LPOT_LINK_MESSAGE) {
      status = on_message(keeper, &error);
    }
  }
  *ret_gone = news == LPOT_LINK_CLOSED || status == LPOT_FORMAT || status == LPOT_IO;
  if (status == LPOT_NO_MEMORY) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (status != LPOT_OK && !keeper->told) {
    explain(keeper, LPOT_CRASHED, error.message);
  }
  return LPOT_OK;
}

/* ---- waiting ---- */

static int sleep_for_news(const lpot_keeper *keeper, double timeout_seconds, bool *ret_linked,
                          bool *ret_death) {
  short events = POLLIN;
  bool broken = keeper->state == BROKEN;
  if (!broken && lpot_link_is_sending(keeper->link)) {
    events |= POLLOUT;
  }
  struct pollfd slots[2] = {
      {.fd = broken ? -1 : lpot_link_fd(keeper->link), .events = events},
      {.fd = broken ? -1 : lpot_spawner_fd(keeper->spawner), .events = POLLIN}};
  double seconds = timeout_seconds > 0 ? timeout_seconds : 0;
  struct timespec time = {.tv_sec = (long)seconds};
  time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
  int count = ppoll(slots, 2, &time, NULL);
  *ret_linked = count > 0 && slots[0].revents != 0;
  *ret_death = count > 0 && slots[1].revents != 0;
  return count;
}

static void end_late_start(lpot_keeper *keeper) {
  if (keeper->state == STARTING && !keeper->told && now() - keeper->started > START_SECONDS) {
    explain(keeper, LPOT_CRASHED, "does not get ready");
    (void)!lpot_spawner_kill(keeper->spawner, NULL);
  }
}

static lpot_status take_death(lpot_keeper *keeper, lpot_error *err) {
  lpot_death death;
  bool died = false;
  bool gone = false;
  lpot_error error = {0};
  lpot_status status = lpot_spawner_death(keeper->spawner, 0, &died, &death, &error);
  if (status != LPOT_OK || (died && death.pid == keeper->pid)) {
    LPOT_TRY(listen(keeper, &gone, err)); /* What it said before it died counts. */
  }
  if (status != LPOT_OK) {
    explain(keeper, status, error.message);
    death = (lpot_death){0};
    LPOT_TRY(succeed(keeper, &death, err));
  } else if (died && death.pid == keeper->pid) {
    LPOT_TRY(succeed(keeper, &death, err));
  }
  return LPOT_OK;
}

/* One wait, and what comes of it. *ret_quiet: nothing happened, or a signal. */
static lpot_status attend(lpot_keeper *keeper, double timeout_seconds, bool *ret_quiet,
                          lpot_error *err) {
  bool linked = false;
  bool death = false;
  bool gone = false;
  end_late_start(keeper);
  *ret_quiet = sleep_for_news(keeper, timeout_seconds, &linked, &death) <= 0;
  if (death) {
    LPOT_TRY(take_death(keeper, err));
  } else if (linked) {
    LPOT_TRY(listen(keeper, &gone, err));
    if (gone) {
      LPOT_TRY(bury(keeper, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_keeper_wait(lpot_keeper *keeper, double timeout_seconds, bool *ret_came,
                             lpot_buffer *out, lpot_error *err) {
  double deadline = now() + timeout_seconds;
  bool quiet = false;
  while (!keeper->has_answer && !quiet) {
    LPOT_TRY(attend(keeper, deadline - now(), &quiet, err));
  }
  *ret_came = keeper->has_answer;
  if (keeper->has_answer) {
    lpot_buffer_done(out);
    *out = keeper->answer;
    lpot_buffer_init(&keeper->answer);
    keeper->has_answer = false;
  }
  return LPOT_OK;
}

lpot_status lpot_keeper_meet(lpot_keeper *keeper, double timeout_seconds, lpot_error *err) {
  double deadline = now() + timeout_seconds;
  while (!keeper->met && keeper->state != BROKEN) {
    bool quiet = false;
    LPOT_TRY(attend(keeper, deadline - now(), &quiet, err));
    if (!keeper->met && now() >= deadline) {
      return LPOT_FAIL(err, LPOT_CRASHED, "the evaluator is not ready within %.0f s",
                       timeout_seconds);
    }
  }
  if (!keeper->met) {
    return lpot_error_set(err, keeper->status, __FILE__, __LINE__, "%s", keeper->cause);
  }
  return LPOT_OK;
}

const lpot_buffer *lpot_keeper_hello(const lpot_keeper *keeper) {
  return &keeper->hello;
}

/* ---- what the coordinator says ---- */

/* Some tasks must be the first of their evaluator. */
static void renew(lpot_keeper *keeper) {
  if (keeper->task_kind == LPOT_TASK_FOOTPRINT && !keeper->fresh && !keeper->doomed &&
      keeper->state != BROKEN) {
    keeper->doomed = true;
    keeper->renewed = true;
    (void)!lpot_spawner_kill(keeper->spawner, NULL); /* Where it is gone this is noticed. */
  }
}

static lpot_status take_task(lpot_keeper *keeper, const lpot_buffer *bytes,
                             const lpot_message *message, lpot_error *err) {
  if (keeper->has_task) {
    return LPOT_FAIL(err, LPOT_FORMAT, "worker got a second task");
  }
  lpot_reader reader;
  unsigned kind = 0;
  lpot_reader_init(&reader, message->payload, message->size);
  LPOT_TRY(lpot_read_choice(&reader, "task: kind", LPOT_NUM_TASK_KINDS, &kind, err));
  LPOT_TRY(copy_message(&keeper->task, bytes, err));
  keeper->task_kind = (lpot_task_kind)kind;
  keeper->task_id = message->task_id;
  keeper->has_task = true;
  keeper->posted = false;
  keeper->cancelled = false;
  keeper->killed = false;
  renew(keeper);
  if (keeper->state == BROKEN) {
    LPOT_TRY(answer_for(keeper, LPOT_LOST, err));
  } else if (!keeper->doomed) { /* Else the next evaluator gets it. */
    keeper->fresh = false;
    keeper->posted = true;
    LPOT_TRY(post(keeper, bytes, err));
  }
  return LPOT_OK;
}

static lpot_status take_calibration(lpot_keeper *keeper, const lpot_buffer *bytes,
                                    lpot_error *err) {
  size_t count = keeper->num_calibrations;
  kept_message *grown = lpot_realloc(keeper->calibrations, count + 1, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  keeper->calibrations = grown;
  grown[count] = (kept_message){0};
  keeper->num_calibrations++;
  if (bytes->size >= LPOT_MAPPING_SHARED_MIN_BYTES) {
    grown[count].shared = lpot_mapping_share(bytes->data, bytes->size);
  }
  if (grown[count].shared == NULL) {
    LPOT_TRY(copy_message(&grown[count].own, bytes, err));
  }
  if (keeper->state != BROKEN) {
    LPOT_TRY(post(keeper, bytes, err));
  }
  return LPOT_OK;
}

lpot_status lpot_keeper_give(lpot_keeper *keeper, const lpot_buffer *bytes, lpot_error *err) {
  lpot_message message;
  LPOT_TRY(lpot_message_parse(bytes->data, bytes->size, &message, err));
  bool at_hand = keeper->has_task && keeper->task_id == message.task_id;
  switch (message.kind) {
  case LPOT_MESSAGE_TASK:
    LPOT_TRY(take_task(keeper, bytes, &message, err));
    return LPOT_OK;
  case LPOT_MESSAGE_CALIBRATION:
    LPOT_TRY(take_calibration(keeper, bytes, err));
    return LPOT_OK;
  case LPOT_MESSAGE_CANCEL:
    if (at_hand && keeper->state != BROKEN) {
      keeper->cancelled = true;
      LPOT_TRY(post(keeper, bytes, err));
    }
    return LPOT_OK;
  case LPOT_MESSAGE_KILL:
    if (at_hand) {
      keeper->killed = true;
      keeper->doomed = true;
      (void)!lpot_spawner_kill(keeper->spawner, NULL); /* Where it is gone this is noticed. */
    }
    return LPOT_OK;
  case LPOT_MESSAGE_PING:
    return LPOT_OK;
  default:
    return LPOT_FAIL(err, LPOT_FORMAT, "worker got a message of kind %d", (int)message.kind);
  }
}

/* ---- begin and end ---- */

lpot_status lpot_keeper_new(lpot_spawner *spawner, const lpot_start_order *start,
                            lpot_keeper **ret_keeper, lpot_error *err) {
  lpot_keeper *keeper = lpot_calloc(1, sizeof *keeper);
  if (keeper == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  keeper->spawner = spawner;
  keeper->start = *start;
  lpot_status status = revive(keeper, err);
  if (status != LPOT_OK) {
    lpot_keeper_free(keeper);
    return status;
  }
  *ret_keeper = keeper;
  return LPOT_OK;
}

/* Lets the evaluator end by itself; the spawner ends one that does not. */
static void say_farewell(lpot_keeper *keeper) {
  lpot_death death;
  bool died = false;
  if (post_simple(keeper, LPOT_MESSAGE_END, 0, NULL) == LPOT_OK &&
      lpot_link_flush(keeper->link, FAREWELL_SECONDS, NULL) == LPOT_OK) {
    (void)!lpot_spawner_death(keeper->spawner, FAREWELL_SECONDS, &died, &death, NULL);
  }
}

void lpot_keeper_free(lpot_keeper *keeper) {
  if (keeper == NULL) {
    return;
  }
  if (keeper->link != NULL) {
    say_farewell(keeper);
  }
  lpot_link_free(keeper->link);
  for (size_t i = 0; i < keeper->num_calibrations; i++) {
    lpot_mapping_unref(keeper->calibrations[i].shared);
    lpot_buffer_done(&keeper->calibrations[i].own);
  }
  lpot_free(keeper->calibrations);
  lpot_buffer *const buffers[] = {&keeper->hello, &keeper->task, &keeper->answer, &keeper->inbox,
                                  &keeper->outbox};
  for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
    lpot_buffer_done(buffers[i]);
  }
  lpot_free(keeper);
}
