#include "tensor/dtype.h"

#include "base/text.h"

typedef struct dtype_row {
  const char *text;
  size_t size;
  int onnx;
} dtype_row;

static const dtype_row dtype_table[] = {
#define X(name, text, bytes, onnx) {text, bytes, onnx},
    LPOT_DTYPE_LIST(X)
#undef X
};

typedef struct dtype_alias {
  const char *text;
  lpot_dtype dtype;
} dtype_alias;

/* Other names in use: LPOT's, numpy's and C's. */
static const dtype_alias alias_table[] = {
    {"fp32", LPOT_F32},     {"float", LPOT_F32},  {"f32", LPOT_F32},  {"fp64", LPOT_F64},
    {"f64", LPOT_F64},      {"double", LPOT_F64}, {"fp16", LPOT_F16}, {"f16", LPOT_F16},
    {"half", LPOT_F16},     {"bf16", LPOT_BF16},  {"s8", LPOT_S8},    {"u8", LPOT_U8},
    {"s16", LPOT_S16},      {"u16", LPOT_U16},    {"s32", LPOT_S32},  {"int", LPOT_S32},
    {"u32", LPOT_U32},      {"s64", LPOT_S64},    {"long", LPOT_S64}, {"u64", LPOT_U64},
    {"boolean", LPOT_BOOL},
};

size_t lpot_dtype_size(lpot_dtype dtype) {
  return (unsigned)dtype < LPOT_DTYPE_UNKNOWN ? dtype_table[dtype].size : 0;
}

const char *lpot_dtype_text(lpot_dtype dtype) {
  return (unsigned)dtype < LPOT_DTYPE_UNKNOWN ? dtype_table[dtype].text : "unknown";
}

bool lpot_dtype_from_text(const char *text, lpot_dtype *ret) {
  for (int i = 0; i < LPOT_DTYPE_UNKNOWN; i++) {
    if (lpot_text_equal(text, dtype_table[i].text)) {
      *ret = (lpot_dtype)i;
      return true;
    }
  }
  for (size_t i = 0; i < sizeof alias_table / sizeof alias_table[0]; i++) {
    if (lpot_text_equal(text, alias_table[i].text)) {
      *ret = alias_table[i].dtype;
      return true;
    }
  }
  return false;
}

int lpot_dtype_to_onnx(lpot_dtype dtype) {
  return (unsigned)dtype < LPOT_DTYPE_UNKNOWN ? dtype_table[dtype].onnx : 0;
}

lpot_dtype lpot_dtype_from_onnx(int data_type) {
  for (int i = 0; i < LPOT_DTYPE_UNKNOWN; i++) {
    if (dtype_table[i].onnx == data_type) {
      return (lpot_dtype)i;
    }
  }
  return LPOT_DTYPE_UNKNOWN;
}

bool lpot_dtype_is_float(lpot_dtype dtype) {
  return dtype == LPOT_F32 || dtype == LPOT_F64 || dtype == LPOT_F16 || dtype == LPOT_BF16;
}
