/* Accuracy: the share of samples whose largest score is their label's. A model with a single score
 * per sample is a binary classifier: above 0.5 is class 1; a single integer is the class itself (of
 * an ArgMax). multilabel: the share of labels, several
 * per sample, that are right. */
#include <math.h>

#include "data/metric_class.h"
#include "data/setting.h"

#define MAX_CLASSES (INT64_C(1) << 32) /* where outputs do not say how many there are */

static lpot_status parse_accuracy(lpot_metric *metric, const lpot_yaml_node *node,
                                  lpot_error *err) {
  static const char *const names[] = {"multilabel", NULL};
  LPOT_TRY(lpot_setting_check(node, names, err));
  return lpot_setting_bool(node, "multilabel", &metric->is_graded, err);
}

/* Several labels of 0 or 1 per sample, each of which is right or wrong: sum counts the right ones.
 */
static lpot_status update_labels(const lpot_metric *metric, const lpot_tensor *output,
                                 const lpot_batch *batch, lpot_metric_state *state,
                                 lpot_error *err) {
  int64_t width = 0;
  LPOT_TRY(lpot_metric_row_width(metric, output, batch, &width, err));
  bool is_score = lpot_dtype_is_float(output->dtype);
  for (int64_t row = 0; row < batch->num_valid; row++) {
    bool is_bad = false;
    for (int64_t i = row * width; i < (row + 1) * width; i++) {
      double score = lpot_metric_score(output, i);
      double predicted = is_score ? (score > 0.5 ? 1 : 0) : score;
      is_bad = is_bad || !isfinite(score);
      state->sum += !isnan(score) && predicted == lpot_metric_score(batch->labels, i) ? 1 : 0;
    }
    state->samples++;
    state->elements += (uint64_t)width;
    state->bad += is_bad ? 1 : 0;
  }
  return LPOT_OK;
}

static lpot_status update_accuracy(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                   size_t num_outputs, const lpot_batch *batch,
                                   lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)num_outputs;
  const lpot_tensor *output = outputs[0];
  int64_t scores = 0;
  if (metric->is_graded) {
    return update_labels(metric, output, batch, state, err);
  }
  LPOT_TRY(lpot_metric_num_scores("Accuracy", output, batch, &scores, err));
  bool is_whole = !lpot_dtype_is_float(output->dtype) && output->dtype != LPOT_BOOL;
  bool is_class = scores == 1 && is_whole;
  int64_t classes = scores == 1 ? 2 : scores;
  state->classes = is_class ? 0 : (uint64_t)classes;
  classes = is_class ? MAX_CLASSES : classes;
  for (int64_t row = 0; row < batch->num_valid; row++) {
    int64_t label = 0;
    LPOT_TRY(lpot_metric_label(batch, row, classes, &label, err));
    lpot_metric_row look = lpot_metric_look(output, row, scores);
    int64_t predicted = look.best;
    if (is_class) {
      predicted = lpot_tensor_get_int(output, row);
    } else if (scores == 1) {
      predicted = lpot_metric_score(output, row) > 0.5 ? 1 : 0;
    }
    bool is_right = !look.has_nan && predicted == label;
    lpot_metric_count(&look, predicted, is_right, state);
    lpot_metric_mark(correct, row, is_right);
  }
  return LPOT_OK;
}

static double chance_of_accuracy(const lpot_metric *metric, int64_t num_classes) {
  return metric->is_graded ? (double)NAN : 1.0 / (double)num_classes;
}

static lpot_status value_of_accuracy(const lpot_metric *metric, const lpot_metric_state *state,
                                     double *ret_value, lpot_error *err) {
  (void)err;
  *ret_value = metric->is_graded ? state->sum / (double)state->elements : lpot_metric_share(state);
  return LPOT_OK;
}

const lpot_metric_class lpot_metric_class_accuracy = {
    .name = "Accuracy",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 1,
    .is_per_sample = true,
    .parse = parse_accuracy,
    .update = update_accuracy,
    .value_of_records = value_of_accuracy,
    .chance_level = chance_of_accuracy,
};
