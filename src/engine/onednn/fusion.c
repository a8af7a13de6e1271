#include "engine/onednn/fusion_find.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

void lpot_fusions_free(lpot_fusions *fusions) {
  if (fusions == NULL) {
    return;
  }
  for (size_t i = 0; i < fusions->count; ++i) {
    lpot_free(fusions->items[i].inputs);
    lpot_free(fusions->items[i].weight_scales);
  }
  lpot_free(fusions->items);
  lpot_free(fusions->of_node);
  lpot_free(fusions);
}

const lpot_fusion *lpot_fusions_of(const lpot_fusions *fusions, lpot_node_id node) {
  int32_t index = fusions->of_node[node];
  return index < 0 ? NULL : &fusions->items[index];
}

/* ---- reading the graph ---- */

const lpot_tensor *lpot_fusion_constant(const lpot_graph *graph, lpot_value_id value) {
  return value == LPOT_NONE ? NULL : lpot_graph_value(graph, value)->constant;
}

const lpot_node *lpot_fusion_producer(const lpot_graph *graph, lpot_value_id value) {
  lpot_node_id node = value == LPOT_NONE ? LPOT_NONE : lpot_graph_value(graph, value)->producer;
  return node == LPOT_NONE ? NULL : lpot_graph_node(graph, node);
}

bool lpot_node_quant_params(const lpot_graph *graph, const lpot_node *node,
                            lpot_quant_params *ret) {
  const lpot_tensor *scale = lpot_fusion_constant(graph, lpot_node_input(node, 1));
  const lpot_tensor *zero_point = lpot_fusion_constant(graph, lpot_node_input(node, 2));
  if (scale == NULL || scale->dtype != LPOT_F32 || lpot_tensor_elements(scale) != 1) {
    return false;
  }
  ret->scale = (float)lpot_tensor_get_double(scale, 0);
  ret->zero_point = 0;
  ret->dtype = LPOT_U8;
  if (zero_point != NULL) {
    if (lpot_tensor_elements(zero_point) != 1) {
      return false;
    }
    ret->dtype = zero_point->dtype;
    ret->zero_point = (int32_t)lpot_tensor_get_int(zero_point, 0);
  } else { /* a QuantizeLinear may name its output's type by output_dtype */
    lpot_value_id value =
        node->op == LPOT_OP_DEQUANTIZE_LINEAR ? node->inputs[0] : node->outputs[0];
    ret->dtype = lpot_graph_value(graph, value)->dtype;
  }
  return (ret->dtype == LPOT_U8 || ret->dtype == LPOT_S8) && ret->scale > 0.0f;
}

bool lpot_dequantized_from(const lpot_graph *graph, lpot_value_id value, lpot_operand *ret) {
  const lpot_node *node = lpot_fusion_producer(graph, value);
  if (node == NULL || node->op != LPOT_OP_DEQUANTIZE_LINEAR ||
      lpot_fusion_constant(graph, node->inputs[0]) != NULL) {
    return false;
  }
  lpot_quant_params params;
  if (!lpot_node_quant_params(graph, node, &params) ||
      lpot_graph_value(graph, node->inputs[0])->dtype != params.dtype) {
    return false;
  }
  ret->value = node->inputs[0];
  ret->quantized = true;
  ret->params = params;
  return true;
}

bool lpot_fusion_same_params(const lpot_quant_params *a, const lpot_quant_params *b) {
  return a->dtype == b->dtype && a->zero_point == b->zero_point &&
         memcmp(&a->scale, &b->scale, sizeof a->scale) == 0;
}

const lpot_node *lpot_fusion_only_reader(const lpot_fusions *fusions, lpot_value_id value) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  if (lpot_graph_is_output(fusions->graph, value) ||
      (fusions->observed != NULL && fusions->observed[value]) ||
      lpot_graph_consumers(fusions->graph, value, &readers, &count, NULL) != LPOT_OK ||
      count != 1) {
    return NULL;
  }
  const lpot_node *reader = lpot_graph_node(fusions->graph, readers[0]);
  int uses = 0;
  for (int i = 0; i < reader->num_inputs; ++i) {
    uses += reader->inputs[i] == value;
  }
  return uses == 1 && fusions->of_node[reader->id] < 0 ? reader : NULL;
}

