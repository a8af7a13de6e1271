#include "base/clock.h"
#include "base/memory.h"
#include "engine/engine_impl.h"
#include "engine/reference/reference.h"

/* The reference plan runs node by node on row-major tensors, one tensor per value. */

typedef struct reference_plan {
  lpot_graph *graph; /* clone, owned */
  lpot_plan_options options;
  lpot_tensor **tensors; /* [num_values], owned references; NULL where not computed */
  lpot_node_id *order;   /* [num_nodes] */
  size_t num_nodes;
  double *seconds, *last_seconds; /* [num_nodes] of all runs, of the last one */
  uint64_t runs;
} reference_plan;

static const char *reference_version(void) {
  return "lpot reference";
}

static const char *reference_isa(void) {
  return "c";
}

static void reference_free(void *opaque) {
  reference_plan *plan = opaque;
  if (plan == NULL) {
    return;
  }
  size_t num_values = plan->graph != NULL ? lpot_graph_num_values(plan->graph) : 0;
  for (size_t i = 0; plan->tensors != NULL && i < num_values; ++i) {
    lpot_tensor_unref(plan->tensors[i]);
  }
  lpot_free(plan->tensors);
  lpot_free(plan->order);
  lpot_free(plan->seconds);
  lpot_free(plan->last_seconds);
  lpot_graph_free(plan->graph);
  lpot_free(plan);
}

static lpot_status allocate_values(reference_plan *plan, lpot_error *err) {
  size_t num_values = lpot_graph_num_values(plan->graph);
  plan->tensors = lpot_calloc(num_values, sizeof *plan->tensors);
  if (plan->tensors == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < num_values; ++i) {
    const lpot_value *value = lpot_graph_value(plan->graph, (lpot_value_id)i);
    if (value->constant != NULL) {
      LPOT_TRY(lpot_tensor_aligned(value->constant, &plan->tensors[i], err));
    } else if (value->producer != LPOT_NONE) {
      LPOT_TRY(lpot_tensor_new(value->dtype, &value->shape, &plan->tensors[i], err));
    }
  }
  return LPOT_OK;
}

static lpot_status prepare(reference_plan *plan, const lpot_graph *graph, lpot_error *err) {
  LPOT_TRY(lpot_graph_clone(graph, &plan->graph, err));
  const lpot_node_id *order = NULL;
  LPOT_TRY(lpot_graph_order(plan->graph, &order, &plan->num_nodes, err));
  plan->order = lpot_calloc(plan->num_nodes, sizeof *plan->order);
  plan->seconds = lpot_calloc(plan->num_nodes, sizeof *plan->seconds);
  plan->last_seconds = lpot_calloc(plan->num_nodes, sizeof *plan->last_seconds);
  if (plan->order == NULL || plan->seconds == NULL || plan->last_seconds == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < plan->num_nodes; ++i) {
    plan->order[i] = order[i];
  }
  lpot_status status = allocate_values(plan, err);
  return status;
}

