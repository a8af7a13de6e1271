#include "quant/threshold_kl.h"

#include <math.h>

#define CANDIDATES 512

/* Running sums over the bins of |x|, so that a candidate costs only its levels. Zeros are left out:
 * every int8 form holds them exactly. Bins with fractions are interpolated: the groups that make
 * up the levels have equal widths, and the divergence is smooth in the threshold. */
typedef struct magnitudes {
  int num_bins;                            /* up to the last one that holds a value */
  double counts[LPOT_HISTOGRAM_BINS];      /* [num_bins] */
  double mass[LPOT_HISTOGRAM_BINS + 1];    /* sum of counts before a bin */
  double filled[LPOT_HISTOGRAM_BINS + 1];  /* number of bins that are not empty before a bin */
  double entropy[LPOT_HISTOGRAM_BINS + 1]; /* sum of count * ln(count) before a bin */
} magnitudes;

static double times_log(double count) {
  return count > 0 ? count * log(count) : 0;
}

static void sum_up(const lpot_histogram *histogram, magnitudes *sums) {
  sums->num_bins = 0;
  sums->mass[0] = 0;
  sums->filled[0] = 0;
  sums->entropy[0] = 0;
  for (int i = 0; i < LPOT_HISTOGRAM_BINS; i++) {
    double count = (double)histogram->positive[i] + (double)histogram->negative[i];
    sums->counts[i] = count;
    sums->mass[i + 1] = sums->mass[i] + count;
    sums->filled[i + 1] = sums->filled[i] + (count > 0 ? 1 : 0);
    sums->entropy[i + 1] = sums->entropy[i] + times_log(count);
    if (count > 0) {
      sums->num_bins = i + 1;
    }
  }
}

static double interpolate(const double *sums, double position, int end) {
  int bin = (int)position;
  if (bin >= end) {
    return sums[end];
  }
  return sums[bin] + (position - bin) * (sums[bin + 1] - sums[bin]);
}

/* KL(P || Q): P is the first num_kept bins with all clipped values in the last one; Q spreads the
 * kept values of each level over the bins of that level that are not empty. Both are divided by the
 * number of all values: were Q normalised by itself, a threshold that clips nearly everything into
 * one bin would look perfect. */
static double divergence(const magnitudes *sums, int num_kept, int levels) {
  double all = sums->mass[sums->num_bins];
  double clipped = all - sums->mass[num_kept];
  double last = sums->counts[num_kept - 1];
  double sum = sums->entropy[num_kept - 1] + times_log(last + clipped);
  double mass_before = 0;
  double filled_before = 0;
  for (int level = 1; level <= levels; level++) {
    double edge = (double)num_kept * level / levels;
    double mass = interpolate(sums->mass, edge, num_kept);
    double filled = interpolate(sums->filled, edge, num_kept);
    double group = mass - mass_before;
    double extra = level == levels ? clipped : 0;
    if (group > 0 && filled > filled_before) {
      sum -= (group + extra) * log(group / (filled - filled_before));
    }
    mass_before = mass;
    filled_before = filled;
  }
  return sum / all;
}

/* The last bin in [begin, end) that is not empty, or -1. An empty bin cannot stand for the clipped
 * values: Q would be 0 where P is not. */
static int last_filled(const magnitudes *sums, int begin, int end) {
  int bin = end - 1;
  while (bin >= begin && sums->counts[bin] <= 0) {
    bin--;
  }
  return bin >= begin ? bin : -1;
}

/* One candidate of each stretch of bins, from the whole range downwards, so that of equal
 * divergences the wider range wins. */
double lpot_threshold_kl(const lpot_histogram *histogram, int levels, double largest) {
  magnitudes sums;
  sum_up(histogram, &sums);
  int best = sums.num_bins;
  int step = (sums.num_bins + CANDIDATES - 1) / CANDIDATES;
  double least = INFINITY;
  for (int end = sums.num_bins; end - step >= levels; end -= step) {
    int last = last_filled(&sums, end - step, end);
    double candidate = last < 0 ? (double)INFINITY : divergence(&sums, last + 1, levels);
    if (candidate < least) {
      least = candidate;
      best = last + 1;
    }
  }
  return fmin(best * lpot_histogram_bin_width(histogram), largest);
}
