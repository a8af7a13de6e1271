#include "data/image.h"

#include <string.h>

#include "base/mapping.h"

void lpot_image_swap_channels(uint8_t *pixels, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    uint8_t first = pixels[i * 3];
    pixels[i * 3] = pixels[i * 3 + 2];
    pixels[i * 3 + 2] = first;
  }
}

lpot_status lpot_image_new(int64_t height, int64_t width, lpot_tensor **ret_image,
                           lpot_error *err) {
  if (height < 1 || width < 1 || height > LPOT_IMAGE_MAX_PIXELS / width) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "image of height %lld and width %lld, expected 1 to %lld pixels",
                     (long long)height, (long long)width, (long long)LPOT_IMAGE_MAX_PIXELS);
  }
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){height, width, 3});
  return lpot_tensor_new(LPOT_U8, &shape, ret_image, err);
}

static bool begins_with(const uint8_t *data, size_t size, const char *magic, size_t length) {
  return size >= length && memcmp(data, magic, length) == 0;
}

lpot_status lpot_image_decode(const uint8_t *data, size_t size, bool bgr, lpot_tensor **ret_image,
                              lpot_error *err) {
  lpot_tensor *image = NULL;
  if (begins_with(data, size, "\xff\xd8\xff", 3)) {
    LPOT_TRY(lpot_image_decode_jpeg(data, size, &image, err));
  } else if (begins_with(data, size, "\x89PNG\r\n\x1a\n", 8)) {
    LPOT_TRY(lpot_image_decode_png(data, size, &image, err));
  } else {
    return LPOT_FAIL(err, LPOT_FORMAT, "neither a JPEG nor a PNG image (%zu bytes)", size);
  }
  if (bgr) {
    lpot_image_swap_channels(image->data, lpot_tensor_elements(image) / 3);
  }
  *ret_image = image;
  return LPOT_OK;
}

lpot_status lpot_image_load(const char *path, bool bgr, lpot_tensor **ret_image, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  lpot_status status = lpot_image_decode(lpot_mapping_data(mapping), lpot_mapping_size(mapping),
                                         bgr, ret_image, err);
  lpot_mapping_unref(mapping);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "image '%s'", path);
  }
  return status;
}
