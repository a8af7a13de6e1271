#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash_index.h"
#include "base/memory.h"

static void empty_index_holds_nothing(void **state) {
  (void)state;
  lpot_hash_index *index = NULL;
  assert_int_equal(lpot_hash_index_new(0, &index, NULL), LPOT_OK);
  assert_true(lpot_hash_index_get(index, 0) == SIZE_MAX);
  lpot_hash_index_put(index, 7, 1); /* beyond its capacity */
  assert_true(lpot_hash_index_get(index, 7) == SIZE_MAX);
  lpot_hash_index_free(index);
  lpot_hash_index_free(NULL);
}

static void first_place_of_a_hash_stays(void **state) {
  (void)state;
  lpot_hash_index *index = NULL;
  assert_int_equal(lpot_hash_index_new(2, &index, NULL), LPOT_OK);
  lpot_hash_index_put(index, 0, 0);
  lpot_hash_index_put(index, 0, 5);
  lpot_hash_index_put(index, UINT64_MAX, 3);
  lpot_hash_index_put(index, 9, 4); /* beyond its capacity */
  assert_int_equal(lpot_hash_index_get(index, 0), 0);
  assert_int_equal(lpot_hash_index_get(index, UINT64_MAX), 3);
  assert_true(lpot_hash_index_get(index, 9) == SIZE_MAX);
  lpot_hash_index_free(index);
}

static void many_hashes_are_all_found(void **state) {
  (void)state;
  enum { COUNT = 5000 };
  lpot_hash_index *index = NULL;
  assert_int_equal(lpot_hash_index_new(COUNT, &index, NULL), LPOT_OK);
  for (size_t i = 0; i < COUNT; i++) {
    lpot_hash_index_put(index, (uint64_t)i * 4096, i); /* many share a slot */
  }
  for (size_t i = 0; i < COUNT; i++) {
    assert_int_equal(lpot_hash_index_get(index, (uint64_t)i * 4096), i);
    assert_true(lpot_hash_index_get(index, (uint64_t)i * 4096 + 1) == SIZE_MAX);
  }
  lpot_hash_index_free(index);
}

static void exhausted_memory_and_sizes_are_errors(void **state) {
  (void)state;
  lpot_hash_index *index = NULL;
  for (uint64_t countdown = 1; countdown <= 2; countdown++) {
    lpot_memory_fail_after(countdown);
    assert_int_equal(lpot_hash_index_new(4, &index, NULL), LPOT_NO_MEMORY);
    lpot_memory_fail_after(0);
    assert_null(index);
  }
  assert_int_not_equal(lpot_hash_index_new(SIZE_MAX, &index, NULL), LPOT_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_index_holds_nothing),
      cmocka_unit_test(first_place_of_a_hash_stays),
      cmocka_unit_test(many_hashes_are_all_found),
      cmocka_unit_test(exhausted_memory_and_sizes_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
