#include "data/plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/writer.h"
#include "data/path_list.h"
#include "data/setting.h"

#define MAX_COMPONENTS 64 /* of a kind */
#define MAX_SETTINGS 1000
#define MAX_ELEMENTS ((int64_t)1 << 32)

typedef const lpot_component_list *(*library_function)(void);

/* Structs have grown at their ends: what a library of the first lpot/component.h has is enough. */
typedef struct kind_row {
  const char *text;
  size_t list_offset; /* of the list in lpot_component_list */
  size_t least_size;  /* of a struct */
  size_t full_size;
} kind_row;

#define FIRST_LIST_SIZE offsetof(lpot_component_list, calibrations)

static const kind_row kinds[LPOT_NUM_PLUGIN_KINDS] = {
    [LPOT_PLUGIN_DATASET] = {"dataset", offsetof(lpot_component_list, datasets),
                             offsetof(lpot_component_dataset, next),
                             sizeof(lpot_component_dataset)},
    [LPOT_PLUGIN_TRANSFORM] = {"transform", offsetof(lpot_component_list, transforms),
                               sizeof(lpot_component_transform), sizeof(lpot_component_transform)},
    [LPOT_PLUGIN_METRIC] = {"metric", offsetof(lpot_component_list, metrics),
                            offsetof(lpot_component_metric, evaluate),
                            sizeof(lpot_component_metric)},
    [LPOT_PLUGIN_POSTPROCESS] = {"postprocess", offsetof(lpot_component_list, postprocesses),
                                 sizeof(lpot_component_postprocess),
                                 sizeof(lpot_component_postprocess)},
    [LPOT_PLUGIN_CALIBRATION] = {"calibration", offsetof(lpot_component_list, calibrations),
                                 sizeof(lpot_component_calibration),
                                 sizeof(lpot_component_calibration)},
};

/* ---- the library ---- */

/* What a program brings belongs to the process, as what dlopen gives does. */
static const lpot_component_list *program_list;

void lpot_plugin_use_program(const lpot_component_list *list) {
  program_list = list;
}

static bool is_program(const lpot_yaml_node *node) {
  return node->kind == LPOT_YAML_SCALAR && lpot_text_equal(node->text, LPOT_PLUGIN_PROGRAM);
}

/* Folder of the file that node stands in, with its slash; "" where it has none, or is set by the
 * command line. */
