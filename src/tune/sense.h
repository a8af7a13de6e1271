/* How much a recipe changes the network's outputs: no labels are needed. Not collective. */
#ifndef LPOT_TUNE_SENSE_H
#define LPOT_TUNE_SENSE_H

#include "tune/job.h"
#include "tune/protocol.h"

/* What is compared: the first whole batches of the evaluation order, at least a 64th of the
 * samples, but no more than it takes for 64 and no fewer than for 8 of them, as one block. */
lpot_blocks lpot_sense_blocks(const lpot_job *job);

/* Does an EVALUATE task that senses: runs f32 (once for a job) and the task's recipe on these
 * samples. outcome gets one state: sum is the squared difference of an output to f32's over the
 * squares of f32's, all its elements added up in order in double, and the mean of that over the
 * outputs of type f32; bad counts elements that are NaN or infinite. LPOT_UNSUPPORTED where no
 * output is f32. */
LPOT_MUST_CHECK lpot_status lpot_sense(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                                       lpot_outcome *outcome, lpot_error *err);

#endif
