/* The coordinator: the phases of a job on rank 0. Not collective: it speaks to the workers through
 * the crew only. */
#ifndef LPOT_TUNE_COORDINATOR_H
#define LPOT_TUNE_COORDINATOR_H

#include "tune/run.h"

/* Runs all phases: meets the workers and checks that they are alike, starts or checks the journal,
 * measures the baseline, searches, measures and exports what was chosen, records the verdict,
 * writes history.h5. model_path is recorded. The workers are still there afterwards.
 * LPOT_INTERRUPTED after a signal: the journal can be resumed. LPOT_INVALID when the journal is
 * about something else; the message says what differs. */
LPOT_MUST_CHECK lpot_status lpot_coordinate(lpot_run *run, const char *model_path,
                                            const char *config_path, lpot_error *err);

#endif
