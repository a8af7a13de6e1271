/* Resize: what the node says, the coordinates of each axis, and nearest; linear and cubic are in
 * kernel_resize_smooth.c.
 *
 * Coordinates are computed in float, as ONNX Runtime does: with a scale such as 0.8f a quotient
 * that is whole in float is not in double, and nearest would then take another element. */
#include "engine/reference/kernel_resize.h"

#include <math.h>

#include "base/text.h"

/* ---- coordinates ---- */

static float half_pixel(float x, const lpot_resize_axis *axis) {
  return (x + 0.5f) / axis->scale - 0.5f;
}

static float pytorch_half_pixel(float x, const lpot_resize_axis *axis) {
  return axis->out > 1 ? half_pixel(x, axis) : 0.0f;
}

static float asymmetric(float x, const lpot_resize_axis *axis) {
  return x / axis->scale;
}

static float tf_half_pixel_for_nn(float x, const lpot_resize_axis *axis) {
  return (x + 0.5f) / axis->scale;
}

static float align_corners(float x, const lpot_resize_axis *axis) {
  if (axis->out == 1) {
    return 0.0f;
  }
  return x * (float)(axis->in - 1) / (float)(axis->out - 1);
}

/* Centres what the fraction of in * scale cut off. */
static float half_pixel_symmetric(float x, const lpot_resize_axis *axis) {
  float adjustment = (float)axis->out / (axis->scale * (float)axis->in);
  float center = (float)axis->in / 2.0f;
  float offset = center * (1.0f - adjustment);
  return offset + (x + 0.5f) / axis->scale - 0.5f;
}

/* The part [begin, end] of the axis, in units of its length. */
static float crop_and_resize(float x, const lpot_resize_axis *axis) {
  float last = (float)(axis->in - 1);
  if (axis->out == 1) {
    return 0.5f * (axis->begin + axis->end) * last;
  }
  return axis->begin * last + x * (axis->end - axis->begin) * last / (float)(axis->out - 1);
}

