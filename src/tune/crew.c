#include "tune/crew.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

/* Small, since all are looked at again and again. */
typedef struct crew_member {
  bool met;
  bool busy;
  bool lost;     /* it cannot work any more */
  bool gone;     /* it is not expected to answer any more */
  bool returned; /* it was gone, and has answered */
  uint64_t task_id;
} crew_member;

struct lpot_crew {
  lpot_transport transport;
  lpot_clock clock;
  size_t count;
  crew_member *members; /* [count] */
  lpot_hello *hellos;   /* [count] */
  lpot_buffer inbox, outbox;
};

lpot_status lpot_crew_new(const lpot_transport *transport, const lpot_clock *clock,
                          lpot_crew **ret_crew, lpot_error *err) {
  lpot_crew *crew = lpot_calloc(1, sizeof *crew);
  if (crew == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  crew->transport = *transport;
  crew->clock = *clock;
  crew->count = transport->count;
  lpot_buffer_init(&crew->inbox);
  lpot_buffer_init(&crew->outbox);
  crew->members = lpot_calloc(crew->count, sizeof *crew->members);
  crew->hellos = lpot_calloc(crew->count, sizeof *crew->hellos);
  if (crew->members == NULL || crew->hellos == NULL) {
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
  lpot_free(crew->hellos);
  lpot_free(crew);
}

size_t lpot_crew_size(const lpot_crew *crew) {
  return crew->count;
}

const lpot_hello *lpot_crew_hello(const lpot_crew *crew, size_t worker) {
  return &crew->hellos[worker];
}

bool lpot_crew_is_idle(const lpot_crew *crew, size_t worker) {
  return !crew->members[worker].busy && !lpot_crew_is_lost(crew, worker);
}

bool lpot_crew_is_busy(const lpot_crew *crew, size_t worker) {
  return crew->members[worker].busy && !lpot_crew_is_lost(crew, worker);
}

bool lpot_crew_is_lost(const lpot_crew *crew, size_t worker) {
  return crew->members[worker].lost || crew->members[worker].gone;
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
    left += lpot_crew_is_lost(crew, i) ? 0 : 1;
  }
  return left;
}

void lpot_crew_lose(lpot_crew *crew, size_t worker) {
  crew->members[worker].gone = true;
}

bool lpot_crew_take_return(lpot_crew *crew, size_t worker) {
  bool returned = crew->members[worker].returned;
  crew->members[worker].returned = false;
  return returned;
}

size_t lpot_crew_next_loss(lpot_crew *crew) {
  const lpot_transport *transport = &crew->transport;
  return transport->next_loss == NULL ? LPOT_NO_WORKER : transport->next_loss(transport->context);
}

static lpot_status send_to(lpot_crew *crew, size_t worker, lpot_error *err) {
  LPOT_TRY(lpot_message_finish(&crew->outbox, err));
  LPOT_TRY(crew->transport.send(crew->transport.context, worker, &crew->outbox, err));
  return LPOT_OK;
}

/* *ret_worker is the sender of what is in the inbox, or LPOT_NO_WORKER when nothing came. */
static lpot_status receive(lpot_crew *crew, double timeout_seconds, size_t *ret_worker,
                           lpot_error *err) {
  *ret_worker = LPOT_NO_WORKER;
  LPOT_TRY(crew->transport.receive(crew->transport.context, timeout_seconds, ret_worker,
                                   &crew->inbox, err));
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
  LPOT_TRY(lpot_hello_read(&reader, &crew->hellos[worker], err));
  member->met = true;
  return LPOT_OK;
}

lpot_status lpot_crew_meet(lpot_crew *crew, double timeout_seconds, lpot_error *err) {
  double deadline = lpot_clock_now(&crew->clock) + timeout_seconds;
  for (size_t met = 0; met < crew->count;) {
    size_t worker = LPOT_NO_WORKER;
    LPOT_TRY(receive(crew, deadline - lpot_clock_now(&crew->clock), &worker, err));
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

lpot_status lpot_crew_share(lpot_crew *crew, lpot_calibration_key key,
                            const lpot_calibration *calibration, lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_CALIBRATION, 0, err));
  LPOT_TRY(lpot_calibration_message_write(key, calibration, &crew->outbox, err));
  LPOT_TRY(send_to(crew, LPOT_NO_WORKER, err));
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
             crew->hellos[worker].rank, (int)message.kind, (unsigned long long)message.task_id);
    return LPOT_OK;
  }
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  lpot_status status = lpot_outcome_read(&reader, outcome, err);
  if (status == LPOT_FORMAT) { /* as good as none: of a process whose memory is damaged */
    outcome->status = LPOT_CRASHED;
    lpot_text_copy(outcome->cause, sizeof outcome->cause, "its answer is malformed");
  } else {
    LPOT_TRY(status);
  }
  outcome->task_id = message.task_id;
  member->busy = false;
  member->lost = outcome->status == LPOT_LOST;
  member->returned = member->gone;
  member->gone = false;
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

lpot_status lpot_crew_ping(lpot_crew *crew, lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_PING, 0, err));
  LPOT_TRY(send_to(crew, LPOT_NO_WORKER, err));
  return LPOT_OK;
}

lpot_status lpot_crew_dismiss(lpot_crew *crew, lpot_error *err) {
  bool complete = true;
  for (size_t i = 0; i < crew->count; i++) {
    complete = complete && !crew->members[i].gone;
  }
  if (crew->transport.dismiss != NULL) {
    LPOT_TRY(crew->transport.dismiss(crew->transport.context, complete, err));
  }
  return LPOT_OK;
}
