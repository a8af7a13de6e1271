#include "formats/output_file.h"

#include "temp_folder.h"

#include <cmocka.h>

#define MUST(call) assert_int_equal((call), LPOT_OK)

static void open_fails_where_no_file_can_be_made(void **state) {
  (void)state;
  lpot_output_file *file = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_output_file_open("/nowhere/at/all/file", &file, &err), LPOT_IO);
  assert_null(file);
  assert_non_null(strstr(err.message, "/nowhere/at/all/file"));
}

static void file_that_is_not_committed_leaves_nothing(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_output_file *file = NULL;
  temp_write(folder, "out", "old", 3);
  MUST(lpot_output_file_open(temp_path(folder, "out", path), &file, NULL));
  MUST(lpot_output_file_write(file, "newer text", 10, NULL));
  assert_int_equal(temp_size(folder, "out"), 3);
  lpot_output_file_free(file);
  assert_int_equal(temp_size(folder, "out"), 3);
  assert_int_equal(temp_size(folder, "out.tmp"), -1);
}

static void commit_puts_the_whole_file_in_place(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_output_file *file = NULL;
  temp_write(folder, "out", "old", 3);
  MUST(lpot_output_file_open(temp_path(folder, "out", path), &file, NULL));
  MUST(lpot_output_file_write(file, "newer ", 6, NULL));
  MUST(lpot_output_file_write(file, NULL, 0, NULL));
  MUST(lpot_output_file_write(file, "text", 4, NULL));
  assert_int_equal(lpot_output_file_size(file), 10);
  MUST(lpot_output_file_commit(file, NULL));
  lpot_output_file_free(file);
  assert_int_equal(temp_size(folder, "out"), 10);
  assert_int_equal(temp_size(folder, "out.tmp"), -1);
}

static void commit_fails_when_the_name_is_a_folder(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_output_file *file = NULL;
  assert_int_equal(mkdir(temp_path(folder, "taken", path), 0700), 0);
  MUST(lpot_output_file_open(path, &file, NULL));
  MUST(lpot_output_file_write(file, "x", 1, NULL));
  assert_int_equal(lpot_output_file_commit(file, NULL), LPOT_IO);
  lpot_output_file_free(file);
  assert_int_equal(temp_size(folder, "taken.tmp"), -1);
}

static void free_allows_null(void **state) {
  (void)state;
  lpot_output_file_free(NULL);
}

static int make(void **state) {
  static temp_folder folder;
  temp_folder_make(&folder);
  *state = &folder;
  return 0;
}

static int clean(void **state) {
  temp_folder_remove(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(open_fails_where_no_file_can_be_made),
      cmocka_unit_test(file_that_is_not_committed_leaves_nothing),
      cmocka_unit_test(commit_puts_the_whole_file_in_place),
      cmocka_unit_test(commit_fails_when_the_name_is_a_folder),
      cmocka_unit_test(free_allows_null),
  };
  return cmocka_run_group_tests(tests, make, clean);
}
