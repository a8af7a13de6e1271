#include "tune/search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "strategy/strategy.h"
#include "tune/export.h"
#include "tune/progress.h"

typedef struct trial_search {
  lpot_run *run;
  lpot_space *space;       /* NULL with a given recipe */
  lpot_strategy *strategy; /* NULL with a given recipe */
  size_t position;         /* trials told to the strategy so far */
  size_t num_accepted;
  size_t best;    /* index of the most accurate valid trial so far, SIZE_MAX for none */
  size_t repeats; /* demands in a row that were answered from earlier trials */
  bool exhausted;
  bool timed_out;
} trial_search;

/* A strategy that repeats itself for ever is a bug of ours, not a reason to hang. */
#define MAX_REPEATS 1000000u

/* ---- choosing ---- */

static bool is_better(const lpot_run *run, double a, double b) {
  return run->job->higher_is_better ? a > b : a < b;
}

static bool is_valid(const lpot_run *run, const lpot_ledger_trial *trial) {
  return lpot_ledger_result_of(run->ledger, trial)->status == LPOT_TRIAL_DONE;
}

static double accuracy_of(const lpot_run *run, const lpot_ledger_trial *trial) {
  return lpot_ledger_result_of(run->ledger, trial)->accuracy;
}

/* What the objective minimises; infinite when it is not known. */
static double cost_of(const lpot_run *run, const lpot_ledger_trial *trial) {
  if (run->job->config->objective == LPOT_OBJECTIVE_MODELSIZE) {
    return trial->size_bytes > 0 ? (double)trial->size_bytes : (double)INFINITY;
  }
  return trial->measured ? trial->latency.recipe_ms : (double)INFINITY;
}

static const lpot_ledger_trial *best_accepted(const lpot_run *run) {
  const lpot_ledger_trial *best = NULL;
  for (size_t i = 0; i < run->ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &run->ledger->trials[i];
    if (!trial->meets) {
      continue;
    }
    if (best == NULL || cost_of(run, trial) < cost_of(run, best)) {
      best = trial;
    }
    if (run->job->config->timeout_seconds <= 0) {
      return best;
    }
  }
  return best;
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

/* ---- when to end ---- */

static bool clock_ran_out(const trial_search *search) {
  double timeout = search->run->job->config->timeout_seconds;
  bool replaying = search->position < search->run->ledger->num_trials;
  return timeout > 0 && !replaying && lpot_run_elapsed(search->run) >= timeout;
}

static bool is_over(trial_search *search) {
  const lpot_config *config = search->run->job->config;
  search->timed_out = search->timed_out || clock_ran_out(search);
  return search->exhausted || search->timed_out ||
         (search->num_accepted > 0 && config->timeout_seconds <= 0) ||
         (config->performance_only && search->position > 0) ||
         (int64_t)search->position >= config->max_trials;
}

/* ---- evaluating a demand ---- */

static bool is_wanted(const trial_search *search, const lpot_recipe *recipe) {
  const lpot_run *run = search->run;
  uint64_t hash = lpot_recipe_hash(recipe);
  bool ready =
      recipe->dynamic || lpot_job_find_calibration(run->job, recipe->calibration_samples) != NULL;
  return ready && lpot_ledger_find_result(run->ledger, hash) == SIZE_MAX &&
         !lpot_run_in_flight(run, hash);
}

static lpot_status assign_recipe(lpot_run *run, size_t worker, const lpot_recipe *recipe,
                                 lpot_error *err) {
  LPOT_TRY(lpot_run_assign(run, worker, LPOT_TASK_EVALUATE, 0, run->job->num_blocks, recipe, err));
  return LPOT_OK;
}

static lpot_status start_hints(trial_search *search, lpot_recipe *const *hints, size_t count,
                               lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    size_t worker = lpot_crew_idle_worker(search->run->crew);
    if (worker == LPOT_NO_WORKER) {
      return LPOT_OK;
    }
    if (is_wanted(search, hints[i])) {
      LPOT_TRY(assign_recipe(search->run, worker, hints[i], err));
    }
  }
  return LPOT_OK;
}

