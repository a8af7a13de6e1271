/* UTF-8 and what Unicode says of characters. */
#include "data_fixture.h"

#include "data/unicode.h"

static void refuses_malformed_utf8(void **state) {
  (void)state;
  static const char *const bad[] = {"\xff",         "\x80",     "\xc3",         "\xe2\x82",
                                    "\xf0\x9f\x98", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[8] = "a";
    strcat(text, bad[i]);
    size_t position = 1;
    int32_t character = 0;
    lpot_error err = {0};
    lpot_status status = lpot_unicode_next(text, strlen(text), &position, &character, &err);
    expect_error(status, LPOT_FORMAT, &err, "not valid UTF-8 at byte 1");
    assert_int_equal(position, 1);
  }
}

static void reads_characters_of_all_lengths(void **state) {
  (void)state;
  static const int32_t expected[] = {'a', 0xe9, 0x20ac, 0x1f600};
  const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  lpot_buffer again = {0};
  lpot_error err = {0};
  size_t position = 0;
  for (size_t i = 0; i < 4; i++) {
    int32_t character = 0;
    expect_ok(lpot_unicode_next(text, strlen(text), &position, &character, &err), &err);
    assert_int_equal(character, expected[i]);
    expect_ok(lpot_unicode_put(&again, character, &err), &err);
  }
  assert_int_equal(position, strlen(text));
  assert_int_equal(lpot_unicode_length(text, strlen(text)), 4);
  assert_memory_equal(again.data, text, again.size);
  lpot_buffer_done(&again);
}

static void knows_kinds_of_characters(void **state) {
  (void)state;
  assert_true(lpot_unicode_is_space(0x3000) && lpot_unicode_is_space(0x2028) &&
              lpot_unicode_is_space(0x0b) && !lpot_unicode_is_space(0x200b));
  assert_true(lpot_unicode_is_control(0x200b) && lpot_unicode_is_control(0xe000) &&
              lpot_unicode_is_control(7) && !lpot_unicode_is_control(0x378));
  assert_true(lpot_unicode_is_punctuation('$') && lpot_unicode_is_punctuation(0xbf) &&
              !lpot_unicode_is_punctuation(0x20ac) && !lpot_unicode_is_punctuation('a'));
  assert_true(lpot_unicode_is_ideograph(0x4e00) && lpot_unicode_is_ideograph(0x20000) &&
              !lpot_unicode_is_ideograph(0x3042) && !lpot_unicode_is_ideograph(0xac00));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_malformed_utf8),
      cmocka_unit_test(reads_characters_of_all_lengths),
      cmocka_unit_test(knows_kinds_of_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
