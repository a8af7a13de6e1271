#include "graph_fixture.h"

#include "graph/passes/passes.h"

static lpot_value_id number(const char *name, float value) {
  return reals(name, 0, NULL, REALS(value));
}

static lpot_value_id product(const char *name, lpot_value_id a, lpot_value_id b) {
  return compute(LPOT_OP_MUL, name, VALUES(a, b));
}

/* 1 + erf(x / divisor) */
static lpot_value_id sum_of(lpot_value_id x, float divisor) {
  lpot_value_id scaled = compute(LPOT_OP_DIV, "scaled", VALUES(x, number("r", divisor)));
  lpot_value_id erf = compute(LPOT_OP_ERF, "erf", VALUES(scaled));
  return compute(LPOT_OP_ADD, "sum", VALUES(erf, number("one", 1.0f)));
}

static lpot_value_id x_input(void) {
  return input("x", DIMS(UNKNOWN, 3, 4));
}

static void assert_fused(lpot_value_id x, lpot_value_id result) {
  graph_output(result);
  require(lpot_pass_fuse_gelu(graph, &error));
  lpot_node_id producer = lpot_graph_value(graph, result)->producer;
  const lpot_node *node = lpot_graph_node(graph, producer);
  assert_int_equal(node->op, LPOT_OP_MICROSOFT_GELU);
  assert_int_equal(node->inputs[0], x);
  check_order(graph, VALUES(producer));
  infer();
  assert_shape(result, "[?, 3, 4]");
}

static void assert_kept(lpot_value_id result) {
  graph_output(result);
  require(lpot_pass_fuse_gelu(graph, &error));
  lpot_node_id producer = lpot_graph_value(graph, result)->producer;
  assert_int_equal(lpot_graph_node(graph, producer)->op, LPOT_OP_MUL);
}

static void half_of_the_product_is_gelu(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  assert_fused(x, product("b", product("a", x, sum_of(x, 1.41421354f)), number("h", 0.5f)));
}

static void half_of_x_first_is_gelu(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  assert_fused(x, product("b", product("a", x, number("h", 0.5f)), sum_of(x, 1.4142f)));
}

static void half_of_the_sum_first_is_gelu(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  assert_fused(x, product("b", x, product("a", number("h", 0.5f), sum_of(x, 1.4142f))));
}

static void multiplication_may_scale(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  lpot_value_id erf =
      compute(LPOT_OP_ERF, "erf", VALUES(product("s", number("r", 0.70710678f), x)));
  lpot_value_id sum = compute(LPOT_OP_ADD, "sum", VALUES(number("one", 1.0f), erf));
  assert_fused(x, product("b", product("a", x, sum), number("h", 0.5f)));
}

static void other_numbers_are_something_else(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  assert_kept(product("b", product("a", x, sum_of(x, 1.5f)), number("h", 0.5f)));
  assert_kept(product("d", product("c", x, sum_of(x, 1.4142f)), number("h", 0.6f)));
}

static void another_x_is_something_else(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  lpot_value_id y = input("y", DIMS(UNKNOWN, 3, 4));
  assert_kept(product("b", product("a", y, sum_of(x, 1.4142f)), number("h", 0.5f)));
}

static void parts_that_others_read_stay(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  lpot_value_id sum = sum_of(x, 1.4142f);
  graph_output(sum);
  assert_kept(product("b", product("a", x, sum), number("h", 0.5f)));
}

static void numbers_that_add_an_axis_stay(void **state) {
  (void)state;
  lpot_value_id x = input("x", 0, NULL);
  lpot_value_id half = reals("h", DIMS(1), REALS(0.5f));
  lpot_value_id result = product("b", product("a", x, sum_of(x, 1.4142f)), half);
  infer();
  assert_kept(result);
}

static void numbers_may_be_vectors_of_one(void **state) {
  (void)state;
  lpot_value_id x = x_input();
  lpot_value_id half = reals("h", DIMS(1), REALS(0.5f));
  lpot_value_id result = product("b", product("a", x, sum_of(x, 1.4142f)), half);
  infer();
  assert_fused(x, result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(half_of_the_product_is_gelu),      GRAPH_TEST(half_of_x_first_is_gelu),
      GRAPH_TEST(half_of_the_sum_first_is_gelu),    GRAPH_TEST(multiplication_may_scale),
      GRAPH_TEST(other_numbers_are_something_else), GRAPH_TEST(another_x_is_something_else),
      GRAPH_TEST(parts_that_others_read_stay),      GRAPH_TEST(numbers_that_add_an_axis_stay),
      GRAPH_TEST(numbers_may_be_vectors_of_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
