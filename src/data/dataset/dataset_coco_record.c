/* COCORecord: images and boxes in the TFRecord file root, as TensorFlow's conversion of COCO writes
 * it. Each record is a tf.Example:
 *   image/encoded                        a JPEG or PNG file
 *   image/object/bbox/xmin ymin xmax ymax  lists of f32, fractions of the image
 *   image/object/class/label             list of int64, or without it
 *   image/object/class/text              list of COCO's names (of older conversions)
 *   image/object/is_crowd                list of int64; (optional)
 * A record that has none of the lists of boxes and classes is an image without objects. The file
 * stays mapped; opening reads the boxes of all records, the rest of a record is checked when it is
 * read. */
#include <stdio.h>
#include <string.h>

#include "base/mapping.h"
#include "base/text.h"
#include "data/coco_names.h"
#include "data/detection_set.h"
#include "data/image.h"
#include "data/setting.h"
#include "data/tf_example.h"
#include "data/tf_record.h"

#define NUM_PLACES 4
#define CLASS_NUMBERS "image/object/class/label"
#define CLASS_NAMES "image/object/class/text"

static const char *const place_names[NUM_PLACES] = {
    "image/object/bbox/ymin", "image/object/bbox/xmin", "image/object/bbox/ymax",
    "image/object/bbox/xmax"};

typedef struct record_place {
  size_t offset, size;
} record_place;

typedef struct dataset_coco_record {
  lpot_detection_set set;
  lpot_mapping *mapping; /* owned */
  lpot_buffer places;    /* owned: record_place of each sample */
} dataset_coco_record;

/* Cursors over the lists of one record, which go on together. */
typedef struct object_lists {
  lpot_wire_scalars places[NUM_PLACES];
  lpot_wire_scalars classes;
  lpot_wire names; /* in the place of classes, where has_names */
  lpot_wire_scalars crowds;
  bool has_names, has_crowds;
} object_lists;

static lpot_status open_list(const uint8_t *data, size_t size, const char *name, lpot_tf_kind kind,
                             lpot_wire_scalars *ret, lpot_error *err) {
  lpot_wire_field list;
  lpot_wire_type type = kind == LPOT_TF_FLOATS ? LPOT_WIRE_FIXED32 : LPOT_WIRE_VARINT;
  LPOT_TRY(lpot_tf_example_list(data, size, name, kind, &list, err));
  return lpot_wire_scalars_init(ret, &list, 1, type, err);
}

static lpot_status open_classes(const uint8_t *data, size_t size, object_lists *lists,
                                lpot_error *err) {
  bool has_numbers = false;
  LPOT_TRY(lpot_tf_example_has(data, size, CLASS_NUMBERS, &has_numbers, err));
  LPOT_TRY(lpot_tf_example_has(data, size, CLASS_NAMES, &lists->has_names, err));
  lists->has_names = lists->has_names && !has_numbers;
  if (!lists->has_names) {
    return open_list(data, size, CLASS_NUMBERS, LPOT_TF_INTS, &lists->classes, err);
  }
  lpot_wire_field list;
  LPOT_TRY(lpot_tf_example_list(data, size, CLASS_NAMES, LPOT_TF_BYTES, &list, err));
  return lpot_wire_enter(&list, &lists->names, err);
}

static lpot_status open_lists(const uint8_t *data, size_t size, object_lists *lists,
                              lpot_error *err) {
  for (size_t i = 0; i < NUM_PLACES; i++) {
    LPOT_TRY(open_list(data, size, place_names[i], LPOT_TF_FLOATS, &lists->places[i], err));
  }
  LPOT_TRY(open_classes(data, size, lists, err));
  /* Where the list is missing, nothing is a crowd. */
  lists->has_crowds =
      open_list(data, size, "image/object/is_crowd", LPOT_TF_INTS, &lists->crowds, NULL) == LPOT_OK;
  return LPOT_OK;
}

