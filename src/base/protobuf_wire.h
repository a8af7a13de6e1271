/* The wire format of protocol buffers: reading with limits, and writing.
 *
 * message = { field }
 * field   = varint(number << 3 | type) payload
 * payload = varint (type 0) | 8 bytes (1) | varint(length) length bytes (2) | 4 bytes (5)
 *
 * Groups (types 3 and 4) are refused. Repeated numbers come packed in one field of type 2, or one
 * field each; both are read by lpot_wire_scalars. Unknown fields are skipped by ignoring them.
 * Every message names the place as "offset N: ...", N counted from the start of the file. */
#ifndef LPOT_BASE_PROTOBUF_WIRE_H
#define LPOT_BASE_PROTOBUF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"

#define LPOT_WIRE_MAX_DEPTH 16      /* messages inside each other */
#define LPOT_WIRE_MAX_STRING 65535u /* bytes of a string that we keep */

typedef enum lpot_wire_type {
  LPOT_WIRE_VARINT = 0,
  LPOT_WIRE_FIXED64 = 1,
  LPOT_WIRE_BYTES = 2,
  LPOT_WIRE_FIXED32 = 5
} lpot_wire_type;

/* A cursor over the fields of one message. The bytes are borrowed. */
typedef struct lpot_wire {
  lpot_reader reader;
  size_t offset; /* of the message's first byte in the file */
  int depth;     /* 0 for the outermost message */
} lpot_wire;

/* One field as read; a value that stays valid as long as the bytes under the cursor. */
typedef struct lpot_wire_field {
  uint32_t number; /* 1 to 2^29 - 1 */
  lpot_wire_type type;
  uint64_t bits;       /* VARINT, FIXED64, FIXED32: the value */
  const uint8_t *data; /* BYTES: [size], borrowed */
  size_t size;
  size_t offset; /* of the payload in the file */
  int depth;     /* of the message that holds the field */
} lpot_wire_field;

/* A cursor over the outermost message. */
void lpot_wire_init(lpot_wire *wire, const void *data, size_t size);
bool lpot_wire_more(const lpot_wire *wire);
/* Reads the next field. LPOT_FORMAT when it is damaged or does not fit into the message. */
LPOT_MUST_CHECK lpot_status lpot_wire_next(lpot_wire *wire, lpot_wire_field *ret_field,
                                           lpot_error *err);
/* A cursor over the message in field. LPOT_FORMAT when it is of another type or too deep. */
LPOT_MUST_CHECK lpot_status lpot_wire_enter(const lpot_wire_field *field, lpot_wire *ret_wire,
                                            lpot_error *err);

/* LPOT_FORMAT unless field has this type. */
LPOT_MUST_CHECK lpot_status lpot_wire_expect(const lpot_wire_field *field, lpot_wire_type type,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_wire_int64(const lpot_wire_field *field, int64_t *ret_value,
                                            lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_wire_float(const lpot_wire_field *field, float *ret_value,
                                            lpot_error *err);
/* A NUL terminated copy in arena. LPOT_FORMAT when the bytes hold a NUL or are too many. */
LPOT_MUST_CHECK lpot_status lpot_wire_string(const lpot_wire_field *field, lpot_arena *arena,
                                             const char **ret_text, lpot_error *err);
float lpot_wire_float_of_bits(uint32_t bits);

/* The numbers of one repeated field of a message, packed or not, in file order. */
typedef struct lpot_wire_scalars {
  lpot_wire message;   /* the fields not looked at yet */
  lpot_reader packed;  /* the rest of a packed field */
  size_t offset;       /* of that field's payload in the file */
  uint32_t number;     /* field number */
  lpot_wire_type type; /* VARINT, FIXED64 or FIXED32 */
} lpot_wire_scalars;

LPOT_MUST_CHECK lpot_status lpot_wire_scalars_init(lpot_wire_scalars *scalars,
                                                   const lpot_wire_field *message, uint32_t number,
                                                   lpot_wire_type type, lpot_error *err);
/* *ret_found is false, and *ret_bits unchanged, at the end. */
LPOT_MUST_CHECK lpot_status lpot_wire_scalars_next(lpot_wire_scalars *scalars, bool *ret_found,
                                                   uint64_t *ret_bits, lpot_error *err);

/* ---- writing: each appends one field ---- */
LPOT_MUST_CHECK lpot_status lpot_wire_put_int64(lpot_buffer *buffer, uint32_t number, int64_t value,
                                                lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_wire_put_float(lpot_buffer *buffer, uint32_t number, float value,
                                                lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_wire_put_bytes(lpot_buffer *buffer, uint32_t number,
                                                const void *data, size_t size, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_wire_put_string(lpot_buffer *buffer, uint32_t number,
                                                 const char *text, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_wire_put_message(lpot_buffer *buffer, uint32_t number,
                                                  const lpot_buffer *message, lpot_error *err);
/* Only the tag and the length: the caller brings size bytes behind it. */
LPOT_MUST_CHECK lpot_status lpot_wire_put_head(lpot_buffer *buffer, uint32_t number, size_t size,
                                               lpot_error *err);

#endif
