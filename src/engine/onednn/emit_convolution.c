#include <string.h>

#include "base/memory.h"
#include "engine/onednn/emit_fusion.h"
#include "engine/onednn/loops.h"
#include "graph/window.h"

/* Conv and ConvTranspose with what is fused to them. */

void lpot_fill_geometry(const lpot_window *window, lpot_dl_convolution *convolution) {
  convolution->group = window->group;
  for (int i = 0; i < window->num_spatial; ++i) {
    convolution->kernel[i] = window->kernel[i];
    convolution->stride[i] = window->stride[i];
    convolution->dilation[i] = window->dilation[i];
    convolution->pad_begin[i] = window->pad_begin[i];
    convolution->pad_end[i] = window->pad_end[i];
  }
}

static void push_post_op(lpot_dl_attributes *attributes, const lpot_dl_post_op *op) {
  attributes->post_ops[attributes->num_post_ops++] = *op;
}

/* Scales, zero points and post-ops that a fusion asks for. */
void lpot_fusion_attributes(const lpot_fusion *fusion, lpot_dl_attributes *ret) {
  lpot_dl_attributes_init(ret);
  if (fusion->inputs[0].quantized) {
    ret->src_scale = fusion->inputs[0].params.scale;
    ret->src_zero_point = fusion->inputs[0].params.zero_point;
    ret->num_weight_scales = fusion->num_weight_scales;
    ret->weight_scales = fusion->weight_scales;
  }
  if (fusion->output.quantized) {
    ret->dst_scale = fusion->output.params.scale;
    ret->dst_zero_point = fusion->output.params.zero_point;
  }
  if (fusion->requantize) {
    const lpot_quant_params *params = &fusion->requantize_params;
    lpot_dl_post_op op = {.kind = LPOT_DL_REQUANTIZE, .alpha = params->scale};
    op.low = (float)(lpot_quant_min(params->dtype) - params->zero_point);
    op.high = (float)(lpot_quant_max(params->dtype) - params->zero_point);
    push_post_op(ret, &op);
  }
  if (fusion->sum) {
    lpot_dl_post_op op = {.kind = LPOT_DL_SUM, .alpha = 1.0f, .dtype = LPOT_F32};
    if (fusion->residual.quantized) {
      op.alpha = fusion->residual.params.scale;
      op.zero_point = fusion->residual.params.zero_point;
      op.dtype = fusion->residual.params.dtype;
    }
    push_post_op(ret, &op);
  }
  for (size_t i = 0; i < fusion->num_post_ops; ++i) {
    push_post_op(ret, &fusion->post_ops[i]);
  }
}

/* Bias values in real units, or NULL; borrowed from the plan. */
lpot_status lpot_fusion_bias(lpot_compiler *compiler, const lpot_fusion *fusion,
                             const float **ret_bias, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  *ret_bias = NULL;
  if (fusion->bias == LPOT_NONE) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_constant_of(compiler, fusion->bias, &tensor, err));
  LPOT_ASSERT(tensor != NULL);
  *ret_bias = tensor->data;
  return LPOT_OK;
}

/* The constant weights in the type that the primitive reads; the caller owns a reference. */
lpot_status lpot_fusion_weights(lpot_compiler *compiler, const lpot_fusion *fusion,
                                lpot_tensor **ret_weights, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_constant_of(compiler, fusion->weight, &tensor, err));
  LPOT_ASSERT(tensor != NULL);
  lpot_tensor *wide = NULL;
  LPOT_TRY(lpot_tensor_aligned(tensor, &wide, err));
  if (!fusion->bf16) {
    *ret_weights = wide;
    return LPOT_OK;
  }
  lpot_status status = lpot_tensor_new(LPOT_BF16, &wide->shape, ret_weights, err);
  if (status == LPOT_OK) {
    lpot_loop_to_bf16(wide->data, lpot_tensor_elements(wide), (*ret_weights)->data);
  }
  lpot_tensor_release_pages(wide);
  lpot_tensor_unref(wide);
  return status;
}

static const char *kind_text(const lpot_fusion *fusion) {
  bool int8 = fusion->inputs[0].quantized;
  if (fusion->sum) {
    return int8 ? "conv int8 + sum" : "conv + sum";
  }
  if (fusion->bf16) {
    return "conv bf16";
  }
  return int8 ? "conv int8" : "conv";
}

