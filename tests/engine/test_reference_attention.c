#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S32

/* Two places of one number x, with keys and queries 0 and values x: the mean of what is seen. */
#define PLACES TENSOR(F, SHAPE(1, 2, 1), 2, 6), TENSOR(F, SHAPE(1, 3), 0, 0, 1)

static void places_average_what_they_see(void **state) {
  (void)state;
  check_node(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1)), TENSORS(PLACES),
             TENSOR(F, SHAPE(1, 2, 1), 4, 4), 1e-6);
  check_node(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1), INT("unidirectional", 1)),
             TENSORS(PLACES), TENSOR(F, SHAPE(1, 2, 1), 2, 4), 1e-6);
}

static void masks_hide_places(void **state) {
  (void)state;
  check_node(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1)),
             TENSORS(PLACES, NULL, TENSOR(I, SHAPE(1), 1)), TENSOR(F, SHAPE(1, 2, 1), 2, 2), 1e-6);
  check_node(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1)),
             TENSORS(PLACES, NULL, TENSOR(I, SHAPE(2), 2, 1)), TENSOR(F, SHAPE(1, 2, 1), 6, 6),
             1e-6);
  check_node(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1)),
             TENSORS(PLACES, NULL, TENSOR(I, SHAPE(1, 2, 2), 1, 0, 0, 1)),
             TENSOR(F, SHAPE(1, 2, 1), 2, 6), 1e-6);
}

static void scores_are_scaled_products(void **state) {
  (void)state;
  /* Query = key = value = x of 0 and 1; the second place scores 0 and scale. */
  double weight = exp(2.0) / (1.0 + exp(2.0));
  check_node(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1), FLOAT("scale", 2)),
             TENSORS(TENSOR(F, SHAPE(1, 2, 1), 0, 1), TENSOR(F, SHAPE(1, 3), 1, 1, 1)),
             TENSOR(F, SHAPE(1, 2, 1), 0.5, weight), 1e-6);
}

static void wrong_sizes_are_refused(void **state) {
  (void)state;
  check_fails(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 2)), TENSORS(PLACES),
              TENSOR(F, SHAPE(1, 2, 1), 0, 0), LPOT_INVALID, "2 heads");
  check_fails(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1), INTS("qkv_hidden_sizes", 1, 1, 9)),
              TENSORS(PLACES), TENSOR(F, SHAPE(1, 2, 1), 0, 0), LPOT_INVALID, "1 heads");
  check_fails(LPOT_OP_ATTENTION, ATTRIBUTES(INT("num_heads", 1)),
              TENSORS(PLACES, NULL, TENSOR(I, SHAPE(1, 3), 1, 1, 1)),
              TENSOR(F, SHAPE(1, 2, 1), 0, 0), LPOT_UNSUPPORTED, "mask of shape [1, 3]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(places_average_what_they_see),
      cmocka_unit_test(masks_hide_places),
      cmocka_unit_test(scores_are_scaled_products),
      cmocka_unit_test(wrong_sizes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
