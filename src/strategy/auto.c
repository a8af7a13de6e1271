/* Strategy auto, the default: few evaluations to a recipe that is as fast as it can be.
 *
 * 1. UNIFORM. The first uniform recipe (basic_uniform.h) of the first variant (space.h) with
 *    thresholds of the least squared error, else the first of all; ops that are not worth int8
 *    (lpot_fallback_fastest) are left in F32 in all of them. Where it misses the criterion
 *    the others are sensed (SENSE: the error of the outputs, few samples, no labels), if there are
 *    many, and those with the least errors are tried. One that meets it is the end. The most
 *    accurate, of equals the one tried first, is the base of what follows.
 * 2. SENSE. The damage of each op that may fall back: the error of the outputs with that op as in
 *    the base and all others in F32, the last op first.
 * 3. FALLBACK. The path on which ops fall back by damage for time (fallback_path.h). Its first
 *    recipe that meets the criterion is searched as if all behind it did: after 1, 2, 4, 8 ...
 * steps, then by bisection (the search of AIMET's mixed precision, arXiv 2302.05397). Idle workers
 *    evaluate what would be tried next in either case, so that with k of them the search is k-ary.
 * 4. REVERT. Each op that fell back, but for the one of the last step, is made int8 again, the one
 *    first that saves most time for its damage, unless it costs time: at most MAX_REVERTS, each on
 *    top of those that met the criterion. MAX_MISSES in a row are the end: what the last step left
 *    of the criterion is used up, and each further miss would take most of a whole evaluation.
 *
 * All trials DECIDE: nothing compares the accuracies of 3 and 4. The search does not end at the
 * first recipe that meets the criterion: later ones have fewer fallbacks. Times come in with
 * lpot_strategy_set_costs before the first demand, or before the path where latency is ignored;
 * without them all ops are tried in int8 and damage alone decides. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "strategy/basic_uniform.h"
#include "strategy/fallback_path.h"
#include "strategy/strategy_impl.h"

#define MAX_UNIFORM 48 /* recipes, of all variants */
#define MAX_UNIFORM_TRIALS 3
#define MAX_REVERTS 8
#define MAX_MISSES 2

typedef enum auto_phase {
  PHASE_UNIFORM,
  PHASE_SENSE_UNIFORM, /* all but the first */
  PHASE_SENSE_OPS,
  PHASE_PATH,
  PHASE_REVERT,
  PHASE_END
} auto_phase;

/* Where the search of the path is: `low` steps miss the criterion, `high` meet it (0: not known).
 */
typedef struct bracket {
  size_t low;
  size_t high;
} bracket;

/* Where PATH and REVERT are: all that the results of their trials change. */
typedef struct progress {
  bracket path;
  size_t revert; /* on trial, index of reverts */
  size_t misses; /* in a row */
  bool kept[MAX_REVERTS];
} progress;

typedef struct auto_strategy {
  lpot_strategy base;
  auto_phase phase;
  size_t position; /* in UNIFORM, SENSE_UNIFORM and SENSE_OPS */

  lpot_recipe *uniform[MAX_UNIFORM]; /* owned; those not tried yet are ordered by error */
  double uniform_errors[MAX_UNIFORM];
  size_t num_uniform;

  lpot_recipe *start; /* owned; the best of UNIFORM so far */
  double start_score;

  size_t num_candidates;
  size_t *candidates; /* owned; ops that may fall back, the last one first */
  double *damage;     /* owned; [ops] */

  bool is_timed; /* times are there, and the uniform recipes made faster by them */
  lpot_time_model times;
  lpot_fallback_step *steps; /* owned; NULL before the path is there */
  size_t num_steps;
  progress at;

  lpot_recipe *found; /* owned; REVERT: what the path came to */
  size_t num_reverts;
  size_t reverts[MAX_REVERTS]; /* ops, in order */
} auto_strategy;

/* ---- recipes ---- */

/* The base with all candidates but one in F32. */
static lpot_status build_alone(const auto_strategy *self, size_t candidate,
                               lpot_recipe **ret_recipe, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, ret_recipe, err));
  for (size_t i = 0; i < self->num_candidates; i++) {
    size_t op = self->candidates[i];
    if (i != candidate) {
      (*ret_recipe)->ops[op] = lpot_space_get(self->base.space, op)->fallback;
    }
  }
  return LPOT_OK;
}

