#include "tune/search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "quant/op_links.h"
#include "quant/reorders.h"
#include "strategy/strategy.h"
#include "tune/export.h"
#include "tune/judge.h"
#include "tune/progress.h"
#include "tune/proposer.h"

typedef struct trial_search {
  lpot_run *run;
  lpot_space *space;               /* NULL with a given recipe */
  lpot_strategy *strategy;         /* NULL with a given recipe */
  lpot_program_proposer *proposer; /* of the strategy external, else NULL */
  lpot_op_link *links;             /* between the ops; owned */
  size_t position;                 /* trials told to the strategy so far */
  size_t num_accepted;
  size_t best;             /* index of the most accurate valid trial so far, SIZE_MAX for none */
  size_t repeats;          /* demands in a row that were answered from earlier trials */
  size_t results_at_hints; /* in the ledger when the strategy was last asked for hints */
  bool exhausted;
  bool timed_out;
} trial_search;

/* A strategy that repeats itself for ever is a bug of ours or of a user's program, not a reason to
 * hang. */
#define MAX_REPEATS 10000u

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
         (search->num_accepted > 0 && !lpot_config_compares(config) &&
          !lpot_strategy_goes_on(config->strategy)) ||
         (config->performance_only && search->position > 0) ||
         (int64_t)search->position >= config->max_trials;
}

/* ---- evaluating a demand ---- */

static bool is_raced(const lpot_run *run, lpot_purpose purpose) {
  return run->races && purpose == LPOT_DECIDE;
}

/* The result, or what was sensed, that answers a demand, or SIZE_MAX. A demand that may be cut
 * short is answered as if it had been, also where the whole evaluation is known: so nothing depends
 * on what was prefetched.
 */
static lpot_status find_answer(lpot_run *run, const lpot_recipe *recipe, lpot_purpose purpose,
                               size_t *ret_index, lpot_error *err) {
  uint64_t hash = lpot_recipe_hash(recipe);
  if (purpose == LPOT_SENSE) {
    *ret_index = lpot_ledger_find_sense(run->ledger, hash);
    return LPOT_OK;
  }
  size_t whole = lpot_ledger_find_result(run->ledger, hash, false);
  *ret_index = whole;
  if (!is_raced(run, purpose)) {
    return LPOT_OK;
  }
  size_t pruned = lpot_ledger_find_result(run->ledger, hash, true);
  if (pruned == SIZE_MAX && whole != SIZE_MAX) {
    lpot_ledger_result result;
    if (!lpot_judge_replay(run->job, &run->terms, run->ledger->baseline.correct,
                           &run->ledger->results[whole], &result)) {
      return LPOT_OK;
    }
    LPOT_TRY(lpot_ledger_add_result(run->ledger, run->journal, &result, err));
    pruned = lpot_ledger_find_result(run->ledger, hash, true);
  }
  *ret_index = pruned != SIZE_MAX ? pruned : whole;
  return LPOT_OK;
}

/* True when a hint is worth evaluating now. */
static bool is_open(const lpot_run *run, const lpot_recipe *recipe, lpot_purpose purpose) {
  uint64_t hash = lpot_recipe_hash(recipe);
  bool ready = recipe->dynamic ||
               lpot_job_find_calibration(run->job, lpot_calibration_key_of(recipe)) != NULL;
  if (purpose == LPOT_SENSE) {
    return ready && lpot_ledger_find_sense(run->ledger, hash) == SIZE_MAX;
  }
  return ready && lpot_ledger_find_result(run->ledger, hash, false) == SIZE_MAX &&
         (!is_raced(run, purpose) || lpot_ledger_find_result(run->ledger, hash, true) == SIZE_MAX);
}

static lpot_want want_of(const lpot_run *run, const lpot_recipe *recipe, lpot_purpose purpose) {
  return (lpot_want){
      .recipe = recipe, .raced = is_raced(run, purpose), .senses = purpose == LPOT_SENSE};
}

