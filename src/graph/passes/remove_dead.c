#include "base/memory.h"
#include "graph/passes/passes.h"

static lpot_status is_read(const lpot_graph *graph, const lpot_node *node, bool *ret,
                           lpot_error *err) {
  *ret = false;
  for (int i = 0; i < node->num_outputs && !*ret; i++) {
    const lpot_node_id *readers = NULL;
    size_t count = 0;
    if (node->outputs[i] == LPOT_NONE) {
      continue;
    }
    LPOT_TRY(lpot_graph_consumers(graph, node->outputs[i], &readers, &count, err));
    *ret = count > 0 || lpot_graph_is_output(graph, node->outputs[i]);
  }
  return LPOT_OK;
}

static lpot_status remove_backwards(lpot_graph *graph, const lpot_node_id *order, size_t count,
                                    lpot_error *err) {
  for (size_t i = count; i > 0; i--) {
    bool read = false;
    LPOT_TRY(is_read(graph, lpot_graph_node(graph, order[i - 1]), &read, err));
    if (!read) {
      lpot_graph_remove_node(graph, order[i - 1]);
    }
  }
  return LPOT_OK;
}

/* What passes have folded into others would be kept in memory for nothing. */
static lpot_status drop_unread_constants(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_values(graph); i++) {
    lpot_value_id id = (lpot_value_id)i;
    const lpot_node_id *readers = NULL;
    size_t count = 0;
    if (lpot_graph_value(graph, id)->constant == NULL) {
      continue;
    }
    LPOT_TRY(lpot_graph_consumers(graph, id, &readers, &count, err));
    if (count == 0 && !lpot_graph_is_output(graph, id)) {
      lpot_graph_drop_constant(graph, id);
    }
  }
  return LPOT_OK;
}

/* Readers come after what they read, so that one walk from the end finds whole dead chains. */
lpot_status lpot_pass_remove_dead(lpot_graph *graph, lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_order(graph, &order, &count, err));
  lpot_node_id *copy = lpot_calloc(count, sizeof *copy);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copy[i] = order[i];
  }
  lpot_status status = remove_backwards(graph, copy, count, err);
  lpot_free(copy);
  LPOT_TRY(status);
  LPOT_TRY(drop_unread_constants(graph, err));
  return LPOT_OK;
}
