/* Fusions: groups of nodes of a QDQ or f32 graph that run as one step. */
#ifndef LPOT_ENGINE_FUSION_H
#define LPOT_ENGINE_FUSION_H

#include <stdbool.h>

#include "engine/onednn/dl.h"
#include "graph/graph.h"
#include "tensor/quantize.h"

typedef enum lpot_fusion_kind {
  LPOT_FUSION_CONVOLUTION, /* Conv, ConvTranspose */
  LPOT_FUSION_MATMUL,      /* MatMul, Gemm */
  LPOT_FUSION_INTEGER, /* MatMulInteger to f32; inputs: bytes, zero point, scale; Relu is a post-op
                        */
  LPOT_FUSION_INT8_BINARY, /* Add or Mul of two int8 tensors of one shape, to int8 */
  LPOT_FUSION_AVERAGE,     /* AveragePool, GlobalAveragePool, int8 or f32 */
  LPOT_FUSION_CONCAT,      /* int8 */
  LPOT_FUSION_LOOKUP,      /* DQ -> function of one element -> Q: a table of 256 bytes */
  LPOT_FUSION_MOVEMENT,    /* DQ -> transparent node -> Q of equal parameters */
  LPOT_FUSION_MAX_POOL,    /* the same for MaxPool */
  LPOT_FUSION_AFFINE,      /* [DQ ->] BatchNormalization [-> Relu|Clip] [-> Q] */
  LPOT_FUSION_BF16_SUM,    /* Add of two tensors of one shape, one or both bf16 */
  LPOT_FUSION_SOFTMAX,     /* of rows, with what scales and masks them; int8 or f32; inputs: scores,
                              mask if any */
  LPOT_FUSION_SHUFFLE      /* Reshape -> Transpose -> Reshape that regroups channels; int8 or f32 */
} lpot_fusion_kind;

/* One operand: an int8 value with its parameters, or an f32 or bf16 value. */
typedef struct lpot_operand {
  lpot_value_id value;
  bool quantized;
  lpot_quant_params params; /* when quantized */
} lpot_operand;

typedef struct lpot_fusion {
  lpot_fusion_kind kind;
  const lpot_node *anchor;
  lpot_node_id last; /* emitted when this node's turn comes */
  size_t num_inputs;
  lpot_operand *inputs; /* [num_inputs] activations; owned */
  lpot_value_id weight; /* s8 constant of int8 fusions, else the anchor's weight input; LPOT_NONE */
  bool bf16;            /* anchor reads bf16 activations and weights */
  size_t num_weight_scales; /* int8: 1 or channels */
  float *weight_scales;     /* owned */
  lpot_value_id bias;       /* f32 or DQ value of a constant, or LPOT_NONE */
  bool requantize;          /* the anchor's result is rounded before the sum */
  lpot_quant_params requantize_params;
  bool sum; /* + residual */
  lpot_operand residual;
  size_t num_post_ops; /* activations after anchor or sum */
  lpot_dl_post_op post_ops[2];
  float factor;        /* SOFTMAX: of the scores; 0: none */
  lpot_operand output; /* final value */
} lpot_fusion;

typedef struct lpot_fusions lpot_fusions;

/* observed (may be NULL): values that must be computed as they are. graph must outlive the result.
 */
LPOT_MUST_CHECK lpot_status lpot_fusions_find(const lpot_graph *graph, const bool *observed,
                                              lpot_fusions **ret_fusions, lpot_error *err);
void lpot_fusions_free(lpot_fusions *fusions);
/* The fusion that node belongs to, or NULL. */
const lpot_fusion *lpot_fusions_of(const lpot_fusions *fusions, lpot_node_id node);

/* Parameters of a Q or DQ node with constant per-tensor parameters; false when it has none such. */
bool lpot_node_quant_params(const lpot_graph *graph, const lpot_node *node, lpot_quant_params *ret);
/* The int8 value and parameters behind value, when a per-tensor DequantizeLinear of a u8 or s8
 * value produces it. */
bool lpot_dequantized_from(const lpot_graph *graph, lpot_value_id value, lpot_operand *ret);
/* The bf16 value behind value, when a Cast to f32 of one that is no constant produces it. */
bool lpot_widened_from(const lpot_graph *graph, lpot_value_id value, lpot_operand *ret);

#endif
