#include "engine/engine_fixture.h"

#include "engine/onednn/dl.h"
#include "engine/onednn/loops.h"

/* Graphs whose tensors pass through bf16, held against the reference engine. */

static lpot_value_id cast_to(fixture *f, lpot_value_id value, lpot_dtype dtype) {
  lpot_value_id id = output_of(f, LPOT_OP_CAST, IDS(value));
  CHECK(lpot_graph_set_int(f->graph, f->last, "to", lpot_dtype_to_onnx(dtype), e));
  return id;
}

static lpot_value_id rounded(fixture *f, lpot_value_id value) {
  return cast_to(f, cast_to(f, value, LPOT_BF16), LPOT_F32);
}

/* A bf16 constant behind a Cast. */
static lpot_value_id bf16_weights(fixture *f, double spread, int rank, const int64_t *dims) {
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_value_id id = LPOT_NONE;
  CHECK(lpot_tensor_new(LPOT_BF16, &shape, &tensor, e));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    lpot_tensor_set_double(tensor, i, spread * lpot_rng_normal(&f->rng));
  }
  CHECK(lpot_graph_add_constant(f->graph, "wb", &tensor, &id, e));
  return cast_to(f, id, LPOT_F32);
}

/* Where the processor lacks bf16 the nodes run in f32: the values are the same. */
static const char *kind(const char *wanted) {
  const char *isa = lpot_dl_isa();
  bool has_bf16 = strcmp(isa, "avx512_core_bf16") == 0 || strcmp(isa, "avx512_core_amx") == 0;
  return has_bf16 ? wanted : NULL;
}

static lpot_value_id bf16_conv(fixture *f, lpot_value_id x, int64_t in, int64_t out, int64_t group,
                               int64_t kernel, int64_t stride) {
  lpot_value_id w = bf16_weights(f, 0.2, DIMS(out, in / group, kernel, kernel));
  lpot_value_id y = output_of(f, LPOT_OP_CONV, IDS(x, w, weights(f, 1.0, DIMS(out))));
  int64_t pad = kernel / 2;
  CHECK(lpot_graph_set_ints(f->graph, f->last, "pads", (int64_t[]){pad, pad, pad, pad}, 4, e));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "strides", (int64_t[]){stride, stride}, 2, e));
  CHECK(lpot_graph_set_int(f->graph, f->last, "group", group, e));
  return y;
}

static void convolutions_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    bool is_depthwise = seed % 5 == 4;
    int64_t in = is_depthwise ? 16 : pick(&f, 1, 40);
    int64_t out = is_depthwise ? 16 : pick(&f, 1, 40);
    lpot_value_id x = rounded(&f, input(&f, DIMS(pick(&f, 1, 2), in, 9, 7)));
    lpot_value_id y =
        bf16_conv(&f, x, in, out, is_depthwise ? in : 1, 2 * pick(&f, 0, 1) + 1, pick(&f, 1, 2));
    y = seed % 2 == 1 ? output_of(&f, LPOT_OP_RELU, IDS(y)) : y;
    result(&f, seed % 3 == 0 ? y : rounded(&f, y));
    check_engines_agree(&f, seed % 3 == 0 ? 0.0 : 0.25, kind("conv bf16"));
  }
}

/* Behind the first Cast nothing is f32 until the end. */
static void neighbours_hand_bf16_over(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 3);
  lpot_value_id x = rounded(&f, input(&f, DIMS(2, 16, 8, 8)));
  x = rounded(&f, output_of(&f, LPOT_OP_RELU, IDS(bf16_conv(&f, x, 16, 24, 1, 3, 1))));
  x = rounded(&f, output_of(&f, LPOT_OP_RELU, IDS(bf16_conv(&f, x, 24, 16, 1, 1, 1))));
  result(&f, x);
  lpot_graph *bound = NULL;
  lpot_engine *engine = NULL;
  lpot_plan_stats stats;
  CHECK(lpot_graph_bind(f.graph, 2, lpot_reference_run, &bound, e));
  lpot_plan *plan = compile_with("onednn", bound, NULL, &engine);
  lpot_plan_get_stats(plan, &stats);
  for (size_t i = 0; i < stats.num_steps && kind("") != NULL; ++i) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    if (strcmp(step.kind, "conv bf16") == 0) {
      assert_int_equal(step.input_dtype, LPOT_BF16);
      assert_int_equal(step.output_dtype, LPOT_BF16);
    }
  }
  /* layout, to bf16, two convolutions, from bf16, layout */
  assert_true(kind("") == NULL || stats.num_steps <= 6);
  lpot_plan_free(plan);
  lpot_engine_close(engine);
  lpot_graph_free(bound);
  check_engines_agree(&f, 0.25, kind("conv bf16"));
}

