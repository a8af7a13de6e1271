#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"
#include "engine/reference/reference.h"

/* Functions of one element from bytes to bytes: the reference kernel says once what each of the 256
 * bytes becomes, so that the values are exactly its own. */

#define NUM_BYTES 256

static lpot_status run_lookup(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_lookup(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                   step->state, lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

/* Tensors [0] and [1] have the real values of all bytes, before and behind the function. */
static lpot_status compute(const lpot_compiler *compiler, const lpot_fusion *fusion,
                           lpot_tensor *const real[2], uint8_t *table, lpot_error *err) {
  const lpot_node *node = fusion->anchor;
  const lpot_tensor *inputs[3] = {real[0], NULL, NULL};
  uint8_t bytes[NUM_BYTES];
  for (int i = 0; i < NUM_BYTES; ++i) {
    bytes[i] = (uint8_t)i;
  }
  for (int i = 1; i < node->num_inputs && i < 3; ++i) {
    lpot_value_id value = node->inputs[i];
    inputs[i] = value == LPOT_NONE ? NULL : lpot_graph_value(compiler->graph, value)->constant;
  }
  lpot_loop_dequantize(bytes, NUM_BYTES, &fusion->inputs[0].params, real[0]->data);
  LPOT_TRY(lpot_reference_run(node, inputs, &real[1], err));
  lpot_loop_quantize(real[1]->data, NUM_BYTES, &fusion->output.params, table);
  return LPOT_OK;
}

static lpot_status fill_table(const lpot_compiler *compiler, const lpot_fusion *fusion,
                              uint8_t *table, lpot_error *err) {
  const int64_t count = NUM_BYTES;
  const lpot_shape shape = lpot_shape_of(1, &count);
  lpot_tensor *real[2] = {NULL, NULL};
  lpot_status status = LPOT_OK;
  if (fusion->anchor->num_inputs > 3) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': too many inputs", fusion->anchor->name);
  }
  for (int i = 0; i < 2 && status == LPOT_OK; ++i) {
    status = lpot_tensor_new(LPOT_F32, &shape, &real[i], err);
  }
  if (status == LPOT_OK) {
    status = compute(compiler, fusion, real, table, err);
  }
  lpot_tensor_unref(real[0]);
  lpot_tensor_unref(real[1]);
  return status;
}

lpot_status lpot_emit_lookup(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_layout layout = lpot_layout_of(compiler, fusion->inputs[0].value);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, layout, &src, err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, layout, &dst, err));
  uint8_t *table = lpot_calloc(NUM_BYTES, sizeof *table);
  if (table == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_table(compiler, fusion, table, err);
  if (status == LPOT_OK) {
    status = lpot_step_add(compiler->plan, fusion->anchor->name, "lookup", run_lookup, &src, 1,
                           &dst, 1, &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(table);
    return status;
  }
  step->state = table;
  return LPOT_OK;
}
