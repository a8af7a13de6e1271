/* The operator table: every operator that the graph knows, in ONNX's terms.
 *
 * Graphs are kept in one canonical form, that of ONNX opset 13: the importer raises older forms.
 * Where opsets 14 to 21 moved an attribute to an input (ReduceMean axes, Split num_outputs, ...)
 * both forms are legal and helpers of graph/graph.h read either. */
#ifndef LPOT_GRAPH_OP_H
#define LPOT_GRAPH_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* X(NAME, "OnnxName", min inputs, max inputs, min outputs, max outputs); max -1 = any number. */
#define LPOT_OP_LIST(X)                                                                            \
  X(ABS, "Abs", 1, 1, 1, 1)                                                                        \
  X(ACOS, "Acos", 1, 1, 1, 1)                                                                      \
  X(ACOSH, "Acosh", 1, 1, 1, 1)                                                                    \
  X(ADD, "Add", 2, 2, 1, 1)                                                                        \
  X(AND, "And", 2, 2, 1, 1)                                                                        \
  X(ARG_MAX, "ArgMax", 1, 1, 1, 1)                                                                 \
  X(ARG_MIN, "ArgMin", 1, 1, 1, 1)                                                                 \
  X(ASIN, "Asin", 1, 1, 1, 1)                                                                      \
  X(ASINH, "Asinh", 1, 1, 1, 1)                                                                    \
  X(ATAN, "Atan", 1, 1, 1, 1)                                                                      \
  X(ATANH, "Atanh", 1, 1, 1, 1)                                                                    \
  X(AVERAGE_POOL, "AveragePool", 1, 1, 1, 1)                                                       \
  X(BATCH_NORMALIZATION, "BatchNormalization", 5, 5, 1, 5)                                         \
  X(BIT_SHIFT, "BitShift", 2, 2, 1, 1)                                                             \
  X(BITWISE_AND, "BitwiseAnd", 2, 2, 1, 1)                                                         \
  X(BITWISE_NOT, "BitwiseNot", 1, 1, 1, 1)                                                         \
  X(BITWISE_OR, "BitwiseOr", 2, 2, 1, 1)                                                           \
  X(BITWISE_XOR, "BitwiseXor", 2, 2, 1, 1)                                                         \
  X(CAST, "Cast", 1, 1, 1, 1)                                                                      \
  X(CAST_LIKE, "CastLike", 2, 2, 1, 1)                                                             \
  X(CEIL, "Ceil", 1, 1, 1, 1)                                                                      \
  X(CELU, "Celu", 1, 1, 1, 1)                                                                      \
  X(CLIP, "Clip", 1, 3, 1, 1)                                                                      \
  X(COMPRESS, "Compress", 2, 2, 1, 1)                                                              \
  X(CONCAT, "Concat", 1, -1, 1, 1)                                                                 \
  X(CONSTANT, "Constant", 0, 0, 1, 1)                                                              \
  X(CONSTANT_OF_SHAPE, "ConstantOfShape", 1, 1, 1, 1)                                              \
  X(CONV, "Conv", 2, 3, 1, 1)                                                                      \
  X(CONV_INTEGER, "ConvInteger", 2, 4, 1, 1)                                                       \
  X(CONV_TRANSPOSE, "ConvTranspose", 2, 3, 1, 1)                                                   \
  X(COS, "Cos", 1, 1, 1, 1)                                                                        \
  X(COSH, "Cosh", 1, 1, 1, 1)                                                                      \
  X(CUM_SUM, "CumSum", 2, 2, 1, 1)                                                                 \
  X(DEPTH_TO_SPACE, "DepthToSpace", 1, 1, 1, 1)                                                    \
  X(DEQUANTIZE_LINEAR, "DequantizeLinear", 2, 3, 1, 1)                                             \
  X(DIV, "Div", 2, 2, 1, 1)                                                                        \
  X(DROPOUT, "Dropout", 1, 3, 1, 2)                                                                \
  X(DYNAMIC_QUANTIZE_LINEAR, "DynamicQuantizeLinear", 1, 1, 1, 3)                                  \
  X(EINSUM, "Einsum", 1, -1, 1, 1)                                                                 \
  X(ELU, "Elu", 1, 1, 1, 1)                                                                        \
  X(EQUAL, "Equal", 2, 2, 1, 1)                                                                    \
  X(ERF, "Erf", 1, 1, 1, 1)                                                                        \
  X(EXP, "Exp", 1, 1, 1, 1)                                                                        \
  X(EXPAND, "Expand", 2, 2, 1, 1)                                                                  \
  X(EYE_LIKE, "EyeLike", 1, 1, 1, 1)                                                               \
  X(FLATTEN, "Flatten", 1, 1, 1, 1)                                                                \
  X(FLOOR, "Floor", 1, 1, 1, 1)                                                                    \
  X(GATHER, "Gather", 2, 2, 1, 1)                                                                  \
  X(GATHER_ELEMENTS, "GatherElements", 2, 2, 1, 1)                                                 \
  X(GATHER_ND, "GatherND", 2, 2, 1, 1)                                                             \
  X(GELU, "Gelu", 1, 1, 1, 1)                                                                      \
  X(GEMM, "Gemm", 2, 3, 1, 1)                                                                      \
  X(GLOBAL_AVERAGE_POOL, "GlobalAveragePool", 1, 1, 1, 1)                                          \
  X(GLOBAL_LP_POOL, "GlobalLpPool", 1, 1, 1, 1)                                                    \
  X(GLOBAL_MAX_POOL, "GlobalMaxPool", 1, 1, 1, 1)                                                  \
  X(GREATER, "Greater", 2, 2, 1, 1)                                                                \
  X(GREATER_OR_EQUAL, "GreaterOrEqual", 2, 2, 1, 1)                                                \
  X(GROUP_NORMALIZATION, "GroupNormalization", 3, 3, 1, 1)                                         \
  X(HARDMAX, "Hardmax", 1, 1, 1, 1)                                                                \
  X(HARD_SIGMOID, "HardSigmoid", 1, 1, 1, 1)                                                       \
  X(HARD_SWISH, "HardSwish", 1, 1, 1, 1)                                                           \
  X(IDENTITY, "Identity", 1, 1, 1, 1)                                                              \
  X(INSTANCE_NORMALIZATION, "InstanceNormalization", 3, 3, 1, 1)                                   \
  X(IS_INF, "IsInf", 1, 1, 1, 1)                                                                   \
  X(IS_NAN, "IsNaN", 1, 1, 1, 1)                                                                   \
  X(LAYER_NORMALIZATION, "LayerNormalization", 2, 3, 1, 3)                                         \
  X(LEAKY_RELU, "LeakyRelu", 1, 1, 1, 1)                                                           \
  X(LESS, "Less", 2, 2, 1, 1)                                                                      \
  X(LESS_OR_EQUAL, "LessOrEqual", 2, 2, 1, 1)                                                      \
  X(LOG, "Log", 1, 1, 1, 1)                                                                        \
  X(LOG_SOFTMAX, "LogSoftmax", 1, 1, 1, 1)                                                         \
  X(LP_NORMALIZATION, "LpNormalization", 1, 1, 1, 1)                                               \
  X(LP_POOL, "LpPool", 1, 1, 1, 1)                                                                 \
  X(LRN, "LRN", 1, 1, 1, 1)                                                                        \
  X(LSTM, "LSTM", 3, 8, 0, 3)                                                                      \
  X(MATMUL, "MatMul", 2, 2, 1, 1)                                                                  \
  X(MATMUL_INTEGER, "MatMulInteger", 2, 4, 1, 1)                                                   \
  X(MAX, "Max", 1, -1, 1, 1)                                                                       \
  X(MAX_POOL, "MaxPool", 1, 1, 1, 2)                                                               \
  X(MEAN, "Mean", 1, -1, 1, 1)                                                                     \
  X(MEAN_VARIANCE_NORMALIZATION, "MeanVarianceNormalization", 1, 1, 1, 1)                          \
  X(MIN, "Min", 1, -1, 1, 1)                                                                       \
  X(MISH, "Mish", 1, 1, 1, 1)                                                                      \
  X(MOD, "Mod", 2, 2, 1, 1)                                                                        \
  X(MUL, "Mul", 2, 2, 1, 1)                                                                        \
  X(NEG, "Neg", 1, 1, 1, 1)                                                                        \
  X(NON_MAX_SUPPRESSION, "NonMaxSuppression", 2, 5, 1, 1)                                          \
  X(NON_ZERO, "NonZero", 1, 1, 1, 1)                                                               \
  X(NOT, "Not", 1, 1, 1, 1)                                                                        \
  X(ONE_HOT, "OneHot", 3, 3, 1, 1)                                                                 \
  X(OR, "Or", 2, 2, 1, 1)                                                                          \
  X(PAD, "Pad", 2, 4, 1, 1)                                                                        \
  X(POW, "Pow", 2, 2, 1, 1)                                                                        \
  X(PRELU, "PRelu", 2, 2, 1, 1)                                                                    \
  X(QUANTIZE_LINEAR, "QuantizeLinear", 2, 3, 1, 1)                                                 \
  X(RANGE, "Range", 3, 3, 1, 1)                                                                    \
  X(RECIPROCAL, "Reciprocal", 1, 1, 1, 1)                                                          \
  X(REDUCE_L1, "ReduceL1", 1, 2, 1, 1)                                                             \
  X(REDUCE_L2, "ReduceL2", 1, 2, 1, 1)                                                             \
  X(REDUCE_LOG_SUM, "ReduceLogSum", 1, 2, 1, 1)                                                    \
  X(REDUCE_LOG_SUM_EXP, "ReduceLogSumExp", 1, 2, 1, 1)                                             \
  X(REDUCE_MAX, "ReduceMax", 1, 2, 1, 1)                                                           \
  X(REDUCE_MEAN, "ReduceMean", 1, 2, 1, 1)                                                         \
  X(REDUCE_MIN, "ReduceMin", 1, 2, 1, 1)                                                           \
  X(REDUCE_PROD, "ReduceProd", 1, 2, 1, 1)                                                         \
  X(REDUCE_SUM, "ReduceSum", 1, 2, 1, 1)                                                           \
  X(REDUCE_SUM_SQUARE, "ReduceSumSquare", 1, 2, 1, 1)                                              \
  X(RELU, "Relu", 1, 1, 1, 1)                                                                      \
  X(RESHAPE, "Reshape", 2, 2, 1, 1)                                                                \
  X(RESIZE, "Resize", 1, 4, 1, 1)                                                                  \
  X(REVERSE_SEQUENCE, "ReverseSequence", 2, 2, 1, 1)                                               \
  X(ROUND, "Round", 1, 1, 1, 1)                                                                    \
  X(SCATTER_ELEMENTS, "ScatterElements", 3, 3, 1, 1)                                               \
  X(SCATTER_ND, "ScatterND", 3, 3, 1, 1)                                                           \
  X(SELU, "Selu", 1, 1, 1, 1)                                                                      \
  X(SHAPE, "Shape", 1, 1, 1, 1)                                                                    \
  X(SHRINK, "Shrink", 1, 1, 1, 1)                                                                  \
  X(SIGMOID, "Sigmoid", 1, 1, 1, 1)                                                                \
  X(SIGN, "Sign", 1, 1, 1, 1)                                                                      \
  X(SIMPLIFIED_LAYER_NORMALIZATION, "SimplifiedLayerNormalization", 2, 2, 1, 2)                    \
  X(SIN, "Sin", 1, 1, 1, 1)                                                                        \
  X(SINH, "Sinh", 1, 1, 1, 1)                                                                      \
  X(SIZE, "Size", 1, 1, 1, 1)                                                                      \
  X(SLICE, "Slice", 3, 5, 1, 1)                                                                    \
  X(SOFTMAX, "Softmax", 1, 1, 1, 1)                                                                \
  X(SOFTPLUS, "Softplus", 1, 1, 1, 1)                                                              \
  X(SOFTSIGN, "Softsign", 1, 1, 1, 1)                                                              \
  X(SPACE_TO_DEPTH, "SpaceToDepth", 1, 1, 1, 1)                                                    \
  X(SPLIT, "Split", 1, 2, 1, -1)                                                                   \
  X(SQRT, "Sqrt", 1, 1, 1, 1)                                                                      \
  X(SQUEEZE, "Squeeze", 1, 2, 1, 1)                                                                \
  X(SUB, "Sub", 2, 2, 1, 1)                                                                        \
  X(TAN, "Tan", 1, 1, 1, 1)                                                                        \
  X(TANH, "Tanh", 1, 1, 1, 1)                                                                      \
  X(THRESHOLDED_RELU, "ThresholdedRelu", 1, 1, 1, 1)                                               \
  X(TILE, "Tile", 2, 2, 1, 1)                                                                      \
  X(TOP_K, "TopK", 2, 2, 1, 2)                                                                     \
  X(TRANSPOSE, "Transpose", 1, 1, 1, 1)                                                            \
  X(TRILU, "Trilu", 1, 2, 1, 1)                                                                    \
  X(UNIQUE, "Unique", 1, 1, 1, 4)                                                                  \
  X(UNSQUEEZE, "Unsqueeze", 2, 2, 1, 1)                                                            \
  X(WHERE, "Where", 3, 3, 1, 1)                                                                    \
  X(XOR, "Xor", 2, 2, 1, 1)

