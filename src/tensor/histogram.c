#include "tensor/histogram.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/histogram_bins.h"

#define BINS LPOT_HISTOGRAM_BINS
/* Zeros go to four more slots in turn: a run of them, as behind a ReLU, would otherwise wait for
 * the same memory cell again and again. */
#define ZERO_SLOTS 4
#define SLOTS (2 * BINS + ZERO_SLOTS)
#define BLOCK 1024
#define INFINITY_BITS 0x7F800000
#define MAGNITUDE_MASK 0x7FFFFFFF

void lpot_histogram_init(lpot_histogram *histogram) {
  *histogram = (lpot_histogram){.exponent = LPOT_HISTOGRAM_MIN_EXPONENT};
}

void lpot_histogram_done(lpot_histogram *histogram) {
  if (!histogram->borrows_bins) {
    lpot_free(histogram->positive);
  }
  lpot_histogram_init(histogram);
}

void lpot_histogram_borrow(lpot_histogram *histogram, const uint64_t *bins) {
  if (histogram->positive == NULL) {
    return;
  }
  LPOT_ASSERT(memcmp(histogram->positive, bins, 2 * BINS * sizeof *bins) == 0);
  if (!histogram->borrows_bins) {
    lpot_free(histogram->positive);
  }
  histogram->borrows_bins = true;
  histogram->positive = (uint64_t *)(uintptr_t)bins; /* Nobody writes to borrowed ones. */
  histogram->negative = histogram->positive + BINS;
}

uint64_t lpot_histogram_num_finite(const lpot_histogram *histogram) {
  return histogram->total - histogram->nans - histogram->positive_infinities -
         histogram->negative_infinities;
}

double lpot_histogram_bin_width(const lpot_histogram *histogram) {
  return ldexp(1.0 / BINS, histogram->exponent);
}

/* The smallest exponent whose range holds magnitude. */
static int exponent_of(float magnitude) {
  int exponent = LPOT_HISTOGRAM_MIN_EXPONENT;
  if (magnitude > 0) {
    frexpf(magnitude, &exponent);
  }
  return exponent > LPOT_HISTOGRAM_MIN_EXPONENT ? exponent : LPOT_HISTOGRAM_MIN_EXPONENT;
}

