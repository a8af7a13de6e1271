#include "engine/onednn/loops.h"

#include <math.h>
#include <string.h>

#include "engine/onednn/simd_clones.h"

/* Adding and subtracting 1.5 * 2^23 rounds a float below 2^22 to the nearest integer, ties to even:
 * unlike rintf it becomes vector code on every machine. */
#define ROUND_MAGIC 12582912.0f

static inline float clampf(float value, float low, float high) {
  float at_least = value > low ? value : low; /* NaN becomes low */
  return at_least < high ? at_least : high;
}

static inline float round_half_even(float value) {
  return (value + ROUND_MAGIC) - ROUND_MAGIC;
}

LPOT_SIMD_CLONES
static void quantize_u8(const float *values, int64_t count, float scale, float zero, uint8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    float x = values[i] / scale;
    x = x == x ? x : 0.0f;
    x = round_half_even(clampf(x, -1024.0f, 1024.0f)) + zero;
    out[i] = (uint8_t)(int32_t)clampf(x, 0.0f, 255.0f);
  }
}

LPOT_SIMD_CLONES
static void quantize_s8(const float *values, int64_t count, float scale, float zero, int8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    float x = values[i] / scale;
    x = x == x ? x : 0.0f;
    x = round_half_even(clampf(x, -1024.0f, 1024.0f)) + zero;
    out[i] = (int8_t)(int32_t)clampf(x, -128.0f, 127.0f);
  }
}

void lpot_loop_quantize(const float *values, int64_t count, const lpot_quant_params *params,
                        void *out) {
  if (params->dtype == LPOT_U8) {
    quantize_u8(values, count, params->scale, (float)params->zero_point, out);
  } else {
    quantize_s8(values, count, params->scale, (float)params->zero_point, out);
  }
}

LPOT_SIMD_CLONES
static void dequantize_u8(const uint8_t *values, int64_t count, float scale, int32_t zero,
                          float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (float)((int32_t)values[i] - zero) * scale;
  }
}

LPOT_SIMD_CLONES
static void dequantize_s8(const int8_t *values, int64_t count, float scale, int32_t zero,
                          float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (float)((int32_t)values[i] - zero) * scale;
  }
}

void lpot_loop_dequantize(const void *values, int64_t count, const lpot_quant_params *params,
                          float *out) {
  if (params->dtype == LPOT_U8) {
    dequantize_u8(values, count, params->scale, params->zero_point, out);
  } else {
    dequantize_s8(values, count, params->scale, params->zero_point, out);
  }
}

LPOT_SIMD_CLONES
static void transpose_bytes(const uint8_t *in, uint8_t *out, int64_t rows, int64_t columns) {
  for (int64_t block = 0; block < columns; block += 64) {
    int64_t end = block + 64 < columns ? block + 64 : columns;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = block; column < end; ++column) {
        out[column * rows + row] = in[row * columns + column];
      }
    }
  }
}

LPOT_SIMD_CLONES
static void transpose_words(const uint32_t *in, uint32_t *out, int64_t rows, int64_t columns) {
  for (int64_t block = 0; block < columns; block += 16) {
    int64_t end = block + 16 < columns ? block + 16 : columns;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = block; column < end; ++column) {
        out[column * rows + row] = in[row * columns + column];
      }
    }
  }
}

void lpot_loop_transpose(const void *in, void *out, int64_t batch, int64_t rows, int64_t columns,
                         size_t element_size) {
  int64_t size = rows * columns;
  for (int64_t n = 0; n < batch; ++n) {
    if (element_size == 1) {
      transpose_bytes((const uint8_t *)in + n * size, (uint8_t *)out + n * size, rows, columns);
    } else {
      transpose_words((const uint32_t *)in + n * size, (uint32_t *)out + n * size, rows, columns);
    }
  }
}

/* The four combinations of signs are four loops over one body. */
#define BINARY_LOOP(name, type_a, type_b)                                                          \
  LPOT_SIMD_CLONES                                                                                 \
  static void name(const lpot_loop_binary *binary, const type_a *a, const type_b *b,               \
                   int64_t count, float *out) {                                                    \
    float scale_a = binary->a.scale, scale_b = binary->b.scale;                                    \
    int32_t zero_a = binary->a.zero_point, zero_b = binary->b.zero_point;                          \
    float low = binary->low, high = binary->high;                                                  \
    if (binary->multiply) {                                                                        \
      for (int64_t i = 0; i < count; ++i) {                                                        \
        float x = (float)((int32_t)a[i] - zero_a) * scale_a;                                       \
        float y = (float)((int32_t)b[i] - zero_b) * scale_b;                                       \
        out[i] = clampf(x * y, low, high);                                                         \
      }                                                                                            \
      return;                                                                                      \
    }                                                                                              \
    for (int64_t i = 0; i < count; ++i) {                                                          \
      float x = (float)((int32_t)a[i] - zero_a) * scale_a;                                         \
      float y = (float)((int32_t)b[i] - zero_b) * scale_b;                                         \
      out[i] = clampf(x + y, low, high);                                                           \
    }                                                                                              \
  }

