/* Strategy mse_v2 (Intel Neural Compressor 2): ops fall back by what that does to the network's
 * outputs, which is looked at again after every step.
 *
 * 1. UNIFORM. The first NUM_UNIFORM uniform recipes (basic_uniform.h) for each variant (space.h)
 *    of the first sampling size. The most accurate is the start; where one meets the criterion that
 * is the end.
 * 2. FALLBACK. Of all ops that are int8 and may fall back that is taken to F32 which leaves the
 *    smallest error of the outputs (SENSE: no labels, few samples), until the criterion is met or
 * no op is left.
 * 3. REVERT. Of the ops that fell back that is made int8 again which leaves the smallest error, as
 *    long as the criterion is met, more than one op is F32 and the recipe is new.
 * Of equal errors the last op's counts; what cannot be sensed counts as infinite. The search does
 * not end at the first recipe that meets the criterion: later ones have more in int8. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "strategy/basic_uniform.h"
#include "strategy/strategy_impl.h"

#define NUM_UNIFORM 2

typedef struct mse_v2 {
  lpot_strategy base;
  lpot_recipe *uniform[LPOT_MAX_UNIFORM]; /* owned */
  size_t num_uniform;
  double best_score;
  lpot_recipe *start;   /* owned; the best of UNIFORM, NULL during it */
  lpot_recipe *current; /* owned; what is changed by one op */
  lpot_stage stage;     /* UNIFORM, FALLBACK or REVERT; NUM_STAGES at the end */
  size_t position;      /* UNIFORM: the trial; else the candidate to sense, num_candidates: the
                           chosen one is on trial */
  size_t num_candidates;
  size_t *candidates; /* [number of ops], owned: ops that may be changed now, the last one first */
  size_t chosen;      /* of the candidates sensed so far */
  double least;       /* its error */
  lpot_hash_map *tried; /* owned; score book without scores */
} mse_v2;

/* ---- recipes ---- */

static size_t num_trials_of_uniform(const mse_v2 *self) {
  return self->num_uniform * lpot_space_num_corrections(self->base.space);
}

/* Trial number position of UNIFORM. */
static lpot_status build_uniform(const mse_v2 *self, size_t position, lpot_recipe **ret_recipe,
                                 lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->uniform[position % self->num_uniform], ret_recipe, err));
  lpot_strategy_set_variant(self->base.space, position / self->num_uniform, *ret_recipe);
  return LPOT_OK;
}

static bool is_candidate(const mse_v2 *self, const lpot_recipe *recipe, size_t op, bool reverts) {
  const lpot_space_op *entry = lpot_space_get(self->base.space, op);
  bool was_quantized = lpot_op_config_is_quantized(&self->start->ops[op]);
  bool is_quantized = lpot_op_config_is_quantized(&recipe->ops[op]);
  return entry->may_fall_back && was_quantized && is_quantized != reverts;
}

/* current with one op changed. */
static lpot_status build(const mse_v2 *self, const lpot_recipe *current, bool reverts, size_t op,
                         lpot_recipe **ret_recipe, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(current, ret_recipe, err));
  (*ret_recipe)->ops[op] =
      reverts ? self->start->ops[op] : lpot_space_get(self->base.space, op)->fallback;
  return LPOT_OK;
}

/* candidates [number of ops]; returns how many there are. */
static size_t list_candidates(const mse_v2 *self, const lpot_recipe *recipe, bool reverts,
                              size_t *candidates) {
  size_t count = 0;
  for (size_t i = recipe->num_ops; i > 0; i--) {
    if (is_candidate(self, recipe, i - 1, reverts)) {
      candidates[count++] = i - 1;
    }
  }
  return count;
}

/* ---- the walk ---- */

static void begin_round(mse_v2 *self, lpot_stage stage) {
  bool reverts = stage == LPOT_STAGE_REVERT;
  self->num_candidates = list_candidates(self, self->current, reverts, self->candidates);
  self->position = 0;
  self->chosen = 0;
  self->least = (double)INFINITY;
  bool goes_on = self->num_candidates > (reverts ? 1 : 0);
  self->stage = goes_on ? stage : LPOT_NUM_STAGES;
}

static lpot_status end_uniform(mse_v2 *self, bool meets, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, &self->current, err));
  begin_round(self, LPOT_STAGE_FALLBACK);
  if (meets) {
    self->stage = LPOT_NUM_STAGES;
  }
  return LPOT_OK;
}

