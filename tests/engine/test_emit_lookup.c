#include "engine/engine_fixture.h"

static void functions_between_bytes_are_tables(void **state) {
  (void)state;
  static const lpot_op ops[] = {
      LPOT_OP_ERF,  LPOT_OP_EXP,        LPOT_OP_HARD_SIGMOID, LPOT_OP_HARD_SWISH, LPOT_OP_SIGMOID,
      LPOT_OP_TANH, LPOT_OP_LEAKY_RELU, LPOT_OP_RELU,         LPOT_OP_SQRT,       LPOT_OP_GELU,
      LPOT_OP_MISH, LPOT_OP_ELU,        LPOT_OP_SOFTPLUS};
  static const lpot_dtype types[] = {LPOT_U8, LPOT_S8};
  for (size_t i = 0; i < 2 * sizeof ops / sizeof ops[0]; ++i) {
    lpot_dtype dtype = types[i % 2];
    int zero_point = dtype == LPOT_U8 ? 120 : -5;
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = pair(&f, input(&f, DIMS(2, 3, 4, 5)), dtype, 0.03, zero_point);
    lpot_value_id y = output_of(&f, ops[i / 2], IDS(x));
    result(&f, pair(&f, y, dtype, 0.01, zero_point));
    check_engines_agree(&f, 0.0, "lookup");
  }
}

static void constant_bounds_take_part(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = pair(&f, input(&f, DIMS(2, 50)), LPOT_U8, 0.03, 120);
  lpot_value_id y = output_of(&f, LPOT_OP_CLIP, IDS(x, LPOT_NONE, number(&f, LPOT_F32, 0.4)));
  result(&f, pair(&f, y, LPOT_S8, 0.01, 0));
  check_engines_agree(&f, 0.0, "lookup");
}

/* Without a zero point the type is that of output_dtype. */
static void output_dtype_names_the_type(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 3);
  lpot_value_id s = number(&f, LPOT_F32, 0.02);
  lpot_value_id q = output_of(&f, LPOT_OP_QUANTIZE_LINEAR, IDS(input(&f, DIMS(2, 8)), s));
  CHECK(lpot_graph_set_int(f.graph, f.last, "output_dtype", 3, e));
  lpot_value_id y =
      output_of(&f, LPOT_OP_TANH, IDS(output_of(&f, LPOT_OP_DEQUANTIZE_LINEAR, IDS(q, s))));
  q = output_of(&f, LPOT_OP_QUANTIZE_LINEAR, IDS(y, s));
  CHECK(lpot_graph_set_int(f.graph, f.last, "output_dtype", 3, e));
  result(&f, output_of(&f, LPOT_OP_DEQUANTIZE_LINEAR, IDS(q, s)));
  check_engines_agree(&f, 0.02, "lookup");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(output_dtype_names_the_type),
      cmocka_unit_test(functions_between_bytes_are_tables),
      cmocka_unit_test(constant_bounds_take_part),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
