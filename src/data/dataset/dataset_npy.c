/* npy: arrays as numpy.save and numpy.savez write them. Their first dimension counts the samples.
 *
 *   inputs: features.npy                     one array, or a list of them (one per model input)
 *   labels: labels.npy                       (optional)
 *   inputs: data.npz#x                       the array x of an archive
 *
 * Files stay mapped; samples are views into them where they are stored plainly and aligned. */
#include "data/dataset_class.h"

#include <stdio.h>
#include <string.h>

#include "base/mapping.h"
#include "base/text.h"
#include "data/npy.h"
#include "data/setting.h"
#include "data/zip_archive.h"

#define MAX_PATH_TEXT 4096

typedef struct npy_array {
  lpot_mapping *mapping; /* owned; NULL once inflated */
  lpot_buffer inflated;  /* owned */
  const uint8_t *data;   /* elements */
  lpot_dtype dtype;
  lpot_shape row;  /* shape of one sample */
  size_t row_size; /* bytes of one sample */
  int64_t count;   /* samples */
} npy_array;

typedef struct dataset_npy {
  lpot_dataset base;
  size_t num_inputs;
  npy_array inputs[LPOT_MAX_SAMPLE_INPUTS];
  bool has_labels;
  npy_array labels;
} dataset_npy;

/* The entry named key or key.npy; without a key the only entry there is. */
static lpot_status find_entry(const lpot_zip_archive *archive, const char *key,
                              const lpot_zip_entry **ret, lpot_error *err) {
  if (key == NULL && archive->num_entries == 1) {
    *ret = &archive->entries[0];
    return LPOT_OK;
  }
  char first[64] = "none";
  if (archive->num_entries > 0) {
    lpot_text_printable(archive->entries[0].name, first, sizeof(first));
  }
  if (key == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "%zu arrays, the first is '%s': write path#key to choose one",
                     archive->num_entries, first);
  }
  char name[LPOT_ZIP_MAX_NAME + 8];
  snprintf(name, sizeof(name), "%s.npy", key);
  for (size_t i = 0; i < archive->num_entries; i++) {
    const lpot_zip_entry *entry = &archive->entries[i];
    if (lpot_text_equal(entry->name, key) || lpot_text_equal(entry->name, name)) {
      *ret = entry;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_NOT_FOUND, "no array '%s' among %zu, the first is '%s'", key,
                   archive->num_entries, first);
}

/* Unpacks one entry and lets go of the file. */
static lpot_status unpack(npy_array *array, const char *key, lpot_error *err) {
  lpot_zip_archive archive = {0};
  const lpot_zip_entry *entry = NULL;
  LPOT_TRY(lpot_zip_archive_open(lpot_mapping_data(array->mapping),
                                 lpot_mapping_size(array->mapping), &archive, err));
  lpot_status status = find_entry(&archive, key, &entry, err);
  if (status == LPOT_OK) {
    status = lpot_zip_archive_read(entry, &array->inflated, err);
  }
  lpot_zip_archive_done(&archive);
  lpot_mapping_unref(array->mapping);
  array->mapping = NULL;
  return status;
}

static lpot_status set_rows(npy_array *array, const lpot_npy_header *header, lpot_error *err) {
  if (header->shape.rank == 0 || header->shape.dims[0] == 0) {
    char shape[96];
    lpot_shape_text(&header->shape, shape, sizeof(shape));
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "array of shape %s, expected at least one sample along dimension 0", shape);
  }
  array->dtype = header->dtype;
  array->count = header->shape.dims[0];
  array->row = lpot_shape_of(header->shape.rank - 1, header->shape.dims + 1);
  array->row_size = (size_t)lpot_shape_elements(&array->row) * lpot_dtype_size(header->dtype);
  return LPOT_OK;
}

static lpot_status load_array(npy_array *array, const char *path, const char *key,
                              lpot_error *err) {
  LPOT_TRY(lpot_mapping_open(path, &array->mapping, err));
  const uint8_t *data = lpot_mapping_data(array->mapping);
  size_t size = lpot_mapping_size(array->mapping);
  if (size >= 4 && memcmp(data, "PK", 2) == 0) {
    LPOT_TRY(unpack(array, key, err));
    data = array->inflated.data;
    size = array->inflated.size;
  } else if (key != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "not an npz archive, but an array '%s' is asked for", key);
  }
  lpot_npy_header header;
  LPOT_TRY(lpot_npy_parse(data, size, &header, err));
  array->data = data + header.data_offset;
  return set_rows(array, &header, err);
}

