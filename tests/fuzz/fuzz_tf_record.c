/* Fuzz target: bytes as a file of TFRecords that hold tf.Examples, and as a tf.Example itself. */
#include <stdint.h>

#include "data/tf_example.h"
#include "data/tf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_example(const uint8_t *data, size_t size) {
  static const char *const names[] = {"image/encoded", "image/class/label",
                                      "image/segmentation/class/encoded", "a"};
  lpot_error err = {0};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const uint8_t *bytes = NULL;
    size_t length = 0;
    int64_t number = 0;
    lpot_wire_field list;
    if (lpot_tf_example_bytes(data, size, names[i], &bytes, &length, &err) == LPOT_OK &&
        (bytes < data || length > (size_t)(data + size - bytes))) {
      __builtin_trap();
    }
    lpot_status status = lpot_tf_example_int(data, size, names[i], &number, &err);
    status = lpot_tf_example_list(data, size, names[i], LPOT_TF_FLOATS, &list, &err);
    (void)status;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_reader reader;
  lpot_error err = {0};
  read_example(data, size);
  lpot_reader_init(&reader, data, size);
  while (lpot_reader_remaining(&reader) > 0) {
    size_t offset = 0;
    size_t length = 0;
    if (lpot_tf_record_next(&reader, &offset, &length, &err) != LPOT_OK) {
      return 0;
    }
    lpot_status status = lpot_tf_record_check(data, offset, length, &err);
    (void)status;
    read_example(data + offset, length);
  }
  return 0;
}
