#include "support/tensor_check.h"

#define F LPOT_F32
#define X33 TENSOR(F, SHAPE(1, 1, 3, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9)

static void conv_sums_products_of_a_window(void **state) {
  (void)state;
  /* 1*1 + 2*2 + 4*3 + 5*4 = 37, ... */
  check_node(LPOT_OP_CONV, NO_ATTRIBUTES, TENSORS(X33, TENSOR(F, SHAPE(1, 1, 2, 2), 1, 2, 3, 4)),
             TENSOR(F, SHAPE(1, 1, 2, 2), 37, 47, 67, 77), 0);
}

static void conv_adds_bias_and_scales_pointwise(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 2, 1, 2), 1, 2, 3, 4, 5, 6, 7, 8),
                     TENSOR(F, SHAPE(1, 2, 1, 1), 10, 1), TENSOR(F, SHAPE(1), 0.5)),
             TENSOR(F, SHAPE(2, 1, 1, 2), 13.5, 24.5, 57.5, 68.5), 0);
}

static void conv_takes_asymmetric_pads_and_strides(void **state) {
  (void)state;
  /* One row is padded above and one column to the right; steps of 2. */
  check_node(LPOT_OP_CONV, ATTRIBUTES(INTS("pads", 1, 0, 0, 1), INTS("strides", 2, 2)),
             TENSORS(X33, TENSOR(F, SHAPE(1, 1, 2, 2), 1, 2, 3, 4)),
             TENSOR(F, SHAPE(1, 1, 2, 2), 3 + 8, 9, 4 + 10 + 21 + 32, 6 + 27), 0);
}

static void conv_of_groups_keeps_them_apart(void **state) {
  (void)state;
  check_node(
      LPOT_OP_CONV, ATTRIBUTES(INT("group", 2)),
      TENSORS(TENSOR(F, SHAPE(1, 2, 2), 1, 2, 3, 4), TENSOR(F, SHAPE(4, 1, 1), 1, 10, 100, 1000)),
      TENSOR(F, SHAPE(1, 4, 2), 1, 2, 10, 20, 300, 400, 3000, 4000), 0);
}

static void conv_dilates_in_one_dimension(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV, ATTRIBUTES(INTS("dilations", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 5), 1, 2, 3, 4, 5), TENSOR(F, SHAPE(1, 1, 2), 1, 10)),
             TENSOR(F, SHAPE(1, 1, 3), 31, 42, 53), 0);
}

static void conv_pads_as_auto_pad_says(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV, ATTRIBUTES(STRING("auto_pad", "SAME_UPPER")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 3), 1, 2, 3), TENSOR(F, SHAPE(1, 1, 2), 1, 10)),
             TENSOR(F, SHAPE(1, 1, 3), 21, 32, 3), 0);
  check_node(LPOT_OP_CONV, ATTRIBUTES(STRING("auto_pad", "SAME_LOWER")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 3), 1, 2, 3), TENSOR(F, SHAPE(1, 1, 2), 1, 10)),
             TENSOR(F, SHAPE(1, 1, 3), 10, 21, 32), 0);
}

static void conv_runs_in_three_dimensions(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 1, 2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8),
                     TENSOR(F, SHAPE(1, 1, 2, 1, 2), 1, 10, 100, 1000)),
             TENSOR(F, SHAPE(1, 1, 1, 2, 1), 1 + 20 + 500 + 6000, 3 + 40 + 700 + 8000), 0);
}

static void conv_sums_in_double(void **state) {
  (void)state;
  /* A float sum would lose the 1. */
  check_node(LPOT_OP_CONV, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 3, 1), 1e8, 1, -1e8), TENSOR(F, SHAPE(1, 3, 1), 1, 1, 1)),
             TENSOR(F, SHAPE(1, 1, 1), 1), 0);
}

static void conv_of_an_empty_batch_gives_an_empty_output(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV, NO_ATTRIBUTES,
             TENSORS(EMPTY(F, SHAPE(0, 1, 3)), TENSOR(F, SHAPE(1, 1, 2), 1, 1)),
             EMPTY(F, SHAPE(0, 1, 2)), 0);
}

static void conv_refuses_weights_of_other_channels(void **state) {
  (void)state;
  check_fails(LPOT_OP_CONV, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 2), TENSOR(F, SHAPE(1, 2, 1), 1, 1)),
              TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_INVALID, "do not fit");
}

static void conv_refuses_a_short_bias(void **state) {
  (void)state;
  check_fails(LPOT_OP_CONV, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1), TENSOR(F, SHAPE(2, 1, 1), 1, 1),
                      TENSOR(F, SHAPE(1), 1)),
              TENSOR(F, SHAPE(1, 2, 1), 0, 0), LPOT_INVALID, "bias has 1 elements, expected 2");
}

static void conv_refuses_an_output_of_another_size(void **state) {
  (void)state;
  check_fails(LPOT_OP_CONV, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 1, 3), 1, 2, 3), TENSOR(F, SHAPE(1, 1, 2), 1, 1)),
              TENSOR(F, SHAPE(1, 1, 3), 0, 0, 0), LPOT_INVALID, "not what the window gives");
}

static void conv_transpose_scatters_each_element(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV_TRANSPOSE, ATTRIBUTES(INTS("strides", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 2), TENSOR(F, SHAPE(1, 1, 3), 1, 10, 100)),
             TENSOR(F, SHAPE(1, 1, 5), 1, 10, 102, 20, 200), 0);
}

static void conv_transpose_crops_pads_and_appends_output_padding(void **state) {
  (void)state;
  check_node(LPOT_OP_CONV_TRANSPOSE,
             ATTRIBUTES(INTS("strides", 2), INTS("pads", 1, 1), INTS("output_padding", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 2), TENSOR(F, SHAPE(1, 1, 3), 1, 10, 100),
                     TENSOR(F, SHAPE(1), 0.5)),
             TENSOR(F, SHAPE(1, 1, 4), 10.5, 102.5, 20.5, 200.5), 0);
}

static void conv_transpose_of_groups_keeps_them_apart(void **state) {
  (void)state;
  check_node(
      LPOT_OP_CONV_TRANSPOSE, ATTRIBUTES(INT("group", 2)),
      TENSORS(TENSOR(F, SHAPE(1, 2, 1, 1), 2, 3), TENSOR(F, SHAPE(2, 2, 1, 1), 1, 10, 100, 1000)),
      TENSOR(F, SHAPE(1, 4, 1, 1), 2, 20, 300, 3000), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conv_sums_products_of_a_window),
      cmocka_unit_test(conv_adds_bias_and_scales_pointwise),
      cmocka_unit_test(conv_takes_asymmetric_pads_and_strides),
      cmocka_unit_test(conv_of_groups_keeps_them_apart),
      cmocka_unit_test(conv_dilates_in_one_dimension),
      cmocka_unit_test(conv_pads_as_auto_pad_says),
      cmocka_unit_test(conv_runs_in_three_dimensions),
      cmocka_unit_test(conv_sums_in_double),
      cmocka_unit_test(conv_of_an_empty_batch_gives_an_empty_output),
      cmocka_unit_test(conv_refuses_weights_of_other_channels),
      cmocka_unit_test(conv_refuses_a_short_bias),
      cmocka_unit_test(conv_refuses_an_output_of_another_size),
      cmocka_unit_test(conv_transpose_scatters_each_element),
      cmocka_unit_test(conv_transpose_crops_pads_and_appends_output_padding),
      cmocka_unit_test(conv_transpose_of_groups_keeps_them_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
