/* Topological order and readers of a value, both derived on demand. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/graph_storage.h"

/* ---- readers ---- */

static int compare_entries(const void *a, const void *b) {
  const lpot_reader_entry *left = a;
  const lpot_reader_entry *right = b;
  return (left->node > right->node) - (left->node < right->node);
}

/* Sorts the log and sums it up to one entry per node that still reads the value. */
static void compact_entries(const lpot_graph *graph, lpot_value_slot *slot) {
  if (slot->entry_count == 0) {
    return;
  }
  qsort(slot->entries, slot->entry_count, sizeof *slot->entries, compare_entries);
  size_t kept = 0;
  size_t at = 0;
  while (at < slot->entry_count) {
    lpot_reader_entry sum = {slot->entries[at].node, 0};
    for (; at < slot->entry_count && slot->entries[at].node == sum.node; at++) {
      sum.delta += slot->entries[at].delta;
    }
    if (sum.delta > 0 && !graph->nodes[sum.node]->node.removed) {
      slot->entries[kept++] = sum;
    }
  }
  slot->entry_count = kept;
}

lpot_status lpot_graph_note_reader(lpot_graph *graph, lpot_value_id value, lpot_node_id node,
                                   int32_t delta, lpot_error *err) {
  if (value == LPOT_NONE) {
    return LPOT_OK;
  }
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  if (slot->entry_count == slot->entry_capacity) {
    compact_entries(graph, slot);
    void *items = slot->entries;
    /* Room for as many again keeps the cost of compacting amortised. */
    LPOT_TRY(lpot_graph_grow(&items, &slot->entry_capacity, slot->entry_count * 2 + 2,
                             sizeof *slot->entries, err));
    slot->entries = items;
  }
  slot->entries[slot->entry_count++] = (lpot_reader_entry){node, delta};
  slot->readers_dirty = true;
  return LPOT_OK;
}

