/* Conv, ConvTranspose and QLinearConv in 1, 2 and 3 spatial dimensions. */
#include "engine/reference/kernel.h"

#include <string.h>

#include "base/memory.h"

void lpot_plane_range(int64_t offset, int64_t stride, int64_t limit, int64_t count,
                      int64_t *ret_low, int64_t *ret_high) {
  int64_t low = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  int64_t high = limit - 1 - offset < 0 ? 0 : (limit - 1 - offset) / stride + 1;
  high = high > count ? count : high;
  *ret_low = low;
  *ret_high = high < low ? low : high;
}

static lpot_status check_spatial(const lpot_window *window, const lpot_shape *input,
                                 const lpot_shape *output, lpot_error *err) {
  bool same = output->rank == input->rank && output->rank == window->num_spatial + 2 &&
              output->dims[0] == input->dims[0];
  for (int i = 0; same && i < window->num_spatial; i++) {
    same = output->dims[i + 2] == window->output[i];
  }
  if (!same) {
    char text[128];
    lpot_shape_text(output, text, sizeof text);
    return LPOT_FAIL(err, LPOT_INVALID, "output shape %s is not what the window gives", text);
  }
  return LPOT_OK;
}

lpot_status lpot_plane_resolve(const lpot_node *node, const lpot_shape *input,
                               const lpot_shape *weights, const lpot_shape *output,
                               lpot_plane *ret_plane, lpot_error *err) {
  lpot_window window;
  LPOT_TRY(lpot_window_resolve(node, input, weights, &window, err));
  LPOT_TRY(check_spatial(&window, input, output, err));
  int lead = LPOT_MAX_SPATIAL - window.num_spatial;
  lpot_plane plane = {.input_size = 1, .output_size = 1, .kernel_size = 1, .group = window.group};
  for (int i = 0; i < LPOT_MAX_SPATIAL; i++) {
    int from = i - lead;
    bool real = from >= 0;
    plane.input[i] = real ? input->dims[from + 2] : 1;
    plane.output[i] = real ? window.output[from] : 1;
    plane.kernel[i] = real ? window.kernel[from] : 1;
    plane.stride[i] = real ? window.stride[from] : 1;
    plane.dilation[i] = real ? window.dilation[from] : 1;
    plane.pad_begin[i] = real ? window.pad_begin[from] : 0;
    plane.pad_end[i] = real ? window.pad_end[from] : 0;
    plane.input_size *= plane.input[i];
    plane.output_size *= plane.output[i];
    plane.kernel_size *= plane.kernel[i];
  }
  *ret_plane = plane;
  return LPOT_OK;
}

/* A dense kernel of one tap is a sum of scaled planes: one long row serves better than many short
 * ones. */
static void flatten_pointwise(lpot_plane *plane) {
  bool pointwise = plane->kernel_size == 1 && plane->input_size == plane->output_size;
  for (int i = 0; i < LPOT_MAX_SPATIAL; i++) {
    pointwise = pointwise && plane->stride[i] == 1 && plane->pad_begin[i] == 0 &&
                plane->input[i] == plane->output[i];
  }
  if (!pointwise) {
    return;
  }
  for (int i = 0; i < LPOT_MAX_SPATIAL; i++) {
    plane->input[i] = i == LPOT_MAX_SPATIAL - 1 ? plane->input_size : 1;
    plane->output[i] = plane->input[i];
  }
}

typedef struct tap {
  int64_t offset[LPOT_MAX_SPATIAL]; /* where the window's tap lies for output coordinate 0 */
  int64_t low[LPOT_MAX_SPATIAL];    /* dense coordinates [low, high) that have a partner */
  int64_t high[LPOT_MAX_SPATIAL];
} tap;

/* Pairs each coordinate o of the dense side (a Conv's output, a ConvTranspose's input) with
 * o * stride + offset of the other, strided side. */
static tap tap_of(const lpot_plane *plane, int64_t index, const int64_t *strided,
                  const int64_t *dense) {
  tap result;
  for (int i = LPOT_MAX_SPATIAL - 1; i >= 0; i--) {
    int64_t position = index % plane->kernel[i];
    index /= plane->kernel[i];
    result.offset[i] = position * plane->dilation[i] - plane->pad_begin[i];
    lpot_plane_range(result.offset[i], plane->stride[i], strided[i], dense[i], &result.low[i],
                     &result.high[i]);
  }
  return result;
}

static void gather_row(int64_t count, double weight, const double *strided, int64_t stride,
                       double *dense) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; i++) {
      dense[i] += weight * strided[i];
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    dense[i] += weight * strided[i * stride];
  }
}

static void scatter_row(int64_t count, double weight, const double *dense, double *strided,
                        int64_t stride) {
  for (int64_t i = 0; i < count; i++) {
    strided[i * stride] += weight * dense[i];
  }
}