static void residual_sums_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 24; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 12, 10, 11));
    lpot_value_id c = rounded(&f, bf16_conv(&f, rounded(&f, x), 12, 12, 1, 3, 1));
    lpot_value_id other = seed % 2 == 0 ? output_of(&f, LPOT_OP_TANH, IDS(x)) : rounded(&f, x);
    lpot_value_id y = seed % 4 < 2 ? output_of(&f, LPOT_OP_ADD, IDS(c, other))
                                   : output_of(&f, LPOT_OP_ADD, IDS(other, c));
    y = seed % 3 == 1 ? output_of(&f, LPOT_OP_RELU, IDS(y)) : y;
    result(&f, seed % 3 == 2 ? y : rounded(&f, y));
    check_engines_agree(&f, 0.25, "sum bf16");
  }
}

static void matmul_and_gemm_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t depth = pick(&f, 1, 70), columns = pick(&f, 1, 70);
    bool is_gemm = seed % 2 == 0;
    bool transposed = seed % 4 == 0;
    lpot_value_id x = is_gemm ? input(&f, DIMS(pick(&f, 1, 9), depth))
                              : input(&f, DIMS(2, pick(&f, 1, 9), depth));
    lpot_value_id w = transposed ? bf16_weights(&f, 0.2, DIMS(columns, depth))
                                 : bf16_weights(&f, 0.2, DIMS(depth, columns));
    lpot_value_id b = weights(&f, 1.0, DIMS(columns));
    lpot_value_id y = is_gemm ? output_of(&f, LPOT_OP_GEMM, IDS(rounded(&f, x), w, b))
                              : output_of(&f, LPOT_OP_MATMUL, IDS(rounded(&f, x), w));
    if (is_gemm) {
      CHECK(lpot_graph_set_int(f.graph, f.last, "transB", transposed, e));
    } else if (seed % 3 == 0) {
      y = output_of(&f, LPOT_OP_ADD, IDS(y, b));
    }
    result(&f, seed % 5 == 0 ? y : rounded(&f, y));
    if (kind("") != NULL) {
      check_engines_agree(&f, seed % 5 == 0 ? 0.0 : 0.25, "matmul bf16");
    } else {
      lpot_graph_free(f.graph);
    }
  }
}

static void matmul_of_two_activations_agrees(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 12 && kind("") != NULL; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t heads = pick(&f, 1, 3), depth = pick(&f, 1, 40);
    lpot_value_id a = rounded(&f, input(&f, DIMS(2, heads, pick(&f, 1, 9), depth)));
    lpot_value_id b = rounded(&f, input(&f, DIMS(2, heads, depth, pick(&f, 1, 20))));
    result(&f, rounded(&f, output_of(&f, LPOT_OP_MATMUL, IDS(a, b))));
    check_engines_agree(&f, 0.25, "matmul bf16");
  }
}

static void loops_round_as_the_conversion_does(void **state) {
  (void)state;
  static const uint32_t bits[] = {0x3F800000U, 0x3F808000U, 0x3F818000U, 0x3F808001U, 0x7F7FFFFFU,
                                  0x7F800000U, 0xFF800000U, 0x7F800001U, 0xFFFFFFFFU, 0x80000000U,
                                  0x00000001U, 0x00018000U, 0xBF817FFFU, 0x7FC00000U, 0x00000000U};
  enum { COUNT = sizeof bits / sizeof bits[0] };
  float values[COUNT], back[COUNT];
  uint16_t out[COUNT];
  memcpy(values, bits, sizeof values);
  lpot_loop_to_bf16(values, COUNT, out);
  lpot_loop_from_bf16(out, COUNT, back);
  for (size_t i = 0; i < COUNT; ++i) {
    float wide = lpot_bf16_to_f32(out[i]);
    assert_int_equal(out[i], lpot_f32_to_bf16(values[i]));
    assert_memory_equal(&back[i], &wide, sizeof wide);
  }
}

static void sums_pass_nan_on_and_cut_at_zero(void **state) {
  (void)state;
  float a[3] = {NAN, -2.0f, 1.0f}, b[3] = {1.0f, 1.0f, 0x1p-9f}, out[3];
  uint16_t narrow[3];
  lpot_loop_bf16_sum sum = {.relu = true};
  lpot_loop_bf16_sum_run(&sum, a, b, 3, out);
  assert_true(isnan(out[0]) && out[1] == 0.0f && out[2] == 1.0f + 0x1p-9f);
  sum = (lpot_loop_bf16_sum){.out_is_bf16 = true};
  lpot_loop_bf16_sum_run(&sum, a, b, 3, narrow);
  assert_int_equal(narrow[1], lpot_f32_to_bf16(-1.0f));
  assert_int_equal(narrow[2], lpot_f32_to_bf16(1.0f));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_agree),
      cmocka_unit_test(neighbours_hand_bf16_over),
      cmocka_unit_test(residual_sums_agree),
      cmocka_unit_test(matmul_and_gemm_agree),
      cmocka_unit_test(matmul_of_two_activations_agrees),
      cmocka_unit_test(loops_round_as_the_conversion_does),
      cmocka_unit_test(sums_pass_nan_on_and_cut_at_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
