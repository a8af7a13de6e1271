#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"

/* Operators that move elements without changing them. Most cost nothing: another view of the
 * same bytes. */

static bool is_view_op(lpot_op op) {
  switch (op) {
  case LPOT_OP_RESHAPE:
  case LPOT_OP_FLATTEN:
  case LPOT_OP_SQUEEZE:
  case LPOT_OP_UNSQUEEZE:
  case LPOT_OP_IDENTITY:
  case LPOT_OP_DROPOUT:
    return true;
  default:
    return false;
  }
}

/* True for N, C, spatial -> N, spatial, C: channels-last bytes read as row-major. */
static bool is_channels_to_end(const lpot_node *node, int rank) {
  const int64_t *perm = NULL;
  size_t count = lpot_node_ints(node, "perm", &perm);
  if (count != (size_t)rank || rank < 3 || perm[0] != 0 || perm[rank - 1] != 1) {
    return false;
  }
  for (int i = 1; i < rank - 1; ++i) {
    if (perm[i] != i + 1) {
      return false;
    }
  }
  return true;
}

/* True for N, spatial, C -> N, C, spatial: row-major bytes read as channels-last. */
static bool is_channels_to_front(const lpot_node *node, int rank) {
  const int64_t *perm = NULL;
  size_t count = lpot_node_ints(node, "perm", &perm);
  if (count != (size_t)rank || rank < 3 || perm[0] != 0 || perm[1] != rank - 1) {
    return false;
  }
  for (int i = 2; i < rank; ++i) {
    if (perm[i] != i - 1) {
      return false;
    }
  }
  return true;
}

static lpot_status alias_as(lpot_compiler *compiler, lpot_value_id from, lpot_layout from_layout,
                            lpot_value_id to, lpot_layout to_layout, lpot_error *err) {
  lpot_slot_id src = LPOT_NONE;
  const lpot_value *out = lpot_graph_value(compiler->graph, to);
  LPOT_TRY(lpot_need(compiler, from, from_layout, &src, err));
  lpot_status status = lpot_slot_alias(compiler->plan, src, &out->shape, to_layout,
                                       &compiler->where[to][to_layout], err);
  return status;
}

static lpot_status run_permute(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  lpot_loop_permute_run(step->state, lpot_slot_data(plan, step->slots[0]),
                        lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status emit_permute(lpot_compiler *compiler, const lpot_node *node, lpot_value_id from,
                                lpot_value_id to, lpot_error *err) {
  const lpot_value *in = lpot_graph_value(compiler->graph, from);
  int rank = in->shape.rank;
  int64_t order[LPOT_MAX_RANK];
  const int64_t *perm = NULL;
  size_t count = lpot_node_ints(node, "perm", &perm);
  for (int i = 0; i < rank; ++i) {
    order[i] = count == (size_t)rank ? perm[i] : rank - 1 - i;
  }
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, from, LPOT_PLAIN, &src, err));
  LPOT_TRY(lpot_define(compiler, to, LPOT_PLAIN, &dst, err));
  lpot_loop_permute *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_loop_permute_init(in->shape.dims, order, rank, lpot_dtype_size(in->dtype), state);
  LPOT_TRY(lpot_step_add_state(compiler->plan, node->name, "transpose", run_permute, &src, 1, &dst,
                               1, state, err));
  return LPOT_OK;
}

