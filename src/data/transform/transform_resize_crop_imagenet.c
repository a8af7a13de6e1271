/* ResizeCropImagenet: {height, width, random_crop: false, resize_side: 256, mean_value: 0}, and
 * either std_value: [0.229, 0.224, 0.225]                     (LPOT's version for ONNX Runtime), or
 *   scale, random_flip_left_right: false                 (its version for TensorFlow, and what is
 * meant without any of these in a file for TensorFlow). LPOT's schema has slice_crop, its
 * transform has not: no effect.
 * The short side to resize_side (bilinear, as Resize), the height x width rectangle in the middle
 * or anywhere, then for ONNX Runtime x / 255, (x - mean) / std and [channels, height, width] f32,
 * for TensorFlow (x - mean) * scale and [height, width, channels] f32.
 *
 * LPOT's own version mixed height and width up when it resized; this one does not, so that the
 * aspect ratio is kept. */
#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform/transpose.h"
#include "data/transform_class.h"

#define MAX_SIDE 65535
#define CHANNELS 3
#define LEAST_STD 1e-6

typedef struct imagenet_parameters {
  int64_t height, width, resize_side;
  bool random_crop, random_flip;
  bool scales; /* by scale, channels last; else by std, channels first */
  double mean[CHANNELS];
  double std[CHANNELS];
  double scale;
  lpot_interpolation interpolation;
} imagenet_parameters;

static lpot_status read_sides(imagenet_parameters *crop, const lpot_yaml_node *settings,
                              lpot_error *err) {
  const char *owner = "transform ResizeCropImagenet";
  crop->resize_side = 256;
  LPOT_TRY(lpot_transform_need_int(settings, owner, "height", 1, &crop->height, err));
  LPOT_TRY(lpot_transform_need_int(settings, owner, "width", 1, &crop->width, err));
  return lpot_setting_int(settings, "resize_side", 1, MAX_SIDE, &crop->resize_side, err);
}

/* Which version it is, and its numbers. */
static lpot_status read_numbers(imagenet_parameters *crop, const lpot_yaml_node *settings,
                                lpot_error *err) {
  const lpot_yaml_node *scale = lpot_setting_get(settings, "scale");
  const lpot_yaml_node *flip = lpot_setting_get(settings, "random_flip_left_right");
  const lpot_yaml_node *std = lpot_setting_get(settings, "std_value");
  bool unused = false;
  crop->scales = scale != NULL || flip != NULL;
  if (crop->scales && std != NULL) {
    return lpot_yaml_fail(err, std, "std_value does not go with scale or random_flip_left_right");
  }
  crop->scales =
      std == NULL && (crop->scales || lpot_transform_origin_of(settings) == LPOT_ORIGIN_TENSORFLOW);
  LPOT_TRY(lpot_transform_read_channels(settings, "mean_value", crop->mean, err));
  LPOT_TRY(lpot_transform_read_channels(settings, "std_value", crop->std, err));
  LPOT_TRY(lpot_setting_double(settings, "scale", &crop->scale, err));
  LPOT_TRY(lpot_setting_bool(settings, "random_flip_left_right", &crop->random_flip, err));
  LPOT_TRY(lpot_setting_bool(settings, "slice_crop", &unused, err));
  for (size_t i = 0; i < CHANNELS; i++) {
    if (crop->std[i] < LEAST_STD) {
      return lpot_yaml_fail(err, std, "std %g is below the least allowed, %g", crop->std[i],
                            LEAST_STD);
    }
  }
  return LPOT_OK;
}

static lpot_status parse_imagenet(void *parameters, const lpot_yaml_node *settings,
                                  lpot_error *err) {
  static const char *const names[] = {
      "height",     "width", "random_crop", "resize_side",   "mean_value",
      "std_value",  "scale", "library",     "interpolation", "random_flip_left_right",
      "slice_crop", NULL};
  imagenet_parameters *crop = parameters;
  *crop = (imagenet_parameters){.std = {0.229, 0.224, 0.225}, .scale = 1.0};
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(read_sides(crop, settings, err));
  LPOT_TRY(lpot_setting_bool(settings, "random_crop", &crop->random_crop, err));
  LPOT_TRY(read_numbers(crop, settings, err));
  return lpot_interpolation_read(settings, &crop->interpolation, err);
}

static lpot_status resize_and_crop(const imagenet_parameters *crop, lpot_rng *rng,
                                   lpot_tensor *input, lpot_tensor **ret_output, lpot_error *err) {
  lpot_tensor *resized = NULL;
  LPOT_TRY(lpot_resample_short_side(input, crop->resize_side, false, crop->interpolation, &resized,
                                    err));
  lpot_status status =
      crop->random_crop
          ? lpot_transform_crop_random(resized, crop->height, crop->width, rng, ret_output, err)
          : lpot_transform_crop_centre(resized, crop->height, crop->width, ret_output, err);
  lpot_tensor_unref(resized);
  return status;
}

static lpot_status maybe_flip(const imagenet_parameters *crop, lpot_rng *rng, lpot_tensor **image,
                              lpot_error *err) {
  if (!crop->random_flip || lpot_rng_uniform(rng) >= 0.5) {
    return LPOT_OK;
  }
  lpot_tensor *flipped = NULL;
  LPOT_TRY(lpot_transform_flip(*image, true, &flipped, err));
  lpot_tensor_unref(*image);
  *image = flipped;
  return LPOT_OK;
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

/* pixels is [count, 3]. */
static void scale_pixels(const imagenet_parameters *crop, float *pixels, int64_t count) {
  for (int64_t i = 0; i < count * CHANNELS; i++) {
    pixels[i] = (pixels[i] - (float)crop->mean[i % CHANNELS]) * (float)crop->scale;
  }
}

static lpot_status finish(const imagenet_parameters *crop, lpot_tensor *cropped,
                          lpot_tensor **ret_output, lpot_error *err) {
  static const int channels_first[] = {2, 0, 1};
  int64_t count = crop->height * crop->width;
  if (crop->scales) {
    LPOT_TRY(lpot_transform_to_f32(cropped, ret_output, err));
    scale_pixels(crop, (*ret_output)->data, count);
    return LPOT_OK;
  }
  lpot_tensor *planes = NULL;
  LPOT_TRY(lpot_transpose(cropped, channels_first, &planes, err));
  lpot_status status = lpot_transform_to_f32(planes, ret_output, err);
  lpot_tensor_unref(planes);
  LPOT_TRY(status);
  normalize_planes(crop, (*ret_output)->data, count);
  return LPOT_OK;
}

static lpot_status apply_imagenet(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                                  lpot_tensor **ret_output, lpot_error *err) {
  const imagenet_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  if (input->shape.dims[2] != CHANNELS) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected %d channels", CHANNELS);
  }
  lpot_tensor *cropped = NULL;
  LPOT_TRY(resize_and_crop(crop, rng, input, &cropped, err));
  lpot_status status = maybe_flip(crop, rng, &cropped, err);
  if (status == LPOT_OK) {
    status = finish(crop, cropped, ret_output, err);
  }
  lpot_tensor_unref(cropped);
  return status;
}

const lpot_transform_class lpot_transform_class_resize_crop_imagenet = {
    .name = "ResizeCropImagenet",
    .size_bytes = sizeof(imagenet_parameters),
    .parse = parse_imagenet,
    .apply_random = apply_imagenet,
};