static const struct {
  const char *name;
  lpot_resize_coordinate rule;
} coordinate_rows[] = {
    {"half_pixel", half_pixel},
    {"pytorch_half_pixel", pytorch_half_pixel},
    {"asymmetric", asymmetric},
    {"align_corners", align_corners},
    {"half_pixel_symmetric", half_pixel_symmetric},
    {"tf_crop_and_resize", crop_and_resize},
    {"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
};

static lpot_status find_coordinate_rule(const lpot_node *node, lpot_resize_coordinate *ret_rule,
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

bool lpot_resize_is_outside(const lpot_resize *resize, float x, const lpot_resize_axis *axis) {
  return resize->crops && (x < 0.0f || x > (float)(axis->in - 1));
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

/* What lies outside a crop becomes the extrapolation value, in the output's type. */
static lpot_status copy_with_fill(const lpot_copy_map *map, const lpot_resize *resize,
                                  const lpot_tensor *input, lpot_tensor *output, lpot_error *err) {
  lpot_tensor *fill = NULL;
  lpot_shape scalar = lpot_shape_scalar();
  LPOT_TRY(lpot_tensor_new(output->dtype, &scalar, &fill, err));
  lpot_kernel_store_doubles(fill, 0, 1, &resize->extrapolation);
  lpot_copy_map_run(map, input, fill->data, output);
  lpot_tensor_unref(fill);
  return LPOT_OK;
}

static lpot_status resize_nearest(const lpot_node *node, const lpot_resize *resize,
                                  const lpot_tensor *input, lpot_tensor *output, lpot_error *err) {
  nearest_rule nearest = NULL;
  int64_t strides[LPOT_MAX_RANK];
  lpot_copy_map map;
  LPOT_TRY(find_nearest_rule(node, &nearest, err));
  lpot_shape_strides(&input->shape, strides);
  LPOT_TRY(lpot_copy_map_init(&output->shape, &map, err));
  for (int axis = 0; axis < output->shape.rank; axis++) {
    const lpot_resize_axis *a = &resize->axes[axis];
    for (int64_t i = 0; i < a->out; i++) {
      float x = a->same ? 0.0f : resize->coordinate((float)i, a);
      int64_t from = a->same ? i : clamp_coordinate(nearest(x), a->in);
      bool outside = !a->same && lpot_resize_is_outside(resize, x, a);
      map.offsets[axis][i] = outside ? -1 : from * strides[axis];
    }
  }
  lpot_status status = copy_with_fill(&map, resize, input, output, err);
  lpot_copy_map_done(&map);
  return status;
}

/* ---- scales ---- */

/* With an aspect ratio to keep, one scale serves every resized axis. */
static void keep_aspect_ratio(const char *policy, const lpot_kernel_ints *which,
                              const lpot_kernel_ints *sizes, lpot_resize_axis *axes) {
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

/* roi holds the begins of all axes that are resized, then their ends. */
static lpot_status read_roi(const lpot_tensor *roi, const lpot_kernel_ints *which,
                            lpot_resize_axis *axes, lpot_error *err) {
  if (roi == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "roi is missing");
  }
  LPOT_TRY(check_entries("roi", lpot_shape_elements(&roi->shape), 2 * which->count, err));
  for (size_t i = 0; i < which->count; i++) {
    double ends[2];
    lpot_kernel_load_doubles(roi, (int64_t)i, (int64_t)which->count, 2, ends);
    axes[which->values[i]].begin = (float)ends[0];
    axes[which->values[i]].end = (float)ends[1];
  }
  return LPOT_OK;
}

static lpot_status read_axes(const lpot_node *node, const lpot_tensor *const *inputs,
                             const lpot_shape *out_shape, lpot_resize *resize, lpot_error *err) {
  lpot_resize_axis *axes = resize->axes;
  const lpot_shape *in_shape = &inputs[0]->shape;
  const lpot_tensor *scales = lpot_kernel_input(node, inputs, 2);
  lpot_kernel_ints sizes;
  lpot_kernel_ints which;
  for (int i = 0; i < in_shape->rank; i++) {
    axes[i] = (lpot_resize_axis){.in = in_shape->dims[i], .out = out_shape->dims[i], .end = 1.0f};
    axes[i].scale = (float)axes[i].out / (float)axes[i].in;
  }
  LPOT_TRY(lpot_kernel_read_axes(node, inputs, INT16_MAX, "axes", in_shape->rank, &which, err));
  if (resize->crops) {
    LPOT_TRY(read_roi(lpot_kernel_input(node, inputs, 1), &which, axes, err));
  }
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

static lpot_status read_resize(const lpot_node *node, const lpot_tensor *const *inputs,
                               const lpot_shape *out_shape, lpot_resize *ret, lpot_error *err) {
  const char *mode = lpot_node_string(node, "coordinate_transformation_mode", "half_pixel");
  *ret = (lpot_resize){.crops = lpot_text_equal(mode, "tf_crop_and_resize")};
  ret->extrapolation = (double)lpot_node_float(node, "extrapolation_value", 0.0f);
  LPOT_TRY(find_coordinate_rule(node, &ret->coordinate, err));
  LPOT_TRY(read_axes(node, inputs, out_shape, ret, err));
  for (int i = 0; i < out_shape->rank; i++) {
    lpot_resize_axis *axis = &ret->axes[i];
    bool whole = !ret->crops || (axis->begin == 0.0f && axis->end == 1.0f);
    axis->same = axis->in == axis->out && axis->scale == 1.0f && whole;
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_resize) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *output = outputs[0];
  const char *mode = lpot_node_string(node, "mode", "nearest");
  bool cubic = lpot_text_equal(mode, "cubic");
  lpot_resize resize;
  LPOT_TRY(lpot_kernel_check_same_type(input, output, err));
  if (input->shape.rank != output->shape.rank || lpot_shape_elements(&input->shape) == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "input is empty or of another rank than the output");
  }
  LPOT_TRY(read_resize(node, inputs, &output->shape, &resize, err));
  if (lpot_text_equal(mode, "nearest")) {
    LPOT_TRY(resize_nearest(node, &resize, input, output, err));
    return LPOT_OK;
  }
  if (!cubic && !lpot_text_equal(mode, "linear")) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "mode '%s'", mode);
  }
  LPOT_TRY(lpot_resize_smoothly(node, cubic, &resize, input, output, err));
  return LPOT_OK;
}
