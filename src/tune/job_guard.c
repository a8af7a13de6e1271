#include <stdio.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/log.h"
#include "tune/job.h"

#define PROBE_SECONDS 60.0

/* Makes what is wanted and forgets it: what fails properly will fail so again. */
static void make_and_forget(void *context, void *result) {
  const lpot_job_options *options = context;
  lpot_config *config = NULL;
  lpot_job *job = NULL;
  (void)result;
  lpot_log_set_level(LPOT_LOG_SILENT);
  if (options->model_path == NULL) {
    (void)!lpot_job_read_config(options, &config, NULL);
    lpot_config_free(config);
  } else if (lpot_job_new(options, &job, NULL) == LPOT_OK) {
    lpot_job_free(job);
  }
}

lpot_status lpot_job_probe(const lpot_job_options *options, lpot_error *err) {
  bool used = false;
  if (!lpot_guard_protects()) {
    return LPOT_OK;
  }
  if (lpot_job_find_plugins(options, &used, NULL) != LPOT_OK || !used) {
    return LPOT_OK;
  }
  lpot_job_options quiet = *options;
  quiet.warns = false;
  lpot_status status = lpot_guard_run(make_and_forget, &quiet, PROBE_SECONDS, NULL, 0, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "%s: a plug-in, while data and metric were opened",
                      options->config_path);
  }
  return status;
}

/* Standard output is for the result alone. */
static lpot_status build_quietly(const lpot_job_options *options, lpot_job **ret_job,
                                 lpot_error *err) {
  (void)fflush(stdout); /* What the program has written before is its own. */
  int output = dup(STDOUT_FILENO);
  (void)dup2(STDERR_FILENO, STDOUT_FILENO);
  lpot_status status = lpot_job_new(options, ret_job, err);
  if (output >= 0) {
    (void)fflush(stdout);
    (void)dup2(output, STDOUT_FILENO);
    (void)close(output);
  }
  return status;
}

lpot_status lpot_job_new_guarded(const lpot_job_options *options, lpot_job **ret_job,
                                 lpot_error *err) {
  LPOT_TRY(lpot_job_probe(options, err));
  return build_quietly(options, ret_job, err);
}
