/* Building one JSON document. Only this file's source sees the JSON library. */
#ifndef LPOT_BASE_JSON_H
#define LPOT_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

typedef struct lpot_json lpot_json; /* an object under construction */

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
/* The object as text on one line, keys in the order they were set; owned by the caller. */
LPOT_MUST_CHECK lpot_status lpot_json_text(const lpot_json *object, char **ret_text,
                                           lpot_error *err);
/* The same as a line of out. */
LPOT_MUST_CHECK lpot_status lpot_json_print(const lpot_json *object, FILE *out, lpot_error *err);

#endif
