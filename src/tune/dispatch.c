/* Which worker gets which blocks.
 *
 * Where there are many evaluations each worker takes one and stays with it; where there are few,
 * several workers share one. A piece is a fair share of all blocks that nobody has, but neither so
 * small that handing it out costs more than computing it, nor so large that an urgent demand has to
 * wait long. Pieces have no influence on results: see evaluation.h. */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/judge.h"
#include "tune/progress.h"
#include "tune/run.h"

#define SHORTEST_PIECE_SECONDS 0.1
#define LONGEST_PIECE_SECONDS 2.0
#define SHARES 2 /* pieces that each worker gets of what is left, about */

/* ---- what is wanted ---- */

static size_t find_wanted(const lpot_run *run, uint64_t hash, bool raced) {
  for (size_t i = 0; i < run->num_wanted; i++) {
    const lpot_evaluation *evaluation = run->wanted[i].evaluation;
    if (evaluation != NULL && evaluation->hash == hash && evaluation->raced == raced) {
      return i;
    }
  }
  return SIZE_MAX;
}

/* Tells the workers that are busy with an evaluation to stop. */
static lpot_status stop_workers(lpot_run *run, uint64_t number, lpot_error *err) {
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    const lpot_assignment *assignment = &run->assignments[i];
    if (lpot_crew_is_busy(run->crew, i) && assignment->kind == LPOT_TASK_EVALUATE &&
        assignment->evaluation == number) {
      LPOT_TRY(lpot_run_cancel(run, i, err));
    }
  }
  return LPOT_OK;
}

static lpot_status begin(lpot_run *run, const lpot_want *want, lpot_wanted *ret, lpot_error *err) {
  LPOT_TRY(lpot_evaluation_new(want->recipe, &run->job->blocks, &ret->evaluation, err));
  if (want->raced) {
    lpot_evaluation_race(ret->evaluation, &run->terms, run->ledger->baseline.correct);
  }
  run->last_number++;
  ret->number = run->last_number;
  return LPOT_OK;
}

