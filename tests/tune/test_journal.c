#include "tune/tune_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/mapping.h"
#include "tune/journal.h"

typedef struct seen {
  size_t count;
  unsigned types[16];
  size_t sizes[16];
} seen;

static lpot_status note(void *context, unsigned type, const uint8_t *payload, size_t size,
                        lpot_error *err) {
  (void)payload;
  (void)err;
  seen *list = context;
  assert_true(list->count < 16);
  list->types[list->count] = type;
  list->sizes[list->count] = size;
  list->count++;
  return LPOT_OK;
}

/* Where the three records of write_three end; the mark of their sync follows. */
static const size_t ends[] = {LPOT_JOURNAL_RECORD_HEAD + 3, 2 * LPOT_JOURNAL_RECORD_HEAD + 3,
                              3 * LPOT_JOURNAL_RECORD_HEAD + 103};

/* Three records, of 3, 0 and 100 bytes, durable. */
static void write_three(const char *path) {
  lpot_journal *journal = NULL;
  uint8_t bytes[100];
  memset(bytes, 0x5a, sizeof bytes);
  seen none = {0};
  assert_int_equal(lpot_journal_open(path, false, note, &none, &journal, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_append(journal, 1, bytes, 3, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_append(journal, 2, bytes, 0, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_append(journal, 3, bytes, 100, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_sync(journal, NULL), LPOT_OK);
  lpot_journal_close(journal);
}

static size_t read_bytes(const char *path, uint8_t *out, size_t capacity) {
  lpot_mapping *mapping = NULL;
  assert_int_equal(lpot_mapping_open(path, &mapping, NULL), LPOT_OK);
  size_t size = lpot_mapping_size(mapping);
  assert_true(size <= capacity);
  memcpy(out, lpot_mapping_data(mapping), size);
  lpot_mapping_unref(mapping);
  return size;
}

static void write_bytes(const char *path, const uint8_t *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  fclose(file);
}

/* An lpot_journal_visitor: a job that is resumed cuts the file off, while somebody reads it. */
static lpot_status cut_off(void *context, unsigned type, const uint8_t *payload, size_t size,
                           lpot_error *err) {
  (void)type;
  (void)payload;
  (void)size;
  (void)err;
  assert_int_equal(truncate(context, 1000), 0);
  return LPOT_OK;
}

static void reader_lives_when_the_file_is_cut_off(void **state) {
  static const uint8_t bytes[100000];
  char path[PATH_SIZE];
  lpot_journal *journal = NULL;
  seen none = {0};
  temp_path(*state, "shortened", path);
  assert_int_equal(lpot_journal_open(path, false, note, &none, &journal, NULL), LPOT_OK);
  for (unsigned i = 1; i <= 3; i++) {
    assert_int_equal(lpot_journal_append(journal, i, bytes, sizeof bytes, NULL), LPOT_OK);
  }
  lpot_journal_close(journal);
  assert_int_equal(lpot_journal_read(path, cut_off, path, NULL), LPOT_OK);
}

static void journal_shows_its_records_in_order(void **state) {
  char path[PATH_SIZE];
  temp_path(*state, "order", path);
  write_three(path);
  seen list = {0};
  assert_int_equal(lpot_journal_read(path, note, &list, NULL), LPOT_OK);
  assert_int_equal(list.count, 3);
  assert_int_equal(list.types[2], 3);
  assert_int_equal(list.sizes[0], 3);
  assert_int_equal(list.sizes[2], 100);
}

static void journal_cut_at_any_byte_keeps_the_whole_records_before(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "cut", path);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  assert_int_equal(size, ends[2] + LPOT_JOURNAL_RECORD_HEAD);
  for (size_t cut = 0; cut <= size; cut++) {
    size_t whole = (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]);
    size_t valid = 0;
    seen list = {0};
    assert_int_equal(lpot_journal_scan(bytes, cut, note, &list, &valid, NULL), LPOT_OK);
    assert_int_equal(list.count, whole);
    assert_int_equal(valid, cut == size ? size : whole == 0 ? 0 : ends[whole - 1]);
  }
}

static void journal_with_a_torn_tail_is_cut_and_goes_on(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "torn", path);
  write_three(path);
  (void)read_bytes(path, bytes, sizeof bytes);
  write_bytes(path, bytes, ends[2] - 1);
  lpot_journal *journal = NULL;
  seen list = {0};
  assert_int_equal(lpot_journal_open(path, true, note, &list, &journal, NULL), LPOT_OK);
  assert_int_equal(list.count, 2);
  assert_int_equal(lpot_journal_num_dropped(journal), LPOT_JOURNAL_RECORD_HEAD + 99);
  assert_int_equal(lpot_journal_append(journal, 9, bytes, 7, NULL), LPOT_OK);
  lpot_journal_close(journal);
  list = (seen){0};
  assert_int_equal(lpot_journal_read(path, note, &list, NULL), LPOT_OK);
  assert_int_equal(list.count, 3);
  assert_int_equal(list.types[2], 9);
}

static void every_damaged_byte_of_what_was_durable_is_an_error_that_says_where(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "damage", path);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  for (size_t i = 0; i < ends[2]; i++) {
    size_t valid = 0;
    seen list = {0};
    lpot_error error = {0};
    char place[32];
    snprintf(place, sizeof place, "byte %zu,", i < ends[0] ? 0 : i < ends[1] ? ends[0] : ends[1]);
    bytes[i] ^= 1;
    assert_int_equal(lpot_journal_scan(bytes, size, note, &list, &valid, &error), LPOT_FORMAT);
    assert_non_null(strstr(error.message, place));
    bytes[i] ^= 1;
  }
}

