/* ResizeCropImagenet: {height, width, resize_side: 256, mean_value: [0, 0, 0],
 * std_value: [0.229, 0.224, 0.225]}. In this order: the short side to resize_side (bilinear, as
 * Resize), the height x width rectangle in the middle, x / 255, (x - mean) / std, then
 * [channels, height, width] f32.
 *
 * LPOT's own version mixed height and width up when it resized; this one does not, so that the
 * aspect ratio is kept. Its random_crop is for training and refused when true. */
#include <math.h>

#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform/transpose.h"
#include "data/transform_class.h"

#define MAX_SIDE 65535
#define CHANNELS 3
#define LEAST_STD 1e-6

typedef struct imagenet_parameters {
  int64_t height, width, resize_side;
  double mean[CHANNELS];
  double std[CHANNELS];
} imagenet_parameters;

static lpot_status read_channels(const lpot_yaml_node *settings, const char *key, double *values,
                                 lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, key);
  if (node == NULL) {
    return LPOT_OK;
  }
  size_t count = 0;
  LPOT_TRY(lpot_yaml_doubles(node, CHANNELS, values, &count, err));
  if (count == 1) {
    values[1] = values[0];
    values[2] = values[0];
    count = CHANNELS;
  }
  if (count != CHANNELS) {
    return lpot_yaml_fail(err, node, "expected 1 or %d numbers, got %zu", CHANNELS, count);
  }
  for (size_t i = 0; i < CHANNELS; i++) {
    if (!isfinite(values[i])) {
      return lpot_yaml_fail(err, node, "number %zu is not finite", i + 1);
    }
  }
  return LPOT_OK;
}

static lpot_status read_sides(imagenet_parameters *crop, const lpot_yaml_node *settings,
                              lpot_error *err) {
  const char *owner = "transform ResizeCropImagenet";
  const lpot_yaml_node *node = NULL;
  crop->resize_side = 256;
  LPOT_TRY(lpot_setting_need(settings, owner, "height", &node, err));
  LPOT_TRY(lpot_yaml_int(node, 1, MAX_SIDE, &crop->height, err));
  LPOT_TRY(lpot_setting_need(settings, owner, "width", &node, err));
  LPOT_TRY(lpot_yaml_int(node, 1, MAX_SIDE, &crop->width, err));
  return lpot_setting_int(settings, "resize_side", 1, MAX_SIDE, &crop->resize_side, err);
}

static lpot_status parse_imagenet(void *parameters, const lpot_yaml_node *settings,
                                  lpot_error *err) {
  static const char *const names[] = {"height",     "width",     "random_crop", "resize_side",
                                      "mean_value", "std_value", NULL};
  imagenet_parameters *crop = parameters;
  *crop = (imagenet_parameters){.std = {0.229, 0.224, 0.225}};
  bool random_crop = false;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(read_sides(crop, settings, err));
  LPOT_TRY(lpot_setting_bool(settings, "random_crop", &random_crop, err));
  if (random_crop) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "random_crop"),
                          "random crops are not supported: results would not be repeatable");
  }
  LPOT_TRY(read_channels(settings, "mean_value", crop->mean, err));
  LPOT_TRY(read_channels(settings, "std_value", crop->std, err));
  for (size_t i = 0; i < CHANNELS; i++) {
    if (crop->std[i] < LEAST_STD) {
      return lpot_yaml_fail(err, lpot_setting_get(settings, "std_value"),
                            "std %g is below the least allowed, %g", crop->std[i], LEAST_STD);
    }
  }
  return LPOT_OK;
}

static lpot_status resize_and_crop(const imagenet_parameters *crop, lpot_tensor *input,
                                   lpot_tensor **ret_output, lpot_error *err) {
  lpot_tensor *resized = NULL;
  LPOT_TRY(lpot_resample_short_side(input, crop->resize_side, LPOT_INTERPOLATION_BILINEAR, &resized,
                                    err));
  lpot_status status =
      lpot_transform_crop_centre(resized, crop->height, crop->width, ret_output, err);
  lpot_tensor_unref(resized);
  return status;
}

/* planes is [3, count]. */
static void normalize_planes(const imagenet_parameters *crop, float *planes, int64_t count) {
  for (int c = 0; c < CHANNELS; c++) {
    float mean = (float)crop->mean[c];
    float std = (float)crop->std[c];
    for (int64_t i = 0; i < count; i++) {
      planes[i] = (planes[i] / 255.0f - mean) / std;
    }
    planes += count;
  }
}

static lpot_status apply_imagenet(const void *parameters, lpot_tensor *input,
                                  lpot_tensor **ret_output, lpot_error *err) {
  static const int channels_first[] = {2, 0, 1};
  const imagenet_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  if (input->shape.dims[2] != CHANNELS) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected %d channels", CHANNELS);
  }
  lpot_tensor *cropped = NULL;
  lpot_tensor *planes = NULL;
  LPOT_TRY(resize_and_crop(crop, input, &cropped, err));
  lpot_status status = lpot_transpose(cropped, channels_first, &planes, err);
  lpot_tensor_unref(cropped);
  LPOT_TRY(status);
  status = lpot_transform_to_f32(planes, ret_output, err);
  lpot_tensor_unref(planes);
  LPOT_TRY(status);
  normalize_planes(crop, (*ret_output)->data, crop->height * crop->width);
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_resize_crop_imagenet = {
    .name = "ResizeCropImagenet",
    .size_bytes = sizeof(imagenet_parameters),
    .parse = parse_imagenet,
    .apply = apply_imagenet,
};
