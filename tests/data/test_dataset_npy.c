#include "data_fixture.h"

#define GOLDEN_FOLDER(folder) golden_path("", folder)

static void missing_and_malformed_files_are_told(void **state) {
  (void)state;
  char golden[FIXTURE_PATH];
  GOLDEN_FOLDER(golden);
  expect_refused("npy", "{labels: x.npy}", golden, LPOT_CONFIG, "needs the setting 'inputs'");
  expect_refused("npy", "{inputs: none.npy}", golden, LPOT_NOT_FOUND, "inputs: '");
  expect_refused("npy", "{inputs: rgb.jpg}", golden, LPOT_FORMAT, "magic");
  expect_refused("npy", "{inputs: []}", golden, LPOT_CONFIG, "expected 1 to 8 arrays");
  expect_refused("npy", "{inputs: rgb_png.npy#x}", golden, LPOT_FORMAT, "not an npz archive");
  expect_refused("npy", "{inputs: arrays.npz}", golden, LPOT_INVALID, "path#key");
  expect_refused("npy", "{inputs: arrays.npz#z}", golden, LPOT_NOT_FOUND, "no array 'z' among 2");
}

static void counts_must_agree(void **state) {
  (void)state;
  char golden[FIXTURE_PATH];
  GOLDEN_FOLDER(golden);
  expect_refused("npy", "{inputs: arrays.npz#x, labels: deflated.npz#y}", golden, LPOT_CONFIG,
                 "array of 5 samples, but the first input has 4");
  expect_refused("npy", "{inputs: ['arrays.npz#x', 'deflated.npz#y']}", golden, LPOT_CONFIG,
                 "5 samples");
}

static void scalar_and_empty_arrays_are_refused(void **state) {
  (void)state;
  static const char scalar[] =
      "\x93NUMPY\x01\0\x37\0{'descr': '|u1', 'fortran_order': False, 'shape': ()} \n";
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_file(folder, "x.npy", scalar, sizeof scalar);
  expect_refused("npy", "{inputs: x.npy}", folder, LPOT_FORMAT, "at least one sample");
  remove_folder(folder);
}

static void rows_of_an_archive_are_samples(void **state) {
  (void)state;
  char golden[FIXTURE_PATH];
  lpot_sample sample;
  GOLDEN_FOLDER(golden);
  lpot_dataset *dataset =
      open_dataset("npy", "{inputs: arrays.npz#x, labels: arrays.npz#y}", golden);
  assert_int_equal(lpot_dataset_size(dataset), 4);
  lpot_sample_init(&sample);
  get_sample(dataset, 2, &sample);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_F32);
  assert_int_equal(sample.inputs[0]->shape.rank, 1);
  assert_true(lpot_tensor_get_double(sample.inputs[0], 1) == 7.0);
  assert_int_equal(sample.label->shape.rank, 0);
  assert_int_equal(lpot_tensor_get_int(sample.label, 0), 2);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

static void rows_of_a_file_are_views_that_outlive_the_dataset(void **state) {
  (void)state;
  char golden[FIXTURE_PATH];
  lpot_sample sample;
  lpot_tensor *expected = golden_tensor("rgb_png.npy");
  GOLDEN_FOLDER(golden);
  lpot_dataset *dataset = open_dataset("npy", "{inputs: [rgb_png.npy, rgb_jpg.npy]}", golden);
  assert_int_equal(lpot_dataset_size(dataset), 24);
  lpot_sample_init(&sample);
  get_sample(dataset, 23, &sample);
  lpot_dataset_close(dataset);
  assert_int_equal(sample.num_inputs, 2);
  assert_null(sample.label);
  assert_memory_equal(sample.inputs[0]->data, (const uint8_t *)expected->data + 23 * 93, 93);
  lpot_sample_done(&sample);
  lpot_tensor_unref(expected);
}

static void unaligned_rows_are_copied(void **state) {
  (void)state;
  static const char file[] = "\x93NUMPY\x01\0\x39\0"
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}  "
                             "\0\0\x80\x3f\0\0\0\x40";
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  make_folder(folder);
  write_file(folder, "x.npy", file, sizeof file - 1);
  lpot_dataset *dataset = open_dataset("npy", "{inputs: x.npy}", folder);
  lpot_sample_init(&sample);
  get_sample(dataset, 1, &sample);
  assert_int_equal((uintptr_t)sample.inputs[0]->data % 4, 0);
  assert_true(*(const float *)sample.inputs[0]->data == 2.0f);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_and_malformed_files_are_told),
      cmocka_unit_test(counts_must_agree),
      cmocka_unit_test(scalar_and_empty_arrays_are_refused),
      cmocka_unit_test(rows_of_an_archive_are_samples),
      cmocka_unit_test(rows_of_a_file_are_views_that_outlive_the_dataset),
      cmocka_unit_test(unaligned_rows_are_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