lpot_status lpot_emit_movement(lpot_compiler *compiler, const lpot_node *node, lpot_value_id from,
                               lpot_value_id to, lpot_error *err) {
  const lpot_shape *in = &lpot_graph_value(compiler->graph, from)->shape;
  const lpot_shape *out = &lpot_graph_value(compiler->graph, to)->shape;
  lpot_layout layout = lpot_layout_of(compiler, from);
  lpot_status status = LPOT_OK;
  if (is_view_op(node->op)) {
    bool same = lpot_shape_equal(in, out);
    status =
        alias_as(compiler, from, same ? layout : LPOT_PLAIN, to, same ? layout : LPOT_PLAIN, err);
    return status;
  }
  if (node->op == LPOT_OP_TRANSPOSE && layout == LPOT_CHANNELS_LAST &&
      is_channels_to_end(node, in->rank)) {
    status = alias_as(compiler, from, LPOT_CHANNELS_LAST, to, LPOT_PLAIN, err);
    return status;
  }
  if (node->op == LPOT_OP_TRANSPOSE && layout == LPOT_PLAIN &&
      is_channels_to_front(node, in->rank)) {
    status = alias_as(compiler, from, LPOT_PLAIN, to, LPOT_CHANNELS_LAST, err);
    return status;
  }
  if (node->op == LPOT_OP_TRANSPOSE && in->rank >= 1 && lpot_shape_elements(in) > 0) {
    LPOT_TRY(emit_permute(compiler, node, from, to, err));
    return LPOT_OK;
  }
  bool done = false;
  LPOT_TRY(lpot_emit_part(compiler, node, from, to, &done, err));
  if (done) {
    return LPOT_OK;
  }
  size_t num_inputs = (size_t)node->num_inputs;
  lpot_value_id *inputs = lpot_calloc(num_inputs, sizeof *inputs);
  if (inputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(inputs, node->inputs, num_inputs * sizeof *inputs);
  inputs[0] = from;
  status = lpot_emit_reference(compiler, node, inputs, &to, false, err);
  lpot_free(inputs);
  return status;
}

/* ---- channel shuffle ---- */

typedef struct shuffle_state {
  int64_t pixels, channels;
  size_t element_size;
  int32_t order[]; /* [channels] */
} shuffle_state;

static lpot_status run_shuffle(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const shuffle_state *state = step->state;
  lpot_loop_shuffle(lpot_slot_data(plan, step->slots[0]), state->pixels, state->order,
                    state->channels, state->element_size, lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

lpot_status lpot_emit_shuffle(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  const lpot_value *in = lpot_graph_value(compiler->graph, fusion->inputs[0].value);
  const lpot_shape *split = &lpot_graph_value(compiler->graph, fusion->anchor->outputs[0])->shape;
  int64_t channels = in->shape.dims[1];
  shuffle_state *state = lpot_calloc(1, sizeof *state + (size_t)channels * sizeof state->order[0]);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  state->channels = channels;
  state->pixels = lpot_shape_elements(&in->shape) / channels;
  state->element_size = lpot_dtype_size(in->dtype);
  for (int64_t c = 0; c < channels; ++c) {
    int64_t group = c % split->dims[1];
    state->order[c] = (int32_t)(group * split->dims[2] + c / split->dims[1]);
  }
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  lpot_status status = lpot_need(compiler, fusion->inputs[0].value, LPOT_CHANNELS_LAST, &src, err);
  if (status == LPOT_OK) {
    status = lpot_define(compiler, fusion->output.value, LPOT_CHANNELS_LAST, &dst, err);
  }
  if (status == LPOT_OK) {
    status = lpot_step_add(compiler->plan, fusion->anchor->name, "shuffle", run_shuffle, &src, 1,
                           &dst, 1, &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  step->state = state;
  return LPOT_OK;
}

/* ---- concat ---- */

typedef struct concat_input {
  size_t row_bytes;
  bool lookup;
  uint8_t table[256];
} concat_input;

typedef struct concat_plan {
  int64_t outer;
  size_t out_stride;
  concat_input inputs[]; /* [number of inputs] */
} concat_plan;

static lpot_status run_concat(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const concat_plan *state = step->state;
  uint8_t *out = lpot_slot_data(plan, step->slots[step->num_inputs]);
  for (size_t i = 0; i < step->num_inputs; ++i) {
    const concat_input *input = &state->inputs[i];
    const uint8_t *in = lpot_slot_data(plan, step->slots[i]);
    if (!input->lookup) {
      lpot_loop_copy_rows(in, state->outer, input->row_bytes, input->row_bytes, out,
                          state->out_stride);
    }
    for (int64_t row = 0; input->lookup && row < state->outer; ++row) {
      lpot_loop_lookup(in + (size_t)row * input->row_bytes, (int64_t)input->row_bytes, input->table,
                       out + (size_t)row * state->out_stride);
    }
    out += input->row_bytes;
  }
  return LPOT_OK;
}

/* Table of the change from one set of parameters to another, for all 256 bytes. */
static void fill_table(const lpot_quant_params *from, const lpot_quant_params *to,
                       uint8_t table[256]) {
  uint8_t bytes[256];
  float reals[256];
  for (int i = 0; i < 256; ++i) {
    bytes[i] = (uint8_t)i;
  }
  lpot_loop_dequantize(bytes, 256, from, reals);
  lpot_loop_quantize(reals, 256, to, table);
}

void lpot_layout_rows(const lpot_shape *shape, lpot_layout layout, int axis, int64_t *ret_rows,
                      int64_t *ret_row) {
  int order[LPOT_MAX_RANK];
  int rank = shape->rank;
  int position = 0;
  for (int i = 0; i < rank; ++i) {
    if (layout == LPOT_CHANNELS_LAST && rank >= 3 && i == 1) {
      continue;
    }
    order[position++] = i;
  }
  if (position < rank) {
    order[position] = 1;
  }
  *ret_rows = 1;
  *ret_row = 1;
  bool inside = false;
  for (int i = 0; i < rank; ++i) {
    inside = inside || order[i] == axis;
    *(inside ? ret_row : ret_rows) *= shape->dims[order[i]];
  }
}

static lpot_layout concat_layout(const lpot_compiler *compiler, const lpot_value_id *values,
                                 size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (lpot_graph_value(compiler->graph, values[i])->shape.rank >= 3 &&
        lpot_layout_of(compiler, values[i]) == LPOT_CHANNELS_LAST) {
      return LPOT_CHANNELS_LAST;
    }
  }
  return LPOT_PLAIN;
}

static lpot_status add_concat(lpot_compiler *compiler, const lpot_node *node,
                              const lpot_value_id *values, lpot_slot_id *inputs, size_t count,
                              lpot_value_id to, concat_plan *state, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_value *out = lpot_graph_value(compiler->graph, to);
  lpot_layout layout = concat_layout(compiler, values, count);
  int axis = (int)lpot_node_int(node, "axis", 0);
  axis += axis < 0 ? out->shape.rank : 0;
  size_t element_size = lpot_dtype_size(out->dtype);
  for (size_t i = 0; i < count; ++i) {
    LPOT_TRY(lpot_need(compiler, values[i], layout, &inputs[i], err));
    int64_t outer = 0;
    int64_t row = 0;
    lpot_layout_rows(&plan->slots[inputs[i]].shape, layout, axis, &outer, &row);
    state->outer = outer;
    state->inputs[i].row_bytes = (size_t)row * element_size;
    state->out_stride += state->inputs[i].row_bytes;
  }
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_define(compiler, to, layout, &dst, err));
  lpot_step *step = NULL;
  LPOT_TRY(
      lpot_step_add(plan, node->name, "concat", run_concat, inputs, count, &dst, 1, &step, err));
  step->state = state;
  return LPOT_OK;
}

/* operands is NULL for f32. */
static lpot_status emit_concat(lpot_compiler *compiler, const lpot_node *node,
                               const lpot_operand *operands, const lpot_quant_params *params,
                               lpot_value_id to, lpot_error *err) {
  size_t count = (size_t)node->num_inputs;
  lpot_slot_id *inputs = lpot_calloc(count, sizeof *inputs);
  lpot_value_id *values = lpot_calloc(count, sizeof *values);
  concat_plan *state = lpot_calloc(1, sizeof *state + count * sizeof state->inputs[0]);
  lpot_status status = LPOT_OK;
  if (inputs == NULL || values == NULL || state == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; status == LPOT_OK && i < count; ++i) {
    values[i] = operands != NULL ? operands[i].value : node->inputs[i];
    if (operands != NULL && (operands[i].params.scale != params->scale ||
                             operands[i].params.zero_point != params->zero_point ||
                             operands[i].params.dtype != params->dtype)) {
      state->inputs[i].lookup = true;
      fill_table(&operands[i].params, params, state->inputs[i].table);
    }
  }
  if (status == LPOT_OK) {
    status = add_concat(compiler, node, values, inputs, count, to, state, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
  }
  lpot_free(inputs);
  lpot_free(values);
  return status;
}

lpot_status lpot_emit_concat(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_status status = emit_concat(compiler, fusion->anchor, fusion->inputs, &fusion->output.params,
                                   fusion->output.value, err);
  return status;
}

lpot_status lpot_emit_plain_concat(lpot_compiler *compiler, const lpot_node *node,
                                   lpot_error *err) {
  lpot_status status = emit_concat(compiler, node, NULL, NULL, node->outputs[0], err);
  return status;
}
