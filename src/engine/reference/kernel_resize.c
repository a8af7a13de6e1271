/* Resize: nearest, linear and cubic, one axis after the other.
 *
 * Coordinates are computed in float, as ONNX Runtime does: with a scale such as 0.8f a quotient
 * that is whole in float is not in double, and nearest would then take another element. */
#include "engine/reference/kernel.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"

#define MAX_TAPS 4

typedef struct resize_axis {
  int64_t in, out;
  float scale;
} resize_axis;

/* ---- coordinates ---- */

typedef float (*coordinate_rule)(float x, const resize_axis *axis);

static float half_pixel(float x, const resize_axis *axis) {
  return (x + 0.5f) / axis->scale - 0.5f;
}

static float pytorch_half_pixel(float x, const resize_axis *axis) {
  return axis->out > 1 ? half_pixel(x, axis) : 0.0f;
}

static float asymmetric(float x, const resize_axis *axis) {
  return x / axis->scale;
}

static float tf_half_pixel_for_nn(float x, const resize_axis *axis) {
  return (x + 0.5f) / axis->scale;
}

static float align_corners(float x, const resize_axis *axis) {
  if (axis->out == 1) {
    return 0.0f;
  }
  return x * (float)(axis->in - 1) / (float)(axis->out - 1);
}

/* Centres what the fraction of in * scale cut off. */
static float half_pixel_symmetric(float x, const resize_axis *axis) {
  float adjustment = (float)axis->out / (axis->scale * (float)axis->in);
  float center = (float)axis->in / 2.0f;
  float offset = center * (1.0f - adjustment);
  return offset + (x + 0.5f) / axis->scale - 0.5f;
}

