/* RandomCrop: {size: 224} or {size: [height, width]}, anywhere in the image. */
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct random_crop_parameters {
  int64_t sizes[2];
} random_crop_parameters;

static lpot_status parse_random_crop(void *parameters, const lpot_yaml_node *settings,
                                     lpot_error *err) {
  static const char *const names[] = {"size", NULL};
  random_crop_parameters *crop = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  return lpot_transform_read_sides(settings, "transform RandomCrop", crop->sizes, err);
}

static lpot_status apply_random_crop(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                                     lpot_tensor **ret_output, lpot_error *err) {
  const random_crop_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  return lpot_transform_crop_random(input, crop->sizes[0], crop->sizes[1], rng, ret_output, err);
}

const lpot_transform_class lpot_transform_class_random_crop = {
    .name = "RandomCrop",
    .size_bytes = sizeof(random_crop_parameters),
    .parse = parse_random_crop,
    .apply_random = apply_random_crop,
};
