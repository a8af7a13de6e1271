/* What the two sides of the spawner's control socket share (spawner.c: the rank's side;
 * spawner_process.c: the process). A request is one byte. A report is one packet of fields by
 * base/writer.h:
 *
 * STARTED  u8 kind, i64 pid (0: it could not be made), string why not; with it the end of the link
 * DIED     u8 kind, i64 pid, i64 wait status, i64 most memory in KiB, string last output */
#ifndef LPOT_TUNE_SPAWNER_IMPL_H
#define LPOT_TUNE_SPAWNER_IMPL_H

#include "tune/spawner.h"

#define LPOT_REPORT_SIZE (LPOT_LAST_LINES + 64) /* bytes of the largest report */

typedef enum lpot_spawner_request {
  LPOT_REQUEST_SPAWN = 'S',
  LPOT_REQUEST_KILL = 'K'
} lpot_spawner_request;
typedef enum lpot_spawner_report { LPOT_REPORT_STARTED, LPOT_REPORT_DIED } lpot_spawner_report;

/* The life of the spawner: until the other end of control is closed. parent is the rank. */
_Noreturn void lpot_spawner_process(int control, pid_t parent, lpot_evaluator_main main,
                                    const void *context);

/* Evaluators as threads of this process (spawner_thread.c); context is borrowed. */
typedef struct lpot_spawner_inside lpot_spawner_inside;

LPOT_MUST_CHECK lpot_status lpot_spawner_inside_new(lpot_evaluator_main main, const void *context,
                                                    lpot_spawner_inside **ret_inside,
                                                    lpot_error *err);
/* False where an evaluator runs on: nothing is freed. */
bool lpot_spawner_inside_free(lpot_spawner_inside *self);
/* As the functions of the same names in spawner.h. */
LPOT_MUST_CHECK lpot_status lpot_spawner_inside_spawn(lpot_spawner_inside *self, int *ret_fd,
                                                      pid_t *ret_pid, lpot_error *err);
bool lpot_spawner_inside_rest(lpot_spawner_inside *self, double timeout_seconds);
int lpot_spawner_inside_fd(const lpot_spawner_inside *self);
bool lpot_spawner_inside_death(lpot_spawner_inside *self, double timeout_seconds,
                               lpot_death *ret_death);
/* Asks the evaluator to end, by the end of its link. */
void lpot_spawner_inside_cut(const lpot_spawner_inside *self);

#endif
