/* Copying a graph: same ids, same names, shared constants. */
#include <string.h>

#include "graph/graph_storage.h"

static lpot_status copy_value(lpot_graph *copy, const lpot_value_slot *source, lpot_error *err) {
  lpot_value_slot *slot = NULL;
  LPOT_TRY(lpot_graph_store_value(copy, source->value.name, &slot, err));
  slot->value.dtype = source->value.dtype;
  slot->value.shape = source->value.shape;
  slot->value.producer = source->value.producer;
  if (source->value.constant != NULL) {
    slot->value.constant = lpot_tensor_ref(source->value.constant);
  }
  slot->is_input = source->is_input;
  slot->is_output = source->is_output;
  return LPOT_OK;
}

static lpot_status copy_attribute(lpot_graph *copy, lpot_node_id node,
                                  const lpot_attribute *attribute, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  switch (attribute->kind) {
  case LPOT_ATTRIBUTE_INT:
    LPOT_TRY(lpot_graph_set_int(copy, node, attribute->name, attribute->integer, err));
    break;
  case LPOT_ATTRIBUTE_FLOAT:
    LPOT_TRY(lpot_graph_set_float(copy, node, attribute->name, attribute->real, err));
    break;
  case LPOT_ATTRIBUTE_STRING:
    LPOT_TRY(lpot_graph_set_string(copy, node, attribute->name, attribute->string, err));
    break;
  case LPOT_ATTRIBUTE_INTS:
    LPOT_TRY(lpot_graph_set_ints(copy, node, attribute->name, attribute->integers, attribute->count,
                                 err));
    break;
  case LPOT_ATTRIBUTE_FLOATS:
    LPOT_TRY(lpot_graph_set_floats(copy, node, attribute->name, attribute->reals, attribute->count,
                                   err));
    break;
  case LPOT_ATTRIBUTE_STRINGS:
    LPOT_TRY(lpot_graph_set_strings(copy, node, attribute->name, attribute->strings,
                                    attribute->count, err));
    break;
  case LPOT_ATTRIBUTE_TENSOR:
    tensor = lpot_tensor_ref(attribute->tensor);
    LPOT_TRY(lpot_graph_set_tensor(copy, node, attribute->name, &tensor, err));
    break;
  }
  return LPOT_OK;
}

static lpot_status copy_node(lpot_graph *copy, const lpot_node *source, lpot_error *err) {
  lpot_node_slot *slot = NULL;
  LPOT_TRY(lpot_graph_store_node(copy, source->name, &slot, err));
  slot->node.op = source->op;
  slot->node.removed = source->removed;
  LPOT_TRY(lpot_graph_store_inputs(copy, slot, (size_t)source->num_inputs, err));
  for (int i = 0; i < source->num_inputs; i++) {
    slot->node.inputs[i] = source->inputs[i];
    if (!source->removed) {
      LPOT_TRY(lpot_graph_note_reader(copy, source->inputs[i], source->id, 1, err));
    }
  }
  size_t num_outputs = (size_t)source->num_outputs;
  slot->node.outputs = lpot_arena_alloc(copy->arena, num_outputs, sizeof *slot->node.outputs);
  if (slot->node.outputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  slot->node.num_outputs = source->num_outputs;
  for (int i = 0; i < source->num_outputs; i++) {
    slot->node.outputs[i] = source->outputs[i];
  }
  for (int i = 0; i < source->num_attributes; i++) {
    LPOT_TRY(copy_attribute(copy, source->id, &source->attributes[i], err));
  }
  return LPOT_OK;
}

static lpot_status copy_ids(lpot_value_id **ids, size_t *capacity, const lpot_value_id *source,
                            size_t count, lpot_error *err) {
  void *items = *ids;
  LPOT_TRY(lpot_graph_grow(&items, capacity, count, sizeof **ids, err));
  *ids = items;
  for (size_t i = 0; i < count; i++) {
    (*ids)[i] = source[i];
  }
  return LPOT_OK;
}

/* A later node may have taken the name of a removed one, so that the last put must win as it did
 * in the source: nodes are copied by ascending id, as they were added. */
static lpot_status copy_contents(lpot_graph *copy, const lpot_graph *graph, lpot_error *err) {
  copy->opset = graph->opset;
  copy->fresh_counter = graph->fresh_counter;
  for (size_t i = 0; i < graph->num_values; i++) {
    LPOT_TRY(copy_value(copy, graph->values[i], err));
  }
  for (size_t i = 0; i < graph->num_nodes; i++) {
    LPOT_TRY(copy_node(copy, &graph->nodes[i]->node, err));
  }
  size_t num_inputs = lpot_graph_num_inputs(graph);
  LPOT_TRY(copy_ids(&copy->inputs, &copy->input_capacity, graph->inputs, num_inputs, err));
  copy->cache->num_inputs = num_inputs;
  LPOT_TRY(
      copy_ids(&copy->outputs, &copy->output_capacity, graph->outputs, graph->num_outputs, err));
  copy->num_outputs = graph->num_outputs;
  return LPOT_OK;
}

lpot_status lpot_graph_clone(const lpot_graph *graph, lpot_graph **ret_graph, lpot_error *err) {
  lpot_graph *copy = NULL;
  LPOT_TRY(lpot_graph_new(graph->name, &copy, err));
  lpot_status status = copy_contents(copy, graph, err);
  if (status != LPOT_OK) {
    lpot_graph_free(copy);
    return status;
  }
  *ret_graph = copy;
  return LPOT_OK;
}
