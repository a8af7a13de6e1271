/* Strategies as pure objects: next() demands one recipe given all results told so far, tell()
 * takes its result, hints(k) names recipes that are likely to be demanded soon. Same seed, same
 * space, same results told: same demands. No files, no MPI, no clock.
 *
 * Protocol: next, tell, next, tell ... A demand is answered before the next one is made. hints may
 * be called at any time, changes nothing, and is only a guess. */
#ifndef LPOT_STRATEGY_STRATEGY_H
#define LPOT_STRATEGY_STRATEGY_H

#include "quant/recipe.h"
#include "strategy/costs.h"
#include "strategy/space.h"

typedef enum lpot_purpose {
  LPOT_DECIDE, /* may be cut short once the answer against the criterion is clear */
  LPOT_RANK    /* its accuracy feeds an ordering: evaluate fully */
} lpot_purpose;

/* X(NAME, text): recorded with each trial. */
#define LPOT_STAGE_LIST(X)                                                                         \
  X(UNIFORM, "uniform")                                                                            \
  X(ONE_BY_ONE, "one_by_one")                                                                      \
  X(GREEDY, "greedy")                                                                              \
  X(CUMULATIVE, "cumulative")                                                                      \
  X(SAMPLE, "sample")                                                                              \
  X(GIVEN, "given")

typedef enum lpot_stage {
#define X(name, text) LPOT_STAGE_##name,
  LPOT_STAGE_LIST(X)
#undef X
      LPOT_NUM_STAGES
} lpot_stage;

const char *lpot_stage_text(lpot_stage stage);

typedef struct lpot_demand {
  lpot_recipe *recipe; /* owned by the caller after next; NULL: the strategy has no more recipes */
  lpot_stage stage;
  lpot_purpose purpose;
} lpot_demand;

typedef struct lpot_result {
  bool valid;      /* false: the trial failed; accuracy is then meaningless */
  double accuracy; /* metric, as the metric gives it */
  int64_t samples; /* samples it was measured on: fewer than all for a demand that was to DECIDE and
                      was cut short; accuracy is then an estimate */
  bool meets;      /* the accuracy criterion */
} lpot_result;

typedef struct lpot_strategy_options {
  uint64_t seed;
  bool higher_is_better;
  double baseline;           /* the f32 model's metric */
  int64_t samples;           /* size of the evaluation set */
  const lpot_op_cost *costs; /* [lpot_space_num_ops], borrowed while the strategy lives; NULL: not
                                known. No strategy uses them yet */
} lpot_strategy_options;

typedef struct lpot_strategy lpot_strategy;

/* Names of all strategies, NULL terminated. */
const char *const *lpot_strategy_names(void);
/* space must outlive the strategy. LPOT_NOT_FOUND for an unknown name. */
LPOT_MUST_CHECK lpot_status lpot_strategy_new(const char *name, const lpot_space *space,
                                              const lpot_strategy_options *options,
                                              lpot_strategy **ret_strategy, lpot_error *err);
void lpot_strategy_free(lpot_strategy *strategy);
LPOT_MUST_CHECK lpot_status lpot_strategy_next(lpot_strategy *strategy, lpot_demand *ret_demand,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_strategy_tell(lpot_strategy *strategy, const lpot_result *result,
                                               lpot_error *err);
/* True when nothing told changes what is demanded: hints are then the next demands, in order. */
bool lpot_strategy_is_fixed(const lpot_strategy *strategy);
/* Stores up to capacity recipes in out (owned by the caller), most likely first, and for each the
 * purpose it would be demanded for in purposes [capacity] (may be NULL); *ret_count may be 0. Never
 * names the recipe of an unanswered demand. */
LPOT_MUST_CHECK lpot_status lpot_strategy_hints(const lpot_strategy *strategy, size_t capacity,
                                                lpot_recipe **out, lpot_purpose *purposes,
                                                size_t *ret_count, lpot_error *err);

#endif
