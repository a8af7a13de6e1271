/* Helpers for tests of the quant floor: small graphs, run node by node with the reference kernels.
 */
#ifndef LPOT_TESTS_QUANT_FIXTURE_H
#define LPOT_TESTS_QUANT_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"
#include "quant/rewrite.h"

/* CHECK(call(..., &err)) where err is an lpot_error in sight. */
#define CHECK(call)                                                                                \
  do {                                                                                             \
    err = (lpot_error){0};                                                                         \
    if ((call) != LPOT_OK) {                                                                       \
      fail_msg("%s: %s", #call, err.message);                                                      \
    }                                                                                              \
  } while (0)
#define CHECK_FAILS(call, wanted, text)                                                            \
  do {                                                                                             \
    err = (lpot_error){0};                                                                         \
    assert_int_equal((call), (wanted));                                                            \
    if (strstr(err.message, (text)) == NULL) {                                                     \
      fail_msg("message is \"%s\", expected it to say \"%s\"", err.message, (text));               \
    }                                                                                              \
  } while (0)
#define DIMS(...)                                                                                  \
  (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) {                   \
    __VA_ARGS__                                                                                    \
  }
#define IDS(...)                                                                                   \
  (const lpot_value_id[]){__VA_ARGS__},                                                            \
      (sizeof((lpot_value_id[]){__VA_ARGS__}) / sizeof(lpot_value_id))

static const lpot_op_config fixture_u8 = {
    .activation = {LPOT_U8, LPOT_SCHEME_ASYM, LPOT_PER_TENSOR, LPOT_MINMAX},
    .weight = {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_CHANNEL, LPOT_MINMAX}};
static const lpot_op_config fixture_s8 = {
    .activation = {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_TENSOR, LPOT_MINMAX},
    .weight = {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_TENSOR, LPOT_MINMAX}};

/* ---- building ---- */

static inline lpot_graph *fixture_graph(void) {
  lpot_error err = {0};
  lpot_graph *graph = NULL;
  CHECK(lpot_graph_new("tested", &graph, &err));
  lpot_graph_set_opset(graph, 13);
  return graph;
}

/* Dimension 0 becomes symbolic. */
static inline lpot_value_id fixture_input(lpot_graph *graph, const char *name, int rank,
                                          const int64_t *dims) {
  lpot_error err = {0};
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_value_id value = LPOT_NONE;
  shape.dims[0] = LPOT_DIM_UNKNOWN;
  CHECK(lpot_graph_add_value(graph, name, LPOT_F32, &shape, &value, &err));
  CHECK(lpot_graph_add_input(graph, value, &err));
  return value;
}

/* Fills with a fixed pattern in [-1, 1]. */
static inline void fixture_fill(float *values, int64_t count, uint32_t seed) {
  uint32_t state = seed * 2654435761U + 12345U;
  for (int64_t i = 0; i < count; i++) {
    state = state * 1664525U + 1013904223U;
    values[i] = (float)((double)(state >> 8) / 8388608.0 - 1.0);
  }
}

static inline lpot_value_id fixture_values(lpot_graph *graph, const char *name, int rank,
                                           const int64_t *dims, const float *values) {
  lpot_error err = {0};
  const lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_tensor *tensor = NULL;
  lpot_value_id value = LPOT_NONE;
  CHECK(lpot_tensor_copy_of(LPOT_F32, &shape, values, &tensor, &err));
  CHECK(lpot_graph_add_constant(graph, name, &tensor, &value, &err));
  return value;
}

static inline lpot_value_id fixture_constant(lpot_graph *graph, const char *name, int rank,
                                             const int64_t *dims, uint32_t seed) {
  float values[4096];
  const lpot_shape shape = lpot_shape_of(rank, dims);
  assert_true(lpot_shape_elements(&shape) <= 4096);
  fixture_fill(values, lpot_shape_elements(&shape), seed);
  return fixture_values(graph, name, rank, dims, values);
}

static inline lpot_value_id fixture_ints(lpot_graph *graph, const char *name, int64_t count,
                                         const int64_t *values) {
  lpot_error err = {0};
  const lpot_shape shape = lpot_shape_of(1, &count);
  lpot_tensor *tensor = NULL;
  lpot_value_id value = LPOT_NONE;
  CHECK(lpot_tensor_copy_of(LPOT_S64, &shape, values, &tensor, &err));
  CHECK(lpot_graph_add_constant(graph, name, &tensor, &value, &err));
  return value;
}

/* The node is called "<output>_node". */
static inline lpot_value_id fixture_node(lpot_graph *graph, lpot_op op, const lpot_value_id *inputs,
                                         size_t num_inputs, const char *output) {
  lpot_error err = {0};
  const lpot_shape unknown = lpot_shape_unknown();
  lpot_value_id value = LPOT_NONE;
  lpot_node_id node = LPOT_NONE;
  char name[64];
  snprintf(name, sizeof name, "%s_node", output);
  CHECK(lpot_graph_add_value(graph, output, LPOT_DTYPE_UNKNOWN, &unknown, &value, &err));
  CHECK(lpot_graph_add_node(graph, op, name, inputs, num_inputs, &value, 1, &node, &err));
  return value;
}

static inline lpot_node_id fixture_producer(const lpot_graph *graph, lpot_value_id value) {
  return lpot_graph_value(graph, value)->producer;
}

/* Marks the output and infers. */
static inline void fixture_finish(lpot_graph *graph, lpot_value_id output) {
  lpot_error err = {0};
  CHECK(lpot_graph_add_output(graph, output, &err));
  CHECK(lpot_graph_infer(graph, lpot_reference_run, &err));
}

/* x - conv1 - relu - conv2 - add(conv2, relu) - flatten - gemm - y */
static inline lpot_graph *fixture_residual(void) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 4, 4));
  lpot_value_id w1 = fixture_constant(graph, "w1", DIMS(3, 2, 1, 1), 1);
  lpot_value_id c1 = fixture_node(graph, LPOT_OP_CONV, IDS(x, w1), "c1");
  lpot_value_id r1 = fixture_node(graph, LPOT_OP_RELU, IDS(c1), "r1");
  lpot_value_id w2 = fixture_constant(graph, "w2", DIMS(3, 3, 1, 1), 3);
  lpot_value_id c2 = fixture_node(graph, LPOT_OP_CONV, IDS(r1, w2), "c2");
  lpot_value_id sum = fixture_node(graph, LPOT_OP_ADD, IDS(c2, r1), "sum");
  lpot_value_id flat = fixture_node(graph, LPOT_OP_FLATTEN, IDS(sum), "flat");
  lpot_value_id w3 = fixture_constant(graph, "w3", DIMS(48, 5), 4);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_GEMM, IDS(flat, w3), "y"));
  return graph;
}

