#include "strategy/fallback_path.h"

#include <math.h>

#include "base/memory.h"

#define NEAR 0.02 /* of the time all in int8: less is not told from nothing */

/* ---- time ---- */

typedef enum precision { IN_F32, IN_INT8, IN_BF16 } precision;

static precision precision_of(const lpot_op_config *config) {
  if (lpot_op_config_is_quantized(config)) {
    return IN_INT8;
  }
  return lpot_op_config_is_bf16(config) ? IN_BF16 : IN_F32;
}

static double known(double microseconds) {
  return isnan(microseconds) ? 0 : microseconds;
}

static precision precision_at(const lpot_recipe *recipe, size_t op) {
  return op == LPOT_NO_OP ? IN_F32 : precision_of(&recipe->ops[op]);
}

static void count_end(size_t *firsts, size_t op) {
  if (op != LPOT_NO_OP) {
    firsts[op + 1]++;
  }
}

static void put_end(lpot_time_model *model, size_t *filled, size_t op, size_t link) {
  if (op != LPOT_NO_OP) {
    model->of[model->firsts[op] + filled[op]++] = link;
  }
}

static void index_links(lpot_time_model *model, size_t *filled, size_t num_links) {
  for (size_t i = 0; i < num_links; i++) {
    count_end(model->firsts, model->links[i].from);
    count_end(model->firsts, model->links[i].to);
  }
  for (size_t i = 0; i < model->num_ops; i++) {
    model->firsts[i + 1] += model->firsts[i];
  }
  for (size_t i = 0; i < num_links; i++) {
    put_end(model, filled, model->links[i].from, i);
    put_end(model, filled, model->links[i].to, i);
  }
}

lpot_status lpot_time_model_init(lpot_time_model *model, size_t num_ops, const lpot_op_cost *costs,
                                 const lpot_op_link *links, size_t num_links, lpot_error *err) {
  *model = (lpot_time_model){.costs = costs,
                             .links = links,
                             .num_ops = num_ops,
                             .firsts = lpot_calloc(num_ops + 1, sizeof *model->firsts),
                             .of = lpot_calloc(2 * num_links + 1, sizeof *model->of)};
  size_t *filled = lpot_calloc(num_ops + 1, sizeof *filled);
  if (model->firsts == NULL || model->of == NULL || filled == NULL) {
    lpot_free(filled);
    lpot_time_model_done(model);
    return LPOT_OUT_OF_MEMORY(err);
  }
  index_links(model, filled, num_links);
  lpot_free(filled);
  return LPOT_OK;
}

void lpot_time_model_done(lpot_time_model *model) {
  lpot_free(model->firsts);
  lpot_free(model->of);
  *model = (lpot_time_model){0};
}

/* Links that end at an op, of all and of those that start in another precision; and whether another
 * precision reads what it makes. */
typedef struct border {
  double inputs, foreign_inputs;
  bool is_read_elsewhere;
} border;

static border border_of(const lpot_time_model *model, const lpot_recipe *recipe, size_t op) {
  border found = {0};
  precision own = precision_at(recipe, op);
  for (size_t i = model->firsts[op]; i < model->firsts[op + 1]; i++) {
    const lpot_op_link *link = &model->links[model->of[i]];
    if (link->to == op) {
      found.inputs += 1;
      found.foreign_inputs += precision_at(recipe, link->from) != own ? 1 : 0;
    } else {
      found.is_read_elsewhere = found.is_read_elsewhere || precision_at(recipe, link->to) != own;
    }
  }
  return found;
}

static double time_of_op(const lpot_time_model *model, const lpot_recipe *recipe, size_t op) {
  precision own = precision_at(recipe, op);
  if (model->costs == NULL) {
    return own == IN_INT8 ? 0 : 1;
  }
  const lpot_op_cost *cost = &model->costs[op];
  if (own == IN_F32) {
    return known(cost->f32_us);
  }
  border found = border_of(model, recipe, op);
  double entry = own == IN_INT8 ? cost->quantize_us : cost->to_bf16_us;
  double leave = own == IN_INT8 ? cost->dequantize_us : cost->from_bf16_us;
  double time = known(own == IN_INT8 ? cost->int8_us : cost->bf16_us);
  time += found.inputs > 0 ? known(entry) * found.foreign_inputs / found.inputs : 0;
  return time + (found.is_read_elsewhere ? known(leave) : 0);
}