static lpot_status run_shift_sign(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const lpot_slot *out = &plan->slots[step->slots[1]];
  lpot_loop_shift_sign(lpot_slot_data(plan, step->slots[0]), lpot_shape_elements(&out->shape),
                       lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

lpot_status lpot_shift_sign(lpot_compiler *compiler, const char *name, lpot_slot_id *slot,
                            lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_slot from = plan->slots[*slot];
  bool to_u8 = from.dtype == LPOT_S8;
  lpot_slot_id shifted = LPOT_NONE;
  lpot_step *step = NULL;
  LPOT_TRY(lpot_slot_new(plan, to_u8 ? LPOT_U8 : LPOT_S8, &from.shape, from.layout, &shifted, err));
  LPOT_TRY(lpot_step_add(plan, name, to_u8 ? "s8 to u8" : "u8 to s8", run_shift_sign, slot, 1,
                         &shifted, 1, &step, err));
  *slot = shifted;
  return LPOT_OK;
}

/* Convolutions of one s8 channel per group give wrong borders in oneDNN 2.6.3 and 3.7.2 (brgconv
 * with compensation; depthwise ones are right). Their input is moved to u8, which is exact. */
static bool needs_unsigned_source(const lpot_dl_convolution *convolution) {
  int64_t in = convolution->src.dims[1];
  bool is_depthwise = convolution->group > 1 && convolution->group == convolution->dst.dims[1];
  return convolution->src.dtype == LPOT_S8 && in == convolution->group && !is_depthwise;
}

/* What oneDNN cannot do is LPOT_UNSUPPORTED: the nodes then run one by one. */
static lpot_status add_step(lpot_compiler *compiler, const lpot_fusion *fusion,
                            lpot_dl_convolution *convolution, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_slot_id residual = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[0].value, LPOT_CHANNELS_LAST, &src, err));
  if (fusion->sum) {
    LPOT_TRY(lpot_need(compiler, fusion->residual.value, LPOT_CHANNELS_LAST, &residual, err));
  }
  LPOT_TRY(lpot_define(compiler, fusion->output.value, LPOT_CHANNELS_LAST, &dst, err));
  lpot_slot_desc(&plan->slots[src], &convolution->src);
  lpot_slot_desc(&plan->slots[dst], &convolution->dst);
  if (needs_unsigned_source(convolution)) {
    LPOT_TRY(lpot_shift_sign(compiler, fusion->anchor->name, &src, err));
    convolution->src.dtype = LPOT_U8;
    convolution->attributes.src_zero_point += 128;
  }
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(lpot_dl_convolution_new(plan->dl, convolution, &primitive, err));
  const lpot_slot_id inputs[2] = {src, residual};
  lpot_step *step = NULL;
  lpot_status status =
      lpot_step_add(plan, fusion->anchor->name, kind_text(fusion), lpot_run_primitive, inputs,
                    fusion->sum ? 2 : 1, &dst, 1, &step, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  step->primitive = primitive;
  step->accumulator = residual;
  return LPOT_OK;
}

lpot_status lpot_emit_convolution(lpot_compiler *compiler, const lpot_fusion *fusion,
                                  lpot_error *err) {
  const lpot_node *node = fusion->anchor;
  const lpot_value *input = lpot_graph_value(compiler->graph, node->inputs[0]);
  const lpot_value *weight = lpot_graph_value(compiler->graph, node->inputs[1]);
  lpot_window window;
  LPOT_TRY(lpot_window_resolve(node, &input->shape, &weight->shape, &window, err));
  lpot_dl_convolution convolution;
  memset(&convolution, 0, sizeof convolution);
  lpot_fill_geometry(&window, &convolution);
  convolution.transposed = node->op == LPOT_OP_CONV_TRANSPOSE;
  lpot_fusion_attributes(fusion, &convolution.attributes);
  lpot_tensor *weights = NULL;
  LPOT_TRY(lpot_fusion_bias(compiler, fusion, &convolution.bias, err));
  LPOT_TRY(lpot_fusion_weights(compiler, fusion, &weights, err));
  convolution.weights = weights->data;
  convolution.weight_dtype = weights->dtype;
  lpot_status status = add_step(compiler, fusion, &convolution, err);
  lpot_tensor_release_pages(weights); /* They are packed now. */
  lpot_tensor_unref(weights);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", node->name);
  }
  return status;
}
