/* Which worker gets which blocks.
 *
 * Where there are many evaluations each worker takes one and stays with it; where there are few,
 * several workers share one. A piece is a fair share of all blocks that nobody has, but neither so
 * small that handing it out costs more than computing it, nor so large that an urgent demand has to
 * wait long. Pieces have no influence on results: see evaluation.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/judge.h"
#include "tune/progress.h"
#include "tune/run.h"
#include "tune/sense.h"

#define SHORTEST_PIECE_SECONDS 0.1
#define LONGEST_PIECE_SECONDS 2.0
#define SHARES 2 /* pieces that each worker gets of what is left, about */

/* ---- what is wanted ---- */

/* A recipe may be wanted four times: in a race, whole, to be sensed, and on the part held out. */
static uint64_t key_of(uint64_t hash, bool raced, bool senses, bool held_out) {
  return (raced ? ~hash : hash) + (senses ? UINT64_C(0x9e3779b97f4a7c15) : 0) +
         (held_out ? UINT64_C(0xd1b54a32d192ed03) : 0);
}

static uint64_t key_of_evaluation(const lpot_evaluation *evaluation) {
  return key_of(evaluation->hash, evaluation->raced, evaluation->senses, evaluation->held_out);
}

static lpot_status index_wanted(const lpot_run *run, lpot_hash_index **ret_index, lpot_error *err) {
  LPOT_TRY(lpot_hash_index_new(run->num_wanted, ret_index, err));
  for (size_t i = 0; i < run->num_wanted; i++) {
    lpot_hash_index_put(*ret_index, key_of_evaluation(run->wanted[i].evaluation), i);
  }
  return LPOT_OK;
}

/* Tells the workers that are busy with an evaluation to stop. */
static lpot_status stop_workers(lpot_run *run, const lpot_wanted *wanted, lpot_error *err) {
  uint64_t number = wanted->number;
  for (size_t i = 0; i < lpot_crew_size(run->crew) && wanted->evaluation->dealt > 0; i++) {
    const lpot_assignment *assignment = &run->assignments[i];
    if (lpot_crew_is_busy(run->crew, i) && assignment->kind == LPOT_TASK_EVALUATE &&
        assignment->evaluation == number) {
      LPOT_TRY(lpot_run_cancel(run, i, err));
    }
  }
  return LPOT_OK;
}

static lpot_status begin(lpot_run *run, const lpot_want *want, lpot_wanted *ret, lpot_error *err) {
  lpot_blocks blocks =
      want->senses ? lpot_sense_blocks(run->job) : *lpot_job_blocks(run->job, want->held_out);
  LPOT_TRY(lpot_evaluation_new(want->recipe, &blocks, &ret->evaluation, err));
  ret->evaluation->senses = want->senses;
  ret->evaluation->held_out = want->held_out;
  if (want->raced) {
    lpot_evaluation_race(ret->evaluation, &run->terms, run->ledger->baseline.correct);
  }
  run->last_number++;
  ret->number = run->last_number;
  ret->hash = ret->evaluation->hash;
  return LPOT_OK;
}

static lpot_status fill_wanted(lpot_run *run, const lpot_hash_index *index, const lpot_want *wants,
                               size_t count, lpot_wanted *list, lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    uint64_t hash = wants[i].recipe == NULL ? 0 : lpot_recipe_hash(wants[i].recipe);
    size_t old = lpot_hash_index_get(
        index, key_of(hash, wants[i].raced, wants[i].senses, wants[i].held_out));
    if (old != SIZE_MAX && run->wanted[old].evaluation != NULL) {
      list[i] = run->wanted[old];
      run->wanted[old].evaluation = NULL;
    } else {
      LPOT_TRY(begin(run, &wants[i], &list[i], err));
    }
  }
  return LPOT_OK;
}

static void free_list(lpot_wanted *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lpot_evaluation_free(list[i].evaluation);
  }
  lpot_free(list);
}

