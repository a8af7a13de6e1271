#include "tune/crew.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

typedef struct crew_member {
  lpot_hello hello;
  bool met;
  bool busy;
  bool lost;
  uint64_t task_id;
} crew_member;

struct lpot_crew {
  lpot_comm *comm;
  lpot_keeper *keeper; /* one rank: of the coordinator's own evaluator; else NULL */
  size_t count;
  crew_member *members; /* [count]; member i is rank i + 1, or rank 0 with keeper */
  lpot_buffer inbox, outbox;
};

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

lpot_status lpot_crew_new(lpot_comm *comm, lpot_keeper *keeper, lpot_crew **ret_crew,
                          lpot_error *err) {
  lpot_crew *crew = lpot_calloc(1, sizeof *crew);
  if (crew == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  crew->comm = comm;
  crew->keeper = keeper;
  crew->count = keeper != NULL ? 1 : (size_t)lpot_comm_size(comm) - 1;
  lpot_buffer_init(&crew->inbox);
  lpot_buffer_init(&crew->outbox);
  crew->members = lpot_calloc(crew->count, sizeof *crew->members);
  if (crew->members == NULL) {
    lpot_crew_free(crew);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_crew = crew;
  return LPOT_OK;
}

void lpot_crew_free(lpot_crew *crew) {
  if (crew == NULL) {
    return;
  }
  lpot_buffer_done(&crew->inbox);
  lpot_buffer_done(&crew->outbox);
  lpot_free(crew->members);
  lpot_free(crew);
}

size_t lpot_crew_size(const lpot_crew *crew) {
  return crew->count;
}

const lpot_hello *lpot_crew_hello(const lpot_crew *crew, size_t worker) {
  return &crew->members[worker].hello;
}

bool lpot_crew_is_idle(const lpot_crew *crew, size_t worker) {
  return !crew->members[worker].busy && !crew->members[worker].lost;
}

bool lpot_crew_is_busy(const lpot_crew *crew, size_t worker) {
  return crew->members[worker].busy && !crew->members[worker].lost;
}

bool lpot_crew_is_lost(const lpot_crew *crew, size_t worker) {
  return crew->members[worker].lost;
}

size_t lpot_crew_idle_worker(const lpot_crew *crew) {
  for (size_t i = 0; i < crew->count; i++) {
    if (lpot_crew_is_idle(crew, i)) {
      return i;
    }
  }
  return LPOT_NO_WORKER;
}

bool lpot_crew_any_busy(const lpot_crew *crew) {
  for (size_t i = 0; i < crew->count; i++) {
    if (lpot_crew_is_busy(crew, i)) {
      return true;
    }
  }
  return false;
}

size_t lpot_crew_num_left(const lpot_crew *crew) {
  size_t left = 0;
  for (size_t i = 0; i < crew->count; i++) {
    left += crew->members[i].lost ? 0 : 1;
  }
  return left;
}

void lpot_crew_lose(lpot_crew *crew, size_t worker) {
  crew->members[worker].lost = true;
}

/* ---- transport ---- */

static lpot_status send_to(lpot_crew *crew, size_t worker, lpot_error *err) {
  LPOT_TRY(lpot_message_finish(&crew->outbox, err));
  if (crew->keeper != NULL) {
    LPOT_TRY(lpot_keeper_give(crew->keeper, &crew->outbox, err));
  } else {
    LPOT_TRY(lpot_comm_send(crew->comm, (int)worker + 1, &crew->outbox, err));
  }
  return LPOT_OK;
}

/* *ret_worker is the sender of what is in the inbox, or LPOT_NO_WORKER when nothing came. */
static lpot_status receive(lpot_crew *crew, double timeout_seconds, size_t *ret_worker,
                           lpot_error *err) {
  *ret_worker = LPOT_NO_WORKER;
  if (crew->keeper != NULL) {
    bool came = false;
    LPOT_TRY(lpot_keeper_wait(crew->keeper, timeout_seconds, &came, &crew->inbox, err));
    *ret_worker = came ? 0 : LPOT_NO_WORKER;
    return LPOT_OK;
  }
  int from = -1;
  LPOT_TRY(lpot_comm_receive(crew->comm, timeout_seconds, &from, &crew->inbox, err));
  if (from == 0 || (from > 0 && (size_t)from > crew->count)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "rank %d is no worker, but sent a message", from);
  }
  *ret_worker = from > 0 ? (size_t)from - 1 : LPOT_NO_WORKER;
  return LPOT_OK;
}

/* ---- meeting ---- */

static lpot_status take_hello(lpot_crew *crew, size_t worker, const lpot_buffer *bytes,
                              lpot_error *err) {
  lpot_message message;
  LPOT_TRY(lpot_message_parse(bytes->data, bytes->size, &message, err));
  if (message.kind != LPOT_MESSAGE_HELLO) {
    return LPOT_FAIL(err, LPOT_FORMAT, "worker %zu: message of kind %d, expected hello", worker,
                     (int)message.kind);
  }
  crew_member *member = &crew->members[worker];
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  LPOT_TRY(lpot_hello_read(&reader, &member->hello, err));
  member->met = true;
  return LPOT_OK;
}

lpot_status lpot_crew_meet(lpot_crew *crew, double timeout_seconds, lpot_error *err) {
  if (crew->keeper != NULL) {
    LPOT_TRY(take_hello(crew, 0, lpot_keeper_hello(crew->keeper), err));
    return LPOT_OK;
  }
  double deadline = now() + timeout_seconds;
  for (size_t met = 0; met < crew->count;) {
    size_t worker = LPOT_NO_WORKER;
    LPOT_TRY(receive(crew, deadline - now(), &worker, err));
    if (worker == LPOT_NO_WORKER) {
      return LPOT_FAIL(err, LPOT_MPI, "%zu of %zu workers did not say hello within %.0f s",
                       crew->count - met, crew->count, timeout_seconds);
    }
    LPOT_TRY(take_hello(crew, worker, &crew->inbox, err));
    met++;
  }
  return LPOT_OK;
}

/* ---- tasks ---- */

lpot_status lpot_crew_start(lpot_crew *crew, size_t worker, const lpot_task *task,
                            lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_TASK, task->id, err));
  LPOT_TRY(lpot_task_write(task, &crew->outbox, err));
  LPOT_TRY(send_to(crew, worker, err));
  crew->members[worker].busy = true;
  crew->members[worker].task_id = task->id;
  return LPOT_OK;
}

