/* The search (search.c) and what is handed out of it (choose.c): trials in the order in which the
 * strategy demands them. Not collective. */
#ifndef LPOT_TUNE_SEARCH_H
#define LPOT_TUNE_SEARCH_H

#include "tune/run.h"

/* Runs trials until one of the configuration's rules ends the search: a recipe that meets the
 * criterion (timeout 0; not where the strategy goes on after it, nor for the objective accuracy),
 * the clock (timeout > 0), max_trials, performance_only, or a strategy that has no more recipes.
 * Trials of the ledger are replayed first: the strategy must demand them again. Ids, recipes and
 * accuracies do not depend on the number of workers. */
LPOT_MUST_CHECK lpot_status lpot_search(lpot_run *run, lpot_error *err);

/* Measures latency and size of a trial unless the ledger has them: all workers are made idle, then
 * one measures. */
LPOT_MUST_CHECK lpot_status lpot_search_measure(lpot_run *run, uint64_t id, lpot_error *err);

/* Where recipes are compared without a timeout, no latency was measured: those of the front's
 * members (pareto.h) that meet the criterion are now, eight at most, each time of the first that
 * has none. */
LPOT_MUST_CHECK lpot_status lpot_search_measure_front(lpot_run *run, lpot_error *err);

/* Measures the memory of a trial, and of f32, where footprint is an objective and the ledger has it
 * not: in new processes. What cannot be measured stays unknown, with a warning. */
LPOT_MUST_CHECK lpot_status lpot_search_weigh(lpot_run *run, uint64_t id, lpot_error *err);

/* Evaluates what is exported of a trial where that is another recipe (lpot_recipe_exported), unless
 * the ledger has its result; warns when it misses the criterion. */
LPOT_MUST_CHECK lpot_status lpot_search_certify(lpot_run *run, uint64_t id, lpot_error *err);

/* False where the trial was cut short and its accuracy is an estimate. */
bool lpot_search_is_whole(const lpot_run *run, uint64_t id);
/* Evaluates a trial that was cut short on the whole set. */
LPOT_MUST_CHECK lpot_status lpot_search_complete(lpot_run *run, uint64_t id, lpot_error *err);

/* The trial to hand out: the lowest accepted id (timeout 0; the highest where the strategy goes on
 * after the first); where recipes are compared (lpot_config_compares) the best accepted one by the
 * objectives (lpot_ranking_best); else the most accurate, by estimate where it was cut short.
 * LPOT_NO_TRIAL when none is valid. *ret_met: it meets the criterion, or performance_only asked for
 * no more. */
uint64_t lpot_search_choose(const lpot_run *run, bool *ret_met);
/* Tells which parts of the objective did not count in that choice. */
void lpot_search_warn_of_objective(const lpot_run *run);

#endif
