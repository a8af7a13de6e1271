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
  LPOT_RANK,   /* its accuracy feeds an ordering: evaluate fully */
  LPOT_SENSE   /* no trial: how much it changes the outputs of the network, without labels */
} lpot_purpose;

/* X(NAME, text): recorded with each trial. */
#define LPOT_STAGE_LIST(X)                                                                         \
  X(UNIFORM, "uniform")                                                                            \
  X(ONE_BY_ONE, "one_by_one")                                                                      \
  X(GREEDY, "greedy")                                                                              \
  X(CUMULATIVE, "cumulative")                                                                      \
  X(SAMPLE, "sample")                                                                              \
  X(GIVEN, "given")                                                                                \
  X(BY_TYPE, "by_type")                                                                            \
  X(MODEL, "model")                                                                                \
  X(SENSE, "sense")                                                                                \
  X(FALLBACK, "fallback")                                                                          \
  X(REVERT, "revert")                                                                              \
  X(PROPOSED, "proposed")

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
  double error; /* for a demand that was to SENSE, and only then: mean squared error of the outputs
                   relative to f32's; such a result has nothing else but valid and samples */
  double speedup; /* time of f32 / time of the recipe, as measured; 0: not known */
} lpot_result;

/* Who proposes recipes for the strategy external: not pure, and therefore not of this floor. Each
 * function may fail; context is its own. */
typedef struct lpot_proposer {
  void *context;
  /* The next recipe, owned by the caller; NULL: there are no more. */
  lpot_status (*propose)(void *context, lpot_recipe **ret_recipe, lpot_error *err);
  /* What became of the recipe that was proposed last. */
  lpot_status (*answer)(void *context, const lpot_result *result, lpot_error *err);
  /* A trial of an earlier run, that nobody proposes again. Before the first propose. */
  lpot_status (*recall)(void *context, const lpot_recipe *recipe, const lpot_result *result,
                        lpot_error *err);
  /* Recipes that will be proposed next, as far as they are known now: owned by the caller. */
  lpot_status (*peek)(void *context, size_t capacity, lpot_recipe **out, size_t *ret_count,
                      lpot_error *err);
} lpot_proposer;

typedef struct lpot_strategy_options {
  uint64_t seed;
  bool higher_is_better;
  double baseline;           /* the f32 model's metric */
  int64_t samples;           /* size of the evaluation set */
  const lpot_op_cost *costs; /* [lpot_space_num_ops], borrowed while the strategy lives; NULL: not
                                known, or not yet: lpot_strategy_set_costs */
  size_t num_links;          /* 0: not known */
  const lpot_op_link *links; /* [num_links] between the space's ops, borrowed like costs */
  double accuracy_weight, latency_weight; /* tpe, >= 0 */
  bool ignores_latency;                   /* auto: no op leaves int8 because it is faster in f32 */
  const lpot_proposer *proposer; /* external: borrowed for the strategy's life; else NULL */
} lpot_strategy_options;

typedef struct lpot_strategy lpot_strategy;

/* Names of all strategies, NULL terminated. */
const char *const *lpot_strategy_names(void);
/* True for strategies whose recipes get better after the first that meets the criterion: the search
 * goes on until they have no more, and the last one that meets it is the best. */
bool lpot_strategy_goes_on(const char *name);
/* space must outlive the strategy. LPOT_NOT_FOUND for an unknown name. */
LPOT_MUST_CHECK lpot_status lpot_strategy_new(const char *name, const lpot_space *space,
                                              const lpot_strategy_options *options,
                                              lpot_strategy **ret_strategy, lpot_error *err);
void lpot_strategy_free(lpot_strategy *strategy);
/* True when what ops cost is needed for the next demand and not known: it may be measured now. */
bool lpot_strategy_wants_costs(const lpot_strategy *strategy);
/* costs as in the options; NULL: they stay unknown, and are not wanted again. */
void lpot_strategy_set_costs(lpot_strategy *strategy, const lpot_op_cost *costs);
LPOT_MUST_CHECK lpot_status lpot_strategy_next(lpot_strategy *strategy, lpot_demand *ret_demand,
                                               lpot_error *err);
/* True for strategies whose earlier trials are not demanded again but recalled. */
bool lpot_strategy_recalls(const char *name);
/* In place of next and tell: a trial of an earlier run. LPOT_INTERNAL where the strategy does not
 * recall, or has a demand that is unanswered. */
LPOT_MUST_CHECK lpot_status lpot_strategy_recall(lpot_strategy *strategy, const lpot_recipe *recipe,
                                                 const lpot_result *result, lpot_error *err);
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
