#include "engine/engine_fixture.h"

static void unary_operators_agree(void **state) {
  (void)state;
  static const lpot_op ops[] = {
      LPOT_OP_ABS,   LPOT_OP_ELU,        LPOT_OP_EXP,        LPOT_OP_FAST_GELU,
      LPOT_OP_GELU,  LPOT_OP_HARD_SWISH, LPOT_OP_LEAKY_RELU, LPOT_OP_MICROSOFT_GELU,
      LPOT_OP_MISH,  LPOT_OP_QUICK_GELU, LPOT_OP_RELU,       LPOT_OP_SIGMOID,
      LPOT_OP_ROUND, LPOT_OP_SOFTPLUS,   LPOT_OP_TANH};
  for (size_t i = 0; i < 2 * (sizeof ops / sizeof ops[0]); ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = input(&f, DIMS(2, pick(&f, 1, 40), 3, pick(&f, 1, 9)));
    result(&f, output_of(&f, ops[i / 2], IDS(x)));
    check_engines_agree(&f, 0.0, "unary");
  }
}

static void unary_operators_of_positive_numbers_agree(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_LOG, LPOT_OP_SQRT};
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = output_of(&f, LPOT_OP_ABS, IDS(input(&f, DIMS(2, 5, 17))));
    result(&f, output_of(&f, ops[i], IDS(x)));
    check_engines_agree(&f, 0.0, "unary");
  }
}

static void unary_attributes_are_heeded(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_ELU, LPOT_OP_LEAKY_RELU, LPOT_OP_QUICK_GELU,
                                LPOT_OP_HARD_SIGMOID, LPOT_OP_THRESHOLDED_RELU};
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
    fixture f;
    fixture_begin(&f, i);
    result(&f, output_of(&f, ops[i], IDS(input(&f, DIMS(3, 50)))));
    CHECK(lpot_graph_set_float(f.graph, f.last, "alpha", 0.37f, e));
    CHECK(lpot_graph_set_float(f.graph, f.last, "beta", 0.21f, e));
    check_engines_agree(&f, 0.0, i < 3 ? "unary" : "unary loop");
  }
  fixture f;
  fixture_begin(&f, 9);
  result(&f, output_of(&f, LPOT_OP_GELU, IDS(input(&f, DIMS(3, 50)))));
  CHECK(lpot_graph_set_string(f.graph, f.last, "approximate", "tanh", e));
  check_engines_agree(&f, 0.0, "unary");
}

static void clip_agrees_with_one_bound_or_two(void **state) {
  (void)state;
  for (int bounds = 0; bounds < 4; ++bounds) {
    fixture f;
    fixture_begin(&f, (uint64_t)bounds);
    lpot_value_id x = input(&f, DIMS(2, 5, 3, 4));
    lpot_value_id low = (bounds & 1) != 0 ? number(&f, LPOT_F32, -0.5) : LPOT_NONE;
    lpot_value_id high = (bounds & 2) != 0 ? number(&f, LPOT_F32, 0.75) : LPOT_NONE;
    result(&f, output_of(&f, LPOT_OP_CLIP, IDS(x, low, high)));
    check_engines_agree(&f, 0.0, "unary");
  }
}

static void a_clip_of_crossed_bounds_gives_the_upper_one(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 5));
  result(&f, output_of(&f, LPOT_OP_CLIP,
                       IDS(x, number(&f, LPOT_F32, 0.5), number(&f, LPOT_F32, -0.5))));
  check_engines_agree(&f, 0.0, "Clip");
}

static void bias_gelu_agrees(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_BIAS_GELU, LPOT_OP_FAST_GELU};
  for (uint64_t seed = 0; seed < 8; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t length = pick(&f, 1, 40);
    lpot_value_id x = input(&f, DIMS(2, 3, length));
    lpot_value_id bias = weights(&f, 1.0, DIMS(length));
    result(&f, output_of(&f, ops[seed % 2], IDS(x, bias)));
    check_engines_agree(&f, 0.0, "binary");
  }
}

static void binary_operators_broadcast_on_either_side(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_ADD, LPOT_OP_MUL, LPOT_OP_SUB,
                                LPOT_OP_DIV, LPOT_OP_MAX, LPOT_OP_MIN};
  static const int64_t shapes[][4] = {{2, 5, 3, 4}, {1, 5, 1, 1}, {1, 1, 3, 4},
                                      {1, 1, 1, 1}, {2, 1, 1, 4}, {1, 5, 3, 4}};
  for (uint64_t seed = 0; seed < 144; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_op op = ops[seed % 6];
    const int64_t *shape = shapes[seed / 6 % 6];
    int64_t rank = seed % 3 == 0 ? 4 : 3; /* a missing leading dimension */
    lpot_value_id x = input(&f, DIMS(2, 5, 3, 4));
    lpot_value_id y =
        rank == 4 || shape[0] == 2 ? weights(&f, 1.0, 4, shape) : weights(&f, 1.0, 3, shape + 1);
    if (seed % 2 == 0 && seed / 36 % 2 == 0) {
      x = output_of(&f, LPOT_OP_MAX_POOL, IDS(x)); /* channels last in memory */
      CHECK(lpot_graph_set_ints(f.graph, f.last, "kernel_shape", (int64_t[]){1, 1}, 2, e));
    }
    bool swap = seed / 72 == 1;
    result(&f, swap ? output_of(&f, op, IDS(y, x)) : output_of(&f, op, IDS(x, y)));
    bool commutes = op != LPOT_OP_SUB && op != LPOT_OP_DIV;
    check_engines_agree(&f, 0.0, swap && !commutes ? NULL : "binary");
  }
}

