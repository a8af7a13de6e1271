/* Strategies basic and mse: LPOT's walks from uniform configurations to fallbacks.
 *
 * 1. UNIFORM. For each variant (space.h) the uniform recipes of basic_uniform.h, most promising
 * first. The most accurate is the start of all that follows; of equals, the one demanded first. A
 *    failed trial or one without a number counts as worse than any other.
 * 2. ONE_BY_ONE. The start with one op fallen back, for every quantized op that may fall back, the
 * last op first. The candidates are then ordered by accuracy, the best first; of equals, the one
 * tried first.
 * 3. GREEDY. From the start, candidates fall back one after the other in that order. A fallback
 *    is kept only if the accuracy is strictly better than the best so far, else undone.
 * 4. CUMULATIVE. From the start again, candidates fall back one after the other in that order and
 *    none is undone, until all have fallen back.
 * Stages 2 to 4 are walked twice: ops fall back to bf16 first, where the configuration names it,
 * and then, from the same start, to F32.
 *
 * mse differs from basic in that ops do not fall back to bf16, and in stage 2:
 * 2. SENSE. The network's outputs with one op alone as the start has it and all others in F32, for
 *    every op that may fall back, the last op first; ops whose error is larger fall back first; of
 *    equals, the one tried first. No labels, and few samples. (LPOT compares the op's own output in
 *    the network that is int8 throughout, which the errors of the ops before it have reached.) An
 * op that cannot be sensed falls back before all others.
 *
 * Ties and noise. All of these trials but the last stage's are evaluated on the whole set (RANK),
 * so that two accuracies of a counting metric are equal exactly when the counts are equal, and
 * differ by one sample at least when they are not. Comparing exactly therefore calls nothing a gain
 * that is less than one sample; for averaging metrics there is no such unit and any limit would be
 * arbitrary.
 *
 * A recipe that was told before is answered from memory and never demanded again, unless it was
 * told an estimate. With several variants all uniform recipes of the first come before those of the
 * second. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "strategy/basic_uniform.h"
#include "strategy/strategy_impl.h"

/* A place in the walk. */
typedef struct basic_walk {
  lpot_stage stage; /* LPOT_NUM_STAGES at the end */
  size_t position;  /* number of the trial in the stage */
  double best;      /* GREEDY: score of the best so far */
  bool *kept;       /* GREEDY: candidates that stay fallen back; owned; [number of ops] */
} basic_walk;

typedef struct basic {
  lpot_strategy base;
  lpot_recipe *uniform[LPOT_MAX_UNIFORM]; /* owned; for the first variant */
  size_t num_uniform;
  size_t best_uniform; /* trial of UNIFORM that is the best so far */
  double best_score;   /* its score */
  lpot_recipe *start;  /* owned; NULL during UNIFORM */
  bool to_f32;         /* the second walk from the start: candidates fall back to F32, not bf16 */
  size_t num_candidates;
  size_t *candidates; /* owned; ops that fall back, in the order of trial */
  double *scores;     /* owned; [num_candidates] what ONE_BY_ONE told */
  basic_walk walk;
  lpot_hash_map *told; /* owned; score book */
} basic;

typedef lpot_status (*build_function)(const basic *self, const basic_walk *walk,
                                      lpot_recipe **ret_recipe, lpot_error *err);

/* ---- recipes ---- */

static lpot_status build_uniform(const basic *self, const basic_walk *walk,
                                 lpot_recipe **ret_recipe, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->uniform[walk->position % self->num_uniform], ret_recipe, err));
  lpot_strategy_set_variant(self->base.space, walk->position / self->num_uniform, *ret_recipe);
  return LPOT_OK;
}

static void fall_back(const basic *self, lpot_recipe *recipe, size_t candidate) {
  size_t op = self->candidates[candidate];
  const lpot_space_op *entry = lpot_space_get(self->base.space, op);
  recipe->ops[op] = self->to_f32 ? entry->fallback : *entry->bf16;
}

static lpot_status build_one(const basic *self, const basic_walk *walk, lpot_recipe **ret_recipe,
                             lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, ret_recipe, err));
  fall_back(self, *ret_recipe, walk->position);
  return LPOT_OK;
}

static lpot_status build_greedy(const basic *self, const basic_walk *walk, lpot_recipe **ret_recipe,
                                lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, ret_recipe, err));
  for (size_t i = 0; i < walk->position; i++) {
    if (walk->kept[i]) {
      fall_back(self, *ret_recipe, i);
    }
  }
  fall_back(self, *ret_recipe, walk->position);
  return LPOT_OK;
}