/* Adds one tap's products for a pair of planes. */
static void add_tap(const lpot_plane *plane, const tap *t, double weight, const double *x,
                    double *sums, bool transposed) {
  const int64_t *strided = transposed ? plane->output : plane->input;
  const int64_t *dense = transposed ? plane->input : plane->output;
  int64_t count = t->high[2] - t->low[2];
  for (int64_t i = t->low[0]; i < t->high[0]; i++) {
    int64_t strided_i = i * plane->stride[0] + t->offset[0];
    for (int64_t j = t->low[1]; j < t->high[1]; j++) {
      int64_t strided_j = j * plane->stride[1] + t->offset[1];
      int64_t from = (strided_i * strided[1] + strided_j) * strided[2] +
                     t->low[2] * plane->stride[2] + t->offset[2];
      int64_t to = (i * dense[1] + j) * dense[2] + t->low[2];
      if (transposed) {
        scatter_row(count, weight, x + to, sums + from, plane->stride[2]);
      } else {
        gather_row(count, weight, x + from, plane->stride[2], sums + to);
      }
    }
  }
}

typedef struct convolution {
  lpot_plane plane;
  bool transposed;
  int64_t batch, in_channels, out_channels; /* in all groups */
  int64_t group_in, group_out;              /* in one group */
  const lpot_operand *x, *w;
  double *image;  /* [group_in, input_size] */
  double *filter; /* [group_in, kernel_size] of one output channel */
  double *sums;   /* [output_size] */
} convolution;

static double zero_point_at(const lpot_tensor *zero_points, int64_t channel) {
  double value = 0.0;
  if (zero_points != NULL) {
    bool one = lpot_shape_elements(&zero_points->shape) == 1;
    lpot_kernel_load_doubles(zero_points, one ? 0 : channel, 1, 1, &value);
  }
  return value;
}

static void load_centered(const lpot_tensor *tensor, int64_t start, int64_t count,
                          double zero_point, double *out) {
  lpot_kernel_load_doubles(tensor, start, 1, count, out);
  if (zero_point != 0.0) {
    for (int64_t i = 0; i < count; i++) {
      out[i] -= zero_point;
    }
  }
}

/* Conv's weights are [out_channels, group_in, kernel], ConvTranspose's [in_channels, group_out,
 * kernel]. */
static void load_filter(const convolution *c, int64_t group, int64_t channel_in_group) {
  int64_t size = c->plane.kernel_size;
  int64_t channel = group * c->group_out + channel_in_group;
  double zero_point = zero_point_at(c->w->zero_points, channel);
  if (!c->transposed) {
    load_centered(c->w->tensor, channel * c->group_in * size, c->group_in * size, zero_point,
                  c->filter);
    return;
  }
  for (int64_t i = 0; i < c->group_in; i++) {
    int64_t start = ((group * c->group_in + i) * c->group_out + channel_in_group) * size;
    load_centered(c->w->tensor, start, size, zero_point, c->filter + i * size);
  }
}

static void compute_plane(const convolution *c) {
  const lpot_plane *plane = &c->plane;
  const int64_t *strided = c->transposed ? plane->output : plane->input;
  const int64_t *dense = c->transposed ? plane->input : plane->output;
  memset(c->sums, 0, (size_t)plane->output_size * sizeof *c->sums);
  for (int64_t i = 0; i < c->group_in; i++) {
    const double *x = c->image + i * plane->input_size;
    for (int64_t k = 0; k < plane->kernel_size; k++) {
      tap t = tap_of(plane, k, strided, dense);
      add_tap(plane, &t, c->filter[i * plane->kernel_size + k], x, c->sums, c->transposed);
    }
  }
}

static void run_convolution(const convolution *c, lpot_sums_sink sink, const void *context) {
  const lpot_plane *plane = &c->plane;
  double x_zero_point = zero_point_at(c->x->zero_points, 0);
  for (int64_t n = 0; n < c->batch; n++) {
    for (int64_t group = 0; group < plane->group; group++) {
      int64_t first = n * c->in_channels + group * c->group_in;
      load_centered(c->x->tensor, first * plane->input_size, c->group_in * plane->input_size,
                    x_zero_point, c->image);
      for (int64_t m = 0; m < c->group_out; m++) {
        int64_t channel = group * c->group_out + m;
        load_filter(c, group, m);
        compute_plane(c);
        sink(context, (n * c->out_channels + channel) * plane->output_size, channel,
             plane->output_size, c->sums);
      }
    }
  }
}

