#include "support/tensor_check.h"

#define F LPOT_F32

static void add_broadcasts_both_operands(void **state) {
  (void)state;
  check_node(LPOT_OP_ADD, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 1), 1, 2), TENSOR(F, SHAPE(3), 10, 20, 30)),
             TENSOR(F, SHAPE(2, 3), 11, 21, 31, 12, 22, 32), 0);
}

static void add_of_per_channel_constant_walks_merged_rows(void **state) {
  (void)state;
  check_node(LPOT_OP_ADD, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 2, 1, 2), 1, 2, 3, 4), TENSOR(F, SHAPE(2, 1, 1), 10, 20)),
             TENSOR(F, SHAPE(1, 2, 1, 2), 11, 12, 23, 24), 0);
}

static void add_of_scalars_gives_a_scalar(void **state) {
  (void)state;
  check_node(LPOT_OP_ADD, NO_ATTRIBUTES, TENSORS(TENSOR(F, SCALAR, 1), TENSOR(F, SCALAR, 2)),
             TENSOR(F, SCALAR, 3), 0);
}

static void add_of_an_empty_tensor_does_nothing(void **state) {
  (void)state;
  check_node(LPOT_OP_ADD, NO_ATTRIBUTES,
             TENSORS(EMPTY(F, SHAPE(0, 3)), TENSOR(F, SHAPE(3), 1, 2, 3)), EMPTY(F, SHAPE(0, 3)),
             0);
}

static void add_refuses_shapes_that_do_not_broadcast(void **state) {
  (void)state;
  check_fails(LPOT_OP_ADD, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(2), 1, 2), TENSOR(F, SHAPE(3), 1, 2, 3)),
              TENSOR(F, SHAPE(3), 0, 0, 0), LPOT_INVALID, "does not broadcast");
}

static void subtract_and_multiply_compute_in_float(void **state) {
  (void)state;
  check_node(LPOT_OP_SUB, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), 1, 5), TENSOR(F, SHAPE(2), 3, 2)),
             TENSOR(F, SHAPE(2), -2, 3), 0);
  check_node(LPOT_OP_MUL, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), 1.5, 5), TENSOR(F, SHAPE(1), -2)),
             TENSOR(F, SHAPE(2), -3, -10), 0);
}

static void divide_truncates_integers_towards_zero(void **state) {
  (void)state;
  check_node(
      LPOT_OP_DIV, NO_ATTRIBUTES,
      TENSORS(TENSOR(LPOT_S64, SHAPE(4), 7, -7, 7, -7), TENSOR(LPOT_S64, SHAPE(4), 2, 2, -2, -1)),
      TENSOR(LPOT_S64, SHAPE(4), 3, -3, -3, 7), 0);
}

static void divide_refuses_an_integer_zero(void **state) {
  (void)state;
  check_fails(LPOT_OP_DIV, NO_ATTRIBUTES,
              TENSORS(TENSOR(LPOT_S32, SHAPE(1), 7), TENSOR(LPOT_S32, SHAPE(1), 0)),
              TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_INVALID, "division by zero");
}

static void divide_of_the_smallest_integer_by_minus_one_wraps(void **state) {
  (void)state;
  check_node(LPOT_OP_DIV, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S64, SHAPE(1), -0x1p63), TENSOR(LPOT_S64, SHAPE(1), -1)),
             TENSOR(LPOT_S64, SHAPE(1), -0x1p63), 0);
}

static void divide_of_floats_by_zero_is_infinite(void **state) {
  (void)state;
  check_node(LPOT_OP_DIV, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), 7, 0), TENSOR(F, SHAPE(2), 0, 0)),
             TENSOR(F, SHAPE(2), INFINITE, NOT_A_NUMBER), 0);
}

static void integers_wrap_at_their_width(void **state) {
  (void)state;
  check_node(LPOT_OP_ADD, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U8, SHAPE(1), 250), TENSOR(LPOT_U8, SHAPE(1), 10)),
             TENSOR(LPOT_U8, SHAPE(1), 4), 0);
}

static void power_takes_integer_exponents_of_a_float_base(void **state) {
  (void)state;
  check_node(LPOT_OP_POW, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3), 2, 3, 4), TENSOR(LPOT_S64, SHAPE(3), 3, 2, -1)),
             TENSOR(F, SHAPE(3), 8, 9, 0.25), 0);
  check_node(LPOT_OP_POW, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S64, SHAPE(2), -2, 3), TENSOR(LPOT_S64, SCALAR, 3)),
             TENSOR(LPOT_S64, SHAPE(2), -8, 27), 0);
}

