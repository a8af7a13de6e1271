#include "data_fixture.h"

#include <zlib.h>

/* Two images of 2 x 3 with labels 7 and 1. */
static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 1};

static const char *const image_name = "t10k-images-idx3-ubyte";
static const char *const label_name = "t10k-labels-idx1-ubyte";

static void write_gzip(const char *folder, const char *name, const void *data, size_t size) {
  char path[2 * FIXTURE_PATH];
  snprintf(path, sizeof path, "%s/%s.gz", folder, name);
  gzFile file = gzopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, data, (unsigned)size), (int)size);
  assert_int_equal(gzclose(file), Z_OK);
}

static void check_samples(const char *settings, const char *folder) {
  lpot_dataset *dataset = open_dataset("MNIST", settings, folder);
  lpot_sample sample;
  assert_int_equal(lpot_dataset_size(dataset), 2);
  assert_int_equal(label_of(dataset, 0), 7);
  lpot_sample_init(&sample);
  get_sample(dataset, 1, &sample);
  lpot_shape expected = lpot_shape_of(3, (const int64_t[]){2, 3, 1});
  assert_true(lpot_shape_equal(&sample.inputs[0]->shape, &expected));
  assert_int_equal(((const uint8_t *)sample.inputs[0]->data)[5], 12);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

static void missing_files_are_not_found(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  expect_refused("MNIST", "{root: .}", folder, LPOT_NOT_FOUND, image_name);
  write_file(folder, image_name, images, sizeof images);
  expect_refused("MNIST", "{root: .}", folder, LPOT_NOT_FOUND, label_name);
  remove_folder(folder);
}

static void files_are_rejected_when_truncated_at_any_byte(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_file(folder, label_name, labels, sizeof labels);
  for (size_t length = 0; length < sizeof images; length++) {
    write_file(folder, image_name, images, length);
    expect_refused("MNIST", "{root: .}", folder, LPOT_FORMAT, image_name);
  }
  write_file(folder, image_name, images, sizeof images);
  for (size_t length = 0; length < sizeof labels; length++) {
    write_file(folder, label_name, labels, length);
    expect_refused("MNIST", "{root: .}", folder, LPOT_FORMAT, label_name);
  }
  remove_folder(folder);
}

static void expect_bad_byte(const char *folder, const char *name, const uint8_t *data, size_t size,
                            size_t position, uint8_t value, const char *part) {
  uint8_t copy[64];
  memcpy(copy, data, size);
  copy[position] = value;
  write_file(folder, name, copy, size);
  expect_refused("MNIST", "{root: .}", folder, LPOT_FORMAT, part);
  write_file(folder, name, data, size);
}

static void false_fields_are_rejected(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_file(folder, image_name, images, sizeof images);
  write_file(folder, label_name, labels, sizeof labels);
  expect_bad_byte(folder, image_name, images, sizeof images, 3, 1, "idx magic is 0x00000801");
  expect_bad_byte(folder, image_name, images, sizeof images, 4, 255, "idx images");
  expect_bad_byte(folder, image_name, images, sizeof images, 7, 0, "0 idx images");
  expect_bad_byte(folder, image_name, images, sizeof images, 8, 255, "idx images");
  expect_bad_byte(folder, image_name, images, sizeof images, 15, 0, "2 x 0");
  expect_bad_byte(folder, label_name, labels, sizeof labels, 3, 3, "idx magic is 0x00000803");
  expect_bad_byte(folder, label_name, labels, sizeof labels, 7, 1, "1 idx labels");
  expect_bad_byte(folder, label_name, labels, sizeof labels, 9, 10, "idx label 1 is 10");
  remove_folder(folder);
}

static void damaged_gzip_is_rejected(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_file(folder, image_name, "\x1f\x8b", 2);
  expect_refused("MNIST", "{root: .}", folder, LPOT_FORMAT, "compressed data");
  write_file(folder, image_name, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03garbage", 17);
  expect_refused("MNIST", "{root: .}", folder, LPOT_FORMAT, "compressed data");
  remove_folder(folder);
}

static void plain_and_gzipped_files_are_read(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_file(folder, image_name, images, sizeof images);
  write_gzip(folder, label_name, labels, sizeof labels);
  check_samples("{root: .}", folder);
  write_file(folder, "MNIST/x", "", 0);
  write_file(folder, "MNIST/raw/train-images-idx3-ubyte", images, sizeof images);
  write_file(folder, "MNIST/raw/train-labels-idx1-ubyte", labels, sizeof labels);
  check_samples("{root: ., train: true}", folder);
  remove_folder(folder);
}

static void fashion_is_read_from_its_own_folder(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char deep[2 * FIXTURE_PATH];
  make_folder(folder);
  snprintf(deep, sizeof deep, "%s/FashionMNIST", folder);
  assert_int_equal(mkdir(deep, 0700), 0);
  expect_refused("FashionMNIST", "{}", folder, LPOT_CONFIG, "dataset FashionMNIST needs");
  expect_refused("FashionMNIST", "{root: .}", folder, LPOT_NOT_FOUND, "dataset FashionMNIST");
  write_file(folder, "FashionMNIST/raw/t10k-images-idx3-ubyte", images, sizeof images);
  write_file(folder, "FashionMNIST/raw/t10k-labels-idx1-ubyte", labels, sizeof labels);
  lpot_dataset *dataset = open_dataset("FashionMNIST", "{root: .}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 2);
  assert_int_equal(label_of(dataset, 0), 7);
  lpot_dataset_close(dataset);
  expect_refused("MNIST", "{root: .}", folder, LPOT_NOT_FOUND, image_name);
  write_file(folder, "FashionMNIST/raw/t10k-labels-idx1-ubyte", labels, 3);
  expect_refused("FashionMNIST", "{root: .}", folder, LPOT_FORMAT, "FashionMNIST file '");
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_files_are_not_found),
      cmocka_unit_test(files_are_rejected_when_truncated_at_any_byte),
      cmocka_unit_test(false_fields_are_rejected),
      cmocka_unit_test(damaged_gzip_is_rejected),
      cmocka_unit_test(plain_and_gzipped_files_are_read),
      cmocka_unit_test(fashion_is_read_from_its_own_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
