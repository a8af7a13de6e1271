#include "data_fixture.h"

static void expect_sample(lpot_dataset *dataset, int64_t index, const char *golden, int64_t label) {
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, index, &sample);
  lpot_tensor *expected = golden_tensor(golden);
  assert_true(largest_difference(sample.inputs[0], expected) <= 1.0);
  assert_int_equal(lpot_tensor_get_int(sample.label, 0), label);
  lpot_tensor_unref(expected);
  lpot_sample_done(&sample);
}

static void shards_are_read_in_their_order(void **state) {
  (void)state;
  static const char *const names[] = {"ImageRecord", "Imagenet"};
  char folder[FIXTURE_PATH];
  make_folder(folder);
  copy_golden("photos-00001-of-00002", folder, "x/validation-00001-of-00002");
  copy_golden("photos-00000-of-00002", folder, "x/validation-00000-of-00002");
  copy_golden("rgb.png", folder, "x/validation-0-of-");
  copy_golden("rgb.png", folder, "x/0-of-2");
  copy_golden("rgb.png", folder, "x/validation--of-2");
  for (size_t i = 0; i < 2; i++) {
    lpot_dataset *dataset = open_dataset(names[i], "{root: x}", folder);
    assert_int_equal(lpot_dataset_size(dataset), 3);
    expect_sample(dataset, 0, "rgb_jpg.npy", 3);
    expect_sample(dataset, 1, "grey_png.npy", 1000);
    expect_sample(dataset, 2, "rgb_png.npy", -1);
    lpot_dataset_close(dataset);
  }
  remove_folder(folder);
}

