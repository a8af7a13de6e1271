/* Cast: {dtype: float32}. Floats become integers by cutting towards zero, and stay within the
 * integer type's range; NaN becomes 0. */
#include <math.h>

#include "data/setting.h"
#include "data/transform_class.h"

typedef struct cast_parameters {
  lpot_dtype dtype;
} cast_parameters;

static const struct {
  lpot_dtype dtype;
  double low, high; /* what a double can hold exactly and the type as well */
} ranges[] = {
    {LPOT_S8, -128.0, 127.0},
    {LPOT_U8, 0.0, 255.0},
    {LPOT_S16, -32768.0, 32767.0},
    {LPOT_U16, 0.0, 65535.0},
    {LPOT_S32, -2147483648.0, 2147483647.0},
    {LPOT_U32, 0.0, 4294967295.0},
    {LPOT_S64, -9223372036854774784.0, 9223372036854774784.0},
    {LPOT_U64, 0.0, 9223372036854774784.0},
};

static lpot_status parse_cast(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"dtype", NULL};
  cast_parameters *cast = parameters;
  const char *text = "float32";
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_setting_string(settings, "dtype", &text, err));
  if (!lpot_dtype_from_text(text, &cast->dtype)) {
    return lpot_setting_fail(lpot_setting_get(settings, "dtype"), err, "unknown type '%s'", text);
  }
  return LPOT_OK;
}

static int64_t whole(double value, lpot_dtype dtype) {
  if (isnan(value)) {
    return 0;
  }
  if (dtype == LPOT_BOOL) {
    return value != 0.0 ? 1 : 0;
  }
  for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
    if (ranges[i].dtype == dtype) {
      value = fmin(fmax(value, ranges[i].low), ranges[i].high);
    }
  }
  return (int64_t)value;
}

static void cast_elements(const lpot_tensor *input, lpot_tensor *output) {
  int64_t count = lpot_tensor_elements(input);
  for (int64_t i = 0; i < count; i++) {
    double value = lpot_tensor_get_double(input, i);
    if (lpot_dtype_is_float(output->dtype)) {
      lpot_tensor_set_double(output, i, value);
    } else {
      lpot_tensor_set_int(output, i, whole(value, output->dtype));
    }
  }
}

static lpot_status apply_cast(const void *parameters, lpot_tensor *input, lpot_tensor **ret_output,
                              lpot_error *err) {
  const cast_parameters *cast = parameters;
  if (input->dtype == cast->dtype) {
    *ret_output = lpot_tensor_ref(input);
    return LPOT_OK;
  }
  if (cast->dtype == LPOT_F32) {
    return lpot_transform_to_f32(input, ret_output, err);
  }
  LPOT_TRY(lpot_tensor_new(cast->dtype, &input->shape, ret_output, err));
  cast_elements(input, *ret_output);
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_cast = {
    .name = "Cast",
    .size_bytes = sizeof(cast_parameters),
    .parse = parse_cast,
    .apply = apply_cast,
};
