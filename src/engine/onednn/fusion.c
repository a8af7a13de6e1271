#include "engine/onednn/fusion.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "graph/window.h"

struct lpot_fusions {
  const lpot_graph *graph;
  const bool *observed;
  lpot_fusion *items; /* [capacity = number of nodes] */
  size_t count;
  int32_t *of_node; /* [num_nodes] index into items, or -1 */
};

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

static const lpot_tensor *constant_of(const lpot_graph *graph, lpot_value_id value) {
  return value == LPOT_NONE ? NULL : lpot_graph_value(graph, value)->constant;
}

static const lpot_node *producer_of(const lpot_graph *graph, lpot_value_id value) {
  lpot_node_id node = value == LPOT_NONE ? LPOT_NONE : lpot_graph_value(graph, value)->producer;
  return node == LPOT_NONE ? NULL : lpot_graph_node(graph, node);
}

bool lpot_node_quant_params(const lpot_graph *graph, const lpot_node *node,
                            lpot_quant_params *ret) {
  const lpot_tensor *scale = constant_of(graph, lpot_node_input(node, 1));
  const lpot_tensor *zero_point = constant_of(graph, lpot_node_input(node, 2));
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
  } else if (node->op == LPOT_OP_DEQUANTIZE_LINEAR) {
    ret->dtype = lpot_graph_value(graph, node->inputs[0])->dtype;
  }
  return (ret->dtype == LPOT_U8 || ret->dtype == LPOT_S8) && ret->scale > 0.0f;
}

