/* Our own loops of the oneDNN engine: what oneDNN lacks or does slower. All count arguments are
 * elements; buffers do not overlap. */
#ifndef LPOT_ENGINE_LOOPS_H
#define LPOT_ENGINE_LOOPS_H

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

/* [batch, channels, pixels] <-> [batch, pixels, channels]; element_size is 1 or 4 bytes. */
void lpot_loop_transpose(const void *in, void *out, int64_t batch, int64_t rows, int64_t columns,
                         size_t element_size);

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
 * declared by the node count, those of ceil_mode do not). sums: channels floats of scratch. */
typedef struct lpot_loop_average {
  int64_t batch, channels;
  int64_t input[LPOT_MAX_SPATIAL];
  lpot_window window;
  int count_include_pad;
  int quantized_in, quantized_out;
  lpot_quant_params in, out;
} lpot_loop_average;
void lpot_loop_average_pool(const lpot_loop_average *average, const void *in, float *sums,
                            void *out);

/* out[i] = table[in[i]] */
void lpot_loop_lookup(const uint8_t *in, int64_t count, const uint8_t table[256], uint8_t *out);

/* int32 values as floats. */
void lpot_loop_cast(const int32_t *in, int64_t count, float *out);

/* The parameters that DynamicQuantizeLinear finds. */
lpot_quant_params lpot_loop_dynamic_params(const float *values, int64_t count);

/* out[i] = first[i] + second[i] - zero_point * correction[i], wrapping; second may be NULL. */
void lpot_loop_finish_sums(const int32_t *first, const int32_t *second, int32_t zero_point,
                           const int32_t *correction, int64_t count, int32_t *out);

/* s8 values as u8 ones: each plus 128. */
void lpot_loop_shift_sign(const void *in, int64_t count, void *out);

/* Rows of in_bytes copied from in into rows of out at offset: `outer` rows, out_stride bytes apart.
 */
void lpot_loop_copy_rows(const uint8_t *in, int64_t outer, size_t in_bytes, uint8_t *out,
                         size_t out_stride);

/* out[o, c, i] = in[o, c, i] * scale[c] + shift[c] */
void lpot_loop_scale_shift(const float *in, int64_t outer, int64_t channels, int64_t inner,
                           const float *scale, const float *shift, float *out);

#endif
