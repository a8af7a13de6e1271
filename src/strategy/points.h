/* Recipes as points: for each op the index of one of its options, and behind them the index of the
 * variant (space.h); and what was observed at such points. For strategies that learn from results.
 */
#ifndef LPOT_STRATEGY_POINTS_H
#define LPOT_STRATEGY_POINTS_H

#include "base/rng.h"
#include "strategy/space.h"

typedef struct lpot_point_space {
  const lpot_space *space; /* borrowed */
  bool with_f32; /* an op's options are all its configurations and what it falls back to, and there
                    are the variants of the first sampling size only; else the options of exhaustive
                    and random */
  size_t num_dims; /* ops, and one for the variant */
} lpot_point_space;

lpot_point_space lpot_point_space_of(const lpot_space *space, bool with_f32);
/* >= 1 */
size_t lpot_point_num_options(const lpot_point_space *points, size_t dim);
/* Option number index of an op; borrowed from the space. */
const lpot_op_config *lpot_point_option(const lpot_point_space *points, size_t op, size_t index);
/* point has shape [num_dims]. */
LPOT_MUST_CHECK lpot_status lpot_point_recipe(const lpot_point_space *points, const uint16_t *point,
                                              lpot_recipe **ret_recipe, lpot_error *err);
/* Uniform in all dimensions. */
void lpot_point_draw(const lpot_point_space *points, lpot_rng *rng, uint16_t *ret_point);
/* The point of the first uniform recipe (basic_uniform.h); options that it has not are 0. */
LPOT_MUST_CHECK lpot_status lpot_point_first_uniform(const lpot_point_space *points,
                                                     uint16_t *ret_point, lpot_error *err);

typedef struct lpot_observations {
  size_t num_dims;
  size_t count, capacity;
  uint16_t *points; /* [capacity, num_dims], owned */
  double *values;   /* [capacity], owned */
  double *noise;    /* [capacity], owned: variance of the value */
} lpot_observations;

void lpot_observations_done(lpot_observations *self);
/* Room for so many more; all zero but num_dims at first. */
LPOT_MUST_CHECK lpot_status lpot_observations_reserve(lpot_observations *self, size_t more,
                                                      lpot_error *err);
/* To be reserved before. */
void lpot_observations_add(lpot_observations *self, const uint16_t *point, double value,
                           double noise);
const uint16_t *lpot_observations_point(const lpot_observations *self, size_t index);
bool lpot_observations_has(const lpot_observations *self, const uint16_t *point);
/* Copies all, with room for so many more; *ret is zero before. */
LPOT_MUST_CHECK lpot_status lpot_observations_copy(const lpot_observations *self, size_t more,
                                                   lpot_observations *ret, lpot_error *err);

#endif
