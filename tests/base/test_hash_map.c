#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash_map.h"
#include "base/memory.h"

static void empty_map_holds_nothing(void **state) {
  (void)state;
  lpot_hash_map *map = NULL;
  int64_t value = 5;
  assert_int_equal(lpot_hash_map_new(&map, NULL), LPOT_OK);
  assert_false(lpot_hash_map_get(map, "a", &value));
  assert_true(value == 5);
  assert_int_equal(lpot_hash_map_count(map), 0);
  lpot_hash_map_free(map);
  lpot_hash_map_free(NULL);
}

static void put_overwrites_and_copies_the_key(void **state) {
  (void)state;
  lpot_hash_map *map = NULL;
  int64_t value = 0;
  char key[] = "key";
  assert_int_equal(lpot_hash_map_new(&map, NULL), LPOT_OK);
  assert_int_equal(lpot_hash_map_put(map, key, 1, NULL), LPOT_OK);
  assert_int_equal(lpot_hash_map_put(map, key, -2, NULL), LPOT_OK);
  key[0] = 'x';
  assert_int_equal(lpot_hash_map_count(map), 1);
  assert_true(lpot_hash_map_get(map, "key", &value));
  assert_true(value == -2);
  assert_false(lpot_hash_map_get(map, key, &value));
  assert_int_equal(lpot_hash_map_put(map, "", 3, NULL), LPOT_OK);
  assert_true(lpot_hash_map_get(map, "", &value));
  assert_true(value == 3);
  lpot_hash_map_free(map);
}

static void many_keys_are_all_found(void **state) {
  (void)state;
  lpot_hash_map *map = NULL;
  char key[32];
  assert_int_equal(lpot_hash_map_new(&map, NULL), LPOT_OK);
  for (int i = 0; i < 20000; i++) {
    snprintf(key, sizeof key, "node_%d", i);
    assert_int_equal(lpot_hash_map_put(map, key, i, NULL), LPOT_OK);
    /* In a map without a free slot, the search for an absent key would never end. */
    int64_t absent = 0;
    assert_false(lpot_hash_map_get(map, "absent", &absent));
  }
  assert_int_equal(lpot_hash_map_count(map), 20000);
  for (int i = 0; i < 20000; i++) {
    int64_t value = -1;
    snprintf(key, sizeof key, "node_%d", i);
    assert_true(lpot_hash_map_get(map, key, &value));
    assert_true(value == i);
  }
  int64_t value = 0;
  assert_false(lpot_hash_map_get(map, "node_20000", &value));
  lpot_hash_map_free(map);
}

static void exhausted_memory_leaves_the_map_usable(void **state) {
  (void)state;
  for (uint64_t countdown = 1; countdown < 20; countdown++) {
    lpot_hash_map *map = NULL;
    lpot_memory_fail_after(countdown);
    size_t stored = 0;
    if (lpot_hash_map_new(&map, NULL) == LPOT_OK) {
      for (int i = 0; i < 14; i++) {
        char key[32];
        snprintf(key, sizeof key, "k%d", i);
        stored += lpot_hash_map_put(map, key, i, NULL) == LPOT_OK ? 1 : 0;
      }
      assert_int_equal(lpot_hash_map_count(map), stored);
    }
    lpot_memory_fail_after(0);
    assert_true(stored < 14 || countdown > 16);
    lpot_hash_map_free(map);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_map_holds_nothing),
      cmocka_unit_test(put_overwrites_and_copies_the_key),
      cmocka_unit_test(many_keys_are_all_found),
      cmocka_unit_test(exhausted_memory_leaves_the_map_usable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
