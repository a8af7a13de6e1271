#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"
#include "graph/window.h"

/* Pools on channels-last data: maximum by oneDNN, averages by our own loop. */

/* What the last window reads beyond the input (ceil_mode may read more than the pads given). */
static void effective_pads(const lpot_window *window, const lpot_shape *input, int64_t *pad_end) {
  for (int i = 0; i < window->num_spatial; ++i) {
    int64_t reach = (window->output[i] - 1) * window->stride[i] + window->kernel[i];
    int64_t beyond = reach - input->dims[2 + i] - window->pad_begin[i];
    pad_end[i] = beyond > 0 ? beyond : 0;
  }
}

static bool is_dense(const lpot_window *window) {
  for (int i = 0; i < window->num_spatial; ++i) {
    if (window->dilation[i] != 1) {
      return false;
    }
  }
  return true;
}

lpot_status lpot_emit_max_pool(lpot_compiler *compiler, const lpot_node *node, lpot_value_id from,
                               lpot_value_id to, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_value *input = lpot_graph_value(compiler->graph, from);
  lpot_window window;
  LPOT_TRY(lpot_window_resolve(node, &input->shape, NULL, &window, err));
  if (!is_dense(&window)) {
    lpot_status status = lpot_emit_reference(compiler, node, &from, &to, true, err);
    return status;
  }
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, from, LPOT_CHANNELS_LAST, &src, err));
  LPOT_TRY(lpot_define(compiler, to, LPOT_CHANNELS_LAST, &dst, err));
  lpot_dl_desc src_desc, dst_desc;
  lpot_slot_desc(&plan->slots[src], &src_desc);
  lpot_slot_desc(&plan->slots[dst], &dst_desc);
  int64_t kernel[LPOT_DL_MAX_DIMS] = {0}, stride[LPOT_DL_MAX_DIMS] = {0};
  int64_t pad_begin[LPOT_DL_MAX_DIMS] = {0}, pad_end[LPOT_DL_MAX_DIMS] = {0};
  for (int i = 0; i < window.num_spatial; ++i) {
    kernel[i] = window.kernel[i];
    stride[i] = window.stride[i];
    pad_begin[i] = window.pad_begin[i];
  }
  effective_pads(&window, &input->shape, pad_end);
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(lpot_dl_max_pool_new(plan->dl, &src_desc, &dst_desc, kernel, stride, pad_begin, pad_end,
                                &primitive, err));
  lpot_step *step = NULL;
  lpot_status status =
      lpot_step_add(plan, node->name, "max pool", lpot_run_primitive, &src, 1, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  step->primitive = primitive;
  return LPOT_OK;
}

static lpot_status run_average(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_loop_average *average = step->state;
  const lpot_loop_scratch scratch = {.sums = lpot_slot_data(plan, step->slots[2]),
                                     .means = lpot_slot_data(plan, step->slots[3])};
  lpot_loop_average_pool(average, lpot_slot_data(plan, step->slots[0]), &scratch,
                         lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

/* Moves the spatial dimensions to the end of the three: unused leading ones have size 1. */
static void right_align(lpot_window *window, const lpot_shape *input, int64_t *sizes) {
  lpot_window from = *window;
  int shift = LPOT_MAX_SPATIAL - from.num_spatial;
  for (int i = 0; i < LPOT_MAX_SPATIAL; ++i) {
    bool used = i >= shift;
    int s = used ? i - shift : 0;
    window->kernel[i] = used ? from.kernel[s] : 1;
    window->stride[i] = used ? from.stride[s] : 1;
    window->pad_begin[i] = used ? from.pad_begin[s] : 0;
    window->pad_end[i] = used ? from.pad_end[s] : 0;
    window->output[i] = used ? from.output[s] : 1;
    sizes[i] = used ? input->dims[2 + s] : 1;
  }
}

static lpot_status average_window(const lpot_node *node, const lpot_shape *input,
                                  lpot_window *window, lpot_error *err) {
  if (node->op == LPOT_OP_AVERAGE_POOL) {
    lpot_status status = lpot_window_resolve(node, input, NULL, window, err);
    return status;
  }
  memset(window, 0, sizeof *window);
  window->num_spatial = input->rank - 2;
  if (window->num_spatial > LPOT_MAX_SPATIAL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': %d spatial dimensions, expected at most %d",
                     node->name, window->num_spatial, LPOT_MAX_SPATIAL);
  }
  for (int i = 0; i < window->num_spatial; ++i) {
    window->kernel[i] = input->dims[2 + i];
    window->stride[i] = 1;
    window->output[i] = 1;
  }
  return LPOT_OK;
}

static lpot_status fill_average(lpot_compiler *compiler, const lpot_fusion *fusion,
                                lpot_loop_average *average, lpot_error *err) {
  const lpot_node *node = fusion->anchor;
  const lpot_shape *input = &lpot_graph_value(compiler->graph, node->inputs[0])->shape;
  LPOT_TRY(average_window(node, input, &average->window, err));
  right_align(&average->window, input, average->input);
  average->batch = input->dims[0];
  average->channels = input->dims[1];
  average->count_include_pad = lpot_node_int(node, "count_include_pad", 0) != 0;
  average->quantized_in = fusion->inputs[0].quantized;
  average->quantized_out = fusion->output.quantized;
  average->in = fusion->inputs[0].params;
  average->out = fusion->output.params;
  return LPOT_OK;
}

lpot_status lpot_emit_average(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id outputs[3] = {LPOT_NONE, LPOT_NONE, LPOT_NONE}; /* result, sums, means */
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, LPOT_CHANNELS_LAST, &src, err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, LPOT_CHANNELS_LAST, &outputs[0], err));
  lpot_loop_average *average = lpot_calloc(1, sizeof *average);
  if (average == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_step *step = NULL;
  lpot_status status = fill_average(compiler, fusion, average, err);
  if (status == LPOT_OK) {
    const int64_t channels = average->channels;
    lpot_shape shape = lpot_shape_of(1, &channels);
    status = lpot_slot_new(plan, LPOT_S32, &shape, LPOT_PLAIN, &outputs[1], err);
    if (status == LPOT_OK) {
      status = lpot_slot_new(plan, LPOT_F32, &shape, LPOT_PLAIN, &outputs[2], err);
    }
  }
  if (status == LPOT_OK) {
    status = lpot_step_add(plan, fusion->anchor->name,
                           average->quantized_in ? "average int8" : "average", run_average, &src, 1,
                           outputs, 3, &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(average);
    return status;
  }
  step->state = average;
  return LPOT_OK;
}
