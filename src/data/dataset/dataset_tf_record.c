/* TFRecordDataset: the records of the file root. ImageRecord, and Imagenet, its old name: those of
 * all files of the folder root that are called like validation-00000-of-00128, in the order of
 * their names. Each record is a tf.Example with a JPEG or PNG file in the feature image/encoded and
 * a number in image/class/label; the settings image and label name other features.
 *
 * VOCRecord: VOC's segmentations as DeepLab's conversion writes them: the files of the folder root
 * that are called like val-00000-of-00004.tfrecord, with a grey PNG file of the same size in
 * image/segmentation/class/encoded, whose pixels are classes.
 *
 * Files stay mapped; opening steps over all records, the data of one are checked when it is read.
 */
#include "data/dataset_class.h"

#include <stdio.h>
#include <string.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "data/image.h"
#include "data/setting.h"
#include "data/tf_example.h"
#include "data/tf_record.h"

typedef struct record_place {
  size_t file; /* its number */
  size_t offset, size;
} record_place;

typedef struct dataset_tf_record {
  lpot_dataset base;
  bool bgr;
  bool segments;   /* labels are images */
  char image[128]; /* names of features */
  char label[128];
  size_t num_maps;
  lpot_mapping **maps;  /* [files.count] owned; the first num_maps are open */
  record_place *places; /* [size] owned */
  size_t capacity;      /* of places */
} dataset_tf_record;

static lpot_status add_place(dataset_tf_record *set, record_place place, lpot_error *err) {
  size_t count = (size_t)set->base.size;
  if (count == set->capacity) {
    size_t capacity = count == 0 ? 256 : count * 2;
    record_place *places = lpot_realloc(set->places, capacity, sizeof(*places));
    if (places == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    set->places = places;
    set->capacity = capacity;
  }
  set->places[count] = place;
  set->base.size++;
  return LPOT_OK;
}

static lpot_status add_records(dataset_tf_record *set, size_t file, lpot_error *err) {
  lpot_reader reader;
  const lpot_mapping *mapping = set->maps[file];
  lpot_reader_init(&reader, lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  while (lpot_reader_remaining(&reader) > 0) {
    record_place place = {.file = file};
    LPOT_TRY(lpot_tf_record_next(&reader, &place.offset, &place.size, err));
    LPOT_TRY(add_place(set, place, err));
  }
  return LPOT_OK;
}

static lpot_status open_files(dataset_tf_record *set, lpot_error *err) {
  const lpot_path_list *files = &set->base.files;
  set->maps = lpot_calloc(files->count, sizeof(*set->maps));
  if (set->maps == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < files->count; i++) {
    LPOT_TRY(lpot_mapping_open(files->paths[i], &set->maps[i], err));
    set->num_maps++;
    lpot_status status = add_records(set, i, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "TFRecord file '%s'", files->paths[i]);
      return status;
    }
  }
  if (set->base.size == 0) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "dataset %s: setting root: no record in '%s'",
                     set->base.class_of->name, files->paths[0]);
  }
  return LPOT_OK;
}

static lpot_status copy_name(const lpot_yaml_node *settings, const char *key, const char *usual,
                             char name[128], lpot_error *err) {
  const char *text = usual;
  LPOT_TRY(lpot_setting_string(settings, key, &text, err));
  if (strlen(text) >= 128) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, key),
                          "the name of a feature has more than 127 characters");
  }
  strncpy(name, text, 127);
  return LPOT_OK;
}

static const char *const setting_names[] = {"root", "image", "label", "channel_order", NULL};
static const char *const voc_setting_names[] = {"root",      "image",     "label", "channel_order",
                                                "image_set", "num_cores", NULL};

/* Reads the settings; *ret_root is the text of root. */
static lpot_status read_settings(dataset_tf_record *set, const lpot_yaml_node *settings,
                                 const char **ret_root, lpot_error *err) {
  const char *label = set->segments ? "image/segmentation/class/encoded" : "image/class/label";
  const lpot_yaml_node *root = NULL;
  char owner[48];
  snprintf(owner, sizeof(owner), "dataset %s", set->base.class_of->name);
  LPOT_TRY(lpot_setting_need(settings, owner, "root", &root, err));
  LPOT_TRY(lpot_yaml_string(root, ret_root, err));
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  LPOT_TRY(copy_name(settings, "image", "image/encoded", set->image, err));
  LPOT_TRY(copy_name(settings, "label", label, set->label, err));
  return lpot_buffer_printf(&set->base.identity, err, "bgr %d image %s label %s", (int)set->bgr,
                            set->image, set->label);
}

