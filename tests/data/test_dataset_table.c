#include "data_fixture.h"

static void every_name_opens_its_own_class(void **state) {
  (void)state;
  const char *const *names = lpot_dataset_names();
  size_t count = 0;
  for (; names[count] != NULL; count++) {
    lpot_dataset *dataset = NULL;
    lpot_error err = {0};
    lpot_status status = open_with(names[count], "{wrong_key: 1}", NULL, &dataset, &err);
    bool is_plugin = strcmp(names[count], "plugin") == 0; /* Its keys are those of a library. */
    expect_error(status, LPOT_CONFIG, &err, is_plugin ? "library" : "wrong_key");
  }
  assert_int_equal(count, 21);
}

static void unknown_name_is_told_with_the_nearest(void **state) {
  (void)state;
  expect_refused("CIFAR1O", "{root: x}", NULL, LPOT_CONFIG, "did you mean 'CIFAR10'?");
  expect_refused(
      "nonsense", "{root: x}", NULL, LPOT_CONFIG,
      "known are CIFAR10, CIFAR100, COCONpy, COCORaw, COCORecord, FashionMNIST, GLUE, HDF5, "
      "ImageFolder, ImageRecord, Imagenet, ImagenetRaw, MNIST, TFRecordDataset, VOCRaw, "
      "bert, dummy, dummy_v2, npy, plugin, shapes");
  expect_refused("VOCRecord", "{root: x}", NULL, LPOT_CONFIG, "'VOCRecord' is not supported yet");
}

static void wrong_settings_are_told_with_their_place(void **state) {
  (void)state;
  expect_refused("CIFAR10", "{rot: x}", NULL, LPOT_CONFIG, "conf.yaml:1:");
  expect_refused("CIFAR10", "{rot: x}", NULL, LPOT_CONFIG, "root");
  expect_refused("npy", "{root: x}", NULL, LPOT_CONFIG,
                 "root: unknown key (known are inputs, labels)");
  expect_refused("CIFAR10", "{train: true}", NULL, LPOT_CONFIG, "needs the setting 'root'");
  expect_refused("CIFAR10", "~", NULL, LPOT_CONFIG, "needs the setting 'root'");
  expect_refused("CIFAR10", "[1]", NULL, LPOT_CONFIG, "expected a map");
  expect_refused("CIFAR10", "hello", NULL, LPOT_CONFIG, "expected a map");
  expect_refused("CIFAR10", "{root: x, channel_order: rbg}", NULL, LPOT_CONFIG, "rgb");
  expect_refused("CIFAR10", "{root: x, train: perhaps}", NULL, LPOT_CONFIG, "train");
}

static void index_outside_is_refused(void **state) {
  (void)state;
  lpot_dataset *dataset = open_dataset("dummy", "{shape: [3, 2]}", NULL);
  lpot_sample sample;
  lpot_error err = {0};
  lpot_sample_init(&sample);
  expect_error(lpot_dataset_get(dataset, 3, &sample, &err), LPOT_INVALID, &err,
               "sample 3 is outside [0, 3)");
  expect_error(lpot_dataset_get(dataset, -1, &sample, &err), LPOT_INVALID, &err, "sample -1");
  lpot_dataset_close(dataset);
  lpot_dataset_close(NULL);
}

static void manifest_tells_content_and_settings_apart(void **state) {
  (void)state;
  char one[FIXTURE_PATH];
  char two[FIXTURE_PATH];
  static uint8_t record[3073];
  make_folder(one);
  make_folder(two);
  write_file(one, "x/test_batch.bin", record, sizeof record);
  write_file(two, "x/test_batch.bin", record, sizeof record);
  lpot_digest first = manifest_of("CIFAR10", "{root: x}", one);
  assert_true(same_digest(first, manifest_of("CIFAR10", "{root: x}", two)));
  assert_false(same_digest(first, manifest_of("CIFAR10", "{root: x, channel_order: bgr}", two)));
  record[100] = 1;
  write_file(two, "x/test_batch.bin", record, sizeof record);
  assert_false(same_digest(first, manifest_of("CIFAR10", "{root: x}", two)));
  record[100] = 0;
  remove_folder(one);
  remove_folder(two);
}

static void manifest_of_a_file_that_has_gone_fails(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_digest digest;
  lpot_error err = {0};
  static const uint8_t record[3073];
  make_folder(folder);
  write_file(folder, "test_batch.bin", record, sizeof record);
  lpot_dataset *dataset = open_dataset("CIFAR10", "{root: .}", folder);
  remove_folder(folder);
  expect_error(lpot_dataset_manifest(dataset, &digest, &err), LPOT_NOT_FOUND, &err, "has gone");
  lpot_dataset_close(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_name_opens_its_own_class),
      cmocka_unit_test(unknown_name_is_told_with_the_nearest),
      cmocka_unit_test(wrong_settings_are_told_with_their_place),
      cmocka_unit_test(index_outside_is_refused),
      cmocka_unit_test(manifest_tells_content_and_settings_apart),
      cmocka_unit_test(manifest_of_a_file_that_has_gone_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
