/* Our own loops of the oneDNN engine: what oneDNN lacks or does slower. All count arguments are
 * elements; buffers do not overlap. */
#ifndef LPOT_ENGINE_LOOPS_H
#define LPOT_ENGINE_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/window.h"
#include "tensor/quantize.h"

/* As QuantizeLinear: divide, round half to even, add the zero point, saturate; NaN gives the zero
 * point. */
void lpot_loop_quantize(const float *values, int64_t count, const lpot_quant_params *params,
                        void *out);
void lpot_loop_dequantize(const void *values, int64_t count, const lpot_quant_params *params,
                          float *out);

/* Round half to even; NaN stays NaN. */
void lpot_loop_to_bf16(const float *values, int64_t count, uint16_t *out);
void lpot_loop_from_bf16(const uint16_t *values, int64_t count, float *out);
/* out = a + b in f32, then relu where asked (NaN stays). Each of the three is f32 or bf16. */
typedef struct lpot_loop_bf16_sum {
  bool a_is_bf16, b_is_bf16, out_is_bf16, relu;
} lpot_loop_bf16_sum;
void lpot_loop_bf16_sum_run(const lpot_loop_bf16_sum *sum, const void *a, const void *b,
                            int64_t count, void *out);

/* [batch, channels, pixels] <-> [batch, pixels, channels]; element_size is 1, 2, 4 or 8 bytes. */
void lpot_loop_transpose(const void *in, void *out, int64_t batch, int64_t rows, int64_t columns,
                         size_t element_size);

/* Dimensions in another order, as Transpose. */
typedef struct lpot_loop_permute {
  int rank;
  int64_t dims[LPOT_MAX_RANK];       /* of the output */
  int64_t in_strides[LPOT_MAX_RANK]; /* elements of the input by one step of each */
  size_t element_size;               /* 1, 2, 4 or 8 */
} lpot_loop_permute;
/* rank >= 1; no dimension is 0. */
void lpot_loop_permute_init(const int64_t *in_dims, const int64_t *perm, int rank,
                            size_t element_size, lpot_loop_permute *ret);
void lpot_loop_permute_run(const lpot_loop_permute *permute, const void *in, void *out);

/* out[pixel, c] = in[pixel, order[c]] for channels elements of 1 or 4 bytes. */
void lpot_loop_shuffle(const void *in, int64_t pixels, const int32_t *order, int64_t channels,
                       size_t element_size, void *out);

/* out = quantize(relu?(a op b)) of dequantized a and b; multiply selects the op. */
typedef struct lpot_loop_binary {
  lpot_quant_params a, b, out;
  int multiply;
  float low, high; /* clamp of the real result; -inf, inf for none */
} lpot_loop_binary;
void lpot_loop_int8_binary(const lpot_loop_binary *binary, const void *a, const void *b,
                           int64_t count, void *out);

/* The f32 result of the same. */
void lpot_loop_int8_binary_f32(const lpot_loop_binary *binary, const void *a, const void *b,
                               int64_t count, float *out);

/* Average pooling of channels-last data: in [batch, spatial..., channels]. input spatial sizes
 * beside the window; in_params or out_params NULL: f32. count_include_pad as in AveragePool (pads
 * declared by the node count, those of ceil_mode do not). */
typedef struct lpot_loop_average {
  int64_t batch, channels;
  int64_t input[LPOT_MAX_SPATIAL];
  lpot_window window;
  int count_include_pad;
  int quantized_in, quantized_out;
  lpot_quant_params in, out;
} lpot_loop_average;
typedef struct lpot_loop_scratch {
  int32_t *sums; /* [channels] */
  float *means;  /* [channels] */
} lpot_loop_scratch;
void lpot_loop_average_pool(const lpot_loop_average *average, const void *in,
                            const lpot_loop_scratch *scratch, void *out);

/* Reduces [outer, length, inner] to [outer, inner]; no size is 0. NaN is larger and smaller than
 * everything. (loops_reduce.c) */
typedef enum lpot_loop_combiner { LPOT_LOOP_SUM, LPOT_LOOP_MAX, LPOT_LOOP_MIN } lpot_loop_combiner;
typedef struct lpot_loop_reduction {
  int64_t outer, length, inner;
  lpot_loop_combiner combiner;
  int is_mean; /* of a sum: divided by length */
} lpot_loop_reduction;
void lpot_loop_reduce(const lpot_loop_reduction *reduction, const float *in, float *out);

