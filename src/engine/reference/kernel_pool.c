/* MaxPool, AveragePool and their global forms, float and quantized. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

/* The taps [low, high) of one window that lie inside the input, per axis, and how many lie inside
 * the padded input. */
typedef struct pool_window {
  int64_t start[LPOT_MAX_SPATIAL];
  int64_t low[LPOT_MAX_SPATIAL];
  int64_t high[LPOT_MAX_SPATIAL];
  int64_t padded_count; /* product over the axes */
} pool_window;

static pool_window window_at(const lpot_plane *plane, const int64_t position[LPOT_MAX_SPATIAL]) {
  pool_window window = {.padded_count = 1};
  for (int i = 0; i < LPOT_MAX_SPATIAL; i++) {
    int64_t start = position[i] * plane->stride[i] - plane->pad_begin[i];
    int64_t low = 0;
    int64_t high = 0;
    window.start[i] = start;
    lpot_plane_range(start, plane->dilation[i], plane->input[i], plane->kernel[i], &window.low[i],
                     &window.high[i]);
    /* With ceil_mode a window may reach behind the padding: what lies there does not count. */
    lpot_plane_range(start + plane->pad_begin[i], plane->dilation[i],
                     plane->input[i] + plane->pad_begin[i] + plane->pad_end[i], plane->kernel[i],
                     &low, &high);
    window.padded_count *= high - low;
  }
  return window;
}

/* Calls row(state, values, count, step) for each row of taps of the window. */
typedef void (*row_visitor)(double *state, const double *values, int64_t count, int64_t step);

static void visit_window(const lpot_plane *plane, const pool_window *window, const double *image,
                         row_visitor visit, double *state) {
  const int64_t *dilation = plane->dilation;
  for (int64_t i = window->low[0]; i < window->high[0]; i++) {
    int64_t at_i = window->start[0] + i * dilation[0];
    for (int64_t j = window->low[1]; j < window->high[1]; j++) {
      int64_t at_j = window->start[1] + j * dilation[1];
      int64_t at_k = window->start[2] + window->low[2] * dilation[2];
      visit(state, image + (at_i * plane->input[1] + at_j) * plane->input[2] + at_k,
            window->high[2] - window->low[2], dilation[2]);
    }
  }
}

/* NaN wins and stays, so that it is seen behind the pool. */
static void take_maximum(double *state, const double *values, int64_t count, int64_t step) {
  for (int64_t i = 0; i < count; i++) {
    double value = values[i * step];
    if (value > *state || isnan(value)) {
      *state = value;
    }
  }
}

static void take_sum(double *state, const double *values, int64_t count, int64_t step) {
  for (int64_t i = 0; i < count; i++) {
    *state += values[i * step];
  }
}

static double maximum_of_window(const lpot_plane *plane, const pool_window *window,
                                const double *image, bool count_include_pad) {
  (void)count_include_pad;
  double maximum = -(double)INFINITY;
  visit_window(plane, window, image, take_maximum, &maximum);
  return maximum;
}

static double average_of_window(const lpot_plane *plane, const pool_window *window,
                                const double *image, bool count_include_pad) {
  double sum = 0.0;
  int64_t count = window->padded_count;
  visit_window(plane, window, image, take_sum, &sum);
  if (!count_include_pad) {
    count = 1;
    for (int i = 0; i < LPOT_MAX_SPATIAL; i++) {
      count *= window->high[i] - window->low[i];
    }
  }
  return count == 0 ? 0.0 : sum / (double)count;
}

typedef double (*window_function)(const lpot_plane *plane, const pool_window *window,
                                  const double *image, bool count_include_pad);

static void pool_plane(const lpot_plane *plane, window_function apply, bool count_include_pad,
                       const double *image, double *out) {
  int64_t position[LPOT_MAX_SPATIAL];
  int64_t next = 0;
  for (position[0] = 0; position[0] < plane->output[0]; position[0]++) {
    for (position[1] = 0; position[1] < plane->output[1]; position[1]++) {
      for (position[2] = 0; position[2] < plane->output[2]; position[2]++) {
        pool_window window = window_at(plane, position);
        out[next++] = apply(plane, &window, image, count_include_pad);
      }
    }
  }
}

