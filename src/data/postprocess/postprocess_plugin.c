/* plugin: a postprocess of a user's shared object; settings as of the dataset of that name. */
#include "data/plugin_batch.h"
#include "data/postprocess_class.h"

#define MAX_MADE 3 /* outputs; with the labels what an answer has room for at each step */

static lpot_status plugin_parse(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  return lpot_plugin_open(parameters, LPOT_PLUGIN_POSTPROCESS, settings, err);
}

static void plugin_done(void *parameters) {
  lpot_plugin_close(parameters);
}

/* Rows that the metric will read. */
static lpot_status check_rows(const lpot_plugin *plugin, const lpot_answer *answer,
                              const lpot_tensor *made, lpot_error *err) {
  if (made->shape.rank < 1 || made->shape.dims[0] < answer->batch.num_valid) {
    char text[96];
    lpot_shape_text(&made->shape, text, sizeof text);
    return lpot_plugin_fail(plugin, err, "it has made a tensor %s for %lld samples", text,
                            (long long)answer->batch.num_valid);
  }
  return LPOT_OK;
}

static lpot_status take(const lpot_plugin *plugin, lpot_answer *answer, lpot_tensor *made[MAX_MADE],
                        lpot_tensor *label, lpot_error *err) {
  for (size_t i = 0; i < MAX_MADE; i++) {
    if (made[i] != NULL) {
      LPOT_TRY(check_rows(plugin, answer, made[i], err));
    }
  }
  if (label != NULL) {
    LPOT_TRY(check_rows(plugin, answer, label, err));
  }
  for (size_t i = 0; i < MAX_MADE; i++) {
    if (made[i] != NULL) {
      lpot_answer_keep(answer, lpot_tensor_ref(made[i]));
      answer->outputs[i] = made[i];
    }
  }
  if (label != NULL) {
    lpot_answer_keep(answer, lpot_tensor_ref(label));
    answer->batch.labels = label;
    answer->batch.row_labels = NULL;
  }
  return LPOT_OK;
}

static lpot_status plugin_apply(const void *parameters, lpot_answer *answer, lpot_error *err) {
  const lpot_plugin *plugin = parameters;
  const lpot_component_postprocess *functions =
      (const lpot_component_postprocess *)plugin->component;
  lpot_plugin_batch batch;
  lpot_tensor *made[MAX_MADE] = {NULL};
  lpot_tensor *label = NULL;
  lpot_plugin_call call;
  lpot_plugin_batch_init(&batch, answer->outputs, answer->num_outputs, &answer->batch);
  size_t slots = answer->num_outputs < MAX_MADE ? answer->num_outputs : MAX_MADE;
  lpot_plugin_begin(&call, plugin, slots, made, &label);
  int returned = functions->apply(plugin->object, &batch.view, &call.output, call.error);
  lpot_status status = lpot_plugin_end(&call, returned, err);
  if (status == LPOT_OK) {
    status = take(plugin, answer, made, label, err);
  }
  for (size_t i = 0; i < MAX_MADE; i++) {
    lpot_tensor_unref(made[i]);
  }
  lpot_tensor_unref(label);
  return status;
}

const lpot_postprocess_class lpot_postprocess_class_plugin = {
    .name = "plugin",
    .size_bytes = sizeof(lpot_plugin),
    .parse = plugin_parse,
    .done = plugin_done,
    .apply = plugin_apply,
};
