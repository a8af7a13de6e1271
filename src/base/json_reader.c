#include "base/json_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MAX_NUMBER 64 /* characters */

void lpot_json_reader_init(lpot_json_reader *reader, const void *data, size_t size) {
  *reader = (lpot_json_reader){.data = data, .size = size};
}

void lpot_json_reader_done(lpot_json_reader *reader) {
  lpot_buffer_done(&reader->key);
  lpot_buffer_done(&reader->text);
}

lpot_status lpot_json_reader_fail(const lpot_json_reader *reader, lpot_error *err,
                                  const char *format, ...) {
  char text[192];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  size_t line = 1;
  for (size_t i = 0; i < reader->position; i++) {
    line += reader->data[i] == '\n' ? 1 : 0;
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "line %zu: %s", line, text);
}

/* The next byte that is no blank, or -1 at the end; not taken. */
static int peek(lpot_json_reader *reader) {
  while (reader->position < reader->size) {
    uint8_t byte = reader->data[reader->position];
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') {
      return byte;
    }
    reader->position++;
  }
  return -1;
}

/* Fails telling what was found in place of what was expected. */
static lpot_status fail_expected(lpot_json_reader *reader, const char *expected, lpot_error *err) {
  int found = peek(reader);
  if (found < 0) {
    return lpot_json_reader_fail(reader, err, "expected %s, got the end of the text", expected);
  }
  if (found < 0x20 || found > 0x7e) {
    return lpot_json_reader_fail(reader, err, "expected %s, got byte 0x%02x", expected,
                                 (unsigned)found);
  }
  return lpot_json_reader_fail(reader, err, "expected %s, got '%c'", expected, found);
}

static lpot_status take(lpot_json_reader *reader, char wanted, const char *expected,
                        lpot_error *err) {
  if (peek(reader) != wanted) {
    return fail_expected(reader, expected, err);
  }
  reader->position++;
  return LPOT_OK;
}

lpot_json_kind lpot_json_reader_kind(lpot_json_reader *reader) {
  int byte = peek(reader);
  switch (byte) {
  case '{':
    return LPOT_JSON_OBJECT;
  case '[':
    return LPOT_JSON_ARRAY;
  case '"':
    return LPOT_JSON_STRING;
  case 't':
  case 'f':
    return LPOT_JSON_BOOL;
  case 'n':
    return LPOT_JSON_NULL;
  default:
    return byte == '-' || (byte >= '0' && byte <= '9') ? LPOT_JSON_NUMBER : LPOT_JSON_NONE;
  }
}

lpot_status lpot_json_reader_enter(lpot_json_reader *reader, lpot_json_kind kind, lpot_error *err) {
  bool is_object = kind == LPOT_JSON_OBJECT;
  LPOT_TRY(take(reader, is_object ? '{' : '[', is_object ? "an object" : "an array", err));
  if (reader->depth == LPOT_JSON_MAX_DEPTH) {
    return lpot_json_reader_fail(reader, err, "nested more than %d deep", LPOT_JSON_MAX_DEPTH);
  }
  reader->is_object[reader->depth] = is_object;
  reader->has_elements[reader->depth] = 0;
  reader->depth++;
  return LPOT_OK;
}

/* ---- texts ---- */

static int hex_digit(uint8_t byte) {
  static const char digits[] = "0123456789abcdef";
  int lower = byte >= 'A' && byte <= 'F' ? byte + ('a' - 'A') : byte;
  const char *found = lower == 0 ? NULL : strchr(digits, lower);
  return found == NULL ? -1 : (int)(found - digits);
}

/* The four digits behind \u. */
static lpot_status read_unit(lpot_json_reader *reader, uint32_t *ret, lpot_error *err) {
  *ret = 0;
  for (int i = 0; i < 4; i++) {
    int digit = reader->position < reader->size ? hex_digit(reader->data[reader->position]) : -1;
    if (digit < 0) {
      return fail_expected(reader, "four hexadecimal digits", err);
    }
    *ret = *ret << 4 | (uint32_t)digit;
    reader->position++;
  }
  return LPOT_OK;
}

static lpot_status append_character(lpot_buffer *out, uint32_t code, lpot_error *err) {
  uint8_t bytes[4];
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length; i > 1; i--) {
    bytes[i - 1] = (uint8_t)(0x80 | (code & 0x3f));
    code >>= 6;
  }
  bytes[0] = (uint8_t)(marks[length] | code);
  return lpot_buffer_append(out, bytes, length, err);
}

