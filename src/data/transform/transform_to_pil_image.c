/* ToPILImage: what ToTensor makes, [1 to 4 channels, height, width] f32 between 0 and 1, becomes an
 * image [height, width, channels] u8, cut towards zero and kept within 0 to 255. u8 is an image
 * already and stays. */
#include <math.h>

#include "data/setting.h"
#include "data/transform/transpose.h"
#include "data/transform_class.h"

typedef struct to_pil_image_parameters {
  float factor;
} to_pil_image_parameters;

static lpot_status parse_to_pil_image(void *parameters, const lpot_yaml_node *settings,
                                      lpot_error *err) {
  static const char *const names[] = {NULL};
  to_pil_image_parameters *to_image = parameters;
  to_image->factor = 255.0f;
  return lpot_setting_check(settings, names, err);
}

static lpot_status apply_to_pil_image(const void *parameters, lpot_tensor *input,
                                      lpot_tensor **ret_output, lpot_error *err) {
  static const int channels_last[] = {1, 2, 0};
  const to_pil_image_parameters *to_image = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  if (input->dtype == LPOT_U8) {
    *ret_output = lpot_tensor_ref(input);
    return LPOT_OK;
  }
  if (input->shape.dims[0] > 4) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected [1 to 4 channels, height, width]");
  }
  lpot_tensor *pixels = NULL;
  LPOT_TRY(lpot_transpose(input, channels_last, &pixels, err));
  lpot_status status = lpot_tensor_new(LPOT_U8, &pixels->shape, ret_output, err);
  if (status == LPOT_OK) {
    const float *in = pixels->data;
    uint8_t *out = (*ret_output)->data;
    int64_t count = lpot_tensor_elements(pixels);
    for (int64_t i = 0; i < count; i++) {
      out[i] = (uint8_t)fminf(fmaxf(in[i] * to_image->factor, 0.0f), 255.0f);
    }
  }
  lpot_tensor_unref(pixels);
  return status;
}

const lpot_transform_class lpot_transform_class_to_pil_image = {
    .name = "ToPILImage",
    .size_bytes = sizeof(to_pil_image_parameters),
    .parse = parse_to_pil_image,
    .apply = apply_to_pil_image,
};
