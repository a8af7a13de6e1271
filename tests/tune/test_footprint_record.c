#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/footprint_record.h"

static lpot_status read_back(uint64_t bytes, uint64_t resident_bytes, lpot_footprint *ret) {
  const lpot_footprint footprint = {.bytes = bytes, .resident_bytes = resident_bytes};
  lpot_buffer out;
  lpot_reader reader;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_footprint_write(&footprint, &out, NULL), LPOT_OK);
  for (size_t size = 0; size < out.size; size++) {
    lpot_reader_init(&reader, out.data, size);
    assert_int_equal(lpot_footprint_read(&reader, ret, NULL), LPOT_FORMAT);
  }
  lpot_reader_init(&reader, out.data, out.size);
  lpot_status status = lpot_footprint_read(&reader, ret, NULL);
  assert_int_equal(lpot_reader_remaining(&reader), 0);
  lpot_buffer_done(&out);
  return status;
}

static void record_comes_back_as_it_was_written(void **state) {
  (void)state;
  lpot_footprint back = {0};
  assert_int_equal(read_back(4096, 12288, &back), LPOT_OK);
  assert_int_equal(back.bytes, 4096);
  assert_int_equal(back.resident_bytes, 12288);
  assert_int_equal(read_back(LPOT_MAX_FOOTPRINT, 0, &back), LPOT_OK);
}

static void numbers_that_cannot_be_are_refused(void **state) {
  (void)state;
  lpot_footprint back = {.bytes = 1};
  assert_int_equal(read_back(0, 4096, &back), LPOT_FORMAT);
  assert_int_equal(read_back(LPOT_MAX_FOOTPRINT + 1, 4096, &back), LPOT_FORMAT);
  assert_int_equal(read_back(4096, UINT64_MAX, &back), LPOT_FORMAT);
  assert_int_equal(back.bytes, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(record_comes_back_as_it_was_written),
      cmocka_unit_test(numbers_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
