#include "strategy/strategy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "strategy/strategy_impl.h"

static const lpot_strategy_class *const strategy_table[] = {
    &lpot_strategy_class_auto,       &lpot_strategy_class_basic,
    &lpot_strategy_class_bayesian,   &lpot_strategy_class_conservative,
    &lpot_strategy_class_exhaustive, &lpot_strategy_class_external,
    &lpot_strategy_class_mse,        &lpot_strategy_class_mse_v2,
    &lpot_strategy_class_random,     &lpot_strategy_class_tpe,
};

#define NUM_STRATEGIES (sizeof strategy_table / sizeof strategy_table[0])

/* In the table's order; a test holds the two together. */
static const char *const strategy_names[NUM_STRATEGIES + 1] = {
    "auto", "basic",  "bayesian", "conservative", "exhaustive", "external",
    "mse",  "mse_v2", "random",   "tpe",          NULL};

static const char *const stage_texts[LPOT_NUM_STAGES] = {
#define X(name, text) [LPOT_STAGE_##name] = text,
    LPOT_STAGE_LIST(X)
#undef X
};

const char *lpot_stage_text(lpot_stage stage) {
  return (size_t)stage < LPOT_NUM_STAGES ? stage_texts[stage] : "unknown";
}

const char *const *lpot_strategy_names(void) {
  return strategy_names;
}

static const lpot_strategy_class *find_class(const char *name) {
  for (size_t i = 0; i < NUM_STRATEGIES; i++) {
    if (lpot_text_equal(strategy_table[i]->name, name)) {
      return strategy_table[i];
    }
  }
  return NULL;
}

bool lpot_strategy_goes_on(const char *name) {
  const lpot_strategy_class *class_of = find_class(name);
  return class_of != NULL && class_of->goes_on;
}

bool lpot_strategy_recalls(const char *name) {
  const lpot_strategy_class *class_of = find_class(name);
  return class_of != NULL && class_of->recall != NULL;
}

lpot_status lpot_strategy_new(const char *name, const lpot_space *space,
                              const lpot_strategy_options *options, lpot_strategy **ret_strategy,
                              lpot_error *err) {
  const lpot_strategy_class *class_of = find_class(name);
  if (class_of == NULL) {
    const char *nearest = lpot_text_nearest(name, strategy_names);
    char known[256];
    lpot_text_names(strategy_names, known, sizeof known);
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "unknown strategy '%s', expected one of %s%s%s%s", name,
                     known, nearest == NULL ? "" : " (did you mean '",
                     nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?)");
  }
  lpot_strategy *strategy = lpot_calloc(1, class_of->size_bytes);
  if (strategy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  strategy->class_of = class_of;
  strategy->space = space;
  strategy->options = *options;
  lpot_status status = class_of->init(strategy, err);
  if (status != LPOT_OK) {
    lpot_strategy_free(strategy);
    return status;
  }
  *ret_strategy = strategy;
  return LPOT_OK;
}

void lpot_strategy_free(lpot_strategy *strategy) {
  if (strategy == NULL) {
    return;
  }
  strategy->class_of->done(strategy);
  lpot_free(strategy);
}

bool lpot_strategy_wants_costs(const lpot_strategy *strategy) {
  return strategy->options.costs == NULL && !strategy->costs_are_final &&
         strategy->class_of->needs_costs != NULL && strategy->class_of->needs_costs(strategy);
}

void lpot_strategy_set_costs(lpot_strategy *strategy, const lpot_op_cost *costs) {
  strategy->options.costs = costs;
  strategy->costs_are_final = true;
}

lpot_status lpot_strategy_next(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err) {
  if (strategy->waiting) {
    return LPOT_FAIL(err, LPOT_INTERNAL,
                     "strategy %s: asked for a recipe before the last one was answered",
                     strategy->class_of->name);
  }
  lpot_demand demand = {0};
  LPOT_TRY(strategy->class_of->next(strategy, &demand, err));
  if (demand.recipe != NULL) {
    strategy->waiting = true;
    strategy->pending = lpot_recipe_hash(demand.recipe);
    strategy->pending_purpose = demand.purpose;
  }
  *ret_demand = demand;
  return LPOT_OK;
}

lpot_status lpot_strategy_tell(lpot_strategy *strategy, const lpot_result *result,
                               lpot_error *err) {
  if (!strategy->waiting) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "strategy %s: told a result that it did not demand",
                     strategy->class_of->name);
  }
  if (strategy->class_of->tell != NULL) {
    LPOT_TRY(strategy->class_of->tell(strategy, result, err));
  }
  strategy->waiting = false;
  return LPOT_OK;
}

lpot_status lpot_strategy_recall(lpot_strategy *strategy, const lpot_recipe *recipe,
                                 const lpot_result *result, lpot_error *err) {
  if (strategy->waiting || strategy->class_of->recall == NULL) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "strategy %s: it cannot recall a trial",
                     strategy->class_of->name);
  }
  LPOT_TRY(strategy->class_of->recall(strategy, recipe, result, err));
  return LPOT_OK;
}

