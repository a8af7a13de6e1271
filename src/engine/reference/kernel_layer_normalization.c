/* Normalizations by the mean and variance of the input itself: Layer-, Instance- and
 * GroupNormalization over rows of neighbouring elements, MeanVarianceNormalization over any axes.
 */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

#define CHUNK LPOT_KERNEL_CHUNK

static lpot_status check_float(const lpot_tensor *x, const lpot_tensor *y, lpot_error *err) {
  if (!lpot_dtype_is_float(x->dtype)) {
    return lpot_kernel_unsupported_type(x, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(x, y, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &x->shape, &y->shape, err));
  return LPOT_OK;
}

typedef struct row_statistics {
  double mean;
  double factor; /* 1 / sqrt(variance + epsilon) */
} row_statistics;

/* Two passes: the variance of numbers far from zero needs the mean first. */
static row_statistics measure_row(const lpot_tensor *x, int64_t start, int64_t size,
                                  double epsilon) {
  double values[CHUNK];
  double sums[2] = {0.0, 0.0};
  double mean = 0.0;
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t done = 0; done < size; done += CHUNK) {
      int64_t count = size - done < CHUNK ? size - done : CHUNK;
      lpot_kernel_load_doubles(x, start + done, 1, count, values);
      for (int64_t i = 0; i < count; i++) {
        double deviation = values[i] - mean;
        sums[pass] += pass == 0 ? values[i] : deviation * deviation;
      }
    }
    mean = sums[0] / (double)size;
  }
  row_statistics result = {mean, 1.0 / sqrt(sums[1] / (double)size + epsilon)};
  return result;
}

/* y = (x - mean) * factor * scale + bias with one scale and bias. */
static void write_row(const lpot_tensor *x, int64_t start, int64_t size, row_statistics row,
                      double scale, double bias, lpot_tensor *y) {
  double values[CHUNK];
  for (int64_t done = 0; done < size; done += CHUNK) {
    int64_t count = size - done < CHUNK ? size - done : CHUNK;
    lpot_kernel_load_doubles(x, start + done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] = (values[i] - row.mean) * row.factor * scale + bias;
    }
    lpot_kernel_store_doubles(y, start + done, count, values);
  }
}

/* ---- InstanceNormalization, GroupNormalization ---- */

static lpot_status normalize_groups(const lpot_node *node, const lpot_tensor *const *inputs,
                                    lpot_tensor *y, int64_t groups, int64_t num_parameters,
                                    lpot_error *err) {
  const lpot_tensor *x = inputs[0];
  int64_t channels = x->shape.dims[1];
  int64_t per_group = channels / groups;
  int64_t size = lpot_kernel_span(&x->shape, 2, x->shape.rank);
  double epsilon = (double)lpot_node_float(node, "epsilon", 1e-5f);
  LPOT_TRY(lpot_kernel_check_count("scale", inputs[1], num_parameters, err));
  LPOT_TRY(lpot_kernel_check_count("bias", inputs[2], num_parameters, err));
  row_statistics row = {0.0, 0.0};
  for (int64_t i = 0; i < x->shape.dims[0] * channels; i++) {
    int64_t parameter = num_parameters == channels ? i % channels : i % channels / per_group;
    double scale = 0.0;
    double bias = 0.0;
    lpot_kernel_load_doubles(inputs[1], parameter, 1, 1, &scale);
    lpot_kernel_load_doubles(inputs[2], parameter, 1, 1, &bias);
    if (i % per_group == 0) {
      row = measure_row(x, i * size, per_group * size, epsilon);
    }
    write_row(x, i * size, size, row, scale, bias, y);
  }
  return LPOT_OK;
}

