#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

#include "base/mapping_shared.h"
#include "base/memory.h"
#include "base/size.h"

/* A tensor without data, with size_bytes set. */
static lpot_status new_header(lpot_dtype dtype, const lpot_shape *shape, lpot_tensor **ret_tensor,
                              lpot_error *err) {
  size_t element_size = lpot_dtype_size(dtype);
  if (element_size == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "tensor has an unknown element type");
  }
  int64_t elements = 0;
  size_t count = 0;
  size_t size_bytes = 0;
  LPOT_TRY(lpot_shape_count(shape, &elements, err));
  LPOT_TRY(lpot_to_size(elements, &count, err));
  LPOT_TRY(lpot_size_mul(count, element_size, &size_bytes, err));
  lpot_tensor *tensor = lpot_calloc(1, sizeof *tensor);
  if (tensor == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  tensor->dtype = dtype;
  tensor->shape = *shape;
  tensor->size_bytes = size_bytes;
  tensor->references = 1;
  *ret_tensor = tensor;
  return LPOT_OK;
}

/* A tensor with owned data that is not initialised. */
static lpot_status new_owned(lpot_dtype dtype, const lpot_shape *shape, lpot_tensor **ret_tensor,
                             lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(new_header(dtype, shape, &tensor, err));
  tensor->data = lpot_alloc_aligned(tensor->size_bytes);
  tensor->owns_data = 1;
  if (tensor->data == NULL) {
    lpot_free(tensor);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_tensor = tensor;
  return LPOT_OK;
}

lpot_status lpot_tensor_new(lpot_dtype dtype, const lpot_shape *shape, lpot_tensor **ret_tensor,
                            lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(new_owned(dtype, shape, &tensor, err));
  memset(tensor->data, 0, tensor->size_bytes);
  *ret_tensor = tensor;
  return LPOT_OK;
}

lpot_status lpot_tensor_copy_of(lpot_dtype dtype, const lpot_shape *shape, const void *data,
                                lpot_tensor **ret_tensor, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(new_owned(dtype, shape, &tensor, err));
  if (tensor->size_bytes > 0) {
    memcpy(tensor->data, data, tensor->size_bytes);
  }
  *ret_tensor = tensor;
  return LPOT_OK;
}

lpot_status lpot_tensor_view(lpot_dtype dtype, const lpot_shape *shape, const void *data,
                             size_t size_bytes, lpot_mapping *mapping, lpot_tensor **ret_tensor,
                             lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(new_header(dtype, shape, &tensor, err));
  if (tensor->size_bytes != size_bytes) {
    char text[128];
    lpot_shape_text(shape, text, sizeof text);
    lpot_status status =
        LPOT_FAIL(err, LPOT_FORMAT, "tensor %s %s: expected %zu bytes of data, got %zu",
                  lpot_dtype_text(dtype), text, tensor->size_bytes, size_bytes);
    lpot_free(tensor);
    return status;
  }
  /* Views are of constants, which nobody writes; the field is not const for owned tensors. */
  tensor->data = (void *)(uintptr_t)data;
  tensor->mapping = mapping == NULL ? NULL : lpot_mapping_ref(mapping);
  *ret_tensor = tensor;
  return LPOT_OK;
}

lpot_tensor *lpot_tensor_ref(lpot_tensor *tensor) {
  tensor->references++;
  return tensor;
}

void lpot_tensor_release_pages(const lpot_tensor *tensor) {
  if (tensor->mapping != NULL) {
    lpot_mapping_release(tensor->mapping, tensor->data, tensor->size_bytes);
  }
}

void lpot_tensor_share(lpot_tensor *tensor) {
  if (!tensor->owns_data || tensor->size_bytes < LPOT_MAPPING_SHARED_MIN_BYTES) {
    return;
  }
  lpot_mapping *mapping = lpot_mapping_share(tensor->data, tensor->size_bytes);
  if (mapping == NULL) {
    return;
  }
  lpot_free(tensor->data);
  tensor->data = (void *)(uintptr_t)lpot_mapping_data(mapping); /* as in a view */
  tensor->owns_data = 0;
  tensor->mapping = mapping;
  lpot_tensor_release_pages(tensor);
}

bool lpot_tensor_is_aligned(const lpot_tensor *tensor) {
  size_t size = lpot_dtype_size(tensor->dtype);
  return size == 0 || (uintptr_t)tensor->data % size == 0;
}

lpot_status lpot_tensor_aligned(lpot_tensor *tensor, lpot_tensor **ret_tensor, lpot_error *err) {
  if (lpot_tensor_is_aligned(tensor)) {
    *ret_tensor = lpot_tensor_ref(tensor);
    return LPOT_OK;
  }
  LPOT_TRY(lpot_tensor_copy_of(tensor->dtype, &tensor->shape, tensor->data, ret_tensor, err));
  lpot_tensor_release_pages(tensor);
  return LPOT_OK;
}

void lpot_tensor_unref(lpot_tensor *tensor) {
  if (tensor == NULL) {
    return;
  }
  LPOT_ASSERT(tensor->references > 0);
  tensor->references--;
  if (tensor->references > 0) {
    return;
  }
  if (tensor->owns_data) {
    lpot_free(tensor->data);
  }
  lpot_mapping_unref(tensor->mapping);
  lpot_free(tensor);
}

int64_t lpot_tensor_elements(const lpot_tensor *tensor) {
  return lpot_shape_elements(&tensor->shape);
}

/* An element of any type: every one of them fits one of these two without loss. */
typedef struct number {
  bool is_float;
  double real;      /* when is_float */
  int64_t integer;  /* otherwise; the bits of a uint64 */
  bool is_unsigned; /* integer holds a uint64 */
} number;

/* Loads go through memcpy, because the data of a view may be unaligned. */
#define LOAD(type, address)                                                                        \
  type loaded = 0;                                                                                 \
  memcpy(&loaded, (address), sizeof loaded)

#define DEFINE_LOAD_FLOAT(name, type, convert)                                                     \
  static number load_##name(const void *address) {                                                 \
    LOAD(type, address);                                                                           \
    return (number){.is_float = true, .real = (double)convert(loaded)};                            \
  }