BINARY_LOOP(binary_u8_u8, uint8_t, uint8_t)
BINARY_LOOP(binary_u8_s8, uint8_t, int8_t)
BINARY_LOOP(binary_s8_u8, int8_t, uint8_t)
BINARY_LOOP(binary_s8_s8, int8_t, int8_t)

void lpot_loop_int8_binary_f32(const lpot_loop_binary *binary, const void *a, const void *b,
                               int64_t count, float *out) {
  if (binary->a.dtype == LPOT_U8 && binary->b.dtype == LPOT_U8) {
    binary_u8_u8(binary, a, b, count, out);
  } else if (binary->a.dtype == LPOT_U8) {
    binary_u8_s8(binary, a, b, count, out);
  } else if (binary->b.dtype == LPOT_U8) {
    binary_s8_u8(binary, a, b, count, out);
  } else {
    binary_s8_s8(binary, a, b, count, out);
  }
}

void lpot_loop_int8_binary(const lpot_loop_binary *binary, const void *a, const void *b,
                           int64_t count, void *out) {
  enum { CHUNK = 1024 };
  float chunk[CHUNK]; /* stays in the first-level cache */
  for (int64_t start = 0; start < count; start += CHUNK) {
    int64_t length = count - start < CHUNK ? count - start : CHUNK;
    lpot_loop_int8_binary_f32(binary, (const uint8_t *)a + start, (const uint8_t *)b + start,
                              length, chunk);
    lpot_loop_quantize(chunk, length, &binary->out, (uint8_t *)out + start);
  }
}

/* ---- average pooling ---- */

LPOT_SIMD_CLONES
static void add_f32(const float *in, int64_t count, float *sums) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += in[i];
  }
}

LPOT_SIMD_CLONES
static void add_u8(const uint8_t *in, int64_t count, float zero, float *sums) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += (float)in[i] - zero;
  }
}

LPOT_SIMD_CLONES
static void add_s8(const int8_t *in, int64_t count, float zero, float *sums) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += (float)in[i] - zero;
  }
}

static void add_pixel(const lpot_loop_average *average, const void *in, int64_t pixel,
                      float *sums) {
  int64_t offset = pixel * average->channels;
  float zero = (float)average->in.zero_point;
  if (!average->quantized_in) {
    add_f32((const float *)in + offset, average->channels, sums);
  } else if (average->in.dtype == LPOT_U8) {
    add_u8((const uint8_t *)in + offset, average->channels, zero, sums);
  } else {
    add_s8((const int8_t *)in + offset, average->channels, zero, sums);
  }
}

/* The clipped extent of the window along one dimension and the number of positions that count. */
typedef struct extent {
  int64_t begin, end, counted;
} extent;

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

static void finish_pixel(const lpot_loop_average *average, int64_t counted, float *sums, void *out,
                         int64_t out_pixel) {
  int64_t channels = average->channels;
  float scale = average->quantized_in ? average->in.scale : 1.0f;
  float divisor = (float)(counted > 0 ? counted : 1);
  for (int64_t c = 0; c < channels; ++c) {
    sums[c] = sums[c] * scale / divisor;
  }
  if (average->quantized_out) {
    lpot_loop_quantize(sums, channels, &average->out, (uint8_t *)out + out_pixel * channels);
  } else {
    memcpy((float *)out + out_pixel * channels, sums, (size_t)channels * sizeof *sums);
  }
}

static void average_window(const lpot_loop_average *average, const void *in, int64_t image,
                           const int64_t position[LPOT_MAX_SPATIAL], float *sums, void *out,
                           int64_t out_pixel) {
  extent e[LPOT_MAX_SPATIAL];
  int64_t counted = 1;
  for (int d = 0; d < LPOT_MAX_SPATIAL; ++d) {
    e[d] = window_extent(average, d, position[d]);
    counted *= e[d].counted;
  }
  memset(sums, 0, (size_t)average->channels * sizeof *sums);
  for (int64_t z = e[0].begin; z < e[0].end; ++z) {
    for (int64_t y = e[1].begin; y < e[1].end; ++y) {
      int64_t row = ((image * average->input[0] + z) * average->input[1] + y) * average->input[2];
      for (int64_t x = e[2].begin; x < e[2].end; ++x) {
        add_pixel(average, in, row + x, sums);
      }
    }
  }
  finish_pixel(average, counted, sums, out, out_pixel);
}

