/* Strategy random: each demand draws a variant (space.h) and, for each op, one of its quantized
 * configurations (of all where it has none), uniformly and independently. Recipes that were
 * demanded before are drawn again; after MAX_REPEATS draws in a row that brought nothing new the
 * space counts as exhausted. Nothing told changes what is demanded. */
#include "base/memory.h"
#include "base/rng.h"
#include "strategy/strategy_impl.h"

#define MAX_REPEATS 1000

typedef struct random_search {
  lpot_strategy base;
  lpot_rng rng;
  lpot_hash_map *demanded; /* owned; a score book without scores */
} random_search;

static lpot_status draw(const lpot_space *space, lpot_rng *rng, lpot_recipe **ret_recipe,
                        lpot_error *err) {
  size_t variant = (size_t)lpot_rng_below(rng, lpot_space_num_variants(space));
  lpot_recipe *recipe = NULL;
  LPOT_TRY(lpot_strategy_blank_recipe(space, variant, &recipe, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    const lpot_space_op *op = lpot_space_get(space, i);
    size_t option = (size_t)lpot_rng_below(rng, lpot_strategy_num_options(op));
    recipe->ops[i] = *lpot_strategy_option(op, option);
  }
  *ret_recipe = recipe;
  return LPOT_OK;
}

/* Draws until a recipe is neither demanded nor among hints (may be NULL); *ret_recipe stays NULL
 * when none is found. */
static lpot_status draw_new(const random_search *self, const lpot_hint_list *hints, lpot_rng *rng,
                            lpot_recipe **ret_recipe, lpot_error *err) {
  for (int repeats = 0; repeats < MAX_REPEATS; repeats++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(draw(self->base.space, rng, &recipe, err));
    uint64_t hash = lpot_recipe_hash(recipe);
    double unused = 0;
    bool known = lpot_score_book_get(self->demanded, hash, &unused) ||
                 (hints != NULL && lpot_hint_list_has(hints, hash));
    if (!known) {
      *ret_recipe = recipe;
      return LPOT_OK;
    }
    lpot_recipe_free(recipe);
  }
  return LPOT_OK;
}

static lpot_status random_init(lpot_strategy *strategy, lpot_error *err) {
  random_search *self = (random_search *)strategy;
  lpot_rng_init(&self->rng, strategy->options.seed);
  LPOT_TRY(lpot_hash_map_new(&self->demanded, err));
  return LPOT_OK;
}

static void random_done(lpot_strategy *strategy) {
  random_search *self = (random_search *)strategy;
  lpot_hash_map_free(self->demanded);
}

static lpot_status random_next(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err) {
  random_search *self = (random_search *)strategy;
  lpot_rng rng = self->rng;
  lpot_recipe *recipe = NULL;
  LPOT_TRY(draw_new(self, NULL, &rng, &recipe, err));
  if (recipe == NULL) {
    return LPOT_OK;
  }
  lpot_status status = lpot_score_book_put(self->demanded, lpot_recipe_hash(recipe), 0, err);
  if (status != LPOT_OK) {
    lpot_recipe_free(recipe);
    return status;
  }
  self->rng = rng;
  ret_demand->recipe = recipe;
  ret_demand->stage = LPOT_STAGE_SAMPLE;
  ret_demand->purpose = LPOT_DECIDE;
  return LPOT_OK;
}

static lpot_status random_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                                lpot_error *err) {
  const random_search *self = (const random_search *)strategy;
  lpot_rng rng = self->rng;
  while (!lpot_hint_list_is_full(list)) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(draw_new(self, list, &rng, &recipe, err));
    if (recipe == NULL) {
      return LPOT_OK;
    }
    lpot_hint_list_add(list, &recipe, LPOT_DECIDE);
  }
  return LPOT_OK;
}

const lpot_strategy_class lpot_strategy_class_random = {
    .name = "random",
    .size_bytes = sizeof(random_search),
    .init = random_init,
    .done = random_done,
    .next = random_next,
    .tell = NULL,
    .hints = random_hints,
};
