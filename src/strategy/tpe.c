/* Strategy tpe: the tree-structured Parzen estimator of Bergstra, Bardenet, Bengio and Kegl
 * (Algorithms for Hyper-Parameter Optimization, 2011), with LPOT's loss.
 *
 * An op's options are all its configurations, f32 included. The first trial is the first uniform
 * recipe, those up to the tenth are drawn uniformly. Then the n trials so far are parted into the
 * best min(ceil(0.3 sqrt(n)), 25) by loss and the others. For each op by itself some options are
 * drawn from the frequencies among the best (each option counts `prior` more), and that with the
 * largest ratio of its frequencies among the best and among the others is taken. Draws:
 * the smallest number of options of an op that has several; prior: one over that number. What was
 * tried before is drawn again, in the end uniformly; after MAX_REPEATS draws in a row that brought
 * nothing new the space counts as exhausted. Variants (space.h) are those of the first
 * sampling size, one more choice beside those of the ops.
 *
 * Loss. With d the relative loss of accuracy and s the speedup over f32 (where it was not measured:
 * 1 + the share of int8 ops), A = exp(d) and L = -8 ln(1000 s):
 *   w_accuracy * 10 (A - A(0)) / (A(0.01) - A(0)) + w_latency * 10 (L - L(2)) / (L(1) - L(2))
 * where w_accuracy counts only for trials that miss the criterion; these lose 80 more. Both weights
 * 0 means w_accuracy 1. A failed trial is the worst. */
#include "strategy/tpe.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "strategy/points.h"
#include "strategy/strategy_impl.h"

#define STARTUP 10
#define GAMMA 0.3
#define MOST_BELOW 25.0
#define MAX_REPEATS 1000
#define MODEL_REPEATS 100 /* of them drawn by the model */
#define PENALTY 80.0
#define MAX_LOSS_EXPONENT 100.0
#define MAX_HINT_NODES 4096u

typedef struct tpe {
  lpot_strategy base;
  lpot_point_space points;
  lpot_observations seen; /* values: losses */
  uint16_t *pending;      /* [num_dims], owned; point of the unanswered demand */
  double share;           /* of its ops that are int8 */
  size_t max_options;
  uint64_t num_draws; /* options drawn for each op */
  double prior;
} tpe;

/* ---- the loss ---- */

static double accuracy_loss(const lpot_strategy_options *options, double accuracy) {
  double loss =
      options->higher_is_better ? options->baseline - accuracy : accuracy - options->baseline;
  loss /= options->baseline != 0 ? fabs(options->baseline) : 1;
  return fmin(loss, MAX_LOSS_EXPONENT);
}

static double latency_term(double speedup) {
  return -8 * log(1000 * speedup);
}

double lpot_tpe_loss(const lpot_strategy_options *options, const lpot_result *result,
                     double share) {
  if (!result->valid || isnan(result->accuracy)) {
    return (double)INFINITY;
  }
  double weight = options->accuracy_weight;
  if (options->accuracy_weight == 0 && options->latency_weight == 0) {
    weight = 1;
  }
  double speedup = result->speedup > 0 ? result->speedup : 1 + share;
  double accuracy = 10 * expm1(accuracy_loss(options, result->accuracy)) / expm1(0.01);
  double latency =
      10 * (latency_term(speedup) - latency_term(2)) / (latency_term(1) - latency_term(2));
  return (result->meets ? 0 : weight * accuracy + PENALTY) + options->latency_weight * latency;
}

/* ---- the model ---- */

/* Memory for one proposal. */
typedef struct workspace {
  bool *below;           /* [observations]: one of the best */
  double *best, *others; /* [num_dims, max_options] frequencies, each `prior` larger */
} workspace;

static void workspace_done(workspace *space) {
  lpot_free(space->below);
  lpot_free(space->best);
  lpot_free(space->others);
}

