#include "base/memory.h"
#include "engine/onednn/loops_normalization.h"
#include "engine/onednn/onednn_plan.h"

/* Normalizations of f32 by the statistics of the input: our own loops, so that both layouts and all
 * sizes run. What is not plain f32 goes to the reference kernel. */

static bool is_f32(const lpot_compiler *compiler, lpot_value_id value) {
  return lpot_graph_value(compiler->graph, value)->dtype == LPOT_F32;
}

static lpot_status refuse(const lpot_node *node, lpot_error *err) {
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not a plain f32 normalization", node->name);
}

/* Adds the step; state is moved, also on failure. */
static lpot_status finish(lpot_compiler *compiler, const lpot_node *node, const char *kind,
                          lpot_step_function run, const lpot_slot_id *inputs, size_t num_inputs,
                          const lpot_slot_id *outputs, size_t num_outputs, void *state,
                          lpot_error *err) {
  LPOT_TRY(lpot_step_add_state(compiler->plan, node->name, kind, run, inputs, num_inputs, outputs,
                               num_outputs, state, err));
  return LPOT_OK;
}

/* Room that the step alone uses: it lives as one of its outputs. */
static lpot_status scratch_slot(lpot_compiler *compiler, int64_t num_floats, lpot_slot_id *ret_slot,
                                lpot_error *err) {
  lpot_shape shape = lpot_shape_of(1, &num_floats);
  LPOT_TRY(lpot_slot_new(compiler->plan, LPOT_F32, &shape, LPOT_PLAIN, ret_slot, err));
  return LPOT_OK;
}

/* ---- LayerNormalization ---- */

typedef struct layer_state {
  int64_t rows, size;
  double epsilon;
} layer_state;

static lpot_status run_layer(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const layer_state *state = step->state;
  const float *shift = step->num_inputs > 2 ? lpot_slot_data(plan, step->slots[2]) : NULL;
  lpot_loop_normalize_rows(lpot_slot_data(plan, step->slots[0]), state->rows, state->size,
                           state->epsilon, lpot_slot_data(plan, step->slots[1]), shift,
                           lpot_slot_data(plan, step->slots[step->num_inputs]));
  return LPOT_OK;
}

lpot_status lpot_emit_layer_normalization(lpot_compiler *compiler, const lpot_node *node,
                                          lpot_error *err) {
  const lpot_shape *shape = &lpot_graph_value(compiler->graph, node->inputs[0])->shape;
  int axis = (int)lpot_node_int(node, "axis", -1);
  axis += axis < 0 ? shape->rank : 0;
  layer_state made = {.rows = 1, .size = 1};
  for (int i = 0; i < shape->rank; ++i) {
    *(i < axis ? &made.rows : &made.size) *= shape->dims[i];
  }
  made.epsilon = (double)lpot_node_float(node, "epsilon", 1e-5f);
  size_t num_inputs = lpot_node_input(node, 2) == LPOT_NONE ? 2 : 3;
  lpot_slot_id inputs[3];
  lpot_slot_id dst = LPOT_NONE;
  bool plain = made.rows * made.size > 0 && node->num_outputs == 1;
  for (size_t i = 0; i < num_inputs; ++i) {
    const lpot_shape *part = &lpot_graph_value(compiler->graph, node->inputs[i])->shape;
    plain = plain && is_f32(compiler, node->inputs[i]) &&
            (i == 0 || lpot_shape_elements(part) == made.size);
  }
  if (!plain) {
    LPOT_TRY(refuse(node, err));
  }
  for (size_t i = 0; i < num_inputs; ++i) {
    LPOT_TRY(lpot_need(compiler, node->inputs[i], LPOT_PLAIN, &inputs[i], err));
  }
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_PLAIN, &dst, err));
  layer_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *state = made;
  LPOT_TRY(finish(compiler, node, "layer normalization", run_layer, inputs, num_inputs, &dst, 1,
                  state, err));
  return LPOT_OK;
}

/* ---- InstanceNormalization, GroupNormalization with parameters per channel ---- */

typedef struct groups_state {
  lpot_loop_groups how;
  int64_t images;
} groups_state;

