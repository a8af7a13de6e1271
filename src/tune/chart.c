#include "tune/chart.h"

#include <math.h>

#define WIDTH 760.0
#define HEIGHT 340.0
#define LEFT 78.0
#define RIGHT 16.0
#define TOP 14.0
#define BOTTOM 48.0
#define MAX_TICKS 8

lpot_status lpot_html_text(lpot_buffer *out, const char *text, lpot_error *err) {
  for (; *text != '\0'; text++) {
    const char *entity = *text == '<'   ? "&lt;"
                         : *text == '>' ? "&gt;"
                         : *text == '&' ? "&amp;"
                         : *text == '"' ? "&quot;"
                                        : NULL;
    bool control = (unsigned char)*text < 0x20 && *text != '\n' && *text != '\t';
    if (entity != NULL) {
      LPOT_TRY(lpot_buffer_printf(out, err, "%s", entity));
    } else if (!control) {
      LPOT_TRY(lpot_buffer_append(out, text, 1, err));
    }
  }
  return LPOT_OK;
}

double lpot_chart_step(double span, int max_ticks) {
  if (!(span > 0) || isinf(span)) {
    return 1;
  }
  double power = pow(10, floor(log10(span / max_ticks)));
  static const double factors[] = {1, 2, 5, 10};
  for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
    if (span / (factors[i] * power) <= max_ticks) {
      return factors[i] * power;
    }
  }
  return 10 * power;
}

/* ---- axes ---- */

typedef struct axis {
  double low, high; /* of the values */
  double from, to;  /* in the picture */
  double step;
} axis;

static void widen(axis *self, double value) {
  if (!isnan(value)) {
    self->low = fmin(self->low, value);
    self->high = fmax(self->high, value);
  }
}

static void finish_axis(axis *self, bool whole) {
  if (self->low > self->high) {
    self->low = 0;
    self->high = 1;
  }
  double margin = 0.05 * (self->high - self->low);
  if (margin <= 0) {
    margin = self->low != 0 ? 0.05 * fabs(self->low) : 1;
  }
  self->low -= margin;
  self->high += margin;
  self->step = lpot_chart_step(self->high - self->low, MAX_TICKS);
  if (whole && self->step < 1) {
    self->step = 1;
  }
}

static double place(const axis *self, double value) {
  double share = (value - self->low) / (self->high - self->low);
  return self->from + share * (self->to - self->from);
}

static bool is_drawn(const lpot_chart_point *point) {
  return isfinite(point->x) && isfinite(point->y);
}

static void measure(const lpot_chart *chart, axis *x, axis *y) {
  *x = (axis){.low = INFINITY, .high = -INFINITY, .from = LEFT, .to = WIDTH - RIGHT};
  *y = (axis){.low = INFINITY, .high = -INFINITY, .from = HEIGHT - BOTTOM, .to = TOP};
  for (size_t i = 0; i < chart->num_points; i++) {
    const lpot_chart_point *point = &chart->points[i];
    if (is_drawn(point)) {
      widen(x, point->x);
      widen(x, point->x_low);
      widen(x, point->x_high);
      widen(y, point->y);
      widen(y, point->y_low);
      widen(y, point->y_high);
    }
  }
  for (size_t i = 0; i < chart->num_lines; i++) {
    widen(y, chart->lines[i].value);
  }
  finish_axis(x, chart->whole_x);
  finish_axis(y, false);
}

static lpot_status draw_ticks(const axis *x, const axis *y, lpot_buffer *out, lpot_error *err) {
  for (double value = ceil(x->low / x->step) * x->step; value <= x->high; value += x->step) {
    double at = place(x, value);
    double shown = fabs(value) < 1e-9 * x->step ? 0 : value;
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>"
                                "<text x='%.1f' y='%.1f' text-anchor='middle'>%.6g</text>\n",
                                at, at, TOP, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 16, shown));
  }
  for (double value = ceil(y->low / y->step) * y->step; value <= y->high; value += y->step) {
    double at = place(y, value);
    double shown = fabs(value) < 1e-9 * y->step ? 0 : value;
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>"
                                "<text x='%.1f' y='%.1f' text-anchor='end'>%.6g</text>\n",
                                LEFT, WIDTH - RIGHT, at, at, LEFT - 6, at + 4, shown));
  }
  return LPOT_OK;
}

