#include "engine/onednn/fusion_find.h"

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
  const lpot_node *quantize = lpot_fusion_quantize_reader(fusions, match->end, &params);
  if (quantize == NULL || !lpot_fusion_same_params(&params, &match->params)) {
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
    const lpot_node *dequantize =
        lpot_fusion_dequantize_reader(fusions, match->end, &match->params);
    if (dequantize == NULL) {
      return false;
    }
    match->nodes[match->count++] = dequantize;
    match->end = dequantize->outputs[0];
  }
  const lpot_node *node = lpot_fusion_only_reader(fusions, match->end);
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
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_SHUFFLE, node, 1, &fusion, err));
  fusion->inputs[0] = input;
  fusion->output =
      (lpot_operand){.value = match.end, .quantized = match.quantized, .params = match.params};
  for (size_t i = 0; i < match.count; ++i) {
    lpot_fusion_absorb(fusions, fusion, match.nodes[i]->id);
  }
  return LPOT_OK;
}

lpot_status lpot_fusion_find_reshape(lpot_fusions *fusions, const lpot_node *node,
                                     lpot_error *err) {
  LPOT_TRY(find_shuffle(fusions, node, err));
  if (fusions->of_node[node->id] < 0) {
    LPOT_TRY(lpot_fusion_find_transparent(fusions, node, LPOT_FUSION_MOVEMENT, err));
  }
  return LPOT_OK;
}
