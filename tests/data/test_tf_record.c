#include "data_fixture.h"

#include "data/tf_record.h"

static void checksum_is_that_of_the_standard_text(void **state) {
  (void)state;
  /* CRC-32C of "123456789" is 0xe3069283. */
  uint32_t plain = 0xe3069283u;
  assert_int_equal(lpot_tf_record_checksum((const uint8_t *)"123456789", 9),
                   (uint32_t)((plain >> 15 | plain << 17) + 0xa282ead8u));
}

static void records_of_a_file_are_found(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("photos-00000-of-00002");
  lpot_reader reader;
  lpot_error err = {0};
  size_t offset = 0;
  size_t size = 0;
  lpot_reader_init(&reader, lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  for (int i = 0; i < 2; i++) {
    expect_ok(lpot_tf_record_next(&reader, &offset, &size, &err), &err);
    expect_ok(lpot_tf_record_check(lpot_mapping_data(mapping), offset, size, &err), &err);
  }
  assert_int_equal(lpot_reader_remaining(&reader), 0);
  lpot_mapping_unref(mapping);
}

static void file_cut_anywhere_is_refused(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("photos-00001-of-00002");
  size_t whole = lpot_mapping_size(mapping);
  for (size_t size = 0; size < whole; size++) {
    lpot_reader reader;
    lpot_error err = {0};
    size_t offset = 0;
    size_t length = 0;
    lpot_reader_init(&reader, lpot_mapping_data(mapping), size);
    assert_int_equal(lpot_tf_record_next(&reader, &offset, &length, &err), LPOT_FORMAT);
    assert_int_equal(reader.position, 0);
    assert_non_null(strstr(err.message, "offset 0"));
  }
  lpot_mapping_unref(mapping);
}

static void any_changed_bit_is_seen(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("photos-00001-of-00002");
  size_t size = lpot_mapping_size(mapping);
  uint8_t *copy = malloc(size);
  assert_non_null(copy);
  memcpy(copy, lpot_mapping_data(mapping), size);
  lpot_mapping_unref(mapping);
  for (size_t i = 0; i < size; i++) {
    copy[i] ^= (uint8_t)(1u << (i % 8));
    lpot_reader reader;
    size_t offset = 0;
    size_t length = 0;
    lpot_reader_init(&reader, copy, size);
    lpot_status status = lpot_tf_record_next(&reader, &offset, &length, NULL);
    if (status == LPOT_OK) {
      status = lpot_tf_record_check(copy, offset, length, NULL);
    }
    assert_int_equal(status, LPOT_FORMAT);
    copy[i] ^= (uint8_t)(1u << (i % 8));
  }
  free(copy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checksum_is_that_of_the_standard_text),
      cmocka_unit_test(records_of_a_file_are_found),
      cmocka_unit_test(file_cut_anywhere_is_refused),
      cmocka_unit_test(any_changed_bit_is_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
