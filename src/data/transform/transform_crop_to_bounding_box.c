/* CropToBoundingBox: {offset_height, offset_width, target_height, target_width}. */
#include "data/setting.h"
#include "data/transform_class.h"

#define MAX_SIDE 1000000

typedef struct bounding_box_parameters {
  int64_t top, left, height, width;
} bounding_box_parameters;

static lpot_status need_int(const lpot_yaml_node *settings, const char *key, int64_t minimum,
                            int64_t *ret, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_setting_need(settings, "transform CropToBoundingBox", key, &node, err));
  return lpot_yaml_int(node, minimum, MAX_SIDE, ret, err);
}

static lpot_status parse_bounding_box(void *parameters, const lpot_yaml_node *settings,
                                      lpot_error *err) {
  static const char *const names[] = {"offset_height", "offset_width", "target_height",
                                      "target_width", NULL};
  bounding_box_parameters *box = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(need_int(settings, "offset_height", 0, &box->top, err));
  LPOT_TRY(need_int(settings, "offset_width", 0, &box->left, err));
  LPOT_TRY(need_int(settings, "target_height", 1, &box->height, err));
  return need_int(settings, "target_width", 1, &box->width, err);
}

static lpot_status apply_bounding_box(const void *parameters, lpot_tensor *input,
                                      lpot_tensor **ret_output, lpot_error *err) {
  const bounding_box_parameters *box = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  return lpot_transform_crop(input, box->top, box->left, box->height, box->width, ret_output, err);
}

const lpot_transform_class lpot_transform_class_crop_to_bounding_box = {
    .name = "CropToBoundingBox",
    .size_bytes = sizeof(bounding_box_parameters),
    .parse = parse_bounding_box,
    .apply = apply_bounding_box,
};
