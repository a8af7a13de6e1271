#include "tune/worker.h"

#include "base/text.h"
#include "tune/work.h"

#define COORDINATOR 0
#define WAIT_SECONDS 60.0 /* one wait for a message; then the next begins */

typedef struct worker {
  lpot_job *job;
  lpot_comm *comm;
  lpot_buffer inbox, outbox;
  lpot_task task; /* the task to do next */
  bool has_task;
  bool busy;          /* a task is being done */
  bool stopped;       /* the task at hand was cancelled */
  bool ended;         /* END has come */
  lpot_status status; /* first failure while a task polled for messages */
  lpot_error *error;
} worker;

lpot_status lpot_hello_of(const lpot_job *job, const lpot_comm *comm, lpot_hello *ret,
                          lpot_error *err) {
  *ret = (lpot_hello){.rank = lpot_comm_rank(comm), .model = job->model.digest};
  lpot_text_copy(ret->host, sizeof ret->host, lpot_comm_host(comm));
  lpot_text_copy(ret->numeric_class, sizeof ret->numeric_class,
                 lpot_engine_numeric_class(job->engine));
  LPOT_TRY(lpot_job_config_hash(job, &ret->config_hash, err));
  LPOT_TRY(lpot_job_manifest(job, &ret->data, err));
  return LPOT_OK;
}

static lpot_status send_hello(worker *self, lpot_error *err) {
  lpot_hello hello;
  LPOT_TRY(lpot_hello_of(self->job, self->comm, &hello, err));
  LPOT_TRY(lpot_message_begin(&self->outbox, LPOT_MESSAGE_HELLO, 0, err));
  LPOT_TRY(lpot_hello_write(&hello, &self->outbox, err));
  LPOT_TRY(lpot_message_finish(&self->outbox, err));
  LPOT_TRY(lpot_comm_send(self->comm, COORDINATOR, &self->outbox, err));
  return LPOT_OK;
}

/* ---- messages ---- */

static lpot_status on_task(worker *self, const lpot_message *message, lpot_reader *reader,
                           lpot_error *err) {
  if (self->busy || self->has_task) {
    return LPOT_FAIL(err, LPOT_FORMAT, "worker got a second task");
  }
  LPOT_TRY(lpot_task_read(reader, &self->task, err));
  self->task.id = message->task_id;
  self->has_task = true;
  self->stopped = false;
  return LPOT_OK;
}

static lpot_status on_calibration(worker *self, const lpot_message *message, lpot_reader *reader,
                                  lpot_error *err) {
  (void)message;
  int64_t samples = 0;
  lpot_calibration *calibration = NULL;
  LPOT_TRY(lpot_calibration_message_read(reader, &samples, &calibration, err));
  LPOT_TRY(lpot_job_add_calibration(self->job, samples, &calibration, err));
  return LPOT_OK;
}

static lpot_status on_cancel(worker *self, const lpot_message *message, lpot_reader *reader,
                             lpot_error *err) {
  (void)reader;
  (void)err;
  if (self->task.id == message->task_id) {
    self->stopped = true;
  }
  return LPOT_OK;
}

static lpot_status on_end(worker *self, const lpot_message *message, lpot_reader *reader,
                          lpot_error *err) {
  (void)message;
  (void)reader;
  (void)err;
  self->ended = true;
  return LPOT_OK;
}

static lpot_status on_message(worker *self, lpot_error *err) {
  static lpot_status (*const handlers[LPOT_NUM_MESSAGE_KINDS])(worker *, const lpot_message *,
                                                               lpot_reader *, lpot_error *) = {
      [LPOT_MESSAGE_TASK] = on_task,
      [LPOT_MESSAGE_CALIBRATION] = on_calibration,
      [LPOT_MESSAGE_CANCEL] = on_cancel,
      [LPOT_MESSAGE_END] = on_end,
  };
  lpot_message message;
  LPOT_TRY(lpot_message_parse(self->inbox.data, self->inbox.size, &message, err));
  if (handlers[message.kind] == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "worker got a message of kind %d", (int)message.kind);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  LPOT_TRY(handlers[message.kind](self, &message, &reader, err));
  return LPOT_OK;
}

static lpot_status listen_once(worker *self, double timeout_seconds, bool *ret_heard,
                               lpot_error *err) {
  int from = -1;
  LPOT_TRY(lpot_comm_receive(self->comm, timeout_seconds, &from, &self->inbox, err));
  *ret_heard = from >= 0;
  if (from >= 0) {
    LPOT_TRY(on_message(self, err));
  }
  return LPOT_OK;
}

/* Asked by a task between two batches: takes what has come meanwhile. */
static bool stop_requested(void *context) {
  worker *self = context;
  bool heard = true;
  while (heard && self->status == LPOT_OK) {
    self->status = listen_once(self, 0, &heard, self->error);
  }
  return self->stopped || self->ended || self->status != LPOT_OK;
}

static lpot_status do_task(worker *self, lpot_error *err) {
  lpot_stop stop = {.requested = stop_requested, .context = self};
  lpot_outcome outcome;
  lpot_outcome_init(&outcome);
  self->has_task = false;
  self->busy = true;
  lpot_work(self->job, &self->task, &stop, &outcome);
  self->busy = false;
  lpot_status status = self->status;
  if (status == LPOT_OK) {
    status = lpot_message_begin(&self->outbox, LPOT_MESSAGE_OUTCOME, self->task.id, err);
  }
  if (status == LPOT_OK) {
    status = lpot_outcome_write(&outcome, &self->outbox, err);
  }
  if (status == LPOT_OK) {
    status = lpot_message_finish(&self->outbox, err);
  }
  if (status == LPOT_OK) {
    status = lpot_comm_send(self->comm, COORDINATOR, &self->outbox, err);
  }
  lpot_outcome_done(&outcome);
  return status;
}

static lpot_status loop(worker *self, lpot_error *err) {
  LPOT_TRY(send_hello(self, err));
  while (!self->ended) {
    bool heard = false;
    LPOT_TRY(listen_once(self, WAIT_SECONDS, &heard, err));
    if (self->has_task && !self->ended) {
      LPOT_TRY(do_task(self, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_worker_run(lpot_job *job, lpot_comm *comm, lpot_error *err) {
  worker self = {.job = job, .comm = comm, .error = err};
  lpot_buffer_init(&self.inbox);
  lpot_buffer_init(&self.outbox);
  lpot_task_init(&self.task);
  lpot_status status = loop(&self, err);
  lpot_task_done(&self.task);
  lpot_buffer_done(&self.inbox);
  lpot_buffer_done(&self.outbox);
  return status;
}
