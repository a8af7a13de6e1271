#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mapping.h"
#include "base/memory.h"

/* Makes a file with size bytes of text and puts its path into path (at least 32 bytes). */
static void make_file(char *path, const char *text, size_t size) {
  strcpy(path, "/tmp/lpot_mapping_XXXXXX");
  int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, text, size), size);
  close(descriptor);
}

static void missing_file_is_not_found(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_mapping_open("/nowhere/file", &mapping, &err), LPOT_NOT_FOUND);
  assert_string_equal(err.message, "file '/nowhere/file': No such file or directory");
  assert_null(mapping);
}

static void folder_device_and_pipe_are_refused(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_mapping_open("/tmp", &mapping, &err), LPOT_IO);
  assert_string_equal(err.message, "file '/tmp': expected a regular file, got a folder");
  assert_int_equal(lpot_mapping_open("/dev/zero", &mapping, NULL), LPOT_IO);
  char path[32];
  make_file(path, "", 0);
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(lpot_mapping_open(path, &mapping, NULL), LPOT_IO);
  unlink(path);
}

static void files_are_read_whole(void **state) {
  (void)state;
  char path[32];
  lpot_buffer bytes;
  lpot_error err = {0};
  lpot_buffer_init(&bytes);
  make_file(path, "abcdef", 6);
  assert_int_equal(lpot_file_read(path, &bytes, NULL), LPOT_OK);
  assert_int_equal(lpot_file_read(path, &bytes, NULL), LPOT_OK); /* What was there is cleared. */
  assert_int_equal(bytes.size, 6);
  assert_memory_equal(bytes.data, "abcdef", 6);
  unlink(path);
  assert_int_equal(lpot_file_read(path, &bytes, NULL), LPOT_NOT_FOUND);
  assert_int_equal(lpot_file_read("/tmp", &bytes, &err), LPOT_IO);
  assert_string_equal(err.message, "file '/tmp': expected a regular file, got a folder");
  lpot_buffer_done(&bytes);
}

static void a_path_below_a_file_is_not_found(void **state) {
  (void)state;
  char path[32];
  char below[64];
  lpot_mapping *mapping = NULL;
  make_file(path, "x", 1);
  snprintf(below, sizeof below, "%s/x", path);
  assert_int_equal(lpot_mapping_open(below, &mapping, NULL), LPOT_NOT_FOUND);
  unlink(path);
}

static void empty_file_has_size_zero(void **state) {
  (void)state;
  char path[32];
  lpot_mapping *mapping = NULL;
  make_file(path, "", 0);
  assert_int_equal(lpot_mapping_open(path, &mapping, NULL), LPOT_OK);
  assert_int_equal(lpot_mapping_size(mapping), 0);
  lpot_mapping_unref(mapping);
  unlink(path);
}

static void contents_live_as_long_as_a_reference(void **state) {
  (void)state;
  char path[32];
  lpot_mapping *mapping = NULL;
  make_file(path, "hello", 5);
  assert_int_equal(lpot_mapping_open(path, &mapping, NULL), LPOT_OK);
  unlink(path);
  assert_ptr_equal(lpot_mapping_ref(mapping), mapping);
  lpot_mapping_unref(mapping);
  assert_int_equal(lpot_mapping_size(mapping), 5);
  assert_memory_equal(lpot_mapping_data(mapping), "hello", 5);
  lpot_mapping_unref(mapping);
  lpot_mapping_unref(NULL);
}

/* Pages of files in this process's memory. */
static long resident_file_pages(void) {
  long total = 0;
  long resident = 0;
  long shared = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%ld %ld %ld", &total, &resident, &shared), 3);
  fclose(file);
  return shared;
}

static long sum_of(const uint8_t *data, size_t size) {
  long sum = 0;
  for (size_t i = 0; i < size; i++) {
    sum += data[i];
  }
  return sum;
}

static void released_pages_leave_and_come_back(void **state) {
  (void)state;
  const size_t size = (size_t)16 << 20;
  const long pages = (long)size / sysconf(_SC_PAGESIZE);
  char path[32];
  char *text = malloc(size);
  lpot_mapping *mapping = NULL;
  memset(text, 3, size);
  make_file(path, text, size);
  free(text);
  assert_int_equal(lpot_mapping_open(path, &mapping, NULL), LPOT_OK);
  const uint8_t *data = lpot_mapping_data(mapping);
  long before = resident_file_pages();
  assert_int_equal(sum_of(data, size), 3 * (long)size);
  assert_true(resident_file_pages() >= before + pages);
  lpot_mapping_release(mapping, data + 1, size - 1); /* The first page is not whole. */
  assert_true(resident_file_pages() < before + pages / 2);
  assert_int_equal(sum_of(data, size), 3 * (long)size);
  lpot_mapping_unref(mapping);
  unlink(path);
}

static void exhausted_memory_is_reported(void **state) {
  (void)state;
  lpot_mapping *mapping = NULL;
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_mapping_open("/etc/passwd", &mapping, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_null(mapping);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_file_is_not_found),
      cmocka_unit_test(folder_device_and_pipe_are_refused),
      cmocka_unit_test(files_are_read_whole),
      cmocka_unit_test(a_path_below_a_file_is_not_found),
      cmocka_unit_test(empty_file_has_size_zero),
      cmocka_unit_test(contents_live_as_long_as_a_reference),
      cmocka_unit_test(released_pages_leave_and_come_back),
      cmocka_unit_test(exhausted_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
