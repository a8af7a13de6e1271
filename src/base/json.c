#include "base/json.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "base/text.h"

struct lpot_json {
  json_t *object; /* owned */
};

lpot_status lpot_json_new(lpot_json **ret_object, lpot_error *err) {
  lpot_json *json = lpot_calloc(1, sizeof *json);
  if (json == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  json->object = json_object();
  if (json->object == NULL) {
    lpot_free(json);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_object = json;
  return LPOT_OK;
}

void lpot_json_free(lpot_json *object) {
  if (object == NULL) {
    return;
  }
  json_decref(object->object);
  lpot_free(object);
}

/* Takes value, which is NULL when making it failed. */
static lpot_status set_moved(lpot_json *object, const char *key, json_t *value, lpot_error *err) {
  if (value == NULL || json_object_set_new(object->object, key, value) != 0) {
    return LPOT_FAIL(err, LPOT_NO_MEMORY, "json key '%s': out of memory", key);
  }
  return LPOT_OK;
}

/* A text that is not UTF-8 (a file name may be anything) is written with '?' in its place. */
static json_t *make_string(const char *text) {
  json_t *value = json_string(text);
  if (value != NULL) {
    return value;
  }
  size_t size = strlen(text) + 1;
  char *printable = lpot_calloc(size, 1);
  if (printable == NULL) {
    return NULL;
  }
  lpot_text_printable(text, printable, size);
  value = json_string(printable);
  lpot_free(printable);
  return value;
}

lpot_status lpot_json_set_string(lpot_json *object, const char *key, const char *value,
                                 lpot_error *err) {
  LPOT_TRY(set_moved(object, key, value == NULL ? json_null() : make_string(value), err));
  return LPOT_OK;
}

lpot_status lpot_json_set_int(lpot_json *object, const char *key, int64_t value, lpot_error *err) {
  LPOT_TRY(set_moved(object, key, json_integer(value), err));
  return LPOT_OK;
}

lpot_status lpot_json_set_double(lpot_json *object, const char *key, double value,
                                 lpot_error *err) {
  LPOT_TRY(set_moved(object, key, isfinite(value) ? json_real(value) : json_null(), err));
  return LPOT_OK;
}

lpot_status lpot_json_set_bool(lpot_json *object, const char *key, bool value, lpot_error *err) {
  LPOT_TRY(set_moved(object, key, json_boolean(value), err));
  return LPOT_OK;
}

lpot_status lpot_json_text(const lpot_json *object, char **ret_text, lpot_error *err) {
  const size_t flags = JSON_PRESERVE_ORDER;
  size_t size = json_dumpb(object->object, NULL, 0, flags);
  if (size == 0) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  char *text = lpot_calloc(size + 1, 1);
  if (text == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (json_dumpb(object->object, text, size, flags) != size) {
    lpot_free(text);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_text = text;
  return LPOT_OK;
}