static lpot_status run_groups(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const groups_state *state = step->state;
  const float *in = lpot_slot_data(plan, step->slots[0]);
  float *out = lpot_slot_data(plan, step->slots[3]);
  int64_t size = state->how.channels * state->how.pixels;
  for (int64_t i = 0; i < state->images; ++i) {
    lpot_loop_normalize_groups(&state->how, in + i * size, lpot_slot_data(plan, step->slots[1]),
                               lpot_slot_data(plan, step->slots[2]),
                               lpot_slot_data(plan, step->slots[4]), out + i * size);
  }
  return LPOT_OK;
}

static bool fill_groups(const lpot_compiler *compiler, const lpot_node *node, lpot_layout layout,
                        groups_state *ret) {
  const lpot_shape *shape = &lpot_graph_value(compiler->graph, node->inputs[0])->shape;
  if (shape->rank < 2 || lpot_shape_elements(shape) == 0 || node->num_outputs != 1) {
    return false;
  }
  int64_t channels = shape->dims[1];
  for (int i = 0; i < 3; ++i) {
    const lpot_shape *part = &lpot_graph_value(compiler->graph, node->inputs[i])->shape;
    if (!is_f32(compiler, node->inputs[i]) || (i > 0 && lpot_shape_elements(part) != channels)) {
      return false;
    }
  }
  ret->images = shape->dims[0];
  ret->how.channels = channels;
  ret->how.groups =
      node->op == LPOT_OP_GROUP_NORMALIZATION ? lpot_node_int(node, "num_groups", 1) : channels;
  ret->how.pixels = lpot_shape_elements(shape) / (ret->images * channels);
  ret->how.channels_last = layout == LPOT_CHANNELS_LAST;
  ret->how.epsilon = (double)lpot_node_float(node, "epsilon", 1e-5f);
  return true;
}

lpot_status lpot_emit_group_normalization(lpot_compiler *compiler, const lpot_node *node,
                                          lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  groups_state made = {.images = 0};
  lpot_slot_id inputs[3];
  lpot_slot_id outputs[2];
  if (!fill_groups(compiler, node, layout, &made)) {
    LPOT_TRY(refuse(node, err));
  }
  for (int i = 0; i < 3; ++i) {
    LPOT_TRY(lpot_need(compiler, node->inputs[i], i == 0 ? layout : LPOT_PLAIN, &inputs[i], err));
  }
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &outputs[0], err));
  /* Two doubles for each channel; slots begin at 64 bytes. */
  LPOT_TRY(scratch_slot(compiler, 4 * made.how.channels, &outputs[1], err));
  groups_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *state = made;
  LPOT_TRY(
      finish(compiler, node, "group normalization", run_groups, inputs, 3, outputs, 2, state, err));
  return LPOT_OK;
}

/* ---- LRN ---- */

static lpot_status run_lrn(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  lpot_loop_normalize_responses(step->state, lpot_slot_data(plan, step->slots[0]),
                                lpot_slot_data(plan, step->slots[2]),
                                lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

/* A window longer than all channels sees no more than they are. */
static void fill_lrn(const lpot_node *node, const lpot_shape *shape, lpot_loop_lrn *lrn) {
  int64_t size = lpot_node_int(node, "size", 1);
  int64_t before = (size - 1) / 2;
  int64_t after = size - 1 - before;
  lrn->channels = shape->dims[1];
  lrn->pixels = lpot_shape_elements(shape) / lrn->channels;
  lrn->before = before < lrn->channels ? before : lrn->channels;
  lrn->after = after < lrn->channels ? after : lrn->channels;
  lrn->alpha = lpot_node_float(node, "alpha", 1e-4f) / (float)size;
  lrn->beta = lpot_node_float(node, "beta", 0.75f);
  lrn->bias = lpot_node_float(node, "bias", 1.0f);
}

lpot_status lpot_emit_lrn(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_shape *shape = &lpot_graph_value(compiler->graph, node->inputs[0])->shape;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id outputs[2];
  if (!is_f32(compiler, node->inputs[0]) || shape->rank < 2 || lpot_shape_elements(shape) == 0) {
    LPOT_TRY(refuse(node, err));
  }
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_CHANNELS_LAST, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_CHANNELS_LAST, &outputs[0], err));
  lpot_loop_lrn *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fill_lrn(node, shape, state);
  int64_t num_floats = state->before + 2 * state->channels + state->after;
  lpot_status status = scratch_slot(compiler, num_floats, &outputs[1], err);
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  LPOT_TRY(finish(compiler, node, "local response", run_lrn, &src, 1, outputs, 2, state, err));
  return LPOT_OK;
}
