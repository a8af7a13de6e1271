#include "graph_fixture.h"

static void activations_keep_shape_and_type(void **state) {
  (void)state;
  const lpot_op ops[] = {
      LPOT_OP_RELU, LPOT_OP_SIGMOID,  LPOT_OP_TANH,         LPOT_OP_ERF,        LPOT_OP_EXP,
      LPOT_OP_SQRT, LPOT_OP_IDENTITY, LPOT_OP_HARD_SIGMOID, LPOT_OP_HARD_SWISH, LPOT_OP_LEAKY_RELU};
  lpot_value_id value = input("x", DIMS(UNKNOWN, 3));
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    value = compute(ops[i], "", VALUES(value));
  }
  infer();
  assert_shape(value, "[?, 3]");
  assert_dtype(value, LPOT_F32);
}

static void functions_of_one_element_keep_shape_and_type(void **state) {
  (void)state;
  const lpot_op ops[] = {LPOT_OP_ABS,   LPOT_OP_CEIL,     LPOT_OP_CELU,           LPOT_OP_ELU,
                         LPOT_OP_FLOOR, LPOT_OP_LOG,      LPOT_OP_MICROSOFT_GELU, LPOT_OP_MISH,
                         LPOT_OP_NEG,   LPOT_OP_SOFTPLUS, LPOT_OP_QUICK_GELU,     LPOT_OP_SIN};
  lpot_value_id value = typed_input("x", LPOT_F16, DIMS(UNKNOWN, 3));
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    value = compute(ops[i], "", VALUES(value));
  }
  infer();
  assert_shape(value, "[?, 3]");
  assert_dtype(value, LPOT_F16);
}

static void binary_operators_broadcast(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 1));
  lpot_value_id y = input("y", DIMS(3, 5));
  lpot_value_id nothing = input_of_unknown_rank("nothing");
  lpot_value_id sum = compute(LPOT_OP_ADD, "add", VALUES(x, y));
  lpot_value_id product = compute(LPOT_OP_MUL, "mul", VALUES(sum, nothing));
  infer();
  assert_shape(sum, "[?, 3, 5]");
  assert_shape(product, "?");
}

static void shapes_that_do_not_broadcast_are_refused(void **state) {
  (void)state;
  (void)compute(LPOT_OP_SUB, "sub", VALUES(input("x", DIMS(3)), input("y", DIMS(4))));
  assert_infer_fails(LPOT_FORMAT, "node 'sub': ");
}

static void operands_of_different_types_are_refused(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3));
  lpot_value_id y = typed_input("y", LPOT_S64, DIMS(3));
  lpot_value_id power = compute(LPOT_OP_POW, "pow", VALUES(x, y));
  infer();
  assert_dtype(power, LPOT_F32);
  (void)compute(LPOT_OP_ADD, "add", VALUES(x, y));
  assert_infer_fails(LPOT_FORMAT, "node 'add': inputs 0 and 1 have the types float32 and int64");
}

static void cast_takes_known_types(void **state) {
  (void)state;
  lpot_node_id cast = node_of(LPOT_OP_CAST, "cast", VALUES(input("x", DIMS(3))));
  set_int(cast, "to", 7);
  infer();
  assert_dtype(output_of(cast), LPOT_S64);
  set_int(cast, "to", 8); /* strings */
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'cast': cast to the data type 8");
  set_int(cast, "to", INT64_MIN);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'cast'");
}

static void cast_like_takes_the_type_of_input_1(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id model = typed_input("model", LPOT_S8, DIMS(7));
  lpot_value_id y = compute(LPOT_OP_CAST_LIKE, "cast", VALUES(x, model));
  infer();
  assert_shape(y, "[?, 3]");
  assert_dtype(y, LPOT_S8);
}

static void mod_of_floats_must_be_fmod(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3));
  lpot_node_id mod = node_of(LPOT_OP_MOD, "mod", VALUES(x, x));
  assert_infer_fails(LPOT_FORMAT, "node 'mod': fmod is 0, expected 1 for the type float32");
  set_int(mod, "fmod", 1);
  infer();
  assert_shape(output_of(mod), "[3]");
  lpot_value_id i = typed_input("i", LPOT_S32, DIMS(3));
  lpot_value_id y = compute(LPOT_OP_MOD, "ints", VALUES(i, i));
  infer();
  assert_dtype(y, LPOT_S32);
}

static void variadic_operators_broadcast_all_operands(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 1));
  lpot_value_id y = input("y", DIMS(3, 1));
  lpot_value_id z = input("z", DIMS(5));
  lpot_value_id most = compute(LPOT_OP_MAX, "max", VALUES(y, z, x));
  lpot_value_id one = compute(LPOT_OP_MIN, "min", VALUES(x));
  lpot_value_id mean = compute(LPOT_OP_MEAN, "mean", VALUES(x, input_of_unknown_rank("nothing")));
  infer();
  assert_shape(most, "[?, 3, 5]");
  assert_shape(one, "[?, 3, 1]");
  assert_shape(mean, "?");
}

