/* CIFAR10: the "binary version" of the data set. A file is a sequence of records of 3,073 bytes:
 *   u8 label | 1,024 bytes red | 1,024 bytes green | 1,024 bytes blue, rows from top to bottom.
 * test_batch.bin holds the test images, data_batch_1.bin to data_batch_5.bin the training images
 * (those that exist, in this order). Samples are [32, 32, 3]. */
#include "data/dataset_class.h"

#include <stdio.h>

#include "base/mapping.h"
#include "data/setting.h"

#define SIDE 32
#define PLANE (SIDE * SIDE)
#define RECORD (1 + 3 * PLANE)
#define MAX_FILES 5

typedef struct dataset_cifar10 {
  lpot_dataset base;
  bool bgr;
  size_t num_files;
  lpot_mapping *files[MAX_FILES]; /* owned */
} dataset_cifar10;

static lpot_status add_batch(dataset_cifar10 *set, const char *path, lpot_error *err) {
  lpot_mapping **file = &set->files[set->num_files];
  LPOT_TRY(lpot_mapping_open(path, file, err));
  set->num_files++;
  size_t size = lpot_mapping_size(*file);
  if (size == 0 || size % RECORD != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "CIFAR10 file '%s': expected a multiple of %d bytes, got %zu", path, RECORD,
                     size);
  }
  const uint8_t *data = lpot_mapping_data(*file);
  for (size_t i = 0; i < size / RECORD; i++) {
    if (data[i * RECORD] > 9) {
      return LPOT_FAIL(err, LPOT_FORMAT, "CIFAR10 file '%s': record %zu: label %d is above 9", path,
                       i, data[i * RECORD]);
    }
  }
  set->base.size += (int64_t)(size / RECORD);
  return LPOT_OK;
}

/* Adds folder/name where it exists. */
static lpot_status try_batch(dataset_cifar10 *set, const char *folder, const char *name,
                             lpot_error *err) {
  lpot_path_list *files = &set->base.files;
  LPOT_TRY(lpot_path_list_add(files, folder, name, err));
  if (!lpot_path_is_file(lpot_path_list_last(files))) {
    files->count--;
    return LPOT_OK;
  }
  return add_batch(set, lpot_path_list_last(files), err);
}

static lpot_status find_batches(dataset_cifar10 *set, const char *root, bool train,
                                lpot_error *err) {
  if (!train) {
    return try_batch(set, root, "test_batch.bin", err);
  }
  for (int i = 1; i <= MAX_FILES; i++) {
    char name[32];
    snprintf(name, sizeof(name), "data_batch_%d.bin", i);
    LPOT_TRY(try_batch(set, root, name, err));
  }
  return LPOT_OK;
}

static lpot_status open_cifar10(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                const char *folder, lpot_error *err) {
  static const char *const names[] = {"root", "train", "download", "channel_order", NULL};
  dataset_cifar10 *set = (dataset_cifar10 *)dataset;
  bool train = false;
  const lpot_yaml_node *root_node = NULL;
  const char *root = NULL;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_setting_need(settings, "dataset CIFAR10", "root", &root_node, err));
  LPOT_TRY(lpot_yaml_string(root_node, &root, err));
  LPOT_TRY(lpot_setting_bool(settings, "train", &train, err));
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  lpot_path_list roots = {0};
  lpot_status status = lpot_path_list_add(&roots, folder, root, err);
  if (status == LPOT_OK) {
    status = lpot_path_list_add(&roots, roots.paths[0], "cifar-10-batches-bin", err);
  }
  for (size_t i = 0; i < roots.count && status == LPOT_OK && set->num_files == 0; i++) {
    status = find_batches(set, roots.paths[i], train, err);
  }
  if (status == LPOT_OK && set->num_files == 0) {
    status = LPOT_FAIL(err, LPOT_NOT_FOUND,
                       "dataset CIFAR10: setting root: neither '%s' nor its folder "
                       "cifar-10-batches-bin holds %s (lpot does not download)",
                       roots.paths[0], train ? "data_batch_1.bin" : "test_batch.bin");
  }
  lpot_path_list_done(&roots);
  LPOT_TRY(status);
  dataset->num_classes = 10;
  return lpot_buffer_printf(&dataset->identity, err, "bgr %d", (int)set->bgr);
}

static void close_cifar10(lpot_dataset *dataset) {
  dataset_cifar10 *set = (dataset_cifar10 *)dataset;
  for (size_t i = 0; i < MAX_FILES; i++) {
    lpot_mapping_unref(set->files[i]);
  }
}

static const uint8_t *find_record(const dataset_cifar10 *set, int64_t index) {
  size_t position = (size_t)index;
  size_t file = 0;
  while (position >= lpot_mapping_size(set->files[file]) / RECORD) {
    position -= lpot_mapping_size(set->files[file]) / RECORD;
    file++;
  }
  return lpot_mapping_data(set->files[file]) + position * RECORD;
}

static lpot_status get_cifar10(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                               lpot_error *err) {
  const dataset_cifar10 *set = (const dataset_cifar10 *)dataset;
  const uint8_t *record = find_record(set, index);
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){SIDE, SIDE, 3});
  LPOT_TRY(lpot_tensor_new(LPOT_U8, &shape, &sample->inputs[0], err));
  sample->num_inputs = 1;
  uint8_t *pixels = sample->inputs[0]->data;
  const uint8_t *first = record + 1 + (set->bgr ? 2 * PLANE : 0);
  const uint8_t *second = record + 1 + PLANE;
  const uint8_t *third = record + 1 + (set->bgr ? 0 : 2 * PLANE);
  for (int i = 0; i < PLANE; i++) {
    pixels[i * 3] = first[i];
    pixels[i * 3 + 1] = second[i];
    pixels[i * 3 + 2] = third[i];
  }
  return lpot_sample_set_class(sample, record[0], err);
}

const lpot_dataset_class lpot_dataset_class_cifar10 = {
    .name = "CIFAR10",
    .size_bytes = sizeof(dataset_cifar10),
    .open = open_cifar10,
    .close = close_cifar10,
    .get = get_cifar10,
};
