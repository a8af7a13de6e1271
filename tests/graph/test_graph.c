#include "graph/graph.h"

#include "base/memory.h"
#include "graph_fixture.h"

/* ---- names and ids ---- */

static void an_empty_or_taken_value_name_gets_a_fresh_one(void **state) {
  (void)state;
  lpot_value_id first = value_of("x");
  lpot_value_id second = value_of("x");
  lpot_value_id third = value_of("");
  lpot_value_id fourth = value_of(NULL);
  assert_string_equal(lpot_graph_value(graph, first)->name, "x");
  assert_string_not_equal(lpot_graph_value(graph, second)->name, "x");
  assert_true(strlen(lpot_graph_value(graph, third)->name) > 0);
  assert_string_not_equal(lpot_graph_value(graph, third)->name,
                          lpot_graph_value(graph, fourth)->name);
  assert_int_equal(lpot_graph_find_value(graph, "x"), first);
  assert_int_equal(lpot_graph_find_value(graph, lpot_graph_value(graph, second)->name), second);
  assert_int_equal(lpot_graph_find_value(graph, "y"), LPOT_NONE);
  assert_int_equal(lpot_graph_num_values(graph), 4);
}

static void a_node_is_named_by_its_name_or_its_first_output(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_node_id named = node_of(LPOT_OP_RELU, "relu", VALUES(x));
  lpot_node_id doubled = LPOT_NONE;
  lpot_value_id y = value_of("y");
  require(lpot_graph_add_node(graph, LPOT_OP_RELU, "relu", &x, 1, &y, 1, &doubled, &error));
  assert_string_equal(lpot_graph_node(graph, named)->name, "relu");
  assert_string_equal(lpot_graph_node(graph, doubled)->name, "y");
  lpot_value_id z = value_of("relu");
  lpot_node_id fresh = LPOT_NONE;
  require(lpot_graph_add_node(graph, LPOT_OP_RELU, "", &x, 1, &z, 1, &fresh, &error));
  assert_string_equal(lpot_graph_node(graph, fresh)->name, "Relu_1");
  assert_int_equal(lpot_graph_find_node(graph, "Relu_1"), fresh);
}

static void a_removed_node_frees_its_name(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_node_id first = node_of(LPOT_OP_RELU, "relu", VALUES(x));
  lpot_graph_remove_node(graph, first);
  assert_int_equal(lpot_graph_find_node(graph, "relu"), LPOT_NONE);
  lpot_node_id second = node_of(LPOT_OP_TANH, "relu", VALUES(x));
  assert_string_equal(lpot_graph_node(graph, second)->name, "relu");
  assert_int_equal(lpot_graph_find_node(graph, "relu"), second);
  assert_true(lpot_graph_node(graph, first)->removed);
}

/* ---- what building refuses ---- */

static lpot_status try_node(lpot_op op, size_t num_inputs, const lpot_value_id *inputs,
                            size_t num_outputs, const lpot_value_id *outputs) {
  return lpot_graph_add_node(graph, op, "node", inputs, num_inputs, outputs, num_outputs, NULL,
                             &error);
}

static void the_number_of_inputs_and_outputs_is_checked(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id y = value_of("y");
  lpot_value_id z = value_of("z");
  assert_int_equal(try_node(LPOT_OP_ADD, VALUES(x), VALUES(y)), LPOT_FORMAT);
  assert_string_equal(error.message, "node 'node': Add has 1 inputs, expected 2 to 2");
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x, x), VALUES(y)), LPOT_FORMAT);
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x), VALUES(y, z)), LPOT_FORMAT);
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x), 0, NULL), LPOT_FORMAT);
  assert_int_equal(try_node(LPOT_OP_CONCAT, 0, NULL, VALUES(y)), LPOT_FORMAT);
  assert_message("1 to more");
  assert_int_equal(lpot_graph_num_nodes(graph), 0);
}

static void a_required_input_cannot_be_left_out(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id y = value_of("y");
  assert_int_equal(try_node(LPOT_OP_ADD, VALUES(x, LPOT_NONE), VALUES(y)), LPOT_FORMAT);
  assert_message("input 1 is left out");
  require(try_node(LPOT_OP_CLIP, VALUES(x, LPOT_NONE, x), VALUES(y)));
}

