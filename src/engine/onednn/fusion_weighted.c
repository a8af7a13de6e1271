#include "engine/onednn/fusion_find.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "graph/window.h"

/* Convolutions and matrix products with the bias, the residual sum, the activation and the
 * roundings around them. */

static bool sees_input(const lpot_window *window, int dim, int64_t size, int64_t output) {
  int64_t first = output * window->stride[dim] - window->pad_begin[dim];
  for (int64_t k = 0; k < window->kernel[dim]; ++k) {
    int64_t at = first + k * window->dilation[dim];
    if (at >= 0 && at < size) {
      return true;
    }
  }
  return false;
}

/* oneDNN's convolutions with a sum read outside of their output where outputs see nothing but
 * padding: pads as large as the kernel, or dilations that step over a small input. */
static bool all_outputs_see_input(const lpot_graph *graph, const lpot_node *conv) {
  lpot_window window;
  const lpot_shape *input = &lpot_graph_value(graph, conv->inputs[0])->shape;
  const lpot_shape *weight = &lpot_graph_value(graph, conv->inputs[1])->shape;
  if (lpot_window_resolve(conv, input, weight, &window, NULL) != LPOT_OK) {
    return false;
  }
  for (int i = 0; i < window.num_spatial; ++i) {
    for (int64_t o = 0; o < window.output[i]; ++o) {
      if (!sees_input(&window, i, input->dims[i + 2], o)) {
        return false;
      }
    }
  }
  return true;
}