const lpot_node *lpot_fusion_quantize_reader(const lpot_fusions *fusions, lpot_value_id value,
                                             lpot_quant_params *ret_params) {
  const lpot_node *node = lpot_fusion_only_reader(fusions, value);
  if (node == NULL || node->op != LPOT_OP_QUANTIZE_LINEAR || node->inputs[0] != value ||
      !lpot_node_quant_params(fusions->graph, node, ret_params)) {
    return NULL;
  }
  return node;
}

const lpot_node *lpot_fusion_dequantize_reader(const lpot_fusions *fusions, lpot_value_id value,
                                               const lpot_quant_params *params) {
  lpot_quant_params own;
  const lpot_node *node = lpot_fusion_only_reader(fusions, value);
  if (node == NULL || node->op != LPOT_OP_DEQUANTIZE_LINEAR ||
      !lpot_node_quant_params(fusions->graph, node, &own) ||
      !lpot_fusion_same_params(&own, params)) {
    return NULL;
  }
  return node;
}

/* ---- building a fusion ---- */

void lpot_fusion_absorb(lpot_fusions *fusions, const lpot_fusion *fusion, lpot_node_id node) {
  fusions->of_node[node] = (int32_t)(fusion - fusions->items);
}

static bool constant_scalar(const lpot_graph *graph, lpot_value_id value, float fallback,
                            float *ret) {
  if (value == LPOT_NONE) {
    *ret = fallback;
    return true;
  }
  const lpot_tensor *tensor = lpot_fusion_constant(graph, value);
  if (tensor == NULL || lpot_tensor_elements(tensor) != 1) {
    return false;
  }
  *ret = (float)lpot_tensor_get_double(tensor, 0);
  return true;
}

bool lpot_fusion_post_op(const lpot_graph *graph, const lpot_node *node, bool int8_only,
                         lpot_dl_post_op *ret) {
  memset(ret, 0, sizeof *ret);
  switch (node->op) {
  case LPOT_OP_RELU:
    ret->kind = LPOT_DL_RELU;
    return true;
  case LPOT_OP_LEAKY_RELU:
    ret->kind = LPOT_DL_RELU;
    ret->alpha = lpot_node_float(node, "alpha", 0.01f);
    return true;
  case LPOT_OP_CLIP:
    ret->kind = LPOT_DL_CLIP;
    return constant_scalar(graph, lpot_node_input(node, 1), -INFINITY, &ret->low) &&
           constant_scalar(graph, lpot_node_input(node, 2), INFINITY, &ret->high) &&
           ret->low <= ret->high;
  case LPOT_OP_SIGMOID:
    ret->kind = LPOT_DL_LOGISTIC;
    return !int8_only;
  case LPOT_OP_TANH:
    ret->kind = LPOT_DL_TANH;
    return !int8_only;
  case LPOT_OP_HARD_SWISH:
    ret->kind = LPOT_DL_HARD_SWISH;
    return !int8_only;
  default:
    return false;
  }
}

void lpot_fusion_take_activation(lpot_fusions *fusions, lpot_fusion *fusion, bool int8_only) {
  const lpot_node *node = lpot_fusion_only_reader(fusions, fusion->output.value);
  lpot_dl_post_op op;
  if (node == NULL || node->inputs[0] != fusion->output.value ||
      !lpot_fusion_post_op(fusions->graph, node, int8_only, &op)) {
    return;
  }
  fusion->post_ops[fusion->num_post_ops++] = op;
  fusion->output.value = node->outputs[0];
  lpot_fusion_absorb(fusions, fusion, node->id);
}

