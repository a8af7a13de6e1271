/* bf16: a Cast to BFLOAT16 and one back to FLOAT around a tensor are to bf16 what a pair of
 * QuantizeLinear and DequantizeLinear is to int8. */
#include <string.h>

#include "engine/onednn/fusion_find.h"

static bool is_cast(const lpot_graph *graph, const lpot_node *node, lpot_dtype from,
                    lpot_dtype to) {
  return node != NULL && node->op == LPOT_OP_CAST &&
         lpot_graph_value(graph, node->inputs[0])->dtype == from &&
         lpot_graph_value(graph, node->outputs[0])->dtype == to;
}

bool lpot_widened_from(const lpot_graph *graph, lpot_value_id value, lpot_operand *ret) {
  const lpot_node *node = lpot_fusion_producer(graph, value);
  if (!is_cast(graph, node, LPOT_BF16, LPOT_F32) ||
      lpot_fusion_constant(graph, node->inputs[0]) != NULL) {
    return false;
  }
  *ret = (lpot_operand){.value = node->inputs[0]};
  return true;
}

/* The Cast behind a bf16 constant is folded when a graph is bound: what is left of it is an f32
 * constant whose elements are all bf16 numbers. */
static bool is_bf16_constant(const lpot_graph *graph, lpot_value_id value) {
  const lpot_tensor *tensor = lpot_fusion_constant(graph, value);
  if (tensor == NULL || tensor->dtype != LPOT_F32) {
    return false;
  }
  const uint8_t *bytes = tensor->data; /* may be unaligned */
  int64_t count = lpot_tensor_elements(tensor);
  uint32_t seen = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = 0;
    memcpy(&bits, bytes + (size_t)i * sizeof bits, sizeof bits);
    seen |= bits;
  }
  return (seen & 0xFFFFU) == 0;
}

void lpot_fusion_take_bf16_operands(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_graph *graph = fusions->graph;
  const lpot_node *node = fusion->anchor;
  lpot_operand operands[2];
  if (node->op == LPOT_OP_CONV_TRANSPOSE) {
    return;
  }
  for (size_t i = 0; i < fusion->num_inputs; ++i) {
    if (!lpot_widened_from(graph, node->inputs[i], &operands[i])) {
      return;
    }
  }
  if (fusion->num_inputs == 1 && !is_bf16_constant(graph, fusion->weight)) {
    return;
  }
  for (size_t i = 0; i < fusion->num_inputs; ++i) {
    fusion->inputs[i] = operands[i];
  }
  fusion->bf16 = true;
}

void lpot_fusion_take_rounding(lpot_fusions *fusions, lpot_fusion *fusion) {
  const lpot_node *node = lpot_fusion_only_reader(fusions, fusion->output.value);
  if (!is_cast(fusions->graph, node, LPOT_F32, LPOT_BF16)) {
    return;
  }
  fusion->output.value = node->outputs[0];
  lpot_fusion_absorb(fusions, fusion, node->id);
}

/* The residual sum behind a bf16 convolution, which oneDNN cannot take: the convolution's result is
 * rounded before it. */
lpot_status lpot_fusion_find_bf16_sum(lpot_fusions *fusions, const lpot_node *node,
                                      lpot_error *err) {
  lpot_operand operands[2] = {{.value = node->inputs[0]}, {.value = node->inputs[1]}};
  bool any = lpot_widened_from(fusions->graph, node->inputs[0], &operands[0]);
  any = lpot_widened_from(fusions->graph, node->inputs[1], &operands[1]) || any;
  if (!any || !lpot_fusion_same_shape(fusions->graph, node->inputs[0], node->inputs[1]) ||
      lpot_graph_value(fusions->graph, node->outputs[0])->dtype != LPOT_F32 ||
      lpot_fusion_constant(fusions->graph, operands[0].value) != NULL ||
      lpot_fusion_constant(fusions->graph, operands[1].value) != NULL) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_BF16_SUM, node, 2, &fusion, err));
  fusion->inputs[0] = operands[0];
  fusion->inputs[1] = operands[1];
  const lpot_node *reader = lpot_fusion_only_reader(fusions, fusion->output.value);
  if (reader != NULL && reader->op == LPOT_OP_RELU) {
    lpot_fusion_take_activation(fusions, fusion, true);
  }
  lpot_fusion_take_rounding(fusions, fusion);
  return LPOT_OK;
}
