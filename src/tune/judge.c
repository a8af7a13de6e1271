#include "tune/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"

static bool meets(const lpot_job *job, double baseline, int64_t correct) {
  lpot_metric_state state;
  lpot_metric_state_init(&state);
  state.samples = (uint64_t)job->blocks.num_samples;
  state.correct = (uint64_t)correct;
  double accuracy = (double)NAN;
  lpot_status status = lpot_metric_value(job->metric, &state, &accuracy, NULL);
  return status == LPOT_OK && lpot_config_meets(job->config, true, baseline, accuracy);
}

const char *lpot_judge_no_race(const lpot_job *job) {
  if (!job->config->racing) {
    return NULL;
  }
  if (lpot_metric_evaluates(job->metric)) {
    return "its metric evaluates by itself, in one piece";
  }
  if (!lpot_metric_is_per_sample(job->metric)) {
    return "its metric is not a share of right samples";
  }
  if (!job->higher_is_better) {
    return "lower values of the metric are better";
  }
  if (job->config->evaluation.keeps_order) {
    return "its data are not shuffled";
  }
  return job->config->performance_only ? "performance_only asks for no accuracy" : NULL;
}

bool lpot_judge_terms(const lpot_job *job, const lpot_ledger_baseline *baseline,
                      lpot_race_terms *ret_terms) {
  if (!job->config->racing || lpot_judge_no_race(job) != NULL || baseline->num_bits == 0) {
    return false;
  }
  int64_t low = 0;
  int64_t high = job->blocks.num_samples + 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (meets(job, baseline->accuracy, middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  *ret_terms = (lpot_race_terms){.samples = job->blocks.num_samples,
                                 .baseline_correct = (int64_t)baseline->state.correct,
                                 .needed = low};
  return true;
}

static void fill_pruned(const lpot_race_terms *terms, const uint8_t *baseline,
                        const lpot_race *race, const uint8_t *correct, lpot_ledger_result *result) {
  result->status = LPOT_TRIAL_PRUNED;
  result->accuracy = lpot_race_estimate(race, terms);
  result->interval = lpot_race_interval(terms, baseline, correct, race->samples);
  result->samples = (uint64_t)race->samples;
  snprintf(result->cause, sizeof result->cause,
           "clear after %" PRId64 " of %" PRId64 " samples: %" PRId64 " lost, %" PRId64
           " gained against f32",
           race->samples, terms->samples, race->lost, race->gained);
}

static lpot_status fill_whole(const lpot_job *job, const lpot_metric_state *total,
                              lpot_ledger_result *result, lpot_error *err) {
  double accuracy = (double)NAN;
  result->samples = total->samples;
  if (total->bad == 0) {
    LPOT_TRY(lpot_metric_value(job->metric, total, &accuracy, err));
  }
  if (total->bad > 0 || isnan(accuracy)) {
    result->status = LPOT_TRIAL_INVALID;
    snprintf(result->cause, sizeof result->cause,
             "%" PRIu64 " of %" PRIu64 " predictions are NaN or infinite", total->bad,
             total->samples);
    return LPOT_OK;
  }
  result->status = LPOT_TRIAL_DONE;
  result->accuracy = accuracy;
  result->interval = (lpot_interval){.low = accuracy, .high = accuracy};
  return LPOT_OK;
}

static lpot_trial_status broken_status(lpot_breakage breakage) {
  static const lpot_trial_status statuses[] = {[LPOT_BREAKAGE_CRASH] = LPOT_TRIAL_CRASHED,
                                               [LPOT_BREAKAGE_TIMEOUT] = LPOT_TRIAL_TIMEOUT,
                                               [LPOT_BREAKAGE_LOSS] = LPOT_TRIAL_LOST};
  return statuses[breakage];
}

static lpot_status judge_whole(const lpot_job *job, const lpot_evaluation *evaluation,
                               lpot_ledger_result *result, lpot_error *err) {
  lpot_metric_state total;
  lpot_error error = {0};
  lpot_status status = lpot_evaluation_total(evaluation, job->metric, &total, &error);
  if (status == LPOT_OK) {
    status = fill_whole(job, &total, result, &error);
    lpot_metric_state_done(&total);
  }
  if (status == LPOT_FORMAT ||
      status == LPOT_CRASHED) { /* What the evaluators told has no value. */
    result->status = LPOT_TRIAL_INVALID;
    lpot_text_copy(result->cause, sizeof result->cause, error.message);
    return LPOT_OK;
  }
  if (status != LPOT_OK && err != NULL) {
    *err = error;
  }
  return status;
}

lpot_status lpot_judge_evaluation(const lpot_job *job, const lpot_evaluation *evaluation,
                                  lpot_ledger_result *ret_result, lpot_error *err) {
  const double unknown = (double)NAN;
  *ret_result = (lpot_ledger_result){.recipe = evaluation->recipe,
                                     .recipe_hash = evaluation->hash,
                                     .status = LPOT_TRIAL_INVALID,
                                     .accuracy = unknown,
                                     .interval = {unknown, unknown},
                                     .seconds = evaluation->seconds};
  switch (evaluation->ending) {
  case LPOT_ENDING_LOST:
    fill_pruned(&evaluation->terms, evaluation->baseline, &evaluation->race, evaluation->correct,
                ret_result);
    break;
  case LPOT_ENDING_BROKEN:
    ret_result->status = broken_status(evaluation->breakage);
    lpot_text_copy(ret_result->cause, sizeof ret_result->cause, evaluation->cause);
    break;
  case LPOT_ENDING_FAILED:
    ret_result->samples = (uint64_t)lpot_evaluation_num_good(evaluation);
    lpot_text_copy(ret_result->cause, sizeof ret_result->cause, evaluation->cause);
    break;
  default:
    LPOT_TRY(judge_whole(job, evaluation, ret_result, err));
    break;
  }
  /* How many blocks there were before it broke is a matter of luck. */
  if (evaluation->has_correct && evaluation->ending != LPOT_ENDING_BROKEN) {
    ret_result->num_bits = (size_t)lpot_evaluation_num_good(evaluation);
    ret_result->correct = ret_result->num_bits > 0 ? evaluation->correct : NULL;
  }
  return LPOT_OK;
}

void lpot_judge_sense(const lpot_evaluation *evaluation, lpot_ledger_sense *ret_sense) {
  const lpot_metric_state *state = &evaluation->states[0];
  lpot_ledger_sense sense = {.recipe_hash = evaluation->hash,
                             .recipe = evaluation->recipe,
                             .error = (double)NAN,
                             .samples = (uint64_t)evaluation->blocks.num_samples,
                             .seconds = evaluation->seconds};
  sense.valid = evaluation->ending == LPOT_ENDING_WHOLE && isfinite(state->sum);
  if (sense.valid) {
    sense.error = state->sum;
  } else if (evaluation->cause[0] != '\0') {
    lpot_text_copy(sense.cause, sizeof sense.cause, evaluation->cause);
  } else {
    snprintf(sense.cause, sizeof sense.cause,
             "%" PRIu64 " of %" PRIu64 " outputs are NaN or infinite", state->bad, state->elements);
  }
  *ret_sense = sense;
}

bool lpot_judge_replay(const lpot_job *job, const lpot_race_terms *terms, const uint8_t *baseline,
                       const lpot_ledger_result *whole, lpot_ledger_result *ret_result) {
  if (whole->num_bits > (size_t)terms->samples) {
    return false;
  }
  int64_t blocks = 0;
  lpot_race race;
  lpot_race_replay(&job->blocks, terms, baseline, whole->correct, whole->num_bits, &blocks, &race);
  if (blocks > job->blocks.num_blocks) {
    return false;
  }
  *ret_result = *whole;
  fill_pruned(terms, baseline, &race, whole->correct, ret_result);
  ret_result->num_bits = (size_t)race.samples;
  return true;
}
