/* GLUE: what is reported of each task of the GLUE benchmark (data/glue_file.h): accuracy, F1 of
 * class 1, Matthews' correlation coefficient, or the mean of Pearson's and Spearman's correlation.
 * As glue_compute_metrics of Hugging Face; of several values the one that LPOT tunes by.
 *
 * GLUE: mrpc or GLUE: {task: mrpc}. Records of F1 and Matthews: true positives, false positives,
 * false negatives (u64), added up; of correlations: prediction and label (f64) per sample. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/writer.h"
#include "data/glue_file.h"
#include "data/metric_class.h"
#include "data/setting.h"

static const lpot_metric_class *const class_of_value[LPOT_NUM_GLUE_VALUES];

static lpot_status parse_glue(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {"task", NULL};
  const lpot_yaml_node *name = node;
  const lpot_glue_task *task = NULL;
  if (node->kind != LPOT_YAML_SCALAR) {
    LPOT_TRY(lpot_setting_check(node, names, err));
    LPOT_TRY(lpot_setting_need(node, "metric GLUE", "task", &name, err));
  }
  LPOT_TRY(lpot_glue_task_read(name, &task, err));
  metric->class_of = class_of_value[task->value];
  return LPOT_OK;
}

static lpot_status update_accuracy(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                   size_t num_outputs, const lpot_batch *batch,
                                   lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  return lpot_metric_class_accuracy.update(metric, outputs, num_outputs, batch, state, correct,
                                           err);
}

static double chance_of_accuracy(const lpot_metric *metric, int64_t num_classes) {
  (void)metric;
  return 1.0 / (double)num_classes;
}

/* ---- two classes ---- */

typedef struct glue_counts {
  uint64_t true_positives, false_positives, false_negatives;
} glue_counts;

static lpot_status add_counts(lpot_buffer *records, const glue_counts *more, lpot_error *err) {
  glue_counts counts = *more;
  if (records->size != 0 && records->size != sizeof counts) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric GLUE: %zu bytes of records, expected %zu",
                     records->size, sizeof counts);
  }
  if (records->size == 0) {
    return lpot_buffer_append(records, &counts, sizeof counts, err);
  }
  glue_counts sum = {0};
  memcpy(&sum, records->data, sizeof sum);
  sum.true_positives += counts.true_positives;
  sum.false_positives += counts.false_positives;
  sum.false_negatives += counts.false_negatives;
  memcpy(records->data, &sum, sizeof sum);
  return LPOT_OK;
}

static lpot_status update_two(const lpot_metric *metric, const lpot_tensor *const *outputs,
                              size_t num_outputs, const lpot_batch *batch, lpot_metric_state *state,
                              uint8_t *correct, lpot_error *err) {
  (void)metric;
  (void)num_outputs;
  (void)correct;
  int64_t scores = 0;
  glue_counts counts = {0};
  LPOT_TRY(lpot_metric_num_scores("GLUE", outputs[0], batch, &scores, err));
  if (scores != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric GLUE: the model has %lld classes, the task has 2",
                     (long long)scores);
  }
  state->classes = 2;
  for (int64_t row = 0; row < batch->num_valid; row++) {
    int64_t label = 0;
    LPOT_TRY(lpot_metric_label(batch, row, 2, &label, err));
    lpot_metric_row look = lpot_metric_look(outputs[0], row, 2);
    int64_t predicted = look.has_nan ? 1 - label : look.best;
    lpot_metric_count(&look, predicted, predicted == label, state);
    counts.true_positives += predicted == 1 && label == 1 ? 1 : 0;
    counts.false_positives += predicted == 1 && label == 0 ? 1 : 0;
    counts.false_negatives += predicted == 0 && label == 1 ? 1 : 0;
  }
  return add_counts(&state->records, &counts, err); /* The last that can fail. */
}

static lpot_status merge_two(const lpot_metric *metric, lpot_buffer *into, const lpot_buffer *from,
                             lpot_error *err) {
  (void)metric;
  glue_counts counts = {0};
  if (from->size != 0 && from->size != sizeof counts) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric GLUE: %zu bytes of records, expected %zu",
                     from->size, sizeof counts);
  }
  memcpy(&counts, from->data == NULL ? (const void *)&counts : from->data, from->size);
  return from->size == 0 ? LPOT_OK : add_counts(into, &counts, err);
}

static lpot_status read_counts(const lpot_metric_state *state, glue_counts *ret, lpot_error *err) {
  if (state->records.size != sizeof *ret) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric GLUE: %zu bytes of records, expected %zu",
                     state->records.size, sizeof *ret);
  }
  memcpy(ret, state->records.data, sizeof *ret);
  if (ret->true_positives > state->samples || ret->false_positives > state->samples ||
      ret->false_negatives > state->samples ||
      ret->true_positives + ret->false_positives + ret->false_negatives > state->samples) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric GLUE: more answers than samples");
  }
  return LPOT_OK;
}

static lpot_status f1_of(const lpot_metric *metric, const lpot_metric_state *state,
                         double *ret_value, lpot_error *err) {
  (void)metric;
  glue_counts counts = {0};
  LPOT_TRY(read_counts(state, &counts, err));
  double wrong = (double)(counts.false_positives + counts.false_negatives);
  double twice = 2.0 * (double)counts.true_positives;
  *ret_value = twice + wrong > 0.0 ? twice / (twice + wrong) : 0.0;
  return LPOT_OK;
}