/* The second half of a pair: \u and four digits; 0 where something else follows. */
static lpot_status read_second_unit(lpot_json_reader *reader, uint32_t *ret, lpot_error *err) {
  *ret = 0;
  if (reader->size - reader->position < 2 ||
      memcmp(reader->data + reader->position, "\\u", 2) != 0) {
    return LPOT_OK;
  }
  reader->position += 2;
  return read_unit(reader, ret, err);
}

/* What stands behind \u, perhaps with the second half of a pair. */
static lpot_status read_unicode(lpot_json_reader *reader, lpot_buffer *out, lpot_error *err) {
  uint32_t code = 0;
  uint32_t low = 0;
  LPOT_TRY(read_unit(reader, &code, err));
  bool is_pair = code >= 0xd800 && code < 0xdc00;
  if (is_pair) {
    LPOT_TRY(read_second_unit(reader, &low, err));
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  bool is_half = is_pair ? low < 0xdc00 || low > 0xdfff : code >= 0xdc00 && code < 0xe000;
  if (is_half || code == 0) {
    return lpot_json_reader_fail(reader, err, "a text holds %s",
                                 is_half ? "half a character" : "the character 0");
  }
  return append_character(out, code, err);
}

static lpot_status read_escape(lpot_json_reader *reader, lpot_buffer *out, lpot_error *err) {
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  uint8_t name = reader->position < reader->size ? reader->data[reader->position] : 0;
  if (name == 'u') {
    reader->position++;
    return read_unicode(reader, out, err);
  }
  const char *found = name == 0 ? NULL : strchr(names, name);
  if (found == NULL) {
    return fail_expected(reader, "an escape of JSON", err);
  }
  reader->position++;
  return lpot_buffer_append(out, &values[found - names], 1, err);
}

/* Reads a text into out, NUL terminated. */
static lpot_status read_text(lpot_json_reader *reader, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(take(reader, '"', "a text", err));
  lpot_buffer_clear(out);
  for (;;) {
    size_t start = reader->position;
    while (reader->position < reader->size && reader->data[reader->position] >= 0x20 &&
           reader->data[reader->position] != '"' && reader->data[reader->position] != '\\') {
      reader->position++;
    }
    LPOT_TRY(lpot_buffer_append(out, reader->data + start, reader->position - start, err));
    if (reader->position == reader->size || reader->data[reader->position] < 0x20) {
      return lpot_json_reader_fail(reader, err, "a text without its closing quote");
    }
    uint8_t stop = reader->data[reader->position++];
    if (stop == '"') {
      return lpot_buffer_terminate(out, err);
    }
    LPOT_TRY(read_escape(reader, out, err));
  }
}

/* Passes over a text; what its escapes mean does not matter. */
static lpot_status skip_text(lpot_json_reader *reader, lpot_error *err) {
  LPOT_TRY(take(reader, '"', "a text", err));
  while (reader->position < reader->size) {
    uint8_t byte = reader->data[reader->position++];
    if (byte == '"') {
      return LPOT_OK;
    }
    reader->position += byte == '\\' && reader->position < reader->size ? 1 : 0;
  }
  return lpot_json_reader_fail(reader, err, "a text without its closing quote");
}

lpot_status lpot_json_reader_string(lpot_json_reader *reader, const char **ret, lpot_error *err) {
  LPOT_TRY(read_text(reader, &reader->text, err));
  *ret = (const char *)reader->text.data;
  return LPOT_OK;
}

/* ---- numbers and words ---- */

static bool is_of_number(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' || byte == 'e' ||
         byte == 'E';
}

/* Takes the characters of a number. */
static lpot_status take_number(lpot_json_reader *reader, char text[MAX_NUMBER], lpot_error *err) {
  if (lpot_json_reader_kind(reader) != LPOT_JSON_NUMBER) {
    return fail_expected(reader, "a number", err);
  }
  size_t length = 0;
  while (reader->position < reader->size && is_of_number(reader->data[reader->position])) {
    if (length + 1 == MAX_NUMBER) {
      return lpot_json_reader_fail(reader, err, "a number of more than %d characters",
                                   MAX_NUMBER - 1);
    }
    text[length++] = (char)reader->data[reader->position++];
  }
  text[length] = '\0';
  return LPOT_OK;
}

lpot_status lpot_json_reader_number(lpot_json_reader *reader, double *ret, lpot_error *err) {
  char text[MAX_NUMBER];
  LPOT_TRY(take_number(reader, text, err));
  if (!lpot_text_to_double(text, ret)) {
    return lpot_json_reader_fail(reader, err, "'%s' is not a number", text);
  }
  return LPOT_OK;
}

lpot_status lpot_json_reader_int(lpot_json_reader *reader, int64_t *ret, lpot_error *err) {
  char text[MAX_NUMBER];
  LPOT_TRY(take_number(reader, text, err));
  if (!lpot_text_to_int64(text, ret)) {
    return lpot_json_reader_fail(reader, err, "'%s' is not a whole number", text);
  }
  return LPOT_OK;
}

static lpot_status take_word(lpot_json_reader *reader, const char *word, lpot_error *err) {
  size_t length = strlen(word);
  if (reader->size - reader->position < length ||
      memcmp(reader->data + reader->position, word, length) != 0) {
    return fail_expected(reader, word, err);
  }
  reader->position += length;
  return LPOT_OK;
}

lpot_status lpot_json_reader_bool(lpot_json_reader *reader, bool *ret, lpot_error *err) {
  if (lpot_json_reader_kind(reader) != LPOT_JSON_BOOL) {
    return fail_expected(reader, "true or false", err);
  }
  bool value = reader->data[reader->position] == 't';
  LPOT_TRY(take_word(reader, value ? "true" : "false", err));
  *ret = value;
  return LPOT_OK;
}

/* ---- containers ---- */

lpot_status lpot_json_reader_next(lpot_json_reader *reader, const char **ret_key, bool *ret_more,
                                  lpot_error *err) {
  LPOT_ASSERT(reader->depth > 0);
  bool is_object = reader->is_object[reader->depth - 1];
  uint8_t *has_elements = &reader->has_elements[reader->depth - 1];
  if (peek(reader) == (is_object ? '}' : ']')) {
    reader->position++;
    reader->depth--;
    *ret_more = false;
    return LPOT_OK;
  }
  if (*has_elements) {
    LPOT_TRY(take(reader, ',', is_object ? "',' or '}'" : "',' or ']'", err));
  }
  *has_elements = 1;
  if (is_object) {
    LPOT_TRY(read_text(reader, &reader->key, err));
    LPOT_TRY(take(reader, ':', "':'", err));
    *ret_key = (const char *)reader->key.data;
  }
  if (lpot_json_reader_kind(reader) == LPOT_JSON_NONE) {
    return fail_expected(reader, "a value", err);
  }
  *ret_more = true;
  return LPOT_OK;
}

/* A value that is no container. */
static lpot_status skip_plain(lpot_json_reader *reader, lpot_error *err) {
  char text[MAX_NUMBER];
  bool value = false;
  switch (lpot_json_reader_kind(reader)) {
  case LPOT_JSON_STRING:
    return skip_text(reader, err);
  case LPOT_JSON_NUMBER:
    return take_number(reader, text, err);
  case LPOT_JSON_BOOL:
    return lpot_json_reader_bool(reader, &value, err);
  case LPOT_JSON_NULL:
    return take_word(reader, "null", err);
  default:
    return fail_expected(reader, "a value", err);
  }
}

/* Passes over a plain value, or into a container. */
static lpot_status step_in(lpot_json_reader *reader, lpot_error *err) {
  lpot_json_kind kind = lpot_json_reader_kind(reader);
  bool is_container = kind == LPOT_JSON_OBJECT || kind == LPOT_JSON_ARRAY;
  return is_container ? lpot_json_reader_enter(reader, kind, err) : skip_plain(reader, err);
}

/* Goes to the next element of what is open, out of as many containers as end here. */
static lpot_status step_on(lpot_json_reader *reader, int outside, lpot_error *err) {
  bool more = false;
  const char *key = NULL;
  while (reader->depth > outside && !more) {
    LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  }
  return LPOT_OK;
}

lpot_status lpot_json_reader_skip(lpot_json_reader *reader, lpot_error *err) {
  int outside = reader->depth;
  do {
    LPOT_TRY(step_in(reader, err));
    LPOT_TRY(step_on(reader, outside, err));
  } while (reader->depth > outside);
  return LPOT_OK;
}

lpot_status lpot_json_reader_end(lpot_json_reader *reader, lpot_error *err) {
  if (peek(reader) >= 0) {
    return fail_expected(reader, "the end of the text", err);
  }
  return LPOT_OK;
}
