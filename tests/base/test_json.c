#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"

static void check_text(const lpot_json *json, const char *expected) {
  char *text = NULL;
  assert_int_equal(lpot_json_text(json, &text, NULL), LPOT_OK);
  assert_string_equal(text, expected);
  lpot_free(text);
}

static void keys_keep_their_order(void **state) {
  (void)state;
  lpot_json *json = NULL;
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  check_text(json, "{}");
  assert_int_equal(lpot_json_set_string(json, "z", "text", NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_int(json, "a", -5, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "m", 0.5, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_bool(json, "b", true, NULL), LPOT_OK);
  check_text(json, "{\"z\": \"text\", \"a\": -5, \"m\": 0.5, \"b\": true}");
  lpot_json_free(json);
  lpot_json_free(NULL);
}

static void what_json_lacks_becomes_null(void **state) {
  (void)state;
  lpot_json *json = NULL;
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "a", (double)NAN, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "b", (double)-INFINITY, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_string(json, "c", NULL, NULL), LPOT_OK);
  check_text(json, "{\"a\": null, \"b\": null, \"c\": null}");
  lpot_json_free(json);
}

static void texts_are_escaped_and_repaired(void **state) {
  (void)state;
  lpot_json *json = NULL;
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_string(json, "a", "\"\n", NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_string(json, "b", "x\xff", NULL), LPOT_OK);
  check_text(json, "{\"a\": \"\\\"\\n\", \"b\": \"x?\"}");
  lpot_json_free(json);
}

static void large_numbers_are_exact(void **state) {
  (void)state;
  lpot_json *json = NULL;
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_int(json, "a", INT64_MIN, NULL), LPOT_OK);
  check_text(json, "{\"a\": -9223372036854775808}");
  lpot_json_free(json);
}

static void numbers_are_as_short_as_reads_back_equal(void **state) {
  (void)state;
  lpot_json *json = NULL;
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "a", 0.8719, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "b", 0.1 + 0.2, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "c", 1.0 / 3.0, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "d", 3, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_double(json, "e", 1e-300, NULL), LPOT_OK);
  check_text(json, "{\"a\": 0.8719, \"b\": 0.30000000000000004, \"c\": 0.3333333333333333, "
                   "\"d\": 3.0, \"e\": 1e-300}");
  lpot_json_free(json);
}

static void numbers_in_lists_are_as_short(void **state) {
  (void)state;
  lpot_json *json = NULL;
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_list(json, "l", NULL), LPOT_OK);
  for (int i = 0; i < 2; i++) {
    lpot_json *item = NULL;
    assert_int_equal(lpot_json_new(&item, NULL), LPOT_OK);
    assert_int_equal(lpot_json_set_double(item, "x", i == 0 ? 0.1 : 1.0 / 3.0, NULL), LPOT_OK);
    assert_int_equal(lpot_json_append(json, "l", &item, NULL), LPOT_OK);
  }
  assert_int_equal(lpot_json_set_list(json, "m", NULL), LPOT_OK);
  check_text(json, "{\"l\": [{\"x\": 0.1}, {\"x\": 0.3333333333333333}], \"m\": []}");
  lpot_json_free(json);
}

static void exhausted_memory_is_reported(void **state) {
  (void)state;
  lpot_json *json = NULL;
  char *text = NULL;
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_json_text(json, &text, NULL), LPOT_NO_MEMORY);
  assert_int_equal(lpot_json_set_string(json, "b", "x\xff", NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_null(text);
  lpot_json_free(json);
}

static void lists_are_built(void **state) {
  (void)state;
  lpot_json *json = NULL;
  lpot_json *item = NULL;
  const int64_t numbers[] = {3, -4};
  const char *const texts[] = {"a", "\""};
  assert_int_equal(lpot_json_new(&json, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_ints(json, "n", numbers, 2, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_strings(json, "s", texts, 2, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_list(json, "l", NULL), LPOT_OK);
  assert_int_equal(lpot_json_new(&item, NULL), LPOT_OK);
  assert_int_equal(lpot_json_set_bool(item, "x", true, NULL), LPOT_OK);
  assert_int_equal(lpot_json_append(json, "l", &item, NULL), LPOT_OK);
  assert_null(item);
  check_text(json, "{\"n\": [3, -4], \"s\": [\"a\", \"\\\"\"], \"l\": [{\"x\": true}]}");
  lpot_json_free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_are_built),
      cmocka_unit_test(keys_keep_their_order),
      cmocka_unit_test(what_json_lacks_becomes_null),
      cmocka_unit_test(texts_are_escaped_and_repaired),
      cmocka_unit_test(large_numbers_are_exact),
      cmocka_unit_test(numbers_are_as_short_as_reads_back_equal),
      cmocka_unit_test(numbers_in_lists_are_as_short),
      cmocka_unit_test(exhausted_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
