/* Bounded cursor over bytes that come from outside (files, messages). Integers are little
 * endian. Every function returns LPOT_FORMAT when fewer bytes remain than asked for; the
 * position is then unchanged. The bytes are borrowed. */
#ifndef LPOT_BASE_READER_H
#define LPOT_BASE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct lpot_reader {
  const uint8_t *data; /* borrowed */
  size_t size;         /* bytes in data */
  size_t position;     /* next byte to read, <= size */
} lpot_reader;

void lpot_reader_init(lpot_reader *reader, const void *data, size_t size);
size_t lpot_reader_remaining(const lpot_reader *reader);

LPOT_MUST_CHECK lpot_status lpot_reader_u8(lpot_reader *reader, uint8_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_reader_u16(lpot_reader *reader, uint16_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_reader_u32(lpot_reader *reader, uint32_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_reader_u64(lpot_reader *reader, uint64_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_reader_i64(lpot_reader *reader, int64_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_reader_f32(lpot_reader *reader, float *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_reader_f64(lpot_reader *reader, double *ret, lpot_error *err);
/* Base-128 varint as in protocol buffers: at most 10 bytes, value below 2^64. */
LPOT_MUST_CHECK lpot_status lpot_reader_varint(lpot_reader *reader, uint64_t *ret, lpot_error *err);
/* A view of the next size bytes; valid as long as the data under the reader. */
LPOT_MUST_CHECK lpot_status lpot_reader_bytes(lpot_reader *reader, size_t size, const uint8_t **ret,
                                              lpot_error *err);
/* Copies a string written by lpot_writer_string into out of out_size bytes, always NUL
 * terminated. LPOT_FORMAT when it is longer than out_size - 1 or holds a NUL. */
LPOT_MUST_CHECK lpot_status lpot_reader_string(lpot_reader *reader, char *out, size_t out_size,
                                               lpot_error *err);
/* LPOT_FORMAT unless all bytes were read. */
LPOT_MUST_CHECK lpot_status lpot_reader_end(const lpot_reader *reader, lpot_error *err);

#endif