/* Opens "path" or "path#key", as the setting node says. A file whose own name holds a # wins. */
static lpot_status open_array(dataset_npy *set, const lpot_yaml_node *node, const char *folder,
                              npy_array *array, lpot_error *err) {
  const char *text = NULL;
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  char path[MAX_PATH_TEXT];
  if (!lpot_text_copy(path, sizeof(path), text)) {
    return lpot_yaml_fail(err, node, "path of more than %d characters", MAX_PATH_TEXT - 1);
  }
  lpot_path_list *files = &set->base.files;
  LPOT_TRY(lpot_path_list_add(files, folder, path, err));
  char *hash = strrchr(path, '#');
  const char *key = NULL;
  if (hash != NULL && !lpot_path_is_file(lpot_path_list_last(files))) {
    *hash = '\0';
    key = hash + 1;
    files->count--;
    LPOT_TRY(lpot_path_list_add(files, folder, path, err));
  }
  lpot_status status = load_array(array, lpot_path_list_last(files), key, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "dataset npy: %s: '%s'", node->key != NULL ? node->key : "inputs",
                      lpot_path_list_last(files));
    return status;
  }
  return lpot_buffer_printf(&set->base.identity, err, "#%s;", key != NULL ? key : "");
}

static lpot_status check_count(const dataset_npy *set, const npy_array *array,
                               const lpot_yaml_node *node, lpot_error *err) {
  if (array->count != set->inputs[0].count) {
    return lpot_yaml_fail(err, node, "array of %lld samples, but the first input has %lld",
                          (long long)array->count, (long long)set->inputs[0].count);
  }
  return LPOT_OK;
}

static lpot_status open_inputs(dataset_npy *set, const lpot_yaml_node *node, const char *folder,
                               lpot_error *err) {
  bool is_list = node->kind == LPOT_YAML_LIST;
  size_t count = is_list ? node->num_children : 1;
  if (count == 0 || count > LPOT_MAX_SAMPLE_INPUTS) {
    return lpot_yaml_fail(err, node, "expected 1 to %d arrays, got %zu", LPOT_MAX_SAMPLE_INPUTS,
                          count);
  }
  for (size_t i = 0; i < count; i++) {
    const lpot_yaml_node *item = is_list ? node->children[i] : node;
    LPOT_TRY(open_array(set, item, folder, &set->inputs[i], err));
    LPOT_TRY(check_count(set, &set->inputs[i], item, err));
    set->num_inputs++;
  }
  return LPOT_OK;
}

static const char *const setting_names[] = {"inputs", "labels", NULL};

static lpot_status open_npy(lpot_dataset *dataset, const lpot_yaml_node *settings,
                            const char *folder, lpot_error *err) {
  dataset_npy *set = (dataset_npy *)dataset;
  const lpot_yaml_node *inputs = NULL;
  LPOT_TRY(lpot_setting_need(settings, "dataset npy", "inputs", &inputs, err));
  LPOT_TRY(open_inputs(set, inputs, folder, err));
  const lpot_yaml_node *labels = lpot_setting_get(settings, "labels");
  if (labels != NULL) {
    LPOT_TRY(open_array(set, labels, folder, &set->labels, err));
    LPOT_TRY(check_count(set, &set->labels, labels, err));
    set->has_labels = true;
  }
  dataset->size = set->inputs[0].count;
  return LPOT_OK;
}

static void close_array(npy_array *array) {
  lpot_mapping_unref(array->mapping);
  lpot_buffer_done(&array->inflated);
}

static void close_npy(lpot_dataset *dataset) {
  dataset_npy *set = (dataset_npy *)dataset;
  for (size_t i = 0; i < LPOT_MAX_SAMPLE_INPUTS; i++) {
    close_array(&set->inputs[i]);
  }
  close_array(&set->labels);
}

/* A view would outlive inflated data and break the alignment rule where the data are unaligned:
 * such rows are copied. */
static lpot_status get_row(const npy_array *array, int64_t index, lpot_tensor **ret,
                           lpot_error *err) {
  const uint8_t *data = array->data + (size_t)index * array->row_size;
  bool aligned = (uintptr_t)data % lpot_dtype_size(array->dtype) == 0;
  if (array->mapping == NULL || !aligned) {
    return lpot_tensor_copy_of(array->dtype, &array->row, data, ret, err);
  }
  return lpot_tensor_view(array->dtype, &array->row, data, array->row_size, array->mapping, ret,
                          err);
}

static lpot_status get_npy(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                           lpot_error *err) {
  const dataset_npy *set = (const dataset_npy *)dataset;
  for (size_t i = 0; i < set->num_inputs; i++) {
    LPOT_TRY(get_row(&set->inputs[i], index, &sample->inputs[i], err));
    sample->num_inputs++;
  }
  return set->has_labels ? get_row(&set->labels, index, &sample->label, err) : LPOT_OK;
}

const lpot_dataset_class lpot_dataset_class_npy = {
    .name = "npy",
    .size_bytes = sizeof(dataset_npy),
    .settings = setting_names,
    .open = open_npy,
    .close = close_npy,
    .get = get_npy,
};
