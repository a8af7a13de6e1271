#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S32

static void simplified_normalization_divides_by_the_root_mean_square(void **state) {
  (void)state;
  check_nodes_outputs(LPOT_OP_SIMPLIFIED_LAYER_NORMALIZATION, ATTRIBUTES(FLOAT("epsilon", 0)),
                      TENSORS(TENSOR(F, SHAPE(1, 2), 1, 7), TENSOR(F, SHAPE(2), 1, 2)),
                      TENSORS(TENSOR(F, SHAPE(1, 2), 0.2, 2.8), TENSOR(F, SHAPE(1, 1), 0.2)), 1e-6);
  check_node(LPOT_OP_SIMPLIFIED_LAYER_NORMALIZATION,
             ATTRIBUTES(INT("axis", 0), FLOAT("epsilon", 0)),
             TENSORS(TENSOR(F, SHAPE(2, 1), 1, 7), TENSOR(F, SHAPE(2, 1), 5, 5)),
             TENSOR(F, SHAPE(2, 1), 1, 7), 1e-6);
}

static void skip_normalization_adds_first(void **state) {
  (void)state;
  /* 1 + 2 and 4 + 1, plus a bias of 0 and 2: 3 and 7; mean 5, deviation 2. */
  check_nodes_outputs(LPOT_OP_SKIP_LAYER_NORMALIZATION, ATTRIBUTES(FLOAT("epsilon", 0)),
                      TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 4), TENSOR(F, SHAPE(1, 2), 2, 1),
                              TENSOR(F, SHAPE(2), 1, 3), TENSOR(F, SHAPE(2), 10, 20),
                              TENSOR(F, SHAPE(2), 0, 2)),
                      TENSORS(TENSOR(F, SHAPE(1, 1, 2), 9, 23), TENSOR(F, SHAPE(1, 1, 1), 5),
                              TENSOR(F, SHAPE(1, 1, 1), 0.5), TENSOR(F, SHAPE(1, 1, 2), 3, 7)),
                      1e-6);
  check_node(LPOT_OP_SKIP_SIMPLIFIED_LAYER_NORMALIZATION, ATTRIBUTES(FLOAT("epsilon", 0)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 0, 6), TENSOR(F, SHAPE(1, 1, 2), 1, 1),
                     TENSOR(F, SHAPE(2), 1, 1)),
             TENSOR(F, SHAPE(1, 1, 2), 0.2, 1.4), 1e-6);
}

static void skip_normalization_refuses_what_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_SKIP_LAYER_NORMALIZATION, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(1, 3), 1, 2, 3),
                      TENSOR(F, SHAPE(2), 1, 1)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "does not broadcast");
  check_fails(LPOT_OP_SKIP_LAYER_NORMALIZATION, NO_ATTRIBUTES,
              TENSORS(TENSOR(F, SHAPE(1, 2), 1, 2), TENSOR(F, SHAPE(1, 2), 1, 2),
                      TENSOR(F, SHAPE(3), 1, 1, 1)),
              TENSOR(F, SHAPE(1, 2), 0, 0), LPOT_INVALID, "gamma has 3 elements");
}

static void embeddings_are_looked_up_and_normalized(void **state) {
  (void)state;
  /* Words 2 and 0, positions 0 and 1: sums (3, 5) and (1, 9); the mask has one 1. */
  check_nodes_outputs(LPOT_OP_EMBED_LAYER_NORMALIZATION, ATTRIBUTES(FLOAT("epsilon", 0)),
                      TENSORS(TENSOR(I, SHAPE(1, 2), 2, 0), NULL,
                              TENSOR(F, SHAPE(3, 2), 0, 5, 9, 9, 2, 3),
                              TENSOR(F, SHAPE(2, 2), 1, 2, 1, 4), NULL, TENSOR(F, SHAPE(2), 1, 1),
                              TENSOR(F, SHAPE(2), 0, 0), TENSOR(I, SHAPE(1, 2), 1, 0)),
                      TENSORS(TENSOR(F, SHAPE(1, 2, 2), -1, 1, -1, 1), TENSOR(I, SHAPE(1), 1),
                              TENSOR(F, SHAPE(1, 2, 2), 3, 5, 1, 9)),
                      1e-6);
}

static void embeddings_refuse_ids_out_of_range(void **state) {
  (void)state;
  for (int id = -1; id <= 2; id += 3) {
    check_fails(LPOT_OP_EMBED_LAYER_NORMALIZATION, NO_ATTRIBUTES,
                TENSORS(TENSOR(I, SHAPE(1, 1), id), NULL, TENSOR(F, SHAPE(2, 1), 1, 2),
                        TENSOR(F, SHAPE(1, 1), 1), NULL, TENSOR(F, SHAPE(1), 1),
                        TENSOR(F, SHAPE(1), 0)),
                TENSOR(F, SHAPE(1, 1, 1), 0), LPOT_INVALID, "expected 0 to 1");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(simplified_normalization_divides_by_the_root_mean_square),
      cmocka_unit_test(skip_normalization_adds_first),
      cmocka_unit_test(skip_normalization_refuses_what_does_not_fit),
      cmocka_unit_test(embeddings_are_looked_up_and_normalized),
      cmocka_unit_test(embeddings_refuse_ids_out_of_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
