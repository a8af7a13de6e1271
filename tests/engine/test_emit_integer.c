#include "engine/engine_fixture.h"

#include "engine/onednn/loops.h"

/* DynamicQuantizeLinear and the integer products behind it: exact in both engines. */

/* No two of them differ by 255, which two parts of int8 cannot make up. */
static lpot_value_id bytes(fixture *f, lpot_dtype dtype, int rank, const int64_t *dims) {
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_value_id id = LPOT_NONE;
  CHECK(lpot_tensor_new(dtype, &shape, &tensor, e));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    lpot_tensor_set_int(tensor, i,
                        pick(f, dtype == LPOT_S8 ? -127 : 0, dtype == LPOT_S8 ? 127 : 254));
  }
  CHECK(lpot_graph_add_constant(f->graph, "b", &tensor, &id, e));
  return id;
}

typedef struct dynamic_bytes {
  lpot_value_id value, zero_point;
} dynamic_bytes;

static dynamic_bytes quantize(fixture *f, lpot_value_id value) {
  lpot_value_id outputs[3];
  for (int i = 0; i < 3; ++i) {
    lpot_shape unknown = lpot_shape_unknown();
    CHECK(lpot_graph_add_value(f->graph, "q", LPOT_DTYPE_UNKNOWN, &unknown, &outputs[i], e));
  }
  CHECK(lpot_graph_add_node(f->graph, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NULL, &value, 1, outputs, 3,
                            &f->last, e));
  result(f, outputs[1]);
  return (dynamic_bytes){outputs[0], outputs[2]};
}

static void finish(fixture *f, lpot_value_id sums, const char *kind) {
  lpot_value_id y = output_of(f, LPOT_OP_CAST, IDS(sums));
  CHECK(lpot_graph_set_int(f->graph, f->last, "to", 1, e));
  result(f, y);
  check_engines_agree(f, 0.0, kind);
}

/* Zero points of weights: none, one that leaves them in int8 or not, one for each column. */
static lpot_value_id zero_points(fixture *f, int kind, lpot_dtype dtype, int64_t columns) {
  if (kind == 0) {
    return LPOT_NONE;
  }
  return kind == 3 ? bytes(f, dtype, 1, &columns) : number(f, dtype, kind == 1 ? 100 : 3);
}

static void matmul_integer_is_exact(void **state) {
  (void)state;
  for (int kind = 0; kind < 8; ++kind) {
    lpot_dtype dtype = kind < 4 ? LPOT_S8 : LPOT_U8;
    fixture f;
    fixture_begin(&f, (uint64_t)kind);
    dynamic_bytes x = quantize(&f, input(&f, DIMS(2, 5, 33)));
    lpot_value_id w = bytes(&f, dtype, DIMS(33, 17));
    lpot_value_id z = zero_points(&f, kind % 4, dtype, 17);
    finish(&f, output_of(&f, LPOT_OP_MATMUL_INTEGER, IDS(x.value, w, x.zero_point, z)),
           "matmul int8");
  }
}

/* The chain that dynamic quantization makes: per tensor or per column, with bias and Relu or not.
 */
