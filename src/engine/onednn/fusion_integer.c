/* MatMulInteger -> Cast -> Mul by (scale of the input, known at run time, times constant scales of
 * the weights) [-> Add of a constant vector] [-> Relu]: what dynamic quantization makes of a MatMul
 * or a Gemm. */
#include "base/memory.h"
#include "engine/onednn/fusion_find.h"

typedef struct integer_match {
  const lpot_node *cast, *mul, *scales, *add, *relu; /* add and relu may be NULL */
  const lpot_tensor *weight_scales;                  /* of one element or one per column */
  lpot_value_id input_scale;
  lpot_value_id bias;
  int64_t columns;
} integer_match;

static bool is_f32(const lpot_graph *graph, lpot_value_id value) {
  return lpot_graph_value(graph, value)->dtype == LPOT_F32;
}

static lpot_value_id other_input(const lpot_node *node, lpot_value_id value) {
  return node->inputs[0] == value ? node->inputs[1] : node->inputs[0];
}

static const lpot_node *reader_of(const lpot_fusions *fusions, lpot_value_id value, lpot_op op) {
  const lpot_node *node = lpot_fusion_only_reader(fusions, value);
  return node != NULL && node->op == op ? node : NULL;
}

/* Both inputs of the Mul that makes the scales. */
static bool match_scales(const lpot_graph *graph, integer_match *match) {
  for (int i = 0; i < 2; ++i) {
    const lpot_tensor *constant = lpot_fusion_constant(graph, match->scales->inputs[i]);
    lpot_value_id other = match->scales->inputs[1 - i];
    const lpot_shape *shape = &lpot_graph_value(graph, other)->shape;
    if (constant != NULL && constant->dtype == LPOT_F32 && constant->shape.rank <= 1 &&
        (lpot_tensor_elements(constant) == 1 || lpot_tensor_elements(constant) == match->columns) &&
        shape->rank <= 1 && lpot_shape_elements(shape) == 1 && is_f32(graph, other)) {
      match->weight_scales = constant;
      match->input_scale = other;
      return true;
    }
  }
  return false;
}

static bool match_product(const lpot_fusions *fusions, const lpot_node *node,
                          integer_match *match) {
  const lpot_graph *graph = fusions->graph;
  const lpot_tensor *weight = lpot_fusion_constant(graph, node->inputs[1]);
  const lpot_shape *shape = &lpot_graph_value(graph, node->outputs[0])->shape;
  if (weight == NULL || weight->shape.rank != 2 || lpot_node_input(node, 2) == LPOT_NONE ||
      shape->rank < 2 || lpot_shape_elements(shape) == 0) {
    return false;
  }
  match->columns = weight->shape.dims[1];
  match->cast = reader_of(fusions, node->outputs[0], LPOT_OP_CAST);
  if (match->cast == NULL || !is_f32(graph, match->cast->outputs[0])) {
    return false;
  }
  match->mul = reader_of(fusions, match->cast->outputs[0], LPOT_OP_MUL);
  if (match->mul == NULL ||
      !lpot_fusion_same_shape(graph, match->mul->outputs[0], node->outputs[0])) {
    return false;
  }
  lpot_value_id scales = other_input(match->mul, match->cast->outputs[0]);
  match->scales = lpot_fusion_producer(graph, scales);
  return match->scales != NULL && match->scales->op == LPOT_OP_MUL &&
         fusions->of_node[match->scales->id] < 0 &&
         lpot_fusion_only_reader(fusions, scales) == match->mul && match_scales(graph, match);
}

static lpot_value_id match_tail(const lpot_fusions *fusions, integer_match *match) {
  const lpot_graph *graph = fusions->graph;
  lpot_value_id end = match->mul->outputs[0];
  const lpot_node *add = reader_of(fusions, end, LPOT_OP_ADD);
  if (add != NULL) {
    lpot_value_id other = other_input(add, end);
    const lpot_tensor *bias = lpot_fusion_constant(graph, other);
    int rank = bias == NULL ? 0 : bias->shape.rank;
    if (rank >= 1 && bias->dtype == LPOT_F32 && bias->shape.dims[rank - 1] == match->columns &&
        lpot_tensor_elements(bias) == match->columns &&
        lpot_fusion_same_shape(graph, add->outputs[0], end)) {
      match->add = add;
      match->bias = other;
      end = add->outputs[0];
    }
  }
  match->relu = reader_of(fusions, end, LPOT_OP_RELU);
  return match->relu == NULL ? end : match->relu->outputs[0];
}

lpot_status lpot_fusion_find_integer(lpot_fusions *fusions, const lpot_node *node,
                                     lpot_error *err) {
  integer_match match = {.bias = LPOT_NONE};
  lpot_fusion *fusion = NULL;
  if (!match_product(fusions, node, &match)) {
    return LPOT_OK;
  }
  lpot_value_id end = match_tail(fusions, &match);
  LPOT_TRY(lpot_fusion_new(fusions, LPOT_FUSION_INTEGER, node, 3, &fusion, err));
  const lpot_value_id inputs[] = {node->inputs[0], node->inputs[2], match.input_scale};
  for (size_t i = 0; i < 3; ++i) {
    fusion->inputs[i].value = inputs[i];
  }
  size_t count = (size_t)lpot_tensor_elements(match.weight_scales);
  fusion->weight_scales = lpot_calloc(count, sizeof *fusion->weight_scales);
  if (fusion->weight_scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; ++i) {
    fusion->weight_scales[i] = (float)lpot_tensor_get_double(match.weight_scales, (int64_t)i);
  }
  fusion->num_weight_scales = count;
  fusion->bias = match.bias;
  fusion->num_post_ops = match.relu == NULL ? 0 : 1;
  fusion->output.value = end;
  const lpot_node *members[] = {match.cast, match.mul, match.scales, match.add, match.relu};
  for (size_t i = 0; i < sizeof members / sizeof members[0]; ++i) {
    if (members[i] != NULL) {
      lpot_fusion_absorb(fusions, fusion, members[i]->id);
    }
  }
  return LPOT_OK;
}
