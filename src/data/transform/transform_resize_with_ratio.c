/* ResizeWithRatio: {min_dim: 800, max_dim: 1365, padding: false, constant_value: 0}. Enlarges an
 * image until its short side is min_dim (a larger one stays), but so far only that its long side is
 * at most max_dim, to which a longer one shrinks; 0 is no limit. padding: true puts it in the
 * middle of max_dim x max_dim, and boxes of labels with it. LPOT mixed height and width up when it
 * resized; this does not. */
#include <math.h>

#include "data/setting.h"
#include "data/transform/resample.h"
#include "data/transform_class.h"

#define MAX_SIDE 65535

typedef struct ratio_parameters {
  int64_t min_side, max_side; /* 0: none */
  bool pads;
  double value[3];
  lpot_interpolation interpolation;
} ratio_parameters;

static lpot_status parse_ratio(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"min_dim",       "max_dim", "padding", "constant_value",
                                      "interpolation", "library", NULL};
  ratio_parameters *ratio = parameters;
  *ratio = (ratio_parameters){
      .min_side = 800, .max_side = 1365, .interpolation = LPOT_INTERPOLATION_OPENCV_BILINEAR};
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_setting_int(settings, "min_dim", 0, MAX_SIDE, &ratio->min_side, err));
  LPOT_TRY(lpot_setting_int(settings, "max_dim", 0, MAX_SIDE, &ratio->max_side, err));
  LPOT_TRY(lpot_setting_bool(settings, "padding", &ratio->pads, err));
  if (ratio->pads && ratio->max_side == 0) {
    return lpot_setting_fail(lpot_setting_get(settings, "padding"), err,
                             "padding: true needs a max_dim above 0");
  }
  LPOT_TRY(lpot_transform_read_channels(settings, "constant_value", ratio->value, err));
  return lpot_interpolation_read(settings, &ratio->interpolation, err);
}

static double scale_of(const ratio_parameters *ratio, double height, double width) {
  double scale = 1.0;
  if (ratio->min_side > 0) {
    scale = fmax(1.0, (double)ratio->min_side / fmin(height, width));
  }
  double longest = fmax(height, width);
  if (ratio->max_side > 0 && nearbyint(longest * scale) > (double)ratio->max_side) {
    scale = (double)ratio->max_side / longest;
  }
  return scale;
}

/* Height and width of the image before it is padded. */
static void sizes_of(const ratio_parameters *ratio, const lpot_tensor *input, int64_t sizes[2]) {
  double height = (double)input->shape.dims[0];
  double width = (double)input->shape.dims[1];
  double scale = scale_of(ratio, height, width);
  sizes[0] = (int64_t)fmax(1.0, nearbyint(height * scale));
  sizes[1] = (int64_t)fmax(1.0, nearbyint(width * scale));
}

static void place_ratio(const void *parameters, const lpot_tensor *input, const lpot_tensor *output,
                        double shift[2], double stretch[2]) {
  int64_t sizes[2];
  sizes_of(parameters, input, sizes);
  for (int i = 0; i < 2; i++) {
    double side = (double)output->shape.dims[i];
    shift[i] = (double)((output->shape.dims[i] - sizes[i]) / 2) / side;
    stretch[i] = (double)sizes[i] / side;
  }
}

static lpot_status apply_ratio(const void *parameters, lpot_tensor *input, lpot_tensor **ret_output,
                               lpot_error *err) {
  const ratio_parameters *ratio = parameters;
  int64_t sizes[2];
  LPOT_TRY(lpot_transform_need_image(input, err));
  sizes_of(ratio, input, sizes);
  lpot_tensor *resized = NULL;
  LPOT_TRY(lpot_resample(input, sizes[0], sizes[1], ratio->interpolation, &resized, err));
  if (!ratio->pads) {
    *ret_output = resized;
    return LPOT_OK;
  }
  int64_t rows = ratio->max_side - sizes[0];
  int64_t columns = ratio->max_side - sizes[1];
  lpot_padding padding = {.top = rows / 2,
                          .bottom = rows - rows / 2,
                          .left = columns / 2,
                          .right = columns - columns / 2,
                          .value = {ratio->value[0], ratio->value[1], ratio->value[2]}};
  lpot_status status = lpot_transform_pad(resized, &padding, ret_output, err);
  lpot_tensor_unref(resized);
  return status;
}

const lpot_transform_class lpot_transform_class_resize_with_ratio = {
    .name = "ResizeWithRatio",
    .size_bytes = sizeof(ratio_parameters),
    .parse = parse_ratio,
    .apply = apply_ratio,
    .place = place_ratio,
};