/* Wants the demand and, behind it, those hints that are open. */
static lpot_status want(trial_search *search, const lpot_demand *demand, lpot_recipe *const *hints,
                        const lpot_purpose *purposes, size_t count, lpot_error *err) {
  lpot_run *run = search->run;
  lpot_want *wants = lpot_calloc(count + 1, sizeof *wants);
  if (wants == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t used = 1;
  wants[0] = want_of(run, demand->recipe, demand->purpose);
  for (size_t i = 0; i < count; i++) {
    if (is_open(run, hints[i], purposes[i])) {
      wants[used++] = want_of(run, hints[i], purposes[i]);
    }
  }
  lpot_status status = lpot_run_want(run, wants, used, err);
  lpot_free(wants);
  return status;
}

static bool is_fixed(const trial_search *search) {
  return search->strategy != NULL && lpot_strategy_is_fixed(search->strategy);
}

/* How far to look ahead: so far that there are two evaluations for each worker, beside those that
 * have ended and wait for a slow one before them; but not beyond the last trial, where hints are
 * known to be demanded. */
static size_t num_hints(const trial_search *search) {
  const lpot_ledger *ledger = search->run->ledger;
  size_t workers = lpot_crew_size(search->run->crew);
  if (search->strategy == NULL || workers == 1) {
    return 0;
  }
  size_t count = 2 * workers;
  if (is_fixed(search)) {
    int64_t left = search->run->job->config->max_trials - (int64_t)search->position - 1;
    count += ledger->num_results - ledger->num_trials;
    count = left < (int64_t)count ? (size_t)(left < 0 ? 0 : left) : count;
  }
  return count;
}

/* What may be demanded next is evaluated beforehand where there is more than one worker. */
static lpot_status want_with_hints(trial_search *search, const lpot_demand *demand,
                                   lpot_error *err) {
  size_t capacity = num_hints(search);
  lpot_recipe **hints = lpot_calloc(capacity + 1, sizeof(lpot_recipe *));
  lpot_purpose *purposes = lpot_calloc(capacity + 1, sizeof *purposes);
  size_t count = 0;
  search->results_at_hints = search->run->ledger->num_results;
  lpot_status status = LPOT_OK;
  if (hints == NULL || purposes == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  if (status == LPOT_OK && capacity > 0) {
    status = lpot_strategy_hints(search->strategy, capacity, hints, purposes, &count, err);
  }
  if (status == LPOT_OK) {
    status = want(search, demand, hints, purposes, count, err);
  }
  for (size_t i = 0; i < count; i++) {
    lpot_recipe_free(hints[i]);
  }
  lpot_free(hints);
  lpot_free(purposes);
  return status;
}

/* True when so many evaluations have ended since that workers may soon have nothing to do. */
static bool needs_hints(const trial_search *search) {
  const lpot_run *run = search->run;
  size_t ended = run->ledger->num_results - search->results_at_hints;
  return ended > lpot_crew_size(run->crew) / 2;
}

/* True when what is wanted already is what would be wanted now, and enough for all workers. */
static bool is_prefetched(const trial_search *search, const lpot_demand *demand) {
  const lpot_want first = want_of(search->run, demand->recipe, demand->purpose);
  return is_fixed(search) && !needs_hints(search) && lpot_run_is_first(search->run, &first);
}

/* Brings the result of a demand into the ledger, unless the clock runs out before. */
static lpot_status evaluate_demand(trial_search *search, const lpot_demand *demand,
                                   size_t *ret_result, lpot_error *err) {
  lpot_run *run = search->run;
  LPOT_TRY(find_answer(run, demand->recipe, demand->purpose, ret_result, err));
  if (*ret_result == SIZE_MAX && !is_prefetched(search, demand)) {
    LPOT_TRY(want_with_hints(search, demand, err));
  }
  while (*ret_result == SIZE_MAX) {
    if (clock_ran_out(search)) {
      search->timed_out = true;
      return LPOT_OK;
    }
    LPOT_TRY(lpot_run_deal(run, err));
    LPOT_TRY(lpot_run_pump(run, err));
    LPOT_TRY(find_answer(run, demand->recipe, demand->purpose, ret_result, err));
    if (*ret_result == SIZE_MAX && is_fixed(search) && needs_hints(search)) {
      LPOT_TRY(want_with_hints(search, demand, err)); /* Others need not wait for a slow one. */
    }
  }
  return LPOT_OK;
}

/* ---- trials ---- */

static lpot_status commit(trial_search *search, const lpot_demand *demand, size_t index,
                          lpot_error *err) {
  lpot_run *run = search->run;
  const lpot_config *config = run->job->config;
  double baseline = run->ledger->baseline.accuracy;
  bool higher = run->job->higher_is_better;
  lpot_ledger_trial trial = {
      .id = run->ledger->num_trials + 1, .stage = demand->stage, .result = index};
  const lpot_ledger_result *result = &run->ledger->results[index];
  bool valid = result->status == LPOT_TRIAL_DONE;
  trial.meets = valid && lpot_config_meets(config, higher, baseline, result->accuracy);
  trial.relative_loss = lpot_relative_loss(higher, baseline, result->accuracy);
  trial.elapsed = lpot_run_elapsed(run);
  /* Exporting takes rank 0 so long that workers would wait: only where the size is looked at. */
  if (trial.meets || (valid && config->objectives.weights[LPOT_OBJECTIVE_MODELSIZE] > 0)) {
    LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(demand->recipe), err));
    LPOT_TRY(lpot_export_size(run->job, demand->recipe, &trial.size_bytes, err));
    LPOT_TRY(lpot_quant_count_reorders(run->job->graph, run->job->ops, demand->recipe,
                                       &trial.reorders, err));
  }
  LPOT_TRY(lpot_ledger_add_commit(run->ledger, run->journal, &trial, err));
  return LPOT_OK;
}

