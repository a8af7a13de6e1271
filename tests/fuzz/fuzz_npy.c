/* Fuzz target: bytes as an .npy header and as a zip archive whose entries are .npy files. */
#include <stdint.h>

#include "data/npy.h"
#include "data/zip_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_array(const uint8_t *data, size_t size) {
  lpot_npy_header header;
  lpot_error err = {0};
  if (lpot_npy_parse(data, size, &header, &err) != LPOT_OK) {
    return;
  }
  /* An accepted header must describe exactly the bytes that are there. */
  size_t elements = (size_t)lpot_shape_elements(&header.shape);
  if (header.data_offset + elements * lpot_dtype_size(header.dtype) != size) {
    __builtin_trap();
  }
}

static void read_entry(const lpot_zip_entry *entry) {
  lpot_buffer content;
  lpot_error err = {0};
  lpot_buffer_init(&content);
  if (lpot_zip_archive_read(entry, &content, &err) == LPOT_OK) {
    parse_array(content.data, content.size);
  }
  lpot_buffer_done(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_zip_archive archive = {0};
  lpot_error err = {0};
  parse_array(data, size);
  if (lpot_zip_archive_open(data, size, &archive, &err) != LPOT_OK) {
    return 0;
  }
  for (size_t i = 0; i < archive.num_entries; i++) {
    read_entry(&archive.entries[i]);
  }
  lpot_zip_archive_done(&archive);
  return 0;
}