double lpot_time_model_estimate(const lpot_time_model *model, const lpot_recipe *recipe) {
  double sum = 0;
  for (size_t i = 0; i < recipe->num_ops; i++) {
    sum += time_of_op(model, recipe, i);
  }
  return sum;
}

double lpot_time_model_least(const lpot_time_model *model, const lpot_recipe *recipe) {
  return model->costs == NULL ? 0 : lpot_time_model_estimate(model, recipe) / 1000;
}

/* Of an op and all it has a link with: what a change of it changes. */
static double time_around(const lpot_time_model *model, const lpot_recipe *recipe, size_t op) {
  double sum = time_of_op(model, recipe, op);
  for (size_t i = model->firsts[op]; i < model->firsts[op + 1]; i++) {
    const lpot_op_link *link = &model->links[model->of[i]];
    size_t other = link->to == op ? link->from : link->to;
    sum += other == LPOT_NO_OP ? 0 : time_of_op(model, recipe, other);
  }
  return sum;
}

/* ---- the path ---- */

bool lpot_fallback_is_candidate(const lpot_space *space, const lpot_recipe *recipe, size_t op) {
  const lpot_op_config *config = &recipe->ops[op];
  return lpot_space_get(space, op)->may_fall_back &&
         (lpot_op_config_is_quantized(config) || lpot_op_config_is_bf16(config));
}

void lpot_fallback_apply(const lpot_space *space, const lpot_fallback_step *step,
                         lpot_recipe *recipe) {
  const lpot_space_op *op = lpot_space_get(space, step->op);
  recipe->ops[step->op] = step->to_f32 || op->bf16 == NULL ? op->fallback : *op->bf16;
}

typedef struct path_walk {
  const lpot_space *space;
  const lpot_time_model *model;
  const double *damage; /* NULL: the step that costs least time comes first */
  double least_time;    /* what an op costs at least */
  lpot_recipe *recipe;
  lpot_fallback_step *steps;
  size_t count;
} path_walk;

/* Damage for the time that the step costs, or the time that it saves. */
static double worth_of(const path_walk *walk, const lpot_fallback_step *step) {
  lpot_op_config before = walk->recipe->ops[step->op];
  double time = -time_around(walk->model, walk->recipe, step->op);
  lpot_fallback_apply(walk->space, step, walk->recipe);
  time += time_around(walk->model, walk->recipe, step->op);
  walk->recipe->ops[step->op] = before;
  return walk->damage == NULL ? -time : walk->damage[step->op] / fmax(time, walk->least_time);
}

static bool may_step(const path_walk *walk, const lpot_fallback_step *step) {
  const lpot_op_config *config = &walk->recipe->ops[step->op];
  return lpot_fallback_is_candidate(walk->space, walk->recipe, step->op) &&
         lpot_op_config_is_bf16(config) == step->to_f32;
}

/* Takes the step that is worth most; false where there is none. */
static bool take_step(path_walk *walk, bool to_f32) {
  lpot_fallback_step best = {.op = LPOT_NO_OP};
  double most = -(double)INFINITY;
  for (size_t i = walk->recipe->num_ops; i > 0; i--) {
    const lpot_fallback_step step = {.op = i - 1, .to_f32 = to_f32};
    double worth = may_step(walk, &step) ? worth_of(walk, &step) : -(double)INFINITY;
    if (worth > most) {
      most = worth;
      best = step;
    }
  }
  if (best.op == LPOT_NO_OP) {
    return false;
  }
  best.to_f32 = to_f32 || lpot_space_get(walk->space, best.op)->bf16 == NULL;
  lpot_fallback_apply(walk->space, &best, walk->recipe);
  walk->steps[walk->count++] = best;
  return true;
}

