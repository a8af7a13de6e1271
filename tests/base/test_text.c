#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void numbers_with_anything_else_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"",      " ",   "x",   "1x",  "1 2", "0x10", "-0X1p3", "1e",
                                    "1e999", "1,5", "--1", "+-1", ".",   "e5",   "1..2",   "in",
                                    "nanx",  "-",   "1e+", "1_0", "٣",   "infx", "1.5.",   "- 1"};
  double number = 7;
  int64_t integer = 7;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_false(lpot_text_to_double(bad[i], &number));
    assert_false(lpot_text_to_int64(bad[i], &integer));
  }
  assert_false(lpot_text_to_int64("1.0", &integer));
  assert_false(lpot_text_to_int64("9223372036854775808", &integer));
  assert_false(lpot_text_to_int64("-9223372036854775809", &integer));
  assert_true(number == 7);
  assert_true(integer == 7);
}

static void numbers_are_read(void **state) {
  (void)state;
  double number = 0;
  int64_t integer = 0;
  assert_true(lpot_text_to_double(" -1.5e3\n", &number) && number == -1500);
  assert_true(lpot_text_to_double(".5", &number) && number == 0.5);
  assert_true(lpot_text_to_double("5.", &number) && number == 5);
  assert_true(lpot_text_to_double("0.1", &number) && number == 0.1);
  assert_true(lpot_text_to_double("1e-400", &number) && number == 0);
  assert_true(lpot_text_to_double("-inf", &number) && isinf(number));
  assert_true(lpot_text_to_double("NaN", &number) && isnan(number));
  assert_true(lpot_text_to_int64("\t+12 ", &integer) && integer == 12);
  assert_true(lpot_text_to_int64("010", &integer) && integer == 10);
  assert_true(lpot_text_to_int64("-9223372036854775808", &integer) && integer == INT64_MIN);
}

static void written_numbers_are_as_short_as_they_read_back(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0.2, "0.2"},
               {100, "100"},
               {1.0 / 3, "0.3333333333333333"},
               {0.1 + 0.2, "0.30000000000000004"},
               {-1e-7, "-1e-07"},
               {0, "0"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[64];
    snprintf(text, sizeof text, "%.*g", lpot_text_digits(cases[i].value), cases[i].value);
    assert_string_equal(text, cases[i].text);
  }
}

static void the_decimal_point_does_not_depend_on_the_locale(void **state) {
  (void)state;
  static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8"};
  for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
    setlocale(LC_ALL, locales[i]);
    double number = 0;
    assert_true(lpot_text_to_double("1.5", &number) && number == 1.5);
    assert_false(lpot_text_to_double("1,5", &number));
  }
  setlocale(LC_ALL, "C");
}

static void equality_with_and_without_case(void **state) {
  (void)state;
  assert_true(lpot_text_equal("a", "a"));
  assert_false(lpot_text_equal("a", "A"));
  assert_true(lpot_text_equal_ignoring_case("Relu6", "rELU6"));
  assert_false(lpot_text_equal_ignoring_case("relu", "relu6"));
  assert_false(lpot_text_equal_ignoring_case("relu6", "relu"));
  assert_true(lpot_text_equal_ignoring_case("", ""));
}

static void copy_truncates_and_says_so(void **state) {
  (void)state;
  char out[4] = "zzz";
  assert_true(lpot_text_copy(out, sizeof out, "abc"));
  assert_string_equal(out, "abc");
  assert_false(lpot_text_copy(out, sizeof out, "defg"));
  assert_string_equal(out, "def");
  assert_false(lpot_text_copy(out, 0, "x"));
  assert_string_equal(out, "def");
}

static void nearest_finds_small_mistakes_only(void **state) {
  (void)state;
  static const char *const names[] = {"tuning", "evaluation", "quantization", "model", NULL};
  static const char *const none[] = {NULL};
  assert_string_equal(lpot_text_nearest("tunning", names), "tuning");
  assert_string_equal(lpot_text_nearest("quantisation", names), "quantization");
  assert_string_equal(lpot_text_nearest("mdoel", names), "model");
  assert_string_equal(lpot_text_nearest("evalutaion", names), "evaluation");
  assert_null(lpot_text_nearest("something", names));
  assert_null(lpot_text_nearest("", names));
  assert_null(lpot_text_nearest("model", none));
  char text[300];
  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  assert_null(lpot_text_nearest(text, names));
  const char *const one_long[] = {text, "aab", NULL};
  assert_string_equal(lpot_text_nearest("aaab", one_long), "aab");
}