static void mod_has_the_sign_of_the_divisor_or_of_the_dividend(void **state) {
  (void)state;
  check_node(
      LPOT_OP_MOD, NO_ATTRIBUTES,
      TENSORS(TENSOR(LPOT_S32, SHAPE(4), -4, 7, 5, -4), TENSOR(LPOT_S32, SHAPE(4), 3, -3, 8, -1)),
      TENSOR(LPOT_S32, SHAPE(4), 2, -2, 5, 0), 0);
  check_node(LPOT_OP_MOD, ATTRIBUTES(INT("fmod", 1)),
             TENSORS(TENSOR(LPOT_S32, SHAPE(3), -4, 7, 5), TENSOR(LPOT_S32, SHAPE(3), 3, -3, 8)),
             TENSOR(LPOT_S32, SHAPE(3), -1, 1, 5), 0);
  check_node(LPOT_OP_MOD, ATTRIBUTES(INT("fmod", 1)),
             TENSORS(TENSOR(F, SHAPE(2), -4.5, 4.5), TENSOR(F, SHAPE(2), 2, -2)),
             TENSOR(F, SHAPE(2), -0.5, 0.5), 0);
  check_fails(LPOT_OP_MOD, NO_ATTRIBUTES,
              TENSORS(TENSOR(LPOT_S32, SHAPE(1), 7), TENSOR(LPOT_S32, SHAPE(1), 0)),
              TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_INVALID, "division by zero");
}

static void the_upper_half_of_uint64_divides_as_large_numbers(void **state) {
  (void)state;
  check_node(LPOT_OP_DIV, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U64, SHAPE(1), 0x1p63), TENSOR(LPOT_U64, SHAPE(1), 2)),
             TENSOR(LPOT_U64, SHAPE(1), 0x1p62), 0);
  check_node(LPOT_OP_MOD, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U64, SHAPE(1), 0x1p63), TENSOR(LPOT_U64, SHAPE(1), 3)),
             TENSOR(LPOT_U64, SHAPE(1), 2), 0);
}

static void prelu_scales_negatives_by_the_slope(void **state) {
  (void)state;
  check_node(
      LPOT_OP_PRELU, NO_ATTRIBUTES,
      TENSORS(TENSOR(F, SHAPE(1, 2, 2), -1, 2, -3, NOT_A_NUMBER), TENSOR(F, SHAPE(2, 1), 0.5, -2)),
      TENSOR(F, SHAPE(1, 2, 2), -0.5, 2, 6, NOT_A_NUMBER), 0);
  check_node(LPOT_OP_PRELU, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S32, SHAPE(2), -3, 4), TENSOR(LPOT_S32, SHAPE(1), 2)),
             TENSOR(LPOT_S32, SHAPE(2), -6, 4), 0);
  check_fails(LPOT_OP_PRELU, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(2), 1, 2)), TENSOR(F, SHAPE(1), 0),
              LPOT_INVALID, "does not broadcast");
}

static void cast_like_casts_to_the_type_of_the_output(void **state) {
  (void)state;
  check_node(LPOT_OP_CAST_LIKE, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), 1.9, 300), TENSOR(LPOT_U8, SHAPE(1), 0)),
             TENSOR(LPOT_U8, SHAPE(2), 1, 255), 0);
}

static void binary_refuses_mixed_types(void **state) {
  (void)state;
  check_fails(LPOT_OP_ADD, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1), 7), TENSOR(LPOT_S32, SHAPE(1), 0)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "float32 and int32");
}

static void relu_keeps_nan_and_clips_negatives(void **state) {
  (void)state;
  check_node(LPOT_OP_RELU, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(4), -1, 0, 2, NOT_A_NUMBER)),
             TENSOR(F, SHAPE(4), 0, 0, 2, NOT_A_NUMBER), 0);
  check_node(LPOT_OP_RELU, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S8, SHAPE(2), -1, 2)),
             TENSOR(LPOT_S8, SHAPE(2), 0, 2), 0);
  check_node(LPOT_OP_RELU, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_U64, SHAPE(1), 0x1p63)),
             TENSOR(LPOT_U64, SHAPE(1), 0x1p63), 0);
}

