#include "graph_fixture.h"

#define SCALE scalar_of(LPOT_F32)
#define ZERO scalar_of(LPOT_U8)

static void quantize_takes_its_type_from_the_zero_point(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id a = compute(LPOT_OP_QUANTIZE_LINEAR, "a", VALUES(x, SCALE));
  lpot_value_id b = compute(LPOT_OP_QUANTIZE_LINEAR, "b", VALUES(x, SCALE, scalar_of(LPOT_S8)));
  lpot_node_id c = node_of(LPOT_OP_QUANTIZE_LINEAR, "c", VALUES(x, SCALE));
  set_int(c, "output_dtype", 3);
  lpot_value_id d = compute(LPOT_OP_DEQUANTIZE_LINEAR, "d", VALUES(b, SCALE, scalar_of(LPOT_S8)));
  infer();
  assert_dtype(a, LPOT_U8);
  assert_dtype(b, LPOT_S8);
  assert_dtype(output_of(c), LPOT_S8);
  assert_dtype(d, LPOT_F32);
  assert_shape(d, "[?, 3]");
}

static void scales_along_an_axis_are_checked(void **state) {
  (void)state;
  lpot_value_id w = zeros("w", LPOT_S8, DIMS(4, 3));
  lpot_value_id scales = zeros("s", LPOT_F32, DIMS(4));
  lpot_node_id node = node_of(LPOT_OP_DEQUANTIZE_LINEAR, "d", VALUES(w, scales));
  set_int(node, "axis", 0);
  infer();
  assert_shape(output_of(node), "[4, 3]");
  set_int(node, "axis", -1);
  assert_infer_fails(LPOT_FORMAT, "node 'd': the scale has 4 elements, dimension 1 has 3");
  set_int(node, "axis", 0);
  require(lpot_graph_set_inputs(graph, node, (lpot_value_id[]){w, scales, scalar_of(LPOT_S8)}, 3,
                                &error));
  assert_infer_fails(LPOT_FORMAT, "node 'd': the zero point and the scale differ in shape");
}

static void a_scale_of_one_element_has_no_axis(void **state) {
  (void)state;
  lpot_value_id one = reals("one", DIMS(1), REALS(1));
  lpot_value_id y = compute(LPOT_OP_QUANTIZE_LINEAR, "q", VALUES(input("x", DIMS(3)), one));
  infer();
  assert_shape(y, "[3]");
}

static void quantization_refuses_other_types(void **state) {
  (void)state;
  lpot_node_id q = node_of(LPOT_OP_QUANTIZE_LINEAR, "q",
                           VALUES(input("x", DIMS(3)), SCALE, scalar_of(LPOT_S64)));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'q': the zero point has the type int64");
  lpot_graph_remove_node(graph, q);
  lpot_node_id d =
      node_of(LPOT_OP_DEQUANTIZE_LINEAR, "d", VALUES(zeros("w", LPOT_S8, DIMS(3)), SCALE, ZERO));
  assert_infer_fails(LPOT_FORMAT, "node 'd': inputs 0 and 2 have the types");
  require(lpot_graph_set_input(graph, d, 0, input("f", DIMS(3)), &error));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'd': the input has the type float32");
  require(lpot_graph_set_inputs(
      graph, d, (lpot_value_id[]){zeros("w", LPOT_S32, DIMS(3)), zeros("s", LPOT_F32, DIMS(3, 1))},
      2, &error));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'd': scales per block");
}

static void quantized_convolution_and_products(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_U8, DIMS(UNKNOWN, 4, 8, 8));
  lpot_value_id w = zeros("w", LPOT_S8, DIMS(6, 4, 3, 3));
  lpot_value_id signed_zero = scalar_of(LPOT_S8);
  lpot_value_id conv = compute(LPOT_OP_QLINEAR_CONV, "conv",
                               VALUES(x, SCALE, ZERO, w, SCALE, signed_zero, SCALE, signed_zero));
  lpot_value_id a = typed_input("a", LPOT_U8, DIMS(UNKNOWN, 4));
  lpot_value_id b = zeros("b", LPOT_S8, DIMS(4, 5));
  lpot_value_id product = compute(LPOT_OP_QLINEAR_MATMUL, "product",
                                  VALUES(a, SCALE, ZERO, b, SCALE, signed_zero, SCALE, ZERO));
  lpot_value_id floats = compute(LPOT_OP_MATMUL_INTEGER_TO_FLOAT, "floats",
                                 VALUES(a, b, SCALE, SCALE, ZERO, signed_zero));
  lpot_value_id gemm =
      compute(LPOT_OP_QGEMM, "gemm", VALUES(a, SCALE, ZERO, b, SCALE, signed_zero));
  lpot_value_id gemm8 =
      compute(LPOT_OP_QGEMM, "gemm8",
              VALUES(a, SCALE, ZERO, b, SCALE, signed_zero, LPOT_NONE, SCALE, signed_zero));
  infer();
  assert_shape(conv, "[?, 6, 6, 6]");
  assert_dtype(conv, LPOT_S8);
  assert_shape(product, "[?, 5]");
  assert_dtype(product, LPOT_U8);
  assert_dtype(floats, LPOT_F32);
  assert_shape(gemm, "[?, 5]");
  assert_dtype(gemm, LPOT_F32);
  assert_dtype(gemm8, LPOT_S8);
}

