/* Pieces and sections of report.html (report_html.h), for its own sources. Each appends to out; a
 * section begins with its heading, which the page's contents lead to. Not collective. */
#ifndef LPOT_TUNE_REPORT_PART_H
#define LPOT_TUNE_REPORT_PART_H

#include "tune/chart.h"
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

#define LPOT_REPORT_TEXT 160
/* "uint8 asym mse; weight per_channel". */
void lpot_report_config(const lpot_op_config *config, char out[LPOT_REPORT_TEXT]);
/* The same for the recipe's first int8 op with a weight, or else the first int8 op; empty where it
 * has none. */
void lpot_report_recipe(const lpot_recipe *recipe, char out[LPOT_REPORT_TEXT]);

/* What the accuracy had to be; NaN when it is not known. job may be NULL. */
double lpot_report_target(const lpot_ledger *ledger, const lpot_job *job);

typedef struct lpot_ranked_value {
  double value;
  size_t index;
} lpot_ranked_value;

/* Sorts by falling value, NaN last; of equals the lower index comes first. */
void lpot_report_rank(lpot_ranked_value *values, size_t count);

/* ---- report_points.c ---- */

#define LPOT_POINT_TITLE 160

/* Points of a chart with room for their titles. */
typedef struct lpot_report_points {
  size_t count;
  lpot_chart_point *points;         /* [capacity] owned */
  char (*titles)[LPOT_POINT_TITLE]; /* the same */
} lpot_report_points;

LPOT_MUST_CHECK lpot_status lpot_report_points_init(lpot_report_points *list, size_t capacity,
                                                    lpot_error *err);
void lpot_report_points_done(lpot_report_points *list);
/* The point that was added, without intervals; its title is empty. There must be room. */
lpot_chart_point *lpot_report_add_point(lpot_report_points *list, double x, double y,
                                        const char *style);
/* Appends to the title of the point that was added last; what does not fit is cut off. */
void lpot_report_point_title(lpot_report_points *list, const char *format, ...) LPOT_PRINTF(2, 3);
/* A class of the style sheet: what became of the trial. */
const char *lpot_report_trial_style(const lpot_ledger *ledger, const lpot_ledger_trial *trial);
/* Draws the points, with lines for f32's accuracy and the one asked for. */
LPOT_MUST_CHECK lpot_status lpot_report_draw_points(const lpot_ledger *ledger, const lpot_job *job,
                                                    const lpot_report_points *list,
                                                    const lpot_chart *plain, lpot_buffer *out,
                                                    lpot_error *err);

/* ---- sections ---- */

/* Accuracy against each of what the objective names (job NULL: against what is known), and the
 * Pareto front. */
LPOT_MUST_CHECK lpot_status lpot_report_front(const lpot_ledger *ledger, const lpot_job *job,
                                              lpot_buffer *out, lpot_error *err);
/* The trials in their order. */
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
