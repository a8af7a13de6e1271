/* MSE, MAE and RMSE: mean squared, mean absolute and root mean squared difference of the output's
 * numbers from the label's, or with compare_label: false from those of the f32 model. A prediction
 * that is not finite makes the error infinite. */
#include <math.h>

#include "data/metric_class.h"
#include "data/setting.h"

static lpot_status parse_error(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {"compare_label", NULL};
  bool compare_label = true;
  LPOT_TRY(lpot_setting_check(node, names, err));
  LPOT_TRY(lpot_setting_bool(node, "compare_label", &compare_label, err));
  metric->compares_models = !compare_label;
  return LPOT_OK;
}

static lpot_status update_error(const lpot_metric *metric, const lpot_tensor *output,
                                const lpot_batch *batch, lpot_metric_state *state, bool is_squared,
                                lpot_error *err) {
  int64_t width = 0;
  LPOT_TRY(lpot_metric_row_width(metric, output, batch, &width, err));
  for (int64_t row = 0; row < batch->num_valid; row++) {
    bool is_bad = false;
    for (int64_t i = row * width; i < (row + 1) * width; i++) {
      double score = lpot_metric_score(output, i);
      double difference = score - lpot_metric_score(batch->labels, i);
      if (!isfinite(score)) {
        is_bad = true;
        difference = (double)INFINITY;
      }
      state->sum += is_squared ? difference * difference : fabs(difference);
    }
    state->samples++;
    state->elements += (uint64_t)width;
    state->bad += is_bad ? 1 : 0;
  }
  return LPOT_OK;
}

static lpot_status update_squared(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                  size_t num_outputs, const lpot_batch *batch,
                                  lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)num_outputs;
  (void)correct;
  return update_error(metric, outputs[0], batch, state, true, err);
}

static lpot_status update_absolute(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                   size_t num_outputs, const lpot_batch *batch,
                                   lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)num_outputs;
  (void)correct;
  return update_error(metric, outputs[0], batch, state, false, err);
}

static double mean_of(const lpot_metric_state *state) {
  return state->sum / (double)state->elements;
}

static double root_of_mean(const lpot_metric_state *state) {
  return sqrt(mean_of(state));
}

const lpot_metric_class lpot_metric_class_mse = {
    .name = "MSE",
    .size_bytes = sizeof(lpot_metric),
    .parse = parse_error,
    .update = update_squared,
    .value = mean_of,
};
const lpot_metric_class lpot_metric_class_mae = {
    .name = "MAE",
    .size_bytes = sizeof(lpot_metric),
    .parse = parse_error,
    .update = update_absolute,
    .value = mean_of,
};
const lpot_metric_class lpot_metric_class_rmse = {
    .name = "RMSE",
    .size_bytes = sizeof(lpot_metric),
    .parse = parse_error,
    .update = update_squared,
    .value = root_of_mean,
};