/* ---- running ---- */

typedef struct fixture_run {
  size_t num_values;
  lpot_tensor **tensors; /* [num_values], owned */
} fixture_run;

static inline void fixture_run_node(fixture_run *run, const lpot_graph *graph,
                                    const lpot_node *node) {
  lpot_error err = {0};
  const lpot_tensor *inputs[16] = {NULL};
  lpot_tensor *outputs[8] = {NULL};
  assert_true(node->num_inputs <= 16 && node->num_outputs <= 8);
  for (int i = 0; i < node->num_inputs; i++) {
    inputs[i] = node->inputs[i] == LPOT_NONE ? NULL : run->tensors[node->inputs[i]];
  }
  for (int i = 0; i < node->num_outputs; i++) {
    const lpot_value *value = lpot_graph_value(graph, node->outputs[i]);
    CHECK(lpot_tensor_new(value->dtype, &value->shape, &outputs[i], &err));
    run->tensors[node->outputs[i]] = outputs[i];
  }
  CHECK(lpot_reference_run(node, inputs, outputs, &err));
}

/* Runs a bound graph on its inputs filled with `scale` times the pattern. */
static inline fixture_run fixture_execute(const lpot_graph *bound, float scale) {
  lpot_error err = {0};
  fixture_run run = {.num_values = lpot_graph_num_values(bound)};
  run.tensors = lpot_calloc(run.num_values, sizeof(lpot_tensor *));
  for (size_t i = 0; i < run.num_values; i++) {
    lpot_tensor *constant = lpot_graph_value(bound, (lpot_value_id)i)->constant;
    run.tensors[i] = constant == NULL ? NULL : lpot_tensor_ref(constant);
  }
  for (size_t i = 0; i < lpot_graph_num_inputs(bound); i++) {
    const lpot_value *value = lpot_graph_value(bound, lpot_graph_input(bound, i));
    lpot_tensor *tensor = NULL;
    CHECK(lpot_tensor_new(LPOT_F32, &value->shape, &tensor, &err));
    fixture_fill(tensor->data, lpot_tensor_elements(tensor), 77 + (uint32_t)i);
    for (int64_t k = 0; k < lpot_tensor_elements(tensor); k++) {
      ((float *)tensor->data)[k] *= scale;
    }
    run.tensors[value->id] = tensor;
  }
  const lpot_node_id *order = NULL;
  size_t count = 0;
  CHECK(lpot_graph_order(bound, &order, &count, &err));
  for (size_t i = 0; i < count; i++) {
    fixture_run_node(&run, bound, lpot_graph_node(bound, order[i]));
  }
  return run;
}

static inline void fixture_release(fixture_run *run) {
  for (size_t i = 0; i < run->num_values; i++) {
    lpot_tensor_unref(run->tensors[i]);
  }
  lpot_free(run->tensors);
}

/* ---- a graph with what belongs to it ---- */