static lpot_status run_pool(const lpot_node *node, const lpot_tensor *input,
                            const lpot_shape *out_shape, window_function apply, lpot_sums_sink sink,
                            const void *context, lpot_error *err) {
  if (input->shape.rank < 3) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected 3 to 5", input->shape.rank);
  }
  lpot_plane plane;
  LPOT_TRY(lpot_plane_resolve(node, &input->shape, NULL, out_shape, &plane, err));
  if (out_shape->dims[1] != input->shape.dims[1]) {
    return LPOT_FAIL(err, LPOT_INVALID, "output has %lld channels, expected %lld",
                     (long long)out_shape->dims[1], (long long)input->shape.dims[1]);
  }
  bool count_include_pad = lpot_node_int(node, "count_include_pad", 0) != 0;
  int64_t channels = input->shape.dims[1];
  double *image = NULL;
  LPOT_TRY(lpot_kernel_scratch(plane.input_size + plane.output_size, &image, err));
  double *out = image + plane.input_size;
  for (int64_t i = 0; i < input->shape.dims[0] * channels; i++) {
    lpot_kernel_load_doubles(input, i * plane.input_size, 1, plane.input_size, image);
    pool_plane(&plane, apply, count_include_pad, image, out);
    sink(context, i * plane.output_size, i % channels, plane.output_size, out);
  }
  lpot_free(image);
  return LPOT_OK;
}

static void store_values(const void *context, int64_t out_start, int64_t channel, int64_t count,
                         const double *values) {
  lpot_tensor *const *out = context;
  (void)channel;
  lpot_kernel_store_doubles(*out, out_start, count, values);
}

/* ---- MaxPool with the places of its maxima ---- */

typedef struct maximum {
  double value;
  int64_t place[LPOT_MAX_SPATIAL]; /* in the input */
} maximum;

/* The first maximum in the order of the window; NaN wins as in take_maximum. */
static maximum find_maximum(const lpot_plane *plane, const pool_window *window,
                            const double *image) {
  maximum best = {.value = -(double)INFINITY, .place = {-1, -1, -1}};
  int64_t at[LPOT_MAX_SPATIAL];
  for (int64_t i = window->low[0]; i < window->high[0]; i++) {
    at[0] = window->start[0] + i * plane->dilation[0];
    for (int64_t j = window->low[1]; j < window->high[1]; j++) {
      at[1] = window->start[1] + j * plane->dilation[1];
      for (int64_t k = window->low[2]; k < window->high[2]; k++) {
        at[2] = window->start[2] + k * plane->dilation[2];
        double value = image[(at[0] * plane->input[1] + at[1]) * plane->input[2] + at[2]];
        if (best.place[0] < 0 || value > best.value || isnan(value)) {
          best = (maximum){value, {at[0], at[1], at[2]}};
        }
      }
    }
  }
  return best;
}

/* storage_order 1 counts the places of one image column by column, the leading axes of size 1
 * without effect. */
static int64_t place_number(const lpot_plane *plane, const int64_t place[LPOT_MAX_SPATIAL],
                            bool column_major, int64_t image_start) {
  const int64_t *size = plane->input;
  if (place[0] < 0) {
    return -1; /* a window that saw nothing but padding */
  }
  return image_start + (column_major ? place[0] + size[0] * (place[1] + size[1] * place[2])
                                     : (place[0] * size[1] + place[1]) * size[2] + place[2]);
}

static void locate_plane(const lpot_plane *plane, bool column_major, const double *image,
                         int64_t out_start, int64_t image_start, lpot_tensor *const *outputs) {
  int64_t position[LPOT_MAX_SPATIAL];
  for (int64_t i = 0; i < plane->output_size; i++) {
    position[0] = i / (plane->output[1] * plane->output[2]);
    position[1] = i / plane->output[2] % plane->output[1];
    position[2] = i % plane->output[2];
    pool_window window = window_at(plane, position);
    maximum best = find_maximum(plane, &window, image);
    int64_t number = place_number(plane, best.place, column_major, image_start);
    lpot_kernel_store_doubles(outputs[0], out_start + i, 1, &best.value);
    lpot_kernel_store_ints(outputs[1], out_start + i, 1, &number);
  }
}

