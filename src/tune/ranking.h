/* Which of the accepted trials is the best one by an objective. Pure. */
#ifndef LPOT_TUNE_RANKING_H
#define LPOT_TUNE_RANKING_H

#include "tune/ledger.h"
#include "tune/objective.h"

#define LPOT_FOOTPRINT_NOISE 65536.0 /* bytes: pages that come and go with addresses and heaps */

/* True for a trial that may be handed out. */
typedef bool (*lpot_accept_function)(const void *context, const lpot_ledger_trial *trial);

/* What a trial costs, f32 = 1 in each:
 * performance  its latency over that of f32 measured beside it, where that is trusted
 * modelsize    bytes of the exported model over those of the f32 model (bytes alone where the
 *              latter are not known)
 * footprint    bytes of memory over those of f32, LPOT_FOOTPRINT_NOISE more or less
 * accuracy     1 + relative loss (1 + absolute loss where the baseline is 0), of DONE trials */
void lpot_ranking_figures(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                          lpot_figure figures[LPOT_NUM_OBJECTIVES]);

/* Takes the weight from each objective of which no accepted trial knows its figure. */
void lpot_ranking_drop_unknown(const lpot_ledger *ledger, lpot_objectives *objectives,
                               lpot_accept_function accepted, const void *context);

/* A trial is faster than another when the intervals of their speeds beside f32 (each against the
 * f32 of its own node) are disjoint. Of those that no other one beats, the one with the fewest
 * borders between int8 and float is taken, then that with the lowest recipe hash. What is not
 * trusted is never called faster: it only counts where nothing is trusted, and then more ops in
 * int8 come before fewer borders. NULL when none is accepted. */
const lpot_ledger_trial *lpot_ranking_fastest(const lpot_ledger *ledger,
                                              lpot_accept_function accepted, const void *context);

/* The cost of a trial is the mean of its figures by the objectives' weights. One beats another when
 * its interval lies below the other's; of those that no other one beats, that of
 * lpot_ranking_fastest is taken. An objective that is not known of any accepted trial does not
 * count, and where it is known of some, the others are not in the running; NULL when none is
 * accepted. */
const lpot_ledger_trial *lpot_ranking_best(const lpot_ledger *ledger,
                                           const lpot_objectives *objectives,
                                           lpot_accept_function accepted, const void *context);

#endif
