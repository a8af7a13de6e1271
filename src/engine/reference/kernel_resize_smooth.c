/* Resize by linear and cubic interpolation, one axis after the other. With antialias the kernel is
 * as much wider as the axis shrinks, so that every input element has its part. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "engine/reference/kernel_resize.h"

/* Beyond this many elements left or right of the input every tap is a border element. */
#define MARGIN 4

typedef struct interpolation {
  bool cubic;
  double cubic_a;
  bool exclude_outside;
  bool antialias;
} interpolation;

/* The taps of one output coordinate: weight[i] for the element at first + i. */
typedef struct taps {
  int64_t first;
  int count;
  double *weight; /* [capacity of the widest kernel] */
  bool outside;   /* the whole coordinate is outside of a crop */
} taps;

static double linear_weight(double distance) {
  double x = fabs(distance);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution. */
static double cubic_weight(double distance, double a) {
  double x = fabs(distance);
  if (x <= 1.0) {
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  }
  return x < 2.0 ? ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a : 0.0;
}

/* How much the kernel is squeezed: 1, or the scale of an axis that shrinks with antialias. */
static double squeeze_of(const interpolation *how, const lpot_resize_axis *axis) {
  return how->antialias && axis->scale < 1.0f ? (double)axis->scale : 1.0;
}

/* Taps left of the element at floor(x), and of all. */
static double reach_of(const interpolation *how, const lpot_resize_axis *axis) {
  return ceil((how->cubic ? 2.0 : 1.0) / squeeze_of(how, axis));
}

/* Taps outside the input read the border, or are left out; the others then make up for them. */
static void fill_taps(const lpot_resize *resize, const interpolation *how, int64_t i,
                      const lpot_resize_axis *axis, taps *ret) {
  float x = resize->coordinate((float)i, axis);
  int64_t reach = (int64_t)reach_of(how, axis);
  float margin = (float)(reach + MARGIN);
  ret->outside = lpot_resize_is_outside(resize, x, axis);
  float bounded = x > -margin ? x : -margin; /* NaN becomes the margin too */
  bounded = bounded > (float)axis->in + margin ? (float)axis->in + margin : bounded;
  double base = floor((double)bounded);
  double fraction = (double)bounded - base;
  double squeeze = squeeze_of(how, axis);
  double sum = 0.0;
  ret->first = (int64_t)base - reach + 1;
  ret->count = (int)(2 * reach);
  for (int k = 0; k < ret->count; k++) {
    int64_t at = ret->first + k;
    double distance = ((double)(k + 1 - reach) - fraction) * squeeze;
    bool excluded = how->exclude_outside && (at < 0 || at >= axis->in);
    double weight = how->cubic ? cubic_weight(distance, how->cubic_a) : linear_weight(distance);
    ret->weight[k] = excluded ? 0.0 : weight;
    sum += ret->weight[k];
  }
  bool scaled = (how->exclude_outside || how->antialias) && sum != 0.0;
  for (int k = 0; scaled && k < ret->count; k++) {
    ret->weight[k] /= sum;
  }
}

static int64_t clamp_index(int64_t at, int64_t dim) {
  int64_t low = at < 0 ? 0 : at;
  return low >= dim ? dim - 1 : low;
}

/* in has shape [outer, axis->in, inner], out [outer, axis->out, inner]. */
static void interpolate_axis(const double *in, int64_t outer, int64_t inner,
                             const lpot_resize *resize, const lpot_resize_axis *axis,
                             const interpolation *how, taps *t, double *out) {
  memset(out, 0, (size_t)(outer * axis->out * inner) * sizeof *out);
  for (int64_t i = 0; i < axis->out; i++) {
    fill_taps(resize, how, i, axis, t);
    for (int64_t block = 0; block < outer; block++) {
      double *to = out + (block * axis->out + i) * inner;
      for (int k = 0; k < t->count && !t->outside; k++) {
        const double *from = in + (block * axis->in + clamp_index(t->first + k, axis->in)) * inner;
        for (int64_t j = 0; j < inner; j++) {
          to[j] += t->weight[k] * from[j];
        }
      }
      for (int64_t j = 0; j < inner && t->outside; j++) {
        to[j] = resize->extrapolation;
      }
    }
  }
}

/* Room for the elements between any two axes' passes. Input and output were checked on their own,
 * but not what is large in some dimensions of the one and in others of the other. */
static lpot_status stage_room(const lpot_resize_axis *axes, int rank, int64_t *ret_count,
                              lpot_error *err) {
  size_t count = 1;
  for (int i = 0; i < rank; i++) {
    int64_t larger = axes[i].in > axes[i].out ? axes[i].in : axes[i].out;
    LPOT_TRY(lpot_size_mul(count, (size_t)larger, &count, err));
  }
  if (count > (size_t)INT64_MAX / 4) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_count = (int64_t)count;
  return LPOT_OK;
}

/* The taps of the widest kernel. A scale that has nothing to do with the sizes (a file may say so
 * where it crops) would ask for any number of them. */
static lpot_status tap_room(const lpot_resize_axis *axes, int rank, const interpolation *how,
                            int64_t *ret_count, lpot_error *err) {
  *ret_count = 0;
  for (int i = 0; i < rank; i++) {
    double count = 2.0 * reach_of(how, &axes[i]);
    if (!(count <= 8.0 * (double)axes[i].in + 64.0) || count > (double)(INT32_MAX / 2)) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "antialias with a scale of %g",
                       (double)axes[i].scale);
    }
    *ret_count = (int64_t)count > *ret_count ? (int64_t)count : *ret_count;
  }
  return LPOT_OK;
}

