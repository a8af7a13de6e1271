#include "detection_fixture.h"

static void images_and_boxes_are_read(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  copy_golden("objects.tfrecord", folder, "coco.record");
  lpot_dataset *dataset = open_dataset("COCORecord", "{root: coco.record, num_cores: 28}", folder);
  assert_true(lpot_dataset_has_ragged_labels(dataset));
  assert_int_equal(lpot_dataset_size(dataset), 3);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_true(sample.has_boxes);
  assert_int_equal(sample.label->shape.dims[0], 2);
  expect_truth(sample.label, 0, 18, 0.25, 0.5, 0.75, 1, 0);
  expect_truth(sample.label, 1, 90, 0, 0, 1, 1, LPOT_TRUTH_CROWD);
  lpot_tensor *image = golden_tensor("rgb_jpg.npy");
  assert_true(largest_difference(sample.inputs[0], image) <= 1.0);
  lpot_tensor_unref(image);
  get_sample(dataset, 1, &sample);
  assert_int_equal(sample.label->shape.dims[0], 0);
  get_sample(dataset, 2, &sample);
  expect_truth(sample.label, 0, 1, 0.125, 0, 0.5, 0.25, 0);
  lpot_sample_done(&sample);
  lpot_yaml *yaml = parse_settings("{LabelBalance: {size: 1}}");
  lpot_error err = {0};
  expect_ok(lpot_dataset_filter(dataset, lpot_yaml_root(yaml), &err), &err);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  lpot_yaml_free(yaml);
  lpot_dataset_close(dataset);
  assert_false(
      same_digest(manifest_of("COCORecord", "{root: coco.record}", folder),
                  manifest_of("COCORecord", "{root: coco.record, channel_order: bgr}", folder)));
  remove_folder(folder);
}

/* Replaces the only text `from` in a copy of the golden file, lengths alike; checksums of data are
 * looked at when a sample is read. */
static void write_changed(const char *golden, const char *folder, const char *from,
                          const char *to) {
  lpot_mapping *mapping = golden_map(golden);
  size_t size = lpot_mapping_size(mapping);
  uint8_t *copy = malloc(size);
  assert_non_null(copy);
  memcpy(copy, lpot_mapping_data(mapping), size);
  for (size_t i = 0; i + strlen(from) <= size; i++) {
    if (memcmp(copy + i, from, strlen(from)) == 0) {
      memcpy(copy + i, to, strlen(to));
      break;
    }
  }
  write_file(folder, "coco.record", copy, size);
  free(copy);
  lpot_mapping_unref(mapping);
}

static void classes_may_be_names_and_images_without_annotations(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  copy_golden("objects_named.tfrecord", folder, "coco.record");
  lpot_dataset *dataset = open_dataset("COCORecord", "{root: coco.record}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 2);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_int_equal(sample.label->shape.dims[0], 2);
  expect_truth(sample.label, 0, 18, 0.25, 0.5, 0.75, 1, 0);
  expect_truth(sample.label, 1, 90, 0, 0, 1, 1, LPOT_TRUTH_CROWD);
  get_sample(dataset, 1, &sample);
  assert_int_equal(sample.label->shape.dims[0], 0);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  write_changed("objects_named.tfrecord", folder, "toothbrush", "toothpaste");
  expect_refused("COCORecord", "{root: coco.record}", folder, LPOT_FORMAT,
                 "record at offset 12: the feature 'image/object/class/text' has 'toothpaste'");
  write_changed("objects_named.tfrecord", folder, "class/text", "class/tent");
  expect_refused("COCORecord", "{root: coco.record}", folder, LPOT_FORMAT,
                 "no feature 'image/object/class/label'");
  remove_folder(folder);
}

static void damaged_records_are_told_with_their_place(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  expect_refused("COCORecord", "{}", folder, LPOT_CONFIG, "needs the setting 'root'");
  expect_refused("COCORecord", "{root: gone}", folder, LPOT_NOT_FOUND, "gone");
  write_file(folder, "coco.record", "", 0);
  expect_refused("COCORecord", "{root: coco.record}", folder, LPOT_FORMAT, "no record");
  write_changed("objects.tfrecord", folder, "bbox/xmin", "bbox/xmxn");
  expect_refused("COCORecord", "{root: coco.record}", folder, LPOT_FORMAT,
                 "image/object/bbox/xmin");
  copy_golden("objects_short.tfrecord", folder, "coco.record");
  expect_refused("COCORecord", "{root: coco.record}", folder, LPOT_FORMAT,
                 "record at offset 12: the feature 'image/object/bbox/ymin' has fewer values");
  lpot_mapping *mapping = golden_map("objects.tfrecord");
  for (size_t size = lpot_mapping_size(mapping) - 1; size > 1; size -= 1 + size / 16) {
    write_file(folder, "coco.record", lpot_mapping_data(mapping), size);
    lpot_dataset *dataset = NULL;
    lpot_error err = {0};
    lpot_status status = open_with("COCORecord", "{root: coco.record}", folder, &dataset, &err);
    assert_int_equal(status, LPOT_FORMAT);
  }
  lpot_mapping_unref(mapping);
  /* A byte of an image: found when the sample is read. */
  write_changed("objects.tfrecord", folder, "JFIF", "JFIE");
  lpot_dataset *dataset = open_dataset("COCORecord", "{root: coco.record}", folder);
  lpot_sample sample;
  lpot_error err = {0};
  lpot_sample_init(&sample);
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_FORMAT, &err,
               "coco.record': record at offset 12");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(images_and_boxes_are_read),
      cmocka_unit_test(classes_may_be_names_and_images_without_annotations),
      cmocka_unit_test(damaged_records_are_told_with_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
