#include "data/zip_archive.h"

#include <string.h>

#include "base/memory.h"
#include "base/reader.h"
#include "data/inflate.h"

#define LOCAL_SIGNATURE 0x04034b50u
#define CENTRAL_SIGNATURE 0x02014b50u
#define END_SIGNATURE 0x06054b50u
#define END_BYTES 22
#define MAX_COMMENT 65535
#define MIN_CENTRAL_BYTES 46
#define MAX_EXPANSION 1100 /* deflate cannot expand further: a larger claim is false */

/* Reads over fields that do not matter. */
static lpot_status skip(lpot_reader *reader, size_t size, lpot_error *err) {
  const uint8_t *bytes = NULL;
  return lpot_reader_bytes(reader, size, &bytes, err);
}

static uint32_t signature_at(const uint8_t *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The last end record, searched backwards over a possible comment. */
static lpot_status find_end(const uint8_t *data, size_t size, size_t *ret, lpot_error *err) {
  for (size_t back = END_BYTES; back <= size && back <= END_BYTES + MAX_COMMENT; back++) {
    if (signature_at(data + size - back) == END_SIGNATURE) {
      *ret = size - back;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "not a zip archive: no end record in %zu bytes", size);
}

/* Points central at the central directory. */
static lpot_status read_end(const uint8_t *data, size_t size, lpot_reader *central,
                            size_t *ret_count, lpot_error *err) {
  size_t position = 0;
  LPOT_TRY(find_end(data, size, &position, err));
  lpot_reader reader;
  lpot_reader_init(&reader, data + position, size - position);
  uint16_t count = 0;
  uint32_t directory_bytes = 0;
  uint32_t directory_start = 0;
  LPOT_TRY(skip(&reader, 10, err));
  LPOT_TRY(lpot_reader_u16(&reader, &count, err));
  LPOT_TRY(lpot_reader_u32(&reader, &directory_bytes, err));
  LPOT_TRY(lpot_reader_u32(&reader, &directory_start, err));
  if (directory_start == UINT32_MAX || count == UINT16_MAX) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "zip64 archive (4 GiB or 65,535 entries and more)");
  }
  if (directory_start > position || directory_bytes > position - directory_start ||
      count > directory_bytes / MIN_CENTRAL_BYTES) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "zip archive: central directory of %u entries and %u bytes at %u does not fit",
                     (unsigned)count, (unsigned)directory_bytes, (unsigned)directory_start);
  }
  lpot_reader_init(central, data + directory_start, directory_bytes);
  *ret_count = count;
  return LPOT_OK;
}

/* Finds an entry's bytes behind its local header. */
static lpot_status locate(const uint8_t *data, size_t size, size_t start, lpot_zip_entry *entry,
                          lpot_error *err) {
  if (start > size) {
    return LPOT_FAIL(err, LPOT_FORMAT, "zip entry '%s': begins behind the end", entry->name);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, data + start, size - start);
  uint32_t signature = 0;
  uint16_t name_bytes = 0;
  uint16_t extra_bytes = 0;
  LPOT_TRY(lpot_reader_u32(&reader, &signature, err));
  if (signature != LOCAL_SIGNATURE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "zip entry '%s': no local header", entry->name);
  }
  LPOT_TRY(skip(&reader, 22, err));
  LPOT_TRY(lpot_reader_u16(&reader, &name_bytes, err));
  LPOT_TRY(lpot_reader_u16(&reader, &extra_bytes, err));
  LPOT_TRY(skip(&reader, (size_t)name_bytes + extra_bytes, err));
  return lpot_reader_bytes(&reader, entry->packed_bytes, &entry->data, err);
}

typedef struct central_record {
  uint16_t flags, method, name_bytes, extra_bytes, comment_bytes;
  uint32_t packed_bytes, unpacked_bytes, start;
} central_record;

