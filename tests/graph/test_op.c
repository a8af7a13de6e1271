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

static void some_inputs_may_be_left_out_before_required_ones(void **state) {
  (void)state;
  assert_true(lpot_op_requires_input(LPOT_OP_QLINEAR_ADD, 1));
  assert_false(lpot_op_requires_input(LPOT_OP_QLINEAR_ADD, 2));
  assert_true(lpot_op_requires_input(LPOT_OP_QLINEAR_ADD, 6));
  assert_false(lpot_op_requires_input(LPOT_OP_QLINEAR_ADD, 7));
  assert_false(lpot_op_requires_input(LPOT_OP_EMBED_LAYER_NORMALIZATION, 4));
  assert_true(lpot_op_requires_input(LPOT_OP_CONV, 1));
  assert_false(lpot_op_requires_input(LPOT_OP_CONV, 2));
}

static void one_name_may_stand_in_two_domains(void **state) {
  (void)state;
  lpot_op op = LPOT_NUM_OPS;
  assert_int_equal(lpot_op_find("com.microsoft", "QuantizeLinear", &op, NULL), LPOT_OK);
  assert_int_equal(op, LPOT_OP_MICROSOFT_QUANTIZE_LINEAR);
  assert_int_equal(lpot_op_find("", "QuantizeLinear", &op, NULL), LPOT_OK);
  assert_int_equal(op, LPOT_OP_QUANTIZE_LINEAR);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_is_indexed_by_operator),
      cmocka_unit_test(every_operator_is_found_by_its_name),
      cmocka_unit_test(the_default_domain_has_two_names),
      cmocka_unit_test(an_operator_of_another_domain_is_not_found),
      cmocka_unit_test(an_unknown_operator_names_the_nearest),
      cmocka_unit_test(some_inputs_may_be_left_out_before_required_ones),
      cmocka_unit_test(one_name_may_stand_in_two_domains),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
