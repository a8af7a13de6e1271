/* Doing one task: what a worker does with a TASK message, and what a single rank does itself. */
#ifndef LPOT_TUNE_WORK_H
#define LPOT_TUNE_WORK_H

#include "tune/job.h"
#include "tune/protocol.h"

/* Does task and fills outcome (initialised, emptied first). Every failure becomes the outcome's
 * status and cause. Not collective. */
void lpot_work(lpot_job *job, const lpot_task *task, const lpot_stop *stop, lpot_outcome *outcome);

#endif
