/* PaddedCenterCrop: {size, crop_padding: 0}. The square in the middle whose side is
 * size / (size + crop_padding) of the short side, cut to a whole number. */
#include "data/setting.h"
#include "data/transform_class.h"

#define MAX_PADDING 65535

typedef struct padded_crop_parameters {
  int64_t size, padding;
} padded_crop_parameters;

static lpot_status parse_padded_crop(void *parameters, const lpot_yaml_node *settings,
                                     lpot_error *err) {
  static const char *const names[] = {"size", "crop_padding", NULL};
  padded_crop_parameters *crop = parameters;
  int64_t sizes[2];
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_transform_read_sides(settings, "transform PaddedCenterCrop", sizes, err));
  if (sizes[0] != sizes[1]) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "size"),
                          "height %lld and width %lld differ, expected equal ones",
                          (long long)sizes[0], (long long)sizes[1]);
  }
  crop->size = sizes[0];
  return lpot_setting_int(settings, "crop_padding", 0, MAX_PADDING, &crop->padding, err);
}

static lpot_status apply_padded_crop(const void *parameters, lpot_tensor *input,
                                     lpot_tensor **ret_output, lpot_error *err) {
  const padded_crop_parameters *crop = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  const int64_t *dims = input->shape.dims;
  int64_t shortest = dims[0] < dims[1] ? dims[0] : dims[1];
  double share = (double)crop->size / (double)(crop->size + crop->padding);
  int64_t side = (int64_t)(share * (double)shortest);
  side = side < 1 ? 1 : side;
  return lpot_transform_crop(input, (dims[0] - side + 1) / 2, (dims[1] - side + 1) / 2, side, side,
                             ret_output, err);
}

const lpot_transform_class lpot_transform_class_padded_center_crop = {
    .name = "PaddedCenterCrop",
    .size_bytes = sizeof(padded_crop_parameters),
    .parse = parse_padded_crop,
    .apply = apply_padded_crop,
};