static lpot_status build_cumulative(const basic *self, const basic_walk *walk,
                                    lpot_recipe **ret_recipe, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, ret_recipe, err));
  for (size_t i = 0; i <= walk->position; i++) {
    fall_back(self, *ret_recipe, i);
  }
  return LPOT_OK;
}

typedef struct stage_row {
  lpot_stage next;
  lpot_purpose purpose;
  build_function build;
} stage_row;

/* All ops F32 but one candidate. Ops that may not fall back are as in the start: their errors are
 * in all. */
static lpot_status build_alone(const basic *self, const basic_walk *walk, lpot_recipe **ret_recipe,
                               lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->start, ret_recipe, err));
  for (size_t i = 0; i < self->num_candidates; i++) {
    if (i != walk->position) {
      fall_back(self, *ret_recipe, i);
    }
  }
  return LPOT_OK;
}

static const stage_row stage_table[] = {
    [LPOT_STAGE_UNIFORM] = {LPOT_STAGE_ONE_BY_ONE, LPOT_RANK, build_uniform},
    [LPOT_STAGE_ONE_BY_ONE] = {LPOT_STAGE_GREEDY, LPOT_RANK, build_one},
    [LPOT_STAGE_SENSE] = {LPOT_STAGE_GREEDY, LPOT_SENSE, build_alone},
    [LPOT_STAGE_GREEDY] = {LPOT_STAGE_CUMULATIVE, LPOT_RANK, build_greedy},
    [LPOT_STAGE_CUMULATIVE] = {LPOT_NUM_STAGES, LPOT_DECIDE, build_cumulative},
};

static size_t num_trials(const basic *self, lpot_stage stage) {
  if (stage == LPOT_STAGE_UNIFORM) {
    return self->num_uniform * lpot_space_num_variants(self->base.space);
  }
  return self->num_candidates;
}

/* ---- the walk ---- */

static bool senses(const basic *self) {
  return self->base.class_of == &lpot_strategy_class_mse;
}

/* True when op can fall back from what the start makes of it. */
static bool is_candidate(const basic *self, size_t op) {
  const lpot_space_op *entry = lpot_space_get(self->base.space, op);
  const lpot_op_config *config = &self->start->ops[op];
  if (!self->to_f32) {
    return lpot_op_config_is_quantized(config) && entry->bf16 != NULL;
  }
  return entry->may_fall_back &&
         (lpot_op_config_is_quantized(config) || lpot_op_config_is_bf16(config));
}

/* Begins a walk from the start: the ops that can fall back, the last one first. */
static void begin_fallback(basic *self, bool to_f32) {
  size_t num_ops = lpot_space_num_ops(self->base.space);
  self->to_f32 = to_f32;
  self->num_candidates = 0;
  for (size_t i = num_ops; i > 0; i--) {
    if (is_candidate(self, i - 1)) {
      self->candidates[self->num_candidates] = i - 1;
      self->num_candidates++;
    }
  }
  self->walk.stage = senses(self) ? LPOT_STAGE_SENSE : LPOT_STAGE_ONE_BY_ONE;
  self->walk.best = self->best_score;
}

static lpot_status end_uniform(basic *self, lpot_error *err) {
  const basic_walk best = {.stage = LPOT_STAGE_UNIFORM, .position = self->best_uniform};
  LPOT_TRY(build_uniform(self, &best, &self->start, err));
  begin_fallback(self, senses(self));
  if (self->num_candidates == 0) {
    begin_fallback(self, true);
  }
  return LPOT_OK;
}

/* Sorts the candidates by falling score. Insertion keeps the order of equals. */
static void end_one_by_one(basic *self) {
  for (size_t i = 1; i < self->num_candidates; i++) {
    size_t op = self->candidates[i];
    double score = self->scores[i];
    size_t place = i;
    for (; place > 0 && self->scores[place - 1] < score; place--) {
      self->candidates[place] = self->candidates[place - 1];
      self->scores[place] = self->scores[place - 1];
    }
    self->candidates[place] = op;
    self->scores[place] = score;
  }
}

