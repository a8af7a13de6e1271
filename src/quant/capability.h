/* What the engine can do for an op, as ordered lists: the first entry is the most promising. */
#ifndef LPOT_QUANT_CAPABILITY_H
#define LPOT_QUANT_CAPABILITY_H

#include "quant/quant_ops.h"

#define LPOT_MAX_CHOICES 8

/* Values of one field in order of preference; count 0 = not constrained (in a user's wishes). */
typedef struct lpot_choices {
  size_t count;
  int values[LPOT_MAX_CHOICES]; /* lpot_dtype, lpot_scheme, lpot_granularity or lpot_algorithm */
} lpot_choices;

typedef struct lpot_tensor_choices {
  lpot_choices dtype, scheme, granularity, algorithm;
} lpot_tensor_choices;

typedef struct lpot_op_choices {
  lpot_tensor_choices activation;
  lpot_tensor_choices weight; /* dtype.count 0 for ops without a constant weight */
} lpot_op_choices;

/* activation: dtype u8, s8, bf16 (Conv, Gemm and MatMul), fp32; scheme asym, sym; per_tensor;
 * minmax, kl, percentile, mse. weight: s8, bf16 (the same), fp32; sym; per_channel, per_tensor;
 * minmax. Identical for all ops of a type. Of a dynamic op, activation: u8, fp32; asym; per_tensor;
 * minmax; weight: s8, fp32. */
lpot_op_choices lpot_capability(const lpot_quant_op *op);

#endif
