/* Pieces and sections of report.html (report_html.h), for its own sources. Each appends to out; a
 * section begins with its heading, which the page's contents lead to. Not collective. */
#ifndef LPOT_TUNE_REPORT_PART_H
#define LPOT_TUNE_REPORT_PART_H

#include "tune/job.h"
#include "tune/ledger.h"

/* ---- report_part.c ---- */

LPOT_MUST_CHECK lpot_status lpot_report_heading(lpot_buffer *out, const char *anchor,
                                                const char *text, lpot_error *err);

typedef struct lpot_report_column {
  const char *title;
  bool is_text; /* aligned left */
} lpot_report_column;

/* A table with a caption and a head, in a region that scrolls by keyboard where it is too wide. */
LPOT_MUST_CHECK lpot_status lpot_report_table_begin(lpot_buffer *out, const char *caption,
                                                    const lpot_report_column *columns,
                                                    size_t num_columns, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_report_table_end(lpot_buffer *out, lpot_error *err);
/* Begins a row by its head; marked: it is about what was chosen. */
LPOT_MUST_CHECK lpot_status lpot_report_row_begin(lpot_buffer *out, const char *head, bool marked,
                                                  lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_report_row_end(lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_report_text(lpot_buffer *out, const char *text, lpot_error *err);
/* By %.4g, or a dash for NaN. */
LPOT_MUST_CHECK lpot_status lpot_report_number(lpot_buffer *out, double value, lpot_error *err);
/* The same by %.6g. */
LPOT_MUST_CHECK lpot_status lpot_report_accuracy(lpot_buffer *out, double value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_report_count(lpot_buffer *out, uint64_t value, lpot_error *err);

/* What the accuracy had to be; NaN when it is not known. job may be NULL. */
double lpot_report_target(const lpot_ledger *ledger, const lpot_job *job);

typedef struct lpot_ranked_value {
  double value;
  size_t index;
} lpot_ranked_value;

/* Sorts by falling value, NaN last; of equals the lower index comes first. */
void lpot_report_rank(lpot_ranked_value *values, size_t count);

/* ---- sections ---- */

/* Accuracy against speed, and the trials. */
LPOT_MUST_CHECK lpot_status lpot_report_trials(const lpot_ledger *ledger, const lpot_job *job,
                                               lpot_buffer *out, lpot_error *err);
/* The ops of the chosen recipe, and those that cannot be quantized (job NULL: a word about it). */
LPOT_MUST_CHECK lpot_status lpot_report_ops(const lpot_ledger *ledger, const lpot_job *job,
                                            lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_report_sensitivity(const lpot_ledger *ledger, lpot_buffer *out,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_report_times(const lpot_ledger *ledger, lpot_buffer *out,
                                              lpot_error *err);

#endif
