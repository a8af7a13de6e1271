#include "graph/window.h"

#include "graph_fixture.h"

static lpot_node_id window_node(lpot_op op) {
  lpot_value_id x = input("x", DIMS(1));
  if (op == LPOT_OP_CONV || op == LPOT_OP_CONV_TRANSPOSE) {
    return node_of(op, "node", VALUES(x, x));
  }
  return node_of(op, "node", VALUES(x));
}

static lpot_status resolve(lpot_node_id node, lpot_shape input_shape, const lpot_shape *weights,
                           lpot_window *ret) {
  error = (lpot_error){0};
  return lpot_window_resolve(lpot_graph_node(graph, node), &input_shape, weights, ret, &error);
}

static const lpot_shape weights_3x3 = {4, {8, 4, 3, 3}};

static void a_plain_convolution_shrinks_by_the_kernel(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  require(resolve(conv, lpot_shape_of(DIMS(1, 4, 32, 30)), &weights_3x3, &window));
  assert_int_equal(window.num_spatial, 2);
  assert_int_equal(window.kernel[1], 3);
  assert_int_equal(window.output[0], 30);
  assert_int_equal(window.output[1], 28);
  assert_int_equal(window.group, 1);
}

static void strides_dilations_and_uneven_pads_are_counted(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  set_ints(conv, "strides", INTS(2, 1));
  set_ints(conv, "dilations", INTS(1, 2));
  set_ints(conv, "pads", INTS(1, 0, 2, 3));
  require(resolve(conv, lpot_shape_of(DIMS(1, 4, 32, 30)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 17); /* (32 + 3 - 3) / 2 + 1 */
  assert_int_equal(window.output[1], 29); /* 30 + 3 - 5 + 1 */
  assert_int_equal(window.pad_begin[0], 1);
  assert_int_equal(window.pad_end[1], 3);
}

static void same_padding_puts_the_odd_element_where_it_says(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  set_text(conv, "auto_pad", "SAME_UPPER");
  set_ints(conv, "strides", INTS(2, 2));
  require(resolve(conv, lpot_shape_of(DIMS(1, 4, 32, 31)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 16);
  assert_int_equal(window.pad_begin[0], 0);
  assert_int_equal(window.pad_end[0], 1);
  assert_int_equal(window.pad_begin[1], 1);
  assert_int_equal(window.pad_end[1], 1);
  set_text(conv, "auto_pad", "SAME_LOWER");
  require(resolve(conv, lpot_shape_of(DIMS(1, 4, 32, 31)), &weights_3x3, &window));
  assert_int_equal(window.pad_begin[0], 1);
  assert_int_equal(window.pad_end[0], 0);
}

static void valid_padding_ignores_pads(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  set_text(conv, "auto_pad", "VALID");
  set_ints(conv, "pads", INTS(1, 1, 1, 1));
  require(resolve(conv, lpot_shape_of(DIMS(1, 4, 5, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 3);
  assert_int_equal(window.pad_begin[0], 0);
}

static void unknown_sizes_stay_unknown(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  require(resolve(conv, lpot_shape_of(DIMS(UNKNOWN, 4, UNKNOWN, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], UNKNOWN);
  assert_int_equal(window.output[1], 3);
  set_text(conv, "auto_pad", "SAME_UPPER");
  require(resolve(conv, lpot_shape_of(DIMS(UNKNOWN, 4, UNKNOWN, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], UNKNOWN);
  assert_int_equal(window.pad_begin[0], 1);
}

static void one_and_three_dimensions_work_and_four_do_not(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id pool = window_node(LPOT_OP_MAX_POOL);
  set_ints(pool, "kernel_shape", INTS(2));
  require(resolve(pool, lpot_shape_of(DIMS(1, 4, 8)), NULL, &window));
  assert_int_equal(window.output[0], 7);
  set_ints(pool, "kernel_shape", INTS(2, 3, 4));
  require(resolve(pool, lpot_shape_of(DIMS(1, 4, 8, 8, 8)), NULL, &window));
  assert_int_equal(window.output[2], 5);
  set_ints(pool, "kernel_shape", INTS(1, 1, 1, 1));
  assert_int_equal(resolve(pool, lpot_shape_of(DIMS(1, 4, 8, 8, 8, 8)), NULL, &window),
                   LPOT_UNSUPPORTED);
  assert_int_equal(resolve(pool, lpot_shape_of(DIMS(1, 4)), NULL, &window), LPOT_UNSUPPORTED);
}

static void ceil_mode_adds_a_window_unless_it_begins_behind_the_input(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id pool = window_node(LPOT_OP_MAX_POOL);
  set_ints(pool, "kernel_shape", INTS(3));
  set_ints(pool, "strides", INTS(2));
  set_int(pool, "ceil_mode", 1);
  require(resolve(pool, lpot_shape_of(DIMS(1, 1, 6)), NULL, &window));
  assert_int_equal(window.output[0], 3); /* at 0, 2 and 4; the last reads one beyond */
  set_ints(pool, "kernel_shape", INTS(1));
  require(resolve(pool, lpot_shape_of(DIMS(1, 1, 2)), NULL, &window));
  assert_int_equal(window.output[0], 1); /* the second would begin at 2, behind the input */
}

static void a_transposed_convolution_grows(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV_TRANSPOSE);
  set_ints(conv, "strides", INTS(2, 3));
  set_ints(conv, "pads", INTS(1, 0, 1, 0));
  set_ints(conv, "output_padding", INTS(1, 2));
  require(resolve(conv, lpot_shape_of(DIMS(1, 8, 5, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 10); /* 2 * 4 + 1 + 3 - 2 */
  assert_int_equal(window.output[1], 17); /* 3 * 4 + 2 + 3 */
}

static void output_shape_decides_the_pads_of_a_transposed_convolution(void **state) {
  (void)state;
  lpot_window window;
  lpot_node_id conv = window_node(LPOT_OP_CONV_TRANSPOSE);
  set_ints(conv, "strides", INTS(2, 2));
  set_ints(conv, "output_shape", INTS(10, 8));
  require(resolve(conv, lpot_shape_of(DIMS(1, 8, 5, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 10); /* of 11 */
  assert_int_equal(window.pad_begin[0], 1);
  assert_int_equal(window.pad_end[0], 0);
  assert_int_equal(window.output[1], 8);
  assert_int_equal(window.pad_begin[1], 2);
  assert_int_equal(window.pad_end[1], 1);
  set_ints(conv, "output_shape", INTS(1, 4, 12, 11));
  require(resolve(conv, lpot_shape_of(DIMS(1, 8, 5, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 12);
  assert_int_equal(window.output_padding[0], 1);
  lpot_graph_remove_attribute(graph, conv, "output_shape");
  set_text(conv, "auto_pad", "SAME_UPPER");
  require(resolve(conv, lpot_shape_of(DIMS(1, 8, 5, 5)), &weights_3x3, &window));
  assert_int_equal(window.output[0], 10);
  assert_int_equal(window.pad_begin[0], 0);
  assert_int_equal(window.pad_end[0], 1);
}

/* ---- what is refused ---- */

static void assert_refused(lpot_node_id node, const char *message) {
  lpot_window window;
  bool transposed = lpot_graph_node(graph, node)->op == LPOT_OP_CONV_TRANSPOSE;
  lpot_shape shape = lpot_shape_of(DIMS(1, transposed ? 8 : 4, 5, 5));
  assert_int_equal(resolve(node, shape, &weights_3x3, &window), LPOT_FORMAT);
  if (strncmp(error.message, message, strlen(message)) != 0) {
    fail_msg("message '%s' does not begin with '%s'", error.message, message);
  }
}

static void lists_of_the_wrong_length_are_refused(void **state) {
  (void)state;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  set_ints(conv, "pads", INTS(1, 1, 1));
  assert_refused(conv, "node 'node': pads has 3 values, expected 4");
  lpot_graph_remove_attribute(graph, conv, "pads");
  set_ints(conv, "strides", INTS(1));
  assert_refused(conv, "node 'node': strides has 1 values, expected 2");
  lpot_graph_remove_attribute(graph, conv, "strides");
  set_text(conv, "dilations", "two");
  assert_refused(conv, "node 'node': attribute dilations is no list of integers");
}

static void absurd_values_are_refused(void **state) {
  (void)state;
  const struct {
    const char *name;
    int64_t value;
  } table[] = {{"strides", 0},         {"strides", -1},          {"strides", INT64_MAX},
               {"dilations", 0},       {"dilations", INT64_MAX}, {"pads", -1},
               {"pads", INT64_MAX},    {"kernel_shape", 0},      {"kernel_shape", INT64_MIN},
               {"kernel_shape", 5},    {"dilations", 1 << 24},   {"output_padding", -1},
               {"output_padding", 10}, {"output_shape", 0},      {"pads", 1 << 23}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    bool transposed = strncmp(table[i].name, "output", 6) == 0 || table[i].value == 1 << 23;
    lpot_node_id conv = window_node(transposed ? LPOT_OP_CONV_TRANSPOSE : LPOT_OP_CONV);
    int64_t values[] = {table[i].value, table[i].value, table[i].value, table[i].value};
    set_ints(conv, table[i].name, strcmp(table[i].name, "pads") == 0 ? 4 : 2, values);
    assert_refused(conv, "node '");
    lpot_graph_remove_node(graph, conv);
    teardown_graph(NULL);
    (void)setup_graph(NULL);
  }
}

static void groups_and_padding_modes_are_checked(void **state) {
  (void)state;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  set_int(conv, "group", 0);
  assert_refused(conv, "node 'node': group is 0");
  set_int(conv, "group", 1);
  set_text(conv, "auto_pad", "SAME");
  assert_refused(conv, "node 'node': auto_pad is 'SAME'");
}

static void a_window_larger_than_the_input_is_refused(void **state) {
  (void)state;
  lpot_node_id conv = window_node(LPOT_OP_CONV);
  set_ints(conv, "dilations", INTS(3, 1));
  assert_refused(conv, "node 'node': the window of 7 exceeds the padded input of 5");
}

static void a_pool_needs_a_kernel_that_reaches_over_its_pads(void **state) {
  (void)state;
  lpot_node_id pool = window_node(LPOT_OP_AVERAGE_POOL);
  assert_refused(pool, "node 'node': kernel_shape is missing");
  set_ints(pool, "kernel_shape", INTS(2, 2));
  set_ints(pool, "pads", INTS(2, 0, 0, 0));
  assert_refused(pool, "node 'node': pads has the values 2 and 0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(a_plain_convolution_shrinks_by_the_kernel),
      GRAPH_TEST(strides_dilations_and_uneven_pads_are_counted),
      GRAPH_TEST(same_padding_puts_the_odd_element_where_it_says),
      GRAPH_TEST(valid_padding_ignores_pads),
      GRAPH_TEST(unknown_sizes_stay_unknown),
      GRAPH_TEST(one_and_three_dimensions_work_and_four_do_not),
      GRAPH_TEST(ceil_mode_adds_a_window_unless_it_begins_behind_the_input),
      GRAPH_TEST(a_transposed_convolution_grows),
      GRAPH_TEST(output_shape_decides_the_pads_of_a_transposed_convolution),
      GRAPH_TEST(lists_of_the_wrong_length_are_refused),
      GRAPH_TEST(absurd_values_are_refused),
      GRAPH_TEST(groups_and_padding_modes_are_checked),
      GRAPH_TEST(a_window_larger_than_the_input_is_refused),
      GRAPH_TEST(a_pool_needs_a_kernel_that_reaches_over_its_pads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
