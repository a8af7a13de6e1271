#include "engine/engine_fixture.h"

#include "engine/onednn/loops_normalization.h"

static void softmax_agrees_on_every_axis(void **state) {
  (void)state;
  static const lpot_op ops[] = {LPOT_OP_SOFTMAX, LPOT_OP_LOG_SOFTMAX};
  for (int64_t axis = -3; axis < 9; ++axis) {
    fixture f;
    int64_t shown = axis < 3 ? axis : axis - 6;
    fixture_begin(&f, 5);
    result(&f, output_of(&f, ops[axis < 3 ? 0 : 1], IDS(input(&f, DIMS(2, 7, 9)))));
    CHECK(lpot_graph_set_int(f.graph, f.last, "axis", shown, e));
    check_engines_agree(&f, 0.0, shown == -1 || shown == 2 ? "softmax" : NULL);
  }
}

/* The bound of the header, against double precision; from tiny to huge differences. */
static void rows_of_softmax_are_exact(void **state) {
  (void)state;
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  enum { ROWS = 37, MOST = 150 };
  for (int64_t size = 1; size <= MOST; ++size) {
    float in[ROWS * MOST], out[ROWS * MOST];
    for (int64_t i = 0; i < ROWS * size; ++i) {
      double spread = i / size % 3 == 0 ? 0.1 : (i / size % 3 == 1 ? 3.0 : 60.0);
      in[i] = (float)(spread * lpot_rng_normal(&rng));
    }
    lpot_loop_softmax_rows(in, ROWS, size, out);
    for (int64_t row = 0; row < ROWS; ++row) {
      const float *x = in + row * size;
      double top = (double)x[0];
      double sum = 0;
      for (int64_t i = 0; i < size; ++i) {
        top = fmax(top, (double)x[i]);
      }
      for (int64_t i = 0; i < size; ++i) {
        sum += exp((double)x[i] - top);
      }
      for (int64_t i = 0; i < size; ++i) {
        double exact = exp((double)x[i] - top) / sum;
        assert_true(fabs((double)out[row * size + i] - exact) <= 1e-6);
      }
    }
  }
}

static void softmax_of_nan_and_infinities(void **state) {
  (void)state;
  const float in[4][3] = {
      {1, NAN, 2}, {-INFINITY, 0, 0}, {-INFINITY, -INFINITY, -INFINITY}, {1, 1, 1}};
  float out[4][3];
  lpot_loop_softmax_rows(in[0], 4, 3, out[0]);
  for (int i = 0; i < 3; ++i) {
    assert_true(isnan(out[0][i]) && isnan(out[2][i]));
    assert_true(fabs((double)out[3][i] - 1.0 / 3) < 1e-6);
  }
  assert_true(out[1][0] == 0.0f && fabs((double)out[1][1] - 0.5) < 1e-6);
}

/* The same of long rows. */
static void long_rows_of_nan_and_infinities(void **state) {
  (void)state;
  enum { SIZE = 83 };
  for (int place = 0; place < SIZE; ++place) {
    float in[3][SIZE], out[3][SIZE];
    for (int i = 0; i < SIZE; ++i) {
      in[0][i] = i == place ? NAN : 1.0f;
      in[1][i] = i == place ? 0.0f : -INFINITY;
      in[2][i] = -INFINITY;
    }
    lpot_loop_softmax_rows(in[0], 3, SIZE, out[0]);
    for (int i = 0; i < SIZE; ++i) {
      assert_true(isnan(out[0][i]) && isnan(out[2][i]));
      assert_true(i == place ? fabs((double)out[1][i] - 1.0) < 1e-6 : out[1][i] == 0.0f);
    }
  }
}

