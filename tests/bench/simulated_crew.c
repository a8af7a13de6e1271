#include "simulated_crew.h"

#include <math.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "tune/calibrate.h"

#define SHORTEST_DOZE 1e-6
#define SAMPLE_SHARE 0.0005 /* of the time of search, between two samples of what is counted */

typedef struct worker {
  size_t place;       /* in the queue; SIZE_MAX: nothing is on its way */
  double due;         /* when its message is at the coordinator */
  uint64_t order;     /* of messages that are due at once */
  bool is_hello;      /* the message is its HELLO, else its outcome */
  double last_sent;   /* it has waited for a message since then */
  double start, stop; /* of its task */
  double block_seconds;
  uint64_t last_hash; /* of the recipe that is compiled */
  lpot_outcome outcome;
} worker;

typedef struct counts_sample {
  double time;
  simulated_crew_counts counts;
} counts_sample;

struct simulated_crew {
  simulated_crew_options options;
  double base;       /* virtual time when the coordinator was last given control */
  double cpu_mark;   /* its CPU time then */
  double wait_mark;  /* and its seconds of waiting for the disk */
  worker *workers;   /* [options.workers] */
  size_t *queue;     /* [num_queued] workers, a heap with the earliest message on top */
  size_t num_queued; /* at most options.workers */
  uint64_t last_order;
  simulated_crew_counts counts;
  size_t num_samples, sample_capacity;
  counts_sample *samples; /* [num_samples] the first at the first task for a recipe */
};

/* ---- the disk: these stand before the C library's ---- */

static double waited_seconds; /* in syncs, beyond their CPU time */
static double sync_seconds;
static uint64_t num_syncs;

static int sync_by(long number, int descriptor) {
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  double cpu = lpot_clock_thread_cpu();
  long result = syscall(number, descriptor);
  double seconds = lpot_clock_now(&clock) - start;
  waited_seconds += fmax(0, seconds - (lpot_clock_thread_cpu() - cpu));
  sync_seconds += seconds;
  num_syncs++;
  return (int)result;
}

int fdatasync(int descriptor) {
  return sync_by(SYS_fdatasync, descriptor);
}

int fsync(int descriptor) {
  return sync_by(SYS_fsync, descriptor);
}

/* ---- time ---- */

static double spent(const simulated_crew *crew) {
  return lpot_clock_thread_cpu() - crew->cpu_mark + waited_seconds - crew->wait_mark;
}

/* Virtual time, as the coordinator sees it while it computes. */
static double now(void *context) {
  const simulated_crew *crew = context;
  return crew->base + spent(crew);
}

/* The coordinator has called: what it did until now has taken time. */
static void enter(simulated_crew *crew) {
  double seconds = spent(crew);
  crew->base += seconds;
  crew->counts.coordinator_seconds += seconds;
  crew->counts.syncs = num_syncs;
  crew->counts.sync_seconds = sync_seconds;
}

static void leave(simulated_crew *crew) {
  crew->cpu_mark = lpot_clock_thread_cpu();
  crew->wait_mark = waited_seconds;
}

static void charge_message(simulated_crew *crew, size_t bytes) {
  crew->base += crew->options.send_seconds;
  crew->counts.coordinator_seconds += crew->options.send_seconds;
  crew->counts.messages++;
  crew->counts.message_bytes += bytes;
}

/* When somebody who has been looking since `since`, with sleeps that double, sees what is there at
 * `time`. */
static double seen_at(const simulated_crew *crew, double since, double time) {
  double longest = crew->options.doze_seconds;
  if (longest <= 0 || since >= time) {
    return fmax(since, time);
  }
  double look = since;
  for (double doze = SHORTEST_DOZE; look < time && doze < longest; doze *= 2) {
    look += doze;
  }
  return look >= time ? look : look + ceil((time - look) / longest) * longest;
}

/* ---- what is counted ---- */

