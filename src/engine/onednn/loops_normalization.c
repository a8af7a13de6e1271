#include "engine/onednn/loops_normalization.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/onednn/exponential.h"
#include "engine/onednn/simd_clones.h"

/* Sums that the compiler may keep side by side in vector registers. */
#define LANES 16

static double add_lanes(const double lanes[LANES]) {
  double sum = 0.0;
  for (int i = 0; i < LANES; ++i) {
    sum += lanes[i];
  }
  return sum;
}

LPOT_SIMD_CLONES
static double sum_of(const float *in, int64_t count) {
  double lanes[LANES] = {0.0};
  int64_t done = 0;
  for (; done + LANES <= count; done += LANES) {
    for (int i = 0; i < LANES; ++i) {
      lanes[i] += (double)in[done + i];
    }
  }
  for (int i = 0; done + i < count; ++i) {
    lanes[i] += (double)in[done + i];
  }
  return add_lanes(lanes);
}

LPOT_SIMD_CLONES
static double squares_of(const float *in, int64_t count, double mean) {
  double lanes[LANES] = {0.0};
  int64_t done = 0;
  for (; done + LANES <= count; done += LANES) {
    for (int i = 0; i < LANES; ++i) {
      double deviation = (double)in[done + i] - mean;
      lanes[i] += deviation * deviation;
    }
  }
  for (int i = 0; done + i < count; ++i) {
    double deviation = (double)in[done + i] - mean;
    lanes[i] += deviation * deviation;
  }
  return add_lanes(lanes);
}

/* ---- rows ---- */

LPOT_SIMD_CLONES
static void write_row(const float *in, int64_t size, float mean, float factor, const float *scale,
                      const float *shift, float *out) {
  if (shift == NULL) {
    for (int64_t i = 0; i < size; ++i) {
      out[i] = (in[i] - mean) * factor * scale[i];
    }
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    out[i] = (in[i] - mean) * factor * scale[i] + shift[i];
  }
}

void lpot_loop_normalize_rows(const float *in, int64_t rows, int64_t size, double epsilon,
                              const float *scale, const float *shift, float *out) {
  for (int64_t row = 0; row < rows; ++row) {
    const float *x = in + row * size;
    double mean = sum_of(x, size) / (double)size;
    double variance = squares_of(x, size, mean) / (double)size;
    write_row(x, size, (float)mean, (float)(1.0 / sqrt(variance + epsilon)), scale, shift,
              out + row * size);
  }
}

/* ---- groups of channels ---- */

/* sums[c] += in[., c]; with means: of the squared distance from them. */
LPOT_SIMD_CLONES
static void add_pixels(const float *in, int64_t pixels, int64_t channels, const double *means,
                       double *sums) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const float *x = in + pixel * channels;
    if (means == NULL) {
      for (int64_t c = 0; c < channels; ++c) {
        sums[c] += (double)x[c];
      }
      continue;
    }
    for (int64_t c = 0; c < channels; ++c) {
      double deviation = (double)x[c] - means[c];
      sums[c] += deviation * deviation;
    }
  }
}

static void add_planes(const float *in, int64_t pixels, int64_t channels, const double *means,
                       double *sums) {
  for (int64_t c = 0; c < channels; ++c) {
    const float *plane = in + c * pixels;
    sums[c] += means == NULL ? sum_of(plane, pixels) : squares_of(plane, pixels, means[c]);
  }
}

/* Replaces each channel's sum by the average over its group. */
static void average_groups(const lpot_loop_groups *how, double *sums) {
  int64_t per_group = how->channels / how->groups;
  for (int64_t first = 0; first < how->channels; first += per_group) {
    double sum = 0.0;
    for (int64_t c = first; c < first + per_group; ++c) {
      sum += sums[c];
    }
    for (int64_t c = first; c < first + per_group; ++c) {
      sums[c] = sum / (double)(per_group * how->pixels);
    }
  }
}

static void add_image(const lpot_loop_groups *how, const float *in, const double *means,
                      double *sums) {
  for (int64_t c = 0; c < how->channels; ++c) {
    sums[c] = 0.0;
  }
  if (how->channels_last) {
    add_pixels(in, how->pixels, how->channels, means, sums);
  } else {
    add_planes(in, how->pixels, how->channels, means, sums);
  }
  average_groups(how, sums);
}

LPOT_SIMD_CLONES
static void write_pixels(const lpot_loop_groups *how, const float *in, const float *scale,
                         const float *shift, const double *means, const double *factors,
                         float *out) {
  int64_t channels = how->channels;
  for (int64_t pixel = 0; pixel < how->pixels; ++pixel) {
    const float *x = in + pixel * channels;
    for (int64_t c = 0; c < channels; ++c) {
      out[pixel * channels + c] =
          (x[c] - (float)means[c]) * (float)factors[c] * scale[c] + shift[c];
    }
  }
}

