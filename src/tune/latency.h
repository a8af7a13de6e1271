/* Measuring the latency of a recipe against f32 on one rank. Not collective. */
#ifndef LPOT_TUNE_LATENCY_H
#define LPOT_TUNE_LATENCY_H

#include "tune/job.h"
#include "tune/latency_stats.h"

/* Pins the calling thread to cores_per_instance of its allowed cores (LPOT_UNSUPPORTED when there
 * are fewer) until it returns, compiles both plans, and runs them over the first batches of the
 * evaluation set at the performance section's batch size:
 *
 * - warm-up, until two successive block medians of each differ by less than 2 %, at most a second;
 * - rounds of f32, recipe, recipe, f32 (ABBA) on the same inputs, in windows of about 0.3 s. Rounds
 *   that were interrupted, or during which something ran on the core's other hyper-thread
 *   (core_probe.h, looked at between timings: twice at least), or whose f32 time is 10 % above the
 * fastest of the job, do not count; a window with too many of them, or in which others kept cores
 * of the package busy (lpot_watch_allowed), or whose f32 time drifted by more than 3 % or is as far
 * from that of the first one, is repeated;
 * - until the 95 % interval of the median log-ratio is within 1 %, or about 3 seconds are over, or
 *   for the configured number of iterations.
 *
 * An attempt fails with the second window to be repeated; then a new one is begun, at most five
 * (one with a configured number of iterations), on the core that is the quietest by then where the
 * last one's other hyper-thread was busy. When all have failed, ret->trusted is false and
 * ret->reason says why: the figures are those of the last one, and mean nothing by themselves.
 *
 * What this catches: processes that share the core, also from outside of a virtual machine and from
 * first to last; neighbours in the same package of this machine, whatever they do; a change of
 * clock rate, and load outside of a virtual machine that comes or goes. What it does not: load
 * outside on other cores that is there from the first measurement of the job to the last.
 *
 * With cold_weights, caches are swept before every timing. *ret is owned (lpot_latency_done). */
LPOT_MUST_CHECK lpot_status lpot_measure_latency(lpot_job *job, const lpot_recipe *recipe,
                                                 const lpot_stop *stop, lpot_latency *ret,
                                                 lpot_error *err);

#endif
