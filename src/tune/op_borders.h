/* What it costs to convert tensors between f32, int8 and bf16. Not collective. */
#ifndef LPOT_TUNE_OP_BORDERS_H
#define LPOT_TUNE_OP_BORDERS_H

#include "tune/job.h"
#include "tune/op_times_record.h"

/* Fills quantize_us, dequantize_us and, with bf16, to_bf16_us and from_bf16_us of every op: medians
 * of some runs of the engine's own conversions of a tensor of each size that occurs, for one sample
 * of runs of batch samples. Under dynamic quantization quantize_us has the search for the range in
 * it, and dequantize_us is 0: it is a part of the product. */
LPOT_MUST_CHECK lpot_status lpot_measure_op_borders(const lpot_job *job, int64_t batch, bool bf16,
                                                    lpot_op_cost *ops, lpot_error *err);

#endif
