/* One batch of outputs and labels as metrics and postprocesses of plug-ins see it. */
#ifndef LPOT_DATA_PLUGIN_BATCH_H
#define LPOT_DATA_PLUGIN_BATCH_H

#include "data/plugin.h"
#include "data/postprocess.h"

typedef struct lpot_plugin_batch {
  lpot_component_batch view; /* points into this struct */
  lpot_component_tensor outputs[LPOT_MAX_ANSWER_OUTPUTS];
  lpot_component_tensor labels;
} lpot_plugin_batch;

/* outputs [num_outputs <= LPOT_MAX_ANSWER_OUTPUTS] and batch are borrowed. */
void lpot_plugin_batch_init(lpot_plugin_batch *self, const lpot_tensor *const *outputs,
                            size_t num_outputs, const lpot_batch *batch);

#endif
