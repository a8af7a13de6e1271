/* Reading of zip archives as numpy.savez writes them: entries stored or deflated, below 4 GiB.
 *
 *   [local header, name, extra, data] per entry      signature PK\3\4
 *   central directory: one record per entry          signature PK\1\2
 *   end record: count, size and place of it          signature PK\5\6, then a comment
 * Sizes and checksum are taken from the central directory; what does not agree is LPOT_FORMAT,
 * encryption, other compression and zip64 are LPOT_UNSUPPORTED. */
#ifndef LPOT_DATA_ZIP_ARCHIVE_H
#define LPOT_DATA_ZIP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define LPOT_ZIP_MAX_NAME 256

typedef struct lpot_zip_entry {
  char name[LPOT_ZIP_MAX_NAME];
  const uint8_t *data;   /* borrowed: the stored or deflated bytes */
  size_t packed_bytes;   /* of data */
  size_t unpacked_bytes; /* of the content */
  uint32_t crc32;        /* of the content */
  bool deflated;
} lpot_zip_entry;

typedef struct lpot_zip_archive {
  size_t num_entries;
  lpot_zip_entry *entries; /* owned */
} lpot_zip_archive;

/* data is borrowed as long as the entries are used. */
LPOT_MUST_CHECK lpot_status lpot_zip_archive_open(const uint8_t *data, size_t size,
                                                  lpot_zip_archive *ret_archive, lpot_error *err);
void lpot_zip_archive_done(lpot_zip_archive *archive);
/* Appends the content of an entry to out, and checks its checksum. */
LPOT_MUST_CHECK lpot_status lpot_zip_archive_read(const lpot_zip_entry *entry, lpot_buffer *out,
                                                  lpot_error *err);

#endif