/* The next number of a list that must have one wherever the classes have. */
static lpot_status next_of(lpot_wire_scalars *list, const char *name, uint64_t *ret_bits,
                           lpot_error *err) {
  bool found = false;
  LPOT_TRY(lpot_wire_scalars_next(list, &found, ret_bits, err));
  if (!found) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the feature '%s' has fewer values than there are classes",
                     name);
  }
  return LPOT_OK;
}

static lpot_status class_of_name(const lpot_wire_field *name, int64_t *ret_class, lpot_error *err) {
  LPOT_TRY(lpot_wire_expect(name, LPOT_WIRE_BYTES, err));
  if (!lpot_coco_class_of(name->data, name->size, ret_class)) {
    char cut[48];
    char shown[48];
    snprintf(cut, sizeof cut, "%.*s", (int)(name->size < sizeof cut ? name->size : sizeof cut - 1),
             (const char *)name->data);
    lpot_text_printable(cut, shown, sizeof shown);
    return LPOT_FAIL(err, LPOT_FORMAT, "the feature '%s' has '%s', which is no class of COCO",
                     CLASS_NAMES, shown);
  }
  return LPOT_OK;
}

/* The class of the next object; *ret_found is false at the end. */
static lpot_status next_class(object_lists *lists, int64_t *ret_class, bool *ret_found,
                              lpot_error *err) {
  uint64_t bits = 0;
  *ret_found = false;
  if (!lists->has_names) {
    LPOT_TRY(lpot_wire_scalars_next(&lists->classes, ret_found, &bits, err));
    *ret_class = (int64_t)bits;
    return LPOT_OK;
  }
  while (!*ret_found && lpot_wire_more(&lists->names)) {
    lpot_wire_field name;
    LPOT_TRY(lpot_wire_next(&lists->names, &name, err));
    if (name.number == 1) {
      LPOT_TRY(class_of_name(&name, ret_class, err));
      *ret_found = true;
    }
  }
  return LPOT_OK;
}

/* Reads one object; *ret_found is false at the end of the classes. */
static lpot_status next_object(object_lists *lists, lpot_truth *truth, bool *ret_found,
                               lpot_error *err) {
  uint64_t bits = 0;
  uint64_t crowd = 0;
  double at[NUM_PLACES] = {0};
  LPOT_TRY(next_class(lists, &truth->class_index, ret_found, err));
  if (!*ret_found) {
    return LPOT_OK;
  }
  for (size_t i = 0; i < NUM_PLACES; i++) {
    LPOT_TRY(next_of(&lists->places[i], place_names[i], &bits, err));
    at[i] = (double)lpot_wire_float_of_bits((uint32_t)bits);
  }
  if (lists->has_crowds) {
    LPOT_TRY(next_of(&lists->crowds, "image/object/is_crowd", &crowd, err));
  }
  truth->box = (lpot_box){at[0], at[1], at[2], at[3]};
  truth->kind = crowd != 0 ? LPOT_TRUTH_CROWD : LPOT_TRUTH_COUNTS;
  return LPOT_OK;
}

/* TensorFlow's conversion leaves all lists out where an image has no annotation. */
static lpot_status has_objects(const uint8_t *data, size_t size, bool *ret_has, lpot_error *err) {
  static const char *const classes[] = {CLASS_NUMBERS, CLASS_NAMES};
  *ret_has = false;
  for (size_t i = 0; !*ret_has && i < NUM_PLACES; i++) {
    LPOT_TRY(lpot_tf_example_has(data, size, place_names[i], ret_has, err));
  }
  for (size_t i = 0; !*ret_has && i < 2; i++) {
    LPOT_TRY(lpot_tf_example_has(data, size, classes[i], ret_has, err));
  }
  return LPOT_OK;
}

static lpot_status add_objects(dataset_coco_record *self, const uint8_t *data, size_t size,
                               lpot_error *err) {
  object_lists lists = {0};
  lpot_truth truth = {0};
  bool more = false;
  LPOT_TRY(has_objects(data, size, &more, err));
  if (more) {
    LPOT_TRY(open_lists(data, size, &lists, err));
    LPOT_TRY(next_object(&lists, &truth, &more, err));
  }
  while (more) {
    LPOT_TRY(lpot_detection_set_add(&self->set, truth, 1, 1, err));
    LPOT_TRY(next_object(&lists, &truth, &more, err));
  }
  return lpot_detection_set_end_sample(&self->set, err);
}

