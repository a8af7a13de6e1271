/* Statistics of activations over a range of the calibration order. Not collective. */
#ifndef LPOT_TUNE_CALIBRATE_H
#define LPOT_TUNE_CALIBRATE_H

#include "tune/job.h"

/* Runs samples [first, first + count) of the calibration order one by one through the f32 model,
 * plain or equalized,
 * so that the statistics do not depend on batches or sharding. Where the model's batch is fixed to
 * more than 1, first must be a multiple of it, and rows beyond the last sample are not looked at.
 * A function of the user's runs all of them at once: first is 0, and count is what it is told. */
LPOT_MUST_CHECK lpot_status lpot_calibrate(lpot_job *job, bool equalized, int64_t first,
                                           int64_t count, const lpot_stop *stop,
                                           lpot_calibration **ret_calibration, lpot_error *err);

/* Equal statistics have equal hashes. */
LPOT_MUST_CHECK lpot_status lpot_calibrate_hash(const lpot_calibration *calibration,
                                                uint64_t *ret_hash, lpot_error *err);

#endif
