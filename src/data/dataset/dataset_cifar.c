/* CIFAR10 and CIFAR100: the "binary version" of these data sets. A file is a sequence of records:
 *   u8 label | 1,024 bytes red | 1,024 bytes green | 1,024 bytes blue, rows from top to bottom,
 * for CIFAR100 with another u8 in front, the super-class, which is not used. Of the training files
 * those that exist are read, in their order. Samples are [32, 32, 3]. */
#include "data/dataset_class.h"

#include <stdio.h>

#include "base/mapping.h"
#include "data/setting.h"

#define SIDE 32
#define PLANE ((size_t)SIDE * SIDE)
#define MAX_FILES 5

/* What tells the two sets apart. */
typedef struct cifar_layout {
  const char *folder; /* that the archive unpacks to */
  const char *test_file;
  const char *train_files[MAX_FILES + 1]; /* NULL terminated */
  size_t label;                           /* its place in the record */
  size_t record;                          /* bytes */
  int num_classes;
} cifar_layout;

static const cifar_layout cifar10 = {
    .folder = "cifar-10-batches-bin",
    .test_file = "test_batch.bin",
    .train_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                    "data_batch_5.bin", NULL},
    .label = 0,
    .record = 1 + 3 * PLANE,
    .num_classes = 10,
};

static const cifar_layout cifar100 = {
    .folder = "cifar-100-binary",
    .test_file = "test.bin",
    .train_files = {"train.bin", NULL},
    .label = 1,
    .record = 2 + 3 * PLANE,
    .num_classes = 100,
};

typedef struct dataset_cifar {
  lpot_dataset base;
  const cifar_layout *layout;
  bool bgr;
  size_t num_files;
  lpot_mapping *files[MAX_FILES]; /* owned */
} dataset_cifar;

static lpot_status add_batch(dataset_cifar *set, const char *path, lpot_error *err) {
  lpot_mapping **file = &set->files[set->num_files];
  LPOT_TRY(lpot_mapping_open(path, file, err));
  set->num_files++;
  size_t size = lpot_mapping_size(*file);
  const char *name = set->base.class_of->name;
  size_t record = set->layout->record;
  if (size == 0 || size % record != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s file '%s': expected a multiple of %zu bytes, got %zu",
                     name, path, record, size);
  }
  const uint8_t *labels = lpot_mapping_data(*file) + set->layout->label;
  for (size_t i = 0; i < size / record; i++) {
    if (labels[i * record] >= set->layout->num_classes) {
      return LPOT_FAIL(err, LPOT_FORMAT, "%s file '%s': record %zu: label %d is above %d", name,
                       path, i, labels[i * record], set->layout->num_classes - 1);
    }
  }
  set->base.size += (int64_t)(size / record);
  return LPOT_OK;
}

/* Adds folder/name where it exists. */
static lpot_status try_batch(dataset_cifar *set, const char *folder, const char *name,
                             lpot_error *err) {
  lpot_path_list *files = &set->base.files;
  LPOT_TRY(lpot_path_list_add(files, folder, name, err));
  if (!lpot_path_is_file(lpot_path_list_last(files))) {
    files->count--;
    return LPOT_OK;
  }
  return add_batch(set, lpot_path_list_last(files), err);
}

static lpot_status find_batches(dataset_cifar *set, const char *root, bool train, lpot_error *err) {
  if (!train) {
    return try_batch(set, root, set->layout->test_file, err);
  }
  for (size_t i = 0; set->layout->train_files[i] != NULL; i++) {
    LPOT_TRY(try_batch(set, root, set->layout->train_files[i], err));
  }
  return LPOT_OK;
}

