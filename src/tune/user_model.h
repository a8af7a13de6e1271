/* What include/lpot/model.h calls a model: a graph that code of a user runs, at whatever batch size
 * it brings. Not collective. */
#ifndef LPOT_TUNE_USER_MODEL_H
#define LPOT_TUNE_USER_MODEL_H

#include <lpot/model.h>

#include "engine/engine.h"
#include "tune/job.h"

typedef struct lpot_user_model_source {
  lpot_engine *engine;     /* borrowed */
  const lpot_graph *graph; /* normalised; borrowed */
  const lpot_stop *stop;   /* asked before each run; borrowed; NULL */
  const lpot_plan_options
      *plans; /* what it is compiled with; borrowed for the model's life; NULL */
} lpot_user_model_source;

/* To be freed by lpot_model_free, before what it borrows. */
LPOT_MUST_CHECK lpot_status lpot_user_model_new(const lpot_user_model_source *source,
                                                lpot_model **ret_model, lpot_error *err);
/* The same, but engine and graph are freed with the model; moved, also on failure. */
LPOT_MUST_CHECK lpot_status lpot_user_model_own(lpot_engine *engine, lpot_graph *graph,
                                                lpot_model **ret_model, lpot_error *err);
/* Runs so far, failed ones not counted. */
int64_t lpot_user_model_num_runs(const lpot_model *model);
/* The first failure of a run that was not the user's (its input did not fit): whatever the user
 * made of it, the candidate cannot be run, or is not wanted any more. LPOT_OK: there was none. */
LPOT_MUST_CHECK lpot_status lpot_user_model_check(const lpot_model *model, lpot_error *err);

#endif
