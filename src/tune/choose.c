/* What is handed out at the end: choosing a trial, and measuring and completing what was chosen. */

#include "base/log.h"
#include "tune/search.h"

static bool is_better(const lpot_run *run, double a, double b) {
  return run->job->higher_is_better ? a > b : a < b;
}

static bool is_valid(const lpot_run *run, const lpot_ledger_trial *trial) {
  lpot_trial_status status = lpot_ledger_final_of(run->ledger, trial)->status;
  return status == LPOT_TRIAL_DONE || status == LPOT_TRIAL_PRUNED;
}

/* An estimate where the trial was cut short. */
static double accuracy_of(const lpot_run *run, const lpot_ledger_trial *trial) {
  return lpot_ledger_final_of(run->ledger, trial)->accuracy;
}

/* Also a trial that was cut short by mistake and completed later. */
static bool meets(const lpot_run *run, const lpot_ledger_trial *trial) {
  const lpot_ledger_result *result = lpot_ledger_final_of(run->ledger, trial);
  return trial->meets || (result->status == LPOT_TRIAL_DONE &&
                          lpot_config_meets(run->job->config, run->job->higher_is_better,
                                            run->ledger->baseline.accuracy, result->accuracy));
}

/* ---- the accepted ones ---- */

static bool is_trusted(const lpot_ledger_trial *trial) {
  return trial->measured && trial->latency.trusted;
}

/* The speed beside f32 that some accepted trial has at least; 0 when none can be trusted. */
static double surest_speedup(const lpot_run *run) {
  double surest = 0;
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &run->ledger->trials[i];
    if (is_trusted(trial) && meets(run, trial) && trial->latency.speedup_low > surest) {
      surest = trial->latency.speedup_low;
    }
  }
  return surest;
}

/* Of trials that nothing shows to be faster than one another: fewer borders between int8 and float,
 * then the lower hash. Where no speed is known at all, more ops in int8 come first. */
static bool is_preferred(const lpot_run *run, const lpot_ledger_trial *a,
                         const lpot_ledger_trial *b, bool speeds_known) {
  const lpot_ledger_result *result_a = lpot_ledger_result_of(run->ledger, a);
  const lpot_ledger_result *result_b = lpot_ledger_result_of(run->ledger, b);
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

/* A trial is faster than another when the intervals of their speeds beside f32 (each against the
 * f32 of its own node) are disjoint. Those that no other one beats are compared by what they are
 * made of. What is not trusted is never called faster: it only counts where nothing is trusted. */
static const lpot_ledger_trial *fastest_accepted(const lpot_run *run) {
  const lpot_ledger_trial *best = NULL;
  double surest = surest_speedup(run);
  bool known = surest > 0;
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &run->ledger->trials[i];
    bool beaten = known && (!is_trusted(trial) || trial->latency.speedup_high < surest);
    if (meets(run, trial) && !beaten && (best == NULL || is_preferred(run, trial, best, known))) {
      best = trial;
    }
  }
  return best;
}

static const lpot_ledger_trial *smallest_accepted(const lpot_run *run) {
  const lpot_ledger_trial *best = NULL;
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &run->ledger->trials[i];
    if (meets(run, trial) && trial->size_bytes > 0 &&
        (best == NULL || trial->size_bytes < best->size_bytes)) {
      best = trial;
    }
  }
  return best;
}

static const lpot_ledger_trial *first_accepted(const lpot_run *run) {
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    if (meets(run, &run->ledger->trials[i])) {
      return &run->ledger->trials[i];
    }
  }
  return NULL;
}

static const lpot_ledger_trial *best_accepted(const lpot_run *run) {
  const lpot_config *config = run->job->config;
  const lpot_ledger_trial *best = NULL;
  if (config->timeout_seconds > 0) {
    best = config->objective == LPOT_OBJECTIVE_MODELSIZE ? smallest_accepted(run)
                                                         : fastest_accepted(run);
  }
  return best != NULL ? best : first_accepted(run);
}

