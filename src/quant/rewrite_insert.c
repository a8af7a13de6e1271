/* Puts the planned pairs into the clone. */
#include <math.h>

#include "quant/rewrite_plan.h"

/* ---- Relu and Clip ---- */

static float clip_bound(const lpot_graph *graph, const lpot_node *node, int index, float fallback) {
  lpot_value_id value = lpot_node_input(node, index);
  if (value == LPOT_NONE) {
    return fallback;
  }
  return (float)lpot_tensor_get_double(lpot_graph_value(graph, value)->constant, 0);
}

/* Saturation clips the same values when both bounds are rounded to the ends of the type's range:
 * whatever lies beyond a bound would be rounded to that end too. */
static bool pair_clips_the_same(const lpot_graph *graph, const lpot_node *node,
                                const lpot_quant_params *params) {
  float low = 0;
  float high = INFINITY;
  if (node->op == LPOT_OP_CLIP) {
    low = clip_bound(graph, node, 1, -INFINITY);
    high = clip_bound(graph, node, 2, INFINITY);
  }
  return low <= high && lpot_quantize_one(low, params) == lpot_quant_min(params->dtype) &&
         lpot_quantize_one(high, params) == lpot_quant_max(params->dtype);
}

/* The node before the activation produces the op's output itself. */
static lpot_status drop_activation(lpot_rewrite *rewrite, const lpot_quant_op *op,
                                   lpot_error *err) {
  lpot_node_id before = op->bias_add != LPOT_NONE ? op->bias_add : op->anchor;
  lpot_graph_remove_node(rewrite->qdq, op->activation);
  LPOT_TRY(lpot_graph_set_output(rewrite->qdq, before, 0, op->output, err));
  return LPOT_OK;
}

/* A pair between anchor and activation, equal to the one behind the activation. */
static lpot_status add_inner_pair(lpot_rewrite *rewrite, const lpot_quant_op *op, lpot_error *err) {
  const lpot_qdq_builder builder = lpot_rewrite_builder(rewrite);
  lpot_value_id value = lpot_graph_node(rewrite->qdq, op->anchor)->outputs[0];
  const char *name = lpot_graph_value(rewrite->qdq, value)->name;
  lpot_qdq_params params;
  lpot_value_id quantized = LPOT_NONE;
  lpot_value_id rounded = LPOT_NONE;
  LPOT_TRY(lpot_qdq_add_params(&builder, name, &rewrite->tensors[op->output].params, &params, err));
  LPOT_TRY(lpot_qdq_add_quantize(&builder, name, value, &params, &quantized, err));
  LPOT_TRY(lpot_qdq_add_dequantize(&builder, name, quantized, &params, LPOT_NONE, &rounded, err));
  LPOT_TRY(lpot_graph_set_input(rewrite->qdq, op->activation, 0, rounded, err));
  return LPOT_OK;
}

static lpot_status settle_activation(lpot_rewrite *rewrite, const lpot_quant_op *op,
                                     lpot_error *err) {
  if (op->activation == LPOT_NONE) {
    return LPOT_OK;
  }
  const lpot_node *node = lpot_graph_node(rewrite->qdq, op->activation);
  if (pair_clips_the_same(rewrite->qdq, node, &rewrite->tensors[op->output].params)) {
    LPOT_TRY(drop_activation(rewrite, op, err));
    return LPOT_OK;
  }
  /* Behind a bias Add the MatMul's result is f32 in any case: a pair would only cost time. */
  if (op->bias_add == LPOT_NONE) {
    LPOT_TRY(add_inner_pair(rewrite, op, err));
  }
  return LPOT_OK;
}

/* ---- pairs of tensors ---- */

static int output_index(const lpot_node *node, lpot_value_id value) {
  int index = 0;
  while (node->outputs[index] != value) {
    index++;
  }
  return index;
}

/* The name of a graph output stays on what the pair gives: its producer writes a new value. */
static lpot_status detach_output(lpot_rewrite *rewrite, lpot_value_id value, lpot_value_id *ret_raw,
                                 lpot_error *err) {
  lpot_graph *graph = rewrite->qdq;
  const lpot_value *old = lpot_graph_value(graph, value);
  const lpot_node *producer = lpot_graph_node(graph, old->producer);
  const lpot_shape shape = old->shape;
  const char *name = lpot_arena_printf(rewrite->arena, "%s_float", old->name);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int index = output_index(producer, value);
  LPOT_TRY(lpot_graph_add_value(graph, name, old->dtype, &shape, ret_raw, err));
  LPOT_TRY(lpot_graph_set_output(graph, producer->id, index, *ret_raw, err));
  return LPOT_OK;
}

static lpot_status insert_pair(lpot_rewrite *rewrite, lpot_value_id value, lpot_error *err) {
  const lpot_qdq_builder builder = lpot_rewrite_builder(rewrite);
  lpot_planned_tensor *tensor = &rewrite->tensors[value];
  const char *name = lpot_graph_value(rewrite->graph, value)->name;
  bool takes_name = tensor->is_int8 && lpot_graph_is_output(rewrite->graph, value);
  lpot_value_id raw = value;
  if (takes_name) {
    LPOT_TRY(detach_output(rewrite, value, &raw, err));
  }
  lpot_qdq_params params;
  lpot_value_id quantized = LPOT_NONE;
  LPOT_TRY(lpot_qdq_add_params(&builder, name, &tensor->params, &params, err));
  LPOT_TRY(lpot_qdq_add_quantize(&builder, name, raw, &params, &quantized, err));
  LPOT_TRY(lpot_qdq_add_dequantize(&builder, name, quantized, &params,
                                   takes_name ? value : LPOT_NONE, &tensor->rounded, err));
  if (tensor->is_int8 && !takes_name) {
    lpot_node_id quantize = lpot_graph_value(rewrite->qdq, quantized)->producer;
    LPOT_TRY(lpot_graph_replace_uses(rewrite->qdq, value, tensor->rounded, quantize, err));
  }
  return LPOT_OK;
}

/* An int8 op reads the rounded form of its inputs; others keep the f32 value where there is one. */
static lpot_status connect_inputs(lpot_rewrite *rewrite, const lpot_quant_op *op, lpot_error *err) {
  const lpot_node *original = lpot_graph_node(rewrite->graph, op->anchor);
  for (int i = 0; i < original->num_inputs; i++) {
    lpot_value_id value = original->inputs[i];
    if (value == LPOT_NONE || !rewrite->tensors[value].paired) {
      continue;
    }
    LPOT_TRY(
        lpot_graph_set_input(rewrite->qdq, op->anchor, i, rewrite->tensors[value].rounded, err));
  }
  return LPOT_OK;
}

lpot_status lpot_rewrite_insert_pairs(lpot_rewrite *rewrite, lpot_error *err) {
  size_t num_ops = lpot_quant_ops_count(rewrite->ops);
  for (size_t i = 0; i < num_ops; i++) {
    if (lpot_rewrite_is_int8(rewrite, i)) {
      LPOT_TRY(settle_activation(rewrite, lpot_quant_ops_get(rewrite->ops, i), err));
    }
  }
  for (size_t i = 0; i < rewrite->num_tensors; i++) {
    if (rewrite->tensors[i].paired) {
      LPOT_TRY(insert_pair(rewrite, (lpot_value_id)i, err));
    }
  }
  for (size_t i = 0; i < num_ops; i++) {
    if (lpot_rewrite_is_int8(rewrite, i)) {
      LPOT_TRY(connect_inputs(rewrite, lpot_quant_ops_get(rewrite->ops, i), err));
    }
  }
  return LPOT_OK;
}
