/* Evaluating the f32 model or a recipe on blocks of the evaluation set. Not collective. */
#ifndef LPOT_TUNE_EVALUATE_H
#define LPOT_TUNE_EVALUATE_H

#include "tune/job.h"

/* Fills states[0 .. count) with the metric's state over blocks [first, first + count). recipe NULL
 * is f32. The compiled plan is kept in the job until another recipe comes. LPOT_INTERRUPTED when
 * stop says so. */
LPOT_MUST_CHECK lpot_status lpot_evaluate(lpot_job *job, const lpot_recipe *recipe, int64_t first,
                                          int64_t count, const lpot_stop *stop,
                                          lpot_metric_state *states, lpot_error *err);

#endif
