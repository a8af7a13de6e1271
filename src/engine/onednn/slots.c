#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"
#include "engine/reference/reference.h"

void *lpot_slot_data(const lpot_onednn_plan *plan, lpot_slot_id slot) {
  return plan->slots[plan->slots[slot].root].data;
}

bool lpot_layouts_agree(const lpot_shape *shape) {
  if (shape->rank < 3) {
    return true;
  }
  int64_t pixels = 1;
  for (int i = 2; i < shape->rank; ++i) {
    pixels *= shape->dims[i];
  }
  return pixels == 1 || shape->dims[1] == 1;
}

void lpot_slot_desc(const lpot_slot *slot, lpot_dl_desc *ret_desc) {
  memset(ret_desc, 0, sizeof *ret_desc);
  ret_desc->dtype = slot->dtype;
  ret_desc->rank = slot->shape.rank;
  int rank = slot->shape.rank;
  bool channels_last = slot->layout == LPOT_CHANNELS_LAST && rank >= 3;
  int64_t stride = 1;
  if (channels_last) {
    ret_desc->strides[1] = 1;
    stride = slot->shape.dims[1];
  }
  for (int i = rank - 1; i >= 0; --i) {
    ret_desc->dims[i] = slot->shape.dims[i];
    if (channels_last && i == 1) {
      continue;
    }
    ret_desc->strides[i] = stride;
    stride *= slot->shape.dims[i];
  }
}

