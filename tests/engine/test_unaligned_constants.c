#include <stdlib.h>

#include "engine/engine_fixture.h"

/* Large weights stay where the model file has them, which may be at an odd place: a sanitizer build
 * tells when a pointer to float meets one. */

static uint8_t *storage[8];
static size_t num_stored;

static lpot_value_id odd_weights(fixture *f, int rank, const int64_t *dims) {
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_tensor *tensor = NULL;
  lpot_value_id id = LPOT_NONE;
  size_t size = (size_t)lpot_shape_elements(&shape) * sizeof(float);
  uint8_t *bytes = malloc(size + 1);
  assert_non_null(bytes);
  storage[num_stored++] = bytes;
  for (size_t i = 0; i < size; i += sizeof(float)) {
    float value = (float)lpot_rng_normal(&f->rng);
    memcpy(bytes + 1 + i, &value, sizeof value);
  }
  CHECK(lpot_tensor_view(LPOT_F32, &shape, bytes + 1, size, NULL, &tensor, e));
  assert_false(lpot_tensor_is_aligned(tensor));
  CHECK(lpot_graph_add_constant(f->graph, "w", &tensor, &id, e));
  return id;
}

static void finish(fixture *f, lpot_value_id y, const char *kind) {
  result(f, y);
  check_engines_agree(f, 0.0, kind);
  while (num_stored > 0) {
    free(storage[--num_stored]);
  }
}

static void convolutions_and_products_take_them(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 8, 6, 6));
  finish(&f, output_of(&f, LPOT_OP_CONV, IDS(x, odd_weights(&f, DIMS(16, 8, 3, 3)))), "conv");
  fixture_begin(&f, 2);
  x = input(&f, DIMS(2, 5, 16));
  finish(&f, output_of(&f, LPOT_OP_MATMUL, IDS(x, odd_weights(&f, DIMS(16, 9)))), "matmul");
  fixture_begin(&f, 3);
  x = input(&f, DIMS(2, 16));
  finish(&f, output_of(&f, LPOT_OP_GEMM, IDS(x, odd_weights(&f, DIMS(16, 9)))), "matmul");
  fixture_begin(&f, 4);
  x = input(&f, DIMS(2, 3, 5, 16));
  finish(&f, output_of(&f, LPOT_OP_MATMUL, IDS(x, odd_weights(&f, DIMS(3, 16, 9)))), "matmul");
}

static void other_operators_take_them(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 5);
  lpot_value_id x = input(&f, DIMS(2, 5, 16));
  finish(&f, output_of(&f, LPOT_OP_ADD, IDS(x, odd_weights(&f, DIMS(5, 16)))), "binary");
  fixture_begin(&f, 6);
  lpot_value_id table = odd_weights(&f, DIMS(7, 16));
  x = output_of(&f, LPOT_OP_CAST, IDS(output_of(&f, LPOT_OP_SIGN, IDS(input(&f, DIMS(2, 5))))));
  CHECK(lpot_graph_set_int(f.graph, f.last, "to", 7, e));
  finish(&f, output_of(&f, LPOT_OP_GATHER, IDS(table, x)), NULL);
  fixture_begin(&f, 7);
  x = input(&f, DIMS(2, 5, 16));
  lpot_value_id parts[2] = {x, odd_weights(&f, DIMS(2, 3, 16))};
  lpot_value_id y = output_of(&f, LPOT_OP_CONCAT, parts, 2);
  CHECK(lpot_graph_set_int(f.graph, f.last, "axis", 1, e));
  finish(&f, y, "concat");
  fixture_begin(&f, 8);
  x = input(&f, DIMS(2, 5));
  result(&f, output_of(&f, LPOT_OP_RELU, IDS(x)));
  finish(&f, odd_weights(&f, DIMS(4, 3)), NULL); /* an output that is a constant */
}

static void bf16_products_take_them(void **state) {
  (void)state;
  lpot_engine *engine = NULL;
  CHECK(lpot_engine_open("onednn", &engine, e));
  bool has_bf16 = lpot_engine_has_bf16(engine);
  lpot_engine_close(engine);
  if (!has_bf16) {
    print_message("SKIPPED bf16_products_take_them: this processor has no bf16\n");
    return;
  }
  fixture f;
  fixture_begin(&f, 9);
  lpot_value_id x = input(&f, DIMS(2, 5, 16));
  lpot_value_id w = odd_weights(&f, DIMS(16, 9));
  for (size_t i = 0; i < 16 * 9; ++i) { /* numbers of bf16 */
    memset(storage[0] + 1 + i * sizeof(float), 0, 2);
  }
  lpot_value_id narrow = output_of(&f, LPOT_OP_CAST, IDS(x));
  CHECK(lpot_graph_set_int(f.graph, f.last, "to", 16, e));
  lpot_value_id wide = output_of(&f, LPOT_OP_CAST, IDS(narrow));
  CHECK(lpot_graph_set_int(f.graph, f.last, "to", 1, e));
  lpot_value_id y = output_of(&f, LPOT_OP_MATMUL, IDS(wide, w));
  narrow = output_of(&f, LPOT_OP_CAST, IDS(y));
  CHECK(lpot_graph_set_int(f.graph, f.last, "to", 16, e));
  wide = output_of(&f, LPOT_OP_CAST, IDS(narrow));
  CHECK(lpot_graph_set_int(f.graph, f.last, "to", 1, e));
  result(&f, wide);
  check_engines_agree(&f, 0.1, "matmul bf16");
  free(storage[--num_stored]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_and_products_take_them),
      cmocka_unit_test(other_operators_take_them),
      cmocka_unit_test(bf16_products_take_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
