#include "data_fixture.h"

/* The folder of the golden files. */
static void golden_folder(char out[FIXTURE_PATH]) {
  golden_path("", out);
  out[strlen(out) - 1] = '\0';
}

static void inputs_and_labels_are_found_by_name(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  golden_folder(folder);
  lpot_dataset *dataset = open_dataset(
      "HDF5", "{root: arrays.h5, inputs: [deep/down/packed, half], labels: labels}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 6);
  assert_int_equal(label_of(dataset, 0), 4);
  assert_int_equal(label_of(dataset, 5), 2);
  lpot_sample_init(&sample);
  get_sample(dataset, 2, &sample);
  assert_int_equal(sample.num_inputs, 2);
  assert_true(lpot_tensor_get_double(sample.inputs[0], 0) == 40.0);
  assert_true(lpot_tensor_get_double(sample.inputs[1], 1) == -2.25);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  dataset = open_dataset("HDF5", "{root: arrays.h5, inputs: /plain}", folder);
  get_sample(dataset, 2, &sample);
  assert_null(sample.label);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

static void manifest_knows_the_names(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  golden_folder(folder);
  lpot_digest first = manifest_of("HDF5", "{root: arrays.h5, inputs: plain}", folder);
  assert_false(same_digest(first, manifest_of("HDF5", "{root: arrays.h5, inputs: half}", folder)));
}

static void wrong_settings_and_arrays_are_told(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  golden_folder(folder);
  expect_refused("HDF5", "{inputs: x}", folder, LPOT_CONFIG, "'root'");
  expect_refused("HDF5", "{root: x}", folder, LPOT_CONFIG, "'inputs'");
  expect_refused("HDF5", "{root: x, inputs: y}", folder, LPOT_NOT_FOUND,
                 "dataset HDF5: setting root: '");
  expect_refused("HDF5", "{root: rgb.png, inputs: y}", folder, LPOT_FORMAT, "HDF5 file");
  expect_refused("HDF5", "{root: arrays.h5, inputs: []}", folder, LPOT_CONFIG, "got 0");
  expect_refused("HDF5", "{root: arrays.h5, inputs: nothing}", folder, LPOT_NOT_FOUND,
                 "'nothing' in '");
  expect_refused("HDF5", "{root: arrays.h5, inputs: texts}", folder, LPOT_UNSUPPORTED, "'texts'");
  expect_refused("HDF5", "{root: arrays.h5, inputs: [plain, short]}", folder, LPOT_CONFIG,
                 "array of 5 samples, but the first input has 6");
  expect_refused("HDF5", "{root: arrays.h5, inputs: plain, labels: short}", folder, LPOT_CONFIG,
                 "array of 5 samples");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inputs_and_labels_are_found_by_name),
      cmocka_unit_test(manifest_knows_the_names),
      cmocka_unit_test(wrong_settings_and_arrays_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
