/* Adding values, nodes, inputs and outputs to a graph, and copying one. */
#include <inttypes.h>
#include <stdio.h>

#include "graph/graph_storage.h"

static bool value_exists(const lpot_graph *graph, lpot_value_id value) {
  return value >= 0 && (size_t)value < graph->num_values;
}

static bool node_name_taken(const lpot_graph *graph, const char *name) {
  return lpot_graph_find_node(graph, name) != LPOT_NONE;
}

static bool value_name_taken(const lpot_graph *graph, const char *name) {
  return lpot_graph_find_value(graph, name) != LPOT_NONE;
}

/* A name made of stem and a number that taken() denies. The counter never goes back, so that all
 * fresh names of a graph together cost linear time. */
static lpot_status fresh_name(lpot_graph *graph, const char *stem,
                              bool (*taken)(const lpot_graph *, const char *),
                              const char **ret_name, lpot_error *err) {
  const char *name = NULL;
  do {
    graph->fresh_counter++;
    name = lpot_arena_printf(graph->arena, "%s_%" PRIu64, stem, graph->fresh_counter);
    if (name == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
  } while (taken(graph, name));
  *ret_name = name;
  return LPOT_OK;
}

static lpot_status check_shape(const char *name, const lpot_shape *shape, lpot_error *err) {
  if (shape->rank < LPOT_RANK_UNKNOWN || shape->rank > LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "value '%s' has rank %d, expected at most %d", name,
                     shape->rank, LPOT_MAX_RANK);
  }
  for (int i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < LPOT_DIM_UNKNOWN || shape->dims[i] > LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "value '%s': dimension %d is %" PRId64 ", out of range",
                       name, i, shape->dims[i]);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_graph_add_value(lpot_graph *graph, const char *name, lpot_dtype dtype,
                                 const lpot_shape *shape, lpot_value_id *ret_value,
                                 lpot_error *err) {
  bool unnamed = name == NULL || name[0] == '\0';
  if (shape != NULL) {
    LPOT_TRY(check_shape(unnamed ? "" : name, shape, err));
  }
  if (unnamed || value_name_taken(graph, name)) {
    LPOT_TRY(fresh_name(graph, unnamed ? "value" : name, value_name_taken, &name, err));
  }
  lpot_value_slot *slot = NULL;
  LPOT_TRY(lpot_graph_store_value(graph, name, &slot, err));
  slot->value.dtype = dtype;
  if (shape != NULL) {
    slot->value.shape = *shape;
  }
  *ret_value = slot->value.id;
  return LPOT_OK;
}

lpot_status lpot_graph_add_constant(lpot_graph *graph, const char *name, lpot_tensor **tensor,
                                    lpot_value_id *ret_value, lpot_error *err) {
  lpot_value_id value = LPOT_NONE;
  lpot_status status =
      lpot_graph_add_value(graph, name, (*tensor)->dtype, &(*tensor)->shape, &value, err);
  if (status != LPOT_OK) {
    lpot_tensor_unref(*tensor);
    *tensor = NULL;
    return status;
  }
  lpot_graph_value_slot(graph, value)->value.constant = *tensor;
  *tensor = NULL;
  *ret_value = value;
  return LPOT_OK;
}

lpot_status lpot_graph_set_constant(lpot_graph *graph, lpot_value_id value, lpot_tensor **tensor,
                                    lpot_error *err) {
  lpot_tensor *taken = *tensor;
  *tensor = NULL;
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  if (slot->value.producer != LPOT_NONE) {
    lpot_tensor_unref(taken);
    return LPOT_FAIL(err, LPOT_FORMAT, "value '%s' is both a constant and the output of node '%s'",
                     slot->value.name, graph->nodes[slot->value.producer]->node.name);
  }
  lpot_tensor_unref(slot->value.constant);
  slot->value.constant = taken;
  slot->value.dtype = taken->dtype;
  slot->value.shape = taken->shape;
  if (slot->is_input) {
    slot->is_input = false;
    graph->cache->inputs_dirty = true;
  }
  lpot_graph_touch(graph);
  return LPOT_OK;
}

lpot_status lpot_graph_add_input(lpot_graph *graph, lpot_value_id value, lpot_error *err) {
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  if (slot->value.constant != NULL) {
    return LPOT_OK;
  }
  if (slot->is_input) {
    return LPOT_FAIL(err, LPOT_FORMAT, "graph input '%s' is listed twice", slot->value.name);
  }
  if (slot->value.producer != LPOT_NONE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "graph input '%s' is also the output of node '%s'",
                     slot->value.name, graph->nodes[slot->value.producer]->node.name);
  }
  /* Asking for the number also drops inputs that became constants: one of them may come back. */
  size_t count = lpot_graph_num_inputs(graph);
  void *items = graph->inputs;
  LPOT_TRY(lpot_graph_grow(&items, &graph->input_capacity, count + 1, sizeof *graph->inputs, err));
  graph->inputs = items;
  graph->inputs[count] = value;
  graph->cache->num_inputs = count + 1;
  slot->is_input = true;
  lpot_graph_touch(graph);
  return LPOT_OK;
}