lpot_status lpot_run_want(lpot_run *run, const lpot_want *wants, size_t count, lpot_error *err) {
  lpot_hash_index *index = NULL;
  LPOT_TRY(index_wanted(run, &index, err));
  lpot_wanted *list = lpot_calloc(count + 1, sizeof *list);
  if (list == NULL) {
    lpot_hash_index_free(index);
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_wanted(run, index, wants, count, list, err);
  lpot_hash_index_free(index);
  for (size_t i = 0; i < run->num_wanted && status == LPOT_OK; i++) {
    if (run->wanted[i].evaluation != NULL) {
      status = stop_workers(run, &run->wanted[i], err);
    }
  }
  free_list(run->wanted, run->num_wanted);
  run->wanted = list;
  run->num_wanted = count;
  return status;
}

bool lpot_run_is_first(const lpot_run *run, const lpot_want *want) {
  return run->num_wanted > 0 && run->wanted[0].hash == lpot_recipe_hash(want->recipe) &&
         run->wanted[0].evaluation->raced == want->raced &&
         run->wanted[0].evaluation->senses == want->senses &&
         run->wanted[0].evaluation->held_out == want->held_out;
}

/* ---- dealing ---- */

/* What is found out once for all idle workers: there may be thousands. While blocks are dealt
 * evaluations only lose free blocks and gain workers. */
typedef struct dealing {
  size_t num_left;    /* workers */
  int64_t num_blocks; /* free ones, of all evaluations, or of enough of them */
  size_t first_any;   /* no evaluation before it has free blocks */
  size_t first_alone; /* all before it have a worker, or no free blocks */
} dealing;

static dealing begin_dealing(const lpot_run *run) {
  dealing self = {.num_left = lpot_crew_num_left(run->crew)};
  /* Where there is enough for the longest pieces it does not matter how much more there is. */
  double longest = fmax(1, LONGEST_PIECE_SECONDS / run->block_speed.seconds);
  double enough = run->block_speed.seconds > 0 ? (SHARES + 1) * (double)self.num_left * longest
                                               : (double)INFINITY;
  for (size_t i = 0; i < run->num_wanted && (double)self.num_blocks < enough; i++) {
    self.num_blocks += lpot_evaluation_num_free(run->wanted[i].evaluation);
  }
  return self;
}

static bool may_take(const dealing *self, const lpot_evaluation *evaluation, size_t worker) {
  bool avoided = self->num_left > 1 && evaluation->avoid == worker;
  return !avoided && lpot_evaluation_num_free(evaluation) > 0;
}

/* The evaluation whose plan the worker has; SIZE_MAX: it is not wanted, or has no free blocks. */
static size_t find_same(const lpot_run *run, const dealing *self, size_t worker) {
  uint64_t compiled = run->assignments[worker].recipe_hash;
  for (size_t i = 0; i < run->num_wanted; i++) {
    if (run->wanted[i].hash == compiled && may_take(self, run->wanted[i].evaluation, worker)) {
      return i;
    }
  }
  return SIZE_MAX;
}

/* The first one that no worker is at; SIZE_MAX: there is none. */
static size_t find_alone(const lpot_run *run, dealing *self, size_t worker) {
  for (size_t i = self->first_alone; i < run->num_wanted; i++) {
    const lpot_evaluation *evaluation = run->wanted[i].evaluation;
    bool alone = evaluation->dealt == 0 && lpot_evaluation_num_free(evaluation) > 0;
    if (alone && may_take(self, evaluation, worker)) {
      return i;
    }
    self->first_alone += !alone && i == self->first_alone ? 1 : 0;
  }
  return SIZE_MAX;
}

static size_t find_any(const lpot_run *run, dealing *self, size_t worker) {
  for (size_t i = self->first_any; i < run->num_wanted; i++) {
    const lpot_evaluation *evaluation = run->wanted[i].evaluation;
    if (may_take(self, evaluation, worker)) {
      return i;
    }
    bool exhausted = lpot_evaluation_num_free(evaluation) == 0;
    self->first_any += exhausted && i == self->first_any ? 1 : 0;
  }
  return SIZE_MAX;
}

/* Where a worker is needed most; SIZE_MAX: nowhere. */
static size_t choose(const lpot_run *run, dealing *self, size_t worker) {
  if (run->num_wanted > 0 && run->wanted[0].evaluation->dealt == 0 &&
      may_take(self, run->wanted[0].evaluation, worker)) {
    return 0; /* The demand itself comes first. */
  }
  size_t found = find_same(run, self, worker);
  if (found == SIZE_MAX) {
    found = find_alone(run, self, worker);
  }
  return found != SIZE_MAX ? found : find_any(run, self, worker);
}

static int64_t piece_size(const lpot_run *run, const dealing *self) {
  double left = (double)self->num_blocks;
  double size = self->num_left <= 1 ? left : left / (SHARES * (double)self->num_left);
  if (run->block_speed.seconds > 0) {
    size = fmax(size, SHORTEST_PIECE_SECONDS / run->block_speed.seconds);
    size = fmin(size, LONGEST_PIECE_SECONDS / run->block_speed.seconds);
  }
  return size < 1 ? 1 : (int64_t)fmin(size, 1e9);
}

static lpot_status deal_to(lpot_run *run, dealing *self, size_t worker, size_t index,
                           lpot_error *err) {
  lpot_wanted *wanted = &run->wanted[index];
  lpot_task task;
  lpot_task_init(&task);
  lpot_status status = lpot_evaluation_deal(wanted->evaluation, piece_size(run, self), &task, err);
  if (status == LPOT_OK) {
    lpot_assignment *assignment = &run->assignments[worker];
    self->num_blocks -= task.count;
    status = lpot_run_assign(run, worker, &task, err);
    assignment->evaluation = wanted->number;
    assignment->recipe_hash = wanted->hash;
  }
  task.recipe = NULL; /* borrowed from the evaluation */
  lpot_task_done(&task);
  return status;
}

static bool is_hushed(const lpot_run *run, size_t worker) {
  return run->quiet_host != NULL &&
         strcmp(lpot_crew_hello(run->crew, worker)->host, run->quiet_host) == 0;
}

lpot_status lpot_run_deal(lpot_run *run, lpot_error *err) {
  dealing self = begin_dealing(run);
  for (size_t worker = 0; worker < lpot_crew_size(run->crew); worker++) {
    if (!lpot_crew_is_idle(run->crew, worker) || is_hushed(run, worker)) {
      continue;
    }
    size_t index = choose(run, &self, worker);
    if (index != SIZE_MAX) {
      LPOT_TRY(deal_to(run, &self, worker, index, err));
    }
  }
  return LPOT_OK;
}

/* ---- taking ---- */

static void put_worker(const lpot_run *run, const lpot_evaluation *evaluation, int *rank,
                       char host[LPOT_HOST_SIZE]) {
  if (evaluation->first_worker != SIZE_MAX) {
    const lpot_hello *hello = lpot_crew_hello(run->crew, evaluation->first_worker);
    *rank = hello->rank;
    lpot_text_copy(host, LPOT_HOST_SIZE, hello->host);
  }
}

static lpot_status record_sense(lpot_run *run, const lpot_evaluation *evaluation, lpot_error *err) {
  if (lpot_ledger_find_sense(run->ledger, evaluation->hash) != SIZE_MAX) {
    return LPOT_OK;
  }
  lpot_ledger_sense sense;
  lpot_judge_sense(evaluation, &sense);
  put_worker(run, evaluation, &sense.rank, sense.host);
  LPOT_TRY(lpot_ledger_add_sense(run->ledger, run->journal, &sense, err));
  return LPOT_OK;
}

static lpot_status record_held_out(lpot_run *run, const lpot_evaluation *evaluation,
                                   lpot_error *err) {
  int rank = 0;
  char host[LPOT_HOST_SIZE] = "";
  put_worker(run, evaluation, &rank, host);
  LPOT_TRY(lpot_run_record_held_out(run, evaluation, host, rank, err));
  return LPOT_OK;
}

static lpot_status record(lpot_run *run, const lpot_evaluation *evaluation, lpot_error *err) {
  lpot_ledger_result result;
  LPOT_TRY(lpot_judge_evaluation(run->job, evaluation, &result, err));
  bool pruned = result.status == LPOT_TRIAL_PRUNED;
  if (lpot_ledger_find_result(run->ledger, evaluation->hash, pruned) != SIZE_MAX) {
    return LPOT_OK; /* The first answer for a recipe stands. */
  }
  put_worker(run, evaluation, &result.rank, result.host);
  LPOT_TRY(lpot_ledger_add_result(run->ledger, run->journal, &result, err));
  return LPOT_OK;
}

static void remove_wanted(lpot_run *run, size_t index) {
  lpot_evaluation_free(run->wanted[index].evaluation);
  for (size_t i = index; i + 1 < run->num_wanted; i++) {
    run->wanted[i] = run->wanted[i + 1];
  }
  run->num_wanted--;
}

static size_t find_number(const lpot_run *run, uint64_t number) {
  size_t index = 0;
  while (index < run->num_wanted && run->wanted[index].number != number) {
    index++;
  }
  return index < run->num_wanted ? index : SIZE_MAX;
}

/* Blocks that are sensed are others. */
static void note_speed(lpot_run *run, const lpot_assignment *assignment,
                       const lpot_outcome *outcome) {
  if (outcome->num_states > 0 && !assignment->senses) {
    lpot_block_speed_note(&run->block_speed, outcome->seconds, outcome->num_states);
  }
}

lpot_evaluation *lpot_run_find(const lpot_run *run, uint64_t number) {
  size_t index = find_number(run, number);
  return index == SIZE_MAX ? NULL : run->wanted[index].evaluation;
}

lpot_status lpot_run_settle(lpot_run *run, uint64_t number, lpot_error *err) {
  size_t index = find_number(run, number);
  const lpot_evaluation *evaluation = run->wanted[index].evaluation;
  if (evaluation->recipe == NULL && !evaluation->held_out) {
    return LPOT_OK;
  }
  if (evaluation->senses) {
    LPOT_TRY(record_sense(run, evaluation, err));
  } else if (evaluation->held_out) {
    LPOT_TRY(record_held_out(run, evaluation, err));
  } else {
    LPOT_TRY(record(run, evaluation, err));
  }
  LPOT_TRY(stop_workers(run, &run->wanted[index], err));
  remove_wanted(run, index);
  return LPOT_OK;
}

/* Whether the blocks are some of those that were asked for. An answer without any would have the
 * same ones dealt for ever. */
static lpot_status check_blocks(const lpot_assignment *assignment, const lpot_outcome *outcome,
                                lpot_error *err) {
  int64_t count = (int64_t)outcome->num_states;
  bool empty = count == 0 && outcome->status == LPOT_OK;
  bool elsewhere = count > 0 && outcome->first != assignment->first;
  if (empty || elsewhere || count > assignment->count) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "answer has blocks %" PRId64 " + %" PRId64 ", not %" PRId64 " + %" PRId64,
                     outcome->first, count, assignment->first, assignment->count);
  }
  return LPOT_OK;
}

