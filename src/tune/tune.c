#include "tune/tune.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/calibrate.h"
#include "tune/coordinator.h"
#include "tune/export.h"
#include "tune/recorded.h"
#include "tune/report.h"
#include "tune/worker.h"

#define AGREE_SECONDS 900.0
#define MEET_SECONDS 840.0 /* less than AGREE_SECONDS, so that what went wrong is still told */

/* What rank 0 holds open besides the job. */
typedef struct front_desk {
  const char *workspace;
  lpot_journal *journal;
  lpot_ledger ledger;
  lpot_recipe *given_recipe;
  lpot_op_times cost_table; /* of --cost-table */
} front_desk;

/* ---- the workspace ---- */

static lpot_status make_folder(const char *path, lpot_error *err) {
  if (mkdir(path, 0777) == 0 || errno == EEXIST) {
    return LPOT_OK;
  }
  int code = errno;
  return LPOT_FAIL(err, LPOT_IO, "cannot make the workspace '%s': %s", path, strerror(code));
}

/* Makes the folder and those above it. */
static lpot_status make_folders(const char *path, lpot_error *err) {
  size_t size = strlen(path) + 1;
  char *part = lpot_calloc(size, 1);
  if (part == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < size - 1 && status == LPOT_OK; i++) {
    if (path[i] == '/' && i > 0) {
      status = make_folder(part, err);
    }
    part[i] = path[i];
  }
  if (status == LPOT_OK) {
    status = make_folder(part, err);
  }
  lpot_free(part);
  return status;
}

static lpot_status open_journal(front_desk *desk, bool resume, lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(desk->workspace, LPOT_JOURNAL_NAME, &path, err);
  if (status == LPOT_OK) {
    status = lpot_journal_open((const char *)path.data, resume, lpot_ledger_apply, &desk->ledger,
                               &desk->journal, err);
  }
  lpot_buffer_done(&path);
  LPOT_TRY(status);
  if (lpot_journal_num_dropped(desk->journal) > 0) {
    lpot_log(LPOT_LOG_INFO, "the end of the journal was never durable: %zu bytes are cut off",
             lpot_journal_num_dropped(desk->journal));
  }
  return LPOT_OK;
}

static void warn_of_samples(const lpot_job *job, const lpot_recipe *recipe) {
  if (recipe->dynamic) {
    return;
  }
  int64_t given = lpot_job_calibration_samples(job);
  if (recipe->calibration_samples > given) {
    lpot_log(LPOT_LOG_WARNING, "the recipe asks for %lld calibration samples, there are %lld",
             (long long)recipe->calibration_samples, (long long)given);
  }
}

static lpot_status open_desk(front_desk *desk, const lpot_tune_options *options,
                             const lpot_job *job, lpot_error *err) {
  desk->workspace = options->workspace != NULL ? options->workspace : job->config->workspace;
  if (options->recipe_path != NULL) {
    LPOT_TRY(lpot_import_recipe(job, options->recipe_path, &desk->given_recipe, err));
    warn_of_samples(job, desk->given_recipe);
  }
  if (options->cost_table_path != NULL) {
    LPOT_TRY(lpot_import_op_times(job, options->cost_table_path, &desk->cost_table, err));
  }
  LPOT_TRY(make_folders(desk->workspace, err));
  LPOT_TRY(open_journal(desk, options->resume, err));
  return LPOT_OK;
}

static void close_desk(front_desk *desk) {
  lpot_journal_close(desk->journal);
  lpot_ledger_done(&desk->ledger);
  lpot_recipe_free(desk->given_recipe);
  lpot_op_times_done(&desk->cost_table);
}

/* ---- tuning ---- */

lpot_job_options lpot_tune_job_options(const lpot_tune_options *options, int local_ranks) {
  return (lpot_job_options){.config_path = options->config_path,
                            .config_text = options->config_text,
                            .num_settings = options->num_settings,
                            .settings = options->settings,
                            .model_path = options->model_path,
                            .engine_name = options->engine_name,
                            .local_ranks = local_ranks,
                            .needs_data = true};
}

