/* tf.Example, the protocol buffer in most TFRecord files:
 *   Example  = { 1: Features }
 *   Features = { 1: { 1: name, 2: Feature } }                         repeated
 *   Feature  = { 1: bytes list | 2: list of f32 | 3: list of int64 }
 *   list     = { 1: value }                                           repeated, numbers may be
 * packed Bytes are borrowed. Messages name what is missing. */
#ifndef LPOT_DATA_TF_EXAMPLE_H
#define LPOT_DATA_TF_EXAMPLE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/protobuf_wire.h"

typedef enum lpot_tf_kind { LPOT_TF_BYTES = 1, LPOT_TF_FLOATS = 2, LPOT_TF_INTS = 3 } lpot_tf_kind;

/* The list of the feature called name, of that kind, as a message field: numbers are read by
 * lpot_wire_scalars (number 1). LPOT_FORMAT when it is missing or of another kind; the last one
 * counts where there are several. */
LPOT_MUST_CHECK lpot_status lpot_tf_example_list(const uint8_t *data, size_t size, const char *name,
                                                 lpot_tf_kind kind, lpot_wire_field *ret_list,
                                                 lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_tf_example_has(const uint8_t *data, size_t size, const char *name,
                                                bool *ret_has, lpot_error *err);
/* The only string of bytes, and the only number, of a feature. */
LPOT_MUST_CHECK lpot_status lpot_tf_example_bytes(const uint8_t *data, size_t size,
                                                  const char *name, const uint8_t **ret_data,
                                                  size_t *ret_size, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_tf_example_int(const uint8_t *data, size_t size, const char *name,
                                                int64_t *ret_value, lpot_error *err);

#endif