/* out[i] = table[in[i]] */
void lpot_loop_lookup(const uint8_t *in, int64_t count, const uint8_t table[256], uint8_t *out);

/* The same, and lpot_loop_shuffle of at most 256 channels, for processors with AVX-512 VBMI; false
 * on others, having done nothing. */
bool lpot_loop_lookup_bytes(const uint8_t *in, int64_t count, const uint8_t table[256],
                            uint8_t *out);
bool lpot_loop_shuffle_bytes(const uint8_t *in, int64_t pixels, const int32_t *order,
                             int64_t channels, uint8_t *out);
/* int32 values as floats. */
void lpot_loop_cast(const int32_t *in, int64_t count, float *out);

/* The parameters that DynamicQuantizeLinear finds. */
lpot_quant_params lpot_loop_dynamic_params(const float *values, int64_t count);

/* out[i] = first[i] + second[i] - zero_point * correction[i], wrapping; second may be NULL. */
void lpot_loop_finish_sums(const int32_t *first, const int32_t *second, int32_t zero_point,
                           const int32_t *correction, int64_t count, int32_t *out);

/* out[i] = (sums[i] - zero_point * correction[i]) * factors[i] + bias[i], then not below 0 when
 * relu; bias may be NULL. */
void lpot_loop_scale_sums(const int32_t *sums, int32_t zero_point, const int32_t *correction,
                          const float *factors, const float *bias, bool relu, int64_t count,
                          float *out);

/* s8 values as u8 ones: each plus 128. */
void lpot_loop_shift_sign(const void *in, int64_t count, void *out);

/* `rows` rows of row_bytes, in_stride bytes apart, copied to places out_stride bytes apart. */
void lpot_loop_copy_rows(const uint8_t *in, int64_t rows, size_t row_bytes, size_t in_stride,
                         uint8_t *out, size_t out_stride);

/* out[o, c, i] = in[o, c, i] * scale[c] + shift[c], limited to [low, high]; to a u8 or s8 output
 * rounded half to even plus zero_point. Types F32, U8 or S8; [low, high] + zero_point must fit into
 * an 8-bit output. */
typedef struct lpot_loop_affine {
  lpot_dtype in, out;
  int64_t outer, channels, inner;
  const float *scale, *shift; /* [channels] */
  float low, high;
  float zero_point;
} lpot_loop_affine;
void lpot_loop_affine_run(const lpot_loop_affine *affine, const void *in, void *out);

/* ---- loops_f32.c ---- */
typedef enum lpot_loop_unary_kind {
  LPOT_LOOP_CEIL,
  LPOT_LOOP_ERF, /* within 4e-7 of the exact value, relatively */
  LPOT_LOOP_FLOOR,
  LPOT_LOOP_HARD_SIGMOID, /* first * x + second in [0, 1] */
  LPOT_LOOP_NEGATIVE,
  LPOT_LOOP_POWER, /* x^first */
  LPOT_LOOP_RECIPROCAL,
  LPOT_LOOP_SIGN,
  LPOT_LOOP_SOFTSIGN,
  LPOT_LOOP_THRESHOLDED_RELU /* x above first, else 0 */
} lpot_loop_unary_kind;
typedef struct lpot_loop_unary_params {
  lpot_loop_unary_kind kind;
  float first, second;
} lpot_loop_unary_params;
void lpot_loop_unary(const lpot_loop_unary_params *params, const float *in, int64_t count,
                     float *out);

/* out[i] = in[i] * factor; out may be in. */
void lpot_loop_scale(const float *in, int64_t count, float factor, float *out);
/* out[i] += in[i] */
void lpot_loop_add(const float *in, int64_t count, float *out);

/* out[i] = 1 where in[i] is NaN, else 0. */
void lpot_loop_is_nan(const float *in, int64_t count, uint8_t *out);

/* out[o, c, i] = in[o, c, i] < 0 ? in[o, c, i] * slopes[c] : in[o, c, i] */
void lpot_loop_prelu(const float *in, int64_t outer, int64_t channels, int64_t inner,
                     const float *slopes, float *out);

/* out[i] = condition[i] ? a[i] : b[i], a row; operand k is one element where step[k] is 0. */
void lpot_loop_where(const uint8_t *condition, const float *a, const float *b, const int step[3],
                     int64_t count, float *out);

#endif