static lpot_status folder_of(const lpot_yaml_node *node, lpot_arena *arena, const char **ret,
                             lpot_error *err) {
  const char *file = lpot_yaml_node_file(node);
  const char *slash = lpot_yaml_node_is_set(node) ? NULL : strrchr(file, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - file) + 1;
  char *folder = lpot_arena_alloc(arena, length + 1, 1);
  if (folder == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(folder, slash == NULL ? "" : file, length);
  folder[length] = '\0';
  *ret = folder;
  return LPOT_OK;
}

/* Says where it was looked for. */
static lpot_status fail_missing(const lpot_yaml_node *node, const char *name, const char *folder,
                                lpot_error *err) {
  char working[PATH_MAX];
  if (name[0] == '/') {
    return lpot_yaml_fail(err, node, "there is no file '%s'", name);
  }
  if (getcwd(working, sizeof working) == NULL) {
    working[0] = '\0';
  }
  return lpot_yaml_fail(err, node, "there is no file '%s' in %s%sthe working directory '%s'", name,
                        folder, folder[0] == '\0' ? "" : " or ", working);
}

/* Beside the configuration (which the command line is not), else in the working directory. dlopen
 * searches the system for a name without a slash, so there always is one. */
static lpot_status find_library(lpot_arena *arena, const lpot_yaml_node *node, const char **ret,
                                lpot_error *err) {
  const char *name = NULL;
  const char *folder = "";
  if (is_program(node)) {
    *ret = "/proc/self/exe";
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_string(node, &name, err));
  LPOT_TRY(folder_of(node, arena, &folder, err));
  size_t size = strlen(folder) + strlen(name) + 3;
  char *path = lpot_arena_alloc(arena, size, 1);
  if (path == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  (void)snprintf(path, size, "%s%s", name[0] == '/' ? "" : folder[0] == '\0' ? "./" : folder, name);
  if (!lpot_path_is_file(path)) {
    (void)snprintf(path, size, "%s%s", name[0] == '/' ? "" : "./", name);
  }
  if (!lpot_path_is_file(path)) {
    return fail_missing(node, name, folder, err);
  }
  *ret = path;
  return LPOT_OK;
}

static lpot_status open_library(lpot_plugin *plugin, const lpot_yaml_node *node,
                                const lpot_component_list **ret_list, lpot_error *err) {
  LPOT_TRY(find_library(plugin->arena, node, &plugin->path, err));
  plugin->library = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
  if (plugin->library == NULL) {
    char text[256];
    lpot_text_printable(dlerror(), text, sizeof text);
    return lpot_yaml_fail(err, node, "the library cannot be loaded: %s", text);
  }
  library_function function = NULL;
  void *symbol = dlsym(plugin->library, "lpot_component_library");
  memcpy(&function, &symbol, sizeof function);
  if (function == NULL) {
    return lpot_yaml_fail(err, node, "'%s' has no function lpot_component_library", plugin->path);
  }
  *ret_list = function();
  return LPOT_OK;
}

static lpot_status load_library(lpot_plugin *plugin, const lpot_yaml_node *node,
                                const lpot_component_list **ret_list, lpot_error *err) {
  const lpot_component_list *list = program_list;
  if (is_program(node)) {
    LPOT_TRY(find_library(plugin->arena, node, &plugin->path, err));
    if (list == NULL) {
      return lpot_yaml_fail(err, node, "this program has no components of its own");
    }
  } else {
    LPOT_TRY(open_library(plugin, node, &list, err));
  }
  if (list == NULL || list->struct_size < FIRST_LIST_SIZE ||
      list->version != LPOT_COMPONENT_VERSION) {
    return lpot_yaml_fail(err, node, "'%s' is of version %d of lpot/component.h, expected %d",
                          plugin->path, list == NULL ? 0 : (int)list->version,
                          LPOT_COMPONENT_VERSION);
  }
  *ret_list = list;
  return LPOT_OK;
}

/* ---- the component ---- */

static bool is_complete(lpot_plugin_kind kind, const lpot_plugin_component *component) {
  const lpot_component_dataset *dataset = &component->dataset;
  const lpot_component_metric *metric = &component->metric;
  bool adds = false;
  switch (kind) {
  case LPOT_PLUGIN_DATASET:
    return dataset->next == NULL ? dataset->size != NULL && dataset->get != NULL
                                 : dataset->size == NULL && dataset->get == NULL;
  case LPOT_PLUGIN_TRANSFORM:
    return component->transform.apply != NULL;
  case LPOT_PLUGIN_POSTPROCESS:
    return component->postprocess.apply != NULL;
  case LPOT_PLUGIN_CALIBRATION:
    return component->calibration.calibrate != NULL;
  default:
    adds = metric->add != NULL && metric->value != NULL && metric->num_sums >= 1 &&
           metric->num_sums <= 64;
    return (metric->is_right != NULL) + adds + (metric->evaluate != NULL) == 1;
  }
}

/* False where the struct is too short to be one. */
static bool copy_component(lpot_plugin *plugin, lpot_plugin_kind kind,
                           const lpot_component *component) {
  size_t size = component->struct_size;
  if (size < kinds[kind].least_size || component->name == NULL) {
    return false;
  }
  plugin->copy = (lpot_plugin_component){0};
  memcpy(&plugin->copy, component, size < kinds[kind].full_size ? size : kinds[kind].full_size);
  plugin->component = &plugin->copy.base;
  return true;
}

/* Names of the library's components of a kind, NULL terminated. */
static void list_names(const void *const *components, const char *names[MAX_COMPONENTS + 1]) {
  size_t count = 0;
  while (components != NULL && components[count] != NULL && count < MAX_COMPONENTS) {
    const lpot_component *component = components[count];
    names[count] = component->name == NULL ? "" : component->name;
    count++;
  }
  names[count] = NULL;
}

static lpot_status choose_component(lpot_plugin *plugin, lpot_plugin_kind kind,
                                    const lpot_yaml_node *settings, const lpot_component_list *list,
                                    lpot_error *err) {
  const void *const *components = NULL;
  const char *names[MAX_COMPONENTS + 1];
  int index = 0;
  if (list->struct_size > kinds[kind].list_offset) {
    memcpy(&components, (const char *)list + kinds[kind].list_offset, sizeof(void *));
  }
  list_names(components, names);
  const lpot_yaml_node *name = lpot_setting_get(settings, "name");
  if (names[0] == NULL) {
    return lpot_yaml_fail(err, settings, "'%s' has no %s", plugin->path, kinds[kind].text);
  }
  if (name != NULL) {
    LPOT_TRY(lpot_yaml_choice(name, names, &index, err));
  } else if (names[1] != NULL) {
    return lpot_yaml_fail(err, settings, "name is missing: '%s' has more than one %s", plugin->path,
                          kinds[kind].text);
  }
  plugin->kind = kinds[kind].text;
  if (!copy_component(plugin, kind, components[index]) || !is_complete(kind, &plugin->copy)) {
    return lpot_yaml_fail(err, settings,
                          "%s '%s' of '%s' is not complete: functions are missing, or it was "
                          "compiled with an older lpot/component.h",
                          plugin->kind, names[index], plugin->path);
  }
  return LPOT_OK;
}

/* ---- settings ---- */

typedef struct flat_settings {
  lpot_arena *arena;
  size_t count;
  const char **keys;
  const char **values;
} flat_settings;

static lpot_status add_settings(flat_settings *flat, const lpot_yaml_node *node, const char *path,
                                lpot_error *err);

static lpot_status add_child(flat_settings *flat, const lpot_yaml_node *node, const char *path,
                             size_t index, lpot_error *err) {
  const lpot_yaml_node *child = node->children[index];
  size_t size = strlen(path) + (child->key == NULL ? 24 : strlen(child->key) + 2);
  char *text = lpot_arena_alloc(flat->arena, size, 1);
  if (text == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (child->key == NULL) {
    (void)snprintf(text, size, "%s[%zu]", path, index);
  } else {
    (void)snprintf(text, size, "%s%s%s", path, path[0] == '\0' ? "" : ".", child->key);
  }
  return add_settings(flat, child, text, err);
}

static lpot_status add_settings(flat_settings *flat, const lpot_yaml_node *node, const char *path,
                                lpot_error *err) {
  for (size_t i = 0; i < node->num_children; i++) {
    LPOT_TRY(add_child(flat, node, path, i, err));
  }
  if (node->kind != LPOT_YAML_SCALAR) {
    return LPOT_OK;
  }
  if (flat->count == MAX_SETTINGS) {
    return lpot_yaml_fail(err, node, "more than %d settings", MAX_SETTINGS);
  }
  flat->keys[flat->count] = path;
  flat->values[flat->count] = node->text;
  flat->count++;
  return LPOT_OK;
}

static lpot_status take_settings(lpot_plugin *plugin, const lpot_yaml_node *settings,
                                 lpot_error *err) {
  flat_settings flat = {.arena = plugin->arena};
  flat.keys = lpot_arena_alloc(flat.arena, MAX_SETTINGS, sizeof *flat.keys);
  flat.values = lpot_arena_alloc(flat.arena, MAX_SETTINGS, sizeof *flat.values);
  if (flat.keys == NULL || flat.values == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(add_settings(&flat, settings, "", err));
  plugin->settings.count = flat.count;
  plugin->settings.keys = flat.keys;
  plugin->settings.values = flat.values;
  return folder_of(settings, plugin->arena, &plugin->settings.folder, err);
}

/* ---- open and close ---- */

lpot_status lpot_plugin_open(lpot_plugin *plugin, lpot_plugin_kind kind,
                             const lpot_yaml_node *settings, lpot_error *err) {
  const lpot_yaml_node *library = NULL;
  const lpot_component_list *list = NULL;
  if (settings == NULL || settings->kind != LPOT_YAML_MAP) {
    return lpot_setting_fail(settings, err,
                             "expected a map with library, and name if there is more than one");
  }
  LPOT_TRY(lpot_arena_new(&plugin->arena, err));
  LPOT_TRY(lpot_setting_need(settings, "plugin", "library", &library, err));
  LPOT_TRY(load_library(plugin, library, &list, err));
  LPOT_TRY(choose_component(plugin, kind, settings, list, err));
  LPOT_TRY(take_settings(plugin, settings, err));
  if (plugin->component->open == NULL) {
    return LPOT_OK;
  }
  char error[LPOT_COMPONENT_TEXT] = "";
  if (plugin->component->open(&plugin->settings, &plugin->object, error) != 0) {
    char text[LPOT_COMPONENT_TEXT];
    error[sizeof error - 1] = '\0';
    lpot_text_printable(error, text, sizeof text);
    return lpot_yaml_fail(err, settings, "%s %s: %.300s", plugin->kind, plugin->component->name,
                          text[0] == '\0' ? "it cannot be opened" : text);
  }
  return LPOT_OK;
}

void lpot_plugin_close(lpot_plugin *plugin) {
  if (plugin->component != NULL && plugin->component->close != NULL && plugin->object != NULL) {
    plugin->component->close(plugin->object);
  }
  if (plugin->library != NULL) {
    (void)dlclose(plugin->library);
  }
  lpot_arena_free(plugin->arena);
  *plugin = (lpot_plugin){0};
}

lpot_status lpot_plugin_fail(const lpot_plugin *plugin, lpot_error *err, const char *format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const char *library =
      plugin->library == NULL ? LPOT_PLUGIN_PROGRAM : lpot_path_name(plugin->path);
  return LPOT_FAIL(err, LPOT_CRASHED, "%s %s of '%s': %s", plugin->kind, plugin->component->name,
                   library, text);
}

/* ---- calls ---- */

static void *refuse(lpot_plugin_call *call, const char *what, long long value) {
  (void)snprintf(call->error, sizeof call->error, "it makes a tensor %s %lld", what, value);
  return NULL;
}

static lpot_tensor **slot_of(lpot_plugin_call *call, int32_t slot) {
  if (slot == LPOT_COMPONENT_LABEL) {
    return call->label;
  }
  return slot >= 0 && (size_t)slot < call->num_slots ? &call->made[slot] : NULL;
}

static void *make(lpot_component_output *output, int32_t slot, int32_t onnx_dtype, int32_t rank,
                  const int64_t *dims) {
  lpot_plugin_call *call = (lpot_plugin_call *)(void *)output;
  lpot_tensor **place = slot_of(call, slot);
  lpot_dtype dtype = lpot_dtype_from_onnx(onnx_dtype);
  lpot_shape shape = {.rank = rank};
  if (place == NULL) {
    return refuse(call, "that nobody takes, number", slot);
  }
  if (dtype == LPOT_DTYPE_UNKNOWN) {
    return refuse(call, "of the unknown type", onnx_dtype);
  }
  if (rank < 0 || rank > LPOT_COMPONENT_MAX_RANK || (rank > 0 && dims == NULL)) {
    return refuse(call, "whose number of axes is", rank);
  }
  int64_t elements = 1;
  for (int32_t i = 0; i < rank; i++) {
    if (dims[i] < 0 || (elements > 0 && dims[i] > MAX_ELEMENTS / elements)) {
      return refuse(call, "with too many elements or a bad axis:", (long long)dims[i]);
    }
    elements *= dims[i];
    shape.dims[i] = dims[i];
  }
  lpot_tensor_unref(*place);
  *place = NULL;
  if (lpot_tensor_new(dtype, &shape, place, NULL) != LPOT_OK) {
    return refuse(call, "too large for the memory, elements:", (long long)elements);
  }
  return (*place)->data;
}

void lpot_plugin_begin(lpot_plugin_call *call, const lpot_plugin *plugin, size_t num_slots,
                       lpot_tensor **made, lpot_tensor **label) {
  *call = (lpot_plugin_call){.output = {.make = make},
                             .plugin = plugin,
                             .num_slots = num_slots,
                             .made = made,
                             .label = label};
}

lpot_status lpot_plugin_end(lpot_plugin_call *call, int returned, lpot_error *err) {
  if (returned == 0) {
    return LPOT_OK;
  }
  for (size_t i = 0; i < call->num_slots; i++) {
    lpot_tensor_unref(call->made[i]);
    call->made[i] = NULL;
  }
  if (call->label != NULL) {
    lpot_tensor_unref(*call->label);
    *call->label = NULL;
  }
  char text[LPOT_COMPONENT_TEXT];
  call->error[sizeof call->error - 1] = '\0';
  lpot_text_printable(call->error, text, sizeof text);
  return lpot_plugin_fail(call->plugin, err, "%.300s",
                          text[0] == '\0' ? "it failed without a word" : text);
}

_Static_assert(LPOT_MAX_RANK <= LPOT_COMPONENT_MAX_RANK, "every tensor can be shown");

lpot_component_tensor lpot_plugin_view(const lpot_tensor *tensor) {
  lpot_component_tensor view = {.dtype = lpot_dtype_to_onnx(tensor->dtype),
                                .rank = tensor->shape.rank,
                                .data = tensor->data,
                                .size_bytes = tensor->size_bytes};
  for (int i = 0; i < tensor->shape.rank; i++) {
    view.dims[i] = tensor->shape.dims[i];
  }
  return view;
}

/* ---- identity ---- */

static bool is_plugin(const lpot_yaml_node *node) {
  return node->key != NULL && lpot_text_equal(node->key, "plugin");
}

bool lpot_plugin_is_used(const lpot_yaml_node *node) {
  bool used = is_plugin(node);
  for (size_t i = 0; i < node->num_children && !used; i++) {
    used = lpot_plugin_is_used(node->children[i]);
  }
  return used;
}

static lpot_status add_digest(const lpot_yaml_node *library, lpot_buffer *digests,
                              lpot_error *err) {
  lpot_arena *arena = NULL;
  lpot_mapping *mapping = NULL;
  const char *path = NULL;
  LPOT_TRY(lpot_arena_new(&arena, err));
  lpot_status status = find_library(arena, library, &path, err);
  if (status == LPOT_OK) {
    status = lpot_mapping_open(path, &mapping, err);
  }
  if (status == LPOT_OK) {
    lpot_digest one = lpot_digest_of(lpot_mapping_data(mapping), lpot_mapping_size(mapping));
    status = lpot_buffer_append(digests, &one, sizeof one, err);
  }
  lpot_mapping_unref(mapping);
  lpot_arena_free(arena);
  return status;
}

static lpot_status add_digests(const lpot_yaml_node *node, lpot_buffer *digests, lpot_error *err) {
  const lpot_yaml_node *library = NULL;
  if (is_plugin(node) && node->kind == LPOT_YAML_MAP) {
    library = lpot_yaml_get(node, "library");
  }
  if (library != NULL) {
    LPOT_TRY(add_digest(library, digests, err));
  }
  for (size_t i = 0; i < node->num_children; i++) {
    LPOT_TRY(add_digests(node->children[i], digests, err));
  }
  return LPOT_OK;
}

lpot_status lpot_plugin_digest(const lpot_yaml_node *node, lpot_digest *ret, lpot_error *err) {
  lpot_buffer digests;
  lpot_buffer_init(&digests);
  lpot_status status = add_digests(node, &digests, err);
  *ret = (lpot_digest){0};
  if (status == LPOT_OK && digests.size > 0) {
    *ret = lpot_digest_of(digests.data, digests.size);
  }
  lpot_buffer_done(&digests);
  return status;
}