static void interpolate(const lpot_resize *resize, int rank, const interpolation *how,
                        double *buffers[2], double *weights) {
  const lpot_resize_axis *axes = resize->axes;
  taps t = {.weight = weights};
  for (int axis = 0; axis < rank; axis++) {
    if (axes[axis].same) {
      continue;
    }
    int64_t outer = 1;
    int64_t inner = 1;
    for (int i = 0; i < axis; i++) {
      outer *= axes[i].out;
    }
    for (int i = axis + 1; i < rank; i++) {
      inner *= axes[i].in;
    }
    interpolate_axis(buffers[0], outer, inner, resize, &axes[axis], how, &t, buffers[1]);
    double *swap = buffers[0];
    buffers[0] = buffers[1];
    buffers[1] = swap;
  }
}

lpot_status lpot_resize_smoothly(const lpot_node *node, bool cubic, const lpot_resize *resize,
                                 const lpot_tensor *input, lpot_tensor *output, lpot_error *err) {
  interpolation how = {.cubic = cubic,
                       .cubic_a = (double)lpot_node_float(node, "cubic_coeff_a", -0.75f),
                       .exclude_outside = lpot_node_int(node, "exclude_outside", 0) != 0,
                       .antialias = lpot_node_int(node, "antialias", 0) != 0};
  int rank = output->shape.rank;
  int64_t count = 0;
  int64_t num_weights = 0;
  double *scratch = NULL;
  LPOT_TRY(stage_room(resize->axes, rank, &count, err));
  LPOT_TRY(tap_room(resize->axes, rank, &how, &num_weights, err));
  LPOT_TRY(lpot_kernel_scratch(2 * count + num_weights, &scratch, err));
  double *buffers[2] = {scratch, scratch + count};
  lpot_kernel_load_doubles(input, 0, 1, lpot_shape_elements(&input->shape), buffers[0]);
  interpolate(resize, rank, &how, buffers, scratch + 2 * count);
  lpot_kernel_store_doubles(output, 0, lpot_shape_elements(&output->shape), buffers[0]);
  lpot_free(scratch);
  return LPOT_OK;
}