bool lpot_dequantized_from(const lpot_graph *graph, lpot_value_id value, lpot_operand *ret) {
  const lpot_node *node = producer_of(graph, value);
  if (node == NULL || node->op != LPOT_OP_DEQUANTIZE_LINEAR ||
      constant_of(graph, node->inputs[0]) != NULL) {
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

static bool same_params(const lpot_quant_params *a, const lpot_quant_params *b) {
  return a->dtype == b->dtype && a->zero_point == b->zero_point &&
         memcmp(&a->scale, &b->scale, sizeof a->scale) == 0;
}

/* The only node that reads value, when nothing else needs to see it. */
static const lpot_node *only_reader(const lpot_fusions *fusions, lpot_value_id value) {
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

/* A reader that is a QuantizeLinear with per-tensor parameters. */
static const lpot_node *quantize_reader(const lpot_fusions *fusions, lpot_value_id value,
                                        lpot_quant_params *ret_params) {
  const lpot_node *node = only_reader(fusions, value);
  if (node == NULL || node->op != LPOT_OP_QUANTIZE_LINEAR || node->inputs[0] != value ||
      !lpot_node_quant_params(fusions->graph, node, ret_params)) {
    return NULL;
  }
  return node;
}

/* The DequantizeLinear that alone reads a quantized value with the same parameters. */
static const lpot_node *dequantize_reader(const lpot_fusions *fusions, lpot_value_id value,
                                          const lpot_quant_params *params) {
  lpot_quant_params own;
  const lpot_node *node = only_reader(fusions, value);
  if (node == NULL || node->op != LPOT_OP_DEQUANTIZE_LINEAR ||
      !lpot_node_quant_params(fusions->graph, node, &own) || !same_params(&own, params)) {
    return NULL;
  }
  return node;
}

/* ---- building a fusion ---- */

static void absorb(lpot_fusions *fusions, const lpot_fusion *fusion, lpot_node_id node) {
  fusions->of_node[node] = (int32_t)(fusion - fusions->items);
}

static bool constant_scalar(const lpot_graph *graph, lpot_value_id value, float fallback,
                            float *ret) {
  if (value == LPOT_NONE) {
    *ret = fallback;
    return true;
  }
  const lpot_tensor *tensor = constant_of(graph, value);
  if (tensor == NULL || lpot_tensor_elements(tensor) != 1) {
    return false;
  }
  *ret = (float)lpot_tensor_get_double(tensor, 0);
  return true;
}

/* The post-op of an activation node, when oneDNN has it. int8 destinations take only those
 * that commute with the change of unit. */
static bool activation_post_op(const lpot_graph *graph, const lpot_node *node, bool int8_only,
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

static void take_activation(lpot_fusions *fusions, lpot_fusion *fusion, bool int8_only) {
  const lpot_node *node = only_reader(fusions, fusion->output.value);
  lpot_dl_post_op op;
  if (node == NULL || node->inputs[0] != fusion->output.value ||
      !activation_post_op(fusions->graph, node, int8_only, &op)) {
    return;
  }
  fusion->post_ops[fusion->num_post_ops++] = op;
  fusion->output.value = node->outputs[0];
  absorb(fusions, fusion, node->id);
}

static void take_quantize(lpot_fusions *fusions, lpot_fusion *fusion) {
  lpot_quant_params params;
  const lpot_node *node = quantize_reader(fusions, fusion->output.value, &params);
  if (node == NULL) {
    return;
  }
  fusion->output.value = node->outputs[0];
  fusion->output.quantized = true;
  fusion->output.params = params;
  absorb(fusions, fusion, node->id);
}

/* Q -> DQ -> Relu|Clip -> Q with one set of parameters: the first pair changes nothing, since
 * rounding with one step is monotone and idempotent. */
static void take_activation_behind_pair(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_node *dequantize =
      dequantize_reader(fusions, fusion->output.value, &fusion->output.params);
  if (dequantize == NULL) {
    return;
  }
  const lpot_node *activation = only_reader(fusions, dequantize->outputs[0]);
  lpot_dl_post_op op;
  lpot_quant_params params;
  if (activation == NULL || (activation->op != LPOT_OP_RELU && activation->op != LPOT_OP_CLIP) ||
      activation->inputs[0] != dequantize->outputs[0] ||
      !activation_post_op(fusions->graph, activation, true, &op)) {
    return;
  }
  const lpot_node *quantize = quantize_reader(fusions, activation->outputs[0], &params);
  if (quantize == NULL || !same_params(&params, &fusion->output.params)) {
    return;
  }
  fusion->post_ops[fusion->num_post_ops++] = op;
  fusion->output.value = quantize->outputs[0];
  absorb(fusions, fusion, dequantize->id);
  absorb(fusions, fusion, activation->id);
  absorb(fusions, fusion, quantize->id);
}

static bool same_shape(const lpot_graph *graph, lpot_value_id a, lpot_value_id b) {
  return lpot_shape_equal(&lpot_graph_value(graph, a)->shape, &lpot_graph_value(graph, b)->shape);
}

/* oneDNN's convolutions with a sum read outside of their output where output rows see nothing but
 * padding: pads as large as the kernel. */
static bool pads_are_small(const lpot_graph *graph, const lpot_node *conv) {
  lpot_window window;
  const lpot_shape *input = &lpot_graph_value(graph, conv->inputs[0])->shape;
  const lpot_shape *weight = &lpot_graph_value(graph, conv->inputs[1])->shape;
  if (lpot_window_resolve(conv, input, weight, &window, NULL) != LPOT_OK) {
    return false;
  }
  for (int i = 0; i < window.num_spatial; ++i) {
    int64_t extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
    if (window.pad_begin[i] >= extent || window.pad_end[i] >= extent) {
      return false;
    }
  }
  return true;
}

/* The Add that reads value beside another activation of the same shape. */
static const lpot_node *sum_reader(const lpot_fusions *fusions, lpot_value_id value,
                                   lpot_value_id *ret_other) {
  const lpot_node *add = only_reader(fusions, value);
  if (add == NULL || add->op != LPOT_OP_ADD) {
    return NULL;
  }
  lpot_value_id other = add->inputs[0] == value ? add->inputs[1] : add->inputs[0];
  if (!same_shape(fusions->graph, value, other) || constant_of(fusions->graph, other) != NULL ||
      lpot_graph_value(fusions->graph, other)->dtype != LPOT_F32) {
    return NULL;
  }
  *ret_other = other;
  return add;
}

/* Conv + Add in f32. */
static void take_f32_sum(lpot_fusions *fusions, lpot_fusion *fusion) {
  lpot_value_id other = LPOT_NONE;
  const lpot_node *add = sum_reader(fusions, fusion->output.value, &other);
  if (add == NULL) {
    return;
  }
  fusion->sum = true;
  fusion->residual = (lpot_operand){.value = other};
  fusion->output.value = add->outputs[0];
  absorb(fusions, fusion, add->id);
  take_activation(fusions, fusion, false);
}

/* Conv -> Q -> DQ -> Add(int8 residual) -> [Relu] -> Q: the Conv's rounding stays, as a post-op. */
static void take_int8_sum(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_graph *graph = fusions->graph;
  if (fusion->num_post_ops > 0 || !fusion->output.quantized) {
    return;
  }
  const lpot_node *dequantize =
      dequantize_reader(fusions, fusion->output.value, &fusion->output.params);
  lpot_value_id other = LPOT_NONE;
  const lpot_node *add =
      dequantize == NULL ? NULL : sum_reader(fusions, dequantize->outputs[0], &other);
  lpot_operand residual;
  if (add == NULL || !lpot_dequantized_from(graph, other, &residual)) {
    return;
  }
  lpot_dl_post_op op;
  lpot_quant_params params;
  const lpot_node *activation = only_reader(fusions, add->outputs[0]);
  if (activation != NULL && !activation_post_op(graph, activation, true, &op)) {
    activation = NULL;
  }
  if (activation != NULL && op.kind == LPOT_DL_CLIP) {
    return; /* oneDNN 2.6 gives a second clip the limits of the first, which the rounding needs */
  }
  lpot_value_id result = activation != NULL ? activation->outputs[0] : add->outputs[0];
  const lpot_node *quantize = quantize_reader(fusions, result, &params);
  if (quantize == NULL) {
    return; /* without a final rounding the sum runs apart */
  }
  fusion->requantize = true;
  fusion->requantize_params = fusion->output.params;
  fusion->sum = true;
  fusion->residual = residual;
  absorb(fusions, fusion, dequantize->id);
  absorb(fusions, fusion, add->id);
  if (activation != NULL) {
    fusion->post_ops[fusion->num_post_ops++] = op;
    absorb(fusions, fusion, activation->id);
  }
  absorb(fusions, fusion, quantize->id);
  fusion->output =
      (lpot_operand){.value = quantize->outputs[0], .quantized = true, .params = params};
}

static lpot_status new_fusion(lpot_fusions *fusions, lpot_fusion_kind kind, const lpot_node *anchor,
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
  absorb(fusions, fusion, anchor->id);
  *ret = fusion;
  return LPOT_OK;
}

/* ---- weights ---- */

/* An s8 constant behind a DequantizeLinear whose scales run along axis (or are one), zero points 0.
 */
static bool take_int8_weight(const lpot_graph *graph, lpot_value_id value, int axis,
                             lpot_fusion *fusion) {
  const lpot_node *node = producer_of(graph, value);
  if (node == NULL || node->op != LPOT_OP_DEQUANTIZE_LINEAR) {
    return false;
  }
  const lpot_tensor *weight = constant_of(graph, node->inputs[0]);
  const lpot_tensor *scales = constant_of(graph, node->inputs[1]);
  const lpot_tensor *zero_points = constant_of(graph, lpot_node_input(node, 2));
  if (weight == NULL || weight->dtype != LPOT_S8 || scales == NULL || scales->dtype != LPOT_F32) {
    return false;
  }
  int64_t count = lpot_tensor_elements(scales);
  int64_t along = lpot_node_int(node, "axis", 1);
  along += along < 0 ? weight->shape.rank : 0;
  if (count != 1 && (along != axis || count != weight->shape.dims[axis])) {
    return false;
  }
  for (int64_t i = 0; zero_points != NULL && i < lpot_tensor_elements(zero_points); ++i) {
    if (lpot_tensor_get_int(zero_points, i) != 0) {
      return false;
    }
  }
  float *copy = lpot_calloc((size_t)count, sizeof *copy);
  if (copy == NULL) {
    return false; /* the group then runs in f32 */
  }
  for (int64_t i = 0; i < count; ++i) {
    copy[i] = (float)lpot_tensor_get_double(scales, i);
  }
  fusion->weight = node->inputs[0];
  fusion->weight_scales = copy;
  fusion->num_weight_scales = (size_t)count;
  return true;
}

/* True for constants and for DequantizeLinear of constants (biases). */
static bool is_constant_or_dequantized(const lpot_graph *graph, lpot_value_id value) {
  if (constant_of(graph, value) != NULL) {
    return true;
  }
  const lpot_node *node = producer_of(graph, value);
  return node != NULL && node->op == LPOT_OP_DEQUANTIZE_LINEAR &&
         constant_of(graph, node->inputs[0]) != NULL;
}

static int weight_axis(const lpot_node *node) {
  if (node->op == LPOT_OP_CONV) {
    return 0;
  }
  return node->op == LPOT_OP_GEMM && lpot_node_int(node, "transB", 0) != 0 ? 0 : 1;
}

/* MatMul + Add of a constant vector along the last dimension. */
static void take_bias_add(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_graph *graph = fusions->graph;
  const lpot_node *add = only_reader(fusions, fusion->output.value);
  if (add == NULL || add->op != LPOT_OP_ADD) {
    return;
  }
  lpot_value_id other = add->inputs[0] == fusion->output.value ? add->inputs[1] : add->inputs[0];
  const lpot_tensor *vector = constant_of(graph, other);
  const lpot_shape *shape = &lpot_graph_value(graph, fusion->output.value)->shape;
  if (vector == NULL || vector->dtype != LPOT_F32 || shape->rank < 1 || vector->shape.rank < 1 ||
      vector->shape.rank > shape->rank) {
    return;
  }
  int64_t columns = shape->dims[shape->rank - 1];
  if (lpot_tensor_elements(vector) != columns ||
      vector->shape.dims[vector->shape.rank - 1] != columns) {
    return;
  }
  fusion->bias = other;
  fusion->output.value = add->outputs[0];
  absorb(fusions, fusion, add->id);
}

static bool gemm_is_plain(const lpot_graph *graph, const lpot_node *node) {
  lpot_value_id bias = lpot_node_input(node, 2);
  if (lpot_node_int(node, "transA", 0) != 0 || lpot_node_float(node, "alpha", 1.0f) != 1.0f ||
      lpot_node_float(node, "beta", 1.0f) != 1.0f) {
    return false;
  }
  if (bias == LPOT_NONE) {
    return true;
  }
  const lpot_shape *shape = &lpot_graph_value(graph, bias)->shape;
  int64_t columns = lpot_graph_value(graph, node->outputs[0])->shape.dims[1];
  return is_constant_or_dequantized(graph, bias) && shape->rank >= 1 &&
         lpot_shape_elements(shape) == columns && shape->dims[shape->rank - 1] == columns;
}

/* Whether our primitives can run this Conv, ConvTranspose, MatMul or Gemm at all. */
static bool is_supported_anchor(const lpot_graph *graph, const lpot_node *node) {
  lpot_value_id bias = lpot_node_input(node, 2);
  const lpot_value *input = lpot_graph_value(graph, node->inputs[0]);
  const lpot_value *weight = lpot_graph_value(graph, node->inputs[1]);
  if (input->dtype != LPOT_F32 || weight->dtype != LPOT_F32 ||
      lpot_shape_elements(&input->shape) == 0 || lpot_shape_elements(&weight->shape) == 0 ||
      lpot_shape_elements(&lpot_graph_value(graph, node->outputs[0])->shape) == 0) {
    return false;
  }
  switch (node->op) {
  case LPOT_OP_CONV:
  case LPOT_OP_CONV_TRANSPOSE:
    return is_constant_or_dequantized(graph, node->inputs[1]) &&
           (bias == LPOT_NONE || is_constant_or_dequantized(graph, bias));
  case LPOT_OP_GEMM:
    return is_constant_or_dequantized(graph, node->inputs[1]) && gemm_is_plain(graph, node);
  case LPOT_OP_MATMUL:
    return input->shape.rank >= 2 && weight->shape.rank >= 2;
  default:
    return false;
  }
}

static void take_int8_operands(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_graph *graph = fusions->graph;
  const lpot_node *node = fusion->anchor;
  lpot_operand input;
  if (node->op == LPOT_OP_CONV_TRANSPOSE ||
      !lpot_dequantized_from(graph, node->inputs[0], &input) ||
      !take_int8_weight(graph, node->inputs[1], weight_axis(node), fusion)) {
    return;
  }
  fusion->inputs[0] = input;
}

/* Two activations: oneDNN wants the second one s8 without a zero point. */
static lpot_status take_int8_activations(lpot_fusions *fusions, lpot_fusion *fusion,
                                         lpot_error *err) {
  lpot_operand a, b;
  if (!lpot_dequantized_from(fusions->graph, fusion->anchor->inputs[0], &a) ||
      !lpot_dequantized_from(fusions->graph, fusion->anchor->inputs[1], &b) ||
      b.params.dtype != LPOT_S8 || b.params.zero_point != 0) {
    return LPOT_OK;
  }
  fusion->weight_scales = lpot_calloc(1, sizeof *fusion->weight_scales);
  if (fusion->weight_scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fusion->weight_scales[0] = b.params.scale;
  fusion->num_weight_scales = 1;
  fusion->inputs[0] = a;
  fusion->inputs[1] = b;
  return LPOT_OK;
}

static lpot_status find_weighted(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  bool is_matmul = node->op == LPOT_OP_MATMUL || node->op == LPOT_OP_GEMM;
  bool is_weight_matrix = lpot_graph_value(fusions->graph, node->inputs[1])->shape.rank == 2;
  bool two_activations =
      node->op == LPOT_OP_MATMUL &&
      (!is_weight_matrix || !is_constant_or_dequantized(fusions->graph, node->inputs[1]));
  if (!is_supported_anchor(fusions->graph, node)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, is_matmul ? LPOT_FUSION_MATMUL : LPOT_FUSION_CONVOLUTION, node,
                      two_activations ? 2 : 1, &fusion, err));
  for (size_t i = 0; i < fusion->num_inputs; ++i) {
    fusion->inputs[i].value = node->inputs[i];
  }
  fusion->weight = two_activations ? LPOT_NONE : node->inputs[1];
  fusion->bias = lpot_node_input(node, 2);
  if (two_activations) {
    LPOT_TRY(take_int8_activations(fusions, fusion, err));
  } else {
    take_int8_operands(fusions, fusion);
  }
  bool int8 = fusion->inputs[0].quantized;
  if (node->op == LPOT_OP_MATMUL) {
    take_bias_add(fusions, fusion);
  }
  take_activation(fusions, fusion, int8);
  if (int8) {
    take_quantize(fusions, fusion);
    if (fusion->num_post_ops == 0 && fusion->output.quantized) {
      take_activation_behind_pair(fusions, fusion);
    }
    if (fusion->kind == LPOT_FUSION_CONVOLUTION && pads_are_small(fusions->graph, node)) {
      take_int8_sum(fusions, fusion);
    }
  } else if (fusion->kind == LPOT_FUSION_CONVOLUTION && node->op == LPOT_OP_CONV &&
             fusion->num_post_ops == 0 && pads_are_small(fusions->graph, node)) {
    take_f32_sum(fusions, fusion);
  }
  return LPOT_OK;
}

/* ---- other groups ---- */

/* What Relu or Clip does to a range; false for every other node. */
static bool is_plain_clip(const lpot_graph *graph, const lpot_node *node, lpot_dl_post_op *ret) {
  return activation_post_op(graph, node, true, ret) &&
         (ret->kind == LPOT_DL_CLIP || ret->alpha == 0.0f);
}

static void take_plain_clip(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_node *node = only_reader(fusions, fusion->output.value);
  lpot_dl_post_op op;
  if (node != NULL && node->inputs[0] == fusion->output.value &&
      is_plain_clip(fusions->graph, node, &op)) {
    take_activation(fusions, fusion, true);
  }
}

static lpot_status find_binary(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand a, b;
  if (!lpot_dequantized_from(fusions->graph, node->inputs[0], &a) ||
      !lpot_dequantized_from(fusions->graph, node->inputs[1], &b) ||
      !same_shape(fusions->graph, a.value, b.value)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, LPOT_FUSION_INT8_BINARY, node, 2, &fusion, err));
  fusion->inputs[0] = a;
  fusion->inputs[1] = b;
  take_plain_clip(fusions, fusion);
  take_quantize(fusions, fusion);
  if (fusion->num_post_ops == 0 && fusion->output.quantized) {
    take_activation_behind_pair(fusions, fusion);
  }
  return LPOT_OK;
}

/* A window with holes (opset 19). */
static bool is_dilated(const lpot_node *node) {
  const int64_t *dilations = NULL;
  size_t count = lpot_node_ints(node, "dilations", &dilations);
  for (size_t i = 0; i < count; ++i) {
    if (dilations[i] != 1) {
      return true;
    }
  }
  return false;
}

static lpot_status find_average(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  const lpot_value *input = lpot_graph_value(fusions->graph, node->inputs[0]);
  if (input->dtype != LPOT_F32 || input->shape.rank < 3 || is_dilated(node)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, LPOT_FUSION_AVERAGE, node, 1, &fusion, err));
  fusion->inputs[0].value = node->inputs[0];
  if (lpot_dequantized_from(fusions->graph, node->inputs[0], &fusion->inputs[0])) {
    take_quantize(fusions, fusion);
  }
  return LPOT_OK;
}

static lpot_status find_concat(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand operand;
  lpot_quant_params params;
  for (int i = 0; i < node->num_inputs; ++i) {
    if (!lpot_dequantized_from(fusions->graph, node->inputs[i], &operand)) {
      return LPOT_OK;
    }
  }
  if (quantize_reader(fusions, node->outputs[0], &params) == NULL) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, LPOT_FUSION_CONCAT, node, (size_t)node->num_inputs, &fusion, err));
  for (int i = 0; i < node->num_inputs; ++i) {
    (void)lpot_dequantized_from(fusions->graph, node->inputs[i], &fusion->inputs[i]);
  }
  take_quantize(fusions, fusion);
  return LPOT_OK;
}