lpot_status lpot_graph_consumers(const lpot_graph *graph, lpot_value_id value,
                                 const lpot_node_id **ret_nodes, size_t *ret_count,
                                 lpot_error *err) {
  lpot_value_slot *slot = lpot_graph_value_slot(graph, value);
  if (slot->readers_dirty) {
    compact_entries(graph, slot);
    void *readers = lpot_realloc(slot->readers, slot->entry_count, sizeof *slot->readers);
    if (readers == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    slot->readers = readers;
    slot->reader_count = slot->entry_count;
    for (size_t i = 0; i < slot->entry_count; i++) {
      slot->readers[i] = slot->entries[i].node;
    }
    slot->readers_dirty = false;
  }
  *ret_nodes = slot->readers;
  *ret_count = slot->reader_count;
  return LPOT_OK;
}

/* ---- order ---- */

/* Kahn's algorithm with a heap of ready nodes. The edges are those from a node to the readers of
 * its outputs, kept as one array cut by first[]. */
typedef struct sorter {
  const lpot_graph *graph;
  size_t *first;       /* [num_nodes + 1]: where the successors of a node begin */
  lpot_node_id *edges; /* [first[num_nodes]]: successors, one per input that reads */
  size_t *waiting;     /* [num_nodes]: inputs whose producer is not in the order yet */
  lpot_node_id *heap;  /* [heap_size]: ready nodes, the lowest id on top */
  size_t heap_size;
  lpot_node_id *order; /* [order_count] */
  size_t order_count;
  size_t num_alive;
} sorter;

static void heap_push(sorter *sort, lpot_node_id node) {
  size_t at = sort->heap_size++;
  while (at > 0 && sort->heap[(at - 1) / 2] > node) {
    sort->heap[at] = sort->heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  sort->heap[at] = node;
}

static lpot_node_id heap_pop(sorter *sort) {
  lpot_node_id top = sort->heap[0];
  lpot_node_id last = sort->heap[--sort->heap_size];
  size_t at = 0;
  while (2 * at + 1 < sort->heap_size) {
    size_t child = 2 * at + 1;
    if (child + 1 < sort->heap_size && sort->heap[child + 1] < sort->heap[child]) {
      child++;
    }
    if (sort->heap[child] >= last) {
      break;
    }
    sort->heap[at] = sort->heap[child];
    at = child;
  }
  sort->heap[at] = last;
  return top;
}

/* The producer of an input, LPOT_NONE for constants and graph inputs and inputs left out. */
static lpot_status find_producer(const lpot_graph *graph, const lpot_node *node, int index,
                                 lpot_node_id *ret_producer, lpot_error *err) {
  *ret_producer = LPOT_NONE;
  if (node->inputs[index] == LPOT_NONE) {
    return LPOT_OK;
  }
  const lpot_value_slot *slot = graph->values[node->inputs[index]];
  *ret_producer = slot->value.producer;
  if (slot->value.producer == LPOT_NONE && slot->value.constant == NULL && !slot->is_input) {
    return LPOT_FAIL(err, LPOT_FORMAT, "node '%s': input '%s' is produced by nothing", node->name,
                     slot->value.name);
  }
  return LPOT_OK;
}

/* Calls for every edge; first counts, then stores. */
static lpot_status visit_edges(sorter *sort, void (*visit)(sorter *, lpot_node_id, lpot_node_id),
                               lpot_error *err) {
  for (size_t i = 0; i < sort->graph->num_nodes; i++) {
    const lpot_node *node = &sort->graph->nodes[i]->node;
    for (int k = 0; k < node->num_inputs && !node->removed; k++) {
      lpot_node_id producer = LPOT_NONE;
      LPOT_TRY(find_producer(sort->graph, node, k, &producer, err));
      if (producer != LPOT_NONE) {
        visit(sort, producer, node->id);
      }
    }
  }
  return LPOT_OK;
}

static void count_edge(sorter *sort, lpot_node_id producer, lpot_node_id reader) {
  sort->first[producer + 1]++;
  sort->waiting[reader]++;
}

/* first[] is moved on while storing and moved back by the caller. */
static void store_edge(sorter *sort, lpot_node_id producer, lpot_node_id reader) {
  sort->edges[sort->first[producer]++] = reader;
}

static lpot_status build_edges(sorter *sort, lpot_error *err) {
  size_t num_nodes = sort->graph->num_nodes;
  LPOT_TRY(visit_edges(sort, count_edge, err));
  for (size_t i = 0; i < num_nodes; i++) {
    sort->first[i + 1] += sort->first[i];
  }
  sort->edges = lpot_calloc(sort->first[num_nodes], sizeof *sort->edges);
  if (sort->edges == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(visit_edges(sort, store_edge, err));
  for (size_t i = num_nodes; i > 0; i--) {
    sort->first[i] = sort->first[i - 1];
  }
  sort->first[0] = 0;
  return LPOT_OK;
}

/* Walking from a node that never became ready to a producer that never did leads onto a cycle
 * after at most as many steps as there are nodes. */
static lpot_status fail_on_cycle(const sorter *sort, lpot_error *err) {
  const lpot_graph *graph = sort->graph;
  lpot_node_id at = 0;
  while (graph->nodes[at]->node.removed || sort->waiting[at] == 0) {
    at++;
  }
  for (size_t step = 0; step < graph->num_nodes; step++) {
    const lpot_node *node = &graph->nodes[at]->node;
    for (int k = 0; k < node->num_inputs; k++) {
      lpot_value_id input = node->inputs[k];
      lpot_node_id producer = input == LPOT_NONE ? LPOT_NONE : graph->values[input]->value.producer;
      if (producer != LPOT_NONE && sort->waiting[producer] > 0) {
        at = producer;
        break;
      }
    }
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "graph '%s' has a cycle through node '%s'", graph->name,
                   graph->nodes[at]->node.name);
}

static lpot_status run_sorter(sorter *sort, lpot_error *err) {
  LPOT_TRY(build_edges(sort, err));
  for (size_t i = 0; i < sort->graph->num_nodes; i++) {
    if (!sort->graph->nodes[i]->node.removed) {
      sort->num_alive++;
      if (sort->waiting[i] == 0) {
        heap_push(sort, (lpot_node_id)i);
      }
    }
  }
  while (sort->heap_size > 0) {
    lpot_node_id node = heap_pop(sort);
    sort->order[sort->order_count++] = node;
    for (size_t i = sort->first[node]; i < sort->first[node + 1]; i++) {
      if (--sort->waiting[sort->edges[i]] == 0) {
        heap_push(sort, sort->edges[i]);
      }
    }
  }
  if (sort->order_count < sort->num_alive) {
    return fail_on_cycle(sort, err);
  }
  return LPOT_OK;
}

static lpot_status make_order(const lpot_graph *graph, lpot_error *err) {
  sorter sort = {.graph = graph};
  sort.first = lpot_calloc(graph->num_nodes + 1, sizeof *sort.first);
  sort.waiting = lpot_calloc(graph->num_nodes, sizeof *sort.waiting);
  sort.heap = lpot_calloc(graph->num_nodes, sizeof *sort.heap);
  sort.order = lpot_calloc(graph->num_nodes, sizeof *sort.order);
  bool allocated =
      sort.first != NULL && sort.waiting != NULL && sort.heap != NULL && sort.order != NULL;
  lpot_status status = allocated ? run_sorter(&sort, err) : LPOT_OUT_OF_MEMORY(err);
  lpot_free(sort.first);
  lpot_free(sort.edges);
  lpot_free(sort.waiting);
  lpot_free(sort.heap);
  if (status != LPOT_OK) {
    lpot_free(sort.order);
    return status;
  }
  lpot_free(graph->cache->order);
  graph->cache->order = sort.order;
  graph->cache->order_count = sort.order_count;
  graph->cache->order_valid = true;
  return LPOT_OK;
}

lpot_status lpot_graph_order(const lpot_graph *graph, const lpot_node_id **ret_order,
                             size_t *ret_count, lpot_error *err) {
  if (!graph->cache->order_valid) {
    LPOT_TRY(make_order(graph, err));
  }
  *ret_order = graph->cache->order;
  *ret_count = graph->cache->order_count;
  return LPOT_OK;
}
