/* Strategy exhaustive: for each variant (space.h) the full product of the ops' quantized
 * configurations, the last op fastest; ops without a quantized one use all they have. The product
 * is a counter of mixed radix and is never written out. Nothing told changes what is demanded. */
#include <string.h>

#include "base/memory.h"
#include "strategy/strategy_impl.h"

/* The next combination. */
typedef struct odometer {
  size_t variant; /* == number of variants at the end */
  size_t *digits; /* [num_ops], owned; option of each op */
} odometer;

typedef struct exhaustive {
  lpot_strategy base;
  odometer position;
} exhaustive;

static bool is_at_end(const lpot_space *space, const odometer *position) {
  return position->variant >= lpot_space_num_variants(space);
}

static void step(const lpot_space *space, odometer *position) {
  for (size_t i = lpot_space_num_ops(space); i > 0; i--) {
    position->digits[i - 1]++;
    if (position->digits[i - 1] < lpot_strategy_num_options(lpot_space_get(space, i - 1))) {
      return;
    }
    position->digits[i - 1] = 0;
  }
  position->variant++;
}

static lpot_status build(const lpot_space *space, const odometer *position,
                         lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_recipe *recipe = NULL;
  LPOT_TRY(lpot_strategy_blank_recipe(space, position->variant, &recipe, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    recipe->ops[i] = *lpot_strategy_option(lpot_space_get(space, i), position->digits[i]);
  }
  *ret_recipe = recipe;
  return LPOT_OK;
}

static lpot_status exhaustive_init(lpot_strategy *strategy, lpot_error *err) {
  exhaustive *self = (exhaustive *)strategy;
  self->position.digits =
      lpot_calloc(lpot_space_num_ops(strategy->space), sizeof *self->position.digits);
  if (self->position.digits == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static void exhaustive_done(lpot_strategy *strategy) {
  exhaustive *self = (exhaustive *)strategy;
  lpot_free(self->position.digits);
}

static lpot_status exhaustive_next(lpot_strategy *strategy, lpot_demand *ret_demand,
                                   lpot_error *err) {
  exhaustive *self = (exhaustive *)strategy;
  if (is_at_end(strategy->space, &self->position)) {
    return LPOT_OK;
  }
  LPOT_TRY(build(strategy->space, &self->position, &ret_demand->recipe, err));
  ret_demand->stage = LPOT_STAGE_SAMPLE;
  ret_demand->purpose = LPOT_DECIDE;
  step(strategy->space, &self->position);
  return LPOT_OK;
}

static lpot_status add_hints(const lpot_space *space, odometer *position, lpot_hint_list *list,
                             lpot_error *err) {
  for (; !lpot_hint_list_is_full(list) && !is_at_end(space, position); step(space, position)) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(build(space, position, &recipe, err));
    lpot_hint_list_add(list, &recipe, LPOT_DECIDE);
  }
  return LPOT_OK;
}

static lpot_status exhaustive_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                                    lpot_error *err) {
  const exhaustive *self = (const exhaustive *)strategy;
  size_t num_ops = lpot_space_num_ops(strategy->space);
  odometer ahead = self->position;
  ahead.digits = lpot_calloc(num_ops, sizeof *ahead.digits);
  if (ahead.digits == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(ahead.digits, self->position.digits, num_ops * sizeof *ahead.digits);
  lpot_status status = add_hints(strategy->space, &ahead, list, err);
  lpot_free(ahead.digits);
  return status;
}

const lpot_strategy_class lpot_strategy_class_exhaustive = {
    .name = "exhaustive",
    .size_bytes = sizeof(exhaustive),
    .init = exhaustive_init,
    .done = exhaustive_done,
    .next = exhaustive_next,
    .tell = NULL,
    .hints = exhaustive_hints,
};
