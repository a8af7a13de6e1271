#include "graph/graph.h"

#include <string.h>

#include "base/memory.h"
#include "graph/graph_storage.h"

#define DEFAULT_OPSET 13

lpot_status lpot_graph_new(const char *name, lpot_graph **ret_graph, lpot_error *err) {
  lpot_graph *graph = lpot_calloc(1, sizeof *graph);
  if (graph == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  graph->opset = DEFAULT_OPSET;
  graph->cache = lpot_calloc(1, sizeof *graph->cache);
  lpot_status status = graph->cache == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  if (status == LPOT_OK) {
    status = lpot_arena_new(&graph->arena, err);
  }
  if (status == LPOT_OK) {
    status = lpot_hash_map_new(&graph->value_names, err);
  }
  if (status == LPOT_OK) {
    status = lpot_hash_map_new(&graph->node_names, err);
  }
  if (status == LPOT_OK) {
    graph->name = lpot_arena_strdup(graph->arena, name == NULL ? "" : name);
    status = graph->name == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  }
  if (status != LPOT_OK) {
    lpot_graph_free(graph);
    return status;
  }
  *ret_graph = graph;
  return LPOT_OK;
}

static void free_node(lpot_node_slot *slot) {
  for (int i = 0; i < slot->node.num_attributes; i++) {
    lpot_tensor_unref(slot->attributes[i].tensor);
  }
}

static void free_value(lpot_value_slot *slot) {
  lpot_tensor_unref(slot->value.constant);
  lpot_free(slot->entries);
  lpot_free(slot->readers);
}

void lpot_graph_free(lpot_graph *graph) {
  if (graph == NULL) {
    return;
  }
  for (size_t i = 0; i < graph->num_nodes; i++) {
    free_node(graph->nodes[i]);
  }
  for (size_t i = 0; i < graph->num_values; i++) {
    free_value(graph->values[i]);
  }
  if (graph->cache != NULL) {
    lpot_free(graph->cache->order);
  }
  lpot_free(graph->cache);
  lpot_free(graph->nodes);
  lpot_free(graph->values);
  lpot_free(graph->inputs);
  lpot_free(graph->outputs);
  lpot_hash_map_free(graph->value_names);
  lpot_hash_map_free(graph->node_names);
  lpot_arena_free(graph->arena);
  lpot_free(graph);
}

/* ---- storage ---- */

lpot_status lpot_graph_grow(void **items, size_t *capacity, size_t count, size_t item_size,
                            lpot_error *err) {
  if (count <= *capacity) {
    return LPOT_OK;
  }
  size_t wanted = *capacity > SIZE_MAX / 2 ? count : *capacity * 2;
  if (wanted < 8) {
    wanted = 8;
  }
  if (wanted < count) {
    wanted = count;
  }
  void *grown = lpot_realloc(*items, wanted, item_size);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *items = grown;
  *capacity = wanted;
  return LPOT_OK;
}

lpot_status lpot_graph_store_node(lpot_graph *graph, const char *name, lpot_node_slot **ret_slot,
                                  lpot_error *err) {
  if (graph->num_nodes >= INT32_MAX) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "graph '%s' has more than %d nodes", graph->name,
                     INT32_MAX);
  }
  void *items = graph->nodes;
  LPOT_TRY(lpot_graph_grow(&items, &graph->node_capacity, graph->num_nodes + 1,
                           sizeof *graph->nodes, err));
  graph->nodes = items;
  lpot_node_slot *slot = lpot_arena_alloc(graph->arena, 1, sizeof *slot);
  const char *copy = lpot_arena_strdup(graph->arena, name);
  if (slot == NULL || copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  slot->node.id = (lpot_node_id)graph->num_nodes;
  slot->node.name = copy;
  LPOT_TRY(lpot_hash_map_put(graph->node_names, copy, slot->node.id, err));
  graph->nodes[graph->num_nodes++] = slot;
  *ret_slot = slot;
  return LPOT_OK;
}

lpot_status lpot_graph_store_value(lpot_graph *graph, const char *name, lpot_value_slot **ret_slot,
                                   lpot_error *err) {
  if (graph->num_values >= INT32_MAX) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "graph '%s' has more than %d values", graph->name,
                     INT32_MAX);
  }
  void *items = graph->values;
  LPOT_TRY(lpot_graph_grow(&items, &graph->value_capacity, graph->num_values + 1,
                           sizeof *graph->values, err));
  graph->values = items;
  lpot_value_slot *slot = lpot_arena_alloc(graph->arena, 1, sizeof *slot);
  const char *copy = lpot_arena_strdup(graph->arena, name);
  if (slot == NULL || copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  slot->value.id = (lpot_value_id)graph->num_values;
  slot->value.name = copy;
  slot->value.dtype = LPOT_DTYPE_UNKNOWN;
  slot->value.shape = lpot_shape_unknown();
  slot->value.producer = LPOT_NONE;
  LPOT_TRY(lpot_hash_map_put(graph->value_names, copy, slot->value.id, err));
  graph->values[graph->num_values++] = slot;
  *ret_slot = slot;
  return LPOT_OK;
}

