/* Attributes of nodes: setting them on a graph, reading them from a node. */
#include <string.h>

#include "graph/graph_storage.h"

/* No operator has a tenth of this; it bounds the linear search by name for hostile files. */
#define MAX_ATTRIBUTES 256

/* ---- setting ---- */

static lpot_attribute *find_attribute(const lpot_node_slot *slot, const char *name) {
  for (int i = 0; i < slot->node.num_attributes; i++) {
    if (strcmp(slot->attributes[i].name, name) == 0) {
      return &slot->attributes[i];
    }
  }
  return NULL;
}

static lpot_status grow_attributes(lpot_graph *graph, lpot_node_slot *slot, lpot_error *err) {
  size_t count = (size_t)slot->node.num_attributes;
  if (count < slot->attribute_capacity) {
    return LPOT_OK;
  }
  if (count >= MAX_ATTRIBUTES) {
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s' has more than %d attributes", slot->node.name,
                     MAX_ATTRIBUTES);
  }
  size_t capacity = count == 0 ? 4 : count * 2;
  lpot_attribute *attributes = lpot_arena_alloc(graph->arena, capacity, sizeof *attributes);
  if (attributes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    attributes[i] = slot->attributes[i];
  }
  slot->attributes = attributes;
  slot->node.attributes = attributes;
  slot->attribute_capacity = capacity;
  return LPOT_OK;
}

lpot_status lpot_graph_store_attribute(lpot_graph *graph, lpot_node_slot *slot, const char *name,
                                       lpot_attribute **ret_attribute, lpot_error *err) {
  lpot_attribute *attribute = find_attribute(slot, name);
  if (attribute != NULL) {
    lpot_tensor_unref(attribute->tensor);
    *attribute = (lpot_attribute){.name = attribute->name};
    *ret_attribute = attribute;
    return LPOT_OK;
  }
  LPOT_TRY(grow_attributes(graph, slot, err));
  const char *copy = lpot_arena_strdup(graph->arena, name);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  attribute = &slot->attributes[slot->node.num_attributes++];
  *attribute = (lpot_attribute){.name = copy};
  *ret_attribute = attribute;
  return LPOT_OK;
}

lpot_status lpot_graph_set_int(lpot_graph *graph, lpot_node_id node, const char *name,
                               int64_t value, lpot_error *err) {
  lpot_attribute *attribute = NULL;
  LPOT_TRY(
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err));
  attribute->kind = LPOT_ATTRIBUTE_INT;
  attribute->integer = value;
  return LPOT_OK;
}

lpot_status lpot_graph_set_float(lpot_graph *graph, lpot_node_id node, const char *name,
                                 float value, lpot_error *err) {
  lpot_attribute *attribute = NULL;
  LPOT_TRY(
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err));
  attribute->kind = LPOT_ATTRIBUTE_FLOAT;
  attribute->real = value;
  return LPOT_OK;
}

lpot_status lpot_graph_set_string(lpot_graph *graph, lpot_node_id node, const char *name,
                                  const char *value, lpot_error *err) {
  const char *copy = lpot_arena_strdup(graph->arena, value);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_attribute *attribute = NULL;
  LPOT_TRY(
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err));
  attribute->kind = LPOT_ATTRIBUTE_STRING;
  attribute->string = copy;
  return LPOT_OK;
}

lpot_status lpot_graph_set_ints(lpot_graph *graph, lpot_node_id node, const char *name,
                                const int64_t *values, size_t count, lpot_error *err) {
  int64_t *copy = lpot_arena_alloc(graph->arena, count, sizeof *copy);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copy[i] = values[i];
  }
  lpot_attribute *attribute = NULL;
  LPOT_TRY(
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err));
  attribute->kind = LPOT_ATTRIBUTE_INTS;
  attribute->integers = copy;
  attribute->count = count;
  return LPOT_OK;
}

