/* Measuring what each op costs in each precision on one rank. Not collective. */
#ifndef LPOT_TUNE_OP_TIMES_H
#define LPOT_TUNE_OP_TIMES_H

#include "tune/job.h"
#include "tune/op_times_record.h"

/* The calibration that the int8 plan needs; of 0 samples under dynamic quantization. It is that of
 * the space's first variant, which recipes need too: times do not depend on it. */
lpot_calibration_key lpot_op_times_calibration(const lpot_job *job);

/* A recipe in which every op that can (quant/capability.h) has this precision, INT8 by the first
 * choices of its capability, and every other op is f32; *ret_count: how many have it. */
LPOT_MUST_CHECK lpot_status lpot_op_times_recipe(const lpot_job *job, lpot_precision precision,
                                                 lpot_recipe **ret_recipe, size_t *ret_count,
                                                 lpot_error *err);

/* The op that each step of a plan of one of these recipes (or of f32) belongs to: ret_owners
 * [num_steps], SIZE_MAX: to none. A step belongs to the op that holds the node it is named after.
 */
LPOT_MUST_CHECK lpot_status lpot_op_times_owners(const lpot_job *job, const lpot_plan *plan,
                                                 size_t *ret_owners, lpot_error *err);

/* Pins the calling thread to cores_per_instance of its allowed cores, compiles three plans with a
 * clock around each step (f32; all int8; all bf16 where the machine has it), and runs them over the
 * first batches of the performance section in turn: f32, int8, bf16, then backwards, each twice
 * with the second run timed. After a warm-up there are 200 rounds and more (0.6 seconds), or about
 * 3 seconds of them, or the configured number of iterations. An op's time is the
 * sum of its steps, averaged over the rounds in which the run of that plan was between its
 * quartiles: outliers are out, and the times add up to the plan's.
 *
 * What crosses from one precision to another is timed apart, on tensors of the size of each op's
 * inputs and output.
 *
 * The guards are those of a window of a latency measurement (latency_stats.h); a window that they
 * refuse is run again, at most three times, then ret->trusted is false and ret->reason says why.
 * The calibration lpot_op_times_calibration must be in the job. *ret is owned (lpot_op_times_done);
 * its host is not set. */
LPOT_MUST_CHECK lpot_status lpot_measure_op_times(lpot_job *job, const lpot_stop *stop,
                                                  lpot_op_times *ret, lpot_error *err);

#endif
