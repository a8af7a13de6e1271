/* Reading JSON from bytes that come from outside, value by value, without building a tree: files of
 * any size, memory for the longest text only.
 *
 *   lpot_json_reader_enter(r, LPOT_JSON_OBJECT)
 *   while lpot_json_reader_next(r, &key, &more), more
 *     read the value by its kind, enter it, or skip it
 *
 * Every value that next announces must be read, entered or skipped. Limits: depth 64. Texts are
 * UTF-8 without NUL. Errors are LPOT_FORMAT and name the line; the reader is then only done. */
#ifndef LPOT_BASE_JSON_READER_H
#define LPOT_BASE_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define LPOT_JSON_MAX_DEPTH 64

typedef enum lpot_json_kind {
  LPOT_JSON_OBJECT,
  LPOT_JSON_ARRAY,
  LPOT_JSON_STRING,
  LPOT_JSON_NUMBER,
  LPOT_JSON_BOOL,
  LPOT_JSON_NULL,
  LPOT_JSON_NONE /* no value starts here */
} lpot_json_kind;

typedef struct lpot_json_reader {
  const uint8_t *data; /* borrowed */
  size_t size;
  size_t position;
  int depth;                                 /* containers that are open */
  uint8_t is_object[LPOT_JSON_MAX_DEPTH];    /* [depth] kinds of these */
  uint8_t has_elements[LPOT_JSON_MAX_DEPTH]; /* [depth] whether one was announced */
  lpot_buffer key;                           /* owned: the last key */
  lpot_buffer text;                          /* owned: the last text */
} lpot_json_reader;

void lpot_json_reader_init(lpot_json_reader *reader, const void *data, size_t size);
void lpot_json_reader_done(lpot_json_reader *reader);

/* Kind of the value that starts next. */
lpot_json_kind lpot_json_reader_kind(lpot_json_reader *reader);
/* Opens an object or array; fails where the next value is something else. */
LPOT_MUST_CHECK lpot_status lpot_json_reader_enter(lpot_json_reader *reader, lpot_json_kind kind,
                                                   lpot_error *err);
/* Whether the container that was entered last has one more element; its key in an object (ret_key
 * may be NULL in an array), valid until the next call of next or skip. Without more, the container
 * is left.
 */
LPOT_MUST_CHECK lpot_status lpot_json_reader_next(lpot_json_reader *reader, const char **ret_key,
                                                  bool *ret_more, lpot_error *err);
/* The text is valid until the next text is read. */
LPOT_MUST_CHECK lpot_status lpot_json_reader_string(lpot_json_reader *reader, const char **ret,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_reader_number(lpot_json_reader *reader, double *ret,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_reader_bool(lpot_json_reader *reader, bool *ret,
                                                  lpot_error *err);
/* A number without a fraction within int64. */
LPOT_MUST_CHECK lpot_status lpot_json_reader_int(lpot_json_reader *reader, int64_t *ret,
                                                 lpot_error *err);
/* Passes over one value of any kind. */
LPOT_MUST_CHECK lpot_status lpot_json_reader_skip(lpot_json_reader *reader, lpot_error *err);
/* Fails unless only blanks follow. */
LPOT_MUST_CHECK lpot_status lpot_json_reader_end(lpot_json_reader *reader, lpot_error *err);
/* Fails with "line N: text" at the reader's place. */
lpot_status lpot_json_reader_fail(const lpot_json_reader *reader, lpot_error *err,
                                  const char *format, ...) LPOT_PRINTF(3, 4);

#endif
