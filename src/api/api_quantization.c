#include <math.h>

#include <lpot/quantization.h>

#include "api/api_session.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "tune/report.h"
#include "tune/run.h"

/* Files of a result, in the order of lpot_quantization.paths. */
enum { MODEL, RECIPE, DEPLOY, HISTORY, REPORT, NUM_FILES };
static const char *const file_names[NUM_FILES] = {"best_model.onnx", "best_recipe.yaml",
                                                  "deploy.yaml", "history.h5", "report.html"};

struct lpot_quantization {
  lpot_session *session; /* borrowed */
  lpot_api_settings settings;
  char *model_path, *workspace, *recipe_path, *cost_table_path; /* owned; NULL */
  lpot_progress_style progress;
  lpot_output output;
  bool resume;
  int exit_code;
  bool has_result;
  lpot_quantization_result result;
  char *result_workspace;       /* owned */
  lpot_buffer recipe_text;      /* of the result */
  lpot_buffer paths[NUM_FILES]; /* of the result */
};

/* ---- life and settings ---- */

lpot_status lpot_quantization_from_text(lpot_session *session, const char *name, const char *text,
                                        lpot_quantization **ret_quantization, lpot_error *err) {
  LPOT_TRY(lpot_api_check(text, "text", err));
  lpot_quantization *quantization = NULL;
  LPOT_TRY(lpot_quantization_from_file(session, name, &quantization, err));
  lpot_status status = lpot_api_keep(&quantization->settings.text, text, err);
  if (status != LPOT_OK) {
    lpot_quantization_free(quantization);
    return status;
  }
  *ret_quantization = quantization;
  return LPOT_OK;
}

