#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/yaml_tree.h"

static lpot_yaml *parse(const char *text) {
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  if (lpot_yaml_parse("c.yaml", text, strlen(text), &yaml, &err) != LPOT_OK) {
    fail_msg("%s", err.message);
  }
  return yaml;
}

static void check_error_of(const char *text, size_t size, const char *expected) {
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_parse("c.yaml", text, size, &yaml, &err), LPOT_CONFIG);
  assert_null(yaml);
  assert_string_equal(err.message, expected);
}

static void check_error(const char *text, const char *expected) {
  check_error_of(text, strlen(text), expected);
}

static void empty_texts_give_a_null_root(void **state) {
  (void)state;
  static const char *const texts[] = {"", "\n\n", "# a comment\n", "---\n", "~", "null\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    lpot_yaml *yaml = parse(texts[i]);
    assert_int_equal(lpot_yaml_root(yaml)->kind, LPOT_YAML_NULL);
    assert_null(lpot_yaml_root(yaml)->text);
    lpot_yaml_free(yaml);
  }
  lpot_yaml_free(NULL);
}

static void parser_errors_have_line_and_column(void **state) {
  (void)state;
  check_error("a: 1\nb: [1, 2\nc: 3\n",
              "c.yaml:3:2: did not find expected ',' or ']' while parsing a flow sequence");
  check_error("a:\n  b: 1\n c: 2\n",
              "c.yaml:3:2: did not find expected key while parsing a block mapping");
  check_error("a:\n\t- b\n",
              "c.yaml:2:1: found character that cannot start any token while scanning for the "
              "next token");
  check_error("a: \"x\n", "c.yaml:2:1: found unexpected end of stream while scanning a quoted "
                          "scalar");
}

static void text_that_is_not_utf8_is_refused_with_its_place(void **state) {
  (void)state;
  check_error("a: b\nxy: \xff\n", "c.yaml:2:5: invalid leading UTF-8 octet");
  check_error("\x01", "c.yaml:1:1: control characters are not allowed");
}

static void zero_characters_are_refused(void **state) {
  (void)state;
  check_error_of("a: b\0c", 6, "c.yaml:1:5: control characters are not allowed");
  check_error("a: \"b\\0c\"\n", "c.yaml:1:4: a: text holds a zero character");
  check_error("\"a\\0\": b\n", "c.yaml:1:1: text holds a zero character");
}

static void duplicate_keys_name_both_lines(void **state) {
  (void)state;
  check_error("a: 1\nb: 2\na: 3\n", "c.yaml:3:1: key 'a' is given twice, first in line 1");
  check_error("m:\n  - {x: 1,\n     y: 2, \"x\": 3}\n",
              "c.yaml:3:12: m[0]: key 'x' is given twice, first in line 2");
}

static void other_keys_than_text_are_refused(void **state) {
  (void)state;
  check_error("[1, 2]: 3\n", "c.yaml:1:1: expected a key that is plain text");
  check_error("a: {? {b: 1} : 2}\n", "c.yaml:1:7: a: expected a key that is plain text");
  check_error("? \n: 3\n", "c.yaml:1:2: expected a key, got nothing");
  check_error("a: &x {b: 1}\nc:\n  <<: *x\n", "c.yaml:3:3: c: merge keys are not supported");
}

static void a_second_document_is_refused(void **state) {
  (void)state;
  check_error("a: 1\n---\nb: 2\n", "c.yaml:2:1: expected one document, got another");
}

static void other_tags_than_the_core_ones_are_refused(void **state) {
  (void)state;
  check_error("a: !!python/object:x.Y {}\n",
              "c.yaml:1:4: a: tag 'tag:yaml.org,2002:python/object:x.Y' is not supported here");
  check_error("a: !custom 5\n", "c.yaml:1:4: a: tag '!custom' is not supported here");
  check_error("a: !!map 5\n", "c.yaml:1:4: a: tag 'tag:yaml.org,2002:map' is not supported here");
}

