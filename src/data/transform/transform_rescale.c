/* Rescale: x / 255 as f32. */
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct rescale_parameters {
  float divisor;
} rescale_parameters;

static lpot_status parse_rescale(void *parameters, const lpot_yaml_node *settings,
                                 lpot_error *err) {
  static const char *const names[] = {NULL};
  rescale_parameters *rescale = parameters;
  rescale->divisor = 255.0f;
  return lpot_setting_check(settings, names, err);
}

static lpot_status apply_rescale(const void *parameters, lpot_tensor *input,
                                 lpot_tensor **ret_output, lpot_error *err) {
  const rescale_parameters *rescale = parameters;
  LPOT_TRY(lpot_transform_to_f32(input, ret_output, err));
  float *values = (*ret_output)->data;
  int64_t count = lpot_tensor_elements(*ret_output);
  for (int64_t i = 0; i < count; i++) {
    values[i] /= rescale->divisor;
  }
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_rescale = {
    .name = "Rescale",
    .size_bytes = sizeof(rescale_parameters),
    .parse = parse_rescale,
    .apply = apply_rescale,
};