static void ids_that_do_not_exist_are_refused(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(99), VALUES(x)), LPOT_INVALID);
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(-7), VALUES(x)), LPOT_INVALID);
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x), VALUES(99)), LPOT_INVALID);
}

static void a_value_has_one_origin(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id constant = ints(INTS(1));
  lpot_value_id y = compute(LPOT_OP_RELU, "relu", VALUES(x));
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x), VALUES(y)), LPOT_FORMAT);
  assert_message("output 'relu.out' is already produced by node 'relu'");
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x), VALUES(x)), LPOT_FORMAT);
  assert_int_equal(try_node(LPOT_OP_RELU, VALUES(x), VALUES(constant)), LPOT_FORMAT);
  assert_int_equal(lpot_graph_num_nodes(graph), 1);
  assert_int_equal(lpot_graph_add_input(graph, y, &error), LPOT_FORMAT);
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_scalar();
  require(lpot_tensor_new(LPOT_F32, &shape, &tensor, &error));
  assert_int_equal(lpot_graph_set_constant(graph, y, &tensor, &error), LPOT_FORMAT);
  assert_null(tensor);
}

static void a_node_cannot_list_an_output_twice(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(4));
  lpot_value_id y = value_of("y");
  assert_int_equal(try_node(LPOT_OP_SPLIT, VALUES(x), VALUES(y, y)), LPOT_FORMAT);
}

static void inputs_and_outputs_are_listed_once(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  assert_int_equal(lpot_graph_add_input(graph, x, &error), LPOT_FORMAT);
  graph_output(x);
  assert_int_equal(lpot_graph_add_output(graph, x, &error), LPOT_FORMAT);
  assert_int_equal(lpot_graph_num_outputs(graph), 1);
  assert_true(lpot_graph_is_output(graph, x));
}

static void shapes_out_of_range_are_refused(void **state) {
  (void)state;
  lpot_value_id value = LPOT_NONE;
  lpot_shape shape = lpot_shape_of(DIMS(2, -5));
  assert_int_equal(lpot_graph_add_value(graph, "x", LPOT_F32, &shape, &value, &error), LPOT_FORMAT);
  shape = lpot_shape_of(DIMS(INT64_MAX));
  assert_int_equal(lpot_graph_add_value(graph, "x", LPOT_F32, &shape, &value, &error), LPOT_FORMAT);
  shape.rank = LPOT_MAX_RANK + 1;
  assert_int_equal(lpot_graph_add_value(graph, "x", LPOT_F32, &shape, &value, &error),
                   LPOT_UNSUPPORTED);
}

/* ---- inputs that are constants ---- */

static void an_input_that_holds_a_constant_is_no_input(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id w = input("w", DIMS(3));
  lpot_value_id z = input("z", DIMS(1));
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(DIMS(2, 2));
  require(lpot_tensor_new(LPOT_F64, &shape, &tensor, &error));
  require(lpot_graph_set_constant(graph, w, &tensor, &error));
  assert_int_equal(lpot_graph_num_inputs(graph), 2);
  assert_int_equal(lpot_graph_input(graph, 0), x);
  assert_int_equal(lpot_graph_input(graph, 1), z);
  assert_shape(w, "[2, 2]");
  assert_dtype(w, LPOT_F64);
  lpot_value_id constant = ints(INTS(1, 2));
  require(lpot_graph_add_input(graph, constant, &error));
  assert_int_equal(lpot_graph_num_inputs(graph), 2);
}

/* ---- changing ---- */

static void replacing_uses_spares_the_exception_and_the_outputs(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id y = input("y", DIMS(1));
  lpot_node_id both = node_of(LPOT_OP_ADD, "both", VALUES(x, x));
  lpot_node_id spared = node_of(LPOT_OP_RELU, "spared", VALUES(x));
  graph_output(x);
  require(lpot_graph_replace_uses(graph, x, y, spared, &error));
  assert_int_equal(lpot_graph_node(graph, both)->inputs[0], y);
  assert_int_equal(lpot_graph_node(graph, both)->inputs[1], y);
  assert_int_equal(lpot_graph_node(graph, spared)->inputs[0], x);
  assert_int_equal(lpot_graph_output(graph, 0), x);
  require(lpot_graph_replace_uses(graph, y, y, LPOT_NONE, &error));
}