static lpot_status push_slot(lpot_onednn_plan *plan, const lpot_slot *slot, lpot_slot_id *ret_slot,
                             lpot_error *err) {
  if (plan->num_slots == plan->slot_capacity) {
    size_t capacity = plan->slot_capacity == 0 ? 64 : plan->slot_capacity * 2;
    lpot_slot *slots = lpot_realloc(plan->slots, capacity, sizeof *slots);
    if (slots == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    plan->slots = slots;
    plan->slot_capacity = capacity;
  }
  *ret_slot = (lpot_slot_id)plan->num_slots;
  plan->slots[plan->num_slots++] = *slot;
  return LPOT_OK;
}

lpot_status lpot_slot_new(lpot_onednn_plan *plan, lpot_dtype dtype, const lpot_shape *shape,
                          lpot_layout layout, lpot_slot_id *ret_slot, lpot_error *err) {
  lpot_slot slot = {.dtype = dtype, .shape = *shape, .layout = layout};
  slot.root = (lpot_slot_id)plan->num_slots;
  slot.home = LPOT_HOME_ARENA;
  slot.size_bytes = (size_t)lpot_shape_elements(shape) * lpot_dtype_size(dtype);
  slot.first_step = -1;
  slot.last_step = -1;
  lpot_status status = push_slot(plan, &slot, ret_slot, err);
  return status;
}

lpot_status lpot_slot_alias(lpot_onednn_plan *plan, lpot_slot_id slot, const lpot_shape *shape,
                            lpot_layout layout, lpot_slot_id *ret_slot, lpot_error *err) {
  lpot_slot alias = plan->slots[slot];
  alias.shape = *shape;
  alias.layout = layout;
  lpot_status status = push_slot(plan, &alias, ret_slot, err);
  return status;
}

lpot_status lpot_plan_keep_tensor(lpot_onednn_plan *plan, lpot_tensor *tensor, lpot_error *err) {
  if (plan->num_tensors == plan->tensor_capacity) {
    size_t capacity = plan->tensor_capacity == 0 ? 16 : plan->tensor_capacity * 2;
    lpot_tensor **tensors = lpot_realloc(plan->tensors, capacity, sizeof *tensors);
    if (tensors == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    plan->tensors = tensors;
    plan->tensor_capacity = capacity;
  }
  plan->tensors[plan->num_tensors++] = lpot_tensor_ref(tensor);
  return LPOT_OK;
}

lpot_status lpot_slot_constant(lpot_onednn_plan *plan, lpot_tensor *tensor, lpot_slot_id *ret_slot,
                               lpot_error *err) {
  lpot_tensor *aligned = NULL;
  LPOT_TRY(lpot_tensor_aligned(tensor, &aligned, err));
  lpot_status status = lpot_plan_keep_tensor(plan, aligned, err);
  lpot_tensor_unref(aligned);
  LPOT_TRY(status);
  LPOT_TRY(lpot_slot_new(plan, aligned->dtype, &aligned->shape, LPOT_PLAIN, ret_slot, err));
  plan->slots[*ret_slot].home = LPOT_HOME_CONSTANT;
  plan->slots[*ret_slot].data = aligned->data;
  return LPOT_OK;
}

lpot_status lpot_step_add(lpot_onednn_plan *plan, const char *name, const char *kind,
                          lpot_step_function run, const lpot_slot_id *inputs, size_t num_inputs,
                          const lpot_slot_id *outputs, size_t num_outputs, lpot_step **ret_step,
                          lpot_error *err) {
  if (plan->num_steps == plan->step_capacity) {
    size_t capacity = plan->step_capacity == 0 ? 64 : plan->step_capacity * 2;
    lpot_step *steps = lpot_realloc(plan->steps, capacity, sizeof *steps);
    if (steps == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    plan->steps = steps;
    plan->step_capacity = capacity;
  }
  lpot_step step = {.name = name, .kind = kind, .run = run};
  step.accumulator = LPOT_NONE;
  step.num_inputs = num_inputs;
  step.num_outputs = num_outputs;
  step.slots = lpot_calloc(num_inputs + num_outputs, sizeof *step.slots);
  if (step.slots == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < num_inputs; ++i) {
    step.slots[i] = inputs[i];
  }
  for (size_t i = 0; i < num_outputs; ++i) {
    step.slots[num_inputs + i] = outputs[i];
  }
  plan->steps[plan->num_steps] = step;
  *ret_step = &plan->steps[plan->num_steps++];
  return LPOT_OK;
}

lpot_status lpot_step_add_state(lpot_onednn_plan *plan, const char *name, const char *kind,
                                lpot_step_function run, const lpot_slot_id *inputs,
                                size_t num_inputs, const lpot_slot_id *outputs, size_t num_outputs,
                                void *state, lpot_error *err) {
  lpot_step *step = NULL;
  lpot_status status =
      lpot_step_add(plan, name, kind, run, inputs, num_inputs, outputs, num_outputs, &step, err);
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  step->state = state;
  return LPOT_OK;
}

lpot_status lpot_run_primitive(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  const void *second = step->num_inputs > 1 ? lpot_slot_data(plan, step->slots[1]) : NULL;
  lpot_status status = lpot_dl_run(step->primitive, lpot_slot_data(plan, step->slots[0]), second,
                                   lpot_slot_data(plan, step->slots[step->num_inputs]), err);
  return status;
}

/* ---- values ---- */

lpot_status lpot_define(lpot_compiler *compiler, lpot_value_id value, lpot_layout layout,
                        lpot_slot_id *ret_slot, lpot_error *err) {
  const lpot_value *info = lpot_graph_value(compiler->graph, value);
  LPOT_TRY(lpot_slot_new(compiler->plan, info->dtype, &info->shape, layout, ret_slot, err));
  compiler->where[value][layout] = *ret_slot;
  return LPOT_OK;
}

/* The DequantizeLinear or Cast that produces value, or NULL. */
static const lpot_node *conversion_of(const lpot_graph *graph, lpot_value_id value) {
  lpot_node_id producer = lpot_graph_value(graph, value)->producer;
  const lpot_node *node = producer == LPOT_NONE ? NULL : lpot_graph_node(graph, producer);
  bool converts =
      node != NULL && (node->op == LPOT_OP_DEQUANTIZE_LINEAR || node->op == LPOT_OP_CAST);
  return converts ? node : NULL;
}

lpot_layout lpot_layout_of(const lpot_compiler *compiler, lpot_value_id value) {
  if (compiler->where[value][LPOT_CHANNELS_LAST] != LPOT_NONE) {
    return LPOT_CHANNELS_LAST;
  }
  lpot_operand source;
  if (compiler->where[value][LPOT_PLAIN] == LPOT_NONE &&
      (lpot_dequantized_from(compiler->graph, value, &source) ||
       lpot_widened_from(compiler->graph, value, &source)) &&
      compiler->where[source.value][LPOT_CHANNELS_LAST] != LPOT_NONE) {
    return LPOT_CHANNELS_LAST;
  }
  return LPOT_PLAIN;
}

lpot_status lpot_constant_of(lpot_compiler *compiler, lpot_value_id value, lpot_tensor **ret_tensor,
                             lpot_error *err) {
  const lpot_value *info = lpot_graph_value(compiler->graph, value);
  *ret_tensor = info->constant;
  const lpot_node *node = conversion_of(compiler->graph, value);
  if (info->constant != NULL || node == NULL) {
    return LPOT_OK;
  }
  const lpot_tensor *inputs[3] = {NULL, NULL, NULL};
  for (int i = 0; i < node->num_inputs && i < 3; ++i) {
    lpot_value_id input = node->inputs[i];
    inputs[i] = input == LPOT_NONE ? NULL : lpot_graph_value(compiler->graph, input)->constant;
    if (input != LPOT_NONE && inputs[i] == NULL) {
      return LPOT_OK;
    }
  }
  lpot_tensor *result = NULL;
  LPOT_TRY(lpot_tensor_new(info->dtype, &info->shape, &result, err));
  lpot_status status = lpot_reference_run(node, inputs, &result, err);
  if (status == LPOT_OK) {
    status = lpot_plan_keep_tensor(compiler->plan, result, err);
  }
  if (status == LPOT_OK) {
    *ret_tensor = result;
  }
  lpot_tensor_unref(result); /* the plan keeps it */
  return status;
}

/* ---- conversions ---- */

typedef struct transpose_state {
  int64_t batch, rows, columns;
  size_t element_size;
} transpose_state;

static lpot_status run_transpose(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const transpose_state *state = step->state;
  lpot_loop_transpose(lpot_slot_data(plan, step->slots[0]), lpot_slot_data(plan, step->slots[1]),
                      state->batch, state->rows, state->columns, state->element_size);
  return LPOT_OK;
}

/* Adds the change of `from` into the other layout. */
static lpot_status change_layout(lpot_compiler *compiler, const char *name, lpot_slot_id from,
                                 lpot_slot_id *ret_slot, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_slot source = plan->slots[from];
  lpot_layout layout = source.layout == LPOT_PLAIN ? LPOT_CHANNELS_LAST : LPOT_PLAIN;
  size_t element_size = lpot_dtype_size(source.dtype);
  LPOT_TRY(lpot_slot_new(plan, source.dtype, &source.shape, layout, ret_slot, err));
  transpose_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int64_t pixels = 1;
  for (int i = 2; i < source.shape.rank; ++i) {
    pixels *= source.shape.dims[i];
  }
  state->batch = source.shape.dims[0];
  state->rows = layout == LPOT_CHANNELS_LAST ? source.shape.dims[1] : pixels;
  state->columns = layout == LPOT_CHANNELS_LAST ? pixels : source.shape.dims[1];
  state->element_size = element_size;
  lpot_step *step = NULL;
  lpot_status status =
      lpot_step_add(plan, name, "layout", run_transpose, &from, 1, ret_slot, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  step->state = state;
  return LPOT_OK;
}

static lpot_status run_dequantize(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_dequantize(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                       step->state, lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status dequantize(lpot_compiler *compiler, lpot_value_id value,
                              const lpot_operand *source, lpot_layout layout, lpot_error *err) {
  lpot_slot_id from = LPOT_NONE;
  lpot_slot_id to = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, source->value, layout, &from, err));
  LPOT_TRY(lpot_define(compiler, value, layout, &to, err));
  lpot_quant_params *params = lpot_calloc(1, sizeof *params);
  if (params == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *params = source->params;
  lpot_step *step = NULL;
  const lpot_node *node = conversion_of(compiler->graph, value);
  lpot_status status = lpot_step_add(compiler->plan, node->name, "dequantize", run_dequantize,
                                     &from, 1, &to, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_free(params);
    return status;
  }
  step->state = params;
  return LPOT_OK;
}

static lpot_status run_widen(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_from_bf16(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                      lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status widen(lpot_compiler *compiler, lpot_value_id value, lpot_value_id source,
                         lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, source);
  lpot_slot_id from = LPOT_NONE;
  lpot_slot_id to = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, source, layout, &from, err));
  LPOT_TRY(lpot_define(compiler, value, layout, &to, err));
  LPOT_TRY(lpot_step_add(compiler->plan, conversion_of(compiler->graph, value)->name, "from bf16",
                         run_widen, &from, 1, &to, 1, &step, err));
  return LPOT_OK;
}

/* Makes value available in some layout when it is not yet: constants, dequantized values and those
 * that were bf16. */
static lpot_status materialise(lpot_compiler *compiler, lpot_value_id value, lpot_layout layout,
                               lpot_error *err) {
  if (compiler->where[value][LPOT_PLAIN] != LPOT_NONE ||
      compiler->where[value][LPOT_CHANNELS_LAST] != LPOT_NONE) {
    return LPOT_OK;
  }
  lpot_operand source;
  if (lpot_dequantized_from(compiler->graph, value, &source)) {
    lpot_layout cheap = lpot_layout_of(compiler, source.value);
    (void)layout;
    LPOT_TRY(dequantize(compiler, value, &source, cheap, err));
    return LPOT_OK;
  }
  if (lpot_widened_from(compiler->graph, value, &source)) {
    LPOT_TRY(widen(compiler, value, source.value, err));
    return LPOT_OK;
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_constant_of(compiler, value, &tensor, err));
  if (tensor == NULL) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "value '%s' is needed before it is computed",
                     lpot_graph_value(compiler->graph, value)->name);
  }
  lpot_status status =
      lpot_slot_constant(compiler->plan, tensor, &compiler->where[value][LPOT_PLAIN], err);
  return status;
}

lpot_status lpot_need(lpot_compiler *compiler, lpot_value_id value, lpot_layout layout,
                      lpot_slot_id *ret_slot, lpot_error *err) {
  LPOT_TRY(materialise(compiler, value, layout, err));
  lpot_slot_id *where = compiler->where[value];
  if (where[layout] == LPOT_NONE) {
    lpot_slot_id other = where[layout == LPOT_PLAIN ? LPOT_CHANNELS_LAST : LPOT_PLAIN];
    const lpot_value *info = lpot_graph_value(compiler->graph, value);
    lpot_slot_id slot = LPOT_NONE;
    if (lpot_layouts_agree(&info->shape)) {
      LPOT_TRY(lpot_slot_alias(compiler->plan, other, &info->shape, layout, &slot, err));
    } else {
      LPOT_TRY(change_layout(compiler, info->name, other, &slot, err));
    }
    where[layout] = slot;
  }
  *ret_slot = where[layout];
  return LPOT_OK;
}
