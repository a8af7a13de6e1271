#include "quant/op_links.h"

#include <stdlib.h>

#include "base/memory.h"

typedef struct link_list {
  const lpot_graph *graph;
  size_t *makers;  /* [values] op whose result the value is, or that of which it is rearranged */
  size_t *holders; /* [nodes] op that the node belongs to */
  size_t count;
  size_t capacity;
  lpot_op_link *links;
} link_list;

static lpot_status add_link(link_list *list, size_t from, size_t to, lpot_error *err) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
    lpot_op_link *links = lpot_realloc(list->links, capacity, sizeof *links);
    if (links == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    list->links = links;
    list->capacity = capacity;
  }
  list->links[list->count++] = (lpot_op_link){.from = from, .to = to};
  return LPOT_OK;
}

static void hold(link_list *list, lpot_node_id node, size_t op) {
  if (node != LPOT_NONE) {
    list->holders[node] = op;
  }
}

static void find_holders(link_list *list, const lpot_quant_ops *ops) {
  for (size_t i = 0; i < lpot_graph_num_nodes(list->graph); i++) {
    list->holders[i] = LPOT_NO_OP;
  }
  for (size_t i = 0; i < lpot_quant_ops_count(ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(ops, i);
    hold(list, op->anchor, i);
    hold(list, op->bias_add, i);
    hold(list, op->activation, i);
  }
}

static void find_makers(link_list *list, const lpot_quant_ops *ops, const lpot_node_id *order,
                        size_t num_nodes) {
  for (size_t i = 0; i < lpot_graph_num_values(list->graph); i++) {
    list->makers[i] = LPOT_NO_OP;
  }
  for (size_t i = 0; i < lpot_quant_ops_count(ops); i++) {
    list->makers[lpot_quant_ops_get(ops, i)->output] = i;
  }
  for (size_t i = 0; i < num_nodes; i++) {
    const lpot_node *node = lpot_graph_node(list->graph, order[i]);
    for (int k = 0; k < node->num_outputs; k++) {
      if (lpot_quant_is_transparent(node->op) && node->outputs[k] != LPOT_NONE &&
          lpot_quant_is_carried(list->graph, node, k)) {
        list->makers[node->outputs[k]] = list->makers[node->inputs[0]];
      }
    }
  }
}

static lpot_status link_inputs(link_list *list, const lpot_quant_ops *ops, lpot_error *err) {
  for (size_t i = 0; i < lpot_quant_ops_count(ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(ops, i);
    for (size_t k = 0; k < op->num_inputs; k++) {
      LPOT_TRY(add_link(list, list->makers[op->inputs[k]], i, err));
    }
  }
  return LPOT_OK;
}

/* Whether float reads the value itself: what a transparent node reads counts where its result is
 * read. */
static lpot_status link_output(link_list *list, lpot_value_id value, lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_consumers(list->graph, value, &readers, &count, err));
  bool leaves = lpot_graph_is_output(list->graph, value);
  for (size_t i = 0; i < count; i++) {
    leaves = leaves || (list->holders[readers[i]] == LPOT_NO_OP &&
                        !lpot_quant_is_transparent(lpot_graph_node(list->graph, readers[i])->op));
  }
  if (leaves) {
    LPOT_TRY(add_link(list, list->makers[value], LPOT_NO_OP, err));
  }
  return LPOT_OK;
}

static lpot_status link_outputs(link_list *list, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_values(list->graph); i++) {
    if (list->makers[i] != LPOT_NO_OP) {
      LPOT_TRY(link_output(list, (lpot_value_id)i, err));
    }
  }
  return LPOT_OK;
}

/* LPOT_NO_OP is the largest number, so such links come last. */
static int compare_links(const void *left, const void *right) {
  const lpot_op_link *a = left;
  const lpot_op_link *b = right;
  if (a->to != b->to) {
    return a->to < b->to ? -1 : 1;
  }
  return (a->from > b->from) - (a->from < b->from);
}

static void sort_links(link_list *list) {
  size_t kept = 0;
  if (list->count > 0) {
    qsort(list->links, list->count, sizeof *list->links, compare_links);
  }
  for (size_t i = 0; i < list->count; i++) {
    if (kept == 0 || compare_links(&list->links[kept - 1], &list->links[i]) != 0) {
      list->links[kept++] = list->links[i];
    }
  }
  list->count = kept;
}

static lpot_status find_links(link_list *list, const lpot_quant_ops *ops, lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t num_nodes = 0;
  LPOT_TRY(lpot_graph_order(list->graph, &order, &num_nodes, err));
  list->makers = lpot_calloc(lpot_graph_num_values(list->graph) + 1, sizeof *list->makers);
  list->holders = lpot_calloc(lpot_graph_num_nodes(list->graph) + 1, sizeof *list->holders);
  if (list->makers == NULL || list->holders == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  find_holders(list, ops);
  find_makers(list, ops, order, num_nodes);
  LPOT_TRY(link_inputs(list, ops, err));
  LPOT_TRY(link_outputs(list, err));
  sort_links(list);
  return LPOT_OK;
}

lpot_status lpot_quant_op_links(const lpot_graph *graph, const lpot_quant_ops *ops,
                                lpot_op_link **ret_links, size_t *ret_count, lpot_error *err) {
  link_list list = {.graph = graph};
  lpot_status status = find_links(&list, ops, err);
  lpot_free(list.makers);
  lpot_free(list.holders);
  if (status != LPOT_OK) {
    lpot_free(list.links);
    return status;
  }
  *ret_links = list.links;
  *ret_count = list.count;
  return LPOT_OK;
}
