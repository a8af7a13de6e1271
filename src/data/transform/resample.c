#include "data/transform/resample.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Weights of u8 images are integers with this many fractional bits: the same result everywhere. */
#define WEIGHT_BITS 22
#define MAX_OUTPUT_SIDE 65535

/* The input positions first[i] .. first[i] + count[i] - 1 make output position i. */
typedef struct filter_table {
  int64_t stride; /* largest count */
  int64_t *first;
  int64_t *count;
  double *weights; /* [out, stride], each row sums to 1 */
  int32_t *fixed;  /* the same times 2^WEIGHT_BITS */
} filter_table;

static double triangle(double x) {
  x = fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

static double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1.0) {
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  }
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static const struct {
  double (*function)(double x);
  double support; /* function is 0 beyond */
} filters[] = {
    [LPOT_INTERPOLATION_BILINEAR] = {triangle, 1.0},
    [LPOT_INTERPOLATION_BICUBIC] = {cubic, 2.0},
};

static const char *const interpolation_names[] = {"bilinear", "nearest", "bicubic", NULL};

const char *const *lpot_interpolation_names(void) {
  return interpolation_names;
}

static void free_table(filter_table *table) {
  lpot_free(table->first);
  lpot_free(table->count);
  lpot_free(table->weights);
  lpot_free(table->fixed);
}

static void fill_row(filter_table *table, int64_t out, int64_t in_size, double scale, double width,
                     lpot_interpolation interpolation) {
  double support = filters[interpolation].support * width;
  double centre = ((double)out + 0.5) * scale;
  double low = floor(centre - support + 0.5);
  double high = floor(centre + support + 0.5);
  int64_t first = low < 0.0 ? 0 : (int64_t)low;
  int64_t end = high > (double)in_size ? in_size : (int64_t)high;
  double *weights = table->weights + out * table->stride;
  double sum = 0.0;
  for (int64_t i = first; i < end; i++) {
    weights[i - first] = filters[interpolation].function(((double)i - centre + 0.5) / width);
    sum += weights[i - first];
  }
  for (int64_t i = 0; i < end - first; i++) {
    weights[i] /= sum;
    table->fixed[out * table->stride + i] =
        (int32_t)floor(weights[i] * (double)(1 << WEIGHT_BITS) + 0.5);
  }
  table->first[out] = first;
  table->count[out] = end - first;
}

static lpot_status make_table(int64_t in_size, int64_t out_size, lpot_interpolation interpolation,
                              filter_table *table, lpot_error *err) {
  double scale = (double)in_size / (double)out_size;
  double width = scale < 1.0 ? 1.0 : scale;
  table->stride = (int64_t)ceil(filters[interpolation].support * width) * 2 + 1;
  size_t cells = (size_t)out_size * (size_t)table->stride;
  table->first = lpot_calloc((size_t)out_size, sizeof(*table->first));
  table->count = lpot_calloc((size_t)out_size, sizeof(*table->count));
  table->weights = lpot_calloc(cells, sizeof(*table->weights));
  table->fixed = lpot_calloc(cells, sizeof(*table->fixed));
  if (table->first == NULL || table->count == NULL || table->weights == NULL ||
      table->fixed == NULL) {
    free_table(table);
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (int64_t i = 0; i < out_size; i++) {
    fill_row(table, i, in_size, scale, width, interpolation);
  }
  return LPOT_OK;
}

static uint8_t to_u8(int32_t sum) {
  int32_t value = sum >> WEIGHT_BITS;
  if (value < 0) {
    return 0;
  }
  return value > 255 ? 255 : (uint8_t)value;
}

/* One output element: count inputs that are step elements apart. */
static uint8_t blend_u8(const uint8_t *in, int64_t step, const int32_t *weights, int64_t count) {
  int32_t sum = 1 << (WEIGHT_BITS - 1);
  for (int64_t i = 0; i < count; i++) {
    sum += in[i * step] * weights[i];
  }
  return to_u8(sum);
}

static float blend_f32(const float *in, int64_t step, const double *weights, int64_t count) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    sum += (double)in[i * step] * weights[i];
  }
  return (float)sum;
}

/* Filters along one dimension: in is [outer, in_size, inner], out [outer, out_size, inner]. */
static void filter_u8(const uint8_t *in, int64_t outer, int64_t in_size, int64_t inner,
                      const filter_table *table, int64_t out_size, uint8_t *out) {
  for (int64_t o = 0; o < outer; o++) {
    const uint8_t *line = in + o * in_size * inner;
    for (int64_t i = 0; i < out_size; i++) {
      const uint8_t *start = line + table->first[i] * inner;
      const int32_t *weights = table->fixed + i * table->stride;
      for (int64_t c = 0; c < inner; c++) {
        *out++ = blend_u8(start + c, inner, weights, table->count[i]);
      }
    }
  }
}

