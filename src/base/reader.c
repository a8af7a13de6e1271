#include "base/reader.h"

#include <string.h>

#define MAX_VARINT_BYTES 10

void lpot_reader_init(lpot_reader *reader, const void *data, size_t size) {
  reader->data = data;
  reader->size = size;
  reader->position = 0;
}

size_t lpot_reader_remaining(const lpot_reader *reader) {
  return reader->size - reader->position;
}

static lpot_status need(const lpot_reader *reader, size_t size, lpot_error *err) {
  size_t remaining = lpot_reader_remaining(reader);
  if (size > remaining) {
    return LPOT_FAIL(err, LPOT_FORMAT, "data ends at byte %zu: expected %zu more bytes, got %zu",
                     reader->size, size, remaining);
  }
  return LPOT_OK;
}

/* Reads an unsigned little-endian number of size bytes. */
static lpot_status read_little_endian(lpot_reader *reader, size_t size, uint64_t *ret,
                                      lpot_error *err) {
  LPOT_TRY(need(reader, size, err));
  const uint8_t *bytes = reader->data + reader->position;
  uint64_t value = 0;
  for (size_t i = size; i > 0; i--) {
    value = value << 8 | bytes[i - 1];
  }
  reader->position += size;
  *ret = value;
  return LPOT_OK;
}

lpot_status lpot_reader_u8(lpot_reader *reader, uint8_t *ret, lpot_error *err) {
  uint64_t value = 0;
  LPOT_TRY(read_little_endian(reader, sizeof *ret, &value, err));
  *ret = (uint8_t)value;
  return LPOT_OK;
}

lpot_status lpot_reader_u16(lpot_reader *reader, uint16_t *ret, lpot_error *err) {
  uint64_t value = 0;
  LPOT_TRY(read_little_endian(reader, sizeof *ret, &value, err));
  *ret = (uint16_t)value;
  return LPOT_OK;
}

lpot_status lpot_reader_u32(lpot_reader *reader, uint32_t *ret, lpot_error *err) {
  uint64_t value = 0;
  LPOT_TRY(read_little_endian(reader, sizeof *ret, &value, err));
  *ret = (uint32_t)value;
  return LPOT_OK;
}

lpot_status lpot_reader_u64(lpot_reader *reader, uint64_t *ret, lpot_error *err) {
  LPOT_TRY(read_little_endian(reader, sizeof *ret, ret, err));
  return LPOT_OK;
}

lpot_status lpot_reader_i64(lpot_reader *reader, int64_t *ret, lpot_error *err) {
  uint64_t value = 0;
  LPOT_TRY(read_little_endian(reader, sizeof *ret, &value, err));
  memcpy(ret, &value, sizeof *ret);
  return LPOT_OK;
}

lpot_status lpot_reader_f32(lpot_reader *reader, float *ret, lpot_error *err) {
  uint32_t bits = 0;
  LPOT_TRY(lpot_reader_u32(reader, &bits, err));
  memcpy(ret, &bits, sizeof *ret);
  return LPOT_OK;
}

lpot_status lpot_reader_f64(lpot_reader *reader, double *ret, lpot_error *err) {
  uint64_t bits = 0;
  LPOT_TRY(lpot_reader_u64(reader, &bits, err));
  memcpy(ret, &bits, sizeof *ret);
  return LPOT_OK;
}

lpot_status lpot_reader_varint(lpot_reader *reader, uint64_t *ret, lpot_error *err) {
  size_t start = reader->position;
  uint64_t value = 0;
  for (size_t i = 0; i < MAX_VARINT_BYTES; i++) {
    if (start + i >= reader->size) {
      return LPOT_FAIL(err, LPOT_FORMAT, "varint at byte %zu is cut off at the end of the data",
                       start);
    }
    uint8_t byte = reader->data[start + i];
    /* The tenth byte holds bit 63 only. */
    if (i == MAX_VARINT_BYTES - 1 && byte > 1) {
      break;
    }
    value |= (uint64_t)(byte & 0x7FU) << (7 * i);
    if (byte < 0x80) {
      reader->position = start + i + 1;
      *ret = value;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "varint at byte %zu: expected a value below 2^64", start);
}

lpot_status lpot_reader_bytes(lpot_reader *reader, size_t size, const uint8_t **ret,
                              lpot_error *err) {
  LPOT_TRY(need(reader, size, err));
  *ret = reader->data + reader->position;
  reader->position += size;
  return LPOT_OK;
}

/* The checks of lpot_reader_string on a copy of the reader. */
static lpot_status read_text(lpot_reader *reader, size_t out_size, const uint8_t **ret_text,
                             size_t *ret_length, lpot_error *err) {
  size_t start = reader->position;
  uint32_t length = 0;
  LPOT_TRY(lpot_reader_u32(reader, &length, err));
  if (length >= out_size) {
    return LPOT_FAIL(err, LPOT_FORMAT, "string at byte %zu has %lu bytes, expected fewer than %zu",
                     start, (unsigned long)length, out_size);
  }
  const uint8_t *text = NULL;
  LPOT_TRY(lpot_reader_bytes(reader, length, &text, err));
  if (length > 0 && memchr(text, 0, length) != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "string at byte %zu holds a zero byte", start);
  }
  *ret_text = text;
  *ret_length = length;
  return LPOT_OK;
}

lpot_status lpot_reader_string(lpot_reader *reader, char *out, size_t out_size, lpot_error *err) {
  lpot_reader ahead = *reader;
  const uint8_t *text = NULL;
  size_t length = 0;
  LPOT_TRY(read_text(&ahead, out_size, &text, &length, err));
  if (length > 0) {
    memcpy(out, text, length);
  }
  out[length] = '\0';
  reader->position = ahead.position;
  return LPOT_OK;
}

lpot_status lpot_reader_end(const lpot_reader *reader, lpot_error *err) {
  size_t remaining = lpot_reader_remaining(reader);
  if (remaining != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "data goes on at byte %zu: expected its end, got %zu bytes",
                     reader->position, remaining);
  }
  return LPOT_OK;
}
