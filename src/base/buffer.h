/* Growable byte buffer. */
#ifndef LPOT_BASE_BUFFER_H
#define LPOT_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct lpot_buffer {
  uint8_t *data;   /* owned; NULL while empty */
  size_t size;     /* bytes in use */
  size_t capacity; /* bytes allocated */
} lpot_buffer;

void lpot_buffer_init(lpot_buffer *buffer);
void lpot_buffer_done(lpot_buffer *buffer);
void lpot_buffer_clear(lpot_buffer *buffer); /* size 0, keeps the memory */
LPOT_MUST_CHECK lpot_status lpot_buffer_append(lpot_buffer *buffer, const void *data, size_t size,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_buffer_reserve(lpot_buffer *buffer, size_t additional,
                                                lpot_error *err);
/* Appends formatted text without its terminating NUL. */
LPOT_MUST_CHECK lpot_status lpot_buffer_printf(lpot_buffer *buffer, lpot_error *err,
                                               const char *format, ...) LPOT_PRINTF(3, 4);
/* Makes data a C string by keeping a NUL behind size (not counted). */
LPOT_MUST_CHECK lpot_status lpot_buffer_terminate(lpot_buffer *buffer, lpot_error *err);

#endif
