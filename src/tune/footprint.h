/* Measuring the memory that a recipe's model needs while it runs. Not collective. */
#ifndef LPOT_TUNE_FOOTPRINT_H
#define LPOT_TUNE_FOOTPRINT_H

#include "tune/footprint_record.h"
#include "tune/job.h"

/* What this process holds now, from a text like that of /proc/self/smaps_rollup. LPOT_UNSUPPORTED
 * when it does not tell. Pure. */
LPOT_MUST_CHECK lpot_status lpot_footprint_parse(const char *text, lpot_footprint *ret,
                                                 lpot_error *err);

/* By how much this process grows when the recipe (NULL: f32) is compiled and run once, at the
 * performance section's batch size and on its first batch: to be called in a process that has
 * compiled no plan yet, since later ones find memory, generated code and caches of the engine that
 * are there already. Weights are packed for this plan alone, as for a latency (no other process
 * shares them). LPOT_UNSUPPORTED where /proc does not tell; LPOT_INTERRUPTED when stopped. */
LPOT_MUST_CHECK lpot_status lpot_measure_footprint(lpot_job *job, const lpot_recipe *recipe,
                                                   const lpot_stop *stop, lpot_footprint *ret,
                                                   lpot_error *err);

#endif