/* DQ -> node -> Q where a byte decides on a byte; further inputs of the node are constant. */
static lpot_status find_lookup(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand input;
  lpot_quant_params params;
  for (int i = 1; i < node->num_inputs; ++i) {
    if (node->inputs[i] != LPOT_NONE && constant_of(fusions->graph, node->inputs[i]) == NULL) {
      return LPOT_OK;
    }
  }
  if (!lpot_dequantized_from(fusions->graph, node->inputs[0], &input) ||
      quantize_reader(fusions, node->outputs[0], &params) == NULL) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, LPOT_FUSION_LOOKUP, node, 1, &fusion, err));
  fusion->inputs[0] = input;
  take_quantize(fusions, fusion);
  return LPOT_OK;
}

/* DQ -> node -> Q with one set of parameters: the node runs on the bytes. */
static lpot_status find_transparent(lpot_fusions *fusions, const lpot_node *node,
                                    lpot_fusion_kind kind, lpot_error *err) {
  lpot_operand input;
  lpot_quant_params params;
  if (node->num_outputs != 1 || !lpot_dequantized_from(fusions->graph, node->inputs[0], &input) ||
      quantize_reader(fusions, node->outputs[0], &params) == NULL ||
      !same_params(&params, &input.params)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, kind, node, 1, &fusion, err));
  fusion->inputs[0] = input;
  take_quantize(fusions, fusion);
  return LPOT_OK;
}

