/* The thin layer over oneDNN: about ten functions with the semantics of oneDNN 3.x, implemented
 * for 2.x (dl_v2.c) and 3.x (dl_v3.c). Only those two files and dl_common.c include dnnl.h.
 *
 * Values are real numbers until the end: a primitive computes
 *   r = src_scale * weight_scale[c] * accumulator + bias[c]
 * applies the post-ops to r in order, and stores round(r / dst_scale) + dst_zero_point (saturated)
 * in an integer destination, or r in an f32 or bf16 one. f32 and bf16 primitives have scales of 1;
 * those of bf16 sum up in f32. */
#ifndef LPOT_ENGINE_DL_H
#define LPOT_ENGINE_DL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#define LPOT_DL_MAX_POST_OPS 8
#define LPOT_DL_MAX_DIMS 12 /* oneDNN reads whole arrays of this length */

typedef struct lpot_dl lpot_dl;                     /* oneDNN engine, stream and scratchpad */
typedef struct lpot_dl_primitive lpot_dl_primitive; /* a primitive with its packed weights */

typedef struct lpot_dl_desc {
  lpot_dtype dtype; /* F32, BF16, U8, S8 or S32 */
  int rank;
  int64_t dims[LPOT_DL_MAX_DIMS];    /* logical order: N, C, spatial for convolutions and pools */
  int64_t strides[LPOT_DL_MAX_DIMS]; /* in elements */
} lpot_dl_desc;

typedef enum lpot_dl_post_op_kind {
  LPOT_DL_SUM,        /* r += alpha * (old destination element of type dtype - zero_point) */
  LPOT_DL_REQUANTIZE, /* r = alpha * clamp(round(r / alpha), low, high) */
  LPOT_DL_RELU,       /* r = r > 0 ? r : alpha * r */
  LPOT_DL_CLIP,       /* r = clamp(r, low, high) */
  LPOT_DL_LOGISTIC,
  LPOT_DL_TANH,
  LPOT_DL_HARD_SWISH
} lpot_dl_post_op_kind;

typedef struct lpot_dl_post_op {
  lpot_dl_post_op_kind kind;
  float alpha;
  float low, high;
  int32_t zero_point; /* SUM */
  lpot_dtype dtype;   /* SUM: F32, U8 or S8, of the destination's size */
} lpot_dl_post_op;

typedef struct lpot_dl_attributes {
  float src_scale; /* 1 for f32 */
  int32_t src_zero_point;
  size_t num_weight_scales;   /* 0: f32 or bf16 weights; 1: per tensor; else per output channel */
  const float *weight_scales; /* [num_weight_scales]; borrowed */
  int32_t weight_zero_point;  /* of products of two activations only */
  float dst_scale;            /* 1 for an f32 destination */
  int32_t dst_zero_point;
  size_t num_post_ops;
  lpot_dl_post_op post_ops[LPOT_DL_MAX_POST_OPS];
} lpot_dl_attributes;

void lpot_dl_attributes_init(lpot_dl_attributes *attributes);

typedef struct lpot_dl_convolution {
  lpot_dl_desc src, dst;   /* [N, C, spatial...] */
  lpot_dtype weight_dtype; /* F32, BF16 or S8 */
  const void *weights; /* row-major [O, I/group, k...], transposed: [I, O/group, k...]; borrowed for
                          the call */
  const float *bias;   /* [O] real units, or NULL; borrowed for the call */
  bool transposed;     /* ConvTranspose (f32 only) */
  int64_t group;
  int64_t kernel[LPOT_DL_MAX_DIMS], stride[LPOT_DL_MAX_DIMS], dilation[LPOT_DL_MAX_DIMS];
  int64_t pad_begin[LPOT_DL_MAX_DIMS], pad_end[LPOT_DL_MAX_DIMS];
  lpot_dl_attributes attributes;
} lpot_dl_convolution;

typedef struct lpot_dl_matmul {
  lpot_dl_desc src, weights,
      dst; /* [batch..., M, K], [batch..., K, N], [batch..., M, N], batch dims broadcast */
  const void
      *constant_weights; /* packed at creation; NULL: given at each run. Borrowed for the call */
  const float *bias;     /* [N] real units, or NULL; borrowed for the call */
  lpot_dl_attributes attributes;
} lpot_dl_matmul;

