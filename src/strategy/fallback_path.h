/* In which order ops fall back from int8: the one first that does most damage for the time that it
 * saves. The path of a Lagrangian relaxation of the knapsack "least damage within a time" (Everett
 * 1963; HAWQ-V3, ICML 2021, for networks), taken greedily, one op at a step, so that each recipe of
 * the path has all fallbacks of those before it.
 *
 * Time of a recipe: of each op in its precision, and of each border: an int8 (bf16) op pays for its
 * inputs in the proportion of those that something else than an int8 (bf16) op makes, and for its
 * result if anything else reads it. An op that falls back beside another one that has is therefore
 * cheaper than one in the middle of int8. */
#ifndef LPOT_STRATEGY_FALLBACK_PATH_H
#define LPOT_STRATEGY_FALLBACK_PATH_H

#include "strategy/strategy.h"

/* What times are made of. Without costs each op that is not int8 counts 1. */
typedef struct lpot_time_model {
  const lpot_op_cost *costs; /* [num_ops] borrowed; NULL: not known; what is NaN counts as 0 */
  const lpot_op_link *links; /* borrowed */
  size_t num_ops;
  size_t
      *firsts; /* [num_ops + 1] owned: the links of op are of[firsts[op]] to of[firsts[op + 1]] */
  size_t *of;  /* owned: indices of links, each once at both its ends */
} lpot_time_model;

/* links [num_links] name ops below num_ops, or LPOT_NO_OP. On failure there is nothing to undo. */
LPOT_MUST_CHECK lpot_status lpot_time_model_init(lpot_time_model *model, size_t num_ops,
                                                 const lpot_op_cost *costs,
                                                 const lpot_op_link *links, size_t num_links,
                                                 lpot_error *err);
void lpot_time_model_done(lpot_time_model *model); /* one that is all 0 is allowed */
/* Microseconds for one sample, without what belongs to no op: good for comparisons only. */
double lpot_time_model_estimate(const lpot_time_model *model, const lpot_recipe *recipe);

/* What counts as no time: a thousandth of the time of a recipe; without costs 0. */
double lpot_time_model_least(const lpot_time_model *model, const lpot_recipe *recipe);

typedef struct lpot_fallback_step {
  size_t op;
  bool to_f32; /* else to bf16 */
} lpot_fallback_step;

/* The steps from base on. damage [number of ops] >= 0, infinite where it is not known (such ops
 * come first), or NULL: the step that costs least time comes first. Candidates are the int8 and
 * bf16 ops of base that may fall back. int8 falls back to bf16 where the space has that, and when
 * all have those go on to F32. Beside damage an op that costs nothing, or saves something, counts
 * as if it cost lpot_time_model_least. Of equals the last op comes first. *ret_steps is owned
 * (lpot_free), at most two steps for an op. */
LPOT_MUST_CHECK lpot_status lpot_fallback_path(const lpot_space *space,
                                               const lpot_time_model *model,
                                               const lpot_recipe *base, const double *damage,
                                               lpot_fallback_step **ret_steps, size_t *ret_count,
                                               lpot_error *err);

/* Lets those ops of recipe fall back that make it faster, be it by what is converted no more around
 * them: of the path on which the step that costs least time comes first, the steps until within 2 %
 * of the least time (of what all takes in int8): so little is not told from nothing, and int8 needs
 * less memory. Times count as they speak for int8 within their intervals (spread). Nothing is
 * changed without costs, where less than 2 % are gained, or where f32 (what may not fall back as it
 * is) is within 2 % of the least time. */
LPOT_MUST_CHECK lpot_status lpot_fallback_fastest(const lpot_space *space,
                                                  const lpot_time_model *model, lpot_recipe *recipe,
                                                  lpot_error *err);

/* Changes recipe by one step. */
void lpot_fallback_apply(const lpot_space *space, const lpot_fallback_step *step,
                         lpot_recipe *recipe);

/* True for an op of the recipe that is int8 or bf16 and may become F32. */
bool lpot_fallback_is_candidate(const lpot_space *space, const lpot_recipe *recipe, size_t op);

#endif
