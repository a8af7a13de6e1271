/* The tokenizer against `tokenizers` (golden/make_wordpiece_golden.py), and damaged vocabularies.
 */
#include "data_fixture.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/wordpiece.h"

#define SPECIAL "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"

static lpot_wordpiece *make_vocabulary(const char *text, bool lower_case) {
  lpot_wordpiece *vocabulary = NULL;
  lpot_error err = {0};
  expect_ok(lpot_wordpiece_new(text, strlen(text), lower_case, &vocabulary, &err), &err);
  return vocabulary;
}

/* Fails unless text has the pieces, written with blanks between them. */
static void expect_pieces(const lpot_wordpiece *vocabulary, const char *text,
                          const char *expected) {
  lpot_tokens tokens = {0};
  lpot_error err = {0};
  char found[512] = "";
  expect_ok(lpot_wordpiece_tokenize(vocabulary, text, strlen(text), &tokens, &err), &err);
  for (size_t i = 0; i < tokens.count; i++) {
    strcat(found, i == 0 ? "" : " ");
    strcat(found, lpot_wordpiece_text(vocabulary, tokens.ids[i]));
  }
  assert_string_equal(found, expected);
  lpot_tokens_done(&tokens);
}

static size_t unhex(const char *text, size_t length, char *out) {
  for (size_t i = 0; i < length / 2; i++) {
    char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
    out[i] = (char)strtol(digits, NULL, 16);
  }
  return length / 2;
}

/* Whether the pieces of text are the numbers in list. */
static bool has_pieces(const lpot_wordpiece *vocabulary, const char *text, size_t size,
                       const char *list) {
  lpot_tokens tokens = {0};
  lpot_error err = {0};
  expect_ok(lpot_wordpiece_tokenize(vocabulary, text, size, &tokens, &err), &err);
  bool is_equal = true;
  char *rest = (char *)(size_t)list;
  for (size_t i = 0; i < tokens.count && is_equal; i++) {
    is_equal = *rest != '\t' && *rest != '\n' && strtol(rest, &rest, 10) == tokens.ids[i];
  }
  is_equal = is_equal && (*rest == '\t' || *rest == '\n');
  lpot_tokens_done(&tokens);
  return is_equal;
}

static void agrees_with_the_reference(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("wordpiece_cases.txt");
  char path[FIXTURE_PATH];
  golden_path("wordpiece_vocab.txt", path);
  lpot_wordpiece *vocabularies[2] = {NULL};
  lpot_error err = {0};
  for (int i = 0; i < 2; i++) {
    expect_ok(lpot_wordpiece_load(path, i == 0, &vocabularies[i], &err), &err);
  }
  const char *line = (const char *)lpot_mapping_data(mapping);
  const char *end = line + lpot_mapping_size(mapping);
  int cases = 0;
  int wrong = 0;
  while (line < end) {
    static char text[4096];
    const char *next = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
    const char *lower = (const char *)memchr(line, '\t', (size_t)(end - line)) + 1;
    const char *cased = (const char *)memchr(lower, '\t', (size_t)(end - lower)) + 1;
    assert_in_range((lower - 1 - line) / 2, 0, sizeof text - 1);
    size_t size = unhex(line, (size_t)(lower - 1 - line), text);
    for (int i = 0; i < 2; i++) {
      if (!has_pieces(vocabularies[i], text, size, i == 0 ? lower : cased)) {
        printf("case %d, %s: '%.*s' differs\n", cases, i == 0 ? "lower" : "cased", (int)size, text);
        wrong++;
      }
    }
    cases++;
    line = next;
  }
  assert_int_equal(wrong, 0);
  assert_true(cases > 600);
  lpot_wordpiece_free(vocabularies[0]);
  lpot_wordpiece_free(vocabularies[1]);
  lpot_mapping_unref(mapping);
}

