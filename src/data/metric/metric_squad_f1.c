/* SquadF1: the F1 of SQuAD 1.1's evaluation, 0 to 100: the mean over questions of the best F1 of
 * the question's answer against its true ones.
 *
 * Stands behind the postprocess SquadV1, which gives a row per feature: outputs s64 [batch, 2]
 * question and feature, f64 [batch] score, u8 [batch, width] answer; labels u8 [batch, answers,
 * width] true answers; texts end at a 0 or at their width. Of a question's features the one with
 * the highest score counts, of equal ones the first. Records: one per feature. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/metric_class.h"
#include "data/setting.h"
#include "data/squad.h"

typedef struct squad_record {
  int64_t question, feature;
  double score;
  double f1; /* 0 to 1 */
} squad_record;

static lpot_status parse_squad_f1(lpot_metric *metric, const lpot_yaml_node *node,
                                  lpot_error *err) {
  static const char *const names[] = {NULL};
  (void)metric;
  return lpot_setting_check(node, names, err);
}

static bool is_form(const lpot_tensor *tensor, lpot_dtype dtype, int rank, int64_t rows) {
  return tensor != NULL && tensor->dtype == dtype && tensor->shape.rank == rank &&
         tensor->shape.dims[0] >= rows;
}

static lpot_status check_form(const lpot_tensor *const *outputs, size_t num_outputs,
                              const lpot_batch *batch, lpot_error *err) {
  int64_t rows = batch->num_valid;
  if (num_outputs < 3 || !is_form(outputs[0], LPOT_S64, 2, rows) ||
      outputs[0]->shape.dims[1] != 2 || !is_form(outputs[1], LPOT_F64, 1, rows) ||
      !is_form(outputs[2], LPOT_U8, 2, rows) || !is_form(batch->labels, LPOT_U8, 3, rows)) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "metric SquadF1 expects the postprocess SquadV1 in front of it");
  }
  return LPOT_OK;
}

/* Appends the text of one row, terminated. */
static lpot_status take_text(const lpot_tensor *texts, int64_t row, int64_t width, lpot_buffer *out,
                             lpot_error *err) {
  const uint8_t *bytes = (const uint8_t *)texts->data + row * width;
  const uint8_t *end = width == 0 ? NULL : memchr(bytes, 0, (size_t)width);
  lpot_buffer_clear(out);
  LPOT_TRY(
      lpot_buffer_append(out, bytes, end == NULL ? (size_t)width : (size_t)(end - bytes), err));
  return lpot_buffer_terminate(out, err);
}

/* The best F1 of a row's answer. texts: room for two. */
static lpot_status best_f1(const lpot_tensor *answers, const lpot_tensor *truths, int64_t row,
                           lpot_buffer *texts, double *ret, lpot_error *err) {
  double best = 0.0;
  int64_t count = truths->shape.dims[1];
  LPOT_TRY(take_text(answers, row, answers->shape.dims[1], &texts[0], err));
  for (int64_t i = 0; i < count; i++) {
    double f1 = 0.0;
    LPOT_TRY(take_text(truths, row * count + i, truths->shape.dims[2], &texts[1], err));
    LPOT_TRY(lpot_squad_f1((const char *)texts[0].data, (const char *)texts[1].data, &f1, err));
    best = f1 > best ? f1 : best;
  }
  *ret = best;
  return LPOT_OK;
}

static lpot_status add_rows(const lpot_tensor *const *outputs, const lpot_batch *batch,
                            lpot_metric_state *state, lpot_buffer *texts, lpot_error *err) {
  for (int64_t row = 0; row < batch->num_valid; row++) {
    squad_record record = {.question = lpot_tensor_get_int(outputs[0], row * 2),
                           .feature = lpot_tensor_get_int(outputs[0], row * 2 + 1),
                           .score = lpot_tensor_get_double(outputs[1], row)};
    state->samples++;
    if (isnan(record.score)) {
      state->bad++;
      record.score = (double)-INFINITY;
    }
    LPOT_TRY(best_f1(outputs[2], batch->labels, row, texts, &record.f1, err));
    LPOT_TRY(lpot_buffer_append(&state->records, &record, sizeof record, err));
  }
  return LPOT_OK;
}

static lpot_status update_squad_f1(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                   size_t num_outputs, const lpot_batch *batch,
                                   lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)metric;
  (void)correct;
  lpot_buffer texts[2] = {{0}, {0}};
  LPOT_TRY(check_form(outputs, num_outputs, batch, err));
  lpot_status status = add_rows(outputs, batch, state, texts, err);
  lpot_buffer_done(&texts[0]);
  lpot_buffer_done(&texts[1]);
  return status;
}

/* By question, the feature that counts first. */
static int compare_records(const void *a, const void *b) {
  const squad_record *left = a;
  const squad_record *right = b;
  if (left->question != right->question) {
    return left->question < right->question ? -1 : 1;
  }
  if (left->score != right->score) {
    return left->score > right->score ? -1 : 1;
  }
  return (left->feature > right->feature) - (left->feature < right->feature);
}

static lpot_status squad_f1_of(const lpot_metric *metric, const lpot_metric_state *state,
                               double *ret_value, lpot_error *err) {
  (void)metric;
  size_t count = state->records.size / sizeof(squad_record);
  if (state->records.size % sizeof(squad_record) != 0 || count != state->samples) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric SquadF1: %zu bytes of records of %llu features",
                     state->records.size, (unsigned long long)state->samples);
  }
  squad_record *records = lpot_calloc(count, sizeof *records);
  if (records == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(records, state->records.data, state->records.size);
  qsort(records, count, sizeof *records, compare_records);
  double sum = 0.0;
  size_t questions = 0;
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || records[i].question != records[i - 1].question) {
      sum += records[i].f1;
      questions++;
    }
  }
  lpot_free(records);
  *ret_value = 100.0 * sum / (double)questions;
  return LPOT_OK;
}

const lpot_metric_class lpot_metric_class_squad_f1 = {
    .name = "SquadF1",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 100,
    .parse = parse_squad_f1,
    .update = update_squad_f1,
    .value_of_records = squad_f1_of,
};
