#include "base/memory.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/dataset_class.h"
#include "data/setting.h"

static lpot_status read_size(const lpot_yaml_node *settings, int64_t *size, lpot_error *err) {
  static const char *const filters[] = {"LabelBalance", NULL};
  static const char *const names[] = {"size", NULL};
  static const char *const later[] = {NULL};
  size_t index = 0;
  if (settings->kind != LPOT_YAML_MAP || settings->num_children != 1) {
    return lpot_yaml_fail(err, settings, "expected a map with one key, the filter's name");
  }
  const lpot_yaml_node *node = settings->children[0];
  LPOT_TRY(lpot_setting_find_name(node, "filter", node->key, filters, later, &index, err));
  LPOT_TRY(lpot_setting_check(node, names, err));
  LPOT_TRY(lpot_setting_need(node, "filter LabelBalance", "size", &node, err));
  return lpot_yaml_int(node, 1, INT64_C(1) << 30, size, err);
}

lpot_status lpot_dataset_check_filter(const lpot_yaml_node *settings, lpot_error *err) {
  int64_t size = 0;
  LPOT_TRY(read_size(settings, &size, err));
  return LPOT_OK;
}

lpot_status lpot_dataset_filter(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                lpot_error *err) {
  int64_t size = 0;
  LPOT_TRY(read_size(settings, &size, err));
  if (dataset->class_of->num_boxes == NULL) {
    return lpot_yaml_fail(err, settings, "filter LabelBalance: labels of dataset %s are not boxes",
                          dataset->class_of->name);
  }
  LPOT_ASSERT(dataset->kept == NULL);
  int64_t *kept = lpot_calloc((size_t)dataset->size, sizeof *kept);
  if (kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int64_t count = 0;
  for (int64_t i = 0; i < dataset->size; i++) {
    if (dataset->class_of->num_boxes(dataset, i) == size) {
      kept[count++] = i;
    }
  }
  dataset->kept = kept;
  dataset->size = count;
  if (count == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "filter LabelBalance: no image has exactly %lld objects",
                     (long long)size);
  }
  return lpot_buffer_printf(&dataset->identity, err, " LabelBalance %lld", (long long)size);
}
