/* LpPool and GlobalLpPool: the root of order p of the sum of powers of a window's magnitudes. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

static lpot_status read_order(const lpot_node *node, const lpot_tensor *const *inputs,
                              lpot_tensor *const *outputs, double *ret_order, lpot_error *err) {
  int64_t p = lpot_node_int(node, "p", 2);
  if (!lpot_dtype_is_float(inputs[0]->dtype)) {
    return lpot_kernel_unsupported_type(inputs[0], err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (p < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "p is %lld, expected at least 1", (long long)p);
  }
  if (inputs[0]->shape.rank < 3) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 3",
                     inputs[0]->shape.rank);
  }
  *ret_order = (double)p;
  return LPOT_OK;
}

/* Padding is zero, so that only the taps inside the input count. powers has the magnitudes of one
 * plane raised to the order. */
static double norm_at(const lpot_plane *plane, const int64_t position[LPOT_MAX_SPATIAL],
                      const double *powers, double order) {
  int64_t start[LPOT_MAX_SPATIAL];
  int64_t low[LPOT_MAX_SPATIAL];
  int64_t high[LPOT_MAX_SPATIAL];
  double sum = 0.0;
  for (int i = 0; i < LPOT_MAX_SPATIAL; i++) {
    start[i] = position[i] * plane->stride[i] - plane->pad_begin[i];
    lpot_plane_range(start[i], plane->dilation[i], plane->input[i], plane->kernel[i], &low[i],
                     &high[i]);
  }
  for (int64_t z = low[0]; z < high[0]; z++) {
    for (int64_t y = low[1]; y < high[1]; y++) {
      int64_t row =
          (start[0] + z * plane->dilation[0]) * plane->input[1] + start[1] + y * plane->dilation[1];
      for (int64_t x = low[2]; x < high[2]; x++) {
        sum += powers[row * plane->input[2] + start[2] + x * plane->dilation[2]];
      }
    }
  }
  return pow(sum, 1.0 / order);
}

static void pool_plane(const lpot_plane *plane, const double *powers, double order, double *out) {
  int64_t position[LPOT_MAX_SPATIAL];
  for (position[0] = 0; position[0] < plane->output[0]; position[0]++) {
    for (position[1] = 0; position[1] < plane->output[1]; position[1]++) {
      for (position[2] = 0; position[2] < plane->output[2]; position[2]++) {
        *out++ = norm_at(plane, position, powers, order);
      }
    }
  }
}

static void load_powers(const lpot_tensor *input, int64_t start, int64_t count, double order,
                        double *powers) {
  lpot_kernel_load_doubles(input, start, 1, count, powers);
  for (int64_t i = 0; i < count; i++) {
    powers[i] = pow(fabs(powers[i]), order);
  }
}

LPOT_KERNEL(lpot_kernel_lp_pool) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  double order = 0.0;
  lpot_plane plane;
  LPOT_TRY(read_order(node, inputs, outputs, &order, err));
  LPOT_TRY(lpot_plane_resolve(node, &input->shape, NULL, &out->shape, &plane, err));
  int64_t planes = lpot_kernel_span(&input->shape, 0, 2);
  LPOT_TRY(lpot_kernel_check_count("output", out, planes * plane.output_size, err));
  double *powers = NULL;
  LPOT_TRY(lpot_kernel_scratch(plane.input_size + plane.output_size, &powers, err));
  double *results = powers + plane.input_size;
  for (int64_t i = 0; i < planes; i++) {
    load_powers(input, i * plane.input_size, plane.input_size, order, powers);
    pool_plane(&plane, powers, order, results);
    lpot_kernel_store_doubles(out, i * plane.output_size, plane.output_size, results);
  }
  lpot_free(powers);
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_global_lp_pool) {
  const lpot_tensor *input = inputs[0];
  double order = 0.0;
  LPOT_TRY(read_order(node, inputs, outputs, &order, err));
  int64_t planes = lpot_kernel_span(&input->shape, 0, 2);
  int64_t size = lpot_kernel_span(&input->shape, 2, input->shape.rank);
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], planes, err));
  for (int64_t i = 0; i < planes; i++) {
    double powers[LPOT_KERNEL_CHUNK];
    double sum = 0.0;
    for (int64_t done = 0; done < size; done += LPOT_KERNEL_CHUNK) {
      int64_t count = size - done < LPOT_KERNEL_CHUNK ? size - done : LPOT_KERNEL_CHUNK;
      load_powers(input, i * size + done, count, order, powers);
      for (int64_t k = 0; k < count; k++) {
        sum += powers[k];
      }
    }
    double norm = pow(sum, 1.0 / order);
    lpot_kernel_store_doubles(outputs[0], i, 1, &norm);
  }
  return LPOT_OK;
}
