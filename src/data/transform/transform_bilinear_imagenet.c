/* BilinearImagenet: {height, width, central_fraction: 0.875, mean_value: 0, scale: 1}. u8 / 255,
 * the central share of both sides, bilinear to height x width as OpenCV and TensorFlow do it
 * (library: pillow for the other), (x - 0.5) * 2, (x - mean_value) * scale; [height, width, 3] f32.
 */
#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform_class.h"

typedef struct bilinear_parameters {
  int64_t sizes[2];
  double central_fraction;
  double mean[3];
  double scale;
  lpot_interpolation interpolation;
} bilinear_parameters;

static lpot_status parse_bilinear(void *parameters, const lpot_yaml_node *settings,
                                  lpot_error *err) {
  static const char *const names[] = {"height", "width",         "central_fraction", "mean_value",
                                      "scale",  "interpolation", "library",          NULL};
  const char *owner = "transform BilinearImagenet";
  bilinear_parameters *bilinear = parameters;
  *bilinear = (bilinear_parameters){
      .central_fraction = 0.875, .scale = 1.0, .interpolation = LPOT_INTERPOLATION_OPENCV_BILINEAR};
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "height", 1, &bilinear->sizes[0], err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "width", 1, &bilinear->sizes[1], err));
  LPOT_TRY(lpot_setting_double(settings, "central_fraction", &bilinear->central_fraction, err));
  if (!(bilinear->central_fraction > 0.0 && bilinear->central_fraction <= 1.0)) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "central_fraction"),
                          "expected a share above 0 and at most 1, got %g",
                          bilinear->central_fraction);
  }
  LPOT_TRY(lpot_transform_read_channels(settings, "mean_value", bilinear->mean, err));
  LPOT_TRY(lpot_setting_double(settings, "scale", &bilinear->scale, err));
  return lpot_interpolation_read(settings, &bilinear->interpolation, err);
}

/* The image as f32, u8 between 0 and 1. */
static lpot_status to_unit(const lpot_tensor *input, lpot_tensor **ret_output, lpot_error *err) {
  LPOT_TRY(lpot_transform_to_f32(input, ret_output, err));
  float *values = (*ret_output)->data;
  int64_t count = input->dtype == LPOT_U8 ? lpot_tensor_elements(input) : 0;
  for (int64_t i = 0; i < count; i++) {
    values[i] /= 255.0f;
  }
  return LPOT_OK;
}

static lpot_status crop_and_resize(const bilinear_parameters *bilinear, lpot_tensor *image,
                                   lpot_tensor **ret_output, lpot_error *err) {
  int64_t height = image->shape.dims[0];
  int64_t width = image->shape.dims[1];
  int64_t top = (int64_t)(((double)height - (double)height * bilinear->central_fraction) / 2.0);
  int64_t left = (int64_t)(((double)width - (double)width * bilinear->central_fraction) / 2.0);
  return lpot_resample_box(image, top, left, height - 2 * top, width - 2 * left, bilinear->sizes,
                           bilinear->interpolation, ret_output, err);
}

static lpot_status apply_bilinear(const void *parameters, lpot_tensor *input,
                                  lpot_tensor **ret_output, lpot_error *err) {
  const bilinear_parameters *bilinear = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  lpot_tensor *unit = NULL;
  lpot_tensor *resized = NULL;
  LPOT_TRY(to_unit(input, &unit, err));
  lpot_status status = crop_and_resize(bilinear, unit, &resized, err);
  lpot_tensor_unref(unit);
  LPOT_TRY(status);
  /* Without a crop and of the right size it may be an image that others hold too. */
  status = lpot_transform_to_f32(resized, ret_output, err);
  lpot_tensor_unref(resized);
  LPOT_TRY(status);
  float *values = (*ret_output)->data;
  int64_t channels = input->shape.dims[2];
  int64_t count = lpot_tensor_elements(*ret_output);
  for (int64_t i = 0; i < count; i++) {
    int64_t channel = i % channels;
    float mean = (float)bilinear->mean[channel < 3 ? channel : 2];
    values[i] = ((values[i] - 0.5f) * 2.0f - mean) * (float)bilinear->scale;
  }
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_bilinear_imagenet = {
    .name = "BilinearImagenet",
    .size_bytes = sizeof(bilinear_parameters),
    .parse = parse_bilinear,
    .apply = apply_bilinear,
};
