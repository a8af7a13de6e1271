/* lpot-tune with real ranks, relays, evaluators, journal and strategies, whose evaluators sleep for
 * as long as an evaluation would take: tests/bench/scale.py and tests/cluster use it.
 *
 * usage: LPOT_SIMULATION=block=0.02,compile=0.1 mpirun ... simulated_tune [options of lpot-tune]
 * CONF MODEL */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "cli/options.h"
#include "simulated_work.h"
#include "tune/calibrate.h"
#include "tune/evaluator.h"
#include "tune/interrupt.h"

#define SLICE_SECONDS 0.005 /* between two looks at whether to stop */

/* Evaluators are forked: each has its own. */
static simulation settings;
static uint64_t last_hash = UINT64_MAX;
static lpot_rng delays;
static double busy_seconds;

static lpot_status sleep_for(double seconds, const lpot_stop *stop, lpot_error *err) {
  lpot_clock clock = lpot_clock_monotonic();
  double end = lpot_clock_now(&clock) + seconds;
  for (;;) {
    if (stop->requested(stop->context)) {
      return LPOT_FAIL(err, LPOT_INTERRUPTED, "evaluation was stopped");
    }
    double left = end - lpot_clock_now(&clock);
    if (left <= 0) {
      return LPOT_OK;
    }
    lpot_clock_sleep(left < SLICE_SECONDS ? left : SLICE_SECONDS);
  }
}

static void misbehave(uint64_t hash) {
  if (simulated_fault_hits(&settings.crash, hash)) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  while (simulated_fault_hits(&settings.hang, hash)) {
    lpot_clock_sleep(0.1);
  }
}

static lpot_status evaluate(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                            lpot_outcome *outcome, lpot_error *err) {
  uint64_t hash = task->recipe == NULL ? 0 : lpot_recipe_hash(task->recipe);
  double seconds = 0;
  if (hash != 0) {
    misbehave(hash);
  }
  LPOT_TRY(simulate(&settings, job, task, last_hash, outcome, &seconds, err));
  last_hash = hash;
  seconds += settings.delay_seconds * lpot_rng_uniform(&delays);
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  lpot_status slept = sleep_for(seconds, stop, err);
  if (slept != LPOT_OK) {
    outcome->num_states = 0;
    outcome->num_bits = 0;
  }
  busy_seconds += lpot_clock_now(&clock) - start;
  return slept;
}

static void simulated_work(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                           lpot_outcome *outcome) {
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  lpot_error error = {0};
  lpot_outcome_done(outcome);
  if (task->kind == LPOT_TASK_CALIBRATE) {
    outcome->kind = task->kind;
    outcome->first = task->first;
    outcome->status = lpot_calibrate(job, task->equalized, task->first, task->count, stop,
                                     &outcome->calibration, &error);
  } else {
    outcome->status = evaluate(job, task, stop, outcome, &error);
  }
  if (outcome->status != LPOT_OK) {
    lpot_text_copy(outcome->cause, sizeof outcome->cause, error.message);
  }
  outcome->task_id = task->id;
  if (simulated_fault_hits(&settings.lie, outcome->recipe_hash)) {
    outcome->recipe_hash++;
  }
  if (simulated_fault_hits(&settings.miscount, outcome->recipe_hash) && outcome->num_bits > 0) {
    outcome->num_bits--;
  }
  outcome->seconds = lpot_clock_now(&clock) - start;
}

static int run_evaluator(int link_fd, const void *context) {
  lpot_rng_init(&delays, (uint64_t)getpid());
  int code = lpot_evaluator_run(link_fd, context);
  if (getenv("LPOT_SIMULATION_BUSY") != NULL) {
    fprintf(stderr, "busy %.3f s\n", busy_seconds);
  }
  return code;
}

int main(int argc, char **argv) {
  lpot_options options;
  lpot_error error = {0};
  lpot_comm *comm = NULL;
  lpot_spawner *spawner = NULL;
  setenv("OMP_NUM_THREADS", "1", 1);
  if (lpot_options_parse(argc, argv, &options, &error) != LPOT_OK ||
      options.command != LPOT_COMMAND_TUNE ||
      !simulation_read(getenv("LPOT_SIMULATION"), &settings)) {
    fprintf(stderr, "usage: simulated_tune [options of lpot-tune] CONF MODEL %s\n", error.message);
    return 2;
  }
  const lpot_tune_options wanted = {.config_path = options.tune.config_path,
                                    .model_path = options.tune.model_path,
                                    .workspace = options.tune.workspace,
                                    .recipe_path = options.tune.recipe_path,
                                    .cost_table_path = options.tune.cost_table_path,
                                    .num_settings = options.tune.num_settings,
                                    .settings = options.tune.settings,
                                    .engine_name = "onednn",
                                    .resume = options.tune.resume,
                                    .json = options.tune.json,
                                    .quiet = options.tune.quiet};
  lpot_log_level level = LPOT_LOG_INFO;
  (void)lpot_log_level_from_text(options.log_level, &level);
  lpot_log_set_level(level);
  lpot_evaluator_context context = {.options = &wanted, .work = simulated_work};
  lpot_interrupt_install();
  lpot_status status = lpot_spawner_start(run_evaluator, &context, &spawner, &error);
  if (status == LPOT_OK) {
    status = lpot_comm_start(&argc, &argv, &comm, &error);
  }
  int code = lpot_status_exit_code(status);
  if (status == LPOT_OK) {
    bool root = lpot_comm_rank(comm) == 0;
    lpot_log_set_rank(root ? -1 : lpot_comm_rank(comm));
    int style = 0;
    while (!lpot_text_equal(lpot_progress_styles()[style], options.progress)) {
      style++;
    }
    lpot_progress_start(root ? (lpot_progress_style)style : LPOT_PROGRESS_NONE,
                        lpot_comm_size(comm) > 1);
    code = lpot_tune_run(&wanted, comm, spawner, NULL);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_spawner_stop(spawner);
  lpot_comm_finish(comm, code);
  return code;
}
