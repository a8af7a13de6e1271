/* Our own loops for normalizations by the statistics of the input. f32, sums in double. Buffers do
 * not overlap. */
#ifndef LPOT_ENGINE_LOOPS_NORMALIZATION_H
#define LPOT_ENGINE_LOOPS_NORMALIZATION_H

#include <stdint.h>

/* out = (x - mean) * factor * scale[i] + shift[i] for each row of in [rows, size]; factor is
 * 1 / sqrt(variance + epsilon); shift NULL: none. */
void lpot_loop_normalize_rows(const float *in, int64_t rows, int64_t size, double epsilon,
                              const float *scale, const float *shift, float *out);

/* Softmax of each row of in [rows, size], size >= 1. Within 1e-6 of the exact value; a row with NaN
 * becomes NaN. out may be in: the one buffer that may overlap. */
void lpot_loop_softmax_rows(const float *in, int64_t rows, int64_t size, float *out);
/* The same of one row, size >= 16. */
void lpot_loop_softmax_row(const float *in, int64_t size, float *out);

/* One image whose channels are normalized in groups. */
typedef struct lpot_loop_groups {
  int64_t channels, groups, pixels;
  int channels_last; /* in is [pixels, channels], else [channels, pixels] */
  double epsilon;
} lpot_loop_groups;
/* scale and shift have an element per channel. statistics: 2 * channels doubles of scratch. */
void lpot_loop_normalize_groups(const lpot_loop_groups *how, const float *in, const float *scale,
                                const float *shift, double *statistics, float *out);

/* Local response normalization of in [pixels, channels]: each channel's window reaches `before`
 * channels back and `after` ahead. scratch: before + 2 * channels + after floats. */
typedef struct lpot_loop_lrn {
  int64_t pixels, channels;
  int64_t before, after;
  float alpha; /* of one square */
  float beta, bias;
} lpot_loop_lrn;
void lpot_loop_normalize_responses(const lpot_loop_lrn *lrn, const float *in, float *scratch,
                                   float *out);

#endif
