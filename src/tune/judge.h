/* Judging: from an evaluation's blocks to the result that is recorded. Pure. */
#ifndef LPOT_TUNE_JUDGE_H
#define LPOT_TUNE_JUDGE_H

#include "tune/evaluation.h"
#include "tune/job.h"
#include "tune/ledger.h"

/* The terms on which recipes race; false where none may be stopped early: racing is off, the metric
 * is not a share of right samples, or accuracy does not decide. */
bool lpot_judge_terms(const lpot_job *job, const lpot_ledger_baseline *baseline,
                      lpot_race_terms *ret_terms);
/* Why lpot_judge_terms says no, for a message; NULL where the user asked for it. */
const char *lpot_judge_no_race(const lpot_job *job);

/* Status, accuracy, interval, samples, bits and cause of an evaluation that has ended; the other
 * fields are zero. The bits are those of the blocks before the one that ended it, none where it is
 * BROKEN; recipe and bits are borrowed from evaluation. */
LPOT_MUST_CHECK lpot_status lpot_judge_evaluation(const lpot_job *job,
                                                  const lpot_evaluation *evaluation,
                                                  lpot_ledger_result *ret_result, lpot_error *err);
/* The error of an evaluation that senses and has ended, or why there is none; rank and host are
 * zero, the recipe is borrowed from evaluation. */
void lpot_judge_sense(const lpot_evaluation *evaluation, lpot_ledger_sense *ret_sense);
/* What the race would have made of a result that is not PRUNED, by the bits that it has (those
 * before a broken block, too): true and the PRUNED result (its recipe and bits borrowed from whole)
 * where it would have been lost. */
bool lpot_judge_replay(const lpot_job *job, const lpot_race_terms *terms, const uint8_t *baseline,
                       const lpot_ledger_result *whole, lpot_ledger_result *ret_result);

#endif
