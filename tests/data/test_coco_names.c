#include "data_fixture.h"

#include "data/coco_names.h"

static void expect_class(const char *name, int64_t expected) {
  int64_t found = -1;
  bool is_known = lpot_coco_class_of((const uint8_t *)name, strlen(name), &found);
  assert_int_equal(is_known ? found : -1, expected);
}

static void names_have_the_category_ids_of_coco(void **state) {
  (void)state;
  expect_class("person", 1);
  expect_class("stop sign", 13);
  expect_class("tv", 72);
  expect_class("toothbrush", 90);
  expect_class("toothbrus", -1);
  expect_class("Person", -1);
  expect_class("", -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_have_the_category_ids_of_coco),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