static void batch_normalization_agrees_in_both_layouts(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 2; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 6, 4, 5));
    if (seed == 1) {
      x = output_of(&f, LPOT_OP_MAX_POOL, IDS(x));
      CHECK(lpot_graph_set_ints(f.graph, f.last, "kernel_shape", (int64_t[]){1, 1}, 2, e));
    }
    lpot_value_id squared = weights(&f, 1.0, DIMS(6));
    lpot_tensor *variance = lpot_graph_value(f.graph, squared)->constant;
    for (int64_t i = 0; i < 6; ++i) {
      double value = lpot_tensor_get_double(variance, i);
      lpot_tensor_set_double(variance, i, value * value + 0.1);
    }
    result(&f, output_of(&f, LPOT_OP_BATCH_NORMALIZATION,
                         IDS(x, weights(&f, 1.0, DIMS(6)), weights(&f, 1.0, DIMS(6)),
                             weights(&f, 1.0, DIMS(6)), squared)));
    check_engines_agree(&f, 0.0, "scale and shift");
  }
}

static void quantize_and_dequantize_are_exact(void **state) {
  (void)state;
  for (int zero_point = 0; zero_point < 256; zero_point += 51) {
    fixture f;
    fixture_begin(&f, (uint64_t)zero_point);
    lpot_value_id x = input(&f, DIMS(3, 1000));
    result(&f, pair(&f, x, LPOT_U8, 0.013, zero_point));
    result(&f, pair(&f, x, LPOT_S8, 0.013, zero_point - 128));
    check_engines_agree(&f, 0.0, "quantize");
  }
}

static void observed_values_are_shown_as_computed(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 2);
  lpot_value_id x = input(&f, DIMS(1, 4, 6, 6));
  lpot_value_id y = output_of(&f, LPOT_OP_CONV, IDS(x, weights(&f, 0.3, DIMS(4, 4, 1, 1))));
  lpot_value_id sum = output_of(&f, LPOT_OP_ADD, IDS(y, x));
  result(&f, output_of(&f, LPOT_OP_RELU, IDS(sum)));
  lpot_graph *bound = NULL;
  CHECK(lpot_graph_bind(f.graph, 1, lpot_reference_run, &bound, e));
  /* The same sums by both engines, weighted by place, show that the observer saw the unfused
   * values in the order of their shapes. */
  extern lpot_status add_up(void *, lpot_value_id, const float *, int64_t, lpot_error *);
  double sums[2][32] = {{0}};
  bool observed[32] = {false};
  observed[x] = observed[y] = observed[sum] = true;
  lpot_tensor *tensor = random_input(&f, lpot_graph_value(bound, x));
  static const char *const names[] = {"onednn", "reference"};
  for (int i = 0; i < 2; ++i) {
    lpot_engine *engine = NULL;
    lpot_plan_options options = {
        .observed = observed, .observe = add_up, .observe_context = sums[i]};
    lpot_plan *plan = compile_with(names[i], bound, &options, &engine);
    const lpot_tensor *inputs[1] = {tensor};
    CHECK(lpot_plan_run(plan, inputs, e));
    lpot_plan_free(plan);
    lpot_engine_close(engine);
  }
  for (int v = 0; v < 32; ++v) {
    assert_true(fabs(sums[0][v] - sums[1][v]) < 1e-3);
    assert_true(observed[v] == (sums[0][v] != 0.0));
  }
  lpot_tensor_unref(tensor);
  lpot_graph_free(bound);
  lpot_graph_free(f.graph);
}

lpot_status add_up(void *context, lpot_value_id value, const float *elements, int64_t count,
                   lpot_error *err);
lpot_status add_up(void *context, lpot_value_id value, const float *elements, int64_t count,
                   lpot_error *err) {
  (void)err;
  double *sums = context;
  for (int64_t i = 0; i < count; ++i) {
    sums[value] += (double)elements[i] * (1 + 0.1 * (double)(i % 7));
  }
  return LPOT_OK;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(softmax_agrees_on_every_axis),
      cmocka_unit_test(rows_of_softmax_are_exact),
      cmocka_unit_test(softmax_of_nan_and_infinities),
      cmocka_unit_test(long_rows_of_nan_and_infinities),
      cmocka_unit_test(batch_normalization_agrees_in_both_layouts),
      cmocka_unit_test(quantize_and_dequantize_are_exact),
      cmocka_unit_test(observed_values_are_shown_as_computed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
