/* Arrays in HDF5 files, a row at a time; the only file of this floor that knows the HDF5 library.
 *
 * Elements are integers of 8 to 64 bits, float16 (as IEEE has it), float32, float64, and HDF5's or
 * h5py's booleans, of any byte order; chunked and compressed where the library has the filter. Not
 * for several threads at once. */
#ifndef LPOT_DATA_HDF5_FILE_H
#define LPOT_DATA_HDF5_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "tensor/tensor.h"

typedef struct lpot_hdf5_file lpot_hdf5_file;

/* Whether the library that is installed may be used by several threads, each with its own files. */
bool lpot_hdf5_is_thread_safe(void);

typedef struct lpot_hdf5_array {
  int64_t handle;   /* the library's; 0: not open */
  int64_t count;    /* rows, >= 1 */
  lpot_dtype dtype; /* of the elements as they are read */
  lpot_shape row;   /* shape of one row */
} lpot_hdf5_array;

/* LPOT_NOT_FOUND where path does not exist, LPOT_FORMAT where it is no HDF5 file. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_file_open(const char *path, lpot_hdf5_file **ret_file,
                                                lpot_error *err);
void lpot_hdf5_file_close(lpot_hdf5_file *file); /* after its arrays; NULL is allowed */
/* The array called name ("group/images"). LPOT_NOT_FOUND where there is none, LPOT_UNSUPPORTED for
 * types that cannot be read, LPOT_FORMAT for scalars and arrays without rows. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_array_open(const lpot_hdf5_file *file, const char *name,
                                                 lpot_hdf5_array *ret_array, lpot_error *err);
void lpot_hdf5_array_close(lpot_hdf5_array *array);
/* Row index, in [0, count), as a new tensor. LPOT_FORMAT where the library cannot read it. */
LPOT_MUST_CHECK lpot_status lpot_hdf5_array_row(const lpot_hdf5_array *array, int64_t index,
                                                lpot_tensor **ret_row, lpot_error *err);

#endif