static lpot_status take_sample(simulated_crew *crew, lpot_error *err) {
  if (crew->num_samples == crew->sample_capacity) {
    size_t capacity = 2 * crew->sample_capacity + 64;
    counts_sample *grown = lpot_realloc(crew->samples, capacity, sizeof *grown);
    if (grown == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    crew->samples = grown;
    crew->sample_capacity = capacity;
  }
  crew->samples[crew->num_samples] = (counts_sample){.time = crew->base, .counts = crew->counts};
  crew->num_samples++;
  return LPOT_OK;
}

static lpot_status sample_counts(simulated_crew *crew, lpot_error *err) {
  if (crew->num_samples == 0) {
    return LPOT_OK;
  }
  double searched = crew->base - crew->samples[0].time;
  if (crew->base - crew->samples[crew->num_samples - 1].time > SAMPLE_SHARE * searched) {
    LPOT_TRY(take_sample(crew, err));
  }
  return LPOT_OK;
}

void simulated_crew_count(const simulated_crew *crew, double time,
                          simulated_crew_counts *ret_counts) {
  *ret_counts = (simulated_crew_counts){0};
  if (crew->num_samples == 0) {
    return;
  }
  size_t last = 0;
  while (last + 1 < crew->num_samples && crew->samples[last + 1].time <= time) {
    last++;
  }
  const simulated_crew_counts *before = &crew->samples[0].counts;
  const simulated_crew_counts *after = &crew->samples[last].counts;
  *ret_counts = (simulated_crew_counts){
      .messages = after->messages - before->messages,
      .message_bytes = after->message_bytes - before->message_bytes,
      .syncs = after->syncs - before->syncs,
      .sync_seconds = after->sync_seconds - before->sync_seconds,
      .coordinator_seconds = after->coordinator_seconds - before->coordinator_seconds,
      .busy_seconds = after->busy_seconds - before->busy_seconds};
}

/* ---- the queue ---- */

static bool is_earlier(const worker *a, const worker *b) {
  return a->due < b->due || (!(b->due < a->due) && a->order < b->order);
}

static void put(simulated_crew *crew, size_t place, size_t index) {
  crew->queue[place] = index;
  crew->workers[index].place = place;
}

static void rise(simulated_crew *crew, size_t place) {
  size_t index = crew->queue[place];
  while (place > 0) {
    size_t parent = (place - 1) / 2;
    if (!is_earlier(&crew->workers[index], &crew->workers[crew->queue[parent]])) {
      break;
    }
    put(crew, place, crew->queue[parent]);
    place = parent;
  }
  put(crew, place, index);
}

/* The child that is due first; num_queued or more when there is none. */
static size_t first_child(const simulated_crew *crew, size_t place) {
  size_t child = 2 * place + 1;
  if (child + 1 < crew->num_queued &&
      is_earlier(&crew->workers[crew->queue[child + 1]], &crew->workers[crew->queue[child]])) {
    child++;
  }
  return child;
}

static void sink(simulated_crew *crew, size_t place) {
  size_t index = crew->queue[place];
  size_t child = first_child(crew, place);
  while (child < crew->num_queued &&
         is_earlier(&crew->workers[crew->queue[child]], &crew->workers[index])) {
    put(crew, place, crew->queue[child]);
    place = child;
    child = first_child(crew, place);
  }
  put(crew, place, index);
}

/* Its message is on its way, or earlier than it was. */
static void queue_worker(simulated_crew *crew, size_t index, double due) {
  worker *self = &crew->workers[index];
  self->due = due;
  if (self->place == SIZE_MAX) {
    crew->last_order++;
    self->order = crew->last_order;
    crew->queue[crew->num_queued] = index;
    self->place = crew->num_queued;
    crew->num_queued++;
  }
  rise(crew, self->place);
}

static size_t take_first(simulated_crew *crew) {
  size_t first = crew->queue[0];
  crew->num_queued--;
  if (crew->num_queued > 0) {
    put(crew, 0, crew->queue[crew->num_queued]);
    sink(crew, 0);
  }
  crew->workers[first].place = SIZE_MAX;
  return first;
}

/* ---- what workers do ---- */

static lpot_status compute(simulated_crew *crew, worker *self, const lpot_task *task,
                           double *ret_seconds, lpot_error *err) {
  lpot_job *job = crew->options.job;
  lpot_outcome *outcome = &self->outcome;
  if (task->kind == LPOT_TASK_CALIBRATE) {
    outcome->kind = task->kind;
    outcome->first = task->first;
    *ret_seconds =
        crew->options.work->block_seconds / (double)job->blocks.block_samples * (double)task->count;
    LPOT_TRY(lpot_calibrate(job, task->equalized, task->first, task->count, NULL,
                            &outcome->calibration, err));
    return LPOT_OK;
  }
  LPOT_TRY(simulate(crew->options.work, job, task, self->last_hash, outcome, ret_seconds, err));
  return LPOT_OK;
}

static void start_task(simulated_crew *crew, worker *self, const lpot_task *task) {
  lpot_error error = {0};
  double seconds = 0;
  uint64_t hash = task->recipe == NULL ? 0 : lpot_recipe_hash(task->recipe);
  lpot_outcome *outcome = &self->outcome;
  lpot_outcome_done(outcome);
  outcome->status = compute(crew, self, task, &seconds, &error);
  if (outcome->status != LPOT_OK) {
    lpot_text_copy(outcome->cause, sizeof outcome->cause, error.message);
  }
  double compile = hash != self->last_hash ? crew->options.work->compile_seconds : 0;
  double blocks = outcome->num_states > 0 ? (double)outcome->num_states : 1;
  self->block_seconds = fmax(0, seconds - compile) / blocks;
  self->start = seen_at(crew, self->last_sent, crew->base + crew->options.latency_seconds);
  self->stop = self->start + seconds;
  self->last_hash = task->kind == LPOT_TASK_EVALUATE ? hash : self->last_hash;
  outcome->task_id = task->id;
  outcome->seconds = seconds;
}

static lpot_status take_task(simulated_crew *crew, size_t index, const lpot_message *message,
                             lpot_error *err) {
  worker *self = &crew->workers[index];
  if (self->place != SIZE_MAX) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "worker %zu got a task while it was busy", index);
  }
  lpot_task task;
  lpot_reader reader;
  lpot_task_init(&task);
  lpot_reader_init(&reader, message->payload, message->size);
  lpot_status status = lpot_task_read(&reader, &task, err);
  if (status == LPOT_OK && task.kind == LPOT_TASK_EVALUATE && task.recipe != NULL &&
      crew->num_samples == 0) {
    status = take_sample(crew, err);
  }
  if (status == LPOT_OK) {
    task.id = message->task_id;
    start_task(crew, self, &task);
    queue_worker(crew, index, self->stop + crew->options.latency_seconds);
  }
  lpot_task_done(&task);
  return status;
}

