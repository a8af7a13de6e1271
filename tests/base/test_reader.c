#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"

static void every_integer_refuses_data_that_is_too_short(void **state) {
  (void)state;
  const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (size_t size = 0; size <= 8; size++) {
    lpot_reader reader;
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    int64_t i64 = 0;
    float f32 = 0;
    double f64 = 0;
#define CHECK(name, width)                                                                         \
  lpot_reader_init(&reader, bytes, size);                                                          \
  assert_int_equal(lpot_reader_##name(&reader, &name, NULL),                                       \
                   size >= (width) ? LPOT_OK : LPOT_FORMAT);                                       \
  assert_int_equal(reader.position, size >= (width) ? (width) : 0)
    CHECK(u8, 1);
    CHECK(u16, 2);
    CHECK(u32, 4);
    CHECK(u64, 8);
    CHECK(i64, 8);
    CHECK(f32, 4);
    CHECK(f64, 8);
#undef CHECK
  }
}

static void empty_data_may_be_null(void **state) {
  (void)state;
  lpot_reader reader;
  uint8_t byte = 0;
  uint64_t number = 0;
  const uint8_t *bytes = NULL;
  lpot_reader_init(&reader, NULL, 0);
  assert_int_equal(lpot_reader_u8(&reader, &byte, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_reader_varint(&reader, &number, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_reader_bytes(&reader, 1, &bytes, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_reader_end(&reader, NULL), LPOT_OK);
}

static void integers_are_little_endian(void **state) {
  (void)state;
  const uint8_t bytes[] = {0xFE, 0x02, 0x01, 0x04, 0x03, 0x02, 0x01, 0xFE, 0xFF, 0xFF,
                           0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x80, 0xBF};
  lpot_reader reader;
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  int64_t i64 = 0;
  float f32 = 0;
  lpot_reader_init(&reader, bytes, sizeof bytes);
  assert_int_equal(lpot_reader_u8(&reader, &u8, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_u16(&reader, &u16, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_u32(&reader, &u32, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_i64(&reader, &i64, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_f32(&reader, &f32, NULL), LPOT_OK);
  assert_int_equal(u8, 0xFE);
  assert_int_equal(u16, 0x0102);
  assert_int_equal(u32, 0x01020304);
  assert_true(i64 == -2);
  assert_true(f32 == -1.0F);
  assert_int_equal(lpot_reader_end(&reader, NULL), LPOT_OK);
}

static lpot_status read_varint(const uint8_t *bytes, size_t size, uint64_t *value,
                               size_t *position) {
  lpot_reader reader;
  lpot_reader_init(&reader, bytes, size);
  lpot_status status = lpot_reader_varint(&reader, value, NULL);
  *position = reader.position;
  return status;
}

static void reader_rejects_varint_longer_than_ten_bytes(void **state) {
  (void)state;
  uint8_t bytes[11];
  uint64_t value = 5;
  size_t position = 0;
  memset(bytes, 0x80, sizeof bytes);
  bytes[10] = 0;
  assert_int_equal(read_varint(bytes, sizeof bytes, &value, &position), LPOT_FORMAT);
  assert_int_equal(position, 0);
  assert_true(value == 5);
}

static void reader_rejects_varint_of_two_to_the_64(void **state) {
  (void)state;
  uint8_t bytes[10];
  uint64_t value = 0;
  size_t position = 0;
  memset(bytes, 0xFF, sizeof bytes);
  bytes[9] = 1;
  assert_int_equal(read_varint(bytes, sizeof bytes, &value, &position), LPOT_OK);
  assert_true(value == UINT64_MAX);
  assert_int_equal(position, 10);
  bytes[9] = 2;
  assert_int_equal(read_varint(bytes, sizeof bytes, &value, &position), LPOT_FORMAT);
}

static void reader_rejects_varint_cut_at_every_byte(void **state) {
  (void)state;
  const uint8_t bytes[10] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x01};
  uint64_t value = 0;
  size_t position = 0;
  for (size_t size = 0; size < sizeof bytes; size++) {
    assert_int_equal(read_varint(bytes, size, &value, &position), LPOT_FORMAT);
    assert_int_equal(position, 0);
  }
  assert_int_equal(read_varint(bytes, sizeof bytes, &value, &position), LPOT_OK);
}

static void varint_of_protocol_buffers_example(void **state) {
  (void)state;
  const uint8_t bytes[] = {0xAC, 0x02};
  uint64_t value = 0;
  size_t position = 0;
  assert_int_equal(read_varint(bytes, sizeof bytes, &value, &position), LPOT_OK);
  assert_true(value == 300);
}

static void bytes_refuse_sizes_beyond_the_end(void **state) {
  (void)state;
  const uint8_t data[] = {1, 2, 3};
  lpot_reader reader;
  lpot_error err = {0};
  const uint8_t *bytes = NULL;
  lpot_reader_init(&reader, data, sizeof data);
  assert_int_equal(lpot_reader_bytes(&reader, 4, &bytes, &err), LPOT_FORMAT);
  assert_string_equal(err.message, "data ends at byte 3: expected 4 more bytes, got 3");
  assert_int_equal(lpot_reader_bytes(&reader, SIZE_MAX, &bytes, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_reader_bytes(&reader, 2, &bytes, NULL), LPOT_OK);
  assert_ptr_equal(bytes, data);
  assert_int_equal(lpot_reader_remaining(&reader), 1);
  assert_int_equal(lpot_reader_end(&reader, &err), LPOT_FORMAT);
  assert_string_equal(err.message, "data goes on at byte 2: expected its end, got 1 bytes");
}

static void string_refuses_truncated_long_and_zero_bytes(void **state) {
  (void)state;
  const uint8_t data[] = {3, 0, 0, 0, 'a', 'b', 'c'};
  const uint8_t with_zero[] = {3, 0, 0, 0, 'a', 0, 'c'};
  const uint8_t huge[] = {0xFF, 0xFF, 0xFF, 0xFF, 'a'};
  char out[4] = "zzz";
  lpot_reader reader;
  for (size_t size = 0; size < sizeof data; size++) {
    lpot_reader_init(&reader, data, size);
    assert_int_equal(lpot_reader_string(&reader, out, sizeof out, NULL), LPOT_FORMAT);
    assert_int_equal(reader.position, 0);
  }
  lpot_reader_init(&reader, with_zero, sizeof with_zero);
  assert_int_equal(lpot_reader_string(&reader, out, sizeof out, NULL), LPOT_FORMAT);
  lpot_reader_init(&reader, huge, sizeof huge);
  assert_int_equal(lpot_reader_string(&reader, out, sizeof out, NULL), LPOT_FORMAT);
  lpot_reader_init(&reader, data, sizeof data);
  assert_int_equal(lpot_reader_string(&reader, out, 3, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_reader_string(&reader, out, 0, NULL), LPOT_FORMAT);
  assert_int_equal(reader.position, 0);
  assert_string_equal(out, "zzz");
  assert_int_equal(lpot_reader_string(&reader, out, sizeof out, NULL), LPOT_OK);
  assert_string_equal(out, "abc");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_integer_refuses_data_that_is_too_short),
      cmocka_unit_test(empty_data_may_be_null),
      cmocka_unit_test(integers_are_little_endian),
      cmocka_unit_test(reader_rejects_varint_longer_than_ten_bytes),
      cmocka_unit_test(reader_rejects_varint_of_two_to_the_64),
      cmocka_unit_test(reader_rejects_varint_cut_at_every_byte),
      cmocka_unit_test(varint_of_protocol_buffers_example),
      cmocka_unit_test(bytes_refuse_sizes_beyond_the_end),
      cmocka_unit_test(string_refuses_truncated_long_and_zero_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