void lpot_fusion_take_quantize(lpot_fusions *fusions, lpot_fusion *fusion) {
  lpot_quant_params params;
  const lpot_node *node = lpot_fusion_quantize_reader(fusions, fusion->output.value, &params);
  if (node == NULL) {
    return;
  }
  fusion->output.value = node->outputs[0];
  fusion->output.quantized = true;
  fusion->output.params = params;
  lpot_fusion_absorb(fusions, fusion, node->id);
}

void lpot_fusion_take_behind_pair(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_node *dequantize =
      lpot_fusion_dequantize_reader(fusions, fusion->output.value, &fusion->output.params);
  if (dequantize == NULL) {
    return;
  }
  const lpot_node *activation = lpot_fusion_only_reader(fusions, dequantize->outputs[0]);
  lpot_dl_post_op op;
  lpot_quant_params params;
  if (activation == NULL || (activation->op != LPOT_OP_RELU && activation->op != LPOT_OP_CLIP) ||
      activation->inputs[0] != dequantize->outputs[0] ||
      !lpot_fusion_post_op(fusions->graph, activation, true, &op)) {
    return;
  }
  const lpot_node *quantize = lpot_fusion_quantize_reader(fusions, activation->outputs[0], &params);
  if (quantize == NULL || !lpot_fusion_same_params(&params, &fusion->output.params)) {
    return;
  }
  fusion->post_ops[fusion->num_post_ops++] = op;
  fusion->output.value = quantize->outputs[0];
  lpot_fusion_absorb(fusions, fusion, dequantize->id);
  lpot_fusion_absorb(fusions, fusion, activation->id);
  lpot_fusion_absorb(fusions, fusion, quantize->id);
}

bool lpot_fusion_same_shape(const lpot_graph *graph, lpot_value_id a, lpot_value_id b) {
  return lpot_shape_equal(&lpot_graph_value(graph, a)->shape, &lpot_graph_value(graph, b)->shape);
}

