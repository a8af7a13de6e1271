#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/tensor.h"

static lpot_tensor *make(lpot_dtype dtype, int64_t elements) {
  lpot_tensor *tensor = NULL;
  const lpot_shape shape = lpot_shape_of(1, &elements);
  assert_int_equal(lpot_tensor_new(dtype, &shape, &tensor, NULL), LPOT_OK);
  return tensor;
}

static void shapes_and_types_that_make_no_tensor_are_refused(void **state) {
  (void)state;
  lpot_tensor *tensor = NULL;
  const lpot_shape unknown = lpot_shape_unknown();
  const lpot_shape scalar = lpot_shape_scalar();
  const lpot_shape huge = lpot_shape_of(2, (const int64_t[]){INT64_MAX, 2});
  assert_int_equal(lpot_tensor_new(LPOT_F32, &unknown, &tensor, NULL), LPOT_INVALID);
  assert_int_equal(lpot_tensor_new(LPOT_F32, &huge, &tensor, NULL), LPOT_INVALID);
  assert_int_equal(lpot_tensor_new(LPOT_DTYPE_UNKNOWN, &scalar, &tensor, NULL), LPOT_INVALID);
  assert_null(tensor);
}

static void view_refuses_a_wrong_size(void **state) {
  (void)state;
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  const float data[6] = {0};
  const lpot_shape shape = lpot_shape_of(2, (const int64_t[]){2, 3});
  assert_int_equal(lpot_tensor_view(LPOT_F32, &shape, data, 20, NULL, &tensor, &err), LPOT_FORMAT);
  assert_string_equal(err.message, "tensor float32 [2, 3]: expected 24 bytes of data, got 20");
  assert_int_equal(lpot_tensor_view(LPOT_F32, &shape, data, 28, NULL, &tensor, NULL), LPOT_FORMAT);
  assert_null(tensor);
}

static void new_tensors_are_zero_and_aligned(void **state) {
  (void)state;
  lpot_tensor *tensor = make(LPOT_F32, 1000);
  assert_int_equal((uintptr_t)tensor->data % 64, 0);
  assert_int_equal(tensor->size_bytes, 4000);
  assert_true(lpot_tensor_elements(tensor) == 1000);
  for (int64_t i = 0; i < 1000; i++) {
    assert_true(lpot_tensor_get_double(tensor, i) == 0);
  }
  lpot_tensor_unref(tensor);
  lpot_tensor *empty = make(LPOT_F32, 0);
  assert_non_null(empty->data);
  lpot_tensor_unref(empty);
  lpot_tensor_unref(NULL);
}

static void copies_are_independent_and_shared_by_reference(void **state) {
  (void)state;
  int32_t data[2] = {5, -6};
  const lpot_shape shape = lpot_shape_of(1, (const int64_t[]){2});
  lpot_tensor *tensor = NULL;
  assert_int_equal(lpot_tensor_copy_of(LPOT_S32, &shape, data, &tensor, NULL), LPOT_OK);
  data[0] = 9;
  assert_ptr_equal(lpot_tensor_ref(tensor), tensor);
  lpot_tensor_unref(tensor);
  assert_true(lpot_tensor_get_int(tensor, 0) == 5);
  assert_true(lpot_tensor_get_int(tensor, 1) == -6);
  lpot_tensor_unref(tensor);
}

static void a_view_keeps_its_mapping_alive(void **state) {
  (void)state;
  char path[] = "/tmp/lpot_tensor_XXXXXX";
  int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  const unsigned char bytes[] = {0xFF, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40};
  assert_int_equal(write(descriptor, bytes, sizeof bytes), sizeof bytes);
  close(descriptor);
  lpot_mapping *mapping = NULL;
  assert_int_equal(lpot_mapping_open(path, &mapping, NULL), LPOT_OK);
  unlink(path);
  lpot_tensor *tensor = NULL;
  const lpot_shape shape = lpot_shape_of(1, (const int64_t[]){2});
  /* One byte in: views need not be aligned. */
  assert_int_equal(
      lpot_tensor_view(LPOT_F32, &shape, lpot_mapping_data(mapping) + 1, 8, mapping, &tensor, NULL),
      LPOT_OK);
  lpot_mapping_unref(mapping);
  assert_true(lpot_tensor_get_double(tensor, 0) == 1);
  assert_true(lpot_tensor_get_double(tensor, 1) == 2);
  lpot_tensor_unref(tensor);
}

static void every_type_stores_numbers(void **state) {
  (void)state;
  for (int i = 0; i < LPOT_DTYPE_UNKNOWN; i++) {
    lpot_tensor *tensor = make((lpot_dtype)i, 3);
    double expected = i == LPOT_BOOL ? 1 : 100;
    lpot_tensor_set_double(tensor, 1, 100);
    assert_true(lpot_tensor_get_double(tensor, 1) == expected);
    assert_true(lpot_tensor_get_int(tensor, 1) == (int64_t)expected);
    lpot_tensor_set_int(tensor, 2, 100);
    assert_true(lpot_tensor_get_double(tensor, 2) == expected);
    assert_true(lpot_tensor_get_double(tensor, 0) == 0);
    lpot_tensor_unref(tensor);
  }
}

