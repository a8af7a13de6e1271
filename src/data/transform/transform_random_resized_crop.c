/* RandomResizedCrop: {size, scale: [0.08, 1.0], ratio: [0.75, 1.3333], interpolation, library}. A
 * rectangle whose area is a uniform share of the image's between the numbers of scale, and whose
 * width over height is between those of ratio, uniform in its logarithm, resized to size. After ten
 * draws that do not fit, the largest one in the middle that ratio allows. */
#include <math.h>

#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform_class.h"

#define ATTEMPTS 10

typedef struct resized_crop_parameters {
  int64_t sizes[2];
  double scale[2];
  double ratio[2];
  lpot_interpolation interpolation;
} resized_crop_parameters;

typedef struct rectangle {
  int64_t top, left, height, width;
} rectangle;

/* Two positive numbers in rising order. */
static lpot_status read_range(const lpot_yaml_node *settings, const char *key, double range[2],
                              lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, key);
  if (node == NULL) {
    return LPOT_OK;
  }
  size_t count = 0;
  LPOT_TRY(lpot_yaml_doubles(node, 2, range, &count, err));
  if (count != 2 || !(range[0] > 0.0 && range[0] <= range[1])) {
    return lpot_yaml_fail(err, node, "expected a smallest and a largest number above 0");
  }
  return LPOT_OK;
}

static lpot_status parse_resized_crop(void *parameters, const lpot_yaml_node *settings,
                                      lpot_error *err) {
  static const char *const names[] = {"size", "scale", "ratio", "interpolation", "library", NULL};
  resized_crop_parameters *crop = parameters;
  *crop = (resized_crop_parameters){.scale = {0.08, 1.0}, .ratio = {3.0 / 4.0, 4.0 / 3.0}};
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_read_sides(settings, "transform RandomResizedCrop", crop->sizes, err));
  LPOT_TRY(read_range(settings, "scale", crop->scale, err));
  if (crop->scale[1] > 1.0) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "scale"),
                          "expected shares of the image's area, at most 1");
  }
  LPOT_TRY(read_range(settings, "ratio", crop->ratio, err));
  return lpot_interpolation_read(settings, &crop->interpolation, err);
}

static double uniform(lpot_rng *rng, double low, double high) {
  return low + (high - low) * lpot_rng_uniform(rng);
}

/* The largest rectangle in the middle whose ratio is allowed. */
static rectangle middle(const resized_crop_parameters *crop, int64_t height, int64_t width) {
  rectangle box = {.height = height, .width = width};
  double ratio = (double)width / (double)height;
  if (ratio < crop->ratio[0]) {
    box.height = (int64_t)nearbyint((double)width / crop->ratio[0]);
  } else if (ratio > crop->ratio[1]) {
    box.width = (int64_t)nearbyint((double)height * crop->ratio[1]);
  }
  box.height = box.height < 1 ? 1 : box.height;
  box.width = box.width < 1 ? 1 : box.width;
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

static rectangle draw(const resized_crop_parameters *crop, int64_t height, int64_t width,
                      lpot_rng *rng) {
  for (int i = 0; i < ATTEMPTS; i++) {
    double area = (double)height * (double)width * uniform(rng, crop->scale[0], crop->scale[1]);
    double ratio = exp(uniform(rng, log(crop->ratio[0]), log(crop->ratio[1])));
    double box_width = nearbyint(sqrt(area * ratio));
    double box_height = nearbyint(sqrt(area / ratio));
    if (box_width >= 1.0 && box_height >= 1.0 && box_width <= (double)width &&
        box_height <= (double)height) {
      rectangle box = {.height = (int64_t)box_height, .width = (int64_t)box_width};
      box.top = (int64_t)lpot_rng_below(rng, (uint64_t)(height - box.height + 1));
      box.left = (int64_t)lpot_rng_below(rng, (uint64_t)(width - box.width + 1));
      return box;
    }
  }
  return middle(crop, height, width);
}

static lpot_status apply_resized_crop(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                                      lpot_tensor **ret_output, lpot_error *err) {
  const resized_crop_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  rectangle box = draw(crop, input->shape.dims[0], input->shape.dims[1], rng);
  return lpot_resample_box(input, box.top, box.left, box.height, box.width, crop->sizes,
                           crop->interpolation, ret_output, err);
}

const lpot_transform_class lpot_transform_class_random_resized_crop = {
    .name = "RandomResizedCrop",
    .size_bytes = sizeof(resized_crop_parameters),
    .parse = parse_resized_crop,
    .apply_random = apply_resized_crop,
};