LPOT_SIMD_CLONES
static void write_plane(const float *in, int64_t pixels, float mean, float factor, float shift,
                        float *out) {
  for (int64_t i = 0; i < pixels; ++i) {
    out[i] = (in[i] - mean) * factor + shift;
  }
}

void lpot_loop_normalize_groups(const lpot_loop_groups *how, const float *in, const float *scale,
                                const float *shift, double *statistics, float *out) {
  double *means = statistics;
  double *factors = statistics + how->channels;
  add_image(how, in, NULL, means);
  add_image(how, in, means, factors);
  for (int64_t c = 0; c < how->channels; ++c) {
    factors[c] = 1.0 / sqrt(factors[c] + how->epsilon);
  }
  if (how->channels_last) {
    write_pixels(how, in, scale, shift, means, factors, out);
    return;
  }
  for (int64_t c = 0; c < how->channels; ++c) {
    write_plane(in + c * how->pixels, how->pixels, (float)means[c], (float)factors[c] * scale[c],
                shift[c], out + c * how->pixels);
  }
}

/* ---- local responses ---- */

/* squares is padded by zeros for the windows at both ends. */
LPOT_SIMD_CLONES
static void sum_windows(const float *squares, int64_t channels, int64_t size, float *sums) {
  for (int64_t c = 0; c < channels; ++c) {
    sums[c] = squares[c];
  }
  for (int64_t k = 1; k < size; ++k) {
    for (int64_t c = 0; c < channels; ++c) {
      sums[c] += squares[c + k];
    }
  }
}

/* The usual power of -3/4 is two square roots and a division. */
LPOT_SIMD_CLONES
static void write_usual(const lpot_loop_lrn *lrn, const float *x, const float *sums, float *out) {
  for (int64_t c = 0; c < lrn->channels; ++c) {
    float root = sqrtf(lrn->bias + lrn->alpha * sums[c]);
    out[c] = x[c] / (root * sqrtf(root));
  }
}

static void write_other(const lpot_loop_lrn *lrn, const float *x, const float *sums, float *out) {
  for (int64_t c = 0; c < lrn->channels; ++c) {
    out[c] = x[c] / powf(lrn->bias + lrn->alpha * sums[c], lrn->beta);
  }
}

void lpot_loop_normalize_responses(const lpot_loop_lrn *lrn, const float *in, float *scratch,
                                   float *out) {
  int64_t channels = lrn->channels;
  float *squares = scratch + lrn->before;
  float *sums = squares + channels + lrn->after;
  for (int64_t i = 0; i < lrn->before + channels + lrn->after; ++i) {
    scratch[i] = 0.0f;
  }
  for (int64_t pixel = 0; pixel < lrn->pixels; ++pixel) {
    const float *x = in + pixel * channels;
    for (int64_t c = 0; c < channels; ++c) {
      squares[c] = x[c] * x[c];
    }
    sum_windows(scratch, channels, lrn->before + 1 + lrn->after, sums);
    if (lrn->beta == 0.75f) {
      write_usual(lrn, x, sums, out + pixel * channels);
    } else {
      write_other(lrn, x, sums, out + pixel * channels);
    }
  }
}

/* ---- softmax ---- */

#define SHORT_ROW 64 /* up to here several rows are computed side by side */

/* LANES rows at once, each in its lane: values [size][LANES]. */
LPOT_SIMD_CLONES
static void softmax_lanes(int64_t size, float *values) {
  float top[LANES];
  float sums[LANES] = {0};
  for (int i = 0; i < LANES; ++i) {
    top[i] = values[i];
  }
  for (int64_t k = 1; k < size; ++k) {
    for (int i = 0; i < LANES; ++i) {
      float value = values[k * LANES + i];
      top[i] = top[i] > value ? top[i] : value;
    }
  }
  for (int64_t k = 0; k < size; ++k) {
    for (int i = 0; i < LANES; ++i) {
      float power = lpot_exponential(values[k * LANES + i] - top[i]);
      values[k * LANES + i] = power;
      sums[i] += power;
    }
  }
  for (int i = 0; i < LANES; ++i) {
    sums[i] = 1.0f / sums[i];
  }
  for (int64_t k = 0; k < size; ++k) {
    for (int i = 0; i < LANES; ++i) {
      values[k * LANES + i] *= sums[i];
    }
  }
}

void lpot_loop_softmax_rows(const float *in, int64_t rows, int64_t size, float *out) {
  float values[SHORT_ROW * LANES] = {0};
  for (int64_t row = 0; row < rows && size > SHORT_ROW; ++row) {
    lpot_loop_softmax_row(in + row * size, size, out + row * size);
  }
  if (size > SHORT_ROW) {
    return;
  }
  for (int64_t first = 0; first < rows; first += LANES) {
    int64_t count = rows - first < LANES ? rows - first : LANES;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t k = 0; k < size; ++k) {
        values[k * LANES + i] = in[(first + i) * size + k];
      }
    }
    softmax_lanes(size, values);
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t k = 0; k < size; ++k) {
        out[(first + i) * size + k] = values[k * LANES + i];
      }
    }
  }
}