/* What a rank has; only rank 0 has a job and a desk, and it has no evaluator where others have. */
typedef struct station {
  lpot_keeper *keeper;
  lpot_job *job;
  double job_seconds; /* that it took to build */
  front_desk desk;
} station;

static lpot_status coordinate(const lpot_tune_options *options, lpot_comm *comm, station *own,
                              lpot_error *err) {
  front_desk *desk = &own->desk;
  lpot_run_options run_options = {.workspace = desk->workspace,
                                  .given_recipe = desk->given_recipe,
                                  .cost_table =
                                      options->cost_table_path != NULL ? &desk->cost_table : NULL};
  lpot_run run = {
      .job = own->job, .ledger = &desk->ledger, .journal = desk->journal, .options = &run_options};
  lpot_own_evaluator evaluator = {.keeper = own->keeper};
  lpot_transport transport =
      own->keeper != NULL ? lpot_transport_own(&evaluator) : lpot_transport_ranks(comm);
  run.clock = lpot_clock_monotonic();
  run.own_host = lpot_comm_host(comm);
  run.job_seconds = own->job_seconds;
  LPOT_TRY(lpot_crew_new(&transport, &run.clock, &run.crew, err));
  lpot_status status = lpot_run_init(&run, err);
  if (status == LPOT_OK) {
    status = lpot_coordinate(&run, options->model_path, options->config_path, err);
  }
  lpot_status dismissed = lpot_crew_dismiss(run.crew, status == LPOT_OK ? err : NULL);
  lpot_run_done(&run);
  lpot_crew_free(run.crew);
  return status != LPOT_OK ? status : dismissed;
}

static int tell_result(const lpot_tune_options *options, const front_desk *desk, lpot_status status,
                       lpot_error *err) {
  if (status != LPOT_OK && status != LPOT_INTERRUPTED) {
    return lpot_status_exit_code(status);
  }
  int exit_code = lpot_report_exit_code(&desk->ledger);
  if (status == LPOT_INTERRUPTED) {
    exit_code = lpot_status_exit_code(status);
    lpot_log(LPOT_LOG_WARNING, "%s: %zu trials are safe in '%s', go on with --resume", err->message,
             desk->ledger.num_trials, desk->workspace);
  }
  if (options->json) {
    lpot_status written = lpot_report_json(&desk->ledger, desk->workspace, exit_code, stdout, err);
    exit_code = written == LPOT_OK ? exit_code : lpot_status_exit_code(written);
  } else if (!options->quiet) {
    lpot_report_print(&desk->ledger, desk->workspace, stdout);
  }
  return lpot_report_flush(exit_code);
}

static lpot_status begin_evaluator(lpot_comm *comm, lpot_spawner *spawner, lpot_keeper **ret_keeper,
                                   lpot_error *err) {
  lpot_start_order start = {.rank = lpot_comm_rank(comm),
                            .local_ranks = lpot_comm_local_size(comm)};
  lpot_text_copy(start.host, sizeof start.host, lpot_comm_host(comm));
  LPOT_TRY(lpot_keeper_new(spawner, &start, ret_keeper, err));
  return LPOT_OK;
}

static lpot_status prepare_desk(const lpot_tune_options *options, lpot_comm *comm, station *own,
                                lpot_error *err) {
  lpot_job_options wanted = lpot_tune_job_options(options, lpot_comm_local_size(comm));
  wanted.warns = true;
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  LPOT_TRY(lpot_job_new_guarded(&wanted, &own->job, err));
  own->job_seconds = lpot_clock_now(&clock) - start;
  LPOT_TRY(open_desk(&own->desk, options, own->job, err));
  return LPOT_OK;
}

/* What this rank needs; an evaluator builds its job while rank 0 builds its own. Not where it is a
 * thread: oneDNN 2 and what users bring are not for two threads at once. */
