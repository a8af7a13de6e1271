/* ImageFolder: the sub-folders of root, sorted, are the classes; their .jpg, .jpeg and .png files,
 * sorted, are the samples. */
#include "data/dataset_class.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/image.h"
#include "data/setting.h"

typedef struct dataset_image_folder {
  lpot_dataset base; /* files are the samples */
  bool bgr;
  int64_t *labels; /* [size] owned */
  size_t capacity; /* of labels */
} dataset_image_folder;

static bool is_image(const char *path) {
  const char *dot = strrchr(lpot_path_name(path), '.');
  return dot != NULL && (lpot_text_equal_ignoring_case(dot, ".jpg") ||
                         lpot_text_equal_ignoring_case(dot, ".jpeg") ||
                         lpot_text_equal_ignoring_case(dot, ".png"));
}

static lpot_status add_label(dataset_image_folder *set, int64_t label, lpot_error *err) {
  size_t count = (size_t)set->base.size;
  if (count == set->capacity) {
    size_t capacity = count == 0 ? 64 : count * 2;
    int64_t *labels = lpot_realloc(set->labels, capacity, sizeof(*labels));
    if (labels == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    set->labels = labels;
    set->capacity = capacity;
  }
  set->labels[count] = label;
  set->base.size++;
  return LPOT_OK;
}

static lpot_status add_class(dataset_image_folder *set, const char *folder, lpot_error *err) {
  lpot_path_list entries = {0};
  lpot_status status = lpot_path_list_add_folder(&entries, folder, err);
  for (size_t i = 0; i < entries.count && status == LPOT_OK; i++) {
    if (!is_image(entries.paths[i]) || !lpot_path_is_file(entries.paths[i])) {
      continue;
    }
    status = lpot_path_list_add(&set->base.files, NULL, entries.paths[i], err);
    if (status == LPOT_OK) {
      status = add_label(set, set->base.num_classes, err);
    }
  }
  lpot_path_list_done(&entries);
  set->base.num_classes++;
  return status;
}

static lpot_status add_classes(dataset_image_folder *set, const char *root, lpot_error *err) {
  lpot_path_list entries = {0};
  lpot_status status = lpot_path_list_add_folder(&entries, root, err);
  for (size_t i = 0; i < entries.count && status == LPOT_OK; i++) {
    if (lpot_path_is_folder(entries.paths[i])) {
      status = add_class(set, entries.paths[i], err);
    }
  }
  lpot_path_list_done(&entries);
  LPOT_TRY(status);
  if (set->base.size == 0) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND,
                     "no .jpg, .jpeg or .png file in the %lld sub-folders of '%s'",
                     (long long)set->base.num_classes, root);
  }
  return LPOT_OK;
}

static const char *const setting_names[] = {"root", "channel_order", NULL};

static lpot_status open_image_folder(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                     const char *folder, lpot_error *err) {
  dataset_image_folder *set = (dataset_image_folder *)dataset;
  const lpot_yaml_node *root_node = NULL;
  const char *root = NULL;
  LPOT_TRY(lpot_setting_need(settings, "dataset ImageFolder", "root", &root_node, err));
  LPOT_TRY(lpot_yaml_string(root_node, &root, err));
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  lpot_path_list roots = {0};
  lpot_status status = lpot_path_list_add(&roots, folder, root, err);
  if (status == LPOT_OK) {
    status = add_classes(set, roots.paths[0], err);
  }
  lpot_path_list_done(&roots);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "dataset ImageFolder: setting root");
    return status;
  }
  return lpot_buffer_printf(&dataset->identity, err, "bgr %d", (int)set->bgr);
}

static void close_image_folder(lpot_dataset *dataset) {
  lpot_free(((dataset_image_folder *)dataset)->labels);
}

static lpot_status get_image_folder(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                                    lpot_error *err) {
  const dataset_image_folder *set = (const dataset_image_folder *)dataset;
  LPOT_TRY(lpot_image_load(dataset->files.paths[index], set->bgr, &sample->inputs[0], err));
  sample->num_inputs = 1;
  return lpot_sample_set_class(sample, set->labels[index], err);
}

const lpot_dataset_class lpot_dataset_class_image_folder = {
    .name = "ImageFolder",
    .size_bytes = sizeof(dataset_image_folder),
    .settings = setting_names,
    .open = open_image_folder,
    .close = close_image_folder,
    .get = get_image_folder,
};