static void quantized_sums_pools_and_joins(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_U8, DIMS(UNKNOWN, 4, 8, 8));
  lpot_value_id sum =
      compute(LPOT_OP_QLINEAR_ADD, "sum", VALUES(x, SCALE, ZERO, x, SCALE, ZERO, SCALE, ZERO));
  lpot_value_id product =
      compute(LPOT_OP_QLINEAR_MUL, "product", VALUES(x, SCALE, ZERO, x, SCALE, ZERO, SCALE));
  lpot_node_id pool =
      node_of(LPOT_OP_QLINEAR_AVERAGE_POOL, "pool", VALUES(x, SCALE, ZERO, SCALE, ZERO));
  set_ints(pool, "kernel_shape", INTS(2, 2));
  lpot_node_id mean =
      node_of(LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL, "mean", VALUES(x, SCALE, ZERO, SCALE, ZERO));
  lpot_node_id join = node_of(LPOT_OP_QLINEAR_CONCAT, "join",
                              VALUES(SCALE, ZERO, x, SCALE, ZERO, sum, SCALE, ZERO));
  set_int(join, "axis", 1);
  infer();
  assert_shape(sum, "[?, 4, 8, 8]");
  assert_dtype(product, LPOT_U8);
  assert_shape(output_of(pool), "[?, 4, 7, 7]");
  assert_shape(output_of(mean), "[?, 4, 1, 1]");
  assert_shape(output_of(join), "[?, 8, 8, 8]");
  set_int(mean, "channels_last", 1);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'mean': channels_last");
  set_int(mean, "channels_last", 0);
  require(lpot_graph_set_inputs(graph, join, (lpot_value_id[]){SCALE, ZERO, x, SCALE, ZERO, x}, 6,
                                &error));
  assert_infer_fails(LPOT_FORMAT, "node 'join': 6 inputs");
}

static void dynamic_quantization_has_three_outputs(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id outputs[3] = {value_of("y"), value_of("y_scale"), value_of("y_zero")};
  lpot_node_id node = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, "d", &x, 1, outputs, 3, &node,
                              &error));
  infer();
  assert_shape(outputs[0], "[?, 3]");
  assert_dtype(outputs[0], LPOT_U8);
  assert_shape(outputs[1], "[]");
  assert_dtype(outputs[1], LPOT_F32);
  assert_dtype(outputs[2], LPOT_U8);
  require(lpot_graph_set_input(graph, node, 0, typed_input("h", LPOT_F16, DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'd': the input has the type float16");
}

static void integer_products_give_int32(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_U8, DIMS(UNKNOWN, 4, 8, 8));
  lpot_value_id w = zeros("w", LPOT_S8, DIMS(6, 4, 3, 3));
  lpot_value_id a = typed_input("a", LPOT_U8, DIMS(UNKNOWN, 4));
  lpot_value_id b = zeros("b", LPOT_S8, DIMS(4, 5));
  lpot_value_id conv = compute(LPOT_OP_CONV_INTEGER, "conv", VALUES(x, w, ZERO));
  lpot_node_id product = node_of(LPOT_OP_MATMUL_INTEGER, "product", VALUES(a, b));
  lpot_value_id dynamic = compute(LPOT_OP_DYNAMIC_QUANTIZE_MATMUL, "dynamic",
                                  VALUES(input("f", DIMS(UNKNOWN, 4)), b, SCALE));
  infer();
  assert_shape(conv, "[?, 6, 6, 6]");
  assert_dtype(conv, LPOT_S32);
  assert_shape(output_of(product), "[?, 5]");
  assert_dtype(output_of(product), LPOT_S32);
  assert_shape(dynamic, "[?, 5]");
  assert_dtype(dynamic, LPOT_F32);
  require(lpot_graph_set_inputs(graph, product, (lpot_value_id[]){a, b, scalar_of(LPOT_S8)}, 3,
                                &error));
  assert_infer_fails(LPOT_FORMAT, "node 'product': inputs 0 and 2 have the types");
  require(lpot_graph_set_inputs(graph, product,
                                (lpot_value_id[]){a, zeros("c", LPOT_S8, DIMS(3, 5))}, 2, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'product': the factors do not fit");
  require(lpot_graph_set_inputs(graph, product, (lpot_value_id[]){a, input("g", DIMS(4, 5))}, 2,
                                &error));
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'product': input 1 has the type float32");
}

static void quantized_activations_keep_the_shape(void **state) {
  (void)state;
  lpot_value_id x = typed_input("x", LPOT_U8, DIMS(UNKNOWN, 4));
  lpot_value_id leaky =
      compute(LPOT_OP_QLINEAR_LEAKY_RELU, "leaky", VALUES(x, SCALE, LPOT_NONE, SCALE));
  lpot_node_id softmax =
      node_of(LPOT_OP_QLINEAR_SOFTMAX, "softmax", VALUES(x, SCALE, ZERO, SCALE, ZERO));
  infer();
  assert_shape(leaky, "[?, 4]");
  assert_dtype(leaky, LPOT_U8);
  assert_shape(output_of(softmax), "[?, 4]");
  set_int(softmax, "axis", 2);
  assert_infer_fails(LPOT_FORMAT, "node 'softmax': axis is 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(quantize_takes_its_type_from_the_zero_point),
      GRAPH_TEST(scales_along_an_axis_are_checked),
      GRAPH_TEST(a_scale_of_one_element_has_no_axis),
      GRAPH_TEST(quantization_refuses_other_types),
      GRAPH_TEST(quantized_convolution_and_products),
      GRAPH_TEST(quantized_sums_pools_and_joins),
      GRAPH_TEST(dynamic_quantization_has_three_outputs),
      GRAPH_TEST(integer_products_give_int32),
      GRAPH_TEST(quantized_activations_keep_the_shape),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
