#include "graph/infer.h"

#include "base/memory.h"
#include "graph_fixture.h"

/* Just enough kernels for a chain of shape computations: integers, vectors, axis 0. */
static lpot_status evaluate_integers(const lpot_node *node, const lpot_tensor *const *inputs,
                                     lpot_tensor *const *outputs, lpot_error *err) {
  int64_t at = 0;
  switch (node->op) {
  case LPOT_OP_GATHER:
    at = lpot_tensor_get_int(inputs[1], 0);
    if (at >= lpot_tensor_elements(inputs[0])) {
      return LPOT_FAIL(err, LPOT_FORMAT, "node '%s': index out of range", node->name);
    }
    lpot_tensor_set_int(outputs[0], 0, lpot_tensor_get_int(inputs[0], at));
    return LPOT_OK;
  case LPOT_OP_UNSQUEEZE:
  case LPOT_OP_CONCAT:
    for (int i = 0; i < (node->op == LPOT_OP_CONCAT ? node->num_inputs : 1); i++) {
      for (int64_t k = 0; k < lpot_tensor_elements(inputs[i]); k++) {
        lpot_tensor_set_int(outputs[0], at++, lpot_tensor_get_int(inputs[i], k));
      }
    }
    return LPOT_OK;
  default:
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s' has no kernel", node->name);
  }
}

static lpot_value_id flattening(lpot_value_id x, int64_t index) {
  lpot_value_id shape = compute(LPOT_OP_SHAPE, "shape", VALUES(x));
  lpot_value_id batch = compute(LPOT_OP_GATHER, "gather", VALUES(shape, scalar_int(index)));
  lpot_value_id vector = compute(LPOT_OP_UNSQUEEZE, "unsqueeze", VALUES(batch, ints(INTS(0))));
  lpot_node_id concat = node_of(LPOT_OP_CONCAT, "concat", VALUES(vector, ints(INTS(-1))));
  set_int(concat, "axis", 0);
  lpot_value_id y = compute(LPOT_OP_RESHAPE, "reshape", VALUES(x, output_of(concat)));
  graph_output(y);
  return y;
}

/* ---- folding ---- */

static void shape_chains_fold_when_the_batch_is_bound(void **state) {
  (void)state;
  lpot_value_id y = flattening(input("x", DIMS(UNKNOWN, 3, 4)), 0);
  require(lpot_graph_infer(graph, evaluate_integers, &error));
  assert_shape(y, "[?, ?]");
  lpot_node_id shape = lpot_graph_find_node(graph, "shape");
  assert_int_not_equal(shape, LPOT_NONE); /* stays a node while the batch is symbolic */
  lpot_graph *bound = NULL;
  require(lpot_graph_bind(graph, 5, evaluate_integers, &bound, &error));
  lpot_shape expected = lpot_shape_of(DIMS(5, 12));
  assert_true(lpot_shape_equal(&lpot_graph_value(bound, y)->shape, &expected));
  assert_int_equal(lpot_graph_find_node(bound, "concat"), LPOT_NONE);
  check_order(bound, VALUES(lpot_graph_find_node(graph, "reshape")));
  assert_false(lpot_graph_node(graph, shape)->removed);
  lpot_graph_free(bound);
}

static void a_shape_of_known_dimensions_folds_without_kernels(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_node_id tail = node_of(LPOT_OP_SHAPE, "tail", VALUES(x));
  set_int(tail, "start", 1);
  lpot_node_id whole = node_of(LPOT_OP_SHAPE, "whole", VALUES(x));
  lpot_node_id none = node_of(LPOT_OP_SHAPE, "none", VALUES(x));
  set_int(none, "start", 2);
  set_int(none, "end", -3);
  infer();
  const lpot_tensor *dims = lpot_graph_value(graph, output_of(tail))->constant;
  assert_non_null(dims);
  assert_int_equal(lpot_tensor_elements(dims), 2);
  assert_int_equal(lpot_tensor_get_int(dims, 1), 4);
  assert_null(lpot_graph_value(graph, output_of(whole))->constant);
  assert_shape(output_of(none), "[0]");
}

static void the_size_of_known_dimensions_folds_too(void **state) {
  (void)state;
  lpot_value_id known = compute(LPOT_OP_SIZE, "known", VALUES(input("x", DIMS(2, 3, 4))));
  lpot_value_id unknown = compute(LPOT_OP_SIZE, "unknown", VALUES(input("y", DIMS(UNKNOWN, 3))));
  infer();
  const lpot_tensor *count = lpot_graph_value(graph, known)->constant;
  assert_non_null(count);
  assert_int_equal(lpot_tensor_get_int(count, 0), 24);
  assert_null(lpot_graph_value(graph, unknown)->constant);
  assert_shape(unknown, "[]");
}