static void core_tags_are_respected(void **state) {
  (void)state;
  lpot_yaml *yaml = parse("a: !!str ~\nb: !!int 5\nc: !!null x\nd: !!seq [1]\ne: ! null\n");
  const lpot_yaml_node *root = lpot_yaml_root(yaml);
  assert_int_equal(lpot_yaml_get(root, "a")->kind, LPOT_YAML_SCALAR);
  assert_string_equal(lpot_yaml_get(root, "a")->text, "~");
  assert_true(lpot_yaml_get(root, "a")->quoted);
  assert_string_equal(lpot_yaml_get(root, "b")->text, "5");
  assert_int_equal(lpot_yaml_get(root, "c")->kind, LPOT_YAML_NULL);
  assert_int_equal(lpot_yaml_get(root, "d")->kind, LPOT_YAML_LIST);
  assert_string_equal(lpot_yaml_get(root, "e")->text, "null");
  lpot_yaml_free(yaml);
}

static void aliases_are_copies_of_their_anchor(void **state) {
  (void)state;
  lpot_yaml *yaml = parse("a: &x {k: [1, 2]}\nb: *x\nc: &y 5\nd: [*y, *x]\n");
  const lpot_yaml_node *root = lpot_yaml_root(yaml);
  const lpot_yaml_node *copy = lpot_yaml_get(root, "b");
  assert_int_equal(copy->kind, LPOT_YAML_MAP);
  const lpot_yaml_node *list = lpot_yaml_get(copy, "k");
  assert_int_equal(list->num_children, 2);
  assert_ptr_equal(list->parent, copy);
  assert_ptr_equal(copy->parent, root);
  assert_string_equal(lpot_yaml_get(root, "d")->children[0]->text, "5");
  char path[32];
  lpot_yaml_path(list->children[1], path, sizeof path);
  assert_string_equal(path, "b.k[1]");
  lpot_yaml_free(yaml);
}

static void wrong_aliases_are_refused(void **state) {
  (void)state;
  check_error("a: *x\n", "c.yaml:1:4: a: alias '*x' has no anchor before it");
  check_error("a: &x [1, *x]\n", "c.yaml:1:11: a[1]: alias '*x' stands inside of what it names");
}

static void aliases_cannot_multiply_beyond_the_limit(void **state) {
  (void)state;
  /* Ten levels of ten aliases each would be 10^10 nodes. */
  char text[2000] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; i++) {
    char line[200];
    int used = snprintf(line, sizeof line, "a%d: &a%d [", i, i);
    for (int j = 0; j < 10; j++) {
      used +=
          snprintf(line + used, sizeof line - (size_t)used, "*a%d%s", i - 1, j == 9 ? "]\n" : ", ");
    }
    strcat(text, line);
  }
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_parse("c.yaml", text, strlen(text), &yaml, &err), LPOT_CONFIG);
  assert_non_null(strstr(err.message, "expected at most 100000 values, got more"));
}

static void depth_is_limited(void **state) {
  (void)state;
  char text[200] = "";
  memset(text, '[', 63);
  memset(text + 63, ']', 63);
  lpot_yaml *yaml = parse(text);
  lpot_yaml_free(yaml);
  memset(text, '[', 64);
  text[64] = 'x';
  memset(text + 65, ']', 64);
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_parse("c.yaml", text, 129, &yaml, &err), LPOT_CONFIG);
  assert_non_null(strstr(err.message, "expected at most 64 levels, got more"));
}

/* Parses an anchored value of anchor_depth lists, used inside of thirty lists. */
static lpot_status parse_deep_alias(size_t anchor_depth, lpot_error *err) {
  char text[300] = "a: &x ";
  char *end = text + strlen(text);
  memset(end, '[', anchor_depth);
  memset(end + anchor_depth, ']', anchor_depth);
  strcpy(end + 2 * anchor_depth, "\nb: ");
  end += strlen(end);
  memset(end, '[', 30);
  strcpy(end + 30, "*x");
  memset(end + 32, ']', 30);
  end[62] = '\0';
  lpot_yaml *yaml = NULL;
  lpot_status status = lpot_yaml_parse("c.yaml", text, strlen(text), &yaml, err);
  lpot_yaml_free(yaml);
  return status;
}

