/* The evaluator: the process of a rank that computes, or a thread of it (tune/spawner.h). It gets
 * the messages that the coordinator sends to the rank over a link, and may die: the rank then has a
 * new one made (tune/keeper.h). */
#ifndef LPOT_TUNE_EVALUATOR_H
#define LPOT_TUNE_EVALUATOR_H

#include "tune/job.h"
#include "tune/protocol.h"
#include "tune/tune.h"

/* Does one task: lpot_work, or what a test puts in its place. */
typedef void (*lpot_work_function)(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                                   lpot_outcome *outcome);

/* What is known before evaluators are forked. */
typedef struct lpot_evaluator_context {
  const lpot_tune_options *options;
  lpot_work_function work;
  bool inside; /* it is a thread of the rank: its memory cannot be measured */
} lpot_evaluator_context;

/* Waits for START, builds the job, answers HELLO (or FAILED, with the cause), then does tasks until
 * END or the end of the link. An lpot_evaluator_main; context is an lpot_evaluator_context. Returns
 * the exit code. Not collective. */
int lpot_evaluator_run(int link_fd, const void *context);

#endif
