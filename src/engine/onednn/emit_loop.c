#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"

/* Elementwise operators on f32 that oneDNN lacks, or computes for one shape only: our own loops. */

/* Adds a step that owns a copy of *state. */
static lpot_status add_step(lpot_compiler *compiler, const lpot_node *node, const char *kind,
                            lpot_step_function run, const lpot_slot_id *inputs, size_t num_inputs,
                            lpot_slot_id dst, const void *state, size_t state_size,
                            lpot_error *err) {
  void *copy = lpot_calloc(1, state_size);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(copy, state, state_size);
  lpot_step *step = NULL;
  lpot_status status =
      lpot_step_add(compiler->plan, node->name, kind, run, inputs, num_inputs, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_free(copy);
    return status;
  }
  step->state = copy;
  return LPOT_OK;
}

static lpot_status check_f32(const lpot_compiler *compiler, const lpot_node *node,
                             lpot_error *err) {
  const lpot_value *out = lpot_graph_value(compiler->graph, node->outputs[0]);
  if (out->dtype != LPOT_F32 || lpot_shape_elements(&out->shape) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not f32", node->name);
  }
  return LPOT_OK;
}

/* ---- one input ---- */

typedef struct loop_rule {
  lpot_op op;
  lpot_loop_unary_kind kind;
  const char *attributes[2]; /* NULL: none */
  float defaults[2];
} loop_rule;

static const loop_rule loop_rules[] = {
    {LPOT_OP_CEIL, LPOT_LOOP_CEIL, {NULL}, {0.0f}},
    {LPOT_OP_ERF, LPOT_LOOP_ERF, {NULL}, {0.0f}},
    {LPOT_OP_FLOOR, LPOT_LOOP_FLOOR, {NULL}, {0.0f}},
    {LPOT_OP_HARD_SIGMOID, LPOT_LOOP_HARD_SIGMOID, {"alpha", "beta"}, {0.2f, 0.5f}},
    {LPOT_OP_NEG, LPOT_LOOP_NEGATIVE, {NULL}, {0.0f}},
    {LPOT_OP_RECIPROCAL, LPOT_LOOP_RECIPROCAL, {NULL}, {0.0f}},
    {LPOT_OP_SIGN, LPOT_LOOP_SIGN, {NULL}, {0.0f}},
    {LPOT_OP_SOFTSIGN, LPOT_LOOP_SOFTSIGN, {NULL}, {0.0f}},
    {LPOT_OP_THRESHOLDED_RELU, LPOT_LOOP_THRESHOLDED_RELU, {"alpha"}, {1.0f}},
};