static void damaged_mark_takes_no_record_along(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "mark", path);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  for (size_t i = ends[2]; i < size; i++) {
    size_t valid = 0;
    seen list = {0};
    bytes[i] ^= 0x80;
    assert_int_equal(lpot_journal_scan(bytes, size, note, &list, &valid, NULL), LPOT_OK);
    assert_int_equal(list.count, 3);
    assert_int_equal(valid, ends[2]);
    bytes[i] ^= 0x80;
  }
}

/* Three durable records and their mark, then three more of 10 bytes that no sync covers. */
static size_t write_six(const char *path, uint8_t *bytes, size_t capacity) {
  lpot_journal *journal = NULL;
  seen list = {0};
  write_three(path);
  memset(bytes, 0x33, 10);
  assert_int_equal(lpot_journal_open(path, true, note, &list, &journal, NULL), LPOT_OK);
  for (unsigned type = 4; type <= 6; type++) {
    assert_int_equal(lpot_journal_append(journal, type, bytes, 10, NULL), LPOT_OK);
  }
  lpot_journal_close(journal);
  return read_bytes(path, bytes, capacity);
}

static void what_no_sync_covered_may_reach_the_disk_in_any_order(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "pages", path);
  size_t size = write_six(path, bytes, sizeof bytes);
  const size_t mark_end = ends[2] + LPOT_JOURNAL_RECORD_HEAD;
  const size_t unit = LPOT_JOURNAL_RECORD_HEAD + 10;
  assert_int_equal(size, mark_end + 3 * unit);
  memset(bytes + mark_end, 0,
         unit); /* The first of the three is missing, its successors are not. */
  write_bytes(path, bytes, size);
  lpot_journal *journal = NULL;
  seen list = {0};
  assert_int_equal(lpot_journal_open(path, true, note, &list, &journal, NULL), LPOT_OK);
  assert_int_equal(list.count, 3);
  assert_int_equal(lpot_journal_num_dropped(journal), 3 * unit);
  assert_int_equal(lpot_journal_append(journal, 9, bytes, 7, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_sync(journal, NULL), LPOT_OK);
  lpot_journal_close(journal);
  list = (seen){0};
  assert_int_equal(lpot_journal_read(path, note, &list, NULL), LPOT_OK);
  assert_int_equal(list.count, 4);
  assert_int_equal(list.types[3], 9);
}