static void one_file_is_read_with_features_by_name(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  copy_golden("photos-00001-of-00002", folder, "data.tfrecord");
  lpot_dataset *dataset =
      open_dataset("TFRecordDataset", "{root: data.tfrecord, label: second/label}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  expect_sample(dataset, 0, "rgb_png.npy", 8);
  lpot_dataset_close(dataset);
  lpot_digest first = manifest_of("TFRecordDataset", "{root: data.tfrecord}", folder);
  assert_false(same_digest(
      first, manifest_of("TFRecordDataset", "{root: data.tfrecord, label: second/label}", folder)));
  remove_folder(folder);
}

static void missing_and_damaged_files_are_told(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  expect_refused("TFRecordDataset", "{root: x}", folder, LPOT_NOT_FOUND, "no file '");
  expect_refused("TFRecordDataset", "{}", folder, LPOT_CONFIG,
                 "dataset TFRecordDataset needs the setting 'root'");
  expect_refused("ImageRecord", "{root: .}", folder, LPOT_NOT_FOUND,
                 "is called like validation-00000-of-00128");
  expect_refused("Imagenet", "{root: nowhere}", folder, LPOT_NOT_FOUND, "dataset Imagenet");
  write_file(folder, "empty", "", 0);
  expect_refused("TFRecordDataset", "{root: empty}", folder, LPOT_NOT_FOUND, "no record in");
  copy_golden("rgb.png", folder, "image");
  expect_refused("TFRecordDataset", "{root: image}", folder, LPOT_FORMAT,
                 "image': offset 0: the checksum of the record's length is wrong");
  remove_folder(folder);
}

static void damaged_records_are_told_when_they_are_read(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  lpot_error err = {0};
  lpot_mapping *mapping = golden_map("photos-00000-of-00002");
  size_t size = lpot_mapping_size(mapping);
  uint8_t *copy = malloc(size);
  assert_non_null(copy);
  memcpy(copy, lpot_mapping_data(mapping), size);
  copy[size - 20] ^= 1;
  make_folder(folder);
  write_file(folder, "x", copy, size);
  free(copy);
  lpot_mapping_unref(mapping);
  lpot_dataset *dataset = open_dataset("TFRecordDataset", "{root: x}", folder);
  lpot_sample_init(&sample);
  expect_ok(lpot_dataset_get(dataset, 0, &sample, &err), &err);
  expect_error(lpot_dataset_get(dataset, 1, &sample, &err), LPOT_FORMAT, &err,
               "the checksum of the data is wrong");
  expect_error(lpot_dataset_get(dataset, 1, &sample, &err), LPOT_FORMAT, &err,
               "/x': record at offset ");
  lpot_dataset_close(dataset);
  dataset = open_dataset("TFRecordDataset", "{root: x, label: other}", folder);
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_FORMAT, &err,
               "no feature 'other'");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void segmentations_have_a_class_per_pixel(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  make_folder(folder);
  copy_golden("segments.tfrecord", folder, "voc/val-00000-of-00001.tfrecord");
  copy_golden("segments_wrong.tfrecord", folder, "voc/trainval-00000-of-00001.tfrecord");
  copy_golden("rgb.png", folder, "voc/val-00000-of-00001.tfrecordx");
  copy_golden("rgb.png", folder, "voc/val");
  lpot_dataset *dataset = open_dataset("VOCRecord", "{root: voc, num_cores: 28}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 2);
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  lpot_tensor *image = golden_tensor("rgb_jpg.npy");
  assert_true(largest_difference(sample.inputs[0], image) <= 1.0);
  assert_int_equal(sample.label->shape.rank, 2);
  int64_t height = sample.label->shape.dims[0];
  int64_t width = sample.label->shape.dims[1];
  assert_int_equal(height, image->shape.dims[0]);
  assert_int_equal(width, image->shape.dims[1]);
  for (int64_t i = 0; i < height * width; i++) {
    int64_t x = i % width;
    int64_t expected = x == 0 ? 255 : (x + 2 * (i / width)) % 21;
    assert_int_equal(lpot_tensor_get_int(sample.label, i), expected);
  }
  lpot_tensor_unref(image);
  get_sample(dataset, 1, &sample);
  assert_int_equal(lpot_tensor_get_int(sample.label, 0), 0);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void segmentations_that_do_not_fit_are_told(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  lpot_error err = {0};
  make_folder(folder);
  expect_refused("VOCRecord", "{}", folder, LPOT_CONFIG, "VOCRecord needs the setting 'root'");
  expect_refused("ImageRecord", "{root: ., image_set: val}", folder, LPOT_CONFIG, "image_set");
  expect_refused("VOCRecord", "{root: ., num_cores: 0}", folder, LPOT_CONFIG, "num_cores");
  copy_golden("segments_wrong.tfrecord", folder, "train-00000-of-00001.tfrecord");
  expect_refused("VOCRecord", "{root: .}", folder, LPOT_NOT_FOUND,
                 "is called like val-00000-of-00128");
  lpot_dataset *dataset = open_dataset("VOCRecord", "{root: ., image_set: train}", folder);
  lpot_sample_init(&sample);
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_FORMAT, &err,
               "record at offset 12: the feature 'image/segmentation/class/encoded': pixel 1 has "
               "the colour 128 0 0, expected grey");
  expect_error(lpot_dataset_get(dataset, 1, &sample, &err), LPOT_FORMAT, &err,
               "an image of 31 x 24 pixels with classes for 30 x 24");
  lpot_dataset_close(dataset);
  dataset = open_dataset("VOCRecord", "{root: ., image_set: train, label: image/format}", folder);
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_FORMAT, &err,
               "the feature 'image/format': ");
  lpot_dataset_close(dataset);
  copy_golden("photos-00000-of-00002", folder, "val-0-of-1.tfrecord");
  dataset = open_dataset("VOCRecord", "{root: .}", folder);
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_FORMAT, &err,
               "no feature 'image/segmentation/class/encoded'");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shards_are_read_in_their_order),
      cmocka_unit_test(one_file_is_read_with_features_by_name),
      cmocka_unit_test(missing_and_damaged_files_are_told),
      cmocka_unit_test(damaged_records_are_told_when_they_are_read),
      cmocka_unit_test(segmentations_have_a_class_per_pixel),
      cmocka_unit_test(segmentations_that_do_not_fit_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