static void nearest_prefers_the_smaller_distance_then_the_first(void **state) {
  (void)state;
  static const char *const names[] = {"abcdxx", "abcdex", "abcdey", NULL};
  assert_string_equal(lpot_text_nearest("abcdef", names), "abcdex");
}

static void check_printable(const char *text, const char *expected) {
  char out[64];
  lpot_text_printable(text, out, sizeof out);
  assert_string_equal(out, expected);
}

static void names_are_listed_as_far_as_they_fit(void **state) {
  (void)state;
  static const char *const names[] = {"model", "tuning", "device", NULL};
  char out[24];
  lpot_text_names(names, out, sizeof out);
  assert_string_equal(out, "model, tuning, device");
  lpot_text_names(names, out, 22);
  assert_string_equal(out, "model, tuning, device");
  lpot_text_names(names, out, 21);
  assert_string_equal(out, "model, tuning, de...");
  lpot_text_names(names + 3, out, sizeof out);
  assert_string_equal(out, "");
}

static void printable_replaces_what_disturbs_a_terminal(void **state) {
  (void)state;
  check_printable("plain text", "plain text");
  check_printable("a\x1b[31mb\n\t\x7f", "a?[31mb???");
  check_printable("h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80",
                  "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80");
  check_printable("\xc2\x9b", "??");
  check_printable("\xc3", "?");
  check_printable("\xc3(", "?(");
  check_printable("\xe2\x82", "??");
  check_printable("\xc0\xaf", "??");
  check_printable("\xed\xa0\x80", "???");
  check_printable("\xf4\x90\x80\x80", "????");
  check_printable("\xf8\x88\x80\x80\x80", "?????");
  check_printable("\xe2\x80\xae", "???");
  check_printable("\xe0\x80\x80", "???");
}

static void printable_does_not_cut_a_character(void **state) {
  (void)state;
  char out[4] = "zzz";
  lpot_text_printable("ab\xe2\x82\xac", out, sizeof out);
  assert_string_equal(out, "ab");
  lpot_text_printable("abcdef", out, sizeof out);
  assert_string_equal(out, "abc");
  lpot_text_printable("abc", out, 1);
  assert_string_equal(out, "");
  lpot_text_printable("abc", NULL, 0);
}

static void lines_are_trimmed_and_may_lack_their_end(void **state) {
  (void)state;
  static const char text[] = "\ta b \r\n\n  \nlast";
  static const char *const expected[] = {"a b", "", "", "last"};
  const char *at = text;
  const char *end = text + sizeof text - 1;
  const char *line = NULL;
  size_t length = 0;
  for (size_t i = 0; i < 4; i++) {
    assert_true(lpot_text_next_line(&at, end, &line, &length));
    assert_int_equal(length, strlen(expected[i]));
    assert_memory_equal(line, expected[i], length);
  }
  assert_false(lpot_text_next_line(&at, end, &line, &length));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_with_anything_else_are_refused),
      cmocka_unit_test(numbers_are_read),
      cmocka_unit_test(written_numbers_are_as_short_as_they_read_back),
      cmocka_unit_test(the_decimal_point_does_not_depend_on_the_locale),
      cmocka_unit_test(equality_with_and_without_case),
      cmocka_unit_test(copy_truncates_and_says_so),
      cmocka_unit_test(nearest_finds_small_mistakes_only),
      cmocka_unit_test(nearest_prefers_the_smaller_distance_then_the_first),
      cmocka_unit_test(names_are_listed_as_far_as_they_fit),
      cmocka_unit_test(printable_replaces_what_disturbs_a_terminal),
      cmocka_unit_test(printable_does_not_cut_a_character),
      cmocka_unit_test(lines_are_trimmed_and_may_lack_their_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
