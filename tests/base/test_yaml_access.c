#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml_tree.h"

static lpot_yaml *tree; /* made by parse, freed by the teardown */

/* Parses a one-key map and returns the node of its value. */
static const lpot_yaml_node *parse(const char *text) {
  lpot_error err = {0};
  lpot_yaml_free(tree);
  tree = NULL;
  if (lpot_yaml_parse("c.yaml", text, strlen(text), &tree, &err) != LPOT_OK) {
    fail_msg("%s", err.message);
  }
  return lpot_yaml_root(tree)->children[0];
}

static int teardown(void **state) {
  (void)state;
  lpot_yaml_free(tree);
  tree = NULL;
  return 0;
}

static void string_takes_scalars_only(void **state) {
  (void)state;
  const char *text = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_string(parse("a: [1]"), &text, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected a text, got a list");
  assert_int_equal(lpot_yaml_string(parse("a: {b: 1}"), &text, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected a text, got a map");
  assert_int_equal(lpot_yaml_string(parse("a:"), &text, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:3: a: expected a text, got nothing");
  assert_null(text);
  assert_int_equal(lpot_yaml_string(parse("a: 5"), &text, NULL), LPOT_OK);
  assert_string_equal(text, "5");
}

static void bool_knows_six_words_in_any_case(void **state) {
  (void)state;
  static const char *const yes[] = {"a: true", "a: YES", "a: On"};
  static const char *const no[] = {"a: False", "a: no", "a: OFF"};
  static const char *const bad[] = {"a: 1", "a: y", "a: ''", "a: [true]", "a:", "a: truee"};
  bool value = false;
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(lpot_yaml_bool(parse(yes[i]), &value, NULL), LPOT_OK);
    assert_true(value);
    assert_int_equal(lpot_yaml_bool(parse(no[i]), &value, NULL), LPOT_OK);
    assert_false(value);
  }
  lpot_error err = {0};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(lpot_yaml_bool(parse(bad[i]), &value, &err), LPOT_CONFIG);
  }
  assert_string_equal(err.message, "c.yaml:1:4: a: expected true or false, got 'truee'");
}

static void int_refuses_other_texts_and_ranges(void **state) {
  (void)state;
  static const char *const bad[] = {"a: x",   "a: 1.0", "a: 1e3", "a: 0x1",
                                    "a: 1_0", "a: [1]", "a:",     "a: 99999999999999999999"};
  int64_t value = 5;
  lpot_error err = {0};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(lpot_yaml_int(parse(bad[i]), INT64_MIN, INT64_MAX, &value, &err), LPOT_CONFIG);
  }
  assert_int_equal(lpot_yaml_int(parse("a: x"), 0, 9, &value, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected an integer, got 'x'");
  assert_int_equal(lpot_yaml_int(parse("a: 10"), 0, 9, &value, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected an integer from 0 to 9, got 10");
  assert_int_equal(lpot_yaml_int(parse("a: 0"), 1, INT64_MAX, &value, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected an integer of at least 1, got 0");
  assert_true(value == 5);
  assert_int_equal(lpot_yaml_int(parse("a: -9"), -9, 9, &value, NULL), LPOT_OK);
  assert_true(value == -9);
}

static void double_takes_finite_decimal_numbers(void **state) {
  (void)state;
  static const char *const bad[] = {"a: x",   "a: .inf", "a: inf", "a: nan", "a: 1,5",
                                    "a: [1]", "a:",      "a: 1%",  "a: 0x1"};
  double value = 5;
  lpot_error err = {0};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(lpot_yaml_double(parse(bad[i]), &value, &err), LPOT_CONFIG);
  }
  assert_string_equal(err.message, "c.yaml:1:4: a: expected a number, got '0x1'");
  assert_true(value == 5);
  assert_int_equal(lpot_yaml_double(parse("a: -2.5e-1"), &value, NULL), LPOT_OK);
  assert_true(value == -0.25);
}

static void percent_is_a_number_or_has_a_sign(void **state) {
  (void)state;
  double value = 5;
  static const char *const bad[] = {"a: '%'", "a: x%",   "a: 1%%", "a: inf%",
                                    "a: nan", "a: [1%]", "a:"};
  lpot_error err = {0};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(lpot_yaml_percent(parse(bad[i]), &value, &err), LPOT_CONFIG);
  }
  assert_string_equal(err.message, "c.yaml:1:3: a: expected a number or a percentage such as 1%, "
                                   "got nothing");
  assert_int_equal(lpot_yaml_percent(parse("a: 1%"), &value, NULL), LPOT_OK);
  assert_true(value == 0.01);
  assert_int_equal(lpot_yaml_percent(parse("a: '50 % '"), &value, NULL), LPOT_OK);
  assert_true(value == 0.5);
  assert_int_equal(lpot_yaml_percent(parse("a: 0.02"), &value, NULL), LPOT_OK);
  assert_true(value == 0.02);
}

static void ints_take_lists_texts_and_one_number(void **state) {
  (void)state;
  static const char *const good[] = {"a: [1, 2, 3]", "a: 1, 2, 3", "a: 1 2 3", "a: '1,2,3'",
                                     "a: ' 1 ,2\t, 3 '"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    int64_t out[3] = {0};
    size_t count = 0;
    char text[64];
    strcpy(text, good[i]);
    assert_int_equal(lpot_yaml_ints(parse(text), 3, out, &count, NULL), LPOT_OK);
    assert_int_equal(count, 3);
    assert_true(out[0] == 1 && out[1] == 2 && out[2] == 3);
  }
  int64_t one = 0;
  size_t count = 0;
  assert_int_equal(lpot_yaml_ints(parse("a: -7"), 1, &one, &count, NULL), LPOT_OK);
  assert_int_equal(count, 1);
  assert_true(one == -7);
  assert_int_equal(lpot_yaml_ints(parse("a: []"), 1, &one, &count, NULL), LPOT_OK);
  assert_int_equal(count, 0);
}

static void ints_refuse_anything_else(void **state) {
  (void)state;
  static const char *const bad[] = {
      "a: 1,,2",  "a: '1,2,'", "a: ',1'", "a: ''",    "a: ' '", "a: 1 x", "a: [1, x]",
      "a: [[1]]", "a: {b: 1}", "a:",      "a: 1.5 2", "a: [~]", "a: ','"};
  int64_t out[4];
  size_t count = 77;
  lpot_error err = {0};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(lpot_yaml_ints(parse(bad[i]), 4, out, &count, &err), LPOT_CONFIG);
  }
  assert_int_equal(lpot_yaml_ints(parse("a: [1, x]"), 4, out, &count, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:8: a[1]: expected a list of integers, got 'x'");
  assert_int_equal(lpot_yaml_ints(parse("a: [1, 2, 3]"), 2, out, &count, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected at most 2 values, got more");
  assert_int_equal(lpot_yaml_ints(parse("a: 1 2 3"), 2, out, &count, &err), LPOT_CONFIG);
  assert_int_equal(count, 77);
}

static void doubles_are_read_alike(void **state) {
  (void)state;
  double out[2] = {0};
  size_t count = 0;
  assert_int_equal(lpot_yaml_doubles(parse("a: 0.5, 1e2"), 2, out, &count, NULL), LPOT_OK);
  assert_int_equal(count, 2);
  assert_true(out[0] == 0.5 && out[1] == 100);
  assert_int_equal(lpot_yaml_doubles(parse("a: [inf]"), 2, out, &count, NULL), LPOT_CONFIG);
}

static const char *const strategies[] = {"basic", "exhaustive", "random", NULL};

static void choice_names_the_nearest(void **state) {
  (void)state;
  int index = -1;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_choice(parse("a: basik"), strategies, &index, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected one of basic, exhaustive, random, got "
                                   "'basik' (did you mean 'basic'?)");
  assert_int_equal(lpot_yaml_choice(parse("a: zzzzzzzz"), strategies, &index, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected one of basic, exhaustive, random, got "
                                   "'zzzzzzzz'");
  assert_int_equal(lpot_yaml_choice(parse("a: [basic]"), strategies, &index, &err), LPOT_CONFIG);
  assert_int_equal(index, -1);
  assert_int_equal(lpot_yaml_choice(parse("a: random"), strategies, &index, NULL), LPOT_OK);
  assert_int_equal(index, 2);
}

static void check_keys_points_at_the_unknown_key(void **state) {
  (void)state;
  static const char *const keys[] = {"timeout", "max_trials", NULL};
  lpot_error err = {0};
  const lpot_yaml_node *map = parse("a:\n  timeout: 0\n  max_trails: 5\n");
  assert_int_equal(lpot_yaml_check_keys(map, keys, &err), LPOT_CONFIG);
  assert_string_equal(err.message,
                      "c.yaml:3:3: a.max_trails: unknown key (did you mean 'max_trials'?)");
  map = parse("a: {something: 5}");
  assert_int_equal(lpot_yaml_check_keys(map, keys, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:5: a.something: unknown key (known are timeout, "
                                   "max_trials)");
  static const char *const none[] = {NULL};
  assert_int_equal(lpot_yaml_check_keys(map, none, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:5: a.something: unknown key (none is known here)");
  assert_int_equal(lpot_yaml_check_keys(parse("a: 5"), keys, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:4: a: expected a map, got '5'");
  assert_int_equal(lpot_yaml_check_keys(parse("a:"), keys, NULL), LPOT_OK);
  assert_int_equal(lpot_yaml_check_keys(parse("a: {timeout: 1}"), keys, NULL), LPOT_OK);
}

static void control_characters_do_not_reach_messages(void **state) {
  (void)state;
  double value = 0;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_double(parse("\"k\\e\": \"x\\e[31m\""), &value, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:8: k?: expected a number, got 'x?[31m'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(string_takes_scalars_only),
      cmocka_unit_test(bool_knows_six_words_in_any_case),
      cmocka_unit_test(int_refuses_other_texts_and_ranges),
      cmocka_unit_test(double_takes_finite_decimal_numbers),
      cmocka_unit_test(percent_is_a_number_or_has_a_sign),
      cmocka_unit_test(ints_take_lists_texts_and_one_number),
      cmocka_unit_test(ints_refuse_anything_else),
      cmocka_unit_test(doubles_are_read_alike),
      cmocka_unit_test(choice_names_the_nearest),
      cmocka_unit_test(check_keys_points_at_the_unknown_key),
      cmocka_unit_test(control_characters_do_not_reach_messages),
  };
  return cmocka_run_group_tests(tests, NULL, teardown);
}