/* The Add that reads value beside another activation of the same shape. */
static const lpot_node *sum_reader(const lpot_fusions *fusions, lpot_value_id value,
                                   lpot_value_id *ret_other) {
  const lpot_node *add = lpot_fusion_only_reader(fusions, value);
  if (add == NULL || add->op != LPOT_OP_ADD) {
    return NULL;
  }
  lpot_value_id other = add->inputs[0] == value ? add->inputs[1] : add->inputs[0];
  if (!lpot_fusion_same_shape(fusions->graph, value, other) ||
      lpot_fusion_constant(fusions->graph, other) != NULL ||
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
  lpot_fusion_absorb(fusions, fusion, add->id);
  lpot_fusion_take_activation(fusions, fusion, false);
}

/* Conv -> Q -> DQ -> Add(int8 residual) -> [Relu] -> Q: the Conv's rounding stays, as a post-op. */
static void take_int8_sum(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_graph *graph = fusions->graph;
  if (fusion->num_post_ops > 0 || !fusion->output.quantized) {
    return;
  }
  const lpot_node *dequantize =
      lpot_fusion_dequantize_reader(fusions, fusion->output.value, &fusion->output.params);
  lpot_value_id other = LPOT_NONE;
  const lpot_node *add =
      dequantize == NULL ? NULL : sum_reader(fusions, dequantize->outputs[0], &other);
  lpot_operand residual;
  if (add == NULL || !lpot_dequantized_from(graph, other, &residual)) {
    return;
  }
  lpot_dl_post_op op;
  lpot_quant_params params;
  const lpot_node *activation = lpot_fusion_only_reader(fusions, add->outputs[0]);
  if (activation != NULL && !lpot_fusion_post_op(graph, activation, true, &op)) {
    activation = NULL;
  }
  if (activation != NULL && op.kind == LPOT_DL_CLIP) {
    return; /* oneDNN 2.6 gives a second clip the limits of the first, which the rounding needs */
  }
  lpot_value_id result = activation != NULL ? activation->outputs[0] : add->outputs[0];
  const lpot_node *quantize = lpot_fusion_quantize_reader(fusions, result, &params);
  if (quantize == NULL) {
    return; /* without a final rounding the sum runs apart */
  }
  fusion->requantize = true;
  fusion->requantize_params = fusion->output.params;
  fusion->sum = true;
  fusion->residual = residual;
  lpot_fusion_absorb(fusions, fusion, dequantize->id);
  lpot_fusion_absorb(fusions, fusion, add->id);
  if (activation != NULL) {
    fusion->post_ops[fusion->num_post_ops++] = op;
    lpot_fusion_absorb(fusions, fusion, activation->id);
  }
  lpot_fusion_absorb(fusions, fusion, quantize->id);
  fusion->output =
      (lpot_operand){.value = quantize->outputs[0], .quantized = true, .params = params};
}

/* ---- weights ---- */

/* An s8 constant behind a DequantizeLinear whose scales run along axis (or are one), zero points 0.
 */
static bool take_int8_weight(const lpot_graph *graph, lpot_value_id value, int axis,
                             lpot_fusion *fusion) {
  const lpot_node *node = lpot_fusion_producer(graph, value);
  if (node == NULL || node->op != LPOT_OP_DEQUANTIZE_LINEAR) {
    return false;
  }
  const lpot_tensor *weight = lpot_fusion_constant(graph, node->inputs[0]);
  const lpot_tensor *scales = lpot_fusion_constant(graph, node->inputs[1]);
  const lpot_tensor *zero_points = lpot_fusion_constant(graph, lpot_node_input(node, 2));
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
  if (lpot_fusion_constant(graph, value) != NULL) {
    return true;
  }
  const lpot_node *node = lpot_fusion_producer(graph, value);
  return node != NULL && node->op == LPOT_OP_DEQUANTIZE_LINEAR &&
         lpot_fusion_constant(graph, node->inputs[0]) != NULL;
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
  const lpot_node *add = lpot_fusion_only_reader(fusions, fusion->output.value);
  if (add == NULL || add->op != LPOT_OP_ADD) {
    return;
  }
  lpot_value_id other = add->inputs[0] == fusion->output.value ? add->inputs[1] : add->inputs[0];
  const lpot_tensor *vector = lpot_fusion_constant(graph, other);
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
  lpot_fusion_absorb(fusions, fusion, add->id);
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

/* Two activations: the second one's parameters are those of weights. */
static lpot_status take_int8_activations(lpot_fusions *fusions, lpot_fusion *fusion,
                                         lpot_error *err) {
  lpot_operand a, b;
  if (!lpot_dequantized_from(fusions->graph, fusion->anchor->inputs[0], &a) ||
      !lpot_dequantized_from(fusions->graph, fusion->anchor->inputs[1], &b)) {
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

lpot_status lpot_fusion_find_weighted(lpot_fusions *fusions, const lpot_node *node,
                                      lpot_error *err) {
  bool is_matmul = node->op == LPOT_OP_MATMUL || node->op == LPOT_OP_GEMM;
  bool is_weight_matrix = lpot_graph_value(fusions->graph, node->inputs[1])->shape.rank == 2;
  bool two_activations =
      node->op == LPOT_OP_MATMUL &&
      (!is_weight_matrix || !is_constant_or_dequantized(fusions->graph, node->inputs[1]));
  if (!is_supported_anchor(fusions->graph, node)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, is_matmul ? LPOT_FUSION_MATMUL : LPOT_FUSION_CONVOLUTION, node,
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
  if (!int8) {
    lpot_fusion_take_bf16_operands(fusions, fusion);
  }
  if (node->op == LPOT_OP_MATMUL) {
    take_bias_add(fusions, fusion);
  }
  lpot_fusion_take_activation(fusions, fusion, int8);
  if (fusion->bf16) {
    lpot_fusion_take_rounding(fusions, fusion);
  } else if (int8) {
    lpot_fusion_take_quantize(fusions, fusion);
    if (fusion->num_post_ops == 0 && fusion->output.quantized) {
      lpot_fusion_take_behind_pair(fusions, fusion);
    }
    if (fusion->kind == LPOT_FUSION_CONVOLUTION && all_outputs_see_input(fusions->graph, node)) {
      take_int8_sum(fusions, fusion);
    }
  } else if (fusion->kind == LPOT_FUSION_CONVOLUTION && node->op == LPOT_OP_CONV &&
             fusion->num_post_ops == 0 && all_outputs_see_input(fusions->graph, node)) {
    take_f32_sum(fusions, fusion);
  }
  return LPOT_OK;
}