#define DEFINE_LOAD_INT(name, type, unsigned_64)                                                   \
  static number load_##name(const void *address) {                                                 \
    LOAD(type, address);                                                                           \
    return (number){.integer = (int64_t)loaded, .is_unsigned = unsigned_64};                       \
  }

DEFINE_LOAD_FLOAT(f32, float, (double))
DEFINE_LOAD_FLOAT(f64, double, (double))
DEFINE_LOAD_FLOAT(f16, uint16_t, lpot_f16_to_f32)
DEFINE_LOAD_FLOAT(bf16, uint16_t, lpot_bf16_to_f32)
DEFINE_LOAD_INT(s8, int8_t, false)
DEFINE_LOAD_INT(u8, uint8_t, false)
DEFINE_LOAD_INT(s16, int16_t, false)
DEFINE_LOAD_INT(u16, uint16_t, false)
DEFINE_LOAD_INT(s32, int32_t, false)
DEFINE_LOAD_INT(u32, uint32_t, false)
DEFINE_LOAD_INT(s64, int64_t, false)
DEFINE_LOAD_INT(u64, uint64_t, true)

static number load_bool(const void *address) {
  LOAD(uint8_t, address);
  return (number){.integer = loaded != 0};
}

/* Truncates towards zero and saturates; NaN becomes 0. */
static int64_t double_to_int(double value) {
  if (isnan(value)) {
    return 0;
  }
  if (value < -0x1p63) {
    return INT64_MIN;
  }
  return value >= 0x1p63 ? INT64_MAX : (int64_t)value;
}

static int64_t clamp_int(int64_t value, int64_t low, int64_t high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

static double to_double(number value) {
  if (value.is_float) {
    return value.real;
  }
  return value.is_unsigned ? (double)(uint64_t)value.integer : (double)value.integer;
}

static int64_t to_int(number value) {
  if (value.is_float) {
    return double_to_int(value.real);
  }
  if (value.is_unsigned && value.integer < 0) {
    return INT64_MAX;
  }
  return value.integer;
}

#define DEFINE_STORE_FLOAT(name, type, convert)                                                    \
  static void store_##name(void *address, number value) {                                          \
    type stored = convert(to_double(value));                                                       \
    memcpy(address, &stored, sizeof stored);                                                       \
  }

#define DEFINE_STORE_INT(name, type, low, high)                                                    \
  static void store_##name(void *address, number value) {                                          \
    type stored = (type)clamp_int(to_int(value), (low), (high));                                   \
    memcpy(address, &stored, sizeof stored);                                                       \
  }

static float double_to_f32(double value) {
  return (float)value;
}

