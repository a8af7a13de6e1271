/* The tuning space: for each op the list of its configurations, in LPOT's order.
 *
 * Built from the engine's capability and the user's wishes by LPOT's merge rule; what a wish drops,
 * and a wish that matches nothing, is told. Pure: no files, no clock.
 *
 * Merging. An op's choices are the capability, narrowed by model_wise, then by the optype_wise wish
 * of its type, then by every op_wise wish that matches its name, in order. Narrowing keeps the
 * wished values that are still there, in the order of the wish; when none is, the wish has no
 * effect and a warning says so. Two exceptions: a dtype wish for F32 alone always holds, whatever
 * earlier wishes left. And bf16 is a choice exactly where a wish names it for an op that can do it
 * (a bf16 activation takes the weight with it); of other ops a wish for bf16 alone makes F32.
 *
 * Expansion. The product of dtype, scheme, granularity, algorithm (the first slowest) of weight
 * (slower) and activation; a tensor that is not quantized has no other settings; a quantized
 * tensor beside one that is not is dropped; equal neighbours are one. An op whose list would be
 * empty gets F32 alone, with a warning.
 *
 * Variants. What a recipe says besides its ops: the product of sampling size (slowest), bias
 * correction and cross-layer equalization, each in the order of the wish. The first num_corrections
 * variants are those of the first sampling size.
 *
 * Of dynamic ops there is one variant: sampling size 0, no correction; and scale_propagation_concat
 * is false.
 *
 * Patterns of op_wise. A pattern that equals an op's name means that op. Else, a pattern of the
 * plain form [A-Za-z0-9.][A-Za-z0-9_.\-/]* matches nothing, and any other is a POSIX extended
 * regular expression that must match at the beginning of a name; at most 256 characters, at most 8
 * times
 * '+', no {n}, no back reference, no \d (all LPOT_CONFIG). */
#ifndef LPOT_STRATEGY_SPACE_H
#define LPOT_STRATEGY_SPACE_H

#include "quant/capability.h"
#include "quant/quant_ops.h"
#include "quant/recipe.h"

/* The user's wishes about one op type or about the ops whose name matches. */
typedef struct lpot_wish {
  const char
      *pattern; /* op_wise: an op name, or a regular expression; optype_wise: a type; borrowed */
  lpot_op_choices choices; /* count 0 = not constrained */
  int line, column;        /* where it was written, for messages */
  const char *file;        /* the same; NULL: not known; borrowed */
} lpot_wish;

typedef struct lpot_wishes {
  lpot_op_choices model_wise;
  size_t num_type_wise;
  const lpot_wish *type_wise; /* [num_type_wise] */
  size_t num_op_wise;
  const lpot_wish *op_wise;  /* [num_op_wise] */
  size_t num_sampling_sizes; /* >= 1 */
  const int64_t *sampling_sizes;
  bool scale_propagation_concat;
  bool reduce_range; /* weights have the reduced range, for ops of both kinds */
  lpot_choices corrections[LPOT_NUM_CORRECTIONS]; /* false and true, in the order of the wish;
                                                     count 0: false */
  bool first_conv_or_matmul_quantization; /* false: the first Conv or MatMul/Gemm in topological
                                             order stays f32 */
  const char *model_wise_file; /* where model_wise was written; NULL: not known; borrowed */
  int model_wise_line;
} lpot_wishes;

typedef struct lpot_space_op {
  const char *name; /* borrowed from the op list */
  const char *type;
  size_t num_configs;
  const lpot_op_config *configs; /* [num_configs], LPOT's order, quantized and F32 ones */
  size_t num_quantized;
  const size_t *quantized; /* [num_quantized] indices of the quantized ones, in order */
  size_t num_reduced;
  const size_t *reduced;      /* [num_reduced] the same of the quantized and the bf16 ones */
  const lpot_op_config *bf16; /* its bf16 configuration, or NULL */
  lpot_op_config fallback;    /* its F32 configuration, whether listed or not */
  bool may_fall_back; /* false: op_wise asks for a quantized activation. model_wise and optype_wise
                         say which int8 to try; F32 stays what an op falls back to */
} lpot_space_op;

typedef struct lpot_space lpot_space;

/* ops must outlive the space. LPOT_CONFIG for a bad pattern. */
LPOT_MUST_CHECK lpot_status lpot_space_new(const lpot_quant_ops *ops, const lpot_wishes *wishes,
                                           lpot_space **ret_space, lpot_error *err);
void lpot_space_free(lpot_space *space);
size_t lpot_space_num_ops(const lpot_space *space);
const lpot_space_op *lpot_space_get(const lpot_space *space, size_t index);
size_t lpot_space_num_sampling_sizes(const lpot_space *space);
int64_t lpot_space_sampling_size(const lpot_space *space, size_t index);
size_t lpot_space_num_corrections(const lpot_space *space); /* >= 1 */
const lpot_corrections *lpot_space_corrections(const lpot_space *space, size_t index);
/* Variant number i has sampling size i / num_corrections and corrections i % num_corrections. */
size_t lpot_space_num_variants(const lpot_space *space);
bool lpot_space_is_dynamic(const lpot_space *space); /* of the recipes */
bool lpot_space_scale_propagation_concat(const lpot_space *space);
bool lpot_space_reduce_range(const lpot_space *space);
/* What was dropped or matched nothing, one line each. */
size_t lpot_space_num_warnings(const lpot_space *space);
const char *lpot_space_warning(const lpot_space *space, size_t index);

#endif
