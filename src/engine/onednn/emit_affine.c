#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"

/* Batch normalizations that no convolution could take (before the activation, as DenseNet has them)
 * with their activation and the roundings around them, in one pass over the data. */

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

/* What the node does to real numbers, by channel. */
static void real_factors(const lpot_graph *graph, const lpot_node *node, int64_t channel,
                         double *ret_scale, double *ret_shift) {
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

static lpot_loop_affine shape_affine(const lpot_shape *shape, lpot_layout layout) {
  int64_t channels = shape->dims[1];
  int64_t pixels = lpot_shape_elements(shape) / (shape->dims[0] * channels);
  bool last = layout == LPOT_CHANNELS_LAST;
  return (lpot_loop_affine){.outer = shape->dims[0] * (last ? pixels : 1),
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
  LPOT_TRY(lpot_step_add(compiler->plan, fusion->anchor->name, "scale and shift", run_affine, &src,
                         1, &dst, 1, &step, err));
  step->state = state;
  return LPOT_OK;
}

lpot_status lpot_emit_affine(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_value_id from = fusion->inputs[0].value;
  lpot_layout layout = lpot_layout_of(compiler, from);
  const lpot_shape *shape = &lpot_graph_value(compiler->graph, from)->shape;
  lpot_loop_affine loop = shape_affine(shape, layout);
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
