#include <math.h>
#include <string.h>

#include "base/text.h"
#include "data/setting.h"
#include "data/transform_class.h"

#define MAX_SIDE 65535

static const struct {
  const char *framework;
  lpot_transform_origin origin;
} origins[] = {
    {"tensorflow", LPOT_ORIGIN_TENSORFLOW}, {"tensorflow_itex", LPOT_ORIGIN_TENSORFLOW},
    {"pytorch", LPOT_ORIGIN_PYTORCH},       {"pytorch_fx", LPOT_ORIGIN_PYTORCH},
    {"pytorch_ipex", LPOT_ORIGIN_PYTORCH},  {"mxnet", LPOT_ORIGIN_MXNET},
};

lpot_transform_origin lpot_transform_origin_of(const lpot_yaml_node *node) {
  while (node != NULL && node->parent != NULL) {
    node = node->parent;
  }
  const lpot_yaml_node *framework = lpot_setting_get(lpot_setting_get(node, "model"), "framework");
  if (framework == NULL || framework->kind != LPOT_YAML_SCALAR) {
    return LPOT_ORIGIN_OWN;
  }
  for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
    if (lpot_text_equal(framework->text, origins[i].framework)) {
      return origins[i].origin;
    }
  }
  return LPOT_ORIGIN_OWN;
}

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

lpot_status lpot_transform_crop_random(const lpot_tensor *image, int64_t height, int64_t width,
                                       lpot_rng *rng, lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (height > dims[0] || width > dims[1]) {
    return LPOT_FAIL(err, LPOT_INVALID, "the image is smaller than the crop of %lld x %lld",
                     (long long)height, (long long)width);
  }
  int64_t top = (int64_t)lpot_rng_below(rng, (uint64_t)(dims[0] - height + 1));
  int64_t left = (int64_t)lpot_rng_below(rng, (uint64_t)(dims[1] - width + 1));
  return lpot_transform_crop(image, top, left, height, width, ret_output, err);
}

lpot_status lpot_transform_flip(const lpot_tensor *image, bool mirrors_columns,
                                lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  LPOT_TRY(lpot_tensor_new(image->dtype, &image->shape, ret_output, err));
  int64_t count = mirrors_columns ? dims[1] : dims[0];
  int64_t runs = mirrors_columns ? dims[0] : 1;
  size_t item = image->size_bytes / (size_t)(count * runs);
  const uint8_t *in = image->data;
  uint8_t *out = (*ret_output)->data;
  for (int64_t run = 0; run < runs; run++) {
    for (int64_t i = 0; i < count; i++) {
      memcpy(out + (size_t)i * item, in + (size_t)(count - 1 - i) * item, item);
    }
    in += (size_t)count * item;
    out += (size_t)count * item;
  }
  return LPOT_OK;
}

/* The input position of position i of a padded side, -1 for the constant. */
static int64_t padded_position(int64_t i, int64_t size, lpot_padding_mode mode) {
  if (i >= 0 && i < size) {
    return i;
  }
  switch (mode) {
  case LPOT_PADDING_EDGE:
    return i < 0 ? 0 : size - 1;
  case LPOT_PADDING_REFLECT:
    return i < 0 ? -i : 2 * size - 2 - i;
  case LPOT_PADDING_SYMMETRIC:
    return i < 0 ? -1 - i : 2 * size - 1 - i;
  case LPOT_PADDING_CONSTANT:
    break;
  }
  return -1;
}

/* Fills all of a new image. */
static void fill_constant(lpot_tensor *image, const double value[3]) {
  int64_t channels = image->shape.dims[2];
  int64_t pixels = lpot_tensor_elements(image) / channels;
  for (int64_t c = 0; c < channels; c++) {
    double wanted = value[c < 3 ? c : 2];
    if (image->dtype == LPOT_U8) {
      wanted = nearbyint(fmin(fmax(wanted, 0.0), 255.0));
    }
    for (int64_t i = 0; i < pixels; i++) {
      lpot_tensor_set_double(image, i * channels + c, wanted);
    }
  }
}

static lpot_status check_padding(const int64_t *dims, const lpot_padding *padding,
                                 lpot_error *err) {
  static const int64_t slack[] = {[LPOT_PADDING_REFLECT] = 1, [LPOT_PADDING_SYMMETRIC] = 0};
  bool mirrors = padding->mode == LPOT_PADDING_REFLECT || padding->mode == LPOT_PADDING_SYMMETRIC;
  int64_t rows = padding->top > padding->bottom ? padding->top : padding->bottom;
  int64_t columns = padding->left > padding->right ? padding->left : padding->right;
  if (mirrors &&
      (rows > dims[0] - slack[padding->mode] || columns > dims[1] - slack[padding->mode])) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "the image is too small to be mirrored over %lld rows and "
                     "%lld columns",
                     (long long)rows, (long long)columns);
  }
  return LPOT_OK;
}

lpot_status lpot_transform_pad(const lpot_tensor *image, const lpot_padding *padding,
                               lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  LPOT_TRY(check_padding(dims, padding, err));
  int64_t height = dims[0] + padding->top + padding->bottom;
  int64_t width = dims[1] + padding->left + padding->right;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){height, width, dims[2]});
  LPOT_TRY(lpot_tensor_new(image->dtype, &shape, ret_output, err));
  if (padding->mode == LPOT_PADDING_CONSTANT) {
    fill_constant(*ret_output, padding->value);
  }
  size_t pixel = (size_t)dims[2] * lpot_dtype_size(image->dtype);
  uint8_t *out = (*ret_output)->data;
  for (int64_t row = 0; row < height; row++) {
    int64_t from_row = padded_position(row - padding->top, dims[0], padding->mode);
    for (int64_t column = 0; column < width; column++, out += pixel) {
      int64_t from = padded_position(column - padding->left, dims[1], padding->mode);
      if (from_row >= 0 && from >= 0) {
        memcpy(out, (const uint8_t *)image->data + (size_t)(from_row * dims[1] + from) * pixel,
               pixel);
      }
    }
  }
  return LPOT_OK;
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

lpot_status lpot_transform_read_sides(const lpot_yaml_node *settings, const char *owner,
                                      int64_t sizes[2], lpot_error *err) {
  size_t count = 0;
  LPOT_TRY(lpot_transform_read_size(settings, owner, sizes, &count, err));
  if (count == 1) {
    sizes[1] = sizes[0];
  }
  return LPOT_OK;
}

lpot_status lpot_transform_need_int(const lpot_yaml_node *settings, const char *owner,
                                    const char *key, int64_t minimum, int64_t *ret,
                                    lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_setting_need(settings, owner, key, &node, err));
  return lpot_yaml_int(node, minimum, MAX_SIDE, ret, err);
}

lpot_status lpot_transform_read_channels(const lpot_yaml_node *settings, const char *key,
                                         double values[3], lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, key);
  if (node == NULL) {
    return LPOT_OK;
  }
  size_t count = 0;
  LPOT_TRY(lpot_yaml_doubles(node, 3, values, &count, err));
  if (count == 1) {
    values[1] = values[0];
    values[2] = values[0];
    count = 3;
  }
  if (count != 3) {
    return lpot_yaml_fail(err, node, "expected 1 or 3 numbers, got %zu", count);
  }
  return LPOT_OK;
}
