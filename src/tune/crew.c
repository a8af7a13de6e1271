#include "tune/crew.h"

#include "base/bits.h"
#include "base/clock.h"
#include "base/memory.h"
#include "tune/interrupt.h"
#include "tune/work.h"
#include "tune/worker.h"

/* Silence of all busy workers for so long means that one hangs. */
#define PATIENCE_SECONDS 21600.0

typedef struct crew_member {
  lpot_hello hello;
  bool met;
  bool busy;
  uint64_t task_id;
} crew_member;

struct lpot_crew {
  lpot_job *job;
  lpot_comm *comm;
  bool inline_work; /* one rank: the coordinator works itself */
  size_t count;
  crew_member *members; /* [count]; member i is rank i + 1, or rank 0 with inline_work */
  lpot_task pending;    /* inline_work: the task to do */
  lpot_buffer inbox, outbox;
  double last_news; /* when an outcome or a new task last happened */
};

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

lpot_status lpot_crew_new(lpot_job *job, lpot_comm *comm, lpot_crew **ret_crew, lpot_error *err) {
  lpot_crew *crew = lpot_calloc(1, sizeof *crew);
  if (crew == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  crew->job = job;
  crew->comm = comm;
  crew->inline_work = lpot_comm_size(comm) == 1;
  crew->count = crew->inline_work ? 1 : (size_t)lpot_comm_size(comm) - 1;
  lpot_buffer_init(&crew->inbox);
  lpot_buffer_init(&crew->outbox);
  lpot_task_init(&crew->pending);
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
  lpot_task_done(&crew->pending);
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
  return !crew->members[worker].busy;
}

size_t lpot_crew_idle_worker(const lpot_crew *crew) {
  for (size_t i = 0; i < crew->count; i++) {
    if (!crew->members[i].busy) {
      return i;
    }
  }
  return LPOT_NO_WORKER;
}

bool lpot_crew_all_idle(const lpot_crew *crew) {
  for (size_t i = 0; i < crew->count; i++) {
    if (crew->members[i].busy) {
      return false;
    }
  }
  return true;
}

/* ---- meeting ---- */

static lpot_status take_hello(lpot_crew *crew, int from, lpot_error *err) {
  lpot_message message;
  LPOT_TRY(lpot_message_parse(crew->inbox.data, crew->inbox.size, &message, err));
  if (message.kind != LPOT_MESSAGE_HELLO || from < 1 || (size_t)from > crew->count) {
    return LPOT_FAIL(err, LPOT_FORMAT, "rank %d: message of kind %d, expected hello", from,
                     (int)message.kind);
  }
  crew_member *member = &crew->members[from - 1];
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  LPOT_TRY(lpot_hello_read(&reader, &member->hello, err));
  member->met = true;
  return LPOT_OK;
}

lpot_status lpot_crew_meet(lpot_crew *crew, double timeout_seconds, lpot_error *err) {
  if (crew->inline_work) {
    LPOT_TRY(lpot_hello_of(crew->job, crew->comm, &crew->members[0].hello, err));
    return LPOT_OK;
  }
  double deadline = now() + timeout_seconds;
  for (size_t met = 0; met < crew->count;) {
    int from = -1;
    LPOT_TRY(lpot_comm_receive(crew->comm, deadline - now(), &from, &crew->inbox, err));
    if (from < 0) {
      return LPOT_FAIL(err, LPOT_MPI, "%zu of %zu workers did not say hello within %.0f s",
                       crew->count - met, crew->count, timeout_seconds);
    }
    LPOT_TRY(take_hello(crew, from, err));
    met++;
  }
  return LPOT_OK;
}

/* ---- tasks ---- */

static int rank_of(const lpot_crew *crew, size_t worker) {
  return crew->inline_work ? 0 : (int)worker + 1;
}

static lpot_status keep_pending(lpot_crew *crew, const lpot_task *task, lpot_error *err) {
  lpot_task_done(&crew->pending);
  crew->pending = *task;
  crew->pending.recipe = NULL;
  crew->pending.baseline = NULL;
  if (task->baseline != NULL) {
    crew->pending.baseline = lpot_calloc(lpot_bits_size(task->num_bits) + 1, 1);
    if (crew->pending.baseline == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    lpot_bits_copy(crew->pending.baseline, 0, task->baseline, 0, task->num_bits);
  }
  if (task->recipe != NULL) {
    LPOT_TRY(lpot_recipe_clone(task->recipe, &crew->pending.recipe, err));
  }
  return LPOT_OK;
}

lpot_status lpot_crew_start(lpot_crew *crew, size_t worker, const lpot_task *task,
                            lpot_error *err) {
  if (crew->inline_work) {
    LPOT_TRY(keep_pending(crew, task, err));
  } else {
    LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_TASK, task->id, err));
    LPOT_TRY(lpot_task_write(task, &crew->outbox, err));
    LPOT_TRY(lpot_message_finish(&crew->outbox, err));
    LPOT_TRY(lpot_comm_send(crew->comm, rank_of(crew, worker), &crew->outbox, err));
  }
  crew->members[worker].busy = true;
  crew->members[worker].task_id = task->id;
  crew->last_news = now();
  return LPOT_OK;
}

