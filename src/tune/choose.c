/* What is handed out at the end: choosing a trial, and measuring and completing what was chosen. */
#include "base/log.h"
#include "base/memory.h"
#include "strategy/strategy.h"
#include "tune/pareto.h"
#include "tune/ranking.h"
#include "tune/search.h"

#define MAX_FRONT_MEASURES 8u /* latencies of a search that had no clock */

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
  if (lpot_config_compares(config)) {
    best = lpot_ranking_best(run->ledger, &config->objectives, is_accepted, run);
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

void lpot_search_warn_of_objective(const lpot_run *run) {
  const lpot_config *config = run->job->config;
  lpot_objectives known = config->objectives;
  if (!lpot_config_compares(config) || best_accepted(run) == NULL) {
    return;
  }
  lpot_ranking_drop_unknown(run->ledger, &known, is_accepted, run);
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    if (config->objectives.weights[i] > 0 && known.weights[i] == 0) {
      lpot_log(LPOT_LOG_WARNING,
               "objective %s: not known, or not to be trusted, of any recipe that meets the "
               "criterion: it did not count",
               lpot_objective_text((lpot_objective)i));
    }
  }
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

/* The first member of the front that meets the criterion and has no latency; LPOT_NO_TRIAL. */
static lpot_status next_of_front(const lpot_run *run, uint64_t *ret_id, lpot_error *err) {
  lpot_pareto_row *front = NULL;
  size_t count = 0;
  *ret_id = LPOT_NO_TRIAL;
  LPOT_TRY(lpot_pareto_of(run->ledger, &front, &count, err));
  for (size_t i = 0; i < count && *ret_id == LPOT_NO_TRIAL; i++) {
    const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, front[i].trial);
    *ret_id = trial->meets && !trial->measured ? trial->id : LPOT_NO_TRIAL;
  }
  lpot_free(front);
  return LPOT_OK;
}

lpot_status lpot_search_measure_front(lpot_run *run, lpot_error *err) {
  const lpot_config *config = run->job->config;
  if (!lpot_config_compares(config) || config->timeout_seconds > 0) {
    return LPOT_OK;
  }
  size_t measured = 0;
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    measured += run->ledger->trials[i].measured ? 1 : 0;
  }
  for (; measured < MAX_FRONT_MEASURES; measured++) {
    uint64_t id = LPOT_NO_TRIAL;
    LPOT_TRY(next_of_front(run, &id, err));
    LPOT_TRY(lpot_search_measure(run, id, err));
    const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
    if (trial == NULL || !trial->measured) {
      return LPOT_OK;
    }
  }
  return LPOT_OK;
}

/* ---- memory ---- */

static lpot_status measure_footprint(lpot_run *run, uint64_t id, const lpot_recipe *recipe,
                                     lpot_error *err) {
  lpot_task task = {.kind = LPOT_TASK_FOOTPRINT, .recipe = (lpot_recipe *)recipe}; /* only read */
  LPOT_TRY(lpot_run_measure(run, &task, "footprint", err));
  if (run->measured.status == LPOT_OK) {
    LPOT_TRY(
        lpot_ledger_add_footprint(run->ledger, run->journal, id, &run->measured.footprint, err));
  }
  return LPOT_OK;
}

lpot_status lpot_search_weigh(lpot_run *run, uint64_t id, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, id);
  if (run->job->config->objectives.weights[LPOT_OBJECTIVE_FOOTPRINT] <= 0 || trial == NULL) {
    return LPOT_OK;
  }
  if (run->ledger->f32_footprint.bytes == 0) {
    LPOT_TRY(measure_footprint(run, LPOT_NO_TRIAL, NULL, err));
  }
  if (trial->footprint.bytes == 0) {
    const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
    LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
    LPOT_TRY(measure_footprint(run, id, recipe, err));
  }
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
  const lpot_want want = {.recipe = recipe};
  LPOT_TRY(lpot_run_evaluate(run, &want, err));
  return LPOT_OK;
}

/* ---- the exported form ---- */

static lpot_status evaluate_exported(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  lpot_recipe *exported = NULL;
  LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
  LPOT_TRY(lpot_recipe_exported(recipe, &exported, err));
  const lpot_want want = {.recipe = exported};
  lpot_status status = lpot_run_evaluate(run, &want, err);
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
