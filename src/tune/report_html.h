/* report.html: a run for people, self-contained: no scripts, no network, readable in print and with
 * the keyboard alone. Not collective. */
#ifndef LPOT_TUNE_REPORT_HTML_H
#define LPOT_TUNE_REPORT_HTML_H

#include "tune/job.h"
#include "tune/ledger.h"

#define LPOT_REPORT_NAME "report.html" /* in the workspace */

/* Appends the page. job: of the ledger's model and configuration, or NULL, where the page does not
 * say why ops are not quantizable, nor what the accuracy had to be. */
LPOT_MUST_CHECK lpot_status lpot_report_html(const lpot_ledger *ledger, const lpot_job *job,
                                             lpot_buffer *out, lpot_error *err);
/* Writes it to path: a temporary file beside it, synced and renamed. */
LPOT_MUST_CHECK lpot_status lpot_report_html_write(const lpot_ledger *ledger, const lpot_job *job,
                                                   const char *path, lpot_error *err);

#endif
