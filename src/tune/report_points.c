/* Points of the charts of report.html that have an accuracy. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tune/report_part.h"

lpot_status lpot_report_points_init(lpot_report_points *list, size_t capacity, lpot_error *err) {
  *list = (lpot_report_points){.points = lpot_calloc(capacity, sizeof *list->points),
                               .titles = lpot_calloc(capacity, sizeof *list->titles)};
  if (list->points == NULL || list->titles == NULL) {
    lpot_report_points_done(list);
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

void lpot_report_points_done(lpot_report_points *list) {
  lpot_free(list->points);
  lpot_free(list->titles);
  *list = (lpot_report_points){0};
}

lpot_chart_point *lpot_report_add_point(lpot_report_points *list, double x, double y,
                                        const char *style) {
  lpot_chart_point *point = &list->points[list->count];
  *point = (lpot_chart_point){.x = x,
                              .y = y,
                              .x_low = x,
                              .x_high = x,
                              .y_low = y,
                              .y_high = y,
                              .style = style,
                              .title = list->titles[list->count]};
  list->count++;
  return point;
}

void lpot_report_point_title(lpot_report_points *list, const char *format, ...) {
  char *title = list->titles[list->count - 1];
  size_t used = strlen(title);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(title + used, LPOT_POINT_TITLE - used, format, arguments);
  va_end(arguments);
}

const char *lpot_report_trial_style(const lpot_ledger *ledger, const lpot_ledger_trial *trial) {
  if (trial->id == ledger->chosen) {
    return "chosen";
  }
  if (lpot_ledger_result_of(ledger, trial)->status == LPOT_TRIAL_PRUNED) {
    return "pruned";
  }
  return trial->meets ? "meets" : "misses";
}

lpot_status lpot_report_draw_points(const lpot_ledger *ledger, const lpot_job *job,
                                    const lpot_report_points *list, const lpot_chart *plain,
                                    lpot_buffer *out, lpot_error *err) {
  lpot_chart chart = *plain;
  const lpot_chart_line lines[] = {{ledger->baseline.accuracy, "baseline", "f32"},
                                   {lpot_report_target(ledger, job), "target", "asked for"}};
  chart.num_points = list->count;
  chart.points = list->points;
  chart.num_lines = 2;
  chart.lines = lines;
  LPOT_TRY(lpot_chart_draw(&chart, out, err));
  return LPOT_OK;
}
