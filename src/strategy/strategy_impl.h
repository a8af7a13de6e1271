/* What a strategy brings to strategy.c, and what strategies share.
 *
 * To add a strategy: one file that defines its class, one declaration here, one row in
 * each list of strategy.c, one test. */
#ifndef LPOT_STRATEGY_STRATEGY_IMPL_H
#define LPOT_STRATEGY_STRATEGY_IMPL_H

#include "base/hash_index.h"
#include "base/hash_map.h"
#include "strategy/strategy.h"

/* Hints under construction. */
typedef struct lpot_hint_list {
  size_t capacity;
  size_t count;
  lpot_recipe **recipes;  /* [capacity]; the first count are owned */
  lpot_purpose *purposes; /* [capacity], or NULL: nobody asks */
  lpot_hash_index *index; /* of the recipes by their hashes, or NULL: the list is short */
} lpot_hint_list;

typedef struct lpot_strategy_class {
  const char *name;
  size_t size_bytes; /* of the class's own struct, which begins with lpot_strategy */
  /* Fills the zero-filled object, whose space and options are set. On failure it is only done. */
  lpot_status (*init)(lpot_strategy *strategy, lpot_error *err);
  void (*done)(lpot_strategy *strategy);
  /* ret_demand->recipe is NULL at the end. Not called while a demand is unanswered. */
  lpot_status (*next)(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err);
  /* The answer to the last demand; (optional). */
  lpot_status (*tell)(lpot_strategy *strategy, const lpot_result *result, lpot_error *err);
  /* A trial of an earlier run; (optional). */
  lpot_status (*recall)(lpot_strategy *strategy, const lpot_recipe *recipe,
                        const lpot_result *result, lpot_error *err);
  /* Adds hints until the list is full or there is no more. */
  lpot_status (*hints)(const lpot_strategy *strategy, lpot_hint_list *list, lpot_error *err);
  /* Whether the next demand depends on what ops cost; (optional: none does). */
  bool (*needs_costs)(const lpot_strategy *strategy);
  bool goes_on; /* see lpot_strategy_goes_on */
} lpot_strategy_class;

struct lpot_strategy {
  const lpot_strategy_class *class_of;
  const lpot_space *space; /* borrowed */
  lpot_strategy_options options;
  bool costs_are_final; /* nobody will tell more of them */
  bool waiting;         /* a demand is unanswered */
  uint64_t pending;     /* hash of the unanswered demand's recipe */
  lpot_purpose pending_purpose;
};

extern const lpot_strategy_class lpot_strategy_class_auto;
extern const lpot_strategy_class lpot_strategy_class_basic;
extern const lpot_strategy_class lpot_strategy_class_bayesian;
extern const lpot_strategy_class lpot_strategy_class_conservative;
extern const lpot_strategy_class lpot_strategy_class_exhaustive;
extern const lpot_strategy_class lpot_strategy_class_external;
extern const lpot_strategy_class lpot_strategy_class_mse;
extern const lpot_strategy_class lpot_strategy_class_mse_v2;
extern const lpot_strategy_class lpot_strategy_class_random;
extern const lpot_strategy_class lpot_strategy_class_tpe;

bool lpot_hint_list_is_full(const lpot_hint_list *list);
bool lpot_hint_list_has(const lpot_hint_list *list, uint64_t hash);
/* Takes the recipe and clears the pointer; frees it when the list is full or has its equal, which
 * is then for RANK if one of the two is. */
void lpot_hint_list_add(lpot_hint_list *list, lpot_recipe **recipe, lpot_purpose purpose);

/* Recipe hashes with a score each. */
LPOT_MUST_CHECK lpot_status lpot_score_book_put(lpot_hash_map *book, uint64_t hash, double score,
                                                lpot_error *err);
bool lpot_score_book_get(const lpot_hash_map *book, uint64_t hash, double *ret_score);

/* The accuracy of a result so that higher is better; minus infinity where there is none. */
double lpot_strategy_score(const lpot_strategy *strategy, const lpot_result *result);

/* A seed of its own for demand number `number`, so that what was drawn before does not matter. */
uint64_t lpot_strategy_seed(const lpot_strategy *strategy, size_t number);

/* Sampling size and corrections of a variant of the space. */
void lpot_strategy_set_variant(const lpot_space *space, size_t variant, lpot_recipe *recipe);
/* A recipe for all ops of the space with its switches set and all ops F32. */
LPOT_MUST_CHECK lpot_status lpot_strategy_blank_recipe(const lpot_space *space, size_t variant,
                                                       lpot_recipe **ret_recipe, lpot_error *err);
/* Configurations that exhaustive and random choose from: the quantized and bf16 ones of op, or all
 * where there is none. */
size_t lpot_strategy_num_options(const lpot_space_op *op);
const lpot_op_config *lpot_strategy_option(const lpot_space_op *op, size_t index);

#endif
