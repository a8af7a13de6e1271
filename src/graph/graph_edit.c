/* Changing a graph that is already built. */
#include <string.h>

#include "base/memory.h"
#include "graph/graph_storage.h"

/* The log of readers keeps its entries of the node; they are dropped when it is summed up next. So
 * removal needs no memory and cannot fail. */
void lpot_graph_remove_node(lpot_graph *graph, lpot_node_id node) {
  lpot_node_slot *slot = lpot_graph_node_slot(graph, node);
  if (slot->node.removed) {
    return;
  }
  slot->node.removed = true;
  for (int i = 0; i < slot->node.num_outputs; i++) {
    if (slot->node.outputs[i] != LPOT_NONE) {
      graph->values[slot->node.outputs[i]]->value.producer = LPOT_NONE;
    }
  }
  for (int i = 0; i < slot->node.num_inputs; i++) {
    if (slot->node.inputs[i] != LPOT_NONE) {
      graph->values[slot->node.inputs[i]]->readers_dirty = true;
    }
  }
  lpot_graph_touch(graph);
}

static lpot_status check_alive(const lpot_node *node, lpot_error *err) {
  if (node->removed) {
    return LPOT_FAIL(err, LPOT_INVALID, "node '%s' was removed from the graph", node->name);
  }
  return LPOT_OK;
}

static lpot_status change_input(lpot_graph *graph, lpot_node_slot *slot, int index,
                                lpot_value_id value, lpot_error *err) {
  LPOT_TRY(lpot_graph_note_reader(graph, slot->node.inputs[index], slot->node.id, -1, err));
  LPOT_TRY(lpot_graph_note_reader(graph, value, slot->node.id, 1, err));
  slot->node.inputs[index] = value;
  lpot_graph_touch(graph);
  return LPOT_OK;
}

lpot_status lpot_graph_set_input(lpot_graph *graph, lpot_node_id node, int index,
                                 lpot_value_id value, lpot_error *err) {
  lpot_node_slot *slot = lpot_graph_node_slot(graph, node);
  LPOT_TRY(check_alive(&slot->node, err));
  if (index < 0 || index >= slot->node.num_inputs) {
    return LPOT_FAIL(err, LPOT_INVALID, "node '%s' has %d inputs and no input %d", slot->node.name,
                     slot->node.num_inputs, index);
  }
  LPOT_TRY(lpot_graph_check_input(graph, &slot->node, index, value, err));
  LPOT_TRY(change_input(graph, slot, index, value, err));
  return LPOT_OK;
}

lpot_status lpot_graph_set_inputs(lpot_graph *graph, lpot_node_id node, const lpot_value_id *inputs,
                                  size_t num_inputs, lpot_error *err) {
  lpot_node_slot *slot = lpot_graph_node_slot(graph, node);
  LPOT_TRY(check_alive(&slot->node, err));
  LPOT_TRY(lpot_graph_check_inputs(graph, slot->node.op, slot->node.name, inputs, num_inputs, err));
  /* inputs may be the node's own array. */
  lpot_value_id *wanted = lpot_calloc(num_inputs, sizeof *wanted);
  if (wanted == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (num_inputs > 0) {
    memcpy(wanted, inputs, num_inputs * sizeof *wanted);
  }
  lpot_status status = LPOT_OK;
  for (int i = 0; i < slot->node.num_inputs && status == LPOT_OK; i++) {
    status = change_input(graph, slot, i, LPOT_NONE, err);
  }
  if (status == LPOT_OK) {
    status = lpot_graph_store_inputs(graph, slot, num_inputs, err);
  }
  for (size_t i = 0; i < num_inputs && status == LPOT_OK; i++) {
    status = change_input(graph, slot, (int)i, wanted[i], err);
  }
  lpot_free(wanted);
  return status;
}

static lpot_status replace_in_node(lpot_graph *graph, lpot_node_slot *slot, lpot_value_id old_value,
                                   lpot_value_id new_value, lpot_error *err) {
  for (int i = 0; i < slot->node.num_inputs; i++) {
    if (slot->node.inputs[i] == old_value) {
      LPOT_TRY(change_input(graph, slot, i, new_value, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_graph_replace_uses(lpot_graph *graph, lpot_value_id old_value,
                                    lpot_value_id new_value, lpot_node_id except, lpot_error *err) {
  (void)lpot_graph_value_slot(graph, new_value); /* asserts that it exists */
  if (old_value == new_value) {
    return LPOT_OK;
  }
  /* The list of readers stays as it is until somebody asks again: changes only go to the log. */
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_consumers(graph, old_value, &readers, &count, err));
  for (size_t i = 0; i < count; i++) {
    if (readers[i] != except) {
      LPOT_TRY(replace_in_node(graph, graph->nodes[readers[i]], old_value, new_value, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_graph_set_output(lpot_graph *graph, lpot_node_id node, int index,
                                  lpot_value_id value, lpot_error *err) {
  lpot_node_slot *slot = lpot_graph_node_slot(graph, node);
  LPOT_TRY(check_alive(&slot->node, err));
  if (index < 0 || index >= slot->node.num_outputs) {
    return LPOT_FAIL(err, LPOT_INVALID, "node '%s' has %d outputs and no output %d",
                     slot->node.name, slot->node.num_outputs, index);
  }
  if (slot->node.outputs[index] == value) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_graph_check_producible(graph, slot->node.name, value, err));
  if (slot->node.outputs[index] != LPOT_NONE) {
    graph->values[slot->node.outputs[index]]->value.producer = LPOT_NONE;
  }
  slot->node.outputs[index] = value;
  graph->values[value]->value.producer = node;
  lpot_graph_touch(graph);
  return LPOT_OK;
}

void lpot_graph_set_op(lpot_graph *graph, lpot_node_id node, lpot_op op) {
  (void)lpot_op_get_info(op); /* asserts that it exists */
  lpot_graph_node_slot(graph, node)->node.op = op;
}

void lpot_graph_set_value_type(lpot_graph *graph, lpot_value_id value, lpot_dtype dtype,
                               const lpot_shape *shape) {
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  slot->value.dtype = dtype;
  slot->value.shape = shape == NULL ? lpot_shape_unknown() : *shape;
}

void lpot_graph_drop_constant(lpot_graph *graph, lpot_value_id value) {
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  lpot_tensor_unref(slot->value.constant);
  slot->value.constant = NULL;
}