static void a_node_without_kernel_stays_a_node(void **state) {
  (void)state;
  lpot_node_id relu = node_of(LPOT_OP_RELU, "relu", VALUES(zeros("c", LPOT_F32, DIMS(2))));
  require(lpot_graph_infer(graph, evaluate_integers, &error));
  assert_false(lpot_graph_node(graph, relu)->removed);
  assert_shape(output_of(relu), "[2]");
}

static void an_error_of_a_kernel_is_reported(void **state) {
  (void)state;
  (void)flattening(input("x", DIMS(2, 3)), 9);
  assert_int_equal(lpot_graph_infer(graph, evaluate_integers, &error), LPOT_FORMAT);
  assert_string_equal(error.message, "node 'gather': index out of range");
}

static lpot_status evaluate_anything(const lpot_node *node, const lpot_tensor *const *inputs,
                                     lpot_tensor *const *outputs, lpot_error *err) {
  (void)node;
  (void)inputs;
  (void)outputs;
  (void)err;
  return LPOT_OK;
}

static void dequantize_is_not_folded_but_quantize_is(void **state) {
  (void)state;
  lpot_value_id scale = scalar_of(LPOT_F32);
  lpot_node_id q = node_of(LPOT_OP_QUANTIZE_LINEAR, "q",
                           VALUES(zeros("w", LPOT_F32, DIMS(2)), scale, scalar_of(LPOT_S8)));
  lpot_node_id d = node_of(LPOT_OP_DEQUANTIZE_LINEAR, "d", VALUES(output_of(q), scale));
  lpot_node_id r = node_of(LPOT_OP_RELU, "r", VALUES(output_of(d)));
  require(lpot_graph_infer(graph, evaluate_anything, &error));
  assert_true(lpot_graph_node(graph, q)->removed);
  assert_false(lpot_graph_node(graph, d)->removed);
  assert_false(lpot_graph_node(graph, r)->removed);
}

static void results_beyond_64_mib_are_not_folded(void **state) {
  (void)state;
  lpot_node_id small = node_of(LPOT_OP_CONSTANT_OF_SHAPE, "s", VALUES(ints(INTS(16, 1 << 20))));
  lpot_node_id large =
      node_of(LPOT_OP_CONSTANT_OF_SHAPE, "l", VALUES(ints(INTS((16 << 20) + 1, 1))));
  require(lpot_graph_infer(graph, evaluate_anything, &error));
  assert_true(lpot_graph_node(graph, small)->removed);
  assert_false(lpot_graph_node(graph, large)->removed);
}

static void all_outputs_of_a_folded_node_become_constants(void **state) {
  (void)state;
  lpot_value_id c = zeros("c", LPOT_F32, DIMS(4));
  lpot_value_id outputs[] = {value_of("a"), value_of("b")};
  require(lpot_graph_add_node(graph, LPOT_OP_SPLIT, "split", &c, 1, outputs, 2, NULL, &error));
  require(lpot_graph_infer(graph, evaluate_anything, &error));
  assert_non_null(lpot_graph_value(graph, outputs[0])->constant);
  assert_non_null(lpot_graph_value(graph, outputs[1])->constant);
}

/* ---- ends ---- */

static void the_ends_of_the_graph_are_checked(void **state) {
  (void)state;
  lpot_value_id output = value_of("output");
  graph_output(output);
  assert_infer_fails(LPOT_FORMAT, "graph output 'output' is produced by nothing");
  lpot_value_id x = value_of("x");
  require(lpot_graph_add_input(graph, x, &error));
  assert_infer_fails(LPOT_FORMAT, "graph input 'x' has no element type");
  lpot_shape shape = lpot_shape_of(DIMS(2, -9));
  lpot_graph_set_value_type(graph, x, LPOT_F32, &shape);
  assert_infer_fails(LPOT_FORMAT, "graph input 'x': dimension 1 is -9");
  shape = lpot_shape_of(DIMS((int64_t)1 << 40, (int64_t)1 << 40));
  lpot_graph_set_value_type(graph, x, LPOT_F32, &shape);
  assert_infer_fails(LPOT_FORMAT, "graph input 'x': ");
}

