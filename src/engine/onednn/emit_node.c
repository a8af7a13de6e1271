#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/loops_normalization.h"
#include "engine/onednn/onednn_plan.h"
#include "engine/reference/reference.h"

/* Single nodes: a row of the table names the emitter, everything else runs by the reference
 * kernel. */

/* ---- reference kernels ---- */

typedef struct reference_state {
  const lpot_node *node;
  size_t num_inputs, num_outputs;
  lpot_tensor **tensors; /* [num_inputs + num_outputs], NULL where left out; data set at each run */
} reference_state;

static lpot_status run_reference(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  const reference_state *state = step->state;
  size_t slot = 0;
  for (size_t i = 0; i < state->num_inputs + state->num_outputs; ++i) {
    if (state->tensors[i] != NULL) {
      state->tensors[i]->data = lpot_slot_data(plan, step->slots[slot++]);
    }
  }
  lpot_status status = lpot_reference_run(state->node, (const lpot_tensor *const *)state->tensors,
                                          state->tensors + state->num_inputs, err);
  return status;
}

/* A tensor header over bytes that are known at run time; kept by the plan. */
static lpot_status header_of(lpot_onednn_plan *plan, const lpot_slot *slot,
                             lpot_tensor **ret_tensor, lpot_error *err) {
  LPOT_TRY(
      lpot_tensor_view(slot->dtype, &slot->shape, NULL, slot->size_bytes, NULL, ret_tensor, err));
  lpot_status status = lpot_plan_keep_tensor(plan, *ret_tensor, err);
  lpot_tensor_unref(*ret_tensor);
  return status;
}

static lpot_status collect_inputs(lpot_compiler *compiler, const lpot_value_id *values,
                                  reference_state *state, lpot_slot_id *slots, size_t *count,
                                  lpot_error *err) {
  for (size_t i = 0; i < state->num_inputs; ++i) {
    if (values[i] == LPOT_NONE) {
      continue;
    }
    LPOT_TRY(lpot_need(compiler, values[i], LPOT_PLAIN, &slots[*count], err));
    lpot_slot slot = compiler->plan->slots[slots[*count]];
    LPOT_TRY(header_of(compiler->plan, &slot, &state->tensors[i], err));
    ++*count;
  }
  return LPOT_OK;
}

static lpot_status collect_outputs(lpot_compiler *compiler, const lpot_value_id *values,
                                   reference_state *state, lpot_slot_id *slots, size_t *count,
                                   lpot_error *err) {
  for (size_t i = 0; i < state->num_outputs; ++i) {
    if (values[i] == LPOT_NONE) {
      continue;
    }
    LPOT_TRY(lpot_define(compiler, values[i], LPOT_PLAIN, &slots[*count], err));
    lpot_slot slot = compiler->plan->slots[slots[*count]];
    LPOT_TRY(header_of(compiler->plan, &slot, &state->tensors[state->num_inputs + i], err));
    ++*count;
  }
  return LPOT_OK;
}

static lpot_status add_reference(lpot_compiler *compiler, const lpot_node *node,
                                 const lpot_value_id *inputs, const lpot_value_id *outputs,
                                 reference_state *state, lpot_slot_id *slots, bool is_hot,
                                 lpot_error *err) {
  size_t num_inputs = 0;
  LPOT_TRY(collect_inputs(compiler, inputs, state, slots, &num_inputs, err));
  size_t total = num_inputs;
  LPOT_TRY(collect_outputs(compiler, outputs, state, slots, &total, err));
  lpot_step *step = NULL;
  LPOT_TRY(lpot_step_add(compiler->plan, node->name, lpot_op_get_info(node->op)->name,
                         run_reference, slots, num_inputs, slots + num_inputs, total - num_inputs,
                         &step, err));
  step->state = state;
  step->is_reference = is_hot;
  return LPOT_OK;
}

