/* The jobs of the program lpot-tune, from options to exit code. */
#ifndef LPOT_TUNE_TUNE_H
#define LPOT_TUNE_TUNE_H

#include "tune/comm.h"
#include "tune/job.h"
#include "tune/ledger.h"
#include "tune/progress.h"
#include "tune/spawner.h"

typedef struct lpot_tune_options {
  const char *config_path; /* the file, or the name of config_text in messages */
  const char *config_text; /* NULL: read config_path */
  const char *model_path;
  const char *workspace;       /* NULL: as the configuration says */
  const char *recipe_path;     /* --recipe: evaluate this one only; NULL: search */
  const char *cost_table_path; /* --cost-table; NULL: none */
  size_t num_settings;
  const char *const *settings; /* [num_settings] "KEY.PATH=VALUE" */
  const char *engine_name;     /* "onednn" */
  bool resume;
  bool json;  /* the result as JSON instead of the table */
  bool quiet; /* no table */
} lpot_tune_options;

/* What is left of a run on rank 0; on the others all of it is empty. */
typedef struct lpot_tune_end {
  lpot_status status; /* LPOT_OK: the search has ended, with a verdict; LPOT_INTERRUPTED */
  lpot_error error;   /* where status is not LPOT_OK */
  lpot_ledger ledger; /* owned by who asked for it: lpot_ledger_done */
  char *workspace;    /* owned: lpot_free; NULL where there is none */
} lpot_tune_end;

/* Tunes: rank 0 builds the job and coordinates, the evaluators of the other ranks (with one rank:
 * of this one) build it too and work; all agree on the start. spawner makes evaluators, it is
 * borrowed. Returns the exit code on rank 0; the others return 0 unless the transport fails. Errors
 * are printed by rank 0, unless ret_end is given, which takes them (NULL is allowed). Collective.
 */
int lpot_tune_run(const lpot_tune_options *options, lpot_comm *comm, lpot_spawner *spawner,
                  lpot_tune_end *ret_end);

/* The job as an evaluator builds it. Not collective. */
lpot_job_options lpot_tune_job_options(const lpot_tune_options *options, int local_ranks);

/* Prints ops, space and plan. Not collective; returns the exit code. */
int lpot_tune_dry_run(const lpot_tune_options *options);

/* Writes the files of one recorded trial into folder (NULL: WORKSPACE/trial_N). Not collective;
 * returns the exit code. */
int lpot_tune_export(const char *workspace, uint64_t trial_id, const char *folder,
                     const char *engine_name);

/* Prints how far the running or ended job in workspace is, as text or as one JSON object, from its
 * journal alone and without disturbing it. Not collective; returns 0 when the journal could be
 * read, else 1. */
int lpot_tune_status(const char *workspace, bool json);

/* Makes history.h5 again from the journal; refused while a job runs there. Not collective; returns
 * the exit code. */
int lpot_tune_rebuild(const char *workspace);

/* Makes report.html again from the journal, also of a job that runs. Not collective; returns the
 * exit code. */
int lpot_tune_report(const char *workspace, const char *engine_name);

#endif
