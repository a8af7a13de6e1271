#include "data/dataset.h"

#include <sys/stat.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/writer.h"
#include "data/dataset_class.h"
#include "data/setting.h"

/* Contents of files count for the manifest up to this many bytes in all. */
#define MANIFEST_CONTENT_LIMIT ((size_t)64 << 20)

static const lpot_dataset_class *const classes[] = {
    &lpot_dataset_class_cifar10,      &lpot_dataset_class_cifar100,
    &lpot_dataset_class_coco_npy,     &lpot_dataset_class_coco_raw,
    &lpot_dataset_class_coco_record,  &lpot_dataset_class_fashion_mnist,
    &lpot_dataset_class_glue,         &lpot_dataset_class_hdf5,
    &lpot_dataset_class_image_folder, &lpot_dataset_class_image_record,
    &lpot_dataset_class_imagenet,     &lpot_dataset_class_imagenet_raw,
    &lpot_dataset_class_mnist,        &lpot_dataset_class_tf_record,
    &lpot_dataset_class_voc_raw,      &lpot_dataset_class_voc_record,
    &lpot_dataset_class_bert,         &lpot_dataset_class_dummy,
    &lpot_dataset_class_dummy_v2,     &lpot_dataset_class_npy,
    &lpot_dataset_class_plugin,       &lpot_dataset_class_shapes,
};
#define NUM_CLASSES (sizeof(classes) / sizeof(classes[0]))

static const char *const names[NUM_CLASSES + 1] = {
    "CIFAR10",      "CIFAR100",    "COCONpy", "COCORaw",         "COCORecord",
    "FashionMNIST", "GLUE",        "HDF5",    "ImageFolder",     "ImageRecord",
    "Imagenet",     "ImagenetRaw", "MNIST",   "TFRecordDataset", "VOCRaw",
    "VOCRecord",    "bert",        "dummy",   "dummy_v2",        "npy",
    "plugin",       "shapes",      NULL,
};

/* Names of LPOT's schema that this version answers by saying so. */
static const char *const later_names[] = {
    "style_transfer",
    NULL,
};

const char *const *lpot_dataset_names(void) {
  return names;
}

static lpot_status find_class(const char *name, const lpot_yaml_node *settings,
                              const lpot_dataset_class **ret_class, lpot_error *err) {
  size_t index = 0;
  LPOT_TRY(lpot_setting_find_name(settings, "dataset", name, names, later_names, &index, err));
  *ret_class = classes[index];
  return LPOT_OK;
}

lpot_status lpot_dataset_settings(const char *name, const lpot_yaml_node *settings,
                                  const char *const **ret_keys, lpot_error *err) {
  const lpot_dataset_class *class_of = NULL;
  LPOT_TRY(find_class(name, settings, &class_of, err));
  *ret_keys = class_of->settings;
  return LPOT_OK;
}

lpot_status lpot_dataset_open(const char *name, const lpot_yaml_node *settings, const char *folder,
                              lpot_dataset **ret_dataset, lpot_error *err) {
  const lpot_dataset_class *class_of = NULL;
  LPOT_TRY(find_class(name, settings, &class_of, err));
  if (class_of->settings != NULL) {
    LPOT_TRY(lpot_setting_check(settings, class_of->settings, err));
  }
  lpot_dataset *dataset = lpot_calloc(1, class_of->size_bytes);
  if (dataset == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  dataset->class_of = class_of;
  lpot_buffer_init(&dataset->identity);
  lpot_status status = class_of->open(dataset, settings, folder, err);
  if (status != LPOT_OK) {
    lpot_dataset_close(dataset);
    return status;
  }
  *ret_dataset = dataset;
  return LPOT_OK;
}

void lpot_dataset_close(lpot_dataset *dataset) {
  if (dataset == NULL) {
    return;
  }
  if (dataset->class_of->close != NULL) {
    dataset->class_of->close(dataset);
  }
  lpot_path_list_done(&dataset->files);
  lpot_buffer_done(&dataset->identity);
  lpot_free(dataset->kept);
  lpot_free(dataset);
}

int64_t lpot_dataset_size(const lpot_dataset *dataset) {
  return dataset->size;
}

int64_t lpot_dataset_num_classes(const lpot_dataset *dataset) {
  return dataset->num_classes;
}

bool lpot_dataset_has_ragged_labels(const lpot_dataset *dataset) {
  return dataset->ragged_labels;
}

int64_t lpot_dataset_num_skipped(const lpot_dataset *dataset) {
  return dataset->num_skipped;
}

lpot_status lpot_dataset_get(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                             lpot_error *err) {
  lpot_sample_done(sample);
  if (index < 0 || index >= dataset->size) {
    return LPOT_FAIL(err, LPOT_INVALID, "dataset %s: sample %lld is outside [0, %lld)",
                     dataset->class_of->name, (long long)index, (long long)dataset->size);
  }
  int64_t place = dataset->kept == NULL ? index : dataset->kept[index];
  lpot_status status = dataset->class_of->get(dataset, place, sample, err);
  if (status != LPOT_OK) {
    lpot_sample_done(sample);
  }
  sample->has_boxes = sample->label != NULL && dataset->class_of->num_boxes != NULL;
  return status;
}

/* "class/image.png" of "/data/train/class/image.png": what stays when the data move. */
static const char *last_two_names(const char *path) {
  const char *start = lpot_path_name(path);
  if (start == path) {
    return path;
  }
  start--;
  while (start > path && start[-1] != '/') {
    start--;
  }
  return start;
}

/* Appends a file's last two names (a class folder counts), its size, and as much of its content's
 * digest as budget allows. */
static lpot_status add_file(lpot_buffer *text, const char *path, size_t *budget, lpot_error *err) {
  struct stat info;
  if (stat(path, &info) != 0) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "data file '%s' has gone", path);
  }
  size_t size = (size_t)info.st_size;
  LPOT_TRY(lpot_writer_string(text, last_two_names(path), err));
  LPOT_TRY(lpot_writer_u64(text, size, err));
  if (*budget == 0 || size == 0) {
    return LPOT_OK;
  }
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  size_t length = lpot_mapping_size(mapping);
  length = length < *budget ? length : *budget;
  lpot_digest digest = lpot_digest_of(lpot_mapping_data(mapping), length);
  lpot_mapping_unref(mapping);
  *budget -= length;
  LPOT_TRY(lpot_writer_u64(text, digest.low, err));
  return lpot_writer_u64(text, digest.high, err);
}

static lpot_status write_manifest(const lpot_dataset *dataset, lpot_buffer *text, lpot_error *err) {
  LPOT_TRY(lpot_writer_string(text, dataset->class_of->name, err));
  LPOT_TRY(lpot_writer_u64(text, (uint64_t)dataset->size, err));
  LPOT_TRY(lpot_writer_u64(text, dataset->identity.size, err));
  if (dataset->identity.size > 0) {
    LPOT_TRY(lpot_writer_bytes(text, dataset->identity.data, dataset->identity.size, err));
  }
  size_t budget = MANIFEST_CONTENT_LIMIT;
  for (size_t i = 0; i < dataset->files.count; i++) {
    LPOT_TRY(add_file(text, dataset->files.paths[i], &budget, err));
  }
  return LPOT_OK;
}

lpot_status lpot_dataset_manifest(const lpot_dataset *dataset, lpot_digest *ret, lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = write_manifest(dataset, &text, err);
  if (status == LPOT_OK) {
    *ret = lpot_digest_of(text.data, text.size);
  }
  lpot_buffer_done(&text);
  return status;
}
