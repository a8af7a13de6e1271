/* CenterCrop: {size: 224} or {size: [height, width]}. */
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct center_crop_parameters {
  int64_t sizes[2];
} center_crop_parameters;

static lpot_status parse_center_crop(void *parameters, const lpot_yaml_node *settings,
                                     lpot_error *err) {
  static const char *const names[] = {"size", NULL};
  center_crop_parameters *crop = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  return lpot_transform_read_sides(settings, "transform CenterCrop", crop->sizes, err);
}

static lpot_status apply_center_crop(const void *parameters, lpot_tensor *input,
                                     lpot_tensor **ret_output, lpot_error *err) {
  const center_crop_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  return lpot_transform_crop_centre(input, crop->sizes[0], crop->sizes[1], ret_output, err);
}

const lpot_transform_class lpot_transform_class_center_crop = {
    .name = "CenterCrop",
    .size_bytes = sizeof(center_crop_parameters),
    .parse = parse_center_crop,
    .apply = apply_center_crop,
};
