#include <string.h>

#include "data/setting.h"
#include "data/transform_class.h"

#define MAX_SIDE 65535

lpot_status lpot_transform_need_image(const lpot_tensor *tensor, lpot_error *err) {
  const lpot_shape *shape = &tensor->shape;
  if (shape->rank != 3 || lpot_shape_elements(shape) == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected an image [height, width, channels]");
  }
  if (tensor->dtype != LPOT_U8 && tensor->dtype != LPOT_F32) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected an image of uint8 or float32");
  }
  return LPOT_OK;
}

lpot_status lpot_transform_crop(const lpot_tensor *image, int64_t top, int64_t left, int64_t height,
                                int64_t width, lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (top < 0 || left < 0 || height > dims[0] - top || width > dims[1] - left) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "the rectangle of height %lld and width %lld at row %lld, column %lld is not "
                     "within the image",
                     (long long)height, (long long)width, (long long)top, (long long)left);
  }
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){height, width, dims[2]});
  LPOT_TRY(lpot_tensor_new(image->dtype, &shape, ret_output, err));
  size_t pixel_bytes = (size_t)dims[2] * lpot_dtype_size(image->dtype);
  size_t source_step = (size_t)dims[1] * pixel_bytes;
  size_t target_step = (size_t)width * pixel_bytes;
  const uint8_t *source =
      (const uint8_t *)image->data + (size_t)top * source_step + (size_t)left * pixel_bytes;
  uint8_t *target = (*ret_output)->data;
  for (int64_t row = 0; row < height; row++) {
    memcpy(target, source, target_step);
    source += source_step;
    target += target_step;
  }
  return LPOT_OK;
}

/* Half of a difference, rounded half to even. */
static int64_t half_of(int64_t difference) {
  int64_t half = difference / 2;
  return difference % 2 == 1 && half % 2 == 1 ? half + 1 : half;
}

lpot_status lpot_transform_crop_centre(const lpot_tensor *image, int64_t height, int64_t width,
                                       lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (height > dims[0] || width > dims[1]) {
    return LPOT_FAIL(err, LPOT_INVALID, "the image is smaller than the crop of %lld x %lld",
                     (long long)height, (long long)width);
  }
  return lpot_transform_crop(image, half_of(dims[0] - height), half_of(dims[1] - width), height,
                             width, ret_output, err);
}

static void convert_u8(const uint8_t *in, int64_t count, float *out) {
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)in[i];
  }
}

lpot_status lpot_transform_to_f32(const lpot_tensor *tensor, lpot_tensor **ret_output,
                                  lpot_error *err) {
  if (tensor->dtype == LPOT_F32) {
    return lpot_tensor_copy_of(LPOT_F32, &tensor->shape, tensor->data, ret_output, err);
  }
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &tensor->shape, ret_output, err));
  int64_t count = lpot_tensor_elements(tensor);
  float *out = (*ret_output)->data;
  if (tensor->dtype == LPOT_U8) {
    convert_u8(tensor->data, count, out);
    return LPOT_OK;
  }
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)lpot_tensor_get_double(tensor, i);
  }
  return LPOT_OK;
}

lpot_status lpot_transform_read_size(const lpot_yaml_node *settings, const char *owner,
                                     int64_t sizes[2], size_t *ret_count, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_setting_need(settings, owner, "size", &node, err));
  LPOT_TRY(lpot_yaml_ints(node, 2, sizes, &count, err));
  if (count == 0) {
    return lpot_yaml_fail(err, node, "expected one size, or height and width");
  }
  for (size_t i = 0; i < count; i++) {
    if (sizes[i] < 1 || sizes[i] > MAX_SIDE) {
      return lpot_yaml_fail(err, node, "size %lld, expected 1 to %d", (long long)sizes[i],
                            MAX_SIDE);
    }
  }
  *ret_count = count;
  return LPOT_OK;
}