static void depth_of_aliases_is_limited(void **state) {
  (void)state;
  /* The root, 30 lists, then 33 lists: 64 levels. */
  lpot_error err = {0};
  assert_int_equal(parse_deep_alias(33, NULL), LPOT_OK);
  assert_int_equal(parse_deep_alias(34, &err), LPOT_CONFIG);
  assert_non_null(strstr(err.message, "expected at most 64 levels, got more"));
}

static void number_of_values_is_limited(void **state) {
  (void)state;
  enum { ITEMS = 100000 };
  char *text = lpot_calloc(2 * ITEMS + 2, 1);
  text[0] = '[';
  for (size_t i = 0; i < ITEMS; i++) {
    text[2 * i + 1] = '0';
    text[2 * i + 2] = ',';
  }
  text[2 * ITEMS] = ']';
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_parse("c.yaml", text, 2 * ITEMS + 1, &yaml, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "c.yaml:1:200000: expected at most 100000 values, got more");
  /* One item fewer: with the list itself just as many as allowed. */
  text[2 * ITEMS - 2] = ']';
  assert_int_equal(lpot_yaml_parse("c.yaml", text, 2 * ITEMS - 1, &yaml, NULL), LPOT_OK);
  assert_int_equal(lpot_yaml_root(yaml)->num_children, ITEMS - 1);
  lpot_yaml_free(yaml);
  lpot_free(text);
}

static void size_is_limited(void **state) {
  (void)state;
  const size_t size = ((size_t)1 << 20) + 1;
  char *text = lpot_calloc(size, 1);
  memset(text, ' ', size);
  check_error_of(text, size, "c.yaml:1:1: expected at most 1048576 bytes, got 1048577");
  lpot_yaml *yaml = NULL;
  assert_int_equal(lpot_yaml_parse("c.yaml", text, size - 1, &yaml, NULL), LPOT_OK);
  lpot_yaml_free(yaml);
  lpot_free(text);
}

static void nodes_remember_where_they_stand(void **state) {
  (void)state;
  lpot_yaml *yaml = parse("model:\n  name: resnet\n  'in puts': [a, \"b\"]\nnothing:\n");
  const lpot_yaml_node *root = lpot_yaml_root(yaml);
  assert_int_equal(root->kind, LPOT_YAML_MAP);
  assert_null(root->key);
  assert_null(root->parent);
  assert_int_equal(root->num_children, 2);
  const lpot_yaml_node *model = lpot_yaml_get(root, "model");
  const lpot_yaml_node *inputs = lpot_yaml_get(model, "in puts");
  assert_int_equal(inputs->line, 3);
  assert_int_equal(inputs->column, 14);
  assert_int_equal(inputs->key_line, 3);
  assert_int_equal(inputs->key_column, 3);
  assert_string_equal(inputs->key, "in puts");
  assert_int_equal(inputs->kind, LPOT_YAML_LIST);
  assert_string_equal(inputs->children[1]->text, "b");
  assert_true(inputs->children[1]->quoted);
  assert_false(inputs->children[0]->quoted);
  assert_null(inputs->children[0]->key);
  assert_int_equal(lpot_yaml_get(root, "nothing")->kind, LPOT_YAML_NULL);
  assert_null(lpot_yaml_get(root, "absent"));
  assert_null(lpot_yaml_get(inputs, "a"));
  assert_null(lpot_yaml_get(NULL, "a"));
  assert_string_equal(lpot_yaml_name(yaml), "c.yaml");
  assert_string_equal(lpot_yaml_node_file(inputs), "c.yaml");
  lpot_yaml_free(yaml);
}

static void quoted_null_is_a_text(void **state) {
  (void)state;
  lpot_yaml *yaml = parse("[\"\", 'null', ~, Null]");
  const lpot_yaml_node *root = lpot_yaml_root(yaml);
  assert_int_equal(root->children[0]->kind, LPOT_YAML_SCALAR);
  assert_string_equal(root->children[0]->text, "");
  assert_int_equal(root->children[1]->kind, LPOT_YAML_SCALAR);
  assert_int_equal(root->children[2]->kind, LPOT_YAML_NULL);
  assert_int_equal(root->children[3]->kind, LPOT_YAML_NULL);
  lpot_yaml_free(yaml);
}

