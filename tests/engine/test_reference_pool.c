#include "support/tensor_check.h"

#define F LPOT_F32

static void max_pool_takes_the_largest_of_a_window(void **state) {
  (void)state;
  check_node(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 2, 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 3, 3), 1, 9, 3, 4, 5, 6, 7, 8, 2)),
             TENSOR(F, SHAPE(1, 1, 2, 2), 9, 9, 8, 8), 0);
}

static void max_pool_ignores_padding(void **state) {
  (void)state;
  check_node(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 2), INTS("pads", 1, 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), -5, -3)), TENSOR(F, SHAPE(1, 1, 3), -5, -3, -3), 0);
}

static void max_pool_rounds_up_in_ceil_mode(void **state) {
  (void)state;
  check_node(LPOT_OP_MAX_POOL,
             ATTRIBUTES(INTS("kernel_shape", 2), INTS("strides", 2), INT("ceil_mode", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 5), 1, 2, 3, 4, 5)), TENSOR(F, SHAPE(1, 1, 3), 2, 4, 5),
             0);
}

static void max_pool_dilates(void **state) {
  (void)state;
  check_node(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 2), INTS("dilations", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 4), 1, 9, 3, 4)), TENSOR(F, SHAPE(1, 1, 2), 3, 9), 0);
}

static void max_pool_runs_on_bytes(void **state) {
  (void)state;
  check_node(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 2)),
             TENSORS(TENSOR(LPOT_S8, SHAPE(1, 1, 3), -128, -7, -9)),
             TENSOR(LPOT_S8, SHAPE(1, 1, 2), -7, -7), 0);
}

static void max_pool_passes_nan_on(void **state) {
  (void)state;
  check_node(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 3)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 3), 1, NOT_A_NUMBER, 3)),
             TENSOR(F, SHAPE(1, 1, 1), NOT_A_NUMBER), 0);
}

static void max_pool_tells_where_the_maxima_were(void **state) {
  (void)state;
  lpot_tensor *image = TENSOR(F, SHAPE(1, 2, 2, 3), 1, 2, 3, 4, 9, 6, 9, 8, 7, 6, 5, 4);
  check_nodes_outputs(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 2, 2)), TENSORS(image),
                      TENSORS(TENSOR(F, SHAPE(1, 2, 1, 2), 9, 9, 9, 8),
                              TENSOR(LPOT_S64, SHAPE(1, 2, 1, 2), 4, 4, 6, 7)),
                      0);
  image = TENSOR(F, SHAPE(1, 2, 2, 3), 1, 2, 3, 4, 9, 6, 9, 8, 7, 6, 5, 4);
  check_nodes_outputs(LPOT_OP_MAX_POOL,
                      ATTRIBUTES(INTS("kernel_shape", 2, 2), INT("storage_order", 1)),
                      TENSORS(image),
                      TENSORS(TENSOR(F, SHAPE(1, 2, 1, 2), 9, 9, 9, 8),
                              TENSOR(LPOT_S64, SHAPE(1, 2, 1, 2), 3, 3, 6, 8)),
                      0);
}

static void average_pool_dilates(void **state) {
  (void)state;
  check_node(LPOT_OP_AVERAGE_POOL, ATTRIBUTES(INTS("kernel_shape", 2), INTS("dilations", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 4), 1, 2, 5, 8)), TENSOR(F, SHAPE(1, 1, 2), 3, 5), 0);
}

static void average_pool_leaves_padding_out_by_default(void **state) {
  (void)state;
  check_node(LPOT_OP_AVERAGE_POOL, ATTRIBUTES(INTS("kernel_shape", 2), INTS("pads", 1, 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 2, 4)), TENSOR(F, SHAPE(1, 1, 3), 2, 3, 4), 0);
}

static void average_pool_counts_padding_when_told(void **state) {
  (void)state;
  check_node(LPOT_OP_AVERAGE_POOL,
             ATTRIBUTES(INTS("kernel_shape", 2), INTS("pads", 1, 1), INT("count_include_pad", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 2, 4)), TENSOR(F, SHAPE(1, 1, 3), 1, 3, 2), 0);
}

static void average_pool_counts_nothing_behind_the_padding(void **state) {
  (void)state;
  /* The last window has one input element, one of padding, and one beyond. */
  check_node(LPOT_OP_AVERAGE_POOL,
             ATTRIBUTES(INTS("kernel_shape", 3), INTS("strides", 2), INTS("pads", 0, 1),
                        INT("ceil_mode", 1), INT("count_include_pad", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 5), 3, 3, 3, 3, 8)),
             TENSOR(F, SHAPE(1, 1, 3), 3, 14.0 / 3.0, 4), 1e-6);
}

static void average_pool_runs_in_three_dimensions(void **state) {
  (void)state;
  check_node(LPOT_OP_AVERAGE_POOL, ATTRIBUTES(INTS("kernel_shape", 2, 2, 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8)),
             TENSOR(F, SHAPE(1, 1, 1, 1, 1), 4.5), 0);
}

static void global_pools_reduce_each_channel(void **state) {
  (void)state;
  check_node(LPOT_OP_GLOBAL_AVERAGE_POOL, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 2, 1, 2), 1, 2, 5, 7)),
             TENSOR(F, SHAPE(1, 2, 1, 1), 1.5, 6), 0);
  check_node(LPOT_OP_GLOBAL_MAX_POOL, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(1, 2, 1, 2), 1, 2, 7, 5)), TENSOR(F, SHAPE(1, 2, 1, 1), 2, 7),
             0);
}

static void pools_refuse_an_output_of_other_channels(void **state) {
  (void)state;
  check_fails(LPOT_OP_MAX_POOL, ATTRIBUTES(INTS("kernel_shape", 1)),
              TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1)), TENSOR(F, SHAPE(1, 2, 1), 0, 0), LPOT_INVALID,
              "output has 2 channels, expected 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(max_pool_takes_the_largest_of_a_window),
      cmocka_unit_test(max_pool_ignores_padding),
      cmocka_unit_test(max_pool_rounds_up_in_ceil_mode),
      cmocka_unit_test(max_pool_dilates),
      cmocka_unit_test(max_pool_runs_on_bytes),
      cmocka_unit_test(max_pool_passes_nan_on),
      cmocka_unit_test(max_pool_tells_where_the_maxima_were),
      cmocka_unit_test(average_pool_dilates),
      cmocka_unit_test(average_pool_leaves_padding_out_by_default),
      cmocka_unit_test(average_pool_counts_padding_when_told),
      cmocka_unit_test(average_pool_counts_nothing_behind_the_padding),
      cmocka_unit_test(average_pool_runs_in_three_dimensions),
      cmocka_unit_test(global_pools_reduce_each_channel),
      cmocka_unit_test(pools_refuse_an_output_of_other_channels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