static void show_trial(const trial_search *search, const lpot_ledger_trial *trial) {
  const lpot_run *run = search->run;
  const lpot_ledger_result *result = lpot_ledger_result_of(run->ledger, trial);
  char note[256];
  if (result->status == LPOT_TRIAL_PRUNED) {
    snprintf(note, sizeof note,
             "%s accuracy about %.4g [%.4g, %.4g] misses the criterion after %" PRIu64
             " of %" PRId64 " samples",
             lpot_stage_text(trial->stage), result->accuracy, result->interval.low,
             result->interval.high, result->samples, run->job->blocks.num_samples);
  } else if (result->status == LPOT_TRIAL_DONE) {
    const lpot_ledger_trial *best = &run->ledger->trials[search->best];
    snprintf(note, sizeof note, "%s accuracy %.6g %s, best %.6g (trial %" PRIu64 ")",
             lpot_stage_text(trial->stage), result->accuracy,
             trial->meets ? "meets the criterion" : "misses the criterion",
             lpot_ledger_result_of(run->ledger, best)->accuracy, best->id);
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
  const lpot_ledger_result *result = lpot_ledger_result_of(run->ledger, trial);
  if (result->status != LPOT_TRIAL_DONE) {
    return;
  }
  if (search->best == SIZE_MAX) {
    search->best = index;
    return;
  }
  const lpot_ledger_trial *best = &run->ledger->trials[search->best];
  double best_accuracy = lpot_ledger_result_of(run->ledger, best)->accuracy;
  bool better = run->job->higher_is_better ? result->accuracy > best_accuracy
                                           : result->accuracy < best_accuracy;
  search->best = better ? index : search->best;
}

/* What is known of a trial; a latency that is not trusted is not known. */
static lpot_result result_of(const lpot_ledger_trial *trial, const lpot_ledger_result *result) {
  bool valid = result->status == LPOT_TRIAL_DONE || result->status == LPOT_TRIAL_PRUNED;
  bool timed = trial->measured && trial->latency.trusted;
  return (lpot_result){.valid = valid,
                       .accuracy = result->accuracy,
                       .samples = (int64_t)result->samples,
                       .meets = trial->meets,
                       .speedup = timed ? trial->latency.speedup : 0};
}

static lpot_status tell(trial_search *search, const lpot_ledger_trial *trial,
                        const lpot_ledger_result *result, lpot_error *err) {
  if (search->strategy == NULL) {
    search->exhausted = true;
    return LPOT_OK;
  }
  const lpot_result told = result_of(trial, result);
  LPOT_TRY(lpot_strategy_tell(search->strategy, &told, err));
  return LPOT_OK;
}

/* The committed trial of this recipe among those told so far, or SIZE_MAX. */
static size_t find_told(const trial_search *search, uint64_t hash) {
  const lpot_ledger *ledger = search->run->ledger;
  size_t found = SIZE_MAX;
  for (int pruned = 0; pruned <= 1; pruned++) {
    size_t index = lpot_ledger_find_result(ledger, hash, pruned == 1);
    const lpot_ledger_result *result = index == SIZE_MAX ? NULL : &ledger->results[index];
    if (result != NULL && result->committed && result->trial < search->position &&
        result->trial < found) {
      found = result->trial;
    }
  }
  return found;
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

/* A recipe that is demanded again is no new trial. What was cut short then is now evaluated on the
 * whole set if its accuracy is needed. */
static lpot_status answer_again(trial_search *search, const lpot_demand *demand, size_t earlier,
                                lpot_error *err) {
  lpot_run *run = search->run;
  size_t index = SIZE_MAX;
  search->repeats++;
  if (search->repeats > MAX_REPEATS) {
    search->exhausted = true;
    lpot_log(LPOT_LOG_WARNING,
             "strategy %s: the last %u recipes were all tried before: the search ends",
             run->job->config->strategy, MAX_REPEATS);
  }
  LPOT_TRY(find_answer(run, demand->recipe, demand->purpose, &index, err));
  if (index == SIZE_MAX) {
    LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(demand->recipe), err));
    LPOT_TRY(evaluate_demand(search, demand, &index, err));
    if (search->timed_out) {
      return LPOT_OK;
    }
  }
  LPOT_TRY(tell(search, &run->ledger->trials[earlier], &run->ledger->results[index], err));
  return LPOT_OK;
}

