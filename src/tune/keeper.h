/* The keeper: sees to it that a rank has a living evaluator. It passes the coordinator's messages
 * on to the evaluator and the evaluator's answers back, by their heads only. When the evaluator
 * dies it answers for the task that was being done (LPOT_CRASHED, with the cause, also when the
 * task was cancelled), has a new one made and tells it what the old one knew. When evaluators die
 * again and again before they are ready, tasks are answered LPOT_LOST from then on. Not collective.
 */
#ifndef LPOT_TUNE_KEEPER_H
#define LPOT_TUNE_KEEPER_H

#include <stdbool.h>

#include "tune/protocol.h"
#include "tune/spawner.h"

typedef struct lpot_keeper lpot_keeper;

/* Begins to start an evaluator; spawner is borrowed for the keeper's life. */
LPOT_MUST_CHECK lpot_status lpot_keeper_new(lpot_spawner *spawner, const lpot_start_order *start,
                                            lpot_keeper **ret_keeper, lpot_error *err);
/* Asks the evaluator to end and gives it a second to do so. NULL is allowed. */
void lpot_keeper_free(lpot_keeper *keeper);

/* Waits until the first evaluator is ready: the status is that of its start, such as an unreadable
 * file; LPOT_CRASHED when it died or did not answer in time. */
LPOT_MUST_CHECK lpot_status lpot_keeper_meet(lpot_keeper *keeper, double timeout_seconds,
                                             lpot_error *err);
/* The first evaluator's HELLO as a message; after lpot_keeper_meet. */
const lpot_buffer *lpot_keeper_hello(const lpot_keeper *keeper);

/* Takes a message of the coordinator: TASK, CALIBRATION, CANCEL or KILL. */
LPOT_MUST_CHECK lpot_status lpot_keeper_give(lpot_keeper *keeper, const lpot_buffer *message,
                                             lpot_error *err);
/* Waits at most timeout_seconds for an outcome for the coordinator; a signal ends the wait.
 * *ret_came tells whether one was put in out (initialised). */
LPOT_MUST_CHECK lpot_status lpot_keeper_wait(lpot_keeper *keeper, double timeout_seconds,
                                             bool *ret_came, lpot_buffer *out, lpot_error *err);

#endif
