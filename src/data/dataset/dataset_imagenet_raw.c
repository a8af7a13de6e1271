/* ImagenetRaw: images in the folder data_path, named with their labels by a list of lines
 *   NAME LABEL
 * image_list names the list; without it val_map.txt in data_path or beside it is taken. Images
 * that do not exist are left out and counted. */
#include "data/dataset_class.h"

#include <string.h>

#include "base/checksum.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/image.h"
#include "data/setting.h"

#define MAX_LINE 4096

typedef struct dataset_imagenet_raw {
  lpot_dataset base; /* files are the samples, and behind them the list */
  bool bgr;
  int64_t *labels; /* [size] owned */
} dataset_imagenet_raw;

/* Cuts a line in two at its last blank. */
static bool split_line(const char *line, size_t length, char name[MAX_LINE], int64_t *label) {
  if (length >= MAX_LINE || memchr(line, '\0', length) != NULL) {
    return false;
  }
  memcpy(name, line, length);
  name[length] = '\0';
  size_t cut = length;
  while (cut > 0 && name[cut - 1] != ' ' && name[cut - 1] != '\t') {
    cut--;
  }
  if (cut == 0 || !lpot_text_to_int64(name + cut, label)) {
    return false;
  }
  while (cut > 0 && (name[cut - 1] == ' ' || name[cut - 1] == '\t')) {
    cut--;
  }
  name[cut] = '\0';
  return cut > 0;
}

static size_t count_lines(const char *text, const char *end) {
  size_t count = 1;
  for (; text < end; text++) {
    count += *text == '\n' ? 1 : 0;
  }
  return count;
}

static lpot_status add_image(dataset_imagenet_raw *set, const char *data_path, const char *name,
                             int64_t label, lpot_error *err) {
  lpot_path_list *files = &set->base.files;
  LPOT_TRY(lpot_path_list_add(files, data_path, name, err));
  if (!lpot_path_is_file(lpot_path_list_last(files))) {
    files->count--;
    set->base.num_skipped++;
    return LPOT_OK;
  }
  set->labels[set->base.size] = label;
  set->base.size++;
  return LPOT_OK;
}

static lpot_status read_list(dataset_imagenet_raw *set, const char *data_path, const char *list,
                             const lpot_mapping *mapping, lpot_error *err) {
  const char *text = (const char *)lpot_mapping_data(mapping);
  size_t size = lpot_mapping_size(mapping);
  const char *end = size == 0 ? text : text + size;
  set->labels = lpot_calloc(size == 0 ? 0 : count_lines(text, end), sizeof(*set->labels));
  if (set->labels == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const char *line = NULL;
  size_t length = 0;
  for (int number = 1; lpot_text_next_line(&text, end, &line, &length); number++) {
    char name[MAX_LINE];
    int64_t label = 0;
    if (length == 0) {
      continue;
    }
    if (!split_line(line, length, name, &label)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "%s:%d: expected 'name label'", list, number);
    }
    LPOT_TRY(add_image(set, data_path, name, label, err));
  }
  if (set->base.size == 0) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND,
                     "dataset ImagenetRaw: setting data_path: none of the %lld images that '%s' "
                     "lists is in '%s'",
                     (long long)set->base.num_skipped, list, data_path);
  }
  return LPOT_OK;
}

/* Appends the list's path to paths, whose first one is data_path. */
static lpot_status find_list(lpot_path_list *paths, const char *folder, const char *image_list,
                             lpot_error *err) {
  if (image_list != NULL) {
    LPOT_TRY(lpot_path_list_add(paths, folder, image_list, err));
    if (!lpot_path_is_file(lpot_path_list_last(paths))) {
      return LPOT_FAIL(err, LPOT_NOT_FOUND,
                       "dataset ImagenetRaw: setting image_list: '%s' does not exist",
                       lpot_path_list_last(paths));
    }
    return LPOT_OK;
  }
  static const char *const usual[] = {"val_map.txt", "../val_map.txt"};
  for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
    LPOT_TRY(lpot_path_list_add(paths, paths->paths[0], usual[i], err));
    if (lpot_path_is_file(lpot_path_list_last(paths))) {
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_NOT_FOUND,
                   "dataset ImagenetRaw: no val_map.txt in '%s' or beside it; the setting "
                   "image_list can name another list",
                   paths->paths[0]);
}

static lpot_status open_list(dataset_imagenet_raw *set, lpot_path_list *paths, const char *folder,
                             const char *image_list, lpot_error *err) {
  LPOT_TRY(find_list(paths, folder, image_list, err));
  const char *list = lpot_path_list_last(paths);
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(list, &mapping, err));
  lpot_status status = read_list(set, paths->paths[0], list, mapping, err);
  lpot_digest digest = lpot_digest_of(lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_mapping_unref(mapping);
  LPOT_TRY(status);
  /* The labels count for the manifest however many images there are. */
  LPOT_TRY(lpot_buffer_printf(&set->base.identity, err, "list %016llx%016llx ",
                              (unsigned long long)digest.high, (unsigned long long)digest.low));
  return lpot_path_list_add(&set->base.files, NULL, list, err);
}

static const char *const setting_names[] = {"data_path", "image_list", "channel_order", NULL};

static lpot_status open_imagenet_raw(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                     const char *folder, lpot_error *err) {
  dataset_imagenet_raw *set = (dataset_imagenet_raw *)dataset;
  const lpot_yaml_node *path_node = NULL;
  const char *data_path = NULL;
  const char *image_list = NULL;
  LPOT_TRY(lpot_setting_need(settings, "dataset ImagenetRaw", "data_path", &path_node, err));
  LPOT_TRY(lpot_yaml_string(path_node, &data_path, err));
  LPOT_TRY(lpot_setting_string(settings, "image_list", &image_list, err));
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  lpot_path_list paths = {0};
  lpot_status status = lpot_path_list_add(&paths, folder, data_path, err);
  if (status == LPOT_OK) {
    status = open_list(set, &paths, folder, image_list, err);
  }
  lpot_path_list_done(&paths);
  LPOT_TRY(status);
  return lpot_buffer_printf(&dataset->identity, err, "bgr %d", (int)set->bgr);
}

static void close_imagenet_raw(lpot_dataset *dataset) {
  lpot_free(((dataset_imagenet_raw *)dataset)->labels);
}

static lpot_status get_imagenet_raw(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                                    lpot_error *err) {
  const dataset_imagenet_raw *set = (const dataset_imagenet_raw *)dataset;
  LPOT_TRY(lpot_image_load(dataset->files.paths[index], set->bgr, &sample->inputs[0], err));
  sample->num_inputs = 1;
  return lpot_sample_set_class(sample, set->labels[index], err);
}

const lpot_dataset_class lpot_dataset_class_imagenet_raw = {
    .name = "ImagenetRaw",
    .size_bytes = sizeof(dataset_imagenet_raw),
    .settings = setting_names,
    .open = open_imagenet_raw,
    .close = close_imagenet_raw,
    .get = get_imagenet_raw,
};