static lpot_status prepare_rank(const lpot_tune_options *options, lpot_comm *comm,
                                lpot_spawner *spawner, station *own, lpot_error *err) {
  bool root = lpot_comm_rank(comm) == 0;
  bool works = !root || lpot_comm_size(comm) == 1;
  bool waits = lpot_spawner_is_inside(spawner);
  if (works && !waits) {
    LPOT_TRY(begin_evaluator(comm, spawner, &own->keeper, err));
  }
  if (root) {
    LPOT_TRY(prepare_desk(options, comm, own, err));
  }
  if (works && waits) {
    LPOT_TRY(begin_evaluator(comm, spawner, &own->keeper, err));
  }
  if (own->keeper != NULL) {
    LPOT_TRY(lpot_keeper_meet(own->keeper, MEET_SECONDS, err));
  }
  return LPOT_OK;
}

/* All ranks know alike whether all of them are ready. */
static lpot_status prepare(const lpot_tune_options *options, lpot_comm *comm, lpot_spawner *spawner,
                           station *own, lpot_error *err) {
  lpot_status status = prepare_rank(options, comm, spawner, own, err);
  if (status != LPOT_OK && lpot_comm_rank(comm) > 0) {
    lpot_error_prefix(err, "rank %d on %s", lpot_comm_rank(comm), lpot_comm_host(comm));
  }
  int failed_rank = -1;
  return lpot_comm_agree(comm, status, AGREE_SECONDS, &failed_rank, err);
}

/* Hands out what rank 0 knows, or tells the error where nobody takes it. */
static void conclude(station *own, lpot_status status, const lpot_error *error,
                     lpot_tune_end *ret_end) {
  if (ret_end == NULL) {
    if (status != LPOT_OK && status != LPOT_INTERRUPTED) {
      lpot_log(LPOT_LOG_ERROR, "%s", error->message);
    }
    return;
  }
  ret_end->status = status;
  ret_end->error = *error;
  size_t size = own->desk.workspace == NULL ? 0 : strlen(own->desk.workspace) + 1;
  ret_end->workspace = size == 0 ? NULL : lpot_calloc(size, 1);
  if (ret_end->workspace != NULL) {
    memcpy(ret_end->workspace, own->desk.workspace, size);
  }
  ret_end->ledger = own->desk.ledger;
  lpot_ledger_init(&own->desk.ledger);
}

int lpot_tune_run(const lpot_tune_options *options, lpot_comm *comm, lpot_spawner *spawner,
                  lpot_tune_end *ret_end) {
  bool root = lpot_comm_rank(comm) == 0;
  lpot_error error = {0};
  station own = {0};
  int exit_code = 0;
  lpot_ledger_init(&own.desk.ledger);
  lpot_status status = prepare(options, comm, spawner, &own, &error);
  if (status != LPOT_OK) {
    exit_code = root ? lpot_status_exit_code(status) : 0;
  } else if (root) {
    status = coordinate(options, comm, &own, &error);
    exit_code = tell_result(options, &own.desk, status, &error);
  } else {
    status = lpot_worker_run(own.keeper, comm, &error);
    if (status != LPOT_OK) {
      lpot_log(LPOT_LOG_ERROR, "%s", error.message);
      lpot_comm_abort(comm, lpot_status_exit_code(status)); /* The coordinator would wait for us. */
    }
  }
  lpot_keeper_free(own.keeper);
  if (root) {
    conclude(&own, status, &error, ret_end);
  }
  close_desk(&own.desk);
  lpot_job_free(own.job);
  return exit_code;
}

/* ---- export of a recorded trial ---- */

/* The statistics must be those that the trial was made from. */
static lpot_status check_calibration(const lpot_ledger *ledger, lpot_calibration_key key,
                                     const lpot_calibration *calibration, lpot_error *err) {
  uint64_t hash = 0;
  LPOT_TRY(lpot_calibrate_hash(calibration, &hash, err));
  for (size_t i = 0; i < ledger->num_calibrations; i++) {
    if (lpot_calibration_key_equal(ledger->calibrations[i].key, key) &&
        ledger->calibrations[i].hash != hash) {
      return LPOT_FAIL(err, LPOT_INVALID,
                       "calibration on %lld samples gives other ranges than the run's: its data, "
                       "the engine or the machine have changed",
                       (long long)key.samples);
    }
  }
  return LPOT_OK;
}