static lpot_status open_tf_record(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                  const char *folder, lpot_error *err) {
  dataset_tf_record *set = (dataset_tf_record *)dataset;
  const char *root = NULL;
  LPOT_TRY(read_settings(set, settings, &root, err));
  LPOT_TRY(lpot_path_list_add(&dataset->files, folder, root, err));
  if (!lpot_path_is_file(dataset->files.paths[0])) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "dataset TFRecordDataset: setting root: no file '%s'",
                     dataset->files.paths[0]);
  }
  return open_files(set, err);
}

/* Whether the length characters of name are "SET-DIGITS-of-DIGITS"; set: NULL for any. */
static bool is_shard(const char *name, size_t length, const char *set) {
  size_t total = 0;
  while (total < length && strchr("0123456789", name[length - 1 - total]) != NULL) {
    total++;
  }
  size_t end = length - total;
  if (total == 0 || end < 4 || strncmp(name + end - 4, "-of-", 4) != 0) {
    return false;
  }
  end -= 4;
  size_t number = 0;
  while (number < end && strchr("0123456789", name[end - 1 - number]) != NULL) {
    number++;
  }
  if (number == 0 || end == number || name[end - 1 - number] != '-') {
    return false;
  }
  return set == NULL || (strlen(set) == end - 1 - number && strncmp(name, set, strlen(set)) == 0);
}

static bool is_shard_file(const char *path, const char *set) {
  static const char ending[] = ".tfrecord";
  const char *name = lpot_path_name(path);
  size_t length = strlen(name);
  size_t rest = length < sizeof ending - 1 ? 0 : length - (sizeof ending - 1);
  bool ends = strcmp(name + rest, ending) == 0;
  return is_shard(name, ends ? rest : length, set) && lpot_path_is_file(path);
}

/* Files of the folder that are called like those of the set; NULL: of any set. */
static lpot_status add_shards(lpot_dataset *dataset, const char *folder, const char *set,
                              lpot_error *err) {
  lpot_path_list entries = {0};
  lpot_status status = lpot_path_list_add_folder(&entries, folder, err);
  for (size_t i = 0; i < entries.count && status == LPOT_OK; i++) {
    if (is_shard_file(entries.paths[i], set)) {
      status = lpot_path_list_add(&dataset->files, NULL, entries.paths[i], err);
    }
  }
  lpot_path_list_done(&entries);
  if (status == LPOT_OK && dataset->files.count == 0) {
    status = LPOT_FAIL(err, LPOT_NOT_FOUND, "no file in '%s' is called like %s-00000-of-00128",
                       folder, set == NULL ? "validation" : set);
  }
  return status;
}

static lpot_status open_shards(lpot_dataset *dataset, const lpot_yaml_node *settings,
                               const char *folder, const char *image_set, lpot_error *err) {
  dataset_tf_record *set = (dataset_tf_record *)dataset;
  const char *root = NULL;
  lpot_path_list roots = {0};
  LPOT_TRY(read_settings(set, settings, &root, err));
  lpot_status status = lpot_path_list_add(&roots, folder, root, err);
  if (status == LPOT_OK) {
    status = add_shards(dataset, roots.paths[0], image_set, err);
  }
  lpot_path_list_done(&roots);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "dataset %s: setting root", dataset->class_of->name);
    return status;
  }
  return open_files(set, err);
}

static lpot_status open_image_record(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                     const char *folder, lpot_error *err) {
  return open_shards(dataset, settings, folder, NULL, err);
}

static lpot_status open_voc_record(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                   const char *folder, lpot_error *err) {
  dataset_tf_record *set = (dataset_tf_record *)dataset;
  const char *image_set = "val";
  int64_t num_cores = 0; /* Of LPOT: how many threads read. */
  set->segments = true;
  LPOT_TRY(lpot_setting_string(settings, "image_set", &image_set, err));
  LPOT_TRY(lpot_setting_int(settings, "num_cores", 1, 1 << 20, &num_cores, err));
  return open_shards(dataset, settings, folder, image_set, err);
}

static void close_tf_record(lpot_dataset *dataset) {
  dataset_tf_record *set = (dataset_tf_record *)dataset;
  for (size_t i = 0; i < set->num_maps; i++) {
    lpot_mapping_unref(set->maps[i]);
  }
  lpot_free(set->maps);
  lpot_free(set->places);
}

