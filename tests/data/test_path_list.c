#include "data_fixture.h"

#include "base/memory.h"

static void names_are_joined_unless_absolute(void **state) {
  (void)state;
  lpot_path_list list = {0};
  lpot_error err = {0};
  expect_ok(lpot_path_list_add(&list, "a/b", "c", &err), &err);
  expect_ok(lpot_path_list_add(&list, "a/b", "/c", &err), &err);
  expect_ok(lpot_path_list_add(&list, NULL, "c", &err), &err);
  expect_ok(lpot_path_list_add(&list, "", "d", &err), &err);
  assert_int_equal(list.count, 4);
  assert_string_equal(list.paths[0], "a/b/c");
  assert_string_equal(list.paths[1], "/c");
  assert_string_equal(list.paths[2], "c");
  assert_string_equal(lpot_path_list_last(&list), "d");
  lpot_path_list_done(&list);
  assert_int_equal(list.count, 0);
}

static void folder_entries_are_sorted_without_hidden_ones(void **state) {
  (void)state;
  static const char *const names[] = {"b", "a", ".hidden", "B", "aa"};
  static const char *const expected[] = {"B", "a", "aa", "b"};
  char folder[FIXTURE_PATH];
  lpot_path_list list = {0};
  lpot_error err = {0};
  make_folder(folder);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    write_file(folder, names[i], "", 0);
  }
  expect_ok(lpot_path_list_add(&list, NULL, "zzz", &err), &err);
  expect_ok(lpot_path_list_add_folder(&list, folder, &err), &err);
  assert_int_equal(list.count, 5);
  assert_string_equal(list.paths[0], "zzz");
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(lpot_path_name(list.paths[i + 1]), expected[i]);
  }
  lpot_path_list_done(&list);
  char hidden[FIXTURE_PATH + 16];
  snprintf(hidden, sizeof hidden, "%s/.hidden", folder);
  assert_int_equal(remove(hidden), 0);
  remove_folder(folder);
}

static void missing_folder_is_not_found(void **state) {
  (void)state;
  lpot_path_list list = {0};
  lpot_error err = {0};
  expect_error(lpot_path_list_add_folder(&list, "/nowhere", &err), LPOT_NOT_FOUND, &err,
               "folder '/nowhere' cannot be opened");
  lpot_path_list_done(&list);
}

static void files_and_folders_are_told_apart(void **state) {
  (void)state;
  assert_true(lpot_path_is_file(__FILE__));
  assert_false(lpot_path_is_folder(__FILE__));
  assert_true(lpot_path_is_folder("/"));
  assert_false(lpot_path_is_file("/"));
  assert_false(lpot_path_is_file("/nowhere"));
  assert_false(lpot_path_is_folder("/nowhere"));
  assert_string_equal(lpot_path_name("a/b"), "b");
  assert_string_equal(lpot_path_name("b"), "b");
}

static void exhausted_memory_is_an_error(void **state) {
  (void)state;
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t n = 1; status != LPOT_OK; n++) {
    lpot_path_list list = {0};
    lpot_memory_fail_after(n);
    status = lpot_path_list_add(&list, "a", "b", NULL);
    lpot_memory_fail_after(0);
    lpot_path_list_done(&list);
    assert_true(n < 20);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_joined_unless_absolute),
      cmocka_unit_test(folder_entries_are_sorted_without_hidden_ones),
      cmocka_unit_test(missing_folder_is_not_found),
      cmocka_unit_test(files_and_folders_are_told_apart),
      cmocka_unit_test(exhausted_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
