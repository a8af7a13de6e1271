#include "data/plugin_batch.h"

lpot_status lpot_plugin_batch_init(lpot_plugin_batch *self, const lpot_tensor *const *outputs,
                                   size_t num_outputs, const lpot_batch *batch, lpot_error *err) {
  if (num_outputs > LPOT_MAX_ANSWER_OUTPUTS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%zu outputs, plug-ins take %d at most", num_outputs,
                     LPOT_MAX_ANSWER_OUTPUTS);
  }
  self->view = (lpot_component_batch){
      .count = batch->num_valid, .num_outputs = num_outputs, .outputs = self->outputs};
  for (size_t i = 0; i < num_outputs; i++) {
    LPOT_TRY(lpot_plugin_view(outputs[i], &self->outputs[i], err));
  }
  if (batch->labels != NULL) {
    LPOT_TRY(lpot_plugin_view(batch->labels, &self->labels, err));
    self->view.labels = &self->labels;
  }
  return LPOT_OK;
}
