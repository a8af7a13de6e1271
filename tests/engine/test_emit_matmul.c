#include "engine/engine_fixture.h"

static void matmul_with_constant_weights_agrees(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t rows = pick(&f, 1, 9), depth = pick(&f, 1, 70), columns = pick(&f, 1, 70);
    lpot_value_id x = input(&f, DIMS(pick(&f, 1, 3), rows, depth));
    lpot_value_id y = output_of(&f, LPOT_OP_MATMUL, IDS(x, weights(&f, 0.2, DIMS(depth, columns))));
    if (seed % 2 == 1) {
      lpot_value_id bias = weights(&f, 1.0, DIMS(columns));
      y = seed % 4 == 1 ? output_of(&f, LPOT_OP_ADD, IDS(bias, y))
                        : output_of(&f, LPOT_OP_ADD, IDS(y, bias));
      y = output_of(&f, LPOT_OP_RELU, IDS(y));
    }
    result(&f, y);
    check_engines_agree(&f, 0.0, "matmul");
  }
}

static void int8_matmul_agrees_for_all_activation_types(void **state) {
  (void)state;
  static const struct {
    lpot_dtype dtype;
    int zero_point;
  } types[] = {{LPOT_U8, 0}, {LPOT_U8, 91}, {LPOT_S8, 0}, {LPOT_S8, 9}};
  for (uint64_t seed = 0; seed < 64; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t rows = pick(&f, 1, 9), depth = pick(&f, 1, 70), columns = pick(&f, 1, 70);
    lpot_dtype in = types[seed % 4].dtype, out = types[seed / 4 % 4].dtype;
    lpot_value_id x = input(&f, DIMS(2, rows, depth));
    lpot_value_id q = pair(&f, x, in, 0.02, types[seed % 4].zero_point);
    lpot_value_id w = int8_weights(&f, 1, pick(&f, 0, 1) == 1, DIMS(depth, columns));
    lpot_value_id y = output_of(&f, LPOT_OP_MATMUL, IDS(q, w));
    if (seed % 3 == 1) {
      y = output_of(&f, LPOT_OP_ADD, IDS(y, weights(&f, 1.0, DIMS(columns))));
    }
    result(&f, pair(&f, y, out, 0.06, types[seed / 4 % 4].zero_point));
    check_engines_agree(&f, 0.06, "matmul int8");
  }
}

static void gemm_agrees_with_and_without_transposed_weights(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t depth = pick(&f, 1, 40), columns = pick(&f, 1, 40);
    bool transposed = seed % 2 == 1;
    lpot_value_id x = input(&f, DIMS(3, depth));
    lpot_value_id w = transposed ? weights(&f, 0.2, DIMS(columns, depth))
                                 : weights(&f, 0.2, DIMS(depth, columns));
    lpot_value_id y = output_of(&f, LPOT_OP_GEMM, IDS(x, w, weights(&f, 1.0, DIMS(columns))));
    CHECK(lpot_graph_set_int(f.graph, f.last, "transB", transposed, e));
    result(&f, y);
    check_engines_agree(&f, 0.0, "matmul");
  }
}

static void int8_gemm_agrees_with_and_without_transposed_weights(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t depth = pick(&f, 1, 40), columns = pick(&f, 1, 40);
    bool transposed = seed % 2 == 1;
    lpot_value_id q = pair(&f, input(&f, DIMS(3, depth)), LPOT_U8, 0.02, 120);
    lpot_value_id w = transposed ? int8_weights(&f, 0, true, DIMS(columns, depth))
                                 : int8_weights(&f, 1, true, DIMS(depth, columns));
    lpot_value_id y = output_of(&f, LPOT_OP_GEMM, IDS(q, w, weights(&f, 1.0, DIMS(columns))));
    CHECK(lpot_graph_set_int(f.graph, f.last, "transB", transposed, e));
    result(&f, pair(&f, y, LPOT_U8, 0.05, 128));
    check_engines_agree(&f, 0.05, "matmul int8");
  }
}

static void matmul_of_two_activations_broadcasts(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t m = pick(&f, 1, 9), k = pick(&f, 1, 9), n = pick(&f, 1, 9), heads = pick(&f, 1, 3);
    lpot_value_id a = input(&f, DIMS(2, heads, m, k));
    lpot_value_id b = seed % 2 == 0 ? input(&f, DIMS(2, heads, k, n)) : input(&f, DIMS(1, k, n));
    result(&f, output_of(&f, LPOT_OP_MATMUL, IDS(a, b)));
    check_engines_agree(&f, 0.0, "matmul");
  }
}

/* As in attention. */
static void products_of_two_int8_activations_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 36; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t m = pick(&f, 1, 20), k = pick(&f, 1, 33), n = pick(&f, 1, 20);
    lpot_value_id a = input(&f, DIMS(2, 3, m, k));
    lpot_value_id b = seed % 5 == 4 ? input(&f, DIMS(1, k, n)) : input(&f, DIMS(2, 3, k, n));
    a = pair(&f, a, seed % 2 == 0 ? LPOT_U8 : LPOT_S8, 0.02, seed % 2 == 0 ? 120 : 3);
    static const int zero_points[4] = {0, 4, 120, 128};
    b = pair(&f, b, seed % 4 < 2 ? LPOT_S8 : LPOT_U8, 0.02, zero_points[seed % 4]);
    lpot_value_id y = output_of(&f, LPOT_OP_MATMUL, IDS(a, b));
    result(&f, pair(&f, y, LPOT_U8, 0.05, 128));
    check_engines_agree(&f, 0.05, "matmul int8");
  }
}

static void products_of_depth_zero_are_zero(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 0));
  result(&f, output_of(&f, LPOT_OP_MATMUL, IDS(x, weights(&f, 1.0, DIMS(0, 4)))));
  lpot_graph *bound = NULL;
  lpot_engine *engine = NULL;
  CHECK(lpot_graph_bind(f.graph, 2, lpot_reference_run, &bound, e));
  lpot_plan *plan = compile_with("onednn", bound, NULL, &engine);
  lpot_tensor *given = random_input(&f, lpot_graph_value(bound, lpot_graph_input(bound, 0)));
  CHECK(lpot_plan_run(plan, (const lpot_tensor *const[]){given}, e));
  for (int64_t i = 0; i < 8; ++i) {
    assert_true(lpot_tensor_get_double(lpot_plan_output(plan, 0), i) == 0.0);
  }
  lpot_tensor_unref(given);
  lpot_plan_free(plan);
  lpot_engine_close(engine);
  lpot_graph_free(bound);
  lpot_graph_free(f.graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_of_two_int8_activations_agree),
      cmocka_unit_test(products_of_depth_zero_are_zero),
      cmocka_unit_test(matmul_with_constant_weights_agrees),
      cmocka_unit_test(int8_matmul_agrees_for_all_activation_types),
      cmocka_unit_test(gemm_agrees_with_and_without_transposed_weights),
      cmocka_unit_test(int8_gemm_agrees_with_and_without_transposed_weights),
      cmocka_unit_test(matmul_of_two_activations_broadcasts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
