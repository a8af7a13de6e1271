/* The coordinator's state while a job runs: what each worker does, and what has come back. Shared
 * by coordinator.c (phases) and search.c (trials). Not collective. */
#ifndef LPOT_TUNE_RUN_H
#define LPOT_TUNE_RUN_H

#include "tune/crew.h"
#include "tune/job.h"
#include "tune/ledger.h"

typedef struct lpot_run_options {
  const char *workspace;           /* folder of all files */
  const lpot_recipe *given_recipe; /* NULL: search */
  bool quiet;
} lpot_run_options;

/* What a busy worker does. */
typedef struct lpot_assignment {
  uint64_t task_id;
  lpot_task_kind kind;
  int64_t first, count; /* EVALUATE: blocks; CALIBRATE: samples */
  lpot_recipe *recipe;  /* owned; NULL for f32 and calibration */
  uint64_t recipe_hash;
  bool cancelled;
  int crashes; /* evaluators that died while they did it */
} lpot_assignment;

/* A task whose evaluator died, waiting for another worker. */
typedef struct lpot_retry {
  lpot_assignment task;
  size_t crashed_on; /* worker */
} lpot_retry;

typedef struct lpot_run {
  lpot_job *job;
  lpot_crew *crew;
  lpot_ledger *ledger;
  lpot_journal *journal;
  const lpot_run_options *options;
  lpot_assignment *assignments; /* [workers] */
  size_t num_retries;
  lpot_retry *retries; /* [num_retries] */
  uint64_t last_task_id;
  lpot_metric_state *baseline_states; /* [num_blocks] while the baseline is measured */
  int64_t baseline_blocks;            /* of them done */
  lpot_calibration *merged;           /* while calibrating: parts that have come */
  bool latency_known;                 /* a latency task has ended */
  lpot_status latency_status;
  lpot_latency latency;
  double search_start;    /* monotonic, moved back by the time of resumed runs */
  double last_checkpoint; /* monotonic time of the last history.h5 */
} lpot_run;

LPOT_MUST_CHECK lpot_status lpot_run_init(lpot_run *run, lpot_error *err);
void lpot_run_done(lpot_run *run);

/* Gives an idle worker a task; recipe may be NULL and is copied. */
LPOT_MUST_CHECK lpot_status lpot_run_assign(lpot_run *run, size_t worker, lpot_task_kind kind,
                                            int64_t first, int64_t count, const lpot_recipe *recipe,
                                            lpot_error *err);
/* Waits (at most half a second) for one outcome and files it: trial results go into the journal.
 * LPOT_INTERRUPTED after a signal. A task that fails for a reason that lies outside of its recipe
 * fails the run, with rank and host in the message. A task whose evaluator died is given again, to
 * another worker if there is one: a recipe once, anything else twice; then the trial is CRASHED,
 * the run fails, or the latency stays unknown. */
LPOT_MUST_CHECK lpot_status lpot_run_pump(lpot_run *run, lpot_error *err);
/* True when a worker evaluates this recipe, or will after a crash, and was not told to stop. */
bool lpot_run_in_flight(const lpot_run *run, uint64_t recipe_hash);
/* Tells all workers to stop and waits until they are idle. */
LPOT_MUST_CHECK lpot_status lpot_run_quiesce(lpot_run *run, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_run_cancel(lpot_run *run, size_t worker, lpot_error *err);
/* Makes sure that the calibration for so many samples is known to all workers; dynamic quantization
 * needs none. */
LPOT_MUST_CHECK lpot_status lpot_run_calibrate(lpot_run *run, int64_t samples, lpot_error *err);
/* Writes history.h5 when the last one is old enough, or now. */
LPOT_MUST_CHECK lpot_status lpot_run_checkpoint(lpot_run *run, bool at_once, lpot_error *err);
/* Seconds of search, resumed runs included. */
double lpot_run_elapsed(const lpot_run *run);
/* Path of a file in the workspace; NUL terminated in out (initialised). */
LPOT_MUST_CHECK lpot_status lpot_workspace_path(const char *workspace, const char *name,
                                                lpot_buffer *out, lpot_error *err);

#endif
