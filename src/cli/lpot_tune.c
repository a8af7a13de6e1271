/* lpot-tune: finds the fastest int8 recipe of a network within an accuracy criterion. */
#include <stdio.h>
#include <stdlib.h>

#include <lpot/lpot.h>

#include "base/log.h"
#include "cli/options.h"

static lpot_status fill(lpot_quantization *quantization, const lpot_options *options,
                        lpot_error *err) {
  const lpot_tune_request *request = &options->tune;
  for (size_t i = 0; i < request->num_settings; i++) {
    LPOT_TRY(lpot_quantization_set(quantization, request->settings[i], err));
  }
  LPOT_TRY(lpot_quantization_set_model(quantization, request->model_path, err));
  LPOT_TRY(lpot_quantization_set_workspace(quantization, request->workspace, err));
  LPOT_TRY(lpot_quantization_set_recipe(quantization, request->recipe_path, err));
  LPOT_TRY(lpot_quantization_set_cost_table(quantization, request->cost_table_path, err));
  lpot_status status = lpot_quantization_set_engine(quantization, request->engine_name, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "LPOT_ENGINE");
    return status;
  }
  LPOT_TRY(lpot_quantization_set_progress(quantization, options->progress, err));
  lpot_quantization_set_resume(quantization, request->resume);
  lpot_quantization_set_output(quantization, request->json    ? LPOT_OUTPUT_JSON
                                             : request->quiet ? LPOT_OUTPUT_NONE
                                                              : LPOT_OUTPUT_TABLE);
  return LPOT_OK;
}

static int run(lpot_quantization *quantization) {
  lpot_error error = {0};
  lpot_status status = lpot_quantization_run(quantization, &error);
  if (status != LPOT_OK && status != LPOT_INTERRUPTED) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  return lpot_quantization_exit_code(quantization);
}

static int tune(lpot_session *session, const lpot_options *options) {
  lpot_error error = {0};
  lpot_quantization *quantization = NULL;
  lpot_status status =
      lpot_quantization_from_file(session, options->tune.config_path, &quantization, &error);
  if (status == LPOT_OK) {
    status = fill(quantization, options, &error);
  }
  int exit_code = 0;
  if (status == LPOT_OK) {
    exit_code = options->dry_run ? lpot_quantization_dry_run(quantization) : run(quantization);
  } else if (lpot_rank() == 0) { /* As in main: the message goes first. */
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    exit_code = lpot_status_exit_code(status);
  }
  lpot_quantization_free(quantization);
  return exit_code;
}

static int run_job(int argc, char **argv, const lpot_options *options) {
  lpot_error error = {0};
  lpot_session *session = NULL;
  lpot_status status = lpot_start(&argc, &argv, &session, &error);
  int exit_code = lpot_status_exit_code(status);
  if (status == LPOT_OK) {
    exit_code = tune(session, options);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_finish(session, exit_code);
  return exit_code;
}

/* What needs no workers is done by one rank; the others leave before MPI starts. */
static int run_alone(int argc, char **argv, const lpot_options *options) {
  switch (options->command) {
  case LPOT_COMMAND_HELP:
    lpot_options_help(stdout);
    return 0;
  case LPOT_COMMAND_VERSION:
    puts("lpot-tune " LPOT_VERSION);
    return 0;
  case LPOT_COMMAND_EXPORT:
    return lpot_workspace_export(options->workspace, options->trial, options->output,
                                 options->tune.engine_name);
  case LPOT_COMMAND_STATUS:
    return lpot_workspace_status(options->workspace, options->tune.json);
  case LPOT_COMMAND_REBUILD:
    return lpot_workspace_rebuild(options->workspace);
  case LPOT_COMMAND_REPORT:
    return lpot_workspace_report(options->workspace, options->tune.engine_name);
  default:
    return run_job(argc, argv, options); /* A dry run starts no MPI. */
  }
}

int main(int argc, char **argv) {
  lpot_options options;
  lpot_error error = {0};
  bool first_rank = lpot_rank() == 0;
  /* One thread per rank: the ranks are the parallelism. Must stand before the engine starts. */
  setenv("OMP_NUM_THREADS", "1", 1);
  lpot_status status = lpot_options_parse(argc, argv, &options, &error);
  if (status == LPOT_OK) {
    status = lpot_set_log_level(options.log_level, &error);
  }
  if (status != LPOT_OK) {
    if (!first_rank) {
      return 0; /* mpirun ends all ranks at the first exit code that is not 0: the message goes
                   first */
    }
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return lpot_status_exit_code(status);
  }
  lpot_log_level level = LPOT_LOG_INFO;
  (void)lpot_log_level_from_text(options.log_level, &level);
  lpot_log_set_level(level); /* The library logs by a copy of its own. */
  const char *engine = getenv("LPOT_ENGINE");
  options.tune.engine_name = engine != NULL && engine[0] != '\0' ? engine : "onednn";
  if (options.command != LPOT_COMMAND_TUNE || options.dry_run) {
    return first_rank ? run_alone(argc, argv, &options) : 0;
  }
  return run_job(argc, argv, &options);
}
