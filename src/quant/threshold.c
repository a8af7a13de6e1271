#include <math.h>

#include "quant/calibration.h"
#include "quant/threshold_kl.h"

#define PERCENTILE_TAIL 1e-4 /* share of the values that is cut off at each end */
#define MSE_FRACTIONS 100

/* ---- percentile ---- */

/* The magnitude beyond which `tail` values of one sign lie; extreme is the largest one. */
static double cut_tail(const uint64_t *bins, double width, double extreme, double tail) {
  double beyond = 0;
  for (int i = LPOT_HISTOGRAM_BINS - 1; i >= 0; i--) {
    double count = (double)bins[i];
    if (count <= 0) {
      continue;
    }
    if (beyond + count > tail) {
      double upper = fmin((i + 1) * width, extreme);
      double lower = i * width;
      return upper - (upper - lower) * (tail - beyond) / count;
    }
    beyond += count;
  }
  return 0;
}

static void find_percentile(const lpot_histogram *histogram, double *ret_low, double *ret_high) {
  double width = lpot_histogram_bin_width(histogram);
  double tail = (double)lpot_histogram_num_finite(histogram) * PERCENTILE_TAIL;
  *ret_high = cut_tail(histogram->positive, width, (double)histogram->maximum, tail);
  *ret_low = 0.0 - cut_tail(histogram->negative, width, -(double)histogram->minimum, tail);
}

/* ---- mean squared error ---- */

/* Sum of squared errors of the values of one sign, each standing at its bin's middle: within the
 * bound they go to the nearest multiple of scale, beyond it to the bound. */
static double squared_errors(const uint64_t *bins, double width, double bound, double scale) {
  double sum = 0;
  for (int i = 0; i < LPOT_HISTOGRAM_BINS; i++) {
    if (bins[i] == 0) {
      continue;
    }
    double value = (i + 0.5) * width;
    double rounded = fmin(scale * nearbyint(value / scale), bound);
    sum += (double)bins[i] * (value - rounded) * (value - rounded);
  }
  return sum;
}

/* From the whole range downwards, so that of equal errors the wider range wins. */
static double find_least_error(const lpot_histogram *histogram, lpot_dtype dtype,
                               lpot_scheme scheme, double largest) {
  double width = lpot_histogram_bin_width(histogram);
  double best = largest;
  double least = INFINITY;
  for (int i = MSE_FRACTIONS; i > 0; i--) {
    double threshold = largest * i / MSE_FRACTIONS;
    double low = fmin(fmax((double)histogram->minimum, -threshold), 0);
    double high = fmax(fmin((double)histogram->maximum, threshold), 0);
    const lpot_quant_params params =
        lpot_quant_params_from_range(dtype, scheme == LPOT_SCHEME_SYM, (float)low, (float)high);
    double scale = (double)params.scale;
    double error = squared_errors(histogram->positive, width, high, scale) +
                   squared_errors(histogram->negative, width, -low, scale);
    if (error < least) {
      least = error;
      best = threshold;
    }
  }
  return best;
}

/* ---- all of them ---- */

/* Levels on one side of zero: all 255 steps serve values of one sign where the zero point is free
 * or the type unsigned. */
static int num_levels(const lpot_histogram *histogram, lpot_dtype dtype, lpot_scheme scheme) {
  bool one_sided =
      histogram->minimum >= 0 || (scheme == LPOT_SCHEME_ASYM && histogram->maximum <= 0);
  bool uses_all = scheme == LPOT_SCHEME_ASYM || dtype == LPOT_U8;
  return one_sided && uses_all ? 255 : 127;
}

void lpot_threshold(const lpot_histogram *histogram, lpot_algorithm algorithm, lpot_dtype dtype,
                    lpot_scheme scheme, float *ret_low, float *ret_high) {
  double low = fmin((double)histogram->minimum, 0);
  double high = fmax((double)histogram->maximum, 0);
  double largest = fmax(-low, high);
  double threshold = largest;
  if (histogram->positive == NULL) {
    *ret_low = (float)low;
    *ret_high = (float)high;
    return;
  }
  if (algorithm == LPOT_PERCENTILE) {
    find_percentile(histogram, &low, &high);
  }
  if (algorithm == LPOT_KL) {
    threshold = lpot_threshold_kl(histogram, num_levels(histogram, dtype, scheme), largest);
  }
  if (algorithm == LPOT_MSE) {
    threshold = find_least_error(histogram, dtype, scheme, largest);
  }
  *ret_low = (float)fmax(low, -threshold);
  *ret_high = (float)fmin(high, threshold);
}