static void an_output_moves_to_another_node(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_node_id conv = node_of(LPOT_OP_RELU, "conv", VALUES(x));
  lpot_value_id old = output_of(conv);
  lpot_node_id norm = node_of(LPOT_OP_RELU, "norm", VALUES(old));
  lpot_value_id kept = output_of(norm);
  assert_int_equal(lpot_graph_set_output(graph, conv, 0, kept, &error), LPOT_FORMAT);
  lpot_graph_remove_node(graph, norm);
  require(lpot_graph_set_output(graph, conv, 0, kept, &error));
  assert_int_equal(lpot_graph_value(graph, kept)->producer, conv);
  assert_int_equal(lpot_graph_value(graph, old)->producer, LPOT_NONE);
  assert_int_equal(lpot_graph_set_output(graph, conv, 1, old, &error), LPOT_INVALID);
  assert_int_equal(lpot_graph_set_output(graph, norm, 0, old, &error), LPOT_INVALID);
}

static void inputs_are_replaced_as_a_whole(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(1));
  lpot_value_id y = input("y", DIMS(1));
  lpot_node_id clip = node_of(LPOT_OP_CLIP, "clip", VALUES(x));
  require(lpot_graph_set_inputs(graph, clip, (lpot_value_id[]){y, x, y}, 3, &error));
  assert_int_equal(lpot_graph_node(graph, clip)->num_inputs, 3);
  assert_int_equal(lpot_node_input(lpot_graph_node(graph, clip), 2), y);
  assert_int_equal(lpot_node_input(lpot_graph_node(graph, clip), 3), LPOT_NONE);
  assert_int_equal(lpot_node_input(lpot_graph_node(graph, clip), -1), LPOT_NONE);
  const lpot_node *node = lpot_graph_node(graph, clip);
  require(lpot_graph_set_inputs(graph, clip, node->inputs, 2, &error));
  assert_int_equal(node->num_inputs, 2);
  assert_int_equal(node->inputs[0], y);
  assert_int_equal(node->inputs[1], x);
  assert_int_equal(lpot_graph_set_inputs(graph, clip, NULL, 0, &error), LPOT_FORMAT);
  assert_int_equal(lpot_graph_set_input(graph, clip, 2, x, &error), LPOT_INVALID);
  assert_int_equal(lpot_graph_set_input(graph, clip, 0, LPOT_NONE, &error), LPOT_FORMAT);
  assert_int_equal(lpot_graph_set_input(graph, clip, 0, 1000, &error), LPOT_INVALID);
  lpot_graph_remove_node(graph, clip);
  assert_int_equal(lpot_graph_set_input(graph, clip, 0, x, &error), LPOT_INVALID);
}

/* ---- clone ---- */

static void a_clone_is_equal_and_apart(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3));
  lpot_value_id w = ints(INTS(1, 2, 3));
  lpot_node_id gone = node_of(LPOT_OP_RELU, "gone", VALUES(x));
  lpot_node_id add = node_of(LPOT_OP_ADD, "add", VALUES(x, w));
  set_int(add, "int", 7);
  require(lpot_graph_set_float(graph, add, "float", 0.5F, &error));
  set_text(add, "text", "hello");
  set_ints(add, "ints", INTS(1, 2));
  require(lpot_graph_set_floats(graph, add, "floats", REALS(1.5F), 1, &error));
  lpot_tensor *tensor = lpot_tensor_ref(lpot_graph_value(graph, w)->constant);
  require(lpot_graph_set_tensor(graph, add, "tensor", &tensor, &error));
  graph_output(output_of(add));
  lpot_graph_remove_node(graph, gone);
  lpot_graph_set_opset(graph, 17);

  lpot_graph *copy = NULL;
  require(lpot_graph_clone(graph, &copy, &error));
  assert_string_equal(lpot_graph_name(copy), "test");
  assert_int_equal(lpot_graph_opset(copy), 17);
  assert_int_equal(lpot_graph_find_node(copy, "add"), add);
  assert_int_equal(lpot_graph_find_node(copy, "gone"), LPOT_NONE);
  assert_int_equal(lpot_graph_find_value(copy, "x"), x);
  assert_int_equal(lpot_graph_num_inputs(copy), 1);
  assert_int_equal(lpot_graph_output(copy, 0), output_of(add));
  assert_ptr_equal(lpot_graph_value(copy, w)->constant, lpot_graph_value(graph, w)->constant);
  const lpot_node *node = lpot_graph_node(copy, add);
  assert_int_equal(lpot_node_int(node, "int", 0), 7);
  assert_float_equal(lpot_node_float(node, "float", 0.0F), 0.5F, 0.0F);
  assert_string_equal(lpot_node_string(node, "text", ""), "hello");
  const int64_t *values = NULL;
  assert_int_equal(lpot_node_ints(node, "ints", &values), 2);
  assert_int_equal(values[1], 2);
  assert_float_equal(lpot_node_attribute(node, "floats")->reals[0], 1.5F, 0.0F);
  assert_non_null(lpot_node_attribute(node, "tensor")->tensor);
  check_order(copy, VALUES(add));

  lpot_graph_remove_node(copy, add);
  assert_false(lpot_graph_node(graph, add)->removed);
  lpot_graph_free(graph);
  graph = copy;
  assert_int_equal(lpot_tensor_get_int(lpot_graph_value(graph, w)->constant, 2), 3);
}

