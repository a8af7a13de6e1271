/* What the finders of fusions share. Private to engine/onednn. */
#ifndef LPOT_ENGINE_FUSION_FIND_H
#define LPOT_ENGINE_FUSION_FIND_H

#include "engine/onednn/fusion.h"

struct lpot_fusions {
  const lpot_graph *graph;
  const bool *observed;
  lpot_fusion *items; /* [capacity = number of nodes] */
  size_t count;
  int32_t *of_node; /* [num_nodes] index into items, or -1 */
};

/* ---- fusion.c: reading the graph, building a fusion ---- */
const lpot_tensor *lpot_fusion_constant(const lpot_graph *graph, lpot_value_id value);
const lpot_node *lpot_fusion_producer(const lpot_graph *graph, lpot_value_id value);
bool lpot_fusion_same_params(const lpot_quant_params *a, const lpot_quant_params *b);
/* The only node that reads value, when nothing else needs to see it. */
const lpot_node *lpot_fusion_only_reader(const lpot_fusions *fusions, lpot_value_id value);
/* A reader that is a QuantizeLinear with per-tensor parameters. */
const lpot_node *lpot_fusion_quantize_reader(const lpot_fusions *fusions, lpot_value_id value,
                                             lpot_quant_params *ret_params);
/* The DequantizeLinear that alone reads a quantized value with the same parameters. */
const lpot_node *lpot_fusion_dequantize_reader(const lpot_fusions *fusions, lpot_value_id value,
                                               const lpot_quant_params *params);
void lpot_fusion_absorb(lpot_fusions *fusions, const lpot_fusion *fusion, lpot_node_id node);
/* The post-op of an activation node, when oneDNN has it. int8 destinations take only those
 * that commute with the change of unit. */
bool lpot_fusion_post_op(const lpot_graph *graph, const lpot_node *node, bool int8_only,
                         lpot_dl_post_op *ret);
void lpot_fusion_take_activation(lpot_fusions *fusions, lpot_fusion *fusion, bool int8_only);
void lpot_fusion_take_quantize(lpot_fusions *fusions, lpot_fusion *fusion);
/* Q -> DQ -> Relu|Clip -> Q with one set of parameters: the first pair changes nothing, since
 * rounding with one step is monotone and idempotent. */
void lpot_fusion_take_behind_pair(lpot_fusions *fusions, lpot_fusion *fusion);
bool lpot_fusion_same_shape(const lpot_graph *graph, lpot_value_id a, lpot_value_id b);
LPOT_MUST_CHECK lpot_status lpot_fusion_new(lpot_fusions *fusions, lpot_fusion_kind kind,
                                            const lpot_node *anchor, size_t num_inputs,
                                            lpot_fusion **ret, lpot_error *err);

/* ---- fusion_bf16.c ---- */
/* The operands of the anchor are bf16 values behind a Cast to f32, weights constants of bf16
 * numbers: the fusion reads them as they are. */
void lpot_fusion_take_bf16_operands(lpot_fusions *fusions, lpot_fusion *fusion);
/* The Cast to bf16 that alone reads the output. */
void lpot_fusion_take_rounding(lpot_fusions *fusions, lpot_fusion *fusion);
LPOT_MUST_CHECK lpot_status lpot_fusion_find_bf16_sum(lpot_fusions *fusions, const lpot_node *node,
                                                      lpot_error *err);

/* ---- finders: each makes a fusion of node and its neighbours where it can ---- */
/* fusion_weighted.c: Conv, ConvTranspose, MatMul, Gemm. */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_weighted(lpot_fusions *fusions, const lpot_node *node,
                                                      lpot_error *err);
/* fusion_integer.c */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_integer(lpot_fusions *fusions, const lpot_node *node,
                                                     lpot_error *err);
/* fusion_groups.c */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_binary(lpot_fusions *fusions, const lpot_node *node,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_fusion_find_average(lpot_fusions *fusions, const lpot_node *node,
                                                     lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_fusion_find_concat(lpot_fusions *fusions, const lpot_node *node,
                                                    lpot_error *err);
/* DQ -> node -> Q where a byte decides on a byte; further inputs of the node are constant. */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_lookup(lpot_fusions *fusions, const lpot_node *node,
                                                    lpot_error *err);
/* DQ -> node -> Q with one set of parameters: the node runs on the bytes. */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_transparent(lpot_fusions *fusions,
                                                         const lpot_node *node,
                                                         lpot_fusion_kind kind, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_fusion_find_affine(lpot_fusions *fusions, const lpot_node *node,
                                                    lpot_error *err);
/* fusion_softmax.c */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_softmax(lpot_fusions *fusions, const lpot_node *node,
                                                     lpot_error *err);
/* fusion_shuffle.c */
LPOT_MUST_CHECK lpot_status lpot_fusion_find_reshape(lpot_fusions *fusions, const lpot_node *node,
                                                     lpot_error *err);

#endif