/* Stops one worker whose recipe is not among the hints any more, to make room for a demand. */
static lpot_status free_a_worker(trial_search *search, lpot_recipe *const *hints, size_t count,
                                 lpot_error *err) {
  lpot_run *run = search->run;
  for (size_t worker = 0; worker < lpot_crew_size(run->crew); worker++) {
    bool likely = false;
    for (size_t i = 0; i < count && !likely; i++) {
      likely = lpot_recipe_hash(hints[i]) == run->assignments[worker].recipe_hash;
    }
    if (!likely) {
      LPOT_TRY(lpot_run_cancel(run, worker, err));
      return LPOT_OK;
    }
  }
  return LPOT_OK;
}

typedef lpot_status (*hint_user)(trial_search *search, lpot_recipe *const *hints, size_t count,
                                 lpot_error *err);

static lpot_status with_hints(trial_search *search, hint_user use, lpot_error *err) {
  size_t capacity = 2 * lpot_crew_size(search->run->crew);
  if (search->strategy == NULL || capacity <= 2) {
    return LPOT_OK;
  }
  lpot_recipe **hints = lpot_calloc(capacity, sizeof(lpot_recipe *));
  if (hints == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  lpot_status status = lpot_strategy_hints(search->strategy, capacity, hints, &count, err);
  if (status == LPOT_OK) {
    status = use(search, hints, count, err);
  }
  for (size_t i = 0; i < count; i++) {
    lpot_recipe_free(hints[i]);
  }
  lpot_free(hints);
  return status;
}

/* Brings the result of recipe into the ledger, unless the clock runs out before. Workers that are
 * left over prefetch what may be demanded next. */
static lpot_status evaluate_demand(trial_search *search, const lpot_recipe *recipe,
                                   lpot_error *err) {
  lpot_run *run = search->run;
  uint64_t hash = lpot_recipe_hash(recipe);
  bool asked_for_room = false;
  while (lpot_ledger_find_result(run->ledger, hash) == SIZE_MAX) {
    if (clock_ran_out(search)) {
      search->timed_out = true;
      return LPOT_OK;
    }
    bool running = lpot_run_in_flight(run, hash);
    size_t worker = lpot_crew_idle_worker(run->crew);
    if (!running && worker != LPOT_NO_WORKER) {
      LPOT_TRY(assign_recipe(run, worker, recipe, err));
    } else if (!running && !asked_for_room) {
      asked_for_room = true;
      LPOT_TRY(with_hints(search, free_a_worker, err));
    }
    if (lpot_crew_idle_worker(run->crew) != LPOT_NO_WORKER) {
      LPOT_TRY(with_hints(search, start_hints, err));
    }
    LPOT_TRY(lpot_run_pump(run, err));
  }
  return LPOT_OK;
}

/* ---- trials ---- */

static lpot_status commit(trial_search *search, const lpot_demand *demand, lpot_error *err) {
  lpot_run *run = search->run;
  const lpot_config *config = run->job->config;
  double baseline = run->ledger->baseline.accuracy;
  bool higher = run->job->higher_is_better;
  lpot_ledger_trial trial = {.id = run->ledger->num_trials + 1, .stage = demand->stage};
  trial.result = lpot_ledger_find_result(run->ledger, lpot_recipe_hash(demand->recipe));
  const lpot_ledger_result *result = &run->ledger->results[trial.result];
  bool valid = result->status == LPOT_TRIAL_DONE;
  trial.meets = valid && lpot_config_meets(config, higher, baseline, result->accuracy);
  trial.relative_loss =
      valid ? lpot_relative_loss(higher, baseline, result->accuracy) : (double)NAN;
  trial.elapsed = lpot_run_elapsed(run);
  if (valid) {
    LPOT_TRY(lpot_run_calibrate(run, demand->recipe->calibration_samples, err));
    LPOT_TRY(lpot_export_size(run->job, demand->recipe, &trial.size_bytes, err));
  }
  LPOT_TRY(lpot_ledger_add_commit(run->ledger, run->journal, &trial, err));
  return LPOT_OK;
}

static void show_trial(const trial_search *search, const lpot_ledger_trial *trial) {
  const lpot_run *run = search->run;
  const lpot_ledger_result *result = lpot_ledger_result_of(run->ledger, trial);
  char note[256];
  if (result->status == LPOT_TRIAL_DONE) {
    const lpot_ledger_trial *best = &run->ledger->trials[search->best];
    snprintf(note, sizeof note, "%s accuracy %.6g %s, best %.6g (trial %" PRIu64 ")",
             lpot_stage_text(trial->stage), result->accuracy,
             trial->meets ? "meets the criterion" : "misses the criterion", accuracy_of(run, best),
             best->id);
  } else {
    snprintf(note, sizeof note, "%s %s: %.160s", lpot_stage_text(trial->stage),
             lpot_trial_status_text(result->status), result->cause);
  }
  lpot_progress_step((long)trial->id, note);
}

static void note_trial(trial_search *search, size_t index) {
  const lpot_run *run = search->run;
  const lpot_ledger_trial *trial = &run->ledger->trials[index];
  if (trial->meets) {
    search->num_accepted++;
  }
  if (is_valid(run, trial) && (search->best == SIZE_MAX ||
                               is_better(run, accuracy_of(run, trial),
                                         accuracy_of(run, &run->ledger->trials[search->best])))) {
    search->best = index;
  }
}

static lpot_status tell(trial_search *search, size_t index, lpot_error *err) {
  if (search->strategy == NULL) {
    search->exhausted = true;
    return LPOT_OK;
  }
  const lpot_ledger_trial *trial = &search->run->ledger->trials[index];
  const lpot_ledger_result *result = lpot_ledger_result_of(search->run->ledger, trial);
  lpot_result told = {.valid = result->status == LPOT_TRIAL_DONE,
                      .accuracy = result->accuracy,
                      .samples = (int64_t)result->samples,
                      .meets = trial->meets};
  LPOT_TRY(lpot_strategy_tell(search->strategy, &told, err));
  return LPOT_OK;
}

/* The committed trial of this recipe among those told so far, or SIZE_MAX. */
static size_t find_told(const trial_search *search, uint64_t hash) {
  for (size_t i = 0; i < search->position; i++) {
    const lpot_ledger_trial *trial = &search->run->ledger->trials[i];
    if (lpot_ledger_result_of(search->run->ledger, trial)->recipe_hash == hash) {
      return i;
    }
  }
  return SIZE_MAX;
}

static lpot_status check_replay(const trial_search *search, uint64_t hash, lpot_error *err) {
  const lpot_ledger_trial *trial = &search->run->ledger->trials[search->position];
  uint64_t recorded = lpot_ledger_result_of(search->run->ledger, trial)->recipe_hash;
  if (recorded != hash) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "trial %" PRIu64 " of the journal has recipe %016" PRIx64
                     ", this program would try %016" PRIx64 ": it was written by another version",
                     trial->id, recorded, hash);
  }
  return LPOT_OK;
}

