/* plugin: a dataset of a user's shared object (include/lpot/component.h).
 *
 *   library: my.so      beside the configuration, or in the working directory
 *   name: readings      (optional where the library has one dataset)
 *   ...                 settings of its own
 *
 * One without random access (next) is read through when it is opened, and kept. */
#include "base/memory.h"
#include "data/dataset_class.h"
#include "data/plugin.h"

#define MAX_KEPT_BYTES ((size_t)1 << 30)

typedef struct dataset_plugin {
  lpot_dataset base;
  lpot_plugin plugin;
  int64_t capacity;
  lpot_sample *samples; /* [base.size] owned; NULL: the component is asked for each */
} dataset_plugin;

static const lpot_component_dataset *functions_of(const dataset_plugin *self) {
  return (const lpot_component_dataset *)self->plugin.component;
}

/* ---- samples ---- */

/* Counts the inputs that were made. */
static lpot_status close_sample(const dataset_plugin *self, int64_t index, lpot_sample *sample,
                                lpot_error *err) {
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

static lpot_status copy_tensor(const lpot_tensor *from, lpot_tensor **ret, lpot_error *err) {
  return lpot_tensor_copy_of(from->dtype, &from->shape, from->data, ret, err);
}

/* Copies: tensors may be shared within a thread only. */
static lpot_status copy_kept(const lpot_sample *kept, lpot_sample *sample, lpot_error *err) {
  for (size_t i = 0; i < kept->num_inputs; i++) {
    LPOT_TRY(copy_tensor(kept->inputs[i], &sample->inputs[i], err));
    sample->num_inputs++;
  }
  if (kept->label != NULL) {
    LPOT_TRY(copy_tensor(kept->label, &sample->label, err));
  }
  return LPOT_OK;
}

static lpot_status plugin_get(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                              lpot_error *err) {
  dataset_plugin *self = (dataset_plugin *)dataset;
  if (self->samples != NULL) {
    return copy_kept(&self->samples[index], sample, err);
  }
  lpot_plugin_call call;
  lpot_plugin_begin(&call, &self->plugin, LPOT_MAX_SAMPLE_INPUTS, sample->inputs, &sample->label);
  int returned = functions_of(self)->get(self->plugin.object, index, &call.output, call.error);
  LPOT_TRY(lpot_plugin_end(&call, returned, err));
  return close_sample(self, index, sample, err);
}

/* ---- one after the other ---- */

static lpot_status make_room(dataset_plugin *self, lpot_error *err) {
  if (self->base.size < self->capacity) {
    return LPOT_OK;
  }
  int64_t larger = self->capacity == 0 ? 64 : 2 * self->capacity;
  lpot_sample *grown = lpot_realloc(self->samples, (size_t)larger, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  self->samples = grown;
  self->capacity = larger;
  return LPOT_OK;
}

static lpot_status read_next(dataset_plugin *self, size_t *kept_bytes, bool *ret_end,
                             lpot_error *err) {
  LPOT_TRY(make_room(self, err));
  int64_t index = self->base.size;
  lpot_sample *sample = &self->samples[index];
  int32_t end = 0;
  lpot_plugin_call call;
  lpot_sample_init(sample);
  lpot_plugin_begin(&call, &self->plugin, LPOT_MAX_SAMPLE_INPUTS, sample->inputs, &sample->label);
  int returned = functions_of(self)->next(self->plugin.object, &call.output, &end, call.error);
  LPOT_TRY(lpot_plugin_end(&call, returned, err));
  self->base.size++; /* From here on it is freed with the others. */
  if (end != 0) {
    lpot_sample_done(sample);
    self->base.size--;
    *ret_end = true;
    return LPOT_OK;
  }
  LPOT_TRY(close_sample(self, index, sample, err));
  *kept_bytes += sizeof *sample + (sample->label == NULL ? 0 : sample->label->size_bytes);
  for (size_t i = 0; i < sample->num_inputs; i++) {
    *kept_bytes += sample->inputs[i]->size_bytes;
  }
  if (*kept_bytes > MAX_KEPT_BYTES) {
    return lpot_plugin_fail(&self->plugin, err,
                            "%lld samples have more than %zu bytes, and did not come to an end",
                            (long long)self->base.size, MAX_KEPT_BYTES);
  }
  return LPOT_OK;
}

static lpot_status read_through(dataset_plugin *self, const lpot_yaml_node *settings,
                                lpot_error *err) {
  lpot_error error = {0};
  size_t kept_bytes = 0;
  bool end = false;
  lpot_status status = LPOT_OK;
  while (status == LPOT_OK && !end) {
    status = read_next(self, &kept_bytes, &end, &error);
  }
  if (status == LPOT_CRASHED) {
    return lpot_yaml_fail(err, settings, "%s", error.message);
  }
  if (status != LPOT_OK && err != NULL) {
    *err = error;
  }
  return status;
}

/* ---- open and close ---- */

static lpot_status plugin_open(lpot_dataset *dataset, const lpot_yaml_node *settings,
                               const char *folder, lpot_error *err) {
  dataset_plugin *self = (dataset_plugin *)dataset;
  (void)folder;
  LPOT_TRY(lpot_plugin_open(&self->plugin, LPOT_PLUGIN_DATASET, settings, err));
  if (functions_of(self)->next != NULL) {
    LPOT_TRY(read_through(self, settings, err));
  } else {
    dataset->size = functions_of(self)->size(self->plugin.object);
  }
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
  dataset_plugin *self = (dataset_plugin *)dataset;
  for (int64_t i = 0; self->samples != NULL && i < dataset->size; i++) {
    lpot_sample_done(&self->samples[i]);
  }
  lpot_free(self->samples);
  lpot_plugin_close(&self->plugin);
}

const lpot_dataset_class lpot_dataset_class_plugin = {
    .name = "plugin",
    .size_bytes = sizeof(dataset_plugin),
    .open = plugin_open,
    .close = plugin_close,
    .get = plugin_get,
};
