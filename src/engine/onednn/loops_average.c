#include <string.h>

#include "engine/onednn/loops.h"
#include "engine/onednn/rounding.h"
#include "engine/onednn/simd_clones.h"

/* The part of a window that lies inside the input. */
typedef struct extent {
  int64_t begin, end;
  int64_t counted; /* positions that the average divides by */
} extent;

/* Where a window's pixels are: runs of `columns` pixels, in elements. */
typedef struct patch {
  int64_t start, depth, rows, columns;
  int64_t plane_stride, row_stride, channels;
} patch;

/* Integers are summed as integers, exactly. */
#define SUM_PATCH(name, in_type, sum_type)                                                         \
  LPOT_SIMD_CLONES                                                                                 \
  static void name(const void *bytes, const patch *p, sum_type *restrict sums) {                   \
    const int64_t channels = p->channels, depth = p->depth, rows = p->rows, columns = p->columns;  \
    const int64_t plane_stride = p->plane_stride, row_stride = p->row_stride;                      \
    const in_type *in = (const in_type *)bytes + p->start;                                         \
    for (int64_t c = 0; c < channels; ++c) {                                                       \
      sums[c] = 0;                                                                                 \
    }                                                                                              \
    for (int64_t z = 0; z < depth; ++z) {                                                          \
      for (int64_t y = 0; y < rows; ++y) {                                                         \
        const in_type *pixel = in + z * plane_stride + y * row_stride;                             \
        for (int64_t x = 0; x < columns; ++x) {                                                    \
          for (int64_t c = 0; c < channels; ++c) {                                                 \
            sums[c] += pixel[c];                                                                   \
          }                                                                                        \
          pixel += channels;                                                                       \
        }                                                                                          \
      }                                                                                            \
    }                                                                                              \
  }

SUM_PATCH(sum_f32, float, float)
SUM_PATCH(sum_u8, uint8_t, int32_t)
SUM_PATCH(sum_s8, int8_t, int32_t)

LPOT_SIMD_CLONES
static void scale_sums(float *sums, int64_t channels, float divisor) {
  for (int64_t c = 0; c < channels; ++c) {
    sums[c] = sums[c] / divisor;
  }
}

/* zero is the sum of the zero points. */
LPOT_SIMD_CLONES
static void real_sums(const int32_t *restrict in, int64_t channels, int32_t zero, float scale,
                      float divisor, float *restrict out) {
  for (int64_t c = 0; c < channels; ++c) {
    out[c] = (float)(in[c] - zero) * scale / divisor;
  }
}

/* From integer sums (of 8-bit numbers over a window: below 2^22 by any scales that make sense) to
 * 8-bit outputs in one go, with the operations of the separate steps in their
 * order: averages are ties often, and must be rounded alike. */
typedef struct store_scales {
  float in, divisor, out;
} store_scales;

#define STORE_SUMS(name, out_type, lowest, highest)                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void name(const int32_t *restrict sums, int64_t channels, int32_t zero,                   \
                   const store_scales *scales, float zero_point, out_type *restrict out) {         \
    const float scale = scales->in, divisor = scales->divisor, step = scales->out;                 \
    for (int64_t c = 0; c < channels; ++c) {                                                       \
      float x = (float)(sums[c] - zero) * scale / divisor / step;                                  \
      x = lpot_round_half_even(x) + zero_point;                                                    \
      x = x > (lowest) ? x : (lowest);                                                             \
      out[c] = (out_type)(int32_t)(x < (highest) ? x : (highest));                                 \
    }                                                                                              \
  }

STORE_SUMS(store_u8, uint8_t, 0.0f, 255.0f)
STORE_SUMS(store_s8, int8_t, -128.0f, 127.0f)