static lpot_status tell_uniform(mse_v2 *self, const lpot_result *result, lpot_error *err) {
  double score = lpot_strategy_score(&self->base, result);
  bool meets = result->valid && result->meets;
  if (self->start == NULL || score > self->best_score || meets) {
    lpot_recipe *start = NULL;
    LPOT_TRY(build_uniform(self, self->position, &start, err));
    lpot_recipe_free(self->start);
    self->start = start;
    self->best_score = score;
  }
  self->position++;
  if (meets || self->position == num_trials_of_uniform(self)) {
    LPOT_TRY(end_uniform(self, meets, err));
  }
  return LPOT_OK;
}

static void tell_error(mse_v2 *self, const lpot_result *result) {
  double error = result->valid && !isnan(result->error) ? result->error : (double)INFINITY;
  if (error < self->least) {
    self->least = error;
    self->chosen = self->position;
  }
  self->position++;
}

/* Takes the answer to the chosen candidate's trial. */
static lpot_status tell_step(mse_v2 *self, const lpot_result *result, lpot_error *err) {
  bool reverts = self->stage == LPOT_STAGE_REVERT;
  bool meets = result->valid && result->meets;
  if (reverts && !meets) {
    self->stage = LPOT_NUM_STAGES;
    return LPOT_OK;
  }
  lpot_recipe *next = NULL;
  LPOT_TRY(build(self, self->current, reverts, self->candidates[self->chosen], &next, err));
  lpot_recipe_free(self->current);
  self->current = next;
  begin_round(self, meets ? LPOT_STAGE_REVERT : LPOT_STAGE_FALLBACK);
  return LPOT_OK;
}

/* ---- the class ---- */

static lpot_status mse_v2_init(lpot_strategy *strategy, lpot_error *err) {
  mse_v2 *self = (mse_v2 *)strategy;
  self->stage = LPOT_STAGE_UNIFORM;
  self->candidates = lpot_calloc(lpot_space_num_ops(strategy->space) + 1, sizeof *self->candidates);
  if (self->candidates == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_hash_map_new(&self->tried, err));
  size_t count = 0;
  LPOT_TRY(lpot_basic_uniform(strategy->space, self->uniform, &count, err));
  self->num_uniform = count < NUM_UNIFORM ? count : NUM_UNIFORM;
  return LPOT_OK;
}

static void mse_v2_done(lpot_strategy *strategy) {
  mse_v2 *self = (mse_v2 *)strategy;
  for (size_t i = 0; i < LPOT_MAX_UNIFORM; i++) {
    lpot_recipe_free(self->uniform[i]);
  }
  lpot_recipe_free(self->start);
  lpot_recipe_free(self->current);
  lpot_free(self->candidates);
  lpot_hash_map_free(self->tried);
}

/* The demand of a round: to sense a candidate, or to try the chosen one. */
static lpot_status next_step(mse_v2 *self, lpot_demand *demand, lpot_error *err) {
  bool reverts = self->stage == LPOT_STAGE_REVERT;
  bool sensing = self->position < self->num_candidates;
  size_t candidate = sensing ? self->position : self->chosen;
  LPOT_TRY(build(self, self->current, reverts, self->candidates[candidate], &demand->recipe, err));
  demand->stage = sensing ? LPOT_STAGE_SENSE : self->stage;
  demand->purpose = sensing ? LPOT_SENSE : LPOT_DECIDE;
  return LPOT_OK;
}

/* True where a reverted recipe was tried on the way down: it missed the criterion. */
static bool is_known(const mse_v2 *self, const lpot_demand *demand) {
  double unused = 0;
  return demand->stage == LPOT_STAGE_REVERT &&
         lpot_score_book_get(self->tried, lpot_recipe_hash(demand->recipe), &unused);
}

static lpot_status fill_demand(mse_v2 *self, lpot_demand *demand, lpot_error *err) {
  if (self->stage != LPOT_STAGE_UNIFORM) {
    LPOT_TRY(next_step(self, demand, err));
    return LPOT_OK;
  }
  LPOT_TRY(build_uniform(self, self->position, &demand->recipe, err));
  demand->stage = LPOT_STAGE_UNIFORM;
  demand->purpose = LPOT_RANK;
  return LPOT_OK;
}

