#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/yaml_tree.h"

static const char sample[] = "a:\n  b: 1\n  c: [x, {d: 2}]\nn:\n\"p.q\": 3\n";

static lpot_yaml *parse(const char *text) {
  lpot_yaml *yaml = NULL;
  assert_int_equal(lpot_yaml_parse("c.yaml", text, strlen(text), &yaml, NULL), LPOT_OK);
  return yaml;
}

static const lpot_yaml_node *at(const lpot_yaml *yaml, const char *first, const char *second) {
  const lpot_yaml_node *node = lpot_yaml_get(lpot_yaml_root(yaml), first);
  return second == NULL ? node : lpot_yaml_get(node, second);
}

static void existing_values_are_replaced_in_place(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  assert_int_equal(lpot_yaml_set(yaml, "a.b", "[7, 8]", NULL), LPOT_OK);
  const lpot_yaml_node *node = at(yaml, "a", "b");
  assert_int_equal(node->kind, LPOT_YAML_LIST);
  assert_int_equal(node->num_children, 2);
  assert_ptr_equal(node->children[1]->parent, node);
  assert_string_equal(lpot_yaml_node_file(node), "--set a.b");
  assert_true(lpot_yaml_node_is_set(node));
  assert_false(lpot_yaml_node_is_set(at(yaml, "a", "c")));
  assert_string_equal(node->key, "b");
  assert_int_equal(node->key_line, 1); /* not the line of the file */
  assert_int_equal(at(yaml, "a", NULL)->num_children, 2);
  assert_int_equal(lpot_yaml_set(yaml, "a.b", "x", NULL), LPOT_OK);
  assert_string_equal(at(yaml, "a", "b")->text, "x");
  assert_int_equal(at(yaml, "a", "b")->num_children, 0);
  assert_int_equal(lpot_yaml_set(yaml, "a.b", "", NULL), LPOT_OK);
  assert_int_equal(at(yaml, "a", "b")->kind, LPOT_YAML_NULL);
  lpot_yaml_free(yaml);
}

static void missing_maps_are_made_on_the_way(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  assert_int_equal(lpot_yaml_set(yaml, "a.new.deep.key", "5", NULL), LPOT_OK);
  const lpot_yaml_node *deep = lpot_yaml_get(at(yaml, "a", "new"), "deep");
  const lpot_yaml_node *leaf = lpot_yaml_get(deep, "key");
  assert_string_equal(leaf->text, "5");
  char path[64];
  lpot_yaml_path(leaf, path, sizeof path);
  assert_string_equal(path, "a.new.deep.key");
  assert_int_equal(lpot_yaml_set(yaml, "n.x", "6", NULL), LPOT_OK);
  assert_string_equal(at(yaml, "n", "x")->text, "6");
  assert_int_equal(lpot_yaml_set(yaml, "z", "7", NULL), LPOT_OK);
  assert_string_equal(at(yaml, "z", NULL)->text, "7");
  lpot_yaml_free(yaml);
}

static void an_empty_file_can_be_filled(void **state) {
  (void)state;
  lpot_yaml *yaml = parse("");
  assert_int_equal(lpot_yaml_set(yaml, "a.b", "1", NULL), LPOT_OK);
  assert_string_equal(at(yaml, "a", "b")->text, "1");
  lpot_yaml_free(yaml);
}

static void keys_with_dots_are_quoted(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  assert_int_equal(lpot_yaml_set(yaml, "\"p.q\"", "9", NULL), LPOT_OK);
  assert_string_equal(at(yaml, "p.q", NULL)->text, "9");
  assert_int_equal(lpot_yaml_set(yaml, "a.\"x[0].y\".z", "8", NULL), LPOT_OK);
  const lpot_yaml_node *node = lpot_yaml_get(at(yaml, "a", "x[0].y"), "z");
  assert_string_equal(node->text, "8");
  char path[64];
  lpot_yaml_path(node, path, sizeof path);
  assert_string_equal(path, "a.\"x[0].y\".z");
  lpot_yaml_free(yaml);
}

