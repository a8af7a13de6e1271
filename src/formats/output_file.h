/* A file that appears whole or not at all: written beside its place as "<path>.tmp", then fsync
 * and rename. */
#ifndef LPOT_FORMATS_OUTPUT_FILE_H
#define LPOT_FORMATS_OUTPUT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct lpot_output_file lpot_output_file;

/* LPOT_IO when the temporary file cannot be made. */
LPOT_MUST_CHECK lpot_status lpot_output_file_open(const char *path, lpot_output_file **ret_file,
                                                  lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_output_file_write(lpot_output_file *file, const void *data,
                                                   size_t size, lpot_error *err);
/* Bytes written so far. */
uint64_t lpot_output_file_size(const lpot_output_file *file);
/* Makes the bytes durable and gives the file its name. LPOT_IO: the old file is untouched. */
LPOT_MUST_CHECK lpot_status lpot_output_file_commit(lpot_output_file *file, lpot_error *err);
/* The four in one: size bytes become the file at path. */
LPOT_MUST_CHECK lpot_status lpot_output_file_replace(const char *path, const void *data,
                                                     size_t size, lpot_error *err);
/* Makes the entry of the file at path in its folder durable, where the file system can. */
LPOT_MUST_CHECK lpot_status lpot_output_sync_folder(const char *path, lpot_error *err);
/* Removes what was not committed. NULL is allowed. */
void lpot_output_file_free(lpot_output_file *file);

#endif
