#include "tune/report_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "tune/chart.h"

lpot_status lpot_report_heading(lpot_buffer *out, const char *anchor, const char *text,
                                lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<h2 id='%s'>%s</h2>\n", anchor, text));
  return LPOT_OK;
}

lpot_status lpot_report_table_begin(lpot_buffer *out, const char *caption,
                                    const lpot_report_column *columns, size_t num_columns,
                                    lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err,
                              "<div class='wide' tabindex='0' role='region' aria-label='%s'>"
                              "<table>\n<caption>%s</caption>\n<thead><tr>",
                              caption, caption));
  for (size_t i = 0; i < num_columns; i++) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<th scope='col'%s>%s</th>",
                                columns[i].is_text ? " class='text'" : "", columns[i].title));
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "</tr></thead>\n<tbody>\n"));
  return LPOT_OK;
}

lpot_status lpot_report_table_end(lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "</tbody></table></div>\n"));
  return LPOT_OK;
}

lpot_status lpot_report_row_begin(lpot_buffer *out, const char *head, bool marked,
                                  lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<tr%s><th scope='row' class='text'>",
                              marked ? " class='chosen'" : ""));
  LPOT_TRY(lpot_html_text(out, head, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</th>"));
  return LPOT_OK;
}

lpot_status lpot_report_row_end(lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "</tr>\n"));
  return LPOT_OK;
}

lpot_status lpot_report_text(lpot_buffer *out, const char *text, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<td class='text'>"));
  LPOT_TRY(lpot_html_text(out, text, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "</td>"));
  return LPOT_OK;
}

static lpot_status put_number(lpot_buffer *out, double value, int digits, lpot_error *err) {
  if (isnan(value)) {
    LPOT_TRY(lpot_buffer_printf(out, err, "<td>&ndash;</td>"));
  } else {
    LPOT_TRY(lpot_buffer_printf(out, err, "<td>%.*g</td>", digits, value));
  }
  return LPOT_OK;
}

lpot_status lpot_report_number(lpot_buffer *out, double value, lpot_error *err) {
  LPOT_TRY(put_number(out, value, 4, err));
  return LPOT_OK;
}

lpot_status lpot_report_accuracy(lpot_buffer *out, double value, lpot_error *err) {
  LPOT_TRY(put_number(out, value, 6, err));
  return LPOT_OK;
}

lpot_status lpot_report_count(lpot_buffer *out, uint64_t value, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "<td>%" PRIu64 "</td>", value));
  return LPOT_OK;
}

double lpot_report_target(const lpot_ledger *ledger, const lpot_job *job) {
  if (job == NULL || !ledger->has_baseline) {
    return (double)NAN;
  }
  return lpot_config_target(job->config, ledger->header.higher_is_better,
                            ledger->baseline.accuracy);
}

static int compare(const void *left, const void *right) {
  const lpot_ranked_value *a = left;
  const lpot_ranked_value *b = right;
  if (isnan(a->value) != isnan(b->value)) {
    return isnan(a->value) ? 1 : -1;
  }
  if (a->value > b->value || a->value < b->value) {
    return a->value > b->value ? -1 : 1;
  }
  return a->index < b->index ? -1 : 1;
}

void lpot_report_rank(lpot_ranked_value *values, size_t count) {
  qsort(values, count, sizeof *values, compare);
}