/* The same for operators of the domain com.microsoft and ONNX's own quantized ones: what the
 * QOperator export writes, and what ONNX Runtime's optimizer leaves in models. The domain column
 * is "" or "com.microsoft". */
#define LPOT_QUANTIZED_OP_LIST(X)                                                                  \
  X(ATTENTION, "Attention", "com.microsoft", 2, 7, 1, 2)                                           \
  X(BIAS_GELU, "BiasGelu", "com.microsoft", 2, 2, 1, 1)                                            \
  X(DYNAMIC_QUANTIZE_MATMUL, "DynamicQuantizeMatMul", "com.microsoft", 3, 5, 1, 1)                 \
  X(EMBED_LAYER_NORMALIZATION, "EmbedLayerNormalization", "com.microsoft", 7, 9, 1, 3)             \
  X(FAST_GELU, "FastGelu", "com.microsoft", 1, 2, 1, 1)                                            \
  X(FUSED_CONV, "FusedConv", "com.microsoft", 2, 4, 1, 1)                                          \
  X(FUSED_GEMM, "FusedGemm", "com.microsoft", 2, 3, 1, 1)                                          \
  X(FUSED_MATMUL, "FusedMatMul", "com.microsoft", 2, 2, 1, 1)                                      \
  X(MATMUL_INTEGER_TO_FLOAT, "MatMulIntegerToFloat", "com.microsoft", 4, 7, 1, 1)                  \
  X(MICROSOFT_DEQUANTIZE_LINEAR, "DequantizeLinear", "com.microsoft", 2, 3, 1, 1)                  \
  X(MICROSOFT_GELU, "Gelu", "com.microsoft", 1, 1, 1, 1)                                           \
  X(MICROSOFT_QUANTIZE_LINEAR, "QuantizeLinear", "com.microsoft", 2, 3, 1, 1)                      \
  X(QLINEAR_ADD, "QLinearAdd", "com.microsoft", 7, 8, 1, 1)                                        \
  X(QLINEAR_AVERAGE_POOL, "QLinearAveragePool", "com.microsoft", 4, 5, 1, 1)                       \
  X(QLINEAR_CONCAT, "QLinearConcat", "com.microsoft", 5, -1, 1, 1)                                 \
  X(QLINEAR_CONV, "QLinearConv", "", 8, 9, 1, 1)                                                   \
  X(QLINEAR_GLOBAL_AVERAGE_POOL, "QLinearGlobalAveragePool", "com.microsoft", 5, 5, 1, 1)          \
  X(QLINEAR_LEAKY_RELU, "QLinearLeakyRelu", "com.microsoft", 4, 5, 1, 1)                           \
  X(QLINEAR_MATMUL, "QLinearMatMul", "", 8, 8, 1, 1)                                               \
  X(QLINEAR_MUL, "QLinearMul", "com.microsoft", 7, 8, 1, 1)                                        \
  X(QGEMM, "QGemm", "com.microsoft", 6, 9, 1, 1)                                                   \
  X(QLINEAR_SIGMOID, "QLinearSigmoid", "com.microsoft", 4, 5, 1, 1)                                \
  X(QLINEAR_SOFTMAX, "QLinearSoftmax", "com.microsoft", 5, 5, 1, 1)                                \
  X(QUICK_GELU, "QuickGelu", "com.microsoft", 1, 1, 1, 1)                                          \
  X(SKIP_LAYER_NORMALIZATION, "SkipLayerNormalization", "com.microsoft", 3, 5, 1, 4)               \
  X(SKIP_SIMPLIFIED_LAYER_NORMALIZATION, "SkipSimplifiedLayerNormalization", "com.microsoft", 3,   \
    4, 1, 4)

typedef enum lpot_op {
#define X(name, text, min_in, max_in, min_out, max_out) LPOT_OP_##name,
  LPOT_OP_LIST(X)
#undef X
#define X(name, text, domain, min_in, max_in, min_out, max_out) LPOT_OP_##name,
      LPOT_QUANTIZED_OP_LIST(X)
#undef X
          LPOT_NUM_OPS
} lpot_op;

typedef struct lpot_op_info {
  lpot_op op;
  const char *name;                                     /* ONNX operator name */
  const char *domain;                                   /* "" is ONNX's default domain */
  int min_inputs, max_inputs, min_outputs, max_outputs; /* max -1: any number */
} lpot_op_info;

const lpot_op_info *lpot_op_get_info(lpot_op op);
/* Whether input index may not be left out: those below min_inputs, but for a few operators. */
bool lpot_op_requires_input(lpot_op op, size_t index);
/* The operator called name in domain ("" and "ai.onnx" are the same); LPOT_UNSUPPORTED, naming the
 * nearest, else. */
LPOT_MUST_CHECK lpot_status lpot_op_find(const char *domain, const char *name, lpot_op *ret_op,
                                         lpot_error *err);

#endif
