/* The crew: the workers as the coordinator sees them, whatever the transport. Not collective. */
#ifndef LPOT_TUNE_CREW_H
#define LPOT_TUNE_CREW_H

#include "base/clock.h"
#include "tune/protocol.h"
#include "tune/transport.h"

typedef struct lpot_crew lpot_crew;

/* What the transport's context points to must outlive the crew. */
LPOT_MUST_CHECK lpot_status lpot_crew_new(const lpot_transport *transport, const lpot_clock *clock,
                                          lpot_crew **ret_crew, lpot_error *err);
void lpot_crew_free(lpot_crew *crew); /* NULL is allowed */

/* Waits until every worker has said hello. LPOT_MPI when one does not within timeout_seconds. */
LPOT_MUST_CHECK lpot_status lpot_crew_meet(lpot_crew *crew, double timeout_seconds,
                                           lpot_error *err);
size_t lpot_crew_size(const lpot_crew *crew);
const lpot_hello *lpot_crew_hello(const lpot_crew *crew, size_t worker);
/* A worker is idle, busy or lost. */
bool lpot_crew_is_idle(const lpot_crew *crew, size_t worker);
bool lpot_crew_is_busy(const lpot_crew *crew, size_t worker);
/* It has answered LPOT_LOST: it can do no tasks any more; or lpot_crew_lose was called. */
bool lpot_crew_is_lost(const lpot_crew *crew, size_t worker);
bool lpot_crew_any_busy(const lpot_crew *crew);
/* The next worker that the transport knows to be gone, LPOT_NO_WORKER when there is none. */
size_t lpot_crew_next_loss(lpot_crew *crew);
/* True, once, when a worker that was lost has answered. */
bool lpot_crew_take_return(lpot_crew *crew, size_t worker);
/* Workers that are not lost. */
size_t lpot_crew_num_left(const lpot_crew *crew);
/* A worker is not expected to answer any more. If it does, it is idle again. */
void lpot_crew_lose(lpot_crew *crew, size_t worker);

/* Gives an idle worker a task; it is busy until its outcome has come. */
LPOT_MUST_CHECK lpot_status lpot_crew_start(lpot_crew *crew, size_t worker, const lpot_task *task,
                                            lpot_error *err);
/* Asks a busy worker to stop: its outcome then comes within one batch. */
LPOT_MUST_CHECK lpot_status lpot_crew_cancel(lpot_crew *crew, size_t worker, lpot_error *err);
/* Has the process killed that does a busy worker's task: its outcome then comes soon, LPOT_CRASHED
 * unless it was there before. */
LPOT_MUST_CHECK lpot_status lpot_crew_kill(lpot_crew *crew, size_t worker, lpot_error *err);
/* Sends merged statistics to all workers. */
LPOT_MUST_CHECK lpot_status lpot_crew_share(lpot_crew *crew, lpot_calibration_key key,
                                            const lpot_calibration *calibration, lpot_error *err);
/* Waits for one outcome; *ret_worker is LPOT_NO_WORKER when none came in time. outcome is
 * initialised and emptied first. Outcomes of tasks that a worker is not at any more are dropped. */
LPOT_MUST_CHECK lpot_status lpot_crew_wait(lpot_crew *crew, double timeout_seconds,
                                           size_t *ret_worker, lpot_outcome *outcome,
                                           lpot_error *err);
/* Tells all workers that the coordinator lives. */
LPOT_MUST_CHECK lpot_status lpot_crew_ping(lpot_crew *crew, lpot_error *err);
/* Tells all workers to end, whatever they do. */
LPOT_MUST_CHECK lpot_status lpot_crew_dismiss(lpot_crew *crew, lpot_error *err);

#endif
