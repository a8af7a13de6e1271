#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/onednn/emit_fusion.h"
#include "engine/onednn/loops.h"

/* Elementwise operators: on f32 by oneDNN, on two int8 tensors by our own loop. Those on f32 that
 * oneDNN lacks are in emit_loop.c. */

static lpot_status finish_step(lpot_compiler *compiler, const lpot_node *node, const char *kind,
                               lpot_dl_primitive *primitive, const lpot_slot_id *inputs,
                               size_t num_inputs, lpot_slot_id dst, lpot_error *err) {
  lpot_step *step = NULL;
  lpot_status status = lpot_step_add(compiler->plan, node->name, kind, lpot_run_primitive, inputs,
                                     num_inputs, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  step->primitive = primitive;
  return LPOT_OK;
}

/* ---- one input ---- */

typedef struct unary_rule {
  lpot_op op;
  lpot_dl_unary unary;
  const char *attribute; /* that oneDNN calls alpha; NULL: none */
  float alpha;           /* its default */
} unary_rule;

static const unary_rule unary_rules[] = {
    {LPOT_OP_ABS, LPOT_DL_UNARY_ABS, NULL, 0.0f},
    {LPOT_OP_BIAS_GELU, LPOT_DL_UNARY_GELU_ERF, NULL, 0.0f},
    {LPOT_OP_ELU, LPOT_DL_UNARY_ELU, "alpha", 1.0f},
    {LPOT_OP_EXP, LPOT_DL_UNARY_EXP, NULL, 0.0f},
    {LPOT_OP_FAST_GELU, LPOT_DL_UNARY_GELU_TANH, NULL, 0.0f},
    {LPOT_OP_GELU, LPOT_DL_UNARY_GELU_ERF, NULL, 0.0f},
    {LPOT_OP_HARD_SWISH, LPOT_DL_UNARY_HARD_SWISH, NULL, 0.0f},
    {LPOT_OP_LEAKY_RELU, LPOT_DL_UNARY_RELU, "alpha", 0.01f},
    {LPOT_OP_LOG, LPOT_DL_UNARY_LOG, NULL, 0.0f},
    {LPOT_OP_MICROSOFT_GELU, LPOT_DL_UNARY_GELU_ERF, NULL, 0.0f},
    {LPOT_OP_MISH, LPOT_DL_UNARY_MISH, NULL, 0.0f},
    {LPOT_OP_QUICK_GELU, LPOT_DL_UNARY_SWISH, "alpha", 1.702f},
    {LPOT_OP_RELU, LPOT_DL_UNARY_RELU, NULL, 0.0f},
    {LPOT_OP_ROUND, LPOT_DL_UNARY_ROUND, NULL, 0.0f},
    {LPOT_OP_SIGMOID, LPOT_DL_UNARY_LOGISTIC, NULL, 0.0f},
    {LPOT_OP_SOFTPLUS, LPOT_DL_UNARY_SOFT_RELU, NULL, 0.0f},
    {LPOT_OP_SQRT, LPOT_DL_UNARY_SQRT, NULL, 0.0f},
    {LPOT_OP_TANH, LPOT_DL_UNARY_TANH, NULL, 0.0f},
};

/* Adds the step; elementwise work does not care for dimensions: one long row suits every rank. */
static lpot_status add_unary(lpot_compiler *compiler, const lpot_node *node, lpot_dl_unary unary,
                             float alpha, float beta, lpot_slot_id src, lpot_slot_id dst,
                             lpot_error *err) {
  lpot_dl_desc desc;
  lpot_slot_desc(&compiler->plan->slots[src], &desc);
  desc.rank = 1;
  desc.dims[0] = lpot_shape_elements(&compiler->plan->slots[src].shape);
  desc.strides[0] = 1;
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(lpot_dl_unary_new(compiler->plan->dl, unary, alpha, beta, &desc, &primitive, err));
  lpot_status status = finish_step(compiler, node, "unary", primitive, &src, 1, dst, err);
  return status;
}

static lpot_status add_unary_of_node(lpot_compiler *compiler, const lpot_node *node,
                                     lpot_slot_id src, lpot_slot_id dst, lpot_error *err) {
  const unary_rule *rule = NULL;
  for (size_t i = 0; i < sizeof unary_rules / sizeof unary_rules[0]; ++i) {
    rule = unary_rules[i].op == node->op ? &unary_rules[i] : rule;
  }
  if (rule == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no unary primitive", node->name);
  }
  lpot_dl_unary unary = rule->unary;
  if (node->op == LPOT_OP_GELU &&
      strcmp(lpot_node_string(node, "approximate", "none"), "tanh") == 0) {
    unary = LPOT_DL_UNARY_GELU_TANH;
  }
  float alpha = rule->alpha;
  if (rule->attribute != NULL) {
    alpha = lpot_node_float(node, rule->attribute, alpha);
  }
  lpot_status status = add_unary(compiler, node, unary, alpha, 0.0f, src, dst, err);
  return status;
}

lpot_status lpot_emit_unary(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  lpot_status status = add_unary_of_node(compiler, node, src, dst, err);
  return status;
}

/* A bound of Clip that is a constant of one element, or left out. */
static bool constant_bound(const lpot_graph *graph, const lpot_node *node, int index,
                           float *bound) {
  lpot_value_id id = lpot_node_input(node, index);
  if (id == LPOT_NONE) {
    return true;
  }
  const lpot_tensor *tensor = lpot_graph_value(graph, id)->constant;
  if (tensor == NULL || lpot_tensor_elements(tensor) != 1) {
    return false;
  }
  *bound = (float)lpot_tensor_get_double(tensor, 0);
  return true;
}

lpot_status lpot_emit_clip(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_value *out = lpot_graph_value(compiler->graph, node->outputs[0]);
  float low = -INFINITY;
  float high = INFINITY;
  bool constant = constant_bound(compiler->graph, node, 1, &low) &&
                  constant_bound(compiler->graph, node, 2, &high);
  if (out->dtype != LPOT_F32 || lpot_shape_elements(&out->shape) == 0 || !constant ||
      !(low <= high)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not f32 with constant bounds", node->name);
  }
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  lpot_status status = add_unary(compiler, node, LPOT_DL_UNARY_CLIP, low, high, src, dst, err);
  return status;
}

/* ---- two inputs ---- */

typedef struct binary_rule {
  lpot_op op;
  lpot_dl_binary algorithm;
  bool commutes;
} binary_rule;

static const binary_rule binary_rules[] = {
    {LPOT_OP_ADD, LPOT_DL_ADD, true},      {LPOT_OP_DIV, LPOT_DL_DIVIDE, false},
    {LPOT_OP_MAX, LPOT_DL_MAXIMUM, true},  {LPOT_OP_MIN, LPOT_DL_MINIMUM, true},
    {LPOT_OP_MUL, LPOT_DL_MULTIPLY, true}, {LPOT_OP_SUB, LPOT_DL_SUBTRACT, false},
};

static const binary_rule *find_binary(lpot_op op) {
  for (size_t i = 0; i < sizeof binary_rules / sizeof binary_rules[0]; ++i) {
    if (binary_rules[i].op == op) {
      return &binary_rules[i];
    }
  }
  return NULL;
}

/* desc of a slot with dimensions of 1 put in front, in a row-major frame of `rank` dimensions. */
static void aligned_desc(const lpot_slot *slot, int rank, lpot_dl_desc *ret) {
  lpot_dl_desc desc;
  lpot_slot_desc(slot, &desc);
  *ret = desc;
  ret->rank = rank > 0 ? rank : 1;
  int added = ret->rank - desc.rank;
  int64_t total = lpot_shape_elements(&slot->shape);
  for (int i = 0; i < ret->rank; ++i) {
    ret->dims[i] = i >= added ? desc.dims[i - added] : 1;
    ret->strides[i] = i >= added ? desc.strides[i - added] : total;
  }
}

/* Operands of fewer dimensions than the result are row-major, so the result is too, unless the
 * smaller one is a single element or a run along the channels that lies the same in both. */
static lpot_layout common_layout(const lpot_compiler *compiler, const lpot_node *node) {
  const lpot_shape *out = &lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  lpot_layout layout = LPOT_PLAIN;
  for (int i = 0; i < 2; ++i) {
    const lpot_shape *shape = &lpot_graph_value(compiler->graph, node->inputs[i])->shape;
    if (lpot_shape_equal(shape, out) &&
        lpot_layout_of(compiler, node->inputs[i]) == LPOT_CHANNELS_LAST) {
      layout = LPOT_CHANNELS_LAST;
    }
  }
  return layout;
}

/* inputs[0] has the shape of dst. */
static lpot_status add_binary(lpot_compiler *compiler, const lpot_node *node,
                              lpot_dl_binary algorithm, const lpot_slot_id inputs[2],
                              lpot_slot_id dst, lpot_error *err) {
  lpot_dl_desc a, b, d;
  const lpot_slot *slots = compiler->plan->slots;
  int rank = slots[dst].shape.rank;
  aligned_desc(&slots[inputs[0]], rank, &a);
  aligned_desc(&slots[inputs[1]], rank, &b);
  aligned_desc(&slots[dst], rank, &d);
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(lpot_dl_binary_new(compiler->plan->dl, algorithm, &a, &b, &d, false, &primitive, err));
  lpot_status status = finish_step(compiler, node, "binary", primitive, inputs, 2, dst, err);
  return status;
}

/* No more than one dimension is not 1. */
static bool has_one_axis(const lpot_shape *shape) {
  int count = 0;
  for (int i = 0; i < shape->rank; ++i) {
    count += shape->dims[i] != 1 ? 1 : 0;
  }
  return count <= 1;
}

lpot_status lpot_emit_binary(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const binary_rule *rule = node->num_inputs == 2 ? find_binary(node->op) : NULL;
  const lpot_value *out = lpot_graph_value(compiler->graph, node->outputs[0]);
  if (rule == NULL || out->dtype != LPOT_F32 || out->shape.rank > 5 ||
      lpot_shape_elements(&out->shape) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no binary primitive", node->name);
  }
  const lpot_shape *first = &lpot_graph_value(compiler->graph, node->inputs[0])->shape;
  const lpot_shape *second = &lpot_graph_value(compiler->graph, node->inputs[1])->shape;
  bool swap = !lpot_shape_equal(first, &out->shape);
  if (swap && (!rule->commutes || !lpot_shape_equal(second, &out->shape))) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': both operands are broadcast", node->name);
  }
  const lpot_shape *small = swap ? first : second;
  bool same = lpot_shape_equal(first, second) || small->rank == out->shape.rank;
  lpot_layout layout = same || has_one_axis(small) ? common_layout(compiler, node) : LPOT_PLAIN;
  lpot_slot_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[swap ? 1 : 0], layout, &inputs[0], err));
  LPOT_TRY(
      lpot_need(compiler, node->inputs[swap ? 0 : 1], same ? layout : LPOT_PLAIN, &inputs[1], err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  lpot_status status = add_binary(compiler, node, rule->algorithm, inputs, dst, err);
  return status;
}

/* BiasGelu and FastGelu, whose bias may be left out: a sum, then the activation. */
lpot_status lpot_emit_bias_gelu(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_value *out = lpot_graph_value(compiler->graph, node->outputs[0]);
  lpot_slot_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_slot_id sum = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  if (out->dtype != LPOT_F32 || out->shape.rank < 1 || out->shape.rank > 5 ||
      lpot_shape_elements(&out->shape) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no f32 activation", node->name);
  }
  if (lpot_node_input(node, 1) == LPOT_NONE) {
    LPOT_TRY(lpot_emit_unary(compiler, node, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_PLAIN, &inputs[0], err));
  LPOT_TRY(lpot_need(compiler, node->inputs[1], LPOT_PLAIN, &inputs[1], err));
  LPOT_TRY(lpot_slot_new(compiler->plan, LPOT_F32, &out->shape, LPOT_PLAIN, &sum, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_PLAIN, &dst, err));
  LPOT_TRY(add_binary(compiler, node, LPOT_DL_ADD, inputs, sum, err));
  LPOT_TRY(add_unary_of_node(compiler, node, sum, dst, err));
  return LPOT_OK;
}

/* ---- two int8 inputs ---- */

static lpot_status run_int8_binary(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_loop_binary *binary = step->state;
  const lpot_slot *out = &plan->slots[step->slots[2]];
  int64_t count = lpot_shape_elements(&out->shape);
  const void *a = lpot_slot_data(plan, step->slots[0]);
  const void *b = lpot_slot_data(plan, step->slots[1]);
  if (out->dtype == LPOT_F32) {
    lpot_loop_int8_binary_f32(binary, a, b, count, lpot_slot_data(plan, step->slots[2]));
  } else {
    lpot_loop_int8_binary(binary, a, b, count, lpot_slot_data(plan, step->slots[2]));
  }
  return LPOT_OK;
}

static void fill_binary(const lpot_fusion *fusion, lpot_loop_binary *binary) {
  binary->a = fusion->inputs[0].params;
  binary->b = fusion->inputs[1].params;
  binary->out = fusion->output.params;
  binary->multiply = fusion->anchor->op == LPOT_OP_MUL;
  binary->low = -INFINITY;
  binary->high = INFINITY;
  for (size_t i = 0; i < fusion->num_post_ops; ++i) {
    const lpot_dl_post_op *op = &fusion->post_ops[i];
    binary->low = op->kind == LPOT_DL_RELU ? 0.0f : op->low;
    binary->high = op->kind == LPOT_DL_RELU ? binary->high : op->high;
  }
}

lpot_status lpot_emit_int8_binary(lpot_compiler *compiler, const lpot_fusion *fusion,
                                  lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, fusion->inputs[0].value);
  lpot_slot_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, layout, &inputs[0], err));
  LPOT_TRY(lpot_need(compiler, fusion->inputs[1].value, layout, &inputs[1], err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, layout, &dst, err));
  lpot_loop_binary *binary = lpot_calloc(1, sizeof *binary);
  if (binary == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fill_binary(fusion, binary);
  lpot_step *step = NULL;
  lpot_status status = lpot_step_add(compiler->plan, fusion->anchor->name, "binary int8",
                                     run_int8_binary, inputs, 2, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_free(binary);
    return status;
  }
  step->state = binary;
  return LPOT_OK;
}
