#include "quant/quant_fixture.h"

#include "quant/capability.h"

static void most_promising_choices_come_first(void **state) {
  (void)state;
  const lpot_quant_op op = {.type = "Conv", .weight = 3};
  const lpot_op_choices choices = lpot_capability(&op);
  assert_int_equal(choices.activation.dtype.count, 4);
  assert_int_equal(choices.activation.dtype.values[0], LPOT_U8);
  assert_int_equal(choices.activation.dtype.values[3], LPOT_F32);
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

static void products_alone_have_bf16(void **state) {
  (void)state;
  static const struct {
    const char *type;
    bool has_bf16;
  } rows[] = {{"Conv", true}, {"Gemm", true}, {"MatMul", true}, {"Add", false}, {"Concat", false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const lpot_quant_op op = {.type = rows[i].type, .weight = i < 2 ? 3 : LPOT_NONE};
    const lpot_op_choices choices = lpot_capability(&op);
    bool found = false;
    for (size_t k = 0; k < choices.activation.dtype.count; k++) {
      found = found || choices.activation.dtype.values[k] == LPOT_BF16;
    }
    assert_int_equal(found, rows[i].has_bf16);
    assert_int_equal(choices.weight.dtype.count, i < 2 ? 3 : 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(most_promising_choices_come_first),
      cmocka_unit_test(dynamic_op_leaves_the_weight_to_choose),
      cmocka_unit_test(op_without_weight_has_no_weight_choices),
      cmocka_unit_test(products_alone_have_bf16),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
