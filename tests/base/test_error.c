#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void error_set_fills_status_place_and_message(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_status status = lpot_error_set(&err, LPOT_FORMAT, "x.c", 7, "node '%s': got %d", "a", 3);
  assert_int_equal(status, LPOT_FORMAT);
  assert_int_equal(err.status, LPOT_FORMAT);
  assert_string_equal(err.file, "x.c");
  assert_int_equal(err.line, 7);
  assert_string_equal(err.message, "node 'a': got 3");
}

static void error_knows_its_node_and_place(void **state) {
  (void)state;
  lpot_error err = {0};
  char long_name[300];
  LPOT_FAIL(&err, LPOT_FORMAT, "node 'it's b': bad");
  assert_string_equal(err.node, "it's b");
  lpot_error_prefix(&err, "node '%s'", "outer");
  lpot_error_node(&err, "outermost");
  assert_string_equal(err.node, "it's b");
  assert_int_equal(lpot_error_at(&err, "conf.yaml", 3, 14, LPOT_FORMAT), LPOT_FORMAT);
  lpot_error_prefix(&err, "model");
  assert_string_equal(err.place_file, "conf.yaml");
  assert_int_equal(err.place_line, 3);
  assert_int_equal(err.place_column, 14);
  assert_int_equal(lpot_error_at(&err, "other.yaml", 1, 1, LPOT_OK), LPOT_OK);
  assert_string_equal(err.place_file, "conf.yaml");
  /* A new error has nothing of the old one. */
  LPOT_FAIL(&err, LPOT_FORMAT, "value of node 'a'");
  assert_string_equal(err.node, "");
  assert_string_equal(err.place_file, "");
  assert_int_equal(err.place_line, 0);
  lpot_error_prefix(&err, "node '%s' (Relu)", "b");
  assert_string_equal(err.node, "b");
  memset(long_name, 'x', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  LPOT_FAIL(&err, LPOT_FORMAT, "node '%s': bad", long_name);
  assert_int_equal(strlen(err.node), sizeof err.node - 1);
  assert_string_equal(err.node + sizeof err.node - 4, "...");
}

static void a_message_is_one_line_of_printable_text(void **state) {
  (void)state;
  lpot_error err = {0};
  LPOT_FAIL(&err, LPOT_IO, "'%s': no file", "a\x1b[2J\nb\x7f");
  assert_string_equal(err.message, "'a?[2J?b?': no file");
  lpot_error_prefix(&err, "in '%s'", "Z\u00fcrich\r\xc3");
  assert_string_equal(err.message, "in 'Z\u00fcrich?"
                                   "?': 'a?[2J?b?': no file");
  /* What programs open or look for stays as it is. */
  LPOT_FAIL(&err, LPOT_FORMAT, "node '\x1b': bad");
  assert_string_equal(err.node, "\x1b");
  assert_string_equal(err.message, "node '?': bad");
}

static void error_may_be_null(void **state) {
  (void)state;
  assert_int_equal(LPOT_FAIL(NULL, LPOT_IO, "x"), LPOT_IO);
  lpot_error_prefix(NULL, "x");
  lpot_error_node(NULL, "x");
  assert_int_equal(lpot_error_at(NULL, "x", 1, 1, LPOT_IO), LPOT_IO);
}

static void error_message_may_quote_the_old_message(void **state) {
  (void)state;
  lpot_error err = {0};
  LPOT_FAIL(&err, LPOT_IO, "disk");
  LPOT_FAIL(&err, LPOT_CONFIG, "a %s b", err.message);
  assert_string_equal(err.message, "a disk b");
}

static void error_marks_a_message_that_does_not_fit(void **state) {
  (void)state;
  lpot_error err = {0};
  char long_text[2000];
  memset(long_text, 'x', sizeof long_text - 1);
  long_text[sizeof long_text - 1] = '\0';
  LPOT_FAIL(&err, LPOT_IO, "%s", long_text);
  assert_int_equal(strlen(err.message), sizeof err.message - 1);
  assert_string_equal(err.message + sizeof err.message - 4, "...");
  /* One more than fits: a mark. Exactly as long as fits: none. */
  long_text[sizeof err.message] = '\0';
  LPOT_FAIL(&err, LPOT_IO, "%s", long_text);
  assert_string_equal(err.message + sizeof err.message - 4, "...");
  long_text[sizeof err.message - 1] = '\0';
  LPOT_FAIL(&err, LPOT_IO, "%s", long_text);
  assert_string_equal(err.message, long_text);
}

static void error_prefix_puts_context_first(void **state) {
  (void)state;
  lpot_error err = {0};
  LPOT_FAIL(&err, LPOT_FORMAT, "bad");
  lpot_error_prefix(&err, "node %d", 4);
  lpot_error_prefix(&err, "model '%s'", "m");
  assert_string_equal(err.message, "model 'm': node 4: bad");
  assert_int_equal(err.status, LPOT_FORMAT);
}

static void error_prefix_is_not_put_twice(void **state) {
  (void)state;
  lpot_error err = {0};
  LPOT_FAIL(&err, LPOT_UNSUPPORTED, "no kernel");
  lpot_error_prefix(&err, "node 's' (Relu)");
  lpot_error_prefix(&err, "node 's'");
  assert_string_equal(err.message, "node 's' (Relu): no kernel");
  lpot_error_prefix(&err, "node 's' (Relu)");
  assert_string_equal(err.message, "node 's' (Relu): no kernel");
  lpot_error_prefix(&err, "node");
  assert_string_equal(err.message, "node: node 's' (Relu): no kernel");
}

static void error_prefix_marks_what_no_longer_fits(void **state) {
  (void)state;
  lpot_error err = {0};
  LPOT_FAIL(&err, LPOT_FORMAT, "%0400d", 1);
  lpot_error_prefix(&err, "%0200d", 2);
  assert_int_equal(strlen(err.message), sizeof err.message - 1);
  assert_string_equal(err.message + sizeof err.message - 4, "...");
  lpot_error_prefix(&err, "%0600d", 3);
  assert_string_equal(err.message + sizeof err.message - 4, "...");
}

static void error_does_not_cut_a_utf8_sequence(void **state) {
  (void)state;
  lpot_error err = {0};
  char text[1024] = "x";
  for (size_t i = 1; i + 1 < sizeof text; i += 2) {
    memcpy(text + i, "\xc3\xa9", 2);
  }
  text[sizeof text - 1] = '\0';
  LPOT_FAIL(&err, LPOT_IO, "%s", text);
  size_t end = strlen(err.message) - 3;
  assert_string_equal(err.message + end, "...");
  assert_int_equal((unsigned char)err.message[end - 1], 0xa9);
  LPOT_FAIL(&err, LPOT_IO, "%s", text + 1);
  end = strlen(err.message) - 3;
  assert_int_equal((unsigned char)err.message[end - 1], 0xa9);
}

static void status_texts_and_exit_codes_come_from_the_table(void **state) {
  (void)state;
  assert_string_equal(lpot_status_text(LPOT_OK), "ok");
  assert_int_equal(lpot_status_exit_code(LPOT_OK), 0);
  assert_int_equal(lpot_status_exit_code(LPOT_INVALID), 2);
  assert_int_equal(lpot_status_exit_code(LPOT_CONFIG), 3);
  assert_int_equal(lpot_status_exit_code(LPOT_UNSUPPORTED), 4);
  assert_int_equal(lpot_status_exit_code(LPOT_INTERRUPTED), 6);
  assert_string_equal(lpot_status_text(LPOT_NUM_STATUSES), "unknown status");
  assert_int_equal(lpot_status_exit_code((lpot_status)1000), 1);
}

static lpot_status inner(lpot_status status, int *calls) {
  (*calls)++;
  return status;
}

static lpot_status outer(lpot_status status, int *calls) {
  LPOT_TRY(inner(status, calls));
  (*calls) += 10;
  return LPOT_OK;
}

static void try_returns_the_first_failure(void **state) {
  (void)state;
  int calls = 0;
  assert_int_equal(outer(LPOT_IO, &calls), LPOT_IO);
  assert_int_equal(calls, 1);
  assert_int_equal(outer(LPOT_OK, &calls), LPOT_OK);
  assert_int_equal(calls, 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(error_set_fills_status_place_and_message),
      cmocka_unit_test(error_knows_its_node_and_place),
      cmocka_unit_test(a_message_is_one_line_of_printable_text),
      cmocka_unit_test(error_may_be_null),
      cmocka_unit_test(error_message_may_quote_the_old_message),
      cmocka_unit_test(error_marks_a_message_that_does_not_fit),
      cmocka_unit_test(error_prefix_puts_context_first),
      cmocka_unit_test(error_prefix_is_not_put_twice),
      cmocka_unit_test(error_prefix_marks_what_no_longer_fits),
      cmocka_unit_test(error_does_not_cut_a_utf8_sequence),
      cmocka_unit_test(status_texts_and_exit_codes_come_from_the_table),
      cmocka_unit_test(try_returns_the_first_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
