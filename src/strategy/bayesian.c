/* Strategy bayesian: a Gaussian process (gaussian_process.h) of the accuracy over the recipes; the
 * next is that with the largest upper confidence bound, mean + 2.576 standard deviations (the
 * choice of LPOT; Srinivas, Krause, Kakade and Seeger 2010).
 *
 * An op's options are its quantized configurations, as in random; the variant (space.h) is one more
 * dimension. Until two different accuracies are known recipes are drawn uniformly. Then the bound
 * is looked at in NUM_RANDOM uniform draws, and on the way up, by NUM_MOVES changes of one option
 * each, from the NUM_STARTS best of them and from the best observed recipe. LPOT searches a
 * continuous space and rounds; here a recipe is never demanded twice. When MAX_REPEATS draws bring
 * nothing new the space counts as exhausted.
 *
 * A failed trial counts as the worst accuracy so far. The accuracy of a trial that was cut short
 * counts with the largest variance that the mean of so many samples in [0, 1] can have. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "strategy/gaussian_process.h"
#include "strategy/strategy_impl.h"

#define EXPLORATION 2.576
#define NUM_RANDOM 1000
#define NUM_STARTS 2
#define NUM_MOVES 500
#define MAX_REPEATS 1000

typedef struct bayesian {
  lpot_strategy base;
  lpot_point_space points;
  lpot_observations seen; /* values: scores; NaN of failed trials */
  uint16_t *pending;      /* [num_dims], owned; point of the unanswered demand */
} bayesian;

/* A search for the recipes with the largest bounds. */
typedef struct proposal {
  const bayesian *self;
  const lpot_observations *seen;  /* all values finite */
  lpot_gaussian_process *process; /* NULL: too little is known */
  lpot_observations candidates;   /* values: upper confidence bounds */
  lpot_rng rng;
} proposal;

static lpot_status add_candidate(proposal *search, const uint16_t *point, double *ret_bound,
                                 lpot_error *err) {
  double mean = 0;
  double deviation = 0;
  lpot_gaussian_process_predict(search->process, point, &mean, &deviation);
  LPOT_TRY(lpot_observations_reserve(&search->candidates, 1, err));
  *ret_bound = mean + EXPLORATION * deviation;
  lpot_observations_add(&search->candidates, point, *ret_bound, 0);
  return LPOT_OK;
}

/* Index of the largest value below the limit (the value and index of the last one found): the next
 * in falling order, of equals the first one first; count at the end. */
static size_t next_best(const lpot_observations *list, size_t last) {
  size_t best = list->count;
  for (size_t i = 0; i < list->count; i++) {
    bool comes_after = last == list->count || list->values[i] < list->values[last] ||
                       (list->values[i] == list->values[last] && i > last);
    if (comes_after && (best == list->count || list->values[i] > list->values[best])) {
      best = i;
    }
  }
  return best;
}

/* Changes one dimension after the other at random, and keeps what is better. */
static lpot_status climb(proposal *search, uint16_t *point, lpot_error *err) {
  const lpot_point_space *points = &search->self->points;
  double best = 0;
  LPOT_TRY(add_candidate(search, point, &best, err));
  for (int move = 0; move < NUM_MOVES; move++) {
    size_t dim = (size_t)lpot_rng_below(&search->rng, points->num_dims);
    uint16_t before = point[dim];
    double bound = 0;
    point[dim] = (uint16_t)lpot_rng_below(&search->rng, lpot_point_num_options(points, dim));
    if (point[dim] == before) {
      continue;
    }
    LPOT_TRY(add_candidate(search, point, &bound, err));
    if (bound > best) {
      best = bound;
    } else {
      point[dim] = before;
    }
  }
  return LPOT_OK;
}

