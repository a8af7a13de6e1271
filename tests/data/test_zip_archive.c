#include "data_fixture.h"

#include "base/memory.h"
#include "data/zip_archive.h"

/* Opens data and reads every entry. */
static lpot_status read_all(const uint8_t *data, size_t size, lpot_error *err) {
  lpot_zip_archive archive = {0};
  LPOT_TRY(lpot_zip_archive_open(data, size, &archive, err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < archive.num_entries && status == LPOT_OK; i++) {
    lpot_buffer content;
    lpot_buffer_init(&content);
    status = lpot_zip_archive_read(&archive.entries[i], &content, err);
    lpot_buffer_done(&content);
  }
  lpot_zip_archive_done(&archive);
  return status;
}

static size_t read_golden(const char *name, uint8_t *out) {
  lpot_mapping *mapping = golden_map(name);
  size_t size = lpot_mapping_size(mapping);
  memcpy(out, lpot_mapping_data(mapping), size);
  lpot_mapping_unref(mapping);
  return size;
}

static void archive_is_rejected_when_truncated_at_any_byte(void **state) {
  (void)state;
  static const char *const files[] = {"arrays.npz", "deflated.npz"};
  for (size_t f = 0; f < 2; f++) {
    uint8_t data[1024];
    size_t size = read_golden(files[f], data);
    for (size_t length = 0; length < size; length++) {
      uint8_t *copy = lpot_calloc(length, 1);
      memcpy(copy, data, length);
      assert_int_equal(read_all(copy, length, NULL), LPOT_FORMAT);
      lpot_free(copy);
    }
  }
}

static void damaged_bytes_do_no_harm(void **state) {
  (void)state;
  static const char *const files[] = {"arrays.npz", "deflated.npz"};
  for (size_t f = 0; f < 2; f++) {
    uint8_t data[1024];
    size_t size = read_golden(files[f], data);
    for (size_t i = 0; i < size * 8; i++) {
      data[i / 8] ^= (uint8_t)(1u << i % 8);
      (void)!read_all(data, size, NULL);
      data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    lpot_error err = {0};
    expect_ok(read_all(data, size, &err), &err);
  }
}

static size_t find_directory(const uint8_t *data, size_t size) {
  for (size_t i = 0; i + 4 <= size; i++) {
    if (memcmp(data + i, "PK\1\2", 4) == 0) {
      return i;
    }
  }
  fail();
  return 0;
}

static void each_false_field_of_the_directory_is_told(void **state) {
  (void)state;
  static const struct {
    size_t offset; /* in the first record of the central directory */
    const char *bytes;
    size_t length;
    lpot_status status;
    const char *part;
  } cases[] = {
      {8, "\x01", 1, LPOT_UNSUPPORTED, "encrypted"},
      {10, "\x09", 1, LPOT_UNSUPPORTED, "compression method 9"},
      {16, "\x00\x00\x00\x00", 4, LPOT_FORMAT, "checksum"},
      {24, "\xfe\xff\xff\xff", 4, LPOT_FORMAT, "cannot become 4294967294"},
      {24, "\xff\xff\xff\xff", 4, LPOT_UNSUPPORTED, "zip64"},
      {24, "\x01\x00\x00\x00", 4, LPOT_FORMAT, "hold too much"},
      {28, "\xff\xff", 2, LPOT_FORMAT, ""},
      {42, "\xf0\xff\xff\xff", 4, LPOT_FORMAT, "begins behind the end"},
      {42, "\x01\x00\x00\x00", 4, LPOT_FORMAT, "no local header"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t data[1024];
    lpot_error err = {0};
    size_t size = read_golden("deflated.npz", data);
    memcpy(data + find_directory(data, size) + cases[i].offset, cases[i].bytes, cases[i].length);
    expect_error(read_all(data, size, &err), cases[i].status, &err, cases[i].part);
  }
}

static void entries_of_numpy_are_read(void **state) {
  (void)state;
  static const char *const files[] = {"arrays.npz", "deflated.npz"};
  for (size_t f = 0; f < 2; f++) {
    uint8_t data[1024];
    lpot_error err = {0};
    lpot_zip_archive archive = {0};
    lpot_buffer content;
    lpot_npy_header header;
    size_t size = read_golden(files[f], data);
    expect_ok(lpot_zip_archive_open(data, size, &archive, &err), &err);
    assert_int_equal(archive.num_entries, 2);
    assert_string_equal(archive.entries[1].name, "y.npy");
    lpot_buffer_init(&content);
    expect_ok(lpot_zip_archive_read(&archive.entries[1], &content, &err), &err);
    expect_ok(lpot_npy_parse(content.data, content.size, &header, &err), &err);
    assert_int_equal(header.dtype, LPOT_S64);
    assert_int_equal(content.data[header.data_offset + 8 * 3], 3);
    lpot_buffer_done(&content);
    lpot_zip_archive_done(&archive);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(archive_is_rejected_when_truncated_at_any_byte),
      cmocka_unit_test(damaged_bytes_do_no_harm),
      cmocka_unit_test(each_false_field_of_the_directory_is_told),
      cmocka_unit_test(entries_of_numpy_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
