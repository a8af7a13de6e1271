/* Private to graph/passes: what several passes ask for and make. */
#ifndef LPOT_GRAPH_PASSES_PASS_SUPPORT_H
#define LPOT_GRAPH_PASSES_PASS_SUPPORT_H

#include "graph/graph.h"

/* The f32 constant behind an input of node; NULL when left out, computed or of another type. */
const lpot_tensor *lpot_pass_constant_f32(const lpot_graph *graph, const lpot_node *node,
                                          int index);
/* The node that produces an input, if nothing but `node` sees that value (no other reader, no graph
 * output); else NULL. */
LPOT_MUST_CHECK lpot_status lpot_pass_private_producer(const lpot_graph *graph,
                                                       const lpot_node *node, int index,
                                                       const lpot_node **ret_producer,
                                                       lpot_error *err);
/* Makes node read a new constant f32 tensor of shape instead of its input index (which may be one
 * more than it had). The constant is named after what it replaces. */
LPOT_MUST_CHECK lpot_status lpot_pass_replace_constant(lpot_graph *graph, const lpot_node *node,
                                                       int index, lpot_tensor **tensor,
                                                       lpot_error *err);
/* Removes last, which reads what node produces, and lets node produce its output, under its
 * name. */
LPOT_MUST_CHECK lpot_status lpot_pass_absorb(lpot_graph *graph, const lpot_node *node,
                                             const lpot_node *last, lpot_error *err);

#endif
