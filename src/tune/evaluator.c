#include "tune/evaluator.h"

#include "base/log.h"
#include "base/text.h"
#include "tune/link.h"

#define SEND_SECONDS 600.0 /* bound for an answer to be taken */

typedef struct evaluator {
  const lpot_evaluator_context *context;
  lpot_link *link;
  lpot_start_order start;
  lpot_job *job;
  lpot_buffer inbox, outbox;
  lpot_task task; /* the task to do next */
  bool has_task;
  bool busy;          /* a task is being done */
  bool stopped;       /* the task at hand was cancelled */
  bool ended;         /* END has come, or the rank is gone */
  lpot_status status; /* first failure while a task polled for messages */
  lpot_error *error;
} evaluator;

static lpot_status answer(evaluator *self, lpot_error *err) {
  LPOT_TRY(lpot_message_finish(&self->outbox, err));
  LPOT_TRY(lpot_link_post(self->link, &self->outbox, err));
  lpot_buffer_done(&self->outbox); /* It may have been large. */
  lpot_buffer_init(&self->outbox);
  LPOT_TRY(lpot_link_flush(self->link, SEND_SECONDS, err));
  return LPOT_OK;
}

/* ---- messages ---- */

/* What would give a wrong figure. */
static lpot_status check_wishes(const evaluator *self, lpot_error *err) {
  const lpot_config *config = self->job->config;
  if (self->context->inside && config->objectives.weights[LPOT_OBJECTIVE_FOOTPRINT] > 0) {
    return LPOT_FAIL(err, LPOT_CONFIG,
                     "%s: the objective footprint needs evaluators that are processes, here they "
                     "are threads of the program: call lpot_start first in main",
                     lpot_yaml_name(config->yaml));
  }
  return LPOT_OK;
}

static lpot_status on_start(evaluator *self, const lpot_message *message, lpot_reader *reader,
                            lpot_error *err) {
  (void)message;
  if (self->job != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "evaluator was started twice");
  }
  LPOT_TRY(lpot_start_read(reader, &self->start, err));
  lpot_log_set_rank(self->start.rank == 0 ? -1 : self->start.rank);
  lpot_job_options options = lpot_tune_job_options(self->context->options, self->start.local_ranks);
  LPOT_TRY(lpot_job_new(&options, &self->job, err));
  LPOT_TRY(check_wishes(self, err));
  return LPOT_OK;
}

static lpot_status on_task(evaluator *self, const lpot_message *message, lpot_reader *reader,
                           lpot_error *err) {
  if (self->job == NULL || self->busy || self->has_task) {
    return LPOT_FAIL(err, LPOT_FORMAT, "evaluator got a task too early");
  }
  LPOT_TRY(lpot_task_read(reader, &self->task, err));
  self->task.id = message->task_id;
  self->has_task = true;
  self->stopped = false;
  return LPOT_OK;
}

static lpot_status on_calibration(evaluator *self, const lpot_message *message, lpot_reader *reader,
                                  lpot_error *err) {
  (void)message;
  lpot_calibration_key key;
  lpot_calibration *calibration = NULL;
  if (self->job == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "evaluator got statistics too early");
  }
  LPOT_TRY(lpot_calibration_message_read(reader, &key, &calibration, err));
  LPOT_TRY(lpot_job_add_calibration(self->job, key, &calibration, err));
  return LPOT_OK;
}

static lpot_status on_cancel(evaluator *self, const lpot_message *message, lpot_reader *reader,
                             lpot_error *err) {
  (void)reader;
  (void)err;
  if (self->task.id == message->task_id) {
    self->stopped = true;
  }
  return LPOT_OK;
}

static lpot_status on_end(evaluator *self, const lpot_message *message, lpot_reader *reader,
                          lpot_error *err) {
  (void)message;
  (void)reader;
  (void)err;
  self->ended = true;
  return LPOT_OK;
}

static lpot_status on_message(evaluator *self, lpot_error *err) {
  static lpot_status (*const handlers[LPOT_NUM_MESSAGE_KINDS])(evaluator *, const lpot_message *,
                                                               lpot_reader *, lpot_error *) = {
      [LPOT_MESSAGE_START] = on_start,
      [LPOT_MESSAGE_TASK] = on_task,
      [LPOT_MESSAGE_CALIBRATION] = on_calibration,
      [LPOT_MESSAGE_CANCEL] = on_cancel,
      [LPOT_MESSAGE_END] = on_end,
  };
  lpot_message message;
  LPOT_TRY(lpot_message_parse(self->inbox.data, self->inbox.size, &message, err));
  if (handlers[message.kind] == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "evaluator got a message of kind %d", (int)message.kind);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, message.payload, message.size);
  LPOT_TRY(handlers[message.kind](self, &message, &reader, err));
  return LPOT_OK;
}

