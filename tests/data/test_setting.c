#include "data_fixture.h"

#include "data/setting.h"

static void missing_and_null_settings_leave_the_default(void **state) {
  (void)state;
  static const char *const texts[] = {"~", "{}", "{flag: ~, count: , text: null, real: ~}"};
  for (size_t i = 0; i < 3; i++) {
    lpot_yaml *yaml = parse_settings(texts[i]);
    const lpot_yaml_node *map = lpot_yaml_root(yaml);
    lpot_error err = {0};
    bool flag = true;
    int64_t count = 7;
    double real = 0.5;
    const char *text = "default";
    expect_ok(lpot_setting_bool(map, "flag", &flag, &err), &err);
    expect_ok(lpot_setting_int(map, "count", 0, 9, &count, &err), &err);
    expect_ok(lpot_setting_double(map, "real", &real, &err), &err);
    expect_ok(lpot_setting_string(map, "text", &text, &err), &err);
    expect_ok(lpot_setting_bgr(map, &flag, &err), &err);
    assert_true(flag && count == 7 && real == 0.5);
    assert_string_equal(text, "default");
    lpot_yaml_free(yaml);
  }
  assert_null(lpot_setting_get(NULL, "x"));
}

static void settings_of_a_wrong_kind_are_refused(void **state) {
  (void)state;
  static const char *const names[] = {"flag", "count", "channel_order", NULL};
  lpot_yaml *yaml = parse_settings("{flag: 3x, count: 10, channel_order: grey, other: 1}");
  const lpot_yaml_node *map = lpot_yaml_root(yaml);
  lpot_error err = {0};
  bool flag = true;
  int64_t count = 7;
  assert_int_equal(lpot_setting_bool(map, "flag", &flag, &err), LPOT_CONFIG);
  assert_int_equal(lpot_setting_int(map, "count", 0, 9, &count, &err), LPOT_CONFIG);
  assert_int_equal(lpot_setting_bgr(map, &flag, &err), LPOT_CONFIG);
  expect_error(lpot_setting_check(map, names, &err), LPOT_CONFIG, &err,
               "other: unknown key (known are flag, count, channel_order)");
  expect_error(lpot_setting_check(map->children[0], names, &err), LPOT_CONFIG, &err,
               "expected a map of settings, got a single value");
  lpot_yaml_free(yaml);
}

static void needed_setting_is_named_with_its_owner(void **state) {
  (void)state;
  lpot_yaml *yaml = parse_settings("{root: here}");
  const lpot_yaml_node *node = NULL;
  lpot_error err = {0};
  expect_ok(lpot_setting_need(lpot_yaml_root(yaml), "dataset X", "root", &node, &err), &err);
  assert_string_equal(node->text, "here");
  expect_error(lpot_setting_need(lpot_yaml_root(yaml), "dataset X", "size", &node, &err),
               LPOT_CONFIG, &err, "dataset X needs the setting 'size'");
  expect_error(lpot_setting_need(NULL, "dataset X", "size", &node, &err), LPOT_CONFIG, &err,
               "dataset X needs the setting 'size'");
  lpot_yaml_free(yaml);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_and_null_settings_leave_the_default),
      cmocka_unit_test(settings_of_a_wrong_kind_are_refused),
      cmocka_unit_test(needed_setting_is_named_with_its_owner),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
