#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buffer.h"
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

static lpot_status set_list(lpot_json *object, const char *key, json_t **ret_list,
                            lpot_error *err) {
  *ret_list = json_array();
  LPOT_TRY(set_moved(object, key, *ret_list, err));
  return LPOT_OK;
}

static lpot_status append_moved(json_t *list, json_t *value, lpot_error *err) {
  if (value == NULL || json_array_append_new(list, value) != 0) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

lpot_status lpot_json_set_ints(lpot_json *object, const char *key, const int64_t *values,
                               size_t count, lpot_error *err) {
  json_t *list = NULL;
  LPOT_TRY(set_list(object, key, &list, err));
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(append_moved(list, json_integer(values[i]), err));
  }
  return LPOT_OK;
}

lpot_status lpot_json_set_strings(lpot_json *object, const char *key, const char *const *values,
                                  size_t count, lpot_error *err) {
  json_t *list = NULL;
  LPOT_TRY(set_list(object, key, &list, err));
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(append_moved(list, make_string(values[i]), err));
  }
  return LPOT_OK;
}

lpot_status lpot_json_set_list(lpot_json *object, const char *key, lpot_error *err) {
  json_t *list = NULL;
  LPOT_TRY(set_list(object, key, &list, err));
  return LPOT_OK;
}

lpot_status lpot_json_append(lpot_json *object, const char *key, lpot_json **item,
                             lpot_error *err) {
  json_t *value = json_incref((*item)->object);
  lpot_json_free(*item);
  *item = NULL;
  LPOT_TRY(append_moved(json_object_get(object->object, key), value, err));
  return LPOT_OK;
}

/* What holds no other value. */
static lpot_status append_plain(lpot_buffer *out, const json_t *value, lpot_error *err) {
  size_t flags = JSON_ENCODE_ANY;
  if (json_is_real(value)) {
    flags |= JSON_REAL_PRECISION((size_t)lpot_text_digits(json_real_value(value)));
  }
  size_t size = json_dumpb(value, NULL, 0, flags);
  LPOT_TRY(lpot_buffer_reserve(out, size, err));
  if (size == 0 || json_dumpb(value, (char *)out->data + out->size, size, flags) != size) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  out->size += size;
  return LPOT_OK;
}

static lpot_status append_value(lpot_buffer *out, json_t *value, lpot_error *err);

static lpot_status append_list(lpot_buffer *out, json_t *list, lpot_error *err) {
  LPOT_TRY(lpot_buffer_append(out, "[", 1, err));
  for (size_t i = 0; i < json_array_size(list); i++) {
    LPOT_TRY(lpot_buffer_append(out, ", ", i == 0 ? 0 : 2, err));
    LPOT_TRY(append_value(out, json_array_get(list, i), err));
  }
  return lpot_buffer_append(out, "]", 1, err);
}

static lpot_status append_object(lpot_buffer *out, json_t *object, lpot_error *err) {
  const char *key = NULL;
  json_t *value = NULL;
  const char *separator = "{";
  json_object_foreach(object, key, value) {
    json_t *name = json_string(key);
    if (name == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    lpot_status status = lpot_buffer_printf(out, err, "%s", separator);
    if (status == LPOT_OK) {
      status = append_plain(out, name, err);
    }
    json_decref(name);
    LPOT_TRY(status);
    LPOT_TRY(lpot_buffer_append(out, ": ", 2, err));
    LPOT_TRY(append_value(out, value, err));
    separator = ", ";
  }
  return lpot_buffer_printf(out, err, "%s", json_object_size(object) == 0 ? "{}" : "}");
}

/* Jansson writes all numbers of a value with as many digits: each one is written apart. As deep as
 * what this file's functions have built. */
static lpot_status append_value(lpot_buffer *out, json_t *value, lpot_error *err) {
  if (json_is_object(value)) {
    return append_object(out, value, err);
  }
  return json_is_array(value) ? append_list(out, value, err) : append_plain(out, value, err);
}

lpot_status lpot_json_text(const lpot_json *object, char **ret_text, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status status = append_object(&out, object->object, err);
  if (status == LPOT_OK) {
    status = lpot_buffer_terminate(&out, err);
  }
  if (status != LPOT_OK) {
    lpot_buffer_done(&out);
    return status;
  }
  *ret_text = (char *)out.data;
  return LPOT_OK;
}

lpot_status lpot_json_print(const lpot_json *object, FILE *out, lpot_error *err) {
  char *text = NULL;
  LPOT_TRY(lpot_json_text(object, &text, err));
  fprintf(out, "%s\n", text);
  lpot_free(text);
  return LPOT_OK;
}
