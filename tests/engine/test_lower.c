#include "engine/engine_fixture.h"

/* Operators that the oneDNN engine takes apart, against the reference engine, which runs them as
 * they are. */

#define SCALE 0.05
#define ZERO 128

static lpot_value_id bytes(fixture *f, lpot_dtype dtype, int64_t low, int64_t high, int rank,
                           const int64_t *dims) {
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_value_id id = LPOT_NONE;
  CHECK(lpot_tensor_new(dtype, &shape, &tensor, e));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    lpot_tensor_set_int(tensor, i, pick(f, low, high));
  }
  CHECK(lpot_graph_add_constant(f->graph, "b", &tensor, &id, e));
  return id;
}

static lpot_value_id scales(fixture *f, int64_t count) {
  lpot_value_id id = weights(f, 1.0, 1, &count);
  lpot_tensor *tensor = lpot_graph_value(f->graph, id)->constant;
  for (int64_t i = 0; i < count; ++i) {
    lpot_tensor_set_double(tensor, i, 0.005 + 0.01 * lpot_rng_uniform(&f->rng));
  }
  return id;
}

static lpot_value_id quantize(fixture *f, lpot_value_id value) {
  return output_of(f, LPOT_OP_QUANTIZE_LINEAR,
                   IDS(value, number(f, LPOT_F32, SCALE), number(f, LPOT_U8, ZERO)));
}

static void finish(fixture *f, lpot_value_id value, double scale, const char *kind) {
  result(f, output_of(f, LPOT_OP_DEQUANTIZE_LINEAR,
                      IDS(value, number(f, LPOT_F32, scale), number(f, LPOT_U8, ZERO))));
  check_engines_agree(f, scale, kind);
}

/* Weights of s8, of u8 around 128 and of u8 that do not fit s8 when centered. */
typedef struct weight_kind {
  lpot_dtype dtype;
  int64_t low, high, zero_point;
  const char *conv, *matmul;
} weight_kind;

static const weight_kind weight_kinds[] = {
    {LPOT_S8, -127, 127, 0, "conv int8", "matmul int8"},
    {LPOT_U8, 0, 255, 128, "conv int8", "matmul int8"},
    {LPOT_S8, -100, 100, 20, "conv int8", "matmul int8"},
    {LPOT_U8, 0, 255, 60, "conv", "matmul"},
};

static lpot_value_id qlinear_conv(fixture *f, lpot_value_id x, const weight_kind *kind,
                                  bool with_bias) {
  lpot_value_id w = bytes(f, kind->dtype, kind->low, kind->high, DIMS(8, 4, 3, 3));
  lpot_value_id inputs[9] = {x,
                             number(f, LPOT_F32, SCALE),
                             number(f, LPOT_U8, ZERO),
                             w,
                             scales(f, 8),
                             number(f, kind->dtype, (double)kind->zero_point),
                             number(f, LPOT_F32, 0.5),
                             number(f, LPOT_U8, ZERO),
                             bytes(f, LPOT_S32, -9000, 9000, DIMS(8))};
  lpot_value_id y = output_of(f, LPOT_OP_QLINEAR_CONV, inputs, with_bias ? 9 : 8);
  CHECK(lpot_graph_set_ints(f->graph, f->last, "pads", (int64_t[]){1, 1, 1, 1}, 4, e));
  return y;
}

static void qlinear_conv_runs_on_bytes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof weight_kinds / sizeof weight_kinds[0]; ++i) {
    for (int with_bias = 0; with_bias < 2; ++with_bias) {
      fixture f;
      fixture_begin(&f, i);
      lpot_value_id x = quantize(&f, input(&f, DIMS(2, 4, 7, 6)));
      lpot_value_id y = qlinear_conv(&f, x, &weight_kinds[i], with_bias == 1);
      finish(&f, y, 0.5, weight_kinds[i].conv);
    }
  }
}

static void qlinear_add_joins_its_convolution(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 3);
  lpot_value_id x = quantize(&f, input(&f, DIMS(1, 4, 7, 6)));
  lpot_value_id a = qlinear_conv(&f, x, &weight_kinds[0], true);
  lpot_value_id b = qlinear_conv(&f, x, &weight_kinds[1], false);
  lpot_value_id s = number(&f, LPOT_F32, 0.5);
  lpot_value_id z = number(&f, LPOT_U8, ZERO);
  lpot_value_id out = number(&f, LPOT_F32, 0.7);
  lpot_value_id sum = output_of(&f, LPOT_OP_QLINEAR_ADD, IDS(a, s, z, b, s, z, out, z));
  finish(&f, sum, 0.7, "conv int8 + sum");
}

