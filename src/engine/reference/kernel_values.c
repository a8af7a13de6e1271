#include "engine/reference/kernel.h"

#include <math.h>

#include "tensor/quantize.h"

typedef void (*double_loader)(const void *data, int64_t step, int64_t count, double *out);
typedef void (*double_storer)(void *data, int64_t count, const double *values);
typedef void (*int_loader)(const void *data, int64_t step, int64_t count, int64_t *out);
typedef void (*int_storer)(void *data, int64_t count, const int64_t *values);

/* X(name, type, lowest, highest): the integer types up to 32 bits and int64; uint64's highest
 * value as a double is 2^64, which the comparison in saturate treats as out of range. */
#define INTEGER_LIST(X)                                                                            \
  X(s8, int8_t, INT8_MIN, INT8_MAX)                                                                \
  X(u8, uint8_t, 0, UINT8_MAX)                                                                     \
  X(s16, int16_t, INT16_MIN, INT16_MAX)                                                            \
  X(u16, uint16_t, 0, UINT16_MAX)                                                                  \
  X(s32, int32_t, INT32_MIN, INT32_MAX)                                                            \
  X(u32, uint32_t, 0, UINT32_MAX)                                                                  \
  X(s64, int64_t, INT64_MIN, INT64_MAX)                                                            \
  X(u64, uint64_t, 0, UINT64_MAX)

#define X(name, type, lowest, highest)                                                             \
  static void load_##name(const void *data, int64_t step, int64_t count, double *out) {            \
    const type *values = data;                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (double)values[i * step];                                                           \
    }                                                                                              \
  }                                                                                                \
  static void store_##name(void *data, int64_t count, const double *values) {                      \
    type *out = data;                                                                              \
    for (int64_t i = 0; i < count; i++) {                                                          \
      double value = values[i];                                                                    \
      if (value >= (double)(highest)) {                                                            \
        out[i] = (type)(highest);                                                                  \
      } else if (value <= (double)(lowest)) {                                                      \
        out[i] = (type)(lowest);                                                                   \
      } else {                                                                                     \
        out[i] = isnan(value) ? (type)0 : (type)value;                                             \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  static void load_int_##name(const void *data, int64_t step, int64_t count, int64_t *out) {       \
    const type *values = data;                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (int64_t)values[i * step];                                                          \
    }                                                                                              \
  }                                                                                                \
  static void store_int_##name(void *data, int64_t count, const int64_t *values) {                 \
    type *out = data;                                                                              \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (type)values[i];                                                                    \
    }                                                                                              \
  }
INTEGER_LIST(X)
#undef X

static void load_f32(const void *data, int64_t step, int64_t count, double *out) {
  const float *values = data;
  if (step == 1) {
    for (int64_t i = 0; i < count; i++) {
      out[i] = (double)values[i];
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    out[i] = (double)values[i * step];
  }
}

static void store_f32(void *data, int64_t count, const double *values) {
  float *out = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)values[i];
  }
}

static void store_int_f32(void *data, int64_t count, const int64_t *values) {
  float *out = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = (float)values[i];
  }
}

static void load_f64(const void *data, int64_t step, int64_t count, double *out) {
  const double *values = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = values[i * step];
  }
}

static void store_f64(void *data, int64_t count, const double *values) {
  double *out = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = values[i];
  }
}

static void store_int_f64(void *data, int64_t count, const int64_t *values) {
  double *out = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = (double)values[i];
  }
}

/* The two half-precision types differ only in their conversion functions. */
#define X(name, to_float, from_float)                                                              \
  static void load_##name(const void *data, int64_t step, int64_t count, double *out) {            \
    const uint16_t *values = data;                                                                 \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (double)to_float(values[i * step]);                                                 \
    }                                                                                              \
  }                                                                                                \
  static void store_##name(void *data, int64_t count, const double *values) {                      \
    uint16_t *out = data;                                                                          \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = from_float((float)values[i]);                                                       \
    }                                                                                              \
  }                                                                                                \
  static void store_int_##name(void *data, int64_t count, const int64_t *values) {                 \
    uint16_t *out = data;                                                                          \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = from_float((float)values[i]);                                                       \
    }                                                                                              \
  }
X(f16, lpot_f16_to_f32, lpot_f32_to_f16)
X(bf16, lpot_bf16_to_f32, lpot_f32_to_bf16)
#undef X