static const struct {
  const char *name;
  coordinate_rule rule;
} coordinate_rows[] = {
    {"half_pixel", half_pixel},
    {"pytorch_half_pixel", pytorch_half_pixel},
    {"asymmetric", asymmetric},
    {"align_corners", align_corners},
    {"half_pixel_symmetric", half_pixel_symmetric},
    {"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
};

static lpot_status find_coordinate_rule(const lpot_node *node, coordinate_rule *ret_rule,
                                        lpot_error *err) {
  const char *name = lpot_node_string(node, "coordinate_transformation_mode", "half_pixel");
  for (size_t i = 0; i < sizeof coordinate_rows / sizeof *coordinate_rows; i++) {
    if (lpot_text_equal(name, coordinate_rows[i].name)) {
      *ret_rule = coordinate_rows[i].rule;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "coordinate_transformation_mode '%s'", name);
}

/* ---- nearest ---- */

typedef float (*nearest_rule)(float x);

static float round_prefer_floor(float x) {
  return ceilf(x - 0.5f);
}

static float round_prefer_ceil(float x) {
  return floorf(x + 0.5f);
}

static const struct {
  const char *name;
  nearest_rule rule;
} nearest_rows[] = {
    {"round_prefer_floor", round_prefer_floor},
    {"round_prefer_ceil", round_prefer_ceil},
    {"floor", floorf},
    {"ceil", ceilf},
};

static lpot_status find_nearest_rule(const lpot_node *node, nearest_rule *ret_rule,
                                     lpot_error *err) {
  const char *name = lpot_node_string(node, "nearest_mode", "round_prefer_floor");
  for (size_t i = 0; i < sizeof nearest_rows / sizeof *nearest_rows; i++) {
    if (lpot_text_equal(name, nearest_rows[i].name)) {
      *ret_rule = nearest_rows[i].rule;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "nearest_mode '%s'", name);
}

/* A wild scale gives coordinates that no integer holds; NaN goes to 0. */
static int64_t clamp_coordinate(float x, int64_t dim) {
  if (!(x > 0.0f)) {
    return 0;
  }
  return x >= (float)(dim - 1) ? dim - 1 : (int64_t)x;
}

static lpot_status resize_nearest(const lpot_node *node, const resize_axis *axes,
                                  coordinate_rule coordinate, const lpot_tensor *input,
                                  lpot_tensor *output, lpot_error *err) {
  nearest_rule nearest = NULL;
  int64_t strides[LPOT_MAX_RANK];
  lpot_copy_map map;
  LPOT_TRY(find_nearest_rule(node, &nearest, err));
  lpot_shape_strides(&input->shape, strides);
  LPOT_TRY(lpot_copy_map_init(&output->shape, &map, err));
  for (int axis = 0; axis < output->shape.rank; axis++) {
    const resize_axis *a = &axes[axis];
    for (int64_t i = 0; i < a->out; i++) {
      bool same = a->in == a->out && a->scale == 1.0f;
      float x = same ? (float)i : nearest(coordinate((float)i, a));
      int64_t from = same ? i : clamp_coordinate(x, a->in);
      map.offsets[axis][i] = from * strides[axis];
    }
  }
  lpot_copy_map_run(&map, input, NULL, output);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}

/* ---- linear and cubic ---- */

typedef struct taps {
  int64_t index[MAX_TAPS];
  double weight[MAX_TAPS];
} taps;

typedef struct interpolation {
  int num_taps;
  int64_t before; /* taps left of the one at floor(x) */
  double cubic_a;
  bool exclude_outside;
} interpolation;

/* Keys' cubic convolution for the taps at -1, 0, 1, 2 and a fraction in [0, 1). */
static void cubic_weights(double fraction, double a, double weights[MAX_TAPS]) {
  double s = fraction;
  weights[0] = ((a * (s + 1.0) - 5.0 * a) * (s + 1.0) + 8.0 * a) * (s + 1.0) - 4.0 * a;
  weights[1] = ((a + 2.0) * s - (a + 3.0)) * s * s + 1.0;
  double t = 1.0 - s;
  weights[2] = ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
  weights[3] = ((a * (t + 1.0) - 5.0 * a) * (t + 1.0) + 8.0 * a) * (t + 1.0) - 4.0 * a;
}

static void linear_weights(double fraction, double weights[MAX_TAPS]) {
  weights[0] = 1.0 - fraction;
  weights[1] = fraction;
}

/* Taps outside the input read the border, or are left out and the others scaled up. */
static taps taps_at(float x, int64_t dim, const interpolation *how) {
  taps result = {{0}, {0.0}};
  /* Beyond this every tap is a border element anyway. */
  float bounded = x < -4.0f ? -4.0f : x;
  bounded = bounded > (float)dim + 4.0f ? (float)dim + 4.0f : bounded;
  double base = floor((double)bounded);
  double fraction = (double)bounded - base;
  double sum = 0.0;
  if (how->num_taps == 2) {
    linear_weights(fraction, result.weight);
  } else {
    cubic_weights(fraction, how->cubic_a, result.weight);
  }
  for (int i = 0; i < how->num_taps; i++) {
    int64_t at = (int64_t)base - how->before + i;
    bool outside = at < 0 || at >= dim;
    if (outside && how->exclude_outside) {
      result.weight[i] = 0.0;
    }
    sum += result.weight[i];
    int64_t low = at < 0 ? 0 : at;
    result.index[i] = low >= dim ? dim - 1 : low;
  }
  for (int i = 0; how->exclude_outside && sum != 0.0 && i < how->num_taps; i++) {
    result.weight[i] /= sum;
  }
  return result;
}

/* in has shape [outer, axis->in, inner], out [outer, axis->out, inner]. */
static void interpolate_axis(const double *in, int64_t outer, int64_t inner,
                             const resize_axis *axis, coordinate_rule coordinate,
                             const interpolation *how, double *out) {
  memset(out, 0, (size_t)(outer * axis->out * inner) * sizeof *out);
  for (int64_t i = 0; i < axis->out; i++) {
    taps t = taps_at(coordinate((float)i, axis), axis->in, how);
    for (int64_t block = 0; block < outer; block++) {
      double *to = out + (block * axis->out + i) * inner;
      for (int k = 0; k < how->num_taps; k++) {
        const double *from = in + (block * axis->in + t.index[k]) * inner;
        for (int64_t j = 0; j < inner; j++) {
          to[j] += t.weight[k] * from[j];
        }
      }
    }
  }
}

/* Room for the elements between any two axes' passes. Input and output were checked on their own,
 * but not what is large in some dimensions of the one and in others of the other. */
static lpot_status stage_room(const resize_axis *axes, int rank, int64_t *ret_count,
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

static void interpolate(const resize_axis *axes, int rank, coordinate_rule coordinate,
                        const interpolation *how, double *buffers[2]) {
  for (int axis = 0; axis < rank; axis++) {
    if (axes[axis].in == axes[axis].out && axes[axis].scale == 1.0f) {
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
    interpolate_axis(buffers[0], outer, inner, &axes[axis], coordinate, how, buffers[1]);
    double *swap = buffers[0];
    buffers[0] = buffers[1];
    buffers[1] = swap;
  }
}

static lpot_status resize_smooth(const lpot_node *node, bool cubic, const resize_axis *axes,
                                 coordinate_rule coordinate, const lpot_tensor *input,
                                 lpot_tensor *output, lpot_error *err) {
  interpolation how = {.num_taps = cubic ? 4 : 2,
                       .before = cubic ? 1 : 0,
                       .cubic_a = (double)lpot_node_float(node, "cubic_coeff_a", -0.75f),
                       .exclude_outside = lpot_node_int(node, "exclude_outside", 0) != 0};
  int rank = output->shape.rank;
  int64_t count = 0;
  double *scratch = NULL;
  if (lpot_node_int(node, "antialias", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "antialias is 1");
  }
  LPOT_TRY(stage_room(axes, rank, &count, err));
  LPOT_TRY(lpot_kernel_scratch(2 * count, &scratch, err));
  double *buffers[2] = {scratch, scratch + count};
  lpot_kernel_load_doubles(input, 0, 1, lpot_shape_elements(&input->shape), buffers[0]);
  interpolate(axes, rank, coordinate, &how, buffers);
  lpot_kernel_store_doubles(output, 0, lpot_shape_elements(&output->shape), buffers[0]);
  lpot_free(scratch);
  return LPOT_OK;
}

/* ---- scales ---- */

/* With an aspect ratio to keep, one scale serves every resized axis. */
static void keep_aspect_ratio(const char *policy, const lpot_kernel_ints *which,
                              const lpot_kernel_ints *sizes, resize_axis *axes) {
  bool larger = lpot_text_equal(policy, "not_smaller");
  if (!larger && !lpot_text_equal(policy, "not_larger")) {
    return;
  }
  float common = larger ? 0.0f : INFINITY;
  for (size_t i = 0; i < which->count; i++) {
    float scale = (float)sizes->values[i] / (float)axes[which->values[i]].in;
    common = larger ? fmaxf(common, scale) : fminf(common, scale);
  }
  for (size_t i = 0; i < which->count; i++) {
    axes[which->values[i]].scale = common;
  }
}

static lpot_status check_entries(const char *what, int64_t count, size_t expected,
                                 lpot_error *err) {
  if (count != (int64_t)expected) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s has %lld values, expected %zu", what, (long long)count,
                     expected);
  }
  return LPOT_OK;
}

static lpot_status read_axes(const lpot_node *node, const lpot_tensor *const *inputs,
                             const lpot_shape *out_shape, resize_axis axes[LPOT_MAX_RANK],
                             lpot_error *err) {
  const lpot_shape *in_shape = &inputs[0]->shape;
  const lpot_tensor *scales = lpot_kernel_input(node, inputs, 2);
  lpot_kernel_ints sizes;
  lpot_kernel_ints which;
  for (int i = 0; i < in_shape->rank; i++) {
    axes[i] = (resize_axis){in_shape->dims[i], out_shape->dims[i],
                            (float)out_shape->dims[i] / (float)in_shape->dims[i]};
  }
  LPOT_TRY(lpot_kernel_read_axes(node, inputs, INT16_MAX, "axes", in_shape->rank, &which, err));
  if (scales != NULL && lpot_shape_elements(&scales->shape) != 0) {
    LPOT_TRY(check_entries("scales", lpot_shape_elements(&scales->shape), which.count, err));
    for (size_t i = 0; i < which.count; i++) {
      double scale = 0.0;
      lpot_kernel_load_doubles(scales, (int64_t)i, 1, 1, &scale);
      axes[which.values[i]].scale = (float)scale;
    }
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 3, NULL, &sizes, err));
  LPOT_TRY(check_entries("sizes", (int64_t)sizes.count, which.count, err));
  keep_aspect_ratio(lpot_node_string(node, "keep_aspect_ratio_policy", "stretch"), &which, &sizes,
                    axes);
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_resize) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *output = outputs[0];
  const char *mode = lpot_node_string(node, "mode", "nearest");
  bool cubic = lpot_text_equal(mode, "cubic");
  resize_axis axes[LPOT_MAX_RANK];
  coordinate_rule coordinate = NULL;
  LPOT_TRY(lpot_kernel_check_same_type(input, output, err));
  if (input->shape.rank != output->shape.rank || lpot_shape_elements(&input->shape) == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "input is empty or of another rank than the output");
  }
  LPOT_TRY(read_axes(node, inputs, &output->shape, axes, err));
  LPOT_TRY(find_coordinate_rule(node, &coordinate, err));
  if (lpot_text_equal(mode, "nearest")) {
    LPOT_TRY(resize_nearest(node, axes, coordinate, input, output, err));
    return LPOT_OK;
  }
  if (!cubic && !lpot_text_equal(mode, "linear")) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "mode '%s'", mode);
  }
  LPOT_TRY(resize_smooth(node, cubic, axes, coordinate, input, output, err));
  return LPOT_OK;
}
