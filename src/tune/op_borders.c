#include "tune/op_borders.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"
#include "quant/qdq_nodes.h"
#include "tune/latency_stats.h"

#define WARM_RUNS 2u
#define MAX_RUNS 31u
#define MIN_RUNS 5u
#define BORDER_SECONDS 0.02 /* of one size, after which MIN_RUNS are enough */
#define BASE "border"       /* name of the tensor */
#define NARROW "to_bf16"
#define WIDEN "from_bf16"

/* The conversions of a tensor, and the nodes that do them. */
typedef enum border_kind { QUANTIZE, DEQUANTIZE, TO_BF16, FROM_BF16, NUM_BORDERS } border_kind;
static const char *const static_nodes[NUM_BORDERS] = {BASE "_QuantizeLinear",
                                                      BASE "_DequantizeLinear", NARROW, WIDEN};
static const char *const dynamic_nodes[NUM_BORDERS] = {BASE "_DynamicQuantizeLinear", "", NARROW,
                                                       WIDEN};

/* Conversions of tensors of one size. */
typedef struct border_cost {
  int64_t elements;
  double seconds[NUM_BORDERS]; /* of a run; 0 where there is no such step */
} border_cost;

typedef struct border_list {
  const lpot_job *job;
  const lpot_graph *bound; /* at the measured batch */
  bool dynamic, bf16;
  size_t count;
  border_cost *borders; /* [count], room for one for each tensor of an op */
} border_list;

/* ---- a graph of nothing but conversions ---- */

static lpot_status add_static(const lpot_qdq_builder *builder, lpot_value_id input,
                              lpot_error *err) {
  const lpot_quant_params params = {.dtype = LPOT_U8, .scale = 0.05F, .zero_point = 128};
  lpot_qdq_params constants;
  lpot_value_id quantized = LPOT_NONE;
  lpot_value_id back = LPOT_NONE;
  LPOT_TRY(lpot_qdq_add_params(builder, BASE, &params, &constants, err));
  LPOT_TRY(lpot_qdq_add_quantize(builder, BASE, input, &constants, &quantized, err));
  LPOT_TRY(lpot_qdq_add_dequantize(builder, BASE, quantized, &constants, LPOT_NONE, &back, err));
  LPOT_TRY(lpot_graph_add_output(builder->graph, back, err));
  return LPOT_OK;
}

static lpot_status add_dynamic(lpot_graph *graph, lpot_value_id input, lpot_error *err) {
  static const char *const names[3] = {BASE "_quantized", BASE "_scale", BASE "_zero_point"};
  const lpot_shape unknown = lpot_shape_unknown();
  lpot_value_id outputs[3];
  lpot_node_id node = LPOT_NONE;
  for (size_t i = 0; i < 3; i++) {
    LPOT_TRY(lpot_graph_add_value(graph, names[i], LPOT_DTYPE_UNKNOWN, &unknown, &outputs[i], err));
  }
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, dynamic_nodes[QUANTIZE],
                               &input, 1, outputs, 3, &node, err));
  LPOT_TRY(lpot_graph_add_output(graph, outputs[0], err));
  return LPOT_OK;
}

static lpot_status add_cast(lpot_graph *graph, const char *name, lpot_dtype dtype,
                            lpot_value_id input, lpot_value_id *ret_value, lpot_error *err) {
  const lpot_shape unknown = lpot_shape_unknown();
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_value(graph, name, dtype, &unknown, ret_value, err));
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_CAST, name, &input, 1, ret_value, 1, &node, err));
  LPOT_TRY(lpot_graph_set_int(graph, node, "to", lpot_dtype_to_onnx(dtype), err));
  return LPOT_OK;
}

