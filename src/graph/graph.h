/* The network as plain arrays: values (edges) and nodes (operators).
 *
 * Ids are indices and stay valid for the life of the graph and in its clones: a removed node
 * keeps its id and is left out of the order. A value has one producer node, or is a graph input,
 * or holds a constant. A clone shares constants (never written) and copies the rest.
 *
 * Failed mutators leave the graph only freeable. Not thread-safe. */
#ifndef LPOT_GRAPH_GRAPH_H
#define LPOT_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "graph/op.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

#define LPOT_NONE (-1) /* no value, no node */

typedef int32_t lpot_value_id;
typedef int32_t lpot_node_id;

typedef enum lpot_attribute_kind {
  LPOT_ATTRIBUTE_INT,
  LPOT_ATTRIBUTE_FLOAT,
  LPOT_ATTRIBUTE_STRING,
  LPOT_ATTRIBUTE_INTS,
  LPOT_ATTRIBUTE_FLOATS,
  LPOT_ATTRIBUTE_STRINGS,
  LPOT_ATTRIBUTE_TENSOR
} lpot_attribute_kind;

typedef struct lpot_attribute {
  const char *name;
  lpot_attribute_kind kind;
  int64_t integer;         /* INT */
  float real;              /* FLOAT */
  const char *string;      /* STRING */
  const int64_t *integers; /* INTS [count] */
  const float *reals;      /* FLOATS [count] */
  const char **strings;    /* STRINGS [count] */
  size_t count;            /* of integers, reals or strings */
  lpot_tensor *tensor;     /* TENSOR; referenced by the graph */
} lpot_attribute;

typedef struct lpot_node {
  lpot_node_id id;
  lpot_op op;
  const char *name; /* unique and non-empty: see lpot_graph_add_node */
  bool removed;
  int num_inputs;
  lpot_value_id *inputs; /* [num_inputs]; LPOT_NONE for an optional input left out */
  int num_outputs;
  lpot_value_id *outputs; /* [num_outputs]; LPOT_NONE for an output left out */
  int num_attributes;
  const lpot_attribute *attributes; /* [num_attributes] */
} lpot_node;

typedef struct lpot_value {
  lpot_value_id id;
  const char *name;      /* unique and non-empty */
  lpot_dtype dtype;      /* UNKNOWN before inference */
  lpot_shape shape;      /* as far as known */
  lpot_node_id producer; /* LPOT_NONE for inputs and constants */
  lpot_tensor *constant; /* value known before run time, or NULL */
} lpot_value;

typedef struct lpot_graph lpot_graph;

LPOT_MUST_CHECK lpot_status lpot_graph_new(const char *name, lpot_graph **ret_graph,
                                           lpot_error *err);
void lpot_graph_free(lpot_graph *graph);
LPOT_MUST_CHECK lpot_status lpot_graph_clone(const lpot_graph *graph, lpot_graph **ret_graph,
                                             lpot_error *err);

/* ---- reading ---- */
const char *lpot_graph_name(const lpot_graph *graph);
int lpot_graph_opset(const lpot_graph *graph); /* default domain's version, 13 to 21 */
void lpot_graph_set_opset(lpot_graph *graph, int opset);
size_t lpot_graph_num_nodes(const lpot_graph *graph);  /* removed ones included: ids are below */
size_t lpot_graph_num_values(const lpot_graph *graph); /* ids are below */
const lpot_node *lpot_graph_node(const lpot_graph *graph, lpot_node_id id);
const lpot_value *lpot_graph_value(const lpot_graph *graph, lpot_value_id id);
/* LPOT_NONE when there is no such name. */
lpot_value_id lpot_graph_find_value(const lpot_graph *graph, const char *name);
lpot_node_id lpot_graph_find_node(const lpot_graph *graph, const char *name);
size_t lpot_graph_num_inputs(const lpot_graph *graph); /* without those that hold constants */
lpot_value_id lpot_graph_input(const lpot_graph *graph, size_t index);
size_t lpot_graph_num_outputs(const lpot_graph *graph);
lpot_value_id lpot_graph_output(const lpot_graph *graph, size_t index);
bool lpot_graph_is_output(const lpot_graph *graph, lpot_value_id value);
/* Node ids in topological order, removed ones left out; stable: among ready nodes the lower id
 * first. The array is valid until the next mutation. LPOT_FORMAT on a cycle, naming a node on it,
 * or on an input that nothing produces. */
LPOT_MUST_CHECK lpot_status lpot_graph_order(const lpot_graph *graph,
                                             const lpot_node_id **ret_order, size_t *ret_count,
                                             lpot_error *err);
/* Nodes (not removed) that read value, each once, by id. Valid until the next mutation. */
LPOT_MUST_CHECK lpot_status lpot_graph_consumers(const lpot_graph *graph, lpot_value_id value,
                                                 const lpot_node_id **ret_nodes, size_t *ret_count,
                                                 lpot_error *err);

