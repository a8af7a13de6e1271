/* Headers of .npy files:
 *   magic "\x93NUMPY" | u8 major | u8 minor | header length: u16 (version 1) or u32 (2, 3)
 *   | text {'descr': '<f4', 'fortran_order': False, 'shape': (100, 3), } | data
 * The text is read by a small parser that knows these three keys and nothing else. */
#ifndef LPOT_DATA_NPY_H
#define LPOT_DATA_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

typedef struct lpot_npy_header {
  lpot_dtype dtype;
  lpot_shape shape;
  size_t data_offset; /* where the elements begin; they fill the rest of the file */
} lpot_npy_header;

/* LPOT_FORMAT for damaged files (also when the data are not exactly as long as shape and type
 * demand), LPOT_UNSUPPORTED for Fortran order, big-endian or structured types. */
LPOT_MUST_CHECK lpot_status lpot_npy_parse(const uint8_t *data, size_t size,
                                           lpot_npy_header *ret_header, lpot_error *err);
/* The whole array of a file; errors name it. */
LPOT_MUST_CHECK lpot_status lpot_npy_load(const char *path, lpot_tensor **ret_tensor,
                                          lpot_error *err);

#endif
