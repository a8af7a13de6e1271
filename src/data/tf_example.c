#include "data/tf_example.h"

#include <stdbool.h>
#include <string.h>

static const char *const kind_names[] = {
    [LPOT_TF_BYTES] = "bytes", [LPOT_TF_FLOATS] = "floats", [LPOT_TF_INTS] = "integers"};

/* One entry of the map: the field with its Feature, if it is called name. */
static lpot_status match_entry(const lpot_wire_field *entry, const char *name,
                               lpot_wire_field *feature, bool *ret_found, lpot_error *err) {
  lpot_wire wire;
  lpot_wire_field field;
  lpot_wire_field value = {0};
  bool is_called_so = false;
  bool has_value = false;
  LPOT_TRY(lpot_wire_enter(entry, &wire, err));
  while (lpot_wire_more(&wire)) {
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == 1) {
      LPOT_TRY(lpot_wire_expect(&field, LPOT_WIRE_BYTES, err));
      is_called_so = field.size == strlen(name) && memcmp(field.data, name, field.size) == 0;
    } else if (field.number == 2) {
      value = field;
      has_value = true;
    }
  }
  if (is_called_so && has_value) {
    *feature = value;
    *ret_found = true;
  }
  return LPOT_OK;
}

static lpot_status find_feature(const uint8_t *data, size_t size, const char *name,
                                lpot_wire_field *feature, lpot_error *err) {
  lpot_wire example;
  lpot_wire features;
  lpot_wire_field field;
  lpot_wire_field entry;
  bool found = false;
  lpot_wire_init(&example, data, size);
  while (lpot_wire_more(&example)) {
    LPOT_TRY(lpot_wire_next(&example, &field, err));
    if (field.number != 1) {
      continue;
    }
    LPOT_TRY(lpot_wire_enter(&field, &features, err));
    while (lpot_wire_more(&features)) {
      LPOT_TRY(lpot_wire_next(&features, &entry, err));
      if (entry.number == 1) {
        LPOT_TRY(match_entry(&entry, name, feature, &found, err));
      }
    }
  }
  if (!found) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the tf.Example has no feature '%s'", name);
  }
  return LPOT_OK;
}

lpot_status lpot_tf_example_list(const uint8_t *data, size_t size, const char *name,
                                 lpot_tf_kind kind, lpot_wire_field *ret_list, lpot_error *err) {
  lpot_wire_field feature = {0};
  lpot_wire_field field;
  lpot_wire wire;
  bool found = false;
  LPOT_TRY(find_feature(data, size, name, &feature, err));
  LPOT_TRY(lpot_wire_enter(&feature, &wire, err));
  while (lpot_wire_more(&wire)) {
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == (uint32_t)kind) {
      LPOT_TRY(lpot_wire_expect(&field, LPOT_WIRE_BYTES, err));
      *ret_list = field;
      found = true;
    }
  }
  if (!found) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the feature '%s' of the tf.Example is not a list of %s",
                     name, kind_names[kind]);
  }
  return LPOT_OK;
}

static lpot_status fail_count(const char *name, size_t count, lpot_error *err) {
  return LPOT_FAIL(err, LPOT_FORMAT,
                   "the feature '%s' of the tf.Example has %zu values, expected 1", name, count);
}

lpot_status lpot_tf_example_bytes(const uint8_t *data, size_t size, const char *name,
                                  const uint8_t **ret_data, size_t *ret_size, lpot_error *err) {
  lpot_wire_field list;
  lpot_wire_field field;
  lpot_wire wire;
  size_t count = 0;
  LPOT_TRY(lpot_tf_example_list(data, size, name, LPOT_TF_BYTES, &list, err));
  LPOT_TRY(lpot_wire_enter(&list, &wire, err));
  while (lpot_wire_more(&wire)) {
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == 1) {
      LPOT_TRY(lpot_wire_expect(&field, LPOT_WIRE_BYTES, err));
      *ret_data = field.data;
      *ret_size = field.size;
      count++;
    }
  }
  return count == 1 ? LPOT_OK : fail_count(name, count, err);
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