/* The classes of an image's pixels, [height, width] u8. */
static lpot_status decode_segments(const uint8_t *data, size_t size, lpot_tensor **ret_label,
                                   lpot_error *err) {
  lpot_tensor *image = NULL;
  lpot_tensor *label = NULL;
  LPOT_TRY(lpot_image_decode(data, size, false, &image, err));
  const lpot_shape shape = {.rank = 2, .dims = {image->shape.dims[0], image->shape.dims[1]}};
  lpot_status status = lpot_tensor_new(LPOT_U8, &shape, &label, err);
  const uint8_t *pixels = image->data;
  uint8_t *classes = status == LPOT_OK ? label->data : NULL;
  int64_t count = lpot_tensor_elements(image) / 3;
  for (int64_t i = 0; i < count && status == LPOT_OK; i++) {
    const uint8_t *pixel = pixels + 3 * i;
    classes[i] = pixel[0];
    if (pixel[0] != pixel[1] || pixel[0] != pixel[2]) {
      status = LPOT_FAIL(err, LPOT_FORMAT,
                         "pixel %lld has the colour %d %d %d, expected grey: its class",
                         (long long)i, pixel[0], pixel[1], pixel[2]);
    }
  }
  lpot_tensor_unref(image);
  if (status != LPOT_OK) {
    lpot_tensor_unref(label);
    return status;
  }
  *ret_label = label;
  return LPOT_OK;
}

static lpot_status read_segments(const dataset_tf_record *set, const uint8_t *record, size_t size,
                                 lpot_sample *sample, lpot_error *err) {
  const uint8_t *image = NULL;
  size_t image_size = 0;
  LPOT_TRY(lpot_tf_example_bytes(record, size, set->label, &image, &image_size, err));
  lpot_status status = decode_segments(image, image_size, &sample->label, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "the feature '%s'", set->label);
    return status;
  }
  const int64_t *of_image = sample->inputs[0]->shape.dims;
  const int64_t *of_label = sample->label->shape.dims;
  if (of_image[0] != of_label[0] || of_image[1] != of_label[1]) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "an image of %lld x %lld pixels with classes for %lld x %lld",
                     (long long)of_image[1], (long long)of_image[0], (long long)of_label[1],
                     (long long)of_label[0]);
  }
  return LPOT_OK;
}

static lpot_status read_record(const dataset_tf_record *set, const record_place *place,
                               lpot_sample *sample, lpot_error *err) {
  const uint8_t *file = lpot_mapping_data(set->maps[place->file]);
  const uint8_t *record = file + place->offset;
  const uint8_t *image = NULL;
  size_t image_size = 0;
  int64_t label = 0;
  LPOT_TRY(lpot_tf_record_check(file, place->offset, place->size, err));
  LPOT_TRY(lpot_tf_example_bytes(record, place->size, set->image, &image, &image_size, err));
  LPOT_TRY(lpot_image_decode(image, image_size, set->bgr, &sample->inputs[0], err));
  sample->num_inputs = 1;
  if (set->segments) {
    return read_segments(set, record, place->size, sample, err);
  }
  LPOT_TRY(lpot_tf_example_int(record, place->size, set->label, &label, err));
  return lpot_sample_set_class(sample, label, err);
}

static lpot_status get_tf_record(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                                 lpot_error *err) {
  const dataset_tf_record *set = (const dataset_tf_record *)dataset;
  const record_place *place = &set->places[index];
  lpot_status status = read_record(set, place, sample, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "TFRecord file '%s': record at offset %zu",
                      dataset->files.paths[place->file], place->offset);
  }
  return status;
}

const lpot_dataset_class lpot_dataset_class_tf_record = {
    .name = "TFRecordDataset",
    .size_bytes = sizeof(dataset_tf_record),
    .settings = setting_names,
    .open = open_tf_record,
    .close = close_tf_record,
    .get = get_tf_record,
};

const lpot_dataset_class lpot_dataset_class_image_record = {
    .name = "ImageRecord",
    .size_bytes = sizeof(dataset_tf_record),
    .settings = setting_names,
    .open = open_image_record,
    .close = close_tf_record,
    .get = get_tf_record,
};

const lpot_dataset_class lpot_dataset_class_imagenet = {
    .name = "Imagenet",
    .size_bytes = sizeof(dataset_tf_record),
    .settings = setting_names,
    .open = open_image_record,
    .close = close_tf_record,
    .get = get_tf_record,
};

const lpot_dataset_class lpot_dataset_class_voc_record = {
    .name = "VOCRecord",
    .size_bytes = sizeof(dataset_tf_record),
    .settings = voc_setting_names,
    .open = open_voc_record,
    .close = close_tf_record,
    .get = get_tf_record,
};