/* It stops behind the batch at hand, with the blocks that it has done. */
static void cancel_task(simulated_crew *crew, size_t index, uint64_t task_id) {
  worker *self = &crew->workers[index];
  lpot_outcome *outcome = &self->outcome;
  if (self->place == SIZE_MAX || self->is_hello || outcome->task_id != task_id ||
      outcome->kind != LPOT_TASK_EVALUATE) {
    return;
  }
  double seen = seen_at(crew, self->start, crew->base + crew->options.latency_seconds);
  double stop = seen + self->block_seconds / (double)crew->options.job->block_batches;
  if (stop >= self->stop) {
    return;
  }
  double blocks_start = self->stop - self->block_seconds * (double)outcome->num_states;
  double done = fmax(0, floor((stop - blocks_start) / self->block_seconds));
  if (done < (double)outcome->num_states) {
    outcome->num_states = (size_t)done;
    outcome->num_bits = outcome->num_states * (size_t)crew->options.job->blocks.block_samples;
  }
  outcome->status = LPOT_INTERRUPTED;
  lpot_text_copy(outcome->cause, sizeof outcome->cause, "evaluation was stopped");
  self->stop = stop;
  outcome->seconds = stop - self->start;
  queue_worker(crew, index, stop + crew->options.latency_seconds);
}

/* ---- the transport ---- */

static lpot_status write_hello(simulated_crew *crew, size_t index, lpot_buffer *out,
                               lpot_error *err) {
  lpot_job *job = crew->options.job;
  lpot_hello hello = {.rank = (int)index + 1, .model = job->model.digest};
  lpot_text_copy(hello.host, sizeof hello.host, "simulated");
  lpot_text_copy(hello.numeric_class, sizeof hello.numeric_class,
                 lpot_engine_numeric_class(job->engine));
  hello.saturates = lpot_engine_saturates(job->engine);
  LPOT_TRY(lpot_job_config_hash(job, &hello.config_hash, err));
  LPOT_TRY(lpot_job_manifest(job, &hello.data, err));
  LPOT_TRY(lpot_message_begin(out, LPOT_MESSAGE_HELLO, 0, err));
  LPOT_TRY(lpot_hello_write(&hello, out, err));
  return LPOT_OK;
}

static lpot_status write_outcome(simulated_crew *crew, worker *self, lpot_buffer *out,
                                 lpot_error *err) {
  if (self->outcome.kind == LPOT_TASK_EVALUATE && self->outcome.recipe_hash != 0) {
    crew->counts.busy_seconds += self->stop - self->start;
  }
  LPOT_TRY(lpot_message_begin(out, LPOT_MESSAGE_OUTCOME, self->outcome.task_id, err));
  LPOT_TRY(lpot_outcome_write(&self->outcome, out, err));
  lpot_outcome_done(&self->outcome);
  return LPOT_OK;
}