lpot_status lpot_crew_cancel(lpot_crew *crew, size_t worker, lpot_error *err) {
  if (crew->inline_work) {
    return LPOT_OK;
  }
  LPOT_TRY(
      lpot_message_begin(&crew->outbox, LPOT_MESSAGE_CANCEL, crew->members[worker].task_id, err));
  LPOT_TRY(lpot_message_finish(&crew->outbox, err));
  LPOT_TRY(lpot_comm_send(crew->comm, rank_of(crew, worker), &crew->outbox, err));
  return LPOT_OK;
}

lpot_status lpot_crew_share(lpot_crew *crew, int64_t samples, const lpot_calibration *calibration,
                            lpot_error *err) {
  if (crew->inline_work) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_CALIBRATION, 0, err));
  LPOT_TRY(lpot_calibration_message_write(samples, calibration, &crew->outbox, err));
  LPOT_TRY(lpot_message_finish(&crew->outbox, err));
  LPOT_TRY(lpot_comm_send_all(crew->comm, &crew->outbox, err));
  return LPOT_OK;
}

/* ---- outcomes ---- */

static bool interrupted(void *context) {
  (void)context;
  return lpot_interrupt_requested();
}

static void work_inline(lpot_crew *crew, lpot_outcome *outcome) {
  lpot_stop stop = {.requested = interrupted};
  lpot_work(crew->job, &crew->pending, &stop, outcome);
  crew->members[0].busy = false;
}

static lpot_status take_outcome(lpot_crew *crew, int from, size_t *ret_worker,
                                lpot_outcome *outcome, lpot_error *err) {
  lpot_message message;
  LPOT_TRY(lpot_message_parse(crew->inbox.data, crew->inbox.size, &message, err));
  bool known = from >= 1 && (size_t)from <= crew->count;
  if (!known || message.kind != LPOT_MESSAGE_OUTCOME || !crew->members[from - 1].busy ||
      crew->members[from - 1].task_id != message.task_id) {
    return LPOT_FAIL(err, LPOT_FORMAT, "rank %d: unexpected message of kind %d for task %llu", from,
                     (int)message.kind, (unsigned long long)message.task_id);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  LPOT_TRY(lpot_outcome_read(&reader, outcome, err));
  outcome->task_id = message.task_id;
  crew->members[from - 1].busy = false;
  *ret_worker = (size_t)from - 1;
  return LPOT_OK;
}

lpot_status lpot_crew_wait(lpot_crew *crew, double timeout_seconds, size_t *ret_worker,
                           lpot_outcome *outcome, lpot_error *err) {
  *ret_worker = LPOT_NO_WORKER;
  if (crew->inline_work) {
    if (crew->members[0].busy) {
      work_inline(crew, outcome);
      *ret_worker = 0;
    }
    return LPOT_OK;
  }
  int from = -1;
  LPOT_TRY(lpot_comm_receive(crew->comm, timeout_seconds, &from, &crew->inbox, err));
  if (from >= 0) {
    crew->last_news = now();
    LPOT_TRY(take_outcome(crew, from, ret_worker, outcome, err));
    return LPOT_OK;
  }
  if (!lpot_crew_all_idle(crew) && now() - crew->last_news > PATIENCE_SECONDS) {
    return LPOT_FAIL(err, LPOT_MPI, "no worker has answered for %.0f s", PATIENCE_SECONDS);
  }
  return LPOT_OK;
}

lpot_status lpot_crew_dismiss(lpot_crew *crew, lpot_error *err) {
  if (crew->inline_work) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_message_begin(&crew->outbox, LPOT_MESSAGE_END, 0, err));
  LPOT_TRY(lpot_message_finish(&crew->outbox, err));
  LPOT_TRY(lpot_comm_send_all(crew->comm, &crew->outbox, err));
  return LPOT_OK;
}
