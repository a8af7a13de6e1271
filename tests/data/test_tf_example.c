#include "data_fixture.h"

#include "data/tf_example.h"
#include "data/tf_record.h"

/* The first record of the second golden file; borrowed from *mapping. */
static const uint8_t *load_example(lpot_mapping **mapping, size_t *size) {
  *mapping = golden_map("photos-00001-of-00002");
  lpot_reader reader;
  lpot_error err = {0};
  size_t offset = 0;
  lpot_reader_init(&reader, lpot_mapping_data(*mapping), lpot_mapping_size(*mapping));
  expect_ok(lpot_tf_record_next(&reader, &offset, size, &err), &err);
  return lpot_mapping_data(*mapping) + offset;
}

static void features_are_found_by_name_and_kind(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  size_t size = 0;
  const uint8_t *example = load_example(&mapping, &size);
  lpot_mapping *image = golden_map("rgb.png");
  lpot_error err = {0};
  const uint8_t *bytes = NULL;
  size_t length = 0;
  int64_t number = 0;
  expect_ok(lpot_tf_example_bytes(example, size, "image/encoded", &bytes, &length, &err), &err);
  assert_int_equal(length, lpot_mapping_size(image));
  assert_memory_equal(bytes, lpot_mapping_data(image), length);
  expect_ok(lpot_tf_example_int(example, size, "image/class/label", &number, &err), &err);
  assert_int_equal(number, -1);
  expect_ok(lpot_tf_example_int(example, size, "second/label", &number, &err), &err);
  assert_int_equal(number, 8);
  lpot_mapping_unref(image);
  lpot_mapping_unref(mapping);
}

static void lists_of_floats_are_read_as_scalars(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  size_t size = 0;
  const uint8_t *example = load_example(&mapping, &size);
  lpot_wire_field list;
  lpot_wire_scalars scalars;
  lpot_error err = {0};
  bool found = false;
  uint64_t bits = 0;
  expect_ok(
      lpot_tf_example_list(example, size, "image/object/bbox/xmin", LPOT_TF_FLOATS, &list, &err),
      &err);
  expect_ok(lpot_wire_scalars_init(&scalars, &list, 1, LPOT_WIRE_FIXED32, &err), &err);
  static const float expected[] = {0.25f, 0.5f};
  for (int i = 0; i < 2; i++) {
    expect_ok(lpot_wire_scalars_next(&scalars, &found, &bits, &err), &err);
    assert_true(found);
    assert_true(lpot_wire_float_of_bits((uint32_t)bits) == expected[i]);
  }
  expect_ok(lpot_wire_scalars_next(&scalars, &found, &bits, &err), &err);
  assert_false(found);
  lpot_mapping_unref(mapping);
}

static void missing_and_other_features_are_named(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  size_t size = 0;
  const uint8_t *example = load_example(&mapping, &size);
  lpot_error err = {0};
  const uint8_t *bytes = NULL;
  size_t length = 0;
  int64_t number = 0;
  expect_error(lpot_tf_example_int(example, size, "image/label", &number, &err), LPOT_FORMAT, &err,
               "no feature 'image/label'");
  expect_error(lpot_tf_example_int(example, size, "image/encoded", &number, &err), LPOT_FORMAT,
               &err, "'image/encoded' of the tf.Example is not a list of integers");
  expect_error(lpot_tf_example_bytes(example, size, "second/label", &bytes, &length, &err),
               LPOT_FORMAT, &err, "not a list of bytes");
  lpot_mapping_unref(mapping);
  /* { 1: { 1: { 1: "a", 2: { 3: { 1: 1, 1: 2 } } } } } */
  static const uint8_t two[] = {10, 13, 10, 11, 10, 1, 'a', 18, 6, 26, 4, 8, 1, 8, 2};
  expect_error(lpot_tf_example_int(two, sizeof two, "a", &number, &err), LPOT_FORMAT, &err,
               "'a' of the tf.Example has 2 values, expected 1");
  static const uint8_t texts[] = {10, 15, 10, 13, 10, 1, 'a', 18, 8, 10, 6, 10, 1, 'x', 10, 1, 'y'};
  expect_error(lpot_tf_example_bytes(texts, sizeof texts, "a", &bytes, &length, &err), LPOT_FORMAT,
               &err, "2 values, expected 1");
  expect_error(lpot_tf_example_int(two, 0, "a", &number, &err), LPOT_FORMAT, &err, "no feature");
}

static void examples_cut_anywhere_are_refused(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  size_t whole = 0;
  const uint8_t *example = load_example(&mapping, &whole);
  for (size_t size = 0; size < whole; size++) {
    const uint8_t *bytes = NULL;
    size_t length = 0;
    lpot_status status =
        lpot_tf_example_bytes(example, size, "image/encoded", &bytes, &length, NULL);
    assert_int_equal(status, LPOT_FORMAT);
  }
  lpot_mapping_unref(mapping);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(features_are_found_by_name_and_kind),
      cmocka_unit_test(lists_of_floats_are_read_as_scalars),
      cmocka_unit_test(missing_and_other_features_are_named),
      cmocka_unit_test(examples_cut_anywhere_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