/* The recipe of the path after so many steps. */
static lpot_status build_path(const auto_strategy *self, size_t num_steps, lpot_recipe **ret_recipe,
                              lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, ret_recipe, err));
  for (size_t i = 0; i < num_steps; i++) {
    lpot_fallback_apply(self->base.space, &self->steps[i], *ret_recipe);
  }
  return LPOT_OK;
}

/* What the path came to with those reverts that were kept, and the one on trial. */
static lpot_status build_revert(const auto_strategy *self, const progress *at,
                                lpot_recipe **ret_recipe, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->found, ret_recipe, err));
  for (size_t i = 0; i <= at->revert; i++) {
    if (at->kept[i] || i == at->revert) {
      (*ret_recipe)->ops[self->reverts[i]] = self->start->ops[self->reverts[i]];
    }
  }
  return LPOT_OK;
}

/* ---- the search of the path ---- */

/* How many steps are tried next; 0: the search has ended. */
static size_t next_probe(const auto_strategy *self, const bracket *at) {
  if (at->high == 0) {
    size_t doubled = at->low == 0 ? 1 : 2 * at->low;
    size_t probe = doubled < self->num_steps ? doubled : self->num_steps;
    return probe > at->low ? probe : 0;
  }
  return at->high - at->low > 1 ? at->low + (at->high - at->low) / 2 : 0;
}

static bracket after_probe(const bracket *at, size_t probe, bool meets) {
  bracket next = *at;
  *(meets ? &next.high : &next.low) = probe;
  return next;
}

/* ---- PATH and REVERT, as far as results lead through them ---- */

static bool is_through(const auto_strategy *self, const progress *at) {
  if (self->phase == PHASE_PATH) {
    return next_probe(self, &at->path) == 0;
  }
  return at->revert == self->num_reverts || at->misses == MAX_MISSES;
}

/* at is not through. */
static lpot_status build_trial(const auto_strategy *self, const progress *at,
                               lpot_recipe **ret_recipe, lpot_error *err) {
  return self->phase == PHASE_PATH ? build_path(self, next_probe(self, &at->path), ret_recipe, err)
                                   : build_revert(self, at, ret_recipe, err);
}

/* Behind the trial that build_trial makes. */
static progress after_trial(const auto_strategy *self, const progress *at, bool meets) {
  progress next = *at;
  if (self->phase == PHASE_PATH) {
    next.path = after_probe(&at->path, next_probe(self, &at->path), meets);
    return next;
  }
  next.kept[at->revert] = meets;
  next.misses = meets ? 0 : at->misses + 1;
  next.revert++;
  return next;
}

/* ---- from phase to phase ---- */

/* Time that an op costs where it has fallen back, beyond that of int8. */
static double gain_of(const auto_strategy *self, size_t op) {
  double time = lpot_time_model_estimate(&self->times, self->found);
  lpot_op_config before = self->found->ops[op];
  self->found->ops[op] = self->start->ops[op];
  time -= lpot_time_model_estimate(&self->times, self->found);
  self->found->ops[op] = before;
  return time;
}

/* Puts an op into the order of REVERT, as far as there is room; of equals the last op comes first.
 */
static void add_revert(auto_strategy *self, double worths[MAX_REVERTS], size_t op) {
  double gain = gain_of(self, op);
  if (gain < -lpot_time_model_least(&self->times, self->start)) {
    return;
  }
  double worth = gain / fmax(self->damage[op], DBL_MIN);
  size_t place = self->num_reverts;
  while (place > 0 && worth > worths[place - 1]) {
    place--;
  }
  if (place == MAX_REVERTS) {
    return;
  }
  self->num_reverts += self->num_reverts < MAX_REVERTS ? 1 : 0;
  for (size_t i = self->num_reverts - 1; i > place; i--) {
    self->reverts[i] = self->reverts[i - 1];
    worths[i] = worths[i - 1];
  }
  self->reverts[place] = op;
  worths[place] = worth;
}

static lpot_status begin_revert(auto_strategy *self, lpot_error *err) {
  double worths[MAX_REVERTS];
  LPOT_TRY(build_path(self, self->at.path.high, &self->found, err));
  size_t last = self->steps[self->at.path.high - 1].op;
  for (size_t i = 0; i < self->num_candidates; i++) {
    size_t op = self->candidates[i];
    if (op != last && !lpot_op_config_equal(&self->found->ops[op], &self->start->ops[op])) {
      add_revert(self, worths, op);
    }
  }
  self->phase = self->num_reverts > 0 ? PHASE_REVERT : PHASE_END;
  return LPOT_OK;
}