static const char sample[] = "model: &m {name: resnet, inputs: [a, b, 'c']}\n"
                             "other: *m\n"
                             "text: |\n  block\n  text\n"
                             "list:\n- 1\n- {k: v, l: [x]}\n";

static void text_truncated_at_any_byte_never_crashes(void **state) {
  (void)state;
  for (size_t size = 0; size < sizeof sample; size++) {
    /* An exact heap copy, so that the sanitizer sees a read behind the end. */
    char *copy = lpot_calloc(size, 1);
    memcpy(copy, sample, size);
    lpot_yaml *yaml = NULL;
    lpot_error err = {0};
    lpot_status status = lpot_yaml_parse("c.yaml", copy, size, &yaml, &err);
    assert_true(status == LPOT_OK || status == LPOT_CONFIG);
    if (status != LPOT_OK) {
      assert_memory_equal(err.message, "c.yaml:", 7);
    }
    lpot_yaml_free(yaml);
    lpot_free(copy);
  }
}

static void exhausted_memory_is_reported_at_every_allocation(void **state) {
  (void)state;
  lpot_status status = LPOT_NO_MEMORY;
  uint64_t countdown = 0;
  while (status != LPOT_OK) {
    lpot_yaml *yaml = NULL;
    countdown++;
    assert_true(countdown < 1000);
    lpot_memory_fail_after(countdown);
    status = lpot_yaml_parse("c.yaml", sample, sizeof sample - 1, &yaml, NULL);
    lpot_memory_fail_after(0);
    assert_true(status == LPOT_OK || status == LPOT_NO_MEMORY);
    lpot_yaml_free(yaml);
  }
  assert_true(countdown > 5);
}

static void load_reads_a_file(void **state) {
  (void)state;
  char path[] = "/tmp/lpot_yaml_XXXXXX";
  int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, "a: 1\n", 5), 5);
  close(descriptor);
  lpot_yaml *yaml = NULL;
  assert_int_equal(lpot_yaml_load(path, &yaml, NULL), LPOT_OK);
  assert_string_equal(lpot_yaml_get(lpot_yaml_root(yaml), "a")->text, "1");
  assert_string_equal(lpot_yaml_name(yaml), path);
  lpot_yaml_free(yaml);
  unlink(path);
}

static void load_of_a_missing_file_or_folder_fails(void **state) {
  (void)state;
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_load("/nowhere/c.yaml", &yaml, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "file '/nowhere/c.yaml': No such file or directory");
  assert_int_equal(lpot_yaml_load("/tmp", &yaml, &err), LPOT_CONFIG);
  assert_null(yaml);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_texts_give_a_null_root),
      cmocka_unit_test(parser_errors_have_line_and_column),
      cmocka_unit_test(text_that_is_not_utf8_is_refused_with_its_place),
      cmocka_unit_test(zero_characters_are_refused),
      cmocka_unit_test(duplicate_keys_name_both_lines),
      cmocka_unit_test(other_keys_than_text_are_refused),
      cmocka_unit_test(a_second_document_is_refused),
      cmocka_unit_test(other_tags_than_the_core_ones_are_refused),
      cmocka_unit_test(core_tags_are_respected),
      cmocka_unit_test(aliases_are_copies_of_their_anchor),
      cmocka_unit_test(wrong_aliases_are_refused),
      cmocka_unit_test(aliases_cannot_multiply_beyond_the_limit),
      cmocka_unit_test(depth_is_limited),
      cmocka_unit_test(depth_of_aliases_is_limited),
      cmocka_unit_test(number_of_values_is_limited),
      cmocka_unit_test(size_is_limited),
      cmocka_unit_test(nodes_remember_where_they_stand),
      cmocka_unit_test(quoted_null_is_a_text),
      cmocka_unit_test(text_truncated_at_any_byte_never_crashes),
      cmocka_unit_test(exhausted_memory_is_reported_at_every_allocation),
      cmocka_unit_test(load_reads_a_file),
      cmocka_unit_test(load_of_a_missing_file_or_folder_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
