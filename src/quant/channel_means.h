/* Means of an activation's channels: what bias correction wants to know of the inputs of weighted
 * ops.
 *
 * An activation is seen as [outer, channels, inner]. Of each run of inner elements the mean is
 * rounded to f32, and these are summed without rounding (tensor/exact_sum.h): the state does not
 * depend on the order of the samples, nor on the number of ranks that saw them. Elements and runs
 * that are not finite count as zeros.
 *
 * Bytes: u32 channels, u64 inner, u64 outer, then for each channel the words of its sum: 80 bytes.
 */
#ifndef LPOT_QUANT_CHANNEL_MEANS_H
#define LPOT_QUANT_CHANNEL_MEANS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"
#include "tensor/exact_sum.h"

typedef struct lpot_channel_means {
  int64_t channels, inner;
  uint64_t outer;       /* seen so far */
  lpot_exact_sum *sums; /* [channels], owned */
  bool borrows_sums;    /* they belong to somebody else, and stay as they are */
} lpot_channel_means;

LPOT_MUST_CHECK lpot_status lpot_channel_means_new(int64_t channels, int64_t inner,
                                                   lpot_channel_means **ret_means, lpot_error *err);
void lpot_channel_means_free(lpot_channel_means *means);
/* Gives up the sums for equal ones, [channels], which outlive the means; nothing more may be seen.
 */
void lpot_channel_means_borrow(lpot_channel_means *means, const lpot_exact_sum *sums);
/* elements has shape [count / (channels * inner), channels, inner]; LPOT_INVALID for another count.
 */
LPOT_MUST_CHECK lpot_status lpot_channel_means_update(lpot_channel_means *means,
                                                      const float *elements, int64_t count,
                                                      lpot_error *err);
bool lpot_channel_means_same_view(const lpot_channel_means *a, const lpot_channel_means *b);
/* Of the same view. */
void lpot_channel_means_merge(lpot_channel_means *into, const lpot_channel_means *from);
/* 0 while nothing was seen. */
double lpot_channel_means_get(const lpot_channel_means *means, int64_t channel);
LPOT_MUST_CHECK lpot_status lpot_channel_means_write(const lpot_channel_means *means,
                                                     lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_channel_means_read(lpot_reader *reader,
                                                    lpot_channel_means **ret_means,
                                                    lpot_error *err);

#endif
