#include "support/tensor_check.h"

#define F LPOT_F32
/* Two output channels of 2 x 2 pixels: eight channels of one pixel. */
#define DEEP TENSOR(F, SHAPE(1, 8, 1, 1), 0, 1, 2, 3, 4, 5, 6, 7)

static void depth_first_takes_blocks_before_channels(void **state) {
  (void)state;
  check_node(LPOT_OP_DEPTH_TO_SPACE, ATTRIBUTES(INT("blocksize", 2)), TENSORS(DEEP),
             TENSOR(F, SHAPE(1, 2, 2, 2), 0, 2, 4, 6, 1, 3, 5, 7), 0);
}

static void columns_first_takes_channels_before_blocks(void **state) {
  (void)state;
  check_node(LPOT_OP_DEPTH_TO_SPACE, ATTRIBUTES(INT("blocksize", 2), STRING("mode", "CRD")),
             TENSORS(DEEP), TENSOR(F, SHAPE(1, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7), 0);
}

static void blocks_lie_side_by_side(void **state) {
  (void)state;
  check_node(LPOT_OP_DEPTH_TO_SPACE, ATTRIBUTES(INT("blocksize", 2)),
             TENSORS(TENSOR(LPOT_U8, SHAPE(1, 4, 1, 2), 0, 1, 2, 3, 4, 5, 6, 7)),
             TENSOR(LPOT_U8, SHAPE(1, 1, 2, 4), 0, 2, 1, 3, 4, 6, 5, 7), 0);
}

static void space_to_depth_is_the_way_back(void **state) {
  (void)state;
  check_node(LPOT_OP_SPACE_TO_DEPTH, ATTRIBUTES(INT("blocksize", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 2, 2, 2), 0, 2, 4, 6, 1, 3, 5, 7)), DEEP, 0);
  check_node(LPOT_OP_SPACE_TO_DEPTH, ATTRIBUTES(INT("blocksize", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2, 4), 0, 2, 1, 3, 4, 6, 5, 7)),
             TENSOR(F, SHAPE(1, 4, 1, 2), 0, 1, 2, 3, 4, 5, 6, 7), 0);
}

static void blocks_that_do_not_fit_are_refused(void **state) {
  (void)state;
  check_fails(LPOT_OP_DEPTH_TO_SPACE, ATTRIBUTES(INT("blocksize", 3)), TENSORS(DEEP),
              TENSOR(F, SHAPE(1, 8, 1, 1), 0, 0, 0, 0, 0, 0, 0, 0), LPOT_INVALID, "blocksize 3");
  check_fails(LPOT_OP_SPACE_TO_DEPTH, NO_ATTRIBUTES, TENSORS(DEEP),
              TENSOR(F, SHAPE(1, 8, 1, 1), 0, 0, 0, 0, 0, 0, 0, 0), LPOT_INVALID, "blocksize 0");
  check_fails(LPOT_OP_DEPTH_TO_SPACE, ATTRIBUTES(INT("blocksize", 1), STRING("mode", "ABC")),
              TENSORS(DEEP), TENSOR(F, SHAPE(1, 8, 1, 1), 0, 0, 0, 0, 0, 0, 0, 0), LPOT_INVALID,
              "mode is 'ABC'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(depth_first_takes_blocks_before_channels),
      cmocka_unit_test(columns_first_takes_channels_before_blocks),
      cmocka_unit_test(blocks_lie_side_by_side),
      cmocka_unit_test(space_to_depth_is_the_way_back),
      cmocka_unit_test(blocks_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
