/* Graph x recipe x calibration -> QDQ graph: the graph with QuantizeLinear and DequantizeLinear
 * pairs around every int8 op. The QDQ graph is the semantics of the recipe: it is what the engine
 * compiles and what is exported.
 *
 * Rules:
 * - One pair per tensor: its parameters come from the config of its first int8 reader (lowest op
 * index), else of its int8 producer. Readers that stay f32 read the original f32 value if the
 * producer is f32, else the dequantized one.
 * - Tensors tied by transparent nodes, and by Concat when scale_propagation_concat, share
 * parameters; their ranges are the union over the tied tensors.
 * - Weights: s8 symmetric, constants of s8 with a DequantizeLinear (axis = weight_axis when per
 * channel); scale = m/127 of each channel (m/63 under reduce_range where the activation is u8), 1
 * for an all-zero channel. Bias: s32 constant, scale = input scale x weight scale, with a
 * DequantizeLinear. A bias that would leave the range of s32 widens the weight scale of its
 * channel. Bias of MatMul's Add stays f32.
 * - Relu and Clip stay in the graph, except where the pair behind them clips the same values anyway
 * (zero point at the lower end for Relu): then they go and the anchor produces the output. For s8
 * and asymmetric zero points, where Relu stays, an equal pair is put between anchor and Relu: it
 * changes no value (rounding with the same step is monotone and idempotent) and lets ONNX Runtime
 * run the anchor in int8.
 * - A bf16 op (Conv, Gemm, MatMul) has a Cast to BFLOAT16 and one back around each activation that
 * it reads and around its output, one pair per tensor; its weight is a bf16 constant with a Cast.
 * All readers of the output get the rounded value.
 * - Graph outputs keep their names and are f32.
 *
 * Under dynamic quantization there are no pairs. An int8 op becomes DynamicQuantizeLinear(x), once
 * for all readers of x, MatMulInteger, Cast, Mul by the scale of x times those of the weight, and
 * an Add of Gemm's bias. alpha is in the weight, beta in the bias. What follows stays f32. */
#ifndef LPOT_QUANT_REWRITE_H
#define LPOT_QUANT_REWRITE_H

#include "graph/graph.h"
#include "quant/calibration.h"
#include "quant/quant_ops.h"
#include "quant/recipe.h"
#include "quant/weight_cache.h"

/* graph is the one the ops were found in, or the equalized one (quant/equalize.h) where the recipe
 * has cross_layer_equalization; calibration and cache are of the same. calibration may be NULL when
 * no op is int8 or the recipe is dynamic. LPOT_INVALID when ops and recipe are not of one approach.
 * cache (may be NULL) is the one of this graph; quantized weights are taken from it and put into
 * it. */
LPOT_MUST_CHECK lpot_status lpot_quant_rewrite(const lpot_graph *graph, const lpot_quant_ops *ops,
                                               const lpot_recipe *recipe,
                                               const lpot_calibration *calibration,
                                               lpot_weight_cache *cache, lpot_graph **ret_qdq,
                                               lpot_error *err);

/* The QDQ graph in QOperator form (QLinearConv, QLinearMatMul, QLinearAdd ...): the same
 * quantization points, so the same values up to one unit where rounding ties differ. Groups without
 * such an operator stay Q/DQ. */
LPOT_MUST_CHECK lpot_status lpot_quant_to_qoperator(const lpot_graph *qdq, lpot_graph **ret_graph,
                                                    lpot_error *err);

#endif