static void inference_forgets_what_a_file_claimed_of_results(void **state) {
  (void)state;
  lpot_value_id y = compute(LPOT_OP_RELU, "relu", VALUES(input("x", DIMS(UNKNOWN, 3))));
  lpot_shape claimed = lpot_shape_of(DIMS(1, 3));
  lpot_graph_set_value_type(graph, y, LPOT_S8, &claimed);
  infer();
  assert_shape(y, "[?, 3]");
  assert_dtype(y, LPOT_F32);
}

/* ---- binding ---- */

static void binding_keeps_fixed_batches_and_scalars(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id fixed = input("fixed", DIMS(1, 3));
  lpot_value_id scalar = input("scalar", 0, NULL);
  lpot_value_id sum = compute(LPOT_OP_ADD, "add", VALUES(x, fixed));
  graph_output(compute(LPOT_OP_MUL, "mul", VALUES(sum, scalar)));
  lpot_graph *bound = NULL;
  require(lpot_graph_bind(graph, 16, NULL, &bound, &error));
  assert_int_equal(lpot_graph_value(bound, x)->shape.dims[0], 16);
  assert_int_equal(lpot_graph_value(bound, fixed)->shape.dims[0], 1);
  assert_int_equal(lpot_graph_value(bound, scalar)->shape.rank, 0);
  assert_int_equal(lpot_graph_value(bound, sum)->shape.dims[0], 16);
  assert_shape(x, "[?, 3]");
  lpot_graph_free(bound);
}

static void binding_names_the_first_value_that_stays_unknown(void **state) {
  (void)state;
  lpot_graph *bound = NULL;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, UNKNOWN));
  graph_output(compute(LPOT_OP_RELU, "relu", VALUES(x)));
  assert_int_equal(lpot_graph_bind(graph, 2, NULL, &bound, &error), LPOT_UNSUPPORTED);
  assert_string_equal(error.message,
                      "value 'x' has the shape [2, 3, ?]: set its dimension in the model");
  assert_null(bound);
  assert_int_equal(lpot_graph_bind(graph, 0, NULL, &bound, &error), LPOT_INVALID);
  assert_int_equal(lpot_graph_bind(graph, INT64_MAX, NULL, &bound, &error), LPOT_FORMAT);
}

static void a_shape_that_depends_on_data_cannot_be_bound(void **state) {
  (void)state;
  lpot_graph *bound = NULL;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id target = typed_input("target", LPOT_S64, DIMS(2));
  graph_output(compute(LPOT_OP_RESHAPE, "reshape", VALUES(x, target)));
  assert_int_equal(lpot_graph_bind(graph, 2, NULL, &bound, &error), LPOT_UNSUPPORTED);
  assert_message("value 'reshape.out' has the shape [?, ?]");
}

/* ---- running out of memory ---- */

static void failed_allocations_are_reported(void **state) {
  (void)state;
  (void)flattening(input("x", DIMS(UNKNOWN, 3, 4)), 0);
  lpot_status status = LPOT_NO_MEMORY;
  uint64_t countdown = 0;
  while (status == LPOT_NO_MEMORY && countdown < 100000) {
    lpot_graph *bound = NULL;
    lpot_memory_fail_after(++countdown);
    status = lpot_graph_bind(graph, 2, evaluate_integers, &bound, &error);
    lpot_memory_fail_after(0);
    lpot_graph_free(bound);
  }
  assert_int_equal(status, LPOT_OK);
  assert_true(countdown > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(shape_chains_fold_when_the_batch_is_bound),
      GRAPH_TEST(a_shape_of_known_dimensions_folds_without_kernels),
      GRAPH_TEST(the_size_of_known_dimensions_folds_too),
      GRAPH_TEST(a_node_without_kernel_stays_a_node),
      GRAPH_TEST(an_error_of_a_kernel_is_reported),
      GRAPH_TEST(dequantize_is_not_folded_but_quantize_is),
      GRAPH_TEST(results_beyond_64_mib_are_not_folded),
      GRAPH_TEST(all_outputs_of_a_folded_node_become_constants),
      GRAPH_TEST(the_ends_of_the_graph_are_checked),
      GRAPH_TEST(inference_forgets_what_a_file_claimed_of_results),
      GRAPH_TEST(binding_keeps_fixed_batches_and_scalars),
      GRAPH_TEST(binding_names_the_first_value_that_stays_unknown),
      GRAPH_TEST(a_shape_that_depends_on_data_cannot_be_bound),
      GRAPH_TEST(failed_allocations_are_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