static void qlinear_matmul_and_qgemm_run_on_bytes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof weight_kinds / sizeof weight_kinds[0]; ++i) {
    const weight_kind *kind = &weight_kinds[i];
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = quantize(&f, input(&f, DIMS(3, 8)));
    lpot_value_id s = number(&f, LPOT_F32, SCALE);
    lpot_value_id z = number(&f, LPOT_U8, ZERO);
    lpot_value_id w = bytes(&f, kind->dtype, kind->low, kind->high, DIMS(8, 5));
    lpot_value_id wz = number(&f, kind->dtype, (double)kind->zero_point);
    lpot_value_id out = number(&f, LPOT_F32, 0.3);
    lpot_value_id y =
        output_of(&f, LPOT_OP_QLINEAR_MATMUL, IDS(x, s, z, w, scales(&f, 5), wz, out, z));
    finish(&f, y, 0.3, kind->matmul);
    fixture_begin(&f, i);
    x = quantize(&f, input(&f, DIMS(3, 8)));
    s = number(&f, LPOT_F32, SCALE);
    z = number(&f, LPOT_U8, ZERO);
    w = bytes(&f, kind->dtype, kind->low, kind->high, DIMS(5, 8));
    wz = number(&f, kind->dtype, (double)kind->zero_point);
    lpot_value_id c = bytes(&f, LPOT_S32, -900, 900, DIMS(5));
    result(&f, output_of(&f, LPOT_OP_QGEMM, IDS(x, s, z, w, scales(&f, 5), wz, c)));
    CHECK(lpot_graph_set_int(f.graph, f.last, "transB", 1, e));
    CHECK(lpot_graph_set_float(f.graph, f.last, "alpha", 0.5f, e));
    check_engines_agree(&f, 0.0, kind->matmul);
  }
}