static lpot_status check_channels(const lpot_tensor *x, lpot_error *err) {
  if (x->shape.rank < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 2", x->shape.rank);
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_instance_normalization) {
  const lpot_tensor *x = inputs[0];
  LPOT_TRY(check_float(x, outputs[0], err));
  LPOT_TRY(check_channels(x, err));
  int64_t channels = x->shape.dims[1];
  LPOT_TRY(normalize_groups(node, inputs, outputs[0], channels, channels, err));
  return LPOT_OK;
}

/* Scale and bias are per group in opset 18 and per channel in 21. */
LPOT_KERNEL(lpot_kernel_group_normalization) {
  const lpot_tensor *x = inputs[0];
  LPOT_TRY(check_float(x, outputs[0], err));
  LPOT_TRY(check_channels(x, err));
  int64_t channels = x->shape.dims[1];
  int64_t groups = lpot_node_int(node, "num_groups", 0);
  if (groups < 1 || channels % groups != 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "num_groups is %lld, expected a divisor of %lld",
                     (long long)groups, (long long)channels);
  }
  bool per_channel = lpot_shape_elements(&inputs[1]->shape) == channels;
  LPOT_TRY(
      normalize_groups(node, inputs, outputs[0], groups, per_channel ? channels : groups, err));
  return LPOT_OK;
}

/* ---- LayerNormalization ---- */

/* Fills out, one value for each element of a row; a parameter left out is `absent` everywhere. */
static lpot_status spread_parameter(const lpot_tensor *parameter, const lpot_shape *row_shape,
                                    double absent, double *out, lpot_error *err) {
  int64_t total = lpot_shape_elements(row_shape);
  for (int64_t i = 0; parameter == NULL && i < total; i++) {
    out[i] = absent;
  }
  if (parameter == NULL) {
    return LPOT_OK;
  }
  lpot_shape shape = parameter->shape;
  while (shape.rank > row_shape->rank && shape.dims[0] == 1) {
    shape.rank--;
    for (int i = 0; i < shape.rank; i++) {
      shape.dims[i] = shape.dims[i + 1];
    }
  }
  lpot_kernel_rows rows;
  LPOT_TRY(lpot_kernel_rows_begin(&shape, &shape, row_shape, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    lpot_kernel_load_doubles(parameter, rows.start[0], rows.step[0], rows.length,
                             out + rows.out_start);
  }
  return LPOT_OK;
}

static void write_layer_row(const lpot_tensor *x, int64_t start, int64_t size, row_statistics row,
                            const double *scale, const double *bias, lpot_tensor *y) {
  double values[CHUNK];
  for (int64_t done = 0; done < size; done += CHUNK) {
    int64_t count = size - done < CHUNK ? size - done : CHUNK;
    lpot_kernel_load_doubles(x, start + done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] = (values[i] - row.mean) * row.factor * scale[done + i] + bias[done + i];
    }
    lpot_kernel_store_doubles(y, start + done, count, values);
  }
}

