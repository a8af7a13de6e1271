/* The ranks on this host as processes: the kernel tells at once when one of them has ended, which
 * Open MPI 4 never does. A process is known by its number and the time of its start, so that ranks
 * of other hosts, or behind another numbering, are not mistaken for one. Not collective. */
#ifndef LPOT_TUNE_NEIGHBOURS_H
#define LPOT_TUNE_NEIGHBOURS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct lpot_process_id {
  int64_t pid;
  int64_t start_ticks; /* since the system was started; 0: not known */
} lpot_process_id;

typedef struct lpot_neighbours lpot_neighbours;

/* Of this process. */
lpot_process_id lpot_process_own(void);
/* A descriptor that is readable once the process has ended; -1 when there is no such process, or
 * the system knows no such descriptors (Linux before 5.3). To be closed by the caller. */
int lpot_process_watch(const lpot_process_id *id);

/* Watches ranks [first, first + count) of ids, indexed by rank and borrowed for the call. */
LPOT_MUST_CHECK lpot_status lpot_neighbours_new(const lpot_process_id *ids, int first, int count,
                                                lpot_neighbours **ret_neighbours, lpot_error *err);
void lpot_neighbours_free(lpot_neighbours *neighbours); /* NULL is allowed */
/* Adds the ranks that have ended since the last call to ranks, which has num_ranks of them and room
 * for all; returns how many it has then. */
int lpot_neighbours_ended(lpot_neighbours *neighbours, int *ranks, int num_ranks);

#endif
