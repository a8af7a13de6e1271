/* A worker rank: relays between the coordinator and its evaluator, until it is told to end. */
#ifndef LPOT_TUNE_WORKER_H
#define LPOT_TUNE_WORKER_H

#include "tune/comm.h"
#include "tune/keeper.h"

/* Runs until END; keeper has met its evaluator. Failures of tasks and deaths of evaluators travel
 * in outcomes; what is returned is a failure of the transport or of memory. Not collective. */
LPOT_MUST_CHECK lpot_status lpot_worker_run(lpot_keeper *keeper, lpot_comm *comm, lpot_error *err);

#endif
