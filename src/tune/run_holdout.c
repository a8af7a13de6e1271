/* The end of a search with a part held out: f32 and what was chosen are evaluated on it. */
#include <inttypes.h>
#include <math.h>

#include "base/log.h"
#include "base/text.h"
#include "tune/judge.h"
#include "tune/progress.h"
#include "tune/run.h"

lpot_status lpot_run_record_held_out(lpot_run *run, const lpot_evaluation *evaluation,
                                     const char *host, int rank, lpot_error *err) {
  if (lpot_ledger_find_holdout(run->ledger, evaluation->hash) != NULL) {
    return LPOT_OK; /* The first answer stands. */
  }
  lpot_ledger_result result;
  LPOT_TRY(lpot_judge_evaluation(run->job, evaluation, &result, err));
  const lpot_ledger_holdout *f32 = lpot_ledger_find_holdout(run->ledger, 0);
  double baseline = f32 == NULL ? result.accuracy : f32->accuracy;
  bool higher = run->job->higher_is_better;
  lpot_ledger_holdout holdout = {
      .recipe_hash = evaluation->hash,
      .status = result.status,
      .accuracy = result.accuracy,
      .relative_loss = lpot_relative_loss(higher, baseline, result.accuracy),
      .meets = result.status == LPOT_TRIAL_DONE && isfinite(baseline) &&
               lpot_config_meets(run->job->config, higher, baseline, result.accuracy),
      .samples = result.samples,
      .seconds = result.seconds,
      .rank = rank};
  if (result.num_bits == result.samples) { /* else it ended before the last block */
    holdout.num_bits = result.num_bits;
    holdout.correct = result.correct;
  }
  lpot_text_copy(holdout.host, sizeof holdout.host, host);
  lpot_text_copy(holdout.cause, sizeof holdout.cause, result.cause);
  LPOT_TRY(lpot_ledger_add_holdout(run->ledger, run->journal, &holdout, err));
  return LPOT_OK;
}

/* recipe NULL: f32. */
static lpot_status evaluate(lpot_run *run, const lpot_recipe *recipe, lpot_error *err) {
  uint64_t hash = recipe == NULL ? 0 : lpot_recipe_hash(recipe);
  if (lpot_ledger_find_holdout(run->ledger, hash) != NULL) {
    return LPOT_OK;
  }
  if (recipe != NULL) {
    LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
  }
  const lpot_want want = {.recipe = recipe, .held_out = true};
  lpot_progress_phase(recipe == NULL ? "held out, f32" : "held out, chosen",
                      (long)run->job->held_out.num_blocks);
  lpot_status status = lpot_run_evaluate(run, &want, err);
  lpot_progress_end();
  return status;
}

static void tell(const lpot_run *run, const lpot_ledger_holdout *f32,
                 const lpot_ledger_holdout *chosen) {
  if (chosen->status != LPOT_TRIAL_DONE || f32->status != LPOT_TRIAL_DONE) {
    const lpot_ledger_holdout *bad = f32->status != LPOT_TRIAL_DONE ? f32 : chosen;
    lpot_log(LPOT_LOG_WARNING, "on the part held out %s is %s: %s",
             bad == f32 ? "f32" : "the chosen trial", lpot_trial_status_text(bad->status),
             bad->cause);
    return;
  }
  double target = lpot_config_target(run->job->config, run->job->higher_is_better, f32->accuracy);
  lpot_log(chosen->meets ? LPOT_LOG_INFO : LPOT_LOG_WARNING,
           "on the %" PRIu64 " samples held out the criterion %s: accuracy %.6g, f32 %.6g, asked "
           "for %.6g",
           chosen->samples, chosen->meets ? "holds" : "does NOT hold", chosen->accuracy,
           f32->accuracy, target);
}

lpot_status lpot_run_hold_out(lpot_run *run, uint64_t chosen, lpot_error *err) {
  if (run->job->held_out.num_blocks == 0) {
    return LPOT_OK;
  }
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, chosen);
  const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
  LPOT_TRY(evaluate(run, NULL, err));
  LPOT_TRY(evaluate(run, recipe, err));
  tell(run, lpot_ledger_find_holdout(run->ledger, 0),
       lpot_ledger_find_holdout(run->ledger, lpot_recipe_hash(recipe)));
  return LPOT_OK;
}
