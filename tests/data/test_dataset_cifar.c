#include "data_fixture.h"

#define RECORD 3073

/* Record i: label i % 10, all red i, green 100, blue 200; the first pixel's red is 255. */
static void make_batch(const char *folder, const char *name, int count) {
  static uint8_t records[RECORD * 20];
  for (int i = 0; i < count; i++) {
    uint8_t *record = records + i * RECORD;
    record[0] = (uint8_t)(i % 10);
    memset(record + 1, i, 1024);
    memset(record + 1025, 100, 1024);
    memset(record + 2049, 200, 1024);
    record[1] = 255;
  }
  write_file(folder, name, records, (size_t)count * RECORD);
}

static void missing_files_are_not_found(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  expect_refused("CIFAR10", "{root: .}", folder, LPOT_NOT_FOUND, "test_batch.bin");
  expect_refused("CIFAR10", "{root: ., train: true}", folder, LPOT_NOT_FOUND, "data_batch_1.bin");
  expect_refused("CIFAR10", "{root: /nowhere}", folder, LPOT_NOT_FOUND, "'/nowhere'");
  remove_folder(folder);
}

static void file_of_a_wrong_size_is_rejected(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, RECORD - 1, RECORD + 1};
  static const uint8_t zeros[RECORD + 1];
  char folder[FIXTURE_PATH];
  make_folder(folder);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    write_file(folder, "test_batch.bin", zeros, sizes[i]);
    expect_refused("CIFAR10", "{root: .}", folder, LPOT_FORMAT, "expected a multiple of 3073");
  }
  remove_folder(folder);
}

static void label_above_nine_is_rejected(void **state) {
  (void)state;
  static const uint8_t record[RECORD] = {10};
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_file(folder, "test_batch.bin", record, RECORD);
  expect_refused("CIFAR10", "{root: .}", folder, LPOT_FORMAT, "record 0: label 10");
  remove_folder(folder);
}

static void planes_become_pixels(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  make_folder(folder);
  make_batch(folder, "test_batch.bin", 12);
  lpot_dataset *dataset = open_dataset("CIFAR10", "{root: .}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 12);
  assert_int_equal(lpot_dataset_num_classes(dataset), 10);
  lpot_sample_init(&sample);
  get_sample(dataset, 11, &sample);
  assert_int_equal(sample.num_inputs, 1);
  const uint8_t *pixels = sample.inputs[0]->data;
  assert_int_equal(sample.inputs[0]->shape.dims[2], 3);
  assert_int_equal(pixels[0], 255);
  assert_int_equal(pixels[3], 11);
  assert_int_equal(pixels[4], 100);
  assert_int_equal(pixels[5], 200);
  assert_int_equal(pixels[3071], 200);
  assert_int_equal(lpot_tensor_get_int(sample.label, 0), 1);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  dataset = open_dataset("CIFAR10", "{root: ., channel_order: bgr}", folder);
  get_sample(dataset, 11, &sample);
  pixels = sample.inputs[0]->data;
  assert_int_equal(pixels[0], 200);
  assert_int_equal(pixels[2], 255);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void training_batches_follow_each_other(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  make_batch(folder, "cifar-10-batches-bin/data_batch_1.bin", 3);
  make_batch(folder, "cifar-10-batches-bin/data_batch_3.bin", 5);
  lpot_dataset *dataset = open_dataset("CIFAR10", "{root: ., train: true}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 8);
  assert_int_equal(label_of(dataset, 2), 2);
  assert_int_equal(label_of(dataset, 3), 0);
  assert_int_equal(label_of(dataset, 7), 4);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void fine_labels_of_cifar100_are_read(void **state) {
  (void)state;
  static uint8_t records[2 * (RECORD + 1)];
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  records[0] = 19; /* super-class */
  records[1] = 99;
  records[2] = 7; /* red of the first pixel */
  records[RECORD + 1] = 3;
  records[RECORD + 2] = 42;
  make_folder(folder);
  write_file(folder, "cifar-100-binary/test.bin", records, sizeof records);
  write_file(folder, "train.bin", records, RECORD + 1);
  lpot_dataset *dataset = open_dataset("CIFAR100", "{root: .}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 2);
  assert_int_equal(lpot_dataset_num_classes(dataset), 100);
  assert_int_equal(label_of(dataset, 0), 99);
  assert_int_equal(label_of(dataset, 1), 42);
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_int_equal(lpot_tensor_get_int(sample.inputs[0], 0), 7);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  dataset = open_dataset("CIFAR100", "{root: ., train: true}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  lpot_dataset_close(dataset);
  records[1] = 100;
  write_file(folder, "cifar-100-binary/test.bin", records, sizeof records);
  expect_refused("CIFAR100", "{root: .}", folder, LPOT_FORMAT, "record 0: label 100 is above 99");
  write_file(folder, "cifar-100-binary/test.bin", records, RECORD);
  expect_refused("CIFAR100", "{root: .}", folder, LPOT_FORMAT, "expected a multiple of 3074");
  expect_refused("CIFAR100", "{root: none}", folder, LPOT_NOT_FOUND, "holds test.bin");
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_files_are_not_found),
      cmocka_unit_test(file_of_a_wrong_size_is_rejected),
      cmocka_unit_test(label_above_nine_is_rejected),
      cmocka_unit_test(planes_become_pixels),
      cmocka_unit_test(training_batches_follow_each_other),
      cmocka_unit_test(fine_labels_of_cifar100_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
