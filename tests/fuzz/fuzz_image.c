/* Fuzz target: bytes as a JPEG or PNG image. */
#include <stdint.h>

#include "data/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_tensor *image = NULL;
  lpot_error err = {0};
  if (lpot_image_decode(data, size, true, &image, &err) == LPOT_OK) {
    lpot_tensor_unref(image);
  }
  return 0;
}
