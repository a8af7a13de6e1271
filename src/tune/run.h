/* The coordinator's state while a job runs: what each worker does, what has come back, and which
 * evaluations are wanted. Shared by coordinator.c (phases), search.c (trials) and the files run*.c
 * and dispatch.c. Not collective. */
#ifndef LPOT_TUNE_RUN_H
#define LPOT_TUNE_RUN_H

#include "base/clock.h"
#include "tune/block_speed.h"
#include "tune/crew.h"
#include "tune/evaluation.h"
#include "tune/job.h"
#include "tune/ledger.h"

typedef struct lpot_run_options {
  const char *workspace;           /* folder of all files */
  const lpot_recipe *given_recipe; /* NULL: search */
  const lpot_op_times *cost_table; /* of --cost-table; NULL: none */
  bool quiet;
} lpot_run_options;

/* What a busy worker does. */
typedef struct lpot_assignment {
  uint64_t task_id;
  lpot_task_kind kind;
  int64_t first, count; /* blocks or samples */
  uint64_t evaluation;  /* EVALUATE: its number */
  bool senses;          /* EVALUATE: outputs are compared, see sense.h */
  bool held_out;        /* EVALUATE: of the part held out */
  uint64_t recipe_hash; /* of the last evaluation, also when idle: its plan is compiled there */
  bool cancelled;
  double deadline; /* by the run's clock */
  bool overdue; /* the deadline was missed: the work was given back, its process is being ended */
  bool restarting; /* when idle: its evaluator has died or is being ended, and a new one is made */
} lpot_assignment;

/* Calibration samples that have to be observed again. */
typedef struct lpot_sample_range {
  int64_t first, count;
  size_t avoid; /* worker that failed */
} lpot_sample_range;

/* An evaluation that is wanted; its blocks go to workers in the order of the list. */
typedef struct lpot_wanted {
  uint64_t number; /* 1, 2, 3 ... over the whole run */
  uint64_t hash;   /* of its recipe, 0 for f32 */
  lpot_evaluation *evaluation;
} lpot_wanted;

/* What somebody wants evaluated. */
typedef struct lpot_want {
  const lpot_recipe *recipe; /* NULL: f32 */
  bool raced;
  bool senses;   /* see sense.h */
  bool held_out; /* on the part held out (holdout.h); neither raced nor sensed */
} lpot_want;

typedef struct lpot_run {
  lpot_job *job;
  lpot_crew *crew;
  lpot_ledger *ledger;
  lpot_journal *journal;
  const lpot_run_options *options;
  lpot_assignment *assignments; /* [workers] */
  uint64_t last_task_id;
  size_t num_wanted;
  lpot_wanted *wanted; /* [num_wanted], the most urgent first */
  uint64_t last_number;
  bool races; /* recipes race on these terms */
  lpot_race_terms terms;
  const char *own_host;   /* of the coordinator */
  const char *quiet_host; /* latency is measured there: its other workers get no work; or NULL */
  lpot_block_speed block_speed;
  lpot_clock clock; /* set before lpot_run_init, with job, crew, ledger, journal and options */
  lpot_calibration *merged; /* while calibrating: parts that have come */
  size_t num_lost_ranges;
  lpot_sample_range *lost_ranges; /* [num_lost_ranges] parts that crashed */
  unsigned crashes;               /* of the calibration or latency measurement at hand */
  uint64_t phase_task;            /* tasks up to this one are of earlier phases */
  double job_seconds; /* that the coordinator's own job took to build; set before lpot_run_init */
  uint64_t measure_task;  /* the measurement at hand, of latency or op times */
  size_t measurer;        /* worker that does it */
  bool measure_known;     /* it has ended */
  lpot_outcome measured;  /* how */
  double search_start;    /* monotonic, moved back by the time of resumed runs */
  double last_ping;       /* when the workers were told that the coordinator lives */
  double last_checkpoint; /* monotonic time of the last history.h5 */
} lpot_run;

LPOT_MUST_CHECK lpot_status lpot_run_init(lpot_run *run, lpot_error *err);
void lpot_run_done(lpot_run *run);

/* ---- run.c ---- */

/* Gives an idle worker a task (its id is set here). */
LPOT_MUST_CHECK lpot_status lpot_run_assign(lpot_run *run, size_t worker, lpot_task *task,
                                            lpot_error *err);
/* Waits (at most half a second) for an outcome, and files it and all others that have come: results
 * go into the journal and are durable afterwards. LPOT_INTERRUPTED after a signal. A task that
 * fails for a reason that lies outside of its recipe fails the run, with rank and host in the
 * message. */