/* Nonsense is as good as no answer: the memory that it comes from may be damaged. */
static lpot_status refuse_blocks(lpot_run *run, size_t worker, const lpot_error *why,
                                 lpot_error *err) {
  const lpot_hello *hello = lpot_crew_hello(run->crew, worker);
  lpot_outcome none = {.status = LPOT_CRASHED};
  lpot_text_copy(none.cause, sizeof none.cause, why->message);
  lpot_log(LPOT_LOG_WARNING, "rank %d on %s: %s", hello->rank, hello->host, why->message);
  LPOT_TRY(lpot_run_take_crash(run, worker, &none, err));
  return LPOT_OK;
}

/* *ret_evaluation is what the blocks were added to, NULL where nobody wants them any more. */
static lpot_status add_blocks(lpot_run *run, size_t worker, lpot_outcome *outcome,
                              lpot_evaluation **ret_evaluation, lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  LPOT_TRY(check_blocks(assignment, outcome, err));
  note_speed(run, assignment, outcome);
  lpot_evaluation *evaluation = lpot_run_find(run, assignment->evaluation);
  bool wanted = evaluation != NULL && evaluation->ending == LPOT_ENDING_OPEN;
  if (wanted) {
    LPOT_TRY(lpot_evaluation_add(evaluation, worker, outcome, err));
  }
  *ret_evaluation = wanted ? evaluation : NULL;
  return LPOT_OK;
}

lpot_status lpot_run_add_blocks(lpot_run *run, size_t worker, lpot_outcome *outcome,
                                lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  lpot_evaluation *evaluation = NULL;
  lpot_error why = {0};
  lpot_status status = add_blocks(run, worker, outcome, &evaluation, &why);
  if (status != LPOT_OK) {
    LPOT_TRY(refuse_blocks(run, worker, &why, err));
    return LPOT_OK;
  }
  if (evaluation == NULL) {
    return LPOT_OK;
  }
  if (!assignment->overdue) {
    lpot_evaluation_return(evaluation, assignment->first, assignment->count);
  }
  if (evaluation->recipe == NULL || evaluation->held_out) {
    lpot_progress_step((long)evaluation->prefix, NULL);
  }
  if (evaluation->ending != LPOT_ENDING_OPEN) {
    LPOT_TRY(lpot_run_settle(run, assignment->evaluation, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_evaluate(lpot_run *run, const lpot_want *want, lpot_error *err) {
  LPOT_TRY(lpot_run_want(run, want, 1, err));
  while (run->num_wanted > 0 && run->wanted[0].evaluation->ending == LPOT_ENDING_OPEN) {
    LPOT_TRY(lpot_run_deal(run, err));
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}