static bool has_constant_parameters(const lpot_graph *graph, const lpot_node *norm) {
  const lpot_value *input = lpot_graph_value(graph, norm->inputs[0]);
  for (int i = 1; i < 5; ++i) {
    const lpot_tensor *parameter = constant_of(graph, norm->inputs[i]);
    if (parameter == NULL || input->shape.rank < 2 ||
        lpot_tensor_elements(parameter) != input->shape.dims[1]) {
      return false;
    }
  }
  return norm->num_outputs == 1 && input->dtype == LPOT_F32 &&
         lpot_shape_elements(&input->shape) > 0;
}

static lpot_status find_affine(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  if (!has_constant_parameters(fusions->graph, node)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, LPOT_FUSION_AFFINE, node, 1, &fusion, err));
  fusion->inputs[0].value = node->inputs[0];
  (void)lpot_dequantized_from(fusions->graph, node->inputs[0], &fusion->inputs[0]);
  take_plain_clip(fusions, fusion);
  take_quantize(fusions, fusion);
  return LPOT_OK;
}

/* ---- channel shuffle ---- */

#define MAX_SHUFFLE_NODES 8

/* The nodes of Reshape -> Transpose -> Reshape, with the pairs between and behind them. */
typedef struct shuffle_match {
  size_t count;
  const lpot_node *nodes[MAX_SHUFFLE_NODES];
  bool quantized;
  lpot_quant_params params;
  lpot_value_id end;
} shuffle_match;

