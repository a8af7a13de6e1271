#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"

/* Casts to and from bf16, and sums of bf16 tensors. */

static lpot_status run_round(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_to_bf16(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                    lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status emit_round(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &dst, err));
  LPOT_TRY(lpot_step_add(compiler->plan, node->name, "to bf16", run_round, &src, 1, &dst, 1, &step,
                         err));
  return LPOT_OK;
}

/* Values that were bf16 become f32 when somebody needs them; an observer needs them now. */
lpot_status lpot_emit_bf16_cast(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  lpot_value_id result = node->outputs[0];
  lpot_dtype from = lpot_graph_value(compiler->graph, node->inputs[0])->dtype;
  lpot_dtype to = lpot_graph_value(compiler->graph, result)->dtype;
  const bool *observed = compiler->plan->options.observed;
  if (from == LPOT_F32 && to == LPOT_BF16) {
    LPOT_TRY(emit_round(compiler, node, err));
    return LPOT_OK;
  }
  if (from != LPOT_BF16 || to != LPOT_F32) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': not between bf16 and f32", node->name);
  }
  if (observed != NULL && observed[result]) {
    lpot_slot_id slot = LPOT_NONE;
    LPOT_TRY(lpot_need(compiler, result, LPOT_PLAIN, &slot, err));
  }
  return LPOT_OK;
}

/* ---- sums ---- */

static lpot_status run_sum(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[2]];
  lpot_loop_bf16_sum_run(step->state, lpot_slot_data(plan, step->slots[0]),
                         lpot_slot_data(plan, step->slots[1]), lpot_shape_elements(&out->shape),
                         lpot_slot_data(plan, step->slots[2]));
  return LPOT_OK;
}

lpot_status lpot_emit_bf16_sum(lpot_compiler *compiler, const lpot_fusion *fusion,
                               lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_layout layout = lpot_layout_of(compiler, fusion->inputs[0].value);
  lpot_slot_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_slot_id dst = LPOT_NONE;
  for (size_t i = 0; i < 2; ++i) {
    LPOT_TRY(lpot_need(compiler, fusion->inputs[i].value, layout, &inputs[i], err));
  }
  LPOT_TRY(lpot_define(compiler, fusion->output.value, layout, &dst, err));
  lpot_loop_bf16_sum *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *state = (lpot_loop_bf16_sum){.a_is_bf16 = plan->slots[inputs[0]].dtype == LPOT_BF16,
                                .b_is_bf16 = plan->slots[inputs[1]].dtype == LPOT_BF16,
                                .out_is_bf16 = plan->slots[dst].dtype == LPOT_BF16,
                                .relu = fusion->num_post_ops > 0};
  LPOT_TRY(lpot_step_add_state(plan, fusion->anchor->name, "sum bf16", run_sum, inputs, 2, &dst, 1,
                               state, err));
  return LPOT_OK;
}