/* ---- building ---- */
/* Names are copied. An empty or NULL or taken value name gets a fresh one. */
LPOT_MUST_CHECK lpot_status lpot_graph_add_value(lpot_graph *graph, const char *name,
                                                 lpot_dtype dtype, const lpot_shape *shape,
                                                 lpot_value_id *ret_value, lpot_error *err);
/* *tensor is moved. */
LPOT_MUST_CHECK lpot_status lpot_graph_add_constant(lpot_graph *graph, const char *name,
                                                    lpot_tensor **tensor, lpot_value_id *ret_value,
                                                    lpot_error *err);
/* Gives a value without producer its constant; *tensor is moved. dtype and shape follow it. */
LPOT_MUST_CHECK lpot_status lpot_graph_set_constant(lpot_graph *graph, lpot_value_id value,
                                                    lpot_tensor **tensor, lpot_error *err);
/* The node's name: name if non-empty and unused, else its first output's name, else a fresh one.
 * Checks the number of inputs and outputs against the op table (LPOT_FORMAT). An output that
 * already has a producer is LPOT_FORMAT. */
LPOT_MUST_CHECK lpot_status lpot_graph_add_node(lpot_graph *graph, lpot_op op, const char *name,
                                                const lpot_value_id *inputs, size_t num_inputs,
                                                const lpot_value_id *outputs, size_t num_outputs,
                                                lpot_node_id *ret_node, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_add_input(lpot_graph *graph, lpot_value_id value,
                                                 lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_add_output(lpot_graph *graph, lpot_value_id value,
                                                  lpot_error *err);

/* ---- changing ---- */
/* Removes a node; its outputs lose their producer. */
void lpot_graph_remove_node(lpot_graph *graph, lpot_node_id node);
LPOT_MUST_CHECK lpot_status lpot_graph_set_input(lpot_graph *graph, lpot_node_id node, int index,
                                                 lpot_value_id value, lpot_error *err);
/* Makes every node that reads old (except `except`, LPOT_NONE for none) read new instead. Graph
 * outputs are not renamed. */
LPOT_MUST_CHECK lpot_status lpot_graph_replace_uses(lpot_graph *graph, lpot_value_id old_value,
                                                    lpot_value_id new_value, lpot_node_id except,
                                                    lpot_error *err);
/* Makes node produce value (without producer so far) at output index, instead of what it produced,
 * which loses its producer. */
LPOT_MUST_CHECK lpot_status lpot_graph_set_output(lpot_graph *graph, lpot_node_id node, int index,
                                                  lpot_value_id value, lpot_error *err);
/* Forgets the content of a constant that nothing reads; the value itself stays. */
void lpot_graph_drop_constant(lpot_graph *graph, lpot_value_id value);
/* Replaces node's inputs as a whole (another number of them, other ids). */
LPOT_MUST_CHECK lpot_status lpot_graph_set_inputs(lpot_graph *graph, lpot_node_id node,
                                                  const lpot_value_id *inputs, size_t num_inputs,
                                                  lpot_error *err);
void lpot_graph_set_op(lpot_graph *graph, lpot_node_id node, lpot_op op);
void lpot_graph_set_value_type(lpot_graph *graph, lpot_value_id value, lpot_dtype dtype,
                               const lpot_shape *shape);

/* ---- attributes ---- */
LPOT_MUST_CHECK lpot_status lpot_graph_set_int(lpot_graph *graph, lpot_node_id node,
                                               const char *name, int64_t value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_set_float(lpot_graph *graph, lpot_node_id node,
                                                 const char *name, float value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_set_string(lpot_graph *graph, lpot_node_id node,
                                                  const char *name, const char *value,
                                                  lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_set_ints(lpot_graph *graph, lpot_node_id node,
                                                const char *name, const int64_t *values,
                                                size_t count, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_graph_set_floats(lpot_graph *graph, lpot_node_id node,
                                                  const char *name, const float *values,
                                                  size_t count, lpot_error *err);
/* The array and its texts are copied. */
LPOT_MUST_CHECK lpot_status lpot_graph_set_strings(lpot_graph *graph, lpot_node_id node,
                                                   const char *name, const char *const *values,
                                                   size_t count, lpot_error *err);
/* *tensor is moved. */
LPOT_MUST_CHECK lpot_status lpot_graph_set_tensor(lpot_graph *graph, lpot_node_id node,
                                                  const char *name, lpot_tensor **tensor,
                                                  lpot_error *err);
void lpot_graph_remove_attribute(lpot_graph *graph, lpot_node_id node, const char *name);

/* NULL when absent. */
const lpot_attribute *lpot_node_attribute(const lpot_node *node, const char *name);
/* The fallback is returned when absent or of another kind. */
int64_t lpot_node_int(const lpot_node *node, const char *name, int64_t fallback);
float lpot_node_float(const lpot_node *node, const char *name, float fallback);
const char *lpot_node_string(const lpot_node *node, const char *name, const char *fallback);
/* Number of integers, 0 when absent; *ret_values borrowed from the node. */
size_t lpot_node_ints(const lpot_node *node, const char *name, const int64_t **ret_values);
lpot_value_id lpot_node_input(const lpot_node *node, int index); /* LPOT_NONE when left out */

#endif