/* Looks into root, and into the folder of the archive there. */
static lpot_status find_in_roots(dataset_cifar *set, const char *folder, const char *root,
                                 bool train, lpot_error *err) {
  lpot_path_list roots = {0};
  lpot_status status = lpot_path_list_add(&roots, folder, root, err);
  if (status == LPOT_OK) {
    status = lpot_path_list_add(&roots, roots.paths[0], set->layout->folder, err);
  }
  for (size_t i = 0; i < roots.count && status == LPOT_OK && set->num_files == 0; i++) {
    status = find_batches(set, roots.paths[i], train, err);
  }
  if (status == LPOT_OK && set->num_files == 0) {
    status = LPOT_FAIL(err, LPOT_NOT_FOUND,
                       "dataset %s: setting root: neither '%s' nor its folder %s holds %s (lpot "
                       "does not download)",
                       set->base.class_of->name, roots.paths[0], set->layout->folder,
                       train ? set->layout->train_files[0] : set->layout->test_file);
  }
  lpot_path_list_done(&roots);
  return status;
}

static const char *const setting_names[] = {"root", "train", "download", "channel_order", NULL};

static lpot_status open_cifar(dataset_cifar *set, const lpot_yaml_node *settings,
                              const char *folder, lpot_error *err) {
  bool train = false;
  const lpot_yaml_node *root_node = NULL;
  const char *root = NULL;
  char owner[32];
  snprintf(owner, sizeof(owner), "dataset %s", set->base.class_of->name);
  LPOT_TRY(lpot_setting_need(settings, owner, "root", &root_node, err));
  LPOT_TRY(lpot_yaml_string(root_node, &root, err));
  LPOT_TRY(lpot_setting_bool(settings, "train", &train, err));
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  LPOT_TRY(find_in_roots(set, folder, root, train, err));
  set->base.num_classes = set->layout->num_classes;
  return lpot_buffer_printf(&set->base.identity, err, "bgr %d", (int)set->bgr);
}

static lpot_status open_cifar10(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                const char *folder, lpot_error *err) {
  ((dataset_cifar *)dataset)->layout = &cifar10;
  return open_cifar((dataset_cifar *)dataset, settings, folder, err);
}

static lpot_status open_cifar100(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                 const char *folder, lpot_error *err) {
  ((dataset_cifar *)dataset)->layout = &cifar100;
  return open_cifar((dataset_cifar *)dataset, settings, folder, err);
}

static void close_cifar(lpot_dataset *dataset) {
  dataset_cifar *set = (dataset_cifar *)dataset;
  for (size_t i = 0; i < MAX_FILES; i++) {
    lpot_mapping_unref(set->files[i]);
  }
}

static const uint8_t *find_record(const dataset_cifar *set, int64_t index) {
  size_t position = (size_t)index;
  size_t record = set->layout->record;
  size_t file = 0;
  while (position >= lpot_mapping_size(set->files[file]) / record) {
    position -= lpot_mapping_size(set->files[file]) / record;
    file++;
  }
  return lpot_mapping_data(set->files[file]) + position * record;
}

static lpot_status get_cifar(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                             lpot_error *err) {
  const dataset_cifar *set = (const dataset_cifar *)dataset;
  const uint8_t *record = find_record(set, index) + set->layout->label;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){SIDE, SIDE, 3});
  LPOT_TRY(lpot_tensor_new(LPOT_U8, &shape, &sample->inputs[0], err));
  sample->num_inputs = 1;
  uint8_t *pixels = sample->inputs[0]->data;
  const uint8_t *first = record + 1 + (set->bgr ? 2 * PLANE : 0);
  const uint8_t *second = record + 1 + PLANE;
  const uint8_t *third = record + 1 + (set->bgr ? 0 : 2 * PLANE);
  for (size_t i = 0; i < PLANE; i++) {
    pixels[i * 3] = first[i];
    pixels[i * 3 + 1] = second[i];
    pixels[i * 3 + 2] = third[i];
  }
  return lpot_sample_set_class(sample, record[0], err);
}

const lpot_dataset_class lpot_dataset_class_cifar10 = {
    .name = "CIFAR10",
    .size_bytes = sizeof(dataset_cifar),
    .settings = setting_names,
    .open = open_cifar10,
    .close = close_cifar,
    .get = get_cifar,
};
const lpot_dataset_class lpot_dataset_class_cifar100 = {
    .name = "CIFAR100",
    .size_bytes = sizeof(dataset_cifar),
    .settings = setting_names,
    .open = open_cifar100,
    .close = close_cifar,
    .get = get_cifar,
};