/* Goes on to what value is after the Q that must follow in int8; false where there is none. */
static bool match_rounding(const lpot_fusions *fusions, shuffle_match *match) {
  lpot_quant_params params;
  if (!match->quantized) {
    return true;
  }
  const lpot_node *quantize = quantize_reader(fusions, match->end, &params);
  if (quantize == NULL || !same_params(&params, &match->params)) {
    return false;
  }
  match->nodes[match->count++] = quantize;
  match->end = quantize->outputs[0];
  return true;
}

/* The next operator on the way, behind a pair in int8. */
static bool match_next(const lpot_fusions *fusions, shuffle_match *match, lpot_op op) {
  if (!match_rounding(fusions, match)) {
    return false;
  }
  if (match->quantized) {
    const lpot_node *dequantize = dequantize_reader(fusions, match->end, &match->params);
    if (dequantize == NULL) {
      return false;
    }
    match->nodes[match->count++] = dequantize;
    match->end = dequantize->outputs[0];
  }
  const lpot_node *node = only_reader(fusions, match->end);
  if (node == NULL || node->op != op || node->inputs[0] != match->end) {
    return false;
  }
  match->nodes[match->count++] = node;
  match->end = node->outputs[0];
  return true;
}

/* [N, g k, spatial] -> [N, g, k, spatial] -> [N, k, g, spatial] -> [N, g k, spatial] */
static bool is_shuffle(const lpot_graph *graph, const lpot_node *first, const lpot_node *transpose,
                       const lpot_node *last) {
  const lpot_shape *in = &lpot_graph_value(graph, first->inputs[0])->shape;
  const lpot_shape *split = &lpot_graph_value(graph, first->outputs[0])->shape;
  const int64_t *perm = NULL;
  size_t count = lpot_node_ints(transpose, "perm", &perm);
  if (in->rank < 3 || split->rank != in->rank + 1 || count != (size_t)split->rank ||
      lpot_shape_elements(in) == 0 || split->dims[0] != in->dims[0] ||
      split->dims[1] * split->dims[2] != in->dims[1] ||
      !lpot_shape_equal(in, &lpot_graph_value(graph, last->outputs[0])->shape)) {
    return false;
  }
  for (int i = 0; i < split->rank; ++i) {
    int64_t wanted = i == 1 ? 2 : i;
    wanted = i == 2 ? 1 : wanted;
    if (perm[i] != wanted || (i > 2 && split->dims[i] != in->dims[i - 1])) {
      return false;
    }
  }
  return true;
}

