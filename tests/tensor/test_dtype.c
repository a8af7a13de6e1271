#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tensor/dtype.h"

static void unknown_types_are_refused(void **state) {
  (void)state;
  lpot_dtype dtype = LPOT_S8;
  assert_false(lpot_dtype_from_text("", &dtype));
  assert_false(lpot_dtype_from_text("unknown", &dtype));
  assert_false(lpot_dtype_from_text("int128", &dtype));
  assert_int_equal(dtype, LPOT_S8);
  assert_int_equal(lpot_dtype_from_onnx(0), LPOT_DTYPE_UNKNOWN);
  assert_int_equal(lpot_dtype_from_onnx(8), LPOT_DTYPE_UNKNOWN);
  assert_int_equal(lpot_dtype_from_onnx(-1), LPOT_DTYPE_UNKNOWN);
  assert_int_equal(lpot_dtype_size(LPOT_DTYPE_UNKNOWN), 0);
  assert_int_equal(lpot_dtype_size((lpot_dtype)100), 0);
  assert_string_equal(lpot_dtype_text(LPOT_DTYPE_UNKNOWN), "unknown");
  assert_int_equal(lpot_dtype_to_onnx(LPOT_DTYPE_UNKNOWN), 0);
}

static void every_type_comes_back_from_its_names(void **state) {
  (void)state;
  for (int i = 0; i < LPOT_DTYPE_UNKNOWN; i++) {
    lpot_dtype dtype = (lpot_dtype)i;
    lpot_dtype back = LPOT_DTYPE_UNKNOWN;
    assert_true(lpot_dtype_from_text(lpot_dtype_text(dtype), &back));
    assert_int_equal(back, dtype);
    assert_int_equal(lpot_dtype_from_onnx(lpot_dtype_to_onnx(dtype)), dtype);
    assert_true(lpot_dtype_size(dtype) >= 1);
  }
}

static void aliases_and_sizes(void **state) {
  (void)state;
  lpot_dtype dtype = LPOT_DTYPE_UNKNOWN;
  assert_true(lpot_dtype_from_text("fp32", &dtype));
  assert_int_equal(dtype, LPOT_F32);
  assert_true(lpot_dtype_from_text("bf16", &dtype));
  assert_int_equal(dtype, LPOT_BF16);
  assert_true(lpot_dtype_from_text("u8", &dtype));
  assert_int_equal(dtype, LPOT_U8);
  assert_int_equal(lpot_dtype_size(LPOT_F64), 8);
  assert_int_equal(lpot_dtype_size(LPOT_BF16), 2);
  assert_int_equal(lpot_dtype_size(LPOT_BOOL), 1);
  assert_int_equal(lpot_dtype_to_onnx(LPOT_F32), 1);
  assert_int_equal(lpot_dtype_to_onnx(LPOT_S64), 7);
  assert_true(lpot_dtype_is_float(LPOT_BF16));
  assert_false(lpot_dtype_is_float(LPOT_BOOL));
  assert_false(lpot_dtype_is_float(LPOT_DTYPE_UNKNOWN));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown_types_are_refused),
      cmocka_unit_test(every_type_comes_back_from_its_names),
      cmocka_unit_test(aliases_and_sizes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