static lpot_status workspace_new(const tpe *self, size_t count, workspace *space, lpot_error *err) {
  size_t num_dims = self->points.num_dims;
  space->below = lpot_calloc(count + 1, sizeof *space->below);
  space->best = lpot_calloc(num_dims, self->max_options * sizeof *space->best);
  space->others = lpot_calloc(num_dims, self->max_options * sizeof *space->others);
  if (space->below == NULL || space->best == NULL || space->others == NULL) {
    workspace_done(space);
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

/* Finds the best, of equal ones the first. */
static void part(const lpot_observations *seen, bool *below) {
  size_t most = (size_t)fmin(ceil(GAMMA * sqrt((double)seen->count)), MOST_BELOW);
  for (size_t k = 0; k < most; k++) {
    size_t best = seen->count;
    for (size_t i = 0; i < seen->count; i++) {
      if (!below[i] && (best == seen->count || seen->values[i] < seen->values[best])) {
        best = i;
      }
    }
    if (best < seen->count) {
      below[best] = true;
    }
  }
}

static void count_options(const tpe *self, const lpot_observations *seen, workspace *space) {
  size_t num_dims = self->points.num_dims;
  for (size_t i = 0; i < num_dims * self->max_options; i++) {
    space->best[i] = self->prior;
    space->others[i] = self->prior;
  }
  for (size_t i = 0; i < seen->count; i++) {
    const uint16_t *point = lpot_observations_point(seen, i);
    double *counts = space->below[i] ? space->best : space->others;
    for (size_t dim = 0; dim < num_dims; dim++) {
      counts[dim * self->max_options + point[dim]] += 1;
    }
  }
}

static size_t draw_option(const double *weights, size_t count, lpot_rng *rng) {
  double total = 0;
  for (size_t i = 0; i < count; i++) {
    total += weights[i];
  }
  double place = lpot_rng_uniform(rng) * total;
  size_t option = 0;
  for (; option + 1 < count && place >= weights[option]; option++) {
    place -= weights[option];
  }
  return option;
}

static uint16_t choose_option(const tpe *self, size_t dim, const workspace *space, lpot_rng *rng) {
  const double *best = &space->best[dim * self->max_options];
  const double *others = &space->others[dim * self->max_options];
  size_t count = lpot_point_num_options(&self->points, dim);
  if (count == 1) {
    return 0;
  }
  size_t chosen = draw_option(best, count, rng);
  for (uint64_t i = 1; i < self->num_draws; i++) {
    size_t other = draw_option(best, count, rng);
    if (best[other] * others[chosen] > best[chosen] * others[other]) {
      chosen = other;
    }
  }
  return (uint16_t)chosen;
}

static void draw_point(const tpe *self, bool by_model, const workspace *space, lpot_rng *rng,
                       uint16_t *ret_point) {
  if (!by_model) {
    lpot_point_draw(&self->points, rng, ret_point);
    return;
  }
  for (size_t dim = 0; dim < self->points.num_dims; dim++) {
    ret_point[dim] = choose_option(self, dim, space, rng);
  }
}

/* The next point after what was seen: a function of that and the seed alone. *ret_found false: the
 * space is exhausted. */
static lpot_status propose(const tpe *self, const lpot_observations *seen, uint16_t *ret_point,
                           bool *ret_found, lpot_error *err) {
  if (seen->count == 0) {
    *ret_found = true;
    LPOT_TRY(lpot_point_first_uniform(&self->points, ret_point, err));
    return LPOT_OK;
  }
  workspace space = {0};
  LPOT_TRY(workspace_new(self, seen->count, &space, err));
  part(seen, space.below);
  count_options(self, seen, &space);
  lpot_rng rng;
  lpot_rng_init(&rng, lpot_strategy_seed(&self->base, seen->count));
  *ret_found = false;
  for (int i = 0; i < MAX_REPEATS && !*ret_found; i++) {
    bool by_model = seen->count >= STARTUP && i < MODEL_REPEATS;
    draw_point(self, by_model, &space, &rng, ret_point);
    *ret_found = !lpot_observations_has(seen, ret_point);
  }
  workspace_done(&space);
  return LPOT_OK;
}

/* ---- the class ---- */

static lpot_status tpe_init(lpot_strategy *strategy, lpot_error *err) {
  tpe *self = (tpe *)strategy;
  self->points = lpot_point_space_of(strategy->space, true);
  self->seen.num_dims = self->points.num_dims;
  for (size_t i = 0; i < self->points.num_dims; i++) {
    size_t count = lpot_point_num_options(&self->points, i);
    self->max_options = count > self->max_options ? count : self->max_options;
    if (count > 1 && (self->num_draws == 0 || count < self->num_draws)) {
      self->num_draws = count;
    }
  }
  self->num_draws = self->num_draws == 0 ? 1 : self->num_draws;
  self->prior = 1 / (double)self->num_draws;
  self->pending = lpot_calloc(self->points.num_dims, sizeof *self->pending);
  if (self->pending == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static void tpe_done(lpot_strategy *strategy) {
  tpe *self = (tpe *)strategy;
  lpot_observations_done(&self->seen);
  lpot_free(self->pending);
}

static lpot_status tpe_next(lpot_strategy *strategy, lpot_demand *ret_demand, lpot_error *err) {
  tpe *self = (tpe *)strategy;
  bool found = false;
  LPOT_TRY(lpot_observations_reserve(&self->seen, 1, err));
  LPOT_TRY(propose(self, &self->seen, self->pending, &found, err));
  if (!found) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_point_recipe(&self->points, self->pending, &ret_demand->recipe, err));
  const lpot_recipe *recipe = ret_demand->recipe;
  self->share = recipe->num_ops == 0
                    ? 0
                    : (double)lpot_recipe_num_quantized(recipe) / (double)recipe->num_ops;
  ret_demand->stage = self->seen.count < STARTUP ? LPOT_STAGE_SAMPLE : LPOT_STAGE_MODEL;
  ret_demand->purpose = LPOT_DECIDE;
  return LPOT_OK;
}

static lpot_status tpe_tell(lpot_strategy *strategy, const lpot_result *result, lpot_error *err) {
  (void)err;
  tpe *self = (tpe *)strategy;
  lpot_observations_add(&self->seen, self->pending,
                        lpot_tpe_loss(&strategy->options, result, self->share), 0);
  return LPOT_OK;
}

/* ---- hints ----
 *
 * What comes next depends on a result only by whether it is among the best. So for each unknown one
 * there are two cases: node 1 is what is known, node 2 n the case of node n in which the next
 * result is the worst so far, node 2 n + 1 that in which it is the best. */

typedef struct hint_tree {
  uint16_t *points; /* [MAX_HINT_NODES, num_dims] what comes next at each node */
  bool *found;      /* [MAX_HINT_NODES]: something can */
} hint_tree;

/* Adds to seen what is assumed on the way to node; false where nothing can come there. */
static bool assume(const tpe *self, const hint_tree *tree, size_t node, lpot_observations *seen) {
  size_t bit = 1;
  while (2 * bit <= node) {
    bit *= 2;
  }
  for (bit /= 2; bit > 0; bit /= 2) {
    size_t parent = node / (2 * bit);
    bool best = (node & bit) != 0;
    bool same = best && seen->count + 1 < STARTUP; /* What comes next is so in either case. */
    if (!tree->found[parent] || same) {
      return false;
    }
    lpot_observations_add(seen, &tree->points[parent * self->points.num_dims],
                          (double)(best ? -INFINITY : INFINITY), 0);
  }
  return true;
}

/* The nodes above it were done before. */
static lpot_status hint_node(const tpe *self, size_t node, hint_tree *tree, lpot_hint_list *list,
                             lpot_error *err) {
  uint16_t *point = &tree->points[node * self->points.num_dims];
  lpot_observations seen = {0};
  LPOT_TRY(lpot_observations_copy(&self->seen, 16, &seen, err));
  lpot_status status = LPOT_OK;
  if (assume(self, tree, node, &seen)) {
    status = propose(self, &seen, point, &tree->found[node], err);
  }
  lpot_observations_done(&seen);
  LPOT_TRY(status);
  if (tree->found[node]) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(lpot_point_recipe(&self->points, point, &recipe, err));
    lpot_hint_list_add(list, &recipe, LPOT_DECIDE);
  }
  return LPOT_OK;
}

static lpot_status tpe_hints(const lpot_strategy *strategy, lpot_hint_list *list, lpot_error *err) {
  const tpe *self = (const tpe *)strategy;
  size_t num_dims = self->points.num_dims;
  hint_tree tree = {.points = lpot_calloc(MAX_HINT_NODES, num_dims * sizeof *tree.points),
                    .found = lpot_calloc(MAX_HINT_NODES, sizeof *tree.found)};
  lpot_status status =
      tree.points == NULL || tree.found == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  size_t node = 1;
  if (status == LPOT_OK && strategy->waiting) { /* What comes next is known. */
    memcpy(&tree.points[num_dims], self->pending, num_dims * sizeof *tree.points);
    tree.found[1] = true;
    node = 2;
  }
  for (; node < MAX_HINT_NODES && !lpot_hint_list_is_full(list) && status == LPOT_OK; node++) {
    status = hint_node(self, node, &tree, list, err);
  }
  lpot_free(tree.points);
  lpot_free(tree.found);
  return status;
}

const lpot_strategy_class lpot_strategy_class_tpe = {
    .name = "tpe",
    .size_bytes = sizeof(tpe),
    .init = tpe_init,
    .done = tpe_done,
    .next = tpe_next,
    .tell = tpe_tell,
    .hints = tpe_hints,
};
