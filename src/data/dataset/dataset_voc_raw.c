/* VOCRaw: a folder as VOC's development kit unpacks it (VOCdevkit/VOC2012):
 *   ImageSets/Main/SET.txt   an image's name per line; what follows the name is not read
 *   JPEGImages/NAME.jpg
 *   Annotations/NAME.xml     data/voc_annotation.h
 * Classes are numbered 1 to 20 in VOC's (alphabetical) order, or as the YAML file label_map says:
 * lines "name: class". Places are taken as they stand, xmin / width and so on. */
#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/hash_map.h"
#include "base/mapping.h"
#include "base/text.h"
#include "data/detection_set.h"
#include "data/setting.h"
#include "data/voc_annotation.h"

#define MAX_NAME 256

static const char *const voc_classes[] = {
    "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",       "car",
    "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",     "motorbike",
    "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor", NULL,
};

/* What reading of the samples needs. */
typedef struct voc_source {
  lpot_path_list paths;   /* root first */
  lpot_hash_map *classes; /* owned: numbers by name */
  uint64_t hash;          /* of all annotations and classes so far */
} voc_source;

/* ---- classes ---- */

static lpot_status put_voc_classes(lpot_hash_map *classes, lpot_error *err) {
  for (int64_t i = 0; voc_classes[i] != NULL; i++) {
    LPOT_TRY(lpot_hash_map_put(classes, voc_classes[i], i + 1, err));
  }
  return LPOT_OK;
}

static lpot_status put_map(lpot_hash_map *classes, const lpot_yaml_node *root, lpot_error *err) {
  if (root == NULL || root->kind != LPOT_YAML_MAP) {
    return LPOT_FAIL(err, LPOT_CONFIG, "expected lines 'name: class'");
  }
  for (size_t i = 0; i < root->num_children; i++) {
    int64_t class_index = 0;
    LPOT_TRY(lpot_yaml_int(root->children[i], 0, LPOT_MAX_DETECTION_CLASS, &class_index, err));
    LPOT_TRY(lpot_hash_map_put(classes, root->children[i]->key, class_index, err));
  }
  return LPOT_OK;
}

static lpot_status find_classes(voc_source *source, const lpot_yaml_node *settings,
                                const char *folder, lpot_error *err) {
  const char *map = NULL;
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_hash_map_new(&source->classes, err));
  LPOT_TRY(lpot_setting_string(settings, "label_map", &map, err));
  if (map == NULL) {
    return put_voc_classes(source->classes, err);
  }
  LPOT_TRY(lpot_path_list_add(&source->paths, folder, map, err));
  lpot_status status = lpot_yaml_load(lpot_path_list_last(&source->paths), &yaml, err);
  if (status == LPOT_OK) {
    status = put_map(source->classes, lpot_yaml_root(yaml), err);
  }
  lpot_yaml_free(yaml);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "label_map '%s'", lpot_path_list_last(&source->paths));
  }
  return status;
}

/* ---- samples ---- */

static lpot_status add_objects(lpot_detection_set *set, voc_source *source,
                               const lpot_voc_annotation *annotation, lpot_error *err) {
  const lpot_voc_object *objects = (const lpot_voc_object *)(const void *)annotation->objects.data;
  size_t count = annotation->objects.size / sizeof *objects;
  for (size_t i = 0; i < count; i++) {
    const lpot_voc_object *object = &objects[i];
    lpot_truth truth = {.box = {object->ymin, object->xmin, object->ymax, object->xmax},
                        .kind = object->difficult != 0 ? LPOT_TRUTH_DIFFICULT : LPOT_TRUTH_COUNTS};
    if (!lpot_hash_map_get(source->classes, object->name, &truth.class_index)) {
      char name[LPOT_VOC_MAX_NAME];
      lpot_text_printable(object->name, name, sizeof name);
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "object %zu is a '%s', which is no known class; label_map can name others",
                       i, name);
    }
    source->hash = lpot_hash64(&truth.class_index, sizeof truth.class_index, source->hash);
    LPOT_TRY(lpot_detection_set_add(set, truth, annotation->width, annotation->height, err));
  }
  return lpot_detection_set_end_sample(set, err);
}

static lpot_status add_annotation(lpot_detection_set *set, voc_source *source, const char *path,
                                  lpot_error *err) {
  lpot_mapping *mapping = NULL;
  lpot_voc_annotation annotation = {0};
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  const uint8_t *data = lpot_mapping_data(mapping);
  size_t size = lpot_mapping_size(mapping);
  source->hash = lpot_hash64(data, size, source->hash);
  lpot_status status = lpot_voc_annotation_read(data, size, &annotation, err);
  if (status == LPOT_OK) {
    status = add_objects(set, source, &annotation, err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "'%s'", path);
  }
  lpot_voc_annotation_done(&annotation);
  lpot_mapping_unref(mapping);
  return status;
}

