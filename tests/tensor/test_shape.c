#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tensor/shape.h"

/* A shape from its dimensions. */
#define SHAPE(...)                                                                                 \
  lpot_shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                         \
                (const int64_t[]){__VA_ARGS__})

static void count_refuses_unknown_and_large_shapes(void **state) {
  (void)state;
  int64_t count = 5;
  lpot_error err = {0};
  const lpot_shape unknown = lpot_shape_unknown();
  const lpot_shape partly = SHAPE(2, -1);
  const lpot_shape large = SHAPE(INT64_C(1) << 24, INT64_C(1) << 24, 2);
  const lpot_shape huge = SHAPE(INT64_MAX, INT64_MAX, INT64_MAX);
  const lpot_shape empty_huge = SHAPE(0, INT64_MAX, 3);
  lpot_shape rank_nine = SHAPE(1);
  rank_nine.rank = 9;
  assert_int_equal(lpot_shape_count(&unknown, &count, NULL), LPOT_INVALID);
  assert_int_equal(lpot_shape_count(&partly, &count, &err), LPOT_INVALID);
  assert_string_equal(err.message, "shape [2, ?]: expected known dimensions");
  assert_int_equal(lpot_shape_count(&large, &count, &err), LPOT_INVALID);
  assert_string_equal(err.message, "shape [16777216, 16777216, 2]: expected at most 2^48 elements");
  assert_int_equal(lpot_shape_count(&huge, &count, NULL), LPOT_INVALID);
  assert_int_equal(lpot_shape_count(&empty_huge, &count, NULL), LPOT_INVALID);
  assert_int_equal(lpot_shape_count(&rank_nine, &count, NULL), LPOT_INVALID);
  assert_true(count == 5);
}

static void count_multiplies(void **state) {
  (void)state;
  int64_t count = 0;
  const lpot_shape scalar = lpot_shape_scalar();
  const lpot_shape largest = SHAPE(INT64_C(1) << 24, INT64_C(1) << 24);
  const lpot_shape empty = SHAPE(3, 0, 5);
  assert_int_equal(lpot_shape_count(&scalar, &count, NULL), LPOT_OK);
  assert_true(count == 1);
  assert_int_equal(lpot_shape_count(&largest, &count, NULL), LPOT_OK);
  assert_true(count == INT64_C(1) << 48);
  assert_int_equal(lpot_shape_count(&empty, &count, NULL), LPOT_OK);
  assert_true(count == 0);
  assert_true(lpot_shape_elements(&largest) == INT64_C(1) << 48);
  assert_true(lpot_shape_elements(&scalar) == 1);
}

static void known_and_equal(void **state) {
  (void)state;
  const lpot_shape a = SHAPE(1, 2);
  const lpot_shape b = SHAPE(1, 2, 3);
  const lpot_shape c = SHAPE(1, 3);
  const lpot_shape d = SHAPE(1, -1);
  const lpot_shape unknown = lpot_shape_unknown();
  assert_true(lpot_shape_is_known(&a));
  assert_false(lpot_shape_is_known(&d));
  assert_false(lpot_shape_is_known(&unknown));
  assert_true(lpot_shape_equal(&a, &a));
  assert_false(lpot_shape_equal(&a, &b));
  assert_false(lpot_shape_equal(&a, &c));
  assert_true(lpot_shape_equal(&unknown, &unknown));
}

static void check_broadcast(lpot_shape a, lpot_shape b, lpot_shape expected) {
  lpot_shape result = lpot_shape_scalar();
  assert_int_equal(lpot_shape_broadcast(&a, &b, &result, NULL), LPOT_OK);
  assert_true(lpot_shape_equal(&result, &expected));
  assert_int_equal(lpot_shape_broadcast(&b, &a, &result, NULL), LPOT_OK);
  assert_true(lpot_shape_equal(&result, &expected));
}

static void shapes_that_do_not_broadcast_are_refused(void **state) {
  (void)state;
  lpot_shape result = lpot_shape_scalar();
  lpot_error err = {0};
  const lpot_shape a = SHAPE(2, 3);
  const lpot_shape b = SHAPE(2, 4);
  const lpot_shape empty = SHAPE(2, 0);
  assert_int_equal(lpot_shape_broadcast(&a, &b, &result, &err), LPOT_INVALID);
  assert_string_equal(err.message, "shapes [2, 3] and [2, 4] cannot be broadcast");
  assert_int_equal(lpot_shape_broadcast(&a, &empty, &result, NULL), LPOT_INVALID);
  assert_int_equal(result.rank, 0);
}

static void broadcasting_is_that_of_numpy(void **state) {
  (void)state;
  check_broadcast(SHAPE(2, 3), lpot_shape_scalar(), SHAPE(2, 3));
  check_broadcast(SHAPE(2, 3), SHAPE(3), SHAPE(2, 3));
  check_broadcast(SHAPE(2, 1, 4), SHAPE(3, 1), SHAPE(2, 3, 4));
  check_broadcast(SHAPE(1, 0), SHAPE(1, 1), SHAPE(1, 0));
}

static void unknown_dimensions_broadcast_to_what_is_sure(void **state) {
  (void)state;
  check_broadcast(SHAPE(-1, 3), SHAPE(1, 3), SHAPE(-1, 3));
  check_broadcast(SHAPE(-1, 3), SHAPE(8, 1), SHAPE(8, 3));
  check_broadcast(SHAPE(-1), SHAPE(-1), SHAPE(-1));
  check_broadcast(SHAPE(-1), SHAPE(0), SHAPE(-1));
  check_broadcast(SHAPE(-1, 3), SHAPE(3), SHAPE(-1, 3));
  check_broadcast(lpot_shape_unknown(), SHAPE(3), lpot_shape_unknown());
}

static void strides_are_row_major(void **state) {
  (void)state;
  int64_t strides[LPOT_MAX_RANK];
  const lpot_shape shape = SHAPE(2, 3, 4);
  lpot_shape_strides(&shape, strides);
  assert_true(strides[0] == 12 && strides[1] == 4 && strides[2] == 1);
}

static void text_shows_unknowns_and_fits(void **state) {
  (void)state;
  char out[128];
  char tiny[6];
  const lpot_shape shape = SHAPE(2, -1, 30);
  const lpot_shape scalar = lpot_shape_scalar();
  const lpot_shape unknown = lpot_shape_unknown();
  lpot_shape_text(&shape, out, sizeof out);
  assert_string_equal(out, "[2, ?, 30]");
  lpot_shape_text(&shape, tiny, sizeof tiny);
  assert_string_equal(tiny, "[2, ?");
  lpot_shape_text(&scalar, out, sizeof out);
  assert_string_equal(out, "[]");
  lpot_shape_text(&unknown, out, sizeof out);
  assert_string_equal(out, "[...]");
  lpot_shape_text(&shape, out, 1);
  assert_string_equal(out, "");
  lpot_shape_text(&shape, NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(count_refuses_unknown_and_large_shapes),
      cmocka_unit_test(count_multiplies),
      cmocka_unit_test(known_and_equal),
      cmocka_unit_test(shapes_that_do_not_broadcast_are_refused),
      cmocka_unit_test(broadcasting_is_that_of_numpy),
      cmocka_unit_test(unknown_dimensions_broadcast_to_what_is_sure),
      cmocka_unit_test(strides_are_row_major),
      cmocka_unit_test(text_shows_unknowns_and_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