/* Takes the times, and leaves in F32 what is not worth int8. */
static lpot_status take_times(auto_strategy *self, lpot_error *err) {
  const lpot_space *space = self->base.space;
  const lpot_strategy_options *options = &self->base.options;
  LPOT_TRY(lpot_time_model_init(&self->times, lpot_space_num_ops(space), options->costs,
                                options->links, options->num_links, err));
  self->is_timed = true;
  for (size_t i = 0; i < self->num_uniform && !options->ignores_latency; i++) {
    LPOT_TRY(lpot_fallback_fastest(space, &self->times, self->uniform[i], err));
  }
  return LPOT_OK;
}

static lpot_status begin_path(auto_strategy *self, lpot_error *err) {
  LPOT_TRY(lpot_fallback_path(self->base.space, &self->times, self->start, self->damage,
                              &self->steps, &self->num_steps, err));
  return LPOT_OK;
}

static void begin_sense_ops(auto_strategy *self) {
  self->position = 0;
  self->num_candidates = 0;
  for (size_t i = self->start->num_ops; i > 0; i--) {
    if (lpot_fallback_is_candidate(self->base.space, self->start, i - 1)) {
      self->candidates[self->num_candidates++] = i - 1;
    }
  }
  self->phase = self->num_candidates > 0 ? PHASE_SENSE_OPS : PHASE_END;
}

/* ---- results ---- */

static double error_of(const lpot_result *result) {
  return result->valid && !isnan(result->error) ? result->error : (double)INFINITY;
}

static bool does_meet(const lpot_result *result) {
  return result->valid && result->meets;
}

/* Orders all uniform recipes but the first by their errors; equals stay as they are. */
static void sort_uniform(auto_strategy *self) {
  for (size_t i = 2; i < self->num_uniform; i++) {
    lpot_recipe *recipe = self->uniform[i];
    double error = self->uniform_errors[i];
    size_t place = i;
    for (; place > 1 && self->uniform_errors[place - 1] > error; place--) {
      self->uniform[place] = self->uniform[place - 1];
      self->uniform_errors[place] = self->uniform_errors[place - 1];
    }
    self->uniform[place] = recipe;
    self->uniform_errors[place] = error;
  }
}

static size_t num_uniform_trials(const auto_strategy *self) {
  return self->num_uniform < MAX_UNIFORM_TRIALS ? self->num_uniform : MAX_UNIFORM_TRIALS;
}

static lpot_status tell_uniform(auto_strategy *self, const lpot_result *result, lpot_error *err) {
  double score = lpot_strategy_score(&self->base, result);
  if (self->start == NULL || score > self->start_score) {
    lpot_recipe *start = NULL;
    LPOT_TRY(lpot_recipe_clone(self->uniform[self->position], &start, err));
    lpot_recipe_free(self->start);
    self->start = start;
    self->start_score = score;
  }
  self->position++;
  if (does_meet(result)) {
    self->phase = PHASE_END;
  } else if (self->position == 1 && self->num_uniform > MAX_UNIFORM_TRIALS) {
    self->phase = PHASE_SENSE_UNIFORM;
  } else if (self->position == num_uniform_trials(self)) {
    begin_sense_ops(self);
  }
  return LPOT_OK;
}

static void tell_uniform_error(auto_strategy *self, const lpot_result *result) {
  self->uniform_errors[self->position++] = error_of(result);
  if (self->position == self->num_uniform) {
    sort_uniform(self);
    self->phase = PHASE_UNIFORM;
    self->position = 1;
  }
}

static void tell_damage(auto_strategy *self, const lpot_result *result) {
  self->damage[self->candidates[self->position++]] = error_of(result);
  if (self->position == self->num_candidates) {
    self->phase = PHASE_PATH;
  }
}

static lpot_status tell_trial(auto_strategy *self, const lpot_result *result, lpot_error *err) {
  self->at = after_trial(self, &self->at, does_meet(result));
  if (!is_through(self, &self->at)) {
    return LPOT_OK;
  }
  if (self->phase == PHASE_PATH && self->at.path.high > 0) {
    LPOT_TRY(begin_revert(self, err));
  } else {
    self->phase = PHASE_END;
  }
  return LPOT_OK;
}

/* ---- the class ---- */

