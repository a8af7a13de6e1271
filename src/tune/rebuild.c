/* lpot-tune rebuild: history.h5 from the journal. */
#include <stdio.h>

#include "base/log.h"
#include "tune/history.h"
#include "tune/report.h"
#include "tune/run.h"
#include "tune/tune.h"

static lpot_status write_history(const char *workspace, const char *journal_path, lpot_buffer *path,
                                 lpot_ledger *ledger, lpot_error *err) {
  LPOT_TRY(lpot_journal_read(journal_path, lpot_ledger_apply, ledger, err));
  if (!ledger->has_header) {
    return LPOT_FAIL(err, LPOT_IO, "the journal in '%s' is empty", workspace);
  }
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
  lpot_status status =
      write_history(workspace, (const char *)journal_path->data, path, ledger, err);
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
