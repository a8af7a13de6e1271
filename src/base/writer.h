/* The counterpart of reader.h: appends little-endian fields to a buffer. */
#ifndef LPOT_BASE_WRITER_H
#define LPOT_BASE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

LPOT_MUST_CHECK lpot_status lpot_writer_u8(lpot_buffer *buffer, uint8_t value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_u16(lpot_buffer *buffer, uint16_t value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_u32(lpot_buffer *buffer, uint32_t value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_u64(lpot_buffer *buffer, uint64_t value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_i64(lpot_buffer *buffer, int64_t value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_f32(lpot_buffer *buffer, float value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_f64(lpot_buffer *buffer, double value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_varint(lpot_buffer *buffer, uint64_t value,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_writer_bytes(lpot_buffer *buffer, const void *data, size_t size,
                                              lpot_error *err);
/* u32 length, then the bytes without NUL. */
LPOT_MUST_CHECK lpot_status lpot_writer_string(lpot_buffer *buffer, const char *text,
                                               lpot_error *err);

#endif
