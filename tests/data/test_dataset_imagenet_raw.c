#include "data_fixture.h"

static void write_text(const char *folder, const char *name, const char *text) {
  write_file(folder, name, text, strlen(text));
}

static void missing_list_is_not_found(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  expect_refused("ImagenetRaw", "{data_path: .}", folder, LPOT_NOT_FOUND, "no val_map.txt");
  expect_refused("ImagenetRaw", "{data_path: ., image_list: list.txt}", folder, LPOT_NOT_FOUND,
                 "list.txt' does not exist");
  expect_refused("ImagenetRaw", "{image_list: list.txt}", folder, LPOT_CONFIG, "data_path");
  remove_folder(folder);
}

static void malformed_lines_are_told_by_number(void **state) {
  (void)state;
  static const char *const bad[] = {"a.jpg 1\nb.jpg\n", "a.jpg 1\nb.jpg one\n", "a.jpg 1\n5\n",
                                    "a.jpg 1\nb.jpg 99999999999999999999"};
  char folder[FIXTURE_PATH];
  make_folder(folder);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    write_text(folder, "val_map.txt", bad[i]);
    expect_refused("ImagenetRaw", "{data_path: .}", folder, LPOT_FORMAT,
                   "val_map.txt:2: expected 'name label'");
  }
  write_file(folder, "val_map.txt", "a\0b 1", 5);
  expect_refused("ImagenetRaw", "{data_path: .}", folder, LPOT_FORMAT, "val_map.txt:1:");
  remove_folder(folder);
}

static void list_without_any_image_is_not_found(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  write_text(folder, "val_map.txt", "");
  expect_refused("ImagenetRaw", "{data_path: .}", folder, LPOT_NOT_FOUND, "none of the 0 images");
  write_text(folder, "val_map.txt", "a.jpg 1\nb.jpg 2\n");
  expect_refused("ImagenetRaw", "{data_path: .}", folder, LPOT_NOT_FOUND, "none of the 2 images");
  remove_folder(folder);
}

static void missing_images_are_skipped_and_counted(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_folder(folder);
  copy_golden("rgb.jpg", folder, "val/a.jpg");
  copy_golden("grey.jpg", folder, "val/with blank.jpg");
  write_text(folder, "val_map.txt", "a.jpg 3\r\n\n  gone.jpg 4\nwith blank.jpg\t 900");
  lpot_dataset *dataset = open_dataset("ImagenetRaw", "{data_path: val}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 2);
  assert_int_equal(lpot_dataset_num_skipped(dataset), 1);
  assert_int_equal(lpot_dataset_num_classes(dataset), 0);
  assert_int_equal(label_of(dataset, 0), 3);
  assert_int_equal(label_of(dataset, 1), 900);
  lpot_dataset_close(dataset);
  lpot_digest before = manifest_of("ImagenetRaw", "{data_path: val}", folder);
  write_text(folder, "val_map.txt", "a.jpg 4\r\n\n  gone.jpg 4\nwith blank.jpg\t 900");
  assert_false(same_digest(before, manifest_of("ImagenetRaw", "{data_path: val}", folder)));
  write_text(folder, "other.txt", "a.jpg 5\n");
  dataset = open_dataset("ImagenetRaw", "{data_path: val, image_list: other.txt}", folder);
  assert_int_equal(label_of(dataset, 0), 5);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_list_is_not_found),
      cmocka_unit_test(malformed_lines_are_told_by_number),
      cmocka_unit_test(list_without_any_image_is_not_found),
      cmocka_unit_test(missing_images_are_skipped_and_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
