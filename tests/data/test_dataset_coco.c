#include "detection_fixture.h"

/* Four images of which one has no file, in the wrong order; a crowd; keys that do not matter. */
static const char annotations[] =
    "{\"info\": {\"year\": 2017, \"x\": [1, {\"y\": null}]},\n"
    " \"annotations\": [\n"
    "  {\"segmentation\": [[1.5, 2, 3.25]], \"area\": 2.0, \"iscrowd\": 0, \"image_id\": 30,\n"
    "   \"bbox\": [16, 8, 8, 4.5], \"category_id\": 18, \"id\": 5},\n"
    "  {\"image_id\": 7, \"category_id\": 1, \"bbox\": [0, 0, 1, 1], \"iscrowd\": false, \"id\": "
    "6},\n"
    "  {\"image_id\": 30, \"category_id\": 90, \"bbox\": [0, 0, 32, 24], \"iscrowd\": 1, \"id\": "
    "1},\n"
    "  {\"image_id\": 99, \"category_id\": 3, \"bbox\": [0, 0, 1, 1], \"id\": 8}],\n"
    " \"images\": [\n"
    "  {\"license\": 3, \"file_name\": \"b.jpg\", \"height\": 24, \"width\": 32, \"id\": 30},\n"
    "  {\"file_name\": \"a.png\", \"height\": 10, \"width\": 20, \"id\": 7},\n"
    "  {\"file_name\": \"none.jpg\", \"height\": 10, \"width\": 20, \"id\": 31},\n"
    "  {\"file_name\": \"gone.jpg\", \"height\": 10, \"width\": 20, \"id\": 8}],\n"
    " \"categories\": [{\"id\": 1, \"name\": \"person\"}]}\n";

static void make_coco(char folder[FIXTURE_PATH]) {
  make_folder(folder);
  copy_golden("rgb.png", folder, "val2017/a.png");
  copy_golden("rgb.jpg", folder, "val2017/b.jpg");
  copy_golden("grey.jpg", folder, "val2017/none.jpg");
  copy_golden("rgb_png.npy", folder, "arrays/a.npy");
  copy_golden("rgb_jpg.npy", folder, "arrays/b.npy");
  write_file(folder, "annotations/instances_val2017.json", annotations, sizeof annotations - 1);
}

