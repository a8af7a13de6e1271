/* What the files of the rewrite share: which tensor is quantized, and how. Private to the floor. */
#ifndef LPOT_QUANT_REWRITE_PLAN_H
#define LPOT_QUANT_REWRITE_PLAN_H

#include "quant/qdq_nodes.h"
#include "quant/rewrite.h"

/* One per value of the original graph. */
typedef struct lpot_planned_tensor {
  bool needed;          /* an int8 op reads it, directly or through transparent nodes */
  bool is_int8;         /* comes as int8 from its producer: all readers get the rounded value */
  bool paired;          /* gets a pair */
  lpot_value_id parent; /* towards the head of the tensors that share parameters */
  int32_t reader;  /* lowest int8 op that reads it, or LPOT_NONE; of a head: any of its group */
  int32_t writer;  /* int8 op that produces it, or LPOT_NONE; of a head: lowest of its group */
  float low, high; /* of a head: range of its group */
  lpot_quant_params params; /* of a paired tensor */
  lpot_value_id rounded;    /* DequantizeLinear's output once the pair is made */
} lpot_planned_tensor;

typedef struct lpot_rewrite {
  const lpot_graph *graph;             /* borrowed: the original */
  const lpot_quant_ops *ops;           /* borrowed */
  const lpot_recipe *recipe;           /* borrowed */
  const lpot_calibration *calibration; /* borrowed, may be NULL */
  lpot_weight_cache *cache;            /* borrowed, may be NULL */
  lpot_arena *arena;                   /* owned */
  lpot_graph *qdq;                     /* owned until it is handed out: the clone that is changed */
  size_t num_tensors;
  lpot_planned_tensor *tensors; /* [num_tensors]; arena */
} lpot_rewrite;

/* True when the recipe makes op index int8. */
bool lpot_rewrite_is_int8(const lpot_rewrite *rewrite, size_t index);
lpot_qdq_builder lpot_rewrite_builder(const lpot_rewrite *rewrite);

/* Fills tensors: groups, ranges and parameters. */
LPOT_MUST_CHECK lpot_status lpot_rewrite_plan(lpot_rewrite *rewrite, lpot_error *err);
/* Puts the planned pairs into qdq and takes away the Relu and Clip nodes that they replace. */
LPOT_MUST_CHECK lpot_status lpot_rewrite_insert_pairs(lpot_rewrite *rewrite, lpot_error *err);
/* Quantizes the weights and biases of the int8 ops in qdq. */
LPOT_MUST_CHECK lpot_status lpot_rewrite_weights(lpot_rewrite *rewrite, lpot_error *err);
/* An int8 weight as [outer, channels, inner], for what its bias is to be. */
typedef struct lpot_int8_weight {
  const lpot_quant_op *op;
  int64_t outer, channels, inner;
  int64_t groups; /* of Conv, else 1 */
  int axis;       /* of the scales; LPOT_NONE: there is one */
  int64_t num_scales;
  const float *scales; /* [num_scales] */
  /* What was quantized and what came of it, [outer, channels, inner]; NULL unless the recipe has
   * bias_correction. */
  const float *values;
  const int8_t *quantized;
  float input_scale;
  double beta; /* of Gemm, else 1 */
} lpot_int8_weight;

/* Quantizes and corrects the bias of an int8 op in qdq. A MatMul without an Add of a bias stays
 * without. */
LPOT_MUST_CHECK lpot_status lpot_rewrite_bias(lpot_rewrite *rewrite, const lpot_int8_weight *weight,
                                              lpot_error *err);
/* Puts the casts around the bf16 ops into qdq, which has its int8 pairs by then. */
LPOT_MUST_CHECK lpot_status lpot_rewrite_bf16(lpot_rewrite *rewrite, lpot_error *err);

/* The weight of op index, alone: a matrix whose scales do not depend on a bias. */
typedef struct lpot_rewritten_matrix {
  lpot_tensor *tensor; /* s8, transposed where that was asked for; owned */
  float factor;        /* Gemm's alpha, which the scales hold */
  int axis;            /* of the scales in the original weight; LPOT_NONE: one scale */
  int64_t num_scales;
  const float *scales; /* [num_scales]; arena */
} lpot_rewritten_matrix;

LPOT_MUST_CHECK lpot_status lpot_rewrite_quantize_matrix(lpot_rewrite *rewrite, size_t index,
                                                         bool transposed,
                                                         lpot_rewritten_matrix *ret,
                                                         lpot_error *err);
/* Replaces the int8 ops in qdq by the nodes of dynamic quantization. */
LPOT_MUST_CHECK lpot_status lpot_rewrite_dynamic(lpot_rewrite *rewrite, lpot_error *err);

#endif