static bool has_mse(const lpot_recipe *recipe) {
  for (size_t i = 0; i < recipe->num_ops; i++) {
    if (recipe->ops[i].activation.algorithm == LPOT_MSE) {
      return true;
    }
  }
  return false;
}

/* The first recipe with thresholds of the least squared error changes places with the first of all.
 */
static void put_mse_first(auto_strategy *self) {
  size_t i = 0;
  while (i < self->num_uniform && !has_mse(self->uniform[i])) {
    i++;
  }
  if (i < self->num_uniform) {
    lpot_recipe *first = self->uniform[0];
    self->uniform[0] = self->uniform[i];
    self->uniform[i] = first;
  }
}

/* The uniform recipes of the first variant, and the same of all others. */
static lpot_status list_uniform(auto_strategy *self, lpot_error *err) {
  const lpot_space *space = self->base.space;
  size_t count = 0;
  LPOT_TRY(lpot_basic_uniform(space, self->uniform, &count, err));
  self->num_uniform = count;
  put_mse_first(self);
  for (size_t i = 1; i < lpot_space_num_variants(space); i++) {
    for (size_t k = 0; k < count && self->num_uniform < MAX_UNIFORM; k++) {
      lpot_recipe **next = &self->uniform[self->num_uniform];
      LPOT_TRY(lpot_recipe_clone(self->uniform[k], next, err));
      lpot_strategy_set_variant(space, i, *next);
      self->num_uniform++;
    }
  }
  return LPOT_OK;
}

