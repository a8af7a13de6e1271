#include <string.h>

#include "base/memory.h"
#include "engine/onednn/emit_fusion.h"

/* MatMul and Gemm. With constant weights of rank 2 the leading dimensions of the input are one. */

static lpot_status add_step(lpot_compiler *compiler, const lpot_fusion *fusion, const char *kind,
                            const lpot_dl_matmul *matmul, const lpot_slot_id *inputs,
                            size_t num_inputs, lpot_slot_id dst, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(lpot_dl_matmul_new(plan->dl, matmul, &primitive, err));
  lpot_step *step = NULL;
  lpot_status status = lpot_step_add(plan, fusion->anchor->name, kind, lpot_run_primitive, inputs,
                                     num_inputs, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  step->primitive = primitive;
  return LPOT_OK;
}

static const char *kind_text(const lpot_fusion *fusion) {
  if (fusion->bf16) {
    return "matmul bf16";
  }
  return fusion->inputs[0].quantized ? "matmul int8" : "matmul";
}

static lpot_dl_desc matrix_desc(lpot_dtype dtype, int64_t rows, int64_t columns, bool transposed) {
  lpot_dl_desc desc;
  memset(&desc, 0, sizeof desc);
  desc.dtype = dtype;
  desc.rank = 2;
  desc.dims[0] = rows;
  desc.dims[1] = columns;
  desc.strides[0] = transposed ? 1 : columns;
  desc.strides[1] = transposed ? rows : 1;
  return desc;
}

static lpot_status add_constant(lpot_compiler *compiler, const lpot_fusion *fusion,
                                const lpot_tensor *weights, lpot_error *err) {
  const lpot_node *node = fusion->anchor;
  lpot_onednn_plan *plan = compiler->plan;
  bool transposed = node->op == LPOT_OP_GEMM && lpot_node_int(node, "transB", 0) != 0;
  int64_t depth = weights->shape.dims[transposed ? 1 : 0];
  int64_t columns = weights->shape.dims[transposed ? 0 : 1];
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, LPOT_PLAIN, &src, err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, LPOT_PLAIN, &dst, err));
  int64_t rows = lpot_shape_elements(&plan->slots[src].shape) / depth;
  lpot_dl_matmul matmul;
  memset(&matmul, 0, sizeof matmul);
  matmul.src = matrix_desc(plan->slots[src].dtype, rows, depth, false);
  matmul.weights = matrix_desc(weights->dtype, depth, columns, transposed);
  matmul.dst = matrix_desc(plan->slots[dst].dtype, rows, columns, false);
  matmul.constant_weights = weights->data;
  lpot_fusion_attributes(fusion, &matmul.attributes);
  LPOT_TRY(lpot_fusion_bias(compiler, fusion, &matmul.bias, err));
  LPOT_TRY(add_step(compiler, fusion, kind_text(fusion), &matmul, &src, 1, dst, err));
  return LPOT_OK;
}

static lpot_status emit_constant(lpot_compiler *compiler, const lpot_fusion *fusion,
                                 lpot_error *err) {
  lpot_tensor *weights = NULL;
  LPOT_TRY(lpot_fusion_weights(compiler, fusion, &weights, err));
  LPOT_ASSERT(weights->shape.rank == 2);
  lpot_status status = add_constant(compiler, fusion, weights, err);
  lpot_tensor_release_pages(weights); /* They are packed now. */
  lpot_tensor_unref(weights);
  return status;
}

/* Puts dimensions of 1 in front until desc has rank dimensions. */
static void raise_rank(lpot_dl_desc *desc, int rank) {
  int added = rank - desc->rank;
  if (added <= 0) {
    return;
  }
  int64_t stride = desc->strides[0] * desc->dims[0];
  for (int i = rank - 1; i >= 0; --i) {
    desc->dims[i] = i >= added ? desc->dims[i - added] : 1;
    desc->strides[i] = i >= added ? desc->strides[i - added] : stride;
  }
  desc->rank = rank;
}

static lpot_status emit_two_activations(lpot_compiler *compiler, const lpot_fusion *fusion,
                                        lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_slot_id inputs[2] = {LPOT_NONE, LPOT_NONE};
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, LPOT_PLAIN, &inputs[0], err));
  LPOT_TRY(lpot_need(compiler, fusion->inputs[1].value, LPOT_PLAIN, &inputs[1], err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, LPOT_PLAIN, &dst, err));
  lpot_dl_matmul matmul;
  memset(&matmul, 0, sizeof matmul);
  lpot_fusion_attributes(fusion, &matmul.attributes);
  if (fusion->inputs[1].quantized) {
    matmul.attributes.weight_zero_point = fusion->inputs[1].params.zero_point;
    if (fusion->inputs[1].params.dtype == LPOT_U8) { /* oneDNN wants s8. */
      LPOT_TRY(lpot_shift_sign(compiler, fusion->anchor->name, &inputs[1], err));
      matmul.attributes.weight_zero_point -= 128;
    }
  }
  lpot_slot_desc(&plan->slots[inputs[0]], &matmul.src);
  lpot_slot_desc(&plan->slots[inputs[1]], &matmul.weights);
  lpot_slot_desc(&plan->slots[dst], &matmul.dst);
  raise_rank(&matmul.src, matmul.dst.rank);
  raise_rank(&matmul.weights, matmul.dst.rank);
  LPOT_TRY(lpot_fusion_bias(compiler, fusion, &matmul.bias, err));
  lpot_status status = add_step(compiler, fusion, kind_text(fusion), &matmul, inputs, 2, dst, err);
  return status;
}

lpot_status lpot_emit_matmul(lpot_compiler *compiler, const lpot_fusion *fusion, lpot_error *err) {
  lpot_status status = fusion->num_inputs == 1 ? emit_constant(compiler, fusion, err)
                                               : emit_two_activations(compiler, fusion, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", fusion->anchor->name);
  }
  return status;
}
