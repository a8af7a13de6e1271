#include "base/protobuf_wire.h"

#include <string.h>

#include "base/writer.h"

#define MAX_FIELD_NUMBER ((1u << 29) - 1u)

static size_t place(const lpot_wire *wire) {
  return wire->offset + wire->reader.position;
}

/* The error's place is known only here, so readers' messages get it on the way up. */
static lpot_status at_offset(lpot_status status, size_t offset, lpot_error *err) {
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "offset %zu", offset);
  }
  return status;
}

void lpot_wire_init(lpot_wire *wire, const void *data, size_t size) {
  lpot_reader_init(&wire->reader, data, size);
  wire->offset = 0;
  wire->depth = 0;
}

bool lpot_wire_more(const lpot_wire *wire) {
  return lpot_reader_remaining(&wire->reader) > 0;
}

static lpot_status read_tag(lpot_wire *wire, lpot_wire_field *field, lpot_error *err) {
  size_t offset = place(wire);
  uint64_t tag = 0;
  LPOT_TRY(at_offset(lpot_reader_varint(&wire->reader, &tag, err), offset, err));
  uint64_t number = tag >> 3;
  if (number == 0 || number > MAX_FIELD_NUMBER) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: field number %llu is not legal", offset,
                     (unsigned long long)number);
  }
  unsigned type = (unsigned)(tag & 7u);
  if (type == 3 || type == 4 || type > 5) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "offset %zu: field %llu has wire type %u, expected 0, 1, "
                     "2 or 5",
                     offset, (unsigned long long)number, type);
  }
  field->number = (uint32_t)number;
  field->type = (lpot_wire_type)type;
  return LPOT_OK;
}

static lpot_status read_bytes(lpot_wire *wire, lpot_wire_field *field, lpot_error *err) {
  uint64_t size = 0;
  size_t offset = place(wire);
  LPOT_TRY(at_offset(lpot_reader_varint(&wire->reader, &size, err), offset, err));
  size_t remaining = lpot_reader_remaining(&wire->reader);
  if (size > remaining) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "offset %zu: field %u should have %llu bytes, but %zu "
                     "remain",
                     offset, field->number, (unsigned long long)size, remaining);
  }
  field->offset = place(wire);
  field->size = (size_t)size;
  LPOT_TRY(lpot_reader_bytes(&wire->reader, field->size, &field->data, err));
  return LPOT_OK;
}

static lpot_status read_bits(lpot_reader *reader, lpot_wire_type type, uint64_t *ret_bits,
                             lpot_error *err) {
  if (type == LPOT_WIRE_VARINT) {
    LPOT_TRY(lpot_reader_varint(reader, ret_bits, err));
    return LPOT_OK;
  }
  if (type == LPOT_WIRE_FIXED64) {
    LPOT_TRY(lpot_reader_u64(reader, ret_bits, err));
    return LPOT_OK;
  }
  uint32_t word = 0;
  LPOT_TRY(lpot_reader_u32(reader, &word, err));
  *ret_bits = word;
  return LPOT_OK;
}

lpot_status lpot_wire_next(lpot_wire *wire, lpot_wire_field *ret_field, lpot_error *err) {
  lpot_wire_field field = {.depth = wire->depth};
  LPOT_TRY(read_tag(wire, &field, err));
  field.offset = place(wire);
  if (field.type == LPOT_WIRE_BYTES) {
    LPOT_TRY(read_bytes(wire, &field, err));
  } else {
    LPOT_TRY(at_offset(read_bits(&wire->reader, field.type, &field.bits, err), field.offset, err));
  }
  *ret_field = field;
  return LPOT_OK;
}

lpot_status lpot_wire_enter(const lpot_wire_field *field, lpot_wire *ret_wire, lpot_error *err) {
  LPOT_TRY(lpot_wire_expect(field, LPOT_WIRE_BYTES, err));
  if (field->depth + 1 >= LPOT_WIRE_MAX_DEPTH) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: messages are nested deeper than %d",
                     field->offset, LPOT_WIRE_MAX_DEPTH);
  }
  lpot_reader_init(&ret_wire->reader, field->data, field->size);
  ret_wire->offset = field->offset;
  ret_wire->depth = field->depth + 1;
  return LPOT_OK;
}

lpot_status lpot_wire_expect(const lpot_wire_field *field, lpot_wire_type type, lpot_error *err) {
  if (field->type != type) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: field %u has wire type %d, expected %d",
                     field->offset, field->number, (int)field->type, (int)type);
  }
  return LPOT_OK;
}

lpot_status lpot_wire_int64(const lpot_wire_field *field, int64_t *ret_value, lpot_error *err) {
  LPOT_TRY(lpot_wire_expect(field, LPOT_WIRE_VARINT, err));
  *ret_value = (int64_t)field->bits;
  return LPOT_OK;
}

lpot_status lpot_wire_float(const lpot_wire_field *field, float *ret_value, lpot_error *err) {
  LPOT_TRY(lpot_wire_expect(field, LPOT_WIRE_FIXED32, err));
  *ret_value = lpot_wire_float_of_bits((uint32_t)field->bits);
  return LPOT_OK;
}

