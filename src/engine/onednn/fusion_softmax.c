#include "engine/onednn/fusion_find.h"

/* What attention does with its scores:
 *   [DQ ->] [* or / number ->] [+ mask ->] Softmax of rows [-> Q] */

typedef struct softmax_match {
  const lpot_node *add, *scaling; /* NULL where there is none */
  lpot_value_id scores, mask;     /* mask may be LPOT_NONE */
  float factor;
} softmax_match;

/* The node that makes value for reader alone. */
static const lpot_node *made_for(const lpot_fusions *fusions, lpot_value_id value,
                                 const lpot_node *reader) {
  const lpot_node *node = lpot_fusion_producer(fusions->graph, value);
  return node != NULL && fusions->of_node[node->id] < 0 &&
                 lpot_fusion_only_reader(fusions, value) == reader
             ? node
             : NULL;
}

static bool is_rows(const lpot_graph *graph, const lpot_node *node) {
  const lpot_value *in = lpot_graph_value(graph, node->inputs[0]);
  int64_t axis = lpot_node_int(node, "axis", -1);
  return in->dtype == LPOT_F32 && in->shape.rank >= 1 && lpot_shape_elements(&in->shape) > 0 &&
         (axis == -1 || axis == in->shape.rank - 1);
}

/* Whether each row of the scores is added to a whole row of mask. */
static bool is_mask(const lpot_graph *graph, lpot_value_id mask, lpot_value_id scores) {
  const lpot_value *value = lpot_graph_value(graph, mask);
  const lpot_shape *rows = &lpot_graph_value(graph, scores)->shape;
  return value->dtype == LPOT_F32 && value->shape.rank >= 1 &&
         value->shape.dims[value->shape.rank - 1] == rows->dims[rows->rank - 1];
}

/* Of two operands of the sum's shape the first one is the scores. */
static void match_mask(const lpot_fusions *fusions, const lpot_node *softmax,
                       softmax_match *match) {
  const lpot_graph *graph = fusions->graph;
  const lpot_node *add = made_for(fusions, softmax->inputs[0], softmax);
  for (int k = 0; k < 2 && add != NULL && add->op == LPOT_OP_ADD && match->add == NULL; ++k) {
    lpot_value_id scores = add->inputs[k];
    lpot_value_id mask = add->inputs[1 - k];
    if (lpot_fusion_same_shape(graph, scores, add->outputs[0]) && is_mask(graph, mask, scores)) {
      match->add = add;
      match->scores = scores;
      match->mask = mask;
    }
  }
}

static void match_scaling(const lpot_fusions *fusions, const lpot_node *reader,
                          softmax_match *match) {
  const lpot_graph *graph = fusions->graph;
  const lpot_node *node = made_for(fusions, match->scores, reader);
  if (node == NULL || (node->op != LPOT_OP_MUL && node->op != LPOT_OP_DIV)) {
    return;
  }
  for (int k = node->op == LPOT_OP_DIV ? 1 : 0; k < 2 && match->scaling == NULL; ++k) {
    const lpot_tensor *number = lpot_fusion_constant(graph, node->inputs[k]);
    lpot_value_id scores = node->inputs[1 - k];
    if (number != NULL && lpot_tensor_elements(number) == 1 &&
        lpot_tensor_get_double(number, 0) != 0.0 &&
        lpot_fusion_same_shape(graph, scores, node->outputs[0])) {
      match->scaling = node;
      match->scores = scores;
      double factor = lpot_tensor_get_double(number, 0);
      match->factor = (float)(node->op == LPOT_OP_DIV ? 1.0 / factor : factor);
    }
  }
}

lpot_status lpot_fusion_find_softmax(lpot_fusions *fusions, const lpot_node *node,
                                     lpot_error *err) {
  softmax_match match = {.scores = node->inputs[0], .mask = LPOT_NONE, .factor = 1.0f};
  lpot_operand quantized;
  lpot_quant_params params;
  if (!is_rows(fusions->graph, node)) {
    return LPOT_OK;
  }
  match_mask(fusions, node, &match);
  match_scaling(fusions, match.add != NULL ? match.add : node, &match);
  bool from_bytes = lpot_dequantized_from(fusions->graph, match.scores, &quantized);
  bool to_bytes = lpot_fusion_quantize_reader(fusions, node->outputs[0], &params) != NULL;
  if (match.add == NULL && match.scaling == NULL && !from_bytes && !to_bytes) {
    return LPOT_OK;
  }
  lpot_fusion *fusion = NULL;
  LPOT_TRY(
      lpot_fusion_new(fusions, LPOT_FUSION_SOFTMAX, node, match.add != NULL ? 2 : 1, &fusion, err));
  fusion->inputs[0] = from_bytes ? quantized : (lpot_operand){.value = match.scores};
  if (match.add != NULL) {
    fusion->inputs[1].value = match.mask;
    lpot_fusion_absorb(fusions, fusion, match.add->id);
  }
  if (match.scaling != NULL) {
    fusion->factor = match.factor;
    lpot_fusion_absorb(fusions, fusion, match.scaling->id);
  }
  lpot_fusion_take_quantize(fusions, fusion);
  return LPOT_OK;
}