static lpot_status max_pool_with_places(const lpot_node *node, const lpot_tensor *input,
                                        lpot_tensor *const *outputs, lpot_error *err) {
  lpot_plane plane;
  double *image = NULL;
  LPOT_TRY(
      lpot_kernel_check_same_shape("the outputs", &outputs[0]->shape, &outputs[1]->shape, err));
  LPOT_TRY(lpot_plane_resolve(node, &input->shape, NULL, &outputs[0]->shape, &plane, err));
  int64_t planes = input->shape.dims[0] * input->shape.dims[1];
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], planes * plane.output_size, err));
  LPOT_TRY(lpot_kernel_scratch(plane.input_size, &image, err));
  bool column_major = lpot_node_int(node, "storage_order", 0) != 0;
  for (int64_t i = 0; i < planes; i++) {
    lpot_kernel_load_doubles(input, i * plane.input_size, 1, plane.input_size, image);
    locate_plane(&plane, column_major, image, i * plane.output_size, i * plane.input_size, outputs);
  }
  lpot_free(image);
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_max_pool) {
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (node->num_outputs > 1 && outputs[1] != NULL) {
    LPOT_TRY(max_pool_with_places(node, inputs[0], outputs, err));
    return LPOT_OK;
  }
  LPOT_TRY(
      run_pool(node, inputs[0], &outputs[0]->shape, maximum_of_window, store_values, outputs, err));
  return LPOT_OK;
}

lpot_status lpot_average_pool(const lpot_node *node, const lpot_tensor *input,
                              const lpot_shape *out_shape, lpot_sums_sink sink, const void *context,
                              lpot_error *err) {
  LPOT_TRY(run_pool(node, input, out_shape, average_of_window, sink, context, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_average_pool) {
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (!lpot_dtype_is_float(inputs[0]->dtype)) {
    return lpot_kernel_unsupported_type(inputs[0], err);
  }
  LPOT_TRY(lpot_average_pool(node, inputs[0], &outputs[0]->shape, store_values, outputs, err));
  return LPOT_OK;
}

/* Reduces each of the output's elements from the input's spatial elements of that channel. */
static lpot_status run_global(const lpot_tensor *input, const lpot_tensor *output,
                              row_visitor visit, double first, bool divide, lpot_sums_sink sink,
                              const void *context, lpot_error *err) {
  if (input->shape.rank < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 2",
                     input->shape.rank);
  }
  int64_t planes = lpot_kernel_span(&input->shape, 0, 2);
  int64_t size = lpot_kernel_span(&input->shape, 2, input->shape.rank);
  LPOT_TRY(lpot_kernel_check_count("output", output, planes, err));
  double values[LPOT_KERNEL_CHUNK];
  for (int64_t i = 0; i < planes; i++) {
    double state = first;
    for (int64_t done = 0; done < size; done += LPOT_KERNEL_CHUNK) {
      int64_t count = size - done < LPOT_KERNEL_CHUNK ? size - done : LPOT_KERNEL_CHUNK;
      lpot_kernel_load_doubles(input, i * size + done, 1, count, values);
      visit(&state, values, count, 1);
    }
    state = divide ? state / (double)size : state;
    sink(context, i, i % input->shape.dims[1], 1, &state);
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_global_max_pool) {
  (void)node;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  LPOT_TRY(run_global(inputs[0], outputs[0], take_maximum, -(double)INFINITY, false, store_values,
                      outputs, err));
  return LPOT_OK;
}

lpot_status lpot_global_average(const lpot_tensor *input, const lpot_tensor *output,
                                lpot_sums_sink sink, const void *context, lpot_error *err) {
  LPOT_TRY(run_global(input, output, take_sum, 0.0, true, sink, context, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_global_average_pool) {
  (void)node;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (!lpot_dtype_is_float(inputs[0]->dtype)) {
    return lpot_kernel_unsupported_type(inputs[0], err);
  }
  LPOT_TRY(lpot_global_average(inputs[0], outputs[0], store_values, outputs, err));
  return LPOT_OK;
}
