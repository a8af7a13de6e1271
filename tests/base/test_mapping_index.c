#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mapping_index.h"
#include "base/memory.h"

enum { PLACES = LPOT_MAPPING_INDEX_PLACES, BUCKETS = LPOT_MAPPING_INDEX_BUCKETS };

typedef struct answer {
  size_t count;
  pid_t processes[PLACES];
  int files[PLACES];
} answer;

static lpot_mapping_index *new_index(void) {
  lpot_mapping_index *index = lpot_calloc(1, sizeof *index);
  assert_non_null(index);
  return index;
}

static answer find(const lpot_mapping_index *index, uint64_t key) {
  answer found = {0};
  found.count = lpot_mapping_index_find(index, key, found.processes, found.files);
  return found;
}

static void what_was_told_is_found(void **state) {
  (void)state;
  lpot_mapping_index *index = new_index();
  assert_int_equal(find(index, 7).count, 0);
  lpot_mapping_index_put(index, 7, 4194304, 1 << 20);
  lpot_mapping_index_put(index, 7 + BUCKETS, 12, 13); /* the same bucket */
  lpot_mapping_index_put(index, UINT64_MAX, 14, 15);
  answer found = find(index, 7);
  assert_int_equal(found.count, 1);
  assert_int_equal(found.processes[0], 4194304);
  assert_int_equal(found.files[0], 1 << 20);
  found = find(index, 7 + BUCKETS);
  assert_int_equal(found.count, 1);
  assert_int_equal(found.processes[0], 12);
  assert_int_equal(found.files[0], 13);
  assert_int_equal(find(index, UINT64_MAX).files[0], 15);
  assert_int_equal(find(index, 8).count, 0);
  lpot_free(index);
}

static void a_process_has_one_place_for_a_key(void **state) {
  (void)state;
  lpot_mapping_index *index = new_index();
  for (int file = 10; file < 20; file++) {
    lpot_mapping_index_put(index, 7, 100, file);
    lpot_mapping_index_put(index, 7, 101, file + 10);
  }
  answer found = find(index, 7);
  assert_int_equal(found.count, 2);
  for (size_t i = 0; i < found.count; i++) {
    assert_int_equal(found.files[i], found.processes[i] == 100 ? 19 : 29);
  }
  lpot_free(index);
}

static void a_full_bucket_forgets_places_of_the_same_key_first(void **state) {
  (void)state;
  lpot_mapping_index *index = new_index();
  lpot_mapping_index_put(index, 7 + BUCKETS, 1, 1);
  for (int process = 2; process < 2 + 3 * PLACES; process++) {
    lpot_mapping_index_put(index, 7, process, process);
  }
  answer found = find(index, 7);
  assert_int_equal(found.count, PLACES - 1);
  for (size_t i = 0; i < found.count; i++) {
    assert_int_equal(found.processes[i], found.files[i]);
  }
  assert_int_equal(find(index, 7 + BUCKETS).count, 1);
  lpot_mapping_index_put(index, 7 + 2 * BUCKETS, 50, 51); /* There must be room for it. */
  assert_int_equal(find(index, 7 + 2 * BUCKETS).files[0], 51);
  assert_int_equal(find(index, 7).count + find(index, 7 + BUCKETS).count, PLACES - 1);
  lpot_free(index);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_told_is_found),
      cmocka_unit_test(a_process_has_one_place_for_a_key),
      cmocka_unit_test(a_full_bucket_forgets_places_of_the_same_key_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