static lpot_status matthews_of(const lpot_metric *metric, const lpot_metric_state *state,
                               double *ret_value, lpot_error *err) {
  (void)metric;
  glue_counts counts = {0};
  LPOT_TRY(read_counts(state, &counts, err));
  double tp = (double)counts.true_positives;
  double fp = (double)counts.false_positives;
  double fn = (double)counts.false_negatives;
  double tn = (double)state->samples - tp - fp - fn;
  double product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  *ret_value = product > 0.0 ? (tp * tn - fp * fn) / sqrt(product) : 0.0;
  return LPOT_OK;
}

/* ---- correlation ---- */

typedef struct glue_pair {
  double predicted, label;
} glue_pair;

static lpot_status update_pairs(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                size_t num_outputs, const lpot_batch *batch,
                                lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)metric;
  (void)num_outputs;
  (void)correct;
  int64_t scores = 0;
  LPOT_TRY(lpot_metric_num_scores("GLUE", outputs[0], batch, &scores, err));
  if (batch->labels == NULL || scores != 1 ||
      lpot_tensor_elements(batch->labels) != batch->labels->shape.dims[0]) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "metric GLUE: task sts-b expects one number of the model and one label");
  }
  for (int64_t row = 0; row < batch->num_valid; row++) {
    glue_pair pair = {lpot_metric_score(outputs[0], row),
                      lpot_tensor_get_double(batch->labels, row)};
    state->bad += isfinite(pair.predicted) ? 0 : 1;
    state->samples++;
    LPOT_TRY(lpot_buffer_append(&state->records, &pair, sizeof pair, err));
  }
  return LPOT_OK;
}

/* Pearson's correlation of count pairs; 0 where one side is constant. */
static double pearson_of(const glue_pair *pairs, size_t count) {
  double sum_x = 0.0;
  double sum_y = 0.0;
  for (size_t i = 0; i < count; i++) {
    sum_x += pairs[i].predicted;
    sum_y += pairs[i].label;
  }
  double mean_x = sum_x / (double)count;
  double mean_y = sum_y / (double)count;
  double xx = 0.0;
  double yy = 0.0;
  double xy = 0.0;
  for (size_t i = 0; i < count; i++) {
    double x = pairs[i].predicted - mean_x;
    double y = pairs[i].label - mean_y;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  return xx > 0.0 && yy > 0.0 ? xy / sqrt(xx) / sqrt(yy) : 0.0;
}

static int compare_predicted(const void *a, const void *b) {
  double left = ((const glue_pair *)a)->predicted;
  double right = ((const glue_pair *)b)->predicted;
  return (left > right) - (left < right);
}

/* Sorts by prediction and puts ranks in their place, the mean of equal ones'; then exchanges the
 * two, so that a second call does the same to labels and restores the sides. */
static void rank_and_exchange(glue_pair *pairs, size_t count) {
  qsort(pairs, count, sizeof *pairs, compare_predicted);
  size_t first = 0;
  while (first < count) {
    size_t after = first;
    while (after < count && pairs[after].predicted == pairs[first].predicted) {
      after++;
    }
    double rank = (double)(first + after - 1) / 2.0;
    double value = rank;
    for (size_t i = first; i < after; i++) {
      pairs[i].predicted = pairs[i].label;
      pairs[i].label = value;
    }
    first = after;
  }
}

static lpot_status correlation_of(const lpot_metric *metric, const lpot_metric_state *state,
                                  double *ret_value, lpot_error *err) {
  (void)metric;
  size_t count = (size_t)state->samples;
  if (state->records.size / sizeof(glue_pair) != count ||
      state->records.size % sizeof(glue_pair) != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric GLUE: %zu bytes of records of %zu samples",
                     state->records.size, count);
  }
  glue_pair *pairs = lpot_calloc(count, sizeof *pairs);
  if (pairs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(pairs, state->records.data, state->records.size);
  bool is_finite = true;
  for (size_t i = 0; i < count; i++) {
    is_finite = is_finite && isfinite(pairs[i].predicted) && isfinite(pairs[i].label);
  }
  if (is_finite) {
    double pearson = pearson_of(pairs, count);
    rank_and_exchange(pairs, count);
    rank_and_exchange(pairs, count);
    *ret_value = (pearson + pearson_of(pairs, count)) / 2.0;
  } else {
    *ret_value = -1.0;
  }
  lpot_free(pairs);
  return LPOT_OK;
}

const lpot_metric_class lpot_metric_class_glue = {
    .name = "GLUE",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 1,
    .is_per_sample = true,
    .parse = parse_glue,
    .update = update_accuracy,
    .value = lpot_metric_share,
    .chance_level = chance_of_accuracy,
};
static const lpot_metric_class class_f1 = {
    .name = "GLUE",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 1,
    .parse = parse_glue,
    .update = update_two,
    .merge_records = merge_two,
    .value_of_records = f1_of,
};
static const lpot_metric_class class_matthews = {
    .name = "GLUE",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 2,
    .parse = parse_glue,
    .update = update_two,
    .merge_records = merge_two,
    .value_of_records = matthews_of,
};
static const lpot_metric_class class_correlation = {
    .name = "GLUE",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 2,
    .parse = parse_glue,
    .update = update_pairs,
    .value_of_records = correlation_of,
};

/* By lpot_glue_value. */
static const lpot_metric_class *const class_of_value[LPOT_NUM_GLUE_VALUES] = {
    &lpot_metric_class_glue, &class_f1, &class_matthews, &class_correlation};