static void qlinear_pools_joins_and_products_run_on_bytes(void **state) {
  (void)state;
  static const struct {
    lpot_op op;
    const char *kind;
  } rows[] = {{LPOT_OP_QLINEAR_AVERAGE_POOL, "average int8"},
              {LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL, "average int8"},
              {LPOT_OP_QLINEAR_LEAKY_RELU, "lookup"},
              {LPOT_OP_QLINEAR_SIGMOID, "lookup"},
              {LPOT_OP_QLINEAR_SOFTMAX, "fused softmax"},
              {LPOT_OP_QLINEAR_MUL, "binary int8"},
              {LPOT_OP_QLINEAR_CONCAT, "concat"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = quantize(&f, input(&f, DIMS(2, 4, 6, 6)));
    lpot_value_id s = number(&f, LPOT_F32, SCALE);
    lpot_value_id z = number(&f, LPOT_U8, ZERO);
    lpot_value_id out = number(&f, LPOT_F32, 0.02);
    lpot_value_id y = LPOT_NONE;
    if (rows[i].op == LPOT_OP_QLINEAR_MUL) {
      y = output_of(&f, rows[i].op, IDS(x, s, z, x, s, z, out, z));
    } else if (rows[i].op == LPOT_OP_QLINEAR_CONCAT) {
      y = output_of(&f, rows[i].op, IDS(out, z, x, s, z, x, s, z));
      CHECK(lpot_graph_set_int(f.graph, f.last, "axis", 1, e));
    } else {
      y = output_of(&f, rows[i].op, IDS(x, s, z, out, z));
      CHECK(lpot_graph_set_ints(f.graph, f.last, "kernel_shape", (int64_t[]){2, 2}, 2, e));
    }
    finish(&f, y, 0.02, rows[i].kind);
  }
}

static void max_pool_takes_bytes(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = quantize(&f, input(&f, DIMS(1, 4, 6, 6)));
  lpot_value_id y = output_of(&f, LPOT_OP_MAX_POOL, IDS(x));
  CHECK(lpot_graph_set_ints(f.graph, f.last, "kernel_shape", (int64_t[]){2, 2}, 2, e));
  finish(&f, y, SCALE, "max pool");
}

static void parameters_that_are_computed_stay_with_the_operator(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id given = input(&f, DIMS(2, 4));
  lpot_value_id x = quantize(&f, given);
  lpot_value_id s = number(&f, LPOT_F32, SCALE);
  lpot_value_id z = number(&f, LPOT_U8, ZERO);
  lpot_value_id computed = output_of(&f, LPOT_OP_REDUCE_MEAN, IDS(given));
  CHECK(lpot_graph_set_int(f.graph, f.last, "keepdims", 0, e));
  computed = output_of(&f, LPOT_OP_SIGMOID, IDS(computed));
  lpot_value_id y = output_of(&f, LPOT_OP_QLINEAR_ADD, IDS(x, s, z, x, computed, z, s, z));
  finish(&f, y, SCALE, "QLinearAdd");
}

static void fused_operators_run_as_their_parts(void **state) {
  (void)state;
  static const char *const names[] = {"", "Relu", "Clip", "Tanh", "HardSigmoid", "LeakyRelu"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = input(&f, DIMS(2, 4, 6, 6));
    lpot_value_id w = weights(&f, 0.3, DIMS(4, 4, 1, 1));
    lpot_value_id y = output_of(&f, LPOT_OP_FUSED_CONV, IDS(x, w, weights(&f, 1, DIMS(4)), x));
    CHECK(lpot_graph_set_string(f.graph, f.last, "activation", names[i], e));
    result(&f, y);
    check_engines_agree(&f, 1e-5, "conv + sum");
    fixture_begin(&f, i);
    x = input(&f, DIMS(3, 8));
    y = output_of(&f, LPOT_OP_FUSED_GEMM, IDS(x, weights(&f, 0.3, DIMS(5, 8))));
    CHECK(lpot_graph_set_string(f.graph, f.last, "activation", names[i], e));
    CHECK(lpot_graph_set_int(f.graph, f.last, "transB", 1, e));
    result(&f, y);
    check_engines_agree(&f, 1e-5, "matmul");
  }
}

static void fused_matmul_runs_as_its_parts(void **state) {
  (void)state;
  for (int turned = 0; turned < 4; ++turned) {
    bool a = (turned & 1) != 0;
    bool b = (turned & 2) != 0;
    fixture f;
    fixture_begin(&f, (uint64_t)turned);
    lpot_value_id x = a ? input(&f, DIMS(2, 8, 3)) : input(&f, DIMS(2, 3, 8));
    lpot_value_id w = b ? weights(&f, 1, DIMS(5, 8)) : weights(&f, 1, DIMS(8, 5));
    result(&f, output_of(&f, LPOT_OP_FUSED_MATMUL, IDS(x, w)));
    CHECK(lpot_graph_set_int(f.graph, f.last, "transA", a, e));
    CHECK(lpot_graph_set_int(f.graph, f.last, "transB", b, e));
    CHECK(lpot_graph_set_float(f.graph, f.last, "alpha", 0.25f, e));
    check_engines_agree(&f, 0.0, "matmul");
  }
}

static void matmul_integer_to_float_runs_on_bytes(void **state) {
  (void)state;
  for (int dynamic = 0; dynamic < 2; ++dynamic) {
    fixture f;
    fixture_begin(&f, 2);
    lpot_value_id x = input(&f, DIMS(3, 8));
    lpot_value_id w = bytes(&f, LPOT_S8, -127, 127, DIMS(8, 5));
    lpot_value_id ws = scales(&f, 5);
    lpot_value_id bias = weights(&f, 1, DIMS(5));
    lpot_value_id y = LPOT_NONE;
    if (dynamic == 1) {
      y = output_of(&f, LPOT_OP_DYNAMIC_QUANTIZE_MATMUL, IDS(x, w, ws, LPOT_NONE, bias));
    } else {
      lpot_value_id q = quantize(&f, x);
      lpot_value_id s = number(&f, LPOT_F32, SCALE);
      lpot_value_id z = number(&f, LPOT_U8, ZERO);
      y = output_of(&f, LPOT_OP_MATMUL_INTEGER_TO_FLOAT, IDS(q, w, s, ws, z, LPOT_NONE, bias));
    }
    result(&f, y);
    check_engines_agree(&f, 0.0, "matmul int8");
  }
}

static lpot_status count_elements(void *context, lpot_value_id value, const float *elements,
                                  int64_t count, lpot_error *err) {
  int64_t *counts = context;
  (void)elements;
  (void)err;
  counts[value] += count;
  return LPOT_OK;
}

/* Values that lowering adds are behind those that the caller can speak of. */
static void values_of_the_given_graph_are_observed(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(1, 4, 6, 6));
  lpot_value_id y = output_of(&f, LPOT_OP_FUSED_CONV, IDS(x, weights(&f, 1, DIMS(4, 4, 1, 1))));
  CHECK(lpot_graph_set_string(f.graph, f.last, "activation", "Tanh", e));
  result(&f, output_of(&f, LPOT_OP_RELU, IDS(y)));
  lpot_graph *bound = NULL;
  lpot_engine *engine = NULL;
  CHECK(lpot_graph_bind(f.graph, 1, lpot_reference_run, &bound, e));
  bool observed[8] = {false};
  int64_t counts[8] = {0};
  assert_true(lpot_graph_num_values(bound) <= 8);
  observed[y] = true;
  lpot_plan_options options = {
      .observed = observed, .observe = count_elements, .observe_context = counts};
  lpot_plan *plan = compile_with("onednn", bound, &options, &engine);
  lpot_tensor *tensor = random_input(&f, lpot_graph_value(bound, x));
  const lpot_tensor *inputs[1] = {tensor};
  CHECK(lpot_plan_run(plan, inputs, e));
  for (lpot_value_id i = 0; i < 8; ++i) {
    assert_int_equal(counts[i], i == y ? 144 : 0);
  }
  lpot_plan_free(plan);
  lpot_engine_close(engine);
  lpot_tensor_unref(tensor);
  lpot_graph_free(bound);
  lpot_graph_free(f.graph);
}