void lpot_loop_average_pool(const lpot_loop_average *average, const void *in, float *sums,
                            void *out) {
  const int64_t *size = average->window.output;
  int64_t out_pixel = 0;
  for (int64_t n = 0; n < average->batch; ++n) {
    for (int64_t z = 0; z < size[0]; ++z) {
      for (int64_t y = 0; y < size[1]; ++y) {
        for (int64_t x = 0; x < size[2]; ++x) {
          const int64_t position[LPOT_MAX_SPATIAL] = {z, y, x};
          average_window(average, in, n, position, sums, out, out_pixel++);
        }
      }
    }
  }
}

/* ---- movement ---- */

void lpot_loop_lookup(const uint8_t *in, int64_t count, const uint8_t table[256], uint8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = table[in[i]];
  }
}

LPOT_SIMD_CLONES
static void flip_top_bit(const uint8_t *in, int64_t count, uint8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = in[i] ^ 0x80u;
  }
}

void lpot_loop_shift_sign(const void *in, int64_t count, void *out) {
  flip_top_bit(in, count, out);
}

void lpot_loop_copy_rows(const uint8_t *in, int64_t outer, size_t in_bytes, uint8_t *out,
                         size_t out_stride) {
  for (int64_t i = 0; i < outer; ++i) {
    memcpy(out + (size_t)i * out_stride, in + (size_t)i * in_bytes, in_bytes);
  }
}

LPOT_SIMD_CLONES
static void scale_shift_channels(const float *in, int64_t outer, int64_t channels,
                                 const float *scale, const float *shift, float *out) {
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t c = 0; c < channels; ++c) {
      out[o * channels + c] = in[o * channels + c] * scale[c] + shift[c];
    }
  }
}

LPOT_SIMD_CLONES
static void scale_shift_row(const float *in, int64_t count, float scale, float shift, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = in[i] * scale + shift;
  }
}

void lpot_loop_scale_shift(const float *in, int64_t outer, int64_t channels, int64_t inner,
                           const float *scale, const float *shift, float *out) {
  if (inner == 1) {
    scale_shift_channels(in, outer, channels, scale, shift, out);
    return;
  }
  for (int64_t row = 0; row < outer * channels; ++row) {
    int64_t c = row % channels;
    scale_shift_row(in + row * inner, inner, scale[c], shift[c], out + row * inner);
  }
}

/* ---- integer sums ---- */

LPOT_SIMD_CLONES
static void cast_sums(const int32_t *in, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (float)in[i];
  }
}

void lpot_loop_cast(const int32_t *in, int64_t count, float *out) {
  cast_sums(in, count, out);
}

LPOT_SIMD_CLONES
static void find_range(const float *values, int64_t count, float *ret_low, float *ret_high) {
  float low = 0.0f;
  float high = 0.0f;
  for (int64_t i = 0; i < count; ++i) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  *ret_low = low;
  *ret_high = high;
}

lpot_quant_params lpot_loop_dynamic_params(const float *values, int64_t count) {
  lpot_quant_params params = {.dtype = LPOT_U8, .scale = 1.0f};
  float low = 0.0f;
  float high = 0.0f;
  find_range(values, count, &low, &high);
  if (high > low) {
    params.scale = (high - low) / 255.0f;
    float steps = -low / params.scale; /* NaN when the range is infinite */
    params.zero_point = (int32_t)round_half_even(clampf(steps, 0.0f, 255.0f));
  }
  return params;
}

LPOT_SIMD_CLONES
static void correct_sums(const int32_t *first, uint32_t zero_point, const int32_t *correction,
                         int64_t count, int32_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = (int32_t)((uint32_t)first[i] - zero_point * (uint32_t)correction[i]);
  }
}

LPOT_SIMD_CLONES
static void join_sums(const int32_t *first, const int32_t *second, uint32_t zero_point,
                      const int32_t *correction, int64_t count, int32_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t sum = (uint32_t)first[i] + (uint32_t)second[i];
    out[i] = (int32_t)(sum - zero_point * (uint32_t)correction[i]);
  }
}

void lpot_loop_finish_sums(const int32_t *first, const int32_t *second, int32_t zero_point,
                           const int32_t *correction, int64_t count, int32_t *out) {
  if (second == NULL) {
    correct_sums(first, (uint32_t)zero_point, correction, count, out);
  } else {
    join_sums(first, second, (uint32_t)zero_point, correction, count, out);
  }
}