static lpot_status listen_once(evaluator *self, double timeout_seconds, bool *ret_heard,
                               lpot_error *err) {
  lpot_link_news news = LPOT_LINK_SILENT;
  LPOT_TRY(lpot_link_receive(self->link, timeout_seconds, &news, &self->inbox, err));
  *ret_heard = news == LPOT_LINK_MESSAGE;
  if (news == LPOT_LINK_MESSAGE) {
    LPOT_TRY(on_message(self, err));
  } else if (news == LPOT_LINK_CLOSED) {
    self->ended = true;
  }
  return LPOT_OK;
}

/* Asked by a task between two batches: takes what has come meanwhile. */
static bool stop_requested(void *context) {
  evaluator *self = context;
  bool heard = true;
  while (heard && !self->ended && self->status == LPOT_OK) {
    self->status = listen_once(self, 0, &heard, self->error);
  }
  return self->stopped || self->ended || self->status != LPOT_OK;
}

/* ---- answers ---- */

static lpot_status send_hello(evaluator *self, lpot_error *err) {
  lpot_hello hello = {.rank = self->start.rank, .model = self->job->model.digest};
  lpot_text_copy(hello.host, sizeof hello.host, self->start.host);
  lpot_text_copy(hello.numeric_class, sizeof hello.numeric_class,
                 lpot_engine_numeric_class(self->job->engine));
  hello.saturates = lpot_engine_saturates(self->job->engine);
  LPOT_TRY(lpot_job_config_hash(self->job, &hello.config_hash, err));
  LPOT_TRY(lpot_job_manifest(self->job, &hello.data, err));
  LPOT_TRY(lpot_message_begin(&self->outbox, LPOT_MESSAGE_HELLO, 0, err));
  LPOT_TRY(lpot_hello_write(&hello, &self->outbox, err));
  LPOT_TRY(answer(self, err));
  return LPOT_OK;
}

static lpot_status send_failure(evaluator *self, const lpot_error *cause) {
  LPOT_TRY(lpot_message_begin(&self->outbox, LPOT_MESSAGE_FAILED, 0, NULL));
  LPOT_TRY(lpot_failure_write(cause->status, cause->message, &self->outbox, NULL));
  LPOT_TRY(answer(self, NULL));
  return LPOT_OK;
}

static lpot_status write_outcome(evaluator *self, const lpot_outcome *outcome, lpot_error *err) {
  LPOT_TRY(lpot_message_begin(&self->outbox, LPOT_MESSAGE_OUTCOME, self->task.id, err));
  LPOT_TRY(lpot_outcome_write(outcome, &self->outbox, err));
  LPOT_TRY(answer(self, err));
  return LPOT_OK;
}

static lpot_status do_task(evaluator *self, lpot_error *err) {
  lpot_stop stop = {.requested = stop_requested, .context = self};
  lpot_outcome outcome;
  lpot_outcome_init(&outcome);
  self->has_task = false;
  self->busy = true;
  self->context->work(self->job, &self->task, &stop, &outcome);
  self->busy = false;
  lpot_status status = self->status;
  if (status == LPOT_OK && !self->ended) {
    status = write_outcome(self, &outcome, err);
  }
  lpot_outcome_done(&outcome);
  return status;
}

/* ---- the loop ---- */

static lpot_status wait_for_start(evaluator *self, lpot_error *err) {
  while (self->job == NULL && !self->ended) {
    bool heard = false;
    LPOT_TRY(listen_once(self, LPOT_FOREVER, &heard, err));
  }
  return LPOT_OK;
}

static lpot_status loop(evaluator *self, lpot_error *err) {
  LPOT_TRY(wait_for_start(self, err));
  if (!self->ended) {
    LPOT_TRY(send_hello(self, err));
  }
  while (!self->ended) {
    bool heard = false;
    LPOT_TRY(listen_once(self, LPOT_FOREVER, &heard, err));
    if (self->has_task && !self->ended) {
      LPOT_TRY(do_task(self, err));
    }
  }
  return LPOT_OK;
}

int lpot_evaluator_run(int link_fd, const void *context) {
  lpot_error error = {0};
  evaluator self = {.context = context, .error = &error};
  lpot_status status = lpot_link_new(link_fd, &self.link, &error);
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return lpot_status_exit_code(status);
  }
  lpot_buffer_init(&self.inbox);
  lpot_buffer_init(&self.outbox);
  lpot_task_init(&self.task);
  status = loop(&self, &error);
  if (status != LPOT_OK) {
    (void)!send_failure(&self, &error); /* Where it fails there is nobody to be told. */
  }
  lpot_task_done(&self.task);
  lpot_buffer_done(&self.inbox);
  lpot_buffer_done(&self.outbox);
  lpot_link_free(self.link);
  lpot_job_free(self.job);
  return lpot_status_exit_code(status);
}
