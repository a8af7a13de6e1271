#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/memory.h"

static void objects_are_zero_filled_and_aligned(void **state) {
  (void)state;
  lpot_arena *arena = NULL;
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_OK);
  for (size_t size = 1; size < 100000; size = size * 3 + 1) {
    unsigned char *bytes = lpot_arena_alloc(arena, 1, size);
    assert_non_null(bytes);
    assert_int_equal((uintptr_t)bytes % 16, 0);
    for (size_t i = 0; i < size; i++) {
      assert_int_equal(bytes[i], 0);
    }
    memset(bytes, 0xFF, size);
  }
  lpot_arena_free(arena);
}

static void objects_do_not_overlap(void **state) {
  (void)state;
  enum { COUNT = 5000 };
  static unsigned char *objects[COUNT];
  lpot_arena *arena = NULL;
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_OK);
  for (size_t i = 0; i < COUNT; i++) {
    objects[i] = lpot_arena_alloc(arena, 1, i % 97 * (i % 50 == 0 ? 400 : 1));
    memset(objects[i], (int)(i % 251), i % 97);
  }
  for (size_t i = 0; i < COUNT; i++) {
    for (size_t j = 0; j < i % 97; j++) {
      assert_int_equal(objects[i][j], i % 251);
    }
  }
  lpot_arena_free(arena);
}

static void reset_gives_zero_filled_memory_again(void **state) {
  (void)state;
  lpot_arena *arena = NULL;
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_OK);
  lpot_arena_reset(arena);
  for (int round = 0; round < 5; round++) {
    /* The large first object has a block of its own. */
    unsigned char *large = lpot_arena_alloc(arena, 1000, 1000);
    unsigned char *bytes = lpot_arena_alloc(arena, 100, 1);
    assert_non_null(large);
    for (int i = 0; i < 100; i++) {
      assert_int_equal(bytes[i], 0);
      assert_int_equal(large[i], 0);
    }
    memset(bytes, 0xFF, 100);
    memset(large, 0xFF, 1000);
    lpot_arena_reset(arena);
  }
  lpot_arena_free(arena);
}

static void sizes_that_overflow_give_null(void **state) {
  (void)state;
  lpot_arena *arena = NULL;
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_OK);
  assert_null(lpot_arena_alloc(arena, SIZE_MAX, 2));
  assert_null(lpot_arena_alloc(arena, SIZE_MAX - 3, 1));
  assert_null(lpot_arena_alloc(arena, SIZE_MAX - 40, 1));
  assert_null(lpot_arena_strndup(arena, "x", SIZE_MAX));
  assert_non_null(lpot_arena_alloc(arena, 0, 8));
  assert_non_null(lpot_arena_alloc(arena, 8, 0));
  lpot_arena_free(arena);
  lpot_arena_free(NULL);
}

static void texts_are_copied(void **state) {
  (void)state;
  lpot_arena *arena = NULL;
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_OK);
  char text[] = "hello";
  char *copy = lpot_arena_strdup(arena, text);
  char *part = lpot_arena_strndup(arena, text, 2);
  text[0] = 'x';
  assert_string_equal(copy, "hello");
  assert_string_equal(part, "he");
  assert_string_equal(lpot_arena_printf(arena, "%s-%d", "a", 5), "a-5");
  assert_string_equal(lpot_arena_strdup(arena, ""), "");
  lpot_arena_free(arena);
}

static void exhausted_memory_is_reported_and_the_arena_stays_usable(void **state) {
  (void)state;
  lpot_arena *arena = NULL;
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_null(arena);
  assert_int_equal(lpot_arena_new(&arena, NULL), LPOT_OK);
  lpot_memory_fail_after(1);
  assert_null(lpot_arena_alloc(arena, 1, 8));
  assert_null(lpot_arena_alloc(arena, 1, 1000000));
  assert_null(lpot_arena_strdup(arena, "x"));
  assert_null(lpot_arena_printf(arena, "x"));
  lpot_memory_fail_after(0);
  assert_non_null(lpot_arena_alloc(arena, 1, 8));
  lpot_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(objects_are_zero_filled_and_aligned),
      cmocka_unit_test(objects_do_not_overlap),
      cmocka_unit_test(reset_gives_zero_filled_memory_again),
      cmocka_unit_test(sizes_that_overflow_give_null),
      cmocka_unit_test(texts_are_copied),
      cmocka_unit_test(exhausted_memory_is_reported_and_the_arena_stays_usable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