static lpot_status auto_init(lpot_strategy *strategy, lpot_error *err) {
  auto_strategy *self = (auto_strategy *)strategy;
  size_t num_ops = lpot_space_num_ops(strategy->space);
  self->candidates = lpot_calloc(num_ops + 1, sizeof *self->candidates);
  self->damage = lpot_calloc(num_ops + 1, sizeof *self->damage);
  if (self->candidates == NULL || self->damage == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return list_uniform(self, err);
}

static void auto_done(lpot_strategy *strategy) {
  auto_strategy *self = (auto_strategy *)strategy;
  for (size_t i = 0; i < self->num_uniform; i++) {
    lpot_recipe_free(self->uniform[i]);
  }
  lpot_recipe_free(self->start);
  lpot_recipe_free(self->found);
  lpot_free(self->candidates);
  lpot_free(self->damage);
  lpot_free(self->steps);
  lpot_time_model_done(&self->times);
}

static bool auto_needs_costs(const lpot_strategy *strategy) {
  const auto_strategy *self = (const auto_strategy *)strategy;
  return !self->is_timed && (!strategy->options.ignores_latency || self->phase == PHASE_PATH);
}

/* The demand of the phase; PHASE_END: none. */
static lpot_status build_demand(const auto_strategy *self, lpot_demand *demand, lpot_error *err) {
  demand->purpose = LPOT_DECIDE;
  switch (self->phase) {
  case PHASE_UNIFORM:
    demand->stage = LPOT_STAGE_UNIFORM;
    return lpot_recipe_clone(self->uniform[self->position], &demand->recipe, err);
  case PHASE_SENSE_UNIFORM:
    demand->stage = LPOT_STAGE_SENSE;
    demand->purpose = LPOT_SENSE;
    return lpot_recipe_clone(self->uniform[self->position], &demand->recipe, err);
  case PHASE_SENSE_OPS:
    demand->stage = LPOT_STAGE_SENSE;
    demand->purpose = LPOT_SENSE;
    return build_alone(self, self->position, &demand->recipe, err);
  case PHASE_PATH:
  case PHASE_REVERT:
    demand->stage = self->phase == PHASE_PATH ? LPOT_STAGE_FALLBACK : LPOT_STAGE_REVERT;
    return build_trial(self, &self->at, &demand->recipe, err);
  default:
    return LPOT_OK;
  }
}

static lpot_status auto_next(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err) {
  auto_strategy *self = (auto_strategy *)strategy;
  if (auto_needs_costs(strategy)) {
    LPOT_TRY(take_times(self, err));
  }
  if (self->phase == PHASE_PATH && self->steps == NULL) {
    LPOT_TRY(begin_path(self, err));
  }
  LPOT_TRY(build_demand(self, ret_demand, err));
  return LPOT_OK;
}

static lpot_status auto_tell(lpot_strategy *strategy, const lpot_result *result, lpot_error *err) {
  auto_strategy *self = (auto_strategy *)strategy;
  switch (self->phase) {
  case PHASE_UNIFORM:
    return tell_uniform(self, result, err);
  case PHASE_SENSE_UNIFORM:
    tell_uniform_error(self, result);
    return LPOT_OK;
  case PHASE_SENSE_OPS:
    tell_damage(self, result);
    return LPOT_OK;
  case PHASE_PATH:
  case PHASE_REVERT:
    return tell_trial(self, result, err);
  default:
    return LPOT_OK;
  }
}

/* ---- hints ---- */

/* Takes the recipe, unless it is the one that is demanded. */
static void add_hint(const auto_strategy *self, lpot_recipe *recipe, lpot_purpose purpose,
                     lpot_hint_list *list) {
  const lpot_strategy *strategy = &self->base;
  if (strategy->waiting && purpose == strategy->pending_purpose &&
      lpot_recipe_hash(recipe) == strategy->pending) {
    lpot_recipe_free(recipe);
    return;
  }
  lpot_hint_list_add(list, &recipe, purpose);
}

/* Uniform recipes from a position on. */
static lpot_status hint_uniform(const auto_strategy *self, size_t first, size_t count,
                                lpot_purpose purpose, lpot_hint_list *list, lpot_error *err) {
  for (size_t i = first; i < count && !lpot_hint_list_is_full(list); i++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(lpot_recipe_clone(self->uniform[i], &recipe, err));
    add_hint(self, recipe, purpose, list);
  }
  return LPOT_OK;
}

/* After the first uniform recipe: what is sensed, or tried without. */
static lpot_status hint_trials(const auto_strategy *self, lpot_hint_list *list, lpot_error *err) {
  bool will_sense = self->position == 0 && self->num_uniform > MAX_UNIFORM_TRIALS;
  if (will_sense) {
    return hint_uniform(self, 1, self->num_uniform, LPOT_SENSE, list, err);
  }
  return hint_uniform(self, self->position, num_uniform_trials(self), LPOT_DECIDE, list, err);
}

static lpot_status hint_damages(const auto_strategy *self, lpot_hint_list *list, lpot_error *err) {
  for (size_t i = self->position; i < self->num_candidates && !lpot_hint_list_is_full(list); i++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(build_alone(self, i, &recipe, err));
    add_hint(self, recipe, LPOT_SENSE, list);
  }
  return LPOT_OK;
}

/* The tree of trials in either case of each, level by level. */
static lpot_status hint_tree(const auto_strategy *self, lpot_hint_list *list, lpot_error *err) {
  size_t room = 2 * list->capacity + 3;
  progress *queue = lpot_calloc(room, sizeof *queue);
  if (queue == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  size_t count = 1;
  queue[0] = self->at;
  for (size_t i = 0; i < count && !lpot_hint_list_is_full(list) && status == LPOT_OK; i++) {
    lpot_recipe *recipe = NULL;
    if (is_through(self, &queue[i])) {
      continue;
    }
    status = build_trial(self, &queue[i], &recipe, err);
    if (status == LPOT_OK) {
      add_hint(self, recipe, LPOT_DECIDE, list);
    }
    for (int meets = 1; meets >= 0 && count < room; meets--) {
      queue[count++] = after_trial(self, &queue[i], meets == 1);
    }
  }
  lpot_free(queue);
  return status;
}

static lpot_status auto_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                              lpot_error *err) {
  const auto_strategy *self = (const auto_strategy *)strategy;
  switch (self->phase) {
  case PHASE_UNIFORM:
    return hint_trials(self, list, err);
  case PHASE_SENSE_UNIFORM:
    return hint_uniform(self, self->position, self->num_uniform, LPOT_SENSE, list, err);
  case PHASE_SENSE_OPS:
    return hint_damages(self, list, err);
  case PHASE_PATH:
    return self->steps == NULL ? LPOT_OK : hint_tree(self, list, err);
  case PHASE_REVERT:
    return hint_tree(self, list, err);
  default:
    return LPOT_OK;
  }
}

const lpot_strategy_class lpot_strategy_class_auto = {
    .name = "auto",
    .size_bytes = sizeof(auto_strategy),
    .init = auto_init,
    .done = auto_done,
    .next = auto_next,
    .tell = auto_tell,
    .hints = auto_hints,
    .needs_costs = auto_needs_costs,
    .goes_on = true,
};
