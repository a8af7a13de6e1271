/* arrays.h5 was made by h5py: golden/make_datasets.py. */
#include "data_fixture.h"

#include "data/hdf5_file.h"

static lpot_hdf5_file *open_golden(void) {
  char path[FIXTURE_PATH];
  lpot_hdf5_file *file = NULL;
  lpot_error err = {0};
  golden_path("arrays.h5", path);
  expect_ok(lpot_hdf5_file_open(path, &file, &err), &err);
  return file;
}

static void expect_rows(const char *name, lpot_dtype dtype, const char *shape, int64_t row,
                        double first, double last) {
  lpot_hdf5_file *file = open_golden();
  lpot_hdf5_array array = {0};
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  char text[96];
  expect_ok(lpot_hdf5_array_open(file, name, &array, &err), &err);
  assert_int_equal(array.count, 6);
  assert_int_equal(array.dtype, dtype);
  expect_ok(lpot_hdf5_array_row(&array, row, &tensor, &err), &err);
  lpot_shape_text(&tensor->shape, text, sizeof text);
  assert_string_equal(text, shape);
  assert_true(lpot_tensor_get_double(tensor, 0) == first);
  assert_true(lpot_tensor_get_double(tensor, lpot_tensor_elements(tensor) - 1) == last);
  lpot_tensor_unref(tensor);
  lpot_hdf5_array_close(&array);
  lpot_hdf5_file_close(file);
}

static void rows_of_all_kinds_are_read(void **state) {
  (void)state;
  expect_rows("plain", LPOT_F32, "[4, 5]", 0, 0, 19);
  expect_rows("plain", LPOT_F32, "[4, 5]", 5, 100, 119);
  expect_rows("deep/down/packed", LPOT_F32, "[4, 5]", 5, 100, 119);
  expect_rows("deep/down/packed", LPOT_F32, "[4, 5]", 3, 60, 79);
  expect_rows("swapped", LPOT_S32, "[]", 1, -2, -2);
  expect_rows("half", LPOT_F16, "[2]", 4, 1.5, -2.25);
  expect_rows("truth", LPOT_BOOL, "[]", 0, 1, 1);
  expect_rows("truth", LPOT_BOOL, "[]", 1, 0, 0);
  expect_rows("labels", LPOT_S64, "[]", 2, 3, 3);
}

static void expect_no_array(const char *name, lpot_status status, const char *part) {
  lpot_hdf5_file *file = open_golden();
  lpot_hdf5_array array = {0};
  lpot_error err = {0};
  expect_error(lpot_hdf5_array_open(file, name, &array, &err), status, &err, part);
  assert_int_equal(array.handle, 0);
  lpot_hdf5_file_close(file);
}

static void other_arrays_are_refused(void **state) {
  (void)state;
  expect_no_array("nothing", LPOT_NOT_FOUND, "no such array: object 'nothing' doesn't exist");
  expect_no_array("deep", LPOT_NOT_FOUND, "no such array");
  expect_no_array("texts", LPOT_UNSUPPORTED, "expected integers, floats or booleans");
  expect_no_array("scalar", LPOT_FORMAT, "0 dimensions");
  expect_no_array("empty", LPOT_FORMAT, "0 rows");
}

/* h5py's own filter lzf is not in the library. */
static void missing_filter_is_told_when_a_row_is_read(void **state) {
  (void)state;
  lpot_hdf5_file *file = open_golden();
  lpot_hdf5_array array = {0};
  lpot_tensor *row = NULL;
  lpot_error err = {0};
  expect_ok(lpot_hdf5_array_open(file, "doubles", &array, &err), &err);
  expect_error(lpot_hdf5_array_row(&array, 0, &row, &err), LPOT_FORMAT, &err,
               "a row cannot be read: ");
  assert_null(row);
  lpot_hdf5_array_close(&array);
  lpot_hdf5_file_close(file);
}

static void files_that_are_cut_or_others_are_refused(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char path[FIXTURE_PATH + 8];
  lpot_mapping *mapping = golden_map("arrays.h5");
  size_t size = lpot_mapping_size(mapping);
  lpot_hdf5_file *file = NULL;
  lpot_error err = {0};
  make_folder(folder);
  snprintf(path, sizeof path, "%s/x", folder);
  for (size_t i = 0; i < 40; i++) {
    write_file(folder, "x", lpot_mapping_data(mapping), size * i / 40);
    expect_error(lpot_hdf5_file_open(path, &file, &err), LPOT_FORMAT, &err,
                 "not a whole HDF5 file: ");
  }
  lpot_mapping_unref(mapping);
  expect_error(lpot_hdf5_file_open(folder, &file, &err), LPOT_NOT_FOUND, &err, "no file");
  expect_error(lpot_hdf5_file_open("/nowhere", &file, &err), LPOT_NOT_FOUND, &err, "no file");
  assert_null(file);
  lpot_hdf5_file_close(NULL);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_of_all_kinds_are_read),
      cmocka_unit_test(other_arrays_are_refused),
      cmocka_unit_test(missing_filter_is_told_when_a_row_is_read),
      cmocka_unit_test(files_that_are_cut_or_others_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
