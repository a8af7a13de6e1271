#include "engine/engine_fixture.h"

static void unary_loops_agree(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_CEIL,         LPOT_OP_ERF,      LPOT_OP_FLOOR,
                                LPOT_OP_HARD_SIGMOID, LPOT_OP_NEG,      LPOT_OP_RECIPROCAL,
                                LPOT_OP_SIGN,         LPOT_OP_SOFTSIGN, LPOT_OP_THRESHOLDED_RELU};
  for (size_t i = 0; i < 2 * (sizeof ops / sizeof ops[0]); ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = input(&f, DIMS(2, pick(&f, 1, 40), 3, pick(&f, 1, 9)));
    result(&f, output_of(&f, ops[i / 2], IDS(i % 2 == 0 ? x : channels_last(&f, x))));
    check_engines_agree(&f, 0.0, "unary loop");
  }
}

/* Every third number is NaN: 0 / 0. */
static void is_nan_agrees(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 3, pick(&f, 1, 9), 7));
    x = seed % 2 == 0 ? x : channels_last(&f, x);
    lpot_value_id divisor = weights(&f, 1.0, DIMS(3, 1, 1));
    lpot_tensor_set_double(lpot_graph_value(f.graph, divisor)->constant, 1, 0.0);
    lpot_value_id zero = output_of(&f, LPOT_OP_MUL, IDS(x, divisor));
    lpot_value_id found =
        output_of(&f, LPOT_OP_IS_NAN, IDS(output_of(&f, LPOT_OP_DIV, IDS(zero, divisor))));
    lpot_value_id y = output_of(&f, LPOT_OP_CAST, IDS(found));
    CHECK(lpot_graph_set_int(f.graph, f.last, "to", 1, e));
    result(&f, y);
    check_engines_agree(&f, 0.0, "is nan");
  }
}

/* On the whole line, near zero relatively. */
static void erf_agrees_from_tiny_to_huge(void **state) {
  (void)state;
  for (int exponent = -30; exponent <= 30; ++exponent) {
    fixture f;
    fixture_begin(&f, 5);
    lpot_value_id x = input(&f, DIMS(2, 100));
    lpot_value_id scaled =
        output_of(&f, LPOT_OP_MUL, IDS(x, number(&f, LPOT_F32, ldexp(1.0, exponent))));
    lpot_value_id y = output_of(&f, LPOT_OP_ERF, IDS(scaled));
    double back = exponent < 0 ? ldexp(1.0, -exponent) : 1.0;
    result(&f, output_of(&f, LPOT_OP_MUL, IDS(y, number(&f, LPOT_F32, back))));
    check_engines_agree(&f, 0.0, "unary loop");
  }
}

static void power_agrees_for_constant_exponents(void **state) {
  (void)state;
  static const double exponents[] = {2.0, 3.0, 0.5, -1.0, 1.7};
  for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = input(&f, DIMS(2, 9, 5));
    x = i < 2 ? x : output_of(&f, LPOT_OP_ABS, IDS(x));
    result(&f, output_of(&f, LPOT_OP_POW, IDS(x, number(&f, LPOT_F32, exponents[i]))));
    check_engines_agree(&f, 0.0, "unary loop");
  }
}

static void a_power_of_many_exponents_runs_by_reference(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = output_of(&f, LPOT_OP_ABS, IDS(input(&f, DIMS(2, 5))));
  result(&f, output_of(&f, LPOT_OP_POW, IDS(x, weights(&f, 1.0, DIMS(5)))));
  check_engines_agree(&f, 0.0, "Pow");
}

static void prelu_agrees_for_one_slope_or_one_per_axis(void **state) {
  (void)state;
  static const int64_t slopes[][4] = {{1, 1, 1, 1}, {1, 6, 1, 1}, {1, 1, 1, 5}, {2, 1, 1, 1}};
  for (uint64_t seed = 0; seed < 16; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 6, 4, 5));
    x = seed % 2 == 0 ? x : channels_last(&f, x);
    const int64_t *shape = slopes[seed / 2 % 4];
    lpot_value_id slope =
        seed < 8 || shape[0] == 2 ? weights(&f, 1.0, 4, shape) : weights(&f, 1.0, 3, shape + 1);
    result(&f, output_of(&f, LPOT_OP_PRELU, IDS(x, slope)));
    check_engines_agree(&f, 0.0, "prelu");
  }
}

static void prelu_of_many_axes_runs_by_reference(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 6, 4, 5));
  result(&f, output_of(&f, LPOT_OP_PRELU, IDS(x, weights(&f, 1.0, DIMS(6, 4, 1)))));
  check_engines_agree(&f, 0.0, "PRelu");
}

/* dims with some of them 1, and perhaps without the first. */
static lpot_value_id random_operand(fixture *f, const int64_t dims[4]) {
  int64_t shape[4];
  for (int i = 0; i < 4; ++i) {
    shape[i] = pick(f, 0, 2) == 0 ? 1 : dims[i];
  }
  int dropped = shape[0] == 1 ? (int)pick(f, 0, 1) : 0;
  return weights(f, 1.0, 4 - dropped, shape + dropped);
}

static void where_agrees_however_it_broadcasts(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t dims[4] = {2, pick(&f, 1, 4), pick(&f, 1, 9), pick(&f, 1, 20)};
    lpot_value_id x = input(&f, 4, dims);
    lpot_value_id limit = random_operand(&f, dims);
    lpot_value_id condition = output_of(&f, LPOT_OP_GREATER, IDS(x, limit));
    if (seed % 3 == 0) {
      lpot_value_id zero = number(&f, LPOT_F32, 0.0);
      condition = output_of(&f, LPOT_OP_GREATER, IDS(random_operand(&f, dims), zero));
    }
    lpot_value_id other = random_operand(&f, dims);
    result(&f, seed % 2 == 0 ? output_of(&f, LPOT_OP_WHERE, IDS(condition, x, other))
                             : output_of(&f, LPOT_OP_WHERE, IDS(condition, other, x)));
    check_engines_agree(&f, 0.0, "where");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_nan_agrees),
      cmocka_unit_test(unary_loops_agree),
      cmocka_unit_test(erf_agrees_from_tiny_to_huge),
      cmocka_unit_test(power_agrees_for_constant_exponents),
      cmocka_unit_test(a_power_of_many_exponents_runs_by_reference),
      cmocka_unit_test(prelu_agrees_for_one_slope_or_one_per_axis),
      cmocka_unit_test(prelu_of_many_axes_runs_by_reference),
      cmocka_unit_test(where_agrees_however_it_broadcasts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
