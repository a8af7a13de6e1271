/* A file mapped read-only into memory, shared by reference counting (one thread). */
#ifndef LPOT_BASE_MAPPING_H
#define LPOT_BASE_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct lpot_mapping lpot_mapping;

/* Reads a file that others may shorten meanwhile, which whoever has it mapped would die of. out
 * (initialised) is cleared first; errors as of lpot_mapping_open. */
LPOT_MUST_CHECK lpot_status lpot_file_read(const char *path, lpot_buffer *out, lpot_error *err);

/* Maps the regular file at path. LPOT_NOT_FOUND when it does not exist, LPOT_IO when it cannot
 * be read or is a folder or a device. An empty file gives a mapping of size 0. */
LPOT_MUST_CHECK lpot_status lpot_mapping_open(const char *path, lpot_mapping **ret_mapping,
                                              lpot_error *err);
/* The same of an open file, which is moved to the mapping and closed with it; on failure it stays
 * the caller's. name is for messages. */
LPOT_MUST_CHECK lpot_status lpot_mapping_of_descriptor(int descriptor, const char *name,
                                                       lpot_mapping **ret_mapping, lpot_error *err);
lpot_mapping *lpot_mapping_ref(lpot_mapping *mapping);
void lpot_mapping_unref(lpot_mapping *mapping); /* NULL is allowed */
const uint8_t *lpot_mapping_data(const lpot_mapping *mapping);
size_t lpot_mapping_size(const lpot_mapping *mapping);
/* Lets the pages of [data, data + size) within the mapping leave this process's memory; they come
 * back from the page cache when they are read again. A hint: never fails. */
void lpot_mapping_release(const lpot_mapping *mapping, const uint8_t *data, size_t size);

#endif
