/* Helpers for tests of operators: tensors from lists, one node without a graph, comparison. */
#ifndef LPOT_TESTS_TENSOR_CHECK_H
#define LPOT_TESTS_TENSOR_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/reference/reference.h"
#include "tensor/tensor.h"

#define CHECK_MAX_TENSORS 12
#define NOT_A_NUMBER ((double)NAN)
#define INFINITE ((double)INFINITY)
#define CHECK_ENDS(type, ...) (sizeof((type[]){__VA_ARGS__}) / sizeof(type))

/* SHAPE(2, 3); SCALAR. */
#define SHAPE(...)                                                                                 \
  lpot_shape_of((int)CHECK_ENDS(int64_t, __VA_ARGS__), (const int64_t[]){__VA_ARGS__})
#define SCALAR lpot_shape_scalar()
/* TENSOR(LPOT_F32, SHAPE(2, 2), 1, 2, 3, 4): owned by the check that takes it. */
#define TENSOR(dtype, shape, ...)                                                                  \
  check_tensor((dtype), (shape), CHECK_ENDS(double, __VA_ARGS__), (const double[]){__VA_ARGS__})
#define EMPTY(dtype, shape) check_tensor((dtype), (shape), 0, NULL)
#define TENSORS(...) (lpot_tensor *[]){__VA_ARGS__}, CHECK_ENDS(lpot_tensor *, __VA_ARGS__)
#define ATTRIBUTES(...)                                                                            \
  (const lpot_attribute[]){__VA_ARGS__}, CHECK_ENDS(lpot_attribute, __VA_ARGS__)
#define NO_ATTRIBUTES NULL, 0
#define INT(text, value)                                                                           \
  { .name = (text), .kind = LPOT_ATTRIBUTE_INT, .integer = (value) }
#define FLOAT(text, value)                                                                         \
  { .name = (text), .kind = LPOT_ATTRIBUTE_FLOAT, .real = (value) }
#define STRING(text, value)                                                                        \
  { .name = (text), .kind = LPOT_ATTRIBUTE_STRING, .string = (value) }
#define INTS(text, ...)                                                                            \
  {                                                                                                \
    .name = (text), .kind = LPOT_ATTRIBUTE_INTS, .count = CHECK_ENDS(int64_t, __VA_ARGS__),        \
    .integers = (const int64_t[]) {                                                                \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }

static inline lpot_tensor *check_tensor(lpot_dtype dtype, lpot_shape shape, size_t count,
                                        const double *values) {
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  if (lpot_tensor_new(dtype, &shape, &tensor, &err) != LPOT_OK) {
    fail_msg("%s", err.message);
  }
  assert_int_equal(lpot_tensor_elements(tensor), (int64_t)count);
  for (size_t i = 0; i < count; i++) {
    lpot_tensor_set_double(tensor, (int64_t)i, values[i]);
  }
  return tensor;
}

static inline void check_equal(const lpot_tensor *actual, const lpot_tensor *expected,
                               double tolerance) {
  for (int64_t i = 0; i < lpot_tensor_elements(expected); i++) {
    double a = lpot_tensor_get_double(actual, i);
    double b = lpot_tensor_get_double(expected, i);
    bool same = a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance;
    if (!same) {
      fail_msg("element %lld is %.9g, expected %.9g", (long long)i, a, b);
    }
  }
}

/* Runs op on inputs (NULL: left out) and returns the status; outputs must be allocated. */
static inline lpot_status check_run(lpot_op op, const lpot_attribute *attributes,
                                    size_t num_attributes, lpot_tensor *const *inputs,
                                    size_t num_inputs, lpot_tensor *const *outputs,
                                    size_t num_outputs, lpot_error *err) {
  lpot_value_id ids[CHECK_MAX_TENSORS] = {0};
  assert_true(num_inputs <= CHECK_MAX_TENSORS && num_outputs <= CHECK_MAX_TENSORS);
  lpot_node node = {.op = op,
                    .name = "tested",
                    .num_inputs = (int)num_inputs,
                    .inputs = ids,
                    .num_outputs = (int)num_outputs,
                    .outputs = ids,
                    .num_attributes = (int)num_attributes,
                    .attributes = attributes};
  lpot_status status = lpot_reference_run(&node, (const lpot_tensor *const *)inputs, outputs, err);
  return status;
}

static inline void check_release(lpot_tensor *const *tensors, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lpot_tensor_unref(tensors[i]);
  }
}

/* Several outputs; expected[i] NULL: output left out. Takes all tensors. The outputs start as
 * garbage, so that an element that the kernel forgets is seen. */
static inline void check_nodes_outputs(lpot_op op, const lpot_attribute *attributes,
                                       size_t num_attributes, lpot_tensor *const *inputs,
                                       size_t num_inputs, lpot_tensor *const *expected,
                                       size_t num_outputs, double tolerance) {
  lpot_tensor *outputs[CHECK_MAX_TENSORS] = {NULL};
  lpot_error err = {0};
  assert_true(num_outputs <= CHECK_MAX_TENSORS);
  for (size_t i = 0; i < num_outputs; i++) {
    if (expected[i] != NULL) {
      assert_int_equal(lpot_tensor_new(expected[i]->dtype, &expected[i]->shape, &outputs[i], &err),
                       LPOT_OK);
      memset(outputs[i]->data, 0xa5, outputs[i]->size_bytes);
    }
  }
  if (check_run(op, attributes, num_attributes, inputs, num_inputs, outputs, num_outputs, &err) !=
      LPOT_OK) {
    fail_msg("%s", err.message);
  }
  for (size_t i = 0; i < num_outputs; i++) {
    if (expected[i] != NULL) {
      check_equal(outputs[i], expected[i], tolerance);
    }
  }
  check_release(inputs, num_inputs);
  check_release(expected, num_outputs);
  check_release(outputs, num_outputs);
}

/* One output. Takes all tensors. */
static inline void check_node(lpot_op op, const lpot_attribute *attributes, size_t num_attributes,
                              lpot_tensor *const *inputs, size_t num_inputs, lpot_tensor *expected,
                              double tolerance) {
  check_nodes_outputs(op, attributes, num_attributes, inputs, num_inputs, &expected, 1, tolerance);
}

/* The node must fail with status, and its message must contain text. Takes all tensors. */
static inline void check_fails(lpot_op op, const lpot_attribute *attributes, size_t num_attributes,
                               lpot_tensor *const *inputs, size_t num_inputs, lpot_tensor *output,
                               lpot_status status, const char *text) {
  lpot_error err = {0};
  assert_int_equal(check_run(op, attributes, num_attributes, inputs, num_inputs, &output, 1, &err),
                   status);
  if (strstr(err.message, text) == NULL || strstr(err.message, "node 'tested'") == NULL) {
    fail_msg("message is \"%s\", expected it to name the node and say \"%s\"", err.message, text);
  }
  check_release(inputs, num_inputs);
  lpot_tensor_unref(output);
}

#endif
