#include "data_fixture.h"

#include "base/memory.h"
#include "data/image.h"

static lpot_status decode(const uint8_t *data, size_t size, lpot_error *err) {
  lpot_tensor *image = NULL;
  lpot_status status = lpot_image_decode(data, size, false, &image, err);
  assert_true((status == LPOT_OK) == (image != NULL));
  lpot_tensor_unref(image);
  return status;
}

static void expect_like_pillow(const char *file, const char *golden, double tolerance) {
  char path[FIXTURE_PATH];
  lpot_error err = {0};
  lpot_tensor *image = NULL;
  lpot_tensor *expected = golden_tensor(golden);
  golden_path(file, path);
  expect_ok(lpot_image_load(path, false, &image, &err), &err);
  assert_int_equal(image->dtype, LPOT_U8);
  double difference = largest_difference(image, expected);
  if (difference > tolerance) {
    fail_msg("%s differs by %g", file, difference);
  }
  lpot_tensor_unref(image);
  lpot_tensor_unref(expected);
}

static void decoder_rejects_what_is_no_image(void **state) {
  (void)state;
  lpot_error err = {0};
  expect_error(decode((const uint8_t *)"", 0, &err), LPOT_FORMAT, &err, "neither a JPEG nor a PNG");
  expect_error(decode((const uint8_t *)"GIF89a..", 8, &err), LPOT_FORMAT, &err, "neither");
  expect_error(decode((const uint8_t *)"\xff\xd8\xff", 3, &err), LPOT_FORMAT, &err, "JPEG");
  expect_error(decode((const uint8_t *)"\x89PNG\r\n\x1a\n", 8, &err), LPOT_FORMAT, &err,
               "ends early");
}

/* The bytes before the limit must not do; the rest may only be an end mark. */
static void expect_truncation_refused(const char *file, size_t needless) {
  lpot_mapping *mapping = golden_map(file);
  size_t size = lpot_mapping_size(mapping);
  for (size_t length = 0; length < size - needless; length++) {
    uint8_t *copy = lpot_calloc(length, 1);
    memcpy(copy, lpot_mapping_data(mapping), length);
    lpot_error err = {0};
    lpot_status status = decode(copy, length, &err);
    lpot_free(copy);
    if (status != LPOT_FORMAT) {
      fail_msg("%s cut at %zu of %zu: %s", file, length, size, lpot_status_text(status));
    }
  }
  lpot_mapping_unref(mapping);
}

static void png_is_rejected_when_truncated_at_any_byte(void **state) {
  (void)state;
  expect_truncation_refused("rgb.png", 16);
  expect_truncation_refused("palette.png", 16);
}

static void jpeg_is_rejected_when_truncated_at_any_byte(void **state) {
  (void)state;
  expect_truncation_refused("rgb.jpg", 8);
  expect_truncation_refused("grey.jpg", 8);
  expect_truncation_refused("progressive.jpg", 2);
}

/* Any single damaged byte gives an error or an image, never a crash (the sanitizers watch). */
static void damaged_bytes_do_no_harm(void **state) {
  (void)state;
  static const char *const files[] = {"rgb.png", "palette.png", "rgb.jpg", "cmyk.jpg",
                                      "progressive.jpg"};
  int refused = 0;
  for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
    lpot_mapping *mapping = golden_map(files[f]);
    size_t size = lpot_mapping_size(mapping);
    uint8_t *copy = lpot_calloc(size, 1);
    for (size_t i = 0; i < size; i++) {
      memcpy(copy, lpot_mapping_data(mapping), size);
      copy[i] ^= 0xff;
      refused += decode(copy, size, NULL) != LPOT_OK ? 1 : 0;
    }
    lpot_free(copy);
    lpot_mapping_unref(mapping);
  }
  assert_true(refused > 1000);
}

static void png_with_a_wrong_checksum_is_rejected(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("grey.png");
  uint8_t copy[512];
  size_t size = lpot_mapping_size(mapping);
  memcpy(copy, lpot_mapping_data(mapping), size);
  copy[29] ^= 1;
  lpot_error err = {0};
  expect_error(decode(copy, size, &err), LPOT_FORMAT, &err, "damaged PNG image: IHDR: CRC error");
  lpot_mapping_unref(mapping);
}

static void empty_and_huge_sizes_are_rejected(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_tensor *image = NULL;
  expect_error(lpot_image_new(0, 5, &image, &err), LPOT_FORMAT, &err, "height 0 and width 5");
  expect_error(lpot_image_new(5, 0, &image, &err), LPOT_FORMAT, &err, "width 0");
  expect_error(lpot_image_new(65500, 65500, &image, &err), LPOT_FORMAT, &err, "65500");
  assert_null(image);
}

