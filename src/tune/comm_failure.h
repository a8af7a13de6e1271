/* What MPI tells of ranks that died, for comm.c only. With User-Level Failure Mitigation (Open MPI
 * 5; mpirun --with-ft ulfm) a job goes on without them; comm_ulfm.c speaks it. Elsewhere MPI tells
 * nothing, comm_plain.c says so, and comm.c looks for processes of this host only. */
#ifndef LPOT_TUNE_COMM_FAILURE_H
#define LPOT_TUNE_COMM_FAILURE_H

#include <stdbool.h>

#include <mpi.h>

/* True where MPI can tell. */
bool lpot_failure_is_told(void);
/* Stores up to capacity ranks that are known to have died and returns how many there are; also lets
 * receives from any rank go on in spite of them. */
int lpot_failure_poll(MPI_Comm communicator, int *ranks, int capacity);
/* True for the error code of a call that did not work since a rank has died or the communicator was
 * revoked. */
bool lpot_failure_caused(int code);
/* True when the error code says that another rank has revoked the communicator. */
bool lpot_failure_revoked(int code);
/* Ends the communicator on all ranks that live: all of them must call it. False where that is not
 * possible. */
bool lpot_failure_dissolve(MPI_Comm communicator);

#endif
