/* The threshold of least Kullback-Leibler divergence. Private to the floor. */
#ifndef LPOT_QUANT_THRESHOLD_KL_H
#define LPOT_QUANT_THRESHOLD_KL_H

#include "tensor/histogram.h"

/* The magnitude at which clipping |x| and merging what is left into `levels` levels changes the
 * distribution least. largest is the largest magnitude in the histogram, which is never exceeded;
 * the histogram has bins. */
double lpot_threshold_kl(const lpot_histogram *histogram, int levels, double largest);

#endif
