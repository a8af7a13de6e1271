/* Loss: for models whose output is the loss of each sample: the sum of the output's numbers over
 * the samples. Labels are not read: where the model needs them, they are among its inputs. */
#include <math.h>

#include "data/metric_class.h"
#include "data/setting.h"

static lpot_status parse_loss(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {NULL};
  (void)metric;
  return lpot_setting_check(node, names, err);
}

static lpot_status update_loss(const lpot_metric *metric, const lpot_tensor *const *outputs,
                               size_t num_outputs, const lpot_batch *batch,
                               lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)metric;
  (void)num_outputs;
  (void)correct;
  const lpot_tensor *output = outputs[0];
  /* A model that runs sample by sample may leave the batch's dimension out. */
  int64_t rows = output->shape.rank == 0 ? 1 : output->shape.dims[0];
  if (rows < batch->num_valid) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric Loss: output of %lld rows for %lld samples",
                     (long long)rows, (long long)batch->num_valid);
  }
  int64_t width = lpot_tensor_elements(output) / rows;
  for (int64_t row = 0; row < batch->num_valid; row++) {
    double loss = 0;
    for (int64_t i = row * width; i < (row + 1) * width; i++) {
      loss += lpot_metric_score(output, i);
    }
    state->sum += loss;
    state->samples++;
    state->bad += isfinite(loss) ? 0 : 1;
  }
  return LPOT_OK;
}

static double mean_loss(const lpot_metric_state *state) {
  return state->sum / (double)state->samples;
}

const lpot_metric_class lpot_metric_class_loss = {
    .name = "Loss",
    .size_bytes = sizeof(lpot_metric),
    .needs_no_labels = true,
    .parse = parse_loss,
    .update = update_loss,
    .value = mean_loss,
};
