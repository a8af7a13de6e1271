#include "data/tf_example.h"

#include <stdbool.h>
#include <string.h>

static const char *const kind_names[] = {
    [LPOT_TF_BYTES] = "bytes", [LPOT_TF_FLOATS] = "floats", [LPOT_TF_INTS] = "integers"};

/* The last field of that number in the message of field, and how many there are. */
static lpot_status find_field(const lpot_wire_field *message, uint32_t number,
                              lpot_wire_field *ret_field, size_t *ret_count, lpot_error *err) {
  lpot_wire wire;
  lpot_wire_field field;
  size_t count = 0;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == number) {
      *ret_field = field;
      count++;
    }
  }
  *ret_count = count;
  return LPOT_OK;
}

/* One entry of the map: the field with its Feature, if it is called name. */
static lpot_status match_entry(const lpot_wire_field *entry, const char *name,
                               lpot_wire_field *feature, bool *ret_found, lpot_error *err) {
  lpot_wire_field key = {.type = LPOT_WIRE_BYTES};
  lpot_wire_field value = {0};
  size_t keys = 0;
  size_t values = 0;
  LPOT_TRY(find_field(entry, 1, &key, &keys, err));
  LPOT_TRY(find_field(entry, 2, &value, &values, err));
  LPOT_TRY(lpot_wire_expect(&key, LPOT_WIRE_BYTES, err));
  bool is_called_so = keys > 0 && key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
  if (is_called_so && values > 0) {
    *feature = value;
    *ret_found = true;
  }
  return LPOT_OK;
}

static lpot_status search_features(const lpot_wire_field *features, const char *name,
                                   lpot_wire_field *feature, bool *ret_found, lpot_error *err) {
  lpot_wire wire;
  lpot_wire_field entry;
  LPOT_TRY(lpot_wire_enter(features, &wire, err));
  while (lpot_wire_more(&wire)) {
    LPOT_TRY(lpot_wire_next(&wire, &entry, err));
    lpot_status status =
        entry.number == 1 ? match_entry(&entry, name, feature, ret_found, err) : LPOT_OK;
    LPOT_TRY(status);
  }
  return LPOT_OK;
}

static lpot_status find_feature(const uint8_t *data, size_t size, const char *name,
                                lpot_wire_field *feature, bool *ret_found, lpot_error *err) {
  lpot_wire example;
  lpot_wire_field field;
  *ret_found = false;
  lpot_wire_init(&example, data, size);
  while (lpot_wire_more(&example)) {
    LPOT_TRY(lpot_wire_next(&example, &field, err));
    lpot_status status =
        field.number == 1 ? search_features(&field, name, feature, ret_found, err) : LPOT_OK;
    LPOT_TRY(status);
  }
  return LPOT_OK;
}

lpot_status lpot_tf_example_has(const uint8_t *data, size_t size, const char *name, bool *ret_has,
                                lpot_error *err) {
  lpot_wire_field feature = {0};
  return find_feature(data, size, name, &feature, ret_has, err);
}

lpot_status lpot_tf_example_list(const uint8_t *data, size_t size, const char *name,
                                 lpot_tf_kind kind, lpot_wire_field *ret_list, lpot_error *err) {
  lpot_wire_field feature = {0};
  lpot_wire_field list = {0};
  size_t count = 0;
  bool found = false;
  LPOT_TRY(find_feature(data, size, name, &feature, &found, err));
  if (!found) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the tf.Example has no feature '%s'", name);
  }
  LPOT_TRY(find_field(&feature, (uint32_t)kind, &list, &count, err));
  if (count == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the feature '%s' of the tf.Example is not a list of %s",
                     name, kind_names[kind]);
  }
  LPOT_TRY(lpot_wire_expect(&list, LPOT_WIRE_BYTES, err));
  *ret_list = list;
  return LPOT_OK;
}

static lpot_status fail_count(const char *name, size_t count, lpot_error *err) {
  return LPOT_FAIL(err, LPOT_FORMAT,
                   "the feature '%s' of the tf.Example has %zu values, expected 1", name, count);
}

lpot_status lpot_tf_example_bytes(const uint8_t *data, size_t size, const char *name,
                                  const uint8_t **ret_data, size_t *ret_size, lpot_error *err) {
  lpot_wire_field list;
  lpot_wire_field value = {0};
  size_t count = 0;
  LPOT_TRY(lpot_tf_example_list(data, size, name, LPOT_TF_BYTES, &list, err));
  LPOT_TRY(find_field(&list, 1, &value, &count, err));
  if (count != 1) {
    return fail_count(name, count, err);
  }
  LPOT_TRY(lpot_wire_expect(&value, LPOT_WIRE_BYTES, err));
  *ret_data = value.data;
  *ret_size = value.size;
  return LPOT_OK;
}

lpot_status lpot_tf_example_int(const uint8_t *data, size_t size, const char *name,
                                int64_t *ret_value, lpot_error *err) {
  lpot_wire_field list;
  lpot_wire_scalars scalars;
  size_t count = 0;
  bool found = true;
  uint64_t bits = 0;
  LPOT_TRY(lpot_tf_example_list(data, size, name, LPOT_TF_INTS, &list, err));
  LPOT_TRY(lpot_wire_scalars_init(&scalars, &list, 1, LPOT_WIRE_VARINT, err));
  for (;;) {
    LPOT_TRY(lpot_wire_scalars_next(&scalars, &found, &bits, err));
    if (!found) {
      break;
    }
    count++;
  }
  *ret_value = (int64_t)bits;
  return count == 1 ? LPOT_OK : fail_count(name, count, err);
}
