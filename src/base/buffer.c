#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

#define FIRST_CAPACITY 64

void lpot_buffer_init(lpot_buffer *buffer) {
  *buffer = (lpot_buffer){0};
}

void lpot_buffer_done(lpot_buffer *buffer) {
  lpot_free(buffer->data);
  *buffer = (lpot_buffer){0};
}

void lpot_buffer_clear(lpot_buffer *buffer) {
  buffer->size = 0;
}

lpot_status lpot_buffer_reserve(lpot_buffer *buffer, size_t additional, lpot_error *err) {
  size_t needed = 0;
  LPOT_TRY(lpot_size_add(buffer->size, additional, &needed, err));
  if (needed <= buffer->capacity) {
    return LPOT_OK;
  }
  size_t doubled = buffer->capacity > SIZE_MAX / 2 ? SIZE_MAX : buffer->capacity * 2;
  size_t capacity = needed > doubled ? needed : doubled;
  capacity = capacity < FIRST_CAPACITY ? FIRST_CAPACITY : capacity;
  uint8_t *data = lpot_realloc(buffer->data, capacity, 1);
  if (data == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  buffer->data = data;
  buffer->capacity = capacity;
  return LPOT_OK;
}

lpot_status lpot_buffer_append(lpot_buffer *buffer, const void *data, size_t size,
                               lpot_error *err) {
  if (size == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_buffer_reserve(buffer, size, err));
  memcpy(buffer->data + buffer->size, data, size);
  buffer->size += size;
  return LPOT_OK;
}

lpot_status lpot_buffer_printf(lpot_buffer *buffer, lpot_error *err, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "text cannot be formatted by '%s'", format);
  }
  /* One more byte, because vsnprintf also writes a NUL. */
  LPOT_TRY(lpot_buffer_reserve(buffer, (size_t)length + 1, err));
  va_start(arguments, format);
  vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buffer->size += (size_t)length;
  return LPOT_OK;
}

lpot_status lpot_buffer_terminate(lpot_buffer *buffer, lpot_error *err) {
  LPOT_TRY(lpot_buffer_reserve(buffer, 1, err));
  buffer->data[buffer->size] = 0;
  return LPOT_OK;
}
