/* Message passing between ranks: the only file that calls MPI.
 *
 * An own duplicated communicator with MPI_ERRORS_RETURN. Sends never block: the bytes are kept
 * until they are gone. Waits sleep (1 us doubling to 10 ms) instead of spinning, and have a bound.
 * A program that no launcher started is alone: it has rank 0 of 1 and MPI is not touched. */
#ifndef LPOT_TUNE_COMM_H
#define LPOT_TUNE_COMM_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct lpot_comm lpot_comm;

/* The rank by the launcher's environment, known before lpot_comm_start; 0 when there is none. For
 * messages that only one rank prints. */
int lpot_comm_rank_by_environment(void);
/* The same for the ranks of this host: which of them this is, and how many there are, as mpirun or
 * srun says it (with and without --ntasks-per-node). 0 of 1 where the launcher does not tell. */
void lpot_comm_local_by_environment(int *ret_rank, int *ret_size);

/* Initialises MPI, or takes it as the program has started it (then the program finalises it too).
 * Collective. */
LPOT_MUST_CHECK lpot_status lpot_comm_start(int *argc, char ***argv, lpot_comm **ret_comm,
                                            lpot_error *err);
/* True where this process has started MPI and not finalised it, by whomever. Not collective. */
bool lpot_comm_mpi_runs(void);
/* A fresh communicator in place of *comm: no message of what went before can come in. LPOT_MPI
 * where ranks were lost; *comm is then as it was. Collective. */
LPOT_MUST_CHECK lpot_status lpot_comm_renew(lpot_comm **comm, lpot_error *err);
/* Waits (bounded) for what is still being sent and for the other ranks, then finalises MPI and
 * frees comm. Where the bound is reached it ends all ranks by lpot_comm_abort with exit_code, or 1
 * where that is 0. Where ranks are lost: with ULFM those that live finish; without it this process
 * ends the job (tune/launcher.h), and the launcher's exit code may not be exit_code. Collective. */
void lpot_comm_finish(lpot_comm *comm, int exit_code);
/* Some ranks will never come to lpot_comm_finish. Not collective. */
void lpot_comm_note_loss(lpot_comm *comm);
/* The next rank that is known to have died and was not told yet; -1: none. With ULFM (Open MPI 5,
 * mpirun --with-ft ulfm) MPI tells of all of them; without it rank 0 sees the deaths of its own
 * host, and the ranks there see its. Not collective. */
int lpot_comm_next_failure(lpot_comm *comm);
/* True when the coordinator has ended the job without a message (ULFM). Not collective. */
bool lpot_comm_is_dissolved(const lpot_comm *comm);
/* Ends all ranks at once with this exit code; where MPI does not, the launcher is ended within some
 * seconds. Not collective. */
_Noreturn void lpot_comm_abort(lpot_comm *comm, int exit_code);

/* Not collective. */
int lpot_comm_rank(const lpot_comm *comm);
int lpot_comm_size(const lpot_comm *comm);
int lpot_comm_local_size(const lpot_comm *comm); /* ranks on this host */
const char *lpot_comm_host(const lpot_comm *comm);

/* Every rank brings its status and error (err, not NULL, is read when status is not LPOT_OK). All
 * ranks get the status of the lowest failing rank, *err filled with its message and *ret_rank with
 * that rank (-1 when all succeeded). LPOT_MPI when a rank does not answer within timeout_seconds.
 * Collective. */
LPOT_MUST_CHECK lpot_status lpot_comm_agree(lpot_comm *comm, lpot_status status,
                                            double timeout_seconds, int *ret_rank, lpot_error *err);

/* Starts sending a copy of message to one rank, or to all others. Not collective. */
LPOT_MUST_CHECK lpot_status lpot_comm_send(lpot_comm *comm, int to, const lpot_buffer *message,
                                           lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_comm_send_all(lpot_comm *comm, const lpot_buffer *message,
                                               lpot_error *err);
/* Waits at most timeout_seconds for a message from any rank and puts its bytes in out
 * (initialised). *ret_from is the sender, or -1 when none came. A signal ends the wait early. A
 * sender's messages come in the order in which it sent them; one that stops or dies in the middle
 * of a long message keeps back nothing but its own. The messages on their way in have at most 256
 * MiB together, and the last of them: more wait with their senders. Not collective. */
LPOT_MUST_CHECK lpot_status lpot_comm_receive(lpot_comm *comm, double timeout_seconds,
                                              int *ret_from, lpot_buffer *out, lpot_error *err);

#endif
