/* Shape and type inference, with constant folding on the way. */
#ifndef LPOT_GRAPH_INFER_H
#define LPOT_GRAPH_INFER_H

#include "graph/graph.h"

/* Computes one node from constant inputs. inputs[i] is NULL where the node leaves it out; outputs
 * are allocated with the inferred type and shape. The graph floor has no kernels of its own: the
 * reference engine gives this function (engine/reference/reference.h). */
typedef lpot_status (*lpot_node_evaluator)(const lpot_node *node, const lpot_tensor *const *inputs,
                                           lpot_tensor *const *outputs, lpot_error *err);

/* Fills dtype and shape of every value in topological order, as far as known, and checks them
 * (LPOT_FORMAT or LPOT_UNSUPPORTED naming the node). Values whose inputs are all constant are
 * evaluated when evaluate is not NULL and they have at most 64 MiB: the value becomes constant and
 * its node is removed. Shape and Size nodes of known shapes become constants. DequantizeLinear
 * nodes are never folded (their int8 weights are what the engine wants). */
LPOT_MUST_CHECK lpot_status lpot_graph_infer(lpot_graph *graph, lpot_node_evaluator evaluate,
                                             lpot_error *err);

/* A clone with dimension 0 of every graph input of rank >= 1 that is unknown set to batch, then
 * inferred; all shapes are known afterwards (LPOT_UNSUPPORTED naming the first value that is not:
 * "set its dimension in the model", or the node whose result has a shape that depends on data). An
 * input whose dimension 0 is fixed keeps it. */
LPOT_MUST_CHECK lpot_status lpot_graph_bind(const lpot_graph *graph, int64_t batch,
                                            lpot_node_evaluator evaluate, lpot_graph **ret_graph,
                                            lpot_error *err);

/* Axes of Squeeze, Unsqueeze, ReduceMean, Slice ... from the input (constant) or the attribute.
 * Returns LPOT_UNSUPPORTED when they are not constant. Count 0 when absent. */
LPOT_MUST_CHECK lpot_status lpot_node_constant_ints(const lpot_graph *graph, const lpot_node *node,
                                                    int input_index, const char *attribute,
                                                    size_t capacity, int64_t *out,
                                                    size_t *ret_count, lpot_error *err);

#endif
