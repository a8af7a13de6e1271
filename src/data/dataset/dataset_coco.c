/* COCORaw: COCO's images and its file of annotations (data/coco_file.h). COCONpy: the same with
 * images that were made into arrays, NAME.npy in place of NAME.jpg.
 *
 * Samples stand in the order of their ids; classes are category ids. Images without objects are
 * samples, too; those without a file are left out and counted; annotations of images that are not
 * listed do not count. */
#include <string.h>

#include "base/checksum.h"
#include "base/hash_map.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/coco_file.h"
#include "data/detection_set.h"
#include "data/npy.h"
#include "data/setting.h"

static lpot_status add_objects(lpot_detection_set *set, const lpot_coco_image *image,
                               const lpot_coco_annotation *annotations, size_t count,
                               lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    const double *box = annotations[i].box;
    lpot_truth truth = {.box = {box[1], box[0], box[1] + box[3], box[0] + box[2]},
                        .class_index = annotations[i].category,
                        .kind = annotations[i].crowd != 0 ? LPOT_TRUTH_CROWD : LPOT_TRUTH_COUNTS};
    lpot_status status = lpot_detection_set_add(set, truth, image->width, image->height, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "annotation %lld", (long long)annotations[i].id);
      return status;
    }
  }
  return LPOT_OK;
}

/* What the settings say of the samples' files. */
typedef struct coco_place {
  const char *folder;    /* of the images */
  bool is_npy;           /* .npy in place of the name's ending */
  lpot_hash_map *chosen; /* owned: names that image_list holds; NULL: all */
} coco_place;

/* The name without its ending. */
static size_t stem_length(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
}

/* Adds the file of an image; false where it is not wanted or does not exist. */
static lpot_status add_file(lpot_detection_set *set, lpot_coco_file *file, const coco_place *place,
                            const char *name, bool *ret_added, lpot_error *err) {
  lpot_path_list *files = &set->base.files;
  char *stem = lpot_arena_strndup(file->arena, name, stem_length(name));
  char *npy = stem == NULL ? NULL : lpot_arena_printf(file->arena, "%s.npy", stem);
  if (npy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int64_t ignored = 0;
  if (place->chosen != NULL && !lpot_hash_map_get(place->chosen, stem, &ignored)) {
    *ret_added = false;
    return LPOT_OK;
  }
  LPOT_TRY(lpot_path_list_add(files, place->folder, place->is_npy ? npy : name, err));
  *ret_added = lpot_path_is_file(lpot_path_list_last(files));
  if (!*ret_added) {
    files->count--;
    set->base.num_skipped++;
  }
  return LPOT_OK;
}

static lpot_status add_sample(lpot_detection_set *set, lpot_coco_file *file,
                              const coco_place *place, const lpot_coco_image *image,
                              const lpot_coco_annotation *annotations, size_t count,
                              lpot_error *err) {
  bool added = false;
  LPOT_TRY(add_file(set, file, place, image->name, &added, err));
  if (!added) {
    return LPOT_OK;
  }
  LPOT_TRY(add_objects(set, image, annotations, count, err));
  return lpot_detection_set_end_sample(set, err);
}

static lpot_status add_samples(lpot_detection_set *set, lpot_coco_file *file,
                               const coco_place *place, lpot_error *err) {
  const lpot_coco_annotation *annotations = file->annotations;
  size_t at = 0;
  for (size_t i = 0; i < file->num_images; i++) {
    const lpot_coco_image *image = &file->images[i];
    while (at < file->num_annotations && annotations[at].image < image->id) {
      at++;
    }
    size_t first = at;
    while (at < file->num_annotations && annotations[at].image == image->id) {
      at++;
    }
    const lpot_coco_annotation *own = at > first ? annotations + first : NULL;
    LPOT_TRY(add_sample(set, file, place, image, own, at - first, err));
  }
  return LPOT_OK;
}

static lpot_status load(lpot_detection_set *set, const char *path, const coco_place *place,
                        lpot_error *err) {
  lpot_mapping *mapping = NULL;
  lpot_coco_file file = {0};
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  lpot_status status =
      lpot_coco_file_read(lpot_mapping_data(mapping), lpot_mapping_size(mapping), &file, err);
  if (status == LPOT_OK) {
    status = add_samples(set, &file, place, err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "'%s'", path);
  }
  lpot_digest digest = lpot_digest_of(lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_coco_file_done(&file);
  lpot_mapping_unref(mapping);
  LPOT_TRY(status);
  /* The labels count for the manifest however many images there are. */
  return lpot_buffer_printf(&set->base.identity, err, "annotations %016llx%016llx bgr %d",
                            (unsigned long long)digest.high, (unsigned long long)digest.low,
                            (int)set->bgr);
}

/* ---- opening ---- */

/* Paths of the settings: root, then what stands below it. */
typedef struct coco_paths {
  lpot_path_list list;
  const char *images;
  const char *annotations;
} coco_paths;

static lpot_status find_paths(coco_paths *paths, const lpot_yaml_node *settings, const char *folder,
                              const char *owner, const char *folder_key, lpot_error *err) {
  const lpot_yaml_node *root_node = NULL;
  const char *root = NULL;
  const char *images = "val2017";
  const char *annotations = "annotations/instances_val2017.json";
  int64_t num_cores = 0; /* Of LPOT: how many threads read. */
  LPOT_TRY(lpot_setting_int(settings, "num_cores", 1, 1 << 20, &num_cores, err));
  LPOT_TRY(lpot_setting_need(settings, owner, "root", &root_node, err));
  LPOT_TRY(lpot_yaml_string(root_node, &root, err));
  LPOT_TRY(lpot_setting_string(settings, folder_key, &images, err));
  LPOT_TRY(lpot_setting_string(settings, "anno_dir", &annotations, err));
  LPOT_TRY(lpot_path_list_add(&paths->list, folder, root, err));
  LPOT_TRY(lpot_path_list_add(&paths->list, paths->list.paths[0], images, err));
  paths->images = lpot_path_list_last(&paths->list);
  LPOT_TRY(lpot_path_list_add(&paths->list, paths->list.paths[0], annotations, err));
  paths->annotations = lpot_path_list_last(&paths->list);
  if (!lpot_path_is_folder(paths->images)) {
    return lpot_setting_fail(settings, err, "%s: %s: there is no folder '%s'", owner, folder_key,
                             paths->images);
  }
  if (!lpot_path_is_file(paths->annotations)) {
    return lpot_setting_fail(settings, err, "%s: anno_dir: there is no file '%s'", owner,
                             paths->annotations);
  }
  return LPOT_OK;
}

static lpot_status open_samples(lpot_detection_set *set, const coco_paths *paths,
                                const coco_place *place, lpot_error *err) {
  set->base.ragged_labels = true;
  LPOT_TRY(load(set, paths->annotations, place, err));
  if (set->base.size == 0) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND,
                     "dataset %s: none of the images that '%s' lists is in '%s'",
                     set->base.class_of->name, paths->annotations, paths->images);
  }
  return lpot_path_list_add(&set->base.files, NULL, paths->annotations, err);
}