static lpot_status read_record(lpot_reader *central, central_record *record, lpot_zip_entry *entry,
                               lpot_error *err) {
  uint32_t signature = 0;
  LPOT_TRY(lpot_reader_u32(central, &signature, err));
  if (signature != CENTRAL_SIGNATURE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "zip archive: damaged central directory");
  }
  LPOT_TRY(skip(central, 4, err));
  LPOT_TRY(lpot_reader_u16(central, &record->flags, err));
  LPOT_TRY(lpot_reader_u16(central, &record->method, err));
  LPOT_TRY(skip(central, 4, err));
  LPOT_TRY(lpot_reader_u32(central, &entry->crc32, err));
  LPOT_TRY(lpot_reader_u32(central, &record->packed_bytes, err));
  LPOT_TRY(lpot_reader_u32(central, &record->unpacked_bytes, err));
  LPOT_TRY(lpot_reader_u16(central, &record->name_bytes, err));
  LPOT_TRY(lpot_reader_u16(central, &record->extra_bytes, err));
  LPOT_TRY(lpot_reader_u16(central, &record->comment_bytes, err));
  LPOT_TRY(skip(central, 8, err));
  LPOT_TRY(lpot_reader_u32(central, &record->start, err));
  const uint8_t *name = NULL;
  LPOT_TRY(lpot_reader_bytes(central, record->name_bytes, &name, err));
  if (record->name_bytes >= LPOT_ZIP_MAX_NAME || memchr(name, '\0', record->name_bytes) != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "zip archive: entry with a name of %u bytes",
                     (unsigned)record->name_bytes);
  }
  memcpy(entry->name, name, record->name_bytes);
  entry->name[record->name_bytes] = '\0';
  return skip(central, (size_t)record->extra_bytes + record->comment_bytes, err);
}

static lpot_status check_record(const central_record *record, const lpot_zip_entry *entry,
                                lpot_error *err) {
  if ((record->flags & 1) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "zip entry '%s' is encrypted", entry->name);
  }
  if (record->method != 0 && record->method != 8) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "zip entry '%s': compression method %u, expected 0 (stored) or 8 (deflated)",
                     entry->name, (unsigned)record->method);
  }
  if (record->packed_bytes == UINT32_MAX || record->unpacked_bytes == UINT32_MAX ||
      record->start == UINT32_MAX) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "zip entry '%s' is zip64 (4 GiB and more)",
                     entry->name);
  }
  if (record->method == 0 ? record->packed_bytes != record->unpacked_bytes
                          : record->unpacked_bytes / MAX_EXPANSION > record->packed_bytes) {
    return LPOT_FAIL(err, LPOT_FORMAT, "zip entry '%s': %u bytes cannot become %u", entry->name,
                     (unsigned)record->packed_bytes, (unsigned)record->unpacked_bytes);
  }
  return LPOT_OK;
}

static lpot_status read_entries(const uint8_t *data, size_t size, lpot_reader *central,
                                lpot_zip_archive *archive, lpot_error *err) {
  for (size_t i = 0; i < archive->num_entries; i++) {
    lpot_zip_entry *entry = &archive->entries[i];
    central_record record = {0};
    LPOT_TRY(read_record(central, &record, entry, err));
    LPOT_TRY(check_record(&record, entry, err));
    entry->packed_bytes = record.packed_bytes;
    entry->unpacked_bytes = record.unpacked_bytes;
    entry->deflated = record.method == 8;
    LPOT_TRY(locate(data, size, record.start, entry, err));
  }
  return LPOT_OK;
}

lpot_status lpot_zip_archive_open(const uint8_t *data, size_t size, lpot_zip_archive *ret_archive,
                                  lpot_error *err) {
  lpot_reader central;
  lpot_zip_archive archive = {0};
  LPOT_TRY(read_end(data, size, &central, &archive.num_entries, err));
  archive.entries = lpot_calloc(archive.num_entries, sizeof(*archive.entries));
  if (archive.entries == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = read_entries(data, size, &central, &archive, err);
  if (status != LPOT_OK) {
    lpot_zip_archive_done(&archive);
    return status;
  }
  *ret_archive = archive;
  return LPOT_OK;
}

void lpot_zip_archive_done(lpot_zip_archive *archive) {
  lpot_free(archive->entries);
  *archive = (lpot_zip_archive){0};
}

static lpot_status unpack(const lpot_zip_entry *entry, uint8_t *out, lpot_error *err) {
  if (entry->deflated) {
    LPOT_TRY(lpot_inflate_raw(entry->data, entry->packed_bytes, out, entry->unpacked_bytes, err));
  } else if (entry->unpacked_bytes > 0) {
    memcpy(out, entry->data, entry->unpacked_bytes);
  }
  uint32_t found = lpot_inflate_crc32(out, entry->unpacked_bytes);
  if (found != entry->crc32) {
    return LPOT_FAIL(err, LPOT_FORMAT, "checksum is %08x, expected %08x", (unsigned)found,
                     (unsigned)entry->crc32);
  }
  return LPOT_OK;
}

lpot_status lpot_zip_archive_read(const lpot_zip_entry *entry, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_reserve(out, entry->unpacked_bytes + 1, err));
  lpot_status status = unpack(entry, out->data + out->size, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "zip entry '%s'", entry->name);
    return status;
  }
  out->size += entry->unpacked_bytes;
  return LPOT_OK;
}