static void later_records_tell_what_was_durable_where_the_mark_is_damaged_too(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  size_t valid = 0;
  seen list = {0};
  temp_path(*state, "hole", path);
  size_t size = write_six(path, bytes, sizeof bytes);
  memset(bytes + ends[2] - 1, 0,
         LPOT_JOURNAL_RECORD_HEAD + 2); /* The last byte, mark, first byte. */
  assert_int_equal(lpot_journal_scan(bytes, size, note, &list, &valid, NULL), LPOT_FORMAT);
}

static void sync_marks_what_it_made_durable_and_nothing_else(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "marks", path);
  size_t size = write_six(path, bytes, sizeof bytes);
  for (int i = 0; i < 3; i++) {
    lpot_journal *journal = NULL;
    seen list = {0};
    assert_int_equal(lpot_journal_open(path, true, note, &list, &journal, NULL), LPOT_OK);
    assert_int_equal(list.count, 6);
    assert_int_equal(lpot_journal_sync(journal, NULL),
                     LPOT_OK); /* Those of the first run are not. */
    assert_int_equal(lpot_journal_sync(journal, NULL), LPOT_OK);
    lpot_journal_close(journal);
    assert_int_equal(read_bytes(path, bytes, sizeof bytes), size + LPOT_JOURNAL_RECORD_HEAD);
  }
}

static void journal_of_another_version_is_refused_and_untouched(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  uint8_t after[512];
  temp_path(*state, "version", path);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  for (size_t at = 0; at + LPOT_JOURNAL_RECORD_HEAD <= size; at++) { /* in all heads */
    if (memcmp(bytes + at, "LPJR", 4) == 0) {
      bytes[at + 6] = 1;
    }
  }
  write_bytes(path, bytes, size);
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  seen list = {0};
  assert_int_equal(lpot_journal_open(path, true, note, &list, &journal, &error), LPOT_IO);
  assert_non_null(strstr(error.message, "version': journal is of version 1, this program writes "));
  assert_int_equal(lpot_journal_read(path, note, &list, NULL), LPOT_IO);
  assert_int_equal(list.count, 0);
  assert_int_equal(read_bytes(path, after, sizeof after), size);
  assert_memory_equal(bytes, after, size);
}

static void damaged_file_is_no_fault_of_the_model(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "damaged", path);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  bytes[5] ^= 1;
  write_bytes(path, bytes, size);
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  seen list = {0};
  assert_int_equal(lpot_journal_read(path, note, &list, &error), LPOT_IO);
  assert_non_null(strstr(error.message, "damaged': journal is damaged: no valid record at byte 0"));
  assert_int_equal(lpot_journal_open(path, true, note, &list, &journal, &error), LPOT_IO);
  assert_int_equal(error.status, LPOT_IO);
  assert_int_equal(lpot_status_exit_code(error.status), 1);
}

static void record_is_not_valid_at_another_place(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  temp_path(*state, "moved", path);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  size_t first = ends[0];
  memmove(bytes, bytes + first, size - first);
  size_t valid = 1;
  seen list = {0};
  assert_int_equal(lpot_journal_scan(bytes, size - first, note, &list, &valid, NULL), LPOT_OK);
  assert_int_equal(valid, 0);
}

static void existing_journal_is_refused_and_untouched_without_resume(void **state) {
  char path[PATH_SIZE];
  uint8_t before[512];
  uint8_t after[512];
  temp_path(*state, "refused", path);
  write_three(path);
  size_t size = read_bytes(path, before, sizeof before);
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  seen list = {0};
  assert_int_equal(lpot_journal_open(path, false, note, &list, &journal, &error), LPOT_INVALID);
  assert_non_null(strstr(error.message, "--resume"));
  assert_int_equal(read_bytes(path, after, sizeof after), size);
  assert_memory_equal(before, after, size);
}

