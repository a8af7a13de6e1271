#include "conformance_scope.h"

#include <stddef.h>
#include <string.h>

/* Operators, or beginnings of their names ("Sequence*"). */
static const char *const foreign_ops[] = {
    /* control flow, sequences, optional values, strings */
    "If",
    "Loop",
    "Scan",
    "Sequence*",
    "SplitToSequence",
    "ConcatFromSequence",
    "Optional*",
    "StringNormalizer",
    "String*",
    "TfIdfVectorizer",
    "RegexFullMatch",
    "ImageDecoder",
    /* training, and losses */
    "ai.onnx.preview.trai*",
    "SoftmaxCrossEntropyLoss",
    "NegativeLogLikelihoodLoss",
    /* other domains */
    "ai.onnx.ml.*",
    /* recurrent networks but LSTM */
    "GRU",
    "RNN",
    /* signal processing and windows */
    "DFT",
    "STFT",
    "MelWeightMatrix",
    "BlackmanWindow",
    "HannWindow",
    "HammingWindow",
    /* randomness: no outputs to compare with */
    "Bernoulli",
    "Random*",
    "Multinomial",
    /* left for later */
    "Det",
    "GridSample",
    "AffineGrid",
    "Col2Im",
    "CenterCropPad",
    "DeformConv",
    "RoiAlign",
    "MaxRoiPool",
    "MaxUnpool",
    "TensorScatter",
    "Attention",
    "RotaryEmbedding",
    NULL,
};

/* Kinds of values and modes, as the names of cases spell them. */
static const char *const foreign_kinds[] = {
    "STRING",           "_string", "_sequence", "_identity_opt",        "FLOAT8",
    "e4m3fn",           "e5m2",    "INT4",      /* and UINT4 */ "int4", "training_mode",
    "training_dropout", NULL,
};

static bool matches(const char *pattern, const char *op) {
  size_t length = strlen(pattern);
  if (length > 0 && pattern[length - 1] == '*') {
    return strncmp(pattern, op, length - 1) == 0;
  }
  return strcmp(pattern, op) == 0;
}

bool conformance_in_scope(const char *name, const case_result *result) {
  for (int i = 0; i < result->num_ops; i++) {
    for (size_t k = 0; foreign_ops[k] != NULL; k++) {
      if (matches(foreign_ops[k], result->ops[i])) {
        return false;
      }
    }
  }
  for (size_t k = 0; foreign_kinds[k] != NULL; k++) {
    if (strstr(name, foreign_kinds[k]) != NULL) {
      return false;
    }
  }
  return true;
}

const char *conformance_known_failure(const char *name) {
  static const char align_corners[] =
      "the expected output takes scale * size, not the size rounded down, for the resized axis; "
      "ONNX Runtime does as we do";
  static const char wraps[] =
      "the expected output wraps around (-236 is 20) where the specification says that it "
      "saturates; ONNX Runtime does as we do";
  static const char truncates[] =
      "the expected output cuts the bits off where the specification rounds to nearest even";
  static const char ceil_mode[] =
      "the expected output counts elements beyond the padding, which ceil_mode reaches; ONNX "
      "Runtime and PyTorch do as we do";
  static const struct {
    const char *name, *reason;
  } known[] = {
      {"test_resize_downsample_scales_cubic_align_corners", align_corners},
      {"test_resize_downsample_scales_linear_align_corners", align_corners},
      {"test_cast_FLOAT_to_BFLOAT16", truncates},
      {"test_castlike_FLOAT_to_BFLOAT16", truncates},
      {"test_castlike_FLOAT_to_BFLOAT16_expanded", truncates},
      {"test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True", ceil_mode},
      {"test_qlinearmatmul_2D_int8_float16", wraps},
      {"test_qlinearmatmul_2D_int8_float32", wraps},
      {"test_qlinearmatmul_3D_int8_float16", wraps},
      {"test_qlinearmatmul_3D_int8_float32", wraps},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(known[i].name, name) == 0) {
      return known[i].reason;
    }
  }
  return NULL;
}