lpot_status lpot_crew_cancel(lpot_crew *crew, size_t worker, lpot_error *err) {
  LPOT_TRY(
      lpot_message_begin(&crew->outbox, LPOT_MESSAGE_CANCEL, crew->members[worker].task_id, err));
  LPOT_TRY(send_to(crew, worker, err));
  return LPOT_OK;
}

lpot_status lpot_crew_kill(lpot_crew *crew, size_t worker, lpot_error *err) {
  LPOT_TRY(
      lpot_message_begin(&crew->outbox, LPOT_MESSAGE_KILL, crew->members[worker].task_id, err));
  LPOT_TRY(send_to(crew, worker, err));
  return LPOT_OK;
}

static lpot_status send_to_all(lpot_crew *crew, lpot_error *err) {
  if (crew->keeper != NULL) {
    LPOT_TRY(send_to(crew, 0, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_message_finish(&crew->outbox, err));
  LPOT_TRY(lpot_comm_send_all(crew->comm, &crew->outbox, err));
  return LPOT_OK;
}

lpot_status lpot_crew_share(lpot_crew *crew, int64_t samples, const lpot_calibration *calibration,
                            lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_CALIBRATION, 0, err));
  LPOT_TRY(lpot_calibration_message_write(samples, calibration, &crew->outbox, err));
  LPOT_TRY(send_to_all(crew, err));
  return LPOT_OK;
}

/* ---- outcomes ---- */

static lpot_status take_outcome(lpot_crew *crew, size_t worker, size_t *ret_worker,
                                lpot_outcome *outcome, lpot_error *err) {
  crew_member *member = &crew->members[worker];
  lpot_message message;
  LPOT_TRY(lpot_message_parse(crew->inbox.data, crew->inbox.size, &message, err));
  if (message.kind != LPOT_MESSAGE_OUTCOME || !member->busy || member->task_id != message.task_id) {
    lpot_log(LPOT_LOG_DEBUG, "rank %d: message of kind %d for task %llu is late: dropped",
             member->hello.rank, (int)message.kind, (unsigned long long)message.task_id);
    return LPOT_OK;
  }
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  LPOT_TRY(lpot_outcome_read(&reader, outcome, err));
  outcome->task_id = message.task_id;
  member->busy = false;
  member->lost = outcome->status == LPOT_LOST;
  *ret_worker = worker;
  return LPOT_OK;
}

lpot_status lpot_crew_wait(lpot_crew *crew, double timeout_seconds, size_t *ret_worker,
                           lpot_outcome *outcome, lpot_error *err) {
  *ret_worker = LPOT_NO_WORKER;
  size_t from = LPOT_NO_WORKER;
  LPOT_TRY(receive(crew, timeout_seconds, &from, err));
  if (from != LPOT_NO_WORKER) {
    LPOT_TRY(take_outcome(crew, from, ret_worker, outcome, err));
    return LPOT_OK;
  }
  return LPOT_OK;
}

lpot_status lpot_crew_dismiss(lpot_crew *crew, lpot_error *err) {
  if (crew->keeper != NULL) {
    return LPOT_OK; /* Its owner ends it. */
  }
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_END, 0, err));
  LPOT_TRY(send_to_all(crew, err));
  return LPOT_OK;
}