/* Draws, and climbs from the best observed point and from the best draws. */
static lpot_status list_candidates(proposal *search, uint16_t *point, lpot_error *err) {
  size_t size = search->self->points.num_dims * sizeof *point;
  double bound = 0;
  for (int i = 0; i < NUM_RANDOM; i++) {
    lpot_point_draw(&search->self->points, &search->rng, point);
    LPOT_TRY(add_candidate(search, point, &bound, err));
  }
  size_t start = search->candidates.count;
  size_t starts[NUM_STARTS];
  for (int i = 0; i < NUM_STARTS; i++) {
    start = next_best(&search->candidates, start);
    starts[i] = start;
  }
  size_t best = next_best(search->seen, search->seen->count);
  memcpy(point, lpot_observations_point(search->seen, best), size);
  LPOT_TRY(climb(search, point, err));
  for (int i = 0; i < NUM_STARTS; i++) {
    memcpy(point, lpot_observations_point(&search->candidates, starts[i]), size);
    LPOT_TRY(climb(search, point, err));
  }
  return LPOT_OK;
}

static lpot_status take(const lpot_observations *seen, const uint16_t *point,
                        lpot_observations *out, lpot_error *err) {
  if (!lpot_observations_has(seen, point) && !lpot_observations_has(out, point)) {
    LPOT_TRY(lpot_observations_reserve(out, 1, err));
    lpot_observations_add(out, point, 0, 0);
  }
  return LPOT_OK;
}

static lpot_status choose_by_model(proposal *search, size_t wanted, uint16_t *point,
                                   lpot_observations *out, lpot_error *err) {
  LPOT_TRY(list_candidates(search, point, err));
  const lpot_observations *list = &search->candidates;
  for (size_t i = next_best(list, list->count); i < list->count && out->count < wanted;
       i = next_best(list, i)) {
    LPOT_TRY(take(search->seen, lpot_observations_point(list, i), out, err));
  }
  return LPOT_OK;
}

static lpot_status choose_by_draws(proposal *search, size_t wanted, uint16_t *point,
                                   lpot_observations *out, lpot_error *err) {
  for (int repeats = 0; repeats < MAX_REPEATS && out->count < wanted; repeats++) {
    size_t before = out->count;
    lpot_point_draw(&search->self->points, &search->rng, point);
    LPOT_TRY(take(search->seen, point, out, err));
    repeats = out->count > before ? 0 : repeats;
  }
  return LPOT_OK;
}

static bool has_two_values(const lpot_observations *seen) {
  bool different = false;
  for (size_t i = 1; i < seen->count; i++) {
    different = different || seen->values[i] != seen->values[0];
  }
  return different;
}

/* The worst number in place of those that are none; 0 where there is none at all. */
static void fill_gaps(lpot_observations *seen) {
  double worst = (double)NAN;
  for (size_t i = 0; i < seen->count; i++) {
    worst = fmin(worst, seen->values[i]);
  }
  for (size_t i = 0; i < seen->count; i++) {
    seen->values[i] = isnan(seen->values[i]) ? (isnan(worst) ? 0 : worst) : seen->values[i];
  }
}

/* Adds up to `wanted` points to out, that with the largest bound first: a function of what was seen
 * and of the seed alone. */