static lpot_status add_record(dataset_coco_record *self, const record_place *place,
                              lpot_error *err) {
  const uint8_t *data = lpot_mapping_data(self->mapping);
  LPOT_TRY(lpot_buffer_append(&self->places, place, sizeof *place, err));
  lpot_status status = add_objects(self, data + place->offset, place->size, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "record at offset %zu", place->offset);
  }
  return status;
}

static lpot_status add_records(dataset_coco_record *self, lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, lpot_mapping_data(self->mapping), lpot_mapping_size(self->mapping));
  while (lpot_reader_remaining(&reader) > 0) {
    record_place place = {0};
    LPOT_TRY(lpot_tf_record_next(&reader, &place.offset, &place.size, err));
    LPOT_TRY(add_record(self, &place, err));
  }
  if (self->set.base.size == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "no record");
  }
  return LPOT_OK;
}

static const char *const setting_names[] = {"root", "num_cores", "channel_order", NULL};

static lpot_status open_coco_record(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                    const char *folder, lpot_error *err) {
  dataset_coco_record *self = (dataset_coco_record *)dataset;
  const lpot_yaml_node *root = NULL;
  const char *text = NULL;
  int64_t num_cores = 0; /* Of LPOT: how many threads read. */
  dataset->ragged_labels = true;
  LPOT_TRY(lpot_setting_need(settings, "dataset COCORecord", "root", &root, err));
  LPOT_TRY(lpot_yaml_string(root, &text, err));
  LPOT_TRY(lpot_setting_int(settings, "num_cores", 1, 1 << 20, &num_cores, err));
  LPOT_TRY(lpot_setting_bgr(settings, &self->set.bgr, err));
  LPOT_TRY(lpot_path_list_add(&dataset->files, folder, text, err));
  LPOT_TRY(lpot_mapping_open(dataset->files.paths[0], &self->mapping, err));
  lpot_status status = add_records(self, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "TFRecord file '%s'", dataset->files.paths[0]);
    return status;
  }
  return lpot_buffer_printf(&dataset->identity, err, "bgr %d", (int)self->set.bgr);
}

static void close_coco_record(lpot_dataset *dataset) {
  dataset_coco_record *self = (dataset_coco_record *)dataset;
  lpot_mapping_unref(self->mapping);
  lpot_buffer_done(&self->places);
  lpot_detection_set_done(dataset);
}

static lpot_status read_image(const dataset_coco_record *self, const record_place *place,
                              lpot_sample *sample, lpot_error *err) {
  const uint8_t *file = lpot_mapping_data(self->mapping);
  const uint8_t *image = NULL;
  size_t size = 0;
  LPOT_TRY(lpot_tf_record_check(file, place->offset, place->size, err));
  LPOT_TRY(lpot_tf_example_bytes(file + place->offset, place->size, "image/encoded", &image, &size,
                                 err));
  return lpot_image_decode(image, size, self->set.bgr, &sample->inputs[0], err);
}

static lpot_status get_coco_record(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                                   lpot_error *err) {
  const dataset_coco_record *self = (const dataset_coco_record *)dataset;
  const record_place *place = (const record_place *)(const void *)self->places.data + index;
  lpot_status status = read_image(self, place, sample, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "TFRecord file '%s': record at offset %zu", dataset->files.paths[0],
                      place->offset);
    return status;
  }
  sample->num_inputs = 1;
  return lpot_detection_set_label(&self->set, index, &sample->label, err);
}

const lpot_dataset_class lpot_dataset_class_coco_record = {
    .name = "COCORecord",
    .size_bytes = sizeof(dataset_coco_record),
    .settings = setting_names,
    .open = open_coco_record,
    .close = close_coco_record,
    .get = get_coco_record,
    .num_boxes = lpot_detection_set_num_boxes,
};
