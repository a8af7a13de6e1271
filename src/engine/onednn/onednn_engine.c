#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/engine_impl.h"
#include "engine/memory_planner.h"
#include "engine/onednn/lower.h"
#include "engine/onednn/onednn_plan.h"

/* ---- emission ---- */

static lpot_status emit_fusion(lpot_compiler *compiler, const lpot_fusion *fusion,
                               lpot_error *err) {
  lpot_status status = LPOT_OK;
  lpot_operand input = fusion->inputs[0];
  switch (fusion->kind) {
  case LPOT_FUSION_CONVOLUTION:
    status = lpot_emit_convolution(compiler, fusion, err);
    break;
  case LPOT_FUSION_MATMUL:
    status = lpot_emit_matmul(compiler, fusion, err);
    break;
  case LPOT_FUSION_INTEGER:
    status = lpot_emit_integer_fusion(compiler, fusion, err);
    break;
  case LPOT_FUSION_INT8_BINARY:
    status = lpot_emit_int8_binary(compiler, fusion, err);
    break;
  case LPOT_FUSION_AVERAGE:
    status = lpot_emit_average(compiler, fusion, err);
    break;
  case LPOT_FUSION_BF16_SUM:
    status = lpot_emit_bf16_sum(compiler, fusion, err);
    break;
  case LPOT_FUSION_CONCAT:
    status = lpot_emit_concat(compiler, fusion, err);
    break;
  case LPOT_FUSION_LOOKUP:
    status = lpot_emit_lookup(compiler, fusion, err);
    break;
  case LPOT_FUSION_MOVEMENT:
    status = lpot_emit_movement(compiler, fusion->anchor, input.value, fusion->output.value, err);
    break;
  case LPOT_FUSION_AFFINE:
    status = lpot_emit_affine(compiler, fusion, err);
    break;
  case LPOT_FUSION_SOFTMAX:
    status = lpot_emit_softmax_fusion(compiler, fusion, err);
    break;
  case LPOT_FUSION_SHUFFLE:
    status = lpot_emit_shuffle(compiler, fusion, err);
    break;
  case LPOT_FUSION_MAX_POOL:
    status = lpot_emit_max_pool(compiler, fusion->anchor, input.value, fusion->output.value, err);
    break;
  }
  return status;
}

/* What no primitive can do runs node by node; the values are the same. */
static lpot_status emit_members(lpot_compiler *compiler, const lpot_fusion *fusion,
                                lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t count = 0;
  compiler->where[fusion->output.value][LPOT_PLAIN] = LPOT_NONE;
  compiler->where[fusion->output.value][LPOT_CHANNELS_LAST] = LPOT_NONE;
  LPOT_TRY(lpot_graph_order(compiler->graph, &order, &count, err));
  for (size_t i = 0; i < count; ++i) {
    if (lpot_fusions_of(compiler->fusions, order[i]) == fusion) {
      LPOT_TRY(lpot_emit_node(compiler, lpot_graph_node(compiler->graph, order[i]), err));
    }
  }
  return LPOT_OK;
}

static lpot_status observe_output(lpot_compiler *compiler, lpot_value_id value, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  if (plan->options.observed == NULL || value == LPOT_NONE || !plan->options.observed[value] ||
      lpot_graph_value(compiler->graph, value)->dtype != LPOT_F32) {
    return LPOT_OK;
  }
  lpot_slot_id slot = LPOT_NONE;
  /* A DequantizeLinear runs on demand. */
  LPOT_TRY(lpot_need(compiler, value, LPOT_PLAIN, &slot, err));
  lpot_observation *observation = &plan->observations[plan->num_observations++];
  observation->step = (int)plan->num_steps - 1;
  observation->value = value;
  observation->slot = slot;
  return LPOT_OK;
}