static lpot_status find_shuffle(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand input = {.value = node->inputs[0]};
  shuffle_match match = {.end = node->outputs[0]};
  lpot_dtype dtype = lpot_graph_value(fusions->graph, node->inputs[0])->dtype;
  match.quantized = lpot_dequantized_from(fusions->graph, node->inputs[0], &input);
  match.params = input.params;
  if (dtype != LPOT_F32 || !match_next(fusions, &match, LPOT_OP_TRANSPOSE)) {
    return LPOT_OK;
  }
  const lpot_node *transpose = match.nodes[match.count - 1];
  if (!match_next(fusions, &match, LPOT_OP_RESHAPE)) {
    return LPOT_OK;
  }
  const lpot_node *last = match.nodes[match.count - 1];
  if (!is_shuffle(fusions->graph, node, transpose, last) || !match_rounding(fusions, &match)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(new_fusion(fusions, LPOT_FUSION_SHUFFLE, node, 1, &fusion, err));
  fusion->inputs[0] = input;
  fusion->output =
      (lpot_operand){.value = match.end, .quantized = match.quantized, .params = match.params};
  for (size_t i = 0; i < match.count; ++i) {
    absorb(fusions, fusion, match.nodes[i]->id);
  }
  return LPOT_OK;
}

static lpot_status find_reshape(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  LPOT_TRY(find_shuffle(fusions, node, err));
  if (fusions->of_node[node->id] < 0) {
    LPOT_TRY(find_transparent(fusions, node, LPOT_FUSION_MOVEMENT, err));
  }
  return LPOT_OK;
}

static lpot_status find_at(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_status status = LPOT_OK;
  switch (node->op) {
  case LPOT_OP_CONV:
  case LPOT_OP_CONV_TRANSPOSE:
  case LPOT_OP_MATMUL:
  case LPOT_OP_GEMM:
    status = find_weighted(fusions, node, err);
    break;
  case LPOT_OP_ADD:
  case LPOT_OP_MUL:
    status = find_binary(fusions, node, err);
    break;
  case LPOT_OP_AVERAGE_POOL:
  case LPOT_OP_GLOBAL_AVERAGE_POOL:
    status = find_average(fusions, node, err);
    break;
  case LPOT_OP_CONCAT:
    status = find_concat(fusions, node, err);
    break;
  case LPOT_OP_MAX_POOL:
    status = find_transparent(fusions, node, LPOT_FUSION_MAX_POOL, err);
    break;
  case LPOT_OP_BATCH_NORMALIZATION:
    status = find_affine(fusions, node, err);
    break;
  case LPOT_OP_CLIP:
  case LPOT_OP_ERF:
  case LPOT_OP_EXP:
  case LPOT_OP_HARD_SIGMOID:
  case LPOT_OP_HARD_SWISH:
  case LPOT_OP_LEAKY_RELU:
  case LPOT_OP_RELU:
  case LPOT_OP_SIGMOID:
  case LPOT_OP_SQRT:
  case LPOT_OP_TANH:
    status = find_lookup(fusions, node, err);
    break;
  case LPOT_OP_RESHAPE:
    status = find_reshape(fusions, node, err);
    break;
  case LPOT_OP_FLATTEN:
  case LPOT_OP_SQUEEZE:
  case LPOT_OP_UNSQUEEZE:
  case LPOT_OP_TRANSPOSE:
  case LPOT_OP_SLICE:
  case LPOT_OP_IDENTITY:
    status = find_transparent(fusions, node, LPOT_FUSION_MOVEMENT, err);
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