/* Of a model that is quantized already: nobody reads the f32 values, they are made for the
 * observer. */
static void dequantized_values_are_observed(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = pair(&f, input(&f, DIMS(1, 4, 6, 6)), LPOT_U8, 0.02, 7);
  lpot_value_id w = int8_weights(&f, 0, true, DIMS(4, 4, 1, 1));
  lpot_value_id y = pair(&f, output_of(&f, LPOT_OP_CONV, IDS(x, w)), LPOT_U8, 0.05, 100);
  lpot_value_id z = pair(&f, output_of(&f, LPOT_OP_ADD, IDS(x, y)), LPOT_U8, 0.05, 100);
  result(&f, z);
  lpot_graph *bound = NULL;
  lpot_engine *engine = NULL;
  CHECK(lpot_graph_bind(f.graph, 1, lpot_reference_run, &bound, e));
  bool observed[64] = {false};
  int64_t counts[64] = {0};
  assert_true(lpot_graph_num_values(bound) <= 64);
  observed[x] = observed[y] = observed[z] = true;
  lpot_plan_options options = {
      .observed = observed, .observe = count_elements, .observe_context = counts};
  lpot_plan *plan = compile_with("onednn", bound, &options, &engine);
  lpot_tensor *tensor = random_input(&f, lpot_graph_value(bound, lpot_graph_input(bound, 0)));
  CHECK(lpot_plan_run(plan, (const lpot_tensor *const[]){tensor}, e));
  for (lpot_value_id i = 0; i < 64; ++i) {
    assert_int_equal(counts[i], i == x || i == y || i == z ? 144 : 0);
  }
  lpot_plan_free(plan);
  lpot_engine_close(engine);
  lpot_tensor_unref(tensor);
  lpot_graph_free(bound);
  lpot_graph_free(f.graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(qlinear_conv_runs_on_bytes),
      cmocka_unit_test(qlinear_add_joins_its_convolution),
      cmocka_unit_test(qlinear_matmul_and_qgemm_run_on_bytes),
      cmocka_unit_test(qlinear_pools_joins_and_products_run_on_bytes),
      cmocka_unit_test(max_pool_takes_bytes),
      cmocka_unit_test(parameters_that_are_computed_stay_with_the_operator),
      cmocka_unit_test(fused_operators_run_as_their_parts),
      cmocka_unit_test(fused_matmul_runs_as_its_parts),
      cmocka_unit_test(matmul_integer_to_float_runs_on_bytes),
      cmocka_unit_test(values_of_the_given_graph_are_observed),
      cmocka_unit_test(dequantized_values_are_observed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
