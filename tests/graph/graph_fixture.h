/* Builds small graphs for the tests of the graph floor. Every helper stops the test on failure. */
#ifndef LPOT_TESTS_GRAPH_GRAPH_FIXTURE_H
#define LPOT_TESTS_GRAPH_GRAPH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "graph/infer.h"

/* Both expand to a count and an array. */
#define DIMS(...)                                                                                  \
  (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                         \
    __VA_ARGS__                                                                                    \
  }
#define INTS(...)                                                                                  \
  (size_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                      \
    __VA_ARGS__                                                                                    \
  }
#define REALS(...)                                                                                 \
  (float[]) {                                                                                      \
    __VA_ARGS__                                                                                    \
  }
#define VALUES(...)                                                                                \
  (size_t)(sizeof((lpot_value_id[]){__VA_ARGS__}) / sizeof(lpot_value_id)), (lpot_value_id[]) {    \
    __VA_ARGS__                                                                                    \
  }
#define UNKNOWN LPOT_DIM_UNKNOWN

static lpot_graph *graph;
static lpot_error error;

static inline void require(lpot_status status) {
  if (status != LPOT_OK) {
    fail_msg("%s: %s", lpot_status_text(status), error.message);
  }
}

static inline int setup_graph(void **state) {
  (void)state;
  error = (lpot_error){0};
  require(lpot_graph_new("test", &graph, &error));
  return 0;
}

static inline int teardown_graph(void **state) {
  (void)state;
  lpot_graph_free(graph);
  graph = NULL;
  return 0;
}

#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, setup_graph, teardown_graph)

static inline lpot_value_id value_of(const char *name) {
  lpot_value_id value = LPOT_NONE;
  require(lpot_graph_add_value(graph, name, LPOT_DTYPE_UNKNOWN, NULL, &value, &error));
  return value;
}

static inline lpot_value_id typed_input(const char *name, lpot_dtype dtype, int rank,
                                        const int64_t *dims) {
  lpot_value_id value = LPOT_NONE;
  lpot_shape shape = lpot_shape_of(rank, dims);
  require(lpot_graph_add_value(graph, name, dtype, &shape, &value, &error));
  require(lpot_graph_add_input(graph, value, &error));
  return value;
}

static inline lpot_value_id input(const char *name, int rank, const int64_t *dims) {
  return typed_input(name, LPOT_F32, rank, dims);
}

static inline lpot_value_id input_of_unknown_rank(const char *name) {
  lpot_value_id value = LPOT_NONE;
  require(lpot_graph_add_value(graph, name, LPOT_F32, NULL, &value, &error));
  require(lpot_graph_add_input(graph, value, &error));
  return value;
}

/* A constant vector of int64. */
static inline lpot_value_id ints(size_t count, const int64_t *values) {
  lpot_tensor *tensor = NULL;
  lpot_value_id value = LPOT_NONE;
  int64_t dim = (int64_t)count;
  lpot_shape shape = lpot_shape_of(1, &dim);
  require(lpot_tensor_copy_of(LPOT_S64, &shape, values, &tensor, &error));
  require(lpot_graph_add_constant(graph, "ints", &tensor, &value, &error));
  return value;
}

static inline lpot_value_id scalar_int(int64_t number) {
  lpot_tensor *tensor = NULL;
  lpot_value_id value = LPOT_NONE;
  lpot_shape shape = lpot_shape_scalar();
  require(lpot_tensor_copy_of(LPOT_S64, &shape, &number, &tensor, &error));
  require(lpot_graph_add_constant(graph, "number", &tensor, &value, &error));
  return value;
}

/* A constant of zeros of any type. */
static inline lpot_value_id zeros(const char *name, lpot_dtype dtype, int rank,
                                  const int64_t *dims) {
  lpot_tensor *tensor = NULL;
  lpot_value_id value = LPOT_NONE;
  lpot_shape shape = lpot_shape_of(rank, dims);
  require(lpot_tensor_new(dtype, &shape, &tensor, &error));
  require(lpot_graph_add_constant(graph, name, &tensor, &value, &error));
  return value;
}

static inline lpot_value_id scalar_of(lpot_dtype dtype) {
  return zeros("scalar", dtype, 0, NULL);
}

static inline lpot_value_id reals(const char *name, int rank, const int64_t *dims,
                                  const float *values) {
  lpot_tensor *tensor = NULL;
  lpot_value_id value = LPOT_NONE;
  lpot_shape shape = lpot_shape_of(rank, dims);
  require(lpot_tensor_copy_of(LPOT_F32, &shape, values, &tensor, &error));
  require(lpot_graph_add_constant(graph, name, &tensor, &value, &error));
  return value;
}

/* A node of one output; returns the node, its output is called "<name>.out". */
static inline lpot_node_id node_of(lpot_op op, const char *name, size_t num_inputs,
                                   const lpot_value_id *inputs) {
  char output_name[64];
  lpot_node_id node = LPOT_NONE;
  (void)snprintf(output_name, sizeof output_name, "%s.out", name);
  lpot_value_id output = value_of(output_name);
  require(lpot_graph_add_node(graph, op, name, inputs, num_inputs, &output, 1, &node, &error));
  return node;
}

static inline lpot_value_id output_of(lpot_node_id node) {
  return lpot_graph_node(graph, node)->outputs[0];
}

static inline lpot_value_id compute(lpot_op op, const char *name, size_t num_inputs,
                                    const lpot_value_id *inputs) {
  return output_of(node_of(op, name, num_inputs, inputs));
}

static inline void set_ints(lpot_node_id node, const char *name, size_t count,
                            const int64_t *values) {
  require(lpot_graph_set_ints(graph, node, name, values, count, &error));
}

static inline void set_int(lpot_node_id node, const char *name, int64_t value) {
  require(lpot_graph_set_int(graph, node, name, value, &error));
}

static inline void set_text(lpot_node_id node, const char *name, const char *value) {
  require(lpot_graph_set_string(graph, node, name, value, &error));
}

static inline void graph_output(lpot_value_id value) {
  require(lpot_graph_add_output(graph, value, &error));
}

static inline void infer(void) {
  require(lpot_graph_infer(graph, NULL, &error));
}

static inline void assert_shape(lpot_value_id value, const char *expected) {
  char text[160] = "?";
  const lpot_shape *shape = &lpot_graph_value(graph, value)->shape;
  if (shape->rank != LPOT_RANK_UNKNOWN) {
    lpot_shape_text(shape, text, sizeof text);
  }
  assert_string_equal(text, expected);
}

static inline void assert_dtype(lpot_value_id value, lpot_dtype expected) {
  assert_string_equal(lpot_dtype_text(lpot_graph_value(graph, value)->dtype),
                      lpot_dtype_text(expected));
}

static inline void assert_message(const char *part) {
  if (strstr(error.message, part) == NULL) {
    fail_msg("message '%s' lacks '%s'", error.message, part);
  }
}

/* Inference must fail with that status and a message that begins so. */
static inline void assert_infer_fails(lpot_status status, const char *message) {
  error = (lpot_error){0};
  assert_int_equal(lpot_graph_infer(graph, NULL, &error), status);
  if (strncmp(error.message, message, strlen(message)) != 0) {
    fail_msg("message '%s' does not begin with '%s'", error.message, message);
  }
}

static inline void check_order(const lpot_graph *checked, size_t count,
                               const lpot_node_id *expected) {
  const lpot_node_id *order = NULL;
  size_t order_count = 0;
  require(lpot_graph_order(checked, &order, &order_count, &error));
  assert_int_equal(order_count, count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(order[i], expected[i]);
  }
}

#endif
