/* A run as its journal tells of it: for the commands that come after it. Not collective. */
#ifndef LPOT_TUNE_RECORDED_H
#define LPOT_TUNE_RECORDED_H

#include "tune/job.h"
#include "tune/ledger.h"

/* Reads the journal of a workspace into ledger (initialised), also while a job writes it. LPOT_IO
 * when nothing is recorded. */
LPOT_MUST_CHECK lpot_status lpot_recorded_ledger(const char *workspace, lpot_ledger *ledger,
                                                 lpot_error *err);
/* The job again, from the model where it was and the recorded configuration, which must outlive it.
 * needs_data: data sets are opened, too. LPOT_INVALID when the model has changed, LPOT_CRASHED
 * where a plug-in does (lpot_job_probe). */
LPOT_MUST_CHECK lpot_status lpot_recorded_job(const lpot_ledger *ledger, const char *engine_name,
                                              bool needs_data, lpot_job **ret_job, lpot_error *err);

#endif
