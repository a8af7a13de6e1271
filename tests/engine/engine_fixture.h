/* Builds random small graphs and holds the oneDNN engine against the reference engine. */
#ifndef LPOT_TESTS_ENGINE_FIXTURE_H
#define LPOT_TESTS_ENGINE_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"

#define CHECK(call)                                                                                \
  do {                                                                                             \
    lpot_error err = {0};                                                                          \
    lpot_error *e = &err;                                                                          \
    if ((call) != LPOT_OK) {                                                                       \
      fail_msg("%s: %s", #call, err.message);                                                      \
    }                                                                                              \
  } while (0)
#define DIMS(...)                                                                                  \
  (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) {                   \
    __VA_ARGS__                                                                                    \
  }
#define INTS(...)                                                                                  \
  (size_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) {                \
    __VA_ARGS__                                                                                    \
  }
#define IDS(...)                                                                                   \
  (const lpot_value_id[]){__VA_ARGS__},                                                            \
      sizeof((lpot_value_id[]){__VA_ARGS__}) / sizeof(lpot_value_id)

typedef struct fixture {
  lpot_graph *graph;
  lpot_rng rng;
  lpot_node_id last; /* node added last */
} fixture;

static inline void fixture_begin(fixture *f, uint64_t seed) {
  CHECK(lpot_graph_new("test", &f->graph, e));
  lpot_rng_init(&f->rng, seed);
}

static inline int64_t pick(fixture *f, int64_t low, int64_t high) {
  return low + (int64_t)lpot_rng_below(&f->rng, (uint64_t)(high - low + 1));
}

static inline lpot_value_id input(fixture *f, int rank, const int64_t *dims) {
  lpot_value_id id = LPOT_NONE;
  lpot_shape shape = lpot_shape_of(rank, dims);
  CHECK(lpot_graph_add_value(f->graph, "input", LPOT_F32, &shape, &id, e));
  CHECK(lpot_graph_add_input(f->graph, id, e));
  return id;
}

static inline lpot_value_id output_of(fixture *f, lpot_op op, const lpot_value_id *inputs,
                                      size_t count) {
  lpot_value_id id = LPOT_NONE;
  lpot_shape unknown = lpot_shape_unknown();
  CHECK(lpot_graph_add_value(f->graph, "v", LPOT_DTYPE_UNKNOWN, &unknown, &id, e));
  CHECK(lpot_graph_add_node(f->graph, op, NULL, inputs, count, &id, 1, &f->last, e));
  return id;
}

/* Normal numbers times spread. */
static inline lpot_value_id weights(fixture *f, double spread, int rank, const int64_t *dims) {
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_value_id id = LPOT_NONE;
  CHECK(lpot_tensor_new(LPOT_F32, &shape, &tensor, e));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    lpot_tensor_set_double(tensor, i, spread * lpot_rng_normal(&f->rng));
  }
  CHECK(lpot_graph_add_constant(f->graph, "w", &tensor, &id, e));
  return id;
}

static inline lpot_value_id number(fixture *f, lpot_dtype dtype, double value) {
  lpot_tensor *tensor = NULL;
  lpot_shape shape = lpot_shape_scalar();
  lpot_value_id id = LPOT_NONE;
  CHECK(lpot_tensor_new(dtype, &shape, &tensor, e));
  lpot_tensor_set_double(tensor, 0, value);
  CHECK(lpot_graph_add_constant(f->graph, "n", &tensor, &id, e));
  return id;
}

static inline lpot_value_id integers(fixture *f, size_t count, const int64_t *values) {
  lpot_tensor *tensor = NULL;
  int64_t length = (int64_t)count;
  lpot_shape shape = lpot_shape_of(1, &length);
  lpot_value_id id = LPOT_NONE;
  CHECK(lpot_tensor_copy_of(LPOT_S64, &shape, values, &tensor, e));
  CHECK(lpot_graph_add_constant(f->graph, "i", &tensor, &id, e));
  return id;
}

/* Q followed by DQ. */
static inline lpot_value_id pair(fixture *f, lpot_value_id value, lpot_dtype dtype, double scale,
                                 int zero_point) {
  lpot_value_id s = number(f, LPOT_F32, scale);
  lpot_value_id z = number(f, dtype, zero_point);
  lpot_value_id q = output_of(f, LPOT_OP_QUANTIZE_LINEAR, IDS(value, s, z));
  return output_of(f, LPOT_OP_DEQUANTIZE_LINEAR, IDS(q, s, z));
}

/* s8 weights behind a DQ with one scale per channel along axis. */
static inline lpot_value_id int8_weights(fixture *f, int axis, bool per_channel, int rank,
                                         const int64_t *dims) {
  lpot_tensor *tensor = NULL, *scales = NULL, *zeros = NULL;
  lpot_value_id w = LPOT_NONE, s = LPOT_NONE, z = LPOT_NONE;
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_shape along = per_channel ? lpot_shape_of(1, &dims[axis]) : lpot_shape_scalar();
  CHECK(lpot_tensor_new(LPOT_S8, &shape, &tensor, e));
  CHECK(lpot_tensor_new(LPOT_F32, &along, &scales, e));
  CHECK(lpot_tensor_new(LPOT_S8, &along, &zeros, e));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    lpot_tensor_set_int(tensor, i, pick(f, -127, 127));
  }
  for (int64_t i = 0; i < lpot_tensor_elements(scales); ++i) {
    lpot_tensor_set_double(scales, i, 0.001 + 0.01 * lpot_rng_uniform(&f->rng));
  }
  CHECK(lpot_graph_add_constant(f->graph, "w8", &tensor, &w, e));
  CHECK(lpot_graph_add_constant(f->graph, "ws", &scales, &s, e));
  CHECK(lpot_graph_add_constant(f->graph, "wz", &zeros, &z, e));
  lpot_value_id id = output_of(f, LPOT_OP_DEQUANTIZE_LINEAR, IDS(w, s, z));
  CHECK(lpot_graph_set_int(f->graph, f->last, "axis", axis, e));
  return id;
}