lpot_status lpot_fallback_path(const lpot_space *space, const lpot_time_model *model,
                               const lpot_recipe *base, const double *damage,
                               lpot_fallback_step **ret_steps, size_t *ret_count, lpot_error *err) {
  double least = lpot_time_model_least(model, base);
  path_walk walk = {
      .space = space, .model = model, .damage = damage, .least_time = least > 0 ? least : 1};
  walk.steps = lpot_calloc(2 * base->num_ops + 1, sizeof *walk.steps);
  lpot_status status =
      walk.steps == NULL ? LPOT_OUT_OF_MEMORY(err) : lpot_recipe_clone(base, &walk.recipe, err);
  if (status == LPOT_OK) {
    while (take_step(&walk, false)) {
    }
    while (take_step(&walk, true)) {
    }
  }
  lpot_recipe_free(walk.recipe);
  if (status != LPOT_OK) {
    lpot_free(walk.steps);
    return status;
  }
  *ret_steps = walk.steps;
  *ret_count = walk.count;
  return LPOT_OK;
}

/* ---- the fastest recipe ---- */

/* How many steps lead within NEAR of the least time; times [count + 1] are those behind so many.
 * None where f32 is as fast: what is gained by int8 is memory then. */
static size_t steps_to_least(const double *times, size_t count) {
  double near = NEAR * times[0];
  double least = times[0];
  size_t steps = 0;
  for (size_t i = 1; i <= count; i++) {
    least = fmin(least, times[i]);
  }
  while (times[steps] > least + near) {
    steps++;
  }
  return least < (1 - NEAR) * times[count] ? steps : 0;
}

/* Times in which int8 is as fast, and all else as slow, as their intervals allow. */
static lpot_status doubt(const lpot_time_model *model, lpot_op_cost **ret_costs, lpot_error *err) {
  lpot_op_cost *costs = lpot_calloc(model->num_ops + 1, sizeof *costs);
  if (costs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < model->num_ops; i++) {
    double spread = known(model->costs[i].spread);
    costs[i] = model->costs[i];
    costs[i].int8_us *= fmax(1 - spread, 0);
    costs[i].f32_us *= 1 + spread;
    costs[i].bf16_us *= 1 + spread;
  }
  *ret_costs = costs;
  return LPOT_OK;
}

static lpot_status make_faster(const lpot_space *space, const lpot_time_model *model,
                               lpot_recipe *recipe, lpot_error *err) {
  lpot_fallback_step *steps = NULL;
  lpot_recipe *walked = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_fallback_path(space, model, recipe, NULL, &steps, &count, err));
  double *times = lpot_calloc(count + 1, sizeof *times);
  lpot_status status =
      times == NULL ? LPOT_OUT_OF_MEMORY(err) : lpot_recipe_clone(recipe, &walked, err);
  if (status == LPOT_OK) {
    times[0] = lpot_time_model_estimate(model, walked);
    for (size_t i = 0; i < count; i++) {
      lpot_fallback_apply(space, &steps[i], walked);
      times[i + 1] = lpot_time_model_estimate(model, walked);
    }
    count = steps_to_least(times, count);
    for (size_t i = 0; i < count; i++) {
      lpot_fallback_apply(space, &steps[i], recipe);
    }
  }
  lpot_recipe_free(walked);
  lpot_free(times);
  lpot_free(steps);
  return status;
}

lpot_status lpot_fallback_fastest(const lpot_space *space, const lpot_time_model *model,
                                  lpot_recipe *recipe, lpot_error *err) {
  lpot_time_model doubted = *model; /* but for the costs borrowed */
  lpot_op_cost *costs = NULL;
  if (model->costs == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(doubt(model, &costs, err));
  doubted.costs = costs;
  lpot_status status = make_faster(space, &doubted, recipe, err);
  lpot_free(costs);
  return status;
}
