/* Foreign code in a process of its own: whether it crashes or hangs, the caller goes on. Not so in
 * a process that must not fork, since it had MPI or threads before lpot came: it has no guard. */
#ifndef LPOT_BASE_GUARD_H
#define LPOT_BASE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Runs function in a child process that has a copy of everything, and whose standard output is
 * standard error; what it writes into result [size] comes back. LPOT_CRASHED: "ended by signal 11"
 * or the like, "ended the process with exit code 0" where the function did not come back, and "did
 * not end within 10 seconds", after which it is killed. The child ends with the caller. Nothing
 * else that the function does has an effect. The caller should have no other threads that matter.
 *
 * A process that runs MPI may call it, although it must not fork otherwise (tune/spawner.h). What
 * makes a fork dangerous there is that a network goes on reading and writing the caller's pages by
 * their physical places, while a page that both processes have becomes another one for whoever
 * writes to it first. Here the caller stands still until the child is gone (threads of MPI beside
 * it talk to the launcher only), which is the case that ibv_fork_init(3) exempts; the child calls
 * nothing of MPI and ends by _exit, so that nothing of MPI's is run at its end. function must not
 * use MPI either. tests/tune/mpi_comm.c does so between messages, on whatever network there is: it
 * was run over shared memory and TCP, not over InfiniBand. */
LPOT_MUST_CHECK lpot_status lpot_guard_run(void (*function)(void *context, void *result),
                                           void *context, double seconds, void *result, size_t size,
                                           lpot_error *err);

/* Whether functions run in a child process, as they do unless it was switched off; else
 * lpot_guard_run calls them in place. Of the process, to be set while nothing else runs. */
bool lpot_guard_protects(void);
void lpot_guard_set(bool protects);

#endif
