/* Exact, mergeable statistics of f32 values.
 *
 * Positive and negative values are counted apart in LPOT_HISTOGRAM_BINS linear bins over
 * magnitudes [0, 2^exponent). The exponent is the smallest one that holds the largest magnitude
 * seen; when it grows, neighbouring bins are merged pairwise, so bins nest by powers of two. Hence
 * the state depends only on the multiset of values: not on their order, batching or the number of
 * ranks that saw them. Zeros (of either sign), NaN and infinities are counted outside of the bins.
 *
 * Form of lpot_histogram_write, little endian: u8 version, u8 exponent - minimum exponent, varint
 * total, zeros, nans, positive infinities, negative infinities, f32 minimum, f32 maximum, then for
 * the positive and then for the negative bins: varint number of runs, and for each run varint
 * empty bins before it (at least 1 except for the first run), varint length (at least 1), and so
 * many varint counts (each at least 1). */
#ifndef LPOT_TENSOR_HISTOGRAM_H
#define LPOT_TENSOR_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"

#define LPOT_HISTOGRAM_BINS 4096
#define LPOT_HISTOGRAM_MIN_EXPONENT (-126)
#define LPOT_HISTOGRAM_MAX_EXPONENT 128

typedef struct lpot_histogram {
  uint64_t *positive; /* [LPOT_HISTOGRAM_BINS], owned; NULL while there is no finite value != 0.
                         Bin i counts magnitudes in [i, i + 1) * 2^exponent / bins */
  uint64_t *negative; /* the same for values < 0; NULL exactly when positive is NULL */
  bool borrows_bins;  /* they belong to somebody else, and stay as they are */
  int exponent;       /* MIN_EXPONENT..MAX_EXPONENT; MIN_EXPONENT while there are no bins */
  float minimum;      /* of the finite values, 0 while there is none; never -0 */
  float maximum;      /* of the finite values, 0 while there is none; never -0 */
  uint64_t zeros;
  uint64_t nans;
  uint64_t positive_infinities;
  uint64_t negative_infinities;
  uint64_t total; /* all values seen, NaN and infinities included */
} lpot_histogram;

void lpot_histogram_init(lpot_histogram *histogram); /* allocates nothing */
void lpot_histogram_done(lpot_histogram *histogram); /* leaves it as init does */
/* Gives up the bins, if there are any, for equal ones at bins, [2 * LPOT_HISTOGRAM_BINS], positive
 * before negative, which outlive the histogram. It may be read, written, compared and merged from,
 * but sees nothing more. */
void lpot_histogram_borrow(lpot_histogram *histogram, const uint64_t *bins);

/* Adds count values (borrowed). LPOT_NO_MEMORY leaves the histogram unchanged. */
LPOT_MUST_CHECK lpot_status lpot_histogram_update(lpot_histogram *histogram, const float *values,
                                                  int64_t count, lpot_error *err);
/* Adds everything that from has seen. On failure (LPOT_NO_MEMORY, or LPOT_INVALID when the total
 * leaves 64 bits) into is unchanged. into and from are different objects. */
LPOT_MUST_CHECK lpot_status lpot_histogram_merge(lpot_histogram *into, const lpot_histogram *from,
                                                 lpot_error *err);
/* Number of values that are neither NaN nor infinite. */
uint64_t lpot_histogram_num_finite(const lpot_histogram *histogram);
/* Width of one bin: 2^exponent / bins. A double, because the smallest ones are no normal f32. */
double lpot_histogram_bin_width(const lpot_histogram *histogram);
/* Equal states, that is equal written bytes. */
bool lpot_histogram_equal(const lpot_histogram *a, const lpot_histogram *b);

/* Appends the form above to buffer. */
LPOT_MUST_CHECK lpot_status lpot_histogram_write(const lpot_histogram *histogram,
                                                 lpot_buffer *buffer, lpot_error *err);
/* Replaces an initialised histogram by the one that the reader brings. LPOT_FORMAT when the bytes
 * are not what lpot_histogram_write makes; the histogram is then unchanged. */
LPOT_MUST_CHECK lpot_status lpot_histogram_read(lpot_histogram *histogram, lpot_reader *reader,
                                                lpot_error *err);

#endif
