#include "quant/quant_fixture.h"

#include "quant/capability.h"

static void most_promising_choices_come_first(void **state) {
  (void)state;
  const lpot_quant_op op = {.type = "Conv", .weight = 3};
  const lpot_op_choices choices = lpot_capability(&op);
  assert_int_equal(choices.activation.dtype.count, 3);
  assert_int_equal(choices.activation.dtype.values[0], LPOT_U8);
  assert_int_equal(choices.activation.dtype.values[2], LPOT_F32);
  assert_int_equal(choices.activation.scheme.values[0], LPOT_SCHEME_ASYM);
  assert_int_equal(choices.activation.algorithm.count, LPOT_NUM_ALGORITHMS);
  assert_int_equal(choices.activation.granularity.count, 1);
  assert_int_equal(choices.weight.dtype.values[0], LPOT_S8);
  assert_int_equal(choices.weight.granularity.values[0], LPOT_PER_CHANNEL);
  assert_int_equal(choices.weight.scheme.count, 1);
}

static void op_without_weight_has_no_weight_choices(void **state) {
  (void)state;
  const lpot_quant_op op = {.type = "Add", .weight = LPOT_NONE};
  assert_int_equal(lpot_capability(&op).weight.dtype.count, 0);
  assert_int_equal(lpot_capability(&op).activation.dtype.count, 3);
}

static void dynamic_op_leaves_the_weight_to_choose(void **state) {
  (void)state;
  const lpot_quant_op op = {.type = "MatMul", .weight = 3, .dynamic = true};
  const lpot_op_choices choices = lpot_capability(&op);
  assert_int_equal(choices.activation.dtype.count, 2);
  assert_int_equal(choices.activation.dtype.values[0], LPOT_U8);
  assert_int_equal(choices.activation.dtype.values[1], LPOT_F32);
  assert_int_equal(choices.activation.scheme.count, 1);
  assert_int_equal(choices.activation.algorithm.count, 1);
  assert_int_equal(choices.weight.granularity.count, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(most_promising_choices_come_first),
      cmocka_unit_test(dynamic_op_leaves_the_weight_to_choose),
      cmocka_unit_test(op_without_weight_has_no_weight_choices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
