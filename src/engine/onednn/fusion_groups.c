#include "engine/onednn/fusion_find.h"

/* Groups around one node that has no weights. */

/* What Relu or Clip does to a range; false for every other node. */
static bool is_plain_clip(const lpot_graph *graph, const lpot_node *node, lpot_dl_post_op *ret) {
  return lpot_fusion_post_op(graph, node, true, ret) &&
         (ret->kind == LPOT_DL_CLIP || ret->alpha == 0.0f);
}

static void take_plain_clip(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_node *node = lpot_fusion_only_reader(fusions, fusion->output.value);
  lpot_dl_post_op op;
  if (node != NULL && node->inputs[0] == fusion->output.value &&
      is_plain_clip(fusions->graph, node, &op)) {
    lpot_fusion_take_activation(fusions, fusion, true);
  }
}

lpot_status lpot_fusion_find_binary(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand a, b;
  if (!lpot_dequantized_from(fusions->graph, node->inputs[0], &a) ||
      !lpot_dequantized_from(fusions->graph, node->inputs[1], &b) ||
      !lpot_fusion_same_shape(fusions->graph, a.value, b.value)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_INT8_BINARY, node, 2, &fusion, err));
  fusion->inputs[0] = a;
  fusion->inputs[1] = b;
  take_plain_clip(fusions, fusion);
  lpot_fusion_take_quantize(fusions, fusion);
  if (fusion->num_post_ops == 0 && fusion->output.quantized) {
    lpot_fusion_take_behind_pair(fusions, fusion);
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

lpot_status lpot_fusion_find_average(lpot_fusions *fusions, const lpot_node *node,
                                     lpot_error *err) {
  const lpot_value *input = lpot_graph_value(fusions->graph, node->inputs[0]);
  if (input->dtype != LPOT_F32 || input->shape.rank < 3 || is_dilated(node)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_AVERAGE, node, 1, &fusion, err));
  fusion->inputs[0].value = node->inputs[0];
  if (lpot_dequantized_from(fusions->graph, node->inputs[0], &fusion->inputs[0])) {
    lpot_fusion_take_quantize(fusions, fusion);
  }
  return LPOT_OK;
}

lpot_status lpot_fusion_find_concat(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand operand;
  lpot_quant_params params;
  for (int i = 0; i < node->num_inputs; ++i) {
    if (!lpot_dequantized_from(fusions->graph, node->inputs[i], &operand)) {
      return LPOT_OK;
    }
  }
  if (lpot_fusion_quantize_reader(fusions, node->outputs[0], &params) == NULL) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(
      lpot_fusion_new(fusions, LPOT_FUSION_CONCAT, node, (size_t)node->num_inputs, &fusion, err));
  for (int i = 0; i < node->num_inputs; ++i) {
    (void)lpot_dequantized_from(fusions->graph, node->inputs[i], &fusion->inputs[i]);
  }
  lpot_fusion_take_quantize(fusions, fusion);
  return LPOT_OK;
}

lpot_status lpot_fusion_find_lookup(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  lpot_operand input;
  lpot_quant_params params;
  for (int i = 1; i < node->num_inputs; ++i) {
    if (node->inputs[i] != LPOT_NONE &&
        lpot_fusion_constant(fusions->graph, node->inputs[i]) == NULL) {
      return LPOT_OK;
    }
  }
  if (!lpot_dequantized_from(fusions->graph, node->inputs[0], &input) ||
      lpot_fusion_quantize_reader(fusions, node->outputs[0], &params) == NULL) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_LOOKUP, node, 1, &fusion, err));
  fusion->inputs[0] = input;
  lpot_fusion_take_quantize(fusions, fusion);
  return LPOT_OK;
}

lpot_status lpot_fusion_find_transparent(lpot_fusions *fusions, const lpot_node *node,
                                         lpot_fusion_kind kind, lpot_error *err) {
  lpot_operand input;
  lpot_quant_params params;
  if (node->num_outputs != 1 || !lpot_dequantized_from(fusions->graph, node->inputs[0], &input) ||
      lpot_fusion_quantize_reader(fusions, node->outputs[0], &params) == NULL ||
      !lpot_fusion_same_params(&params, &input.params)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, kind, node, 1, &fusion, err));
  fusion->inputs[0] = input;
  lpot_fusion_take_quantize(fusions, fusion);
  return LPOT_OK;
}

static bool has_constant_parameters(const lpot_graph *graph, const lpot_node *norm) {
  const lpot_value *input = lpot_graph_value(graph, norm->inputs[0]);
  for (int i = 1; i < 5; ++i) {
    const lpot_tensor *parameter = lpot_fusion_constant(graph, norm->inputs[i]);
    if (parameter == NULL || input->shape.rank < 2 ||
        lpot_tensor_elements(parameter) != input->shape.dims[1]) {
      return false;
    }
  }
  return norm->num_outputs == 1 && input->dtype == LPOT_F32 &&
         lpot_shape_elements(&input->shape) > 0;
}

lpot_status lpot_fusion_find_affine(lpot_fusions *fusions, const lpot_node *node, lpot_error *err) {
  if (!has_constant_parameters(fusions->graph, node)) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_AFFINE, node, 1, &fusion, err));
  fusion->inputs[0].value = node->inputs[0];
  (void)lpot_dequantized_from(fusions->graph, node->inputs[0], &fusion->inputs[0]);
  take_plain_clip(fusions, fusion);
  lpot_fusion_take_quantize(fusions, fusion);
  return LPOT_OK;
}