static void extremes_of_two_run_by_onednn_and_of_three_by_reference(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_MAX, LPOT_OP_MIN};
  for (uint64_t seed = 0; seed < 4; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 5, 7));
    lpot_value_id y = weights(&f, 1.0, DIMS(2, 5, 7));
    lpot_value_id z = weights(&f, 1.0, DIMS(7));
    lpot_op op = ops[seed % 2];
    result(&f, seed < 2 ? output_of(&f, op, IDS(x, y)) : output_of(&f, op, IDS(x, y, z)));
    check_engines_agree(&f, 0.0, seed < 2 ? "binary" : lpot_op_get_info(op)->name);
  }
}

static void int8_add_and_mul_agree(void **state) {
  (void)state;
  static const lpot_dtype types[] = {LPOT_U8, LPOT_S8};
  for (uint64_t seed = 0; seed < 32; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_dtype a = types[seed % 2], b = types[seed / 2 % 2], c = types[seed / 4 % 2];
    lpot_value_id x = pair(&f, input(&f, DIMS(2, 6, 5, 7)), a, 0.03, a == LPOT_U8 ? 99 : -4);
    lpot_value_id y = pair(&f, input(&f, DIMS(2, 6, 5, 7)), b, 0.017, b == LPOT_U8 ? 128 : 0);
    lpot_value_id z = output_of(&f, seed % 3 == 0 ? LPOT_OP_MUL : LPOT_OP_ADD, IDS(x, y));
    if (seed % 5 == 0) {
      z = output_of(&f, LPOT_OP_RELU, IDS(z));
    }
    result(&f, seed % 7 == 0 ? z : pair(&f, z, c, 0.04, c == LPOT_U8 ? 100 : 7));
    check_engines_agree(&f, 0.04, "binary int8");
  }
}

static void relu_behind_an_equal_pair_changes_nothing(void **state) {
  (void)state;
  for (int zero_point = -2; zero_point <= 2; ++zero_point) {
    fixture f;
    fixture_begin(&f, 3);
    lpot_value_id x = pair(&f, input(&f, DIMS(2, 8)), LPOT_S8, 0.02, 0);
    lpot_value_id w = int8_weights(&f, 1, true, DIMS(8, 5));
    lpot_value_id y = output_of(&f, LPOT_OP_MATMUL, IDS(x, w));
    lpot_value_id first = pair(&f, y, LPOT_S8, 0.05, zero_point);
    lpot_value_id relu = output_of(&f, LPOT_OP_RELU, IDS(first));
    result(&f, pair(&f, relu, LPOT_S8, 0.05, zero_point));
    check_engines_agree(&f, 0.05, "matmul int8");
  }
}

/* Only Relu and Clip are limits; a slope below zero is not. */
static void leaky_relu_behind_an_int8_sum_keeps_its_slope(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 3);
  lpot_value_id a = pair(&f, input(&f, DIMS(2, 8, 5, 5)), LPOT_U8, 0.02, 120);
  lpot_value_id b = pair(&f, input(&f, DIMS(2, 8, 5, 5)), LPOT_S8, 0.03, 4);
  lpot_value_id y = output_of(&f, LPOT_OP_LEAKY_RELU, IDS(output_of(&f, LPOT_OP_ADD, IDS(a, b))));
  CHECK(lpot_graph_set_float(f.graph, f.last, "alpha", 0.3f, e));
  result(&f, pair(&f, y, LPOT_U8, 0.03, 100));
  check_engines_agree(&f, 0.03, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(leaky_relu_behind_an_int8_sum_keeps_its_slope),
      cmocka_unit_test(unary_operators_agree),
      cmocka_unit_test(unary_operators_of_positive_numbers_agree),
      cmocka_unit_test(unary_attributes_are_heeded),
      cmocka_unit_test(clip_agrees_with_one_bound_or_two),
      cmocka_unit_test(a_clip_of_crossed_bounds_gives_the_upper_one),
      cmocka_unit_test(bias_gelu_agrees),
      cmocka_unit_test(binary_operators_broadcast_on_either_side),
      cmocka_unit_test(extremes_of_two_run_by_onednn_and_of_three_by_reference),
      cmocka_unit_test(int8_add_and_mul_agree),
      cmocka_unit_test(relu_behind_an_equal_pair_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