static lpot_status draw_labels(const lpot_chart *chart, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<text x='%.1f' y='%.1f' text-anchor='middle'>",
                              (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8));
  LPOT_TRY(lpot_html_text(out, chart->x_label, err));
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "</text>\n<text text-anchor='middle' "
                              "transform='translate(14 %.1f) rotate(-90)'>",
                              (TOP + HEIGHT - BOTTOM) / 2));
  LPOT_TRY(lpot_html_text(out, chart->y_label, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</text>\n"));
  return LPOT_OK;
}

/* ---- what is shown ---- */

static lpot_status draw_lines(const lpot_chart *chart, const axis *y, lpot_buffer *out,
                              lpot_error *err) {
  for (size_t i = 0; i < chart->num_lines; i++) {
    const lpot_chart_line *line = &chart->lines[i];
    if (!isfinite(line->value)) {
      continue;
    }
    double at = place(y, line->value);
    bool is_left = i % 2 == 1; /* Lines that lie close together have their labels apart. */
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<line class='%s' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>"
                                "<text x='%.1f' y='%.1f' text-anchor='%s'>",
                                line->style, LEFT, WIDTH - RIGHT, at, at,
                                is_left ? LEFT + 4 : WIDTH - RIGHT - 4, at - 4,
                                is_left ? "start" : "end"));
    LPOT_TRY(lpot_html_text(out, line->label, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "</text>\n"));
  }
  return LPOT_OK;
}

static lpot_status draw_whisker(const lpot_chart_point *point, const axis *x, const axis *y,
                                lpot_buffer *out, lpot_error *err) {
  if (point->x_high > point->x_low) {
    LPOT_TRY(lpot_buffer_printf(
        out, err, "<line class='whisker' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>",
        place(x, point->x_low), place(x, point->x_high), place(y, point->y), place(y, point->y)));
  }
  if (point->y_high > point->y_low) {
    LPOT_TRY(lpot_buffer_printf(
        out, err, "<line class='whisker' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>",
        place(x, point->x), place(x, point->x), place(y, point->y_low), place(y, point->y_high)));
  }
  return LPOT_OK;
}

static lpot_status draw_points(const lpot_chart *chart, const axis *x, const axis *y,
                               lpot_buffer *out, lpot_error *err) {
  for (size_t i = 0; i < chart->num_points; i++) {
    const lpot_chart_point *point = &chart->points[i];
    if (!is_drawn(point)) {
      continue;
    }
    LPOT_TRY(draw_whisker(point, x, y, out, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "<circle class='%s' cx='%.1f' cy='%.1f' r='4'><title>",
                                point->style, place(x, point->x), place(y, point->y)));
    LPOT_TRY(lpot_html_text(out, point->title, err));
    LPOT_TRY(lpot_buffer_printf(out, err, "</title></circle>\n"));
    if (point->ringed) {
      LPOT_TRY(lpot_buffer_printf(out, err, "<circle class='ring' cx='%.1f' cy='%.1f' r='8'/>\n",
                                  place(x, point->x), place(y, point->y)));
    }
  }
  return LPOT_OK;
}

