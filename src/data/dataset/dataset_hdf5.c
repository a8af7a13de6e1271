/* HDF5: arrays of a file; their first dimension counts the samples.
 *
 *   root: data.h5
 *   inputs: images                           the name of an array, or a list (one per model input)
 *   labels: group/labels                     (optional) */
#include "data/dataset_class.h"

#include "data/hdf5_file.h"
#include "data/setting.h"

typedef struct dataset_hdf5 {
  lpot_dataset base;
  lpot_hdf5_file *file; /* owned */
  size_t num_inputs;
  lpot_hdf5_array inputs[LPOT_MAX_SAMPLE_INPUTS]; /* the first num_inputs are open */
  bool has_labels;
  lpot_hdf5_array labels;
} dataset_hdf5;

/* Opens the array that node, a setting, names. */
static lpot_status open_array(dataset_hdf5 *set, const lpot_yaml_node *node, lpot_hdf5_array *array,
                              lpot_error *err) {
  const char *name = NULL;
  LPOT_TRY(lpot_yaml_string(node, &name, err));
  lpot_status status = lpot_hdf5_array_open(set->file, name, array, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "dataset HDF5: '%s' in '%s'", name, set->base.files.paths[0]);
    return status;
  }
  return lpot_buffer_printf(&set->base.identity, err, "%s;", name);
}

static lpot_status check_count(const dataset_hdf5 *set, const lpot_hdf5_array *array,
                               const lpot_yaml_node *node, lpot_error *err) {
  if (array->count != set->inputs[0].count) {
    return lpot_yaml_fail(err, node, "array of %lld samples, but the first input has %lld",
                          (long long)array->count, (long long)set->inputs[0].count);
  }
  return LPOT_OK;
}

static lpot_status open_inputs(dataset_hdf5 *set, const lpot_yaml_node *node, lpot_error *err) {
  bool is_list = node->kind == LPOT_YAML_LIST;
  size_t count = is_list ? node->num_children : 1;
  if (count == 0 || count > LPOT_MAX_SAMPLE_INPUTS) {
    return lpot_yaml_fail(err, node, "expected 1 to %d arrays, got %zu", LPOT_MAX_SAMPLE_INPUTS,
                          count);
  }
  for (size_t i = 0; i < count; i++) {
    const lpot_yaml_node *item = is_list ? node->children[i] : node;
    LPOT_TRY(open_array(set, item, &set->inputs[i], err));
    set->num_inputs++;
    LPOT_TRY(check_count(set, &set->inputs[i], item, err));
  }
  return LPOT_OK;
}

static const char *const setting_names[] = {"root", "inputs", "labels", NULL};

static lpot_status open_hdf5(lpot_dataset *dataset, const lpot_yaml_node *settings,
                             const char *folder, lpot_error *err) {
  const char *owner = "dataset HDF5";
  dataset_hdf5 *set = (dataset_hdf5 *)dataset;
  const lpot_yaml_node *node = NULL;
  const char *root = NULL;
  LPOT_TRY(lpot_setting_need(settings, owner, "root", &node, err));
  LPOT_TRY(lpot_yaml_string(node, &root, err));
  LPOT_TRY(lpot_setting_need(settings, owner, "inputs", &node, err));
  LPOT_TRY(lpot_path_list_add(&dataset->files, folder, root, err));
  lpot_status status = lpot_hdf5_file_open(dataset->files.paths[0], &set->file, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "dataset HDF5: setting root: '%s'", dataset->files.paths[0]);
    return status;
  }
  LPOT_TRY(open_inputs(set, node, err));
  node = lpot_setting_get(settings, "labels");
  if (node != NULL) {
    LPOT_TRY(open_array(set, node, &set->labels, err));
    set->has_labels = true;
    LPOT_TRY(check_count(set, &set->labels, node, err));
  }
  dataset->size = set->inputs[0].count;
  return LPOT_OK;
}

static void close_hdf5(lpot_dataset *dataset) {
  dataset_hdf5 *set = (dataset_hdf5 *)dataset;
  for (size_t i = 0; i < set->num_inputs; i++) {
    lpot_hdf5_array_close(&set->inputs[i]);
  }
  lpot_hdf5_array_close(&set->labels);
  lpot_hdf5_file_close(set->file);
}

static lpot_status get_hdf5(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                            lpot_error *err) {
  const dataset_hdf5 *set = (const dataset_hdf5 *)dataset;
  for (size_t i = 0; i < set->num_inputs; i++) {
    LPOT_TRY(lpot_hdf5_array_row(&set->inputs[i], index, &sample->inputs[i], err));
    sample->num_inputs++;
  }
  return set->has_labels ? lpot_hdf5_array_row(&set->labels, index, &sample->label, err) : LPOT_OK;
}

const lpot_dataset_class lpot_dataset_class_hdf5 = {
    .name = "HDF5",
    .size_bytes = sizeof(dataset_hdf5),
    .settings = setting_names,
    .open = open_hdf5,
    .close = close_hdf5,
    .get = get_hdf5,
};
