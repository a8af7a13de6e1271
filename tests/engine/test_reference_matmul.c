#include "support/tensor_check.h"

#define F LPOT_F32
#define A22 TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4)
#define B22 TENSOR(F, SHAPE(2, 2), 5, 6, 7, 8)

static void matmul_multiplies_matrices(void **state) {
  (void)state;
  check_node(LPOT_OP_MATMUL, NO_ATTRIBUTES, TENSORS(A22, B22),
             TENSOR(F, SHAPE(2, 2), 19, 22, 43, 50), 0);
}

static void matmul_promotes_vectors(void **state) {
  (void)state;
  check_node(LPOT_OP_MATMUL, NO_ATTRIBUTES, TENSORS(TENSOR(F, SHAPE(2), 1, 2), B22),
             TENSOR(F, SHAPE(2), 19, 22), 0);
  check_node(LPOT_OP_MATMUL, NO_ATTRIBUTES, TENSORS(A22, TENSOR(F, SHAPE(2), 5, 7)),
             TENSOR(F, SHAPE(2), 19, 43), 0);
  check_node(LPOT_OP_MATMUL, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2), 1, 2), TENSOR(F, SHAPE(2), 5, 7)), TENSOR(F, SCALAR, 19),
             0);
}

static void matmul_broadcasts_stacks(void **state) {
  (void)state;
  /* [2, 1, 1, 2] x [2, 2, 1]: every row with every column vector. */
  check_node(LPOT_OP_MATMUL, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(2, 1, 1, 2), 1, 2, 3, 4),
                     TENSOR(F, SHAPE(2, 2, 1), 1, 10, 100, 1000)),
             TENSOR(F, SHAPE(2, 2, 1, 1), 21, 2100, 43, 4300), 0);
}

static void matmul_over_no_elements_is_zero(void **state) {
  (void)state;
  check_node(LPOT_OP_MATMUL, NO_ATTRIBUTES, TENSORS(EMPTY(F, SHAPE(1, 0)), EMPTY(F, SHAPE(0, 2))),
             TENSOR(F, SHAPE(1, 2), 0, 0), 0);
}

static void matmul_refuses_inner_dimensions_that_differ(void **state) {
  (void)state;
  check_fails(LPOT_OP_MATMUL, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(3, 1), 1, 2, 3)),
              TENSOR(F, SHAPE(1, 1), 0), LPOT_INVALID, "inner dimensions are 2 and 3");
}

static void gemm_transposes_scales_and_adds(void **state) {
  (void)state;
  /* 2 * transpose(a) b + 0.5 c; transpose(a) b = [26 30; 38 44]. */
  check_node(LPOT_OP_GEMM, ATTRIBUTES(INT("transA", 1), FLOAT("alpha", 2), FLOAT("beta", 0.5f)),
             TENSORS(A22, B22, TENSOR(F, SHAPE(2), 10, 20)), TENSOR(F, SHAPE(2, 2), 57, 70, 81, 98),
             0);
  /* a transpose(b) = [17 23; 39 53]. */
  check_node(LPOT_OP_GEMM, ATTRIBUTES(INT("transB", 1)),
             TENSORS(A22, B22, TENSOR(F, SHAPE(2, 1), 100, 200)),
             TENSOR(F, SHAPE(2, 2), 117, 123, 239, 253), 0);
}

static void gemm_without_c_adds_nothing(void **state) {
  (void)state;
  check_node(LPOT_OP_GEMM, NO_ATTRIBUTES, TENSORS(A22, B22, NULL),
             TENSOR(F, SHAPE(2, 2), 19, 22, 43, 50), 0);
}

static void gemm_refuses_c_that_does_not_broadcast(void **state) {
  (void)state;
  check_fails(LPOT_OP_GEMM, NO_ATTRIBUTES, TENSORS(A22, B22, TENSOR(F, SHAPE(3), 1, 2, 3)),
              TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "does not broadcast");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matmul_multiplies_matrices),
      cmocka_unit_test(matmul_promotes_vectors),
      cmocka_unit_test(matmul_broadcasts_stacks),
      cmocka_unit_test(matmul_over_no_elements_is_zero),
      cmocka_unit_test(matmul_refuses_inner_dimensions_that_differ),
      cmocka_unit_test(gemm_transposes_scales_and_adds),
      cmocka_unit_test(gemm_without_c_adds_nothing),
      cmocka_unit_test(gemm_refuses_c_that_does_not_broadcast),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
