#include "tune/ranking.h"

#include <math.h>

static bool is_trusted(const lpot_ledger_trial *trial) {
  return trial->measured && trial->latency.trusted;
}

/* The speed beside f32 that some accepted trial has at least; 0 when none can be trusted. */
static double surest_speedup(const lpot_ledger *ledger, lpot_accept_function accepted,
                             const void *context) {
  double surest = 0;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    if (is_trusted(trial) && accepted(context, trial) && trial->latency.speedup_low > surest) {
      surest = trial->latency.speedup_low;
    }
  }
  return surest;
}

/* Of trials that nothing shows to be faster than one another. */
static bool is_preferred(const lpot_ledger *ledger, const lpot_ledger_trial *a,
                         const lpot_ledger_trial *b, bool speeds_known) {
  const lpot_ledger_result *result_a = lpot_ledger_result_of(ledger, a);
  const lpot_ledger_result *result_b = lpot_ledger_result_of(ledger, b);
  size_t ops_a = lpot_recipe_num_quantized(result_a->recipe);
  size_t ops_b = lpot_recipe_num_quantized(result_b->recipe);
  if (!speeds_known && ops_a != ops_b) {
    return ops_a > ops_b;
  }
  if (a->reorders != b->reorders) {
    return a->reorders < b->reorders;
  }
  return result_a->recipe_hash < result_b->recipe_hash;
}

const lpot_ledger_trial *lpot_ranking_fastest(const lpot_ledger *ledger,
                                              lpot_accept_function accepted, const void *context) {
  const lpot_ledger_trial *best = NULL;
  double surest = surest_speedup(ledger, accepted, context);
  bool known = surest > 0;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    bool beaten = known && (!is_trusted(trial) || trial->latency.speedup_high < surest);
    if (accepted(context, trial) && !beaten &&
        (best == NULL || is_preferred(ledger, trial, best, known))) {
      best = trial;
    }
  }
  return best;
}

/* ---- by any objective ---- */

static lpot_figure latency_figure(const lpot_ledger_trial *trial) {
  if (!is_trusted(trial) || !(trial->latency.speedup_low > 0)) {
    return lpot_figure_exact((double)NAN);
  }
  return (lpot_figure){.low = 1 / trial->latency.speedup_high,
                       .high = 1 / trial->latency.speedup_low};
}

static lpot_figure footprint_figure(const lpot_ledger *ledger, const lpot_ledger_trial *trial) {
  double bytes = (double)trial->footprint.bytes;
  double f32_bytes = (double)ledger->f32_footprint.bytes;
  if (trial->footprint.bytes == 0 || ledger->f32_footprint.bytes == 0) {
    return lpot_figure_exact((double)NAN);
  }
  return (lpot_figure){.low = (bytes - LPOT_FOOTPRINT_NOISE) / f32_bytes,
                       .high = (bytes + LPOT_FOOTPRINT_NOISE) / f32_bytes};
}

static double accuracy_cost(const lpot_ledger *ledger, const lpot_ledger_result *result) {
  double baseline = ledger->baseline.accuracy;
  double loss =
      ledger->header.higher_is_better ? baseline - result->accuracy : result->accuracy - baseline;
  return 1 + (baseline == 0 ? loss : loss / fabs(baseline));
}

void lpot_ranking_figures(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                          lpot_figure figures[LPOT_NUM_OBJECTIVES]) {
  const double unknown = (double)NAN;
  const lpot_ledger_result *result = lpot_ledger_final_of(ledger, trial);
  double f32_bytes = ledger->f32_bytes > 0 ? (double)ledger->f32_bytes : 1;
  bool done = result->status == LPOT_TRIAL_DONE;
  bool sized = trial->size_bytes > 0;
  figures[LPOT_OBJECTIVE_PERFORMANCE] = latency_figure(trial);
  figures[LPOT_OBJECTIVE_MODELSIZE] =
      lpot_figure_exact(sized ? (double)trial->size_bytes / f32_bytes : unknown);
  figures[LPOT_OBJECTIVE_FOOTPRINT] = footprint_figure(ledger, trial);
  figures[LPOT_OBJECTIVE_ACCURACY] =
      lpot_figure_exact(done ? accuracy_cost(ledger, result) : unknown);
}

void lpot_ranking_drop_unknown(const lpot_ledger *ledger, lpot_objectives *objectives,
                               lpot_accept_function accepted, const void *context) {
  bool known[LPOT_NUM_OBJECTIVES] = {false};
  for (size_t i = 0; i < ledger->num_trials; i++) {
    lpot_figure figures[LPOT_NUM_OBJECTIVES];
    lpot_ranking_figures(ledger, &ledger->trials[i], figures);
    bool counts = accepted(context, &ledger->trials[i]);
    for (size_t k = 0; k < LPOT_NUM_OBJECTIVES; k++) {
      known[k] = known[k] || (counts && lpot_figure_is_known(&figures[k]));
    }
  }
  for (size_t k = 0; k < LPOT_NUM_OBJECTIVES; k++) {
    objectives->weights[k] = known[k] ? objectives->weights[k] : 0;
  }
}

/* NaN where a figure that counts is not known. */
static lpot_figure cost_of(const lpot_ledger *ledger, const lpot_objectives *objectives,
                           const lpot_ledger_trial *trial) {
  lpot_figure figures[LPOT_NUM_OBJECTIVES];
  lpot_figure cost = {0};
  double whole = 0;
  lpot_ranking_figures(ledger, trial, figures);
  for (size_t k = 0; k < LPOT_NUM_OBJECTIVES; k++) {
    double weight = objectives->weights[k];
    if (weight > 0) {
      cost.low += weight * figures[k].low;
      cost.high += weight * figures[k].high;
      whole += weight;
    }
  }
  return (lpot_figure){.low = cost.low / whole, .high = cost.high / whole};
}

/* What a trial is held against. */
typedef struct contest {
  const lpot_ledger *ledger;
  lpot_objectives objectives; /* those that count */
  bool any;                   /* one counts */
  double surest;              /* the cost that some accepted trial has at most */
  lpot_accept_function accepted;
  const void *context;
} contest;

/* An lpot_accept_function: no other one beats it. */
static bool is_unbeaten(const void *context, const lpot_ledger_trial *trial) {
  const contest *self = context;
  if (!self->accepted(self->context, trial) || !self->any) {
    return self->accepted(self->context, trial);
  }
  lpot_figure cost = cost_of(self->ledger, &self->objectives, trial);
  return lpot_figure_is_known(&cost) && cost.low <= self->surest;
}

const lpot_ledger_trial *lpot_ranking_best(const lpot_ledger *ledger,
                                           const lpot_objectives *objectives,
                                           lpot_accept_function accepted, const void *context) {
  contest self = {.ledger = ledger,
                  .objectives = *objectives,
                  .surest = (double)INFINITY,
                  .accepted = accepted,
                  .context = context};
  lpot_ranking_drop_unknown(ledger, &self.objectives, accepted, context);
  for (size_t k = 0; k < LPOT_NUM_OBJECTIVES; k++) {
    self.any = self.any || self.objectives.weights[k] > 0;
  }
  for (size_t i = 0; self.any && i < ledger->num_trials; i++) {
    lpot_figure cost = cost_of(ledger, &self.objectives, &ledger->trials[i]);
    if (accepted(context, &ledger->trials[i]) && cost.high < self.surest) {
      self.surest = cost.high;
    }
  }
  /* Each figure may be known of another trial only: then no cost is known. */
  self.any = self.any && isfinite(self.surest);
  return lpot_ranking_fastest(ledger, is_unbeaten, &self);
}