static lpot_status calibrate_for(const lpot_ledger *ledger, lpot_job *job,
                                 const lpot_recipe *recipe, lpot_error *err) {
  int64_t given = lpot_job_calibration_samples(job);
  lpot_calibration_key key = lpot_calibration_key_of(recipe);
  int64_t count = key.samples < given ? key.samples : given;
  lpot_calibration *calibration = NULL;
  LPOT_TRY(lpot_calibrate(job, key.equalized, 0, count, NULL, &calibration, err));
  lpot_status checked = check_calibration(ledger, key, calibration, err);
  if (checked != LPOT_OK) {
    lpot_calibration_free(calibration);
    return checked;
  }
  LPOT_TRY(lpot_job_add_calibration(job, key, &calibration, err));
  return LPOT_OK;
}

static lpot_status export_recipe(const lpot_ledger *ledger, lpot_job *job,
                                 const lpot_recipe *recipe, const char *folder, lpot_error *err) {
  if (!recipe->dynamic) {
    LPOT_TRY(calibrate_for(ledger, job, recipe, err));
  }
  LPOT_TRY(make_folders(folder, err));
  LPOT_TRY(lpot_export_model(job, recipe, folder, "model.onnx", err));
  if (lpot_recipe_num_bf16(recipe) > 0) {
    lpot_log(LPOT_LOG_WARNING,
             "bf16 ops are exported in f32: the model's accuracy is not that of the trial");
  }
  LPOT_TRY(lpot_export_recipe(job, recipe, folder, "recipe.yaml", err));
  LPOT_TRY(lpot_export_deploy(job, folder, "model.onnx", err));
  return LPOT_OK;
}

static lpot_status export_trial(const char *workspace, uint64_t trial_id, const char *folder,
                                const char *engine_name, lpot_ledger *ledger, lpot_job **ret_job,
                                lpot_error *err) {
  LPOT_TRY(lpot_recorded_ledger(workspace, ledger, err));
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, trial_id);
  if (trial == NULL && ledger->num_trials == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "there is no trial %llu in '%s', and no other",
                     (unsigned long long)trial_id, workspace);
  }
  if (trial == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "there is no trial %llu in '%s', trials are 1 to %zu",
                     (unsigned long long)trial_id, workspace, ledger->num_trials);
  }
  const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
  if (result->status != LPOT_TRIAL_DONE && result->status != LPOT_TRIAL_PRUNED) {
    return LPOT_FAIL(err, LPOT_INVALID, "trial %llu is %s: %s", (unsigned long long)trial_id,
                     lpot_trial_status_text(result->status), result->cause);
  }
  LPOT_TRY(lpot_recorded_job(ledger, engine_name, true, ret_job, err));
  LPOT_TRY(export_recipe(ledger, *ret_job, result->recipe, folder, err));
  return LPOT_OK;
}

int lpot_tune_export(const char *workspace, uint64_t trial_id, const char *folder,
                     const char *engine_name) {
  lpot_error error = {0};
  lpot_job *job = NULL;
  lpot_ledger ledger;
  lpot_buffer path;
  lpot_ledger_init(&ledger);
  lpot_buffer_init(&path);
  lpot_status status = LPOT_OK;
  if (folder == NULL) {
    status =
        lpot_buffer_printf(&path, &error, "%s/trial_%llu", workspace, (unsigned long long)trial_id);
    if (status == LPOT_OK) {
      status = lpot_buffer_terminate(&path, &error);
    }
    folder = (const char *)path.data;
  }
  if (status == LPOT_OK) {
    status = export_trial(workspace, trial_id, folder, engine_name, &ledger, &job, &error);
  }
  if (status == LPOT_OK) {
    printf("%s/model.onnx\n%s/recipe.yaml\n%s/deploy.yaml\n", folder, folder, folder);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_job_free(job);
  lpot_ledger_done(&ledger);
  lpot_buffer_done(&path);
  return lpot_report_flush(lpot_status_exit_code(status));
}