static void jpeg_with_a_huge_size_is_rejected(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("rgb.jpg");
  uint8_t copy[2048];
  size_t size = lpot_mapping_size(mapping);
  memcpy(copy, lpot_mapping_data(mapping), size);
  size_t frame = 0;
  while (!(copy[frame] == 0xff && copy[frame + 1] == 0xc0)) {
    frame++;
  }
  lpot_error err = {0};
  memset(copy + frame + 5, 0xff, 4);
  expect_error(decode(copy, size, &err), LPOT_FORMAT, &err, "65500");
  memset(copy + frame + 5, 0xf0, 4);
  expect_error(decode(copy, size, &err), LPOT_FORMAT, &err, "expected 1 to");
  memset(copy + frame + 5, 0, 4);
  assert_int_equal(decode(copy, size, &err), LPOT_FORMAT);
  lpot_mapping_unref(mapping);
}

static void images_are_decoded_as_pillow_does(void **state) {
  (void)state;
  expect_like_pillow("rgb.png", "rgb_png.npy", 0);
  expect_like_pillow("grey.png", "grey_png.npy", 0);
  expect_like_pillow("palette.png", "palette_png.npy", 0);
  expect_like_pillow("alpha.png", "alpha_png.npy", 0);
  expect_like_pillow("rgb.jpg", "rgb_jpg.npy", 1);
  expect_like_pillow("grey.jpg", "grey_jpg.npy", 1);
  expect_like_pillow("progressive.jpg", "progressive_jpg.npy", 1);
  expect_like_pillow("cmyk.jpg", "cmyk_jpg.npy", 2);
}

static void bgr_exchanges_red_and_blue(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("rgb.png");
  const uint8_t *data = lpot_mapping_data(mapping);
  lpot_tensor *rgb = NULL;
  lpot_tensor *bgr = NULL;
  lpot_error err = {0};
  expect_ok(lpot_image_decode(data, lpot_mapping_size(mapping), false, &rgb, &err), &err);
  expect_ok(lpot_image_decode(data, lpot_mapping_size(mapping), true, &bgr, &err), &err);
  for (int64_t i = 0; i < lpot_tensor_elements(rgb); i++) {
    int64_t other = i - i % 3 + (2 - i % 3);
    assert_int_equal(lpot_tensor_get_int(rgb, i), lpot_tensor_get_int(bgr, other));
  }
  lpot_tensor_unref(rgb);
  lpot_tensor_unref(bgr);
  lpot_mapping_unref(mapping);
}

static void exhausted_memory_is_an_error(void **state) {
  (void)state;
  static const char *const files[] = {"grey.png", "cmyk.jpg"};
  for (size_t f = 0; f < 2; f++) {
    lpot_mapping *mapping = golden_map(files[f]);
    lpot_status status = LPOT_NO_MEMORY;
    for (uint64_t n = 1; status != LPOT_OK; n++) {
      lpot_memory_fail_after(n);
      status = decode(lpot_mapping_data(mapping), lpot_mapping_size(mapping), NULL);
      lpot_memory_fail_after(0);
      assert_true(status == LPOT_OK || status == LPOT_NO_MEMORY);
      assert_true(n < 20);
    }
    lpot_mapping_unref(mapping);
  }
}

static void errors_name_the_file(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char path[FIXTURE_PATH + 16];
  lpot_tensor *image = NULL;
  lpot_error err = {0};
  make_folder(folder);
  write_file(folder, "bad.png", "\x89PNG\r\n\x1a\nrubbish", 15);
  snprintf(path, sizeof path, "%s/bad.png", folder);
  expect_error(lpot_image_load(path, false, &image, &err), LPOT_FORMAT, &err, "bad.png");
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decoder_rejects_what_is_no_image),
      cmocka_unit_test(png_is_rejected_when_truncated_at_any_byte),
      cmocka_unit_test(jpeg_is_rejected_when_truncated_at_any_byte),
      cmocka_unit_test(damaged_bytes_do_no_harm),
      cmocka_unit_test(png_with_a_wrong_checksum_is_rejected),
      cmocka_unit_test(empty_and_huge_sizes_are_rejected),
      cmocka_unit_test(jpeg_with_a_huge_size_is_rejected),
      cmocka_unit_test(images_are_decoded_as_pillow_does),
      cmocka_unit_test(bgr_exchanges_red_and_blue),
      cmocka_unit_test(exhausted_memory_is_an_error),
      cmocka_unit_test(errors_name_the_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
