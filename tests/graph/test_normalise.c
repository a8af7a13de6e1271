#include "graph_fixture.h"

#include "base/memory.h"
#include "graph/passes/passes.h"

/* Pad, Conv with its weights in a Constant node, a bias behind an Identity, and a normalisation. */
static void build_convolution(void) {
  lpot_value_id x = input("x", DIMS(UNKNOWN, 1, 4, 4));
  lpot_value_id pads = ints(INTS(0, 0, 1, 1, 0, 0, 1, 1));
  lpot_value_id padded = compute(LPOT_OP_PAD, "pad", VALUES(x, pads));
  lpot_node_id weights = node_of(LPOT_OP_CONSTANT, "weights", 0, NULL);
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(DIMS(1, 1, 1, 1));
  require(lpot_tensor_copy_of(LPOT_F32, &shape, REALS(2), &tensor, &error));
  require(lpot_graph_set_tensor(graph, weights, "value", &tensor, &error));
  lpot_value_id conv = compute(LPOT_OP_CONV, "conv", VALUES(padded, output_of(weights)));
  lpot_value_id same = compute(LPOT_OP_IDENTITY, "identity", VALUES(conv));
  lpot_value_id one = reals("one", DIMS(1, 1, 1), REALS(1));
  lpot_value_id sum = compute(LPOT_OP_ADD, "add", VALUES(same, one));
  lpot_value_id p = reals("p", DIMS(1), REALS(4));
  lpot_node_id norm = node_of(LPOT_OP_BATCH_NORMALIZATION, "norm", VALUES(sum, p, p, p, p));
  require(lpot_graph_set_float(graph, norm, "epsilon", 0.0F, &error));
  (void)compute(LPOT_OP_SIGMOID, "unused", VALUES(output_of(norm)));
  graph_output(output_of(norm));
}

static void everything_goes_into_one_convolution(void **state) {
  (void)state;
  build_convolution();
  require(lpot_graph_normalise(graph, NULL, &error));
  lpot_node_id conv = lpot_graph_find_node(graph, "conv");
  check_order(graph, VALUES(conv));
  const lpot_node *node = lpot_graph_node(graph, conv);
  assert_string_equal(lpot_graph_value(graph, node->outputs[0])->name, "norm.out");
  assert_shape(node->outputs[0], "[?, 1, 6, 6]");
  /* y = (2 x + 1 - 4) / 2 * 4 + 4 = 4 x - 2 */
  assert_float_equal(lpot_tensor_get_double(lpot_graph_value(graph, node->inputs[1])->constant, 0),
                     4.0, 1e-6);
  assert_float_equal(lpot_tensor_get_double(lpot_graph_value(graph, node->inputs[2])->constant, 0),
                     -2.0, 1e-6);
}

static void failed_allocations_leave_a_graph_that_can_be_freed(void **state) {
  (void)state;
  lpot_status status = LPOT_NO_MEMORY;
  uint64_t countdown = 0;
  while (status == LPOT_NO_MEMORY && countdown < 100000) {
    teardown_graph(NULL);
    (void)setup_graph(NULL);
    build_convolution();
    lpot_memory_fail_after(++countdown);
    status = lpot_graph_normalise(graph, NULL, &error);
    lpot_memory_fail_after(0);
  }
  assert_int_equal(status, LPOT_OK);
  assert_true(countdown > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(everything_goes_into_one_convolution),
      GRAPH_TEST(failed_allocations_leave_a_graph_that_can_be_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