static void leaky_relu_scales_negatives_by_alpha(void **state) {
  (void)state;
  check_node(LPOT_OP_LEAKY_RELU, ATTRIBUTES(FLOAT("alpha", 0.5f)),
             TENSORS(TENSOR(F, SHAPE(2), -4, 4)), TENSOR(F, SHAPE(2), -2, 4), 0);
  check_node(LPOT_OP_LEAKY_RELU, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), -1)),
             TENSOR(F, SHAPE(1), -0.01), 1e-9);
}

static void sigmoid_does_not_overflow(void **state) {
  (void)state;
  check_node(LPOT_OP_SIGMOID, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(4), 0, 1, -1000, 1000)),
             TENSOR(F, SHAPE(4), 0.5, 0.7310585786, 0, 1), 1e-7);
}

static void hard_sigmoid_uses_alpha_and_beta(void **state) {
  (void)state;
  check_node(LPOT_OP_HARD_SIGMOID, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(3), -5, 1, 5)),
             TENSOR(F, SHAPE(3), 0, 0.7, 1), 1e-7);
  check_node(LPOT_OP_HARD_SIGMOID, ATTRIBUTES(FLOAT("alpha", 0.5f), FLOAT("beta", 0.25f)),
             TENSORS(TENSOR(F, SHAPE(1), 1)), TENSOR(F, SHAPE(1), 0.75), 0);
}

static void hard_swish_is_x_times_hard_sigmoid_of_a_sixth(void **state) {
  (void)state;
  check_node(LPOT_OP_HARD_SWISH, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(4), -4, -1.5, 1.5, 4)),
             TENSOR(F, SHAPE(4), 0, -0.375, 1.125, 4), 1e-7);
}

static void functions_of_one_element_have_known_values(void **state) {
  (void)state;
  check_node(LPOT_OP_TANH, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 0, 1)),
             TENSOR(F, SHAPE(2), 0, 0.7615941560), 1e-7);
  check_node(LPOT_OP_EXP, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 0, 1)),
             TENSOR(F, SHAPE(2), 1, 2.7182818285), 1e-6);
  check_node(LPOT_OP_SQRT, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(3), 0, 9, -1)),
             TENSOR(F, SHAPE(3), 0, 3, NOT_A_NUMBER), 0);
  check_node(LPOT_OP_ERF, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 0, 0.5)),
             TENSOR(F, SHAPE(2), 0, 0.5204998778), 1e-7);
}

static void unary_runs_in_half_precision(void **state) {
  (void)state;
  check_node(LPOT_OP_RELU, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_F16, SHAPE(2), -1, 1.5)),
             TENSOR(LPOT_F16, SHAPE(2), 0, 1.5), 0);
}

static void unary_refuses_integers(void **state) {
  (void)state;
  check_fails(LPOT_OP_EXP, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S32, SHAPE(1), 1)),
              TENSOR(LPOT_S32, SHAPE(1), 0), LPOT_UNSUPPORTED, "int32");
}

static void clip_takes_bounds_from_inputs_or_attributes(void **state) {
  (void)state;
  check_node(LPOT_OP_CLIP, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3), -9, 3, 9), TENSOR(F, SCALAR, 0), TENSOR(F, SCALAR, 6)),
             TENSOR(F, SHAPE(3), 0, 3, 6), 0);
  check_node(LPOT_OP_CLIP, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), -9, 9), NULL, TENSOR(F, SCALAR, 6)),
             TENSOR(F, SHAPE(2), -9, 6), 0);
  check_node(LPOT_OP_CLIP, ATTRIBUTES(FLOAT("min", -1.0f)), TENSORS(TENSOR(F, SHAPE(2), -9, 9)),
             TENSOR(F, SHAPE(2), -1, 9), 0);
  check_node(LPOT_OP_CLIP, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_S64, SHAPE(2), -9, 9), TENSOR(LPOT_S64, SCALAR, -2), NULL),
             TENSOR(LPOT_S64, SHAPE(2), -2, 9), 0);
}

