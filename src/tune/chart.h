/* Charts as inline SVG for report.html: points over two linear axes with ticks, and
 * groups of horizontal bars. Pure. */
#ifndef LPOT_TUNE_CHART_H
#define LPOT_TUNE_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends text with the characters that HTML reserves written as entities, and control characters
 * left out. */
LPOT_MUST_CHECK lpot_status lpot_html_text(lpot_buffer *out, const char *text, lpot_error *err);

typedef struct lpot_chart_point {
  double x, y;
  double x_low, x_high; /* a bar between them; equal to x: none */
  double y_low, y_high;
  const char *style; /* a class of the style sheet: its colour and, in print, its form */
  const char *title; /* shown when pointed at, and read aloud; borrowed */
  bool ringed;       /* a ring around it */
} lpot_chart_point;

typedef struct lpot_chart_line {
  double value;      /* y */
  const char *style; /* a class of the style sheet */
  const char *label;
} lpot_chart_line;

typedef struct lpot_chart {
  const char *title; /* says what the chart shows to those who do not see it */
  const char *x_label, *y_label;
  size_t num_points;
  const lpot_chart_point *points; /* [num_points]; those with NaN are left out */
  size_t num_lines;
  const lpot_chart_line *lines; /* [num_lines] across the chart */
  bool whole_x;                 /* x counts something: ticks are whole numbers */
} lpot_chart;

LPOT_MUST_CHECK lpot_status lpot_chart_draw(const lpot_chart *chart, lpot_buffer *out,
                                            lpot_error *err);

/* Horizontal bars from zero, a group of them for each row. */
typedef struct lpot_bar_chart {
  const char *title;
  const char *x_label;
  size_t num_series;         /* at most LPOT_MAX_BAR_SERIES */
  const char *const *series; /* [num_series] names; told apart by the classes bar0, bar1, bar2 */
  size_t num_rows;
  const char *const *labels; /* [num_rows]; long ones are cut at their beginning */
  const double *values;      /* [num_rows, num_series]; NaN: no bar; below 0: none but its value */
} lpot_bar_chart;

#define LPOT_MAX_BAR_SERIES 3

LPOT_MUST_CHECK lpot_status lpot_bars_draw(const lpot_bar_chart *chart, lpot_buffer *out,
                                           lpot_error *err);

/* A step of 1, 2 or 5 times a power of ten with which span has at most max_ticks steps; 1 for a
 * span that is not positive. */
double lpot_chart_step(double span, int max_ticks);

#endif
