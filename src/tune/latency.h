/* Measuring the latency of a recipe against f32 on one rank. Not collective. */
#ifndef LPOT_TUNE_LATENCY_H
#define LPOT_TUNE_LATENCY_H

#include "tune/job.h"
#include "tune/protocol.h"

/* Runs both plans over the first batches of the evaluation set at the performance section's batch
 * size: warm-up, then rounds of f32, recipe, recipe, f32 (ABBA), until the 95 % interval of both
 * medians is within 1 % or about 2 seconds are over, or for the configured number of iterations.
 * Figures are per sample. Rounds of which other processes took more than 2 % are counted, and
 * dropped while the 2 seconds last. */
LPOT_MUST_CHECK lpot_status lpot_measure_latency(lpot_job *job, const lpot_recipe *recipe,
                                                 const lpot_stop *stop, lpot_latency *ret,
                                                 lpot_error *err);

/* Sorts values [count], count >= 1, and stores their median and its distribution-free 95 %
 * interval (order statistics by the binomial distribution; with fewer than 6 values the range). */
void lpot_median_interval(double *values, size_t count, double *ret_median, double *ret_low,
                          double *ret_high);

#endif
