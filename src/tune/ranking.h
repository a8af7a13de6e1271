/* Which of the accepted trials is the fastest. Pure. */
#ifndef LPOT_TUNE_RANKING_H
#define LPOT_TUNE_RANKING_H

#include "tune/ledger.h"

/* True for a trial that may be handed out. */
typedef bool (*lpot_accept_function)(const void *context, const lpot_ledger_trial *trial);

/* A trial is faster than another when the intervals of their speeds beside f32 (each against the
 * f32 of its own node) are disjoint. Of those that no other one beats, the one with the fewest
 * borders between int8 and float is taken, then that with the lowest recipe hash. What is not
 * trusted is never called faster: it only counts where nothing is trusted, and then more ops in
 * int8 come before fewer borders. NULL when none is accepted. */
const lpot_ledger_trial *lpot_ranking_fastest(const lpot_ledger *ledger,
                                              lpot_accept_function accepted, const void *context);

#endif