static void the_longest_piece_comes_first(void **state) {
  (void)state;
  lpot_wordpiece *vocabulary =
      make_vocabulary(SPECIAL "un\nunaff\n##aff\n##able\n##a\n##ble\nwant\n##want\n,\n", true);
  expect_pieces(vocabulary, "unaffable", "unaff ##able");
  expect_pieces(vocabulary, "UNWANT, unwanted", "un ##want , [UNK]");
  expect_pieces(vocabulary, "[SEP]", "[UNK] [UNK] [UNK]");
  expect_pieces(vocabulary, "", "");
  lpot_wordpiece_free(vocabulary);
}

static void the_last_of_equal_lines_counts(void **state) {
  (void)state;
  lpot_wordpiece *vocabulary = make_vocabulary(SPECIAL "a\r\nb\r\na\r\n", true);
  lpot_tokens tokens = {0};
  lpot_error err = {0};
  expect_ok(lpot_wordpiece_tokenize(vocabulary, "a b", 3, &tokens, &err), &err);
  assert_int_equal(tokens.count, 2);
  assert_int_equal(tokens.ids[0], 6);
  assert_int_equal(tokens.ids[1], 5);
  lpot_tokens_done(&tokens);
  lpot_wordpiece_free(vocabulary);
}

static void refuses_damaged_vocabularies(void **state) {
  (void)state;
  static const struct {
    const char *text, *part;
  } bad[] = {
      {"", "none of the 0 lines is [UNK]"},
      {"[PAD]\n[UNK]\n[CLS]\na\n", "none of the 4 lines is [SEP]"},
      {SPECIAL "a\xff\n", "line 5: text is not valid UTF-8 at byte 1"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    lpot_wordpiece *vocabulary = NULL;
    lpot_error err = {0};
    expect_error(lpot_wordpiece_new(bad[i].text, strlen(bad[i].text), true, &vocabulary, &err),
                 LPOT_FORMAT, &err, bad[i].part);
    assert_null(vocabulary);
  }
  lpot_wordpiece *vocabulary = NULL;
  lpot_error err = {0};
  expect_error(lpot_wordpiece_new(SPECIAL "a\0b\n", sizeof SPECIAL + 3, true, &vocabulary, &err),
               LPOT_FORMAT, &err, "line 5: a NUL");
  expect_error(lpot_wordpiece_load("/nonexistent/vocab.txt", true, &vocabulary, &err),
               LPOT_NOT_FOUND, &err, "/nonexistent/vocab.txt");
}

static void refuses_text_that_is_not_utf8(void **state) {
  (void)state;
  lpot_wordpiece *vocabulary = make_vocabulary(SPECIAL "a\n", true);
  lpot_tokens tokens = {0};
  lpot_error err = {0};
  expect_error(lpot_wordpiece_tokenize(vocabulary, "a \xe4", 3, &tokens, &err), LPOT_FORMAT, &err,
               "not valid UTF-8 at byte 2");
  lpot_tokens_done(&tokens);
  lpot_wordpiece_free(vocabulary);
}

/* Every allocation may fail. */
static void survives_lack_of_memory(void **state) {
  (void)state;
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t n = 1; status == LPOT_NO_MEMORY; n++) {
    lpot_wordpiece *vocabulary = NULL;
    lpot_tokens tokens = {0};
    lpot_error err = {0};
    lpot_memory_fail_after(n);
    status = lpot_wordpiece_new(SPECIAL "a\n", strlen(SPECIAL "a\n"), true, &vocabulary, &err);
    if (status == LPOT_OK) {
      status = lpot_wordpiece_tokenize(vocabulary, "A a", 3, &tokens, &err);
    }
    lpot_memory_fail_after(0);
    lpot_tokens_done(&tokens);
    lpot_wordpiece_free(vocabulary);
  }
  assert_int_equal(status, LPOT_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_the_reference),
      cmocka_unit_test(the_longest_piece_comes_first),
      cmocka_unit_test(the_last_of_equal_lines_counts),
      cmocka_unit_test(refuses_damaged_vocabularies),
      cmocka_unit_test(refuses_text_that_is_not_utf8),
      cmocka_unit_test(survives_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
