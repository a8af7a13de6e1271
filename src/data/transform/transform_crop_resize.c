/* CropResize: {x, y, width, height, size, interpolation: bilinear, library: pillow}. The rectangle
 * at column x and row y, resized to size: 224 squared or [height, width]. */
#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform_class.h"

typedef struct crop_resize_parameters {
  int64_t x, y, width, height;
  int64_t sizes[2];
  lpot_interpolation interpolation;
} crop_resize_parameters;

static lpot_status parse_crop_resize(void *parameters, const lpot_yaml_node *settings,
                                     lpot_error *err) {
  static const char *const names[] = {"x",       "y", "width", "height", "size", "interpolation",
                                      "library", NULL};
  const char *owner = "transform CropResize";
  crop_resize_parameters *crop = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "x", 0, &crop->x, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "y", 0, &crop->y, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "width", 1, &crop->width, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "height", 1, &crop->height, err));
  LPOT_TRY(lpot_transform_read_sides(settings, owner, crop->sizes, err));
  return lpot_interpolation_read(settings, &crop->interpolation, err);
}

static lpot_status apply_crop_resize(const void *parameters, lpot_tensor *input,
                                     lpot_tensor **ret_output, lpot_error *err) {
  const crop_resize_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  return lpot_resample_box(input, crop->y, crop->x, crop->height, crop->width, crop->sizes,
                           crop->interpolation, ret_output, err);
}

const lpot_transform_class lpot_transform_class_crop_resize = {
    .name = "CropResize",
    .size_bytes = sizeof(crop_resize_parameters),
    .parse = parse_crop_resize,
    .apply = apply_crop_resize,
};
