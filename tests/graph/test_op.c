#include "graph/op.h"

#include "graph_fixture.h"

static void table_is_indexed_by_operator(void **state) {
  (void)state;
  for (int i = 0; i < LPOT_NUM_OPS; i++) {
    const lpot_op_info *info = lpot_op_get_info((lpot_op)i);
    assert_int_equal(info->op, i);
    assert_true(info->max_inputs < 0 || info->max_inputs >= info->min_inputs);
  }
}

static void every_operator_is_found_by_its_name(void **state) {
  (void)state;
  for (int i = 0; i < LPOT_NUM_OPS; i++) {
    lpot_op op = LPOT_NUM_OPS;
    const lpot_op_info *info = lpot_op_get_info((lpot_op)i);
    assert_int_equal(lpot_op_find(info->domain, info->name, &op, NULL), LPOT_OK);
    assert_int_equal(op, i);
  }
}

static void the_default_domain_has_two_names(void **state) {
  (void)state;
  lpot_op op = LPOT_NUM_OPS;
  assert_int_equal(lpot_op_find("ai.onnx", "Conv", &op, NULL), LPOT_OK);
  assert_int_equal(op, LPOT_OP_CONV);
  assert_int_equal(lpot_op_find(NULL, "Relu", &op, NULL), LPOT_OK);
  assert_int_equal(op, LPOT_OP_RELU);
}

static void an_operator_of_another_domain_is_not_found(void **state) {
  (void)state;
  lpot_op op = LPOT_NUM_OPS;
  lpot_error err = {0};
  assert_int_equal(lpot_op_find("com.microsoft", "Conv", &op, &err), LPOT_UNSUPPORTED);
  assert_non_null(strstr(err.message, "com.microsoft::Conv"));
  assert_int_equal(lpot_op_find("", "QLinearAdd", &op, &err), LPOT_UNSUPPORTED);
  assert_int_equal(op, LPOT_NUM_OPS);
}

static void an_unknown_operator_names_the_nearest(void **state) {
  (void)state;
  lpot_op op = LPOT_NUM_OPS;
  lpot_error err = {0};
  assert_int_equal(lpot_op_find("", "Convv", &op, &err), LPOT_UNSUPPORTED);
  assert_non_null(strstr(err.message, "'Convv'"));
  assert_non_null(strstr(err.message, "'Conv'"));
  assert_int_equal(lpot_op_find("", "", &op, &err), LPOT_UNSUPPORTED);
  assert_int_equal(lpot_op_find("", NULL, &op, &err), LPOT_UNSUPPORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_is_indexed_by_operator),
      cmocka_unit_test(every_operator_is_found_by_its_name),
      cmocka_unit_test(the_default_domain_has_two_names),
      cmocka_unit_test(an_operator_of_another_domain_is_not_found),
      cmocka_unit_test(an_unknown_operator_names_the_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
