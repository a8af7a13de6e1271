/* lpot-tune rebuild and report: history.h5 and report.html from the journal. */
#include <stdio.h>

#include "base/log.h"
#include "engine/engine.h"
#include "tune/history.h"
#include "tune/recorded.h"
#include "tune/report.h"
#include "tune/report_html.h"
#include "tune/run.h"
#include "tune/tune.h"

static lpot_status write_history(const char *workspace, lpot_buffer *path, lpot_ledger *ledger,
                                 lpot_error *err) {
  LPOT_TRY(lpot_recorded_ledger(workspace, ledger, err));
  LPOT_TRY(lpot_workspace_path(workspace, "history.h5", path, err));
  LPOT_TRY(lpot_history_write(ledger, (const char *)path->data, err));
  return LPOT_OK;
}

/* The lock is held meanwhile: a job that starts now would write the same files. */
static lpot_status rebuild(const char *workspace, lpot_buffer *journal_path, lpot_buffer *path,
                           lpot_ledger *ledger, lpot_error *err) {
  lpot_journal *lock = NULL;
  LPOT_TRY(lpot_workspace_path(workspace, LPOT_JOURNAL_NAME, journal_path, err));
  LPOT_TRY(lpot_journal_hold((const char *)journal_path->data, &lock, err));
  lpot_status status = write_history(workspace, path, ledger, err);
  lpot_journal_close(lock);
  return status;
}

int lpot_tune_rebuild(const char *workspace) {
  lpot_error error = {0};
  lpot_ledger ledger;
  lpot_buffer journal_path;
  lpot_buffer path;
  lpot_ledger_init(&ledger);
  lpot_buffer_init(&journal_path);
  lpot_buffer_init(&path);
  lpot_status status = rebuild(workspace, &journal_path, &path, &ledger, &error);
  if (status == LPOT_OK) {
    printf("%s\n", (const char *)path.data);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_ledger_done(&ledger);
  lpot_buffer_done(&journal_path);
  lpot_buffer_done(&path);
  return lpot_report_flush(lpot_status_exit_code(status));
}

/* The page says less where the model is gone. */
static lpot_status write_report(const char *workspace, const char *engine_name, lpot_buffer *path,
                                lpot_ledger *ledger, lpot_error *err) {
  lpot_job *job = NULL;
  lpot_error why = {0};
  LPOT_TRY(lpot_engine_check_name(engine_name, err));
  LPOT_TRY(lpot_recorded_ledger(workspace, ledger, err));
  LPOT_TRY(lpot_workspace_path(workspace, LPOT_REPORT_NAME, path, err));
  if (lpot_recorded_job(ledger, engine_name, false, &job, &why) != LPOT_OK) {
    lpot_log(LPOT_LOG_WARNING, "%s: the report does not tell why ops stay fp32", why.message);
  }
  lpot_status status = lpot_report_html_write(ledger, job, (const char *)path->data, err);
  lpot_job_free(job);
  return status;
}

int lpot_tune_report(const char *workspace, const char *engine_name) {
  lpot_error error = {0};
  lpot_ledger ledger;
  lpot_buffer path;
  lpot_ledger_init(&ledger);
  lpot_buffer_init(&path);
  lpot_status status = write_report(workspace, engine_name, &path, &ledger, &error);
  if (status == LPOT_OK) {
    printf("%s\n", (const char *)path.data);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  lpot_ledger_done(&ledger);
  lpot_buffer_done(&path);
  return lpot_report_flush(lpot_status_exit_code(status));
}
