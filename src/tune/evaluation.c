#include "tune/evaluation.h"

#include <string.h>

#include "base/bits.h"
#include "base/memory.h"
#include "base/text.h"

#define RECIPE_RETRIES 1u /* attempts beyond the first, for a recipe */
#define OTHER_RETRIES 2u  /* and for f32 */
#define MAX_LOSSES 8u

/* What a block is. */
enum { FREE, DEALT, DONE };

static int64_t min_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* The first sample of block number `block`; the number of samples for num_blocks. */
static int64_t start_of(const lpot_blocks *blocks, int64_t block) {
  return min_of(block * blocks->block_samples, blocks->num_samples);
}

lpot_status lpot_evaluation_new(const lpot_recipe *recipe, const lpot_blocks *blocks,
                                lpot_evaluation **ret_evaluation, lpot_error *err) {
  lpot_evaluation *evaluation = lpot_calloc(1, sizeof *evaluation);
  if (evaluation == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = (size_t)blocks->num_blocks;
  evaluation->blocks = *blocks;
  evaluation->failed_block = blocks->num_blocks;
  evaluation->num_free = blocks->num_blocks;
  evaluation->first_worker = SIZE_MAX;
  evaluation->avoid = SIZE_MAX;
  evaluation->places = lpot_calloc(count, sizeof *evaluation->places);
  evaluation->states = lpot_calloc(count, sizeof *evaluation->states);
  evaluation->correct = lpot_calloc(lpot_bits_size((size_t)blocks->num_samples) + 1, 1);
  lpot_status status = LPOT_OK;
  if (evaluation->places == NULL || evaluation->states == NULL || evaluation->correct == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  if (status == LPOT_OK && recipe != NULL) {
    evaluation->hash = lpot_recipe_hash(recipe);
    status = lpot_recipe_clone(recipe, &evaluation->recipe, err);
  }
  if (status != LPOT_OK) {
    lpot_evaluation_free(evaluation);
    return status;
  }
  *ret_evaluation = evaluation;
  return LPOT_OK;
}

void lpot_evaluation_free(lpot_evaluation *evaluation) {
  if (evaluation == NULL) {
    return;
  }
  lpot_recipe_free(evaluation->recipe);
  for (int64_t i = 0; evaluation->states != NULL && i < evaluation->blocks.num_blocks; i++) {
    lpot_metric_state_done(&evaluation->states[i]);
  }
  lpot_free(evaluation->places);
  lpot_free(evaluation->states);
  lpot_free(evaluation->correct);
  lpot_free(evaluation);
}

void lpot_evaluation_race(lpot_evaluation *evaluation, const lpot_race_terms *terms,
                          const uint8_t *baseline) {
  evaluation->raced = true;
  evaluation->terms = *terms;
  evaluation->baseline = baseline;
  lpot_race_init(&evaluation->race);
}

/* ---- dealing ---- */

int64_t lpot_evaluation_num_free(const lpot_evaluation *evaluation) {
  return evaluation->ending == LPOT_ENDING_OPEN ? evaluation->num_free : 0;
}

/* Notes what block becomes. What lies behind one that fails is not needed any more. */
static void set_place(lpot_evaluation *evaluation, int64_t block, uint8_t place) {
  if (block < evaluation->failed_block) {
    evaluation->num_free -= evaluation->places[block] == FREE ? 1 : 0;
    evaluation->num_free += place == FREE ? 1 : 0;
  }
  evaluation->places[block] = place;
}

static void set_failed_block(lpot_evaluation *evaluation, int64_t block) {
  for (int64_t i = block; i < evaluation->failed_block; i++) {
    evaluation->num_free -= evaluation->places[i] == FREE ? 1 : 0;
  }
  evaluation->failed_block = block;
}

/* Gives the task what it needs to see by itself that the race is lost. */
static lpot_status add_race(const lpot_evaluation *evaluation, lpot_task *task, lpot_error *err) {
  int64_t start = start_of(&evaluation->blocks, task->first);
  int64_t end = start_of(&evaluation->blocks, task->first + task->count);
  task->num_bits = (size_t)(end - start);
  task->baseline = lpot_calloc(lpot_bits_size(task->num_bits) + 1, 1);
  if (task->baseline == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_bits_copy(task->baseline, 0, evaluation->baseline, (size_t)start, task->num_bits);
  task->raced = true;
  task->terms = evaluation->terms;
  task->race = evaluation->race;
  return LPOT_OK;
}

lpot_status lpot_evaluation_deal(lpot_evaluation *evaluation, int64_t max_count, lpot_task *task,
                                 lpot_error *err) {
  int64_t first = evaluation->prefix;
  while (first < evaluation->failed_block && evaluation->places[first] != FREE) {
    first++;
  }
  int64_t end = first;
  while (end < evaluation->failed_block && end - first < max_count &&
         evaluation->places[end] == FREE) {
    end++;
  }
  *task = (lpot_task){.kind = LPOT_TASK_EVALUATE,
                      .first = first,
                      .count = end - first,
                      .recipe = evaluation->recipe,
                      .senses = evaluation->senses,
                      .held_out = evaluation->held_out};
  if (evaluation->raced && first == evaluation->prefix && task->count > 0) {
    LPOT_TRY(add_race(evaluation, task, err));
  }
  for (int64_t i = first; i < end; i++) {
    set_place(evaluation, i, DEALT);
  }
  evaluation->dealt += task->count > 0 ? 1 : 0;
  return LPOT_OK;
}

void lpot_evaluation_return(lpot_evaluation *evaluation, int64_t first, int64_t count) {
  for (int64_t i = first; i < first + count && i < evaluation->blocks.num_blocks; i++) {
    if (evaluation->places[i] == DEALT) {
      set_place(evaluation, i, FREE);
    }
  }
  evaluation->dealt -= evaluation->dealt > 0 ? 1 : 0;
}

/* ---- taking ---- */

void lpot_evaluation_blame(lpot_evaluation *evaluation, size_t worker, lpot_breakage breakage,
                           const char *cause) {
  bool loss = breakage == LPOT_BREAKAGE_LOSS;
  evaluation->losses += loss ? 1 : 0;
  evaluation->attempts += loss ? 0 : 1;
  evaluation->breakage = breakage;
  evaluation->avoid = worker;
  lpot_text_copy(evaluation->cause, sizeof evaluation->cause, cause);
  unsigned allowed = evaluation->recipe != NULL ? RECIPE_RETRIES : OTHER_RETRIES;
  if (evaluation->ending == LPOT_ENDING_OPEN &&
      (evaluation->attempts > allowed || evaluation->losses > MAX_LOSSES)) {
    evaluation->ending = LPOT_ENDING_BROKEN;
  }
}

/* Moves over the blocks that have come, and ends where they end the evaluation. */
static void advance(lpot_evaluation *evaluation) {
  const lpot_blocks *blocks = &evaluation->blocks;
  bool judged = evaluation->raced || evaluation->recipe != NULL;
  while (evaluation->ending == LPOT_ENDING_OPEN && evaluation->prefix < blocks->num_blocks) {
    int64_t block = evaluation->prefix;
    if (block == evaluation->failed_block) {
      evaluation->ending = LPOT_ENDING_FAILED;
      return;
    }
    if (evaluation->places[block] != DONE) {
      return;
    }
    evaluation->prefix++;
    if (judged && evaluation->states[block].bad > 0) {
      evaluation->ending = LPOT_ENDING_BAD;
      return;
    }
    if (!evaluation->raced) {
      continue;
    }
    int64_t start = start_of(blocks, block);
    lpot_race_add(&evaluation->race, &evaluation->terms, evaluation->baseline, evaluation->correct,
                  start, start_of(blocks, block + 1) - start);
    if (evaluation->prefix < blocks->num_blocks &&
        lpot_race_is_lost(&evaluation->race, &evaluation->terms)) {
      evaluation->ending = LPOT_ENDING_LOST;
    }
  }
  if (evaluation->ending == LPOT_ENDING_OPEN) {
    evaluation->ending = LPOT_ENDING_WHOLE;
  }
}

static lpot_status check_outcome(const lpot_evaluation *evaluation, const lpot_outcome *outcome,
                                 lpot_error *err) {
  const lpot_blocks *blocks = &evaluation->blocks;
  int64_t count = (int64_t)outcome->num_states;
  if (outcome->first < 0 || outcome->first > blocks->num_blocks ||
      count > blocks->num_blocks - outcome->first) {
    return LPOT_FAIL(err, LPOT_FORMAT, "answer has blocks %lld + %lld of %lld",
                     (long long)outcome->first, (long long)count, (long long)blocks->num_blocks);
  }
  int64_t origin = start_of(blocks, outcome->first);
  for (int64_t i = 0; i < count; i++) {
    int64_t block = outcome->first + i;
    int64_t samples = start_of(blocks, block + 1) - start_of(blocks, block);
    if (outcome->states[i].samples != (uint64_t)samples) {
      return LPOT_FAIL(err, LPOT_FORMAT, "answer has %llu samples for block %lld of %lld",
                       (unsigned long long)outcome->states[i].samples, (long long)block,
                       (long long)samples);
    }
  }
  int64_t samples = start_of(blocks, outcome->first + count) - origin;
  if ((outcome->num_bits != 0 || evaluation->raced) && outcome->num_bits != (size_t)samples) {
    return LPOT_FAIL(err, LPOT_FORMAT, "answer has %zu bits for %lld samples", outcome->num_bits,
                     (long long)samples);
  }
  return LPOT_OK;
}

static void take_blocks(lpot_evaluation *evaluation, size_t worker, lpot_outcome *outcome) {
  const lpot_blocks *blocks = &evaluation->blocks;
  int64_t origin = start_of(blocks, outcome->first);
  for (int64_t i = 0; i < (int64_t)outcome->num_states; i++) {
    int64_t block = outcome->first + i;
    if (evaluation->places[block] == DONE) {
      continue;
    }
    int64_t start = start_of(blocks, block);
    set_place(evaluation, block, DONE);
    evaluation->states[block] = outcome->states[i];
    lpot_metric_state_init(&outcome->states[i]);
    if (outcome->num_bits > 0) {
      lpot_bits_copy(evaluation->correct, (size_t)start, outcome->correct, (size_t)(start - origin),
                     (size_t)(start_of(blocks, block + 1) - start));
      evaluation->has_correct = true;
    }
    if (block == 0) {
      evaluation->first_worker = worker;
    }
  }
}

lpot_status lpot_evaluation_add(lpot_evaluation *evaluation, size_t worker, lpot_outcome *outcome,
                                lpot_error *err) {
  LPOT_TRY(check_outcome(evaluation, outcome, err));
  take_blocks(evaluation, worker, outcome);
  evaluation->seconds += outcome->seconds;
  int64_t next = outcome->first + (int64_t)outcome->num_states;
  bool failed = outcome->status != LPOT_OK && outcome->status != LPOT_INTERRUPTED;
  if (failed && next < evaluation->failed_block) {
    set_failed_block(evaluation, next);
    lpot_text_copy(evaluation->cause, sizeof evaluation->cause, outcome->cause);
  }
  advance(evaluation);
  return LPOT_OK;
}

lpot_status lpot_evaluation_total(const lpot_evaluation *evaluation, const lpot_metric *metric,
                                  lpot_metric_state *ret_total, lpot_error *err) {
  lpot_metric_state total;
  lpot_metric_state_init(&total);
  lpot_status status = LPOT_OK;
  for (int64_t i = 0; i < evaluation->prefix && status == LPOT_OK; i++) {
    status = lpot_metric_state_merge(metric, &total, &evaluation->states[i], err);
  }
  if (status != LPOT_OK) {
    lpot_metric_state_done(&total);
    return status;
  }
  *ret_total = total;
  return LPOT_OK;
}

int64_t lpot_evaluation_num_good(const lpot_evaluation *evaluation) {
  bool bad = evaluation->ending == LPOT_ENDING_BAD;
  return start_of(&evaluation->blocks, evaluation->prefix - (bad ? 1 : 0));
}

void lpot_race_replay(const lpot_blocks *blocks, const lpot_race_terms *terms,
                      const uint8_t *baseline, const uint8_t *correct, size_t num_bits,
                      int64_t *ret_blocks, lpot_race *ret_race) {
  lpot_race_init(ret_race);
  *ret_blocks = blocks->num_blocks + 1;
  for (int64_t block = 0; block + 1 < blocks->num_blocks; block++) {
    int64_t start = start_of(blocks, block);
    int64_t end = start_of(blocks, block + 1);
    if (end > (int64_t)num_bits) {
      return;
    }
    lpot_race_add(ret_race, terms, baseline, correct, start, end - start);
    if (lpot_race_is_lost(ret_race, terms)) {
      *ret_blocks = block + 1;
      return;
    }
  }
}
