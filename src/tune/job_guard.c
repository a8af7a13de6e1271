#include <stdio.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/log.h"
#include "data/plugin.h"
#include "tune/job.h"

#define PROBE_SECONDS 60.0

/* Builds a job and forgets it: what fails properly will fail so again. */
static void probe(void *context, void *result) {
  const lpot_job_options *options = context;
  lpot_job *job = NULL;
  (void)result;
  lpot_log_set_level(LPOT_LOG_SILENT);
  if (lpot_job_new(options, &job, NULL) == LPOT_OK) {
    lpot_job_free(job);
  }
}

static lpot_status find_plugins(const lpot_job_options *options, bool *ret_used, lpot_error *err) {
  lpot_config *config = NULL;
  lpot_job_options quiet = *options;
  quiet.warns = false;
  LPOT_TRY(lpot_job_read_config(&quiet, &config, err));
  *ret_used = lpot_plugin_is_used(lpot_yaml_root(config->yaml));
  lpot_config_free(config);
  return LPOT_OK;
}

/* Standard output is for the result alone. */
static lpot_status build_quietly(const lpot_job_options *options, lpot_job **ret_job,
                                 lpot_error *err) {
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
  bool used = false;
  if (find_plugins(options, &used, NULL) != LPOT_OK || !used) {
    return lpot_job_new(options, ret_job, err);
  }
  lpot_job_options copy = *options;
  copy.warns = false;
  lpot_status status = lpot_guard_run(probe, &copy, PROBE_SECONDS, NULL, 0, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "%s: a plug-in, while data and metric were opened",
                      options->config_path);
    return status;
  }
  return build_quietly(options, ret_job, err);
}
