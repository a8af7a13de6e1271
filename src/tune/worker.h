/* A worker rank: receives tasks, does them, sends outcomes, until it is told to end. */
#ifndef LPOT_TUNE_WORKER_H
#define LPOT_TUNE_WORKER_H

#include "tune/comm.h"
#include "tune/job.h"
#include "tune/protocol.h"

/* Who this rank is, for HELLO. */
LPOT_MUST_CHECK lpot_status lpot_hello_of(const lpot_job *job, const lpot_comm *comm,
                                          lpot_hello *ret, lpot_error *err);

/* Runs until END. Failures of tasks travel in their outcomes; what is returned is a failure of the
 * transport or of memory. Not collective. */
LPOT_MUST_CHECK lpot_status lpot_worker_run(lpot_job *job, lpot_comm *comm, lpot_error *err);

#endif