static lpot_status normalize_layers(const lpot_node *node, const lpot_tensor *const *inputs,
                                    lpot_tensor *const *outputs, int axis, double *parameters,
                                    lpot_error *err) {
  const lpot_tensor *x = inputs[0];
  lpot_shape row_shape = lpot_shape_of(x->shape.rank - axis, x->shape.dims + axis);
  int64_t size = lpot_shape_elements(&row_shape);
  int64_t num_rows = lpot_kernel_span(&x->shape, 0, axis);
  double epsilon = (double)lpot_node_float(node, "epsilon", 1e-5f);
  double *bias = parameters + size;
  LPOT_TRY(spread_parameter(inputs[1], &row_shape, 1.0, parameters, err));
  LPOT_TRY(spread_parameter(lpot_kernel_input(node, inputs, 2), &row_shape, 0.0, bias, err));
  for (int i = 1; i < node->num_outputs; i++) {
    if (outputs[i] != NULL) {
      LPOT_TRY(lpot_kernel_check_count("an output of statistics", outputs[i], num_rows, err));
    }
  }
  for (int64_t i = 0; i < num_rows; i++) {
    row_statistics row = measure_row(x, i * size, size, epsilon);
    const double statistics[2] = {row.mean, row.factor};
    write_layer_row(x, i * size, size, row, parameters, bias, outputs[0]);
    for (int k = 1; k < node->num_outputs; k++) {
      if (outputs[k] != NULL) {
        lpot_kernel_store_doubles(outputs[k], i, 1, &statistics[k - 1]);
      }
    }
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_layer_normalization) {
  const lpot_tensor *x = inputs[0];
  int axis = 0;
  double *parameters = NULL;
  LPOT_TRY(check_float(x, outputs[0], err));
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", -1), x->shape.rank, &axis, err));
  int64_t size = lpot_kernel_span(&x->shape, axis, x->shape.rank);
  LPOT_TRY(lpot_kernel_scratch(2 * size, &parameters, err));
  lpot_status status = normalize_layers(node, inputs, outputs, axis, parameters, err);
  lpot_free(parameters);
  return status;
}

/* ---- MeanVarianceNormalization ---- */

/* ONNX states the operator as a function with this number under the fraction bar. */
#define DEVIATION_FLOOR 1e-9

typedef enum mean_variance_pass { ADD_VALUES, ADD_SQUARES, WRITE_RESULTS } mean_variance_pass;

/* Walks the input with the statistics of each element's group: means[0 .. groups), then sums of
 * squared deviations or deviations in spreads. */
static void run_pass(mean_variance_pass pass, const lpot_tensor *x, lpot_kernel_rows rows,
                     double *means, double *spreads, lpot_tensor *y) {
  double values[CHUNK];
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t done = 0; done < rows.length; done += CHUNK) {
      int64_t count = rows.length - done < CHUNK ? rows.length - done : CHUNK;
      int64_t group = rows.start[1] + done * rows.step[1];
      lpot_kernel_load_doubles(x, rows.out_start + done, 1, count, values);
      for (int64_t i = 0; i < count; i++, group += rows.step[1]) {
        double deviation = values[i] - means[group];
        if (pass == ADD_VALUES) {
          spreads[group] += values[i];
        } else if (pass == ADD_SQUARES) {
          spreads[group] += deviation * deviation;
        } else {
          values[i] = deviation / (spreads[group] + DEVIATION_FLOOR);
        }
      }
      if (pass == WRITE_RESULTS) {
        lpot_kernel_store_doubles(y, rows.out_start + done, count, values);
      }
    }
  }
}

static lpot_status read_kept_shape(const lpot_node *node, const lpot_tensor *x, lpot_shape *ret,
                                   int64_t *ret_divisor, lpot_error *err) {
  static const int64_t usual_axes[] = {0, 2, 3};
  const int64_t *axes = NULL;
  bool given = lpot_node_attribute(node, "axes") != NULL;
  size_t count = given ? lpot_node_ints(node, "axes", &axes) : 3;
  *ret = x->shape;
  *ret_divisor = 1;
  for (size_t i = 0; i < count; i++) {
    int axis = 0;
    LPOT_TRY(lpot_kernel_axis(given ? axes[i] : usual_axes[i], x->shape.rank, &axis, err));
    *ret_divisor *= ret->dims[axis]; /* 1 when it is listed twice */
    ret->dims[axis] = 1;
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_mean_variance) {
  const lpot_tensor *x = inputs[0];
  lpot_shape kept;
  int64_t divisor = 1;
  lpot_kernel_rows rows;
  double *means = NULL;
  LPOT_TRY(check_float(x, outputs[0], err));
  LPOT_TRY(read_kept_shape(node, x, &kept, &divisor, err));
  LPOT_TRY(lpot_kernel_rows_begin(&x->shape, &kept, &x->shape, &rows, err));
  int64_t groups = lpot_shape_elements(&kept);
  LPOT_TRY(lpot_kernel_scratch(2 * groups, &means, err));
  double *spreads = means + groups;
  run_pass(ADD_VALUES, x, rows, means, spreads, NULL);
  for (int64_t i = 0; i < groups; i++) {
    means[i] = spreads[i] / (double)divisor;
    spreads[i] = 0.0;
  }
  run_pass(ADD_SQUARES, x, rows, means, spreads, NULL);
  for (int64_t i = 0; i < groups; i++) {
    spreads[i] = sqrt(spreads[i] / (double)divisor);
  }
  run_pass(WRITE_RESULTS, x, rows, means, spreads, outputs[0]);
  lpot_free(means);
  return LPOT_OK;
}