typedef struct fixture_model {
  lpot_graph *graph; /* owned */
  lpot_graph *bound; /* owned */
  lpot_quant_ops *ops;
  lpot_calibration *calibration;
  lpot_recipe *recipe;
} fixture_model;

/* Takes the graph; binds it to batch 2, finds ops, calibrates on one run, makes an f32 recipe. */
static inline fixture_model fixture_model_of(lpot_graph *graph) {
  lpot_error err = {0};
  fixture_model model = {.graph = graph};
  size_t count = lpot_graph_num_values(graph);
  bool *observed = lpot_calloc(count, sizeof *observed);
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &model.bound, &err));
  CHECK(lpot_quant_ops_new(graph, model.bound, &model.ops, &err));
  lpot_quant_ops_observed(model.ops, observed);
  CHECK(lpot_calibration_new(observed, count, &model.calibration, &err));
  CHECK(lpot_calibration_watch_channels(model.calibration, model.ops, &err));
  fixture_run run = fixture_execute(model.bound, 1);
  for (size_t i = 0; i < count; i++) {
    if (lpot_calibration_observes(model.calibration, (lpot_value_id)i)) {
      assert_non_null(run.tensors[i]);
      CHECK(lpot_calibration_observe(model.calibration, (lpot_value_id)i, run.tensors[i]->data,
                                     lpot_tensor_elements(run.tensors[i]), &err));
    }
  }
  fixture_release(&run);
  lpot_free(observed);
  CHECK(lpot_recipe_new(lpot_quant_ops_count(model.ops), &model.recipe, &err));
  return model;
}

static inline void fixture_set(fixture_model *model, size_t index, const lpot_op_config *config) {
  model->recipe->ops[index] = *config;
  if (lpot_quant_ops_get(model->ops, index)->weight == LPOT_NONE) {
    model->recipe->ops[index].weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
  }
}

static inline void fixture_set_all(fixture_model *model, const lpot_op_config *config) {
  for (size_t i = 0; i < lpot_quant_ops_count(model->ops); i++) {
    fixture_set(model, i, config);
  }
}

static inline lpot_graph *fixture_rewrite(const fixture_model *model) {
  lpot_error err = {0};
  lpot_graph *qdq = NULL;
  CHECK(lpot_quant_rewrite(model->graph, model->ops, model->recipe, model->calibration, NULL, &qdq,
                           &err));
  return qdq;
}

static inline void fixture_free(fixture_model *model) {
  lpot_recipe_free(model->recipe);
  lpot_calibration_free(model->calibration);
  lpot_quant_ops_free(model->ops);
  lpot_graph_free(model->bound);
  lpot_graph_free(model->graph);
}

/* ---- looking at results ---- */

static inline size_t fixture_count(const lpot_graph *graph, lpot_op op) {
  size_t count = 0;
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    count += !node->removed && node->op == op ? 1 : 0;
  }
  return count;
}

static inline const lpot_value *fixture_find(const lpot_graph *graph, const char *name) {
  lpot_value_id value = lpot_graph_find_value(graph, name);
  if (value == LPOT_NONE) {
    fail_msg("the graph has no value '%s'", name);
  }
  return lpot_graph_value(graph, value);
}

static inline double fixture_number(const lpot_graph *graph, const char *name) {
  const lpot_value *value = fixture_find(graph, name);
  assert_non_null(value->constant);
  return lpot_tensor_get_double(value->constant, 0);
}

/* The reader number `index` of the value called name. */
static inline const lpot_node *fixture_reader(const lpot_graph *graph, const char *name,
                                              size_t index) {
  lpot_error err = {0};
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  CHECK(lpot_graph_consumers(graph, fixture_find(graph, name)->id, &readers, &count, &err));
  assert_true(index < count);
  return lpot_graph_node(graph, readers[index]);
}

/* Output 0 of a graph with symbolic batch, run on the pattern. */
static inline lpot_tensor *fixture_result(const lpot_graph *graph) {
  lpot_error err = {0};
  lpot_graph *bound = NULL;
  CHECK(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, &err));
  fixture_run run = fixture_execute(bound, 1);
  lpot_tensor *result = lpot_tensor_ref(run.tensors[lpot_graph_output(bound, 0)]);
  fixture_release(&run);
  lpot_graph_free(bound);
  return result;
}

/* Largest difference of two results, which are moved. */
static inline double fixture_difference(lpot_tensor *a, lpot_tensor *b) {
  double largest = 0;
  assert_true(lpot_shape_equal(&a->shape, &b->shape));
  for (int64_t i = 0; i < lpot_tensor_elements(a); i++) {
    largest = fmax(largest, fabs(lpot_tensor_get_double(a, i) - lpot_tensor_get_double(b, i)));
  }
  lpot_tensor_unref(a);
  lpot_tensor_unref(b);
  return largest;
}

#endif
