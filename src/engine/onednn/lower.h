/* Rewrites of the plan's own graph that come before fusion: operators that stand for several become
 * those several, which the fusions know. Internal to engine/onednn.
 *
 * A QOperator node turns into DequantizeLinear ... the float operator ... QuantizeLinear with the
 * same scales, so that it gives the same values up to one unit where rounding ties differ. What has
 * parameters that are not constant, or forms that no fusion takes, stays as it is and runs by its
 * reference kernel. */
#ifndef LPOT_ENGINE_LOWER_H
#define LPOT_ENGINE_LOWER_H

#include "graph/graph.h"

/* Bound graphs only. New values come behind those that are there. */
LPOT_MUST_CHECK lpot_status lpot_lower_graph(lpot_graph *graph, lpot_error *err);

/* ---- what the rewrites share (lower.c) ---- */

/* One operand of a quantized node: an int8 tensor, its scale and its zero point (or LPOT_NONE). */
typedef struct lpot_quantized_value {
  lpot_value_id value, scale, zero_point;
} lpot_quantized_value;

typedef lpot_status (*lpot_lower_function)(lpot_graph *graph, const lpot_node *node,
                                           lpot_error *err);

lpot_quantized_value lpot_lower_operand(const lpot_node *node, int value, int scale,
                                        int zero_point);
/* Whether the operand is u8 or s8 with one constant f32 scale > 0 and one constant zero point of
 * its type, or none. */
bool lpot_lower_is_per_tensor(const lpot_graph *graph, const lpot_quantized_value *operand);
LPOT_MUST_CHECK lpot_status lpot_lower_new_value(lpot_graph *graph, lpot_dtype dtype,
                                                 const lpot_shape *shape, lpot_value_id *ret_value,
                                                 lpot_error *err);
/* Adds a node of one output; the output is new. */
LPOT_MUST_CHECK lpot_status lpot_lower_add(lpot_graph *graph, lpot_op op,
                                           const lpot_value_id *inputs, size_t num_inputs,
                                           lpot_dtype dtype, const lpot_shape *shape,
                                           lpot_value_id *ret_value, lpot_node_id *ret_node,
                                           lpot_error *err);
/* The f32 value of a per-tensor operand. */
LPOT_MUST_CHECK lpot_status lpot_lower_dequantize(lpot_graph *graph,
                                                  const lpot_quantized_value *operand,
                                                  lpot_value_id *ret_value, lpot_error *err);
/* node becomes op and reads inputs; what it wrote is now written by a QuantizeLinear behind it. */
LPOT_MUST_CHECK lpot_status lpot_lower_to_quantized(lpot_graph *graph, const lpot_node *node,
                                                    lpot_op op, const lpot_value_id *inputs,
                                                    size_t num_inputs, lpot_value_id scale,
                                                    lpot_value_id zero_point, lpot_error *err);

/* Constant weights with scales and zero points along axis, each of one element or one per index. */
typedef struct lpot_lower_weights {
  lpot_quantized_value operand;
  int axis;
  float factor; /* of the scales */
} lpot_lower_weights;

bool lpot_lower_has_weights(const lpot_graph *graph, const lpot_lower_weights *weights);
/* Their f32 value: a DequantizeLinear of an s8 constant without zero points where they fit s8, as
 * the fusions want them. */
LPOT_MUST_CHECK lpot_status lpot_lower_dequantize_weights(lpot_graph *graph,
                                                          const lpot_lower_weights *weights,
                                                          lpot_value_id *ret_value,
                                                          lpot_error *err);
/* A constant s32 bias [columns] in units of input scale x weight scale; any shape that ends in it
 * where there is one scale only. */
bool lpot_lower_has_bias(const lpot_graph *graph, lpot_value_id bias,
                         const lpot_lower_weights *weights);
LPOT_MUST_CHECK lpot_status lpot_lower_dequantize_bias(lpot_graph *graph, lpot_value_id bias,
                                                       lpot_value_id input_scale,
                                                       const lpot_lower_weights *weights,
                                                       lpot_value_id *ret_value, lpot_error *err);

/* ---- one function per operator ---- */
#define LPOT_LOWER(name)                                                                           \
  LPOT_MUST_CHECK lpot_status lpot_lower_##name(lpot_graph *graph, const lpot_node *node,          \
                                                lpot_error *err)
/* lower_qoperator.c */
LPOT_LOWER(qgemm);
LPOT_LOWER(qlinear_binary);
LPOT_LOWER(qlinear_concat);
LPOT_LOWER(qlinear_conv);
LPOT_LOWER(qlinear_matmul);
LPOT_LOWER(qlinear_unary);
/* lower_fused.c */
LPOT_LOWER(dynamic_quantize_matmul);
LPOT_LOWER(fused_conv);
LPOT_LOWER(fused_gemm);
LPOT_LOWER(fused_matmul);
LPOT_LOWER(matmul_integer_to_float);
/* lower_split.c */
LPOT_LOWER(split);
#undef LPOT_LOWER

#endif