static lpot_status fill_wanted(lpot_run *run, const lpot_want *wants, size_t count,
                               lpot_wanted *list, lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    uint64_t hash = wants[i].recipe == NULL ? 0 : lpot_recipe_hash(wants[i].recipe);
    size_t old = find_wanted(run, hash, wants[i].raced);
    if (old != SIZE_MAX) {
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
  lpot_wanted *list = lpot_calloc(count + 1, sizeof *list);
  if (list == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_wanted(run, wants, count, list, err);
  for (size_t i = 0; i < run->num_wanted && status == LPOT_OK; i++) {
    if (run->wanted[i].evaluation != NULL) {
      status = stop_workers(run, run->wanted[i].number, err);
    }
  }
  free_list(run->wanted, run->num_wanted);
  run->wanted = list;
  run->num_wanted = count;
  return status;
}

bool lpot_run_is_first(const lpot_run *run, uint64_t recipe_hash, bool raced) {
  return run->num_wanted > 0 && find_wanted(run, recipe_hash, raced) == 0;
}

/* ---- dealing ---- */

/* Where a worker is needed most; SIZE_MAX: nowhere. */
static size_t choose(const lpot_run *run, size_t worker) {
  uint64_t compiled = run->assignments[worker].recipe_hash;
  bool others = lpot_crew_num_left(run->crew) > 1;
  size_t same = SIZE_MAX;
  size_t alone = SIZE_MAX;
  size_t any = SIZE_MAX;
  for (size_t i = run->num_wanted; i > 0; i--) {
    const lpot_evaluation *evaluation = run->wanted[i - 1].evaluation;
    bool avoided = others && evaluation->avoid == worker;
    if (avoided || lpot_evaluation_num_free(evaluation) == 0) {
      continue;
    }
    any = i - 1;
    alone = evaluation->dealt == 0 ? i - 1 : alone;
    same = evaluation->hash == compiled ? i - 1 : same;
  }
  if (alone == 0) {
    return alone; /* The demand itself comes first. */
  }
  if (same != SIZE_MAX) {
    return same;
  }
  return alone != SIZE_MAX ? alone : any;
}

static int64_t piece_size(const lpot_run *run) {
  int64_t left = 0;
  for (size_t i = 0; i < run->num_wanted; i++) {
    left += lpot_evaluation_num_free(run->wanted[i].evaluation);
  }
  double workers = (double)lpot_crew_num_left(run->crew);
  double size = workers <= 1 ? (double)left : (double)left / (SHARES * workers);
  if (run->block_seconds > 0) {
    size = fmax(size, SHORTEST_PIECE_SECONDS / run->block_seconds);
    size = fmin(size, LONGEST_PIECE_SECONDS / run->block_seconds);
  }
  return size < 1 ? 1 : (int64_t)fmin(size, 1e9);
}

static lpot_status deal_to(lpot_run *run, size_t worker, size_t index, lpot_error *err) {
  lpot_wanted *wanted = &run->wanted[index];
  lpot_task task;
  lpot_task_init(&task);
  lpot_status status = lpot_evaluation_deal(wanted->evaluation, piece_size(run), &task, err);
  if (status == LPOT_OK) {
    lpot_assignment *assignment = &run->assignments[worker];
    status = lpot_run_assign(run, worker, &task, err);
    assignment->evaluation = wanted->number;
    assignment->recipe_hash = wanted->evaluation->hash;
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
  for (size_t worker = 0; worker < lpot_crew_size(run->crew); worker++) {
    if (!lpot_crew_is_idle(run->crew, worker) || is_hushed(run, worker)) {
      continue;
    }
    size_t index = choose(run, worker);
    if (index != SIZE_MAX) {
      LPOT_TRY(deal_to(run, worker, index, err));
    }
  }
  return LPOT_OK;
}

/* ---- taking ---- */

static lpot_status record(lpot_run *run, const lpot_evaluation *evaluation, lpot_error *err) {
  lpot_ledger_result result;
  lpot_judge_evaluation(run->job, evaluation, &result);
  bool pruned = result.status == LPOT_TRIAL_PRUNED;
  if (lpot_ledger_find_result(run->ledger, evaluation->hash, pruned) != SIZE_MAX) {
    return LPOT_OK; /* The first answer for a recipe stands. */
  }
  if (evaluation->first_worker != SIZE_MAX) {
    const lpot_hello *hello = lpot_crew_hello(run->crew, evaluation->first_worker);
    result.rank = hello->rank;
    lpot_text_copy(result.host, sizeof result.host, hello->host);
  }
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

static void note_speed(lpot_run *run, const lpot_outcome *outcome) {
  if (outcome->num_states > 0) {
    run->block_seconds = outcome->seconds / (double)outcome->num_states;
  }
}

lpot_evaluation *lpot_run_find(const lpot_run *run, uint64_t number) {
  size_t index = find_number(run, number);
  return index == SIZE_MAX ? NULL : run->wanted[index].evaluation;
}

lpot_status lpot_run_settle(lpot_run *run, uint64_t number, lpot_error *err) {
  size_t index = find_number(run, number);
  const lpot_evaluation *evaluation = run->wanted[index].evaluation;
  if (evaluation->recipe == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(record(run, evaluation, err));
  LPOT_TRY(stop_workers(run, number, err));
  remove_wanted(run, index);
  return LPOT_OK;
}

lpot_status lpot_run_add_blocks(lpot_run *run, size_t worker, const lpot_outcome *outcome,
                                lpot_error *err) {
  const lpot_assignment *assignment = &run->assignments[worker];
  note_speed(run, outcome);
  lpot_evaluation *evaluation = lpot_run_find(run, assignment->evaluation);
  if (evaluation == NULL || evaluation->ending != LPOT_ENDING_OPEN) {
    return LPOT_OK; /* Nobody wants it any more. */
  }
  LPOT_TRY(lpot_evaluation_add(evaluation, worker, outcome, err));
  if (!assignment->overdue) {
    lpot_evaluation_return(evaluation, assignment->first, assignment->count);
  }
  if (evaluation->recipe == NULL) {
    lpot_progress_step((long)evaluation->prefix, NULL);
  }
  if (evaluation->ending != LPOT_ENDING_OPEN) {
    LPOT_TRY(lpot_run_settle(run, assignment->evaluation, err));
  }
  return LPOT_OK;
}

lpot_status lpot_run_evaluate(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  const lpot_want want = {.recipe = recipe};
  LPOT_TRY(lpot_run_want(run, &want, 1, err));
  while (run->num_wanted > 0 && run->wanted[0].evaluation->ending == LPOT_ENDING_OPEN) {
    LPOT_TRY(lpot_run_deal(run, err));
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}