bool lpot_strategy_is_fixed(const lpot_strategy *strategy) {
  return strategy->class_of->tell == NULL;
}

lpot_status lpot_strategy_hints(const lpot_strategy *strategy, size_t capacity, lpot_recipe **out,
                                lpot_purpose *purposes, size_t *ret_count, lpot_error *err) {
  lpot_hint_list list = {.capacity = capacity, .recipes = out, .purposes = purposes};
  LPOT_TRY(lpot_hash_index_new(capacity, &list.index, err));
  lpot_status status = capacity == 0 ? LPOT_OK : strategy->class_of->hints(strategy, &list, err);
  lpot_hash_index_free(list.index);
  if (status != LPOT_OK) {
    for (size_t i = 0; i < list.count; i++) {
      lpot_recipe_free(list.recipes[i]);
      list.recipes[i] = NULL;
    }
    return status;
  }
  *ret_count = list.count;
  return LPOT_OK;
}

/* ---- shared by strategies ---- */

double lpot_strategy_score(const lpot_strategy *strategy, const lpot_result *result) {
  if (!result->valid || isnan(result->accuracy)) {
    return -(double)INFINITY;
  }
  return strategy->options.higher_is_better ? result->accuracy : -result->accuracy;
}

uint64_t lpot_strategy_seed(const lpot_strategy *strategy, size_t number) {
  return strategy->options.seed + UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
}

bool lpot_hint_list_is_full(const lpot_hint_list *list) {
  return list->count == list->capacity;
}

/* Index of the recipe; count or more when it is not there. */
static size_t find_hint(const lpot_hint_list *list, uint64_t hash) {
  if (list->index != NULL) {
    return lpot_hash_index_get(list->index, hash);
  }
  size_t index = 0;
  while (index < list->count && lpot_recipe_hash(list->recipes[index]) != hash) {
    index++;
  }
  return index;
}

bool lpot_hint_list_has(const lpot_hint_list *list, uint64_t hash) {
  return find_hint(list, hash) < list->count;
}

void lpot_hint_list_add(lpot_hint_list *list, lpot_recipe **recipe, lpot_purpose purpose) {
  uint64_t hash = lpot_recipe_hash(*recipe);
  size_t index = find_hint(list, hash);
  bool known = index < list->count;
  if (!known && !lpot_hint_list_is_full(list)) {
    index = list->count;
    if (list->index != NULL) {
      lpot_hash_index_put(list->index, hash, index);
    }
    list->recipes[index] = *recipe;
    *recipe = NULL;
    list->count++;
  }
  if (index < list->count && list->purposes != NULL && (!known || purpose == LPOT_RANK)) {
    list->purposes[index] = purpose;
  }
  lpot_recipe_free(*recipe);
  *recipe = NULL;
}

typedef struct hash_text {
  char text[17];
} hash_text;

static hash_text text_of_hash(uint64_t hash) {
  hash_text key;
  snprintf(key.text, sizeof key.text, "%016" PRIx64, hash);
  return key;
}

lpot_status lpot_score_book_put(lpot_hash_map *book, uint64_t hash, double score, lpot_error *err) {
  const hash_text key = text_of_hash(hash);
  int64_t bits = 0;
  memcpy(&bits, &score, sizeof bits);
  LPOT_TRY(lpot_hash_map_put(book, key.text, bits, err));
  return LPOT_OK;
}

bool lpot_score_book_get(const lpot_hash_map *book, uint64_t hash, double *ret_score) {
  const hash_text key = text_of_hash(hash);
  int64_t bits = 0;
  if (!lpot_hash_map_get(book, key.text, &bits)) {
    return false;
  }
  memcpy(ret_score, &bits, sizeof bits);
  return true;
}

void lpot_strategy_set_variant(const lpot_space *space, size_t variant, lpot_recipe *recipe) {
  size_t num_corrections = lpot_space_num_corrections(space);
  recipe->calibration_samples = lpot_space_sampling_size(space, variant / num_corrections);
  recipe->corrections = *lpot_space_corrections(space, variant % num_corrections);
}

lpot_status lpot_strategy_blank_recipe(const lpot_space *space, size_t variant,
                                       lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_recipe *recipe = NULL;
  LPOT_TRY(lpot_recipe_new(lpot_space_num_ops(space), &recipe, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    recipe->ops[i] = lpot_space_get(space, i)->fallback;
  }
  lpot_strategy_set_variant(space, variant, recipe);
  recipe->scale_propagation_concat = lpot_space_scale_propagation_concat(space);
  recipe->dynamic = lpot_space_is_dynamic(space);
  recipe->reduce_range = lpot_space_reduce_range(space);
  *ret_recipe = recipe;
  return LPOT_OK;
}

size_t lpot_strategy_num_options(const lpot_space_op *op) {
  return op->num_reduced > 0 ? op->num_reduced : op->num_configs;
}

const lpot_op_config *lpot_strategy_option(const lpot_space_op *op, size_t index) {
  return &op->configs[op->num_reduced > 0 ? op->reduced[index] : index];
}