static lpot_status run_trial(trial_search *search, const lpot_demand *demand, lpot_error *err) {
  lpot_run *run = search->run;
  uint64_t hash = lpot_recipe_hash(demand->recipe);
  size_t earlier = find_told(search, hash);
  if (earlier != SIZE_MAX) {
    search->repeats++;
    search->exhausted = search->repeats > MAX_REPEATS;
    LPOT_TRY(tell(search, earlier, err));
    return LPOT_OK;
  }
  search->repeats = 0;
  if (search->position < run->ledger->num_trials) {
    LPOT_TRY(check_replay(search, hash, err));
  } else {
    LPOT_TRY(lpot_run_calibrate(run, demand->recipe->calibration_samples, err));
    LPOT_TRY(evaluate_demand(search, demand->recipe, err));
    if (search->timed_out) {
      return LPOT_OK;
    }
    LPOT_TRY(commit(search, demand, err));
  }
  size_t index = search->position;
  search->position++;
  note_trial(search, index);
  show_trial(search, &run->ledger->trials[index]);
  LPOT_TRY(tell(search, index, err));
  const lpot_ledger_trial *trial = &run->ledger->trials[index];
  if (trial->meets && run->job->config->timeout_seconds > 0) {
    LPOT_TRY(lpot_search_measure(run, trial->id, err));
  }
  LPOT_TRY(lpot_run_checkpoint(run, trial->meets && search->num_accepted == 1, err));
  return LPOT_OK;
}

