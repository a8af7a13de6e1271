#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"
#include "engine/reference/reference.h"

/* Functions of single elements between two roundings, in one pass over the data: batch
 * normalizations that no convolution could take (before the activation, as DenseNet has them) with
 * their activation and both roundings, and tables of 256 entries for everything else. */

/* ---- affine ---- */

typedef struct affine_state {
  lpot_loop_affine loop;
  float values[]; /* scale [channels], shift [channels] */
} affine_state;

static lpot_status run_affine(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const affine_state *state = step->state;
  lpot_loop_affine_run(&state->loop, lpot_slot_data(plan, step->slots[0]),
                       lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

/* What the node does to real numbers, by channel; Relu and Clip leave them as they are. */
static void real_factors(const lpot_graph *graph, const lpot_node *node, int64_t channel,
                         double *ret_scale, double *ret_shift) {
  *ret_scale = 1.0;
  *ret_shift = 0.0;
  if (node->op != LPOT_OP_BATCH_NORMALIZATION) {
    return;
  }
  double values[4]; /* scale, shift, mean, variance */
  for (int i = 0; i < 4; ++i) {
    const lpot_tensor *parameter = lpot_graph_value(graph, node->inputs[1 + i])->constant;
    values[i] = lpot_tensor_get_double(parameter, channel);
  }
  double epsilon = (double)lpot_node_float(node, "epsilon", 1e-5f);
  *ret_scale = values[0] / sqrt(values[3] + epsilon);
  *ret_shift = values[1] - values[2] * *ret_scale;
}

/* Changes the unit of what comes in and of what goes out: steps of an 8-bit type. */
static void fill_affine(const lpot_graph *graph, const lpot_fusion *fusion, affine_state *state) {
  const lpot_operand *input = &fusion->inputs[0];
  const lpot_operand *output = &fusion->output;
  lpot_loop_affine *loop = &state->loop;
  double in_step = input->quantized ? (double)input->params.scale : 1.0;
  double in_zero = input->quantized ? (double)input->params.zero_point : 0.0;
  double out_step = output->quantized ? (double)output->params.scale : 1.0;
  float *scale = state->values;
  float *shift = state->values + loop->channels;
  for (int64_t c = 0; c < loop->channels; ++c) {
    double real_scale = 0.0;
    double real_shift = 0.0;
    real_factors(graph, fusion->anchor, c, &real_scale, &real_shift);
    scale[c] = (float)(in_step * real_scale / out_step);
    shift[c] = (float)((real_shift - in_zero * in_step * real_scale) / out_step);
  }
  loop->scale = scale;
  loop->shift = shift;
  loop->in = input->quantized ? input->params.dtype : LPOT_F32;
  loop->out = output->quantized ? output->params.dtype : LPOT_F32;
  const lpot_dl_post_op *clip = fusion->num_post_ops > 0 ? &fusion->post_ops[0] : NULL;
  bool is_relu = clip != NULL && clip->kind == LPOT_DL_RELU;
  loop->low = -INFINITY;
  loop->high = INFINITY;
  if (clip != NULL) {
    loop->low = is_relu ? 0.0f : (float)((double)clip->low / out_step);
    loop->high = is_relu ? INFINITY : (float)((double)clip->high / out_step);
  }
  if (output->quantized) {
    bool is_u8 = output->params.dtype == LPOT_U8;
    loop->zero_point = (float)output->params.zero_point;
    float lowest = (is_u8 ? 0.0f : -128.0f) - loop->zero_point;
    float highest = (is_u8 ? 255.0f : 127.0f) - loop->zero_point;
    loop->low = loop->low > lowest ? loop->low : lowest;
    loop->low = loop->low < highest ? loop->low : highest;
    loop->high = loop->high < highest ? loop->high : highest;
    loop->high = loop->high > lowest ? loop->high : lowest;
  }
}

/* Without a normalization all elements are alike, whatever their layout. */
static void shape_affine(const lpot_fusion *fusion, const lpot_shape *shape, lpot_layout layout,
                         lpot_loop_affine *loop) {
  int64_t total = lpot_shape_elements(shape);
  if (fusion->anchor->op != LPOT_OP_BATCH_NORMALIZATION) {
    *loop = (lpot_loop_affine){.outer = 1, .channels = 1, .inner = total};
    return;
  }
  int64_t channels = shape->dims[1];
  int64_t pixels = total / (shape->dims[0] * channels);
  bool last = layout == LPOT_CHANNELS_LAST;
  *loop = (lpot_loop_affine){.outer = shape->dims[0] * (last ? pixels : 1),
                             .channels = channels,
                             .inner = last ? 1 : pixels};
}

static lpot_status add_affine(lpot_compiler *compiler, const lpot_fusion *fusion,
                              lpot_layout layout, affine_state *state, lpot_error *err) {
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, layout, &src, err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, layout, &dst, err));
  bool is_norm = fusion->anchor->op == LPOT_OP_BATCH_NORMALIZATION;
  LPOT_TRY(lpot_step_add(compiler->plan, fusion->anchor->name,
                         is_norm ? "scale and shift" : "rescale", run_affine, &src, 1, &dst, 1,
                         &step, err));
  step->state = state;
  return LPOT_OK;
}

