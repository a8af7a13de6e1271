#include "graph_fixture.h"

/* ---- Concat and Gather ---- */

static void concat_adds_up_its_axis(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 2, 4));
  lpot_value_id y = input("y", DIMS(1, 3, UNKNOWN));
  lpot_node_id a = node_of(LPOT_OP_CONCAT, "a", VALUES(x, y, x));
  set_int(a, "axis", -2);
  lpot_node_id b = node_of(LPOT_OP_CONCAT, "b", VALUES(x, x));
  set_int(b, "axis", 0);
  infer();
  assert_shape(output_of(a), "[1, 7, 4]");
  assert_shape(output_of(b), "[?, 2, 4]");
  set_int(a, "axis", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'a': input 1: dimensions 2 and 3 disagree");
  lpot_graph_remove_attribute(graph, a, "axis");
  assert_infer_fails(LPOT_FORMAT, "node 'a': axis is missing");
}

static void concat_refuses_other_ranks_and_types(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 4));
  lpot_node_id a = node_of(LPOT_OP_CONCAT, "a", VALUES(x, input("y", DIMS(2))));
  set_int(a, "axis", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'a': an input has rank 1, expected 2");
  require(lpot_graph_set_input(graph, a, 1, typed_input("z", LPOT_S8, DIMS(2, 4)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'a': inputs 0 and 1 have the types");
}

static void gather_puts_the_indices_in_place_of_the_axis(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 5, 4));
  lpot_value_id pairs = zeros("pairs", LPOT_S64, DIMS(2, 3));
  lpot_node_id a = node_of(LPOT_OP_GATHER, "a", VALUES(x, scalar_int(-1)));
  lpot_node_id b = node_of(LPOT_OP_GATHER, "b", VALUES(x, pairs));
  set_int(a, "axis", 1);
  set_int(b, "axis", -1);
  infer();
  assert_shape(output_of(a), "[?, 4]");
  assert_shape(output_of(b), "[?, 5, 2, 3]");
  set_int(a, "axis", 3);
  assert_infer_fails(LPOT_FORMAT, "node 'a': axis is 3");
  set_int(a, "axis", 0);
  require(lpot_graph_set_input(graph, a, 1, x, &error));
  assert_infer_fails(LPOT_FORMAT, "node 'a': the indices have the type float32");
}

/* ---- Pad ---- */

static void pad_adds_and_cuts(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 3, 4));
  lpot_value_id a = compute(LPOT_OP_PAD, "a", VALUES(x, ints(INTS(0, 1, -1, 0, 2, -2))));
  lpot_value_id b =
      compute(LPOT_OP_PAD, "b", VALUES(x, ints(INTS(1, 2)), LPOT_NONE, ints(INTS(-1))));
  lpot_value_id c = compute(LPOT_OP_PAD, "c", VALUES(x, typed_input("p", LPOT_S64, DIMS(6))));
  infer();
  assert_shape(a, "[?, 6, 1]");
  assert_shape(b, "[?, 3, 7]");
  assert_shape(c, "[?, ?, ?]");
}