lpot_status lpot_fusion_new(lpot_fusions *fusions, lpot_fusion_kind kind, const lpot_node *anchor,
                            size_t num_inputs, lpot_fusion **ret, lpot_error *err) {
  lpot_fusion *fusion = &fusions->items[fusions->count];
  memset(fusion, 0, sizeof *fusion);
  fusion->inputs = lpot_calloc(num_inputs, sizeof *fusion->inputs);
  if (fusion->inputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ++fusions->count;
  fusion->kind = kind;
  fusion->anchor = anchor;
  fusion->last = anchor->id;
  fusion->num_inputs = num_inputs;
  fusion->weight = LPOT_NONE;
  fusion->bias = LPOT_NONE;
  fusion->output.value = anchor->outputs[0];
  lpot_fusion_absorb(fusions, fusion, anchor->id);
  *ret = fusion;
  return LPOT_OK;
}

static lpot_status find_at(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_status status = LPOT_OK;
  switch (node->op) {
  case LPOT_OP_CONV:
  case LPOT_OP_CONV_TRANSPOSE:
  case LPOT_OP_MATMUL:
  case LPOT_OP_GEMM:
    status = lpot_fusion_find_weighted(fusions, node, err);
    break;
  case LPOT_OP_MATMUL_INTEGER:
    status = lpot_fusion_find_integer(fusions, node, err);
    break;
  case LPOT_OP_ADD:
  case LPOT_OP_MUL:
    status = lpot_fusion_find_binary(fusions, node, err);
    if (status == LPOT_OK && node->op == LPOT_OP_ADD && fusions->of_node[node->id] < 0) {
      status = lpot_fusion_find_bf16_sum(fusions, node, err);
    }
    break;
  case LPOT_OP_AVERAGE_POOL:
  case LPOT_OP_GLOBAL_AVERAGE_POOL:
    status = lpot_fusion_find_average(fusions, node, err);
    break;
  case LPOT_OP_CONCAT:
    status = lpot_fusion_find_concat(fusions, node, err);
    break;
  case LPOT_OP_MAX_POOL:
    status = lpot_fusion_find_transparent(fusions, node, LPOT_FUSION_MAX_POOL, err);
    break;
  case LPOT_OP_BATCH_NORMALIZATION:
    status = lpot_fusion_find_affine(fusions, node, err);
    break;
  case LPOT_OP_ABS:
  case LPOT_OP_CEIL:
  case LPOT_OP_CELU:
  case LPOT_OP_CLIP:
  case LPOT_OP_ELU:
  case LPOT_OP_ERF:
  case LPOT_OP_EXP:
  case LPOT_OP_FLOOR:
  case LPOT_OP_GELU:
  case LPOT_OP_HARD_SIGMOID:
  case LPOT_OP_HARD_SWISH:
  case LPOT_OP_LEAKY_RELU:
  case LPOT_OP_LOG:
  case LPOT_OP_MICROSOFT_GELU:
  case LPOT_OP_MISH:
  case LPOT_OP_NEG:
  case LPOT_OP_QUICK_GELU:
  case LPOT_OP_RECIPROCAL:
  case LPOT_OP_RELU:
  case LPOT_OP_ROUND:
  case LPOT_OP_SELU:
  case LPOT_OP_SIGMOID:
  case LPOT_OP_SIGN:
  case LPOT_OP_SOFTPLUS:
  case LPOT_OP_SOFTSIGN:
  case LPOT_OP_SQRT:
  case LPOT_OP_TANH:
  case LPOT_OP_THRESHOLDED_RELU:
    status = lpot_fusion_find_lookup(fusions, node, err);
    break;
  case LPOT_OP_SOFTMAX:
    status = lpot_fusion_find_softmax(fusions, node, err);
    break;
  case LPOT_OP_RESHAPE:
    status = lpot_fusion_find_reshape(fusions, node, err);
    break;
  case LPOT_OP_FLATTEN:
  case LPOT_OP_SQUEEZE:
  case LPOT_OP_UNSQUEEZE:
  case LPOT_OP_TRANSPOSE:
  case LPOT_OP_SLICE:
  case LPOT_OP_GATHER:
  case LPOT_OP_IDENTITY:
    status = lpot_fusion_find_transparent(fusions, node, LPOT_FUSION_MOVEMENT, err);
    break;
  default:
    break;
  }
  return status;
}

static lpot_status find_all(lpot_fusions *fusions, lpot_error *err) {
  size_t num_nodes = lpot_graph_num_nodes(fusions->graph);
  fusions->items = lpot_calloc(num_nodes, sizeof *fusions->items);
  fusions->of_node = lpot_calloc(num_nodes, sizeof *fusions->of_node);
  if (fusions->items == NULL || fusions->of_node == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < num_nodes; ++i) {
    fusions->of_node[i] = -1;
  }
  const lpot_node_id *order = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_order(fusions->graph, &order, &count, err));
  for (size_t i = 0; i < count; ++i) {
    if (fusions->of_node[order[i]] < 0) {
      LPOT_TRY(find_at(fusions, lpot_graph_node(fusions->graph, order[i]), err));
    }
  }
  for (size_t i = 0; i < fusions->count; ++i) {
    lpot_fusion *fusion = &fusions->items[i];
    fusion->last = lpot_graph_value(fusions->graph, fusion->output.value)->producer;
  }
  return LPOT_OK;
}

lpot_status lpot_fusions_find(const lpot_graph *graph, const bool *observed,
                              lpot_fusions **ret_fusions, lpot_error *err) {
  lpot_fusions *fusions = lpot_calloc(1, sizeof *fusions);
  if (fusions == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fusions->graph = graph;
  fusions->observed = observed;
  lpot_status status = find_all(fusions, err);
  if (status != LPOT_OK) {
    lpot_fusions_free(fusions);
    return status;
  }
  *ret_fusions = fusions;
  return LPOT_OK;
}
