#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)
#define X22 TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4)

static void gather_elements_reads_one_element_per_index(void **state) {
  (void)state;
  check_node(LPOT_OP_GATHER_ELEMENTS, ATTRIBUTES(INT("axis", 1)),
             TENSORS(X22, TENSOR(I, SHAPE(2, 3), 0, 0, -1, 1, 0, 0)),
             TENSOR(F, SHAPE(2, 3), 1, 1, 2, 4, 3, 3), 0);
  check_node(LPOT_OP_GATHER_ELEMENTS, NO_ATTRIBUTES,
             TENSORS(X22, TENSOR(LPOT_S32, SHAPE(3, 1), 1, 0, 1)), TENSOR(F, SHAPE(3, 1), 3, 1, 3),
             0);
}

static void gather_elements_refuses_what_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_GATHER_ELEMENTS, NO_ATTRIBUTES, TENSORS(X22, TENSOR(I, SHAPE(1, 2), 2, 0)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "index 2 is outside [-2, 2)");
  check_fails(LPOT_OP_GATHER_ELEMENTS, NO_ATTRIBUTES, TENSORS(X22, TENSOR(I, SHAPE(1, 3), 0, 0, 0)),
              TENSOR(F, SHAPE(1, 3), 0, 0, 0), LPOT_INVALID,
              "dimension 1 of the indices is 3, expected at most 2");
  check_fails(LPOT_OP_GATHER_ELEMENTS, NO_ATTRIBUTES, TENSORS(X22, LIST(0)), TENSOR(F, SHAPE(1), 0),
              LPOT_INVALID, "the indices have rank 1, expected 2");
  check_fails(LPOT_OP_GATHER_ELEMENTS, NO_ATTRIBUTES, TENSORS(X22, TENSOR(F, SHAPE(1, 2), 0, 0)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_UNSUPPORTED, "no kernel for element type float32");
}

static void gather_nd_reads_elements_or_slices(void **state) {
  (void)state;
  check_node(LPOT_OP_GATHER_ND, NO_ATTRIBUTES, TENSORS(X22, TENSOR(I, SHAPE(2, 2), 0, 0, 1, -1)),
             TENSOR(F, SHAPE(2), 1, 4), 0);
  check_node(LPOT_OP_GATHER_ND, NO_ATTRIBUTES, TENSORS(X22, TENSOR(I, SHAPE(2, 1), 1, 0)),
             TENSOR(F, SHAPE(2, 2), 3, 4, 1, 2), 0);
}

static void gather_nd_keeps_batches_apart(void **state) {
  (void)state;
  check_node(
      LPOT_OP_GATHER_ND, ATTRIBUTES(INT("batch_dims", 1)),
      TENSORS(TENSOR(F, SHAPE(2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7), TENSOR(I, SHAPE(2, 1), 1, 0)),
      TENSOR(F, SHAPE(2, 2), 2, 3, 4, 5), 0);
}

static void gather_nd_refuses_what_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_GATHER_ND, NO_ATTRIBUTES, TENSORS(X22, TENSOR(I, SHAPE(1, 2), 0, 2)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "index 2 is outside");
  check_fails(LPOT_OP_GATHER_ND, NO_ATTRIBUTES, TENSORS(X22, TENSOR(I, SHAPE(1, 3), 0, 0, 0)),
              TENSOR(F, SHAPE(1), 0), LPOT_INVALID, "is 3, expected 1 to 2");
  check_fails(LPOT_OP_GATHER_ND, ATTRIBUTES(INT("batch_dims", 2)),
              TENSORS(X22, TENSOR(I, SHAPE(1, 2), 0, 0)), TENSOR(F, SHAPE(1), 0), LPOT_INVALID,
              "batch_dims is 2, the ranks are 2 and 2");
}

static void reverse_sequence_turns_the_beginning_of_each_batch_item(void **state) {
  (void)state;
  check_node(LPOT_OP_REVERSE_SEQUENCE, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3, 2), 1, 10, 2, 20, 3, 30), LIST(3, 2)),
             TENSOR(F, SHAPE(3, 2), 3, 20, 2, 10, 1, 30), 0);
  check_node(LPOT_OP_REVERSE_SEQUENCE, ATTRIBUTES(INT("time_axis", 1), INT("batch_axis", 0)),
             TENSORS(TENSOR(F, SHAPE(2, 3), 1, 2, 3, 4, 5, 6), LIST(0, 2)),
             TENSOR(F, SHAPE(2, 3), 1, 2, 3, 5, 4, 6), 0);
}

static void reverse_sequence_refuses_a_length_outside(void **state) {
  (void)state;
  check_fails(LPOT_OP_REVERSE_SEQUENCE, NO_ATTRIBUTES, TENSORS(X22, LIST(1, 3)),
              TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "a length is 3, expected 0 to 2");
  check_fails(LPOT_OP_REVERSE_SEQUENCE, ATTRIBUTES(INT("batch_axis", 0)), TENSORS(X22, LIST(1, 1)),
              TENSOR(F, SHAPE(2, 2), 0, 0, 0, 0), LPOT_INVALID, "time_axis and batch_axis");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gather_elements_reads_one_element_per_index),
      cmocka_unit_test(gather_elements_refuses_what_does_not_fit),
      cmocka_unit_test(gather_nd_reads_elements_or_slices),
      cmocka_unit_test(gather_nd_keeps_batches_apart),
      cmocka_unit_test(gather_nd_refuses_what_does_not_fit),
      cmocka_unit_test(reverse_sequence_turns_the_beginning_of_each_batch_item),
      cmocka_unit_test(reverse_sequence_refuses_a_length_outside),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
