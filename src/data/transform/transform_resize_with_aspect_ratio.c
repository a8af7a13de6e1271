/* ResizeWithAspectRatio: {height, width, scale: 87.5, interpolation: area, library: opencv}. The
 * short side becomes 100 / scale of the height (or width) that a crop will take, the long one keeps
 * the aspect ratio; all are cut to whole numbers. */
#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform_class.h"

typedef struct aspect_parameters {
  int64_t height, width;
  double percent;
  lpot_interpolation interpolation;
} aspect_parameters;

static lpot_status parse_aspect(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"height", "width", "scale", "interpolation", "library", NULL};
  const char *owner = "transform ResizeWithAspectRatio";
  aspect_parameters *aspect = parameters;
  *aspect = (aspect_parameters){.percent = 87.5, .interpolation = LPOT_INTERPOLATION_OPENCV_AREA};
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "height", 1, &aspect->height, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "width", 1, &aspect->width, err));
  LPOT_TRY(lpot_setting_double(settings, "scale", &aspect->percent, err));
  if (!(aspect->percent >= 1.0 && aspect->percent <= 100.0)) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "scale"),
                          "expected percent, 1 to 100, got %g", aspect->percent);
  }
  return lpot_interpolation_read(settings, &aspect->interpolation, err);
}

static lpot_status apply_aspect(const void *parameters, lpot_tensor *input,
                                lpot_tensor **ret_output, lpot_error *err) {
  const aspect_parameters *aspect = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  int64_t height = input->shape.dims[0];
  int64_t width = input->shape.dims[1];
  int64_t new_height = (int64_t)(100.0 * (double)aspect->height / aspect->percent);
  int64_t new_width = (int64_t)(100.0 * (double)aspect->width / aspect->percent);
  if (height > width) {
    new_height = new_height * height / width;
  } else {
    new_width = new_width * width / height;
  }
  return lpot_resample(input, new_height, new_width, aspect->interpolation, ret_output, err);
}

const lpot_transform_class lpot_transform_class_resize_with_aspect_ratio = {
    .name = "ResizeWithAspectRatio",
    .size_bytes = sizeof(aspect_parameters),
    .parse = parse_aspect,
    .apply = apply_aspect,
};
