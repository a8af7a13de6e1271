/* EncodeJpeg: {quality: 95}. An image of u8 with 1 or 3 channels becomes the bytes of a JPEG file,
 * [size] u8, for DecodeImage. */
#include "data/image.h"
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct encode_parameters {
  int64_t quality;
} encode_parameters;

static lpot_status parse_encode(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"quality", NULL};
  encode_parameters *encode = parameters;
  encode->quality = 95;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  return lpot_setting_int(settings, "quality", 1, 100, &encode->quality, err);
}

static lpot_status apply_encode(const void *parameters, lpot_tensor *input,
                                lpot_tensor **ret_output, lpot_error *err) {
  const encode_parameters *encode = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  lpot_status status = lpot_image_encode_jpeg(input, (int)encode->quality, &bytes, err);
  if (status == LPOT_OK) {
    lpot_shape shape = lpot_shape_of(1, (const int64_t[]){(int64_t)bytes.size});
    status = lpot_tensor_copy_of(LPOT_U8, &shape, bytes.data, ret_output, err);
  }
  lpot_buffer_done(&bytes);
  return status;
}

const lpot_transform_class lpot_transform_class_encode_jpeg = {
    .name = "EncodeJpeg",
    .size_bytes = sizeof(encode_parameters),
    .parse = parse_encode,
    .apply = apply_encode,
};