static lpot_status emit_at(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_fusion *fusion = lpot_fusions_of(compiler->fusions, node->id);
  lpot_status status = LPOT_OK;
  if (fusion == NULL) {
    status = lpot_emit_node(compiler, node, err);
  } else if (fusion->last != node->id) {
    return LPOT_OK;
  } else {
    status = emit_fusion(compiler, fusion, err);
    if (status == LPOT_UNSUPPORTED) {
      status = emit_members(compiler, fusion, err);
    }
  }
  for (int i = 0; status == LPOT_OK && i < node->num_outputs; ++i) {
    status = observe_output(compiler, node->outputs[i], err);
  }
  return status;
}

static lpot_status emit_inputs(lpot_compiler *compiler, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  size_t count = lpot_graph_num_inputs(compiler->graph);
  plan->input_slots = lpot_calloc(count, sizeof *plan->input_slots);
  if (plan->input_slots == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; ++i) {
    lpot_value_id value = lpot_graph_input(compiler->graph, i);
    LPOT_TRY(lpot_define(compiler, value, LPOT_PLAIN, &plan->input_slots[i], err));
    plan->slots[plan->input_slots[i]].home = LPOT_HOME_INPUT;
    plan->slots[plan->input_slots[i]].index = i;
    LPOT_TRY(observe_output(compiler, value, err));
  }
  return LPOT_OK;
}

/* ---- outputs ---- */

static lpot_status run_copy(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  memcpy(lpot_slot_data(plan, step->slots[1]), lpot_slot_data(plan, step->slots[0]),
         plan->slots[step->slots[1]].size_bytes);
  return LPOT_OK;
}

/* The value is written straight into the output tensor where it lies in the arena, else copied. */
static lpot_status emit_output(lpot_compiler *compiler, size_t index, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_value_id value = lpot_graph_output(compiler->graph, index);
  const lpot_value *info = lpot_graph_value(compiler->graph, value);
  LPOT_TRY(lpot_tensor_new(info->dtype, &info->shape, &plan->outputs[index], err));
  lpot_slot_id slot = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, value, LPOT_PLAIN, &slot, err));
  lpot_slot_id root = plan->slots[slot].root;
  if (plan->slots[root].home != LPOT_HOME_ARENA) {
    lpot_slot_id copy = LPOT_NONE;
    lpot_step *step = NULL;
    LPOT_TRY(lpot_slot_new(plan, info->dtype, &info->shape, LPOT_PLAIN, &copy, err));
    LPOT_TRY(lpot_step_add(plan, info->name, "copy", run_copy, &slot, 1, &copy, 1, &step, err));
    root = copy;
  }
  plan->slots[root].home = LPOT_HOME_OUTPUT;
  plan->slots[root].index = index;
  plan->slots[root].data = plan->outputs[index]->data;
  return LPOT_OK;
}

static lpot_status emit_outputs(lpot_compiler *compiler, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  plan->num_outputs = lpot_graph_num_outputs(compiler->graph);
  plan->outputs = lpot_calloc(plan->num_outputs, sizeof(lpot_tensor *));
  if (plan->outputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < plan->num_outputs; ++i) {
    LPOT_TRY(emit_output(compiler, i, err));
  }
  return LPOT_OK;
}

/* ---- memory ---- */

static lpot_slot *root_of(lpot_onednn_plan *plan, lpot_slot_id slot) {
  return &plan->slots[plan->slots[slot].root];
}

static void touch(lpot_slot *slot, int step) {
  slot->first_step = slot->first_step < 0 ? step : slot->first_step;
  slot->last_step = slot->last_step > step ? slot->last_step : step;
}

static void find_lifetimes(lpot_onednn_plan *plan) {
  for (size_t i = 0; i < plan->num_steps; ++i) {
    const lpot_step *step = &plan->steps[i];
    for (size_t j = 0; j < step->num_inputs + step->num_outputs; ++j) {
      touch(root_of(plan, step->slots[j]), (int)i);
    }
  }
  for (size_t i = 0; i < plan->num_observations; ++i) {
    const lpot_observation *observation = &plan->observations[i];
    touch(root_of(plan, observation->slot), observation->step > 0 ? observation->step : 0);
  }
}

/* A sum overwrites its residual: when nobody reads the residual later the result takes its place,
 * else it is copied. */
