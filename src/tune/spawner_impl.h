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

#endif