static lpot_status check_channels(const convolution *c, const lpot_shape *weights,
                                  lpot_error *err) {
  int64_t group = c->plane.group;
  int64_t rows = c->transposed ? c->in_channels : c->out_channels;
  int64_t columns = c->transposed ? c->group_out : c->group_in;
  if (group < 1 || c->in_channels != c->group_in * group ||
      c->out_channels != c->group_out * group || weights->dims[0] != rows ||
      weights->dims[1] != columns) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "weights [%lld, %lld, ...] do not fit %lld input and %lld output channels in "
                     "%lld groups",
                     (long long)weights->dims[0], (long long)weights->dims[1],
                     (long long)c->in_channels, (long long)c->out_channels, (long long)group);
  }
  int64_t elements = lpot_kernel_span(weights, 0, 2) * c->plane.kernel_size;
  LPOT_TRY(lpot_kernel_check_count("weights", c->w->tensor, elements, err));
  return LPOT_OK;
}

static lpot_status check_zero_points(const lpot_operand *operand, int64_t channels,
                                     lpot_error *err) {
  if (operand->zero_points == NULL || lpot_shape_elements(&operand->zero_points->shape) == 1) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_count("zero point", operand->zero_points, channels, err));
  return LPOT_OK;
}

static lpot_status allocate_and_run(convolution *c, lpot_sums_sink sink, const void *context,
                                    lpot_error *err) {
  int64_t image = c->group_in * c->plane.input_size;
  int64_t filter = c->group_in * c->plane.kernel_size;
  double *scratch = NULL;
  LPOT_TRY(lpot_kernel_scratch(image + filter + c->plane.output_size, &scratch, err));
  c->image = scratch;
  c->filter = scratch + image;
  c->sums = c->filter + filter;
  run_convolution(c, sink, context);
  lpot_free(scratch);
  return LPOT_OK;
}

lpot_status lpot_convolve(const lpot_node *node, const lpot_operand *x, const lpot_operand *w,
                          const lpot_shape *out_shape, lpot_sums_sink sink, const void *context,
                          lpot_error *err) {
  const lpot_shape *in_shape = &x->tensor->shape;
  const lpot_shape *w_shape = &w->tensor->shape;
  if (in_shape->rank < 3 || w_shape->rank != in_shape->rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d and weights %d, expected 3 to 5",
                     in_shape->rank, w_shape->rank);
  }
  convolution c = {.transposed = node->op == LPOT_OP_CONV_TRANSPOSE, .x = x, .w = w};
  LPOT_TRY(lpot_plane_resolve(node, in_shape, w_shape, out_shape, &c.plane, err));
  c.batch = in_shape->dims[0];
  c.in_channels = in_shape->dims[1];
  c.out_channels = out_shape->dims[1];
  int64_t group = c.plane.group < 1 ? 1 : c.plane.group;
  c.group_in = c.in_channels / group;
  c.group_out = c.out_channels / group;
  LPOT_TRY(check_channels(&c, w_shape, err));
  LPOT_TRY(check_zero_points(x, 1, err));
  LPOT_TRY(check_zero_points(w, c.out_channels, err));
  flatten_pointwise(&c.plane);
  return allocate_and_run(&c, sink, context, err);
}

typedef struct float_sink {
  const lpot_tensor *bias; /* [out_channels], or NULL */
  lpot_tensor *out;
} float_sink;

static void add_bias_and_store(const void *context, int64_t out_start, int64_t channel,
                               int64_t count, const double *sums) {
  const float_sink *sink = context;
  double bias = 0.0;
  if (sink->bias != NULL) {
    lpot_kernel_load_doubles(sink->bias, channel, 1, 1, &bias);
  }
  double values[LPOT_KERNEL_CHUNK];
  for (int64_t done = 0; done < count; done += LPOT_KERNEL_CHUNK) {
    int64_t length = count - done < LPOT_KERNEL_CHUNK ? count - done : LPOT_KERNEL_CHUNK;
    for (int64_t i = 0; i < length; i++) {
      values[i] = sums[done + i] + bias;
    }
    lpot_kernel_store_doubles(sink->out, out_start + done, length, values);
  }
}

LPOT_KERNEL(lpot_kernel_convolution) {
  const lpot_tensor *x = inputs[0];
  const lpot_tensor *bias = lpot_kernel_input(node, inputs, 2);
  lpot_tensor *out = outputs[0];
  if (!lpot_dtype_is_float(x->dtype)) {
    return lpot_kernel_unsupported_type(x, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(x, inputs[1], err));
  LPOT_TRY(lpot_kernel_check_same_type(x, out, err));
  if (bias != NULL && out->shape.rank > 1) {
    LPOT_TRY(lpot_kernel_check_count("bias", bias, out->shape.dims[1], err));
  }
  float_sink sink = {bias, out};
  const lpot_operand x_operand = {x, NULL};
  const lpot_operand w_operand = {inputs[1], NULL};
  LPOT_TRY(
      lpot_convolve(node, &x_operand, &w_operand, &out->shape, add_bias_and_store, &sink, err));
  return LPOT_OK;
}