static lpot_status end_stage(basic *self, lpot_error *err) {
  lpot_stage ended = self->walk.stage;
  self->walk.stage = stage_table[ended].next;
  self->walk.position = 0;
  if (ended == LPOT_STAGE_UNIFORM) {
    LPOT_TRY(end_uniform(self, err));
  } else if (ended == LPOT_STAGE_ONE_BY_ONE || ended == LPOT_STAGE_SENSE) {
    end_one_by_one(self);
  } else if (ended == LPOT_STAGE_CUMULATIVE && !self->to_f32) {
    begin_fallback(self, true);
  }
  return LPOT_OK;
}

/* Takes the score of the trial at walk, in GREEDY: that decides where the walk goes. */
static void step_greedy(basic_walk *walk, double score) {
  walk->kept[walk->position] = score > walk->best;
  if (walk->kept[walk->position]) {
    walk->best = score;
  }
  walk->position++;
}

static void apply(basic *self, double score) {
  basic_walk *walk = &self->walk;
  if (walk->stage == LPOT_STAGE_GREEDY) {
    step_greedy(walk, score);
    return;
  }
  if (walk->stage == LPOT_STAGE_UNIFORM && (walk->position == 0 || score > self->best_score)) {
    self->best_uniform = walk->position;
    self->best_score = score;
  }
  if (walk->stage == LPOT_STAGE_ONE_BY_ONE || walk->stage == LPOT_STAGE_SENSE) {
    self->scores[walk->position] = score;
  }
  walk->position++;
}

/* What is told of a recipe's accuracy and of its error is not the same. */
static uint64_t key_of(uint64_t hash, lpot_purpose purpose) {
  return purpose == LPOT_SENSE ? ~hash : hash;
}

static bool is_told(const basic *self, const lpot_recipe *recipe, lpot_purpose purpose,
                    double *ret_score) {
  uint64_t key = key_of(lpot_recipe_hash(recipe), purpose);
  return lpot_score_book_get(self->told, key, ret_score);
}

static lpot_status basic_init(lpot_strategy *strategy, lpot_error *err) {
  basic *self = (basic *)strategy;
  self->walk.stage = LPOT_STAGE_UNIFORM;
  self->best_score = -(double)INFINITY;
  size_t num_ops = lpot_space_num_ops(strategy->space);
  self->candidates = lpot_calloc(num_ops, sizeof *self->candidates);
  self->scores = lpot_calloc(num_ops, sizeof *self->scores);
  self->walk.kept = lpot_calloc(num_ops, sizeof *self->walk.kept);
  if (self->candidates == NULL || self->scores == NULL || self->walk.kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_hash_map_new(&self->told, err));
  LPOT_TRY(lpot_basic_uniform(strategy->space, self->uniform, &self->num_uniform, err));
  return LPOT_OK;
}

static void basic_done(lpot_strategy *strategy) {
  basic *self = (basic *)strategy;
  for (size_t i = 0; i < self->num_uniform; i++) {
    lpot_recipe_free(self->uniform[i]);
  }
  lpot_recipe_free(self->start);
  lpot_free(self->candidates);
  lpot_free(self->scores);
  lpot_free(self->walk.kept);
  lpot_hash_map_free(self->told);
}

static lpot_status basic_next(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err) {
  basic *self = (basic *)strategy;
  while (self->walk.stage != LPOT_NUM_STAGES) {
    if (self->walk.position == num_trials(self, self->walk.stage)) {
      LPOT_TRY(end_stage(self, err));
      continue;
    }
    const stage_row *row = &stage_table[self->walk.stage];
    lpot_recipe *recipe = NULL;
    double score = 0;
    LPOT_TRY(row->build(self, &self->walk, &recipe, err));
    if (!is_told(self, recipe, row->purpose, &score)) {
      ret_demand->recipe = recipe;
      ret_demand->stage = self->walk.stage;
      ret_demand->purpose = row->purpose;
      return LPOT_OK;
    }
    lpot_recipe_free(recipe);
    apply(self, score);
  }
  return LPOT_OK;
}

static double error_of(const lpot_result *result) {
  return result->valid && !isnan(result->error) ? result->error : (double)INFINITY;
}

static lpot_status basic_tell(lpot_strategy *strategy, const lpot_result *result, lpot_error *err) {
  basic *self = (basic *)strategy;
  bool sensed = strategy->pending_purpose == LPOT_SENSE;
  double score = sensed ? error_of(result) : lpot_strategy_score(strategy, result);
  /* An estimate is good enough to decide, but not to be compared with others later. */
  if (sensed || !result->valid || result->samples >= strategy->options.samples) {
    uint64_t key = key_of(strategy->pending, strategy->pending_purpose);
    LPOT_TRY(lpot_score_book_put(self->told, key, score, err));
  }
  apply(self, score);
  return LPOT_OK;
}

