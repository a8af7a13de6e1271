/* Fuzz target: bytes as COCO's file of annotations. */
#include <stdint.h>

#include "data/coco_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_coco_file file = {0};
  lpot_error err = {0};
  if (lpot_coco_file_read(data, size, &file, &err) == LPOT_OK) {
    lpot_coco_file_done(&file);
  }
  return 0;
}