static void store_bool(void *data, int64_t count, const double *values) {
  uint8_t *out = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = values[i] != 0.0;
  }
}

/* A file may hold any byte for true. */
static void load_bool(const void *data, int64_t step, int64_t count, double *out) {
  const uint8_t *values = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = values[i * step] != 0 ? 1.0 : 0.0;
  }
}

static void load_int_bool(const void *data, int64_t step, int64_t count, int64_t *out) {
  const uint8_t *values = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = values[i * step] != 0;
  }
}

static void store_int_bool(void *data, int64_t count, const int64_t *values) {
  uint8_t *out = data;
  for (int64_t i = 0; i < count; i++) {
    out[i] = values[i] != 0;
  }
}

typedef struct accessors {
  double_loader load_doubles;
  double_storer store_doubles;
  int_loader load_ints; /* NULL for the floating-point types */
  int_storer store_ints;
} accessors;

static const accessors accessors_of[LPOT_DTYPE_UNKNOWN] = {
    [LPOT_F32] = {load_f32, store_f32, NULL, store_int_f32},
    [LPOT_F64] = {load_f64, store_f64, NULL, store_int_f64},
    [LPOT_F16] = {load_f16, store_f16, NULL, store_int_f16},
    [LPOT_BF16] = {load_bf16, store_bf16, NULL, store_int_bf16},
    [LPOT_S8] = {load_s8, store_s8, load_int_s8, store_int_s8},
    [LPOT_U8] = {load_u8, store_u8, load_int_u8, store_int_u8},
    [LPOT_S16] = {load_s16, store_s16, load_int_s16, store_int_s16},
    [LPOT_U16] = {load_u16, store_u16, load_int_u16, store_int_u16},
    [LPOT_S32] = {load_s32, store_s32, load_int_s32, store_int_s32},
    [LPOT_U32] = {load_u32, store_u32, load_int_u32, store_int_u32},
    [LPOT_S64] = {load_s64, store_s64, load_int_s64, store_int_s64},
    [LPOT_U64] = {load_u64, store_u64, load_int_u64, store_int_u64},
    [LPOT_BOOL] = {load_bool, store_bool, load_int_bool, store_int_bool},
};

static const void *element_at(const lpot_tensor *tensor, int64_t index) {
  return (const uint8_t *)tensor->data + (size_t)index * lpot_dtype_size(tensor->dtype);
}

static void *mutable_element_at(lpot_tensor *tensor, int64_t index) {
  return (uint8_t *)tensor->data + (size_t)index * lpot_dtype_size(tensor->dtype);
}

void lpot_kernel_load_doubles(const lpot_tensor *tensor, int64_t start, int64_t step, int64_t count,
                              double *out) {
  if (count > 0) {
    accessors_of[tensor->dtype].load_doubles(element_at(tensor, start), step, count, out);
  }
}

void lpot_kernel_store_doubles(lpot_tensor *tensor, int64_t start, int64_t count,
                               const double *values) {
  if (count > 0) {
    accessors_of[tensor->dtype].store_doubles(mutable_element_at(tensor, start), count, values);
  }
}

void lpot_kernel_load_ints(const lpot_tensor *tensor, int64_t start, int64_t step, int64_t count,
                           int64_t *out) {
  if (count > 0) {
    LPOT_ASSERT(accessors_of[tensor->dtype].load_ints != NULL);
    accessors_of[tensor->dtype].load_ints(element_at(tensor, start), step, count, out);
  }
}

void lpot_kernel_store_ints(lpot_tensor *tensor, int64_t start, int64_t count,
                            const int64_t *values) {
  if (count > 0) {
    accessors_of[tensor->dtype].store_ints(mutable_element_at(tensor, start), count, values);
  }
}

int32_t lpot_kernel_round_to(lpot_dtype dtype, float x, int32_t zero_point) {
  if (isnan(x)) {
    return zero_point;
  }
  double value = nearbyint((double)x) + (double)zero_point;
  double lowest = (double)lpot_quant_min(dtype);
  double highest = (double)lpot_quant_max(dtype);
  if (value <= lowest) {
    return lpot_quant_min(dtype);
  }
  return value >= highest ? lpot_quant_max(dtype) : (int32_t)value;
}
