#include "tune/info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"
#include "graph/passes/passes.h"
#include "tune/job.h"
#include "tune/report.h"

#define MAX_INPUTS 16
#define WARM_UP_RUNS 3

typedef struct subject {
  lpot_model_info model;
  lpot_graph *graph, *bound;
  lpot_engine *engine;
  lpot_plan *plan;
  size_t num_inputs;
  lpot_tensor *inputs[MAX_INPUTS];
} subject;

static void subject_done(subject *self) {
  for (size_t i = 0; i < self->num_inputs; i++) {
    lpot_tensor_unref(self->inputs[i]);
  }
  lpot_plan_free(self->plan);
  lpot_engine_close(self->engine);
  lpot_graph_free(self->bound);
  lpot_graph_free(self->graph);
}

/* ---- the model ---- */

static void print_values(const char *what, const lpot_graph *graph, size_t count,
                         lpot_value_id (*get)(const lpot_graph *graph, size_t index)) {
  for (size_t i = 0; i < count; i++) {
    const lpot_value *value = lpot_graph_value(graph, get(graph, i));
    char shape[128];
    lpot_shape_text(&value->shape, shape, sizeof shape);
    printf("  %s '%s' %s %s\n", what, value->name, lpot_dtype_text(value->dtype), shape);
  }
}

static lpot_status print_operators(const lpot_graph *graph, lpot_error *err) {
  size_t counts[LPOT_NUM_OPS] = {0};
  const lpot_node_id *order = NULL;
  size_t num_nodes = 0;
  LPOT_TRY(lpot_graph_order(graph, &order, &num_nodes, err));
  for (size_t i = 0; i < num_nodes; i++) {
    counts[lpot_graph_node(graph, order[i])->op]++;
  }
  printf("operators after normalisation: %zu\n", num_nodes);
  for (int op = 0; op < LPOT_NUM_OPS; op++) {
    if (counts[op] > 0) {
      printf("  %5zu %s\n", counts[op], lpot_op_get_info((lpot_op)op)->name);
    }
  }
  return LPOT_OK;
}

static lpot_status print_model(const subject *self, const char *path, lpot_error *err) {
  printf("model: %s (%s, opset %d, IR %d, producer '%s', %llu bytes, digest %016llx%016llx)\n",
         path, self->model.format, self->model.opset, self->model.ir_version, self->model.producer,
         (unsigned long long)self->model.size_bytes, (unsigned long long)self->model.digest.high,
         (unsigned long long)self->model.digest.low);
  print_values("input", self->graph, lpot_graph_num_inputs(self->graph), lpot_graph_input);
  print_values("output", self->graph, lpot_graph_num_outputs(self->graph), lpot_graph_output);
  LPOT_TRY(print_operators(self->graph, err));
  return LPOT_OK;
}

/* ---- the profile ---- */

static lpot_status draw_inputs(subject *self, lpot_error *err) {
  size_t count = lpot_graph_num_inputs(self->bound);
  if (count > MAX_INPUTS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the model has %zu inputs, expected at most %d", count,
                     MAX_INPUTS);
  }
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  for (size_t i = 0; i < count; i++) {
    const lpot_value *value = lpot_graph_value(self->bound, lpot_graph_input(self->bound, i));
    LPOT_TRY(lpot_tensor_new(value->dtype, &value->shape, &self->inputs[i], err));
    self->num_inputs++;
    bool is_float = lpot_dtype_is_float(value->dtype);
    for (int64_t k = 0; k < lpot_tensor_elements(self->inputs[i]); k++) {
      /* Indices must be valid ones: 0 always is. */
      lpot_tensor_set_double(self->inputs[i], k, is_float ? lpot_rng_normal(&rng) : 0.0);
    }
  }
  return LPOT_OK;
}

static lpot_status run_model(subject *self, int64_t runs, lpot_error *err) {
  for (int64_t i = 0; i < runs; i++) {
    LPOT_TRY(lpot_plan_run(self->plan, (const lpot_tensor *const *)self->inputs, err));
  }
  return LPOT_OK;
}

/* Time of one kind of step. */
typedef struct kind_row {
  const char *kind;
  size_t steps;
  double seconds;
} kind_row;

static int by_seconds(const void *a, const void *b) {
  double x = ((const kind_row *)a)->seconds;
  double y = ((const kind_row *)b)->seconds;
  return x < y ? 1 : -(x > y);
}