static const lpot_ledger_trial *most_accurate(const lpot_run *run) {
  const lpot_ledger_trial *best = NULL;
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &run->ledger->trials[i];
    if (is_valid(run, trial) &&
        (best == NULL || is_better(run, accuracy_of(run, trial), accuracy_of(run, best)))) {
      best = trial;
    }
  }
  return best;
}

uint64_t lpot_search_choose(const lpot_run *run, bool *ret_met) {
  const lpot_ledger_trial *trial = best_accepted(run);
  *ret_met = trial != NULL;
  if (trial == NULL) {
    trial = most_accurate(run);
    *ret_met = trial != NULL && run->job->config->performance_only;
  }
  return trial == NULL ? LPOT_NO_TRIAL : trial->id;
}

/* ---- latency ---- */

static lpot_status measure_latency(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  LPOT_TRY(lpot_run_quiesce(run, err));
  run->latency_known = false;
  lpot_task task = {.kind = LPOT_TASK_LATENCY, .recipe = (lpot_recipe *)recipe}; /* only read */
  LPOT_TRY(lpot_run_assign(run, 0, &task, err));
  while (!run->latency_known) {
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}

lpot_status lpot_search_measure(lpot_run *run, uint64_t id, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
  if (trial == NULL || trial->measured) {
    return LPOT_OK;
  }
  const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
  LPOT_TRY(lpot_run_calibrate(run, recipe->calibration_samples, err));
  LPOT_TRY(measure_latency(run, recipe, err));
  if (run->latency_status != LPOT_OK) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_ledger_add_measure(run->ledger, run->journal, id, &run->latency, err));
  return LPOT_OK;
}

/* ---- what was cut short ---- */

bool lpot_search_is_whole(const lpot_run *run, uint64_t id) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
  return lpot_ledger_final_of(run->ledger, trial)->status != LPOT_TRIAL_PRUNED;
}

lpot_status lpot_search_complete(lpot_run *run, uint64_t id, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
  const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
  LPOT_TRY(lpot_run_calibrate(run, recipe->calibration_samples, err));
  LPOT_TRY(lpot_run_evaluate(run, recipe, err));
  return LPOT_OK;
}

/* ---- the exported form ---- */

static lpot_status evaluate_exported(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  lpot_recipe *exported = NULL;
  LPOT_TRY(lpot_run_calibrate(run, recipe->calibration_samples, err));
  LPOT_TRY(lpot_recipe_exported(recipe, &exported, err));
  lpot_status status = lpot_run_evaluate(run, exported, err);
  lpot_recipe_free(exported);
  return status;
}

lpot_status lpot_search_certify(lpot_run *run, uint64_t id, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
  const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
  if (lpot_recipe_num_bf16(recipe) == 0) {
    return LPOT_OK;
  }
  if (lpot_ledger_exported_of(run->ledger, trial) == NULL) {
    LPOT_TRY(evaluate_exported(run, recipe, err));
  }
  trial = lpot_ledger_find_trial(run->ledger, id);
  const lpot_ledger_result *result = lpot_ledger_exported_of(run->ledger, trial);
  if (result != NULL && result->status != LPOT_TRIAL_DONE) {
    lpot_log(LPOT_LOG_WARNING, "the exported model, whose bf16 ops are f32, is %s: %s",
             lpot_trial_status_text(result->status), result->cause);
    return LPOT_OK;
  }
  bool meets =
      result != NULL && lpot_config_meets(run->job->config, run->job->higher_is_better,
                                          run->ledger->baseline.accuracy, result->accuracy);
  if (trial->meets && !meets) {
    lpot_log(LPOT_LOG_WARNING,
             "bf16 ops are exported in f32, and that model misses the criterion that the trial "
             "meets");
  }
  return LPOT_OK;
}