static lpot_status deliver(simulated_crew *crew, size_t *ret_worker, lpot_buffer *out,
                           lpot_error *err) {
  size_t index = take_first(crew);
  worker *self = &crew->workers[index];
  if (self->is_hello) {
    LPOT_TRY(write_hello(crew, index, out, err));
  } else {
    LPOT_TRY(write_outcome(crew, self, out, err));
  }
  LPOT_TRY(lpot_message_finish(out, err));
  self->is_hello = false;
  self->last_sent = self->stop;
  charge_message(crew, out->size);
  LPOT_TRY(sample_counts(crew, err));
  *ret_worker = index;
  return LPOT_OK;
}

static lpot_status receive(void *context, double timeout_seconds, size_t *ret_worker,
                           lpot_buffer *out, lpot_error *err) {
  simulated_crew *crew = context;
  enter(crew);
  *ret_worker = LPOT_NO_WORKER;
  double deadline = crew->base + fmax(0, timeout_seconds);
  double due = crew->num_queued > 0 ? crew->workers[crew->queue[0]].due : (double)INFINITY;
  lpot_status status = LPOT_OK;
  if (due <= deadline) {
    crew->base = seen_at(crew, crew->base, due);
    status = deliver(crew, ret_worker, out, err);
  } else {
    crew->base = deadline;
  }
  leave(crew);
  return status;
}

static lpot_status handle(simulated_crew *crew, size_t index, const lpot_message *message,
                          lpot_error *err) {
  switch (message->kind) {
  case LPOT_MESSAGE_TASK:
    LPOT_TRY(take_task(crew, index, message, err));
    return LPOT_OK;
  case LPOT_MESSAGE_CANCEL:
    cancel_task(crew, index, message->task_id);
    return LPOT_OK;
  case LPOT_MESSAGE_CALIBRATION:
  case LPOT_MESSAGE_PING:
    return LPOT_OK;
  default:
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "simulated workers know no message of kind %d: was a lease too short?",
                     (int)message->kind);
  }
}

static lpot_status send(void *context, size_t index, const lpot_buffer *bytes, lpot_error *err) {
  simulated_crew *crew = context;
  enter(crew);
  size_t copies = index == LPOT_NO_WORKER ? crew->options.workers : 1;
  for (size_t i = 0; i < copies; i++) {
    charge_message(crew, bytes->size);
  }
  lpot_message message;
  lpot_status status = lpot_message_parse(bytes->data, bytes->size, &message, err);
  if (status == LPOT_OK) {
    status = handle(crew, index, &message, err);
  }
  leave(crew);
  return status;
}

lpot_transport simulated_crew_transport(simulated_crew *crew) {
  return (lpot_transport){
      .count = crew->options.workers, .send = send, .receive = receive, .context = crew};
}

lpot_clock simulated_crew_clock(simulated_crew *crew) {
  return (lpot_clock){.now = now, .context = crew};
}

/* ---- the crew ---- */

lpot_status simulated_crew_new(const simulated_crew_options *options, simulated_crew **ret_crew,
                               lpot_error *err) {
  simulated_crew *crew = lpot_calloc(1, sizeof *crew);
  if (crew == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  crew->options = *options;
  crew->workers = lpot_calloc(options->workers, sizeof *crew->workers);
  crew->queue = lpot_calloc(options->workers, sizeof *crew->queue);
  if (crew->workers == NULL || crew->queue == NULL) {
    simulated_crew_free(crew);
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < options->workers; i++) {
    worker *self = &crew->workers[i];
    lpot_outcome_init(&self->outcome);
    self->place = SIZE_MAX;
    self->is_hello = true;
    self->last_hash = UINT64_MAX;
    queue_worker(crew, i, 0);
  }
  leave(crew);
  *ret_crew = crew;
  return LPOT_OK;
}

void simulated_crew_free(simulated_crew *crew) {
  if (crew == NULL) {
    return;
  }
  for (size_t i = 0; i < crew->options.workers && crew->workers != NULL; i++) {
    lpot_outcome_done(&crew->workers[i].outcome);
  }
  lpot_free(crew->workers);
  lpot_free(crew->queue);
  lpot_free(crew->samples);
  lpot_free(crew);
}
