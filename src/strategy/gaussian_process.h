/* Regression by a Gaussian process over points of options (Rasmussen and Williams, Gaussian
 * Processes for Machine Learning, 2006, algorithm 2.1), with the Matern kernel of smoothness 5/2.
 *
 * Options have no order, so the distance of two points is that of their one-hot codes: the square
 * root of twice the number of dimensions in which they differ. Values are scaled to mean 0 and
 * variance 1. The length of the kernel is that of 2^-2, 2^-1.5 ... 2^6 with the largest marginal
 * likelihood. Pure, and in plain C: the matrices are small, and a BLAS brings threads into the
 * process and other bits on other machines. */
#ifndef LPOT_STRATEGY_GAUSSIAN_PROCESS_H
#define LPOT_STRATEGY_GAUSSIAN_PROCESS_H

#include "strategy/points.h"

#define LPOT_MAX_GAUSSIAN_POINTS 256 /* of more observations the last ones count */

typedef struct lpot_gaussian_process lpot_gaussian_process;

/* All values must be finite, and count at least 1; seen is borrowed for the process's life. */
LPOT_MUST_CHECK lpot_status lpot_gaussian_process_new(const lpot_observations *seen,
                                                      lpot_gaussian_process **ret_process,
                                                      lpot_error *err);
void lpot_gaussian_process_free(lpot_gaussian_process *process);
/* Mean and standard deviation of the value at point. */
void lpot_gaussian_process_predict(lpot_gaussian_process *process, const uint16_t *point,
                                   double *ret_mean, double *ret_deviation);
double lpot_gaussian_process_length(const lpot_gaussian_process *process);

#endif