static void cast_truncates_saturates_and_tests_for_zero(void **state) {
  (void)state;
  check_node(LPOT_OP_CAST, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(4), -1.9, 1.9, 300, NOT_A_NUMBER)),
             TENSOR(LPOT_U8, SHAPE(4), 0, 1, 255, 0), 0);
  check_node(LPOT_OP_CAST, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(3), 0, 0.5, NOT_A_NUMBER)),
             TENSOR(LPOT_BOOL, SHAPE(3), 0, 1, 1), 0);
  check_node(LPOT_OP_CAST, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S64, SHAPE(2), -1, 257)),
             TENSOR(LPOT_U8, SHAPE(2), 255, 1), 0);
  check_node(LPOT_OP_CAST, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_BOOL, SHAPE(2), 0, 1)),
             TENSOR(F, SHAPE(2), 0, 1), 0);
  check_node(LPOT_OP_CAST, NO_ATTRIBUTES, TENSORS(TENSOR(LPOT_S32, SHAPE(2), -5, 70000)),
             TENSOR(LPOT_F64, SHAPE(2), -5, 70000), 0);
  check_node(LPOT_OP_CAST, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 1.0009765625)),
             TENSOR(LPOT_BF16, SHAPE(1), 1), 0);
}

/* As weights may lie in a file. */
static void inputs_at_odd_places_are_read(void **state) {
  (void)state;
  static const float numbers[] = {1.5f, -2.0f, 1e30f};
  char bytes[sizeof numbers + 1];
  const lpot_shape shape = SHAPE(3);
  lpot_tensor *odd = NULL;
  memcpy(bytes + 1, numbers, sizeof numbers);
  assert_int_equal(lpot_tensor_view(F, &shape, bytes + 1, sizeof numbers, NULL, &odd, NULL),
                   LPOT_OK);
  if (lpot_tensor_is_aligned(odd)) { /* Then its neighbour is not. */
    lpot_tensor_unref(odd);
    memmove(bytes, bytes + 1, sizeof numbers);
    assert_int_equal(lpot_tensor_view(F, &shape, bytes, sizeof numbers, NULL, &odd, NULL), LPOT_OK);
  }
  assert_false(lpot_tensor_is_aligned(odd));
  check_node(LPOT_OP_ADD, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(3), 1, 2, 3), odd),
             TENSOR(F, SHAPE(3), 2.5, 0, (double)1e30f), 0);
}

static void a_missing_input_is_named(void **state) {
  (void)state;
  check_fails(LPOT_OP_ADD, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1), 1), NULL),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "input 1 is missing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(add_broadcasts_both_operands),
      cmocka_unit_test(add_of_per_channel_constant_walks_merged_rows),
      cmocka_unit_test(add_of_scalars_gives_a_scalar),
      cmocka_unit_test(add_of_an_empty_tensor_does_nothing),
      cmocka_unit_test(add_refuses_shapes_that_do_not_broadcast),
      cmocka_unit_test(subtract_and_multiply_compute_in_float),
      cmocka_unit_test(divide_truncates_integers_towards_zero),
      cmocka_unit_test(divide_refuses_an_integer_zero),
      cmocka_unit_test(divide_of_the_smallest_integer_by_minus_one_wraps),
      cmocka_unit_test(divide_of_floats_by_zero_is_infinite),
      cmocka_unit_test(integers_wrap_at_their_width),
      cmocka_unit_test(power_takes_integer_exponents_of_a_float_base),
      cmocka_unit_test(mod_has_the_sign_of_the_divisor_or_of_the_dividend),
      cmocka_unit_test(the_upper_half_of_uint64_divides_as_large_numbers),
      cmocka_unit_test(prelu_scales_negatives_by_the_slope),
      cmocka_unit_test(cast_like_casts_to_the_type_of_the_output),
      cmocka_unit_test(binary_refuses_mixed_types),
      cmocka_unit_test(relu_keeps_nan_and_clips_negatives),
      cmocka_unit_test(leaky_relu_scales_negatives_by_alpha),
      cmocka_unit_test(sigmoid_does_not_overflow),
      cmocka_unit_test(hard_sigmoid_uses_alpha_and_beta),
      cmocka_unit_test(hard_swish_is_x_times_hard_sigmoid_of_a_sixth),
      cmocka_unit_test(functions_of_one_element_have_known_values),
      cmocka_unit_test(unary_runs_in_half_precision),
      cmocka_unit_test(unary_refuses_integers),
      cmocka_unit_test(clip_takes_bounds_from_inputs_or_attributes),
      cmocka_unit_test(cast_truncates_saturates_and_tests_for_zero),
      cmocka_unit_test(inputs_at_odd_places_are_read),
      cmocka_unit_test(a_missing_input_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
