#include "data_fixture.h"

static void folder_without_images_is_not_found(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  expect_refused("ImageFolder", "{root: .}", folder, LPOT_NOT_FOUND, "in the 0 sub-folders");
  write_file(folder, "a/notes.txt", "x", 1);
  expect_refused("ImageFolder", "{root: .}", folder, LPOT_NOT_FOUND, "in the 1 sub-folders");
  expect_refused("ImageFolder", "{root: none}", folder, LPOT_NOT_FOUND, "none' cannot be opened");
  remove_folder(folder);
}

static void sorted_folders_are_the_classes(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  make_folder(folder);
  copy_golden("rgb.jpg", folder, "zebra/2.JPEG");
  copy_golden("grey.png", folder, "zebra/10.png");
  copy_golden("rgb.png", folder, "ant/1.PNG");
  write_file(folder, "ant/readme.txt", "x", 1);
  write_file(folder, "bee/none", "x", 1);
  lpot_dataset *dataset = open_dataset("ImageFolder", "{root: .}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 3);
  assert_int_equal(lpot_dataset_num_classes(dataset), 3);
  assert_int_equal(label_of(dataset, 0), 0);
  assert_int_equal(label_of(dataset, 1), 2);
  lpot_sample_init(&sample);
  get_sample(dataset, 1, &sample);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 7);
  get_sample(dataset, 2, &sample);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 24);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void damaged_image_is_told_by_name(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  lpot_sample sample;
  lpot_error err = {0};
  make_folder(folder);
  write_file(folder, "a/bad.jpg", "", 0);
  lpot_dataset *dataset = open_dataset("ImageFolder", "{root: .}", folder);
  lpot_sample_init(&sample);
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_FORMAT, &err, "a/bad.jpg");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(folder_without_images_is_not_found),
      cmocka_unit_test(sorted_folders_are_the_classes),
      cmocka_unit_test(damaged_image_is_told_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
