/* Decompression of bytes that come from outside, with a bound on what they may become. */
#ifndef LPOT_DATA_INFLATE_H
#define LPOT_DATA_INFLATE_H

#include "base/buffer.h"
#include "base/error.h"

/* Appends the content of a gzip file, of all its members, to out. LPOT_FORMAT when it is damaged,
 * ends early, is followed by other bytes, or holds more than limit_bytes. */
LPOT_MUST_CHECK lpot_status lpot_inflate_gzip(const uint8_t *data, size_t size, size_t limit_bytes,
                                              lpot_buffer *out, lpot_error *err);
/* Raw deflate data (as in zip files) that must become exactly out_size bytes. */
LPOT_MUST_CHECK lpot_status lpot_inflate_raw(const uint8_t *data, size_t size, uint8_t *out,
                                             size_t out_size, lpot_error *err);
/* CRC-32 as in zip files. */
uint32_t lpot_inflate_crc32(const uint8_t *data, size_t size);

#endif
