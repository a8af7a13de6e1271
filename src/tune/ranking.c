#include "tune/ranking.h"

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