static lpot_status add_sample(lpot_detection_set *set, voc_source *source, const char *name,
                              lpot_error *err) {
  const char *root = source->paths.paths[0];
  lpot_path_list *files = &set->base.files;
  char part[MAX_NAME + 32];
  snprintf(part, sizeof part, "JPEGImages/%s.jpg", name);
  LPOT_TRY(lpot_path_list_add(files, root, part, err));
  if (!lpot_path_is_file(lpot_path_list_last(files))) {
    files->count--;
    set->base.num_skipped++;
    return LPOT_OK;
  }
  snprintf(part, sizeof part, "Annotations/%s.xml", name);
  LPOT_TRY(lpot_path_list_add(&source->paths, root, part, err));
  LPOT_TRY(add_annotation(set, source, lpot_path_list_last(&source->paths), err));
  source->paths.count--;
  return LPOT_OK;
}

static lpot_status add_line(lpot_detection_set *set, voc_source *source, const char *line,
                            size_t length, lpot_error *err) {
  char name[MAX_NAME];
  size_t end = 0;
  while (end < length && line[end] != ' ' && line[end] != '\t') {
    end++;
  }
  if (end == 0) {
    return LPOT_OK;
  }
  if (end >= sizeof name || memchr(line, '\0', end) != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a line that is no name");
  }
  memcpy(name, line, end);
  name[end] = '\0';
  return add_sample(set, source, name, err);
}

static lpot_status read_set(lpot_detection_set *set, voc_source *source, const char *path,
                            lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  const char *text = (const char *)lpot_mapping_data(mapping);
  const char *end = lpot_mapping_size(mapping) == 0 ? text : text + lpot_mapping_size(mapping);
  const char *line = NULL;
  size_t length = 0;
  lpot_status status = LPOT_OK;
  while (status == LPOT_OK && lpot_text_next_line(&text, end, &line, &length)) {
    status = add_line(set, source, line, length, err);
  }
  lpot_mapping_unref(mapping);
  if (status == LPOT_OK && set->base.size == 0) {
    status =
        LPOT_FAIL(err, LPOT_NOT_FOUND, "none of the images that '%s' lists is in '%s/JPEGImages'",
                  path, source->paths.paths[0]);
  }
  return status;
}

/* ---- opening ---- */

static lpot_status open_samples(lpot_detection_set *set, voc_source *source,
                                const lpot_yaml_node *settings, const char *folder,
                                lpot_error *err) {
  const lpot_yaml_node *root_node = NULL;
  const char *root = NULL;
  const char *image_set = "val";
  char part[MAX_NAME + 32];
  LPOT_TRY(lpot_setting_need(settings, "dataset VOCRaw", "root", &root_node, err));
  LPOT_TRY(lpot_yaml_string(root_node, &root, err));
  LPOT_TRY(lpot_setting_string(settings, "image_set", &image_set, err));
  if (strlen(image_set) >= MAX_NAME) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "image_set"), "a name that is too long");
  }
  LPOT_TRY(lpot_path_list_add(&source->paths, folder, root, err));
  LPOT_TRY(find_classes(source, settings, folder, err));
  snprintf(part, sizeof part, "ImageSets/Main/%s.txt", image_set);
  LPOT_TRY(lpot_path_list_add(&source->paths, source->paths.paths[0], part, err));
  const char *list = lpot_path_list_last(&source->paths);
  if (!lpot_path_is_file(list)) {
    return lpot_setting_fail(settings, err, "dataset VOCRaw: image_set: there is no file '%s'",
                             list);
  }
  LPOT_TRY(read_set(set, source, list, err));
  return lpot_buffer_printf(&set->base.identity, err, "annotations %016llx bgr %d",
                            (unsigned long long)source->hash, (int)set->bgr);
}

static const char *const setting_names[] = {"root", "image_set", "label_map", "channel_order",
                                            NULL};

static lpot_status open_voc_raw(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                const char *folder, lpot_error *err) {
  lpot_detection_set *set = (lpot_detection_set *)dataset;
  voc_source source = {0};
  dataset->ragged_labels = true;
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  lpot_status status = open_samples(set, &source, settings, folder, err);
  lpot_hash_map_free(source.classes);
  lpot_path_list_done(&source.paths);
  return status;
}

const lpot_dataset_class lpot_dataset_class_voc_raw = {
    .name = "VOCRaw",
    .size_bytes = sizeof(lpot_detection_set),
    .settings = setting_names,
    .open = open_voc_raw,
    .close = lpot_detection_set_done,
    .get = lpot_detection_set_get_image,
    .num_boxes = lpot_detection_set_num_boxes,
};
