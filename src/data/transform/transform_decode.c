/* DecodeImage: the bytes of a JPEG or PNG file, [size] u8, become an image. Datasets decode their
 * images themselves: an image stays as it is. ParseDecodeImagenet, ParseDecodeCoco and
 * ParseDecodeVoc, which take records apart in LPOT, are the same here. */
#include "data/image.h"
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct decode_parameters {
  bool bgr;
} decode_parameters;

static lpot_status parse_decode(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"channel_order", NULL};
  decode_parameters *decode = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  return lpot_setting_bgr(settings, &decode->bgr, err);
}

static lpot_status apply_decode(const void *parameters, lpot_tensor *input,
                                lpot_tensor **ret_output, lpot_error *err) {
  const decode_parameters *decode = parameters;
  if (input->shape.rank == 1 && input->dtype == LPOT_U8) {
    return lpot_image_decode(input->data, input->size_bytes, decode->bgr, ret_output, err);
  }
  if (lpot_transform_need_image(input, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected an image, or the bytes of one as [size] uint8");
  }
  *ret_output = lpot_tensor_ref(input);
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_decode_image = {
    .name = "DecodeImage",
    .size_bytes = sizeof(decode_parameters),
    .parse = parse_decode,
    .apply = apply_decode,
};

const lpot_transform_class lpot_transform_class_parse_decode_coco = {
    .name = "ParseDecodeCoco",
    .size_bytes = sizeof(decode_parameters),
    .parse = parse_decode,
    .apply = apply_decode,
};

const lpot_transform_class lpot_transform_class_parse_decode_imagenet = {
    .name = "ParseDecodeImagenet",
    .size_bytes = sizeof(decode_parameters),
    .parse = parse_decode,
    .apply = apply_decode,
};

const lpot_transform_class lpot_transform_class_parse_decode_voc = {
    .name = "ParseDecodeVoc",
    .size_bytes = sizeof(decode_parameters),
    .parse = parse_decode,
    .apply = apply_decode,
};