lpot_status lpot_graph_set_floats(lpot_graph *graph, lpot_node_id node, const char *name,
                                  const float *values, size_t count, lpot_error *err) {
  float *copy = lpot_arena_alloc(graph->arena, count, sizeof *copy);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copy[i] = values[i];
  }
  lpot_attribute *attribute = NULL;
  LPOT_TRY(
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err));
  attribute->kind = LPOT_ATTRIBUTE_FLOATS;
  attribute->reals = copy;
  attribute->count = count;
  return LPOT_OK;
}

lpot_status lpot_graph_set_strings(lpot_graph *graph, lpot_node_id node, const char *name,
                                   const char *const *values, size_t count, lpot_error *err) {
  const char **copy = lpot_arena_alloc(graph->arena, count, sizeof *copy);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copy[i] = lpot_arena_strdup(graph->arena, values[i]);
    if (copy[i] == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
  }
  lpot_attribute *attribute = NULL;
  LPOT_TRY(
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err));
  attribute->kind = LPOT_ATTRIBUTE_STRINGS;
  attribute->strings = copy;
  attribute->count = count;
  return LPOT_OK;
}

lpot_status lpot_graph_set_tensor(lpot_graph *graph, lpot_node_id node, const char *name,
                                  lpot_tensor **tensor, lpot_error *err) {
  lpot_tensor *taken = *tensor;
  *tensor = NULL;
  lpot_attribute *attribute = NULL;
  lpot_status status =
      lpot_graph_store_attribute(graph, lpot_graph_node_slot(graph, node), name, &attribute, err);
  if (status != LPOT_OK) {
    lpot_tensor_unref(taken);
    return status;
  }
  attribute->kind = LPOT_ATTRIBUTE_TENSOR;
  attribute->tensor = taken;
  return LPOT_OK;
}

void lpot_graph_remove_attribute(lpot_graph *graph, lpot_node_id node, const char *name) {
  lpot_node_slot *slot = lpot_graph_node_slot(graph, node);
  lpot_attribute *attribute = find_attribute(slot, name);
  if (attribute == NULL) {
    return;
  }
  lpot_tensor_unref(attribute->tensor);
  lpot_attribute *last = &slot->attributes[slot->node.num_attributes - 1];
  for (; attribute < last; attribute++) {
    *attribute = attribute[1];
  }
  slot->node.num_attributes--;
}

/* ---- reading ---- */

const lpot_attribute *lpot_node_attribute(const lpot_node *node, const char *name) {
  for (int i = 0; i < node->num_attributes; i++) {
    if (strcmp(node->attributes[i].name, name) == 0) {
      return &node->attributes[i];
    }
  }
  return NULL;
}

static const lpot_attribute *attribute_of_kind(const lpot_node *node, const char *name,
                                               lpot_attribute_kind kind) {
  const lpot_attribute *attribute = lpot_node_attribute(node, name);
  return attribute != NULL && attribute->kind == kind ? attribute : NULL;
}

int64_t lpot_node_int(const lpot_node *node, const char *name, int64_t fallback) {
  const lpot_attribute *attribute = attribute_of_kind(node, name, LPOT_ATTRIBUTE_INT);
  return attribute == NULL ? fallback : attribute->integer;
}

float lpot_node_float(const lpot_node *node, const char *name, float fallback) {
  const lpot_attribute *attribute = attribute_of_kind(node, name, LPOT_ATTRIBUTE_FLOAT);
  return attribute == NULL ? fallback : attribute->real;
}

const char *lpot_node_string(const lpot_node *node, const char *name, const char *fallback) {
  const lpot_attribute *attribute = attribute_of_kind(node, name, LPOT_ATTRIBUTE_STRING);
  return attribute == NULL ? fallback : attribute->string;
}

size_t lpot_node_ints(const lpot_node *node, const char *name, const int64_t **ret_values) {
  const lpot_attribute *attribute = attribute_of_kind(node, name, LPOT_ATTRIBUTE_INTS);
  *ret_values = attribute == NULL ? NULL : attribute->integers;
  return attribute == NULL ? 0 : attribute->count;
}

lpot_value_id lpot_node_input(const lpot_node *node, int index) {
  return index >= 0 && index < node->num_inputs ? node->inputs[index] : LPOT_NONE;
}