static lpot_status reference_compile(void *state, const lpot_graph *graph,
                                     const lpot_plan_options *options, void **ret_plan,
                                     lpot_error *err) {
  (void)state;
  reference_plan *plan = lpot_calloc(1, sizeof *plan);
  if (plan == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  plan->options = *options;
  lpot_status status = prepare(plan, graph, err);
  if (status != LPOT_OK) {
    reference_free(plan);
    return status;
  }
  *ret_plan = plan;
  return LPOT_OK;
}

static lpot_status observe_value(const reference_plan *plan, lpot_value_id value, lpot_error *err) {
  const lpot_tensor *tensor = plan->tensors[value];
  if (plan->options.observed == NULL || !plan->options.observed[value] ||
      tensor->dtype != LPOT_F32) {
    return LPOT_OK;
  }
  lpot_status status = plan->options.observe(plan->options.observe_context, value, tensor->data,
                                             lpot_tensor_elements(tensor), err);
  return status;
}

static lpot_status run_node(reference_plan *plan, const lpot_node *node, lpot_error *err) {
  size_t num_inputs = (size_t)node->num_inputs;
  size_t num_outputs = (size_t)node->num_outputs;
  const lpot_tensor **inputs = lpot_calloc(num_inputs, sizeof *inputs);
  lpot_tensor **outputs = lpot_calloc(num_outputs, sizeof *outputs);
  lpot_status status = LPOT_OK;
  if (inputs == NULL || outputs == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; status == LPOT_OK && i < num_inputs; ++i) {
    inputs[i] = node->inputs[i] == LPOT_NONE ? NULL : plan->tensors[node->inputs[i]];
  }
  for (size_t i = 0; status == LPOT_OK && i < num_outputs; ++i) {
    outputs[i] = node->outputs[i] == LPOT_NONE ? NULL : plan->tensors[node->outputs[i]];
  }
  if (status == LPOT_OK) {
    status = lpot_reference_run(node, inputs, outputs, err);
  }
  for (size_t i = 0; status == LPOT_OK && i < num_outputs; ++i) {
    status = outputs[i] == NULL ? LPOT_OK : observe_value(plan, node->outputs[i], err);
  }
  lpot_free(inputs);
  lpot_free(outputs);
  return status;
}

static lpot_status reference_run_plan(void *opaque, const lpot_tensor *const *inputs,
                                      lpot_error *err) {
  reference_plan *plan = opaque;
  size_t num_inputs = lpot_graph_num_inputs(plan->graph);
  for (size_t i = 0; i < num_inputs; ++i) {
    lpot_value_id value = lpot_graph_input(plan->graph, i);
    lpot_tensor_unref(plan->tensors[value]);
    plan->tensors[value] = NULL;
    LPOT_TRY(lpot_tensor_view(inputs[i]->dtype, &inputs[i]->shape, inputs[i]->data,
                              inputs[i]->size_bytes, NULL, &plan->tensors[value], err));
    LPOT_TRY(observe_value(plan, value, err));
  }
  const lpot_clock clock = lpot_clock_monotonic();
  for (size_t i = 0; i < plan->num_nodes; ++i) {
    double start = plan->options.profile ? lpot_clock_now(&clock) : 0.0;
    LPOT_TRY(run_node(plan, lpot_graph_node(plan->graph, plan->order[i]), err));
    if (plan->options.profile) {
      plan->last_seconds[i] = lpot_clock_now(&clock) - start;
      plan->seconds[i] += plan->last_seconds[i];
    }
  }
  ++plan->runs;
  return LPOT_OK;
}

static size_t reference_num_outputs(const void *opaque) {
  const reference_plan *plan = opaque;
  return lpot_graph_num_outputs(plan->graph);
}

static const lpot_tensor *reference_output(const void *opaque, size_t index) {
  const reference_plan *plan = opaque;
  return plan->tensors[lpot_graph_output(plan->graph, index)];
}

static void reference_get_stats(const void *opaque, lpot_plan_stats *ret_stats) {
  const reference_plan *plan = opaque;
  *ret_stats =
      (lpot_plan_stats){.num_steps = plan->num_nodes, .num_reference_steps = plan->num_nodes};
  for (size_t i = 0; i < lpot_graph_num_values(plan->graph); ++i) {
    const lpot_value *value = lpot_graph_value(plan->graph, (lpot_value_id)i);
    if (value->producer != LPOT_NONE && plan->tensors[i] != NULL) {
      ret_stats->activation_bytes += plan->tensors[i]->size_bytes;
    }
  }
  ret_stats->arena_bytes = ret_stats->activation_bytes;
}

static lpot_plan_step reference_get_step(const void *opaque, size_t index) {
  const reference_plan *plan = opaque;
  const lpot_node *node = lpot_graph_node(plan->graph, plan->order[index]);
  const lpot_value_id input = lpot_node_input(node, 0);
  lpot_plan_step step = {0};
  step.name = node->name;
  step.kind = lpot_op_get_info(node->op)->name;
  step.implementation = "reference";
  step.seconds = plan->runs > 0 ? plan->seconds[index] / (double)plan->runs : 0.0;
  step.last_seconds = plan->last_seconds[index];
  step.input_dtype =
      input == LPOT_NONE ? LPOT_DTYPE_UNKNOWN : lpot_graph_value(plan->graph, input)->dtype;
  for (int i = node->num_outputs - 1; i >= 0; --i) {
    if (node->outputs[i] != LPOT_NONE) { /* the first that is not left out */
      step.output_dtype = lpot_graph_value(plan->graph, node->outputs[i])->dtype;
    }
  }
  return step;
}

const lpot_engine_methods lpot_reference_engine = {
    .name = "reference",
    .version = reference_version,
    .isa = reference_isa,
    .compile = reference_compile,
    .free_plan = reference_free,
    .run = reference_run_plan,
    .num_outputs = reference_num_outputs,
    .output = reference_output,
    .get_stats = reference_get_stats,
    .get_step = reference_get_step,
};