lpot_status lpot_wire_string(const lpot_wire_field *field, lpot_arena *arena, const char **ret_text,
                             lpot_error *err) {
  LPOT_TRY(lpot_wire_expect(field, LPOT_WIRE_BYTES, err));
  if (field->size > LPOT_WIRE_MAX_STRING) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "offset %zu: field %u is a string of %zu bytes, expected "
                     "at most %u",
                     field->offset, field->number, field->size, LPOT_WIRE_MAX_STRING);
  }
  if (field->size > 0 && memchr(field->data, 0, field->size) != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: field %u is a string that holds a NUL",
                     field->offset, field->number);
  }
  const char *text = field->size == 0
                         ? lpot_arena_strdup(arena, "")
                         : lpot_arena_strndup(arena, (const char *)field->data, field->size);
  if (text == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_text = text;
  return LPOT_OK;
}

float lpot_wire_float_of_bits(uint32_t bits) {
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

lpot_status lpot_wire_scalars_init(lpot_wire_scalars *scalars, const lpot_wire_field *message,
                                   uint32_t number, lpot_wire_type type, lpot_error *err) {
  LPOT_TRY(lpot_wire_enter(message, &scalars->message, err));
  lpot_reader_init(&scalars->packed, NULL, 0);
  scalars->offset = message->offset;
  scalars->number = number;
  scalars->type = type;
  return LPOT_OK;
}

static lpot_status next_packed(lpot_wire_scalars *scalars, uint64_t *ret_bits, lpot_error *err) {
  size_t offset = scalars->offset + scalars->packed.position;
  LPOT_TRY(at_offset(read_bits(&scalars->packed, scalars->type, ret_bits, err), offset, err));
  return LPOT_OK;
}

lpot_status lpot_wire_scalars_next(lpot_wire_scalars *scalars, bool *ret_found, uint64_t *ret_bits,
                                   lpot_error *err) {
  while (lpot_reader_remaining(&scalars->packed) == 0) {
    if (!lpot_wire_more(&scalars->message)) {
      *ret_found = false;
      return LPOT_OK;
    }
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&scalars->message, &field, err));
    if (field.number != scalars->number) {
      continue;
    }
    if (field.type == LPOT_WIRE_BYTES) {
      lpot_reader_init(&scalars->packed, field.data, field.size);
      scalars->offset = field.offset;
      continue;
    }
    LPOT_TRY(lpot_wire_expect(&field, scalars->type, err));
    *ret_found = true;
    *ret_bits = field.bits;
    return LPOT_OK;
  }
  LPOT_TRY(next_packed(scalars, ret_bits, err));
  *ret_found = true;
  return LPOT_OK;
}

static lpot_status put_tag(lpot_buffer *buffer, uint32_t number, lpot_wire_type type,
                           lpot_error *err) {
  LPOT_TRY(lpot_writer_varint(buffer, (uint64_t)number << 3 | (uint64_t)type, err));
  return LPOT_OK;
}

lpot_status lpot_wire_put_int64(lpot_buffer *buffer, uint32_t number, int64_t value,
                                lpot_error *err) {
  LPOT_TRY(put_tag(buffer, number, LPOT_WIRE_VARINT, err));
  LPOT_TRY(lpot_writer_varint(buffer, (uint64_t)value, err));
  return LPOT_OK;
}

lpot_status lpot_wire_put_float(lpot_buffer *buffer, uint32_t number, float value,
                                lpot_error *err) {
  LPOT_TRY(put_tag(buffer, number, LPOT_WIRE_FIXED32, err));
  LPOT_TRY(lpot_writer_f32(buffer, value, err));
  return LPOT_OK;
}

lpot_status lpot_wire_put_head(lpot_buffer *buffer, uint32_t number, size_t size, lpot_error *err) {
  LPOT_TRY(put_tag(buffer, number, LPOT_WIRE_BYTES, err));
  LPOT_TRY(lpot_writer_varint(buffer, size, err));
  return LPOT_OK;
}

lpot_status lpot_wire_put_bytes(lpot_buffer *buffer, uint32_t number, const void *data, size_t size,
                                lpot_error *err) {
  LPOT_TRY(lpot_wire_put_head(buffer, number, size, err));
  if (size == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_writer_bytes(buffer, data, size, err));
  return LPOT_OK;
}

lpot_status lpot_wire_put_string(lpot_buffer *buffer, uint32_t number, const char *text,
                                 lpot_error *err) {
  LPOT_TRY(lpot_wire_put_bytes(buffer, number, text, strlen(text), err));
  return LPOT_OK;
}

lpot_status lpot_wire_put_message(lpot_buffer *buffer, uint32_t number, const lpot_buffer *message,
                                  lpot_error *err) {
  LPOT_TRY(lpot_wire_put_bytes(buffer, number, message->data, message->size, err));
  return LPOT_OK;
}
