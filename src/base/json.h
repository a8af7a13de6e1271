/* Building one JSON object; json_reader.h reads. Only this file's source sees the JSON library. */
#ifndef LPOT_BASE_JSON_H
#define LPOT_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

typedef struct lpot_json lpot_json; /* an object */

LPOT_MUST_CHECK lpot_status lpot_json_new(lpot_json **ret_object, lpot_error *err);
void lpot_json_free(lpot_json *object);
/* Setters; NaN and infinities become null. A NULL string becomes null. */
LPOT_MUST_CHECK lpot_status lpot_json_set_string(lpot_json *object, const char *key,
                                                 const char *value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_set_int(lpot_json *object, const char *key, int64_t value,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_set_double(lpot_json *object, const char *key, double value,
                                                 lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_set_bool(lpot_json *object, const char *key, bool value,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_set_ints(lpot_json *object, const char *key,
                                               const int64_t *values, size_t count,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_json_set_strings(lpot_json *object, const char *key,
                                                  const char *const *values, size_t count,
                                                  lpot_error *err);
/* Makes an empty list; items are appended to it by lpot_json_append. */
LPOT_MUST_CHECK lpot_status lpot_json_set_list(lpot_json *object, const char *key, lpot_error *err);
/* Appends an object (moved, also on failure) to the list under key. */
LPOT_MUST_CHECK lpot_status lpot_json_append(lpot_json *object, const char *key, lpot_json **item,
                                             lpot_error *err);
/* The object as text on one line, keys in the order they were set; owned by the caller. */
LPOT_MUST_CHECK lpot_status lpot_json_text(const lpot_json *object, char **ret_text,
                                           lpot_error *err);
/* The same as a line of out. */
LPOT_MUST_CHECK lpot_status lpot_json_print(const lpot_json *object, FILE *out, lpot_error *err);

#endif
