#include "strategy/gaussian_process.h"

#include <math.h>

#include "base/memory.h"

#define JITTER 1e-6
#define NUM_LENGTHS 17

struct lpot_gaussian_process {
  const lpot_observations *seen; /* borrowed */
  size_t first, count;           /* the observations that count */
  double mean, scale;            /* value = mean + scale * what is modelled */
  double length;
  double *factor; /* [count, count], owned: lower Cholesky factor of the covariance */
  double *alpha;  /* [count], owned: covariance^-1 * scaled values */
  double *column; /* [count], owned: scratch */
};

static double matern(size_t differing, double length) {
  double r = sqrt(10.0 * (double)differing) / length; /* sqrt(5) * sqrt(2 differing) / length */
  return (1 + r + r * r / 3) * exp(-r);
}

static size_t num_differing(const uint16_t *a, const uint16_t *b, size_t count) {
  size_t differing = 0;
  for (size_t i = 0; i < count; i++) {
    differing += a[i] != b[i];
  }
  return differing;
}

static const uint16_t *point_of(const lpot_gaussian_process *self, size_t index) {
  return lpot_observations_point(self->seen, self->first + index);
}

static double scaled_value(const lpot_gaussian_process *self, size_t index) {
  return (self->seen->values[self->first + index] - self->mean) / self->scale;
}

static void fill_covariance(lpot_gaussian_process *self) {
  for (size_t i = 0; i < self->count; i++) {
    for (size_t j = 0; j <= i; j++) {
      size_t differing = num_differing(point_of(self, i), point_of(self, j), self->seen->num_dims);
      self->factor[i * self->count + j] = matern(differing, self->length);
    }
    double noise = self->seen->noise[self->first + i] / (self->scale * self->scale);
    self->factor[i * self->count + i] += JITTER + noise;
  }
}

/* L L^T = covariance, in place. The jitter keeps the matrix positive definite. */
static void factorize(double *matrix, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j <= i; j++) {
      double sum = matrix[i * count + j];
      for (size_t k = 0; k < j; k++) {
        sum -= matrix[i * count + k] * matrix[j * count + k];
      }
      matrix[i * count + j] =
          i == j ? sqrt(fmax(sum, JITTER * JITTER)) : sum / matrix[j * count + j];
    }
  }
}

/* vector = L^-1 vector */
static void solve_lower(const double *factor, size_t count, double *vector) {
  for (size_t i = 0; i < count; i++) {
    double sum = vector[i];
    for (size_t k = 0; k < i; k++) {
      sum -= factor[i * count + k] * vector[k];
    }
    vector[i] = sum / factor[i * count + i];
  }
}

/* vector = L^-T vector */
static void solve_upper(const double *factor, size_t count, double *vector) {
  for (size_t i = count; i > 0; i--) {
    double sum = vector[i - 1];
    for (size_t k = i; k < count; k++) {
      sum -= factor[k * count + i - 1] * vector[k];
    }
    vector[i - 1] = sum / factor[(i - 1) * count + i - 1];
  }
}

/* Fits with this length; the logarithm of the marginal likelihood, but for a constant. */
static double fit(lpot_gaussian_process *self, double length) {
  self->length = length;
  fill_covariance(self);
  factorize(self->factor, self->count);
  for (size_t i = 0; i < self->count; i++) {
    self->alpha[i] = scaled_value(self, i);
  }
  solve_lower(self->factor, self->count, self->alpha);
  double likelihood = 0;
  for (size_t i = 0; i < self->count; i++) {
    likelihood -= 0.5 * self->alpha[i] * self->alpha[i];
    likelihood -= log(self->factor[i * self->count + i]);
  }
  solve_upper(self->factor, self->count, self->alpha);
  return likelihood;
}

static void choose_length(lpot_gaussian_process *self) {
  double best_likelihood = -(double)INFINITY;
  double best_length = 1;
  for (int i = 0; i < NUM_LENGTHS; i++) {
    double length = exp2(-2 + 0.5 * i);
    double likelihood = fit(self, length);
    if (likelihood > best_likelihood) {
      best_likelihood = likelihood;
      best_length = length;
    }
  }
  fit(self, best_length);
}

static void scale_values(lpot_gaussian_process *self) {
  double sum = 0;
  double squares = 0;
  const double *values = self->seen->values + self->first;
  for (size_t i = 0; i < self->count; i++) {
    sum += values[i];
  }
  self->mean = sum / (double)self->count;
  for (size_t i = 0; i < self->count; i++) {
    squares += (values[i] - self->mean) * (values[i] - self->mean);
  }
  self->scale = squares > 0 ? sqrt(squares / (double)self->count) : 1;
}

lpot_status lpot_gaussian_process_new(const lpot_observations *seen,
                                      lpot_gaussian_process **ret_process, lpot_error *err) {
  lpot_gaussian_process *self = lpot_calloc(1, sizeof *self);
  if (self == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = seen->count < LPOT_MAX_GAUSSIAN_POINTS ? seen->count : LPOT_MAX_GAUSSIAN_POINTS;
  self->seen = seen;
  self->first = seen->count - count;
  self->count = count;
  self->factor = lpot_calloc(count, count * sizeof *self->factor);
  self->alpha = lpot_calloc(count, sizeof *self->alpha);
  self->column = lpot_calloc(count, sizeof *self->column);
  if (self->factor == NULL || self->alpha == NULL || self->column == NULL) {
    lpot_gaussian_process_free(self);
    return LPOT_OUT_OF_MEMORY(err);
  }
  scale_values(self);
  choose_length(self);
  *ret_process = self;
  return LPOT_OK;
}

void lpot_gaussian_process_free(lpot_gaussian_process *process) {
  if (process == NULL) {
    return;
  }
  lpot_free(process->factor);
  lpot_free(process->alpha);
  lpot_free(process->column);
  lpot_free(process);
}

void lpot_gaussian_process_predict(lpot_gaussian_process *process, const uint16_t *point,
                                   double *ret_mean, double *ret_deviation) {
  double mean = 0;
  double variance = 1;
  for (size_t i = 0; i < process->count; i++) {
    size_t differing = num_differing(point, point_of(process, i), process->seen->num_dims);
    process->column[i] = matern(differing, process->length);
    mean += process->column[i] * process->alpha[i];
  }
  solve_lower(process->factor, process->count, process->column);
  for (size_t i = 0; i < process->count; i++) {
    variance -= process->column[i] * process->column[i];
  }
  *ret_mean = process->mean + process->scale * mean;
  *ret_deviation = process->scale * sqrt(fmax(variance, 0));
}

double lpot_gaussian_process_length(const lpot_gaussian_process *process) {
  return process->length;
}