/* ---- hints ---- */

/* Adds the trial at walk unless it is told or demanded; *ret_told says whether and how it is told.
 */
static lpot_status add_hint(const basic *self, const basic_walk *walk, lpot_hint_list *list,
                            bool *ret_told, double *ret_score, lpot_error *err) {
  lpot_recipe *recipe = NULL;
  const stage_row *row = &stage_table[walk->stage];
  LPOT_TRY(row->build(self, walk, &recipe, err));
  *ret_told = is_told(self, recipe, row->purpose, ret_score);
  bool pending = self->base.waiting && key_of(lpot_recipe_hash(recipe), row->purpose) ==
                                           key_of(self->base.pending, self->base.pending_purpose);
  if (*ret_told || pending) {
    lpot_recipe_free(recipe);
    return LPOT_OK;
  }
  lpot_hint_list_add(list, &recipe, row->purpose);
  return LPOT_OK;
}

/* Stages whose recipes do not depend on results: all trials from position on, exactly. */
static lpot_status hint_fixed(const basic *self, lpot_stage stage, size_t position,
                              lpot_hint_list *list, lpot_error *err) {
  basic_walk walk = {.stage = stage, .position = position};
  bool told = false;
  double score = 0;
  for (; walk.position < num_trials(self, stage) && !lpot_hint_list_is_full(list);
       walk.position++) {
    LPOT_TRY(add_hint(self, &walk, list, &told, &score, err));
  }
  return LPOT_OK;
}

/* GREEDY from the current trial on, if that is kept or not and every unknown one after it is not.
 * walk is ours to change. */
static lpot_status hint_greedy(const basic *self, basic_walk *walk, bool first_is_kept,
                               lpot_hint_list *list, lpot_error *err) {
  double assumed = (double)(first_is_kept ? INFINITY : -INFINITY);
  while (walk->position < self->num_candidates && !lpot_hint_list_is_full(list)) {
    bool told = false;
    double score = 0;
    double best = walk->best; /* of what is known: an assumed score says nothing about others */
    LPOT_TRY(add_hint(self, walk, list, &told, &score, err));
    step_greedy(walk, told ? score : assumed);
    if (!told) {
      walk->best = best;
      assumed = -(double)INFINITY;
    }
  }
  return LPOT_OK;
}

static lpot_status hint_greedy_chains(const basic *self, lpot_hint_list *list, lpot_error *err) {
  size_t size = self->num_candidates;
  bool *kept = lpot_calloc(size, sizeof *kept);
  if (kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  for (int first_is_kept = 0; first_is_kept < 2 && status == LPOT_OK; first_is_kept++) {
    basic_walk walk = self->walk;
    walk.kept = kept;
    memcpy(kept, self->walk.kept, size * sizeof *kept);
    status = hint_greedy(self, &walk, first_is_kept == 1, list, err);
  }
  lpot_free(kept);
  return status;
}

static lpot_status basic_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                               lpot_error *err) {
  const basic *self = (const basic *)strategy;
  lpot_stage stage = self->walk.stage;
  if (stage == LPOT_NUM_STAGES) {
    return LPOT_OK;
  }
  if (stage != LPOT_STAGE_GREEDY) {
    LPOT_TRY(hint_fixed(self, stage, self->walk.position, list, err));
    return LPOT_OK;
  }
  LPOT_TRY(hint_greedy_chains(self, list, err));
  /* CUMULATIVE follows whatever GREEDY finds. */
  LPOT_TRY(hint_fixed(self, LPOT_STAGE_CUMULATIVE, 0, list, err));
  return LPOT_OK;
}

const lpot_strategy_class lpot_strategy_class_basic = {
    .name = "basic",
    .size_bytes = sizeof(basic),
    .init = basic_init,
    .done = basic_done,
    .next = basic_next,
    .tell = basic_tell,
    .hints = basic_hints,
};

const lpot_strategy_class lpot_strategy_class_mse = {
    .name = "mse",
    .size_bytes = sizeof(basic),
    .init = basic_init,
    .done = basic_done,
    .next = basic_next,
    .tell = basic_tell,
    .hints = basic_hints,
};
