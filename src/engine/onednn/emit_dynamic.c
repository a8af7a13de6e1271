#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"

/* What stands around the integer products of dynamic quantization. */

/* ---- DynamicQuantizeLinear ---- */

static lpot_status run_dynamic_quantize(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  int64_t count = lpot_shape_elements(&plan->slots[step->slots[0]].shape);
  const float *values = lpot_slot_data(plan, step->slots[0]);
  lpot_quant_params params = lpot_loop_dynamic_params(values, count);
  float *scale = lpot_slot_data(plan, step->slots[2]);
  uint8_t *zero_point = lpot_slot_data(plan, step->slots[3]);
  lpot_loop_quantize(values, count, &params, lpot_slot_data(plan, step->slots[1]));
  *scale = params.scale;
  *zero_point = (uint8_t)params.zero_point;
  return LPOT_OK;
}

lpot_status lpot_emit_dynamic_quantize(lpot_compiler *compiler, const lpot_node *node,
                                       lpot_error *err) {
  static const lpot_dtype types[3] = {LPOT_U8, LPOT_F32, LPOT_U8};
  const lpot_shape scalar = lpot_shape_scalar();
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id results[3] = {LPOT_NONE, LPOT_NONE, LPOT_NONE};
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  for (int i = 0; i < 3; ++i) {
    if (i < node->num_outputs && node->outputs[i] != LPOT_NONE) {
      LPOT_TRY(
          lpot_define(compiler, node->outputs[i], i == 0 ? layout : LPOT_PLAIN, &results[i], err));
    } else {
      LPOT_TRY(lpot_slot_new(compiler->plan, types[i], &scalar, LPOT_PLAIN, &results[i], err));
    }
  }
  LPOT_TRY(lpot_step_add(compiler->plan, node->name, "dynamic quantize", run_dynamic_quantize, &src,
                         1, results, 3, &step, err));
  return LPOT_OK;
}

/* ---- cast of int32 sums ---- */

static lpot_status run_cast(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_cast(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                 lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

lpot_status lpot_emit_cast(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_graph *graph = compiler->graph;
  if (lpot_graph_value(graph, node->inputs[0])->dtype != LPOT_S32 ||
      lpot_graph_value(graph, node->outputs[0])->dtype != LPOT_F32) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not from int32 to float32", node->name);
  }
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  LPOT_TRY(
      lpot_step_add(compiler->plan, node->name, "cast", run_cast, &src, 1, &dst, 1, &step, err));
  return LPOT_OK;
}
