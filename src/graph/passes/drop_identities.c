#include "graph/passes/pass_support.h"
#include "graph/passes/passes.h"

/* Identity, and Dropout that does not train and whose mask nobody sees. */
static lpot_status is_identity(const lpot_graph *graph, const lpot_node *node, bool *ret,
                               lpot_error *err) {
  *ret = false;
  if (node->op != LPOT_OP_IDENTITY && node->op != LPOT_OP_DROPOUT) {
    return LPOT_OK;
  }
  if (node->num_outputs > 1 && node->outputs[1] != LPOT_NONE) {
    const lpot_node_id *readers = NULL;
    size_t count = 0;
    LPOT_TRY(lpot_graph_consumers(graph, node->outputs[1], &readers, &count, err));
    if (count > 0 || lpot_graph_is_output(graph, node->outputs[1])) {
      return LPOT_OK;
    }
  }
  lpot_value_id training = node->op == LPOT_OP_DROPOUT ? lpot_node_input(node, 2) : LPOT_NONE;
  if (training != LPOT_NONE) {
    const lpot_tensor *constant = lpot_graph_value(graph, training)->constant;
    if (constant == NULL || lpot_tensor_elements(constant) != 1 ||
        lpot_tensor_get_int(constant, 0) != 0) {
      return LPOT_OK;
    }
  }
  *ret = true;
  return LPOT_OK;
}

/* The graph output keeps its name: what produced the node's input now produces the output. Where
 * that cannot be (the input is a graph input, a constant or an output itself) the node stays. */
static lpot_status drop_before_output(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  lpot_value_id input = node->inputs[0];
  lpot_value_id output = node->outputs[0];
  lpot_node_id producer = lpot_graph_value(graph, input)->producer;
  if (producer == LPOT_NONE || lpot_graph_is_output(graph, input)) {
    return LPOT_OK;
  }
  const lpot_node *source = lpot_graph_node(graph, producer);
  int index = 0;
  while (source->outputs[index] != input) {
    index++;
  }
  lpot_graph_remove_node(graph, node->id);
  LPOT_TRY(lpot_graph_set_output(graph, producer, index, output, err));
  LPOT_TRY(lpot_graph_replace_uses(graph, input, output, LPOT_NONE, err));
  return LPOT_OK;
}

lpot_status lpot_pass_drop_identities(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    bool identity = false;
    if (node->removed) {
      continue;
    }
    LPOT_TRY(is_identity(graph, node, &identity, err));
    if (!identity) {
      continue;
    }
    if (lpot_graph_is_output(graph, node->outputs[0])) {
      LPOT_TRY(drop_before_output(graph, node, err));
      continue;
    }
    LPOT_TRY(lpot_graph_replace_uses(graph, node->outputs[0], node->inputs[0], LPOT_NONE, err));
    lpot_graph_remove_node(graph, node->id);
  }
  return LPOT_OK;
}