static const char *const raw_settings[] = {"root",      "img_dir",       "anno_dir",
                                           "num_cores", "channel_order", NULL};

static lpot_status open_coco_raw(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                 const char *folder, lpot_error *err) {
  lpot_detection_set *set = (lpot_detection_set *)dataset;
  coco_paths paths = {0};
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  lpot_status status = find_paths(&paths, settings, folder, "dataset COCORaw", "img_dir", err);
  if (status == LPOT_OK) {
    status = open_samples(set, &paths, &(coco_place){.folder = paths.images}, err);
  }
  lpot_path_list_done(&paths.list);
  return status;
}

static lpot_status put_line(lpot_hash_map *chosen, const char *line, size_t length,
                            lpot_error *err) {
  char name[512];
  if (length >= sizeof name || memchr(line, '\0', length) != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a line that is no name");
  }
  memcpy(name, line, length);
  name[length] = '\0';
  name[stem_length(name)] = '\0';
  return lpot_hash_map_put(chosen, name, 1, err);
}

/* The names in the file of image_list, one a line, with or without their endings. */
static lpot_status read_chosen(const char *path, lpot_hash_map *chosen, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  const char *text = (const char *)lpot_mapping_data(mapping);
  const char *end = lpot_mapping_size(mapping) == 0 ? text : text + lpot_mapping_size(mapping);
  const char *line = NULL;
  size_t length = 0;
  lpot_status status = LPOT_OK;
  while (status == LPOT_OK && lpot_text_next_line(&text, end, &line, &length)) {
    status = length == 0 ? LPOT_OK : put_line(chosen, line, length, err);
  }
  lpot_mapping_unref(mapping);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "'%s'", path);
  }
  return status;
}

static lpot_status choose(coco_paths *paths, coco_place *place, const lpot_yaml_node *settings,
                          const char *folder, lpot_error *err) {
  const char *list = NULL;
  LPOT_TRY(lpot_setting_string(settings, "image_list", &list, err));
  if (list == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_path_list_add(&paths->list, folder, list, err));
  LPOT_TRY(lpot_hash_map_new(&place->chosen, err));
  return read_chosen(lpot_path_list_last(&paths->list), place->chosen, err);
}

static const char *const npy_settings[] = {"root",       "npy_dir",   "anno_dir",
                                           "image_list", "num_cores", NULL};

static lpot_status open_coco_npy(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                 const char *folder, lpot_error *err) {
  coco_paths paths = {0};
  coco_place place = {.is_npy = true};
  lpot_status status = find_paths(&paths, settings, folder, "dataset COCONpy", "npy_dir", err);
  if (status == LPOT_OK) {
    place.folder = paths.images;
    status = choose(&paths, &place, settings, folder, err);
  }
  if (status == LPOT_OK) {
    status = open_samples((lpot_detection_set *)dataset, &paths, &place, err);
  }
  lpot_hash_map_free(place.chosen);
  lpot_path_list_done(&paths.list);
  return status;
}

static lpot_status get_coco_npy(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                                lpot_error *err) {
  LPOT_TRY(lpot_npy_load(dataset->files.paths[index], &sample->inputs[0], err));
  sample->num_inputs = 1;
  return lpot_detection_set_label((const lpot_detection_set *)dataset, index, &sample->label, err);
}

const lpot_dataset_class lpot_dataset_class_coco_raw = {
    .name = "COCORaw",
    .size_bytes = sizeof(lpot_detection_set),
    .settings = raw_settings,
    .open = open_coco_raw,
    .close = lpot_detection_set_done,
    .get = lpot_detection_set_get_image,
    .num_boxes = lpot_detection_set_num_boxes,
};
const lpot_dataset_class lpot_dataset_class_coco_npy = {
    .name = "COCONpy",
    .size_bytes = sizeof(lpot_detection_set),
    .settings = npy_settings,
    .open = open_coco_npy,
    .close = lpot_detection_set_done,
    .get = get_coco_npy,
    .num_boxes = lpot_detection_set_num_boxes,
};
