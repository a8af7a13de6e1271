/* plugin: a transform of a user's shared object; settings as of the dataset of that name. */
#include "data/plugin.h"
#include "data/transform_class.h"

static lpot_status plugin_parse(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  return lpot_plugin_open(parameters, LPOT_PLUGIN_TRANSFORM, settings, err);
}

static void plugin_done(void *parameters) {
  lpot_plugin_close(parameters);
}

static lpot_status plugin_apply(const void *parameters, lpot_tensor *input,
                                lpot_tensor **ret_output, lpot_error *err) {
  const lpot_plugin *plugin = parameters;
  const lpot_component_transform *transform = (const lpot_component_transform *)plugin->component;
  lpot_component_tensor view = lpot_plugin_view(input);
  lpot_tensor *output = NULL;
  lpot_plugin_call call;
  lpot_plugin_begin(&call, plugin, 1, &output, NULL);
  int returned = transform->apply(plugin->object, &view, &call.output, call.error);
  LPOT_TRY(lpot_plugin_end(&call, returned, err));
  if (output == NULL) {
    return lpot_plugin_fail(plugin, err, "it has made nothing");
  }
  *ret_output = output;
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_plugin = {
    .name = "plugin",
    .size_bytes = sizeof(lpot_plugin),
    .parse = plugin_parse,
    .done = plugin_done,
    .apply = plugin_apply,
};