static extent window_extent(const lpot_loop_average *average, int d, int64_t position) {
  const lpot_window *window = &average->window;
  int64_t size = average->input[d];
  int64_t begin = position * window->stride[d] - window->pad_begin[d];
  int64_t end = begin + window->kernel[d];
  extent result;
  result.begin = begin > 0 ? begin : 0;
  result.end = end < size ? end : size;
  if (average->count_include_pad) {
    int64_t last = size + window->pad_end[d];
    result.counted = (end < last ? end : last) - begin;
  } else {
    result.counted = result.end - result.begin;
  }
  return result;
}

static patch patch_of(const lpot_loop_average *average, const extent *e, int64_t image) {
  patch p = {.channels = average->channels};
  p.row_stride = average->input[2] * p.channels;
  p.plane_stride = average->input[1] * p.row_stride;
  p.start = (image * average->input[0] + e[0].begin) * p.plane_stride + e[1].begin * p.row_stride +
            e[2].begin * p.channels;
  p.depth = e[0].end - e[0].begin;
  p.rows = e[1].end - e[1].begin;
  p.columns = e[2].end - e[2].begin;
  return p;
}

static void average_to_int8(const lpot_loop_average *average, const void *in, const patch *p,
                            float divisor, int32_t *sums, uint8_t *out) {
  (average->in.dtype == LPOT_U8 ? sum_u8 : sum_s8)(in, p, sums);
  int32_t zero = (int32_t)(p->depth * p->rows * p->columns) * average->in.zero_point;
  const store_scales scales = {average->in.scale, divisor, average->out.scale};
  float zero_point = (float)average->out.zero_point;
  if (average->out.dtype == LPOT_U8) {
    store_u8(sums, p->channels, zero, &scales, zero_point, out);
  } else {
    store_s8(sums, p->channels, zero, &scales, zero_point, (int8_t *)out);
  }
}

static void sum_patch(const lpot_loop_average *average, const void *in, const patch *p,
                      float divisor, const lpot_loop_scratch *scratch) {
  if (!average->quantized_in) {
    sum_f32(in, p, scratch->means);
    scale_sums(scratch->means, p->channels, divisor);
    return;
  }
  (average->in.dtype == LPOT_U8 ? sum_u8 : sum_s8)(in, p, scratch->sums);
  int32_t pixels = (int32_t)(p->depth * p->rows * p->columns);
  real_sums(scratch->sums, p->channels, pixels * average->in.zero_point, average->in.scale, divisor,
            scratch->means);
}

static void average_window(const lpot_loop_average *average, const void *in, int64_t image,
                           const int64_t position[LPOT_MAX_SPATIAL],
                           const lpot_loop_scratch *scratch, void *out, int64_t out_pixel) {
  extent e[LPOT_MAX_SPATIAL];
  int64_t counted = 1;
  for (int d = 0; d < LPOT_MAX_SPATIAL; ++d) {
    e[d] = window_extent(average, d, position[d]);
    counted *= e[d].counted;
  }
  patch p = patch_of(average, e, image);
  float divisor = (float)(counted > 0 ? counted : 1);
  int64_t offset = out_pixel * p.channels;
  if (average->quantized_in && average->quantized_out) {
    average_to_int8(average, in, &p, divisor, scratch->sums, (uint8_t *)out + offset);
    return;
  }
  sum_patch(average, in, &p, divisor, scratch);
  memcpy((float *)out + offset, scratch->means, (size_t)p.channels * sizeof(float));
}

void lpot_loop_average_pool(const lpot_loop_average *average, const void *in,
                            const lpot_loop_scratch *scratch, void *out) {
  const int64_t *size = average->window.output;
  int64_t out_pixel = 0;
  for (int64_t n = 0; n < average->batch; ++n) {
    for (int64_t z = 0; z < size[0]; ++z) {
      for (int64_t y = 0; y < size[1]; ++y) {
        for (int64_t x = 0; x < size[2]; ++x) {
          const int64_t position[LPOT_MAX_SPATIAL] = {z, y, x};
          average_window(average, in, n, position, scratch, out, out_pixel++);
        }
      }
    }
  }
}