lpot_status lpot_emit_affine(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_value_id from = fusion->inputs[0].value;
  lpot_layout layout = lpot_layout_of(compiler, from);
  lpot_loop_affine loop;
  shape_affine(fusion, &lpot_graph_value(compiler->graph, from)->shape, layout, &loop);
  size_t count = 2 * (size_t)loop.channels;
  affine_state *state = lpot_calloc(1, sizeof *state + count * sizeof state->values[0]);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  state->loop = loop;
  fill_affine(compiler->graph, fusion, state);
  lpot_status status = add_affine(compiler, fusion, layout, state, err);
  if (status != LPOT_OK) {
    lpot_free(state);
  }
  return status;
}

/* ---- tables ---- */

typedef struct lookup_state {
  uint8_t table[256];
} lookup_state;

static lpot_status run_lookup(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lookup_state *state = step->state;
  lpot_loop_lookup(lpot_slot_data(plan, step->slots[0]),
                   (int64_t)plan->slots[step->slots[1]].size_bytes, state->table,
                   lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

/* The function itself on all 256 values that its input can have. */
static lpot_status fill_table(const lpot_graph *graph, const lpot_fusion *fusion, uint8_t *table,
                              lpot_error *err) {
  enum { COUNT = 256 };
  const lpot_node *node = fusion->anchor;
  const lpot_shape shape = lpot_shape_of(1, (const int64_t[]){COUNT});
  lpot_tensor *given = NULL;
  lpot_tensor *result = NULL;
  uint8_t bytes[COUNT];
  for (int i = 0; i < COUNT; ++i) {
    bytes[i] = (uint8_t)i;
  }
  const lpot_tensor **inputs = lpot_calloc((size_t)node->num_inputs, sizeof(lpot_tensor *));
  lpot_status status = inputs == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  if (status == LPOT_OK) {
    status = lpot_tensor_new(LPOT_F32, &shape, &given, err);
  }
  if (status == LPOT_OK) {
    status = lpot_tensor_new(LPOT_F32, &shape, &result, err);
  }
  if (status == LPOT_OK) {
    lpot_loop_dequantize(bytes, COUNT, &fusion->inputs[0].params, given->data);
    inputs[0] = given;
    for (int i = 1; i < node->num_inputs; ++i) {
      inputs[i] =
          node->inputs[i] == LPOT_NONE ? NULL : lpot_graph_value(graph, node->inputs[i])->constant;
    }
    status = lpot_reference_run(node, inputs, &result, err);
  }
  if (status == LPOT_OK) {
    lpot_loop_quantize(result->data, COUNT, &fusion->output.params, table);
  }
  lpot_tensor_unref(given);
  lpot_tensor_unref(result);
  lpot_free(inputs);
  return status;
}

lpot_status lpot_emit_lookup(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, fusion->inputs[0].value);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, layout, &src, err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, layout, &dst, err));
  lookup_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_table(compiler->graph, fusion, state->table, err);
  if (status == LPOT_OK) {
    status = lpot_step_add(compiler->plan, fusion->anchor->name, "lookup", run_lookup, &src, 1,
                           &dst, 1, &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  step->state = state;
  return LPOT_OK;
}