static lpot_status next_demand(trial_search *search, lpot_demand *demand, lpot_error *err) {
  if (search->strategy != NULL) {
    LPOT_TRY(lpot_strategy_next(search->strategy, demand, err));
    return LPOT_OK;
  }
  *demand = (lpot_demand){.stage = LPOT_STAGE_GIVEN, .purpose = LPOT_DECIDE};
  LPOT_TRY(lpot_recipe_clone(search->run->options->given_recipe, &demand->recipe, err));
  return LPOT_OK;
}

static lpot_status loop(trial_search *search, lpot_error *err) {
  while (!is_over(search)) {
    lpot_demand demand = {0};
    LPOT_TRY(next_demand(search, &demand, err));
    if (demand.recipe == NULL) {
      search->exhausted = true;
      return LPOT_OK;
    }
    lpot_status status = run_trial(search, &demand, err);
    lpot_recipe_free(demand.recipe);
    LPOT_TRY(status);
  }
  return LPOT_OK;
}

static lpot_status make_strategy(trial_search *search, lpot_error *err) {
  const lpot_run *run = search->run;
  if (run->options->given_recipe != NULL) {
    return LPOT_OK;
  }
  const lpot_config *config = run->job->config;
  LPOT_TRY(lpot_space_new(run->job->ops, &config->wishes, &search->space, err));
  for (size_t i = 0; i < lpot_space_num_warnings(search->space); i++) {
    lpot_log(LPOT_LOG_WARNING, "%s", lpot_space_warning(search->space, i));
  }
  lpot_strategy_options options = {.seed = config->seed,
                                   .higher_is_better = run->job->higher_is_better,
                                   .baseline = run->ledger->baseline.accuracy,
                                   .samples = (int64_t)run->ledger->baseline.state.samples};
  LPOT_TRY(lpot_strategy_new(config->strategy, search->space, &options, &search->strategy, err));
  return LPOT_OK;
}

lpot_status lpot_search(lpot_run *run, lpot_error *err) {
  trial_search search = {.run = run, .best = SIZE_MAX};
  double before =
      run->ledger->num_trials == 0 ? 0 : run->ledger->trials[run->ledger->num_trials - 1].elapsed;
  lpot_clock clock = lpot_clock_monotonic();
  run->search_start = lpot_clock_now(&clock) - before;
  lpot_status status = make_strategy(&search, err);
  if (status == LPOT_OK) {
    long total = run->options->given_recipe != NULL ? 1 : (long)run->job->config->max_trials;
    lpot_progress_phase("trial", total);
    status = loop(&search, err);
    lpot_progress_end();
  }
  if (status == LPOT_OK) {
    status = lpot_run_quiesce(run, err);
  }
  lpot_strategy_free(search.strategy);
  lpot_space_free(search.space);
  return status;
}

/* ---- latency ---- */

static lpot_status measure_latency(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  LPOT_TRY(lpot_run_quiesce(run, err));
  run->latency_known = false;
  LPOT_TRY(
      lpot_run_assign(run, lpot_crew_idle_worker(run->crew), LPOT_TASK_LATENCY, 0, 0, recipe, err));
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

/* ---- the exported form ---- */

static lpot_status evaluate_exported(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  lpot_recipe *exported = NULL;
  LPOT_TRY(lpot_run_calibrate(run, recipe->calibration_samples, err));
  LPOT_TRY(lpot_run_quiesce(run, err));
  LPOT_TRY(lpot_recipe_exported(recipe, &exported, err));
  uint64_t hash = lpot_recipe_hash(exported);
  lpot_status status = assign_recipe(run, lpot_crew_idle_worker(run->crew), exported, err);
  lpot_recipe_free(exported);
  while (status == LPOT_OK && lpot_ledger_find_result(run->ledger, hash) == SIZE_MAX) {
    status = lpot_run_pump(run, err);
  }
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
