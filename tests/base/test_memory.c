#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"

static void calloc_zero_fills(void **state) {
  (void)state;
  unsigned char *bytes = lpot_calloc(100, 3);
  assert_non_null(bytes);
  for (int i = 0; i < 300; i++) {
    assert_int_equal(bytes[i], 0);
  }
  lpot_free(bytes);
}

static void sizes_that_overflow_give_null(void **state) {
  (void)state;
  assert_null(lpot_calloc(SIZE_MAX / 2, 3));
  assert_null(lpot_alloc_aligned(SIZE_MAX));
  assert_null(lpot_alloc_aligned(SIZE_MAX - 10));
  int *block = lpot_calloc(1, sizeof *block);
  *block = 42;
  assert_null(lpot_realloc(block, SIZE_MAX / 2 + 1, 2));
  assert_int_equal(*block, 42);
  lpot_free(block);
}

static void a_count_of_zero_gives_a_pointer(void **state) {
  (void)state;
  void *a = lpot_calloc(0, 8);
  void *b = lpot_calloc(8, 0);
  void *c = lpot_realloc(NULL, 0, 8);
  void *d = lpot_alloc_aligned(0);
  assert_non_null(a);
  assert_non_null(b);
  assert_non_null(c);
  assert_non_null(d);
  lpot_free(a);
  lpot_free(b);
  lpot_free(c);
  lpot_free(d);
  lpot_free(NULL);
}

static void realloc_keeps_the_contents(void **state) {
  (void)state;
  int *values = lpot_calloc(2, sizeof *values);
  values[1] = 7;
  values = lpot_realloc(values, 1000, sizeof *values);
  assert_non_null(values);
  assert_int_equal(values[1], 7);
  lpot_free(values);
}

static void aligned_blocks_are_aligned_and_padded(void **state) {
  (void)state;
  for (size_t size = 1; size < 200; size += 13) {
    unsigned char *block = lpot_alloc_aligned(size);
    assert_int_equal((uintptr_t)block % 64, 0);
    /* The sanitizer build sees a write behind the padding. */
    block[(size + 63) / 64 * 64 - 1] = 1;
    lpot_free(block);
  }
}

static void injection_fails_the_named_allocation_and_all_later_ones(void **state) {
  (void)state;
  lpot_memory_fail_after(3);
  void *a = lpot_calloc(1, 1);
  void *b = lpot_alloc_aligned(1);
  void *c = lpot_realloc(NULL, 1, 1);
  void *d = lpot_calloc(1, 1);
  void *e = lpot_alloc_aligned(1);
  lpot_memory_fail_after(0);
  void *f = lpot_calloc(1, 1);
  assert_non_null(a);
  assert_non_null(b);
  assert_null(c);
  assert_null(d);
  assert_null(e);
  assert_non_null(f);
  lpot_free(a);
  lpot_free(b);
  lpot_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calloc_zero_fills),
      cmocka_unit_test(sizes_that_overflow_give_null),
      cmocka_unit_test(a_count_of_zero_gives_a_pointer),
      cmocka_unit_test(realloc_keeps_the_contents),
      cmocka_unit_test(aligned_blocks_are_aligned_and_padded),
      cmocka_unit_test(injection_fails_the_named_allocation_and_all_later_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