static void place_accumulator(lpot_onednn_plan *plan, int index) {
  lpot_step *step = &plan->steps[index];
  lpot_slot_id residual = plan->slots[step->accumulator].root;
  lpot_slot_id result = plan->slots[step->slots[step->num_inputs]].root;
  lpot_slot *from = &plan->slots[residual];
  lpot_slot *to = &plan->slots[result];
  bool is_free = from->home == LPOT_HOME_ARENA && to->home == LPOT_HOME_ARENA &&
                 from->last_step == index && to->first_step == index &&
                 from->size_bytes == to->size_bytes && plan->slots[step->slots[0]].root != residual;
  if (!is_free) {
    step->copy_accumulator = true;
    return;
  }
  from->last_step = to->last_step;
  to->first_step = -1;
  for (size_t i = 0; i < plan->num_slots; ++i) {
    if (plan->slots[i].root == result) {
      plan->slots[i].root = residual;
    }
  }
}

static bool needs_place(const lpot_onednn_plan *plan, size_t slot) {
  const lpot_slot *info = &plan->slots[slot];
  return info->root == (lpot_slot_id)slot && info->home == LPOT_HOME_ARENA && info->first_step >= 0;
}

static lpot_status place_slots(lpot_onednn_plan *plan, lpot_planned_buffer *buffers,
                               lpot_error *err) {
  size_t count = 0;
  for (size_t i = 0; i < plan->num_slots; ++i) {
    if (needs_place(plan, i)) {
      const lpot_slot *slot = &plan->slots[i];
      buffers[count++] = (lpot_planned_buffer){.size_bytes = slot->size_bytes,
                                               .first_step = slot->first_step,
                                               .last_step = slot->last_step};
      plan->activation_bytes += slot->size_bytes;
    }
  }
  LPOT_TRY(lpot_memory_plan(buffers, count, &plan->arena_bytes, err));
  plan->arena = lpot_alloc_aligned(plan->arena_bytes);
  if (plan->arena == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  count = 0;
  for (size_t i = 0; i < plan->num_slots; ++i) {
    if (needs_place(plan, i)) {
      plan->slots[i].data = (uint8_t *)plan->arena + buffers[count++].offset;
    }
  }
  return LPOT_OK;
}

static lpot_status plan_memory(lpot_onednn_plan *plan, lpot_error *err) {
  find_lifetimes(plan);
  for (size_t i = 0; i < plan->num_steps; ++i) {
    if (plan->steps[i].accumulator != LPOT_NONE) {
      place_accumulator(plan, (int)i);
    }
  }
  lpot_planned_buffer *buffers = lpot_calloc(plan->num_slots, sizeof *buffers);
  if (buffers == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = place_slots(plan, buffers, err);
  lpot_free(buffers);
  return status;
}

/* ---- compile ---- */

static lpot_status compile_steps(lpot_compiler *compiler, lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_fusions_find(compiler->graph, compiler->plan->options.observed, &compiler->fusions,
                             err));
  LPOT_TRY(emit_inputs(compiler, err));
  LPOT_TRY(lpot_graph_order(compiler->graph, &order, &count, err));
  for (size_t i = 0; i < count; ++i) {
    LPOT_TRY(emit_at(compiler, lpot_graph_node(compiler->graph, order[i]), err));
  }
  LPOT_TRY(emit_outputs(compiler, err));
  lpot_status status = plan_memory(compiler->plan, err);
  return status;
}

/* The caller's choice for the values of graph, none of those that lowering added. *ret_copy, which
 * the caller frees, is NULL where nothing is observed. */
static lpot_status extend_observed(lpot_onednn_plan *plan, const lpot_graph *graph, bool **ret_copy,
                                   lpot_error *err) {
  *ret_copy = NULL;
  if (plan->options.observed == NULL) {
    return LPOT_OK;
  }
  bool *copy = lpot_calloc(lpot_graph_num_values(plan->graph), sizeof *copy);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(copy, plan->options.observed, lpot_graph_num_values(graph) * sizeof *copy);
  plan->options.observed = copy;
  *ret_copy = copy;
  return LPOT_OK;
}

static lpot_status compile_lowered(lpot_onednn_plan *plan, lpot_error *err) {
  size_t num_values = lpot_graph_num_values(plan->graph);
  lpot_compiler compiler = {.plan = plan, .graph = plan->graph};
  compiler.where = lpot_calloc(num_values, sizeof *compiler.where);
  plan->observations = lpot_calloc(num_values, sizeof *plan->observations);
  lpot_status status = LPOT_OK;
  if (compiler.where == NULL || plan->observations == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; status == LPOT_OK && i < num_values; ++i) {
    compiler.where[i][LPOT_PLAIN] = LPOT_NONE;
    compiler.where[i][LPOT_CHANNELS_LAST] = LPOT_NONE;
  }
  if (status == LPOT_OK) {
    status = compile_steps(&compiler, err);
  }
  lpot_fusions_free(compiler.fusions);
  lpot_free(compiler.where);
  return status;
}

static lpot_status compile(lpot_onednn_plan *plan, const lpot_graph *graph, lpot_error *err) {
  bool *observed = NULL;
  LPOT_TRY(lpot_graph_clone(graph, &plan->graph, err));
  LPOT_TRY(lpot_lower_graph(plan->graph, err));
  LPOT_TRY(extend_observed(plan, graph, &observed, err));
  lpot_status status = compile_lowered(plan, err);
  plan->options.observed = NULL; /* borrowed for the call; the observations hold what is needed */
  lpot_free(observed);
  return status;
}

static void onednn_free_plan(void *opaque) {
  lpot_onednn_plan *plan = opaque;
  if (plan == NULL) {
    return;
  }
  for (size_t i = 0; i < plan->num_steps; ++i) {
    lpot_dl_primitive_free(plan->steps[i].primitive);
    lpot_free(plan->steps[i].state);
    lpot_free(plan->steps[i].slots);
  }
  for (size_t i = 0; i < plan->num_tensors; ++i) {
    lpot_tensor_unref(plan->tensors[i]);
  }
  for (size_t i = 0; plan->outputs != NULL && i < plan->num_outputs; ++i) {
    lpot_tensor_unref(plan->outputs[i]);
  }
  lpot_free(plan->steps);
  lpot_free(plan->slots);
  lpot_free(plan->tensors);
  lpot_free(plan->observations);
  lpot_free(plan->outputs);
  lpot_free(plan->input_slots);
  lpot_free(plan->arena);
  lpot_graph_free(plan->graph);
  lpot_free(plan);
}

static lpot_status onednn_compile(void *state, const lpot_graph *graph,
                                  const lpot_plan_options *options, void **ret_plan,
                                  lpot_error *err) {
  lpot_onednn_plan *plan = lpot_calloc(1, sizeof *plan);
  if (plan == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  plan->dl = state;
  plan->options = *options;
  lpot_dl_use_shared_weights(plan->dl, options->share_weights);
  lpot_status status = compile(plan, graph, err);
  if (status != LPOT_OK) {
    onednn_free_plan(plan);
    return status;
  }
  for (size_t i = 0; i < plan->num_steps; ++i) {
    if (plan->steps[i].primitive != NULL) {
      plan->weight_bytes += lpot_dl_weight_bytes(plan->steps[i].primitive);
    }
  }
  *ret_plan = plan;
  return LPOT_OK;
}

/* ---- run ---- */

static lpot_status show_observations(const lpot_onednn_plan *plan, size_t *next, int step,
                                     lpot_error *err) {
  while (*next < plan->num_observations && plan->observations[*next].step <= step) {
    const lpot_observation *observation = &plan->observations[(*next)++];
    const lpot_slot *slot = &plan->slots[observation->slot];
    LPOT_TRY(plan->options.observe(plan->options.observe_context, observation->value,
                                   lpot_slot_data(plan, observation->slot),
                                   lpot_shape_elements(&slot->shape), err));
  }
  return LPOT_OK;
}

static lpot_status run_step(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  if (step->copy_accumulator) {
    memcpy(lpot_slot_data(plan, step->slots[step->num_inputs]),
           lpot_slot_data(plan, step->accumulator), plan->slots[step->accumulator].size_bytes);
  }
  lpot_status status = step->run(plan, step, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", step->name);
  }
  return status;
}

static lpot_status onednn_run(void *opaque, const lpot_tensor *const *inputs, lpot_error *err) {
  lpot_onednn_plan *plan = opaque;
  const lpot_clock clock = lpot_clock_monotonic();
  size_t next = 0;
  for (size_t i = 0; i < lpot_graph_num_inputs(plan->graph); ++i) {
    plan->slots[plan->input_slots[i]].data = inputs[i]->data;
  }
  LPOT_TRY(show_observations(plan, &next, -1, err));
  for (size_t i = 0; i < plan->num_steps; ++i) {
    lpot_step *step = &plan->steps[i];
    double start = plan->options.profile ? lpot_clock_now(&clock) : 0.0;
    LPOT_TRY(run_step(plan, step, err));
    if (plan->options.profile) {
      step->last_seconds = lpot_clock_now(&clock) - start;
      step->seconds += step->last_seconds;
      ++step->runs;
    }
    LPOT_TRY(show_observations(plan, &next, (int)i, err));
  }
  return LPOT_OK;
}

/* ---- reports ---- */

static size_t onednn_num_outputs(const void *opaque) {
  const lpot_onednn_plan *plan = opaque;
  return plan->num_outputs;
}

static const lpot_tensor *onednn_output(const void *opaque, size_t index) {
  const lpot_onednn_plan *plan = opaque;
  return plan->outputs[index];
}

static void onednn_get_stats(const void *opaque, lpot_plan_stats *ret_stats) {
  const lpot_onednn_plan *plan = opaque;
  *ret_stats = (lpot_plan_stats){.num_steps = plan->num_steps,
                                 .arena_bytes = plan->arena_bytes,
                                 .activation_bytes = plan->activation_bytes,
                                 .weight_bytes = plan->weight_bytes};
  for (size_t i = 0; i < plan->num_steps; ++i) {
    ret_stats->num_reference_steps += plan->steps[i].is_reference;
  }
}

static const char *implementation_of(const lpot_step *step) {
  if (step->primitive != NULL) {
    return lpot_dl_implementation(step->primitive);
  }
  return step->is_reference ? "reference" : "lpot";
}

static lpot_plan_step onednn_get_step(const void *opaque, size_t index) {
  const lpot_onednn_plan *plan = opaque;
  const lpot_step *step = &plan->steps[index];
  lpot_plan_step result = {.name = step->name, .kind = step->kind};
  result.implementation = implementation_of(step);
  result.input_dtype =
      step->num_inputs > 0 ? plan->slots[step->slots[0]].dtype : LPOT_DTYPE_UNKNOWN;
  result.output_dtype = plan->slots[step->slots[step->num_inputs]].dtype;
  result.seconds = step->runs > 0 ? step->seconds / (double)step->runs : 0.0;
  result.last_seconds = step->last_seconds;
  return result;
}

static lpot_status onednn_open(void **ret_state, lpot_error *err) {
  lpot_dl *dl = NULL;
  LPOT_TRY(lpot_dl_new(&dl, err));
  *ret_state = dl;
  return LPOT_OK;
}

static void onednn_close(void *state) {
  lpot_dl_free(state);
}

const lpot_engine_methods lpot_onednn_engine = {
    .name = "onednn",
    .version = lpot_dl_version,
    .isa = lpot_dl_isa,
    .open = onednn_open,
    .close = onednn_close,
    .use_threads = lpot_dl_use_threads,
    .compile = onednn_compile,
    .free_plan = onednn_free_plan,
    .run = onednn_run,
    .num_outputs = onednn_num_outputs,
    .output = onednn_output,
    .get_stats = onednn_get_stats,
    .get_step = onednn_get_step,
};
