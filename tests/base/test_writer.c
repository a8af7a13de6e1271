#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/reader.h"
#include "base/writer.h"

static void write_all(lpot_buffer *buffer) {
  assert_int_equal(lpot_writer_u8(buffer, 0xAB, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_u16(buffer, 0x1234, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_u32(buffer, 0x89ABCDEF, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_u64(buffer, UINT64_MAX - 1, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_i64(buffer, INT64_MIN, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_f32(buffer, 1.5F, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_f64(buffer, -0.1, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_string(buffer, "text", NULL), LPOT_OK);
  assert_int_equal(lpot_writer_bytes(buffer, "xy", 2, NULL), LPOT_OK);
}

static void reader_gets_back_what_was_written(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  write_all(&buffer);
  lpot_reader reader;
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  int64_t i64 = 0;
  float f32 = 0;
  double f64 = 0;
  char text[8];
  const uint8_t *bytes = NULL;
  lpot_reader_init(&reader, buffer.data, buffer.size);
  assert_int_equal(lpot_reader_u8(&reader, &u8, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_u16(&reader, &u16, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_u32(&reader, &u32, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_u64(&reader, &u64, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_i64(&reader, &i64, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_f32(&reader, &f32, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_f64(&reader, &f64, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_string(&reader, text, sizeof text, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_bytes(&reader, 2, &bytes, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_end(&reader, NULL), LPOT_OK);
  assert_int_equal(u8, 0xAB);
  assert_int_equal(u16, 0x1234);
  assert_true(u32 == 0x89ABCDEF);
  assert_true(u64 == UINT64_MAX - 1);
  assert_true(i64 == INT64_MIN);
  assert_true(f32 == 1.5F);
  assert_true(f64 == -0.1);
  assert_string_equal(text, "text");
  assert_memory_equal(bytes, "xy", 2);
  lpot_buffer_done(&buffer);
}

static void varints_of_all_lengths_come_back(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  for (int bit = 0; bit < 64; bit++) {
    for (int delta = -1; delta <= 1; delta++) {
      uint64_t value = (UINT64_C(1) << bit) + (uint64_t)delta;
      uint64_t back = 0;
      lpot_buffer_clear(&buffer);
      assert_int_equal(lpot_writer_varint(&buffer, value, NULL), LPOT_OK);
      lpot_reader reader;
      lpot_reader_init(&reader, buffer.data, buffer.size);
      assert_int_equal(lpot_reader_varint(&reader, &back, NULL), LPOT_OK);
      assert_true(back == value);
      assert_int_equal(lpot_reader_end(&reader, NULL), LPOT_OK);
    }
  }
  lpot_buffer_done(&buffer);
}

static void integers_are_written_little_endian(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  assert_int_equal(lpot_writer_u32(&buffer, 0x01020304, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_varint(&buffer, 300, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_string(&buffer, "a", NULL), LPOT_OK);
  const uint8_t expected[] = {4, 3, 2, 1, 0xAC, 0x02, 1, 0, 0, 0, 'a'};
  assert_int_equal(buffer.size, sizeof expected);
  assert_memory_equal(buffer.data, expected, sizeof expected);
  lpot_buffer_done(&buffer);
}

static void exhausted_memory_is_reported(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_writer_u8(&buffer, 1, NULL), LPOT_NO_MEMORY);
  assert_int_equal(lpot_writer_string(&buffer, "a", NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_int_equal(buffer.size, 0);
  lpot_buffer_done(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reader_gets_back_what_was_written),
      cmocka_unit_test(varints_of_all_lengths_come_back),
      cmocka_unit_test(integers_are_written_little_endian),
      cmocka_unit_test(exhausted_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