static void integers_saturate_and_truncate(void **state) {
  (void)state;
  typedef struct limits {
    lpot_dtype dtype;
    double low, high;
  } limits;
  static const limits rows[] = {
      {LPOT_S8, -128, 127},        {LPOT_U8, 0, 255},         {LPOT_S16, -32768, 32767},
      {LPOT_U16, 0, 65535},        {LPOT_U32, 0, 4294967295}, {LPOT_S32, -2147483648.0, 2147483647},
      {LPOT_S64, -0x1p63, 0x1p63}, {LPOT_U64, 0, 0x1p64},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    lpot_tensor *tensor = make(rows[i].dtype, 1);
    lpot_tensor_set_double(tensor, 0, 1e30);
    assert_true(lpot_tensor_get_double(tensor, 0) == rows[i].high);
    lpot_tensor_set_double(tensor, 0, (double)INFINITY);
    assert_true(lpot_tensor_get_double(tensor, 0) == rows[i].high);
    lpot_tensor_set_double(tensor, 0, -1e30);
    assert_true(lpot_tensor_get_double(tensor, 0) == rows[i].low);
    lpot_tensor_set_int(tensor, 0, INT64_MIN);
    assert_true(lpot_tensor_get_double(tensor, 0) == rows[i].low);
    lpot_tensor_set_double(tensor, 0, 2.9);
    assert_true(lpot_tensor_get_int(tensor, 0) == 2);
    lpot_tensor_set_double(tensor, 0, (double)NAN);
    assert_true(lpot_tensor_get_int(tensor, 0) == 0);
    lpot_tensor_unref(tensor);
  }
}

static void large_integers_are_exact(void **state) {
  (void)state;
  lpot_tensor *tensor = make(LPOT_S64, 1);
  lpot_tensor_set_int(tensor, 0, INT64_MAX - 1);
  assert_true(lpot_tensor_get_int(tensor, 0) == INT64_MAX - 1);
  lpot_tensor_set_int(tensor, 0, INT64_MIN);
  assert_true(lpot_tensor_get_int(tensor, 0) == INT64_MIN);
  lpot_tensor_unref(tensor);
  lpot_tensor *wide = make(LPOT_U64, 1);
  lpot_tensor_set_double(wide, 0, 0x1p63);
  assert_true(lpot_tensor_get_double(wide, 0) == 0x1p63);
  assert_true(lpot_tensor_get_int(wide, 0) == INT64_MAX);
  lpot_tensor_unref(wide);
}

static void floats_become_integers_towards_zero(void **state) {
  (void)state;
  lpot_tensor *tensor = make(LPOT_F32, 4);
  lpot_tensor_set_double(tensor, 0, -2.7);
  lpot_tensor_set_double(tensor, 1, 0x1p63);
  lpot_tensor_set_double(tensor, 2, -1e30);
  lpot_tensor_set_double(tensor, 3, (double)NAN);
  assert_true(lpot_tensor_get_int(tensor, 0) == -2);
  assert_true(lpot_tensor_get_int(tensor, 1) == INT64_MAX);
  assert_true(lpot_tensor_get_int(tensor, 2) == INT64_MIN);
  assert_true(lpot_tensor_get_int(tensor, 3) == 0);
  lpot_tensor_unref(tensor);
}

static void exhausted_memory_is_reported(void **state) {
  (void)state;
  const lpot_shape shape = lpot_shape_of(1, (const int64_t[]){2});
  lpot_tensor *tensor = NULL;
  for (uint64_t countdown = 1; countdown <= 2; countdown++) {
    lpot_memory_fail_after(countdown);
    assert_int_equal(lpot_tensor_new(LPOT_F32, &shape, &tensor, NULL), LPOT_NO_MEMORY);
    lpot_memory_fail_after(0);
  }
  assert_null(tensor);
}

/* Each element of these is smaller than the next. */
static void check_ascending(lpot_dtype dtype, int64_t count, const double *values) {
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(1, &count);
  assert_int_equal(lpot_tensor_new(dtype, &shape, &tensor, NULL), LPOT_OK);
  for (int64_t i = 0; i < count; i++) {
    lpot_tensor_set_double(tensor, i, values[i]);
  }
  for (int64_t i = 1; i < count; i++) {
    assert_true(lpot_tensor_get_order(tensor, i - 1) < lpot_tensor_get_order(tensor, i));
  }
  lpot_tensor_unref(tensor);
}

static void order_numbers_compare_as_the_elements(void **state) {
  (void)state;
  static const double reals[] = {-(double)INFINITY, -2.0,       -1.5, -0x1p-14, 0.0, 0x1p-14, 1.5,
                                 (double)INFINITY,  (double)NAN};
  static const double ints[] = {-128.0, -1.0, 0.0, 1.0, 127.0};
  static const double unsigned_ints[] = {0.0, 1.0, 0x1p62, 0x1p63, 0x1.8p63};
  check_ascending(LPOT_F32, 9, reals);
  check_ascending(LPOT_F64, 9, reals);
  check_ascending(LPOT_F16, 9, reals);
  check_ascending(LPOT_S8, 5, ints);
  check_ascending(LPOT_S64, 5, ints);
  check_ascending(LPOT_U64, 5, unsigned_ints);
}

