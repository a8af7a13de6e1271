#include "tune/tune_fixture.h"

#include "base/bits.h"
#include "base/memory.h"
#include "tune/run.h"

#define SAMPLES 100
#define BLOCK 10
#define BLOCKS (SAMPLES / BLOCK)
#define WORKERS 2
#define BLOCK_SECONDS 0.1 /* pieces are then smaller than the set */

/* What a worker of the test does with a task. */
typedef enum conduct {
  HONEST,
  TOO_FEW_BITS,
  TOO_MANY_BLOCKS,
  NO_BLOCKS,
  WRONG_SAMPLES,
  WRONG_PLACE, /* of blocks that it says it has finished before it was stopped */
  DIES,
  IS_LATE /* answers when its process is to be killed */
} conduct;

/* Workers that answer at once, in a time that passes when the coordinator waits. */
typedef struct stage {
  double time;
  conduct conducts[WORKERS];
  lpot_buffer answers[WORKERS];
  bool ready[WORKERS]; /* the answer is on its way */
  int deals[WORKERS];
  lpot_config config;
  lpot_job job;
  lpot_ledger ledger;
  lpot_journal *journal;
  lpot_crew *crew;
  lpot_run run;
} stage;

static double now(void *context) {
  const stage *self = context;
  return self->time;
}

/* ---- workers ---- */

static void fill(lpot_outcome *outcome, const lpot_task *task) {
  *outcome = (lpot_outcome){.kind = task->kind,
                            .first = task->first,
                            .seconds = BLOCK_SECONDS * (double)task->count,
                            .recipe_hash = lpot_recipe_hash(task->recipe),
                            .num_states = (size_t)task->count,
                            .num_bits = (size_t)task->count * BLOCK};
  outcome->states = lpot_calloc((size_t)task->count + 1, sizeof *outcome->states);
  outcome->correct = lpot_calloc(SAMPLES, 1);
  for (int64_t i = 0; i <= task->count; i++) {
    outcome->states[i].samples = BLOCK;
    outcome->states[i].correct = BLOCK;
  }
  for (size_t i = 0; i < outcome->num_bits; i++) {
    lpot_bit_set(outcome->correct, i, true);
  }
}

static void misbehave(lpot_outcome *outcome, conduct how) {
  switch (how) {
  case TOO_FEW_BITS:
    outcome->num_bits--;
    break;
  case TOO_MANY_BLOCKS:
    outcome->num_states++;
    outcome->num_bits += BLOCK;
    break;
  case NO_BLOCKS:
    outcome->num_states = 0;
    outcome->num_bits = 0;
    break;
  case WRONG_SAMPLES:
    outcome->states[0].samples++;
    break;
  case WRONG_PLACE:
    outcome->status = LPOT_INTERRUPTED;
    outcome->first += outcome->first == 0 ? 1 : -1;
    break;
  case DIES:
    outcome->status = LPOT_CRASHED;
    break;
  default:
    break;
  }
}

static void answer(stage *self, size_t worker, const lpot_message *message) {
  lpot_task task;
  lpot_outcome outcome;
  lpot_reader reader;
  lpot_task_init(&task);
  lpot_reader_init(&reader, message->payload, message->size);
  assert_int_equal(lpot_task_read(&reader, &task, NULL), LPOT_OK);
  fill(&outcome, &task);
  misbehave(&outcome, self->conducts[worker]);
  lpot_buffer *out = &self->answers[worker];
  assert_int_equal(lpot_message_begin(out, LPOT_MESSAGE_OUTCOME, message->task_id, NULL), LPOT_OK);
  assert_int_equal(lpot_outcome_write(&outcome, out, NULL), LPOT_OK);
  assert_int_equal(lpot_message_finish(out, NULL), LPOT_OK);
  self->ready[worker] = self->conducts[worker] != IS_LATE;
  self->deals[worker]++;
  lpot_task_done(&task);
  lpot_outcome_done(&outcome);
}

static lpot_status send(void *context, size_t worker, const lpot_buffer *bytes, lpot_error *err) {
  (void)err;
  stage *self = context;
  lpot_message message;
  assert_int_equal(lpot_message_parse(bytes->data, bytes->size, &message, NULL), LPOT_OK);
  if (message.kind == LPOT_MESSAGE_TASK) {
    answer(self, worker, &message);
  } else if (message.kind == LPOT_MESSAGE_KILL) {
    self->ready[worker] = true;
  }
  return LPOT_OK;
}

static lpot_status receive(void *context, double timeout_seconds, size_t *ret_worker,
                           lpot_buffer *out, lpot_error *err) {
  stage *self = context;
  *ret_worker = LPOT_NO_WORKER;
  for (size_t i = 0; i < WORKERS; i++) {
    if (self->ready[i]) {
      self->ready[i] = false;
      *ret_worker = i;
      lpot_buffer_clear(out);
      LPOT_TRY(lpot_buffer_append(out, self->answers[i].data, self->answers[i].size, err));
      return LPOT_OK;
    }
  }
  self->time += timeout_seconds > 0 ? timeout_seconds : 0;
  assert_true(self->time < 1e5); /* Nothing here takes so long. */
  return LPOT_OK;
}

static void say_hello(stage *self, int worker) {
  lpot_hello hello = {.rank = worker + 1, .host = "a"};
  lpot_buffer *out = &self->answers[worker];
  assert_int_equal(lpot_message_begin(out, LPOT_MESSAGE_HELLO, 0, NULL), LPOT_OK);
  assert_int_equal(lpot_hello_write(&hello, out, NULL), LPOT_OK);
  assert_int_equal(lpot_message_finish(out, NULL), LPOT_OK);
  self->ready[worker] = true;
}