lpot_status lpot_histogram_make_bins(lpot_histogram *histogram, lpot_error *err) {
  if (histogram->positive != NULL) {
    return LPOT_OK;
  }
  histogram->positive = lpot_calloc(SLOTS, sizeof *histogram->positive);
  if (histogram->positive == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  histogram->negative = histogram->positive + BINS;
  return LPOT_OK;
}

/* Merges bins so that each of the new ones holds 2^shift old ones. */
static void fold_bins(uint64_t *bins, int shift) {
  for (int i = 0; i < BINS; i++) {
    uint64_t count = bins[i];
    bins[i] = 0;
    bins[i >> shift] += count;
  }
}

/* Widens the range to exponent, if it is not that wide yet. */
static void grow_range(lpot_histogram *histogram, int exponent) {
  if (exponent <= histogram->exponent) {
    return;
  }
  int growth = exponent - histogram->exponent;
  histogram->exponent = exponent;
  if (histogram->positive != NULL) {
    int shift = growth < 16 ? growth : 16;
    fold_bins(histogram->positive, shift);
    fold_bins(histogram->negative, shift);
  }
}

/* What the first pass finds. Comparing the bits of floats as integers is comparing the floats,
 * and the compiler may reorder integer comparisons, hence use vectors. */
typedef struct batch_summary {
  int32_t lowest_key; /* order keys of the finite values */
  int32_t highest_key;
  int64_t nans;
  int64_t positive_infinities;
  int64_t negative_infinities;
} batch_summary;

/* Order keys: the bits of values >= 0, and -1 - magnitude bits for negative ones. A key is its
 * own inverse. Masks instead of choices here and below: branches on the data would be guessed
 * wrong half of the time. */
static int32_t order_key(int32_t bits) {
  return bits ^ (-(bits < 0) & MAGNITUDE_MASK);
}

static float value_of_key(int32_t key) {
  int32_t bits = order_key(key);
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  /* Turns -0 into 0. */
  return value + 0.0F;
}

static void summarize_block(const float *values, int count, batch_summary *summary) {
  int32_t lowest = summary->lowest_key;
  int32_t highest = summary->highest_key;
  int32_t nans = 0;
  int32_t infinities = 0;
  int32_t negative_infinities = 0;
  for (int i = 0; i < count; i++) {
    int32_t bits = 0;
    memcpy(&bits, &values[i], sizeof bits);
    int32_t magnitude = bits & MAGNITUDE_MASK;
    int32_t key = order_key(bits);
    int32_t finite = -(magnitude < INFINITY_BITS);
    int32_t low = (key & finite) | (INT32_MAX & ~finite);
    int32_t high = (key & finite) | (INT32_MIN & ~finite);
    lowest = low < lowest ? low : lowest;
    highest = high > highest ? high : highest;
    nans += magnitude > INFINITY_BITS;
    infinities += magnitude == INFINITY_BITS;
    negative_infinities += key == order_key(INT32_MIN | INFINITY_BITS);
  }
  summary->lowest_key = lowest;
  summary->highest_key = highest;
  summary->nans += nans;
  summary->positive_infinities += infinities - negative_infinities;
  summary->negative_infinities += negative_infinities;
}

static batch_summary summarize(const float *values, int64_t count) {
  batch_summary summary = {.lowest_key = INT32_MAX, .highest_key = INT32_MIN};
  for (int64_t start = 0; start < count; start += BLOCK) {
    int64_t left = count - start;
    summarize_block(values + start, left < BLOCK ? (int)left : BLOCK, &summary);
  }
  return summary;
}

/* The slot of one value; zeros, NaN and infinities belong to slot `zero`. The factors make the bin
 * number by exact multiplications: two of them, because their product may be out of the range of
 * normal floats. */
static inline int32_t slot_of(float value, float first_factor, float second_factor, int32_t zero) {
  int32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  int32_t kept = bits & MAGNITUDE_MASK;
  kept &= -(kept < INFINITY_BITS);
  float magnitude = 0;
  memcpy(&magnitude, &kept, sizeof magnitude);
  int32_t bin = (int32_t)(magnitude * first_factor * second_factor);
  bin += -(bits < 0) & BINS;
  int32_t in_bins = -(kept != 0);
  return (bin & in_bins) | (zero & ~in_bins);
}

/* Counts the values into the bins and the zero slots. */
static void count_block(uint64_t *slots, const float *values, int count, float first_factor,
                        float second_factor) {
  uint16_t places[BLOCK];
  for (int i = 0; i < count; i++) {
    int32_t zero = 2 * BINS + (i & (ZERO_SLOTS - 1));
    places[i] = (uint16_t)slot_of(values[i], first_factor, second_factor, zero);
  }
  for (int i = 0; i < count; i++) {
    slots[places[i]]++;
  }
}

static void count_values(lpot_histogram *histogram, const float *values, int64_t count) {
  /* A bin number is magnitude * bins / 2^exponent. */
  const int power = 12 - histogram->exponent;
  const float first_factor = ldexpf(1.0F, power / 2);
  const float second_factor = ldexpf(1.0F, power - power / 2);
  uint64_t *slots = histogram->positive;
  for (int64_t start = 0; start < count; start += BLOCK) {
    int64_t left = count - start;
    count_block(slots, values + start, left < BLOCK ? (int)left : BLOCK, first_factor,
                second_factor);
  }
}

/* Moves the zero slots into the number of zeros; not_zeros of them were NaN or infinite. */
static void collect_zeros(lpot_histogram *histogram, uint64_t not_zeros) {
  uint64_t *slots = histogram->positive + 2 * BINS;
  uint64_t sum = 0;
  for (int i = 0; i < ZERO_SLOTS; i++) {
    sum += slots[i];
    slots[i] = 0;
  }
  histogram->zeros += sum - not_zeros;
}

/* Widens minimum and maximum; to be called before num_finite changes. */
static void widen_limits(lpot_histogram *histogram, float minimum, float maximum) {
  bool first = lpot_histogram_num_finite(histogram) == 0;
  histogram->minimum = first || minimum < histogram->minimum ? minimum : histogram->minimum;
  histogram->maximum = first || maximum > histogram->maximum ? maximum : histogram->maximum;
}

lpot_status lpot_histogram_update(lpot_histogram *histogram, const float *values, int64_t count,
                                  lpot_error *err) {
  LPOT_ASSERT(count >= 0 && !histogram->borrows_bins);
  const batch_summary summary = summarize(values, count);
  const int64_t not_finite =
      summary.nans + summary.positive_infinities + summary.negative_infinities;
  if (not_finite < count) {
    float minimum = value_of_key(summary.lowest_key);
    float maximum = value_of_key(summary.highest_key);
    float magnitude = fmaxf(fabsf(minimum), fabsf(maximum));
    if (magnitude > 0) {
      LPOT_TRY(lpot_histogram_make_bins(histogram, err));
      grow_range(histogram, exponent_of(magnitude));
      count_values(histogram, values, count);
      collect_zeros(histogram, (uint64_t)not_finite);
    } else {
      histogram->zeros += (uint64_t)(count - not_finite);
    }
    widen_limits(histogram, minimum, maximum);
  }
  histogram->nans += (uint64_t)summary.nans;
  histogram->positive_infinities += (uint64_t)summary.positive_infinities;
  histogram->negative_infinities += (uint64_t)summary.negative_infinities;
  histogram->total += (uint64_t)count;
  return LPOT_OK;
}

static void add_bins(uint64_t *into, const uint64_t *from, int shift) {
  for (int i = 0; i < BINS; i++) {
    into[i >> shift] += from[i];
  }
}

lpot_status lpot_histogram_merge(lpot_histogram *into, const lpot_histogram *from,
                                 lpot_error *err) {
  LPOT_ASSERT(!into->borrows_bins);
  if (from->total > UINT64_MAX - into->total) {
    return LPOT_FAIL(err, LPOT_INVALID, "histograms of too many values cannot be merged");
  }
  if (from->positive != NULL) {
    LPOT_TRY(lpot_histogram_make_bins(into, err));
    grow_range(into, from->exponent);
    int growth = into->exponent - from->exponent;
    int shift = growth < 16 ? growth : 16;
    add_bins(into->positive, from->positive, shift);
    add_bins(into->negative, from->negative, shift);
  }
  if (lpot_histogram_num_finite(from) > 0) {
    widen_limits(into, from->minimum, from->maximum);
  }
  into->zeros += from->zeros;
  into->nans += from->nans;
  into->positive_infinities += from->positive_infinities;
  into->negative_infinities += from->negative_infinities;
  into->total += from->total;
  return LPOT_OK;
}

bool lpot_histogram_equal(const lpot_histogram *a, const lpot_histogram *b) {
  bool same_numbers = a->exponent == b->exponent && a->zeros == b->zeros && a->nans == b->nans &&
                      a->positive_infinities == b->positive_infinities &&
                      a->negative_infinities == b->negative_infinities && a->total == b->total &&
                      memcmp(&a->minimum, &b->minimum, sizeof a->minimum) == 0 &&
                      memcmp(&a->maximum, &b->maximum, sizeof a->maximum) == 0;
  if (!same_numbers || (a->positive == NULL) != (b->positive == NULL)) {
    return false;
  }
  return a->positive == NULL || memcmp(a->positive, b->positive, SLOTS * sizeof *a->positive) == 0;
}