typedef enum lpot_dl_unary {
  LPOT_DL_UNARY_ABS,
  LPOT_DL_UNARY_CLIP, /* to [alpha, beta] */
  LPOT_DL_UNARY_ELU,  /* x > 0 ? x : alpha * (e^x - 1) */
  LPOT_DL_UNARY_EXP,
  LPOT_DL_UNARY_GELU_ERF,
  LPOT_DL_UNARY_GELU_TANH,
  LPOT_DL_UNARY_HARD_SWISH,
  LPOT_DL_UNARY_LOG,
  LPOT_DL_UNARY_LOGISTIC,
  LPOT_DL_UNARY_MISH,
  LPOT_DL_UNARY_RELU,      /* x > 0 ? x : alpha * x */
  LPOT_DL_UNARY_ROUND,     /* half to even */
  LPOT_DL_UNARY_SOFT_RELU, /* log(1 + e^x) */
  LPOT_DL_UNARY_SQRT,
  LPOT_DL_UNARY_SWISH, /* x / (1 + e^(-alpha * x)) */
  LPOT_DL_UNARY_TANH
} lpot_dl_unary;
/* Of a NaN and a number MAXIMUM and MINIMUM take the second operand. */
typedef enum lpot_dl_binary {
  LPOT_DL_ADD,
  LPOT_DL_DIVIDE,
  LPOT_DL_MAXIMUM,
  LPOT_DL_MINIMUM,
  LPOT_DL_MULTIPLY,
  LPOT_DL_SUBTRACT
} lpot_dl_binary;

/* Makes oneDNN work with so many threads, the calling one counted. lpot_dl_new asks for one: a rank
 * is one thread, and spinning helpers of many ranks on one node slow each other down several times.
 */
void lpot_dl_use_threads(int count);
/* Whether large packed weights of the primitives that are made from now on lie in memory that is
 * shared with other processes (lpot_tensor_share). lpot_dl_new: they do not. */
void lpot_dl_use_shared_weights(lpot_dl *dl, bool shared);
LPOT_MUST_CHECK lpot_status lpot_dl_new(lpot_dl **ret_dl, lpot_error *err);
void lpot_dl_free(lpot_dl *dl);
const char *lpot_dl_version(void); /* "oneDNN 2.6.3", static */
const char *lpot_dl_isa(void);     /* "avx512_core_bf16" ..., static */

/* Each fails with LPOT_UNSUPPORTED when oneDNN has no implementation (the caller falls back), and
 * never hands out a "ref" implementation: that is LPOT_UNSUPPORTED too. */
LPOT_MUST_CHECK lpot_status lpot_dl_convolution_new(lpot_dl *dl,
                                                    const lpot_dl_convolution *convolution,
                                                    lpot_dl_primitive **ret_primitive,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_dl_matmul_new(lpot_dl *dl, const lpot_dl_matmul *matmul,
                                               lpot_dl_primitive **ret_primitive, lpot_error *err);
/* kernel, stride, pads as in lpot_dl_convolution; LPOT_DL_MAX_DIMS entries each; no dilation. */
LPOT_MUST_CHECK lpot_status lpot_dl_max_pool_new(lpot_dl *dl, const lpot_dl_desc *src,
                                                 const lpot_dl_desc *dst, const int64_t *kernel,
                                                 const int64_t *stride, const int64_t *pad_begin,
                                                 const int64_t *pad_end,
                                                 lpot_dl_primitive **ret_primitive,
                                                 lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_dl_unary_new(lpot_dl *dl, lpot_dl_unary unary, float alpha,
                                              float beta, const lpot_dl_desc *desc,
                                              lpot_dl_primitive **ret_primitive, lpot_error *err);
/* src0 has the shape of dst; src1 may have dimensions of 1. f32. relu: applied to the result. */
LPOT_MUST_CHECK lpot_status lpot_dl_binary_new(lpot_dl *dl, lpot_dl_binary binary,
                                               const lpot_dl_desc *src0, const lpot_dl_desc *src1,
                                               const lpot_dl_desc *dst, bool relu,
                                               lpot_dl_primitive **ret_primitive, lpot_error *err);
/* logarithm: of the softmax. */
LPOT_MUST_CHECK lpot_status lpot_dl_softmax_new(lpot_dl *dl, const lpot_dl_desc *desc, int axis,
                                                bool logarithm, lpot_dl_primitive **ret_primitive,
                                                lpot_error *err);
void lpot_dl_primitive_free(lpot_dl_primitive *primitive);

/* src1 is NULL for primitives with one input. dst may be src only where the primitive was made for
 * it. */
LPOT_MUST_CHECK lpot_status lpot_dl_run(lpot_dl_primitive *primitive, const void *src0,
                                        const void *src1, void *dst, lpot_error *err);
const char *lpot_dl_implementation(const lpot_dl_primitive *primitive); /* borrowed */
size_t lpot_dl_weight_bytes(const lpot_dl_primitive *primitive); /* packed weights and bias */

#endif