static void operands_of_variadic_operators_must_fit(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3));
  lpot_node_id node = node_of(LPOT_OP_MAX, "max", VALUES(x, x, input("y", DIMS(4))));
  assert_infer_fails(LPOT_FORMAT, "node 'max': shapes [3] and [4]");
  require(lpot_graph_set_input(graph, node, 2, typed_input("z", LPOT_S8, DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'max': inputs 0 and 2 have the types float32 and int8");
  require(lpot_graph_set_input(graph, node, 2, x, &error));
  require(lpot_graph_set_input(graph, node, 1, LPOT_NONE, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'max': input 1 is left out");
}

static void the_bounds_of_clip_are_scalars(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3));
  lpot_node_id clip = node_of(LPOT_OP_CLIP, "clip", VALUES(x, LPOT_NONE, scalar_of(LPOT_F32)));
  infer();
  assert_shape(output_of(clip), "[3]");
  require(lpot_graph_set_input(graph, clip, 2, zeros("z", LPOT_F32, DIMS(3)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'clip': input 2 (max) is no scalar");
}

static lpot_node_id norm_of(lpot_value_id x, int64_t channels) {
  lpot_value_id p = zeros("p", LPOT_F32, DIMS(channels));
  return node_of(LPOT_OP_BATCH_NORMALIZATION, "norm", VALUES(x, p, p, p, p));
}

static void batch_normalization_checks_its_channels(void **state) {
  (void)state;
  lpot_node_id norm = norm_of(input("x", DIMS(UNKNOWN, 4, 2)), 4);
  infer();
  assert_shape(output_of(norm), "[?, 4, 2]");
  set_int(norm, "training_mode", 1);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'norm': training_mode");
  set_int(norm, "training_mode", 0);
  lpot_graph_remove_node(graph, norm);
  (void)norm_of(input("y", DIMS(2, 5)), 4);
  assert_infer_fails(LPOT_FORMAT, "node 'norm': dimensions 5 and 4 disagree");
}

static void training_outputs_are_refused_only_where_they_are_used(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1, 4, 2));
  lpot_value_id p = zeros("p", LPOT_F32, DIMS(4));
  lpot_value_id outputs[] = {value_of("y"), value_of("mean")};
  require(lpot_graph_add_node(graph, LPOT_OP_BATCH_NORMALIZATION, "norm",
                              (lpot_value_id[]){x, p, p, p, p}, 5, outputs, 2, NULL, &error));
  infer();
  assert_shape(outputs[1], "[4]");
  graph_output(outputs[1]);
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'norm': output 1 of training mode is used");
}

static void dropout_has_a_mask_and_does_not_train(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(3, 2));
  lpot_value_id outputs[] = {value_of("y"), value_of("mask")};
  require(lpot_graph_add_node(graph, LPOT_OP_DROPOUT, "dropout", &x, 1, outputs, 2, NULL, &error));
  infer();
  assert_shape(outputs[1], "[3, 2]");
  assert_dtype(outputs[1], LPOT_BOOL);
}

static void softmax_checks_its_axis(void **state) {
  (void)state;
  lpot_node_id softmax = node_of(LPOT_OP_SOFTMAX, "softmax", VALUES(input("x", DIMS(3, 2))));
  infer();
  assert_shape(output_of(softmax), "[3, 2]");
  set_int(softmax, "axis", 2);
  assert_infer_fails(LPOT_FORMAT, "node 'softmax': axis is 2, expected -2 to 1");
  set_int(softmax, "axis", INT64_MIN);
  assert_infer_fails(LPOT_FORMAT, "node 'softmax': axis");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(activations_keep_shape_and_type),
      GRAPH_TEST(functions_of_one_element_keep_shape_and_type),
      GRAPH_TEST(binary_operators_broadcast),
      GRAPH_TEST(shapes_that_do_not_broadcast_are_refused),
      GRAPH_TEST(operands_of_different_types_are_refused),
      GRAPH_TEST(cast_takes_known_types),
      GRAPH_TEST(cast_like_takes_the_type_of_input_1),
      GRAPH_TEST(mod_of_floats_must_be_fmod),
      GRAPH_TEST(variadic_operators_broadcast_all_operands),
      GRAPH_TEST(operands_of_variadic_operators_must_fit),
      GRAPH_TEST(the_bounds_of_clip_are_scalars),
      GRAPH_TEST(batch_normalization_checks_its_channels),
      GRAPH_TEST(training_outputs_are_refused_only_where_they_are_used),
      GRAPH_TEST(dropout_has_a_mask_and_does_not_train),
      GRAPH_TEST(softmax_checks_its_axis),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
