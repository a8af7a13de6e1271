#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml_tree.h"

static void check_round_trip(const char *text) {
  lpot_buffer line;
  lpot_yaml *yaml = NULL;
  const char *back = NULL;
  lpot_buffer_init(&line);
  assert_int_equal(lpot_yaml_write_text("key", text, &line, NULL), LPOT_OK);
  assert_int_equal(lpot_yaml_parse("line.yaml", (const char *)line.data, line.size, &yaml, NULL),
                   LPOT_OK);
  const lpot_yaml_node *node = lpot_yaml_get(lpot_yaml_root(yaml), "key");
  assert_int_equal(lpot_yaml_string(node, &back, NULL), LPOT_OK);
  assert_string_equal(back, text);
  lpot_yaml_free(yaml);
  lpot_buffer_done(&line);
}

static void quoted_text_reads_back(void **state) {
  (void)state;
  check_round_trip("");
  check_round_trip("plain");
  check_round_trip("null");
  check_round_trip("a: \"b\" \\ 'c' # d");
  check_round_trip("line\nbreak\ttab\x01\x7f");
  check_round_trip("\xC3\xA9 \xE2\x80\xA8 \xEF\xBB\xBF \xF0\x9F\x98\x80 \xC2\x85");
}

static void quoted_text_is_one_line_of_printable_characters(void **state) {
  (void)state;
  lpot_buffer line;
  lpot_buffer_init(&line);
  assert_int_equal(lpot_yaml_write_quoted("a\n\"\\\x7f\xE2\x80\xA8", &line, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&line, NULL), LPOT_OK);
  assert_string_equal((const char *)line.data, "\"a\\x0a\\\"\\\\\\x7f\\u2028\"");
  lpot_buffer_done(&line);
}

static void required_key_that_is_missing_is_named(void **state) {
  (void)state;
  lpot_yaml *yaml = NULL;
  const lpot_yaml_node *node = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_yaml_parse("a.yaml", "x: {y: 1}\n", 10, &yaml, NULL), LPOT_OK);
  const lpot_yaml_node *map = lpot_yaml_get(lpot_yaml_root(yaml), "x");
  assert_int_equal(lpot_yaml_require(map, "y", &node, &error), LPOT_OK);
  assert_string_equal(node->text, "1");
  assert_int_equal(lpot_yaml_require(map, "z", &node, &error), LPOT_CONFIG);
  assert_string_equal(error.message, "a.yaml:1:4: x: key 'z' is missing");
  lpot_yaml_free(yaml);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quoted_text_reads_back),
      cmocka_unit_test(quoted_text_is_one_line_of_printable_characters),
      cmocka_unit_test(required_key_that_is_missing_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
