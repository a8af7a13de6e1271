/* What is handed out at the end: choosing a trial, and measuring and completing what was chosen. */
#include "base/log.h"
#include "strategy/strategy.h"
#include "tune/ranking.h"
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

/* An lpot_accept_function; context is the run. */
static bool is_accepted(const void *context, const lpot_ledger_trial *trial) {
  return meets(context, trial);
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

static const lpot_ledger_trial *last_accepted(const lpot_run *run) {
  for (size_t i = run->ledger->num_trials; i > 0; i--) {
    if (meets(run, &run->ledger->trials[i - 1])) {
      return &run->ledger->trials[i - 1];
    }
  }
  return NULL;
}

static const lpot_ledger_trial *best_accepted(const lpot_run *run) {
  const lpot_config *config = run->job->config;
  const lpot_ledger_trial *best = NULL;
  if (config->timeout_seconds > 0) {
    best = config->objective == LPOT_OBJECTIVE_MODELSIZE
               ? smallest_accepted(run)
               : lpot_ranking_fastest(run->ledger, is_accepted, run);
  }
  if (best == NULL && lpot_strategy_goes_on(config->strategy)) {
    best = last_accepted(run);
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

lpot_status lpot_search_measure(lpot_run *run, uint64_t id, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
  if (trial == NULL || trial->measured) {
    return LPOT_OK;
  }
  const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
  LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
  lpot_task task = {.kind = LPOT_TASK_LATENCY, .recipe = (lpot_recipe *)recipe}; /* only read */
  LPOT_TRY(lpot_run_measure(run, &task, "latency", err));
  if (run->measured.status != LPOT_OK) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_ledger_add_measure(run->ledger, run->journal, id, &run->measured.latency, err));
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
  LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
  LPOT_TRY(lpot_run_evaluate(run, recipe, err));
  return LPOT_OK;
}

/* ---- the exported form ---- */

static lpot_status evaluate_exported(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  lpot_recipe *exported = NULL;
  LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
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
