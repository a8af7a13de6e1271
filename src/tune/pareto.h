/* The Pareto front of a run's trials in accuracy, latency, size and, where it is known, footprint.
 * Pure. */
#ifndef LPOT_TUNE_PARETO_H
#define LPOT_TUNE_PARETO_H

#include <stdint.h>

#include "tune/ledger.h"
#include "tune/objective.h"

typedef struct lpot_pareto_row {
  uint64_t trial;
  lpot_figure figures[LPOT_NUM_OBJECTIVES]; /* less is better; NaN: not known */
  bool member;                              /* set by lpot_pareto_front */
} lpot_pareto_row;

/* Finds the members: rows that no other one dominates. a dominates b where a is worse in no figure
 * and better in one. Intervals that overlap are alike, as for the choice of the fastest. A figure
 * that is not known is worse than every known one, and like any that is not known: a row without it
 * is a member for its other figures alone. Rows with the same figures do not dominate each other.
 * Several figures may overlap without being equal, therefore a row may be dominated by one that is
 * itself no member; there is always a member. */
void lpot_pareto_front(lpot_pareto_row *rows, size_t count);

/* The rows of the front among the trials that were evaluated on the whole set (DONE, also where
 * they miss the criterion), in the order of their ids, with figures as in lpot_ranking_figures;
 * *ret_rows has room for *ret_count, owned by the caller (lpot_free). */
LPOT_MUST_CHECK lpot_status lpot_pareto_of(const lpot_ledger *ledger, lpot_pareto_row **ret_rows,
                                           size_t *ret_count, lpot_error *err);

#endif