static void zeros_of_both_signs_and_nans_are_equal_in_order(void **state) {
  (void)state;
  const float values[4] = {0.0F, -0.0F, NAN, -NAN};
  const int64_t count = 4;
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(1, &count);
  assert_int_equal(lpot_tensor_copy_of(LPOT_F32, &shape, values, &tensor, NULL), LPOT_OK);
  assert_true(lpot_tensor_get_order(tensor, 0) == lpot_tensor_get_order(tensor, 1));
  assert_true(lpot_tensor_get_order(tensor, 2) == lpot_tensor_get_order(tensor, 3));
  lpot_tensor_unref(tensor);
}

static void unaligned_views_are_copied(void **state) {
  (void)state;
  lpot_error err = {0};
  _Alignas(4) uint8_t bytes[9] = {0};
  const float values[2] = {1.5f, -2.0f};
  const lpot_shape shape = lpot_shape_of(1, (const int64_t[]){2});
  for (int offset = 0; offset < 2; offset++) {
    lpot_tensor *view = NULL;
    lpot_tensor *aligned = NULL;
    memcpy(bytes + offset, values, sizeof values);
    assert_int_equal(
        lpot_tensor_view(LPOT_F32, &shape, bytes + offset, sizeof values, NULL, &view, &err),
        LPOT_OK);
    assert_int_equal(lpot_tensor_is_aligned(view), offset == 0);
    assert_int_equal(lpot_tensor_aligned(view, &aligned, &err), LPOT_OK);
    assert_int_equal(aligned == view, offset == 0);
    assert_true(lpot_tensor_is_aligned(aligned));
    assert_memory_equal(aligned->data, values, sizeof values);
    lpot_tensor_unref(aligned);
    lpot_tensor_unref(view);
  }
  const lpot_tensor untyped = {.dtype = LPOT_DTYPE_UNKNOWN};
  assert_true(lpot_tensor_is_aligned(&untyped));
}

static void large_tensors_share_their_bytes_and_small_ones_stay(void **state) {
  (void)state;
  const lpot_shape large = lpot_shape_of(2, (int64_t[]){256, 257});
  const lpot_shape small = lpot_shape_of(1, (int64_t[]){1000});
  lpot_tensor *tensors[3] = {NULL, NULL, NULL};
  assert_int_equal(lpot_tensor_new(LPOT_F32, &large, &tensors[0], NULL), LPOT_OK);
  assert_int_equal(lpot_tensor_new(LPOT_F32, &small, &tensors[2], NULL), LPOT_OK);
  for (int64_t i = 0; i < lpot_tensor_elements(tensors[0]); i++) {
    lpot_tensor_set_double(tensors[0], i, (double)i);
  }
  assert_int_equal(lpot_tensor_copy_of(LPOT_F32, &large, tensors[0]->data, &tensors[1], NULL),
                   LPOT_OK);
  for (int i = 0; i < 3; i++) {
    const void *before = tensors[i]->data;
    lpot_tensor_share(tensors[i]);
    assert_int_equal(tensors[i]->data != before, i < 2);
    assert_int_equal(tensors[i]->mapping != NULL, i < 2);
  }
  assert_memory_equal(tensors[0]->data, tensors[1]->data, tensors[0]->size_bytes);
  for (int64_t i = 0; i < lpot_tensor_elements(tensors[0]); i++) {
    assert_float_equal(lpot_tensor_get_double(tensors[0], i), (double)i, 0);
  }
  const void *shared = tensors[0]->data;
  lpot_tensor_share(tensors[0]); /* It is a view now. */
  assert_ptr_equal(tensors[0]->data, shared);
  for (int i = 0; i < 3; i++) {
    lpot_tensor_unref(tensors[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shapes_and_types_that_make_no_tensor_are_refused),
      cmocka_unit_test(view_refuses_a_wrong_size),
      cmocka_unit_test(new_tensors_are_zero_and_aligned),
      cmocka_unit_test(copies_are_independent_and_shared_by_reference),
      cmocka_unit_test(a_view_keeps_its_mapping_alive),
      cmocka_unit_test(unaligned_views_are_copied),
      cmocka_unit_test(large_tensors_share_their_bytes_and_small_ones_stay),
      cmocka_unit_test(every_type_stores_numbers),
      cmocka_unit_test(integers_saturate_and_truncate),
      cmocka_unit_test(large_integers_are_exact),
      cmocka_unit_test(floats_become_integers_towards_zero),
      cmocka_unit_test(exhausted_memory_is_reported),
      cmocka_unit_test(order_numbers_compare_as_the_elements),
      cmocka_unit_test(zeros_of_both_signs_and_nans_are_equal_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