/* The title is told to those who do not see the picture, and shown when it is pointed at. */
static lpot_status begin_picture(double height, const char *title, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<svg viewBox='0 0 %.0f %.0f' role='img' aria-label=\"",
                              WIDTH, height));
  LPOT_TRY(lpot_html_text(out, title, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "\"><title>"));
  LPOT_TRY(lpot_html_text(out, title, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</title>\n"));
  return LPOT_OK;
}

lpot_status lpot_chart_draw(const lpot_chart *chart, lpot_buffer *out, lpot_error *err) {
  axis x;
  axis y;
  measure(chart, &x, &y);
  LPOT_TRY(begin_picture(HEIGHT, chart->title, out, err));
  LPOT_TRY(draw_ticks(&x, &y, out, err));
  LPOT_TRY(draw_labels(chart, out, err));
  LPOT_TRY(draw_lines(chart, &y, out, err));
  LPOT_TRY(draw_points(chart, &x, &y, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</svg>\n"));
  return LPOT_OK;
}

/* ---- bars ---- */

#define BAR_LEFT 250.0 /* room for labels */
#define BAR_RIGHT 60.0 /* and for the values behind the bars */
#define BAR_HEIGHT 10.0
#define BAR_GAP 6.0 /* between rows */
#define BAR_TOP 26.0
#define LABEL_CHARACTERS 36

static double row_height(const lpot_bar_chart *chart) {
  return BAR_HEIGHT * (double)chart->num_series + BAR_GAP;
}

static axis measure_bars(const lpot_bar_chart *chart) {
  axis x = {.low = 0, .high = 0, .from = BAR_LEFT, .to = WIDTH - BAR_RIGHT};
  for (size_t i = 0; i < chart->num_rows * chart->num_series; i++) {
    if (isfinite(chart->values[i])) {
      x.high = fmax(x.high, chart->values[i]);
    }
  }
  x.high = x.high > 0 ? x.high : 1;
  x.step = lpot_chart_step(x.high, MAX_TICKS);
  return x;
}

/* The end of a text, at most so many characters: names of ops often begin alike. */
static const char *cut_label(const char *text, bool *ret_cut) {
  size_t count = 0;
  for (const char *c = text; *c != '\0'; c++) {
    count += ((unsigned char)*c & 0xC0) != 0x80 ? 1 : 0;
  }
  *ret_cut = count > LABEL_CHARACTERS;
  for (; count > LABEL_CHARACTERS; count--) {
    do {
      text++;
    } while (((unsigned char)*text & 0xC0) == 0x80);
  }
  return text;
}

static lpot_status draw_scale(const lpot_bar_chart *chart, const axis *x, double bottom,
                              lpot_buffer *out, lpot_error *err) {
  for (double value = 0; value <= x->high * (1 + 1e-9); value += x->step) {
    double at = place(x, value);
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>"
                                "<text x='%.1f' y='%.1f' text-anchor='middle'>%.6g</text>\n",
                                at, at, BAR_TOP, bottom, at, bottom + 15, value));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "<text x='%.1f' y='%.1f' text-anchor='middle'>",
                              (x->from + x->to) / 2, bottom + 32));
  LPOT_TRY(lpot_html_text(out, chart->x_label, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</text>\n"));
  return LPOT_OK;
}

static lpot_status draw_legend(const lpot_bar_chart *chart, lpot_buffer *out, lpot_error *err) {
  double at = BAR_LEFT;
  for (size_t i = 0; i < chart->num_series && chart->num_series > 1; i++) {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "<rect class='bar%zu' x='%.1f' y='6' width='12' height='10'/>"
                                "<text x='%.1f' y='15'>",
                                i, at, at + 17));
    LPOT_TRY(lpot_html_text(out, chart->series[i], err));
    LPOT_TRY(lpot_buffer_printf(out, err, "</text>\n"));
    at += 80;
  }
  return LPOT_OK;
}

static lpot_status draw_row(const lpot_bar_chart *chart, size_t row, const axis *x,
                            lpot_buffer *out, lpot_error *err) {
  double top = BAR_TOP + BAR_GAP / 2 + row_height(chart) * (double)row;
  bool cut = false;
  const char *label = cut_label(chart->labels[row], &cut);
  LPOT_TRY(lpot_buffer_printf(out, err, "<text x='%.1f' y='%.1f' text-anchor='end'>%s",
                              BAR_LEFT - 8, top + BAR_HEIGHT * (double)chart->num_series / 2 + 4,
                              cut ? "&hellip;" : ""));
  LPOT_TRY(lpot_html_text(out, label, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</text>\n"));
  for (size_t i = 0; i < chart->num_series; i++) {
    double value = chart->values[row * chart->num_series + i];
    if (!isfinite(value)) {
      continue;
    }
    double end = place(x, fmax(value, 0));
    double at = top + BAR_HEIGHT * (double)i;
    LPOT_TRY(lpot_buffer_printf(
        out, err,
        "<rect class='bar%zu' x='%.1f' y='%.1f' width='%.1f' height='%.1f'/>"
        "<text class='value' x='%.1f' y='%.1f'>%.3g</text>\n",
        i, x->from, at, end - x->from, BAR_HEIGHT - 1, end + 4, at + BAR_HEIGHT - 1.5, value));
  }
  return LPOT_OK;
}

lpot_status lpot_bars_draw(const lpot_bar_chart *chart, lpot_buffer *out, lpot_error *err) {
  const axis x = measure_bars(chart);
  double bottom = BAR_TOP + row_height(chart) * (double)chart->num_rows;
  LPOT_TRY(begin_picture(bottom + 40, chart->title, out, err));
  LPOT_TRY(draw_scale(chart, &x, bottom, out, err));
  LPOT_TRY(draw_legend(chart, out, err));
  for (size_t i = 0; i < chart->num_rows; i++) {
    LPOT_TRY(draw_row(chart, i, &x, out, err));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</svg>\n"));
  return LPOT_OK;
}
