/* Evaluating the f32 model or a recipe on blocks of the evaluation set. Not collective. */
#ifndef LPOT_TUNE_EVALUATE_H
#define LPOT_TUNE_EVALUATE_H

#include "tune/job.h"
#include "tune/protocol.h"

/* Does an EVALUATE task: fills outcome's states, and for metrics that tell right from wrong its
 * bits, block after block; on failure, and with LPOT_INTERRUPTED when stop says so, the blocks that
 * were finished are there. A raced task ends behind the block with which the race is lost, or whose
 * predictions are NaN or infinite. The compiled plans of the last recipes are kept in the job. A
 * metric that evaluates by itself is given the model instead of its outputs. */
LPOT_MUST_CHECK lpot_status lpot_evaluate(lpot_job *job, const lpot_task *task,
                                          const lpot_stop *stop, lpot_outcome *outcome,
                                          lpot_error *err);

#endif