/* Makes the demand the next trial. */
static lpot_status add_trial(trial_search *search, const lpot_demand *demand, lpot_error *err) {
  lpot_run *run = search->run;
  size_t result = SIZE_MAX;
  LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(demand->recipe), err));
  LPOT_TRY(evaluate_demand(search, demand, &result, err));
  if (!search->timed_out) {
    LPOT_TRY(commit(search, demand, result, err));
  }
  return LPOT_OK;
}

/* What is sensed becomes no trial: the strategy is told, that is all. */
static lpot_status run_sense(trial_search *search, const lpot_demand *demand, lpot_error *err) {
  lpot_run *run = search->run;
  size_t index = SIZE_MAX;
  LPOT_TRY(find_answer(run, demand->recipe, LPOT_SENSE, &index, err));
  if (index == SIZE_MAX) {
    LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(demand->recipe), err));
    LPOT_TRY(evaluate_demand(search, demand, &index, err));
    if (search->timed_out) {
      return LPOT_OK;
    }
  }
  const lpot_ledger_sense *sense = &run->ledger->senses[index];
  char note[96];
  snprintf(note, sizeof note, "sensitivity %.3g on %" PRIu64 " samples", sense->error,
           sense->samples);
  lpot_progress_step((long)search->position, sense->valid ? note : "sensitivity unknown");
  lpot_result told = {
      .valid = sense->valid, .error = sense->error, .samples = (int64_t)sense->samples};
  LPOT_TRY(lpot_strategy_tell(search->strategy, &told, err));
  return LPOT_OK;
}

/* Goes on behind the committed trial at position, whose latency is then known if it is asked for.
 */
static lpot_status pass_trial(trial_search *search, const lpot_ledger_trial **ret_trial,
                              lpot_error *err) {
  lpot_run *run = search->run;
  size_t index = search->position;
  search->position++;
  note_trial(search, index);
  const lpot_ledger_trial *trial = &run->ledger->trials[index];
  show_trial(search, trial);
  if (trial->meets && run->job->config->timeout_seconds > 0) {
    LPOT_TRY(lpot_search_measure(run, trial->id, err));
    LPOT_TRY(lpot_search_weigh(run, trial->id, err));
  }
  *ret_trial = trial;
  return LPOT_OK;
}

static lpot_status run_trial(trial_search *search, const lpot_demand *demand, lpot_error *err) {
  lpot_run *run = search->run;
  if (demand->purpose == LPOT_SENSE) {
    LPOT_TRY(run_sense(search, demand, err));
    return LPOT_OK;
  }
  uint64_t hash = lpot_recipe_hash(demand->recipe);
  size_t earlier = find_told(search, hash);
  if (earlier != SIZE_MAX) {
    LPOT_TRY(answer_again(search, demand, earlier, err));
    return LPOT_OK;
  }
  search->repeats = 0;
  if (search->position < run->ledger->num_trials) {
    LPOT_TRY(check_replay(search, hash, err));
  } else {
    LPOT_TRY(add_trial(search, demand, err));
    if (search->timed_out) {
      return LPOT_OK;
    }
  }
  const lpot_ledger_trial *trial = NULL;
  LPOT_TRY(pass_trial(search, &trial, err));
  LPOT_TRY(tell(search, trial, lpot_ledger_result_of(run->ledger, trial), err));
  lpot_run_checkpoint(run, trial->meets && search->num_accepted == 1);
  return LPOT_OK;
}

/* A trial of an earlier run that is not demanded again. */
static lpot_status recall_trial(trial_search *search, lpot_error *err) {
  const lpot_ledger_trial *trial = NULL;
  LPOT_TRY(pass_trial(search, &trial, err));
  const lpot_ledger_result *result = lpot_ledger_result_of(search->run->ledger, trial);
  const lpot_result told = result_of(trial, result);
  LPOT_TRY(lpot_strategy_recall(search->strategy, result->recipe, &told, err));
  return LPOT_OK;
}

static bool recalls(const trial_search *search) {
  return search->strategy != NULL && search->position < search->run->ledger->num_trials &&
         lpot_strategy_recalls(search->run->job->config->strategy);
}