static size_t sum_kinds(const lpot_plan *plan, size_t num_steps, kind_row *rows) {
  size_t count = 0;
  for (size_t i = 0; i < num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    size_t k = 0;
    while (k < count && strcmp(rows[k].kind, step.kind) != 0) {
      k++;
    }
    if (k == count) {
      rows[count++] = (kind_row){.kind = step.kind};
    }
    rows[k].steps++;
    rows[k].seconds += step.seconds;
  }
  qsort(rows, count, sizeof *rows, by_seconds);
  return count;
}

static double print_steps(const lpot_plan *plan, size_t num_steps) {
  double total = 0;
  for (size_t i = 0; i < num_steps; i++) {
    total += lpot_plan_get_step(plan, i).seconds;
  }
  printf("      ms      %%  step                 types                implementation           "
         "node\n");
  for (size_t i = 0; i < num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    char types[48];
    snprintf(types, sizeof types, "%s -> %s", lpot_dtype_text(step.input_dtype),
             lpot_dtype_text(step.output_dtype));
    printf("%8.4f %6.2f  %-20s %-20s %-24s %s\n", step.seconds * 1e3,
           total > 0 ? 100.0 * step.seconds / total : 0.0, step.kind, types, step.implementation,
           step.name);
  }
  return total;
}

static lpot_status print_profile(const lpot_plan *plan, int64_t batch, lpot_error *err) {
  lpot_plan_stats stats;
  lpot_plan_get_stats(plan, &stats);
  double total = print_steps(plan, stats.num_steps);
  kind_row *rows = lpot_calloc(stats.num_steps, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = sum_kinds(plan, stats.num_steps, rows);
  printf("by kind:\n");
  for (size_t i = 0; i < count; i++) {
    printf("%8.4f ms %6.2f %%  %4zu x %s\n", rows[i].seconds * 1e3,
           total > 0 ? 100.0 * rows[i].seconds / total : 0.0, rows[i].steps, rows[i].kind);
  }
  lpot_free(rows);
  printf("sum of steps: %.4f ms for a batch of %lld\n", total * 1e3, (long long)batch);
  if (stats.num_reference_steps > 0) {
    printf("warning: %zu hot steps run a slow reference implementation\n",
           stats.num_reference_steps);
  }
  return LPOT_OK;
}

static lpot_status profile(subject *self, const lpot_info_options *options, lpot_error *err) {
  lpot_plan_options wanted = {.profile = true};
  LPOT_TRY(lpot_graph_bind(self->graph, options->batch, lpot_reference_run, &self->bound, err));
  LPOT_TRY(lpot_engine_open(options->engine_name, &self->engine, err));
  LPOT_TRY(draw_inputs(self, err));
  /* A first plan takes what only happens once: caches, pages, clock frequency. */
  LPOT_TRY(lpot_plan_compile(self->engine, self->bound, NULL, &self->plan, err));
  LPOT_TRY(run_model(self, WARM_UP_RUNS, err));
  lpot_plan_free(self->plan);
  self->plan = NULL;
  LPOT_TRY(lpot_plan_compile(self->engine, self->bound, &wanted, &self->plan, err));
  LPOT_TRY(run_model(self, options->runs, err));
  lpot_plan_stats stats;
  lpot_plan_get_stats(self->plan, &stats);
  printf("plan: %s, %s; %zu steps, %zu bytes of activations (%zu without reuse), %zu bytes of "
         "weights\n",
         lpot_engine_version(self->engine), lpot_engine_numeric_class(self->engine),
         stats.num_steps, stats.arena_bytes, stats.activation_bytes, stats.weight_bytes);
  LPOT_TRY(print_profile(self->plan, options->batch, err));
  return LPOT_OK;
}

static lpot_status describe(subject *self, const lpot_info_options *options, lpot_error *err) {
  if (options->profile) {
    LPOT_TRY(lpot_engine_check_name(options->engine_name, err));
  }
  LPOT_TRY(lpot_job_load_model(options->model_path, &self->graph, &self->model, err));
  LPOT_TRY(lpot_graph_normalise(self->graph, lpot_reference_run, err));
  LPOT_TRY(print_model(self, options->model_path, err));
  if (options->profile) {
    LPOT_TRY(profile(self, options, err));
  }
  return LPOT_OK;
}

int lpot_info_print(const lpot_info_options *options) {
  lpot_error error = {0};
  subject self = {0};
  lpot_status status = describe(&self, options, &error);
  if (status != LPOT_OK) {
    fflush(stdout);
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  subject_done(&self);
  return lpot_report_flush(lpot_status_exit_code(status));
}
