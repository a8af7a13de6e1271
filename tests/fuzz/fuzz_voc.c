/* Fuzz target: bytes as VOC's annotation of an image. */
#include <stdint.h>

#include "data/voc_annotation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_voc_annotation annotation = {0};
  lpot_error err = {0};
  if (lpot_voc_annotation_read(data, size, &annotation, &err) == LPOT_OK) {
    lpot_voc_annotation_done(&annotation);
  }
  return 0;
}
