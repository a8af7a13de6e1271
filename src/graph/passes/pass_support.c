#include "graph/passes/pass_support.h"

#include "base/memory.h"
#include "graph/graph_storage.h"

const lpot_tensor *lpot_pass_constant_f32(const lpot_graph *graph, const lpot_node *node,
                                          int index) {
  lpot_value_id id = lpot_node_input(node, index);
  const lpot_tensor *tensor = id == LPOT_NONE ? NULL : lpot_graph_value(graph, id)->constant;
  return tensor != NULL && tensor->dtype == LPOT_F32 ? tensor : NULL;
}

lpot_status lpot_pass_private_producer(const lpot_graph *graph, const lpot_node *node, int index,
                                       const lpot_node **ret_producer, lpot_error *err) {
  *ret_producer = NULL;
  lpot_value_id id = lpot_node_input(node, index);
  if (id == LPOT_NONE || lpot_graph_is_output(graph, id)) {
    return LPOT_OK;
  }
  lpot_node_id producer = lpot_graph_value(graph, id)->producer;
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_consumers(graph, id, &readers, &count, err));
  if (producer != LPOT_NONE && count == 1 && readers[0] == node->id) {
    *ret_producer = lpot_graph_node(graph, producer);
  }
  return LPOT_OK;
}

/* All inputs of node, with another one at index. */
static lpot_status set_or_append_input(lpot_graph *graph, const lpot_node *node, int index,
                                       lpot_value_id value, lpot_error *err) {
  if (index < node->num_inputs) {
    LPOT_TRY(lpot_graph_set_input(graph, node->id, index, value, err));
    return LPOT_OK;
  }
  size_t count = (size_t)index + 1;
  lpot_value_id *inputs = lpot_calloc(count, sizeof *inputs);
  if (inputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (int i = 0; i < index; i++) {
    inputs[i] = lpot_node_input(node, i);
  }
  inputs[index] = value;
  lpot_status status = lpot_graph_set_inputs(graph, node->id, inputs, count, err);
  lpot_free(inputs);
  return status;
}

lpot_status lpot_pass_replace_constant(lpot_graph *graph, const lpot_node *node, int index,
                                       lpot_tensor **tensor, lpot_error *err) {
  lpot_value_id old_value = lpot_node_input(node, index);
  const char *name = NULL;
  if (old_value != LPOT_NONE) {
    name = lpot_graph_value(graph, old_value)->name;
  } else {
    name = lpot_arena_printf(graph->arena, "%s_bias", node->name);
  }
  lpot_value_id value = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_constant(graph, name, tensor, &value, err));
  LPOT_TRY(set_or_append_input(graph, node, index, value, err));
  return LPOT_OK;
}

lpot_status lpot_pass_absorb(lpot_graph *graph, const lpot_node *node, const lpot_node *last,
                             lpot_error *err) {
  lpot_value_id output = last->outputs[0];
  lpot_graph_remove_node(graph, last->id);
  LPOT_TRY(lpot_graph_set_output(graph, node->id, 0, output, err));
  return LPOT_OK;
}