static void journal_in_use_is_refused(void **state) {
  char path[PATH_SIZE];
  temp_path(*state, "locked", path);
  lpot_journal *first = NULL;
  lpot_journal *second = NULL;
  lpot_error error = {0};
  seen list = {0};
  assert_int_equal(lpot_journal_open(path, true, note, &list, &first, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_open(path, true, note, &list, &second, &error), LPOT_INVALID);
  assert_non_null(strstr(error.message, "in use"));
  lpot_journal_close(first);
}

static void lock_can_be_seen_and_held_without_a_change(void **state) {
  char path[PATH_SIZE];
  uint8_t bytes[512];
  lpot_journal *lock = NULL;
  lpot_journal *second = NULL;
  lpot_error error = {0};
  bool in_use = true;
  seen list = {0};
  temp_path(*state, "held", path);
  assert_int_equal(lpot_journal_in_use(path, &in_use, &error), LPOT_NOT_FOUND);
  assert_int_equal(lpot_journal_hold(path, &lock, &error), LPOT_NOT_FOUND);
  write_three(path);
  size_t size = read_bytes(path, bytes, sizeof bytes);
  write_bytes(path, bytes, size - 1); /* a torn tail stays */
  assert_int_equal(lpot_journal_in_use(path, &in_use, NULL), LPOT_OK);
  assert_false(in_use);
  assert_int_equal(lpot_journal_hold(path, &lock, NULL), LPOT_OK);
  assert_int_equal(lpot_journal_in_use(path, &in_use, NULL), LPOT_OK);
  assert_true(in_use);
  assert_int_equal(lpot_journal_hold(path, &second, &error), LPOT_INVALID);
  assert_int_equal(lpot_journal_open(path, true, note, &list, &second, &error), LPOT_INVALID);
  lpot_journal_close(lock);
  assert_int_equal(lpot_journal_in_use(path, &in_use, NULL), LPOT_OK);
  assert_false(in_use);
  assert_int_equal(read_bytes(path, bytes, sizeof bytes), size - 1);
}

static void journal_that_cannot_grow_says_so(void **state) {
  (void)state;
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  seen list = {0};
  uint8_t bytes[10] = {0};
  if (lpot_journal_open("/dev/full", false, note, &list, &journal, &error) != LPOT_OK) {
    skip();
  }
  assert_int_equal(lpot_journal_append(journal, 1, bytes, 10, &error), LPOT_IO);
  assert_non_null(strstr(error.message, "/dev/full"));
  lpot_journal_close(journal);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reader_lives_when_the_file_is_cut_off),
      cmocka_unit_test(journal_shows_its_records_in_order),
      cmocka_unit_test(journal_cut_at_any_byte_keeps_the_whole_records_before),
      cmocka_unit_test(journal_with_a_torn_tail_is_cut_and_goes_on),
      cmocka_unit_test(every_damaged_byte_of_what_was_durable_is_an_error_that_says_where),
      cmocka_unit_test(damaged_mark_takes_no_record_along),
      cmocka_unit_test(what_no_sync_covered_may_reach_the_disk_in_any_order),
      cmocka_unit_test(later_records_tell_what_was_durable_where_the_mark_is_damaged_too),
      cmocka_unit_test(sync_marks_what_it_made_durable_and_nothing_else),
      cmocka_unit_test(journal_of_another_version_is_refused_and_untouched),
      cmocka_unit_test(damaged_file_is_no_fault_of_the_model),
      cmocka_unit_test(record_is_not_valid_at_another_place),
      cmocka_unit_test(existing_journal_is_refused_and_untouched_without_resume),
      cmocka_unit_test(journal_in_use_is_refused),
      cmocka_unit_test(lock_can_be_seen_and_held_without_a_change),
      cmocka_unit_test(journal_that_cannot_grow_says_so),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
