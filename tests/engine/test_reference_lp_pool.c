#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)

static void lp_pool_takes_the_root_of_a_sum_of_powers(void **state) {
  (void)state;
  check_node(LPOT_OP_LP_POOL, ATTRIBUTES(INTS("kernel_shape", 2), INTS("strides", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 4), 3, -4, 6, 8)), TENSOR(F, SHAPE(1, 1, 2), 5, 10),
             1e-6);
  check_node(LPOT_OP_LP_POOL, ATTRIBUTES(INTS("kernel_shape", 2, 2), INT("p", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2, 2), 1, -2, 3, 4)), TENSOR(F, SHAPE(1, 1, 1, 1), 10),
             0);
}

static void lp_pool_pads_with_nothing(void **state) {
  (void)state;
  check_node(LPOT_OP_LP_POOL,
             ATTRIBUTES(INTS("kernel_shape", 2), INTS("pads", 1, 1), INTS("dilations", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 3), 1, 2, 3)),
             TENSOR(F, SHAPE(1, 1, 3), 2, 3.16227766, 2), 1e-6);
}

static void global_lp_pool_takes_whole_planes(void **state) {
  (void)state;
  check_node(LPOT_OP_GLOBAL_LP_POOL, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(1, 2, 2), 3, 4, -6, 8)),
             TENSOR(F, SHAPE(1, 2, 1), 5, 10), 1e-6);
}

static void lp_pool_refuses_an_order_below_one(void **state) {
  (void)state;
  check_fails(LPOT_OP_GLOBAL_LP_POOL, ATTRIBUTES(INT("p", 0)),
              TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1)), TENSOR(F, SHAPE(1, 1, 1), 0), LPOT_INVALID,
              "p is 0, expected at least 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lp_pool_takes_the_root_of_a_sum_of_powers),
      cmocka_unit_test(lp_pool_pads_with_nothing),
      cmocka_unit_test(global_lp_pool_takes_whole_planes),
      cmocka_unit_test(lp_pool_refuses_an_order_below_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