static lpot_status add_casts(lpot_graph *graph, lpot_value_id input, lpot_error *err) {
  lpot_value_id narrow = LPOT_NONE;
  lpot_value_id wide = LPOT_NONE;
  LPOT_TRY(add_cast(graph, NARROW, LPOT_BF16, input, &narrow, err));
  LPOT_TRY(add_cast(graph, WIDEN, LPOT_F32, narrow, &wide, err));
  LPOT_TRY(lpot_graph_add_output(graph, wide, err));
  return LPOT_OK;
}

static lpot_status build(const border_list *self, lpot_graph *graph, int64_t elements,
                         lpot_error *err) {
  const lpot_shape shape = lpot_shape_of(1, &elements);
  lpot_value_id input = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_value(graph, BASE, LPOT_F32, &shape, &input, err));
  LPOT_TRY(lpot_graph_add_input(graph, input, err));
  if (self->dynamic) {
    LPOT_TRY(add_dynamic(graph, input, err));
  } else {
    lpot_qdq_builder builder = {.graph = graph};
    LPOT_TRY(lpot_arena_new(&builder.arena, err));
    lpot_status status = add_static(&builder, input, err);
    lpot_arena_free(builder.arena);
    LPOT_TRY(status);
  }
  if (self->bf16) {
    LPOT_TRY(add_casts(graph, input, err));
  }
  LPOT_TRY(lpot_graph_infer(graph, lpot_reference_run, err));
  return LPOT_OK;
}

static lpot_status compile(const border_list *self, int64_t elements, lpot_plan **ret_plan,
                           lpot_error *err) {
  const lpot_plan_options options = {.profile = true};
  lpot_graph *graph = NULL;
  LPOT_TRY(lpot_graph_new("borders", &graph, err));
  lpot_status status = build(self, graph, elements, err);
  if (status == LPOT_OK) {
    status = lpot_plan_compile(self->job->engine, graph, &options, ret_plan, err);
  }
  lpot_graph_free(graph);
  return status;
}

/* ---- timing ---- */

static void note_run(const border_list *self, const lpot_plan *plan, size_t run,
                     double samples[NUM_BORDERS][MAX_RUNS]) {
  const char *const *nodes = self->dynamic ? dynamic_nodes : static_nodes;
  lpot_plan_stats stats;
  lpot_plan_get_stats(plan, &stats);
  for (size_t i = 0; i < stats.num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    for (size_t k = 0; k < NUM_BORDERS; k++) {
      samples[k][run] += strcmp(step.name, nodes[k]) == 0 ? step.last_seconds : 0;
    }
  }
}

static lpot_status time_plan(const border_list *self, lpot_plan *plan, const lpot_tensor *input,
                             border_cost *border, lpot_error *err) {
  double samples[NUM_BORDERS][MAX_RUNS] = {{0}};
  const lpot_clock clock = lpot_clock_monotonic();
  size_t runs = 0;
  for (size_t i = 0; i < WARM_RUNS; i++) {
    LPOT_TRY(lpot_plan_run(plan, &input, err));
  }
  double start = lpot_clock_now(&clock);
  while (runs < MAX_RUNS && (runs < MIN_RUNS || lpot_clock_now(&clock) - start < BORDER_SECONDS)) {
    LPOT_TRY(lpot_plan_run(plan, &input, err));
    note_run(self, plan, runs, samples);
    runs++;
  }
  for (size_t k = 0; k < NUM_BORDERS; k++) {
    double low = 0;
    double high = 0;
    lpot_median_interval(samples[k], runs, &border->seconds[k], &low, &high);
  }
  return LPOT_OK;
}

static lpot_status measure_size(const border_list *self, border_cost *border, lpot_error *err) {
  const lpot_shape shape = lpot_shape_of(1, &border->elements);
  lpot_tensor *input = NULL;
  lpot_plan *plan = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &shape, &input, err));
  float *elements = input->data;
  for (int64_t i = 0; i < border->elements; i++) {
    elements[i] = (float)(i % 251) * 0.05F - 6.0F;
  }
  lpot_status status = compile(self, border->elements, &plan, err);
  if (status == LPOT_OK) {
    status = time_plan(self, plan, input, border, err);
  }
  lpot_plan_free(plan);
  lpot_tensor_unref(input);
  return status;
}

