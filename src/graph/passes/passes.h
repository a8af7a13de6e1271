/* Passes that normalise a graph before it is quantized and exported. Each keeps what the graph
 * computes (up to f32 rounding), keeps names of the values and nodes it leaves in place, and works
 * on graphs whose batch size is still symbolic. One file per pass. */
#ifndef LPOT_GRAPH_PASSES_H
#define LPOT_GRAPH_PASSES_H

#include "graph/graph.h"
#include "graph/infer.h"

/* All of the below in order, then dead nodes removed, then inference. */
LPOT_MUST_CHECK lpot_status lpot_graph_normalise(lpot_graph *graph, lpot_node_evaluator evaluate,
                                                 lpot_error *err);

/* Identity and Dropout go (a graph output keeps its name). */
LPOT_MUST_CHECK lpot_status lpot_pass_drop_identities(lpot_graph *graph, lpot_error *err);
/* BatchNormalization after a Conv, ConvTranspose or Gemm that nothing else reads goes into its
 * weights and bias; computed in double. */
LPOT_MUST_CHECK lpot_status lpot_pass_fold_batch_norm(lpot_graph *graph, lpot_error *err);
/* Conv + Add of a per-channel constant: the constant becomes (part of) the Conv's bias. */
LPOT_MUST_CHECK lpot_status lpot_pass_fold_conv_bias(lpot_graph *graph, lpot_error *err);
/* Pad of zeros before a Conv or AveragePool(count_include_pad) or MaxPool stays unless it is
 * spatial, constant, non-negative, of value 0, and the reader is a Conv: then it becomes the Conv's
 * pads. */
LPOT_MUST_CHECK lpot_status lpot_pass_fold_pad(lpot_graph *graph, lpot_error *err);
/* x * (1 + erf(x / sqrt(2))) * 0.5 in any order, as exporters spell it, becomes com.microsoft's
 * Gelu of x; one operator is one int8 table, five are five quantizations. */
LPOT_MUST_CHECK lpot_status lpot_pass_fuse_gelu(lpot_graph *graph, lpot_error *err);
/* (x - m) / sqrt(v + epsilon) * scale + shift, where m and v are mean and variance of x's last axis
 * and scale and shift constant vectors, as exporters to opsets below 17 spell it, becomes
 * LayerNormalization; the graph's opset is then at least 17. */
LPOT_MUST_CHECK lpot_status lpot_pass_fuse_layer_normalization(lpot_graph *graph, lpot_error *err);
/* Nodes whose outputs nobody reads go, and the contents of constants that nobody reads. */
LPOT_MUST_CHECK lpot_status lpot_pass_remove_dead(lpot_graph *graph, lpot_error *err);

#endif
