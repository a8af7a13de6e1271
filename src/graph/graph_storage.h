/* Private to the graph floor: how a graph is stored.
 *
 * Nodes, values, their arrays and names live in the graph's arena, so that a pointer to one stays
 * valid while others are added. Who reads a value is kept as a log of additions and removals per
 * value, which is sorted and summed up when somebody asks: every mutation costs O(1), and so a
 * pass over a graph of n nodes stays near O(n log n) whatever it changes. */
#ifndef LPOT_GRAPH_GRAPH_STORAGE_H
#define LPOT_GRAPH_GRAPH_STORAGE_H

#include "base/arena.h"
#include "base/hash_map.h"
#include "graph/graph.h"

/* Dimensions beyond this make a graph invalid; it keeps sums of two of them far from overflow. */
#define LPOT_MAX_DIM ((int64_t)1 << 48)

/* node reads the value `delta` times more (or fewer) than the entries before say. */
typedef struct lpot_reader_entry {
  lpot_node_id node;
  int32_t delta;
} lpot_reader_entry;

typedef struct lpot_node_slot {
  lpot_node node;
  size_t input_capacity;
  size_t attribute_capacity;
  lpot_attribute *attributes; /* [attribute_capacity]; what node.attributes points to */
} lpot_node_slot;

typedef struct lpot_value_slot {
  lpot_value value;
  bool is_input;
  bool is_output;
  bool readers_dirty;         /* entries hold news that readers lacks */
  lpot_reader_entry *entries; /* [entry_count], room for entry_capacity; owned */
  size_t entry_count;
  size_t entry_capacity;
  lpot_node_id *readers; /* [reader_count]; owned */
  size_t reader_count;
} lpot_value_slot;

/* What is derived on demand, also for a graph that the caller may only read. */
typedef struct lpot_graph_cache {
  bool order_valid;
  lpot_node_id *order; /* [order_count]; owned */
  size_t order_count;
  bool inputs_dirty; /* some inputs became constants */
  size_t num_inputs;
} lpot_graph_cache;

struct lpot_graph {
  lpot_arena *arena;
  const char *name;
  int opset;
  lpot_node_slot **nodes;
  size_t num_nodes, node_capacity;
  lpot_value_slot **values;
  size_t num_values, value_capacity;
  lpot_value_id *inputs; /* [cache->num_inputs] */
  size_t input_capacity;
  lpot_value_id *outputs;
  size_t num_outputs, output_capacity;
  lpot_hash_map *value_names;
  lpot_hash_map *node_names;
  uint64_t fresh_counter;
  lpot_graph_cache *cache;
};

lpot_node_slot *lpot_graph_node_slot(const lpot_graph *graph, lpot_node_id id);
lpot_value_slot *lpot_graph_value_slot(const lpot_graph *graph, lpot_value_id id);
/* Grows the array *items of *capacity objects to hold at least count of them. */
LPOT_MUST_CHECK lpot_status lpot_graph_grow(void **items, size_t *capacity, size_t count,
                                            size_t item_size, lpot_error *err);
/* Stores a new empty node or value under a name that is already unique (copied). */
LPOT_MUST_CHECK lpot_status lpot_graph_store_node(lpot_graph *graph, const char *name,
                                                  lpot_node_slot **ret_slot, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_store_value(lpot_graph *graph, const char *name,
                                                   lpot_value_slot **ret_slot, lpot_error *err);
/* Gives the slot room for count inputs; their values are LPOT_NONE afterwards. */
LPOT_MUST_CHECK lpot_status lpot_graph_store_inputs(lpot_graph *graph, lpot_node_slot *slot,
                                                    size_t count, lpot_error *err);
/* The slot's attribute called name, made when absent, without a value. */
LPOT_MUST_CHECK lpot_status lpot_graph_store_attribute(lpot_graph *graph, lpot_node_slot *slot,
                                                       const char *name,
                                                       lpot_attribute **ret_attribute,
                                                       lpot_error *err);
/* Notes that node reads value delta times more; LPOT_NONE is ignored. */
LPOT_MUST_CHECK lpot_status lpot_graph_note_reader(lpot_graph *graph, lpot_value_id value,
                                                   lpot_node_id node, int32_t delta,
                                                   lpot_error *err);
/* Whether the ids may be the inputs of a node of that operator: number, existence, required ones.
 */
LPOT_MUST_CHECK lpot_status lpot_graph_check_inputs(const lpot_graph *graph, lpot_op op,
                                                    const char *node_name,
                                                    const lpot_value_id *inputs, size_t num_inputs,
                                                    lpot_error *err);
/* The same for one input of a node that is there. */
LPOT_MUST_CHECK lpot_status lpot_graph_check_input(const lpot_graph *graph, const lpot_node *node,
                                                   int index, lpot_value_id value, lpot_error *err);
/* LPOT_FORMAT when value has a producer, is a graph input or a constant. */
LPOT_MUST_CHECK lpot_status lpot_graph_check_producible(const lpot_graph *graph,
                                                        const char *node_name, lpot_value_id value,
                                                        lpot_error *err);
/* To be called by everything that changes nodes or edges. */
void lpot_graph_touch(lpot_graph *graph);

#endif
