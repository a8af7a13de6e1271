/* Element types. */
#ifndef LPOT_TENSOR_DTYPE_H
#define LPOT_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* X(name, text, bytes, ONNX TensorProto.DataType) */
#define LPOT_DTYPE_LIST(X)                                                                         \
  X(F32, "float32", 4, 1)                                                                          \
  X(F64, "float64", 8, 11)                                                                         \
  X(F16, "float16", 2, 10)                                                                         \
  X(BF16, "bfloat16", 2, 16)                                                                       \
  X(S8, "int8", 1, 3)                                                                              \
  X(U8, "uint8", 1, 2)                                                                             \
  X(S16, "int16", 2, 5)                                                                            \
  X(U16, "uint16", 2, 4)                                                                           \
  X(S32, "int32", 4, 6)                                                                            \
  X(U32, "uint32", 4, 12)                                                                          \
  X(S64, "int64", 8, 7)                                                                            \
  X(U64, "uint64", 8, 13)                                                                          \
  X(BOOL, "bool", 1, 9)

typedef enum lpot_dtype {
#define X(name, text, bytes, onnx) LPOT_##name,
  LPOT_DTYPE_LIST(X)
#undef X
      LPOT_DTYPE_UNKNOWN
} lpot_dtype;

size_t lpot_dtype_size(lpot_dtype dtype); /* bytes of one element; 0 for UNKNOWN */
const char *lpot_dtype_text(lpot_dtype dtype);
bool lpot_dtype_from_text(const char *text,
                          lpot_dtype *ret); /* "float32", also "fp32", "int8" ... */
int lpot_dtype_to_onnx(lpot_dtype dtype);
lpot_dtype lpot_dtype_from_onnx(int data_type); /* UNKNOWN when we lack it */
bool lpot_dtype_is_float(lpot_dtype dtype);

#endif
