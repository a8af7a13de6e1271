/* Writing pieces of an HDF5 file: attributes, datasets, compound tables. Objects, types and spaces
 * are HDF5's own ids (hid_t). Failures are LPOT_IO with HDF5's innermost cause. */
#ifndef LPOT_TUNE_HISTORY_PIECES_H
#define LPOT_TUNE_HISTORY_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One member of a compound type. */
typedef struct lpot_hdf5_member {
  const char *name;
  size_t offset;
  char kind;   /* 'u' u64, 'i' i64, 'd' f64, 'f' f32, 'r' i32, 'n' u32, 'b' u8, 's' text of size,
                  'e' enum */
  size_t size; /* of a text; number of an enum's values */
  const char *(*text)(int value); /* of an enum's values */
} lpot_hdf5_member;

/* Turns HDF5's error stack into an error; result is negative when a call failed. */
lpot_status lpot_hdf5_check(int64_t result, const char *what, lpot_error *err);
/* A type of texts of size bytes, for H5Tclose. */
int64_t lpot_hdf5_text_type(size_t size);

/* Attributes of an object. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_put_attribute(int64_t object, const char *name, int64_t type,
                                                    const void *value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_hdf5_put_text(int64_t object, const char *name, const char *text,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_hdf5_put_double(int64_t object, const char *name, double value,
                                                 lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_hdf5_put_uint(int64_t object, const char *name, uint64_t value,
                                               lpot_error *err);

/* Writes a dataset of rank 0 (num_dims 0), 1 or 2; dims [num_dims]. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_put_dataset(int64_t parent, const char *name, int64_t type,
                                                  int num_dims, const uint64_t *dims,
                                                  const void *data, lpot_error *err);
/* Writes count rows of row_size bytes as a one-dimensional compound dataset. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_put_table(int64_t parent, const char *name,
                                                const lpot_hdf5_member *members, size_t num_members,
                                                size_t row_size, const void *rows, size_t count,
                                                lpot_error *err);

/* Puts all into a new file. */
typedef lpot_status (*lpot_hdf5_fill)(int64_t file, const void *context, lpot_error *err);
/* Makes the file at path by fill, in memory; it is replaced whole (formats/output_file.h). Default
 * library version bounds. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_write_file(const char *path, lpot_hdf5_fill fill,
                                                 const void *context, lpot_error *err);

#endif
