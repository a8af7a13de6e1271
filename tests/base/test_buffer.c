#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

static void append_keeps_all_bytes_while_growing(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  for (int i = 0; i < 10000; i++) {
    uint8_t byte = (uint8_t)(i % 251);
    assert_int_equal(lpot_buffer_append(&buffer, &byte, 1, NULL), LPOT_OK);
  }
  assert_int_equal(buffer.size, 10000);
  assert_true(buffer.capacity >= buffer.size);
  for (int i = 0; i < 10000; i++) {
    assert_int_equal(buffer.data[i], i % 251);
  }
  lpot_buffer_done(&buffer);
  assert_null(buffer.data);
  assert_int_equal(buffer.size, 0);
}

static void appending_nothing_allocates_nothing(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  assert_int_equal(lpot_buffer_append(&buffer, NULL, 0, NULL), LPOT_OK);
  assert_null(buffer.data);
  lpot_buffer_done(&buffer);
}

static void clear_keeps_the_memory(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  assert_int_equal(lpot_buffer_append(&buffer, "abc", 3, NULL), LPOT_OK);
  const uint8_t *data = buffer.data;
  lpot_buffer_clear(&buffer);
  assert_int_equal(buffer.size, 0);
  assert_ptr_equal(buffer.data, data);
  lpot_buffer_done(&buffer);
}

static void printf_and_terminate_make_a_string(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  for (int i = 0; i < 100; i++) {
    assert_int_equal(lpot_buffer_printf(&buffer, NULL, "%d,", i % 10), LPOT_OK);
  }
  assert_int_equal(buffer.size, 200);
  assert_int_equal(lpot_buffer_terminate(&buffer, NULL), LPOT_OK);
  assert_int_equal(buffer.size, 200);
  assert_int_equal(strlen((const char *)buffer.data), 200);
  assert_memory_equal(buffer.data, "0,1,2,3,", 8);
  lpot_buffer_done(&buffer);
}

static void reserve_refuses_impossible_sizes(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  assert_int_equal(lpot_buffer_append(&buffer, "abc", 3, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_reserve(&buffer, SIZE_MAX, NULL), LPOT_INVALID);
  assert_int_equal(lpot_buffer_reserve(&buffer, SIZE_MAX - 100, NULL), LPOT_NO_MEMORY);
  assert_memory_equal(buffer.data, "abc", 3);
  lpot_buffer_done(&buffer);
}

static void exhausted_memory_leaves_the_buffer_unchanged(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  assert_int_equal(lpot_buffer_append(&buffer, "abc", 3, NULL), LPOT_OK);
  lpot_memory_fail_after(1);
  char large[500] = "x";
  assert_int_equal(lpot_buffer_append(&buffer, large, sizeof large, NULL), LPOT_NO_MEMORY);
  assert_int_equal(lpot_buffer_printf(&buffer, NULL, "%500d", 1), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_int_equal(buffer.size, 3);
  assert_memory_equal(buffer.data, "abc", 3);
  lpot_buffer_done(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(append_keeps_all_bytes_while_growing),
      cmocka_unit_test(appending_nothing_allocates_nothing),
      cmocka_unit_test(clear_keeps_the_memory),
      cmocka_unit_test(printf_and_terminate_make_a_string),
      cmocka_unit_test(reserve_refuses_impossible_sizes),
      cmocka_unit_test(exhausted_memory_leaves_the_buffer_unchanged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
