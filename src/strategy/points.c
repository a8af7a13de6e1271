#include "strategy/points.h"

#include <string.h>

#include "base/memory.h"
#include "strategy/basic_uniform.h"
#include "strategy/strategy_impl.h"

lpot_point_space lpot_point_space_of(const lpot_space *space, bool with_f32) {
  return (lpot_point_space){
      .space = space, .with_f32 = with_f32, .num_dims = lpot_space_num_ops(space) + 1};
}

static bool lists_fallback(const lpot_space_op *op) {
  bool listed = false;
  for (size_t i = 0; i < op->num_configs; i++) {
    listed = listed || lpot_op_config_equal(&op->configs[i], &op->fallback);
  }
  return listed;
}

size_t lpot_point_num_options(const lpot_point_space *points, size_t dim) {
  if (dim + 1 == points->num_dims) {
    return points->with_f32 ? lpot_space_num_corrections(points->space)
                            : lpot_space_num_variants(points->space);
  }
  const lpot_space_op *op = lpot_space_get(points->space, dim);
  if (!points->with_f32) {
    return lpot_strategy_num_options(op);
  }
  return op->num_configs + (op->may_fall_back && !lists_fallback(op) ? 1 : 0);
}

const lpot_op_config *lpot_point_option(const lpot_point_space *points, size_t op, size_t index) {
  const lpot_space_op *entry = lpot_space_get(points->space, op);
  if (!points->with_f32) {
    return lpot_strategy_option(entry, index);
  }
  return index < entry->num_configs ? &entry->configs[index] : &entry->fallback;
}

lpot_status lpot_point_recipe(const lpot_point_space *points, const uint16_t *point,
                              lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_recipe *recipe = NULL;
  size_t num_ops = points->num_dims - 1;
  LPOT_TRY(lpot_strategy_blank_recipe(points->space, point[num_ops], &recipe, err));
  for (size_t i = 0; i < num_ops; i++) {
    recipe->ops[i] = *lpot_point_option(points, i, point[i]);
  }
  *ret_recipe = recipe;
  return LPOT_OK;
}

void lpot_point_draw(const lpot_point_space *points, lpot_rng *rng, uint16_t *ret_point) {
  for (size_t i = 0; i < points->num_dims; i++) {
    ret_point[i] = (uint16_t)lpot_rng_below(rng, lpot_point_num_options(points, i));
  }
}

lpot_status lpot_point_first_uniform(const lpot_point_space *points, uint16_t *ret_point,
                                     lpot_error *err) {
  lpot_recipe *uniform[LPOT_MAX_UNIFORM] = {0};
  size_t count = 0;
  LPOT_TRY(lpot_basic_uniform(points->space, uniform, &count, err));
  memset(ret_point, 0, points->num_dims * sizeof *ret_point);
  for (size_t op = 0; op + 1 < points->num_dims; op++) {
    for (size_t i = lpot_point_num_options(points, op); i > 0; i--) {
      if (lpot_op_config_equal(lpot_point_option(points, op, i - 1), &uniform[0]->ops[op])) {
        ret_point[op] = (uint16_t)(i - 1);
      }
    }
  }
  for (size_t i = 0; i < count; i++) {
    lpot_recipe_free(uniform[i]);
  }
  return LPOT_OK;
}

/* ---- observations ---- */

void lpot_observations_done(lpot_observations *self) {
  lpot_free(self->points);
  lpot_free(self->values);
  lpot_free(self->noise);
  *self = (lpot_observations){0};
}

lpot_status lpot_observations_reserve(lpot_observations *self, size_t more, lpot_error *err) {
  if (self->count + more <= self->capacity) {
    return LPOT_OK;
  }
  size_t capacity = 2 * self->count + more + 16;
  lpot_observations larger = {.num_dims = self->num_dims, .capacity = capacity};
  larger.points = lpot_calloc(capacity, self->num_dims * sizeof *larger.points);
  larger.values = lpot_calloc(capacity, sizeof *larger.values);
  larger.noise = lpot_calloc(capacity, sizeof *larger.noise);
  if (larger.points == NULL || larger.values == NULL || larger.noise == NULL) {
    lpot_observations_done(&larger);
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < self->count; i++) {
    lpot_observations_add(&larger, lpot_observations_point(self, i), self->values[i],
                          self->noise[i]);
  }
  lpot_observations_done(self);
  *self = larger;
  return LPOT_OK;
}

void lpot_observations_add(lpot_observations *self, const uint16_t *point, double value,
                           double noise) {
  memcpy(self->points + self->count * self->num_dims, point, self->num_dims * sizeof *point);
  self->values[self->count] = value;
  self->noise[self->count] = noise;
  self->count++;
}

const uint16_t *lpot_observations_point(const lpot_observations *self, size_t index) {
  return self->points + index * self->num_dims;
}

bool lpot_observations_has(const lpot_observations *self, const uint16_t *point) {
  size_t size = self->num_dims * sizeof *point;
  size_t index = 0;
  while (index < self->count && memcmp(lpot_observations_point(self, index), point, size) != 0) {
    index++;
  }
  return index < self->count;
}

lpot_status lpot_observations_copy(const lpot_observations *self, size_t more,
                                   lpot_observations *ret, lpot_error *err) {
  *ret = (lpot_observations){.num_dims = self->num_dims};
  LPOT_TRY(lpot_observations_reserve(ret, self->count + more, err));
  for (size_t i = 0; i < self->count; i++) {
    lpot_observations_add(ret, lpot_observations_point(self, i), self->values[i], self->noise[i]);
  }
  return LPOT_OK;
}
