/* The spawner: a small process that makes a rank's evaluators. It is forked before MPI starts,
 * since a process that runs MPI must not fork (but for children that it waits for: base/guard.h),
 * and joined to the rank by a control socket:
 *
 *   rank (MPI, relays) --control socket--> spawner --fork--> evaluator (computes, may die)
 *        \________________________ link (tune/link.h) ___________/
 *
 * It has one evaluator at a time, forwards what it writes to standard output and error to its own
 * standard error, and reports its death. Spawner and evaluator ignore SIGINT, SIGTERM and SIGUSR1,
 * which launchers and terminals send to all: the rank decides. When the rank is gone, so are they.
 *
 * In a process that cannot be forked any more, since MPI or threads are there, an evaluator is a
 * thread of the rank, with the same link. Then nothing is contained: what crashes ends the rank,
 * what it writes is the rank's, it cannot be killed but only asked to end, and its memory cannot be
 * told from the rank's. Not collective. */
#ifndef LPOT_TUNE_SPAWNER_H
#define LPOT_TUNE_SPAWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

#define LPOT_LAST_LINES 4096 /* bytes of an evaluator's output that are kept */

typedef struct lpot_spawner lpot_spawner;

/* What an evaluator does: talks over link (to be closed by it) until the other end is gone or says
 * so, and returns its exit code. */
typedef int (*lpot_evaluator_main)(int link_fd, const void *context);

typedef struct lpot_death {
  pid_t pid;
  int wait_status;                      /* as waitpid gives it */
  long max_rss_kib;                     /* the most memory it had */
  char last_lines[LPOT_LAST_LINES + 1]; /* the end of what it wrote; any bytes but NUL */
} lpot_death;

/* context is borrowed for the spawner's life: evaluators see it as it is now. The process must not
 * have threads. */
LPOT_MUST_CHECK lpot_status lpot_spawner_start(lpot_evaluator_main main, const void *context,
                                               lpot_spawner **ret_spawner, lpot_error *err);
/* The same without a process: evaluators are threads of this one. */
LPOT_MUST_CHECK lpot_status lpot_spawner_start_inside(lpot_evaluator_main main, const void *context,
                                                      lpot_spawner **ret_spawner, lpot_error *err);
/* Whether this process has more threads than the calling one; false where the system does not tell.
 */
bool lpot_spawner_sees_threads(void);
bool lpot_spawner_is_inside(const lpot_spawner *spawner);
/* Ends evaluator and spawner, at the latest by SIGKILL: waits some seconds at most. False where an
 * evaluator inside this process runs on: context must then stay. NULL is allowed. */
bool lpot_spawner_stop(lpot_spawner *spawner);
/* Waits until there is no evaluator inside this process, which is asked to end. False where it runs
 * on, and at once where that is known. One in a process of its own does no harm: true. */
bool lpot_spawner_rest(lpot_spawner *spawner, double timeout_seconds);

/* Makes an evaluator, in place of one that may still live; *ret_fd is the end of its link. LPOT_IO
 * when it cannot be made or the spawner does not answer within timeout_seconds. */
LPOT_MUST_CHECK lpot_status lpot_spawner_spawn(lpot_spawner *spawner, double timeout_seconds,
                                               int *ret_fd, pid_t *ret_pid, lpot_error *err);
/* Ends the evaluator by SIGKILL; its death is then reported. One inside this process is asked to
 * end, and does between two batches. */
LPOT_MUST_CHECK lpot_status lpot_spawner_kill(lpot_spawner *spawner, lpot_error *err);
/* For poll: readable when a death may be there. */
int lpot_spawner_fd(const lpot_spawner *spawner);
/* Waits at most timeout_seconds for the report of a death. LPOT_IO when the spawner is gone. */
LPOT_MUST_CHECK lpot_status lpot_spawner_death(lpot_spawner *spawner, double timeout_seconds,
                                               bool *ret_died, lpot_death *ret_death,
                                               lpot_error *err);
/* "ended by signal 11 (Segmentation fault), 120 MiB, its last lines: ..." as one printable line. */
void lpot_death_text(const lpot_death *death, char *out, size_t out_size);

#endif
