/* The quantizable ops of a normalised graph: what a recipe decides about.
 *
 * An op is an anchor node with the nodes that are computed with it before its result is rounded:
 *   Conv, Gemm            [+ Relu | Clip]
 *   MatMul                [+ Add of a constant vector] [+ Relu | Clip]
 *   Add, Mul (two activations of one shape or broadcast) [+ Relu | Clip], but no Add that only a
 *                         Softmax reads
 *   AveragePool, GlobalAveragePool, Concat
 * It is named after its anchor. Inputs and output of an int8 op are rounded (one Q/DQ pair per
 * tensor, shared by all its readers); between the nodes of one op nothing is rounded.
 *
 * MaxPool, Reshape, Transpose, Flatten, Squeeze, Unsqueeze, Slice, Split and Gather are
 * transparent: they hand int8 through with the scale of their input when their input is int8
 * already and some int8 op reads the result. All else stays f32, and the reason is told.
 *
 * Under dynamic quantization the ops are the Gemm and the MatMul with a constant weight. Only the
 * product is int8: its input is quantized by its own range at run time, its result is f32. */
#ifndef LPOT_QUANT_QUANT_OPS_H
#define LPOT_QUANT_QUANT_OPS_H

#include "base/error.h"
#include "graph/graph.h"
#include "quant/recipe.h"

typedef struct lpot_quant_op {
  const char *name; /* anchor's name; borrowed from the graph */
  const char *type; /* ONNX operator of the anchor: "Conv" */
  lpot_node_id anchor;
  lpot_node_id bias_add;   /* MatMul's Add, or LPOT_NONE */
  lpot_node_id activation; /* Relu or Clip, or LPOT_NONE */
  lpot_value_id weight;    /* constant weight, or LPOT_NONE */
  lpot_value_id bias;      /* constant bias, or LPOT_NONE */
  int weight_axis;         /* output-channel axis of weight */
  int64_t input_channels;  /* inputs[0] of an op with a weight is [.., input_channels, */
  int64_t input_inner;     /* input_inner]: the channels that the weight is multiplied with */
  size_t num_inputs;       /* activation inputs */
  lpot_value_id *inputs;   /* [num_inputs] */
  lpot_value_id output;    /* last value of the op */
  bool dynamic;            /* the op is one of dynamic quantization */
  const char *reason;      /* NULL when quantizable, else why not (static text) */
} lpot_quant_op;

typedef struct lpot_quant_ops lpot_quant_ops;

/* Ops in topological order: first the quantizable ones get indices 0 .. num_quantizable-1, in
 * order. graph: the normalised graph with symbolic batch; bound: the same bound to a batch (equal
 * ids), for shapes. Both borrowed while the list lives. */
LPOT_MUST_CHECK lpot_status lpot_quant_ops_new(const lpot_graph *graph, const lpot_graph *bound,
                                               lpot_quant_ops **ret_ops, lpot_error *err);
/* The same for dynamic quantization. */
LPOT_MUST_CHECK lpot_status lpot_quant_ops_new_dynamic(const lpot_graph *graph,
                                                       const lpot_graph *bound,
                                                       lpot_quant_ops **ret_ops, lpot_error *err);
void lpot_quant_ops_free(lpot_quant_ops *ops);
size_t lpot_quant_ops_count(const lpot_quant_ops *ops); /* quantizable ones: the ops of a recipe */
const lpot_quant_op *lpot_quant_ops_get(const lpot_quant_ops *ops, size_t index);
bool lpot_quant_ops_is_dynamic(const lpot_quant_ops *ops);
/* Compute ops that stay f32, with reasons (for --dry-run). */
size_t lpot_quant_ops_num_others(const lpot_quant_ops *ops);
const lpot_quant_op *lpot_quant_ops_get_other(const lpot_quant_ops *ops, size_t index);
/* Names and types as arrays [count]; borrowed. */
const char *const *lpot_quant_ops_names(const lpot_quant_ops *ops);
const char *const *lpot_quant_ops_types(const lpot_quant_ops *ops);
/* observed[value] = true for every value whose statistics a recipe may need; observed has
 * lpot_graph_num_values entries. */
void lpot_quant_ops_observed(const lpot_quant_ops *ops, bool *observed);
/* True for the operators that hand int8 through: MaxPool, Reshape, Transpose ... */
bool lpot_quant_is_transparent(lpot_op op);
/* True for the outputs of a transparent node that hold values of its input; false for the indices
 * of MaxPool and for outputs left out. */
bool lpot_quant_is_carried(const lpot_graph *graph, const lpot_node *node, int index);
/* The value whose statistics stand for those of value: nodes that merely rearrange elements
 * (Reshape, Transpose, Flatten, Squeeze, Unsqueeze) are looked through, so that the same elements
 * are never counted twice. */
lpot_value_id lpot_quant_statistics_source(const lpot_graph *graph, lpot_value_id value);

#endif
