#include "support/tensor_check.h"

#define F LPOT_F32
#define I LPOT_S64
#define LIST(...) TENSOR(I, SHAPE(CHECK_ENDS(double, __VA_ARGS__)), __VA_ARGS__)
#define X5 TENSOR(F, SHAPE(1, 5), 1, 2, 3, 4, 5)

static void scatter_elements_replaces_elements(void **state) {
  (void)state;
  check_node(LPOT_OP_SCATTER_ELEMENTS, ATTRIBUTES(INT("axis", 1)),
             TENSORS(X5, TENSOR(I, SHAPE(1, 2), 1, -2), TENSOR(F, SHAPE(1, 2), 10, 20)),
             TENSOR(F, SHAPE(1, 5), 1, 10, 3, 20, 5), 0);
}

static void scatter_elements_combines_repeated_updates(void **state) {
  (void)state;
  static const struct {
    const char *reduction;
    double expected;
  } table[] = {{"none", 3}, {"add", 6}, {"mul", 6}, {"max", 3}, {"min", 1}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    check_node(LPOT_OP_SCATTER_ELEMENTS,
               ATTRIBUTES(INT("axis", 1), STRING("reduction", table[i].reduction)),
               TENSORS(X5, TENSOR(I, SHAPE(1, 2), 1, 1), TENSOR(F, SHAPE(1, 2), 1, 3)),
               TENSOR(F, SHAPE(1, 5), 1, table[i].expected, 3, 4, 5), 0);
  }
}

static void scatter_combines_every_type_of_number(void **state) {
  (void)state;
  check_node(LPOT_OP_SCATTER_ELEMENTS, ATTRIBUTES(STRING("reduction", "max")),
             TENSORS(TENSOR(LPOT_U64, SHAPE(1), 5), LIST(0), TENSOR(LPOT_U64, SHAPE(1), 0x1p63)),
             TENSOR(LPOT_U64, SHAPE(1), 0x1p63), 0);
  check_node(LPOT_OP_SCATTER_ELEMENTS, ATTRIBUTES(STRING("reduction", "add")),
             TENSORS(TENSOR(LPOT_S8, SHAPE(1), 5), LIST(0), TENSOR(LPOT_S8, SHAPE(1), -7)),
             TENSOR(LPOT_S8, SHAPE(1), -2), 0);
  check_node(LPOT_OP_SCATTER_ELEMENTS, ATTRIBUTES(STRING("reduction", "mul")),
             TENSORS(TENSOR(LPOT_F16, SHAPE(1), 1.5), LIST(0), TENSOR(LPOT_F16, SHAPE(1), 2)),
             TENSOR(LPOT_F16, SHAPE(1), 3), 0);
}

static void scatter_nd_replaces_slices(void **state) {
  (void)state;
  check_node(LPOT_OP_SCATTER_ND, NO_ATTRIBUTES,
             TENSORS(TENSOR(F, SHAPE(3, 2), 1, 2, 3, 4, 5, 6), TENSOR(I, SHAPE(2, 1), 2, 0),
                     TENSOR(F, SHAPE(2, 2), 50, 60, 10, 20)),
             TENSOR(F, SHAPE(3, 2), 10, 20, 3, 4, 50, 60), 0);
}

static void scatter_nd_adds_to_elements(void **state) {
  (void)state;
  check_node(LPOT_OP_SCATTER_ND, ATTRIBUTES(STRING("reduction", "add")),
             TENSORS(TENSOR(F, SHAPE(2, 2), 1, 2, 3, 4), TENSOR(I, SHAPE(2, 2), 0, 1, 0, 1),
                     TENSOR(F, SHAPE(2), 10, 100)),
             TENSOR(F, SHAPE(2, 2), 1, 112, 3, 4), 0);
}

static void scatter_refuses_what_does_not_fit(void **state) {
  (void)state;
  check_fails(LPOT_OP_SCATTER_ELEMENTS, ATTRIBUTES(STRING("reduction", "xor")),
              TENSORS(X5, TENSOR(I, SHAPE(1, 1), 0), TENSOR(F, SHAPE(1, 1), 0)),
              TENSOR(F, SHAPE(1, 5), 0, 0, 0, 0, 0), LPOT_UNSUPPORTED, "reduction 'xor'");
  check_fails(LPOT_OP_SCATTER_ELEMENTS, NO_ATTRIBUTES,
              TENSORS(X5, TENSOR(I, SHAPE(1, 1), 0), TENSOR(F, SHAPE(1, 2), 0, 0)),
              TENSOR(F, SHAPE(1, 5), 0, 0, 0, 0, 0), LPOT_INVALID, "indices and updates");
  check_fails(LPOT_OP_SCATTER_ND, NO_ATTRIBUTES,
              TENSORS(X5, TENSOR(I, SHAPE(1, 2), 0, 5), TENSOR(F, SHAPE(1), 0)),
              TENSOR(F, SHAPE(1, 5), 0, 0, 0, 0, 0), LPOT_INVALID, "index 5 is outside [-5, 5)");
  check_fails(LPOT_OP_SCATTER_ND, NO_ATTRIBUTES,
              TENSORS(X5, TENSOR(I, SHAPE(1, 1), 0), TENSOR(F, SHAPE(1), 0)),
              TENSOR(F, SHAPE(1, 5), 0, 0, 0, 0, 0), LPOT_INVALID,
              "updates has 1 elements, expected 5");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scatter_elements_replaces_elements),
      cmocka_unit_test(scatter_elements_combines_repeated_updates),
      cmocka_unit_test(scatter_combines_every_type_of_number),
      cmocka_unit_test(scatter_nd_replaces_slices),
      cmocka_unit_test(scatter_nd_adds_to_elements),
      cmocka_unit_test(scatter_refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