lpot_status lpot_quantization_from_file(lpot_session *session, const char *path,
                                        lpot_quantization **ret_quantization, lpot_error *err) {
  LPOT_TRY(lpot_api_check(session, "session", err));
  LPOT_TRY(lpot_api_check(ret_quantization, "ret_quantization", err));
  lpot_quantization *quantization = lpot_calloc(1, sizeof *quantization);
  if (quantization == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  quantization->session = session;
  lpot_status status = lpot_api_settings_init(&quantization->settings, path, NULL, err);
  if (status != LPOT_OK) {
    lpot_quantization_free(quantization);
    return status;
  }
  *ret_quantization = quantization;
  return LPOT_OK;
}

static void drop_result(lpot_quantization *quantization) {
  for (size_t i = 0; i < NUM_FILES; i++) {
    lpot_buffer_done(&quantization->paths[i]);
  }
  lpot_buffer_done(&quantization->recipe_text);
  lpot_free(quantization->result_workspace);
  quantization->result_workspace = NULL;
  quantization->has_result = false;
}

void lpot_quantization_free(lpot_quantization *quantization) {
  if (quantization == NULL) {
    return;
  }
  drop_result(quantization);
  lpot_api_settings_done(&quantization->settings);
  lpot_free(quantization->model_path);
  lpot_free(quantization->workspace);
  lpot_free(quantization->recipe_path);
  lpot_free(quantization->cost_table_path);
  lpot_free(quantization);
}

lpot_status lpot_quantization_set_model(lpot_quantization *quantization, const char *path,
                                        lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  return lpot_api_keep(&quantization->model_path, path, err);
}

lpot_status lpot_quantization_set(lpot_quantization *quantization, const char *setting,
                                  lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  return lpot_api_settings_add(&quantization->settings, setting, err);
}

lpot_status lpot_quantization_set_workspace(lpot_quantization *quantization, const char *folder,
                                            lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  if (folder != NULL && folder[0] == '\0') {
    return LPOT_FAIL(err, LPOT_INVALID, "workspace '': expected a folder");
  }
  return lpot_api_keep(&quantization->workspace, folder, err);
}

lpot_status lpot_quantization_set_recipe(lpot_quantization *quantization, const char *path,
                                         lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  return lpot_api_keep(&quantization->recipe_path, path, err);
}

lpot_status lpot_quantization_set_cost_table(lpot_quantization *quantization, const char *path,
                                             lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  return lpot_api_keep(&quantization->cost_table_path, path, err);
}

lpot_status lpot_quantization_set_engine(lpot_quantization *quantization, const char *name,
                                         lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  LPOT_TRY(lpot_api_check(name, "name", err));
  LPOT_TRY(lpot_engine_check_name(name, err));
  return lpot_api_keep(&quantization->settings.engine_name, name, err);
}

lpot_status lpot_quantization_set_progress(lpot_quantization *quantization, const char *style,
                                           lpot_error *err) {
  const char *const *styles = lpot_progress_styles();
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  LPOT_TRY(lpot_api_check(style, "style", err));
  for (int i = 0; styles[i] != NULL; i++) {
    if (lpot_text_equal(styles[i], style)) {
      quantization->progress = (lpot_progress_style)i;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_INVALID, "progress '%s': expected auto, bar, line or none", style);
}

void lpot_quantization_set_resume(lpot_quantization *quantization, int resume) {
  if (quantization != NULL) {
    quantization->resume = resume != 0;
  }
}

void lpot_quantization_set_output(lpot_quantization *quantization, lpot_output output) {
  if (quantization != NULL) {
    quantization->output = output;
  }
}

/* ---- the run ---- */

static lpot_status fill_options(const lpot_quantization *quantization, lpot_tune_options *ret,
                                lpot_error *err) {
  if (quantization->model_path == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "there is no model: lpot_quantization_set_model names it");
  }
  const lpot_api_settings *settings = &quantization->settings;
  *ret = (lpot_tune_options){.config_path = settings->name,
                             .config_text = settings->text,
                             .model_path = quantization->model_path,
                             .workspace = quantization->workspace,
                             .recipe_path = quantization->recipe_path,
                             .cost_table_path = quantization->cost_table_path,
                             .num_settings = settings->count,
                             .settings = (const char *const *)settings->list,
                             .engine_name = settings->engine_name,
                             .resume = quantization->resume,
                             .json = quantization->output == LPOT_OUTPUT_JSON,
                             .quiet = quantization->output == LPOT_OUTPUT_NONE};
  return LPOT_OK;
}

static void fill_latency(const lpot_ledger_trial *trial, lpot_quantization_result *result) {
  if (!trial->measured) {
    return;
  }
  result->latency_ms = trial->latency.recipe_ms;
  result->baseline_latency_ms = trial->latency.f32_ms;
  result->speedup = trial->latency.speedup;
  result->latency_is_trusted = trial->latency.trusted;
}

static lpot_status fill_trial(lpot_quantization *quantization, const lpot_ledger *ledger,
                              const lpot_ledger_trial *trial, lpot_error *err) {
  lpot_quantization_result *result = &quantization->result;
  const lpot_ledger_result *final = lpot_ledger_final_of(ledger, trial);
  result->trial = trial->id;
  result->accuracy = final->accuracy;
  result->relative_loss = lpot_ledger_final_loss(ledger, trial);
  result->num_ops = final->recipe->num_ops;
  result->num_quantized = lpot_recipe_num_quantized(final->recipe);
  result->recipe_hash = final->recipe_hash;
  fill_latency(trial, result);
  const lpot_ledger_header *header = &ledger->header;
  LPOT_TRY(lpot_recipe_to_text(final->recipe, (const char *const *)header->op_names,
                               (const char *const *)header->op_types, &quantization->recipe_text,
                               err));
  LPOT_TRY(lpot_buffer_terminate(&quantization->recipe_text, err));
  result->recipe_text = (const char *)quantization->recipe_text.data;
  return LPOT_OK;
}

static lpot_status fill_paths(lpot_quantization *quantization, lpot_error *err) {
  for (size_t i = 0; i < NUM_FILES; i++) {
    LPOT_TRY(lpot_workspace_path(quantization->result_workspace, file_names[i],
                                 &quantization->paths[i], err));
  }
  lpot_quantization_result *result = &quantization->result;
  result->workspace = quantization->result_workspace;
  result->history_path = (const char *)quantization->paths[HISTORY].data;
  result->report_path = (const char *)quantization->paths[REPORT].data;
  if (result->trial != LPOT_NO_TRIAL) {
    result->model_path = (const char *)quantization->paths[MODEL].data;
    result->recipe_path = (const char *)quantization->paths[RECIPE].data;
    result->deploy_path = (const char *)quantization->paths[DEPLOY].data;
  }
  return LPOT_OK;
}

/* Takes what is left of a run on rank 0. */
static lpot_status take_end(lpot_quantization *quantization, lpot_tune_end *end, lpot_error *err) {
  const double unknown = (double)NAN;
  const lpot_ledger *ledger = &end->ledger;
  quantization->result = (lpot_quantization_result){
      .verdict = ledger->verdict,
      .num_trials = ledger->num_trials,
      .baseline_accuracy = ledger->has_baseline ? ledger->baseline.accuracy : unknown,
      .accuracy = unknown,
      .relative_loss = unknown,
      .latency_ms = unknown,
      .baseline_latency_ms = unknown,
      .speedup = unknown};
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  if (trial != NULL) {
    LPOT_TRY(fill_trial(quantization, ledger, trial, err));
  }
  quantization->result_workspace = end->workspace;
  end->workspace = NULL;
  if (quantization->result_workspace == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(fill_paths(quantization, err));
  quantization->has_result = true;
  return LPOT_OK;
}

static lpot_status run(lpot_quantization *quantization, lpot_error *err) {
  lpot_session *session = quantization->session;
  lpot_tune_options options;
  lpot_comm *comm = NULL;
  LPOT_TRY(fill_options(quantization, &options, err));
  LPOT_TRY(lpot_session_post(session, &options, err));
  LPOT_TRY(lpot_session_meet(session, &comm, err));
  bool root = lpot_comm_rank(comm) == 0;
  if (!session->has_progress) {
    lpot_progress_start(root ? quantization->progress : LPOT_PROGRESS_NONE,
                        lpot_comm_size(comm) > 1);
    session->has_progress = true;
  }
  lpot_tune_end end = {0};
  lpot_ledger_init(&end.ledger);
  quantization->exit_code = lpot_tune_run(&options, comm, session->spawner, &end);
  lpot_status status = end.status;
  if (status != LPOT_OK && err != NULL) {
    *err = end.error;
  }
  if (root && (status == LPOT_OK || status == LPOT_INTERRUPTED)) {
    lpot_status taken = take_end(quantization, &end, status == LPOT_OK ? err : NULL);
    status = status == LPOT_OK ? taken : status;
  }
  lpot_free(end.workspace);
  lpot_ledger_done(&end.ledger);
  return status;
}

lpot_status lpot_quantization_run(lpot_quantization *quantization, lpot_error *err) {
  LPOT_TRY(lpot_api_check(quantization, "quantization", err));
  drop_result(quantization);
  quantization->exit_code = 0;
  lpot_status status = run(quantization, err);
  lpot_session_part(quantization->session, status);
  if (status != LPOT_OK && quantization->exit_code == 0) {
    quantization->exit_code = lpot_status_exit_code(status);
  }
  return status;
}

int lpot_quantization_dry_run(lpot_quantization *quantization) {
  lpot_error error = {0};
  lpot_tune_options options;
  lpot_status status = lpot_api_check(quantization, "quantization", &error);
  if (status == LPOT_OK) {
    status = fill_options(quantization, &options, &error);
  }
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return lpot_status_exit_code(status);
  }
  return lpot_tune_dry_run(&options);
}

const lpot_quantization_result *
lpot_quantization_get_result(const lpot_quantization *quantization) {
  return quantization != NULL && quantization->has_result ? &quantization->result : NULL;
}

int lpot_quantization_exit_code(const lpot_quantization *quantization) {
  return quantization == NULL ? lpot_status_exit_code(LPOT_INVALID) : quantization->exit_code;
}

/* ---- workspaces ---- */

/* 0, or the exit code of an argument that is NULL, which is told. */
static int check_named(const void *argument, const char *name) {
  lpot_error error = {0};
  lpot_status status = lpot_api_check(argument, name, &error);
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  return lpot_status_exit_code(status);
}

static int check_both(const char *workspace, const char *engine_name) {
  int exit_code = check_named(workspace, "workspace");
  return exit_code != 0 ? exit_code : check_named(engine_name, "engine_name");
}

int lpot_workspace_export(const char *workspace, uint64_t trial, const char *folder,
                          const char *engine_name) {
  int exit_code = check_both(workspace, engine_name);
  return exit_code != 0 ? exit_code : lpot_tune_export(workspace, trial, folder, engine_name);
}

int lpot_workspace_status(const char *workspace, int json) {
  int exit_code = check_named(workspace, "workspace");
  return exit_code != 0 ? exit_code : lpot_tune_status(workspace, json != 0);
}

int lpot_workspace_rebuild(const char *workspace) {
  int exit_code = check_named(workspace, "workspace");
  return exit_code != 0 ? exit_code : lpot_tune_rebuild(workspace);
}

int lpot_workspace_report(const char *workspace, const char *engine_name) {
  int exit_code = check_both(workspace, engine_name);
  return exit_code != 0 ? exit_code : lpot_tune_report(workspace, engine_name);
}
