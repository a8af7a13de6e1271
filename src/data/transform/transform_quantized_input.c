/* QuantizedInput: {dtype: int8 or uint8, scale}. x * scale, for uint8 plus 128, rounded to the
 * nearest (ties to even) and kept within the type's range; without scale nothing changes. LPOT cut
 * towards zero, which moves values by half a step. */
#include <math.h>

#include "data/setting.h"
#include "data/transform_class.h"

typedef struct quantized_parameters {
  bool is_unsigned;
  bool has_scale;
  double scale;
} quantized_parameters;

static lpot_status parse_quantized(void *parameters, const lpot_yaml_node *settings,
                                   lpot_error *err) {
  static const char *const names[] = {"dtype", "scale", NULL};
  static const char *const dtypes[] = {"int8", "uint8", NULL};
  quantized_parameters *quantized = parameters;
  const lpot_yaml_node *node = NULL;
  int dtype = 0;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  node = lpot_setting_get(settings, "dtype");
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_choice(node, dtypes, &dtype, err));
  }
  quantized->is_unsigned = dtype == 1;
  node = lpot_setting_get(settings, "scale");
  if (node == NULL) {
    return LPOT_OK;
  }
  quantized->has_scale = true;
  return lpot_yaml_double(node, &quantized->scale, err);
}

static lpot_status apply_quantized(const void *parameters, lpot_tensor *input,
                                   lpot_tensor **ret_output, lpot_error *err) {
  const quantized_parameters *quantized = parameters;
  if (!quantized->has_scale) {
    *ret_output = lpot_tensor_ref(input);
    return LPOT_OK;
  }
  double low = quantized->is_unsigned ? 0.0 : -128.0;
  double zero = quantized->is_unsigned ? 128.0 : 0.0;
  lpot_dtype dtype = quantized->is_unsigned ? LPOT_U8 : LPOT_S8;
  LPOT_TRY(lpot_tensor_new(dtype, &input->shape, ret_output, err));
  int64_t count = lpot_tensor_elements(input);
  for (int64_t i = 0; i < count; i++) {
    double value = nearbyint(lpot_tensor_get_double(input, i) * quantized->scale + zero);
    lpot_tensor_set_double(*ret_output, i, fmin(fmax(value, low), low + 255.0));
  }
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_quantized_input = {
    .name = "QuantizedInput",
    .size_bytes = sizeof(quantized_parameters),
    .parse = parse_quantized,
    .apply = apply_quantized,
};
