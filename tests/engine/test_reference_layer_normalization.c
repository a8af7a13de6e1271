#include "support/tensor_check.h"

#define F LPOT_F32
#define EXACT FLOAT("epsilon", 0.0f)

/* Rows 1, 3 and 2, 6: means 2 and 4, deviations 1 and 2. */
#define ROWS TENSOR(F, SHAPE(2, 2), 1, 3, 2, 6)

static void layers_are_normalized_row_by_row(void **state) {
  (void)state;
  check_nodes_outputs(LPOT_OP_LAYER_NORMALIZATION, ATTRIBUTES(EXACT),
                      TENSORS(ROWS, TENSOR(F, SHAPE(2), 10, 20), TENSOR(F, SHAPE(2), 1, 2)),
                      TENSORS(TENSOR(F, SHAPE(2, 2), -9, 22, -9, 22), TENSOR(F, SHAPE(2, 1), 2, 4),
                              TENSOR(F, SHAPE(2, 1), 1, 0.5)),
                      1e-6);
}

static void layers_may_span_several_axes_without_bias(void **state) {
  (void)state;
  /* Mean 3, variance 3.5. */
  double unit = 1.0 / sqrt(3.5);
  check_node(LPOT_OP_LAYER_NORMALIZATION, ATTRIBUTES(EXACT, INT("axis", 0)),
             TENSORS(ROWS, TENSOR(F, SHAPE(1), 2)),
             TENSOR(F, SHAPE(2, 2), -4 * unit, 0, -2 * unit, 6 * unit), 1e-6);
}

static void half_precision_is_normalized_too(void **state) {
  (void)state;
  check_node(LPOT_OP_LAYER_NORMALIZATION, ATTRIBUTES(EXACT),
             TENSORS(TENSOR(LPOT_F16, SHAPE(1, 2), 1, 3), TENSOR(LPOT_F16, SHAPE(2), 1, 1)),
             TENSOR(LPOT_F16, SHAPE(1, 2), -1, 1), 1e-3);
}

static void layers_refuse_a_scale_of_another_length(void **state) {
  (void)state;
  check_fails(LPOT_OP_LAYER_NORMALIZATION, NO_ATTRIBUTES,
              TENSORS(ROWS, TENSOR(F, SHAPE(3), 1, 1, 1)), TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0),
              LPOT_INVALID, "does not broadcast");
  check_fails(LPOT_OP_LAYER_NORMALIZATION, ATTRIBUTES(INT("axis", 2)),
              TENSORS(ROWS, TENSOR(F, SHAPE(1), 1)), TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0),
              LPOT_INVALID, "axis is 2");
}

static void instances_are_normalized_channel_by_channel(void **state) {
  (void)state;
  check_node(LPOT_OP_INSTANCE_NORMALIZATION, ATTRIBUTES(EXACT),
             TENSORS(TENSOR(F, SHAPE(1, 2, 2), 1, 3, 2, 6), TENSOR(F, SHAPE(2), 10, 20),
                     TENSOR(F, SHAPE(2), 1, 2)),
             TENSOR(F, SHAPE(1, 2, 2), -9, 11, -18, 22), 1e-6);
  check_fails(
      LPOT_OP_INSTANCE_NORMALIZATION, NO_ATTRIBUTES,
      TENSORS(TENSOR(F, SHAPE(1, 2), 1, 3), TENSOR(F, SHAPE(1), 1), TENSOR(F, SHAPE(2), 1, 2)),
      TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "scale has 1 elements, expected 2");
}

static void groups_share_their_statistics(void **state) {
  (void)state;
  /* Channels 0 and 1 have the mean 2 and the deviation 1, channels 2 and 3 the mean 4 and 2. */
  const lpot_attribute attributes[] = {EXACT, INT("num_groups", 2)};
  check_node(LPOT_OP_GROUP_NORMALIZATION, attributes, 2,
             TENSORS(TENSOR(F, SHAPE(1, 4, 1), 1, 3, 2, 6), TENSOR(F, SHAPE(4), 1, 2, 3, 4),
                     TENSOR(F, SHAPE(4), 0, 0, 0, 1)),
             TENSOR(F, SHAPE(1, 4, 1), -1, 2, -3, 5), 1e-6);
  /* The form of opset 18: a scale for each group. */
  check_node(LPOT_OP_GROUP_NORMALIZATION, attributes, 2,
             TENSORS(TENSOR(F, SHAPE(1, 4, 1), 1, 3, 2, 6), TENSOR(F, SHAPE(2), 1, 2),
                     TENSOR(F, SHAPE(2), 0, 1)),
             TENSOR(F, SHAPE(1, 4, 1), -1, 1, -1, 3), 1e-6);
}

static void groups_must_divide_the_channels(void **state) {
  (void)state;
  check_fails(LPOT_OP_GROUP_NORMALIZATION, ATTRIBUTES(INT("num_groups", 2)),
              TENSORS(TENSOR(F, SHAPE(1, 3), 1, 2, 3), TENSOR(F, SHAPE(3), 1, 1, 1),
                      TENSOR(F, SHAPE(3), 1, 1, 1)),
              TENSOR(F, SHAPE(1, 3), 0, 0, 0), LPOT_INVALID, "num_groups is 2");
}

static void mean_variance_takes_any_axes(void **state) {
  (void)state;
  check_node(LPOT_OP_MEAN_VARIANCE_NORMALIZATION, ATTRIBUTES(INTS("axes", 0)), TENSORS(ROWS),
             TENSOR(F, SHAPE(2, 2), -1, -1, 1, 1), 1e-6);
  check_node(LPOT_OP_MEAN_VARIANCE_NORMALIZATION, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 2, 1, 1), 1, 2, 3, 6)),
             TENSOR(F, SHAPE(2, 2, 1, 1), -1, -1, 1, 1), 1e-6);
  check_fails(LPOT_OP_MEAN_VARIANCE_NORMALIZATION, NO_ATTRIBUTES, TENSORS(ROWS),
              TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "axis is 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_are_normalized_row_by_row),
      cmocka_unit_test(layers_may_span_several_axes_without_bias),
      cmocka_unit_test(half_precision_is_normalized_too),
      cmocka_unit_test(layers_refuse_a_scale_of_another_length),
      cmocka_unit_test(instances_are_normalized_channel_by_channel),
      cmocka_unit_test(groups_share_their_statistics),
      cmocka_unit_test(groups_must_divide_the_channels),
      cmocka_unit_test(mean_variance_takes_any_axes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
