#include "data_fixture.h"

#include <zlib.h>

#include "data/inflate.h"

#define CONTENT 3000000 /* more than the step by which the output grows */

/* Compresses CONTENT bytes, i % 251 each; window_bits as for deflateInit2. */
static size_t compress_content(int window_bits, uint8_t *out, size_t out_size) {
  static uint8_t content[CONTENT];
  for (size_t i = 0; i < CONTENT; i++) {
    content[i] = (uint8_t)(i % 251);
  }
  z_stream stream = {.next_in = content, .avail_in = CONTENT, .next_out = out};
  stream.avail_out = (uInt)out_size;
  assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  deflateEnd(&stream);
  return out_size - stream.avail_out;
}

static lpot_status inflate_gzip(const uint8_t *data, size_t size, size_t limit, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status status = lpot_inflate_gzip(data, size, limit, &out, err);
  if (status == LPOT_OK) {
    assert_int_equal(out.size, CONTENT);
    assert_int_equal(out.data[CONTENT - 1], (CONTENT - 1) % 251);
  }
  lpot_buffer_done(&out);
  return status;
}

static void gzip_is_rejected_when_truncated_extended_or_too_large(void **state) {
  (void)state;
  static uint8_t packed[100000];
  lpot_error err = {0};
  size_t size = compress_content(16 + MAX_WBITS, packed, sizeof packed);
  expect_ok(inflate_gzip(packed, size, CONTENT, &err), &err);
  for (size_t length = 0; length < size; length += length + 40 < size ? 37 : 1) {
    assert_int_equal(inflate_gzip(packed, length, CONTENT, &err), LPOT_FORMAT);
  }
  expect_error(inflate_gzip(packed, size + 1, CONTENT, &err), LPOT_FORMAT, &err, "1 bytes follow");
  expect_error(inflate_gzip(packed, size, CONTENT - 1, &err), LPOT_FORMAT, &err,
               "more than 2999999 bytes");
  packed[size - 5] ^= 1;
  expect_error(inflate_gzip(packed, size, CONTENT, &err), LPOT_FORMAT, &err, "incorrect");
}

static void gzip_members_are_joined(void **state) {
  (void)state;
  static uint8_t packed[200000];
  lpot_buffer out;
  lpot_error err = {0};
  lpot_buffer_init(&out);
  size_t size = compress_content(16 + MAX_WBITS, packed, sizeof packed / 2);
  memcpy(packed + size, packed, size);
  expect_ok(lpot_inflate_gzip(packed, 2 * size, 2 * CONTENT, &out, &err), &err);
  assert_int_equal(out.size, 2 * CONTENT);
  assert_int_equal(out.data[CONTENT - 1], (CONTENT - 1) % 251);
  assert_int_equal(out.data[CONTENT], 0);
  assert_int_equal(out.data[2 * CONTENT - 1], (CONTENT - 1) % 251);
  assert_int_equal(lpot_inflate_gzip(packed, 2 * size - 1, 2 * CONTENT, &out, &err), LPOT_FORMAT);
  expect_error(lpot_inflate_gzip(packed, 2 * size, 2 * CONTENT - 1, &out, &err), LPOT_FORMAT, &err,
               "more than");
  lpot_buffer_done(&out);
}

static void raw_data_must_have_exactly_the_size(void **state) {
  (void)state;
  static uint8_t packed[100000];
  static uint8_t content[CONTENT + 1];
  lpot_error err = {0};
  size_t size = compress_content(-MAX_WBITS, packed, sizeof packed);
  expect_ok(lpot_inflate_raw(packed, size, content, CONTENT, &err), &err);
  assert_int_equal(content[CONTENT - 1], (CONTENT - 1) % 251);
  expect_error(lpot_inflate_raw(packed, size, content, CONTENT + 1, &err), LPOT_FORMAT, &err,
               "1 bytes too few");
  expect_error(lpot_inflate_raw(packed, size, content, CONTENT - 1, &err), LPOT_FORMAT, &err,
               "hold too much");
  expect_error(lpot_inflate_raw(packed, size - 1, content, CONTENT, &err), LPOT_FORMAT, &err,
               "end early");
  expect_error(lpot_inflate_raw(packed, 0, content, 5, &err), LPOT_FORMAT, &err, "end early");
  expect_ok(lpot_inflate_raw((const uint8_t *)"\x03\x00", 2, content, 0, &err), &err);
}

static void checksum_is_that_of_zip_files(void **state) {
  (void)state;
  assert_int_equal(lpot_inflate_crc32((const uint8_t *)"123456789", 9), 0xcbf43926);
  assert_int_equal(lpot_inflate_crc32(NULL, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gzip_is_rejected_when_truncated_extended_or_too_large),
      cmocka_unit_test(gzip_members_are_joined),
      cmocka_unit_test(raw_data_must_have_exactly_the_size),
      cmocka_unit_test(checksum_is_that_of_zip_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