static lpot_status propose(const bayesian *self, const lpot_observations *seen, size_t wanted,
                           lpot_observations *out, lpot_error *err) {
  proposal search = {.self = self, .seen = seen, .candidates = {.num_dims = self->points.num_dims}};
  uint16_t *point = lpot_calloc(self->points.num_dims, sizeof *point);
  if (point == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_rng_init(&search.rng, lpot_strategy_seed(&self->base, seen->count));
  lpot_status status = LPOT_OK;
  if (has_two_values(seen)) {
    status = lpot_gaussian_process_new(seen, &search.process, err);
    if (status == LPOT_OK) {
      status = choose_by_model(&search, wanted, point, out, err);
    }
  }
  if (status == LPOT_OK) {
    status = choose_by_draws(&search, wanted, point, out, err);
  }
  lpot_gaussian_process_free(search.process);
  lpot_observations_done(&search.candidates);
  lpot_free(point);
  return status;
}

/* ---- the class ---- */

static lpot_status bayesian_init(lpot_strategy *strategy, lpot_error *err) {
  bayesian *self = (bayesian *)strategy;
  self->points = lpot_point_space_of(strategy->space, false);
  self->seen.num_dims = self->points.num_dims;
  self->pending = lpot_calloc(self->points.num_dims, sizeof *self->pending);
  if (self->pending == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static void bayesian_done(lpot_strategy *strategy) {
  bayesian *self = (bayesian *)strategy;
  lpot_observations_done(&self->seen);
  lpot_free(self->pending);
}

static lpot_status choose_next(bayesian *self, lpot_observations *filled, lpot_observations *out,
                               lpot_error *err) {
  LPOT_TRY(lpot_observations_copy(&self->seen, 0, filled, err));
  fill_gaps(filled);
  LPOT_TRY(propose(self, filled, 1, out, err));
  return LPOT_OK;
}

static lpot_status bayesian_next(lpot_strategy *strategy, lpot_demand *ret_demand,
                                 lpot_error *err) {
  bayesian *self = (bayesian *)strategy;
  LPOT_TRY(lpot_observations_reserve(&self->seen, 1, err));
  lpot_observations filled = {0};
  lpot_observations out = {.num_dims = self->points.num_dims};
  lpot_status status = choose_next(self, &filled, &out, err);
  if (status == LPOT_OK && out.count > 0) {
    memcpy(self->pending, lpot_observations_point(&out, 0),
           self->points.num_dims * sizeof *self->pending);
    ret_demand->stage = has_two_values(&filled) ? LPOT_STAGE_MODEL : LPOT_STAGE_SAMPLE;
    ret_demand->purpose = LPOT_DECIDE;
    status = lpot_point_recipe(&self->points, self->pending, &ret_demand->recipe, err);
  }
  lpot_observations_done(&filled);
  lpot_observations_done(&out);
  return status;
}

static double noise_of(const lpot_strategy_options *options, const lpot_result *result) {
  double share = (double)result->samples / (double)options->samples;
  bool estimate = result->samples > 0 && result->samples < options->samples;
  return estimate ? 0.25 / (double)result->samples * (1 - share) : 0;
}

static lpot_status bayesian_tell(lpot_strategy *strategy, const lpot_result *result,
                                 lpot_error *err) {
  (void)err;
  bayesian *self = (bayesian *)strategy;
  double score = lpot_strategy_score(strategy, result);
  lpot_observations_add(&self->seen, self->pending, isfinite(score) ? score : (double)NAN,
                        isfinite(score) ? noise_of(&strategy->options, result) : 0);
  return LPOT_OK;
}

/* ---- hints: the unanswered demand is believed to have the mean that is expected of it ---- */

static lpot_status believe(const bayesian *self, lpot_observations *seen, lpot_error *err) {
  double mean = seen->count > 0 ? seen->values[0] : 0;
  double deviation = 0;
  if (has_two_values(seen)) {
    lpot_gaussian_process *process = NULL;
    LPOT_TRY(lpot_gaussian_process_new(seen, &process, err));
    lpot_gaussian_process_predict(process, self->pending, &mean, &deviation);
    lpot_gaussian_process_free(process);
  }
  lpot_observations_add(seen, self->pending, mean, 0);
  return LPOT_OK;
}

static lpot_status add_hints(const bayesian *self, lpot_observations *seen, lpot_observations *out,
                             lpot_hint_list *list, lpot_error *err) {
  LPOT_TRY(lpot_observations_copy(&self->seen, 1, seen, err));
  fill_gaps(seen);
  if (self->base.waiting) {
    LPOT_TRY(believe(self, seen, err));
  }
  LPOT_TRY(propose(self, seen, list->capacity, out, err));
  for (size_t i = 0; i < out->count; i++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(lpot_point_recipe(&self->points, lpot_observations_point(out, i), &recipe, err));
    lpot_hint_list_add(list, &recipe, LPOT_DECIDE);
  }
  return LPOT_OK;
}

static lpot_status bayesian_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                                  lpot_error *err) {
  const bayesian *self = (const bayesian *)strategy;
  lpot_observations seen = {0};
  lpot_observations out = {.num_dims = self->points.num_dims};
  lpot_status status = add_hints(self, &seen, &out, list, err);
  lpot_observations_done(&seen);
  lpot_observations_done(&out);
  return status;
}

const lpot_strategy_class lpot_strategy_class_bayesian = {
    .name = "bayesian",
    .size_bytes = sizeof(bayesian),
    .init = bayesian_init,
    .done = bayesian_done,
    .next = bayesian_next,
    .tell = bayesian_tell,
    .hints = bayesian_hints,
};
