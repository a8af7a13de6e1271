/* Building and reading QuantizeLinear and DequantizeLinear nodes: the only form of them that the
 * rewrite makes has a constant scale and a constant zero point (which tells the type).
 *
 * Of a tensor "x" the names are x_scale, x_zero_point, x_quantized, x_dequantized, x_QuantizeLinear
 * and x_DequantizeLinear; a name that is taken is replaced by a fresh one. */
#ifndef LPOT_QUANT_QDQ_NODES_H
#define LPOT_QUANT_QDQ_NODES_H

#include "base/arena.h"
#include "graph/graph.h"
#include "tensor/quantize.h"

typedef struct lpot_qdq_builder {
  lpot_graph *graph; /* borrowed */
  lpot_arena *arena; /* borrowed: names */
} lpot_qdq_builder;

/* Scale and zero point constants of one tensor, as values of the graph. */
typedef struct lpot_qdq_params {
  lpot_dtype dtype;
  lpot_value_id scale;      /* f32, a scalar or a vector along axis */
  lpot_value_id zero_point; /* of dtype, shaped as scale */
  int axis;                 /* LPOT_NONE for a scalar */
} lpot_qdq_params;

/* Constants of a per-tensor quantized tensor. */
LPOT_MUST_CHECK lpot_status lpot_qdq_add_params(const lpot_qdq_builder *builder, const char *base,
                                                const lpot_quant_params *params,
                                                lpot_qdq_params *ret_params, lpot_error *err);
/* The same along an axis: scales has count elements; zero points are 0. axis LPOT_NONE: count is 1
 * and the constants are scalars. */
LPOT_MUST_CHECK lpot_status lpot_qdq_add_axis_params(const lpot_qdq_builder *builder,
                                                     const char *base, lpot_dtype dtype,
                                                     const float *scales, int64_t count, int axis,
                                                     lpot_qdq_params *ret_params, lpot_error *err);
/* input is an f32 value. */
LPOT_MUST_CHECK lpot_status lpot_qdq_add_quantize(const lpot_qdq_builder *builder, const char *base,
                                                  lpot_value_id input,
                                                  const lpot_qdq_params *params,
                                                  lpot_value_id *ret_quantized, lpot_error *err);
/* output LPOT_NONE makes a new value, else the value (without producer) is produced. */
LPOT_MUST_CHECK lpot_status lpot_qdq_add_dequantize(const lpot_qdq_builder *builder,
                                                    const char *base, lpot_value_id quantized,
                                                    const lpot_qdq_params *params,
                                                    lpot_value_id output, lpot_value_id *ret_value,
                                                    lpot_error *err);
/* A constant "<base>_quantized"; *tensor is moved. */
LPOT_MUST_CHECK lpot_status lpot_qdq_add_quantized_constant(const lpot_qdq_builder *builder,
                                                            const char *base, lpot_tensor **tensor,
                                                            lpot_value_id *ret_value,
                                                            lpot_error *err);

/* True when value comes from a DequantizeLinear with constant parameters; *ret_quantized is what it
 * reads. */
bool lpot_qdq_read_dequantize(const lpot_graph *graph, lpot_value_id value,
                              lpot_value_id *ret_quantized, lpot_qdq_params *ret_params);
/* True when node is a QuantizeLinear with constant parameters. */
bool lpot_qdq_read_quantize(const lpot_graph *graph, const lpot_node *node,
                            lpot_qdq_params *ret_params);
/* Equal types and equal scalar scales and zero points; false when either has an axis. */
bool lpot_qdq_params_equal(const lpot_graph *graph, const lpot_qdq_params *a,
                           const lpot_qdq_params *b);

#endif
