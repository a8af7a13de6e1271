/* Strategy conservative: from f32 on, one op type after the other is quantized, and stays so where
 * the criterion is met; else it goes back to f32 (Intel Neural Compressor, quantization level 0).
 *
 * The types come in the order Conv, MatMul, Gemm, and then, where its model stops, the others as
 * they appear: an f32 op between two int8 ones costs two borders. An op of a type takes its
 * configuration of the first uniform recipe (basic_uniform.h). Ops that may not fall back are
 * quantized from the start. The search does not end at the first recipe that meets the criterion:
 * later ones have more in int8. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "strategy/basic_uniform.h"
#include "strategy/strategy_impl.h"

typedef struct conservative {
  lpot_strategy base;
  lpot_recipe *whole; /* owned; all types quantized, for the first variant */
  size_t num_types;
  const char **types; /* [num_types], owned list; in the order of trial */
  bool *kept;         /* [num_types], owned; types that met the criterion */
  size_t position;    /* type on trial */
} conservative;

/* True when quantizing the type changes the op. */
static bool is_on_trial(const conservative *self, size_t op, const char *type) {
  const lpot_space_op *entry = lpot_space_get(self->base.space, op);
  return entry->may_fall_back && lpot_op_config_is_quantized(&self->whole->ops[op]) &&
         lpot_text_equal(entry->type, type);
}

/* The recipe of the type at position, given those kept before it. */
static lpot_status build(const conservative *self, const bool *kept, size_t position,
                         lpot_recipe **ret_recipe, lpot_error *err) {
  LPOT_TRY(lpot_recipe_clone(self->whole, ret_recipe, err));
  for (size_t type = 0; type < self->num_types; type++) {
    bool quantized = type == position || (type < position && kept[type]);
    for (size_t i = 0; i < (*ret_recipe)->num_ops && !quantized; i++) {
      if (is_on_trial(self, i, self->types[type])) {
        (*ret_recipe)->ops[i] = lpot_space_get(self->base.space, i)->fallback;
      }
    }
  }
  return LPOT_OK;
}

static void add_type(conservative *self, const char *type) {
  bool known = false;
  for (size_t i = 0; i < self->num_types; i++) {
    known = known || lpot_text_equal(self->types[i], type);
  }
  bool any = false;
  for (size_t i = 0; i < self->whole->num_ops; i++) {
    any = any || is_on_trial(self, i, type);
  }
  if (!known && any) {
    self->types[self->num_types++] = type;
  }
}

static void list_types(conservative *self) {
  static const char *const first[] = {"Conv", "MatMul", "Gemm"};
  for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
    add_type(self, first[i]);
  }
  for (size_t i = 0; i < self->whole->num_ops; i++) {
    add_type(self, lpot_space_get(self->base.space, i)->type);
  }
}

static lpot_status take_first_uniform(conservative *self, lpot_error *err) {
  lpot_recipe *uniform[LPOT_MAX_UNIFORM] = {0};
  size_t count = 0;
  LPOT_TRY(lpot_basic_uniform(self->base.space, uniform, &count, err));
  self->whole = uniform[0];
  for (size_t i = 1; i < count; i++) {
    lpot_recipe_free(uniform[i]);
  }
  return LPOT_OK;
}

static lpot_status conservative_init(lpot_strategy *strategy, lpot_error *err) {
  conservative *self = (conservative *)strategy;
  LPOT_TRY(take_first_uniform(self, err));
  size_t most = self->whole->num_ops + 1;
  self->types = lpot_calloc(most, sizeof(char *));
  self->kept = lpot_calloc(most, sizeof *self->kept);
  if (self->types == NULL || self->kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  list_types(self);
  return LPOT_OK;
}

static void conservative_done(lpot_strategy *strategy) {
  conservative *self = (conservative *)strategy;
  lpot_recipe_free(self->whole);
  lpot_free(self->types);
  lpot_free(self->kept);
}

/* Where no type can be tried there is one recipe, as it is. */
static size_t num_trials(const conservative *self) {
  return self->num_types > 0 ? self->num_types : 1;
}

static lpot_status conservative_next(lpot_strategy *strategy, lpot_demand *ret_demand,
                                     lpot_error *err) {
  conservative *self = (conservative *)strategy;
  if (self->position >= num_trials(self)) {
    return LPOT_OK;
  }
  LPOT_TRY(build(self, self->kept, self->position, &ret_demand->recipe, err));
  ret_demand->stage = LPOT_STAGE_BY_TYPE;
  ret_demand->purpose = LPOT_DECIDE;
  return LPOT_OK;
}

static lpot_status conservative_tell(lpot_strategy *strategy, const lpot_result *result,
                                     lpot_error *err) {
  (void)err;
  conservative *self = (conservative *)strategy;
  self->kept[self->position] = result->valid && result->meets;
  self->position++;
  return LPOT_OK;
}

/* The trials from here on when the type on trial is kept or not and all after it are kept. */
static lpot_status hint_chain(const conservative *self, bool first_is_kept, bool *kept,
                              lpot_hint_list *list, lpot_error *err) {
  memcpy(kept, self->kept, self->num_types * sizeof *kept);
  for (size_t i = self->position; i < num_trials(self) && !lpot_hint_list_is_full(list); i++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(build(self, kept, i, &recipe, err));
    if (self->base.waiting && lpot_recipe_hash(recipe) == self->base.pending) {
      lpot_recipe_free(recipe);
    } else {
      lpot_hint_list_add(list, &recipe, LPOT_DECIDE);
    }
    kept[i] = i > self->position || first_is_kept;
  }
  return LPOT_OK;
}

static lpot_status conservative_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                                      lpot_error *err) {
  const conservative *self = (const conservative *)strategy;
  bool *kept = lpot_calloc(self->num_types + 1, sizeof *kept);
  if (kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = hint_chain(self, true, kept, list, err);
  if (status == LPOT_OK) {
    status = hint_chain(self, false, kept, list, err);
  }
  lpot_free(kept);
  return status;
}

const lpot_strategy_class lpot_strategy_class_conservative = {
    .name = "conservative",
    .size_bytes = sizeof(conservative),
    .init = conservative_init,
    .done = conservative_done,
    .next = conservative_next,
    .tell = conservative_tell,
    .hints = conservative_hints,
    .goes_on = true,
};
