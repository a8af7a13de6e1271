/* The inputs that timed runs take in turn. */
#ifndef LPOT_TUNE_TIMED_INPUTS_H
#define LPOT_TUNE_TIMED_INPUTS_H

#include "tune/job.h"

/* One batch. */
typedef struct lpot_timed_set {
  size_t num_inputs;
  lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS]; /* [num_inputs], owned copies */
} lpot_timed_set;

typedef struct lpot_timed_inputs {
  size_t num_sets;
  lpot_timed_set sets[LPOT_LATENCY_BATCHES]; /* [num_sets] */
} lpot_timed_inputs;

/* Copies the first batches of the performance section (lpot_job_open_performance) into *inputs,
 * which is zeroed before; also after a failure it is for lpot_timed_inputs_done. */
LPOT_MUST_CHECK lpot_status lpot_timed_inputs_load(const lpot_job *job, lpot_timed_inputs *inputs,
                                                   lpot_error *err);
void lpot_timed_inputs_done(lpot_timed_inputs *inputs);
/* Those of batch index modulo num_sets, for lpot_plan_run; borrowed. */
const lpot_tensor *const *lpot_timed_inputs_get(const lpot_timed_inputs *inputs, size_t index);

#endif
