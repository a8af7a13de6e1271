#include "support/tensor_check.h"

#define F LPOT_F32
#define X23 TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 6)
#define X32 TENSOR(F, SHAPE(3, 2), 1, 2, 3, 4, 5, 6)
#define EQUATION(text) ATTRIBUTES(STRING("equation", text))

static void einsum_multiplies_matrices(void **state) {
  (void)state;
  check_node(LPOT_OP_EINSUM, EQUATION("ij,jk->ik"), TENSORS(X23, X32),
             TENSOR(F, SHAPE(2, 2), 22, 28, 49, 64), 0);
  check_node(LPOT_OP_EINSUM, EQUATION("ij,jk->ki"), TENSORS(X23, X32),
             TENSOR(F, SHAPE(2, 2), 22, 49, 28, 64), 0);
}

static void einsum_sums_transposes_and_takes_diagonals(void **state) {
  (void)state;
  check_node(LPOT_OP_EINSUM, EQUATION("ij->"), TENSORS(X23), TENSOR(F, SCALAR, 21), 0);
  check_node(LPOT_OP_EINSUM, EQUATION("ij->ji"), TENSORS(X23),
             TENSOR(F, SHAPE(3, 2), 1, 4, 2, 5, 3, 6), 0);
  check_node(LPOT_OP_EINSUM, EQUATION("ii->i"), TENSORS(TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4)),
             TENSOR(F, SHAPE(2), 1, 4), 0);
  check_node(LPOT_OP_EINSUM, EQUATION("ii"), TENSORS(TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4)),
             TENSOR(F, SCALAR, 5), 0);
}

static void einsum_takes_any_number_of_factors(void **state) {
  (void)state;
  check_node(LPOT_OP_EINSUM, EQUATION("i,ij,j"),
             TENSORS(TENSOR(F, SHAPE(2), 1, 10), X23, TENSOR(F, SHAPE(3), 1, 0, 2)),
             TENSOR(F, SCALAR, 7 + 160), 0);
}

static void einsum_broadcasts_what_the_ellipsis_names(void **state) {
  (void)state;
  check_node(LPOT_OP_EINSUM, EQUATION("...i,...i->..."),
             TENSORS(X23, TENSOR(F, SHAPE(1, 3), 1, 0, 1)), TENSOR(F, SHAPE(2), 4, 10), 0);
}

static void einsum_of_integers_is_exact(void **state) {
  (void)state;
  check_node(LPOT_OP_EINSUM, EQUATION("i,i->"),
             TENSORS(TENSOR(LPOT_S32, SHAPE(2), 1 << 30, -3), TENSOR(LPOT_S32, SHAPE(2), 1, 2)),
             TENSOR(LPOT_S32, SCALAR, (1 << 30) - 6), 0);
}

static void a_sum_over_nothing_is_zero(void **state) {
  (void)state;
  check_node(LPOT_OP_EINSUM, EQUATION("ij->j"), TENSORS(EMPTY(F, SHAPE(0, 2))),
             TENSOR(F, SHAPE(2), 0, 0), 0);
}

static void einsum_refuses_what_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_EINSUM, EQUATION("ij,jk->ik"), TENSORS(X23, X23),
              TENSOR(F, SHAPE(2, 3), 0, 0, 0, 0, 0, 0), LPOT_FORMAT,
              "dimension j has the sizes 3 and 2");
  check_fails(LPOT_OP_EINSUM, EQUATION("ij->i"), TENSORS(X23), TENSOR(F, SHAPE(3), 0, 0, 0),
              LPOT_INVALID, "output and result");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(einsum_multiplies_matrices),
      cmocka_unit_test(einsum_sums_transposes_and_takes_diagonals),
      cmocka_unit_test(einsum_takes_any_number_of_factors),
      cmocka_unit_test(einsum_broadcasts_what_the_ellipsis_names),
      cmocka_unit_test(einsum_of_integers_is_exact),
      cmocka_unit_test(a_sum_over_nothing_is_zero),
      cmocka_unit_test(einsum_refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
