/* Calibration: statistics of activations over the calibration samples, and thresholds from them.
 *
 * Statistics are exact histograms (tensor/histogram.h): merging the shards of any number of ranks
 * gives the same bits as one rank reading all samples. So do the channels of inputs of weighted ops
 * (quant/channel_means.h). */
#ifndef LPOT_QUANT_CALIBRATION_H
#define LPOT_QUANT_CALIBRATION_H

#include "base/buffer.h"
#include "base/reader.h"
#include "quant/channel_means.h"
#include "quant/quant_ops.h"
#include "quant/recipe.h"
#include "tensor/histogram.h"
#include "tensor/quantize.h"

/* Most values that a written calibration may have. */
#define LPOT_CALIBRATION_MAX_VALUES 16777216

typedef struct lpot_calibration lpot_calibration;

/* What statistics are of. */
typedef struct lpot_calibration_key {
  int64_t samples; /* the first ones of the calibration order */
  bool equalized;  /* of the equalized graph (quant/equalize.h), else of the plain one */
} lpot_calibration_key;

/* Of those that the recipe is rewritten with. */
lpot_calibration_key lpot_calibration_key_of(const lpot_recipe *recipe);
bool lpot_calibration_key_equal(lpot_calibration_key a, lpot_calibration_key b);

/* One histogram per value with observed[value]; num_values entries. */
LPOT_MUST_CHECK lpot_status lpot_calibration_new(const bool *observed, size_t num_values,
                                                 lpot_calibration **ret_calibration,
                                                 lpot_error *err);
void lpot_calibration_free(lpot_calibration *calibration);
/* Observes the channels of the inputs of weighted ops too. Of two views of one value the first
 * counts. Nothing has been observed yet. */
LPOT_MUST_CHECK lpot_status lpot_calibration_watch_channels(lpot_calibration *calibration,
                                                            const lpot_quant_ops *ops,
                                                            lpot_error *err);
/* Whether observe is to be called for the value. */
bool lpot_calibration_observes(const lpot_calibration *calibration, lpot_value_id value);
/* An lpot_observe_function; context is the calibration. Where channels are watched elements come in
 * the order of the value's shape. */
lpot_status lpot_calibration_observe(void *context, lpot_value_id value, const float *elements,
                                     int64_t count, lpot_error *err);
/* Both must observe the same values (LPOT_FORMAT else). */
LPOT_MUST_CHECK lpot_status lpot_calibration_merge(lpot_calibration *into,
                                                   const lpot_calibration *from, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_calibration_write(const lpot_calibration *calibration,
                                                   lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_calibration_read(lpot_reader *reader,
                                                  lpot_calibration **ret_calibration,
                                                  lpot_error *err);
/* Moves bins and sums into memory that the processes of a node with equal ones have once
 * (base/mapping_shared.h), where that can be had. The calibration is complete then: nothing
 * may be observed or merged into it. */
LPOT_MUST_CHECK lpot_status lpot_calibration_share(lpot_calibration *calibration, lpot_error *err);
/* NULL when the value is not observed. */
const lpot_histogram *lpot_calibration_histogram(const lpot_calibration *calibration,
                                                 lpot_value_id value);
/* NULL when its channels are not watched. */
const lpot_channel_means *lpot_calibration_channels(const lpot_calibration *calibration,
                                                    lpot_value_id value);
/* First value that had NaN or infinite elements, LPOT_NONE when all are finite. */
lpot_value_id lpot_calibration_first_bad(const lpot_calibration *calibration);

/* The range [low, high] (low <= 0 <= high) that algorithm chooses:
 *   minmax      the smallest and largest value seen;
 *   percentile  99.99 % of the values, each side apart (interpolated within a bin);
 *   kl          the threshold T that minimises KL(P || Q) of the distribution of |x| clipped at T
 * against its quantized form (Migacz, "8-bit inference with TensorRT", 2017), never above the
 * largest |x| seen; one threshold for both signs, each then limited by min and max; mse         the
 * threshold T that minimises the mean squared quantization error over the histogram, found over a
 * fixed grid of fractions of the largest |x|. dtype and scheme matter for kl and mse (number of
 * levels). An empty histogram gives [0, 0]. */
void lpot_threshold(const lpot_histogram *histogram, lpot_algorithm algorithm, lpot_dtype dtype,
                    lpot_scheme scheme, float *ret_low, float *ret_high);

#endif