/* ---- the coordinator ---- */

static void set_up(stage *self, const temp_folder *folder, conduct first, conduct second) {
  static int number;
  char path[PATH_SIZE];
  char name[32];
  snprintf(name, sizeof name, "run%d", number++);
  temp_path(folder, name, path);
  *self = (stage){.conducts = {first, second}, .config = {.lease_seconds = 5, .tolerance = 0.01}};
  const lpot_transport transport = {
      .count = WORKERS, .send = send, .receive = receive, .context = self};
  const lpot_clock clock = {.now = now, .context = self};
  lpot_ledger_header header = make_header();
  self->job =
      (lpot_job){.config = &self->config,
                 .metric = make_metric("topk: 1"),
                 .higher_is_better = true,
                 .blocks = {.num_samples = SAMPLES, .block_samples = BLOCK, .num_blocks = BLOCKS}};
  lpot_ledger_init(&self->ledger);
  assert_int_equal(
      lpot_journal_open(path, false, lpot_ledger_apply, &self->ledger, &self->journal, NULL),
      LPOT_OK);
  assert_int_equal(lpot_ledger_add_header(&self->ledger, self->journal, &header, NULL), LPOT_OK);
  assert_int_equal(lpot_crew_new(&transport, &clock, &self->crew, NULL), LPOT_OK);
  for (int i = 0; i < WORKERS; i++) {
    say_hello(self, i);
  }
  assert_int_equal(lpot_crew_meet(self->crew, 1, NULL), LPOT_OK);
  self->run = (lpot_run){.job = &self->job,
                         .crew = self->crew,
                         .ledger = &self->ledger,
                         .journal = self->journal,
                         .clock = clock,
                         .job_seconds = 7};
  assert_int_equal(lpot_run_init(&self->run, NULL), LPOT_OK);
  lpot_block_speed_note(&self->run.block_speed, BLOCK_SECONDS, 1);
}

static void tear_down(stage *self) {
  lpot_run_done(&self->run);
  lpot_crew_free(self->crew);
  lpot_journal_close(self->journal);
  lpot_ledger_done(&self->ledger);
  lpot_metric_free(self->job.metric);
  for (size_t i = 0; i < WORKERS; i++) {
    lpot_buffer_done(&self->answers[i]);
  }
}

/* Evaluates a recipe; its result. */
static const lpot_ledger_result *evaluate(stage *self) {
  lpot_recipe *recipe = make_recipe(2, 4);
  lpot_error error = {0};
  const lpot_want want = {.recipe = recipe};
  if (lpot_run_evaluate(&self->run, &want, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  size_t index = lpot_ledger_find_result(&self->ledger, lpot_recipe_hash(recipe), false);
  lpot_recipe_free(recipe);
  assert_true(index != SIZE_MAX);
  return &self->ledger.results[index];
}

static const conduct lies[] = {TOO_FEW_BITS, TOO_MANY_BLOCKS, NO_BLOCKS, WRONG_SAMPLES,
                               WRONG_PLACE};

static void what_a_worker_lies_about_is_done_by_another(void **state) {
  for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
    stage self;
    set_up(&self, *state, lies[i], HONEST);
    const lpot_ledger_result *result = evaluate(&self);
    assert_int_equal(result->status, LPOT_TRIAL_DONE);
    assert_true(result->accuracy == 1 && result->samples == SAMPLES);
    assert_int_equal(result->rank, 2);
    assert_int_equal(self.ledger.num_mishaps, 1);
    assert_int_equal(self.ledger.mishaps[0].kind, LPOT_MISHAP_CRASH);
    assert_int_equal(self.ledger.mishaps[0].rank, 1);
    assert_non_null(strstr(self.ledger.mishaps[0].cause, "answer has"));
    assert_int_equal(self.deals[0], 1);
    tear_down(&self);
  }
}

static void recipe_that_all_workers_lie_about_has_crashed(void **state) {
  for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
    stage self;
    set_up(&self, *state, lies[i], lies[i]);
    const lpot_ledger_result *result = evaluate(&self);
    assert_int_equal(result->status, LPOT_TRIAL_CRASHED);
    assert_non_null(strstr(result->cause, "answer has"));
    assert_int_equal(self.ledger.num_mishaps, 2);
    tear_down(&self);
  }
}

/* Seconds of the lease of the next task of worker 0, beyond those of any other. */
static double extra_lease(const stage *self) {
  const lpot_task task = {.kind = LPOT_TASK_EVALUATE, .count = 1};
  bool restarting = self->run.assignments[0].restarting;
  return lpot_run_lease(&self->run, &task, restarting) - lpot_run_lease(&self->run, &task, false);
}

static void next_lease_is_longer_where_the_evaluator_is_a_new_one(void **state) {
  static const struct {
    conduct how;
    bool replaced;
  } cases[] = {{HONEST, false}, {TOO_FEW_BITS, false}, {DIES, true}, {IS_LATE, true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    stage self;
    set_up(&self, *state, cases[i].how, HONEST);
    assert_int_equal(evaluate(&self)->status, LPOT_TRIAL_DONE);
    assert_int_equal(lpot_run_quiesce(&self.run, NULL), LPOT_OK);
    double extra = extra_lease(&self);
    assert_true(cases[i].replaced ? extra > self.run.job_seconds : extra == 0);
    tear_down(&self);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_worker_lies_about_is_done_by_another),
      cmocka_unit_test(recipe_that_all_workers_lie_about_has_crashed),
      cmocka_unit_test(next_lease_is_longer_where_the_evaluator_is_a_new_one),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