static void pad_refuses_impossible_pads(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(2, 3));
  lpot_node_id pad = node_of(LPOT_OP_PAD, "pad", VALUES(x, ints(INTS(0, 1, 0))));
  assert_infer_fails(LPOT_FORMAT, "node 'pad': pads has 3 values, expected 4");
  require(lpot_graph_set_input(graph, pad, 1, ints(INTS(0, -4, 0, 1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'pad': pads of -4 and 1 cut more than");
  require(lpot_graph_set_input(graph, pad, 1, ints(INTS(0, INT64_MAX, 0, 1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'pad': pads has the values");
  require(lpot_graph_set_input(graph, pad, 1, ints(INTS(0, 3, 0, 0)), &error));
  set_text(pad, "mode", "reflect");
  assert_infer_fails(LPOT_FORMAT, "node 'pad': pads of 3 and 0 cannot reflect");
  set_text(pad, "mode", "wrap");
  infer();
  set_text(pad, "mode", "repeat");
  assert_infer_fails(LPOT_UNSUPPORTED, "node 'pad': mode is 'repeat'");
}

/* ---- Slice ---- */

static void assert_slice(int64_t start, int64_t end, int64_t step, const char *expected) {
  lpot_value_id x = input("x", DIMS(UNKNOWN, 10));
  lpot_value_id y =
      compute(LPOT_OP_SLICE, "s",
              VALUES(x, ints(INTS(start)), ints(INTS(end)), ints(INTS(1)), ints(INTS(step))));
  infer();
  assert_shape(y, expected);
}

static void slice_counts_like_numpy(void **state) {
  (void)state;
  assert_slice(2, 5, 1, "[?, 3]");
  assert_slice(-3, INT64_MAX, 1, "[?, 3]");
  assert_slice(0, 10, 3, "[?, 4]");
  assert_slice(5, 2, 1, "[?, 0]");
  assert_slice(20, 30, 1, "[?, 0]");
  assert_slice(-1, INT64_MIN, -1, "[?, 10]");
  assert_slice(8, 1, -3, "[?, 3]");
  assert_slice(INT64_MIN, INT64_MAX, INT64_MAX, "[?, 1]");
  assert_slice(INT64_MAX, INT64_MIN, INT64_MIN, "[?, 1]");
  assert_slice(-100, 3, 2, "[?, 2]");
}

static void slice_without_axes_counts_from_the_first(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(4, 5, 6));
  lpot_value_id y = compute(LPOT_OP_SLICE, "a", VALUES(x, ints(INTS(1, 1)), ints(INTS(3, 2))));
  lpot_value_id start = typed_input("start", LPOT_S64, DIMS(1));
  lpot_value_id z = compute(LPOT_OP_SLICE, "b", VALUES(x, start, ints(INTS(3)), ints(INTS(-1))));
  lpot_value_id w = compute(LPOT_OP_SLICE, "c", VALUES(x, start, start));
  infer();
  assert_shape(y, "[2, 1, 6]");
  assert_shape(z, "[4, 5, ?]");
  assert_shape(w, "[?, ?, ?]");
}

static void slice_refuses_lists_that_disagree(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(4, 5));
  lpot_value_id one = ints(INTS(1));
  lpot_value_id two = ints(INTS(1, 1));
  lpot_value_id start = typed_input("start", LPOT_S64, DIMS(1));
  lpot_node_id slice = node_of(LPOT_OP_SLICE, "s", VALUES(x, one, two));
  assert_infer_fails(LPOT_FORMAT, "node 's': input 2 has 2 values, expected 1");
  require(
      lpot_graph_set_inputs(graph, slice, (lpot_value_id[]){x, start, two, one, one}, 5, &error));
  assert_infer_fails(LPOT_FORMAT, "node 's': input 3 has 1 values, expected 2");
  require(lpot_graph_set_inputs(graph, slice, (lpot_value_id[]){x, two, two, two}, 4, &error));
  assert_infer_fails(LPOT_FORMAT, "node 's': axis 1 is listed twice");
  require(lpot_graph_set_inputs(
      graph, slice, (lpot_value_id[]){x, one, one, LPOT_NONE, ints(INTS(0))}, 5, &error));
  assert_infer_fails(LPOT_FORMAT, "node 's': a step is 0");
}

/* ---- Split ---- */

static lpot_node_id split_of(lpot_value_id x, lpot_value_id sizes, size_t num_outputs) {
  lpot_value_id outputs[4];
  lpot_node_id node = LPOT_NONE;
  for (size_t i = 0; i < num_outputs; i++) {
    outputs[i] = value_of("part");
  }
  require(lpot_graph_add_node(graph, LPOT_OP_SPLIT, "split", (lpot_value_id[]){x, sizes}, 2,
                              outputs, num_outputs, &node, &error));
  return node;
}

static void split_takes_sizes_or_equal_parts(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 6));
  lpot_node_id a = split_of(x, ints(INTS(1, 5)), 2);
  set_int(a, "axis", 1);
  lpot_node_id b = split_of(x, LPOT_NONE, 3);
  set_int(b, "axis", -1);
  lpot_node_id c = split_of(x, LPOT_NONE, 2);
  infer();
  assert_shape(lpot_graph_node(graph, a)->outputs[0], "[?, 1]");
  assert_shape(lpot_graph_node(graph, a)->outputs[1], "[?, 5]");
  assert_shape(lpot_graph_node(graph, b)->outputs[2], "[?, 2]");
  assert_shape(output_of(c), "[?, 6]");
}

static void the_last_part_may_be_smaller_from_opset_18(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(7));
  lpot_node_id split = split_of(x, LPOT_NONE, 3);
  assert_infer_fails(LPOT_FORMAT, "node 'split': 7 cannot be split into 3 equal parts");
  set_int(split, "num_outputs", 3);
  infer();
  assert_shape(lpot_graph_node(graph, split)->outputs[0], "[3]");
  assert_shape(lpot_graph_node(graph, split)->outputs[2], "[1]");
  set_int(split, "num_outputs", 2);
  assert_infer_fails(LPOT_FORMAT, "node 'split': num_outputs is 2, the node has 3 outputs");
  set_int(split, "num_outputs", 0);
  assert_infer_fails(LPOT_FORMAT, "node 'split': num_outputs is 0");
}

static void split_refuses_sizes_that_do_not_add_up(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(6));
  lpot_node_id split = split_of(x, ints(INTS(2, 3)), 2);
  assert_infer_fails(LPOT_FORMAT, "node 'split': the values of split add up to 5, expected 6");
  require(lpot_graph_set_input(graph, split, 1, ints(INTS(7, -1)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'split': split has the value -1");
  require(lpot_graph_set_input(graph, split, 1, ints(INTS(6)), &error));
  assert_infer_fails(LPOT_FORMAT, "node 'split': split has 1 values, expected 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(concat_adds_up_its_axis),
      GRAPH_TEST(concat_refuses_other_ranks_and_types),
      GRAPH_TEST(gather_puts_the_indices_in_place_of_the_axis),
      GRAPH_TEST(pad_adds_and_cuts),
      GRAPH_TEST(pad_refuses_impossible_pads),
      GRAPH_TEST(slice_counts_like_numpy),
      GRAPH_TEST(slice_without_axes_counts_from_the_first),
      GRAPH_TEST(slice_refuses_lists_that_disagree),
      GRAPH_TEST(split_takes_sizes_or_equal_parts),
      GRAPH_TEST(the_last_part_may_be_smaller_from_opset_18),
      GRAPH_TEST(split_refuses_sizes_that_do_not_add_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
