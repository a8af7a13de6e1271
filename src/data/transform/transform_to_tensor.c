/* ToTensor: an image becomes [channels, height, width] f32; u8 is divided by 255. */
#include "data/setting.h"
#include "data/transform/transpose.h"
#include "data/transform_class.h"

typedef struct to_tensor_parameters {
  float divisor; /* of u8 images */
} to_tensor_parameters;

static lpot_status parse_to_tensor(void *parameters, const lpot_yaml_node *settings,
                                   lpot_error *err) {
  static const char *const names[] = {NULL};
  to_tensor_parameters *to_tensor = parameters;
  to_tensor->divisor = 255.0f;
  return lpot_setting_check(settings, names, err);
}

static lpot_status apply_to_tensor(const void *parameters, lpot_tensor *input,
                                   lpot_tensor **ret_output, lpot_error *err) {
  static const int channels_first[] = {2, 0, 1};
  const to_tensor_parameters *to_tensor = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  lpot_tensor *planes = NULL;
  LPOT_TRY(lpot_transpose(input, channels_first, &planes, err));
  lpot_status status = lpot_transform_to_f32(planes, ret_output, err);
  lpot_tensor_unref(planes);
  LPOT_TRY(status);
  float *values = (*ret_output)->data;
  int64_t count = input->dtype == LPOT_U8 ? lpot_tensor_elements(*ret_output) : 0;
  for (int64_t i = 0; i < count; i++) {
    values[i] /= to_tensor->divisor;
  }
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_to_tensor = {
    .name = "ToTensor",
    .size_bytes = sizeof(to_tensor_parameters),
    .parse = parse_to_tensor,
    .apply = apply_to_tensor,
};