static void begin_trials(const lpot_run *run) {
  lpot_progress_phase("trial",
                      run->options->given_recipe != NULL ? 1 : (long)run->job->config->max_trials);
}

/* What ops cost, where the strategy asks. Trials that are replayed were made without, if the
 * journal has it only behind them, or not at all: to know it now would change them. */
static lpot_status give_costs(trial_search *search, lpot_error *err) {
  const lpot_ledger *ledger = search->run->ledger;
  const lpot_op_cost *costs = NULL;
  if (!lpot_strategy_wants_costs(search->strategy)) {
    return LPOT_OK;
  }
  size_t made_without = ledger->has_op_times ? ledger->op_times_trials : ledger->num_trials;
  if (search->position >= made_without) {
    LPOT_TRY(lpot_run_need_op_times(search->run, &costs, err));
    begin_trials(search->run);
  } else if (ledger->has_op_times) {
    lpot_log(LPOT_LOG_WARNING,
             "%zu trials were made before it was known what ops cost: the others, too, go by "
             "damage alone (a new workspace would use the cost table)",
             made_without);
  }
  lpot_strategy_set_costs(search->strategy, costs);
  return LPOT_OK;
}

static lpot_status next_demand(trial_search *search, lpot_demand *demand, lpot_error *err) {
  if (search->strategy != NULL) {
    LPOT_TRY(give_costs(search, err));
    LPOT_TRY(lpot_strategy_next(search->strategy, demand, err));
    return LPOT_OK;
  }
  *demand = (lpot_demand){.stage = LPOT_STAGE_GIVEN, .purpose = LPOT_RANK};
  LPOT_TRY(lpot_recipe_clone(search->run->options->given_recipe, &demand->recipe, err));
  demand->recipe->reduce_range |= search->run->job->config->wishes.reduce_range;
  return LPOT_OK;
}

static lpot_status loop(trial_search *search, lpot_error *err) {
  while (!is_over(search)) {
    if (recalls(search)) {
      LPOT_TRY(recall_trial(search, err));
      continue;
    }
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

/* An lpot_program_idle: the workers go on while a program is waited for; context is the run. */
static lpot_status serve_workers(void *context, lpot_error *err) {
  LPOT_TRY(lpot_run_deal(context, err));
  LPOT_TRY(lpot_run_pump(context, err));
  return LPOT_OK;
}

static lpot_status make_proposer(trial_search *search, lpot_strategy_options *options,
                                 lpot_error *err) {
  lpot_run *run = search->run;
  if (run->job->config->num_command == 0 || !lpot_strategy_recalls(run->job->config->strategy)) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_program_proposer_new(run->job->config, search->space, options, serve_workers, run,
                                     &search->proposer, err));
  options->proposer = lpot_program_proposer_interface(search->proposer);
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
  const lpot_ledger *ledger = run->ledger;
  lpot_strategy_options options = {.seed = config->seed,
                                   .higher_is_better = run->job->higher_is_better,
                                   .baseline = ledger->baseline.accuracy,
                                   .samples = (int64_t)ledger->baseline.state.samples,
                                   .accuracy_weight = config->accuracy_weight,
                                   .latency_weight = config->latency_weight,
                                   .ignores_latency =
                                       config->objectives.weights[LPOT_OBJECTIVE_PERFORMANCE] <= 0};
  LPOT_TRY(
      lpot_quant_op_links(run->job->graph, run->job->ops, &search->links, &options.num_links, err));
  options.links = search->links;
  LPOT_TRY(make_proposer(search, &options, err));
  LPOT_TRY(lpot_strategy_new(config->strategy, search->space, &options, &search->strategy, err));
  return LPOT_OK;
}

lpot_status lpot_search(lpot_run *run, lpot_error *err) {
  trial_search search = {.run = run, .best = SIZE_MAX};
  double before =
      run->ledger->num_trials == 0 ? 0 : run->ledger->trials[run->ledger->num_trials - 1].elapsed;
  run->search_start = lpot_clock_now(&run->clock) - before;
  lpot_status status = make_strategy(&search, err);
  if (status == LPOT_OK) {
    begin_trials(run);
    status = loop(&search, err);
    lpot_progress_end();
  }
  if (status == LPOT_OK) {
    status = lpot_run_quiesce(run, err);
  }
  lpot_strategy_free(search.strategy);
  lpot_program_proposer_free(search.proposer);
  lpot_space_free(search.space);
  lpot_free(search.links);
  return status;
}