/* ---- the sizes ---- */

static int64_t elements_of(const border_list *self, lpot_value_id value) {
  return lpot_shape_elements(&lpot_graph_value(self->bound, value)->shape);
}

static border_cost *find(const border_list *self, int64_t elements) {
  for (size_t i = 0; i < self->count; i++) {
    if (self->borders[i].elements == elements) {
      return &self->borders[i];
    }
  }
  return NULL;
}

static void add_size(border_list *self, lpot_value_id value) {
  int64_t elements = elements_of(self, value);
  if (find(self, elements) == NULL) {
    self->borders[self->count] = (border_cost){.elements = elements};
    self->count++;
  }
}

static lpot_status list_sizes(border_list *self, lpot_error *err) {
  const lpot_quant_ops *ops = self->job->ops;
  size_t capacity = 0;
  for (size_t i = 0; i < lpot_quant_ops_count(ops); i++) {
    capacity += lpot_quant_ops_get(ops, i)->num_inputs + 1;
  }
  self->borders = lpot_calloc(capacity, sizeof *self->borders);
  if (self->borders == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < lpot_quant_ops_count(ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(ops, i);
    for (size_t k = 0; k < op->num_inputs; k++) {
      add_size(self, op->inputs[k]);
    }
    add_size(self, op->output);
  }
  return LPOT_OK;
}

/* ---- the costs ---- */

static bool is_repeated(const lpot_quant_op *op, size_t index) {
  for (size_t i = 0; i < index; i++) {
    if (op->inputs[i] == op->inputs[index]) {
      return true;
    }
  }
  return false;
}

static void fill_cost(const border_list *self, const lpot_quant_op *op, double to_us,
                      lpot_op_cost *cost) {
  const border_cost *output = find(self, elements_of(self, op->output));
  bool bf16 = self->bf16 && lpot_op_type_has_bf16(op->type);
  cost->quantize_us = 0;
  cost->to_bf16_us = bf16 ? 0 : (double)NAN;
  for (size_t k = 0; k < op->num_inputs; k++) {
    const border_cost *input = find(self, elements_of(self, op->inputs[k]));
    if (!is_repeated(op, k)) {
      cost->quantize_us += input->seconds[QUANTIZE] * to_us;
      cost->to_bf16_us += input->seconds[TO_BF16] * to_us;
    }
  }
  cost->dequantize_us = output->seconds[DEQUANTIZE] * to_us;
  cost->from_bf16_us = bf16 ? output->seconds[FROM_BF16] * to_us : (double)NAN;
}

static lpot_status measure(border_list *self, int64_t batch, lpot_op_cost *ops, lpot_error *err) {
  LPOT_TRY(list_sizes(self, err));
  for (size_t i = 0; i < self->count; i++) {
    LPOT_TRY(measure_size(self, &self->borders[i], err));
  }
  for (size_t i = 0; i < lpot_quant_ops_count(self->job->ops); i++) {
    fill_cost(self, lpot_quant_ops_get(self->job->ops, i), 1e6 / (double)batch, &ops[i]);
  }
  return LPOT_OK;
}

lpot_status lpot_measure_op_borders(const lpot_job *job, int64_t batch, bool bf16,
                                    lpot_op_cost *ops, lpot_error *err) {
  lpot_graph *bound = NULL;
  LPOT_TRY(lpot_graph_bind(job->graph, batch, lpot_reference_run, &bound, err));
  border_list self = {
      .job = job, .bound = bound, .dynamic = lpot_quant_ops_is_dynamic(job->ops), .bf16 = bf16};
  lpot_status status = measure(&self, batch, ops, err);
  lpot_free(self.borders);
  lpot_graph_free(bound);
  return status;
}