static void list_items_are_reached_by_index(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  assert_int_equal(lpot_yaml_set(yaml, "a.c[1].d", "5", NULL), LPOT_OK);
  assert_int_equal(lpot_yaml_set(yaml, "a.c[0]", "y", NULL), LPOT_OK);
  const lpot_yaml_node *list = at(yaml, "a", "c");
  assert_string_equal(list->children[0]->text, "y");
  assert_string_equal(lpot_yaml_get(list->children[1], "d")->text, "5");
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_set(yaml, "a.c[2]", "5", &err), LPOT_CONFIG);
  assert_string_equal(err.message, "--set: path 'a.c[2]': there is no list item with this index");
  assert_int_equal(lpot_yaml_set(yaml, "a[0]", "5", &err), LPOT_CONFIG);
  lpot_yaml_free(yaml);
}

static void malformed_paths_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",    ".",     "a.",    ".a",   "a..b", "a.\"b",  "a[",    "a[x]",
      "a[1", "a[-1]", "a.[0]", "\"\"", "a[]",  "\"a\"b", "a[0]b", "a.c[99999999999999999999]"};
  lpot_yaml *yaml = parse(sample);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    lpot_error err = {0};
    assert_int_equal(lpot_yaml_set(yaml, bad[i], "1", &err), LPOT_CONFIG);
    assert_memory_equal(err.message, "--set: path '", 13);
  }
  assert_int_equal(lpot_yaml_root(yaml)->num_children, 3);
  lpot_yaml_free(yaml);
}

static void a_scalar_on_the_way_is_an_error(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_set(yaml, "a.b.c", "1", &err), LPOT_CONFIG);
  assert_string_equal(err.message, "--set: path 'a.b.c': a key on the way is not a map");
  assert_string_equal(at(yaml, "a", "b")->text, "1");
  lpot_yaml_free(yaml);
}

static void values_that_do_not_parse_change_nothing(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  lpot_error err = {0};
  assert_int_equal(lpot_yaml_set(yaml, "a.b", "[1", &err), LPOT_CONFIG);
  assert_memory_equal(err.message, "--set a.b:", 10);
  assert_string_equal(at(yaml, "a", "b")->text, "1");
  lpot_yaml_free(yaml);
}

static void depth_of_path_and_value_is_limited(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  char path[400] = "k";
  for (int i = 0; i < 60; i++) {
    strcat(path, ".k");
  }
  assert_int_equal(lpot_yaml_set(yaml, path, "[[[1]]]", NULL), LPOT_CONFIG);
  assert_int_equal(lpot_yaml_set(yaml, path, "[[1]]", NULL), LPOT_OK);
  strcat(path, ".k.k.k.k.k");
  assert_int_equal(lpot_yaml_set(yaml, path, "1", NULL), LPOT_CONFIG);
  lpot_yaml_free(yaml);
}

static void errors_name_the_override(void **state) {
  (void)state;
  lpot_yaml *yaml = parse(sample);
  lpot_error err = {0};
  int64_t value = 0;
  assert_int_equal(lpot_yaml_set(yaml, "a.b", "many", NULL), LPOT_OK);
  assert_int_equal(lpot_yaml_int(at(yaml, "a", "b"), 0, 9, &value, &err), LPOT_CONFIG);
  assert_string_equal(err.message, "--set a.b:1:1: a.b: expected an integer, got 'many'");
  lpot_yaml_free(yaml);
}

static void exhausted_memory_changes_nothing(void **state) {
  (void)state;
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t countdown = 1; status != LPOT_OK; countdown++) {
    lpot_yaml *yaml = parse(sample);
    lpot_memory_fail_after(countdown);
    status = lpot_yaml_set(yaml, "n.x.y", "{v: [1, 2]}", NULL);
    lpot_memory_fail_after(0);
    assert_true(status == LPOT_OK || status == LPOT_NO_MEMORY);
    if (status != LPOT_OK) {
      assert_int_equal(at(yaml, "n", NULL)->kind, LPOT_YAML_NULL);
    }
    lpot_yaml_free(yaml);
    assert_true(countdown < 100);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(existing_values_are_replaced_in_place),
      cmocka_unit_test(missing_maps_are_made_on_the_way),
      cmocka_unit_test(an_empty_file_can_be_filled),
      cmocka_unit_test(keys_with_dots_are_quoted),
      cmocka_unit_test(list_items_are_reached_by_index),
      cmocka_unit_test(malformed_paths_are_refused),
      cmocka_unit_test(a_scalar_on_the_way_is_an_error),
      cmocka_unit_test(values_that_do_not_parse_change_nothing),
      cmocka_unit_test(depth_of_path_and_value_is_limited),
      cmocka_unit_test(errors_name_the_override),
      cmocka_unit_test(exhausted_memory_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
