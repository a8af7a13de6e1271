#include "tune/report_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
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

static const char *dtype_text(lpot_dtype dtype) {
  return dtype == LPOT_U8     ? "uint8"
         : dtype == LPOT_S8   ? "int8"
         : dtype == LPOT_BF16 ? "bf16"
                              : "fp32";
}

void lpot_report_config(const lpot_op_config *config, char out[LPOT_REPORT_TEXT]) {
  const lpot_tensor_config *activation = &config->activation;
  const lpot_tensor_config *weight = &config->weight;
  if (!lpot_op_config_is_quantized(config)) {
    snprintf(out, LPOT_REPORT_TEXT, "%s", dtype_text(activation->dtype));
    return;
  }
  int used =
      snprintf(out, LPOT_REPORT_TEXT, "%s %s %s", dtype_text(activation->dtype),
               lpot_scheme_text(activation->scheme), lpot_algorithm_text(activation->algorithm));
  if (weight->dtype != LPOT_DTYPE_UNKNOWN && used > 0 && used < LPOT_REPORT_TEXT) {
    snprintf(out + used, (size_t)(LPOT_REPORT_TEXT - used), "; weight %s",
             lpot_granularity_text(weight->granularity));
  }
}

void lpot_report_recipe(const lpot_recipe *recipe, char out[LPOT_REPORT_TEXT]) {
  const lpot_op_config *found = NULL;
  bool has_weight = false;
  for (size_t i = 0; i < recipe->num_ops && !has_weight; i++) {
    const lpot_op_config *config = &recipe->ops[i];
    if (lpot_op_config_is_quantized(config)) {
      has_weight = config->weight.dtype != LPOT_DTYPE_UNKNOWN;
      found = has_weight || found == NULL ? config : found;
    }
  }
  out[0] = '\0';
  if (found != NULL) {
    lpot_report_config(found, out);
  }
}
