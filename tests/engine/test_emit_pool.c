#include "engine/engine_fixture.h"

static lpot_value_id pool(fixture *f, lpot_op op, lpot_value_id x, uint64_t seed) {
  lpot_value_id y = output_of(f, op, IDS(x));
  if (op == LPOT_OP_GLOBAL_AVERAGE_POOL) {
    return y;
  }
  int64_t kernel = pick(f, 1, 3);
  int64_t stride = pick(f, 1, 3);
  int64_t pads[4];
  for (int i = 0; i < 4; ++i) {
    pads[i] = pick(f, 0, kernel - 1);
  }
  CHECK(lpot_graph_set_ints(f->graph, f->last, "kernel_shape", (int64_t[]){kernel, kernel}, 2, e));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "strides", (int64_t[]){stride, stride}, 2, e));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "pads", pads, 4, e));
  CHECK(lpot_graph_set_int(f->graph, f->last, "ceil_mode", seed % 2, e));
  if (op == LPOT_OP_AVERAGE_POOL) {
    CHECK(lpot_graph_set_int(f->graph, f->last, "count_include_pad", seed / 2 % 2, e));
  }
  return y;
}

static void pools_agree_in_f32(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_MAX_POOL, LPOT_OP_AVERAGE_POOL,
                                LPOT_OP_GLOBAL_AVERAGE_POOL};
  for (uint64_t seed = 0; seed < 90; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, pick(&f, 1, 20), pick(&f, 5, 9), pick(&f, 5, 9)));
    result(&f, pool(&f, ops[seed % 3], x, seed / 3));
    check_engines_agree(&f, 0.0, seed % 3 == 0 ? "max pool" : "average");
  }
}

static void pools_agree_in_int8(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_MAX_POOL, LPOT_OP_AVERAGE_POOL,
                                LPOT_OP_GLOBAL_AVERAGE_POOL};
  for (uint64_t seed = 0; seed < 90; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_dtype dtype = seed / 3 % 2 == 0 ? LPOT_U8 : LPOT_S8;
    int zero_point = dtype == LPOT_U8 ? 111 : -7;
    lpot_value_id x = input(&f, DIMS(2, pick(&f, 1, 20), pick(&f, 5, 9), pick(&f, 5, 9)));
    lpot_value_id y = pool(&f, ops[seed % 3], pair(&f, x, dtype, 0.02, zero_point), seed / 3);
    bool is_max = seed % 3 == 0;
    result(&f, pair(&f, y, dtype, is_max ? 0.02 : 0.01371, is_max ? zero_point : zero_point + 3));
    check_engines_agree(&f, 0.02, is_max ? "max pool" : "average int8");
  }
}

static void one_dimensional_pools_agree(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 3, 11));
  lpot_value_id y = output_of(&f, LPOT_OP_AVERAGE_POOL, IDS(x));
  CHECK(lpot_graph_set_ints(f.graph, f.last, "kernel_shape", (int64_t[]){3}, 1, e));
  CHECK(lpot_graph_set_ints(f.graph, f.last, "pads", (int64_t[]){1, 0}, 2, e));
  result(&f, y);
  check_engines_agree(&f, 0.0, "average");
}

/* What oneDNN lacks runs by reference: windows with holes, and places of maxima. */
static void dilated_averages_agree(void **state) {
  (void)state;
  for (int quantized = 0; quantized < 2; ++quantized) {
    fixture f;
    fixture_begin(&f, 4);
    lpot_value_id x = input(&f, DIMS(2, 3, 9, 9));
    x = quantized ? pair(&f, x, LPOT_U8, 0.03, 100) : x;
    lpot_value_id y = output_of(&f, LPOT_OP_AVERAGE_POOL, IDS(x));
    CHECK(lpot_graph_set_ints(f.graph, f.last, "kernel_shape", (int64_t[]){2, 3}, 2, e));
    CHECK(lpot_graph_set_ints(f.graph, f.last, "dilations", (int64_t[]){3, 2}, 2, e));
    result(&f, quantized ? pair(&f, y, LPOT_U8, 0.03, 100) : y);
    check_engines_agree(&f, quantized ? 0.03 : 0.0, "AveragePool");
  }
}

static void max_pool_with_indices_runs_behind_int8(void **state) {
  (void)state;
  fixture f;
  lpot_engine *engine = NULL;
  lpot_graph *bound = NULL;
  lpot_node_id node = LPOT_NONE;
  lpot_shape unknown = lpot_shape_unknown();
  fixture_begin(&f, 4);
  lpot_value_id x = pair(&f, input(&f, DIMS(1, 2, 4, 4)), LPOT_U8, 0.03, 100);
  lpot_value_id outputs[2];
  for (int i = 0; i < 2; ++i) {
    CHECK(lpot_graph_add_value(f.graph, "v", LPOT_DTYPE_UNKNOWN, &unknown, &outputs[i], e));
  }
  CHECK(lpot_graph_add_node(f.graph, LPOT_OP_MAX_POOL, NULL, &x, 1, outputs, 2, &node, e));
  CHECK(lpot_graph_set_ints(f.graph, node, "kernel_shape", (int64_t[]){2, 2}, 2, e));
  result(&f, pair(&f, outputs[0], LPOT_U8, 0.03, 100));
  result(&f, outputs[1]);
  CHECK(lpot_graph_bind(f.graph, 1, lpot_reference_run, &bound, e));
  lpot_plan *plan = compile_with("onednn", bound, NULL, &engine);
  lpot_tensor *given = random_input(&f, lpot_graph_value(bound, lpot_graph_input(bound, 0)));
  CHECK(lpot_plan_run(plan, (const lpot_tensor *const *)&given, e));
  const lpot_tensor *places = lpot_plan_output(plan, 1);
  for (int64_t i = 0; i < lpot_tensor_elements(places); ++i) {
    int64_t place = lpot_tensor_get_int(places, i);
    double maximum = lpot_tensor_get_double(lpot_plan_output(plan, 0), i);
    assert_true(fabs(lpot_tensor_get_double(given, place) - maximum) < 0.031);
  }
  lpot_tensor_unref(given);
  lpot_plan_free(plan);
  lpot_engine_close(engine);
  lpot_graph_free(bound);
  lpot_graph_free(f.graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pools_agree_in_f32),
      cmocka_unit_test(pools_agree_in_int8),
      cmocka_unit_test(one_dimensional_pools_agree),
      cmocka_unit_test(dilated_averages_agree),
      cmocka_unit_test(max_pool_with_indices_runs_behind_int8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
