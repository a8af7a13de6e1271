#include "base/writer.h"

#include <string.h>

/* Appends the low size bytes of value. */
static lpot_status write_little_endian(lpot_buffer *buffer, uint64_t value, size_t size,
                                       lpot_error *err) {
  uint8_t bytes[sizeof value];
  for (size_t i = 0; i < size; i++) {
    bytes[i] = (uint8_t)(value >> (8 * i));
  }
  LPOT_TRY(lpot_buffer_append(buffer, bytes, size, err));
  return LPOT_OK;
}

lpot_status lpot_writer_u8(lpot_buffer *buffer, uint8_t value, lpot_error *err) {
  LPOT_TRY(write_little_endian(buffer, value, sizeof value, err));
  return LPOT_OK;
}

lpot_status lpot_writer_u16(lpot_buffer *buffer, uint16_t value, lpot_error *err) {
  LPOT_TRY(write_little_endian(buffer, value, sizeof value, err));
  return LPOT_OK;
}

lpot_status lpot_writer_u32(lpot_buffer *buffer, uint32_t value, lpot_error *err) {
  LPOT_TRY(write_little_endian(buffer, value, sizeof value, err));
  return LPOT_OK;
}

lpot_status lpot_writer_u64(lpot_buffer *buffer, uint64_t value, lpot_error *err) {
  LPOT_TRY(write_little_endian(buffer, value, sizeof value, err));
  return LPOT_OK;
}

lpot_status lpot_writer_i64(lpot_buffer *buffer, int64_t value, lpot_error *err) {
  LPOT_TRY(write_little_endian(buffer, (uint64_t)value, sizeof value, err));
  return LPOT_OK;
}

lpot_status lpot_writer_f32(lpot_buffer *buffer, float value, lpot_error *err) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  LPOT_TRY(lpot_writer_u32(buffer, bits, err));
  return LPOT_OK;
}

lpot_status lpot_writer_f64(lpot_buffer *buffer, double value, lpot_error *err) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  LPOT_TRY(lpot_writer_u64(buffer, bits, err));
  return LPOT_OK;
}

lpot_status lpot_writer_varint(lpot_buffer *buffer, uint64_t value, lpot_error *err) {
  uint8_t bytes[10];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size] = (uint8_t)(value | 0x80);
    value >>= 7;
    size++;
  }
  bytes[size] = (uint8_t)value;
  LPOT_TRY(lpot_buffer_append(buffer, bytes, size + 1, err));
  return LPOT_OK;
}

lpot_status lpot_writer_bytes(lpot_buffer *buffer, const void *data, size_t size, lpot_error *err) {
  LPOT_TRY(lpot_buffer_append(buffer, data, size, err));
  return LPOT_OK;
}

lpot_status lpot_writer_string(lpot_buffer *buffer, const char *text, lpot_error *err) {
  size_t length = strlen(text);
  if (length > UINT32_MAX) {
    return LPOT_FAIL(err, LPOT_INVALID, "string of %zu bytes is too long to write", length);
  }
  size_t size_before = buffer->size;
  LPOT_TRY(lpot_writer_u32(buffer, (uint32_t)length, err));
  lpot_status status = lpot_buffer_append(buffer, text, length, err);
  if (status != LPOT_OK) {
    buffer->size = size_before;
  }
  return status;
}