lpot_status lpot_graph_add_output(lpot_graph *graph, lpot_value_id value, lpot_error *err) {
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  if (slot->is_output) {
    return LPOT_FAIL(err, LPOT_FORMAT, "graph output '%s' is listed twice", slot->value.name);
  }
  void *items = graph->outputs;
  LPOT_TRY(lpot_graph_grow(&items, &graph->output_capacity, graph->num_outputs + 1,
                           sizeof *graph->outputs, err));
  graph->outputs = items;
  graph->outputs[graph->num_outputs++] = value;
  slot->is_output = true;
  return LPOT_OK;
}

/* ---- nodes ---- */

static lpot_status check_count(const char *node_name, const lpot_op_info *info, const char *what,
                               size_t count, int minimum, int maximum, lpot_error *err) {
  if (count > INT32_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s' has too many %s", node_name, what);
  }
  if ((int)count < minimum || (maximum >= 0 && (int)count > maximum)) {
    char upper[16] = "more";
    if (maximum >= 0) {
      (void)snprintf(upper, sizeof upper, "%d", maximum);
    }
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s': %s has %zu %s, expected %d to %s", node_name,
                     info->name, count, what, minimum, upper);
  }
  return LPOT_OK;
}

static lpot_status check_id(const lpot_graph *graph, const char *node_name, const char *what,
                            size_t index, lpot_value_id id, bool required, lpot_error *err) {
  if (id == LPOT_NONE && required) {
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s': %s %zu is left out but required", node_name,
                     what, index);
  }
  if (id != LPOT_NONE && !value_exists(graph, id)) {
    return LPOT_FAIL(err, LPOT_INVALID, "node '%s': %s %zu is no value: %d", node_name, what, index,
                     (int)id);
  }
  return LPOT_OK;
}

/* Every id must exist; of those below `required` none may be left out. */
static lpot_status check_outputs(const lpot_graph *graph, const char *node_name,
                                 const lpot_value_id *ids, size_t count, int required,
                                 lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(check_id(graph, node_name, "output", i, ids[i], i < (size_t)required, err));
  }
  return LPOT_OK;
}

lpot_status lpot_graph_check_input(const lpot_graph *graph, const lpot_node *node, int index,
                                   lpot_value_id value, lpot_error *err) {
  bool required = lpot_op_requires_input(node->op, (size_t)index);
  LPOT_TRY(check_id(graph, node->name, "input", (size_t)index, value, required, err));
  return LPOT_OK;
}

lpot_status lpot_graph_check_inputs(const lpot_graph *graph, lpot_op op, const char *node_name,
                                    const lpot_value_id *inputs, size_t num_inputs,
                                    lpot_error *err) {
  const lpot_op_info *info = lpot_op_get_info(op);
  LPOT_TRY(
      check_count(node_name, info, "inputs", num_inputs, info->min_inputs, info->max_inputs, err));
  for (size_t i = 0; i < num_inputs; i++) {
    bool required = lpot_op_requires_input(op, i);
    LPOT_TRY(check_id(graph, node_name, "input", i, inputs[i], required, err));
  }
  return LPOT_OK;
}

