/* CropToBoundingBox: {offset_height, offset_width, target_height, target_width}. */
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct bounding_box_parameters {
  int64_t top, left, height, width;
} bounding_box_parameters;

static lpot_status parse_bounding_box(void *parameters, const lpot_yaml_node *settings,
                                      lpot_error *err) {
  static const char *const names[] = {"offset_height", "offset_width", "target_height",
                                      "target_width", NULL};
  const char *owner = "transform CropToBoundingBox";
  bounding_box_parameters *box = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "offset_height", 0, &box->top, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "offset_width", 0, &box->left, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "target_height", 1, &box->height, err));
  return lpot_transform_need_int(settings, owner, "target_width", 1, &box->width, err);
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