/* ---- running out of memory ---- */

static lpot_status build_something(lpot_graph **ret_graph, lpot_error *err) {
  lpot_value_id x = LPOT_NONE;
  lpot_value_id y = LPOT_NONE;
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(lpot_graph_new("memory", ret_graph, err));
  LPOT_TRY(lpot_graph_add_value(*ret_graph, "x", LPOT_F32, NULL, &x, err));
  LPOT_TRY(lpot_graph_add_input(*ret_graph, x, err));
  for (int i = 0; i < 20; i++) {
    LPOT_TRY(lpot_graph_add_value(*ret_graph, NULL, LPOT_F32, NULL, &y, err));
    LPOT_TRY(lpot_graph_add_node(*ret_graph, LPOT_OP_RELU, NULL, &x, 1, &y, 1, &node, err));
    LPOT_TRY(lpot_graph_set_int(*ret_graph, node, "axis", 1, err));
    x = y;
  }
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_scalar();
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &shape, &tensor, err));
  LPOT_TRY(lpot_graph_add_constant(*ret_graph, "c", &tensor, &y, err));
  LPOT_TRY(lpot_graph_add_output(*ret_graph, x, err));
  LPOT_TRY(lpot_graph_infer(*ret_graph, NULL, err));
  lpot_graph *copy = NULL;
  LPOT_TRY(lpot_graph_clone(*ret_graph, &copy, err));
  lpot_graph_free(copy);
  return LPOT_OK;
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  lpot_status status = LPOT_NO_MEMORY;
  uint64_t countdown = 0;
  while (status == LPOT_NO_MEMORY && countdown < 100000) {
    lpot_graph *built = NULL;
    lpot_memory_fail_after(++countdown);
    status = build_something(&built, &error);
    lpot_memory_fail_after(0);
    lpot_graph_free(built);
  }
  assert_int_equal(status, LPOT_OK);
  assert_true(countdown > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(an_empty_or_taken_value_name_gets_a_fresh_one),
      GRAPH_TEST(a_node_is_named_by_its_name_or_its_first_output),
      GRAPH_TEST(a_removed_node_frees_its_name),
      GRAPH_TEST(the_number_of_inputs_and_outputs_is_checked),
      GRAPH_TEST(a_required_input_cannot_be_left_out),
      GRAPH_TEST(ids_that_do_not_exist_are_refused),
      GRAPH_TEST(a_value_has_one_origin),
      GRAPH_TEST(a_node_cannot_list_an_output_twice),
      GRAPH_TEST(inputs_and_outputs_are_listed_once),
      GRAPH_TEST(shapes_out_of_range_are_refused),
      GRAPH_TEST(an_input_that_holds_a_constant_is_no_input),
      GRAPH_TEST(replacing_uses_spares_the_exception_and_the_outputs),
      GRAPH_TEST(an_output_moves_to_another_node),
      GRAPH_TEST(inputs_are_replaced_as_a_whole),
      GRAPH_TEST(a_clone_is_equal_and_apart),
      GRAPH_TEST(every_failed_allocation_is_reported_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