lpot_status lpot_graph_check_producible(const lpot_graph *graph, const char *node_name,
                                        lpot_value_id value, lpot_error *err) {
  const lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  if (slot->value.producer != LPOT_NONE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s': output '%s' is already produced by node '%s'",
                     node_name, slot->value.name, graph->nodes[slot->value.producer]->node.name);
  }
  if (slot->is_input || slot->value.constant != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s': output '%s' is already a graph %s", node_name,
                     slot->value.name, slot->is_input ? "input" : "constant");
  }
  return LPOT_OK;
}

static lpot_status check_node(const lpot_graph *graph, lpot_op op, const char *node_name,
                              const lpot_value_id *inputs, size_t num_inputs,
                              const lpot_value_id *outputs, size_t num_outputs, lpot_error *err) {
  const lpot_op_info *info = lpot_op_get_info(op);
  LPOT_TRY(lpot_graph_check_inputs(graph, op, node_name, inputs, num_inputs, err));
  LPOT_TRY(check_count(node_name, info, "outputs", num_outputs, info->min_outputs,
                       info->max_outputs, err));
  LPOT_TRY(check_outputs(graph, node_name, outputs, num_outputs, info->min_outputs, err));
  for (size_t i = 0; i < num_outputs; i++) {
    if (outputs[i] != LPOT_NONE) {
      LPOT_TRY(lpot_graph_check_producible(graph, node_name, outputs[i], err));
    }
  }
  return LPOT_OK;
}

/* The name that the node shall have; only a fresh one makes use of the arena. */
static lpot_status choose_node_name(lpot_graph *graph, lpot_op op, const char *name,
                                    const lpot_value_id *outputs, size_t num_outputs,
                                    const char **ret_name, lpot_error *err) {
  if (name != NULL && name[0] != '\0' && !node_name_taken(graph, name)) {
    *ret_name = name;
    return LPOT_OK;
  }
  if (num_outputs > 0 && value_exists(graph, outputs[0])) {
    const char *output_name = graph->values[outputs[0]]->value.name;
    if (!node_name_taken(graph, output_name)) {
      *ret_name = output_name;
      return LPOT_OK;
    }
  }
  LPOT_TRY(fresh_name(graph, lpot_op_get_info(op)->name, node_name_taken, ret_name, err));
  return LPOT_OK;
}

/* Gives the node its outputs. One value listed twice is found here: the first time makes node its
 * producer. */
static lpot_status store_outputs(lpot_graph *graph, lpot_node_slot *slot,
                                 const lpot_value_id *outputs, size_t count, lpot_error *err) {
  slot->node.outputs = lpot_arena_alloc(graph->arena, count, sizeof *slot->node.outputs);
  if (slot->node.outputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  slot->node.num_outputs = (int)count;
  for (size_t i = 0; i < count; i++) {
    slot->node.outputs[i] = LPOT_NONE;
  }
  for (size_t i = 0; i < count; i++) {
    if (outputs[i] == LPOT_NONE) {
      continue;
    }
    LPOT_TRY(lpot_graph_check_producible(graph, slot->node.name, outputs[i], err));
    slot->node.outputs[i] = outputs[i];
    graph->values[outputs[i]]->value.producer = slot->node.id;
  }
  return LPOT_OK;
}

lpot_status lpot_graph_add_node(lpot_graph *graph, lpot_op op, const char *name,
                                const lpot_value_id *inputs, size_t num_inputs,
                                const lpot_value_id *outputs, size_t num_outputs,
                                lpot_node_id *ret_node, lpot_error *err) {
  const char *chosen = NULL;
  LPOT_TRY(choose_node_name(graph, op, name, outputs, num_outputs, &chosen, err));
  LPOT_TRY(check_node(graph, op, chosen, inputs, num_inputs, outputs, num_outputs, err));
  lpot_node_slot *slot = NULL;
  LPOT_TRY(lpot_graph_store_node(graph, chosen, &slot, err));
  slot->node.op = op;
  LPOT_TRY(lpot_graph_store_inputs(graph, slot, num_inputs, err));
  LPOT_TRY(store_outputs(graph, slot, outputs, num_outputs, err));
  for (size_t i = 0; i < num_inputs; i++) {
    LPOT_TRY(lpot_graph_note_reader(graph, inputs[i], slot->node.id, 1, err));
    slot->node.inputs[i] = inputs[i];
  }
  lpot_graph_touch(graph);
  if (ret_node != NULL) {
    *ret_node = slot->node.id;
  }
  return LPOT_OK;
}