static void scaled_product_runs_as_one_step(void **state) {
  (void)state;
  for (int kind = 0; kind < 8; ++kind) {
    fixture f;
    fixture_begin(&f, (uint64_t)kind);
    lpot_value_id x = input(&f, DIMS(2, 5, 33));
    lpot_value_id q[3];
    for (int i = 0; i < 3; ++i) {
      lpot_shape unknown = lpot_shape_unknown();
      CHECK(lpot_graph_add_value(f.graph, "q", LPOT_DTYPE_UNKNOWN, &unknown, &q[i], e));
    }
    CHECK(lpot_graph_add_node(f.graph, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, NULL, &x, 1, q, 3, &f.last,
                              e));
    lpot_value_id w = bytes(&f, LPOT_S8, DIMS(33, 17));
    lpot_value_id y = output_of(&f, LPOT_OP_MATMUL_INTEGER, IDS(q[0], w, q[2]));
    y = output_of(&f, LPOT_OP_CAST, IDS(y));
    CHECK(lpot_graph_set_int(f.graph, f.last, "to", 1, e));
    lpot_value_id scales = kind % 2 == 0 ? weights(&f, 0.1, DIMS(17)) : weights(&f, 0.1, DIMS(1));
    y = output_of(&f, LPOT_OP_MUL, IDS(y, output_of(&f, LPOT_OP_MUL, IDS(q[1], scales))));
    if ((kind & 2) != 0) {
      y = output_of(&f, LPOT_OP_ADD, IDS(weights(&f, 0.1, DIMS(17)), y));
    }
    if ((kind & 4) != 0) {
      y = output_of(&f, LPOT_OP_RELU, IDS(y));
    }
    result(&f, y);
    check_engines_agree(&f, 0.0, "scaled sums");
  }
}

static void conv_integer_is_exact(void **state) {
  (void)state;
  for (int kind = 0; kind < 8; ++kind) {
    for (int group = 1; group <= 4; group += 3) {
      lpot_dtype dtype = kind < 4 ? LPOT_S8 : LPOT_U8;
      fixture f;
      fixture_begin(&f, (uint64_t)(kind + group));
      dynamic_bytes x = quantize(&f, input(&f, DIMS(2, 4, 9, 7)));
      lpot_value_id w =
          group == 1 ? bytes(&f, dtype, DIMS(8, 4, 3, 3)) : bytes(&f, dtype, DIMS(4, 1, 3, 3));
      lpot_value_id z = zero_points(&f, kind % 4, dtype, group == 1 ? 8 : 4);
      lpot_value_id y = output_of(&f, LPOT_OP_CONV_INTEGER, IDS(x.value, w, x.zero_point, z));
      CHECK(lpot_graph_set_int(f.graph, f.last, "group", group, e));
      CHECK(lpot_graph_set_ints(f.graph, f.last, "pads", (int64_t[]){1, 0, 1, 2}, 4, e));
      CHECK(lpot_graph_set_ints(f.graph, f.last, "strides", (int64_t[]){2, 1}, 2, e));
      finish(&f, y, "conv int8");
    }
  }
}

static void products_without_a_zero_point_need_one_step(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  dynamic_bytes x = quantize(&f, input(&f, DIMS(5, 33)));
  finish(&f, output_of(&f, LPOT_OP_MATMUL_INTEGER, IDS(x.value, bytes(&f, LPOT_S8, DIMS(33, 17)))),
         "matmul int8");
}

static void dynamic_quantization_is_exact(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  dynamic_bytes x = quantize(&f, input(&f, DIMS(3, 100)));
  result(&f, x.zero_point);
  result(&f, x.value);
  check_engines_agree(&f, 0.0, "dynamic quantize");
}

static void relu_hands_nan_on(void **state) {
  (void)state;
  const int32_t sums[3] = {1, -1, 1}, correction[3] = {0};
  const float factors[3] = {NAN, 1.0f, 1.0f}, bias[3] = {0.0f, 0.0f, NAN};
  float out[3];
  lpot_loop_scale_sums(sums, 0, correction, factors, bias, true, 3, out);
  assert_true(isnan(out[0]) && out[1] == 0.0f && isnan(out[2]));
  lpot_loop_scale_sums(sums, 0, correction, factors, NULL, true, 3, out);
  assert_true(isnan(out[0]) && out[1] == 0.0f && out[2] == 1.0f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(relu_hands_nan_on),
      cmocka_unit_test(matmul_integer_is_exact),
      cmocka_unit_test(scaled_product_runs_as_one_step),
      cmocka_unit_test(conv_integer_is_exact),
      cmocka_unit_test(products_without_a_zero_point_need_one_step),
      cmocka_unit_test(dynamic_quantization_is_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
