/* Accuracy: the share of samples whose largest score is their label's. A model with a single score
 * per sample is a binary classifier: above 0.5 is class 1. */
#include "data/metric_class.h"
#include "data/setting.h"

static lpot_status parse_accuracy(lpot_metric *metric, const lpot_yaml_node *node,
                                  lpot_error *err) {
  static const char *const names[] = {NULL};
  (void)metric;
  return lpot_setting_check(node, names, err);
}

static lpot_status update_accuracy(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                   size_t num_outputs, const lpot_batch *batch,
                                   lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)metric;
  (void)num_outputs;
  const lpot_tensor *output = outputs[0];
  int64_t scores = 0;
  LPOT_TRY(lpot_metric_num_scores("Accuracy", output, batch, &scores, err));
  int64_t classes = scores == 1 ? 2 : scores;
  state->classes = (uint64_t)classes;
  for (int64_t row = 0; row < batch->num_valid; row++) {
    int64_t label = 0;
    LPOT_TRY(lpot_metric_label(batch, row, classes, &label, err));
    lpot_metric_row look = lpot_metric_look(output, row, scores);
    int64_t predicted = look.best;
    if (scores == 1) {
      predicted = lpot_metric_score(output, row) > 0.5 ? 1 : 0;
    }
    bool is_right = !look.has_nan && predicted == label;
    lpot_metric_count(&look, predicted, is_right, state);
    lpot_metric_mark(correct, row, is_right);
  }
  return LPOT_OK;
}

static double chance_of_accuracy(const lpot_metric *metric, int64_t num_classes) {
  (void)metric;
  return 1.0 / (double)num_classes;
}

const lpot_metric_class lpot_metric_class_accuracy = {
    .name = "Accuracy",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .is_per_sample = true,
    .parse = parse_accuracy,
    .update = update_accuracy,
    .value = lpot_metric_share,
    .chance_level = chance_of_accuracy,
};