/* The same values [N, C, H, W], channels last in memory. */
static inline lpot_value_id channels_last(fixture *f, lpot_value_id x) {
  lpot_value_id y = output_of(f, LPOT_OP_MAX_POOL, IDS(x));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "kernel_shape", (int64_t[]){1, 1}, 2, e));
  return y;
}

static inline void result(fixture *f, lpot_value_id value) {
  CHECK(lpot_graph_add_output(f->graph, value, e));
}

static inline lpot_plan *compile_with(const char *name, const lpot_graph *bound,
                                      const lpot_plan_options *options, lpot_engine **ret_engine) {
  lpot_plan *plan = NULL;
  CHECK(lpot_engine_open(name, ret_engine, e));
  CHECK(lpot_plan_compile(*ret_engine, bound, options, &plan, e));
  return plan;
}

static inline lpot_tensor *random_input(fixture *f, const lpot_value *value) {
  lpot_tensor *tensor = NULL;
  CHECK(lpot_tensor_new(value->dtype, &value->shape, &tensor, e));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    lpot_tensor_set_double(tensor, i, lpot_rng_normal(&f->rng));
  }
  return tensor;
}

/* Compares a with b: every element within step (absolute) + 1e-5 of the largest, and all but
 * 2 % of them within 1e-5 of the largest (step 0: all of them). Rounding ties may differ by one
 * step where f32 sums run in another order. */
static inline void compare(const lpot_tensor *a, const lpot_tensor *b, double step) {
  double largest = 1e-3;
  int64_t off = 0;
  int64_t count = lpot_tensor_elements(a);
  assert_true(lpot_shape_equal(&a->shape, &b->shape));
  for (int64_t i = 0; i < count; ++i) {
    largest = fmax(largest, fabs(lpot_tensor_get_double(b, i)));
  }
  for (int64_t i = 0; i < count; ++i) {
    double difference = fabs(lpot_tensor_get_double(a, i) - lpot_tensor_get_double(b, i));
    if (!(difference <= step + 1e-5 * largest)) {
      fail_msg("element %d is %.9g, expected %.9g", (int)i, lpot_tensor_get_double(a, i),
               lpot_tensor_get_double(b, i));
    }
    off += difference > 1e-5 * largest;
  }
  if (off * 50 > count + 49) {
    fail_msg("%d of %d elements are off by a rounding step", (int)off, (int)count);
  }
}

/* Runs the graph by both engines, compares all outputs, frees everything. step: size of one
 * quantization step of the outputs, 0 for f32 graphs. kind: a step of this kind must occur in
 * the oneDNN plan (NULL: any). No hot operator may run by reference. */
static inline void check_engines_agree(fixture *f, double step, const char *kind) {
  lpot_graph *bound = NULL;
  lpot_engine *engines[2];
  lpot_plan_stats stats;
  bool found = kind == NULL;
  CHECK(lpot_graph_bind(f->graph, 2, lpot_reference_run, &bound, e));
  lpot_plan *plan = compile_with("onednn", bound, NULL, &engines[0]);
  lpot_plan *oracle = compile_with("reference", bound, NULL, &engines[1]);
  lpot_tensor *inputs[4] = {NULL};
  size_t num_inputs = lpot_graph_num_inputs(bound);
  for (size_t i = 0; i < num_inputs; ++i) {
    inputs[i] = random_input(f, lpot_graph_value(bound, lpot_graph_input(bound, i)));
  }
  for (int run = 0; run < 2; ++run) { /* the second run finds the arena used */
    CHECK(lpot_plan_run(plan, (const lpot_tensor *const *)inputs, e));
  }
  CHECK(lpot_plan_run(oracle, (const lpot_tensor *const *)inputs, e));
  for (size_t i = 0; i < lpot_plan_num_outputs(plan); ++i) {
    compare(lpot_plan_output(plan, i), lpot_plan_output(oracle, i), step);
  }
  lpot_plan_get_stats(plan, &stats);
  for (size_t i = 0; i < stats.num_steps; ++i) {
    found = found || strcmp(lpot_plan_get_step(plan, i).kind, kind) == 0;
  }
  if (!found) {
    fail_msg("the plan has no step of kind '%s'", kind);
  }
  assert_int_equal(stats.num_reference_steps, 0);
  for (size_t i = 0; i < num_inputs; ++i) {
    lpot_tensor_unref(inputs[i]);
  }
  lpot_plan_free(plan);
  lpot_plan_free(oracle);
  lpot_engine_close(engines[0]);
  lpot_engine_close(engines[1]);
  lpot_graph_free(bound);
  lpot_graph_free(f->graph);
}

#endif