static void filter_f32(const float *in, int64_t outer, int64_t in_size, int64_t inner,
                       const filter_table *table, int64_t out_size, float *out) {
  for (int64_t o = 0; o < outer; o++) {
    const float *line = in + o * in_size * inner;
    for (int64_t i = 0; i < out_size; i++) {
      const float *start = line + table->first[i] * inner;
      const double *weights = table->weights + i * table->stride;
      for (int64_t c = 0; c < inner; c++) {
        *out++ = blend_f32(start + c, inner, weights, table->count[i]);
      }
    }
  }
}

/* Resizes dimension axis (0 or 1) of an image to out_size. */
static lpot_status filter_axis(lpot_tensor *image, int axis, int64_t out_size,
                               lpot_interpolation interpolation, lpot_tensor **ret_output,
                               lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (dims[axis] == out_size) {
    *ret_output = lpot_tensor_ref(image);
    return LPOT_OK;
  }
  lpot_shape shape = image->shape;
  shape.dims[axis] = out_size;
  LPOT_TRY(lpot_tensor_new(image->dtype, &shape, ret_output, err));
  filter_table table = {0};
  lpot_status status = make_table(dims[axis], out_size, interpolation, &table, err);
  if (status != LPOT_OK) {
    lpot_tensor_unref(*ret_output);
    *ret_output = NULL;
    return status;
  }
  int64_t outer = axis == 0 ? 1 : dims[0];
  int64_t inner = axis == 0 ? dims[1] * dims[2] : dims[2];
  if (image->dtype == LPOT_U8) {
    filter_u8(image->data, outer, dims[axis], inner, &table, out_size, (*ret_output)->data);
  } else {
    filter_f32(image->data, outer, dims[axis], inner, &table, out_size, (*ret_output)->data);
  }
  free_table(&table);
  return LPOT_OK;
}

static int64_t nearest_position(int64_t out, int64_t in_size, int64_t out_size) {
  double position = ((double)out + 0.5) * ((double)in_size / (double)out_size);
  int64_t result = (int64_t)position;
  return result < in_size ? result : in_size - 1;
}

static lpot_status take_nearest(const lpot_tensor *image, int64_t height, int64_t width,
                                lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){height, width, dims[2]});
  LPOT_TRY(lpot_tensor_new(image->dtype, &shape, ret_output, err));
  size_t pixel_bytes = (size_t)dims[2] * lpot_dtype_size(image->dtype);
  uint8_t *out = (*ret_output)->data;
  for (int64_t row = 0; row < height; row++) {
    const uint8_t *line = (const uint8_t *)image->data +
                          (size_t)(nearest_position(row, dims[0], height) * dims[1]) * pixel_bytes;
    for (int64_t column = 0; column < width; column++) {
      memcpy(out, line + (size_t)nearest_position(column, dims[1], width) * pixel_bytes,
             pixel_bytes);
      out += pixel_bytes;
    }
  }
  return LPOT_OK;
}

lpot_status lpot_resample(lpot_tensor *image, int64_t height, int64_t width,
                          lpot_interpolation interpolation, lpot_tensor **ret_output,
                          lpot_error *err) {
  if (height < 1 || width < 1 || height > MAX_OUTPUT_SIDE || width > MAX_OUTPUT_SIDE) {
    return LPOT_FAIL(err, LPOT_INVALID, "cannot resize to height %lld and width %lld",
                     (long long)height, (long long)width);
  }
  if (interpolation == LPOT_INTERPOLATION_NEAREST) {
    return take_nearest(image, height, width, ret_output, err);
  }
  lpot_tensor *wide = NULL;
  LPOT_TRY(filter_axis(image, 1, width, interpolation, &wide, err));
  lpot_status status = filter_axis(wide, 0, height, interpolation, ret_output, err);
  lpot_tensor_unref(wide);
  return status;
}

lpot_status lpot_resample_short_side(lpot_tensor *image, int64_t side,
                                     lpot_interpolation interpolation, lpot_tensor **ret_output,
                                     lpot_error *err) {
  int64_t height = image->shape.dims[0];
  int64_t width = image->shape.dims[1];
  int64_t short_side = height < width ? height : width;
  int64_t new_height = (2 * height * side + short_side) / (2 * short_side);
  int64_t new_width = (2 * width * side + short_side) / (2 * short_side);
  return lpot_resample(image, new_height, new_width, interpolation, ret_output, err);
}