static void samples_stand_by_id_with_boxes_as_fractions(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_coco(folder);
  lpot_dataset *dataset = open_dataset("COCORaw", "{root: '.', num_cores: 28}", folder);
  assert_true(lpot_dataset_has_ragged_labels(dataset));
  assert_int_equal(lpot_dataset_size(dataset), 3);
  assert_int_equal(lpot_dataset_num_skipped(dataset), 1);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_int_equal(sample.label->shape.dims[0], 1);
  expect_truth(sample.label, 0, 1, 0, 0, 0.1, 0.05, 0);
  lpot_tensor *image = golden_tensor("rgb_png.npy");
  assert_true(largest_difference(sample.inputs[0], image) == 0);
  lpot_tensor_unref(image);
  get_sample(dataset, 1, &sample);
  assert_int_equal(sample.label->shape.dims[0], 2);
  expect_truth(sample.label, 0, 18, 8 / 24.0, 0.5, 12.5 / 24.0, 0.75, 0);
  expect_truth(sample.label, 1, 90, 0, 0, 1, 1, LPOT_TRUTH_CROWD);
  get_sample(dataset, 2, &sample);
  assert_int_equal(sample.label->shape.dims[0], 0);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void npy_files_stand_in_for_images(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_coco(folder);
  lpot_dataset *dataset =
      open_dataset("COCONpy", "{root: '.', npy_dir: arrays, num_cores: 2}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 2);
  assert_int_equal(lpot_dataset_num_skipped(dataset), 2);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 1, &sample);
  lpot_tensor *image = golden_tensor("rgb_jpg.npy");
  assert_true(largest_difference(sample.inputs[0], image) == 0);
  assert_int_equal(sample.label->shape.dims[0], 2);
  lpot_tensor_unref(image);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  write_file(folder, "list.txt", "\n b.jpg \nother\n", 15);
  dataset = open_dataset("COCONpy", "{root: '.', npy_dir: arrays, image_list: list.txt}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  assert_int_equal(lpot_dataset_num_skipped(dataset), 0);
  lpot_dataset_close(dataset);
  write_file(folder, "arrays/b.npy", "x", 1);
  dataset = open_dataset("COCONpy", "{root: '.', npy_dir: arrays}", folder);
  lpot_error err = {0};
  expect_error(lpot_dataset_get(dataset, 1, &sample, &err), LPOT_FORMAT, &err, "arrays/b.npy");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static lpot_status filter_with(lpot_dataset *dataset, const char *text, lpot_error *err) {
  lpot_yaml *yaml = parse_settings(text);
  lpot_status status = lpot_dataset_filter(dataset, lpot_yaml_root(yaml), err);
  lpot_yaml_free(yaml);
  return status;
}

static void label_balance_keeps_images_with_so_many_objects(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_coco(folder);
  lpot_dataset *dataset = open_dataset("COCORaw", "{root: '.'}", folder);
  lpot_digest before;
  lpot_digest after;
  lpot_error err = {0};
  expect_ok(lpot_dataset_manifest(dataset, &before, &err), &err);
  expect_error(filter_with(dataset, "{LabelBalance: {}}", &err), LPOT_CONFIG, &err, "size");
  expect_error(filter_with(dataset, "{LabelBalanc: {size: 1}}", &err), LPOT_CONFIG, &err,
               "did you mean 'LabelBalance'?");
  expect_error(filter_with(dataset, "LabelBalance", &err), LPOT_CONFIG, &err, "one key");
  expect_ok(filter_with(dataset, "{LabelBalance: {size: 2}}", &err), &err);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_int_equal(sample.label->shape.dims[0], 2);
  lpot_sample_done(&sample);
  expect_ok(lpot_dataset_manifest(dataset, &after, &err), &err);
  assert_false(same_digest(before, after));
  lpot_dataset_close(dataset);
  dataset = open_dataset("COCORaw", "{root: '.'}", folder);
  expect_ok(filter_with(dataset, "{LabelBalance: {size: 1}}", &err), &err);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  lpot_dataset_close(dataset);
  dataset = open_dataset("COCORaw", "{root: '.'}", folder);
  expect_error(filter_with(dataset, "{LabelBalance: {size: 9}}", &err), LPOT_INVALID, &err,
               "no image has exactly 9 objects");
  lpot_dataset_close(dataset);
  dataset = open_dataset("dummy", "{shape: [3, 2]}", folder);
  expect_error(filter_with(dataset, "{LabelBalance: {size: 1}}", &err), LPOT_CONFIG, &err,
               "labels of dataset dummy are not boxes");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void refuse(const char *folder, const char *json, const char *part) {
  write_file(folder, "annotations/instances_val2017.json", json, strlen(json));
  expect_refused("COCORaw", "{root: '.'}", folder, LPOT_FORMAT, part);
}

#define IMAGE "{\"id\": 7, \"file_name\": \"a.png\", \"height\": 10, \"width\": 20}"

static void damaged_annotations_are_told_with_their_line(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_coco(folder);
  refuse(folder, "[]", "instances_val2017.json': line 1: expected an object, got '['");
  refuse(folder, "{\"images\": {}}", "expected an array");
  refuse(folder, "{\"images\":\n [{\"id\": 7}]}", "line 2: an image needs id, file_name");
  refuse(folder, "{\"images\": [{\"id\": -7}]}", "-7 is no id");
  refuse(folder, "{\"images\": [" IMAGE ", " IMAGE "]}", "two images have the id 7");
  refuse(folder, "{\"annotations\": [{\"image_id\": 7}]}", "an annotation needs image_id");
  refuse(folder, "{\"annotations\": [{\"bbox\": [1, 2, 3]}]}", "a bbox of 3 numbers, expected 4");
  refuse(folder, "{\"annotations\": [{\"bbox\": [1, 2, 3, 4, 5]}]}", "more than 4 numbers");
  refuse(folder,
         "{\"images\": [" IMAGE "], \"annotations\": [{\"id\": 3, \"image_id\": 7, "
         "\"category_id\": 2000000, \"bbox\": [0, 0, 1, 1]}]}",
         "annotation 3: class 2000000");
  refuse(folder,
         "{\"images\": [" IMAGE "], \"annotations\": [{\"id\": 3, \"image_id\": 7, "
         "\"category_id\": 2, \"bbox\": [0, 0, 1e308, 1e308]}, {\"id\": 4, \"image_id\": 7, "
         "\"category_id\": 2, \"bbox\": [1e308, 0, 1e308, 1]}]}",
         "annotation 4: a box that is not finite");
  for (size_t size = 1; size < sizeof annotations - 4; size += 7) {
    write_file(folder, "annotations/instances_val2017.json", annotations, size);
    expect_refused("COCORaw", "{root: '.'}", folder, LPOT_FORMAT, "line ");
  }
  remove_folder(folder);
}

static void what_is_missing_is_named(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_coco(folder);
  expect_refused("COCORaw", "{img_dir: x}", folder, LPOT_CONFIG, "needs the setting 'root'");
  expect_refused("COCORaw", "{root: '.', img_dir: x}", folder, LPOT_CONFIG, "there is no folder");
  expect_refused("COCORaw", "{root: '.', anno_dir: x}", folder, LPOT_CONFIG, "there is no file");
  expect_refused("COCORaw", "{root: '.', npy_dir: x}", folder, LPOT_CONFIG, "img_dir");
  expect_refused("COCORaw", "{root: '.', img_dir: annotations}", folder, LPOT_NOT_FOUND,
                 "none of the images");
  expect_refused("COCONpy", "{root: '.', npy_dir: arrays, image_list: gone.txt}", folder,
                 LPOT_NOT_FOUND, "gone.txt");
  remove_folder(folder);
}

static void opening_survives_every_failed_allocation(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_coco(folder);
  expect_survives("COCORaw", "{root: '.'}", folder);
  expect_survives("COCONpy", "{root: '.', npy_dir: arrays}", folder);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_stand_by_id_with_boxes_as_fractions),
      cmocka_unit_test(npy_files_stand_in_for_images),
      cmocka_unit_test(label_balance_keeps_images_with_so_many_objects),
      cmocka_unit_test(damaged_annotations_are_told_with_their_line),
      cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(opening_survives_every_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