static lpot_status run_unary(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  int64_t count = lpot_shape_elements(&plan->slots[step->slots[1]].shape);
  lpot_loop_unary(step->state, lpot_slot_data(plan, step->slots[0]), count,
                  lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status emit_loop(lpot_compiler *compiler, const lpot_node *node,
                             const lpot_loop_unary_params *params, lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(check_f32(compiler, node, err));
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  LPOT_TRY(
      add_step(compiler, node, "unary loop", run_unary, &src, 1, dst, params, sizeof *params, err));
  return LPOT_OK;
}

lpot_status lpot_emit_unary_loop(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  for (size_t i = 0; i < sizeof loop_rules / sizeof loop_rules[0]; ++i) {
    const loop_rule *rule = &loop_rules[i];
    if (rule->op != node->op) {
      continue;
    }
    float values[2] = {rule->defaults[0], rule->defaults[1]};
    for (int k = 0; k < 2 && rule->attributes[k] != NULL; ++k) {
      values[k] = lpot_node_float(node, rule->attributes[k], values[k]);
    }
    lpot_loop_unary_params params = {rule->kind, values[0], values[1]};
    LPOT_TRY(emit_loop(compiler, node, &params, err));
    return LPOT_OK;
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no loop", node->name);
}

static lpot_status run_is_nan(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  lpot_loop_is_nan(lpot_slot_data(plan, step->slots[0]),
                   lpot_shape_elements(&plan->slots[step->slots[1]].shape),
                   lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

/* PyTorch's exporter looks for NaN behind every softmax. */
lpot_status lpot_emit_is_nan(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  if (lpot_graph_value(compiler->graph, node->inputs[0])->dtype != LPOT_F32) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not f32", node->name);
  }
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  LPOT_TRY(lpot_step_add(compiler->plan, node->name, "is nan", run_is_nan, &src, 1, &dst, 1, &step,
                         err));
  return LPOT_OK;
}

/* Pow with one constant exponent, as exporters write squares and roots. */
lpot_status lpot_emit_power(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_tensor *exponent = lpot_graph_value(compiler->graph, node->inputs[1])->constant;
  const lpot_shape *in = &lpot_graph_value(compiler->graph, node->inputs[0])->shape;
  const lpot_shape *out = &lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  if (exponent == NULL || lpot_tensor_elements(exponent) != 1 || !lpot_shape_equal(in, out)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no constant exponent", node->name);
  }
  lpot_loop_unary_params params = {LPOT_LOOP_POWER, (float)lpot_tensor_get_double(exponent, 0),
                                   0.0f};
  LPOT_TRY(emit_loop(compiler, node, &params, err));
  return LPOT_OK;
}

/* ---- PRelu ---- */

typedef struct prelu_state {
  int64_t outer, channels, inner;
} prelu_state;

static lpot_status run_prelu(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const prelu_state *state = step->state;
  lpot_loop_prelu(lpot_slot_data(plan, step->slots[0]), state->outer, state->channels, state->inner,
                  lpot_slot_data(plan, step->slots[1]), lpot_slot_data(plan, step->slots[2]));
  return LPOT_OK;
}

/* The one axis of out that slope runs along; 0 when it is a single element, -1 when there is
 * more than one. */
static int slope_axis(const lpot_shape *slope, const lpot_shape *out) {
  int axis = 0;
  int found = 0;
  for (int i = 0; i < slope->rank; ++i) {
    if (slope->dims[i] != 1) {
      axis = i + out->rank - slope->rank;
      ++found;
    }
  }
  return found > 1 ? -1 : axis;
}

lpot_status lpot_emit_prelu(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_shape *out = &lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  const lpot_shape *slope = &lpot_graph_value(compiler->graph, node->inputs[1])->shape;
  int axis = slope_axis(slope, out);
  LPOT_TRY(check_f32(compiler, node, err));
  if (axis < 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not one slope per channel", node->name);
  }
  int64_t total = lpot_shape_elements(out);
  lpot_layout layout = LPOT_PLAIN;
  prelu_state state = {.outer = 1, .channels = lpot_shape_elements(slope)};
  if (state.channels == 1 || axis == 1) {
    layout = lpot_layout_of(compiler, node->inputs[0]);
  }
  if (layout == LPOT_CHANNELS_LAST && state.channels > 1) {
    state.outer = total / state.channels;
  } else {
    for (int i = 0; i < axis; ++i) {
      state.outer *= out->dims[i];
    }
  }
  state.inner = total / (state.outer * state.channels);
  lpot_slot_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &inputs[0], err));
  LPOT_TRY(lpot_need(compiler, node->inputs[1], LPOT_PLAIN, &inputs[1], err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  LPOT_TRY(add_step(compiler, node, "prelu", run_prelu, inputs, 2, dst, &state, sizeof state, err));
  return LPOT_OK;
}

/* ---- Where ---- */

/* The dimensions of the result, innermost first, and how far one step along each goes in the
 * operands. Adjacent ones that all operands walk alike are merged. */
typedef struct where_state {
  int rank;
  int64_t dims[LPOT_MAX_RANK];
  int64_t strides[LPOT_MAX_RANK][3];
} where_state;

/* Moves offsets to the next row; false behind the last. */
static bool next_row(const where_state *state, int64_t index[LPOT_MAX_RANK], int64_t offsets[3]) {
  for (int d = 1; d < state->rank; ++d) {
    bool wraps = ++index[d] == state->dims[d];
    for (int k = 0; k < 3; ++k) {
      offsets[k] += wraps ? state->strides[d][k] * (1 - state->dims[d]) : state->strides[d][k];
    }
    if (!wraps) {
      return true;
    }
    index[d] = 0;
  }
  return false;
}

static lpot_status run_where(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const where_state *state = step->state;
  const uint8_t *condition = lpot_slot_data(plan, step->slots[0]);
  const float *a = lpot_slot_data(plan, step->slots[1]);
  const float *b = lpot_slot_data(plan, step->slots[2]);
  float *out = lpot_slot_data(plan, step->slots[3]);
  int64_t index[LPOT_MAX_RANK] = {0};
  int64_t offsets[3] = {0};
  int within[3];
  for (int k = 0; k < 3; ++k) {
    within[k] = (int)state->strides[0][k];
  }
  do {
    lpot_loop_where(condition + offsets[0], a + offsets[1], b + offsets[2], within, state->dims[0],
                    out);
    out += state->dims[0];
  } while (next_row(state, index, offsets));
  return LPOT_OK;
}

/* strides [operand][axis of out] */
static void broadcast_strides(const lpot_shape *shape, const lpot_shape *out, int operand,
                              int64_t strides[LPOT_MAX_RANK][3]) {
  int64_t stride = 1;
  for (int i = 1; i <= out->rank; ++i) {
    int64_t dim = i <= shape->rank ? shape->dims[shape->rank - i] : 1;
    strides[out->rank - i][operand] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
}

static bool walks_alike(const where_state *state, const int64_t outer[3]) {
  int last = state->rank - 1;
  bool alike = last >= 0;
  for (int k = 0; alike && k < 3; ++k) {
    alike = outer[k] == state->strides[last][k] * state->dims[last];
  }
  return alike;
}

static void plan_where(const lpot_compiler *compiler, const lpot_node *node, const lpot_shape *out,
                       where_state *state) {
  int64_t strides[LPOT_MAX_RANK][3] = {{0}};
  for (int k = 0; k < 3; ++k) {
    const lpot_shape *shape = &lpot_graph_value(compiler->graph, node->inputs[k])->shape;
    broadcast_strides(shape, out, k, strides);
  }
  for (int i = out->rank - 1; i >= 0; --i) {
    if (out->dims[i] == 1) {
      continue;
    }
    if (walks_alike(state, strides[i])) {
      state->dims[state->rank - 1] *= out->dims[i];
      continue;
    }
    state->dims[state->rank] = out->dims[i];
    memcpy(state->strides[state->rank], strides[i], sizeof strides[i]);
    ++state->rank;
  }
  if (state->rank == 0) {
    state->dims[state->rank++] = 1;
  }
}

lpot_status lpot_emit_where(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_shape *out = &lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  where_state state = {0};
  lpot_slot_id inputs[3];
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(check_f32(compiler, node, err));
  plan_where(compiler, node, out, &state);
  for (int k = 0; k < 3; ++k) {
    LPOT_TRY(lpot_need(compiler, node->inputs[k], LPOT_PLAIN, &inputs[k], err));
  }
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_PLAIN, &dst, err));
  LPOT_TRY(add_step(compiler, node, "where", run_where, inputs, 3, dst, &state, sizeof state, err));
  return LPOT_OK;
}
