/* How far a job is, running or ended, as its journal tells: nothing is asked of the job itself, so
 * it is answered on any machine that sees the workspace, also when the job is dead. Not
 * collective. */
#ifndef LPOT_TUNE_STATUS_H
#define LPOT_TUNE_STATUS_H

#include <stdio.h>

#include "tune/ledger.h"
#include "tune/objective.h"

typedef struct lpot_job_view {
  lpot_ledger ledger;         /* has_header is false when nothing is recorded yet */
  bool running;               /* a process holds the journal's lock */
  double silent_seconds;      /* since the journal was written to */
  size_t trials_before;       /* trials committed before the last session */
  double elapsed_before;      /* seconds of search before the last session */
  int64_t max_trials;         /* of the first session's configuration; -1: unknown */
  double timeout_seconds;     /* the same; 0: none */
  lpot_objectives objectives; /* the same */
} lpot_job_view;

void lpot_job_view_init(lpot_job_view *view);
void lpot_job_view_done(lpot_job_view *view);
/* Reads the journal in workspace into an initialised view. A torn tail is not looked at.
 * LPOT_NOT_FOUND when there is no journal, LPOT_IO when it is damaged. */
LPOT_MUST_CHECK lpot_status lpot_job_view_read(lpot_job_view *view, const char *workspace,
                                               lpot_error *err);

/* Committed trials with this status. */
size_t lpot_job_view_count(const lpot_job_view *view, lpot_trial_status status);
/* The most accurate valid trial; NULL when there is none. */
const lpot_ledger_trial *lpot_job_view_best(const lpot_job_view *view);
/* The trial that would be handed out now: the chosen one, else among those that meet the criterion
 * the first, or where they are compared the best by the objective; NULL when none meets it. */
const lpot_ledger_trial *lpot_job_view_accepted(const lpot_job_view *view);
/* Trials per minute of search; NaN when not known. */
double lpot_job_view_rate(const lpot_job_view *view);
double lpot_job_view_session_rate(const lpot_job_view *view); /* in the last session */
/* Seconds of search that are left at most, at the last session's rate or else the overall one, and
 * by the timeout; NaN when not known or when there is a verdict and nothing runs. */
double lpot_job_view_bound(const lpot_job_view *view);

void lpot_job_view_print(const lpot_job_view *view, FILE *out);
/* One JSON object on one line; what is not known is null. */
LPOT_MUST_CHECK lpot_status lpot_job_view_json(const lpot_job_view *view, FILE *out,
                                               lpot_error *err);

#endif
