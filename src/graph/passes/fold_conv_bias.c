#include "graph/passes/pass_support.h"
#include "graph/passes/passes.h"

/* Whether adding the constant to an output of num_spatial + 2 dimensions adds one number per
 * channel: every dimension is 1 but that of the channels, which is 1 or channels. */
static bool is_per_channel(const lpot_tensor *constant, int num_spatial, int64_t channels) {
  const lpot_shape *shape = &constant->shape;
  if (shape->rank > num_spatial + 2) {
    return false;
  }
  for (int i = 0; i < shape->rank; i++) {
    bool is_channel = shape->rank - i == num_spatial + 1;
    if (shape->dims[i] != 1 && !(is_channel && shape->dims[i] == channels)) {
      return false;
    }
  }
  return true;
}

static lpot_status add_to_bias(lpot_graph *graph, const lpot_node *conv,
                               const lpot_tensor *constant, int64_t channels, lpot_error *err) {
  const lpot_tensor *old_bias = lpot_pass_constant_f32(graph, conv, 2);
  lpot_shape shape = lpot_shape_of(1, &channels);
  lpot_tensor *bias = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &shape, &bias, err));
  float *out = bias->data;
  bool single = lpot_tensor_elements(constant) == 1;
  for (int64_t i = 0; i < channels; i++) {
    double sum = lpot_tensor_get_double(constant, single ? 0 : i);
    if (old_bias != NULL) {
      sum += lpot_tensor_get_double(old_bias, i);
    }
    out[i] = (float)sum;
  }
  LPOT_TRY(lpot_pass_replace_constant(graph, conv, 2, &bias, err));
  return LPOT_OK;
}

/* Tries the Conv at one input of the Add and the constant at the other. */
static lpot_status fold_one(lpot_graph *graph, const lpot_node *add, int conv_index,
                            lpot_error *err) {
  const lpot_node *conv = NULL;
  const lpot_tensor *constant = lpot_pass_constant_f32(graph, add, 1 - conv_index);
  LPOT_TRY(lpot_pass_private_producer(graph, add, conv_index, &conv, err));
  if (constant == NULL || conv == NULL || conv->op != LPOT_OP_CONV) {
    return LPOT_OK;
  }
  const lpot_tensor *weights = lpot_pass_constant_f32(graph, conv, 1);
  if (weights == NULL || weights->shape.rank < 3) {
    return LPOT_OK;
  }
  int64_t channels = weights->shape.dims[0];
  if (!is_per_channel(constant, weights->shape.rank - 2, channels)) {
    return LPOT_OK;
  }
  if (lpot_node_input(conv, 2) != LPOT_NONE) {
    const lpot_tensor *old_bias = lpot_pass_constant_f32(graph, conv, 2);
    if (old_bias == NULL || lpot_tensor_elements(old_bias) != channels) {
      return LPOT_OK;
    }
  }
  LPOT_TRY(add_to_bias(graph, conv, constant, channels, err));
  LPOT_TRY(lpot_pass_absorb(graph, conv, add, err));
  return LPOT_OK;
}

lpot_status lpot_pass_fold_conv_bias(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    for (int k = 0; k < 2 && !node->removed && node->op == LPOT_OP_ADD; k++) {
      LPOT_TRY(fold_one(graph, node, k, err));
    }
  }
  return LPOT_OK;
}