LPOT_MUST_CHECK lpot_status lpot_run_pump(lpot_run *run, lpot_error *err);
/* Wants nothing any more, tells all workers to stop and waits until they are idle. */
LPOT_MUST_CHECK lpot_status lpot_run_quiesce(lpot_run *run, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_run_cancel(lpot_run *run, size_t worker, lpot_error *err);
/* Writes history.h5 when the last one is old enough, or now. It is made from the journal: where it
 * cannot be written that is warned of, and the run goes on. */
void lpot_run_checkpoint(lpot_run *run, bool at_once);
/* Seconds of search, resumed runs included. */
double lpot_run_elapsed(const lpot_run *run);
/* Path of a file in the workspace; NUL terminated in out (initialised). */
LPOT_MUST_CHECK lpot_status lpot_workspace_path(const char *workspace, const char *name,
                                                lpot_buffer *out, lpot_error *err);

/* ---- mishap.c: evaluators that die, hang, and workers that are lost ---- */

/* Notes that a worker which was lost has answered, if so. */
LPOT_MUST_CHECK lpot_status lpot_run_note_return(lpot_run *run, size_t worker, lpot_error *err);
/* A deadline for a task that is handed out now. restarting: the worker's evaluator is a new one,
 * which builds its job before it begins. */
double lpot_run_lease(const lpot_run *run, const lpot_task *task, bool restarting);
/* Gives back the work of those that missed their deadline and has their processes ended; those that
 * do not even answer that are lost. */
LPOT_MUST_CHECK lpot_status lpot_run_check_leases(lpot_run *run, lpot_error *err);
/* Takes an outcome LPOT_CRASHED, LPOT_LOST or LPOT_NO_MEMORY: the work is tried once more,
 * elsewhere if possible; a recipe that fails again is quarantined, anything else that fails a third
 * time fails the run (a latency measurement stays unknown). LPOT_LOST when no worker is left. */
LPOT_MUST_CHECK lpot_status lpot_run_take_crash(lpot_run *run, size_t worker,
                                                const lpot_outcome *outcome, lpot_error *err);

/* ---- run_calibration.c ---- */

/* Makes sure that the calibration is known to all workers; dynamic quantization
 * needs none. */
LPOT_MUST_CHECK lpot_status lpot_run_calibrate(lpot_run *run, lpot_calibration_key key,
                                               lpot_error *err);
/* Takes the outcome of a CALIBRATE task. */
LPOT_MUST_CHECK lpot_status lpot_run_add_calibration(lpot_run *run, lpot_outcome *outcome,
                                                     lpot_error *err);

/* ---- run_measure.c ---- */

/* One worker does a task that measures time, while all others of its host are idle; where its
 * evaluator dies it is tried once more. run->measured is the outcome; when that is a failure it is
 * warned of, naming what. */
LPOT_MUST_CHECK lpot_status lpot_run_measure(lpot_run *run, lpot_task *task, const char *what,
                                             lpot_error *err);
/* Brings the times of the ops into the ledger, unless they are there: those of --cost-table, or
 * else measured ones if the configuration wants them (they stay unknown where that fails); and
 * writes what the ledger has into the workspace. LPOT_INVALID when the ledger's are others than
 * those of --cost-table. */
LPOT_MUST_CHECK lpot_status lpot_run_op_times(lpot_run *run, lpot_error *err);
/* What ops cost, for a strategy that asks: measured now where the ledger does not have it and the
 * configuration allows it. *ret_costs is the ledger's; NULL where it is not known or not to be
 * trusted, with a warning. */
LPOT_MUST_CHECK lpot_status lpot_run_need_op_times(lpot_run *run, const lpot_op_cost **ret_costs,
                                                   lpot_error *err);

/* ---- dispatch.c ---- */

/* Makes these evaluations the wanted ones, the most urgent first: new ones are begun, those that
 * are not among them any more are given up and their workers told to stop. */
LPOT_MUST_CHECK lpot_status lpot_run_want(lpot_run *run, const lpot_want *wants, size_t count,
                                          lpot_error *err);
/* True when this is the most urgent of the wanted evaluations. */
bool lpot_run_is_first(const lpot_run *run, const lpot_want *want);
/* Deals blocks of the wanted evaluations to idle workers. */
LPOT_MUST_CHECK lpot_status lpot_run_deal(lpot_run *run, lpot_error *err);
/* Takes the outcome of an EVALUATE task; the result of a recipe whose evaluation has thereby ended
 * goes into the journal, and it is not wanted any more. That of f32 stays in the list, unless it is
 * of the part held out. Blocks that
 * were not asked for, or whose counts cannot be, are a crash of the worker. */
LPOT_MUST_CHECK lpot_status lpot_run_add_blocks(lpot_run *run, size_t worker, lpot_outcome *outcome,
                                                lpot_error *err);
/* The wanted evaluation with this number, or NULL. */
lpot_evaluation *lpot_run_find(const lpot_run *run, uint64_t number);
/* Records an evaluation that has ended, and forgets it; that of f32 stays in the list. */
LPOT_MUST_CHECK lpot_status lpot_run_settle(lpot_run *run, uint64_t number, lpot_error *err);
/* Wants one evaluation, alone, and waits until it has ended. */
LPOT_MUST_CHECK lpot_status lpot_run_evaluate(lpot_run *run, const lpot_want *want,
                                              lpot_error *err);

/* ---- run_holdout.c ---- */

/* Where a part is held out: brings what f32 and the chosen trial's recipe do on it into the ledger,
 * unless it is there, and says so; warns where the criterion does not hold there. */
LPOT_MUST_CHECK lpot_status lpot_run_hold_out(lpot_run *run, uint64_t chosen, lpot_error *err);
/* Takes an evaluation of the part held out that has ended. */
LPOT_MUST_CHECK lpot_status lpot_run_record_held_out(lpot_run *run,
                                                     const lpot_evaluation *evaluation,
                                                     const char *host, int rank, lpot_error *err);

#endif
