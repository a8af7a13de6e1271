/* lpot-tune: finds the fastest int8 recipe of a network within an accuracy criterion. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "tune/evaluator.h"
#include "tune/interrupt.h"
#include "tune/work.h"

static int tune(const lpot_options *options, lpot_comm *comm, lpot_spawner *spawner) {
  bool root = lpot_comm_rank(comm) == 0;
  lpot_log_set_rank(root ? -1 : lpot_comm_rank(comm));
  lpot_progress_start(root ? options->progress : LPOT_PROGRESS_NONE, lpot_comm_size(comm) > 1);
  return lpot_tune_run(&options->tune, comm, spawner);
}

static int run_tuning(int argc, char **argv, const lpot_options *options) {
  lpot_error error = {0};
  lpot_comm *comm = NULL;
  lpot_spawner *spawner = NULL;
  lpot_evaluator_context context = {.options = &options->tune, .work = lpot_work};
  lpot_interrupt_install(); /* Before MPI starts, which takes a while on many ranks. */
  lpot_status status = lpot_spawner_start(lpot_evaluator_run, &context, &spawner, &error);
  if (status == LPOT_OK) {
    status = lpot_comm_start(&argc, &argv, &comm, &error);
  }
  int exit_code = lpot_status_exit_code(status);
  if (status == LPOT_OK) {
    exit_code = tune(options, comm, spawner);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_spawner_stop(spawner); /* First: launchers wait until nobody holds their pipes. */
  lpot_comm_finish(comm, exit_code);
  return exit_code;
}

/* What needs no workers is done by one rank; the others leave before MPI starts. */
static int run_alone(const lpot_options *options) {
  switch (options->command) {
  case LPOT_COMMAND_HELP:
    lpot_options_help(stdout);
    return 0;
  case LPOT_COMMAND_VERSION:
    puts("lpot-tune " LPOT_VERSION);
    return 0;
  case LPOT_COMMAND_EXPORT:
    return lpot_tune_export(options->workspace, options->trial, options->output,
                            options->tune.engine_name);
  case LPOT_COMMAND_STATUS:
    return lpot_tune_status(options->workspace, options->tune.json);
  case LPOT_COMMAND_REBUILD:
    return lpot_tune_rebuild(options->workspace);
  case LPOT_COMMAND_REPORT:
    return lpot_tune_report(options->workspace, options->tune.engine_name);
  default:
    return lpot_tune_dry_run(&options->tune);
  }
}

int main(int argc, char **argv) {
  lpot_options options;
  lpot_error error = {0};
  bool first_rank = lpot_comm_rank_by_environment() == 0;
  /* One thread per rank: the ranks are the parallelism. Must stand before the engine starts. */
  setenv("OMP_NUM_THREADS", "1", 1);
  lpot_status status = lpot_options_parse(argc, argv, &options, &error);
  if (status != LPOT_OK) {
    if (!first_rank) {
      return 0; /* mpirun ends all ranks at the first exit code that is not 0: the message goes
                   first */
    }
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return lpot_status_exit_code(status);
  }
  const char *engine = getenv("LPOT_ENGINE");
  options.tune.engine_name = engine != NULL && engine[0] != '\0' ? engine : "onednn";
  lpot_log_set_level(options.log_level);
  if (options.command != LPOT_COMMAND_TUNE || options.dry_run) {
    return first_rank ? run_alone(&options) : 0;
  }
  return run_tuning(argc, argv, &options);
}
