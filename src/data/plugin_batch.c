#include "data/plugin_batch.h"

void lpot_plugin_batch_init(lpot_plugin_batch *self, const lpot_tensor *const *outputs,
                            size_t num_outputs, const lpot_batch *batch) {
  LPOT_ASSERT(num_outputs <= LPOT_MAX_ANSWER_OUTPUTS);
  self->view = (lpot_component_batch){
      .count = batch->num_valid, .num_outputs = num_outputs, .outputs = self->outputs};
  for (size_t i = 0; i < num_outputs; i++) {
    self->outputs[i] = lpot_plugin_view(outputs[i]);
  }
  if (batch->labels != NULL) {
    self->labels = lpot_plugin_view(batch->labels);
    self->view.labels = &self->labels;
  }
}