lpot_status lpot_emit_reference(lpot_compiler *compiler, const lpot_node *node,
                                const lpot_value_id *inputs, const lpot_value_id *outputs,
                                bool is_hot, lpot_error *err) {
  size_t num_inputs = (size_t)node->num_inputs;
  size_t num_outputs = (size_t)node->num_outputs;
  size_t total = num_inputs + num_outputs;
  /* One block: the header, then the array of tensors. */
  reference_state *state = lpot_calloc(1, sizeof *state + total * sizeof *state->tensors);
  lpot_slot_id *slots = lpot_calloc(total, sizeof *slots);
  lpot_status status = LPOT_OK;
  if (state == NULL || slots == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    state->tensors = (lpot_tensor **)(state + 1);
    state->node = lpot_graph_node(compiler->plan->graph, node->id);
    state->num_inputs = num_inputs;
    state->num_outputs = num_outputs;
    status = add_reference(compiler, node, inputs, outputs, state, slots, is_hot, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
  }
  lpot_free(slots);
  return status;
}

/* ---- quantize ---- */

static lpot_status run_quantize(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_quantize(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                     step->state, lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status emit_quantize(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_quant_params params;
  if (!lpot_node_quant_params(compiler->graph, node, &params) ||
      lpot_graph_value(compiler->graph, node->inputs[0])->dtype != LPOT_F32) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not per tensor", node->name);
  }
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  lpot_quant_params *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *state = params;
  LPOT_TRY(lpot_step_add_state(compiler->plan, node->name, "quantize", run_quantize, &src, 1, &dst,
                               1, state, err));
  return LPOT_OK;
}

/* Per-tensor values are dequantized when somebody needs them, constants are computed then: weights
 * of int8 primitives never are. */
static lpot_status emit_dequantize(lpot_compiler *compiler, const lpot_node *node,
                                   lpot_error *err) {
  lpot_operand source;
  if (lpot_dequantized_from(compiler->graph, node->outputs[0], &source)) {
    return LPOT_OK;
  }
  bool is_constant = true;
  for (int i = 0; i < node->num_inputs; ++i) {
    lpot_value_id input = node->inputs[i];
    is_constant = is_constant && (input == LPOT_NONE ||
                                  lpot_graph_value(compiler->graph, input)->constant != NULL);
  }
  if (is_constant) {
    return LPOT_OK;
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not per tensor", node->name);
}

/* ---- softmax ---- */

typedef struct softmax_state {
  int64_t rows, size;
} softmax_state;

static lpot_status run_softmax(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const softmax_state *state = step->state;
  lpot_loop_softmax_rows(lpot_slot_data(plan, step->slots[0]), state->rows, state->size,
                         lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status add_softmax_rows(lpot_compiler *compiler, const lpot_node *node,
                                    lpot_slot_id src, lpot_slot_id dst, lpot_error *err) {
  const lpot_shape *shape = &compiler->plan->slots[src].shape;
  softmax_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  state->size = shape->dims[shape->rank - 1];
  state->rows = lpot_shape_elements(shape) / state->size;
  LPOT_TRY(lpot_step_add_state(compiler->plan, node->name, "softmax", run_softmax, &src, 1, &dst, 1,
                               state, err));
  return LPOT_OK;
}

static lpot_status emit_softmax(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_value *in = lpot_graph_value(compiler->graph, node->inputs[0]);
  if (in->dtype != LPOT_F32 || in->shape.rank < 1 || lpot_shape_elements(&in->shape) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no softmax primitive", node->name);
  }
  int axis = (int)lpot_node_int(node, "axis", -1);
  axis += axis < 0 ? in->shape.rank : 0;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_PLAIN, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_PLAIN, &dst, err));
  bool logarithm = node->op == LPOT_OP_LOG_SOFTMAX;
  if (!logarithm && axis == in->shape.rank - 1) {
    LPOT_TRY(add_softmax_rows(compiler, node, src, dst, err));
    return LPOT_OK;
  }
  lpot_dl_desc desc;
  lpot_slot_desc(&plan->slots[src], &desc);
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(lpot_dl_softmax_new(plan->dl, &desc, axis, logarithm, &primitive, err));
  lpot_step *step = NULL;
  lpot_status status =
      lpot_step_add(plan, node->name, "softmax", lpot_run_primitive, &src, 1, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  step->primitive = primitive;
  return LPOT_OK;
}

/* ---- convolutions that no fusion could run: f32, alone ---- */

static lpot_status emit_alone(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_operand input = {.value = node->inputs[0]};
  lpot_tensor *weight = NULL;
  lpot_tensor *bias = NULL;
  lpot_fusion fusion = {.anchor = node, .num_inputs = 1, .inputs = &input};
  fusion.weight = node->inputs[1];
  fusion.bias = lpot_node_input(node, 2);
  fusion.output.value = node->outputs[0];
  LPOT_TRY(lpot_constant_of(compiler, fusion.weight, &weight, err));
  if (fusion.bias != LPOT_NONE) {
    LPOT_TRY(lpot_constant_of(compiler, fusion.bias, &bias, err));
  }
  bool is_f32 = lpot_graph_value(compiler->graph, node->inputs[0])->dtype == LPOT_F32;
  if (!is_f32 || weight == NULL || weight->dtype != LPOT_F32 ||
      (fusion.bias != LPOT_NONE && bias == NULL)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights are not constant", node->name);
  }
  lpot_status status = lpot_emit_convolution(compiler, &fusion, err);
  return status;
}

/* ---- table ---- */

static lpot_status emit_move(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_status status = lpot_emit_movement(compiler, node, node->inputs[0], node->outputs[0], err);
  return status;
}

static lpot_status emit_pool(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_dtype dtype = lpot_graph_value(compiler->graph, node->inputs[0])->dtype;
  bool is_known = dtype == LPOT_F32 || dtype == LPOT_U8 || dtype == LPOT_S8;
  if (!is_known || node->num_outputs > 1) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': neither f32 nor bytes, or with indices",
                     node->name);
  }
  lpot_status status = lpot_emit_max_pool(compiler, node, node->inputs[0], node->outputs[0], err);
  return status;
}

static lpot_status emit_f32_unary(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_value *in = lpot_graph_value(compiler->graph, node->inputs[0]);
  if (in->dtype != LPOT_F32 || lpot_shape_elements(&in->shape) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not f32", node->name);
  }
  lpot_status status = lpot_emit_unary(compiler, node, err);
  return status;
}

static const struct {
  lpot_op op;
  lpot_emit_function emit;
} emitters[] = {
    {LPOT_OP_ADD, lpot_emit_binary},
    {LPOT_OP_SUB, lpot_emit_binary},
    {LPOT_OP_MUL, lpot_emit_binary},
    {LPOT_OP_DIV, lpot_emit_binary},
    {LPOT_OP_CONV, emit_alone},
    {LPOT_OP_CONV_TRANSPOSE, emit_alone},
    {LPOT_OP_CONV_INTEGER, lpot_emit_conv_integer},
    {LPOT_OP_MATMUL_INTEGER, lpot_emit_matmul_integer},
    {LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, lpot_emit_dynamic_quantize},
    {LPOT_OP_CAST, lpot_emit_cast},
    {LPOT_OP_CAST, lpot_emit_bf16_cast},
    {LPOT_OP_EXP, emit_f32_unary},
    {LPOT_OP_SQRT, emit_f32_unary},
    {LPOT_OP_SIGMOID, emit_f32_unary},
    {LPOT_OP_TANH, emit_f32_unary},
    {LPOT_OP_HARD_SWISH, emit_f32_unary},
    {LPOT_OP_RELU, emit_f32_unary},
    {LPOT_OP_LEAKY_RELU, emit_f32_unary},
    {LPOT_OP_ABS, emit_f32_unary},
    {LPOT_OP_BIAS_GELU, lpot_emit_bias_gelu},
    {LPOT_OP_CEIL, lpot_emit_unary_loop},
    {LPOT_OP_CLIP, lpot_emit_clip},
    {LPOT_OP_ELU, emit_f32_unary},
    {LPOT_OP_ERF, lpot_emit_unary_loop},
    {LPOT_OP_FAST_GELU, lpot_emit_bias_gelu},
    {LPOT_OP_FLOOR, lpot_emit_unary_loop},
    {LPOT_OP_GELU, emit_f32_unary},
    {LPOT_OP_HARD_SIGMOID, lpot_emit_unary_loop},
    {LPOT_OP_IS_NAN, lpot_emit_is_nan},
    {LPOT_OP_LOG, emit_f32_unary},
    {LPOT_OP_MAX, lpot_emit_binary},
    {LPOT_OP_MICROSOFT_GELU, emit_f32_unary},
    {LPOT_OP_MIN, lpot_emit_binary},
    {LPOT_OP_MISH, emit_f32_unary},
    {LPOT_OP_NEG, lpot_emit_unary_loop},
    {LPOT_OP_POW, lpot_emit_power},
    {LPOT_OP_PRELU, lpot_emit_prelu},
    {LPOT_OP_QUICK_GELU, emit_f32_unary},
    {LPOT_OP_RECIPROCAL, lpot_emit_unary_loop},
    {LPOT_OP_REDUCE_MAX, lpot_emit_reduce},
    {LPOT_OP_REDUCE_MEAN, lpot_emit_reduce},
    {LPOT_OP_REDUCE_MIN, lpot_emit_reduce},
    {LPOT_OP_REDUCE_SUM, lpot_emit_reduce},
    {LPOT_OP_ROUND, emit_f32_unary},
    {LPOT_OP_SIGN, lpot_emit_unary_loop},
    {LPOT_OP_SOFTPLUS, emit_f32_unary},
    {LPOT_OP_SOFTSIGN, lpot_emit_unary_loop},
    {LPOT_OP_THRESHOLDED_RELU, lpot_emit_unary_loop},
    {LPOT_OP_WHERE, lpot_emit_where},
    {LPOT_OP_SOFTMAX, emit_softmax},
    {LPOT_OP_LOG_SOFTMAX, emit_softmax},
    {LPOT_OP_GROUP_NORMALIZATION, lpot_emit_group_normalization},
    {LPOT_OP_INSTANCE_NORMALIZATION, lpot_emit_group_normalization},
    {LPOT_OP_LAYER_NORMALIZATION, lpot_emit_layer_normalization},
    {LPOT_OP_LRN, lpot_emit_lrn},
    {LPOT_OP_MAX_POOL, emit_pool},
    {LPOT_OP_CONCAT, lpot_emit_plain_concat},
    {LPOT_OP_RESHAPE, emit_move},
    {LPOT_OP_FLATTEN, emit_move},
    {LPOT_OP_SQUEEZE, emit_move},
    {LPOT_OP_UNSQUEEZE, emit_move},
    {LPOT_OP_IDENTITY, emit_move},
    {LPOT_OP_TRANSPOSE, emit_move},
    {LPOT_OP_SLICE, emit_move},
    {LPOT_OP_GATHER, emit_move},
    {LPOT_OP_QUANTIZE_LINEAR, emit_quantize},
    {LPOT_OP_DEQUANTIZE_LINEAR, emit_dequantize},
};

static bool is_hot(lpot_op op) {
  static const bool hot[LPOT_NUM_OPS] = {
      [LPOT_OP_CONV] = true,           [LPOT_OP_CONV_INTEGER] = true,
      [LPOT_OP_CONV_TRANSPOSE] = true, [LPOT_OP_GEMM] = true,
      [LPOT_OP_MATMUL] = true,         [LPOT_OP_MATMUL_INTEGER] = true,
      [LPOT_OP_MAX_POOL] = true,       [LPOT_OP_ATTENTION] = true,
      [LPOT_OP_FUSED_CONV] = true,     [LPOT_OP_FUSED_GEMM] = true,
      [LPOT_OP_FUSED_MATMUL] = true,   [LPOT_OP_MATMUL_INTEGER_TO_FLOAT] = true,
      [LPOT_OP_QGEMM] = true,          [LPOT_OP_QLINEAR_CONV] = true,
      [LPOT_OP_QLINEAR_MATMUL] = true,
  };
  return hot[op];
}

static void forget_outputs(lpot_compiler *compiler, const lpot_node *node) {
  for (int i = 0; i < node->num_outputs; ++i) {
    if (node->outputs[i] != LPOT_NONE) {
      compiler->where[node->outputs[i]][LPOT_PLAIN] = LPOT_NONE;
      compiler->where[node->outputs[i]][LPOT_CHANNELS_LAST] = LPOT_NONE;
    }
  }
}

lpot_status lpot_emit_node(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  for (size_t i = 0; i < sizeof emitters / sizeof emitters[0]; ++i) {
    if (emitters[i].op != node->op) {
      continue;
    }
    lpot_status status = emitters[i].emit(compiler, node, err);
    if (status != LPOT_UNSUPPORTED) {
      return status;
    }
    forget_outputs(compiler, node);
  }
  lpot_status status =
      lpot_emit_reference(compiler, node, node->inputs, node->outputs, is_hot(node->op), err);
  return status;
}