lpot_status lpot_graph_store_inputs(lpot_graph *graph, lpot_node_slot *slot, size_t count,
                                    lpot_error *err) {
  if (count > slot->input_capacity) {
    lpot_value_id *inputs = lpot_arena_alloc(graph->arena, count, sizeof *inputs);
    if (inputs == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    slot->node.inputs = inputs;
    slot->input_capacity = count;
  }
  slot->node.num_inputs = (int)count;
  for (size_t i = 0; i < count; i++) {
    slot->node.inputs[i] = LPOT_NONE;
  }
  return LPOT_OK;
}

void lpot_graph_touch(lpot_graph *graph) {
  graph->cache->order_valid = false;
}

lpot_node_slot *lpot_graph_node_slot(const lpot_graph *graph, lpot_node_id id) {
  LPOT_ASSERT(id >= 0 && (size_t)id < graph->num_nodes);
  return graph->nodes[id];
}

lpot_value_slot *lpot_graph_value_slot(const lpot_graph *graph, lpot_value_id id) {
  LPOT_ASSERT(id >= 0 && (size_t)id < graph->num_values);
  return graph->values[id];
}

/* ---- reading ---- */

const char *lpot_graph_name(const lpot_graph *graph) {
  return graph->name;
}

int lpot_graph_opset(const lpot_graph *graph) {
  return graph->opset;
}

void lpot_graph_set_opset(lpot_graph *graph, int opset) {
  graph->opset = opset;
}

size_t lpot_graph_num_nodes(const lpot_graph *graph) {
  return graph->num_nodes;
}

size_t lpot_graph_num_values(const lpot_graph *graph) {
  return graph->num_values;
}

const lpot_node *lpot_graph_node(const lpot_graph *graph, lpot_node_id id) {
  return &lpot_graph_node_slot(graph, id)->node;
}

const lpot_value *lpot_graph_value(const lpot_graph *graph, lpot_value_id id) {
  return &lpot_graph_value_slot(graph, id)->value;
}

lpot_value_id lpot_graph_find_value(const lpot_graph *graph, const char *name) {
  int64_t id = LPOT_NONE;
  if (name == NULL || !lpot_hash_map_get(graph->value_names, name, &id)) {
    return LPOT_NONE;
  }
  return (lpot_value_id)id;
}

lpot_node_id lpot_graph_find_node(const lpot_graph *graph, const char *name) {
  int64_t id = LPOT_NONE;
  if (name == NULL || !lpot_hash_map_get(graph->node_names, name, &id)) {
    return LPOT_NONE;
  }
  return graph->nodes[id]->node.removed ? LPOT_NONE : (lpot_node_id)id;
}

/* Constants given to inputs are left out here and not when they come, so that a model that lists
 * all its initializers as inputs costs no quadratic time. */
static void compact_inputs(const lpot_graph *graph) {
  if (!graph->cache->inputs_dirty) {
    return;
  }
  size_t kept = 0;
  for (size_t i = 0; i < graph->cache->num_inputs; i++) {
    if (graph->values[graph->inputs[i]]->is_input) {
      graph->inputs[kept++] = graph->inputs[i];
    }
  }
  graph->cache->num_inputs = kept;
  graph->cache->inputs_dirty = false;
}

size_t lpot_graph_num_inputs(const lpot_graph *graph) {
  compact_inputs(graph);
  return graph->cache->num_inputs;
}

lpot_value_id lpot_graph_input(const lpot_graph *graph, size_t index) {
  compact_inputs(graph);
  LPOT_ASSERT(index < graph->cache->num_inputs);
  return graph->inputs[index];
}

size_t lpot_graph_num_outputs(const lpot_graph *graph) {
  return graph->num_outputs;
}

lpot_value_id lpot_graph_output(const lpot_graph *graph, size_t index) {
  LPOT_ASSERT(index < graph->num_outputs);
  return graph->outputs[index];
}

bool lpot_graph_is_output(const lpot_graph *graph, lpot_value_id value) {
  return lpot_graph_value_slot(graph, value)->is_output;
}