static lpot_status mse_v2_next(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err) {
  mse_v2 *self = (mse_v2 *)strategy;
  if (self->stage == LPOT_NUM_STAGES) {
    return LPOT_OK;
  }
  lpot_demand demand = {0};
  LPOT_TRY(fill_demand(self, &demand, err));
  lpot_status status = LPOT_OK;
  if (is_known(self, &demand)) {
    self->stage = LPOT_NUM_STAGES;
  } else if (demand.purpose != LPOT_SENSE) {
    status = lpot_score_book_put(self->tried, lpot_recipe_hash(demand.recipe), 0, err);
  }
  if (status != LPOT_OK || self->stage == LPOT_NUM_STAGES) {
    lpot_recipe_free(demand.recipe);
    return status;
  }
  *ret_demand = demand;
  return LPOT_OK;
}

static lpot_status mse_v2_tell(lpot_strategy *strategy, const lpot_result *result,
                               lpot_error *err) {
  mse_v2 *self = (mse_v2 *)strategy;
  if (self->stage == LPOT_STAGE_UNIFORM) {
    LPOT_TRY(tell_uniform(self, result, err));
  } else if (strategy->pending_purpose == LPOT_SENSE) {
    tell_error(self, result);
  } else {
    LPOT_TRY(tell_step(self, result, err));
  }
  return LPOT_OK;
}

/* ---- hints ---- */

/* Takes the recipe. */
static void add_hint(const mse_v2 *self, lpot_recipe *recipe, lpot_purpose purpose,
                     lpot_hint_list *list) {
  bool pending = self->base.waiting && purpose == self->base.pending_purpose &&
                 lpot_recipe_hash(recipe) == self->base.pending;
  if (pending) {
    lpot_recipe_free(recipe);
    return;
  }
  lpot_hint_list_add(list, &recipe, purpose);
}

/* What is sensed in a round that changes `current`, from a position on. */
static lpot_status hint_round(const mse_v2 *self, const lpot_recipe *current, bool reverts,
                              size_t position, lpot_hint_list *list, lpot_error *err) {
  size_t *candidates = lpot_calloc(current->num_ops + 1, sizeof *candidates);
  if (candidates == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = list_candidates(self, current, reverts, candidates);
  lpot_status status = LPOT_OK;
  for (size_t i = position; i < count && !lpot_hint_list_is_full(list) && status == LPOT_OK; i++) {
    lpot_recipe *recipe = NULL;
    status = build(self, current, reverts, candidates[i], &recipe, err);
    if (status == LPOT_OK) {
      add_hint(self, recipe, LPOT_SENSE, list);
    }
  }
  lpot_free(candidates);
  return status;
}

/* While a candidate is on trial: the next round, as if the stage goes on. */
static lpot_status hint_next_round(const mse_v2 *self, lpot_hint_list *list, lpot_error *err) {
  bool reverts = self->stage == LPOT_STAGE_REVERT;
  lpot_recipe *next = NULL;
  LPOT_TRY(build(self, self->current, reverts, self->candidates[self->chosen], &next, err));
  lpot_status status = hint_round(self, next, reverts, 0, list, err);
  lpot_recipe_free(next);
  return status;
}

static lpot_status hint_uniform(const mse_v2 *self, lpot_hint_list *list, lpot_error *err) {
  size_t count = num_trials_of_uniform(self);
  for (size_t i = self->position; i < count && !lpot_hint_list_is_full(list); i++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(build_uniform(self, i, &recipe, err));
    add_hint(self, recipe, LPOT_RANK, list);
  }
  return LPOT_OK;
}

static lpot_status mse_v2_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                                lpot_error *err) {
  const mse_v2 *self = (const mse_v2 *)strategy;
  if (self->stage == LPOT_STAGE_UNIFORM) {
    LPOT_TRY(hint_uniform(self, list, err));
  } else if (self->stage != LPOT_NUM_STAGES && self->position < self->num_candidates) {
    bool reverts = self->stage == LPOT_STAGE_REVERT;
    LPOT_TRY(hint_round(self, self->current, reverts, self->position, list, err));
  } else if (self->stage != LPOT_NUM_STAGES) {
    LPOT_TRY(hint_next_round(self, list, err));
  }
  return LPOT_OK;
}

const lpot_strategy_class lpot_strategy_class_mse_v2 = {
    .name = "mse_v2",
    .size_bytes = sizeof(mse_v2),
    .init = mse_v2_init,
    .done = mse_v2_done,
    .next = mse_v2_next,
    .tell = mse_v2_tell,
    .hints = mse_v2_hints,
    .goes_on = true,
};
