/* The uniform recipes of the strategy basic: one tuple of settings for all ops at once.
 *
 * A tuple is (activation dtype, scheme, algorithm, weight granularity). Those that some quantized
 * configuration of the space has are ranked by block and, within a block, by algorithm:
 *   blocks       u8 asym per_channel, s8 sym per_channel, u8 asym per_tensor, s8 sym per_tensor,
 *                u8 sym per_channel, s8 asym per_channel, u8 sym per_tensor, s8 asym per_tensor;
 *   algorithms   minmax, percentile, kl, mse.
 * Ops with a constant weight decide which tuples there are; where no op has one, the granularity
 * does not count. For a tuple every op takes its first configuration that has the tuple's settings
 * (ops without a constant weight need not have the granularity), else its first quantized one, else
 * its first one. Equal recipes count once, the first LPOT_MAX_UNIFORM are kept. */
#ifndef LPOT_STRATEGY_BASIC_UNIFORM_H
#define LPOT_STRATEGY_BASIC_UNIFORM_H

#include "strategy/space.h"

#define LPOT_MAX_UNIFORM 12

/* Fills out [LPOT_MAX_UNIFORM] with recipes for the first variant, most promising first; at
 * least one, even when no op can be quantized. On failure all of out are NULL. */
LPOT_MUST_CHECK lpot_status lpot_basic_uniform(const lpot_space *space, lpot_recipe **out,
                                               size_t *ret_count, lpot_error *err);

#endif
