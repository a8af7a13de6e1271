#include "tune/recorded.h"

#include "tune/run.h"

lpot_status lpot_recorded_ledger(const char *workspace, lpot_ledger *ledger, lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(workspace, LPOT_JOURNAL_NAME, &path, err);
  if (status == LPOT_OK) {
    status = lpot_journal_read((const char *)path.data, lpot_ledger_apply, ledger, err);
  }
  lpot_buffer_done(&path);
  LPOT_TRY(status);
  if (!ledger->has_header) {
    return LPOT_FAIL(err, LPOT_IO, "the journal in '%s' is empty", workspace);
  }
  return LPOT_OK;
}

static lpot_status make_job(const lpot_ledger_header *header, const lpot_job_options *options,
                            lpot_job **ret_job, lpot_error *err) {
  lpot_job *job = NULL;
  LPOT_TRY(lpot_job_new_guarded(options, &job, err));
  if (job->model.digest.low != header->model.low || job->model.digest.high != header->model.high) {
    lpot_job_free(job);
    return LPOT_FAIL(err, LPOT_INVALID, "model '%s' has changed since the run", header->model_path);
  }
  *ret_job = job;
  return LPOT_OK;
}

lpot_status lpot_recorded_job(const lpot_ledger *ledger, const char *engine_name, bool needs_data,
                              lpot_job **ret_job, lpot_error *err) {
  const lpot_ledger_header *header = &ledger->header;
  lpot_job_options options = {.config_text = header->config_text,
                              .model_path = header->model_path,
                              .folder = header->folder[0] == '\0' ? NULL : header->folder,
                              .engine_name = engine_name,
                              .local_ranks = 1,
                              .needs_data = needs_data};
  lpot_buffer name;
  lpot_buffer_init(&name);
  /* Places in messages are those of the text in the journal, not of the user's file; but plug-ins
   * are looked for beside that. */
  lpot_status status =
      lpot_buffer_printf(&name, err, "%s (as in " LPOT_JOURNAL_NAME ")", header->config_name);
  if (status == LPOT_OK) {
    status = lpot_buffer_terminate(&name, err);
  }
  if (status == LPOT_OK) {
    options.config_path = (const char *)name.data;
    status = make_job(header, &options, ret_job, err);
  }
  lpot_buffer_done(&name);
  return status;
}