static double double_to_f64(double value) {
  return value;
}

static uint16_t double_to_f16(double value) {
  return lpot_f32_to_f16((float)value);
}

static uint16_t double_to_bf16(double value) {
  return lpot_f32_to_bf16((float)value);
}

DEFINE_STORE_FLOAT(f32, float, double_to_f32)
DEFINE_STORE_FLOAT(f64, double, double_to_f64)
DEFINE_STORE_FLOAT(f16, uint16_t, double_to_f16)
DEFINE_STORE_FLOAT(bf16, uint16_t, double_to_bf16)
DEFINE_STORE_INT(s8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_STORE_INT(u8, uint8_t, 0, UINT8_MAX)
DEFINE_STORE_INT(s16, int16_t, INT16_MIN, INT16_MAX)
DEFINE_STORE_INT(u16, uint16_t, 0, UINT16_MAX)
DEFINE_STORE_INT(s32, int32_t, INT32_MIN, INT32_MAX)
DEFINE_STORE_INT(u32, uint32_t, 0, UINT32_MAX)
DEFINE_STORE_INT(s64, int64_t, INT64_MIN, INT64_MAX)

static void store_u64(void *address, number value) {
  uint64_t stored = 0;
  if (value.is_float && value.real >= 0x1p64) {
    stored = UINT64_MAX;
  } else if (value.is_float && value.real > 0) {
    stored = (uint64_t)value.real;
  } else if (!value.is_float && value.integer > 0) {
    stored = (uint64_t)value.integer;
  }
  memcpy(address, &stored, sizeof stored);
}

static void store_bool(void *address, number value) {
  uint8_t stored = value.is_float ? value.real != 0 : value.integer != 0;
  memcpy(address, &stored, sizeof stored);
}

typedef struct element_access {
  number (*load)(const void *address);
  void (*store)(void *address, number value);
} element_access;

static const element_access access_table[LPOT_DTYPE_UNKNOWN] = {
    [LPOT_F32] = {load_f32, store_f32},    [LPOT_F64] = {load_f64, store_f64},
    [LPOT_F16] = {load_f16, store_f16},    [LPOT_BF16] = {load_bf16, store_bf16},
    [LPOT_S8] = {load_s8, store_s8},       [LPOT_U8] = {load_u8, store_u8},
    [LPOT_S16] = {load_s16, store_s16},    [LPOT_U16] = {load_u16, store_u16},
    [LPOT_S32] = {load_s32, store_s32},    [LPOT_U32] = {load_u32, store_u32},
    [LPOT_S64] = {load_s64, store_s64},    [LPOT_U64] = {load_u64, store_u64},
    [LPOT_BOOL] = {load_bool, store_bool},
};

static void *element_address(const lpot_tensor *tensor, int64_t index) {
  size_t offset = (size_t)index * lpot_dtype_size(tensor->dtype);
  LPOT_ASSERT(index >= 0 && offset < tensor->size_bytes);
  return (unsigned char *)tensor->data + offset;
}

double lpot_tensor_get_double(const lpot_tensor *tensor, int64_t index) {
  return to_double(access_table[tensor->dtype].load(element_address(tensor, index)));
}

int64_t lpot_tensor_get_int(const lpot_tensor *tensor, int64_t index) {
  return to_int(access_table[tensor->dtype].load(element_address(tensor, index)));
}

int64_t lpot_tensor_get_order(const lpot_tensor *tensor, int64_t index) {
  number value = access_table[tensor->dtype].load(element_address(tensor, index));
  if (!value.is_float) {
    /* Flipping the top bit puts the upper half of uint64 above the lower one. */
    return value.is_unsigned ? value.integer ^ INT64_MIN : value.integer;
  }
  if (isnan(value.real)) {
    return INT64_MAX;
  }
  /* The bits of a double, read as an integer, grow with its magnitude. */
  double real = value.real + 0.0; /* -0 becomes 0 */
  int64_t bits = 0;
  memcpy(&bits, &real, sizeof bits);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}

void lpot_tensor_set_double(lpot_tensor *tensor, int64_t index, double value) {
  const number stored = {.is_float = true, .real = value};
  access_table[tensor->dtype].store(element_address(tensor, index), stored);
}

void lpot_tensor_set_int(lpot_tensor *tensor, int64_t index, int64_t value) {
  const number stored = {.integer = value};
  access_table[tensor->dtype].store(element_address(tensor, index), stored);
}
