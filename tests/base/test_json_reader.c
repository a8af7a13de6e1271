#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_reader.h"

static void ok(lpot_status status, const lpot_error *err) {
  if (status != LPOT_OK) {
    fail_msg("%s: %s", lpot_status_text(status), err->message);
  }
}

static lpot_json_reader start(const char *text) {
  lpot_json_reader reader;
  lpot_json_reader_init(&reader, text, strlen(text));
  return reader;
}

static void values_are_read_in_their_order(void **state) {
  (void)state;
  lpot_json_reader reader =
      start(" {\"a\": [1, -2.5e1, 9007199254740993], \"b\\u0041\": {\"x\": true},\n"
            "\"skipped\": [{\"y\": [null, \"]\\\"\", 1e5]}, {}, [[]]], \"c\": \"d\\n\"} ");
  lpot_error err = {0};
  const char *key = NULL;
  const char *text = NULL;
  bool more = false;
  bool flag = false;
  double number = 0;
  int64_t whole = 0;
  ok(lpot_json_reader_enter(&reader, LPOT_JSON_OBJECT, &err), &err);
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  assert_string_equal(key, "a");
  ok(lpot_json_reader_enter(&reader, LPOT_JSON_ARRAY, &err), &err);
  ok(lpot_json_reader_next(&reader, NULL, &more, &err), &err);
  ok(lpot_json_reader_number(&reader, &number, &err), &err);
  assert_true(number == 1);
  ok(lpot_json_reader_next(&reader, NULL, &more, &err), &err);
  ok(lpot_json_reader_number(&reader, &number, &err), &err);
  assert_true(number == -25);
  ok(lpot_json_reader_next(&reader, NULL, &more, &err), &err);
  ok(lpot_json_reader_int(&reader, &whole, &err), &err);
  assert_true(whole == INT64_C(9007199254740993));
  ok(lpot_json_reader_next(&reader, NULL, &more, &err), &err);
  assert_false(more);
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  assert_string_equal(key, "bA");
  ok(lpot_json_reader_enter(&reader, LPOT_JSON_OBJECT, &err), &err);
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  ok(lpot_json_reader_bool(&reader, &flag, &err), &err);
  assert_true(flag);
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  assert_false(more);
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  assert_string_equal(key, "skipped");
  ok(lpot_json_reader_skip(&reader, &err), &err);
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  assert_string_equal(key, "c");
  ok(lpot_json_reader_string(&reader, &text, &err), &err);
  assert_string_equal(text, "d\n");
  assert_string_equal(key, "c");
  ok(lpot_json_reader_next(&reader, &key, &more, &err), &err);
  assert_false(more);
  ok(lpot_json_reader_end(&reader, &err), &err);
  lpot_json_reader_done(&reader);
}

static void texts_have_escapes_and_pairs(void **state) {
  (void)state;
  lpot_json_reader reader =
      start("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\xc3\xa9\"");
  lpot_error err = {0};
  const char *text = NULL;
  ok(lpot_json_reader_string(&reader, &text, &err), &err);
  assert_string_equal(text, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9");
  lpot_json_reader_done(&reader);
}

static void refused(const char *text, const char *part) {
  lpot_json_reader reader = start(text);
  lpot_error err = {0};
  const char *value = NULL;
  bool is_text = lpot_json_reader_kind(&reader) == LPOT_JSON_STRING;
  lpot_status status = is_text ? lpot_json_reader_string(&reader, &value, &err)
                               : lpot_json_reader_skip(&reader, &err);
  if (status == LPOT_OK) {
    status = lpot_json_reader_end(&reader, &err);
  }
  if (status != LPOT_FORMAT || strstr(err.message, part) == NULL) {
    fail_msg("%s: expected '%s', got '%s'", text, part, err.message);
  }
  lpot_json_reader_done(&reader);
}

static void damaged_text_is_refused_with_its_line(void **state) {
  (void)state;
  refused("", "line 1: expected a value, got the end of the text");
  refused("[1,\n\n2 3]", "line 3: expected ',' or ']', got '3'");
  refused("[1,]", "expected a value, got ']'");
  refused("{\"a\" 1}", "expected ':', got '1'");
  refused("{a: 1}", "expected a text, got 'a'");
  refused("{\"a\": 1,}", "expected a text, got '}'");
  refused("[1}", "expected ',' or ']', got '}'");
  refused("[tru]", "expected true, got 't'");
  refused("[nul", "expected null");
  refused("1 2", "expected the end of the text, got '2'");
  refused("[\x01]", "got byte 0x01");
  refused("\"abc", "without its closing quote");
  refused("\"a\nb\"", "without its closing quote");
  refused("\"\\x\"", "an escape of JSON");
  refused("\"\\u12g4\"", "four hexadecimal digits");
  refused("\"\\ud800x\"", "half a character");
  refused("\"\\ud800\\u0041\"", "half a character");
  refused("\"\\udc00\"", "half a character");
  refused("\"\\u0000\"", "the character 0");
  refused("[00000000000000000000000000000000000000000000000000000000000000000000]",
          "more than 63 characters");
}

static void numbers_of_the_wrong_kind_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  double number = 0;
  int64_t whole = 0;
  lpot_json_reader reader = start("1-2");
  assert_int_equal(lpot_json_reader_number(&reader, &number, &err), LPOT_FORMAT);
  reader = start("1.5");
  assert_int_equal(lpot_json_reader_int(&reader, &whole, &err), LPOT_FORMAT);
  reader = start("\"1\"");
  assert_int_equal(lpot_json_reader_number(&reader, &number, &err), LPOT_FORMAT);
  reader = start("1");
  assert_int_equal(lpot_json_reader_enter(&reader, LPOT_JSON_ARRAY, &err), LPOT_FORMAT);
}

static void depth_is_limited(void **state) {
  (void)state;
  char text[2 * LPOT_JSON_MAX_DEPTH + 3] = {0};
  for (size_t depth = LPOT_JSON_MAX_DEPTH; depth <= LPOT_JSON_MAX_DEPTH + 1; depth++) {
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    lpot_json_reader reader;
    lpot_error err = {0};
    lpot_json_reader_init(&reader, text, 2 * depth);
    assert_int_equal(lpot_json_reader_skip(&reader, &err),
                     depth == LPOT_JSON_MAX_DEPTH ? LPOT_OK : LPOT_FORMAT);
    lpot_json_reader_done(&reader);
  }
}

static void text_cut_anywhere_is_refused(void **state) {
  (void)state;
  static const char text[] = "{\"a\": [1, \"b\\u00e9\", null], \"c\": {\"d\": false}}";
  for (size_t size = 0; size < sizeof text - 1; size++) {
    lpot_json_reader reader;
    lpot_error err = {0};
    lpot_json_reader_init(&reader, text, size);
    assert_int_equal(lpot_json_reader_skip(&reader, &err), LPOT_FORMAT);
    lpot_json_reader_done(&reader);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_read_in_their_order),
      cmocka_unit_test(texts_have_escapes_and_pairs),
      cmocka_unit_test(damaged_text_is_refused_with_its_line),
      cmocka_unit_test(numbers_of_the_wrong_kind_are_refused),
      cmocka_unit_test(depth_is_limited),
      cmocka_unit_test(text_cut_anywhere_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
