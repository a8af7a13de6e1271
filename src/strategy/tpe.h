/* The loss that the strategy tpe minimises (tpe.c has the formula). */
#ifndef LPOT_STRATEGY_TPE_H
#define LPOT_STRATEGY_TPE_H

#include "strategy/strategy.h"

/* share: of the recipe's ops that are int8. Infinite for a failed trial. */
double lpot_tpe_loss(const lpot_strategy_options *options, const lpot_result *result, double share);

#endif
