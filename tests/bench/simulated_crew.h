/* Workers that live in virtual time: a transport without processes, whose clock jumps from message
 * to message, for the real coordinator. What the coordinator itself computes, and waits for the
 * disk, passes on that clock as well, so that its saturation shows; what the simulation costs does
 * not. */
#ifndef LPOT_TESTS_SIMULATED_CREW_H
#define LPOT_TESTS_SIMULATED_CREW_H

#include "base/clock.h"
#include "simulated_work.h"
#include "tune/transport.h"

typedef struct simulated_crew_options {
  size_t workers;
  lpot_job *job;          /* borrowed: calibrations are computed with it */
  const simulation *work; /* borrowed; of its faults only invalid */
  double latency_seconds; /* of a message */
  double send_seconds;    /* of the coordinator, for sending or taking one message */
  double doze_seconds;    /* longest sleep between two looks for messages, at both ends; 0: none */
} simulated_crew_options;

/* Since the first task for a recipe. */
typedef struct simulated_crew_counts {
  uint64_t messages, message_bytes; /* in both directions */
  uint64_t syncs;                   /* fsync and fdatasync */
  double sync_seconds;
  double coordinator_seconds; /* of virtual time in which the coordinator was busy, with syncs */
  double busy_seconds;        /* of all workers, on recipes */
} simulated_crew_counts;

typedef struct simulated_crew simulated_crew;

LPOT_MUST_CHECK lpot_status simulated_crew_new(const simulated_crew_options *options,
                                               simulated_crew **ret_crew, lpot_error *err);
void simulated_crew_free(simulated_crew *crew); /* NULL is allowed */
/* Both borrow the crew. */
lpot_transport simulated_crew_transport(simulated_crew *crew);
lpot_clock simulated_crew_clock(simulated_crew *crew);
/* What was counted until `time` on the crew's clock, about. */
void simulated_crew_count(const simulated_crew *crew, double time,
                          simulated_crew_counts *ret_counts);

#endif
