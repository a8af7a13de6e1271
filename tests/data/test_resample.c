#include "data_fixture.h"

#include "base/memory.h"
#include "data/transform/resample.h"

static lpot_tensor *resize(lpot_tensor *image, int64_t height, int64_t width,
                           lpot_interpolation interpolation) {
  lpot_tensor *result = NULL;
  lpot_error err = {0};
  expect_ok(lpot_resample(image, height, width, interpolation, &result, &err), &err);
  return result;
}

static void expect_like_pillow(const char *golden, lpot_interpolation interpolation,
                               double tolerance) {
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  lpot_tensor *expected = golden_tensor(golden);
  lpot_tensor *found =
      resize(image, expected->shape.dims[0], expected->shape.dims[1], interpolation);
  double difference = largest_difference(found, expected);
  if (difference > tolerance) {
    fail_msg("%s differs by %g", golden, difference);
  }
  lpot_tensor_unref(image);
  lpot_tensor_unref(expected);
  lpot_tensor_unref(found);
}

static void empty_and_huge_results_are_refused(void **state) {
  (void)state;
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  lpot_tensor *result = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_resample(image, 0, 5, LPOT_INTERPOLATION_BILINEAR, &result, &err),
                   LPOT_INVALID);
  assert_int_equal(lpot_resample(image, 5, 70000, LPOT_INTERPOLATION_BILINEAR, &result, &err),
                   LPOT_INVALID);
  assert_null(result);
  lpot_tensor_unref(image);
}

static void u8_images_are_resized_as_pillow_does(void **state) {
  (void)state;
  expect_like_pillow("bilinear_13x17.npy", LPOT_INTERPOLATION_BILINEAR, 1);
  expect_like_pillow("bilinear_30x20.npy", LPOT_INTERPOLATION_BILINEAR, 1);
  expect_like_pillow("bicubic_30x39.npy", LPOT_INTERPOLATION_BICUBIC, 1);
  expect_like_pillow("nearest_13x40.npy", LPOT_INTERPOLATION_NEAREST, 0);
}

static void short_side_keeps_the_aspect_ratio(void **state) {
  (void)state;
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  lpot_tensor *expected = golden_tensor("short_side_16.npy");
  lpot_tensor *found = NULL;
  lpot_error err = {0};
  expect_ok(lpot_resample_short_side(image, 16, false, LPOT_INTERPOLATION_BILINEAR, &found, &err),
            &err);
  assert_int_equal(found->shape.dims[0], 16);
  assert_int_equal(found->shape.dims[1], 21);
  assert_true(largest_difference(found, expected) <= 1.0);
  lpot_tensor_unref(image);
  lpot_tensor_unref(expected);
  lpot_tensor_unref(found);
}

static void f32_images_agree_with_u8_ones_but_for_rounding(void **state) {
  (void)state;
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  lpot_tensor *expected = golden_tensor("bilinear_13x17.npy");
  lpot_tensor *real = NULL;
  lpot_error err = {0};
  expect_ok(lpot_tensor_new(LPOT_F32, &image->shape, &real, &err), &err);
  for (int64_t i = 0; i < lpot_tensor_elements(image); i++) {
    lpot_tensor_set_double(real, i, lpot_tensor_get_double(image, i));
  }
  lpot_tensor *found = resize(real, 13, 17, LPOT_INTERPOLATION_BILINEAR);
  assert_int_equal(found->dtype, LPOT_F32);
  assert_true(largest_difference(found, expected) <= 1.001);
  lpot_tensor_unref(image);
  lpot_tensor_unref(real);
  lpot_tensor_unref(expected);
  lpot_tensor_unref(found);
}

static void same_size_and_constant_images_stay(void **state) {
  (void)state;
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  lpot_tensor *same = resize(image, 24, 31, LPOT_INTERPOLATION_BICUBIC);
  assert_true(largest_difference(image, same) == 0.0);
  lpot_tensor_unref(same);
  memset(image->data, 255, image->size_bytes);
  static const int64_t sizes[] = {1, 2, 7, 23, 24, 25, 100};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    for (int way = 0; way < 3; way++) {
      lpot_tensor *result = resize(image, sizes[i], sizes[6 - i], (lpot_interpolation)way);
      for (int64_t k = 0; k < lpot_tensor_elements(result); k++) {
        assert_int_equal(lpot_tensor_get_int(result, k), 255);
      }
      lpot_tensor_unref(result);
    }
  }
  lpot_tensor_unref(image);
}

static void exhausted_memory_is_an_error(void **state) {
  (void)state;
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t n = 1; status != LPOT_OK; n++) {
    lpot_tensor *result = NULL;
    lpot_memory_fail_after(n);
    status = lpot_resample(image, 5, 5, LPOT_INTERPOLATION_BILINEAR, &result, NULL);
    lpot_memory_fail_after(0);
    assert_true(status == LPOT_NO_MEMORY || status == LPOT_OK);
    lpot_tensor_unref(result);
    assert_true(n < 30);
  }
  lpot_tensor_unref(image);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_and_huge_results_are_refused),
      cmocka_unit_test(u8_images_are_resized_as_pillow_does),
      cmocka_unit_test(short_side_keeps_the_aspect_ratio),
      cmocka_unit_test(f32_images_agree_with_u8_ones_but_for_rounding),
      cmocka_unit_test(same_size_and_constant_images_stay),
      cmocka_unit_test(exhausted_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
