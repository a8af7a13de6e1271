/* AlignImageChannel: {dim: 3}, the number of channels wanted. [height, width] and one channel
 * become dim equal ones, 4 channels lose the last, 3 become the one grey channel. */
#include "data/setting.h"
#include "data/transform/colour.h"
#include "data/transform_class.h"

#define MAX_CHANNELS 4

typedef struct align_parameters {
  int64_t channels;
} align_parameters;

static lpot_status parse_align(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"dim", NULL};
  align_parameters *align = parameters;
  align->channels = 3;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  return lpot_setting_int(settings, "dim", 1, MAX_CHANNELS, &align->channels, err);
}

/* Makes output, [height, width, wanted], of the first channels of input: wanted of them, or the
 * only one again and again. */
static lpot_status take_channels(const lpot_tensor *input, int64_t found, int64_t wanted,
                                 lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = input->shape.dims;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){dims[0], dims[1], wanted});
  LPOT_TRY(lpot_tensor_new(input->dtype, &shape, ret_output, err));
  int64_t pixels = dims[0] * dims[1];
  for (int64_t i = 0; i < pixels; i++) {
    for (int64_t c = 0; c < wanted; c++) {
      double value = lpot_tensor_get_double(input, i * found + (found == 1 ? 0 : c));
      lpot_tensor_set_double(*ret_output, i * wanted + c, value);
    }
  }
  return LPOT_OK;
}

static lpot_status apply_align(const void *parameters, lpot_tensor *input, lpot_tensor **ret_output,
                               lpot_error *err) {
  const align_parameters *align = parameters;
  const lpot_shape *shape = &input->shape;
  bool is_plane = shape->rank == 2 && lpot_shape_elements(shape) > 0 &&
                  (input->dtype == LPOT_U8 || input->dtype == LPOT_F32);
  if (!is_plane) {
    LPOT_TRY(lpot_transform_need_image(input, err));
  }
  int64_t found = is_plane ? 1 : shape->dims[2];
  if (!is_plane && found == align->channels) {
    *ret_output = lpot_tensor_ref(input);
    return LPOT_OK;
  }
  if (found == 1 || (found == 4 && align->channels == 3)) {
    return take_channels(input, found, align->channels, ret_output, err);
  }
  if (found == 3 && align->channels == 1) {
    return lpot_colour_grey(input, ret_output, err);
  }
  return LPOT_FAIL(err, LPOT_INVALID, "cannot make %lld channels of %lld",
                   (long long)align->channels, (long long)found);
}

const lpot_transform_class lpot_transform_class_align_image_channel = {
    .name = "AlignImageChannel",
    .size_bytes = sizeof(align_parameters),
    .parse = parse_align,
    .apply = apply_align,
};
