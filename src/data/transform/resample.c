#include "data/transform/resample.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "data/setting.h"
#include "data/transform_class.h"

/* Weights of u8 images are integers with this many fractional bits: the same result everywhere. */
#define WEIGHT_BITS 22
#define MAX_OUTPUT_SIDE 65535
/* Parts of a pixel that area leaves out. */
#define LEAST_OVERLAP 1e-3

/* The input positions first[i] .. first[i] + count[i] - 1 make output position i. */
typedef struct filter_table {
  int64_t stride; /* largest count */
  double inverse; /* output size over input size */
  int64_t *first;
  int64_t *count;
  double *weights; /* [out, stride], each row sums to 1 */
  int32_t *fixed;  /* the same times 2^WEIGHT_BITS */
} filter_table;

static double triangle(double x) {
  x = fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

static double keys(double x, double a) {
  x = fabs(x);
  if (x < 1.0) {
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  }
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static double smooth_cubic(double x) {
  return keys(x, -0.5);
}

static double sharp_cubic(double x) {
  return keys(x, -0.75);
}

/* How one direction is filtered. */
typedef struct direction_filter direction_filter;
struct direction_filter {
  /* Puts the weights of output position out into table; their sum may be anything. */
  void (*fill_row)(const direction_filter *filter, filter_table *table, int64_t out,
                   int64_t in_size, double scale);
  double (*function)(double x); /* (where fill_row asks for one) */
  double support;               /* function is 0 beyond */
  bool widens;                  /* support grows with the shrinking factor */
  bool rounds_once;             /* u8 images are not rounded between the directions */
};

static void free_table(filter_table *table) {
  lpot_free(table->first);
  lpot_free(table->count);
  lpot_free(table->weights);
  lpot_free(table->fixed);
}

static void fill_averaging(const direction_filter *filter, filter_table *table, int64_t out,
                           int64_t in_size, double scale) {
  double width = scale < 1.0 ? 1.0 : scale;
  double support = filter->support * width;
  double centre = ((double)out + 0.5) * scale;
  double low = floor(centre - support + 0.5);
  double high = floor(centre + support + 0.5);
  int64_t first = low < 0.0 ? 0 : (int64_t)low;
  int64_t end = high > (double)in_size ? in_size : (int64_t)high;
  for (int64_t i = first; i < end; i++) {
    table->weights[out * table->stride + i - first] =
        filter->function(((double)i - centre + 0.5) / width);
  }
  table->first[out] = first;
  table->count[out] = end - first;
}

/* Adds weight to input position i, or to the border where i lies beyond. */
static void add_weight(filter_table *table, int64_t out, int64_t in_size, int64_t i,
                       double weight) {
  int64_t inside = i < 0 ? 0 : i;
  inside = inside < in_size ? inside : in_size - 1;
  if (table->count[out] == 0) {
    table->first[out] = inside;
  }
  int64_t place = inside - table->first[out];
  table->count[out] = place + 1;
  table->weights[out * table->stride + place] += weight;
}

static void fill_sampling(const direction_filter *filter, filter_table *table, int64_t out,
                          int64_t in_size, double scale) {
  double centre = ((double)out + 0.5) * scale - 0.5;
  int64_t reach = (int64_t)filter->support;
  int64_t before = (int64_t)floor(centre);
  for (int64_t i = before - reach + 1; i <= before + reach; i++) {
    add_weight(table, out, in_size, i, filter->function((double)i - centre));
  }
}

static void fill_area(const direction_filter *filter, filter_table *table, int64_t out,
                      int64_t in_size, double scale) {
  (void)filter;
  double low = (double)out * scale;
  double high = fmin(low + scale, (double)in_size);
  for (int64_t i = (int64_t)low; i < in_size && (double)i < high; i++) {
    double overlap = fmin(high, (double)i + 1.0) - fmax(low, (double)i);
    if (overlap > LEAST_OVERLAP) {
      add_weight(table, out, in_size, i, overlap);
    }
  }
}

static void fill_growing_area(const direction_filter *filter, filter_table *table, int64_t out,
                              int64_t in_size, double scale) {
  (void)filter;
  int64_t before = (int64_t)floor((double)out * scale);
  /* In float, as OpenCV: what is 1 but for rounding is then 0, and the pixel before is taken. */
  float share = (float)((double)(out + 1) - (double)(before + 1) * table->inverse);
  share = share <= 0.0f ? 0.0f : share - floorf(share);
  add_weight(table, out, in_size, before, 1.0 - (double)share);
  add_weight(table, out, in_size, before + 1, (double)share);
}

/* Nearest needs none. */
static const direction_filter filters[LPOT_NUM_INTERPOLATIONS] = {
    [LPOT_INTERPOLATION_BILINEAR] = {fill_averaging, triangle, 1.0, true, false},
    [LPOT_INTERPOLATION_BICUBIC] = {fill_averaging, smooth_cubic, 2.0, true, false},
    [LPOT_INTERPOLATION_OPENCV_BILINEAR] = {fill_sampling, triangle, 1.0, false, true},
    [LPOT_INTERPOLATION_OPENCV_BICUBIC] = {fill_sampling, sharp_cubic, 2.0, false, true},
    [LPOT_INTERPOLATION_OPENCV_AREA] = {fill_area, NULL, 1.0, true, true},
};
/* What area is where a side grows. */
static const direction_filter growing_area = {fill_growing_area, NULL, 1.0, false, true};

static void make_sum_one(filter_table *table, int64_t out) {
  double *weights = table->weights + out * table->stride;
  double sum = 0.0;
  for (int64_t i = 0; i < table->count[out]; i++) {
    sum += weights[i];
  }
  for (int64_t i = 0; i < table->count[out]; i++) {
    weights[i] /= sum;
    table->fixed[out * table->stride + i] =
        (int32_t)floor(weights[i] * (double)(1 << WEIGHT_BITS) + 0.5);
  }
}

static lpot_status make_table(const direction_filter *filter, int64_t in_size, int64_t out_size,
                              filter_table *table, lpot_error *err) {
  table->inverse = (double)out_size / (double)in_size;
  /* OpenCV's is the inverse of the inverse, which matters where out * scale is a whole number. */
  double scale = filter->rounds_once ? 1.0 / table->inverse : (double)in_size / (double)out_size;
  double width = filter->widens && scale > 1.0 ? scale : 1.0;
  table->stride = (int64_t)ceil(filter->support * width) * 2 + 1;
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
    filter->fill_row(filter, table, i, in_size, scale);
    make_sum_one(table, i);
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
static lpot_status filter_axis(const direction_filter *filter, lpot_tensor *image, int axis,
                               int64_t out_size, lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (dims[axis] == out_size) {
    *ret_output = lpot_tensor_ref(image);
    return LPOT_OK;
  }
  lpot_shape shape = image->shape;
  shape.dims[axis] = out_size;
  LPOT_TRY(lpot_tensor_new(image->dtype, &shape, ret_output, err));
  filter_table table = {0};
  lpot_status status = make_table(filter, dims[axis], out_size, &table, err);
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

/* Fills from, [out_size], with input positions. Pillow adds its step up, with the rounding that
 * this brings; OpenCV multiplies with the inverse of an inverse. */
static void nearest_positions(int64_t in_size, int64_t out_size, bool as_opencv, int64_t *from) {
  double step = (double)in_size / (double)out_size;
  double inverse = 1.0 / ((double)out_size / (double)in_size);
  double position = step * 0.5;
  for (int64_t i = 0; i < out_size; i++, position += step) {
    from[i] = (int64_t)(as_opencv ? (double)i * inverse : position);
    from[i] = from[i] < in_size ? from[i] : in_size - 1;
  }
}

static void copy_nearest(const lpot_tensor *image, const int64_t *rows, const int64_t *columns,
                         lpot_tensor *output) {
  const int64_t *dims = output->shape.dims;
  int64_t in_width = image->shape.dims[1];
  size_t pixel_bytes = (size_t)dims[2] * lpot_dtype_size(image->dtype);
  uint8_t *out = output->data;
  for (int64_t row = 0; row < dims[0]; row++) {
    const uint8_t *line =
        (const uint8_t *)image->data + (size_t)(rows[row] * in_width) * pixel_bytes;
    for (int64_t column = 0; column < dims[1]; column++) {
      memcpy(out, line + (size_t)columns[column] * pixel_bytes, pixel_bytes);
      out += pixel_bytes;
    }
  }
}

static lpot_status take_nearest(const lpot_tensor *image, int64_t height, int64_t width,
                                bool as_opencv, lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){height, width, dims[2]});
  int64_t *from = lpot_calloc((size_t)(height + width), sizeof(*from));
  if (from == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = lpot_tensor_new(image->dtype, &shape, ret_output, err);
  if (status == LPOT_OK) {
    nearest_positions(dims[0], height, as_opencv, from);
    nearest_positions(dims[1], width, as_opencv, from + height);
    copy_nearest(image, from, from + height, *ret_output);
  }
  lpot_free(from);
  return status;
}

static lpot_status filter_both(const direction_filter *filter, lpot_tensor *image, int64_t height,
                               int64_t width, lpot_tensor **ret_output, lpot_error *err) {
  lpot_tensor *wide = NULL;
  LPOT_TRY(filter_axis(filter, image, 1, width, &wide, err));
  lpot_status status = filter_axis(filter, wide, 0, height, ret_output, err);
  lpot_tensor_unref(wide);
  return status;
}

static lpot_status round_to_u8(const lpot_tensor *real, lpot_tensor **ret_output, lpot_error *err) {
  LPOT_TRY(lpot_tensor_new(LPOT_U8, &real->shape, ret_output, err));
  const float *in = real->data;
  uint8_t *out = (*ret_output)->data;
  int64_t count = lpot_tensor_elements(real);
  for (int64_t i = 0; i < count; i++) {
    out[i] = (uint8_t)lrintf(fminf(fmaxf(in[i], 0.0f), 255.0f));
  }
  return LPOT_OK;
}

/* A u8 image by way of f32. */
static lpot_status filter_and_round(const direction_filter *filter, const lpot_tensor *image,
                                    int64_t height, int64_t width, lpot_tensor **ret_output,
                                    lpot_error *err) {
  lpot_tensor *real = NULL;
  lpot_tensor *filtered = NULL;
  LPOT_TRY(lpot_transform_to_f32(image, &real, err));
  lpot_status status = filter_both(filter, real, height, width, &filtered, err);
  lpot_tensor_unref(real);
  LPOT_TRY(status);
  status = round_to_u8(filtered, ret_output, err);
  lpot_tensor_unref(filtered);
  return status;
}

lpot_status lpot_resample(lpot_tensor *image, int64_t height, int64_t width,
                          lpot_interpolation interpolation, lpot_tensor **ret_output,
                          lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (height < 1 || width < 1 || height > MAX_OUTPUT_SIDE || width > MAX_OUTPUT_SIDE) {
    return LPOT_FAIL(err, LPOT_INVALID, "cannot resize to height %lld and width %lld",
                     (long long)height, (long long)width);
  }
  if (height == dims[0] && width == dims[1]) {
    *ret_output = lpot_tensor_ref(image);
    return LPOT_OK;
  }
  if (interpolation == LPOT_INTERPOLATION_NEAREST) {
    return take_nearest(image, height, width, false, ret_output, err);
  }
  if (interpolation == LPOT_INTERPOLATION_OPENCV_NEAREST) {
    return take_nearest(image, height, width, true, ret_output, err);
  }
  bool grows = height > dims[0] || width > dims[1];
  const direction_filter *filter = interpolation == LPOT_INTERPOLATION_OPENCV_AREA && grows
                                       ? &growing_area
                                       : &filters[interpolation];
  if (filter->rounds_once && image->dtype == LPOT_U8) {
    return filter_and_round(filter, image, height, width, ret_output, err);
  }
  return filter_both(filter, image, height, width, ret_output, err);
}

lpot_status lpot_resample_box(const lpot_tensor *image, int64_t top, int64_t left, int64_t height,
                              int64_t width, const int64_t sizes[2],
                              lpot_interpolation interpolation, lpot_tensor **ret_output,
                              lpot_error *err) {
  lpot_tensor *box = NULL;
  LPOT_TRY(lpot_transform_crop(image, top, left, height, width, &box, err));
  lpot_status status = lpot_resample(box, sizes[0], sizes[1], interpolation, ret_output, err);
  lpot_tensor_unref(box);
  return status;
}

lpot_status lpot_resample_short_side(lpot_tensor *image, int64_t side, bool cuts,
                                     lpot_interpolation interpolation, lpot_tensor **ret_output,
                                     lpot_error *err) {
  int64_t height = image->shape.dims[0];
  int64_t width = image->shape.dims[1];
  int64_t short_side = height < width ? height : width;
  int64_t half = cuts ? 0 : short_side;
  int64_t new_height = (2 * height * side + half) / (2 * short_side);
  int64_t new_width = (2 * width * side + half) / (2 * short_side);
  return lpot_resample(image, new_height, new_width, interpolation, ret_output, err);
}

/* [library][interpolation]; area is OpenCV's alone. */
static const lpot_interpolation methods[2][4] = {
    {LPOT_INTERPOLATION_BILINEAR, LPOT_INTERPOLATION_NEAREST, LPOT_INTERPOLATION_BICUBIC,
     LPOT_NUM_INTERPOLATIONS},
    {LPOT_INTERPOLATION_OPENCV_BILINEAR, LPOT_INTERPOLATION_OPENCV_NEAREST,
     LPOT_INTERPOLATION_OPENCV_BICUBIC, LPOT_INTERPOLATION_OPENCV_AREA},
};

lpot_status lpot_interpolation_read(const lpot_yaml_node *settings, lpot_interpolation *ret,
                                    lpot_error *err) {
  static const char *const kinds[] = {"bilinear", "nearest", "bicubic", "area", NULL};
  static const char *const libraries[] = {"pillow", "opencv", NULL};
  lpot_transform_origin origin = lpot_transform_origin_of(settings);
  int library = *ret >= LPOT_INTERPOLATION_OPENCV_BILINEAR ? 1 : 0;
  int kind = 0;
  while (methods[library][kind] != *ret) {
    kind++;
  }
  if (origin == LPOT_ORIGIN_TENSORFLOW || origin == LPOT_ORIGIN_MXNET) {
    library = 1;
  }
  const lpot_yaml_node *kind_node = lpot_setting_get(settings, "interpolation");
  const lpot_yaml_node *library_node = lpot_setting_get(settings, "library");
  if (kind_node != NULL) {
    LPOT_TRY(lpot_yaml_choice(kind_node, kinds, &kind, err));
  }
  if (library_node != NULL) {
    LPOT_TRY(lpot_yaml_choice(library_node, libraries, &library, err));
  }
  if (methods[library][kind] == LPOT_NUM_INTERPOLATIONS) {
    return lpot_setting_fail(kind_node != NULL ? kind_node : library_node, err,
                             "area is an interpolation of OpenCV: it needs library: opencv");
  }
  *ret = methods[library][kind];
  return LPOT_OK;
}
