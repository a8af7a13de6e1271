/* plugin: a dataset of a user's shared object (include/lpot/component.h).
 *
 *   library: my.so      beside the configuration, or in the working directory
 *   name: readings      (optional where the library has one dataset)
 *   ...                 settings of its own */
#include "data/dataset_class.h"
#include "data/plugin.h"

typedef struct dataset_plugin {
  lpot_dataset base;
  lpot_plugin plugin;
} dataset_plugin;

static const lpot_component_dataset *functions_of(const dataset_plugin *self) {
  return (const lpot_component_dataset *)self->plugin.component;
}

static lpot_status plugin_open(lpot_dataset *dataset, const lpot_yaml_node *settings,
                               const char *folder, lpot_error *err) {
  dataset_plugin *self = (dataset_plugin *)dataset;
  (void)folder;
  LPOT_TRY(lpot_plugin_open(&self->plugin, LPOT_PLUGIN_DATASET, settings, err));
  dataset->size = functions_of(self)->size(self->plugin.object);
  dataset->num_classes = functions_of(self)->num_classes;
  if (dataset->size < 1 || dataset->num_classes < 0) {
    return lpot_yaml_fail(err, settings, "dataset %s has %lld samples and %lld classes",
                          self->plugin.component->name, (long long)dataset->size,
                          (long long)dataset->num_classes);
  }
  for (size_t i = 0; i < self->plugin.settings.count; i++) {
    const char *key = self->plugin.settings.keys[i];
    const char *value = self->plugin.settings.values[i];
    LPOT_TRY(lpot_buffer_printf(&dataset->identity, err, "%s=%s\n", key, value));
  }
  return lpot_path_list_add(&dataset->files, NULL, self->plugin.path, err);
}

static void plugin_close(lpot_dataset *dataset) {
  lpot_plugin_close(&((dataset_plugin *)dataset)->plugin);
}

static lpot_status plugin_get(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                              lpot_error *err) {
  dataset_plugin *self = (dataset_plugin *)dataset;
  lpot_plugin_call call;
  lpot_plugin_begin(&call, &self->plugin, LPOT_MAX_SAMPLE_INPUTS, sample->inputs, &sample->label);
  int returned = functions_of(self)->get(self->plugin.object, index, &call.output, call.error);
  LPOT_TRY(lpot_plugin_end(&call, returned, err));
  while (sample->num_inputs < LPOT_MAX_SAMPLE_INPUTS &&
         sample->inputs[sample->num_inputs] != NULL) {
    sample->num_inputs++;
  }
  bool has_gap = false;
  for (size_t i = sample->num_inputs; i < LPOT_MAX_SAMPLE_INPUTS; i++) {
    has_gap = has_gap || sample->inputs[i] != NULL;
    lpot_tensor_unref(sample->inputs[i]);
    sample->inputs[i] = NULL;
  }
  if (sample->num_inputs == 0 || has_gap) {
    return lpot_plugin_fail(&self->plugin, err, "input %zu of sample %lld is missing",
                            sample->num_inputs, (long long)index);
  }
  return LPOT_OK;
}

const lpot_dataset_class lpot_dataset_class_plugin = {
    .name = "plugin",
    .size_bytes = sizeof(dataset_plugin),
    .open = plugin_open,
    .close = plugin_close,
    .get = plugin_get,
};
