/* Resize: {size: 256} to a short side of 256, {size: [224, 320]} to height 224 and width 320;
 * interpolation: bilinear, nearest or bicubic as library: pillow or opencv does it, or OpenCV's
 * area. In files for TensorFlow and MXNet one number means both sides, as it did in LPOT. */
#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform_class.h"

typedef struct resize_parameters {
  int64_t sizes[2];
  size_t num_sizes;
  bool cuts; /* one size: the long side is cut to a whole number, not rounded */
  lpot_interpolation interpolation;
} resize_parameters;

static lpot_status parse_resize(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"size", "interpolation", "library", NULL};
  resize_parameters *resize = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_read_size(settings, "transform Resize", resize->sizes, &resize->num_sizes,
                                    err));
  lpot_transform_origin origin = lpot_transform_origin_of(settings);
  resize->cuts = origin == LPOT_ORIGIN_PYTORCH;
  bool squares = origin == LPOT_ORIGIN_TENSORFLOW || origin == LPOT_ORIGIN_MXNET;
  if (resize->num_sizes == 1 && squares) {
    resize->sizes[1] = resize->sizes[0];
    resize->num_sizes = 2;
  }
  return lpot_interpolation_read(settings, &resize->interpolation, err);
}

static lpot_status apply_resize(const void *parameters, lpot_tensor *input,
                                lpot_tensor **ret_output, lpot_error *err) {
  const resize_parameters *resize = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  if (resize->num_sizes == 1) {
    return lpot_resample_short_side(input, resize->sizes[0], resize->cuts, resize->interpolation,
                                    ret_output, err);
  }
  return lpot_resample(input, resize->sizes[0], resize->sizes[1], resize->interpolation, ret_output,
                       err);
}

const lpot_transform_class lpot_transform_class_resize = {
    .name = "Resize",
    .size_bytes = sizeof(resize_parameters),
    .parse = parse_resize,
    .apply = apply_resize,
};
