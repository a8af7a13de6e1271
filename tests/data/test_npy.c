#include "data_fixture.h"

/* Builds a file of version 1.0 from a header text and a number of zero bytes. */
static size_t build(const char *text, size_t data_bytes, uint8_t *out) {
  size_t length = strlen(text);
  memcpy(out, "\x93NUMPY\x01\x00", 8);
  out[8] = (uint8_t)length;
  out[9] = (uint8_t)(length >> 8);
  memcpy(out + 10, text, length);
  memset(out + 10 + length, 0, data_bytes);
  return 10 + length + data_bytes;
}

static lpot_status parse(const char *text, size_t data_bytes, lpot_npy_header *header,
                         lpot_error *err) {
  uint8_t file[1024];
  size_t size = build(text, data_bytes, file);
  return lpot_npy_parse(file, size, header, err);
}

static void expect_bad(const char *text, size_t data_bytes, lpot_status expected,
                       const char *part) {
  lpot_npy_header header;
  lpot_error err = {0};
  expect_error(parse(text, data_bytes, &header, &err), expected, &err, part);
}

static void header_is_rejected_when_truncated_at_any_byte(void **state) {
  (void)state;
  uint8_t file[1024];
  size_t size = build("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24, file);
  lpot_npy_header header;
  lpot_error err = {0};
  for (size_t length = 0; length < size; length++) {
    assert_int_equal(lpot_npy_parse(file, length, &header, &err), LPOT_FORMAT);
  }
  expect_ok(lpot_npy_parse(file, size, &header, &err), &err);
}

static void wrong_magic_and_version_are_rejected(void **state) {
  (void)state;
  uint8_t file[1024];
  lpot_npy_header header;
  lpot_error err = {0};
  size_t size = build("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, file);
  file[1] = 'M';
  expect_error(lpot_npy_parse(file, size, &header, &err), LPOT_FORMAT, &err, "magic");
  file[1] = 'N';
  file[6] = 9;
  expect_error(lpot_npy_parse(file, size, &header, &err), LPOT_UNSUPPORTED, &err, "version 9.0");
  file[6] = 2;
  memset(file + 8, 0xff, 4);
  expect_error(lpot_npy_parse(file, size, &header, &err), LPOT_FORMAT, &err, "4294967295 bytes");
}

static void malformed_headers_are_rejected(void **state) {
  (void)state;
  expect_bad("", 0, LPOT_FORMAT, "expected '{'");
  expect_bad("{}", 0, LPOT_FORMAT, "missing");
  expect_bad("{'descr': '<f4', 'fortran_order': False}", 0, LPOT_FORMAT, "missing");
  expect_bad("{'descr': <f4}", 0, LPOT_FORMAT, "expected '\"'");
  expect_bad("{'descr': '<f4'", 0, LPOT_FORMAT, "expected '}'");
  expect_bad("{'descr': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}", 0, LPOT_FORMAT,
             "too long");
  expect_bad("{'what': 1}", 0, LPOT_FORMAT, "unknown key 'what'");
  expect_bad("{'shape': (__import__('os'),)}", 0, LPOT_FORMAT, "expected a dimension");
  expect_bad("{'shape': (-1,)}", 0, LPOT_FORMAT, "expected a word");
  expect_bad("{'shape': (1 2)}", 0, LPOT_FORMAT, "expected ')'");
  expect_bad("{'descr': '<f4', 'fortran_order': Perhaps, 'shape': (1,)}", 4, LPOT_FORMAT,
             "neither True nor False");
  expect_bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 2, LPOT_FORMAT, "");
}

static void what_is_well_formed_but_not_for_us_is_unsupported(void **state) {
  (void)state;
  expect_bad("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4, LPOT_UNSUPPORTED,
             "Fortran order");
  expect_bad("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, LPOT_UNSUPPORTED,
             "'>f4'");
  expect_bad("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8, LPOT_UNSUPPORTED,
             "'<c8'");
  expect_bad("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, LPOT_UNSUPPORTED, "'|O'");
  expect_bad("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4,
             LPOT_UNSUPPORTED, "structured");
  expect_bad("{'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}", 4, LPOT_UNSUPPORTED, "8 dimensions");
}

static void data_must_be_as_long_as_the_shape_demands(void **state) {
  (void)state;
  expect_bad("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 7, LPOT_FORMAT,
             "shape [2] and type float32 has 7 bytes");
  expect_bad("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 9, LPOT_FORMAT, "9 bytes");
  expect_bad("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 2)}", 0,
             LPOT_FORMAT, "");
  expect_bad("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", 0,
             LPOT_FORMAT, "expected a dimension");
  expect_bad("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0,
             LPOT_FORMAT, "");
}

static void headers_of_numpy_are_read(void **state) {
  (void)state;
  lpot_npy_header header;
  lpot_error err = {0};
  expect_ok(
      parse("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", 24, &header, &err),
      &err);
  assert_int_equal(header.dtype, LPOT_F32);
  assert_int_equal(header.shape.rank, 2);
  assert_int_equal(header.shape.dims[1], 3);
  assert_int_equal(header.data_offset, 10 + 63);
  expect_ok(parse("{\"shape\":(),\"fortran_order\":False,\"descr\":\"|u1\"}", 1, &header, &err),
            &err);
  assert_int_equal(header.dtype, LPOT_U8);
  assert_int_equal(header.shape.rank, 0);
  expect_ok(parse("{'descr': '<i8', 'fortran_order': False, 'shape': (0, 5), }", 0, &header, &err),
            &err);
  assert_int_equal(header.dtype, LPOT_S64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(header_is_rejected_when_truncated_at_any_byte),
      cmocka_unit_test(wrong_magic_and_version_are_rejected),
      cmocka_unit_test(malformed_headers_are_rejected),
      cmocka_unit_test(what_is_well_formed_but_not_for_us_is_unsupported),
      cmocka_unit_test(data_must_be_as_long_as_the_shape_demands),
      cmocka_unit_test(headers_of_numpy_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
